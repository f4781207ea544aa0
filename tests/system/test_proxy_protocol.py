"""Clients behind a balancer that announces them (PROXY protocol): whose address counts, and who is let in."""

import base64
import hashlib
import json
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest
from stack import TIMEOUT, Client, Stack, signal_of, until
from test_fax import PDF, wait_for
from test_websocket import WebClient

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL = SIGNATURE + b"\x20\0\0\0"


def v1(address, port=49152):
    kind = "TCP6" if ":" in address else "TCP4"
    server = "::1" if ":" in address else "127.0.0.1"
    return f"PROXY {kind} {address} {server} {port} 5003\r\n".encode()


def v2(address, port=49152):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    addresses = socket.inet_pton(family, address) + socket.inet_pton(family, "::1" if ":" in address else "127.0.0.1")
    addresses += struct.pack("!HH", port, 5003)
    return SIGNATURE + struct.pack("!BBH", 0x21, 0x21 if ":" in address else 0x11, len(addresses)) + addresses


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ctibus",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", folder / "server.pem",
                    "-keyout", folder / "server.key"], check=True, capture_output=True)
    config = {"ctibus.cti.proxy_protocol": True, "main.incoming_tcp.CTIS": ["127.0.0.1", 0, True],
              "ctibus.cti.websocket": "127.0.0.1:0", "certfile": str(folder / "server.pem"),
              "keyfile": str(folder / "server.key")}
    with Stack(config=config, parts=("sim", "state", "ami-gw")) as s:
        s.start("cti-gw", doors=("CTI", "CTIS", "websocket"))
        s.ca = folder / "server.pem"
        yield s.wait_ready()


def announced(stack, header, door="cti"):
    c = Client(getattr(stack.programs["cti-gw"], door))
    c.raw(header)
    return c


def told_address(stack, log_in):
    """The address that state is told of a client that logs in so."""
    monitor = stack.monitor("cti/")
    while True:
        c = log_in()
        told = monitor.message(1)  # the first may come before the subscription is in force
        while told and told[0] != "cti/xivo/session/open/":  # the end of one that was not heard
            told = monitor.message(1)
        c.close()
        if told:
            break
    monitor.close()
    return told[2]["address"]


@pytest.mark.parametrize("header, address", [
    (v1("192.0.2.7"), "192.0.2.7:49152"), (v2("192.0.2.7"), "192.0.2.7:49152"),
    (v1("2001:db8::7"), "[2001:db8::7]:49152"), (v2("2001:db8::7", 7), "[2001:db8::7]:7"),
    (v1("::ffff:192.0.2.7"), "192.0.2.7:49152")])
def test_who_logs_in_is_known_by_the_announced_address(stack, header, address):
    def log_in():
        c = announced(stack, header)
        c.login("alice", "alice")
        return c

    assert told_address(stack, log_in) == address


def test_header_and_first_line_may_come_in_any_pieces(stack):
    for header in (v1("192.0.2.7"), v2("2001:db8::7")):
        c = Client(stack.programs["cti-gw"].cti)
        c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in header:
            c.raw(bytes([byte]))
        c.login("alice", "alice")
        c.close()
    c = announced(stack, v2("192.0.2.7") + b'{"class":"login_id","commandid":99,"userlogin":"alice","company":"x",'
                         b'"ident":"x","xivoversion":"1.2"}\n')
    assert c.line()["replyid"] == 99
    c.close()


def over_tls(stack, c):
    c.socket = ssl.create_default_context(cafile=str(stack.ca)).wrap_socket(c.socket, server_hostname="127.0.0.1")
    c.login("alice", "alice")
    return c


def test_tls_begins_behind_the_header(stack):
    assert told_address(stack, lambda: over_tls(stack, announced(stack, v2("192.0.2.8"), "ctis"))) == "192.0.2.8:49152"


def test_starttls_behind_the_header(stack):
    def log_in():
        c = announced(stack, v1("192.0.2.9"))
        assert c.ask("starttls")["starttls"] is True
        return over_tls(stack, c)

    assert told_address(stack, log_in) == "192.0.2.9:49152"


def test_a_websocket_begins_behind_the_header(stack):
    def log_in():
        s = socket.create_connection(("127.0.0.1", stack.programs["cti-gw"].websocket), TIMEOUT)
        s.sendall(v2("192.0.2.10"))
        c = WebClient(stack.programs["cti-gw"].websocket, socket=s)
        c.login("alice", "alice")
        return c

    assert told_address(stack, log_in) == "192.0.2.10:49152"


def test_who_guesses_is_told_apart_from_others_behind_the_same_balancer(stack):
    def seconds(address, user, password):
        c = announced(stack, v2(address))
        sessionid = c.login_id(user)["sessionid"]
        since = time.monotonic()
        answer = c.ask("login_pass", hashedpassword=hashlib.sha1(f"{sessionid}:{password}".encode()).hexdigest())
        c.close()
        assert ("capalist" in answer) == (user == password)
        return time.monotonic() - since

    for i in range(8):
        seconds("192.0.2.66", "bob", f"wrong{i}")
    assert seconds("192.0.2.66", "bob", "bob") > 4.9
    assert seconds("192.0.2.67", "bob", "bob") < 4.9  # as a user who is guessed: half a second, doubled three times


@pytest.mark.parametrize("door", ["cti", "ctis", "websocket"])
def test_who_is_not_announced_is_closed_and_counted(stack, door):
    before = stack.metric("cti-gw", "ctibus_cti_unannounced_total")
    for data in (b'{"class":"login_id"}\n', b"\x16\x03\x01\x02\x00\x01", b"GET /cti HTTP/1.1\r\n", b"PROXY TCP4 1.2.3\r\n",
                 SIGNATURE + b"\x21\x11\xff\xff"):
        s = socket.create_connection(("127.0.0.1", getattr(stack.programs["cti-gw"], door)), TIMEOUT)
        s.sendall(data)
        try:
            assert s.recv(10) == b""
        except ConnectionResetError:
            pass
        s.close()
    until(lambda: stack.metric("cti-gw", "ctibus_cti_unannounced_total") == before + 5, "all are counted")
    until(lambda: stack.programs["cti-gw"].logged("closed: it does not begin with a PROXY header"), "the log says why")


def test_the_checks_of_balancers_are_no_news(stack):
    before = stack.metric("cti-gw", "ctibus_cti_unannounced_total")
    for data in (b"", LOCAL):
        with socket.create_connection(("127.0.0.1", stack.programs["cti-gw"].cti), TIMEOUT) as s:
            s.sendall(data)
    c = announced(stack, LOCAL)  # and one that asks further, at the level of the application
    assert "sessionid" in c.login_id("alice")
    c.close()
    assert stack.metric("cti-gw", "ctibus_cti_unannounced_total") == before


def test_without_a_header_a_connection_does_not_stay(stack):
    s = socket.create_connection(("127.0.0.1", stack.programs["cti-gw"].cti), TIMEOUT)
    s.sendall(b"PROXY ")
    assert s.recv(10) == b""
    until(lambda: stack.programs["cti-gw"].logged("no PROXY header in time"), "the log says why")


def test_only_those_named_may_announce(stack):
    """Told by a reload; the second address of the loopback is a stranger then."""
    site = json.loads(stack.path("ctibus.json").read_text())
    site["ctibus"]["cti"]["proxy_from"] = ["10.0.0.0/8", "127.0.0.2"]
    stack.path("ctibus.json").write_text(json.dumps(site))
    signal_of(stack.programs["cti-gw"], signal.SIGHUP)
    until(lambda: stack.programs["cti-gw"].logged("configuration reloaded"), "reloaded")
    before = stack.metric("cti-gw", "ctibus_cti_unannounced_total")
    stranger = Client(stack.programs["cti-gw"].cti)
    assert stranger.closed() == []
    until(lambda: stack.programs["cti-gw"].logged("it is not in ctibus.cti.proxy_from"), "the log says why")
    assert stack.metric("cti-gw", "ctibus_cti_unannounced_total") == before + 1
    balancer = Client(stack.programs["cti-gw"].cti, source="127.0.0.2")
    balancer.raw(v2("192.0.2.7"))
    balancer.login("alice", "alice")
    balancer.close()
    del site["ctibus"]["cti"]["proxy_from"]
    stack.path("ctibus.json").write_text(json.dumps(site))
    signal_of(stack.programs["cti-gw"], signal.SIGHUP)
    until(lambda: sum("configuration reloaded" in x for x in stack.programs["cti-gw"].lines) == 2, "as before")


def test_the_second_connection_of_a_fax_is_known_by_its_announced_address(stack):
    alice, bob = announced(stack, v2("192.0.2.7", 1001)), announced(stack, v2("192.0.2.8", 1002))
    for client, user in ((alice, "alice"), (bob, "bob")):
        client.login(user, user)
    ids = [c.ask("faxsend", destination="1234", filename="a.pdf", hide="0")["fileid"] for c in (alice, bob)]
    others = [announced(stack, v2("192.0.2.7", 2001)), announced(stack, v2("192.0.2.8", 2001))]
    for c, fileid, address in zip((alice, bob), ids, ("192.0.2.7", "192.0.2.8")):
        answer = c.ask("filetransfer", command="put_announce", format="base64", socketref=f"{address}:2001",
                       filename="a.pdf", fileid=fileid, formatted_size=1, file_size=len(PDF))
        assert "error_string" not in answer
    for client, fileid, other in zip((bob, alice), reversed(ids), reversed(others)):
        other.raw(base64.b64encode(PDF) + b"\n")
        told = wait_for(client, "faxsend")
        assert (told["fileid"], told["step"]) == (fileid, "file_decoded")
        assert other.closed() == []
    alice.close()
    bob.close()
