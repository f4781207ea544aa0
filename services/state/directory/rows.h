/* The lines of a result: each once, sorted, bounded in number and in bytes. */
#ifndef CTIBUS_STATE_DIRECTORY_ROWS_H
#define CTIBUS_STATE_DIRECTORY_ROWS_H

#include "base/map.h"

#define ROWS_MAX 1000
/* So that the line to the client, escaped as JSON, stays below what may wait for it. */
#define ROWS_MAX_BYTES ((size_t)512 * 1024)

struct row {
    char *line;
    size_t len;
    char *first; /* what it is sorted by, folded */
    char *id;    /* NULL: the line is its own */
};

struct rows {
    struct map *seen; /* by id */
    struct row list[ROWS_MAX];
    size_t n, bytes;
};

struct rows *rows_new(void); /* NULL without memory */
void rows_destroy(struct rows **r);
/* Takes a line in (copied); one that is there already is left out. 0, -ENOBUFS: no more find room,
 * or -ENOMEM. */
int rows_add(struct rows *r, struct view line);
/* The same for one that is known by another text than itself, and sorted by another than its first
 * value; its bytes may be any. */
int rows_put(struct rows *r, struct view id, struct view first, struct view line);
/* By the first value, then by the bytes. */
void rows_sort(struct rows *r);

#endif
