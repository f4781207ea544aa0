"""The site that we ship: four profiles, and no users whose password is their name for other machines."""

import json
import subprocess

import pytest
from stack import BIN, ROOT, Stack, until

SAMPLE = json.loads((ROOT / "config" / "ctibus.json").read_text())
OTHERS = ("listen", "stoplisten", "record", "hangup", "intercept", "originate", "meetme", "sipnotify")
QUEUES = ("agentlogin", "agentlogout", "queueadd", "queueremove", "queuepause", "queueunpause")


@pytest.fixture(scope="module", name="stack")
def one_stack():
    users = [{"id": n, "firstname": name, "lastname": "", "loginclient": name, "passwdclient": name, "enableclient": 1,
              "profileclient": profile} for n, (name, profile) in enumerate(
                  (("ulla", "user"), ("axel", "agent"), ("sven", "supervisor")), 1)]
    config = {section: SAMPLE[section] for section in ("profiles", "regcommands", "ipbxcommands")}
    with Stack(users=users, config=config) as s:
        yield s.wait_ready()


def permitted(c, command):
    return "unallowed" not in c.ask("ipbxcommand", command=command, destination="x", subcommand="start", channelids="x",
                                    tointercept="x", source="x", function="x", functionargs=[], channel="x",
                                    variables={}, queue="x").get("warning_string", "")


@pytest.mark.parametrize("user, others, queues", [("ulla", False, False), ("axel", False, True), ("sven", True, True)])
def test_what_each_profile_permits(stack, user, others, queues):
    c = stack.client(user)
    assert {command: permitted(c, command) for command in OTHERS} == dict.fromkeys(OTHERS, others)
    assert {command: permitted(c, command) for command in QUEUES} == dict.fromkeys(QUEUES, queues)
    for command in ("dial", "answer", "hangupme", "transfer", "atxfer", "transfercancel", "refuse", "parking"):
        assert permitted(c, command), command
    for cls in ("history", "directory", "chitchat", "availstate", "people_search", "hangup", "getipbxlist"):
        assert c.ask(cls, pattern="x", to="x", text="x", availstate="away").get("warning_string") != "unallowed", cls
    c.close()


def test_the_sample_has_no_users_and_its_references_hold():
    assert len((ROOT / "config" / "people.csv").read_text().splitlines()) == 1
    assert {uri for uris in SAMPLE["ipbxes"]["xivo"]["urllists"].values() for uri in uris} == \
        {"asterisk:", "csv:people.csv"}
    assert set(SAMPLE["profiles"]) == {"user", "agent", "supervisor", "administrator"}
    done = subprocess.run([BIN / "ctibus", "--config", ROOT / "config" / "ctibus.json", "check"], check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


OPEN = {"CTI": ["0.0.0.0", 0, True]}


def check(s, *sets):
    return subprocess.run([BIN / "ctibus-cti-gw", "--config", s.path("ctibus.json"), "--check",
                           *(x for one in sets for x in ("--set", one))], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("listen", ['main.incoming_tcp.CTI=["0.0.0.0",5003,true]', 'main.incoming_tcp.CTI=["::",5003,true]',
                                    'main.incoming_tcp.CTI=["192.0.2.1",5003,true]',
                                    'main.incoming_tcp.CTI=["pbx.example.com",5003,true]', "ctibus.cti.websocket=0.0.0.0:5080"])
def test_passwords_that_are_names_are_not_for_other_machines(listen):
    with Stack(parts=()) as s:
        done = check(s, listen)
        assert done.returncode == 2 and "the password of alice, bob, carol, dave" in done.stderr
        assert check(s, listen, "ctibus.cti.guessable_passwords=true").returncode == 0
        assert check(s).returncode == 0  # on the loopback
        users = json.loads(s.path("users.json").read_text())
        for user in users:
            user["passwdclient"] += "-is-no-name"
        s.path("users.json").write_text(json.dumps(users))
        assert check(s, listen).returncode == 0
        users[2].update(loginclient="1003", passwdclient=1003)
        s.path("users.json").write_text(json.dumps(users))
        done = check(s, listen)
        assert done.returncode == 2 and "the password of 1003 is the login name" in done.stderr
        users[2]["enableclient"] = 0
        s.path("users.json").write_text(json.dumps(users))
        assert check(s, listen).returncode == 0


def test_it_does_not_start():
    with Stack(parts=("state",), config={"main.incoming_tcp": OPEN}) as s:
        s.path("ctibus.json").write_text(s.path("ctibus.json").read_text().replace('"CTI": ["127.0.0.1"', '"CTI": ["0.0.0.0"'))
        p = subprocess.run([BIN / "ctibus-cti-gw", "--config", s.path("ctibus.json")], capture_output=True, text=True,
                           timeout=30)
        assert p.returncode != 0 and "is the login name" in p.stderr
        until(lambda: s.programs["state"].logged("users of xivo: the password of 5 is the login name, as of alice"),
              "state warns")
