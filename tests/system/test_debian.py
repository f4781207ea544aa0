"""The Debian packages: what is in them, and a bare Debian on which they are installed, started, upgraded and purged, by chroot and
booted. Of this machine's release; CTIBUS_DEBIAN="trixie" (`make packages-test RELEASE=trixie`): of that one, built and tested in it."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import urllib.request

import pytest
from debian import HERE, Booted, Impossible, folder, inside, into, run, unpack

from stack import BIN, ROOT, free_port, until

BUILD = BIN.parent
CACHE = (BUILD / "CMakeCache.txt").read_text() if (BUILD / "CMakeCache.txt").exists() else ""
SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")
STARTED = ("state", "ami-gw@xivo", "fagi-gw", "cti-gw", "http-gw")
RELEASES = os.environ.get("CTIBUS_DEBIAN", HERE).split()
pytestmark = [
    pytest.mark.skipif(re.search(r"^CTIBUS_SANITIZE:STRING=\S", CACHE, re.M) is not None, reason="a build with sanitizers is not packaged"),
    pytest.mark.skipif(not shutil.which("dpkg-shlibdeps"), reason="dpkg-dev is not installed"),
    pytest.mark.xdist_group("debian"),
    pytest.mark.timeout(1800 if set(RELEASES) - {HERE} else 600)]


@pytest.fixture(name="release", scope="module", params=RELEASES)
def fixture_release(request):
    return request.param


def bare_debian(release, root):
    try:
        unpack(release, root)
    except Impossible as why:
        pytest.skip(str(why))
    inside(root, "apt-get", "-q", "update")


SOURCE = ((ROOT, "/src"),)


@pytest.fixture(name="builder", scope="module")
def fixture_builder(release, tmp_path_factory):
    """Another release, with all of this version built in /build; None for the one of this machine, on which it is built already."""
    if release == HERE:
        yield None
        return
    with folder(tmp_path_factory.mktemp("builder") / "root") as root:
        bare_debian(release, root)
        inside(root, "sh", "-ec", "apt-get -q install -y --no-install-recommends $(/src/scripts/packages build packages test)", folders=SOURCE,
               timeout=600)
        inside(root, "sh", "-ec", "cmake -G Ninja -S /src -B /build -D CMAKE_BUILD_TYPE=Release -D BUILD_TESTING=ON "
               "-D CMAKE_COMPILE_WARNING_AS_ERROR=ON && cmake --build /build", folders=SOURCE, timeout=900)
        yield root


@pytest.fixture(name="debs", scope="module")
def fixture_debs(builder, tmp_path_factory):
    """The packages by their names."""
    made = tmp_path_factory.mktemp("debs")
    if builder:
        inside(builder, "cpack", "-G", "DEB", "--config", "/build/CPackConfig.cmake", "-B", "/debs", folders=SOURCE)
        for deb in (builder / "debs").glob("*.deb"):
            shutil.copy(deb, made)
    else:
        run("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", made, cwd=BUILD)
    return {p.name.split("_")[0]: p for p in made.glob("*.deb")}


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


def test_the_list_of_what_runs_it_is_what_the_linker_says(builder, debs):
    """packages.txt has it for machines that have no packages of ctibus: the image, and those where it was built."""
    needed = {name.split()[0] for deb in debs.values() for name in re.split(", *", field(deb, "Depends"))} - {"libc6"}
    needed = {name for name in needed if not name.startswith("ctibus")}
    there = inside(builder, "/src/scripts/packages", "runtime", folders=SOURCE) if builder else run(ROOT / "scripts/packages", "runtime")
    listed = set(there.split())
    assert needed - listed == set() and {name for name in listed - needed if name.startswith("lib")} == set()


if set(RELEASES) - {HERE}:
    def test_unit_tests_of_another_release(builder):
        """Those of this one are run by scripts/test."""
        said = inside(builder, "ctest", "--test-dir", "/build", "-j8", "--timeout", "120", "--output-on-failure", folders=SOURCE, timeout=900)
        assert "100% tests passed" in said


def test_lintian(builder, debs):
    if builder:
        inside(builder, "sh", "-c", "lintian --fail-on error,warning /debs/*.deb")
    elif shutil.which("lintian"):
        run("lintian", "--fail-on", "error,warning", *debs.values())
    else:
        pytest.skip("lintian is not installed")


def newer(deb, at):
    """The same package as of a later version, with all that depends on it."""
    run("dpkg-deb", "-R", deb, at)
    control = at / "DEBIAN" / "control"
    version = field(deb, "Version")
    control.write_text(control.read_text().replace(version, version + "+1"))
    made = at.with_suffix(".deb")
    run("dpkg-deb", "-b", at, made)
    return made


@pytest.fixture(name="later", scope="module")
def fixture_later(debs, tmp_path_factory):
    """A folder with the packages of a later version."""
    work, made = tmp_path_factory.mktemp("newer"), tmp_path_factory.mktemp("later")
    for name, deb in debs.items():
        newer(deb, work / name).rename(made / deb.name)
    return made


@pytest.fixture(name="installed", scope="module")
def fixture_installed(release, debs, later, tmp_path_factory):
    """A bare Debian with the packages, which nobody has started yet."""
    with folder(tmp_path_factory.mktemp("installed") / "root") as root:
        bare_debian(release, root)
        (root / "debs").mkdir()
        for deb in debs.values():
            shutil.copy(deb, root / "debs")
        inside(root, "sh", "-c", "apt-get -q install -y --no-install-recommends /debs/*.deb", timeout=400)
        shutil.rmtree(root / "debs")
        shutil.copytree(later, root / "debs")
        yield root


@pytest.fixture(name="bare")
def fixture_bare(installed, tmp_path):
    """One of its own for a test."""
    with folder(tmp_path / "root") as root:
        run("cp", "-a", "--reflink=auto", installed, root)
        yield root


def left_over(root):
    found = [str(p.relative_to(root)) for f in ("etc", "usr", "var/lib") for p in pathlib.Path(root / f).rglob("*ctibus*")]
    return [p for p in found if not p.startswith(("var/lib/dpkg/", "var/lib/apt/"))]


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


def test_a_bare_debian(bare):
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
    inside(bare, "sh", "-c", "apt-get -q install -y --no-install-recommends /debs/*.deb", timeout=170)
    assert json.loads((bare / "etc/ctibus/ctibus.json").read_text()) == {"changed": True}
    assert inside(bare, "dpkg-query", "-W", "-f", "${Version}", "ctibus-state").endswith("+1")
    # and nothing is left of it in the end
    (bare / "etc/ctibus/test.json").unlink()
    inside(bare, "sh", "-c", "apt-get -q purge -y 'ctibus*'", timeout=170)
    assert left_over(bare) == []


# ---- booted ----

@pytest.fixture(name="booted", scope="module")
def fixture_booted(installed, tmp_path_factory):
    """One that has booted, for the tests below in their order, with an Asterisk that is simulated."""
    with folder(tmp_path_factory.mktemp("booted") / "root") as root:
        run("cp", "-a", "--reflink=auto", installed, root)
        (root / "etc/systemd/system/asterisk.service").write_text("[Service]\nExecStart=/usr/bin/ctibus-asterisk-sim --office\n")
        try:
            machine = Booted(root)
        except Impossible as why:
            pytest.skip(str(why))
        with machine:
            assert machine.ask("systemctl", "is-system-running") == "running", machine.ask("systemctl", "--failed")
            assert machine.ask("systemctl", "list-unit-files", "--state=enabled", "--no-legend", "ctibus*") == "", "by an administrator only"
            assert machine.ask("systemctl", "list-units", "--no-legend", "ctibus*") == ""
            machine.run("systemctl", "start", "asterisk")
            machine.run("systemctl", "enable", "--now", *units())
            yield machine


def units(*services):
    return [f"ctibus-{s}.service" for s in services or STARTED]


def test_units_of_a_booted_debian(booted):
    for unit in units():
        assert booted.show(unit, "ActiveState", "SubState", "Type", "NRestarts") == ["active", "running", "notify", "0"], unit
        until(lambda u=unit: booted.show(u, "StatusText") == "ready", lambda u=unit: booted.ask("systemctl", "status", u))
    assert "PJSIP/alice" in booted.run("ctibus", "phones"), "it works"
    users = [booted.run("stat", "-c", "%u", f"/proc/{booted.show(u, 'MainPID')}").strip() for u in units()]
    assert "0" not in users and len(set(users)) == len(STARTED), "each is a user of its own"


def test_a_service_that_stands_still_is_started_anew(booted):
    booted.run("sh", "-ec", "mkdir -p /run/systemd/system/ctibus-fagi-gw.service.d; "
               "printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/ctibus-fagi-gw.service.d/soon.conf; systemctl daemon-reload")
    (unit,) = units("fagi-gw")
    booted.run("systemctl", "restart", unit)
    first = booted.show(unit, "MainPID")
    booted.run("sh", "-c", f"kill -STOP {first}")
    until(lambda: booted.show(unit, "NRestarts", "ActiveState") == ["1", "active"], lambda: booted.ask("systemctl", "status", unit))
    assert booted.show(unit, "MainPID") != first and "Watchdog timeout" in booted.ask("journalctl", "-b", "-o", "cat", "-u", unit)
    assert booted.show(*units("state"), "NRestarts") == "0"


def test_an_upgrade_restarts_what_runs(booted):
    before = {u: booted.show(u, "MainPID") for u in units()}
    booted.run("sh", "-c", "apt-get -q install -y --no-install-recommends /debs/*.deb")
    assert booted.run("dpkg-query", "-W", "-f", "${Version}", "ctibus-state").endswith("+1")
    for unit, old in before.items():
        assert booted.show(unit, "ActiveState") == "active" and booted.show(unit, "MainPID") not in (old, "0"), unit
        until(lambda u=unit: booted.show(u, "StatusText") == "ready", lambda u=unit: booted.ask("systemctl", "status", u))
    assert booted.show("ctibus-federation.service", "ActiveState") == "inactive", "what did not run does not run now"


def test_what_needs_the_bus_stops_before_it(booted):
    # systemctl asks for one after the other; those that were asked before are waited for
    booted.run("systemctl", "stop", *sorted(units(), key=lambda u: u == "ctibus-state.service"))
    ended = {u: int(booted.show(u, "InactiveEnterTimestampMonotonic")) for u in units()}
    assert max(ended, key=ended.get) == "ctibus-state.service", ended
    assert all(booted.show(u, "Result", "ExecMainStatus") == ["success", "0"] for u in units())
    booted.run("systemctl", "start", *units())


def test_the_journal_has_no_errors(booted):
    assert booted.ask("systemctl", "--failed", "--no-legend") == ""
    said = booted.ask("journalctl", "-b", "-o", "cat", "-u", "ctibus-*")
    assert "ctibus-state" in said and [line for line in said.splitlines() if re.search(r" error ", line)] == []
    errors = booted.ask("journalctl", "-b", "-q", "-o", "cat", "-p", "err").splitlines()
    assert [line for line in errors if not line.startswith("ctibus-fagi-gw.service: Watchdog timeout")] == []


def test_a_purge_stops_all_and_leaves_nothing(booted):
    booted.run("sh", "-c", "apt-get -q purge -y 'ctibus*'")
    assert booted.ask("systemctl", "list-units", "--all", "--no-legend", "--plain", "ctibus*") == ""
    running = booted.run("sh", "-c", "cat /proc/[0-9]*/comm").split()
    assert [name for name in running if name.startswith("ctibus")] == ["ctibus-asterisk"] and left_over(booted.root) == []


def listeners(root):
    """Where programs listen that run in this folder: name of the program and address."""
    inodes = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            if os.readlink(process / "root") == str(root):
                name = (process / "comm").read_text(encoding="utf-8").strip()
                for fd in (process / "fd").iterdir():
                    with contextlib.suppress(OSError):  # closed meanwhile; the others count
                        inodes[os.readlink(fd)] = name
    found = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path("/proc/net", table).read_text(encoding="utf-8").splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in inodes:
                found.add((inodes[f"socket:[{rest[5]}]"], local.split(":")[0]))
    return found


@pytest.mark.alone
@pytest.mark.skipif(HERE not in RELEASES, reason="make run is for this machine's release")
def test_make_run_on_a_bare_debian(tmp_path):
    """As README.md says, on a Debian with nothing but git and make: it installs what it needs, builds, and ends with a panel."""
    with folder(tmp_path / "root") as root:
        bare_debian(HERE, root)
        inside(root, "apt-get", "-q", "install", "-y", "--no-install-recommends", "git", "make")
        (root / "root/ctibus").mkdir()
        run("sh", "-ec", f"git -C '{ROOT}' ls-files -z | tar -C '{ROOT}' --null -T - -c | tar -C '{root}/root/ctibus' -x")
        start = time.monotonic()
        said = []
        with subprocess.Popen([*into(root), "env", "HOME=/root", "LC_ALL=C.UTF-8", "make", "-C", "/root/ctibus", "run"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True) as made:
            try:
                for line in made.stdout:
                    said.append(line)
                    if line.startswith("open http://"):
                        break
                assert said[-1] == "open http://127.0.0.1:5080/ (alice/alice)\n", "".join(said[-30:])
                print(f"a panel after {time.monotonic() - start:.0f} s")
                with urllib.request.urlopen("http://127.0.0.1:5080/", timeout=10) as page:
                    assert b"ctibus" in page.read()
                there = listeners(root)
                assert {name for name, _ in there} >= {f"ctibus-{s}"[:15] for s in ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "asterisk-sim")}
                assert {address for _, address in there} == {"0100007F"} and all(name.startswith("ctibus-") for name, _ in there), there
            finally:
                os.killpg(made.pid, signal.SIGINT)
                try:
                    made.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(made.pid, signal.SIGKILL)
                    raise
        assert not listeners(root), "Ctrl-C stops everything"
