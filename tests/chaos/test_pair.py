"""A site with two states under load: one take-over after another, for each of the reasons that there are, and one of the
other faults after each. No client is dropped, every view is right within seconds, and nothing that was answered is lost.

CHAOS_TAKEOVERS (8) says how many, CHAOS_CLIENTS (300) with how many clients; CHAOS_SEED repeats a run.
"""

import collections
import contextlib
import itertools
import os
import random
import socket
import statistics
import subprocess
import threading
import time

import pytest

from faults import Faults, check_gaps, check_use, one_fault
from site_under_load import CAPTURES, CLIENTS, EVENTS_A_SECOND, GATEWAYS, SANITIZED, SEED, Relay, Site, captures_of, say
from pair import Pair
from postgres import Postgres
from stack import BIN, free_port, until

TAKEOVERS = int(os.environ.get("CHAOS_TAKEOVERS", "8"))
MEDIAN_S = 9 if SANITIZED else 3


class Wire:
    """TCP to a port, which can go dark: nothing more arrives, and nobody is told, as when a machine is switched off."""

    def __init__(self, target):
        self.target = target
        self.port = free_port()
        self.light = threading.Event()
        self.light.set()
        self.lost = []
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            threading.Thread(target=self._open, args=(near,), daemon=True).start()

    def _open(self, near):
        self.light.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        for s in (near, far):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pairs.append((near, far))
        for a, b in ((near, far), (far, near)):
            threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    def _copy(self, a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                self.light.wait()
                b.sendall(data)
        self.light.wait()
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def darken(self):
        self.light.clear()

    def relight(self):
        """The machine is back: what was connected to it is told so."""
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for s in pair:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
        self.light.set()


class Takeovers:
    """The kinds of them: each loses the active state, waits until the other one is active, and ends what was wrong."""

    def __init__(self, site, wires):
        self.site, self.stack, self.wires = site, site.stack, wires
        self.sleeps = itertools.cycle((2, 20, 0))

    def happens(self, kind):
        """Ends with the other one being active, and the one that was standing by; the seconds until it was."""
        was, to = self.stack.role(), self.stack.other()
        steps = kind(was)
        began = time.monotonic()
        next(steps)
        self.stack.wait_served(by=to, timeout=60)
        took = time.monotonic() - began
        next(steps, None)
        until(lambda: self.stack.programs[f"state-{was}"].process.poll() is not None, "it leaves")
        self.stack.again(was)
        return took

    def killed(self, was):
        self.stack.programs[f"state-{was}"].kill()
        yield

    def switched(self, was):
        subprocess.run([BIN / "ctibus", "--config", self.stack.config, "ha", "switch"], check=True, timeout=30)
        yield

    def asleep(self, was):
        with self.stack.asleep(was):
            yield
            self.site.live_for(next(self.sleeps))

    def machine(self, was):
        """Its process and its network at once: nobody is told anything."""
        with self.dark(was):
            self.stack.programs[f"state-{was}"].kill()
            yield

    def network(self, was):
        """Its network alone: it goes on by itself, and finds out later."""
        with self.dark(was):
            yield
            self.site.live_for(1)

    @contextlib.contextmanager
    def dark(self, name):
        for wire in self.wires[name]:
            wire.darken()
        yield
        for wire in self.wires[name]:
            wire.relight()

    def kinds(self):
        return [self.killed, self.switched, self.killed, self.asleep, self.killed, self.machine, self.switched, self.network]


class PairFaults(Faults):
    """Those of a site with one state, but for that one's; and what may happen to the pair without a take-over."""

    def __init__(self, site, relay, server):
        super().__init__(site, relay, ("ami-gw", *GATEWAYS))
        self.server = server

    def database_restarted(self):
        term = self.stack.term()
        self.server.kill()
        self.site.live_for(1)
        self.server.start()
        until(lambda: self.stack.metric(f"state-{self.stack.role()}", "ctibus_state_database_up") == 1, "it writes again", 20)
        assert self.stack.term() == term, "no reason for a take-over"

    def standby_killed(self):
        name = self.stack.other()
        self.stack.programs[f"state-{name}"].kill()
        self.site.live_for(1)
        self.stack.again(name)

    def all_of_them(self):
        return [*super().all_of_them(), ("database_restarted", self.database_restarted), ("standby_killed", self.standby_killed)]


def for_ever(faults):
    """All of them, in another order each time."""
    while True:
        everything = faults.all_of_them()
        random.shuffle(everything)
        yield from everything


def one(site, takeovers, kind):
    ended = dict(site.crowd.ended)
    began = time.monotonic()
    took = takeovers.happens(kind)
    site.heals(time.monotonic())
    site.faults.append((began, time.monotonic(), kind.__name__))
    assert dict(site.crowd.ended) == ended, f"{kind.__name__}: clients were disconnected"
    say(f"{kind.__name__}: {took:.2f} s, term {site.stack.term():.0f}")
    site.stack.wait_served()
    until(lambda: site.stack.is_ready(f"state-{site.stack.other()}"), "the other one stands by")
    return took


@pytest.fixture(name="server", scope="module")
def make_server():
    server = Postgres()
    yield server
    server.close()


@pytest.mark.timeout(TAKEOVERS * 60 + 300)
def test_take_overs_under_load(server):
    say(f"CHAOS_SEED={SEED}, {TAKEOVERS} take-overs, {CLIENTS} clients, {EVENTS_A_SECOND} events/s")
    random.seed(SEED)
    wires = collections.defaultdict(list)

    def through(name, port):
        wires[name].append(Wire(port))
        return wires[name][-1].port

    with Pair(server, CAPTURES[0], pace=f"{EVENTS_A_SECOND}/s", sim_args=captures_of(), through=through,
              parts=("sim", "ami-gw", *GATEWAYS),
              config={"ctibus.session_grace_seconds": 30, "ctibus.cti.max_output": 16 << 20}) as s:
        s.wait_served()
        relay = Relay(s.ports["ami"])
        s.set("ipbxes.xivo.ipbx_connection.ipport", relay.port)
        s.programs.pop("ami-gw").terminate()
        s.start("ami-gw")
        s.wait_served()
        site = Site(s)
        for writer in site.writers:
            writer.refused_is_not_done = False
        faults = PairFaults(site, relay, server)
        others = for_ever(faults)
        takeovers = Takeovers(site, wires)
        site.live_for(2)
        site.heals(time.monotonic())
        base = site.used()
        took = collections.defaultdict(list)
        kinds = takeovers.kinds()
        for n in range(TAKEOVERS):
            kind = kinds[n % len(kinds)]
            took[kind.__name__].append(one(site, takeovers, kind))
            site.live_for(1)
            one_fault(site, *next(others))
            s.wait_served()
        check_use(site, base, faults.young)
        check_gaps(site)
        site.listener.ending = True
        assert all(w.writes > 20 for w in site.writers)
        every = sorted(t for times in took.values() for t in times)
        for name, times in took.items():
            say(f"{name}: {len(times)} times, median {statistics.median(times):.2f} s, at most {max(times):.2f} s")
        say(f"all: median {statistics.median(every):.2f} s, at most {every[-1]:.2f} s; "
            f"{sum(w.writes for w in site.writers)} writes, {site.crowd.received >> 20} MiB read by {CLIENTS} clients")
        assert statistics.median(every) < MEDIAN_S, every
