"""Who observes messages of clients: a subscriber of cti/IPBX/message/."""

import contextlib
import re
import time

import msgpack
import pytest
import zmq

from programs import BusProgram
from stack import ROOT, Context, Program, Stack, until

CONFIG = {"regcommands": {"std": ["getlist", "people_headers", "crm_open", "featuresget", "logfromclient"]}, "profiles.client.regcommands": "std",
          "ctibus.bus.subscriber_hwm": 1000, "ctibus.budget.commands_per_second": 0}


@pytest.fixture(name="stack", scope="module")
def fixture_stack():
    with Stack(parts=("state", "cti-gw"), config=CONFIG) as s:
        s.wait_ready()
        yield s


@pytest.fixture(name="alice")
def fixture_alice(stack):
    with contextlib.closing(stack.client("alice")) as client:
        yield client


class Observer:
    def __init__(self, stack, *topics, hwm=1000, buffer=None):
        self.context = Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.rcvhwm = hwm
        if buffer:  # else the system makes it larger and larger
            self.socket.rcvbuf = buffer
        self.socket.connect(f"tcp://127.0.0.1:{stack.ports['subscribe']}")
        for topic in topics:
            self.socket.subscribe(topic)

    def next(self, wait=30000):
        if not self.socket.poll(wait):
            return None
        topic, _, body = self.socket.recv_multipart()
        return topic.decode(), msgpack.unpackb(body)

    def until_told(self, client, *message, **fields):
        """Sends it until the observer hears of it; what it hears."""
        found = []

        def heard():
            client.ask(*message, **fields)
            found.append(self.next(200))
            return found[-1]
        until(heard, "the subscription is active")
        while self.next(100):
            pass
        return found[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(0)
        self.context.term()


def test_a_message_that_state_carries_out(stack, alice):
    with Observer(stack, "cti/xivo/message/people_headers/") as observer:
        topic, body = observer.until_told(alice, "people_headers", note="é")
        assert topic == "cti/xivo/message/people_headers/"
        assert body.pop("us") >= 0 and body.pop("session") and body["answer"].pop("column_headers")
        assert body["message"].pop("commandid")
        assert body.pop("answer").keys() == {"column_types"}
        assert body == {"userid": "1", "login": "alice", "class": "people_headers", "outcome": "ok",
                        "message": {"class": "people_headers", "note": "é"}}
        alice.ask("featuresget")
        assert observer.next(300) is None, "another class"


def test_messages_that_the_gateway_answers(stack, alice):
    with Observer(stack, "cti/xivo/message/") as observer:
        _, body = observer.until_told(alice, "getlist", function="listid", listname="users", tipbxid="xivo")
        assert body["outcome"] == "ok" and body["message"]["listname"] == "users" and body["answer"] is None and body["login"] == "alice"
        for message, outcome in ((("getlist", {"function": "listid"}), "missing:listname"), (("keepalive", {}), "ok"), (("nosuch", {}), "unimplemented"),
                                 (("availstate", {"availstate": "away"}), "unallowed"), (("featuresget", {}), "ok")):
            alice.ask(message[0], **message[1])
            topic, body = observer.next()
            assert (topic, body["outcome"]) == (f"cti/xivo/message/{message[0]}/", outcome)
        alice.send("logout")
        assert observer.next(500) is None, "it is a session that ends"


def test_a_message_that_a_program_answers(stack, alice):
    with BusProgram(stack, b"cti.message") as crm, Observer(stack, "cti/xivo/message/crm_open/") as observer:
        assert crm.ask(b"worker.register", {"kind": "cti", "classes": ["crm_open"]})[0] == b"ok"
        until(lambda: [o["handlers"] for o in stack.snapshot("ipbx")] == [["crm_open yes"]], "the gateway knows")
        for answer, outcome in (({"n": 1}, "ok"), (None, "failed")):
            alice.send("crm_open")
            number, _, _ = crm.receive()
            crm.send(number, b"ok" if answer else b"failed", answer or {})
            _, body = observer.next()
            assert (body["outcome"], body["answer"]) == (outcome, answer)


def test_who_subscribes_to_more_is_told_nothing_more(stack, alice):
    """A subscriber of the whole plane, or of all, makes nobody publish messages."""
    with Observer(stack, "") as everything:
        until(lambda: everything.next(100), "it hears the bus")
        alice.ask("people_headers")
        topics = []
        while not topics or topics[-1] != "cti/xivo/command/people_headers/":
            topics.append(everything.next()[0])
        assert not [t for t in topics if t.startswith("cti/xivo/message/")]


def test_an_observer_that_does_not_read(stack, alice):
    """It loses messages, which are counted; clients and other observers wait for nothing."""
    full = "ctibus_bus_subscriber_full_total"
    before = stack.metric("state", full)
    with Observer(stack, "cti/xivo/message/", hwm=1, buffer=65536) as slow, Observer(stack, "cti/xivo/message/people_headers/") as other:
        slow.until_told(alice, "people_headers")
        other.until_told(alice, "people_headers")
        pad = "x" * 60000
        start = time.monotonic()
        for n in range(1500):  # quickly: the kernel ends a connection over which nothing gets for seconds
            alice.ask("people_headers", pad=pad)
            assert other.next()[1]["message"]["pad"] == pad
            if n % 50 == 0 and stack.metric("state", full) > before:
                break
        assert stack.metric("state", full) > before
        assert time.monotonic() - start < 60
        assert alice.ask("keepalive")["class"] == "keepalive"


def test_the_program_that_the_page_prints(stack, alice, tmp_path):
    page = ROOT.joinpath("docs", "bus.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(from ctibus import messages\n.*?)```", page, re.S)[1]
    tmp_path.joinpath("observer.py").write_text(code, encoding="utf-8")
    p = Program(["/usr/bin/python3", "-u", tmp_path / "observer.py"],
                env={"CTIBUS_SUBSCRIBE": f"tcp://127.0.0.1:{stack.ports['subscribe']}", "PYTHONPATH": str(ROOT / "docs" / "examples")})
    try:
        def told():
            alice.ask("getlist", function="listid", listname="users", tipbxid="xivo")
            return p.logged("alice getlist None ok")
        until(told, "it prints what alice asked for")
    finally:
        p.kill()
