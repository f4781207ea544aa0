"""ctibus doctor: what is wrong with a site, with its reason and remedy; each fault is made, and told."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

import msgpack
import pytest
import zmq
from postgres import Postgres
from stack import BIN, DATA, Context, Program, free_port, until
from test_setup import OFFICE, asterisk, but, ctibus, make_site, services

VERSION = subprocess.run([BIN / "ctibus", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="other users' files are made by root")
PEOPLE = "number,login,password,profile\n1001,alice,correct horse,user\n"


@pytest.fixture(name="folder")
def fixture_folder():
    with tempfile.TemporaryDirectory(prefix="ctibus-doctor-") as name:
        yield pathlib.Path(name)


def change(folder, **keys):
    """Sets keys of the configuration, which are written a__b for a.b."""
    file = folder / "ctibus.json"
    tree = json.loads(file.read_text())
    for path, value in keys.items():
        at = tree
        *outer, last = path.split("__")
        for key in outer:
            at = at.setdefault(key.replace("_gw", "-gw"), {})
        if value is None:
            at.pop(last, None)
        else:
            at[last.replace("_gw", "-gw")] = value
    file.write_text(json.dumps(tree))
    return file


def make(port, folder, people=PEOPLE):
    """A site that `ctibus setup` made, at ports of its own."""
    code, out, err = make_site(port, folder, "--yes", "--force")
    assert code == 0, out + err
    (folder / "people.csv").write_text(people)
    profiles = json.loads((folder / "ctibus.json").read_text())["profiles"]
    assert "user" in profiles, profiles.keys()
    return change(
        folder, main__incoming_tcp={"CTI": ["127.0.0.1", free_port(), True], "FAGI": ["127.0.0.1", free_port(), True],
                                    "WEBI": ["127.0.0.1", free_port(), True], "INFO": ["127.0.0.1", free_port(), True]},
        main__incoming_udp={"ANNOUNCE": ["127.0.0.1", 0, False]}, ctibus__database="sqlite:state.db",
        ctibus__bus={n: f"tcp://127.0.0.1:{free_port()}" for n in ("publish", "subscribe", "request")},
        ctibus__http={n: f"127.0.0.1:{free_port()}" for n in ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")},
        ctibus__api__listen=f"127.0.0.1:{free_port()}",
        ctibus__cti__websocket=f"127.0.0.1:{free_port()}")


def doctor(config, least="warning", root=None):
    """Exit code, and the findings of at least this level by their ids, of each the first one. root: where systemd has its units."""
    code, out, err = ctibus("--config", str(config), "--json", "doctor", "--root", str(root or config.parent / "nothing"))
    found = [json.loads(line) for line in out.splitlines()]
    assert all(set(f) == {"id", "level", "what", "why", "remedy"} and f["what"] for f in found) and "Sanitizer" not in err
    levels = ["note", "warning", "fault"]
    worst = max((levels.index(f["level"]) for f in found), default=0)
    assert code == worst, (code, out, err)
    assert all(f["why"] and f["remedy"] for f in found if f["level"] != "note"), "each says what to do"
    return code, {f["id"]: f for f in reversed(found) if levels.index(f["level"]) >= levels.index(least)}


def only(config, name, *said, level="fault", root=None):
    """It finds this, and nothing else of weight."""
    _, found = doctor(config, root=root)
    assert list(found) == [name], json.dumps(found, indent=1)
    assert found[name]["level"] == level
    text = " ".join(found[name].values())
    assert all(s in text for s in said), text


@pytest.mark.parametrize("dialect", ["20", "1.8"])
def test_a_site_that_is_well(folder, dialect):
    with asterisk(*OFFICE, "--office-dialect", dialect) as port:
        config = make(port, folder)
        assert doctor(config) == (0, {}), "stopped"
        assert "services.stopped" in doctor(config, "note")[1]
        with services(config, "state", "ami-gw", "cti-gw", "fagi-gw", "http-gw") as running:
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            assert doctor(config, "note") == (0, {})
            code, out, err = ctibus("--config", str(config), "doctor")
            assert (code, out, err) == (0, "Nothing is wrong: 0 faults, 0 warnings, 0 notes\n", "")


def test_findings_as_text(folder):
    with asterisk(*OFFICE, "--write", but("system")) as port:
        config = make(port, folder)
        code, out, _ = ctibus("--config", str(config), "doctor")
        assert code == 2
        assert "fault: xivo: the manager user ctibus has no `system` in write\n    why: " in out
        assert "    do: in manager.conf, section [ctibus]: write = system,call,agent," in out
        assert re.search(r"\n1 fault, 0 warnings, 1 note\n$", out), out


# ---- the Asterisk ----

@pytest.mark.parametrize("options,name,said,level", [
    (("--write", but("system")), "ami.write.system", ("no `system` in write", "write = system,call,"), "fault"),
    (("--write", but("call")), "ami.write.call", ("no `call` in write",), "fault"),
    (("--write", but("reporting")), "ami.write.reporting", ("no `reporting` in write",), "fault"),
    (("--write", but("command")), "ami.write.command", ("no `command` in write",), "warning"),
    (("--read", "system,call,agent,user,originate,reporting"), "ami.read.dialplan", ("no `dialplan` in read",), "warning"),
    (("--without", "app_queue"), "asterisk.app_queue", ("has not loaded app_queue",), "warning"),
    (("--without", "res_pjsip,chan_sip"), "asterisk.res_pjsip", ("neither res_pjsip nor chan_sip",), "fault"),
])
def test_what_is_missing_at_the_asterisk(folder, options, name, said, level):
    with asterisk() as port:
        config = make(port, folder)
    with asterisk(*OFFICE, *options) as port:
        change(folder, ipbxes__xivo__ipbx_connection__ipport=port)
        only(config, name, *said, level=level)
        if name == "ami.write.command":
            assert "could not be seen" in doctor(config, "note")[1]["ami.read"]["what"]


def test_several_classes_are_one_finding(folder):
    with asterisk() as port:
        config = make(port, folder)
    with asterisk(*OFFICE, "--write", "agent,originate,reporting,command", "--read", "system,agent,user,reporting") as port:
        change(folder, ipbxes__xivo__ipbx_connection__ipport=port)
        found = doctor(config)[1]
        assert set(found) == {"ami.write", "ami.read"}, found
        assert found["ami.write"]["what"] == "xivo: the manager user ctibus has no `system`, `call`, `user` in write"
        assert found["ami.write"]["level"] == found["ami.read"]["level"] == "fault", "the worst of them"
        assert found["ami.write"]["why"].splitlines()[1].startswith("call: Nobody can transfer")
        assert found["ami.write"]["remedy"].count("write = ") == 1
        assert found["ami.read"]["what"] == "xivo: the manager user ctibus has no `call`, `originate`, `dialplan` in read"
        code, out, err = ctibus("--config", str(config), "discover")
        assert code == 0 and err.count("write = ") == 1, err


def test_faults_come_first(folder):
    with asterisk() as port:
        config = make(port, folder, people="number,login,password,profile\n9999,zed,correct horse,nobodys\n")
        code, out, err = ctibus("--config", str(config), "doctor")
        assert [line.split(":")[0] for line in out.splitlines() if line[0] != " "] == ["fault", "warning", "note", "1 fault, 1 warning, 1 note"]
        out = ctibus("--config", str(config), "--json", "doctor")[1]
        assert [json.loads(line)["level"] for line in out.splitlines()] == ["fault", "warning", "note"]


def test_one_cause_is_told_once(folder):
    """An Asterisk that is down: its gateway is not ready, and not connected. Then one without a gateway; and without phones."""
    with asterisk() as port:
        config = make(port, folder)
        with services(config, "state", "ami-gw", "cti-gw") as running:
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            change(folder, ipbxes__second={**json.loads(config.read_text())["ipbxes"]["xivo"]})
            running["state"].terminate()
            again = Program([BIN / "ctibus-state", "--config", config])
            try:
                again.listening("metrics")
                until(lambda: again.logged("settled"), "it serves")
                only(config, "ipbx.down", "second: no ctibus-ami-gw runs for this Asterisk, others do", "ctibus-ami-gw@")
            finally:
                again.terminate()
    change(folder, ipbxes__second=None)
    with services(config, "state", "ami-gw", "cti-gw") as running:
        until(lambda: running["state"].logged("settled"), "it serves")
        only(config, "ami.login", "Connection refused")


def test_no_phones_at_all(folder):
    """There are no lists to correct when a module is missing, whatever state knows from before."""
    with asterisk() as port:
        config = make(port, folder)
        with services(config, "state", "cti-gw") as running:
            gateway = Program([BIN / "ctibus-ami-gw", "--config", config])
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            gateway.terminate()
            with asterisk(*OFFICE, "--without", "res_pjsip,chan_sip") as other:
                change(folder, ipbxes__xivo__ipbx_connection__ipport=other)
                found = doctor(config)[1]
                assert set(found) == {"asterisk.res_pjsip", "service.stopped"}, found


def test_no_login(folder):
    with asterisk() as port:
        config = make(port, folder)
        change(folder, ipbxes__xivo__ipbx_connection__password="wrong")
        only(config, "ami.login", "xivo: login as ctibus refused: Authentication failed", "[ctibus]", "secret = ")
    only(config, "ami.login", "Connection refused", "enabled = yes")
    with asterisk(*OFFICE, "--refuse") as port:
        change(folder, ipbxes__xivo__ipbx_connection__ipport=port)
        only(config, "ami.login", "permit = ")


def test_an_asterisk_that_says_nothing(folder):
    with asterisk() as port:
        config = make(port, folder)
    with socket.create_server(("127.0.0.1", 0)) as server:
        change(folder, ipbxes__xivo__ipbx_connection__ipport=server.getsockname()[1])
        began = time.monotonic()
        only(config, "ami.login", "no greeting within the time limit")
        assert time.monotonic() - began < 30


class Late:
    """An Asterisk whose clock is behind by so much: what passes through tells another time."""

    def __init__(self, port, seconds):
        self.target, self.seconds = port, seconds
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]

    def serve(self):
        near, _ = self.server.accept()
        with near, socket.create_connection(("127.0.0.1", self.target)) as far:
            def back():
                with contextlib.suppress(OSError):
                    while data := far.recv(65536):
                        near.sendall(re.sub(rb"Timestamp: (\d+)", lambda m: b"Timestamp: %d" % (
                            int(m[1]) - self.seconds), data))
            thread = threading.Thread(target=back)
            thread.start()
            with contextlib.suppress(OSError):
                while data := near.recv(65536):
                    far.sendall(data)
                far.shutdown(socket.SHUT_WR)
            thread.join()


def test_a_clock_that_is_wrong(folder):
    with asterisk() as port:
        config = make(port, folder)
        late = Late(port, 60)
        change(folder, ipbxes__xivo__ipbx_connection__ipport=late.port)
        thread = threading.Thread(target=late.serve)
        thread.start()
        only(config, "asterisk.clock", "the clock of this Asterisk is 60 s behind", "NTP", level="warning")
        thread.join()
        late.server.close()


# ---- lists ----

def write_lines(folder, edit):
    """The phones of the Asterisk as a list in a file, edited; what the doctor then finds."""
    code, out, err = ctibus("--config", str(folder / "ctibus.json"), "discover")
    assert code == 0, err
    found = json.loads(out)
    for name in ("lines", "users"):
        (folder / f"{name}.json").write_text(json.dumps(edit(name, found[name])))
    change(folder, ipbxes__xivo__urllists__urllist_lines=["file:lines.json"],
           ipbxes__xivo__urllists__urllist_users=["file:users.json", "csv:people.csv"])
    return doctor(folder / "ctibus.json")[1]


@pytest.mark.parametrize("edit,name,said,level", [
    (lambda n, o: o if n == "users" else [{**o[0], "name": "nobody"}, *o[1:]],
     "phones.unknown", "1 phone of the lists is unknown to Asterisk: PJSIP/nobody", "fault"),
    (lambda n, o: o if n == "users" else o[1:],
     "phones.unlisted", "1 phone of Asterisk is in no list: PJSIP/", "warning"),
    (lambda n, o: o if n == "users" else [{**line, "protocol": "sip"} for line in o],
     "phones.technology", "30 phones of the lists are sip, and PJSIP endpoints in Asterisk, such as", "fault"),
    (lambda n, o: o if n == "users" else [{**o[0], "iduserfeatures": 0}, *o[1:]],
     "phones.no_user", "1 phone belongs to no user: ", "warning"),
])
@pytest.mark.parametrize("running", [False, True])
def test_lists_that_are_not_those_of_the_asterisk(folder, edit, name, said, level, running):
    with asterisk() as port, contextlib.ExitStack() as stack:
        config = make(port, folder)
        found = write_lines(folder, edit)
        if running:
            programs = stack.enter_context(services(config, "state", "ami-gw", "cti-gw"))
            until(lambda: programs["state"].logged("its Asterisk has"), "the lists are there")
            found = doctor(config)[1]
        assert name in found and said in found[name]["what"] and found[name]["level"] == level, found
        assert set(found) <= {name, "phones.unknown", "phones.unlisted"}, found


def test_sip_that_is_pjsip_and_said_to_be(folder):
    with asterisk() as port:
        config = make(port, folder)
        write_lines(folder, lambda n, o: o if n == "users" else [{**line, "protocol": "sip"} for line in o])
        change(folder, ctibus__ipbx={"sip_is_pjsip": True})
        assert doctor(config) == (0, {})


def test_a_phone_without_a_hint(folder):
    """The listing of a recorded Asterisk, less one hint."""
    text = (DATA / "20" / "01-login-listing.ami").read_bytes()
    blocks = text.split(b"\r\n\r\n")
    kept = [b for b in blocks if not (b"Hint: SIP/erin" in b or (b"Extension: 1005" in b and b"Priority: hint" in b))]
    assert len(kept) < len(blocks)
    (folder / "listing.ami").write_bytes(b"\r\n\r\n".join(kept))
    (folder / "listing.sent").write_bytes((DATA / "20" / "01-login-listing.sent").read_bytes())
    with asterisk("--capture", DATA / "20" / "02-call-answered.ami", "--listing", folder / "listing.ami") as port:
        make(port, folder)
        erin = {"id": "5", "protocol": "sip", "name": "erin", "number": "1005", "iduserfeatures": "1001@default"}
        found = write_lines(folder, lambda n, o: o if n == "users" else [*o, erin])
        assert "1 phone has no hint: SIP/erin" in found["phones.hint"]["what"], found
        assert "exten => " in found["phones.hint"]["remedy"] and found["phones.hint"]["level"] == "warning"


@pytest.mark.parametrize("people,said", [
    ("number,login,password,profile\n1001,alice,secret word,nobodys\n", "profile nobodys is none of `profiles`"),
    ("number,login,password\n1001,alice,\n", "alice has no password, and cannot log in"),
    ("number,login,password\n1001,alice,secret word\n1002,alice,other word\n", "login alice is that of another user"),
])
def test_people_who_cannot_log_in(folder, people, said):
    with asterisk() as port:
        config = make(port, folder, people=people)
        only(config, "lists", said, "The services start", "ctibus reload")


def test_nobody_has_a_login(folder):
    with asterisk() as port:
        config = make(port, folder, people="number,login\n")
        with services(config, "state", "ami-gw", "cti-gw") as running:
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            only(config, "users.none", "ctibus passwd LOGIN", level="warning")


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("rows,said", [
    ("9999,zed,a long word,user,\n", {"users.no_phone": "xivo: 1 person has a number that no phone has: zed (9999)"}),
    ("9998,zed,a long word,user,9999\n9999@elsewhere,zoe,a long word,user,9999\n",
     {"users.no_phone": "xivo: 2 people have a number that no phone has, such as zed (9998), zoe (9999@elsewhere)",
      "users.no_agent": "xivo: 2 people are agents that do not exist, such as zed (9999), zoe (9999)"}),
    (",zed,a long word,user,9999\n", {"users.no_agent": "xivo: 1 person is an agent that does not exist: zed (9999)"}),
    (",zed,a long word,user,\n,zoe,a long word,user,0\n", {}),
    ("1002@default,zed,a long word,user,\n", {}),
])
def test_people_who_cannot_work(folder, rows, said, running):
    """A person without a number has no phone, and that is no fault."""
    with asterisk() as port, contextlib.ExitStack() as stack:
        config = make(port, folder, people="number,login,password,profile,agent\n1001,alice,correct horse,user,\n" + rows)
        if running:
            programs = stack.enter_context(services(config, "state", "ami-gw", "cti-gw"))
            until(lambda: programs["state"].logged("its Asterisk has"), "the lists are there")
        found = doctor(config)[1]
        assert {name: f["what"] for name, f in found.items()} == said, found
        assert all(f["level"] == "warning" and "people.csv" in f["remedy"] for f in found.values())


def test_people_of_lists_without_numbers_of_phones(folder):
    """A row is that of the user whose phone it is, by the id; what Asterisk cannot list is not missed."""
    with asterisk() as port:
        config = make(port, folder, people="number,login,password,profile\n1001,alice,correct horse,user\n")
        assert not write_lines(folder, lambda n, o: o if n == "users" else [{**line, "number": ""} for line in o])
        change(folder, ipbxes__xivo__urllists__urllist_lines=["http://127.0.0.1:1/lines"])
        (folder / "people.csv").write_text("number,login,password,profile\n9999,zed,correct horse,user\n")
        assert doctor(config) == (0, {}), "the phones are not known"
    with asterisk(*OFFICE, "--write", but("reporting")) as port:
        change(folder, ipbxes__xivo__ipbx_connection__ipport=port, ipbxes__xivo__urllists__urllist_lines=["asterisk:"])
        assert not any(name.startswith("users.") for name in doctor(config)[1]), "what is refused may be there"


# ---- the machine ----

def test_a_configuration_that_is_none(folder):
    (folder / "ctibus.json").write_text('{"ctibus": {"bus": {"publich": 1}}}')
    code, found = doctor(folder / "ctibus.json")
    assert code == 2 and "publich" in found["config"]["what"]
    code, found = doctor(folder / "nowhere.json")
    assert code == 2 and "No such file" in found["config"]["what"]
    assert "ctibus setup" in found["config"]["remedy"] and list(found) == ["config"]


def test_what_else_is_wrong_beside_a_fault_of_the_configuration(folder):
    """The Asterisk is reached, the lists are examined, and each is told as what it is."""
    with asterisk() as port:
        config = make(port, folder, people="number,login,password,profile\n1001,alice,secret word,nobodys\n")
        change(folder, ipbxes__xivo__ipbx_connection__password="wrong", ctibus__nonsense=1)
        found = doctor(config)[1]
        assert set(found) == {"config", "lists", "ami.login"}, found
        assert "nonsense" in found["config"]["what"] and "does not start" in found["config"]["why"]
        assert "is none of `profiles`" in found["lists"]["what"] and "services start" in found["lists"]["why"]
        change(folder, ctibus__nonsense=None, ipbxes__xivo__ipbx_connection__ipaddress=None)
        found = doctor(config)[1]
        assert set(found) == {"config", "lists"} and "ipaddress" in found["config"]["what"], found


def test_notes_beside_faults_of_lists(folder):
    """What is no fault is none because something else is."""
    with asterisk() as port:
        config = make(port, folder, people="number,login,password,profile\n1001,alice,secret word,nobodys\n")
        change(folder, some_section_of_others={"a": 1})
        found = doctor(config, "note")[1]
        assert found["config"]["level"] == "note" and found["lists"]["level"] == "fault", found


@pytest.mark.skipif(os.path.exists("/etc/ctibus/ctibus.json"), reason="this machine has a configuration")
@pytest.mark.parametrize("args", [("doctor",), ("check",), ("discover",), ("snapshot",)])
def test_no_configuration_at_all(folder, args):
    env = {name: value for name, value in os.environ.items() if name != "CTIBUS_CONFIG"}
    done = subprocess.run([BIN / "ctibus", *args], cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    said = "config/ctibus.json: neither this file nor /etc/ctibus/ctibus.json exists: `ctibus setup` makes one"
    assert done.returncode == 2 and (done.stdout + done.stderr).count(said) == 1, done


@needs_root
@pytest.mark.parametrize("args", [("doctor",), ("check",), ("discover",)])
def test_a_configuration_of_others(folder, args):
    (folder / "ctibus.json").write_text("{}")
    (folder / "ctibus.json").chmod(0o600)
    folder.chmod(0o755)
    done = subprocess.run([BIN / "ctibus", "--config", folder / "ctibus.json", *args], user="nobody", capture_output=True,
                          text=True, timeout=60)
    said = "ctibus.json: cannot read it: Permission denied: run this as root or as the user of the services"
    assert done.returncode == 2 and (done.stdout + done.stderr).count(said) == 1, done


def test_ports_of_others(folder):
    with asterisk() as port:
        config = make(port, folder)
        cti = json.loads(config.read_text())["main"]["incoming_tcp"]["CTI"][1]
        with socket.create_server(("127.0.0.1", cti)):
            only(config, "port.taken", "ctibus-cti-gw", f"127.0.0.1:{cti} (main.incoming_tcp.CTI)", "ss -ltnp")
        change(folder, ctibus__cti__websocket="192.0.2.1:5080", certfile="cert.pem", keyfile="key.pem")
        certificate(folder, 90)
        only(config, "port.address", "192.0.2.1:5080 of ctibus-cti-gw (ctibus.cti.websocket) is not one of this machine")


def test_services_that_do_not_run_or_do_not_listen(folder):
    with asterisk() as port:
        config = make(port, folder)
        with services(config, "state", "ami-gw") as running:
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            only(config, "service.stopped", "ctibus-cti-gw does not run")
            change(folder, main__incoming_tcp__INFO=["127.0.0.1", free_port(), True])
            found = doctor(config)[1]
            assert "ctibus-state runs and does not listen at" in found["port.silent"]["what"], found
        with services(config, "state", "cti-gw"):
            found = doctor(config)[1]
            assert "ctibus-ami-gw does not run" in found["service.stopped"]["what"]
            assert "ipbx.down" not in found, "that is why"


def test_gateways_are_seen_without_state(folder):
    with asterisk() as port:
        config = make(port, folder)
        gw = Program([BIN / "ctibus-cti-gw", "--config", config])
        try:
            gw.listening("metrics")
            found = doctor(config)[1]
            assert "port.taken" not in found and "service.stopped" in found, found
        finally:
            gw.terminate()


@contextlib.contextmanager
def speaking(config, **body):
    """A gateway on another machine, of which there are only the heartbeats."""
    stop = threading.Event()
    endpoint = json.loads(config.read_text())["ctibus"]["bus"]["publish"]

    def speak():
        with Context() as context:
            publisher = context.socket(zmq.PUB)
            publisher.connect(endpoint)
            seq = 0
            while not stop.wait(0.2):
                seq += 1
                publisher.send_multipart([b"svc/cti-gw/far/", msgpack.packb([1, "cti-gw:far@elsewhere", 7, seq, time.time()]),
                                          msgpack.packb({"version": VERSION, "ready": True, "uptime": 1.0, **body})])
            publisher.close(0)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_services_of_another_version_or_not_ready(folder):
    with asterisk() as port:
        config = make(port, folder)
        with services(config, "state", "ami-gw") as running:
            until(lambda: running["state"].logged("its Asterisk has"), "the lists are there")
            with speaking(config):
                assert doctor(config) == (0, {}), "a gateway may be on another machine"
            with speaking(config, version="0.0.1"):
                only(config, "service.version", f"cti-gw:far@elsewhere is of version 0.0.1, this program of {VERSION}",
                     level="warning")
            with speaking(config, ready=False):
                only(config, "service.not_ready", "cti-gw:far@elsewhere runs and is not ready", level="warning")


def certificate(folder, days, made=(), more=()):
    subprocess.run([*made, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", str(days), "-subj", "/CN=cti", "-out", folder / "cert.pem", "-keyout", folder / "key.pem", *more],
                   check=True, capture_output=True)


def test_certificates_that_expire(folder):
    with asterisk() as port:
        config = make(port, folder)
        change(folder, certfile="cert.pem", keyfile="key.pem")
        certificate(folder, 90)
        assert doctor(config) == (0, {})
        certificate(folder, 30, ("faketime", "60 days ago"))
        assert "cert.pem (certfile) has expired 30 days ago" in doctor(config)[1]["certificate.expires"]["what"]
        certificate(folder, 20)
        only(config, "certificate.expires", "cert.pem (certfile) expires in", level="warning")
        change(folder, certfile=None, keyfile=None, ipbxes__xivo__ipbx_connection__tls_ca="cert.pem")
        only(config, "certificate.expires", "(ipbxes.xivo.ipbx_connection.tls_ca)", level="warning")


FOR_HERE = ("-subj", "/O=Example/CN=pbx", "-addext", "subjectAltName=IP:127.0.0.1")


@pytest.mark.parametrize("days,made,more,change_to,level,said", [
    (90, (), FOR_HERE, {}, "note", ("the certificate of the Asterisk is O=Example, CN=pbx, issued by O=Example, CN=pbx, valid until 20",)),
    (20, (), FOR_HERE, {}, "warning", ("the Asterisk expires in ", "tlscertfile", "manager reload")),
    (30, ("faketime", "60 days ago"), FOR_HERE, {}, "fault", ("certificate has expired (O=Example", "tlscertfile")),
    (30, ("faketime", "60 days ago"), FOR_HERE, {"tls_verify": False}, "warning", ("has expired 30 days ago",)),
    (90, (), FOR_HERE, {"tls_verify": False}, "note", ("it is not verified (tls_verify)",)),
    (90, (), FOR_HERE, {"tls_ca": None}, "fault", ("self-signed certificate", "ipbx_connection.tls_ca")),
    (90, (), FOR_HERE, {"tls_name": "pbx.example.org"}, "fault", ("hostname mismatch", "tls_name")),
    (90, (), ("-subj", "/CN=a\x1b[31m"), {"tls_verify": False}, "note", ("CN=a\\1B[31m",)),
])
def test_the_certificate_of_an_asterisk(folder, days, made, more, change_to, level, said):
    with asterisk() as port:
        config = make(port, folder)
    certificate(folder, days, made, more)
    with asterisk(*OFFICE, "--tls-cert", folder / "cert.pem", "--tls-key", folder / "key.pem") as port:
        for key, value in {"ipport": port, "tls": True, "tls_ca": "cert.pem", **change_to}.items():
            change(folder, **{f"ipbxes__xivo__ipbx_connection__{key}": value})
        found = doctor(config, "note")[1]
        assert found["ami.certificate"]["level"] == level, found
        assert all(text in " ".join(found["ami.certificate"].values()) for text in said), found["ami.certificate"]
        assert ("ami.login" in found) == (level == "fault"), found.get("ami.login")
    change(folder, ipbxes__xivo__ipbx_connection__ipport=free_port())
    assert "ami.certificate" not in doctor(config, "note")[1], "nothing is shown where nobody listens"


def test_a_port_of_tls_that_is_silent(folder):
    with asterisk() as port:
        config = make(port, folder)
    with socket.create_server(("127.0.0.1", 0)) as server:
        change(folder, ipbxes__xivo__ipbx_connection__ipport=server.getsockname()[1], ipbxes__xivo__ipbx_connection__tls=True)
        began = time.monotonic()
        found = doctor(config)[1]
        assert "ami.certificate" not in found and "ami.login" in found and time.monotonic() - began < 30


@pytest.mark.parametrize("days,said", [(1, "expires within a day"), (2, "expires in 1 day")])
def test_days_are_counted(folder, days, said):
    with asterisk() as port:
        config = make(port, folder)
        change(folder, certfile="cert.pem", keyfile="key.pem")
        certificate(folder, days, ("faketime", "1 hour ago"))
        assert doctor(config)[1]["certificate.expires"]["what"].endswith("cert.pem (certfile) " + said)


def test_browsers_of_other_machines(folder):
    """Without TLS they cannot log in; a balancer or a proxy that vouches for them may end it."""
    with asterisk() as port:
        config = make(port, folder)
        change(folder, ctibus__cti__websocket=f"0.0.0.0:{free_port()}")
        only(config, "websocket.certificate", "ctibus.cti.websocket is 0.0.0.0:", "login_not_secure", "certfile", level="warning")
        change(folder, ctibus__auth={"remote_user_from": ["192.0.2.1"]})
        assert doctor(config) == (0, {})
        change(folder, ctibus__auth={"tls_at_balancer": True}, ctibus__cti__proxy_protocol=True)
        assert doctor(config) == (0, {})
        change(folder, ctibus__auth=None, ctibus__cti__proxy_protocol=None, certfile="cert.pem", keyfile="key.pem")
        certificate(folder, 90)
        assert doctor(config) == (0, {})


def test_secrets_that_everybody_may_read(folder):
    with asterisk() as port:
        config = make(port, folder)
        change(folder, certfile="cert.pem", keyfile="key.pem")
        certificate(folder, 90)
        for name in ("ctibus.json", "people.csv", "key.pem"):
            (folder / name).chmod(0o644)
        assert doctor(config) == (0, {}), "its folder is closed"
        folder.chmod(0o755)
        out = ctibus("--config", str(config), "--json", "doctor", "--root", str(folder / "nothing"))[1]
        found = [f for f in map(json.loads, out.splitlines()) if f["level"] != "note"]
        assert {(f["id"], f["level"], f["what"]) for f in found} == {
            ("file.secret", "warning", f"{folder}/{name} has {what}, and everybody may read it") for name, what in (
                ("ctibus.json", "passwords"), ("people.csv", "passwords of users"), ("key.pem", "a secret key"))}
        for f in found:
            subprocess.run(f["remedy"], shell=True, check=True)
        assert doctor(config) == (0, {}), "the remedies were right"
        (folder / "people.csv").write_text("number,login,password,profile\n")
        (folder / "people.csv").chmod(0o644)
        assert doctor(config) == (0, {}), "there is nothing in it"


def test_a_database_that_cannot_be_written(folder):
    with asterisk() as port:
        config = make(port, folder)
        change(folder, ctibus__database="sqlite:nowhere/state.db")
        found = doctor(config)[1]
        assert set(found) == {"config", "database.write"}, "the check of state says so, too"
        assert "/nowhere/state.db: No such file or directory" in found["database.write"]["what"]


def test_a_database_server(folder):
    server = Postgres()
    with asterisk() as port:
        config = make(port, folder)
        try:
            change(folder, ctibus__database=server.empty())
            assert doctor(config) == (0, {})
            change(folder, ctibus__database=server.uri(password="wrong-one"))
            found = doctor(config)[1]
            assert set(found) == {"database.server"}
            what = found["database.server"]["what"]
            assert "asterisk@127.0.0.1" in what and "password authentication failed" in what and "wrong-one" not in what
        finally:
            server.close()
        assert "Connection refused" in doctor(config)[1]["database.server"]["what"]


# ---- what systemd adds ----

def units(folder, **files):
    """A folder with units, by their names with _ for @ and -: services_state="[Service]...", or files by path."""
    root = folder / "root"
    for name, text in files.items():
        path = root / ("etc/systemd/system/ctibus-" + name.replace("_", "-").replace("--", "@") + ".service"
                       if "/" not in name else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_variables_of_units_count(folder):
    """What only a unit says is examined, and told where it comes from; never its value."""
    with asterisk() as port:
        config = make(port, folder)
        (folder / "var").mkdir()
        root = units(folder, state="[Service]\nEnvironment=CTIBUS__DATABASE=sqlite:var/other.db\nEnvironmentFile=-/etc/default/ctibus\n",
                     ami_gw__="[Service]\nEnvironmentFile=/etc/ctibus/ami-gw-%i.env\n",
                     **{"etc/default/ctibus": "CTIBUS__BUS__HWM=many and secret\n", "etc/ctibus/ami-gw-xivo.env": "# nothing\n"})
        found = doctor(config, "note", root)[1]
        assert set(found) == {"service.environment", "services.stopped", "config"}, found
        assert found["service.environment"]["what"] == (
            "ctibus-state.service is examined with the variables that systemd gives it: CTIBUS__DATABASE "
            "(/etc/systemd/system/ctibus-state.service), CTIBUS__BUS__HWM (/etc/default/ctibus)")
        assert "environment CTIBUS__BUS__HWM" in found["config"]["what"], "the service would not start"
        units(folder, **{"etc/default/ctibus": "CTIBUS__DATABASE=sqlite:nowhere/state.db\n"})
        found = doctor(config, root=root)[1]
        assert "/nowhere/state.db" in found["database.write"]["what"]
        (root / "etc/ctibus/ami-gw-xivo.env").unlink()
        (root / "etc/default/ctibus").unlink()
        only(config, "service.environment", "ctibus-ami-gw@xivo.service: there is no /etc/ctibus/ami-gw-xivo.env", "daemon-reload",
             root=root)
    code, out, _ = ctibus("--config", str(config), "doctor", "--root", str(root))
    assert "CTIBUS__DATABASE (/etc/systemd/system/ctibus-state.service)" in out


def test_our_own_variables_come_before_those_of_units(folder):
    with asterisk() as port:
        config = make(port, folder)
        root = units(folder, state="[Service]\nEnvironment=CTIBUS__DATABASE=sqlite:nowhere/state.db\n")
        assert "database.write" in doctor(config, root=root)[1]
        code, out, _ = ctibus("--config", str(config), "doctor", "--root", str(root), CTIBUS__DATABASE="sqlite:state.db")
        assert code == 0, out


AS_NOBODY = "[Service]\nUser=nobody\n"
DYNAMIC = "[Service]\nDynamicUser=yes\nSupplementaryGroups=daemon\nStateDirectory=ctibus\n"


@needs_root
@pytest.mark.parametrize("unit,who,remedy", [
    (AS_NOBODY, "runs as nobody, which may not", "chgrp nogroup "),
    (DYNAMIC, "runs as a user made for ctibus-", "chgrp daemon "),
])
def test_files_that_the_user_of_a_service_may_not_use(folder, unit, who, remedy):
    """As `ctibus setup` leaves them, for root alone; then as deploy/systemd/README.md says, but for one."""
    with asterisk() as port:
        config = make(port, folder)
        folder.chmod(0o755)
        change(folder, certfile="cert.pem", keyfile="key.pem", ctibus__database="sqlite:var/state.db")
        certificate(folder, 90)
        (folder / "var").mkdir(mode=0o755)
        group = remedy.split()[1]
        root = units(folder, state=unit, cti_gw=unit)

        def told():
            return [f for f in map(json.loads, ctibus("--config", str(config), "--json", "doctor", "--root", str(root))[1].splitlines())
                    if f["level"] == "fault"]

        for name in ("ctibus.json", "people.csv", "key.pem", "cert.pem"):
            (folder / name).chmod(0o600)
        found = told()
        assert {f["id"] for f in found} == {"file.access", "database.write"}
        about = {name: [f for f in found if f"{folder}/{name}" in f["what"]] for name in ("ctibus.json", "people.csv", "key.pem", "var")}
        assert all(len(one) == 1 for one in about.values()), "each once"
        assert "read" in about["key.pem"][0]["what"] and "(keyfile): it is of root:root with mode 0600" in about["key.pem"][0]["what"]
        assert all(who in f["what"] for f in found)
        assert about["ctibus.json"][0]["remedy"] == f"{remedy}{config} && chmod g+r {config}"
        for f in found:
            subprocess.run(f["remedy"], shell=True, check=True)
        assert not told(), "the remedies were right"
        (folder / "var").chmod(0o770)
        (folder / "var" / "state.db").write_text("")
        (folder / "var" / "state.db").chmod(0o640)
        subprocess.run(["chgrp", group, folder / "var" / "state.db"], check=True)
        assert [f["remedy"] for f in told()] == [f"chmod g+rw {folder}/var/state.db"]
        (folder / "var" / "state.db").unlink()
        folder.chmod(0o700)
        assert f"may not reach {config} (the configuration): {folder} is of root:root with mode 0700" in told()[0]["what"]
        change(folder, ctibus__database="sqlite:/var/lib/ctibus/ctibus.db")
        folder.chmod(0o755)
        if unit == DYNAMIC:
            assert not told(), "systemd makes that folder"


@needs_root
@pytest.mark.parametrize("unit", ["[Service]\n", "[Service]\nUser=root\n", "[Service]\nUser=no-such-user\n"])
def test_users_that_are_not_known(folder, unit):
    """Of root, and where the user is not of this machine, nothing is said."""
    with asterisk() as port:
        config = make(port, folder)
        config.chmod(0o600)
        assert doctor(config, root=units(folder, state=unit)) == (0, {})


def test_wrong_use():
    code, out, err = ctibus("doctor", "now")
    assert (code, out) == (2, "") and "Usage: ctibus doctor" in err
