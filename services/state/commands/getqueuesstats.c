/* getqueuesstats: sums over what happened in some queues lately. */
#include <math.h>
#include <stdlib.h>

#include "access/access.h"
#include "base/clock.h"
#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "model/statistics.h"
#include "sessions/sessions.h"

#define MAX_QUEUES 1000 /* of one message; those behind are left out */
#define WINDOW_DEFAULT 3600
#define WINDOW_MAX STATISTICS_KEEP_S
#define XQOS_DEFAULT 60
#define XQOS_MAX STATISTICS_KEEP_S

/* Whole seconds, written as a number or as a string; what is neither, or out of bounds, becomes the
 * default or the bound. */
static double seconds(const msgpack_object *options, const char *key, int64_t least, int64_t most,
                      int64_t dflt)
{
    const msgpack_object *v = msg_get(options, key);
    char scratch[32];
    int64_t n;

    if (v && (v->type == MSGPACK_OBJECT_FLOAT64 || v->type == MSGPACK_OBJECT_FLOAT32)) {
        double f = v->via.f64;
        n = isnan(f) ? dflt : f < (double)least ? least : f > (double)most ? most : (int64_t)f;
    } else if (view_to_i64(msg_get_text(options, key, scratch), &n) < 0) {
        n = dflt;
    }
    return (double)(n < least ? least : n > most ? most : n);
}

static void put_number(struct buf *out, const char *name, double n)
{
    msg_put_cstr(out, name);
    msg_put_i64(out, llround(n));
}

/* What is undefined goes out as an empty text: clients keep what they had of a name that does not
 * come, and show a 0 as if somebody had been counted. */
static void put_figure(struct buf *out, const char *name, double n)
{
    msg_put_cstr(out, name);
    if (isnan(n))
        msg_put_cstr(out, "");
    else
        msg_put_double(out, round(n * 10) / 10);
}

static void put_window(struct buf *out, const struct queue_window *w)
{
    msg_put_map(out, 7);
    put_number(out, "Xivo-Join", w->join);
    put_number(out, "Xivo-Link", w->link);
    put_number(out, "Xivo-Lost", w->lost);
    put_figure(out, "Xivo-Rate", w->rate);
    put_figure(out, "Xivo-Qos", w->qos);
    put_figure(out, "Xivo-Holdtime-max", w->holdtime_max);
    put_figure(out, "Xivo-Holdtime-avg", w->holdtime_avg);
}

static size_t put_stats(struct buf *out, const struct ipbx_model *d, const struct access *access,
                        const msgpack_object_map *on)
{
    size_t n = 0;

    for (uint32_t i = 0; i < on->size && i < MAX_QUEUES; i++) {
        struct view id = msg_str(&on->ptr[i].key);
        const msgpack_object *options = &on->ptr[i].val;
        struct xod_obj *queue = id.len ? xod_find(d->ipbx, LIST_queues, id) : NULL;
        struct queue_window w;
        if (!queue || options->type != MSGPACK_OBJECT_MAP || !access_sees(access, queue))
            continue;
        statistics_window(d, id, clock_wall(),
                          seconds(options, "window", 1, WINDOW_MAX, WINDOW_DEFAULT),
                          seconds(options, "xqos", 0, XQOS_MAX, XQOS_DEFAULT), &w);
        msg_put_str(out, id);
        put_window(out, &w);
        n++;
    }
    return n;
}

static void getqueuesstats(struct state *s, struct session *se, struct deferred_reply *l,
                           const msgpack_object *message)
{
    struct ipbx *ipbx = state_ipbx(s, xod_ipbx_name(se->ipbx));
    const msgpack_object *on = msg_get(message, "on");
    struct access access;
    struct buf body;
    size_t mark;

    if (!ipbx || !on || on->type != MSGPACK_OBJECT_MAP) {
        deferred_reply_status(&l, ipbx ? BUS_malformed : BUS_not_found);
        return;
    }
    if (access_init(&access, session_user(se), access_is_separate(s->cfg)) < 0) {
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    buf_init(&body, 0);
    msg_put_cstr(&body, "stats");
    mark = msg_map_begin(&body);
    msg_map_end(&body, mark, put_stats(&body, ipbx->model, &access, &on->via.map));
    access_fini(&access);
    if (body.failed)
        deferred_reply_status(&l, BUS_busy);
    else
        deferred_reply_pairs(&l, 1, &body);
    buf_free(&body);
}

const struct command command_getqueuesstats = {"getqueuesstats", getqueuesstats, .reads = true};
