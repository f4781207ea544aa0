"""What people at a FreePBX, an Issabel, a MikoPBX, a Wazo and with a queues.conf of their own are shown: each scenario of tests/handmade, with
what must be right at each of its points, and the whole of it in tests/data/golden/sites."""

import time

import pytest
from site_player import Spares, playing
from stack import until
from test_sim import running

from handmade.catalog import SITES, recorded

CUSTOMER = ("0145000000", "Client")


@pytest.fixture(scope="module", name="spares")
def the_spares():
    spares = Spares()
    yield spares
    spares.close()


def sites_with(scenario):
    return pytest.mark.parametrize("site", [name for name, cls in SITES.items() if scenario in cls.scenarios])


def who(person):
    return (person.number, person.name)


@sites_with("queue")
def test_queue(spares, site):
    """A call that is answered after the phone has rung twice in vain: no missed call."""
    with playing(spares, f"{site}-queue") as s:
        alice, queue = s.site.alice, s.site.queue
        shown = s.site.queues[queue][1]
        s.to("the customer waits")
        assert s.waiting() == 1 and s.lamps() == ["0", "0", "0"]
        assert s.outside()[2] == queue, shown
        for time in ("rings", "rings again"):
            s.to(f"her phone {time}")
            assert s.rung_by(alice) == (*CUSTOMER, queue)
            assert s.lamp(alice) == "8" and s.member(alice) == ("6", "0", "") and s.waiting() == 1
            s.to(f"her phone {time}: she does not answer")
            assert s.lamp(alice) == "0" and s.legs(alice) == [] and s.member(alice) == ("1", "0", "") and s.waiting() == 1
            assert s.outside("calling") == (None, None, queue)
            assert s.history(alice) == []
        s.to("her phone rings for the third time")
        assert s.rung_by(alice) == (*CUSTOMER, queue)
        s.to("they talk")
        assert s.talks_to(alice) == (*CUSTOMER, queue) and s.outside("linked-caller") == (*who(alice), queue)
        assert s.lamp(alice) == "1" and s.member(alice) == ("2", "0", "") and s.waiting() == 0
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], queue, "")]
        assert s.history(s.site.bob) == [] and s.member(alice) == ("1", "0", "")


@sites_with("abandon")
def test_abandoned_queue_call(spares, site):
    """Three times rung and not answered is one missed call."""
    with playing(spares, f"{site}-abandon") as s:
        alice, queue = s.site.alice, s.site.queue
        s.to("her phone rings for the third time")
        assert s.rung_by(alice) == (*CUSTOMER, queue) and s.waiting() == 1
        s.to("over")
        assert s.waiting() == 0 and s.history(alice) == [("missed", CUSTOMER[0], queue, "")] and s.history(s.site.bob) == []


@sites_with("ringall")
def test_ringall(spares, site):
    """Who did not answer has no missed call: Bob has answered, which is the queue's entry."""
    with playing(spares, f"{site}-ringall") as s:
        alice, bob, queue = s.site.alice, s.site.bob, s.site.queue
        s.to("both phones ring")
        assert s.rung_by(alice) == s.rung_by(bob) == (*CUSTOMER, queue) and s.lamps() == ["8", "8", "0"]
        s.to("Bob talks")
        assert s.talks_to(bob) == (*CUSTOMER, queue) and s.outside("linked-caller") == (*who(bob), queue)
        assert s.lamps() == ["0", "1", "0"] and s.legs(alice) == []
        s.to("over")
        assert s.history(bob) == [("answered", CUSTOMER[0], queue, "")]
        assert s.history(alice) == []


@sites_with("pause")
def test_pause(spares, site):
    with playing(spares, f"{site}-pause") as s:
        alice, bob = s.site.alice, s.site.bob
        s.to("she is at lunch")
        assert s.member(alice) == ("1", "1", "lunch") and s.member(bob) == ("1", "0", "")
        s.to("Bob talks, she is at lunch")
        assert s.talks_to(bob) == (*CUSTOMER, s.site.queue) and s.lamps() == ["0", "1", "0"]
        assert s.member(alice) == ("1", "1", "lunch") and s.member(bob) == ("2", "0", "")
        s.to("paused without a reason")
        assert s.member(alice) == ("1", "1", "")
        s.to("over")
        assert s.member(alice) == s.member(bob) == ("1", "0", "") and s.history(alice) == []


@sites_with("ringgroup")
def test_ringgroup(spares, site):
    with playing(spares, f"{site}-ringgroup") as s:
        alice, bob, carole = s.site.people
        s.to("all phones ring")
        for person in s.site.people:
            assert s.rung_by(person)[:2] == CUSTOMER
        assert s.lamps() == ["8", "8", "8"]
        s.to("Bob talks")
        assert s.talks_to(bob)[:2] == CUSTOMER and s.outside("linked-caller")[:2] == who(bob)
        assert s.lamps() == ["0", "1", "0"] and s.legs(alice) == s.legs(carole) == []
        s.to("over")
        assert s.history(bob) == [("answered", CUSTOMER[0], "", "")]
        assert s.history(alice) == s.history(carole) == [("answered", CUSTOMER[0], "", bob.name)]


@sites_with("dial")
def test_dial_of_several(spares, site):
    """Carole's phone was busy: she is told of the call that she missed, or that Alice has it, and nobody is shown with her."""
    with playing(spares, f"{site}-dial") as s:
        alice, bob, carole = s.site.people
        s.to("two phones ring")
        assert s.rung_by(alice)[:2] == s.rung_by(bob)[:2] == CUSTOMER and s.lamps() == ["8", "8", "0"]
        assert s.outside("calling")[:2] != who(carole)
        s.to("Alice talks")
        assert s.talks_to(alice)[:2] == CUSTOMER and s.outside("linked-caller")[:2] == who(alice) and s.lamps() == ["1", "0", "0"]
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], "", "")]
        assert s.history(bob) == s.history(carole) == [("answered", CUSTOMER[0], "", alice.name)]


@pytest.mark.parametrize("answers", ["followme", "followme-mobile"])
def test_followme_of_freepbx(spares, answers):
    with playing(spares, f"freepbx-{answers}") as s:
        alice = s.site.alice
        s.to("desk and mobile ring")
        assert s.rung_by(alice)[:2] == CUSTOMER and s.lamp(alice) == "8"
        s.to("she talks")
        if answers == "followme":
            assert s.talks_to(alice)[:2] == CUSTOMER and s.lamp(alice) == "1"
            assert s.outside("linked-caller")[:2] == who(alice)
        else:
            assert s.legs(alice) == [] and s.lamp(alice) == "0"
        s.to("over")
        elsewhere = "" if answers == "followme" else "0612345678"
        assert s.history(alice) == [("answered", CUSTOMER[0], "", elsewhere)]


def test_followme_of_asterisk(spares):
    with playing(spares, "plain-followme") as s:
        alice = s.site.alice
        s.to("her phone rings")
        assert s.rung_by(alice)[:2] == CUSTOMER
        s.to("her mobile rings")
        assert s.legs(alice) == [] and s.lamp(alice) == "0"
        s.to("she talks at her mobile")
        assert s.legs(alice) == []
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], "", "0612345678")]


BUSY = {"freepbx": "2", "issabel": "1", "issabel13": "1", "mikopbx": "2", "plain": "2", "wazo": "0"}


@sites_with("dnd")
def test_lamp_with_do_not_disturb(spares, site):
    """A hint that is combined with a device for do not disturb: the lamp is busy, whatever the phone does."""
    with playing(spares, f"{site}-dnd") as s:
        alice, bob = s.site.alice, s.site.bob
        s.to("do not disturb")
        assert s.lamp(alice) == BUSY[site] and s.phone(alice)["presence"] == ("dnd" if site == "freepbx" else None)
        if alice.number in s.phones_of() and site != "plain":
            assert s.member(alice)[0] == {"2": "3", "1": "2"}[BUSY[site]]
        s.to("she calls Bob")
        assert s.talks_to(alice)[:2] == who(bob) and s.talks_to(bob)[:2] == who(alice)
        assert s.lamp(alice) == (BUSY[site] if site != "wazo" else "1") and s.lamp(bob) == "1"
        s.to("she has hung up")
        assert s.lamp(alice) == BUSY[site] and s.lamp(bob) == "0"
        s.to(s.points[0][0])
        assert s.lamp(alice) == BUSY[site] and s.legs(alice) == []
        s.to("over")
        assert s.phone(alice)["presence"] in (None, "available")
        assert s.history(bob) == [("answered", alice.number, "", ""), ("sent", alice.number, "", "")]
        missed = [("missed", bob.number, "", "")] if site in ("mikopbx", "plain") else []
        codes = [("sent", code, "", "") for code in {"mikopbx": [], "plain": ["*78", "*79"], "wazo": ["*25"]}.get(site, ["*76", "*76"])]
        assert s.history(alice) == [*codes[:1], ("sent", bob.number, "", ""), *missed, *codes[1:]]


@sites_with("voicemail")
def test_voicemail(spares, site):
    with playing(spares, f"{site}-voicemail") as s:
        alice = s.site.alice
        assert s.box(alice) == (0, 0, False)
        s.to("her phone rings")
        assert s.rung_by(alice)[:2] == CUSTOMER and s.lamp(alice) == "8"
        s.to("the mailbox has answered")
        assert s.legs(alice) == [] and s.lamp(alice) == "0"
        s.to("a message waits")
        assert s.box(alice)[0::2] == (1, True) and s.box(s.site.bob) == (0, 0, False)
        s.to("she listens")
        (leg,) = s.legs(alice)
        assert leg["state"] == "Up" and leg["commstatus"] == "ready" and s.lamp(alice) == "1"
        s.to("over")
        assert s.box(alice)[0::2] == (0, False)
        if site != "issabel":  # Asterisk 11 does not tell the old ones
            assert s.box(alice)[1] == 1
        assert s.history(alice) == [("missed", CUSTOMER[0], "", ""), ("sent", "*97", "", "")]


@sites_with("parking")
def test_parking(spares, site):
    with playing(spares, f"{site}-parking") as s:
        alice, bob = s.site.alice, s.site.bob
        space = s.site.bays()[0]
        s.to("Alice talks")
        assert s.talks_to(alice)[:2] == CUSTOMER and s.bay(space) == {}
        s.to("the customer is parked")
        assert s.legs(alice) == [] and s.lamp(alice) == "0"
        bay = s.bay(space)
        assert (bay["cid_num"], bay["cid_name"]) == CUSTOMER and bay["parked"].startswith(s.site.trunk) and bay["parker"] == alice.device
        s.to("Bob talks")
        assert s.bay(space) == {} and s.talks_to(bob)[:2] == CUSTOMER and s.outside("linked-caller", "linked-called")[:2] == who(bob)
        assert s.lamps() == ["0", "1", "0"]
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], "", "")]
        assert s.history(bob) == [("sent", space, "", "")]


def test_a_member_comes_and_goes(spares):
    with playing(spares, "freepbx-members") as s:
        carole = s.site.carole
        assert s.phones_of() == ["1001", "1002"]
        s.to("Carole is in")
        assert s.phones_of() == ["1001", "1002", "1003"] and s.member(carole) == ("1", "0", "")
        s.to("Carole talks")
        assert s.talks_to(carole) == (*CUSTOMER, "400") and s.member(carole) == ("2", "0", "")
        s.to("over")
        assert s.phones_of() == ["1001", "1002"]
        assert s.history(carole) == [("sent", "*45400", "", ""), ("answered", CUSTOMER[0], "400", "")]


def test_an_agent_of_issabel(spares):
    with playing(spares, "issabel-agent") as s:
        carole = s.site.carole
        assert s.agent("2001")[:2] == ("AGENT_LOGGEDOFF", "logged_out")
        s.to("the agent is logged in")
        assert s.agent("2001") == ("AGENT_IDLE", "available", carole.number) and s.membership("Agent/2001", "501")[0] == "1"
        s.to("the agent talks")
        assert s.agent("2001")[0] == "AGENT_ONCALL" and s.waiting("501") == 0 and s.outside("linked-caller")[2] == "501"
        s.to("the agent is free")
        assert s.agent("2001") == ("AGENT_IDLE", "available", carole.number)
        s.to("over")
        assert s.agent("2001")[:2] == ("AGENT_LOGGEDOFF", "logged_out")
        assert s.history(carole) == [("sent", "*8888", "", ""), ("answered", CUSTOMER[0], "501", "")]


def test_agents_of_wazo(spares):
    with playing(spares, "wazo-login") as s:
        assert s.agent("2001") == ("AGENT_IDLE", "available", "1001") and s.agents_of() == ["1", "2"]
        s.to("logged off")
        assert s.agent("2001")[:2] == ("AGENT_LOGGEDOFF", "logged_out") and s.agents_of() == ["2"]
        s.to("over")
        assert s.agent("2001") == ("AGENT_IDLE", "available", "1001") and set(s.agents_of()) == {"1", "2"}


def test_a_call_that_an_application_holds(spares):
    with playing(spares, "wazo-stasis") as s:
        alice, bob = s.site.alice, s.site.bob
        s.to("Alice talks")
        assert s.talks_to(alice)[:2] == CUSTOMER
        s.to("the application holds the call")
        assert s.talks_to(alice)[:2] == CUSTOMER and s.outside("linked-caller")[:2] == who(alice)
        s.to("Bob's phone rings")
        assert s.rung_by(bob)[:2] == who(alice) and s.talks_to(alice)[:2] == CUSTOMER
        s.to("Bob talks")
        assert s.legs(alice) == [] and s.talks_to(bob)[:2] == CUSTOMER and s.outside("linked-caller", "linked-called")[:2] == who(bob)
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], "", "")]
        assert [row[0] for row in s.history(bob)] == ["answered"]


@sites_with("hold")
def test_hold(spares, site):
    """Who holds is shown so; the lamp that is on hold is the held one's with chan_pjsip, the holder's with chan_sip."""
    with playing(spares, f"{site}-hold") as s:
        alice, bob = s.site.alice, s.site.bob
        s.to("they talk")
        assert s.talks_to(alice)[:2] == who(bob) and s.talks_to(bob)[:2] == who(alice) and s.lamps() == ["1", "1", "0"]
        s.to("Bob is on hold")
        (of_alice,), (of_bob,) = s.legs(alice), s.legs(bob)
        assert of_alice["holded"] and not of_bob["holded"]
        assert (of_alice["peer_number"], of_bob["peer_number"]) == (bob.number, alice.number)
        assert s.lamps() == (["1", "16", "0"] if s.site.tech == "PJSIP" else ["16", "1", "0"])
        s.to("they talk again")
        assert s.talks_to(alice)[:2] == who(bob) and s.talks_to(bob)[:2] == who(alice) and s.lamps() == ["1", "1", "0"]
        s.to("over")
        assert s.history(alice) == [("sent", bob.number, "", "")] and s.history(bob) == [("answered", alice.number, "", "")]


@sites_with("giveup")
def test_a_parked_caller_gives_up(spares, site):
    with playing(spares, f"{site}-giveup") as s:
        space = s.site.bays()[0]
        s.to("the customer is parked")
        assert s.bay(space)["cid_num"] == CUSTOMER[0] and s.lamps() == ["0", "0", "0"]
        s.to("over")
        assert s.bay(space) == {} and s.history(s.site.alice) == [("answered", CUSTOMER[0], "", "")]


@sites_with("pickup")
def test_pickup(spares, site):
    with playing(spares, f"{site}-pickup") as s:
        alice, bob = s.site.alice, s.site.bob
        s.to("her phone rings")
        assert s.rung_by(alice)[:2] == CUSTOMER
        s.to("Bob talks")
        assert s.talks_to(bob)[:2] == CUSTOMER and s.outside("linked-caller")[:2] == who(bob) and s.lamps() == ["0", "1", "0"]
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], "", bob.name)]
        assert [(row[0], row[1]) for row in s.history(bob)] == [("answered", CUSTOMER[0])]


def test_a_member_outside(spares):
    with playing(spares, "freepbx-external") as s:
        mobile = "Local/0612345678@from-queue/n"
        assert s.phones_of() == ["1001", "1002"]
        s.to("the mobile rings")
        assert s.waiting() == 1 and s.phones_of() == ["1001", "1002"] and s.lamps() == ["0", "0", "0"]
        s.to("the mobile talks")
        assert s.waiting() == 0 and s.membership(mobile, "400")[0] == "2"
        customer = next(s.client.status("channels", c) for c in s.client.status("trunks", "1")["channels"] if c.endswith("-00000001"))
        assert (customer["peer_number"], customer["queue"]) == ("0612345678", "400")
        s.to("over")
        assert s.history(s.site.alice) == s.history(s.site.bob) == []


@sites_with("queue")
def test_a_login_while_they_talk(spares, site):
    """After a new login a queue call by way of Local channels is the same call."""
    with playing(spares, f"{site}-queue", golden=False) as s:
        alice, queue = s.site.alice, s.site.queue
        while s.points[0][0] != "they talk":
            s.to(s.points[0][0])
        s.reconnects()
        assert s.waiting() == 1 and s.rung_by(alice)[:2] == CUSTOMER and s.lamp(alice) == "8"
        s.to("they talk")
        assert s.talks_to(alice) == (*CUSTOMER, queue)
        s.reconnects()
        assert s.talks_to(alice)[:2] == CUSTOMER and s.outside("linked-caller")[:2] == who(alice)
        assert s.lamps() == ["1", "0", "0"] and s.member(alice)[0] == "2" and s.waiting() == 0
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], queue, "")]


@sites_with("parking")
def test_a_login_while_a_call_is_parked(spares, site):
    with playing(spares, f"{site}-parking", golden=False) as s:
        space = s.site.bays()[0]
        s.to("Alice talks")
        s.to("the customer is parked")
        s.reconnects()
        assert (s.bay(space)["cid_num"], s.bay(space)["cid_name"]) == CUSTOMER and s.legs(s.site.alice) == []
        s.to("Bob talks")
        assert s.bay(space) == {} and s.talks_to(s.site.bob)[:2] == CUSTOMER
        s.to("over")
        assert s.history(s.site.alice) == [("answered", CUSTOMER[0], "", "")]


@sites_with("dnd")
def test_a_login_while_somebody_is_not_to_be_disturbed(spares, site):
    with playing(spares, f"{site}-dnd", golden=False) as s:
        s.to("do not disturb")
        s.reconnects()
        assert s.lamps() == [BUSY[site], "0", "0"]
        while s.points:
            s.to(s.points[0][0])


@pytest.mark.parametrize("site", list(SITES))
def test_a_pause_from_the_panel_names_the_member_as_asterisk_does(spares, site):
    with playing(spares, f"{site}-pause") as s:
        alice = s.site.alice
        member = "agent:xivo/1" if site == "wazo" else f"phone:xivo/{alice.number}"
        s.client.ask("ipbxcommand", command="queuepause", member=member, queue="queue:xivo/1")
        until(lambda: s.player.sent("QueuePause"), "Asterisk is asked")
        asked = s.player.sent("QueuePause")[0]
        assert (asked["Queue"], asked["Interface"], asked["Paused"]) == (s.site.queue, s.site.interface(alice), "true")
        for point in [name for name, _ in s.points]:
            s.to(point)


@sites_with("timeout")
def test_a_queue_that_times_out(spares, site):
    """Alice has missed the call, which Bob answered afterwards, as a call to him. Nobody has given up."""
    with playing(spares, f"{site}-timeout") as s:
        alice, bob, queue = s.site.alice, s.site.bob, s.site.queue
        s.to("Alice has not answered")
        assert s.waiting() == 1 and s.legs(alice) == []
        since = time.monotonic()
        until(lambda: time.monotonic() - since > 0.6, "too late for a pickup, of which Asterisk says the same")
        s.to("Bob's phone rings")
        assert s.waiting() == 0 and s.rung_by(bob)[:2] == CUSTOMER and s.rung_by(bob)[2] is None and s.lamps() == ["0", "8", "0"]
        s.to("Bob talks")
        assert s.talks_to(bob) == (*CUSTOMER, None) and s.outside("linked-caller") == (*who(bob), None)
        s.to("over")
        assert s.history(alice) == [("missed", CUSTOMER[0], queue, "")] and s.history(bob) == [("answered", CUSTOMER[0], "", "")]
        (sums,) = s.client.ask("getqueuesstats", on={"1": {"window": "3600", "xqos": "60"}})["stats"].values()
        assert (sums["Xivo-Join"], sums["Xivo-Link"], sums["Xivo-Lost"]) == (1, 0, 0)


@sites_with("transfer")
def test_a_queue_call_that_is_transferred(spares, site):
    """By way of the Local channel of a member or not: the customer and Bob are shown each other."""
    with playing(spares, f"{site}-transfer") as s:
        alice, bob, queue = s.site.alice, s.site.bob, s.site.queue
        s.to("Alice talks")
        assert s.talks_to(alice) == (*CUSTOMER, queue)
        s.to("Bob's phone rings")
        assert s.legs(alice) == [] and s.rung_by(bob)[:2] == CUSTOMER and s.lamps() == ["0", "8", "0"]
        s.to("Bob talks")
        assert s.talks_to(bob)[:2] == CUSTOMER and s.outside("linked-caller", "linked-called")[:2] == who(bob) and s.waiting() == 0
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], queue, "")]
        assert [row[:2] for row in s.history(bob)] == [("answered", CUSTOMER[0])]


def test_two_telephones_of_one_person(spares):
    with playing(spares, "mikopbx-softphone") as s:
        alice = s.site.alice

        def browser():
            return s.client.status("phones", "201-WS")

        s.to("both ring")
        assert s.rung_by(alice)[:2] == CUSTOMER and len(browser()["channels"]) == 1 and (s.lamp(alice), browser()["hintstatus"]) == ("8", "8")
        s.to("she talks in the browser")
        assert s.legs(alice) == [] and (s.lamp(alice), browser()["hintstatus"]) == ("1", "1")
        assert browser()["channels"][0].startswith("PJSIP/201-WS-") and s.outside("linked-caller")[:2] == who(alice)
        s.to("over")
        assert s.history(alice) == [("answered", CUSTOMER[0], "", "")] and browser()["hintstatus"] == "0"


def test_members_that_are_read_anew(spares):
    with playing(spares, "plain-penalty") as s:
        bob, carole = s.site.bob, s.site.carole

        def penalties():
            return {m["interface"]: m["penalty"] for (name, _), m in s.client.view.items()
                    if name == "queuemembers" and m.get("queue_name") == "support"}

        assert penalties() == {"PJSIP/1001": "0", "PJSIP/1002": "1"}
        s.to("Bob comes last")
        assert penalties() == {"PJSIP/1001": "0", "PJSIP/1002": "7"}
        s.to("over")
        assert penalties() == {"PJSIP/1001": "0", "PJSIP/1003": "2"} and s.phones_of() == ["1001", "1003"]
        assert s.phone(bob)["queues"] == ["2"] and s.phone(carole)["queues"] == ["1"]


def test_the_simulator_plays_them_again_and_again(tmp_path):
    """The uuids of Wazo's users are names, not ids that are fresh in each loop."""
    scenario = recorded("wazo-ringgroup")
    hints = {f"{exten}@{context}" for exten, context, _ in scenario.site.hints()}
    with running("--capture", str(scenario.write(tmp_path)), "--pace", "20000/s", "--loops", "3") as sim:
        status = sim.wait(lambda status: status["done"])
        assert set(status["hints"]) == hints and not status["channels"]
