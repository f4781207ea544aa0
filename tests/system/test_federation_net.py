"""federation over networks that are slow, lossy, and break: each site in a network namespace of its own."""

import json
import os
import pathlib
import subprocess
import time

import pytest

from namespaces import FarSite, Relay, linked, needs_namespaces
from sites import sites
from stack import BIN, until
from test_federation import agree, received

pytestmark = needs_namespaces()
SANITIZED = b"__asan_init" in pathlib.Path(BIN, "ctibus-federation").read_bytes()


def all_linked(all_of_them, state="up"):
    for a in all_of_them:
        for b in all_of_them:
            if a is not b:
                a.wait_link(b.name, state)


def all_agree(all_of_them):
    for a in all_of_them:
        for b in all_of_them:
            if a is not b:
                agree(a, b)


def crossing(site, here, user, states):
    """Seconds that each change of a user's presence at a site takes to a client of another, each on top of what the
    change takes to a client there."""
    near, far = site.client("alice"), here.client("alice")
    took = []
    for state in states:
        with site.namespace:
            client = site.client(user, state=state)
        near.wait(lambda: near.status("users", "2").get("availstate") == state, f"{state} there")
        at_home = time.monotonic()
        far.wait(lambda: far.status("users", "2").get("availstate") == state, f"{state} here")
        took.append(max(0, time.monotonic() - at_home))
        client.send("logout", stopper="")
        client.closed()
        far.wait(lambda: far.status("users", "2").get("availstate") == "disconnected", "gone", 20)
    near.close()
    far.close()
    return took


def test_a_slow_link():
    """50 ms each way: a change is there after less than 100 ms, and all converges."""
    with linked("paris", "lyon") as (both, links):
        links["paris", "lyon"].tell("delay 50")
        all_linked(both)
        all_agree(both)
        took = crossing(both[0], both[1], "bob", ("away", "outtolunch", "available"))
        assert all(0.03 < t < 0.1 for t in took), took


def test_a_lossy_link():
    """One packet in ten is lost: it only slows things down."""
    with linked("paris", "lyon") as (both, links):
        links["paris", "lyon"].tell("loss 10")
        all_linked(both)
        all_agree(both)
        took = crossing(both[0], both[1], "bob", ("away", "outtolunch", "available"))
        assert all(t < 10 for t in took), took
        alice, bob = both[1].client("alice"), both[0].client("bob")
        received(bob)
        until(lambda: both[1].objects("paris", "users")["2"]["connection"] == "yes", "bob is seen")
        assert "warning_string" not in alice.ask("chitchat", to="paris/2", text="Bonjour")
        bob.wait(lambda: any(m.get("class") == "chitchat" for m in received(bob)), "the line arrives")
        alice.close()
        bob.close()


@pytest.mark.parametrize("cut, seconds", [("both", 30), ("a", 0)])
def test_a_partition(cut, seconds):
    """Both sides notice, keep what they know, and heal: each difference is told once, nothing that has gone stays."""
    with linked("paris", "lyon") as (both, links):
        paris, lyon = both
        all_linked(both)
        all_agree(both)
        client = lyon.client("alice")
        links["paris", "lyon"].tell(f"cut {cut}")
        cut_at = time.monotonic()
        all_linked(both, "down")
        assert len(lyon.objects("paris", "users")) == 5
        bob = paris.client("bob", state="away")
        users = [u for u in json.loads(paris.path("users.json").read_text()) if u["id"] != "4"]
        paris.path("users.json").write_text(json.dumps(users))
        paris.inside(subprocess.run, [BIN / "ctibus", "--config", paris.path("ctibus.json"), "reload", "users"], check=True)
        until(lambda: time.monotonic() - cut_at >= seconds, f"{seconds} seconds", 40)
        links["paris", "lyon"].tell("heal")
        all_linked(both)
        all_agree(both)
        client.wait(lambda: client.status("users", "2").get("availstate") == "away", "bob is away")
        assert "4" not in lyon.objects("paris", "users")
        client.drain(1)
        told = [m for m in client.seen if m["tipbxid"] == "paris" and m["listname"] == "users" and m.get("tid") == "2" and
                "availstate" in m.get("status", {})]
        assert len(told) == 1, told
        gone = [m for m in client.seen if m["tipbxid"] == "paris" and m["function"] == "delconfig"]
        assert [i for m in gone if m["listname"] == "users" for i in m["list"]] == ["4"]
        client.close()
        bob.close()


def test_three_sites_of_which_two_cannot_see_each_other():
    with linked("paris", "lyon", "nantes") as (three, links):
        paris, lyon, nantes = three
        all_linked(three)
        links["paris", "lyon"].tell("cut both")
        paris.wait_link("lyon", "down")
        lyon.wait_link("paris", "down")
        assert paris.link("nantes") == nantes.link("paris") == lyon.link("nantes") == "up"
        client = lyon.client("alice")
        bob = nantes.client("bob", state="away")
        client.wait(lambda: client.status("users", "2").get("availstate") == "away", "Nantes is seen")
        links["paris", "lyon"].tell("heal")
        all_linked(three)
        all_agree(three)
        for site in three:
            assert len(site.snapshot("users")) == 15
        client.close()
        bob.close()


@pytest.mark.skipif(SANITIZED, reason="libfaketime and the sanitizers do not go together")
def test_clocks_an_hour_apart():
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    assert library, "package faketime"
    paris, lyon = FarSite("paris"), FarSite("lyon")
    with sites(paris, lyon):
        link = Relay(paris, lyon)
        paris.run()
        os.environ.update(LD_PRELOAD=str(library), FAKETIME="+1h", FAKETIME_DONT_FAKE_MONOTONIC="1")
        try:
            lyon.run()
        finally:
            for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"):
                del os.environ[name]
        all_linked((paris, lyon))
        all_agree((paris, lyon))
        paris.programs["federation"].says("the clock of site lyon is 3600 s ahead of ours")
        lyon.programs["federation"].says("the clock of site paris is 3600 s behind ours")
        for site, here in ((paris, lyon), (lyon, paris)):
            assert all(t < 2 for t in crossing(site, here, "bob", ("away", "available")))
        for part in ("federation", "state"):
            lyon.kill(part)
            lyon.start(part)
            lyon.wait_ready("state", "federation")
            all_linked((paris, lyon))
            all_agree((paris, lyon))
        link.close()
