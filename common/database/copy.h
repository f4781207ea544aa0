/* A database copied into another one, of the same or of the other kind, for `ctibus migrate`. */
#ifndef CTIBUS_DATABASE_COPY_H
#define CTIBUS_DATABASE_COPY_H

#include "database/db.h"

/* Told now and then, and at the end of each table. */
typedef void db_progress_fn(void *arg, const char *table, int64_t rows, int64_t of_rows);

/* Copies all tables of the schema. Both databases are owned meanwhile, and brought up to the tables
 * of this version; `to` must be empty, and is so again when it fails. progress may be NULL. 0, or a
 * negative errno (logged, with what to do). */
int db_copy(const char *from, const char *to, const struct db_schema *schema, struct log *log,
            db_progress_fn *progress, void *arg);

#endif
