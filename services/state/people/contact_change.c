#include "people/contact_change.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_TEXT ((size_t)16 << 20) /* a line of a client is not longer */

struct contact_change *contact_change_new(struct state *s, const struct session *se,
                                          struct deferred_reply *l)
{
    struct contact_change *k = calloc(1, sizeof(*k));

    if (!k) {
        deferred_reply_status(&l, BUS_busy);
        return NULL;
    }
    k->s = s;
    k->l = l;
    k->ipbx = se->ipbx;
    snprintf(k->user_id, sizeof(k->user_id), "%s", se->user_id);
    buf_init(&k->text, MAX_TEXT);
    buf_init(&k->pairs, 0);
    return k;
}

static void contact_change_free(struct contact_change *k)
{
    buf_free(&k->text);
    buf_free(&k->pairs);
    free(k);
}

void contact_change_refuse(struct contact_change *k, const char *why)
{
    deferred_reply_error(&k->l, why);
    contact_change_free(k);
}

struct view contact_change_site(const struct contact_change *k)
{
    return xod_ipbx_name(k->ipbx);
}

struct view contact_change_user(const struct contact_change *k)
{
    return view_cstr(k->user_id);
}

void contact_change_answer(struct contact_change *k)
{
    deferred_reply_pairs(&k->l, k->n, &k->pairs);
    contact_change_free(k);
}

static bool fits(struct view v)
{
    return v.len > 0 && v.len <= FAVORITES_MAX_TEXT && !memchr(v.ptr, '\0', v.len);
}

bool contact_change_entry(struct contact_change *k, const msgpack_object *message)
{
    const msgpack_object *o = msg_get(message, "source_entry_id");
    struct view source = msg_get_str(message, "source");
    char scratch[32];
    struct view entry = msg_get_text(message, "source_entry_id", scratch);

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
        contact_change_refuse(arg, "database");
    else
        contact_change_answer(arg);
}

static bool take_counts(void *arg, const struct db_row *row)
{
    struct contact_change *k = arg;

    k->now = (struct kept){.contacts = db_int(row, 0),
                           .bytes = db_int(row, 1),
                           .favorites = db_int(row, 2),
                           .found = db_int(row, 3) != 0};
    return true;
}

static void on_counts(void *arg, int rc)
{
    struct contact_change *k = arg;
    const char *why = rc < 0 ? "database" : k->check ? k->check(k) : NULL;
    struct db_txn *t = why ? NULL : db_begin(k->s->db);

    if (!t) {
        contact_change_refuse(k, why ? why : "database");
        return;
    }
    k->fill(k, t);
    db_commit_take(&t, on_written, k);
}

void contact_change_run(struct contact_change *k)
{
    if (db_read(k->s->db,
                "SELECT count(*), coalesce(sum(octet_length(infos)), 0),"
                " (SELECT count(*) FROM people_favorite WHERE site = ?1 AND user = ?2),"
                " (SELECT count(*) FROM people_contact WHERE id = ?3 AND site = ?1 AND user = ?2)"
                " FROM people_contact WHERE site = ?1 AND user = ?2",
                take_counts, on_counts, k, "ssi", contact_change_site(k), contact_change_user(k),
                k->id) < 0)
        contact_change_refuse(k, "database");
}
