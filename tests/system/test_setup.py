"""From the address of an AMI to a panel: ctibus setup, discover and passwd, against the simulator."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile

import pytest
from private import machine, needs_private
from stack import BIN, DATA, ROOT, Client, Program, free_port, until

OFFICE = ("--office", "--rate", "0", "--office-guests", "alice,bob")


@contextlib.contextmanager
def asterisk(*args):
    port = free_port()
    sim = Program([BIN / "ctibus-asterisk-sim", "--listen", f"127.0.0.1:{port}", "--status", f"127.0.0.1:{free_port()}",
                   *(args or OFFICE)])
    try:
        sim.listening("ami")
        yield port
    finally:
        sim.terminate()


@pytest.fixture(name="folder")
def fixture_folder():
    with tempfile.TemporaryDirectory(prefix="ctibus-setup-") as name:
        yield pathlib.Path(name)


def ctibus(*args, given="", full=False, **env):
    """The tool, without a terminal: exit code, standard output, standard error. `full`: no file grows beyond 4 KiB."""
    limit = ["sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"] if full else []
    done = subprocess.run([*limit, BIN / "ctibus", *args], input=given, capture_output=True, text=True, timeout=60,
                          env={**os.environ, **env})
    return done.returncode, done.stdout, done.stderr


def make_site(port, folder, *more, full=False, **env):
    return ctibus("setup", "--host", "127.0.0.1", "--port", str(port), "--user", "ctibus", "--dir", str(folder),
                  *map(str, more), full=full, **{"CTIBUS_AMI_SECRET": "secret", **env})


def own_ports(folder):
    """The addresses of the configuration that was written are those of one machine; tests run beside each other."""
    file = folder / "ctibus.json"
    tree = json.loads(file.read_text())
    tree["main"]["incoming_tcp"] = {n: ["127.0.0.1", 0, True] for n in ("CTI", "FAGI", "WEBI", "INFO")}
    tree["main"]["incoming_udp"] = {"ANNOUNCE": ["127.0.0.1", 0, False]}
    tree["ctibus"]["bus"] = {n: f"tcp://127.0.0.1:{free_port()}" for n in ("publish", "subscribe", "request")}
    tree["ctibus"]["http"] = {n: "127.0.0.1:0" for n in ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw")}
    tree["ctibus"]["api"] = {"listen": "127.0.0.1:0"}
    tree["ctibus"]["cti"]["websocket"] = "127.0.0.1:0"
    tree["ctibus"]["database"] = "sqlite:state.db"
    file.write_text(json.dumps(tree))
    return file


@contextlib.contextmanager
def services(config, *names):
    running = []
    try:
        for name in names:
            running.append(Program([BIN / f"ctibus-{name}", "--config", config]))
            running[-1].listening("metrics")
        yield dict(zip(names, running))
    finally:
        for program in reversed(running):
            program.terminate()


def test_from_an_ami_port_to_a_login(folder):
    with asterisk() as port:
        code, out, err = make_site(port, folder, "--yes")
        assert code == 0, err
        assert "30 people" in out and "2 queues" in out and "open http://127.0.0.1:5080/" in out
        config = own_ports(folder)
        assert (folder / "people.csv").stat().st_mode & 0o777 == 0o600 and config.stat().st_mode & 0o777 == 0o600
        code, out, err = ctibus("--config", str(config), "passwd", "alice", "--number", "1001", "--clear", "--stdin",
                                given="correct horse\n")
        assert code == 0 and "alice can log in" in out, err
        code, out, err = ctibus("--config", str(config), "check")
        assert code == 0, out + err
        with services(config, "state", "ami-gw", "cti-gw") as running:
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            client = Client(running["cti-gw"].listening("CTI"))
            client.login("alice", "correct horse")
            phones = client.ask("getlist", function="listid", listname="phones", tipbxid="xivo")["list"]
            assert len(phones) == 30
            client.close()


def test_files_that_are_there_stay(folder):
    with asterisk() as port:
        assert make_site(port, folder, "--yes")[0] == 0
        (folder / "people.csv").write_text("number,login,lastname\n1001,,Mine\n")
        code, _, err = make_site(port, folder, "--yes")
        assert code == 1 and "is there already; --force writes a new one and keeps it" in err
        assert "1001,,Mine" in (folder / "people.csv").read_text()
        for n in ("", ".2", ".3"):
            (folder / "people.csv").write_text(f"number,login,lastname\n1001,,Mine{n}\n")
            (folder / "ctibus.json").write_text(f"mine{n}")
            code, out, _ = make_site(port, folder, "--yes", "--force")
            assert code == 0 and f"kept {folder}/people.csv.old{n}\n" in out and f"kept {folder}/ctibus.json.old{n}\n" in out
        assert "Mine" not in (folder / "people.csv").read_text()
        for n in ("", ".2", ".3"):
            assert f"Mine{n}\n" in (folder / f"people.csv.old{n}").read_text(), "what was there stays beside it"
            assert (folder / f"ctibus.json.old{n}").read_text() == f"mine{n}"


def test_logins_survive_a_forced_setup(folder):
    """However often: nobody is locked out by it."""
    with asterisk() as port:
        assert make_site(port, folder, "--yes")[0] == 0
        config = str(folder / "ctibus.json")
        for login in ("alice", "bob"):
            code, _, err = ctibus("--config", config, "passwd", login, "--number", "100" + "12"[login == "bob"], "--stdin",
                                  given="correct horse\n")
            assert code == 0, err
        people = (folder / "people.csv").read_text()
        for _ in range(3):
            code, out, err = make_site(port, folder, "--yes", "--force")
            assert code == 0 and f"left {folder}/people.csv as it is: it has 2 logins" in out, out + err
            assert (folder / "people.csv").read_text() == people
        assert not (folder / "people.csv.old").exists() and (folder / "ctibus.json.old.3").exists()


def test_places_where_nothing_can_be_written(folder):
    """Which part of the path is the cause is said, before anything is asked."""
    (folder / "file").write_text("")
    (folder / "site" / "ctibus.json").mkdir(parents=True)
    for place, said in (("file", "file: Not a directory"), ("file/x", "file/x: " + str(folder / "file") + ": Not a directory"),
                        ("a/b/c", f"there is no folder {folder}/a: make it first"),
                        ("site", "site/ctibus.json is a folder: remove it")):
        for more in ((), ("--force",)):
            code, _, err = make_site(free_port(), folder / place, "--yes", *more)
            assert code == 1 and said in err, err
    code, _, err = make_site(free_port(), "", "--yes")
    assert code == 1 and "--dir: No such file or directory" in err


@pytest.mark.parametrize("name", ["a.b", "a/b", "", "x y"])
def test_names_of_an_ipbx_that_are_none(folder, name):
    code, _, err = make_site(free_port(), folder, "--yes", "--name", name)
    assert code == 1 and "a name has letters" in err and not list(folder.iterdir())


def test_two_people_of_one_number(folder):
    """The recorded 23 has phones 1001 in two contexts: each has a row of its own, which check accepts and which counts."""
    recording = DATA / "23" / "01-login-listing.ami"
    with asterisk("--capture", recording, "--wait-login") as port:
        assert make_site(port, folder, "--yes")[0] == 0
        text = (folder / "people.csv").read_text()
        assert "\n1001@default," in text and "\n1001@ext-local," in text and "\n1003," in text
        config = own_ports(folder)
        (folder / "people.csv").write_text("number,login,password,lastname\n1001@ext-local,zoe,a secret,Other\n")
        code, out, err = ctibus("--config", str(config), "check")
        assert code == 0, out + err
        with services(config, "state", "ami-gw") as running:
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            users = {u["id"]: u for u in map(json.loads, ctibus("--config", str(config), "snapshot", "users")[1].splitlines())}
            assert users["1001@ext-local"]["loginclient"] == "zoe" and users["1001@default"]["loginclient"] is None


@pytest.mark.parametrize("options,env,said", [
    ((), {"CTIBUS_AMI_SECRET": "wrong"}, ("refused: Authentication failed", "secret = ...", "permit =")),
    (("--tls",), {}, ("fault: 127.0.0.1:", "leave out --tls")),
    ((), {"CTIBUS_AMI_SECRET": "sec\nret"}, ("the secret has a control character", "CTIBUS_AMI_SECRET")),
])
def test_an_asterisk_that_does_not_let_us_in(folder, options, env, said):
    with asterisk() as port:
        code, _, err = make_site(port, folder, "--yes", *options, **env)
        assert code == 1 and all(text in err for text in said), err
        assert not list(folder.iterdir()), "nothing is written"


def test_nothing_is_left_when_it_fails(folder):
    """Of a folder that was not there, and of one with files in it."""
    with asterisk() as port:
        assert make_site(port, folder / "new", "--yes", CTIBUS_AMI_SECRET="wrong")[0] == 1
        assert ctibus("setup", "--dir", str(folder / "new"))[0] == 1, "nothing is asked for without a terminal"
        assert not (folder / "new").exists()
        assert make_site(port, folder / "new", "--yes", full=True)[0] == 1
        assert not (folder / "new").exists()
        assert make_site(port, folder / "old", "--yes")[0] == 0
        before = {p.name: p.read_bytes() for p in (folder / "old").iterdir()}
        code, out, err = make_site(port, folder / "old", "--yes", "--force", full=True)
        assert code == 1 and "ctibus.json: " in err and "wrote" not in out and "kept" not in out
        assert {p.name: p.read_bytes() for p in (folder / "old").iterdir()} == before
        code, _, err = make_site(port, folder / "far" / "away", "--yes")
        assert code == 1 and f"there is no folder {folder}/far: make it first" in err


@pytest.mark.parametrize("dialect,options,said", [
    ("20", (), "127.0.0.1 is Asterisk 20.0.0-office (Asterisk Call Manager/9.0.0). It has:"),
    ("1.8", (), "127.0.0.1 is Asterisk 1.8.0-office (Asterisk Call Manager/1.1). It has:"),
    ("20", ("--write", "call,agent"), "127.0.0.1 answers as Asterisk Call Manager/9.0.0; the version of Asterisk is not shown"),
])
def test_the_version_is_that_of_asterisk(folder, dialect, options, said):
    with asterisk(*OFFICE, "--office-dialect", dialect, *options) as port:
        _, out, err = make_site(port, folder, "--yes")
        assert out.startswith(said), out + err


ALL = "write = system,call,agent,user,originate,reporting,command"


def but(word):
    return ",".join(c for c in ALL.split(" = ")[1].split(",") if c != word)


@pytest.mark.parametrize("options,said", [
    (("--write", but("system")), ("the manager user ctibus has no `system` in write", ALL, "manager reload")),
    (("--write", but("command")), ("the manager user ctibus has no `command` in write", ALL)),
    (("--write", but("reporting")), ("the manager user ctibus has no `reporting` in write", ALL)),
    (("--write", but("originate")), ("has no `originate` in write", "Nobody can call by a click", ALL)),
    (("--write", but("agent")), ("has no `agent` in write", ALL)),
    (("--read", "system,agent"), ("has no `call`, `user`, `originate`, `dialplan`, `reporting` in read", "Calls and the states of phones are not seen", "read = system,call,agent,user,originate,dialplan,reporting")),
    (("--without", "app_queue"), ("this Asterisk has not loaded app_queue", "load = app_queue.so")),
    (("--without", "res_pjsip,chan_sip"), ("has loaded neither res_pjsip nor chan_sip", "load = res_pjsip.so")),
])
def test_what_is_missing_at_the_asterisk_is_told(folder, options, said):
    with asterisk(*OFFICE, *options) as port:
        code, out, err = make_site(port, folder, "--yes")
        assert code == 0 and all(text in out for text in said), out + err
        assert out.count("write = ") + out.count("read = ") <= out.count("manager reload"), "each once"
        assert (folder / "people.csv").exists()


def test_nothing_is_told_of_an_asterisk_that_is_as_it_should_be(folder):
    for dialect in ("20", "1.8"):
        with asterisk(*OFFICE, "--office-dialect", dialect) as port:
            code, out, err = make_site(port, folder, "--yes", "--force")
            assert code == 0 and "Problems found" not in out and "why:" not in out, out + err


@pytest.mark.parametrize("scenario", ["freepbx-queue", "issabel-queue"])
def test_a_freepbx_is_told_where_its_manager_users_are(folder, scenario):
    """Also when its phones may not be seen, only its queues."""
    subprocess.run([ROOT / "tests" / "handmade" / "write", scenario, folder], check=True, stdout=subprocess.DEVNULL)
    for n, write in enumerate((but("call"), "agent,user")):
        with asterisk("--capture", next(folder.glob("[a-z]*.ami")),
                      "--wait-login", "--write", write) as port:
            code, out, err = make_site(port, folder / f"site{n}", "--yes")
            with services(own_ports(folder / f"site{n}"), "state", "ami-gw") as running:
                until(lambda: running["ami-gw"].logged("to its write in FreePBX, Settings, Asterisk Manager Users"), "the log says it, too")
        assert code == 0, err
        assert "    do: in FreePBX, Settings, Asterisk Manager Users" in out and f"user ctibus: {ALL}" in out, out
        assert "Apply Config" in out and "in manager.conf" not in out, out
        publish = json.loads((folder / f"site{n}" / "ctibus.json").read_text())["ctibus"]["features"]["publish"]
        assert publish == ["astdb", "devstate"]


@pytest.mark.parametrize("site", ["freepbx", "issabel", "mikopbx", "wazo", "plain"])
def test_what_an_asterisk_has_not_is_no_lack_of_permission(folder, site):
    """Their listings have no ShowDialPlan, by which `reporting` is known; their users may do everything."""
    subprocess.run([ROOT / "tests" / "handmade" / "write", f"{site}-queue", folder], check=True, stdout=subprocess.DEVNULL)
    with asterisk("--capture", next(folder.glob("[a-z]*.ami")), "--wait-login") as port:
        code, out, err = make_site(port, folder / "site", "--yes")
    assert code == 0 and "in write" not in out, out + err


def test_connections_that_are_closed_at_once(folder):
    with asterisk(*OFFICE, "--refuse") as port:
        code, _, err = make_site(port, folder, "--yes")
        assert code == 1 and "permit = ADDRESS OF THIS MACHINE" in err and "firewall" in err, err


def test_a_certificate_that_nobody_knows(folder):
    certificate(folder, "IP:127.0.0.1")
    with asterisk(*OFFICE, "--tls-cert", folder / "cert.pem", "--tls-key", folder / "key.pem") as port:
        code, _, err = make_site(port, folder / "site", "--yes", "--tls")
        assert code == 1 and "TLS certificate refused" in err and "--tls-ca FILE" in err and "tlscertfile = " in err
        code, _, err = make_site(port, folder / "site", "--yes")
        assert code == 1 and "If it is its TLS port, add --tls" in err, err
        code, out, err = make_site(port, folder / "site", "--yes", "--tls", "--tls-ca", os.path.relpath(folder / "cert.pem"))
        assert code == 0 and "30 people" in out, err
        done = ctibus("--config", str(folder / "site" / "ctibus.json"), "--json", "discover")
        assert done[0] == 0 and len(json.loads(done[1])["lines"]) == 30


def certificate(folder, names):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=pbx", "-addext", f"subjectAltName={names}",
                    "-out", folder / "cert.pem", "-keyout", folder / "key.pem"], check=True, capture_output=True)
    return folder / "cert.pem"


def test_a_certificate_for_another_host(folder):
    cert = certificate(folder, "DNS:pbx.example.org")
    with asterisk(*OFFICE, "--tls-cert", cert, "--tls-key", folder / "key.pem") as port:
        code, _, err = make_site(port, folder / "site", "--yes", "--tls-ca", cert)
        assert code == 1 and "it is for another host: pbx.example.org" in err, err
        assert "--tls-name NAME" in err and "Give the CA" not in err and f"127.0.0.1:{port}: " in err
        code, _, err = make_site(port, folder / "site", "--yes", "--tls-ca", cert, "--tls-name", "other.example.org")
        assert code == 1 and "it is for another host: pbx.example.org" in err, err
        code, out, err = make_site(port, folder / "site", "--yes", "--tls-ca", cert, "--tls-name", "pbx.example.org")
        assert code == 0 and "30 people" in out, err
        con = json.loads((folder / "site" / "ctibus.json").read_text())["ipbxes"]["xivo"]["ipbx_connection"]
        assert con["tls_name"] == "pbx.example.org" and con["tls_ca"] == str(cert)
        done = ctibus("--config", str(folder / "site" / "ctibus.json"), "--json", "discover")
        assert done[0] == 0 and len(json.loads(done[1])["lines"]) == 30


def test_a_ca_that_is_none(folder):
    (folder / "text").write_text("no certificate")
    for file in ("nowhere", "text", "."):
        code, _, err = make_site(free_port(), folder / "site", "--yes", "--tls-ca", folder / file)
        assert code == 1 and f"{folder / file}: " in err and "--tls-ca (in ctibus.json" in err and "BEGIN CERTIFICATE" in err, err


@pytest.mark.parametrize("more,said,never", [
    ((), ("enabled = yes, port = {port},", "is this the port of its manager interface?"), ("5038", "tls")),
    (("--tls",), ("tlsenable = yes, tlsbindaddr = 0.0.0.0:{port}", "leave out --tls"), ("5038",)),
    (("--no-verify",), ("tlsenable = yes, tlsbindaddr = 0.0.0.0:{port}", "--no-verify mean"), ("5038",)),
])
def test_nothing_listens_there(folder, more, said, never):
    port = free_port()
    code, _, err = make_site(port, folder, "--yes", *more)
    assert code == 1 and f"fault: 127.0.0.1:{port}: Connection refused" in err, err
    assert all(text.format(port=port) in err for text in said) and not any(text in err for text in never), err


@needs_private()
def test_the_ports_where_none_is_given(folder):
    with machine(folder) as here:
        for more, said in (((), "fault: 127.0.0.1:5038: Connection refused"), (("--no-verify",), "fault: 127.0.0.1:5039: Connection refused")):
            done = here.run(BIN / "ctibus", "setup", "--yes", "--secret", "x", "--dir", folder / "site", *more)
            assert done.returncode == 1 and said in done.stderr, done.stderr
        done = here.run(BIN / "ctibus", "setup", "--yes", "--host", "pbx.example.org", "--secret", "x", "--dir", folder / "site")
        assert done.returncode == 1 and "getent hosts" in done.stderr and "[msg]" not in done.stderr, done.stderr


@pytest.mark.parametrize("host,said", [
    ("", ("the host is not given", "--host")),
    ("127.0.0.1:5038", ("there is a port in the name of the host", "--port PORT")),
    ("[::1]:5038", ("there is a port in the name of the host", "--port PORT")),
    ("http://pbx", ("neither a name nor an address", "Correct --host")),
    ("p\x1b[31mbx", ("neither a name nor an address", "Correct --host")),
    ("a:b:c:d", ("neither a name nor an address", "Correct --host")),
])
def test_hosts_that_are_none(folder, host, said):
    code, _, err = ctibus("setup", "--host", host, "--yes", "--secret", "x", "--dir", str(folder / "site"))
    assert code == 1 and all(text in err for text in said) and "\x1b" not in err, err


@pytest.mark.parametrize("user", ["a\nb", "a\x01", ""])
def test_users_that_are_none(folder, user):
    code, _, err = ctibus("setup", "--host", "127.0.0.1", "--user", user, "--yes", "--secret", "x", "--dir", str(folder / "site"))
    assert code == 1 and "the name of the user is empty or has a control character" in err and "Correct --user" in err, err


def test_questions_of_setup(folder):
    """At a terminal all is asked for, with what Enter means."""
    with asterisk() as port:
        main, side = os.openpty()
        process = subprocess.Popen([BIN / "ctibus", "setup", "--dir", folder], stdin=side, stdout=side, stderr=side)
        os.close(side)
        seen = b""
        for question, answer in (("(--host) [127.0.0.1]: ", ""), ("port of its manager interface (--port) [5038]: ", port),
                                 ("(--user) [ctibus]: ", ""), ("CTIBUS_AMI_SECRET): ", "secret")):
            while question.encode() not in seen:
                seen += os.read(main, 4096)
            os.write(main, f"{answer}\n".encode())
        with contextlib.suppress(OSError):
            while data := os.read(main, 65536):
                seen += data
        assert process.wait(30) == 0, seen
        os.close(main)
        assert json.loads((folder / "ctibus.json").read_text())["ipbxes"]["xivo"]["ipbx_connection"]["ipport"] == port


def test_a_port_that_is_no_ami(folder):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code, _, err = make_site(server.getsockname()[1], folder, "--yes")
        assert code == 1 and "no greeting within the time limit" in err and "--tls" in err


def test_what_is_not_given_is_asked_for_only_at_a_terminal(folder):
    code, _, err = ctibus("setup", "--dir", str(folder), given="")
    assert code == 1 and "host of the Asterisk (--host) is not given" in err


def test_discover(folder):
    with asterisk() as port:
        where = ("--host", "127.0.0.1", "--port", str(port), "--user", "ctibus", "--secret", "secret")
        code, out, _ = ctibus("discover", *where)
        lists = json.loads(out)
        assert code == 0 and len(lists["lines"]) == 30 and lists["queues"][0]["number"] == "3002"
        code, out, _ = ctibus("discover", *where, "--csv")
        assert out.splitlines()[0] == "number,login,password_hash,profile,firstname,lastname,mobile,email,agent,groups,note" and out.splitlines()[1].endswith(",Alice Martin")
        assert make_site(port, folder, "--yes")[0] == 0
        code, out, _ = ctibus("--config", str(folder / "ctibus.json"), "--json", "discover")
        assert code == 0 and json.loads(out) == lists and out.count("\n") == 1


def test_what_an_asterisk_has_is_shown_as_people_write_it(folder):
    """Control characters in a name do not reach a terminal; one thing is no plural; nothing stands there twice."""
    subprocess.run([ROOT / "tests" / "handmade" / "write", "plain-queue", folder], check=True, stdout=subprocess.DEVNULL)
    recording = next(folder.glob("[0-9]*.ami"))
    recording.write_bytes(recording.read_bytes().replace(b"Alice Martin", b"Al\x1b[31mice Mar\x07tin"))
    with asterisk("--capture", recording, "--wait-login") as port:
        code, out, err = make_site(port, folder / "my site", "--yes")
        assert code == 0, err
        where = ("--host", "127.0.0.1", "--port", str(port), "--user", "ctibus", "--secret", "secret")
        csv, lists = ctibus("discover", *where, "--csv")[1], ctibus("discover", *where)[1]
    assert "1001 Al\ufffd[31mice, 1002 Bob" in out and "Al\ufffd[31mice Mar\ufffdtin" in (folder / "my site" / "people.csv").read_text()
    assert all(not set(text) & {"\x1b", "\x07"} for text in (out, err, csv, lists))
    assert re.search(r"\n +1 trunk +555010\n", out) and re.search(r"\n +0 parking lots\n", out), out
    assert f"\n    ctibus-state --config '{folder}/my site/ctibus.json' &\n" in out
    subprocess.run([ROOT / "tests" / "handmade" / "write", "freepbx-queue", folder], check=True, stdout=subprocess.DEVNULL)
    with asterisk("--capture", next(folder.glob("[0-9]*.ami")), "--wait-login") as port:
        _, out, err = make_site(port, folder / "site", "--yes")
        assert re.search(r"\n +1 queue +400\n", out), out


@pytest.mark.parametrize("scenario,phones,queues", [
    ("freepbx-queue", {"pjsip-1001": "1001", "pjsip-1002": "1002", "pjsip-1003": "1003"}, {"400"}),
    ("issabel-queue", {"sip-101": "101", "sip-102": "102", "sip-103": "103"}, {"500", "501"}),
    ("mikopbx-queue", {"pjsip-201": "201", "pjsip-201-WS": "201", "pjsip-202": "202", "pjsip-202-WS": "202",
                       "pjsip-203": "203", "pjsip-203-WS": "203"}, {"QUEUE-7C3A"}),
    ("wazo-queue", {"pjsip-abcdef12": "1001", "pjsip-k3x9z0qd": "1002", "pjsip-m7t2w8ra": "1003"},
     {"grp-sales-1f0e", "support"}),
    ("plain-queue", {"pjsip-1001": "1001", "pjsip-1002": "1002", "pjsip-1003": "1003"}, {"sales", "support"}),
])
def test_sites_that_name_their_phones_in_other_ways(folder, scenario, phones, queues):
    """The lists of the scenario, which were written by hand, say the same as the Asterisk does."""
    subprocess.run([ROOT / "tests" / "handmade" / "write", scenario, folder], check=True, stdout=subprocess.DEVNULL)
    with asterisk("--capture", next(folder.glob("[a-z]*.ami")), "--wait-login") as port:
        code, out, err = ctibus("discover", "--host", "127.0.0.1", "--port", str(port), "--user", "ctibus", "--secret", "secret")
    lists = json.loads(out)
    assert code == 0 and {o["id"]: o["number"] for o in lists["lines"]} == phones, err
    assert {o["name"] for o in lists["queues"]} == queues
    assert scenario != "plain-queue" or lists["trunks"] == [
        {"id": "iax-555010", "protocol": "iax", "name": "555010", "host": "198.51.100.9"}]
    by_hand = {str(o["number"]): (o["firstname"], o["lastname"]) for o in people_of(folder)}
    found = {o["number"]: (o["firstname"], o.get("lastname", "")) for o in lists["users"]}
    assert found == {number: by_hand[number] for number in found} and len(found) == 3


def people_of(folder):
    """Users with the numbers of their phones, of the lists that were written by hand."""
    users = {str(u["id"]): u for u in json.loads((folder / "users.json").read_text())}
    return [{**users[str(line["iduserfeatures"])], "number": line["number"]}
            for line in json.loads((folder / "lines.json").read_text()) if str(line.get("iduserfeatures")) in users]


PEOPLE = 'number,login,colour,password,lastname\n1001,alice,"red, or ""blue""",old,Martin\n1002,,,,\n'


def passwd(folder, *args, given="secret word\n", people=PEOPLE):
    (folder / "ctibus.json").write_text(json.dumps({
        "profiles": {"user": {"name": "User"}},
        "ipbxes": {"xivo": {"ipbx_connection": {"ipaddress": "127.0.0.1", "username": "u", "password": "p"},
                            "urllists": {"urllist_users": ["asterisk:", "csv:people.csv"]}}}}))
    if people is not None:
        (folder / "people.csv").write_text(people)
    code, out, err = ctibus("--config", str(folder / "ctibus.json"), "passwd", *args, "--stdin", given=given)
    return code, out, err, (folder / "people.csv").read_text() if (folder / "people.csv").exists() else None


def test_a_password_replaces_the_one_before_and_nothing_else(folder):
    code, _, err, text = passwd(folder, "alice")
    assert code == 0, err
    lines = text.splitlines()
    assert lines[0] == "number,login,colour,password,lastname,password_hash"
    assert lines[1].startswith('1001,alice,"red, or ""blue""",,Martin,$') and lines[2] == "1002,,,,,"


def test_a_login_for_a_number_that_has_none(folder):
    code, _, err, text = passwd(folder, "bob", "--number", "1002", "--clear", "--profile", "user")
    assert code == 0, err
    assert text.splitlines()[0] == "number,login,colour,password,lastname,profile"
    assert text.splitlines()[2] == "1002,bob,,secret word,,user"


def test_a_new_row(folder):
    code, out, err, text = passwd(folder, "carole", "--number", "1003", people=None)
    assert code == 0, err
    assert "a row was added" in out
    assert text.splitlines()[0] == "number,login,password_hash" and text.splitlines()[1].startswith("1003,carole,$")


def test_a_file_of_a_spreadsheet_keeps_its_form(folder):
    """Semicolons, line ends of Windows, a byte order mark, fields beyond the titles."""
    code, _, err, _ = passwd(folder, "alice", "--number", "1001",
                             people="\ufeffnumber;login;note\r\n1001;;a\r\n1002;bob;b;more;still more\r\n")
    assert code == 0, err
    lines = (folder / "people.csv").read_bytes().decode().split("\r\n")
    assert lines[0] == "number;login;note;password_hash" and lines[1].startswith("1001;alice;a;$")
    assert lines[2] == "1002;bob;b;more;still more" and lines[3] == ""


def test_a_file_behind_a_link(folder):
    """The link stays, and the file that it is to is changed; of a link to nothing nothing is made."""
    (folder / "kept").mkdir()
    (folder / "people.csv").symlink_to("kept/staff.csv")
    code, _, err, _ = passwd(folder, "alice", people=None)
    assert code == 1 and "people.csv is a link to a file that is not there" in err
    (folder / "kept" / "staff.csv").write_text(PEOPLE)
    (folder / "kept" / "staff.csv").chmod(0o640)
    code, _, err, text = passwd(folder, "alice", people=None)
    assert code == 0, err
    assert (folder / "people.csv").is_symlink() and ",Martin,$" in text and (folder / "kept" / "staff.csv").read_text() == text
    assert (folder / "kept" / "staff.csv").stat().st_mode & 0o777 == 0o640
    assert {p.name for p in folder.iterdir()} == {"ctibus.json", "people.csv", "kept"} and len(list((folder / "kept").iterdir())) == 1


def test_a_number_that_no_phone_has(folder):
    """Said where state knows the phones."""
    with asterisk() as port:
        assert make_site(port, folder, "--yes")[0] == 0
        file = own_ports(folder)
        tree = json.loads(file.read_text())
        tree["ctibus"]["http"]["state"] = f"127.0.0.1:{free_port()}"
        file.write_text(json.dumps(tree))

        def give(login, number):
            code, _, err = ctibus("--config", str(file), "passwd", login, "--number", number, "--stdin", given="correct horse\n")
            assert code == 0, err
            return err
        assert give("zoe", "7777") == "", "nothing runs"
        with services(file, "state", "ami-gw") as running:
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            until(lambda: subprocess.run([BIN / "ctibus-state", "--config", file, "--healthcheck"], capture_output=True,
                                         check=False).returncode == 0, "state is ready")
            assert "warning: no phone has the number 7778: yan can log in, and has no phone" in give("yan", "7778")
            assert give("alice", "1001") == ""


@pytest.mark.parametrize("args,given,said", [
    (("dave", "--number", "1001"), "x y\n", "1001 is the number of alice, who has a login already"),
    (("alice", "--number", "1002"), "x y\n", "alice is the login of 1001"),
    (("bob", "--number", "1002", "--profile", "users"), "x y\n", "`profiles` has no users"),
    (("alice",), "x" * 300 + "\n", "longer than 254 bytes"),
    (("nobody",), "x y\n", "has no login nobody: --number NUMBER gives it"),
    (("alice",), "\n", "the password is empty"),
    (("alice",), "alice\n", "the password is the login"),
])
def test_passwords_that_are_none(folder, args, given, said):
    code, _, err, text = passwd(folder, *args, given=given)
    assert code == 1 and said in err and text == PEOPLE


@needs_private()
def test_the_configuration_is_found_in_etc(folder):
    site = {"ipbxes": {"far": {"ipbx_connection": {"ipaddress": "127.0.0.1", "username": "u", "password": "p"}}}}
    with machine(folder) as here:
        for program in ("ctibus", "ctibus-state"):
            argument = "check" if program == "ctibus" else "--check"
            done = here.run("env", "-C", folder, BIN / program, argument)
            assert done.returncode == 2 and "config/ctibus.json" in done.stderr, "there is neither"
        here.run("mkdir", "/etc/ctibus")
        here.run("tee", "/etc/ctibus/ctibus.json", input=json.dumps(site))
        for program in ("ctibus", "ctibus-state"):
            argument = "check" if program == "ctibus" else "--check"
            done = here.run("env", "-C", folder, BIN / program, argument)
            assert done.returncode == 0, done.stdout + done.stderr
        here.run("mkdir", folder / "config")
        here.run("tee", folder / "config" / "ctibus.json", input="{")
        assert here.run("env", "-C", folder, BIN / "ctibus-state", "--check").returncode == 2, "one's own comes first"
