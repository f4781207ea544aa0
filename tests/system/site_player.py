"""Scenarios of sites, made by hand (tests/handmade), before a client: what it is shown at each of their points."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import socket
import sys

from recording import END, Player, Recording
from stack import ROOT, Stack, until

sys.path.insert(0, str(ROOT / "tests"))

from handmade.catalog import SITES, recorded  # noqa: E402  pylint: disable=wrong-import-position

GOLDEN = ROOT / "tests" / "data" / "golden" / "sites"
LISTS = ("users", "phones", "agents", "queues", "groups", "voicemails", "trunks", "parkinglots", "queuemembers")
MARK = "999999"  # a phone whose lamp says that all before it was told
# when and by whom: different at each run, or told elsewhere
LEFT_OUT = {"timestamp", "availability_since", "waiting_since", "paused_since", "login_time", "lastcall", "parktime", "uniqueid", "linkedid",
            "relations", "history", "thisdisplay", "peerdisplay", "callerid_num", "callerid_name", "since", "answered_at", "extra"}


class Marked(Player):
    """The Asterisk of a site; between the points of a scenario it changes a lamp."""

    def __init__(self, site, recording, port):
        super().__init__(recording, port)
        self.site = site
        self.hints = {exten: [("Exten", exten), ("Context", context), ("Hint", hint), ("Status", 0)] for exten, context, hint in site.hints()}
        self.marks = self.restarts = 0

    def _answer(self, action):
        """Before 12 hints are asked for one by one."""
        if action.get("Action") == "ExtensionState":
            exten = action.get("Exten", "")
            known = self.hints.get(exten, [("Exten", exten), ("Context", action.get("Context", "")), ("Hint", ""), ("Status", -1)])
            lines = ["Response: Success", f"ActionID: {action.get('ActionID', '')}", "Message: Extension Status", *(f"{n}: {v}" for n, v in known)]
            return "\r\n".join(lines).encode() + END
        return super()._answer(action)

    def restart(self, listings, hints):
        """All connections end; who logs in again is listed this: action -> blocks, each a list of lines; hints: what single ones are."""
        self.restarts += 1
        with self.lock:
            self.hints = hints
            self.recording.answers = {(action, ""): [("\r\n".join([first, "ActionID: -", *rest])).encode() + END for first, *rest in blocks]
                                      for action, blocks in listings.items()}
            gone, self.clients = self.clients, []
            self.played_before, self.played = self.played, 0
        for client in gone:
            client.shutdown(socket.SHUT_RDWR)

    def mark(self):
        """What the lamp is now: something else than before, and than idle or unknown, which a new login may make of it."""
        self.marks += 1
        status = (1, 8, 16)[self.marks % 3]
        with self.lock:
            for client in self.clients:
                client.sendall(f"Event: ExtensionStatus\r\nPrivilege: call,all\r\nExten: {MARK}\r\nContext: {self.site.context}\r\n"
                               f"Hint: SCCP/marker\r\nStatus: {status}".encode() + END)
        return str(status)


class SiteStack(Stack):
    """The shipped programs with the lists of a site, before its Asterisk, which has not begun to play."""

    def __init__(self, site):
        self.scenario = recorded(f"{site}-{next(iter(SITES[site].scenarios))}")  # any: all of a site have the same listings
        super().__init__(parts=())
        self.player = Marked(self.scenario.site, Recording(self.recording), self.ports["ami"])
        for part in ("state", "ami-gw", "cti-gw"):
            self.start(part)
        self.wait_ready()

    def _write(self, users, lines, extra):
        self.site = self.path("site")
        self.site.mkdir()
        self.recording = self.scenario.write(self.site)
        super()._write(users, lines, extra)
        phones = json.loads(self.path("lines.json").read_text(encoding="utf-8"))
        phones.append({**phones[0], "id": MARK, "protocol": "sccp", "name": "marker", "number": MARK, "iduserfeatures": None})
        self.path("lines.json").write_text(json.dumps(phones), encoding="utf-8")

    def load(self, scenario):
        """What is played next."""
        self.player.recording = Recording(scenario.write(self.site))

    def __exit__(self, *failure):
        self.player.close()
        super().__exit__(*failure)


class Spares:
    """The next stack of a site is started, and the one before stopped, while one is in use: state needs a second until it serves."""

    def __init__(self):
        self.threads = concurrent.futures.ThreadPoolExecutor(4)
        self.spare = {}
        self.stopping = []

    def take(self, site):
        """A stack that is ready."""
        ready = self.spare.pop(site, None) or self.threads.submit(SiteStack, site)
        self.spare[site] = self.threads.submit(SiteStack, site)
        return ready.result()

    def give_back(self, stack):
        """One that is no longer needed; whether it stopped cleanly is seen at the end."""
        self.stopping.append(self.threads.submit(stack.__exit__, None, None, None))

    def close(self):
        for spare in self.spare.values():
            self.give_back(spare.result())
        for stopped in self.stopping:
            stopped.result()
        self.threads.shutdown()


class Seen:
    """The scenario as Alice's client is shown it, point by point."""

    def __init__(self, stack, player, scenario):
        self.stack, self.player, self.scenario = stack, player, scenario
        self.site = scenario.site
        self.points = list(scenario.points)
        self.client = stack.client("alice", accepts=["calls"])
        for name in LISTS:
            for i in self.client.ask("getlist", function="listid", listname=name, tipbxid="xivo")["list"]:
                for function in ("updateconfig", "updatestatus"):
                    self.client.ask("getlist", function=function, listname=name, tipbxid="xivo", tid=i)
        self.lines = []
        self._read_to_mark()
        self.client.seen.clear()

    def _read_to_mark(self):
        wanted = self.player.mark()
        self.client.wait(lambda: self.client.status("phones", MARK).get("hintstatus") == wanted, "everything is told")

    def to(self, point):
        """Plays up to this point, which is the next one."""
        name, offset = self.points.pop(0)
        assert name == point
        self.player.play(offset)
        self._read_to_mark()
        self.lines.append(f"== {point}")
        for message in self.client.seen:
            self.lines.extend(told(message))
        self.client.seen.clear()
        for added in [m for m in self._ids("queuemembers") if "queue_name" not in self.client.status("queuemembers", m)]:
            self.client.ask("getlist", function="updateconfig", listname="queuemembers", tipbxid="xivo", tid=added)

    def reconnects(self):
        """The gateway loses its Asterisk and logs in again: what it is listed is what has been played."""
        gateway = self.stack.programs["ami-gw"]
        at = len(self.scenario.points) - len(self.points) - 1
        self.player.restart(self.scenario.listings[at], self.scenario.hints[at])
        until(lambda: gateway.count("resync of xivo: complete") > self.player.restarts, "logged in again")
        self.player.played = self.player.played_before
        self._read_to_mark()
        self.client.seen.clear()

    def _ids(self, name):
        return self.client.ask("getlist", function="listid", listname=name, tipbxid="xivo")["list"]

    # ---- what is shown ----

    def phone(self, person):
        return self.client.status("phones", person.number)

    def lamp(self, person):
        return self.phone(person)["hintstatus"]

    def lamps(self):
        return [self.lamp(p) for p in self.site.people]

    def legs(self, person):
        return [self.client.status("channels", c) for c in self.phone(person)["channels"]]

    def shown(self, person, *states):
        """(number, name, queue) of the other end of the person's only call, which must be in one of these states."""
        (leg,) = self.legs(person)
        assert leg["commstatus"] in states, leg
        return leg["peer_number"], leg["peer_name"], leg["queue"]

    def rung_by(self, person):
        return self.shown(person, "ringing")

    def talks_to(self, person):
        shown = self.shown(person, "linked-caller", "linked-called")
        (leg,) = self.legs(person)
        assert leg["state"] == "Up" and not leg["holded"] and not leg["parked"]
        return shown

    def outside(self, *states):
        """The same of the trunk's only call, the customer's."""
        legs = [self.client.status("channels", c) for c in self.client.status("trunks", "1")["channels"]]
        (leg,) = legs
        assert not states or leg["commstatus"] in states, leg
        return leg["peer_number"], leg["peer_name"], leg["queue"]

    def calls(self):
        """How many channels people have, and the trunk."""
        return sum(len(self.phone(p)["channels"]) for p in self.site.people) + len(self.client.status("trunks", "1")["channels"])

    def _numbered(self, queue):
        return next(fields for (name, _), fields in self.client.view.items()
                    if name in ("queues", "groups") and fields.get("name") == queue)

    def waiting(self, queue=None):
        return len(self._numbered(queue or self.site.queue)["incalls"])

    def phones_of(self, queue=None):
        return self._numbered(queue or self.site.queue)["phonemembers"]

    def agents_of(self, queue=None):
        return self._numbered(queue or self.site.queue)["agentmembers"]

    def member(self, person, queue=None):
        """(status, paused, reason) of the person's membership."""
        return self.membership(self.site.interface(person), queue or self.site.queue)

    def membership(self, interface, queue):
        found = [m for (name, _), m in self.client.view.items() if name == "queuemembers" and m.get("queue_name") == queue]
        names = {interface, *[f"Agent/{p.agent_number}" for p in self.site.people
                              if getattr(p, "agent_number", "") and self.site.interface(p) == interface]}
        (member,) = [m for m in found if m["interface"] in names]
        return member["status"], member["paused"], member["reason"] or ""

    def box(self, person):
        (box,) = [b for (name, _), b in self.client.view.items() if name == "voicemails" and b.get("mailbox") == person.box.partition("@")[0]]
        return box["new"], box["old"], box["waiting"]

    def bay(self, space):
        return self.client.status("parkinglots", "1").get(space) or {}

    def agent(self, number):
        (agent,) = [a for (name, _), a in self.client.view.items() if name == "agents" and a.get("number") == number]
        return agent["status"], agent["availability"], agent["phonenumber"]

    def history(self, person):
        """(direction, number, queue, who answered instead) of each of the person's calls."""
        client = self.client if person.login == "alice" else self.stack.client(person.login)
        calls = client.ask("history", limit=50)["calls"]
        if client is not self.client:
            client.close()
        return [(c["direction"], c["number"] or c["name"], c["queue"] or "", c["answered_by"] if c["elsewhere"] else "") for c in reversed(calls)]

    def is_over(self):
        """Everything is idle again."""
        assert not self.points
        assert self.calls() == 0 and self.lamps() == ["0", "0", "0"]
        assert all(not fields["incalls"] for (name, _), fields in self.client.view.items() if name in ("queues", "groups"))
        assert not self.stack.snapshot("channels") and not self.stack.snapshot("calls")
        # the passwords of a trial are the logins, which is told
        gateway = self.stack.programs["ami-gw"]
        assert gateway.count("Asterisk takes no filter") == gateway.count("logged in to")  # each of them was refused
        assert not [x for x in self.stack.programs["state"].lines if (" error " in x or " warning " in x) and "password" not in x]

    def golden(self):
        """Compares with what was read once; UPDATE_GOLDEN=1 writes it anew."""
        path = GOLDEN / f"{self.site.name}-{self.scenario.name}.txt"
        text = f"# {self.scenario.text}\n" + "\n".join(self.lines) + "\n"
        if os.environ.get("UPDATE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        want = pathlib.Path(path).read_text(encoding="utf-8")
        assert text == want, f"{path} has other lines: read both, and write it anew with UPDATE_GOLDEN=1 if the new ones are right"


def plain(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} {plain(v)}" for k, v in value.items() if k not in LEFT_OUT) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    return {None: "-", True: "yes", False: "no"}.get(value, str(value)) if not isinstance(value, int) or isinstance(value, bool) else str(value)


def told(message):
    """The lines of one message, without what is different at each run."""
    name, function = message["listname"], message["function"]
    if function in ("addconfig", "delconfig"):
        if not message["list"][0].startswith("Local/") or name != "channels":
            yield from (f"{name} {i} {'is there' if function == 'addconfig' else 'is gone'}" for i in message["list"])
        return
    if message["tid"] == MARK:
        return
    values = message.get("status", message.get("config", {}))
    first = "meetme_ismeetme" in values or "answered_at" in values and "caller_name" in values  # all fields: what is not so is left out
    if name == "channels" and message["tid"].startswith("Local/"):
        return  # clients know them, and show none
    fields = [f"{field} {plain(value)}" for field, value in values.items() if field not in LEFT_OUT and not (first and value in (None, False, []))]
    if fields:
        yield f"{name} {message['tid']}: {', '.join(fields)}"


@contextlib.contextmanager
def playing(spares, name, golden=True):
    """The scenario of that name, which must be seen to its end, and (golden) be as it was read once."""
    scenario = recorded(name)
    site = scenario.site.name
    with contextlib.ExitStack() as at_failure:
        stack = at_failure.enter_context(spares.take(site))
        stack.load(scenario)
        seen = Seen(stack, stack.player, scenario)
        yield seen
        seen.is_over()
        if golden:
            seen.golden()
        at_failure.pop_all()
        spares.give_back(stack)
