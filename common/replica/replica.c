#include "replica/replica.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "bus/topic.h"
#include "replica/wire.h"

#define ECHO_EVERY_MS 50
#define SNAPSHOT_DEADLINE_MS 10000
#define RETRY_MS 200
#define MAX_KEPT_BYTES ((size_t)256 * 1024 * 1024)

enum phase {
    WAITING, /* for state to answer hello */
    PROVING, /* for the echo */
    COPYING, /* snapshot under way, changes are kept */
    LIVE
};

/* A change that came while the snapshot was under way. */
struct kept {
    struct kept *next;
    uint64_t seq;
    uint32_t topic_len, body_len;
    char bytes[];
};

/* At which number of state an object of the snapshot stood. */
struct stamp {
    uint64_t seq;
    size_t key_len;
    char key[];
};

struct replica {
    struct bus *bus;
    struct bus_client *bus_client;
    struct bus_sub *sub;
    struct loop_timer *timer;
    const struct replica_handler *handler;
    void *arg;
    struct log *log;
    struct xod *xod;
    enum phase phase;
    bool ready; /* was complete once */
    uint64_t seq;
    double cause;         /* of the change that is being told */
    uint64_t told_seq;    /* the number of that change */
    uint64_t snapshot_id; /* the request, or 0 */
    uint64_t first_stamp, last_stamp;
    struct map *stamps; /* key of an object -> struct stamp; kept until seq passes last_stamp */
    struct kept *kept_head, **kept_tail;
    size_t kept_bytes;
    struct msg_doc doc;
    struct buf scratch;
    struct buf echo_topic;
    uint64_t healed;
};

static void tell(void *arg, const struct xod_change *c)
{
    struct replica *r = arg;

    r->handler->change(r->arg, c);
}

static void drop_kept(struct replica *r)
{
    while (r->kept_head) {
        struct kept *k = r->kept_head;
        r->kept_head = k->next;
        free(k);
    }
    r->kept_tail = &r->kept_head;
    r->kept_bytes = 0;
}

static void drop_stamps(struct replica *r)
{
    size_t pos = 0;
    void *v;

    while (map_next(r->stamps, &pos, NULL, &v)) {
        map_del(r->stamps, view_of(((struct stamp *)v)->key, ((struct stamp *)v)->key_len));
        free(v);
    }
}

/* ---- stamps ---- */

static struct view object_key(struct buf *scratch, struct view ipbx, struct view list,
                              struct view id)
{
    buf_reset(scratch);
    buf_append_view(scratch, ipbx);
    buf_append_char(scratch, '\0');
    buf_append_view(scratch, list);
    buf_append_char(scratch, '\0');
    buf_append_view(scratch, id);
    return buf_view(scratch);
}

static int stamp_set(struct replica *r, const struct xod_obj *o, uint64_t seq)
{
    struct view key = object_key(&r->scratch, xod_ipbx_name(xod_obj_ipbx(o)),
                                 schema_list(xod_obj_list(o))->vname, xod_obj_id(o));
    struct stamp *s = malloc(sizeof(*s) + key.len);

    if (!s)
        return -ENOMEM;
    s->seq = seq;
    s->key_len = key.len;
    memcpy(s->key, key.ptr, key.len);
    free(map_del(r->stamps, key));
    if (map_put(r->stamps, view_of(s->key, s->key_len), s) == 0)
        return 0;
    free(s);
    return -ENOMEM;
}

static const struct stamp *stamp_get(struct replica *r, struct view ipbx, struct view list,
                                     struct view id)
{
    struct buf scratch;
    const struct stamp *s;

    if (map_count(r->stamps) == 0)
        return NULL;
    buf_init(&scratch, 4096);
    s = map_get(r->stamps, object_key(&scratch, ipbx, list, id));
    buf_free(&scratch);
    return s;
}

/* ---- applying ---- */

static void start_over(struct replica *r, uint32_t in_ms);

static void apply(struct replica *r, uint64_t seq, struct view topic, struct view body)
{
    struct wire_change c;
    const struct stamp *s;

    if (wire_read_topic(&r->scratch, topic, &c) == 0 && msg_parse(&r->doc, body) == 0) {
        s = stamp_get(r, c.ipbx, c.list, c.id);
        if (!s || seq > s->seq) {
            wire_apply(r->xod, &c, &r->doc.root);
            r->cause = msg_get_double(&r->doc.root, "at", 0);
            r->told_seq = seq;
            xod_commit(r->xod, tell, r);
            r->cause = 0;
        }
    }
    r->seq = seq;
    if (map_count(r->stamps) && seq >= r->last_stamp)
        drop_stamps(r);
}

/* The next change: one that the whole snapshot holds is left out. False when those before it are
 * missing (which the bus does not see when none was heard before the snapshot): a new snapshot is
 * on its way then. */
static bool next_change(struct replica *r, uint64_t seq, struct view topic, struct view body)
{
    if (seq > r->seq + 1) {
        log_warning(r->log, "replica: %llu changes after the snapshot are missing",
                    (unsigned long long)(seq - r->seq - 1));
        start_over(r, 0);
        return false;
    }
    if (seq > r->seq)
        apply(r, seq, topic, body);
    return true;
}

static void keep(struct replica *r, const struct bus_msg *m)
{
    size_t n = m->topic.len + m->body.len;
    struct kept *k = r->kept_bytes < MAX_KEPT_BYTES ? malloc(sizeof(*k) + n) : NULL;

    if (!k) {
        log_warning(r->log, "replica: too many changes during a snapshot, starting over");
        start_over(r, RETRY_MS);
        return;
    }
    *k = (struct kept){NULL, m->seq, (uint32_t)m->topic.len, (uint32_t)m->body.len};
    memcpy(k->bytes, m->topic.ptr, m->topic.len);
    if (m->body.len)
        memcpy(k->bytes + m->topic.len, m->body.ptr, m->body.len);
    *r->kept_tail = k;
    r->kept_tail = &k->next;
    r->kept_bytes += sizeof(*k) + n;
}

/* Deletes what the snapshot did not name. */
static void drop_unnamed(struct replica *r)
{
    struct xod_ipbx *ipbx;

    for (size_t n = 0; (ipbx = xod_site_at(r->xod, n)); n++)
        for (int l = 0; l < LIST_COUNT; l++) {
            struct xod_obj *o;
            size_t pos = 0;
            while ((o = xod_next(ipbx, (enum xod_list)l, &pos)))
                if (!stamp_get(r, xod_ipbx_name(ipbx), schema_list((enum xod_list)l)->vname,
                               xod_obj_id(o)))
                    xod_del(o);
        }
}

static void go_live(struct replica *r)
{
    struct kept *k;

    drop_unnamed(r);
    r->told_seq = r->first_stamp;
    xod_commit(r->xod, tell, r);
    r->phase = LIVE;
    r->seq = r->first_stamp;
    while ((k = r->kept_head)) {
        bool good;
        r->kept_head = k->next;
        good = next_change(r, k->seq, view_of(k->bytes, k->topic_len),
                           view_of(k->bytes + k->topic_len, k->body_len));
        free(k);
        if (!good)
            return;
    }
    drop_kept(r);
    if (r->seq >= r->last_stamp)
        drop_stamps(r);
    if (r->ready)
        r->healed++;
    r->ready = true;
    log_info(r->log, "replica: complete at %llu", (unsigned long long)r->seq);
    if (r->handler->ready)
        r->handler->ready(r->arg);
    if (r->handler->reached)
        r->handler->reached(r->arg, r->seq);
}

/* ---- the snapshot ---- */

static void start_over(struct replica *r, uint32_t in_ms)
{
    if (r->snapshot_id)
        bus_ask_cancel(r->bus_client, r->snapshot_id);
    r->snapshot_id = 0;
    drop_kept(r);
    drop_stamps(r);
    r->phase = WAITING;
    if (bus_client_is_up(r->bus_client))
        loop_timer_start(r->timer, in_ms, false);
}

static int take_chunk(struct replica *r, const msgpack_object *body)
{
    const msgpack_object *objects = msg_get(body, "objects");
    uint64_t seq = msg_get_u64(body, "seq", 0);
    bool brief = msg_get_bool(body, "brief", false);

    if (!objects || objects->type != MSGPACK_OBJECT_ARRAY)
        return -EBADMSG;
    if (r->first_stamp == UINT64_MAX)
        r->first_stamp = seq;
    r->last_stamp = seq;
    for (uint32_t i = 0; i < objects->via.array.size; i++) {
        struct xod_obj *o = NULL;
        int rc = wire_read_object(r->xod, &objects->via.array.ptr[i], brief, &o);
        if (rc == -EBADMSG) { /* the others are none the worse for it */
            log_warning(r->log, "replica: one object of a snapshot is malformed: left out");
            rc = 0;
        }
        if (rc == 0 && o)
            rc = stamp_set(r, o, seq);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void on_snapshot(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct replica *r = arg;

    if (status != BUS_more)
        r->snapshot_id = 0;
    if (r->phase != COPYING)
        return;
    if ((status != BUS_ok && status != BUS_more) || take_chunk(r, body) < 0) {
        log_warning(r->log, "replica: snapshot failed (%.*s), trying again",
                    VIEW_ARG(schema_status_name(status)));
        start_over(r, RETRY_MS);
        return;
    }
    if (status == BUS_ok)
        go_live(r);
}

static void ask_snapshot(struct replica *r)
{
    struct buf pairs;

    r->phase = COPYING;
    r->first_stamp = UINT64_MAX;
    r->last_stamp = 0;
    buf_init(&pairs, 64);
    msg_put_cstr(&pairs, "brief");
    msg_put_bool(&pairs, true);
    r->snapshot_id = bus_ask(r->bus_client, METHOD_snapshot, 1, buf_view(&pairs),
                             SNAPSHOT_DEADLINE_MS, on_snapshot, r);
    buf_free(&pairs);
    if (!r->snapshot_id)
        start_over(r, RETRY_MS);
}

static void ask_echo(struct replica *r)
{
    struct buf pairs;

    r->phase = PROVING;
    buf_init(&pairs, 256);
    msg_put_pair(&pairs, "plane", VIEW("xod"));
    bus_ask(r->bus_client, METHOD_echo, 1, buf_view(&pairs), 2000, NULL, NULL);
    buf_free(&pairs);
    loop_timer_start(r->timer, ECHO_EVERY_MS, false);
}

static void on_timer(void *arg)
{
    struct replica *r = arg;

    if ((r->phase == WAITING || r->phase == PROVING) && bus_client_is_up(r->bus_client))
        ask_echo(r);
}

void replica_state_up(struct replica *r)
{
    start_over(r, 0);
}

/* ---- from the bus ---- */

/* state's heartbeat tells the number of its last change: more than we have means that the end of a
 * burst was lost, which no later message would show. */
static void on_heartbeat(struct replica *r, const struct bus_msg *m)
{
    uint64_t seq;

    if (r->phase != LIVE || msg_parse(&r->doc, m->body) < 0)
        return;
    seq = msg_get_u64(msg_get(&r->doc.root, "seq"), "xod", 0);
    if (seq <= r->seq)
        return;
    log_warning(r->log, "replica: %llu changes missing at the end, asking for a snapshot",
                (unsigned long long)(seq - r->seq));
    start_over(r, 0);
}

/* From the process that answers us: not the last words of one that was replaced. */
static bool is_current(const struct replica *r, const struct bus_msg *m)
{
    return m->epoch == bus_client_epoch(r->bus_client);
}

/* On a plane that is state's alone, from one that is not active any more. */
static bool is_stale(const struct replica *r, const struct bus_msg *m)
{
    return (view_starts(m->topic, VIEW("cti/")) || view_starts(m->topic, VIEW("stats/"))) &&
           !is_current(r, m);
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct replica *r = arg;

    if (!view_starts(m->topic, VIEW("xod/"))) {
        if (view_starts(m->topic, VIEW("svc/state/")) && is_current(r, m))
            on_heartbeat(r, m);
        if (r->handler->message && !is_stale(r, m))
            r->handler->message(r->arg, m);
        return;
    }
    if (!is_current(r, m))
        return;
    if (view_starts(m->topic, VIEW("xod/echo/"))) {
        if (r->phase == PROVING && view_eq(m->topic, buf_view(&r->echo_topic)))
            ask_snapshot(r);
    } else if (r->phase == COPYING) {
        keep(r, m);
    } else if (r->phase == LIVE && next_change(r, m->seq, m->topic, m->body)) {
        if (r->handler->reached)
            r->handler->reached(r->arg, r->seq);
    }
}

static void on_gap(void *arg, const struct bus_msg *m, uint64_t lost)
{
    struct replica *r = arg;

    if (!view_starts(m->topic, VIEW("xod/")) || (r->phase != LIVE && r->phase != COPYING))
        return;
    if (lost && !is_current(r, m))
        return;
    if (lost)
        log_warning(r->log, "replica: %llu changes of %.*s are missing, asking for a snapshot",
                    (unsigned long long)lost, VIEW_ARG(m->source));
    else
        log_info(r->log, "replica: %.*s was restarted, asking for a snapshot", VIEW_ARG(m->source));
    start_over(r, 0);
}

static const struct bus_sub_handler sub_handler = {on_message, on_gap};

static int subscribe(struct replica *r)
{
    topic_put(&r->echo_topic, VIEW("xod"));
    topic_put(&r->echo_topic, VIEW("echo"));
    topic_put(&r->echo_topic, view_cstr(bus_instance(r->bus)));
    bus_sub_follow(r->sub, VIEW("xod"));
    bus_sub_add(r->sub, VIEW("svc/state/"));
    bus_sub_add(r->sub, VIEW("xod/"));
    return bus_sub_add(r->sub, buf_view(&r->echo_topic));
}

struct replica *replica_new(struct bus *b, struct loop *loop, const char *endpoint,
                            struct bus_client *bus_client, const struct replica_handler *handler,
                            void *arg, struct log *log, int *err)
{
    struct replica *r = calloc(1, sizeof(*r));

    *err = -ENOMEM;
    if (!r)
        return NULL;
    r->bus = b;
    r->bus_client = bus_client;
    r->handler = handler;
    r->arg = arg;
    r->log = log;
    r->kept_tail = &r->kept_head;
    buf_init(&r->scratch, 65536);
    buf_init(&r->echo_topic, 1024);
    if (msg_doc_init(&r->doc) < 0) {
        free(r);
        return NULL;
    }
    r->xod = xod_new();
    r->stamps = map_new();
    r->timer = loop_timer_new(loop, on_timer, r);
    if (r->xod && r->stamps && r->timer)
        r->sub = bus_sub_new(b, endpoint, &sub_handler, r, err);
    if (r->sub) {
        *err = subscribe(r);
        if (*err == 0)
            return r;
    }
    replica_destroy(&r);
    return NULL;
}

void replica_destroy(struct replica **rp)
{
    struct replica *r = rp ? *rp : NULL;

    if (!r)
        return;
    *rp = NULL;
    if (r->snapshot_id)
        bus_ask_cancel(r->bus_client, r->snapshot_id);
    bus_sub_destroy(&r->sub);
    loop_timer_destroy(&r->timer);
    drop_kept(r);
    if (r->stamps)
        drop_stamps(r);
    map_destroy(&r->stamps);
    xod_destroy(&r->xod);
    msg_doc_fini(&r->doc);
    buf_free(&r->scratch);
    buf_free(&r->echo_topic);
    free(r);
}

uint64_t replica_change_seq(const struct replica *r)
{
    return r->told_seq;
}

double replica_cause(const struct replica *r)
{
    return r->cause;
}

struct xod *replica_xod(const struct replica *r)
{
    return r->xod;
}

bool replica_is_ready(const struct replica *r, struct buf *why)
{
    if (!r->ready && why)
        buf_append_cstr(why, "no complete copy of xod yet");
    return r->ready;
}

bool replica_is_live(const struct replica *r)
{
    return r->phase == LIVE;
}

uint64_t replica_seq(const struct replica *r)
{
    return r->seq;
}

struct bus_sub *replica_sub(const struct replica *r)
{
    return r->sub;
}

uint64_t replica_healed_total(const struct replica *r)
{
    return r->healed;
}
