/* history: the calls of a user, from the log. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "commands/history.h"
#include "core/deferred_reply.h"
#include "sessions/sessions.h"

#define MAX_CALLS 1000
#define DEFAULT_CALLS 50

struct reading {
    struct deferred_reply *l;
    char mode[8]; /* as it was asked for; empty: all */
    struct buf calls;
    size_t n;
};

/* ISO with a fraction, in local time: as the clients of 2012 read it. */
static void put_date(struct buf *out, double start)
{
    time_t seconds = (time_t)start;
    char text[64];
    char whole[80];
    struct tm tm;

    localtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(whole, sizeof(whole), "%s.%06d", text, (int)((start - (double)seconds) * 1e6));
    msg_put_pair(out, "calldate", view_cstr(whole));
}

/* Clients show and dial the fullname, so it is the number where there is one. */
static bool take_row(void *arg, const struct db_row *row)
{
    struct reading *r = arg;
    struct view name = db_text(row, 3);
    struct view number = db_text(row, 4);
    struct buf *out = &r->calls;

    msg_put_map(out, 6);
    put_date(out, db_float(row, 1));
    msg_put_cstr(out, "duration");
    msg_put_i64(out, (int64_t)(db_float(row, 2) + 0.5));
    msg_put_pair(out, "fullname", number.len ? number : name);
    msg_put_pair(out, "extension", number);
    msg_put_pair(out, "name", name);
    msg_put_cstr(out, "mode");
    msg_put_i64(out, db_int(row, 0));
    r->n++;
    return true;
}

static void on_read(void *arg, int rc)
{
    struct reading *r = arg;
    struct buf pairs;

    if (rc < 0 || r->calls.failed) {
        deferred_reply_status(&r->l, BUS_failed);
    } else {
        buf_init(&pairs, 0);
        if (*r->mode) {
            msg_put_cstr(&pairs, "mode");
            msg_put_i64(&pairs, *r->mode - '0');
        }
        msg_put_elements(&pairs, "history", r->n, &r->calls);
        deferred_reply_pairs(&r->l, *r->mode ? 2 : 1, &pairs);
        buf_free(&pairs);
    }
    buf_free(&r->calls);
    free(r);
}

static struct reading *reading_new(struct deferred_reply *l, struct view mode)
{
    struct reading *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->l = l;
    snprintf(r->mode, sizeof(r->mode), "%.*s", (int)(mode.len > 1 ? 1 : mode.len), mode.ptr);
    buf_init(&r->calls, (size_t)1 << 20);
    return r;
}

static void history(struct state *s, struct session *se, struct deferred_reply *l,
                    const msgpack_object *message)
{
    char scratch[32], room2[32];
    struct view mode = msg_get_text(message, "mode", scratch);
    int64_t size = DEFAULT_CALLS;
    bool all = mode.len == 0;
    struct reading *r;

    if (history_is_page(message)) {
        history_page(s, se, l, message);
        return;
    }
    if (!command_is_self(se, message, "xuserid")) {
        deferred_reply_status(&l, BUS_unallowed);
        return;
    }
    if (!all && (mode.len != 1 || mode.ptr[0] < '0' || mode.ptr[0] > '2')) {
        deferred_reply_status(&l, BUS_malformed);
        return;
    }
    if (view_to_i64(msg_get_text(message, "size", room2), &size) < 0 || size < 1)
        size = DEFAULT_CALLS;
    r = reading_new(l, mode);
    if (!r || db_read(s->db,
                      "SELECT mode, start, duration, name, number FROM call_log"
                      " WHERE site = ?1 AND user = ?2 AND mode <= 2 AND (?3 < 0 OR mode = ?3)"
                      " ORDER BY start DESC LIMIT ?4",
                      take_row, on_read, r, "ssii", xod_ipbx_name(se->ipbx), view_cstr(se->user_id),
                      all ? (int64_t)-1 : (int64_t)(mode.ptr[0] - '0'),
                      size > MAX_CALLS ? (int64_t)MAX_CALLS : size) < 0) {
        free(r);
        deferred_reply_status(&l, BUS_busy);
    }
}

const struct command command_history = {"history", history, true};
