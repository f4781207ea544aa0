"""The events of Asterisk 12 and later, one method for each; asterisk11.py has those of before. Order and headers are those of the
recordings in tests/data/ami/20 and 23."""

from .parts import CAUSES, HINTS, SILENT


class Events:
    """Writes them: out has the bytes, times for each of them (where it ends, seconds)."""

    def __init__(self):
        self.out, self.times = bytearray(), []
        self.now = 0.0

    def say(self, event, group, *headers):
        lines = [f"Event: {event}", f"Privilege: {group},all", *(f"{name}: {value}" for name, value in headers)]
        self.out += "\r\n".join(lines).encode() + b"\r\n\r\n"
        self.now += SILENT
        self.times.append((len(self.out), self.now))

    def _e_new(self, c):
        self.say("Newchannel", "call", *c.headers())

    def _e_state(self, c):
        self.say("Newstate", "call", *c.headers())

    def _e_callerid(self, c):
        self.say("NewCallerid", "call", *c.headers(), ("CID-CallingPres", "0 (Presentation Allowed, Not Screened)"))

    def _e_connected(self, c):
        self.say("NewConnectedLine", "call", *c.headers())

    def listed(self, c):
        """Its line of CoreShowChannels."""
        return [*c.headers(), ("Application", "Dial"), ("ApplicationData", ""), ("Duration", "00:00:10"),
                ("BridgeId", c.bridge.uniqueid if c.bridge else "")]

    def of_hint(self, hint):
        status, text = HINTS[hint.state]
        return [("Exten", hint.exten), ("Context", hint.context), ("Hint", hint.text), ("Status", status), ("StatusText", text)]

    def _e_hint(self, hint):
        self.say("ExtensionStatus", "call", *self.of_hint(hint))

    def _e_device(self, device, state):
        self.say("DeviceStateChange", "call", ("Device", device), ("State", state))

    def _e_local_device(self, c):
        self._e_device(c.device, "INUSE" if c.half in self.channels else "NOT_INUSE")

    def _e_local(self, one, two, optimised):
        self.say("LocalBridge", "call", *one.headers("LocalOne"), *two.headers("LocalTwo"), ("Context", two.context), ("Exten", two.exten),
                 ("LocalOptimization", "Yes" if optimised else "No"))

    def _e_optimization(self, what, one, two):
        self.say("LocalOptimization" + what, "call", *one.headers("LocalOne"), *two.headers("LocalTwo"))

    def _e_dial_begin(self, by, c, string):
        self.say("DialBegin", "call", *(by.headers() if by else ()), *c.headers("Dest"), ("DialString", string))

    def _e_dial_state(self, by, c):
        if self.site.version != "13":
            self.say("DialState", "call", *(by.headers() if by else ()), *c.headers("Dest"), ("DialStatus", "RINGING"))

    def _e_dial_end(self, by, c, status):
        self.say("DialEnd", "call", *(by.headers() if by else ()), *c.headers("Dest"), ("DialStatus", status))

    def _e_pickup(self, c, target):
        self.say("Pickup", "call", *c.headers(), *target.headers("Target"))

    def _e_bridge(self, event, bridge, channel=None, *more):
        self.say(event, "call", *bridge.headers(), *(channel.headers() if channel else ()), *more)

    def _e_link(self, channels):
        """Said by the entries into the bridge."""

    def _e_unlink(self, channels):
        """Said by leaving the bridge."""

    def _e_hangup_request(self, c, cause):
        self.say("HangupRequest", "call", *c.headers(), ("Cause", cause))

    def _e_soft_hangup(self, c, cause):
        self.say("SoftHangupRequest", "call", *c.headers(), ("Cause", cause))

    def _e_hangup(self, c, cause):
        self.say("Hangup", "call", *c.headers(), ("Cause", cause), ("Cause-txt", CAUSES[cause]))

    def _e_hold(self, c, on):
        self.say("Hold" if on else "Unhold", "call", *c.headers(), *([("MusicClass", "default")] if on else []))

    def _e_variable(self, c, name, value):
        self.say("VarSet", "dialplan", *c.headers(), ("Variable", name), ("Value", value))

    def _e_music(self, c, on):
        self.say("MusicOnHoldStart" if on else "MusicOnHoldStop", "call", *c.headers(), *([("Class", "default")] if on else []))

    def _e_join(self, c):
        count = len(self.queues[c.queue])
        self.say("QueueCallerJoin", "agent", *c.headers(), ("Queue", c.queue), ("Position", count), ("Count", count))

    def _e_leave(self, c, place):
        self.say("QueueCallerLeave", "agent", *c.headers(), ("Queue", c.queue), ("Position", place), ("Count", len(self.queues[c.queue])))

    def _e_abandon(self, c, place):
        self.say("QueueCallerAbandon", "agent", *c.headers(), ("Queue", c.queue), ("Position", place), ("OriginalPosition", place),
                 ("HoldTime", 30))

    def _of_member(self, caller, leg, member):
        return [*caller.headers(), *leg.headers("Dest"), ("Queue", member.queue), ("Interface", member.interface), ("MemberName", member.name)]

    def _e_agent_called(self, caller, leg):
        self.say("AgentCalled", "agent", *self._of_member(caller, leg, leg.member))

    def _e_ring_no_answer(self, caller, leg):
        self.say("AgentRingNoAnswer", "agent", *self._of_member(caller, leg, leg.member), ("RingTime", 15000))

    def _e_agent_connect(self, caller, leg):
        self.say("AgentConnect", "agent", *self._of_member(caller, leg, leg.member), ("HoldTime", 35), ("RingTime", 3))

    def _e_agent_complete(self, caller, leg, member, reason):
        self.say("AgentComplete", "agent", *self._of_member(caller, leg, member), ("HoldTime", 35), ("TalkTime", 20), ("Reason", reason))

    def _e_member(self, event, member):
        self.say(event, "agent", *member.headers())

    def _e_removed(self, member):
        self._e_member("QueueMemberRemoved", member)

    def _e_pause(self, member):
        self._e_device(f"Queue:{member.queue}_pause_{member.interface}", "INUSE" if member.paused else "NOT_INUSE")
        self._e_member("QueueMemberPause", member)

    def _e_blind_transfer(self, by, whom, bridge, exten):
        self.say("BlindTransfer", "call", ("Result", "Success"), *by.headers("Transferer"), *whom.headers("Transferee"), *bridge.headers(),
                 ("IsExternal", "Yes"), ("Context", self.site.context), ("Extension", exten))

    def of_parked(self, _event, space, retriever=None):
        parkee, parker = self.parked[space]
        return [*parkee.headers("Parkee"), *(retriever.headers("Retriever") if retriever else ()), ("ParkerDialString", parker),
                ("Parkinglot", self.site.lot["name"]), ("ParkingSpace", space), ("ParkingTimeout", 45), ("ParkingDuration", 0)]

    def _e_parked(self, event, space, retriever=None):
        self.say(event, "call", *self.of_parked(event, space, retriever))

    def _e_mailbox(self, c, box, new, old):
        self.say("MessageWaiting", "call", *(c.headers() if c else ()), ("Mailbox", box), ("Waiting", int(new > 0)), ("New", new), ("Old", old))

    def user_event(self, c, name, *headers):
        self.say("UserEvent", "user", *c.headers(), ("UserEvent", name), *headers)
