#include "commands/chat_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "commands/commands.h"
#include "core/notify.h"
#include "core/profile.h"

#define MAX_WAITING 1000           /* lines for one user */
#define MAX_TOLD ((size_t)4 << 20) /* bytes at one login */

static bool permits(struct state *s, struct view profile)
{
    return config_int(s->cfg, "ctibus.retention.chat_days") > 0 &&
           profile_permits(s->cfg, profile, "regcommands", VIEW("chat_history"));
}

bool chat_waits_for(struct state *s, const struct xod_obj *to)
{
    char scratch[32];

    return permits(s, value_text(xod_get(to, XOD(users, profileclient)), scratch));
}

bool chat_is_kept(struct state *s, const struct session *se, const struct xod_obj *to)
{
    return permits(s, view_cstr(se->capaid)) || chat_waits_for(s, to);
}

/* ---- keeping ---- */

static void add(struct state *s, struct db_txn *t, const struct session *se,
                const struct xod_obj *to, struct view text, bool delivered)
{
    struct view sender = view_cstr(se->user_id);
    struct view receiver = xod_obj_id(to);
    bool first = view_cmp(sender, receiver) < 0;

    db_add(t,
           "INSERT INTO chat (site, sender, receiver, low, high, time, text, delivered)"
           " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
           "sssssfsi", xod_ipbx_name(se->ipbx), sender, receiver, first ? sender : receiver,
           first ? receiver : sender, clock_wall(), text, (int64_t)delivered);
}

void chat_keep(struct state *s, const struct session *se, const struct xod_obj *to,
               struct view text)
{
    struct db_txn *t = db_begin(s->db);

    if (!t)
        return;
    add(s, t, se, to, text, true);
    db_commit_take(&t, NULL, NULL);
}

static void on_kept(void *arg, int rc)
{
    struct deferred_reply *l = arg;
    struct buf pairs;

    if (rc < 0) {
        deferred_reply_status(&l, BUS_failed);
        return;
    }
    buf_init(&pairs, 64);
    msg_put_cstr(&pairs, "kept");
    msg_put_bool(&pairs, true);
    deferred_reply_pairs(&l, 1, &pairs);
    buf_free(&pairs);
}

void chat_keep_for(struct state *s, const struct session *se, const struct xod_obj *to,
                   struct view text, struct deferred_reply **l)
{
    struct db_txn *t = db_begin(s->db);

    if (!t) {
        deferred_reply_status(l, BUS_busy);
        return;
    }
    add(s, t, se, to, text, false);
    db_add(t,
           "UPDATE chat SET delivered = 1 WHERE site = ?1 AND receiver = ?2 AND delivered = 0"
           " AND id <= (SELECT id FROM chat WHERE site = ?1 AND receiver = ?2 AND delivered = 0"
           " ORDER BY id DESC LIMIT 1 OFFSET ?3)",
           "ssi", xod_ipbx_name(se->ipbx), xod_obj_id(to), (int64_t)MAX_WAITING);
    db_commit_take(&t, on_kept, *l);
    *l = NULL;
}

/* ---- telling ---- */

struct missed {
    struct state *s;
    struct deferred_reply *l;
    char session[64], ipbx[128];
    struct buf lines; /* the items of an array */
    size_t n;
    int64_t last; /* id */
};

int64_t chat_put_line(struct buf *out, const char *ipbx, const struct db_row *row)
{
    int64_t line = db_int(row, 0);
    char from[192], to[192], id[32];

    snprintf(from, sizeof(from), "%s/%.*s", ipbx, VIEW_ARG(db_text(row, 1)));
    snprintf(to, sizeof(to), "%s/%.*s", ipbx, VIEW_ARG(db_text(row, 2)));
    snprintf(id, sizeof(id), "%lld", (long long)line);
    msg_put_map(out, 5);
    msg_put_pair(out, "id", view_cstr(id));
    msg_put_pair(out, "from", view_cstr(from));
    msg_put_pair(out, "to", view_cstr(to));
    msg_put_pair(out, "text", db_text(row, 4));
    msg_put_cstr(out, "when");
    msg_put_double(out, db_float(row, 3));
    return line;
}

/* On the thread of the database: touches nothing but what it is given. */
static bool take_line(void *arg, const struct db_row *row)
{
    struct missed *m = arg;

    if (buf_len(&m->lines) > MAX_TOLD)
        return false; /* the rest waits for the next login */
    m->last = chat_put_line(&m->lines, m->ipbx, row);
    m->n++;
    return true;
}

static void tell(struct missed *m, const struct session *se, const msgpack_object *line)
{
    struct notification t;
    double when = msg_get_double(line, "when", 0);

    notify_begin(&t, "chitchat");
    notify_str(&t, "from", msg_get_str(line, "from"));
    notify_str(&t, "to", msg_get_str(line, "to"));
    notify_str(&t, "text", msg_get_str(line, "text"));
    msg_put_double(notify_key(&t, "when"), when);
    notify_str(&t, "id", msg_get_str(line, "id"));
    notify_session(m->s, se->ipbx, view_cstr(se->user_id), view_cstr(se->id), &t);
}

/* The session may be gone by now: then they wait on. */
static void tell_all(struct missed *m, const struct session *se)
{
    struct msg_doc doc;
    struct buf all;

    if (m->n == 0 || msg_doc_init(&doc) < 0)
        return;
    buf_init(&all, 0);
    msg_put_map(&all, 1);
    msg_put_elements(&all, "lines", m->n, &m->lines);
    if (!all.failed && msg_parse(&doc, buf_view(&all)) == 0) {
        const msgpack_object *lines = msg_get(&doc.root, "lines");
        for (uint32_t i = 0; i < lines->via.array.size; i++)
            tell(m, se, &lines->via.array.ptr[i]);
        db_write(m->s->db,
                 "UPDATE chat SET delivered = 1 WHERE site = ? AND receiver = ? AND delivered = 0"
                 " AND id <= ?",
                 "ssi", xod_ipbx_name(se->ipbx), view_cstr(se->user_id), m->last);
    }
    buf_free(&all);
    msg_doc_fini(&doc);
}

static void on_missed(void *arg, int rc)
{
    struct missed *m = arg;
    const struct session *se = session_find(m->s->sessions, view_cstr(m->session));
    struct buf pairs;

    if (rc == 0 && se)
        tell_all(m, se);
    if (rc < 0) {
        deferred_reply_status(&m->l, BUS_failed);
    } else {
        buf_init(&pairs, 64);
        msg_put_cstr(&pairs, "missed");
        msg_put_i64(&pairs, (int64_t)m->n);
        deferred_reply_pairs(&m->l, 1, &pairs);
        buf_free(&pairs);
    }
    buf_free(&m->lines);
    free(m);
}

void chat_tell_missed(struct state *s, const struct session *se, struct deferred_reply **l)
{
    struct missed *m = calloc(1, sizeof(*m));

    if (!m) {
        deferred_reply_status(l, BUS_busy);
        return;
    }
    m->s = s;
    m->l = *l;
    snprintf(m->session, sizeof(m->session), "%s", se->id);
    snprintf(m->ipbx, sizeof(m->ipbx), "%.*s", VIEW_ARG(xod_ipbx_name(se->ipbx)));
    buf_init(&m->lines, 0);
    if (db_read(s->db,
                "SELECT id, sender, receiver, time, text FROM chat WHERE site = ? AND receiver = ?"
                " AND delivered = 0 ORDER BY id LIMIT ?",
                take_line, on_missed, m, "ssi", xod_ipbx_name(se->ipbx), view_cstr(se->user_id),
                (int64_t)MAX_WAITING) == 0) {
        *l = NULL;
        return;
    }
    free(m);
    deferred_reply_status(l, BUS_busy);
}
