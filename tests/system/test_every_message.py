"""Every message of docs/cti-protocol.md, whose table is made from the descriptors: each required field
left out, a profile that does not permit it, and what is no message at all."""

import json
import re

import pytest
from stack import ROOT, Stack

ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|")


def messages():
    """class, conditions, required fields, permission; without the steps of the login."""
    table = (ROOT / "docs" / "cti-protocol.md").read_text()
    table = table.split("<!-- messages: begin -->")[1].split("<!-- messages: end -->")[0]
    for line in table.splitlines():
        m = ROW.match(line)
        if m and m[1] != "class" and m[4] != "login":
            where = dict(re.findall(r"`([\w.]+)` = `(\w+)`", m[2]))
            yield m[1], where, re.findall(r"`(\w+)`", m[3]), m[4]


XIVO = json.loads((Stack.ROOT / "tests" / "data" / "xivo" / "configuration-2012.json").read_text())
ALL = list(messages())
IDS = [" ".join([cls, *where.values()]) for cls, where, _, _ in ALL]


@pytest.fixture(scope="module")
def stack():
    none = {"name": "None", "xlets": [], "regcommands": "few", "ipbxcommands": "nothing", "services": "std",
            "preferences": "std", "userstatus": "std", "phonestatus": "std"}
    users = [{"id": n, "firstname": name, "lastname": "", "loginclient": name, "passwdclient": name,
              "enableclient": 1, "profileclient": profile}
             for n, name, profile in ((1, "alice", "client"), (2, "bob", "none"), (3, "carol", "bare"),
                                      (4, "dave", "xivo"))]
    everything = json.loads((Stack.ROOT / "config" / "demo" / "ctibus.json").read_text())["regcommands"]["all"]
    config = {"regcommands.all": [*everything, "admin_status", "admin_kick", "admin_reload", "chat_history"], "profiles.none": none, "regcommands.few": ["ipbxcommand"], "ipbxcommands.nothing": ["nosuch"],
              "profiles.bare": {"name": "Bare", "xlets": [], "userstatus": "std"},
              "profiles.xivo": {**none, "regcommands": "itm", "ipbxcommands": "all"}, "regcommands.itm": XIVO["regcommands"]["itm_regcommands"],
              "ctibus.deny": {"none": [cls for cls, _, _, permission in ALL if permission == "unless denied"]}}
    with Stack(users=users, config=config) as s:
        yield s.wait_ready()


@pytest.fixture(scope="module")
def clients(stack):
    found = {"alice": stack.client("alice")}
    for user, profile in (("bob", "none"), ("carol", "bare"), ("dave", "xivo")):
        c = stack.connect()
        c.login_with(user, profile)
        found[user] = c
    yield found
    for c in found.values():
        c.close()


def test_there_are_messages():
    assert len(ALL) > 60


@pytest.mark.parametrize("cls, where, required, permission", ALL, ids=IDS)
def test_message(clients, cls, where, required, permission):
    given = {**{field: "x" for field in required}, **where}
    for field in required:
        if field in where:
            continue  # without it, it is another message
        answer = clients["alice"].ask(cls, **{k: v for k, v in given.items() if k != field})
        assert answer["class"] == cls and answer["error_string"] == f"missing:{field}"
    if permission == "no" or cls == "logout":
        return
    refused = clients["bob"].ask(cls, **given)
    assert refused["warning_string"] == "unallowed"
    assert refused.get("command") == (where.get("command") if cls == "ipbxcommand" else None)
    if permission == "unless denied":
        for user in ("carol", "dave"):
            assert clients[user].ask(cls, **given).get("warning_string") not in ("unallowed", "no_regcommands")
    else:
        assert clients["carol"].ask(cls, **given)["warning_string"] == "no_regcommands"


OURS = {"admin_status", "admin_kick", "admin_reload", "chat_history", "getagentsstats"}


@pytest.mark.parametrize("cls, where, required, permission", ALL, ids=IDS)
def test_a_profile_of_xivo_permits_what_xivo_has(clients, cls, where, required, permission):
    if cls in ("logout", "ipbxcommand"):  # whose permission is in another section
        return
    given = {**{field: "available" for field in required}, **where}
    refused = clients["dave"].ask(cls, **given).get("warning_string") == "unallowed"
    assert refused == (cls in OURS)


@pytest.mark.parametrize("cls, where, required, permission", ALL, ids=IDS)
def test_each_request_with_a_commandid_is_answered(clients, cls, where, required, permission):
    if cls == "logout":
        return
    typed = {"agent_ids": [], "endpoint_ids": [], "user_ids": [], "on": {}, "queueid": "1"}
    answer = clients["alice"].ask(cls, **{**{field: typed.get(field, "x") for field in required}, **where})
    assert answer["class"] and "timenow" in answer


@pytest.mark.parametrize("cls, where, required, permission", ALL, ids=IDS)
def test_nonsense_in_every_field(clients, cls, where, required, permission):
    """Whatever stands in a field, the client is answered and stays connected."""
    if cls == "logout":
        return
    c = clients["alice"]
    for nonsense in (None, True, -1, 1.5e300, "", "\u0000\r\n\u2028", "a" * 70000, [], {}, [[[[]]]], {"a": {"b": []}},
                     "user:xivo/", "chan:xivo/", ":", "/", ["user:xivo/1", 3, None]):
        c.send(cls, **{**{field: nonsense for field in required}, **where})
        n = c.send("keepalive")
        while (m := c.line()) and m.get("replyid") != n:
            pass
        assert m, f"disconnected by {nonsense!r}"


def test_what_is_no_message(clients):
    c = clients["alice"]
    for cls, field in (("ipbxcommand", "command"), ("getlist", "function"), ("filetransfer", "command"),
                       ("subscribe", "message")):
        assert c.ask(cls)["error_string"] == f"missing:{field}"
        answer = c.ask(cls, **{field: "nosuch"})
        assert answer["warning_string"] == "unimplemented"
        assert answer.get("command") == ("nosuch" if cls == "ipbxcommand" else None)
    assert c.ask("nosuch")["warning_string"] == "unimplemented"
    c.raw(b'{"class":5,"commandid":7}\n')
    while (m := c.line()).get("replyid") != 7:
        pass
    assert m["error_string"] == "missing:class"
