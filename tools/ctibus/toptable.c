#include "toptable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/topic.h"
#include "tool.h"

int toptable_init(struct toptable *t, double now)
{
    *t = (struct toptable){.began = now, .since = now};
    buf_init(&t->scratch, 4096);
    t->topics.by_name = map_new();
    t->sources.by_name = map_new();
    t->by_service = map_new();
    t->topics.list = calloc(TOP_MAX_ROWS + 1, sizeof(struct top_row *));
    t->sources.list = calloc(TOP_MAX_ROWS + 1, sizeof(struct top_row *));
    t->services = calloc(TOP_MAX_ROWS, sizeof(struct top_service *));
    return t->topics.by_name && t->sources.by_name && t->by_service && t->topics.list &&
                   t->sources.list && t->services && msg_doc_init(&t->doc) == 0
               ? 0
               : -ENOMEM;
}

static void free_rows(struct top_rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->list[i]);
    free(r->list);
    map_destroy(&r->by_name);
}

void toptable_free(struct toptable *t)
{
    free_rows(&t->topics);
    free_rows(&t->sources);
    for (size_t i = 0; i < t->n_services; i++)
        free(t->services[i]);
    free(t->services);
    map_destroy(&t->by_service);
    msg_doc_fini(&t->doc);
    buf_free(&t->scratch);
}

/* The row of a name, made if there is room; the one of the others; or NULL without memory. */
static struct top_row *row_of(struct top_rows *r, struct view name)
{
    struct top_row *row;

    if (name.len >= TOP_NAME)
        name.len = TOP_NAME - 1;
    row = map_get(r->by_name, name);
    if (!row && r->n >= TOP_MAX_ROWS) {
        name = VIEW("(others)");
        row = map_get(r->by_name, name);
    }
    if (row)
        return row;
    row = calloc(1, sizeof(*row));
    if (!row)
        return NULL;
    memcpy(row->name, name.ptr, name.len);
    if (r->n > TOP_MAX_ROWS || map_put(r->by_name, view_cstr(row->name), row) < 0) {
        free(row);
        return NULL;
    }
    r->list[r->n++] = row;
    return row;
}

static void count(struct top_row *row, const struct bus_msg *m, double lag)
{
    if (!row)
        return;
    row->total++;
    row->n++;
    row->bytes += m->topic.len + m->body.len;
    row->lag_sum += lag;
    if (lag > row->lag_max)
        row->lag_max = lag;
}

/* What of a topic names its kind: the ids of objects and of events' verbs are left out. */
static struct view kind_of(struct view topic)
{
    unsigned segments = view_starts(topic, VIEW("xod/"))   ? 4
                        : view_starts(topic, VIEW("svc/")) ? 2
                                                           : 3;
    size_t end = 0;

    for (size_t i = 0; i < topic.len && segments > 0; i++)
        if (topic.ptr[i] == '/') {
            end = i;
            segments--;
        }
    return view_of(topic.ptr, end);
}

/* ---- services ---- */

static struct top_service *service_of(struct toptable *t, struct view topic)
{
    struct view rest = topic;
    struct top_service *s;

    buf_reset(&t->scratch);
    if (topic_next(&rest, NULL) < 0 || topic_next(&rest, &t->scratch) < 0)
        return NULL;
    buf_append_char(&t->scratch, ' ');
    if (topic_next(&rest, &t->scratch) < 0 || t->scratch.failed || buf_len(&t->scratch) >= TOP_NAME)
        return NULL;
    s = map_get(t->by_service, buf_view(&t->scratch));
    if (s || t->n_services == TOP_MAX_ROWS)
        return s;
    s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    memcpy(s->name, buf_data(&t->scratch), buf_len(&t->scratch));
    if (map_put(t->by_service, view_cstr(s->name), s) < 0) {
        free(s);
        return NULL;
    }
    t->services[t->n_services++] = s;
    return s;
}

static bool is_shown_by_itself(struct view key)
{
    return view_eq(key, VIEW("version")) || view_eq(key, VIEW("uptime")) ||
           view_eq(key, VIEW("ready")) || view_eq(key, VIEW("seq"));
}

static void put_more(struct buf *out, const msgpack_object *body)
{
    for (uint32_t i = 0; i < body->via.map.size; i++) {
        struct view key = msg_str(&body->via.map.ptr[i].key);
        const msgpack_object *value = &body->via.map.ptr[i].val;
        if (is_shown_by_itself(key))
            continue;
        buf_printf(out, "%s%.*s=", buf_len(out) ? " " : "", VIEW_ARG(key));
        if (value->type == MSGPACK_OBJECT_STR)
            buf_append_view(out, msg_str(value));
        else
            tool_put_object(out, value);
    }
}

static void on_heartbeat(struct toptable *t, const struct bus_msg *m, double now)
{
    struct top_service *s = service_of(t, m->topic);
    const msgpack_object *body = &t->doc.root;
    struct view version;

    if (!s || msg_parse(&t->doc, m->body) < 0)
        return;
    version = msg_get_str(body, "version");
    snprintf(s->version, sizeof(s->version), "%.*s", VIEW_ARG(version));
    s->uptime = msg_get_double(body, "uptime", 0);
    s->ready = msg_get_bool(body, "ready", false);
    s->heard = now;
    buf_reset(&t->scratch);
    put_more(&t->scratch, body);
    snprintf(s->more, sizeof(s->more), "%.*s", VIEW_ARG(buf_view(&t->scratch)));
}

/* ---- messages ---- */

void toptable_message(struct toptable *t, const struct bus_msg *m, double now)
{
    double lag = now > m->time ? now - m->time : 0;

    count(row_of(&t->topics, kind_of(m->topic)), m, lag);
    count(row_of(&t->sources, m->source), m, lag);
    if (view_starts(m->topic, VIEW("svc/")))
        on_heartbeat(t, m, now);
}

void toptable_lost(struct toptable *t, const struct bus_msg *m, uint64_t lost)
{
    struct top_row *row = row_of(&t->sources, m->source);

    t->lost += lost;
    if (row)
        row->lost += lost;
}

/* ---- turns ---- */

static int by_rate(const void *a, const void *b)
{
    const struct top_row *x = *(struct top_row *const *)a;
    const struct top_row *y = *(struct top_row *const *)b;

    if (x->rate != y->rate)
        return x->rate < y->rate ? 1 : -1;
    return x->total != y->total ? (x->total < y->total ? 1 : -1) : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct top_service *const *)a)->name, (*(struct top_service *const *)b)->name);
}

static void turn_rows(struct top_rows *r, double seconds)
{
    for (size_t i = 0; i < r->n; i++) {
        struct top_row *row = r->list[i];
        row->rate = (double)row->n / seconds;
        row->lag = row->n ? row->lag_sum / (double)row->n : 0;
        row->worst = row->lag_max;
        row->n = 0;
        row->lag_sum = row->lag_max = 0;
    }
    qsort(r->list, r->n, sizeof(*r->list), by_rate);
}

void toptable_turn(struct toptable *t, double now)
{
    double seconds = now > t->since ? now - t->since : 1;

    turn_rows(&t->topics, seconds);
    turn_rows(&t->sources, seconds);
    qsort(t->services, t->n_services, sizeof(*t->services), by_name);
    t->since = now;
}

static void reset_rows(struct top_rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        r->list[i]->total = r->list[i]->bytes = r->list[i]->lost = 0;
}

void toptable_reset(struct toptable *t, double now)
{
    reset_rows(&t->topics);
    reset_rows(&t->sources);
    t->began = now;
    t->lost = 0;
}
