#include "people/keep.h"
#include "core/context.h"
#include "core/deferred_reply.h"
#include "database/db.h"
#include "sessions/sessions.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_TEXT ((size_t)16 << 20) /* a line of a client is not longer */

struct keeping *keeping_new(struct state *s, const struct session *se, struct later *l)
{
    struct keeping *k = calloc(1, sizeof(*k));

    if (!k) {
        later_status(&l, BUS_busy);
        return NULL;
    }
    k->s = s;
    k->l = l;
    k->site = se->site;
    snprintf(k->user_id, sizeof(k->user_id), "%s", se->user_id);
    buf_init(&k->text, MAX_TEXT);
    buf_init(&k->pairs, 0);
    return k;
}

static void keeping_free(struct keeping *k)
{
    buf_free(&k->text);
    buf_free(&k->pairs);
    free(k);
}

void keeping_refuse(struct keeping *k, const char *why)
{
    later_error(&k->l, why);
    keeping_free(k);
}

struct view keeping_site(const struct keeping *k)
{
    return xod_site_name(k->site);
}

struct view keeping_user(const struct keeping *k)
{
    return view_cstr(k->user_id);
}

void keeping_answer(struct keeping *k)
{
    later_pairs(&k->l, k->n, &k->pairs);
    keeping_free(k);
}

static bool fits(struct view v)
{
    return v.len > 0 && v.len <= FAVORITES_MAX_TEXT && !memchr(v.ptr, '\0', v.len);
}

bool keeping_entry(struct keeping *k, const msgpack_object *message)
{
    const msgpack_object *o = msg_get(message, "source_entry_id");
    struct view source = msg_get_str(message, "source");
    char room[32];
    struct view entry = msg_get_text(message, "source_entry_id", room);

    if (!fits(source) || !fits(entry) ||
        (o->type != MSGPACK_OBJECT_STR && o->type != MSGPACK_OBJECT_POSITIVE_INTEGER))
        return false;
    snprintf(k->source, sizeof(k->source), "%.*s", VIEW_ARG(source));
    snprintf(k->entry, sizeof(k->entry), "%.*s", VIEW_ARG(entry));
    msg_put_pair(&k->pairs, "source", source);
    msg_put_pair(&k->pairs, "source_entry_id", entry);
    k->n += 2;
    return true;
}

static void on_written(void *arg, int rc)
{
    if (rc < 0)
        keeping_refuse(arg, "database");
    else
        keeping_answer(arg);
}

static bool take_counts(void *arg, sqlite3_stmt *row)
{
    struct keeping *k = arg;

    k->now = (struct kept){.contacts = sqlite3_column_int64(row, 0),
                           .bytes = sqlite3_column_int64(row, 1),
                           .favorites = sqlite3_column_int64(row, 2),
                           .found = sqlite3_column_int64(row, 3) != 0};
    return true;
}

static void on_counts(void *arg, int rc)
{
    struct keeping *k = arg;
    const char *why = rc < 0 ? "database" : k->check ? k->check(k) : NULL;
    struct db_txn *t = why ? NULL : db_begin(k->s->db);

    if (!t) {
        keeping_refuse(k, why ? why : "database");
        return;
    }
    k->fill(k, t);
    db_commit_take(&t, on_written, k);
}

void keeping_run(struct keeping *k)
{
    if (db_read(k->s->db,
                "SELECT count(*), coalesce(sum(length(CAST(infos AS BLOB))), 0),"
                " (SELECT count(*) FROM people_favorite WHERE site = ?1 AND user = ?2),"
                " EXISTS (SELECT 1 FROM people_contact WHERE id = ?3 AND site = ?1 AND user = ?2)"
                " FROM people_contact WHERE site = ?1 AND user = ?2",
                take_counts, on_counts, k, "ssi", keeping_site(k), keeping_user(k), k->id) < 0)
        keeping_refuse(k, "database");
}
