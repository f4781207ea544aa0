#include "database/claim.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "database/postgres.h"

#define LOOK_US 200000     /* from one attempt to take the lock to the next */
#define CONNECT_US 1000000 /* and to connect */

struct db_claim {
    struct log *log;
    db_claim_fn *told;
    void *arg;
    uint32_t silent_ms;
    struct postgres *pg; /* the thread's, until it is won */
    pthread_t thread;
    bool running;
    struct loop_wake *wake;
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool stop;                      /* by the lock */
    struct db_claim_status status;  /* by the lock */
    struct db_claim_status told_of; /* the loop's */
    bool again;                     /* the thread's: it has tried to connect before */
    uint64_t not_before;            /* the thread's: the lock is not taken before */
    int64_t session;                /* the thread's: who has the lock, as the server names it */
    uint64_t session_since;         /* the thread's: when it was seen first */
};

static void set_status(struct db_claim *c, const struct db_claim_status *now)
{
    pthread_mutex_lock(&c->lock);
    c->status = *now;
    pthread_mutex_unlock(&c->lock);
    loop_wake(c->wake);
}

/* Where the server was away, its owner connects again within a second, and is to have it. */
static int connect_again(struct db_claim *c)
{
    struct db_claim_status now = c->status;
    bool was_away = c->again;

    c->again = true;
    if (pg_connect(c->pg) == 0) {
        if (was_away)
            c->not_before = clock_mono_us() + c->silent_ms * UINT64_C(1000);
        now.reachable = true;
        now.why[0] = '\0';
    } else {
        pg_drop(c->pg, c->pg->conn.error);
        now.reachable = false;
        snprintf(now.why, sizeof(now.why), "%s", c->pg->conn.error);
    }
    set_status(c, &now);
    return now.reachable ? 0 : -EIO;
}

/* Has the same session had the lock for so long that the sign of life would be its own? One that
 * has just got it has not given any yet, and the row tells of the owner before. */
static bool is_settled(struct db_claim *c, int64_t session)
{
    uint64_t now = clock_mono_us();

    if (session != c->session)
        c->session_since = now;
    c->session = session;
    return session && now - c->session_since >= c->silent_ms * UINT64_C(1000);
}

/* Of the process that has it. */
static void look_at_owner(struct db_claim *c)
{
    struct db_claim_status now = c->status;
    struct pg_owner owner;
    bool settled;

    if (pg_read_owner(c->pg, &owner) < 0)
        return;
    snprintf(now.owner, sizeof(now.owner), "%s", owner.name);
    now.term = owner.term;
    set_status(c, &now);
    settled = is_settled(c, owner.session);
    /* one without a name was not on standby, and gives no sign of life while it has nothing to
     * write
     */
    if (!*owner.name || owner.silent_s * 1000 < c->silent_ms || !settled ||
        pg_end_owner(c->pg, owner.session) != 1)
        return;
    log_warning(c->log, "database: %s has it and has written nothing for %.1f s: it is taken over",
                owner.name, owner.silent_s);
}

/* True: it is ours. */
static bool try_once(struct db_claim *c)
{
    struct db_claim_status now;
    int rc;

    if (!c->pg->pg && connect_again(c) < 0)
        return false;
    rc = clock_mono_us() < c->not_before ? 0 : pg_try_lock(c->pg);
    if (rc == 0)
        look_at_owner(c);
    if (rc <= 0)
        return false;
    now = c->status;
    now.won = true;
    set_status(c, &now);
    return true;
}

/* False: it is to end. */
static bool rest(struct db_claim *c)
{
    uint64_t until = clock_mono_us() + (c->pg->pg ? LOOK_US : CONNECT_US);
    bool stop;

    pthread_mutex_lock(&c->lock);
    while (!c->stop && thread_cond_wait_until(&c->more, &c->lock, until) != ETIMEDOUT)
        ;
    stop = c->stop;
    pthread_mutex_unlock(&c->lock);
    return !stop;
}

static void *work(void *arg)
{
    struct db_claim *c = arg;

    while (!try_once(c) && rest(c))
        ;
    return NULL;
}

static void on_wake(void *arg)
{
    struct db_claim *c = arg;
    struct db_claim_status now;

    pthread_mutex_lock(&c->lock);
    now = c->status;
    pthread_mutex_unlock(&c->lock);
    if (now.reachable == c->told_of.reachable && now.won == c->told_of.won &&
        now.term == c->told_of.term && strcmp(now.owner, c->told_of.owner) == 0 &&
        strcmp(now.why, c->told_of.why) == 0)
        return;
    c->told_of = now;
    c->told(c->arg, &c->told_of);
}

struct db_claim *db_claim_new(struct loop *loop, const char *uri, const char *name,
                              uint32_t silent_ms, db_claim_fn *told, void *arg, struct log *log,
                              int *err)
{
    struct db_claim *c = calloc(1, sizeof(*c));

    *err = -ENOMEM;
    if (!c)
        return NULL;
    c->log = log;
    c->told = told;
    c->arg = arg;
    c->silent_ms = silent_ms;
    pthread_mutex_init(&c->lock, NULL);
    thread_cond_init(&c->more);
    c->wake = loop_wake_new(loop, on_wake, c, err);
    if (c->wake)
        *err = pg_make(&c->pg, uri);
    if (c->wake && *err == 0) {
        snprintf(c->pg->name, sizeof(c->pg->name), "%s", name);
        *err = thread_start(&c->thread, work, c);
        c->running = *err == 0;
    } else if (*err == -EINVAL) {
        log_error(log, "database: cannot be waited for: %s", c->pg->conn.error);
    }
    if (*err < 0)
        db_claim_destroy(&c);
    return c;
}

static void stop(struct db_claim *c)
{
    if (!c->running)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    c->running = false;
}

void db_claim_destroy(struct db_claim **cp)
{
    struct db_claim *c = cp ? *cp : NULL;

    if (!c)
        return;
    *cp = NULL;
    stop(c);
    if (c->pg)
        pg_destroy_conn(c->pg);
    loop_wake_destroy(&c->wake);
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

struct dbconn *claim_take(struct db_claim **cp)
{
    struct db_claim *c = *cp;
    struct dbconn *conn;

    stop(c);
    conn = &c->pg->conn;
    c->pg = NULL;
    db_claim_destroy(cp);
    return conn;
}
