/* Changes of the store, as numbered messages on the plane xod. */
#include <stdlib.h>

#include "base/array.h"
#include "bus/topic.h"
#include "core/publisher.h"
#include "replica/wire.h"

struct publisher {
    struct bus_pub *pub;
    struct log *log;
    struct buf topic;
    struct buf body;
    struct wire_cause cause;
    xod_change_fn *watch; /* NULL: nobody */
    void *watch_arg;
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

static const unsigned figures[] = {XOD(queues, logged_agents),
                                   XOD(queues, available_agents),
                                   XOD(queues, talking_agents),
                                   XOD(queues, waiting_calls),
                                   XOD(queues, ewt),
                                   XOD(queues, longest_wait)};
#define N_FIGURES ARRAY_SIZE(figures)

/* All figures of a queue, once one of them has changed. */
static void send_figures(struct publisher *p, const struct xod_change *c)
{
    const struct schema_list *l = schema_list(LIST_queues);
    uint64_t mask = 0;

    for (size_t i = 0; i < N_FIGURES; i++)
        mask |= (uint64_t)1 << figures[i];
    if (xod_obj_list(c->obj) != LIST_queues || c->op == XOD_DEL || !(c->fields & mask))
        return;
    buf_reset(&p->topic);
    topic_put(&p->topic, VIEW("stats"));
    topic_put(&p->topic, xod_ipbx_name(xod_obj_ipbx(c->obj)));
    topic_put(&p->topic, VIEW("queues"));
    topic_put(&p->topic, xod_obj_id(c->obj));
    buf_reset(&p->body);
    msg_put_map(&p->body, N_FIGURES);
    for (size_t i = 0; i < N_FIGURES; i++) {
        msg_put_str(&p->body, l->fields[figures[i]].vname);
        value_pack(&p->body, xod_get(c->obj, figures[i]));
    }
    if (!p->topic.failed && !p->body.failed)
        bus_pub_send(p->pub, buf_view(&p->topic), buf_view(&p->body));
}

static void on_change(void *arg, const struct xod_change *c)
{
    const struct publisher *p = arg;

    if (p->watch)
        p->watch(p->watch_arg, c);
    send_plane(arg, c, PLANE_CONFIG);
    send_plane(arg, c, PLANE_STATUS);
    send_figures(arg, c);
}

void publisher_commit(struct publisher *p, struct xod *x, bool synthetic, double at)
{
    p->cause = (struct wire_cause){.synthetic = synthetic, .at = at};
    xod_commit(x, on_change, p);
}

void publisher_watch(struct publisher *p, xod_change_fn *fn, void *arg)
{
    p->watch = fn;
    p->watch_arg = arg;
}

uint64_t publisher_seq(const struct publisher *p)
{
    return bus_pub_seq(p->pub, VIEW("xod"));
}
