"""A bare Debian in a folder: made by debootstrap, entered by chroot, booted by systemd-nspawn.

What debootstrap has made is kept for a week outside of the tree (CTIBUS_DEBIAN_CACHE, by default /var/tmp/ctibus-debian)."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import time

from stack import until

HERE = dict(re.findall(r'^(\w+)="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(encoding="utf-8"), re.M)).get("VERSION_CODENAME", "")
KEPT_SECONDS = 7 * 24 * 3600
WITH = "ca-certificates,systemd-sysv,dbus"  # what a Debian has of its own, as far as it matters here


class Impossible(Exception):
    """It cannot be done on this machine; the text says why."""


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **{"timeout": 170, **options})
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def _cache():
    folder = pathlib.Path(os.environ.get("CTIBUS_DEBIAN_CACHE", "/var/tmp/ctibus-debian"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise Impossible(f"{folder} belongs to somebody else (CTIBUS_DEBIAN_CACHE names another folder)")
    return folder


def _debootstrap(release, root):
    made = subprocess.run(["debootstrap", "--variant=minbase", f"--include={WITH}", release, root], capture_output=True, text=True, check=False,
                          timeout=400)
    if made.returncode != 0:
        said = (made.stdout + made.stderr).strip().splitlines()
        raise Impossible(f"debootstrap cannot make a {release}: {said[-1] if said else made.returncode}")


def unpack(release, root):
    """A bare Debian of this release in the folder root, which is made."""
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise Impossible("a bare Debian needs root and debootstrap")
    kept = _cache() / f"{release}.tar"
    if not kept.exists() or time.time() - kept.stat().st_mtime > KEPT_SECONDS:
        _debootstrap(release, root)
        part = kept.with_suffix(f".{os.getpid()}")
        run("tar", "-C", root, "--numeric-owner", "--exclude=./var/cache/apt/archives/*.deb", "-cf", part, ".")
        part.rename(kept)
    else:
        root.mkdir()
        run("tar", "-C", root, "--numeric-owner", "-xf", kept)
    (root / "etc/dpkg/dpkg.cfg.d/soon-gone").write_text("force-unsafe-io\n", encoding="utf-8")  # nobody needs it after a power cut


def into(root, folders=()):
    """What is put before a command that is to run in there, with a /proc and a /dev of its own, and folders of this machine that it
    may read: pairs of one here and one there."""
    mounts = ["mount -t proc proc proc", "mount -t tmpfs -o mode=755 tmpfs dev", "cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom dev",
              "mkdir -m 1777 dev/shm", "ln -s /proc/self/fd dev/fd"]
    for here, there in folders:
        mounts.append(f"mkdir -p .{there} && mount --bind '{here}' .{there} && mount -o remount,bind,ro .{there}")
    return ["unshare", "--mount", "sh", "-ec", f'cd "$0"; {"; ".join(mounts)}; exec chroot . "$@"', root]


def inside(root, *command, folders=(), **options):
    return run(*into(root, folders), "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", *command, **options)


class Booted:
    """It runs: systemd is its first process, and it has a network of its own with nobody in it."""

    def __init__(self, root):
        if not shutil.which("systemd-nspawn"):
            raise Impossible("systemd-nspawn is not there (package systemd-container)")
        self.root = root
        self.said = open(root.with_name("console"), "w+", encoding="utf-8", errors="replace")  # pylint: disable=consider-using-with
        # a systemd of today runs only with the second version of cgroups, whatever this machine has
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["systemd-nspawn", "--quiet", "--directory", root, "--boot", "--private-network", "--register=no", "--keep-unit",
             "--link-journal=no", "--console=pipe", f"--machine=ctibus-{os.getpid()}"],
            stdin=subprocess.DEVNULL, stdout=self.said, stderr=subprocess.STDOUT, env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
        self.first = None
        try:
            until(self._is_up, "it has booted", 60)
        except BaseException:
            self.stop()
            raise

    def _is_up(self):
        if self.process.poll() is not None:
            self.said.seek(0)
            raise Impossible("systemd-nspawn cannot boot here: " + (self.said.read().strip().splitlines() or ["?"])[-1])
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="utf-8").split()
        self.first = children[0] if children else None
        return self.first and self.ask("systemctl", "is-system-running") in ("running", "degraded")

    def _command(self, *command):
        # not into its user namespace: it has none
        return ["nsenter", "--target", self.first, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--", "env", "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_COLORS=0", *command]

    def run(self, *command, **options):
        return run(*self._command(*command), **options)

    def ask(self, *command):
        """What it says, whatever its exit code is."""
        done = subprocess.run(self._command(*command), capture_output=True, text=True, check=False, timeout=60)
        return done.stdout.strip()

    def show(self, unit, *names):
        """Properties of a unit; one by itself, several as a list."""
        told = dict(line.split("=", 1) for line in self.run("systemctl", "show", "-p", ",".join(names), unit).splitlines() if line)
        return told[names[0]] if len(names) == 1 else [told[n] for n in names]

    def stop(self):
        self.process.terminate()  # asks it to shut down
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.said.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@contextlib.contextmanager
def folder(root):
    """A folder that is removed afterwards."""
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)
