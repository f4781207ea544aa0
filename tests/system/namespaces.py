"""Sites in network namespaces, with links between them that can be slow, lossy and cut."""

import contextlib
import ctypes
import os
import subprocess

import pytest

from sites import Site
from stack import BIN

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def why_not():
    """Why this machine cannot do it, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    name = f"ctibus-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"no network namespace can be made: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", name], check=False)
    return None


def needs_namespaces():
    why = why_not()
    return pytest.mark.skipif(why is not None, reason=str(why))


class Namespace:
    """A namespace; inside of `with`, this thread and what it starts are in it."""

    def __init__(self, name):
        self.name = f"{name}-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        self.outside = []

    @staticmethod
    def _enter(fd):
        if LIBC.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self.outside.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        self._enter(fd)
        os.close(fd)

    def __exit__(self, *_):
        fd = self.outside.pop()
        self._enter(fd)
        os.close(fd)

    def delete(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=False)


class FarSite(Site):
    """A site whose programs, and whatever looks at them, are in a namespace of its own."""

    def __init__(self, name, **options):
        self.namespace = Namespace(name)
        self.addresses = {}  # other site -> our address on the link to it
        with self.namespace:
            super().__init__(name, **options)
            publish, request = self.peer_ports
            self.federation(publish=f"tcp://0.0.0.0:{publish}", request=f"tcp://0.0.0.0:{request}")

    def inside(self, method, *args, **options):
        with self.namespace:
            return method(*args, **options)

    def start(self, *args, **options):
        return self.inside(super().start, *args, **options)

    def is_ready(self, *args):
        return self.inside(super().is_ready, *args)

    def snapshot(self, *args):
        return self.inside(super().snapshot, *args)

    def metric(self, *args):
        return self.inside(super().metric, *args)

    def monitor(self, *args):
        return self.inside(super().monitor, *args)

    def client(self, *args, **options):
        return self.inside(super().client, *args, **options)

    def __exit__(self, *args):
        try:
            super().__exit__(*args)
        finally:
            self.namespace.delete()


class Relay:
    """The link between two sites, which know each other through it."""

    count = 0

    def __init__(self, a, b):
        Relay.count += 1
        self.addresses = [f"10.77.{Relay.count}.{i}" for i in (1, 2)]
        self.process = subprocess.Popen(
            [BIN / "netns-relay", a.namespace.name, f"{self.addresses[0]}/24", b.namespace.name,
             f"{self.addresses[1]}/24"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ok\n"
        a.knows(b, host=self.addresses[1])
        b.knows(a, host=self.addresses[0])

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@contextlib.contextmanager
def linked(*names, **options):
    """Sites of these names, each linked to each, all running; and the links, by the names of both."""
    with contextlib.ExitStack() as stack:
        all_of_them = [stack.enter_context(FarSite(name, **options)) for name in names]
        links = {}
        for i, a in enumerate(all_of_them):
            for b in all_of_them[i + 1:]:
                links[a.name, b.name] = Relay(a, b)
                stack.callback(links[a.name, b.name].close)
        for site in all_of_them:
            site.run()
        yield all_of_them, links
