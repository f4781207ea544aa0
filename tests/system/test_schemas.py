"""An hour of a simulated office, as many calls as it has in an hour, passes within a minute: all that is on the bus, all
requests, and all that clients send and get is as the generated schemas say; and whatever else would be noticed."""

import contextlib
import fcntl
import json
import os
import pickle
import re
import subprocess
import threading
import time

import pytest
import websocket

from api import Api
from programs import BusProgram
from schemas import Schemas, Traffic
from stack import BIN, ROOT, Monitor, Stack, signal, signal_of, until
from test_websocket import WebClient

HOUR = 240  # calls: the office has 4 a minute
GUESTS = "alice,bob,carole,david"
RATE = ("--rate", "10/s", "--office-guests", GUESTS)

# What must have been seen of both Asterisks, and of one of them.
TEL = """channel.new channel.state channel.hangup channel.callerid channel.hold channel.unhold channel.exten channel.monitor
    dial.begin dial.end call.link call.unlink originate.response device.hint device.registration queue.join queue.leave
    queue.params member.status member.paused agent.called agent.connect agent.complete conference.join conference.leave
    voicemail.waiting link.up link.down resync.begin resync.end parking.parked user.event"""
ONLY = {"20": """topic.tel.channel.connected topic.tel.dial.state topic.tel.bridge.create topic.tel.bridge.destroy
    topic.xod.status.voicemails""", "1.8": ""}
XOD = """status.channels status.calls config.queuemembers status.queuemembers config.agents status.agents config.phones status.phones
    config.users status.users config.queues status.queues config.voicemails status.meetmes config.meetmes
    status.parkinglots config.parkinglots status.ipbx config.contexts config.trunks status.trunks"""
OTHER = ["stats.queues", "ami", "fagi", "cti.user", "cti.command", "cti.session.open", "cti.session.close", "svc", "echo"]
REQUESTS = """hello ping echo snapshot worker.register ami.action fagi.call cti.message cti.line resync login.begin login.check
    login.open session.renew session.close command admin.sessions admin.kick admin.tokens explain admin.reload kick
    api.open api.command admin.api_tokens webhooks webhooks.active webhooks.progress"""
LINES = """getlist.addconfig getlist.delconfig getlist.listid getlist.updatestatus.channels getlist.updatestatus.phones
    getlist.updatestatus.users getlist.updateconfig.users getlist.updatestatus.queues getlist.updateconfig.queuemembers
    getlist.updatestatus.calls getlist.snapshot.users getlist.snapshot.phones ipbxcommand getqueuesstats meetme_update meetme_user
    current_calls queueentryupdate agent_status_update endpoint_status_update user_status_update history people_search_result
    people_headers_result directory featuresget featuresput availstate keepalive login_id login_pass login_capas sheet
    get_relations getipbxlist admin_status chitchat dial_success""".replace("get_relations", "relations")


@pytest.fixture(name="schemas", scope="module")
def fixture_schemas():
    return Schemas()


def watched(client, kept, schemas):
    """The client keeps what it sends and gets."""
    send, take = client.send, client.take

    def sends(cls, **fields):
        number = send(cls, **fields)
        message = {"class": cls, "commandid": number, **fields}
        kept.append((schemas.message(message), message))
        return number

    def takes(line):
        kept.append((schemas.line(line), line))
        return take(line)
    client.send, client.take = sends, takes
    return client


def listen(seconds, *clients):
    """Takes what clients are told in that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for client in clients:
            with contextlib.suppress(TimeoutError, websocket.WebSocketTimeoutException):
                client.line(0.02)


class Office:
    """The stack with a man in the middle, and what has passed."""

    def __init__(self, schemas, dialect):
        self.schemas = schemas
        self.stack = Stack(office=("--office-dialect", dialect, *RATE), parts=("state",),
                           config={"ctibus.cti.websocket": "127.0.0.1:0", "ctibus.caller_names": True,
                                   "ctibus.webhooks": {"crm": {"url": "https://127.0.0.1:1/"}}})
        self.traffic = Traffic(schemas, self.stack.ports["subscribe"], self.stack.ports["request"])
        self.traffic.start()
        self.stack.programs["state"].listening("INFO")  # it has read its configuration
        self.stack.ports["request"] = self.traffic.port  # for all that is started from now on
        self.stack.set("ctibus.bus.request", f"tcp://127.0.0.1:{self.traffic.port}")
        self.stack.start("fagi-gw")
        self.stack.sim_args = ("--fagi", f"127.0.0.1:{self.stack.programs['fagi-gw'].fagi}")
        self.stack.start("sim")
        self.stack.start("ami-gw")
        self.stack.start("cti-gw", doors=("CTI", "websocket"))
        self.stack.start("http-gw")
        self.clients = []

    def client(self, login, web=False, **options):
        made = WebClient(self.stack.programs["cti-gw"].websocket) if web else self.stack.connect()
        watched(made, self.traffic.kept, self.schemas).login(login, login, **options)
        self.clients.append(made)
        return made

    def tool(self, *words):
        return subprocess.run([BIN / "ctibus", "--config", self.stack.path("ctibus.json"), "--json", *words], check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def calls(self):
        return sum(name == "topic.xod.status.calls" and body["op"] == "add" for name, body in list(self.traffic.kept))

    def __enter__(self):
        self.stack.__enter__()
        return self

    def __exit__(self, *error):
        for client in self.clients:
            client.close()
        try:
            self.stack.__exit__(*error)
        finally:
            self.traffic.close()


def ask_for_everything(client):
    """What a client of 2015 asks for, and more."""
    client.load()
    client.send("getlist", function="snapshot", tipbxid="xivo")
    client.ask("subscribetoqueuesstats")
    for view in ({"message": "meetme_update"}, {"message": "current_calls"}, {"message": "queueentryupdate", "queueid": 1}):
        client.ask("subscribe", **view)
    for what in ("agent", "endpoint", "user"):
        client.ask(f"register_{what}_status_update", **{f"{what}_ids": [["xivo", n] for n in range(1, 12)]})
    for cls, fields in {"keepalive": {}, "getipbxlist": {}, "get_relations": {}, "featuresget": {}, "people_headers": {},
                        "people_favorites": {}, "history": {"mode": "0", "size": "8"}, "admin_status": {},
                        "people_search": {"pattern": "bob"}, "directory": {"pattern": ""}, "parking": {},
                        "getqueuesstats": {"on": {"1": {"window": "3600", "xqos": "60"}}}, "getagentsstats": {},
                        "chitchat": {"to": "xivo/2", "text": "Bonjour é"}, "switchboard_directory_search": {"pattern": "a"},
                        "get_switchboard_directory_headers": {}}.items():
        client.ask(cls, **fields)
    client.ask("history", limit=50)
    client.ask("featuresput", function="enablednd", value=True)
    client.ask("featuresput", function="enablednd", value=False)
    client.ask("availstate", availstate="away")
    client.ask("availstate", availstate="available")


def work(client, stack):
    """What people do with calls: each is asked for, whether or not it is possible at this moment."""
    for name, fields in {"dial": {"destination": "exten:xivo/4001"}, "hangupme": {}, "agentlogin": {"agentids": "agent:xivo/1"},
                         "queuepause_all": {"member": "agent:xivo/1"}, "queueunpause_all": {"member": "agent:xivo/1"},
                         "agentlogout": {"agentids": "agent:xivo/1"}, "mailboxcount": {"mailbox": "1001@default"}}.items():
        client.ask("ipbxcommand", command=name, **fields)
    client.ask("ipbxcommand", command="dial", destination="exten:xivo/1002")
    until(lambda: stack.sim_status()["hints"]["1002@default"] == 8, "bob rings")


def answer_and_park(alice, bob, stack):
    def talks():
        return [a for a, b in stack.sim_status()["office"]["talks"].items() if "/bob-" in a and "/alice-" in b]

    bob.ask("ipbxcommand", command="answer")
    channel = until(talks, "they talk")[0]
    bob.ask("ipbxcommand", command="record", subcommand="start")
    for event in ("hold", "hold"):
        bob.ask("ipbxcommand", command="sipnotify", channel="phone:xivo/2", variables={"Event": event})
    alice.ask("ipbxcommand", command="parking", source=f"chan:xivo/{channel}")
    until(lambda: channel in stack.sim_status()["office"]["parked"].values(), "bob is parked")
    bob.ask("parking")
    bob.ask("ipbxcommand", command="hangupme")


def programs_and_tools(office, alice):
    """A program that answers clients, and what an administrator asks."""
    with BusProgram(office.stack, b"cti.message") as program:
        answer = program.ask(b"worker.register", {"kind": "cti", "classes": ["crm_open"], "permission": False})
        assert answer[0] == b"ok"
        until(lambda: office.stack.snapshot("ipbx")[0]["handlers"], "the gateways know it")
        listen(0.5, alice)
        alice.raw(json.dumps({"class": "crm_open", "commandid": 5}).encode() + b"\n")
        number, _, _ = program.receive()
        program.send(number, b"ok", {})
        assert program.ask(b"echo", {"plane": "xod"})[0] == b"ok"
        assert program.ask(b"cti.line", {"ipbx": "xivo", "users": ["2"], "line": {"class": "keepalive"}})[0] == b"ok"
    made = json.loads(office.tool("token", "create", "alice", "--scope", "read", "--scope", "calls"))
    api = Api(office.stack.programs["http-gw"].api, made["token"])
    assert api.get("/v1/users", limit=1)["items"] and api.post("/v1/calls", {"to": "4001"}).status == 202
    assert api.post("/v1/calls/xivo/none/hangup").status == 404
    for words in (["token", "list"], ["token", "revoke", "--user", "alice"], ["webhooks"], ["webhooks", "dead"],
                  ["sessions"], ["tokens"], ["snapshot", "users", "1"], ["explain", "phone:xivo/1"], ["reload", "users"],
                  ["action", "QueueStatus"], ["action", "UserEvent", "UserEvent=Feature", "Userid=1"]):
        office.tool(*words)


def other_lists(office):
    """Each list loses its last object, and has it again."""
    for path in sorted(office.stack.path("").glob("*.json")):
        whole = path.read_text()
        items = json.loads(whole)
        if isinstance(items, list) and items:
            path.write_text(json.dumps(items[:-1]))
            office.tool("reload")
            path.write_text(whole)
            office.tool("reload")


def cut_and_back(office):
    """The link to the Asterisk breaks; all is listed again."""
    before = office.traffic.published["topic.tel.resync.end"]
    signal_of(office.stack.programs["sim"], signal.SIGUSR1)
    until(lambda: office.traffic.published["topic.tel.resync.end"] > before, "listed again")


def tail(office, seconds):
    """What `ctibus --json tail` prints in that time: its lines, as objects."""
    printed = []
    with subprocess.Popen([BIN / "ctibus", "--config", office.stack.path("ctibus.json"), "--json", "tail"],
                          stdout=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=lambda: printed.extend(map(json.loads, process.stdout)), daemon=True)
        reader.start()
        deadline = time.monotonic() + seconds
        until(lambda: time.monotonic() > deadline, "the time is over", seconds + 10)
        process.terminate()
        reader.join(10)
    return printed


def once(folder, name, make):
    """What make() returns: made by one of the processes among which the tests are divided, and read by the others."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make()
    kept = folder / f"{name}.pickle"
    with open(folder / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make()))
        return pickle.loads(kept.read_bytes())


@pytest.fixture(name="hour", scope="module", params=["20", "1.8"])
def fixture_hour(request, schemas, tmp_path_factory):
    """All that has passed in an hour: the dialect, what was kept, and what `tail` and a monitor got at once."""
    return once(tmp_path_factory.getbasetemp().parent, f"hour-{request.param}", lambda: an_hour(request.param, schemas))


def an_hour(dialect, schemas):
    with Office(schemas, dialect) as office:
        office.stack.wait_ready()
        alice = office.client("alice", accepts=("calls", "sheet_json", "state"))
        bob = office.client("bob", web=True)
        for client in (alice, bob):
            ask_for_everything(client)
        with contextlib.closing(Monitor(office.stack.ports["subscribe"], ())) as monitor:
            assert monitor.message()
            printed = tail(office, 3)
            heard = list(iter(lambda: monitor.message(0), None))
        work(alice, office.stack)
        answer_and_park(alice, bob, office.stack)
        programs_and_tools(office, alice)
        carole = office.client("carole")
        office.tool("kick", "carole")
        while carole.line():  # disconnect, at last
            pass
        until(lambda: listen(0.5, alice, bob) or office.calls() >= HOUR, f"{HOUR} calls", 100)
        cut_and_back(office)
        other_lists(office)
        listen(1, alice, bob)
        alice.ask("history", mode="0", size="50")
        alice.ask("logout")
    return {"dialect": dialect, "kept": list(office.traffic.kept), "printed": printed, "heard": heard}


def names(dialect):
    """What must have been seen, by the names of the schemas."""
    both = [f"{side}.{name}" for name in REQUESTS.split() for side in ("request", "reply")]
    return {*(f"topic.tel.{name}" for name in TEL.split()), *(f"topic.xod.{name}" for name in XOD.split()), *ONLY[dialect].split(),
            *(f"topic.{name}" for name in OTHER), *both, *(f"client.get.{name}" for name in LINES.split())}


def test_an_hour_is_as_the_schemas_say(schemas, hour):
    faults = [fault for name, body in hour["kept"] if (fault := schemas.fault(name, body))]
    assert not faults, (len(faults), faults[:5])
    assert names(hour["dialect"]) - {name for name, _ in hour["kept"]} == set()
    assert {body["op"] for name, body in hour["kept"] if name.startswith("topic.xod.config.")} == {"add", "update", "del"}


def test_lines_on_their_way_to_clients_are_as_those_that_they_get(schemas, hour):
    """State publishes them without the time."""
    pushed = [body[key] for name, body in hour["kept"] if name == "topic.cti.user" for key in ("line", "other") if key in body]
    faults = [fault for line in pushed if (fault := schemas.fault(schemas.line(line), {**line, "timenow": 0.5}))]
    assert pushed and not faults, faults[:5]


OPEN = ("topic.ami", "reply.command", "reply.api.command", "reply.cti.message", "client.other", "client.error", "client.send",
        "request.cti.message", "part.")


def is_free(schemas, name, key):
    """Whether a body may have any value there: what is no decision of ctibus (docs/schemas/README.md)."""
    def resolved(schema):
        while "$ref" in schema and "properties" not in schema:
            at = schemas.document
            for part in schema["$ref"].split("/")[1:]:
                at = at[part]
            schema = at
        return schema

    forms = resolved(schemas.defs[name])
    for form in forms.get("oneOf", forms.get("anyOf", [forms])):
        field = resolved(resolved(form).get("properties", {}).get(key, {"type": "none"}))
        if not field.keys() - {"description"}:
            return True
    return False


def test_a_changed_field_fails(schemas, hour):
    """Of each kind of body one, with each of its fields under another name, gone if it is always there, of another type; and
    with one more."""
    samples = {}
    for name, body in hour["kept"]:
        if not name.startswith(OPEN) and isinstance(body, dict) and len(body) > len(samples.get(name, ())):
            samples[name] = body
    assert len(samples) > 150
    unnoticed = []
    for name, body in samples.items():
        changes = [("one more", {**body, "nosuch": 1})]
        for key, value in body.items():
            rest = {k: v for k, v in body.items() if k != key}
            changes.append((f"{key} renamed", {**rest, f"{key}_x": value}))
            if not is_free(schemas, name, key):
                changes.append((f"{key} of another type", {**body, key: [[{"x": 1}]] if not isinstance(value, list) else {"x": [{}]}}))
        unnoticed += [(name, what) for what, changed in changes if not schemas.fault(name, changed)]
    assert not unnoticed, unnoticed[:20]


def test_a_changed_field_of_an_object_fails(schemas, hour):
    """The same of the fields of lists, which clients see, too."""
    unnoticed, seen = [], set()
    for name, body in hour["kept"]:
        if not name.startswith("topic.xod.") or "fields" not in body:
            continue
        for key, value in body["fields"].items():
            if (name, key) in seen or value is None:
                continue
            seen.add((name, key))
            rest = {k: v for k, v in body["fields"].items() if k != key}
            if not schemas.fault(name, {**body, "fields": {**rest, f"{key}_x": value}}):
                unnoticed.append((name, key, "renamed"))
            if not schemas.fault(name, {**body, "fields": {**rest, key: {"x": {"y": []}}}}) \
                    and schemas.defs[f"list.{name.split('.')[-1]}"]["properties"][key].keys() - {"description"}:
                unnoticed.append((name, key, "of another type"))
    assert len(seen) > 150 and not unnoticed, unnoticed[:20]


def test_the_tool_prints_bodies_as_they_are(schemas, hour):
    """`ctibus --json tail`: each line is a message, and its body what a monitor got and the schema says."""
    heard = {(meta[1], meta[2], meta[3], topic): body for topic, meta, body in hour["heard"] if meta[3]}
    same = 0
    for line in hour["printed"]:
        assert set(line) == {"topic", "source", "epoch", "seq", "time", "body"}
        assert not (fault := schemas.fault(schemas.topic(line["topic"]), line["body"])), fault
        body = heard.get((line["source"], line["epoch"], line["seq"], line["topic"]))
        assert body is None or json.loads(json.dumps(body)) == line["body"], (line["topic"], body, line["body"])
        same += body is not None
    assert same > 100


def test_the_example_of_the_page(hour):
    """docs/schemas/README.md: what `ctibus --json tail tel` prints, checked by a program."""
    program = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "schemas" / "README.md").read_text(), re.S)[1]
    lines = [json.dumps(line) for line in hour["printed"] if line["topic"].startswith("tel/")]
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}

    def run(text):
        return subprocess.run(["/usr/bin/python3", "-c", program], input=text, env=env, text=True, stderr=subprocess.PIPE, check=False)
    assert len(lines) > 20 and run("\n".join(lines)).returncode == 0
    renamed = next(line.replace('"channel":', '"chanel":') for line in lines if '"channel":' in line)
    assert "ValidationError" in run(renamed).stderr


def test_messages_of_real_clients(schemas):
    """What the clients of 2012 to 2015 have sent in the recordings; a class that there is not is answered with unimplemented."""
    n = 0
    for path in sorted((ROOT / "tests" / "data" / "cti").glob("*.jsonl")):
        for one in map(json.loads, path.read_text().splitlines()):
            with contextlib.suppress(ValueError):
                message = json.loads(one["line"]) if one["dir"] == "c2s" else {}
                name = schemas.message(message) if "class" in message else ""
                if name in schemas.defs:
                    n += 1
                    assert not (fault := schemas.fault(name, message)), (path.name, fault)
    assert n > 4000


def test_configurations_are_as_the_schema_says(schemas):
    for path in sorted((ROOT / "config").glob("**/ctibus.json")):
        site = json.loads(path.read_text())
        assert not (fault := schemas.fault("configuration", site)), (path, fault)
        for key, value in {"ctibus": {"nosuch": 1}, "main": {"logintimeout": []}, "certfile": 1,
                           "ipbxes": {"xivo": {"ipbx_connection": {"username": "x"}}}}.items():
            assert schemas.fault("configuration", {**site, key: value}), (path, key)


def test_a_wrong_format_is_refused():
    for wrong in (["--format", "xml"], ["--format"], ["tel"]):
        refused = subprocess.run([BIN / "ctibus", "schema", *wrong], check=False, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert refused.returncode == 2 and "Usage" in refused.stderr and not refused.stdout
