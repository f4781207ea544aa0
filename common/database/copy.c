#include "database/copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "database/internal.h"

#define AT_ONCE 1000 /* rows of a transaction */
#define PATIENCE_MS 60000

/* A connection knows its statements by their texts, which live as long as it does. */
struct statements {
    char *count, *select, *insert, *empty;
};

struct copy {
    struct dbconn *from, *to;
    const struct db_schema *schema;
    struct log *log;
    db_progress_fn *progress;
    void *arg;
    struct statements *statements; /* of each table */
    size_t at;                     /* the table */
    struct db_txn *filling;
    uint64_t turn;
    int64_t rows, of_rows;
    int rc; /* of what was written while rows came */
};

/* ---- statements ---- */

static bool make(struct statements *s, const struct db_table *table)
{
    struct buf marks;
    bool good;

    buf_init(&marks, 0);
    for (size_t i = 0; table->types[i]; i++)
        buf_append_cstr(&marks, i ? ", ?" : "?");
    good = asprintf(&s->count, "SELECT count(*) FROM %s", table->name) >= 0 &&
           asprintf(&s->select, "SELECT %s FROM %s", table->columns, table->name) >= 0 &&
           asprintf(&s->insert, "INSERT INTO %s (%s) VALUES (%.*s)", table->name, table->columns,
                    VIEW_ARG(buf_view(&marks))) >= 0 &&
           asprintf(&s->empty, "DELETE FROM %s", table->name) >= 0 && !marks.failed;
    buf_free(&marks);
    return good;
}

static void drop(struct statements *s)
{
    free(s->count);
    free(s->select);
    free(s->insert);
    free(s->empty);
}

/* ---- running ---- */

static const struct db_table *table_of(const struct copy *c)
{
    return &c->schema->tables[c->at];
}

static int run_one(struct copy *c, struct dbconn *conn, struct db_txn *t)
{
    struct db_txns one = STAILQ_HEAD_INITIALIZER(one);
    int rc;

    t->turn = c->turn++;
    STAILQ_INSERT_TAIL(&one, t, link);
    rc = dbconn_run(conn, &one);
    if (rc == 0)
        rc = t->rc;
    if (rc < 0)
        log_error(c->log, "database %s: table %s: %s", conn->name, table_of(c)->name,
                  *conn->refused ? conn->refused : conn->error);
    txn_free(t);
    return rc;
}

static void add(struct db_txn *t, const char *sql, ...)
{
    va_list ap;

    va_start(ap, sql);
    txn_add(t, sql, "", ap);
    va_end(ap);
}

/* row NULL: it writes. */
static int run_sql(struct copy *c, struct dbconn *conn, const char *sql, db_row_fn *row, void *arg)
{
    struct db_txn *t = txn_new(NULL);

    if (!t)
        return -ENOMEM;
    add(t, sql);
    t->row = row;
    t->arg = arg;
    return run_one(c, conn, t);
}

static bool take_count(void *arg, const struct db_row *row)
{
    *(int64_t *)arg = db_int(row, 0);
    return true;
}

/* ---- a table ---- */

static int write_filled(struct copy *c)
{
    struct db_txn *t = c->filling;
    int64_t n = t ? (int64_t)t->n : 0;
    int rc = t ? run_one(c, c->to, t) : 0;

    c->filling = NULL;
    c->rows += n;
    if (rc == 0 && c->progress)
        c->progress(c->arg, table_of(c)->name, c->rows, c->of_rows);
    return rc;
}

static bool take_row(void *arg, const struct db_row *row)
{
    struct copy *c = arg;

    if (!c->filling)
        c->filling = txn_new(NULL);
    if (!c->filling) {
        c->rc = -ENOMEM;
        return false;
    }
    txn_add_row(c->filling, c->statements[c->at].insert, table_of(c)->types, row);
    if (c->filling->n == AT_ONCE)
        c->rc = write_filled(c);
    return c->rc == 0;
}

static int copy_table(struct copy *c)
{
    const struct statements *s = &c->statements[c->at];
    int rc = run_sql(c, c->from, s->count, take_count, &c->of_rows);

    c->rows = 0;
    c->rc = 0;
    if (rc == 0)
        rc = run_sql(c, c->from, s->select, take_row, c);
    if (rc == 0)
        rc = c->rc;
    if (rc == 0)
        rc = write_filled(c);
    if (c->filling)
        txn_free(c->filling);
    c->filling = NULL;
    if (rc == 0 && table_of(c)->counted)
        rc = dbconn_count_on(c->to, table_of(c)->name);
    return rc;
}

/* ---- all of them ---- */

static int check_empty(struct copy *c)
{
    int64_t n = 0;
    int rc = 0;

    for (c->at = 0; rc == 0 && c->at < c->schema->n_tables; c->at++) {
        rc = run_sql(c, c->to, c->statements[c->at].count, take_count, &n);
        if (rc == 0 && n > 0) {
            log_error(c->log,
                      "database %s: it is not empty (table %s has %lld rows): name another one, "
                      "or drop it and make it anew",
                      c->to->name, table_of(c)->name, (long long)n);
            return -EEXIST;
        }
    }
    return rc;
}

static int copy_all(struct copy *c)
{
    int rc = 0;

    for (c->at = 0; rc == 0 && c->at < c->schema->n_tables; c->at++)
        rc = copy_table(c);
    if (rc == 0)
        return 0;
    for (c->at = 0; c->at < c->schema->n_tables; c->at++)
        (void)run_sql(c, c->to, c->statements[c->at].empty, NULL, NULL);
    return rc;
}

static int open_one(struct copy *c, struct dbconn **conn, const char *where)
{
    int rc = dbconn_open(conn, where);

    if (rc == 0)
        rc = dbconn_steps(*conn, c->schema);
    if (rc == 0)
        dbconn_patience(*conn, PATIENCE_MS);
    else if (*conn)
        dbconn_log(*conn, c->schema, c->log, rc);
    return rc;
}

int db_copy(const char *from, const char *to, const struct db_schema *schema, struct log *log,
            db_progress_fn *progress, void *arg)
{
    struct copy c = {.schema = schema, .log = log, .progress = progress, .arg = arg};
    int rc = 0;

    c.statements = calloc(schema->n_tables, sizeof(*c.statements));
    for (size_t i = 0; c.statements && rc == 0 && i < schema->n_tables; i++)
        rc = make(&c.statements[i], &schema->tables[i]) ? 0 : -ENOMEM;
    if (!c.statements || rc < 0)
        log_error(log, "out of memory");
    if (rc == 0)
        rc = c.statements ? open_one(&c, &c.from, from) : -ENOMEM;
    if (rc == 0)
        rc = open_one(&c, &c.to, to);
    if (rc == 0)
        rc = check_empty(&c);
    if (rc == 0)
        rc = copy_all(&c);
    dbconn_close(&c.from);
    dbconn_close(&c.to);
    for (size_t i = 0; c.statements && i < schema->n_tables; i++)
        drop(&c.statements[i]);
    free(c.statements);
    return rc;
}
