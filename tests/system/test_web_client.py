"""The web client in a real Chromium, against the whole stack and a simulated company."""

import json
import math
import re
import signal
import subprocess
import time

import pytest
from browser import Keys, Page, Select, needs_browser
from stack import BIN, Stack, until

pytestmark = needs_browser
# of the page, or what other tests ask of the server as well: a sanitizer would see nothing new, and take its time
of_the_page = pytest.mark.skipif("asan" in str(BIN) or "tsan" in str(BIN), reason="nothing new of the server is tested")
QUIET = ("--rate", "0", "--office-guests", "alice,bob,carole,david")
CONFIG = {"ctibus.cti.websocket": "127.0.0.1:0"}


def company(office=QUIET, lines=None, **config):
    """lines: changes the list of lines before anything is started."""
    stack = Stack(office=office, config={**CONFIG, **config}, parts=())
    if lines:
        stack.path("lines.json").write_text(json.dumps(lines(json.loads(stack.path("lines.json").read_text()))))
    for part in ("sim", "state", "ami-gw"):
        stack.start(part)
    site = json.loads(stack.path("ctibus.json").read_text())
    site["ctibus"]["cti"]["websocket"] = f"127.0.0.1:{free()}"
    stack.path("ctibus.json").write_text(json.dumps(site))
    stack.start("cti-gw", doors=("CTI", "websocket"))
    return stack.wait_ready()


def free():
    from stack import free_port  # pylint: disable=import-outside-toplevel
    return free_port()


def url(stack, path="/"):
    return f"http://127.0.0.1:{stack.programs['cti-gw'].websocket}{path}"


@pytest.fixture(name="office", scope="module")
def fixture_office():
    with company() as stack:
        yield stack


@pytest.fixture(name="alice")
def fixture_alice(office):
    quiet(office)
    with Page(url(office)) as page:
        yield page.login("alice")
        assert page.problems() == []
        hang_up_all(office)


def hang_up_all(stack):
    client = stack.client("alice")
    for channel in stack.sim_status()["channels"]:
        client.ask("ipbxcommand", command="hangup", channelids=[f"chan:xivo/{channel}"])
    client.send("logout")
    quiet(stack)


def quiet(stack):
    until(lambda: stack.sim_status()["channels"] == [], "nobody talks")


def call(alice, bob):
    """Alice calls Bob by a click, he answers by a click."""
    alice.click(label="Call Bob Tremblay")
    bob.click(".call-ringing .button.good")
    for page, other in ((alice, "Bob Tremblay"), (bob, "Alice Martin")):
        page.wait_text("In call", ".call")
        page.wait_text(other, ".call")


# ---- logging in and out ----

def test_a_login_a_reload_and_a_logout(office):
    with Page(url(office)) as page:
        page.screen("login")
        page.type("input[name=user]", "alice")
        page.type("input[name=password]", "wrong")
        page.click(".button.primary")
        page.wait_text("The user name or the password is wrong", "[role=alert]")
        page.login("alice")
        page.wait_text("Bob Tremblay", ".people")
        page.driver.refresh()
        page.wait_text("Bob Tremblay", ".people")
        assert not any("token" in value.lower() for value in (page.driver.current_url, page.text()))
        page.click(label="Presence and settings")
        page.click(label="Log out")
        page.one("input[name=user]")
        page.driver.refresh()
        page.one("input[name=user]")


@of_the_page
def test_a_revoked_token_leads_to_the_login_with_the_reason(office):
    with Page(url(office)) as one, Page(url(office)) as two:
        one.login("carole")
        two.login("carole")
        one.click(label="Presence and settings")
        one.click(label="Log out on all devices")
        two.wait_text("You were logged out", "[role=alert]")
        two.screen("logged_out")
        two.js("localStorage.setItem('ctibus.token', 'x'.repeat(43))")
        two.driver.refresh()
        two.wait_text("expired or was revoked", "[role=alert]")


def test_a_page_of_another_origin_gets_no_session(office):
    with Page(url(office)) as page:
        other = url(office).replace("127.0.0.1", "localhost")
        page.driver.get(other)
        said = page.driver.execute_async_script("""
            const done = arguments[1], socket = new WebSocket(arguments[0].replace('http', 'ws') + 'cti');
            socket.onopen = () => done('open'); socket.onerror = () => done('refused');""", url(office))
        assert said == "refused"


# ---- calls ----

def test_calls_transfers_and_what_others_see(office, alice):
    with Page(url(office), dark=True) as bob:
        bob.login("bob")
        call(alice, bob)
        alice.screen("call")
        until(lambda: bob.lamp("Alice Martin") == "busy", "bob sees alice talk")
        assert "1002" in alice.text(".call") and "With Alice Martin" in alice.card("Bob Tremblay")
        alice.click(label="More", inside=".call")
        alice.click(label="Hold (where the phone can)")
        alice.wait_text("On hold", ".call")
        until(lambda: bob.lamp("Alice Martin") == "hold", "bob sees that she holds")
        alice.click(label="More", inside=".call")
        alice.click(label="Resume")
        alice.wait_text("In call", ".call")
        # to Carole, by a click on her card
        with Page(url(office)) as carole:
            carole.login("carole")
            alice.click(label="Transfer the call to Carole Lefèvre")
            carole.one(".call-ringing")
            carole.wait_text("Bob Tremblay", ".call")
            alice.gone(".call")
            carole.screen("ringing")
            carole.click(".call-ringing .button.good")
            bob.wait_text("Carole Lefèvre", ".call")
            carole.click(label="Hang up")
            bob.gone(".call")
            until(lambda: carole.lamp("Bob Tremblay") == "idle", "all is quiet")


def test_a_transfer_after_asking(office, alice):
    with Page(url(office)) as bob, Page(url(office)) as carole:
        bob.login("bob")
        carole.login("carole")
        call(alice, bob)
        alice.click(label="Transfer", inside=".call")
        alice.type(".transfer input", "1003")
        alice.click(label="Ask first")
        carole.click(".call-ringing .button.good")
        carole.wait_text("Alice Martin", ".call")
        alice.click(label="Complete the transfer")
        carole.wait_text("Bob Tremblay", ".call")
        alice.gone(".call")
        assert office.sim_status()["channels"]


@of_the_page
def test_the_keyboard_alone_is_enough(office, alice):
    body = alice.one("body")
    body.send_keys("/")
    field = alice.driver.switch_to.active_element
    field.send_keys("tremb")
    alice.wait_text("Bob Tremblay", "#search-hits")
    field.send_keys(Keys.ENTER)
    until(lambda: alice.lamp("Bob Tremblay") == "ringing", "Enter dials")
    alice.wait_text("Calling", ".call")
    hang_up_all(office)
    alice.gone(".call")
    alice.one("body").send_keys("/")
    field.send_keys("1003")
    field.send_keys(Keys.ENTER)
    until(lambda: alice.lamp("Carole Lefèvre") == "ringing", "a number, too")


@of_the_page
def test_what_rings_is_seen_within_300_ms(office, alice):
    bob = office.client("bob")
    times = []
    for _ in range(5):
        alice.js("""window.seen = 0; const o = new MutationObserver(() => {
                    if (!window.seen && document.querySelector(".person[aria-label^='Carole'].is-ringing")) window.seen = Date.now(); });
                    o.observe(document.body, {subtree: true, childList: true, attributes: true});""")
        bob.seen.clear()
        bob.ask("ipbxcommand", command="dial", destination="exten:xivo/1003")
        bob.wait(lambda: bob.status("phones", "3").get("hintstatus") == "8", "carole rings")
        heard = time.time() * 1000
        seen = until(lambda: alice.js("return window.seen"), "the card rings")
        times.append(seen - heard)
        hang_up_all(office)
        until(lambda: alice.lamp("Carole Lefèvre") == "idle", "quiet again")
    assert sorted(times)[2] < 300, times


@of_the_page
def test_picking_up_declining_and_recording(office, alice):
    bob = office.client("bob")
    bob.ask("ipbxcommand", command="dial", destination="exten:xivo/1003")
    alice.click(label="Pick up the call for Carole Lefèvre")
    until(lambda: alice.all(".call"), "the call comes")
    if alice.all(".call-ringing .button.good"):
        alice.click(".call-ringing .button.good")
    alice.wait_text("In call", ".call")
    alice.wait_text("Bob Tremblay", ".call")
    alice.click(label="More", inside=".call")
    alice.click(label="Start recording")
    alice.wait_text("recording", ".call-state")
    alice.click(label="Hang up")
    alice.gone(".call")
    bob.ask("ipbxcommand", command="dial", destination="exten:xivo/1001")
    alice.click(".call-ringing .button.bad")
    alice.gone(".call")
    alice.go("history")
    alice.wait_text("Bob Tremblay", ".history")
    alice.screen("history")


@of_the_page
def test_services_presence_and_forwards(office, alice):
    with Page(url(office), language="fr") as bob:
        bob.login("bob")
        alice.click(label="Do not disturb: turn on")
        until(lambda: "Ne pas déranger" in bob.card("Alice Martin"), "bob sees it, in French")
        alice.click(label="Do not disturb: turn off")
        alice.click(label="Presence and settings")
        alice.click(label="Away")
        until(lambda: "Absent" in bob.card("Alice Martin"), "bob sees her presence")
        alice.click(label="Presence and settings")
        alice.click(label="Settings")
        alice.type("[aria-label='Number for all calls']", "1003")
        alice.click(".forward input[type=checkbox]")
        until(lambda: "Renvoyé vers 1003" in bob.card("Alice Martin"), "bob sees the forward")
        alice.click(".forward input[type=checkbox]")
        until(lambda: "Renvoyé" not in bob.card("Alice Martin"), "and that it is over")
        alice.click(label="Close")
        alice.click(label="Presence and settings")
        alice.click(label="Available")
        bob.screen("french")


def test_chat_between_two_browsers_is_text(office, alice):
    hostile = "<img src=x onerror=\"document.title='owned'\"> ]]> \u202egnirts & 你好"
    with Page(url(office)) as bob:
        bob.login("bob")
        alice.go("chat=xivo/2")
        alice.type(".write input", hostile)
        alice.click(label="Send")
        until(lambda: bob.text(".rail .badge") == "1", "bob sees that something is unread")
        bob.go("chat=xivo/1")
        until(lambda: hostile in bob.text(".theirs"), "bob reads it as it was written")
        bob.gone(".rail .badge")
        bob.type(".write input", "hello")
        bob.click(label="Send")
        alice.wait_text("hello", ".theirs")
        alice.screen("chat")
        assert "owned" not in (alice.driver.title, bob.driver.title)


@of_the_page
def test_what_would_lose_a_caller_is_refused(office, alice):
    with Page(url(office)) as bob:
        bob.login("bob")
        call(alice, bob)
        alice.click(label="Transfer", inside=".call")
        alice.type(".transfer input", "nosuchname")
        alice.click(label="Transfer now")
        alice.wait_text("Nobody found", ".toasts")
        alice.type(".transfer input", "e")
        alice.click(label="Ask first")
        alice.wait_text("Several colleagues", ".toasts")
        alice.one("body").send_keys("/")
        field = alice.driver.switch_to.active_element
        field.send_keys("nosuchname")
        field.send_keys(Keys.ENTER)
        assert "Complete the transfer" not in alice.text(".call")
        assert "In call" in alice.text(".call") and "In call" in bob.text(".call")


@of_the_page
def test_a_link_to_dial_asks_first(office, alice):
    alice.go("dial=1003")
    alice.wait_text("1003", "dialog")
    alice.click(label="Close")
    alice.go("dial=100%")
    alice.go("dial=javascript:alert(1)")
    alice.settle()
    assert not alice.all("dialog")
    alice.go("dial=tel%3A1003")
    alice.click(css="dialog .primary")
    until(lambda: alice.lamp("Carole Lefèvre") == "ringing", "dialled")
    # on the same connection as what would have dialled before it
    assert {c.split("-")[0] for c in office.sim_status()["channels"]} == {"PJSIP/alice", "PJSIP/carole"}
    assert alice.js("return location.hash") == "#people"


@of_the_page
def test_an_own_call_is_shown_as_what_it_is_while_the_own_phone_rings(office, alice):
    alice.click(label="Call Bob Tremblay")
    alice.wait_text("Bob Tremblay", ".call")
    assert "Answer" not in alice.text(".call")


@of_the_page
def test_a_sheet_is_on_the_card_of_its_call(office, alice):
    office.client("bob").ask("ipbxcommand", command="dial", destination="exten:xivo/1001")
    alice.one(".call-ringing")
    alice.wait_text("1002", ".call .sheet")


@of_the_page
def test_a_colleague_talks_with_somebody_whom_the_directory_knows(office, alice):
    office.client("bob").ask("ipbxcommand", command="dial", destination="exten:xivo/0199900180")
    alice.wait_text("Noëlle Garçon", ".person[aria-label^='Bob Tremblay']")
    alice.screen("known")


@of_the_page
def test_keys_of_the_telephone_reach_the_other_end(office, alice):
    with Page(url(office)) as bob:
        bob.login("bob")
        call(alice, bob)
    heard = office.monitor("ami/xivo/DTMFEnd/")
    alice.click(label="Keypad", inside=".call")
    for key in "1#":
        alice.click(label=key, inside=".keypad")
    alice.one(".keypad").send_keys("1*x0")
    alice.wait_text("1#1*0", ".keypad output")
    alice.screen("keypad")
    alice.resize(380, 800)
    alice.screen("keypad_380")
    alice.resize(1280, 850)
    alice.type(".top input", "9")  # is no key of the telephone
    digits = []
    while len(digits) < 5:
        body = heard.message()[2]
        assert (body["Channel"].startswith("PJSIP/bob-"), body["Direction"]) == (True, "Sent")
        digits.append(body["Digit"])
    heard.close()
    assert digits == list("1#1*0") and alice.text(".keypad output") == "1#1*0"
    alice.one(".keypad").send_keys(Keys.ESCAPE)
    alice.gone(".keypad")


@of_the_page
def test_history_of_others_and_of_some_days(office, alice):
    queue = next(q for q in json.loads((office.site / "queues.json").read_text()) if q["name"] == "sales")
    with Page(url(office), width=380, dark=True) as bob:
        bob.login("bob")
        call(alice, bob)
        alice.click(label="More", inside=".call")
        alice.click(label="Start recording")
        alice.wait_text("recording", ".call-state")
        alice.click(label="Hang up")
        bob.gone(".call")
        bob.go(f"dial={queue['number']}")
        bob.click(css="dialog .primary")
        bob.wait_text(queue["displayname"], ".call")
        bob.click(label="Hang up")
        bob.gone(".call")
        bob.go("history")
        bob.wait_text("Alice Martin", ".history .rows")
        assert not bob.all("[aria-label='Whose calls']")  # his profile names nobody else's
        bob.screen("history_380_dark")
    alice.go("history")
    alice.wait_text("Bob Tremblay", ".history .rows")
    alice.one(".history [aria-label=Recorded]")
    alice.date(".period label:nth-child(1) input", "2001-01-02")
    alice.date(".period label:nth-child(2) input", "2001-01-03")
    alice.wait_text("No calls.", ".history")
    alice.date(".period label:nth-child(2) input", "")
    alice.wait_text("Bob Tremblay", ".history .rows")
    alice.choose("[aria-label='Whose calls']", "Queues")
    alice.wait_text(f"1002 · {queue['name']}", ".history .rows")  # who has given up
    assert not alice.all(".history [aria-label=Recorded]")
    alice.screen("history_queues")
    alice.choose("[aria-label='Whose calls']", "My group")
    alice.one(".history [aria-label=Recorded]")


@of_the_page
def test_mail_to_a_colleague_who_has_an_address(office, alice):
    alice.click(label="More for Bob Tremblay")
    assert alice.one("a[role=menuitem]").get_attribute("href") == "mailto:bob@office.example"
    alice.screen("mail")
    alice.one("body").send_keys(Keys.ESCAPE)
    users = office.client("bob").ask("getlist", function="updateconfig", listname="users", tipbxid="xivo", tid="10")["config"]
    assert users["email"] is None
    alice.click(label=f"More for {users['firstname']} {users['lastname']}")
    assert alice.all(".menu-list [role=menuitem]") and "Mail" not in alice.text(".menu-list").split("\n")
    alice.one("body").send_keys(Keys.ESCAPE)
    alice.go("directory")
    for text, name, mail in (("tremblay", "Bob Tremblay", "bob@office.example"), ("boulangerie", "Émile Dubois", "emile@dubois.example")):
        alice.type(".directory .filter", text)
        until(lambda n=name: n in alice.text(".directory .row") and len(alice.all(".directory .row")) == 1, text)
        alice.click(css=".directory .row .menu button")
        until(lambda m=mail: [a.get_attribute("href") for a in alice.all("a[role=menuitem]")] == ["mailto:" + m], mail)
        alice.one("body").send_keys(Keys.ESCAPE)


# ---- the other views ----

@of_the_page
def test_conferences(office, alice):
    alice.go("rooms")
    alice.click(label="Join")
    alice.wait_text("Alice Martin", ".rooms .row")
    alice.wait_text("Conference", ".call") if not alice.text(".call strong") else None
    alice.click(label="Mute")
    alice.one(".rooms [aria-label=Unmute]")
    alice.screen("rooms")
    alice.click(label="Remove from the room")
    alice.wait_text("The room is empty", ".rooms")


@of_the_page
def test_queues_members_and_callers(office, alice):
    alice.go("queues")
    alice.click("[role=tab][aria-selected=false]")
    alice.click(label="Add a member")
    alice.type("dialog input", "1003")
    alice.click(css="dialog .choose")
    alice.wait_text("Carole Lefèvre", ".queues .rows")
    alice.click(label="More for Carole Lefèvre")
    alice.click(label="Lunch")
    alice.wait_text("paused · Lunch", ".queues")
    alice.screen("queues")
    alice.click(label="More for Carole Lefèvre")
    alice.click(label="Remove from the queue")
    until(lambda: "Carole Lefèvre" not in alice.text(".queues .rows"), "she is out of it")
    alice.driver.get(url(office, "/wall"))
    alice.wait_text("Support", ".wall")
    alice.one(".wall canvas")
    alice.screen("wall")


@of_the_page
def test_agents_with_their_calls_and_talk_time_of_today(office, alice):
    row = ".agent-row:has([aria-label='More for Bob Tremblay']) .number"
    alice.go("agents")
    before = until(lambda: (alice.text(row).split("\n") + [""])[:2] if ":" in alice.text(row) else None, "the figures of the day")
    carole = office.client("carole")
    with Page(url(office)) as bob:
        bob.login("bob")
        bob.click(css=".agent-control button")
        bob.click(label="Log in as agent")
        number = next(q["number"] for q in json.loads((office.site / "queues.json").read_text()) if q["name"] == "sales")
        bob.wait_text("available", ".agent-control")
        carole.ask("ipbxcommand", command="dial", destination=f"exten:xivo/{number}")
        bob.click(".call-ringing .button.good")
        bob.wait_text("In call", ".call")
        alice.wait_text("on a call", ".agent-row:has([aria-label='More for Bob Tremblay'])")
        until(lambda: "0:02" in bob.text(".call-state"), "two seconds")
        bob.click(label="Hang up")
        bob.gone(".call")
    until(lambda: int(alice.text(row).split("\n")[0]) == int(before[0]) + 1 and alice.text(row).split("\n")[1] > before[1], lambda: alice.text(row))
    alice.screen("agents_day")
    alice.resize(380, 800)
    alice.screen("agents_day_380")
    office.client("bob").ask("ipbxcommand", command="agentlogout")


@of_the_page
def test_directory_favorites_and_contacts(office, alice):
    alice.go("directory")
    alice.type(".directory .filter", "dubois")
    alice.wait_text("Émile Dubois", ".directory .rows")
    alice.click(label="Add to favorites", inside=".directory")
    alice.click(label="Favorites")
    alice.wait_text("Émile Dubois", ".directory .rows")
    alice.click(label="Remove from favorites")
    alice.click(label="New contact")
    alice.type("dialog input", "<b>Zoé</b>")
    inputs = alice.all("dialog input")
    inputs[2].send_keys("0199")
    alice.click(label="Save")
    alice.wait_text("<b>Zoé</b>", ".directory .rows")
    alice.screen("directory")
    alice.click(css=".directory .row .menu button")
    alice.click(label="Delete contact")
    until(lambda: "Zoé" not in alice.text(".directory .rows"), "it is gone")


@of_the_page
def test_the_page_for_administrators(office, alice):
    alice.driver.get(url(office, "/admin"))
    alice.wait_text("ami-gw", ".admin")
    alice.wait_text("connected", ".admin")
    alice.wait_text("Alice Martin", ".admin table")
    alice.screen("admin")


@of_the_page
def test_what_does_not_fit_together_is_named_to_administrators():
    def lines(listed):
        return [{**line, "name": "nobody"} if line["name"] == "carole" else line for line in listed if line["name"] != "bob"]

    with company(lines=lines) as stack, Page(url(stack, "/admin"), width=380, dark=True) as page:
        page.login("alice")
        page.wait_text("PJSIP/nobody", ".admin")
        status = stack.client("alice").ask("admin_status")
        assert sorted(p["peer"] for p in status["unlisted"]) == ["PJSIP/bob", "PJSIP/carole"] and status["unlisted_more"] is False
        assert [p["identity"] for p in status["unknown_phones"]] == ["PJSIP/nobody"]
        page.wait_text("PJSIP/bob", ".admin")
        stack.client("alice").ask("ipbxcommand", command="dial", destination="exten:xivo/1004")
        page.wait_text("from the Asterisk to clients", ".admin")
        until(lambda: 0 < float(re.search(r"([\d.]+) ms\nfrom the Asterisk", page.text(".admin"))[1]) < 5000, lambda: page.text(".admin"))
        assert page.js("return document.documentElement.scrollWidth") <= 380
        page.screen("admin_380_dark")


@of_the_page
def test_the_wall_has_the_colours_of_the_configuration():
    with company(**{"ctibus.wall.wait_warn_s": 1, "ctibus.wall.wait_bad_s": 3}) as stack, Page(url(stack, "/wall"), dark=True) as page:
        page.login("alice")
        page.one(".wall-queue.mood-good")
        number = next(q["number"] for q in json.loads((stack.site / "queues.json").read_text()) if q["name"] == "support")
        for user in ("bob", "carole", "david"):
            stack.client(user).ask("ipbxcommand", command="dial", destination=f"exten:xivo/{number}")
        for mood in ("warn", "bad"):
            page.one(f".wall-queue.mood-{mood}")
        page.screen("wall_dark")


def new_token(stack, user):
    out = subprocess.run([BIN / "ctibus", "--config", stack.path("ctibus.json"), "tokens", "--new", user],
                         capture_output=True, text=True, timeout=30, check=True).stdout
    assert re.fullmatch("[A-Za-z0-9]{43}\n", out)
    return out.strip()


@of_the_page
def test_a_screen_logs_in_by_the_token_in_its_address(office):
    token = new_token(office, "david")
    with Page(url(office)) as page:
        page.login("alice")
        page.driver.get(url(office, "/wall#token=" + token))
        page.one(".wall-queue")
        assert page.js("return [location.hash, ctibus.user]") == ["", "xivo/4"]
        page.driver.refresh()
        page.one(".wall-queue")
        assert page.js("return ctibus.user") == "xivo/4"
        page.driver.get(url(office))  # what the browser had is still there
        page.one(".shell")
        assert page.js("return ctibus.user") == "xivo/1" and page.problems() == []
        page.driver.get(url(office, "/#token=" + token))  # of the wallboard only
        page.one(".shell")
        assert page.js("return ctibus.user") == "xivo/1"
        subprocess.run([BIN / "ctibus", "--config", office.path("ctibus.json"), "tokens", "--revoke", "david"], check=True, timeout=30)
        page.driver.get(url(office, "/wall"))
        page.wait_text("expired or was revoked", "[role=alert]")
        page.driver.get(url(office))
        page.one(".shell")
    assert not any(token in line for program in office.programs.values() for line in program.lines)
    refused = subprocess.run([BIN / "ctibus", "--config", office.path("ctibus.json"), "tokens", "--new", "nobody"],
                             capture_output=True, text=True, timeout=30)
    assert refused.returncode != 0 and refused.stdout == ""


# ---- when something breaks ----

def test_a_gateway_and_a_state_that_are_killed(office):
    with company() as stack, Page(url(stack)) as page:
        page.login("alice")
        page.wait_text("Bob Tremblay", ".people")
        stack.kill("cti-gw")
        page.wait_text("Reconnecting", ".banner")
        page.screen("reconnecting")
        bob = None
        stack.start("cti-gw", doors=("CTI", "websocket"))
        page.gone(".banner")
        stack.wait_ready()
        bob = stack.client("bob")
        bob.ask("ipbxcommand", command="dial", destination="exten:xivo/1003")
        until(lambda: page.lamp("Carole Lefèvre") == "ringing", "the view lives again")
        stack.kill("state")
        page.wait_text("Reconnecting", ".banner")
        stack.start("state")
        stack.wait_ready()
        until(lambda: page.lamp("Carole Lefèvre") in ("ringing", "idle") and not page.all(".banner"), "it is right again")
        hang_up_all(stack)
        until(lambda: page.lamp("Carole Lefèvre") == "idle", "and goes on", 40)


@of_the_page
def test_a_network_that_is_away_for_10_s(office, alice):
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    gateway = office.programs["cti-gw"].process
    gateway.send_signal(signal.SIGSTOP)  # what a network does that drops all packets
    bob = None
    try:
        alice.driver.execute_cdp_cmd("Network.enable", {})
        alice.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **offline})
        time.sleep(10)  # the length of the loss is what is tested
    finally:
        gateway.send_signal(signal.SIGCONT)
        alice.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **offline})
    bob = office.client("bob")
    bob.ask("ipbxcommand", command="dial", destination="exten:xivo/1003")
    until(lambda: alice.lamp("Carole Lefèvre") == "ringing", "the view is right again")


@of_the_page
def test_hostile_names_are_text():
    names = ["<img src=x onerror=document.title='owned'>", "]]><script>document.title='owned'</script>", "\u202eevil\u202c", "O'Brien \"Q\" & Co",
             "x" * 300, "محمد علي", "李小龍"]
    users = [{"id": str(i + 1), "firstname": name, "lastname": "", "loginclient": f"u{i}", "passwdclient": "p", "enableclient": 1,
              "profileclient": "client"} for i, name in enumerate(["Alice", *names])]
    lines = [{"id": str(i + 1), "protocol": "pjsip", "name": f"u{i}", "number": str(1001 + i), "context": "default", "iduserfeatures": i + 1, "rules_order": 1}
             for i in range(len(users))]
    stack = Stack(parts=("state",), config=CONFIG, users=users, lines=lines)
    stack.start("cti-gw", doors=("CTI", "websocket"))
    with stack.wait_ready(), Page(url(stack)) as page:
        page.login("u0", "p")
        for name in names[:4]:
            until(lambda n=name: n.replace("\u202e", "").replace("\u202c", "") in page.text(".people").replace("\u202e", "").replace("\u202c", ""), name)
        page.screen("hostile")
        page.resize(380, 780)
        page.screen("hostile_narrow")
        assert page.driver.title == "ctibus"
        assert page.js("return document.documentElement.scrollWidth <= window.innerWidth")
        assert page.problems() == []


def test_a_group_of_people_is_shown_alone():
    people = {"alice": "Sales", "bob": "sales; Front desk", "carol": "Front desk", "dave": ""}
    users = [{"id": str(i + 1), "firstname": name.title(), "loginclient": name, "passwdclient": "p", "enableclient": 1, "profileclient": "client",
              "groups": groups} for i, (name, groups) in enumerate(people.items())]
    stack = Stack(parts=("state",), config=CONFIG, users=users, lines=[])
    stack.start("cti-gw", doors=("CTI", "websocket"))
    with stack.wait_ready(), Page(url(stack)) as page:
        page.login("alice", "p")

        def shown(*names):
            until(lambda: {n for n in ("Bob", "Carol", "Dave") if n in page.text(".people")} == set(names), names)

        shown("Bob", "Carol", "Dave")
        for group, names in (("sales", ["Bob"]), ("Front desk", ["Bob", "Carol"]), ("Everybody", ["Bob", "Carol", "Dave"])):
            Select(page.one("select.group")).select_by_visible_text(group)
            shown(*names)
        assert page.problems() == []


@of_the_page
def test_a_gateway_without_anything_in_its_lists():
    stack = Stack(parts=("state",), config=CONFIG, lines=[], users=[
        {"id": "1", "firstname": "Alice", "lastname": "", "loginclient": "alice", "passwdclient": "p", "enableclient": 1, "profileclient": "client"}])
    stack.start("cti-gw", doors=("CTI", "websocket"))
    with stack.wait_ready(), Page(url(stack)) as page:
        page.login("alice", "p")
        page.wait_text("no colleagues in the lists yet", ".people")
        page.screen("empty")


# ---- for everybody ----

# Roles, names, contrast: what an automatic check can find (WCAG 2.1 AA 1.4.3, 4.1.2).
CHECK = r"""
const bad = [];
const seen = (e) => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1 && getComputedStyle(e).visibility !== 'hidden'; };
const name = (e) => (e.getAttribute('aria-label') || e.innerText || e.title || (e.labels && [...e.labels].map(l => l.innerText).join()) || e.alt || '').trim();
for (const e of document.querySelectorAll('button, a[href], input, select, [role=option], [role=tab], canvas[role=img], dialog'))
    if (seen(e) && e.type !== 'hidden' && !name(e) && !e.placeholder) bad.push('no name: ' + e.outerHTML.slice(0, 120));
for (const e of document.querySelectorAll('[aria-controls]')) if (e.getAttribute('aria-expanded') === 'true' && !document.getElementById(e.getAttribute('aria-controls'))) bad.push('controls nothing: ' + e.outerHTML.slice(0, 90));
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
ids.filter((x, i) => ids.indexOf(x) !== i).forEach(x => bad.push('id twice: ' + x));
if (!document.documentElement.lang) bad.push('no language');
if (document.querySelectorAll('main').length !== 1) bad.push('not one main');
if (document.querySelectorAll('h1').length !== 1) bad.push('not one h1');
const rgba = (c) => (c.match(/[\d.]+/g) || []).map(Number);
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const solid = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
const ground = (e) => { const up = []; for (let n = e; n; n = n.parentElement) up.push(solid(getComputedStyle(n).backgroundColor)); return up.reverse().reduce((b, a) => over(a, b), [255, 255, 255, 1]); };
const light = (c) => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !seen(e) || e.closest('[disabled], .stale, [aria-hidden=true], canvas, noscript')) continue;
    const style = getComputedStyle(e), back = ground(e), front = over(solid(style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.push(`contrast ${ratio.toFixed(2)}: ${e.tagName}.${e.className} "${e.innerText.slice(0, 30)}" ${style.color}`);
}
return bad;
"""


@of_the_page
@pytest.mark.parametrize("dark", [False, True])
def test_names_roles_and_contrast(office, dark):
    quiet(office)
    with Page(url(office), dark=dark, width=1440, height=900) as page:
        assert page.js(CHECK) == []
        page.login("alice")
        bob = office.client("bob")
        bob.ask("ipbxcommand", command="dial", destination="exten:xivo/1001")
        page.one(".call-ringing")
        views = ["people", "queues", "agents", "rooms", "history", "directory", "chat=xivo/2", "faxes"]
        for view in views:
            page.go(view)
            page.one(f".view.{view.split('=')[0]}")
            assert page.js(CHECK) == [], view
            page.screen(f"{'dark' if dark else 'light'}_{view.split('=')[0]}")
        page.click(label="Presence and settings")
        assert page.js(CHECK) == [], "menu"
        for path in ("/wall", "/admin"):
            page.driver.get(url(office, path))
            page.one(".wall article, .admin .row")
            assert page.js(CHECK) == [], path
        hang_up_all(office)


@of_the_page
@pytest.mark.parametrize("width", [380, 1024, 1440])
def test_nothing_is_cut_off_sideways(office, alice, width):
    alice.resize(width, 800)
    bob = office.client("bob")
    bob.ask("ipbxcommand", command="dial", destination="exten:xivo/1001")
    alice.one(".call-ringing")
    for view in ("people", "queues", "agents", "rooms", "history", "directory", "chat"):
        alice.go(view)
        alice.one(f".view.{view}")
        assert alice.js("return document.documentElement.scrollWidth") <= width, view
        wide = alice.js("""return [...document.querySelectorAll('.content *, .top *')].filter(e => { const r = e.getBoundingClientRect();
            return r.width > 0 && r.right > window.innerWidth + 1 && !e.closest('.queue-tiles, .tabs, .rail, .plot, .virtual, .floating, .counts'); }).map(e => e.className + ' ' + e.tagName).slice(0, 5)""")
        assert wide == [], (view, wide)
        alice.screen(f"{view}_{width}")


@pytest.mark.alone
@of_the_page
def test_two_thousand_colleagues_scroll_and_change_smoothly():
    with company(("--rate", "0", "--office-people", "2000")) as stack, Page(url(stack)) as page:
        page.login("alice")
        page.wait_text("1999", ".people h1")
        page.js("""window.gaps = []; let last = performance.now();
                   const go = (t) => { gaps.push(t - last); last = t; document.querySelector('.virtual').scrollTop += 40; requestAnimationFrame(go); };
                   requestAnimationFrame(go);""")
        clients = [stack.client(name) for name in ("bob", "carole", "david", "zoe", "emile")]

        def slowest_but_two_percent():
            page.js("gaps.length = 0")
            end, n = time.monotonic() + 6, 0
            while time.monotonic() < end:
                clients[n % 5].send("availstate", availstate=("away", "available")[n // 5 % 2])
                n += 1
                time.sleep(0.02)  # the rate of changes
            gaps = sorted(page.js("return gaps"))
            return gaps[int(len(gaps) * 0.98)] if n > 100 and len(gaps) > 60 else math.inf

        measured = []
        while not measured or (measured[-1] >= 100 and len(measured) < 5):  # other tests have the processors, too
            measured.append(slowest_but_two_percent())
        assert measured[-1] < 100, measured
        assert len(page.all(".person")) < 100  # only what is seen is drawn
