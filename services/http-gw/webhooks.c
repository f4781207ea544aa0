/*
 * One http-gw of several sends the webhooks: state says which. It writes each event to its disk
 * before it is sent, and tells state how far it is; the others keep the events of the last minute,
 * so that one of them goes on where it stopped when it is gone.
 *
 * What is noted of calls and others (events.h) is written together with the events: after a restart
 * what has become of them meanwhile is told, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/rng.h"
#include "hooks/hooks.h"
#include "internal.h"
#include "letters.h"

#define KEEP_S 60.0
#define KEEP_MOST 20000
#define ASK_MS 5000
#define PROGRESS_MS 50

/* An event that may have to be sent from here. */
struct kept {
    TAILQ_ENTRY(kept) all;
    struct event_id id;
    bool recalled; /* it happened while we were away */
    double time;
    const char *name;
    char *ipbx, *key, *json;
};

/* What was noted of an object in the last run. */
struct remembered {
    char *name; /* list, NUL, ipbx, NUL, id */
    size_t name_len, list_len, ipbx_len;
    char *note, *object;
};

struct webhooks {
    struct http_gw *g;
    struct metrics *metrics;
    struct hooks *hooks; /* NULL: there is no webhook, and no file */
    bool active, recalling;
    char queue_name[33]; /* of the file: who has it is who sent before */
    TAILQ_HEAD(kept_list, kept) kept;
    size_t n_kept;
    struct map *remembered;
    struct db_txn *txn; /* of this turn of the loop */
    struct event_id last, told;
    struct loop_task *commit;
    struct loop_timer *progress;
    struct buf text;
};

/* Are there webhooks? */
static bool any(const struct webhooks *w)
{
    return w->hooks && hooks_any(w->hooks);
}

/* ---- events that wait for the lease ---- */

static void kept_free(struct webhooks *w, struct kept *k)
{
    TAILQ_REMOVE(&w->kept, k, all);
    w->n_kept--;
    free(k->ipbx);
    free(k->key);
    free(k->json);
    free(k);
}

static void drop_old(struct webhooks *w, double now)
{
    struct kept *k;

    while ((k = TAILQ_FIRST(&w->kept)) && (w->n_kept > KEEP_MOST || now - k->time > KEEP_S))
        kept_free(w, k);
}

/* ---- to the queue ---- */

struct commit {
    struct webhooks *w;
    int64_t mark;
};

static void on_written(void *arg, int rc)
{
    struct commit *c = arg;

    (void)rc; /* what is not on disk is still sent, from memory: the log says that it cannot be */
    if (c->w->hooks) /* not at the end */
        hooks_kept(c->w->hooks, c->mark);
    free(c);
}

static struct db_txn *txn_of(struct webhooks *w)
{
    if (!w->txn) {
        w->txn = db_begin(hooks_db(w->hooks));
        loop_task_post(w->commit);
    }
    return w->txn;
}

static void commit(void *arg)
{
    struct webhooks *w = arg;
    struct commit *c = w->txn ? malloc(sizeof(*c)) : NULL;

    if (!w->txn)
        return;
    if (c)
        *c = (struct commit){w, hooks_mark(w->hooks)};
    db_commit_take(&w->txn, c ? on_written : NULL, c);
}

static void queue_event(struct webhooks *w, const struct kept *k)
{
    char id[EVENT_ID_TEXT];
    const struct hooks_event e = {.name = view_cstr(k->name),
                                  .ipbx = view_cstr(k->ipbx),
                                  .key = view_cstr(k->key),
                                  .json = view_cstr(k->json),
                                  .time = k->time};
    struct hooks_event whole = e;
    struct db_txn *txn = txn_of(w);

    w->last = k->id;
    event_id_print(&k->id, id);
    whole.id = view_cstr(id);
    if (txn)
        hooks_add(w->hooks, &whole, txn);
}

/* Takes k when it is kept. */
static void take(struct webhooks *w, struct kept *k)
{
    TAILQ_INSERT_TAIL(&w->kept, k, all);
    w->n_kept++;
    if (w->active) {
        queue_event(w, k);
        kept_free(w, k);
    } else {
        drop_old(w, k->time);
    }
}

static void add(struct webhooks *w, const struct event_id *id, const char *name, double time,
                struct view ipbx, struct view key)
{
    struct kept *k = calloc(1, sizeof(*k));

    if (!k)
        return;
    *k = (struct kept){.id = *id, .name = name, .time = time, .recalled = w->recalling};
    k->ipbx = view_dup(ipbx);
    k->key = view_dup(key);
    k->json = view_dup(buf_view(&w->text));
    if (w->text.failed || !k->ipbx || !k->key || !k->json) {
        free(k->ipbx);
        free(k->key);
        free(k->json);
        free(k);
        return;
    }
    take(w, k);
}

/* What is of one object keeps its order. */
static void put_key(struct buf *out, enum xod_list list, struct view id)
{
    buf_printf(out, "%s/%.*s", schema_list(list)->name, VIEW_ARG(id));
}

void webhooks_event(struct webhooks *w, const struct event *e)
{
    struct buf key;

    if (!any(w))
        return;
    buf_init(&key, 1024);
    put_key(&key, xod_obj_list(e->obj), xod_obj_id(e->obj));
    buf_reset(&w->text);
    event_put_json(&w->text, e, false);
    add(w, &e->id, event_name(e->kind), e->time, xod_ipbx_name(xod_obj_ipbx(e->obj)),
        buf_view(&key));
    buf_free(&key);
}

/* ---- what is noted of objects ---- */

static void write_note(struct webhooks *w, const struct xod_obj *o)
{
    struct db_txn *txn = txn_of(w);
    struct buf note, object;

    if (!txn)
        return;
    buf_init(&note, 1024);
    buf_init(&object, 65536);
    events_put_note(&note, o);
    if (xod_obj_list(o) == LIST_calls) /* it is to be told of when it is gone */
        read_put_object(&object, o, ~(uint64_t)0, false);
    db_add(txn,
           "INSERT OR REPLACE INTO known (ipbx, list, id, note, object) VALUES (?, ?, ?, ?, ?)",
           "sssss", xod_ipbx_name(xod_obj_ipbx(o)), schema_list(xod_obj_list(o))->vname,
           xod_obj_id(o), buf_view(&note), buf_view(&object));
    buf_free(&note);
    buf_free(&object);
}

void webhooks_note(void *arg, const struct xod_obj *o, bool gone)
{
    struct webhooks *w = arg;
    struct db_txn *txn;

    if (!w->active || !any(w))
        return;
    if (!gone) {
        write_note(w, o);
        return;
    }
    txn = txn_of(w);
    if (txn)
        db_add(txn, "DELETE FROM known WHERE ipbx = ? AND list = ? AND id = ?", "sss",
               xod_ipbx_name(xod_obj_ipbx(o)), schema_list(xod_obj_list(o))->vname, xod_obj_id(o));
}

static void write_all_notes(struct webhooks *w)
{
    struct xod *xod = replica_xod(w->g->replica);
    struct xod_ipbx *ipbx;
    struct db_txn *txn = txn_of(w);

    if (!txn)
        return;
    db_add(txn, "DELETE FROM known", "");
    for (size_t n = 0; (ipbx = xod_site_at(xod, n)); n++)
        for (int l = 0; l < LIST_COUNT; l++) {
            struct xod_obj *o;
            size_t pos = 0;
            while (events_follow((enum xod_list)l) && (o = xod_next(ipbx, (enum xod_list)l, &pos)))
                write_note(w, o);
        }
}

/* ---- the lease ---- */

static bool is_newer(const struct webhooks *w, const struct event_id *id,
                     const struct event_id *since)
{
    (void)w;
    return since->epoch == 0 || id->epoch != since->epoch || event_id_cmp(id, since) > 0;
}

/* since: what the one who sent before has had; ours: that was we. */
static void become_active(struct webhooks *w, const struct event_id *since, bool ours)
{
    struct kept *k;

    log_notice(w->g->log, "webhooks are sent from here");
    w->active = true;
    while ((k = TAILQ_FIRST(&w->kept))) {
        if (k->recalled ? ours : is_newer(w, &k->id, since))
            queue_event(w, k);
        kept_free(w, k);
    }
    if (replica_is_ready(w->g->replica, NULL))
        write_all_notes(w);
}

static void on_active(struct webhooks *w, uint64_t id, const msgpack_object *body)
{
    struct event_id since;
    bool active = msg_get_bool(body, "active", true);

    if (event_id_parse(msg_get_str(body, "since"), &since) < 0)
        since = (struct event_id){.epoch = 0};
    if (active && !w->active)
        become_active(w, &since, msg_get_bool(body, "yours", true));
    else if (!active && w->active)
        log_notice(w->g->log, "webhooks are sent from another http-gw");
    w->active = active;
    bus_client_reply(w->g->bus_client, id, BUS_ok, view_of(NULL, 0));
}

void webhooks_state_up(struct webhooks *w)
{
    struct buf pairs;

    if (!any(w))
        return;
    buf_init(&pairs, 1024);
    msg_put_pair(&pairs, "kind", VIEW("webhooks"));
    msg_put_pair(&pairs, "queue", view_cstr(w->queue_name));
    msg_put_cstr(&pairs, "active");
    msg_put_bool(&pairs, w->active);
    bus_ask(w->g->bus_client, METHOD_worker_register, 3, buf_view(&pairs), ASK_MS, NULL, NULL);
    buf_free(&pairs);
    w->told = (struct event_id){.epoch = 0};
}

static void tell_progress(void *arg)
{
    struct webhooks *w = arg;
    char id[EVENT_ID_TEXT];
    struct buf pairs;

    drop_old(w, clock_wall());
    if (!w->active || !bus_client_is_up(w->g->bus_client) ||
        (w->last.epoch == w->told.epoch && event_id_cmp(&w->last, &w->told) == 0))
        return;
    event_id_print(&w->last, id);
    buf_init(&pairs, 256);
    msg_put_pair(&pairs, "id", view_cstr(id));
    if (bus_ask(w->g->bus_client, METHOD_webhooks_progress, 1, buf_view(&pairs), ASK_MS, NULL,
                NULL))
        w->told = w->last;
    buf_free(&pairs);
}

bool webhooks_request(struct webhooks *w, uint64_t id, enum bus_method method,
                      const msgpack_object *body)
{
    if (method == METHOD_webhooks_active)
        on_active(w, id, body);
    else if (method != METHOD_webhooks)
        return false;
    else if (!any(w))
        bus_client_reply(w->g->bus_client, id, BUS_noconn, view_of(NULL, 0));
    else
        letters_request(&w->hooks, w->g->bus_client, id, body);
    return true;
}

/* ---- what was noted in the last run ---- */

static void remembered_free(void *arg)
{
    struct remembered *r = arg;

    free(r->name);
    free(r->note);
    free(r->object);
    free(r);
}

static void put_name(struct buf *out, struct view list, struct view ipbx, struct view id)
{
    buf_reset(out);
    buf_append_view(out, list);
    buf_append_char(out, '\0');
    buf_append_view(out, ipbx);
    buf_append_char(out, '\0');
    buf_append_view(out, id);
}

static bool take_known(void *arg, const struct db_row *row)
{
    struct webhooks *w = arg;
    struct view ipbx = db_text(row, 0), list = db_text(row, 1);
    struct remembered *r = calloc(1, sizeof(*r));

    if (!r)
        return false;
    put_name(&w->text, list, ipbx, db_text(row, 2));
    r->list_len = list.len;
    r->ipbx_len = ipbx.len;
    r->name_len = buf_len(&w->text);
    r->name = malloc(r->name_len);
    if (r->name)
        memcpy(r->name, buf_data(&w->text), r->name_len);
    r->note = view_dup(db_text(row, 3));
    r->object = view_dup(db_text(row, 4));
    if (r->name && r->note && r->object &&
        map_put(w->remembered, view_of(r->name, r->name_len), r) == 0)
        return true;
    remembered_free(r);
    return false;
}

bool webhooks_recall(struct webhooks *w, struct xod_change *c)
{
    enum xod_list list = xod_obj_list(c->obj);
    struct remembered *r;

    if (!w->recalling || c->op != XOD_ADD || !events_follow(list))
        return false;
    put_name(&w->text, schema_list(list)->vname, xod_ipbx_name(xod_obj_ipbx(c->obj)),
             xod_obj_id(c->obj));
    r = map_del(w->remembered, buf_view(&w->text));
    if (!r)
        return list == LIST_calls; /* it began meanwhile */
    if (events_set_note(c->obj, view_cstr(r->note)) == 0)
        c->op = XOD_UPDATE;
    remembered_free(r);
    return c->op == XOD_UPDATE;
}

static void tell_ended(struct webhooks *w, const struct remembered *r, enum event_kind kind,
                       bool answered)
{
    struct view ipbx = view_of(r->name + r->list_len + 1, r->ipbx_len);
    struct view id = view_of(r->name + r->list_len + r->ipbx_len + 2,
                             r->name_len - r->list_len - r->ipbx_len - 2);
    struct event_id event = events_next_id(w->g->events);
    char text[EVENT_ID_TEXT];
    double now = clock_wall();
    struct buf key;

    event_id_print(&event, text);
    buf_reset(&w->text);
    buf_printf(&w->text, "{\"id\":\"%s\",\"event\":\"%s\",\"time\":", text, event_name(kind));
    json_put_time(&w->text, now);
    buf_append_cstr(&w->text, ",\"ipbx\":");
    json_put_string(&w->text, ipbx);
    buf_printf(&w->text, ",\"call\":%s,\"answered\":%s,\"parties\":[]}", r->object,
               answered ? "true" : "false");
    buf_init(&key, 1024);
    put_key(&key, LIST_calls, id);
    add(w, &event, event_name(kind), now, ipbx, buf_view(&key));
    buf_free(&key);
}

void webhooks_ready(struct webhooks *w)
{
    size_t pos = 0;
    void *v;

    if (!w->recalling)
        return;
    while (map_next(w->remembered, &pos, NULL, &v)) {
        struct remembered *r = v;
        bool answered, sought;
        map_del(w->remembered, view_of(r->name, r->name_len));
        if (view_eq(view_of(r->name, r->list_len), VIEW("calls")) &&
            events_read_call(view_cstr(r->note), &answered, &sought)) {
            if (sought && !answered)
                tell_ended(w, r, EVENT_call_missed, answered);
            tell_ended(w, r, EVENT_call_ended, answered);
        }
        remembered_free(r);
    }
    w->recalling = false;
    if (w->active)
        write_all_notes(w);
}

/* ---- lifecycle ---- */

static bool take_queue_name(void *arg, const struct db_row *row)
{
    struct webhooks *w = arg;

    snprintf(w->queue_name, sizeof(w->queue_name), "%.*s", VIEW_ARG(db_text(row, 0)));
    return false;
}

static int read_last_run(struct webhooks *w)
{
    struct db *db = hooks_db(w->hooks);
    int rc = db_read_now(db, "SELECT name FROM name", take_queue_name, w, "");

    if (rc == 0)
        rc = db_read_now(db, "SELECT ipbx, list, id, note, object FROM known", take_known, w, "");
    if (rc < 0)
        return rc;
    w->recalling = map_count(w->remembered) > 0;
    if (!*w->queue_name) {
        rng_alnum(w->queue_name, sizeof(w->queue_name) - 1);
        db_write(db, "INSERT INTO name (name) VALUES (?)", "s", view_cstr(w->queue_name));
    }
    return db_start(db);
}

static int open_hooks(struct webhooks *w, const struct config *cfg)
{
    struct json_object *section = config_get(cfg, "ctibus.webhooks");
    int err = 0;

    if (!section || json_object_object_length(section) == 0)
        return 0; /* no file is needed */
    w->hooks = hooks_new(w->g->loop, cfg, w->metrics, w->g->log, &err);
    return w->hooks ? read_last_run(w) : err;
}

struct webhooks *webhooks_new(struct http_gw *g, const struct config *cfg, struct metrics *metrics,
                              int *err)
{
    struct webhooks *w = calloc(1, sizeof(*w));

    *err = -ENOMEM;
    if (!w)
        return NULL;
    w->g = g;
    w->metrics = metrics;
    TAILQ_INIT(&w->kept);
    buf_init(&w->text, 1 << 20);
    w->remembered = map_new();
    w->commit = loop_task_new(g->loop, commit, w);
    w->progress = loop_timer_new(g->loop, tell_progress, w);
    if (w->remembered && w->commit && w->progress)
        *err = open_hooks(w, cfg);
    if (*err < 0)
        webhooks_destroy(&w);
    else
        loop_timer_start(w->progress, PROGRESS_MS, true);
    return w;
}

void webhooks_destroy(struct webhooks **wp)
{
    struct webhooks *w = wp ? *wp : NULL;

    if (!w)
        return;
    commit(w);
    *wp = NULL;
    hooks_destroy(&w->hooks);
    while (!TAILQ_EMPTY(&w->kept))
        kept_free(w, TAILQ_FIRST(&w->kept));
    map_destroy_with(&w->remembered, remembered_free);
    loop_task_destroy(&w->commit);
    loop_timer_destroy(&w->progress);
    buf_free(&w->text);
    free(w);
}

void webhooks_reload(struct webhooks *w, const struct config *cfg)
{
    bool before = any(w);

    if (w->hooks)
        hooks_reload(w->hooks, cfg);
    else if (open_hooks(w, cfg) < 0)
        hooks_destroy(&w->hooks); /* it is logged why */
    else
        w->recalling = false; /* what is there now was there before the webhooks */
    if (before || !any(w))
        return;
    if (w->active && replica_is_ready(w->g->replica, NULL))
        write_all_notes(w); /* those of before are old */
    if (bus_client_is_up(w->g->bus_client))
        webhooks_state_up(w);
}
