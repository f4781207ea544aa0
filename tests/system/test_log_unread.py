"""Nobody reads the log of a service: it goes on as if somebody did, counts what is lost and tells it afterwards."""

import contextlib
import os
import pty
import signal
import subprocess
import termios
import threading
import time
import urllib.error
import urllib.request

import pytest

from fastagi import ask
from sites import pair, sites
from stack import BIN, Client, Stack, free_port, until

SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")
CONFIG = {"ctibus.log.buffer": 8192}


class Unread:
    """A program that writes into something from which nobody reads, until read_on() is called."""

    def __init__(self, command, stopped):
        self.stopped = stopped
        self.text = b""
        self.process = subprocess.Popen([str(c) for c in command], stdout=stopped.theirs, stderr=stopped.theirs)
        stopped.leave_to_child()
        self.lines = []

    def read_on(self):
        self.stopped.go_on()

        def read():
            with contextlib.suppress(OSError):  # the end of a terminal
                while data := os.read(self.stopped.ours, 65536):
                    self.text += data
        threading.Thread(target=read, daemon=True).start()

    def get(self, path):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.http}/{path}", timeout=5).read().decode()
        except urllib.error.HTTPError as e:
            return f"{e.code}"
        except OSError:
            return ""

    def metric(self, name):
        found = [float(line.split()[-1]) for line in self.get("metrics").splitlines() if line.startswith(f"{name} ")]
        return found[0] if found else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self, timeout=5):
        self.process.terminate()
        return self.process.wait(timeout)


class FullPipe:
    """In which nothing more fits."""

    def __init__(self):
        self.ours, self.theirs = os.pipe()
        os.set_blocking(self.theirs, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.theirs, b"." * 4096)
        os.set_blocking(self.theirs, True)

    def leave_to_child(self):
        os.close(self.theirs)

    def go_on(self):
        pass


class StoppedTerminal:
    """Somebody has pressed Ctrl-S."""

    def __init__(self):
        self.ours, self.theirs = pty.openpty()
        termios.tcflow(self.theirs, termios.TCOOFF)

    def leave_to_child(self):
        pass

    def go_on(self):
        termios.tcflow(self.theirs, termios.TCOON)
        os.close(self.theirs)


def start(stack, service, stopped):
    port = stack.ports.get(service) or free_port()
    program = Unread([BIN / f"ctibus-{service}", "--config", stack.path("ctibus.json"), "--set",
                      f"ctibus.http.{service}=127.0.0.1:{port}"], stopped)
    program.http = port
    stack.programs[service] = program
    until(lambda: program.get("healthz"), f"{service} answers /healthz")
    until(lambda: program.get("readyz").startswith("{"), f"{service} is ready")
    return program


def is_served(stack, service, cti, fagi):
    if service == "state":
        assert stack.snapshot("phones")
    elif service == "ami-gw":
        assert stack.sim_status()
        assert stack.programs["ami-gw"].metric("ctibus_ami_up") == 1
    elif service == "fagi-gw":
        assert ask(fagi, "presence")
    elif service == "cti-gw":
        c = Client(cti)
        c.login("alice", "alice")
        c.socket.close()
    elif service == "http-gw":
        assert stack.programs["http-gw"].metric("ctibus_api_connections") is not None
        with urllib.request.urlopen(f"http://127.0.0.1:{stack.api_port}/v1", timeout=5) as answer:
            assert b"ctibus" in answer.read()
    else:
        assert stack.programs["federation"].metric("ctibus_ready") == 1


@contextlib.contextmanager
def site(service, **config):
    cti, fagi, api = free_port(), free_port(), free_port()
    extra = {**CONFIG, "main.incoming_tcp.CTI": ["127.0.0.1", cti, True],
             "main.incoming_tcp.FAGI": ["127.0.0.1", fagi, True], "ctibus.api": {"listen": f"127.0.0.1:{api}"}, **config}
    with contextlib.ExitStack() as stack:
        if service == "federation":
            one, other = pair(config=extra)
            stack.enter_context(sites(one, other))
            one.start("state")
        else:
            one = stack.enter_context(Stack("20/02-call-answered.ami", config=extra, parts=()))
            for part in ("sim", "state", "ami-gw"):
                if part != service:
                    one.start(part)
        one.api_port = api
        yield one, cti, fagi


@pytest.mark.parametrize("service", SERVICES)
def test_a_full_pipe_stops_no_service(service):
    with site(service) as (s, cti, fagi):
        if service == "state":
            program = start_state(s)
        else:
            program = start(s, service, FullPipe())
        is_served(s, service, cti, fagi)

        def dropped():
            os.kill(program.process.pid, signal.SIGHUP)  # each is a line of the log, or several
            assert "alive" in program.get("healthz")
            return program.metric("ctibus_log_dropped_total")
        lost = until(dropped, "lines are dropped", 60)
        is_served(s, service, cti, fagi)

        program.read_on()
        until(lambda: b" lines of the log are lost here" in program.text, "the loss is told")
        assert b"starting version=" in program.text.split(b" lines of the log are lost here")[0]
        assert int(program.text.split(b" lines of the log are lost here")[0].split()[-1]) >= lost
        until(lambda: (os.kill(program.process.pid, signal.SIGHUP) or program.text.count(b" lost here") > 0
                       and program.text.split(b" lost here")[-1].count(b"\n") > 1), "and it goes on")
        begin = time.monotonic()
        assert program.terminate() == 0
        assert time.monotonic() - begin < 5
        until(lambda: b": stopped\n" in program.text, "the last line is there")


def start_state(s):
    program = start(s, "state", FullPipe())
    s.wait_ready("ami-gw")
    return program


@pytest.mark.parametrize("stopped", (FullPipe, StoppedTerminal))
@pytest.mark.parametrize("service", SERVICES)
def test_it_ends_while_nobody_reads(service, stopped):
    with site(service) as (s, _, _):
        program = start(s, service, stopped())
        begin = time.monotonic()
        assert program.terminate() == 0
        assert time.monotonic() - begin < 5
        program.read_on()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("flags, why", (
    (["--set", "ctibus.bus.hwm=x"], "ctibus.bus.hwm"), (["--nonsense"], "--nonsense"), (["word"], "word"),
    ([f"--set=ctibus.http.{s}=256.0.0.1:1" for s in SERVICES], "256.0.0.1:1")))
def test_what_cannot_start_says_why_and_ends(service, flags, why):
    with site(service) as (s, _, _):
        command = [BIN / f"ctibus-{service}", "--config", s.path("ctibus.json"), *flags]
        r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        assert r.returncode in (1, 2) and why in r.stderr
        full = FullPipe()
        program = Unread(command, full)
        assert program.process.wait(15) == r.returncode
        os.close(full.ours)
