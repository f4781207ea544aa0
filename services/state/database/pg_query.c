/* Queries of a connection to a PostgreSQL server, and their answers. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "database/pg_internal.h"

#define MAX_WAITING 25000 /* queries */
#define MAX_COLUMNS 32    /* of a row that are given */

/* ---- queries ---- */

static void end_query(struct pg *p, const struct pg_result *r)
{
    struct query *q = STAILQ_FIRST(&p->queries);

    STAILQ_REMOVE_HEAD(&p->queries, link);
    p->n_queries--;
    p->sent = false;
    q->done(q->arg, r);
    free(q);
}

void pg_lose_queries(struct pg *p)
{
    const struct pg_result lost = {.outcome = PG_LOST, .message = ""};
    size_t n = p->n_queries; /* done functions may not ask: there is no connection */

    while (n-- > 0)
        end_query(p, &lost);
}

static struct query *query_new(const char *sql, const char *const *values, size_t n)
{
    size_t len = 0;
    struct query *q;
    char *at;

    for (size_t i = 0; i < n; i++)
        len += strlen(values[i]) + 1;
    q = calloc(1, sizeof(*q) + len);
    if (!q)
        return NULL;
    q->sql = sql;
    q->n = n;
    at = q->text;
    for (size_t i = 0; i < n; i++) {
        q->values[i] = at;
        at = stpcpy(at, values[i]) + 1;
    }
    return q;
}

/* ---- results ---- */

/* What is wrong with the server, not with what was asked: it is to be asked again later. */
static bool is_passing(const char *sqlstate)
{
    static const char *const classes[] = {"08", "25", "40", "53", "55", "57", "58", "XX"};

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        if (strncmp(sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}

static void take_error(struct pg *p, const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

    snprintf(p->result.sqlstate, sizeof(p->result.sqlstate), "%s", state ? state : "");
    pg_one_line(p->message, sizeof(p->message), message ? message : PQresultErrorMessage(r));
    p->result.outcome = state && !is_passing(state) ? PG_REFUSED : PG_LOST;
}

static void take_row(struct pg *p, const PGresult *r)
{
    const struct query *q = STAILQ_FIRST(&p->queries);
    struct view values[MAX_COLUMNS];
    size_t n = (size_t)PQnfields(r) < MAX_COLUMNS ? (size_t)PQnfields(r) : MAX_COLUMNS;

    for (int row = 0; row < PQntuples(r); row++) {
        for (size_t i = 0; i < n; i++)
            values[i] = view_of(PQgetvalue(r, row, (int)i), (size_t)PQgetlength(r, row, (int)i));
        p->result.rows++;
        if (q->row)
            q->row(q->arg, values, n);
    }
}

static void take_result(struct pg *p, const PGresult *r)
{
    uint64_t changed;

    switch (PQresultStatus(r)) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
        take_row(p, r);
        break;
    case PGRES_COMMAND_OK:
        if (view_to_u64(view_cstr(PQcmdTuples((PGresult *)r)), &changed) == 0)
            p->result.rows += changed;
        break;
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
        take_error(p, r);
        break;
    default: /* COPY, which nobody has asked for */
        pg_fail(p, "an answer of another kind than was asked for");
    }
}

/* Whether the connection is still there. */
static bool query_ended(struct pg *p)
{
    const struct pg_result r = p->result;

    loop_timer_stop(p->timer);
    /* a server that is going down, or is a standby: another may answer at the same address */
    if (r.outcome == PG_LOST) {
        char why[PG_MAX_WHY];
        snprintf(why, sizeof(why), "%s", *p->message ? p->message : "the connection has ended");
        pg_lost(p, why);
        return false;
    }
    p->in_callback = true;
    end_query(p, &r);
    return !pg_after_callback(p);
}

static bool flush(struct pg *p)
{
    int left = PQflush(p->conn);

    if (left >= 0 && pg_await(p, (short)(left ? EV_READ | EV_WRITE : EV_READ)))
        return true;
    pg_lost(p, PQerrorMessage(p->conn));
    return false;
}

void pg_send_next(struct pg *p)
{
    struct query *q = STAILQ_FIRST(&p->queries);

    if (p->phase != PG_UP || !q || p->sent)
        return;
    p->sent = true;
    *p->message = '\0';
    p->result = (struct pg_result){.outcome = PG_DONE, .message = p->message};
    if (!PQsendQueryParams(p->conn, q->sql, (int)q->n, NULL, (const char *const *)q->values, NULL,
                           NULL, 0)) {
        pg_lost(p, PQerrorMessage(p->conn));
        return;
    }
    PQsetSingleRowMode(p->conn);
    loop_timer_start(p->timer, PG_DEADLINE_MS, false);
    flush(p);
}

/* Takes what has come. Whether the connection is still there. */
static bool take_results(struct pg *p)
{
    while (p->sent && !PQisBusy(p->conn)) {
        PGresult *r = PQgetResult(p->conn);
        if (!r) {
            if (!query_ended(p))
                return false;
            pg_send_next(p);
            if (p->phase != PG_UP)
                return false;
            continue;
        }
        p->in_callback = true;
        take_result(p, r);
        PQclear(r);
        if (pg_after_callback(p))
            return false;
        loop_timer_start(p->timer, PG_DEADLINE_MS, false);
    }
    return true;
}

void pg_output(struct pg *p)
{
    if (flush(p))
        pg_input(p);
}

void pg_input(struct pg *p)
{
    if (!PQconsumeInput(p->conn)) {
        pg_lost(p, PQerrorMessage(p->conn));
        return;
    }
    if (take_results(p) && !p->sent)
        PQisBusy(p->conn); /* reads what the server says unasked: that it ends */
}

/* ---- asking ---- */

int pg_ask(struct pg *p, const char *sql, const char *const *values, size_t n, pg_row_fn *row,
           pg_done_fn *done, void *arg)
{
    struct query *q;

    if (!pg_is_up(p))
        return -ENOTCONN;
    if (p->n_queries == MAX_WAITING || n > PG_MAX_VALUES)
        return -ENOBUFS;
    q = query_new(sql, values, n);
    if (!q)
        return -ENOMEM;
    q->row = row;
    q->done = done;
    q->arg = arg;
    STAILQ_INSERT_TAIL(&p->queries, q, link);
    p->n_queries++;
    /* never now: the caller may not be ready for the answer */
    loop_task_post(p->starter);
    return 0;
}
