"""ctibus check reads the lists, and refuses what a start would stumble over: file, place and remedy, all at once."""

import json
import pathlib
import subprocess
import tempfile

import pytest
from stack import BIN

AMI = {"ipaddress": "127.0.0.1", "username": "u", "password": "p"}
USERS = [{"id": "1", "loginclient": "alice", "passwdclient": "a secret", "profileclient": "client"},
         {"id": "2", "loginclient": "bob", "passwdclient": "another", "profileclient": "client"}]
LINES = [{"id": "11", "protocol": "sip", "name": "alice", "number": "1001", "iduserfeatures": 1},
         {"id": "12", "protocol": "pjsip", "name": "bob", "number": 1002, "iduserfeatures": "2"}]


def check(users=USERS, lines=LINES, ctibus=None, urllists=None, people=None, keep=()):
    """What `ctibus check` of such a site says: exit code and text. Texts are written as they are."""
    with tempfile.TemporaryDirectory(prefix="ctibus-check-") as name:
        folder = pathlib.Path(name)
        lists = {"urllist_users": ["file:users.json"], "urllist_lines": ["file:lines.json"]}
        if people is not None:
            lists["urllist_users"].append("csv:people.csv")
            (folder / "people.csv").write_text(people, encoding="latin-1")
        for file, value in (("users", users), ("lines", lines)):
            if value is not None:
                (folder / f"{file}.json").write_text(value if isinstance(value, str) else json.dumps(value))
        config = ctibus if isinstance(ctibus, str) else json.dumps({
            "ipbxes": {"xivo": {"ipbx_connection": AMI, "urllists": {**lists, **(urllists or {})}}},
            "profiles": {"client": {"name": "C"}}, "ctibus": ctibus or {}})
        (folder / "ctibus.json").write_text(config)
        done = subprocess.run([BIN / "ctibus-state", "--config", folder / "ctibus.json", "--check", *keep],
                              capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr.replace(name, "")


def test_a_good_one():
    assert check() == (0, "configuration ok\n")
    assert check(people="number,login,password\n1001,carole,hers\n") == (0, "configuration ok\n")
    assert check(people="number\tlogin\tpassword\n1003\tcarole\thers, his\n") == (0, "configuration ok\n")
    assert check(people="number,login,groups\n,alice,Sales\n") == (0, "configuration ok\n"), "joins the user of the file"


def changed(rows, i, **fields):
    return [{**row, **fields} if n == i else row for n, row in enumerate(rows)]


@pytest.mark.parametrize("site,said", [
    ({"users": None}, ["/users.json: No such file or directory (urllist_users names it)"]),
    ({"users": "[{]"}, ["/users.json: line 1: is not JSON from here on"]),
    ({"users": "[\n{},\n{\"id\": 1,}\n]"}, ["/users.json: line 3: is not JSON from here on"]),
    ({"users": "\ufeff" + json.dumps(USERS)}, ["/users.json: line 1: begins with a byte order mark"]),
    ({"users": {"users": USERS}}, ["/users.json: must be a JSON array"]),
    ({"users": [*USERS, {**USERS[0], "id": 1, "loginclient": "carole"}]}, ["item 3: id 1 is there twice"]),
    ({"users": changed(USERS, 1, loginclient="alice")}, ["item 2: login alice is that of another user, too"]),
    ({"users": changed(USERS, 0, profileclient="clients")},
     ["item 1: profileclient clients is none of `profiles`: alice cannot log in"]),
    ({"users": changed(USERS, 0, passwdclient="")}, ["item 1: alice has no passwdclient, and cannot log in"]),
    ({"users": [*USERS, {"id": 3, "fristname": "Carole"}]},
     ["item 3: fristname is not known: did you mean firstname?"]),
    ({"users": [*USERS, {"firstname": "Carole"}, "Dave"]}, ["item 3: has no id", "item 4: is not an object"]),
    ({"users": '[{"id": "1", "firstname": "A",\n"firstname": "B"}]'},
     ['/users.json: line 2: "firstname" is there twice in one object']),
    ({"lines": changed(LINES, 0, iduserfeatures=7)}, ["/lines.json: item 1: iduserfeatures 7 is the id of no user"]),
    ({"lines": changed(LINES, 1, protocol="psip")}, ["item 2: protocol psip is not known: did you mean sip?"]),
    ({"lines": changed(LINES, 1, protocol="telephone")}, ["item 2: protocol telephone is not known: it must be"]),
    ({"lines": changed(LINES, 1, name="")}, ["item 2: has no name"]),
    ({"urllists": {"urllist_user": ["file:users.json"]}},
     ["xivo: urllists.urllist_user: is not known: did you mean urllist_users?"]),
    ({"people": "number,login,pasword\n1001,alice,x\n"}, ["/people.csv: line 1: column pasword is not known: did you mean password?",
                                                          "/people.csv: line 2: login alice is that of another user",
                                                          "line 2: alice has no password, and"]),
    ({"people": "number,login,password\n1001,carole,x\n\n1001,dave,y\n"}, ["line 4: number 1001 is there twice"]),
    ({"people": "number,login,password\n1003,carole,x\n1004,dave,\"y\n"}, ["line 3: a quoted field that begins here does not end"]),
    ({"people": "number,login,password_hash\n1003,carole,hers\n1004,dave,$6$abc\n1005,erin,$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/\n"},
     ["line 2: password_hash is no hash", "line 2: carole has no password, and cannot", "line 3: password_hash is no hash"]),
    ({"people": "number;number;login\n"}, ["line 1: column number is there twice"]),
    ({"people": "colour,shape\n"}, ["line 1: column colour is not known; number, login", "no column is called number or login"]),
    ({"people": ""}, ["line 1: the file is empty"]), ({"people": "number,login\n1003,a\0b\n"}, ["there is a NUL byte in it"]),
    ({"people": "number,login\n".encode("utf-16").decode("latin-1")}, ["it is UTF-16: save it as CSV UTF-8"]),
    ({"people": "number,login,profile\n1003,carole,usr\n"}, ["line 2: profile usr is none of"]),
    ({"urllists": {"urllist_queues": ["asterisk"]}}, ['"asterisk" is none of file:, http:, https:, csv: and asterisk:']),
    ({"people": "number,login,firstname\n,alice,A\n,alice,B\n"}, ["/people.csv: line 3: login alice is there twice"]),
    ({"people": "number,login,profile\n,alice,x\n"}, ["/people.csv: line 2: profile x is none of"]),
    ({"ctibus": {"bus": {"subscribe": "tcp://0.0.0.0:5551"}}},
     ["ctibus.bus.subscribe is tcp://0.0.0.0:5551, which other machines reach: set up CURVE"]),
    ({"ctibus": {"bus": {"publish": "tcp://127.0.0.1:5551", "subscribe": "tcp://127.0.0.1:5551"}}},
     ["ctibus.bus.subscribe: state cannot listen there: it is the address of ctibus.bus.publish, too"]),
    ({"users": None, "ctibus": {"bus": {"subscribe": "tcp://0.0.0.0:5551"}}},
     ["which other machines reach: set up CURVE", "/users.json: No such file or directory"]),
    ({"ctibus": {"bus": {"publish": "tcp://0.0.0.0:5550", "subscribe": "tcp://0.0.0.0:5550"},
                 "auth": {"ldap": {"uri": "ldap://127.0.0.1"}}}},
     ["ctibus.bus.publish is tcp://0.0.0.0:5550, which", "ctibus.bus.subscribe is tcp://0.0.0.0:5550, which",
      "ctibus.bus.subscribe: state cannot listen there: it", "ctibus.auth.ldap.uri needs user_dn"]),
    ({"users": None, "ctibus": {"buss": {}, "log": {"level": 3}}},
     ["did you mean ctibus.bus", "ctibus.log.level: must be", "/users.json: No such file or directory"]),
    ({"ctibus": {"database": "sqlite:/nonexistent/x.db"}}, ["/nonexistent: ctibus.database: there is no such folder"]),
    ({"ctibus": "\ufeff{}"}, ["/ctibus.json: begins with a byte order mark: save it as UTF-8 without one"]),
    ({"urllists": {"urllist_groups": ["asterisk:"]}}, ["urllist_groups: an Asterisk has no such list"]),
    ({"urllists": {"urllist_phones": ["file:lines.json"]}}, ["urllists.urllist_phones: is not known; urllist_users"]),
    ({"ctibus": {"bus": {"subscribee": "tcp://127.0.0.1:5551"}}}, ["did you mean ctibus.bus.subscribe"]),
    ({"ctibus": '{"ipbxes": {}, "ipbxes": {}}'}, ['"ipbxes"']),
    ({"users": changed(USERS, 0, profileclient="x"), "lines": changed(LINES, 0, iduserfeatures=9)},
     ["profileclient x is none", "iduserfeatures 9 is the id of no user"]),
])
def test_what_is_wrong_is_told_with_file_place_and_remedy(site, said):
    """Exit code 2: it would not start; 3: only lists have faults, with which it does."""
    code, text = check(**site)
    assert code == (2 if "ctibus" in site or "urllist_groups" in text or '"asterisk"' in text else 3), text
    assert all(part in text for part in said), text
    assert all(text.count(line) == 1 for line in text.splitlines()), "each once"


def test_a_list_that_is_wrong_throughout_does_not_fill_the_screen():
    code, text = check(users=[{"id": i, "fristname": "x"} for i in range(1000)], lines=[])
    assert code == 3 and text.count("\n") == 21 and "more of the same kind follow" in text


def test_a_list_that_cannot_be_read_is_told_once():
    """Not once more for each line of its users."""
    code, text = check(users="[{]")
    assert code == 3 and text.count("\n") == 1 and "users.json" in text


def test_lists_of_the_asterisk_and_of_web_servers_are_not_asked_for():
    code, text = check(users=None, lines=None, urllists={"urllist_users": ["asterisk:"],
                                                         "urllist_lines": ["http://127.0.0.1:9/lines"]})
    assert (code, text) == (0, "configuration ok\n")


def test_a_fault_that_all_services_see_is_told_once():
    with tempfile.TemporaryDirectory(prefix="ctibus-check-") as name:
        config = pathlib.Path(name, "ctibus.json")

        def run(**ctibus):
            config.write_text(json.dumps({"ipbxes": {"xivo": {"ipbx_connection": AMI, "urllists": {
                "urllist_users": ["file:users.json"]}}}, "ctibus": ctibus}))
            done = subprocess.run([BIN / "ctibus", "--config", config, "check"], check=False, capture_output=True,
                                  text=True, timeout=60)
            return done.returncode, done.stdout, done.stderr

        code, out, err = run(buss={})
        assert (code, err.count("did you mean ctibus.bus"), err.count("users.json: No such file")) == (2, 1, 1), err
        assert out.count("cannot run with this configuration") == 6
        code, out, err = run()
        assert (code, err.count("\n")) == (3, 1), err
        assert out.splitlines()[0] == "state      runs, but not as the lists are meant" and out.count(" ok\n") == 5


def test_a_certificate_that_is_only_an_offer_is_looked_at():
    """With CTIS off the gateway starts without it, and nobody would see that there is no TLS."""
    with tempfile.TemporaryDirectory(prefix="ctibus-check-") as name:
        config = pathlib.Path(name, "ctibus.json")
        config.write_text(json.dumps({"certfile": "none.pem", "ctibus": {"cti": {"websocket": "127.0.0.1:5080"}}}))
        done = subprocess.run([BIN / "ctibus-cti-gw", "--config", config, "--check"], check=False, capture_output=True, text=True, timeout=30)
        assert done.returncode == 3 and "certfile: " in done.stderr and "none.pem: No such file" in done.stderr
