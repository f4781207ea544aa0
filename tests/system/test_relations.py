"""What is tied to what, as clients that ask, monitors and the console are told."""

import contextlib
import json

import pytest
from consoles import Console
from recording import Player, Recording, write_lists
from stack import DATA, Stack, until
from test_tool import tool

CALL, OVER = 51695, 67739
QUEUE_CALL = 56453


@contextlib.contextmanager
def played(file, offset, **config):
    with Stack(parts=(), config=config) as stack:
        write_lists(stack.path("."), stack.site)
        player = Player(Recording(DATA / "23" / file), stack.ports["ami"])
        with contextlib.closing(player):
            for part in ("state", "ami-gw", "cti-gw"):
                stack.start(part)
            stack.wait_ready()
            stack.player = player
            player.play(offset)
            until(lambda: any(c["commstatus"] == "linked-caller" for c in stack.snapshot("channels")), "a call")
            yield stack


@pytest.fixture(scope="module", name="call")
def a_call():
    with played("02-call-answered.ami", CALL) as stack:
        yield stack


def asked(client, name, tid):
    answer = client.ask("getlist", function="updatestatus", listname=name, tipbxid="xivo", tid=tid)
    return answer["status"].get("relations")


def of(stack, name, tid):
    return next(o for o in stack.snapshot(name) if o["id"] == tid)["relations"]


def test_a_client_that_asks_is_told(call):
    client = call.client("alice")
    assert asked(client, "phones", "11") == ["channel:PJSIP/alice-00000000", "user:1"]
    assert asked(client, "users", "1") == ["agent:1", "phone:11", "phone:21", "voicemail:1"]
    assert asked(client, "channels", "PJSIP/alice-00000000") == ["phone:11"]
    assert "queuemember:PJSIP/bob,support" in asked(client, "queues", "1")
    client.close()


def test_the_bus_and_the_console_say_the_same(call):
    assert of(call, "phones", "11") == ["channel:PJSIP/alice-00000000", "user:1"]
    with Console(call) as console:
        lines = console.ok("currentstatus")
    assert any(line.strip().startswith("phone 11 ") and "channel:PJSIP/alice-00000000" in line for line in lines), lines


def test_changes_are_told():
    with played("02-call-answered.ami", CALL) as stack:
        client = stack.client("alice")
        assert asked(client, "phones", "11") == ["channel:PJSIP/alice-00000000", "user:1"]
        stack.player.play(OVER)
        client.wait(lambda: client.status("phones", "11").get("relations") == ["user:1"], "the call is over")
        client.close()


def test_a_queue_call_is_tied_to_its_queue_and_agent_members():
    with played("11-queue-answered.ami", QUEUE_CALL) as stack:
        assert "channel:PJSIP/erin-00000056" in of(stack, "phones", "15")
        assert {"queue:1", "phone:13"} <= set(of(stack, "queuemembers", "PJSIP/carol,support"))


def test_who_does_not_see_all_is_told_of_none():
    with played("02-call-answered.ami", CALL, **{"main.parting_astid_context": ["context"]}) as stack:
        client = stack.client("alice")
        assert asked(client, "phones", "11") is None
        stack.player.play(OVER)
        client.wait(lambda: client.status("phones", "11").get("channels") == [], "the call is over")
        assert "relations" not in client.status("phones", "11")
        client.close()


def test_why_a_lamp_is_as_it_is(call):
    with Console(call) as console:
        lines = console.ok("explain phone:xivo/11")
        assert lines[0].startswith("hintstatus 1, hint 1001@default, ") and "PJSIP/alice-00000000" in lines[0]
        assert lines[1] == "It is in use, by the hint 1001@default; the state of its device PJSIP/alice does not count."
        events = [line for line in lines[2:] if not line.startswith("    -> ")]
        assert any("device/hint context=default exten=1001 status=1 hint=PJSIP/alice" in line for line in events), lines
        assert any(line.startswith("    -> hintstatus 1") for line in lines), lines
        assert "there is no such object" in console.ko("explain phone:xivo/99")
        assert "there is no such object" in console.ko("explain phone:nowhere/11")
        assert any("It belongs to the call" in line for line in console.ok("explain channel:xivo/PJSIP/alice-00000000"))
        assert "logged_out" in console.ok("explain agent:xivo/1")[1]
    said = tool(call, "explain", "phone:xivo/11")
    assert said.returncode == 0, said.stderr
    assert "It is in use, by the hint 1001@default" in said.stdout and "-> hintstatus 1" in said.stdout
    told = json.loads(tool(call, "--json", "explain", "phone:xivo/11").stdout)
    assert set(told) == {"now", "why", "events"} and told["events"][-1]["time"] > 1.7e9
    said = tool(call, "explain", "phone:xivo/99")
    assert said.returncode == 1 and "there is no such object: phone:IPBX/ID" in said.stderr
    assert tool(call, "explain").returncode == 2


def test_only_the_last_events_are_kept():
    with played("02-call-answered.ami", CALL, **{"ctibus.explain.events": 2}) as stack, Console(stack) as console:
        lines = console.ok("explain phone:xivo/11")
        assert sum(line.startswith("    -> ") for line in lines) == 2, lines
    with played("02-call-answered.ami", CALL, **{"ctibus.explain.events": 0}) as stack, Console(stack) as console:
        assert len(console.ok("explain phone:xivo/11")) == 2
