"""scripts/run, what `make run` runs: it becomes ready, a client sees a call, and it stops cleanly."""

import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from stack import BIN, ROOT, Client, free_port

SECONDS = 60


def copy_of(name, tmp_path):
    """A copy of a shipped configuration at ports of its own."""
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config" / name, folder)
    return at_free_ports(folder / "ctibus.json")


def at_free_ports(path):
    """The configuration, changed."""
    ami, cti, fagi, *others = (free_port() for _ in range(16))
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree["main"]["incoming_tcp"] = {"CTI": ["127.0.0.1", cti, True], "FAGI": ["127.0.0.1", fagi, True],
                                    "WEBI": ["127.0.0.1", others.pop(), True],
                                    "INFO": ["127.0.0.1", others.pop(), True]}
    tree["main"]["incoming_udp"] = {"ANNOUNCE": ["127.0.0.1", others.pop(), True]}
    tree["ipbxes"]["xivo"]["ipbx_connection"]["ipport"] = ami
    tree["ctibus"]["bus"] = {name: f"tcp://127.0.0.1:{others.pop()}"
                             for name in ("publish", "subscribe", "request")}
    tree["ctibus"]["http"] = {name: f"127.0.0.1:{others.pop()}"
                              for name in ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw")}
    tree["ctibus"]["api"] = {"listen": f"127.0.0.1:{others.pop()}"}
    tree["ctibus"].setdefault("cti", {})["websocket"] = f"127.0.0.1:{others.pop()}"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


@pytest.fixture(name="config")
def fixture_config(tmp_path):
    return copy_of("office", tmp_path)


class Run:
    """scripts/run, with what it prints."""

    def __init__(self, config, *args):
        build = config.parent / "build"
        build.mkdir(exist_ok=True)
        if not (build / "bin").exists():
            (build / "bin").symlink_to(BIN)
        self.logs = build / "run"
        self.process = subprocess.Popen(
            [ROOT / "scripts" / "run", *(() if "--site" in args else ("--config", config)), "--build", build, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def read_until(self, wanted):
        """What came up to this text, or up to the end with None."""
        text = ""
        while wanted is None or wanted not in text:
            line = self.lines.get(timeout=SECONDS)
            if line is None:
                assert wanted is None, f"no {wanted!r} in: {text}"
                break
            text += line
        return text

    def children(self):
        """Its programs' process ids by name."""
        pid = self.process.pid
        listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        commands = {int(p): pathlib.Path(f"/proc/{p}/cmdline").read_bytes() for p in listed}
        return {os.path.basename(c.split(b"\0")[0]).decode(): p for p, c in commands.items()}

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


@pytest.fixture(name="start")
def fixture_start(config):
    runs = []

    def start(*args, config=config):
        runs.append(Run(config, *args))
        return runs[-1]

    yield start
    for run in runs:
        run.stop()


def demo(config, *args):
    port = json.loads(config.read_text(encoding="utf-8"))["main"]["incoming_tcp"]["CTI"][1]
    return subprocess.run([ROOT / "scripts" / "cti-demo", "--port", str(port), *args],
                          capture_output=True, text=True, timeout=SECONDS, check=False)


def gone(pid):
    """Ended, whether or not somebody has waited for it."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return True
    return stat.rpartition(") ")[2].startswith("Z")


@pytest.mark.parametrize("version", ["20", "1.8"])
def test_client_sees_the_recorded_call_and_all_stops(tmp_path, start, version):
    (tmp_path / "recorded").mkdir()
    config = copy_of("demo", tmp_path / "recorded")
    run = start("--asterisk", version, "--scenario", "02-call-answered", config=config)
    assert f"Asterisk {version}" in run.read_until("Ctrl-C stops everything.")
    children = run.children()
    assert len(children) == 6
    said = demo(config, "--seconds", "7").stdout
    changes = [json.loads(line[2:]) for line in said.splitlines() if line.startswith("< ")]
    statuses = {c["status"].get("hintstatus") for c in changes
                if c.get("listname") == "phones" and "replyid" not in c and "status" in c}
    assert {"0", "1", "8"} <= statuses, "idle, talking and ringing"
    assert run.stop() == 0
    assert all(gone(pid) for pid in children.values())
    assert "Traceback" not in run.read_until(None)


def test_a_site_made_by_hand_is_played(tmp_path, start):
    """With a configuration of its own, so that the test needs no fixed port."""
    written = tmp_path / "site"
    subprocess.run([ROOT / "tests" / "handmade" / "write", "freepbx-queue", written], check=True, stdout=subprocess.PIPE)
    config = at_free_ports(written / "ctibus.json")
    run = start("--scenario", "freepbx-queue", config=config)
    assert "Alice's phone rings twice in vain" in run.read_until("(alice/alice)")
    said = demo(config, "--seconds", "8").stdout
    assert '"queue":"400"' in said and '"hintstatus":"8"' in said
    assert run.stop() == 0


def test_what_it_prints_for_programs_works(config, start):
    run = start()
    line = next(x.strip() for x in run.read_until("Ctrl-C stops everything.").splitlines() if x.strip().startswith("curl "))
    done = subprocess.run(["/bin/sh", "-c", line.replace("curl ", "curl -sS ")], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert json.loads(done.stdout)["items"] is not None, done
    assert run.stop() == 0


def test_who_dials_in_the_company_hears_it_ring(config, start):
    run = start()
    said = run.read_until("(alice/alice)")
    assert "a company of 30 people" in said and said.splitlines()[-1].startswith("open http://127.0.0.1:")
    tree = json.loads(config.read_text(encoding="utf-8"))
    alice = Client(tree["main"]["incoming_tcp"]["CTI"][1])
    alice.login("alice", "alice")
    alice.ask("ipbxcommand", command="dial", destination="exten:xivo/1002")
    alice.wait(lambda: alice.status("phones", "2").get("hintstatus") == "8", "bob's phone rings")
    alice.close()
    assert run.stop() == 0


@pytest.mark.parametrize("name", ["state", "ami-gw", "fagi-gw", "cti-gw", "http-gw"])
def test_a_part_that_dies_ends_all(start, name):
    run = start()
    run.read_until("Ctrl-C stops everything.")
    children = run.children()
    os.kill(children[f"ctibus-{name}"], signal.SIGKILL)
    assert run.process.wait(SECONDS) == 1
    said = run.read_until(None)
    assert f"{name} ended by signal 9" in said
    assert str(run.logs / f"{name}.log") in said
    assert all(gone(pid) for pid in children.values())


def test_taken_port_is_told(config, start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        tree = json.loads(config.read_text(encoding="utf-8"))
        tree["main"]["incoming_tcp"]["CTI"][1] = port
        config.write_text(json.dumps(tree), encoding="utf-8")
        run = start()
        assert run.process.wait(SECONDS) == 1
        assert re.search(rf"listens already at 127.0.0.1:{port}", run.read_until(None))


def test_killed_itself_it_leaves_nobody(start):
    run = start()
    run.read_until("Ctrl-C stops everything.")
    children = run.children()
    run.process.kill()
    run.process.wait(SECONDS)
    deadline = time.monotonic() + SECONDS
    while not all(gone(pid) for pid in children.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(gone(pid) for pid in children.values())


def test_demo_says_why_it_cannot(config):
    said = demo(config)
    assert said.returncode != 0
    assert "Does `make run` run?" in said.stderr


def test_a_site_of_ones_own(config, start):
    """Nothing is simulated: what `ctibus setup` wrote runs against the Asterisk that it names."""
    ami = json.loads(config.read_text(encoding="utf-8"))["ipbxes"]["xivo"]["ipbx_connection"]["ipport"]
    sim = subprocess.Popen([BIN / "ctibus-asterisk-sim", "--office", "--listen", f"127.0.0.1:{ami}", "--status",
                            f"127.0.0.1:{free_port()}"], stdout=subprocess.DEVNULL)
    try:
        run = start("--site", config.parent)
        said = run.read_until("Ctrl-C stops everything.")
        assert f"with the Asterisk at 127.0.0.1:{ami}" in said and "doctor" in said
        assert set(run.children()) == {"ctibus-state", "ctibus-ami-gw", "ctibus-fagi-gw", "ctibus-cti-gw", "ctibus-http-gw"}
        assert run.stop() == 0
    finally:
        sim.kill()
        sim.wait()


def test_a_site_that_is_not_there(tmp_path, config, start):
    run = start("--site", tmp_path / "none", config=config)
    said = run.read_until(None)
    assert "There is no" in said and "setup --dir" in said and run.stop() == 1
