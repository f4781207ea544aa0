/* Displays: how an entry becomes a line of a result. */
#ifndef CTIBUS_STATE_DIRECTORY_FORMAT_H
#define CTIBUS_STATE_DIRECTORY_FORMAT_H

#include "catalog.h"

#define DISPLAY_MAX_COLUMNS 32
#define DISPLAY_MAX_VALUE 256 /* bytes of a value, the rest is cut off */

struct display_column {
    int64_t order;
    struct view key, title, type, otherwise, format;
};

/* A display of the configuration, its columns in their order. */
struct display {
    struct json_object *def; /* a reference */
    size_t n;
    struct display_column columns[DISPLAY_MAX_COLUMNS];
};

/* 0, or -EINVAL: there is not one good column in it. */
int display_open(struct display *d, struct json_object *def);
void display_close(struct display *d);

/* Appends the value of one column for an entry of `dir`, as it stands in a line. Without a dir the
 * fields are what the entry gives under their names. 0 or what buf_append returns. */
int display_value(struct buf *out, const struct display_column *c, const struct directory *dir,
                  const struct entry *e);
/* Appends the line of an entry of `dir`: as many values as there are columns, joined by ";". In a
 * value ";" and control characters are blanks. 0 or what buf_append returns. */
int display_line(struct buf *out, const struct display *d, const struct directory *dir,
                 const struct entry *e);

#endif
