"""A made-up CRM: it is told of calls by webhook and by events, opens the contact, dials, transfers, reads the history; and
goes through the death of http-gw, of state, of itself and of the network in between."""

import collections
import http.client
import json
import subprocess
import threading
import time
import uuid

import pytest

from api import Api, Listener, answered, make_token
from receiver import Receiver, Relay
from stack import BIN, TIMEOUT, Stack, free_port, until

PARTS = ("sim", "state", "ami-gw", "http-gw")
WHOLE = ["call.started", "call.ringing", "call.answered", "call.ended"]
CONTACTS = {"1001": "Alice of the front desk", "1002": "Bob of the workshop", "1003": "Carol of sales"}


class Crm:
    """All that it knows is from the API: two relays stand between, which a test cuts."""

    def __init__(self, stack, api_port, token, webhook_port):
        self.stack, self.token = stack, token
        self.to_api = Relay(api_port)
        self.webhook_port = webhook_port
        self.receiver = None
        self.told = collections.OrderedDict()  # of webhooks, by id: what comes twice counts once
        self.twice = 0
        self.opened = []  # contacts, of calls that ring
        self.events = []  # of the stream
        self.snapshots = 0
        self.last = None
        self.stop = threading.Event()
        self.live = threading.Event()
        self.up()
        threading.Thread(target=self._follow, daemon=True).start()

    def up(self):
        self.receiver = Receiver(self.webhook_port, self._on_post)

    def down(self):
        self.receiver.close()

    def _on_post(self, post):
        event = json.loads(post.body)
        if event["id"] in self.told:
            self.twice += 1
        else:
            self.told[event["id"]] = event
            if event["event"] == "call.ringing":
                self.opened.append(CONTACTS.get(event["call"]["caller_number"]))
        return 204

    def _follow(self):
        """Resumes by id, whenever the stream ends."""
        while not self.stop.is_set():
            try:
                listener = Listener(self.to_api.port, self.token, last=self.last, events="call.*", lists="calls")
            except (OSError, http.client.HTTPException):
                self.stop.wait(0.1)
                continue
            if listener.status != 200:
                listener.close()
                self.stop.wait(0.1)
                continue
            self.live.set()
            while not self.stop.is_set():
                event = listener.queue.get()
                if event is None:
                    break
                self.last = event.id or self.last
                self.snapshots += event.name == "snapshot"
                if event.name.startswith("call."):
                    self.events.append(event)
            self.live.clear()
            listener.close()
            self.stop.wait(0.1)

    def api(self):
        return Api(self.to_api.port, self.token)

    def do(self, method, path, body=None):
        """Again and again with one key until there is an answer: it is done once."""
        key = uuid.uuid4().hex

        def once():
            api = self.api()
            try:
                answer = api.ask(method, path, body, {"Idempotency-Key": key} if method == "POST" else None)
                return None if answer.status in (429, 502, 503, 504) else answer
            except (OSError, http.client.HTTPException):
                return None
            finally:
                api.close()
        return until(once, f"{method} {path}", 40)

    def dial(self, to):
        """A call that is answered; its id."""
        autocall = self.do("POST", "/v1/calls", {"to": to}).json["autocall"]

        def is_up():
            return answered(self.do("GET", "/v1/channels?limit=1000").json["items"], self.do("GET", "/v1/calls?limit=1000").json["items"], autocall)
        return until(is_up, "answered")[0]

    def hang_up(self, call):
        assert self.do("POST", f"/v1/calls/xivo/{call}/hangup").status in (204, 404)

    def by_webhook(self, call):
        return [e["event"] for e in self.told.values() if e["call"]["id"] == call]

    def by_event(self, call):
        return [e.name for e in self.events if e.data["call"]["id"] == call]

    def knows(self, call):
        until(lambda: self.by_webhook(call) == WHOLE, lambda: self.by_webhook(call), 60)

    def close(self):
        self.stop.set()
        self.to_api.close()
        self.down()


@pytest.fixture(name="crm")
def fixture_crm():
    api_port, webhook_port = free_port(), free_port()
    to_crm = Relay(webhook_port)
    with Stack(office=("--rate", "0", "--office-answer", "1"), parts=PARTS, config={
            "ctibus.webhooks": {"crm": {"url": f"http://127.0.0.1:{to_crm.port}/calls", "secret": "s3cret"}},
            "ctibus.webhook_hosts": ["127.0.0.1"],
            "ctibus.api": {"listen": f"127.0.0.1:{api_port}", "requests_per_second": 0}}) as stack:
        stack.wait_ready()
        crm = Crm(stack, api_port, make_token(stack), webhook_port)
        crm.to_crm = to_crm
        assert crm.live.wait(TIMEOUT)
        yield crm
        crm.close()
        to_crm.close()


def test_a_working_day(crm):
    call = crm.dial("1002")
    until(lambda: crm.opened == ["Alice of the front desk"], lambda: crm.opened)
    assert crm.do("POST", f"/v1/calls/xivo/{call}/transfer", {"to": "1003"}).status == 204
    until(lambda: "call.transferred" in crm.by_webhook(call) or "call.ended" in crm.by_webhook(call), lambda: crm.by_webhook(call))
    for one in crm.do("GET", "/v1/calls").json["items"]:
        crm.hang_up(one["id"])
    until(lambda: crm.by_webhook(call)[-1] == "call.ended", lambda: crm.by_webhook(call))
    until(lambda: crm.by_event(call) == crm.by_webhook(call), lambda: (crm.by_event(call), crm.by_webhook(call)))
    plain = crm.dial("1002")
    crm.hang_up(plain)
    crm.knows(plain)
    row = until(lambda: [c for c in crm.do("GET", "/v1/history").json["calls"] if c["id"] == plain], "it is in the history")[0]
    assert row["number"] == "1002"
    assert crm.twice == 0


def asterisk_ends(stack, call):
    """Somebody hangs up, and no http-gw has to do with it."""
    channel = next(c["participants"][0] for c in stack.snapshot("calls") if c["id"] == call)
    done = subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), "action", "Hangup", f"Channel={channel}"],
                          capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done
    until(lambda: call not in [c["id"] for c in stack.snapshot("calls")], "it is over meanwhile")


def kill(crm, victim):
    if victim == "crm":
        crm.down()
    elif victim == "network":
        crm.to_api.cut()
        crm.to_crm.cut()
    else:
        crm.stack.kill(victim)
    if victim in ("network", "http-gw"):
        until(lambda: not crm.live.is_set(), "the listener is cut off")


def bring_back(crm, victim):
    if victim == "crm":
        crm.up()
    elif victim == "network":
        crm.to_api.mend()
        crm.to_crm.mend()
    else:
        crm.stack.start(victim)
        crm.stack.wait_ready()
    assert crm.live.wait(TIMEOUT)


@pytest.mark.parametrize("victim", ["http-gw", "state", "crm", "network"])
def test_what_dies(crm, victim):
    """The calls before its death, during it and behind it are told, in order, each event once; twice in a row."""
    calls, during = [], []
    for _ in range(2):
        before = crm.dial("1002")
        crm.hang_up(before)
        one = crm.dial("1002")
        until(lambda: crm.by_webhook(one) == WHOLE[:3], lambda: crm.by_webhook(one), 40)
        until(lambda: crm.by_event(one) == WHOLE[:3], lambda: crm.by_event(one))
        kill(crm, victim)
        if victim != "state":
            asterisk_ends(crm.stack, one)
        bring_back(crm, victim)
        if victim == "state":
            crm.hang_up(one)
        behind = crm.dial("1002")
        crm.hang_up(behind)
        calls += [before, one, behind]
        during.append(one)
        for call in calls:
            crm.knows(call)
    # The stream: no id twice. A new http-gw has no events of before: there the snapshot says how it is.
    until(lambda: all(crm.by_event(c) == WHOLE for c in calls if victim != "http-gw" or c not in during),
          lambda: [crm.by_event(c) for c in calls])
    ids = [e.id for e in crm.events]
    assert len(ids) == len(set(ids))
    assert crm.snapshots == (2 if victim == "http-gw" else 0), "who resumes by id gets what came since"
    if victim == "http-gw":
        assert all(crm.by_event(c) == WHOLE[:3] for c in during)
    until(lambda: crm.stack.metric("http-gw", "ctibus_api_webhook_waiting") == 0, "nothing waits")


def test_retries_and_dead_letters(crm):
    """503 leaves the receiver alone for 1 s, then longer; what is given up is sent when it is told to."""
    stack, tries, good = crm.stack, [], crm.receiver.answer

    def busy(post):
        tries.append((time.monotonic(), json.loads(post.body)["id"]))
        return 503
    crm.receiver.answer = busy
    call = crm.dial("1002")
    crm.hang_up(call)
    until(lambda: len(tries) >= 4, lambda: tries, 40)
    waits = [b[0] - a[0] for a, b in zip(tries, tries[1:])]
    assert len({t[1] for t in tries}) == 1, "one alone tries, and what is behind it waits"
    assert 0.4 < waits[0] < 2.5 and waits[2] > waits[0] and sum(waits[:3]) < 15, waits
    crm.receiver.answer = good
    crm.knows(call)
    assert crm.twice == 0
    # The webhook goes while posts wait: they are dead letters, which come when it is back.
    crm.receiver.answer = lambda post: 500
    lost = crm.dial("1003")
    crm.hang_up(lost)
    until(lambda: stack.metric("http-gw", "ctibus_api_webhook_waiting") == 4, "they wait")
    hooks = json.loads(stack.path("ctibus.json").read_text())["ctibus"]["webhooks"]
    stack.set("ctibus.webhooks", {"other": hooks["crm"] | {"events": "link.*"}})
    stack.programs["http-gw"].process.send_signal(1)
    until(lambda: stack.metric("http-gw", "ctibus_api_webhook_dead") == 4, "dead letters", 60)
    stack.set("ctibus.webhooks", hooks)
    stack.programs["http-gw"].process.send_signal(1)
    crm.receiver.answer = good
    ctibus = [BIN / "ctibus", "--config", stack.path("ctibus.json"), "webhooks"]
    until(lambda: "crm" in subprocess.run(ctibus, capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout, "it is back")
    both = [subprocess.Popen([*ctibus, "resend", "--all"], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        one.communicate(timeout=TIMEOUT)
    crm.knows(lost)
    until(lambda: stack.metric("http-gw", "ctibus_api_webhook_waiting") == 0, "nothing waits")
    assert crm.twice == 0, "re-sent twice at the same time, and sent once"
    assert stack.metric("http-gw", "ctibus_api_webhook_dead") == 0
