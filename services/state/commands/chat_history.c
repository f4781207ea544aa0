/* chat_history: what was written between the user and another one; without `with`, what was written
 * to the user who was not there (a gateway asks for that at the end of a login). */
#include <stdio.h>
#include <stdlib.h>

#include "calls/dial_target.h"
#include "commands/chat_log.h"
#include "commands/commands.h"

#define MAX_LINES 500
#define DEFAULT_LINES 50
#define MAX_PAGE ((size_t)512 * 1024) /* bytes after which a page ends */

struct reading {
    struct deferred_reply *l;
    char ipbx[128];
    struct buf messages;
    size_t n, limit;
    int64_t last; /* id */
    bool more;
};

/* On the thread of the database. */
static bool take_row(void *arg, const struct db_row *row)
{
    struct reading *r = arg;
    struct buf *out = &r->messages;

    if (r->n == r->limit || buf_len(out) > MAX_PAGE) {
        r->more = true;
        return false;
    }
    r->last = chat_put_line(out, r->ipbx, row);
    r->n++;
    return true;
}

static void on_read(void *arg, int rc)
{
    struct reading *r = arg;
    struct buf pairs;

    if (rc < 0 || r->messages.failed) {
        deferred_reply_status(&r->l, BUS_failed);
    } else {
        buf_init(&pairs, 0);
        msg_put_elements(&pairs, "messages", r->n, &r->messages);
        msg_put_cstr(&pairs, "next");
        if (r->more) {
            char id[32];
            snprintf(id, sizeof(id), "%lld", (long long)r->last);
            msg_put_str(&pairs, view_cstr(id));
        } else {
            msg_put_nil(&pairs);
        }
        deferred_reply_pairs(&r->l, 2, &pairs);
        buf_free(&pairs);
    }
    buf_free(&r->messages);
    free(r);
}

static struct reading *reading_new(const struct session *se, struct deferred_reply *l,
                                   const msgpack_object *message)
{
    struct reading *r = calloc(1, sizeof(*r));
    int64_t limit = msg_get_i64(message, "limit", DEFAULT_LINES);

    if (!r)
        return NULL;
    r->l = l;
    r->limit = limit < 1 ? DEFAULT_LINES : limit > MAX_LINES ? MAX_LINES : (size_t)limit;
    snprintf(r->ipbx, sizeof(r->ipbx), "%.*s", VIEW_ARG(xod_ipbx_name(se->ipbx)));
    buf_init(&r->messages, (size_t)4 << 20);
    return r;
}

/* False: it could not be asked. */
static bool read_with(struct state *s, const struct session *se, struct deferred_reply *l,
                      const msgpack_object *message, struct view other, int64_t below)
{
    struct view own = view_cstr(se->user_id);
    bool first = view_cmp(own, other) < 0;
    struct reading *r = reading_new(se, l, message);

    if (r && db_read(s->db,
                     "SELECT id, sender, receiver, time, text FROM chat"
                     " WHERE site = ? AND low = ? AND high = ? AND id < ? ORDER BY id DESC",
                     take_row, on_read, r, "sssi", xod_ipbx_name(se->ipbx), first ? own : other,
                     first ? other : own, below) == 0)
        return true;
    if (r)
        buf_free(&r->messages);
    free(r);
    return false;
}

static void chat_history(struct state *s, struct session *se, struct deferred_reply *l,
                         const msgpack_object *message)
{
    char scratch[32], room2[32];
    struct view with = msg_get_text(message, "with", scratch);
    struct view cursor = msg_get_text(message, "cursor", room2);
    struct target t = {.kind = TARGET_NONE};
    int64_t below = INT64_MAX;

    if (!msg_get(message, "with")) {
        chat_tell_missed(s, se, &l);
        return;
    }
    if (with.len)
        t = target_read(s, se, with, LIST_users);
    if (t.kind != TARGET_OBJECT || xod_obj_list(t.object) != LIST_users ||
        (cursor.len && view_to_i64(cursor, &below) < 0))
        deferred_reply_status(&l, BUS_malformed);
    else if (!read_with(s, se, l, message, xod_obj_id(t.object), below))
        deferred_reply_status(&l, BUS_busy);
}

const struct command command_chat_history = {"chat_history", chat_history, true};
