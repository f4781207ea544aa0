"""A machine of its own for a test: its network, and its /etc, /usr/local and /var/lib, are nobody else's."""

import contextlib
import os
import pathlib
import pty
import select
import subprocess
import time

import pytest
from namespaces import CLONE_NEWNET, LIBC

SET_UP = """set -e
ip link set lo up
mkdir -p {folder}/etc {folder}/lib {folder}/local
cp -a /etc/. {folder}/etc
mount --bind {folder}/etc /etc
if [ -d /var/lib/dpkg ]; then
    mkdir {folder}/lib/dpkg
    mount --bind -o ro /var/lib/dpkg {folder}/lib/dpkg
fi
mount --rbind {folder}/lib /var/lib
mount --bind {folder}/local /usr/local
echo ready
exec sleep infinity
"""


def needs_private():
    tried = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True, check=False)
    return pytest.mark.skipif(tried.returncode != 0, reason="namespaces need root: " + tried.stderr.decode().strip())


class Machine:
    """What is run here sees /etc as a copy, /usr/local and /var/lib empty but for the list of packages, and no other host. At the end
    everything that was started in it ends, too."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
             SET_UP.format(folder=folder)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.init = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0]

    def command(self, *command):
        """The command line that runs this here."""
        return ["nsenter", "-t", self.init, "--mount", "--net", "--pid", *map(str, command)]

    def run(self, *command, **options):
        return subprocess.run(self.command(*command), capture_output=True, text=True, check=False,
                              **{"timeout": 60, **options})

    @contextlib.contextmanager
    def inside(self):
        """This thread is in the network of the machine."""
        with open("/proc/thread-self/ns/net", "rb") as outside, open(f"/proc/{self.init}/ns/net", "rb") as own:
            assert LIBC.setns(own.fileno(), CLONE_NEWNET) == 0
            try:
                yield
            finally:
                LIBC.setns(outside.fileno(), CLONE_NEWNET)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def machine(folder):
    made = Machine(folder)
    try:
        yield made
    finally:
        made.close()


class Shell:
    """A person at a terminal: types commands, and answers what is asked for."""

    def __init__(self, here, folder, **env):
        self.master, slave = pty.openpty()
        # the terminal is the shell's own, so that Ctrl-C comes to what runs in the foreground
        self.process = subprocess.Popen(
            here.command("setsid", "--ctty", "env", "-C", folder, *(f"{n}={v}" for n, v in {"PS1": "", "HOME": "/", **env}.items()),
                         "bash", "--norc", "--noediting"),
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = ""
        self.n = 0
        self.run("stty -echo")

    def read_until(self, *ends, timeout=60):
        """What was written until one of the ends came, and which."""
        limit = time.monotonic() + timeout
        while True:
            for end in ends:
                if end in self.text:
                    before, self.text = self.text.split(end, 1)
                    return before, end
            assert time.monotonic() < limit, (ends, self.text)
            if select.select([self.master], [], [], 0.2)[0]:
                self.text += os.read(self.master, 65536).decode(errors="replace")

    def run(self, command, answers=None):
        """What the command writes, and its exit code."""
        self.n += 1
        mark = f"done-{self.n}:"
        # all of it is read before the command begins, which may discard what was typed ahead
        os.write(self.master, f"{{ {command}\n}}; printf '%s%s:%s;' done- {self.n} $?\n".encode())
        out = ""
        while True:
            before, end = self.read_until(mark, *(answers or {}))
            out += before + (end if end != mark else "")
            if end == mark:
                return out, int(self.read_until(";")[0])
            os.write(self.master, answers[end].encode() + b"\n")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
