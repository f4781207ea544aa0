"""Keys of the bus: added, revoked and changed while state runs; the files that `ctibus keygen` writes and converts."""

import contextlib
import os
import shutil
import stat
import subprocess
import time

import msgpack
import pytest
import yaml
import zmq
import zmq.auth

from stack import BIN, ROOT, Context, Program, Stack, until

NAMES = {"site": "gateway", "gateway": "gateway", "monitor": "monitor", "other": "monitor"}


def keygen(*args, ok=True):
    said = subprocess.run([BIN / "ctibus", "keygen", *args], capture_output=True, text=True, check=False)
    assert (said.returncode == 0) == ok, said
    return said.stdout if ok else said.stderr


class Keyed(Stack):
    """State with CURVE: `allowed` is a directory of certificates, or a list in a file."""

    def __init__(self, directory):
        super().__init__(parts=(), config={"ctibus.curve": {"server_key": "site.key", "own_key": "site.key", "allow": "allowed"}})
        self.directory = directory
        if directory:
            self.path("allowed").mkdir()
        for name, role in NAMES.items():
            keygen("--role", role, "--name", name, self.path(f"{name}.key"))
        self.allow(*NAMES)
        self.start("state")
        until(lambda: self.is_ready("state"), "state is ready")

    def key(self, name):
        return zmq.auth.load_certificate(self.path(f"{name}.key_secret"))

    def allow(self, *names):
        """These and no others."""
        if self.directory:
            for name in NAMES:
                at = self.path("allowed") / f"{name}.key"
                if name not in names:
                    at.unlink(missing_ok=True)
                elif not at.exists():
                    shutil.copy(self.path(f"{name}.key"), at)
        else:
            self.path("allowed").write_text("".join(f"{NAMES[n]} {self.key(n)[0].decode()} {n}\n" for n in names))

    def socket(self, context, kind, port, name, prefix=b""):
        s = context.socket(kind)
        s.linger = 0
        s.curve_serverkey = self.key("site")[0]
        s.curve_publickey, s.curve_secretkey = self.key(name)
        if kind == zmq.SUB:
            s.subscribe(prefix)
        s.connect(f"tcp://127.0.0.1:{self.ports[port]}")
        return s


@pytest.fixture(name="context")
def one_context():
    context = Context()
    yield context
    context.destroy(0)


@pytest.fixture(name="keyed", params=[True, False], ids=["directory", "list"])
def one_keyed(request):
    with Keyed(request.param) as s:
        yield s


def drained(s):
    """What has come so far is read."""
    with contextlib.suppress(zmq.Again):
        while True:
            s.recv_multipart(zmq.NOBLOCK)
    return True


def hears(s, ms=10000):
    drained(s)
    return bool(s.poll(ms))


def hears_nothing_more(s):
    """Heartbeats come every 2 s: a connection on which none has come for 3 s is not there."""
    end = time.monotonic() + 20
    while s.poll(3000):
        drained(s)
        assert time.monotonic() < end, "it goes on to hear"


def asks(s, method=b"hello", ms=1500):
    drained(s)
    s.send_multipart([msgpack.packb(1), msgpack.packb(1), method,
                      msgpack.packb({"service": "x", "instance": "x", "version": "1"})])
    return bool(s.poll(ms))


# --- revoked, without a restart of state ---

def test_a_monitors_key_is_revoked(keyed, context):
    before, other = (keyed.socket(context, zmq.SUB, "subscribe", name) for name in ("monitor", "other"))
    assert hears(before) and hears(other)
    keyed.allow("site", "gateway", "other")
    hears_nothing_more(before)
    assert not hears(keyed.socket(context, zmq.SUB, "subscribe", "monitor"), 3000)
    state = keyed.programs["state"]
    state.says(f"key {keyed.key('monitor')[0].decode()} is not allowed")
    state.says(f"a connection of key {keyed.key('monitor')[0].decode()} is cut")
    assert hears(other)
    assert state.process.poll() is None, "it is the same process"


def test_others_do_not_notice(keyed, context):
    other = keyed.socket(context, zmq.SUB, "subscribe", "other", b"svc/")
    numbers = []

    def beats():
        while other.poll(0):
            topic, meta, _ = other.recv_multipart()
            if topic.startswith(b"svc/state/"):
                numbers.append(msgpack.unpackb(meta)[3])
        return len(numbers)
    until(lambda: beats() > 0, "a heartbeat")
    keyed.allow("site", "other")
    until(lambda: keyed.programs["state"].logged("keys are allowed"), "the keys are read anew")
    seen = len(numbers)
    until(lambda: beats() > seen + 1, "two heartbeats more")
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none is missing"


def test_a_gateways_key_is_revoked(keyed, context):
    asker = keyed.socket(context, zmq.DEALER, "request", "gateway")
    publisher = keyed.socket(context, zmq.PUB, "publish", "gateway")
    heard = keyed.socket(context, zmq.SUB, "subscribe", "other", b"tel/")
    marks = iter(range(1, 100000))

    def published():
        """Does what is published now arrive?"""
        mark = b"tel/mark/%d/" % next(marks)
        publisher.send_multipart([mark, msgpack.packb([1, "x", 1, 0, 0]), msgpack.packb({})])
        while heard.poll(100):
            if heard.recv_multipart()[0] == mark:
                return True
        return False
    assert asks(asker, ms=10000)
    until(published, "what it publishes is heard")
    keyed.allow("site", "monitor", "other")
    state = keyed.programs["state"]
    state.says(f"a connection of key {keyed.key('gateway')[0].decode()} is cut")
    assert not asks(asker, b"ping")
    assert not any(published() for _ in range(10))
    assert not asks(keyed.socket(context, zmq.DEALER, "request", "gateway"))
    keyed.allow("site", "gateway", "monitor", "other")
    until(published, "it is heard again")
    until(lambda: asks(asker), "its questions are answered again")


def test_a_key_is_added(keyed, context):
    keyed.allow("site")
    until(lambda: keyed.programs["state"].logged("1 keys are allowed"), "the others are gone")
    s = keyed.socket(context, zmq.SUB, "subscribe", "monitor")
    assert not hears(s, 3000)
    keyed.allow("site", "monitor")
    assert hears(s), "it comes again by itself"


def test_a_role_is_changed_in_place(context):
    """The new text is as long as the old one, and the file's time is set back: only its ctime tells."""
    with Keyed(True) as s:
        asker = s.socket(context, zmq.DEALER, "request", "gateway")
        listener = s.socket(context, zmq.SUB, "subscribe", "gateway", b"svc/")
        assert asks(asker, ms=10000) and hears(listener)
        at = s.path("allowed") / "gateway.key"
        was = at.stat()
        with at.open("r+") as f:
            text = f.read()
            f.seek(0)
            f.write(text.replace('role = "gateway"', 'role = "monitor"'))
        os.utime(at, ns=(was.st_atime_ns, was.st_mtime_ns))
        assert at.stat().st_size == was.st_size
        s.programs["state"].says(f"a connection of key {s.key('gateway')[0].decode()} is cut")

        def answered():
            return asker.recv_multipart()[2] if asks(asker, b"worker.register") else None
        until(lambda: answered() == b"denied", "it comes again, as a monitor, who registers for nothing")
        assert hears(listener), "and hears as one"


def test_a_service_whose_key_is_rotated_and_revoked():
    """As docs/security.md says; a service that was cut is back by itself when its key is."""
    with Keyed(True) as s:
        state, allowed = s.programs["state"], s.path("allowed")
        s.set("ctibus.curve.own_key", "gateway.key")
        s.start("sim")
        s.start("ami-gw")
        s.wait_ready()
        keygen("--role", "gateway", s.path("new.key"))
        shutil.copy(s.path("new.key"), allowed / "new.key")
        until(lambda: state.logged("5 keys are allowed"), "the new key is known")
        s.set("ctibus.curve.own_key", "new.key")
        s.programs["ami-gw"].terminate()
        s.start("ami-gw")
        s.wait_ready()
        (allowed / "gateway.key").unlink()
        until(lambda: state.count("4 keys are allowed") == 2, "the old key is gone")
        assert s.is_ready("ami-gw") and not state.logged("is cut")
        (allowed / "new.key").rename(allowed / "new.key.off")
        for port in ("publish", "request"):  # it subscribes to nothing
            until(lambda: any("is cut" in line and f" at {port}: " in line for line in list(state.lines)), f"it is cut at {port}")
        until(lambda: not s.is_ready("ami-gw"), "it has noticed")
        (allowed / "new.key.off").rename(allowed / "new.key")
        s.wait_ready()


def test_a_certificate_that_is_none(context):
    with Keyed(True) as s:
        for name, text in (("empty.key", ""), ("text.key", "hello\n"), ("role.key", None), ("again.key", None), ("big.key", "#" * 100000)):
            text = s.path("other.key").read_text() if text is None else text
            (s.path("allowed") / name).write_text(text.replace("monitor", "admin") if name == "role.key" else text)
        os.mkfifo(s.path("allowed") / "fifo.key")
        state = s.programs["state"]
        for name, reason in (("empty.key", "no public-key"), ("text.key", "no public-key"), ("role.key", "role is neither gateway nor monitor"),
                             ("big.key", "too long"), ("fifo.key", "not a file")):
            state.says(f"{name}: {reason}")
        state.says("the key of another file, too")
        assert hears(s.socket(context, zmq.SUB, "subscribe", "other")), "the others are as good as before"


def test_a_store_that_cannot_be_read_changes_nothing(keyed, context):
    keyed.path("allowed").rename(keyed.path("elsewhere"))
    state = keyed.programs["state"]
    state.says("allowed: No such file or directory: the keys stay as they were")
    assert hears(keyed.socket(context, zmq.SUB, "subscribe", "monitor"))
    keyed.path("elsewhere").rename(keyed.path("allowed"))
    keyed.allow("site")
    until(lambda: state.logged("1 keys are allowed"), "it is read again")


def test_a_list_with_a_bad_line_changes_nothing(context):
    with Keyed(False) as s:
        text = s.path("allowed").read_text()
        s.path("allowed").write_text(text + "gateway tooshort\n")
        s.programs["state"].says("allowed:5: not a key line: the keys stay as they were")
        assert hears(s.socket(context, zmq.SUB, "subscribe", "monitor"))


# --- ctibus keygen ---

def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_keygen(tmp_path):
    said = keygen("--role", "monitor", "--name", "wall display", tmp_path / "a.key")
    assert str(tmp_path / "a.key_secret") in said
    public, secret = zmq.auth.load_certificate(tmp_path / "a.key_secret")
    assert zmq.auth.load_certificate(tmp_path / "a.key") == (public, None)
    assert zmq.curve_public(secret) == public
    assert mode(tmp_path / "a.key_secret") == 0o600
    assert secret not in (tmp_path / "a.key").read_bytes()
    assert 'role = "monitor"' in (tmp_path / "a.key").read_text() and 'name = "wall display"' in (tmp_path / "a.key").read_text()
    assert zmq.auth.load_certificates(tmp_path) == {public: True}


@pytest.mark.parametrize("there", ["a.key", "a.key_secret"])
def test_keygen_never_writes_over_a_file(tmp_path, there):
    (tmp_path / there).write_text("mine")
    assert "File exists" in keygen(tmp_path / "a.key", ok=False)
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [(there, "mine")]


def test_keygen_in_a_folder_that_is_not_there(tmp_path):
    assert "No such file or directory" in keygen(tmp_path / "x" / "a.key", ok=False)


@pytest.mark.parametrize("args", [("--role", "admin", "x"), ("--name", 'a"b', "x"), ("--name", "a\nb", "x"), ("a", "b"), ("--convert", "a"),
                                  ("--convert", "a", "b", "c"), ("--nonsense", "x"), ("--role",), ("--role", "monitor")])
def test_keygen_used_wrongly(tmp_path, args):
    said = subprocess.run([BIN / "ctibus", "keygen", *args], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert said.returncode == 2 and "sage: ctibus" in said.stderr and not list(tmp_path.iterdir())


def old_pair(path):
    public, secret = zmq.curve_keypair()
    path.write_text(f"public {public.decode()}\nsecret {secret.decode()}\n")
    path.chmod(0o600)
    return public, secret


def test_old_keys_are_converted(tmp_path):
    pair = old_pair(tmp_path / "old")
    keygen("--convert", tmp_path / "old", tmp_path / "new.key")
    assert zmq.auth.load_certificate(tmp_path / "new.key_secret") == pair
    assert zmq.auth.load_certificate(tmp_path / "new.key") == (pair[0], None)
    assert mode(tmp_path / "new.key_secret") == 0o600
    (tmp_path / "old.pub").write_text(f"public {pair[0].decode()}\n")
    keygen("--role", "monitor", "--convert", tmp_path / "old.pub", tmp_path / "public.key")
    assert zmq.auth.load_certificate(tmp_path / "public.key") == (pair[0], None)
    assert not (tmp_path / "public.key_secret").exists()
    assert "File exists" in keygen("--convert", tmp_path / "old", tmp_path / "new.key", ok=False)
    assert "no key file" in keygen("--convert", __file__, tmp_path / "x.key", ok=False)


def test_an_old_list_is_converted(tmp_path):
    keys = [zmq.curve_keypair()[0] for _ in range(4)]
    (tmp_path / "allowed.keys").write_text(
        f"# who may come in\n\ngateway {keys[0].decode()} cti-gw on host2\nmonitor {keys[1].decode()}\n"
        f"monitor {keys[2].decode()} ../x\nmonitor {keys[3].decode()} cti-gw on host2\n")
    keygen("--convert", tmp_path / "allowed.keys", tmp_path / "allowed")
    files = sorted(f.name for f in (tmp_path / "allowed").iterdir())
    assert len(files) == 4 and "cti-gw-on-host2.key" in files, files
    assert zmq.auth.load_certificates(tmp_path / "allowed") == {k: True for k in keys}
    assert 'role = "gateway"' in (tmp_path / "allowed" / "cti-gw-on-host2.key").read_text()
    assert "File exists" in keygen("--convert", tmp_path / "allowed.keys", tmp_path / "allowed", ok=False)


def test_old_files_still_load(context):
    with Stack(parts=(), config={"ctibus.curve": {"server_key": "site.pub", "own_key": "site.key", "allow": "allowed.keys"}}) as s:
        public, secret = old_pair(s.path("site.key"))
        s.path("site.pub").write_text(f"public {public.decode()}\n")
        s.path("allowed.keys").write_text(f"gateway {public.decode()}\n")
        for part in ("state", "fagi-gw"):
            s.start(part)
        until(lambda: s.is_ready("state") and s.is_ready("fagi-gw"), "both are ready")
        listener = context.socket(zmq.SUB)
        listener.curve_serverkey = listener.curve_publickey = public
        listener.curve_secretkey = secret
        listener.subscribe(b"svc/fagi-gw/")
        listener.connect(f"tcp://127.0.0.1:{s.ports['subscribe']}")
        assert hears(listener)


# --- before a start ---

@pytest.mark.parametrize("service", ("state", "cti-gw"))
def test_a_check_says_of_the_files_what_a_start_says(service):
    with Stack(parts=(), config={"ctibus.curve": {"server_key": "site.key", "own_key": "own.key", "allow": "allowed"}}) as s:
        def said(*flags):
            done = subprocess.run([BIN / f"ctibus-{service}", "--config", s.path("ctibus.json"), *flags], capture_output=True, text=True,
                                  timeout=30, check=False)
            return done.returncode, done.stderr

        def refused(why):
            """The code of --check is that of a service that cannot start."""
            code, text = said("--check")
            assert code == 2 and f"{s.path('ctibus.json')}: ctibus.curve: {why}\n" in text, text
            assert text.count("ctibus.curve") == 1, text
            code, text = said()
            assert code == 1 and f"ctibus.curve: {why}" in text, text
        refused(f"{s.path('own.key')}: No such file or directory")
        keygen("--role", "gateway", s.path("own.key"))
        refused(f"{s.path('site.key')}: No such file or directory")
        s.path("site.key").write_text("nothing\n")
        refused(f"{s.path('site.key')}: no public-key in a section curve")
        shutil.copy(s.path("own.key"), s.path("site.key"))
        refused(f"{s.path('allowed')}: No such file or directory")
        s.path("allowed").mkdir()
        assert said("--check") == (0, "")
        s.path("own.key_secret").unlink()
        refused(f"{s.path('own.key')}: a public and a secret key are needed")


@pytest.mark.parametrize("service", ("state", "cti-gw"))
def test_one_key_is_not_enough(service):
    with Stack(parts=(), config={"ctibus.curve": {"own_key": "own.key"}}) as s:
        for flags in (["--check"], []):
            done = subprocess.run([BIN / f"ctibus-{service}", "--config", s.path("ctibus.json"), *flags], capture_output=True, text=True,
                                  timeout=30, check=False)
            assert done.returncode == 2, done
            assert done.stderr.count("ctibus.curve: server_key and own_key are both needed") == 1, done.stderr


# --- the keys of the containers ---

def make_keys(folder, *who):
    env = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}")
    subprocess.run(["sh", ROOT / "deploy" / "containers" / "make-keys", folder, *who], env=env, check=True, stdout=subprocess.DEVNULL)


def test_the_keys_of_containers(tmp_path):
    for name in ("state", "ami-gw", "monitor", "tls"):
        (tmp_path / name).mkdir()
    who = ("gateway:ami-gw", "monitor:monitor")
    old = old_pair(tmp_path / "ami-gw" / "own.key")  # a volume of an earlier version
    (tmp_path / "ami-gw" / "own.key.pub").write_text(f"public {old[0].decode()}\n")
    (tmp_path / "ami-gw" / "state.pub").write_text("x")
    (tmp_path / "state" / "allowed.keys").write_text("x")
    make_keys(tmp_path, *who)
    allowed = tmp_path / "state" / "allowed"
    assert sorted(f.name for f in allowed.iterdir()) == ["ami-gw.key", "monitor.key", "state.key"]
    assert sorted(f.name for f in (tmp_path / "ami-gw").iterdir()) == ["own.key", "own.key_secret", "state.key"]
    assert zmq.auth.load_certificate(allowed / "ami-gw.key") == (old[0], None)
    assert 'role = "monitor"' in (allowed / "monitor.key").read_text()
    assert mode(tmp_path / "ami-gw" / "own.key_secret") == mode(tmp_path / "monitor" / "own.key_secret") == 0o600
    first = {f: f.read_text() for f in tmp_path.rglob("*.key*")}
    make_keys(tmp_path, *who)
    assert {f: f.read_text() for f in tmp_path.rglob("*.key*")} == first, "what is there stays"
    (allowed / "monitor.key").unlink()
    make_keys(tmp_path, *who)
    assert not (allowed / "monitor.key").exists(), "it stays revoked"
    for f in ("own.key", "own.key_secret"):
        (tmp_path / "monitor" / f).unlink()
    make_keys(tmp_path, *who)
    assert (allowed / "monitor.key").read_text() != first[allowed / "monitor.key"]


def test_the_bus_of_containers_is_published_for_keys_only(tmp_path):
    """bus.yml publishes two ports of state, whose environment demands CURVE; a monitor's key opens them."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    published = yaml.safe_load((ROOT / "deploy" / "containers" / "bus.yml").read_text())["services"]
    assert "ports" not in services["state"], "not by default"
    assert published == {"state": {"ports": [f"${{CTIBUS_BUS_ADDRESS:-127.0.0.1}}:${{CTIBUS_BUS_{name}_PORT:-{port}}}:{port}"
                                             for name, port in (("SUBSCRIBE", 5551), ("REQUEST", 5552))]}}
    page = (ROOT / "docs" / "containers.md").read_text()
    assert all(word in page for word in ("CTIBUS_BUS_ADDRESS", "CTIBUS_BUS_SUBSCRIBE_PORT", "CTIBUS_BUS_REQUEST_PORT", "deploy/containers/bus.yml"))
    env = services["state"]["environment"]
    folder = env["CTIBUS__CURVE__ALLOW"].rpartition("/")[0]
    for name in ("state", "monitor", "tls"):
        (tmp_path / name).mkdir()
    make_keys(tmp_path, *[who for who in services["keys"]["command"] if who == "monitor:monitor"])
    curve = {key.rpartition("__")[2].lower(): value.replace(folder, str(tmp_path / "state")) for key, value in env.items() if "__CURVE__" in key}
    assert sorted(curve) == ["allow", "own_key", "server_key"]
    with Stack(parts=("state",), config={"ctibus.curve": curve}) as s:
        s.wait_ready("state")
        at = {"CTIBUS_REQUEST": f"tcp://127.0.0.1:{s.ports['request']}", "CTIBUS_SUBSCRIBE": f"tcp://127.0.0.1:{s.ports['subscribe']}"}
        monitor = ["/usr/bin/python3", ROOT / "docs" / "examples" / "monitor.py"]
        keys = {"CTIBUS_KEY": str(tmp_path / "monitor" / "own.key_secret"), "CTIBUS_SERVER_KEY": str(tmp_path / "monitor" / "state.key")}
        mine, open_one = Program(monitor, {**at, **keys}), Program(monitor, at)
        try:
            until(lambda: mine.logged("xivo 1001"), "it has what state knows")
            assert not open_one.lines
        finally:
            mine.kill()
            open_one.kill()
