"""Issabel, and FreePBX of its time: Asterisk 11 or 13 with chan_sip, members Local/101@from-queue/n by a hint, and the agents of chan_agent."""

from . import calls
from .site import Site


class Issabel(Site):
    name = "issabel"
    version = "11"
    tech = "SIP"
    trunk = "SIP/operator"
    hint_context = "ext-local"
    queues = {"500": ("500", "Sales"), "501": ("501", "Call centre")}
    queue = "500"
    lot = {"name": "default", "extension": "70", "first": 71, "positions": 8}
    agents = (("2001", "Carole", "Agent"),)
    first_states = {"Agent/2001": "UNAVAILABLE"}

    def numbers(self):
        return "101", "102", "103"

    def interface(self, person):
        return f"Local/{person.number}@from-queue/n"

    def member_state(self, person):
        return f"hint:{person.number}@ext-local"

    def members(self):
        return [*super().members(), {"queue": "501", "interface": "Agent/2001", "name": "Agent/2001"}]

    def devices(self):
        return [*super().devices(), "Agent/2001"]

    def own_agents(self):
        return self.agents

    def hint_text(self, person):
        return f"{person.device}&Custom:DND{person.number}"

    def aliases(self, person):
        return ()


class Issabel13(Issabel):
    name = "issabel13"
    version = "13"
    agents = ()
    first_states = {}
    queues = {"500": ("500", "Sales")}

    def members(self):
        return Site.members(self)

    def devices(self):
        return Site.devices(self)


def dnd(a):
    """Alice dials *76: do not disturb. She can still call; Bob, who calls her, gets the mailbox. She dials *76 again."""
    alice, bob = a.site.alice, a.site.bob
    code = a.call(alice, "*76")
    a.up(code)
    a.device(f"Custom:DND{alice.number}", "INUSE")
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
    a.hangs_up(code)
    yield "over"


def agent(a):
    """Carole logs in as agent 2001 from her phone, is given a call, and logs off."""
    carole = a.site.carole
    login = a.call(carole, "*8888")
    a.agent_logs_in(login, "2001")
    yield "the agent is logged in"
    customer = a.call_in("501")
    a.joins_queue(customer, "501")
    a.wait(5)
    leg = a.agent_answers(customer, a.member("501", "Agent/2001"), login)
    yield "the agent talks"
    a.wait(20)
    a.hangs_up(customer)
    a.agent_is_free(login)
    yield "the agent is free"
    a.agent_logs_off(login, "2001")
    yield "over"
    assert leg not in a.channels


COMMON = {"queue": calls.queue, "abandon": calls.abandon, "ringall": calls.ringall, "pause": calls.pause, "ringgroup": calls.ringgroup,
          "dnd": dnd, "voicemail": calls.voicemail, "parking": calls.parking, "hold": calls.hold, "giveup": calls.giveup,
          "timeout": calls.timeout}
Issabel.scenarios = {**COMMON, "agent": agent}
Issabel13.scenarios = COMMON
