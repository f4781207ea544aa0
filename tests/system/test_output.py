"""Programs whose output cannot be written, and those that listen to a bus that is not there."""

import subprocess

import pytest

from stack import BIN, Program, Stack, until

SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")


@pytest.fixture(scope="module", name="stack")
def whole_site():
    with Stack("20/02-call-answered.ami") as s:
        yield s.wait_ready()


def into_full(*command):
    with open("/dev/full", "w", encoding="ascii") as full:
        return subprocess.run([str(c) for c in command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30,
                              check=False)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("flags", (["--help"], ["--version"], ["--check"]))
def test_a_service_whose_output_is_lost_fails(stack, service, flags):
    command = [BIN / f"ctibus-{service}", "--config", stack.path("ctibus.json"), *flags]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, timeout=30, check=False).returncode == 0
    r = into_full(*command)
    assert r.returncode == 1 and "cannot write the output: No space left on device" in r.stderr


@pytest.mark.parametrize("command", (
    ["snapshot", "users"], ["sessions"], ["token", "list"], ["schema"], ["check"], ["--help"], ["--version"], ["tail", "--help"],
    ["action", "Ping"], ["call", "snapshot", '{"list":"users"}'], ["tail"], ["--json", "tail"],
    ["--json", "top", "--interval", "0.2", "--count", "1"], ["top", "--interval", "0.2", "--count", "1"]))
def test_the_tool_fails_when_its_output_is_lost(stack, command):
    r = into_full(BIN / "ctibus", "--config", stack.path("ctibus.json"), *command)
    assert r.returncode != 0 and "cannot write the output" in r.stderr, r.stderr


def test_the_simulator_too():
    assert into_full(BIN / "ctibus-asterisk-sim", "--help").returncode != 0


def test_a_reader_that_leaves_early_is_no_fault(stack):
    command = f"{BIN}/ctibus --config {stack.path('ctibus.json')} tail; echo code $? >&2"
    r = subprocess.run(["bash", "-c", f"({command}) | head -n 1"], capture_output=True, text=True, timeout=30, check=False)
    assert "code 0" in r.stderr and "cannot write" not in r.stderr and r.stdout


@pytest.mark.parametrize("command", (["tail", "tel"], ["top"], ["--json", "top"], ["record", "FILE"]))
def test_a_bus_that_is_not_there_is_told(command, tmp_path):
    with Stack("20/02-call-answered.ami", parts=()) as s:
        command = [tmp_path / "recorded" if word == "FILE" else word for word in command]
        program = Program([BIN / "ctibus", "--config", s.path("ctibus.json"), *command])
        until(lambda: program.logged(f"nothing comes from tcp://127.0.0.1:{s.ports['subscribe']}"), "it says so", 20)
        assert program.process.poll() is None, "and goes on"
        s.start("state")
        until(lambda: program.logged("there is somebody at"), "and says when there is one", 20)
        assert program.terminate() == 0
