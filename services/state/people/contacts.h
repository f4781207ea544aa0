/*
 * The contacts of a user: texts by name ("firstname", "number"...), of the user's own choice.
 *
 * Kept as JSON in the database and read from there whenever they are looked at, on its thread: what
 * is called there touches nothing but what it is given.
 */
#ifndef CTIBUS_STATE_PEOPLE_CONTACTS_H
#define CTIBUS_STATE_PEOPLE_CONTACTS_H

#include <json-c/json.h>

#include "core/context.h"
#include "database/db.h"
#include "directory/source.h"

#define CONTACTS_MAX 10000                   /* of a user */
#define CONTACTS_MAX_BYTES ((size_t)1 << 20) /* of all of a user, as JSON */
#define CONTACT_MAX_FIELDS 64
#define CONTACT_MAX_NAME 64    /* bytes of a field's name */
#define CONTACT_MAX_VALUE 1024 /* bytes of a field's text */

/* Whether a field may have this name: no control characters, not empty, not too long. */
bool contact_name_fits(struct view name);
/* Sets a field of a JSON object; an empty text is none. 0; -EINVAL: the name or a control character
 * (ends of lines and tabs may be); -E2BIG: too long, or too many fields; -ENOMEM. */
int contact_set(struct json_object *contact, struct view name, struct view text);
/* What a client wrote: an object of texts and numbers, of which one at least is not empty. *out
 * belongs to the caller. 0, or as above. */
int contact_read(struct json_object **out, const msgpack_object *infos);

/* Whether a text is in any field, as directories compare (`key` is folded), or a number is one of
 * them as a whole (`number` of number_normal; empty: none is looked for), or alike. `scratch` is
 * for its use. */
bool contact_fits(struct json_object *contact, struct view key, const struct number_rules *rules,
                  struct view number, struct buf *scratch);

/* A contact as an entry of a directory whose columns are the fields of displays: those that the
 * contact has by that name, and else by one that means the same (fullname, phone, mobile...). */
struct contact_entry {
    struct entry entry;
    struct json_object *contact;
    char full[2 * CONTACT_MAX_VALUE + 2]; /* firstname lastname */
};
/* The contact is borrowed; *c must not be moved afterwards. */
void contact_entry_init(struct contact_entry *c, struct json_object *contact);

/* Adds to t what makes a contact of this JSON. */
void contacts_add(struct db_txn *t, struct view ipbx, struct view user, struct view json);
/* Asks for the contacts of a user: rows of id, JSON. As db_read. */
int contacts_read(struct db *db, struct view ipbx, struct view user, db_row_fn *row,
                  db_done_fn *done, void *arg);
/* For one of them; without rows there is none of that id. */
int contacts_read_one(struct db *db, struct view ipbx, struct view user, int64_t id, db_row_fn *row,
                      db_done_fn *done, void *arg);

#endif
