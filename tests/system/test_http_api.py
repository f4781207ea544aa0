"""The HTTP API of http-gw, over real sockets."""

import json
import socket
import subprocess
import time

import pytest

from api import Api, Listener, answered, make_token
from stack import BIN, TIMEOUT, Stack, until

PARTS = ("sim", "state", "ami-gw", "cti-gw", "http-gw")


@pytest.fixture(name="stack", scope="module")
def fixture_stack():
    with Stack(office=("--rate", "0", "--office-answer", "1"), parts=PARTS, config={"ctibus.api": {
            "listen": "127.0.0.1:0", "requests_per_second": 0}}) as s:
        s.wait_ready()
        yield s


@pytest.fixture(name="token", scope="module")
def fixture_token(stack):
    return make_token(stack, "alice", "read", "history", "calls", "users", "queues", "chat", "act_as")


@pytest.fixture(name="api")
def fixture_api(stack, token):
    api = Api(stack.programs["http-gw"].api, token)
    yield api
    for call in list(api.all("calls")):
        api.post(f"/v1/calls/xivo/{call}/hangup")
    until(lambda: not api.all("calls"), "calls are over")
    api.close()


def port(stack):
    return stack.programs["http-gw"].api


def talk(api, to="1002", **more):
    """A call that is answered; its id."""
    autocall = api.post("/v1/calls", {"to": to, **more}).json["autocall"]

    def up():
        return answered(api.all("channels").values(), api.all("calls").values(), autocall)
    return until(up, "answered")[0]


def raw(stack, data, timeout=TIMEOUT):
    """What comes back for these bytes until the connection ends."""
    with socket.create_connection(("127.0.0.1", port(stack)), timeout) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while part := s.recv(65536):
            answer += part
    return answer


# ---- tokens ----

def test_without_a_good_token(stack, api):
    for wrong in ("", "nonsense", "ctb_" + "x" * 43):
        bad = Api(port(stack), wrong)
        answer = bad.ask("GET", "/v1/users")
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="ctibus"')
        assert answer.headers["Content-Type"] == "application/problem+json" and answer.json["status"] == 401
    assert Api(port(stack), "").get("/v1")["product"] == "ctibus", "what there is is no secret"
    assert api.get("/v1/me") == {"ipbx": "xivo", "user": "1", "login": "alice", "profile": "administrator", "token": api.get("/v1/me")["token"],
                                 "scopes": ["read", "history", "calls", "users", "queues", "chat", "act_as"]}


def test_scopes(stack):
    api = Api(port(stack), make_token(stack, "alice", "read"))
    assert api.get("/v1/users")["items"]
    for method, path, body in (("POST", "/v1/calls", {"to": "1002"}), ("GET", "/v1/history", None),
                               ("PUT", "/v1/users/xivo/1/features", {"dnd": True}), ("POST", "/v1/chat", {"to": "xivo/2", "text": "x"})):
        answer = api.ask(method, path, body)
        assert (answer.status, answer.code) == (403, "missing_scope"), answer.json


def ctibus(stack, *args):
    return subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), *args], capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)


def test_a_token_that_is_revoked(stack):
    token = make_token(stack, "bob", "read", "calls", name="door bell")
    api = Api(port(stack), token)
    listener = Listener(port(stack), token).live()
    rows = [json.loads(line) for line in ctibus(stack, "--json", "token", "list", "bob").stdout.splitlines()]
    row = next(r for r in rows if r["name"] == "door bell")
    assert row["scopes"] == ["read", "calls"] and row["login"] == "bob" and token not in json.dumps(rows)
    assert row["id"] in ctibus(stack, "token", "list").stdout
    assert ctibus(stack, "token", "revoke", row["id"]).stdout == "1 token revoked\n"
    answer = api.post("/v1/calls", {"to": "1003"})
    assert answer.status == 401, "state looks at each command"
    until(lambda: api.ask("GET", "/v1/users").status == 401, "lists, too, after 10 s at most", 15)
    assert listener.ended(15)
    gone = ctibus(stack, "token", "revoke", row["id"])
    assert gone.returncode == 1 and "there is no such token" in gone.stderr


def test_tokens_survive_state(stack, token):
    stack.kill("state")
    stack.start("state")
    stack.wait_ready()
    assert Api(port(stack), token).post("/v1/calls/xivo/none/hangup").status == 404


@pytest.mark.parametrize("args,says", [
    (("create",), "whose token"), (("create", "alice", "--scope", "everything"), "is no scope: there are read, history"),
    (("create", "nobody"), "there is no such user"), (("create", "alice", "--days", "x"), "--days is a number")])
def test_wrong_use_of_the_tool(stack, args, says):
    done = ctibus(stack, "token", *args)
    assert done.returncode in (1, 2) and says in done.stderr, done


def test_a_token_that_expires(stack):
    api = Api(port(stack), make_token(stack, "alice", "read", days=0.00005))
    until(lambda: api.ask("GET", "/v1/users").status == 401, "after 4.3 s and 10 s at most", 20)


# ---- lists ----

def test_lists_in_pages(stack, api):
    users = api.all("users", limit=7)
    assert users.keys() == {o["id"] for o in stack.snapshot("users")} and len(users) > 20
    assert "loginclient" in users["1"] and "passwdclient" not in json.dumps(users)
    assert api.get("/v1/users", fields="fullname", limit=1)["items"] == [{"ipbx": "xivo", "id": "1", "fullname": "Alice Martin"}]
    assert api.get("/v1/users/xivo/1")["fullname"] == "Alice Martin"
    assert api.get("/v1/users", ipbx="other") == {"items": [], "next": None}
    assert [u["id"] for u in api.get("/v1/users", filter="loginclient:bob;profileclient:" + users["2"]["profileclient"])["items"]] == ["2"]
    assert api.get("/v1/users", filter="loginclient:nobody")["items"] == []
    assert {c["holded"] for c in api.get("/v1/channels", filter="holded:true")["items"]} <= {True}


@pytest.mark.parametrize("path,status,code", [
    ("/v1/nothing", 404, "no_such_list"), ("/v1/users/xivo/999", 404, "not_found"), ("/v1/users/other/1", 404, "not_found"),
    ("/v2", 404, "no_such_path"), ("/v1/users?limit=0", 400, "bad_limit"), ("/v1/users?limit=x", 400, "bad_limit"),
    ("/v1/users?cursor=x", 400, "bad_cursor"), ("/v1/users?fields=passwdclient", 400, "unknown_field"),
    ("/v1/users?feilds=id", 400, "unknown_parameter"), ("/v1/users?filter=passwdclient:x", 400, "bad_filter"), ("/v1/users/xivo/%zz", 400, "malformed"), ("/v1/users/xivo/%00", 400, "malformed"),
    ("/v1/users/xivo/%ff", 400, "malformed"), ("/v1/events?events=call.nothing", 400, "no_such_event"),
    ("/v1/events?lists=nothing", 400, "no_such_list"), ("/v1/events?last_event_id=x", 400, "bad_id")])
def test_what_is_wrong_with_a_question(api, path, status, code):
    answer = api.ask("GET", path)
    assert (answer.status, answer.code) == (status, code) and answer.json["title"] and answer.json["detail"].endswith(".") or \
        answer.json["detail"], answer.json


@pytest.mark.parametrize("method,path,body,status,code", [
    ("DELETE", "/v1/users", None, 405, "wrong_method"), ("POST", "/v1/calls", "{", 400, "malformed"), ("POST", "/v1/calls", "[]", 400, "malformed"),
    ("POST", "/v1/calls", {}, 422, "missing_field"), ("POST", "/v1/calls", {"to": 1002}, 422, "wrong_type"),
    ("POST", "/v1/calls", {"to": "1002", "form": "x"}, 422, "unknown_field"), ("POST", "/v1/calls", {"to": "nowhere!"}, 409, None),
    ("POST", "/v1/calls", {"to": "1002", "as": "other/2"}, 422, "bad_user"), ("POST", "/v1/calls", {"to": "1002", "as": "xivo/999"}, 403, "not_permitted"),
    ("POST", "/v1/calls/xivo/none/transfer", {"to": "1003"}, 404, "not_found"), ("PUT", "/v1/users/xivo/1/features", {}, 422, "missing_field"),
    ("PUT", "/v1/users/xivo/2/presence", {"presence": "away"}, 409, "not_logged_in"),
    ("POST", "/v1/queues/xivo/999/members", {"member": "agent:xivo/1"}, 404, "not_found")])
def test_what_is_wrong_with_a_command(api, method, path, body, status, code):
    answer = api.ask(method, path, body)
    assert answer.status == status and (code is None or answer.code == code), answer.json


# ---- calls ----

def test_a_call(api):
    call = talk(api)
    found = api.get(f"/v1/calls/xivo/{call}")
    assert (found["caller_number"], found["called_number"], found["state"]) == ("1001", "1002", "up")
    assert api.post(f"/v1/calls/xivo/{call}/record", {"on": True}).status == 204
    until(lambda: api.get(f"/v1/calls/xivo/{call}")["recorded"], "recorded")
    assert api.post(f"/v1/calls/xivo/{call}/record", {"on": False}).status == 204
    until(lambda: not api.get(f"/v1/calls/xivo/{call}")["recorded"], "not recorded")
    assert api.post(f"/v1/calls/xivo/{call}/transfer", {"to": "1003"}).status == 204
    until(lambda: any("1003" in (c["caller_number"], c["called_number"]) for c in api.all("calls").values()), "transferred")


def test_on_behalf_of_others(stack, api):
    call = talk(api, "1004", **{"as": "xivo/3"})
    assert api.get(f"/v1/calls/xivo/{call}")["caller_number"] == "1003"
    lesser = Api(port(stack), make_token(stack, "alice", "read", "calls"))
    assert lesser.post("/v1/calls", {"to": "1004", "as": "xivo/3"}).status == 403
    assert lesser.post(f"/v1/calls/xivo/{call}/hangup").status == 204, "whom alice's profile lets hang up, her token does"


def test_park(api):
    call = talk(api)
    assert api.post(f"/v1/calls/xivo/{call}/park").status == 204
    until(lambda: any(lot["bays"] for lot in api.all("parkinglots").values()), "parked")


def test_services(api):
    assert api.ask("PUT", "/v1/users/xivo/1/features", {"dnd": True, "record": True, "forward_busy": "1003"}).status == 204
    have = api.get("/v1/users/xivo/1/features")["userfeatures"]
    assert have["enablednd"] and have["callrecord"] and have["enablebusy"] and have["destbusy"] == "1003"
    assert api.ask("PUT", "/v1/users/xivo/1/features", {"dnd": True, "filter": True}).status == 204, "dnd is on already: no fault"
    assert api.get("/v1/users/xivo/1/features")["userfeatures"]["incallfilter"]
    assert api.ask("PUT", "/v1/users/xivo/1/features", {"dnd": False, "filter": False, "record": False, "forward_busy": ""}).status == 204
    assert not api.get("/v1/users/xivo/1/features")["userfeatures"]["enablednd"]


def test_presence(stack, api):
    client = stack.client("alice")
    until(lambda: api.get("/v1/users/xivo/1")["availstate"] == "available", "alice is there")
    assert api.ask("PUT", "/v1/users/xivo/1/presence", {"presence": "away"}).status == 204
    until(lambda: api.get("/v1/users/xivo/1")["availstate"] == "away", "alice is away")
    assert api.ask("PUT", "/v1/users/xivo/1/presence", {"presence": "nonsense"}).status == 403
    client.close()


def test_members_and_agents(api):
    agent = next(a for a in api.all("agents").values() if a["availability"] == "available")
    member = next(m for m in api.all("queuemembers").values() if f"agent:{agent['id']}" in m["relations"])
    queue = next(q for q in api.all("queues").values() if q["name"] == member["queue_name"])
    path = f"/v1/queues/xivo/{queue['id']}/members/agent:xivo%2F{agent['id']}"
    assert api.ask("PUT", path, {"paused": True, "reason": "lunch"}).status == 204
    until(lambda: api.get("/v1/queuemembers/xivo/" + member["id"].replace("/", "%2F").replace(",", "%2C"))["paused"] == "1", "paused")
    assert api.ask("PUT", path, {"paused": False}).status == 204
    until(lambda: api.get("/v1/queuemembers/xivo/" + member["id"].replace("/", "%2F").replace(",", "%2C"))["paused"] == "0", "not paused")


def test_history_and_directory(api):
    for _ in range(2):
        call = talk(api)
        api.post(f"/v1/calls/xivo/{call}/hangup")
        row = until(lambda call=call: [c for c in api.get("/v1/history")["calls"] if c["id"] == call], "it is in the log")[0]
        assert row["number"] == "1002" and row["direction"] == "sent", row
    page = api.get("/v1/history", limit=1)
    assert len(page["calls"]) == 1
    assert api.get("/v1/history", limit=1, cursor=page["next"])["calls"][0]["id"] != page["calls"][0]["id"]
    when = int(row["when"])
    assert not api.get("/v1/history", **{"from": when + 3600})["calls"] and api.get("/v1/history", until=when + 3600)["calls"]
    assert (answer := api.ask("GET", "/v1/history?limit=x")).status == 400 and answer.code == "bad_number"
    found = api.get("/v1/directory", search="bob")
    assert any("Bob Tremblay" in row for row in found["resultlist"])


def test_chat(stack, api):
    bob = stack.client("bob")
    assert api.post("/v1/chat", {"to": "xivo/2", "text": "the CRM says hello"}).status == 204
    line = next(m for m in iter(bob.line, None) if m["class"] == "chitchat")
    assert (line["from"], line["text"]) == ("xivo/1", "the CRM says hello")
    bob.close()
    answer = api.post("/v1/chat", {"to": "xivo/5", "text": "nobody is there"})
    assert answer.status == 409


# ---- requests that are repeated ----

def test_a_request_that_is_repeated(api):
    first = api.post("/v1/calls", {"to": "1002"}, key="one")
    again = api.post("/v1/calls", {"to": "1002"}, key="one")
    assert first.status == 202 and again.json == first.json
    until(lambda: api.all("calls"), "it is dialled")
    assert len(api.all("calls")) == 1, "once"
    other = api.post("/v1/calls", {"to": "1003"}, key="one")
    assert (other.status, other.code) == (422, "malformed")


# ---- events ----

def test_events_of_a_call(stack, token, api):
    listener = Listener(port(stack), token, events="call.*").live()
    call = talk(api)
    names = [listener.next(n).name for n in ("call.started", "call.ringing", "call.answered")]
    assert names == ["call.started", "call.ringing", "call.answered"]
    answered = listener.events[-1].data
    assert answered["call"]["id"] == call and [p["user"] for p in answered["parties"]] == ["1", "2"]
    assert [e.name for e in listener.events] == ["live", "call.started", "call.ringing", "call.answered"]
    api.post(f"/v1/calls/xivo/{call}/hangup")
    assert listener.next().name == "call.ended", "it was answered: nobody missed it"
    listener.close()


def test_a_call_that_nobody_answers(stack, token, api):
    listener = Listener(port(stack), token, events="call.*").live()
    api.post("/v1/calls", {"to": "1002"})
    call = listener.next("call.ringing").data["call"]["id"]
    api.post(f"/v1/calls/xivo/{call}/hangup")
    assert [listener.next().name, listener.next().name] == ["call.missed", "call.ended"]
    listener.close()


def test_a_listener_that_comes_back(stack, token, api):
    listener = Listener(port(stack), token, events="*").live()
    talk(api)
    listener.next("call.answered")
    listener.close()
    other = Listener(port(stack), token, events="*", last=listener.last)
    whole = Listener(port(stack), token, events="*", last=listener.events[0].id)
    for call in api.all("calls"):
        api.post(f"/v1/calls/xivo/{call}/hangup")
    other.next("call.ended")
    whole.next("call.ended")
    ids = [e.id for e in listener.events[1:] + other.events]
    assert ids == [e.id for e in whole.events[:len(ids)]], "none is lost, none comes twice, in the same order"
    assert not any(e.name == "snapshot" for e in other.events)
    other.close()
    whole.close()


def view_of(listener, *lists):
    """What a program knows that follows snapshot and changes."""
    known = {name: {} for name in lists}
    for e in listener.events:
        if e.name == "object":
            known.setdefault(e.data["list"], {})[e.data["object"]["id"]] = e.data["object"]
        elif e.name == "change":
            o = e.data["object"]
            if e.data["op"] == "del":
                known.setdefault(e.data["list"], {}).pop(o["id"], None)
            else:
                known.setdefault(e.data["list"], {}).setdefault(o["id"], {}).update(o)
    return known


def test_a_snapshot_and_what_follows(stack, token, api):
    listener = Listener(port(stack), token, events="change", lists="phones,calls", snapshot=1)
    listener.live()
    assert view_of(listener, "phones")["phones"] == api.all("phones")
    call = talk(api)
    until(lambda: (listener.next(), view_of(listener, "calls")["calls"].get(call, {}).get("state") == "up")[1], "the call is up there, too")
    until(lambda: view_of(listener, "phones", "calls") == {"phones": api.all("phones"), "calls": api.all("calls")} or
          listener.next(timeout=5) and False, "the same as by asking")
    listener.close()


def test_an_id_that_is_not_known_any_more(stack, token):
    listener = Listener(port(stack), token, events="change", lists="users", last="1.1.1")
    assert listener.next().name == "snapshot"
    listener.live()
    assert len(view_of(listener, "users")["users"]) > 20
    listener.close()


def test_state_is_restarted(stack, token, api):
    """A listener sees what has changed meanwhile, once."""
    listener = Listener(port(stack), token, events="call.*,change", lists="calls", snapshot=1).live()
    call = talk(api)
    listener.next("call.answered")
    stack.kill("state")
    stack.start("state")
    stack.wait_ready()
    until(lambda: api.ask("GET", f"/v1/calls/xivo/{call}").status == 200, "the call is known again")
    api.post(f"/v1/calls/xivo/{call}/hangup")
    listener.next("call.ended")
    names = [e.name for e in listener.events if e.name.startswith("call.") and e.data["call"]["id"] == call]
    assert names.count("call.answered") == 1 and names.count("call.ended") == 1, names
    listener.close()


# ---- hostile ----

@pytest.mark.parametrize("data,status", [
    (b"GET /v1 HTTP/1.1\r\n\r\n", 400), (b"GET /v1 HTTP/2.0\r\nHost: x\r\n\r\n", 505), (b"GET /v1\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400), (b"GET http://x/v1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"POST /v1/calls HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
    (b"POST /v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 413),
    (b"POST /v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    (b"POST /v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    (b"GET /v1 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400), (b"GET /v1 HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    (b"GET /v1 HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400), (b"GET /v1 HTTP/1.1\nHost: x\n\r\n\r\n", 400),
    (b"GET /v1 HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
    (b"GET /v1 HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20000, 431)])
def test_what_is_no_request(stack, data, status):
    answer = raw(stack, data)
    assert answer.startswith(b"HTTP/1.1 %d " % status) and b"Connection: close" in answer, answer


def test_several_requests_at_once(stack):
    one = b"GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = raw(stack, one * 3 + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + one)
    assert answer.count(b"HTTP/1.1 200 OK") == 4, "one after the other, and none behind the one that closes"


def test_a_client_that_asks_first(stack, token):
    """curl sends a longer body only when it is told to go on."""
    body = json.dumps({"to": "nowhere!"}).encode()
    with socket.create_connection(("127.0.0.1", port(stack)), TIMEOUT) as s:
        s.sendall(b"POST /v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                  % (token.encode(), len(body)))
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert s.recv(100).startswith(b"HTTP/1.1 409 ")


def test_one_who_sends_nothing(stack):
    before = stack.metric("http-gw", "ctibus_api_slow_total")
    with socket.create_connection(("127.0.0.1", port(stack)), TIMEOUT) as silent, \
            socket.create_connection(("127.0.0.1", port(stack)), TIMEOUT) as slow:
        slow.sendall(b"GET /v1 HTTP/1.1\r\n")
        silent.settimeout(20)
        slow.settimeout(20)
        assert silent.recv(10) == b"" and slow.recv(10) == b""
    assert stack.metric("http-gw", "ctibus_api_slow_total") == before + 1


def test_a_budget(stack):
    stack.set("ctibus.api.requests_per_second", 1)
    stack.set("ctibus.api.requests_burst", 5)
    program = stack.start("http-gw2")
    stack.wait_ready("http-gw2")
    api = Api(program.api, make_token(stack, "alice", "read"))
    statuses = [api.ask("GET", "/v1/users?limit=1").status for _ in range(10)]
    assert statuses[:5] == [200] * 5 and 429 in statuses[5:]
    assert api.ask("GET", "/v1/users").headers["Retry-After"] == "1"
    stack.programs.pop("http-gw2").terminate()


def test_one_who_guesses_tokens(stack):
    program = stack.start("http-gw5")
    stack.wait_ready("http-gw5")
    api = Api(program.api, "")
    statuses = []
    for i in range(150):
        api.token = f"ctb_{i:043d}"
        statuses.append(api.ask("GET", "/v1/users").status)
    assert statuses[:100] == [401] * 100 and 429 in statuses[100:] and set(statuses) == {401, 429}
    stack.programs.pop("http-gw5").terminate()


def test_the_head_of_a_stream(api):
    assert api.ask("HEAD", "/v1/events").status == 405
    assert api.get("/v1/me")["login"] == "alice", "the connection goes on"


def test_too_many_connections(stack):
    stack.set("ctibus.api.max_connections", 10)
    program = stack.start("http-gw3")
    stack.wait_ready("http-gw3")
    held = [socket.create_connection(("127.0.0.1", program.api), TIMEOUT) for _ in range(15)]
    until(lambda: stack.metric("http-gw3", "ctibus_api_refused_total") == 5, "five are closed")
    for s in held:
        s.close()
    until(lambda: stack.metric("http-gw3", "ctibus_api_connections") == 0, "and the others are forgotten")
    assert Api(program.api, "").get("/v1")
    stack.programs.pop("http-gw3").terminate()


def test_a_clean_stop(stack, token):
    program = stack.start("http-gw4")
    stack.wait_ready("http-gw4")
    listener = Listener(program.api, token).live()
    idle = Api(program.api, token)
    assert idle.get("/v1/me")
    began = time.monotonic()
    assert stack.programs.pop("http-gw4").terminate() == 0 and time.monotonic() - began < 3
    assert listener.ended(5)
