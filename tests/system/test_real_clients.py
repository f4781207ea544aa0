"""What real XiVO clients of 2012 to 2015 were recorded to send, sent again, and whether each need that
they were seen to have is met. Some recordings begin after the login: that is put before them; some are of
a server that was broken on purpose: what the client sent is sent all the same."""

import base64
import hashlib
import json

import pytest
from stack import ROOT, Stack

SESSIONS = sorted((ROOT / "tests" / "data" / "cti").glob("*.jsonl"))
USERS = [(1, "alice", "alice", "1"), (2, "bob", "bob", "2"), (3, "carol", "carol", None), (4, "zoé", "zoé", None),
         (5, "erin", "erin", None)]


@pytest.fixture(scope="module")
def stack():
    users = [{"id": n, "firstname": login.title(), "lastname": "", "loginclient": login, "passwdclient": password,
              "enableclient": 1, "profileclient": "client", "agentid": agent, "voicemailid": n}
             for n, login, password, agent in USERS]
    # the days of a hundred clients, one after the other without a pause, are those of one user here
    with Stack(users=users, config={"ctibus.budget.commands_per_second": 0}) as s:
        yield s.wait_ready()


def connections(path):
    """The lines that the client sent, connection by connection."""
    out = {}
    for line in path.read_text().splitlines():
        o = json.loads(line)
        if o["dir"] == "c2s":
            out.setdefault(o["conn"], []).append(o["line"])
    return list(out.values())


def parsed(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def login_step(c, m, session):
    """Sends a step of the login as it was recorded, but for what hangs on our sessionid; reads as the
    clients do: each reply is the very next line. False: it was refused."""
    cls = m["class"]
    if cls == "login_id":
        session["user"] = m["userlogin"]
    if cls == "login_pass":
        encoding = "utf-8" if session["utf8"] else "latin-1"
        salted = f"{session['id']}:{session['user']}".encode(encoding)
        m = {**m, "hashedpassword": hashlib.sha1(salted).hexdigest()}
    if cls == "login_capas":
        m = {**m, "capaid": "client"}
    c.raw(json.dumps(m).encode() + b"\n")
    answer = c.line()
    while answer.get("error_string") == "notloggedyet":  # to its availstate, when it reconnects
        assert answer["class"] == "availstate"
        answer = c.line()
    assert answer["class"] == cls and answer["replyid"] == m["commandid"]
    if "error_string" in answer:
        assert answer["error_string"] == "login_password" and session["user"] == "nobody"
        assert c.line() is None
        return False
    session["id"] = answer.get("sessionid", session.get("id"))
    if cls == "login_capas":
        assert [c.line()["function"] for _ in range(2)] == ["updateconfig", "updatestatus"]
    return True


def replay(stack, lines, utf8=False):
    """Sends one connection's lines. What was asked and what came back after the login, or None: the
    recording ends before it is complete."""
    messages = [parsed(t) for t in lines]
    session = {"utf8": utf8}
    steps = ("login_id", "login_pass", "login_capas")
    if messages[0] is None or messages[0].get("class") not in steps:
        c = stack.client("alice")
        logged_in = True
    else:
        c = stack.connect()
        logged_in = False
    asked = []
    for text, m in zip(lines, messages):
        cls = m.get("class") if m else None
        if cls in steps and not logged_in:
            if not login_step(c, m, session):
                return None
            logged_in = cls == "login_capas"
            continue
        if cls in ("logout", "powerevent", *steps):
            continue  # or the rest would not be heard
        c.raw(text.encode() + b"\n")
        if m:
            asked.append(m)
    answers = None
    if logged_in:
        n, answers = c.send("keepalive"), list(c.seen)
        while (answer := c.line()) is None or answer.get("replyid") != n:
            assert answer is not None, "disconnected"
            answers.append(answer)
    c.close()
    return (asked, answers) if logged_in else None


# ---- what each message needs ----

def answer_to(m, answers):
    found = [a for a in answers if a.get("replyid") == m.get("commandid") and a["class"] == m["class"]]
    assert found, f"no answer to {m}"
    return found[0]


def some(answers, cls, condition=lambda a: True):
    assert any(a["class"] == cls and condition(a) for a in answers), f"no {cls}"


def need_getlist(m, answers):
    a = answer_to(m, answers)
    assert "error_string" not in a and a["listname"] == m["listname"] and a["function"] == m["function"]
    if m["function"] == "listid":
        assert all(isinstance(i, str) for i in a["list"])
        return
    key = "config" if m["function"] == "updateconfig" else "status"
    assert a["tid"] == m["tid"] and isinstance(a[key], dict)


def need_history(m, answers):
    if "xuserid" not in m:
        return answer_to(m, answers) if "commandid" in m else None
    a = answer_to(m, answers)
    assert str(a.get("mode")) == str(m["mode"]), a
    for call in a["history"]:
        assert "." in call["calldate"] and isinstance(call["duration"], (int, float)) and call["fullname"]


def need_directory(m, answers):
    a = answer_to(m, answers)
    assert a["headers"] and all(row.count(";") >= len(a["headers"]) - 1 for row in a["resultlist"])


def need_featuresput(m, answers):
    """The widget stays locked until the config of the user says so; a reply must be OK."""
    a = answer_to(m, answers) if "commandid" in m else {"status": "OK"}
    assert a["status"] == "OK"
    wanted = m["value"] if isinstance(m["value"], dict) else {m["function"]: m["value"]}
    if "warning_string" not in a:
        some(answers, "getlist", lambda x: x.get("function") == "updateconfig" and x["listname"] == "users" and
             any(k in x["config"] for k in wanted))


def need_ipbxcommand(m, answers):
    a = answer_to(m, answers) if "commandid" in m else {"ipbxreply": ""}
    assert a.get("warning_string") != "unallowed"
    assert "ipbxreply" in a or a.get("error_string") == "missing:command" and "details" in m


def need_people_headers(m, answers):
    some(answers, "people_headers_result",
         lambda a: len(a["column_headers"]) == len(a["column_types"]) > 0)


def need_subscribe(m, answers):
    cls = m["message"]
    if cls == "queueentryupdate" and any(a.get("error_string") == "no_such_queue" for a in answers):
        return  # it was recorded on a site with other queues
    some(answers, cls)
    if cls == "meetme_update":
        some(answers, "meetme_user", lambda a: isinstance(a["list"], list))


NEEDS = {
    "getlist": need_getlist,
    "getipbxlist": lambda m, answers: some(answers, "getipbxlist", lambda a: a["ipbxlist"] == ["xivo"]),
    "keepalive": answer_to,
    "history": need_history,
    "directory": need_directory,
    "featuresput": need_featuresput,
    "ipbxcommand": need_ipbxcommand,
    "subscribe": need_subscribe,
    "subscribetoqueuesstats": lambda m, answers: some(answers, "getqueuesstats"),
    "getqueuesstats": lambda m, answers: some(answers, "getqueuesstats", lambda a: "stats" in a),
    "faxsend": lambda m, answers: some(answers, "faxsend", lambda a: a["fileid"]),
    "people_headers": need_people_headers,
    "people_search": lambda m, answers: some(answers, "people_search_result", lambda a: all(
        len(r["column_values"]) == len(a["column_headers"]) for r in a["results"])),
    "get_switchboard_directory_headers": lambda m, answers: some(
        answers, "directory_headers", lambda a: all(len(h) == 2 for h in a["headers"])),
    "switchboard_directory_search": lambda m, answers: some(
        answers, "directory_search_result", lambda a: isinstance(a["results"], list)),
}


def check_safe(answers, users):
    """What crashes clients is never sent."""
    for a in answers:
        assert isinstance(a["timenow"], float)
        if a["class"] == "chitchat" and "from" in a:
            assert a["from"] in users
        if a["class"] == "getlist" and "list" in a:
            assert all(isinstance(i, str) for i in a["list"])


@pytest.mark.parametrize("path", SESSIONS, ids=lambda p: p.stem)
def test_recorded_session(stack, path):
    known = {f"xivo/{u[0]}" for u in USERS}
    for lines in connections(path):
        first = parsed(lines[0])
        if first is None:
            # a fax, over a connection of its own, or TLS on the clear-text port
            c = stack.connect()
            c.raw(lines[0].encode() + b"\n")
            c.close()
            continue
        result = replay(stack, lines, "pw_utf8" in path.stem)
        if result is None:
            continue
        asked, answers = result
        check_safe(answers, known)
        for m in asked:
            if m.get("class") in NEEDS:
                NEEDS[m["class"]](m, answers)


def test_a_reconnecting_client_speaks_too_early(stack):
    """The one of 2015 sends its presence right behind login_id; closing makes it loop."""
    c = stack.connect()
    c.raw(b'{"class":"login_id","commandid":1,"userlogin":"alice","company":"xivo","ident":"X11-LE-1",'
          b'"version":"9999","xivoversion":"1.2"}\n'
          b'{"class":"availstate","commandid":2,"availstate":"away"}\n')
    answer = c.line()
    assert answer["class"] == "login_id"
    hashed = hashlib.sha1(f"{answer['sessionid']}:alice".encode()).hexdigest()
    assert c.ask("login_pass", hashedpassword=hashed)["capalist"]
    c.close()


def test_fax_of_2015(stack):
    """The recorded order: announced on the first connection when the second is there already."""
    c, other = stack.client("alice"), stack.connect()
    fileid = c.ask("faxsend", destination="0612345678", filename="fax.pdf", hide="0")["fileid"]
    ref = "%s:%d" % other.socket.getsockname()
    answer = c.ask("filetransfer", command="put_announce", format="base64", socketref=ref, filename="fax.pdf",
                   fileid=fileid, formatted_size=20, file_size=13)
    assert set(answer) == {"class", "replyid", "timenow"}
    other.raw(base64.b64encode(b"no PDF at all") + b"\n")
    while (m := c.line())["class"] != "faxprogress":
        pass
    assert (m["status"], m["reason"]) == ("ko", "filetype")
    assert other.line() is None
    c.close()
