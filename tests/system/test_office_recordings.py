"""The simulated company tells what a real Asterisk told: what is in the recordings happens in the company too, and
what each channel, bridge and phone hears of it is the same.

Threads of an Asterisk run side by side, so the events of two channels are in no fixed order: compared is what
happens to each channel, each bridge, each phone. Left out are the steps of the recordings' dialplan (VarSet, Set,
Gosub...), RTCP and Cdr."""

import collections
import difflib
import re
import time

import pytest
from stack import DATA, Program, BIN, free_port, until
import socket

GUESTS = "alice,bob,carole,david,zoe"
IGNORED = {"VarSet", "RTCPSent", "RTCPReceived", "Cdr", "AGIExecStart", "AGIExecEnd", "AGIExec", "UserEvent", "FullyBooted",
           "ChannelUpdate", "PeerStatus", "NewAccountCode"}
STEPS = {"Dial", "Queue", "AppDial", "AppDial2", "AppQueue", "VoiceMail", "VoiceMailMain", "ConfBridge", "MeetMe",
         "ParkedCall", "AgentLogin"}
ROLES = ("", "Dest", "Parkee", "Retriever", "LocalOne", "LocalTwo", "Transferee", "TransferTarget",
         "OrigTransferer", "SecondTransferer", "Source")


def blocks(text):
    for block in text.split("\r\n\r\n"):
        headers = collections.OrderedDict()
        for line in block.split("\r\n"):
            name, _, value = line.partition(": ")
            headers.setdefault(name, value)
        if "Event" in headers and "Privilege" in headers:
            yield headers


class Told:
    """What a run of events says of each channel, bridge and phone, with names that do not depend on the run."""

    def __init__(self, events):
        self.of = collections.OrderedDict()
        self.names = {}
        self.counts = collections.Counter()
        for event in events:
            self.take(event)

    def name(self, kind, raw):
        if raw not in self.names:
            base = kind
            if kind == "channel":
                base = re.sub(r"^(PJ)?SIP/", "", raw.rsplit("-", 1)[0]).replace("carole", "carol").replace("zoe", "erin")
                base = base.replace("pstn", "trunk") + (raw[raw.rindex(";"):] if ";" in raw else "")
            self.counts[base] += 1
            self.names[raw] = f"{base}#{self.counts[base]}"
        return self.names[raw]

    def add(self, what, text):
        """The two requests to hang up come from two threads: in either order."""
        told = self.of.setdefault(what, [])
        told.append(text)
        if [t.split(" ")[0] for t in told[-2:]] == ["SoftHangupRequest", "HangupRequest"]:
            told[-2:] = reversed(told[-2:])

    def take(self, e):
        kind = e["Event"]
        if kind in IGNORED or (kind == "Newexten" and e.get("Application") not in STEPS):
            return
        if kind in ("ExtensionStatus", "DeviceStateChange"):
            self.device(e)
            return
        if kind.startswith("QueueMember"):
            if "via Local" not in e.get("MemberName", "") and kind != "QueueMemberStatus":
                self.add("member " + e["Queue"], f"{kind} {e.get('Paused')} {e.get('PausedReason', e.get('Reason'))} "
                                                 f"{e.get('Penalty')}")
            return
        extra = [e[h] for h in ("DialStatus", "Application", "Queue", "Position", "Reason", "ParkingSpace", "Conference",
                                "SubEvent", "Bridgestate", "Status", "Mailbox", "New", "Digit") if h in e
                 and kind != "OriginateResponse"]
        for role in ROLES:
            if role + "Channel" in e and role + "ChannelState" in e:
                self.add(self.name("channel", e[role + "Channel"]),
                         " ".join([kind, role, e[role + "ChannelState"], e[role + "CallerIDNum"], *extra]))
        if "ChannelState" not in e and "Channel" in e:
            self.add(self.name("channel", e["Channel"]), " ".join([kind, *extra]))
        if "BridgeUniqueid" in e and e["BridgeType"] == "basic":
            self.add(self.name("bridge", e["BridgeUniqueid"]), f"{kind} {e['BridgeNumChannels']}")
        if "Channel1" in e:
            for n in "12":
                self.add(self.name("channel", e["Channel" + n]), f"{kind} {n} {e.get('Bridgestate')}")

    def device(self, e):
        if e["Event"] == "DeviceStateChange":
            return
        if e["Context"] != "default":
            return
        seen = self.of.setdefault("phone " + e["Exten"], [])
        if not seen or seen[-1] != e["Status"]:
            seen.append(e["Status"])


def recorded(version, name, begin=0, end=None):
    """The events of a recording, from and to the nth appearance of a first channel."""
    text = (DATA / version / f"{name}.ami").read_bytes().decode("utf-8", "replace")
    events = list(blocks(text))
    return events[begin:end]


class Office:
    """The company with all phones in our hands, and its events."""

    def __init__(self, version):
        self.version = version
        self.tech = "SIP" if version == "1.8" else "PJSIP"
        self.port = free_port()
        self.sim = Program([BIN / "ctibus-asterisk-sim", "--office", "--office-dialect", version, "--rate", "0",
                            "--office-guests", GUESTS, "--listen", f"127.0.0.1:{self.port}"])
        self.sim.listening("ami")
        self.socket = socket.create_connection(("127.0.0.1", self.port), 10)
        self.text = ""
        self.action("Login", Username="ctibus", Secret="secret")
        self.wait("FullyBooted")
        self.text = ""

    def action(self, name, **headers):
        lines = [f"Action: {name}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())

    def read(self, seconds=0.05):
        self.socket.settimeout(seconds)
        try:
            self.text += self.socket.recv(1 << 20).decode("utf-8", "replace")
        except (TimeoutError, socket.timeout):
            pass

    def events(self):
        return list(blocks(self.text[:self.text.rfind("\r\n\r\n") + 4]))

    def wait(self, kind, count=1, **fields):
        """The nth event like this."""
        def found():
            self.read()
            hits = [e for e in self.events() if e["Event"] == kind
                    and all(e.get(k) == v for k, v in fields.items())]
            return hits[count - 1] if len(hits) >= count else None
        return until(found, f"{kind} {fields} {count}", 8)

    def channel(self, login, n=1):
        """The name of the nth channel of a phone."""
        return until(lambda: self.find(login, n), f"channel of {login}", 10)

    def find(self, login, n):
        self.read()
        names = [e["Channel"] for e in self.events() if e["Event"] == "Newchannel"
                 and e["Channel"].startswith(f"{self.tech}/{login}-")]
        return names[n - 1] if len(names) >= n else None

    def call(self, who, exten, **fields):
        self.action("OfficeCall", From=f"{self.tech}/{who}" if not who.isdigit() else who, Exten=exten, **fields)

    def answers(self, who):
        until(lambda: self.find(who, 1), f"{who} rings", 10)
        self.wait("Newstate", ChannelStateDesc="Ringing")
        self.action("OfficeAnswer", Endpoint=f"{self.tech}/{who}")

    def talks(self, n):
        """So many times two have begun to talk."""
        if self.version == "20":
            self.wait("BridgeEnter", 2 * n)
        else:
            self.wait("Bridge", n)

    def quiet(self):
        """Every channel is gone."""
        def done():
            self.read()
            kinds = collections.Counter(e["Event"] for e in self.events())
            return kinds["Newchannel"] == kinds["Hangup"] > 0
        until(done, "all hung up", 20)
        time.sleep(0.1)
        self.read()

    def close(self):
        self.socket.close()
        assert self.sim.terminate() == 0


# a real 1.8 makes these with masquerades, or differs by the prompts of its rooms: the company's do without
only_new = pytest.mark.parametrize("office", ["20"], indirect=True)


@pytest.fixture(name="office", params=["20", "1.8"])
def fixture_office(request):
    office = Office(request.param)
    yield office
    office.close()


def calls_of(events, first, last=None):
    """The events between the nth call and the one after `last`: a call begins with the first channel that is there
    when no other is."""
    live, n, out = set(), 0, []
    for e in events:
        if e["Event"] == "Newchannel":
            if not live:
                n += 1
            live.add(e["Channel"])
        if first <= n <= (last or first):
            out.append(e)
        if e["Event"] == "Hangup":
            live.discard(e["Channel"])
    return out


def compare(office, name, first=1, last=None, but=(), phones=True):
    """Equal in everything but what is excused, with its reason, in `but`: pairs (what, expression)."""
    real = Told(calls_of(recorded(office.version, name), first, last)).of
    ours = Told(calls_of(office.events(), 1, 99)).of

    def left(told):
        return {what: [t for t in texts if not any(re.search(w, what) and re.search(p, t) for w, p in but)]
                for what, texts in told.items() if not what.startswith("phone ")}

    mine, theirs = left(ours), left(real)
    assert mine == theirs, "\n" + "\n".join(
        f"{what}: {line}" for what in sorted({*mine, *theirs})
        for line in difflib.ndiff(mine.get(what, []), theirs.get(what, [])) if line[0] in "-+")
    whole = Told(recorded(office.version, name)).of
    for what in ours:  # the states of a phone, somewhere in its whole recording: calls follow close upon another there
        if phones and what.startswith("phone "):
            assert f" {' '.join(ours[what])} " in f" {' '.join(whole.get(what, []))} ", (what, ours[what])


def test_call_answered(office):
    office.call("alice", "1002")
    office.answers("bob")
    office.talks(1)
    office.action("OfficeHangup", Channel=office.channel("alice"))
    office.quiet()
    compare(office, "02-call-answered")


def test_call_ended_by_the_called(office):
    office.call("bob", "1003")
    office.answers("carole")
    office.talks(1)
    office.action("OfficeHangup", Channel=office.channel("carole"))
    office.quiet()
    compare(office, "02-call-answered", 2)


def test_caller_gives_up(office):
    office.call("alice", "1002")
    office.wait("DialState" if office.version == "20" else "Dial")
    office.action("OfficeHangup", Channel=office.channel("alice"))
    office.quiet()
    compare(office, "03-noanswer-cancel")


def test_hold(office):
    office.call("alice", "1002")
    office.answers("bob")
    office.talks(1)
    for n, who in enumerate(("bob", "bob", "alice", "alice"), 1):
        office.action("OfficeHold", Endpoint=f"{office.tech}/{who}")
        if office.version == "20":
            office.wait("Hold" if n % 2 else "Unhold", (n + 1) // 2)
        else:
            office.wait("Hold", n)
    office.action("OfficeHangup", Channel=office.channel("alice"))
    office.quiet()
    compare(office, "05-hold")


@only_new
def test_redirected(office):
    office.call("alice", "1002")
    office.answers("bob")
    office.talks(1)
    office.action("Redirect", Channel=office.channel("alice"), Exten="1003", Context="default", Priority="1")
    office.answers("carole")
    office.talks(2)
    office.action("OfficeHangup", Channel=office.channel("alice"))
    office.quiet()
    compare(office, "06-redirect-blind")


@only_new
def test_attended_transfer(office):
    office.call("alice", "1002")
    office.answers("bob")
    office.talks(1)
    office.action("Atxfer", Channel=office.channel("bob"), Exten="1003", Context="default")
    office.answers("carole")
    office.talks(3)
    office.action("OfficeHangup", Channel=office.channel("bob"))
    office.wait("LocalOptimizationEnd")
    office.action("OfficeHangup", Channel=office.channel("alice"))
    office.quiet()
    compare(office, "08-atxfer-ami")


def test_queue_answered(office):
    office.action("QueueAdd", Queue="support", Interface=f"{office.tech}/bob", MemberName="Bob Tremblay")
    for member in ("carole", "david", "zoe"):
        office.action("QueuePause", Interface=f"Local/100{dict(carole=3, david=4, zoe=5)[member]}@default", Paused="true")
    office.call("alice", "3001")
    office.answers("bob")
    office.talks(1)
    office.action("OfficeHangup", Channel=office.channel("bob"))
    office.quiet()
    compare(office, "11-queue-answered")


@only_new
def test_conference(office):
    for n, who in enumerate(("alice", "bob", "zoe"), 1):
        office.call(who, "4001")
        office.wait("ConfbridgeJoin" if office.version == "20" else "MeetmeJoin", n)
    office.action("ConfbridgeMute", Conference="4001", Channel=office.channel("alice"))
    office.action("ConfbridgeUnmute", Conference="4001", Channel=office.channel("alice"))
    office.action("ConfbridgeStartRecord", Conference="4001")
    office.action("ConfbridgeStopRecord", Conference="4001")
    office.action("ConfbridgeKick", Conference="4001", Channel=office.channel("bob"))
    office.wait("ConfbridgeLeave")
    for who in ("alice", "zoe"):
        office.action("OfficeHangup", Channel=office.channel(who))
    office.quiet()
    compare(office, "15-conference", but=[("bob", "SoftHangupRequest")])  # its thread was faster


@only_new
def test_parked_and_fetched(office):
    office.call("alice", "1002")
    office.answers("bob")
    office.talks(1)
    office.action("Park", Channel=office.channel("alice"), TimeoutChannel=office.channel("bob"), Timeout="30000")
    office.wait("ParkedCall")
    office.call("carole", "701")
    office.wait("UnParkedCall")
    office.wait("Hangup")
    office.action("OfficeHangup", Channel=office.channel("carole"))
    office.quiet()
    compare(office, "16-parking")


def test_voicemail(office):
    office.call("alice", "*991003")
    office.wait("MessageWaiting")
    office.quiet()
    compare(office, "17-voicemail-mwi")


def test_recorded(office):
    office.call("alice", "1002")
    office.answers("bob")
    office.talks(1)
    alice = office.channel("alice")
    for action in ("Monitor", "StopMonitor", "MixMonitor", "MixMonitorMute", "StopMixMonitor"):
        office.action(action, Channel=alice, File="x.wav")
    office.action("OfficeHangup", Channel=alice)
    office.quiet()
    compare(office, "18-monitor")


def test_call_from_outside(office):
    office.call("0142143000", "0123450002", Name="Société Générale")
    office.answers("bob")
    office.talks(1)
    office.action("OfficeHangup", Channel=office.channel("trunk"))
    office.quiet()
    compare(office, "20-did-incoming", 2)


def test_originate(office):
    office.action("Originate", ActionID="o", Channel=f"{office.tech}/alice", Exten="1002", Context="default",
                  Priority="1", CallerID='"Bob Tremblay"<1002>', Async="true")
    office.wait("OriginateResponse")
    office.answers("bob")
    office.talks(1)
    office.action("Hangup", Channel=office.channel("alice"))
    office.quiet()
    compare(office, "21-originate")


@only_new
def test_agent(office):
    office.call("alice", "*312001")
    office.wait("AgentLogin")
    office.action("OfficeHangup", Channel=office.channel("alice"))
    office.quiet()
    assert [e["Agent"] for e in office.events() if e["Event"] in ("AgentLogin", "AgentLogoff")] == ["2001", "2001"]


def test_not_answered_goes_to_voicemail(office):
    office.call("alice", "1002")
    office.wait("Newstate", ChannelStateDesc="Ringing")
    office.action("OfficeHangup", Channel=office.channel("bob"), Cause="19")
    office.wait("Newexten", Application="VoiceMail")
    office.action("OfficeHangup", Channel=office.channel("alice"))
    office.quiet()
    compare(office, "03-noanswer-cancel", 2)


@only_new
def test_parked_and_back(office):
    office.call("alice", "1002")
    office.answers("bob")
    office.talks(1)
    office.action("Park", Channel=office.channel("alice"), TimeoutChannel=office.channel("bob"), Timeout="2500")
    office.wait("ParkedCallTimeOut")
    office.wait("Newstate", 2, ChannelStateDesc="Ringing")
    office.action("OfficeAnswer", Endpoint="PJSIP/bob")
    office.talks(2)
    office.action("OfficeHangup", Channel=office.channel("alice"))
    office.quiet()
    # ParkedCall is told by another thread; and a real Asterisk tells who has parked where, which keeps his phone busy
    compare(office, "16-parking", 2, but=[("alice", "ParkedCall")], phones=False)
