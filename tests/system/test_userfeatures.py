"""Services and forwards in XiVO's table userfeatures: a PostgreSQL server, the whole stack, and whatever fails in between."""

import contextlib
import signal
import subprocess
import threading
import time

import pytest
from postgres import ENCODED, PASSWORD, Postgres
from stack import BIN, Stack, until
from test_features import dials, on, put, stored, told, user, watch
from test_office import QUIET
from test_sim import Ami

UP = "userfeatures: connected to"


@pytest.fixture(scope="module")
def server():
    postgres = Postgres()
    yield postgres
    postgres.close()


@pytest.fixture
def postgres(server):
    if server.process.poll() is not None:
        server.start()  # the test before has failed while it was down
    return server.fresh()


@contextlib.contextmanager
def company(uri, ready=True, publish=("userfeatures",)):
    config = {"ctibus.features.publish": list(publish), "ipbxes.xivo.userfeatures_db_uri": uri}
    with Stack(office=(*QUIET,), config=config) as s:
        s.tech = "PJSIP"
        s.wait_ready()
        s.ami = Ami(s, Events="off")
        if ready:
            s.programs["state"].says(UP)
        yield s
        s.ami.close()
        for program in s.programs.values():
            assert not program.logged(PASSWORD) and not program.logged(ENCODED), "no password in a log"


def reload(stack):
    subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), "reload"], check=True, timeout=20)


def test_what_a_client_sets_is_in_the_table(postgres):
    with company(postgres.uri(), publish=("userfeatures", "astdb", "devstate")) as s:
        alice = watch(s, "alice")
        assert s.metric("state", "ctibus_state_userfeatures_up") == 1
        put(alice, "enablednd", True)
        until(lambda: postgres.row(1, "enablednd") == "1", "do not disturb")
        assert stored(s, "DND/1001") is None, "there is one place that counts"
        put(alice, "fwd", {"enableunc": True, "destunc": "1003"})
        until(lambda: postgres.row(1, "enableunc", "destunc") == ("1", "1003"), "the forward")
        put(alice, "fwd", {"enablebusy": True, "destbusy": "1005", "enablerna": True, "destrna": "1006"})
        until(lambda: postgres.row(1, "enablebusy", "destbusy", "enablerna", "destrna") == ("1", "1005", "1", "1006"), "both")
        put(alice, "incallfilter", True)
        until(lambda: postgres.row(1, "incallfilter") == "1", "the filter")
        put(alice, "enablednd", False)
        until(lambda: postgres.row(1, "enablednd") == "0", "off again")
        assert postgres.row(2, "enablednd", "enableunc", "destunc") == ("0", "0", ""), "nobody else's row"
        until(lambda: s.metric("state", "ctibus_state_wanted") == 0, "nothing waits")


def test_what_xivo_changes_is_seen(postgres):
    postgres.run("UPDATE userfeatures SET enableunc = 1, destunc = '1009' WHERE id = 1")
    with company(postgres.uri()) as s:
        alice, bob = watch(s, "alice"), watch(s, "bob")
        alice.wait(lambda: on(alice, "enableunc") and user(alice)["destunc"] == "1009", "read at the start")
        postgres.run("UPDATE userfeatures SET enablednd = 1 WHERE id = 1")
        reload(s)
        bob.wait(lambda: on(bob, "enablednd"), "read at a reload")
        assert told(bob, "enablednd") == [True], "once"
        postgres.run("UPDATE userfeatures SET enablednd = 0, enablerna = 1, destrna = '1004' WHERE id = 1")
        s.programs["sim"].process.send_signal(signal.SIGUSR1)
        alice.wait(lambda: not on(alice, "enablednd") and user(alice)["destrna"] == "1004", "read after a resync")


def test_feature_codes_are_seen(postgres):
    """XiVO's dialplan writes the row, and says a UserEvent."""
    with company(postgres.uri()) as s:
        alice = watch(s, "alice")
        dials(s, "alice", "*25")
        alice.wait(lambda: on(alice, "enablednd"), "what the event says is seen")
        until(lambda: postgres.row(1, "enablednd") == "1", "and is in the table")
        postgres.run("UPDATE userfeatures SET enablebusy = 1, destbusy = '1007', callrecord = 1 WHERE id = 1")
        dials(s, "alice", "*211003")
        alice.wait(lambda: on(alice, "enableunc") and user(alice)["destunc"] == "1003", "the forward")
        alice.wait(lambda: on(alice, "enablebusy") and user(alice)["destbusy"] == "1007", "the row is read, too")
        until(lambda: postgres.row(1, "enableunc", "destunc") == ("1", "1003"), "the table has the forward")


def test_after_an_outage_what_was_set_is_written_and_the_rest_is_read(postgres):
    with company(postgres.uri()) as s:
        alice, bob = watch(s, "alice"), watch(s, "bob")
        postgres.kill()
        s.programs["state"].says("userfeatures: no use of asterisk@127.0.0.1:")
        assert s.metric("state", "ctibus_state_userfeatures_up") == 0
        put(alice, "enablednd", True)
        put(alice, "fwd", {"enableunc": True, "destunc": "1003"})
        bob.wait(lambda: on(bob, "enablednd"), "colleagues see it meanwhile")
        assert s.is_ready("state")
        until(lambda: s.metric("state", "ctibus_state_wanted") == 2, "it waits")
        s.kill("state")
        s.start("state")
        s.wait_ready()
        alice.wait(lambda: alice.ask("featuresget", userid="1")["userfeatures"]["enablednd"] in (True, 1, "1"), "kept")
        postgres.start()
        postgres.run("UPDATE userfeatures SET enablebusy = 1, destbusy = '1004' WHERE id = 1")
        until(lambda: postgres.row(1, "enablednd", "enableunc", "destunc") == ("1", "1", "1003"), "written")
        alice.wait(lambda: on(alice, "enablednd") and on(alice, "enableunc"), "what was set stays")
        until(lambda: s.metric("state", "ctibus_state_wanted") == 0, "nothing waits")
        reload(s)
        alice.wait(lambda: user(alice)["destbusy"] == "1004", "the rest is read")


def test_a_server_that_does_not_answer_delays_nobody(postgres):
    with company(postgres.uri()) as s:
        alice, bob = watch(s, "alice"), watch(s, "bob")
        with postgres.stopped():
            for i in range(20):
                before = time.monotonic()
                put(alice, "enablednd", i % 2 == 0)
                put(bob, "fwd", {"enableunc": True, "destunc": f"10{i:02}"})
                assert time.monotonic() - before < 5, "clients are answered"
            assert s.is_ready("state")
            s.programs["state"].says("no answer to a query within 10 s")
            put(alice, "incallfilter", True)
        until(lambda: postgres.row(1, "incallfilter") == "1", "written when it answers")
        until(lambda: postgres.row(2, "enableunc", "destunc") == ("1", "1019"), "the last one")
        until(lambda: s.metric("state", "ctibus_state_wanted") == 0, "nothing waits")
        assert postgres.row(1, "enablednd") == "0"


@pytest.mark.parametrize("prepare, uri, words", [
    ("SELECT 1", {"password": "wrong"}, "password authentication failed"),
    ("SELECT 1", {"database": "nothing"}, 'database "nothing" does not exist'),
    ("DROP TABLE userfeatures", {}, "must name the database of the XiVO"),
    ("ALTER TABLE userfeatures RENAME id TO number", {}, "the table has no column id"),
    ("CREATE ROLE nobody LOGIN PASSWORD 'nobody'", {"user": "nobody", "password": "nobody"}, "GRANT SELECT, UPDATE"),
    ("ALTER DATABASE asterisk SET default_transaction_read_only = on", {}, "must name the primary server"),
])
def test_a_database_that_is_of_no_use_is_told_with_a_remedy(postgres, prepare, uri, words):
    postgres.run("DROP ROLE IF EXISTS nobody")
    postgres.run(prepare)
    with company(postgres.uri(**uri), ready=False) as s:
        s.programs["state"].says(words)
        alice = watch(s, "alice")
        put(alice, "enablednd", True)
        assert s.metric("state", "ctibus_state_userfeatures_up") == 0
        assert s.programs["state"].count("userfeatures: no use of") == 1, "once"
        until(lambda: s.metric("state", "ctibus_state_wanted") == 1, "it waits")


def test_a_user_who_may_only_read_sees_what_the_table_has(postgres):
    postgres.run("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'reader';"
                 "GRANT SELECT ON userfeatures TO reader")
    with company(postgres.uri(user="reader", password="reader")) as s:
        alice = watch(s, "alice")
        put(alice, "enablednd", True)
        s.programs["state"].says("userfeatures: dnd of user 1 is refused: permission denied for table userfeatures: GRANT")
        alice.wait(lambda: told(alice, "enablednd")[-1:] == [False], "what calls obey")
        assert s.metric("state", "ctibus_state_wanted") == 0


def test_a_user_without_a_row_is_told(postgres):
    postgres.run("DELETE FROM userfeatures WHERE id = 1")
    with company(postgres.uri()) as s:
        alice = watch(s, "alice")
        put(alice, "enablednd", True)
        s.programs["state"].says("userfeatures: no row has the id 1")
        until(lambda: s.metric("state", "ctibus_state_wanted") == 0, "it is given up")


def test_columns_that_a_later_version_has_no_more(postgres):
    postgres.run("ALTER TABLE userfeatures DROP callrecord, ALTER enablednd DROP DEFAULT,"
                 "ALTER enablednd TYPE boolean USING enablednd = 1")
    with company(postgres.uri()) as s:
        alice = watch(s, "alice")
        s.programs["state"].says("the table has no column callrecord")
        put(alice, "enablednd", True)
        until(lambda: postgres.row(1, "enablednd") == "t", "the others are kept there")
        postgres.run("UPDATE userfeatures SET enablednd = 'f', destunc = '1002' WHERE id = 1")
        reload(s)
        alice.wait(lambda: not on(alice, "enablednd") and user(alice)["destunc"] == "1002", "and read")


def test_names_and_sockets(postgres):
    """The server is found by its name, or by the folder of its socket."""
    for host in ("localhost", str(postgres.dir).replace("/", "%2F")):
        with company(postgres.uri(host=host)) as s:
            alice = watch(s, "alice")
            wanted = not on(alice, "enablednd")
            put(alice, "enablednd", wanted)
            until(lambda value=str(int(wanted)): postgres.row(1, "enablednd") == value, host)


def test_the_certificate_is_verified(postgres):
    def verified_by(name, host):
        return postgres.uri(host=host, parameters=f"&sslmode=verify-full&sslrootcert={postgres.dir}/{name}.pem")

    with company(verified_by("server", "localhost")) as s:
        alice = watch(s, "alice")
        put(alice, "enablednd", True)
        until(lambda: postgres.row(1, "enablednd") == "1", "over TLS")
        assert postgres.run("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                            " WHERE application_name = 'ctibus' AND ssl").stdout.strip() == "1"
    for name, host, words in (("other", "localhost", "certificate verify failed"),
                              ("server", "127.0.0.1", "does not match host name")):
        with company(verified_by(name, host), ready=False) as s:
            s.programs["state"].says(words)


def test_two_at_once_agree_in_the_end(postgres):
    """A client and XiVO change the same, as fast as they can: what is shown is what calls obey."""
    with company(postgres.uri()) as s:
        alice = watch(s, "alice")

        def xivo():
            for i in range(20):
                postgres.run(f"UPDATE userfeatures SET enablednd = {i % 2} WHERE id = 1")
                s.ami.ask("UserEvent", UserEvent="Feature", XIVO_USERID="2", Function="dnd", Status=str(i % 2))
                reload(s)

        other = threading.Thread(target=xivo)
        other.start()
        i = 0
        while other.is_alive():
            alice.ask("featuresput", function="enablednd", value=bool(i % 2))
            i += 1
        other.join()
        until(lambda: s.metric("state", "ctibus_state_wanted") == 0, "all is written")
        reload(s)

        def agree():
            alice.drain()
            shown = alice.ask("featuresget", userid="1")["userfeatures"]["enablednd"] in (True, 1, "1")
            return shown == (postgres.row(1, "enablednd") == "1") and on(alice, "enablednd") == shown
        until(agree, "the client shows what the table has")


def test_another_database_at_a_reload(postgres):
    with company(postgres.uri(), publish=("agi",), ready=False) as s:
        alice = watch(s, "alice")
        put(alice, "enablednd", True)
        s.set("ctibus.features.publish", ["userfeatures"])
        reload(s)
        s.programs["state"].says(UP)
        alice.wait(lambda: not on(alice, "enablednd"), "the table counts")
        s.set("ctibus.features.publish", ["agi"])
        reload(s)
        with pytest.raises(KeyError):
            s.metric("state", "ctibus_state_userfeatures_up")
        put(alice, "enablednd", True)
        assert postgres.row(1, "enablednd") == "0"


def test_the_check_names_the_key():
    with Stack(parts=(), config={"ctibus.features.publish": ["userfeatures"],
                                 "ipbxes.xivo.userfeatures_db_uri": "postgresql://asterisk:secret@localhost"}) as s:
        for program, flag in (("ctibus-state", "--check"), ("ctibus", "check")):
            r = subprocess.run([BIN / program, "--config", s.path("ctibus.json"), flag],
                               capture_output=True, text=True, timeout=20, check=False)
            assert r.returncode != 0
            assert "ipbxes.xivo.userfeatures_db_uri: has no database" in r.stdout + r.stderr
            assert "secret" not in r.stdout + r.stderr
