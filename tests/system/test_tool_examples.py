"""The examples of `ctibus help COMMAND`: each is typed, word for word, at a terminal of a machine on which a simulated
company runs, and has to print what the help shows, in kind: the same headings, keys of JSON and first words, with other
numbers and times."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import types

import msgpack
import pytest
import zmq.auth
from postgres import Postgres
from private import Shell, machine, needs_private
from sites import Site
from stack import BIN, ROOT, TIMEOUT, Client, Program, free_port, until

SERVICES = ("state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation")
CONFIG = "/etc/ctibus/ctibus.json"
CTRL_C = "^C"
ELLIPSIS = "..."
EXIT_CODES = {"doctor": 1}  # it has a warning; all others are 0

# What is typed where an example asks for something, and what ends that line: what is not shown is ended by the program.
ANSWERS = {"(--port) [5038]: ": ("", "\n"), "CTIBUS_AMI_SECRET): ": ("secret", ""), "password: ": ("correct horse", ""),
           "once more: ": ("correct horse", "")}


def help_of(*command):
    return subprocess.run([BIN / "ctibus", *command, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout


USAGES = dict(re.findall(r"^  ([a-z]+)(?: (.*))?$", help_of(), re.M))
COMMANDS = list(USAGES)


def examples(command):
    """What is typed, and the lines that are shown below it."""
    found = []
    for line in re.findall(r"^ {8}(.*)$", help_of(command), re.M):
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


# ---- what the help has ----

@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_examples(command):
    lines = help_of(command).splitlines()
    assert "      Examples:" in lines and all(len(line) <= 100 for line in lines)
    typed = [words for words, _ in examples(command)]
    used = re.compile(rf"(?:^|\| )ctibus (?:--\w+ \w+ )?{command}(?: |$)")
    assert typed and all(used.search(line) for line in typed), typed


@pytest.mark.parametrize("command", [c for c, usage in USAGES.items() if " | " in usage])
def test_each_form_of_a_command_has_an_example(command):
    """token create, token list, ...; `list` is what a command does by itself."""
    usage = re.sub(r"\[--\w+ [A-Z]+\](\.\.\.)?", "", USAGES[command])
    forms = set(re.findall(r"(?:^\[?|\| )([a-z]+|--[a-z]+) ", usage + " ")) - {"list"}
    typed = " ".join(words for words, _ in examples(command))
    assert forms and all(f"{command} {form} " in typed + " " for form in forms), forms


# ---- whether something is of the kind that is shown ----

def heads(line):
    """Is this the heading of a table?"""
    first = line.split()[:1]
    return bool(first) and re.fullmatch(r"[A-Z]{2,}", first[0]) is not None


def shape(word, letters=False):
    """The word with all numbers alike, in a row of a table all names, too."""
    word = re.sub(r"\d+", "9", word)
    return re.sub(r"[^\W\d_]+", "a", word) if letters else word


def is_random(word):
    """A token, or the id of one."""
    return re.fullmatch(r"[0-9a-f]{12}|\w{40,}", word)


def is_like_json(shown, line):
    """The fields of which the example shows the beginning, in their order."""
    at = 0
    for name in [*re.findall(r'"\w[^"]*"', shown)[:1], *re.findall(r'"[^"]+":', shown)]:
        at = line.find(name, at)
        if at < 0:
            return False
    return line[0] == shown[0]


def is_like(shown, line, row):
    if not shown.strip() or not line.strip():
        return not shown.strip() and not line.strip()
    if shown[0] in "{[":
        return bool(line) and is_like_json(shown, line)
    words, others = shown.split(), line.split()
    if heads(shown):
        return words == others or (words[-1] == ELLIPSIS and others[:len(words) - 1] == words[:-1])
    if is_random(words[0]):
        return is_random(others[0]) and len(words[0]) == len(others[0])
    return shape(words[0], row) == shape(others[0], row)


def is_all_like(shown, lines, row=False):
    """Is each line like the one that is shown? "..." stands for any lines or none."""
    if not shown:
        return not lines
    if shown[0] == ELLIPSIS:
        return any(is_all_like(shown[1:], lines[n:], row) for n in range(len(lines) + 1))
    return bool(lines) and is_like(shown[0], lines[0], row) and is_all_like(shown[1:], lines[1:], row or heads(shown[0]))


def test_what_is_of_another_kind():
    table = ["ID  NAME", "1   Alice", ELLIPSIS]
    assert is_all_like(table, ["ID  NAME", "2   Bob"]) and is_all_like(table, ["ID  NAME", "2   Bob", "3   Carole"])
    for other in ([], ["ID  NAME"], ["ID  LOGIN", "1   alice"], ["1   Alice"], ["ID  NAME", "Alice"]):
        assert not is_all_like(table, other), other
    assert not is_all_like(["1 token revoked"], ["no token revoked"])
    assert not is_all_like(["1 token revoked"], ["1 token revoked", "a warning"])
    assert is_all_like(['{"id":"1","name":"Alice",...'], ['{"id":"7","number":"1","name":"Bob","more":1}'])
    assert not is_all_like(['{"id":"1","name":"Alice",...'], ['{"id":"7"}'])
    assert not is_all_like(['[["Event","QueueParams"],...'], ['[["Response","Error"]]'])


# ---- the company ----

class Company:
    """A site with the configuration in /etc/ctibus, all services, a webhook whose receiver is down and a peer, lyon."""

    def __init__(self, here, folder, lyon):
        self.here = here
        self.folder = folder
        self.etc = folder / "machine" / "etc" / "ctibus"
        self.data = folder / "machine" / "lib" / "ctibus"
        self.lyon = lyon
        self.pids = {}
        self.programs = []
        shutil.copytree(ROOT / "config" / "office", self.etc)
        self.data.mkdir()
        with open(self.etc.parent / "hosts", "a", encoding="utf-8") as hosts:
            hosts.write("127.0.0.1 pbx.example.org crm.example.org\n")
        self.configure()

    def configure(self):
        subprocess.run([BIN / "ctibus", "keygen", self.etc / "site.key"], check=True, stdout=subprocess.DEVNULL)
        self.lyon.knows(types.SimpleNamespace(name="xivo", peer_ports=(5560, 5561),
                                              public=zmq.auth.load_certificate(self.etc / "site.key")[0].decode()))
        publish, request = (f"tcp://127.0.0.1:{port}" for port in self.lyon.peer_ports)
        tree = self.tree()
        tree["ipbxes"]["lyon"] = {"peer": {"publish": publish, "request": request, "publickey": self.lyon.public}}
        tree["ipbxes"]["xivo"]["urllists"]["urllist_users"].append("csv:people.csv")
        tree["ctibus"].update(
            database="sqlite:/var/lib/ctibus/ctibus.db", webhook_hosts=["crm.example.org"],
            webhooks={"crm": {"url": "http://crm.example.org:8080/calls", "events": "call.ended"}},
            webhook_queue={"path": "/var/lib/ctibus/webhooks.db"},
            federation={"publish": "tcp://127.0.0.1:5560", "request": "tcp://127.0.0.1:5561", "key": "site.key"})
        tree["ctibus"]["http"]["federation"] = "127.0.0.1:9105"
        self.write(tree)
        users = json.loads((self.etc / "users.json").read_text())
        soren = next(u for u in users if u["loginclient"] == "soren")
        soren.update(number="1020", loginclient="", passwdclient="")
        (self.etc / "users.json").write_text(json.dumps(users))
        (self.etc / "people.csv").write_text("number,login,password_hash,profile\n1020,,,\n")
        for file in self.etc.iterdir():
            file.chmod(0o600)

    def tree(self):
        return json.loads((self.etc / "ctibus.json").read_text())

    def write(self, tree):
        (self.etc / "ctibus.json").write_text(json.dumps(tree))

    def run(self, name, *args):
        """Starts a program in the machine, whose process id there is then known."""
        pid = self.data / f"{name}.pid"
        pid.unlink(missing_ok=True)
        tell = f"echo $$ >/var/lib/ctibus/{name}.pid; exec \"$@\""
        self.programs.append(Program(self.here.command("sh", "-c", tell, "sh", BIN / f"ctibus-{name}", *args)))
        self.pids[name] = until(lambda: pid.exists() and pid.read_text().strip(), f"{name} begins")
        return self.programs[-1]

    def start(self, *names):
        for name in names:
            self.run(name, "--config", CONFIG)
        for name in names:
            until(lambda n=name: self.here.run(BIN / f"ctibus-{n}", "--config", CONFIG, "--healthcheck").returncode == 0, f"{name} ready")

    def signal(self, name, which):
        assert self.here.run("kill", f"-{which}", self.pids[name]).returncode == 0

    def stop(self, name):
        self.signal(name, "TERM")
        until(lambda: self.here.run("kill", "-0", self.pids[name]).returncode != 0, f"{name} has ended")

    def ctibus(self, *args):
        done = self.here.run(BIN / "ctibus", "--config", CONFIG, *args)
        return done.stdout if done.returncode == 0 else ""


@pytest.fixture(name="company")
def fixture_company(tmp_path):
    with machine(tmp_path / "machine") as here, here.inside(), Site("lyon") as lyon:
        for file in lyon.path("").glob("*.json"):
            if file.name != "ctibus.json":
                file.write_text("[]")
        made = Company(here, tmp_path, lyon)
        lyon.run("state", "federation")
        made.run("asterisk-sim", "--office", "--rate", "60", "--office-guests", "alice,bob").listening("ami")
        made.start(*SERVICES)
        until(lambda: " up " in made.ctibus("peers"), "the peer is there")
        yield made


# ---- what commands need to be there ----

@contextlib.contextmanager
def logged_in(company, _):
    """Alice is at her panel."""
    alice = Client(5003)
    alice.login("alice", "alice")
    yield
    alice.close()


@contextlib.contextmanager
def in_a_call(company, _):
    """Alice talks with bob, and with nobody else."""
    def talk():
        rows = company.ctibus("calls", "alice").splitlines()[1:]
        if len(rows) == 1 and re.match(r"Alice Martin 1001 +Bob Tremblay 1002 +up", rows[0]):
            return True
        for name in ("alice", "bob"):
            company.ctibus("action", "OfficeHangup", f"Endpoint=PJSIP/{name}")
        if company.ctibus("action", "OfficeCall", "From=1001", "Exten=1002"):
            until(lambda: company.ctibus("action", "OfficeAnswer", "Endpoint=PJSIP/bob"), "bob answers")
            until(lambda: " up " in company.ctibus("calls", "alice"), "it is seen")
        return False
    until(talk, "alice talks with bob")
    yield


@contextlib.contextmanager
def dead_letters(company, _):
    """Posts whose webhook was gone for a while."""
    def waiting():
        return [json.loads(line)["waiting"] for line in company.ctibus("--json", "webhooks").splitlines()]

    until(lambda: sum(waiting()) > 0, "a post waits")
    tree = company.tree()
    hooks = tree["ctibus"]["webhooks"]
    for name in ("other", "crm"):
        tree["ctibus"]["webhooks"] = {name: hooks["crm"]}
        company.write(tree)
        company.signal("http-gw", "HUP")
        until(lambda n=name: re.search(rf"^{n} ", company.ctibus("webhooks"), re.M), f"{name} is there")
        until(lambda: company.ctibus("--json", "webhooks", "dead"), "what waited for crm is a dead letter")
    until(lambda: sum(waiting()) > 0, "another post waits")
    yield


def endpoints():
    return {n: f"tcp://127.0.0.1:{free_port()}" for n in ("publish", "subscribe", "request")}


def context(company, home, name, **keys):
    """The configuration of a state alone, at ports of its own, as a context of the tool; its file."""
    tree = company.tree()
    tree["ctibus"].update(http={"state": "127.0.0.1:0"}, **keys)
    tree["main"].update(incoming_tcp={n: ["127.0.0.1", 0, True] for n in ("CTI", "FAGI", "WEBI", "INFO")},
                        incoming_udp={"ANNOUNCE": ["127.0.0.1", 0, True]})
    del tree["ctibus"]["federation"], tree["ipbxes"]["lyon"]
    for file in company.etc.iterdir():
        if file.name != "ctibus.json":
            shutil.copy(file, home)
    (home / f"{name}.json").write_text(json.dumps(tree))
    subprocess.run([BIN / "ctibus", "context", "add", name, home / f"{name}.json"], env={**os.environ, "HOME": str(home)}, check=True)
    return home / f"{name}.json"


@contextlib.contextmanager
def a_bus_of_its_own(company, home):
    """The context trial, and a recording to replay there."""
    config = context(company, home, "trial", bus=endpoints(), database="sqlite:trial.db")
    head = {"format": "ctibus-recording", "version": 1, "started": 1000.0}
    (home / "bug.rec").write_bytes(msgpack.packb(head) + b"".join(
        msgpack.packb(["tel/xivo/x/y/", "s", 1, i + 1, 1000.0 + i, {"i": i}]) for i in range(3)))
    state = Program([BIN / "ctibus-state", "--config", config])
    state.listening("metrics")
    yield
    state.terminate()


@contextlib.contextmanager
def two_states(company, home):
    """Another site, whose configuration is used by all commands."""
    server = Postgres()
    states = []
    try:
        config = context(company, home, "pair", ha={"peers": {"cti1": endpoints(), "cti2": endpoints()}}, database=server.empty())
        tree = json.loads(config.read_text())
        tree["ctibus"].pop("bus")
        config.write_text(json.dumps(tree))
        subprocess.run([BIN / "ctibus", "context", "use", "pair"], env={**os.environ, "HOME": str(home)}, check=True)
        for name in ("cti1", "cti2"):
            states.append(Program([BIN / "ctibus-state", "--config", config, "--set", f"ctibus.ha.name={name}",
                                   "--set", f"ctibus.console.socket={name}.sock"]))
            states[-1].listening("request")
            until(lambda: states[0].logged("active, term"), "the first one is active")
        ask = [BIN / "ctibus", "--config", config, "ha", "status"]
        until(lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0, "the other one may take over")
        yield
    finally:
        for state in states:
            state.kill()
        server.close()


@contextlib.contextmanager
def an_old_key(_, home):
    public, secret = zmq.curve_keypair()
    (home / "old.key").write_text(f"public {public.decode()}\nsecret {secret.decode()}\n")
    yield


@contextlib.contextmanager
def a_second_configuration(company, _):
    shutil.copy(company.etc / "ctibus.json", company.etc / "paris.json")
    yield
    (company.etc / "paris.json").unlink()


@contextlib.contextmanager
def a_file_that_is_open(company, _):
    """What there is to warn of."""
    (company.etc / "ctibus.json").chmod(0o644)
    yield
    (company.etc / "ctibus.json").chmod(0o600)


@contextlib.contextmanager
def a_new_database(company, _):
    """The configuration names an empty one in a PostgreSQL server, and state is stopped."""
    tree = company.tree()
    server = Postgres()
    try:
        company.stop("state")
        company.write({**tree, "ctibus": {**tree["ctibus"], "database": server.empty()}})
        yield
    finally:
        company.write(tree)
        server.close()
        company.start("state")


NEEDS = {"calls": in_a_call, "context": a_second_configuration, "doctor": a_file_that_is_open, "explain": in_a_call, "ha": two_states,
         "keygen": an_old_key, "kick": logged_in, "migrate": a_new_database, "replay": a_bus_of_its_own, "sessions": logged_in, "webhooks": dead_letters}


# ---- each example ----

def as_seen(text):
    """What is left of a line on a terminal: of progress that is drawn over nothing, of colours their text."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", re.sub(r".*\r\x1b\[K", "", text))


class Terminal(Shell):
    """Without colours and screens: what is shown has none."""

    def __init__(self, here, home):
        super().__init__(here, home, PS2="", HOME=home, TERM="dumb", PATH=f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin")

    def try_out(self, command, shown):
        """What is wrong with what it prints and how it ends; None: nothing. Ctrl-C is typed once all before it is there."""
        before = shown[:shown.index(CTRL_C)] if CTRL_C in shown else None
        expected = [*before, ELLIPSIS, *shown[len(before) + 1:]] if before is not None else shown
        self.run("stty -echo")  # which a program that asked for a password has switched on
        self.n += 1
        mark = f"done-{self.n}:"
        os.write(self.master, f"{{ {command}\n}}; printf '%s%s:%s;' done- {self.n} $?\n".encode())
        lines = ""
        limit = time.monotonic() + TIMEOUT
        while True:
            said, end = self.read_until(mark, *ANSWERS, "\n")
            answer, line_end = ANSWERS.get(end, (None, "\n"))
            lines += as_seen(said) + (end if answer is not None else "") + line_end
            if end == mark:
                break
            if answer is not None:
                os.write(self.master, answer.encode() + b"\n")
            late = time.monotonic() > limit
            if before is not None and (late or is_all_like([*before, ELLIPSIS], lines.splitlines())):
                os.write(self.master, b"\x03")
                before = None
        code = int(self.read_until(";")[0])
        printed = lines.splitlines()
        while printed and not printed[-1].strip():
            printed.pop()
        if is_all_like(expected, printed):
            return code
        return "it prints\n" + "\n".join(printed) + "\nand the help shows\n" + "\n".join(shown)


def try_out(company, command):
    """What is wrong with the examples of a command."""
    home = company.folder / f"home-{command}"
    (home / "site").mkdir(parents=True)
    faults = []
    with NEEDS.get(command, lambda *_: contextlib.nullcontext())(company, home):
        terminal = Terminal(company.here, home)
        for typed, shown in examples(command):
            said = terminal.try_out(typed, shown)
            if said != EXIT_CODES.get(command, 0):
                faults.append(f"$ {typed}\n{said}")
        terminal.close()
    return faults


@needs_private()
@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_each_example(company):
    faults = [fault for command in COMMANDS for fault in try_out(company, command)]
    assert not faults, "\n\n".join(faults)
