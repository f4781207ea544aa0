"""The same in the events of Asterisk 11, as tests/data/ami/1.8 and docs/asterisk.md have them: no Linkedid, no bridges, Link and Unlink of
two channels, Dial with SubEvent, a parked channel that is exchanged for another one."""

from .asterisk import Asterisk
from .parts import CAUSES, EPOCH, HINTS, STATES, none


class Asterisk11(Asterisk):
    def _of(self, c, *names):
        known = {"Channel": c.name, "ChannelState": c.state, "ChannelStateDesc": STATES[c.state], "CallerIDNum": c.number,
                 "CallerIDName": c.person, "ConnectedLineNum": c.connected[0], "ConnectedLineName": c.connected[1],
                 "Uniqueid": c.uniqueid, "UniqueID": c.uniqueid, "AccountCode": "", "Context": c.context,
                 "Exten": "" if c.by and not c.half else c.exten}
        return [(name, known[name]) for name in names]

    def _e_new(self, c):
        self.say("Newchannel", "call", *self._of(c, "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName",
                                                 "AccountCode", "Exten", "Context", "Uniqueid"))

    def _e_state(self, c):
        self.say("Newstate", "call", *self._of(c, "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName",
                                               "ConnectedLineNum", "ConnectedLineName", "Uniqueid"))

    def _e_callerid(self, c):
        self.say("NewCallerid", "call", *self._of(c, "Channel", "CallerIDNum", "CallerIDName", "Uniqueid"),
                 ("CID-CallingPres", "0 (Presentation Allowed, Not Screened)"))

    def _e_connected(self, c):
        """Not told."""

    def listed(self, c):
        peer = next((p for p in c.bridge.channels if p is not c), None) if c.bridge else None
        return [("Channel", c.name), ("UniqueID", c.uniqueid), ("Context", c.context), ("Extension", c.exten), ("Priority", 1),
                ("ChannelState", c.state), ("ChannelStateDesc", STATES[c.state]), ("Application", "Dial"), ("ApplicationData", ""),
                ("CallerIDnum", c.number), ("CallerIDname", c.person), ("ConnectedLineNum", c.connected[0]), ("ConnectedLineName", c.connected[1]),
                ("Duration", "00:00:10"), ("AccountCode", ""), ("BridgedChannel", peer.name if peer else ""),
                ("BridgedUniqueID", peer.uniqueid if peer else "")]

    def of_hint(self, hint):
        return [("Exten", hint.exten), ("Context", hint.context), ("Hint", hint.text), ("Status", HINTS[hint.state][0])]

    def _e_device(self, device, state):
        """Not told."""

    def _e_local(self, one, two, optimised):
        self.say("LocalBridge", "call", ("Channel1", one.name), ("Channel2", two.name), ("Uniqueid1", one.uniqueid), ("Uniqueid2", two.uniqueid),
                 ("Context", two.context), ("Exten", two.exten), ("LocalOptimization", "Yes" if optimised else "No"))

    def _e_dial_begin(self, by, c, string):
        if not by.queue:
            self.say("Dial", "call", ("SubEvent", "Begin"), ("Channel", by.name), ("Destination", c.name), ("CallerIDNum", none(by.number)),
                     ("CallerIDName", none(by.person)), ("ConnectedLineNum", none(by.connected[0])), ("ConnectedLineName", none(by.connected[1])),
                     ("UniqueID", by.uniqueid), ("DestUniqueID", c.uniqueid), ("Dialstring", string))

    def _e_dial_state(self, by, c):
        """Not told."""

    def _e_dial_end(self, by, c, status):
        """Told when Dial() returns: once, after the last one has gone or the call is over."""
        if not by.queue and not c.member and (status == "ANSWER" or len(by.dials) == 1):
            c.dial_status = status

    def _dial_returns(self, c):
        status = c.__dict__.pop("dial_status", None)
        if status:
            self.say("Dial", "call", ("SubEvent", "End"), *self._of(c.by, "Channel", "UniqueID"),
                     ("DialStatus", "NOANSWER" if status == "CANCEL" else status))

    def _e_bridge(self, event, bridge, channel=None, *more):
        """Not told."""

    def _pair(self, event, channels, *first):
        two, one = channels  # the called one comes first into the bridge
        self.say(event, "call", *first, ("Channel1", one.name), ("Channel2", two.name), ("Uniqueid1", one.uniqueid), ("Uniqueid2", two.uniqueid),
                 ("CallerID1", one.number), ("CallerID2", two.number))

    def _e_link(self, channels):
        self._pair("Bridge", channels, ("Bridgestate", "Link"), ("Bridgetype", "core"))

    def _e_unlink(self, channels):
        if len(channels) == 2:
            self._pair("Bridge", channels, ("Bridgestate", "Unlink"), ("Bridgetype", "core"))

    def _e_hangup_request(self, c, cause):
        self.say("HangupRequest", "call", *self._of(c, "Channel", "Uniqueid"), ("Cause", cause))

    def _e_soft_hangup(self, c, cause):
        self.say("SoftHangupRequest", "call", *self._of(c, "Channel", "Uniqueid"), ("Cause", cause))

    def _e_hangup(self, c, cause):
        self.say("Hangup", "call", *self._of(c, "Channel", "Uniqueid", "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName",
                                             "AccountCode"), ("Cause", cause), ("Cause-txt", CAUSES[cause]))
        self._dial_returns(c)

    def _e_hold(self, c, on):
        self.say("Hold", "call", ("Status", "On" if on else "Off"), *self._of(c, "Channel", "Uniqueid"))

    def _e_variable(self, c, name, value):
        self.say("VarSet", "dialplan", ("Channel", c.name), ("Variable", name), ("Value", value), ("Uniqueid", c.uniqueid))

    def _e_music(self, c, on):
        self.say("MusicOnHold", "call", ("State", "Start" if on else "Stop"), *self._of(c, "Channel", "UniqueID"),
                 *([("Class", "default")] if on else []))

    # ---- queues ----

    def _e_join(self, c):
        count = len(self.queues[c.queue])
        self.say("Join", "call", *self._of(c, "Channel", "CallerIDNum", "CallerIDName"), ("ConnectedLineNum", "unknown"),
                 ("ConnectedLineName", "unknown"), ("Queue", c.queue), ("Position", count), ("Count", count), ("Uniqueid", c.uniqueid))

    def _e_leave(self, c, place):
        self.say("Leave", "call", ("Channel", c.name), ("Queue", c.queue), ("Count", len(self.queues[c.queue])), ("Position", place),
                 ("Uniqueid", c.uniqueid))

    def _e_abandon(self, c, place):
        self.say("QueueCallerAbandon", "agent", ("Queue", c.queue), ("Uniqueid", c.uniqueid), ("Position", place), ("OriginalPosition", place),
                 ("HoldTime", 30))

    def _e_agent_called(self, caller, leg):
        member = leg.member
        self.say("AgentCalled", "agent", ("Queue", member.queue), ("AgentCalled", member.interface), ("AgentName", member.name),
                 ("ChannelCalling", caller.name), ("DestinationChannel", leg.name), *self._of(caller, "CallerIDNum", "CallerIDName"),
                 ("ConnectedLineNum", "unknown"), ("ConnectedLineName", "unknown"), ("Context", caller.context), ("Extension", caller.exten),
                 ("Priority", 5), ("Uniqueid", caller.uniqueid))

    def _e_ring_no_answer(self, caller, leg):
        self.say("AgentRingNoAnswer", "agent", ("Queue", leg.member.queue), ("Uniqueid", caller.uniqueid), ("Channel", caller.name),
                 ("Member", leg.member.interface), ("MemberName", leg.member.name), ("RingTime", 15))

    def _e_agent_connect(self, caller, leg):
        self.say("AgentConnect", "agent", ("Queue", leg.member.queue), ("Uniqueid", caller.uniqueid), ("Channel", leg.name),
                 ("Member", leg.member.interface), ("MemberName", leg.member.name), ("HoldTime", 35), ("BridgedChannel", leg.uniqueid), ("RingTime", 3))

    def _e_agent_complete(self, caller, leg, member, reason):
        self.say("AgentComplete", "agent", ("Queue", member.queue), ("Uniqueid", caller.uniqueid), ("Channel", leg.name),
                 ("Member", member.interface), ("MemberName", member.name), ("HoldTime", 35), ("TalkTime", 20), ("Reason", reason))

    def _e_member(self, event, member):
        self.say(event, "agent", ("Queue", member.queue), ("Location", member.interface), ("MemberName", member.name),
                 ("StateInterface", member.state), ("Membership", member.membership), ("Penalty", member.penalty), ("CallsTaken", member.calls),
                 ("LastCall", member.last), ("Status", member.status), ("Paused", member.paused))

    def _e_removed(self, member):
        self.say("QueueMemberRemoved", "agent", ("Queue", member.queue), ("Location", member.interface), ("MemberName", member.name))

    def _e_pause(self, member):
        self.say("QueueMemberPaused", "agent", ("Queue", member.queue), ("Location", member.interface), ("MemberName", member.name),
                 ("Paused", member.paused), *([("Reason", member.reason)] if member.reason else []))

    # ---- agents of the Asterisk's own ----

    def agent_logs_in(self, channel, agent):
        """The channel stays up, with music, until the agent logs off."""
        self.up(channel)
        self._e_music(channel, True)
        self.say("Agentlogin", "agent", ("Agent", agent), ("Channel", channel.name), ("Uniqueid", channel.uniqueid))
        self.device(f"Agent/{agent}", "NOT_INUSE")

    def agent_logs_off(self, channel, agent):
        self._e_hangup_request(channel, 16)
        self.say("Agentlogoff", "agent", ("Agent", agent), ("Logintime", 300), ("Uniqueid", channel.uniqueid))
        self.device(f"Agent/{agent}", "UNAVAILABLE")
        self._gone(channel, 16)

    def agent_answers(self, caller, member, login):
        """The queue takes the logged in agent at once: a channel of the agent's name, which is not rung."""
        leg = self._new(member.interface, number=caller.exten, context=login.context, exten=login.exten, member=member, by=caller)
        leg.device = member.interface
        self._e_music(login, False)
        leg.connected = (caller.number, caller.person)
        self.device(member.interface, "INUSE")
        leg.state = 6
        self._e_state(leg)
        self._e_agent_called(caller, leg)
        self._served(caller, leg, [])
        self.joins(leg, caller)
        return leg

    def agent_is_free(self, login):
        self._e_music(login, True)

    # ---- parking: the parked channel is exchanged for another one, which gets its name ----

    def parks(self, parker, space):
        parkee = next(c for c in parker.bridge.channels if c is not parker)
        name, old = parkee.name, parkee.uniqueid
        new = f"{EPOCH + int(self.now)}.{next(self.uniqueids)}"
        self.say("Newchannel", "call", ("Channel", f"Parked/{name}"), ("ChannelState", 0), ("ChannelStateDesc", "Down"), ("CallerIDNum", ""),
                 ("CallerIDName", ""), ("AccountCode", ""), ("Exten", "s"), ("Context", parkee.context), ("Uniqueid", new))
        self.say("Masquerade", "call", ("Clone", name), ("CloneState", "Up"), ("Original", f"Parked/{name}"), ("OriginalState", "Down"))
        for one, other, uniqueid in ((name, f"{name}<MASQ>", old), (f"Parked/{name}", name, new), (f"{name}<MASQ>", f"Parked/{name}<ZOMBIE>", old)):
            self.say("Rename", "call", ("Channel", one), ("Newname", other), ("Uniqueid", uniqueid))
        parkee.uniqueid = new
        self._e_callerid(parkee)
        self.say("Bridge", "call", ("Bridgestate", "Unlink"), ("Bridgetype", "core"), ("Channel1", f"Parked/{name}<ZOMBIE>"),
                 ("Channel2", parker.name), ("Uniqueid1", old), ("Uniqueid2", parker.uniqueid), ("CallerID1", ""), ("CallerID2", parker.number))
        parkee.bridge = parker.bridge = None
        self._e_music(parkee, True)
        self.parked[space] = (parkee, parker.name)
        self._e_parked("ParkedCall", space)
        parker.__dict__.pop("dial_status", None)
        self._gone(parker, 16)
        self.say("Dial", "call", ("SubEvent", "End"), ("Channel", f"Parked/{name}<ZOMBIE>"), ("UniqueID", old), ("DialStatus", "ANSWER"))
        self.say("Hangup", "call", ("Channel", f"Parked/{name}<ZOMBIE>"), ("Uniqueid", old), ("CallerIDNum", "<unknown>"),
                 ("CallerIDName", "<unknown>"), ("ConnectedLineNum", "<unknown>"), ("ConnectedLineName", "<unknown>"), ("AccountCode", ""),
                 ("Cause", 16), ("Cause-txt", "Normal Clearing"))
        return parkee

    def retrieves(self, retriever, space):
        parkee = self.parked[space][0]
        self._e_parked("UnParkedCall", space, retriever)
        self._unpark(space)
        self._e_music(parkee, False)
        retriever.connected, parkee.connected = (parkee.number, parkee.person), (retriever.number, retriever.person)
        self.up(retriever)
        self.joins(parkee, retriever)

    def of_parked(self, event, space, retriever=None):
        parkee, parker = self.parked[space]
        return [("Exten", space), ("Channel", parkee.name), ("Parkinglot", self.site.lot["name"]),
                *([] if event == "ParkedCallGiveUp" else [("From", retriever.name if retriever else parker)]),
                *([("Timeout", 45)] if event == "ParkedCall" else []),
                *self._of(parkee, "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName"),
                ("UniqueID" if event == "ParkedCallGiveUp" else "Uniqueid", parkee.uniqueid)]

    def _e_mailbox(self, c, box, new, old):
        self.say("MessageWaiting", "call", ("Mailbox", box), ("Waiting", int(new > 0)), *([("New", new), ("Old", old)] if new else []))

    def user_event(self, c, name, *headers):
        self.say("UserEvent", "user", ("UserEvent", name), ("Uniqueid", c.uniqueid), *headers)
