#include "people/search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "directory/fold.h"
#include "directory/number.h"
#include "people/columns.h"
#include "people/contacts.h"
#include "people/favorites.h"
#include "people/results.h"
#include "users/relations.h"
#include "json/json.h"

#define MAX_TEXT 256 /* bytes, as of a directory */

/* First the favorites are read, then the contacts, then the directories are asked. */
struct people_query {
    struct state *s;
    struct deferred_reply *l;
    struct xod_ipbx *ipbx;
    char user_id[64];
    enum people_scope scope;
    char text[MAX_TEXT + 1];
    struct buf key;           /* the text as it is compared with contacts */
    char number[NUMBER_ROOM]; /* if it is one; else empty */
    struct number_rules rules;
    struct favorites *favorites;
    struct people_results results;
    struct json_parser parser; /* of contacts */
    struct buf scratch;
};

static void query_free(struct people_query *q)
{
    favorites_destroy(&q->favorites);
    people_results_fini(&q->results);
    json_parser_fini(&q->parser);
    buf_free(&q->key);
    buf_free(&q->scratch);
    free(q);
}

static void refuse(struct people_query *q, const char *why)
{
    deferred_reply_error(&q->l, why);
    query_free(q);
}

static void answer(struct people_query *q)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    if (q->scope == PEOPLE_ALL)
        msg_put_pair(&pairs, "term", view_cstr(q->text));
    people_results_put(&pairs, &q->results);
    deferred_reply_pairs(&q->l, q->scope == PEOPLE_ALL ? 4 : 3, &pairs);
    buf_free(&pairs);
    query_free(q);
}

/* ---- directories ---- */

static bool on_person(void *arg, const struct person *found)
{
    struct people_query *q = arg;
    struct person p = *found;

    p.favorite = favorites_has(q->favorites, p.source, p.id);
    if (q->scope == PEOPLE_FAVORITES && !p.favorite)
        return true;
    return people_results_add(&q->results, &p);
}

static void on_end(void *arg, const char *fault)
{
    if (fault)
        refuse(arg, fault);
    else
        answer(arg);
}

static void ask_directories(struct people_query *q)
{
    const struct xod_obj *user = xod_find(q->ipbx, LIST_users, view_cstr(q->user_id));

    if (!user)
        refuse(q, "not_found");
    else if (q->scope == PEOPLE_CONTACTS ||
             (q->scope == PEOPLE_FAVORITES && !favorites_any(q->favorites)))
        answer(q);
    else
        people_find(q->s, user, view_cstr(q->text), on_person, on_end, q);
}

/* ---- contacts ---- */

static bool add_contact(struct people_query *q, int64_t n, struct json_object *contact)
{
    struct contact_entry entry;
    char id[24];
    struct person p = {.entry = &entry.entry, .source = VIEW(PEOPLE_PERSONAL)};

    snprintf(id, sizeof(id), "%" PRId64, n);
    p.id = view_cstr(id);
    p.favorite = favorites_has(q->favorites, p.source, p.id);
    if ((q->scope == PEOPLE_FAVORITES && !p.favorite) ||
        !contact_fits(contact, buf_view(&q->key), &q->rules, view_cstr(q->number), &q->scratch))
        return true;
    contact_entry_init(&entry, contact);
    return people_results_add(&q->results, &p);
}

/* On the thread of the database: the query is nobody else's until all are read. */
static bool take_contact(void *arg, const struct db_row *row)
{
    struct people_query *q = arg;
    struct json_object *contact = NULL;
    bool more = true;

    if (json_parse(&q->parser, db_text(row, 1), &contact) == 0)
        more = add_contact(q, db_int(row, 0), contact);
    json_object_put(contact);
    return more;
}

static void on_contacts(void *arg, int rc)
{
    struct people_query *q = arg;

    if (rc < 0)
        refuse(q, "database");
    else
        ask_directories(q);
}

static void on_favorites(void *arg, int rc)
{
    struct people_query *q = arg;

    if (rc < 0 || contacts_read(q->s->db, xod_ipbx_name(q->ipbx), view_cstr(q->user_id),
                                take_contact, on_contacts, q) < 0)
        refuse(q, "database");
}

/* ---- beginning ---- */

/* False: without memory. */
static bool prepare(struct people_query *q, const struct session *se)
{
    struct view text = view_cstr(q->text);
    char context[32];

    q->rules = number_rules(q->s->cfg);
    if (people_is_number(text))
        number_normal(&q->rules, text, q->number);
    buf_init(&q->key, 0);
    buf_init(&q->scratch, 0);
    q->favorites = favorites_new();
    return json_parser_init(&q->parser) == 0 && q->favorites &&
           people_display_open(&q->results.display, q->s->cfg, "people",
                               relations_context(session_user(se), context)) == 0 &&
           people_results_init(&q->results) == 0 && fold_text(&q->key, text) == 0;
}

void people_search(struct state *s, const struct session *se, struct deferred_reply *l,
                   enum people_scope scope, struct view text)
{
    struct people_query *q;

    text = view_trim(text);
    if (text.len > MAX_TEXT) {
        deferred_reply_error(&l, "pattern_too_long");
        return;
    }
    q = calloc(1, sizeof(*q));
    if (!q) {
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    q->s = s;
    q->l = l;
    q->ipbx = se->ipbx;
    q->scope = scope;
    snprintf(q->user_id, sizeof(q->user_id), "%s", se->user_id);
    snprintf(q->text, sizeof(q->text), "%.*s", VIEW_ARG(text));
    if (!prepare(q, se))
        refuse(q, "no_memory");
    else if (favorites_read(q->favorites, s->db, xod_ipbx_name(q->ipbx), view_cstr(q->user_id),
                            on_favorites, q) < 0)
        refuse(q, "database");
}
