"""What happens to a site under load, and what must be true afterwards."""

import contextlib
import random
import resource
import signal
import socket
import time

from site_under_load import GATEWAYS, MEMORY_SLACK, SANITIZED, say
from stack import until


class Faults:
    """What happens to a site. parts: processes that are killed, restarted, and made to stand still."""

    def __init__(self, site, relay, parts):
        self.site, self.stack, self.relay, self.parts = site, site.stack, relay, parts
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
        return [(f"{what.__name__} {p}", lambda what=what, p=p: what(p)) for p in self.parts
                for what in (self.killed, self.restarted, self.stopped)] + [
            ("cut_short", self.cut_short), ("cut_long", self.cut_long), ("few_descriptors", self.few_descriptors)]


def one_fault(site, name, fault):
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
