"""CTI clients over TLS: on a port of its own."""

import hashlib
import signal
import ssl
import subprocess

import pytest
from stack import BIN, Client, Stack, until
from test_bad_input import survives_nul

CTIS = {"main.incoming_tcp.CTIS": ["127.0.0.1", 0, True]}
FILES = {"certfile": "server.pem", "keyfile": "server.key"}


def make_certificate(folder, name):
    """A certificate for 127.0.0.1 that has signed itself, and its key."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", cert, "-keyout", key],
                   check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return {name: make_certificate(folder, name) for name in ("one", "two")}


def install(stack, pair):
    """Where the configuration names them, relative to itself."""
    for name, given in zip(("server.pem", "server.key"), pair):
        stack.path(name).write_text(given.read_text())


def secure_stack(pair, **config):
    s = Stack(parts=(), config={**CTIS, **FILES, **config})
    install(s, pair)
    s.start("state")
    s.start("cti-gw", doors=("CTI", "CTIS"))
    return s.wait_ready()


@pytest.fixture(scope="module")
def stack(certificates):
    with secure_stack(certificates["one"]) as s:
        yield s


def trusting(pair):
    return ssl.create_default_context(cafile=str(pair[0]))


def connect(stack, context):
    c = Client(stack.programs["cti-gw"].ctis)
    c.socket = context.wrap_socket(c.socket, server_hostname="127.0.0.1")
    return c


def shown(c):
    """The certificate that this client was shown."""
    return hashlib.sha256(c.socket.getpeercert(binary_form=True)).digest()


def fingerprint(pair):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair[0].read_text())).digest()


def test_a_nul_in_a_name_before_the_login(stack, certificates):
    survives_nul(lambda: connect(stack, trusting(certificates["one"])), stack)


def test_a_login_over_tls(stack, certificates):
    c = connect(stack, trusting(certificates["one"]))
    c.login("alice", "alice")
    assert c.socket.version() == "TLSv1.3"
    assert len(c.load().view) > 5
    clear = stack.client("bob")
    clear.ask("availstate", availstate="away")
    c.wait(lambda: c.status("users", "2").get("availstate") == "away", "what others do")
    c.send("logout", stopper="")
    assert c.closed()[-1]["class"] == "logout"


def test_large_answers_arrive_whole(stack, certificates):
    c = connect(stack, trusting(certificates["one"]))
    c.login("alice", "alice")
    for _ in range(500):
        c.send("getlist", function="listid", listname="users", tipbxid="xivo")
    assert all(c.line()["class"] == "getlist" for _ in range(500))


def test_clear_text_on_the_tls_port_is_closed(stack):
    c = Client(stack.programs["cti-gw"].ctis)
    c.send("login_id", userlogin="alice", company="x", ident="X11-LE-1", xivoversion="1.2")
    received = b""
    try:
        while data := c.socket.recv(4096):
            received += data
    except ConnectionResetError:
        pass
    assert b"{" not in received  # at most an alert of TLS
    until(lambda: stack.programs["cti-gw"].logged("TLS is not what the other side speaks"), "the reason")


def test_who_says_nothing_is_closed(certificates):
    with secure_stack(certificates["one"], **{"main.logintimeout": 1}) as s:
        silent = Client(s.programs["cti-gw"].ctis)
        silent.socket.settimeout(5)
        assert silent.socket.recv(1) == b""


def old_client():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_protocols_are_refused_unless_allowed(stack, certificates):
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        connect(stack, old_client())
    until(lambda: stack.programs["cti-gw"].logged("TLS of the other side is too old"), "the reason")
    with secure_stack(certificates["one"], **{"ctibus.cti.tls_min": "1.0"}) as s:
        c = connect(s, old_client())
        assert c.socket.version() == "TLSv1"
        c.login("alice", "alice")
        assert connect(s, trusting(certificates["one"])).socket.version() == "TLSv1.3"


def test_a_reload_shows_the_new_certificate(certificates):
    with secure_stack(certificates["one"]) as s:
        gw = s.programs["cti-gw"]

        def reload_says(text):
            before = len(gw.lines)
            gw.process.send_signal(signal.SIGHUP)
            until(lambda: any(text in line for line in gw.lines[before:]), text)

        old = connect(s, trusting(certificates["one"]))
        old.login("alice", "alice")
        assert shown(old) == fingerprint(certificates["one"])
        install(s, certificates["two"])
        reload_says("configuration reloaded")
        new = connect(s, trusting(certificates["two"]))
        new.login("bob", "bob")
        assert shown(new) == fingerprint(certificates["two"])
        with pytest.raises(ssl.SSLError):
            connect(s, trusting(certificates["one"]))
        assert old.ask("keepalive")["class"] == "keepalive"
        install(s, (certificates["one"][0], certificates["two"][1]))
        reload_says("keyfile: ")
        gw.says("the configuration stays as it was")
        assert shown(connect(s, trusting(certificates["two"]))) == fingerprint(certificates["two"])


def run(stack, *args):
    return subprocess.run([BIN / "ctibus-cti-gw", "--config", stack.path("ctibus.json"), *args],
                          capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("keys, said", [
    ({}, "certfile: is missing, but main.incoming_tcp.CTIS is on"),
    ({"certfile": "none.pem"}, "certfile: {dir}/none.pem: No such file"),
    ({"certfile": "server.pem", "keyfile": "none.key"}, "keyfile: {dir}/none.key: No such file"),
    ({"certfile": "server.pem"}, "certfile: {dir}/server.pem: no private key in it that can be used"),
    ({"certfile": "server.key"}, "certfile: {dir}/server.key: "),
    ({"certfile": "server.pem", "keyfile": "other.key"}, "keyfile: {dir}/other.key: key values mismatch"),
    ({"certfile": "server.pem", "keyfile": "locked.key"}, "keyfile: {dir}/locked.key: no private key in it")])
def test_what_is_wrong_with_the_files_is_told(certificates, keys, said):
    with Stack(parts=(), config={**CTIS, **keys}) as s:
        install(s, certificates["one"])
        s.path("other.key").write_text(certificates["two"][1].read_text())
        subprocess.run(["openssl", "pkey", "-in", s.path("server.key"), "-out", s.path("locked.key"), "-aes128",
                        "-passout", "pass:secret"], check=True, capture_output=True)
        for args in (["--check"], []):
            done = run(s, *args)
            assert done.returncode == 2
            assert f"ctibus.json: {said.format(dir=s.dir.name)}" in done.stderr


def test_certificate_and_key_may_share_a_file(certificates):
    with Stack(parts=(), config={**CTIS, "certfile": "both.pem"}) as s:
        s.path("both.pem").write_text("".join(f.read_text() for f in certificates["one"]))
        assert run(s, "--check").returncode == 0


def test_clear_text_may_be_switched_off(certificates):
    with Stack(parts=(), config={**CTIS, **FILES, "main.incoming_tcp.CTI": ["127.0.0.1", 0, False]}) as s:
        install(s, certificates["one"])
        s.start("state")
        gw = s.start("cti-gw", doors=("CTIS",))
        s.wait_ready()
        assert not gw.logged("listening name=CTI ")
        connect(s, trusting(certificates["one"])).login("alice", "alice")


def test_without_any_door_there_is_nothing_to_do():
    with Stack(parts=("state",), config={"main.incoming_tcp.CTI": ["127.0.0.1", 0, False]}) as s:
        s.wait_ready()
        done = run(s)
        assert done.returncode == 1 and "nothing to do" in done.stderr


# ---- from clear text to TLS ----

def ask_for_tls(stack, **fields):
    c = stack.connect()
    return c, c.ask("starttls", **fields)


def secure(c, pair):
    assert not c.whole and not c.part
    c.socket = trusting(pair).wrap_socket(c.socket, server_hostname="127.0.0.1")
    return c


@pytest.mark.parametrize("fields", [{}, {"status": True}])
def test_starttls(stack, certificates, fields):
    c, answer = ask_for_tls(stack, **fields)
    assert answer["class"] == "starttls" and answer["starttls"] is True and answer["status"] is True
    secure(c, certificates["one"]).login("alice", "alice")
    assert c.ask("keepalive")["class"] == "keepalive"


def test_nothing_is_said_unasked(stack):
    c = stack.connect()
    c.socket.settimeout(0.5)
    with pytest.raises(TimeoutError):
        c.socket.recv(1)


def test_starttls_may_be_declined(stack):
    c, answer = ask_for_tls(stack, status=False)
    assert answer["starttls"] is False and answer["status"] is False
    c.login("alice", "alice")


def test_starttls_only_once(stack, certificates):
    c = secure(ask_for_tls(stack)[0], certificates["one"])
    assert c.ask("starttls")["error_string"] == "starttls_unavailable"
    c.login("alice", "alice")
    c = connect(stack, trusting(certificates["one"]))
    assert c.ask("starttls")["error_string"] == "starttls_unavailable"


def test_starttls_comes_before_the_login(stack):
    c = stack.connect()
    c.login_id("alice")
    assert c.ask("starttls")["error_string"] == "notloggedyet"
    assert c.closed() == []


@pytest.mark.parametrize("pause", [False, True])
def test_nothing_in_clear_counts_behind_starttls(stack, pause):
    """Somebody in between puts a login of his own in front of the victim's handshake."""
    c = stack.connect()
    injected = b'{"class":"login_id","userlogin":"bob","company":"x","ident":"x","xivoversion":"1.2"}\n'
    before = stack.metric("cti-gw", "ctibus_cti_lines_total")
    c.raw(b'{"class":"starttls","commandid":1}\n' + (b"" if pause else injected))
    assert c.line()["starttls"] is True
    if pause:
        c.raw(injected)
    received = b""
    try:
        while data := c.socket.recv(4096):
            received += data
    except ConnectionResetError:
        pass
    assert b"{" not in received
    assert stack.metric("cti-gw", "ctibus_cti_lines_total") == before + 1


def test_without_a_certificate_it_stays_in_clear():
    with Stack(parts=("state", "cti-gw")) as s:
        s.wait_ready()
        c, answer = ask_for_tls(s)
        assert answer["error_string"] == "starttls_unavailable"
        c.login("alice", "alice")


def test_a_bad_certificate_for_starttls_alone_stops_nothing():
    with Stack(parts=("state", "cti-gw"), config=FILES) as s:
        s.wait_ready()
        s.programs["cti-gw"].says("no certificate for clients (one that was read before stays): certfile: ")
        assert ask_for_tls(s)[1]["error_string"] == "starttls_unavailable"
