"""Many CTI clients that behave as real ones: they log in, listen, and come back when the connection ends.

Each notes when it was cut off and when it was back, which numbers of the pulse it was shown, and whether it was
told that anybody is gone.
"""

import asyncio
import hashlib
import json
import threading
import time

GONE = (b'"connection":null', b'"availstate":"disconnected"')
PULSE = b'"destunc":"'
# real clients wait for longer; the sooner they are back, the more there are at once
AGAIN_SECONDS = 0.2
LOGIN_SECONDS = 10


class Visitor(asyncio.Protocol):
    """One connection of one client."""

    def __init__(self, client):
        self.client = client
        self.transport = None
        self.rest = b""
        self.commandid = 0
        self.handle = self.on_login_id

    def connection_made(self, transport):
        self.transport = transport
        self.send("login_id", userlogin=self.client.user, company="xivo", ident="X11-LE-1", xivoversion="1.2")

    def send(self, cls, **fields):
        self.commandid += 1
        line = json.dumps({"class": cls, "commandid": self.commandid, **fields})
        self.transport.write(line.encode() + b"\n")

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.handle(line)

    def connection_lost(self, exc):
        self.client.on_lost(self, exc)

    # --- the login, a line after the other ---

    def on_login_id(self, line):
        salt = self.field(line, "sessionid")
        hashed = hashlib.sha1(f"{salt}:{self.client.user}".encode()).hexdigest()
        self.handle = self.on_login_pass
        self.send("login_pass", hashedpassword=hashed)

    def on_login_pass(self, line):
        capaid = self.field(line, "capalist")[0]
        self.handle = self.on_login_capas
        self.send("login_capas", capaid=capaid, state="available", loginkind="user", lastconnwins=False)

    def on_login_capas(self, line):
        self.field(line, "userid")
        self.handle = self.on_line
        self.client.on_back()

    def field(self, line, name):
        m = json.loads(line)
        if name not in m:
            self.client.refusals.append(m.get("error_string", str(m)))
            self.transport.close()
            return "x"
        return m[name]

    # --- afterwards ---

    def on_line(self, line):
        if PULSE in line:
            self.client.on_pulse(line)
        elif GONE[0] in line or GONE[1] in line:
            self.client.swarm.on_gone(self.client, json.loads(line))


class Client:
    def __init__(self, swarm, user):
        self.swarm = swarm
        self.user = user
        self.visitor = None
        self.cut = []       # when the connection ended, each time after a login
        self.back = []      # when it was logged in
        self.refusals = []  # logins that were not let in, and why
        self.pulses = []    # (when, number)
        self.live = False

    async def stay(self):
        """Connects again and again; a login that takes too long is given up."""
        while not self.swarm.stopping:
            self.ended = asyncio.Event()
            try:
                loop = asyncio.get_running_loop()
                _, self.visitor = await asyncio.wait_for(
                    loop.create_connection(lambda: Visitor(self), "127.0.0.1", self.swarm.port), LOGIN_SECONDS)
                visitor = self.visitor
                giving_up = loop.call_later(LOGIN_SECONDS, lambda v=visitor: self.live or v.transport.abort())
                await self.ended.wait()
                giving_up.cancel()
            except (OSError, asyncio.TimeoutError) as e:
                self.refusals.append(repr(e))
            await asyncio.sleep(AGAIN_SECONDS)

    def on_back(self):
        self.live = True
        self.back.append(time.monotonic())

    def on_lost(self, visitor, exc):
        if visitor is self.visitor and self.live:
            self.cut.append(time.monotonic())
        self.live = False
        self.ended.set()

    def on_pulse(self, line):
        m = json.loads(line)
        if m.get("tid") == self.swarm.pulse_user:
            self.pulses.append((time.monotonic(), int(m["config"]["destunc"])))


class Swarm:
    """Clients u1, u2..., whose ids are `ids`; all in a thread of its own. `pulse_user`: the id of the user whose
    forwarding numbers are the pulse."""

    def __init__(self, port, ids, pulse_user):
        self.ids = set(ids)
        self.port = port
        self.pulse_user = pulse_user
        self.clients = []
        self.flaps = []     # (when, who was told, what) of clients of the swarm that seemed to be gone
        self.tasks = []
        self.stopping = False
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def add(self, n):
        async def begin():
            for _ in range(n):
                client = Client(self, f"u{len(self.clients) + 1}")
                self.clients.append(client)
                self.tasks.append(asyncio.ensure_future(client.stay()))
                await asyncio.sleep(0.002)  # people do not start within one millisecond
        asyncio.run_coroutine_threadsafe(begin(), self.loop).result()

    def on_gone(self, client, m):
        if m.get("tid") in self.ids:
            self.flaps.append((time.monotonic(), client.user, m))

    def live(self):
        return sum(c.live for c in self.clients)

    def cut_since(self, when):
        return [c for c in self.clients if any(t >= when for t in c.cut)]

    def longest_absence(self, since):
        """Seconds from the first time a client was cut until it was back for good, the longest of all."""
        return max((c.back[-1] - min(t for t in c.cut if t >= since) for c in self.cut_since(since)), default=0)

    def stop(self):
        async def end():
            for client in self.clients:
                if client.visitor and client.visitor.transport:
                    client.visitor.transport.abort()
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
        self.stopping = True
        asyncio.run_coroutine_threadsafe(end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def why(self):
        """What is needed to understand who is not there."""
        away = [c for c in self.clients if not c.live]
        reasons = {}
        for c in away:
            key = c.refusals[-1] if c.refusals else "never refused"
            reasons[key] = reasons.get(key, 0) + 1
        return f"{len(away)} of {len(self.clients)} clients are not there: {reasons}"


class Pulse:
    """A client that counts in the number its calls are forwarded to, which everybody is told."""

    def __init__(self, connect, interval=0.25):
        self.connect = connect  # gives a logged-in client of tests/system/stack.py
        self.interval = interval
        self.number = 0         # the last one that state has confirmed
        self.errors = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        client = None
        while not self.stopping.wait(self.interval):
            try:
                client = client or self.connect()
                answer = client.ask("featuresput", function="fwd",
                                    value={"enableunc": False, "destunc": str(self.number + 1)})
                if answer.get("status") == "OK":
                    self.number += 1
                else:
                    self.errors.append(answer)
            except (OSError, AssertionError, KeyError, TypeError, ValueError) as e:
                self.errors.append(repr(e))
                client = None

    def stop(self):
        self.stopping.set()
        self.thread.join()
