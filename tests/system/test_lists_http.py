"""Lists of the configuration that come over HTTP, as XiVO's web interface serves them."""

import contextlib
import http.server
import json
import signal
import subprocess
import threading

import pytest
from stack import BIN, ROOT, Stack, free_port, until


class Lists:
    """A web server whose lists can be changed, and which can be stopped and started at its port."""

    def __init__(self):
        self.port = free_port()
        self.lists = {}
        self.answers = []  # status of each, in order
        self.server = None

    def start(self):
        lists = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(lists.lists.get(self.path)).encode()
                etag = f'"{hash(body)}"'
                status = 304 if self.headers["If-None-Match"] == etag else 200
                self.send_response(status if self.path in lists.lists else 404)
                self.send_header("ETag", etag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if status == 200:
                    self.wfile.write(body)
                lists.answers.append(status)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def lists():
    server = Lists().start()
    server.lists["/users"] = json.loads((ROOT / "config" / "demo" / "users.json").read_text())
    yield server
    with contextlib.suppress(OSError):
        server.stop()


def stack_with(lists, **more):
    return Stack(parts=("state", "cti-gw"), config={
        "ipbxes.xivo.urllists.urllist_users": [f"http://127.0.0.1:{lists.port}/users"],
        "ctibus.lists_cache": "copies", **more})


def reload(stack):
    stack.programs["state"].process.send_signal(signal.SIGHUP)


def read_lists(stack):
    return stack.metric("state", "ctibus_state_lists_fetched_total")


def test_a_user_who_is_added_appears_to_clients(lists):
    with stack_with(lists) as stack:
        stack.wait_ready()
        until(lambda: read_lists(stack) == 1, "the list is fetched")
        c = stack.client("alice").load()
        reload(stack)
        until(lambda: read_lists(stack) == 2, "the list is asked for again")
        assert lists.answers == [200, 304]
        lists.lists["/users"].append({"id": "77", "firstname": "New", "loginclient": "new",
                                      "passwdclient": "new", "enableclient": 1,
                                      "profileclient": "client"})
        reload(stack)
        c.wait(lambda: any(m["function"] == "addconfig" and m["listname"] == "users" and m["list"] == ["77"]
                           for m in c.seen), "addconfig of the new user")
        assert not [m for m in c.seen if m["function"] in ("addconfig", "delconfig") and m["list"] != ["77"]]
        stack.client("new")


def test_all_goes_on_without_the_web_server(lists):
    with stack_with(lists) as stack:
        stack.wait_ready()
        until(lambda: read_lists(stack) == 1, "the list is fetched")
        lists.stop()
        reload(stack)
        until(lambda: stack.metric("state", "ctibus_state_lists_failed_total") > 0, "the failure is noticed")
        assert stack.is_ready("state")
        stack.client("alice").close()
        until(lambda: stack.programs["state"].logged("what is known of it stays"), "the log says so")
        assert stack.programs["state"].terminate() == 0
        stack.start("state")  # from the copy on disk
        stack.wait_ready()
        assert stack.metric("state", "ctibus_state_lists_unread") == 0
        until(lambda: "capas" in str(try_login(stack)), "a login after the restart")


def try_login(stack):
    """None while the gateway has not found the new state yet."""
    with contextlib.suppress(AssertionError, KeyError, OSError):
        c = stack.connect()
        return c.login("alice", "alice")
    return None


def test_state_is_ready_before_its_lists_are_there(lists):
    lists.stop()
    with stack_with(lists) as stack:
        stack.wait_ready("state")
        assert stack.metric("state", "ctibus_state_lists_unread") == 1
        lists.start()
        reload(stack)
        until(lambda: stack.metric("state", "ctibus_state_lists_unread") == 0, "the list is fetched")
        stack.wait_ready()
        stack.client("alice").close()


@pytest.mark.parametrize("uri,reason", [
    ("ftp://u:secret@h/users", "ftp: is none of file:, http:, https:, csv: and asterisk:"),
    ("http://u:secret@:80/users", "an http: or https: URI has no host")])
def test_what_cannot_be_fetched_is_refused(uri, reason):
    with Stack(parts=(), config={"ipbxes.xivo.urllists.urllist_users": [uri]}) as stack:
        r = subprocess.run([BIN / "ctibus-state", "--config", stack.path("ctibus.json"), "--check"],
                           stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        assert r.returncode == 2
        assert f"ctibus.json: ipbxes.xivo.urllists.urllist_users: {reason}" in r.stderr
        assert "secret" not in r.stderr
