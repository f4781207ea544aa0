/* People as the rows of a client's table: each once, sorted by name, bounded (directory/rows.h). */
#ifndef CTIBUS_STATE_PEOPLE_RESULTS_H
#define CTIBUS_STATE_PEOPLE_RESULTS_H

#include "people/find.h"

#define PEOPLE_PERSONAL "personal" /* the source of a user's own contacts */

struct people_results {
    struct display display; /* its columns; opened by the owner */
    struct rows *rows;
    struct buf values, row; /* room for one */
};

/* `display` must be open; it goes with the results. 0 or -ENOMEM. */
int people_results_init(struct people_results *r);
void people_results_fini(struct people_results *r);

/* False: no more find room. One that is there already is left out. */
bool people_results_add(struct people_results *r, const struct person *p);
/* Sorts, and appends three pairs: column_headers, column_types and results. */
void people_results_put(struct buf *out, struct people_results *r);

/* What else makes rows of people: the text of a column for somebody, until the next call; and the
 * pair results, sorted. */
struct view people_results_value(struct people_results *r, size_t column, const struct person *p);
void people_results_put_rows(struct buf *out, struct people_results *r);

#endif
