"""A whole site under load, to which one thing after another happens: after each every view is right again within
seconds, nobody else notices, and nothing that was answered is lost.

CHAOS_SECONDS (120) says for how long, CHAOS_CLIENTS (300) with how many clients; CHAOS_SEED repeats a run. `make chaos
MINUTES=60` is the long one.
"""

import collections
import contextlib
import os
import random
import resource
import selectors
import signal
import socket
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from stack import BIN, DATA, Client, Stack, free_port, until  # pylint: disable=wrong-import-position

SECONDS = int(os.environ.get("CHAOS_SECONDS", "120"))
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
        else:
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
    def __init__(self, stack, relay):
        self.stack, self.relay = stack, relay
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
            self.why = f"state: {set(of_state) ^ set(channels)}"
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
        return {p: (self.stack.metric(p, "process_resident_memory_bytes"), self.stack.metric(p, "process_open_fds"))
                for p in ("state", "ami-gw", *GATEWAYS)}


# ---- what happens ----

class Faults:
    def __init__(self, site):
        self.site, self.stack = site, site.stack
        self.young = set()  # processes that were started anew: what they use is not compared

    def restart(self, part, kill):
        """Its clients come back; nobody else's notice."""
        if kill:
            self.stack.kill(part)
        else:
            self.stack.programs.pop(part).terminate()
        self.young.add(part)
        time.sleep(random.choice((0, 0.2, 1.5)))  # how long it is away
        self.stack.start(part)
        self.stack.wait_ready(part)
        if part in GATEWAYS:
            self.site.believers[part] = self.site.believer(part)

    def killed(self, part):
        self.restart(part, True)

    def restarted(self, part):
        self.restart(part, False)

    def stopped(self, part):
        """Stands still, as a machine that swaps or a debugger makes it."""
        seconds = random.choice((0.5, 2, 8))
        process = self.stack.programs[part].process
        process.send_signal(signal.SIGSTOP)
        try:
            # a client of the one that stands still hears nothing, and nobody may wait for it here
            self.site.live_for(seconds, skip=part)
        finally:
            process.send_signal(signal.SIGCONT)
        self.stack.wait_ready()

    def cut(self, seconds):
        self.site.relay.cut()
        self.site.live_for(seconds)
        self.site.relay.open()
        until(lambda: self.stack.is_ready("ami-gw"), "the Asterisk that is back is found", 3 if not SANITIZED else 8)

    def cut_short(self):
        self.cut(0.2)

    def cut_long(self):
        self.cut(random.choice((3, 8, 25)))

    def disk_full(self):
        """State can make no file larger than it is now."""
        pid = self.stack.programs["state"].process.pid
        size = max(self.stack.path(n).stat().st_size for n in ("ctibus.db", "ctibus.db-wal"))
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        try:
            self.site.live_for(3)
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        until(lambda: self.stack.metric("state", "ctibus_state_database_up") == 1, "it writes again", 10)

    def few_descriptors(self):
        """A gateway has none left, while strangers come."""
        part = random.choice(GATEWAYS)
        program = self.stack.programs[part]
        few = int(self.stack.metric(part, "process_open_fds")) + 8
        before = resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (few, before[1]))
        strangers = []
        try:
            for _ in range(40):
                s = socket.socket()
                s.settimeout(1)
                with contextlib.suppress(OSError):
                    s.connect(("127.0.0.1", program.cti))
                strangers.append(s)
            self.site.live_for(1)
        finally:
            for s in strangers:
                s.close()
            resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, before)

    def all_of_them(self):
        parts = ("state", "ami-gw", *GATEWAYS)
        return [(f"{what.__name__} {p}", lambda what=what, p=p: what(p)) for p in parts
                for what in (self.killed, self.restarted, self.stopped)] + [
            ("cut_short", self.cut_short), ("cut_long", self.cut_long), ("disk_full", self.disk_full),
            ("few_descriptors", self.few_descriptors)]


def one_fault(site, faults, name, fault):
    stay = [g for g in GATEWAYS if not (name.endswith(f" {g}") and not name.startswith("stopped"))]
    ended = {g: site.crowd.ended[g] for g in stay}
    began = time.monotonic()
    fault()
    over = time.monotonic()
    took = site.heals(over)
    site.faults.append((began, time.monotonic(), name))
    for g in stay:
        assert site.crowd.ended[g] == ended[g], f"{name}: clients of {g} were disconnected"
    for g in GATEWAYS:
        site.fill(g)
    say(f"{name}: {over - began:.1f} s, right again after {took:.1f} s")


def check_gaps(site):
    """Numbers may be missing only while something stood still or was away."""
    for at, source, _, plane, n in site.listener.gaps:
        assert any(a - 1 <= at <= b + 1 for a, b, _ in site.faults), f"{n} of {source} on {plane} are missing for no reason"


def check_use(site, faults, base):
    for part, (memory, fds) in site.used().items():
        if part in faults.young:
            continue
        assert fds <= base[part][1] + 12, f"{part}: {base[part][1]} descriptors at first, {fds} at the end"
        assert SANITIZED or memory <= base[part][0] + MEMORY_SLACK, \
            f"{part}: {base[part][0] / 1e6:.0f} MB at first, {memory / 1e6:.0f} MB at the end"


@pytest.mark.timeout(SECONDS * 2 + 300)
def test_chaos():
    say(f"CHAOS_SEED={SEED}, {SECONDS} s, {CLIENTS} clients, {EVENTS_A_SECOND} events/s")
    random.seed(SEED)
    captures = [o for name in CAPTURES for o in ("--capture", str(DATA / name))]
    with Stack(CAPTURES[0], pace=f"{EVENTS_A_SECOND}/s", sim_args=captures[2:], parts=("sim",),
               config={"ctibus.session_grace_seconds": 30, "ctibus.cti.max_output": 16 << 20}) as s:
        relay = Relay(s.ports["ami"])
        s.set("ipbxes.xivo.ipbx_connection.ipport", relay.port)
        for part in ("state", "ami-gw", *GATEWAYS):
            s.start(part)
        s.wait_ready()
        site = Site(s, relay)
        faults = Faults(site)
        site.live_for(3)
        site.heals(time.monotonic())
        base = site.used()
        end = time.monotonic() + SECONDS
        happened = collections.Counter()
        while time.monotonic() < end:
            everything = faults.all_of_them()
            random.shuffle(everything)
            for name, fault in everything:
                if time.monotonic() > end:
                    break
                one_fault(site, faults, name, fault)
                happened[name] += 1
                site.live_for(1)
        check_use(site, faults, base)
        check_gaps(site)
        site.listener.ending = True
        assert all(w.writes > 20 for w in site.writers)
        say(f"{sum(happened.values())} faults, {sum(w.writes for w in site.writers)} writes, "
            f"{site.crowd.received >> 20} MiB read by {CLIENTS} clients, {len(site.listener.gaps)} gaps")
