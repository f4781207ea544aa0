"""A whole site under load, to which one thing after another happens: after each every view is right again within
seconds, nobody else notices, and nothing that was answered is lost.

CHAOS_SECONDS (120) says for how long, CHAOS_CLIENTS (300) with how many clients; CHAOS_SEED repeats a run. `make chaos
MINUTES=60` is the long one.
"""

import collections
import os
import random
import time

import pytest

from faults import Faults, check_gaps, check_use, one_fault
from site_under_load import CAPTURES, CLIENTS, EVENTS_A_SECOND, GATEWAYS, SEED, Relay, Site, captures_of, say
from stack import Stack

SECONDS = int(os.environ.get("CHAOS_SECONDS", "120"))


# ---- what happens ----

@pytest.mark.timeout(SECONDS * 2 + 300)
def test_chaos():
    say(f"CHAOS_SEED={SEED}, {SECONDS} s, {CLIENTS} clients, {EVENTS_A_SECOND} events/s")
    random.seed(SEED)
    with Stack(CAPTURES[0], pace=f"{EVENTS_A_SECOND}/s", sim_args=captures_of(), parts=("sim",),
               config={"ctibus.session_grace_seconds": 30, "ctibus.cti.max_output": 16 << 20}) as s:
        relay = Relay(s.ports["ami"])
        s.set("ipbxes.xivo.ipbx_connection.ipport", relay.port)
        for part in ("state", "ami-gw", *GATEWAYS):
            s.start(part)
        s.wait_ready()
        site = Site(s)
        faults = Faults(site, relay, ("state", "ami-gw", *GATEWAYS))
        site.live_for(3)
        site.heals(time.monotonic())
        base = site.used()
        end = time.monotonic() + SECONDS
        happened = collections.Counter()
        while time.monotonic() < end:
            everything = [*faults.all_of_them(), ("disk_full", faults.disk_full)]
            random.shuffle(everything)
            for name, fault in everything:
                if time.monotonic() > end:
                    break
                one_fault(site, name, fault)
                happened[name] += 1
                site.live_for(1)
        check_use(site, base, faults.young)
        check_gaps(site)
        site.listener.ending = True
        assert all(w.writes > 20 for w in site.writers)
        say(f"{sum(happened.values())} faults, {sum(w.writes for w in site.writers)} writes, "
            f"{site.crowd.received >> 20} MiB read by {CLIENTS} clients, {len(site.listener.gaps)} gaps")
