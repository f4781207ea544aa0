/* The tables, brought from one version to the next. */
#include <errno.h>
#include <stdio.h>

#include "database/internal.h"

static int version_of(sqlite3 *sql)
{
    sqlite3_stmt *st = NULL;
    int version = -1;

    if (sqlite3_prepare_v2(sql, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return version;
}

static int take_step(sqlite3 *sql, const char *step, int n)
{
    char mark[48];

    snprintf(mark, sizeof(mark), "PRAGMA user_version=%d; COMMIT", n + 1);
    if (sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return -EIO;
    if (sqlite3_exec(sql, step, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(sql, mark, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return -EIO; /* closing it rolls back */
}

int steps_take(sqlite3 *sql, const struct db_schema *schema)
{
    int version = version_of(sql);

    if (version < 0)
        return -EIO;
    if (version > schema->n_steps)
        return -EPROTO;
    for (; version < schema->n_steps; version++)
        if (take_step(sql, schema->steps[version], version) < 0)
            return -EIO;
    return 0;
}
