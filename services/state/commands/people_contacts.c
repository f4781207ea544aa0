/* people_create_personal_contact and what else is done with one contact of a user, or all. */
#include <errno.h>
#include <stdlib.h>

#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "people/contact_change.h"
#include "people/contacts.h"
#include "people/favorites.h"
#include "people/results.h"
#include "sessions/sessions.h"
#include "json/json.h"

/* The contact that a message names, for k and its answer; 0: it names none. */
static bool read_id(struct contact_change *k, const msgpack_object *message)
{
    return contact_change_entry(k, message) &&
           view_eq(view_cstr(k->source), VIEW(PEOPLE_PERSONAL)) &&
           view_to_i64(view_cstr(k->entry), &k->id) == 0;
}

/* The fields that a message has, as JSON in k->text. NULL, or what is wrong. */
static const char *read_infos(struct contact_change *k, const msgpack_object *message)
{
    struct json_object *contact;
    int rc = contact_read(&contact, msg_get(message, "contact_infos"));

    if (rc < 0)
        return rc == -E2BIG ? "too_long" : rc == -EINVAL ? "contact_infos" : "no_memory";
    json_put_object(&k->text, contact);
    json_object_put(contact);
    return k->text.failed ? "no_memory" : NULL;
}

static const char *check_found(const struct contact_change *k)
{
    return k->now.found ? NULL : "not_found";
}

static const char *check_bytes(const struct contact_change *k)
{
    return (size_t)k->now.bytes + buf_len(&k->text) <= CONTACTS_MAX_BYTES ? NULL : "too_many";
}

/* ---- a new one ---- */

static const char *check_room(const struct contact_change *k)
{
    return k->now.contacts < CONTACTS_MAX ? check_bytes(k) : "too_many";
}

static void insert(struct contact_change *k, struct db_txn *t)
{
    contacts_add(t, contact_change_site(k), contact_change_user(k), buf_view(&k->text));
}

static void create(struct state *s, struct session *se, struct deferred_reply *l,
                   const msgpack_object *message)
{
    struct contact_change *k = contact_change_new(s, se, l);
    const char *wrong = k ? read_infos(k, message) : NULL;

    if (!k)
        return;
    if (wrong) {
        contact_change_refuse(k, wrong);
        return;
    }
    k->check = check_room;
    k->fill = insert;
    contact_change_run(k);
}

/* ---- one that is there ---- */

static const char *check_edit(const struct contact_change *k)
{
    return k->now.found ? check_bytes(k) : "not_found";
}

static void update(struct contact_change *k, struct db_txn *t)
{
    db_add(t, "UPDATE people_contact SET infos = ? WHERE id = ? AND site = ? AND user = ?", "siss",
           buf_view(&k->text), k->id, contact_change_site(k), contact_change_user(k));
}

static void edit(struct state *s, struct session *se, struct deferred_reply *l,
                 const msgpack_object *message)
{
    struct contact_change *k = contact_change_new(s, se, l);
    const char *wrong;

    if (!k)
        return;
    wrong = read_id(k, message) ? read_infos(k, message) : "not_found";
    if (wrong) {
        contact_change_refuse(k, wrong);
        return;
    }
    k->check = check_edit;
    k->fill = update;
    contact_change_run(k);
}

static void erase(struct contact_change *k, struct db_txn *t)
{
    db_add(t, "DELETE FROM people_contact WHERE id = ? AND site = ? AND user = ?", "iss", k->id,
           contact_change_site(k), contact_change_user(k));
    favorites_remove(t, contact_change_site(k), contact_change_user(k), VIEW(PEOPLE_PERSONAL),
                     view_cstr(k->entry));
}

static void delete (struct state *s, struct session *se, struct deferred_reply *l,
                    const msgpack_object *message)
{
    struct contact_change *k = contact_change_new(s, se, l);

    if (!k)
        return;
    if (!read_id(k, message)) {
        contact_change_refuse(k, "not_found");
        return;
    }
    k->check = check_found;
    k->fill = erase;
    contact_change_run(k);
}

static void erase_all(struct contact_change *k, struct db_txn *t)
{
    db_add(t, "DELETE FROM people_contact WHERE site = ? AND user = ?", "ss",
           contact_change_site(k), contact_change_user(k));
    favorites_remove_source(t, contact_change_site(k), contact_change_user(k),
                            VIEW(PEOPLE_PERSONAL));
}

static void purge(struct state *s, struct session *se, struct deferred_reply *l,
                  const msgpack_object *message)
{
    struct contact_change *k = contact_change_new(s, se, l);

    if (!k)
        return;
    k->fill = erase_all;
    contact_change_run(k);
}

/* ---- all its fields ---- */

static bool take_infos(void *arg, const struct db_row *row)
{
    struct contact_change *k = arg;

    k->now.found = true;
    buf_append_view(&k->text, db_text(row, 1));
    return true;
}

static void on_infos(void *arg, int rc)
{
    struct contact_change *k = arg;
    struct json_parser parser;
    struct json_object *infos = NULL;

    if (rc < 0 || json_parser_init(&parser) < 0) {
        contact_change_refuse(k, "database");
        return;
    }
    if (k->now.found && json_parse(&parser, buf_view(&k->text), &infos) == 0 && infos) {
        msg_put_cstr(&k->pairs, "contact_infos");
        msg_put_map(&k->pairs, (size_t)json_object_object_length(infos));
        json_object_object_foreach(infos, name, value)
        {
            msg_put_pair(&k->pairs, name, json_view(value));
        }
        k->n++;
        contact_change_answer(k);
    } else {
        contact_change_refuse(k, "not_found");
    }
    json_object_put(infos);
    json_parser_fini(&parser);
}

static void raw(struct state *s, struct session *se, struct deferred_reply *l,
                const msgpack_object *message)
{
    struct contact_change *k = contact_change_new(s, se, l);

    if (!k)
        return;
    if (!read_id(k, message))
        contact_change_refuse(k, "not_found");
    else if (contacts_read_one(s->db, contact_change_site(k), contact_change_user(k), k->id,
                               take_infos, on_infos, k) < 0)
        contact_change_refuse(k, "database");
}

const struct command command_people_create_personal_contact = {"people_create_personal_contact",
                                                               create, false};
const struct command command_people_edit_personal_contact = {"people_edit_personal_contact", edit,
                                                             false};
const struct command command_people_delete_personal_contact = {"people_delete_personal_contact",
                                                               delete, false};
const struct command command_people_purge_personal_contacts = {"people_purge_personal_contacts",
                                                               purge, false};
const struct command command_people_personal_contact_raw = {"people_personal_contact_raw", raw,
                                                            true};
