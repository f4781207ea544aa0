"""The programs of docs/examples that are built, against a live state."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import msgpack
import pytest
import zmq
import zmq.auth

from stack import BIN, ROOT, Context, Program, Stack, until
from test_office import QUIET

SUBSCRIBER = BIN / "example-subscriber"
HANDLER = BIN / "example-handler"


@pytest.fixture(name="run")
def runner():
    started = []

    def run(*args):
        started.append(Program([SUBSCRIBER, *args]))
        return started[-1]
    yield run
    for p in started:
        p.kill()


def endpoint(stack):
    return ("-e", f"tcp://127.0.0.1:{stack.ports['subscribe']}")


def test_a_subscriber_of_a_real_call(run):
    with Stack(capture="20/02-call-answered.ami", pace="x5") as s:
        s.wait_ready()
        p = run(*endpoint(s), "tel/", "xod/", "svc/state/")
        until(lambda: any(re.match(r'svc/state/\S+ state@\S+ \d+ \{.*"ready"', line) for line in list(p.lines)), "a heartbeat")
        until(lambda: any(re.match(r'tel/xivo/channel/\w+/ ami-gw:xivo@\S+ \d+ \{.*"channel"', line) for line in list(p.lines)), "a call")
        until(lambda: any(re.match(r'xod/xivo/status/phones/\d+/ state@\S+ \d+ \{"op"', line) for line in list(p.lines)), "a phone")
        assert not p.logged("lost") and not p.logged("another process")
        p.process.send_signal(signal.SIGTERM)
        assert p.process.wait(5) == 0


def test_a_subscriber_sees_losses_and_restarts(run):
    """Numbers are left out by a publisher; what goes through state is as a loss on the way would leave it."""
    with Stack(parts=("state",)) as s, Context() as context:
        s.wait_ready()
        p = run(*endpoint(s), "tel/", "xod/xivo/", "all/")
        publisher = context.socket(zmq.PUB)
        publisher.linger = 0
        publisher.connect(f"tcp://127.0.0.1:{s.ports['publish']}")

        def send(topic, epoch, number):
            publisher.send_multipart([topic, msgpack.packb([1, "x@test", epoch, number, 0.0]), msgpack.packb({"n": number})])

        def arrives():
            send(b"all/", 1, 0)
            return p.logged("all/ x@test 0 ")
        until(arrives, "the publisher is heard")
        for epoch, number in ((1, 1), (1, 2), (1, 5), (1, 6), (2, 1), (1, 7), (2, 2), (2, 4)):
            send(b"tel/x/", epoch, number)
        for number in (1, 9):  # a part of a plane: that numbers are missing means nothing
            send(b"xod/xivo/", 1, number)
        until(lambda: p.logged("xod/xivo/ x@test 9 "), "all are there")
        told = [line for line in p.lines if line.startswith("x@test")]
        assert told == ["x@test tel: 2 messages lost, ask for a snapshot", "x@test tel: another process speaks, ask for a snapshot",
                        "x@test tel: 1 messages lost, ask for a snapshot"]
        publisher.send_multipart([b"tel/x/", b"x", b"\xc1"])
        until(lambda: p.logged("a message that is none of ctibus"), "it is told")
        publisher.send_multipart([b"tel/x/", msgpack.packb([1, "x@test", 1, 8, 0.0]), b"\xc1"])
        until(lambda: p.logged("tel/x/ x@test 8 (not msgpack)"), "it is told")
        publisher.close()


def test_a_subscriber_with_curve(run):
    with Stack(parts=(), config={"ctibus.curve": {"server_key": "site.key", "own_key": "site.key", "allow": "allowed"}}) as s:
        s.path("allowed").mkdir()
        subprocess.run([BIN / "ctibus", "keygen", s.path("site.key")], check=True, stdout=subprocess.DEVNULL)
        for name in ("mine", "stranger"):
            zmq.auth.create_certificates(s.path("."), name)  # of another program: it has no role yet
        subprocess.run([BIN / "ctibus", "keygen", "--role", "monitor", "--convert", s.path("mine.key"), s.path("allowed") / "mine.key"],
                       check=True, stdout=subprocess.DEVNULL)
        s.start("state")
        s.wait_ready("state")
        mine, stranger = (run("-k", s.path(f"{n}.key"), "-s", s.path("site.key"), *endpoint(s), "svc/") for n in ("mine", "stranger"))
        clear = run(*endpoint(s), "svc/")
        until(lambda: mine.count("svc/state/") >= 2, "two heartbeats")
        assert not stranger.lines and not clear.lines


def node_modules():
    """Where node has zeromq and @msgpack/msgpack, which are no packages of Debian; the test is skipped where it has not."""
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    folders = [os.environ.get("CTIBUS_NODE_MODULES"), ROOT / "node_modules", "/usr/share/nodejs", "/usr/lib/node_modules", "/usr/local/lib/node_modules"]
    for folder in filter(None, folders):
        if all(pathlib.Path(folder, name).exists() for name in ("zeromq", "@msgpack/msgpack")):
            return pathlib.Path(folder)
    return pytest.skip("node has no zeromq and @msgpack/msgpack (npm install, then CTIBUS_NODE_MODULES=.../node_modules)")


def monitor_of(language, folder):
    """The command of the monitor in this language."""
    examples = ROOT / "docs" / "examples"
    if language == "Python":
        return ["/usr/bin/python3", examples / "monitor.py"]
    folder.joinpath("node_modules").symlink_to(node_modules())  # node looks for them beside the program
    return ["node", shutil.copy(examples / "monitor.mjs", folder)]


@pytest.mark.parametrize("language, fence, file", [("Python", "python", "monitor.py"), ("Node", "js", "monitor.mjs")])
def test_the_page_prints_the_monitor(language, fence, file):
    page = ROOT.joinpath("docs", "bus.md").read_text(encoding="utf-8")
    assert f"```{fence}\n{ROOT.joinpath('docs', 'examples', file).read_text(encoding='utf-8')}```" in page, f"the monitor in {language}"


@pytest.mark.parametrize("language", ["Python", "Node"])
def test_a_monitor_that_joins_late(language, tmp_path):
    """With a monitor's key: it knows all that there was, hears each change, and goes on after a restart of state."""
    command = monitor_of(language, tmp_path)
    with Stack(parts=(), office=QUIET,
               config={"ctibus.curve": {"server_key": "site.key", "own_key": "site.key", "allow": "allowed"}}) as s:
        s.path("allowed").mkdir()
        subprocess.run([BIN / "ctibus", "keygen", "--role", "gateway", s.path("site.key")], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([BIN / "ctibus", "keygen", "--role", "monitor", s.path("mine.key")], check=True, stdout=subprocess.DEVNULL)
        for name in ("site.key", "mine.key"):
            shutil.copy(s.path(name), s.path("allowed") / name)
        for part in ("sim", "state", "ami-gw", "cti-gw"):
            s.start(part)
        s.wait_ready()
        env = {"CTIBUS_REQUEST": f"tcp://127.0.0.1:{s.ports['request']}", "CTIBUS_SUBSCRIBE": f"tcp://127.0.0.1:{s.ports['subscribe']}",
               "CTIBUS_KEY": str(s.path("mine.key_secret")), "CTIBUS_SERVER_KEY": str(s.path("site.key"))}
        p = Program(command, env)
        try:
            until(lambda: {line.split()[1] for line in list(p.lines)} >= {"1001", "1002", "1003"}, "all phones are there")
            for call in range(3):
                if call == 1:
                    s.kill("state")
                    s.start("state")
                    s.wait_ready()
                lines = len(p.lines)
                alice = s.client("alice")
                alice.ask("ipbxcommand", command="dial", destination="exten:xivo/1002")

                def lamps(number, after=lines):
                    return [line.split()[2] for line in list(p.lines)[after:] if line.split()[1] == number]
                until(lambda f=lamps: f("1001") and f("1002")[-1:] not in ([], ["0"]), lambda: f"the call {call}: {p.lines[lines:]}")
                alice.ask("ipbxcommand", command="hangup", channelids=[f"chan:xivo/{c}" for c in s.sim_status()["channels"]])
                until(lambda f=lamps: f("1001")[-1:] == ["0"] and f("1002")[-1:] == ["0"], lambda: f"its end {call}: {p.lines[lines:]}")
                alice.close()
            assert not p.logged("Traceback") and p.process.poll() is None
        finally:
            p.kill()


class FakeState:
    """As much of state as a monitor hears, which says what a test wants and loses what a test wants."""

    def __init__(self):
        self.context = Context()
        self.requests, self.bus = self.context.socket(zmq.ROUTER), self.context.socket(zmq.PUB)
        self.ports = [s.bind_to_random_port("tcp://127.0.0.1") for s in (self.requests, self.bus)]
        self.epoch, self.number, self.lamp, self.snapshots = 7, 5, "0", 0

    def publish(self, topic, number, body):
        self.bus.send_multipart([topic.encode(), msgpack.packb([1, "state@test", self.epoch, number, 0.0]), msgpack.packb(body)])

    def change(self, lamp, heard=True):
        self.number, self.lamp = self.number + 1, lamp
        if heard:
            self.publish("xod/xivo/status/phones/11/", self.number, {"op": "update", "fields": {"hintstatus": lamp}})

    def beat(self):
        self.publish("svc/state/state/", 1, {"seq": {"xod": self.number}})

    def serve(self, done, what):
        """Answers until done() is true."""
        def step():
            while self.requests.poll(20):
                peer, version, number, method, body = self.requests.recv_multipart()
                answer = {"epoch": self.epoch}
                if method == b"hello":
                    self.instance = msgpack.unpackb(body)["instance"]
                elif method == b"echo":
                    self.publish(f"xod/echo/{self.instance}/", 0, {})
                elif method == b"snapshot":
                    self.snapshots += 1
                    answer = {"seq": self.number, "objects": [["xivo", "phones", "11", {"number": "1001", "hintstatus": self.lamp}]]}
                self.requests.send_multipart([peer, version, number, b"ok", msgpack.packb(answer)])
            return done()
        until(step, what)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.requests.close(0)
        self.bus.close(0)
        self.context.term()


@pytest.mark.parametrize("language", ["Python", "Node"])
def test_a_monitor_that_loses_something(language, tmp_path):
    """A change that is missing between others, at the end of a burst, with a restart, or with state's silence: it begins anew."""
    command = monitor_of(language, tmp_path)
    with FakeState() as s:
        p = Program(command, {"CTIBUS_REQUEST": f"tcp://127.0.0.1:{s.ports[0]}", "CTIBUS_SUBSCRIBE": f"tcp://127.0.0.1:{s.ports[1]}"})
        try:
            def shown(lamp, snapshots):
                s.serve(lambda: p.lines[-1:] == [f"xivo 1001 {lamp}"] and s.snapshots == snapshots, lambda: f"{lamp} {snapshots}: {p.lines}")
            shown("0", 1)
            s.change("1")
            shown("1", 1)
            s.beat()
            s.change("2")
            shown("2", 1)
            s.change("4", heard=False)
            s.change("8")
            shown("8", 2)
            s.change("16", heard=False)
            s.beat()
            shown("16", 3)
            s.epoch, s.number, s.lamp = 8, 1, "0"
            s.beat()
            shown("0", 4)
            s.lamp = "1"
            shown("1", 5)
        finally:
            p.kill()


@pytest.mark.parametrize("args, code, said", [((), 2, "Usage: "), (("-k", "x", "tel/"), 2, "Usage: "), (("-x", "tel/"), 2, "invalid option"),
                                              (("-k", "no.key", "-s", "no.key", "tel/"), 1, "no.key: no certificate"),
                                              (("-e", "nonsense", "tel/"), 1, "nonsense: Invalid argument")])
def test_a_subscriber_used_wrongly(args, code, said):
    ended = subprocess.run([SUBSCRIBER, *args], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == code and said in ended.stderr


@pytest.mark.parametrize("name", ["subscriber", "handler"])
def test_it_is_built_as_it_says(tmp_path, name):
    file = ROOT / "docs" / "examples" / f"{name}.c"
    command = re.search(rf"cc -o {name} .*\)", file.read_text(encoding="utf-8"))[0].replace(f"{name}.c", str(file))
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    assert (tmp_path / name).exists()


def test_a_handler_in_c():
    """With a gateway's key: it answers its class, also after a restart of state, and a stranger is not heard."""
    config = {"ctibus.curve": {"server_key": "site.key", "own_key": "site.key", "allow": "allowed"},
              "regcommands": {"all": ["getlist", "crm_contract"], "administrator": []}}
    with Stack(parts=(), config=config) as s:
        s.path("allowed").mkdir()
        for name in ("site.key", "mine.key", "stranger.key"):
            subprocess.run([BIN / "ctibus", "keygen", "--role", "gateway", s.path(name)], check=True, stdout=subprocess.DEVNULL)
        for name in ("site.key", "mine.key"):
            shutil.copy(s.path(name), s.path("allowed") / name)
        for part in ("state", "cti-gw"):
            s.start(part)
        s.wait_ready()
        at = ("-e", f"tcp://127.0.0.1:{s.ports['request']}")
        stranger = Program([HANDLER, "-k", s.path("stranger.key"), "-s", s.path("site.key"), *at])
        p = Program([HANDLER, "-k", s.path("mine.key"), "-s", s.path("site.key"), *at])
        try:
            for times in (1, 2):
                until(lambda t=times: p.count("registered") == t, "it is registered")
                alice = s.client("alice")

                def contract(client=alice, **fields):
                    return client.ask("crm_contract", **fields)
                until(lambda ask=contract: ask()["class"] and ask().get("error_string") == "missing:number", "the gateway knows the class")
                known = contract(number="0123456789")
                assert (known["number"], known["contract"]) == ("0123456789", "Dupont SA, gold")
                assert contract(number="1")["contract"] == "none" and contract(number=1)["error_string"] == "number"
                alice.close()
                if times == 1:
                    s.kill("state")
                    s.start("state")
                    s.wait_ready()
            assert not stranger.lines
            p.process.send_signal(signal.SIGTERM)
            assert p.process.wait(5) == 0
        finally:
            p.kill()
            stranger.kill()


@pytest.mark.parametrize("args, code, said", [(("x",), 2, "Usage: "), (("-k", "x"), 2, "Usage: "), (("-k", "no.key", "-s", "no.key"), 1, "no.key: no certificate"),
                                              (("-e", "nonsense"), 1, "nonsense: Invalid argument")])
def test_a_handler_used_wrongly(args, code, said):
    ended = subprocess.run([HANDLER, *args], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == code and said in ended.stderr
