"""The programs of docs/examples that are built, against a live state."""

import pathlib
import re
import signal
import subprocess

import msgpack
import pytest
import zmq
import zmq.auth

from stack import BIN, ROOT, Context, Program, Stack, until

SUBSCRIBER = BIN / "example-subscriber"


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


@pytest.mark.parametrize("args, code, said", [((), 2, "Usage: "), (("-k", "x", "tel/"), 2, "Usage: "), (("-x", "tel/"), 2, "invalid option"),
                                              (("-k", "no.key", "-s", "no.key", "tel/"), 1, "no.key: no certificate"),
                                              (("-e", "nonsense", "tel/"), 1, "nonsense: Invalid argument")])
def test_a_subscriber_used_wrongly(args, code, said):
    ended = subprocess.run([SUBSCRIBER, *args], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == code and said in ended.stderr


def test_it_is_built_as_it_says(tmp_path):
    text = pathlib.Path(ROOT / "docs" / "examples" / "subscriber.c").read_text(encoding="utf-8")
    command = re.search(r"cc -o subscriber .*\)", text)[0].replace("subscriber.c", str(ROOT / "docs" / "examples" / "subscriber.c"))
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    assert (tmp_path / "subscriber").exists()
