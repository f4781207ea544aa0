#include "hooks/hooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/uri.h"
#include "hooks/sender.h"
#include "msg/msg.h"
#include "json/json.h"

#define AT_ONCE 20 /* deliveries to one receiver */
#define FIRST_MS 1000u
#define RECEIVER_MOST_MS 300000u
#define DELIVERY_MOST_MS 600000u
#define LOOK_MS 100
#define TELL_US 60000000u

/* A webhook at work. */
struct worker {
    struct hooks *of;
    struct hook hook;
    bool gone; /* not in the configuration any more */
    TAILQ_HEAD(waits, delivery) waits;
    size_t n_waits, sending;
    unsigned failures; /* of the receiver, one after the other */
    uint64_t until;    /* monotonic us: it is left alone till then */
    uint64_t sent;
    double last; /* seconds since 1970, of the last that arrived; 0: none */
    char why[200];
    uint64_t told; /* monotonic us */
    struct worker *next;
};

/* A delivery under way. */
struct trip {
    struct worker *w;
    struct delivery *d;
    struct trip *next; /* all */
};

struct hooks {
    struct loop *loop;
    struct log *log;
    struct db *db;
    struct queue *queue;
    struct sender *sender;
    struct loop_timer *look;
    struct worker *workers;
    struct trip *trips;
    struct json_parser parser;
    double give_up_s;
    size_t dead;
    uint64_t lost_told;
    struct metric *sent, *failed, *buried, *lost;
    struct buf body;
};

/* ---- waiting ---- */

static struct worker *worker_of(const struct hooks *h, struct view name)
{
    for (struct worker *w = h->workers; w; w = w->next)
        if (!w->gone && view_eq(view_cstr(w->hook.name), name))
            return w;
    return NULL;
}

static void pump(struct worker *w);

static void on_ready(void *arg, struct delivery *d)
{
    struct hooks *h = arg;
    struct worker *w = worker_of(h, queue_hook(d));

    if (!w) { /* its webhook is gone */
        h->dead++;
        queue_bury(h->queue, d, "there is no such webhook any more");
        return;
    }
    TAILQ_INSERT_TAIL(&w->waits, d, wait);
    w->n_waits++;
    d->leaves = true; /* it is in our hands */
    pump(w);
}

/* ---- what came of it ---- */

static uint64_t wait_us(unsigned tries, uint32_t most_ms)
{
    return UINT64_C(1000) * backoff_ms(FIRST_MS, most_ms, tries, rng_u64());
}

static bool is_receivers(long status)
{
    return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

static void note_failure(struct worker *w, const char *why)
{
    snprintf(w->why, sizeof(w->why), "%s", why);
    if (clock_once_in(&w->told, TELL_US))
        log_warning(w->of->log, "webhook %s: %s; %zu wait, and are tried again", w->hook.name, why,
                    queue_waiting(w->of->queue, view_cstr(w->hook.name)));
}

static void bury(struct worker *w, struct delivery *d, const char *why)
{
    struct hooks *h = w->of;

    log_error(h->log,
              "webhook %s: %s of %s is given up: %s (ctibus webhooks dead; ctibus webhooks resend)",
              w->hook.name, d->event, d->name, why);
    metric_add(h->buried, 1);
    h->dead++;
    queue_bury(h->queue, d, why);
}

static void again(struct worker *w, struct delivery *d, long status, const char *why)
{
    struct hooks *h = w->of;
    uint64_t now = clock_mono_us();
    uint64_t due = now + wait_us(d->tries, DELIVERY_MOST_MS);

    metric_add(h->failed, 1);
    note_failure(w, why);
    if (is_receivers(status)) {
        w->until = now + wait_us(w->failures++, RECEIVER_MOST_MS);
        due = w->until;
    }
    if (clock_wall() - d->created > h->give_up_s)
        bury(w, d, why);
    else
        queue_again(h->queue, d, due, why);
}

static void forget(struct hooks *h, struct trip *t)
{
    struct trip **at = &h->trips;

    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    free(t);
}

static void worker_free(struct worker *w)
{
    hook_clear(&w->hook);
    free(w);
}

static void arrived(struct worker *w, struct delivery *d)
{
    w->failures = 0;
    w->until = 0;
    w->sent++;
    w->last = clock_wall();
    w->why[0] = '\0';
    metric_add(w->of->sent, 1);
    queue_done(w->of->queue, d);
}

static void on_sent(void *arg, long status, const char *why)
{
    struct trip *t = arg;
    struct worker *w = t->w;
    struct delivery *d = t->d;
    struct hooks *h = w->of;
    char text[200];

    forget(h, t);
    w->sending--;
    if (status > 0)
        snprintf(text, sizeof(text), "it answers with status %ld", status);
    else
        snprintf(text, sizeof(text), "%s", why);
    if (status >= 200 && status < 300)
        arrived(w, d);
    else if (w->gone)
        bury(w, d, text);
    else
        again(w, d, status, text);
    if (!w->gone)
        pump(w);
    else if (w->sending == 0)
        worker_free(w);
}

/* ---- leaving ---- */

static bool put_headers(const struct worker *w, const struct delivery *d, char lines[5][512],
                        const char *list[6])
{
    size_t n = 0;
    struct buf signature;
    int64_t now = (int64_t)clock_wall();
    int rc = 0;

    snprintf(lines[n++], 512, "Content-Type: %s", w->hook.type);
    snprintf(lines[n++], 512, "Ctibus-Event: %s", d->name);
    snprintf(lines[n++], 512, "Ctibus-Id: %s", d->event);
    snprintf(lines[n++], 512, "Expect:"); /* no asking first */
    if (w->hook.secret) {
        buf_init(&signature, 400);
        rc = hook_sign(&w->hook, now, view_of(d->body, d->len), &signature);
        snprintf(lines[n++], 512, "Ctibus-Signature: %.*s", VIEW_ARG(buf_view(&signature)));
        buf_free(&signature);
    }
    for (size_t i = 0; i < n; i++)
        list[i] = lines[i];
    list[n] = NULL;
    return rc == 0;
}

/* False: no memory; it stays where it is. */
static bool leave(struct worker *w, struct delivery *d)
{
    struct hooks *h = w->of;
    struct trip *t = calloc(1, sizeof(*t));
    char lines[5][512];
    const char *list[6];
    const struct sending_request rq = {.url = w->hook.url,
                                       .body = view_of(d->body, d->len),
                                       .headers = list,
                                       .may_be_private = w->hook.may_be_private};

    if (!t || !put_headers(w, d, lines, list)) {
        free(t);
        return false;
    }
    *t = (struct trip){w, d, h->trips};
    h->trips = t;
    if (sender_send(h->sender, &rq, on_sent, t))
        return true;
    forget(h, t);
    return false;
}

/* Of those that wait the first whose time has come. */
static struct delivery *next_due(const struct worker *w, uint64_t now)
{
    struct delivery *d;

    TAILQ_FOREACH(d, &w->waits, wait)
    if (d->due <= now)
        return d;
    return NULL;
}

static void pump(struct worker *w)
{
    uint64_t now = clock_mono_us();
    size_t most = w->failures ? 1 : AT_ONCE; /* one alone tries whether it is back */
    struct delivery *d;

    while (w->sending < most && now >= w->until && (d = next_due(w, now))) {
        TAILQ_REMOVE(&w->waits, d, wait);
        w->n_waits--;
        if (!leave(w, d)) {
            TAILQ_INSERT_HEAD(&w->waits, d, wait);
            w->n_waits++;
            return;
        }
        w->sending++;
    }
}

static void look(void *arg)
{
    struct hooks *h = arg;

    for (struct worker *w = h->workers; w; w = w->next)
        if (w->n_waits)
            pump(w);
}

/* ---- events ---- */

static void tell_lost(struct hooks *h, const struct worker *w, int rc)
{
    metric_add(h->lost, 1);
    if (clock_once_in(&h->lost_told, TELL_US))
        log_error(h->log, "webhook %s: an event is lost: %s", w->hook.name,
                  rc == -ENOBUFS ? "more than ctibus.webhook_queue.max wait" : "no memory");
}

static void add_for(struct hooks *h, struct worker *w, const struct hooks_event *e,
                    struct json_object *event, struct db_txn *txn)
{
    struct queue_item item = {.hook = view_cstr(w->hook.name),
                              .event = e->id,
                              .name = e->name,
                              .key = e->key,
                              .now = e->time};
    int rc;

    buf_reset(&h->body);
    if (!hook_put_body(&w->hook, event, &h->body)) {
        if (h->body.failed)
            tell_lost(h, w, -ENOMEM);
        return;
    }
    item.body = buf_view(&h->body);
    rc = queue_add(h->queue, &item, txn);
    if (rc < 0)
        tell_lost(h, w, rc);
}

void hooks_add(struct hooks *h, const struct hooks_event *e, struct db_txn *txn)
{
    struct json_object *event = NULL;

    if (!h->workers || json_parse(&h->parser, e->json, &event) < 0)
        return;
    for (struct worker *w = h->workers; w; w = w->next)
        if (hook_wants(&w->hook, e->name, e->ipbx, event))
            add_for(h, w, e, event, txn);
    json_object_put(event);
}

int64_t hooks_mark(const struct hooks *h)
{
    return queue_last(h->queue);
}

void hooks_kept(struct hooks *h, int64_t mark)
{
    queue_kept(h->queue, mark);
}

bool hooks_any(const struct hooks *h)
{
    return h->workers != NULL;
}

struct db *hooks_db(struct hooks *h)
{
    return h->db;
}

bool hooks_revive(struct hooks *h, const struct queue_item *item, int64_t id)
{
    if (!worker_of(h, item->hook) || queue_revive(h->queue, item, id) < 0)
        return false;
    h->dead -= h->dead > 0;
    return true;
}

struct counting {
    struct hooks *h;
    size_t n;
};

/* On the thread of the database. */
static bool take_count(void *arg, const struct db_row *row)
{
    ((struct counting *)arg)->n = (size_t)db_int(row, 0);
    return false;
}

static void on_counted(void *arg, int rc)
{
    struct counting *c = arg;

    if (rc == 0)
        c->h->dead = c->n;
    free(c);
}

#define COUNT_DEAD "SELECT count(*) FROM delivery WHERE dead = 1"

void hooks_count_dead(struct hooks *h)
{
    struct counting *c = calloc(1, sizeof(*c));

    if (!c)
        return;
    c->h = h;
    if (db_read(h->db, COUNT_DEAD, take_count, on_counted, c, "") < 0)
        free(c);
}

/* ---- for administrators ---- */

static void put_worker(const struct worker *w, struct buf *out)
{
    uint64_t now = clock_mono_us();
    struct buf url;

    buf_init(&url, 4096);
    uri_put_public(&url, view_cstr(w->hook.url));
    msg_put_map(out, 10);
    msg_put_pair(out, "name", view_cstr(w->hook.name));
    msg_put_pair(out, "url", buf_view(&url));
    msg_put_pair(out, "events", view_cstr(w->hook.events));
    msg_put_pair_u64(out, "waiting", queue_waiting(w->of->queue, view_cstr(w->hook.name)));
    msg_put_pair_u64(out, "sending", w->sending);
    msg_put_pair_u64(out, "failures", w->failures);
    msg_put_pair_u64(out, "next", w->until > now ? (w->until - now) / 1000000 + 1 : 0);
    msg_put_pair_u64(out, "sent", w->sent);
    msg_put_cstr(out, "last");
    msg_put_double(out, w->last);
    msg_put_pair(out, "why", view_cstr(w->why));
    buf_free(&url);
}

void hooks_put(const struct hooks *h, struct buf *out)
{
    size_t n = 0;
    size_t mark = msg_array_begin(out);

    for (const struct worker *w = h->workers; w; w = w->next, n++)
        put_worker(w, out);
    msg_array_end(out, mark, n);
}

/* ---- configuration ---- */

/* What waits for a webhook that is gone is a dead letter. */
static void retire(struct hooks *h, struct worker *w)
{
    struct delivery *d;

    w->gone = true;
    while ((d = TAILQ_FIRST(&w->waits))) {
        TAILQ_REMOVE(&w->waits, d, wait);
        w->n_waits--;
        bury(w, d, "its webhook is not in the configuration any more");
    }
    if (w->sending == 0)
        worker_free(w);
}

/* Takes the hook. */
static struct worker *worker_new(struct hooks *h, struct hook *hook)
{
    struct worker *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->of = h;
    w->hook = *hook;
    *hook = (struct hook){.name = NULL};
    TAILQ_INIT(&w->waits);
    return w;
}

/* A webhook that stays keeps what waits for it. 0 or -ENOMEM. */
static int take(struct hooks *h, struct hook_list *hooks)
{
    struct worker *old = h->workers, *w;
    int rc = 0;

    h->workers = NULL;
    for (size_t i = 0; rc == 0 && i < hooks->n; i++) {
        struct worker **at = &old;
        while (*at && strcmp((*at)->hook.name, hooks->list[i].name) != 0)
            at = &(*at)->next;
        w = *at;
        if (w) {
            *at = w->next;
            hook_clear(&w->hook);
            w->hook = hooks->list[i];
            hooks->list[i] = (struct hook){.name = NULL};
        } else {
            w = worker_new(h, &hooks->list[i]);
        }
        if (!w) {
            rc = -ENOMEM;
            break;
        }
        w->next = h->workers;
        h->workers = w;
    }
    while ((w = old)) {
        old = w->next;
        retire(h, w);
    }
    return rc;
}

static int read_hooks(struct hooks *h, const struct config *cfg)
{
    struct hook_list hooks;
    struct buf why;
    int rc;

    buf_init(&why, 65536);
    rc = hooks_read(cfg, &hooks, &why);
    if (rc == 0)
        rc = take(h, &hooks);
    else
        log_error(h->log, "webhooks: %s",
                  rc == -ENOMEM || !buf_cstr(&why) ? "out of memory" : buf_cstr(&why));
    h->give_up_s = 3600.0 * (double)config_int(cfg, "ctibus.webhook_queue.give_up_hours");
    hooks_free(&hooks);
    buf_free(&why);
    return rc;
}

void hooks_reload(struct hooks *h, const struct config *cfg)
{
    read_hooks(h, cfg);
}

/* ---- lifecycle ---- */

static double waiting(void *arg)
{
    return (double)queue_waiting(((struct hooks *)arg)->queue, view_of(NULL, 0));
}

static double dead(void *arg)
{
    return (double)((struct hooks *)arg)->dead;
}

static int make_metrics(struct hooks *h, struct metrics *m)
{
    const struct metrics_row rows[] = {
        {&h->sent, METRIC_api_webhook_sent},
        {&h->failed, METRIC_api_webhook_failed},
        {&h->buried, METRIC_api_webhook_given_up},
        {&h->lost, METRIC_api_webhook_lost},
    };

    return metrics_add_rows(m, rows, ARRAY_SIZE(rows)) == 0 &&
                   metrics_callback(m, METRIC_api_webhook_waiting, NULL, waiting, h) &&
                   metrics_callback(m, METRIC_api_webhook_dead, NULL, dead, h)
               ? 0
               : -ENOMEM;
}

static int open_queue(struct hooks *h, const struct config *cfg, struct metrics *metrics)
{
    char *path = config_path(cfg, view_cstr(config_str(cfg, "ctibus.webhook_queue.path")));
    struct counting dead_letters = {h, 0};
    int err = -ENOMEM;

    if (path)
        h->db = db_open(h->loop, path, &queue_schema, metrics, h->log, &err);
    free(path);
    if (!h->db)
        return err;
    h->queue = queue_new(h->db, (size_t)config_int(cfg, "ctibus.webhook_queue.max"), on_ready, h);
    if (!h->queue)
        return -ENOMEM;
    err = db_read_now(h->db, COUNT_DEAD, take_count, &dead_letters, "");
    h->dead = dead_letters.n;
    return err;
}

static int start(struct hooks *h, const struct config *cfg, struct metrics *metrics)
{
    const char *ca = config_str(cfg, "ctibus.webhook_ca");
    char *path = ca ? config_path(cfg, view_cstr(ca)) : NULL;
    int rc = open_queue(h, cfg, metrics);

    h->sender = sender_new(h->loop, path);
    h->look = loop_timer_new(h->loop, look, h);
    free(path);
    if (rc < 0)
        return rc;
    if (!h->sender || !h->look || make_metrics(h, metrics) < 0)
        return -ENOMEM;
    rc = read_hooks(h, cfg);
    if (rc == 0)
        rc = queue_restore(h->queue);
    if (rc == 0)
        loop_timer_start(h->look, LOOK_MS, true);
    return rc;
}

struct hooks *hooks_new(struct loop *loop, const struct config *cfg, struct metrics *metrics,
                        struct log *log, int *err)
{
    struct hooks *h = calloc(1, sizeof(*h));

    *err = -ENOMEM;
    if (!h)
        return NULL;
    h->loop = loop;
    h->log = log;
    buf_init(&h->body, (size_t)1 << 20);
    *err = json_parser_init(&h->parser);
    if (*err == 0)
        *err = start(h, cfg, metrics);
    if (*err < 0)
        hooks_destroy(&h);
    return h;
}

void hooks_destroy(struct hooks **hp)
{
    struct hooks *h = hp ? *hp : NULL;
    struct worker *w;
    struct trip *t;

    if (!h)
        return;
    *hp = NULL;
    sender_destroy(&h->sender); /* nobody is told of what is under way: it is sent again */
    while ((t = h->trips)) {
        h->trips = t->next;
        if (--t->w->sending == 0 && t->w->gone)
            worker_free(t->w);
        free(t);
    }
    db_close(&h->db);
    while ((w = h->workers)) {
        h->workers = w->next;
        worker_free(w);
    }
    queue_destroy(&h->queue);
    loop_timer_destroy(&h->look);
    json_parser_fini(&h->parser);
    buf_free(&h->body);
    free(h);
}
