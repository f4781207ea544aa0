/*
 * Statements on a connection to PostgreSQL, in its pipeline mode: all statements between two calls
 * of PQpipelineSync() are one transaction, and we wait for the server only at its end.
 *
 * A batch of writes is one such transaction. When it fails because of one of those in it, each of
 * them is carried out once more as a transaction of its own, so that only that one fails.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/utf8.h"
#include "database/dialect.h"
#include "database/postgres.h"

#define NAME_SIZE 24
#define FETCH "256" /* rows at a time */
#define FETCH_ROWS 256
#define TEXT_OID 25
#define INT8_OID 20
#define FLOAT8_OID 701
#define FENCE "SELECT ctibus_fence(?, ?)"
#define TAKEN_OVER "CT001"

/* What came of what was sent until one PQpipelineSync(). */
enum outcome {
    GOOD,
    REFUSED, /* by itself: it would be refused again */
    FAILED,  /* all of it: the server, not what was asked */
    LOST,    /* the connection */
};

/* ---- parameters ---- */

struct values {
    Oid types[DB_MAX_PARAMS];
    const char *values[DB_MAX_PARAMS];
    int lengths[DB_MAX_PARAMS], formats[DB_MAX_PARAMS];
    uint64_t numbers[DB_MAX_PARAMS];
    size_t at[DB_MAX_PARAMS]; /* of texts, in the scratch buffer */
};

static Oid oid_of(char type)
{
    return type == 's' ? TEXT_OID : type == 'i' ? INT8_OID : FLOAT8_OID;
}

/* PostgreSQL keeps no text that is not UTF-8 or has a NUL: U+FFFD stands for both. */
static void put_text(struct buf *out, struct view v)
{
    for (;;) {
        const char *nul = v.len ? memchr(v.ptr, '\0', v.len) : NULL;
        size_t n = nul ? (size_t)(nul - v.ptr) : v.len;
        utf8_mend(out, view_of(v.ptr, n));
        if (!nul)
            return;
        buf_append_cstr(out, "\xef\xbf\xbd");
        v = view_of(v.ptr + n + 1, v.len - n - 1);
    }
}

static void put_number(struct values *v, unsigned i, const struct db_param *p)
{
    uint64_t bits = (uint64_t)p->i;

    if (p->type == 'f')
        memcpy(&bits, &p->f, sizeof(bits));
    v->numbers[i] = htobe64(bits);
    v->values[i] = (const char *)&v->numbers[i];
    v->lengths[i] = sizeof(bits);
}

/* False: no memory. */
static bool values_of(struct postgres *p, struct values *v, const struct db_txn *t,
                      const struct db_statement *s)
{
    buf_reset(&p->scratch);
    for (unsigned i = 0; i < s->n; i++) {
        const struct db_param *param = &s->params[i];
        v->types[i] = oid_of(param->type);
        v->formats[i] = 1; /* binary */
        v->at[i] = buf_len(&p->scratch);
        if (param->type != 's') {
            put_number(v, i, param);
            continue;
        }
        if (param->len)
            put_text(&p->scratch, view_of(buf_data(&t->texts) + param->at, param->len));
        v->lengths[i] = (int)(buf_len(&p->scratch) - v->at[i]);
    }
    buf_append_char(&p->scratch, '\0'); /* lest it is without memory: NULL is no empty text */
    for (unsigned i = 0; i < s->n; i++)
        if (s->params[i].type == 's')
            v->values[i] = buf_data(&p->scratch) + v->at[i];
    return !p->scratch.failed;
}

/* ---- answers ---- */

/* The next result of the pipeline. NULL: the connection is lost. */
static PGresult *next_result(struct postgres *p)
{
    for (int ends = 0; p->pg; ends++) {
        PGresult *r;
        while (PQisBusy(p->pg))
            if (pg_wait(p) < 0)
                return NULL;
        r = PQgetResult(p->pg);
        if (r)
            return r;
        if (ends == 2) /* NULL stands between two of them, once */
            pg_drop(p, "the server has answered something else");
    }
    return NULL;
}

/* Whether the same would be said of any other statement at present. */
static bool is_of_all(const char *code)
{
    static const char *const kinds[] = {"08", "25", "40", "53", "55", "57", "58", "XX"};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strncmp(code, kinds[i], 2) == 0)
            return true;
    return false;
}

/* Takes the error of the server. */
static enum outcome blame(struct postgres *p, const PGresult *r)
{
    const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    pg_failed(p, PQresultErrorMessage(r));
    if (code && strcmp(code, TAKEN_OVER) == 0)
        p->conn.taken_over = true;
    if (!code || p->conn.taken_over || strncmp(code, "25006", 5) == 0) {
        /* another one is active, or this server is a copy now: find out by connecting again */
        pg_drop(p, p->conn.error);
        return LOST;
    }
    return is_of_all(code) ? FAILED : REFUSED;
}

/* Takes what is left until the sync. */
static enum outcome take_sync(struct postgres *p, enum outcome so_far)
{
    for (;;) {
        PGresult *r = next_result(p);
        ExecStatusType is = PQresultStatus(r);
        if (!r)
            return LOST;
        if (is == PGRES_FATAL_ERROR && so_far == GOOD)
            so_far = blame(p, r);
        PQclear(r);
        if (so_far == LOST || is == PGRES_PIPELINE_SYNC)
            return so_far;
    }
}

/* ---- statements ---- */

/* The name of the statement on the server, which is told of it when it is first used. */
static enum outcome prepare(struct postgres *p, const struct db_statement *s, const char **name)
{
    Oid types[DB_MAX_PARAMS];
    struct buf sql;
    char *made;
    enum outcome is = LOST;

    *name = map_get(p->prepared, view_cstr(s->sql));
    if (*name)
        return GOOD;
    for (unsigned i = 0; i < s->n; i++)
        types[i] = oid_of(s->params[i].type);
    made = malloc(NAME_SIZE);
    buf_init(&sql, 0);
    dialect_postgres(&sql, s->sql);
    if (made && buf_cstr(&sql) && !sql.failed) {
        snprintf(made, NAME_SIZE, "s%zu", map_count(p->prepared));
        if (PQsendPrepare(p->pg, made, buf_data(&sql), (int)s->n, types) && PQpipelineSync(p->pg))
            is = take_sync(p, GOOD);
        else
            pg_drop(p, NULL);
    } else {
        pg_drop(p, "out of memory");
    }
    buf_free(&sql);
    if (is == GOOD && map_put(p->prepared, view_cstr(s->sql), made) < 0) {
        pg_drop(p, "out of memory");
        is = LOST;
    }
    if (is != GOOD)
        free(made);
    else
        *name = made;
    return is;
}

static enum outcome prepare_all(struct postgres *p, const struct db_txn *t)
{
    enum outcome is = GOOD;
    const char *name;

    for (size_t i = 0; is == GOOD && i < t->n; i++)
        is = prepare(p, &t->statements[i], &name);
    return is;
}

/* All of them are prepared. False: no memory, or the connection is lost. */
static bool send_statement(struct postgres *p, const struct db_txn *t, const struct db_statement *s)
{
    struct values v;

    return values_of(p, &v, t, s) &&
           PQsendQueryPrepared(p->pg, map_get(p->prepared, view_cstr(s->sql)), (int)s->n, v.values,
                               v.lengths, v.formats, 0);
}

static bool send_statements(struct postgres *p, const struct db_txn *t)
{
    bool good = true;

    for (size_t i = 0; good && i < t->n; i++)
        good = send_statement(p, t, &t->statements[i]);
    return good;
}

static void fence_of(const struct postgres *p, struct db_statement *s, uint64_t turn)
{
    *s = (struct db_statement){
        .sql = FENCE,
        .n = 2,
        .params = {{.type = 'i', .i = p->conn.term}, {.type = 'i', .i = (int64_t)turn + 1}}};
}

static bool send_fence(struct postgres *p, uint64_t turn)
{
    struct db_statement s;

    fence_of(p, &s, turn);
    return send_statement(p, NULL, &s);
}

/* ---- writing ---- */

static void note_refused(struct postgres *p, struct db_txn *t, int rc)
{
    t->rc = rc;
    snprintf(p->conn.refused, sizeof(p->conn.refused), "%s",
             t->unfit == -ENOMEM ? "out of memory"
             : t->unfit          ? "a text that is too long"
                                 : p->conn.error);
}

/* Before it is sent: what cannot be is refused, and what is committed already is done. All others
 * are marked as not done. */
static enum outcome look_at_all(struct postgres *p, struct db_txns *batch, uint64_t *last)
{
    enum outcome is = GOOD;
    struct db_statement fence;
    const char *name;
    struct db_txn *t;

    fence_of(p, &fence, 0);
    is = prepare(p, &fence, &name);
    STAILQ_FOREACH(t, batch, link)
    {
        t->rc = (int64_t)t->turn < p->written ? 0 : -EIO;
        *last = t->turn;
        if (is == GOOD && t->rc < 0 && t->unfit == 0)
            is = prepare_all(p, t);
        if (is == REFUSED || t->unfit) {
            note_refused(p, t, t->unfit ? t->unfit : -EINVAL);
            is = GOOD;
        }
    }
    return is;
}

/* It is to be carried out: -EIO is what is not done yet; who is refused has another error. */
static bool is_open(const struct db_txn *t)
{
    return t->rc == -EIO;
}

static enum outcome write_at_once(struct postgres *p, struct db_txns *batch, uint64_t last)
{
    bool sent = send_fence(p, last);
    struct db_txn *t;
    enum outcome is;

    STAILQ_FOREACH(t, batch, link)
    {
        if (sent && is_open(t))
            sent = send_statements(p, t);
    }
    if (!sent || !PQpipelineSync(p->pg)) {
        pg_drop(p, NULL);
        return LOST;
    }
    is = take_sync(p, GOOD);
    if (is != GOOD)
        return is;
    STAILQ_FOREACH(t, batch, link)
    {
        if (is_open(t))
            t->rc = 0;
    }
    p->written = (int64_t)last + 1;
    return GOOD;
}

/* One after the other: none is committed before one that is to be tried again. */
static enum outcome write_each(struct postgres *p, struct db_txns *batch)
{
    struct db_txn *t;

    STAILQ_FOREACH(t, batch, link)
    {
        enum outcome is;
        if (!is_open(t))
            continue;
        if (!send_fence(p, t->turn) || !send_statements(p, t) || !PQpipelineSync(p->pg)) {
            pg_drop(p, NULL);
            return LOST;
        }
        is = take_sync(p, GOOD);
        if (is == GOOD) {
            t->rc = 0;
            p->written = (int64_t)t->turn + 1;
        } else if (is == REFUSED)
            note_refused(p, t, -EINVAL);
        else
            return is;
    }
    return GOOD;
}

static int write_batch(struct postgres *p, struct db_txns *batch)
{
    uint64_t last = 0;
    enum outcome is = look_at_all(p, batch, &last);

    if (is == GOOD)
        is = write_at_once(p, batch, last);
    if (is == REFUSED)
        is = write_each(p, batch);
    return is == GOOD ? 0 : -EIO;
}

int pg_beat(struct postgres *p)
{
    struct db_statement fence;
    const char *name;
    enum outcome is;

    if (pg_connected(p) < 0)
        return -EIO;
    fence_of(p, &fence, (uint64_t)p->written - 1);
    is = prepare(p, &fence, &name);
    if (is != GOOD)
        return -EIO;
    if (!send_statement(p, NULL, &fence) || !PQpipelineSync(p->pg))
        return pg_drop(p, NULL);
    return take_sync(p, GOOD) == GOOD ? 0 : -EIO;
}

/* ---- reading ---- */

/* Hands the rows over. True: there may be more. */
static bool take_rows(struct db_txn *t, const struct dbconn_ops *ops, PGresult *r)
{
    struct db_row row = {ops, r, 0};

    for (row.at = 0; row.at < PQntuples(r); row.at++)
        if (!t->row(t->arg, &row))
            return false;
    return PQntuples(r) == FETCH_ROWS;
}

/* What was sent until the sync, of which the rows of one are wanted. */
static enum outcome take_fetched(struct postgres *p, struct db_txn *t, bool *more)
{
    enum outcome is = GOOD;

    *more = false;
    for (;;) {
        PGresult *r = next_result(p);
        ExecStatusType status = PQresultStatus(r);
        if (!r)
            return LOST;
        if (status == PGRES_TUPLES_OK && is == GOOD)
            *more = take_rows(t, p->conn.ops, r);
        else if (status == PGRES_FATAL_ERROR && is == GOOD)
            is = blame(p, r);
        PQclear(r);
        if (is == LOST || status == PGRES_PIPELINE_SYNC)
            return is;
    }
}

static bool send_plain(struct postgres *p, const char *sql)
{
    return PQsendQueryParams(p->pg, sql, 0, NULL, NULL, NULL, NULL, 0);
}

/* A cursor, since the caller may want only the first of many rows. */
static bool send_cursor(struct postgres *p, const struct db_txn *t)
{
    const struct db_statement *s = &t->statements[0];
    struct values v;
    struct buf sql;
    bool sent;

    buf_init(&sql, 0);
    buf_append_cstr(&sql, "DECLARE rows NO SCROLL CURSOR FOR ");
    dialect_postgres(&sql, s->sql);
    sent = buf_cstr(&sql) && !sql.failed && values_of(p, &v, t, s) && send_plain(p, "BEGIN") &&
           PQsendQueryParams(p->pg, buf_data(&sql), (int)s->n, v.types, v.values, v.lengths,
                             v.formats, 0) &&
           send_plain(p, "FETCH " FETCH " FROM rows") && PQpipelineSync(p->pg);
    buf_free(&sql);
    return sent;
}

static enum outcome read_rows(struct postgres *p, struct db_txn *t)
{
    bool more = false;
    bool sent = send_cursor(p, t);
    enum outcome is = sent ? take_fetched(p, t, &more) : LOST;

    while (sent && is == GOOD && more) {
        sent = send_plain(p, "FETCH " FETCH " FROM rows") && PQpipelineSync(p->pg);
        if (sent)
            is = take_fetched(p, t, &more);
    }
    if (sent && is != LOST) { /* also where it failed: the transaction is still there */
        sent = send_plain(p, "ROLLBACK") && PQpipelineSync(p->pg);
        if (sent && take_sync(p, GOOD) == LOST)
            is = LOST;
    }
    if (sent)
        return is;
    if (p->pg)
        pg_drop(p, NULL);
    return LOST;
}

static int read_batch(struct postgres *p, struct db_txns *batch)
{
    enum outcome is = GOOD;
    struct db_txn *t;

    STAILQ_FOREACH(t, batch, link)
    {
        if (is != LOST && t->unfit == 0)
            is = read_rows(p, t);
        t->rc = t->unfit ? t->unfit : is == GOOD ? 0 : -EIO;
        if (t->rc < 0 && is != LOST)
            note_refused(p, t, t->rc);
    }
    return is == LOST ? -EIO : 0;
}

int pg_run(struct dbconn *conn, struct db_txns *batch)
{
    struct postgres *p = (struct postgres *)conn;
    bool writes = !STAILQ_FIRST(batch)->row;
    struct db_txn *t;

    STAILQ_FOREACH(t, batch, link)
    {
        t->rc = -EIO;
    }
    if (pg_connected(p) < 0)
        return -EIO;
    return writes ? write_batch(p, batch) : read_batch(p, batch);
}

/* ---- rows ---- */

struct view pg_text(const struct db_row *row, int column)
{
    const PGresult *r = row->of;

    if (column >= PQnfields(r) || PQgetisnull(r, row->at, column))
        return view_of(NULL, 0);
    return view_of(PQgetvalue(r, row->at, column), (size_t)PQgetlength(r, row->at, column));
}

/* They end with a NUL. */
int64_t pg_integer(const struct db_row *row, int column)
{
    struct view v = pg_text(row, column);

    return v.len ? strtoll(v.ptr, NULL, 10) : 0;
}

double pg_real(const struct db_row *row, int column)
{
    struct view v = pg_text(row, column);

    return v.len ? strtod(v.ptr, NULL) : 0;
}
