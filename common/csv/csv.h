/*
 * CSV as of RFC 4180, record by record: pure, bounded by the text.
 *
 * Fields may be quoted; in quotes "" is a quote, and delimiters and ends of lines are part of the
 * field. Records end at LF, CRLF or CR; empty lines are none. A quote within a field that does not
 * begin with one is an ordinary character, and what follows the closing quote belongs to the field:
 * programs write such files.
 */
#ifndef CTIBUS_CSV_CSV_H
#define CTIBUS_CSV_CSV_H

#include "base/buf.h"

#define CSV_MAX_FIELDS 256 /* of a record; those beyond are left out */

struct csv {
    struct view rest;
    char delimiter;
    struct buf text; /* the fields of the record, one behind the other */
    size_t ends[CSV_MAX_FIELDS];
    size_t n;
    size_t line;         /* on which the record begins, from 1 */
    const char *counted; /* up to here the ends of lines are in it */
};

/* `text` is borrowed until csv_end. The delimiter is of ASCII, so that it is no part of a
 * character.
 */
void csv_begin(struct csv *c, struct view text, char delimiter);
void csv_end(struct csv *c);
/* The next record: 1; 0: there are no more; -EINVAL: a quoted field does not end; -ENOMEM. */
int csv_next(struct csv *c);
/* Field number i of the record, until the next; empty when it has fewer. */
struct view csv_field(const struct csv *c, size_t i);

/* The delimiter of a file by its first line: ',' where it has some; else ';', as spreadsheets of
 * many languages write, or a tab; else ','. */
char csv_delimiter(struct view text);

/* Appends a file's text as UTF-8: without a byte order mark, and read as Latin-1 when it is not
 * UTF-8. 0 or what buf_append returns. */
int csv_text(struct buf *out, struct view file);

#endif
