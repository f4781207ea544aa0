"""The page "Your Asterisk in five minutes": its commands, word for word, against an Asterisk that nobody has prepared."""

import contextlib
import re
import subprocess
import time

import pytest
from private import Shell, machine, needs_private
from stack import BIN, ROOT, until
from test_websocket import WebClient

PAGE = (ROOT / "docs" / "five-minutes.md").read_text(encoding="utf-8")
PASSWORD = "correct horse"
LOGIN = {"ident": "test-browser", "xivoversion": "1.2", "state": "available"}


def blocks(number):
    """The lines of the code blocks of a step of the page."""
    section = re.search(rf"^## {number}\. .*?(?=^## )", PAGE, re.M | re.S)[0]
    return re.findall(r"^    (.+)$", section, re.M)


def section_of_manager_conf():
    return dict(re.fullmatch(r"(\w+) = (.+)", line).groups() for line in blocks(1)[1:])


def missing_packages():
    names = subprocess.run([ROOT / "scripts" / "packages", "build", "test"], capture_output=True, text=True, check=True).stdout.split()
    told = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names], capture_output=True, text=True, check=False)
    return set(names) - {line.split()[0] for line in told.stdout.splitlines() if line.endswith(" installed")}


def is_built():
    """Is what is tested all that `make build` would make? Then it can be run beside other tests: it finds nothing to do."""
    made = BIN.parent / ".ninja_log"
    folders = ("bench", "cmake", "common", "config", "services", "tests", "tools", "web")
    sources = [p for folder in folders for p in (ROOT / folder).rglob("*") if p.suffix in (".c", ".h", ".txt", ".cmake", ".json", ".js", ".css", ".html")]
    return made.exists() and not missing_packages() and max(p.stat().st_mtime for p in [ROOT / "CMakeLists.txt", *sources]) < made.stat().st_mtime


def clone(folder):
    """A clone of this repository as far as `make build` and the installation need it, in which it has been built."""
    for name in ("Makefile", "CMakePresets.json", "packages.txt", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "build").symlink_to(BIN.parent)


@pytest.fixture(name="here")
def fixture_here(tmp_path):
    with machine(tmp_path / "machine") as made:
        made.run("sh", "-c", "echo 127.0.0.1 pbx.example.org >>/etc/hosts")
        yield made


@contextlib.contextmanager
def asterisk(here, *args):
    """In the place of the PBX, with the user that the page makes, at the port that every Asterisk has."""
    user = section_of_manager_conf()
    sim = here.command(BIN / "ctibus-asterisk-sim", "--office", "--rate", "0", "--username", blocks(1)[0].strip("[]"),
                       "--password", user["secret"], "--read", user["read"], "--write", user["write"], *args)
    process = subprocess.Popen(sim, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("listening name=ami")
        yield user
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def connect():
    try:
        return WebClient(5080)
    except OSError:
        return None


def log_in():
    """As a browser does; None as long as the services are not there yet."""
    client = connect()
    answer = client.ask("login_password", **LOGIN, userlogin="alice", password=PASSWORD) if client else None
    if answer and "error_string" not in answer:
        return client
    if client:
        client.close()
    return None


def ids(client, listname):
    return client.ask("getlist", function="listid", listname=listname, tipbxid="xivo")["list"]


@needs_private()
@pytest.mark.parametrize("dialect,phone", [("20", "pjsip-alice"), ("1.8", "sip-alice")])
def test_the_commands_of_the_page(here, tmp_path, dialect, phone):
    clone(tmp_path)
    began = time.monotonic()
    with asterisk(here, "--office-dialect", dialect) as user, contextlib.closing(Shell(here, tmp_path)) as shell:
        answers = {"port of its manager interface (--port) [5038]: ": "",
                   "secret (--secret, or CTIBUS_AMI_SECRET): ": user["secret"], "password: ": PASSWORD,
                   "once more: ": PASSWORD}
        for command in blocks(2) + blocks(3) + blocks(4):
            if command == "make build" and not is_built():
                command = "make -n build"  # only says what it would do: nothing is built anew under the tests that run
            out, code = shell.run(command, answers)
            assert code == 0, f"{command}\n{out}"
            if command == "make -n build":
                assert "cmake --build" in out
            if command == "ctibus doctor":
                assert "Nothing is wrong" in out, out
        assert {"ctibus.json", "people.csv"} <= set(here.run("ls", "/etc/ctibus").stdout.split())
        with here.inside():
            client = until(log_in, "alice logs in")
            until(lambda: phone in ids(client, "phones"), "the phones are there")
            until(lambda: all(ids(client, name) for name in ("users", "queues", "agents", "meetmes", "parkinglots",
                                                             "voicemails")), "all else is there")
            assert len(ids(client, "phones")) == 30
            client.close()
    assert time.monotonic() - began < 300, "five minutes"


def test_the_page_is_of_steps():
    assert blocks(1)[0] == "[ctibus]" and {"secret", "permit", "read", "write"} <= set(section_of_manager_conf())
    assert blocks(2)[0] == "make build" and len(blocks(3)) >= 3 and all(c.endswith(" &") for c in blocks(4))
    assert "http://127.0.0.1:5080/" in PAGE and "log in as alice" in PAGE
