"""What is tied to what, as clients that ask, monitors and the console are told."""

import contextlib

import pytest
from consoles import Console
from recording import Player, Recording, write_lists
from stack import DATA, Stack, until

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


def test_who_did_not_ask_is_not_told():
    """Lines of changes are for all clients, most of which have no use for it."""
    with played("02-call-answered.ami", CALL) as stack:
        client = stack.client("alice")
        client.ask("getlist", function="listid", listname="phones", tipbxid="xivo")
        stack.player.play(OVER)
        client.wait(lambda: client.status("phones", "11").get("channels") == [], "the call is over")
        assert "relations" not in client.status("phones", "11")
        assert asked(client, "phones", "11") == ["user:1"]
        client.close()


def test_a_queue_call_is_tied_to_its_queue_and_agent_members():
    with played("11-queue-answered.ami", QUEUE_CALL) as stack:
        assert "channel:PJSIP/erin-00000056" in of(stack, "phones", "15")
        assert {"queue:1", "phone:13"} <= set(of(stack, "queuemembers", "PJSIP/carol,support"))


def test_what_a_client_may_not_see_is_not_told_this_way():
    """Contexts are separated: of a user with lines in two of them another one may see one only."""
    with played("02-call-answered.ami", CALL, **{"main.parting_astid_context": ["context"]}) as stack:
        bob = stack.client("dave")
        assert asked(bob, "phones", "11") == ["channel:PJSIP/alice-00000000", "user:1"]
        assert asked(bob, "users", "1") is None, "phone 21 is in a context of its own"
        bob.close()
