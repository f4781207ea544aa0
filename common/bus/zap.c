#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "bus/internal.h"
#include "bus/keystore.h"

/* ZAP (ZeroMQ RFC 27): libzmq asks on this endpoint about every connection that wants in. */
#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_FRAMES 7 /* version, id, domain, address, identity, mechanism, credentials */

/* Refused ones that the loop has not told yet; more are only counted. */
#define MAX_REFUSED 8
/* A program whose key was revoked tries again every 5 s: it is told so often only. */
#define TOLD_US 60000000u
#define MAX_TOLD 16
/* Between two looks at the files of keys. */
#define LOOK_MS 500

struct refused {
    char key[KEY_SIZE]; /* empty: it had none */
    char domain[16], address[64];
};

struct told {
    char key[KEY_SIZE];
    char domain[16];
    uint64_t at;
};

struct bus_zap {
    struct bus *bus;
    struct loop_wake *wake;
    pthread_mutex_t lock; /* of what follows */
    struct refused refused[MAX_REFUSED];
    size_t n_refused, n_more;
    /* the loop's */
    struct told told[MAX_TOLD];
    size_t next_told;
    uint64_t more_at;
    size_t untold;
    /* the thread's */
    uint64_t looked;
    int changed_fd;
    void *rep;
    void *stop;
    void *stop_far;
    pthread_t thread;
    bool running;
};

/* key becomes who it is. */
static bool admitted(const struct bus_keys *keys, struct view domain, struct view mechanism,
                     struct view credentials, char key[KEY_SIZE])
{
    *key = '\0';
    if (!view_eq(mechanism, VIEW("CURVE")) || credentials.len != 32)
        return false;
    zmq_z85_encode(key, (const uint8_t *)credentials.ptr, 32);
    return bus_role_may(bus_keys_role(keys, key), domain);
}

static void copy_text(char *out, size_t size, struct view v)
{
    snprintf(out, size, "%.*s", VIEW_ARG(v));
}

/* By the thread. */
static void note_refused(struct bus_zap *z, const char *key, struct view domain,
                         struct view address)
{
    pthread_mutex_lock(&z->lock);
    if (z->n_refused < MAX_REFUSED) {
        struct refused *r = &z->refused[z->n_refused++];
        copy_text(r->key, sizeof(r->key), view_cstr(key));
        copy_text(r->domain, sizeof(r->domain), domain);
        copy_text(r->address, sizeof(r->address), address);
    } else {
        z->n_more++;
    }
    pthread_mutex_unlock(&z->lock);
    loop_wake(z->wake);
}

/* Was the same told a short while ago? Else it is noted as told. */
static bool is_repeated(struct bus_zap *z, const struct refused *r, uint64_t now)
{
    struct told *t;

    for (size_t i = 0; i < MAX_TOLD; i++)
        if (z->told[i].at && now - z->told[i].at < TOLD_US && strcmp(z->told[i].key, r->key) == 0 &&
            strcmp(z->told[i].domain, r->domain) == 0)
            return true;
    t = &z->told[z->next_told++ % MAX_TOLD];
    memcpy(t->key, r->key, sizeof(t->key));
    memcpy(t->domain, r->domain, sizeof(t->domain));
    t->at = now;
    return false;
}

/* On the loop. */
static void tell_refused(void *arg)
{
    struct bus_zap *z = arg;
    struct refused told[MAX_REFUSED];
    uint64_t now = clock_mono_us();
    size_t n, more;

    pthread_mutex_lock(&z->lock);
    n = z->n_refused;
    more = z->n_more;
    memcpy(told, z->refused, n * sizeof(told[0]));
    z->n_refused = z->n_more = 0;
    pthread_mutex_unlock(&z->lock);
    metric_add(z->bus->counts.refused, (double)(n + more));
    for (size_t i = 0; i < n; i++)
        if (is_repeated(z, &told[i], now))
            more++;
        else
            log_warning(z->bus->log, "a connection from %s is refused at %s: key %s is not allowed",
                        told[i].address, told[i].domain, *told[i].key ? told[i].key : "(none)");
    z->untold += more;
    if (z->untold == 0 || !clock_once_in(&z->more_at, TOLD_US))
        return;
    log_warning(z->bus->log, "%zu more connections are refused for their keys", z->untold);
    z->untold = 0;
}

static void answer(struct bus_zap *z)
{
    zmq_msg_t frame[ZAP_FRAMES];
    struct view v[ZAP_FRAMES];
    char key[KEY_SIZE] = "";
    int n = 0;
    int more = 1;
    bool ok;

    while (more && n < ZAP_FRAMES) {
        zmq_msg_init(&frame[n]);
        if (zmq_msg_recv(&frame[n], z->rep, 0) < 0)
            break;
        v[n] = view_of(zmq_msg_data(&frame[n]), zmq_msg_size(&frame[n]));
        more = zmq_msg_more(&frame[n]);
        n++;
    }
    ok = n == ZAP_FRAMES && admitted(z->bus->keys, v[2], v[5], v[6], key);
    if (!ok)
        note_refused(z, key, n > 2 ? v[2] : VIEW(""), n > 3 ? v[3] : VIEW(""));
    struct view reply[6] = {VIEW("1.0"),
                            n > 1 ? v[1] : VIEW(""),
                            ok ? VIEW("200") : VIEW("300"), /* "try again": after 400 libzmq never
                                                             * does, also when the key is added */
                            ok ? VIEW("OK") : VIEW("key not allowed"),
                            view_cstr(ok ? key : ""), /* the user id: bus_peer_key */
                            VIEW("")};
    frames_send(z->rep, reply, 6);
    while (n > 0)
        zmq_msg_close(&frame[--n]);
}

/* The disk is read here and nowhere else while the process runs: what waits meanwhile are new
 * connections. */
static void look(struct bus_zap *z)
{
    const struct bus_keys *keys = z->bus->keys;

    if (!keys->allowed || !clock_once_in(&z->looked, LOOK_MS * 1000))
        return;
    if (keystore_refresh(keys->allowed, false, z->bus->log, NULL, 0) > 0)
        (void)eventfd_write(z->changed_fd, 1); /* it cannot be full */
}

static void *run(void *arg)
{
    struct bus_zap *z = arg;
    zmq_pollitem_t items[2] = {{z->rep, 0, ZMQ_POLLIN, 0}, {z->stop_far, 0, ZMQ_POLLIN, 0}};

    for (;;) {
        if (zmq_poll(items, 2, LOOK_MS) < 0 && zmq_errno() != EINTR)
            return NULL;
        if (items[1].revents)
            return NULL;
        look(z);
        if (items[0].revents)
            answer(z);
    }
}

static int start(struct bus_zap *z)
{
    struct bus *b = z->bus;
    int err = 0;

    z->wake = loop_wake_new(b->loop, tell_refused, z, &err);
    if (!z->wake)
        return err;
    z->changed_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (z->changed_fd < 0)
        return -errno;
    z->rep = zmq_socket(b->zmq, ZMQ_REP);
    z->stop = zmq_socket(b->zmq, ZMQ_PAIR);
    z->stop_far = zmq_socket(b->zmq, ZMQ_PAIR);
    if (!z->rep || !z->stop || !z->stop_far || zmq_bind(z->rep, ZAP_ENDPOINT) < 0 ||
        zmq_bind(z->stop, "inproc://zap-stop") < 0 ||
        zmq_connect(z->stop_far, "inproc://zap-stop") < 0)
        return -ENOMEM;
    if (b->keys->allowed) /* again: now what is wrong with one is logged */
        keystore_refresh(b->keys->allowed, true, b->log, NULL, 0);
    z->looked = clock_mono_us();
    return thread_start(&z->thread, run, z);
}

struct bus_zap *bus_zap_new(struct bus *b, int *err)
{
    struct bus_zap *z = calloc(1, sizeof(*z));

    *err = -ENOMEM;
    if (!z)
        return NULL;
    z->bus = b;
    z->changed_fd = -1;
    pthread_mutex_init(&z->lock, NULL);
    *err = start(z);
    z->running = *err == 0;
    if (!z->running)
        bus_zap_destroy(&z);
    return z;
}

int bus_zap_changed_fd(const struct bus_zap *z)
{
    return z->changed_fd;
}

void bus_zap_destroy(struct bus_zap **zp)
{
    struct bus_zap *z = zp ? *zp : NULL;

    if (!z)
        return;
    *zp = NULL;
    if (z->running) {
        zmq_send(z->stop, "", 0, 0);
        pthread_join(z->thread, NULL);
    }
    loop_wake_destroy(&z->wake);
    pthread_mutex_destroy(&z->lock);
    if (z->rep)
        zmq_close(z->rep);
    if (z->stop)
        zmq_close(z->stop);
    if (z->stop_far)
        zmq_close(z->stop_far);
    if (z->changed_fd >= 0)
        close(z->changed_fd);
    free(z);
}
