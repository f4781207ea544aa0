#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/access.h"
#include "gateway.h"
#include "svc/onbus.h"
#include "svc/svc.h"

#define MAX_SITES 64

struct ctx {
    struct svc *svc;
    struct onbus onbus;
    struct gateway *gateway;
    char listen[256];
    char instance[128];
    char *spool;
    const char *sites[MAX_SITES + 1]; /* borrowed of the configuration that it was started with */
};

/* Unique among all gateways: host and process, unless a name was given. */
static void name_instance(struct ctx *c)
{
    const char *given = svc_option(c->svc, "instance");
    char host[64] = "localhost";

    gethostname(host, sizeof(host) - 1);
    if (given)
        snprintf(c->instance, sizeof(c->instance), "%.60s", given);
    else
        snprintf(c->instance, sizeof(c->instance), "%.20s-%d", host, (int)getpid());
    c->svc->instance = c->instance;
}

static struct gateway_limits limits_of(const struct config *cfg)
{
    return (struct gateway_limits){
        .login_timeout_ms = (uint32_t)config_int(cfg, "main.logintimeout") * 1000,
        .idle_timeout_ms = (uint32_t)config_int(cfg, "ctibus.cti.idle_timeout") * 1000,
        .separate_contexts = access_is_separate(cfg),
    };
}

static void name_sites(struct ctx *c)
{
    struct json_object *ipbxes = config_section(c->svc->cfg, "ipbxes");
    size_t n = 0;

    if (!ipbxes)
        return;
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        if (n < MAX_SITES && ipbx)
            c->sites[n++] = name;
    }
}

static int start(struct svc *svc, void **out)
{
    struct ctx *c = calloc(1, sizeof(*c));
    struct gateway_options opt;
    char unused[256];
    char who[160];
    int err;

    if (!c)
        return -ENOMEM;
    *out = c;
    c->svc = svc;
    if (!config_listen(svc->cfg, "main.incoming_tcp.CTI", c->listen, sizeof(c->listen))) {
        log_error(svc->log, "main.incoming_tcp.CTI is switched off: nothing to do");
        return -EINVAL;
    }
    if (config_listen(svc->cfg, "main.incoming_tcp.CTIS", unused, sizeof(unused)))
        log_warning(svc->log, "main.incoming_tcp.CTIS: this version speaks clear text only");
    name_instance(c);
    name_sites(c);
    snprintf(who, sizeof(who), "cti-gw:%s", c->instance);
    err = onbus_open(&c->onbus, svc->loop, svc->cfg, who, c->instance, svc->metrics, svc->log);
    if (err < 0)
        return err;
    c->spool = config_path(svc->cfg, view_cstr(config_str(svc->cfg, "ctibus.fax.spool")));
    if (!c->spool)
        return -ENOMEM;
    opt = (struct gateway_options){
        .listen = c->listen,
        .sites = c->sites,
        .subscribe = c->onbus.subscribe,
        .request = c->onbus.request,
        .publish = c->onbus.publish,
        .max_line = (size_t)config_int(svc->cfg, "ctibus.cti.max_line"),
        .max_output = (size_t)config_int(svc->cfg, "ctibus.cti.max_output"),
        .max_clients = (size_t)config_int(svc->cfg, "ctibus.cti.max_clients"),
        .limits = limits_of(svc->cfg),
        .fax = {.spool = c->spool,
                .ghostscript = config_str(svc->cfg, "ctibus.fax.ghostscript"),
                .max_bytes = (size_t)config_int(svc->cfg, "ctibus.fax.max_bytes")},
    };
    c->gateway = gateway_new(svc->loop, c->onbus.bus, &opt, svc->metrics, svc->log, &err);
    if (!c->gateway) {
        log_error(svc->log, "cannot start: %s", strerror(-err));
        return err;
    }
    *strrchr(c->listen, ':') = '\0';
    svc_log_listening(svc, "CTI", c->listen, gateway_port(c->gateway));
    return 0;
}

static void stopped(void *arg)
{
    svc_stopped(arg);
}

static void stop(void *arg)
{
    struct ctx *c = arg;

    gateway_stop(c->gateway, stopped, c->svc);
}

static void reload(void *arg)
{
    struct ctx *c = arg;
    struct gateway_limits limits = limits_of(c->svc->cfg);

    gateway_reload(c->gateway, &limits);
}

static bool ready(void *arg, struct buf *why)
{
    return gateway_is_ready(((struct ctx *)arg)->gateway, why);
}

static void destroy(void **arg)
{
    struct ctx *c = *arg;

    gateway_destroy(&c->gateway);
    onbus_close(&c->onbus);
    free(c->spool);
    free(c);
    *arg = NULL;
}

int main(int argc, char **argv)
{
    static const struct svc_option options[] = {
        {"instance", "NAME", "what this one of several gateways is called (default: host-process)"},
        {NULL, NULL, NULL}};
    static const struct svc_def def = {
        .name = "cti-gw",
        .doc = "CTI clients: their connections, logins and lists.",
        .options = options,
        .start = start,
        .stop = stop,
        .reload = reload,
        .ready = ready,
        .destroy = destroy,
    };

    return svc_main(argc, argv, &def);
}
