"""Out of file descriptors: silent connections at every port of a service that may have 80."""

import contextlib
import resource
import socket
import time
import urllib.request

import pytest

from fastagi import ask
from stack import Client, Stack, until

SILENT = 120
LIMIT = 80
TCP = {"state": ("WEBI", "INFO"), "ami-gw": (), "fagi-gw": ("FAGI",), "cti-gw": ("CTI", "websocket"), "http-gw": ("http",),
       "federation": ()}
CONFIG = {"ctibus.cti.websocket": "127.0.0.1:0", "main.logintimeout": 2}


@contextlib.contextmanager
def silent(port, n=SILENT):
    """Connections that say nothing."""
    with contextlib.ExitStack() as all_of_them:
        for _ in range(n):
            s = all_of_them.enter_context(socket.socket())
            s.connect(("127.0.0.1", port))
        yield


def answers(program, path="healthz"):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{program.http}/{path}", timeout=5).status == 200
    except OSError:
        return False


def is_served(s, service, program):
    if service == "state":
        assert s.snapshot("phones")
    elif service == "fagi-gw":
        assert ask(program.fagi, "presence")
    elif service == "cti-gw":
        c = Client(program.cti)
        c.login("alice", "alice")
        c.socket.close()
    elif service == "http-gw":
        with urllib.request.urlopen(f"http://127.0.0.1:{program.api}/v1", timeout=5) as answer:
            assert answer.status == 200
    assert answers(program, "readyz")


@pytest.mark.parametrize("service", TCP)
def test_silent_connections_at_every_port(service):
    parts = ["sim", "state", "ami-gw"] + [service] * (service not in ("state", "ami-gw"))
    with Stack("20/02-call-answered.ami", config=CONFIG, parts=parts) as s:
        s.wait_ready(*parts[1:])
        program = s.programs[service]
        ports = [program.http, *(program.listening(name) for name in TCP[service])]
        resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        before = len(program.lines)
        with contextlib.ExitStack() as all_of_them:
            for port in ports:
                all_of_them.enter_context(silent(port))
            for _ in range(20):
                assert until(lambda: answers(program), "/healthz answers", 10)
            assert s.metric(service, "process_open_fds") <= LIMIT
            assert s.metric(service, "ctibus_http_closed_total") > 0
            assert program.process.poll() is None
            if service == "cti-gw":
                assert s.metric(service, "ctibus_no_descriptor_total") > 0
                program.says("too few file descriptors are left")
        until(lambda: s.metric(service, "process_open_fds") < LIMIT / 2 + 10, "they are gone")
        is_served(s, service, program)
        said = program.lines[before:]
        assert len(said) < 100, said[:40]


@pytest.mark.parametrize("port", ("publish", "subscribe", "request"))
def test_silent_connections_at_a_port_of_the_bus(port):
    """libzmq accepts by itself, and gives up a connection that says nothing after 5 s."""
    with Stack("20/02-call-answered.ami", config=CONFIG, parts=("sim", "state", "ami-gw", "cti-gw")) as s:
        s.wait_ready("state", "ami-gw", "cti-gw")
        state = s.programs["state"]
        resource.prlimit(state.process.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        before, idle = len(state.lines), s.metric("state", "process_open_fds")
        with silent(s.ports[port]), silent(s.ports[port], 1):
            for _ in range(20):
                begin = time.monotonic()
                assert answers(state)
                assert time.monotonic() - begin < 2
            with silent(s.ports[port]):
                assert answers(state) and answers(state)
                assert s.metric("state", "ctibus_no_descriptor_total") > 0
                state.says(f"connections to tcp://127.0.0.1:{s.ports[port]} wait or are closed")
        until(lambda: s.metric("state", "process_open_fds") < idle + 5, "they are gone", 10)
        c = Client(s.programs["cti-gw"].cti)  # what was connected before still is
        c.login("alice", "alice")
        assert s.snapshot("phones")
        assert len(state.lines) - before < 20, state.lines[before:]


@pytest.mark.parametrize("request_head, status", (
    (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"200"), (b"HEAD /metrics HTTP/1.1\r\n\r\n", b"200"),
    (b"GET /healthz?a=b HTTP/1.0\n\n", b"200"), (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"405"),
    (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", b"404"), (b"\x16\x03\x01\r\n\r\n", b"400"), (b"GET http://x/ HTTP/1.1\r\n\r\n", b"400"),
    (b"GET /healthz\r\n\r\n", b"400"), (b"GET /healthz HTTP/1.1\r\nA: " + b"x" * 9000, b"431")))
def test_requests_good_and_bad(fixture_site, request_head, status):
    for pieces in ([request_head], [request_head[i:i + 1] for i in range(len(request_head))][:200] + [request_head[200:]]):
        with socket.create_connection(("127.0.0.1", fixture_site.programs["state"].http), 5) as s:
            for piece in pieces:
                s.sendall(piece)
            got = b""
            with contextlib.suppress(ConnectionResetError):  # of what it did not read
                while data := s.recv(65536):
                    got += data
            assert got.startswith(b"HTTP/1.1 " + status), got
            head, _, body = got.partition(b"\r\n\r\n")
            assert b"\r\nConnection: close" in head
            if request_head.startswith(b"HEAD"):
                assert body == b""
            else:
                assert int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]) == len(body)


@pytest.fixture(scope="module", name="fixture_site")
def one_state():
    with Stack(parts=("state",)) as s:
        s.programs["state"].listening("metrics")
        yield s
