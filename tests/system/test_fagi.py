"""fagi-gw: scripts of the dialplan, answered by state and by a handler on the bus; and whatever fails, the call goes on."""

import contextlib
import json
import pathlib
import signal
import socket
import time
import urllib.request

import msgpack
import pytest
import zmq

from fastagi import Call, ask, environment
from programs import BusProgram
from stack import ROOT, TIMEOUT, Context, Program, Stack, signal_of, until

PARTS = ("state", "fagi-gw")
FAIL = {"XIVO_CTI_AGI": "FAIL"}
RECORDED = ROOT / "tests" / "data" / "fagi"


@pytest.fixture(scope="module", name="stack")
def one_stack():
    with Stack(parts=("sim", "state", "ami-gw", "fagi-gw", "cti-gw")) as s:
        s.wait_ready()
        yield s


@contextlib.contextmanager
def stack_of(parts=PARTS, **options):
    with Stack(parts=parts, **options) as s:
        s.wait_ready(*parts)
        yield s


def port(stack, part="fagi-gw"):
    return stack.programs[part].fagi


def outcomes(stack, part="fagi-gw"):
    """How many sessions ended how."""
    url = f"http://127.0.0.1:{stack.programs[part].http}/metrics"
    lines = urllib.request.urlopen(url, timeout=5).read().decode().splitlines()
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines
            if line.startswith("ctibus_fagi_sessions_total{")}


class Handler(BusProgram):
    """A program on the bus that answers scripts."""

    def __init__(self, stack, scripts, channel=False):
        super().__init__(stack, b"fagi.call")
        assert self.ask(b"worker.register", {"kind": "fagi", "scripts": scripts, "channel": channel})[0] == b"ok"


# --- the scripts ---

def test_callerid_extend(stack):
    assert ask(port(stack), "callerid_extend", callington="16") == {"XIVO_SRCTON": "16"}


def test_callerid_extend_without_a_type(stack):
    assert ask(port(stack), "callerid_extend", callington="") == {}
    data = environment("callerid_extend").replace(b"agi_callington: 0\n", b"")
    assert Call(port(stack)).send(data).answer() == {}


def test_presence_counts_who_is_there(stack):
    def presence():
        return json.loads(ask(port(stack), "presence", "users")["XIVO_PRESENCE"])["std"]

    assert set(presence().values()) == {0} and "away" in presence()
    alice = stack.client("alice")
    bob = stack.client("bob", state="away")
    until(lambda: presence()["available"] == 1 and presence()["away"] == 1, "both are counted")
    bob.close()
    alice.close()
    until(lambda: set(presence().values()) == {0}, "nobody is counted", 20)


def test_features_says_what_a_user_has_chosen(stack):
    def features(*args):
        answer = ask(port(stack), "features", *args)
        return {k: v for k, v in answer.items() if k != "XIVO_CTI_AGI"} or answer

    with contextlib.closing(stack.client("alice").load()) as alice:
        off = features("1")
        assert {k: v for k, v in off.items() if not k.endswith("_DEST")} == dict.fromkeys((
            "XIVO_DND", "XIVO_FWD_UNC", "XIVO_FWD_BUSY", "XIVO_FWD_RNA", "XIVO_INCALLFILTER", "XIVO_VOICEMAIL",
            "XIVO_CALLRECORD"), "0")
        assert alice.ask("featuresput", function="enablednd", value=True)["status"] == "OK"
        assert alice.ask("featuresput", function="fwd",
                         value={"enableunc": True, "destunc": "1003"})["status"] == "OK"
        assert features("1") == {**off, "XIVO_DND": "1", "XIVO_FWD_UNC": "1", "XIVO_FWD_UNC_DEST": "1003"}
        assert features("number", "1001") == features("number", "1001", "default") == features("1")
        assert features("2")["XIVO_DND"] == "0"
        for args in ((), ("99",), ("number",), ("number", "1099"), ("number", "1001", "other"), ("1001",)):
            assert features(*args) == FAIL, args
        alice.ask("featuresput", function="enablednd", value=False)
        alice.ask("featuresput", function="fwd", value={"enableunc": False})


def callerid(stack, name, number, channel="SIP/pstn-00000000", user="1"):
    return ask(port(stack), "callerid_forphones", user, channel=channel, callerid=number, calleridname=name)


def test_callerid_of_a_trunk_comes_from_the_directories(stack):
    for name in ("+33123456789", "unknown"):
        assert callerid(stack, name, "+33123456789") == {
            "CALLERID(all)": '"Émile Dubois" <+33123456789>', "CALLERID(name)": "Émile Dubois",
            "CALLERID(number)": "+33123456789"}


def test_callerid_needs_the_complete_number(stack):
    assert callerid(stack, "3312345678", "3312345678") == {}
    assert callerid(stack, "0999999999", "0999999999") == {}


def test_a_name_that_is_there_is_left_alone(stack):
    assert callerid(stack, "Société", "+33123456789") == {}
    assert callerid(stack, "unknown", "unknown") == {}
    assert callerid(stack, "Anonymous", "anonymous") == {}


def test_callerid_of_a_phone_is_its_own(stack):
    assert callerid(stack, "1002", "1002", channel="SIP/bob-00000017") == {
        "CALLERID(all)": '"Bob Tremblay" <1002>', "CALLERID(name)": "Bob Tremblay", "CALLERID(number)": "1002"}


def test_callerid_of_a_local_channel_is_looked_up_in_its_context(stack):
    assert callerid(stack, "0123456780", "0123456780",
                    channel="Local/1003@default-00000000;2")["CALLERID(name)"] == "Noëlle Garçon"


def test_callerid_for_a_user_that_is_not_there(stack):
    """Without a context it is the one for everybody."""
    assert callerid(stack, "+33123456789", "+33123456789", user="99")["CALLERID(name)"] == "Émile Dubois"


def test_a_line_may_have_a_callerid_of_its_own():
    lines = [{"id": "11", "protocol": "sip", "name": "alice", "number": "1001", "context": "default",
              "iduserfeatures": 1, "rules_order": 1, "callerid": '"Head office" <0123456700>'}]
    with stack_of(lines=lines) as s:
        assert callerid(s, "1001", "1001", channel="SIP/alice-1") == {
            "CALLERID(all)": '"Head office" <0123456700>', "CALLERID(name)": "Head office",
            "CALLERID(number)": "0123456700"}


def test_every_recorded_session(stack):
    """What real Asterisks sent: known scripts are answered, the others FAIL; what follows the environment
    (answers to commands of another server) disturbs nothing."""
    known = {"presence": "XIVO_PRESENCE", "callerid_extend": "XIVO_SRCTON"}
    paths = sorted(RECORDED.glob("*/*.agi-request"))
    assert len(paths) > 100
    for path in paths:
        script = path.name.split(".")[-2]
        script = "" if script == "none" else script
        set_ = Call(port(stack)).send(path.read_bytes()).answer()
        if script in known:
            assert list(set_) == [known[script]], path
        elif script == "callerid_forphones":
            assert set_ == {} or "CALLERID(name)" in set_, path
        else:
            assert set_ == FAIL, path


# --- handlers ---

def test_an_unknown_script_fails(stack):
    assert ask(port(stack), "no_such_script") == FAIL
    assert ask(port(stack), "") == FAIL


def test_the_example_handler(stack):
    endpoint = f"tcp://127.0.0.1:{stack.ports['request']}"
    example = Program(["/usr/bin/python3", pathlib.Path(ROOT, "docs", "examples", "fagi_handler.py"), endpoint])
    try:
        until(lambda: example.logged("registered"), "the handler is registered")
        assert ask(port(stack), "greeting", "fr", calleridname="unknown") == {"GREETING": "Bonjour"}
        assert ask(port(stack), "greeting", calleridname="Zoë \"Z\"") == {"GREETING": 'Good day, Zoë "Z"'}
    finally:
        example.kill()
    until(lambda: ask(port(stack), "greeting", "fr") == FAIL, "nobody answers any more")


def test_a_handler_sees_the_call_and_answers_pairs_in_their_order(stack):
    handler = Handler(stack, ["route", "other"])
    call = Call(port(stack)).begin("route", "arg one", "", "été", channel="SIP/bob-1", calleridname="Bob")
    number, _, body = handler.receive()
    assert (body["ipbx"], body["script"], body["channel"], body["known"]) == ("xivo", "route", "SIP/bob-1", None)
    assert body["args"] == ["arg one", "", "été"] and body["env"]["agi_calleridname"] == "Bob"
    assert 0 < body["deadline_ms"] <= 2000
    handler.send(number, b"ok", {"variables": [["B", "2"], ["A", 1], ["C", True], ["D", None],
                                             ["E", 0.1], ["F", 12.0], ["G", float("inf")]]})
    assert call.lines() == ['SET VARIABLE B "2"', 'SET VARIABLE A "1"', 'SET VARIABLE C "1"', 'SET VARIABLE D ""',
                            'SET VARIABLE E "0.1"', 'SET VARIABLE F "12"']
    handler.close()


def test_what_a_handler_may_not_set(stack):
    handler = Handler(stack, ["evil"])
    call = Call(port(stack)).begin("evil")
    number, _, _ = handler.receive()
    bad = [["A B", "1"], ["", "1"], ["X\nHANGUP", "1"], ["L", "x" * 3000], ["M", {"a": 1}], [1, "2"], "nonsense", ["A"]]
    handler.send(number, b"ok", {"variables": [*bad, ["GOOD", 'a"\\\r\nHANGUP\x00']]})
    assert call.lines() == ['SET VARIABLE GOOD "a\\"\\\\  HANGUP "']
    handler.close()


def test_only_so_many_variables_are_set(stack):
    handler = Handler(stack, ["many"])
    call = Call(port(stack)).begin("many")
    number, _, _ = handler.receive()
    handler.send(number, b"ok", {"variables": [[f"V{i}", "1"] for i in range(66)]})
    assert call.lines() == [f'SET VARIABLE V{i} "1"' for i in range(64)]
    stack.programs["fagi-gw"].says('"V65" cannot be set: too many of them')
    handler.close()


@pytest.mark.parametrize("answer", [(b"failed", {}), (b"ok", {"variables": "x"}), (b"nonsense", {}), (b"ok", [])])
def test_a_handler_that_answers_badly(stack, answer):
    handler = Handler(stack, ["bad"])
    call = Call(port(stack)).begin("bad")
    number, _, _ = handler.receive()
    handler.send(number, *answer)
    assert call.answer() in ({}, FAIL)
    handler.close()


def test_a_handler_that_is_silent_costs_no_more_than_the_deadline(stack):
    handler = Handler(stack, ["silent"])
    since = time.monotonic()
    assert ask(port(stack), "silent") == FAIL
    assert 1.9 < time.monotonic() - since < 8
    handler.close()


def test_registering_nonsense(stack):
    handler = Handler(stack, ["fine"])
    for number, scripts in enumerate((None, "x", [1], [""], ["x" * 65], {"a": 1}), 10):
        handler.send(number, b"worker.register", {"kind": "fagi", "scripts": scripts})
        assert handler.receive(number)[1] == b"malformed"
    handler.send(20, b"worker.register", {"kind": "nonsense"})
    assert handler.receive(20)[1] == b"not_found"
    handler.close()


# --- the race of FastAGI against AMI ---

class Bus:
    """Publishes events as an ami-gw would."""

    def __init__(self, stack):
        self.context = Context()
        self.socket = self.context.socket(zmq.PUB)
        self.socket.connect(f"tcp://127.0.0.1:{stack.ports['publish']}")
        self.epoch = int(time.time() * 1e6)
        self.seq = 0

    def channel(self, verb, name, **fields):
        self.seq += 1
        meta = [1, "test@here", self.epoch, self.seq, time.time()]
        self.socket.send_multipart([f"tel/xivo/channel/{verb}/".encode(), msgpack.packb(meta),
                                    msgpack.packb({"channel": name, **fields})])

    def close(self):
        self.socket.close(0)
        self.context.term()


def make_known(stack, bus, name):
    """Again until it arrives: a PUB socket sends nothing before it is connected."""
    def there():
        bus.channel("new", name, uniqueid="1.2", state=4)
        return any(c["id"] == name for c in stack.snapshot("channels"))
    return until(there, f"{name} is known")


def test_ami_first():
    with stack_of() as s:
        handler, bus = Handler(s, ["needs"], channel=True), Bus(s)
        make_known(s, bus, "SIP/bob-7")
        call = Call(port(s)).begin("needs", channel="SIP/bob-7")
        number, _, body = handler.receive()
        assert body["known"]["uniqueid"] == "1.2"
        handler.send(number, b"ok", {"variables": {"X": "1"}})
        assert call.answer() == {"X": "1"}
        handler.close()
        bus.close()


def test_fastagi_first():
    with stack_of(config={"ctibus.fagi.ami_wait_ms": 10000, "ctibus.fagi.deadline_ms": 20000}) as s:
        handler, bus = Handler(s, ["needs"], channel=True), Bus(s)
        make_known(s, bus, "SIP/alice-1")  # the socket is connected
        calls = [Call(port(s)).begin("needs", channel="SIP/bob-8") for _ in range(2)]
        until(lambda: s.metric("fagi-gw", "ctibus_fagi_open") == 2, "both are open")
        assert not handler.socket.poll(300)
        bus.channel("new", "SIP/bob-9", uniqueid="9.9", state=4)  # another one
        assert not handler.socket.poll(300)
        bus.channel("new", "SIP/bob-8", uniqueid="8.8", state=4)
        for _ in calls:
            number, _, body = handler.receive()
            assert body["known"]["uniqueid"] == "8.8"
            handler.send(number, b"ok", {"variables": {"X": "1"}})
        assert [c.answer() for c in calls] == [{"X": "1"}] * 2
        handler.close()
        bus.close()


def test_fastagi_without_ami():
    """Scripts that do not need the channel are answered at once, the others after 200 ms."""
    with stack_of() as s:
        handler = Handler(s, ["needs"], channel=True)
        since = time.monotonic()
        assert ask(port(s), "needs") == FAIL
        assert 0.19 < time.monotonic() - since < 1.9  # not the deadline of 2 s
        assert ask(port(s), "callerid_extend") == {"XIVO_SRCTON": "0"}
        handler.close()


# --- sessions as they really are ---

def test_any_split_of_the_environment(stack):
    data = environment("callerid_extend", "x")
    for size in (1, 7, len(data) - 1):
        call = Call(port(stack))
        for at in range(0, len(data), size):
            call.send(data[at:at + size])
        assert call.answer() == {"XIVO_SRCTON": "0"}


def test_hangup_lines_are_no_answers(stack):
    handler = Handler(stack, ["late"])
    call = Call(port(stack)).begin("late")
    number, _, _ = handler.receive()
    call.send(b"HANGUP\n")
    handler.send(number, b"ok", {"variables": {"A": "1", "B": "2"}})
    assert call.file.readline() == b'SET VARIABLE A "1"\n'
    call.send(b"HANGUP\n200 result=1\n")
    assert call.lines() == ['SET VARIABLE B "2"']
    handler.close()


@pytest.mark.parametrize("code, text", [
    ("510", b"510 Invalid or unknown command\n"),
    ("511", b"511 Command Not Permitted on a dead channel\n"),
    ("520", b"520 Invalid command syntax.  Proper usage not available.\n"),
    ("520", b"520-Invalid command syntax.  Proper usage follows:\n Usage: SET VARIABLE\n 200 of it"
            b"520 End of proper usage.\n"),
    ("other", b"\xff\xfe nonsense\n")])
def test_errors_of_asterisk_are_counted_and_told(stack, code, text):
    monitor = stack.monitor("fagi/")
    until(lambda: ask(port(stack), "callerid_extend") and monitor.socket.poll(50), "the monitor hears")
    assert Call(port(stack)).begin("callerid_extend", uniqueid=f"err.{code}").lines(text)
    while True:
        _, _, body = monitor.message()
        if body["uniqueid"] == f"err.{code}":
            break
    assert body["errors"] == 1 and body["outcome"] == "ok"
    monitor.close()


def test_early_close(stack):
    handler = Handler(stack, ["gone"])
    before = outcomes(stack)
    call = Call(port(stack)).begin("gone")
    number, _, _ = handler.receive()
    call.close()
    Call(port(stack)).close()
    Call(port(stack)).send(environment("gone")[:-30]).close()
    until(lambda: outcomes(stack)["gone"] == before["gone"] + 3, "all are gone")
    handler.send(number, b"ok", {"variables": {"A": "1"}})
    assert ask(port(stack), "callerid_extend") == {"XIVO_SRCTON": "0"}
    handler.close()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\n", b"agi_network yes\n\n",
                                  b"agi_x: " + b"y" * 70000, b"".join(b"agi_%d: x\n" % i for i in range(300)) + b"\n"])
def test_garbage(stack, data):
    before = outcomes(stack)
    call = Call(port(stack))
    with contextlib.suppress(OSError):
        call.send(data)
    with contextlib.suppress(ConnectionResetError):
        assert call.lines() == []
    until(lambda: outcomes(stack)["malformed"] + outcomes(stack)["gone"] ==
          before["malformed"] + before["gone"] + 1, "it is counted")


def test_bad_utf8_is_mended(stack):
    handler = Handler(stack, ["utf8"])
    data = environment("utf8", "a", calleridname="X").replace(b"calleridname: X", b"calleridname: Zo\xeb\xff")
    call = Call(port(stack)).send(data)
    number, _, body = handler.receive()
    assert body["env"]["agi_calleridname"] == "Zo\ufffd\ufffd"
    handler.send(number, b"ok", {})
    assert call.answer() == {}
    handler.close()


def test_an_environment_that_never_ends(stack):
    since = time.monotonic()
    call = Call(port(stack)).send(environment("presence")[:-1])
    assert call.answer() == FAIL
    assert 1.9 < time.monotonic() - since < 8


def test_an_asterisk_that_never_closes(stack):
    """It gets two seconds to carry out what it was told."""
    call = Call(port(stack)).begin("callerid_extend")
    assert call.file.read() == b'SET VARIABLE XIVO_SRCTON "0"\n'
    until(lambda: stack.metric("fagi-gw", "ctibus_fagi_open") == 0, "it is closed", 10)
    call.close()


# --- whatever is down ---

def test_without_state_the_call_goes_on():
    with stack_of() as s:
        assert ask(port(s), "callerid_extend") == {"XIVO_SRCTON": "0"}
        s.kill("state")
        since = time.monotonic()
        assert ask(port(s), "callerid_extend") == FAIL
        assert time.monotonic() - since < 8
        until(lambda: s.programs["fagi-gw"].logged("state is gone"), "it has noticed")
        assert not s.is_ready("fagi-gw")

        def quick():
            since = time.monotonic()
            return ask(port(s), "callerid_extend") == FAIL and time.monotonic() - since < 0.2
        until(quick, "nobody waits any more")
        s.start("state")
        until(lambda: ask(port(s), "callerid_extend") == {"XIVO_SRCTON": "0"}, "answered again")


def test_before_state_was_ever_there():
    with Stack(parts=("fagi-gw",)) as s:
        since = time.monotonic()
        assert ask(port(s), "callerid_extend") == FAIL
        assert time.monotonic() - since < 8
        call = Call(port(s)).begin("callerid_extend")
        s.start("state")  # within the deadline, or after it
        assert call.answer() in ({"XIVO_SRCTON": "0"}, FAIL)
        s.wait_ready("fagi-gw", "state")


def test_a_clean_stop_answers_who_waits():
    with stack_of() as s:
        handler = Handler(s, ["slow"])
        call = Call(port(s)).begin("slow")
        number, _, _ = handler.receive()
        signal_of(s.programs["fagi-gw"], signal.SIGTERM)

        def refused():
            with contextlib.suppress(ConnectionError):  # refused, or reset while the port closes
                Call(port(s)).close()
                return False
            return True
        until(refused, "nobody is taken any more")
        handler.send(number, b"ok", {"variables": {"DONE": "1"}})
        assert call.answer() == {"DONE": "1"}
        assert s.programs["fagi-gw"].process.wait(5) == 0
        handler.close()


def test_more_than_may_be_open():
    with stack_of(config={"ctibus.fagi.max_sessions": 2}) as s:
        calls = [Call(port(s)) for _ in range(2)]
        until(lambda: s.metric("fagi-gw", "ctibus_fagi_open") == 2, "two are open")
        third = Call(port(s))
        with contextlib.suppress(ConnectionResetError):
            assert third.lines() == []
        assert s.metric("fagi-gw", "ctibus_fagi_over_limit_total") == 1
        for c in calls:
            assert c.begin("callerid_extend").answer() == {"XIVO_SRCTON": "0"}


# --- whose call it is ---

def two_sites(first="127.0.0.1", second="127.0.0.2"):
    site = json.loads((ROOT / "config" / "demo" / "ctibus.json").read_text())["ipbxes"]["xivo"]
    other = json.loads(json.dumps(site))
    site["ipbx_connection"]["ipaddress"] = first
    other["ipbx_connection"]["ipaddress"] = second
    return {"ipbxes.xivo": site, "ipbxes.lyon": other}


def site_of(stack, script, source=None):
    """The IPBX under which a session was published."""
    monitor = stack.monitor("fagi/")

    def told():
        Call(port(stack), source).begin(script).lines()
        return monitor.message(1)
    topic, _, _ = until(told, "a session is told")
    monitor.close()
    return topic


def test_by_address_or_by_the_name_before_the_script():
    with stack_of(config=two_sites()) as s:
        assert site_of(s, "presence") == "fagi/xivo/presence/"
        assert site_of(s, "presence", "127.0.0.2") == "fagi/lyon/presence/"
        assert site_of(s, "lyon/presence") == "fagi/lyon/presence/"
        assert site_of(s, "xivo/presence", "127.0.0.2") == "fagi/xivo/presence/"
        assert Call(port(s), "127.0.0.3").begin("callerid_extend").answer() == FAIL
        s.programs["fagi-gw"].says("agi://HOST/IPBX/callerid_extend")
        assert Call(port(s), "127.0.0.3").begin("lyon/callerid_extend").answer() == {"XIVO_SRCTON": "0"}


def test_by_a_name_that_is_looked_up_and_after_a_reload():
    with stack_of(config=two_sites("localhost")) as s:
        assert site_of(s, "presence") == "fagi/xivo/presence/"
        path = s.path("ctibus.json")
        site = json.loads(path.read_text())
        site["ipbxes"]["lyon"]["ipbx_connection"]["ipaddress"] = "127.0.0.9"
        path.write_text(json.dumps(site))
        signal_of(s.programs["fagi-gw"], signal.SIGHUP)
        until(lambda: Call(port(s), "127.0.0.9").begin("callerid_extend").answer() != FAIL, "the new address is known")
        assert Call(port(s), "127.0.0.2").begin("callerid_extend").answer() == FAIL


def test_what_the_bus_is_told(stack):
    monitor = stack.monitor("fagi/")
    until(lambda: ask(port(stack), "callerid_extend") and monitor.socket.poll(50), "the monitor hears")
    ask(port(stack), "callerid_extend", uniqueid="7.7", channel="SIP/é-1")
    last = None
    while True:
        topic, meta, body = monitor.message()
        assert meta[1].startswith("fagi-gw:") and (last is None or meta[3] == last + 1)
        last = meta[3]
        if body["uniqueid"] == "7.7":
            break
    assert topic == "fagi/xivo/callerid_extend/"
    assert body["channel"] == "SIP/é-1" and body["variables"] == {"XIVO_SRCTON": "0"}
    assert body["outcome"] == "ok" and 0 < body["us"] < 2e6 and body["errors"] == 0
    monitor.close()


@pytest.mark.parametrize("version", ["1.8", "20"])
def test_a_recorded_day_with_its_scripts(version):
    """The simulator calls the scripts of a day of incoming calls, while its AMI tells the same calls."""
    with Stack(parts=("state", "fagi-gw"), capture=f"{version}/20-did-incoming.ami", pace="x20") as s:
        s.wait_ready("state", "fagi-gw")
        monitor = s.monitor("fagi/")
        s.sim_args = ("--fagi", f"127.0.0.1:{port(s)}")
        s.start("sim")
        s.start("ami-gw")
        seen = {}
        while {"presence", "callerid_extend", "callerid_forphones"} - set(seen):
            topic, _, body = monitor.message()
            seen[topic.split("/")[2]] = body
        assert all(b["outcome"] == "ok" and b["errors"] == 0 for b in seen.values())
        assert seen["callerid_extend"]["variables"] == {"XIVO_SRCTON": "0"}
        monitor.close()


@pytest.mark.parametrize("access, refused", [([], True), (["127.0.0.9", "10.0.0.0/8"], False)])
def test_only_the_addresses_of_ipbxes_and_of_the_list_may_ask(access, refused):
    """Also where there is but one IPBX: what scripts are told is not for everybody."""
    with Stack(parts=("state",), config={"ctibus.access.fagi": access}) as s:
        s.start("fagi-gw")
        s.wait_ready()
        assert ask(port(s), "callerid_extend") == {"XIVO_SRCTON": "0"}  # from the IPBX's own, 127.0.0.1
        with contextlib.closing(socket.socket()) as other:
            other.settimeout(TIMEOUT)
            other.bind(("127.0.0.9", 0))
            other.connect(("127.0.0.1", port(s)))
            with contextlib.suppress(ConnectionError):
                other.sendall(environment("callerid_extend", callington="0"))
            got = b""
            with contextlib.suppress(ConnectionError):
                got = other.recv(4096)
        assert (got == b"") == refused
        assert s.metric("fagi-gw", "ctibus_fagi_refused_total") == refused
        assert s.programs["fagi-gw"].logged("a script asked for from 127.0.0.9 is refused") == refused


def test_a_page_in_a_browser_asks_for_no_script(stack):
    with socket.create_connection(("127.0.0.1", port(stack)), TIMEOUT) as s:
        s.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" + environment("presence"))
        with contextlib.suppress(ConnectionError):
            assert s.recv(4096) == b""
