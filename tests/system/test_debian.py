"""The Debian packages: what is in them, and a bare Debian 12 on which they are installed, upgraded and purged."""

import json
import pathlib
import re
import shutil
import subprocess
import urllib.request

import pytest

from stack import BIN, ROOT, free_port, until

BUILD = BIN.parent
CACHE = (BUILD / "CMakeCache.txt").read_text() if (BUILD / "CMakeCache.txt").exists() else ""
SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")
pytestmark = [
    pytest.mark.skipif(re.search(r"^CTIBUS_SANITIZE:STRING=\S", CACHE, re.M) is not None, reason="a build with sanitizers is not packaged"),
    pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev is not installed"),
    pytest.mark.xdist_group("debian")]


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **{"timeout": 170, **options})
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


@pytest.fixture(name="debs", scope="module")
def fixture_debs(tmp_path_factory):
    """The packages by their names."""
    folder = tmp_path_factory.mktemp("debs")
    run("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", folder, cwd=BUILD)
    return {p.name.split("_")[0]: p for p in folder.glob("*.deb")}


@pytest.fixture(name="unpacked", scope="module")
def fixture_unpacked(debs, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    for deb in debs.values():
        run("dpkg-deb", "-x", deb, root)
    return root


def field(deb, name):
    return run("dpkg-deb", "-f", deb, name).strip()


def test_there_is_one_for_each(debs):
    assert set(debs) == {"ctibus", "ctibus-tools", *(f"ctibus-{s}" for s in SERVICES)}
    version = run(BIN / "ctibus", "--version").split()[1]
    for name, deb in debs.items():
        assert field(deb, "Version") == version and field(deb, "Description")
        if name not in ("ctibus", "ctibus-tools"):
            assert f"ctibus-tools (= {version})" in field(deb, "Depends") and "libc6" in field(deb, "Depends"), "by the linker, not by hand"
    assert {f"ctibus-{s}" for s in SERVICES} < set(re.split(r"[ ,]+", field(debs["ctibus"], "Depends")))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service(unpacked, service):
    unit = next((unpacked / "usr/lib/systemd/system").glob(f"ctibus-{service}*.service")).read_text()
    started = re.search(r"^ExecStart=(\S+)", unit, re.M)[1]
    assert started == f"/usr/bin/ctibus-{service}" and (unpacked / started[1:]).exists() and "/usr/local" not in unit
    assert (unpacked / f"usr/share/man/man8/ctibus-{service}.8.gz").exists()


def test_the_configuration_has_nobody_in_it(debs, unpacked):
    assert "/etc/ctibus/ctibus.json" in run("dpkg-deb", "--ctrl-tarfile", debs["ctibus-tools"], errors="replace") or \
        "/etc/ctibus/ctibus.json" in run("dpkg-deb", "-I", debs["ctibus-tools"], "conffiles")
    people = (unpacked / "etc/ctibus/people.csv").read_text().strip().splitlines()
    assert len(people) <= 1 and "alice" not in (unpacked / "etc/ctibus/ctibus.json").read_text()


@pytest.mark.skipif(not shutil.which("lintian"), reason="lintian is not installed")
def test_lintian(debs):
    done = subprocess.run(["lintian", "--fail-on", "error", *debs.values()], capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0, done.stdout


def newer(deb, folder):
    """The same package as of a later version, with all that depends on it."""
    run("dpkg-deb", "-R", deb, folder)
    control = folder / "DEBIAN" / "control"
    version = field(deb, "Version")
    control.write_text(control.read_text().replace(version, version + "+1"))
    made = folder.with_suffix(".deb")
    run("dpkg-deb", "-b", folder, made)
    return made


@pytest.fixture(name="bare", scope="module")
def fixture_bare(tmp_path_factory):
    """A bare Debian 12; without debootstrap, root or a mirror there is none."""
    root = tmp_path_factory.mktemp("bare") / "root"
    if not shutil.which("debootstrap"):
        pytest.skip("debootstrap is not installed")
    made = subprocess.run(["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root], capture_output=True, text=True,
                          check=False, timeout=170)
    if made.returncode != 0:
        pytest.skip("no bare Debian: " + (made.stdout + made.stderr).strip().splitlines()[-1])
    yield root
    shutil.rmtree(root, ignore_errors=True)


def into(root):
    """What is put before a command that is to run in there, with a /proc of its own."""
    return ["unshare", "--mount", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', root]


def inside(root, *command, **options):
    return run(*into(root), "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *command, **options)


def ready(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2).status == 200
    except OSError:
        return False


def start(root, service, config):
    """As its unit starts it, but for systemd."""
    unit = (root / f"usr/lib/systemd/system/ctibus-{service}.service").read_text()
    command = re.search(r"^ExecStart=(.+)", unit, re.M)[1].replace("/etc/ctibus/ctibus.json", config)
    environment = re.findall(r"^Environment=(.+)", unit, re.M)
    for folder in re.findall(r"^StateDirectory=(.+)", unit, re.M):
        (root / "var/lib" / folder).mkdir(exist_ok=True)
    return subprocess.Popen([*into(root), "env", *environment, *command.split()], stdout=subprocess.DEVNULL)


@pytest.mark.timeout(600)
def test_a_bare_debian(debs, bare, tmp_path):
    (bare / "debs").mkdir()
    for deb in debs.values():
        shutil.copy(deb, bare / "debs")
    inside(bare, "sh", "-c", "apt-get -q update && apt-get -q install -y --no-install-recommends /debs/*.deb systemd", timeout=400)
    inside(bare, "sh", "-c", "dpkg --configure -a; systemd-sysusers; systemd-tmpfiles --create /usr/lib/tmpfiles.d/ctibus.conf")
    assert inside(bare, "ctibus", "--version").startswith("ctibus ")
    assert inside(bare, "stat", "-c", "%G %a", "/etc/ctibus", "/etc/ctibus/ctibus.json").split() == ["ctibus", "750", "ctibus", "640"]
    # what the units start becomes ready
    config = json.loads((bare / "etc/ctibus/ctibus.json").read_text())
    http = {name: free_port() for name in ("state", "cti-gw", "http-gw")}
    config["ctibus"]["http"] = {name: f"127.0.0.1:{port}" for name, port in http.items()}
    config["ctibus"]["bus"] = {n: f"tcp://127.0.0.1:{free_port()}" for n in ("publish", "subscribe", "request")}
    config["ctibus"].setdefault("api", {})["listen"] = f"127.0.0.1:{free_port()}"
    config["ctibus"].setdefault("cti", {})["websocket"] = f"127.0.0.1:{free_port()}"
    config["main"]["incoming_tcp"] = {n: ["127.0.0.1", free_port(), True] for n in ("CTI", "FAGI", "WEBI", "INFO")}
    config["main"]["incoming_udp"] = {"ANNOUNCE": ["127.0.0.1", free_port(), True]}
    (bare / "etc/ctibus/test.json").write_text(json.dumps(config))
    running = [start(bare, name, "/etc/ctibus/test.json") for name in http]
    try:
        for name, port in http.items():
            until(lambda port=port: ready(port), f"{name} is ready")
    finally:
        for process in running:
            process.terminate()
        assert [process.wait(15) for process in running] == [0, 0, 0]
    # an administrator's change survives an upgrade
    (bare / "etc/ctibus/ctibus.json").write_text(json.dumps({"changed": True}))
    shutil.rmtree(bare / "debs")
    (bare / "debs").mkdir()
    for name, deb in debs.items():
        shutil.copy(newer(deb, tmp_path / name), bare / "debs")
    inside(bare, "sh", "-c", "apt-get -q install -y --no-install-recommends /debs/*.deb", timeout=170)
    assert json.loads((bare / "etc/ctibus/ctibus.json").read_text()) == {"changed": True}
    assert inside(bare, "dpkg-query", "-W", "-f", "${Version}", "ctibus-state").endswith("+1")
    # and nothing is left of it in the end
    (bare / "etc/ctibus/test.json").unlink()
    inside(bare, "sh", "-c", "apt-get -q purge -y 'ctibus*'", timeout=170)
    left = [str(p.relative_to(bare)) for folder in ("etc", "usr", "var/lib") for p in pathlib.Path(bare / folder).rglob("*ctibus*")]
    assert [p for p in left if not p.startswith(("var/lib/dpkg/", "var/lib/apt/"))] == [], left
