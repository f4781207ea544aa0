"""Parts die, links break, readers stall: nobody else notices, and every view is right again soon."""

import signal
import subprocess
import sys
import time

import pytest
from stack import BIN, SANITIZED, Stack, until, signal_of

HEAL_S = 5


def names(stack):
    return sorted(c["id"] for c in stack.snapshot("channels"))


def agree(stack, *clients):
    """Do clients, state and simulator hold the same channels and hints at one moment?"""
    for c in clients:
        assert c.drain(0.02), "a client was disconnected"
    before = stack.sim_status()
    known = {(o["list"], o["id"]): o for o in stack.snapshot()}
    for c in clients:
        assert c.drain(0.02), "a client was disconnected"
    after = stack.sim_status()
    if before["events_played"] != after["events_played"]:
        return False
    channels = sorted(i for name, i in known if name == "channels")
    if channels != sorted(after["channels"]):
        return False
    for (name, i), o in known.items():
        if name == "phones":
            hint = after["hints"].get(f"{o['number']}@{o['context']}")
            if hint is not None and o["hintstatus"] != str(hint):
                return False
    for c in clients:
        if sorted(i for name, i in c.view if name == "channels") != channels:
            return False
        for key, fields in c.view.items():
            if key[0] in ("phones", "users", "channels") and any(
                    known.get(key, {}).get(f) != v for f, v in fields.items()):
                return False
    return True


def heals(stack, *clients):
    until(lambda: agree(stack, *clients), "every view equals state's and the simulator's",
          HEAL_S if "asan" not in str(BIN) else 8 * HEAL_S)  # moments in which nothing is played are rare there


@pytest.mark.parametrize("version", ["20", "1.8"])
@pytest.mark.parametrize("part", ["ami-gw", "state", "cti-gw"])
def test_killed_under_load(part, version):
    with Stack(f"{version}/02-call-answered.ami", pace="x3") as s:
        s.start("cti-gw2")
        s.wait_ready()
        stay = [s.client("alice", part="cti-gw2").load(), s.client("bob", part="cti-gw2").load()]
        if part != "cti-gw":
            stay.append(s.client("carol").load())
        else:
            gone = s.client("carol")
        until(lambda: agree(s, *stay), "all agree before")
        s.kill(part)
        until(lambda: all(c.drain(0.02) for c in stay) and s.sim_status()["events_played"], "they stay")
        if part == "cti-gw":
            gone.closed()
        s.start(part)
        s.wait_ready(part)
        if part == "cti-gw":
            stay.append(s.client("carol").load())
        heals(s, *stay)
        for c in stay:
            assert c.ask("keepalive")
            assert c.ask("availstate", availstate="away")["class"] == "availstate"


def test_presence_survives_a_restart_of_state_unseen():
    with Stack() as s:
        s.wait_ready()
        alice, bob = s.client("alice", state="away").load(), s.client("bob").load()
        bob.wait(lambda: bob.status("users", "1").get("availstate") == "away", "presence")
        bob.seen.clear()
        s.kill("state")
        s.start("state")
        s.wait_ready()
        heals(s, alice, bob)
        assert not [m for m in bob.seen if m["listname"] == "users"], "nobody saw anybody flap"
        assert alice.status("users", "1")["connection"] == "yes"


def test_a_login_right_after_a_restart_of_state_is_told_what_is():
    with Stack(parts=("state", "cti-gw")) as s:
        s.wait_ready()
        s.client("bob", state="away")
        s.kill("state")
        s.start("state")
        until(lambda: s.programs["cti-gw"].lines[-1] and s.programs["cti-gw"].logged("state is gone"), "gone")
        until(lambda: sum("state is there" in x for x in s.programs["cti-gw"].lines) == 2, "back")
        c = s.client("alice", state="away")
        assert c.status("users", "1") | {"connection": "yes", "availstate": "away"} == c.status("users", "1")


def test_clients_of_a_lost_gateway_come_back_unseen_or_are_gone_after_the_grace_time():
    with Stack(parts=("sim", "state", "ami-gw", "cti-gw"), config={"ctibus.session_grace_seconds": 2}) as s:
        s.start("cti-gw2")
        s.wait_ready()
        watcher = s.client("alice", part="cti-gw2").load()
        back, away = s.client("bob"), s.client("carol")
        watcher.wait(lambda: watcher.status("users", "3").get("connection") == "yes", "logged in")
        watcher.drain()
        watcher.seen.clear()
        s.kill("cti-gw")
        back.closed(), away.closed()
        back = s.client("bob", part="cti-gw2")
        watcher.wait(lambda: watcher.status("users", "3").get("availstate") == "disconnected",
                     "who did not come back is gone", 20)
        assert watcher.status("users", "2")["availstate"] == "available"
        assert not [m for m in watcher.seen if m["listname"] == "users" and m.get("tid") == "2"
                    and m.get("status", {}).get("connection", "yes") is None]


@pytest.mark.parametrize("version", ["20", "1.8"])
def test_ami_link_cut_in_mid_call(version):
    with Stack(f"{version}/02-call-answered.ami") as s:
        s.wait_ready()
        alice = s.client("alice").load()
        until(lambda: names(s), "a call is up")
        monitor = s.monitor("xod/xivo/status/ipbx/")
        for _ in range(3):
            signal_of(s.programs["sim"], signal.SIGUSR1)
            time.sleep(0.2)  # cut again in the middle of what follows
        until(lambda: s.is_ready("ami-gw"), "back")
        heals(s, alice)
        monitor.close()


def test_ghosts_are_gone_after_a_resync_and_marked_synthetic():
    with Stack("20/02-call-answered.ami", sim_args=["--wait-login", "--loops", "1"]) as s:
        s.wait_ready("state")
        until(lambda: names(s), "a call is up")
        s.kill("ami-gw")  # and misses the end of the call
        until(lambda: s.sim_status()["done"] and not s.sim_status()["channels"], "the call is over")
        assert names(s)
        monitor = s.monitor("xod/xivo/status/channels/")
        s.start("ami-gw")
        s.wait_ready("ami-gw")
        deleted = monitor.wait("xod/xivo/status/channels/")
        while deleted[2]["op"] != "del":
            deleted = monitor.wait("xod/xivo/status/channels/")
        assert deleted[2]["synthetic"] is True
        until(lambda: not names(s), "no ghost is left", HEAL_S)
        monitor.close()


def test_asterisk_restarted():
    with Stack() as s:
        s.wait_ready()
        alice = s.client("alice").load()
        s.programs.pop("sim").terminate()
        until(lambda: not s.is_ready("ami-gw"), "the link is down")
        assert s.snapshot("ipbx")[0]["link"] == "down"
        s.start("sim")
        s.wait_ready("ami-gw")
        heals(s, alice)
        assert s.snapshot("ipbx")[0]["link"] == "up"


def test_three_hundred_clients_stop_reading():
    with Stack("20/02-call-answered.ami", pace="3000/s", config={"ctibus.cti.max_output": 65536}) as s:
        s.wait_ready()
        good = s.client("alice").load()
        stalled = []
        for i in range(300):
            c = s.connect(receive_buffer=4096)
            c.login("bob", "bob")
            stalled.append(c)
            assert good.skip(0.01), "a client that reads stays"
        before = s.metric("cti-gw", "process_resident_memory_bytes")

        def all_cut():
            assert good.skip()
            return s.metric("cti-gw", "ctibus_cti_slow_total") >= 300
        until(all_cut, "who does not read is disconnected", 240)
        assert s.metric("cti-gw", "process_resident_memory_bytes") - before < 60 << 20 or SANITIZED
        start = time.monotonic()
        assert good.ask("keepalive")
        assert time.monotonic() - start < 1
        for c in stalled:
            c.close()


MONITOR = """
import sys, zmq
s = zmq.Context().socket(zmq.SUB)
s.set_hwm(10)
s.connect(f"tcp://127.0.0.1:{sys.argv[1]}")
s.subscribe(b"")
s.recv_multipart()
print("reads", flush=True)
while True:
    s.recv_multipart()
"""


def stopped_monitor(stack):
    """A subscriber to everything whose whole process stands still: ZeroMQ's own thread would go on to read."""
    monitor = subprocess.Popen([sys.executable, "-c", MONITOR, str(stack.ports["subscribe"])], stdout=subprocess.PIPE)
    assert monitor.stdout.readline() == b"reads\n"
    monitor.send_signal(signal.SIGSTOP)
    return monitor


def test_stalled_monitors_cost_a_bounded_amount_and_slow_nobody():
    with Stack("20/02-call-answered.ami", pace="20000/s", config={"ctibus.bus.subscriber_hwm": 20000}) as s:
        s.wait_ready()
        alice = s.client("alice").load()
        before = s.metric("state", "process_resident_memory_bytes")
        stalled = [stopped_monitor(s) for _ in range(2)]
        try:
            def full():
                assert alice.skip(), "a client that reads stays"
                return s.metric("state", "ctibus_bus_subscriber_full_total") >= 2
            until(full, "both have as much as they may", 120)
            until(lambda: s.programs["state"].logged("a subscriber of the bus does not read"), "told")
            start = time.monotonic()
            assert alice.ask("keepalive") and time.monotonic() - start < 1
            assert s.metric("state", "process_resident_memory_bytes") - before < 60 << 20 or SANITIZED
        finally:
            for monitor in stalled:
                monitor.kill()
                monitor.wait()
        s.kill("sim")
        until(lambda: SANITIZED or s.metric("state", "process_resident_memory_bytes") - before < 24 << 20,
              "what they held goes back to the system", 40)
        assert s.metric("state", "ctibus_bus_subscriber_full_total") >= 2


def test_everything_stops_cleanly_and_quickly():
    with Stack() as s:
        s.wait_ready()
        alice = s.client("alice")
        start = time.monotonic()
        assert set(s.stop().values()) == {0}
        assert time.monotonic() - start < 10
        alice.closed()
        s.programs.clear()


def test_reloaded_under_load():
    with Stack("20/02-call-answered.ami", pace="x3") as s:
        s.wait_ready()
        stay = [s.client("alice").load(), s.client("bob").load()]
        users = s.path("users.json").read_text()
        stay[0].seen.clear()
        for n in range(10):
            s.path("users.json").write_text(users.replace('"Carole"', f'"Carole{n}"'))
            signal_of(s.programs["state"], signal.SIGHUP)
            for c in stay:
                c.wait(lambda c=c, n=n: c.status("users", "3").get("firstname") == f"Carole{n}", "reloaded")
        told = [m for m in stay[0].seen if m["listname"] == "users" and m["function"] != "updatestatus"]
        assert {m["function"] for m in told} == {"updateconfig"}, "only what differs is told"
        assert {m["tid"] for m in told} == {"3"} and all(set(m["config"]) <= {"firstname", "fullname"} for m in told)
        heals(s, *stay)


def test_stopped_and_started_under_load():
    """Nobody is disconnected, and a new epoch begins to count from 1."""
    with Stack("20/02-call-answered.ami", pace="x3") as s:
        s.wait_ready()
        stay = [s.client("alice").load(), s.client("bob").load()]
        m = s.monitor("xod/")
        epoch = m.wait("xod/")[1][2]

        def numbered():
            """The next change; echoes, which replicas ask for, have no number."""
            while True:
                message = m.wait("xod/")
                if message[1][3] > 0:
                    return message
        for _ in range(3):
            since = time.monotonic()
            assert s.programs.pop("state").terminate() == 0
            assert time.monotonic() - since < 5
            s.start("state")
            s.wait_ready("state", "cti-gw", "ami-gw")
            first = None
            while first is None or first[1][2] == epoch:
                first = numbered()
            assert first[1][2] > epoch
            last, epoch = first[1][3], first[1][2]
            for _ in range(20):
                _, meta, _ = numbered()
                assert meta[2] == epoch and meta[3] == last + 1
                last = meta[3]
            heals(s, *stay)
        m.close()
