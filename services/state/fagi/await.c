/* The AMI and the FastAGI connection of a channel race: a script that needs the channel waits for
 * the AMI's word of it, a little. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "core/deferred_reply.h"
#include "fagi/parts.h"
#include "model/tel.h"

#define MAX_WAITING 20000
#define TICK_MS 10

struct waiting {
    TAILQ_ENTRY(waiting) by_due;
    struct waiting *next; /* of the same channel */
    char *key; /* the channel, which may be one of any IPBX; the first of a chain's is in the map */
    struct ipbx *ipbx;
    struct deferred_reply *l;
    struct msg_doc doc;
    struct buf body;
    uint64_t due; /* monotonic us */
};

struct fagi_await {
    struct state *s;
    fagi_known_fn *known;
    void *arg;
    struct map *by_channel; /* chains */
    TAILQ_HEAD(, waiting) all;
    size_t n;
    struct loop_timer *timer; /* runs while a script waits */
};

static void free_one(struct fagi_await *w, struct waiting *one)
{
    TAILQ_REMOVE(&w->all, one, by_due);
    w->n--;
    msg_doc_fini(&one->doc);
    buf_free(&one->body);
    free(one->key);
    free(one);
}

/* Takes one out of its chain. */
static void unchain(struct fagi_await *w, struct waiting *one)
{
    struct waiting *first = map_del(w->by_channel, view_cstr(one->key));
    struct waiting **at = &first;

    while (*at && *at != one)
        at = &(*at)->next;
    if (*at)
        *at = one->next;
    if (first)
        map_put(w->by_channel, view_cstr(first->key), first);
}

static void tick(void *arg)
{
    struct fagi_await *w = arg;
    uint64_t now = clock_mono_us();
    struct waiting *one;

    while ((one = TAILQ_FIRST(&w->all)) && one->due <= now) {
        unchain(w, one);
        deferred_reply_status(&one->l, BUS_not_found);
        free_one(w, one);
    }
    if (!one)
        loop_timer_stop(w->timer);
}

struct fagi_await *fagi_await_new(struct state *s, fagi_known_fn *known, void *arg)
{
    struct fagi_await *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->s = s;
    w->known = known;
    w->arg = arg;
    TAILQ_INIT(&w->all);
    w->by_channel = map_new();
    w->timer = loop_timer_new(s->loop, tick, w);
    if (!w->by_channel || !w->timer)
        fagi_await_destroy(&w);
    return w;
}

void fagi_await_destroy(struct fagi_await **wp)
{
    struct fagi_await *w = wp ? *wp : NULL;
    struct waiting *one;

    if (!w)
        return;
    *wp = NULL;
    while ((one = TAILQ_FIRST(&w->all))) {
        deferred_reply_status(&one->l, BUS_gone);
        free_one(w, one);
    }
    map_destroy(&w->by_channel);
    loop_timer_destroy(&w->timer);
    free(w);
}

/* A copy of the ask; NULL without memory. */
static struct waiting *copy(const struct fagi_ask *a)
{
    struct waiting *one = calloc(1, sizeof(*one));

    if (!one)
        return NULL;
    buf_init(&one->body, 0);
    msg_put_object(&one->body, a->body);
    one->key = view_dup(a->channel);
    if (one->key && msg_doc_init(&one->doc) == 0) {
        if (!one->body.failed && msg_parse(&one->doc, buf_view(&one->body)) == 0)
            return one;
        msg_doc_fini(&one->doc);
    }
    buf_free(&one->body);
    free(one->key);
    free(one);
    return NULL;
}

void fagi_await_add(struct fagi_await *w, struct fagi_ask *a)
{
    struct waiting *one = w->n < MAX_WAITING ? copy(a) : NULL;

    if (!one) {
        deferred_reply_status(&a->l, BUS_busy);
        return;
    }
    one->ipbx = a->ipbx;
    one->l = a->l;
    one->due = clock_mono_us() + (uint64_t)config_int(w->s->cfg, "ctibus.fagi.ami_wait_ms") * 1000;
    one->next = map_del(w->by_channel, view_cstr(one->key));
    TAILQ_INSERT_TAIL(&w->all, one, by_due);
    w->n++;
    if (map_put(w->by_channel, view_cstr(one->key), one) < 0) {
        one->due = 0; /* not in the map: they end with the next tick */
        TAILQ_REMOVE(&w->all, one, by_due);
        TAILQ_INSERT_HEAD(&w->all, one, by_due);
    }
    if (!loop_timer_running(w->timer))
        loop_timer_start(w->timer, TICK_MS, true);
}

static void pass_on(struct fagi_await *w, struct waiting *one)
{
    const msgpack_object *body = &one->doc.root;
    struct fagi_ask a = {.s = w->s,
                         .ipbx = one->ipbx,
                         .script = msg_get_str(body, "script"),
                         .channel = msg_get_str(body, "channel"),
                         .body = body,
                         .l = one->l};

    w->known(w->arg, &a);
    free_one(w, one);
}

void fagi_await_event(struct fagi_await *w, const struct xod_ipbx *ipbx, const struct tel *t)
{
    struct waiting *one, *next;
    struct waiting *others = NULL;

    if (w->n == 0 || !tel_has(t, TELF_channel) ||
        !xod_find(ipbx, LIST_channels, t->str[TELF_channel]))
        return;
    for (one = map_del(w->by_channel, t->str[TELF_channel]); one; one = next) {
        next = one->next;
        if (one->ipbx->model->ipbx == ipbx) {
            pass_on(w, one);
        } else {
            one->next = others;
            others = one;
        }
    }
    if (others)
        map_put(w->by_channel, view_cstr(others->key), others);
}
