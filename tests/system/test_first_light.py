"""A call on an Asterisk is seen by CTI clients, through the bus."""

import os
import re
import subprocess

import msgpack
import pytest
import zmq
from stack import BIN, ROOT, Context, Stack, until


def commstatuses(client, channel_prefix):
    """What the channels of a phone went through, in order."""
    return [m["status"]["commstatus"] for m in client.seen
            if m["listname"] == "channels" and m["function"] == "updatestatus"
            and m["tid"].startswith(channel_prefix) and "commstatus" in m["status"]]


@pytest.mark.parametrize("version", ["20", "1.8"])
def test_phones_ring_talk_and_hang_up(version):
    # played twice: the client may come in while the first call is under way
    with Stack(f"{version}/02-call-answered.ami", sim_args=["--wait-login", "--loops", "2"]) as s:
        s.wait_ready("state", "cti-gw")
        alice = s.client("alice").load()
        until(lambda: s.sim_status()["done"], "the capture is played")
        alice.drain(0.5)
        hints = [m["status"]["hintstatus"] for m in alice.seen
                 if m["listname"] == "phones" and m.get("tid") == "12" and "hintstatus" in m["status"]]
        assert hints[-1] == "0" and "8" in hints and "1" in hints[hints.index("8"):]
        bob = commstatuses(alice, "SIP/bob-")
        bob = [w for w in bob if w in ("ringing", "linked-called", "hangup")]
        assert ["ringing", "linked-called", "hangup"] in [bob[i:i + 3] for i in range(len(bob))]
        carol = commstatuses(alice, "SIP/carol-")
        assert carol[-1] == "hangup" and "linked-called" in carol
        assert all(alice.status("phones", p)["channels"] == [] for p in ("11", "12", "13"))
        assert not [k for k in alice.view if k[0] == "channels"]
        assert s.snapshot("channels") == []


def test_peers_and_names_are_told_while_they_talk():
    with Stack(sim_args=["--wait-login"]) as s:
        s.wait_ready("state", "cti-gw")
        alice = s.client("alice").load()

        def talking():
            return [f for (name, i), f in alice.view.items() if name == "channels"
                    and i.startswith("SIP/bob-") and f.get("commstatus") == "linked-called"]
        alice.wait(talking, "bob talks")
        bob = talking()[0]
        assert bob["talkingto_id"].startswith("SIP/alice-") and bob["talkingto_kind"] == "channel"
        assert bob["direction"] == "in" and bob["state"] == "Up" and bob["peerdisplay"] == "Alice Martin (1001)"


def test_channels_are_told_before_the_phone_that_names_them():
    with Stack(sim_args=["--wait-login", "--loops", "1"]) as s:
        s.wait_ready("state", "cti-gw")
        alice = s.client("alice").load()
        until(lambda: s.sim_status()["done"], "the capture is played")
        alice.drain(0.5)
        known = set()
        for m in alice.seen:
            if m["listname"] == "channels" and "tid" in m:
                known.add(m["tid"])
            for channel in m.get("status", {}).get("channels", []):
                assert channel in known


def test_numbers_of_changes_have_no_gap_and_only_what_changed_is_told():
    with Stack(sim_args=["--wait-login", "--loops", "1"]) as s:
        s.wait_ready("state")
        monitor = s.monitor("xod/", "tel/")
        until(lambda: s.sim_status()["done"], "the capture is played")
        last, values = {}, {}
        while (m := monitor.message(0.5)):
            topic, (version, source, epoch, seq, _), body = m
            assert version == 1 and topic.endswith("/")
            plane = topic.split("/")[0]
            if topic.startswith("xod/echo/"):
                assert seq == 0
                continue
            assert last.get((source, epoch, plane), seq - 1) == seq - 1
            last[source, epoch, plane] = seq
            if plane == "xod" and body["op"] == "update":
                for name, value in body["fields"].items():
                    assert values.get((topic, name), object()) != value
                    values[topic, name] = value
        assert len(last) == 2
        monitor.close()


def test_what_the_simulator_plays_is_what_state_knows_in_mid_call():
    with Stack("20/02-call-answered.ami") as s:
        s.wait_ready()
        alice = s.client("alice").load()

        def agree():
            alice.drain(0.05)
            before, snap, after = s.sim_status(), s.snapshot("channels"), s.sim_status()
            names = sorted(c["id"] for c in snap)
            mine = sorted(i for name, i in alice.view if name == "channels")
            return (names and before["channels"] == after["channels"]
                    and names == sorted(before["channels"]) and mine == names)
        until(agree, "client, state and simulator agree while channels are up")


def test_raw_events_flow_only_while_somebody_listens():
    with Stack() as s:
        s.wait_ready("state", "ami-gw")
        monitor = s.monitor("ami/xivo/VarSet/")
        topic, meta, body = monitor.wait("ami/xivo/VarSet/")
        assert body["Event"] == "VarSet" and "Variable" in body
        monitor.close()
        until(lambda: s.programs["ami-gw"].logged("raw events of xivo: off"), "raw events off")


def test_the_subscriber_of_the_documents_runs_as_it_stands():
    text = (ROOT / "docs" / "bus.md").read_text()
    program = re.search(r"```python\n(.*?)```", text, re.S)[1]
    with Stack() as s:
        program = program.replace("5551", str(s.ports["subscribe"]))
        p = subprocess.Popen(["/usr/bin/python3", "-u", "-c", program], stdout=subprocess.PIPE, text=True)
        try:
            line = p.stdout.readline()
            assert line.startswith(("tel/", "xod/", "svc/", "ami/")), line
        finally:
            p.kill()
            p.wait()


def test_the_shell_of_the_document_runs():
    text = (ROOT / "docs" / "bus.md").read_text()
    script = re.search(r"```sh\n(.*?)```", text, re.S)[1]
    assert len(script.splitlines()) <= 10
    with Stack(capture="20/02-call-answered.ami", pace="x5") as s:
        s.wait_ready("state", "ami-gw")
        p = subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True,
                             env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "CTIBUS_CONFIG": s.path("ctibus.json")})
        try:
            assert re.match(r"\d\d:\d\d:\d\d phone 1\d of xivo rings$", p.stdout.readline())
        finally:
            os.killpg(p.pid, 9)
            p.wait()
            p.stdout.close()


def test_tail_prints_and_ends_cleanly():
    with Stack() as s:
        s.wait_ready("state")
        p = subprocess.Popen([BIN / "ctibus", "--config", s.path("ctibus.json"), "tail", "tel"],
                             stdout=subprocess.PIPE, text=True)
        assert re.match(r"\d\d:\d\d:\d\d\.\d{3} tel/xivo/\w+/\w+/ \d+ \{.*\}$", p.stdout.readline())
        p.terminate()
        assert p.wait(5) == 0


def test_health_says_what_is_missing():
    with Stack(parts=("state", "ami-gw", "cti-gw")) as s:
        s.wait_ready("state", "cti-gw")
        assert not s.is_ready("ami-gw")
        s.start("sim")
        s.wait_ready("ami-gw")
        assert s.metric("ami-gw", "ctibus_ami_up") == 1


def test_requests_can_be_asked_by_a_foreign_tool():
    with Stack() as s:
        s.wait_ready("state")
        context = Context()
        d = context.socket(zmq.DEALER)
        d.connect(f"tcp://127.0.0.1:{s.ports['request']}")

        def ask(n, method, **body):
            d.send_multipart([msgpack.packb(1), msgpack.packb(n), method.encode(), msgpack.packb(body)])
            version, i, status, answer = d.recv_multipart()
            assert msgpack.unpackb(version) == 1 and msgpack.unpackb(i) == n
            return status.decode(), msgpack.unpackb(answer)
        assert ask(1, "snapshot")[0] == "unknown_peer"
        status, body = ask(2, "hello", service="test", instance="t1", version="0")
        assert status == "ok" and body["site"] == "xivo" and body["epoch"] > 0
        status, body = ask(3, "snapshot", list="users", id="1")
        assert status == "ok" and body["objects"][0][3]["loginclient"] == "alice"
        assert "alice" not in [v for k, v in body["objects"][0][3].items() if k != "loginclient"]
        assert ask(4, "no.such.method")[0] == "unknown_method"
        d.close(0)
        context.term()
