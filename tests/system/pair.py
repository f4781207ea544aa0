"""A site with two states: one of them active, the other on standby, over a PostgreSQL server of its own."""

import contextlib
import json
import os
import re
import signal
import time
import urllib.request

from stack import BIN, Program, Stack, free_port, until

NAMES = ("a", "b")


class Pair(Stack):
    """Its states are "state-a" and "state-b"; one that leaves is started again, as a service manager does."""

    def __init__(self, server, capture="20/02-call-answered.ami", parts=("sim", "ami-gw", "cti-gw"), through=None, **options):
        """through(name, port): the port at which others reach this one, or at which the state of this name reaches it;
        None: the port itself."""
        self.bus = {name: {n: free_port() for n in ("publish", "subscribe", "request", "http")} for name in NAMES}
        shown = through or (lambda name, port: port)
        peers = {name: {n: f"tcp://127.0.0.1:{shown(name, self.bus[name][n])}" for n in ("publish", "subscribe", "request")}
                 for name in NAMES}
        uri = server.empty()
        config = {"ctibus.ha.peers": peers, "ctibus.database": uri, **options.pop("config", {})}
        self.uris = {name: uri.replace(f":{server.port}/", f":{shown(name, server.port)}/") for name in NAMES}
        super().__init__(capture, parts=(), config=config, **options)
        site = json.loads(self.config.read_text())
        del site["ctibus"]["bus"]  # what a state binds to, where it is not what others connect to
        self.config.write_text(json.dumps(site))
        if "sim" in parts:
            self.start("sim")
        for name in NAMES:
            self.start_state(name)
            until(lambda: self.role() is not None, "a state is active")
        for part in parts:
            if part != "sim":
                self.start(part)

    def monitor(self, *prefixes):
        """Of both: only the active one has something to say."""
        found = super().monitor(*prefixes)
        found.socket.disconnect(f"tcp://127.0.0.1:{self.ports['subscribe']}")
        for name in NAMES:
            found.socket.connect(f"tcp://127.0.0.1:{self.bus[name]['subscribe']}")
        return found

    def start_state(self, name):
        sets = [f"ctibus.ha.name={name}", f"ctibus.http.state=127.0.0.1:{self.bus[name]['http']}",
                f"ctibus.console.socket=console-{name}.sock"]
        sets += [f"ctibus.bus.{n}=tcp://127.0.0.1:{self.bus[name][n]}" for n in ("publish", "subscribe", "request")]
        sets.append(f"ctibus.database={self.uris[name]}")
        program = Program([BIN / "ctibus-state", "--config", self.config, *(w for s in sets for w in ("--set", s))])
        program.http = self.bus[name]["http"]
        program.listening("request")
        self.programs[f"state-{name}"] = program
        return program

    def term_of(self, name):
        """Of a state that says that it is active; 0: it does not, or does not answer."""
        program = self.programs.get(f"state-{name}")
        if not program or program.process.poll() is not None:
            return 0
        with contextlib.suppress(OSError):  # also of one that stands still, for which nobody is to wait
            url = f"http://127.0.0.1:{program.http}/metrics"
            said = urllib.request.urlopen(url, timeout=0.3).read().decode()
            if "\nctibus_state_active 1\n" in said:
                return int(re.search(r"^ctibus_state_term (\d+)", said, re.M)[1])
        return 0

    def role(self):
        """The name of the active state, or None; of two, one of which does not know better yet, that of the higher term."""
        terms = {name: self.term_of(name) for name in NAMES}
        return max(terms, key=terms.get) if any(terms.values()) else None

    def term(self):
        return max(self.term_of(name) for name in NAMES)

    def other(self):
        return NAMES[NAMES[0] == self.role()]

    def served(self):
        """The gateways have found the active state, and clients see it."""
        name = self.role()
        return bool(name) and self.is_ready(f"state-{name}") and all(
            self.is_ready(p) for p in self.programs if p.startswith(("ami-gw", "cti-gw", "http-gw")))

    def wait_served(self, by=None, timeout=30):
        until(lambda: (by is None or self.role() == by) and self.served(), f"served by {by or 'a state'}", timeout)

    def again(self, name):
        """What a service manager does with one that has ended."""
        self.programs.pop(f"state-{name}").process.wait(10)
        return self.start_state(name)

    def lose(self, name):
        """It is killed, and started again when the other one has taken over."""
        self.programs[f"state-{name}"].kill()
        self.wait_served(by=NAMES[NAMES[0] == name])
        return self.again(name)

    @contextlib.contextmanager
    def asleep(self, name):
        pid = self.programs[f"state-{name}"].process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


def seconds(until_true, what, timeout=30):
    began = time.monotonic()
    until(until_true, what, timeout)
    return time.monotonic() - began
