"""Webhooks of http-gw: what a receiver is sent, again and again until it takes it."""

import hashlib
import hmac
import json
import subprocess
import time

import pytest

from api import Api, answered, make_token
from receiver import Receiver
from stack import BIN, TIMEOUT, Stack, free_port, until

PARTS = ("sim", "state", "ami-gw", "http-gw")


@pytest.fixture(name="receiver")
def fixture_receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def site(webhooks, **more):
    return Stack(office=("--rate", "0", "--office-answer", "1"), parts=PARTS, config={
        "ctibus.webhooks": webhooks, "ctibus.webhook_hosts": ["127.0.0.1"],
        "ctibus.api": {"listen": "127.0.0.1:0", "requests_per_second": 0}, **more})


def a_call(stack, ends=True):
    """Alice calls bob, who answers; its id."""
    api = Api(stack.programs["http-gw"].api, make_token(stack))
    autocall = api.post("/v1/calls", {"to": "1002"}).json["autocall"]

    def up():
        return answered(api.all("channels").values(), api.all("calls").values(), autocall)
    call = until(up, "answered")[0]
    if ends:
        assert api.post(f"/v1/calls/xivo/{call}/hangup").status == 204
    api.close()
    return call


def ctibus(stack, *args):
    return subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), *args], capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)


WHOLE = ["call.started", "call.ringing", "call.answered", "call.ended"]


def names(receiver, call):
    return [e["event"] for e in receiver.events(call)]


def test_a_call_is_told(receiver):
    with site({"crm": {"url": f"http://127.0.0.1:{receiver.port}/calls", "secret": "s3cret"}}) as stack:
        stack.wait_ready()
        call = a_call(stack)
        until(lambda: names(receiver, call) == WHOLE, lambda: names(receiver, call))
        post = receiver.posts[0]
        fields = dict(f.split("=") for f in post.headers["Ctibus-Signature"].split(","))
        signed = f"{fields['t']}.".encode() + post.body
        assert hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest() == fields["v1"] and abs(int(fields["t"]) - time.time()) < 60
        event = json.loads(post.body)
        assert post.path == "/calls" and post.headers["Content-Type"] == "application/json"
        assert post.headers["Ctibus-Event"] == event["event"] == "call.started" and post.headers["Ctibus-Id"] == event["id"]
        assert event["call"]["caller_number"] == "1001" and event["ipbx"] == "xivo"
        assert len({e["id"] for e in receiver.events()}) == len(receiver.posts), "none comes twice"
        until(lambda: stack.metric("http-gw", "ctibus_api_webhook_waiting") == 0, "nothing waits")


def test_filters_forms_and_texts(receiver):
    at = f"http://127.0.0.1:{receiver.port}"
    with site({"all": {"url": f"{at}/form", "template": "form", "events": "call.answered"},
               "none": {"url": f"{at}/none", "filter": {"call.direction": "in"}},
               "some": {"url": f"{at}/some", "events": "call.ended", "filter": {"call.direction": ["in", "internal"]},
                        "body": '{"text": "{{call.caller_name}} \\" {{ call.called_number }}{{nothing}}"}'},
               "zammad": {"url": f"{at}/zammad", "template": "zammad"}}) as stack:
        stack.wait_ready()
        a_call(stack)

        def by_path(path):
            return [p for p in receiver.posts if p.path == path]
        until(lambda: len(by_path("/zammad")) == 3 and by_path("/form") and by_path("/some"), lambda: receiver.posts)
        form = by_path("/form")[0]
        assert form.headers["Content-Type"] == "application/x-www-form-urlencoded" and b"call.caller_name=Alice%20Martin" in form.body
        assert [p.body for p in by_path("/some")] == [b'{"text": "Alice Martin \\" 1002"}'.replace(b'\\"', b'"', 0)]
        assert not by_path("/none")
        words = [json.loads(p.body) for p in by_path("/zammad")]
        assert [w["event"] for w in words] == ["newCall", "answer", "hangup"] and len({w["callId"] for w in words}) == 1
        assert words[0]["from"] == "1001" and words[0]["to"] == "1002" and words[0]["direction"] == "in" and words[2]["cause"] == "normalClearing"


def test_a_receiver_that_is_down():
    """Nothing is lost, and what is of one call comes in its order."""
    port = free_port()
    with site({"crm": {"url": f"http://127.0.0.1:{port}/"}}) as stack:
        stack.wait_ready()
        calls = [a_call(stack) for _ in range(3)]
        until(lambda: stack.programs["http-gw"].logged("webhook crm:"), "it is told")
        receiver = Receiver(port)
        for call in calls:
            until(lambda: names(receiver, call) == WHOLE, lambda: names(receiver, call))
        assert len(receiver.posts) == 12
        receiver.close()


def test_one_post_that_is_refused():
    """Its call waits; others do not."""
    bad = {}

    def answer(post):
        event = json.loads(post.body)
        bad.setdefault("call", event["call"]["id"])
        bad["n"] = bad.get("n", 0) + 1
        return 500 if event["call"]["id"] == bad["call"] and event["event"] == "call.ringing" and not bad.get("mended") else 200
    receiver = Receiver(answer=answer)
    with site({"crm": {"url": f"http://127.0.0.1:{receiver.port}/"}}) as stack:
        stack.wait_ready()
        calls = {a_call(stack), a_call(stack)}
        # the one that is posted first: both at once, if http-gw was told to send when both were over
        refused = until(lambda: bad.get("call"), "something is posted")
        other = (calls - {refused}).pop()
        until(lambda: names(receiver, other) == WHOLE, "the other call is told")
        assert refused in calls and names(receiver, refused) == ["call.started"]
        bad["mended"] = True
        until(lambda: names(receiver, refused) == WHOLE, lambda: names(receiver, refused))
    receiver.close()


def test_http_gw_is_killed():
    """What was not sent is sent afterwards, and what has become of calls meanwhile is told."""
    port = free_port()
    with site({"crm": {"url": f"http://127.0.0.1:{port}/"}}) as stack:
        stack.wait_ready()
        ended = a_call(stack)
        going_on = a_call(stack, ends=False)
        until(lambda: stack.metric("http-gw", "ctibus_api_webhook_waiting") == 7, "all are queued")
        channel = next(c["participants"][0] for c in stack.snapshot("calls") if c["id"] == going_on)
        stack.kill("http-gw")
        assert ctibus(stack, "action", "Hangup", f"Channel={channel}").returncode == 0
        until(lambda: not stack.snapshot("calls"), "it is over while nobody looks")
        receiver = Receiver(port)
        stack.start("http-gw")
        stack.wait_ready("http-gw")
        for call in (ended, going_on):
            until(lambda: names(receiver, call) == WHOLE, lambda: names(receiver, call))
        receiver.close()


def test_state_is_killed(receiver):
    with site({"crm": {"url": f"http://127.0.0.1:{receiver.port}/"}}) as stack:
        stack.wait_ready()
        call = a_call(stack, ends=False)
        until(lambda: names(receiver, call) == WHOLE[:3], lambda: names(receiver, call))
        stack.kill("state")
        stack.start("state")
        stack.wait_ready()
        api = Api(stack.programs["http-gw"].api, make_token(stack))
        until(lambda: api.post(f"/v1/calls/xivo/{call}/hangup").status == 204, "hung up")
        until(lambda: names(receiver, call) == WHOLE, lambda: names(receiver, call))


def test_another_takes_over(receiver):
    with site({"crm": {"url": f"http://127.0.0.1:{receiver.port}/"}}) as stack:
        stack.wait_ready()
        stack.set("ctibus.webhook_queue", {"path": "second.db"})
        stack.start("http-gw2")
        stack.wait_ready("http-gw2")
        first = a_call(stack)
        until(lambda: names(receiver, first) == WHOLE, lambda: names(receiver, first))
        until(lambda: stack.metric("http-gw", "ctibus_api_webhook_waiting") == 0, "nothing waits")
        stack.kill("http-gw")
        stack.programs["http-gw"] = stack.programs["http-gw2"]
        second = a_call(stack)
        until(lambda: names(receiver, second) == WHOLE, lambda: names(receiver, second), 30)
        assert len({e["id"] for e in receiver.events()}) == 8, "what comes twice has the same id"
        stack.programs.pop("http-gw2")


def test_dead_letters():
    receiver = Receiver(answer=lambda post: 404)
    with site({"crm": {"url": f"http://127.0.0.1:{receiver.port}/", "events": "call.ended"}}) as stack:
        stack.wait_ready()
        a_call(stack)
        until(lambda: stack.programs["http-gw"].logged("it answers with status 404"), "it fails")
        rows = [json.loads(line) for line in ctibus(stack, "--json", "webhooks").stdout.splitlines()]
        assert rows[0]["name"] == "crm" and rows[0]["waiting"] == 1 and "404" in rows[0]["why"]
        stack.set("ctibus.webhooks", {"other": {"url": f"http://127.0.0.1:{receiver.port}/"}})
        stack.programs["http-gw"].process.send_signal(1)
        until(lambda: stack.metric("http-gw", "ctibus_api_webhook_dead") == 1, "its webhook is gone: a dead letter")
        stack.set("ctibus.webhooks", {"crm": {"url": f"http://127.0.0.1:{receiver.port}/", "events": "call.ended"}})
        stack.programs["http-gw"].process.send_signal(1)
        until(lambda: "crm" in ctibus(stack, "webhooks").stdout, "it is back")
        letter = json.loads(ctibus(stack, "--json", "webhooks", "dead").stdout.splitlines()[0])
        assert letter["webhook"] == "crm" and letter["name"] == "call.ended"
        receiver.answer = lambda post: 200
        assert "1 " in ctibus(stack, "webhooks", "resend", str(letter["id"])).stdout
        until(lambda: len(receiver.posts) == 1, "it has arrived")
        assert stack.metric("http-gw", "ctibus_api_webhook_dead") == 0
        assert ctibus(stack, "webhooks", "dead").stdout.count("\n") == 1
    receiver.close()


def test_redirects_and_private_addresses():
    """A server that answers for a public name must not make us ask what only this machine reaches."""
    receiver = Receiver(answer=lambda post: 302)
    with site({"crm": {"url": f"http://127.0.0.1:{receiver.port}/", "events": "call.ended"},
               "evil": {"url": f"https://localhost:{receiver.port}/", "events": "call.ended"}}) as stack:
        stack.wait_ready()
        a_call(stack)
        until(lambda: stack.programs["http-gw"].logged("webhook crm: it answers with status 302"), "no redirect is followed")
        until(lambda: stack.programs["http-gw"].logged("webhook evil: its address is private"), "localhost is not in webhook_hosts")
    receiver.close()


@pytest.mark.parametrize("hook,says", [
    ({"url": "ftp://x/"}, "is no https: URL"), ({"url": "http://example.com/"}, "is not https: and its host is not in ctibus.webhook_hosts"),
    ({"url": "https://user:password@example.com/"}, "has a user in it"), ({"url": "https://example.com/", "events": "call.nothing"}, "there is no event"),
    ({"url": "https://example.com/", "body": "{{call.id"}, "a {{ has no }} behind it"), ({}, "url")])
def test_what_check_says(hook, says):
    with Stack(parts=(), config={"ctibus.webhooks": {"crm": hook}}) as stack:
        done = subprocess.run([BIN / "ctibus-http-gw", "--config", stack.path("ctibus.json"), "--check"], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False)
        assert done.returncode == 2 and says in done.stderr, done
