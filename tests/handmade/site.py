"""A telephone system as one kind of site has it: its people, lists and listings, and the recordings that its scenarios make."""

import copy
import json
import pathlib

from .asterisk import Asterisk
from .asterisk11 import Asterisk11

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "config" / "demo"
BANNERS = {"11": "1.3", "13": "2.10.0", "20": "9.0.0", "21": "10.0.0", "22": "11.0.0"}
ACTIONS = ("Atxfer BlindTransfer Bridge CancelAtxfer Command ConfbridgeKick CoreShowChannels DBDel DBGet DBGetTree DBPut Events Filter Getvar "
           "Hangup ListCommands Login Logoff MailboxCount Originate Park ParkedCalls Ping PJSIPNotify QueueAdd QueuePause QueuePenalty QueueRemove "
           "QueueStatus Redirect Reload Setvar UserEvent Agents VoicemailUsersList MixMonitor StopMixMonitor").split()
NEW_ACTIONS = ("BridgeList", "BridgeInfo", "ExtensionStateList", "DeviceStateList", "PresenceStateList", "ConfbridgeListRooms")


class Person:
    """Somebody with a telephone. box: the mailbox with its context."""

    def __init__(self, login, number, name, device, box="", agent=""):
        self.login, self.number, self.name, self.device, self.box, self.agent = login, number, name, device, box, agent


class Site:
    """What the kinds of sites have in common; each of them overrides what it has otherwise."""

    name = ""  # of its scenarios: name-queue...
    version = "20"
    tech = "PJSIP"
    context = "from-internal"
    trunk_context = "from-trunk"
    trunk = "PJSIP/operator"
    hint_context = "default"
    queues = {}  # name -> (number, what people call it)
    queue = ""  # the one that scenarios call
    group = ("600", "Everybody")  # a ring group
    park_context = "parkedcalls"
    lot = {"name": "default", "extension": "700", "first": 701, "positions": 8}
    membership = "static"
    settings = {}  # of ctibus.json, by path
    agents = ()  # (number, first name, last name)
    first_states = {}  # device -> state, where it is not idle
    scenarios = {}  # name -> generator function, whose text says what happens

    def __init__(self):
        first, second, third = self.numbers()
        self.alice = self.person("alice", first, "Alice Martin")
        self.bob = self.person("bob", second, "Bob Tremblay")
        self.carole = self.person("carole", third, "Carole Lefèvre")
        self.people = [self.alice, self.bob, self.carole]

    def numbers(self):
        return "1001", "1002", "1003"

    def person(self, login, number, name):
        return Person(login, number, name, f"{self.tech}/{number}", f"{number}@default")

    def outside(self, number):
        """A number outside, rung by way of the trunk."""
        return Person("", number, "", self.trunk)

    # ---- what Asterisk has ----

    def interface(self, person):
        return person.device

    def member_state(self, person):
        return person.device

    def member_name(self, person):
        return person.name

    def in_queue(self):
        """Who are the members of the queue, with their penalties."""
        return [(self.alice, 0), (self.bob, 1)]

    def members(self):
        return [{"queue": self.queue, "interface": self.interface(p), "name": self.member_name(p), "state": self.member_state(p),
                 "membership": self.membership, "penalty": penalty} for p, penalty in self.in_queue()]

    def endpoints(self):
        """Who registers: the people's telephones."""
        return self.people

    def hint_text(self, person):
        return person.device

    def hints(self):
        return [(p.number, self.hint_context, self.hint_text(p)) for p in self.people]

    def devices(self):
        phones = [device for _, _, text in self.hints() for device in text.partition(",")[0].split("&")]
        return [*dict.fromkeys([*(p.device for p in self.people), self.trunk, *phones])]

    def bays(self):
        return [str(self.lot["first"] + i) for i in range(self.lot["positions"])]

    def bay_device(self, space):
        return f"park:{space}@{self.park_context}"

    def mailboxes(self):
        return [p.box for p in self.people if p.box]

    # ---- its lists ----

    def lists(self):
        people = json.loads((DEMO / "users.json").read_text(encoding="utf-8"))
        users = [{**people[0], "id": str(i), "firstname": p.name.split()[0], "lastname": p.name.split()[1], "loginclient": p.login,
                  "passwdclient": p.login, "agentid": p.agent or None, "voicemailid": str(i) if p.box else None}
                 for i, p in enumerate(self.people, 1)]
        phones = [{"id": p.number, "protocol": p.device.partition("/")[0].lower(), "name": p.device.partition("/")[2], "number": p.number,
                   "context": self.context, "iduserfeatures": i, "rules_order": 1} for i, p in enumerate(self.people, 1)]
        queues = [{"id": str(i), "name": name, "number": number, "displayname": shown, "context": self.context}
                  for i, (name, (number, shown)) in enumerate(self.queues.items(), 1)]
        boxes = [{"uniqueid": str(i), "mailbox": p.box.partition("@")[0], "context": p.box.partition("@")[2], "fullname": p.name}
                 for i, p in enumerate(self.people, 1) if p.box]
        return {
            "users": users, "lines": phones, "queues": queues, "voicemails": boxes,
            "groups": [{"id": "1", "name": self.group[1], "number": self.group[0], "context": self.context}],
            "agents": [{"id": str(i), "number": number, "firstname": first, "lastname": last, "context": self.context}
                       for i, (number, first, last) in enumerate(self.agents, 1)],
            "trunks": [{"id": "1", "protocol": self.trunk.partition("/")[0].lower(), "name": self.trunk.partition("/")[2],
                        "context": self.trunk_context, "host": "dynamic", "type": "friend"}],
            "parkinglots": [{"id": "1", "name": self.lot["name"], "extension": self.lot["extension"], "context": self.park_context,
                             "positions": self.lot["positions"], "duration": 45, "description": "The parking lot"}],
            "meetmes": [], "incalls": [], "contexts": [{"context": {"name": self.context, "displayname": "Internal"}, "contextnumbers": {},
                                                        "contexttype": {"name": "internal"}, "deletable": False}]}

    def configuration(self):
        tree = copy.deepcopy(json.loads((DEMO / "ctibus.json").read_text(encoding="utf-8")))
        tree["contexts"] = {self.context: tree["contexts"]["default"]}
        tree["ctibus"].setdefault("cti", {})["websocket"] = "127.0.0.1:5080"
        for path, value in self.settings.items():
            at = tree
            *outer, last = path.split(".")
            for key in outer:
                at = at.setdefault(key, {})
            at[last] = value
        return tree

    def write_lists(self, folder):
        for name, content in self.lists().items():
            (folder / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (folder / "ctibus.json").write_text(json.dumps(self.configuration(), indent=1) + "\n", encoding="utf-8")
        (folder / "contacts.csv").write_text((DEMO / "contacts.csv").read_text(encoding="utf-8"), encoding="utf-8")

    # ---- what it answers at a login; `a` is its Asterisk at that moment ----

    def _list(self, start, items, end, always=True):
        """Response, items, end of a listing; before 12 several have no end that counts."""
        head = ["Response: Success", *(["EventList: start"] if always else []), f"Message: {start} will follow"]
        blocks = [[f"Event: {event}", *(f"{name}: {value}" for name, value in headers)] for event, headers in items]
        return [head, *blocks, [f"Event: {end}", "EventList: Complete", f"ListItems: {len(items)}"]]

    def _queue_status(self, a):
        items = []
        for name in self.queues:
            items.append(("QueueParams", [("Queue", name), ("Max", 0), ("Strategy", "ringall"), ("Calls", len(a.queues[name])), ("Holdtime", 0),
                                          ("TalkTime", 0), ("Completed", 0), ("Abandoned", 0), ("ServiceLevel", 0), ("ServicelevelPerf", "0.0"),
                                          ("Weight", 0)]))
            names = {"MemberName": "Name", "Interface": "Location"}
            items += [("QueueMember", [(names.get(h, h), v) for h, v in m.headers() if h != "Ringinuse"]) for m in a.members if m.queue == name]
            items += [("QueueEntry", [("Queue", name), ("Position", i), ("Channel", c.name), ("Uniqueid", c.uniqueid), ("CallerIDNum", c.number),
                                      ("CallerIDName", c.person), ("ConnectedLineNum", "unknown"), ("ConnectedLineName", "unknown"), ("Wait", 30)])
                      for i, c in enumerate(a.queues[name], 1)]
        return items

    def _peers(self):
        if self.tech == "PJSIP":
            return "PJSIPShowEndpoints", self._list("Endpoints", [("EndpointList", [
                ("ObjectType", "endpoint"), ("ObjectName", p.device.partition("/")[2]), ("Transport", "udp"), ("Aor", p.number), ("Auths", ""),
                ("OutboundAuths", ""), ("Contacts", f"{p.number}/sip:{p.number}@192.0.2.{i}:5060,"), ("DeviceState", "Not in use"),
                ("ActiveChannels", 0)]) for i, p in enumerate(self.endpoints(), 11)], "EndpointListComplete")
        return "SIPpeers", self._list("Peer status list", [("PeerEntry", [
            ("Channeltype", "SIP"), ("ObjectName", p.number), ("ChanObjectType", "peer"), ("IPaddress", f"192.0.2.{i}"), ("IPport", 5060),
            ("Dynamic", "yes"), ("Status", "OK (5 ms)")]) for i, p in enumerate(self.people, 11)], "PeerlistComplete")

    def listings(self, a):
        """(action, blocks of its answer) in the order in which they are asked; a block is a list of lines."""
        old = self.version == "11"
        peers, listed = self._peers()
        actions = [*ACTIONS, peers, *(() if old else NEW_ACTIONS)]
        yield "ListCommands", [["Response: Success", *(f"{name}: (Priv: <none>)" for name in sorted(actions))]]
        if not old:
            yield "BridgeList", self._list("Bridge listing", [("BridgeListItem", b.headers()) for b in a.bridges()], "BridgeListComplete")
        yield "CoreShowChannels", self._list("Channels", [("CoreShowChannel", a.listed(c)) for c in a.channels], "CoreShowChannelsComplete")
        if not old:
            yield "ExtensionStateList", self._list("Extension Statuses", [("ExtensionStatus", a.of_hint(h)) for h in a.hints],
                                                   "ExtensionStateListComplete")
            yield "DeviceStateList", self._list("Device State Changes", [
                ("DeviceStateChange", [("Device", d), ("State", state)]) for d, state in a.devices.items()], "DeviceStateListComplete")
        yield peers, listed
        yield "QueueStatus", self._list("Queue status", self._queue_status(a), "QueueStatusComplete", not old)
        yield "Agents", self._list("Agents", [
            ("Agents", [("Agent", n), ("Name", f"{first} {last}"), ("Status", "AGENT_LOGGEDOFF")]) for n, first, last in self.own_agents()],
                                   "AgentsComplete", not old)
        yield "ParkedCalls", self._list("Parked calls", [("ParkedCall", a.of_parked("ParkedCall", bay)) for bay in a.parked],
                                        "ParkedCallsComplete", not old)
        yield "VoicemailUsersList", self._list("Voicemail user list", [
            ("VoicemailUserEntry", [("VMContext", box.partition("@")[2]), ("VoiceMailbox", box.partition("@")[0]),
                                    ("Fullname", next((p.name for p in self.people if p.box == box), "")), ("NewMessageCount", new),
                                    ("OldMessageCount", heard)]) for box, (new, heard) in a.boxes.items()], "VoicemailUserEntryComplete", not old)

    def own_agents(self):
        """Agents of app_agent_pool or chan_agent; () where agents are members of queues."""
        return ()


class Recorded:
    """The bytes of a scenario, and where its points are."""

    def __init__(self, site, name):
        self.site, self.name = site, name
        happens = site.scenarios[name]
        self.text = " ".join(happens.__doc__.split())
        asterisk = (Asterisk11 if site.version == "11" else Asterisk)(site)
        asterisk.wait(1)
        self.points = []  # (name, offset)
        self.listings = []  # at each of them: action -> blocks of its answer
        self.hints = []  # at each of them: extension -> headers of ExtensionState
        self.login = self._login(asterisk)
        self.received, self.sent = self.login
        for point in happens(asterisk):
            self.points.append((point, len(self.received) + len(asterisk.out)))
            self.listings.append(dict(site.listings(asterisk)))
            self.hints.append({hint.exten: asterisk.of_hint(hint) for hint in asterisk.hints})
            asterisk.wait(2)
        self.times = [(len(self.received), 0.0), *((len(self.received) + end, at) for end, at in asterisk.times)]
        self.received = self.received + bytes(asterisk.out)

    def _login(self, asterisk):
        received = bytearray(f"Asterisk Call Manager/{BANNERS[self.site.version]}\r\n".encode())
        sent = bytearray()
        actions = [("Login", [["Response: Success", "Message: Authentication accepted"]]), *self.site.listings(asterisk)]
        for i, (action, blocks) in enumerate(actions, 1):
            extra = ["Username: ctibus", "Secret: secret", "Events: on"] if action == "Login" else []
            sent += "\r\n".join([f"Action: {action}", f"ActionID: s-{i:04}", *extra]).encode() + b"\r\n\r\n"
            for first, *rest in blocks:
                received += "\r\n".join([first, f"ActionID: s-{i:04}", *rest]).encode() + b"\r\n\r\n"
            if action == "Login":
                received += b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"
        return bytes(received), bytes(sent)

    def write(self, folder):
        """The recording, its login and the lists of the site; the path of the recording."""
        folder = pathlib.Path(folder)
        login, sent = self.login
        path = folder / f"{self.name}.ami"
        for stem, data in ((self.name, self.received), ("01-login-listing", login)):
            (folder / f"{stem}.ami").write_bytes(data)
            (folder / f"{stem}.sent").write_bytes(sent)
        start, lines = 0, []
        for end, at in self.times:
            lines.append(json.dumps({"t": round(at, 3), "dir": "recv", "off": start, "len": end - start}))
            start = end
        path.with_suffix(".timeline.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.site.write_lists(folder)
        return path
