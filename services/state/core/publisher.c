/* Changes of the store, as numbered messages on the plane xod. */
#include <assert.h>
#include <stdlib.h>

#include "bus/topic.h"
#include "core/publisher.h"
#include "replica/wire.h"

struct publisher {
    struct bus_pub *pub;
    struct log *log;
    struct buf topic;
    struct buf body;
    struct wire_cause cause;
    struct {
        xod_change_fn *fn;
        void *arg;
    } watches[PUBLISHER_WATCHES];
    size_t n_watches;
};

struct publisher *publisher_new(struct bus_pub *pub, struct log *log)
{
    struct publisher *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->pub = pub;
    p->log = log;
    buf_init(&p->topic, 4096);
    buf_init(&p->body, 0);
    return p;
}

void publisher_destroy(struct publisher **p)
{
    if (!p || !*p)
        return;
    buf_free(&(*p)->topic);
    buf_free(&(*p)->body);
    free(*p);
    *p = NULL;
}

static void send_plane(struct publisher *p, const struct xod_change *c, enum xod_plane plane)
{
    uint64_t mask = schema_plane_mask(xod_obj_list(c->obj), plane);

    if (!(c->fields & mask))
        return;
    buf_reset(&p->topic);
    buf_reset(&p->body);
    wire_topic(&p->topic, c->obj, plane);
    wire_change(&p->body, c->op, c->obj, c->fields & mask, &p->cause);
    if (p->topic.failed || p->body.failed) {
        log_error(p->log, "publish: no memory for a change of %.*s", VIEW_ARG(xod_obj_id(c->obj)));
        return;
    }
    bus_pub_send(p->pub, buf_view(&p->topic), buf_view(&p->body));
}

/* All statistics of an object, once one of them has changed. */
static void send_stats(struct publisher *p, const struct xod_change *c)
{
    const struct schema_list *l = schema_list(xod_obj_list(c->obj));
    uint64_t mask = schema_stats_mask(xod_obj_list(c->obj));

    if (c->op == XOD_DEL || !(c->fields & mask))
        return;
    buf_reset(&p->topic);
    topic_put(&p->topic, VIEW("stats"));
    topic_put(&p->topic, xod_ipbx_name(xod_obj_ipbx(c->obj)));
    topic_put(&p->topic, l->vname);
    topic_put(&p->topic, xod_obj_id(c->obj));
    buf_reset(&p->body);
    msg_put_map(&p->body, (size_t)__builtin_popcountll(mask));
    for (unsigned i = 0; i < l->n_fields; i++)
        if (mask >> i & 1) {
            msg_put_str(&p->body, l->fields[i].vname);
            value_pack(&p->body, xod_get(c->obj, i));
        }
    if (!p->topic.failed && !p->body.failed)
        bus_pub_send(p->pub, buf_view(&p->topic), buf_view(&p->body));
}

static void on_change(void *arg, const struct xod_change *c)
{
    const struct publisher *p = arg;

    for (size_t i = 0; i < p->n_watches; i++)
        p->watches[i].fn(p->watches[i].arg, c);
    send_plane(arg, c, PLANE_CONFIG);
    send_plane(arg, c, PLANE_STATUS);
    send_stats(arg, c);
}

void publisher_commit(struct publisher *p, struct xod *x, bool synthetic, double at)
{
    p->cause = (struct wire_cause){.synthetic = synthetic, .at = at};
    xod_commit(x, on_change, p);
}

void publisher_watch(struct publisher *p, xod_change_fn *fn, void *arg)
{
    assert(p->n_watches < PUBLISHER_WATCHES);
    p->watches[p->n_watches].fn = fn;
    p->watches[p->n_watches++].arg = arg;
}

uint64_t publisher_seq(const struct publisher *p)
{
    return bus_pub_seq(p->pub, VIEW("xod"));
}
