"""Recorded scenarios of an Asterisk 1.8 and a 20, from the AMI socket to CTI clients and to a monitor."""

import json
import re
import subprocess

import msgpack
import pytest
import zmq
from stack import BIN, Context, Stack, until

LISTS = ("users", "phones", "agents", "queues", "groups", "meetmes", "voicemails", "trunks", "parkinglots",
         "queuemembers")


def play(capture):
    """Plays a capture to the end before a client that has asked for everything."""
    s = Stack(capture, pace="300/s", sim_args=["--wait-login", "--loops", "2"],
              parts=("state", "ami-gw", "cti-gw"))
    s.wait_ready("state", "cti-gw")
    alice = s.client("alice")
    for name in LISTS:
        for i in alice.ask("getlist", function="listid", listname=name, tipbxid="xivo")["list"]:
            for function in ("updateconfig", "updatestatus"):
                alice.ask("getlist", function=function, listname=name, tipbxid="xivo", tid=i)
    s.start("sim")
    until(lambda: s.sim_status()["done"], f"{capture} is played")
    alice.drain(0.7)
    for tid in {i for name, i in alice.view if name == "queuemembers"} | {
            i for m in alice.seen if m["function"] == "addconfig" and m["listname"] == "queuemembers"
            for i in m["list"]}:
        alice.ask("getlist", function="updateconfig", listname="queuemembers", tipbxid="xivo", tid=tid)
    return s, alice


def told(client, listname, tid, field):
    """What one field of an object went through, as it was pushed."""
    return [m[kind][field] for m in client.seen if m["listname"] == listname and m.get("tid") == tid
            for kind in ("status", "config") if field in m.get(kind, {})]


def calls(client, device, field="commstatus"):
    """What the channels of a device went through, call by call."""
    out = {}
    for m in client.seen:
        if m["listname"] == "channels" and m.get("tid", "").startswith(device + "-") and field in m.get("status", {}):
            out.setdefault(m["tid"], []).append(m["status"][field])
    return list(out.values())


@pytest.mark.parametrize("capture", ["02-call-answered", "05-hold", "06-redirect-blind", "11-queue-answered",
                                     "17-voicemail-mwi", "20-did-incoming"])
def test_both_dialects_look_alike_to_a_client(capture):
    seen = {}
    for version in ("1.8", "20"):
        s, alice = play(f"{version}/{capture}.ami")
        with s:
            devices = ("SIP/alice", "SIP/bob", "SIP/carol", "SIP/pstn")
            # the last of the two times it is played: nothing of it was missed
            seen[version] = {(d, f): calls(alice, d, f)[-1:] for d in devices for f in ("commstatus", "holded")}
            for q in ("1", "2", "3"):
                seen[version]["queue", q] = [len(x) for x in told(alice, "queues", q, "incalls")][-2:]
            seen[version]["mailbox"] = told(alice, "voicemails", "3", "new")[-2:]
            seen[version]["members"] = {i: alice.status("queuemembers", i).get("paused")
                                        for n, i in alice.view if n == "queuemembers"}
            assert s.snapshot("channels") == []
    assert seen["1.8"] == seen["20"]


@pytest.mark.parametrize("version", ["1.8", "20"])
def test_a_queue_call_is_seen_by_clients(version):
    s, alice = play(f"{version}/11-queue-answered.ami")
    with s:
        waiting = told(alice, "queues", "1", "incalls")
        assert [] in waiting and any(len(w) == 1 for w in waiting)
        assert set(alice.status("queues", "1")["phonemembers"]) == {"12"}
        assert alice.status("queues", "1")["agentmembers"] == ["1"]
        assert set(alice.status("phones", "12")["queues"]) == {"1", "2"}
        assert alice.status("agents", "1")["queues"]
        member = alice.status("queuemembers", "SIP/bob,support")
        assert member["interface"] == "SIP/bob" and int(member["callstaken"]) >= 1
        assert "2" in told(alice, "queuemembers", "SIP/bob,support", "status")


@pytest.mark.parametrize("version", ["1.8", "20"])
def test_agents_log_in_talk_and_leave(version):
    s, alice = play(f"{version}/14-agent.ami")
    with s:
        assert told(alice, "agents", "1", "status")[-6:] == [
            "AGENT_IDLE", "AGENT_ONCALL", "AGENT_IDLE", "AGENT_ONCALL", "AGENT_IDLE", "AGENT_LOGGEDOFF"]
        assert told(alice, "agents", "1", "phonenumber")[-2:] == ["1001", None]


@pytest.mark.parametrize("version", ["1.8", "20"])
def test_a_conference_is_seen_by_clients(version):
    s, alice = play(f"{version}/15-conference.ami")
    with s:
        rooms = told(alice, "meetmes", "1", "channels")
        assert max(len(r) for r in rooms) == 3 and rooms[-1] == {}
        muted = [c for r in rooms for name, c in r.items() if name.startswith("SIP/alice-") and c["ismuted"]]
        assert muted and muted[0]["usernum"] == 1


@pytest.mark.parametrize("version", ["1.8", "20"])
def test_parked_calls_come_and_go(version):
    s, alice = play(f"{version}/16-parking.ami")
    with s:
        bays = told(alice, "parkinglots", "1", "701")
        parked = [b for b in bays if b]
        assert parked and all(p["parker"] == "SIP/bob" and p["parked"].startswith("SIP/alice-")
                              and p["cid_name"] == "Alice Martin" for p in parked)
        assert bays[-1] == {}
        assert any(True in p for p in calls(alice, "SIP/alice", "parked"))


@pytest.mark.parametrize("version", ["1.8", "20"])
def test_every_canonical_event_has_a_good_shape(version):
    """A monitor that knows the documents and nothing else."""
    topics = set(re.findall(r"^\| `(\w+/\w+/)` \|", (Stack.ROOT / "docs" / "bus.md").read_text(), re.M))
    assert len(topics) > 50
    with Stack(f"{version}/33-midcall-login.helper.ami", pace="300/s", sim_args=["--wait-login", "--loops", "1"],
               parts=("state", "ami-gw")) as s:
        s.wait_ready("state")
        monitor = s.monitor("tel/", "svc/ami-gw/")
        monitor.wait("svc/ami-gw/")  # the first subscription is in force, too
        s.start("sim")
        until(lambda: s.sim_status()["done"], "the capture is played")
        kinds = set()
        while m := monitor.message(0.5):
            topic, _, body = m
            if topic.startswith("svc/"):
                continue
            _, ipbx, subject, verb, end = topic.split("/")
            assert ipbx == "xivo" and end == "" and f"{subject}/{verb}/" in topics
            may_clear = {"channel/callerid": ("callerid_num", "callerid_name"), "member/status": ("reason",),
                         "channel/connected": ("connected_num", "connected_name"),
                         "member/paused": ("reason",)}.get(f"{subject}/{verb}", ())
            assert all(isinstance(k, str) and (v not in ("", "<unknown>", "<null>") or k == "value" or
                                               (v == "" and k in may_clear)) for k, v in body.items())
            kinds.add(f"{subject}/{verb}")
        monitor.close()
        assert {"channel/new", "channel/hangup", "queue/join", "parking/parked", "conference/join",
                "user/event", "member/status", "call/link", "originate/response"} <= kinds


def test_two_asterisks_in_one_state():
    """Each has its own gateway, and nothing of one is taken for the other's."""
    other = {"ipbx_connection": {"ipaddress": "127.0.0.1", "ipport": 0, "username": "ctibus",
                                 "password": "secret"},
             "urllists": {"urllist_lines": ["file:lines.json"], "urllist_queues": ["file:queues.json"]}}
    s = Stack("20/02-call-answered.ami", config={"ipbxes.lyon": other}, parts=())
    with s:
        s.second_asterisk("lyon", "1.8/11-queue-answered.ami")
        for part in ("sim", "state", "ami-gw", "cti-gw"):
            s.start(part)
        s.wait_ready("state", "ami-gw", "cti-gw")
        monitor = s.monitor("xod/")
        seen = {"xivo": set(), "lyon": set()}

        def both_told():
            m = monitor.message(1)
            if m and m[0].startswith("xod/") and "/status/channels/" in m[0]:
                seen[m[0].split("/")[1]].add(m[0])
            return all(len(v) >= 4 for v in seen.values())
        until(both_told, "channels of both Asterisks", 60)
        links = {o["id"]: o["link"] for o in s.snapshot("ipbx")}
        assert links == {"xivo": "up", "lyon": "up"}
        s.kill("ami-gw-lyon")
        until(lambda: {o["id"]: o["link"] for o in s.snapshot("ipbx")}
              == {"xivo": "up", "lyon": "down"}, "only one is down")
        monitor.close()


def ask(s, method, **body):
    context = Context()
    d = context.socket(zmq.DEALER)
    d.setsockopt(zmq.RCVTIMEO, 20000)
    d.connect(f"tcp://127.0.0.1:{s.ports['request']}")
    try:
        d.send_multipart([msgpack.packb(1), msgpack.packb(1), b"hello",
                          msgpack.packb({"service": "test", "instance": "t1", "version": "0"})])
        d.recv_multipart()
        d.send_multipart([msgpack.packb(1), msgpack.packb(2), method.encode(), msgpack.packb(body)])
        _, _, status, answer = d.recv_multipart()
        return status.decode(), msgpack.unpackb(answer)
    finally:
        d.close(0)
        context.term()


@pytest.mark.parametrize("version", ["1.8", "20"])
def test_actions_are_asked_from_outside(version):
    with Stack(f"{version}/02-call-answered.ami") as s:
        s.wait_ready("state", "ami-gw")
        status, answer = ask(s, "ami.action", action="QueueStatus", headers={})
        assert status == "ok" and answer["response"] == "Success" and answer["actionid"]
        assert {dict(map(tuple, e))["Event"] for e in answer["events"]} >= {"QueueParams", "QueueMember"}
        status, answer = ask(s, "ami.action", action="Hangup", headers={"Channel": "SIP/none-1"})
        assert status == "ok" and answer["response"] == "Error" and answer["message"] == "No such channel"
        assert ask(s, "ami.action", action="Hangup", headers={"Channel": "x\r\nAction: Logoff"})[0] == "malformed"
        assert ask(s, "ami.action", action="Ping", ipbx="nosuch", headers={})[0] == "not_found"
        _, answer = ask(s, "ami.action", action="record.stop", headers={"channel": "SIP/none-1"})
        assert answer["action"] == "StopMonitor"


@pytest.mark.parametrize("version, filters", [("1.8", False), ("20", True)])
def test_filters_let_agi_steps_through_where_they_exist(version, filters):
    with Stack(f"{version}/20-did-incoming.ami", pace="300/s",
               sim_args=["--wait-login", "--loops", "2"]) as s:
        s.wait_ready("state", "ami-gw")
        monitor = s.monitor("tel/xivo/channel/exten/", "tel/xivo/user/event/")
        until(lambda: s.sim_status()["done"], "the capture is played")
        seen = []
        while m := monitor.message(0.5):
            seen.append(m)
        monitor.close()
        steps = [body["application"] for topic, _, body in seen if "/channel/exten/" in topic]
        assert bool(steps) == filters and set(steps) <= {"AGI"}
        events = [body for topic, _, body in seen if "/user/event/" in topic]
        assert events and all(isinstance(e["headers"], dict) and e["name"] for e in events)
        # hundreds of variables and steps were not even sent
        assert s.metric("ami-gw", "ctibus_ami_untranslated_total") < 300


def test_the_tool_asks_for_actions():
    with Stack("20/02-call-answered.ami") as s:
        s.wait_ready("state", "ami-gw")

        def action(*words):
            r = subprocess.run([BIN / "ctibus", "--config", s.path("ctibus.json"), "action", *words],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
            return r.returncode, json.loads(r.stdout) if r.stdout else r.stderr
        code, answer = action("QueueStatus")
        assert code == 0 and answer["response"] == "Success" and len(answer["events"]) > 5
        code, answer = action("Hangup", "Channel=SIP/none-1")
        assert code == 1 and answer["message"] == "No such channel"
        code, answer = action("conference.lock", "room=4001")
        assert answer["action"] == "ConfbridgeLock"
        assert action("--ipbx", "nosuch", "Ping")[0] == 1
        assert action("Hangup", "no header")[0] == 2 and action()[0] == 2
        code, said = action("Hangup", "Channel=a\nAction: Logoff")
        assert code == 1 and "cannot be sent" in said
