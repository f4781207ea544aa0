"""FreePBX on Asterisk 20 with chan_pjsip: members are Local channels that go by a hint in another context, hints are combined with do not
disturb and a presence, messages are told for an alias of the mailbox, too."""

from . import calls
from .site import Site


class FreePbx(Site):
    name = "freepbx"
    version = "20"
    hint_context = "ext-local"
    queues = {"400": ("400", "Sales")}
    queue = "400"
    lot = {"name": "default", "extension": "70", "first": 71, "positions": 8}

    def interface(self, person):
        return f"Local/{person.number}@from-queue/n"

    def member_state(self, person):
        return f"hint:{person.number}@ext-local"

    def hint_text(self, person):
        return f"{person.device}&Custom:DND{person.number},CustomPresence:{person.number}"

    def hints(self):
        return [*super().hints(), *((bay, "park-hints", self.bay_device(bay)) for bay in self.bays())]

    def aliases(self, person):
        return (f"{person.number}@device",)


def dnd(a):
    """Alice dials *76: do not disturb. She can still call; Bob, who calls her, gets the mailbox. She dials *76 again."""
    alice, bob = a.site.alice, a.site.bob
    code = a.call(alice, "*76")
    a.up(code)
    a.device(f"Custom:DND{alice.number}", "BUSY")
    a.presence(f"CustomPresence:{alice.number}", "dnd", "Do Not Disturb")
    a.hangs_up(code)
    yield "do not disturb"
    own = a.call(alice, bob.number)
    a.answers(a.ring(own, bob))
    yield "she calls Bob"
    a.hangs_up(own)
    yield "she has hung up"
    tries = a.call(bob, alice.number)
    a.up(tries)
    yield "Bob gets her mailbox"
    a.hangs_up(tries)
    code = a.call(alice, "*76")
    a.up(code)
    a.device(f"Custom:DND{alice.number}", "NOT_INUSE")
    a.presence(f"CustomPresence:{alice.number}", "available")
    a.hangs_up(code)
    yield "over"


def followme(a, mobile_answers=False):
    """Alice has follow-me: her phone and her mobile ring by way of Local channels; she answers at her desk."""
    site, alice = a.site, a.site.alice
    mobile = site.outside("0612345678")
    customer = a.call_in(alice.number)
    desk_leg = a.local(customer, f"FMPR-{alice.number}", "from-internal")
    desk = a.ring(desk_leg, alice)
    mobile_leg = a.local(customer, "FMGL-0612345678#", "from-internal", keep=True)
    away = a.ring(mobile_leg, mobile)
    yield "desk and mobile ring"
    if mobile_answers:
        a.answers(away)
    else:
        a.answers(desk)
        a.optimised(desk_leg)
    yield "she talks"
    a.wait(20)
    a.hangs_up(customer)
    yield "over"


def followme_mobile(a):
    """Alice has follow-me; she answers at her mobile."""
    yield from followme(a, mobile_answers=True)


def members(a):
    """Carole joins the queue by *45 and leaves it again."""
    carole = a.site.carole
    code = a.call(carole, "*45400")
    a.up(code)
    member = a.add_member(queue="400", interface=a.site.interface(carole), name=carole.name, state=a.site.member_state(carole),
                          membership="dynamic")
    a.hangs_up(code)
    yield "Carole is in"
    customer = calls.calls_queue(a)
    phone = a.rings_member(customer, member, carole)
    a.answers(phone)
    yield "Carole talks"
    a.hangs_up(phone)
    a.remove_member(member)
    yield "over"


def external(a):
    """A number outside is a member of the queue, by way of a Local channel that has no hint; it answers."""
    interface = "Local/0612345678@from-queue/n"
    member = a.add_member(queue="400", interface=interface, name="Mobile", membership="dynamic")
    customer = calls.calls_queue(a)
    phone = a.rings_member(customer, member, a.site.outside("0612345678"))
    yield "the mobile rings"
    a.answers(phone)
    yield "the mobile talks"
    a.hangs_up(customer)
    a.remove_member(member)
    yield "over"


FreePbx.scenarios = {
    "queue": calls.queue, "abandon": calls.abandon, "ringall": calls.ringall, "pause": calls.pause, "members": members,
    "ringgroup": calls.ringgroup, "dial": calls.dial, "followme": followme, "followme-mobile": followme_mobile, "dnd": dnd,
    "voicemail": calls.voicemail, "parking": calls.parking,
    "hold": calls.hold, "giveup": calls.giveup, "pickup": calls.pickup, "external": external,
    "timeout": calls.timeout, "transfer": calls.transfer}
