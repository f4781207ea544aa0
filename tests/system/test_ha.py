"""Two states, one of which is active: whatever happens to it, the other one takes over, and clients stay."""

import contextlib
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading

import pytest
import yaml

from pair import NAMES, Pair, seconds
from postgres import Postgres
from stack import BIN, ROOT, SANITIZED, Client, Program, Stack, until

SOON = 15 if SANITIZED else 5
LEAVES = 75  # the exit code of a state that has left the site to the other one


@pytest.fixture(scope="module")
def server():
    server = Postgres()
    yield server
    server.close()


@pytest.fixture()
def pair(server):
    with Pair(server) as s:
        s.wait_served(by="a")
        yield s


def ha(s, *words):
    return subprocess.run([BIN / "ctibus", "--config", s.config, *words], capture_output=True, text=True, timeout=40, check=False)


def examined(s):
    """What the doctor finds of the states and the bus, on the machine of b: sentences by their ids."""
    said = subprocess.run([BIN / "ctibus", "--config", s.config, "--json", "doctor"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "CTIBUS__HA__NAME": "b"}, check=False)
    found = [json.loads(line) for line in said.stdout.splitlines()]
    return {f["id"]: f["what"] for f in found if f["id"].startswith("ha.") or "ctibus.bus" in f["what"]}


def put(client, value):
    return client.ask("featuresput", function="enablednd", value=value).get("status")


def dnd(client):
    return client.ask("featuresget", userid="1")["userfeatures"]["enablednd"]


def leaves(s, name):
    """It ends by itself, and is started again."""
    program = s.programs[f"state-{name}"]
    until(lambda: program.process.poll() is not None, f"{name} leaves")
    assert program.process.returncode == LEAVES, program.lines
    s.again(name)


def test_one_is_active_and_the_other_takes_over(pair):
    s = pair
    assert s.programs["state-b"].logged("on standby")
    alice, bob = s.client("alice").load(), s.client("bob").load()
    assert put(alice, True) == "OK"
    term = s.term()
    s.programs["state-a"].kill()
    took = seconds(lambda: s.role() == "b" and s.served(), "b serves")
    assert took < SOON, took
    assert s.term() > term
    assert dnd(alice) is True
    assert put(alice, False) == "OK"
    bob.wait(lambda: bob.status("users", "1").get("enablednd") is False, "bob sees it")
    s.again("a")
    s.programs["state-a"].says("on standby: b is active")


def test_a_switch_is_quick_and_nobody_notices(pair):
    s = pair
    alice = s.client("alice").load()
    for was, to in (("a", "b"), ("b", "a")):
        until(lambda: s.is_ready(f"state-{to}"), f"{to} stands by")
        said = ha(s, "ha", "switch")
        assert said.returncode == 0 and said.stdout.startswith(f"{to} is active, after "), said
        assert SANITIZED or float(said.stdout.split()[-2]) < 1, said.stdout
        leaves(s, was)
        s.wait_served(by=to)
        assert put(alice, to == "b") == "OK"
    assert dnd(alice) is False


def test_status_tells_who_is_what(pair):
    s = pair
    until(lambda: s.is_ready("state-b"), "b stands by")
    said = ha(s, "ha", "status")
    rows = [line.split() for line in said.stdout.splitlines()]
    assert said.returncode == 0 and rows[0] == ["NAME", "ROLE", "TERM", "VERSION", "ENDPOINT"]
    assert [r[:2] for r in rows[1:]] == [["a", "active"], ["b", "standby"]] and int(rows[1][2]) == s.term()
    assert not examined(s)
    s.kill("state-b")
    assert "no state could take over from a: ctibus ha status" in examined(s)["ha.standby"]
    said = ha(s, "--json", "ha", "status")
    assert said.returncode == 1 and "no state is ready to take over" in said.stderr
    assert [json.loads(line)["role"] for line in said.stdout.splitlines()] == ["active", "no answer"]
    said = ha(s, "ha", "switch")
    assert said.returncode == 1 and "nothing was changed" in said.stderr and s.role() == "a"
    s.start_state("b")


def test_one_that_stood_still_can_write_nothing(pair):
    """A client that knows only the old state asks it for something while it stands still: it finds that in its
    connection when it goes on."""
    s = pair
    alice = s.client("alice").load()
    assert put(alice, True) == "OK"
    alone = json.loads(s.config.read_text())
    del alone["ctibus"]["ha"]
    alone["ctibus"]["bus"] = {n: f"tcp://127.0.0.1:{s.bus['a'][n]}" for n in ("publish", "subscribe", "request")}
    alone["ctibus"]["database"] = "sqlite:unused.db"
    s.path("alone.json").write_text(json.dumps(alone))
    s.programs["cti-gw9"] = Program([BIN / "ctibus-cti-gw", "--config", s.path("alone.json")])
    s.programs["cti-gw9"].http = s.programs["cti-gw9"].listening("metrics")
    s.wait_ready("cti-gw9")
    old = Client(s.programs["cti-gw9"].listening("CTI"))
    old.login("bob", "bob")
    with s.asleep("a"):
        old.send("featuresput", function="enablednd", value=True)
        took = seconds(lambda: s.role() == "b" and s.served(), "b serves")
        assert took < SOON + 3, took
        assert put(alice, False) == "OK"
    leaves(s, "a")
    assert s.programs["state-b"].logged("a has it and has written nothing for")
    bob = s.client("bob").load()
    assert not bob.ask("featuresget", userid="2")["userfeatures"]["enablednd"]
    assert dnd(alice) is False
    assert s.rows("SELECT epoch FROM ctibus_owner") == [(str(int(s.term())),)]


def test_a_server_that_is_restarted_is_no_reason(pair, server):
    s = pair
    alice = s.client("alice").load()
    term = s.term()
    for _ in range(2):
        server.kill()
        until(lambda: s.metric("state-a", "ctibus_state_database_up") == 0 and not s.is_ready("state-b"), "it is missed")
        assert put(alice, True) == "KO"
        server.start()
        until(lambda: s.metric("state-a", "ctibus_state_database_up") == 1 and s.is_ready("state-b"), "it is found again")
    assert s.role() == "a" and s.term() == term
    assert put(alice, True) == "OK"


def test_a_server_that_comes_back_without_the_active_one(pair, server):
    s = pair
    alice = s.client("alice").load()
    assert put(alice, True) == "OK"
    server.kill()
    s.kill("state-a")
    server.start()
    s.wait_served(by="b")
    assert dnd(alice) is True
    s.start_state("a")


class Cut:
    """The way to the database, which is cut: what is sent gets lost."""

    def __init__(self, target):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target, self.whole = target, threading.Event()
        self.whole.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            if not self.whole.is_set():
                near.close()
                continue
            with contextlib.suppress(OSError):
                far = socket.create_connection(("127.0.0.1", self.target))
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    def _copy(self, a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                if self.whole.is_set():
                    b.sendall(data)
            b.shutdown(socket.SHUT_RDWR)


def test_one_that_cannot_reach_the_database_is_replaced(server):
    ways = {}

    def through(name, port):
        if port == server.port:
            ways[name] = Cut(port)
            return ways[name].port
        return port

    with Pair(server, through=through) as s:
        s.wait_served(by="a")
        alice = s.client("alice").load()
        assert put(alice, True) == "OK"
        ways["a"].whole.clear()
        s.wait_served(by="b")
        assert put(alice, False) == "OK"
        assert s.programs["state-a"].process.poll() is None
        ways["a"].whole.set()
        leaves(s, "a")
        assert dnd(alice) is False


def test_of_two_that_start_at_once_one_is_active(server):
    for _ in range(3):
        with Pair(server, parts=("sim", "ami-gw", "cti-gw")) as s:
            s.kill("state-a")
            s.kill("state-b")
            for name in NAMES:
                s.start_state(name)
            until(s.role, "one is active")
            s.wait_served()
            assert [bool(s.term_of(n)) for n in NAMES].count(True) == 1
            until(lambda: s.is_ready(f"state-{s.other()}"), "the other one stands by")


def test_who_logs_in_meanwhile_waits(pair):
    """Steps of logins, and what is asked for, while no state is active."""
    s = pair
    alice = s.client("alice").load()
    assert put(alice, True) == "OK"
    half = s.connect()
    sessionid = half.login_id("carol")["sessionid"]
    half_done = half.ask("login_pass", hashedpassword=hashlib.sha1(f"{sessionid}:carol".encode()).hexdigest())
    os.kill(s.programs["state-b"].process.pid, signal.SIGSTOP)  # so that nobody takes over until we say so
    s.programs["state-a"].kill()
    bob = s.connect()
    begun = bob.send("login_id", userlogin="bob", company="xivo", ident="X11-LE-1", xivoversion="1.2")
    opened = half.send("login_capas", capaid=half_done["capalist"][0], state="available", loginkind="user", lastconnwins=False)
    asked = alice.send("featuresget", userid="1")
    for client, number in ((bob, begun), (half, opened), (alice, asked)):
        while client.whole or select.select([client.socket], [], [], 0.5)[0]:
            assert client.line().get("replyid") != number, "nothing is refused"
    os.kill(s.programs["state-b"].process.pid, signal.SIGCONT)

    def answer(client, number):
        while (m := client.line()).get("replyid") != number:
            pass
        assert "error_string" not in m, m
        return m
    assert answer(bob, begun)["sessionid"]
    assert answer(half, opened)["capas"]
    assert answer(alice, asked)["userfeatures"]["enablednd"] is True
    assert half.ask("featuresget", userid="3")["userfeatures"]
    s.again("a")


def test_programs_on_the_bus_follow(pair, tmp_path):
    """One that answers clients, and one that has a copy of all that state knows."""
    s = pair
    both = {f"CTIBUS_{n.upper()}": " ".join(f"tcp://127.0.0.1:{s.bus[name][n]}" for name in NAMES) for n in ("request", "subscribe")}
    (tmp_path / "handler.py").write_text(f"""
import sys
sys.path.insert(0, {str(ROOT / "docs" / "examples")!r})
import ctibus
program = ctibus.Program("greeter")
@program.cti("greet", permission=False)
def greet(call):
    return {{"message": "hello " + call["login"]}}
program.run()
""")
    (tmp_path / "kept.py").write_text(f"""
import sys
sys.path.insert(0, {str(ROOT / "docs" / "examples")!r})
import ctibus
for ipbx, name, i, fields, changed in ctibus.Copy("keeper").changes():
    if (name, i) == ("users", "1") and "enablednd" in changed:
        print("dnd", bool(fields["enablednd"]), flush=True)
""")
    programs = [Program(["/usr/bin/python3", tmp_path / n], env=both) for n in ("handler.py", "kept.py")]
    try:
        alice = s.client("alice").load()
        for n, name in enumerate(("a", "b")):
            until(lambda: alice.ask("greet").get("message") == "hello alice", "it answers")
            assert put(alice, n == 0) == "OK"
            programs[1].says(f"dnd {n == 0}")
            if name == "a":
                s.lose("a")
    finally:
        for p in programs:
            p.kill()
            print(*p.lines, sep="\n")


def test_with_keys(server, tmp_path):
    """All that a site with two machines has: both states have the same key."""
    subprocess.run([BIN / "ctibus", "keygen", "--role", "gateway", tmp_path / "state.key"], check=True, capture_output=True)
    (tmp_path / "allowed").mkdir()
    shutil.copy(tmp_path / "state.key", tmp_path / "allowed")
    curve = {"server_key": str(tmp_path / "state.key"), "own_key": str(tmp_path / "state.key"), "allow": str(tmp_path / "allowed")}
    with Pair(server, config={"ctibus.curve": curve}) as s:
        s.wait_served(by="a")
        alice = s.client("alice").load()
        assert put(alice, True) == "OK"
        s.lose("a")
        assert dnd(alice) is True and put(alice, False) == "OK"
        until(lambda: s.is_ready("state-a"), "a stands by")
        assert ha(s, "ha", "switch").returncode == 0
        leaves(s, "b")
        s.wait_served(by="a")
        assert dnd(alice) is False


def test_what_is_wrong_in_the_configuration_is_told(server):
    with Pair(server) as s:
        def check(change, env=None):
            tree = json.loads(s.config.read_text())
            change(tree["ctibus"])
            s.path("wrong.json").write_text(json.dumps(tree))
            r = subprocess.run([BIN / "ctibus-state", "--config", s.path("wrong.json"), "--check"], capture_output=True, text=True,
                               env={**os.environ, **(env or {})}, timeout=20, check=False)
            return r.returncode, r.stderr
        code, said = check(lambda c: None)
        assert code == 2 and "ctibus.ha.name is to say which of ctibus.ha.peers this state is" in said
        assert check(lambda c: c["ha"].update(name="b"))[0] == 0
        assert check(lambda c: None, {"CTIBUS__HA__NAME": "a"})[0] == 0
        for change, expected in (
                (lambda c: c.update(database="sqlite:x.db"), "ctibus.ha.peers needs a database that both states reach"),
                (lambda c: c["ha"]["peers"].pop("b"), "ctibus.ha.peers: names 1 states: 2 to 4 are possible"),
                (lambda c: c["ha"]["peers"]["b"].pop("request"), "ctibus.ha.peers.b.request: is missing"),
                (lambda c: c["ha"]["peers"].update({"x y": c["ha"]["peers"]["b"]}), "is no name"),
                (lambda c: c["ha"]["peers"]["b"].update(request="here"), "must be an endpoint"),
                (lambda c: c["ha"].update(silent_ms=5), "out of range")):
            code, said = check(lambda c, change=change: (c["ha"].update(name="a"), change(c)))
            assert code == 2 and expected in said, (expected, said)
        one = ha(s, "--config", "config/demo/ctibus.json", "ha", "status")
        assert one.returncode == 1 and "this site has one state" in one.stderr


def resolved(value):
    """A variable of docker-compose as it is without an .env, but for the password."""
    return re.sub(r"\$\{\w+(?::([-?])([^}]*))?\}", lambda m: m[2] if m[1] == "-" else "secret", str(value))


def test_the_containers_of_a_pair_have_a_good_configuration(tmp_path):
    one = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    pair = yaml.safe_load((ROOT / "deploy" / "containers" / "ha.yml").read_text())["services"]
    here = {f"/run/ctibus/keys/{n}": str(tmp_path / n) for n in ("own.key", "state.key", "allowed")}
    shutil.copytree(ROOT / "config", tmp_path, dirs_exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", tmp_path / "server.key",
                    "-out", tmp_path / "server.pem"], check=True, capture_output=True)
    (tmp_path / "allowed").mkdir()
    subprocess.run([BIN / "ctibus", "keygen", "--role", "gateway", tmp_path / "own.key"], check=True, capture_output=True)
    (tmp_path / "state.key").write_text((tmp_path / "own.key").read_text())
    for name, service in pair.items():
        if name in ("postgresql", "monitor"):
            continue
        env = {**one.get(name, {}).get("environment", {}), **service["environment"]}
        env = {k: here.get(v, resolved(v)) for k, v in env.items() if not k.endswith("_FILE") and k != "CTIBUS_CONFIG"}
        if "CTIBUS_CERTFILE" in env:
            env.update(CTIBUS_CERTFILE="server.pem", CTIBUS_KEYFILE="server.key")
        assert ("CTIBUS__DATABASE" in service["environment"]) == name.startswith("state"), "gateways need no password of the database"
        program = f"ctibus-{name.removesuffix('2')}"
        flags = ["--ipbx", "xivo"] if name == "ami-gw" else []
        r = subprocess.run([BIN / program, "--config", tmp_path / "ctibus.json", "--check", *flags], capture_output=True,
                           text=True, env={**os.environ, **env}, timeout=20, check=False)
        assert r.returncode == 0, (name, r.stderr)
    of_one = {**one["state"], "environment": {**one["state"]["environment"], **pair["state"]["environment"]}}
    of_one.pop("build")
    of_one.pop("pull_policy")
    for key, value in pair["state2"].items():
        if key == "environment":
            assert {k: v for k, v in value.items() if k != "CTIBUS__HA__NAME"} == \
                {k: v for k, v in of_one[key].items() if k != "CTIBUS__HA__NAME"}
        elif key == "volumes":
            assert value == [v for v in of_one[key] if not v.startswith("database:")]
        elif key != "depends_on":
            assert value == of_one[key], key
    assert set(of_one) == set(pair["state2"])


def test_a_secret_in_a_file_is_not_hidden_by_a_unit(server, tmp_path):
    """A unit and docker-compose.yml set CTIBUS__DATABASE; an administrator adds CTIBUS__DATABASE_FILE."""
    (tmp_path / "uri").write_text(server.empty() + "\n")
    with Stack(parts=()) as s:
        env = {"CTIBUS__DATABASE": "sqlite:/nowhere/ctibus.db", "CTIBUS__DATABASE_FILE": str(tmp_path / "uri")}
        for given in (env, dict(reversed(env.items()))):
            state = Program([BIN / "ctibus-state", "--config", s.config], env=given)
            state.listening("request")
            assert state.terminate() == 0, state.lines
