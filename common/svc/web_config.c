#include "svc/web_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/uri.h"
#include "http/copy.h"
#include "http/fetch.h"

#define MAX_BYTES ((size_t)64 << 20)

struct web_config {
    const char *uri;
    char *shown, *dir, *copy;
    char *ca; /* NULL: the system's store */
    uint32_t silence_s;
    struct fetcher *fetcher; /* on the loop of web_config_ask, from the first call on */
    web_config_fn *fn;
    void *arg;
    bool busy, again;
};

bool web_config_is_uri(const char *name)
{
    return uri_is_web(view_cstr(name));
}

static char *copies_dir(const struct config *given)
{
    const char *dir = config_str(given, "ctibus.config_copies");
    struct view states = view_cstr(getenv("STATE_DIRECTORY"));

    if (dir && *dir)
        return strdup(dir);
    return view_dup(states.len ? view_cut(&states, ':') : VIEW("."));
}

struct web_config *web_config_new(const char *uri, const struct config_overrides *over)
{
    struct web_config *w = calloc(1, sizeof(*w));
    struct config *given = w ? config_of_overrides(over) : NULL;
    const char *ca = given ? config_str(given, "ctibus.lists_ca") : NULL;

    if (given) {
        w->uri = uri;
        w->shown = uri_public(uri);
        w->dir = copies_dir(given);
        w->copy = w->dir ? fetch_copy_path(w->dir, uri) : NULL;
        w->ca = ca && *ca ? strdup(ca) : NULL;
        w->silence_s = (uint32_t)config_int(given, "main.sockettimeout");
    }
    config_destroy(&given);
    if (w && (!w->shown || !w->copy || (ca && *ca && !w->ca)))
        web_config_destroy(&w);
    return w;
}

void web_config_destroy(struct web_config **wp)
{
    struct web_config *w = wp ? *wp : NULL;

    if (!w)
        return;
    *wp = NULL;
    fetcher_destroy(&w->fetcher);
    free(w->shown);
    free(w->dir);
    free(w->copy);
    free(w->ca);
    free(w);
}

const char *web_config_name(const struct web_config *w)
{
    return w->shown;
}

const char *web_config_dir(const struct web_config *w)
{
    return w->dir;
}

const char *web_config_copy(const struct web_config *w)
{
    return w->copy;
}

/* ---- fetching ---- */

static void text_free(void *text)
{
    buf_free(text);
    free(text);
}

/* In the thread of the fetcher. */
static const char *read_text(struct fetch *f, struct view text)
{
    struct buf *b = calloc(1, sizeof(*b));

    if (!b)
        return "out of memory";
    buf_init(b, 0);
    if (buf_append_view(b, text) < 0) {
        text_free(b);
        return "out of memory";
    }
    f->made = b;
    f->made_free = text_free;
    return NULL;
}

static int ask(const struct web_config *w, struct fetcher *fetcher)
{
    struct fetch *f = fetch_new(w->uri);

    if (f && w->ca && !(f->ca = strdup(w->ca)))
        fetch_destroy(&f);
    if (!f)
        return -ENOMEM;
    f->silence_s = w->silence_s;
    f->max_bytes = MAX_BYTES;
    f->deadline_us = clock_mono_us() + WEB_CONFIG_S * UINT64_C(1000000);
    f->read = read_text;
    fetcher_ask_take(fetcher, f);
    return 0;
}

static void put_reason(char reason[384], const struct fetch *f)
{
    snprintf(reason, 384, "%s%s%s%s", f->reason, *f->detail ? " (" : "", f->detail,
             *f->detail ? ")" : "");
}

/* A fetch of the start, on a loop of its own. */
struct first {
    struct loop *loop;
    struct buf *text;
    char *reason;
    int rc;
};

static void on_first(void *arg, struct fetch *f)
{
    struct first *first = arg;

    if (f->end == FETCH_NEW) {
        first->rc = buf_append_view(first->text, buf_view(f->made));
    } else {
        first->rc = -EIO;
        put_reason(first->reason, f);
    }
    fetch_destroy(&f);
    loop_stop(first->loop);
}

int web_config_fetch(struct web_config *w, struct buf *text, char reason[384])
{
    struct first first = {loop_new(), text, reason, -ENOMEM};
    struct fetcher *fetcher = NULL;
    int rc = -ENOMEM;

    *reason = '\0';
    if (first.loop)
        fetcher = fetcher_new(first.loop, on_first, &first, &rc);
    if (fetcher)
        rc = ask(w, fetcher);
    if (rc == 0)
        rc = loop_run(first.loop);
    if (rc == 0)
        rc = first.rc;
    fetcher_destroy(&fetcher);
    loop_destroy(&first.loop);
    if (rc < 0 && !*reason)
        snprintf(reason, 384, "%s", strerror(-rc));
    return rc;
}

static void on_fetched(void *arg, struct fetch *f)
{
    struct web_config *w = arg;
    char reason[384];

    w->busy = false;
    if (w->again) {
        w->again = false;
        w->busy = ask(w, w->fetcher) == 0;
    }
    if (w->busy) { /* the next answer is newer */
        fetch_destroy(&f);
        return;
    }
    put_reason(reason, f);
    w->fn(w->arg, f->end == FETCH_NEW ? buf_view(f->made) : view_of(NULL, 0),
          f->end == FETCH_NEW ? NULL : reason);
    fetch_destroy(&f);
}

int web_config_ask(struct web_config *w, struct loop *loop, web_config_fn *fn, void *arg)
{
    int rc = 0;

    w->fn = fn;
    w->arg = arg;
    if (w->busy) {
        w->again = true;
        return 0;
    }
    if (!w->fetcher)
        w->fetcher = fetcher_new(loop, on_fetched, w, &rc);
    if (rc == 0)
        rc = ask(w, w->fetcher);
    w->busy = rc == 0;
    return rc;
}

/* ---- the copy ---- */

int web_config_keep(const struct web_config *w, struct view text)
{
    return fetch_copy_write(w->copy, NULL, NULL, text);
}

int web_config_kept(const struct web_config *w, struct buf *text)
{
    int rc = buf_read_file(text, w->copy);
    struct view rest = buf_view(text);

    if (rc == 0) {
        view_cut(&rest, '\n'); /* what the copy of a list has there: not used */
        buf_consume(text, buf_len(text) - rest.len);
    }
    return rc;
}
