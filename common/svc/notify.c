#include "svc/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/thread.h"

#define QUEUE 8
#define MESSAGE_MAX 256
#define STATUS_MAX 200
#define STATUS_MS 1000
#define LAST_WORDS_MS 500

struct notifier {
    struct log *log;
    notify_status_fn *status;
    void *arg;
    struct loop_timer *tick;
    bool watchdog;
    char told[STATUS_MAX]; /* the last status */

    pthread_t thread;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t more, idle;
    char queue[QUEUE][MESSAGE_MAX];
    unsigned head, waiting;
    bool busy, ending;
    bool abandoned; /* the thread frees it */
};

static void notifier_free(struct notifier *n)
{
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->more);
    pthread_cond_destroy(&n->idle);
    free(n);
}

/* --- the thread --- */

static void *send_messages(void *arg)
{
    struct notifier *n = arg;
    char message[MESSAGE_MAX];
    bool failed = false;
    bool abandoned;

    pthread_mutex_lock(&n->lock);
    for (;;) {
        while (n->waiting > 0 && !n->abandoned) {
            int rc;
            memcpy(message, n->queue[n->head], sizeof(message));
            n->head = (n->head + 1) % QUEUE;
            n->waiting--;
            n->busy = true;
            pthread_mutex_unlock(&n->lock);
            rc = sd_notify(0, message);
            pthread_mutex_lock(&n->lock);
            n->busy = false;
            if (rc < 0 && !failed && !n->abandoned) /* once: systemd itself tells what it misses */
                log_warning(n->log, "cannot tell systemd how it is: %s", strerror(-rc));
            failed = rc < 0;
        }
        pthread_cond_broadcast(&n->idle);
        if (n->ending)
            break;
        pthread_cond_wait(&n->more, &n->lock);
    }
    abandoned = n->abandoned;
    pthread_mutex_unlock(&n->lock);
    if (abandoned)
        notifier_free(n);
    return NULL;
}

/* When QUEUE messages wait, systemd takes none: another is left out. */
__attribute__((format(printf, 2, 3))) static void tell(struct notifier *n, const char *fmt, ...)
{
    va_list ap;

    if (!n)
        return;
    va_start(ap, fmt);
    pthread_mutex_lock(&n->lock);
    if (n->waiting < QUEUE) {
        vsnprintf(n->queue[(n->head + n->waiting) % QUEUE], MESSAGE_MAX, fmt, ap);
        n->waiting++;
        pthread_cond_signal(&n->more);
    }
    pthread_mutex_unlock(&n->lock);
    va_end(ap);
}

/* --- the loop's side --- */

/* How it is now, in one line. */
static void read_status(struct notifier *n, char text[STATUS_MAX])
{
    struct buf words;

    buf_init(&words, 4096);
    n->status(n->arg, &words);
    snprintf(text, STATUS_MAX, "%.*s", VIEW_ARG(buf_view(&words)));
    buf_free(&words);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
}

static void on_tick(void *arg)
{
    struct notifier *n = arg;
    char now[STATUS_MAX];

    read_status(n, now);
    if (strcmp(now, n->told) != 0) {
        memcpy(n->told, now, sizeof(now));
        tell(n, "STATUS=%s", now);
    }
    if (n->watchdog)
        tell(n, "WATCHDOG=1");
}

void notify_ready(struct notifier *n)
{
    if (!n)
        return;
    read_status(n, n->told);
    tell(n, "READY=1\nSTATUS=%s", n->told);
}

void notify_reloading(struct notifier *n)
{
    tell(n, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reading the configuration anew",
         (unsigned long long)clock_mono_us());
}

void notify_stopping(struct notifier *n)
{
    tell(n, "STOPPING=1\nSTATUS=stopping");
}

/* Twice as often as the watchdog wants it, and often enough for the status. */
static uint32_t tick_ms(struct notifier *n)
{
    uint64_t limit_us;
    uint64_t ms = STATUS_MS;

    n->watchdog = sd_watchdog_enabled(0, &limit_us) > 0;
    if (n->watchdog && limit_us / 2000 < ms)
        ms = limit_us / 2000;
    return ms > 0 ? (uint32_t)ms : 1;
}

static int start(struct notifier *n, struct loop *loop)
{
    int rc;

    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->more, NULL);
    thread_cond_init(&n->idle);
    n->tick = loop_timer_new(loop, on_tick, n);
    rc = n->tick ? thread_start(&n->thread, send_messages, n) : -ENOMEM;
    if (rc == 0)
        loop_timer_start(n->tick, tick_ms(n), true);
    return rc;
}

int notifier_new(struct loop *loop, notify_status_fn *status, void *arg, struct log *log,
                 struct notifier **out)
{
    const char *socket = getenv("NOTIFY_SOCKET");
    struct notifier *n;
    int rc;

    *out = NULL;
    if (!socket || !*socket)
        return 0;
    n = calloc(1, sizeof(*n));
    if (!n)
        return -ENOMEM;
    n->log = log;
    n->status = status;
    n->arg = arg;
    rc = start(n, loop);
    if (rc < 0) {
        loop_timer_destroy(&n->tick);
        notifier_free(n);
        return rc;
    }
    *out = n;
    return 0;
}

void notifier_destroy(struct notifier **np)
{
    struct notifier *n = np ? *np : NULL;
    pthread_t thread;
    uint64_t until = clock_mono_us() + LAST_WORDS_MS * 1000;
    bool left;
    int rc = 0;

    if (!n)
        return;
    *np = NULL;
    thread = n->thread;
    loop_timer_destroy(&n->tick);
    pthread_mutex_lock(&n->lock);
    while ((n->waiting > 0 || n->busy) && rc == 0)
        rc = thread_cond_wait_until(&n->idle, &n->lock, until);
    n->ending = true;
    n->abandoned = n->waiting > 0 || n->busy;
    left = n->abandoned;
    pthread_cond_signal(&n->more);
    pthread_mutex_unlock(&n->lock);
    if (left) { /* it ends with the process, or when systemd reads */
        pthread_detach(thread);
        return;
    }
    pthread_join(thread, NULL);
    notifier_free(n);
}
