"""A cti-gw that is stopped: nobody new comes in, clients go one after the other, and come back elsewhere unseen."""

import signal
import socket
import time
import urllib.error
import urllib.request

import pytest
from stack import BIN, Client, Stack, signal_of, until
from test_websocket import WebClient

USERS = ("alice", "bob", "carol", "dave", "erin")
DRAIN = {"ctibus.cti.drain_seconds": 3, "ctibus.session_grace_seconds": 2}
SLOW = 3 if "asan" in str(BIN) else 1


def status_of(program, page):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{program.http}/{page}", timeout=5).status
    except urllib.error.HTTPError as e:
        return e.code


def is_refused(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5):
            return False
    except ConnectionRefusedError:
        return True


def flaps(watcher):
    """What it was told of users who are gone."""
    return [m for m in watcher.seen if m["listname"] == "users" and m["function"] == "updatestatus"
            and (m["status"].get("connection", "yes") is None or m["status"].get("availstate") == "disconnected")]


def ended(clients):
    """The clients whose connection has ended, with what came last."""
    found = []
    for c in clients:
        last = None
        try:
            while (m := c.line(0.001)) is not None:
                last = m
        except TimeoutError:
            if last:
                c.last = last
            continue
        found.append(c)
        c.last = last or getattr(c, "last", None)
    return found


def test_clients_go_one_after_the_other_and_come_back_elsewhere_unseen():
    with Stack(config=DRAIN) as s:
        s.start("cti-gw2")
        s.wait_ready()
        watcher = s.client("alice", part="cti-gw2").load()
        here = []
        for i in range(40):
            here.append(s.client(USERS[i % 5]))
            here[-1].user = USERS[i % 5]
        watcher.wait(lambda: all(watcher.status("users", str(i)).get("connection") == "yes" for i in range(1, 6)),
                     "all are there")
        watcher.drain()
        watcher.seen.clear()
        leaving, port = s.programs["cti-gw"], s.programs["cti-gw"].cti
        since = time.monotonic()
        leaving.process.terminate()
        until(lambda: status_of(leaving, "readyz") == 503, "it says at once that it is not ready")
        assert time.monotonic() - since < 1 * SLOW
        assert status_of(leaving, "balancer") == 404
        assert status_of(leaving, "healthz") == 200
        until(lambda: is_refused(port), "nobody new is let in")
        back, gone = [], []
        while here:
            for c in ended(here):
                gone.append(time.monotonic() - since)
                assert c.last["class"] == "serverdown" and c.last["mode"] == "stop", c.last
                here.remove(c)
                back.append(s.client(c.user, part="cti-gw2"))
            assert watcher.drain(0.01)
        assert leaving.process.wait(10) == 0
        assert time.monotonic() - since < 3 + 2 * SLOW
        gone.sort()
        assert gone[10] < 1.6 * SLOW and 1.4 < gone[-10] and gone[-1] > 2.5, gone
        # everybody is back: what would still run out has run out
        until(lambda: s.metric("state", "ctibus_state_sessions") == 41, "the old sessions are over", 20)
        assert watcher.drain()
        assert not flaps(watcher)
        del s.programs["cti-gw"]


def test_who_waits_for_an_answer_gets_it_first():
    with Stack(config=DRAIN) as s:
        s.wait_ready()
        busy, idle = s.client("alice"), s.client("bob")
        signal_of(s.programs["state"], signal.SIGSTOP)
        n = busy.send("history", xuserid="xivo/1", size="8", mode="0")
        until(lambda: s.metric("cti-gw", "ctibus_cti_lines_total") >= 7, "asked")
        s.programs["cti-gw"].process.terminate()
        assert idle.closed()[-1]["class"] == "serverdown"
        signal_of(s.programs["state"], signal.SIGCONT)
        lines = busy.closed()
        assert "history" in next(m for m in lines if m.get("replyid") == n)
        assert lines[-1]["class"] == "serverdown"
        assert s.programs.pop("cti-gw").process.wait(10) == 0


def test_with_nobody_there_it_leaves_at_once():
    with Stack(config=DRAIN) as s:
        s.wait_ready()
        since = time.monotonic()
        assert s.programs.pop("cti-gw").terminate() == 0
        assert time.monotonic() - since < 1.5 * SLOW


def test_a_second_signal_ends_it():
    with Stack(config={"ctibus.cti.drain_seconds": 600}) as s:
        s.wait_ready()
        clients = [s.client("alice"), s.client("bob")]
        program = s.programs.pop("cti-gw")
        program.process.terminate()
        until(lambda: program.logged("clients go within 600.0 s"), "said in the log")
        program.process.terminate()
        assert program.process.wait(10) == 1
        for c in clients:
            c.closed()


def test_a_websocket_is_told_that_it_may_come_back():
    with Stack(parts=("state",), config={"ctibus.cti.drain_seconds": 1, "ctibus.cti.websocket": "127.0.0.1:0"}) as s:
        s.start("cti-gw", doors=("websocket",))
        s.wait_ready()
        c = WebClient(s.programs["cti-gw"].websocket)
        c.login("alice", "alice")
        s.programs["cti-gw"].process.terminate()
        until(lambda: (frame := c.ws.recv_data())[0] == 8 and frame[1][:2] == b"\x03\xe9", "closed with 1001")
        assert s.programs.pop("cti-gw").process.wait(10) == 0


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_broken_connection_is_noticed_by_others_only_after_the_grace_time(comes_back):
    with Stack(parts=("state", "cti-gw"), config={"ctibus.session_grace_seconds": 2}) as s:
        s.wait_ready()
        watcher = s.client("alice").load()
        bob = s.client("bob", state="away")
        watcher.wait(lambda: watcher.status("users", "2").get("availstate") == "away", "bob is there")
        watcher.seen.clear()
        since = time.monotonic()
        bob.close()
        if comes_back:
            until(lambda: s.metric("cti-gw", "ctibus_cti_clients") == 1, "it is noticed")
            bob = s.client("bob")
            until(lambda: s.metric("state", "ctibus_state_sessions") == 2, "the old session is over")
            watcher.drain()
            assert not flaps(watcher) and watcher.status("users", "2")["availstate"] == "away"
            bob.send("logout", stopper="")
            since = time.monotonic() - 2
        watcher.wait(lambda: watcher.status("users", "2").get("availstate") == "disconnected", "bob is gone")
        assert 2 <= time.monotonic() - since < 2 + 2 * SLOW


def test_clients_that_come_in_while_it_stops_are_refused_not_lost():
    """A client that was accepted is served to the end of the stop; nobody hangs."""
    with Stack(config={"ctibus.cti.drain_seconds": 2}) as s:
        s.wait_ready()
        port = s.programs["cti-gw"].cti
        s.client("alice")
        program = s.programs.pop("cti-gw")
        program.process.terminate()
        refused = False
        while not refused:
            try:
                c = Client(port)
                c.raw(b"\n")
                c.closed()
            except ConnectionRefusedError:
                refused = True
        assert program.process.wait(10) == 0
