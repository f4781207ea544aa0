/* A table for people: columns as wide as what stands in them, the titles in its first line. */
#ifndef CTIBUS_STATE_CONSOLE_COLUMNS_H
#define CTIBUS_STATE_CONSOLE_COLUMNS_H

#include "base/buf.h"

#define COLUMNS_MAX 12
#define COLUMNS_MAX_BYTES ((size_t)4 << 20) /* of a table; the rows behind that are left out */

struct columns {
    size_t n;        /* columns */
    size_t cells;    /* so far, titles among them */
    struct buf text; /* of the cells, each ended by a NUL */
};

/* `titles` ends with NULL. columns_end must be called in the end. */
void columns_begin(struct columns *c, const char *const *titles);
/* The next cell of the row, or the first of the next row; an empty text is shown as "-". */
void columns_put(struct columns *c, struct view text);
void columns_printf(struct columns *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends the table to out (unless it has no row: then the titles alone), and frees it. True when
 * nothing was left out. */
bool columns_end(struct columns *c, struct buf *out);

#endif
