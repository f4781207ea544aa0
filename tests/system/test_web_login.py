"""What the web client needs of cti-gw: pages, logins by password, token and proxy, snapshots, WSS."""

import json
import socket
import ssl
import struct
import subprocess
import time
import urllib.request
import zlib

import pytest
import websocket
from stack import BIN, TIMEOUT, Stack, until
from test_websocket import WebClient, connect, web_stack

LOGIN = {"ident": "test-browser", "xivoversion": "1.2", "state": "available"}


def login(stack, cls="login_password", headers=None, **fields):
    c = connect(stack, header=headers or [])
    return c, c.ask(cls, **{**LOGIN, **fields})


def password(stack, user="alice", **fields):
    return login(stack, userlogin=user, password=fields.pop("password", user), **fields)


def get(stack, path, method="GET", headers=None):
    port = stack.programs["cti-gw"].websocket
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as e:
        return e.code, dict(e.headers), e.read()


@pytest.fixture(scope="module")
def stack():
    config = {"ctibus.auth.remote_user_from": ["127.0.0.1"]}
    with web_stack(**config) as s:
        yield s


# ---- pages ----

def test_the_application_and_its_files(stack):
    status, headers, body = get(stack, "/")
    assert status == 200 and b"<div id=\"app\">" in body and headers["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/wall", "/admin"):
        assert get(stack, path)[2] == body
    status, headers, script = get(stack, "/app.js")
    assert status == 200 and len(script) > 10000 and "Content-Encoding" not in headers
    assert get(stack, "/app.js", headers={"If-None-Match": headers["ETag"]})[0] == 304
    packed = get(stack, "/app.js", headers={"Accept-Encoding": "gzip"})
    assert packed[1]["Content-Encoding"] == "gzip" and len(packed[2]) < len(script) / 2
    assert get(stack, "/app.js", "HEAD")[2] == b"" and get(stack, "/", "POST")[0] == 405
    for path in ("/../etc/passwd", "/app.js/", "/cti/", "//", "/%2e%2e/"):
        assert get(stack, path)[0] == 404


# ---- by the password ----

def test_one_message_is_a_whole_login(stack):
    c, answer = password(stack)
    assert answer["userid"] == "1" and answer["ipbxid"] == "xivo" and answer["capas"] and "token" not in answer
    assert c.ask("availstate", availstate="away")
    c.close()


@pytest.mark.parametrize("user, secret, error", [
    ("alice", "wrong", "login_password"), ("nobody", "alice", "login_password"), ("alice", "", "login_password"),
    ("alice", "x" * 600, "login_password"), ("alice\n", "alice", "login_password")])
def test_a_refused_password(stack, user, secret, error):
    c, answer = password(stack, user, password=secret)
    assert answer["error_string"] == error


def test_what_is_missing_is_named(stack):
    _, answer = login(stack, userlogin="alice")
    assert answer["error_string"] == "missing:password"
    _, answer = login(stack, xivoversion="9.9", userlogin="alice", password="alice")
    assert answer["error_string"] == "xivoversion_client:9.9;1.2"


def test_guessing_is_throttled(stack):
    refused = [password(stack, "dave", password="guess")[1]["error_string"] for _ in range(5)]
    since = time.monotonic()
    refused.append(password(stack, "dave", password="guess")[1]["error_string"])
    assert set(refused) == {"login_password"} and time.monotonic() - since > 0.4


# ---- by a token ----

def test_a_token_logs_in_again_until_it_is_revoked(stack):
    c, answer = password(stack, remember=True)
    token = answer["token"]
    assert len(token) >= 40
    for _ in range(2):
        again, answer = login(stack, "login_token", token=token)
        assert answer["userid"] == "1" and "token" not in answer
        again.close()
    c.send("logout", token=token)
    _, answer = login(stack, "login_token", token=token)
    assert answer["error_string"] == "login_token_invalid"


@pytest.mark.parametrize("token", ["", "x", "0" * 43, "é" * 43, "a" * 3000])
def test_a_token_that_is_none(stack, token):
    _, answer = login(stack, "login_token", token=token)
    assert answer["error_string"] == "login_token_invalid"


def test_logout_everywhere_ends_all_browsers_of_the_user(stack):
    tokens, clients = [], []
    for _ in range(3):
        c, answer = password(stack, "bob", remember=True)
        tokens.append(answer["token"])
        clients.append(c)
    other, answer = password(stack, "alice", remember=True)
    clients[0].send("logout", token=tokens[0], everywhere=True)
    assert clients[1].closed()[-1]["type"] == "force"
    for token in tokens:
        assert login(stack, "login_token", token=token)[1]["error_string"] == "login_token_invalid"
    assert login(stack, "login_token", token=answer["token"])[1]["userid"] == "1"
    other.close()


def test_a_token_survives_a_restart_of_state_and_is_not_in_its_file():
    with web_stack() as s:
        token = password(s, remember=True)[1]["token"]
        s.programs["state"].terminate()
        with open(s.path("ctibus.db"), "rb") as f:
            assert token.encode() not in f.read()
        s.start("state")
        s.wait_ready()
        assert login(s, "login_token", token=token)[1]["userid"] == "1"
        out = subprocess.run([f"{BIN}/ctibus", "--json", "--config", s.path("ctibus.json"), "tokens"], capture_output=True, text=True, timeout=30)
        assert [json.loads(line)["agent"] for line in out.stdout.splitlines()] == ["test-browser"], out
        out = subprocess.run([f"{BIN}/ctibus", "--config", s.path("ctibus.json"), "tokens", "--revoke", "alice"], capture_output=True, text=True, timeout=30)
        assert out.returncode == 0 and "1" in out.stdout, out
        assert login(s, "login_token", token=token)[1]["error_string"] == "login_token_invalid"


def test_a_token_ends_with_the_password_it_was_made_for():
    with web_stack() as s:
        token = password(s, remember=True)[1]["token"]
        with open(s.path("users.json"), encoding="utf-8") as f:
            users = json.load(f)
        next(u for u in users if u["loginclient"] == "alice")["passwdclient"] = "other"
        with open(s.path("users.json"), "w", encoding="utf-8") as f:
            json.dump(users, f)
        subprocess.run([f"{BIN}/ctibus", "--config", s.path("ctibus.json"), "reload"], check=True, timeout=30)
        until(lambda: "userid" in password(s, password="other")[1], "the new password is known")
        assert login(s, "login_token", token=token)[1]["error_string"] == "login_token_invalid"


# ---- hashes ----

def test_a_hash_in_the_list_of_users():
    made = subprocess.run(["openssl", "passwd", "-6", "-salt", "abcdefgh", "s3cret"], capture_output=True, text=True, check=True)
    users = [{"id": "1", "firstname": "Alice", "lastname": "Martin", "loginclient": "alice", "enableclient": 1,
              "passwdclient": made.stdout.strip(), "profileclient": "client"}]
    s = Stack(parts=("state",), config={"ctibus.cti.websocket": "127.0.0.1:0"}, users=users)
    s.start("cti-gw", doors=("CTI", "websocket"))
    with s.wait_ready():
        assert password(s, password="s3cret")[1]["userid"] == "1"
        assert password(s, password="wrong")[1]["error_string"] == "login_password"
        assert password(s, password=made.stdout.strip())[1]["error_string"] == "login_password"
        c = s.connect()
        c.login_id("alice")
        assert c.ask("login_pass", hashedpassword="0" * 40)["error_string"] == "login_password"
        s.programs["state"].says("has a hash of the password")


# ---- by a reverse proxy ----

def test_the_header_of_a_trusted_proxy(stack):
    c, answer = login(stack, "login_proxy", headers=["Remote-User: bob"])
    assert answer["userid"] == "2"
    c.close()
    assert login(stack, "login_proxy", headers=["Remote-User: nobody"])[1]["error_string"] == "login_password"
    assert login(stack, "login_proxy")[1]["error_string"] == "login_no_proxy"


def test_the_header_of_anybody_else():
    with web_stack() as s:
        assert login(s, "login_proxy", headers=["Remote-User: bob"])[1]["error_string"] == "login_no_proxy"


# ---- snapshots ----

def snapshot(c, **fields):
    c.send("getlist", function="snapshot", tipbxid="xivo", commandid=77, **fields)
    objects = {}
    while True:
        m = c.line()
        assert m is not None
        if m.get("function") != "snapshot":
            continue
        assert m["replyid"] == 77
        for o in m["objects"]:
            objects[m["listname"], o["tid"]] = o
        if m["last"]:
            return objects


def test_a_snapshot_is_what_the_single_questions_say(stack):
    c, _ = password(stack)
    objects = snapshot(c)
    assert {name for name, _ in objects} >= {"users", "phones", "queues", "agents", "meetmes", "voicemails"}
    for (name, tid), o in objects.items():
        if name in ("users", "phones", "agents"):
            assert c.ask("getlist", function="updateconfig", listname=name, tipbxid="xivo", tid=tid)["config"] == o["config"]
    users = snapshot(c, listname="users")
    assert {name for name, _ in users} == {"users"} and len(users) == len([n for n, _ in objects if n == "users"])
    assert c.ask("getlist", function="snapshot", listname="nothing", tipbxid="xivo")["error_string"] == "not_found"
    assert c.ask("getlist", function="snapshot", tipbxid="nowhere")["error_string"] == "not_found"
    c.close()


def test_a_large_snapshot_comes_in_parts_and_small():
    users = [{"id": str(i), "firstname": f"Firstname{i}", "lastname": f"Lastname {i}", "loginclient": f"u{i}",
              "passwdclient": "p", "enableclient": 1, "profileclient": "client"} for i in range(1, 3001)]
    s = Stack(parts=("state",), config={"ctibus.cti.websocket": "127.0.0.1:0"}, users=users)
    s.start("cti-gw", doors=("CTI", "websocket"))
    with s.wait_ready():
        c, _ = password(s, "u1", password="p")
        objects = snapshot(c, listname="users")
        assert len(objects) == 3000
        assert c.ask("keepalive")


# ---- compression ----

class Deflating:
    """A client that has negotiated permessage-deflate, by hand: the library does not speak it."""

    def __init__(self, port, offer="permessage-deflate; client_max_window_bits"):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.socket.sendall(b"GET /cti HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
                            b"Sec-WebSocket-Extensions: " + offer.encode() + b"\r\n\r\n")
        self.file = self.socket.makefile("rb")
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            self.head += self.file.readline()
        self.packed = self.text = 0

    def send(self, payload, first=0xc1):
        mask = b"abcd"
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
        self.socket.sendall(bytes([first]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def ask(self, **message):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(json.dumps(message).encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
        self.send(packed[:-4])

    def frame(self):
        first, size = self.file.read(2)
        if size == 126:
            size, = struct.unpack("!H", self.file.read(2))
        elif size == 127:
            size, = struct.unpack("!Q", self.file.read(8))
        payload = self.file.read(size)
        if first & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
            self.packed += size
            self.text += len(payload)
        return first & 15, payload

    def answer(self, replyid):
        while True:
            opcode, payload = self.frame()
            assert opcode in (0, 1), payload
            m = json.loads(payload)
            if m.get("replyid") == replyid:
                return m


def test_messages_are_compressed_for_clients_that_can(stack):
    c = Deflating(stack.programs["cti-gw"].websocket)
    assert b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover" in c.head
    c.ask(**{"class": "login_password", "userlogin": "alice", "password": "alice", "commandid": 1, **LOGIN})
    assert c.answer(1)["userid"] == "1"
    c.ask(**{"class": "keepalive", "commandid": 2, "padding": "é" * 30000})
    assert c.answer(2)
    c.ask(**{"class": "getlist", "function": "snapshot", "tipbxid": "xivo", "commandid": 3})
    while not c.answer(3)["last"]:
        pass
    assert 0 < c.packed < c.text / 2


@pytest.mark.parametrize("offer, taken", [
    ("permessage-deflate", True), ("x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=10", True),
    ("permessage-deflate; server_max_window_bits=8", False), ("permessage-deflate; mystery=1", False),
    ("permessage-deflate; server_max_window_bits=99, permessage-deflate", True), ("", False), (";;,,;", False)])
def test_offers(stack, offer, taken):
    c = Deflating(stack.programs["cti-gw"].websocket, offer)
    assert (b"Sec-WebSocket-Extensions" in c.head) == taken
    assert (b"server_max_window_bits=10" in c.head) == ("=10" in offer)


def bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(b" " * size) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize("payload, code", [(b"\xff\xff\xff", 1007), (b"\x07", 1007), (bomb(5000), 1009), (bomb(3000000), 1009)])
def test_bad_compressed_messages(stack, payload, code):
    c = Deflating(stack.programs["cti-gw"].websocket)
    c.send(payload)
    opcode, said = c.frame()
    assert opcode == 8 and struct.unpack("!H", said[:2])[0] == code


def test_a_compressed_message_that_was_not_negotiated(stack):
    c = Deflating(stack.programs["cti-gw"].websocket, "")
    c.send(bomb(10))
    opcode, said = c.frame()
    assert opcode == 8 and struct.unpack("!H", said[:2])[0] == 1002


# ---- WSS ----

def test_https_and_wss_on_the_same_port(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    with web_stack(certfile=str(cert), keyfile=str(key)) as s:
        port = s.programs["cti-gw"].websocket
        trust = ssl.create_default_context(cafile=str(cert))
        with urllib.request.urlopen(f"https://localhost:{port}/app.js", context=trust, timeout=TIMEOUT) as answer:
            assert answer.read() == get(s, "/app.js")[2]
        c = WebClient.__new__(WebClient)
        c.ws = websocket.create_connection(f"wss://localhost:{port}/cti", timeout=TIMEOUT, sslopt={"ca_certs": str(cert)})
        c.commandid, c.view, c.seen = 0, {}, []
        assert c.ask("login_password", userlogin="alice", password="alice", **LOGIN)["userid"] == "1"
        assert len(snapshot(c)) > 10
        assert c.ask("keepalive", padding="x" * 100000)  # a line of several records
        c.close()


def test_tls_without_a_certificate_is_refused_and_logged(stack):
    port = stack.programs["cti-gw"].websocket
    with pytest.raises((ssl.SSLError, ConnectionResetError, OSError)):
        with ssl.create_default_context().wrap_socket(socket.create_connection(("127.0.0.1", port), TIMEOUT), server_hostname="x"):
            pass
    stack.programs["cti-gw"].says("speaks TLS, for which there is no certificate")
