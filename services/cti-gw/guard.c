/*
 * The guard against guessed passwords: counts failed logins per address over a minute. From a few
 * on answers are held back, from many on the address is not let in.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define SLOTS 4096 /* addresses that share a slot share its fate */
#define WINDOW_US 60000000u
#define DELAY_FROM 5
#define REFUSE_FROM 40
#define DELAY_MS 1000

struct slot {
    uint64_t since;
    uint32_t address;
    uint32_t failures;
};

struct guard {
    struct slot slots[SLOTS];
};

struct guard *guard_new(void)
{
    return calloc(1, sizeof(struct guard));
}

void guard_destroy(struct guard **g)
{
    free(*g);
    *g = NULL;
}

void guard_failed(struct guard *g, uint32_t address, uint64_t now_us)
{
    struct slot *s = &g->slots[address % SLOTS];

    if (s->address != address || now_us - s->since > WINDOW_US)
        *s = (struct slot){now_us, address, 0};
    s->failures++;
}

int guard_delay(struct guard *g, uint32_t address, uint64_t now_us)
{
    const struct slot *s = &g->slots[address % SLOTS];

    if (s->address != address || now_us - s->since > WINDOW_US || s->failures < DELAY_FROM)
        return 0;
    return s->failures < REFUSE_FROM ? DELAY_MS : -1;
}

/* ---- answers held back ---- */

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
