/* Which columns of people a client shows: a display of the configuration. */
#ifndef CTIBUS_STATE_PEOPLE_COLUMNS_H
#define CTIBUS_STATE_PEOPLE_COLUMNS_H

#include "config/config.h"
#include "directory/format.h"

/* Opens the display `name` of the configuration, else that of the context, else one of our own with
 * names and numbers: clients of 2015 do not get over an error here. 0 or -ENOMEM. */
int people_display_open(struct display *d, const struct config *cfg, const char *name,
                        struct view context);

/* The type of column i as clients know it: "phone" of the displays of 2012 is "number", and where
 * no column has the type "name" the first one without a type is that. Empty: none. */
struct view people_type(const struct display *d, size_t i);
/* The column that has the names, or -1. */
int people_name_column(const struct display *d);

/* Appends two pairs: column_headers and column_types, of the same length. */
void people_put_headers(struct buf *out, const struct display *d);

#endif
