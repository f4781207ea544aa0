/* The lines of a result: each once, sorted by the first value, bounded in number and in bytes. */
#ifndef CTIBUS_STATE_DIRECTORY_ROWS_H
#define CTIBUS_STATE_DIRECTORY_ROWS_H

#include "base/map.h"

#define ROWS_MAX 1000
/* So that the line to the client, escaped as JSON, stays below what may wait for it. */
#define ROWS_MAX_BYTES ((size_t)512 * 1024)

struct row {
    char *line;
    char *first; /* the first value, folded */
};

struct rows {
    struct map *seen; /* by line */
    struct row list[ROWS_MAX];
    size_t n, bytes;
};

struct rows *rows_new(void); /* NULL without memory */
void rows_destroy(struct rows **r);
/* Takes a line in (copied); one that is there already is left out. 0, -ENOBUFS: no more find room,
 * or -ENOMEM. */
int rows_add(struct rows *r, struct view line);
void rows_sort(struct rows *r);

#endif
