/* What no Asterisk can do: a person at a phone, for tests and demonstrations. */
#include <stdio.h>

#include "office/actions.h"

static struct person *phone_of(const struct ask *a, const char *header)
{
    struct view name = ami_get(a->b, header);
    struct office *o = ask_office(a);
    struct person *p = office_device(o, name);

    return p ? p : office_person(o, name);
}

/* From: a phone ("PJSIP/alice" or "1001"), or a number outside, with Name; Exten: what it dials. */
static void call(const struct ask *a)
{
    struct person *p = phone_of(a, "From");
    char from[48], name[88], exten[48];

    if (!ask_text(a, "From", from, sizeof(from)) || !ask_text(a, "Name", name, sizeof(name)) ||
        !ask_text(a, "Exten", exten, sizeof(exten)))
        return;
    if (!*from || !*exten) {
        say_error(a->out, a->id, "From and Exten are needed");
        return;
    }
    say_success(a->out, a->id, "Calls");
    dialplan_call(ask_office(a), p, exten, from, name);
}

/* Endpoint: its ringing call is answered. */
static void answers(const struct ask *a)
{
    struct person *p = phone_of(a, "Endpoint");
    struct leg *l = NULL;

    if (p)
        LIST_FOREACH(l, &p->legs, of_person)
    if (l->job == JOB_RINGS)
        break;
    if (!l) {
        say_error(a->out, a->id, "No ringing call there");
        return;
    }
    say_success(a->out, a->id, "Answers");
    dial_answer(l);
}

/* Channel or Endpoint (its first call): the phone hangs up. A ringing
 * one declines, or (Cause: 19) has rung long enough. */
static void hangs_up(const struct ask *a)
{
    struct leg *l = office_leg(ask_office(a), ami_get(a->b, "Channel"));
    struct person *p = phone_of(a, "Endpoint");
    bool rings_out = view_eq(ami_get(a->b, "Cause"), VIEW("19"));

    if (!l && p)
        l = LIST_FIRST(&p->legs);
    if (!l) {
        say_error(a->out, a->id, "No such channel");
        return;
    }
    say_success(a->out, a->id, "Hangs up");
    if (l->job == JOB_RINGS && l->other)
        dial_failed(l, rings_out ? "NOANSWER" : "BUSY", rings_out ? 16 : 17);
    else
        leg_hang_up(l, 16, true);
}

/* Endpoint: holds its call, or takes it back. */
static void holds(const struct ask *a)
{
    struct person *p = phone_of(a, "Endpoint");
    struct leg *l = NULL;

    if (p)
        LIST_FOREACH(l, &p->legs, of_person)
    if (link_peer(l))
        break;
    if (!l) {
        say_error(a->out, a->id, "No call there");
        return;
    }
    say_success(a->out, a->id, "Holds");
    leg_hold(l, !l->holds);
}

const struct office_row office_phone_rows[] = {
    {{"OfficeCall", call, false}, BOTH},
    {{"OfficeAnswer", answers, false}, BOTH},
    {{"OfficeHangup", hangs_up, false}, BOTH},
    {{"OfficeHold", holds, false}, BOTH},
};
const size_t office_n_phone_rows = ARRAY_SIZE(office_phone_rows);
