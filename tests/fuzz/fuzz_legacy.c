/* What a XiVO 1.2 says to federation, which has logged in there: lines of its login and of its
 * lists. */
#include <errno.h>
#include <stdlib.h>

#include "fuzz/socket.h"
#include "legacy.h"
#include "net/conn.h"
#include "support/bus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONFIG                                                                                     \
    "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","         \
    "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"}},\"far\":{\"cti_connection\":{"        \
    "\"ipaddress\":\"127.0.0.1\",\"ipport\":%u,\"username\":\"cs\",\"password\":\"p\"}}}}"

/* The steps of a login that it is led to first (first byte odd), so that its lists are read. */
static const char steps[] = "{\"class\":\"login_id\",\"sessionid\":\"x\"}\n"
                            "{\"class\":\"login_pass\",\"capalist\":[1]}\n"
                            "{\"class\":\"login_capas\"}\n";

struct world {
    struct loop *loop;
    struct process p;
    struct listener *listener; /* of the XiVO */
    int fd;                    /* its end of the connection; -1: there is none */
    struct fed f;
    struct metric *up;
};

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct world *w = arg;

    if (w->fd >= 0)
        close(w->fd);
    w->fd = fd;
}

static struct config *load_config(uint16_t port)
{
    struct config_errors errors = {0};
    char path[] = "/tmp/ctibus-legacy-XXXXXX";
    struct config *cfg;
    char text[1024];
    int fd = mkstemp(path);
    int n = snprintf(text, sizeof(text), CONFIG, (unsigned)port);

    if (fd < 0 || write(fd, text, (size_t)n) != n)
        abort();
    close(fd);
    cfg = config_load(path, NULL, &errors);
    unlink(path);
    if (!cfg)
        abort();
    return cfg;
}

static struct world *world(void)
{
    static struct world *w;
    int err = 0;

    if (w)
        return w;
    w = calloc(1, sizeof(*w));
    w->fd = -1;
    w->loop = loop_new();
    w->p = process_start(w->loop, "federation@test", "federation", NULL);
    w->listener = listener_new(w->loop, "127.0.0.1:0", on_accept, w, &err);
    if (!w->listener)
        abort();
    w->f = (struct fed){.loop = w->loop, .bus = w->p.bus, .metrics = w->p.metrics};
    w->up = metrics_add(w->p.metrics, METRIC_federation_up, METRIC_VALUES("far"));
    w->f.cfg = load_config(listener_port(w->listener));
    w->f.bus_client = bus_client_new(w->p.bus, "tcp://127.0.0.1:1", "federation",
                                     &(struct bus_client_handler){NULL, NULL, NULL}, w, &err);
    if (!w->f.bus_client)
        abort();
    return w;
}

static struct fed_link *open_link(struct world *w)
{
    struct fed_link *l = &w->f.links[0];
    int err = 0;

    *l = (struct fed_link){.f = &w->f, .name = (char *)"far", .state = "down", .up = w->up};
    l->legacy = legacy_new(l, NULL, &err);
    l->forward = l->legacy ? forward_new(&w->f, l->name, legacy_xod(l->legacy)) : NULL;
    if (!l->forward)
        abort();
    w->f.n_links = 1;
    while (w->fd < 0)
        loop_once(w->loop, 1);
    return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = world();
    struct fed_link *l;

    if (size == 0)
        return 0;
    l = open_link(w);
    if (data[0] & 1 && write(w->fd, steps, sizeof(steps) - 1) < 0)
        abort();
    /* what it is asked is read, as by a XiVO that listens */
    socket_talk(w->loop, w->fd, data + 1, size - 1);
    legacy_destroy(&l->legacy);
    forward_destroy(&l->forward);
    w->f.n_links = 0;
    close(w->fd);
    w->fd = -1;
    loop_once(w->loop, 0);
    return 0;
}
