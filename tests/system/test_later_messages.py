"""What the clients of 2012-06 to 2015 use beyond the lists: views, status of people, commands."""

import json
import time

import pytest
from stack import DATA, Stack, until
from test_truth import playing

CALLS = "20/02-call-answered.ami"
WITHOUT_GATEWAY = ("sim", "state", "cti-gw")  # it is started when the client looks


def wait_for(client, cls, condition=lambda m: True):
    """The next line of that class for which the condition holds."""
    while True:
        m = client.line()
        assert m is not None, "connection ended"
        if m["class"] == cls and condition(m):
            return m


@pytest.fixture(scope="module", params=["20", "1.8"])
def version(request):
    return request.param


def test_conference(version):
    """Alice comes into a room and is seen there, and goes."""
    name = next(p.name for p in (DATA / version).glob("15-*.ami"))
    with Stack(f"{version}/{name}", parts=WITHOUT_GATEWAY) as s:
        s.wait_ready()
        c = s.client("alice")
        c.send("subscribe", message="meetme_update")
        first = wait_for(c, "meetme_update")
        s.start("ami-gw")
        assert set(first["config"]) == {"4001", "4002"}
        room = wait_for(c, "meetme_update", lambda m: m["config"]["4001"]["member_count"] > 0)
        room = room["config"]["4001"]
        member = next(iter(room["members"].values()))
        assert room["start_time"] != 0 and member["join_order"] >= 1
        assert member["muted"] in ("Yes", "No") and member["number"]
        c.close()


def test_queue_entries(version):
    name = next(p.name for p in (DATA / version).glob("11-*.ami"))
    with Stack(f"{version}/{name}", parts=WITHOUT_GATEWAY) as s:
        s.wait_ready()
        c = s.client("alice")
        answer = c.ask("subscribe", message="queueentryupdate", queueid="99")
        assert answer["error_string"] == "no_such_queue"
        queues = c.ask("getlist", function="listid", listname="queues", tipbxid="xivo")["list"]
        for q in queues:
            c.send("subscribe", message="queueentryupdate", queueid=q)
        s.start("ami-gw")
        entry = wait_for(c, "queueentryupdate", lambda m: m["state"]["entries"])["state"]
        assert entry["entries"][0]["position"] == 1 and entry["entries"][0]["join_time"] > 1e9
        assert str(entry["queue_id"]) in queues
        wait_for(c, "queueentryupdate",
                 lambda m: m["state"]["queue_id"] == entry["queue_id"] and not m["state"]["entries"])
        c.close()


def test_current_calls_and_status(version):
    name = "02-call-answered.ami"
    with Stack(f"{version}/{name}", parts=WITHOUT_GATEWAY) as s:
        s.wait_ready()
        c = s.client("alice")
        relations = c.ask("get_relations")["data"]
        assert relations == {"xivo_uuid": "xivo", "user_id": 1, "endpoint_id": 11, "agent_id": 1}
        c.send("subscribe", message="current_calls")
        c.send("register_endpoint_status_update", endpoint_ids=[["xivo", 11], ["", 0], ["other", 1], "x"])
        wait_for(c, "endpoint_status_update", lambda m: m["data"]["endpoint_id"] == 11)
        s.start("ami-gw")
        up = wait_for(c, "current_calls", lambda m: any(x["call_status"] == "up" for x in m["current_calls"]))
        assert up["current_calls"][0]["cid_number"] == "1002"
        wait_for(c, "endpoint_status_update", lambda m: m["data"]["status"] == 0)
        wait_for(c, "current_calls", lambda m: m["current_calls"] == [])
        c.send("register_user_status_update", user_ids=[["xivo", 2]])
        first = wait_for(c, "user_status_update")
        assert first["data"] == {"xivo_uuid": "xivo", "user_id": 2, "status": "disconnected"}
        b = s.client("bob")
        assert wait_for(c, "user_status_update")["data"]["status"] == "available"
        c.ask("keepalive")
        c.send("unregister_user_status_update", user_ids=[["xivo", "2"]])
        c.ask("keepalive")
        b.ask("availstate", availstate="away")
        n = c.send("keepalive")
        assert wait_for(c, "keepalive", lambda m: m["replyid"] == n)
        assert c.ask("register_agent_status_update", agent_ids=7)["error_string"] == "malformed"
        b.close()
        c.close()


def test_a_call_to_an_application_is_up(version):
    """alice listens to her mailbox: nobody is called, and nothing rings."""
    with Stack(f"{version}/17-voicemail-mwi.ami", parts=WITHOUT_GATEWAY) as s:
        s.wait_ready()
        c = s.client("alice")
        c.send("subscribe", message="current_calls")
        s.start("ami-gw")
        wait_for(c, "current_calls", lambda m: [x["call_status"] for x in m["current_calls"]] == ["up"])
        c.close()


def test_early_member_ids():
    """Members are asked for, and told, as qa:QUEUE-AGENT by the clients of 2012."""
    with Stack("20/11-queue-answered.ami", parts=WITHOUT_GATEWAY) as s:
        s.wait_ready()
        c = s.client("alice")
        s.start("ami-gw")
        until(lambda: c.ask("getlist", function="listid", listname="queuemembers", tipbxid="xivo")["list"], "members")
        queues = c.ask("getlist", function="listid", listname="queues", tipbxid="xivo")["list"]
        found = []
        for q in queues:
            for phone in ("11", "12", "13", "14", "15"):
                tid = f"qp:{q}-{phone}"
                answer = c.ask("getlist", function="updatestatus", listname="queuemembers", tipbxid="xivo", tid=tid)
                assert answer["tid"] == tid
                if answer["status"]:
                    found.append(tid)
        assert found
        told = wait_for(c, "getlist", lambda m: m.get("tid", "").startswith("qp:") and "replyid" not in m)
        assert told["function"] == "updatestatus" and told["status"]
        c.close()


def test_last_call_of_members():
    """Clients from 2013 on show it as it comes; those of 2012, which know members as qp:QUEUE-PHONE, take a number."""
    with playing("11-queue-answered.ami") as (s, player):
        player.play(134327)  # bob's call is over
        until(lambda: any(m["id"] == "PJSIP/bob,support" and m["callstaken"] == "1" for m in s.snapshot("queuemembers")), "a call")
        c = s.client("alice")

        def last_call(tid):
            answer = c.ask("getlist", function="updatestatus", listname="queuemembers", tipbxid="xivo", tid=tid)
            return answer["status"]["lastcall"]

        number = last_call("qp:1-12")
        assert number.isdigit() and int(number) > 1.7e9
        assert last_call("PJSIP/bob,support") == time.strftime("%H:%M:%S", time.localtime(int(number)))
        assert last_call("Agent/2001,agentq") == ""
        c.close()


def test_early_member_ids_of_those_who_leave():
    with Stack("20/13-queue-members.ami", parts=WITHOUT_GATEWAY) as s:
        s.wait_ready()
        c = s.client("alice")
        c.ask("getlist", function="updatestatus", listname="queuemembers", tipbxid="xivo", tid="qp:1-11")
        s.start("ami-gw")
        left = wait_for(c, "getlist", lambda m: m["function"] == "delconfig" and m["list"][0].startswith("qp:"))
        assert left["listname"] == "queuemembers"
        named = [m["list"][0] for m in c.seen if m.get("function") == "delconfig"]
        assert any("," in name for name in named)  # also by its own
        c.close()


def test_commands_reach_the_asterisk():
    """From the client's line to the action, to what the Asterisk says of it, and back."""
    with Stack(CALLS) as s:
        s.wait_ready()
        c = s.client("alice")
        n = c.send("ipbxcommand", command="dial", destination="1002")
        answer = wait_for(c, "ipbxcommand", lambda a: a["replyid"] == n)
        assert answer["ipbxreply"] == "ok" and "response" not in answer
        later = wait_for(c, "ipbxcommand", lambda a: a.get("replyid") == n)
        assert later["response"] == "ok"
        assert wait_for(c, "dial_success")["exten"] == "1002"
        assert c.ask("ipbxcommand", command="dial")["error_string"] == "missing:destination"
        assert c.ask("ipbxcommand", command="nosuch")["warning_string"] == "unimplemented"
        assert c.ask("ipbxcommand", details={"command": "hangup"})["error_string"] == "missing:command"
        assert c.ask("ipbxcommand", command="hangup", channelids="chan:xivo/SIP/none-1")["ipbxreply"] == "channelids"
        s.kill("ami-gw")
        until(lambda: c.ask("ipbxcommand", command="dial", destination="1002")["ipbxreply"] == "noconn",
              "the link is seen to be gone")
        c.close()


def test_agent_login_at_login():
    with Stack(CALLS, users=[{"id": 1, "firstname": "A", "lastname": "B", "loginclient": "alice",
                              "passwdclient": "alice", "enableclient": 1, "profileclient": "client",
                              "agentid": 1}]) as s:
        s.wait_ready()
        agents = json.loads(s.path("agents.json").read_text())
        assert agents[0]["id"] in (1, "1")
        for number, reply in (("1001", "ok"), ("77", "agentphonenumber")):
            c = s.connect()
            c.login_with("alice", "client", loginkind="agent", agentphonenumber=number, agentlogin="now")
            answer = wait_for(c, "ipbxcommand")
            assert answer["command"] == "agentlogin" and answer["ipbxreply"] == reply
            if reply == "ok":
                assert wait_for(c, "ipbxcommand")["response"] == "ok"
            else:
                assert answer["error_string"] == "agent_login_invalid_exten"
            c.close()


def test_chat_across_gateways():
    """To every session of the other, wherever it is; with who sends it as clients know it."""
    with Stack(CALLS) as s:
        s.start("cti-gw2")
        s.wait_ready()
        a = s.client("alice")
        bob = [s.client("bob"), s.client("bob", part="cti-gw2")]
        assert "warning_string" not in a.ask("chitchat", to="xivo/2", text="héllo ]]> \u2028")
        for b in bob:
            m = wait_for(b, "chitchat")
            assert (m["from"], m["to"], m["text"]) == ("xivo/1", "xivo/2", "héllo ]]> \u2028")
        assert a.ask("chitchat", to="xivo/3", text="x")["warning_string"] == "not_connected"
        s.kill("cti-gw2")  # who is gone hears nothing, the others go on
        a.ask("chitchat", to="xivo/2", text="again")
        assert wait_for(bob[0], "chitchat")["text"] == "again"
        s.kill("state")
        assert a.ask("chitchat", to="xivo/2", text="x")["error_string"] == "noconn"
        s.start("state")
        until(lambda: not {"error_string", "warning_string"} & set(a.ask("chitchat", to="xivo/2", text="back")),
              "state is back")
        assert wait_for(bob[0], "chitchat", lambda m: m["text"] == "back")
        for c in (a, *bob):
            c.close()


def test_calls(version):
    """Pushed to who knows the list, and to be asked for by all."""
    with Stack(f"{version}/02-call-answered.ami", parts=WITHOUT_GATEWAY) as s:
        s.wait_ready()
        old = s.client("bob")
        c = s.client("alice", accepts=["calls"])
        s.start("ami-gw")
        def is_call(m):
            return m.get("listname") == "calls"
        new = wait_for(c, "getlist", lambda m: is_call(m) and m["function"] == "addconfig")
        wait_for(c, "getlist", lambda m: is_call(m) and m.get("status", {}).get("state") == "up")
        assert new["list"][0] in old.ask("getlist", function="listid", listname="calls", tipbxid="xivo")["list"]
        status = old.ask("getlist", function="updatestatus", listname="calls", tipbxid="xivo", tid=new["list"][0])["status"]
        assert status["state"] == "up" and status["direction"] == "internal"
        assert 1 <= len(status["participants"]) <= 2  # the first of them may have hung up by now
        wait_for(c, "getlist", lambda m: is_call(m) and m["function"] == "delconfig" and m["list"] == new["list"])
        old.ask("keepalive")
        assert not [m for m in old.seen if is_call(m) and "replyid" not in m]
        old.close()
        c.close()


def test_chat_waits_for_the_next_login():
    with Stack(CALLS, parts=WITHOUT_GATEWAY, config={"ctibus.retention.chat_days": 30}) as s:
        s.wait_ready()
        alice = s.client("alice")
        assert alice.ask("chitchat", to="xivo/2", text="call me")["kept"] is True
        bob = s.client("bob")
        m = wait_for(bob, "chitchat")
        assert (m["from"], m["text"]) == ("xivo/1", "call me") and m["when"] <= m["timenow"]
        assert [x["text"] for x in bob.ask("chat_history", **{"with": "xivo/1"})["messages"]] == ["call me"]
        assert bob.ask("chat_history")["error_string"] == "missing:with"
        bob.close()
        alice.close()
