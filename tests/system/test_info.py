"""INFO: each command of the console, by what it says."""

import json
import re
import signal
import socket
import time

import pytest
from consoles import Console
from stack import TOKEN, Stack, signal_of, until
from test_sheets import display, permitted, sheets, wait_for

SHEETS = permitted(sheets=sheets(display("{xivo-calleridname}"), "dial"))
SECRETS = ("secret", "passwd", "passwdclient")


@pytest.fixture(scope="module")
def stack():
    """A call between alice and bob, again and again; alice is logged in."""
    config = {**SHEETS, "ipbxes.xivo.urllists.urllist_phonebook": ["file:phonebook.json"]}
    with Stack("20/02-call-answered.ami", config=config, parts=("sim",)) as s:
        s.path("phonebook.json").write_text(json.dumps([
            {"phonebook": {"firstname": "Ann", "lastname": "Otto", "society": "ACME"},
             "phonebooknumber": {"office": {"number": "0155"}, "mobile": {"number": "0655"}}}]))
        for part in ("state", "ami-gw", "cti-gw"):
            s.start(part)
        s.wait_ready()
        s.alice = s.client("alice")
        yield s
        s.alice.close()


def alone(stack):
    """Waits until the consoles of earlier tests are gone."""
    name = r'ctibus_state_console_connections\{door="INFO"\}'
    until(lambda: stack.metric("state", name) == 0, "nobody is connected")


@pytest.fixture
def console(stack):
    with Console(stack) as c:
        yield c


def test_help_names_every_command(console):
    rows = console.ok("help")
    names = [row.split()[0] for row in rows[1:]]
    assert rows[0].split() == ["COMMAND", "DOES"]
    for name in ("help show_xivos show_infos showlist show_users show_phones show_trunks show_queues show_groups "
                 "show_agents show_incalls show_outcalls show_meetme show_voicemail show_phonebook show_logged "
                 "show_logged_ip loglevel show_var show_varsizes dumpami fdlist kick disc ami show_ami reverse sheet "
                 "webs currentstatus exit").split():
        assert name in names
    assert console.ok("help kick")[1].startswith("kick USER  ends all sessions of a user")
    assert console.ko("help nothing") == "nothing: there is no such command"


def test_what_is_no_command(console):
    assert console.ko("nothing at all") == "nothing: there is no such command; `help` lists all"
    assert console.ko("kick") == "usage: kick USER"
    assert console.ko("show_users too many words") == "usage: show_users"
    assert console.ko('kick "alice') == 'a " is missing'
    assert console.ko("x " * 65) == "there are at most 64 words in a line"


def test_show_infos(stack, console):
    info = {row["WHAT"]: row["VALUE"] for row in console.table("show_infos")}
    assert info["version"] == "0.1.0"
    assert re.fullmatch(r"0 d 00:\d\d:\d\d", info["uptime"])
    assert info["pid"] == str(stack.programs["state"].process.pid)
    assert (info["ipbxes"], info["settled"], info["sessions"]) == ("1", "yes", "1")
    assert int(info["events"]) > 0


def test_show_xivos(stack, console):
    (row,) = console.table("show_xivos")
    assert row["IPBX"] == "xivo" and row["ADDRESS"] == f"127.0.0.1:{stack.ports['ami']}"
    assert (row["LINK"], row["USERS"], row["PHONES"]) == ("up", "5", "5")
    assert row["BANNER"] == "Asterisk Call Manager/9.0.0"
    assert abs(time.time() - time.mktime(time.strptime(row["SINCE"], "%Y-%m-%dT%H:%M:%SZ")) + time.timezone) < 3600


def test_show_ami(console):
    (row,) = [r.split() for r in console.ok("show_ami")[1:]]
    assert row[0] == "xivo" and row[2] == "up" and row[4] == "ami-gw:xivo"
    assert row[5].endswith("Z")


def test_showlist(console):
    counts = {row["LIST"]: row["OBJECTS"] for row in console.table("showlist")}
    assert (counts["users"], counts["queues"], counts["ipbx"]) == ("5", "4", "1")
    assert [row["FULLNAME"] for row in console.table("showlist users")][:2] == ["Alice Martin", "Bob Tremblay"]
    lines = console.ok("showlist users 1")
    assert lines[0] == "xivo users 1"
    fields = {cells[0]: cells[1:] for cells in (line.split(None, 2) for line in lines[2:])}
    assert fields["fullname"] == ["config", "Alice Martin"]
    assert fields["availstate"] == ["status", "available"]
    assert fields["linelist"] == ["config", "11"]
    assert console.ko("showlist nothing") == "nothing: there is no such list; `showlist` names them"
    assert console.ko("showlist users 99") == "99: not in the list users"


def test_show_users(console):
    rows = {row["ID"]: row for row in console.table("show_users")}
    assert rows["1"]["LOGINCLIENT"] == "alice" and rows["1"]["CONNECTION"] == "yes"
    assert rows["1"]["AVAILSTATE"] == "available" and rows["1"]["LINELIST"] == "11"
    assert rows["5"]["FULLNAME"] == "Zoë Ñandú-Øster" and rows["5"]["AVAILSTATE"] == "disconnected"


def test_show_phones(console):
    row = console.until("show_phones", lambda r: r["ID"] == "11" and "SIP/alice-" in r["CHANNELS"],
                        "alice's phone has a channel")
    assert (row["IDENTITY"], row["NUMBER"], row["CONTEXT"]) == ("SIP/alice", "1001", "default")
    assert row["IDUSERFEATURES"] == "1"


def test_lists_of_the_configuration(console):
    assert [(r["IDENTITY"], r["CONTEXT"]) for r in console.table("show_trunks")] == [("SIP/pstn", "from-extern")]
    assert [(r["NAME"], r["NUMBER"]) for r in console.table("show_queues")] == [
        ("support", "3001"), ("sales", "3002"), ("agentq", "3003"), ("empty", "3004")]
    assert [r["PHONEMEMBERS"] for r in console.table("show_queues")][0] == "12"
    assert [(r["NAME"], r["NUMBER"]) for r in console.table("show_groups")] == [("group", "3009")]
    assert [(r["NUMBER"], r["STATUS"], r["AVAILABILITY"]) for r in console.table("show_agents")] == [
        ("2001", "AGENT_LOGGEDOFF", "logged_out"), ("2002", "AGENT_LOGGEDOFF", "logged_out")]
    assert [r["EXTEN"] for r in console.table("show_incalls")] == ["0123456100", "0123456200"]
    assert [(r["CONFNO"], r["NAME"]) for r in console.table("show_meetme")] == [
        ("4001", "Open room"), ("4002", "Closed room")]
    assert console.table("show_voicemail")[0]["FULLMAILBOX"] == "1001@default"


def test_show_phonebook(console):
    assert console.table("show_phonebook") == [{
        "IPBX": "xivo", "NAME": "Ann Otto", "COMPANY": "ACME", "OFFICE": "0155", "MOBILE": "0655", "HOME": "-",
        "MAIL": "-"}]


@pytest.mark.parametrize("version", ["20", "1.8"])
def test_show_outcalls(version):
    with Stack(f"{version}/20-did-incoming.ami", pace="x4", parts=("sim", "state", "ami-gw")) as s, Console(s) as c:
        row = c.until("show_outcalls", lambda r: r["FROM"] != "-", "a call goes out")
        assert (row["IPBX"], row["TRUNK"]) == ("xivo", "SIP/pstn")
        assert row["CHANNEL"].startswith("SIP/pstn-") and row["FROM"].startswith("SIP/")


def test_show_logged(console):
    (row,) = console.table("show_logged")
    assert (row["IPBX"], row["USER"], row["LOGIN"], row["NAME"]) == ("xivo", "1", "alice", "Alice Martin")
    assert (row["PROFILE"], row["PRESENCE"], row["AS"]) == ("client", "available", "user")
    assert row["SESSION"].startswith(row["GATEWAY"])


def test_show_logged_ip_has_the_addresses_of_the_clients(stack, console):
    ip, port = stack.alice.socket.getsockname()
    (row,) = console.table("show_logged_ip")
    assert (row["IP"], row["PORT"], row["LOGIN"]) == (ip, str(port), "alice")


def test_currentstatus_has_what_belongs_to_what(console):
    def tree():
        lines = console.ok("currentstatus")
        text = "\n".join(lines)
        return lines if "channel SIP/alice-" in text and "with SIP/bob-" in text else None
    lines = until(tree, "alice talks to bob")
    assert lines[0] == "ipbx xivo: link up"
    at = lines.index("  user 1 alice (Alice Martin): available, logged in: yes")
    assert lines[at + 1].startswith("    phone 11 SIP/alice, number 1001@default: hint ")
    assert lines[at + 2].startswith("      channel SIP/alice-")
    at = next(i for i, line in enumerate(lines) if line.startswith("  queue 1 support, number 3001"))
    assert lines[at + 1].startswith("    member SIP/bob: status ")
    assert "  trunk 1 SIP/pstn" in lines and "  room 1, number 4001" in lines
    assert "  mailbox 1 1001@default: new 0, old 0" in lines


def test_loglevel(stack, console):
    assert console.ok("loglevel") == ["info"]
    assert console.ok("loglevel set debug") == ["debug"]
    assert console.ok("loglevel") == ["debug"]
    assert "usage" in console.ko("loglevel set loud")
    signal_of(stack.programs["state"], signal.SIGHUP)
    until(lambda: console.ok("loglevel") == ["info"], "a reload sets what the configuration says")


def test_show_var(stack, console):
    rows = dict(line.rsplit(None, 1) for line in console.ok("show_var")[1:])
    assert rows["ctibus_state_sessions"] == "1"
    assert any(name.startswith("process_") for name in rows)
    assert set(dict(line.rsplit(None, 1) for line in console.ok("show_var lists_")[1:])) == {
        "ctibus_state_lists_fetched_total", "ctibus_state_lists_failed_total", "ctibus_state_lists_unread"}
    assert console.ok("show_var nothing_like_it") == ["NAME  VALUE"]


def test_show_var_of_an_ipbx(console):
    users = console.ok("show_var xivo users")
    assert any(line.startswith("1: ") and " loginclient=alice " in f"{line} " for line in users)
    assert len(users) == len(console.ok("show_users")) - 1  # which has titles
    assert console.ko("show_var nosuch users") == "nosuch: there is no such ipbx"
    assert console.ko("show_var xivo nosuch") == "nosuch: there is no such list"
    for name in ("users", "phones", "agents", "voicemails"):
        assert not any(secret in line for line in console.ok(f"show_var xivo {name}") for secret in SECRETS)


def test_show_varsizes(console):
    rows = {row["PURPOSE"]: row for row in console.table("show_varsizes")}
    assert rows["users"]["COUNT"] == "5" and int(rows["users"]["BYTES"]) > 500
    assert int(rows["resident"]["BYTES"]) > int(rows["users"]["BYTES"])
    assert rows["sessions"]["COUNT"] == "1"


def test_fdlist(stack):
    with Console(stack, tcp=True) as console:
        rows = console.table("fdlist")
        port = console.socket.getsockname()[1]
    assert [r for r in rows if r["PEER"] == f"127.0.0.1:{port}"]
    assert [r for r in rows if r["LOCAL"].endswith(f":{stack.ports['request']}")]
    assert [r for r in rows if r["IS"].endswith("ctibus.db")]


def test_nothing_says_passwords(console):
    commands = [line.split()[0] for line in console.ok("help")[1:]]
    for command in commands:
        if command.startswith("show") or command in ("currentstatus", "fdlist"):
            text = "\n".join(console.ok(command))
            assert not [word for word in SECRETS if word in text.lower()], command


def test_ami_actions(console):
    lines = console.ok("ami xivo QueueStatus Queue=support")
    assert lines[0] == "Response: Success"
    assert "Event: QueueParams" in lines and "Queue: support" in lines and "Queue: sales" not in lines
    assert console.ok("ami xivo Setvar Variable=NOTE \"Value=a=b  c\"")[0] == "Response: Success"
    assert "Value: a=b  c" in console.ok("ami xivo Getvar Variable=NOTE")
    assert console.ok("ami xivo Setvar Variable=NOTE Value=several words")[0] == "Response: Success"
    assert "Value: several words" in console.ok("ami xivo Getvar Variable=NOTE")
    assert "Response: Error" in console.ko("ami xivo Nonsense")
    assert "the gateway's own" in console.ko("ami xivo Logoff")
    assert "HEADER=VALUE" in console.ko("ami xivo QueueStatus support")
    assert console.ko("ami nowhere Ping") == "nowhere: there is no such ipbx"
    assert console.ko("ami xivo") == "which action?"


def test_ami_console_commands(console):
    assert console.ok("ami xivo Command core show version") == [
        "Asterisk SIM-9.0.0 built by ctibus @ sim on a x86_64 running Linux"]
    assert "No such command 'core  x'" in console.ko("ami xivo command core  x")
    assert "what Asterisk's console is told" in console.ko("ami xivo Command")


def test_ami_inits_lists_everything_anew(stack, console):
    until(lambda: stack.snapshot("ipbx")[0]["link"] == "up", "all is listed")
    before = stack.metric("ami-gw", "ctibus_ami_resyncs_total")
    assert console.ok("ami inits") == ["xivo: asked to list everything anew"]
    until(lambda: stack.metric("ami-gw", "ctibus_ami_resyncs_total") > before, "it is listed anew")


def test_ami_without_a_link():
    with Stack(parts=("state",)) as s, Console(s) as c:
        assert c.ko("ami xivo Ping") == "the link is down"
        assert c.ko("ami inits") == "xivo: the link is down"
        (row,) = c.table("show_xivos")
        assert row["LINK"] == "down"
        assert "(none)" in c.ok("show_ami")[1]


def test_a_link_that_ends_while_an_action_waits():
    with Stack(parts=("sim", "state", "ami-gw")) as s, Console(s) as c:
        s.wait_ready()
        until(lambda: s.snapshot("ipbx")[0]["link"] == "up", "all is listed")
        signal_of(s.programs["sim"], signal.SIGSTOP)
        c.raw(b"ami xivo Ping\nshow_infos\n")
        c.close()  # who goes is not waited for
        with Console(s) as other:
            other.raw(b"ami xivo Ping\nloglevel\n")
            until(lambda: s.metric("state", r'ctibus_state_console_commands_total\{door="INFO"\}') >= 2, "it is asked")
            s.kill("sim")
            assert other.answer() == (["noconn"], "KO")
            assert other.answer() == (["info"], "OK")


def test_reverse(console):
    rows = {r["FIELD"]: r["VALUE"] for r in console.table("reverse internal 1002")}
    assert (rows["fullname"], rows["phone"], rows["xivo-directory"]) == ("Bob Tremblay", "1002", "Colleagues")
    assert console.ko("reverse internal 100") == "100: nobody's number there"
    assert console.ko("reverse nowhere 1002") == "nowhere: the configuration has no such directory"
    rows = {r["FIELD"]: r["VALUE"] for r in console.table("reverse contacts 0123456780")}
    assert (rows["xivo-directory"], rows["company"]) == ("Contacts", "Garçon, Père & Fils")


@pytest.mark.parametrize("country", [None, "33"])
def test_a_number_is_one_person_however_it_is_written(country):
    """With the country by the rules, without it by its last nine digits."""
    config = {"ctibus.dialplan.country": country} if country else {}
    with Stack(parts=("state",), config=config) as s:
        s.wait_ready("state")
        with Console(s) as c:
            for written in ("+33123456789", "0033123456789", "0123456789", "+33(0)123456789", "01.23.45.67.89"):
                rows = {r["FIELD"]: r["VALUE"] for r in c.table(f"reverse contacts {written}")}
                assert rows["company"] == "Boulangerie Dubois", written
            assert c.ko("reverse contacts 0123456780000") == "0123456780000: nobody's number there"


def test_sheet_is_sent_again(stack, console):
    bob = stack.client("bob")
    channel = wait_for(bob, "dial").internal["channel"]
    signal_of(stack.programs["sim"], signal.SIGSTOP)  # the call does not go on meanwhile
    try:
        assert console.ok(f"sheet dial {channel}") == [
            "of the call: 1 user; the event's conditions say who of them gets a sheet"]
        assert wait_for(bob, "dial").internal["channel"] == channel
        assert console.ko(f"sheet nothing {channel}") == "nothing: the configuration has no sheets for this event"
        assert console.ko("sheet dial SIP/nobody-1") == "SIP/nobody-1: there is no such channel"
        (called,) = [r["CHANNELS"] for r in console.table("show_phones") if r["ID"] == "12"]
        assert console.ok(f"sheet dial {called}")  # by the other end of the same call
        assert wait_for(bob, "dial").internal["channel"] == channel
    finally:
        signal_of(stack.programs["sim"], signal.SIGCONT)
    bob.close()


def test_webs_reload(stack, console):
    path = stack.path("users.json")
    users = json.loads(path.read_text())
    users[3]["mobilephonenumber"] = "0699"
    path.write_text(json.dumps(users))
    assert console.ok("webs reload users") == ["urllist_users: files are read, what comes over HTTP is being fetched"]
    assert "0699" in "\n".join(console.ok("showlist users 4"))
    assert console.ko("webs reload nothing") == "nothing: there is no such list"
    assert console.ko("webs start users") == "usage: webs reload LIST"


def test_dumpami_shows_what_is_wanted(stack, console):
    def events(n):
        lines = [console.line() for _ in range(n)]
        assert all(line.startswith("ami xivo ") for line in lines), lines
        return [line.split()[2].rstrip(":") for line in lines], lines

    gateway = stack.programs["ami-gw"]
    assert console.ok("dumpami enable Newchannel,Hangup") == ["AMI events follow: only Newchannel Hangup"]
    until(lambda: gateway.logged("raw events of xivo: on"), "the gateway publishes raw events")
    names, lines = events(6)
    assert set(names) == {"Newchannel", "Hangup"}
    assert re.match(r"ami xivo \w+: Privilege=call,all; Channel=SIP/\w+-[0-9a-f]+; ", lines[0])
    console.raw(b"dumpami disable Hangup\n")
    while (line := console.line()).startswith("ami "):
        pass
    assert (line, console.line(), console.line()) == (
        "AMI events follow: only Newchannel", "left out: Hangup", "XIVO-INFO:OK")
    assert set(events(4)[0]) == {"Newchannel"}
    console.raw(b"dumpami enable\n")
    while (line := console.line()).startswith("ami "):
        pass
    assert (line, console.line()) == ("AMI events follow: all of them", "XIVO-INFO:OK")
    assert len(set(events(40)[0])) > 5
    console.raw(b"dumpami disable\n")
    while (line := console.line()).startswith("ami "):
        pass
    assert (line, console.line()) == ("no AMI events follow", "XIVO-INFO:OK")
    assert console.ok("loglevel") == ["info"]  # nothing comes in between any more
    until(lambda: gateway.logged("raw events of xivo: off"), "the gateway publishes them no more")
    assert "usage" in console.ko("dumpami maybe")
    assert "at most 32 names" in console.ko("dumpami enable " + ",".join(f"E{i}" for i in range(33)))


def test_a_console_that_goes_wants_no_events(stack):
    gateway = stack.programs["ami-gw"]
    alone(stack)
    before = sum("raw events of xivo: off" in line for line in list(gateway.lines))
    with Console(stack) as c:
        c.ok("dumpami")
        assert c.line().startswith("ami xivo ")
    until(lambda: sum("raw events of xivo: off" in line for line in list(gateway.lines)) == before + 1, "it is off")


def test_a_console_that_does_not_read_loses_events_and_is_told():
    with Stack("20/90-burst.ami.gz", pace="20000/s", parts=("sim", "state", "ami-gw")) as s:
        s.wait_ready()
        with Console(s, receive_buffer=4096) as slow:
            slow.ok("dumpami")
            until(lambda: s.metric("state", "ctibus_state_info_events_lost_total") > 100, "events are lost")
            slow.raw(b"dumpami disable\n")
            lost = 0
            while (line := slow.line()) != "XIVO-INFO:OK":
                m = re.match(r"\((\d+) events left out: they were not read in time\)", line)
                lost += int(m[1]) if m else 0
                assert m or line.startswith(("ami xivo ", "no AMI events")), line
        assert lost > 0


def test_kick_ends_the_sessions_of_a_user(stack, console):
    clients = [stack.client("carol"), stack.client("carol")]
    assert len([r for r in console.table("show_logged") if r["LOGIN"] == "carol"]) == 2
    assert console.ok("kick carol") == ["2 sessions ended"]
    for c in clients:
        assert [m["class"] for m in c.closed()][-1] == "disconnect"
    console.until("show_users", lambda r: r["ID"] == "3" and r["CONNECTION"] == "-", "carol is away")
    assert console.ko("kick carol") == "no session of this user"
    assert console.ko("kick nobody") == "nobody: there is no such user"
    one = stack.client("carol")
    assert console.ok("kick xivo/3") == ["1 session ended"]
    one.closed()


def test_disc_ends_the_session_at_an_address(stack, console):
    one, other = stack.client("dave"), stack.client("dave")
    ip, port = one.socket.getsockname()
    assert console.ok(f"disc {ip} {port}") == ["1 session ended"]
    assert [m["class"] for m in one.closed()][-1] == "disconnect"
    assert other.ask("getipbxlist")["ipbxlist"] == ["xivo"]  # it goes on
    assert [r for r in console.table("show_logged") if r["LOGIN"] == "dave"]
    other.close()
    console.until("show_users", lambda r: r["ID"] == "4" and r["CONNECTION"] == "-", "dave is away")
    assert console.ko(f"disc {ip} {port}") == "no session of a client at this address"
    assert console.ko("disc here 1") == "here: is no address"
    assert console.ko("disc 127.0.0.1 70000") == "70000: is no port"


def test_addresses_survive_a_restart_of_state():
    with Stack(parts=("state", "cti-gw")) as s:
        s.wait_ready()
        client = s.client("alice")
        ip, port = client.socket.getsockname()
        s.kill("state")
        s.start("state")
        s.wait_ready()

        def known():
            with Console(s) as c:
                return [(r["IP"], r["PORT"]) for r in c.table("show_logged_ip")] == [(ip, str(port))]
        until(known, "the gateway has told its sessions again")
        client.close()


def test_exit_and_the_end_of_input(stack):
    with Console(stack) as c:
        assert c.ask("exit") == ([], "OK")
        assert c.line() is None
    with Console(stack) as c:
        c.raw(b"loglevel\nloglevel")  # the last line has no end
        c.socket.shutdown(socket.SHUT_WR)
        assert c.answer() == c.answer() == (["info"], "OK")
        assert c.line() is None


def test_nonsense(stack):
    with Console(stack) as c:
        for piece in b"show_infos\r\n":
            c.raw(bytes([piece]))
        assert c.answer()[1] == "OK"
        c.raw(b"\xff\xfe\xc2\x9b2J\n\n\n  \n")
        lines, end = c.answer()
        assert end == "KO" and "\x9b" not in lines[0]
        assert "XIVO-INFO" in c.ko("XIVO-INFO\r")
        c.raw(b"x" * 5000)
        assert c.line() == "XIVO-INFO:KO a line is at most 4096 bytes"
        assert c.line() is None
    assert stack.is_ready("state")


CHANGES = ("kick alice", "disc 127.0.0.1 1", "ami xivo Ping", "ami inits", "sheet dial SIP/x", "webs reload users",
           "loglevel set info")


def test_over_tcp_it_only_shows_without_the_token(stack):
    with Console(stack, tcp=True) as c:
        for command in CHANGES:
            assert "what changes something needs `token TOKEN` first" in c.ko(command)
        assert c.ok("loglevel") == ["info"]
        assert c.ok("show_users")
        assert c.ok(f"token {TOKEN}") == []
        assert c.ok("loglevel set info") == ["info"]
        assert "Response: Success" in c.ok("ami xivo Ping")
    with Console(stack, tcp=True) as c:  # it counts for one connection
        c.ko("ami inits")
    assert stack.client("alice").ask("getipbxlist")  # nobody was kicked


def test_a_wrong_token_ends_the_connection(stack):
    before = stack.metric("state", "ctibus_state_info_wrong_tokens_total")
    for wrong in (TOKEN[:-1], TOKEN + "x", TOKEN.upper(), '""'):
        with Console(stack, tcp=True) as c:
            c.raw(f"token {wrong}\nami inits\n".encode())
            assert c.answer() == (["that is not the token"], "KO")
            assert c.line() is None
    assert stack.metric("state", "ctibus_state_info_wrong_tokens_total") == before + 4
    stack.programs["state"].says(": cut off: a wrong token")
    assert not stack.programs["state"].logged(TOKEN)


def test_without_a_token_nobody_has_it():
    with Stack(parts=("state",), config={"ctibus.console": {}}) as s:
        s.wait_ready()
        for wrong in ('""', "null", TOKEN):
            with Console(s, tcp=True) as c:
                assert c.ko(f"token {wrong}") == "there is no token: ctibus.console.token"
                assert c.line() is None
        with Console(s, tcp=True) as c:
            c.ko("webs reload users")


def test_there_is_room_for_some(stack):
    alone(stack)
    consoles = [Console(stack) for _ in range(16)]
    for c in consoles:
        assert c.ok("loglevel") == ["info"]
    with Console(stack) as c:
        assert c.line().endswith("is refused: 16 are connected already")
        assert c.line() is None
    for c in consoles:
        c.close()
    alone(stack)
    with Console(stack) as c:
        assert c.ok("loglevel") == ["info"]


def test_who_may_connect():
    with Stack(parts=("state",), config={"ctibus.access.info": ["127.0.0.2/32"]}) as s:
        s.wait_ready()
        with Console(s, tcp=True) as c:
            c.raw(b"help\n")
            assert re.fullmatch(r"XIVO-INFO:KO 127\.0\.0\.1:\d+ is refused: its address is not in ctibus\.access\.info",
                                c.line())
            assert c.line() is None
        assert s.metric("state", r'ctibus_state_console_refused_total\{door="INFO"\}') == 1
        s.programs["state"].says("INFO: 127.0.0.1:")
        with Console(s, source="127.0.0.2") as c:
            assert c.ok("loglevel") == ["info"]
