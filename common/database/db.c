#include "database/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "database/claim.h"
#include "database/internal.h"

#define MAX_WAITING 200000
#define MAX_BATCH 2000
#define AGAIN_MS 1000
#define QUIET_US 60000000
/* Each commit waits for the disk, so writes that nobody waits for are committed together, at least
 * 10 ms after the previous commit. The first after a pause is committed at once. */
#define GATHER_US 10000
#define CHECK_MS 2000 /* from one look at the files to the next, while nothing is written */

struct db {
    struct log *log;
    const struct db_schema *schema;
    struct dbconn *conn; /* the thread's, once it runs */
    pthread_t thread;
    bool running;
    struct loop_wake *wake;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct db_txns reads, writes; /* by the lock: to be carried out */
    uint64_t turns;               /* by the lock: handed over so far */
    struct db_txns done;          /* by the lock */
    size_t n_waiting;             /* by the lock: to be carried out, under way, to be told */
    size_t n_awaited;             /* by the lock: to be carried out, and somebody waits for it */
    bool gathers;                 /* by the lock: the thread waits for more writes to go together */
    uint32_t patience_ms, again_ms, check_ms; /* db_set_times */
    uint64_t end_us;     /* by the lock: closing is to be over by then; 0: it is not closed */
    uint64_t again_us;   /* the thread's: not to be written before */
    uint64_t written_us; /* the thread's: when it has written last */
    bool moved;          /* by the lock: the files are not those that were opened */
    char error[240];     /* by the lock: why writing fails; empty: it does not */
    char refused[240];   /* by the lock: why one failed by itself, not yet looked at */
    uint64_t refused_us; /* the loop's: when one of those was logged last */
    bool told;           /* the loop's: the failing has been logged */
    bool beats;          /* it was claimed: others take it over when we are silent */
    uint64_t looked_us;  /* the thread's: when it has looked last */
    bool taken_over;     /* by the lock */
    void (*on_taken_over)(void *arg); /* the loop's; NULL once it was told */
    void *taken_over_arg;
    struct metric *up, *written, *lost;
};

/* ---- the thread ---- */

static uint64_t turn_of(const struct db_txns *list)
{
    return STAILQ_EMPTY(list) ? UINT64_MAX : STAILQ_FIRST(list)->turn;
}

/* By the lock: until when writes are gathered, or 0. */
static uint64_t gather_until(const struct db *d)
{
    uint64_t until = d->written_us + GATHER_US;

    return d->end_us || d->n_awaited || d->n_waiting >= MAX_BATCH || STAILQ_EMPTY(&d->writes) ||
                   clock_mono_us() >= until
               ? 0
               : until;
}

/* By the lock: takes what comes next and what is of the same kind right behind it. False: there is
 * nothing to do yet. */
static bool pick(struct db *d, struct db_txns *batch)
{
    bool due = d->end_us || clock_mono_us() >= d->again_us;
    uint64_t read = turn_of(&d->reads), write = due ? turn_of(&d->writes) : UINT64_MAX;
    struct db_txns *from = write < read ? &d->writes : &d->reads;
    uint64_t end = write < read ? read : write;

    if (gather_until(d))
        return false;
    for (size_t n = 0; n < MAX_BATCH && turn_of(from) < end; n++) {
        struct db_txn *t = STAILQ_FIRST(from);
        d->n_awaited -= t->done != NULL;
        STAILQ_REMOVE_HEAD(from, link);
        STAILQ_INSERT_TAIL(batch, t, link);
    }
    return !STAILQ_EMPTY(batch);
}

/* By the lock: waits for more to do, until it is time to try again, or to look at the files: false
 * then. */
static bool wait_for_more(struct db *d)
{
    bool writes = !STAILQ_EMPTY(&d->writes);
    uint64_t until = gather_until(d);

    if (until) {
        d->gathers = true;
        thread_cond_wait_until(&d->more, &d->lock, until);
        d->gathers = false;
        return true;
    }
    until = writes ? d->again_us : clock_mono_us() + d->check_ms * UINT64_C(1000);
    return thread_cond_wait_until(&d->more, &d->lock, until) != ETIMEDOUT || writes;
}

/* Tells what has become of the files, though there is nothing to write. Whatever else was wrong
 * shows when somebody does. */
static void look_at_files(struct db *d)
{
    int rc = dbconn_check(d->conn);

    pthread_mutex_lock(&d->lock);
    if (rc < 0 || d->moved)
        snprintf(d->error, sizeof(d->error), "%s", rc < 0 ? d->conn->error : "");
    d->moved = rc < 0;
    d->taken_over = d->conn->taken_over;
    pthread_mutex_unlock(&d->lock);
    d->looked_us = clock_mono_us();
    loop_wake(d->wake);
}

/* Also while there is always something else to do. */
static bool is_to_beat(const struct db *d, uint64_t end_us)
{
    return d->beats && !end_us && clock_mono_us() - d->looked_us > d->check_ms * UINT64_C(1000);
}

/* Waits for something to do. False: the end. *end_us: as in struct db. */
static bool take_batch(struct db *d, struct db_txns *batch, uint64_t *end_us)
{
    pthread_mutex_lock(&d->lock);
    while (!pick(d, batch) && !d->end_us)
        if (!wait_for_more(d)) {
            pthread_mutex_unlock(&d->lock);
            look_at_files(d);
            pthread_mutex_lock(&d->lock);
        }
    *end_us = d->end_us;
    pthread_mutex_unlock(&d->lock);
    return !STAILQ_EMPTY(batch);
}

/* What could not be written: leaves in the batch what was, and those who wait to be told, and puts
 * the others back. Who stands behind them is told as well: nobody knows when it would be his turn.
 */
static void put_back(struct db *d, struct db_txns *batch, int rc)
{
    struct db_txns all = STAILQ_HEAD_INITIALIZER(all), again = STAILQ_HEAD_INITIALIZER(again);
    struct db_txn *t;

    pthread_mutex_lock(&d->lock);
    STAILQ_FOREACH(t, &d->writes, link)
    {
        t->rc = rc;
        d->n_awaited -= t->done != NULL; /* which is told now */
    }
    STAILQ_CONCAT(&all, batch);
    STAILQ_CONCAT(&all, &d->writes);
    pthread_mutex_unlock(&d->lock);
    while ((t = STAILQ_FIRST(&all))) {
        STAILQ_REMOVE_HEAD(&all, link);
        if (t->done || t->rc == 0)
            STAILQ_INSERT_TAIL(batch, t, link);
        else
            STAILQ_INSERT_TAIL(&again, t, link);
    }
    pthread_mutex_lock(&d->lock);
    STAILQ_CONCAT(&again, &d->writes); /* those that came meanwhile */
    STAILQ_CONCAT(&d->writes, &again);
    pthread_mutex_unlock(&d->lock);
    d->again_us = clock_mono_us() + d->again_ms * UINT64_C(1000);
}

/* All attempts that are made while it is closed have to be over by its end. */
static void hurry(struct db *d, uint64_t end_us)
{
    uint64_t now = clock_mono_us();

    dbconn_patience(d->conn, end_us > now ? (int)((end_us - now) / 1000) : 0);
}

/* Hands what is done to the loop, with what it is to know about it. That reading goes well says
 * nothing about writing. */
static void finish(struct db *d, struct db_txns *done, bool writes, int rc)
{
    const char *refused = rc == 0 ? d->conn->refused : writes ? "" : d->conn->error;

    pthread_mutex_lock(&d->lock);
    if (writes)
        snprintf(d->error, sizeof(d->error), "%s", rc < 0 ? d->conn->error : "");
    if (*refused)
        snprintf(d->refused, sizeof(d->refused), "%s", refused);
    d->taken_over = d->conn->taken_over;
    STAILQ_CONCAT(&d->done, done);
    pthread_mutex_unlock(&d->lock);
}

static void *work(void *arg)
{
    struct db *d = arg;
    struct db_txns batch = STAILQ_HEAD_INITIALIZER(batch);
    uint64_t end_us;

    while (take_batch(d, &batch, &end_us)) {
        bool writes = !STAILQ_FIRST(&batch)->row;
        int rc;
        if (end_us)
            hurry(d, end_us);
        rc = dbconn_run(d->conn, &batch);
        if (writes)
            d->written_us = clock_mono_us();
        if (rc < 0 && writes && !end_us)
            put_back(d, &batch, rc);
        finish(d, &batch, writes, rc);
        loop_wake(d->wake);
        if (is_to_beat(d, end_us))
            look_at_files(d);
    }
    return NULL;
}

/* ---- the loop's side ---- */

static void log_change(struct db *d, const char *error)
{
    if (*error && !d->told)
        log_error(d->log, "database: cannot write: %s. %s", error, d->schema->refuses);
    else if (!*error && d->told)
        log_notice(d->log, "database: writing again");
    d->told = *error != '\0';
    metric_set(d->up, !d->told);
}

/* One that fails by itself would do so again: a fault of the program, or a foreign trigger.
 */
static void log_refused(struct db *d, const char *why)
{
    if (*why && clock_once_in(&d->refused_us, QUIET_US))
        log_warning(d->log, "database: refused: %s", why);
}

static void tell(struct db *d, struct db_txn *t)
{
    if (t->rc == 0)
        metric_add(d->written, (double)t->n);
    else if (!t->done)
        metric_add(d->lost, (double)t->n);
    if (t->done)
        t->done(t->arg, t->rc);
    txn_free(t);
}

static void deliver(struct db *d)
{
    struct db_txns done = STAILQ_HEAD_INITIALIZER(done);
    struct db_txn *t;
    char error[sizeof(d->error)], refused[sizeof(d->refused)];

    pthread_mutex_lock(&d->lock);
    STAILQ_CONCAT(&done, &d->done);
    memcpy(error, d->error, sizeof(error));
    memcpy(refused, d->refused, sizeof(refused));
    d->refused[0] = '\0';
    pthread_mutex_unlock(&d->lock);
    log_change(d, error);
    log_refused(d, refused);
    while ((t = STAILQ_FIRST(&done))) {
        STAILQ_REMOVE_HEAD(&done, link);
        pthread_mutex_lock(&d->lock);
        d->n_waiting--;
        pthread_mutex_unlock(&d->lock);
        tell(d, t);
    }
}

static void on_done(void *arg)
{
    struct db *d = arg;
    void (*over_fn)(void *arg);
    bool over;

    deliver(d);
    pthread_mutex_lock(&d->lock);
    over = d->taken_over;
    pthread_mutex_unlock(&d->lock);
    over_fn = over ? d->on_taken_over : NULL;
    if (!over_fn)
        return;
    d->on_taken_over = NULL;
    over_fn(d->taken_over_arg);
}

void db_on_taken_over(struct db *d, void (*over)(void *arg), void *arg)
{
    d->on_taken_over = over;
    d->taken_over_arg = arg;
}

int64_t db_term(const struct db *d)
{
    return d->conn->term;
}

static bool is_full(struct db *d)
{
    bool full;

    pthread_mutex_lock(&d->lock);
    full = d->n_waiting >= MAX_WAITING || d->end_us;
    pthread_mutex_unlock(&d->lock);
    return full;
}

static void hand_over(struct db *d, struct db_txn *t)
{
    pthread_mutex_lock(&d->lock);
    d->n_waiting++;
    d->n_awaited += t->done != NULL;
    t->turn = d->turns++;
    STAILQ_INSERT_TAIL(t->row ? &d->reads : &d->writes, t, link);
    if (t->done || !d->gathers)
        pthread_cond_signal(&d->more);
    pthread_mutex_unlock(&d->lock);
}

struct db_txn *db_begin(struct db *d)
{
    return !d || is_full(d) ? NULL : txn_new(d);
}

void db_add(struct db_txn *t, const char *sql, const char *types, ...)
{
    va_list ap;

    va_start(ap, types);
    txn_add(t, sql, types, ap);
    va_end(ap);
}

void db_commit_take(struct db_txn **tp, db_done_fn *done, void *arg)
{
    struct db_txn *t = *tp;

    *tp = NULL;
    t->done = done;
    t->arg = arg;
    hand_over(t->d, t);
}

void db_write(struct db *d, const char *sql, const char *types, ...)
{
    struct db_txn *t = db_begin(d);
    va_list ap;

    if (!t) {
        if (d)
            metric_add(d->lost, 1);
        return;
    }
    va_start(ap, types);
    txn_add(t, sql, types, ap);
    va_end(ap);
    db_commit_take(&t, NULL, NULL);
}

int db_read(struct db *d, const char *sql, db_row_fn *row, db_done_fn *done, void *arg,
            const char *types, ...)
{
    struct db_txn *t = db_begin(d);
    va_list ap;

    if (!t)
        return -ENOBUFS;
    va_start(ap, types);
    txn_add(t, sql, types, ap);
    va_end(ap);
    t->row = row;
    db_commit_take(&t, done, arg);
    return 0;
}

int db_read_now(struct db *d, const char *sql, db_row_fn *row, void *arg, const char *types, ...)
{
    struct db_txns one = STAILQ_HEAD_INITIALIZER(one);
    struct db_txn *t = txn_new(d);
    va_list ap;
    int rc;

    if (!t)
        return -ENOMEM;
    va_start(ap, types);
    txn_add(t, sql, types, ap);
    va_end(ap);
    t->row = row;
    t->arg = arg;
    STAILQ_INSERT_TAIL(&one, t, link);
    rc = dbconn_run(d->conn, &one);
    if (rc == 0)
        rc = t->rc;
    if (rc < 0)
        log_error(d->log, "database: cannot be read: %s", d->conn->error);
    txn_free(t);
    return rc;
}

/* ---- life ---- */

static struct db *db_new(struct loop *loop, const struct db_schema *schema, struct metrics *metrics,
                         struct log *log, int *err)
{
    struct db *d = calloc(1, sizeof(*d));

    *err = -ENOMEM;
    if (!d)
        return NULL;
    d->log = log;
    d->schema = schema;
    d->patience_ms = DB_PATIENCE_MS;
    d->again_ms = AGAIN_MS;
    d->check_ms = CHECK_MS;
    STAILQ_INIT(&d->reads);
    STAILQ_INIT(&d->writes);
    STAILQ_INIT(&d->done);
    pthread_mutex_init(&d->lock, NULL);
    thread_cond_init(&d->more);
    d->up = metrics_add(metrics, schema->up, NULL);
    d->written = metrics_add(metrics, schema->written, NULL);
    d->lost = metrics_add(metrics, schema->lost, NULL);
    if (d->up && d->written && d->lost)
        d->wake = loop_wake_new(loop, on_done, d, err);
    if (!d->wake)
        db_close(&d);
    return d;
}

/* Of a connection that was opened with this result. */
static void begin(struct db **d, int *err)
{
    if (*err == 0)
        *err = dbconn_steps((*d)->conn, (*d)->schema);
    if (*err < 0 && (*d)->conn)
        dbconn_log((*d)->conn, (*d)->schema, (*d)->log, *err);
    if (*err < 0)
        db_close(d);
    else
        metric_set((*d)->up, 1);
}

struct db *db_open(struct loop *loop, const char *where, const struct db_schema *schema,
                   struct metrics *metrics, struct log *log, int *err)
{
    struct db *d = db_new(loop, schema, metrics, log, err);

    if (!d)
        return NULL;
    *err = dbconn_open(&d->conn, where);
    begin(&d, err);
    return d;
}

struct db *db_open_claimed(struct loop *loop, struct db_claim **claim,
                           const struct db_schema *schema, struct metrics *metrics, struct log *log,
                           int *err)
{
    struct db *d = db_new(loop, schema, metrics, log, err);

    if (!d) {
        db_claim_destroy(claim);
        return NULL;
    }
    d->conn = claim_take(claim);
    d->beats = true;
    d->check_ms = DB_BEAT_MS;
    *err = 0;
    begin(&d, err);
    return d;
}

void db_set_times(struct db *d, uint32_t patience_ms, uint32_t again_ms, uint32_t check_ms)
{
    d->patience_ms = patience_ms;
    d->again_ms = again_ms;
    d->check_ms = check_ms;
    dbconn_patience(d->conn, (int)patience_ms);
}

int db_start(struct db *d)
{
    int rc = thread_start(&d->thread, work, d);

    d->running = rc == 0;
    return rc;
}

static void drop(struct db_txns *list)
{
    struct db_txn *t;

    while ((t = STAILQ_FIRST(list))) {
        STAILQ_REMOVE_HEAD(list, link);
        txn_free(t);
    }
}

void db_close(struct db **dp)
{
    struct db *d = dp ? *dp : NULL;

    if (!d)
        return;
    if (d->running) {
        pthread_mutex_lock(&d->lock);
        d->end_us = clock_mono_us() + d->patience_ms * UINT64_C(1000);
        pthread_cond_signal(&d->more);
        pthread_mutex_unlock(&d->lock);
        pthread_join(d->thread, NULL);
        deliver(d);
    }
    *dp = NULL;
    drop(&d->reads);
    drop(&d->writes);
    drop(&d->done);
    loop_wake_destroy(&d->wake);
    dbconn_close(&d->conn);
    pthread_cond_destroy(&d->more);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
