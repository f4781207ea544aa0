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
import signal
import socket
import time

import pytest

from site_under_load import (CAPTURES, CLIENTS, EVENTS_A_SECOND, GATEWAYS, MEMORY_SLACK, SANITIZED, SEED, Relay, Site,
                             captures_of, say)
from stack import Stack, until

SECONDS = int(os.environ.get("CHAOS_SECONDS", "120"))


# ---- what happens ----

class Faults:
    def __init__(self, site, relay):
        self.site, self.stack, self.relay = site, site.stack, relay
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
        self.relay.cut()
        self.site.live_for(seconds)
        self.relay.open()
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


def check_use(site, base, young):
    for part, (memory, fds) in site.used().items():
        if part in young:
            continue
        assert fds <= base[part][1] + 12, f"{part}: {base[part][1]} descriptors at first, {fds} at the end"
        assert SANITIZED or memory <= base[part][0] + MEMORY_SLACK, \
            f"{part}: {base[part][0] / 1e6:.0f} MB at first, {memory / 1e6:.0f} MB at the end"


@pytest.mark.timeout(SECONDS * 2 + 300)
def test_chaos():
    say(f"CHAOS_SEED={SEED}, {SECONDS} s, {CLIENTS} clients, {EVENTS_A_SECOND} events/s")
    random.seed(SEED)
    with Stack(CAPTURES[0], pace=f"{EVENTS_A_SECOND}/s", sim_args=captures_of(), parts=("sim",),
               config={"ctibus.session_grace_seconds": 30, "ctibus.cti.max_output": 16 << 20}) as s:
        relay = Relay(s.ports["ami"])
        s.set("ipbxes.xivo.ipbx_connection.ipport", relay.port)
        for part in ("state", "ami-gw", *GATEWAYS):
            s.start(part)
        s.wait_ready()
        site = Site(s)
        faults = Faults(site, relay)
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
        check_use(site, base, faults.young)
        check_gaps(site)
        site.listener.ending = True
        assert all(w.writes > 20 for w in site.writers)
        say(f"{sum(happened.values())} faults, {sum(w.writes for w in site.writers)} writes, "
            f"{site.crowd.received >> 20} MiB read by {CLIENTS} clients, {len(site.listener.gaps)} gaps")
