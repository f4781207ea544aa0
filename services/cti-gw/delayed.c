/* Answers of a login that are held back; the login timer stands still meanwhile. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

struct delayed {
    struct client *c;
    struct loop_timer *timer;
    char *text, *reply_id;
    void (*fn)(struct client *c, struct view text, struct view reply_id);
};

void delayed_free(struct delayed **dp)
{
    struct delayed *d = *dp;

    if (!d)
        return;
    *dp = NULL;
    loop_timer_destroy(&d->timer);
    if (d->text) /* it may be a password */
        explicit_bzero(d->text, strlen(d->text));
    free(d->text);
    free(d->reply_id);
    free(d);
}

static void on_time(void *arg)
{
    struct delayed *d = arg;
    struct client *c = d->c;

    c->login->delayed = NULL; /* the client may be gone after fn, we are not */
    c->asked = 0;
    c->since = clock_mono_us(); /* the delay is ours, not the client's */
    d->fn(c, view_cstr(d->text), view_cstr(d->reply_id));
    delayed_free(&d);
}

int client_ask_later(struct client *c, struct view text, struct view reply_id, uint32_t ms,
                     void (*fn)(struct client *c, struct view text, struct view reply_id))
{
    struct delayed *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    d->c = c;
    d->fn = fn;
    d->text = view_dup(text);
    d->reply_id = view_dup(reply_id);
    d->timer = loop_timer_new(c->gw->loop, on_time, d);
    if (!d->text || !d->reply_id || !d->timer) {
        delayed_free(&d);
        return -ENOMEM;
    }
    c->login->delayed = d;
    c->asked = UINT64_MAX; /* no request of this number: only holds the reading back */
    conn_pause(c->conn);
    loop_timer_start(d->timer, ms, false);
    return 0;
}
