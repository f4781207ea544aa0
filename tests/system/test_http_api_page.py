"""docs/http-api.md: its examples, run as they stand on the page, with the addresses of a test; and the programs of docs/examples."""

import http.client
import json
import re
import shutil
import ssl
import subprocess
import time

import pytest

from api import Api, make_token
from openapi import Document
from stack import BIN, ROOT, TIMEOUT, Program, Stack, free_port, until

PAGE = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def block(language, part):
    return next(b for b in blocks(language) if part in b)


@pytest.fixture(name="port", scope="module")
def fixture_port():
    return free_port()


@pytest.fixture(name="receiver", scope="module")
def fixture_receiver(port):
    """From the start: one that was away is tried again after up to five minutes."""
    receiver = Program(["/usr/bin/python3", EXAMPLES / "webhook_receiver.py", str(port), "a long random text"])
    yield receiver
    receiver.kill()


@pytest.fixture(name="stack", scope="module")
def fixture_stack(port, receiver):  # pylint: disable=unused-argument
    with Stack(office=("--rate", "0", "--office-answer", "1"), parts=("sim", "state", "ami-gw", "cti-gw", "http-gw"), config={
            "ctibus.webhook_hosts": ["127.0.0.1"],
            "ctibus.webhooks": {"crm": {"url": f"http://127.0.0.1:{port}/", "events": "call.*", "secret": "a long random text"}}}) as s:
        s.wait_ready()
        yield s


@pytest.fixture(name="token", scope="module")
def fixture_token(stack):
    return make_token(stack, "alice", "read", "calls")


@pytest.fixture(name="api")
def fixture_api(stack, token):
    api = Api(stack.programs["http-gw"].api, token)
    yield api
    hang_up(api)
    api.close()


def hang_up(api):
    def over():
        calls = list(api.all("calls"))
        for call in calls:
            api.post(f"/v1/calls/xivo/{call}/hangup")
        return not calls
    until(over, "calls are over")


def at(stack, text):
    return text.replace("127.0.0.1:5088", f"127.0.0.1:{stack.programs['http-gw'].api}").replace(
        "ctibus token", f"{BIN}/ctibus --config {stack.path('ctibus.json')} token")


def shell(script):
    done = subprocess.run(["/bin/sh", "-e", "-c", script], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done
    return done.stdout


def test_the_first_three_lines(stack, api):
    out = shell(at(stack, block("sh", "token create")).replace("curl ", "curl -sS "))
    users, dialled = (json.loads(part) for part in re.findall(r"\{.*?\}(?=\{|$)", out.replace("\n", ""), re.S))
    assert [u["fullname"] for u in users["items"]][0] == "Alice Martin" and len(users["items"]) == 2 and users["next"]
    assert dialled["autocall"]
    until(lambda: any(c["called_number"] == "1002" for c in api.all("calls").values()), "it is dialled")


def test_listening_with_curl(stack, token):
    script = f"TOKEN={token}\n" + at(stack, block("sh", "/v1/events")).replace("curl ", "timeout 3 curl -sS ") + "|| test $? = 124"
    out = shell(script.replace("\n||", " ||"))
    assert out.startswith("retry: 2000\n\n") and "event: live\ndata: {}\n" in out


def test_tokens(stack):
    lines = [line.strip() for line in PAGE.splitlines() if line.startswith("    ctibus token ")]
    assert [line.split()[2] for line in lines] == ["create", "list", "revoke"]
    assert shell(at(stack, lines[0])).startswith("ctb_")
    row = next(line for line in shell(at(stack, lines[1])).splitlines() if "door bell" in line)
    number = next(word for word in row.split() if re.fullmatch("[0-9a-f]{12}", word))
    assert shell(at(stack, lines[2].replace("3f9a61c0d2ab", number))) == "1 token revoked\n"


def test_what_is_printed_is_true(api):
    assert json.loads(block("json", "about:blank")) == api.ask("GET", "/v1/users/xivo/999").json
    document = Document()
    codes = set(re.findall(r"`([a-z_]+)`", "".join(line.split("|")[2] for line in PAGE.splitlines() if re.match(r"\| [45]\d\d \|", line))))
    assert {"not_found", "too_many_requests", "busy", "missing_scope"} <= codes
    statuses = {line[2:5] for line in PAGE.splitlines() if re.match(r"\| [45]\d\d \|", line)}
    assert statuses == document.tree["components"]["responses"].keys() | {"405"}


def check_of(hooks, **more):
    with Stack(parts=(), config={"ctibus.webhooks": hooks, **more}) as s:
        return subprocess.run([BIN / "ctibus-http-gw", "--config", s.path("ctibus.json"), "--check"], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)


def test_the_webhooks_of_the_page(stack):
    found = {}
    for text in blocks("json"):
        if '"url"' in text:
            tree = json.loads("{" + text + "}")
            found |= tree.get("ctibus", {}).get("webhooks", tree)
    assert found.keys() == {"crm", "zammad", "missed"}
    done = check_of(found)
    assert done.returncode == 0, done.stderr
    row = next(line for line in PAGE.splitlines() if line.startswith("| `filter` |"))
    filters = json.loads(re.search(r"`(\{.*\})`", row)[1])
    assert check_of({"crm": {"url": "https://crm.example.com/", "filter": filters}}).returncode == 0
    hosts = json.loads(re.search(r"`ctibus.webhook_hosts`: `(\[.*?\])`", PAGE)[1])
    assert check_of({"crm": {"url": "http://crm.intranet/"}}, **{"ctibus.webhook_hosts": hosts}).returncode == 0
    command = [BIN / "ctibus", "--config", stack.path("ctibus.json"), "webhooks"]
    until(lambda: "crm" in subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout, "one of them sends")


def test_the_receiver(receiver, api):
    before = {text: receiver.count(text) for text in ("call.started", "call.ringing 1001", "call.ended 1001")}
    api.post("/v1/calls", {"to": "1002"})
    until(lambda: receiver.count("call.ringing 1001") > before["call.ringing 1001"], "it has arrived")
    hang_up(api)
    until(lambda: all(receiver.count(text) > n for text, n in before.items()), "and the beginning and the end")


def test_the_signature():
    text = block("python", "def is_genuine")
    assert text.split("\n\n\n", 1)[1] in (EXAMPLES / "webhook_receiver.py").read_text(encoding="utf-8"), "the page prints it"
    names = {}
    exec(text, names)  # pylint: disable=exec-used
    header = "t=1700000000,v1=" + names["hmac"].new(b"s", b"1700000000.{}", "sha256").hexdigest()
    assert names["is_genuine"](b"s", header, b"{}", 1700000100)
    assert not names["is_genuine"](b"s", header, b"{ }", 1700000100) and not names["is_genuine"](b"s", header, b"{}", 1700000400)


def test_the_listener(stack, token, api):
    listener = Program(["/usr/bin/python3", EXAMPLES / "events.py", f"http://127.0.0.1:{stack.programs['http-gw'].api}", token])
    try:
        until(lambda: listener.logged("live"), "it listens")
        api.post("/v1/calls", {"to": "1002"})
        until(lambda: listener.logged("call.ringing 1001 1002"), "it hears the call")
    finally:
        listener.kill()


@pytest.mark.skipif(not shutil.which("haproxy", path="/usr/sbin:/usr/bin:/sbin:/bin"), reason="haproxy is not installed")
def test_behind_haproxy(stack, token, tmp_path):
    """The configuration of the page: requests, and events at once."""
    port = free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                    "-days", "2", "-keyout", tmp_path / "key", "-out", tmp_path / "crt"], check=True, capture_output=True)
    (tmp_path / "api.pem").write_text((tmp_path / "crt").read_text() + (tmp_path / "key").read_text())
    gateway = stack.programs["http-gw"]
    text = block("haproxy", "frontend api")
    for ours, theirs in ((":5443", f"127.0.0.1:{port}"), ("/etc/haproxy/api.pem", str(tmp_path / "api.pem")),
                         ("127.0.0.1:5088 check port 9106", f"127.0.0.1:{gateway.api} check port {gateway.http}")):
        assert ours in text
        text = text.replace(ours, theirs)
    (tmp_path / "haproxy.cfg").write_text(text)
    proxy = Program([shutil.which("haproxy", path="/usr/sbin:/usr/bin:/sbin:/bin"), "-db", "-f", tmp_path / "haproxy.cfg"])
    context = ssl._create_unverified_context()  # pylint: disable=protected-access
    try:
        api = Api(port, token)
        api.connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT, context=context)
        until(lambda: not _refused(api), "it listens")
        assert api.get("/v1/users/xivo/1")["fullname"] == "Alice Martin"
        api.connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {token}"})
        response = api.connection.getresponse()
        since = time.monotonic()
        while response.readline() != b"event: live\n":
            assert time.monotonic() - since < 5
    finally:
        proxy.kill()


def _refused(api):
    try:
        return api.ask("GET", "/v1").status != 200
    except OSError:
        api.close()
        return True
