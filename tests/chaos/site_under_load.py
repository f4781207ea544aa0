"""A site under load as the tests of its faults see it: clients, those who change things, what must be true of all."""

import collections
import contextlib
import os
import random
import selectors
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from stack import BIN, DATA, free_port, until  # pylint: disable=wrong-import-position

CLIENTS = int(os.environ.get("CHAOS_CLIENTS", "300"))
SEED = int(os.environ.get("CHAOS_SEED", str(random.randrange(1 << 30))))
SANITIZED = "asan" in str(BIN) or "tsan" in str(BIN)
HEAL_S = 15 if SANITIZED else 5
EVENTS_A_SECOND = 200 if SANITIZED else 500
CAPTURES = ("20/02-call-answered.ami", "20/05-hold.ami", "20/11-queue-answered.ami", "20/20-did-incoming.ami",
            "20/90-burst.ami.gz")
USERS = ("alice", "bob", "carol", "erin")
GATEWAYS = ("cti-gw", "cti-gw2")
MEMORY_SLACK = 48 << 20


def captures_of():
    """What the simulator is to play beside the first one."""
    return [o for name in CAPTURES[1:] for o in ("--capture", str(DATA / name))]


def say(*words):
    print(f"{time.strftime('%H:%M:%S')}", *words, flush=True)


# ---- the way to the Asterisk ----

class Relay:
    """TCP to the simulator, which can be cut for a while: connections end, new ones are refused."""

    def __init__(self, target):
        self.target = target
        self.port = free_port()
        self.pairs = []
        self.listener = None
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target), 5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                self.pairs.append((near, far))
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    @staticmethod
    def _copy(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def cut(self):
        # a close() alone would leave accept() waiting, and the port taken
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for pair in self.pairs:
            for s in pair:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
                s.close()
        self.pairs.clear()


# ---- clients ----

class Crowd(threading.Thread):
    """Clients that read all they are sent and look at nothing but whether they are still connected."""

    def __init__(self):
        super().__init__(daemon=True)
        self.selector = selectors.DefaultSelector()
        self.lock = threading.Lock()
        self.ended = collections.Counter()
        self.count = collections.Counter()
        self.received = 0
        self.wake, self.woken = socket.socketpair()
        self.selector.register(self.woken, selectors.EVENT_READ)

    def add(self, stack, part):
        c = stack.client(random.choice(USERS), part=part)
        c.socket.setblocking(False)
        with self.lock:
            self.selector.register(c.socket, selectors.EVENT_READ, part)
            self.count[part] += 1
        self.wake.send(b"x")

    def run(self):
        room = bytearray(1 << 18)
        while True:
            for key, _ in self.selector.select(1):
                try:
                    n = key.fileobj.recv_into(room)
                except BlockingIOError:
                    continue
                except OSError:
                    n = 0
                self.received += n
                if n == 0 and key.data:
                    with self.lock:
                        self.selector.unregister(key.fileobj)
                        self.ended[key.data] += 1
                        self.count[key.data] -= 1
                    key.fileobj.close()


class Writer:
    """Changes a user's service again and again; remembers what was answered as done."""

    def __init__(self, stack, user, user_id):
        self.stack, self.user, self.user_id = stack, user, user_id
        self.refused_is_not_done = True  # else, where an answer may be lost on its way to state, that is not known
        self.answered, self.asked = None, None
        self.writes = 0
        self.client = None

    def write(self):
        self.asked = not self.answered
        try:
            if not self.client:
                self.client = self.stack.client(self.user, part=random.choice(GATEWAYS))
            m = self.client.ask("featuresput", function="enablednd", value=self.asked)
        except (AssertionError, KeyError, IndexError, OSError, TypeError):
            self.client = None  # no answer: done or not
            return
        if m.get("status") == "OK":
            self.answered, self.writes = self.asked, self.writes + 1
        elif self.refused_is_not_done:
            self.asked = self.answered

    def check(self):
        (user,) = self.stack.snapshot("users", self.user_id)
        is_on = bool(user["enablednd"])
        assert self.answered is None or is_on in (self.answered, self.asked), \
            f"{self.user}: answered {self.answered}, asked {self.asked}, is {is_on}"
        self.answered = self.asked = is_on


class Listener(threading.Thread):
    """Follows the numbers of every source, as any monitor may, and notes what is missing."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.monitor = stack.monitor("tel/", "xod/")
        self.seen = {}
        self.gaps = []   # (when, source, plane, how many)
        self.ending = False

    def run(self):
        while not self.ending:
            m = self.monitor.message(1)
            if not m or m[1][3] == 0:
                continue
            topic, (_, source, epoch, seq, _), _ = m
            key = (source, epoch, topic.split("/", 1)[0])
            before = self.seen.get(key)
            if before and seq > before + 1:
                self.gaps.append((time.monotonic(), *key, seq - before - 1))
            self.seen[key] = max(seq, before or 0)


# ---- the site ----

class Site:
    def __init__(self, stack):
        self.stack = stack
        self.believers = {g: self.believer(g) for g in GATEWAYS}
        self.crowd = Crowd()
        self.crowd.start()
        for g in GATEWAYS:
            self.fill(g)
        self.writers = [Writer(stack, "bob", "2"), Writer(stack, "carol", "3")]
        self.listener = Listener(stack)
        self.listener.start()
        self.faults = []  # (from, to, name) of those that explain a gap
        self.why = None

    def believer(self, gateway):
        return self.stack.client("alice", part=gateway).load()

    def fill(self, gateway):
        while self.crowd.count[gateway] < CLIENTS // len(GATEWAYS):
            self.crowd.add(self.stack, gateway)

    def drain(self, skip=None):
        for g, c in self.believers.items():
            if g != skip:
                assert c.drain(0.01), f"a client of {g} was disconnected"
                c.seen.clear()

    def live_for(self, seconds, skip=None):
        """Time goes by: clients read, users change things."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.drain(skip)
            for w in self.writers:
                if skip is None:
                    w.write()
            time.sleep(0.02)

    def pause(self):
        os.kill(self.stack.programs["sim"].process.pid, signal.SIGUSR2)

    def agree(self):
        """Do both gateways' clients and state hold what the simulator does?"""
        truth = self.stack.sim_status()
        known = {(o["list"], o["id"]): o for o in self.stack.snapshot()}
        self.drain()
        channels = sorted(truth["channels"])
        self.why = None
        of_state = sorted(i for name, i in known if name == "channels")
        if of_state != channels:
            more, less = set(of_state) - set(channels), set(channels) - set(of_state)
            self.why = f"state: {len(more)} channels too many ({sorted(more)[:5]}), {len(less)} missing ({sorted(less)[:5]})"
            return False
        for (name, _), o in known.items():
            hint = truth["hints"].get(f"{o.get('number')}@{o.get('context')}") if name == "phones" else None
            if hint is not None and o["hintstatus"] != str(hint):
                self.why = f"state: hint of {o['id']} is {o['hintstatus']}, not {hint}"
                return False
        of_phones = sorted({c for (name, _), o in known.items() if name == "phones" for c in o["channels"] or []})
        return all(self.holds(g, c, of_phones, known) for g, c in self.believers.items())

    def holds(self, gateway, client, of_phones, known):
        """Clients are told the channels of phones; of others they know only that they are gone."""
        has = {i for name, i in client.view if name == "channels"}
        wrong = (set(of_phones) - has) | {i for i in has if ("channels", i) not in known}
        if wrong:
            self.why = f"a client of {gateway}: {wrong}"
            return False
        for key, fields in client.view.items():
            wrong = {f: (v, known.get(key, {}).get(f)) for f, v in fields.items() if known.get(key, {}).get(f) != v}
            if wrong and key[0] in ("phones", "users", "channels"):
                self.why = f"a client of {gateway}: {key}: {wrong}"
                return False
        return True

    def heals(self, since):
        """Every view equals the simulator's, HEAL_S after `since`. The simulator stands still for it, since no two
        looks are of the same moment."""
        s = self.stack
        until(lambda: s.snapshot("ipbx")[0]["link"] == "up", "the link is up", HEAL_S)
        self.pause()
        try:
            until(self.agree, "every view is right", max(0.5, HEAL_S - (time.monotonic() - since)))
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.why}") from None
        finally:
            self.pause()
        took = time.monotonic() - since
        for w in self.writers:
            w.check()
        return took

    def used(self):
        """What each process that does not end here has: memory, descriptors."""
        return {p: (self.stack.metric(p, "process_resident_memory_bytes"), self.stack.metric(p, "process_open_fds"))
                for p in self.stack.programs if p != "sim" and not p.startswith("state-")}
