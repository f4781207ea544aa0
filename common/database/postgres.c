/*
 * The connection to a PostgreSQL server, and the right to write.
 *
 * A session lock of the server (pg_advisory_lock) says who owns the database: it ends with the
 * connection. The process that gets it raises `epoch` in ctibus_owner, and each batch of writes
 * names its own epoch and is refused under another one (ctibus_fence). So a process that lost its
 * connection without noticing, or stood still meanwhile, cannot write any more once another one has
 * the lock.
 *
 * The same row holds the turn of the last transaction that was committed: when a connection ends
 * before the server has answered, it says after the next connect what was committed, so that
 * nothing is written twice.
 */
#include "database/postgres.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "database/dialect.h"

#define START_MS 10000 /* for connecting when state starts */
#define AGAIN_US 1000000
#define LOCK_KEY "109351635416435" /* "ctibus", as a number */
#define OLDEST_SERVER 120000

static struct postgres *of_conn(struct dbconn *c)
{
    return (struct postgres *)c;
}

int pg_failed(struct postgres *p, const char *message)
{
    pg_one_line(p->conn.error, sizeof(p->conn.error), message);
    return -EIO;
}

int pg_drop(struct postgres *p, const char *why)
{
    size_t pos = 0;
    void *v;

    pg_failed(p, why ? why : PQerrorMessage(p->pg));
    while (p->prepared && map_next(p->prepared, &pos, NULL, &v))
        free(v);
    map_destroy(&p->prepared);
    PQfinish(p->pg);
    p->pg = NULL;
    return -EIO;
}

static void set_deadline(struct postgres *p, int ms)
{
    p->deadline_us = clock_mono_us() + (uint64_t)ms * 1000;
}

static void extend_deadline(struct postgres *p)
{
    uint64_t later = clock_mono_us() + (uint64_t)p->patience_ms * 1000;

    if (later > p->deadline_us)
        p->deadline_us = later;
}

/* 0: it is ready; -EIO: not until the deadline. */
static int wait_for(const struct postgres *p, short events)
{
    uint64_t now = clock_mono_us();
    struct pollfd fd = {.fd = PQsocket(p->pg), .events = events};
    int left = now < p->deadline_us ? (int)((p->deadline_us - now) / 1000) + 1 : 0;
    int rc;

    do
        rc = left > 0 ? poll(&fd, 1, left) : 0;
    while (rc < 0 && errno == EINTR);
    return rc > 0 ? 0 : -EIO;
}

int pg_wait(struct postgres *p)
{
    int more = PQflush(p->pg);

    if (more < 0)
        return pg_drop(p, NULL);
    if (wait_for(p, more ? POLLIN | POLLOUT : POLLIN) < 0)
        return pg_drop(p, "the server does not answer in time");
    if (!PQconsumeInput(p->pg))
        return pg_drop(p, NULL);
    extend_deadline(p); /* it is at work: a slow server gets through a large batch, too */
    return 0;
}

/* ---- before the pipeline: one request after the other ---- */

/* The last result of all the statements, or NULL with an error; a connection that failed is
 * dropped. *busy: somebody has a lock. */
static PGresult *ask(struct postgres *p, const char *sql, bool *busy)
{
    PGresult *last = NULL;
    bool good = true;

    if (!PQsendQuery(p->pg, sql)) {
        pg_drop(p, NULL);
        return NULL;
    }
    for (;;) {
        PGresult *r;
        while (PQisBusy(p->pg))
            if (pg_wait(p) < 0) {
                PQclear(last);
                return NULL;
            }
        r = PQgetResult(p->pg);
        if (!r)
            break;
        if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
            const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE);
            pg_failed(p, PQresultErrorMessage(r));
            if (busy && code)
                *busy = strcmp(code, "55P03") == 0;
            good = false;
        }
        PQclear(last);
        last = r;
    }
    if (good && last)
        return last;
    PQclear(last);
    return NULL;
}

static int tell(struct postgres *p, const char *sql)
{
    PGresult *r = ask(p, sql, NULL);

    PQclear(r);
    return r ? 0 : -EIO;
}

static int64_t number(const PGresult *r, int column)
{
    return PQntuples(r) == 1 && PQnfields(r) > column ? strtoll(PQgetvalue(r, 0, column), NULL, 10)
                                                      : 0;
}

static void no_notice(void *arg, const PGresult *r)
{
}

/* ---- connecting ---- */

static int connect_step(struct postgres *p)
{
    for (;;) {
        PostgresPollingStatusType is = PQconnectPoll(p->pg);
        if (is == PGRES_POLLING_OK)
            return 0;
        if (is == PGRES_POLLING_FAILED)
            return pg_drop(p, NULL);
        if (wait_for(p, is == PGRES_POLLING_READING ? POLLIN : POLLOUT) < 0)
            return pg_drop(p, "the server does not answer");
    }
}

static int check_server(struct postgres *p)
{
    const char *encoding = PQparameterStatus(p->pg, "server_encoding");

    if (PQserverVersion(p->pg) < OLDEST_SERVER)
        return pg_drop(p, "the server is older than PostgreSQL 12");
    if (!encoding || strcmp(encoding, "UTF8") != 0)
        return pg_drop(p, "its encoding is not UTF8: make it with CREATE DATABASE ... ENCODING "
                          "'UTF8' TEMPLATE template0");
    return 0;
}

/* A lost connection of ours may hold the lock until the server notices: keepalives of both ends. */
#define SESSION                                                                                    \
    "SET client_min_messages = warning; SET tcp_keepalives_idle = 1;"                              \
    "SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2;"                               \
    "SET statement_timeout = 2000; SET lock_timeout = 1500"

static int take_lock(struct postgres *p)
{
    bool busy = false;
    PGresult *r = ask(p, SESSION ";SELECT pg_advisory_lock(" LOCK_KEY ")", &busy);

    PQclear(r);
    if (r)
        return 0;
    if (p->pg)
        pg_drop(p, busy ? "another process of ctibus uses it" : p->conn.error);
    return busy ? -EBUSY : -EIO;
}

static int connect_server(struct postgres *p)
{
    struct pg_parameters all;
    int rc;

    pg_uri_parameters(&all, &p->uri, "");
    pg_parameters_add(&all, "keepalives_idle", "1");
    pg_parameters_add(&all, "keepalives_interval", "1");
    pg_parameters_add(&all, "keepalives_count", "2");
    pg_parameters_add(&all, "tcp_user_timeout", "3000");
    p->pg = PQconnectStartParams(all.names, all.values, 0);
    if (!p->pg)
        return pg_failed(p, "out of memory");
    if (PQstatus(p->pg) == CONNECTION_BAD)
        return pg_drop(p, NULL);
    PQsetNoticeReceiver(p->pg, no_notice, NULL);
    rc = connect_step(p);
    if (rc == 0)
        rc = check_server(p);
    if (rc == 0 && PQsetnonblocking(p->pg, 1) < 0)
        rc = pg_drop(p, NULL);
    return rc;
}

static int connect_and_lock(struct postgres *p)
{
    int rc = connect_server(p);

    return rc == 0 ? take_lock(p) : rc;
}

static int begin_pipeline(struct postgres *p)
{
    p->prepared = map_new();
    if (!p->prepared || !PQenterPipelineMode(p->pg))
        return pg_drop(p, "out of memory");
    return 0;
}

/* Nobody may have owned it meanwhile; and what was committed, though its answer is lost? */
static int recall(struct postgres *p)
{
    PGresult *r = ask(p, "SELECT epoch, turn FROM ctibus_owner", NULL);
    int64_t term = r ? number(r, 0) : 0;
    int64_t turn = r ? number(r, 1) : 0;

    PQclear(r);
    if (!r)
        return p->pg ? pg_drop(p, p->conn.error) : -EIO;
    if (term != p->conn.term) {
        p->conn.taken_over = true;
        return pg_drop(p, "another process of ctibus has taken it over: stop one of them");
    }
    p->written = turn;
    return 0;
}

int pg_connected(struct postgres *p)
{
    uint64_t now = clock_mono_us();

    if (p->pg && PQstatus(p->pg) == CONNECTION_OK)
        return 0;
    if (p->pg)
        pg_drop(p, NULL);
    if (p->conn.taken_over || now < p->again_us)
        return -EIO;
    p->again_us = now + AGAIN_US;
    /* First without the lock, which another one that has taken it over will not give back. */
    if (connect_server(p) < 0 || recall(p) < 0 || take_lock(p) < 0 || recall(p) < 0)
        return -EIO;
    return begin_pipeline(p);
}

/* ---- for a claim ---- */

/* A copy that follows another server gives out its locks, too, but takes no writes. */
static int check_writable(struct postgres *p)
{
    PGresult *r = ask(p, SESSION "; SELECT current_setting('transaction_read_only')", NULL);
    bool writable = r && PQntuples(r) == 1 && strcmp(PQgetvalue(r, 0, 0), "off") == 0;

    PQclear(r);
    return writable ? 0
           : r      ? pg_drop(p, "the server takes no writes: is it a copy of another one?")
                    : -EIO;
}

int pg_connect(struct postgres *p)
{
    int rc;

    set_deadline(p, p->patience_ms);
    rc = connect_server(p);
    return rc == 0 ? check_writable(p) : rc;
}

int pg_try_lock(struct postgres *p)
{
    PGresult *r;
    bool taken;

    set_deadline(p, p->patience_ms);
    r = ask(p, "SELECT pg_try_advisory_lock(" LOCK_KEY ")::int", NULL);
    taken = r && number(r, 0) == 1;
    PQclear(r);
    return taken ? 1 : r ? 0 : -EIO;
}

/* Who has the lock. The two halves of its key are columns of their own. */
#define HAS_LOCK                                                                                   \
    " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"                                         \
    " JOIN pg_database d ON d.oid = l.database"                                                    \
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"                              \
    " AND d.datname = current_database()"                                                          \
    " AND l.classid::bigint = " LOCK_KEY " >> 32"                                                  \
    " AND l.objid::bigint = " LOCK_KEY " & 4294967295"

int pg_read_owner(struct postgres *p, struct pg_owner *out)
{
    PGresult *r;
    bool known;

    set_deadline(p, p->patience_ms);
    r = ask(p,
            "SELECT epoch, extract(epoch FROM clock_timestamp() - heartbeat), name,"
            " coalesce((SELECT max(pid)" HAS_LOCK "), 0) FROM ctibus_owner",
            NULL);
    known = r && PQntuples(r) == 1;
    if (known) {
        out->term = number(r, 0);
        out->silent_s = strtod(PQgetvalue(r, 0, 1), NULL);
        snprintf(out->name, sizeof(out->name), "%s", PQgetvalue(r, 0, 2));
        out->session = number(r, 3);
    }
    PQclear(r);
    return known ? 0 : -EIO;
}

int pg_end_owner(struct postgres *p, int64_t session)
{
    char sql[700];
    PGresult *r;
    int ended;

    set_deadline(p, p->patience_ms);
    snprintf(sql, sizeof(sql),
             "SELECT count(pg_terminate_backend(pid))" HAS_LOCK
             " AND a.state <> 'active' AND pid = %lld",
             (long long)session);
    r = ask(p, sql, NULL);
    ended = r && number(r, 0) > 0;
    PQclear(r);
    return ended ? 1 : r ? 0 : -EIO;
}

/* ---- tables ---- */

#define OWN_TABLES                                                                                 \
    "CREATE TABLE IF NOT EXISTS ctibus_schema (version BIGINT NOT NULL);"                          \
    "CREATE TABLE IF NOT EXISTS ctibus_owner (epoch BIGINT NOT NULL, turn BIGINT NOT NULL);"       \
    "INSERT INTO ctibus_schema (version) SELECT 0"                                                 \
    " WHERE NOT EXISTS (SELECT 1 FROM ctibus_schema);"                                             \
    "INSERT INTO ctibus_owner (epoch, turn) SELECT 0, 0"                                           \
    " WHERE NOT EXISTS (SELECT 1 FROM ctibus_owner);"                                              \
    "ALTER TABLE ctibus_owner ADD COLUMN IF NOT EXISTS name TEXT NOT NULL DEFAULT '',"             \
    " ADD COLUMN IF NOT EXISTS heartbeat TIMESTAMPTZ NOT NULL DEFAULT now();"                      \
    "CREATE OR REPLACE FUNCTION ctibus_json_each(list TEXT) RETURNS TABLE (value TEXT)"            \
    " LANGUAGE SQL IMMUTABLE AS 'SELECT json_array_elements_text($1::json)';"                      \
    "CREATE OR REPLACE FUNCTION ctibus_fence(mine BIGINT, latest BIGINT) RETURNS void"             \
    " LANGUAGE plpgsql AS $f$ BEGIN"                                                               \
    " UPDATE ctibus_owner SET turn = latest, heartbeat = clock_timestamp() WHERE epoch = mine;"    \
    " IF NOT FOUND THEN RAISE EXCEPTION 'another process of ctibus has taken it over'"             \
    " USING ERRCODE = 'CT001'; END IF; END $f$"

/* Those who wait see the sign of life of the owner before until the term begins. */
#define TAKE_TIME "UPDATE ctibus_owner SET heartbeat = clock_timestamp() + interval '10 min'"

static int take_step(struct postgres *p, const char *step, int n)
{
    struct buf sql;
    int rc;

    buf_init(&sql, 0);
    buf_append_cstr(&sql, "BEGIN;");
    dialect_postgres(&sql, step);
    buf_printf(&sql, ";UPDATE ctibus_schema SET version = %d; COMMIT", n + 1);
    rc = buf_cstr(&sql) && !sql.failed ? tell(p, buf_data(&sql)) : pg_failed(p, "out of memory");
    buf_free(&sql);
    return rc;
}

/* It begins to write a while after that: until then it is not to be taken for one that stands
 * still. */
static int begin_term(struct postgres *p)
{
    char *name = PQescapeLiteral(p->pg, p->name, strlen(p->name));
    struct buf sql;
    PGresult *r;

    buf_init(&sql, 0);
    buf_printf(&sql,
               "SET statement_timeout = 2000;"
               "UPDATE ctibus_owner SET epoch = epoch + 1, turn = 0, name = %s,"
               " heartbeat = clock_timestamp() + interval '30 s' RETURNING epoch",
               name ? name : "''");
    r = buf_cstr(&sql) && !sql.failed ? ask(p, buf_data(&sql), NULL) : NULL;
    p->conn.term = r ? number(r, 0) : 0;
    PQclear(r);
    buf_free(&sql);
    PQfreemem(name);
    return p->conn.term > 0 ? begin_pipeline(p) : -EIO;
}

static int steps(struct dbconn *conn, const struct db_schema *schema)
{
    struct postgres *p = of_conn(conn);
    PGresult *r;
    int version;
    int rc;

    set_deadline(p, PG_STEP_MS);
    rc = tell(p, "SET statement_timeout = 0; " OWN_TABLES ";" TAKE_TIME);
    r = rc == 0 ? ask(p, "SELECT version FROM ctibus_schema", NULL) : NULL;
    version = r ? (int)number(r, 0) : 0;
    PQclear(r);
    rc = !r ? -EIO : version > schema->n_steps ? -EPROTO : 0;
    for (; rc == 0 && version < schema->n_steps; version++)
        rc = take_step(p, schema->steps[version], version);
    if (rc == 0 && schema->reports)
        rc = tell(p, schema->reports);
    return rc == 0 ? begin_term(p) : rc;
}

/* `table` is a name of the program's. */
static int count_on(struct dbconn *conn, const char *table)
{
    struct postgres *p = of_conn(conn);
    char sql[200];
    int rc;

    set_deadline(p, PG_STEP_MS);
    snprintf(sql, sizeof(sql),
             "SELECT setval(pg_get_serial_sequence('%s', 'id'), coalesce(max(id), 0) + 1, false)"
             " FROM %s",
             table, table);
    if (!p->pg || !PQexitPipelineMode(p->pg))
        return -EIO;
    rc = tell(p, sql);
    if (p->pg && !PQenterPipelineMode(p->pg))
        rc = pg_drop(p, NULL);
    return rc;
}

/* ---- life ---- */

static int check(struct dbconn *conn)
{
    struct postgres *p = of_conn(conn);

    set_deadline(p, p->patience_ms);
    if (p->pg && !PQconsumeInput(p->pg))
        pg_drop(p, NULL);
    return *p->name ? pg_beat(p) : pg_connected(p);
}

static int run(struct dbconn *conn, struct db_txns *batch)
{
    struct postgres *p = of_conn(conn);

    set_deadline(p, p->patience_ms);
    return pg_run(conn, batch);
}

static void patience(struct dbconn *conn, int ms)
{
    of_conn(conn)->patience_ms = ms;
}

void pg_destroy_conn(struct postgres *p)
{
    pg_drop(p, "");
    buf_free(&p->scratch);
    explicit_bzero(&p->uri, sizeof(p->uri));
    free(p);
}

static void destroy(struct dbconn *conn)
{
    pg_destroy_conn(of_conn(conn));
}

static const struct dbconn_ops ops = {
    .text = pg_text,
    .integer = pg_integer,
    .real = pg_real,
    .steps = steps,
    .check = check,
    .run = run,
    .count_on = count_on,
    .patience = patience,
    .destroy = destroy,
    .advice = "The server must be up and let this user in, who must be allowed to make tables in "
              "that database",
};

int pg_make(struct postgres **out, const char *uri)
{
    struct postgres *p = calloc(1, sizeof(*p));
    const char *fault;

    *out = p;
    if (!p)
        return -ENOMEM;
    p->conn.ops = &ops;
    p->patience_ms = PG_PATIENCE_MS;
    buf_init(&p->scratch, 0);
    set_deadline(p, START_MS);
    fault = pg_uri_read(&p->uri, view_cstr(uri));
    if (fault) {
        snprintf(p->conn.error, sizeof(p->conn.error), "it %s", fault);
        return -EINVAL;
    }
    pg_uri_public(&p->uri, p->conn.name, sizeof(p->conn.name));
    return 0;
}

int postgres_open(struct dbconn **out, const char *uri)
{
    struct postgres *p;
    int rc = pg_make(&p, uri);

    *out = p ? &p->conn : NULL;
    return rc == 0 ? connect_and_lock(p) : rc;
}

int db_probe(const char *uri, char *name, char *why, size_t size)
{
    struct postgres *p;
    int rc = pg_make(&p, uri);

    if (rc == 0)
        rc = connect_server(p);
    snprintf(name, size, "%s", p ? p->conn.name : "");
    snprintf(why, size, "%s", p ? p->conn.error : "out of memory");
    if (p)
        pg_destroy_conn(p);
    return rc;
}
