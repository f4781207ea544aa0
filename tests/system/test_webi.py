"""WEBI: what a web interface signals, and what it gets."""

import json
import signal
import subprocess
import time

import pytest
from consoles import webi
from stack import BIN, Stack, signal_of, until
from test_lists_http import Lists

OK = ["XIVO-WEBI:OK"]
REFUSED = ["not among the commands that may be run from here", "XIVO-CLI-WEBI:KO"]


def edit(stack, name, change):
    path = stack.path(f"{name}.json")
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def changes(monitor, last):
    """What xod is told up to a change of this object, which is the last."""
    seen = []
    while not seen or not seen[-1][0].endswith(last):
        topic, meta, body = monitor.message()
        if topic.startswith("xod/"):
            seen.append((topic, body, meta[3]))
    return seen


def listening(stack):
    """A monitor of xod that hears all from now on: subscriptions travel in order."""
    monitor = stack.monitor("xod/", "svc/")
    monitor.wait("svc/state/")
    return monitor


def test_a_changed_user_is_one_change_and_nothing_else():
    with Stack(parts=("state",)) as s:
        s.wait_ready()
        monitor = listening(s)
        edit(s, "users", lambda users: users[1].update(lastname="Roy"))
        edit(s, "lines", lambda lines: lines[0].update(context="elsewhere"))  # not asked for
        assert webi(s, "xivo[userlist,update]\n") == OK
        assert webi(s, "xivo[userlist,update]\n") == OK  # nothing is different
        edit(s, "users", lambda users: users[2].update(mobilephonenumber="0600"))
        assert webi(s, "xivo[userlist,update]\n") == OK
        (first, what, one), (second, _, two) = changes(monitor, "config/users/3/")
        assert (first, what["op"], what["fields"]) == (
            "xod/xivo/config/users/2/", "update", {"lastname": "Roy", "fullname": "Bob Roy"})
        assert (second, two) == ("xod/xivo/config/users/3/", one + 1)


LISTS = [("user", "users", "users", {"firstname": "X", "loginclient": "x"}),
         ("device", "lines", "phones", {"protocol": "sip", "name": "x"}),
         ("line", "lines", "phones", {"protocol": "sip", "name": "x"}),
         ("phone", "lines", "phones", {"protocol": "sip", "name": "x"}),
         ("trunk", "trunks", "trunks", {"protocol": "sip", "name": "x"}),
         ("agent", "agents", "agents", {"number": "2099"}),
         ("queue", "queues", "queues", {"name": "x"}),
         ("group", "groups", "groups", {"name": "x"}),
         ("meetme", "meetmes", "meetmes", {"confno": "4099"}),
         ("voicemail", "voicemails", "voicemails", {"uniqueid": "99", "mailbox": "1099"}),
         ("incall", "incalls", "incalls", {"exten": "0199"})]


def test_each_list_is_read_anew():
    with Stack(parts=("state",)) as s:
        s.wait_ready()
        monitor = listening(s)
        for n, (name, file, listed, item) in enumerate(LISTS):
            one = {"id": str(90 + n), **item}
            if "uniqueid" in one:
                one["uniqueid"] = one["id"]
            edit(s, file, lambda items, one=one: items.append(one))
            assert webi(s, f"xivo[{name}list,update]\n") == OK
            told = [(t, body["op"]) for t, body, _ in changes(monitor, f"/config/{listed}/{one['id']}/")
                    if "/config/" in t]  # what is new has a status, too
            assert told == [(f"xod/xivo/config/{listed}/{one['id']}/", "add")], name


@pytest.mark.parametrize("change", ["add", "edit", "delete", "deleteall", "enable", "disable"])
def test_the_signals_of_later_web_interfaces(change):
    with Stack(parts=("state",)) as s:
        s.wait_ready()
        monitor = listening(s)
        edit(s, "users", lambda users: users[1].update(lastname="Roy"))
        assert webi(s, f"xivo[user,{change},2]\n") == OK
        assert changes(monitor, "config/users/2/")[0][1]["fields"] == {"lastname": "Roy", "fullname": "Bob Roy"}
        for wrong in ("user,edit,x", "user,edit", "user,edit,", "nosuch,edit,1", "user,drop,1"):
            assert webi(s, f"xivo[{wrong}]\n") == REFUSED


def test_a_phonebook_is_read_anew():
    with Stack(parts=("state",), config={"ipbxes.xivo.urllists.urllist_phonebook": ["file:phonebook.json"]}) as s:
        assert webi(s, "xivo[phonebooklist,update]\n") == [
            "XIVO-WEBI:KO it cannot be read (the log says why): what is known of it stays"]
        s.path("phonebook.json").write_text('[{"phonebook": {"firstname": "Ann"}}]')
        assert webi(s, "xivo[phonebooklist,update]\n") == OK


def test_a_list_that_nobody_has_is_told():
    with Stack(parts=("state",)) as s:
        assert webi(s, "xivo[phonebooklist,update]\n") == [
            "XIVO-WEBI:KO no ipbx of the configuration has a URI for this list"]


def test_only_that_list_is_fetched():
    lists = Lists().start()
    lists.lists["/users"] = [{"id": "1", "firstname": "Ann"}]
    lists.lists["/lines"] = []
    urls = {f"ipbxes.xivo.urllists.urllist_{n}": [f"http://127.0.0.1:{lists.port}/{n}"] for n in ("users", "lines")}
    try:
        with Stack(parts=("state",), config=urls) as s:
            s.wait_ready()
            until(lambda: s.metric("state", "ctibus_state_lists_fetched_total") == 2, "both are fetched")
            monitor = listening(s)
            lists.lists["/users"][0]["firstname"] = "Anna"
            assert webi(s, "xivo[userlist,update]\n") == OK
            told = changes(monitor, "config/users/1/")
            assert told[0][1]["fields"] == {"firstname": "Anna", "fullname": "Anna"}
            assert s.metric("state", "ctibus_state_lists_fetched_total") == 3
    finally:
        lists.stop()


@pytest.mark.parametrize("command", ["xivo[cticonfig,update]", "xivo[daemon,reload]", signal.SIGHUP])
def test_a_reload_does_what_sighup_does(command):
    def reload(stack, answer):
        if command == signal.SIGHUP:
            signal_of(stack.programs["state"], command)
        else:
            assert webi(stack, f"{command}\n") == answer

    with Stack(parts=("state",), config={"ctibus.session_grace_seconds": 3}) as s:
        s.wait_ready()
        monitor = listening(s)
        state = s.programs["state"]
        edit(s, "ctibus", lambda c: c["ctibus"].update(session_grace_seconds=4))
        edit(s, "users", lambda users: users[0].update(lastname="Roy"))
        edit(s, "trunks", lambda trunks: trunks[0].update(host="h"))
        reload(s, OK)
        until(lambda: state.logged("configuration reloaded"), "it is reloaded")
        state.says("reload: ctibus.session_grace_seconds has changed")
        assert sorted(t for t, _, _ in changes(monitor, "config/users/1/")) == [
            "xod/xivo/config/trunks/1/", "xod/xivo/config/users/1/"]
        edit(s, "ctibus", lambda c: c["ctibus"].update(session_grace_seconds=-1))
        reload(s, ["XIVO-WEBI:KO the configuration is wrong (the log says where): it stays as it was"])
        until(lambda: state.logged("the configuration stays as it was"), "it is refused")


def test_members_of_queues_are_asked_for_anew():
    with Stack(parts=("sim", "state")) as s:
        s.wait_ready("state")
        assert webi(s, "xivo[queuemember,update]\n")[0].startswith("XIVO-WEBI:KO the link to an Asterisk is down")
        s.start("ami-gw")
        s.wait_ready("ami-gw")
        until(lambda: s.snapshot("ipbx")[0]["link"] == "up", "all is listed")
        before = s.metric("ami-gw", "ctibus_ami_resyncs_total")
        assert webi(s, "xivo[queuemember,update]\n") == OK
        until(lambda: s.metric("ami-gw", "ctibus_ami_resyncs_total") == before + 1, "it is listed anew")


@pytest.mark.parametrize("version,protocol", [("20", "9.0.0"), ("1.8", "1.1")])
def test_commands_of_the_console_in_both_formats(version, protocol):
    with Stack(f"{version}/02-call-answered.ami", parts=("sim", "state", "ami-gw")) as s:
        s.wait_ready()
        begin, text, end = webi(s, "core show version\n")
        assert (begin, end) == ("XIVO-CLI-WEBI:ID xivo", "XIVO-CLI-WEBI:OK")
        assert text == f"Asterisk SIM-{protocol} built by ctibus @ sim on a x86_64 running Linux"
        lines = webi(s, "core show channels\n")
        assert lines[1].split() == ["Channel", "Location", "State", "Application(Data)"]
        assert lines[-2].endswith(" active channels") and lines[-1] == "XIVO-CLI-WEBI:OK"
        assert len(lines) == 4 + int(lines[-2].split()[0])
        assert webi(s, "moh reload\n") == ["XIVO-CLI-WEBI:ID xivo", "XIVO-CLI-WEBI:OK"]  # says nothing
        nothing = webi(s, "sip show peer alice load\n")
        assert nothing[1].startswith("No such command 'sip show peer alice load'")
        # only an Asterisk 14 and later tells such an answer from a good one
        assert nothing[2] == ("XIVO-CLI-WEBI:KO" if version == "20" else "XIVO-CLI-WEBI:OK")


def test_each_asterisk_is_asked():
    other = {"ipbx_connection": {"ipaddress": "127.0.0.1", "ipport": 0, "username": "ctibus", "password": "secret"}}
    with Stack(config={"ipbxes.lyon": other}, parts=()) as s:
        s.second_asterisk("lyon", "1.8/02-call-answered.ami")
        for part in ("sim", "state", "ami-gw"):
            s.start(part)
        s.wait_ready("state", "ami-gw", "ami-gw-lyon")
        assert webi(s, "core show version\n") == [
            "XIVO-CLI-WEBI:ID xivo", "Asterisk SIM-9.0.0 built by ctibus @ sim on a x86_64 running Linux",
            "XIVO-CLI-WEBI:OK",
            "XIVO-CLI-WEBI:ID lyon", "Asterisk SIM-1.1 built by ctibus @ sim on a x86_64 running Linux",
            "XIVO-CLI-WEBI:OK"]
        s.kill("ami-gw-lyon")
        until(lambda: webi(s, "core show version\n")[3:] == [
            "XIVO-CLI-WEBI:ID lyon", "the link to this Asterisk is down", "XIVO-CLI-WEBI:KO"], "one is down")


def test_an_asterisk_that_does_not_answer():
    with Stack(parts=("sim", "state", "ami-gw")) as s:
        s.wait_ready()
        until(lambda: s.snapshot("ipbx")[0]["link"] == "up", "all is listed")
        signal_of(s.programs["sim"], signal.SIGSTOP)
        try:
            begin = time.monotonic()
            assert webi(s, "core show version\nxivo[userlist,update]\n") == [
                "XIVO-CLI-WEBI:ID xivo", "XIVO-CLI-WEBI:timeout", *OK]
            assert 1.9 < time.monotonic() - begin < 5
            assert s.metric("state", "ctibus_state_webi_timeouts_total") == 1
        finally:
            signal_of(s.programs["sim"], signal.SIGCONT)
        until(lambda: webi(s, "core show version\n")[-1] == "XIVO-CLI-WEBI:OK", "it answers again")


def test_what_is_not_allowed_is_refused():
    with Stack(parts=("sim", "state", "ami-gw")) as s:
        s.wait_ready()
        for n, command in enumerate(("core stop now", "module load x.so", "core show version; x", "xivo[nonelist,update]",
                                     "sip show peer a b load", "\x9b]0;title"), 1):
            assert webi(s, command + "\n") == REFUSED, command
            assert s.metric("state", "ctibus_state_webi_refused_total") == n
        log = "\n".join(s.programs["state"].lines)
        assert 'refused: "core stop now"' in log
        assert "\x9b" not in log


def test_lines_however_they_are_sent():
    with Stack(parts=("state",)) as s:
        s.wait_ready()
        text = "xivo[userlist,update]\\nxivo[linelist,update]\nnothing\\n"
        want = [*OK, *OK, *REFUSED]
        assert webi(s, text) == want
        assert webi(s, *text) == want  # a byte at a time
        assert webi(s, text, end=True) == want
        begin = time.monotonic()
        assert webi(s, "xivo[userlist,update]") == OK  # without an end
        assert time.monotonic() - begin < 1
        assert webi(s, "xivo[userl", end=True) == REFUSED
        assert webi(s, b"\xff\xfe\n") == REFUSED
        assert webi(s, b"x" * 100000) == ["XIVO-CLI-WEBI:KO a line is at most 1024 bytes"]
        assert webi(s, "\n\r\n", end=True) == []
        assert s.is_ready("state")


def test_who_may_connect():
    with Stack(parts=("state",), config={"ctibus.access.webi": ["10.0.0.0/8"]}) as s:
        s.wait_ready()
        (line,) = webi(s, "xivo[userlist,update]\n")
        assert line.startswith("XIVO-CLI-WEBI:KO 127.0.0.1:")
        assert line.endswith(" is refused: its address is not in ctibus.access.webi")
        assert s.metric("state", r'ctibus_state_console_refused_total\{door="WEBI"\}') == 1
        s.programs["state"].says("WEBI: 127.0.0.1:")
        edit(s, "ctibus", lambda c: c["ctibus"]["access"].update(webi=["127.0.0.1"]))
        signal_of(s.programs["state"], signal.SIGHUP)
        until(lambda: s.programs["state"].logged("configuration reloaded"), "it is reloaded")
        assert webi(s, "xivo[userlist,update]\n") == OK


@pytest.mark.parametrize("value,reason", [
    (["10.0.0.1/8"], '"10.0.0.1/8" has bits that its length does not count'),
    (["web.example.com"], '"web.example.com" is neither an address nor a network'),
    ("127.0.0.1", "must be an array of addresses and networks")])
def test_a_wrong_list_is_told(value, reason):
    with Stack(parts=(), config={"ctibus.access.webi": value}) as s:
        r = subprocess.run([BIN / "ctibus-state", "--config", s.path("ctibus.json"), "--check"],
                           stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        assert r.returncode == 2
        assert f"ctibus.json: ctibus.access.webi: {reason}" in r.stderr


def test_switched_off():
    off = ["127.0.0.1", 0, False]
    with Stack(parts=("state",), config={"main.incoming_tcp.WEBI": off, "main.incoming_tcp.INFO": off,
                                         "main.incoming_udp.ANNOUNCE": off}) as s:
        s.wait_ready()
        assert not any(f"listening name={n} " in line for n in ("WEBI", "INFO", "ANNOUNCE")
                       for line in s.programs["state"].lines)
        signal_of(s.programs["state"], signal.SIGHUP)
        until(lambda: s.programs["state"].logged("configuration reloaded"), "a reload does no harm")


def test_a_port_that_is_taken_is_told():
    with Stack(parts=("state",)) as s:
        port = s.programs["state"].listening("INFO")
        edit(s, "ctibus", lambda c: c["main"]["incoming_tcp"].update(INFO=["127.0.0.1", port, True]))
        edit(s, "ctibus", lambda c: c["ctibus"].update(
            bus={n: "tcp://127.0.0.1:*" for n in ("publish", "subscribe", "request")}, http={"state": None},
            database="sqlite:other.db"))
        r = subprocess.run([BIN / "ctibus-state", "--config", s.path("ctibus.json")],
                           stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        assert r.returncode == 1
        assert f"cannot listen at 127.0.0.1:{port} for INFO (main.incoming_tcp.INFO): Address already in use" in r.stderr
