"""Queue statistics, from the AMI socket to CTI clients and to a monitor."""

import pytest
from stack import Stack, until

FIGURES = {"Xivo-LoggedAgents", "Xivo-AvailableAgents", "Xivo-TalkingAgents", "Xivo-WaitingCalls", "Xivo-EWT",
           "Xivo-LongestWaitTime"}


def figures(client):
    """What the next line about the figures of queues says."""
    while True:
        m = client.line()
        assert m is not None
        if m["class"] == "getqueuesstats" and "replyid" not in m:
            return m["stats"]


def follow(client, queue, condition):
    """Reads until the figures of a queue are as they should be."""
    while True:
        stats = figures(client)
        assert all(set(f) == FIGURES for f in stats.values())
        if queue in stats and condition(stats[queue]):
            return stats[queue]


def sums(client, **on):
    return client.ask("getqueuesstats", on=on)["stats"]


def window(client, queue="1"):
    return sums(client, **{queue: {"window": "3600", "xqos": "60"}})[queue]


@pytest.mark.parametrize("version", ["1.8", "20"])
def test_calls_of_a_queue_are_counted_and_its_members_shown(version):
    with Stack(f"{version}/11-queue-answered.ami", sim_args=["--wait-login", "--loops", "1"],
               parts=("state", "ami-gw", "cti-gw")) as s:
        s.wait_ready("state", "cti-gw")
        alice = s.client("alice")
        bob = s.client("bob")  # asks for nothing unasked
        monitor = s.monitor("stats/")
        alice.send("subscribetoqueuesstats")
        now = figures(alice)
        assert set(now) == {"1", "2", "3", "4"}
        assert all(f == dict.fromkeys(FIGURES, 0) for f in now.values())
        assert window(alice)["Xivo-Join"] == 0 and window(alice)["Xivo-Rate"] == ""
        s.start("sim")
        follow(alice, "1", lambda f: f["Xivo-LoggedAgents"] > 0)
        until(lambda: s.sim_status()["done"], "the capture is played")
        until(lambda: window(alice)["Xivo-Link"] == 2, "both calls are counted")
        w = window(alice)
        assert (w["Xivo-Join"], w["Xivo-Link"], w["Xivo-Lost"]) == (2, 2, 0)
        assert (w["Xivo-Rate"], w["Xivo-Qos"]) == (100, 100)
        assert 0 < w["Xivo-Holdtime-avg"] <= w["Xivo-Holdtime-max"] < 6
        assert window(alice, "2")["Xivo-Join"] == 0
        assert sums(alice, nosuch={"window": 60}) == {}
        assert monitor.wait("stats/xivo/queues/1/")[2].keys() == FIGURES
        assert alice.ask("getqueuesstats")["error_string"] == "missing:on"
        bob.drain()
        assert not [m for m in bob.seen if m["class"] == "getqueuesstats"]


def test_figures_outlive_a_gateway_and_a_state():
    with Stack("20/11-queue-answered.ami", pace="300/s",
               sim_args=["--wait-login", "--loops", "1"]) as s:
        s.wait_ready("state", "cti-gw")
        alice = s.client("alice")
        alice.send("subscribetoqueuesstats")
        until(lambda: s.sim_status()["done"], "the capture is played")
        until(lambda: window(alice)["Xivo-Link"] > 0, "a call is counted")
        s.start("cti-gw2")
        s.wait_ready("cti-gw2")
        late = s.client("alice", part="cti-gw2")
        late.send("subscribetoqueuesstats")
        there = figures(late)["1"]["Xivo-LoggedAgents"]
        assert there > 0
        s.kill("state")
        s.start("state")
        s.wait_ready("state")
        until(lambda: s.snapshot("queues", "1")[0]["Xivo-LoggedAgents"] == there,
              "they are computed anew from a listing")
        late.send("subscribetoqueuesstats")
        follow(late, "1", lambda f: f["Xivo-LoggedAgents"] == there)
