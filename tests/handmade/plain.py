"""A queues.conf and an extensions.conf written by hand, Asterisk 22: members are the phones themselves, some of them realtime, with
penalties; lamps are combined with a custom device; Dial() and FollowMe()."""

from . import calls
from .site import Site


class Plain(Site):
    name = "plain"
    version = "22"
    context = "phones"
    queues = {"support": ("3001", "Support"), "sales": ("3002", "Sales")}
    queue = "support"
    membership = "realtime"

    def hint_text(self, person):
        return f"{person.device}&Custom:dnd{person.number}"

    def members(self):
        sales = {"queue": "sales", "interface": self.bob.device, "name": self.bob.device, "state": self.bob.device, "membership": "static",
                 "penalty": 5}
        return [*super().members(), sales]

    def aliases(self, person):
        return ()

    def listings(self, a):
        """With the account 555010 at an operator over IAX2, whose name could be the number of a phone."""
        yield from super().listings(a)
        yield "IAXpeers", self._list("Peer status list", [("PeerEntry", [
            ("Channeltype", "IAX2"), ("ObjectName", "555010"), ("ChanObjectType", "peer"), ("IPaddress", "198.51.100.9"), ("IPport", 4569),
            ("Mask", "255.255.255.255"), ("Dynamic", "no"), ("Trunk", "no"), ("Encryption", "no"), ("Status", "Unmonitored")])],
                                     "PeerlistComplete")
        yield "IAXregistry", self._list("Registrations", [("RegistryEntry", [
            ("Host", "198.51.100.9:4569"), ("DNSmanager", "N"), ("Username", "555010"), ("Perceived", "203.0.113.7:4569"), ("Refresh", 60),
            ("State", "Registered")])], "RegistrationsComplete")


def dnd(a):
    """Alice dials *78: her lamp is busy. A queue does not ring her, a colleague does and is refused by the phone. She dials *79."""
    alice, bob = a.site.alice, a.site.bob
    code = a.call(alice, "*78")
    a.up(code)
    a.device(f"Custom:dnd{alice.number}", "BUSY")
    a.hangs_up(code)
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
    code = a.call(alice, "*79")
    a.up(code)
    a.device(f"Custom:dnd{alice.number}", "NOT_INUSE")
    a.hangs_up(code)
    yield "over"


def followme(a):
    """FollowMe(): Alice's phone rings in vain, then her mobile by way of a Local channel, which is optimised away."""
    alice = a.site.alice
    customer = a.call_in(alice.number)
    a.up(customer)
    phone = a.ring(customer, alice)
    yield "her phone rings"
    a.wait(15)
    a.stops(phone, "NOANSWER")
    leg = a.local(customer, "0612345678", "phones")
    away = a.ring(leg, a.site.outside("0612345678"))
    yield "her mobile rings"
    a.answers(away)
    a.optimised(leg)
    yield "she talks at her mobile"
    a.wait(20)
    a.hangs_up(away)
    yield "over"


def penalty(a):
    """Bob's penalty is changed; the queue's members are read anew from the database: Bob is there no longer, Carole is."""
    bob, carole = a.site.bob, a.site.carole
    member = calls.member_of(a, bob)
    a.penalty(member, 7)
    yield "Bob comes last"
    a.remove_member(member)
    a.add_member(queue="support", interface=carole.device, name=carole.name, membership="realtime", penalty=2)
    yield "over"


Plain.scenarios = {
    "queue": calls.queue, "abandon": calls.abandon, "ringall": calls.ringall, "pause": calls.pause, "dial": calls.dial, "followme": followme,
    "dnd": dnd, "voicemail": calls.voicemail, "parking": calls.parking,
    "hold": calls.hold, "giveup": calls.giveup, "pickup": calls.pickup,
    "timeout": calls.timeout, "transfer": calls.transfer,
    "penalty": penalty}
