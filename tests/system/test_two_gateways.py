"""Sessions of one user on two cti-gw: what is said, seen and sent does not depend on which one it comes to."""

import base64
import json
import signal
import socket
import subprocess

import pytest
from stack import BIN, TIMEOUT, Stack, signal_of, until
from test_fax import PDF, ami, spool, wait_for

BOTH = ("cti-gw", "cti-gw2")


@pytest.fixture(scope="module")
def stack():
    with Stack(config={"ctibus.session_grace_seconds": 0}) as s:
        s.start("cti-gw2")
        yield s.wait_ready()


def on_both(stack, user, **login):
    return [stack.client(user, part=part, **login) for part in BOTH]


def close(*clients):
    for c in clients:
        c.close()


# ---- chat, presence, who is thrown out ----

def test_chat_reaches_all_sessions_wherever_they_are(stack):
    alice, bob = on_both(stack, "alice"), on_both(stack, "bob")
    for n, sender in enumerate(alice):
        assert "warning_string" not in sender.ask("chitchat", to="xivo/2", text=f"hello {n}")
        for receiver in bob:
            told = wait_for(receiver, "chitchat", lambda m: "text" in m)
            assert (told["from"], told["text"]) == ("xivo/1", f"hello {n}")
    bob[1].send("chitchat", to="xivo/1", text="and back")
    for receiver in alice:
        assert wait_for(receiver, "chitchat", lambda m: "text" in m)["text"] == "and back"
    close(*alice, *bob)


def test_presence_is_one_and_ends_with_the_last_session(stack):
    watcher = stack.client("carol", part="cti-gw2").load()
    one, two = on_both(stack, "alice", state="away")
    for n, (speaker, state) in enumerate(((one, "outtolunch"), (two, "available"), (one, "away"))):
        assert speaker.ask("availstate", availstate=state)["class"] == "availstate", n
        for c in (one, two, watcher):
            c.wait(lambda c=c, state=state: c.status("users", "1").get("availstate") == state, "seen everywhere")
    watcher.seen.clear()
    one.send("logout", stopper="")
    assert one.closed()[-1]["class"] == "logout"
    assert two.ask("keepalive")
    watcher.drain()
    assert not [m for m in watcher.seen if m.get("tid") == "1" and m["function"] == "updatestatus"], "still there"
    two.send("logout", stopper="")
    watcher.wait(lambda: watcher.status("users", "1").get("availstate") == "disconnected", "gone")
    close(watcher)


@pytest.mark.parametrize("first, second", [BOTH, BOTH[::-1]])
def test_the_last_one_wins_across_gateways(stack, first, second):
    watcher = stack.client("carol").load()
    old = [stack.client("alice", part=first), stack.client("alice", part=second)]
    watcher.drain()
    watcher.seen.clear()
    new = stack.client("alice", part=second, lastconnwins=True)
    for c in old:
        last = c.closed()[-1]
        assert (last["class"], last["type"]) == ("disconnect", "force")
    assert new.ask("keepalive")
    watcher.drain()
    assert not [m for m in watcher.seen if m.get("status", {}).get("connection", "yes") is None], "never gone"
    close(watcher, new)


def test_kick_ends_the_sessions_on_both(stack):
    sessions, stay = on_both(stack, "dave"), on_both(stack, "erin")
    r = subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), "kick", "dave"], text=True, timeout=TIMEOUT,
                       stdout=subprocess.PIPE, check=True)
    assert r.stdout.startswith("2 sessions")
    for c in sessions:
        last = c.closed()[-1]
        assert (last["class"], last["type"]) == ("disconnect", "force")
    for c in stay:
        assert c.ask("keepalive")
    close(*stay)


def test_who_is_no_longer_a_user_is_thrown_out_of_both(stack):
    sessions = on_both(stack, "dave")
    stay = on_both(stack, "erin")
    users = json.loads(stack.path("users.json").read_text())
    stack.path("users.json").write_text(json.dumps([u for u in users if u["loginclient"] != "dave"]))
    signal_of(stack.programs["state"], signal.SIGHUP)
    for c in sessions:
        assert c.closed()[-1]["type"] == "force"
    for c in stay:
        assert c.ask("keepalive")
    stack.path("users.json").write_text(json.dumps(users))
    signal_of(stack.programs["state"], signal.SIGHUP)
    stay[0].wait(lambda: stay[0].ask("getlist", function="listid", listname="users", tipbxid="xivo")["list"].count("4"),
                 "dave is back")
    close(*stay)


# ---- a fax whose second connection comes to the other gateway ----

def announce(stack, client, other, port=None):
    """As the Qt clients do it; the second connection is `other`."""
    fileid = client.ask("faxsend", destination="0123", filename="a.pdf", hide="0")["fileid"]
    ref = f"127.0.0.1:{port or other.getsockname()[1]}"
    answer = client.ask("filetransfer", command="put_announce", format="base64", socketref=ref, filename="a.pdf",
                        fileid=fileid, formatted_size=1, file_size=1)
    assert answer["class"] == "filetransfer" and "error_string" not in answer
    return fileid


def second(stack, part):
    return socket.create_connection(("127.0.0.1", stack.programs[part].cti), 5)


@pytest.mark.parametrize("first, other", [BOTH, BOTH[::-1]])
@pytest.mark.parametrize("named", [False, True], ids=["by its port", "by its id"])
def test_a_fax_may_come_to_the_other_gateway(stack, first, other, named):
    c = stack.client("alice", part=first)
    connection = second(stack, other)
    fileid = announce(stack, c, connection, 1 if named else None)
    data = (f"{fileid}:".encode() if named else b"") + base64.b64encode(PDF + b"% " + b"x" * 300000 + b"\n") + b"\n"
    connection.sendall(data[:1000])
    connection.sendall(data[1000:])
    assert wait_for(c, "faxsend")["step"] == "file_decoded"
    assert wait_for(c, "faxsend")["step"] == "file_converted"
    assert wait_for(c, "faxprogress")["status"] == "queued"
    assert connection.recv(10) == b""
    assert spool(stack) == [f"ctibus-fax-{fileid}.tif"]
    ami(stack, Action="UserEvent", UserEvent="FaxProgress", PATH=str(stack.path("fax") / f"ctibus-fax-{fileid}.tif"),
        STATUS="SUCCESS", PAGES=1)
    assert wait_for(c, "faxprogress")["status"] == "ok"
    until(lambda: not spool(stack), "the file is removed")
    close(c, connection)


@pytest.mark.parametrize("data, reason", [
    (base64.b64encode(b"GIF89a no pdf") + b"\n", "filetype"), (b"AAAA!!!! no base64\n", "unknown"),
    (base64.b64encode(b"%PDF-1.4 \x00 nothing of a PDF") + b"\n", "convert-pdftif")])
def test_what_is_no_fax_is_told_to_the_client_from_there(stack, data, reason):
    c = stack.client("alice")
    connection = second(stack, "cti-gw2")
    announce(stack, c, connection)
    connection.sendall(data)
    told = wait_for(c, "faxprogress")
    assert (told["status"], told["reason"]) == ("ko", reason)
    assert connection.recv(10) == b""
    until(lambda: not spool(stack), "the file is removed")
    close(c, connection)


def test_each_fax_finds_its_own_client(stack):
    """Two clients at one address, one on each gateway; their second connections come crosswise."""
    clients = on_both(stack, "alice")
    connections = [second(stack, part) for part in BOTH[::-1]]
    ids = [announce(stack, c, connection) for c, connection in zip(clients, connections)]
    for connection in reversed(connections):
        connection.sendall(base64.b64encode(PDF) + b"\n")
    for c, fileid in zip(clients, ids):
        assert wait_for(c, "faxsend")["fileid"] == fileid
    for c in clients:  # what becomes of it is told to all sessions of the user
        assert wait_for(c, "faxprogress")["status"] == "queued"
    for fileid in ids:
        ami(stack, Action="UserEvent", UserEvent="FaxProgress", STATUS="SUCCESS", PAGES=1,
            PATH=str(stack.path("fax") / f"ctibus-fax-{fileid}.tif"))
    until(lambda: not spool(stack), "the files are removed")
    close(*clients, *connections)


def test_nobody_at_the_same_address_can_supply_a_fax_from_another_port(stack):
    clients = on_both(stack, "alice")
    others = [second(stack, part) for part in BOTH]
    for c, other in zip(clients, others):
        announce(stack, c, other, port=1)
    stranger = stack.connect("cti-gw2")
    stranger.raw(base64.b64encode(PDF) + b"\n")
    assert stranger.line()["error_string"] == "json"
    stranger.login("bob", "bob")  # and may still log in
    close(*clients, *others, stranger)


def test_a_gateway_that_dies_with_a_fax_is_told_of(stack):
    c = stack.client("alice")
    connection = second(stack, "cti-gw2")
    announce(stack, c, connection)
    connection.sendall(base64.b64encode(PDF)[:40])
    until(lambda: spool(stack), "it has begun")
    stack.kill("cti-gw2")
    told = wait_for(c, "faxprogress")
    assert (told["status"], told["reason"]) == ("ko", "filenotfound")
    stack.start("cti-gw2")
    stack.wait_ready("cti-gw2")
    close(c, connection)


def test_words_that_look_like_a_fax_are_a_line_like_any_other(stack):
    c = stack.connect("cti-gw2", source="127.0.0.2")  # where nobody expects one
    c.raw(b"QUIT\n")
    assert c.line()["error_string"] == "json"
    c.raw(b"QUIT\n")
    assert c.line()["error_string"] == "json"
    c.login("bob", "bob")
    close(c)
