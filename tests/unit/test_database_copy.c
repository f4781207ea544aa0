/* A database copied from a file to a server and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "database/copy.h"
#include "support/database_world.h"

/* The tables are what `tables` says, in order. */
static void all_tables_are_copied(void **state)
{
    struct world *w = *state;
    sqlite3_stmt *st;
    int n = 0;

    start(w);
    assert_int_equal(sqlite3_open(w->path, &w->other), SQLITE_OK);
    for (size_t i = 0; i < state_schema.n_tables; i++) {
        const struct db_table *t = &state_schema.tables[i];
        char columns[300] = "", types[20] = "", sql[80];
        snprintf(sql, sizeof(sql), "PRAGMA table_info(%s)", t->name);
        assert_int_equal(sqlite3_prepare_v2(w->other, sql, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const char *type = (const char *)sqlite3_column_text(st, 2);
            snprintf(columns + strlen(columns), sizeof(columns) - strlen(columns), "%s%s",
                     *columns ? ", " : "", (const char *)sqlite3_column_text(st, 1));
            snprintf(types + strlen(types), sizeof(types) - strlen(types), "%c",
                     *type == 'T'   ? 's'
                     : *type == 'I' ? 'i'
                                    : 'f');
        }
        sqlite3_finalize(st);
        assert_string_equal(columns, t->columns);
        assert_string_equal(types, t->types);
        assert_int_equal(t->counted, strncmp(t->columns, "id,", 3) == 0 && *t->types == 'i');
    }
    sqlite3_prepare_v2(w->other,
                       "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                       " AND name NOT LIKE 'sqlite_%'",
                       -1, &st, NULL);
    if (sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    assert_int_equal(n, state_schema.n_tables);
}

static void count_progress(void *arg, const char *table, int64_t rows, int64_t of_rows)
{
    assert_true(rows <= of_rows);
    *(int *)arg += strcmp(table, "presence") == 0 && rows == of_rows;
}

#define CALL                                                                                       \
    "INSERT INTO call_log (site, user, mode, start, duration, name, number) VALUES"                \
    " ('x', '1', 0, 1.25, 0.1, 'O''Neil', '5')"

static void a_copy_has_everything_and_goes_on(void **state)
{
    struct world *w = *state;
    char name[16], server_uri[128], back[96];
    int told = 0, err = 0;

    postgres_database(&server, name, server_uri);
    snprintf(back, sizeof(back), "%s/back.db", w->dir);
    start(w);
    for (int i = 0; i < 2500; i++)
        db_write(w->d, "INSERT INTO presence VALUES ('y', CAST(? AS TEXT), 'away')", "i",
                 (int64_t)i);
    for (int i = 0; i < 3; i++)
        db_write(w->d, CALL, "");
    put(w, "1", "x");
    UNTIL(w->loop, w->done == 1);
    assert_int_equal(db_copy(w->path, server_uri, &state_schema, w->log, NULL, NULL), -EBUSY);
    db_close(&w->d);
    assert_int_equal(db_copy(w->path, server_uri, &state_schema, w->log, count_progress, &told), 0);
    assert_int_equal(told, 1);
    assert_int_equal(db_copy(w->path, server_uri, &state_schema, w->log, NULL, NULL), -EEXIST);
    assert_int_equal(logged(w, "it is not empty (table presence has 2501 rows)"), 1);

    w->d = open_at(w, server_uri, &err);
    assert_int_equal(db_start(w->d), 0);
    db_write(w->d, CALL, "");
    db_read(w->d, "SELECT count(*), max(availstate) FROM presence", on_row, on_done, w, "");
    db_read(w->d, "SELECT max(id), count(*) FROM call_log WHERE start = 1.25 AND duration = 0.1",
            on_row, on_done, w, "");
    UNTIL(w->loop, w->done == 3);
    assert_string_equal(w->rows, "2501=x 4=4 ");
    db_close(&w->d);
    assert_int_equal(db_copy(server_uri, back, &state_schema, w->log, NULL, NULL), 0);
    w->rows[0] = '\0';
    w->d = open_at(w, back, &err);
    assert_int_equal(db_read_now(w->d, "SELECT max(id), max(name) FROM call_log", on_row, w, ""),
                     0);
    assert_string_equal(w->rows, "4=O'Neil ");
    db_close(&w->d);
    unlink(back);
}

/* A copy that fails leaves nothing behind. */
static void a_copy_that_fails_is_taken_back(void **state)
{
    struct world *w = *state;
    char name[16], uri[128];

    start(w);
    put(w, "7", "x");
    put(w, "8", "x");
    db_write(w->d, "INSERT INTO service VALUES ('x', '1', 'f', 'v', 'c')", "");
    UNTIL(w->loop, w->done == 2);
    db_close(&w->d);
    postgres_database(&server, name, uri);
    {
        struct world other = *w;
        int err = 0;
        other.postgres = true;
        snprintf(other.name, sizeof(other.name), "%s", name);
        other.metrics = NULL;
        other.d = open_at(&other, uri, &err);
        assert_non_null(other.d);
        db_close(&other.d);
        refuse_seven(&other);
        metrics_destroy(&other.metrics);
    }
    assert_true(db_copy(w->path, uri, &state_schema, w->log, NULL, NULL) < 0);
    assert_int_equal(logged(w, "table presence: ERROR: seven is ours"), 1);
    w->shell = postgres_connect(&server, name);
    assert_int_equal(postgres_number(w->shell, "SELECT count(*) FROM service"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_ONLY(all_tables_are_copied),
        FILE_ONLY(a_copy_has_everything_and_goes_on),
        FILE_ONLY(a_copy_that_fails_is_taken_back),
    };

    return cmocka_run_group_tests(tests, make_server, remove_server);
}
