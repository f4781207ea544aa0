#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "federation.h"
#include "svc/bus_setup.h"
#include "svc/svc.h"

struct ctx {
    struct bus_setup bus_setup;
    struct fed *fed;
};

static bool check(const struct svc *svc, struct buf *why)
{
    return fed_check(svc->cfg, why);
}

static int start(struct svc *svc, void **out)
{
    struct ctx *c = calloc(1, sizeof(*c));
    struct fed_options opt;
    char prefix[32];
    int err;

    if (!c)
        return -ENOMEM;
    *out = c;
    /* unique among all sites, whose containers may have one host name and process number */
    snprintf(prefix, sizeof(prefix), "federation-%016llx-", (unsigned long long)rng_u64());
    err = bus_setup_open_instance(&c->bus_setup, svc, prefix);
    if (err < 0)
        return err;
    opt = (struct fed_options){
        .subscribe = c->bus_setup.subscribe,
        .request = c->bus_setup.request,
        .publish = c->bus_setup.publish,
        .trusted = (const char *const *)c->bus_setup.trusted,
        .instance = svc->instance,
    };
    c->fed = fed_new(svc->loop, c->bus_setup.bus, &opt, svc->cfg, svc->metrics, svc->log, &err);
    if (!c->fed) {
        log_error(svc->log, "cannot start: %s", strerror(-err));
        return err;
    }
    svc_log_endpoint(svc, "peers-publish", fed_endpoint_publish(c->fed));
    svc_log_endpoint(svc, "peers-request", fed_endpoint_request(c->fed));
    return 0;
}

static bool ready(void *arg, struct buf *why)
{
    return fed_is_ready(((struct ctx *)arg)->fed, why);
}

static void destroy(void **arg)
{
    struct ctx *c = *arg;

    fed_destroy(&c->fed);
    bus_setup_close(&c->bus_setup);
    free(c);
    *arg = NULL;
}

int main(int argc, char **argv)
{
    static const struct svc_def def = {
        .name = "federation",
        .doc = "Links this installation with its peers: exports what they may see, imports what "
               "they show.",
        .check = check,
        .start = start,
        .ready = ready,
        .destroy = destroy,
    };

    return svc_main(argc, argv, &def);
}
