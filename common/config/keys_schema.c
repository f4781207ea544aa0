/* The table of keys as JSON Schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "config/internal.h"
#include "json/json.h"

/* ---- a value ---- */

static void put(struct json_object *obj, const char *name, struct json_object *value)
{
    if (!obj || json_object_object_add(obj, name, value) < 0)
        json_object_put(value);
}

static void put_text(struct json_object *obj, const char *name, const char *text)
{
    put(obj, name, json_object_new_string(text));
}

static void add(struct json_object *array, struct json_object *value)
{
    if (!array || json_object_array_add(array, value) < 0)
        json_object_put(value);
}

/* A section that is there may also be null: it is as if it were not. */
static void put_types(struct json_object *schema, const char *type, const char *other)
{
    struct json_object *types = json_object_new_array();

    add(types, json_object_new_string(type));
    if (other)
        add(types, json_object_new_string(other));
    add(types, json_object_new_string("null"));
    put(schema, "type", types);
}

static struct json_object *choices(const char *text, bool or_null)
{
    struct json_object *list = json_object_new_array();
    struct view rest = view_cstr(text);

    while (rest.len) {
        struct view one = view_cut(&rest, '|');
        add(list, json_object_new_string_len(one.ptr, (int)one.len));
    }
    if (or_null)
        add(list, NULL);
    return list;
}

static void put_items(struct json_object *schema, const struct config_key *key)
{
    struct json_object *item = json_object_new_object();

    put_text(item, "type", "string");
    if (key->choices && key->type == KEY_STRINGS)
        put(item, "enum", choices(key->choices, false));
    put(schema, "items", item);
}

/* [HOST, PORT, whether]; XiVO's web interface writes the port as a string. */
static void put_listener(struct json_object *schema)
{
    static const char *const types[][2] = {
        {"string", NULL}, {"integer", "string"}, {"boolean", "integer"}};
    struct json_object *items = json_object_new_array();

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct json_object *one = json_object_new_object();
        struct json_object *names = json_object_new_array();
        for (size_t j = 0; j < 2 && types[i][j]; j++)
            add(names, json_object_new_string(types[i][j]));
        put(one, "type", names);
        add(items, one);
    }
    put(schema, "prefixItems", items);
    put(schema, "minItems", json_object_new_int(2));
    put(schema, "maxItems", json_object_new_int(3));
}

/* Numbers outside of our own section may be strings, as XiVO's web interface writes them. */
static bool is_ours(const struct config_key *key)
{
    return strncmp(key->path, "ctibus.", 7) == 0;
}

static void put_value(struct json_object *schema, const struct config_key *key)
{
    switch (key->type) {
    case KEY_ANY:
        break;
    case KEY_INT:
        put_types(schema, "integer", is_ours(key) ? NULL : "string");
        put(schema, "minimum", json_object_new_int64(key->min));
        put(schema, "maximum", json_object_new_int64(key->max));
        break;
    case KEY_BOOL:
        put_types(schema, "boolean", "integer");
        break;
    case KEY_STRINGS:
    case KEY_NETWORKS:
        put_types(schema, "array", NULL);
        put_items(schema, key);
        break;
    case KEY_LISTEN:
        put_types(schema, "array", NULL);
        put_listener(schema);
        break;
    case KEY_CHOICE:
        put(schema, "enum", choices(key->choices, true));
        break;
    default:
        put_types(schema, "string", NULL);
        if (key->flags & KEY_NEEDED)
            put(schema, "minLength", json_object_new_int(1));
        if (key->type == KEY_ENDPOINT)
            put_text(schema, "pattern", "^(tcp|ipc|inproc)://.");
        else if (key->type == KEY_DATABASE)
            put_text(schema, "pattern", "^sqlite:.");
    }
}

static struct json_object *leaf(const struct config_key *key)
{
    struct json_object *schema = json_object_new_object();

    put_text(schema, "description", key->doc);
    put_value(schema, key);
    if (key->default_value)
        put(schema, "default",
            config_type_is_text(key->type) ? json_object_new_string(key->default_value)
                                           : json_tokener_parse(key->default_value));
    if (key->flags & KEY_RENAMED)
        put(schema, "deprecated", json_object_new_boolean(true));
    return schema;
}

/* ---- the tree ---- */

/* Without our own section, other keys are passed over: those of a XiVO, and of its later versions.
 */
static struct json_object *section(bool ours)
{
    struct json_object *made = json_object_new_object();

    put_types(made, "object", NULL);
    put(made, "properties", json_object_new_object());
    if (ours)
        put(made, "additionalProperties", json_object_new_boolean(false));
    return made;
}

/* The section of that name in another, made when it is not there; "*": of any name. */
static struct json_object *inner(struct json_object *outer, const char *name, bool ours)
{
    bool any = strcmp(name, "*") == 0;
    struct json_object *in = any ? outer : json_get(outer, "properties");
    const char *key = any ? "additionalProperties" : name;
    struct json_object *there = json_get(in, key);

    if (there && json_object_is_type(there, json_type_object))
        return there;
    there = section(ours);
    put(in, key, there);
    return json_get(in, key);
}

static void require(struct json_object *in, const char *name)
{
    struct json_object *required = json_get(in, "required");

    if (!required) {
        required = json_object_new_array();
        put(in, "required", required);
    }
    add(required, json_object_new_string(name));
}

static void put_key(struct json_object *root, const struct config_key *key)
{
    bool ours = is_ours(key);
    struct json_object *at = root;
    const char *rest = key->path;
    const char *dot;
    char name[64];

    for (; (dot = strchr(rest, '.')); rest = dot + 1) {
        snprintf(name, sizeof(name), "%.*s", (int)(dot - rest), rest);
        at = inner(at, name, ours);
    }
    if (strcmp(rest, "*") == 0)
        put(at, "additionalProperties", leaf(key));
    else
        put(json_get(at, "properties"), rest, leaf(key));
    if (key->flags & KEY_NEEDED)
        require(at, rest);
}

struct json_object *config_schema(void)
{
    struct json_object *root = section(false);

    put_text(
        root, "description",
        "ctibus.json: the keys that ctibus reads by themselves. Sections of XiVO with names of "
        "their own (profiles, sheets, directories...) may be there, too.");
    for (size_t i = 0; i < config_key_count; i++)
        put_key(root, &config_keys[i]);
    return root;
}
