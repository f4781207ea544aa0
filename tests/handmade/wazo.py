"""Wazo on Asterisk 21: endpoints with random names, agents that are members of queues as Local/id-1@agentcallback, groups that are queues
whose members go by the uuid of a user, and calls that an application (wazo-calld) holds in Stasis bridges."""

from . import calls
from .site import Site

ENDPOINTS = {"alice": "abcdef12", "bob": "k3x9z0qd", "carole": "m7t2w8ra"}
UUIDS = {"alice": "6f1c9a52-3b7e-4c1d-9a68-0d5e4b7f2a11", "bob": "0b8d7e41-52c6-4f3a-8e97-6a1c3d5f9b22",
         "carole": "c47a2f90-1d8b-4e65-b3f4-92e0a6c8d733"}


class Wazo(Site):
    name = "wazo"
    version = "21"
    context = "default"
    trunk_context = "from-extern"
    trunk = "PJSIP/c0a8f00d"
    queues = {"support": ("3001", "Support"), "grp-sales-1f0e": ("3002", "Sales")}
    queue = "support"
    group = ("3002", "grp-sales-1f0e")
    membership = "dynamic"
    lot = {"name": "parkinglot-1", "extension": "700", "first": 701, "positions": 8}
    park_context = "default"
    agents = (("2001", "Alice", "Martin"), ("2002", "Bob", "Tremblay"))
    settings = {"ctibus.agents.login": "member"}

    def person(self, login, number, name):
        person = super().person(login, number, name)
        person.device = f"PJSIP/{ENDPOINTS[login]}"
        person.agent = {"alice": "1", "bob": "2"}.get(login, "")
        person.agent_number = {"alice": "2001", "bob": "2002"}.get(login, "")
        return person

    def lists(self):
        lists = super().lists()
        # Wazo's groups are queues in Asterisk
        lists["queues"] = [q for q in lists["queues"] if q["name"] == "support"]
        lists["groups"] = [{"id": "1", "name": "grp-sales-1f0e", "number": "3002", "context": "default"}]
        return lists

    def interface(self, person):
        return f"Local/id-{person.agent}@agentcallback"

    def member_name(self, person):
        return f"Agent/{person.agent_number}"

    def in_queue(self):
        return [(self.alice, 0), (self.bob, 0)]

    def of_group(self, person):
        """The interface of a user in a group."""
        return f"Local/{UUIDS[person.login]}@usersharedlines"

    def members(self):
        users = [{"queue": "grp-sales-1f0e", "interface": self.of_group(p), "name": self.of_group(p),
                  "state": f"hint:{UUIDS[p.login]}@usersharedlines"} for p in self.people]
        return [*super().members(), *users]

    def hints(self):
        keys = [(f"*735{i}***225", "default", f"Custom:*735{i}***225") for i in range(1, 4)]
        return [*super().hints(), *((UUIDS[p.login], "usersharedlines", p.device) for p in self.people), *keys]

    def aliases(self, person):
        return ()


def ringgroup(a):
    """A customer calls the group, a queue whose members are users; all phones ring, Bob answers."""
    site = a.site
    customer = a.call_in("3002")
    a.joins_queue(customer, "grp-sales-1f0e")
    phones = [a.rings_member(customer, a.member("grp-sales-1f0e", site.of_group(p)), p) for p in site.people]
    yield "all phones ring"
    a.answers(phones[1])
    a.optimised(phones[1].by)
    yield "Bob talks"
    a.wait(20)
    a.hangs_up(customer)
    yield "over"


def queue(a):
    """A customer waits; the phone of agent 2001 rings twice in vain; the third time Alice answers, and the Local channel is optimised away."""
    alice = a.site.alice
    customer = calls.calls_queue(a)
    yield "the customer waits"
    for time in ("rings", "rings again"):
        a.rings_member(customer, calls.member_of(a, alice), alice)
        yield f"her phone {time}"
        a.wait(15)
        a.not_answered(customer)
        yield f"her phone {time}: she does not answer"
    phone = a.rings_member(customer, calls.member_of(a, alice), alice)
    yield "her phone rings for the third time"
    a.answers(phone)
    a.optimised(phone.by)
    yield "they talk"
    a.wait(20)
    a.hangs_up(phone)
    yield "over"


def login(a):
    """Agent 2001 logs off, which removes her from the queue, and logs in again."""
    site, alice = a.site, a.site.alice
    a.remove_member(calls.member_of(a, alice))
    yield "logged off"
    a.add_member(queue="support", interface=site.interface(alice), name="Agent/2001", state=alice.device, membership="dynamic")
    yield "over"


def dnd(a):
    """Alice switches do not disturb on (a function key): her lamp stays that of her phone. Bob's call is refused. She switches it off."""
    alice, bob = a.site.alice, a.site.bob
    code = a.call(alice, "*25")
    a.up(code)
    a.device("Custom:*7351***225", "INUSE")
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
    a.device("Custom:*7351***225", "NOT_INUSE")
    yield "over"


def stasis(a):
    """A customer talks to Alice in the bridge of an application; she asks Bob there, and hangs up: the customer talks to Bob."""
    alice, bob = a.site.alice, a.site.bob
    customer = a.call_in(alice.number)
    phone = a.ring(customer, alice)
    a.answers(phone)
    yield "Alice talks"
    bridge = a.to_application(phone.bridge)
    yield "the application holds the call"
    other = a.application_rings(phone, bob)
    yield "Bob's phone rings"
    a.application_adds(bridge, other)
    a.leaves_application(phone)
    yield "Bob talks"
    a.wait(10)
    a.hangs_up(customer)
    yield "over"


def transfer(a):
    """A customer of the queue talks to Alice, who transfers the call to Bob, unseen."""
    alice, bob = a.site.alice, a.site.bob
    customer = calls.calls_queue(a)
    phone = a.rings_member(customer, calls.member_of(a, alice), alice)
    leg = phone.by
    a.answers(phone)
    a.optimised(leg)
    yield "Alice talks"
    a.wait(10)
    other = a.transfers(phone, bob)
    yield "Bob's phone rings"
    a.answers(other)
    yield "Bob talks"
    a.wait(10)
    a.hangs_up(other)
    yield "over"


Wazo.scenarios = {
    "queue": queue, "abandon": calls.abandon, "pause": calls.pause, "ringgroup": ringgroup, "login": login, "dnd": dnd, "stasis": stasis,
    "voicemail": calls.voicemail, "parking": calls.parking,
    "hold": calls.hold, "giveup": calls.giveup,
    "timeout": calls.timeout, "transfer": transfer}
