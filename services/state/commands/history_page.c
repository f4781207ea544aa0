/* history with a cursor: a call a row, of the user, of the user's group or of the queues. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/access.h"
#include "commands/history.h"
#include "commands/history_sql.h"
#include "core/deferred_reply.h"
#include "core/profile.h"
#include "directory/fold.h"
#include "sessions/sessions.h"
#include "json/json.h"

#define MAX_PAGE 500
#define DEFAULT_PAGE 50
#define MAX_LOOKED_AT 200000 /* rows of one request: more are the next page's, also for a text */

struct page {
    struct deferred_reply *l;
    struct buf calls;
    struct buf text; /* folded: what number or name must have, or empty */
    struct buf folded;
    size_t n, limit, looked_at;
    bool more;
    bool masked;   /* numbers of the calls of others */
    char own[64];  /* id of the user */
    char next[64]; /* cursor behind the last row that was looked at */
};

/* ---- rows ---- */

static bool has_text(struct page *p, struct view name, struct view number)
{
    if (buf_len(&p->text) == 0)
        return true;
    buf_reset(&p->folded);
    fold_text(&p->folded, name);
    buf_append_char(&p->folded, '\n');
    buf_append_view(&p->folded, number);
    return view_find(buf_view(&p->folded), buf_view(&p->text)) >= 0;
}

static void put_text(struct buf *out, const char *key, struct view v)
{
    msg_put_cstr(out, key);
    if (v.len)
        msg_put_str(out, v);
    else
        msg_put_nil(out);
}

static const char *direction_of(int mode)
{
    return mode == 0 ? "sent" : mode == 2 ? "missed" : "answered";
}

/* Name or number of the other end. */
static void put_party(struct page *p, struct buf *out, const char *key, struct view v, bool own)
{
    struct buf shown;

    if (own || !p->masked) {
        put_text(out, key, v);
        return;
    }
    buf_init(&shown, 65536);
    access_mask(&shown, v);
    put_text(out, key, buf_view(&shown));
    buf_free(&shown);
}

static void put_row(struct page *p, struct buf *out, const struct db_row *row)
{
    bool own = view_eq(db_text(row, 10), view_cstr(p->own));
    int mode = (int)db_int(row, 3);
    struct view call = db_text(row, 9);
    char id[32];

    snprintf(id, sizeof(id), "%lld", (long long)db_int(row, 0));
    msg_put_map(out, 11);
    msg_put_pair(out, "id", call.len ? call : view_cstr(id)); /* the oldest have none */
    msg_put_cstr(out, "when");
    msg_put_double(out, db_float(row, 1));
    msg_put_cstr(out, "duration");
    msg_put_i64(out, (int64_t)(db_float(row, 2) + 0.5));
    msg_put_pair(out, "direction", view_cstr(direction_of(mode)));
    put_party(p, out, "number", db_text(row, 4), own);
    put_party(p, out, "name", db_text(row, 5), own);
    put_text(out, "queue", db_text(row, 6));
    put_text(out, "answered_by", db_text(row, 7));
    msg_put_cstr(out, "elsewhere");
    msg_put_bool(out, mode == 3);
    msg_put_cstr(out, "recording");
    msg_put_bool(out, db_int(row, 8) != 0);
    put_text(out, "user", db_text(row, 10));
}

/* On the thread of the database: touches nothing but the page. */
static bool take_row(void *arg, const struct db_row *row)
{
    struct page *p = arg;

    if (p->n == p->limit || p->looked_at == MAX_LOOKED_AT) {
        p->more = true;
        return false;
    }
    p->looked_at++;
    snprintf(p->next, sizeof(p->next), "%.17g_%lld", db_float(row, 1), (long long)db_int(row, 0));
    if (!has_text(p, db_text(row, 5), db_text(row, 4)))
        return true;
    put_row(p, &p->calls, row);
    p->n++;
    return true;
}

static void page_free(struct page *p)
{
    buf_free(&p->calls);
    buf_free(&p->text);
    buf_free(&p->folded);
    free(p);
}

static void on_read(void *arg, int rc)
{
    struct page *p = arg;
    struct buf pairs;

    if (rc < 0 || p->calls.failed) {
        deferred_reply_status(&p->l, BUS_failed);
    } else {
        buf_init(&pairs, 0);
        msg_put_elements(&pairs, "calls", p->n, &p->calls);
        put_text(&pairs, "next", view_cstr(p->more ? p->next : ""));
        deferred_reply_pairs(&p->l, 2, &pairs);
        buf_free(&pairs);
    }
    page_free(p);
}

/* ---- the request ---- */

struct wanted {
    double from, to;
    int64_t below; /* id, of a row that began at `to` */
    int64_t mode;
    const char *sql;
    struct buf whose;
};

static bool read_direction(const msgpack_object *message, int64_t *mode)
{
    static const char *const words[] = {"sent", "answered", "missed"};
    struct view word = msg_get_str(message, "direction");

    *mode = -1;
    for (int64_t i = 0; i < 3; i++)
        if (view_eq(word, view_cstr(words[i])))
            *mode = i;
    return *mode >= 0 || word.len == 0;
}

/* START_ID, as the answer gave it. */
static bool read_cursor(const msgpack_object *message, struct wanted *w)
{
    struct view cursor = msg_get_str(message, "cursor");
    struct view id = cursor;
    struct view first;
    char text[48];
    double start;
    char *end;

    if (cursor.len == 0)
        return true;
    if (cursor.len >= sizeof(text))
        return false;
    first = view_cut(&id, '_');
    snprintf(text, sizeof(text), "%.*s", VIEW_ARG(first));
    start = strtod(text, &end);
    if (end == text || *end || !isfinite(start) || view_to_i64(id, &w->below) < 0)
        return false;
    if (start > w->to) /* a `to` of before it comes first */
        w->below = INT64_MAX;
    else
        w->to = start;
    return true;
}

static void put_user(void *arg, const struct xod_obj *user)
{
    struct json_object *ids = arg;

    if (json_object_array_length(ids) < 10000)
        json_object_array_add(ids, json_object_new_string(xod_obj_id(user).ptr));
}

static struct json_object *queue_names(struct state *s, const struct session *se)
{
    struct json_object *names = json_object_new_array();
    struct xod_obj *queue;
    struct access a;
    size_t pos = 0;

    if (!names || access_init(&a, session_user(se), access_is_separate(s->cfg)) < 0)
        return names;
    while ((queue = xod_next(se->ipbx, LIST_queues, &pos)))
        if (access_sees(&a, queue))
            json_object_array_add(
                names, json_object_new_string(xod_get_str(queue, XOD(queues, name)).ptr));
    access_fini(&a);
    return names;
}

static void put_and_release(struct buf *out, struct json_object *list)
{
    json_put_object(out, list);
    json_object_put(list);
}

/* Malformed: there is no such scope; unallowed: the profile does not name it. */
static enum bus_status read_scope(struct state *s, const struct session *se, struct view scope,
                                  struct wanted *w)
{
    struct json_object *ids;

    if (scope.len == 0 || view_eq(scope, VIEW("own"))) {
        w->sql = HISTORY_OWN;
        buf_append_cstr(&w->whose, se->user_id);
        return BUS_ok;
    }
    if (!view_eq(scope, VIEW("group")) && !view_eq(scope, VIEW("queue")))
        return BUS_malformed;
    if (!access_names(json_get(profile_find(s->cfg, view_cstr(se->capaid)), "history"), scope,
                      NULL))
        return BUS_unallowed;
    if (view_eq(scope, VIEW("queue"))) {
        w->sql = HISTORY_QUEUE;
        put_and_release(&w->whose, queue_names(s, se));
        return BUS_ok;
    }
    w->sql = HISTORY_GROUP;
    ids = json_object_new_array();
    put_user(ids, session_user(se));
    access_group(session_user(se), put_user, ids);
    put_and_release(&w->whose, ids);
    return BUS_ok;
}

static struct page *page_new(struct deferred_reply *l, const msgpack_object *message)
{
    struct page *p = calloc(1, sizeof(*p));
    int64_t limit = msg_get_i64(message, "limit", DEFAULT_PAGE);

    if (!p)
        return NULL;
    p->l = l;
    p->limit = limit < 1 ? DEFAULT_PAGE : limit > MAX_PAGE ? MAX_PAGE : (size_t)limit;
    buf_init(&p->calls, (size_t)1 << 20);
    buf_init(&p->text, 4096);
    buf_init(&p->folded, 65536);
    fold_text(&p->text, msg_get_str(message, "text"));
    return p;
}

static enum bus_status read_page(struct state *s, struct session *se, struct deferred_reply *l,
                                 const msgpack_object *message, struct wanted *w)
{
    enum bus_status status = read_scope(s, se, msg_get_str(message, "scope"), w);
    struct page *p;

    if (status != BUS_ok)
        return status;
    if (!read_direction(message, &w->mode) || !read_cursor(message, w) ||
        msg_get_str(message, "text").len > 256)
        return BUS_malformed;
    p = w->whose.failed ? NULL : page_new(l, message);
    if (!p)
        return BUS_busy;
    p->masked = view_eq(json_get_view(profile_see(s->cfg, view_cstr(se->capaid)), "numbers"),
                        VIEW("masked"));
    snprintf(p->own, sizeof(p->own), "%s", se->user_id);
    if (db_read(s->db, w->sql, take_row, on_read, p, "sffiis", xod_ipbx_name(se->ipbx), w->from,
                w->to, w->below, w->mode, buf_view(&w->whose)) == 0)
        return BUS_ok;
    page_free(p);
    return BUS_busy;
}

bool history_is_page(const msgpack_object *message)
{
    static const char *const words[] = {"cursor", "limit", "from", "to", "text", "scope"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (msg_get(message, words[i]))
            return true;
    return false;
}

void history_page(struct state *s, struct session *se, struct deferred_reply *l,
                  const msgpack_object *message)
{
    struct wanted w = {.from = msg_get_double(message, "from", 0),
                       .to = msg_get_double(message, "to", 1e12),
                       .below = INT64_MAX};
    enum bus_status status;

    buf_init(&w.whose, (size_t)1 << 20);
    status = read_page(s, se, l, message, &w);
    buf_free(&w.whose);
    if (status != BUS_ok)
        deferred_reply_status(&l, status);
}
