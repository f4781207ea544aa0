"""What happens at every site, each in its own way: `a` is the Asterisk. Each `yield` names a moment at which it is seen what people are shown."""


def member_of(a, person):
    return a.member(a.site.queue, a.site.interface(person))


def calls_queue(a, **caller):
    channel = a.call_in(a.site.queues[a.site.queue][0], **caller)
    a.joins_queue(channel, a.site.queue)
    return channel


def queue(a):
    """A customer waits; Alice's phone rings twice in vain; the third time she answers."""
    alice = a.site.alice
    customer = calls_queue(a)
    yield "the customer waits"
    for time in ("rings", "rings again"):
        a.rings_member(customer, member_of(a, alice), alice)
        yield f"her phone {time}"
        a.wait(15)
        a.not_answered(customer)
        yield f"her phone {time}: she does not answer"
    phone = a.rings_member(customer, member_of(a, alice), alice)
    yield "her phone rings for the third time"
    a.answers(phone)
    yield "they talk"
    a.wait(20)
    a.hangs_up(phone)
    yield "over"


def abandon(a):
    """A customer waits; Alice's phone rings three times; the customer gives up."""
    alice = a.site.alice
    customer = calls_queue(a)
    for _ in range(2):
        a.rings_member(customer, member_of(a, alice), alice)
        a.wait(15)
        a.not_answered(customer)
    a.rings_member(customer, member_of(a, alice), alice)
    yield "her phone rings for the third time"
    a.gives_up(customer)
    yield "over"


def ringall(a):
    """A queue rings Alice and Bob; Bob answers."""
    alice, bob = a.site.alice, a.site.bob
    customer = calls_queue(a)
    a.rings_member(customer, member_of(a, alice), alice)
    phone = a.rings_member(customer, member_of(a, bob), bob)
    yield "both phones ring"
    a.answers(phone)
    yield "Bob talks"
    a.wait(20)
    a.hangs_up(customer)
    yield "over"


def pause(a):
    """Alice pauses, with and without a reason; a customer of the queue rings Bob only; she is back."""
    alice, bob = a.site.alice, a.site.bob
    a.pause(member_of(a, alice), True, "lunch")
    yield "she is at lunch"
    customer = calls_queue(a)
    phone = a.rings_member(customer, member_of(a, bob), bob)
    a.answers(phone)
    yield "Bob talks, she is at lunch"
    a.pause(member_of(a, alice), True)
    yield "paused without a reason"
    a.hangs_up(customer)
    a.pause(member_of(a, alice), False)
    yield "over"


def voicemail(a, dials="*97"):
    """A customer does not reach Alice and leaves a message; she listens to it."""
    alice = a.site.alice
    customer = a.call_in(alice.number)
    phone = a.ring(customer, alice)
    yield "her phone rings"
    a.wait(20)
    a.stops(phone, "NOANSWER")
    a.up(customer)
    yield "the mailbox has answered"
    a.wait(10)
    a.mailbox(customer, alice.box, 1, 0, a.site.aliases(alice))
    a.hangs_up(customer)
    yield "a message waits"
    listens = a.call(alice, dials)
    a.up(listens)
    yield "she listens"
    a.mailbox(listens, alice.box, 0, 1, a.site.aliases(alice))
    a.hangs_up(listens)
    yield "over"


def parking(a):
    """A customer talks to Alice, who parks the call; Bob retrieves it."""
    alice, bob = a.site.alice, a.site.bob
    space = a.site.bays()[0]
    customer = a.call_in(alice.number)
    a.answers(a.ring(customer, alice))
    yield "Alice talks"
    a.parks(customer.bridge.channels[0], space)
    yield "the customer is parked"
    phone = a.call(bob, space)
    a.retrieves(phone, space)
    yield "Bob talks"
    a.wait(10)
    a.hangs_up(phone)
    yield "over"


def ringgroup(a):
    """A customer calls the ring group, which rings everybody by way of Local channels; Bob answers."""
    site = a.site
    customer = a.call_in(site.group[0])
    phones = [a.ring(a.local(customer, p.number, site.context, keep=True), p) for p in site.people]
    yield "all phones ring"
    a.answers(phones[1])
    yield "Bob talks"
    a.wait(20)
    a.hangs_up(customer)
    yield "over"


def dial(a):
    """A customer calls the ring group, which is Dial(A&B&C): Carole is busy, Alice answers."""
    site = a.site
    customer = a.call_in(site.group[0])
    phones = [a.ring(customer, p, alone=False) for p in (site.alice, site.bob)]
    a.busy(customer, site.carole)
    yield "two phones ring"
    a.answers(phones[0])
    yield "Alice talks"
    a.wait(20)
    a.hangs_up(phones[0])
    yield "over"


def hold(a):
    """Alice calls Bob, who answers; she puts him on hold, and takes him back."""
    alice, bob = a.site.alice, a.site.bob
    own = a.call(alice, bob.number)
    a.answers(a.ring(own, bob))
    yield "they talk"
    a.hold(own)
    yield "Bob is on hold"
    a.hold(own, False)
    yield "they talk again"
    a.hangs_up(own)
    yield "over"


def giveup(a):
    """A customer talks to Alice, who parks the call; the customer gives up in the bay."""
    alice = a.site.alice
    space = a.site.bays()[0]
    customer = a.call_in(alice.number)
    a.answers(a.ring(customer, alice))
    a.parks(customer.bridge.channels[0], space)
    yield "the customer is parked"
    a.wait(20)
    a.parked_gives_up(space)
    yield "over"


def pickup(a, dials="**"):
    """A customer calls Alice; Bob takes the call with the code for her number."""
    alice, bob = a.site.alice, a.site.bob
    customer = a.call_in(alice.number)
    phone = a.ring(customer, alice)
    yield "her phone rings"
    a.picks_up(bob, f"{dials}{alice.number}", phone)
    yield "Bob talks"
    a.wait(10)
    a.hangs_up(customer)
    yield "over"


def timeout(a):
    """A customer waits; Alice's phone rings in vain; the queue's time is over, and Bob's phone is rung instead, who answers."""
    alice, bob = a.site.alice, a.site.bob
    customer = calls_queue(a)
    a.rings_member(customer, member_of(a, alice), alice)
    a.wait(15)
    a.not_answered(customer)
    yield "Alice has not answered"
    a.times_out(customer)
    phone = a.ring(customer, bob)
    yield "Bob's phone rings"
    a.answers(phone)
    yield "Bob talks"
    a.wait(20)
    a.hangs_up(customer)
    yield "over"


def transfer(a):
    """A customer of the queue talks to Alice, who transfers the call to Bob, unseen."""
    alice, bob = a.site.alice, a.site.bob
    customer = calls_queue(a)
    phone = a.rings_member(customer, member_of(a, alice), alice)
    a.answers(phone)
    yield "Alice talks"
    a.wait(10)
    other = a.transfers(phone, bob)
    yield "Bob's phone rings"
    a.answers(other)
    yield "Bob talks"
    a.wait(10)
    a.hangs_up(other)
    yield "over"
