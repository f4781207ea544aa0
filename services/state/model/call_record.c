/*
 * What a call was for each user that was in it, told once when the call is over: a phone may ring
 * many times for one call (a queue that tries again, two contacts of an endpoint), and whether it
 * was missed depends on who answered.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "model/model.h"

#define MAX_LEGS 1024 /* of one call; more are not looked at */
#define MAX_TEXT 96
/* A call that is picked up is taken off the phone that rang before the two are connected. */
#define PICKUP_SECONDS 0.5

struct part {
    struct call_leg leg; /* its views point into `texts` */
    char number[MAX_TEXT], name[MAX_TEXT], own_number[MAX_TEXT], own_name[MAX_TEXT];
    char queue[MAX_TEXT];
    char *users;
};

struct record {
    char *id;
    struct part **parts;
    size_t n, cap;
};

/* ---- keeping ---- */

static void record_free(void *arg)
{
    struct record *r = arg;

    for (size_t i = 0; i < r->n; i++) {
        free(r->parts[i]->users);
        free(r->parts[i]);
    }
    free(r->parts);
    free(r->id);
    free(r);
}

void call_record_destroy(struct ipbx_model *d)
{
    map_destroy_with(&d->records, record_free);
}

static struct record *record_of(struct ipbx_model *d, struct view call)
{
    struct record *r;

    if (!d->records)
        d->records = map_new();
    if (!d->records)
        return NULL;
    r = map_get(d->records, call);
    if (r)
        return r;
    r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->id = view_dup(call);
    if (!r->id || map_put(d->records, view_cstr(r->id), r) < 0) {
        record_free(r);
        return NULL;
    }
    return r;
}

static struct view copy(char to[MAX_TEXT], struct view v)
{
    int n = snprintf(to, MAX_TEXT, "%.*s", VIEW_ARG(v));

    return view_of(to, n < MAX_TEXT ? (size_t)n : MAX_TEXT - 1);
}

static struct part *part_new(const struct call_leg *leg)
{
    struct part *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->leg = *leg;
    p->leg.number = copy(p->number, leg->number);
    p->leg.name = copy(p->name, leg->name);
    p->leg.own_number = copy(p->own_number, leg->own_number);
    p->leg.own_name = copy(p->own_name, leg->own_name);
    p->leg.queue = copy(p->queue, leg->queue);
    p->users = malloc(leg->users.len + 1);
    if (!p->users) {
        free(p);
        return NULL;
    }
    if (leg->users.len)
        memcpy(p->users, leg->users.ptr, leg->users.len);
    p->leg.users = view_of(p->users, leg->users.len);
    return p;
}

static bool grow(struct record *r)
{
    size_t cap = r->cap ? 2 * r->cap : 4;
    struct part **more;

    if (r->n < r->cap)
        return true;
    if (r->n >= MAX_LEGS)
        return false;
    more = realloc(r->parts, cap * sizeof(struct part *));
    if (!more)
        return false;
    r->parts = more;
    r->cap = cap;
    return true;
}

void call_record_add(struct ipbx_model *d, struct view call, const struct call_leg *leg)
{
    struct record *r = record_of(d, call);
    struct part *p = r && grow(r) ? part_new(leg) : NULL;

    if (p)
        r->parts[r->n++] = p;
}

/* ---- judging ---- */

static bool is_of(const struct call_leg *leg, struct view user)
{
    struct view rest = leg->users;

    while (rest.len)
        if (view_eq(view_cut(&rest, '\0'), user))
            return true;
    return false;
}

static bool answered(const struct call_leg *leg)
{
    return leg->called && leg->talked > 0;
}

/* Who answered first, or NULL. */
static const struct call_leg *answerer(const struct record *r)
{
    const struct call_leg *first = NULL;

    for (size_t i = 0; i < r->n; i++) {
        const struct call_leg *leg = &r->parts[i]->leg;
        if (answered(leg) && (!first || leg->talked < first->talked))
            first = leg;
    }
    return first;
}

/* What the legs of one user come to. */
struct sum {
    const struct call_leg *first;  /* the earliest one */
    const struct call_leg *talked; /* the first that talked, or NULL */
    const struct call_leg
        *known;          /* the first that says with whom, of those that talked if any, or NULL */
    double since, until; /* it talked */
    bool rung, missed, recorded;
};

static void add_leg(struct sum *s, const struct call_leg *leg, const struct call_leg *by)
{
    bool while_it_rang = by && by->talked >= leg->start && by->talked <= leg->end + PICKUP_SECONDS;

    if (!s->first || leg->start < s->first->start)
        s->first = leg;
    if ((leg->number.len || leg->name.len) &&
        (!s->known || (leg->talked > 0) > (s->known->talked > 0) ||
         ((leg->talked > 0) == (s->known->talked > 0) && leg->start < s->known->start)))
        s->known = leg;
    s->recorded |= leg->recorded;
    if (leg->talked > 0) {
        if (!s->talked || leg->talked < s->since) {
            s->talked = leg;
            s->since = leg->talked;
        }
        if (leg->end > s->until)
            s->until = leg->end;
    } else if (leg->called && leg->rung) {
        s->rung = true;
        s->missed |= !leg->elsewhere && !while_it_rang;
    }
}

static bool mode_of(const struct sum *s, enum call_mode *mode)
{
    if (!s->first->called) {
        *mode = CALL_SENT;
        /* the handset was lifted, no number dialled */
        return s->first->number.len || s->first->name.len;
    }
    *mode = s->talked ? CALL_ANSWERED : s->missed ? CALL_MISSED : CALL_ELSEWHERE;
    return s->talked || s->rung;
}

static struct view name_of(const struct call_leg *leg)
{
    if (!leg)
        return view_of(NULL, 0);
    return leg->own_name.len ? leg->own_name : leg->own_number;
}

static void tell(struct ipbx_model *d, const struct record *r, struct view user,
                 enum call_mode wanted)
{
    const struct call_leg *by = answerer(r);
    const struct call_leg *shown;
    struct call_entry e;
    struct sum s = {0};

    for (size_t i = 0; i < r->n; i++)
        if (is_of(&r->parts[i]->leg, user))
            add_leg(&s, &r->parts[i]->leg, by);
    if (!mode_of(&s, &e.mode) || e.mode != wanted)
        return;
    if (e.mode == CALL_ELSEWHERE && s.first->queue.len)
        return; /* that a queue rang all and one answered is the queue's entry */
    shown = e.mode == CALL_ANSWERED ? s.talked : s.first;
    if (shown->number.len == 0 && shown->name.len == 0 && s.known)
        shown = s.known;
    e.user_id = user;
    e.start = s.first->start;
    e.duration = s.talked && s.until > s.since ? s.until - s.since : 0;
    e.name = shown->name;
    e.number = shown->number;
    e.call = view_cstr(r->id);
    e.queue = s.first->queue;
    e.answered_by = name_of(by);
    e.recorded = s.recorded;
    d->effects->call(d->effects_arg, d, &e);
}

/* Each user once, though several legs may be of one. */
static void tell_users(struct ipbx_model *d, const struct record *r, enum call_mode mode)
{
    for (size_t i = 0; i < r->n; i++) {
        struct view rest = r->parts[i]->leg.users;
        while (rest.len) {
            struct view user = view_cut(&rest, '\0');
            size_t k = 0;
            while (k < i && !is_of(&r->parts[k]->leg, user))
                k++;
            if (k == i)
                tell(d, r, user, mode);
        }
    }
}

/* What it was for its queue: who called, and who answered. */
static void tell_queue(struct ipbx_model *d, const struct record *r)
{
    const struct call_leg *by = NULL;
    const struct call_leg *caller = NULL;
    bool recorded = false;
    struct call_entry e;

    for (size_t i = 0; i < r->n; i++) {
        const struct call_leg *leg = &r->parts[i]->leg;
        recorded |= leg->recorded;
        if (leg->queue.len == 0)
            continue;
        if (leg->queue_caller && (!caller || leg->start < caller->start))
            caller = leg;
        if (!leg->queue_caller && leg->talked > 0 && (!by || leg->talked < by->talked))
            by = leg;
    }
    if (!caller)
        return;
    e = (struct call_entry){
        .mode = by ? CALL_ANSWERED : CALL_MISSED,
        .start = caller->start,
        .duration = by && by->end > by->talked ? by->end - by->talked : 0,
        .name = caller->own_name,
        .number = caller->own_number,
        .call = view_cstr(r->id),
        .queue = caller->queue,
        .answered_by = name_of(by),
        .recorded = recorded,
    };
    d->effects->call(d->effects_arg, d, &e);
}

/* Who answered comes first: that is whose entry is shown of a call that several were in. */
void call_record_close(struct ipbx_model *d, struct view call)
{
    static const enum call_mode order[] = {CALL_ANSWERED, CALL_SENT, CALL_MISSED, CALL_ELSEWHERE};
    struct record *r = d->records ? map_get(d->records, call) : NULL;

    if (!r)
        return;
    map_del(d->records, call);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        tell_users(d, r, order[i]);
    tell_queue(d, r);
    record_free(r);
}
