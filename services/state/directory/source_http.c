/*
 * Directories behind http: and https:, asked by a fetcher of their own, so that no long list that
 * is being read holds a lookup up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/uri.h"
#include "core/context.h"
#include "core/remote_lists.h"
#include "http/fetch.h"
#include "sources.h"
#include "table.h"
#include "json/json.h"

struct ask {
    LIST_ENTRY(ask) all;
    uint64_t serial;
    struct directory *dir; /* a reference */
    void *arg;
    size_t slot;
};

struct webdirs {
    struct state *state;
    struct fetcher *fetcher; /* from the first lookup on */
    webdirs_fn *done;
    LIST_HEAD(, ask) asks;
    size_t n_asks;
    uint64_t serial;
    struct metric *asked, *failed;
};

/* ---- what is asked ---- */

void webdirs_put_uri(struct buf *out, const struct directory *dir, const struct query *q)
{
    struct json_object *columns = directory_columns(dir, q->reverse);
    struct view uri = directory_uri(dir);
    size_t n =
        json_object_is_type(columns, json_type_array) ? json_object_array_length(columns) : 0;
    char next;

    uri = view_cut(&uri, '#');
    next = view_find(uri, VIEW("?")) < 0 ? '?' : '&';
    buf_append_view(out, uri);
    for (size_t i = 0; i < n; i++) {
        buf_append_char(out, next);
        uri_put_escaped(out, json_view(json_object_array_get_idx(columns, i)));
        buf_append_char(out, '=');
        uri_put_escaped(out, q->text);
        next = '&';
    }
}

/* In the thread. */
static const char *read_answer(struct fetch *f, struct view text)
{
    const char *fault = NULL;

    f->made = table_from_csv(text, (char)f->read_arg, &fault);
    return fault;
}

static void free_answer(void *made)
{
    struct table *t = made;

    table_destroy(&t);
}

static struct fetch *make_fetch(struct webdirs *w, const struct directory *dir,
                                const struct query *q)
{
    struct fetch *f = NULL;
    struct buf uri;

    buf_init(&uri, 65536);
    webdirs_put_uri(&uri, dir, q);
    if (!uri.failed && buf_cstr(&uri))
        f = remote_fetch_new(w->state->cfg, buf_cstr(&uri), HTTP_MAX_BYTES);
    buf_free(&uri);
    if (!f)
        return NULL;
    f->deadline_us = clock_mono_us() + (uint64_t)f->silence_s * 1000000;
    f->accept = "text/csv";
    f->read = read_answer;
    f->read_arg = (unsigned char)directory_delimiter(dir);
    f->made_free = free_answer;
    return f;
}

/* ---- asking ---- */

static void failed(struct webdirs *w, struct directory *dir, const char *reason, const char *detail)
{
    metric_add(w->failed, 1);
    if (strcmp(dir->reason, reason) == 0)
        return;
    snprintf(dir->reason, sizeof(dir->reason), "%s", reason);
    log_error(w->state->log, "directory %s: %s%s%s%s; lookups go on without it", dir->name, reason,
              *detail ? " (" : "", detail, *detail ? ")" : "");
}

static void answered(struct webdirs *w, struct directory *dir)
{
    if (*dir->reason)
        log_notice(w->state->log, "directory %s answers again", dir->name);
    dir->reason[0] = '\0';
}

static void ask_free(struct webdirs *w, struct ask *a)
{
    LIST_REMOVE(a, all);
    w->n_asks--;
    directory_unref(&a->dir);
    free(a);
}

static struct ask *find(const struct webdirs *w, uint64_t serial)
{
    struct ask *a;

    LIST_FOREACH(a, &w->asks, all)
    if (a->serial == serial)
        return a;
    return NULL;
}

static void on_fetched(void *arg, struct fetch *f)
{
    struct webdirs *w = arg;
    struct ask *a = find(w, f->serial);
    void *lookup = a->arg; /* each fetch is one of ours */
    size_t slot = a->slot;

    if (f->end == FETCH_FAILED)
        failed(w, a->dir, f->reason, f->detail);
    else
        answered(w, a->dir);
    ask_free(w, a);
    w->done(lookup, slot, f->end == FETCH_FAILED ? NULL : f->made);
    fetch_destroy(&f);
}

static struct ask *ask_new(struct webdirs *w, struct directory *dir, void *arg, size_t slot)
{
    struct ask *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    *a = (struct ask){.serial = ++w->serial, .dir = directory_ref(dir), .arg = arg, .slot = slot};
    LIST_INSERT_HEAD(&w->asks, a, all);
    w->n_asks++;
    return a;
}

bool webdirs_ask(struct webdirs *w, struct directory *dir, const struct query *q, void *arg,
                 size_t slot)
{
    struct fetch *f = NULL;
    struct ask *a = NULL;
    int err = -ENOMEM;

    metric_add(w->asked, 1);
    if (w->n_asks == HTTP_MAX_WAITING) {
        failed(w, dir, "too many lookups wait", "");
        return false;
    }
    if (!w->fetcher)
        w->fetcher = fetcher_new(w->state->loop, on_fetched, w, &err);
    if (w->fetcher)
        f = make_fetch(w, dir, q);
    if (f)
        a = ask_new(w, dir, arg, slot);
    if (!a) {
        fetch_destroy(&f);
        failed(w, dir, strerror(-err), "");
        return false;
    }
    f->serial = a->serial;
    fetcher_ask_take(w->fetcher, f);
    return true;
}

/* ---- lifecycle ---- */

struct webdirs *webdirs_new(struct state *s, webdirs_fn *done)
{
    struct webdirs *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->state = s;
    w->done = done;
    LIST_INIT(&w->asks);
    w->asked = metrics_add(s->metrics, METRIC_state_directory_asked, NULL);
    w->failed = metrics_add(s->metrics, METRIC_state_directory_failed, NULL);
    if (!w->asked || !w->failed)
        webdirs_destroy(&w);
    return w;
}

void webdirs_destroy(struct webdirs **wp)
{
    struct webdirs *w = wp ? *wp : NULL;
    struct ask *a;

    if (!w)
        return;
    *wp = NULL;
    fetcher_destroy(&w->fetcher);
    while ((a = LIST_FIRST(&w->asks)))
        ask_free(w, a);
    free(w);
}
