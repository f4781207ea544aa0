#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bus/internal.h"

/* So many messages one way before the other way is looked at. */
#define BATCH 1000

struct bus_forwarder {
    struct bus *bus;
    void *xsub;
    void *xpub;
    void *stop;     /* our end of the pair that ends the thread */
    void *stop_far; /* the thread's end */
    pthread_t thread;
    bool running;
    char *publish;
    char *subscribe;
    atomic_uint_fast64_t forwarded;
    struct metric *metric;
    struct bus_zap *zap;
};

/* Moves messages from one socket to the other, frame by frame, as long as there are any (but at
 * most a batch). Returns how many. */
static unsigned move(void *from, void *to)
{
    unsigned n = 0;
    zmq_msg_t m;

    zmq_msg_init(&m);
    while (n < BATCH && zmq_msg_recv(&m, from, ZMQ_DONTWAIT) >= 0) {
        int more = zmq_msg_more(&m);
        /* XPUB and XSUB never block: a subscriber that is full loses what is its own. */
        if (zmq_msg_send(&m, to, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0) {
            zmq_msg_close(&m);
            zmq_msg_init(&m);
        }
        n += !more;
    }
    zmq_msg_close(&m);
    return n;
}

static void *run(void *arg)
{
    struct bus_forwarder *f = arg;
    zmq_pollitem_t items[3] = {
        {f->xsub, 0, ZMQ_POLLIN, 0}, {f->xpub, 0, ZMQ_POLLIN, 0}, {f->stop_far, 0, ZMQ_POLLIN, 0}};

    for (;;) {
        if (zmq_poll(items, 3, -1) < 0) {
            if (zmq_errno() == EINTR)
                continue;
            return NULL;
        }
        if (items[2].revents)
            return NULL;
        if (items[1].revents)
            move(f->xpub, f->xsub);
        if (items[0].revents)
            atomic_fetch_add_explicit(&f->forwarded, move(f->xsub, f->xpub), memory_order_relaxed);
    }
}

static int open_sockets(struct bus_forwarder *f, const char *publish, const char *subscribe,
                        const char *const *trusted)
{
    struct bus *b = f->bus;
    int err = 0;

    f->xsub = bus_socket(b, ZMQ_XSUB, "publish", &err);
    f->xpub = f->xsub ? bus_socket(b, ZMQ_XPUB, "subscribe", &err) : NULL;
    f->stop = f->xpub ? zmq_socket(b->zmq, ZMQ_PAIR) : NULL;
    f->stop_far = f->stop ? zmq_socket(b->zmq, ZMQ_PAIR) : NULL;
    if (!f->stop_far)
        return err ? err : -ENOMEM;
    err = bus_bind(b, f->xsub, publish, trusted, &f->publish);
    if (err == 0)
        err = bus_bind(b, f->xpub, subscribe, trusted, &f->subscribe);
    if (err < 0)
        return err;
    if (zmq_bind(f->xsub, BUS_INPROC_PUBLISH) < 0 || zmq_bind(f->xpub, BUS_INPROC_SUBSCRIBE) < 0 ||
        zmq_bind(f->stop, "inproc://forwarder-stop") < 0 ||
        zmq_connect(f->stop_far, "inproc://forwarder-stop") < 0)
        return -zmq_errno();
    return 0;
}

/* The thread takes no signals: they belong to the loop. */
static int start_thread(struct bus_forwarder *f)
{
    sigset_t all;
    sigset_t old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&f->thread, NULL, run, f);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    f->running = rc == 0;
    return -rc;
}

static double forwarded(void *arg)
{
    struct bus_forwarder *f = arg;

    return (double)atomic_load_explicit(&f->forwarded, memory_order_relaxed);
}

struct bus_forwarder *bus_forwarder_new(struct bus *b, const char *publish, const char *subscribe,
                                        const char *const *trusted, int *err)
{
    struct bus_forwarder *f = calloc(1, sizeof(*f));

    if (!f) {
        *err = -ENOMEM;
        return NULL;
    }
    f->bus = b;
    *err = 0;
    if (b->keys)
        f->zap = bus_zap_new(b, err);
    if (*err == 0)
        *err = open_sockets(f, publish, subscribe, trusted);
    if (*err == 0)
        *err = start_thread(f);
    if (*err == 0) {
        f->metric = metrics_callback(b->metrics, METRIC_bus_forwarded, NULL, forwarded, f);
        return f;
    }
    bus_forwarder_destroy(&f);
    return NULL;
}

void bus_forwarder_destroy(struct bus_forwarder **fp)
{
    struct bus_forwarder *f = fp ? *fp : NULL;

    if (!f)
        return;
    *fp = NULL;
    if (f->metric)
        metrics_remove(f->bus->metrics, &f->metric);
    if (f->running) {
        zmq_send(f->stop, "", 0, 0);
        pthread_join(f->thread, NULL);
    }
    void *all[] = {f->xsub, f->xpub, f->stop, f->stop_far};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i])
            zmq_close(all[i]);
    bus_zap_destroy(&f->zap);
    free(f->publish);
    free(f->subscribe);
    free(f);
}

const char *bus_forwarder_publish(const struct bus_forwarder *f)
{
    return f->publish;
}

const char *bus_forwarder_subscribe(const struct bus_forwarder *f)
{
    return f->subscribe;
}
