"""A program that uses the HTTP API, with the standard library alone."""

import http.client
import json
import queue
import subprocess
import threading
import time
import urllib.parse

from stack import BIN, TIMEOUT


def make_token(stack, user="alice", *scopes, name="test", days=None):
    """By ctibus token create."""
    args = [part for scope in scopes or ("read", "history", "calls", "users", "queues", "chat") for part in ("--scope", scope)]
    args += ["--days", str(days)] if days else []
    out = subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), "token", "create", user, "--name", name, *args],
                         capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout
    return out.strip()


def answered(channels, calls, autocall):
    """Ids of calls that were dialled so and in which two talk: one alone that has picked up waits for the other."""
    talking = {c["id"] for c in channels if c["commstatus"].startswith("linked")}
    dialled = {c["id"] for c in channels if c["autocall"] == autocall}
    return [c["id"] for c in calls if len(c["participants"]) == 2 and talking.issuperset(c["participants"]) and dialled & set(c["participants"])]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()
        self.json = json.loads(self.raw) if self.raw else None

    @property
    def code(self):
        return self.json["code"]


class Api:
    """One connection that stays."""

    def __init__(self, port, token):
        self.port = port
        self.token = token
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def ask(self, method, path, body=None, headers=None, **query):
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if query:
            path += "?" + urllib.parse.urlencode(query)
        self.connection.request(method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, headers)
        return Answer(self.connection.getresponse())

    def get(self, path, **query):
        answer = self.ask("GET", path, **query)
        assert answer.status == 200, (answer.status, answer.raw)
        return answer.json

    def all(self, name, **query):
        """All objects of a list by their ids, page by page."""
        found, cursor = {}, None
        while True:
            page = self.get(f"/v1/{name}", **query, **({"cursor": cursor} if cursor else {}))
            for o in page["items"]:
                assert o["id"] not in found
                found[o["id"]] = o
            cursor = page["next"]
            if cursor is None:
                return found

    def post(self, path, body=None, key=None):
        return self.ask("POST", path, body if body is not None else {}, {"Idempotency-Key": key} if key else None)

    def close(self):
        self.connection.close()


class Event:
    def __init__(self, name, data, number):
        self.name, self.data, self.id = name, data, number

    def __repr__(self):
        return f"{self.id} {self.name} {self.data}"


class Listener:
    """GET /v1/events, read by a thread."""

    def __init__(self, port, token, last=None, **query):
        self.socket_closed = False
        self.events = []
        self.last = last
        self.queue = queue.Queue()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        path = "/v1/events" + ("?" + urllib.parse.urlencode(query) if query else "")
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {token}",
                                                      **({"Last-Event-ID": last} if last else {})})
        self.response = self.connection.getresponse()
        self.status = self.response.status
        if self.status == 200:
            self.thread = threading.Thread(target=self._read, daemon=True)
            self.thread.start()

    def _read(self):
        fields = {}
        try:
            while line := self.response.readline():
                line = line.decode().rstrip("\n")
                if line:
                    key, _, value = line.partition(":")
                    fields[key] = value[1:] if value.startswith(" ") else value
                    continue
                if "event" in fields:
                    self.queue.put(Event(fields["event"], json.loads(fields["data"]), fields.get("id")))
                fields = {}
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass
        self.queue.put(None)

    def next(self, *names, timeout=TIMEOUT):
        """The next event of one of these names (without: the next at all); those before it are kept in .events."""
        end = time.monotonic() + timeout
        while True:
            event = self.queue.get(timeout=max(0.01, end - time.monotonic()))
            assert event, f"the stream has ended, waiting for {names}: {self.events[-5:]}"
            self.events.append(event)
            self.last = event.id or self.last
            if not names or event.name in names:
                return event

    def live(self):
        self.next("live")
        return self

    def ended(self, timeout=TIMEOUT):
        while self.queue.get(timeout=timeout):
            pass
        return True

    def close(self):
        if self.connection.sock:
            self.connection.sock.shutdown(2)
        self.connection.close()
