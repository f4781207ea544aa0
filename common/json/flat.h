/*
 * Small JSON objects read where they stand, without a tree: what clients ask most is of this kind,
 * and the tree costs more than the answer. It is a fast way beside json_parse, and takes no text
 * that json_parse refuses; a fuzzer compares the two.
 */
#ifndef CTIBUS_JSON_FLAT_H
#define CTIBUS_JSON_FLAT_H

#include "base/view.h"

enum json_flat_type { JSON_FLAT_STRING, JSON_FLAT_INT, JSON_FLAT_WORD };

struct json_flat_member {
    struct view key;
    struct view value; /* of a string what is between the quotes; else the text of the number, true,
                          false or null */
    enum json_flat_type type;
};

/* The members of an object, at most `max`, as views of `text`: how many. -1: it is not of this
 * kind, and may be JSON or not: keys and strings are printable ASCII without \, " and /, numbers
 * integers of at most 18 digits as json-c writes them; no member is an object or array, and no key
 * comes twice. Blanks may stand only behind : and , (one each). */
int json_flat(struct view text, struct json_flat_member *members, int max);

/* The member of that key, or NULL. */
const struct json_flat_member *json_flat_get(const struct json_flat_member *members, int n,
                                             struct view key);

#endif
