"""An Asterisk on paper: it keeps channels, bridges, devices, hints and queue members, and writes the AMI events of what scenarios let happen.
This is what people and the dialplan do; events.py has the events."""

import itertools

from .events import Events
from .parts import EPOCH, MEMBERS, ORDER, Bridge, Channel, Hint, Member


class Asterisk(Events):
    """Asterisk 12 and later; asterisk11.py has what is different before."""

    def __init__(self, site):
        super().__init__()
        self.site = site
        self.held_is_shown = site.tech == "PJSIP"  # chan_sip: the device that is on hold is that of the holder
        self.uniqueids, self.suffixes, self.locals = itertools.count(1), itertools.count(1), itertools.count(1)
        self.uuids = itertools.count(1)
        self.channels = []
        self.devices = {device: site.first_states.get(device, "NOT_INUSE") for device in site.devices()}
        self.hints = [Hint(*one) for one in site.hints()]
        self.members = [Member(**one) for one in site.members()]
        self.queues = {name: [] for name in site.queues}
        for member in self.members:
            member.status = self._member_status(member)
        self.lot = None  # the lasting bridge of parked calls
        self.parked = {}  # space -> (channel, who parked it)
        self.boxes = {box: [0, 0] for box in site.mailboxes()}

    def bridges(self):
        return list({c.bridge.uniqueid: c.bridge for c in self.channels if c.bridge}.values())

    def wait(self, seconds):
        self.now += seconds

    # ---- devices, hints, members ----

    def _state_of(self, device):
        own = [c for c in self.channels if c.device == device]
        ringing = any(c.state == 5 for c in own)
        talking = [c for c in own if c.state in (4, 6)]
        if ringing:
            return "RINGINUSE" if talking else "RINGING"
        if not talking:
            return "NOT_INUSE"
        return "ONHOLD" if all(self._is_held(c) for c in talking) else "INUSE"

    def _is_held(self, channel):
        if not self.held_is_shown:
            return channel.holding
        return bool(channel.bridge) and any(c.holding for c in channel.bridge.channels if c is not channel)

    def _combined(self, devices):
        states = [self.devices.get(d, "UNKNOWN") for d in devices]
        if "RINGING" in states and any(s in ("INUSE", "ONHOLD", "BUSY") for s in states):
            return "RINGINUSE"
        return max(states, key=ORDER.index)

    def _refresh(self, *channels):
        for channel in channels:
            if channel.name.startswith("Local/"):
                self._e_local_device(channel)
            elif channel.device in self.devices:
                self.device(channel.device, self._state_of(channel.device))

    def device(self, device, state):
        """The device is in that state: told with the hints and members that go by it."""
        if self.devices.get(device) == state:
            return
        self.devices[device] = state
        for hint in self.hints:
            if device in hint.devices and (new := self._combined(hint.devices)) != hint.state:
                hint.state = new
                self._e_hint(hint)
        self._e_device(device, state)
        for member in self.members:
            if (status := self._member_status(member)) != member.status:
                member.status = status
                self._e_member("QueueMemberStatus", member)

    def _member_status(self, member):
        if member.state.startswith("hint:"):
            exten, _, context = member.state[5:].partition("@")
            hint = next(h for h in self.hints if (h.exten, h.context) == (exten, context))
            return MEMBERS[hint.state]
        if member.state.startswith("Local/"):
            return 2 if any(c.member is member for c in self.channels) else 1
        return MEMBERS[self.devices.get(member.state, "UNKNOWN")]

    def presence(self, presentity, state, message=""):
        what = [("Status", state), ("Subtype", ""), ("Message", message)]
        for hint in self.hints:
            if hint.presentity == presentity:
                self.say("PresenceStatus", "call", ("Exten", hint.exten), ("Context", hint.context), ("Hint", hint.text), *what)
        self.say("PresenceStateChange", "call", ("Presentity", presentity), *what)

    def member(self, queue, who):
        """The member of that queue by its interface."""
        return next(m for m in self.members if m.queue == queue and m.interface == who)

    def pause(self, member, paused, reason=""):
        member.paused, member.reason, member.pause_time = int(paused), reason, int(EPOCH + self.now)
        self._e_pause(member)

    def penalty(self, member, penalty):
        member.penalty = penalty
        self._e_member("QueueMemberPenalty", member)

    def add_member(self, **fields):
        member = Member(**fields)
        member.status = self._member_status(member)
        self.members.append(member)
        self._e_member("QueueMemberAdded", member)
        return member

    def remove_member(self, member):
        self.members.remove(member)
        self._e_removed(member)

    # ---- channels ----

    def _new(self, name, linked=None, **fields):
        channel = Channel(name, f"{EPOCH + int(self.now)}.{next(self.uniqueids)}", **fields)
        channel.linkedid = linked.linkedid if linked else channel.uniqueid
        self.channels.append(channel)
        self._e_new(channel)
        return channel

    def _phone(self, device):
        return f"{device}-{next(self.suffixes):08x}"

    def _set(self, channel, state):
        channel.state = state
        self._e_state(channel)
        self._refresh(channel)

    def call(self, person, exten):
        """Somebody of the site dials; the channel, which is in the dialplan."""
        return self._begins(person.device, person.number, person.name, self.site.context, exten)

    def call_in(self, exten, number="0145000000", name="Client"):
        """Somebody outside calls; the trunk's channel."""
        return self._begins(self.site.trunk, number, name, self.site.trunk_context, exten)

    def _begins(self, device, number, name, context, exten):
        first = 0 if device.startswith("SIP/") else 4
        channel = self._new(self._phone(device), number=number, person=name, context=context, exten=exten, state=first)
        self._refresh(channel)
        if first == 0:
            self._set(channel, 4)
        return channel

    def up(self, channel):
        """An application answers."""
        if channel.state != 6:
            self._set(channel, 6)

    # ---- Dial() and what is rung ----

    def ring(self, by, person, alone=True):
        """The dialplan of `by` rings the phone of a person, or a number outside; not alone: beside others, and until one of them answers
        the caller's connected line is none of them."""
        # such a channel has its own caller id, and the dialled extension as place in the dialplan
        channel = self._new(self._phone(person.device), by, number=person.number, person=person.name, context=self.site.context, by=by)
        by.dials.append(channel)
        channel.connected = (by.number, by.person)
        self._e_connected(channel)
        self._member_called(by, channel)
        self._e_dial_begin(by, channel, person.device.partition("/")[2])
        if alone and not by.queue:
            self._connects(by, channel)
        self._set(channel, 5)
        self._e_dial_state(by, channel)
        self._rings_back(by, channel)
        return channel

    def _rings_back(self, by, channel):
        """The first half of a Local channel rings as soon as somebody behind it does."""
        one = by.half
        if not one or one.state in (5, 6):
            return
        one.number, one.person = channel.number, channel.person
        self._set(one, 5)
        self._e_callerid(one)
        self._e_connected(one)
        self._e_dial_state(one.by, one)
        self._rings_back(one.by, channel)

    def _connects(self, by, channel):
        by.connected = (channel.number, channel.person)
        self._e_connected(by)

    def local(self, by, exten, context, member=None, keep=False):
        """`by` dials Local/exten@context (keep: with /n, it is never optimised away); the half that is in the dialplan."""
        name = f"Local/{exten}@{context}-{next(self.locals):08x}"
        one = self._new(name + ";1", by, context=context, exten=exten, by=by, member=member)
        two = self._new(name + ";2", by, context=context, exten=exten, state=4)
        one.half, two.half = two, one
        by.dials.append(one)
        one.number = by.exten
        self._e_callerid(one)
        two.number, two.person, two.connected = by.number, by.person, (by.exten, "")
        self._e_callerid(two)
        self._e_connected(two)
        optimised = not (keep or (member and member.interface.endswith("/n")))
        self._e_local(one, two, optimised)
        one.connected = (by.number, by.person)
        self._member_called(by, one)
        self._e_dial_begin(by, one, f"Local/{exten}@{context}" + ("" if optimised else "/n"))
        return two

    def answers(self, channel):
        """A phone that rings is picked up: all that dialled it is answered, and everybody is put together."""
        self._set(channel, 6)
        self._answered(channel)

    def _answered(self, channel):
        by = channel.by
        losers = [c for c in by.dials if c is not channel]
        if not by.queue:
            self._connects(by, channel)
            for loser in losers:
                self.stops(loser, "CANCEL", 26)
        self._e_dial_end(by, channel, "ANSWER")
        if by.half and by.half.state == 6:  # the one before has transferred the call
            self._connects(next(c for c in by.half.bridge.channels if c is not by.half), channel)
        elif by.half:
            by.half.number, by.half.person = channel.number, channel.person
            self._set(by.half, 6)
            self._answered(by.half)
        if by.queue:
            self._served(by, channel, losers)
        else:
            self.up(by)
        self.joins(channel, by)

    def picks_up(self, person, exten, rung):
        """Somebody dials a code and gets the call for which another phone rings."""
        caller = rung.by
        channel = self.call(person, exten)
        channel.connected = (caller.number, caller.person)
        self._e_connected(channel)
        self.up(channel)
        self._connects(caller, channel)
        self._e_dial_end(caller, channel, "ANSWER")
        self.up(caller)
        self._e_pickup(channel, rung)
        self._e_soft_hangup(rung, 16)
        caller.dials.remove(rung)
        rung.by = None
        self._gone(rung, 26)
        channel.by = caller
        self.joins(channel, caller)

    def stops(self, channel, status="CANCEL", cause=0):
        """What rings is no longer rung; a Local channel with all behind it."""
        if channel.by:
            self._e_dial_end(channel.by, channel, status)
            channel.by.dials.remove(channel)
        if channel.half:
            two = channel.half
            self._gone(channel, cause)
            for behind in list(two.dials):
                self.stops(behind, "CANCEL", cause)
            self._gone(two, cause)
        else:
            self._gone(channel, cause)

    def busy(self, by, person):
        """The phone of a person refuses."""
        channel = self._new(self._phone(person.device), by, number=person.number, person=person.name, context=self.site.context, by=by)
        by.dials.append(channel)
        channel.connected = (by.number, by.person)
        self._e_connected(channel)
        self._e_dial_begin(by, channel, person.device.partition("/")[2])
        self.stops(channel, "BUSY", 17)

    # ---- bridges ----

    def joins(self, *channels, kind="basic", creator=""):
        """They talk in a bridge of their own."""
        bridge = Bridge(next(self.uuids), kind, creator)
        self._e_bridge("BridgeCreate", bridge)
        for channel in channels:
            self._enters(bridge, channel)
        self._e_link(channels)
        return bridge

    def _enters(self, bridge, channel, *more):
        bridge.channels.append(channel)
        channel.bridge = bridge
        if bridge is not self.lot:  # who talk are of one call, the oldest
            oldest = min((c.linkedid for c in bridge.channels), key=lambda i: [int(n) for n in i.split(".")])
            for c in bridge.channels:
                c.linkedid = oldest
        self._e_bridge("BridgeEnter", bridge, channel, *more)

    def _leaves(self, channel):
        bridge = channel.bridge
        bridge.channels.remove(channel)
        channel.bridge = None
        self._e_bridge("BridgeLeave", bridge, channel)

    def _ends(self, bridge):
        if not bridge.channels and bridge is not self.lot:
            self._e_bridge("BridgeDestroy", bridge)

    def optimised(self, two):
        """The Local channel of this second half is taken out: who is behind it takes its place in the bridge."""
        one = two.half
        channel = two.bridge.channels[0]
        inner, outer = two.bridge, one.bridge
        self._e_optimization("Begin", one, two)
        self._leaves(channel)
        self._leaves(one)
        self._enters(outer, channel, ("SwapUniqueid", one.uniqueid))
        channel.by, one.by.dials = one.by, [channel]
        if one.by.served:
            one.by.served = (one.by.served[0], channel)
        self._e_optimization("End", one, two)
        self._gone(one, 16)
        self._leaves(two)
        self._ends(inner)
        self._gone(two, 16)

    def hangs_up(self, channel, cause=16):
        """A person hangs up, and with the call all that was joined to it."""
        self._e_hangup_request(channel, cause)
        self._over(channel, cause, "agent" if channel.by else "caller")

    def _over(self, channel, cause, reason):
        bridge = channel.bridge
        others = [c for c in bridge.channels if c is not channel] if bridge else []
        if bridge:
            self._e_unlink(bridge.channels)
            self._leaves(channel)
        for other in others:
            self._leaves(other)
        if bridge:
            self._ends(bridge)
        self._completes(channel, reason)
        self._gone(channel, cause)
        for other in others:
            self._completes(other, reason)
            self._e_soft_hangup(other, cause)
            if other.half and other.half in self.channels:
                self._gone(other, cause)
                self._over(other.half, cause, reason)
            else:
                self._gone(other, cause)

    def _gone(self, channel, cause):
        if channel not in self.channels:
            return
        self.channels.remove(channel)
        self._e_hangup(channel, cause)
        self._refresh(channel)

    def transfers(self, channel, person):
        """A person transfers the other party to somebody else, whose phone rings; its channel."""
        other = next(c for c in channel.bridge.channels if c is not channel)
        bridge = channel.bridge
        self._e_blind_transfer(channel, other, bridge, person.number)
        self._leaves(other)
        self._leaves(channel)
        self._ends(bridge)
        self._completes(other, "transfer")
        self._gone(channel, 16)
        other.dials.clear()
        return self.ring(other, person)

    def hold(self, channel, on=True):
        channel.holding = on
        self._e_hold(channel, on)
        other = next(c for c in channel.bridge.channels if c is not channel)
        self._e_music(other, on)
        self._refresh(channel, other)

    # ---- ARI: an application holds the calls ----

    def to_application(self, bridge):
        """Both of a call are moved to a bridge of an application."""
        moved = list(bridge.channels)
        for channel in moved:
            self._leaves(channel)
        self._ends(bridge)
        return self.joins(*moved, kind="stasis", creator="Stasis")

    def application_rings(self, for_whom, person):
        """The application originates a call to a person."""
        channel = self._new(self._phone(person.device), for_whom, number=person.number, person=person.name, context=self.site.context)
        channel.connected = (for_whom.number, for_whom.person)
        self._e_connected(channel)
        self._e_dial_begin(None, channel, person.device.partition("/")[2])
        self._set(channel, 5)
        self._e_dial_state(None, channel)
        return channel

    def application_adds(self, bridge, channel):
        """Who was rung answers and comes into the bridge of the application."""
        self._set(channel, 6)
        self._e_dial_end(None, channel, "ANSWER")
        self._enters(bridge, channel)

    def leaves_application(self, channel):
        """One of three hangs up, the others go on."""
        bridge = channel.bridge
        self._e_hangup_request(channel, 16)
        self._leaves(channel)
        self._gone(channel, 16)
        for other in bridge.channels:
            rest = next((c for c in bridge.channels if c is not other), None)
            if rest:
                self._connects(other, rest)

    # ---- queues ----

    def joins_queue(self, channel, queue):
        self.up(channel)
        channel.queue = queue
        self.queues[queue].append(channel)
        self._e_join(channel)
        self._e_music(channel, True)

    def rings_member(self, caller, member, person):
        """The queue rings a member once; the channel that its phone rings with."""
        if member.interface.startswith("Local/"):
            exten, _, context = member.interface[6:].removesuffix("/n").partition("@")
            return self.ring(self.local(caller, exten, context, member), person)
        caller.asked = member
        return self.ring(caller, person)

    def _member_called(self, caller, channel):
        if caller.queue:
            channel.member = channel.member or caller.asked
            self._e_agent_called(caller, channel)

    def not_answered(self, caller):
        """The queue gives the members up that ring, for now."""
        rung = list(caller.dials)
        for leg in rung:
            self._e_ring_no_answer(caller, leg)
        for leg in rung:
            self._e_dial_end(caller, leg, "NOANSWER")
        for leg in rung:
            self.stops(leg, "CANCEL", 0)

    def _served(self, caller, leg, losers):
        for loser in losers:
            self._e_dial_end(caller, loser, "CANCEL")
        self._connects(caller, leg)
        self._e_music(caller, False)
        self._out_of(caller)
        leg.member.in_call = 1
        caller.served = (leg.member, leg)
        self._e_agent_connect(caller, leg)
        for loser in losers:
            self.stops(loser, "CANCEL", 26)

    def _out_of(self, caller):
        place = self.queues[caller.queue].index(caller) + 1
        self.queues[caller.queue].remove(caller)
        self._e_leave(caller, place)
        caller.queue = None

    def gives_up(self, caller):
        """The caller hangs up while waiting."""
        self._e_hangup_request(caller, 16)
        self._e_music(caller, False)
        rung = list(caller.dials)
        for leg in rung:
            self._e_dial_end(caller, leg, "CANCEL")
        self._e_abandon(caller, self.queues[caller.queue].index(caller) + 1)
        self._out_of(caller)
        for leg in rung:
            self.stops(leg, "CANCEL", 0)
        self._gone(caller, 16)

    def times_out(self, caller):
        """The caller has waited as long as the queue lets them, and goes on in the dialplan."""
        queue = caller.queue
        self._e_music(caller, False)
        self._e_abandon(caller, self.queues[queue].index(caller) + 1)
        self._out_of(caller)
        self._e_variable(caller, "QUEUESTATUS", "TIMEOUT")

    def _completes(self, caller, reason):
        if not caller.served:
            return
        member, leg = caller.served
        caller.served = None
        member.in_call, member.calls, member.last = 0, member.calls + 1, EPOCH + int(self.now)
        self._e_agent_complete(caller, leg, member, reason)
        self._e_member("QueueMemberStatus", member)

    # ---- parking, voicemail ----

    def parks(self, parker, space):
        """The parker transfers the other party to the parking lot."""
        parkee = next(c for c in parker.bridge.channels if c is not parker)
        old = parker.bridge
        self._e_blind_transfer(parker, parkee, old, self.site.lot["extension"])
        self._leaves(parkee)
        self.parked[space] = (parkee, parker.device)
        self._e_parked("ParkedCall", space)
        if not self.lot:
            self.lot = Bridge(next(self.uuids), "parking", "Parking")
        self._enters(self.lot, parkee)
        self._e_music(parkee, True)
        self._bay(space, "INUSE")
        self._e_hangup_request(parker, 16)
        self._leaves(parker)
        self._ends(old)
        self._gone(parker, 16)
        return parkee

    def retrieves(self, retriever, space):
        """Who has dialled the bay gets the parked call."""
        parkee = self.parked[space][0]
        self.up(retriever)
        self._e_music(parkee, False)
        self._e_parked("UnParkedCall", space, retriever)
        self._unpark(space)
        self._connects(parkee, retriever)
        self._connects(retriever, parkee)
        self.joins(parkee, retriever)

    def takes(self, retriever, space):
        """The dialplan takes the parked channel out of its bay with Bridge(): Asterisk says that it gave up."""
        parkee = self.parked[space][0]
        self._e_music(parkee, False)
        self._e_parked("ParkedCallGiveUp", space)
        self._unpark(space)
        self._connects(parkee, retriever)
        self._connects(retriever, parkee)
        self.joins(parkee, retriever)

    def _unpark(self, space):
        parkee, _ = self.parked.pop(space)
        if parkee.bridge:
            self._leaves(parkee)
        self._bay(space, "NOT_INUSE")
        return parkee

    def parked_gives_up(self, space):
        parkee = self.parked[space][0]
        self._e_hangup_request(parkee, 16)
        self._e_parked("ParkedCallGiveUp", space)
        self._unpark(space)
        self._gone(parkee, 16)

    def _bay(self, space, state):
        if self.site.bay_device(space) in self.devices:
            self.device(self.site.bay_device(space), state)

    def mailbox(self, channel, box, new, old, aliases=()):
        """The messages of a box have changed while the channel was in it."""
        self.boxes[box] = [new, old]
        for name in (box, *aliases):
            self._e_mailbox(channel, name, new, old)
