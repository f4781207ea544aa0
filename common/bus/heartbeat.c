#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "bus/internal.h"
#include "bus/topic.h"

#define BEAT_MS 2000

struct bus_heartbeat {
    struct bus *bus;
    struct bus_pub *pub;
    struct loop_timer *timer;
    bus_heartbeat_fill_fn *fill;
    void *arg;
    struct buf topic;
    struct buf body;
};

static const char *const planes[] = {"tel", "xod", "ami", "cti", "stats", "fagi"};

static void beat(void *arg)
{
    struct bus_heartbeat *h = arg;
    struct buf pairs;
    bool ready = true;
    size_t n;

    buf_init(&pairs, 65536);
    n = h->fill ? h->fill(h->arg, &pairs, &ready) : 0;
    buf_reset(&h->body);
    msg_put_map(&h->body, n + 4);
    msg_put_pair(&h->body, "version", VIEW(CTIBUS_VERSION));
    msg_put_cstr(&h->body, "uptime");
    msg_put_double(&h->body, (double)(clock_mono_us() - h->bus->started) / 1e6);
    msg_put_cstr(&h->body, "ready");
    msg_put_bool(&h->body, ready);
    msg_put_cstr(&h->body, "seq");
    msg_put_map(&h->body, ARRAY_SIZE(planes));
    for (size_t i = 0; i < ARRAY_SIZE(planes); i++)
        msg_put_pair_u64(&h->body, planes[i], bus_pub_seq(h->pub, view_cstr(planes[i])));
    buf_append_view(&h->body, buf_view(&pairs));
    if (!h->body.failed)
        bus_pub_send(h->pub, buf_view(&h->topic), buf_view(&h->body));
    buf_free(&pairs);
}

struct bus_heartbeat *bus_heartbeat_new(struct bus *b, struct bus_pub *pub, const char *service,
                                        bus_heartbeat_fill_fn *fill, void *arg)
{
    struct bus_heartbeat *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    h->bus = b;
    h->pub = pub;
    h->fill = fill;
    h->arg = arg;
    buf_init(&h->topic, 1024);
    buf_init(&h->body, 0);
    topic_put(&h->topic, VIEW("svc"));
    topic_put(&h->topic, view_cstr(service));
    topic_put(&h->topic, view_cstr(b->instance));
    h->timer = loop_timer_new(b->loop, beat, h);
    if (!h->timer) {
        bus_heartbeat_destroy(&h);
        return NULL;
    }
    loop_timer_start(h->timer, BEAT_MS, true);
    return h;
}

void bus_heartbeat_destroy(struct bus_heartbeat **h)
{
    if (!h || !*h)
        return;
    loop_timer_destroy(&(*h)->timer);
    buf_free(&(*h)->topic);
    buf_free(&(*h)->body);
    free(*h);
    *h = NULL;
}
