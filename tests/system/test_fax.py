"""Faxes: from a client's PDF to the action that sends it, and what the client hears of it."""

import base64
import os
import socket

import pytest
from stack import Stack, until

PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>endobj
4 0 obj<</Length 22>>stream
0 0 m 500 800 l S     
endstream endobj
trailer<</Root 1 0 R>>
%%EOF
"""


@pytest.fixture(scope="module")
def stack():
    with Stack() as s:
        yield s.wait_ready()


def wait_for(client, cls, condition=lambda m: True):
    while True:
        m = client.line()
        assert m is not None, "connection ended"
        if m["class"] == cls and condition(m):
            return m


def spool(stack):
    path = stack.path("fax")
    return sorted(os.listdir(path)) if path.exists() else []


def ami(stack, **headers):
    """Another user of the manager interface: its UserEvent goes to all."""
    with socket.create_connection(("127.0.0.1", stack.ports["ami"]), 5) as s:
        f = s.makefile("rwb")
        f.readline()
        for action in ({"Action": "Login", "Username": "ctibus", "Secret": "secret", "Events": "off"}, headers):
            f.write("".join(f"{k}: {v}\r\n" for k, v in action.items()).encode() + b"\r\n")
            f.flush()
            while f.readline().strip():
                pass


def over_second_connection(stack, c, data, named=False):
    """As the Qt clients do it: announced on the first connection, sent on a second, silent one. named: as newer ones
    do it, with the id in front, from a port that nobody has announced."""
    fileid = c.ask("faxsend", destination="0123 456", filename="a.pdf", hide="0")["fileid"]
    other = socket.create_connection(("127.0.0.1", stack.programs["cti-gw"].cti), 5)
    ref = f"127.0.0.1:{1 if named else other.getsockname()[1]}"
    answer = c.ask("filetransfer", command="put_announce", format="base64", socketref=ref, filename="a.pdf",
                   fileid=fileid, formatted_size=1, file_size=len(data))
    assert "error_string" not in answer
    other.sendall(f"{fileid}:".encode() + data if named else data)
    return fileid, other


@pytest.mark.parametrize("named", [False, True], ids=["by its port", "by its id"])
def test_sent_over_a_second_connection(stack, named):
    c = stack.client("alice")
    fileid, other = over_second_connection(stack, c, base64.b64encode(PDF) + b"\n", named)
    assert wait_for(c, "faxsend")["step"] == "file_decoded"
    assert wait_for(c, "faxsend")["step"] == "file_converted"
    assert wait_for(c, "faxprogress")["status"] == "queued"
    assert other.recv(10) == b""
    assert spool(stack) == [f"ctibus-fax-{fileid}.tif"]
    path = stack.path("fax") / f"ctibus-fax-{fileid}.tif"
    assert path.read_bytes()[:2] in (b"II", b"MM")
    ami(stack, Action="UserEvent", UserEvent="FaxProgress", PATH=str(path), STATUS="SUCCESS", PAGES=1)
    assert wait_for(c, "faxprogress")["status"] == "ok"
    done = wait_for(c, "fax_progress")
    assert done["status"] == "SUCCESS" and done["pages"] == 1
    until(lambda: not spool(stack), "the file is removed")
    c.close()


def test_sent_in_the_message(stack):
    c = stack.client("alice")
    # longer than any other line may be
    answer = c.ask("faxsend", destination=41400, filename="a.pdf", size=len(PDF),
                   data=base64.b64encode(PDF + b"% " + b"x" * 500000 + b"\n").decode())
    assert wait_for(c, "fax_progress")["status"] == "PRESENDFAX"
    path = stack.path("fax") / f"ctibus-fax-{answer['fileid']}.tif"
    ami(stack, Action="UserEvent", UserEvent="FaxProgress", PATH=str(path), STATUS="FAILED")
    assert wait_for(c, "faxprogress", lambda m: m["status"] == "ko")["reason"] == "orig"
    until(lambda: not spool(stack), "the file is removed")
    c.close()


@pytest.mark.parametrize("data, reason", [
    (b"GIF89a no pdf", "filetype"), (b"", "fileempty"), (b"%PDF-1.4 \x00 nothing of a PDF", "convert-pdftif")])
def test_what_is_no_fax(stack, data, reason):
    c = stack.client("alice")
    over_second_connection(stack, c, base64.b64encode(data) + b"\n")
    told = wait_for(c, "faxprogress")
    assert told["status"] == "ko" and told["reason"] == reason
    assert wait_for(c, "fax_progress")["status"] == "FAILED"
    until(lambda: not spool(stack), "the file is removed")
    c.close()


def test_bad_base64_and_strangers(stack):
    c = stack.client("alice")
    assert c.ask("faxsend", destination="()", filename="x")["error_string"] == "destination"
    assert c.ask("faxsend", filename="x")["error_string"] == "missing:destination"
    assert c.ask("filetransfer", command="put_announce", fileid="nosuch")["error_string"] == "filenotfound"
    assert c.ask("filetransfer", command="get_announce", fileid="nosuch")["error_string"] == "filenotfound"
    fileid = c.ask("faxsend", destination="1", filename="x")["fileid"]
    b = stack.client("bob")  # a fax of somebody else
    assert b.ask("filetransfer", command="put_announce", fileid=fileid)["error_string"] == "filenotfound"
    c.ask("faxsend", destination="1", filename="x", data="!!!! no base64 !!!!")
    assert wait_for(c, "faxprogress")["reason"] == "unknown"
    fileid, other = over_second_connection(stack, c, base64.b64encode(PDF)[:40])
    other.close()  # in the middle of it
    assert wait_for(c, "faxprogress")["status"] == "ko"
    # one that is expected from another port, or from no port at all: nobody at this address can supply it
    for ref in ({"socketref": "127.0.0.1:1"}, {}):
        fileid = c.ask("faxsend", destination="1", filename="x")["fileid"]
        assert "error_string" not in c.ask("filetransfer", command="put_announce", fileid=fileid, **ref)
        for words in (b"", b"AAAAAAAAAA:", fileid[:-1].encode() + b"-:", fileid.lower().encode() + b"x:"):
            stranger = stack.connect()
            stranger.raw(words + base64.b64encode(PDF) + b"\n")
            assert stranger.line()["error_string"] == "json"
            stranger.close()
        assert spool(stack) == []
        owner = stack.connect()
        for piece in fileid.encode() + b":":  # it may come in pieces
            owner.raw(bytes([piece]))
        owner.raw(base64.b64encode(b"GIF") + b"\n")
        assert wait_for(c, "faxprogress", lambda m: m["reason"] != "unknown")["reason"] == "filetype"
        assert owner.closed() == []
    # and one that both named
    other = socket.create_connection(("127.0.0.1", stack.programs["cti-gw"].cti), 5)
    ids = [x.ask("faxsend", destination="1", filename="x")["fileid"] for x in (b, c)]
    ref = f"127.0.0.1:{other.getsockname()[1]}"
    assert "error_string" not in b.ask("filetransfer", command="put_announce", fileid=ids[0], socketref=ref)
    assert c.ask("filetransfer", command="put_announce", fileid=ids[1], socketref=ref)["error_string"] == "filenotfound"
    assert other.recv(10) == b""
    # a login behind an empty line is none either
    d = stack.connect()
    d.raw(b"\r\n")
    assert "sessionid" in d.login_id("alice")
    d.close()
    for _ in range(9):
        answer = c.ask("faxsend", destination="1", filename="x")
        if "error_string" in answer:
            break
    assert answer["error_string"] == "busy"
    c.close()
    b.close()
