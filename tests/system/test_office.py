"""The simulated company: whatever a client does has its effect on its calls, queues and rooms, and what clients
see is what happens there."""

import json
import subprocess

import pytest
from stack import BIN, ROOT, Stack, signal, signal_of, until

QUIET = ("--rate", "0", "--office-guests", "alice,bob,carole,david")


@pytest.fixture(name="office")
def fixture_office():
    """A company where nobody calls by himself, and four phones that wait for their people."""
    with Stack(office=QUIET) as stack:
        yield stack.wait_ready()


def channels(stack, login):
    return [c for c in stack.sim_status()["channels"] if c.startswith(f"PJSIP/{login}-")]


def talks(stack, one, other):
    """The channel of one who talks with the other, or None."""
    for a, b in stack.sim_status()["office"]["talks"].items():
        if a.startswith(f"PJSIP/{one}-") and b.startswith(f"PJSIP/{other}-"):
            return a
    return None


def hint(stack, number):
    return stack.sim_status()["hints"][f"{number}@default"]


def command(client, name, **fields):
    answer = client.ask("ipbxcommand", command=name, **fields)
    assert "error_string" not in answer, answer
    return answer


def call(stack, caller="alice", called="bob", number="1002"):
    """Two clients whose phones talk; the call is dialled and answered by commands."""
    clients = [stack.client(caller), stack.client(called)]
    command(clients[0], "dial", destination=f"exten:xivo/{number}")
    until(lambda: hint(stack, number) == 8, f"{called} rings")
    clients[1].wait(lambda: phone(clients[1], called).get("hintstatus") == "8", "client sees it ring")
    command(clients[1], "answer")
    until(lambda: talks(stack, caller, called), "they talk")
    for client in clients:
        client.wait(lambda c=client: phone(c, called).get("hintstatus") == "1", "seen in use")
    return clients


def phone(client, login):
    """What a client believes of a phone; ids are in the order of the people."""
    ids = {"alice": "1", "bob": "2", "carole": "3", "david": "4"}
    return client.status("phones", ids[login])


def test_dialled_answered_hung_up(office):
    alice, _ = call(office)
    command(alice, "hangupme")
    until(lambda: office.sim_status()["channels"] == [], "all is over")
    alice.wait(lambda: phone(alice, "bob").get("hintstatus") == "0", "bob idle")


def test_not_answered_leaves_a_message(office):
    alice = office.client("alice")
    before = office.sim_status()["office"]["messages"].get("1010", 0)
    command(alice, "dial", destination="exten:xivo/*971010")
    until(lambda: office.sim_status()["office"]["messages"].get("1010", 0) == before + 1, "a message", 60)


def test_transferred(office):
    alice, _ = call(office)
    command(alice, "transfer", destination="exten:xivo/1003",
            source=f"chan:xivo/{talks(office, 'bob', 'alice')}")
    until(lambda: hint(office, "1003") == 8, "carole rings")
    until(lambda: hint(office, "1001") == 0, "alice is out of it")
    command(office.client("carole"), "answer")
    until(lambda: talks(office, "bob", "carole"), "bob talks with carole")


def test_transferred_after_a_question(office):
    alice, _ = call(office)
    command(alice, "atxfer", destination="exten:xivo/1003")
    until(lambda: hint(office, "1003") == 8, "carole rings")
    command(office.client("carole"), "answer")
    until(lambda: hint(office, "1003") == 1, "alice asks carole")
    command(alice, "hangupme")
    until(lambda: talks(office, "bob", "carole"), "bob talks with carole")
    until(lambda: not any(c.startswith("Local/") for c in office.sim_status()["channels"]), "no Local channel")


def test_question_cancelled(office):
    alice, _ = call(office)
    command(alice, "atxfer", destination="exten:xivo/1003")
    until(lambda: hint(office, "1003") == 8, "carole rings")
    command(alice, "transfercancel")
    until(lambda: talks(office, "alice", "bob"), "alice is back with bob")
    until(lambda: hint(office, "1003") == 0, "carole's phone is quiet")


def test_parked_and_fetched(office):
    alice, _ = call(office)
    bobs = talks(office, "bob", "alice")
    command(alice, "parking", source=f"chan:xivo/{bobs}")
    until(lambda: office.sim_status()["office"]["parked"] == {"701": bobs}, "bob is parked")
    command(alice, "dial", destination="exten:xivo/701")
    until(lambda: talks(office, "alice", "bob"), "alice has him back")


def test_paused_added_removed(office):
    alice = office.client("alice")

    def members(queue):
        return office.sim_status()["office"]["queues"][queue]["members"]

    command(alice, "queueadd", member="agent:xivo/1", queue="queue:xivo/1")
    interface = "Agent/2001"
    until(lambda: interface in members("support"), "a member")
    command(alice, "queuepause", member="agent:xivo/1", queue="queue:xivo/1", reason="Lunch")
    until(lambda: members("support")[interface]["paused"], "paused")
    command(alice, "queueunpause", member="agent:xivo/1", queue="queue:xivo/1")
    until(lambda: not members("support")[interface]["paused"], "unpaused")
    command(alice, "queueremove", member="agent:xivo/1", queue="queue:xivo/1")
    until(lambda: interface not in members("support"), "removed")


def test_agent_logs_in_and_out(office):
    alice = office.client("alice")

    def members():
        return office.sim_status()["office"]["queues"]["support"]["members"]

    command(alice, "agentlogin", agentids="agent:xivo/1")
    until(lambda: "Local/1001@default" in members(), "in her queue")
    until(lambda: any(m["location"] == "Local/1001@default" for m in office.snapshot("queuemembers")), "state knows")
    command(alice, "agentlogout", agentids="agent:xivo/1")
    until(lambda: "Local/1001@default" not in members(), "out of it")


def test_muted_and_put_out_of_the_room(office):
    alice, bob = office.client("alice"), office.client("bob")
    for client, n in ((alice, 1), (bob, 2)):
        command(client, "dial", destination="exten:xivo/4001")
        until(lambda n=n: len(office.sim_status()["office"]["room"]) == n, "in the room")

    def room():
        return {name.split("-")[0]: muted for name, muted in office.sim_status()["office"]["room"].items()}

    alice.ask("ipbxcommand", command="meetme", function="MeetmeMute", functionargs=["4001", "2"])
    until(lambda: room() == {"PJSIP/alice": False, "PJSIP/bob": True}, "bob is muted")
    alice.ask("ipbxcommand", command="meetme", function="MeetmeKick", functionargs=["4001", "2"])
    until(lambda: room() == {"PJSIP/alice": False}, "bob is out")


def test_recorded(office):
    alice, _ = call(office)
    own = talks(office, "alice", "bob")

    def is_recorded():
        return next(c["monitored"] for c in office.snapshot("channels") if c["id"] == own)

    assert not is_recorded()
    command(alice, "record", subcommand="start", channel=f"chan:xivo/{own}")
    until(is_recorded, "recorded")
    command(alice, "record", subcommand="stop", channel=f"chan:xivo/{own}")
    until(lambda: not is_recorded(), "no more")


def test_not_disturbed(office):
    alice, carole = office.client("alice"), office.client("carole")
    messages = office.sim_status()["office"]["messages"].get("1003", 0)
    command(carole, "dial", destination="exten:xivo/*25")
    until(lambda: channels(office, "carole"), "carole dials the code")
    until(lambda: not channels(office, "carole"), "and it is set")
    command(alice, "dial", destination="exten:xivo/1003")
    until(lambda: office.sim_status()["office"]["messages"].get("1003", 0) > messages, "a message instead", 60)
    carole.drain()
    assert not [m for m in carole.seen if m.get("status", {}).get("hintstatus") == "8" and m["tid"] == "3"][1:], \
        "her phone rang for nothing but the code"


def test_a_script_names_the_caller():
    """The dialplan's script finds the number in contacts.csv; the phone that rings is told the name."""
    with Stack(office=QUIET, parts=("state", "ami-gw", "fagi-gw", "cti-gw")) as stack:
        stack.sim_args = ("--fagi", f"127.0.0.1:{stack.programs['fagi-gw'].fagi}")
        stack.start("sim")
        stack.wait_ready()
        subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), "action", "OfficeCall",
                        "From=+33123456789", "Exten=0123450001"], check=True, stdout=subprocess.DEVNULL)
        until(lambda: [c for c in stack.snapshot("channels") if c["id"].startswith("PJSIP/alice-")
                       and "Dubois" in str(c["peerdisplay"])], "alice sees who calls")


def test_put_on_hold_and_taken_back(office):
    alice, _ = call(office)
    for event, status in (("hold", 16), ("hold", 1)):
        command(alice, "sipnotify", channel="phone:xivo/1", variables={"Event": event})
        until(lambda status=status: hint(office, "1001") == status, f"{event}: {status}")



def test_listened_to(office):
    alice, bob, carole = (office.client(name) for name in ("alice", "bob", "carole"))
    command(carole, "agentlogin", agentids="agent:xivo/3")
    command(bob, "dial", destination="exten:xivo/1003")
    until(lambda: hint(office, "1003") == 8, "carole rings")
    command(carole, "answer")
    until(lambda: talks(office, "carole", "bob"), "carole talks")
    command(alice, "listen", subcommand="start", destination="agent:xivo/3")

    def listening():
        return [(one.split("-")[0], other.split("-")[0])
                for one, other in office.sim_status()["office"]["spies"].items()]

    until(lambda: listening() == [("PJSIP/alice", "PJSIP/carole")], "alice listens to carole")
    until(lambda: any(c["spying"] for c in office.snapshot("channels")), "state knows it")
    command(alice, "listen", subcommand="stop", destination="agent:xivo/3")
    until(lambda: not listening() and not channels(office, "alice"), "no more")


def test_intercepted(office):
    alice = office.client("alice")
    carole = office.client("carole")
    command(alice, "dial", destination="exten:xivo/1002")
    until(lambda: hint(office, "1002") == 8, "bob rings")
    ringing = channels(office, "bob")[0]
    until(lambda: any(c["id"] == ringing and c["commstatus"] == "ringing" for c in office.snapshot("channels")), "state knows")
    command(carole, "intercept", tointercept=f"chan:xivo/{ringing}")
    until(lambda: hint(office, "1003") == 8, "carole rings instead")
    command(carole, "answer")
    until(lambda: talks(office, "alice", "carole"), "carole has the call")


@pytest.mark.parametrize("dialect", ["20", "1.8"])
def test_what_clients_see_is_what_happens(dialect):
    """After a while of many calls, the two pictures are the same."""
    with Stack(office=("--office-dialect", dialect, "--rate", "40/s", "--office-people", "100", "--seed", "3")) as stack:
        stack.wait_ready()
        until(lambda: stack.sim_status()["office"]["calls"] > 300, "300 calls", 120)
        signal_of(stack.programs["sim"], signal.SIGUSR2)
        until(lambda: stack.sim_status()["paused"], "the office stands still")
        status = stack.sim_status()
        hints = {k: v for k, v in status["hints"].items() if k.endswith("@default")}
        members = {(queue, interface): (str(m["status"]), str(int(m["paused"])))
                   for queue, q in status["office"]["queues"].items() for interface, m in q["members"].items()}

        def agrees():
            phones = {p["number"] + "@default": int(p["hintstatus"]) for p in stack.snapshot("phones")}
            seen = sorted(c["id"] for c in stack.snapshot("channels"))
            told = {(m["queue_name"], m["location"]): (m["status"], m["paused"]) for m in stack.snapshot("queuemembers")}
            return (phones, seen, told) == (hints, sorted(status["channels"]), members)

        until(agrees, "the same picture")
        for part in ("ami-gw", "state"):  # who comes later learns it from the listings
            stack.kill(part)
        for part in ("state", "ami-gw"):
            stack.start(part)
        stack.wait_ready("state", "ami-gw")
        until(agrees, "the same picture from the listings")


def test_lists_are_those_of_the_sources(tmp_path):
    subprocess.run([BIN / "ctibus-asterisk-sim", "--write-lists", tmp_path], check=True)
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "config" / "office").iterdir()}
    assert written == kept, "config/office is written by ctibus-asterisk-sim --write-lists config/office"
    for name, text in written.items():
        assert not name.endswith(".json") or json.loads(text) is not None
