"""Before the login: clients that open connections and say nothing, or do not end what they say, hold nobody else up."""

import contextlib
import json
import socket
import time

import pytest
from stack import Client, Stack, until
from test_proxy_protocol import v2
from test_real_clients import SESSIONS, connections
from test_tls_clients import certificates, connect as connect_tls, secure_stack, trusting  # noqa: F401
from test_websocket import connect as connect_web, web_stack

SLOW = {"main.logintimeout": 60}  # nobody goes by himself
LINE = b'{"class": "login_id", "userlogin": "' + b"x" * 262000
LOGINS = 3


def open_many(stack, n, source="127.0.0.1", words=b"", part="cti-gw"):
    """n connections that say these words, or as much of them as is taken."""
    sockets = []
    for _ in range(n):
        s = socket.socket()
        s.settimeout(20)
        s.bind((source, 0))
        s.connect(("127.0.0.1", stack.programs[part].cti))
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            s.send(words)
        sockets.append(s)
    return sockets


def goes_on(sockets, words):
    """Those that are still connected go on with their line."""
    for s in sockets:
        with contextlib.suppress(OSError):
            s.send(words)


def login_seconds(stack, source):
    """The fastest of some logins: the machine may be busy, too."""
    took = []
    for _ in range(LOGINS):
        begin = time.monotonic()
        c = Client(stack.programs["cti-gw"].cti, source=source)
        c.login("alice", "alice")
        took.append(time.monotonic() - begin)
        c.close()
    return min(took)


def logs_in(stack, source):
    try:
        return login_seconds(stack, source) < 1
    except (OSError, AssertionError):  # closed at once
        return False


def closed(sockets):
    n = 0
    for s in sockets:
        try:
            n += s.recv(65536) == b""
        except BlockingIOError:
            pass
        except ConnectionError:
            n += 1
    return n


@pytest.fixture(name="stack")
def one_stack():
    with Stack(parts=("state", "cti-gw"), config=SLOW) as s:
        yield s.wait_ready()


def test_ten_thousand_silent_connections_of_one_address(stack):
    silent = open_many(stack, 9000, "127.0.0.66") + open_many(stack, 1000, "127.0.0.66")
    until(lambda: stack.metric("cti-gw", "ctibus_cti_crowded_total") >= 9000, "those over its share are closed")
    assert login_seconds(stack, "127.0.0.1") < 1
    assert login_seconds(stack, "127.0.0.66") < 1  # also who is behind the same NAT: the oldest of them goes
    assert stack.metric("cti-gw", "ctibus_cti_logins") <= 1000
    assert stack.metric("cti-gw", "process_resident_memory_bytes") < 64 << 20
    lines = [line for line in stack.programs["cti-gw"].lines if "too many are there that have not logged in" in line]
    assert 1 <= len(lines) < 10 and "connection from 127.0.0.66:" in lines[0]
    assert closed(silent[:1000]) == 1000 and closed(silent[-900:]) == 0  # the oldest went
    for s in silent:
        s.close()
    until(lambda: stack.metric("cti-gw", "ctibus_cti_logins") == 0, "they are gone")


def test_three_thousand_unfinished_lines_of_one_address(stack):
    begun = open_many(stack, 3000, "127.0.0.66", LINE)
    for _ in range(5):
        goes_on(begun, LINE)
    assert login_seconds(stack, "127.0.0.1") < 1
    assert stack.metric("cti-gw", "ctibus_cti_long_total") > 1000
    assert stack.metric("cti-gw", "process_resident_memory_bytes") < 64 << 20
    for s in begun:
        s.close()


def test_those_who_have_begun_do_not_shut_their_address_out(stack):
    """Behind a NAT, or a balancer that announces nobody, that would be everybody."""
    begun = open_many(stack, 1100, "127.0.0.66", b"{")
    until(lambda: stack.metric("cti-gw", "ctibus_cti_logins") >= 1000, "its share is taken")
    until(lambda: logs_in(stack, "127.0.0.66"), "somebody else of that address is served")
    for s in begun:
        s.close()


def test_what_waits_behind_a_step_of_the_login_is_bounded_too(stack):
    """A step that state is asked about holds the rest back."""
    first = json.dumps({"class": "login_id", "commandid": 1, "userlogin": "alice", "company": "xivo", "ident": "X",
                        "xivoversion": "1.2"}).encode() + b"\n"
    begun = open_many(stack, 900, "127.0.0.66", first + LINE)
    for _ in range(5):
        goes_on(begun, LINE)
    assert login_seconds(stack, "127.0.0.1") < 1
    assert stack.metric("cti-gw", "process_resident_memory_bytes") < 64 << 20
    for s in begun:
        s.close()


def test_lines_that_end_are_taken_up_to_four_kilobytes(stack):
    c = stack.connect()
    assert "sessionid" in c.login_id("alice", padding="x" * 3900)
    c = stack.connect()
    c.send("login_id", userlogin="alice", company="xivo", ident="X", xivoversion="1.2", padding="x" * 4096)
    assert c.closed()[-1]["error_string"] == "line_too_long"
    c = stack.client("alice")
    assert c.ask("keepalive", padding="x" * 200000)["class"] == "keepalive"  # behind it, as long as ever


def test_what_real_clients_say_before_the_login_fits():
    longest = 0
    for path in SESSIONS:
        for lines in connections(path):
            early = [line for line in lines if json_class(line).startswith("login_")]
            longest = max([longest, *(len(line.encode()) for line in early)])
    assert 100 < longest < 1024


def json_class(line):
    try:
        return str(json.loads(line).get("class"))
    except (ValueError, AttributeError):
        return ""


def test_over_tls(certificates):  # noqa: F811
    with secure_stack(certificates["one"], **SLOW) as s:
        begun = open_many(s, 1500, "127.0.0.66", b"\x16\x03\x01\x40\x00\x01" + b"\0" * 8000)
        c = connect_tls(s, trusting(certificates["one"]))
        c.send("login_id", userlogin="alice", company="xivo", ident="X", xivoversion="1.2", padding="x" * 4096)
        assert c.closed()[-1]["error_string"] == "line_too_long"
        c = connect_tls(s, trusting(certificates["one"]))
        c.login("alice", "alice")
        for other in begun:
            other.close()


def test_over_websockets():
    with web_stack(**SLOW) as s:
        c = connect_web(s)
        c.send("login_id", userlogin="alice", company="xivo", ident="X", xivoversion="1.2", padding="x" * 4096)
        assert c.ws.recv_data()[1][:2] == (1009).to_bytes(2, "big")
        c = connect_web(s)
        c.login("alice", "alice")
        assert c.ask("keepalive", padding="x" * 200000)["class"] == "keepalive"
        c.close()


def test_many_addresses_together():
    """Each within its share: the oldest silent one goes, whoever it is."""
    with Stack(parts=("state", "cti-gw"), config={**SLOW, "ctibus.cti.max_logins": 100,
                                                  "ctibus.cti.max_logins_per_address": 30}) as s:
        s.wait_ready()
        silent = [x for n in range(2, 12) for x in open_many(s, 30, f"127.0.0.{n}")]
        until(lambda: s.metric("cti-gw", "ctibus_cti_crowded_total") >= 200, "the first went")
        assert s.metric("cti-gw", "ctibus_cti_logins") == 100
        assert login_seconds(s, "127.0.0.1") < 1
        begun = [x for n in range(2, 12) for x in open_many(s, 30, f"127.0.1.{n}", b"{")]
        until(lambda: s.metric("cti-gw", "ctibus_cti_crowded_total") >= 500, "the others, too")
        assert login_seconds(s, "127.0.0.1") < 1  # they have begun: the oldest of them goes
        for x in silent + begun:
            x.close()


def test_who_is_logged_in_stays(stack):
    clients = [stack.client("alice") for _ in range(5)]
    silent = open_many(stack, 3000)
    until(lambda: stack.metric("cti-gw", "ctibus_cti_crowded_total") >= 2000, "others are closed")
    for c in clients:
        assert c.ask("keepalive")["class"] == "keepalive"
    for s in silent:
        s.close()


def test_the_announced_address_counts():
    config = {**SLOW, "ctibus.cti.proxy_protocol": True, "ctibus.cti.max_logins_per_address": 20}
    with Stack(parts=("state", "cti-gw"), config=config) as s:
        s.wait_ready()
        bad = open_many(s, 60, words=v2("192.0.2.66"))
        until(lambda: s.metric("cti-gw", "ctibus_cti_crowded_total") >= 40, "over its share")
        good = [open_many(s, 1, words=v2(f"192.0.3.{n}"))[0] for n in range(60)]
        until(lambda: s.metric("cti-gw", "ctibus_cti_logins") == 80, "each has its own")
        assert closed(bad[:40]) == 40 and closed(good) == 0
        c = s.connect()
        c.raw(v2("192.0.2.66"))
        c.login("alice", "alice")
        for x in bad + good:
            x.close()
