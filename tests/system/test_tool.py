"""`ctibus`, the command line: what it prints, for people and for programs."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

import msgpack
import pytest
import zmq

from stack import BIN, ROOT, Context, Stack, signal_of, until


@pytest.fixture(scope="module", name="stack")
def one_stack():
    # grace 0: who leaves without a logout is no longer among the sessions
    with Stack(capture="20/02-call-answered.ami", pace="x5", config={"ctibus.session_grace_seconds": 0}) as s:
        s.wait_ready()
        yield s


def tool(stack, *args, **options):
    return subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), *args], capture_output=True,
                          text=True, timeout=60, check=False, **options)


def start(stack, *args):
    return subprocess.Popen([BIN / "ctibus", "--config", stack.path("ctibus.json"), *args], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def stop(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    return out, err


# --- use ---

def test_help_names_every_command(stack):
    said = tool(stack, "--help")
    assert said.returncode == 0
    commands = ["tail", "top", "snapshot", "sessions", "peers", "kick", "action", "call", "record", "replay", "check",
                "reload", "schema", "keygen", "setup", "discover", "passwd", "doctor", "token", "tokens", "webhooks",
                "phones", "calls", "queues", "agents", "users", "migrate", "context", "ha"]
    for command in commands:
        assert re.search(rf"^  {command}( |$)", said.stdout, re.M)
        one = tool(stack, command, "--help")
        assert one.returncode == 0 and [c for c in commands if re.search(rf"^  {c}( |$)", one.stdout, re.M)] == [command]
    assert all(len(line) <= 100 for line in said.stdout.splitlines())


@pytest.mark.parametrize("table,has", [
    ("phones", ["ID", "NUMBER", "USER", "LAMP", "CHANNELS", "DEVICE"]), ("calls", ["CALLER", "CALLED", "STATE", "SINCE", "QUEUE", "CHANNELS"]),
    ("queues", ["ID", "NUMBER", "NAME", "WAIT", "LONGEST", "FREE", "TALK"]), ("agents", ["ID", "NUMBER", "NAME", "STATE", "SINCE", "PHONE"]),
    ("users", ["ID", "LOGIN", "NAME", "PRESENCE", "PROFILE", "PHONES"])])
def test_tables(stack, table, has):
    asterisk = stack.programs["sim"]
    signal_of(asterisk, signal.SIGUSR2)  # the recording stands still, as what is compared does soon
    try:
        def read():
            lines = tool(stack, table).stdout.splitlines()
            objects = [json.loads(line) for line in tool(stack, "--json", table).stdout.splitlines()]
            snapshot = stack.snapshot(table)
            return (lines, objects) if objects == snapshot and len(lines) == 1 + len(snapshot) else None
        lines, _ = until(read, "the table is what the snapshot says")
    finally:
        signal_of(asterisk, signal.SIGUSR2)
    assert lines[0].split() == has
    at = lines[0].index(has[1])
    assert all(len(line) <= at or line[at - 2:at] == "  " for line in lines), "columns stand below each other"


def test_rows_of_a_table(stack):
    alice = tool(stack, "users", "ALICE").stdout.splitlines()
    assert len(alice) == 2 and "alice" in alice[1]
    names = {o["id"]: o["fullname"] for o in stack.snapshot("users")}
    phone = next(o for o in stack.snapshot("phones") if str(o["iduserfeatures"]) in names)
    row = next(line for line in tool(stack, "phones").stdout.splitlines() if phone["identity"] in line)
    assert names[str(phone["iduserfeatures"])] in row


@pytest.mark.parametrize("more, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)])
def test_colours_are_for_terminals(stack, more, coloured):
    master, slave = pty.openpty()
    done = subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), "users"], stdout=slave,
                          env={**os.environ, "TERM": "xterm", **more}, timeout=60, check=True)
    os.close(slave)
    shown = os.read(master, 65536)
    os.close(master)
    assert done.returncode == 0 and (b"\x1b[1mLOGIN\x1b[0m" in shown) == coloured and (b"\x1b" in shown) == coloured
    assert "\x1b" not in tool(stack, "users").stdout


def test_a_table_again_and_again(stack):
    with subprocess.Popen([BIN / "ctibus", "--config", stack.path("ctibus.json"), "users", "--watch"], stdout=subprocess.PIPE, text=True) as seen:
        heads = 0
        while heads < 3:
            heads += seen.stdout.readline().startswith("ID ")
        seen.send_signal(signal.SIGINT)
        seen.communicate(timeout=10)
        assert seen.returncode == 0


@pytest.mark.parametrize("args", [(), ("snapshot", "a", "b", "c"), ("action",), ("action", "-x"),
                                  ("action", "QueueStatus", "nonsense"), ("call",), ("kick",), ("record",),
                                  ("record", "--seconds", "x", "f"), ("replay",), ("replay", "--pace", "slow", "f"),
                                  ("top", "--interval", "0"), ("check", "x"), ("keygen",), ("--nonsense",)])
def test_wrong_use(stack, args):
    said = tool(stack, *args)
    assert said.returncode == 2 and "sage: ctibus" in said.stderr and not said.stdout


@pytest.mark.parametrize("args,said", [
    (("setup", "--port", "99999"), "--port 99999: a port is a number from 1 to 65535"),
    (("setup", "--port", "abc"), "--port abc: a port is a number from 1 to 65535"),
    (("discover", "--port", "0"), "--port 0: a port is a number from 1 to 65535"),
    (("setup", "--nosuch"), "there is no option --nosuch"),
    (("setup", "--host"), "--host needs a value"),
    (("setup", "--tls-ca", "--yes"), "--tls-ca needs a value"),
    (("setup", "extra"), '"extra" is too much'),
    (("check", "extra"), '"extra" is too much'),
    (("doctor", "extra"), '"extra" is too much'),
    (("doctor", "--nosuch"), "there is no option --nosuch"),
    (("passwd", "eve", "--number", "--stdin"), "--number needs a value"),
    (("passwd",), "LOGIN is missing"),
    (("snapshot", "a", "b", "c"), '"c" is too much'),
    (("action", "QueueStatus", "nonsense"), "nonsense: a header is NAME=VALUE"),
    (("record", "--seconds", "x", "f"), "--seconds x: a number above 0"),
    (("replay", "--pace", "slow", "f"), "--pace slow: real, x10, 100/s or max"),
    (("top", "--interval", "0"), "--interval 0: seconds, from 0.1 to 3600"),
    (("keygen", "--role", "x", "f"), "--role x: gateway or monitor"),
    (("keygen",), "FILE is missing"),
    (("check", "--config"), "--config needs a file"),
])
def test_what_is_wrong_with_the_use_is_said(stack, args, said):
    """One line, then the usage: not above a help of a hundred lines."""
    done = tool(stack, *args)
    assert done.returncode == 2 and not done.stdout
    first, second, *more = done.stderr.splitlines()
    assert first == f"ctibus: {said}" and second.startswith("Usage: ctibus ") and len(more) <= 1, done.stderr


def test_options_of_the_tool_behind_the_command(stack):
    """Where the hand expects them: --config, --json and --help."""
    config = stack.path("ctibus.json")
    for args in (("snapshot", "--config", config, "users", "1"), ("snapshot", "users", "1", f"--config={config}"),
                 ("snapshot", "users", "--json", "1", "--config", config)):
        done = subprocess.run([BIN / "ctibus", *args], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 and json.loads(done.stdout)["firstname"] == "Alice", done.stderr
    done = tool(stack, "sessions", "nobody", "--json")
    assert done.returncode == 0 and done.stdout == ""
    assert tool(stack, "setup", "--host", "x", "--help").stdout == tool(stack, "setup", "--help").stdout != ""


def test_no_state():
    with Stack(parts=()) as s:
        said = tool(s, "snapshot")
        assert said.returncode == 1 and "state does not answer" in said.stderr


# --- tail ---

def test_tail_json(stack):
    process = start(stack, "--json", "tail", "tel")
    message = json.loads(process.stdout.readline())
    assert message["topic"].startswith("tel/xivo/") and message["source"].startswith("ami-gw:xivo@")
    assert message["seq"] > 0 and isinstance(message["body"], dict) and abs(message["time"] - time.time()) < 60
    stop(process)


def test_tail_ends_with_its_reader(stack):
    process = start(stack, "tail")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 0
    process.stderr.close()


# --- top ---

def test_top_json(stack):
    client = stack.client("alice")
    lines = tool(stack, "top", "--json", "--interval", "2.5", "--count", "2").stdout.splitlines()
    client.close()
    assert len(lines) == 2
    last = json.loads(lines[1])
    sources = {s["name"].split("@")[0]: s for s in last["sources"]}
    assert sources["ami-gw:xivo"]["total"] > 0 and 0 <= sources["ami-gw:xivo"]["lag"] < 5
    topics = {t["name"]: t for t in last["topics"]}
    assert topics["tel/xivo/channel"]["total"] > 0 and topics["xod/xivo/status/phones"]["bytes"] > 0
    services = {s["name"].split()[0]: s for s in last["services"]}
    assert services["state"]["ready"] is True and services["state"]["version"] and services["state"]["uptime"] > 0
    assert "sessions=1" in services["state"]["says"]
    says = dict(pair.split("=") for pair in services["cti-gw"]["says"].split())
    assert 0 < float(says["latency_ms"]) <= float(says["latency_worst_ms"]) < 1000
    assert stack.metric("cti-gw", "ctibus_cti_latency_seconds_count") > 0
    assert last["lost"] == 0


def test_top_plain(stack):
    said = tool(stack, "top", "--interval", "2.5", "--count", "1").stdout
    assert "SERVICE" in said and "SOURCE" in said and "TOPIC" in said and "tel/xivo/channel" in said
    numbers = said[said.index("SOURCE"):].splitlines()
    assert {len(line) for line in numbers if line} == {80}, "it fits a terminal as they are"
    assert all(line[36] == " " for line in numbers if line)


def test_top_sees_losses(stack):
    """A source whose numbers jump."""
    process = start(stack, "top", "--json", "--interval", "0.3")
    context = Context()
    publisher = context.socket(zmq.PUB)
    publisher.connect(f"tcp://127.0.0.1:{stack.ports['publish']}")
    seq = 0
    while True:
        seq += 5
        publisher.send_multipart([b"fagi/xivo/x/", msgpack.packb([1, "jumper", 7, seq, time.time()]), msgpack.packb({})])
        sources = {s["name"]: s for s in json.loads(process.stdout.readline())["sources"]}
        if sources.get("jumper", {}).get("lost", 0) >= 4:
            break
    assert sources["jumper"]["lost"] % 4 == 0
    publisher.close(0)
    context.term()
    stop(process)


def test_top_on_a_terminal(stack):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([BIN / "ctibus", "--config", stack.path("ctibus.json"), "top", "--interval", "0.3"],
                               stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    seen = b""
    while b"SERVICE" not in seen or b"tel/xivo" not in seen:
        seen += os.read(master, 65536)
    os.write(master, b"q")
    assert process.wait(20) == 0
    os.close(master)
    assert b"lost\x1b" in seen or re.search(rb"lost\s", seen), "the last column is there"


# --- call, snapshot ---

def test_call(stack):
    said = tool(stack, "call", "snapshot", '{"list": "users", "id": "1"}')
    answer = json.loads(said.stdout.splitlines()[0])
    assert said.returncode == 0 and answer["objects"]
    said = tool(stack, "call", "snapshot", '{"list": "nonsense"}')
    assert said.returncode == 1 and "not_found" in said.stderr
    assert tool(stack, "call", "nonsense").returncode == 2
    for body in ("x", "[1]", '{"a":', "1"):
        assert tool(stack, "call", "snapshot", body).returncode == 2


def test_snapshot(stack):
    said = tool(stack, "snapshot", "users", "1")
    assert json.loads(said.stdout)["firstname"] == "Alice"
    assert tool(stack, "snapshot", "users", "99").returncode == 1
    assert "no such list" in tool(stack, "snapshot", "nonsense").stderr


# --- record and replay ---

def read_recording(path):
    head, *messages = msgpack.Unpacker(open(path, "rb"))
    assert head["format"] == "ctibus-recording" and head["version"] == 1
    return messages


def test_record(stack, tmp_path):
    path = tmp_path / "bus"
    said = tool(stack, "--json", "record", "--seconds", "3", path, "tel", "svc")
    assert said.returncode == 0, said.stderr
    messages = read_recording(path)
    assert json.loads(said.stdout) == {"messages": len(messages), "bytes": path.stat().st_size, "lost": 0}
    assert {m[0].split("/")[0] for m in messages} == {"tel", "svc"}
    numbers = [m[3] for m in messages if m[0].startswith("tel/")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert tool(stack, "record", path).returncode == 1  # it never writes over another


def record(stack, path, *prefixes):
    said = tool(stack, "record", "--seconds", "3", path, *prefixes)
    assert said.returncode == 0, said.stderr
    return read_recording(path)


def test_replay_to_a_listener(stack, tmp_path):
    """What is replayed is what was recorded: as of new processes, at now."""
    wanted = record(stack, tmp_path / "bus", "tel")
    with Stack(parts=("state",)) as other:
        other.wait_ready("state")
        monitor = other.monitor("tel/", "svc/")
        monitor.wait("svc/")  # so what it asked for before is in force, too
        monitor.socket.unsubscribe(b"svc/")
        since = time.time()
        said = tool(other, "replay", "--pace", "max", tmp_path / "bus", "tel/")
        assert said.returncode == 0, said.stderr
        assert f"{len(wanted)} messages sent" in said.stderr
        got = []
        while len(got) < len(wanted):
            got += [m for m in [monitor.message()] if m[0].startswith("tel/")]
        assert [(t, b) for t, _, b in got] == [(m[0], m[5]) for m in wanted]
        assert [m[3] for _, m, _ in got] == [w[3] - wanted[0][3] + 1 for w in wanted]
        assert all(meta[1] == w[1] and since - 1 <= meta[4] <= time.time() for (_, meta, _), w in zip(got, wanted))
        monitor.close()


def test_the_end_of_a_replay_arrives(tmp_path):
    """The tool is gone only when all of it has left."""
    count = 2000
    with open(tmp_path / "bus", "wb") as f:
        f.write(msgpack.packb({"format": "ctibus-recording", "version": 1, "started": 1.0}))
        for i in range(count):
            f.write(msgpack.packb(["test/x", "recorder", 1, i + 1, 1.0 + i, {"i": i, "fill": "x" * 20000}]))
    with Stack(parts=("state",)) as s:
        s.wait_ready("state")
        monitor = s.monitor("test/")
        said = tool(s, "replay", "--pace", "max", tmp_path / "bus")
        assert said.returncode == 0 and f"{count} messages sent" in said.stderr
        assert [monitor.message()[2]["i"] for _ in range(count)] == list(range(count))
        monitor.close()


def test_a_whole_recording_is_replayed(stack, tmp_path):
    """Whatever comes first in it: nobody listens to svc/."""
    wanted = record(stack, tmp_path / "bus", "svc", "tel")
    assert any(m[0].startswith("svc/") for m in wanted)
    with Stack(parts=("state",)) as other:
        other.wait_ready("state")
        said = tool(other, "replay", "--pace", "max", tmp_path / "bus")
        assert said.returncode == 0 and f"{len(wanted)} messages sent" in said.stderr


def test_a_state_believes_a_replay(stack, tmp_path):
    record(stack, tmp_path / "bus", "tel")
    with Stack(parts=("state",)) as other:
        other.wait_ready("state")
        monitor = other.monitor("xod/xivo/status/phones/")
        process = start(other, "replay", "--pace", "x3", tmp_path / "bus")
        monitor.wait("xod/xivo/status/phones/")
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        monitor.close()


def test_the_pace_of_a_replay(tmp_path):
    """At their own pace, and faster."""
    path = tmp_path / "bus"
    head = {"format": "ctibus-recording", "version": 1, "started": 1000.0}
    path.write_bytes(msgpack.packb(head) + b"".join(
        msgpack.packb(["tel/xivo/x/y/", "s", 1, i + 1, 1000.0 + i, {"i": i}]) for i in range(3)))
    with Stack(parts=("state",)) as s:
        s.wait_ready("state")
        for pace, least, most in (("real", 1.9, 4), ("x10", 0.19, 1.5), ("2/s", 0.9, 3), ("max", 0, 1)):
            since = time.monotonic()
            said = tool(s, "replay", "--pace", pace, path)
            assert said.returncode == 0 and "3 messages sent" in said.stderr
            assert least < time.monotonic() - since < most, pace


def test_a_damaged_recording(stack, tmp_path):
    path = tmp_path / "bus"
    good = msgpack.packb({"format": "ctibus-recording", "version": 1, "started": 1.0})
    message = msgpack.packb(["tel/xivo/x/y/", "s", 1, 1, 1.0, {}])
    for data, words in ((b"", "empty"), (b"nonsense", "no recording"), (msgpack.packb({"format": "x"}), "no recording"),
                        (msgpack.packb({"format": "ctibus-recording", "version": 9}), "another version"),
                        (good + message + message[:-1], "damaged"), (good + msgpack.packb([1, 2]), "damaged"),
                        (good + b"\xdd\xff\xff\xff\xff", "damaged")):
        path.write_bytes(data)
        said = tool(stack, "replay", "--pace", "max", path, "tel/")
        assert said.returncode == 1 and words in said.stderr, (data, said.stderr)
    assert tool(stack, "replay", tmp_path / "none").returncode == 1


def test_a_replay_to_nobody(tmp_path):
    path = tmp_path / "bus"
    path.write_bytes(msgpack.packb({"format": "ctibus-recording", "version": 1, "started": 1.0}) +
                     msgpack.packb(["xyz/a/", "s", 1, 1, 1.0, {}]))
    with Stack(parts=("state",)) as s:
        s.wait_ready("state")
        said = tool(s, "replay", path)
        assert said.returncode == 1 and "nobody listens to xyz/ " in said.stderr


# --- check ---

def test_check(stack):
    said = tool(stack, "check")
    assert said.returncode == 0, said.stderr
    assert {line.split()[0]: line.split()[1] for line in said.stdout.splitlines()}["cti-gw"] == "ok"
    path = stack.path("broken.json")
    tree = json.loads(stack.path("ctibus.json").read_text())
    tree["certfile"] = "no-such.pem"
    tree["main"]["incoming_tcp"]["CTIS"] = ["127.0.0.1", 0, True]
    path.write_text(json.dumps(tree))
    said = subprocess.run([BIN / "ctibus", "--config", path, "check"], capture_output=True, text=True, check=False)
    assert said.returncode == 2 and "no-such.pem" in said.stderr and "cti-gw     cannot run" in said.stdout
    assert "state      ok" in said.stdout


def test_the_documents_name_every_command():
    text = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
    for command in ("tail", "top", "snapshot", "sessions", "peers", "kick", "action", "call", "record", "replay", "check", "reload",
                    "schema", "keygen", "ha status", "ha switch"):
        assert f"`{command}" in text, command


# --- sessions, kick, reload ---

def listed(stack, *args):
    return [json.loads(line) for line in tool(stack, "--json", "sessions", *args).stdout.splitlines()]


def test_sessions(stack):
    since = time.time()
    alice, bob = stack.client("alice", state="away"), stack.client("bob")
    sessions = {s["user"]: s for s in listed(stack)}
    assert set(sessions) == {"1", "2"}
    one = sessions["1"]
    host, _, port = one["address"].rpartition(":")
    assert (one["ipbx"], one["name"], one["presence"], host, int(port)) == (
        "xivo", "Alice Martin", "away", "127.0.0.1", alice.socket.getsockname()[1])
    assert since - 1 <= one["since"] <= time.time() and one["session"]
    assert [s["user"] for s in listed(stack, "bob")] == ["2"] and [s["user"] for s in listed(stack, "2")] == ["2"]
    assert listed(stack, "nobody") == []
    plain = tool(stack, "sessions").stdout.splitlines()
    assert plain[0].split()[:3] == ["IPBX", "USER", "NAME"] and len(plain) == 3
    alice.close()
    bob.close()


def test_kick(stack):
    alice, again, bob = stack.client("alice"), stack.client("alice"), stack.client("bob")
    assert "2 sessions" in tool(stack, "kick", "alice").stdout
    for client in (alice, again):
        assert client.closed()[-1]["class"] == "disconnect"
    session = listed(stack, "bob")[0]["session"]
    assert json.loads(tool(stack, "--json", "kick", session).stdout) == {"sessions": 1}
    assert bob.closed()[-1]["class"] == "disconnect"
    said = tool(stack, "kick", "nobody")
    assert said.returncode == 1 and "nobody of that name" in said.stderr
    assert listed(stack) == []


def test_reload(stack):
    path = stack.path("users.json")
    users = json.loads(path.read_text())
    users[4]["firstname"] = "Érine"
    path.write_text(json.dumps(users))
    assert tool(stack, "reload", "phones").returncode == 0
    assert json.loads(tool(stack, "snapshot", "users", "5").stdout)["firstname"] != "Érine"
    assert tool(stack, "reload", "users").returncode == 0
    assert json.loads(tool(stack, "snapshot", "users", "5").stdout)["firstname"] == "Érine"
    users[4]["firstname"] = "Erin"
    path.write_text(json.dumps(users))
    assert tool(stack, "reload").returncode == 0
    assert json.loads(tool(stack, "snapshot", "users", "5").stdout)["firstname"] == "Erin"
    refused = tool(stack, "reload", "nonsense")
    assert refused.returncode == 1 and "there is no such list: users, lines, phones" in refused.stderr


# --- contexts ---

@pytest.fixture(name="at_home")
def fixture_at_home(tmp_path):
    """`ctibus` of a user with a home of their own, without --config."""
    def run(*args, **env):
        clean = {k: v for k, v in os.environ.items() if k not in ("XDG_CONFIG_HOME", "CTIBUS_CONFIG")}
        done = subprocess.run([BIN / "ctibus", *args], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
                              env={**clean, "HOME": str(tmp_path), **env})
        return done.returncode, done.stdout, done.stderr
    run.contexts = tmp_path / ".config" / "ctibus" / "contexts.json"
    return run


def test_contexts(stack, at_home):
    config = stack.path("ctibus.json")
    assert at_home("context") == (0, "", "")
    assert at_home("context", "add", "here", config) == (0, "", "")
    assert at_home("context", "add", "broken", "/dev/null") == (0, "", "")
    assert at_home("users")[0] == 2, "added is not used"
    assert at_home("--context", "here", "users")[1] == at_home("users", "--context", "here")[1] == tool(stack, "users").stdout
    assert at_home("context", "use", "here") == (0, "", "")
    assert at_home("users")[1] == tool(stack, "users").stdout
    assert at_home("context")[1].splitlines() == [f"* here                 {config}", "  broken               /dev/null"]
    assert json.loads(at_home("--json", "context")[1])["current"] == "here"
    assert at_home("--context", "broken", "users")[0] == 2
    assert at_home("users", CTIBUS_CONFIG="/nosuch.json")[0] == 2, "a variable counts more"
    assert at_home("--config", "/nosuch.json", "users")[0] == 2
    assert at_home("context", "use") == (0, "", "") and at_home("users")[0] == 2
    at_home("context", "use", "here")
    assert at_home("context", "remove", "here") == (0, "", "") and at_home("users")[0] == 2
    assert at_home("context", "list")[1].split() == ["broken", "/dev/null"]
    assert at_home.contexts.stat().st_mode & 0o777 == 0o600 and [p.name for p in at_home.contexts.parent.iterdir()] == ["contexts.json"]


@pytest.mark.parametrize("args, says", [
    (("--context", "nosuch", "users"), "there is no context nosuch: `ctibus context` lists them"),
    (("context", "use", "nosuch"), "there is no context nosuch"), (("context", "remove", "nosuch"), "there is no context nosuch"),
    (("context", "add", "a/b", "/dev/null"), "a name has letters, digits"), (("context", "add", "-x", "/dev/null"), "a name has letters, digits"),
    (("context", "add", "a", "/nosuch/file"), "/nosuch/file: No such file or directory"),
    (("context", "nonsense"), "sage: ctibus"), (("context", "add", "a"), "sage: ctibus"), (("users", "--context"), "--context needs a name")])
def test_what_is_wrong_with_a_context(at_home, args, says):
    code, out, err = at_home(*args)
    assert code in (1, 2) and says in err and not out


@pytest.mark.parametrize("text", ["", "{", "[]", '{"contexts": 7}', '{"contexts": {"a": 7}, "current": "a"}', "x" * 100000])
def test_a_file_of_contexts_that_is_none(at_home, text):
    at_home.contexts.parent.mkdir(parents=True)
    at_home.contexts.write_text(text)
    code, out, err = at_home("users")
    assert code in (1, 2) and not out and ("contexts.json" in err or "no context a" in err), err
    assert at_home.contexts.read_text() == text


def test_without_a_home(at_home):
    assert "set HOME or XDG_CONFIG_HOME" in at_home("context", HOME="")[2]
    assert at_home("context", "add", "a", "/dev/null", XDG_CONFIG_HOME=str(at_home.contexts.parents[1] / "x"))[0] == 0
    assert (at_home.contexts.parents[1] / "x" / "ctibus" / "contexts.json").exists()
