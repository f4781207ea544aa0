"""What each service tells systemd."""

import contextlib
import os
import signal
import socket
import threading

import pytest

from sites import pair, sites
from stack import Stack, until

SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")


class Systemd:
    """Listens at NOTIFY_SOCKET."""

    def __init__(self, path, monkeypatch):
        self.told = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while True:
                self.told.append(self.socket.recv(4096).decode().split("\n"))

    def has(self, line):
        return any(line in told for told in list(self.told))


@contextlib.contextmanager
def site(service):
    if service == "federation":
        with sites(*pair()) as (paris, _):
            paris.start("state")
            yield paris
    else:
        with Stack("20/02-call-answered.ami", parts=()) as s:
            if service not in ("state", "ami-gw"):
                s.start("state")
            yield s


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_tells_systemd_how_it_is(service, tmp_path, monkeypatch):
    with site(service) as s:
        systemd = Systemd(tmp_path / "notify", monkeypatch)
        program = s.start(service)
        monkeypatch.delenv("NOTIFY_SOCKET")
        until(lambda: systemd.has("READY=1"), "it is started")
        until(lambda: sum("WATCHDOG=1" in told for told in systemd.told) > 3, "its loop turns")
        if service == "ami-gw":
            until(lambda: any(line.startswith("STATUS=not ready: ") for told in systemd.told for line in told),
                  "it says what is missing")
            s.start("state")
            s.start("sim")
        until(lambda: systemd.has("STATUS=ready"), "it is ready")
        assert not systemd.has("RELOADING=1") and not systemd.has("STOPPING=1")
        os.kill(program.process.pid, signal.SIGHUP)
        until(lambda: systemd.has("RELOADING=1") and sum("READY=1" in told for told in systemd.told) == 2, "it has reloaded")
        program.terminate()
        until(lambda: systemd.has("STOPPING=1"), "it stops")
        del s.programs[service]
