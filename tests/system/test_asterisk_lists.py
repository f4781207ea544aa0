"""Sites without lists of their own: phones, queues... come from the Asterisk, and what only people know from a CSV."""

import datetime
import json

import pytest
from stack import SANITIZED, Stack, signal, signal_of, until

OFFICE = ("--rate", "0", "--office-guests", "alice,bob,carole,david")
LISTS = ("users", "lines", "queues", "agents", "meetmes", "voicemails", "parkinglot", "trunks")
PEOPLE = """number,login,firstname,lastname,password,profile,mobile,email,agent
1001,alice,,,alice,administrator,+33611111111,alice@example.org,
1002,bob,Robert,Tremblay-Côté,secret,client,,,
,boss,Diane,Boss,secret,supervisor,,,
"""


def asterisk_site(office=OFFICE, people=PEOPLE, **options):
    """A stack whose lists are all "asterisk:", with the people of a CSV."""
    stack = Stack(office=office, parts=(), **options)
    lists = {f"urllist_{name}": ["asterisk:"] for name in LISTS}
    lists["urllist_users"].append("csv:people.csv")
    for old in stack.path("").glob("*.json"):
        if old.name != "ctibus.json":
            old.unlink()
    stack.set("ipbxes.xivo.urllists", lists)
    stack.path("people.csv").write_text(people)
    return stack


def ids(stack, name):
    return {o["id"] for o in stack.snapshot(name)}


def objects(stack, name):
    return {o["id"]: o for o in stack.snapshot(name)}


def time_of(program, text, nth=0):
    """When a program logged something, in seconds since 1970."""
    line = [line for line in program.lines if text in line][nth]
    return datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp()


def found(stack, n=30):
    until(lambda: len(ids(stack, "phones")) == n, lambda: f"{n} phones: {sorted(ids(stack, 'phones'))}")


@pytest.mark.parametrize("dialect,driver", [("20", "pjsip"), ("1.8", "sip")])
def test_all_that_the_asterisk_has_is_there(dialect, driver):
    with asterisk_site((*OFFICE, "--office-dialect", dialect)) as stack:
        for part in ("sim", "state", "ami-gw", "cti-gw"):
            stack.start(part)
        found(stack)
        phones, users = objects(stack, "phones"), objects(stack, "users")
        assert phones[f"{driver}-alice"]["number"] == "1001" and phones[f"{driver}-alice"]["context"] == "default"
        assert users["1003@default"]["fullname"] == "Carole Lefèvre"
        assert users["1001@default"]["linelist"] == [f"{driver}-alice"]
        assert users["1001@default"]["voicemailid"] == "1001@default"
        queues = objects(stack, "queues")
        assert {q["number"] for q in queues.values()} == {"3001", "3002"}, queues
        assert "2001" in ids(stack, "agents") and ids(stack, "meetmes") == {"4001"}
        assert objects(stack, "parkinglots")["default"]["extension"] == "700"
        assert ids(stack, "trunks") == {f"{driver}-trunk"} and "1001@default" in ids(stack, "voicemails")
        # the lamps, which the listing before could not set
        until(lambda: objects(stack, "phones")[f"{driver}-alice"]["hintstatus"] == "0", "a lamp is right")


def test_people_over_it():
    with asterisk_site() as stack:
        for part in ("sim", "state", "ami-gw", "cti-gw"):
            stack.start(part)
        found(stack)
        users = objects(stack, "users")
        alice, bob = users["1001@default"], users["1002@default"]
        assert alice["fullname"] == "Alice Martin" and alice["mobilephonenumber"] == "+33611111111"
        assert alice["email"] == "alice@example.org" and alice["profileclient"] == "administrator"
        assert bob["fullname"] == "Robert Tremblay-Côté"
        assert users["boss"]["fullname"] == "Diane Boss" and users["boss"]["linelist"] == []
        assert "loginclient" not in users["1003@default"] or not users["1003@default"]["loginclient"]
        client = stack.client("alice", password="alice")
        answer = client.ask("getlist", function="updatestatus", listname="phones", tipbxid="xivo", tid="pjsip-alice")
        assert answer["status"]["hintstatus"] == "0"
        client.close()


def test_people_over_a_list_in_a_file():
    """By the number that the file gives a user, else by the login; a row for nobody in it is a user of its own."""
    people = ("number,login,lastname,password,groups\n1002,bob,Row,secret,\n1003,carole,,hers,Sales\n,dave,,his,\n"
              ",alice,Login,,Sales; Front desk\n")
    users = [{"id": "1", "loginclient": "alice", "passwdclient": "alices", "number": 1001, "firstname": "Alice"},
             {"id": "2", "number": "1002", "firstname": "Bob", "lastname": "File"}]
    with asterisk_site(people=people) as stack:
        stack.path("users.json").write_text(json.dumps(users))
        stack.set("ipbxes.xivo.urllists.urllist_users", ["file:users.json", "csv:people.csv"])
        stack.start("state")
        until(lambda: ids(stack, "users") == {"1", "2", "1003", "dave"}, "four users")
        bob = objects(stack, "users")["2"]
        assert (bob["firstname"], bob["lastname"], bob["loginclient"]) == ("Bob", "Row", "bob")
        alice = objects(stack, "users")["1"]
        assert (alice["firstname"], alice["lastname"], alice["groups"]) == ("Alice", "Login", "Sales; Front desk")


def test_it_is_known_at_the_next_start_while_the_asterisk_is_away():
    with asterisk_site() as stack:
        for part in ("sim", "state", "ami-gw"):
            stack.start(part)
        found(stack)
        for part in ("sim", "ami-gw", "state"):
            stack.programs[part].terminate()
        stack.start("state")
        stack.start("cti-gw")
        found(stack)
        stack.client("alice", password="alice").close()


def test_only_differences_are_published():
    """A reload asks the Asterisk again; the same answer changes nothing, a changed CSV one user."""
    with asterisk_site() as stack:
        for part in ("sim", "state", "ami-gw", "cti-gw"):
            stack.start(part)
        found(stack)
        client = stack.client("alice", password="alice")
        for i in client.ask("getlist", function="listid", listname="users", tipbxid="xivo")["list"]:
            client.ask("getlist", function="updateconfig", listname="users", tipbxid="xivo", tid=i)
        client.seen.clear()
        asked = stack.programs["ami-gw"].count("resync of xivo: complete")
        signal_of(stack.programs["state"], signal.SIGHUP)
        stack.path("people.csv").write_text(PEOPLE.replace("Robert", "Roberto"))
        signal_of(stack.programs["state"], signal.SIGHUP)
        client.wait(lambda: [m for m in client.seen if m["listname"] == "users"], "a change is told")
        assert {(m["function"], m["tid"]) for m in client.seen if m["listname"] == "users"} == \
            {("updateconfig", "1002@default")}
        assert stack.programs["ami-gw"].count("resync of xivo: complete") == asked, "nothing is listed for it"
        client.close()


def unread(stack):
    return stack.metric("state", "ctibus_state_lists_unread")


def test_lists_that_are_not_known_yet_are_counted():
    """Eight of an Asterisk that was never reached; a file that is not there, until it is."""
    with asterisk_site() as stack:
        stack.set("ipbxes.xivo.urllists.urllist_groups", ["file:groups.json"])
        stack.start("state").listening("metrics")
        until(lambda: unread(stack) == 9, lambda: unread(stack))
        until(lambda: stack.metric("state", "ctibus_state_lists_failed_total") > 0, "a failure is counted")
        stack.start("sim")
        stack.start("ami-gw")
        until(lambda: unread(stack) == 1, lambda: unread(stack))
        stack.path("groups.json").write_text("[]")
        signal_of(stack.programs["state"], signal.SIGHUP)
        until(lambda: unread(stack) == 0, lambda: unread(stack))
        stack.path("groups.json").unlink()
        signal_of(stack.programs["state"], signal.SIGHUP)
        stack.programs["state"].says("what is known of it stays")
        assert unread(stack) == 0, "it is known from before"


@pytest.mark.parametrize("text,log", [
    ("", "line 1: the file is empty"),
    ("name,phone\nAlice,1001\n", "no column is called number or login"),
    ("number,login,colour\n1001,alice,red\n", "column colour is not known"),
    ('number,login\n1001,"alice\n', "line 2: a quoted field that begins here does not end"),
])
def test_a_csv_that_is_wrong(text, log):
    with asterisk_site(people=text) as stack:
        for part in ("sim", "state", "ami-gw"):
            stack.start(part)
        stack.programs["state"].says(log)


def test_an_endpoint_added_renamed_removed():
    """By a `module reload` the Asterisk has other people: their objects come and go, the ids of the others stay."""
    with asterisk_site(("--rate", "0", "--office-people", "12")) as stack:
        for part in ("sim", "state", "ami-gw"):
            stack.start(part)
        found(stack, 12)
        before = ids(stack, "users")
        stack.office = ("--rate", "0", "--office-people", "11")
        stack.programs["sim"].terminate()
        stack.start("sim")
        found(stack, 11)
        assert ids(stack, "users") < before
        stack.programs["sim"].terminate()
        stack.office = ("--rate", "0", "--office-people", "12")
        stack.start("sim")
        found(stack, 12)
        assert ids(stack, "users") == before


@pytest.mark.parametrize("less", [("--write", "call,agent,user,originate,command"), ("--without", "res_pjsip,app_queue")],
                         ids=["permission", "module"])
def test_what_is_refused_for_a_time_is_not_gone(less):
    """An Asterisk that lists less than before, as one that has just started, takes nothing away: nobody is logged out."""
    with asterisk_site() as stack:
        for part in ("sim", "state", "ami-gw", "cti-gw"):
            stack.start(part)
        found(stack)
        before = {name: ids(stack, name) for name in ("users", "phones", "queues", "voicemails")}
        client = stack.client("alice", password="alice")
        stack.programs["sim"].terminate()
        stack.sim_args = less
        stack.start("sim")
        stack.programs["state"].says("does not list all of its")
        assert {name: ids(stack, name) for name in before} == before
        assert client.ask("getlist", function="listid", listname="phones", tipbxid="xivo")["list"]
        client.close()
        stack.programs["sim"].terminate()
        stack.sim_args = ()
        stack.office = ("--rate", "0", "--office-people", "29")
        stack.start("sim")
        found(stack, 29)


@pytest.mark.alone
def test_five_thousand_endpoints():
    """All of them are known 5 s after the login, and a resync of them takes less than 2 s."""
    with asterisk_site(("--rate", "0", "--office-people", "5000"), people="login\n") as stack:
        for part in ("sim", "state", "ami-gw"):
            stack.start(part)
        state, gateway = stack.programs["state"], stack.programs["ami-gw"]
        until(lambda: state.logged("its Asterisk has 5000 users, 5000 lines"), "they are found")
        until(lambda: gateway.count("resync of xivo: complete") == 2, "they are listed again")
        slower = 4 if SANITIZED else 1
        assert time_of(state, "its Asterisk has") - time_of(gateway, "logged in to") < 5 * slower
        assert time_of(gateway, "resync of xivo: complete", 1) - time_of(state, "its Asterisk has") < 2 * slower
        assert len(ids(stack, "phones")) == 5000
