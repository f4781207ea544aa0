/*
 * Contacts as CSV (RFC 4180): a line of names, then a line for each contact.
 *
 * Spreadsheets take a cell that begins with = + - @ (or a tab or an end of line) for a formula,
 * which may do harm to who opens a file that somebody else gave. Such a text is written with an
 * apostrophe before it, as spreadsheets mark text, and read without; only a number (+33 1 23) stays
 * as it is, since it does none and other programs are to read it. A text with apostrophes before
 * such a beginning gets one more, so that reading gives back what was written.
 */
#ifndef CTIBUS_STATE_PEOPLE_CSV_H
#define CTIBUS_STATE_PEOPLE_CSV_H

#include "csv/csv.h"
#include "people/contacts.h"

/* ---- reading ---- */

struct people_csv {
    struct csv csv;
    struct buf text;
    char names[CONTACT_MAX_FIELDS][CONTACT_MAX_NAME + 1];
    size_t n;
    size_t line;      /* on which the last record began, from 1 */
    const char *seen; /* up to where lines are counted */
};

/* Reads the line of names. 0; -EINVAL: there is none, or a name is unfit or comes twice, or there
 * are too many; -ENOMEM. people_csv_end in any case. */
int people_csv_begin(struct people_csv *p, struct view text);
void people_csv_end(struct people_csv *p);
/* The next contact: 1 and *contact, which is the caller's, or NULL with the reason in *fault; 0:
 * there are no more. */
int people_csv_next(struct people_csv *p, struct json_object **contact, const char **fault);

/* ---- writing ---- */

/* Appends n contacts, the columns in the order in which their names first come. 0; -E2BIG: more
 * than CSV_MAX_FIELDS names; or what buf_append returns. */
int people_csv_put(struct buf *out, struct json_object *const *contacts, size_t n);

#endif
