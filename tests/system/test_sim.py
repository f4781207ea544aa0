"""ctibus-asterisk-sim, from outside: logins, answers in both dialects, and what it plays."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CTIBUS_BIN", ROOT / "build" / "bin"))
DATA = ROOT / "tests" / "data" / "ami"
TIMEOUT = 20


def capture(version, name):
    return str(DATA / version / name)


class Sim:
    """A running simulator with its addresses."""

    def __init__(self, *args):
        command = [str(BIN / "ctibus-asterisk-sim"), "--listen", "127.0.0.1:0",
                   "--status", "127.0.0.1:0", *args]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.stopped = False
        self.ports = {}
        while "ami" not in self.ports:
            line = self.process.stdout.readline()
            match = re.match(r"listening name=(\w+) address=127\.0\.0\.1 port=(\d+)$", line)
            assert match, f"no listening line but {line!r}"
            self.ports[match[1]] = int(match[2])

    def status(self):
        with socket.create_connection(("127.0.0.1", self.ports["status"]), TIMEOUT) as s:
            return json.loads(s.makefile("rb").read())

    def wait(self, condition):
        end = time.time() + TIMEOUT
        while time.time() < end:
            status = self.status()
            if condition(status):
                return status
            time.sleep(0.02)
        raise AssertionError(f"not reached: {status}")

    def stop(self):
        self.stopped = True
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(TIMEOUT)


@contextlib.contextmanager
def running(*args):
    sim = Sim(*args)
    try:
        yield sim
        assert sim.stopped or sim.process.poll() is None, "it died"
        assert sim.stop() == 0
    finally:
        if sim.process.poll() is None:
            sim.process.kill()
        sim.process.stdout.close()


class Ami:
    """A small AMI client: messages are lists of (name, value)."""

    def __init__(self, sim, login=True, **headers):
        self.socket = socket.create_connection(("127.0.0.1", sim.ports["ami"]), TIMEOUT)
        self.socket.settimeout(TIMEOUT)
        self.file = self.socket.makefile("rb")
        self.banner = self.file.readline().decode()
        self.events = []
        self.n = 0
        if login:
            answer = self.ask("Login", Username="ctibus", Secret="secret", **headers)
            assert answer[0] == ("Response", "Success"), answer

    def close(self):
        self.file.close()
        self.socket.close()

    def read(self):
        """The next message, or None at the end."""
        message = []
        while True:
            line = self.file.readline()
            if not line:
                return None
            line = line.rstrip(b"\r\n").decode("utf-8", "replace")
            if not line and message:
                return message
            if line:
                name, _, value = line.partition(":")
                message.append((name, value.strip()))

    def send(self, action, **headers):
        self.n += 1
        lines = [f"Action: {action}", f"ActionID: t-{self.n}"]
        lines += [f"{k}: {v}" for k, v in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return f"t-{self.n}"

    def ask(self, action, **headers):
        """The Response; events before it are kept."""
        action_id = self.send(action, **headers)
        while True:
            message = self.read()
            assert message is not None, "connection closed"
            if message[0][0] == "Response":
                assert get(message, "ActionID") == action_id
                return message
            self.events.append(message)

    def ask_list(self, action, **headers):
        """The items of a list answer, and its last event."""
        answer = self.ask(action, **headers)
        assert answer[0] == ("Response", "Success"), answer
        items = []
        while True:
            message = self.read()
            if get(message, "Privilege") and get(message, "ActionID") is None:
                self.events.append(message)
            elif get(message, "Event").endswith("Complete"):
                assert get(message, "ActionID") == f"t-{self.n}"
                return items, message
            else:
                items.append(message)

    def event(self, name):
        """The next event of that name."""
        while True:
            for i, message in enumerate(self.events):
                if get(message, "Event") == name:
                    return self.events.pop(i)
            self.events.clear()
            message = self.read()
            assert message is not None, f"closed before {name}"
            self.events.append(message)

    def all_events(self):
        """Everything up to the end of the connection."""
        while (message := self.read()) is not None:
            self.events.append(message)
        return self.events


def get(message, name):
    for key, value in message:
        if key.lower() == name.lower():
            return value
    return None


def names(events):
    return [get(e, "Event") for e in events]


def live_after(events):
    """Names of the channels that these events leave up, by the rules of both dialects."""
    live = {}
    for e in events:
        what, uid = get(e, "Event"), get(e, "Uniqueid")
        if what == "Newchannel":
            assert uid not in live, f"{uid} twice"
            live[uid] = get(e, "Channel")
        elif what == "Rename":
            live[uid] = get(e, "Newname")
        elif what == "Hangup":
            assert live.pop(uid) == get(e, "Channel")
    return sorted(live.values())


CALL = {"20": capture("20", "02-call-answered.ami"), "1.8": capture("1.8", "02-call-answered.ami")}
DIALECTS = ["20", "1.8"]


@pytest.fixture(params=DIALECTS)
def version(request):
    return request.param


def test_usage():
    binary = str(BIN / "ctibus-asterisk-sim")
    assert "--capture FILE" in subprocess.check_output([binary, "--help"], text=True)
    assert subprocess.check_output([binary, "--version"], text=True).startswith("ctibus-asterisk-sim ")
    for bad in (["--pace", "fast", "--capture", CALL["20"]], ["--capture", "/nonexistent.ami"],
                [], ["--loops", "-1", "--capture", CALL["20"]], ["--capture", CALL["20"], "extra"],
                ["--capture", str(DATA / "20" / "INDEX.md")]):
        done = subprocess.run([binary, "--listen", "127.0.0.1:0", *bad], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr


def test_login(version):
    with running("--capture", CALL[version], "--wait-login") as sim:
        ami = Ami(sim, login=False)
        assert ami.banner == f"Asterisk Call Manager/{'1.1' if version == '1.8' else '9.0.0'}\r\n"
        assert get(ami.ask("Ping"), "Message") == "Permission denied"
        answer = ami.ask("Login", Username="ctibus", Secret="secret")
        assert answer[-1] == ("Message", "Authentication accepted")
        assert get(ami.event("FullyBooted"), "Status") == "Fully Booted"
        answer = ami.ask("Ping")
        assert get(answer, "Ping") == "Pong"
        assert abs(float(get(answer, "Timestamp")) - time.time()) < 60
        assert get(ami.ask("Login", Username="x", Secret="y"), "Message") == "Already authenticated"
        answer = ami.ask("Logoff")
        assert answer[0] == ("Response", "Goodbye")
        assert ami.read() is None


def test_login_md5():
    with running("--capture", CALL["20"], "--wait-login") as sim:
        for secret, good in (("secret", True), ("wrong", False)):
            ami = Ami(sim, login=False)
            assert get(ami.ask("Challenge", AuthType="FOO"), "Message") == "Must specify AuthType"
            challenge = get(ami.ask("Challenge", AuthType="MD5"), "Challenge")
            key = hashlib.md5((challenge + secret).encode()).hexdigest()
            answer = ami.ask("Login", AuthType="MD5", Username="ctibus", Key=key, Events="off")
            assert answer[0] == ("Response", "Success" if good else "Error")
            ami.close()
        # Without a challenge there is no key.
        ami = Ami(sim, login=False)
        key = hashlib.md5(b"secret").hexdigest()
        assert ami.ask("Login", AuthType="MD5", Username="ctibus", Key=key)[0][1] == "Error"


def test_login_refused():
    with running("--capture", CALL["20"], "--wait-login", "--username", "me", "--password", "mine") as sim:
        ami = Ami(sim, login=False)
        start = time.time()
        answer = ami.ask("Login", Username="me", Secret="secret")
        assert get(answer, "Message") == "Authentication failed"
        assert 0.9 < time.time() - start < 3
        assert ami.read() is None
        ami = Ami(sim, login=False)
        assert ami.ask("Login", Username="me", Secret="mine")[0][1] == "Success"


def test_events_off():
    with running("--capture", CALL["20"], "--pace", "max", "--loops", "1") as sim:
        quiet = Ami(sim, Events="off")
        assert get(quiet.ask("Ping"), "Ping") == "Pong"
        loud = Ami(sim)
        sim.wait(lambda s: s["done"])
        loud.ask("Ping")
        quiet.ask("Ping")
        assert quiet.events == []
        assert len(loud.events) > 250


def test_mask_and_filter():
    with running("--capture", CALL["20"], "--pace", "max", "--loops", "1", "--wait-login") as sim:
        mask = Ami(sim, Events="off")
        assert get(mask.ask("Events", EventMask="cdr,user"), "Events") == "On"
        filtered = Ami(sim, Events="off")
        assert get(filtered.ask("Filter", Operation="Del"), "Message") == "Unknown operation"
        assert "compile" in get(filtered.ask("Filter", Operation="Add", Filter="(("), "Message")
        for rule in ("!Event: VarSet", "!Event: (Newexten|RTCP.*)"):
            assert filtered.ask("Filter", Operation="Add", Filter=rule)[0][1] == "Success"
        filtered.ask("Events", EventMask="on")
        loud = Ami(sim)
        sim.wait(lambda s: s["done"])
        for ami in (mask, filtered, loud):
            ami.ask("Ping")
        assert set(names(mask.events)) == {"Cdr", "UserEvent"}
        wanted = [e for e in names(loud.events) if e not in ("VarSet", "Newexten", "FullyBooted")]
        assert names(filtered.events) == wanted


def test_plays_the_capture(version):
    """Every public event comes, in order, with nothing but its ids changed."""
    with running("--capture", CALL[version], "--pace", "x100", "--loops", "1", "--wait-login") as sim:
        ami = Ami(sim)
        sim.wait(lambda s: s["done"])
        ami.ask("Ping")
        played = [e for e in ami.events if get(e, "Event") != "FullyBooted"]
    text = pathlib.Path(CALL[version]).read_bytes().decode().replace("\r", "")
    recorded = []
    for block in text.split("\n\n"):
        message = [(line.partition(":")[0], line.partition(":")[2].strip())
                   for line in block.split("\n") if ":" in line]
        if get(message, "Event") and get(message, "Event") != "FullyBooted":
            recorded.append(message)
    assert len(played) == len(recorded)
    blur = re.compile(r"\b\d{10}\.\d+|-[0-9a-f]{8}\b|[0-9a-f-]{36}")
    for got, expected in zip(played, recorded):
        assert [(n, blur.sub("ID", v)) for n, v in got] == [(n, blur.sub("ID", v)) for n, v in expected]
    assert live_after(played) == []


def test_late_client_missed_it():
    with running("--capture", CALL["20"], "--pace", "x100", "--loops", "1") as sim:
        sim.wait(lambda s: s["done"])
        ami = Ami(sim)
        ami.ask("Ping")
        assert names(ami.events) == ["FullyBooted"]


def test_pace_real():
    with running("--capture", CALL["20"], "--loops", "1", "--pace", "x2", "--wait-login") as sim:
        start = time.time()
        ami = Ami(sim)
        sim.wait(lambda s: s["done"])
        assert 2.2 < time.time() - start < 4  # 5.25 s of recording
        ami.close()


def test_pace_rate():
    with running("--capture", CALL["20"], "--pace", "500/s", "--wait-login") as sim:
        ami = Ami(sim)
        start, first = time.time(), sim.status()["events_played"]
        time.sleep(1)
        rate = (sim.status()["events_played"] - first) / (time.time() - start)
        assert 400 < rate < 600
        ami.close()


@pytest.mark.parametrize("name", ["02-call-answered.ami", "08-atxfer-ami.ami", "16-parking.ami"])
def test_loops_have_fresh_ids(version, name):
    with running("--capture", capture(version, name), "--pace", "max", "--loops", "3", "--wait-login") as sim:
        ami = Ami(sim)
        status = sim.wait(lambda s: s["done"])
        ami.ask("Ping")
        assert status["channels"] == []
        assert status["loops"] == 3
        seen, numbers = set(), set()
        for e in ami.events:
            if get(e, "Event") == "Newchannel":
                assert get(e, "Uniqueid") not in seen
                seen.add(get(e, "Uniqueid"))
                assert re.match(r"\d{10}\.\d+$", get(e, "Uniqueid"))
                numbers.add(get(e, "Channel").removesuffix(";1").removesuffix(";2")[-8:])
        assert abs(min(float(u) for u in seen) - time.time()) < 60
        assert live_after(ami.events) == []
        one = len([1 for n in names(ami.events) if n == "Newchannel"]) // 3
        assert len(seen) == 3 * one


def test_leftover_channels_are_hung_up(version, tmp_path):
    """A recording that is cut off in mid-call: each loop ends its channels and its bridge."""
    text = pathlib.Path(CALL[version]).read_bytes()
    up = text.index(b"Event: BridgeEnter" if version == "20" else b"Event: Bridge\r")
    cut = tmp_path / "cut.ami"
    cut.write_bytes(text[:text.index(b"\r\n\r\n", up + 2000) + 4])
    with running("--capture", str(cut), "--pace", "max", "--loops", "2", "--wait-login") as sim:
        ami = Ami(sim)
        status = sim.wait(lambda s: s["done"])
        ami.ask("Ping")
        assert status["channels"] == []
        assert names(ami.events).count("Newchannel") == names(ami.events).count("Hangup") == 4
        assert live_after(ami.events) == []
        ends = [e for e in ami.events if get(e, "Event") == "Hangup"]
        assert {get(e, "Cause-txt") for e in ends} == {"Normal Clearing"}
        pairs = ("BridgeCreate", "BridgeDestroy") if version == "20" else ("Bridge", "Unlink")
        assert names(ami.events).count(pairs[0]) == names(ami.events).count(pairs[1]) == 2
        if version == "20":
            assert names(ami.events).count("BridgeEnter") == names(ami.events).count("BridgeLeave")
            assert get(ends[0], "Linkedid")


def listed(ami):
    items, last = ami.ask_list("CoreShowChannels")
    assert get(last, "ListItems") == str(len(items))
    return items


def test_listings_in_mid_call(version):
    """CoreShowChannels and Status name what the events so far have left up, with its state."""
    with running("--capture", CALL[version], "--pace", "x2", "--loops", "1", "--wait-login") as sim:
        ami = Ami(sim)
        compared = linked = 0
        while not sim.status()["done"]:
            before = len(ami.events)
            items = listed(ami)
            played = ami.events
            assert sorted(get(i, "Channel") for i in items) == live_after(played)
            compared += len(items)
            states = {}
            for e in played:
                if get(e, "Event") in ("Newchannel", "Newstate"):
                    states[get(e, "Channel")] = get(e, "ChannelState")
            for item in items:
                assert get(item, "ChannelState") == states[get(item, "Channel")]
                linked += bool(get(item, "BridgedChannel") or get(item, "BridgeId"))
            status_items, last = ami.ask_list("Status")
            assert get(last, "Items") == str(len(status_items))
            assert sorted(get(i, "Channel") for i in status_items) == live_after(ami.events)
            assert len(ami.events) >= before
            time.sleep(0.05)
        assert compared > 10
        assert linked > 4


def test_bridges():
    with running("--capture", CALL["20"], "--loops", "1", "--wait-login") as sim:
        ami = Ami(sim)
        ami.event("BridgeEnter")
        uid = get(ami.event("BridgeEnter"), "BridgeUniqueid")
        items, last = ami.ask_list("BridgeList")
        assert [get(i, "BridgeUniqueid") for i in items] == [uid]
        assert get(items[0], "BridgeNumChannels") == "2"
        items, last = ami.ask_list("BridgeInfo", BridgeUniqueid=uid)
        assert len(items) == 2
        assert get(last, "BridgeNumChannels") == "2"
        assert {get(i, "Channel").split("-")[0] for i in items} == {"SIP/alice", "SIP/bob"}
        assert ami.ask("BridgeInfo", BridgeUniqueid="x")[0][1] == "Error"


def test_hangup_action(version):
    with running("--capture", CALL[version], "--loops", "1", "--wait-login") as sim:
        ami = Ami(sim)
        ami.event("BridgeEnter" if version == "20" else "Bridge")
        victim = next(c for c in sim.status()["channels"] if "alice" in c)
        assert get(ami.ask("Hangup", Channel="SIP/none-1"), "Message") == "No such channel"
        assert get(ami.ask("Hangup"), "Message") == "No channel specified"
        assert get(ami.ask("Hangup", Channel=victim), "Message") == "Channel Hungup"
        gone = ami.event("Hangup")
        assert get(gone, "Channel") == victim
        assert get(gone, "Cause") == "16"
        assert victim not in sim.status()["channels"]
        sim.wait(lambda s: s["done"])
        ami.ask("Ping")
        assert not [e for e in ami.events if get(gone, "Uniqueid") in [v for n, v in e
                    if not n.lower().endswith("linkedid")]]
        assert sim.status()["channels"] == []


def test_static_listings(version):
    with running("--capture", CALL[version], "--wait-login") as sim:
        ami = Ami(sim, Events="off")
        old = version == "1.8"
        assert len(ami.ask("ListCommands")) > 60
        items, last = ami.ask_list("SIPpeers")
        assert len(items) == 6 and get(last, "ListItems") == "6"
        assert len(ami.ask_list("IAXpeers")[0]) == 2
        assert ami.ask_list("SIPshowregistry")[0] == []
        items, _ = ami.ask_list("QueueStatus")
        assert {get(i, "Queue") for i in items} == {"support", "sales", "agentq", "empty"}
        items, last = ami.ask_list("QueueStatus", Queue="agentq")
        assert {get(i, "Queue") for i in items} == {"agentq"}
        assert len(items) == 3 and (old or get(last, "ListItems") == "3")
        assert len(ami.ask_list("QueueSummary")[0]) == 4
        assert len(ami.ask_list("Agents")[0]) == 2
        assert len(ami.ask_list("VoicemailUsersList")[0]) == 3
        assert ami.ask_list("ParkedCalls")[0] == []
        for action in ("Parkinglots", "PresenceStateList"):
            if old:
                assert "unknown command" in get(ami.ask(action), "Message")
            else:
                ami.ask_list(action)
        rooms = "MeetmeList" if old else "ConfbridgeListRooms"
        assert get(ami.ask(rooms), "Message") == "No active conferences."
        assert get(ami.ask("SIPshowpeer", Peer="alice"), "ObjectName") == "alice"
        assert get(ami.ask("SIPshowpeer", Peer="zoe"), "Message") == "Peer zoe not found."
        assert get(ami.ask("MailboxCount", Mailbox="1001@default"), "NewMessages") == "0"


def test_no_actionid():
    with running("--capture", CALL["20"], "--wait-login") as sim:
        ami = Ami(sim, Events="off")
        ami.socket.sendall(b"action:agents\n\n")
        messages = [ami.read() for _ in range(4)]
        assert get(messages[-1], "Event") == "AgentsComplete"
        assert all(get(m, "ActionID") is None for m in messages)


def test_hints(version):
    """Hints are those of the listing until an event changes them."""
    with running("--capture", CALL[version], "--loops", "1", "--pace", "x4", "--wait-login") as sim:
        ami = Ami(sim)
        first = ami.event("ExtensionStatus")
        exten, context = get(first, "Exten"), get(first, "Context")
        answer = ami.ask("ExtensionState", Exten=exten, Context=context)
        assert get(answer, "Hint") == get(first, "Hint")
        assert get(answer, "Status") == get(
            [first, *[e for e in ami.events if get(e, "Event") == "ExtensionStatus"
                      and get(e, "Exten") == exten]][-1], "Status")
        answer = ami.ask("ExtensionState", Exten="9999", Context="default")
        assert get(answer, "Status") == "-1" and get(answer, "Hint") == ""
        assert get(ami.ask("ExtensionState", Exten="1004", Context="default"), "Status") == "4"
        if version == "20":
            items, last = ami.ask_list("ExtensionStateList")
            assert get(last, "ListItems") == str(len(items)) == "27"
            items, _ = ami.ask_list("DeviceStateList")
            assert "SIP/alice" in [get(i, "Device") for i in items]
        else:
            for action in ("ExtensionStateList", "DeviceStateList", "BridgeList", "Filter"):
                assert get(ami.ask(action), "Message") == (
                    f"Invalid/unknown command: {action}. "
                    "Use Action: ListCommands to show available commands.")
        status = sim.wait(lambda s: s["done"])
        ami.ask("Ping")
        for e in ami.events:
            if get(e, "Event") == "ExtensionStatus":
                last_status = int(get(e, "Status"))
                key = f"{get(e, 'Exten')}@{get(e, 'Context')}"
                assert key in status["hints"]
        assert status["hints"][key] == last_status


def test_other_actions(version):
    with running("--capture", CALL[version], "--loops", "1", "--wait-login") as sim:
        ami = Ami(sim)
        ami.event("Newchannel")
        channel = sim.status()["channels"][0]
        answers = {
            ("NoSuch", ()): "Invalid/unknown command: NoSuch. "
                            "Use Action: ListCommands to show available commands.",
            ("Originate", (("Channel", "SIP/bob"), ("Exten", "1"), ("Context", "default"),
                           ("Priority", "1"), ("Async", "true"))): "Originate successfully queued",
            ("Originate", ()): "Channel not specified",
            ("Redirect", (("Channel", "SIP/none"),)): "Channel does not exist: SIP/none",
            ("Redirect", (("Channel", channel), ("Exten", "1"), ("Context", "default"),
                          ("Priority", "1"))): "Redirect successful",
            ("Atxfer", (("Channel", "SIP/none"),)): "Channel specified does not exist",
            ("QueueAdd", (("Queue", "support"), ("Interface", "SIP/erin"))): "Added interface to queue",
            ("Getvar", (("Channel", "SIP/none"), ("Variable", "X"))): "No such channel",
            ("Command", ()): "No command provided",
        }
        for (action, headers), message in answers.items():
            assert get(ami.ask(action, **dict(headers)), "Message") == message
        assert get(ami.ask("Setvar", Channel=channel, Variable="MINE", Value="a b"), "Message") == "Variable Set"
        assert get(ami.ask("Getvar", Channel=channel, Variable="MINE"), "Value") == "a b"
        assert get(ami.ask("Getvar", Channel=channel, Variable="OTHER"), "Value") == ""
        assert get(ami.ask("UserEvent", UserEvent="Mine", Header1="x"), "Message") == "Event Sent"
        while get(event := ami.event("UserEvent"), "UserEvent") != "Mine":
            pass
        assert get(event, "Header1") == "x"
        assert get(event, "Action") == ("UserEvent" if version == "1.8" else None)
        ami.ask("Reload", Module="chan_sip.so")
        assert get(ami.event("Reload"), "Module") == "chan_sip.so"
        ami.close()


def test_variable_of_the_capture():
    with running("--capture", CALL["20"], "--wait-login") as sim:
        ami = Ami(sim)
        event = ami.event("VarSet")
        while get(event, "Variable") != "XIVO_USERID":
            event = ami.event("VarSet")
        answer = ami.ask("Getvar", Channel=get(event, "Channel"), Variable="XIVO_USERID")
        assert get(answer, "Value") == get(event, "Value")
        ami.close()


def test_command_dialects():
    for version in DIALECTS:
        with running("--capture", CALL[version], "--wait-login") as sim:
            ami = Ami(sim, Events="off")
            ami.send("Command", Command="core nothing")
            ami.send("Ping")
            text = b""
            while b"Pong" not in text:
                text += ami.file.readline()
            if version == "1.8":
                assert b"Response: Follows\r\nPrivilege: Command\r\nActionID: t-2\r\nNo such command" in text
                assert b"\n--END COMMAND--\r\n\r\n" in text
            else:
                assert b"Message: Command output follows\r\nOutput: No such command" in text


def test_malformed_actions():
    with running("--capture", CALL["20"], "--wait-login") as sim:
        ami = Ami(sim, Events="off")
        ami.socket.sendall(b"Foo: bar\r\n\r\ngarbage\r\n\r\n")
        for _ in range(2):
            assert ami.read() == [("Response", "Error"), ("Message", "Missing action in request")]
        many = {f"H{i}": "v" for i in range(140)}
        assert get(ami.ask("Ping", **many), "Message") == "Too many lines in message or allocation failure"
        assert get(ami.ask("Ping", Long="y" * 1100), "Message") == "Failed to parse message: line too long"
        ami.socket.sendall(b"Action: Ping\r\n\r\n" * 500)
        for _ in range(500):
            assert ("Ping", "Pong") in ami.read()
        for byte in b"Action: Ping\r\n\r\n":
            ami.socket.sendall(bytes([byte]))
        assert ("Ping", "Pong") in ami.read()


def test_gz_at_rate():
    with running("--capture", capture("20", "90-burst.ami.gz"), "--pace", "20000/s", "--wait-login") as sim:
        ami = Ami(sim, Events="user")
        time.sleep(1)
        assert sim.status()["events_played"] > 10000
        ami.close()


def test_slow_reader_holds_the_pace_back():
    with running("--capture", capture("1.8", "90-burst.ami.gz"), "--pace", "max", "--wait-login") as sim:
        ami = Ami(sim)
        time.sleep(0.5)
        first = sim.wait(lambda s: s["events_played"] > 1000)["events_played"]
        while (now := sim.status()["events_played"]) > first:
            first = now
            time.sleep(0.3)
        assert first < 100000
        ami.close()


def test_idle():
    """A recording without a call is an Asterisk at rest."""
    with running("--capture", capture("20", "01-login-listing.ami"), "--pace", "max") as sim:
        ami = Ami(sim)
        assert ami.ask_list("CoreShowChannels")[0] == []
        status = sim.status()
        assert status["done"] and status["events_played"] == 0
        assert status["hints"]["1004@default"] == 4


def test_cut_link():
    with running("--capture", CALL["20"], "--loops", "1", "--wait-login") as sim:
        ami = Ami(sim)
        ami.event("Newchannel")
        sim.process.send_signal(signal.SIGUSR1)
        ami.all_events()
        played = sim.status()["events_played"]
        assert len(sim.status()["channels"]) > 0
        ami = Ami(sim)
        ami.event("Hangup")
        assert sim.status()["events_played"] > played


def test_shutdown():
    with running("--capture", CALL["20"], "--wait-login") as sim:
        ami = Ami(sim)
        assert sim.stop() == 0
        assert get(ami.event("Shutdown"), "Shutdown") == "Cleanly"
        assert ami.read() is None
        with pytest.raises(ConnectionRefusedError):
            Ami(sim)
