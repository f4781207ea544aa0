"""The whole stack, driven from outside: real programs, real sockets, nothing of ours linked in."""

import atexit
import collections
import contextlib
import hashlib
import itertools
import json
import os
import pathlib
import random
import re
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import msgpack
import zmq

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CTIBUS_BIN", ROOT / "build" / "bin"))
DATA = ROOT / "tests" / "data" / "ami"
SANITIZED = "asan" in str(BIN) or "tsan" in str(BIN)  # several times slower, and larger
TIMEOUT = 30
TOKEN = "a-token-of-the-tests"
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
PORTS = itertools.cycle(random.sample(range(10000 + 2000 * WORKER, 12000 + 2000 * WORKER), 2000))


def until(condition, what, timeout=TIMEOUT):
    """Waits for a condition; what it returned when it became true."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(0.02)


def free_port():
    """A port to bind later, and again after a restart. Not from the range that the kernel gives to outgoing
    connections, and each worker of pytest has ports of its own: nobody takes it in between."""
    for port in PORTS:
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


class Program:
    """One program of ours; its log is kept line by line."""

    def __init__(self, command, env=None):
        self.lines = []
        self.process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, env={**os.environ, **(env or {})},
                                        stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def listening(self, name, timeout=TIMEOUT):
        """The port of a socket, as the program logs it."""
        def find():
            for line in list(self.lines):
                m = re.search(rf"listening name={name} address=\S+ port=(\d+)", line)
                if m:
                    return int(m[1])
            assert self.process.poll() is None, "\n".join(self.lines)
            return None
        return until(find, f"listening name={name}", timeout)

    def logged(self, text):
        return self.count(text) > 0

    def says(self, text):
        """It has logged this, or is about to: its log is written by a thread of its own."""
        until(lambda: self.logged(text), f"logged: {text}", 10)

    def count(self, text):
        """How many of its log lines have this in them."""
        return sum(text in line for line in list(self.lines))

    def handles(self, number):
        """Whether it has a handler for this signal by now."""
        return self._has_signal("SigCgt", number)

    def has_pending(self, number):
        """Whether this signal was sent to it and has not arrived."""
        return self._has_signal("ShdPnd", number)

    def _has_signal(self, field, number):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s*(\w+)", status, re.M)[1], 16) >> (number - 1) & 1

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout=10):
        """A clean stop: SIGTERM is sent once there is a handler for it, or it would end a program that has just begun."""
        until(lambda: self.process.poll() is not None or self.handles(signal.SIGTERM), "a handler of SIGTERM", timeout)
        self.process.terminate()
        return self.process.wait(timeout)


class Stack:
    """state, ami-gw and any number of cti-gw against the simulator. Ports are fixed at the start so
    that a part can be killed and started again."""

    ROOT = ROOT
    new_database = None  # makes one for state, and returns its URI; None: a file of SQLite in the folder

    def __init__(self, capture="20/02-call-answered.ami", pace="real", users=None, lines=None,
                 config=None, sim_args=(), parts=("sim", "state", "ami-gw", "cti-gw"), office=None):
        """office: the arguments of a simulated company, which is then played instead of the capture."""
        self.dir = tempfile.TemporaryDirectory(prefix="ctibus-test-")
        self.capture = capture
        self.pace = pace
        self.sim_args = sim_args
        self.office = office
        self.site = ROOT / "config" / "demo"
        self.ports = {n: free_port() for n in ("publish", "subscribe", "request", "ami", "status",
                                               "state", "ami-gw")}
        self.programs = {}
        self.config = self.path("ctibus.json")  # what services are started with
        self._write(users, lines, config or {})
        for part in parts:
            self.start(part)

    def _write(self, users, lines, extra):
        p = self.ports
        if self.office is not None:
            self.site = self.path("company")
            self.site.mkdir()
            subprocess.run([BIN / "ctibus-asterisk-sim", "--write-lists", self.site, *self.office], check=True)
        site = json.loads((self.site / "ctibus.json").read_text())
        site["main"]["incoming_tcp"] = {n: ["127.0.0.1", 0, True] for n in ("CTI", "FAGI", "WEBI", "INFO")}
        site["main"]["incoming_udp"] = {"ANNOUNCE": ["127.0.0.1", 0, True]}
        site["ipbxes"]["xivo"]["ipbx_connection"]["ipport"] = p["ami"]
        site["ctibus"] = {
            "bus": {n: f"tcp://127.0.0.1:{p[n]}" for n in ("publish", "subscribe", "request")},
            "http": {"state": f"127.0.0.1:{p['state']}", "ami-gw": f"127.0.0.1:{p['ami-gw']}",
                     "cti-gw": "127.0.0.1:0", "fagi-gw": "127.0.0.1:0",
                     "http-gw": "127.0.0.1:0", "federation": "127.0.0.1:0"},
            "api": {"listen": "127.0.0.1:0"},
            "console": {"socket": "console.sock", "token": TOKEN},
            "cti": {"drain_seconds": 0},
            **({"database": Stack.new_database()} if Stack.new_database else {}),
            **{n: v for n, v in site["ctibus"].items() if n == "agents"}}
        for path, value in extra.items():
            at = site
            *outer, last = path.split(".")
            for key in outer:
                at = at.setdefault(key, {})
            at[last] = value
        self.path("ctibus.json").write_text(json.dumps(site))
        for given in self.site.iterdir():
            if given.suffix in (".json", ".csv") and given.name != "ctibus.json":
                self.path(given.name).write_text(given.read_text())
        for name, given in (("users", users), ("lines", lines)):
            if given is not None:
                self.path(f"{name}.json").write_text(json.dumps(given))

    def set(self, key, value):
        """Changes a key of the configuration, for what is started from now on."""
        site = json.loads(self.path("ctibus.json").read_text())
        at = site
        *outer, last = key.split(".")
        for part in outer:
            at = at.setdefault(part, {})
        at[last] = value
        self.path("ctibus.json").write_text(json.dumps(site))

    def path(self, name):
        return pathlib.Path(self.dir.name) / name

    def rows(self, sql):
        """What the database of state has, each row as a tuple of texts; names that PostgreSQL has words for in quotes."""
        uri = json.loads(self.path("ctibus.json").read_text())["ctibus"].get("database", "sqlite:ctibus.db")
        if uri.startswith("postgresql:"):
            out = subprocess.run(["psql", "-XAtq", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", uri.replace("?encoding=utf8", ""),
                                  "-c", sql], capture_output=True, text=True, check=True, timeout=TIMEOUT)
            return [tuple(line.split("\x1f")) for line in out.stdout.splitlines()]
        with sqlite3.connect(self.path(uri.removeprefix("sqlite:")), timeout=TIMEOUT) as db:
            return [tuple("" if v is None else str(v) for v in row) for row in db.execute(sql)]

    def start(self, part, doors=("CTI",)):
        """Starts a part: sim, state, ami-gw, or cti-gw or fagi-gw, also several of them (cti-gw2). `doors`: what a
        cti-gw is to listen for; the port of CTIS is its .ctis."""
        if part == "sim":
            played = ["--capture", DATA / self.capture, "--pace", self.pace] if self.office is None \
                else ["--office", *self.office]
            program = Program([BIN / "ctibus-asterisk-sim", "--listen", f"127.0.0.1:{self.ports['ami']}",
                               "--status", f"127.0.0.1:{self.ports['status']}", *played, *self.sim_args])
            program.listening("ami")
        else:
            service = part.rstrip("0123456789")
            program = Program([BIN / f"ctibus-{service}", "--config", self.config])
            program.http = self.ports.get(service) or program.listening("metrics")
            if service == "federation" and "peer" in self.path("ctibus.json").read_text():
                program.listening("peers-request")
            if service == "fagi-gw":
                program.fagi = program.listening("FAGI")
            if service == "http-gw":
                program.api = program.listening("http")
            if service == "cti-gw":
                for door in doors:
                    setattr(program, door.lower(), program.listening(door))
        self.programs[part] = program
        return program

    def second_asterisk(self, ipbx, capture):
        """Another simulator with a gateway of its own, for an ipbx that the configuration has already."""
        port = free_port()
        site = json.loads(self.path("ctibus.json").read_text())
        site["ipbxes"][ipbx]["ipbx_connection"]["ipport"] = port
        self.path("ctibus.json").write_text(json.dumps(site))
        site["ctibus"]["http"]["ami-gw"] = "127.0.0.1:0"
        self.path(f"{ipbx}.json").write_text(json.dumps(site))
        self.programs[f"sim-{ipbx}"] = Program([BIN / "ctibus-asterisk-sim", "--listen", f"127.0.0.1:{port}",
                                                "--capture", DATA / capture])
        self.programs[f"ami-gw-{ipbx}"] = Program([BIN / "ctibus-ami-gw", "--config", self.path(f"{ipbx}.json"),
                                                   "--ipbx", ipbx])
        self.programs[f"ami-gw-{ipbx}"].http = self.programs[f"ami-gw-{ipbx}"].listening("metrics")

    def kill(self, part):
        self.programs.pop(part).kill()

    def is_ready(self, part):
        try:
            url = f"http://127.0.0.1:{self.programs[part].http}/readyz"
            return urllib.request.urlopen(url, timeout=2).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait_ready(self, *parts, timeout=TIMEOUT):
        for part in parts or [p for p in self.programs if p != "sim"]:
            until(lambda: self.is_ready(part), f"{part} ready", timeout)
        return self

    def metric(self, part, name):
        url = f"http://127.0.0.1:{self.programs[part].http}/metrics"
        for line in urllib.request.urlopen(url, timeout=5).read().decode().splitlines():
            if re.match(rf"{name}[ {{]", line):
                return float(line.split()[-1])
        raise KeyError(name)

    def sim_status(self):
        with socket.create_connection(("127.0.0.1", self.ports["status"]), 5) as s:
            return json.loads(s.makefile("rb").read())

    def client(self, user="alice", password=None, part="cti-gw", **login):
        c = Client(self.programs[part].cti)
        c.login(user, password or user, **login)
        return c

    def connect(self, part="cti-gw", **options):
        return Client(self.programs[part].cti, **options)

    def snapshot(self, *what):
        r = subprocess.run([BIN / "ctibus", "--config", self.path("ctibus.json"), "snapshot", *what],
                           stdout=subprocess.PIPE, timeout=TIMEOUT, text=True, check=True)
        return [json.loads(line) for line in r.stdout.splitlines()]

    def monitor(self, *prefixes):
        return Monitor(self.ports["subscribe"], prefixes)

    def stop(self):
        codes = {}
        order = ("federation", "http-gw", "cti-gw", "fagi-gw", "ami-gw", "state", "sim")
        for name in sorted(self.programs, key=lambda n: next(i for i, o in enumerate(order) if n.startswith(o))):
            codes[name] = self.programs[name].terminate()
        problems = [line for p in self.programs.values() for line in p.lines
                    if "Sanitizer" in line or "runtime error" in line]
        assert not problems, "\n".join(problems)
        return codes

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                codes = self.stop()
                last = {n: self.programs[n].lines[-5:] for n, code in codes.items() if code != 0}
                assert not last, (codes, last)
        finally:
            for name, p in self.programs.items():
                if p.process.poll() is None:
                    p.kill()
                if kind is not None:
                    print(f"--- {name}\n" + "\n".join(p.lines[-30:]))
            self.dir.cleanup()


CONTEXTS = {}  # that are not closed, with their sockets


class Context(zmq.Context):
    """Does not wait for what its sockets have to send. One that a failed test leaves open is not collected as garbage,
    which would wait for its sockets for ever, but closed at the end."""

    def __init__(self):
        super().__init__()
        self.linger = 0
        CONTEXTS[id(self)] = (self, [])

    def socket(self, *args, **kwargs):
        made = super().socket(*args, **kwargs)
        CONTEXTS[id(self)][1].append(made)
        return made

    def term(self):
        super().term()
        CONTEXTS.pop(id(self), None)


@atexit.register
def close_contexts():
    for context, sockets in list(CONTEXTS.values()):
        for one in sockets:
            one.close(0)
        context.term()


class Client:
    """A CTI client: a socket, lines of JSON, and what it believes of the world."""

    def __init__(self, port, receive_buffer=None, source=None):
        self.socket = socket.socket()
        self.socket.settimeout(TIMEOUT)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.whole = collections.deque()  # lines that came and were not taken yet
        self.part = b""                   # what came of the line after them
        self.commandid = 0
        self.view = {}      # (list, id) -> status and config
        self.seen = []      # every line that came unasked

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, cls, **fields):
        self.commandid += 1
        self.raw(json.dumps({"class": cls, "commandid": self.commandid, **fields}).encode() + b"\n")
        return self.commandid

    def line(self, timeout=TIMEOUT):
        """The next line as an object; None at the end of the connection."""
        while not self.whole:
            if not self.receive(timeout):
                return None
        return self.take(json.loads(self.whole.popleft()))

    def receive(self, timeout):
        """Waits for bytes; False at the end of the connection."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            return False
        if not data:
            return False
        *whole, self.part = (self.part + data).split(b"\n")
        self.whole.extend(whole)
        return True

    def take(self, message):
        assert isinstance(message["timenow"], float)
        if message.get("class") == "getlist" and "replyid" not in message:
            self.seen.append(message)
        if message.get("class") == "getlist":
            self.believe(message)
        return message

    def believe(self, m):
        if not isinstance(m.get("tid"), (str, int, type(None))) or not isinstance(m.get("listname"), str):
            return  # an answer to nonsense
        if m.get("function") in ("updateconfig", "updatestatus"):
            at = self.view.setdefault((m["listname"], m["tid"]), {})
            at.update(m["config" if m["function"] == "updateconfig" else "status"])
        elif m.get("function") == "delconfig":
            for i in m["list"]:
                self.view.pop((m["listname"], i), None)

    def ask(self, cls, **fields):
        """Sends and waits for the answer to it."""
        n = self.send(cls, **fields)
        while True:
            m = self.line()
            assert m is not None, "connection ended"
            if m.get("replyid") == n:
                return m

    def login_id(self, user, **fields):
        return self.ask("login_id", **{"userlogin": user, "company": "xivo", "ident": "X11-LE-1",
                                       "xivoversion": "1.2", **fields})

    def login(self, user, password, state="available", lastconnwins=False, encoding="utf-8",
              accepts=()):
        sessionid = self.login_id(user, **({"accepts": list(accepts)} if accepts else {}))["sessionid"]
        hashed = hashlib.sha1(sessionid.encode() + b":" + password.encode(encoding)).hexdigest()
        capaid = self.ask("login_pass", hashedpassword=hashed)["capalist"][0]
        m = self.ask("login_capas", capaid=capaid, state=state, loginkind="user",
                     lastconnwins=lastconnwins)
        assert "error_string" not in m, m
        assert self.line()["function"] == "updateconfig"
        assert self.line()["function"] == "updatestatus"
        return m

    def login_with(self, user, capaid, **fields):
        """With a profile and whatever else; the password is the name. The answer to login_capas."""
        sessionid = self.login_id(user)["sessionid"]
        self.ask("login_pass", hashedpassword=hashlib.sha1(f"{sessionid}:{user}".encode()).hexdigest())
        return self.ask("login_capas", **{"capaid": capaid, "state": "available", "loginkind": "user",
                                          "lastconnwins": False, **fields})

    def load(self):
        """Asks for everything, as the clients of 2012 do."""
        for name in ("users", "phones"):
            for i in self.ask("getlist", function="listid", listname=name, tipbxid="xivo")["list"]:
                for function in ("updateconfig", "updatestatus"):
                    self.ask("getlist", function=function, listname=name, tipbxid="xivo", tid=i)
        for (name, _), fields in list(self.view.items()):
            if name == "phones":
                for channel in fields.get("channels", []):
                    self.ask("getlist", function="updatestatus", listname="channels", tipbxid="xivo",
                             tid=channel)
        return self

    def drain(self, seconds=0.2):
        """Reads what there is until nothing comes for a while; False at the end of the connection."""
        while True:
            try:
                if self.line(seconds) is None:
                    return False
            except (TimeoutError, socket.timeout):
                return True

    def wait(self, condition, what, timeout=TIMEOUT):
        end = time.monotonic() + timeout
        while not condition():
            left = end - time.monotonic()
            try:
                assert left > 0 and self.line(max(left, 0.01)) is not None
            except (TimeoutError, AssertionError):
                raise AssertionError(f"not within {timeout} s: {what}") from None

    def status(self, name, tid):
        return self.view.get((name, tid), {})

    def skip(self, seconds=0.1):
        """Throws away what comes in that time, which may be endless; False at the end of the connection."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                if not self.receive(left):
                    return False
            except (TimeoutError, socket.timeout):
                break
            self.whole.clear()
        return True

    def closed(self, timeout=TIMEOUT):
        """Reads to the end; what came before it."""
        lines = []
        while True:
            m = self.line(timeout)
            if m is None:
                return lines
            lines.append(m)

    def close(self):
        self.socket.close()


class Monitor:
    """A foreign monitoring tool: pyzmq and msgpack."""

    def __init__(self, port, prefixes):
        self.context = Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.set_hwm(1000000)
        self.socket.connect(f"tcp://127.0.0.1:{port}")
        for p in prefixes or ("",):
            self.socket.subscribe(p.encode())

    def message(self, timeout=TIMEOUT):
        """(topic, [version, source, epoch, seq, time], body), or None."""
        if not self.socket.poll(timeout * 1000):
            return None
        topic, meta, body = self.socket.recv_multipart()
        return topic.decode(), msgpack.unpackb(meta), msgpack.unpackb(body)

    def wait(self, topic, timeout=TIMEOUT):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            m = self.message(max(0.01, end - time.monotonic()))
            if m and m[0].startswith(topic):
                return m
        raise AssertionError(f"nothing published on {topic} within {timeout} s")

    def close(self):
        self.socket.close(0)
        self.context.term()


def signal_of(program, number):
    """A signal that a program handles would end it as long as it has only begun to start."""
    if number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        until(lambda: program.handles(number), f"it handles {number!r}")
        os.kill(program.process.pid, number)
        # until it has arrived: the next one before that would be the same signal
        until(lambda: not program.has_pending(number), f"it takes {number!r}")
    else:
        os.kill(program.process.pid, number)


__all__ = ["Stack", "Client", "Context", "Monitor", "Program", "until", "free_port", "BIN", "DATA", "ROOT",
           "TIMEOUT", "TOKEN", "signal", "signal_of"]
