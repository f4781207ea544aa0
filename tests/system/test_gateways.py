"""Several ami-gw for one Asterisk, and clocks that are set back: the link is owned by a gateway that is logged in, and
every view is right again within seconds."""

import os
import pathlib
import signal
import time

import pytest
from stack import BIN, Program, Stack, until
from test_faults import HEAL_S, heals

WRONG = "ipbxes.xivo.ipbx_connection.password=not the password"


def gateway(stack, *sets):
    """Another ami-gw of the same configuration."""
    options = [o for s in ("ctibus.http.ami-gw=127.0.0.1:0", *sets) for o in ("--set", s)]
    program = Program([BIN / "ctibus-ami-gw", "--config", stack.path("ctibus.json"), *options])
    program.http = program.listening("metrics")
    stack.programs["ami-gw-second"] = program
    return program


def link(stack):
    return stack.snapshot("ipbx")[0]["link"]


def owned(stack, within=HEAL_S):
    until(lambda: link(stack) == "up", "the link is up", within)
    assert stack.metric("state", "ctibus_state_link_up") == 1


@pytest.fixture
def stack():
    with Stack() as s:
        yield s.wait_ready()


def test_one_that_cannot_log_in_owns_nothing(stack):
    alice = stack.client("alice").load()
    stray = gateway(stack, WRONG)
    until(lambda: stray.logged("Authentication failed"), "it has tried")
    until(lambda: stray.logged("state is there"), "state knows it")
    heals(stack, alice)
    owned(stack)
    assert link(stack) == "up"
    stray.terminate()
    heals(stack, alice)
    owned(stack)


def test_the_one_that_logs_in_last_takes_over_and_the_other_stands_by(stack):
    alice = stack.client("alice").load()
    first = stack.programs["ami-gw"]
    gateway(stack)
    until(lambda: first.logged("standing by"), "the former stands by")
    owned(stack)
    heals(stack, alice)
    stack.programs["state"].says("takes over")
    monitor = stack.monitor("tel/")
    epochs = {monitor.wait("tel/")[1][2] for _ in range(30)}
    assert len(epochs) == 1, "only one of them speaks"
    monitor.close()
    stack.kill("ami-gw-second")
    until(lambda: first.logged("is ours again"), "and comes back when the other is gone")
    owned(stack)
    heals(stack, alice)
    assert stack.metric("state", "ctibus_state_link_up") == 1


def test_without_the_reserve_the_link_is_down_and_told(stack):
    gateway(stack)
    until(lambda: stack.programs["ami-gw"].logged("standing by"), "the former stands by")
    stack.kill("ami-gw")
    stack.programs["state"].says(" is gone")
    assert link(stack) == "up"  # the owner is not concerned
    stack.kill("ami-gw-second")
    until(lambda: link(stack) == "down", "nobody is left", 10)
    assert stack.metric("state", "ctibus_state_link_up") == 0
    stack.start("ami-gw")
    owned(stack, 10)


def test_the_owner_hangs_for_twenty_seconds(stack):
    alice = stack.client("alice").load()
    first = stack.programs["ami-gw"]
    second = gateway(stack)
    until(lambda: first.logged("standing by"), "the former stands by")
    second.process.send_signal(signal.SIGSTOP)
    try:
        until(lambda: first.logged("is ours again"), "the other takes over", 10)
        owned(stack)
        heals(stack, alice)
        until(lambda: not alice.seen.clear() and alice.drain(0.05) and alice.seen, "and is heard")
    finally:
        time.sleep(10)  # so long it hangs
        second.process.send_signal(signal.SIGCONT)
    until(lambda: stack.programs["state"].count("takes over") >= 2, "it comes back")
    owned(stack)
    heals(stack, alice)


# ---- clocks ----

LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
needs_faketime = pytest.mark.skipif(not LIBRARY or "asan" in str(BIN) or "tsan" in str(BIN),
                                    reason="libfaketime is missing, or does not go together with the sanitizers")


def start_with_clock(stack, part, offset):
    """Starts `part` anew with a clock that is wrong by so much."""
    stack.programs.pop(part).terminate()
    fake = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    os.environ.update(fake)
    try:
        stack.start(part)
    finally:
        for name in fake:
            del os.environ[name]
    stack.wait_ready(part)


@needs_faketime
@pytest.mark.parametrize("part", ["ami-gw", "state", "cti-gw"])
def test_a_clock_that_is_set_back_across_a_restart(part):
    with Stack() as s:
        s.start("cti-gw2")
        s.wait_ready()
        alice = s.client("alice", part="cti-gw2").load()
        for offset in ("-60", "-3600", "-86400", "+0", "-172800"):
            start_with_clock(s, part, offset)
            s.wait_ready("state", "ami-gw", timeout=HEAL_S)
            owned(s)
            heals(s, alice)
        late = s.client("bob").load()
        heals(s, alice, late)


@needs_faketime
def test_all_clocks_are_set_back():
    with Stack() as s:
        s.wait_ready()
        alice = s.client("alice").load()
        for offset in ("-3600", "-86400"):
            for part in ("state", "ami-gw"):
                start_with_clock(s, part, offset)
            owned(s)
            heals(s, alice)
