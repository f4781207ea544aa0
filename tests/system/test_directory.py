"""Directories, as a client looks people up in them."""

import http.server
import signal
import subprocess
import threading
import urllib.parse

import pytest
from stack import BIN, Stack, until


@pytest.fixture
def web():
    """A web server that answers in CSV and keeps what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))
            body = "who;tel\nWebb;5551\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.asked = asked
    yield server
    server.shutdown()
    server.server_close()


def look_up(client, pattern):
    m = client.ask("directory", pattern=pattern)
    assert m["class"] == "directory" and m["status"] == "ok", m
    assert all(row.count(";") == len(m["headers"]) - 1 for row in m["resultlist"])
    return m["resultlist"]


def test_colleagues_and_contacts_of_the_small_site():
    with Stack(parts=("state", "cti-gw")) as stack:
        stack.wait_ready()
        c = stack.client("alice")
        assert c.ask("directory", pattern="x")["headers"] == ["Name", "Number", "Company", "Source"]
        assert look_up(c, "EMILE") == ["Émile Dubois;+33123456789;Boulangerie Dubois;Contacts"]
        assert [row.split(";")[0] for row in look_up(c, "lefevre")] == ["Carole Lefèvre"]
        assert look_up(c, "nobody at all") == []
        everybody = look_up(c, "")
        assert len(everybody) > 5 and everybody == look_up(c, " ")
        m = c.ask("directory")
        assert "resultlist" not in m and "error_string" in m


def test_a_file_that_changes_is_read_at_a_reload():
    with Stack(parts=("state", "cti-gw")) as stack:
        stack.wait_ready()
        c = stack.client("alice")
        stack.path("contacts.csv").write_bytes("name,lastname\nNoël,Noël\n".encode("latin-1"))
        stack.programs["state"].process.send_signal(signal.SIGHUP)
        until(lambda: look_up(c, "noel") == ["Noël;;;Contacts"], "the new file is read")


def test_web_servers_are_asked_while_others_answer(web):
    uri = f"http://127.0.0.1:{web.server_port}/people?key=1"
    with Stack(parts=("state", "cti-gw"), config={
            "directories.web": {"uri": uri, "delimiter": ";", "match_direct": ["who"],
                                "field_fullname": ["who"], "field_phone": ["tel"]},
            "contexts.default.directories": ["web", "contacts"]}) as stack:
        stack.wait_ready()
        c = stack.client("alice")
        assert look_up(c, "dubois é&") == ["Webb;5551;;web"]
        assert web.asked == [{"key": ["1"], "who": ["dubois é&"]}]
        web.shutdown()
        web.server_close()
        assert [row.split(";")[0] for row in look_up(c, "dubois")] == ["Émile Dubois"]
        until(lambda: stack.programs["state"].logged("directory web: "), "the log says so")


def test_a_context_without_directories_is_undefined():
    with Stack(parts=("state", "cti-gw"), config={"contexts": {"elsewhere": {}}}) as stack:
        stack.wait_ready()
        m = stack.client("alice").ask("directory", pattern="a")
        assert (m["status"], m["reason"]) == ("ko", "undefined_context")
        assert "resultlist" not in m


def check(**config):
    with Stack(parts=(), config=config) as stack:
        r = subprocess.run([BIN / "ctibus-state", "--config", stack.path("ctibus.json"), "--check"],
                           stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        return r.returncode, r.stderr


def test_what_refers_to_nothing_is_refused():
    code, said = check(**{"contexts.default.directories": ["internal", "none"]})
    assert code == 2
    assert 'ctibus.json: contexts.default.directories: there is no "none" in directories' in said


def test_what_will_find_nothing_is_told():
    code, said = check(**{"directories.old": {"uri": "ldap://h/dc=x"}, "directories.contacts.uri": "file:gone.csv"})
    assert code == 0
    assert "ctibus.json: directories.old.uri: LDAP is not supported" in said
    assert "ctibus.json: directories.contacts.uri: cannot read " in said
