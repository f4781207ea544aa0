"""A Docker engine and the base image, on a machine that may have neither an engine running nor a
registry within reach.

An engine that answers is used as it is. Else, as root, one is started with a folder, a socket and a
pid file of its own, and stopped again. Where no registry answers, the base image is made from the
Debian packages that this machine's own apt is set up with. What takes long is kept in the cache
(CTIBUS_COMPOSE_CACHE, by default below /var/tmp), never in the tree.
"""

import contextlib
import glob
import os
import pathlib
import shutil
import subprocess
import time

BASE_IMAGE = "debian:bookworm-slim"
CODENAME = "bookworm"
START_SECONDS = 60
PULL_SECONDS = 60
DEBOOTSTRAP_SECONDS = 600


class Skip(Exception):
    """It cannot be done on this machine; says why."""


def run(*command, timeout=600, **options):
    """The finished process, with what it said; never raises for its exit code."""
    try:
        return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                              check=False, **options)
    except subprocess.TimeoutExpired as e:
        said = e.stdout.decode(errors="replace") if isinstance(e.stdout, bytes) else e.stdout or ""
        return subprocess.CompletedProcess(command, 124, f"{said}\nnot done after {timeout} s")


def cache_folder():
    folder = pathlib.Path(os.environ.get("CTIBUS_COMPOSE_CACHE", "/var/tmp/ctibus-compose"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise Skip(f"{folder} belongs to somebody else (CTIBUS_COMPOSE_CACHE names another folder)")
    return folder


def compose_command():
    """docker compose v2, or docker-compose 1.29."""
    if run("docker", "compose", "version").returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise Skip("neither `docker compose` nor docker-compose is installed")


# --- the engine ---

def answers():
    return run("docker", "info", timeout=30).returncode == 0


def running_engines():
    """dockerd processes in our network namespace: two would fight about its rules."""
    ours = os.readlink("/proc/self/ns/net")
    for comm in glob.glob("/proc/[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if pathlib.Path(comm).read_text(encoding="ascii").strip() != "dockerd":
                continue
            if os.readlink(f"{os.path.dirname(comm)}/ns/net") == ours:
                yield comm


def start_engine(cache):
    """dockerd as a child, once it answers; DOCKER_HOST then names it."""
    socket = cache / "docker.sock"
    pid_file = cache / "docker.pid"
    log = cache / "dockerd.log"
    with contextlib.suppress(FileNotFoundError):
        pid_file.unlink()
    with open(log, "wb") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "dockerd", "--host", f"unix://{socket}", "--pidfile", str(pid_file),
             "--data-root", str(cache / "docker"), "--exec-root", str(cache / "exec")],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    os.environ["DOCKER_HOST"] = f"unix://{socket}"
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if answers():
            return process
        time.sleep(0.2)
    stop_engine(process)
    last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    raise Skip("dockerd does not come up here:\n  " + "\n  ".join(last))


def stop_engine(process):
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def engine():
    """While it lasts, `docker` works and the base image is there."""
    if not shutil.which("docker"):
        raise Skip("docker is not installed; on Debian: "
                   "apt-get install --no-install-recommends $(scripts/packages compose)")
    compose_command()
    if answers():
        cache = cache_folder()
        provide_base_image(cache)
        yield
        return
    if os.geteuid() != 0:
        raise Skip("no Docker engine answers, and only root can start one")
    if not shutil.which("dockerd"):
        raise Skip("no Docker engine answers, and dockerd is not installed")
    if any(running_engines()):
        raise Skip("a dockerd runs already, but does not answer us")
    cache = cache_folder()
    process = start_engine(cache)
    try:
        provide_base_image(cache)
        yield
    finally:
        stop_engine(process)


# --- the base image ---

def provide_base_image(cache):
    if run("docker", "image", "inspect", BASE_IMAGE).returncode == 0:
        return
    tar = cache / f"{CODENAME}.tar"
    if not tar.exists() and run("docker", "pull", BASE_IMAGE, timeout=PULL_SECONDS).returncode == 0:
        return
    if not tar.exists():
        make_base(cache, tar)
    done = run("docker", "import", "-c", 'CMD ["bash"]', tar, BASE_IMAGE)
    if done.returncode != 0:
        raise Skip(f"cannot import the base image: {done.stdout}")


def apt_sources():
    """(origin, URI, release, component) of each source of this machine that is Debian's."""
    wanted = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", wanted, "Created-By: Packages"]
    lines = run(*command).stdout.splitlines()
    if not any(line.startswith("Debian|") for line in lines):
        run("apt-get", "update")
        lines = run(*command).stdout.splitlines()
    rows = sorted({tuple(line.split("|")) for line in lines if line.startswith("Debian|")})
    return [row for row in rows if len(row) == 4 and row[2].startswith(CODENAME)]


def make_base(cache, tar):
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise Skip(f"no registry gives {BASE_IMAGE}; root with debootstrap could make it")
    sources = apt_sources()
    mirrors = [uri for _, uri, release, component in sources
               if (release, component) == (CODENAME, "main")]
    if not mirrors:
        raise Skip(f"no registry gives {BASE_IMAGE}, and this machine has no sources of {CODENAME}")
    root = cache / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    in_memory = run("mount", "-t", "tmpfs", "-o", "size=1g,mode=0755,dev", "tmpfs", root).returncode == 0
    try:
        done = run("debootstrap", "--variant=minbase", CODENAME, root, mirrors[0],
                   timeout=DEBOOTSTRAP_SECONDS)
        if done.returncode != 0:
            raise Skip("debootstrap failed:\n" + "\n".join(done.stdout.splitlines()[-3:]))
        set_up_apt(root, sources)
        part = tar.with_suffix(".part")
        done = run("tar", "-C", root, "--numeric-owner", "--exclude=./var/cache/apt/archives/*.deb",
                   "--exclude=./var/lib/apt/lists/*", "-cf", part, ".")
        if done.returncode != 0:
            raise Skip(f"cannot write {part}: {done.stdout}")
        part.rename(tar)
    finally:
        if in_memory:
            run("umount", root)
        shutil.rmtree(root, ignore_errors=True)


def set_up_apt(root, sources):
    """The machine's sources and ways of fetching, and no time spent on what an image can do without."""
    etc = root / "etc"
    lists = "".join(f"deb {uri} {release} {component}\n" for _, uri, release, component in sources)
    (etc / "apt/sources.list").write_text(lists, encoding="utf-8")
    fetching = [line for line in run("apt-config", "dump").stdout.splitlines()
                if line.startswith("Acquire::")]
    (etc / "apt/apt.conf.d/90fetching").write_text("\n".join(fetching) + "\n", encoding="utf-8")
    (etc / "apt/apt.conf.d/90image").write_text(
        'APT::Install-Recommends "false";\nAPT::Keep-Downloaded-Packages "false";\n'
        'Acquire::Languages "none";\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n', encoding="utf-8")
    (etc / "dpkg/dpkg.cfg.d/image").write_text(
        "force-unsafe-io\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/doc/*\n"
        "path-exclude=/usr/share/locale/*\n", encoding="utf-8")
