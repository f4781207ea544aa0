/*
 * Calls: the channels that belong together, as one object.
 *
 * Asterisk 12 and later say which do, by their Linkedid. Before, those do that talk to or ring each
 * other, and the halves of a Local channel; the call goes by the oldest Uniqueid that was ever in
 * it, and a channel stays in its call until it meets an older one. The channel of an agent who
 * waits for the next call is in none.
 *
 * A call is computed anew from its channels at the end of an event that touched one of them.
 */
#include <stdlib.h>

#include "model/model.h"

#define MAX_CHANNELS 256 /* of one call that are looked at */

/* ---- which channels belong together ---- */

/* [SYSTEM-]EPOCH.NUMBER. False: it is none, but a name that an originate was given. */
static bool read_id(struct view id, int64_t *epoch, int64_t *number)
{
    const char *dash = id.len ? memrchr(id.ptr, '-', id.len) : NULL;
    struct view rest = dash ? view_of(dash + 1, id.len - (size_t)(dash + 1 - id.ptr)) : id;
    struct view seconds = view_cut(&rest, '.');

    return view_to_i64(seconds, epoch) == 0 && view_to_i64(rest, number) == 0;
}

static bool is_older(struct view a, struct view b)
{
    int64_t ea, eb, na, nb;

    if (!read_id(a, &ea, &na) || !read_id(b, &eb, &nb))
        return false;
    return ea != eb ? ea < eb : na < nb;
}

struct group {
    struct xod_obj *channels[MAX_CHANNELS];
    size_t n;
};

static void add(struct group *g, struct xod_obj *c)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->channels[i] == c)
            return;
    if (c && g->n < MAX_CHANNELS)
        g->channels[g->n++] = c;
}

/* All that a channel is with, one after the other. */
static void gather(struct ipbx_model *d, struct group *g, struct xod_obj *c)
{
    struct xod_obj *other;

    g->n = 0;
    add(g, c);
    for (size_t i = 0; i < g->n; i++) {
        c = g->channels[i];
        add(g, channel_peer(c));
        add(g, local_other_half(d, c));
        for (size_t n = 0; (other = xod_lookup(d->ipbx, LIST_channels, XOD(channels, talkingto_id),
                                               xod_obj_id(c), n));
             n++)
            add(g, other);
    }
}

static void join(struct ipbx_model *d, struct xod_obj *c, struct view id)
{
    struct view before = xod_get_str(c, XOD(channels, call));

    if (view_eq(before, id))
        return;
    calls_left(d, c);
    xod_set_str(c, XOD(channels, call), id);
}

/* A phone that is about to be rung, the halves of a Local channel, the channel of an agent: the
 * next events tell for whom they are made, and they are no call of their own. */
static bool is_new(const struct xod_obj *c)
{
    struct view name = xod_obj_id(c);

    if (xod_get_str(c, XOD(channels, call)).len)
        return false;
    return view_eq(xod_get_str(c, XOD(channels, state)), VIEW("Down")) || local_is_half(name) ||
           view_starts(name, VIEW("Agent/"));
}

static bool are_new(const struct group *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (!is_new(g->channels[i]))
            return false;
    return true;
}

/* An agent on a logged-in channel that waits is in no call; one that talks is in the call it
 * serves. */
static void place_agent(struct ipbx_model *d, struct xod_obj *c)
{
    const struct xod_obj *peer = channel_is_linked(c) ? channel_peer(c) : NULL;
    struct view id = peer ? xod_get_str(peer, XOD(channels, call)) : VIEW("");
    char *copy;

    if (peer && id.len == 0)
        id = xod_get_str(peer, XOD(channels, linkedid));
    if (id.len == 0) {
        calls_left(d, c);
        xod_set_null(c, XOD(channels, call));
        return;
    }
    copy = view_dup(id);
    if (copy)
        join(d, c, view_cstr(copy));
    free(copy);
}

void calls_place(struct ipbx_model *d, struct xod_obj *channel)
{
    struct view oldest = xod_get_str(channel, XOD(channels, linkedid));
    struct group g;
    char *id;

    if (xod_get(channel, XOD(channels, agent))->b) {
        place_agent(d, channel);
        return;
    }
    if (oldest.len) {
        join(d, channel, oldest);
        return;
    }
    gather(d, &g, channel);
    if (are_new(&g))
        return;
    oldest = xod_get_str(channel, XOD(channels, uniqueid));
    for (size_t i = 0; i < g.n; i++) {
        struct view of_call = xod_get_str(g.channels[i], XOD(channels, call));
        struct view own = xod_get_str(g.channels[i], XOD(channels, uniqueid));
        if (is_older(of_call, oldest))
            oldest = of_call;
        if (is_older(own, oldest))
            oldest = own;
    }
    id = oldest.len ? view_dup(oldest) : NULL;
    for (size_t i = 0; id && i < g.n; i++)
        join(d, g.channels[i], view_cstr(id));
    free(id);
}

bool calls_linkedid_is_a_logins(struct ipbx_model *d, const struct xod_obj *channel,
                                struct view linkedid)
{
    const struct xod_obj *login =
        xod_lookup(d->ipbx, LIST_channels, XOD(channels, uniqueid), linkedid, 0);

    return login && login != channel && xod_get(login, XOD(channels, agent))->b;
}

void calls_merge(struct xod_obj *a, struct xod_obj *b)
{
    struct view la = xod_get_str(a, XOD(channels, linkedid));
    struct view lb = xod_get_str(b, XOD(channels, linkedid));
    struct xod_obj *younger = is_older(la, lb) ? b : a;
    bool login = xod_get(a, XOD(channels, agent))->b || xod_get(b, XOD(channels, agent))->b;

    if (!login && la.len && lb.len && !view_eq(la, lb))
        xod_set_str(younger, XOD(channels, linkedid), younger == b ? la : lb);
}

/* ---- what a call is ---- */

static bool flag(const struct xod_obj *c, unsigned field)
{
    return xod_get(c, field)->b;
}

static bool has_comm(const struct xod_obj *c, const char *commstatus)
{
    return view_eq(xod_get_str(c, XOD(channels, commstatus)), view_cstr(commstatus));
}

static bool is_up(const struct xod_obj *c)
{
    return view_eq(xod_get_str(c, XOD(channels, state)), VIEW("Up"));
}

typedef bool test_fn(const struct xod_obj *c);

static bool is_parked(const struct xod_obj *c)
{
    return flag(c, XOD(channels, parked));
}

static bool is_held(const struct xod_obj *c)
{
    return flag(c, XOD(channels, holded));
}

static bool is_recorded(const struct xod_obj *c)
{
    return flag(c, XOD(channels, monitored));
}

static bool rings(const struct xod_obj *c)
{
    return has_comm(c, "ringing") || has_comm(c, "calling");
}

static bool is_in_application(const struct xod_obj *c)
{
    return is_up(c) && !rings(c);
}

static bool any(const struct group *g, test_fn *test)
{
    for (size_t i = 0; i < g->n; i++)
        if (test(g->channels[i]))
            return true;
    return false;
}

static const char *state_of(const struct group *g)
{
    if (any(g, channel_is_linked))
        return any(g, is_held) ? "hold" : "up";
    if (any(g, is_parked))
        return "parked";
    if (any(g, call_waits_in_queue))
        return "queued";
    if (any(g, rings) || !any(g, is_in_application))
        return "ringing";
    return any(g, is_held) ? "hold" : "up";
}

static bool is_external(const struct xod_obj *c)
{
    return !local_is_half(xod_obj_id(c)) && !xod_related(c, LIST_phones, 0);
}

static const char *direction_of(const struct group *g)
{
    if (is_external(g->channels[0]))
        return "in";
    return any(g, is_external) ? "out" : "internal";
}

static void set_called(struct ipbx_model *d, struct xod_obj *call, const struct xod_obj *caller)
{
    struct view name = xod_get_str(caller, XOD(channels, peer_name));
    struct view number = xod_get_str(caller, XOD(channels, peer_number));
    struct view exten = xod_get_str(caller, XOD(channels, exten));
    struct xod_obj *queue = xod_related(caller, LIST_queues, 0);
    char scratch[32];

    if (queue) {
        name = value_text(xod_get(queue, XOD(queues, displayname)), scratch);
        if (name.len == 0)
            name = xod_get_str(queue, XOD(queues, name));
        number = view_of(NULL, 0);
    }
    /* of one whose other end is gone it is what was dialled before */
    if (number.len == 0 && (queue || name.len == 0) && !view_eq(exten, VIEW("s")) &&
        !xod_get(caller, XOD(channels, peer_gone))->b)
        number = exten;
    xod_set_text(call, XOD(calls, called_name), name);
    xod_set_text(call, XOD(calls, called_number), number);
}

struct texts {
    struct view at[MAX_CHANNELS];
    uint32_t n;
};

static void add_text(struct texts *t, struct view text)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (view_eq(t->at[i], text))
            return;
    t->at[t->n++] = text;
}

/* Most events leave a list as it is, which is found out without making it anew. */
static void set_texts(struct xod_obj *call, unsigned field, const struct texts *t)
{
    const struct value *now = xod_get(call, field);
    bool same = now->type == V_LIST && now->len == t->n;
    struct value list = {.type = V_LIST};

    for (uint32_t i = 0; same && i < t->n; i++)
        same = view_eq(value_view(&now->items[i]), t->at[i]);
    if (same)
        return;
    for (uint32_t i = 0; i < t->n; i++)
        value_list_add(&list, t->at[i]);
    xod_set(call, field, &list);
}

static void set_participants(struct xod_obj *call, const struct group *g)
{
    struct texts names, contexts;

    names.n = contexts.n = 0;
    for (size_t i = 0; i < g->n; i++) {
        struct view context = xod_get_str(g->channels[i], XOD(channels, context));
        if (local_is_half(xod_obj_id(g->channels[i])))
            continue;
        add_text(&names, xod_obj_id(g->channels[i]));
        if (context.len)
            add_text(&contexts, context);
    }
    set_texts(call, XOD(calls, participants), &names);
    set_texts(call, XOD(calls, contexts), &contexts);
}

static struct view queue_of(const struct group *g)
{
    struct view queue = view_of(NULL, 0);

    for (size_t i = 0; i < g->n && queue.len == 0; i++)
        queue = xod_get_str(g->channels[i], XOD(channels, queue));
    return queue;
}

/* Since when it is answered: not while it rings, waits in a queue or (again) both. */
static void set_state(struct ipbx_model *d, struct xod_obj *call, const char *state)
{
    bool answered = strcmp(state, "ringing") != 0 && strcmp(state, "queued") != 0;

    xod_set_str(call, XOD(calls, state), view_cstr(state));
    if (!answered)
        xod_set_null(call, XOD(calls, answered_at));
    else if (xod_get(call, XOD(calls, answered_at))->type == V_NULL)
        xod_set_float(call, XOD(calls, answered_at), d->now);
}

/* 0: it may be the caller; an agent has waited longer and is called all the same; the halves of
 * Local channels are nobody. */
static int place_of(const struct xod_obj *c)
{
    return local_is_half(xod_obj_id(c)) ? 2 : xod_get(c, XOD(channels, agent))->b ? 1 : 0;
}

/* The caller, the oldest one, comes first. */
static int by_place_and_age(const void *a, const void *b)
{
    const struct xod_obj *ca = *(struct xod_obj *const *)a;
    const struct xod_obj *cb = *(struct xod_obj *const *)b;
    struct view ia = xod_get_str(ca, XOD(channels, uniqueid));
    struct view ib = xod_get_str(cb, XOD(channels, uniqueid));

    if (place_of(ca) != place_of(cb))
        return place_of(ca) - place_of(cb);
    return is_older(ia, ib) ? -1 : is_older(ib, ia);
}

static void collect(struct ipbx_model *d, struct group *g, struct view id)
{
    struct xod_obj *c;

    g->n = 0;
    for (size_t n = 0; g->n < MAX_CHANNELS &&
                       (c = xod_lookup(d->ipbx, LIST_channels, XOD(channels, call), id, n));
         n++)
        g->channels[g->n++] = c;
    qsort(g->channels, g->n, sizeof(g->channels[0]), by_place_and_age);
}

/* It begins with its first channel. */
static struct xod_obj *call_named(struct ipbx_model *d, struct view id,
                                  const struct xod_obj *caller)
{
    struct xod_obj *call = xod_find(d->ipbx, LIST_calls, id);
    const struct value *since = xod_get(caller, XOD(channels, timestamp));

    if (call || !(call = xod_add(d->ipbx, LIST_calls, id)))
        return call;
    xod_set_float(call, XOD(calls, since), since->type == V_FLOAT ? since->f : d->now);
    return call;
}

void calls_update(struct ipbx_model *d, struct view id)
{
    struct xod_obj *call;
    struct xod_obj *caller;
    struct group g;

    collect(d, &g, id);
    if (g.n == 0) {
        call = xod_find(d->ipbx, LIST_calls, id);
        if (call)
            xod_del(call);
        call_record_close(d, id);
        return;
    }
    caller = g.channels[0];
    call = call_named(d, id, caller);
    if (!call)
        return;
    xod_set_text(call, XOD(calls, caller_name), xod_get_str(caller, XOD(channels, callerid_name)));
    xod_set_text(call, XOD(calls, caller_number), xod_get_str(caller, XOD(channels, callerid_num)));
    set_called(d, call, caller);
    xod_set_str(call, XOD(calls, direction), view_cstr(direction_of(&g)));
    set_state(d, call, state_of(&g));
    set_participants(call, &g);
    xod_set_text(call, XOD(calls, queue), queue_of(&g));
    xod_set_bool(call, XOD(calls, recorded), any(&g, is_recorded));
    xod_set_bool(call, XOD(calls, parked), any(&g, is_parked));
    xod_set_bool(call, XOD(calls, on_hold), any(&g, is_held));
}

void calls_left(struct ipbx_model *d, const struct xod_obj *channel)
{
    struct view id = xod_get_str(channel, XOD(channels, call));
    struct xod_obj *call = id.len ? xod_find(d->ipbx, LIST_calls, id) : NULL;

    if (call) /* so it is touched, and computed anew */
        xod_set_null(call, XOD(calls, direction));
}
