"""federation: two and three sites on one machine; what they see of each other, ask of each other, and what fails."""

import contextlib
import hashlib
import json
import signal
import socket
import subprocess
import threading
import time

import msgpack
import pytest
import zmq
import zmq.auth

from recording import Player, Recording, write_lists
from sites import Site, pair, sites
from stack import BIN, DATA, ROOT, Client, Context, signal_of, until

XIVO_LISTS = ("users", "phones", "agents", "queues", "groups")  # those that XiVOs tell each other
LISTS = (*XIVO_LISTS, "channels")


@pytest.fixture(scope="module", name="two")
def two_sites():
    """Paris has an Asterisk with calls, and lets Lyon hang up."""
    paris, lyon = Site("paris", capture="20/02-call-answered.ami"), Site("lyon")
    paris.knows(lyon, profile="client")
    lyon.knows(paris)
    with sites(paris, lyon):
        paris.start("sim")
        paris.run("state", "ami-gw", "federation", "cti-gw")
        lyon.run()
        paris.wait_link("lyon")
        lyon.wait_link("paris")
        yield paris, lyon


def fields_for_sites():
    """list -> the fields that sites tell each other, as the table of the schema says."""
    fields, name = {}, None
    for line in subprocess.run([BIN / "ctibus", "schema"], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.startswith("### `"):
            name = line.split("`")[1]
        cells = [c.strip() for c in line.split("|")]
        if name and len(cells) == 9 and cells[6] == "yes":
            fields.setdefault(name, set()).add(cells[1].strip("`"))
        if line.startswith("## Telephony"):
            break
    return fields


def agree(here, there, moving=(), timeout=30):
    """What `here` knows of `there` is what `there` knows of itself, as far as sites tell each other; but what moves."""
    different, told = [], fields_for_sites()

    def same():
        different.clear()
        for name in LISTS:
            truth, copy = there.objects(there.name, name), here.objects(there.name, name)
            different.extend((name, i, "there or not") for i in set(truth) ^ set(copy))
            different.extend((name, i, k, v, truth[i][k]) for i, mine in copy.items() if i in truth
                             for k, v in mine.items()
                             if k in told[name] and v != truth[i][k] and k not in moving)
        return not different
    try:
        until(same, f"{here.name} knows {there.name} as it is", timeout)
    except AssertionError as e:
        raise AssertionError(f"{e}: {different}") from None


# --- what they see ---

def test_all_objects_are_there(two):
    paris, lyon = two
    agree(paris, lyon)
    agree(lyon, paris, moving=("hintstatus", "channels"))
    assert len(paris.objects("lyon", "users")) == 5 and len(lyon.objects("paris", "queues")) == 4


def test_nothing_secret_crosses(two):
    _, lyon = two
    for user in lyon.objects("paris", "users").values():
        assert user["mobilephonenumber"] is None and user["loginclient"] is None and user["profileclient"] is None
    assert lyon.objects("paris", "voicemails") == {} and lyon.objects("paris", "trunks") == {}


def test_clients_see_it(two):
    """getipbxlist names the other site, getlist reads it, its changes come unasked."""
    paris, lyon = two
    client = lyon.client("alice")
    assert set(client.ask("getipbxlist")["ipbxlist"]) == {"lyon", "paris"}
    assert set(client.ask("getlist", function="listid", listname="users", tipbxid="paris")["list"]) == set("12345")
    config = client.ask("getlist", function="updateconfig", listname="users", tipbxid="paris", tid="2")["config"]
    assert config["fullname"] == "Bob Tremblay" and config["linelist"] == ["12"]
    for status in ("8", "1"):  # bob's phone rings and talks, in Paris
        client.wait(lambda: client.status("phones", "12").get("hintstatus") == status, f"status {status}")
    assert any(m["tipbxid"] == "paris" for m in client.seen)
    client.close()


def test_clients_may_ask_how_a_site_is(two):
    _, lyon = two
    client = lyon.client("alice")
    assert client.ask("getlist", function="listid", listname="ipbx", tipbxid="paris")["list"] == ["paris"]
    status = client.ask("getlist", function="updatestatus", listname="ipbx", tipbxid="paris", tid="paris")["status"]
    assert (status["link"], status["remote"]) == ("up", True) and status["since"] <= time.time()
    status = client.ask("getlist", function="updatestatus", listname="ipbx", tipbxid="lyon", tid="lyon")["status"]
    assert status["remote"] is False
    assert not [m for m in client.seen if m["listname"] == "ipbx"]
    client.close()


def test_people_of_the_other_site_are_found(two):
    """By name and by number, beside the colleague of the same name at home; each with the site that he is of."""
    _, lyon = two
    client = lyon.client("alice")
    found = client.ask("people_search", pattern="bob")["results"]
    assert sorted(r["relations"]["xivo_id"] for r in found) == ["lyon", "paris"], found
    assert {r["relations"]["source_entry_id"] for r in found} == {"2", "paris/2"}
    far = next(r for r in found if r["relations"]["xivo_id"] == "paris")
    client.ask("people_set_favorite", favorite=True, source=far["source"], source_entry_id="paris/2")
    favorites = client.ask("people_favorites")["results"]
    assert [r["relations"]["xivo_id"] for r in favorites] == ["paris"], "the colleague at home is another one"
    client.close()


def test_presence_crosses(two):
    paris, lyon = two
    client = lyon.client("alice")
    bob = paris.client("bob", state="away")
    client.wait(lambda: client.status("users", "2").get("availstate") == "away", "bob is away, in Paris")
    bob.close()
    client.wait(lambda: client.status("users", "2").get("availstate") == "disconnected", "bob is gone")
    client.close()


def test_each_change_is_told_once(two):
    paris, lyon = two
    monitor = lyon.monitor("xod/paris/status/users/3/", "svc/")
    monitor.wait("svc/")

    def seen_as(state):
        until(lambda: lyon.objects("paris", "users")["3"]["availstate"] == state, f"Lyon sees carol as {state}", 20)

    for state in ("away", "outtolunch"):
        carol = paris.client("carol", state=state)
        seen_as(state)
        carol.send("logout", stopper="")
        carol.closed()
        seen_as("disconnected")
    told = []
    while len(told) < 4:
        _, _, body = monitor.wait("xod/")
        if "availstate" in body["fields"]:
            told.append(body["fields"]["availstate"])
    assert told == ["away", "disconnected", "outtolunch", "disconnected"]
    monitor.close()


def test_the_tool_shows_each_peer(two):
    paris, _ = two

    def peers(*options):
        return subprocess.run([BIN / "ctibus", "--config", paris.path("ctibus.json"), *options, "peers"],
                              capture_output=True, text=True, check=True).stdout
    peer = json.loads(peers("--json"))
    assert (peer["site"], peer["kind"], peer["state"], peer["objects"]) == ("lyon", "ctibus", "up", 17)
    assert peer["since"] <= time.time() and peer["bytes"] > 0
    until(lambda: 0 < json.loads(peers("--json"))["lag"] < 1, "the way there and back is measured")
    head, line = peers().splitlines()
    assert head.split()[0] == "SITE" and line.split()[:3] == ["lyon", "ctibus", "up"]


# --- what they ask ---

def test_chat_both_ways(two):
    paris, lyon = two
    alice, bob = lyon.client("alice"), paris.client("bob")
    until(lambda: lyon.objects("paris", "users")["2"]["connection"] == "yes", "bob is seen in Lyon")
    assert "warning_string" not in alice.ask("chitchat", to="paris/2", text="Bonjour é")
    bob.wait(lambda: any(m.get("class") == "chitchat" for m in received(bob)), "the line arrives")
    line = [m for m in received(bob) if m.get("class") == "chitchat"][0]
    assert (line["from"], line["to"], line["text"]) == ("lyon/1", "paris/2", "Bonjour é")
    assert "warning_string" not in bob.ask("chitchat", to="lyon/1", text="Salut")
    alice.wait(lambda: any(m.get("class") == "chitchat" for m in received(alice)), "the answer arrives")
    assert alice.ask("chitchat", to="paris/4", text="x")["warning_string"] == "not_connected"
    assert alice.ask("chitchat", to="paris/99", text="x")["warning_string"] == "not_connected"
    alice.close()
    bob.close()


def received(client):
    """All lines so far; the client of stack.py keeps only those about objects."""
    if not hasattr(client, "all"):
        client.all = []
        take = client.take

        def keep(message):
            client.all.append(message)
            return take(message)
        client.take = keep
    return client.all


def outcome(client, **fields):
    return client.ask("ipbxcommand", **fields)


def ringing_channel(site):
    """A channel of bob's phone, in Paris."""
    def find():
        channels = site.objects("paris", "phones")["12"]["channels"]
        return channels and channels[0]
    return until(find, "bob's phone has a channel")


def test_hanging_up_a_channel_of_the_other_site(two):
    paris, lyon = two
    monitor = paris.monitor("tel/paris/channel/hangup/", "svc/")
    monitor.wait("svc/")
    client = lyon.client("alice")
    channel = ringing_channel(lyon)
    answer = outcome(client, command="hangup", channelids=f"chan:paris/{channel}")
    assert answer["ipbxreply"] == "ok", answer
    until(lambda: channel not in lyon.objects("paris", "phones")["12"]["channels"], "the channel is gone")
    client.close()
    monitor.close()


def test_what_the_other_site_does_not_permit(two):
    """Lyon gives Paris no profile."""
    paris, _ = two
    client = paris.client("alice")
    answer = outcome(client, command="hangup", channelids="chan:lyon/SIP/bob-00000001")
    assert answer["ipbxreply"] == "noaction" and answer["error_string"] == "unallowed"
    answer = outcome(client, command="intercept", tointercept="chan:lyon/SIP/bob-00000001")
    assert answer["error_string"] == "unallowed"
    client.close()


def test_a_channel_that_is_not_there(two):
    _, lyon = two
    client = lyon.client("alice")
    answer = outcome(client, command="hangup", channelids=["chan:paris/SIP/nobody-1"])
    assert answer["error_string"] == "no_such_channel"
    client.close()


def test_intercept(two):
    """The caller goes to the number of the intercepting user, by the dialplan there."""
    paris, lyon = two
    sent = paris.monitor("ami/paris/", "svc/")
    client = lyon.client("carol")
    answer = outcome(client, command="intercept", tointercept=f"chan:paris/{ringing_channel(lyon)}")
    # the simulator's call may be over by then: what counts is that Paris decides
    assert answer["ipbxreply"] == "ok" or answer["error_string"] in ("no_such_channel", "Channel does not exist.")
    client.close()
    sent.close()


@pytest.mark.parametrize("named, offset, moved", [
    ("PJSIP/bob-00000001", 41859, "PJSIP/alice-00000000"),  # rings: the caller is taken
    ("PJSIP/bob-00000001", 51695, "PJSIP/bob-00000001"),  # talks: the one that is named is taken, as at home
    ("PJSIP/alice-00000000", 51695, "PJSIP/alice-00000000")])
def test_intercept_takes_the_one_that_is_named(named, offset, moved):
    paris, lyon = Site("paris"), Site("lyon")
    write_lists(paris.path("."), paris.site)
    paris.knows(lyon, profile="client")
    lyon.knows(paris)
    player = Player(Recording(DATA / "23" / "02-call-answered.ami"), paris.ports["ami"])
    with sites(paris, lyon), contextlib.closing(player):
        paris.run("state", "ami-gw", "federation", "cti-gw")
        lyon.run()
        lyon.wait_link("paris")
        paris.wait_ready("ami-gw")
        player.play(offset)
        status = "ringing" if offset == 41859 else "linked-called"
        until(lambda: paris.objects("paris", "channels").get("PJSIP/bob-00000001", {}).get("commstatus") == status, status)
        until(lambda: named in sum((p["channels"] for p in lyon.objects("paris", "phones").values()), []), "Lyon knows it")
        client = lyon.client("carol")
        client.send("ipbxcommand", command="intercept", tointercept=f"chan:paris/{named}")
        until(lambda: player.sent("Redirect"), "redirected")
        assert [(a["Channel"], a["Exten"], a["Context"]) for a in player.sent("Redirect")] == [(moved, "1003", "default")]
        client.close()


def test_calling_a_user_of_the_other_site(two):
    """The number of the phone there, from the context of the phone here."""
    paris, lyon = two
    client = paris.client("alice")
    answer = outcome(client, command="dial", destination="user:lyon/3")
    assert answer["ipbxreply"] == "ok", answer
    answer = outcome(client, command="dial", destination="user:lyon/99")
    assert answer["ipbxreply"] != "ok"
    client.close()


@pytest.mark.parametrize("command, fields, error", [
    ("queueadd", {"queue": "queue:lyon/1", "member": "agent:special:me"}, "no_such_queue"),
    ("queuepause", {"queue": "queue:lyon/1", "member": "agent:lyon/1"}, "no_such_member"),
    ("record", {"subcommand": "start", "channel": "chan:lyon/SIP/bob-1"}, "no_such_channel"),
    ("listen", {"subcommand": "start", "destination": "agent:lyon/1"}, "no_such_agent"),
    ("agentlogin", {"agentids": "agent:lyon/1", "agentphonenumber": "1001"}, "no_such_agent"),
])
def test_no_other_command_touches_another_site(two, command, fields, error):
    """A queue of Lyon is not the queue of that name in Paris."""
    paris, _ = two
    client = paris.client("alice")
    answer = outcome(client, command=command, **fields)
    assert answer.get("ipbxreply") != "ok" and answer["error_string"] == error, answer
    client.close()


def test_a_link_that_breaks_keeps_what_is_known():
    with sites(*pair()) as (paris, lyon):
        paris.run()
        lyon.run()
        paris.wait_link("lyon")
        until(lambda: len(paris.objects("lyon", "users")) == 5, "its users are known")
        lyon.kill("federation")
        paris.wait_link("lyon", "down")
        assert len(paris.objects("lyon", "users")) == 5
        client = paris.client("alice")
        assert client.ask("chitchat", to="lyon/2", text="x")["warning_string"] == "not_connected"
        assert outcome(client, command="hangup", channelids="chan:lyon/SIP/bob-1")["error_string"] == "noconn"
        users = [u for u in json.loads(lyon.path("users.json").read_text()) if u["id"] != "4"]
        users[0]["lastname"] = "Dupont"
        lyon.path("users.json").write_text(json.dumps(users))
        signal_of(lyon.programs["state"], signal.SIGHUP)
        lyon.start("federation")
        paris.wait_link("lyon")
        until(lambda: "4" not in paris.objects("lyon", "users") and
              paris.objects("lyon", "users")["1"]["lastname"] == "Dupont", "only the differences are told")
        client.wait(lambda: client.status("users", "1").get("lastname") == "Dupont", "the client is told")
        told = [m for m in client.seen if m["function"] == "updateconfig" and m["listname"] == "users" and m["tipbxid"] == "lyon"]
        assert len(told) == 1, told
        client.close()


@pytest.mark.parametrize("part", ["state", "federation"])
@pytest.mark.parametrize("which", [0, 1])
def test_restarts(part, which):
    with sites(*pair()) as both:
        for site in both:
            site.run()
        for site, other in (both, both[::-1]):
            site.wait_link(other.name)
        both[which].kill(part)
        both[which].start(part)
        both[which].wait_ready(part, "federation")
        for site, other in (both, both[::-1]):
            site.wait_link(other.name)
            agree(site, other)


def test_three_sites_know_each_other_once():
    """A triangle: nothing that came from a third is passed on."""
    three = [Site(name) for name in ("paris", "lyon", "nantes")]
    for site in three:
        for other in three:
            if other is not site:
                site.knows(other)
    with sites(*three):
        for site in three:
            site.run()
        for site in three:
            for other in three:
                if other is not site:
                    site.wait_link(other.name)
                    agree(site, other)
            assert {o["ipbx"] for o in site.snapshot("users")} == {"paris", "lyon", "nantes"}
            assert len(site.snapshot("users")) == 15


def test_a_wrong_key_gets_nothing():
    paris, lyon, other = Site("paris"), Site("lyon"), Site("other")
    paris.knows(lyon)
    lyon.knows(paris)
    wrong = lyon.tree()
    lyon.path("site.key_secret").write_text(other.path("site.key_secret").read_text())  # not the key that Paris knows
    lyon.write(wrong)
    with sites(paris, lyon):
        paris.run()
        lyon.run()
        assert lyon.link("paris") == "down" and paris.link("lyon") == "down"
        until(lambda: paris.programs["federation"].logged("key"), "it is told", 20)
        assert lyon.objects("paris", "users") == {}
        other.dir.cleanup()


def test_two_sites_of_one_name_are_refused_with_a_word_on_both_sides():
    paris, again = Site("paris"), Site("paris")
    paris.knows(again, "lyon")
    again.knows(paris, "lyon")
    with sites(paris, again):
        paris.run()
        again.run()
        for site in (paris, again):
            until(lambda: site.programs["federation"].logged("both sites have an ipbx called paris"), "it is told")
            assert site.link("lyon") == "down" and site.objects("lyon", "users") == {}


def test_a_name_that_the_other_does_not_have():
    paris, lyon = Site("paris"), Site("lyon")
    paris.knows(lyon, "marseille")
    lyon.knows(paris)
    with sites(paris, lyon):
        paris.run()
        lyon.run()
        until(lambda: paris.programs["federation"].logged("marseille"), "it is told")
        assert paris.objects("marseille", "users") == {}


def test_lists_and_contexts_that_are_not_to_be_seen():
    lines = [{"id": str(10 + i), "protocol": "sip", "name": f"p{i}", "number": str(1000 + i),
              "context": "open" if i < 3 else "closed", "iduserfeatures": i, "rules_order": 1} for i in range(1, 6)]
    paris, lyon = Site("paris", lines=lines), Site("lyon")
    paris.knows(lyon)
    lyon.knows(paris)
    paris.federation(lists=["users", "phones"], contexts=["open"])
    with sites(paris, lyon):
        paris.run()
        lyon.run()
        lyon.wait_link("paris")
        until(lambda: set(lyon.objects("paris", "phones")) == {"11", "12"}, "only the open context is seen")
        assert set(lyon.objects("paris", "users")) == {"1", "2"} and lyon.objects("paris", "queues") == {}
        lines[2]["context"] = "open"
        lines[0]["context"] = "closed"
        paris.path("lines.json").write_text(json.dumps(lines))
        signal_of(paris.programs["state"], signal.SIGHUP)
        until(lambda: set(lyon.objects("paris", "phones")) == {"12", "13"} and
              set(lyon.objects("paris", "users")) == {"2", "3"}, "what is open now is seen, what is closed is gone")


def test_a_site_that_state_does_not_know():
    """Federation was told of it, state was not: it is said, and not tried without a pause."""
    paris, lyon = Site("paris"), Site("lyon")
    with sites(paris, lyon):
        paris.start("state")
        paris.wait_ready("state")
        paris.knows(lyon)
        lyon.knows(paris)
        lyon.run()
        paris.run("federation")
        until(lambda: paris.programs["federation"].logged("does it read the same configuration?"), "it is said")
        used = paris.metric("federation", "process_cpu_seconds_total")
        monitor = paris.monitor("svc/federation/")
        monitor.wait("svc/federation/")
        monitor.wait("svc/federation/")
        monitor.close()
        assert paris.metric("federation", "process_cpu_seconds_total") - used < 0.5
        signal_of(paris.programs["state"], signal.SIGHUP)
        until(lambda: paris.link("lyon") == "up" and len(paris.objects("lyon", "users")) == 5, "it is known after a reload")


def test_a_site_that_is_no_longer_wanted():
    with sites(*pair()) as (paris, lyon):
        paris.run()
        lyon.run()
        paris.wait_link("lyon")
        agree(paris, lyon)
        tree = paris.tree()
        del tree["ipbxes"]["lyon"]
        paris.write(tree)
        signal_of(paris.programs["state"], signal.SIGHUP)
        until(lambda: paris.objects("lyon", "users") == {} and paris.link("lyon") is None, "it is forgotten")


# --- a peer of a later version, which is hostile, too ---

class LaterPeer:
    """A federation that speaks a later schema, and tells what is not its to tell."""

    def __init__(self, site):
        public, secret = zmq.auth.load_certificate(site.path("site.key_secret"))
        self.context = Context()
        self.router, self.xpub = self.context.socket(zmq.ROUTER), self.context.socket(zmq.XPUB)
        for sock, port in zip((self.xpub, self.router), site.peer_ports):
            sock.curve_publickey, sock.curve_secretkey, sock.curve_server = public, secret, True
            sock.bind(f"tcp://127.0.0.1:{port}")
        self.epoch, self.seq, self.running = int(time.time() * 1e6), 0, True
        self.instances = {}
        self.objects = [["lyon", "users", "1", {"fullname": "Zoé", "linelist": [], "aura": {"color": ["blue"]},
                                                "profileclient": "client", "mobilephonenumber": "06"}],
                        ["lyon", "spaceships", "1", {"name": "x"}], ["lyon", "users", "2", {"fullname": {"not": "text"}}],
                        ["paris", "users", "1", {"fullname": "Forged"}], ["lyon", "users"], "nonsense"]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def publish(self, topic, body, numbered=True):
        self.seq += numbered
        meta = [1, "federation@lyon", self.epoch, self.seq if numbered else 0, time.time()]
        self.xpub.send_multipart([topic.encode(), msgpack.packb(meta), msgpack.packb(body)])

    def answer(self, peer, method, body):
        if method in (b"hello", b"ping"):
            self.instances.setdefault(peer, body.get("instance"))
            return {"epoch": self.epoch, "site": "lyon", "version": "99", "news": [1]}
        if method == b"peer.hello":
            return {"sites": ["lyon"], "schema": 99, "time": time.time(), "more": {"a": 1}}
        if method == b"echo":
            self.publish(f"xod/echo/{self.instances[peer]}/", {}, numbered=False)
        if method == b"snapshot":
            return {"seq": self.seq, "objects": self.objects}
        return {}

    def _serve(self):
        while self.running:
            if self.xpub.poll(10):
                self.xpub.recv()
            if self.router.poll(10):
                peer, version, number, method, body = self.router.recv_multipart()
                reply = self.answer(peer, method, msgpack.unpackb(body))
                self.router.send_multipart([peer, version, number, b"ok", msgpack.packb(reply)])

    def close(self):
        self.running = False
        self.thread.join()
        self.router.close(0)
        self.xpub.close(0)
        self.context.term()


def test_a_peer_of_a_later_version():
    paris, lyon = pair()
    peer = LaterPeer(lyon)
    with sites(paris, lyon):
        paris.run()
        paris.wait_link("lyon")
        until(lambda: set(paris.objects("lyon", "users")) == {"1", "2"}, "its users are known")
        user = paris.objects("lyon", "users")["1"]
        assert user["fullname"] == "Zoé" and user["profileclient"] is None and user["mobilephonenumber"] is None
        assert paris.objects("paris", "users")["1"]["fullname"] == "Alice Martin"
        paris.programs["federation"].says("of a later version")
        peer.publish("xod/lyon/status/spaceships/1/", {"op": "update", "fields": {"warp": 9}})
        peer.publish("xod/paris/config/users/1/", {"op": "update", "fields": {"fullname": "Forged"}})
        peer.publish("xod/paris/config/users/2/", {"op": "del"})
        peer.publish("xod/lyon/config/users/1/", {"op": "transmogrify", "fields": {}})
        peer.publish("xod/lyon/config/users/1/", {"op": "update", "fields": {"fullname": "Zoë", "aura": 1}, "at": "x"})
        until(lambda: paris.objects("lyon", "users")["1"]["fullname"] == "Zoë", "a change is taken")
        assert paris.objects("paris", "users")["1"]["fullname"] == "Alice Martin" and "2" in paris.objects("paris", "users")
    peer.close()


# --- XiVO 1.2 ---

def legacy_pair(user_id="cs:paris", **connection):
    """Lyon is an old XiVO for Paris: a ctibus that knows Paris as a user."""
    users = json.loads((ROOT / "config" / "demo" / "users.json").read_text())
    users.append({**users[0], "id": user_id, "firstname": "Paris", "lastname": "", "loginclient": "paris",
                  "passwdclient": "sesame", "profileclient": "ctiserver", "agentid": None, "voicemailid": None})
    paris, lyon = Site("paris"), Site("lyon", users=users)
    tree = lyon.tree()
    tree["profiles"]["ctiserver"] = {**tree["profiles"]["client"], "name": "Server"}
    lyon.write(tree)
    lyon.start("state")
    cti = lyon.start("cti-gw").cti
    tree = paris.tree()
    tree["ipbxes"]["lyon"] = {"cti_connection": {"ipaddress": "127.0.0.1", "ipport": cti, "username": "paris",
                                                 "password": "sesame", **connection}}
    paris.write(tree)
    return paris, lyon


def test_a_xivo_as_a_peer():
    paris, lyon = legacy_pair()
    with sites(paris, lyon):
        paris.run()
        paris.wait_link("lyon")
        until(lambda: set(paris.objects("lyon", "users")) == set("12345"), "its users are known")
        until(lambda: len(paris.objects("lyon", "phones")) == 5 and len(paris.objects("lyon", "queues")) == 4,
              "its phones and queues are known")
        assert paris.objects("lyon", "users")["1"]["fullname"] == "Alice Martin"
        assert paris.objects("lyon", "users")["1"]["mobilephonenumber"] is None
        alice = lyon.client("alice", state="away")
        until(lambda: paris.objects("lyon", "users")["1"]["availstate"] == "away", "its changes cross")
        alice.close()


def test_chat_with_a_xivo():
    paris, lyon = legacy_pair()
    tree = lyon.tree()
    tree["ipbxes"]["paris"] = {"cti_connection": {"ipaddress": "127.0.0.1", "ipport": 1, "username": "lyon",
                                                  "password": "x"}}
    lyon.write(tree)
    with sites(paris, lyon):
        signal_of(lyon.programs["state"], signal.SIGHUP)
        paris.run()
        paris.wait_link("lyon")
        until(lambda: "2" in paris.objects("lyon", "users"), "bob is known")
        bob, alice = lyon.client("bob"), paris.client("alice")
        received(bob)
        until(lambda: paris.objects("lyon", "users")["2"]["connection"] == "yes", "bob is seen in Paris")
        assert "warning_string" not in alice.ask("chitchat", to="lyon/2", text="Bonjour")
        # Lyon does not know Alice of Paris (it has no link to Paris): its clients must not get the line
        assert bob.drain(1) and not [m for m in received(bob) if m.get("class") == "chitchat"]
        alice.close()
        bob.close()


def test_a_xivo_that_refuses_us():
    paris, lyon = legacy_pair(password="wrong")
    with sites(paris, lyon):
        paris.run()
        until(lambda: paris.programs["federation"].logged("refuses our login"), "it is told")
        assert paris.link("lyon") == "down"


def as_a_site(lyon):
    """A client that is logged in as Paris, the way one XiVO logs in at another."""
    client = Client(lyon.programs["cti-gw"].cti)
    sessionid = client.login_id("paris")["sessionid"]
    client.ask("login_pass", hashedpassword=hashlib.sha1(f"{sessionid}:sesame".encode()).hexdigest())
    assert "error_string" not in client.ask("login_capas", capaid="ctiserver", state="onlystate", loginkind="user",
                                            lastconnwins=True)
    return client


def ids(client, name, site):
    return client.ask("getlist", function="listid", listname=name, tipbxid=site).get("list")


def test_a_xivo_sees_only_what_is_for_it():
    """Logged in as a client: five lists, and nothing of a third site, asked for or told."""
    paris, lyon = legacy_pair()
    nantes = Site("nantes")
    nantes.knows(lyon)
    lyon.knows(nantes)
    with sites(paris, lyon, nantes):
        signal_of(lyon.programs["state"], signal.SIGHUP)
        lyon.run("federation")
        nantes.run()
        lyon.wait_link("nantes")
        until(lambda: all(lyon.objects("nantes", name) for name in XIVO_LISTS), "Lyon knows Nantes")
        alice, client = lyon.client("alice"), as_a_site(lyon)
        for name in XIVO_LISTS:
            assert ids(client, name, "lyon"), name
            assert ids(alice, name, "nantes"), name
            assert not ids(client, name, "nantes"), name
        for name in ("channels", "voicemails", "meetmes", "trunks", "incalls", "queuemembers"):
            assert not ids(client, name, "lyon"), name
        there, here = nantes.client("bob", state="away"), lyon.client("carol", state="away")
        alice.wait(lambda: any(m["tipbxid"] == "nantes" and m["tid"] == "2" and m["status"].get("availstate") == "away"
                               for m in alice.seen if m["function"] == "updatestatus"), "Alice is told of Nantes")
        client.wait(lambda: any(m["tipbxid"] == "lyon" and m["tid"] == "3" and m["status"].get("availstate") == "away"
                                for m in client.seen if m["function"] == "updatestatus"), "Paris is told of Lyon")
        client.drain()
        assert {m["tipbxid"] for m in client.seen} == {"lyon"}
        assert {m["listname"] for m in client.seen} <= set(XIVO_LISTS)
        for c in (alice, client, there, here):
            c.close()


class OldServer:
    """A XiVO 1.2 as it was recorded, as far as another server sees it."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked = []
        self.connection = None
        threading.Thread(target=self._serve, daemon=True).start()

    def say(self, **message):
        self.connection.sendall(json.dumps({"timenow": time.time(), **message}).encode() + b"\n")

    def answer(self, m):
        self.asked.append(m)
        reply = {"class": m["class"], "replyid": m["commandid"]}
        if m["class"] == "login_id":
            self.say(**reply, sessionid="abcdef", version="9999", xivoversion="1.2")
        elif m["class"] == "login_pass":
            self.say(**reply, capalist=["ctiserver"])
        elif m["class"] == "login_capas":
            self.say(**reply, appliname="x", capas={}, capaxlets=[], ipbxid="lyon", userid="cs:paris", presence="onlystate")
        elif m["class"] == "getlist":
            reply.update(function=m["function"], listname=m["listname"], tipbxid=m["tipbxid"])
            if m["function"] == "listid":
                self.say(**reply, list=["7", "8"] if m["listname"] == "users" else [])
            elif m["function"] == "updateconfig":
                self.say(**reply, tid=m["tid"], config={"firstname": "Zoé", "lastname": m["tid"], "nonsense": {"a": [1]},
                                                        "mobilephonenumber": "0612345678", "linelist": []})
            else:
                self.say(**reply, tid=m["tid"], status={"availstate": "available", "connection": "yes"})

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                self.connection, _ = self.socket.accept()
                for line in self.connection.makefile("rb"):
                    self.answer(json.loads(line))

    def close(self):
        self.socket.close()
        if self.connection:
            self.connection.close()


def test_an_old_server_as_it_was_recorded():
    server, paris = OldServer(), Site("paris")
    tree = paris.tree()
    tree["ipbxes"]["lyon"] = {"cti_connection": {"ipaddress": "127.0.0.1", "ipport": server.port, "username": "paris",
                                                 "password": "x"}}
    paris.write(tree)
    with sites(paris):
        paris.run()
        paris.wait_link("lyon")
        until(lambda: set(paris.objects("lyon", "users")) == {"7", "8"} and
              paris.objects("lyon", "users")["8"]["availstate"] == "available", "its users are known")
        user = paris.objects("lyon", "users")["7"]
        assert user["firstname"] == "Zoé" and user["mobilephonenumber"] is None
        login = {m["class"]: m for m in server.asked[:3]}
        assert login["login_id"]["ident"] == "ctiserver-paris" and login["login_id"]["userlogin"] == "paris"
        assert (login["login_capas"]["capaid"], login["login_capas"]["state"], login["login_capas"]["loginkind"],
                login["login_capas"]["lastconnwins"]) == ("ctiserver", "onlystate", "user", True)
        lists = [m["listname"] for m in server.asked if m.get("function") == "listid"]
        assert lists == ["users", "groups", "queues", "agents", "phones"]
        server.say(**{"class": "getlist", "function": "updatestatus", "listname": "users", "tipbxid": "lyon", "tid": "7",
                      "status": {"availstate": "away"}})
        until(lambda: paris.objects("lyon", "users")["7"]["availstate"] == "away", "a change")
        server.say(**{"class": "getlist", "function": "delconfig", "listname": "users", "tipbxid": "lyon", "list": ["8"]})
        until(lambda: set(paris.objects("lyon", "users")) == {"7"}, "one is gone")
        server.say(**{"class": "getlist", "function": "addconfig", "listname": "users", "tipbxid": "lyon", "list": ["9"]})
        until(lambda: set(paris.objects("lyon", "users")) == {"7", "9"}, "one is new")
        alice = paris.client("alice")
        alice.ask("chitchat", to="lyon/7", text="Bonjour")
        until(lambda: any(m["class"] == "chitchat" for m in server.asked), "a line of chat is passed on")
        line = [m for m in server.asked if m["class"] == "chitchat"][0]
        assert (line["to"], line["from"], line["text"]) == ("lyon/7", "paris/1", "Bonjour")
        for nonsense in (b"{", b"[]\n", b"null\n", b'{"class": "getlist", "function": 1, "listname": [], "tipbxid": {}}\n',
                         b'{"class": "getlist", "function": "updateconfig", "listname": "users", "tipbxid": "lyon", '
                         b'"tid": "7", "config": [1]}\n', b"\xff\xfe\n"):
            server.connection.sendall(nonsense)
        server.connection.sendall(b"\n")
        server.say(**{"class": "getlist", "function": "updatestatus", "listname": "users", "tipbxid": "lyon", "tid": "7",
                      "status": {"availstate": "outtolunch"}})
        until(lambda: paris.objects("lyon", "users")["7"]["availstate"] == "outtolunch", "nonsense does no harm")
        alice.close()
        server.connection.shutdown(socket.SHUT_RDWR)
        paris.wait_link("lyon", "down")
        paris.wait_link("lyon", "up")
        until(lambda: set(paris.objects("lyon", "users")) == {"7", "8"}, "all is asked for anew")
    server.close()
