#include "core/remote_lists.h"

#include <errno.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "base/rng.h"
#include "base/uri.h"
#include "core/context.h"
#include "http/copy.h"
#include "http/fetch.h"

#define RETRY_MAX_MS 300000

struct remote_list {
    TAILQ_ENTRY(remote_list) link;
    struct remote_lists *all;
    struct loop_timer *due;
    struct json_object *list; /* the last good one; NULL: none yet */
    char *etag, *modified;    /* what its server said of it */
    uint64_t fetching;        /* the serial of the fetch under way; 0: none */
    bool again;               /* once more when that is over */
    bool wanted;
    unsigned failures; /* since it could last be fetched */
    int copy_error;
    char reason[96]; /* of the last failure, so that it is told once */
    char *shown;     /* the URI without credentials */
    char uri[];
};

struct remote_lists {
    struct loop *loop;
    const struct config *cfg; /* of the last remote_lists_begin() */
    struct log *log;
    remote_lists_fn *changed; /* NULL: nobody is told */
    void *arg;
    struct fetcher *fetcher; /* from the first URI on */
    uint32_t retry_ms;
    uint64_t serial;
    TAILQ_HEAD(, remote_list) lists;
    struct metric *fetched, *failed, *unread;
    unsigned others_unread; /* lists that are not behind HTTP */
};

bool remote_lists_is_remote(const char *uri)
{
    return uri_is_web(view_cstr(uri));
}

static void count_unread(struct remote_lists *w)
{
    struct remote_list *l;
    unsigned n = 0;

    TAILQ_FOREACH(l, &w->lists, link)
    n += l->list == NULL;
    metric_set(w->unread, n + w->others_unread);
}

/* ---- one of them ---- */

static void remote_list_free(struct remote_list *l)
{
    loop_timer_destroy(&l->due);
    json_object_put(l->list);
    free(l->etag);
    free(l->modified);
    free(l->shown);
    free(l);
}

static void forget(struct remote_list *l)
{
    TAILQ_REMOVE(&l->all->lists, l, link);
    remote_list_free(l);
}

static struct remote_list *find(const struct remote_lists *w, const char *uri)
{
    struct remote_list *l;

    TAILQ_FOREACH(l, &w->lists, link)
    if (strcmp(l->uri, uri) == 0)
        return l;
    return NULL;
}

/* Where its copy is on disk, for the caller to free; NULL: nowhere. */
static char *copy_path(const struct remote_list *l)
{
    const struct config *cfg = l->all->cfg;
    const char *name = config_str(cfg, "ctibus.lists_cache");
    char *dir = name && *name ? config_path(cfg, view_cstr(name)) : NULL;
    char *path = dir ? fetch_copy_path(dir, l->uri) : NULL;

    free(dir);
    return path;
}

static void read_copy(struct remote_list *l)
{
    char *path = copy_path(l);
    int rc =
        path ? fetch_copy_read(path, MAX_LIST_BYTES, &l->list, &l->etag, &l->modified) : -ENOENT;

    if (rc == 0)
        log_info(l->all->log, "list %s: its last good copy is used until it is fetched", l->shown);
    else if (rc != -ENOENT)
        log_warning(l->all->log, "list %s: its last good copy %s cannot be used: %s", l->shown,
                    path, strerror(-rc));
    free(path);
}

/* ---- fetching ---- */

static void wait_for(struct remote_list *l, uint64_t ms)
{
    loop_timer_start(l->due, ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX, false);
}

/* Waits before the next attempt: longer each time, and not all lists at the same moment. */
static uint32_t wait_longer(struct remote_list *l)
{
    uint32_t mean = backoff_ms(l->all->retry_ms, RETRY_MAX_MS, l->failures++, 0);
    uint32_t ms = mean / 4 * 3 + (uint32_t)(rng_u64() % (mean / 2 + 1));

    wait_for(l, ms);
    return ms;
}

static int dup_into(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return from && !*to ? -ENOMEM : 0;
}

struct fetch *remote_fetch_new(const struct config *cfg, const char *uri, size_t max_bytes)
{
    const char *ca = config_str(cfg, "ctibus.lists_ca");
    struct fetch *f = fetch_new(uri);

    if (!f)
        return NULL;
    f->silence_s = (uint32_t)config_int(cfg, "main.sockettimeout");
    f->max_bytes = max_bytes;
    if (ca && *ca && !(f->ca = config_path(cfg, view_cstr(ca))))
        fetch_destroy(&f);
    return f;
}

/* All that the thread needs to know, copied. */
static struct fetch *make_fetch(const struct remote_list *l)
{
    struct fetch *f = remote_fetch_new(l->all->cfg, l->uri, MAX_LIST_BYTES);

    if (!f)
        return NULL;
    f->copy = copy_path(l);
    if (l->list && (dup_into(&f->etag, l->etag) < 0 || dup_into(&f->modified, l->modified) < 0))
        fetch_destroy(&f);
    return f;
}

static void fetch_list(void *arg)
{
    struct remote_list *l = arg;
    struct fetch *f;

    if (l->fetching) {
        l->again = true;
        return;
    }
    loop_timer_stop(l->due);
    f = make_fetch(l);
    if (!f) {
        log_error(l->all->log, "list %s: out of memory: tried again later", l->shown);
        wait_longer(l);
        return;
    }
    f->serial = l->fetching = ++l->all->serial;
    l->again = false;
    fetcher_ask_take(l->all->fetcher, f);
}

static void note_copy(struct remote_list *l, const struct fetch *f)
{
    if (f->copy_error != l->copy_error && f->copy_error < 0)
        log_error(l->all->log,
                  "list %s: its copy %s cannot be written: %s; a restart will not know it",
                  l->shown, f->copy, strerror(-f->copy_error));
    l->copy_error = f->copy_error;
}

/* What is wrong, and no words twice: some details of libcurl have its general ones in them. */
static void put_fault(struct buf *out, const struct fetch *f)
{
    if (!*f->detail)
        buf_append_cstr(out, f->reason);
    else if (strstr(f->detail, f->reason))
        buf_append_cstr(out, f->detail);
    else
        buf_printf(out, "%s (%s)", f->reason, f->detail);
}

static void fetch_failed(struct remote_list *l, const struct fetch *f)
{
    uint32_t ms = wait_longer(l);
    struct buf fault;

    metric_add(l->all->failed, 1);
    if (strcmp(l->reason, f->reason) == 0)
        return;
    snprintf(l->reason, sizeof(l->reason), "%s", f->reason);
    buf_init(&fault, 0);
    put_fault(&fault, f);
    log_error(l->all->log, "list %s: %.*s; %s, tried again in %u s and then less often", l->shown,
              VIEW_ARG(buf_view(&fault)),
              l->list ? "what is known of it stays" : "its objects are not there yet",
              (ms + 999) / 1000);
    buf_free(&fault);
}

static void take_list(struct remote_list *l, struct fetch *f)
{
    json_object_put(l->list);
    free(l->etag);
    free(l->modified);
    l->list = f->list;
    l->etag = f->etag;
    l->modified = f->modified;
    f->list = NULL;
    f->etag = f->modified = NULL;
    log_info(l->all->log, "list %s: %zu objects", l->shown, json_object_array_length(l->list));
    note_copy(l, f);
    count_unread(l->all);
    if (l->all->changed)
        l->all->changed(l->all->arg, l->uri);
}

static void fetch_good(struct remote_list *l, struct fetch *f)
{
    int64_t period_s = config_int(l->all->cfg, "main.updates_period");

    metric_add(l->all->fetched, 1);
    if (*l->reason)
        log_notice(l->all->log, "list %s can be read again", l->shown);
    *l->reason = '\0';
    l->failures = 0;
    if (period_s > 0)
        wait_for(l, (uint64_t)period_s * 1000);
    if (f->end == FETCH_NEW)
        take_list(l, f);
}

static void on_fetched(void *arg, struct fetch *f)
{
    struct remote_lists *w = arg;
    struct remote_list *l = find(w, f->uri);

    if (l && l->fetching == f->serial) { /* else it was forgotten meanwhile */
        l->fetching = 0;
        if (f->end == FETCH_FAILED)
            fetch_failed(l, f);
        else
            fetch_good(l, f);
        if (l->again)
            fetch_list(l);
    }
    fetch_destroy(&f);
}

/* ---- all ---- */

struct remote_lists *remote_lists_new(struct loop *loop, const struct config *cfg,
                                      uint32_t retry_ms, struct metrics *metrics, struct log *log)
{
    struct remote_lists *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->loop = loop;
    w->cfg = cfg;
    w->log = log;
    TAILQ_INIT(&w->lists);
    w->retry_ms = retry_ms;
    w->fetched = metrics_add(metrics, METRIC_state_lists_fetched, NULL);
    w->failed = metrics_add(metrics, METRIC_state_lists_failed, NULL);
    w->unread = metrics_add(metrics, METRIC_state_lists_unread, NULL);
    if (!w->fetched || !w->failed || !w->unread)
        remote_lists_destroy(&w);
    return w;
}

void remote_lists_failed(struct remote_lists *w)
{
    metric_add(w->failed, 1);
}

void remote_lists_unread(struct remote_lists *w, unsigned others)
{
    w->others_unread = others;
    count_unread(w);
}

void remote_lists_destroy(struct remote_lists **wp)
{
    struct remote_lists *w = wp ? *wp : NULL;
    struct remote_list *l;

    if (!w)
        return;
    *wp = NULL;
    fetcher_destroy(&w->fetcher);
    while ((l = TAILQ_FIRST(&w->lists)))
        forget(l);
    free(w);
}

void remote_lists_tell(struct remote_lists *w, remote_lists_fn *changed, void *arg)
{
    w->changed = changed;
    w->arg = arg;
}

void remote_lists_begin(struct remote_lists *w, const struct config *cfg)
{
    struct remote_list *l;

    w->cfg = cfg;
    TAILQ_FOREACH(l, &w->lists, link)
    l->wanted = false;
}

static struct remote_list *add(struct remote_lists *w, const char *uri)
{
    size_t n = strlen(uri) + 1;
    struct remote_list *l = calloc(1, sizeof(*l) + n);

    if (!l)
        return NULL;
    l->all = w;
    memcpy(l->uri, uri, n);
    l->shown = uri_public(uri);
    l->due = loop_timer_new(w->loop, fetch_list, l);
    if (!l->shown || !l->due) {
        remote_list_free(l);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&w->lists, l, link);
    read_copy(l);
    return l;
}

void remote_lists_want(struct remote_lists *w, const char *uri)
{
    struct remote_list *l = find(w, uri);

    if (!l)
        l = add(w, uri);
    if (l)
        l->wanted = true;
    else
        log_error(w->log, "out of memory for a list: a reload tries again");
}

void remote_lists_end(struct remote_lists *w)
{
    struct remote_list *l, *next;

    TAILQ_FOREACH_SAFE(l, &w->lists, link, next)
    if (!l->wanted)
        forget(l);
    count_unread(w);
}

struct json_object *remote_lists_get(const struct remote_lists *w, const char *uri)
{
    struct remote_list *l = find(w, uri);

    return l ? l->list : NULL;
}

static bool start_fetcher(struct remote_lists *w)
{
    int err = 0;

    if (!w->fetcher && !TAILQ_EMPTY(&w->lists))
        w->fetcher = fetcher_new(w->loop, on_fetched, w, &err);
    if (err < 0)
        log_error(w->log, "cannot fetch lists: %s; a reload tries again", strerror(-err));
    return w->fetcher != NULL;
}

void remote_lists_refresh(struct remote_lists *w)
{
    struct remote_list *l;

    if (!start_fetcher(w))
        return;
    TAILQ_FOREACH(l, &w->lists, link)
    fetch_list(l);
}

void remote_lists_refresh_one(struct remote_lists *w, const char *uri)
{
    struct remote_list *l = find(w, uri);

    if (l && start_fetcher(w))
        fetch_list(l);
}
