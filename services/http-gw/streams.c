/*
 * GET /v1/events: what happens, as server-sent events (HTML, section 9.2). A listener that comes
 * back names the last id it has had and goes on from there, as long as the events since then are in
 * the ring; else it gets the objects anew.
 */
#include <stdio.h>
#include <stdlib.h>

#include "access/masked.h"
#include "base/clock.h"
#include "internal.h"
#include "ring.h"

#define RING_ENTRIES 100000
#define RING_BYTES ((size_t)64 * 1024 * 1024)
/* Both are kept for so long after the last listener that wanted them. */
#define KEEP_US 600000000u
#define KEEPALIVE_MS 15000
#define PACE_MS 20
#define PORTION ((size_t)262144) /* bytes of a snapshot that wait for a reader */
#define MAX_STREAMS 20000
#define EVENT_STREAM "text/event-stream"

struct stream {
    struct streams *of;
    struct exchange *x;
    struct token *token;
    char *events; /* patterns */
    bool changes;
    uint32_t lists; /* bits: of changes, and of a snapshot */
    char ipbx[64];  /* empty: all */
    bool has_after;
    struct event_id after; /* what is not newer it has had */
    bool copying;          /* a snapshot is under way, at: */
    size_t site, list, pos;
    uint64_t ring_at; /* resuming: the next place of the ring */
    bool resuming;
    LIST_ENTRY(stream) all;
};

struct streams {
    struct http_gw *g;
    LIST_HEAD(stream_list, stream) all;
    size_t n;
    /* events, and changes with them, for those who come back; kept from the first listener on */
    struct ring *ring, *changes;
    bool keeps, keeps_changes;
    uint64_t wanted, changes_wanted; /* monotonic us: when they were last */
    struct event_id last;            /* id of the last thing that was told */
    uint64_t serial;
    struct loop_timer *keepalive, *pace;
    struct buf text;
};

/* ---- texts ---- */

static void put_party(struct buf *out, const char *key, const char *text, bool masked)
{
    buf_printf(out, ",\"%s\":", key);
    if (!*text)
        buf_append_cstr(out, "null");
    else if (masked)
        masked_put_text(out, view_cstr(text));
    else
        json_put_string(out, view_cstr(text));
}

/* A call that is over, with the parties that it had. */
static void put_call(struct buf *out, const struct event *e, bool masked)
{
    const struct event_parties *p = e->parties;
    const uint64_t parties = XOD_BIT(calls, caller_name) | XOD_BIT(calls, caller_number) |
                             XOD_BIT(calls, called_name) | XOD_BIT(calls, called_number) |
                             XOD_BIT(calls, direction);

    read_put_object(out, e->obj, ~(p ? parties : 0), masked);
    if (!p || out->failed)
        return;
    out->end--; /* the closing brace */
    put_party(out, "caller_name", p->caller_name, masked);
    put_party(out, "caller_number", p->caller_number, masked);
    put_party(out, "called_name", p->called_name, masked);
    put_party(out, "called_number", p->called_number, masked);
    put_party(out, "direction", p->direction, false);
    buf_append_char(out, '}');
}

void event_put_json(struct buf *out, const struct event *e, bool masked)
{
    char id[EVENT_ID_TEXT];

    event_id_print(&e->id, id);
    buf_printf(out, "{\"id\":\"%s\",\"event\":\"%s\",\"time\":", id, event_name(e->kind));
    json_put_time(out, e->time);
    buf_append_cstr(out, ",\"ipbx\":");
    json_put_string(out, xod_ipbx_name(xod_obj_ipbx(e->obj)));
    buf_printf(out, ",\"%s\":", event_word(e->kind));
    put_call(out, e, masked);
    if (xod_obj_list(e->obj) == LIST_calls) {
        buf_printf(out, ",\"answered\":%s,\"parties\":", e->answered ? "true" : "false");
        participants_put(out, e->obj, masked);
    }
    buf_append_char(out, '}');
}

static void put_change(struct buf *out, const struct xod_change *c, bool masked)
{
    static const char *const ops[] = {
        [XOD_ADD] = "add", [XOD_UPDATE] = "update", [XOD_DEL] = "del"};
    enum xod_list list = xod_obj_list(c->obj);

    buf_printf(out, "{\"op\":\"%s\",\"list\":\"%s\",\"object\":", ops[c->op],
               schema_list(list)->name);
    read_put_object(out, c->obj, c->op == XOD_DEL ? 0 : c->fields, masked);
    buf_append_char(out, '}');
}

static void begin(struct buf *out, const struct event_id *id, const char *name)
{
    char text[EVENT_ID_TEXT];

    buf_reset(out);
    if (id) {
        event_id_print(id, text);
        buf_printf(out, "id: %s\n", text);
    }
    buf_printf(out, "event: %s\ndata: ", name);
}

static struct shared *text_of(struct streams *s, const struct event *e, const struct xod_change *c,
                              const struct event_id *id, bool masked)
{
    begin(&s->text, id, e ? event_name(e->kind) : "change");
    if (e)
        event_put_json(&s->text, e, masked);
    else
        put_change(&s->text, c, masked);
    buf_append_cstr(&s->text, "\n\n");
    return s->text.failed ? NULL : shared_new(buf_view(&s->text));
}

/* ---- life ---- */

static void stream_free(struct stream *t)
{
    LIST_REMOVE(t, all);
    t->of->n--;
    token_release(t->token);
    free(t->events);
    free(t);
}

static void on_gone(void *arg)
{
    stream_free(arg);
}

static void end(struct stream *t)
{
    struct exchange *x = t->x;

    stream_free(t);
    exchange_end(x);
}

void streams_end(struct streams *s)
{
    while (!LIST_EMPTY(&s->all))
        end(LIST_FIRST(&s->all));
}

void streams_token_ended(struct streams *s, const struct token *k)
{
    struct stream *t, *next;

    LIST_FOREACH_SAFE(t, &s->all, all, next)
    if (t->token == k)
        end(t);
}

size_t streams_count(const struct streams *s)
{
    return s->n;
}

/* ---- snapshots ---- */

static void put_object_event(struct stream *t, const struct xod_obj *o)
{
    struct buf *out = &t->of->text;

    begin(out, NULL, "object");
    buf_printf(out, "{\"list\":\"%s\",\"object\":", schema_list(xod_obj_list(o))->name);
    read_put_object(out, o, ~(uint64_t)0, access_masks(&t->token->access, o));
    buf_append_cstr(out, "}\n\n");
    if (!out->failed)
        exchange_send(t->x, buf_view(out));
}

static bool is_of_ipbx(const struct stream *t, const struct xod_ipbx *ipbx)
{
    return !*t->ipbx || view_eq(xod_ipbx_name(ipbx), view_cstr(t->ipbx));
}

/* The next objects of a list, up to a portion. False: the list is at its end. */
static bool copy_some(struct stream *t, const struct xod_ipbx *ipbx)
{
    struct xod_obj *o;

    while (exchange_waiting(t->x) < PORTION) {
        o = xod_next(ipbx, (enum xod_list)t->list, &t->pos);
        if (!o)
            return false;
        if (token_sees(t->token, o))
            put_object_event(t, o);
    }
    return true;
}

static void copied(struct stream *t)
{
    struct buf *out = &t->of->text;

    t->copying = false;
    begin(out, &t->of->last, "live");
    buf_append_cstr(out, "{}\n\n");
    exchange_send(t->x, buf_view(out));
}

static void copy_on(struct stream *t)
{
    struct xod_ipbx *ipbx;

    while ((ipbx = xod_site_at(replica_xod(t->of->g->replica), t->site))) {
        bool wanted = t->list < LIST_COUNT && t->lists & (1u << t->list) && is_of_ipbx(t, ipbx);
        if (wanted && copy_some(t, ipbx))
            return;
        t->pos = 0;
        if (++t->list >= LIST_COUNT) {
            t->list = 0;
            t->site++;
        }
    }
    copied(t);
}

static void begin_copy(struct stream *t, const char *why)
{
    struct buf *out = &t->of->text;

    t->copying = true;
    t->resuming = false;
    t->site = t->list = t->pos = 0;
    begin(out, NULL, "snapshot");
    buf_printf(out, "{\"reason\":\"%s\"}\n\n", why);
    exchange_send(t->x, buf_view(out));
}

/* ---- resuming ---- */

static struct ring *ring_of(const struct stream *t)
{
    return t->changes ? t->of->changes : t->of->ring;
}

static bool wants_kind(const struct stream *t, int kind, enum xod_list list,
                       const struct xod_ipbx *ipbx)
{
    if (!is_of_ipbx(t, ipbx))
        return false;
    return kind < 0 ? t->changes && t->lists & (1u << list)
                    : event_fits(view_cstr(t->events), view_cstr(event_name(kind)));
}

static void resume_on(struct stream *t)
{
    const struct ring_entry *e;

    while (exchange_waiting(t->x) < PORTION) {
        e = ring_next(ring_of(t), &t->ring_at);
        if (!e) {
            t->resuming = false;
            return;
        }
        if (wants_kind(t, e->kind, e->list, e->ipbx))
            exchange_send_shared(t->x, e->text);
    }
}

/* In a copy or a resumption, at its reader's pace. */
static void pace(void *arg)
{
    struct streams *s = arg;
    struct stream *t, *next;
    bool any = false;

    LIST_FOREACH_SAFE(t, &s->all, all, next)
    {
        if (t->copying && replica_is_ready(s->g->replica, NULL))
            copy_on(t);
        if (t->resuming)
            resume_on(t);
        any = any || t->copying || t->resuming;
    }
    if (!any)
        loop_timer_stop(s->pace);
}

void streams_ready(struct streams *s)
{
    pace(s);
}

/* ---- opening ---- */

static bool read_lists(struct request *rq, struct stream *t, const char *text)
{
    struct view rest = view_cstr(text);

    while (rest.len > 0) {
        struct view name = view_trim(view_cut(&rest, ','));
        int list = schema_list_find(name);
        if (list < 0) {
            request_fail(rq, 400, "no_such_list", "There is no list %.*s: see GET /v1.",
                         (int)(name.len > 60 ? 60 : name.len), name.ptr);
            return false;
        }
        t->lists |= 1u << list;
    }
    return true;
}

static bool is_pattern(struct view one)
{
    if (view_eq(one, VIEW("change")))
        return true;
    for (int i = 0; i < EVENT_KINDS; i++)
        if (event_fits(one, view_cstr(event_name((enum event_kind)i))))
            return true;
    return false;
}

static bool read_patterns(struct request *rq, struct stream *t, const char *text)
{
    struct view rest = view_cstr(text);

    while (rest.len > 0) {
        struct view one = view_trim(view_cut(&rest, ','));
        if (!is_pattern(one)) {
            request_fail(rq, 400, "no_such_event", "There is no event %.*s: see GET /v1.",
                         (int)(one.len > 60 ? 60 : one.len), one.ptr);
            return false;
        }
        t->changes = t->changes || event_fits(one, VIEW("change"));
    }
    t->events = view_dup(view_cstr(text));
    if (!t->events)
        request_fail(rq, 503, "no_memory", "There is no memory left.");
    return t->events != NULL;
}

/* Where to go on, from the header or the parameter. */
static bool read_place(struct request *rq, struct stream *t, const char *text)
{
    text = rq->last_event_id ? rq->last_event_id : text;
    if (!text || !*text)
        return true;
    t->has_after = event_id_parse(view_cstr(text), &t->after) == 0;
    if (!t->has_after)
        request_fail(rq, 400, "bad_id", "Last-Event-ID is the id of an event.");
    return t->has_after;
}

/* One parameter after the other: each may be answered as wrong. */
static bool read_filter(struct request *rq, struct stream *t, bool *snapshot)
{
    struct buf scratch;
    const char *text;
    bool good;

    buf_init(&scratch, 8192);
    good =
        request_query(rq, "events", &scratch, &text) &&
        read_patterns(rq, t, text ? text : "call.*,queue.*,agent.*,voicemail.*,presence.*,link.*");
    buf_reset(&scratch);
    good = good && request_query(rq, "lists", &scratch, &text) && read_lists(rq, t, text);
    t->changes = t->changes || (good && text);
    buf_reset(&scratch);
    good = good && request_query(rq, "ipbx", &scratch, &text);
    if (good)
        snprintf(t->ipbx, sizeof(t->ipbx), "%s", text ? text : "");
    buf_reset(&scratch);
    good = good && request_query(rq, "snapshot", &scratch, &text);
    *snapshot = good && text && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
    buf_reset(&scratch);
    good = good && request_query(rq, "last_event_id", &scratch, &text) && read_place(rq, t, text);
    buf_free(&scratch);
    if (t->lists == 0)
        t->lists = t->changes ? ~0u : 1u << LIST_calls;
    return good;
}

/* Which changes its user may see when the object is gone cannot be told: those who do not see all
 * begin anew. */
static void begin_stream(struct stream *t, bool snapshot)
{
    struct streams *s = t->of;

    if (t->has_after && token_sees_all(t->token) && ring_find(ring_of(t), &t->after, &t->ring_at))
        t->resuming = true;
    else if (t->has_after)
        begin_copy(t, "what came since is not known here any more");
    else if (snapshot)
        begin_copy(t, "as asked for");
    else
        copied(t); /* from here on */
    if (t->copying || t->resuming) {
        pace(s);
        loop_timer_start(s->pace, PACE_MS, true);
    }
}

static void keep(struct streams *s, struct ring *r, bool *keeps, uint64_t *wanted, bool now_wanted)
{
    uint64_t now = clock_mono_us();

    if (now_wanted)
        *wanted = now;
    if (now_wanted && !*keeps)
        ring_start(r, &s->last);
    *keeps = now_wanted || (*keeps && now - *wanted < KEEP_US);
    if (!*keeps)
        ring_start(r, &(struct event_id){0});
}

static void keep_what_is_wanted(struct streams *s)
{
    bool any = false, changes = false;
    struct stream *t;

    LIST_FOREACH(t, &s->all, all)
    {
        any = any || !t->changes;
        changes = changes || t->changes;
    }
    keep(s, s->ring, &s->keeps, &s->wanted, any);
    keep(s, s->changes, &s->keeps_changes, &s->changes_wanted, changes);
}

void streams_open(struct request *rq)
{
    struct streams *s = rq->g->streams;
    struct stream *t = s->n < MAX_STREAMS ? calloc(1, sizeof(*t)) : NULL;
    bool snapshot;

    if (!t || rq->g->stopped) {
        free(t);
        request_fail(rq, 503, "too_many", "There are too many listeners, or this http-gw stops.");
        return;
    }
    if (!read_filter(rq, t, &snapshot)) {
        free(t->events);
        free(t);
        return;
    }
    t->of = s;
    t->x = rq->x;
    t->token = rq->token;
    token_hold(t->token);
    LIST_INSERT_HEAD(&s->all, t, all);
    s->n++;
    keep_what_is_wanted(s);
    metric_add(rq->g->requests[1], 1);
    request_free(rq);
    exchange_on_gone(t->x, on_gone, t);
    exchange_begin(t->x, EVENT_STREAM, "X-Accel-Buffering: no\r\n");
    exchange_send(t->x, VIEW("retry: 2000\n\n"));
    begin_stream(t, snapshot);
}

/* ---- what happens ---- */

/* Asked once for each token, however many listeners it has. */
static bool sees(struct streams *s, struct token *k, const struct xod_obj *o)
{
    if (k->looked_at != s->serial) {
        k->looked_at = s->serial;
        k->sees = token_sees(k, o);
    }
    return k->sees;
}

/* o: what it is about, an event or (e NULL) a change. */
static void deliver(struct streams *s, const struct xod_obj *o, const struct event *e,
                    const struct xod_change *c, const struct event_id *id)
{
    enum xod_list list = xod_obj_list(o);
    int kind = e ? (int)e->kind : -1;
    struct ring_entry entry = {*id, kind, list, xod_obj_ipbx(o), NULL};
    struct shared *plain = text_of(s, e, c, id, false);
    struct shared *masked = NULL;
    struct stream *t;

    if (!plain)
        return;
    entry.text = plain;
    if (e && s->keeps)
        ring_add(s->ring, &entry);
    if (s->keeps_changes)
        ring_add(s->changes, &entry);
    s->serial++;
    LIST_FOREACH(t, &s->all, all)
    {
        bool hide;
        /* one that resumes finds it in the ring */
        if (t->resuming || !wants_kind(t, kind, list, entry.ipbx) || !sees(s, t->token, o) ||
            (t->has_after && t->after.epoch == id->epoch && event_id_cmp(id, &t->after) <= 0))
            continue;
        hide = access_masks(&t->token->access, o);
        if (hide && !masked)
            masked = text_of(s, e, c, id, true);
        if (!hide || masked)
            exchange_send_shared(t->x, hide ? masked : plain);
        metric_add(s->g->events_sent, 1);
    }
    shared_unref(plain);
    if (masked)
        shared_unref(masked);
}

void streams_event(struct streams *s, const struct event *e)
{
    s->last = e->id;
    if (s->keeps || s->keeps_changes)
        deliver(s, e->obj, e, NULL, &e->id);
}

void streams_change(struct streams *s, const struct xod_change *c)
{
    struct event_id id = events_next_id(s->g->events);

    s->last = id;
    if (s->keeps_changes &&
        (c->op != XOD_UPDATE || c->fields & schema_client_mask(xod_obj_list(c->obj))))
        deliver(s, c->obj, NULL, c, &id);
}

static void keepalive(void *arg)
{
    struct streams *s = arg;
    struct shared *text;
    struct stream *t;

    keep_what_is_wanted(s);
    if (s->n == 0 || !(text = shared_new(VIEW(":\n\n"))))
        return;
    LIST_FOREACH(t, &s->all, all)
    exchange_send_shared(t->x, text);
    shared_unref(text);
}

/* ---- lifecycle ---- */

struct streams *streams_new(struct http_gw *g)
{
    struct streams *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->g = g;
    LIST_INIT(&s->all);
    buf_init(&s->text, (size_t)1 << 24);
    s->ring = ring_new(RING_ENTRIES, RING_BYTES);
    s->changes = ring_new(RING_ENTRIES, RING_BYTES);
    s->keepalive = loop_timer_new(g->loop, keepalive, s);
    s->pace = loop_timer_new(g->loop, pace, s);
    if (!s->ring || !s->changes || !s->keepalive || !s->pace)
        streams_destroy(&s);
    else
        loop_timer_start(s->keepalive, KEEPALIVE_MS, true);
    return s;
}

void streams_destroy(struct streams **sp)
{
    struct streams *s = sp ? *sp : NULL;

    if (!s)
        return;
    *sp = NULL;
    streams_end(s);
    loop_timer_destroy(&s->keepalive);
    loop_timer_destroy(&s->pace);
    ring_destroy(&s->ring);
    ring_destroy(&s->changes);
    buf_free(&s->text);
    free(s);
}
