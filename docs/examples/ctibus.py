"""Programs on ctibus's bus: Program answers messages of CTI clients, scripts of the dialplan, or what sheets show; Copy knows all
that state knows.

Debian: python3-zmq, python3-msgpack. invite_confroom.py and crm_sheet.py are Programs, monitor.py uses a Copy. Where the bus is, and the key of CURVE:

    CTIBUS_REQUEST     tcp://127.0.0.1:5552, where state takes requests; of two states both, with a space between them
    CTIBUS_SUBSCRIBE   tcp://127.0.0.1:5551, where it publishes; likewise
    CTIBUS_KEY         own certificate, of `ctibus keygen --role gateway`, or `--role monitor` for a Copy (default: without CURVE)
    CTIBUS_SERVER_KEY  that of state
"""
import collections
import itertools
import os
import time
import urllib.parse

import msgpack
import zmq
import zmq.auth


class Refused(Exception):
    """State, or an Asterisk, has not done what was asked for: the status, and what was said."""


def connected(kind, endpoints, immediate=False):
    """Connected to one or more: of two states only the active one publishes. immediate: nothing waits for one that is not there."""
    socket = zmq.Context.instance().socket(kind)
    socket.setsockopt(zmq.IMMEDIATE, immediate)
    if os.environ.get("CTIBUS_KEY"):
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(os.environ["CTIBUS_KEY"])
        socket.curve_serverkey, _ = zmq.auth.load_certificate(os.environ["CTIBUS_SERVER_KEY"])
    for endpoint in endpoints.split():
        socket.connect(endpoint)
    return socket


class Program:
    def __init__(self, service, endpoint=None):
        self.service, self.instance = service, f"{service}-{os.getpid()}"
        endpoints = (endpoint or os.environ.get("CTIBUS_REQUEST", "tcp://127.0.0.1:5552")).split()
        self.states = [connected(zmq.DEALER, one, len(endpoints) > 1) for one in endpoints]
        self.state = self.states[0]
        self.ids, self.waiting, self.epoch, self.hello = itertools.count(1), collections.deque(), None, 0
        self.classes, self.scripts, self.sheets = [], {}, None

    # ---- what it answers ----

    def cti(self, name, **options):
        """fn(call) answers messages of this class: call has ipbx, session, user, login, class and message; what it returns
        are the fields of the line that the client gets. options: those of worker.register in docs/bus.md."""
        def decorate(fn):
            self.classes.append((name, fn, options))
            return fn
        return decorate

    def script(self, name):
        """fn(call) answers AGI(agi://HOST/NAME): ipbx, channel, uniqueid, args, env; it returns variables to set."""
        def decorate(fn):
            self.scripts[name] = fn
            return fn
        return decorate

    def sheet(self, **options):
        """fn(call) says what is known of a call: call has number, name, queue, user... of docs/bus.md; it returns a map, whose
        members displays show as {program-NAME}. options: those of worker.register, such as events."""
        def decorate(fn):
            self.sheets = (fn, options)
            return fn
        return decorate

    # ---- what it may ask for ----

    def ask(self, method, **body):
        """A request to state; the bodies of all parts of its answer."""
        number, parts = self._send(method.encode(), body), []
        while True:
            frames = self._receive(10000)
            if not frames:
                raise Refused("timeout", method)
            if msgpack.unpackb(frames[1]) != number:
                self.waiting.append(frames)
                continue
            parts.append(msgpack.unpackb(frames[3]))
            if frames[2] == b"ok":
                return parts
            if frames[2] != b"more":
                raise Refused(frames[2].decode(), parts[-1])

    def snapshot(self, ipbx, name):
        """What state knows of a list, by ids: program.snapshot("xivo", "phones")["11"]["number"]."""
        return {i: fields for part in self.ask("snapshot", list=name) for site, _, i, fields in part["objects"] if site == ipbx}

    def action(self, ipbx, name, **headers):
        """An action of AMI; what the Asterisk answers."""
        answer = self.ask("ami.action", ipbx=ipbx, action=name, headers=headers)[-1]
        if answer.get("response") not in ("Success", "Goodbye", "Pong"):
            raise Refused(answer.get("response"), answer.get("message"))
        return answer

    def line(self, ipbx, users, **fields):
        """A line to clients of these users (ids), with the class and the fields that it is to have."""
        self._send(b"cti.line", {"ipbx": ipbx, "users": list(users), "line": fields})

    def line_about(self, thing, **fields):
        """The same to all who may see it: program.line_about("queue:xivo/1", **{"class": "crm_note"}, text="closed")."""
        self._send(b"cti.line", {"object": thing, "line": fields})

    # ---- for ever ----

    def run(self):
        self._register()
        while True:
            frames = self.waiting.popleft() if self.waiting else self._receive(1000)
            if frames:
                self._handle(*frames[1:])
            elif self.find_active() is not self.state:
                self._register()
            else:
                self._send(b"ping", {})

    def find_active(self):
        """Of two states the one that says that it is active, with the highest term (docs/ha.md); the present one while
        none does."""
        terms = {}
        for socket in self.states if len(self.states) > 1 else []:
            number, end = next(self.ids), time.monotonic() + 0.5
            body = {"service": self.service, "instance": self.instance, "version": "1"}
            try:
                socket.send_multipart([msgpack.packb(1), msgpack.packb(number), b"hello", msgpack.packb(body)], zmq.NOBLOCK)
            except zmq.Again:
                continue
            while socket.poll(max(0, int((end - time.monotonic()) * 1000))):
                frames = socket.recv_multipart()
                if msgpack.unpackb(frames[1]) == number:
                    if frames[2] == b"ok":
                        terms[socket] = msgpack.unpackb(frames[3]).get("term", 0)
                    break
                if socket is self.state:
                    self.waiting.append(frames)
        return max(terms, key=terms.get) if terms else self.state

    def _handle(self, number, word, body):
        number, body = msgpack.unpackb(number), msgpack.unpackb(body)
        if word == b"cti.message":
            self._answer(number, body, [fn for name, fn, _ in self.classes if name == body["class"]][0])
        elif word == b"fagi.call":
            self._answer(number, body, lambda call: {"variables": self.scripts[call["script"]](call)})
        elif word == b"sheet.call":
            self._answer(number, body, lambda call: {"fields": self.sheets[0](call)})
        elif word == b"ping":
            self._send(b"ok", {}, number)
        elif number == self.hello:
            self.epoch = body.get("epoch")
            print("registered", flush=True)
        elif word in (b"unknown_peer", b"not_active") or body.get("epoch", self.epoch) != self.epoch:
            self._register()  # state was restarted
        elif word in (b"denied", b"malformed", b"not_found", b"busy"):
            print(f"state refuses: {word.decode()}", flush=True)

    def _answer(self, number, call, fn):
        try:
            self._send(b"ok", fn(call) or {}, number)
        except Exception as wrong:  # pylint: disable=broad-exception-caught
            print(f"{fn}: {wrong!r}", flush=True)
            self._send(b"failed", {}, number)

    def _register(self):
        self.state = self.find_active()
        self.epoch = None
        self.hello = self._send(b"hello", {"service": self.service, "instance": self.instance, "version": "1"})
        for n, (name, _, options) in enumerate(self.classes):
            self._send(b"worker.register", {"kind": "cti", "classes": [name], "more": n > 0, **options})
        if self.scripts:
            self._send(b"worker.register", {"kind": "fagi", "scripts": list(self.scripts)})
        if self.sheets:
            self._send(b"worker.register", {"kind": "sheet", **self.sheets[1]})

    def _send(self, word, body, number=None):
        number = number or next(self.ids)
        self.state.send_multipart([msgpack.packb(1), msgpack.packb(number), word, msgpack.packb(body)])
        return number

    def _receive(self, timeout):
        return self.state.recv_multipart() if self.state.poll(timeout) else None


def messages(ipbx, *classes):
    """For ever: what clients asked for, of these classes (none: of all), and what came of it: the bodies of docs/bus.md."""
    socket = connected(zmq.SUB, os.environ.get("CTIBUS_SUBSCRIBE", "tcp://127.0.0.1:5551"))
    for topic in [f"{name}/" for name in classes] or [""]:
        socket.subscribe(f"cti/{ipbx}/message/{topic}")
    while True:
        yield msgpack.unpackb(socket.recv_multipart()[2])


class Copy:
    """What state knows, kept up to date, whenever it begins: objects[ipbx, list, id] are the fields of docs/bus.md."""

    def __init__(self, service, subscribe=None, request=None):
        self.program, self.objects, self.seen = Program(service, request), {}, {}
        self.epoch = self.number = None
        self.changes_of_state = connected(zmq.SUB, subscribe or os.environ.get("CTIBUS_SUBSCRIBE", "tcp://127.0.0.1:5551"))
        self.changes_of_state.subscribe("xod/")  # the whole plane, whose numbers show what is missing
        self.changes_of_state.subscribe("svc/state/")  # heartbeats, which tell the last number of each plane every 2 s

    def changes(self):
        """For ever: (ipbx, list, id, fields, changed). First all that there is; fields None: it is gone."""
        while True:
            before = self.objects
            self._load()
            for key in [k for k in before if k not in self.objects]:
                yield (*key, None, {})
            for key, fields in self.objects.items():
                if fields != before.get(key):
                    yield (*key, fields, fields)
            while (change := self._next()) is not False:
                if change:
                    yield change

    def _load(self):
        """Until the subscription is active nothing would be heard between the snapshot and the changes after it."""
        while True:
            try:
                self.program.waiting.clear()  # answers that came too late
                self.program.state = self.program.find_active()
                self.program.ask("hello", service=self.program.service, instance=self.program.instance, version="1")
                echo = f"xod/echo/{self.program.instance}/".encode()
                topic = None
                while topic != echo:
                    self.program.ask("echo", plane="xod")
                    if self.changes_of_state.poll(50):
                        topic, meta, _ = self.changes_of_state.recv_multipart()
                parts = self.program.ask("snapshot")
                self.objects, self.seen, self.epoch = {}, {}, msgpack.unpackb(meta)[2]
                self.number = min(part["seq"] for part in parts)  # all changes up to it are known
                for part in parts:
                    for ipbx, name, i, fields in part["objects"]:
                        self.objects[ipbx, name, i], self.seen[ipbx, name, i] = fields, part["seq"]
                return
            except Refused as why:
                print(f"state: {why}", flush=True)

    def _next(self):
        """The next change; None: one that changes nothing here; False: some are missing, state was restarted or is silent."""
        if not self.changes_of_state.poll(6000):
            return False
        topic, meta, body = self.changes_of_state.recv_multipart()
        _, _, epoch, number, _ = msgpack.unpackb(meta)
        body, beat = msgpack.unpackb(body), topic.startswith(b"svc/")
        last = body["seq"]["xod"] if beat else number
        if epoch != self.epoch or last > self.number + (0 if beat else 1):
            return False
        self.number = max(self.number, last)
        if beat or number == 0:  # 0: an echo
            return None
        _, ipbx, _, name, i, _ = (urllib.parse.unquote(part) for part in topic.decode().split("/"))
        key = (ipbx, name, i)
        if number <= self.seen.get(key, 0) or (body["op"] == "update" and key not in self.objects):
            return None  # the snapshot has it
        if body["op"] == "del":
            self.objects.pop(key, None)
            return (*key, None, {})
        self.objects[key] = {**self.objects.get(key, {}), **body["fields"]}
        return (*key, self.objects[key], body["fields"])
