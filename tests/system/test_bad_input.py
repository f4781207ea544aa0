"""Everything that comes over a socket is hostile."""

import json
import socket
import time

import msgpack
import pytest
import zmq
from stack import Context, Stack, until


@pytest.fixture(scope="module")
def stack():
    with Stack(parts=("state", "cti-gw")) as s:
        yield s.wait_ready()


@pytest.fixture
def alice(stack):
    c = stack.client("alice")
    yield c
    c.close()


@pytest.mark.parametrize("line", [b"not json", b"{", b'"text"', b"[1,2]", b"null", b"17", b"\xff\xfe",
                                  b'{"class":"\xff"}', b'{"class":"\xed\xa0\x80"}', b"{}x",
                                  b"[" * 100000, b'{"a":' * 40000, b"\x00", b'{"class":"a\x00b"}x',
                                  b'{"class":"keepalive\\u0000"}', b'{"class\\u0000":"keepalive"}',
                                  b'{"class":"keepalive","commandid":{"a":["\\u0000"]}}'],
                         ids=range(17))
def test_what_is_no_json_object_is_told_and_nothing_else_happens(alice, line):
    alice.raw(line + b"\n")
    m = alice.line()
    assert m["class"] == "error" and m["error_string"] == "json"
    assert alice.ask("keepalive")


NUL = [b'{"class":"%s\\u0000%s","userlogin":"alice"}' % (name, b"A" * n)
       for name in (b"login_id", b"login_pass", b"starttls", b"keepalive") for n in (0, 4, 3000)]


def survives_nul(connect, stack):
    """Before the login a class with a NUL in it is refused, whatever stands behind the NUL."""
    for line in NUL:
        c = connect()
        c.raw(line + b"\n")
        assert c.line()["error_string"] == "json"
        c.close()
    c = connect()
    c.login("alice", "alice")
    c.close()
    assert stack.is_ready("cti-gw")


def test_a_nul_in_a_name_before_the_login(stack):
    survives_nul(stack.connect, stack)


def test_the_tenth_in_a_row_closes(stack):
    c = stack.client("alice")
    for _ in range(9):
        c.raw(b"x\n")
    assert c.ask("keepalive")  # a good one in between: counting starts again
    for _ in range(10):
        c.raw(b"x\n")
    lines = c.closed()
    assert len(lines) == 10 and all(m["error_string"] == "json" for m in lines)


def test_odd_but_good_lines(alice):
    alice.raw(b'\n\r\n   \n{"class":"keepalive","commandid":1}\r\n')
    assert alice.line()["replyid"] == 1
    alice.raw(b'{"class":"keepalive","commandid":"a\\/b"}\n')
    assert alice.line()["replyid"] == "a/b"
    for sent in (b'[1]', b'1.5', b'true', b'null', b'{"a":[2]}', b'18446744073709551615', b'""'):
        alice.raw(b'{"class":"keepalive","commandid":' + sent + b'}\n')
        assert alice.line()["replyid"] == json.loads(sent)
    alice.raw(b'{"class":"keepalive"}\n')
    assert "replyid" not in alice.line()
    alice.raw(b'{"class":"keepalive","commandid":"' + b"x" * 5000 + b'"}\n')  # too long to be kept
    assert "replyid" not in alice.line()
    alice.raw(b'{"commandid":5}\n')
    assert alice.line()["error_string"] == "missing:class"
    alice.raw(b'{"class":17,"commandid":6}\n')
    assert "error_string" in alice.line()
    alice.raw(b'{"class":"getlist","function":"listid","listname":"\\u00e9/\\"","tipbxid":"xivo","commandid":7}\n')
    assert alice.line()["listname"] == "é/\""


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["unfinished", "whole"])
def test_a_line_too_long_closes_with_a_reason(stack, end):
    c = stack.client("alice")
    try:
        c.raw(b'{"class":"' + b"x" * 300000 + end)
    except OSError:
        pass
    lines = c.closed()
    assert lines and lines[-1]["error_string"] == "line_too_long"


def test_a_long_line_within_the_limit_is_fine(alice):
    assert alice.ask("keepalive", padding="x" * 200000)


def test_ten_thousand_requests_in_one_write_are_answered_in_order(alice):
    alice.raw(b"".join(b'{"class":"getlist","commandid":%d,"function":"updatestatus","listname":"phones",'
                       b'"tid":"11","tipbxid":"xivo"}\n' % i for i in range(10000)))
    assert [alice.line()["replyid"] for _ in range(10000)] == list(range(10000))


def test_answers_that_state_gives_keep_their_place(alice):
    alice.raw(b"".join(b'{"class":"availstate","commandid":%d,"availstate":"away"}\n'
                       b'{"class":"keepalive","commandid":%d}\n' % (2 * i, 2 * i + 1)
                       for i in range(50)))
    ids = []
    while len(ids) < 100:
        m = alice.line()
        if "replyid" in m:
            ids.append(m["replyid"])
    assert ids == list(range(100))


def test_one_byte_at_a_time(alice):
    alice.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for b in b'{"class":"keepalive","commandid":42}\n':
        alice.raw(bytes([b]))
    assert alice.line()["replyid"] == 42


def test_tls_on_the_clear_text_port_is_closed(stack):
    c = stack.connect()
    start = time.monotonic()
    c.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert c.closed() == [] and time.monotonic() - start < 4  # main.logintimeout is 5 s


def test_forged_frames_on_the_bus_are_counted_and_change_nothing(stack):
    context = Context()
    pub = context.socket(zmq.PUB)
    pub.connect(f"tcp://127.0.0.1:{stack.ports['publish']}")
    good = msgpack.packb([1, "forger@x", 1, 1, time.time()])
    bad = [
        [b"tel/xivo/channel/new/"],
        [b"tel/xivo/channel/new/", b"", b""],
        [b"tel/xivo/channel/new/", good, b"\xdd\xff\xff\xff\xff"],
        [b"tel/xivo/channel/new/", good, b"\xdf\xff\xff\xff\xff"],
        [b"tel/xivo/channel/new/", good, b"\x81\xa7channel\xdb\xff\xff\xff\xff"],
        [b"tel/xivo/channel/new/", good, b"\x91" * 1000],
        [b"tel/xivo/channel/new", good, msgpack.packb({"channel": "SIP/x-1"})],
        [b"tel/xivo/channel/new/", msgpack.packb([2, "f", 1, 1, 1.0]), msgpack.packb({"channel": "SIP/x-1"})],
        [b"tel/xivo/channel/new/", good, msgpack.packb({"channel": 17})],
        [b"tel/xivo/no/such/", good, msgpack.packb({})],
        [b"tel/nowhere/channel/new/", good, msgpack.packb({"channel": "SIP/x-1"})],
        [b"tel/"] + [b""] * 20,
        [b"tel/%zz/channel/new/", good, msgpack.packb({"channel": "SIP/x-1"})],
    ]
    before = stack.metric("state", "ctibus_bus_malformed_total")

    def sent():  # until the subscription has come through, publishing reaches nobody
        for frames in bad:
            pub.send_multipart(frames)
        return stack.metric("state", "ctibus_bus_malformed_total") >= before + 6
    until(sent, "refused and counted")
    assert stack.snapshot("channels") == []
    assert stack.is_ready("state")
    pub.close(0)
    context.term()


def test_forged_requests_are_refused(stack):
    context = Context()
    d = context.socket(zmq.DEALER)
    d.connect(f"tcp://127.0.0.1:{stack.ports['request']}")
    one, body = msgpack.packb(1), msgpack.packb({})
    for frames in ([b""], [one, one, b"hello"], [one, one, b"hello", b"\xdd\xff\xff\xff\xff"],
                   [msgpack.packb(9), one, b"hello", body], [one, b"\xd9\xff", b"hello", body],
                   [one, one, b"hello", b"\x90"]):
        d.send_multipart(frames)
        assert d.poll(5000)
        assert d.recv_multipart()[2] == b"malformed"
    d.send_multipart([one] * 30)  # no request at all: dropped and counted
    d.send_multipart([one, msgpack.packb(7), b"hello", msgpack.packb({"service": "x", "instance": "y"})])
    assert d.recv_multipart()[2] == b"ok"
    for method in (b"login.open", b"login.check", b"session.renew", b"command", b"worker.register",
                   b"session.close", b"snapshot", b"echo"):
        d.send_multipart([one, msgpack.packb(8), method, msgpack.packb({"list": "nonsense", "sessions": [1, {}, []]})])
        assert d.poll(5000)
        d.recv_multipart()
    assert stack.is_ready("state")
    d.close(0)
    context.term()


def test_context_separation():
    users = [{"id": i, "loginclient": f"u{i}", "passwdclient": "x", "enableclient": 1,
              "profileclient": "client", "firstname": f"U{i}"} for i in (1, 2, 3, 4)]
    lines = [{"id": 10 + i, "protocol": "sip", "name": f"u{i}", "number": str(1000 + i), "context": c,
              "iduserfeatures": i} for i, c in ((1, "red"), (2, "blue"), (3, "red"))]
    with Stack(users=users, lines=lines, parts=("state", "cti-gw"),
               config={"main.parting_astid_context": ["context"]}) as s:
        s.wait_ready()
        red, blue, none = s.client("u1", "x"), s.client("u2", "x"), s.client("u4", "x")

        def ids(c, name):
            return c.ask("getlist", function="listid", listname=name, tipbxid="xivo")["list"]
        assert ids(red, "users") == ["1", "3"] and ids(red, "phones") == ["11", "13"]
        assert ids(blue, "users") == ["2"] and ids(blue, "phones") == ["12"]
        assert ids(none, "users") == [] and ids(none, "phones") == []
        assert blue.ask("getlist", function="updatestatus", listname="phones", tipbxid="xivo",
                        tid="11")["status"] == {}
        assert blue.ask("getlist", function="updateconfig", listname="users", tipbxid="xivo",
                        tid="1")["config"] == {}
        blue.seen.clear()
        three = s.client("u3", "x", state="away")
        red.wait(lambda: red.status("users", "3").get("availstate") == "away", "red sees red")
        assert blue.drain(0.3) and not blue.seen
        # A phone moves to another context: so does what its user sees, and who sees it.
        lines[2]["context"] = "blue"
        s.path("lines.json").write_text(json.dumps(lines))
        s.programs["state"].process.send_signal(1)

        def told(c, function, what):
            return any(m["function"] == function and m["list"] == [what] for m in c.seen)
        blue.wait(lambda: told(blue, "addconfig", "13") and told(blue, "addconfig", "3"), "blue sees them")
        red.wait(lambda: told(red, "delconfig", "13") and told(red, "delconfig", "3"), "red does not")
        three.wait(lambda: told(three, "addconfig", "12") and told(three, "delconfig", "11"), "moved")
        assert ids(three, "phones") == ["12", "13"] and ids(red, "phones") == ["11"]
        three.close()


def test_who_is_no_longer_named_is_out():
    with Stack(parts=("state", "cti-gw")) as s:
        s.wait_ready()
        alice, carol = s.client("alice"), s.client("carol")
        before = s.path("users.json").read_text()
        users = json.loads(before)
        s.path("users.json").write_text(json.dumps([u for u in users if u["loginclient"] != "carol"]))
        s.programs["state"].process.send_signal(1)
        assert carol.closed()[-1]["class"] == "disconnect"
        s.path("users.json").write_text(before)
        s.programs["state"].process.send_signal(1)
        alice.wait(lambda: any(m["function"] == "addconfig" and m["list"] == ["3"] for m in alice.seen),
                   "named again")
        again, second = s.client("carol", state="away"), s.client("carol")
        again.ask("logout")
        assert second.ask("getlist", function="updatestatus", listname="users", tipbxid="xivo",
                          tid="3")["status"]["availstate"] == "away"


def test_a_list_that_cannot_be_read_keeps_its_objects_and_is_tried_again():
    with Stack(parts=("state",)) as s:
        s.wait_ready()
        good = s.path("users.json").read_text()
        for bad in (good[:200], good.replace("Martin", "Mar\\u0000tin"), good.replace('"firstname"', '"firstname\\u0000"')):
            told = s.programs["state"].count("not JSON from here on")
            s.path("users.json").write_text(bad)
            s.programs["state"].process.send_signal(1)
            until(lambda: s.programs["state"].count("not JSON from here on") > told, "told where it is wrong")
            assert len(s.snapshot("users")) == 5
        s.path("users.json").write_text(good.replace("Martin", "Durand"))
        until(lambda: s.snapshot("users", "1")[0]["lastname"] == "Durand", "read again by itself")


def test_presence_is_of_oneself_only(alice):
    assert alice.ask("availstate", availstate="away", userid=2)["warning_string"] == "unallowed"
    assert alice.ask("availstate", availstate="away", userid="2")["warning_string"] == "unallowed"
    assert "warning_string" not in alice.ask("availstate", availstate="away", userid=1)
    assert "warning_string" not in alice.ask("availstate", availstate="available", userid="null/null")


def test_lists_are_reloaded(stack):
    c = stack.client("alice")
    users = json.loads(stack.path("users.json").read_text())
    users[1]["lastname"] = "Renamed"
    users[1]["fullname"] = "Bob Renamed"
    users[2]["commented"] = 1
    users.append({**users[0], "id": "77", "loginclient": "new"})
    stack.path("users.json").write_text(json.dumps(users))
    stack.programs["state"].process.send_signal(1)
    c.wait(lambda: any(m["function"] == "delconfig" and m["list"] == ["3"] for m in c.seen), "deleted")
    assert any(m["function"] == "addconfig" and m["list"] == ["77"] for m in c.seen)
    assert [m["config"] for m in c.seen if m["function"] == "updateconfig" and m["tid"] == "2"] == [
        {"lastname": "Renamed", "fullname": "Bob Renamed"}]
