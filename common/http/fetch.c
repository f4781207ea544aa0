#include "http/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "http/transfer.h"

#define IDLE_MS 60000

STAILQ_HEAD(fetches, fetch);

struct fetcher {
    struct loop_wake *wake; /* there is something in `done` */
    fetch_fn *fn;
    void *arg;
    pthread_t thread;
    bool running;
    CURLM *multi;              /* the thread's, except for curl_multi_wakeup */
    struct json_parser parser; /* the thread's */
    pthread_mutex_t lock;
    struct fetches asked, done; /* by the lock */
    bool stopping;              /* by the lock */
};

struct worker {
    struct fetcher *fetcher;
    LIST_HEAD(, transfer) transfers;
    unsigned n;
};

struct fetch *fetch_new(const char *uri)
{
    struct fetch *f = calloc(1, sizeof(*f));

    if (f)
        f->uri = strdup(uri);
    if (f && !f->uri)
        fetch_destroy(&f);
    return f;
}

void fetch_destroy(struct fetch **fp)
{
    struct fetch *f = fp ? *fp : NULL;

    if (!f)
        return;
    free(f->uri);
    free(f->etag);
    free(f->modified);
    free(f->ca);
    free(f->copy);
    json_object_put(f->list);
    if (f->made)
        f->made_free(f->made);
    free(f);
    *fp = NULL;
}

void fetch_fail(struct fetch *f, const char *reason, const char *detail)
{
    f->end = FETCH_FAILED;
    snprintf(f->reason, sizeof(f->reason), "%s", reason);
    snprintf(f->detail, sizeof(f->detail), "%s", detail);
}

/* ---- the thread ---- */

static bool stopping(struct fetcher *f)
{
    bool yes;

    pthread_mutex_lock(&f->lock);
    yes = f->stopping;
    pthread_mutex_unlock(&f->lock);
    return yes;
}

static struct fetch *next_asked(struct fetcher *f)
{
    struct fetch *one;

    pthread_mutex_lock(&f->lock);
    one = STAILQ_FIRST(&f->asked);
    if (one)
        STAILQ_REMOVE_HEAD(&f->asked, link);
    pthread_mutex_unlock(&f->lock);
    return one;
}

static void hand_over(struct fetcher *f, struct fetch *one)
{
    pthread_mutex_lock(&f->lock);
    STAILQ_INSERT_TAIL(&f->done, one, link);
    pthread_mutex_unlock(&f->lock);
    loop_wake(f->wake);
}

static bool start(struct worker *w, struct fetch *one)
{
    struct transfer *t;

    if (one->deadline_us && one->deadline_us <= clock_mono_us()) {
        fetch_fail(one, curl_easy_strerror(CURLE_OPERATION_TIMEDOUT), "others were before it");
        return false;
    }
    t = transfer_new(one);
    if (t && curl_multi_add_handle(w->fetcher->multi, t->easy) == CURLM_OK) {
        LIST_INSERT_HEAD(&w->transfers, t, link);
        w->n++;
        return true;
    }
    transfer_free(t);
    fetch_fail(one, "out of memory", "");
    return false;
}

static void start_asked(struct worker *w)
{
    struct fetch *one;

    while (w->n < FETCH_AT_ONCE && (one = next_asked(w->fetcher)))
        if (!start(w, one))
            hand_over(w->fetcher, one);
}

static void transfer_end(struct worker *w, struct transfer *t)
{
    curl_multi_remove_handle(w->fetcher->multi, t->easy);
    LIST_REMOVE(t, link);
    w->n--;
    transfer_free(t);
}

/* True when some have ended, so that others may start. */
static bool take_ended(struct worker *w)
{
    CURLMsg *m;
    int left;
    bool any = false;

    while ((m = curl_multi_info_read(w->fetcher->multi, &left))) {
        struct transfer *t = NULL;
        struct fetch *one;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        transfer_judge(t, m->data.result, &w->fetcher->parser);
        one = t->fetch;
        transfer_end(w, t);
        hand_over(w->fetcher, one);
        any = true;
    }
    return any;
}

static void *work(void *arg)
{
    struct worker w = {.fetcher = arg};
    CURLM *multi = w.fetcher->multi;
    struct transfer *t;
    int active;

    while (!stopping(w.fetcher)) {
        start_asked(&w);
        curl_multi_perform(multi, &active);
        if (!take_ended(&w)) /* a wake-up that came before the wait ends it, too */
            curl_multi_poll(multi, NULL, 0, IDLE_MS, NULL);
    }
    while ((t = LIST_FIRST(&w.transfers))) {
        fetch_destroy(&t->fetch);
        transfer_end(&w, t);
    }
    return NULL;
}

/* ---- the loop's side ---- */

static void on_done(void *arg)
{
    struct fetcher *f = arg;
    struct fetches done = STAILQ_HEAD_INITIALIZER(done);
    struct fetch *one;

    pthread_mutex_lock(&f->lock);
    STAILQ_CONCAT(&done, &f->done);
    pthread_mutex_unlock(&f->lock);
    while ((one = STAILQ_FIRST(&done))) {
        STAILQ_REMOVE_HEAD(&done, link);
        f->fn(f->arg, one);
    }
}

struct fetcher *fetcher_new(struct loop *loop, fetch_fn *done, void *arg, int *err)
{
    struct fetcher *f = calloc(1, sizeof(*f));

    *err = -ENOMEM;
    if (!f)
        return NULL;
    f->fn = done;
    f->arg = arg;
    STAILQ_INIT(&f->asked);
    STAILQ_INIT(&f->done);
    pthread_mutex_init(&f->lock, NULL);
    f->wake = loop_wake_new(loop, on_done, f, err);
    if (f->wake)
        *err = json_parser_init(&f->parser);
    if (f->wake && *err == 0)
        f->multi = curl_multi_init();
    if (f->multi)
        *err = thread_start(&f->thread, work, f);
    else if (*err == 0)
        *err = -ENOMEM;
    f->running = *err == 0;
    if (!f->running)
        fetcher_destroy(&f);
    return f;
}

static void drop(struct fetches *list)
{
    struct fetch *one;

    while ((one = STAILQ_FIRST(list))) {
        STAILQ_REMOVE_HEAD(list, link);
        fetch_destroy(&one);
    }
}

void fetcher_destroy(struct fetcher **fp)
{
    struct fetcher *f = fp ? *fp : NULL;

    if (!f)
        return;
    *fp = NULL;
    if (f->running) {
        pthread_mutex_lock(&f->lock);
        f->stopping = true;
        pthread_mutex_unlock(&f->lock);
        curl_multi_wakeup(f->multi);
        pthread_join(f->thread, NULL);
    }
    curl_multi_cleanup(f->multi);
    json_parser_fini(&f->parser);
    loop_wake_destroy(&f->wake);
    drop(&f->asked);
    drop(&f->done);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

void fetcher_ask_take(struct fetcher *f, struct fetch *one)
{
    pthread_mutex_lock(&f->lock);
    STAILQ_INSERT_TAIL(&f->asked, one, link);
    pthread_mutex_unlock(&f->lock);
    curl_multi_wakeup(f->multi);
}
