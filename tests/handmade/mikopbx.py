"""MikoPBX on Asterisk 22: members are Local/201@internal/n and bear the number as name, their hint is in internal-hints and combined with a
custom device; a parked call is taken by Bridge(), so that Asterisk tells that it gave up."""

from . import calls
from .site import Person, Site


class MikoPbx(Site):
    name = "mikopbx"
    version = "22"
    context = "internal"
    trunk_context = "SIP-TRUNK-1-incoming"
    hint_context = "internal-hints"
    queues = {"QUEUE-7C3A": ("2200100", "Sales")}
    queue = "QUEUE-7C3A"
    group = ("2200200", "Everybody")
    lot = {"name": "default", "extension": "800", "first": 801, "positions": 8}

    def numbers(self):
        return "201", "202", "203"

    def person(self, login, number, name):
        person = super().person(login, number, name)
        person.box = f"{number}@voicemail-peer"
        return person

    def interface(self, person):
        return f"Local/{person.number}@internal/n"

    def member_state(self, person):
        return f"hint:{person.number}@internal-hints"

    def member_name(self, person):
        return person.number

    def hint_text(self, person):
        return f"{person.device}&{person.device}-WS&Custom:{person.number}"

    def softphone(self, person):
        """The second telephone of a person, in the browser, with the same number."""
        return Person(person.login, person.number, person.name, f"{person.device}-WS")

    def lists(self):
        lists = super().lists()
        lists["lines"] += [{**phone, "id": f"{phone['id']}-WS", "name": f"{phone['name']}-WS", "rules_order": 2} for phone in lists["lines"]]
        return lists

    def endpoints(self):
        return [*self.people, *map(self.softphone, self.people)]

    def aliases(self, person):
        return ()


def dnd(a):
    """Alice is away: the custom device of her hint is busy, whatever her phone does."""
    alice, bob = a.site.alice, a.site.bob
    a.device(f"Custom:{alice.number}", "BUSY")
    yield "do not disturb"
    own = a.call(alice, bob.number)
    a.answers(a.ring(own, bob))
    yield "she calls Bob"
    a.hangs_up(own)
    yield "she has hung up"
    tries = a.call(bob, alice.number)
    a.busy(tries, alice)
    a.hangs_up(tries, 17)
    yield "Bob hears that she is busy"
    a.device(f"Custom:{alice.number}", "NOT_INUSE")
    yield "over"


def parking(a):
    """A customer talks to Alice, who parks the call; Bob takes it: the dialplan bridges him with the parked channel."""
    alice, bob = a.site.alice, a.site.bob
    space = a.site.bays()[0]
    customer = a.call_in(alice.number)
    a.answers(a.ring(customer, alice))
    yield "Alice talks"
    a.parks(customer.bridge.channels[0], space)
    yield "the customer is parked"
    phone = a.call(bob, space)
    a.up(phone)
    a.takes(phone, space)
    yield "Bob talks"
    a.wait(10)
    a.hangs_up(phone)
    yield "over"


def softphone(a):
    """A customer calls Alice, whose two telephones ring; she answers in the browser, and Bob sees that she talks."""
    alice = a.site.alice
    customer = a.call_in(alice.number)
    a.ring(customer, alice, alone=False)
    browser = a.ring(customer, a.site.softphone(alice), alone=False)
    yield "both ring"
    a.answers(browser)
    yield "she talks in the browser"
    a.wait(20)
    a.hangs_up(customer)
    yield "over"


MikoPbx.scenarios = {
    "queue": calls.queue, "abandon": calls.abandon, "ringall": calls.ringall, "pause": calls.pause, "ringgroup": calls.ringgroup,
    "dnd": dnd, "voicemail": calls.voicemail, "parking": parking,
    "hold": calls.hold, "giveup": calls.giveup, "softphone": softphone,
    "timeout": calls.timeout, "transfer": calls.transfer}
