"""What an Asterisk is made of: channels, members of queues, hints, bridges."""


EPOCH = 1790000000
STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
CAUSES = {0: "Unknown", 16: "Normal Clearing", 17: "User busy", 19: "User alerting, no answer", 26: "Answered elsewhere",
          127: "Interworking, unspecified"}
# which of several device states counts for a hint (highest), besides: one rings and one is in use
ORDER = ("INVALID", "UNKNOWN", "UNAVAILABLE", "NOT_INUSE", "ONHOLD", "RINGING", "INUSE", "BUSY", "RINGINUSE")
HINTS = {"UNKNOWN": (0, "Idle"), "NOT_INUSE": (0, "Idle"), "INUSE": (1, "InUse"), "BUSY": (2, "Busy"), "UNAVAILABLE": (4, "Unavailable"),
         "INVALID": (4, "Unavailable"), "RINGING": (8, "Ringing"), "RINGINUSE": (9, "InUse&Ringing"), "ONHOLD": (16, "Hold")}
MEMBERS = {"UNKNOWN": 0, "NOT_INUSE": 1, "INUSE": 2, "BUSY": 3, "INVALID": 4, "UNAVAILABLE": 5, "RINGING": 6, "RINGINUSE": 7, "ONHOLD": 8}
SILENT = 0.05  # seconds between two events


def none(text):
    return text or "<unknown>"


class Channel:
    """A channel, and in which dials, bridge and queue it is."""

    def __init__(self, name, uniqueid, **fields):
        self.name, self.uniqueid, self.linkedid = name, uniqueid, uniqueid
        self.state, self.number, self.person = 0, "", ""
        self.connected = ("", "")
        self.context, self.exten = "", "s"
        self.device = name.rpartition("-")[0]
        self.by = None  # who dialled it
        self.dials = []  # the endpoints that it dials
        self.half = None  # of a Local channel
        self.bridge = None
        self.queue = None  # it waits there
        self.member = None  # that a queue rings by way of it
        self.served = None  # the member's channel, of a caller who was answered
        self.holding = False
        self.__dict__.update(fields)

    def headers(self, prefix=""):
        number, person = self.connected
        return [(prefix + name, value) for name, value in (
            ("Channel", self.name), ("ChannelState", self.state), ("ChannelStateDesc", STATES[self.state]),
            ("CallerIDNum", none(self.number)), ("CallerIDName", none(self.person)), ("ConnectedLineNum", none(number)),
            ("ConnectedLineName", none(person)), ("Language", "en"), ("AccountCode", ""), ("Context", self.context),
            ("Exten", self.exten), ("Priority", 1), ("Uniqueid", self.uniqueid), ("Linkedid", self.linkedid))]


class Member:
    """A member of a queue, with the device or hint that it goes by."""

    def __init__(self, queue, interface, name, state=None, membership="static", penalty=0):
        self.queue, self.interface, self.name, self.state = queue, interface, name, state or interface
        self.membership, self.penalty, self.paused, self.reason = membership, penalty, 0, ""
        self.calls, self.last, self.in_call, self.pause_time = 0, 0, 0, 0
        self.status = 1

    def headers(self):
        return [("Queue", self.queue), ("MemberName", self.name), ("Interface", self.interface), ("StateInterface", self.state),
                ("Membership", self.membership), ("Penalty", self.penalty), ("CallsTaken", self.calls), ("LastCall", self.last),
                ("LastPause", self.pause_time), ("LoginTime", EPOCH - 600), ("InCall", self.in_call), ("Status", self.status),
                ("Paused", self.paused), ("PausedReason", self.reason), ("Ringinuse", 0), ("Wrapuptime", 0)]


class Hint:
    def __init__(self, exten, context, text):
        self.exten, self.context, self.text = exten, context, text
        devices, _, self.presentity = text.partition(",")
        self.devices = devices.split("&")
        self.state = "NOT_INUSE"


class Bridge:
    def __init__(self, number, kind="basic", creator=""):
        self.uniqueid, self.kind, self.creator = f"{number:08x}-0000-4000-8000-000000000000", kind, creator
        self.channels = []

    def headers(self):
        technology = {"parking": "holding_bridge", "holding": "holding_bridge"}.get(self.kind, "simple_bridge")
        return [("BridgeUniqueid", self.uniqueid), ("BridgeType", self.kind), ("BridgeTechnology", technology),
                ("BridgeCreator", self.creator or "<unknown>"), ("BridgeName", "<unknown>"), ("BridgeNumChannels", len(self.channels)),
                ("BridgeVideoSourceMode", "none")]
