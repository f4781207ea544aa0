"""What one user can cost others: each kind of command at most its budget, whoever else is served meanwhile."""

import contextlib
import json
import re
import socket
import threading
import time

import pytest
from stack import Stack, until

DAY = {"ctibus.session_grace_seconds": 0}
BURST, RATE = 500, 10            # of actions, by default
CHAT_BURST, CHAT_RATE = 262144, 8192
DISK_BURST, DISK_RATE = 4194304, 16384


class Tap:
    """Between ami-gw and the simulator: what actions reach Asterisk."""

    def __init__(self, to):
        self.to, self.text, self.lock = to, bytearray(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                a, _ = self.listener.accept()
                b = socket.create_connection(("127.0.0.1", self.to))
                threading.Thread(target=self._copy, args=(a, b, True), daemon=True).start()
                threading.Thread(target=self._copy, args=(b, a, False), daemon=True).start()

    def _copy(self, a, b, keep):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                if keep:
                    with self.lock:
                        self.text += data
                b.sendall(data)
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def count(self, action):
        with self.lock:
            return len(re.findall(rb"^Action: " + action + rb"\r$", bytes(self.text), re.MULTILINE))

    def close(self):
        self.listener.close()


@contextlib.contextmanager
def tapped(gateways=("cti-gw",), capture="20/02-call-answered.ami", **config):
    with Stack(capture, parts=("sim",), config={**DAY, **config}) as s:
        s.tap = Tap(s.ports["ami"])
        site = json.loads(s.path("ctibus.json").read_text())
        site["ipbxes"]["xivo"]["ipbx_connection"]["ipport"] = s.tap.port
        s.path("ctibus.json").write_text(json.dumps(site))
        for part in ("state", "ami-gw", *gateways):
            s.start(part)
        yield s.wait_ready()
        s.tap.close()


class Flood(threading.Thread):
    """A client that sends one message after the other, and reads what comes."""

    def __init__(self, client, n, cls, **fields):
        super().__init__(daemon=True)
        self.client, self.n, self.answers, self.other, self.failed = client, n, [], 0, None
        self.line = json.dumps({"class": cls, "commandid": 7, **fields}).encode() + b"\n"

    def run(self):
        try:
            writer = threading.Thread(target=self._write, daemon=True)
            writer.start()
            while len(self.answers) < self.n:
                m = self.client.line(120)
                if m is None:
                    raise AssertionError("the connection ended")
                if m.get("replyid") == 7 and "response" not in m:
                    self.answers.append(m)
                else:
                    self.other += 1
            writer.join()
        except BaseException as e:  # pylint: disable=broad-exception-caught
            self.failed = e

    def _write(self):
        with contextlib.suppress(OSError):
            self.client.socket.settimeout(120)
            for _ in range(self.n):
                self.client.raw(self.line)

    def done(self):
        self.join(150)
        assert not self.is_alive() and self.failed is None, (self.failed, len(self.answers))
        return self

    def busy(self):
        return sum(m.get("error_string") == "busy" for m in self.answers)


def ipbx(command, **fields):
    return {"cls": "ipbxcommand", "command": command, **fields}


ACTIONS = [
    (ipbx("dial", destination="exten:xivo/1002"), b"Originate"),
    (ipbx("originate", source="user:xivo/1", destination="exten:xivo/1002"), b"Originate"),
    (ipbx("mailboxcount", mailbox="1001"), b"MailboxCount"),
    (ipbx("sipnotify", channel="user:xivo/2", variables={"Event": "x"}), b"(?:SIPnotify|PJSIPNotify)"),
    (ipbx("queueadd", queue="queue:xivo/1", member="phone:xivo/12"), b"QueueAdd"),
    (ipbx("queueremove", queue="queue:xivo/1", member="phone:xivo/12"), b"QueueRemove"),
    (ipbx("queuepause", queue="queue:xivo/1", member="phone:xivo/12"), b"QueuePause"),
    ({"cls": "callcampaign", "command": ["startcall", "1002"]}, b"Originate"),
]


def is_served(client, n=20):
    """Somebody else's dials, one after the other."""
    answers = [client.ask("ipbxcommand", command="dial", destination="exten:xivo/1003") for _ in range(n)]
    assert [a["ipbxreply"] for a in answers] == ["ok"] * n


@pytest.mark.parametrize("message, action", ACTIONS, ids=[m.get("command")[0] if isinstance(m["command"], list)
                                                          else m["command"] for m, _ in ACTIONS])
def test_what_reaches_asterisk(message, action):
    with tapped(**{"ctibus.budget.commands_per_second": 0}) as s:
        alice, bob = s.client("alice"), s.client("bob")
        before, begin = s.tap.count(action), time.monotonic()
        flood = Flood(alice, 1500, **message)
        flood.start()
        is_served(bob)
        flood.done()
        elapsed = time.monotonic() - begin
        until(lambda: s.tap.count(b"Originate") >= 20, "bob's have arrived")
        reached = s.tap.count(action) - before - (20 if action == b"Originate" else 0)
        assert 0 < reached <= BURST + RATE * (elapsed + 1)
        if message["cls"] == "ipbxcommand":
            assert flood.busy() >= 1500 - BURST - RATE * (elapsed + 1)
            assert {m["ipbxreply"] for m in flood.answers} <= {"ok", "noaction", "busy"}
        assert s.metric("state", r'ctibus_state_over_budget_total\{of="actions"\}') > 0
        s.programs["state"].says("user xivo/1: over the budget of actions")
        bob.close()
        alice.close()


def test_an_id_that_comes_twice_is_one():
    with tapped() as s:
        alice = s.client("alice").load()
        alice.wait(lambda: [k for k in alice.view if k[0] == "channels" and "alice" in k[1]], "a call")
        before = s.tap.count(b"Hangup")
        for _ in range(50):
            channel = next(k[1] for k in alice.view if k[0] == "channels" and "alice" in k[1])
            m = alice.ask("ipbxcommand", command="hangup", channelids=[f"chan:xivo/{channel}"] * 250 +
                          [f"channel:xivo/{channel}"] * 250)
            if m["ipbxreply"] == "ok":
                break
            alice.wait(lambda: [k for k in alice.view if k[0] == "channels" and "alice" in k[1]], "another call")
        assert m["ipbxreply"] == "ok"
        until(lambda: s.tap.count(b"Hangup") > before, "it has arrived")
        alice.ask("ipbxcommand", command="mailboxcount", mailbox="1001")
        until(lambda: s.tap.count(b"MailboxCount") > 0, "what came behind it, too")
        assert s.tap.count(b"Hangup") == before + 1


def test_other_gateways_and_new_connections_do_not_multiply_it():
    config = {"ctibus.budget.actions_burst": 100, "ctibus.budget.commands_per_second": 0}
    with tapped(gateways=("cti-gw", "cti-gw2"), **config) as s:
        begin = time.monotonic()
        for _ in range(3):
            floods = [Flood(s.client("alice", part=part), 150, **ACTIONS[0][0]) for part in ("cti-gw", "cti-gw2")]
            for f in floods:
                f.start()
            for f in floods:
                f.done().client.close()
        elapsed = time.monotonic() - begin
        until(lambda: s.tap.count(b"Originate") >= 100, "the budget has arrived")
        assert s.tap.count(b"Originate") <= 100 + RATE * (elapsed + 1)


def test_commands_of_all_kinds():
    with tapped() as s:
        alice, bob = s.client("alice"), s.client("bob")
        for cls, fields in (("history", {"mode": "0", "size": "8"}), ("directory", {"pattern": "a"}),
                            ("people_search", {"pattern": "a"}), ("featuresget", {"userid": "xivo/1"}),
                            ("availstate", {"availstate": "available"}), ("people_favorites", {})):
            flood = Flood(alice, 1000, cls, **fields)
            flood.start()
            slowest = 0
            for _ in range(20):
                begin = time.monotonic()
                assert "error_string" not in bob.ask("featuresget", userid="xivo/2")
                slowest = max(slowest, time.monotonic() - begin)
            flood.done()
            assert flood.busy() >= 1000 - 400 - 20 * 60, cls
            assert slowest < 2, cls
        assert s.metric("state", r'ctibus_state_over_budget_total\{of="commands"\}') > 3000


def test_zero_is_no_limit():
    config = {f"ctibus.budget.{n}_per_second": 0 for n in ("commands", "actions", "lines")}
    with tapped(**config) as s:
        flood = Flood(s.client("alice"), 1500, **ACTIONS[0][0])
        flood.start()
        flood.done()
        assert flood.busy() == 0
        until(lambda: s.tap.count(b"Originate") == 1500, "all arrive")


def test_chat_does_not_cut_off_a_colleague_on_a_slow_line():
    with Stack(parts=("state", "cti-gw"), config=DAY) as s:
        s.wait_ready()
        alice, bob, carol = s.client("alice"), s.client("bob"), s.client("carol")
        begin = time.monotonic()
        flood = Flood(alice, 400, "chitchat", to="xivo/2", text="x" * 65000)
        flood.start()
        flood.done()  # bob does not read meanwhile
        elapsed = time.monotonic() - begin
        assert carol.ask("chitchat", to="xivo/2", text="hello")["class"] == "chitchat"
        came = []
        while not came or came[-1] != "hello":
            came.append(bob_chat(bob))
        size = sum(len(t) for t in came if t)
        assert 65000 <= size <= CHAT_BURST + 65000 + CHAT_RATE * (elapsed + 1)
        assert flood.busy() >= 390 - size / 65000
        assert bob.ask("keepalive")["class"] == "keepalive"


def bob_chat(bob):
    m = bob.line()
    assert m is not None, "bob was cut off"
    return m.get("text") if m["class"] == "chitchat" else None


@pytest.mark.parametrize("cls, fields", [
    ("call_form_result", {"infos": {"buttonname": "save", "variables": {"note": "x" * 60000}}}),
    ("actionfiche", {"infos": {"note": "x" * 60000}}),
    ("people_import_personal_contacts_csv", {"csv_contacts": "firstname,note\n" + "a," + "x" * 60000})])
def test_what_reaches_the_disk(cls, fields):
    with Stack(parts=("state", "cti-gw"), config={**DAY, "ctibus.budget.commands_per_second": 0}) as s:
        s.wait_ready()
        alice, bob = s.client("alice"), s.client("bob")
        begin = time.monotonic()
        flood = Flood(alice, 600, cls, **fields)
        flood.start()
        assert bob.ask("call_form_result", infos={"a": "b"})["class"] == "call_form_result"
        flood.done()
        elapsed = time.monotonic() - begin
        size = sum(p.stat().st_size for p in s.path(".").iterdir() if p.name.startswith("ctibus.db"))
        assert flood.busy() >= 600 - (DISK_BURST + DISK_RATE * (elapsed + 1)) / 60000 - 1
        assert size < 3 * (DISK_BURST + DISK_RATE * (elapsed + 1)) + (1 << 20)  # and its journal


def test_lines_for_the_log_are_few_whatever_the_connection():
    with Stack(parts=("state", "cti-gw"), config=DAY) as s:
        s.wait_ready()
        for n in range(5):
            c = s.client("alice")
            for i in range(50):
                c.send("logfromclient", level="info", classmethod="x", message=f"line {n}-{i}")
            assert c.ask("keepalive")["class"] == "keepalive"
            c.close()
        lines = [x for x in s.programs["cti-gw"].lines if "client of user 1 says" in x]
        assert 20 <= len(lines) < 40


def test_lists_are_slowed_down_and_nothing_is_lost():
    """Old clients do not ask twice: they wait."""
    config = {"ctibus.budget.lines_per_second": 200, "ctibus.budget.lines_burst": 1000}
    with Stack(parts=("state", "cti-gw"), config={**DAY, **config}) as s:
        s.wait_ready()
        begin = time.monotonic()
        flood = Flood(s.client("alice"), 2000, "getlist", function="updateconfig", listname="users", tipbxid="xivo",
                      tid="2")
        flood.start()
        bob = s.client("bob")
        slowest = 0
        for _ in range(50):
            since = time.monotonic()
            bob.ask("getlist", function="listid", listname="users", tipbxid="xivo")
            slowest = max(slowest, time.monotonic() - since)
        flood.done()
        assert time.monotonic() - begin > 3  # 1000 at once, 1000 at 200 a second, as clocks go
        assert all(m["config"]["loginclient"] == "bob" for m in flood.answers)
        assert slowest < 1
        assert s.metric("cti-gw", "ctibus_cti_slowed_total") > 0


def test_a_whole_list_many_times_does_not_hold_others_up():
    users = [{"id": n, "firstname": f"User {n}", "lastname": "", "loginclient": f"u{n}", "passwdclient": f"u{n}",
              "enableclient": 1, "profileclient": "client"} for n in range(1, 3001)]
    with Stack(users=users, lines=[], parts=("state", "cti-gw"), config=DAY) as s:
        s.wait_ready()
        flood = Flood(s.client("u1"), 300, "getlist", function="listid", listname="users", tipbxid="xivo")
        other = s.client("u2")
        flood.start()
        slowest = 0
        for _ in range(100):
            since = time.monotonic()
            other.ask("keepalive")
            slowest = max(slowest, time.monotonic() - since)
        flood.done()
        assert all(len(m["list"]) == 3000 for m in flood.answers)
        assert slowest < 0.5
