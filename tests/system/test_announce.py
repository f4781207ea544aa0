"""ANNOUNCE: an Asterisk that has started is connected to at once."""

import pytest
from consoles import announce
from stack import Stack, until


def long_back_off(stack):
    """An Asterisk that refuses our login is asked ever more rarely: waits until the next try is some seconds away, and puts one
    in its place that does not."""
    stack.sim_args = ["--password", "another"]
    stack.start("sim")
    until(lambda: stack.metric("ami-gw", "ctibus_ami_connects_total") >= 3, "a long back-off")
    stack.programs["ami-gw"].says("login as ctibus refused")
    stack.programs.pop("sim").terminate()
    stack.sim_args = ()
    stack.start("sim")


def count(stack, what):
    return stack.metric("state", f"ctibus_state_announced{what}_total")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_back_off_is_cut_short(host):
    with Stack(parts=("state", "ami-gw"), config={"ipbxes.xivo.ipbx_connection.ipaddress": host}) as s:
        s.wait_ready("state")
        long_back_off(s)
        announce(s, b"hello")
        announce(s, b"")
        announce(s, b"asteris")
        announce(s, source="127.0.0.2")
        until(lambda: count(s, "_ignored") == 4, "they are counted")
        assert not s.programs["ami-gw"].logged("announces itself")
        announce(s)
        s.wait_ready("ami-gw", timeout=4)
        s.programs["ami-gw"].says("xivo announces itself: connecting now")
        assert (count(s, ""), count(s, "_ignored")) == (1, 4)


def test_a_link_that_is_up_stays_up():
    with Stack(parts=("sim", "state", "ami-gw")) as s:
        s.wait_ready()
        announce(s, b"asterisk")
        until(lambda: s.programs["ami-gw"].logged("xivo announces itself: the link is up, and is tried"), "it is told")
        assert s.is_ready("ami-gw")
        assert s.metric("ami-gw", "ctibus_ami_connects_total") == 1


def test_many_announcements_are_one():
    with Stack(parts=("state", "ami-gw")) as s:
        s.wait_ready("state")
        until(lambda: s.programs["ami-gw"].logged("state is there"), "the gateway has found state")
        until(lambda: (announce(s), s.programs["ami-gw"].logged("announces itself"))[1], "it is registered")
        begun = sum("announces itself" in line for line in s.programs["ami-gw"].lines)
        before = count(s, "")
        for _ in range(200):
            announce(s)
        until(lambda: count(s, "") == before + 200, "all are counted")
        assert sum("announces itself" in line for line in s.programs["ami-gw"].lines) <= begun + 2


def test_without_a_gateway():
    with Stack(parts=("state",)) as s:
        s.wait_ready()
        announce(s)
        until(lambda: s.programs["state"].logged("ANNOUNCE: xivo is there, but no ami-gw of it"), "it is told")
