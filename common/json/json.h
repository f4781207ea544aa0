/*
 * JSON: a strict parser and getters over json-c, and a writer that appends to a buffer.
 *
 * Objects that json_parse gives belong to the caller (json_object_put). Views that getters give
 * live as long as the object. What the writer appends is always valid JSON, whatever it is given.
 */
#ifndef CTIBUS_JSON_JSON_H
#define CTIBUS_JSON_JSON_H

#include <json-c/json.h>

#include "base/buf.h"

/* Arrays and objects inside each other. */
#define JSON_DEPTH 32

struct json_parser {
    struct json_tokener *tok;
    size_t offset; /* after a failed json_parse: about where, in bytes from the start */
};

/* 0 or -ENOMEM. One parser serves any number of texts, one after the other. */
int json_parser_init(struct json_parser *p);
void json_parser_fini(struct json_parser *p);

/* Parses the whole of `text`: one value, blanks around it. *out is NULL for the value null. 0;
 * -EINVAL (not JSON; a NUL byte or a bare control character is not, and U+0000 is refused in keys
 * and strings, so that what is parsed may be used as C strings), -EILSEQ (not UTF-8), -E2BIG
 * (deeper than JSON_DEPTH), -ENOMEM. Of a key that comes twice the last one counts. */
int json_parse(struct json_parser *p, struct view text, struct json_object **out);

/* Looks in a text that json_parse has taken for an object with the same key twice, for files that
 * people write: json_parse keeps the last one and tells nobody. 1 and the key as it is written (a
 * view of text); 0: there is none; -E2BIG, -ENOMEM. Keys that differ only in their escapes are not
 * found. */
int json_find_duplicate(struct view text, struct view *key);

/* The member `key`, or NULL: there is none, it is null, or obj is not an object. Borrowed. */
struct json_object *json_get(struct json_object *obj, const char *key);
/* The same by a key that is a view. */
struct json_object *json_member(struct json_object *obj, struct view key);
/* The same when it is an object. */
struct json_object *json_get_object(struct json_object *obj, const char *key);
/* The string `key`; empty when there is none or it is no string. */
struct view json_get_view(struct json_object *obj, const char *key);
/* The integer `key`, also from a string of digits, as clients send ids either way. */
int64_t json_get_i64(struct json_object *obj, const char *key, int64_t default_value);
/* The boolean `key`, also from 0 and 1. */
bool json_get_bool(struct json_object *obj, const char *key, bool default_value);
/* The scalar `key` as text: ids come as strings or numbers. Empty when there is none, or an object
 * or an array. It ends with a NUL. */
struct view json_get_text(struct json_object *obj, const char *key);
/* Sets a string, or a number; obj NULL: nothing to do. 0 or -ENOMEM. */
int json_set_text(struct json_object *obj, const char *key, struct view v);
int json_set_i64(struct json_object *obj, const char *key, int64_t n);
/* A string value itself; empty for anything else. */
struct view json_view(struct json_object *value);

/* The writers append to b and return 0, or a negative errno when b has failed (b->failed tells that
 * at the end, too). */

/* Quoted and escaped. Bad UTF-8 is mended (base/utf8.h). */
int json_put_string(struct buf *b, struct view v);
int json_put_i64(struct buf *b, int64_t n);
/* With the fewest digits that read back as the same number, always with a point or an exponent;
 * null when it is not finite. */
int json_put_double(struct buf *b, double d);
/* Seconds since 1970 with six decimals, as the CTI protocol's timenow. */
int json_put_time(struct buf *b, double seconds);
int json_put_bool(struct buf *b, bool on);
/* Any json-c value; NULL is null. */
int json_put_object(struct buf *b, struct json_object *obj);

#endif
