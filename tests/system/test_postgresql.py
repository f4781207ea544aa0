"""State on a PostgreSQL server: a server that is away, TLS, the move from a file, and the views for reports. What is
kept is tested in test_kept.py with both."""

import json
import os
import pty
import subprocess
import time

import pytest

from postgres import Postgres
from stack import BIN, ROOT, TIMEOUT, Stack, until
from test_kept import features, put, restart


@pytest.fixture(scope="module", name="server")
def one_server():
    server = Postgres()
    yield server
    server.close()


def tool(stack, *args):
    return subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), *args], capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)


def test_a_server_that_is_away(server):
    with Stack(config={"ctibus.database": server.empty()}) as s:
        s.wait_ready()
        alice, bob = s.client("alice").load(), s.client("bob").load()
        put(alice, "enablednd", True)
        server.kill()
        until(lambda: s.metric("state", "ctibus_state_database_up") == 0, "it is noticed though nobody writes")
        assert alice.ask("featuresput", function="enablednd", value=False)["error_string"] == "database"
        assert features(alice)["enablednd"] is True
        assert bob.ask("getlist", function="listid", listname="users", tipbxid="xivo")["list"], "everything else goes on"
        s.client("carol").close()  # logs in: the log waits
        assert s.is_ready("state")
        server.start()
        until(lambda: s.metric("state", "ctibus_state_database_up") == 1, "it is used again")
        assert put(alice, "enablednd", False).get("warning_string") is None
        until(lambda: ("3", "login") in s.rows("""SELECT "user", class FROM cti_log"""), "what waited is written")
        assert s.rows("SELECT count(*) FROM cti_log WHERE class = 'login'") == [("3",)], "and once"
        log = s.programs["state"]
        log.says("database: cannot write: ")
        log.says("database: writing again")
        assert not log.logged("profor")


def test_a_server_that_stands_still(server):
    with Stack(config={"ctibus.database": server.empty()}) as s:
        s.wait_ready()
        alice = s.client("alice").load()
        with server.stopped():
            since = time.monotonic()
            assert alice.ask("featuresput", function="enablednd", value=True)["error_string"] == "database"
            assert time.monotonic() - since < 20
            assert alice.ask("keepalive")["class"] == "keepalive", "the loop does not wait for it"
        until(lambda: s.metric("state", "ctibus_state_database_up") == 1, "it is used again")
        put(alice, "enablednd", True)


def test_a_second_state_does_not_start(server):
    with Stack(parts=("sim", "state"), config={"ctibus.database": server.empty()}) as s:
        s.wait_ready("state")
        other = subprocess.run([BIN / "ctibus-state", "--config", s.path("ctibus.json"),
                                *(f"--set=ctibus.bus.{n}=tcp://127.0.0.1:*" for n in ("publish", "subscribe", "request")),
                                "--set=ctibus.http.state=127.0.0.1:0", "--set=ctibus.console.socket=other.sock"],
                               capture_output=True, text=True, timeout=TIMEOUT, check=False)
        assert other.returncode == 1 and "another ctibus-state uses it: stop that one" in other.stderr, other.stderr
        assert "profor" not in other.stderr


@pytest.mark.parametrize("parameters, says", [
    ("&sslmode=verify-full&sslrootcert={dir}/server.pem", None),
    ("&sslmode=verify-full&sslrootcert={dir}/other.pem", "certificate verify failed"),
    ("&sslmode=nonsense", "has an sslmode that is none of")])
def test_tls(server, parameters, says):
    name = json.loads(json.dumps(server.empty())).split("/")[-1].split("?")[0]
    uri = server.uri(host="localhost", database=name, parameters=parameters.format(dir=server.dir))
    with Stack(parts=("sim",), config={"ctibus.database": uri}) as s:
        p = s.start("state") if not says else subprocess.run(
            [BIN / "ctibus-state", "--config", s.path("ctibus.json")], capture_output=True, text=True, timeout=TIMEOUT, check=False)
        if says:
            assert p.returncode in (1, 2) and says in p.stderr, p.stderr
            return
        s.wait_ready("state")
        assert server.run("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                          " WHERE ssl AND application_name = 'ctibus'", "postgres").stdout.strip() == "1"


# --- from a file to a server ---

def test_a_site_moves_to_a_server(server):
    with Stack() as s:
        s.wait_ready()
        alice = s.client("alice").load()
        put(alice, "fwd", {"destunc": "1002"})
        alice.ask("availstate", availstate="away")
        busy = tool(s, "migrate", f"sqlite:{s.path('ctibus.db')}", server.empty())
        assert busy.returncode == 1 and "another ctibus-state uses it" in busy.stderr
        new = server.empty()

        def move(program):
            assert program.terminate() == 0
            s.set("ctibus.database", new)
            done = tool(s, "migrate", f"sqlite:{s.path('ctibus.db')}")
            assert done.returncode == 0 and not done.stderr, done.stderr
            assert " rows are copied. " in done.stdout and int(done.stdout.split()[0]) > 3
            again = tool(s, "migrate", f"sqlite:{s.path('ctibus.db')}")
            assert again.returncode == 1 and "it is not empty" in again.stderr
            assert "profor" not in again.stderr + done.stdout
        restart(s, move)
        assert features(alice)["destunc"] == "1002"
        assert s.snapshot("users", "1")[0]["availstate"] == "away"
        assert alice.ask("keepalive")["class"] == "keepalive", "the session was kept, too"
        put(alice, "enablednd", True)


@pytest.mark.parametrize("args, code, says", [
    ((), 2, "sage: ctibus"), (("x",), 2, '"x" is no database: sqlite:FILE or postgresql://'),
    (("sqlite:/nosuch/x.db", "sqlite:/tmp/y.db"), 1, "/nosuch/x.db: there is no such file"),
    (("sqlite:x", "postgresql://a:b@h"), 2, "has no database"), (("--nosuch", "x"), 2, "sage: ctibus")])
def test_wrong_use_of_migrate(args, code, says):
    with Stack(parts=()) as s:
        done = tool(s, "migrate", *args)
        assert done.returncode == code and says in done.stderr, done.stderr


def test_progress_is_drawn_on_a_terminal(server):
    with Stack(parts=("sim", "state")) as s:
        s.wait_ready("state")
        s.programs.pop("state").terminate()
        master, slave = pty.openpty()
        done = subprocess.run([BIN / "ctibus", "migrate", f"sqlite:{s.path('ctibus.db')}", server.empty()], stderr=slave,
                              stdout=subprocess.PIPE, timeout=TIMEOUT, check=False)
        os.close(slave)
        drawn = os.read(master, 65536)
        os.close(master)
        assert done.returncode == 0 and b"cti_log 0 of 0" in drawn and drawn.endswith(b"\x1b[K")


# --- reports ---

def test_reports(server):
    with Stack(parts=("sim", "state"), config={"ctibus.database": server.empty()}) as s:
        s.wait_ready("state")
        noon = 1767268800  # 2026-01-01 12:00 UTC
        call = """INSERT INTO call_log (site, "user", mode, start, duration, name, number, call, queue) VALUES """
        s.rows(call + f"('xivo', '1', 0, {noon}, 30, '', '1002', 'a', ''), ('xivo', '2', 1, {noon}, 30, '', '1001', 'a', ''),"
               f" ('xivo', '2', 2, {noon + 60}, 0, '', '5551', 'b', ''), ('xivo', '2', 1, {noon + 90}, 12, '', '5552', 'c', 'blue'),"
               f" ('xivo', '', 1, {noon + 90}, 12, '', '5552', 'c', 'blue'), ('xivo', '3', 3, {noon + 90}, 0, '', '5552', 'c', 'blue')")
        queue = "INSERT INTO queue_log (site, queue, kind, time, waited) VALUES "
        s.rows(queue + ", ".join(f"('xivo', '7', {kind}, {noon + n}, {waited})" for n, (kind, waited) in enumerate(
            [(0, 0), (1, 10), (0, 0), (1, 50), (0, 0), (2, 70), (0, 0), (3, 5)])))
        day = "2026-01-01"
        assert s.rows(f"SELECT calls, made, answered, missed, talked FROM report_calls_per_day WHERE day = '{day}'") == \
            [("3", "1", "2", "1", "42")]
        assert s.rows("SELECT queue, joined, answered, given_up, left_otherwise, answered_within_20, answered_within_60,"
                      f" mean_wait, longest_wait FROM report_queues_per_day WHERE day = '{day}'") == \
            [("7", "4", "2", "1", "1", "1", "2", "30", "50")]
        assert s.rows("""SELECT "user", queue_calls, queue_talked, other_calls, other_talked FROM report_users_per_day"""
                      f""" WHERE day = '{day}' ORDER BY 1""") == \
            [("1", "0", "0", "1", "30"), ("2", "1", "12", "1", "30"), ("3", "0", "0", "0", "0")]
        for query in queries_of_the_dashboard():
            given = {"$__timeFrom()": "'2025-12-31T10:00:00Z'", "$__timeTo()": "'2026-01-02T10:00:00Z'", "$site": "xivo"}
            for name, value in given.items():
                query = query.replace(name, value)
            assert s.rows(query), query


def queries_of_the_dashboard():
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "reports" / "ctibus-reports.json").read_text())
    found = [t["rawSql"] for p in dashboard["panels"] for t in p["targets"]]
    assert len(found) == 4
    return [*found, *(v["query"] for v in dashboard["templating"]["list"] if v["type"] == "query")]
