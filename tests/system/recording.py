"""A recorded manager session of a real Asterisk, played byte by byte up to the points at which its CLI was asked, and
what the CLI said there (TRUTH.md beside the recordings)."""

import gzip
import json
import pathlib
import re
import socket
import threading

END = b"\r\n\r\n"
# the last of these that the recorder asked ends the listings of its login
LISTINGS = {"ListCommands", "CoreShowChannels", "Status", "BridgeList", "QueueStatus", "ExtensionStateList", "DeviceStateList",
            "SIPpeers", "IAXpeers", "PJSIPShowEndpoints", "Agents", "ParkedCalls", "MeetmeList", "ConfbridgeList",
            "ConfbridgeListRooms", "VoicemailUsersList", "PresenceStateList"}
# events with an ActionID that everybody is sent
FOR_ALL = (b"OriginateResponse", b"UserEvent")


def headers(block):
    """The first of each header, as Asterisk's own reader takes it."""
    found = {}
    for line in block.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            found.setdefault(name.decode("utf-8", "replace"), value.strip().decode("utf-8", "replace"))
    return found


class Recording:
    def __init__(self, path):
        """path: of NAME.ami, which may be compressed as NAME.ami.gz."""
        path = pathlib.Path(path)
        packed = path.with_name(path.name + ".gz")
        data = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
        self.greeting, _, _ = data.partition(b"\r\n")
        self.sent = [headers(b) for b in path.with_suffix(".sent").read_bytes().split(END) if b.strip()]
        self.answers = {}  # (action, conference) -> the blocks of its answer
        self.events = []  # (offset behind it, block)
        self._read(data)

    def _read(self, data):
        listings = {}
        for action in self.sent:
            asked = (action["Action"], action.get("Conference", ""))
            if action["Action"] == "Login":
                continue
            if action["Action"] not in LISTINGS or asked in listings.values():
                break
            listings[action["ActionID"].encode()] = asked
        last, at = None, len(self.greeting) + 2
        while at < len(data):
            end = data.find(END, at)
            end = len(data) if end < 0 else end + len(END)
            block = data[at:end]
            of = re.search(rb"^ActionID: (\S+)", block, re.M)
            if of and of[1] in listings:
                self.answers.setdefault(listings[of[1]], []).append(block)
                last = len(self.events)
            elif block.startswith(b"Event: ") and (not of or block[7:].startswith(FOR_ALL)):
                self.events.append((end, block))
            at = end
        self.events = self.events[last or 0:]

    def answer(self, action):
        """What this Asterisk answered to such an action at the recorder's login; bytes."""
        name, number = action.get("Action", ""), action.get("ActionID", "").encode()
        blocks = self.answers.get((name, action.get("Conference", "")))
        if blocks:
            return b"".join(re.sub(rb"^ActionID: \S+", b"ActionID: " + number, b, count=1, flags=re.M) for b in blocks)
        result = b"Success" if name in ("Login", "Ping", "Events", "Logoff") else b"Error"
        return b"Response: %s\r\nActionID: %s\r\nMessage: of a recording" % (result, number) + END


class Player:
    """An Asterisk that a gateway logs in to; its events come when play() says so."""

    def __init__(self, recording, port):
        self.recording = recording
        self.played = 0
        self.clients = []
        self.actions = []  # what it was sent, as dictionaries
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.sendall(self.recording.greeting + b"\r\n")
            with self.lock:
                self.clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        pending = b""
        try:
            while data := client.recv(65536):
                pending += data
                *actions, pending = pending.split(END)
                for action in actions:
                    with self.lock:
                        client.sendall(self._answer(headers(action)))
        except OSError:
            pass

    def _answer(self, action):
        """What was sent is kept. Nothing is known of the listings in the middle of a recording (one with a Reload has the gateway ask again)."""
        self.actions.append(action)
        if self.played and action.get("Action") in LISTINGS:
            return f"Response: Error\r\nActionID: {action.get('ActionID', '')}\r\nMessage: not recorded".encode() + END
        return self.recording.answer(action)

    def play(self, offset):
        """Sends the events that end at this offset or before."""
        with self.lock:
            while self.played < len(self.recording.events) and self.recording.events[self.played][0] <= offset:
                for client in self.clients:
                    client.sendall(self.recording.events[self.played][1])
                self.played += 1

    def sent(self, name):
        """The actions of this name that it was sent."""
        with self.lock:
            return [action for action in self.actions if action.get("Action") == name]

    def close(self):
        self.listener.close()
        with self.lock:
            for client in self.clients:
                client.close()


class Point:
    """What the CLI said at one moment; None: it was not asked."""

    def __init__(self, name, offset, file):
        self.name, self.offset, self.file = name, offset, file
        self.channels = None  # name -> the number of its bridge, or None
        self.numbers = {}  # channel -> the number of its caller id
        self.queues = {}  # name -> {"members": {location: {...}}, "waiting": [channel]}
        self.hints = None  # extension@context -> state
        self.agents = {}
        self.parked = None  # space -> channel
        self.rooms = {}  # number -> [channel]
        self.muted = {}
        self.recorded = None  # channel -> recordings
        self.contacts = None
        self.unavailable = set()

    def __repr__(self):
        return f"{self.file}@{self.offset} {self.name}"

    def _channels(self, text):
        self.channels = {} if self.channels is None else self.channels
        free = re.match(r"not bridged: (\S+)", text)
        bridge = re.match(r"bridge (\w+): (.*)", text)
        if free:
            self.channels[free[1]] = None
        elif bridge:
            for one, number in re.findall(r"(\S+/\S+) \[[^]]*, cid (\d*)\]", bridge[2]):
                self.channels[one] = bridge[1]
                self.numbers[one] = number

    def _member(self, queue, text):
        waits = re.match(r"waits \d+\. (\S+)", text)
        if waits:
            self.queues[queue]["waiting"].append(waits[1])
            return
        location = re.search(r"\(?((?:Local|PJSIP|SIP|Agent|Custom)/[^\s)]+)(?: from [^)]+)?\)", text)
        plain = re.match(r"((?:Agent|PJSIP|SIP|Local)/\S+) ", text)
        location = location or plain
        paused = re.search(r"\(paused(?::([^)]*))?\)", text)
        status = re.search(r"\((Not in use|In use|Busy|Invalid|Unavailable|Ringing|Ring\+Inuse|On Hold|Unknown|in use)\)", text)
        penalty = re.search(r"with penalty (\d+)", text)
        self.queues[queue]["members"][location[1]] = {
            "status": status[1], "paused": bool(paused), "reason": (paused[1] or "") if paused else "",
            "penalty": penalty[1] if penalty else "0", "dynamic": "(dynamic)" in text, "in_call": "(in call)" in text}

    def line(self, text, queue):
        """One line of the list below the point; the queue to which the next deeper ones belong."""
        key, _, rest = text.partition(": ")
        if key == "channels" and rest == "none":
            self.channels = {}
        elif key == "not bridged" or re.match(r"bridge \w+$", key):
            self._channels(text)
        elif m := re.match(r"queue (\S+) \(", text):
            self.queues[m[1]] = {"members": {}, "waiting": []}
            return m[1]
        elif key == "hints":
            self.hints = {h.split(" ")[0]: h.split(" ", 1)[1] for h in rest.split("; ")}
        elif m := re.match(r"agent (\S+) (.*) (\w+)$", text):
            self.agents[m[1]] = m[3]
        elif key == "parked":
            self.parked = dict(re.findall(r"Space : (\d+); Channel : (\S+?);", rest))
        elif m := re.match(r"confbridge (\S+?): (.*)", text):
            self.rooms[m[1]] = re.findall(r"(?:PJSIP|SIP|Local)/\S+", m[2])
        elif m := re.match(r"mixmonitor (\S+): (\d+) recordings", text):
            self.recorded = {**(self.recorded or {}), m[1]: int(m[2])}
        elif m := re.match(r"contact ([^/]+)/(\S+) \S+ (\w+)", text):
            self.contacts = {**(self.contacts or {}), m[2]: m[3]}
        elif m := re.match(r"endpoint ([^/]+)/\S+ Unavailable", text):
            self.unavailable.add(m[1])
        return None


def truth(path):
    """The points of TRUTH.md by recording: NAME.ami -> [Point], in their order."""
    points, point, queue = {}, None, None
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        start = re.match(r"- \*\*(.*)\*\* \(offset (\d+) of (\S+?)\)", line)
        if start:
            point = Point(start[1], int(start[2]), start[3])
            points.setdefault(start[3], []).append(point)
            queue = None
        elif point and line.startswith("    - ") and queue:
            point._member(queue, line[6:])
        elif point and line.startswith("  - "):
            queue = point.line(line[4:], queue)
        elif not line.startswith(" "):
            point = None
    return points


def write_lists(folder, source):
    """The site of these recordings: XiVO's phones and those of a FreePBX on one Asterisk."""
    def lists(name):
        return json.loads((source / f"{name}.json").read_text())

    lines = [{**one, "protocol": "pjsip"} for one in lists("lines")]
    lines.append({**lines[0], "id": "16", "name": "frank", "number": "1006", "iduserfeatures": None})
    for i in (1, 2, 3):
        lines.append({**lines[0], "id": f"2{i}", "name": f"100{i}", "number": f"100{i}", "context": "from-internal",
                      "iduserfeatures": i, "rules_order": 2})
    queues = lists("queues") + [{"id": "5", "name": "400", "displayname": "FreePBX", "number": "400", "context": "from-internal"},
                                {"id": "6", "name": "calls", "displayname": "Calls", "number": "3008", "context": "default"}]
    for name, content in (("lines", lines), ("queues", queues)):
        (folder / f"{name}.json").write_text(json.dumps(content))
