"""HTTP and other protocols at WEBI and INFO: nothing is carried out, whatever a page in a browser has it say."""

import contextlib
import http.client
import socket
import ssl
import time

import pytest
from consoles import Console
from stack import Stack, until

CHANGES = "xivo[userlist,update]\nsip reload\nxivo[daemon,reload]\n"
ACTIONS = "ami xivo Command core show version\nami inits\nloglevel set debug\nkick alice\nshow_users\n"


@pytest.fixture(scope="module", name="stack")
def one_stack():
    with Stack("20/02-call-answered.ami", parts=("sim", "state", "ami-gw")) as s:
        s.wait_ready()
        yield s


def port(stack, door):
    return stack.programs["state"].listening(door)


def counted(stack, door):
    return stack.metric("state", rf'ctibus_state_console_foreign_total\{{door="{door}"\}}')


def commands(stack, door):
    return stack.metric("state", rf'ctibus_state_console_commands_total\{{door="{door}"\}}')


def heard(stack, door, pieces, timeout=20):
    """What comes back, to the end."""
    with socket.create_connection(("127.0.0.1", port(stack, door)), timeout) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                s.sendall(piece)
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while data := s.recv(65536):
                got += data
        return got


def body(door):
    return CHANGES if door == "WEBI" else ACTIONS


def post(start, text, headers="Host: localhost\r\nOrigin: http://evil.example\r\n"):
    return f"{start}\r\n{headers}Content-Length: {len(text)}\r\n\r\n{text}".encode()


def requests(door):
    """Names and bytes of what a browser, or one who is more free than that, may send."""
    text = body(door)
    spelled = text.strip().replace("\n", "\\n")
    yield "post", post("POST / HTTP/1.1", text)
    yield "get", b"GET /show_users HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield "lower case", post("post / http/1.1", text)
    yield "a method that is a command", post("show_users / HTTP/1.1", text)
    yield "http/0.9", f"GET /\n{text}".encode()
    yield "spelled line ends in the path", post(f"GET /?\\n{spelled}\\n HTTP/1.1", text)
    yield "spelled, absolute", post(f"GET http://h/\\n{spelled}\\n HTTP/1.1", text)
    yield "line ends in the path", post(f"GET /\r\n{text} HTTP/1.1", text)
    yield "bare CR", post("POST / HTTP/1.1", text).replace(b"\r\n", b"\r", 1)
    yield "line ends before it", b"\r\n\r\n" + post("POST / HTTP/1.1", text)
    yield "pipelined", 3 * post("POST / HTTP/1.1", text)
    yield "no request line", post("Host: localhost", text)
    yield "another header first", post("X-Whatever: 1", text)
    yield "connect", post("CONNECT localhost:5005 HTTP/1.1", text)
    yield "options", post("OPTIONS * HTTP/1.1", text)
    yield "http/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + text.encode()
    yield "websocket", post("GET / HTTP/1.1", text, "Upgrade: websocket\r\nConnection: Upgrade\r\nHost: x\r\n")
    yield "NUL in a line", text.encode().replace(b" ", b"\0 ", 1) if door == "INFO" else b"sip\0 reload\n"
    yield "NUL at its end", b"".join(line.encode() + b"\0\n" for line in text.splitlines())


@pytest.mark.parametrize("door", ["WEBI", "INFO"])
@pytest.mark.parametrize("split", [0, 1, 7])
def test_requests_of_http_carry_out_nothing(stack, door, split):
    for name, data in requests(door):
        if split == 1 and len(data) > 400:
            data = data[:400]
        before, done = counted(stack, door), commands(stack, door)
        pieces = [data[i:i + split] for i in range(0, len(data), split)] if split else [data]
        assert heard(stack, door, pieces) == b"", name
        until(lambda: counted(stack, door) == before + 1, f"{name}: it is counted, once")
        assert commands(stack, door) == done, name
    with Console(stack) as c:
        assert c.ok("loglevel") == ["info"]
    log = list(stack.programs["state"].lines)
    assert not [line for line in log if "INFO 127.0.0.1" in line and "cut off" not in line and "connects" not in line]
    assert not [line for line in log if "WEBI 127.0.0.1" in line and "cut off" not in line]


@pytest.mark.parametrize("door", ["WEBI", "INFO"])
def test_pauses_within_a_request_help_nobody(stack, door):
    def slowly(*pieces):
        for piece in pieces:
            yield piece.encode()
            time.sleep(1.3)  # more than WEBI waits for the rest of a line: the pause is what is tried
    for pieces in (("POST /x", " HTTP/1.1\r\n" + body(door)), ("POST / HT", "TP/1.1\r\n" + body(door)),
                   ("GET /?\\n", body(door)), ("Host:", " x\r\n" + body(door))):
        before = counted(stack, door)
        heard(stack, door, slowly(*pieces))
        until(lambda: counted(stack, door) == before + 1, f"{pieces}: it is counted")


@pytest.mark.parametrize("door", ["WEBI", "INFO"])
def test_a_client_of_http_gets_no_answer(stack, door):
    c = http.client.HTTPConnection("127.0.0.1", port(stack, door), timeout=20)
    with pytest.raises((http.client.BadStatusLine, ConnectionError)):
        c.request("POST", "/", body(door))
        c.getresponse()
    c.close()


@pytest.mark.parametrize("door", ["WEBI", "INFO"])
def test_tls_gets_no_answer(stack, door):
    before = counted(stack, door)
    context = ssl.create_default_context()
    with socket.create_connection(("127.0.0.1", port(stack, door)), 20) as s, \
            pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(s, server_hostname="sip-reload.example")
    until(lambda: counted(stack, door) == before + 1, "it is counted")
    stack.programs["state"].says(f"{door} 127.0.0.1:")
    assert stack.programs["state"].logged("cut off: it is no text (TLS, or another binary protocol)")
