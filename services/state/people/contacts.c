#include "people/contacts.h"

#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "base/utf8.h"
#include "directory/fold.h"
#include "json/json.h"

/* ---- making ---- */

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

bool contact_name_fits(struct view name)
{
    for (size_t i = 0; i < name.len; i++)
        if (is_control((unsigned char)name.ptr[i]))
            return false;
    return name.len > 0 && name.len <= CONTACT_MAX_NAME && utf8_valid(name);
}

static bool text_fits(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_control((unsigned char)text.ptr[i]) && !memchr("\t\r\n", text.ptr[i], 3))
            return false;
    return utf8_valid(text);
}

int contact_set(struct json_object *contact, struct view name, struct view text)
{
    char key[CONTACT_MAX_NAME + 1];
    struct json_object *value;

    if (!contact_name_fits(name) || !text_fits(text))
        return -EINVAL;
    if (text.len == 0)
        return 0;
    if (text.len > CONTACT_MAX_VALUE || json_object_object_length(contact) >= CONTACT_MAX_FIELDS)
        return -E2BIG;
    snprintf(key, sizeof(key), "%.*s", VIEW_ARG(name));
    value = json_object_new_string_len(text.ptr, (int)text.len);
    if (value && json_object_object_add(contact, key, value) == 0)
        return 0;
    json_object_put(value);
    return -ENOMEM;
}

static int read_field(struct json_object *contact, const msgpack_object_kv *pair)
{
    msgpack_object_kv one = {.key = pair->key, .val = pair->val};
    msgpack_object map = {.type = MSGPACK_OBJECT_MAP, .via.map = {1, &one}};
    struct view name = msg_str(&pair->key);
    char key[CONTACT_MAX_NAME + 1], scratch[32];

    if (!contact_name_fits(name))
        return -EINVAL;
    if (pair->val.type == MSGPACK_OBJECT_NIL)
        return 0;
    if (pair->val.type != MSGPACK_OBJECT_STR && pair->val.type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return -EINVAL;
    snprintf(key, sizeof(key), "%.*s", VIEW_ARG(name));
    return contact_set(contact, name, msg_get_text(&map, key, scratch));
}

int contact_read(struct json_object **out, const msgpack_object *infos)
{
    struct json_object *contact;
    int rc = 0;

    *out = NULL;
    if (!infos || infos->type != MSGPACK_OBJECT_MAP)
        return -EINVAL;
    contact = json_object_new_object();
    if (!contact)
        return -ENOMEM;
    for (uint32_t i = 0; rc == 0 && i < infos->via.map.size; i++)
        rc = read_field(contact, &infos->via.map.ptr[i]);
    if (rc == 0 && json_object_object_length(contact) == 0)
        rc = -EINVAL;
    if (rc == 0)
        *out = contact;
    else
        json_object_put(contact);
    return rc;
}

/* ---- looking ---- */

bool contact_fits(struct json_object *contact, struct view key, const struct number_rules *rules,
                  struct view number, struct buf *scratch)
{
    struct query q = {.key = key};

    if (key.len == 0)
        return true;
    json_object_object_foreach(contact, name, value)
    {
        (void)name;
        buf_reset(scratch);
        if (fold_text(scratch, json_view(value)) == 0 && query_fits(&q, buf_view(scratch)))
            return true;
        if (number.len && (number_is(rules, json_view(value), number) ||
                           number_is_alike(json_view(value), number)))
            return true;
    }
    return false;
}

/* Names of one meaning: clients and address books write them differently. */
static const char *const alike[][6] = {
    {"fullname", "name", "displayname", "display_name"},
    {"phone", "number", "phonenumber", "office", "office_number", "number_office"},
    {"mobile", "mobilephonenumber", "mobile_number", "number_mobile", "mobile_phone"},
    {"mail", "email"},
    {"company", "society", "organization"},
};
#define N_ALIKE ARRAY_SIZE(alike)
#define N_NAMES ARRAY_SIZE(alike[0])

static bool is_among(const char *const names[N_NAMES], struct view name)
{
    for (size_t i = 0; i < N_NAMES && names[i]; i++)
        if (view_eq(view_cstr(names[i]), name))
            return true;
    return false;
}

static struct view get(const struct entry *e, struct view field, char scratch[32])
{
    const struct contact_entry *c = e->of;
    struct view text = json_view(json_member(c->contact, field));

    (void)scratch;
    if (view_eq(field, VIEW("xivo-directory")))
        return VIEW("personal");
    for (size_t i = 0; text.len == 0 && i < N_ALIKE; i++) {
        if (!is_among(alike[i], field))
            continue;
        for (size_t n = 0; text.len == 0 && n < N_NAMES && alike[i][n]; n++)
            text = json_get_view(c->contact, alike[i][n]);
        if (text.len == 0 && i == 0)
            text = view_cstr(c->full);
    }
    return text;
}

void contact_entry_init(struct contact_entry *c, struct json_object *contact)
{
    struct view first = json_get_view(contact, "firstname");
    struct view last = json_get_view(contact, "lastname");

    c->contact = contact;
    c->entry = (struct entry){.get = get, .of = c};
    snprintf(c->full, sizeof(c->full), "%.*s%s%.*s", VIEW_ARG(first),
             first.len && last.len ? " " : "", VIEW_ARG(last));
}

/* ---- the database ---- */

void contacts_add(struct db_txn *t, struct view ipbx, struct view user, struct view json)
{
    db_add(t, "INSERT INTO people_contact (site, user, infos) VALUES (?,?,?)", "sss", ipbx, user,
           json);
}

int contacts_read(struct db *db, struct view ipbx, struct view user, db_row_fn *row,
                  db_done_fn *done, void *arg)
{
    return db_read(db,
                   "SELECT id, infos FROM people_contact WHERE site = ? AND user = ? ORDER BY id",
                   row, done, arg, "ss", ipbx, user);
}

int contacts_read_one(struct db *db, struct view ipbx, struct view user, int64_t id, db_row_fn *row,
                      db_done_fn *done, void *arg)
{
    return db_read(db,
                   "SELECT id, infos FROM people_contact WHERE id = ? AND site = ? AND user = ?",
                   row, done, arg, "iss", id, ipbx, user);
}
