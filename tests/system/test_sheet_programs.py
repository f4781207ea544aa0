"""Programs on the bus that know something of a call, for sheets (worker.register, kind sheet)."""

import contextlib
import pathlib
import time

import msgpack
import pytest

from programs import BusProgram
from stack import ROOT, Program, Stack, until
from test_office import QUIET
from test_sheets import display, next_sheet, permitted, wait_for

DISPLAYS = {"crm": display("{program-company}", "{program-since} {program-vip}", "{xivo-calleridname}"),
            "plain": display("{xivo-where}")}
EVENTS = {"dial": [{"display": "crm"}], "hangup": [{"display": "plain"}]}
SHEETS = {"events": EVENTS, "displays": DISPLAYS, "options": {}, "conditions": {}}


class Crm(BusProgram):
    def __init__(self, stack, **options):
        super().__init__(stack, b"sheet.call")
        self.register(**options)

    def register(self, **options):
        assert self.ask(b"worker.register", {"kind": "sheet", **options})[0] == b"ok"

    def answer(self, **fields):
        """Takes the next question and answers it with these fields; the question."""
        number, _, body = self.receive()
        self.send(number, b"ok", {"fields": fields})
        return body

    def close(self):
        if not self.socket.closed:
            self.register(events=["never"])  # state would ask it for 6 s more
        super().close()


@pytest.fixture(name="stack", scope="module")
def fixture_stack():
    with Stack(office=QUIET, config=permitted(sheets=SHEETS)) as s:
        s.wait_ready()
        yield s


@pytest.fixture(name="call")
def fixture_call(stack):
    """Alice calls Bob, whose sheets come: (alice, bob, calls, hangs up)."""
    with contextlib.closing(stack.client("alice")) as alice, contextlib.closing(stack.client("bob")) as bob:
        def dial():
            alice.ask("ipbxcommand", command="dial", destination="exten:xivo/1002")

        def hang_up():
            alice.ask("ipbxcommand", command="hangup", channelids=[f"chan:xivo/{c}" for c in stack.sim_status()["channels"]])
        yield bob, dial, hang_up
        if stack.sim_status()["channels"]:
            hang_up()
        until(lambda: not stack.sim_status()["channels"], "the call is over")


def unanswered(stack):
    return stack.metric("state", "ctibus_state_sheets_unanswered_total")


def test_what_a_program_knows_is_in_the_sheet(stack, call):
    bob, dial, _ = call
    before = unanswered(stack)
    with Crm(stack, events=["dial"]) as crm:
        dial()
        question = crm.answer(company="Zoë & <Co>", since=2019, vip=True, more={"a": 1}, unasked="x")
        sheet = wait_for(bob, "dial")
        assert sheet.rows == ["Zoë & <Co>", "2019 1", "Alice Martin"]
        assert unanswered(stack) == before
        assert {k: question[k] for k in ("ipbx", "event", "number", "name", "queue", "user", "users", "context")} == {
            "ipbx": "xivo", "event": "dial", "number": "1001", "name": "Alice Martin", "queue": "", "user": "2", "users": ["2"],
            "context": "default"}
        assert question["channel"] == sheet.internal["channel"] and sorted(question["fields"]) == ["company", "since", "vip"]
        assert question["xivo"]["calledidname"] == "Bob Tremblay" and question["dp"] == {} and question["db"] == {}


def test_several_programs(stack, call):
    """Of the same field the program of the highest priority counts, even if another one answers first; a program that fails is left out."""
    bob, dial, _ = call
    with Crm(stack) as low, Crm(stack, priority=9) as high, Crm(stack, priority=5) as broken:
        dial()
        low.answer(company="low", since="low")
        number, _, _ = broken.receive()
        broken.send(number, b"failed", {})
        high.answer(company="high")
        assert wait_for(bob, "dial").rows[:2] == ["high", "low "]


@pytest.mark.parametrize("does", ["hangs", "dies", "fails", "answers nonsense", "answers no map"])
def test_a_program_that_does_not_answer(stack, call, does):
    """The sheet goes out without its fields, at the deadline at the latest, and those behind it after it."""
    bob, dial, hang_up = call
    before = unanswered(stack)
    with Crm(stack, events=["dial"], deadline_ms=700) as crm:
        dial()
        start = time.monotonic()
        number, _, _ = crm.receive()
        hang_up()
        if does == "dies":
            crm.socket.close(0)
        elif does == "fails":
            crm.send(number, b"failed", {})
        elif does == "answers nonsense":
            crm.socket.send_multipart([msgpack.packb(1), msgpack.packb(number), b"ok", b"\xc1"])
        elif does == "answers no map":
            crm.send(number, b"ok", {"fields": ["company"]})
        first, second = next_sheet(bob), next_sheet(bob)
        assert (first.where, first.rows) == ("dial", ["none", "none", "Alice Martin"])
        assert (second.where, second.rows) == ("hangup", ["hangup"])
        assert time.monotonic() - start < 4
        assert unanswered(stack) == before + 1
        assert bob.ask("keepalive")["class"] == "keepalive"


@pytest.mark.parametrize("options", [{"events": ["incomingdid"]}, {"contexts": ["other"]}])
def test_a_program_that_is_not_concerned(stack, call, options):
    bob, dial, _ = call
    before = unanswered(stack)
    with Crm(stack, deadline_ms=4000, **options) as crm:
        start = time.monotonic()
        dial()
        assert wait_for(bob, "dial").rows[0] == "none"
        assert time.monotonic() - start < 3 and unanswered(stack) == before
        assert not crm.socket.poll(0), "it was not asked"


def test_what_may_be_registered(stack):
    with Crm(stack) as crm:
        for options, word in (({"events": "dial"}, b"malformed"), ({"events": ["a b"]}, b"malformed"), ({"events": [7]}, b"malformed"),
                              ({"contexts": {"a": 1}}, b"malformed"), ({"contexts": ["x" * 101]}, b"malformed"),
                              ({"contexts": ["x"] * 101}, b"malformed"), ({"ipbx": "nosuch"}, b"not_found"),
                              ({"ipbx": "xivo", "events": ["custom:a.b"], "deadline_ms": 2**40, "priority": -2**40}, b"ok")):
            assert crm.ask(b"worker.register", {"kind": "sheet", **options})[0] == word, options
        answers = [crm.ask(b"worker.register", {"kind": "sheet", "more": True})[0] for _ in range(101)]
        assert answers[80] == b"ok" and answers[100] == b"busy"


def test_the_example_is_as_printed():
    page, file = (ROOT.joinpath(*path).read_text(encoding="utf-8") for path in (("docs", "bus.md"), ("docs", "examples", "crm_sheet.py")))
    printed = page.split("Its whole work is a function:")[1].split("```python\n")[1].split("```")[0]
    assert printed in file


def test_the_example_shows_what_a_crm_knows(tmp_path):
    customers = tmp_path / "customers.csv"
    customers.write_text("number,company,contract\n1001,Dupont SA,Gold\n")
    sheets = {**SHEETS, "displays": {"crm": display("{program-company}", "{program-contract}")}, "events": {"dial": [{"display": "crm"}]}}
    with Stack(office=QUIET, config=permitted(sheets=sheets)) as s:
        s.wait_ready()
        example = Program(["/usr/bin/python3", pathlib.Path(ROOT, "docs", "examples", "crm_sheet.py"), customers],
                          env={"CTIBUS_REQUEST": f"tcp://127.0.0.1:{s.ports['request']}"})
        try:
            until(lambda: s.programs["state"].logged("answers questions of sheets"), "it is registered")
            alice, bob = s.client("alice"), s.client("bob")
            alice.ask("ipbxcommand", command="dial", destination="exten:xivo/1002")
            assert wait_for(bob, "dial").rows == ["Dupont SA", "Gold"]
        finally:
            example.kill()
