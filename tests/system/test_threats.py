"""The boundaries of docs/threat-model.md, each tried by somebody who should not get across."""

import contextlib
import hashlib
import random
import resource
import select
import socket
import struct
import subprocess
import threading
import time

import msgpack
import pytest
import zmq
import zmq.auth

from api import Api, Listener, make_token
from fastagi import ask
from stack import BIN, Context, Stack, until

MANY = 2000
LIMITS = {"main.logintimeout": 5}


# --- the bus with CURVE ---

class Guarded(Stack):
    """All parts with CURVE; keys of a monitor and of a stranger beside it."""

    def __init__(self, **options):
        super().__init__(parts=(), config={"ctibus.curve": {"server_key": "site.key", "own_key": "site.key",
                                                            "allow": "allowed.keys"}}, **options)
        self.keys = {}
        for name in ("site", "monitor", "stranger"):
            subprocess.run([BIN / "ctibus", "keygen", self.path(f"{name}.key")], check=True, stdout=subprocess.DEVNULL)
            public, secret = zmq.auth.load_certificate(self.path(f"{name}.key_secret"))
            self.keys[name] = {"public": public.decode(), "secret": secret.decode()}
        self.path("allowed.keys").write_text(f"gateway {self.keys['site']['public']}\n"
                                             f"monitor {self.keys['monitor']['public']}\n")
        for part in ("sim", "state", "ami-gw", "fagi-gw", "cti-gw", "http-gw"):
            self.start(part)
        self.wait_ready()

    @contextlib.contextmanager
    def socket(self, kind, port, key):
        context = Context()
        s = context.socket(kind)
        if key:
            s.curve_serverkey = self.keys["site"]["public"].encode()
            s.curve_publickey = self.keys[key]["public"].encode()
            s.curve_secretkey = self.keys[key]["secret"].encode()
        if kind == zmq.SUB:
            s.subscribe(b"")
        s.connect(f"tcp://127.0.0.1:{self.ports[port]}")
        yield s
        s.close(0)
        context.term()


@pytest.fixture(scope="module", name="guarded")
def one_guarded():
    with Guarded(capture="20/02-call-answered.ami", pace="x5") as s:
        yield s


def asks(s):
    """Does hello get an answer?"""
    s.send_multipart([msgpack.packb(1), msgpack.packb(1), b"hello",
                      msgpack.packb({"service": "x", "instance": "x", "version": "1"})])
    return bool(s.poll(1500))


def test_a_client_with_a_key_gets_in(guarded):
    with guarded.socket(zmq.SUB, "subscribe", "site") as s:
        assert s.poll(10000)
    with guarded.socket(zmq.DEALER, "request", "site") as s:
        assert asks(s)
    client = guarded.client("alice")
    client.close()


def test_a_monitor_may_listen_ask_what_is_there_and_nothing_else(guarded):
    with guarded.socket(zmq.SUB, "subscribe", "monitor") as s:
        assert s.poll(10000)
    with guarded.socket(zmq.DEALER, "request", "monitor") as s:
        assert asks(s)
        s.recv_multipart()
        for method, body, expected in ((b"ping", {}, b"ok"), (b"echo", {"plane": "xod"}, b"ok"), (b"snapshot", {"list": "ipbx"}, b"ok"),
                                       (b"worker.register", {"kind": "cti", "classes": ["x"]}, b"denied"), (b"command", {}, b"denied"),
                                       (b"ami.action", {"action": "Ping", "headers": {}}, b"denied"), (b"admin.sessions", {}, b"denied"),
                                       (b"login.password", {"userlogin": "alice", "password": "alice"}, b"denied"),
                                       (b"nonsense", {}, b"unknown_method")):
            s.send_multipart([msgpack.packb(1), msgpack.packb(7), method, msgpack.packb(body)])
            assert s.poll(5000)
            assert s.recv_multipart()[2] == expected, method
    assert not published(guarded, "monitor")


def published(stack, key):
    """Does an event that is published with this key reach state?"""
    with stack.socket(zmq.PUB, "publish", key) as s, stack.socket(zmq.SUB, "subscribe", "site") as heard:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            s.send_multipart([b"tel/xivo/channel/new/", msgpack.packb([1, "forger", 1, 1, time.time()]),
                              msgpack.packb({"channel": "SIP/forged-1", "uniqueid": "1.1"})])
            if heard.poll(20) and b"forger" in heard.recv_multipart()[1]:
                return True
    return False


def test_publishing_takes_a_gateways_key(guarded):
    assert published(guarded, "site")


def test_a_monitor_hears_all_but_what_people_write_to_each_other(guarded):
    alice, bob = guarded.client("alice"), guarded.client("bob")
    with guarded.socket(zmq.SUB, "subscribe", "monitor") as monitor, \
            guarded.socket(zmq.SUB, "subscribe", "site") as site:
        for prefix in (b"cti/", b"cti/xivo/user/2/", b"c", b"cti"):
            monitor.subscribe(prefix)

        def talk():
            """The planes that both have heard of while alice writes to bob."""
            alice.ask("chitchat", to="xivo/2", text="between us")
            for name, s in heard.items():
                while s[0].poll(50):
                    topic, _, body = s[0].recv_multipart()
                    s[1].add(topic.split(b"/")[0])
                    assert name == "site" or b"between us" not in body
            return {b"tel", b"xod", b"svc", b"cti"} <= heard["site"][1] and {b"tel", b"xod", b"svc"} <= heard["monitor"][1]
        heard = {"monitor": (monitor, set()), "site": (site, set())}
        until(talk, "all planes are heard of")
        assert b"cti" not in heard["monitor"][1]
    alice.close()
    bob.close()


def forged_line(stack, key):
    """Whether a line to a client that somebody publishes reaches it."""
    bob = stack.client("bob")
    before = stack.metric("state", "ctibus_bus_forged_total")
    line = {"class": "chitchat", "from": "xivo/1", "to": "xivo/2", "text": "forged"}
    with stack.socket(zmq.PUB, "publish", key) as s:
        def sent():
            s.send_multipart([b"cti/xivo/user/2/", msgpack.packb([1, "state@x", 1, 0, time.time()]),
                              msgpack.packb({"line": line})])
            return stack.metric("state", "ctibus_bus_forged_total") > before
        until(sent, "it is dropped and counted")
    until(lambda: is_heard(stack), "what came behind it is there")
    n, heard = bob.send("keepalive"), []
    while not heard or heard[-1].get("replyid") != n:
        heard.append(bob.line())
    bob.close()
    return any(m.get("text") == "forged" for m in heard)


def is_heard(stack):
    """A line of state's own, sent after it, has arrived: so would the forged one have."""
    carol = stack.client("carol")
    answer = carol.ask("chitchat", to="xivo/2", text="real")
    carol.close()
    return "warning_string" not in answer


def test_nobody_but_state_publishes_lines_to_clients(guarded):
    assert not forged_line(guarded, "site")
    log = guarded.programs["state"]
    log.says(f"dropped what 127.0.0.1 (key {guarded.keys['site']['public']}) published on the plane cti/")


def test_nor_without_curve():
    with Stack(parts=("state", "cti-gw")) as s:
        s.wait_ready()
        s.socket = Guarded.socket.__get__(s)
        s.keys = {}
        assert not forged_line(s, None)
        s.programs["state"].says("dropped what 127.0.0.1 (key none) published on the plane cti/")


@pytest.mark.parametrize("key", ["stranger", None])
def test_a_stranger_gets_nothing(guarded, key):
    before = guarded.metric("state", "ctibus_bus_refused_total")
    with guarded.socket(zmq.SUB, "subscribe", key) as s:
        assert not s.poll(1000)
    with guarded.socket(zmq.DEALER, "request", key) as s:
        assert not asks(s)
    assert not published(guarded, key)
    if key:  # one without a key does not get as far as to have one
        until(lambda: guarded.metric("state", "ctibus_bus_refused_total") > before, "it is counted")
        guarded.programs["state"].says(f"key {guarded.keys['stranger']['public']} is not allowed")


# --- a login that was overheard ---

def test_a_replayed_login(guarded):
    first = guarded.connect()
    sessionid = first.login_id("alice")["sessionid"]
    overheard = hashlib.sha1(f"{sessionid}:alice".encode()).hexdigest()
    assert "capalist" in first.ask("login_pass", hashedpassword=overheard)
    again = guarded.connect()
    assert again.login_id("alice")["sessionid"] != sessionid
    assert again.ask("login_pass", hashedpassword=overheard)["error_string"] == "login_password"
    first.close()
    again.close()


# --- sizes ---

def works(stack):
    client = stack.client("bob")
    client.close()
    for part in ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw"):
        assert stack.is_ready(part), part


def ends(port, data, limit=20):
    """The connection ends (or says something and ends) without taking more than it should."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(limit)
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                s.sendall(data)
        with contextlib.suppress(ConnectionError):
            while s.recv(65536):
                pass


def http_port(stack, part):
    return stack.programs[part].http


@pytest.mark.parametrize("what", ["a line without an end", "an http request without an end", "a zmtp frame of 2^62 bytes"])
def test_an_oversized_frame_at_each_port(guarded, what):
    state = guarded.programs["state"]
    lines = {"CTI": guarded.programs["cti-gw"].cti, "FAGI": guarded.programs["fagi-gw"].fagi,
             "WEBI": state.listening("WEBI"), "INFO": state.listening("INFO"),
             "HTTP": guarded.programs["http-gw"].api}
    memory = {p: guarded.metric(p, "process_resident_memory_bytes") for p in ("state", "fagi-gw", "cti-gw", "http-gw")}
    if what.startswith("a line"):
        for port in lines.values():
            ends(port, b"agi_x: " + b"x" * 65536)
    elif what.startswith("an http"):
        for part in ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw"):
            ends(http_port(guarded, part), b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 65536)
        ends(guarded.programs["http-gw"].api, b"GET /v1 HTTP/1.1\r\nX: " + b"x" * 65536)
    else:
        greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01" + b"CURVE".ljust(20, b"\0") + b"\0" * 32
        for name in ("publish", "subscribe", "request"):
            ends(guarded.ports[name], greeting + b"\x02" + struct.pack(">Q", 1 << 62) + b"x" * 65536)
    works(guarded)
    for part, before in memory.items():
        assert guarded.metric(part, "process_resident_memory_bytes") < before + (32 << 20), part


def test_a_listener_that_does_not_read():
    """It is cut off; others are told what happens, and nothing of it waits in memory for ever."""
    with Stack(office=("--rate", "10/s"), parts=("sim", "state", "ami-gw", "http-gw"), config={
            "ctibus.api": {"listen": "127.0.0.1:0", "max_output": 65536}}) as s, socket.socket() as silent:
        s.wait_ready()
        gateway, token = s.programs["http-gw"], make_token(s, "alice", "read")
        lists = ",".join(Api(gateway.api, token).get("/v1")["lists"])
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.connect(("127.0.0.1", gateway.api))
        silent.sendall(f"GET /v1/events?events=*&lists={lists} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        other = Listener(gateway.api, token, events="call.ended").live()
        until(lambda: s.metric("http-gw", "ctibus_api_slow_total") == 1, "it is cut off", 60)
        other.next("call.ended")
        assert s.metric("http-gw", "ctibus_api_listeners") == 1
        other.close()


def test_a_bus_body_that_lies(guarded):
    """Five bytes that ask for gigabytes, and other things that are not what they say."""
    memory = guarded.metric("state", "process_resident_memory_bytes")
    bodies = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xffx", b"\x81", b"\xc1", b"\x91" * 100000,
              b"\xdc\xff\xff" * 10000, b"\x81\xa7channel\xa2\xff\xfe", b"\x93\x01", b"", msgpack.packb([1, 2])]
    before = guarded.metric("state", "ctibus_state_events_unknown_total")
    with guarded.socket(zmq.PUB, "publish", "site") as s, guarded.socket(zmq.DEALER, "request", "site") as ask:
        number = 0

        def all_counted():
            nonlocal number
            for body in bodies:
                number += 1
                s.send_multipart([b"tel/xivo/channel/new/", msgpack.packb([1, "liar", 1, number, time.time()]), body])
            return guarded.metric("state", "ctibus_state_events_unknown_total") - before >= len(bodies)
        until(all_counted, "they are counted")
        assert asks(ask)
        ask.recv_multipart()
        for number, body in enumerate(bodies, 10):
            ask.send_multipart([msgpack.packb(1), msgpack.packb(number), b"snapshot", body])
            assert ask.poll(5000), body
            assert ask.recv_multipart()[2] in (b"malformed", b"ok", b"more"), body
    works(guarded)
    assert guarded.metric("state", "process_resident_memory_bytes") < memory + (32 << 20)


# --- many connections ---

@contextlib.contextmanager
def many(port):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sockets = []
    try:
        for _ in range(MANY):
            sockets.append(socket.create_connection(("127.0.0.1", port), 10))
        yield sockets
    finally:
        for s in sockets:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def ended(s):
    s.settimeout(20)
    with contextlib.suppress(ConnectionError):
        while s.recv(4096):
            pass
    return True


def logs_in(s):
    try:
        s.client("alice").close()
        return True
    except (AssertionError, OSError):
        return False


@pytest.mark.parametrize("words", [b"", b'{"class": "login_id", "userlogin": "ali'], ids=["silent", "slow"])
@pytest.mark.parametrize("door", ["cti", "fagi"])
def test_two_thousand_connections_that_do_not_go_on(door, words):
    """Half-open ones and slow ones hold nobody else up, and are gone after their time."""
    part = f"{door}-gw"
    with Stack(parts=("state", part), config=LIMITS) as s:
        s.wait_ready()
        with many(getattr(s.programs[part], door)) as sockets:
            for other in sockets:
                if words:
                    other.sendall(words if door == "cti" else b"agi_network: yes\nagi_net")
            since = time.monotonic()
            if door == "cti":
                # from the same address: it is refused while all of the others are younger than a second
                until(lambda: logs_in(s), "alice is let in", timeout=3)
            else:
                assert ask(s.programs[part].fagi, "callerid_extend") == {"XIVO_SRCTON": "0"}
            assert time.monotonic() - since < 4  # less than their time
            assert all(ended(other) for other in sockets)
        assert s.is_ready(part)
        assert s.metric(part, "process_resident_memory_bytes") < 64 << 20


# ---- connections that break in the worst moment ----

def hello(context, port, routing_id):
    """A gateway of that name on the request port."""
    d = context.socket(zmq.DEALER)
    d.set(zmq.ROUTING_ID, routing_id)
    d.set(zmq.LINGER, 0)
    d.set(zmq.RECONNECT_IVL, -1)
    d.connect(f"tcp://127.0.0.1:{port}")
    d.send_multipart([msgpack.packb(1), msgpack.packb(1), b"hello", msgpack.packb({"service": "x", "instance": "x"})])
    assert d.poll(5000) and d.recv_multipart()[2] == b"ok"
    return d


def test_an_old_connection_breaks_after_its_gateway_has_come_by_another():
    """What a link that is cut one way does: libzmq aborted state when the old one was reset (libzmq issue 4841)."""
    with Stack(parts=("state",), config={"ctibus.bus.heartbeat_ms": 300}) as s:
        s.wait_ready()
        context = Context()
        for n in range(3):
            listener = socket.create_server(("127.0.0.1", 0))
            ends = []

            def relay(listener=listener, ends=ends):
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", s.ports["request"]))
                ends.extend((near, far))
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=copy, args=(a, b), daemon=True).start()

            def copy(a, b):
                with contextlib.suppress(OSError):
                    while data := a.recv(65536):
                        b.sendall(data)

            threading.Thread(target=relay, daemon=True).start()
            old = hello(context, listener.getsockname()[1], b"gateway-%d" % n)
            new = hello(context, s.ports["request"], b"gateway-%d" % n)
            for _ in range(20):  # what it still has to say has nowhere to go
                old.send_multipart([msgpack.packb(1), msgpack.packb(2), b"ping", msgpack.packb({})])
            assert not old.poll(500), "the name belongs to the new one"
            ends[1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for end in ends:
                end.shutdown(socket.SHUT_RD)
                end.close()
            deadline = time.monotonic() + 1.5
            while time.monotonic() < deadline:
                new.send_multipart([msgpack.packb(1), msgpack.packb(3), b"ping", msgpack.packb({})])
                assert new.poll(5000) and new.recv_multipart()[2] == b"ok"
                assert s.programs["state"].process.poll() is None, s.programs["state"].lines[-3:]
                time.sleep(0.1)
            listener.close()
            for d in (old, new):
                d.close(0)
        context.term()


class CutRelay(threading.Thread):
    """One connection to a port, which ends after so many bytes either way: by a reset, at once or after it has let
    nothing through one way for a while."""

    def __init__(self, port, rng):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target = port
        self.budget = rng.randrange(0, 700)
        self.silent = rng.choice((None, 0, 1))
        self.wait = rng.random() * 0.4

    def run(self):
        near, _ = self.listener.accept()
        far = socket.create_connection(("127.0.0.1", self.target))
        left, deadline = self.budget, time.monotonic() + 3
        ends = [near, far]
        with contextlib.suppress(OSError):
            while left > 0 and time.monotonic() < deadline:
                for s in select.select(ends, [], [], 0.2)[0]:
                    data = s.recv(min(left, 65536))
                    left = left - len(data) if data else 0
                    (far if s is near else near).sendall(data)
            if self.silent is not None:  # the other way goes on
                still, deadline = ends[self.silent], time.monotonic() + self.wait
                while time.monotonic() < deadline:
                    if select.select([still], [], [], 0.05)[0]:
                        (far if still is near else near).sendall(still.recv(65536) or b"")
        for s in (near, far):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        self.listener.close()


def test_handshakes_that_are_cut_anywhere(guarded):
    """By reset, or silently one way and then by reset, at each port of the bus."""
    rng = random.Random(4841)
    keys = guarded.keys["site"]
    for _ in range(12):
        context = Context()
        relays = []
        for kind, port in ((zmq.XPUB, "publish"), (zmq.SUB, "subscribe"), (zmq.DEALER, "request")):
            for n in range(8):
                relay = CutRelay(guarded.ports[port], rng)
                relay.start()
                relays.append(relay)
                s = context.socket(kind)
                s.set(zmq.LINGER, 0)
                s.set(zmq.RECONNECT_IVL, -1)
                s.set(zmq.ROUTING_ID, b"cut-%d" % n) if kind == zmq.DEALER else None
                for name in ("CURVE_SERVERKEY", "CURVE_PUBLICKEY"):
                    s.set(getattr(zmq, name), keys["public"].encode())
                s.set(zmq.CURVE_SECRETKEY, keys["secret"].encode())
                s.connect(f"tcp://127.0.0.1:{relay.port}")
                if kind == zmq.SUB:
                    s.subscribe(b"")
                if kind == zmq.DEALER:
                    with contextlib.suppress(zmq.Again):  # cut by now, and it does not connect again
                        s.send_multipart([msgpack.packb(1), msgpack.packb(1), b"hello",
                                          msgpack.packb({"service": "x", "instance": "x"})], zmq.DONTWAIT)
        for relay in relays:
            relay.join(10)
        context.destroy(0)
        for name in ("state", "ami-gw", "cti-gw"):
            assert guarded.programs[name].process.poll() is None, guarded.programs[name].lines[-3:]
    assert guarded.is_ready("state")
    until(lambda: guarded.is_ready("cti-gw"), "all is well")
