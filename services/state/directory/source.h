/* What lookups and the sources of directories say to each other. Private to directory/. */
#ifndef CTIBUS_STATE_DIRECTORY_SOURCE_H
#define CTIBUS_STATE_DIRECTORY_SOURCE_H

#include <json-c/json.h>

#include "base/buf.h"
#include "number.h"

/* What is looked up. */
struct query {
    struct view text; /* as it was given */
    struct view key;  /* as it is compared: fold_text, or number_normal of a reverse lookup */
    bool reverse;     /* a number, which fits as a whole */
    bool alike;       /* of it, one that is alike fits, too */
    struct number_rules rules; /* of a reverse lookup */
};

/* Of a reverse lookup: whether the number as it is written there is the one that is looked up. */
static inline bool query_fits_number(const struct query *q, struct view written)
{
    return q->alike ? number_is_alike(written, q->key) : number_is(&q->rules, written, q->key);
}

/* Whether the folded text has the key in it; the empty key is in everything. */
static inline bool query_fits(const struct query *q, struct view folded)
{
    return q->key.len == 0 ||
           (folded.len >= q->key.len && memmem(folded.ptr, folded.len, q->key.ptr, q->key.len));
}

/* One entry of a source, while it is looked at. */
struct entry {
    /* The text of a column, empty when there is none; in `room`, or for as long as the entry. */
    struct view (*get)(const struct entry *e, struct view column, char scratch[32]);
    const void *of, *with; /* the source's */
};

/* False: no more are wanted. */
typedef bool found_fn(void *arg, const struct entry *e);

#endif
