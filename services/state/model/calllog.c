/*
 * The log of calls: what the leg of a call was, told when it ends (call_record.c judges the call).
 * What is needed for that beside the object is kept by name here.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "model/model.h"

#define CAUSE_ANSWERED_ELSEWHERE 26 /* Q.850, as Asterisk uses it */

struct leg {
    char *channel;
    double start;
    double talked; /* since when; 0: never */
    bool called;   /* talked: it had been called */
    bool rung;     /* by a caller; Asterisk also rings for an originate */
    int64_t cause;
    char number[64], name[128]; /* of the other end */
    bool listed;                /* it was there before we were */
    bool recorded;              /* at some time */
};

static struct leg *leg_of(const struct ipbx_model *d, const struct xod_obj *channel)
{
    return d->legs ? map_get(d->legs, xod_obj_id(channel)) : NULL;
}

static void leg_free(void *arg)
{
    struct leg *leg = arg;

    free(leg->channel);
    free(leg);
}

static void drop(struct ipbx_model *d, struct leg *leg)
{
    map_del(d->legs, view_cstr(leg->channel));
    leg_free(leg);
}

void calllog_destroy(struct ipbx_model *d)
{
    map_destroy_with(&d->legs, leg_free);
    call_record_destroy(d);
}

void calllog_started(struct ipbx_model *d, const struct xod_obj *channel, double since, bool listed)
{
    struct leg *leg;

    if (!d->effects || !d->effects->call || leg_of(d, channel))
        return;
    if (!d->legs)
        d->legs = map_new();
    leg = d->legs ? calloc(1, sizeof(*leg)) : NULL;
    if (!leg)
        return;
    leg->start = since;
    leg->listed = listed;
    leg->channel = view_dup(xod_obj_id(channel));
    if (!leg->channel || map_put(d->legs, view_cstr(leg->channel), leg) < 0)
        leg_free(leg);
}

void calllog_renamed(struct ipbx_model *d, const struct xod_obj *old, const struct xod_obj *channel)
{
    struct leg *leg = leg_of(d, old);
    char *name = leg && !leg_of(d, channel) ? view_dup(xod_obj_id(channel)) : NULL;

    if (!name)
        return;
    map_del(d->legs, view_cstr(leg->channel));
    free(leg->channel);
    leg->channel = name;
    if (map_put(d->legs, view_cstr(name), leg) < 0)
        leg_free(leg);
}

static void set_text(char *to, size_t size, struct view v)
{
    if (v.len)
        snprintf(to, size, "%.*s", VIEW_ARG(v));
}

/* Once it talks, the other end is the one it talked to first. */
void calllog_party(struct ipbx_model *d, const struct xod_obj *channel, struct view number,
                   struct view name)
{
    struct leg *leg = leg_of(d, channel);

    if (!leg || leg->talked > 0)
        return;
    set_text(leg->number, sizeof(leg->number), number);
    set_text(leg->name, sizeof(leg->name), name);
}

void calllog_met(struct ipbx_model *d, const struct xod_obj *channel, const struct xod_obj *peer)
{
    struct leg *leg = leg_of(d, channel);

    calllog_party(d, channel, xod_get_str(peer, XOD(channels, callerid_num)),
                  xod_get_str(peer, XOD(channels, callerid_name)));
    if (leg)
        leg->rung = true;
}

void calllog_linked(struct ipbx_model *d, const struct xod_obj *channel, const struct xod_obj *peer)
{
    struct leg *leg = leg_of(d, channel);

    if (!leg || leg->talked > 0)
        return;
    calllog_met(d, channel, peer);
    leg->talked = leg->listed ? leg->start : d->now;
    leg->called = view_eq(xod_get_str(channel, XOD(channels, commstatus)), VIEW("linked-called"));
}

void calllog_cause(struct ipbx_model *d, const struct xod_obj *channel, int64_t cause)
{
    struct leg *leg = leg_of(d, channel);

    if (leg)
        leg->cause = cause;
}

static bool was_called(const struct xod_obj *channel)
{
    return view_eq(xod_get_str(channel, XOD(channels, direction)), VIEW("in"));
}

/* The dialled number says more than the trunk that carried the call; "s" says nothing. */
static struct view number_of(const struct xod_obj *channel, const struct leg *leg, bool called)
{
    struct view exten = xod_get_str(channel, XOD(channels, exten));

    if (!called && exten.len && !view_eq(exten, VIEW("s")) &&
        xod_get(channel, XOD(channels, autocall))->type != V_STR)
        return exten;
    return view_cstr(leg->number);
}

/* Whose phones it is at: the channel's; before 12 an agent talks on a channel Agent/2001, at the
 * phone of the login. */
static const struct xod_obj *owner_of(struct ipbx_model *d, const struct xod_obj *channel)
{
    struct view name = xod_obj_id(channel);
    const struct xod_obj *agent = NULL;

    if (view_starts(name, VIEW("Agent/")))
        agent = agent_numbered(d, view_of(name.ptr + 6, name.len - 6));
    return agent ? agent : channel;
}

/* Two lines of the same name are one phone. */
static void put_users(struct ipbx_model *d, struct buf *out, const struct xod_obj *channel)
{
    const struct xod_obj *owner = owner_of(d, channel);
    struct view last = view_of(NULL, 0);
    struct xod_obj *phone;
    char scratch[32];

    for (size_t n = 0; (phone = xod_related(owner, LIST_phones, n)); n++) {
        const struct xod_obj *user = xod_find(
            d->ipbx, LIST_users, value_text(xod_get(phone, XOD(phones, iduserfeatures)), scratch));
        if (!user || view_eq(xod_obj_id(user), last))
            continue;
        last = xod_obj_id(user);
        buf_append_view(out, last);
        buf_append_char(out, '\0');
    }
}

/* The person, or what the caller id says. */
static struct view own_name(struct ipbx_model *d, const struct xod_obj *channel, struct view users)
{
    const struct xod_obj *user = xod_find(d->ipbx, LIST_users, view_cut(&users, '\0'));
    struct view name = user ? xod_get_str(user, XOD(users, fullname)) : view_of(NULL, 0);

    return name.len ? name : xod_get_str(channel, XOD(channels, callerid_name));
}

/* A call without an id is one by itself: a leg that ended before it was known what it belongs to.
 */
static void keep(struct ipbx_model *d, const struct xod_obj *channel, struct call_leg *leg)
{
    struct view call = xod_get_str(channel, XOD(channels, call));
    struct view id = call.len ? call : xod_obj_id(channel);

    call_record_add(d, id, leg);
    if (call.len == 0)
        call_record_close(d, id);
}

static void leg_ended(struct ipbx_model *d, const struct xod_obj *channel, const struct leg *leg)
{
    struct call_leg ended;
    struct buf users;

    if (local_is_half(xod_obj_id(channel)))
        return; /* it is nobody */
    buf_init(&users, 4096);
    put_users(d, &users, channel);
    ended = (struct call_leg){
        .start = leg->start,
        .end = d->synthetic && d->lost_at > 0 ? d->lost_at : d->now,
        .talked = leg->talked,
        .called = leg->talked > 0 ? leg->called : was_called(channel),
        .rung = leg->rung,
        .asked_for = xod_get(channel, XOD(channels, autocall))->type == V_STR,
        .elsewhere = leg->cause == CAUSE_ANSWERED_ELSEWHERE,
        .recorded = leg->recorded,
        .name = view_cstr(leg->name),
        .own_number = xod_get_str(channel, XOD(channels, callerid_num)),
        .own_name = own_name(d, channel, buf_view(&users)),
        .queue = xod_get_str(channel, XOD(channels, queue_of)),
        .queue_caller = !xod_get(channel, XOD(channels, queue_call))->b,
        .users = buf_view(&users),
    };
    if (ended.asked_for)
        ended.called = false;
    ended.number = number_of(channel, leg, ended.called);
    keep(d, channel, &ended);
    buf_free(&users);
}

void calllog_ended(struct ipbx_model *d, const struct xod_obj *channel)
{
    struct leg *leg = leg_of(d, channel);

    if (!leg)
        return;
    leg_ended(d, channel, leg);
    drop(d, leg);
}

void calllog_served(struct ipbx_model *d, const struct xod_obj *channel)
{
    struct leg *leg = leg_of(d, channel);

    if (!leg || leg->talked <= 0)
        return;
    leg->start = leg->talked; /* before it waited */
    leg_ended(d, channel, leg);
    leg->start = d->now;
    leg->talked = 0;
    leg->rung = leg->recorded = leg->listed = false;
    leg->number[0] = leg->name[0] = '\0';
}

void calllog_recorded(struct ipbx_model *d, const struct xod_obj *channel)
{
    struct leg *leg = leg_of(d, channel);

    if (leg)
        leg->recorded = true;
}
