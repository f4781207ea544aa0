#include "hooks/queue.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"

struct lane {
    char *name; /* hook, NUL, key */
    size_t hook_len, name_len;
    bool telling, again; /* of its first one: in a loop, however many are given up at once */
    STAILQ_HEAD(, delivery) list;
};

struct queue {
    struct db *db;
    size_t max, n;
    queue_ready_fn *ready;
    void *arg;
    struct map *lanes;             /* by name */
    STAILQ_HEAD(, delivery) fresh; /* in the order in which they were added */
    int64_t next_id;
    struct buf scratch;
};

static const char *const steps[] = {
    /* 1: dead: 0 waits, 1 given up */
    ("CREATE TABLE delivery (id INTEGER PRIMARY KEY, hook TEXT NOT NULL, event TEXT NOT NULL,"
     " name TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, created REAL NOT NULL,"
     " tries INTEGER NOT NULL, dead INTEGER NOT NULL, why TEXT NOT NULL);"
     "CREATE INDEX delivery_dead ON delivery (dead, id);"
     /* what is known of objects, so that a restart sees what has become of them */
     "CREATE TABLE known (ipbx TEXT NOT NULL, list TEXT NOT NULL, id TEXT NOT NULL,"
     " note TEXT NOT NULL, object TEXT NOT NULL, PRIMARY KEY (ipbx, list, id)) WITHOUT ROWID;"
     "CREATE TABLE name (name TEXT PRIMARY KEY) WITHOUT ROWID;"),
};

const struct db_schema queue_schema = {
    .steps = steps,
    .n_steps = (int)ARRAY_SIZE(steps),
    .key = "ctibus.webhook_queue.path",
    .program = "ctibus-http-gw",
    .without = "what is still to be sent to webhooks is lost",
    .refuses = "Events for webhooks wait in memory, and are lost at a stop, until it can",
    .up = METRIC_api_webhook_disk_up,
    .written = METRIC_api_webhook_written,
    .lost = METRIC_api_webhook_unwritten,
};

/* ---- memory ---- */

static void delivery_free(struct delivery *d)
{
    free(d->event);
    free(d->name);
    free(d->body);
    free(d);
}

static struct view pair_name(struct queue *q, struct view hook, struct view rest)
{
    buf_reset(&q->scratch);
    buf_append_view(&q->scratch, hook);
    buf_append_char(&q->scratch, '\0');
    buf_append_view(&q->scratch, rest);
    return q->scratch.failed ? view_of(NULL, 0) : buf_view(&q->scratch);
}

static void lane_free(struct queue *q, struct lane *l)
{
    map_del(q->lanes, view_of(l->name, l->name_len));
    free(l->name);
    free(l);
}

static struct lane *lane_of(struct queue *q, struct view hook, struct view key)
{
    struct view name = pair_name(q, hook, key);
    struct lane *l = name.len ? map_get(q->lanes, name) : NULL;

    if (l || name.len == 0)
        return l;
    l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    STAILQ_INIT(&l->list);
    l->hook_len = hook.len;
    l->name_len = name.len;
    l->name = malloc(name.len);
    if (l->name)
        memcpy(l->name, name.ptr, name.len);
    if (!l->name || map_put(q->lanes, view_of(l->name, l->name_len), l) < 0) {
        free(l->name);
        free(l);
        return NULL;
    }
    return l;
}

static struct delivery *delivery_new(const struct queue_item *item)
{
    struct delivery *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->event = view_dup(item->event);
    d->name = view_dup(item->name);
    d->body = view_dup(item->body);
    d->len = item->body.len;
    d->created = item->now;
    if (d->event && d->name && d->body)
        return d;
    delivery_free(d);
    return NULL;
}

struct view queue_hook(const struct delivery *d)
{
    return view_of(d->lane->name, d->lane->hook_len);
}

/* ---- lanes ---- */

static void tell_first(struct queue *q, struct lane *l)
{
    l->again = true;
    if (l->telling)
        return;
    l->telling = true;
    while (l->again) {
        struct delivery *d = STAILQ_FIRST(&l->list);
        l->again = false;
        if (d && d->kept && !d->leaves)
            q->ready(q->arg, d);
    }
    l->telling = false;
    if (STAILQ_EMPTY(&l->list))
        lane_free(q, l);
}

/* Takes it out of its lane; the next one is ready. */
static void take_out(struct queue *q, struct delivery *d)
{
    struct lane *l = d->lane;
    bool first = STAILQ_FIRST(&l->list) == d;

    STAILQ_REMOVE(&l->list, d, delivery, link);
    q->n--;
    delivery_free(d);
    if (first || STAILQ_EMPTY(&l->list))
        tell_first(q, l); /* frees it when it is empty */
}

static int put_in(struct queue *q, struct delivery *d, struct view hook, struct view key)
{
    struct lane *l = lane_of(q, hook, key);

    if (!l)
        return -ENOMEM;
    d->lane = l;
    STAILQ_INSERT_TAIL(&l->list, d, link);
    q->n++;
    return 0;
}

/* ---- adding ---- */

int queue_add(struct queue *q, const struct queue_item *item, struct db_txn *txn)
{
    struct delivery *d;
    int rc;

    if (q->n >= q->max)
        return -ENOBUFS;
    d = delivery_new(item);
    if (!d)
        return -ENOMEM;
    d->id = q->next_id;
    rc = put_in(q, d, item->hook, item->key);
    if (rc < 0) {
        delivery_free(d);
        return rc;
    }
    q->next_id++;
    STAILQ_INSERT_TAIL(&q->fresh, d, fresh);
    db_add(txn,
           "INSERT INTO delivery (id, hook, event, name, key, body, created, tries, dead, why)"
           " VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, '')",
           "isssssf", d->id, item->hook, item->event, item->name, item->key, item->body, item->now);
    return 0;
}

int64_t queue_last(const struct queue *q)
{
    return q->next_id - 1;
}

void queue_kept(struct queue *q, int64_t up_to)
{
    struct delivery *d;

    while ((d = STAILQ_FIRST(&q->fresh)) && d->id <= up_to) {
        STAILQ_REMOVE_HEAD(&q->fresh, fresh);
        d->kept = true;
        if (STAILQ_FIRST(&d->lane->list) == d)
            tell_first(q, d->lane);
    }
}

/* ---- what becomes of them ---- */

void queue_done(struct queue *q, struct delivery *d)
{
    db_write(q->db, "DELETE FROM delivery WHERE id = ?", "i", d->id);
    take_out(q, d);
}

void queue_again(struct queue *q, struct delivery *d, uint64_t due, const char *why)
{
    d->tries++;
    d->due = due;
    d->leaves = false;
    db_write(q->db, "UPDATE delivery SET tries = ?, why = ? WHERE id = ?", "isi", (int64_t)d->tries,
             view_cstr(why), d->id);
    tell_first(q, d->lane);
}

void queue_bury(struct queue *q, struct delivery *d, const char *why)
{
    db_write(q->db, "UPDATE delivery SET dead = 1, tries = ?, why = ? WHERE id = ?", "isi",
             (int64_t)d->tries + 1, view_cstr(why), d->id);
    take_out(q, d);
}

size_t queue_waiting(const struct queue *q, struct view hook)
{
    const struct delivery *d;
    size_t pos = 0;
    size_t n = 0;
    void *v;

    if (hook.len == 0)
        return q->n;
    while (map_next(q->lanes, &pos, NULL, &v)) {
        const struct lane *l = v;
        if (view_eq(view_of(l->name, l->hook_len), hook))
            STAILQ_FOREACH(d, &l->list, link)
        n++;
    }
    return n;
}

/* ---- life ---- */

struct queue *queue_new(struct db *db, size_t max, queue_ready_fn *ready, void *arg)
{
    struct queue *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->db = db;
    q->max = max;
    q->ready = ready;
    q->arg = arg;
    q->next_id = 1;
    STAILQ_INIT(&q->fresh);
    buf_init(&q->scratch, 65536);
    q->lanes = map_new();
    if (!q->lanes)
        queue_destroy(&q);
    return q;
}

void queue_destroy(struct queue **qp)
{
    struct queue *q = qp ? *qp : NULL;
    size_t pos = 0;
    void *v;

    if (!q)
        return;
    *qp = NULL;
    while (map_next(q->lanes, &pos, NULL, &v)) {
        struct lane *l = v;
        struct delivery *d;
        while ((d = STAILQ_FIRST(&l->list))) {
            STAILQ_REMOVE_HEAD(&l->list, link);
            delivery_free(d);
        }
        lane_free(q, l);
    }
    map_destroy(&q->lanes);
    buf_free(&q->scratch);
    free(q);
}

static bool take_row(void *arg, const struct db_row *row)
{
    struct queue *q = arg;
    const struct queue_item item = {.hook = db_text(row, 1),
                                    .event = db_text(row, 2),
                                    .name = db_text(row, 3),
                                    .key = db_text(row, 4),
                                    .body = db_text(row, 5),
                                    .now = db_float(row, 6)};
    struct delivery *d;

    q->next_id = db_int(row, 0) + 1;
    if (db_int(row, 8)) /* a dead letter stays on disk */
        return true;
    d = delivery_new(&item);
    if (!d || put_in(q, d, item.hook, item.key) < 0) {
        if (d)
            delivery_free(d);
        return false;
    }
    d->id = q->next_id - 1;
    d->tries = (unsigned)db_int(row, 7);
    d->kept = true;
    return true;
}

int queue_restore(struct queue *q)
{
    size_t pos = 0;
    void *v;
    int rc = db_read_now(q->db,
                         "SELECT id, hook, event, name, key, body, created, tries, dead"
                         " FROM delivery ORDER BY id",
                         take_row, q, "");

    while (rc == 0 && map_next(q->lanes, &pos, NULL, &v))
        tell_first(q, v);
    return rc;
}

static bool waits_already(struct queue *q, const struct queue_item *item, int64_t id)
{
    struct view name = pair_name(q, item->hook, item->key);
    const struct lane *l = name.len ? map_get(q->lanes, name) : NULL;
    const struct delivery *d;

    if (l)
        STAILQ_FOREACH(d, &l->list, link)
    if (d->id == id)
        return true;
    return false;
}

int queue_revive(struct queue *q, const struct queue_item *item, int64_t id)
{
    struct delivery *d;

    if (waits_already(q, item, id))
        return -EEXIST;
    if (q->n >= q->max)
        return -ENOBUFS;
    d = delivery_new(item);
    if (!d || put_in(q, d, item->hook, item->key) < 0) {
        if (d)
            delivery_free(d);
        return -ENOMEM;
    }
    d->id = id;
    d->kept = true;
    db_write(q->db, "UPDATE delivery SET dead = 0, tries = 0, why = '', created = ? WHERE id = ?",
             "fi", item->now, id);
    tell_first(q, d->lane);
    return 0;
}
