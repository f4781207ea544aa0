"""Users of a directory (slapd) and of a reverse proxy (HAProxy) in front of the web client's port."""

import os
import shutil
import socket
import subprocess
import time
import urllib.parse

import pytest
import websocket
from stack import BIN, TIMEOUT, Stack, free_port, until
from test_web_login import LOGIN, login, password
from test_websocket import WebClient, web_stack

USERS = [{"id": "1", "firstname": "Alice", "lastname": "Martin", "loginclient": "alice", "passwdclient": "", "enableclient": 1, "profileclient": "client"},
         {"id": "2", "firstname": "Bob", "lastname": "", "loginclient": "bob", "passwdclient": "local", "enableclient": 1, "profileclient": "client"},
         {"id": "3", "firstname": "C", "lastname": "", "loginclient": "c*)(uid=*", "passwdclient": "", "enableclient": 1, "profileclient": "client"},
         {"id": "4", "firstname": "D", "lastname": "", "loginclient": "d,ou=x", "passwdclient": "", "enableclient": 1, "profileclient": "client"}]
LDIF = """dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=alice,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: Martin
userPassword: from-ldap

dn: uid=bob,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Tremblay
userPassword: from-ldap

dn: uid=d\\2cou=x,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: d,ou=x
cn: D
sn: D
userPassword: comma
"""
SLAPD = shutil.which("slapd") or "/usr/sbin/slapd"


class Directory:
    """slapd on a socket of its own."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "db").mkdir()
        self.socket = folder / "ldapi"
        (folder / "slapd.conf").write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw admin
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="uid=bob,ou=people,dc=example,dc=com" read by * auth
""")
        (folder / "data.ldif").write_text(LDIF)
        subprocess.run(["slapadd" if shutil.which("slapadd") else "/usr/sbin/slapadd", "-f", folder / "slapd.conf", "-l", folder / "data.ldif"],
                       check=True, capture_output=True)
        self.uri = "ldapi://" + urllib.parse.quote(str(self.socket), safe="")
        self.start()

    def start(self):
        self.process = subprocess.Popen([SLAPD, "-d", "0", "-f", self.folder / "slapd.conf", "-h", self.uri])
        until(self.listens, "slapd listens")

    def listens(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(str(self.socket)) == 0

    def stop(self):
        self.process.terminate()
        self.process.wait(TIMEOUT)


@pytest.fixture(name="directory")
def fixture_directory(tmp_path):
    if not os.path.exists(SLAPD):
        pytest.skip("slapd is not installed")
    directory = Directory(tmp_path)
    yield directory
    directory.stop()


def stack_of(**config):
    stack = Stack(parts=("state",), users=USERS, config={"ctibus.cti.websocket": "127.0.0.1:0", **config})
    stack.start("cti-gw", doors=("CTI", "websocket"))
    return stack.wait_ready()


def answer(stack, user, secret):
    return password(stack, user, password=secret)[1]


def test_passwords_that_a_directory_checks(directory):
    config = {"ctibus.auth.ldap.uri": directory.uri, "ctibus.auth.ldap.user_dn": "uid=%s,ou=people,dc=example,dc=com"}
    with stack_of(**config) as s:
        assert answer(s, "alice", "from-ldap")["userid"] == "1"
        assert answer(s, "alice", "wrong")["error_string"] == "login_password"
        assert answer(s, "alice", "")["error_string"] == "login_password"  # would be an anonymous bind
        assert answer(s, "bob", "local")["userid"] == "2"                  # the list comes first
        assert answer(s, "bob", "from-ldap")["error_string"] == "login_password"
        assert answer(s, "nobody", "from-ldap")["error_string"] == "login_password"
        assert answer(s, "d,ou=x", "comma")["userid"] == "4"
        c = s.connect()
        c.login_id("alice")
        assert c.ask("login_pass", hashedpassword="0" * 40)["error_string"] == "login_password"
        directory.stop()
        assert answer(s, "alice", "from-ldap")["error_string"] == "login_unavailable"
        s.programs["state"].says("its users cannot log in")
        directory.start()
        assert answer(s, "alice", "from-ldap")["userid"] == "1"


def test_users_that_are_searched(directory):
    config = {"ctibus.auth.ldap.uri": directory.uri, "ctibus.auth.ldap.base": "dc=example,dc=com", "ctibus.auth.ldap.filter": "(uid=%s)",
              "ctibus.auth.ldap.search_dn": "uid=bob,ou=people,dc=example,dc=com", "ctibus.auth.ldap.search_password": "from-ldap"}
    with stack_of(**config) as s:
        assert answer(s, "alice", "from-ldap")["userid"] == "1"
        assert answer(s, "alice", "wrong")["error_string"] == "login_password"
        assert answer(s, "c*)(uid=*", "from-ldap")["error_string"] == "login_password"  # a name, no filter
        assert answer(s, "d,ou=x", "comma")["userid"] == "4"
    with stack_of(**{**config, "ctibus.auth.ldap.search_password": "wrong"}) as s:
        assert answer(s, "alice", "from-ldap")["error_string"] == "login_unavailable"
        s.programs["state"].says("ctibus.auth.ldap.search_dn")


def test_a_directory_that_does_not_answer_keeps_nobody_waiting(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        config = {"ctibus.auth.ldap.uri": f"ldap://127.0.0.1:{silent.getsockname()[1]}", "ctibus.auth.ldap.user_dn": "uid=%s,dc=x"}
        with stack_of(**config) as s:
            since = time.monotonic()
            waiting, _ = login_begin(s, "alice")
            assert answer(s, "bob", "local")["userid"] == "2"
            assert time.monotonic() - since < 2
            assert waiting.line()["error_string"] in ("login_unavailable", "noconn")


def login_begin(stack, user):
    """A login whose answer is not waited for."""
    from test_websocket import connect  # pylint: disable=import-outside-toplevel
    c = connect(stack)
    c.send("login_password", userlogin=user, password="x", **LOGIN)
    return c, None


def test_a_proxy_that_authenticates_and_ends_tls(tmp_path):
    haproxy = shutil.which("haproxy") or "/usr/sbin/haproxy"
    if not os.path.exists(haproxy):
        pytest.skip("haproxy is not installed")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    (tmp_path / "both.pem").write_text(cert.read_text() + key.read_text())
    with web_stack(**{"ctibus.auth.remote_user_from": ["127.0.0.1"]}) as s:
        port = free_port()
        (tmp_path / "haproxy.cfg").write_text(f"""
defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
userlist people
    user alice insecure-password one
frontend web
    bind 127.0.0.1:{port} ssl crt {tmp_path}/both.pem
    http-request auth unless {{ http_auth(people) }}
    http-request set-header Remote-User %[req.hdr(Authorization),word(2,' '),b64dec,word(1,:)]
    default_backend cti-gw
backend cti-gw
    server one 127.0.0.1:{s.programs["cti-gw"].websocket}
""")
        proxy = subprocess.Popen([haproxy, "-db", "-q", "-f", tmp_path / "haproxy.cfg"])
        try:
            def connect(user):
                c = WebClient.__new__(WebClient)
                c.ws = websocket.create_connection(f"wss://localhost:{port}/cti", timeout=TIMEOUT, sslopt={"ca_certs": str(cert)},
                                                   header=[f"Authorization: Basic {user}", "Remote-User: bob"])
                c.commandid, c.view, c.seen = 0, {}, []
                return c

            def first():
                try:
                    return connect("YWxpY2U6b25l")
                except ConnectionRefusedError:
                    return None

            c = until(first, "haproxy listens")
            assert c.ask("login_proxy", **LOGIN)["userid"] == "1"  # not bob, whom the client claims to be
            with pytest.raises(websocket.WebSocketBadStatusException):
                connect("Ym9iOm9uZQ==")
        finally:
            proxy.terminate()
            proxy.wait(TIMEOUT)
    assert login


@pytest.mark.parametrize("config, reason", [
    ({}, "needs user_dn"), ({"user_dn": "uid=alice,dc=x"}, "user_dn has no %s"), ({"base": "dc=x", "filter": "(uid=*)"}, "filter has no %s")])
def test_a_directory_whose_users_cannot_be_named_is_refused(config, reason):
    with Stack(parts=(), config={"ctibus.auth.ldap": {"uri": "ldap://127.0.0.1", **config}}) as s:
        out = subprocess.run([f"{BIN}/ctibus-state", "--config", s.path("ctibus.json"), "--check"], capture_output=True, text=True, timeout=30)
        assert out.returncode == 2 and reason in out.stdout + out.stderr, out
