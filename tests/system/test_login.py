"""The three steps of a login, and everything that can be wrong with them."""

import hashlib
import json
import time

import pytest
from stack import Stack, until

USERS = json.loads("""[
 {"id": 1, "firstname": "Alice", "lastname": "Martin", "loginclient": "alice", "passwdclient": "alice",
  "enableclient": 1, "profileclient": "client"},
 {"id": 2, "firstname": "Zo\\u00e9", "lastname": "", "loginclient": "zo\\u00e9",
  "passwdclient": "p\\u00e4ss\\u20acwort", "enableclient": "1", "profileclient": "client"},
 {"id": 3, "loginclient": "noprofile", "passwdclient": "x", "enableclient": 1, "profileclient": null},
 {"id": 4, "loginclient": "badprofile", "passwdclient": "x", "enableclient": 1, "profileclient": "gone"},
 {"id": 5, "loginclient": "disabled", "passwdclient": "x", "enableclient": 0, "profileclient": "client"},
 {"id": 6, "loginclient": "android", "passwdclient": "x", "enableclient": 1, "profileclient": "2"},
 {"id": 7, "loginclient": "mute", "passwdclient": "x", "enableclient": 1, "profileclient": "mute"},
 {"id": 8, "loginclient": "few", "passwdclient": "x", "enableclient": 1, "profileclient": "few"},
 {"id": 9, "loginclient": "away", "passwdclient": "x", "enableclient": 1, "commented": true,
  "profileclient": "client"}]""")
CLIENT = {"name": "Client", "xlets": [["identity", "grid", "0"]], "regcommands": "all",
          "userstatus": "std", "phonestatus": "std", "services": "std", "ipbxcommands": "all",
          "preferences": "std"}


@pytest.fixture(scope="module")
def stack():
    config = {"profiles": {"client": CLIENT, "2": CLIENT,
                           "mute": {**CLIENT, "regcommands": "none"},
                           "few": {**CLIENT, "regcommands": "few"}},
              "regcommands.none": [], "regcommands.few": ["getipbxlist"],
              "main.logintimeout": 1, "ctibus.session_grace_seconds": 0}
    with Stack(users=USERS, lines=[], config=config, parts=("state", "cti-gw")) as s:
        yield s.wait_ready()


def hashed(sessionid, password, encoding="utf-8"):
    return hashlib.sha1(sessionid.encode() + b":" + password.encode(encoding, "replace")).hexdigest()


def test_good_login_has_all_that_clients_need(stack):
    c = stack.connect()
    m = c.login_id("alice", ident="WIN-LE-0x1-2", version="9999")
    assert m["class"] == "login_id" and m["xivoversion"] == "1.2"
    assert len(m["sessionid"]) == 10 and m["sessionid"].isalnum()
    m = c.ask("login_pass", hashedpassword=hashed(m["sessionid"], "alice"))
    assert m["class"] == "login_pass" and m["capalist"] == ["client"]
    m = c.ask("login_capas", capaid="client", state="away", loginkind="user", lastconnwins=False)
    assert m["class"] == "login_capas" and m["userid"] == "1" and m["ipbxid"] == "xivo"
    assert m["appliname"] == "Client" and m["presence"] == "away"
    assert m["capaxlets"] == [["identity", "grid", "0"]]
    assert set(m["capas"]) == {"userstatus", "phonestatus", "regcommands", "ipbxcommands", "services",
                               "preferences"}
    assert "allowed" in m["capas"]["userstatus"]["available"]
    first, second = c.line(), c.line()
    assert first["function"] == "updateconfig" and first["tid"] == "1" and first["config"]["fullname"]
    assert second["function"] == "updatestatus" and second["status"]["availstate"] == "away"


def test_numeric_profile_is_an_integer_and_comes_back_as_either(stack):
    for kind in (int, str):
        c = stack.connect()
        sid = c.login_id("android", ident="android-4.1.2")["sessionid"]
        m = c.ask("login_pass", hashedpassword=hashed(sid, "x"))
        assert m["capalist"] == [2]
        assert "error_string" not in c.ask("login_capas", capaid=kind(2), state="available",
                                           loginkind="user")
        c.close()


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_password_that_is_not_ascii_in_either_encoding(stack, encoding):
    c = stack.connect()
    sid = c.login_id("zoé")["sessionid"]
    assert "capalist" in c.ask("login_pass", hashedpassword=hashed(sid, "pässۊwort".replace("ۊ", "€"), encoding).upper())


def refused(c, message, error):
    assert message["error_string"] == error
    assert c.closed() == []


def test_wrong_version(stack):
    c = stack.connect()
    refused(c, c.login_id("alice", xivoversion="2.0"), "xivoversion_client:2.0;1.2")
    c = stack.connect()  # a client of 1.1: other fields, the same reason
    n = c.send("login_id", userid="alice", xivoversion="1.1", ident="WEB", direction="xivoserver")
    refused(c, c.line(), "xivoversion_client:1.1;1.2")
    assert n == 1


def test_missing_fields_are_named(stack):
    c = stack.connect()
    refused(c, c.ask("login_id", userlogin="alice", xivoversion="1.2"), "missing:company,ident")
    c = stack.connect()
    c.login_id("alice")
    refused(c, c.ask("login_pass"), "missing:hashedpassword")


@pytest.mark.parametrize("user,password", [("alice", "wrong"), ("nobody", "x"), ("disabled", "x"),
                                           ("away", "x")])
def test_wrong_password_and_unknown_user_look_the_same(stack, user, password):
    c = stack.connect()
    m = c.login_id(user)
    assert set(m) == {"class", "replyid", "sessionid", "xivoversion", "timenow"}
    refused(c, c.ask("login_pass", hashedpassword=hashed(m["sessionid"], password)), "login_password")


def test_profile_errors(stack):
    c = stack.connect()
    sid = c.login_id("noprofile")["sessionid"]
    refused(c, c.ask("login_pass", hashedpassword=hashed(sid, "x")), "capaid_undefined")
    c = stack.connect()
    sid = c.login_id("badprofile")["sessionid"]
    assert c.ask("login_pass", hashedpassword=hashed(sid, "x"))["capalist"] == ["gone"]
    refused(c, c.ask("login_capas", capaid="gone", state="available", loginkind="user"), "unknownprofile")
    c = stack.connect()
    sid = c.login_id("alice")["sessionid"]
    c.ask("login_pass", hashedpassword=hashed(sid, "alice"))
    refused(c, c.ask("login_capas", capaid="other", state="available", loginkind="user"), "unknownprofile")
    c = stack.connect()
    sid = c.login_id("alice")["sessionid"]
    c.ask("login_pass", hashedpassword=hashed(sid, "alice"))
    refused(c, c.ask("login_capas", capaid="few", state="available", loginkind="user"), "wrongprofile")


def test_steps_out_of_order(stack):
    c = stack.connect()
    refused(c, c.ask("login_pass", hashedpassword="0" * 40), "notloggedyet")
    c = stack.connect()
    refused(c, c.ask("login_capas", capaid="client", state="available", loginkind="user"), "notloggedyet")
    c = stack.connect()
    c.login_id("alice")
    refused(c, c.login_id("alice"), "notloggedyet")


def test_other_messages_before_the_login_are_answered_up_to_a_point(stack):
    c = stack.connect()  # what a client of 2015 does when it reconnects
    c.send("login_id", userlogin="alice", company="x", ident="X11-LE-1", xivoversion="1.2")
    c.send("availstate", availstate="available")
    m = c.line()
    assert m["class"] == "login_id"
    assert "capalist" in c.ask("login_pass", hashedpassword=hashed(m["sessionid"], "alice"))
    c = stack.connect()
    for n in range(19):
        answer = c.ask("availstate" if n % 2 else "nosuch", availstate="available")
        assert answer["class"] in ("availstate", "nosuch") and answer["error_string"] == "notloggedyet"
    c.send("availstate", availstate="available")
    assert c.closed() == []


def test_login_takes_too_long(stack):
    c = stack.connect()
    start = time.monotonic()
    assert c.closed() == []
    assert 0.8 < time.monotonic() - start < 10


def test_permissions(stack):
    c = stack.client("mute", "x")
    assert c.ask("getipbxlist")["warning_string"] == "no_regcommands"
    assert c.ask("keepalive")["class"] == "keepalive"
    c = stack.client("few", "x")
    assert c.ask("getipbxlist")["ipbxlist"] == ["xivo"]
    assert c.ask("availstate", availstate="away")["warning_string"] == "unallowed"
    assert c.ask("frobnicate")["warning_string"] == "unimplemented"
    assert c.ask("getlist", function="listid")["warning_string"] == "unallowed"


def test_presence_is_seen_by_others_and_ends_with_the_last_session(stack):
    watcher = stack.client("zoé", "pässۊwort".replace("ۊ", "€"))
    one = stack.client("alice", state="available")
    two = stack.client("alice", state="away")  # a second session shares the presence
    assert two.status("users", "1")["availstate"] == "available"
    assert one.ask("availstate", availstate="outtolunch")["class"] == "availstate"
    watcher.wait(lambda: watcher.status("users", "1").get("availstate") == "outtolunch", "presence")
    assert one.ask("availstate", availstate="nonsense")["warning_string"] == "unallowed"
    assert one.ask("availstate")["error_string"] == "missing:availstate"
    one.send("logout", stopper="")
    assert one.closed()[-1]["class"] == "logout"
    assert two.ask("keepalive")
    two.close()  # no logout: the connection just ends
    watcher.wait(lambda: watcher.status("users", "1").get("availstate") == "disconnected", "gone")
    assert watcher.status("users", "1")["connection"] is None


def test_last_connection_wins(stack):
    one = stack.client("alice")
    two = stack.client("alice", lastconnwins=True)
    last = one.closed()[-1]
    assert last["class"] == "disconnect" and last["type"] == "force"
    assert two.ask("keepalive")
    assert two.ask("getlist", function="updatestatus", listname="users", tipbxid="xivo",
                   tid="1")["status"]["connection"] == "yes"


def test_every_list_is_served(stack):
    c = stack.client("alice")
    for name, ids in {"agents": ["1", "2"], "queues": ["1", "2", "3", "4"], "groups": ["1"], "meetmes": ["1", "2"],
                      "voicemails": ["1", "2", "3", "4", "5"], "trunks": ["1"], "incalls": ["1", "2"],
                      "parkinglots": ["1"], "nonsense": [], "ipbx": ["xivo"]}.items():
        m = c.ask("getlist", function="listid", listname=name, tipbxid="xivo")
        assert sorted(m["list"]) == ids and m["listname"] == name
    m = c.ask("getlist", function="updatestatus", listname="ipbx", tipbxid="xivo", tid="xivo")
    assert m["status"]["link"] in ("up", "down", "resync") and "banner" not in m["status"]
    assert c.ask("getlist", function="listid", listname="queuemembers", tipbxid="xivo")["listname"] == "queuemembers"
    without = c.ask("getlist", function="listid", listname="queues")  # as a XiVO of early 2012 asks
    assert without["list"] and without["tipbxid"] == "xivo"
    assert c.ask("getlist", function="updateconfig", listname="users", tid="1")["config"]["fullname"]
    m = c.ask("getlist", function="updatestatus", listname="queuemembers", tipbxid="xivo", tid="qa:1-2")
    assert m["status"] == {} and m["tid"] == "qa:1-2"
    m = c.ask("getlist", function="updateconfig", listname="users", tipbxid="xivo", tid=1)
    assert m["tid"] == 1 and m["config"]["loginclient"] == "alice"
    assert "passwdclient" not in m["config"]


def test_guessing_is_slowed_down_and_then_refused():
    with Stack(users=USERS, lines=[], parts=("state", "cti-gw")) as s:
        s.wait_ready()

        def guess():
            c = s.connect()
            sid = c.login_id("alice")["sessionid"]
            start = time.monotonic()
            m = c.ask("login_pass", hashedpassword=hashed(sid, "wrong"))
            c.close()
            assert m["error_string"] == "login_password"
            return time.monotonic() - start
        quick = [guess() for _ in range(5)]
        assert max(quick) < 0.8
        assert guess() > 0.9
        until(lambda: s.metric("cti-gw", "ctibus_cti_refused_total") >= 6, "counted")


@pytest.mark.parametrize("victim", ["alice", "nobody"])
def test_a_user_is_guarded_from_many_addresses_but_not_locked_out(victim):
    """Whether there is such a user shows nowhere."""
    with Stack(users=USERS, lines=[], parts=("state", "cti-gw"), config={"main.logintimeout": 1}) as s:
        s.wait_ready()

        def attempt(n, password):
            c = s.connect(source=f"127.0.1.{n}")
            sid = c.login_id(victim)["sessionid"]
            start = time.monotonic()
            m = c.ask("login_pass", hashedpassword=hashed(sid, password))
            return m, time.monotonic() - start
        for n in range(1, 6):
            m, took = attempt(n, "wrong")
            assert m["error_string"] == "login_password" and took < 0.4
        waits = [attempt(n, "wrong")[1] for n in range(6, 9)]
        assert 0.5 <= waits[0] < waits[1] < waits[2]
        m, took = attempt(9, "alice")  # right, and held back for longer than a login may take
        assert took > 3.9
        assert "capalist" in m if victim == "alice" else m["error_string"] == "login_password"


def test_session_ids_do_not_come_twice(stack):
    ids = set()
    for _ in range(200):
        c = stack.connect()
        ids.add(c.login_id("alice")["sessionid"])
        c.close()
    assert len(ids) == 200


def test_a_xivo_of_early_2012_is_greeted():
    """It logs in as a client, and waits for a line first."""
    with Stack(parts=("state", "cti-gw"), config={"ctibus.cti.banner_to": ["127.0.0.0/8"]}) as s:
        s.wait_ready()
        c = s.connect()
        until(lambda: c.receive(1) and c.whole, "the line")
        assert c.whole.popleft().startswith(b"XiVO CTI Server Version ")
        assert "capas" in c.login("alice", "alice")
