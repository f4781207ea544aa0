/* Types of the tables as JSON Schema. */
#include "apidoc/internal.h"
#include "base/array.h"

static struct json_object *one_of_types(const char *const *names, size_t n)
{
    struct json_object *schema = json_object_new_object();
    struct json_object *types = json_object_new_array();

    for (size_t i = 0; i < n; i++)
        apidoc_add(types, json_object_new_string(names[i]));
    apidoc_put_member(schema, "type", types);
    return schema;
}

static struct json_object *any_of(struct json_object *a, struct json_object *b)
{
    struct json_object *schema = json_object_new_object();
    struct json_object *both = json_object_new_array();

    apidoc_add(both, a);
    apidoc_add(both, b);
    apidoc_put_member(schema, "anyOf", both);
    return schema;
}

static struct json_object *array_of(struct json_object *item)
{
    struct json_object *schema = apidoc_type("array");

    apidoc_put_member(schema, "items", item);
    return schema;
}

static struct json_object *map_of(struct json_object *value)
{
    struct json_object *schema = apidoc_type("object");

    apidoc_put_member(schema, "additionalProperties", value);
    return schema;
}

static struct json_object *scalar(void)
{
    static const char *const names[] = {"null", "boolean", "number", "string"};

    return one_of_types(names, ARRAY_SIZE(names));
}

/* Names and values: an object, in which a name that is repeated has a list, or pairs in order. */
static struct json_object *pairs(void)
{
    struct json_object *pair = array_of(scalar());

    apidoc_put_member(pair, "minItems", json_object_new_int(2));
    apidoc_put_member(pair, "maxItems", json_object_new_int(2));
    return any_of(map_of(any_of(scalar(), array_of(scalar()))), array_of(pair));
}

static struct json_object *named(struct view type)
{
    static const char *const text[] = {"string", "number"};
    static const struct {
        struct view name;
        const char *type;
    } plain[] = {{VIEW("str"), "string"},   {VIEW("int"), "integer"}, {VIEW("num"), "number"},
                 {VIEW("bool"), "boolean"}, {VIEW("map"), "object"},  {VIEW("list"), "array"}};

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (view_eq(type, plain[i].name))
            return apidoc_type(plain[i].type);
    if (view_eq(type, VIEW("any")))
        return json_object_new_object();
    if (view_eq(type, VIEW("scalar")))
        return scalar();
    if (view_eq(type, VIEW("id")) || view_eq(type, VIEW("text")))
        return one_of_types(text, ARRAY_SIZE(text));
    if (view_eq(type, VIEW("texts")))
        return any_of(apidoc_type("string"), array_of(apidoc_type("string")));
    return view_eq(type, VIEW("pairs")) ? pairs() : NULL;
}

/* It holds others up to this depth: [{[str]}]. The tables have two. */
#define DEEP 4

static struct json_object *type_of(struct view type, unsigned depth)
{
    struct view inner = type.len > 2 ? view_of(type.ptr + 1, type.len - 2) : view_of(NULL, 0);
    char last = type.len ? type.ptr[type.len - 1] : '\0';
    struct json_object *schema;

    if (last == '?') {
        schema = type_of(view_of(type.ptr, type.len - 1), depth);
        return schema ? any_of(schema, apidoc_type("null")) : NULL;
    }
    if (type.len > 1 && type.ptr[0] == '#')
        return apidoc_ref("part", view_of(type.ptr + 1, type.len - 1));
    if (inner.len == 0 || (last != ']' && last != '}'))
        return named(type);
    schema = depth < DEEP ? type_of(inner, depth + 1) : NULL;
    if (!schema)
        return NULL;
    return last == ']' ? array_of(schema) : map_of(schema);
}

struct json_object *apidoc_wire_type(const char *type)
{
    return type_of(view_cstr(type), 0);
}

struct json_object *apidoc_types(unsigned types)
{
    static const struct {
        unsigned bit;
        const char *name;
    } all[] = {{T_NULL, "null"},  {T_BOOL, "boolean"}, {T_INT, "integer"}, {T_FLOAT, "number"},
               {T_STR, "string"}, {T_LIST, "array"},   {T_MAP, "object"}};
    const char *names[ARRAY_SIZE(all)];
    struct json_object *schema;
    size_t n = 0;

    if (types == T_ANY)
        return json_object_new_object();
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) /* a number may be whole */
        if (types & all[i].bit && !(all[i].bit == T_INT && types & T_FLOAT))
            names[n++] = all[i].name;
    schema = n == 1 ? apidoc_type(names[0]) : one_of_types(names, n);
    if (types & T_LIST)
        apidoc_put_member(schema, "items", apidoc_type("string"));
    return schema;
}
