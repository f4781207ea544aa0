/*
 * The log of calls: what each user sent, answered and missed.
 *
 * An entry is made of a channel of a user's phone when it ends: of one that was never in a call and
 * had been called, a call missed. What is needed for that beside the object is kept by name here.
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
    char caller[96];            /* channel of the caller */
    struct buf missed; /* ids, each ended by a NUL, of users that missed this caller already: a
                        * queue rings again and again */
};

static struct leg *leg_of(const struct ipbx_model *d, const struct xod_obj *channel)
{
    return d->legs ? map_get(d->legs, xod_obj_id(channel)) : NULL;
}

static void leg_free(struct leg *leg)
{
    buf_free(&leg->missed);
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
    size_t pos = 0;
    void *leg;

    while (d->legs && map_next(d->legs, &pos, NULL, &leg))
        leg_free(leg);
    map_destroy(&d->legs);
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
    buf_init(&leg->missed, 65536);
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
    if (!leg)
        return;
    leg->rung = true;
    set_text(leg->caller, sizeof(leg->caller), xod_obj_id(peer));
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

/* Notes that this user has missed the caller; false: that is noted already. */
static bool misses_first(struct ipbx_model *d, const struct leg *missed, struct view user_id)
{
    struct leg *leg = d->legs ? map_get(d->legs, view_cstr(missed->caller)) : NULL;
    struct view rest = leg ? buf_view(&leg->missed) : view_of(NULL, 0);

    while (rest.len)
        if (view_eq(view_cut(&rest, '\0'), user_id))
            return false;
    if (leg) {
        buf_append_view(&leg->missed, user_id);
        buf_append_char(&leg->missed, '\0');
    }
    return true;
}

static bool was_called(const struct xod_obj *channel)
{
    return view_eq(xod_get_str(channel, XOD(channels, direction)), VIEW("in"));
}

/* One that Asterisk itself made for a click to dial calls, though its phone rings first. */
static enum call_mode mode_of(const struct xod_obj *channel, const struct leg *leg)
{
    bool called = leg->talked > 0 ? leg->called : was_called(channel);

    if (!called || xod_get(channel, XOD(channels, autocall))->type == V_STR)
        return CALL_SENT;
    return leg->talked > 0 ? CALL_ANSWERED : CALL_MISSED;
}

/* The dialled number says more than the trunk that carried the call; "s" says nothing. */
static struct view number_of(const struct xod_obj *channel, const struct leg *leg,
                             enum call_mode mode)
{
    struct view exten = xod_get_str(channel, XOD(channels, exten));

    if (mode == CALL_SENT && exten.len && !view_eq(exten, VIEW("s")) &&
        xod_get(channel, XOD(channels, autocall))->type != V_STR)
        return exten;
    return view_cstr(leg->number);
}

static void tell(struct ipbx_model *d, const struct xod_obj *channel, const struct leg *leg,
                 struct view user_id)
{
    enum call_mode mode = mode_of(channel, leg);
    double end = d->synthetic && d->lost_at > 0 ? d->lost_at : d->now;
    struct call_entry e = {
        .mode = mode,
        .user_id = user_id,
        .start = leg->start,
        .duration = leg->talked > 0 && end > leg->talked ? end - leg->talked : 0,
        .name = view_cstr(leg->name),
        .number = number_of(channel, leg, mode),
    };

    if (mode == CALL_MISSED &&
        (!leg->rung || leg->cause == CAUSE_ANSWERED_ELSEWHERE || !misses_first(d, leg, user_id)))
        return;
    if (mode == CALL_SENT && e.number.len == 0 && e.name.len == 0)
        return; /* the handset was lifted, no number dialled */
    d->effects->call(d->effects_arg, d, &e);
}

void calllog_ended(struct ipbx_model *d, const struct xod_obj *channel)
{
    struct leg *leg = leg_of(d, channel);
    struct xod_obj *phone;
    struct view last = view_of(NULL, 0);
    char scratch[32];

    if (!leg)
        return;
    for (size_t n = 0; (phone = xod_related(channel, LIST_phones, n)); n++) {
        struct xod_obj *user = xod_find(
            d->ipbx, LIST_users, value_text(xod_get(phone, XOD(phones, iduserfeatures)), scratch));
        if (!user || view_eq(xod_obj_id(user), last))
            continue; /* two lines of the same name are one phone */
        last = xod_obj_id(user);
        tell(d, channel, leg, last);
    }
    drop(d, leg);
}
