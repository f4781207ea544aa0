"""Steps with 600 clients on three cti-gw behind the balancer, and a monitor beside them all the while: faults that
nobody but those who were there notices, and a rolling restart."""

import time

from project import FIRST_ID, HEAL_SECONDS, USERS, Monitor, docker
from stack import Client, until
from swarm import Pulse, Swarm

BACK_SECONDS = 5
NEXT_SECONDS = 15  # until the next message of a source has come
PULSE_USER = ("erin", "5")


class Crowd:
    """What the steps have in common."""

    def __init__(self, compose):
        self.compose = compose
        self.monitor = Monitor(compose)
        self.swarm = Swarm(compose.ports["cti"], [str(FIRST_ID + i) for i in range(USERS)], PULSE_USER[1])
        self.pulse = None
        self.away = []  # (from, to, service) of what was stopped or cut on purpose, seconds since 1970

    def begin(self, n):
        self.swarm.add(n)
        self.wait_live()
        self.pulse = Pulse(self.pulse_client)

    def pulse_client(self):
        client = Client(self.compose.ports["cti"])
        client.login(*[PULSE_USER[0]] * 2)
        return client

    def wait_live(self, seconds=HEAL_SECONDS):
        try:
            until(lambda: self.swarm.live() == len(self.swarm.clients), "all clients are there", seconds)
        except AssertionError as e:
            raise AssertionError(f"{e}; {self.swarm.why()}") from None

    def spread(self):
        return {c: self.compose.clients_of(c) for c in self.compose.containers("cti-gw")}

    def beats(self, n=2):
        """Waits until n more numbers of the pulse have come to everybody."""
        wanted = self.pulse.number + n
        until(lambda: self.pulse.number >= wanted, f"the pulse beats: {self.pulse.errors[-3:]}", HEAL_SECONDS)
        until(lambda: all(c.pulses and c.pulses[-1][1] >= wanted for c in self.swarm.clients),
              "everybody sees it", HEAL_SECONDS)

    def check_streams_of(self, clients, since):
        """Nobody of them has missed a number since then."""
        for c in clients:
            numbers = [n for when, n in c.pulses if when >= since]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), (c.user, numbers)

    def was_away(self, service, since):
        self.away.append((since, time.time(), service))

    def is_explained(self, when, text):
        """A source begins anew when its service was restarted; messages are lost while state, which hands them on,
        was away. What is noticed with the next message is noticed a little later."""
        service = text.removeprefix("ctibus: ").split("@")[0].split(":")[0]
        wanted = service if text.endswith("was restarted") else "state"
        return any(begin <= when <= end + NEXT_SECONDS and wanted == s for begin, end, s in self.away)


CROWD = []


def crowd():
    assert CROWD, "the step before this one brings the clients"
    return CROWD[0]


def leave(_compose):
    for c in CROWD:
        if c.pulse:
            c.pulse.stop()
        c.swarm.stop()
        c.monitor.stop()
    CROWD.clear()


def step_six_hundred_clients_spread_evenly(compose):
    compose("up", "-d", "--no-build", "--scale", "cti-gw=3")
    compose.wait_healthy("cti-gw", 3)
    compose.wait_balanced(3)
    CROWD.append(Crowd(compose))
    since = time.monotonic()
    crowd().begin(USERS)
    spread = crowd().spread()
    print(f"        {USERS} clients in {time.monotonic() - since:.1f} s, spread {sorted(spread.values())}")
    assert max(spread.values()) - min(spread.values()) <= 12, spread
    crowd().beats()


def survives(cut, what):
    """All but those who were on the instance that `cut` takes away notice nothing; those are back soon."""
    c = crowd()
    c.beats()
    victim, n = max(c.spread().items(), key=lambda item: item[1])
    c.swarm.flaps.clear()
    since, wall = time.monotonic(), time.time()
    cut(victim)
    until(lambda: len(c.swarm.cut_since(since)) >= n - 5, f"the clients of that instance notice it ({n})", HEAL_SECONDS)
    c.wait_live()
    c.beats(8)
    moved = c.swarm.cut_since(since)
    stayed = [x for x in c.swarm.clients if x not in moved]
    print(f"        {len(moved)} clients moved, the last was back after {c.swarm.longest_absence(since):.1f} s, "
          f"and {max(x.back[-1] for x in moved) - since:.1f} s after the {what}")
    assert n - 5 <= len(moved) <= n + 5, (n, len(moved))
    assert max(x.back[-1] for x in moved) - since <= BACK_SECONDS
    assert not c.swarm.flaps, c.swarm.flaps[:5]
    c.check_streams_of(stayed, since)
    c.was_away("cti-gw", wall)
    return victim


def step_an_instance_is_killed(compose):
    victim = survives(lambda v: docker("kill", v), "kill")
    docker("start", victim)
    compose.wait_healthy("cti-gw", 3)
    compose.wait_balanced(3)


def step_an_instance_hangs(compose):
    victim = survives(lambda v: docker("pause", v), "pause")
    docker("unpause", victim)
    compose.wait_healthy("cti-gw", 3)
    compose.wait_balanced(3)
    c = crowd()
    c.swarm.flaps.clear()
    until(lambda: compose.clients_of(victim) == 0, "it lets go of those who are elsewhere", HEAL_SECONDS)
    c.beats()
    assert not c.swarm.flaps, c.swarm.flaps[:5]


def step_an_instance_is_stopped(compose):
    """Its clients leave one after the other, and nobody new is sent there."""
    c = crowd()
    since = time.monotonic()
    victim = survives_stop(c)
    times = sorted(min(t for t in x.cut if t >= since) - since for x in c.swarm.cut_since(since))
    print(f"        {len(times)} clients left between {times[0]:.1f} and {times[-1]:.1f} s, half of them after "
          f"{times[len(times) // 2]:.1f} s")
    assert times[-1] - times[0] > 3, "spread over some seconds"
    docker("start", victim)
    compose.wait_healthy("cti-gw", 3)
    compose.wait_balanced(3)


def survives_stop(c):
    c.beats()
    victim, n = max(c.spread().items(), key=lambda item: item[1])
    c.swarm.flaps.clear()
    since, wall = time.monotonic(), time.time()
    docker("stop", victim)
    c.wait_live()
    moved = c.swarm.cut_since(since)
    assert n - 5 <= len(moved) <= n + 5, (n, len(moved))
    # "no more than were in flight, then none": who came back found an instance that takes clients at once
    longest = c.swarm.longest_absence(since)
    assert longest < BACK_SECONDS, longest
    assert docker("inspect", "--format", "{{.State.ExitCode}}", victim).strip() == "0"
    c.beats()
    assert not c.swarm.flaps, c.swarm.flaps[:5]
    c.check_streams_of([x for x in c.swarm.clients if x not in moved], since)
    c.was_away("cti-gw", wall)
    return victim


def step_rolling_restart_of_everything(compose):
    """One container after the other, with calls, clients and the pulse going on."""
    c = crowd()
    c.swarm.flaps.clear()
    for service in ("state", "ami-gw", "fagi-gw", "asterisk-sim", "cti-gw", "haproxy"):
        for container in compose.containers(service):
            wall, since = time.time(), time.monotonic()
            docker("restart", container)
            compose.wait_healthy(service, len(compose.containers(service)))
            compose.wait_healthy("haproxy")
            c.wait_live()
            c.beats()
            c.was_away(service, wall)
            print(f"        {service}: {time.monotonic() - since:.1f} s, {len(c.swarm.cut_since(since))} clients moved")
    for service in ("state", "ami-gw", "fagi-gw"):
        compose.wait_healthy(service)
    compose.wait_healthy("cti-gw", 3)
    compose.wait_balanced(3)
    assert not c.swarm.flaps, c.swarm.flaps[:5]


def step_the_monitor_saw_no_unexplained_gap(_compose):
    c = crowd()
    said, messages = c.monitor.lines()
    count = messages.count("\n")
    assert count > 1000, count
    bad = [text for when, text in said if not c.is_explained(when, text)]
    print(f"        {count} messages, {len(said)} gaps and restarts, {len(bad)} of them unexplained")
    assert not bad, (said, c.away)
    numbers = [n for _, n in c.swarm.clients[0].pulses]
    assert str(numbers[-1]) in messages


STEPS = [step_six_hundred_clients_spread_evenly, step_an_instance_is_killed, step_an_instance_hangs,
         step_an_instance_is_stopped, step_rolling_restart_of_everything, step_the_monitor_saw_no_unexplained_gap]

__all__ = ["STEPS", "Monitor", "leave"]
