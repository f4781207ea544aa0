#include "events/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was so of an object when it was last looked at. */
struct known {
    bool answered, held;   /* of a call */
    bool rings;            /* it is ringing now */
    bool sought;           /* somebody was called, or it waited in a queue */
    double alone;          /* answered_at while one was in it alone; 0: it was not */
    uint32_t participants; /* a number made of their names */
    uint32_t n_participants;
    uint32_t talked; /* the same of those who talked with each other last; 0: nobody has */
    bool waits;      /* of a channel: in a queue */
    bool there;      /* of an agent: it takes calls; of a link: it is up */
    bool paused;     /* of a member */
    int64_t messages;
    char text[64];                 /* presence */
    struct event_parties *parties; /* of a call that had two, owned; NULL: it had not */
};

struct events {
    struct xod *xod;
    event_fn *fn;
    void *arg;
    event_note_fn *watch;
    void *watch_arg;
    struct event_id last;
    double now;
    bool tell;
};

/* ---- names and ids ---- */

bool event_fits(struct view patterns, struct view name)
{
    while (patterns.len > 0) {
        struct view one = view_trim(view_cut(&patterns, ','));
        if (one.len > 0 && one.ptr[one.len - 1] == '*' &&
            view_starts(name, view_of(one.ptr, one.len - 1)))
            return true;
        if (one.len > 0 && view_eq(one, name))
            return true;
    }
    return false;
}

void event_id_print(const struct event_id *id, char out[EVENT_ID_TEXT])
{
    snprintf(out, EVENT_ID_TEXT, "%" PRIu64 ".%" PRIu64 ".%" PRIu32, id->epoch, id->seq, id->n);
}

int event_id_parse(struct view text, struct event_id *id)
{
    struct view epoch = view_cut(&text, '.');
    struct view seq = view_cut(&text, '.');
    uint64_t n;

    if (view_to_u64(epoch, &id->epoch) < 0 || view_to_u64(seq, &id->seq) < 0 ||
        view_to_u64(text, &n) < 0 || n > UINT32_MAX)
        return -EINVAL;
    id->n = (uint32_t)n;
    return 0;
}

int event_id_cmp(const struct event_id *a, const struct event_id *b)
{
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return a->n < b->n ? -1 : a->n > b->n;
}

/* ---- telling ---- */

static void tell(struct events *e, enum event_kind kind, const struct xod_obj *o)
{
    const struct known *k = xod_extra(o);
    struct event event = {.kind = kind, .time = e->now, .obj = o, .answered = k && k->answered};

    if (k && (kind == EVENT_call_missed || kind == EVENT_call_ended))
        event.parties = k->parties;

    if (!e->tell)
        return;
    e->last.n++;
    event.id = e->last;
    e->fn(e->arg, &event);
}

/* ---- calls ---- */

/* The order of the participants does not matter. */
static uint32_t sum_of(const struct value *list)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; list->type == V_LIST && i < list->len; i++) {
        uint32_t hash = 2166136261u;
        struct view name = value_view(&list->items[i]);
        for (size_t k = 0; k < name.len; k++)
            hash = (hash ^ (unsigned char)name.ptr[k]) * 16777619u;
        sum += hash;
    }
    return sum;
}

static void copy(char *out, size_t size, const struct xod_obj *o, unsigned field)
{
    snprintf(out, size, "%.*s", VIEW_ARG(xod_get_str(o, field)));
}

/* One that is just going has nobody on its other side already. Without memory the end is told as
 * the object says. */
static void note_parties(struct known *k, const struct xod_obj *o)
{
    bool whole = xod_get_str(o, XOD(calls, called_name)).len ||
                 xod_get_str(o, XOD(calls, called_number)).len;
    struct event_parties *p = k->parties || !whole ? k->parties : calloc(1, sizeof(*p));

    if (!p || !whole)
        return;
    copy(p->caller_name, sizeof(p->caller_name), o, XOD(calls, caller_name));
    copy(p->caller_number, sizeof(p->caller_number), o, XOD(calls, caller_number));
    copy(p->called_name, sizeof(p->called_name), o, XOD(calls, called_name));
    copy(p->called_number, sizeof(p->called_number), o, XOD(calls, called_number));
    copy(p->direction, sizeof(p->direction), o, XOD(calls, direction));
    k->parties = p;
}

static bool is_in(const struct xod_obj *call, const char *state)
{
    return view_eq(xod_get_str(call, XOD(calls, state)), view_cstr(state));
}

static void look_at_call(struct events *e, struct known *k, const struct xod_obj *o)
{
    const struct value *participants = xod_get(o, XOD(calls, participants));
    uint32_t n = participants->type == V_LIST ? participants->len : 0;
    uint32_t sum = sum_of(participants);
    const struct value *at = xod_get(o, XOD(calls, answered_at));
    double since = at->type == V_FLOAT ? at->f : 0;
    /* one alone talks with an application, or has picked up for a call that is still to be made:
     * that is no answer yet when the other comes in */
    bool answered = n >= 2 && since > 0 && since != k->alone;
    bool held = value_truth(xod_get(o, XOD(calls, on_hold)));
    bool rings = n >= 2 && is_in(o, "ringing");

    if (rings && !(k->rings && k->participants == sum))
        tell(e, EVENT_call_ringing, o);
    if (answered && !k->answered) {
        k->answered = true;
        tell(e, EVENT_call_answered, o);
    } else if (answered && k->talked && sum != k->talked) {
        tell(e, EVENT_call_transferred, o);
    }
    if (held != k->held)
        tell(e, held ? EVENT_call_held : EVENT_call_resumed, o);
    if (n >= 2)
        note_parties(k, o);
    else if (!k->answered) /* later one may be alone between two others */
        k->alone = since;
    k->talked = answered ? sum : k->talked;
    k->held = held;
    k->rings = rings;
    k->sought = k->sought || rings || is_in(o, "queued");
    /* between leaving and coming there may be one alone: the two before count */
    if (n >= 2 || k->n_participants == 0) {
        k->participants = sum;
        k->n_participants = n;
    }
}

static void on_call(struct events *e, struct known *k, const struct xod_change *c)
{
    if (c->op == XOD_ADD)
        tell(e, EVENT_call_started, c->obj);
    if (c->op != XOD_DEL) {
        look_at_call(e, k, c->obj);
        return;
    }
    if (k->sought && !k->answered)
        tell(e, EVENT_call_missed, c->obj);
    tell(e, EVENT_call_ended, c->obj);
}

/* ---- others ---- */

static void on_channel(struct events *e, struct known *k, const struct xod_change *c)
{
    bool waits = c->op != XOD_DEL && xod_get(c->obj, XOD(channels, waiting_since))->type != V_NULL;

    if (waits && !k->waits)
        tell(e, EVENT_queue_joined, c->obj);
    if (!waits && k->waits)
        tell(e,
             c->op == XOD_DEL ||
                     view_eq(xod_get_str(c->obj, XOD(channels, commstatus)), VIEW("hangup"))
                 ? EVENT_queue_abandoned
                 : EVENT_queue_left,
             c->obj);
    k->waits = waits;
}

static void on_agent(struct events *e, struct known *k, const struct xod_change *c)
{
    bool there = c->op != XOD_DEL &&
                 !view_eq(xod_get_str(c->obj, XOD(agents, availability)), VIEW("logged_out"));

    if (there != k->there)
        tell(e, there ? EVENT_agent_login : EVENT_agent_logout, c->obj);
    k->there = there;
}

static void on_member(struct events *e, struct known *k, const struct xod_change *c)
{
    bool paused =
        c->op != XOD_DEL && view_eq(xod_get_str(c->obj, XOD(queuemembers, paused)), VIEW("1"));

    if (c->op == XOD_DEL)
        return;
    if (paused != k->paused)
        tell(e, paused ? EVENT_agent_pause : EVENT_agent_unpause, c->obj);
    k->paused = paused;
}

static void on_mailbox(struct events *e, struct known *k, const struct xod_change *c)
{
    const struct value *v = xod_get(c->obj, XOD(voicemails, newcount));
    int64_t n = v->type == V_INT ? v->i : 0;

    if (c->op != XOD_DEL && c->op != XOD_ADD && n > k->messages)
        tell(e, EVENT_voicemail_new, c->obj);
    k->messages = n;
}

static void on_user(struct events *e, struct known *k, const struct xod_change *c)
{
    struct view presence = xod_get_str(c->obj, XOD(users, availstate));

    if (c->op == XOD_DEL)
        return;
    if (c->op == XOD_UPDATE && !view_eq(presence, view_cstr(k->text)))
        tell(e, EVENT_presence_changed, c->obj);
    snprintf(k->text, sizeof(k->text), "%.*s", VIEW_ARG(presence));
}

static void on_link(struct events *e, struct known *k, const struct xod_change *c)
{
    struct view link = xod_get_str(c->obj, XOD(ipbx, link));
    bool there = c->op != XOD_DEL && view_eq(link, VIEW("up"));

    /* a resync of a link that was up is no loss */
    if (!there && c->op != XOD_DEL && !view_eq(link, VIEW("down")))
        return;
    if (there != k->there)
        tell(e, there ? EVENT_link_up : EVENT_link_down, c->obj);
    k->there = there;
}

/* ---- changes ---- */

typedef void look_fn(struct events *e, struct known *k, const struct xod_change *c);

static look_fn *const lookers[LIST_COUNT] = {
    [LIST_calls] = on_call,          [LIST_channels] = on_channel,   [LIST_agents] = on_agent,
    [LIST_queuemembers] = on_member, [LIST_voicemails] = on_mailbox, [LIST_users] = on_user,
    [LIST_ipbx] = on_link,
};

/* The fields that an event may be made of: other changes are passed over. */
static uint64_t fields_of(enum xod_list list)
{
    switch (list) {
    case LIST_calls:
        return XOD_BIT(calls, participants) | XOD_BIT(calls, answered_at) |
               XOD_BIT(calls, on_hold) | XOD_BIT(calls, state) | XOD_BIT(calls, caller_name) |
               XOD_BIT(calls, caller_number) | XOD_BIT(calls, called_name) |
               XOD_BIT(calls, called_number) | XOD_BIT(calls, direction);
    case LIST_channels:
        return XOD_BIT(channels, waiting_since);
    case LIST_agents:
        return XOD_BIT(agents, availability);
    case LIST_queuemembers:
        return XOD_BIT(queuemembers, paused);
    case LIST_voicemails:
        return XOD_BIT(voicemails, newcount);
    case LIST_users:
        return XOD_BIT(users, availstate);
    case LIST_ipbx:
        return XOD_BIT(ipbx, link);
    default:
        return 0;
    }
}

static struct known *known_of(struct xod_obj *o)
{
    struct known *k = xod_extra(o);

    if (!k) {
        k = calloc(1, sizeof(*k));
        if (k)
            xod_set_extra(o, k);
    }
    return k;
}

/* As far as a note tells (events_put_note). */
static bool is_same(const struct known *a, const struct known *b)
{
    return a->answered == b->answered && a->held == b->held && a->rings == b->rings &&
           a->sought == b->sought && a->alone == b->alone && a->participants == b->participants &&
           a->n_participants == b->n_participants && a->waits == b->waits && a->there == b->there &&
           a->paused == b->paused && a->messages == b->messages && strcmp(a->text, b->text) == 0;
}

/* Ids only grow: what a snapshot brings may stand at a number that was there before. */
static void set_id(struct events *e, uint64_t epoch, uint64_t seq)
{
    struct event_id *last = &e->last;

    if (last->epoch != epoch || seq > last->seq)
        *last = (struct event_id){.epoch = epoch, .seq = seq, .n = 0};
}

/* ---- notes ---- */

void events_watch(struct events *e, event_note_fn *fn, void *arg)
{
    e->watch = fn;
    e->watch_arg = arg;
}

bool events_follow(enum xod_list list)
{
    return lookers[list] != NULL;
}

void events_put_note(struct buf *out, const struct xod_obj *o)
{
    const struct known *k = xod_extra(o);

    if (k)
        buf_printf(out, "%d %d %d %d %.17g %u %u %u %d %d %d %lld %s", k->answered, k->held,
                   k->rings, k->sought, k->alone, k->participants, k->n_participants, k->talked,
                   k->waits, k->there, k->paused, (long long)k->messages, k->text);
}

static int read_note(struct view note, struct known *k)
{
    int answered, held, rings, sought, waits, there, paused, at = 0;
    long long messages;
    char text[512];

    *k = (struct known){.answered = false};
    snprintf(text, sizeof(text), "%.*s", (int)(note.len < 500 ? note.len : 500), note.ptr);
    if (sscanf(text, "%d %d %d %d %lf %u %u %u %d %d %d %lld %n", &answered, &held, &rings, &sought,
               &k->alone, &k->participants, &k->n_participants, &k->talked, &waits, &there, &paused,
               &messages, &at) != 12)
        return -EINVAL;
    k->answered = answered;
    k->held = held;
    k->rings = rings;
    k->sought = sought;
    k->waits = waits;
    k->there = there;
    k->paused = paused;
    k->messages = messages;
    snprintf(k->text, sizeof(k->text), "%s", at > 0 ? text + at : "");
    return 0;
}

bool events_read_call(struct view note, bool *answered, bool *sought)
{
    struct known k;
    int rc = read_note(note, &k);

    *answered = k.answered;
    *sought = k.sought;
    return rc == 0;
}

int events_set_note(struct xod_obj *o, struct view note)
{
    struct known k;
    struct known *at = known_of(o);

    if (!at)
        return -ENOMEM;
    if (read_note(note, &k) < 0)
        return -EINVAL;
    k.parties = at->parties;
    *at = k;
    return 0;
}

void events_change(struct events *e, const struct xod_change *c, uint64_t epoch, uint64_t seq,
                   double now, bool tell)
{
    enum xod_list list = xod_obj_list(c->obj);
    look_fn *look = lookers[list];
    struct known before;
    struct known *k;

    set_id(e, epoch, seq);
    if (!look || (c->op == XOD_UPDATE && !(c->fields & fields_of(list))))
        return;
    k = known_of(c->obj);
    if (!k)
        return;
    before = *k;
    e->now = now;
    e->tell = tell;
    look(e, k, c);
    if (e->watch && (c->op != XOD_UPDATE || !is_same(&before, k)))
        e->watch(e->watch_arg, c->obj, c->op == XOD_DEL);
}

struct event_id events_next_id(struct events *e)
{
    e->last.n++;
    return e->last;
}

static void known_free(void *arg)
{
    struct known *k = arg;

    if (k)
        free(k->parties);
    free(k);
}

struct events *events_new(struct xod *xod, event_fn *fn, void *arg)
{
    struct events *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->xod = xod;
    e->fn = fn;
    e->arg = arg;
    xod_on_free(xod, known_free);
    return e;
}

void events_destroy(struct events **e)
{
    free(*e);
    *e = NULL;
}
