"""What is answered as done is there after any end of state: services, presence, sessions, the log of calls."""

import datetime
import json
import random
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from postgres import each_database  # noqa: F401 pylint: disable=unused-import
from stack import Client, ROOT, Stack, TIMEOUT, until

FORWARD = {"unc": "1002", "rna": "1003", "busy": "1004"}


def put(client, function, value):
    answer = client.ask("featuresput", function=function, value=value)
    assert answer["status"] == "OK", answer
    return answer


def features(client):
    return client.ask("featuresget", userid="1")["userfeatures"]


def restart(stack, end):
    """Ends state like this, starts it anew, and waits until its clients are served again."""
    program = stack.programs.pop("state")
    end(program)
    stack.start("state")
    stack.wait_ready("state", "cti-gw", "ami-gw")


def settled_after(program):
    """Seconds from its first line to the one that says that it serves."""
    until(lambda: program.logged("settled"), "it serves")
    times = [datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00"))
             for line in program.lines if "starting" in line or "settled" in line]
    return (times[-1] - times[0]).total_seconds()


def test_a_start_waits_for_the_asterisks_that_were_connected():
    with Stack() as s:
        s.wait_ready("state")  # ami-gw was not there before: nobody is waited for
        assert settled_after(s.programs["state"]) < 0.9
        s.wait_ready()
        until(lambda: s.rows("SELECT site FROM connected") == [("xivo",)], "it is noted")
        s.programs.pop("ami-gw").kill()
        until(lambda: s.rows("SELECT site FROM connected") == [], "its Asterisk is not expected any more")
        s.start("ami-gw")
        until(lambda: s.rows("SELECT site FROM connected") == [("xivo",)], "it is noted again")
        for end in (lambda p: p.terminate(), lambda p: p.kill()):
            s.programs["ami-gw"].process.send_signal(signal.SIGSTOP)
            end(s.programs.pop("state"))
            s.start("state")
            assert settled_after(s.programs["state"]) > 0.95, "its Asterisk is expected"
            s.programs["ami-gw"].process.send_signal(signal.SIGCONT)
            s.wait_ready("state", "cti-gw", "ami-gw")
            until(lambda: s.rows("SELECT site FROM connected") == [("xivo",)], "it is back")


def test_services_are_kept_and_told_to_all():
    with Stack() as s:
        s.wait_ready()
        alice, bob = s.client("alice").load(), s.client("bob").load()
        assert put(alice, "enablednd", True).get("warning_string") is None
        bob.wait(lambda: bob.status("users", "1").get("enablednd") is True, "bob sees it")
        assert put(alice, "enablednd", True)["warning_string"] == "no changes"
        put(alice, "incallfilter", "1")
        put(alice, "enablevoicemail", True)
        put(alice, "enablerecording", True)
        for kind, number in FORWARD.items():
            put(alice, "fwd", {f"enable{kind}": False, f"dest{kind}": number + " ext.\r\nAction: x"})
            put(alice, "fwd", {f"enable{kind}": True})
        for end in (lambda p: p.terminate(), lambda p: p.kill()):
            restart(s, end)
            now = features(alice)
            assert now["enablednd"] and now["incallfilter"] and now["enablevoicemail"] and now["callrecord"]
            for kind, number in FORWARD.items():
                assert now[f"enable{kind}"] is True and now[f"dest{kind}"] == number
        assert put(alice, "enablednd", False)
        bob.wait(lambda: bob.status("users", "1").get("enablednd") is False, "bob sees that, too")


def test_wrong_requests_for_services_say_what_is_wrong():
    with Stack() as s:
        s.wait_ready()
        alice = s.client("alice")
        for function, value, wrong in (("enablednd", "maybe", "value"), ("enablednd", None, "value"),
                                       ("fwd", {}, "value"), ("fwd", {"enableunc": [1]}, "enableunc"),
                                       ("fwd", {"enablerna": True, "destrna": ""}, "destination"),
                                       ("fwd", "x", "value"), ("nosuch", True, "function"), (7, True, "function")):
            answer = alice.ask("featuresput", function=function, value=value)
            assert (answer["status"], answer["error_string"]) == ("KO", wrong), (function, value, answer)
        assert alice.ask("featuresput", function="enablednd")["error_string"] == "missing:value"
        assert alice.ask("featuresput", function="enablednd", value=True, userid="2")["warning_string"] == "unallowed"
        for me in ("1", 1, "xivo/1", "user:xivo/1", "user:special:me", "null/null"):
            assert "userfeatures" in alice.ask("featuresget", userid=me), me


def test_a_list_that_says_something_else_wins():
    with Stack() as s:
        s.wait_ready()
        alice = s.client("alice").load()
        put(alice, "enablednd", True)
        users = s.path("users.json").read_text()
        hup = lambda: s.programs["state"].process.send_signal(1)
        s.path("users.json").write_text(users.replace('"Alice"', '"Alicia"'))
        hup()
        alice.wait(lambda: alice.status("users", "1")["firstname"] == "Alicia", "reloaded")
        assert features(alice)["enablednd"] is True, "the list says of it what it said before"
        assert '"enablednd": 0' in users
        s.path("users.json").write_text(users.replace('"enablednd": 0', '"enablednd": "1"'))
        hup()
        until(lambda: not s.rows("SELECT * FROM service"), "the choice is forgotten")
        s.path("users.json").write_text(users)
        hup()
        alice.wait(lambda: not int(alice.status("users", "1")["enablednd"]), "the list is believed")


def documented_backup(database, copy):
    """The command of docs/operations.md, for other files."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    command = re.search(r'`(sqlite3 /var/lib/ctibus/ctibus\.db "\.backup /backup/ctibus\.db")`', page)[1]
    command = command.replace("/var/lib/ctibus/ctibus.db", str(database)).replace("/backup/ctibus.db", str(copy))
    subprocess.run(command, shell=True, check=True, timeout=TIMEOUT)


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 is not installed")
def test_a_backup_is_put_back_as_the_page_says(each_database):
    if each_database:
        pytest.skip("a file of SQLite is copied")
    with Stack() as s:
        s.wait_ready()
        alice = s.client("alice").load()
        put(alice, "fwd", {"destunc": "1001"})
        documented_backup(s.path("ctibus.db"), s.path("copy.db"))
        put(alice, "fwd", {"destunc": "1002"})

        def put_back(program):
            assert program.terminate() == 0
            s.path("copy.db").replace(s.path("ctibus.db"))
            for rest in ("ctibus.db-wal", "ctibus.db-shm"):
                s.path(rest).unlink(missing_ok=True)
        restart(s, put_back)
        assert features(alice)["destunc"] == "1001"


class Tryer(threading.Thread):
    """A client that changes things as fast as it is answered, and remembers what was answered as done."""

    def __init__(self, port, user, seed):
        super().__init__(daemon=True)
        self.client = Client(port)
        self.client.login(user, user)
        self.random = random.Random(seed)
        self.done = {}      # what -> the last value that was answered as done
        self.asked = {}     # what -> values that were sent after it
        self.stopping = False

    def one(self):
        if self.random.random() < 0.3:
            what, value = "availstate", self.random.choice(["available", "away", "outtolunch", "berightback"])
            n = self.client.send("availstate", availstate=value)
        else:
            what, value = "destunc", str(self.random.randrange(10**8))
            n = self.client.send("featuresput", function="fwd", value={"destunc": value})
        self.asked.setdefault(what, []).append(value)
        while (answer := self.client.line()).get("replyid") != n:
            pass
        if "error_string" not in answer:
            self.done[what] = value
            self.asked[what] = []

    def run(self):
        while not self.stopping:
            self.one()

    def holds(self, what, value):
        return value == self.done.get(what) or value in self.asked.get(what, [])


def test_killed_at_random_points_nothing_that_was_done_is_lost():
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    dice = random.Random(seed)
    with Stack() as s:
        s.wait_ready()
        who = {"1": Tryer(s.programs["cti-gw"].cti, "alice", seed), "2": Tryer(s.programs["cti-gw"].cti, "bob", seed + 1)}
        for t in who.values():
            t.start()
        for _ in range(6):
            counts = {i: dict(t.done) for i, t in who.items()}
            until(lambda: all(t.done != counts[i] for i, t in who.items()), "they are served")
            time.sleep(dice.random() * 0.3)  # the random point
            s.kill("state")
            kept = {i: (dict(t.done), {k: list(v) for k, v in t.asked.items()}) for i, t in who.items()}
            found = dict(s.rows("""SELECT "user" || 'destunc', value FROM service WHERE field = 'destunc'"""))
            found.update(s.rows("""SELECT "user" || 'availstate', availstate FROM presence"""))
            assert len(s.rows("SELECT * FROM session")) == 2, "sessions are kept"
            for i, (done, asked) in kept.items():
                for what, value in done.items():
                    got = found.get(i + what)
                    assert got == value or got in asked.get(what, []), (seed, i, what, value, got, asked)
            s.start("state")
            s.wait_ready("state", "cti-gw", "ami-gw")
        for t in who.values():
            t.stopping = True
        for i, t in who.items():
            t.join(TIMEOUT)
            assert not t.is_alive(), "it was never disconnected, and always answered"
            user = s.snapshot("users", i)[0]
            for what in t.done:
                assert t.holds(what, user[what]), (seed, what, user[what], t.done, t.asked)


def test_calls_are_in_the_history():
    with Stack("20/02-call-answered.ami", pace="x3") as s:
        s.wait_ready()
        alice, bob = s.client("alice"), s.client("bob")

        def history(client, mode):
            answer = client.ask("history", xuserid="xivo/1" if client is alice else "2", size="5", mode=mode)
            assert str(answer["mode"]) == mode
            return answer["history"]

        until(lambda: history(bob, "1") and history(alice, "0"), "calls are logged")
        assert {c["fullname"] for c in history(alice, "0")} == {"1002"}
        assert {c["fullname"] for c in history(bob, "1")} == {"1001"}
        assert history(alice, "2") == []
        for c in history(bob, "1"):
            assert "T" in c["calldate"] and "." in c["calldate"] and c["duration"] >= 0 and c["mode"] == 1
        before = len(s.rows("SELECT * FROM call_log"))
        restart(s, lambda p: p.kill())
        assert len(s.rows("SELECT * FROM call_log")) >= before
        assert history(bob, "1")
        assert alice.ask("history", xuserid="xivo/2", size="5", mode="0")["warning_string"] == "unallowed"
        assert alice.ask("history", xuserid="xivo/1", size="5", mode="9")["error_string"] == "malformed"
        assert "history" in alice.ask("history", peer="x", size="3", direction="xivoserver")


def test_what_is_old_is_deleted():
    with Stack(parts=("sim",)) as s:
        s.start("state")
        s.wait_ready("state")
        s.programs.pop("state").kill()
        for days in (1, 364, 366, 3000):
            since = time.time() - days * 86400
            s.rows("""INSERT INTO call_log (site, "user", mode, start, duration, name, number)"""
                   f" VALUES ('xivo', '1', 0, {since}, 1, '', '1')")
            s.rows(f"INSERT INTO queue_log (site, queue, kind, time, waited) VALUES ('xivo', '1', 0, {since}, 1)")
        s.start("state")
        s.wait_ready("state")
        until(lambda: len(s.rows("SELECT * FROM call_log")) == 2, "365 days are kept of calls")
        until(lambda: len(s.rows("SELECT * FROM queue_log")) == 1, "31 of queues")


def test_what_clients_do_is_published_and_logged():
    with Stack() as s:
        s.wait_ready()
        m = s.monitor("cti/")
        bob = s.client("bob")
        until(lambda: s.client("alice") and m.message(0.2), "the monitor is heard")
        put(bob, "enablednd", True)
        topic, _, body = m.wait("cti/xivo/command/featuresput/")
        assert body["userid"] == "2" and body["outcome"] == "ok" and body["us"] > 0 and "value" not in body
        bob.ask("featuresput", function="enablednd", value=True, userid="1")
        assert m.wait("cti/xivo/command/featuresput/")[2]["outcome"] == "unallowed"
        bob.send("logout")
        assert m.wait("cti/xivo/session/close/")[2]["userid"] == "2"
        until(lambda: {r[0] for r in s.rows("""SELECT class FROM cti_log WHERE "user" = '2'""")} >=
              {"login", "featuresput", "logout"}, "logged")
        m.close()


def test_a_database_that_cannot_be_opened_is_told(each_database):
    where = each_database.uri(password="wrong") if each_database else "sqlite:nosuch/folder/x.db"
    with Stack(parts=("sim",), config={"ctibus.database": where}) as s:
        p = s.start("state")
        assert p.process.wait(TIMEOUT) == 1
        p.says("ctibus.database names it")
        s.programs.pop("state")


def test_what_a_presence_does_is_kept_before_it_is_answered():
    """The shipped profile turns do-not-disturb on with the presence of that name, and off with the others."""
    with Stack() as s:
        s.wait_ready()
        alice = s.client("alice")
        for _ in range(5):
            alice.ask("availstate", availstate="donotdisturb")
            s.programs.pop("state").kill()
            assert ("1", "1") in s.rows("""SELECT "user", value FROM service WHERE field = 'enablednd'""")
            s.start("state")
            s.wait_ready("state", "cti-gw", "ami-gw")
            alice.ask("availstate", availstate="donotdisturb")
            assert put(alice, "enablednd", False).get("warning_string") is None, "the last word counts"
            assert features(alice)["enablednd"] is False
            alice.ask("availstate", availstate="available")


def test_a_profile_that_changed_ends_the_session():
    with Stack() as s:
        s.wait_ready()
        alice, bob = s.client("alice"), s.client("bob")
        users = s.path("users.json").read_text()
        s.path("users.json").write_text(users.replace('"profileclient": "client"', '"profileclient": "other"', 1))
        s.programs["state"].process.send_signal(1)
        assert alice.closed()[-1]["class"] == "disconnect"
        assert bob.ask("keepalive")


def test_contexts_are_kept_apart_from_a_reload_on():
    lines = [{"id": i, "protocol": "sip", "name": f"n{i}", "number": str(1000 + i), "context": c, "iduserfeatures": str(i),
              "rules_order": 1} for i, c in ((1, "here"), (2, "there"))]
    with Stack(lines=lines) as s:
        s.wait_ready()
        alice = s.client("alice").load()
        assert ("phones", "2") in alice.view
        site = json.loads(s.path("ctibus.json").read_text())
        site["main"]["parting_astid_context"] = ["context"]
        s.path("ctibus.json").write_text(json.dumps(site))
        for part in ("state", "cti-gw"):
            s.programs[part].process.send_signal(1)
        alice.wait(lambda: ("phones", "2") not in alice.view, "told to forget it")
        assert alice.ask("getlist", function="listid", listname="phones", tipbxid="xivo")["list"] == ["1"]
        assert alice.ask("getlist", function="listid", listname="users", tipbxid="xivo")["list"] == ["1"]
