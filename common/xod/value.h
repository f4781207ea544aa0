/*
 * A value of a field: null, bool, int, float, string, list or map of values.
 *
 * A value owns what it holds. Copies share their strings, which never change, and nothing else: a
 * value and its copies belong to one thread.
 */
#ifndef CTIBUS_XOD_VALUE_H
#define CTIBUS_XOD_VALUE_H

#include "msg/msg.h"
#include "schema/schema.h"

struct json_object;

enum value_type { V_NULL, V_BOOL, V_INT, V_FLOAT, V_STR, V_LIST, V_MAP };
#define VALUE_MAX_DEPTH 8

struct value {
    uint8_t type; /* enum value_type */
    uint32_t len; /* bytes of a string, items of a list, pairs of a map */
    union {
        bool b;
        int64_t i;
        double f;
        char *s;             /* NUL-ended; made by value_set_str() */
        struct value *items; /* of a map: key, value, key, value... */
    };
};

static inline struct view value_view(const struct value *v)
{
    return v && v->type == V_STR ? view_of(v->s, v->len) : view_of(NULL, 0);
}

void value_clear(struct value *v); /* becomes null */
/* 0 or -ENOMEM (*dst is null then); *dst must not hold anything. */
int value_copy(struct value *dst, const struct value *src);
bool value_eq(const struct value *a, const struct value *b);
int value_set_str(struct value *v, struct view s); /* clears first; 0 or -ENOMEM */
void value_set_bool(struct value *v, bool b);
void value_set_int(struct value *v, int64_t i);
void value_set_float(struct value *v, double f);
/* A list of n nulls, for its maker to fill; *v must not hold anything. 0 or -ENOMEM. */
int value_list_of_nulls(struct value *v, uint32_t n);
/* Adds a string at the end of a list (a null becomes a list). 0 or -ENOMEM. */
int value_list_add(struct value *v, struct view s);
/* The same before item number `at` (at the end where there are fewer). */
int value_list_insert(struct value *v, uint32_t at, struct view s);
/* Takes the first equal string out; false when it is not there. */
bool value_list_del(struct value *v, struct view s);
bool value_list_has(const struct value *v, struct view s);
/* The value of a key of a map, or NULL. */
const struct value *value_map_get(const struct value *v, struct view key);
/* Sets the value of a key (a null becomes a map). Takes *item, also on failure. 0 or -ENOMEM. */
int value_map_put(struct value *v, struct view key, struct value *item);
/* False when there is no such key. */
bool value_map_del(struct value *v, struct view key);
/* T_ bits: does the type fit? */
bool value_fits(const struct value *v, uint8_t types);

/* What clients and JavaScript would call true: not null, false, 0, "", "0" or "false". */
bool value_truth(const struct value *v);
/* A scalar as text (ids come as numbers or strings): copied to out and seen as a view of it. */
struct view value_text(const struct value *v, char out[32]);

/* To and from the bus (msgpack) and JSON. Reading: 0, -ENOMEM, or -E2BIG when it is too deep; *v
 * must not hold anything and is null after a failure. */
void value_pack(struct buf *out, const struct value *v);
int value_from_msg(struct value *v, const msgpack_object *o);
int value_from_json(struct value *v, struct json_object *o);
void value_put_json(struct buf *out, const struct value *v);

#endif
