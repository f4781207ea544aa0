"""The OpenAPI document of the HTTP API: it keeps the rules of OpenAPI 3.1, and what http-gw takes, answers, tells listeners and
posts to webhooks is as it says: a client that is made from it calls each operation."""

import json

import pytest

from api import Listener, make_token
from openapi import Checked, Document
from stack import Stack, until
from test_webhooks import Receiver

PARTS = ("sim", "state", "ami-gw", "cti-gw", "http-gw")


@pytest.fixture(name="document", scope="module")
def fixture_document():
    return Document()


@pytest.fixture(name="receiver", scope="module")
def fixture_receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(name="stack", scope="module")
def fixture_stack(receiver):
    with Stack(office=("--rate", "0", "--office-answer", "1"), parts=PARTS, config={
            "ctibus.api": {"listen": "127.0.0.1:0", "requests_per_second": 0}, "ctibus.retention": {"chat_days": 1},
            "ctibus.webhook_hosts": ["127.0.0.1"],
            "ctibus.webhooks": {"all": {"url": f"http://127.0.0.1:{receiver.port}/", "events": "*", "secret": "s"}}}) as s:
        s.wait_ready()
        yield s


@pytest.fixture(name="token", scope="module")
def fixture_token(stack):
    return make_token(stack, "alice", "read", "history", "calls", "users", "queues", "chat", "act_as")


@pytest.fixture(name="client", scope="module")
def fixture_client(stack, document, token):
    return Checked(document, stack.programs["http-gw"].api, token)


def test_it_keeps_the_rules(document):
    assert not list(document.faults())


@pytest.mark.parametrize("spoil", [
    lambda d: d["info"].pop("version"), lambda d: d["paths"]["/v1"]["get"].pop("responses"), lambda d: d["paths"].update(v1={}),
    lambda d: d["paths"]["/v1/me"]["get"].update(operationId="index"), lambda d: d["components"]["schemas"].pop("party"),
    lambda d: d["paths"]["/v1/users/{ipbx}/{id}"]["get"]["parameters"].pop(0),
    lambda d: d["paths"]["/v1/me"]["get"].update(security=[{"none": []}]),
    lambda d: d["paths"].update({"/v1/users/{a}/{b}": d["paths"]["/v1/users/{ipbx}/{id}"]})])
def test_the_rules_find_faults(spoil):
    document = Document()
    spoil(document.tree)
    assert list(document.faults())


def a_call(client, to="1002", **more):
    """A call that is answered; its id."""
    autocall = client.dial({"to": to, **more}).json["autocall"]

    def up():
        channels = [c for c in client.list_channels(limit=1000).json["items"] if c["autocall"] == autocall]
        return channels and [c["id"] for c in client.list_calls(limit=1000).json["items"]
                             if c["state"] == "up" and len(c["participants"]) == 2 and channels[0]["id"] in c["participants"]]
    return until(up, "answered")[0]


def commands_of_calls(client):
    def on(call, name, body=None, status=204):
        answer = getattr(client, name)(body, ipbx="xivo", id=call)
        assert answer.status == status, (name, answer.raw)
    call = a_call(client)
    on(call, "record", {"on": True})
    until(lambda: client.object_calls(ipbx="xivo", id=call).json["recorded"], "it is recorded")
    on(call, "record", {"on": False})
    on(call, "transfer", {"to": "1003"})
    until(lambda: not [c for c in client.list_calls().json["items"] if c["called_number"] == "1002"], "it is transferred")
    on(a_call(client), "park", {})
    ringing = client.dial({"to": "1004", "as": "xivo/3"})
    assert ringing.status == 202
    call = until(lambda: [c["id"] for c in client.list_calls().json["items"] if (c["state"], c["called_number"]) == ("ringing", "1004")],
                 "it rings")[0]
    on(call, "intercept")
    for name, body in (("answer", {}), ("hold", {"queue": "nothing"}), ("resume", {})):
        answer = getattr(client, name)(body, ipbx="xivo", id=call)
        assert answer.status in (204, 403, 404, 409), (name, answer.raw)
    for call in client.list_calls().json["items"]:
        on(call["id"], "hangup", {"as": "xivo/1"})
    until(lambda: not client.list_calls().json["items"], "all are over")


def commands_of_users(stack, client):
    assert client.features({"dnd": True, "forward_busy": "1003"}, ipbx="xivo", id="1").status == 204
    until(lambda: client.features_get(ipbx="xivo", id="1").json["userfeatures"]["enablednd"], "it is set")
    assert client.features({"dnd": False, "forward_busy": ""}, ipbx="xivo", id="1", **{"Idempotency-Key": "1"}).status == 204
    alice, bob = stack.client("alice"), stack.client("bob")
    until(lambda: all(client.object_users(ipbx="xivo", id=i).json["availstate"] == "available" for i in "12"), "they are there")
    assert client.presence({"presence": "away"}, ipbx="xivo", id="1").status == 204
    assert client.chat({"to": "xivo/2", "text": "hello"}).status == 204
    answer = client.chat_history(with_="xivo/2")
    assert answer.status == 200 and answer.json["messages"][0]["text"] == "hello", answer.raw
    alice.close()
    bob.close()


def commands_of_queues(client):
    agent = next(a for a in client.list_agents(limit=1000).json["items"] if a["availability"] == "available")
    member = next(m for m in client.list_queuemembers(limit=1000).json["items"] if f"agent:{agent['id']}" in m["relations"])
    queues = client.list_queues().json["items"]
    queue = next(q for q in queues if q["name"] == member["queue_name"])
    name = f"agent:xivo/{agent['id']}"
    on = {"ipbx": "xivo", "id": queue["id"], "member": name}
    for paused in (True, False):
        assert client.member_change({"paused": paused}, **on).status == 204
    assert client.member_remove(**on).status == 204
    until(lambda: member["id"] not in [m["id"] for m in client.list_queuemembers(limit=1000).json["items"]], "it has left")
    assert client.member_add({"member": name}, ipbx="xivo", id=queue["id"]).status == 204
    number = next(p["number"] for p in client.list_phones(limit=1000).json["items"] if p["number"] == "1007")
    assert client.agent_logout(ipbx="xivo", id=agent["id"]).status == 204
    until(lambda: client.object_agents(ipbx="xivo", id=agent["id"]).json["availability"] == "logged_out", "it is logged out")
    assert client.agent_login({"number": number}, ipbx="xivo", id=agent["id"]).status == 204


def test_each_operation(stack, document, client, token, receiver):
    listener = Listener(stack.programs["http-gw"].api, token, events="*", snapshot=1, lists=",".join(client.index().json["lists"])).live()
    assert client.me().json["login"] == "alice"
    for name in client.index().json["lists"]:
        page = getattr(client, f"list_{name}")(limit=1000)
        assert page.status == 200
        first = page.json["items"][0] if page.json["items"] else {"ipbx": "xivo", "id": "none"}
        one = getattr(client, f"object_{name}")(ipbx=first["ipbx"], id=first["id"])
        assert one.status == (200 if page.json["items"] else 404) and (one.status == 404 or one.json["id"] == first["id"])
    commands_of_calls(client)
    commands_of_users(stack, client)
    commands_of_queues(client)
    until(lambda: client.history(limit=1).json.get("calls"), "there is a log")  # 429 while the budget of the user is used up
    assert len(client.history(limit=1).json.get("calls", [1])) == 1
    assert client.directory(search="bob").json["resultlist"]
    left = document.operations.keys() - client.called.keys()
    assert left == {"events"}, left
    succeeded = {name for name, statuses in client.called.items() if any(s < 300 for s in statuses)}
    objects = {name for name in document.operations if name.startswith("object_")}  # of a list that is empty
    assert document.operations.keys() - succeeded <= {"events", "answer", "hold", "resume", *objects}
    check_stream(document, listener)
    check_posts(document, receiver)


def check_stream(document, listener):
    """What a listener has got meanwhile."""
    listener.next("agent.login")
    schema = document.operations["events"][2]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    for e in listener.events:
        fault = document.fault(schema, [{"event": e.name, "data": e.data, **({"id": e.id} if e.id else {})}])
        assert not fault, (e.name, document.fault({"$ref": f"#/components/schemas/event.{e.name}"}, e.data) or fault)
    assert {"snapshot", "object", "live", "change", "call.started", "call.ended", "agent.logout", "agent.pause", "presence.changed"} <= {
        e.name for e in listener.events}
    listener.close()


def check_posts(document, receiver):
    """What the webhook was sent meanwhile."""
    until(lambda: any(e["event"] == "agent.login" for e in receiver.events()), "all has arrived")
    for post in list(receiver.posts):
        operation = document.tree["webhooks"][post.headers["Ctibus-Event"]]["post"]
        assert all(p["name"] in post.headers for p in operation["parameters"])
        fault = document.fault(operation["requestBody"]["content"]["application/json"]["schema"], json.loads(post.body))
        assert not fault, fault


@pytest.mark.parametrize("name,given,status", [
    ("list_users", {"limit": 0}, 400), ("list_users", {"nothing": 1}, 400), ("object_users", {"ipbx": "xivo", "id": "none"}, 404),
    ("dial", {"body": {}}, 422), ("dial", {"body": {"to": "nowhere!"}}, 409), ("hangup", {"ipbx": "xivo", "id": "none"}, 404),
    ("dial", {"body": {"to": "1002", "as": "xivo/999"}}, 403), ("features", {"ipbx": "xivo", "id": "1", "body": {}}, 422),
    ("directory", {}, 400), ("dial", {"body": {"to": "1002", "more": 1}}, 422)])
def test_problems(client, name, given, status):
    assert getattr(client, name)(may_be_wrong=True, **given).status == status


def test_without_a_token(stack, document):
    client = Checked(document, stack.programs["http-gw"].api, "nonsense")
    assert client.me().status == 401 and client.index().status == 200


def test_where_the_document_and_http_gw_would_refuse_the_same(document, client):
    """Bodies that the schema does not allow are refused by http-gw, field by field."""
    wrong = {"string": 1, "integer": "x", "boolean": "yes", "array": "x"}
    tried = 0
    for name, (_, path, operation) in document.operations.items():
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        words = {p["name"]: "none" for p in document.parameters(operation) if p["in"] == "path"}
        for field, type_ in (schema or {"properties": {}})["properties"].items():
            body = {f: "x" for f in schema["required"]} | {field: wrong[type_["type"]]}
            assert document.fault(schema, body)
            assert getattr(client, name)(body, may_be_wrong=True, **words).status == 422, (name, path, body)
            tried += 1
    assert tried > 30
