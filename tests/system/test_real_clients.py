"""What real XiVO clients of 2012 to 2015 were recorded to send, sent again."""

import hashlib
import json

import pytest
from stack import ROOT, Stack

SESSIONS = sorted((ROOT / "tests" / "data" / "cti").glob("*.jsonl"))


@pytest.fixture(scope="module")
def stack():
    with Stack() as s:
        yield s.wait_ready()


def connections(path):
    """The lines that the client sent, connection by connection."""
    out = {}
    for line in path.read_text().splitlines():
        o = json.loads(line)
        if o["dir"] == "c2s":
            out.setdefault(o["conn"], []).append(o["line"])
    return list(out.values())


def replay(stack, lines):
    """Sends one connection's lines as they are, but for the answer to the sessionid, and reads as the
    clients do: each login reply is the very next line. What came back after the login."""
    c = stack.connect()
    user = json.loads(lines[0])["userlogin"]
    sessionid, answers, logged_in = None, [], False
    for text in lines:
        m = json.loads(text)
        cls = m.get("class")
        if cls == "login_pass":
            m["hashedpassword"] = hashlib.sha1(f"{sessionid}:{user}".encode()).hexdigest()
        if cls == "login_capas":
            m["capaid"] = "client"
        if cls in ("logout", "powerevent"):
            continue
        c.raw(json.dumps(m).encode() + b"\n" if cls in ("login_pass", "login_capas")
              else text.encode() + b"\n")
        if cls in ("login_id", "login_pass", "login_capas"):
            answer = c.line()
            assert answer["class"] == cls and "error_string" not in answer
            assert answer["replyid"] == m["commandid"]
            sessionid = answer.get("sessionid", sessionid)
        if cls == "login_capas":
            logged_in = True
            assert [c.line()["function"] for _ in range(2)] == ["updateconfig", "updatestatus"]
    if logged_in:
        n = c.send("keepalive")
        while (answer := c.line()).get("replyid") != n:
            assert answer is not None
            answers.append(answer)
    c.close()
    return answers if logged_in else None


@pytest.mark.parametrize("path", SESSIONS, ids=lambda p: p.stem)
def test_recorded_session(stack, path):
    logged_in = 0
    for lines in connections(path):
        if json.loads(lines[0]).get("class") != "login_id":
            continue
        answers = replay(stack, lines)
        if answers is None:
            continue
        logged_in += 1
        # The clients wait for an answer to each id they ask for, with the tid as they sent it.
        for function in ("listid", "updateconfig", "updatestatus"):
            asked = [json.loads(t) for t in lines if f'"{function}"' in t]
            got = [(a["listname"], a.get("tid")) for a in answers
                   if a.get("function") == function and "replyid" in a]
            for m in asked:
                assert (m["listname"], m.get("tid")) in got
        assert all("error_string" not in a for a in answers if a["class"] == "getlist")
    assert logged_in
