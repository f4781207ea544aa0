"""Services and forwards between clients and calls: what is set in a client the dialplan of the simulated company
obeys, by its own database, and what is dialled at the phone clients see; whatever fails in between."""

import contextlib
import json
import subprocess
import threading

import pytest
from stack import BIN, ROOT, Stack, signal, until
from test_office import QUIET, command
from test_sim import Ami

TECH = {"20": "PJSIP", "1.8": "SIP"}


@contextlib.contextmanager
def company(dialect="20", publish=("astdb", "devstate"), lines=None):
    with Stack(office=(*QUIET, "--office-dialect", dialect), config={"ctibus.features.publish": list(publish)},
               lines=lines) as s:
        s.wait_ready()
        s.tech = TECH[dialect]
        s.ami = Ami(s, Events="off")
        yield s
        s.ami.close()


def stored(stack, path):
    """What Asterisk's database has, or None."""
    family, key = path.split("/")
    answer = dict(stack.ami.ask("DBGet", Family=family, Key=key))
    if answer["Response"] == "Error":
        assert answer["Message"] == "Database entry not found"
        return None
    while True:
        message = dict(stack.ami.read())
        if message.get("Event") == "DBGetResponse":
            return message["Val"]


def store(stack, path, value):
    family, key = path.split("/")
    if value is None:
        stack.ami.ask("DBDel", Family=family, Key=key)
    else:
        assert ("Response", "Success") in stack.ami.ask("DBPut", Family=family, Key=key, Val=value)


def dials(stack, login, exten):
    """Somebody dials at the phone itself."""
    answer = stack.ami.ask("OfficeCall", From=f"{stack.tech}/{login}", Exten=exten)
    assert ("Response", "Success") in answer, answer


def watch(stack, login):
    """A client that has loaded all; what comes from now on is kept."""
    client = stack.client(login).load()
    client.seen.clear()
    return client


def put(client, function, value):
    answer = client.ask("featuresput", function=function, value=value)
    assert answer["status"] == "OK", answer


def user(client, tid="1"):
    return client.status("users", tid)


def on(client, field, tid="1"):
    value = user(client, tid)[field]
    return value is True or value in (1, "1")


def told(client, field, tid="1"):
    """What has been told of a field of a user, in its order."""
    client.drain()
    return [m["config"][field] for m in client.seen
            if m.get("function") == "updateconfig" and m.get("listname") == "users" and m.get("tid") == tid
            and field in m.get("config", {})]


def channels(stack, login):
    return [c for c in stack.sim_status()["channels"] if c.startswith(f"{stack.tech}/{login}-")]


def hint(stack, number):
    return stack.sim_status()["hints"][f"{number}@default"]


@pytest.mark.parametrize("dialect", ["20", "1.8"])
def test_do_not_disturb_is_obeyed_and_its_code_is_seen(dialect):
    with company(dialect) as s:
        alice, other, bob = watch(s, "alice"), watch(s, "alice"), watch(s, "bob")
        messages = s.sim_status()["office"]["messages"].get("1001", 0)
        put(alice, "enablednd", True)
        other.wait(lambda: on(other, "enablednd"), "the other client of alice sees it")
        until(lambda: stored(s, "DND/1001") == "YES", "Asterisk has it")
        command(bob, "dial", destination="exten:xivo/1001")
        until(lambda: s.sim_status()["office"]["messages"].get("1001", 0) > messages, "busy: bob speaks to her mailbox", 60)
        assert not channels(s, "alice"), "her phone did not ring"
        for seen in (told(alice, "enablednd"), told(other, "enablednd"), told(bob, "enablednd")):
            assert seen == [True], "each is told once"

        dials(s, "alice", "*76")
        for client in (alice, other, bob):
            client.wait(lambda c=client: not on(c, "enablednd"), "the code at the phone is seen")
        assert stored(s, "DND/1001") is None
        until(lambda: not channels(s, "alice"), "she has hung up")
        assert told(other, "enablednd") == [True, False]
        dials(s, "bob", "1001")
        until(lambda: hint(s, "1001") == 8, "her phone rings again")


def test_forwards_are_obeyed_and_their_codes_are_seen():
    with company() as s:
        alice = watch(s, "alice")
        put(alice, "fwd", {"enableunc": True, "destunc": "1003"})
        until(lambda: stored(s, "CF/1001") == "1003", "Asterisk has it")
        dials(s, "bob", "1001")
        until(lambda: hint(s, "1003") == 8, "carole's phone rings instead")
        assert hint(s, "1001") == 0
        s.ami.ask("OfficeHangup", Endpoint="PJSIP/bob")
        until(lambda: hint(s, "1003") == 0, "no more")

        dials(s, "alice", "*721004")
        alice.wait(lambda: user(alice)["destunc"] == "1004", "the code at the phone is seen")
        dials(s, "alice", "*73")
        alice.wait(lambda: not on(alice, "enableunc"), "it is off")
        assert user(alice)["destunc"] == "1004", "the number stays for the next time"
        put(alice, "fwd", {"enablebusy": True, "destbusy": "1005", "enablerna": True, "destrna": "1006"})
        until(lambda: (stored(s, "CFB/1001"), stored(s, "CFU/1001")) == ("1005", "1006"), "Asterisk has both")
        refused = alice.ask("featuresput", function="fwd", value={"enableunc": True, "destunc": ""})
        assert (refused["status"], refused["error_string"]) == ("KO", "destination")


def test_a_code_at_one_of_two_phones_is_for_both():
    """Alice has carole's phone (1003), too."""
    lines = json.loads((ROOT / "config" / "office" / "lines.json").read_text())
    lines[2] |= {"iduserfeatures": 1, "rules_order": 2}
    with company(lines=lines) as s:
        alice = watch(s, "alice")
        dials(s, "carole", "*76")
        alice.wait(lambda: on(alice, "enablednd"), "the code at the second phone is seen")
        until(lambda: stored(s, "DND/1001") == "YES", "the first one has it, too")
        dials(s, "alice", "*76")
        alice.wait(lambda: not on(alice, "enablednd"), "the code at the first phone is seen")
        until(lambda: stored(s, "DND/1003") is None, "the second one has it, too")
        dials(s, "carole", "*721004")
        until(lambda: (stored(s, "CF/1001"), stored(s, "CF/1003")) == ("1004", "1004"), "both forward")
        dials(s, "carole", "*73")
        alice.wait(lambda: not on(alice, "enableunc"), "it is off")
        until(lambda: stored(s, "CF/1001") is None, "at both")
        assert told(alice, "enablednd") == [True, False]
        assert told(alice, "enableunc") == [True, False]


def test_codes_of_xivo_say_user_events():
    """Without any database, too: the event is enough."""
    with company(publish=("agi",)) as s:
        alice = watch(s, "alice")
        dials(s, "alice", "*25")
        alice.wait(lambda: on(alice, "enablednd"), "do not disturb is seen")
        dials(s, "alice", "*211003")
        alice.wait(lambda: on(alice, "enableunc") and user(alice)["destunc"] == "1003", "the forward is seen")
        dials(s, "alice", "*20")
        alice.wait(lambda: not on(alice, "enableunc"), "it is off")
        put(alice, "enablednd", False)
        alice.drain()
        assert stored(s, "DND/1001") == "YES", "nothing is written unless it is asked for"


@pytest.mark.parametrize("dialect", ["20", "1.8"])
def test_after_an_outage_what_was_set_is_sent_and_the_rest_is_read(dialect):
    with company(dialect) as s:
        alice = watch(s, "alice")
        put(alice, "fwd", {"enablerna": True, "destrna": "1006"})
        until(lambda: stored(s, "CFU/1001") == "1006", "Asterisk has it")
        until(lambda: s.metric("state", "ctibus_state_wanted") == 0, "and state knows that it has")  # else it is sent anew
        s.kill("ami-gw")
        until(lambda: b'"link": "down"' in json.dumps(s.snapshot("ipbx")).encode(), "the link is down")
        put(alice, "enablednd", True)
        put(alice, "fwd", {"enableunc": True, "destunc": "1003"})
        store(s, "CF/1001", "1009")    # at the phone: what was set in the client came after it, for all we know
        store(s, "CFB/1001", "1004")
        store(s, "CFU/1001", None)
        s.start("ami-gw")
        s.wait_ready()
        until(lambda: (stored(s, "DND/1001"), stored(s, "CF/1001")) == ("YES", "1003"), "what was set is sent")
        alice.wait(lambda: on(alice, "enablebusy") and user(alice)["destbusy"] == "1004", "what was dialled is read")
        alice.wait(lambda: not on(alice, "enablerna"), "what is gone is off")
        assert on(alice, "enableunc") and user(alice)["destunc"] == "1003"
        assert told(alice, "enablednd") == [True]


def test_a_resync_reads_what_no_event_told():
    with company() as s:
        alice = watch(s, "alice")
        store(s, "DND/1001", "YES")
        s.programs["sim"].process.send_signal(signal.SIGUSR1)
        alice.wait(lambda: on(alice, "enablednd"), "read after the link was cut")
        s.ami.close()
        s.ami = Ami(s, Events="off")
        store(s, "DND/1001", None)
        s.kill("state")
        s.start("state")
        alice.wait(lambda: not on(alice, "enablednd"), "read after a restart of state")


def test_two_at_once_agree_in_the_end():
    """A client and the phone change the same, as fast as they can: what is shown is what calls obey."""
    with company() as s:
        alice = watch(s, "alice")

        def at_the_phone():
            with contextlib.closing(Ami(s, Events="off")) as ami:
                for i in range(40):
                    value = "BUSY" if i % 2 else "NOT_INUSE"
                    if i % 2:
                        ami.ask("DBPut", Family="DND", Key="1001", Val="YES")
                    else:
                        ami.ask("DBDel", Family="DND", Key="1001")
                    ami.ask("Setvar", Variable="DEVICE_STATE(Custom:DND1001)", Value=value)

        phone = threading.Thread(target=at_the_phone)
        phone.start()
        for i in range(40):
            alice.ask("featuresput", function="enablednd", value=bool(i % 2))
        phone.join()

        def agree():
            alice.drain()
            shown = alice.ask("featuresget", userid="1")["userfeatures"]["enablednd"] in (True, 1, "1")
            return shown == (stored(s, "DND/1001") is not None) and on(alice, "enablednd") == shown
        until(agree, "the client shows what Asterisk has")
        alice.drain(0.5)
        assert agree(), "and it stays so"


def test_an_administrator_reads_the_same_keys():
    """With `ctibus action`; and nothing waits to be sent any more."""
    with company() as s:
        alice = watch(s, "alice")
        put(alice, "enablednd", True)
        until(lambda: stored(s, "DND/1001") == "YES", "Asterisk has it")
        out = subprocess.run([BIN / "ctibus", "--config", s.path("ctibus.json"), "action", "DBGetTree", "Family=DND"],
                             check=True, capture_output=True, text=True, timeout=20).stdout
        assert "/DND/1001" in out and "YES" in out
        assert s.metric("state", "ctibus_state_wanted") == 0


@pytest.mark.parametrize("capture, tid, unc", [("23/26-userevents.ami.gz", "5", ["1003"]),
                                               ("1.8/19-userevents-features.ami", "1", ["1003"]),
                                               ("20/19-userevents-features.ami", "1", ["1003"])])
def test_user_events_of_a_real_asterisk(capture, tid, unc):
    """XiVO's dialplan says what was dialled: recordings of its UserEvent(Feature)."""
    with Stack(capture, pace="2000/s", sim_args=["--wait-login", "--loops", "1"], parts=("state", "cti-gw")) as s:
        s.wait_ready()
        bob = watch(s, "bob")
        s.start("sim")
        s.start("ami-gw")
        until(lambda: s.sim_status()["done"], "played", 60)
        bob.wait(lambda: on(bob, "incallfilter", tid), "the last one")
        assert told(bob, "enablednd", tid) == [True, False]
        assert told(bob, "enableunc", tid) == [True, False]
        assert told(bob, "destunc", tid) == unc
        assert told(bob, "callrecord", tid)[0] is True
