"""Questions for one object, which cti-gw answers without making a tree of the line, have the answers that a tree gives."""

import json

import pytest

from stack import Stack

KEYS = ("class", "commandid", "function", "listname", "tid", "tipbxid")
QUESTIONS = [
    ("getlist", 7, "updateconfig", "users", "1", "xivo"),
    ("getlist", 7, "updatestatus", "users", "1", "xivo"),
    ("getlist", 0, "updatestatus", "phones", 11, "xivo"),
    ("getlist", -3, "updateconfig", "phones", "11", None),
    ("getlist", "a b", "updatestatus", "users", "nosuch", "xivo"),
    ("getlist", "12", "updatestatus", "users", -1, "xivo"),
    ("getlist", None, "updateconfig", "nolist", "1", "xivo"),
    ("getlist", 123456789012345678, "updateconfig", "users", "", "xivo"),
    ("getlist", 1, "updatestatus", "users", "1", "elsewhere"),
    ("getlist", 1, "updateconfig", "queuemembers", "qp:1-11", "xivo"),
    ("getlist", 1, "updatestatus", "queuemembers", "SIP/alice,support", "xivo"),
    ("getlist", 1, "updateconfig", "channels", "SIP/alice-1", "xivo"),
]


@pytest.fixture(name="client", scope="module")
def fixture_client():
    with Stack(parts=("state", "cti-gw")) as stack:
        stack.wait_ready("state", "cti-gw")
        yield stack.client("alice").load()


def answer(client, line):
    """What this line is answered, without the time; another one behind it says that there was an answer."""
    client.raw(line + b"\n")
    end = client.send("getlist", function="listid", listname="users")
    lines = []
    while not lines or lines[-1].get("replyid") != end:
        lines.append(client.line())
    return [{k: v for k, v in m.items() if k != "timenow"} for m in lines[:-1] if m.get("class") != "getlist" or "replyid" in m or "tid" in m]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_both_ways_say_the_same(client, question):
    fields = {k: v for k, v in zip(KEYS, question) if v is not None or k == "commandid"}
    compact = json.dumps(fields, separators=(",", ":")).encode()
    spaced = json.dumps(fields).encode()
    backwards = json.dumps(dict(reversed(fields.items()))).encode()
    extra = json.dumps({**fields, "x": True, "y": "z"}).encode()
    by_tree = answer(client, b"  " + compact)  # blanks in front are not for the other way
    assert len(by_tree) == 1 and by_tree[0]["function"] == fields["function"] and by_tree[0]["tid"] == fields["tid"]
    for line in (compact, spaced, backwards, extra, compact + b"\r"):
        assert answer(client, line) == by_tree, line


def test_what_is_not_quite_such_a_question(client):
    """It is looked at as any other message."""
    for line, wrong in ((b'{"class":"getlist","commandid":1,"function":"updateconfig","listname":"users"}', "missing:tid"),
                        (b'{"class":"getlist","commandid":1,"function":"updateconfig","tid":"1"}', "missing:listname"),
                        (b'{"class":"getlist","commandid":1,"function":"updateconfig","function":"nosuch","listname":"users","tid":"1"}', None)):
        said = answer(client, line)
        assert len(said) == 1 and (wrong is None or said[0]["error_string"] == wrong), said
