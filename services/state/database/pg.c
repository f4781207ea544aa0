#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "database/pg_internal.h"

#define FIRST_WAIT_MS 1000
#define LONGEST_WAIT_MS 60000

/* ---- the connection's end ---- */

static void drop(struct pg *p)
{
    lookup_cancel(&p->lookup);
    if (p->ready)
        event_free(p->ready);
    p->ready = NULL;
    p->awaited = 0;
    PQfinish(p->conn);
    p->conn = NULL;
    p->phase = PG_WAITING;
}

/* One that was of use only for moments is no reason to come back at once. */
static void attempt_later(struct pg *p)
{
    if (p->good_since && clock_mono_us() - p->good_since > LONGEST_WAIT_MS * 1000ull)
        p->tries = 0;
    p->good_since = 0;
    loop_timer_start(p->timer, backoff_ms(FIRST_WAIT_MS, LONGEST_WAIT_MS, p->tries++, 0), false);
}

void pg_lost(struct pg *p, const char *why)
{
    char text[PG_MAX_WHY];

    pg_one_line(text, sizeof(text), why); /* it may be libpq's, which goes with the connection */
    drop(p);
    attempt_later(p);
    pg_lose_queries(p);
    if (strcmp(text, p->told) == 0)
        return;
    snprintf(p->told, sizeof(p->told), "%s", text);
    p->handler->down(p->arg, text);
}

void pg_fail(struct pg *p, const char *why)
{
    if (p->in_callback)
        pg_one_line(p->failing, sizeof(p->failing), why);
    else if (p->phase == PG_UP)
        pg_lost(p, why);
}

void pg_good(struct pg *p)
{
    p->good_since = clock_mono_us();
    *p->told = '\0';
}

bool pg_is_up(const struct pg *p)
{
    return p->phase == PG_UP && !*p->failing;
}

/* True when pg_fail() was called meanwhile: the connection is gone then. */
bool pg_after_callback(struct pg *p)
{
    char why[PG_MAX_WHY];

    p->in_callback = false;
    if (!*p->failing)
        return false;
    snprintf(why, sizeof(why), "%s", p->failing);
    *p->failing = '\0';
    pg_lost(p, why);
    return true;
}

/* ---- the socket ---- */

static void on_ready(evutil_socket_t fd, short what, void *arg);

/* The descriptor may be another one from one step of libpq to the next. */
bool pg_await(struct pg *p, short what)
{
    what |= EV_PERSIST;
    if (p->ready && p->awaited == what && event_get_fd(p->ready) == PQsocket(p->conn))
        return true;
    if (p->ready)
        event_free(p->ready);
    p->awaited = what;
    p->ready = event_new(loop_base(p->loop), PQsocket(p->conn), what, on_ready, p);
    return p->ready && event_add(p->ready, NULL) == 0;
}

/* ---- connecting ---- */

static void try_address(struct pg *p);

static void address_failed(struct pg *p, const char *why)
{
    if (p->next_address < p->n_addresses) {
        drop(p);
        try_address(p);
    } else {
        pg_lost(p, why);
    }
}

static void connected(struct pg *p)
{
    PQsetnonblocking(p->conn, 1);
    p->phase = PG_UP;
    loop_timer_stop(p->timer);
    if (!pg_await(p, EV_READ)) {
        pg_lost(p, "no memory");
        return;
    }
    p->in_callback = true;
    p->handler->up(p->arg);
    if (!pg_after_callback(p))
        pg_send_next(p);
}

static void connect_step(struct pg *p)
{
    bool waits = true;

    switch (PQconnectPoll(p->conn)) {
    case PGRES_POLLING_READING:
        waits = pg_await(p, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
        waits = pg_await(p, EV_WRITE);
        break;
    case PGRES_POLLING_OK:
        connected(p);
        return;
    default:
        address_failed(p, PQerrorMessage(p->conn));
        return;
    }
    if (!waits)
        pg_lost(p, "no memory");
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct pg *p = arg;

    loop_busy(p->loop);
    if (p->phase == PG_CONNECTING)
        connect_step(p);
    else if (what & EV_WRITE)
        pg_output(p);
    else
        pg_input(p);
}

static void no_notice(void *arg, const PGresult *r)
{
}

static PGconn *begin(const struct pg *p, const char *address)
{
    struct pg_parameters all;

    pg_uri_parameters(&all, &p->uri, address);
    pg_parameters_add(&all, "keepalives_idle", "30");
    pg_parameters_add(&all, "keepalives_interval", "10");
    return PQconnectStartParams(all.names, all.values, 0);
}

/* The next of the addresses; of a Unix socket there is one, which is empty. */
static void try_address(struct pg *p)
{
    p->conn = begin(p, p->addresses[p->next_address++]);
    if (!p->conn || PQstatus(p->conn) == CONNECTION_BAD) {
        address_failed(p, p->conn ? PQerrorMessage(p->conn) : "no memory");
        return;
    }
    PQsetNoticeReceiver(p->conn, no_notice, NULL);
    p->phase = PG_CONNECTING;
    loop_timer_start(p->timer, PG_DEADLINE_MS, false);
    if (!pg_await(p, EV_WRITE))
        pg_lost(p, "no memory");
}

static void on_lookup(void *arg, const struct sockaddr_storage *list, size_t n, const char *why)
{
    struct pg *p = arg;

    p->lookup = NULL;
    for (size_t i = 0; i < n && p->n_addresses < LOOKUP_MAX; i++) {
        socklen_t len =
            list[i].ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        char *out = p->addresses[p->n_addresses];
        if (getnameinfo((const struct sockaddr *)&list[i], len, out, sizeof(p->addresses[0]), NULL,
                        0, NI_NUMERICHOST) == 0)
            p->n_addresses++;
    }
    if (p->n_addresses)
        try_address(p);
    else
        pg_lost(p, why ? why : "its name has no address");
}

static void attempt(void *arg)
{
    struct pg *p = arg;

    p->n_addresses = p->next_address = 0;
    if (*p->uri.host == '/') {
        *p->addresses[0] = '\0';
        p->n_addresses = 1;
        try_address(p);
        return;
    }
    p->phase = PG_LOOKUP;
    p->lookup = lookup_start(p->loop, p->uri.host, on_lookup, p);
    if (!p->lookup)
        pg_lost(p, "no memory");
}

static void on_timer(void *arg)
{
    struct pg *p = arg;

    if (p->phase == PG_WAITING)
        attempt(p);
    else if (p->phase == PG_CONNECTING)
        address_failed(p, "no answer within 10 s");
    else if (p->phase == PG_UP)
        pg_lost(p, "no answer to a query within 10 s");
}

/* ---- life ---- */

static void start_queries(void *arg)
{
    pg_send_next(arg);
}

struct pg *pg_new(struct loop *loop, const struct pg_uri *uri, const struct pg_handler *handler,
                  void *arg)
{
    struct pg *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->loop = loop;
    p->uri = *uri;
    p->handler = handler;
    p->arg = arg;
    STAILQ_INIT(&p->queries);
    p->timer = loop_timer_new(loop, on_timer, p);
    p->starter = loop_task_new(loop, start_queries, p);
    if (!p->timer || !p->starter) {
        pg_destroy(&p);
        return NULL;
    }
    loop_timer_start(p->timer, 0, false);
    return p;
}

void pg_destroy(struct pg **pp)
{
    struct pg *p = pp ? *pp : NULL;

    if (!p)
        return;
    *pp = NULL;
    drop(p);
    pg_lose_queries(p);
    loop_timer_destroy(&p->timer);
    loop_task_destroy(&p->starter);
    explicit_bzero(&p->uri, sizeof(p->uri));
    free(p);
}
