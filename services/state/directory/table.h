/*
 * What a directory holds, as a table: columns by name, rows of texts. Each text is also kept as it
 * is compared (fold.h), so that a lookup costs one search in each. Made once and then only read: by
 * a thread that gives it away, or on the loop.
 */
#ifndef CTIBUS_STATE_DIRECTORY_TABLE_H
#define CTIBUS_STATE_DIRECTORY_TABLE_H

#include <json-c/json.h>

#include "source.h"

#define TABLE_MAX_COLUMNS 256
#define TABLE_MAX_CELLS ((size_t)1 << 20)
#define TABLE_MAX_BYTES ((size_t)128 * 1024 * 1024)

struct table;

/* An empty one, or NULL without memory. */
struct table *table_new(void);
void table_destroy(struct table **t);
size_t table_rows(const struct table *t);

/* The number of the column of that name, made if there is none and no row yet. -E2BIG: there would
 * be too many; -ENOMEM. */
int table_column(struct table *t, struct view name);
/* Adds a row of empty texts. 0; -E2BIG: the table is full; -ENOMEM. */
int table_add_row(struct table *t);
/* Sets a text of the last row. 0, -E2BIG or -ENOMEM. */
int table_set(struct table *t, size_t column, struct view text);

/* The table of a CSV file, whose first line names the columns. NULL, and in *fault what is wrong in
 * words. */
struct table *table_from_csv(struct view file, char delimiter, const char **fault);
/* The table of the objects of a JSON array: a column for each path to a scalar, with dots
 * ("phonebooknumber.office.number"). NULL as above. */
struct table *table_from_json(struct json_object *array, const char **fault);

/* Calls found(arg, e) for each row of which one of these columns (a JSON array of names) fits the
 * query, until it returns false. */
void table_find(const struct table *t, struct json_object *columns, const struct query *q,
                found_fn *found, void *arg);
/* The same for all rows, whatever is in them. */
void table_each(const struct table *t, found_fn *found, void *arg);
/* A number made of all texts of an entry of a table and the names of their columns: the same after
 * a restart, and in whatever order the columns and the rows stand. */
uint64_t table_entry_hash(const struct entry *e);

#endif
