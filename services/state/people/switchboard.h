/* The directory of the switchboard of 2015: people by each of their numbers. */
#ifndef CTIBUS_STATE_PEOPLE_SWITCHBOARD_H
#define CTIBUS_STATE_PEOPLE_SWITCHBOARD_H

#include "people/results.h"

/* Appends a pair: headers, [title, type] of each column; those of numbers are one. */
void switchboard_put_headers(struct buf *out, const struct display *d);

/* Adds somebody once for each number, to rows that are known by themselves. False: no more find
 * room. Who has no number is left out: there is nothing to call. */
bool switchboard_add(struct people_results *r, const struct person *p);

#endif
