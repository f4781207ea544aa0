/* Putting trees of JSON together. */
#include <stdio.h>

#include "apidoc/internal.h"
#include "json/json.h"

void apidoc_put_member(struct json_object *obj, const char *name, struct json_object *value)
{
    if (!obj || json_object_object_add(obj, name, value) < 0)
        json_object_put(value);
}

void apidoc_put_text(struct json_object *obj, const char *name, const char *text)
{
    apidoc_put_member(obj, name, json_object_new_string(text));
}

void apidoc_add(struct json_object *array, struct json_object *value)
{
    if (!array || json_object_array_add(array, value) < 0)
        json_object_put(value);
}

struct json_object *apidoc_type(const char *type)
{
    struct json_object *schema = json_object_new_object();

    apidoc_put_text(schema, "type", type);
    return schema;
}

struct json_object *apidoc_const(struct view text)
{
    struct json_object *schema = json_object_new_object();

    apidoc_put_member(schema, "const", json_object_new_string_len(text.ptr, (int)text.len));
    return schema;
}

struct json_object *apidoc_ref(const char *kind, struct view name)
{
    struct json_object *schema = json_object_new_object();
    char path[256];

    snprintf(path, sizeof(path), "#/$defs/%s%s%.*s", kind, *kind ? "." : "", VIEW_ARG(name));
    apidoc_put_text(schema, "$ref", path);
    return schema;
}

struct json_object *apidoc_object(const char *doc)
{
    struct json_object *object = apidoc_type("object");

    if (*doc)
        apidoc_put_text(object, "description", doc);
    apidoc_put_member(object, "properties", json_object_new_object());
    apidoc_put_member(object, "required", json_object_new_array());
    apidoc_put_member(object, "additionalProperties", json_object_new_boolean(false));
    return object;
}

void apidoc_property(struct json_object *object, struct view name, struct json_object *schema,
                     bool needed, const char *doc)
{
    char text[128];

    snprintf(text, sizeof(text), "%.*s", VIEW_ARG(name));
    if (*doc)
        apidoc_put_text(schema, "description", doc);
    apidoc_put_member(json_get(object, "properties"), text, schema);
    if (needed)
        apidoc_add(json_get(object, "required"), json_object_new_string(text));
}
