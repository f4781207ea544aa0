#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/access.h"
#include "gateway.h"
#include "hooks/hook.h"
#include "svc/bus_setup.h"
#include "svc/server_cert.h"
#include "svc/svc.h"

struct ctx {
    struct svc *svc;
    struct bus_setup bus_setup;
    struct http_gw *gateway;
    char listen[256];
};

static struct http_gw_limits limits_of(const struct config *cfg)
{
    return (struct http_gw_limits){
        .requests_per_s = (double)config_int(cfg, "ctibus.api.requests_per_second"),
        .requests_burst = (double)config_int(cfg, "ctibus.api.requests_burst"),
        .separate_contexts = access_is_separate(cfg),
    };
}

/* *out stays NULL where TLS is off. 0, or a negative errno with the reason in `why`. */
static int load_tls(const struct config *cfg, struct tls_ctx **out, struct buf *why)
{
    *out = NULL;
    if (!config_bool(cfg, "ctibus.api.tls"))
        return 0;
    if (server_cert_load(cfg, out, why) < 0)
        return -EINVAL;
    if (*out)
        return 0;
    buf_append_cstr(why, "certfile: is missing, but ctibus.api.tls is true: name the PEM file of a "
                         "certificate and its chain, and its key as keyfile");
    return -EINVAL;
}

static bool check_webhooks(const struct config *cfg, struct buf *why)
{
    struct hook_list hooks;
    struct buf faults;
    bool good;

    buf_init(&faults, 65536);
    good = hooks_read(cfg, &hooks, &faults) == 0;
    for (struct view rest = buf_view(&faults); rest.len > 0;) {
        svc_next_fault(why);
        buf_append_view(why, view_cut(&rest, '\n'));
    }
    hooks_free(&hooks);
    buf_free(&faults);
    return good;
}

static bool check(const struct svc *svc, struct buf *why)
{
    struct tls_ctx *tls = NULL;
    bool good = load_tls(svc->cfg, &tls, why) == 0;

    tls_destroy(&tls);
    svc_next_fault(why);
    good = check_webhooks(svc->cfg, why) && good;
    if (!config_str(svc->cfg, "ctibus.api.listen")) {
        svc_next_fault(why);
        buf_append_cstr(why, "ctibus.api.listen: is switched off, so there is nothing to do");
        good = false;
    }
    return good;
}

static int open_gateway(struct ctx *c)
{
    const struct config *cfg = c->svc->cfg;
    struct http_gw_limits limits = limits_of(cfg);
    struct http_gw_options opt = {
        .listen = c->listen,
        .publish = c->bus_setup.publish,
        .subscribe = c->bus_setup.subscribe,
        .request = c->bus_setup.request,
        .max_connections = (size_t)config_int(cfg, "ctibus.api.max_connections"),
        .max_output = (size_t)config_int(cfg, "ctibus.api.max_output"),
    };
    struct tls_ctx *tls = NULL;
    struct buf why;
    int err;

    buf_init(&why, 4096);
    err = load_tls(cfg, &tls, &why);
    if (err < 0)
        log_error(c->svc->log, "cannot start: %s", buf_cstr(&why));
    else
        c->gateway = http_gw_new(c->svc->loop, c->bus_setup.bus, &opt, &limits, cfg, &tls,
                                 c->svc->metrics, c->svc->log, &err);
    buf_free(&why);
    tls_destroy(&tls);
    return err;
}

static int start(struct svc *svc, void **out)
{
    struct ctx *c = calloc(1, sizeof(*c));
    int err;

    if (!c)
        return -ENOMEM;
    *out = c;
    c->svc = svc;
    snprintf(c->listen, sizeof(c->listen), "%s", config_str(svc->cfg, "ctibus.api.listen"));
    err = bus_setup_open_instance(&c->bus_setup, svc, "http-");
    if (err == 0)
        err = open_gateway(c);
    if (err < 0)
        return err;
    svc_log_listening(svc, config_bool(svc->cfg, "ctibus.api.tls") ? "https" : "http", c->listen,
                      http_gw_port(c->gateway));
    return 0;
}

static void stopped(void *arg)
{
    svc_stopped(arg);
}

static void stop(void *arg)
{
    struct ctx *c = arg;

    http_gw_stop(c->gateway, stopped, c->svc);
}

static void reload(void *arg)
{
    struct ctx *c = arg;
    struct http_gw_limits limits = limits_of(c->svc->cfg);
    struct tls_ctx *tls = NULL;
    struct buf why;

    http_gw_reload(c->gateway, &limits, c->svc->cfg);
    buf_init(&why, 4096);
    if (load_tls(c->svc->cfg, &tls, &why) < 0)
        log_error(c->svc->log, "no certificate (one that was read before stays): %s",
                  buf_cstr(&why));
    else if (tls)
        http_gw_set_tls(c->gateway, &tls);
    buf_free(&why);
}

static bool ready(void *arg, struct buf *why)
{
    return http_gw_is_ready(((struct ctx *)arg)->gateway, why);
}

static void destroy(void **arg)
{
    struct ctx *c = *arg;

    http_gw_destroy(&c->gateway);
    bus_setup_close(&c->bus_setup);
    free(c);
    *arg = NULL;
}

int main(int argc, char **argv)
{
    static const struct svc_option options[] = {
        {"instance", "NAME", "the name of this instance (default: http-HOST-PID)"},
        {NULL, NULL, NULL}};
    static const struct svc_def def = {
        .name = "http-gw",
        .doc = "Serves the HTTP API for programs: lists, events, calls and commands.",
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
