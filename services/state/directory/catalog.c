#include "catalog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "table.h"
#include "json/json.h"

struct catalog {
    struct directory **list;
    size_t n;
};

/* What holds for users unless the configuration says something else. */
#define INTERNAL_FIELDS                                                                            \
    "{\"field_fullname\":[\"fullname\"],\"field_firstname\":[\"firstname\"],"                      \
    "\"field_lastname\":[\"lastname\"],\"field_phone\":[\"number\"],"                              \
    "\"field_mobile\":[\"mobilephonenumber\"]}"
#define INTERNAL_DIRECT "[\"firstname\",\"lastname\",\"fullname\",\"number\"]"
#define INTERNAL_REVERSE "[\"number\",\"mobilephonenumber\"]"

static enum directory_kind kind_of(struct view uri)
{
    if (view_eq(uri, VIEW("internal")))
        return DIRECTORY_INTERNAL;
    if (view_eq(uri, VIEW("phonebook")))
        return DIRECTORY_PHONEBOOK;
    if (view_starts(uri, VIEW("file:")))
        return DIRECTORY_CSV;
    if (view_starts(uri, VIEW("http://")) || view_starts(uri, VIEW("https://")))
        return DIRECTORY_HTTP;
    return DIRECTORY_NONE;
}

/* ---- one ---- */

static bool is_field(const char *key)
{
    return view_starts(view_cstr(key), VIEW("field_"));
}

static bool has_fields(struct json_object *def)
{
    json_object_object_foreach(def, key, columns)
    {
        if (is_field(key) && json_object_is_type(columns, json_type_array))
            return true;
    }
    return false;
}

static bool is_empty(struct json_object *list)
{
    return !json_object_is_type(list, json_type_array) || json_object_array_length(list) == 0;
}

static void add_default(struct json_object *def, const char *key, const char *text)
{
    if (is_empty(json_get(def, key)))
        json_object_object_add(def, key, json_tokener_parse(text));
}

static void add_defaults(struct json_object *def)
{
    add_default(def, "match_direct", INTERNAL_DIRECT);
    add_default(def, "match_reverse", INTERNAL_REVERSE);
    if (!has_fields(def)) {
        struct json_object *fields = json_tokener_parse(INTERNAL_FIELDS);
        json_object_object_foreach(fields, key, columns)
        {
            json_object_object_add(def, key, json_object_get(columns));
        }
        json_object_put(fields);
    }
}

static struct directory *directory_new(const char *name, struct json_object *def)
{
    struct directory *dir = calloc(1, sizeof(*dir));

    if (!dir)
        return NULL;
    dir->refs = 1;
    dir->kind = kind_of(json_get_view(def, "uri"));
    dir->name = strdup(name);
    if (dir->name && json_object_deep_copy(def, &dir->def, NULL) == 0) {
        if (dir->kind == DIRECTORY_INTERNAL)
            add_defaults(dir->def);
        return dir;
    }
    directory_unref(&dir);
    return NULL;
}

struct directory *directory_ref(struct directory *dir)
{
    dir->refs++;
    return dir;
}

void directory_unref(struct directory **dirp)
{
    struct directory *dir = dirp ? *dirp : NULL;

    if (!dir)
        return;
    *dirp = NULL;
    if (--dir->refs > 0)
        return;
    json_object_put(dir->def);
    table_destroy(&dir->table);
    free(dir->name);
    free(dir);
}

struct view directory_title(const struct directory *dir)
{
    struct view title = json_get_view(dir->def, "name");

    return title.len ? title : view_cstr(dir->name);
}

struct view directory_uri(const struct directory *dir)
{
    return json_get_view(dir->def, "uri");
}

char directory_delimiter(const struct directory *dir)
{
    struct view v = json_get_view(dir->def, "delimiter");

    return v.len ? v.ptr[0] : ',';
}

struct json_object *directory_columns(const struct directory *dir, bool reverse)
{
    return json_get(dir->def, reverse ? "match_reverse" : "match_direct");
}

static struct view first_filled(const struct entry *e, struct json_object *columns,
                                char scratch[32])
{
    size_t n = is_empty(columns) ? 0 : json_object_array_length(columns);

    for (size_t i = 0; i < n; i++) {
        struct view v = e->get(e, json_view(json_object_array_get_idx(columns, i)), scratch);
        if (v.len)
            return v;
    }
    return view_of(NULL, 0);
}

struct view directory_field(const struct directory *dir, const struct entry *e, struct view field,
                            char scratch[32])
{
    char key[128];

    if (field.len > 100)
        return view_of(NULL, 0);
    snprintf(key, sizeof(key), "field_%.*s", VIEW_ARG(field));
    return first_filled(e, json_get(dir->def, key), scratch);
}

static int add_text(struct json_object *out, const char *key, struct view v)
{
    struct json_object *text = json_object_new_string_len(v.len ? v.ptr : "", (int)v.len);

    if (text && json_object_object_add(out, key, text) == 0)
        return 0;
    json_object_put(text);
    return -ENOMEM;
}

int directory_fields(const struct directory *dir, const struct entry *e, struct json_object *out)
{
    int rc = add_text(out, "xivo-directory", directory_title(dir));

    json_object_object_foreach(dir->def, key, columns)
    {
        char scratch[32];
        if (rc == 0 && is_field(key) && !is_empty(columns))
            rc = add_text(out, key + strlen("field_"), first_filled(e, columns, scratch));
    }
    return rc;
}

/* ---- all ---- */

struct catalog *catalog_new(const struct config *cfg)
{
    struct json_object *section = config_section(cfg, "directories");
    struct catalog *c = calloc(1, sizeof(*c));
    bool good = c != NULL;

    if (c && section) {
        c->list = calloc((size_t)json_object_object_length(section) + 1, sizeof(c->list[0]));
        good = c->list != NULL;
        json_object_object_foreach(section, name, def)
        {
            if (!good || !json_object_is_type(def, json_type_object))
                continue;
            c->list[c->n] = directory_new(name, def);
            good = c->list[c->n] != NULL;
            c->n += good;
        }
    }
    if (!good)
        catalog_destroy(&c);
    return c;
}

void catalog_destroy(struct catalog **cp)
{
    struct catalog *c = cp ? *cp : NULL;

    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        directory_unref(&c->list[i]);
    free(c->list);
    free(c);
    *cp = NULL;
}

struct directory *catalog_at(const struct catalog *c, size_t i)
{
    return i < c->n ? c->list[i] : NULL;
}

struct directory *catalog_find(const struct catalog *c, struct view name)
{
    for (size_t i = 0; i < c->n; i++)
        if (view_eq(view_cstr(c->list[i]->name), name))
            return c->list[i];
    return NULL;
}

/* ---- contexts ---- */

struct json_object *context_of(const struct config *cfg, struct view context)
{
    struct json_object *section = config_section(cfg, "contexts");
    struct json_object *found = context.len ? json_member(section, context) : NULL;

    if (!found)
        found = json_member(section, VIEW("*"));
    return found ? found : json_member(section, VIEW("default"));
}

struct json_object *context_reverse(struct json_object *context, struct view exten)
{
    struct json_object *didextens = json_get(context, "didextens");
    struct json_object *found = exten.len ? json_member(didextens, exten) : NULL;

    return found ? found : json_member(didextens, VIEW("*"));
}
