/*
 * A turn of the loop is one pass of libevent (wait, then every event that is ready) followed by the
 * tasks posted so far. libevent's priorities would not do for that: they run tasks only when no
 * event is ready, and under load there always is one.
 */
#include "loop/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"

struct loop_task {
    struct loop *loop;
    loop_fn *fn;
    void *arg;
    TAILQ_ENTRY(loop_task) link;
    uint64_t round; /* the turn in which it was posted; 0: not posted */
};

struct loop {
    struct event_base *base;
    TAILQ_HEAD(, loop_task) tasks; /* in the order of posting, so also of `round` */
    uint64_t round;
    struct event wait; /* ends the wait of loop_once */
    bool stopping;
    struct log *log;
    struct loop_counts counts;
    uint64_t busy_since; /* monotonic us, of this turn; 0: nothing was done yet */
    loop_turn_fn *watch_turn;
    void *watch_arg;
    const char *name_server, *hosts_file; /* NULL: as the system has it */
};

static struct event_base *new_base(void)
{
    struct event_config *cfg = event_config_new();
    struct event_base *base = NULL;

    if (!cfg)
        return NULL;
    /* without it timers go by a clock of 4 ms steps */
    if (event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
        base = event_base_new_with_config(cfg);
    event_config_free(cfg);
    return base;
}

static void nothing(evutil_socket_t fd, short what, void *arg)
{
}

struct loop *loop_new(void)
{
    struct loop *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->base = new_base();
    if (!l->base) {
        free(l);
        return NULL;
    }
    TAILQ_INIT(&l->tasks);
    l->round = 1;
    evtimer_assign(&l->wait, l->base, nothing, NULL);
    return l;
}

void loop_destroy(struct loop **l)
{
    if (!l || !*l)
        return;
    /* the resolver's callbacks of cancelled lookups */
    event_base_loop((*l)->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    event_base_free((*l)->base);
    free(*l);
    *l = NULL;
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

struct loop_counts *loop_counts(struct loop *l)
{
    return &l->counts;
}

void loop_set_names(struct loop *l, const char *server, const char *hosts_file)
{
    l->name_server = server;
    l->hosts_file = hosts_file;
}

const char *loop_name_server(const struct loop *l)
{
    return l->name_server;
}

const char *loop_hosts_file(const struct loop *l)
{
    return l->hosts_file ? l->hosts_file : "/etc/hosts";
}

void loop_set_log(struct loop *l, struct log *log)
{
    l->log = log;
}

struct log *loop_log(const struct loop *l)
{
    return l->log;
}

void loop_watch_turns(struct loop *l, loop_turn_fn *fn, void *arg)
{
    l->watch_turn = fn;
    l->watch_arg = arg;
}

void loop_busy(struct loop *l)
{
    if (!l->busy_since)
        l->busy_since = clock_mono_us();
}

static void end_of_turn(struct loop *l)
{
    uint64_t since = l->busy_since;

    l->busy_since = 0;
    if (since && l->watch_turn)
        l->watch_turn(l->watch_arg, clock_mono_us() - since);
}

/* Runs the tasks posted so far; what they post themselves is for the next turn. */
static void run_tasks(struct loop *l)
{
    struct loop_task *t;

    l->round++;
    while ((t = TAILQ_FIRST(&l->tasks)) && t->round < l->round) {
        TAILQ_REMOVE(&l->tasks, t, link);
        t->round = 0;
        loop_busy(l);
        t->fn(t->arg);
    }
}

static int turn(struct loop *l, bool wait)
{
    int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

    if (!wait || !TAILQ_EMPTY(&l->tasks))
        flags |= EVLOOP_NONBLOCK;
    if (event_base_loop(l->base, flags) < 0)
        return -EIO;
    run_tasks(l);
    end_of_turn(l);
    return 0;
}

int loop_run(struct loop *l)
{
    int rc = 0;

    while (!l->stopping && rc == 0)
        rc = turn(l, true);
    l->stopping = false;
    return rc;
}

int loop_once(struct loop *l, unsigned wait_ms)
{
    struct timeval tv = {wait_ms / 1000, (suseconds_t)(wait_ms % 1000) * 1000};
    int rc;

    if (wait_ms)
        evtimer_add(&l->wait, &tv);
    rc = turn(l, wait_ms > 0);
    evtimer_del(&l->wait);
    return rc;
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
    event_base_loopbreak(l->base);
}

struct loop_timer {
    struct event ev;
    struct loop *loop;
    loop_fn *fn;
    void *arg;
};

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *t = arg;

    loop_busy(t->loop);
    t->fn(t->arg);
}

struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg)
{
    struct loop_timer *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->loop = l;
    t->fn = fn;
    t->arg = arg;
    evtimer_assign(&t->ev, l->base, timer_fired, t);
    return t;
}

void loop_timer_start(struct loop_timer *t, uint32_t ms, bool repeat)
{
    struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};

    event_del(&t->ev);
    event_assign(&t->ev, t->loop->base, -1, repeat ? EV_PERSIST : 0, timer_fired, t);
    event_add(&t->ev, &tv);
}

void loop_timer_stop(struct loop_timer *t)
{
    event_del(&t->ev);
}

bool loop_timer_running(const struct loop_timer *t)
{
    return event_pending(&t->ev, EV_TIMEOUT, NULL) != 0;
}

void loop_timer_destroy(struct loop_timer **t)
{
    if (!t || !*t)
        return;
    event_del(&(*t)->ev);
    free(*t);
    *t = NULL;
}

struct loop_task *loop_task_new(struct loop *l, loop_fn *fn, void *arg)
{
    struct loop_task *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->loop = l;
    t->fn = fn;
    t->arg = arg;
    return t;
}

void loop_task_post(struct loop_task *t)
{
    if (t->round)
        return;
    t->round = t->loop->round;
    TAILQ_INSERT_TAIL(&t->loop->tasks, t, link);
}

void loop_task_destroy(struct loop_task **t)
{
    if (!t || !*t)
        return;
    if ((*t)->round)
        TAILQ_REMOVE(&(*t)->loop->tasks, *t, link);
    free(*t);
    *t = NULL;
}

/* Descriptors and signals differ in nothing but the kind of event. */
struct watch {
    struct event ev;
    struct loop *loop;
    loop_fn *fn;
    void *arg;
};
struct loop_fd {
    struct watch w;
};
struct loop_signal {
    struct watch w;
};

static void watch_fired(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    loop_busy(w->loop);
    w->fn(w->arg);
}

static struct watch *watch_new(struct loop *l, int fd, short what, loop_fn *fn, void *arg)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->loop = l;
    w->fn = fn;
    w->arg = arg;
    event_assign(&w->ev, l->base, fd, (short)(what | EV_PERSIST), watch_fired, w);
    if (event_add(&w->ev, NULL) < 0) {
        free(w);
        return NULL;
    }
    return w;
}

static void watch_destroy(struct watch *w)
{
    event_del(&w->ev);
    free(w);
}

struct loop_fd *loop_fd_new(struct loop *l, int fd, loop_fn *readable, void *arg)
{
    return (struct loop_fd *)watch_new(l, fd, EV_READ, readable, arg);
}

void loop_fd_destroy(struct loop_fd **f)
{
    if (!f || !*f)
        return;
    watch_destroy(&(*f)->w);
    *f = NULL;
}

struct loop_signal *loop_signal_new(struct loop *l, int signo, loop_fn *fn, void *arg)
{
    return (struct loop_signal *)watch_new(l, signo, EV_SIGNAL, fn, arg);
}

void loop_signal_destroy(struct loop_signal **s)
{
    if (!s || !*s)
        return;
    watch_destroy(&(*s)->w);
    *s = NULL;
}
