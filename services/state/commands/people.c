/* people_headers, people_search, people_favorites, people_set_favorite, people_personal_contacts:
 * people as clients of 2015 and later show them. */
#include <stdio.h>

#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "people/columns.h"
#include "people/contact_change.h"
#include "people/favorites.h"
#include "people/search.h"
#include "sessions/sessions.h"
#include "users/relations.h"

static void people_headers(struct state *s, struct session *se, struct deferred_reply *l,
                           const msgpack_object *message)
{
    char context[32];
    struct display d;
    struct buf pairs;

    if (people_display_open(&d, s->cfg, "people", relations_context(session_user(se), context)) <
        0) {
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    buf_init(&pairs, 0);
    people_put_headers(&pairs, &d);
    display_close(&d);
    deferred_reply_pairs(&l, 2, &pairs);
    buf_free(&pairs);
}

static void search(struct state *s, struct session *se, struct deferred_reply *l,
                   const msgpack_object *message)
{
    char scratch[32];
    struct view text;

    if (command_pattern(message, scratch, &text))
        people_search(s, se, l, PEOPLE_ALL, text);
    else
        deferred_reply_error(&l, "pattern");
}

static void people_favorites(struct state *s, struct session *se, struct deferred_reply *l,
                             const msgpack_object *message)
{
    people_search(s, se, l, PEOPLE_FAVORITES, view_of(NULL, 0));
}

static void people_personal_contacts(struct state *s, struct session *se, struct deferred_reply *l,
                                     const msgpack_object *message)
{
    people_search(s, se, l, PEOPLE_CONTACTS, view_of(NULL, 0));
}

/* ---- people_set_favorite ---- */

static const char *check_room(const struct contact_change *k)
{
    return k->now.favorites < FAVORITES_MAX ? NULL : "too_many";
}

static void add_favorite(struct contact_change *k, struct db_txn *t)
{
    favorites_add(t, contact_change_site(k), contact_change_user(k), view_cstr(k->source),
                  view_cstr(k->entry));
}

static void remove_favorite(struct contact_change *k, struct db_txn *t)
{
    favorites_remove(t, contact_change_site(k), contact_change_user(k), view_cstr(k->source),
                     view_cstr(k->entry));
}

/* Whether somebody of that name is there is not asked: who is no longer found is no longer shown.
 */
static void set_favorite(struct state *s, struct session *se, struct deferred_reply *l,
                         const msgpack_object *message)
{
    const msgpack_object *on = msg_get(message, "favorite");
    struct contact_change *k;

    if (!on || on->type != MSGPACK_OBJECT_BOOLEAN) {
        deferred_reply_error(&l, "favorite");
        return;
    }
    k = contact_change_new(s, se, l);
    if (!k)
        return;
    if (!contact_change_entry(k, message)) {
        contact_change_refuse(k, "source_entry_id");
        return;
    }
    msg_put_cstr(&k->pairs, "favorite");
    msg_put_bool(&k->pairs, on->via.boolean);
    k->n++;
    k->check = on->via.boolean ? check_room : NULL;
    k->fill = on->via.boolean ? add_favorite : remove_favorite;
    contact_change_run(k);
}

const struct command command_people_headers = {"people_headers", people_headers, true};
const struct command command_people_search = {"people_search", search, true};
const struct command command_people_favorites = {"people_favorites", people_favorites, true};
const struct command command_people_personal_contacts = {"people_personal_contacts",
                                                         people_personal_contacts, true};
const struct command command_people_set_favorite = {"people_set_favorite", set_favorite, false};
