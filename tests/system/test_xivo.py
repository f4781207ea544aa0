"""A XiVO's own configuration, as its web interface writes it."""

import contextlib
import json
import os
import socket
import subprocess
from unittest import mock

import pytest
from consoles import webi
from stack import BIN, ROOT, Stack, until
from test_lists_http import Lists, try_login

XIVO = ROOT / "tests" / "data" / "xivo"


@pytest.mark.parametrize("program", ["state", "ami-gw", "cti-gw", "fagi-gw", "http-gw", "federation"])
@pytest.mark.parametrize("year", ["2011", "2012"])
def test_its_keys_are_no_faults(year, program):
    ran = subprocess.run([BIN / f"ctibus-{program}", "--config", XIVO / f"configuration-{year}.json", "--check"],
                         capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    assert "secret" not in ran.stderr
    assert ("is taken as ipbxes.xivo-test.ipbx_connection" in ran.stderr) == (year == "2011")


@contextlib.contextmanager
def served(stack):
    """The stack's configuration behind HTTP; the programs that are started from now on get it from there."""
    web = Lists().start()
    web.lists["/configuration"] = json.loads(stack.path("ctibus.json").read_text())
    copies = {"CTIBUS__CONFIG_COPIES": str(stack.path("copies")), "CTIBUS__LISTS_CACHE": str(stack.path("lists"))}
    site = web.lists["/configuration"]
    for name, urls in site["ipbxes"]["xivo"]["urllists"].items():
        web.lists[f"/{name}"] = json.loads(stack.path(urls[0].removeprefix("file:")).read_text())
        site["ipbxes"]["xivo"]["urllists"][name] = [f"http://127.0.0.1:{web.port}/{name}"]
    site["ctibus"]["database"] = f"sqlite:{stack.path('ctibus.db')}"
    site["main"]["asterisk_queuestat_db"] = "postgresql://asterisk:secret@localhost/asterisk"
    site["bench"] = 0.5
    with mock.patch.dict(os.environ, copies), mock.patch.object(
            stack, "config", f"http://who:secret@127.0.0.1:{web.port}/configuration"):
        try:
            yield web
        finally:
            with contextlib.suppress(OSError):
                web.stop()


def test_services_fetch_it_and_start_from_the_copy_without_its_web_server():
    with Stack(parts=("sim",)) as s, served(s) as web:
        for part in ("state", "ami-gw", "cti-gw"):
            s.start(part)
        s.wait_ready()
        s.client("alice").close()
        web.stop()
        for part in ("state", "cti-gw"):
            assert s.programs[part].terminate() == 0
            s.start(part)
            s.programs[part].says("its last good copy")
        s.wait_ready()
        until(lambda: "capas" in str(try_login(s)), "a login after the restart")
        for program in s.programs.values():
            assert not program.logged("secret")
        checked = subprocess.run([BIN / "ctibus-state", "--config", s.config, "--healthcheck"], timeout=30)
        assert checked.returncode == 0


def test_without_server_and_copy_the_service_ends_so_that_it_is_started_again():
    with Stack(parts=()) as s, served(s) as web:
        web.stop()
        ran = subprocess.run([BIN / "ctibus-state", "--config", s.config], capture_output=True, text=True, timeout=60)
        assert ran.returncode == 1
        assert "cannot be fetched: " in ran.stderr and "secret" not in ran.stderr


def test_what_is_wrong_does_not_replace_the_copy():
    with Stack(parts=()) as s, served(s) as web:
        s.start("state")
        s.wait_ready()
        assert s.programs["state"].terminate() == 0
        web.lists["/configuration"]["ctibus"]["busses"] = {}
        s.start("state")
        s.programs["state"].says("what came is wrong; its last good copy")
        s.wait_ready()


def test_webi_has_it_fetched_again():
    with Stack(parts=()) as s, served(s) as web:
        s.start("state")
        s.wait_ready()
        state = s.programs["state"]
        web.lists["/configuration"]["ctibus"]["session_grace_seconds"] = 9
        assert webi(s, "xivo[cticonfig,update]\n") == ["XIVO-WEBI:OK"]
        state.says("reload: ctibus.session_grace_seconds has changed")
        state.says("configuration reloaded")
        web.lists["/configuration"]["ctibus"]["session_grace_seconds"] = -1
        assert webi(s, "xivo[cticonfig,update]\n") == ["XIVO-WEBI:OK"]
        state.says("the configuration stays as it was")
        web.stop()
        assert webi(s, "xivo[cticonfig,update]\n") == ["XIVO-WEBI:OK"]
        state.says("it stays as it was, tried again")
        assert s.is_ready("state")


def test_a_slow_web_server_does_not_hold_up_the_service():
    with Stack(parts=()) as s, served(s) as web:
        s.start("state")
        s.wait_ready()
        web.stop()
        with socket.create_server(("127.0.0.1", web.port)) as silent:
            assert webi(s, "xivo[cticonfig,update]\n") == ["XIVO-WEBI:OK"]
            asked = silent.accept()[0]  # and not answered
            for _ in range(3):
                assert s.is_ready("state")
            asked.close()
        s.programs["state"].says("cannot be fetched")


def test_outgoing_routes_are_a_list():
    route = {"id": 3, "name": "national", "context": "to-extern", "externprefix": "0", "stripnum": 1}
    with Stack(parts=(), config={"ipbxes.xivo.urllists.urllist_outcalls": ["file:outcalls.json"]}) as s:
        s.path("outcalls.json").write_text(json.dumps([route]))
        for part in ("state", "cti-gw"):
            s.start(part)
        s.wait_ready()
        c = s.client("alice")
        assert c.ask("getlist", function="listid", listname="outcalls", tipbxid="xivo")["list"] == ["3"]
        config = c.ask("getlist", function="updateconfig", listname="outcalls", tipbxid="xivo", tid="3")["config"]
        assert {k: config[k] for k in ("name", "context", "externprefix")} == {
            k: route[k] for k in ("name", "context", "externprefix")}
        s.path("outcalls.json").write_text("[]")
        assert webi(s, "xivo[outcalllist,update]\n") == ["XIVO-WEBI:OK"]
        c.wait(lambda: any(m["function"] == "delconfig" and m["listname"] == "outcalls" for m in c.seen), "delconfig")


def test_a_room_with_a_pin_needs_it():
    rooms = [{"id": n, "confno": f"400{n}", "name": "r", "context": "default", **more} for n, more in enumerate(
        ({"pin": "1234"}, {"pin": ""}, {"pin": None}, {}, {"pin": "1", "pin_needed": False}, {"pin": 0}))]
    with Stack(parts=()) as s:
        s.path("meetmes.json").write_text(json.dumps(rooms))
        s.start("state")
        s.wait_ready()
        found = s.snapshot("meetmes")
        assert [bool(r["pin_needed"]) for r in found] == [True, False, False, False, False, True]
        assert "1234" not in str(found)
