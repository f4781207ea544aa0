"""CTI over WebSockets: a foreign client, and what no client should send."""

import json
import os
import signal
import socket
import struct
import subprocess
import time

import pytest
import websocket
from stack import BIN, TIMEOUT, Client, Stack, until
from test_bad_input import survives_nul

KEY = "ctibus.cti.websocket"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebClient(Client):
    """The same client; its socket is one of the library's."""

    def __init__(self, port, **options):  # pylint: disable=super-init-not-called
        self.ws = websocket.create_connection(f"ws://127.0.0.1:{port}/cti", timeout=TIMEOUT, **options)
        self.commandid, self.view, self.seen = 0, {}, []

    def raw(self, data):
        self.ws.send(data.decode().rstrip("\n"))

    def line(self, timeout=TIMEOUT):
        self.ws.settimeout(timeout)
        try:
            text = self.ws.recv()
        except (websocket.WebSocketConnectionClosedException, ConnectionResetError):
            return None
        if not text:
            return None
        assert "\n" not in text
        return self.take(json.loads(text))

    def close(self):
        self.ws.close()


def web_stack(**config):
    s = Stack(parts=("state",), config={KEY: "127.0.0.1:0", **config})
    s.start("cti-gw", doors=("CTI", "websocket"))
    return s.wait_ready()


@pytest.fixture(scope="module")
def stack():
    config = {"ctibus.cti.origins": ["https://cti.example.com"], "ctibus.cti.max_line": 20000,
              "main.logintimeout": 3}
    with web_stack(**config) as s:
        yield s


def connect(stack, **options):
    return WebClient(stack.programs["cti-gw"].websocket, **options)


# ---- what should work ----

def test_a_login_and_everything_after_it(stack):
    c = connect(stack)
    c.login("alice", "alice")
    assert len(c.load().view) > 5
    bob = stack.client("bob")
    bob.ask("availstate", availstate="away")
    c.wait(lambda: c.status("users", "2").get("availstate") == "away", "what others do")
    assert c.ask("starttls")["error_string"] == "notloggedyet"


def test_a_nul_in_a_name_before_the_login(stack):
    survives_nul(lambda: connect(stack), stack)


def test_starttls_is_not_for_websockets(stack):
    assert connect(stack).ask("starttls")["error_string"] == "starttls_unavailable"


def test_what_was_said_last_arrives_and_then_a_close_frame(stack):
    one = connect(stack)
    one.login("alice", "alice")
    two = connect(stack)
    two.login("alice", "alice", lastconnwins=True)
    assert one.closed()[-1]["type"] == "force"
    assert two.ask("keepalive")
    two.send("logout", stopper="")
    opcode, data = two.ws.recv_data()
    assert opcode == TEXT and json.loads(data)["class"] == "logout"
    assert two.ws.recv_data() == (CLOSE, struct.pack("!H", 1000))


def test_the_other_side_may_close(stack):
    c = connect(stack)
    c.login("alice", "alice")
    before = stack.metric("cti-gw", "ctibus_cti_connections")
    c.ws.send_close(1001)
    assert c.ws.recv_data() == (CLOSE, struct.pack("!H", 1001))
    until(lambda: stack.metric("cti-gw", "ctibus_cti_connections") == before - 1, "the end")


def test_a_message_in_pieces_and_with_line_feeds_is_one(stack):
    c = connect(stack)
    c.login("alice", "alice")
    text = '{\n "class": "keepalive",\n "commandid": 7\n}'
    for i, piece in enumerate(text):
        last = i == len(text) - 1
        c.ws.send_frame(websocket.ABNF(int(last), 0, 0, 0, 0 if i else TEXT, 1, piece.encode()))
        if i == 5:
            c.ws.ping("between")
    opcode, data = c.ws.recv_data(control_frame=True)
    assert (opcode, data) == (PONG, b"between")
    assert c.line()["replyid"] == 7
    c.ws.send('{"class":"keepalive"}\n{"class":"keepalive"}')
    assert c.line()["error_string"] == "json"


def test_many_at_once(stack):
    c = connect(stack)
    c.login("alice", "alice")
    for _ in range(1000):
        c.send("getlist", function="listid", listname="users", tipbxid="xivo")
    assert all(c.line()["class"] == "getlist" for _ in range(1000))


def test_who_does_not_read_is_cut_off():
    with web_stack(**{"ctibus.cti.max_output": 65536}) as s:
        c = connect(s, sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
        c.login("alice", "alice")
        with pytest.raises((websocket.WebSocketException, OSError)):
            c.ws.settimeout(10)
            for _ in range(100000):
                c.send("getlist", function="listid", listname="users", tipbxid="xivo")
        until(lambda: s.metric("cti-gw", "ctibus_cti_slow_total") == 1, "counted")


# ---- signs of life ----

def test_a_silent_one_is_asked_and_then_given_up():
    with web_stack(**{"ctibus.cti.websocket_ping_seconds": 1}) as s:
        lively, dead = connect(s), connect(s)
        lively.login("alice", "alice")
        dead.login("bob", "bob")
        start = time.monotonic()
        while time.monotonic() - start < 4:
            opcode, data = lively.ws.recv_data(control_frame=True)  # answers pings by itself
            assert opcode in (PING, TEXT)
        assert dead.ws.sock.recv(2) == struct.pack("!BB", 0x80 | PING, 0)
        until(lambda: s.metric("cti-gw", "ctibus_cti_clients") == 1, "given up")
        s.programs["cti-gw"].says("WebSocket without a sign of life")
        assert lively.ask("keepalive")


# ---- the request ----

HEADERS = {"Host": "cti.local:5080", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
           "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


class Raw:
    """Bytes on the WebSocket's port."""

    def __init__(self, stack, request=None):
        self.socket = socket.create_connection(("127.0.0.1", stack.programs["cti-gw"].websocket), TIMEOUT)
        self.file = self.socket.makefile("rb")
        if request is not None:
            self.socket.sendall(request)

    def status(self):
        """Of the response, with its headers."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()):
            name, value = line.decode().split(": ")
            headers[name] = value
        return status, headers

    def send_frame(self, opcode, payload=b"", fin=1, masked=True, rsv=0, length=None):
        n = len(payload) if length is None else length
        head = bytes([fin << 7 | rsv << 4 | opcode])
        mask = 0x80 if masked else 0
        if n < 126:
            head += bytes([mask | n])
        elif n < 65536:
            head += struct.pack("!BH", mask | 126, n)
        else:
            head += struct.pack("!BQ", mask | 127, n)
        key = os.urandom(4) if masked else b""
        body = bytes(b ^ key[i % 4] for i, b in enumerate(payload)) if masked else payload
        self.socket.sendall(head + key + body)

    def frame(self):
        """(opcode, payload) of the next frame that is no ping; None at the end."""
        head = self.file.read(2)
        if len(head) < 2:
            return None
        n = head[1]
        assert not n & 0x80
        if n == 126:
            n = struct.unpack("!H", self.file.read(2))[0]
        elif n == 127:
            n = struct.unpack("!Q", self.file.read(8))[0]
        return head[0] & 15, self.file.read(n)

    def ended(self):
        try:
            return self.file.read() == b""
        except ConnectionResetError:
            return True


def request(line="GET /cti HTTP/1.1", **changes):
    headers = {**HEADERS, **{k.replace("_", "-"): v for k, v in changes.items()}}
    lines = [line] + [f"{k}: {v}" for k, v in headers.items() if v is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def opened(stack):
    raw = Raw(stack, request())
    assert raw.status()[0] == 101
    return raw


def test_the_key_is_answered(stack):
    status, headers = Raw(stack, request()).status()
    assert status == 101
    assert headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the example of RFC 6455
    assert headers["Upgrade"] == "websocket" and headers["Connection"] == "Upgrade"
    assert "Sec-WebSocket-Protocol" not in headers and "Sec-WebSocket-Extensions" not in headers


def test_a_request_in_pieces_with_a_message_behind_it(stack):
    raw = Raw(stack)
    for byte in request():
        raw.socket.sendall(bytes([byte]))
    raw.send_frame(TEXT, b'{"class":"starttls","commandid":1}')
    assert raw.status()[0] == 101
    assert json.loads(raw.frame()[1])["error_string"] == "starttls_unavailable"
    whole = Raw(stack, request("GET /cti?x=1 HTTP/1.1") + b"\x81\xa2\0\0\0\0" + b'{"class":"starttls","commandid":2}')
    assert whole.status()[0] == 101
    assert json.loads(whole.frame()[1])["replyid"] == 2


@pytest.mark.parametrize("origin, status", [
    (None, 101), ("http://cti.local:5080", 101), ("https://cti.local:5080", 101), ("https://CTI.local:5080", 101),
    ("https://cti.example.com", 101), ("HTTPS://cti.EXAMPLE.com", 101), ("http://cti.example.com", 403),
    ("https://cti.example.com.evil.example", 403), ("https://evil.example", 403), ("https://cti.local", 403),
    ("https://cti.local:50801", 403), ("null", 403), ("", 403), ("cti.local:5080", 403), ("file://", 403)])
def test_origins(stack, origin, status):
    assert Raw(stack, request(Origin=origin)).status()[0] == status


def test_a_default_port_goes_without_saying(stack):
    assert Raw(stack, request(Host="cti.local:443", Origin="https://cti.local")).status()[0] == 101
    assert Raw(stack, request(Host="cti.local", Origin="http://cti.local:80")).status()[0] == 101
    assert Raw(stack, request(Host="cti.local:443", Origin="http://cti.local")).status()[0] == 403


@pytest.mark.parametrize("sent, status", [
    (request("GET /none HTTP/1.1"), 404), (request("GET /cti/ HTTP/1.1"), 404), (request("GET /ctix HTTP/1.1"), 404),
    (request("POST /cti HTTP/1.1"), 405), (request("GET /cti HTTP/1.0"), 400), (request("GET /cti HTTP/2.0"), 400),
    (request("GET  /cti HTTP/1.1"), 400), (request("GET /cti"), 400), (request(Sec_WebSocket_Version="8"), 426),
    (request(Sec_WebSocket_Version=None), 400), (request(Sec_WebSocket_Key=None), 400),
    (request(Sec_WebSocket_Key="c2hvcnQ="), 400), (request(Sec_WebSocket_Key="*" * 22 + "=="), 400),
    (request(Upgrade=None), 426), (request(Connection="close"), 426), (request(Host=None), 400),
    (request(Content_Length="5"), 400), (request(Transfer_Encoding="chunked"), 400),
    (request(X="a\r\nHost: other"), 400), (request(X="a\r\n folded"), 400), (request(X="a\0b"), 400),
    (request().replace(b"\r\n", b"\n") + b"\r\n\r\n", 400), (b'{"class":"login_id"}\n', 400),
    (request(X="x" * 8200), 431), (b"A" * 9000, 431)])
def test_other_requests_are_refused(stack, sent, status):
    raw = Raw(stack, sent)
    answer, headers = raw.status()
    assert answer == status and headers["Connection"] == "close"
    assert len(raw.file.read()) == int(headers["Content-Length"])


def test_who_does_not_ask_is_closed(stack):
    start = time.monotonic()
    assert Raw(stack, b"GET /cti HTTP/1.1\r\nHost:").ended()
    assert time.monotonic() - start < 10


# ---- frames ----

@pytest.mark.parametrize("frames, code", [
    ([(BINARY, b"{}")], 1003),
    ([(TEXT, b"\xff")], 1007), ([(TEXT, b"\xc3")], 1007), ([(TEXT, b"\xed\xa0\x80")], 1007),
    ([(TEXT, b"x" * 20001)], 1009),
    ([(TEXT, b"x" * 15000, 0), (0, b"x" * 5001, 1)], 1009),
    ([(3, b"")], 1002), ([(0, b"x")], 1002), ([(TEXT, b"a", 0), (TEXT, b"b")], 1002),
    ([(PING, b"x" * 126)], 1002), ([(PING, b"x", 0)], 1002),
    ([(CLOSE, struct.pack("!H", 1005))], 1002), ([(CLOSE, b"\x03")], 1002)])
def test_bad_frames_are_closed_with_the_reason(stack, frames, code):
    raw = opened(stack)
    for opcode, payload, *fin in frames:
        raw.send_frame(opcode, payload, *fin)
    opcode, payload = raw.frame()
    assert opcode == CLOSE and struct.unpack("!H", payload[:2])[0] == code
    assert raw.ended()


def test_other_bad_frames(stack):
    raw = opened(stack)
    raw.send_frame(CLOSE, b"")  # no status
    assert raw.frame() == (CLOSE, b"")
    assert raw.ended()
    for bad in ({"masked": False}, {"rsv": 4}, {"length": 1 << 62}):
        raw = opened(stack)
        raw.send_frame(TEXT, b"{}", **bad)
        opcode, payload = raw.frame()
        assert opcode == CLOSE and struct.unpack("!H", payload[:2])[0] in (1002, 1009)
        assert raw.ended()


def test_who_goes_on_sending_still_reads_why(stack):
    raw = opened(stack)
    raw.send_frame(TEXT, b"x" * 20001)
    try:
        for _ in range(100):
            raw.socket.sendall(b"x" * 20000)
    except OSError:
        pass
    opcode, payload = raw.frame()
    assert opcode == CLOSE and payload == struct.pack("!H", 1009)


def test_a_message_of_the_greatest_size(stack):
    c = connect(stack)
    c.login("alice", "alice")
    text = '{"class":"keepalive","commandid":1,"x":"%s"}'
    c.ws.send(text % ("x" * (20000 - len(text) + 2)))
    assert c.line()["replyid"] == 1


def test_a_flood_of_pings_is_answered_as_far_as_it_is_read(stack):
    raw = opened(stack)
    for i in range(500):
        raw.send_frame(PING, struct.pack("!I", i) + b"x" * 100)
    for i in range(500):
        opcode, payload = raw.frame()
        assert opcode == PONG and payload[:4] == struct.pack("!I", i)


def test_broken_json_and_too_much_before_the_login(stack):
    c = connect(stack)
    for _ in range(10):
        c.ws.send("{")
    assert [m["error_string"] for m in c.closed()] == ["json"] * 10


def test_a_gateway_that_stops_says_goodbye():
    with web_stack() as s:
        c = connect(s)
        c.login("alice", "alice")
        s.programs["cti-gw"].process.send_signal(signal.SIGTERM)
        until(lambda: c.ws.recv_data()[0] == CLOSE, "the close frame")
        s.programs["cti-gw"].process.wait(10)


def test_the_limit_of_clients_counts_them():
    with web_stack(**{"ctibus.cti.max_clients": 2}) as s:
        first, second = connect(s), s.client("bob")
        first.login("alice", "alice")
        assert connect(s).login_id("carol")["error_string"] == "toomuchusers:2;0"
        assert second.ask("keepalive")


def test_it_may_be_the_only_door():
    with Stack(parts=("state",), config={KEY: "127.0.0.1:0", "main.incoming_tcp.CTI": ["127.0.0.1", 0, False]}) as s:
        s.start("cti-gw", doors=("websocket",))
        s.wait_ready()
        connect(s).login("alice", "alice")


@pytest.mark.parametrize("origin", ["https://cti.example.com/", "https://cti.example.com/app", "cti.example.com",
                                    "https://", ""])
def test_an_origin_that_no_browser_says_is_told(origin):
    with Stack(parts=(), config={"ctibus.cti.origins": ["null", "https://good.example:8443", origin]}) as s:
        done = subprocess.run([BIN / "ctibus-cti-gw", "--config", s.path("ctibus.json"), "--check"],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and f'ctibus.cti.origins: "{origin}" is no origin' in done.stderr


def test_without_the_key_there_is_none():
    with Stack(parts=("state", "cti-gw")) as s:
        s.wait_ready()
        assert not s.programs["cti-gw"].logged("listening name=websocket")
