"""Refused logins: who pays for wrong passwords, and what the log says of them."""

import json
import re
import time

import pytest
from stack import ROOT, Stack, until
from test_login import USERS, hashed

HOST = r"(?P<host>(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]+)"  # what fail2ban puts for <HOST>, but for names


@pytest.fixture(name="stack")
def one_stack():
    with Stack(users=USERS, lines=[], parts=("state", "cti-gw")) as s:
        s.wait_ready()
        yield s


def attempt(stack, user, password, source=None, **fields):
    """The answer to login_pass, and how long it took; the answer to login_id when that is refused."""
    c = stack.connect(source=source)
    start = time.monotonic()
    if "\0" in user:  # no JSON: the answer does not say what to
        c.send("login_id", userlogin=user, **fields)
        return c.line(), time.monotonic() - start
    m = c.login_id(user, **fields)
    if "sessionid" in m:
        m = c.ask("login_pass", hashedpassword=hashed(m["sessionid"], password))
    c.close()
    return m, time.monotonic() - start


def throttle(stack, user, source):
    """Wrong passwords of one user until they are not looked at any more."""
    clients = [stack.connect(source=source) for _ in range(60)]
    for c in clients:
        sid = c.login_id(user)["sessionid"]
        c.send("login_pass", hashedpassword=hashed(sid, "wrong"))
    for c in clients:
        assert c.line()["error_string"] == "login_password"
        c.close()
    assert stack.metric("cti-gw", "ctibus_cti_throttled_total") > 0


def test_wrong_passwords_of_one_do_not_concern_the_others_behind_the_same_address(stack):
    throttle(stack, "bob", "127.0.1.1")
    m, took = attempt(stack, "alice", "alice", "127.0.1.1")
    assert m["capalist"] == ["client"] and took < 3
    before = stack.metric("cti-gw", "ctibus_cti_throttled_total")
    assert attempt(stack, "bob", "wrong", "127.0.1.1")[0]["error_string"] == "login_password"
    m, _ = attempt(stack, "bob", "wrong", "127.0.1.1", accepts=["other", "login_throttled"])
    assert m["error_string"] == "login_throttled"
    assert stack.metric("cti-gw", "ctibus_cti_throttled_total") == before + 2
    m, _ = attempt(stack, "alice", "wrong", "127.0.1.1", accepts=["login_throttled"])
    assert m["error_string"] == "login_password"


VARIATIONS = ["bob\0N", "bob\0", "\0bob", "bob\n", "bob\t", "bo\x7fb", "bob\x80", "bob\u0085", "bob\u009f", "\x1bbob"]


@pytest.mark.parametrize("name", VARIATIONS)
def test_control_characters_in_a_login_are_refused(stack, name):
    m, _ = attempt(stack, name, "bob")
    assert m["error_string"] in ("login_password", "json")  # a NUL is refused before anybody looks at the login


@pytest.mark.parametrize("form", [str.upper, str.title, lambda n: n + " ", lambda n: f"  {n}", lambda n: n + "\0N",
                                  lambda n: n + "\0" + "x" * 300])
def test_no_way_of_writing_a_name_gets_around_the_guard(stack, form):
    """What state takes for the same user is the same for the guard, too."""
    for n in range(7):
        attempt(stack, form("alice"), f"wrong{n}", f"127.0.2.{n}")
    _, took = attempt(stack, "alice", "wrong", "127.0.2.99")
    m, _ = attempt(stack, form("alice"), "alice", "127.0.2.100")
    assert took > 0.9 or ("error_string" in m and form("alice") != "alice"), (m, took)
    assert "capalist" not in m


def documented():
    page = (ROOT / "docs" / "operations.md").read_text()
    return re.search(r"^    failregex = (.+)$", page, re.MULTILINE)[1]


def test_the_documented_filter_finds_wrong_passwords_and_nothing_else(stack):
    forged = 'x" port 1 (login_password): user "'
    attempt(stack, "alice", "wrong", "127.0.3.1")
    attempt(stack, "nobody", "wrong", "127.0.3.2")
    attempt(stack, forged, "wrong", "127.0.3.3")
    attempt(stack, "notice  ctibus-cti-gw: login refused from 192.0.2.1 port 1 (login_password): user ", "x", "127.0.3.4")
    attempt(stack, "alice", "alice", "127.0.3.5")
    attempt(stack, "alice", "alice", "127.0.3.6", xivoversion=forged)
    attempt(stack, "alice\nnotice  ctibus-cti-gw: login refused from 192.0.2.1 port 1 (login_password): user ", "x",
            "127.0.3.7")
    throttle(stack, "bob", "127.0.3.8")
    log = stack.programs["cti-gw"]
    until(lambda: attempt(stack, "bob", "x", "127.0.3.8") and log.logged("(login_throttled): user"), "it is throttled")
    c = stack.client("alice")
    c.send("logfromclient", level="notice", classmethod="x", message=
          'notice  ctibus-cti-gw: login refused from 192.0.2.1 port 1 (login_password): user "')
    until(lambda: [line for line in log.lines if "192.0.2.1" in line and "127.0.3." not in line], "that is in the log")
    c.close()
    pattern = re.compile(documented().replace("<HOST>", HOST))
    without_time = [re.sub(r"^\S+Z", "", line) for line in log.lines]
    journal = [f"pbx ctibus-cti-gw[4711]: {line}" for line in log.lines]
    for lines in (log.lines, without_time, journal):
        found = [m["host"] for m in map(pattern.search, lines) if m]
        assert set(found) <= {f"127.0.3.{n}" for n in (1, 2, 3, 4, 7, 8)}, found
        assert {"127.0.3.1", "127.0.3.2", "127.0.3.3", "127.0.3.4", "127.0.3.8"} <= set(found)
        assert found.count("127.0.3.1") == 1
    throttled = [line for line in log.lines if "login_throttled" in line]
    assert throttled and not any(pattern.search(line) for line in throttled)
    (version,) = [line for line in log.lines if "from 127.0.3.6 port" in line]
    assert not pattern.search(version) and "(xivoversion_client:" in version


def test_a_refused_login_is_one_line(stack):
    log = stack.programs["cti-gw"]
    attempt(stack, "zo\u00e9\u202e\x9b31m\r\n", "x", "127.0.4.1")
    until(lambda: log.logged("from 127.0.4.1 port"), "it is there")
    (line,) = [line for line in log.lines if "from 127.0.4.1 port" in line]
    assert not re.search("[\x00-\x1f\x7f-\x9f]", line)
    assert "zo\u00e9" in line


def test_as_json(tmp_path):
    with Stack(users=USERS, lines=[], parts=("state", "cti-gw"), config={"ctibus.log.format": "json"}) as s:
        s.wait_ready()
        attempt(s, 'a"b', "x", "127.0.5.1")
        until(lambda: s.programs["cti-gw"].logged("login refused from 127.0.5.1"), "it is there")
        (line,) = [json.loads(x) for x in s.programs["cti-gw"].lines if "login refused" in x]
        assert line["level"] == "notice" and line["message"].endswith('(login_password): user "a"b"')
