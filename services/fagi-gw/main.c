#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "svc/bus_setup.h"
#include "svc/svc.h"

struct ctx {
    struct svc *svc;
    struct bus_setup bus_setup;
    struct fagi *fagi;
};

static bool check(const struct svc *svc, struct buf *why)
{
    char addr[256];

    if (config_listen(svc->cfg, "main.incoming_tcp.FAGI", addr, sizeof(addr)))
        return true;
    buf_append_cstr(why, "main.incoming_tcp.FAGI: is switched off, so there is nothing to do");
    return false;
}

static int start(struct svc *svc, void **out)
{
    struct ctx *c = calloc(1, sizeof(*c));
    struct fagi_options opt;
    char listen[256];
    int err;

    if (!c)
        return -ENOMEM;
    *out = c;
    c->svc = svc;
    config_listen(svc->cfg, "main.incoming_tcp.FAGI", listen, sizeof(listen));
    err = bus_setup_open_instance(&c->bus_setup, svc, "fagi-");
    if (err < 0)
        return err;
    opt = (struct fagi_options){
        .listen = listen,
        .publish = c->bus_setup.publish,
        .request = c->bus_setup.request,
        .max_sessions = (size_t)config_int(svc->cfg, "ctibus.fagi.max_sessions"),
    };
    c->fagi = fagi_new(svc->loop, c->bus_setup.bus, &opt, svc->cfg, svc->metrics, svc->log, &err);
    if (!c->fagi) {
        log_error(svc->log, "cannot start: %s", strerror(-err));
        return err;
    }
    svc_log_listening(svc, "FAGI", listen, fagi_port(c->fagi));
    return 0;
}

static void stopped(void *arg)
{
    svc_stopped(arg);
}

static void stop(void *arg)
{
    struct ctx *c = arg;

    fagi_stop(c->fagi, stopped, c->svc);
}

static void reload(void *arg)
{
    struct ctx *c = arg;

    fagi_reload(c->fagi, c->svc->cfg);
}

static bool ready(void *arg, struct buf *why)
{
    return fagi_is_ready(((struct ctx *)arg)->fagi, why);
}

static void destroy(void **arg)
{
    struct ctx *c = *arg;

    fagi_destroy(&c->fagi);
    bus_setup_close(&c->bus_setup);
    free(c);
    *arg = NULL;
}

int main(int argc, char **argv)
{
    static const struct svc_option options[] = {
        {"instance", "NAME", "the name of this instance (default: fagi-HOST-PID)"},
        {NULL, NULL, NULL}};
    static const struct svc_def def = {
        .name = "fagi-gw",
        .doc = "Answers the FastAGI scripts of the dialplan, by state or by handlers on the bus.",
        .options = options,
        .check = check,
        .start = start,
        .stop = stop,
        .reload = reload,
        .ready = ready,
        .destroy = destroy,
    };

    return svc_main(argc, argv, &def);
}
