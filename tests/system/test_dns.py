"""Host names in the configuration, and a DNS that is slow, silent or wrong: no loop waits for it."""

import contextlib
import json
import time
import urllib.request

import pytest

from fastagi import ask
from metrics import shown
from nameserver import NXDOMAIN, SERVFAIL, NameServer, silent_address
from sites import pair, sites
from stack import Stack, free_port, until

TRY_S = 6        # DNS gets 4 s, and then some
STALL_S = 1.0    # of /healthz, on a machine that has more to do; it was 10 s


@pytest.fixture(name="dns")
def name_server():
    server = NameServer(silent_test=None, late_test=(1.5, ["127.0.0.1"]), nobody_test=NXDOMAIN, broken_test=SERVFAIL,
                        two_test=["127.0.0.2", "127.0.0.1"], six_test=["::1"], empty_test=[], good_test=["127.0.0.1"])
    yield server
    server.close()


def longest_wait(program, seconds):
    """Of /healthz, as long as the loop itself does not say that it stood still."""
    longest, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        assert urllib.request.urlopen(f"http://127.0.0.1:{program.http}/healthz", timeout=20).status == 200
        longest = max(longest, time.monotonic() - begin)
        time.sleep(0.02)
    stalls = {float(labels["le"]): n for labels, n in shown(program)["ctibus_loop_stall_seconds"][2] if "le" in labels}
    assert stalls[0.25] == stalls[float("inf")], "no turn of the loop was long"
    return longest


def start_ami_gw(s, host, dns):
    site = json.loads(s.path("ctibus.json").read_text())
    site["ipbxes"]["xivo"]["ipbx_connection"]["ipaddress"] = host
    site["ctibus"]["dns"] = {"server": dns.address}
    s.path("ctibus.json").write_text(json.dumps(site))
    program = s.start("ami-gw")
    program.listening("metrics")
    return program


@pytest.mark.parametrize("host, why", (
    ("silent.test", "no answer from DNS within 4 s"), ("nobody.test", "no such name"), ("empty.test", "no such name"),
    ("broken.test", "DNS fails: "), ("192.0.2.999", "no such name"), ("x" * 64 + ".test", "it cannot be asked of DNS")))
def test_ami_gw_names_the_fault_and_does_not_wait(dns, host, why):
    with Stack(parts=("state",)) as s:
        program = start_ami_gw(s, host, dns)
        assert longest_wait(program, TRY_S) < STALL_S
        until(lambda: program.logged(f"ami {host}:{s.ports['ami']}: {why}"), "the fault is named")
        assert s.metric("state", "ctibus_state_events_total") == 0
        assert not s.programs["state"].logged("is gone"), "it says hello all the time"


@pytest.mark.parametrize("host", ("late.test", "good.test", "localhost", "LOCALHOST", "127.0.0.1"))
def test_ami_gw_connects_by_name(dns, host):
    with Stack("20/02-call-answered.ami", parts=("state", "sim")) as s:
        program = start_ami_gw(s, host, dns)
        assert longest_wait(program, 1) < STALL_S
        s.wait_ready("ami-gw")


def test_the_second_address_is_tried_when_the_first_is_silent_or_refuses(dns):
    with Stack("20/02-call-answered.ami", parts=("state", "sim")) as s:
        start_ami_gw(s, "two.test", dns)
        s.wait_ready("ami-gw")
        s.kill("ami-gw")
        with silent_address("127.0.0.2", s.ports["ami"]):
            begin = time.monotonic()
            program = start_ami_gw(s, "two.test", dns)
            assert longest_wait(program, 1) < STALL_S
            s.wait_ready("ami-gw")
            assert time.monotonic() - begin > 1.5, "main.sockettimeout, for the first"
            s.kill("sim")
            until(lambda: program.logged("127.0.0.2: no connection within 2000 ms, 127.0.0.1: Connection refused"),
                  "both are told")


@contextlib.contextmanager
def old_peer(host, dns):
    """A site whose only peers are one that it reaches by such a name, and a modern one."""
    paris, lyon = pair(config={"ctibus.dns.server": dns.address})
    tree = paris.tree()
    tree["ipbxes"]["old"] = {"cti_connection": {"ipaddress": host, "ipport": free_port(), "username": "cs:x", "password": "p"}}
    paris.write(tree)
    with sites(paris, lyon):
        yield paris, lyon


@pytest.mark.parametrize("host, why", (("silent.test", "no answer from DNS within 4 s"), ("nobody.test", "no such name"),
                                       ("good.test", "Connection refused")))
def test_an_old_peer_freezes_no_other_link(dns, host, why):
    with old_peer(host, dns) as (paris, lyon):
        lyon.run("state", "federation")
        paris.run("state", "federation")
        assert longest_wait(paris.programs["federation"], TRY_S) < STALL_S
        paris.wait_link("lyon")
        until(lambda: paris.programs["federation"].logged(f"site old: {why}"), "the fault is named")


def test_scripts_are_answered_while_dns_is_silent(dns):
    with Stack(parts=("state",), config={"ctibus.dns.server": dns.address,
                                         "ipbxes.xivo.ipbx_connection.ipaddress": "silent.test"}) as s:
        s.start("fagi-gw")
        s.wait_ready("state", "fagi-gw")
        assert longest_wait(s.programs["fagi-gw"], 1) < STALL_S
        assert ask(s.programs["fagi-gw"].fagi, "presence")
        until(lambda: s.programs["fagi-gw"].logged("cannot look up silent.test: no answer from DNS"), "told")
