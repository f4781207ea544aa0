"""Programs on the bus that answer messages of clients (worker.register, kind cti)."""

import contextlib
import pathlib
import time

import msgpack
import pytest

from programs import BusProgram
from stack import ROOT, Program, Stack, until
from test_office import QUIET

CONFIG = {"regcommands": {"std": ["getlist", "crm_open", "crm_close"]}, "profiles.client.regcommands": "std"}


class Handler(BusProgram):
    def __init__(self, stack, *classes, **options):
        super().__init__(stack, b"cti.message")
        self.register(*classes, **options)

    def register(self, *classes, **options):
        assert self.ask(b"worker.register", {"kind": "cti", "classes": list(classes), **options})[0] == b"ok"

    def answer(self, **fields):
        """Takes the next message and answers it with these fields; the message."""
        number, _, body = self.receive()
        self.send(number, b"ok", fields)
        return body


@pytest.fixture(name="stack", scope="module")
def fixture_stack():
    with Stack(parts=("state", "cti-gw"), config=CONFIG) as s:
        s.wait_ready()
        yield s


@pytest.fixture(name="alice")
def fixture_alice(stack):
    with contextlib.closing(stack.client("alice")) as client:
        yield client


def known(client, cls):
    """Until the gateway knows who answers this class (or, not: that nobody does any more)."""
    def asked():
        return client.ask(cls).get("warning_string") != "unimplemented"
    return asked


def told(stack, rows, *handlers):
    """Until gateways are told of these classes alone: those of the tests before are forgotten after 6 s, unless they ping."""
    def only():
        assert all(h.ask(b"ping", {})[0] == b"ok" for h in handlers)
        return [o["handlers"] for o in stack.snapshot("ipbx")] == [rows]
    until(only, lambda: f"{rows}: {stack.snapshot('ipbx')}")


def answer_to(client, number):
    while True:
        line = client.line()
        if line.get("replyid") == number:
            return line


def test_a_message_reaches_the_program_and_its_answer_the_client(stack, alice):
    with Handler(stack, "crm_open", required=["contact"]) as crm:
        until(lambda: alice.ask("crm_open").get("error_string") == "missing:contact", "the gateway knows the class")
        number = alice.send("crm_open", contact="Zoë", more={"a": [1, None, 2.5]}, deep=True)
        body = crm.answer(message={"message": "It is open"}, n=3, **{"class": "evil", "replyid": "evil", "timenow": "evil"})
        assert (body["ipbx"], body["user"], body["login"], body["class"]) == ("xivo", "1", "alice", "crm_open")
        assert body["message"]["contact"] == "Zoë" and body["message"]["more"] == {"a": [1, None, 2.5]} and body["session"]
        line = answer_to(alice, number)
        assert line.pop("timenow") > 0
        assert line == {"class": "crm_open", "replyid": number, "message": {"message": "It is open"}, "n": 3}
        number = alice.send("crm_open", contact="x")
        crm.answer(error_string="closed")
        assert answer_to(alice, number)["error_string"] == "closed"
    until(lambda: not known(alice, "crm_open")(), "the program has gone")


def test_only_what_the_profile_names_unless_the_program_lets_all(stack, alice):
    with Handler(stack, "crm_secret") as crm:
        until(lambda: alice.ask("crm_secret").get("warning_string") == "unallowed", "known, and not permitted")
        crm.register("crm_free", permission=False, more=True)
        told(stack, ["crm_secret yes", "crm_free no"], crm)
        number = alice.send("crm_free")
        assert crm.answer()["class"] == "crm_free"
        assert answer_to(alice, number)["class"] == "crm_free"
        assert alice.ask("crm_secret")["warning_string"] == "unallowed"


def test_several_are_asked_and_answer_in_order(stack, alice):
    with Handler(stack, "crm_open", priority=1) as second, Handler(stack, "crm_open", priority=5) as first, \
            Handler(stack, "crm_open", priority=1) as third:
        told(stack, ["crm_open yes"], first, second, third)
        number = alice.send("crm_open")
        third.answer(who="third")
        second.answer(who="second")
        first.answer(who="first")
        lines = [answer_to(alice, number) for _ in range(3)]
        assert [line["who"] for line in lines] == ["first", "second", "third"]
        assert {line["class"] for line in lines} == {"crm_open"}
        number = alice.send("crm_open")  # who fails is left out
        number_of_first, _, _ = first.receive()
        first.send(number_of_first, b"failed", {})
        second.answer(who="second")
        third.answer(who="third")
        assert [answer_to(alice, number)["who"] for _ in range(2)] == ["second", "third"]


@pytest.mark.parametrize("does, said", [("hangs", "noconn"), ("dies", "noconn"), ("fails", "failed"), ("talks nonsense", "noconn")])
def test_a_program_that_does_not_answer(stack, alice, does, said):
    with Handler(stack, "crm_close", deadline_ms=500) as crm:
        told(stack, ["crm_close yes"], crm)
        before = stack.metric("state", "ctibus_state_messages_unanswered_total")
        start = time.monotonic()
        number = alice.send("crm_close")
        n, _, _ = crm.receive()
        if does == "dies":
            crm.socket.close(0)
        elif does == "fails":
            crm.send(n, b"failed", {})
        elif does == "talks nonsense":
            crm.socket.send_multipart([msgpack.packb(1), msgpack.packb(n), b"ok", b"\xc1"])
        assert answer_to(alice, number)["error_string"] == said
        assert time.monotonic() - start < 4
        assert alice.ask("keepalive")["class"] == "keepalive", "the client is served as before"
        assert stack.metric("state", "ctibus_state_messages_unanswered_total") == before + 1


def test_what_may_be_registered(stack):
    with Handler(stack) as crm:
        for options, word in (({"classes": ["invite_confroom"]}, b"denied"), ({"classes": "x"}, b"malformed"), ({"classes": ["a b"]}, b"malformed"),
                              ({"classes": ["x" * 48]}, b"malformed"), ({"classes": [""]}, b"malformed"), ({"classes": [7]}, b"malformed"),
                              ({"classes": ["x"], "required": ["a"] * 17}, b"malformed"), ({"classes": ["x"], "ipbx": "nosuch"}, b"not_found"),
                              ({"classes": [f"x{i}" for i in range(1001)]}, b"malformed"), ({"classes": ["crm_open"], "ipbx": "xivo"}, b"ok"),
                              ({"classes": ["x" * 47], "priority": 2**40, "deadline_ms": -5}, b"ok")):
            assert crm.ask(b"worker.register", {"kind": "cti", **options})[0] == word, options


def test_in_the_place_of_a_class_of_ours(stack, alice):
    assert alice.ask("people_headers")["class"] == "people_headers_result"
    with Handler(stack, "people_headers", override=True) as crm:
        number = alice.send("people_headers")
        crm.answer(column_headers=["X"])
        assert answer_to(alice, number)["column_headers"] == ["X"]
    until(lambda: alice.ask("people_headers").get("column_headers") != ["X"], "ours again")


def test_lines_to_clients(stack, alice):
    with contextlib.closing(stack.client("bob")) as bob:
        with Handler(stack) as crm:
            assert crm.ask(b"cti.line", {"ipbx": "xivo", "users": ["1"], "line": {"class": "crm_note"}})[0] == b"denied", "it answers nothing"
            crm.register("crm_open")
            told(stack, ["crm_open yes"], crm)
            number = alice.send("crm_open")
            call = crm.answer(message={"message": "wait"})
            assert answer_to(alice, number)["message"]
            for body, word in (({"ipbx": "xivo", "users": ["1", "2"], "line": {"class": "crm_note", "text": "é", "timenow": 1}}, b"ok"),
                               ({"ipbx": "xivo", "users": ["1"], "session": call["session"], "replyid": call["message"]["commandid"],
                                 "line": {"class": "crm_open", "text": "done"}}, b"ok"),
                               ({"ipbx": "nosuch", "users": ["1"], "line": {"class": "x"}}, b"not_found"),
                               ({"ipbx": "xivo", "users": "1", "line": {"class": "x"}}, b"malformed"),
                               ({"ipbx": "xivo", "users": ["1"], "line": "x"}, b"malformed"),
                               ({"ipbx": "xivo", "users": ["1"], "line": {}}, b"malformed")):
                assert crm.ask(b"cti.line", body)[0] == word, body
            for client in (alice, bob):
                line = client.line()
                assert (line["class"], line["text"]) == ("crm_note", "é") and line["timenow"] > 1
            line = alice.line()
            assert (line["class"], line["text"], line["replyid"]) == ("crm_open", "done", number)
            assert bob.drain(0.3) and not [m for m in bob.seen if m["class"] == "crm_open"]


def test_a_gateway_and_a_state_that_start_later(stack):
    """What a program registered is known to a gateway that starts after it; a program says it again to a new state."""
    with Handler(stack, "crm_open") as crm:
        stack.kill("cti-gw")
        stack.start("cti-gw")
        stack.wait_ready()
        with contextlib.closing(stack.client("alice")) as alice:
            number = alice.send("crm_open")
            crm.answer(n=1)
            assert answer_to(alice, number)["n"] == 1
        stack.kill("state")
        stack.start("state")
        stack.wait_ready()
        assert crm.ask(b"worker.register", {"kind": "cti", "classes": ["crm_open"]})[0] == b"unknown_peer"
        assert crm.hello() == b"ok"
        crm.register("crm_open")
        with contextlib.closing(stack.client("alice")) as alice:
            told(stack, ["crm_open yes"], crm)
            number = alice.send("crm_open")
            crm.answer(n=2)
            assert answer_to(alice, number)["n"] == 2


def test_the_example_invites_into_a_conference():
    with Stack(office=QUIET) as s:
        s.wait_ready()
        example = Program(["/usr/bin/python3", pathlib.Path(ROOT, "docs", "examples", "invite_confroom.py")],
                          env={"CTIBUS_REQUEST": f"tcp://127.0.0.1:{s.ports['request']}"})
        try:
            until(lambda: any("invite_confroom yes invitee" in o["handlers"] for o in s.snapshot("ipbx")), "it is registered")
            alice = s.client("alice").load()
            assert alice.ask("invite_confroom", invitee="user:xivo/99")["warning"] == {"message": "Invalid invitee"}
            assert alice.ask("invite_confroom", invitee="user:xivo/2")["warning"] == {"message": "You are not in a conference room"}
            room = next(iter(s.snapshot("meetmes")))["confno"]
            alice.ask("ipbxcommand", command="dial", destination=f"exten:xivo/{room}")
            until(lambda: any(c["talkingto_kind"] == "meetme" for c in s.snapshot("channels")), "alice is in the room")
            assert alice.ask("invite_confroom", invitee="user:xivo/2")["message"] == {"message": "The invitation is sent"}
            until(lambda: any("bob" in c for c in s.sim_status()["channels"]), "bob's phone rings")
        finally:
            example.kill()


def test_lines_to_all_who_may_see():
    """Contexts, and what the profile lets its users see, decide, as for lists: alice and carole are in one context, bob in another."""
    lines = [{"id": i, "protocol": "pjsip", "name": n, "number": str(1000 + i), "context": c, "iduserfeatures": str(i), "rules_order": 1}
             for i, n, c in ((1, "alice", "default"), (2, "bob", "there"), (3, "carole", "default"))]
    see = {f"profiles.{profile}.see": {"calls": "own"} for profile in ("client", "agent", "supervisor")}
    with Stack(office=QUIET, lines=lines, config={"main.parting_astid_context": ["context"], **see}) as s:
        s.wait_ready()
        names = ("alice", "bob", "carole")
        clients = {name: s.client(name) for name in names}
        with Handler(s, "crm_open") as crm:
            def who_is_told(thing):
                assert crm.ask(b"cti.line", {"object": thing, "line": {"class": "crm_note", "about": thing}})[0] == b"ok"
                assert crm.ask(b"cti.line", {"ipbx": "xivo", "users": ["1", "2", "3"], "line": {"class": "crm_end"}})[0] == b"ok"
                seen = set()
                for name in names:
                    while (line := clients[name].line())["class"] != "crm_end":
                        if line["class"] == "crm_note":
                            assert line["about"] == thing
                            seen.add(name)
                return seen
            assert who_is_told("phone:xivo/1") == {"alice", "carole"}
            assert who_is_told("phone:xivo/2") == {"bob"}
            assert who_is_told("user:xivo/3") == {"alice", "carole"}
            clients["alice"].ask("ipbxcommand", command="dial", destination="exten:xivo/1002")
            until(lambda: [c for c in s.sim_status()["channels"] if "alice" in c], "alice's phone rings")
            channel = next(c for c in s.sim_status()["channels"] if "alice" in c)
            note = {"object": f"channel:xivo/{channel}", "line": {"class": "crm_early"}}
            until(lambda: crm.ask(b"cti.line", note)[0] == b"ok", "state knows the channel")
            assert who_is_told(f"channel:xivo/{channel}") == {"alice"}, "the profile shows nobody else's calls"
            for body, word in (({"object": "phone:xivo/99"}, b"not_found"), ({"object": "phone"}, b"not_found"), ({"object": 7}, b"malformed"),
                               ({"object": "phone:xivo/1", "ipbx": "xivo", "users": ["1"]}, b"malformed"), ({}, b"malformed")):
                assert crm.ask(b"cti.line", {**body, "line": {"class": "crm_note"}})[0] == word, body
        for client in clients.values():
            client.close()
