"""Recordings of a real Asterisk 23: at each point at which its CLI was asked, ctibus shows what the CLI said."""

import contextlib
import functools

import pytest
from recording import Player, Recording, truth, write_lists
from stack import DATA, Stack, until

FOLDER = DATA / "23"
POINTS = truth(FOLDER / "TRUTH.md")
HINTS = {"Idle": "0", "InUse": "1", "Busy": "2", "Unavailable": "4", "Ringing": "8", "InUse&Ringing": "9", "Hold": "16"}
MEMBERS = {"Not in use": "1", "In use": "2", "in use": "2", "Busy": "3", "Invalid": "4", "Unavailable": "5", "Ringing": "6",
           "Ring+Inuse": "7", "On Hold": "8", "Unknown": "0"}
# FreePBX keeps the hints of its extensions in a context of their own
HINT_CONTEXT = {"from-internal": "ext-local"}
SILENT = ("CBAnn/", "CBRec/")  # channels of Asterisk's own, which nobody is to see
# points at which the CLI was asked while the call went on: it names a channel or a bridge of events behind the offset
MOVING = {"24-originate.ami@26355 alice rings", "24-originate.ami@268956 not Async"}


@contextlib.contextmanager
def playing(file):
    recording = Recording(FOLDER / file)
    with Stack(parts=()) as stack:
        write_lists(stack.path("."), stack.site)
        player = Player(recording, stack.ports["ami"])
        try:
            for part in ("state", "ami-gw", "cti-gw"):
                stack.start(part)
            stack.wait_ready()
            yield stack, player
        finally:
            player.close()


def neighbours(point):
    """channel -> the other one of its bridge, where two are in one that is no room."""
    bridges = {}
    for name, bridge in point.channels.items():
        bridges.setdefault(bridge, []).append(name)
    rooms = {c for many in point.rooms.values() for c in many}
    parked = set((point.parked or {}).values())
    return {one: [other for other in many if other != one][0] for bridge, many in bridges.items() for one in many
            if bridge and len(many) == 2 and not (rooms | parked | set(filter(is_silent, many))).intersection(many)}


def is_silent(channel):
    return channel.startswith(SILENT)


def behind(channel, talks):
    """The far end of a chain of Local channels that begins with this one; None: there is none."""
    while channel and channel.startswith("Local/"):
        channel = talks.get(channel[:-1] + ("2" if channel.endswith("1") else "1"))
    return channel


def of_channels(point, lists):
    """What is wrong with calls."""
    channels = {c["id"]: c for c in lists["channels"]}
    there = {c for c in point.channels if not is_silent(c)}
    if set(channels) != there:
        return [("channels", sorted(set(channels) - there), "too many,", sorted(there - set(channels)), "too few")]
    wrong = []
    talks = neighbours(point)
    for one in there:
        other = talks.get(one)
        shown = channels[one]["talkingto_id"]
        if other and (shown != other or (channels[one]["state"] != "Up" and not one.startswith("Local/"))):
            wrong.append((one, "talks to", shown, "not", other))
        if not other and point.channels[one] is None and shown in channels and channels[one]["state"] == "Up" == channels[shown]["state"]:
            wrong.append((one, "is in no bridge, but talks to", shown))
        far = behind(other, talks)
        if far and far != other and channels[one]["peer_number"] != point.numbers[far]:
            wrong.append((one, "talks at the far end to", channels[one]["peer_number"], "not", point.numbers[far]))
    return wrong


def of_phones(point, lists):
    wrong = []
    for phone in lists["phones"]:
        if (phone["context"], phone["number"]) == ("default", "1003"):
            continue  # has no hint there
        key = f"{phone['number']}@{HINT_CONTEXT.get(phone['context'], phone['context'])}"
        idle = "Unavailable" if phone["name"] in ("dave", "frank") and "17" not in point.file else "Idle"
        state, _, presence = point.hints.get(key, idle).partition("/")
        if (phone["presence"] or "available") != (presence or "available"):
            wrong.append((key, phone["presence"], "not", presence))
        if phone["name"] != "frank" and phone["hintstatus"] != HINTS[state]:
            wrong.append((key, phone["hintstatus"], "not", state))
    return wrong


def of_queues(point, lists):
    wrong = []
    by_name = {q["name"]: q for q in lists["queues"]}
    for name, queue in point.queues.items():
        shown = {m["location"]: m for m in lists["queuemembers"] if m["queue_name"] == name}
        if set(shown) != set(queue["members"]):
            wrong.append((name, "members", sorted(set(shown) ^ set(queue["members"]))))
            continue
        for location, member in queue["members"].items():
            is_so = (shown[location]["status"], shown[location]["paused"] not in ("0", False, None),
                     shown[location]["reason"] or "" if member["paused"] else "", str(shown[location]["penalty"]),
                     shown[location]["membership"] == "dynamic")
            should = (MEMBERS[member["status"]], member["paused"], member["reason"], member["penalty"], member["dynamic"])
            if is_so != should:
                wrong.append((name, location, is_so, "not", should))
        if name in by_name and by_name[name]["Xivo-WaitingCalls"] != len(queue["waiting"]):
            wrong.append((name, "waiting", by_name[name]["Xivo-WaitingCalls"], "not", len(queue["waiting"])))
    return wrong


def of_agents(point, lists):
    wrong = []
    members = {location for q in point.queues.values() for location in q["members"] if location.startswith("Local/id-")}
    for agent in lists["agents"]:
        if "14-agent-membership" in point.file and point.queues:
            logged_in = f"Local/id-{agent['number']}@agentcallback" in members
            if logged_in == (agent["availability"] == "logged_out"):
                wrong.append(("agent", agent["number"], agent["availability"]))
        if point.agents.get(agent["number"]) == "UNAVAILABLE" and agent["availability"] != "logged_out":
            wrong.append(("agent", agent["number"], agent["availability"]))
    return wrong


def of_services(point, lists):
    """Parking, rooms, recordings, contacts."""
    wrong = []
    channels = {c["id"]: c for c in lists["channels"]}
    if point.parked is not None:
        parked = {c["id"] for c in channels.values() if c["parked"]}
        if parked != set(point.parked.values()):
            wrong.append(("parked", parked, "not", set(point.parked.values())))
    for room in lists["meetmes"]:
        if room["confno"] in point.rooms:
            inside = set(room["channels"])
            inside = {c.removeprefix("xivo/") for c in inside}
            if inside != set(point.rooms[room["confno"]]):
                wrong.append(("room", room["confno"], inside, "not", point.rooms[room["confno"]]))
    # no listing tells of recordings: what was recorded before the login is not known
    if point.channels is not None and point.file.startswith(("10-", "23-", "33-midcall-login.ami")):
        recorded = {c["id"]: c["recordings"] for c in channels.values() if c["monitored"]}
        if recorded != (point.recorded or {}):
            wrong.append(("recorded", recorded, "not", point.recorded))
    for phone in lists["phones"]:
        if phone["name"] in point.unavailable and phone["reg"].startswith("Reachable"):
            wrong.append((phone["name"], "is", phone["reg"]))
        if point.contacts and phone["name"] == "dave" and "Avail" in point.contacts.values() \
                and not phone["reg"].startswith("Reachable"):
            wrong.append((phone["name"], "is", phone["reg"]))
    return wrong


def differences(stack, point):
    lists = {name: stack.snapshot(name) for name in ("channels", "phones", "queues", "queuemembers", "agents", "meetmes")}
    wrong = of_queues(point, lists) + of_agents(point, lists) + of_services(point, lists)
    if point.channels is not None and str(point) not in MOVING:
        wrong += of_channels(point, lists)
    if point.hints is not None:
        wrong += of_phones(point, lists)
    return wrong


@pytest.mark.parametrize("file", POINTS)
def test_as_the_cli_said(file):
    with playing(file) as (stack, player):
        for point in POINTS[file]:
            player.play(point.offset)
            wrong = []
            until(lambda point=point, wrong=wrong: not wrong.clear() and not wrong.extend(differences(stack, point)) and not wrong,
                  functools.partial("{0}: {1}".format, point, wrong), 8)


def test_who_waits_while_a_third_one_is_asked():
    """Bob transfers Alice to Carole: as long as he asks, Alice is on hold, and he is in a call."""
    with playing("08-atxfer-ami.ami") as (stack, player):
        player.play(97460)

        def seen():
            return {c["id"].split("-")[0]: (c["holded"], c["peerdisplay"]) for c in stack.snapshot("channels")
                    if c["id"].startswith("PJSIP/")}

        until(lambda: seen() == {"PJSIP/alice": (True, "Bob Tremblay (1002)"), "PJSIP/bob": (False, "Carole Lefèvre (1003)"),
                                 "PJSIP/carol": (False, "Bob Tremblay (1002)")}, seen, 8)
        player.play(129857)
        until(lambda: seen() == {"PJSIP/alice": (False, "Carole Lefèvre (1003)"),
                                 "PJSIP/carol": (False, "Alice Martin (1001)")}, seen, 8)


@pytest.mark.parametrize("mapped", [False, True])
def test_lists_that_say_sip_after_a_migration(mapped):
    """Asterisk speaks PJSIP: it is told once after each resync, or the phones are those."""
    recording = Recording(FOLDER / "02-call-answered.ami")
    with Stack(parts=(), config={"ctibus.ipbx.sip_is_pjsip": mapped}) as stack:
        player = Player(recording, stack.ports["ami"])
        with contextlib.closing(player):
            for part in ("state", "ami-gw"):
                stack.start(part)
            stack.wait_ready()
            player.play(51695)
            until(lambda: any(c["state"] == "Up" for c in stack.snapshot("channels")), "a call")
            bob = next(p for p in stack.snapshot("phones") if p["name"] == "bob")
            assert bob["channels"] == (["PJSIP/bob-00000001"] if mapped else [])
            assert stack.metric("state", r'ctibus_state_phones_unknown\{ipbx="xivo"\}') == (0 if mapped else 5)
            told = ("xivo: 5 phones of the lists are unknown to this Asterisk, such as SIP/alice; 5 of them are PJSIP "
                    "endpoints there: write the protocol pjsip into the lists, or set ctibus.ipbx.sip_is_pjsip")
            assert stack.programs["state"].count(told) == (0 if mapped else 1)
