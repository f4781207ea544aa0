/* Phones that are switched off and on again. */
#include "office/tell.h"
#include "say.h"

static void tell_peer(struct office *o, const struct person *p)
{
    struct buf *out = tell_begin(o, "PeerStatus", "system");

    say(out, "ChannelType", o->tech);
    say(out, "Peer", p->device);
    if (o->old)
        say(out, "PeerStatus", p->offline ? "Unregistered" : "Registered");
    else
        say(out, "PeerStatus", p->offline ? "Unreachable" : "Reachable");
    if (o->old && !p->offline)
        say(out, "Address", "127.0.0.1:6060");
    tell_end(o);
}

static void tell_contact(struct office *o, const struct person *p)
{
    struct buf *out;

    if (o->old)
        return;
    out = tell_begin(o, "ContactStatus", "system");
    buf_printf(out, "URI: sip:%s@127.0.0.1:6060\r\n", p->is.login);
    say(out, "ContactStatus", p->offline ? "Removed" : "Reachable");
    say(out, "AOR", p->is.login);
    say(out, "EndpointName", p->is.login);
    say(out, "RoundtripUsec", p->offline ? "N/A" : "900");
    tell_end(o);
}

static void change(struct person *p, bool offline)
{
    struct office *o = p->office;

    p->offline = offline;
    tell_peer(o, p);
    tell_contact(o, p);
    person_update(p);
}

static void comes_back(void *arg)
{
    change(arg, false);
}

void phone_goes(struct person *p)
{
    if (p->offline || p->n_legs > 0)
        return;
    change(p, true);
    timer_start(&p->office->timers, &p->absence,
                office_span(p->office, 60 * SECONDS, 600 * SECONDS), comes_back, p);
}
