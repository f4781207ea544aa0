#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/access.h"
#include "certificate.h"
#include "gateway.h"
#include "guessable.h"
#include "pages.h"
#include "svc/bus_setup.h"
#include "svc/svc.h"
#include "json/json.h"

#define MAX_IPBXES 64

struct ctx {
    struct svc *svc;
    struct bus_setup bus_setup;
    struct gateway *gateway;
    char listen[LISTENERS][256];        /* empty: not there */
    char *spool, *ghostscript;          /* of faxes */
    const char *ipbxes[MAX_IPBXES + 1]; /* borrowed of the configuration that it was started with */
    char **origins;                     /* ends with NULL */
};

static struct gateway_limits limits_of(const struct config *cfg)
{
    return (struct gateway_limits){
        .login_timeout_ms = (uint32_t)config_int(cfg, "main.logintimeout") * 1000,
        .idle_timeout_ms = (uint32_t)config_int(cfg, "ctibus.cti.idle_timeout_seconds") * 1000,
        .drain_ms = (uint32_t)config_int(cfg, "ctibus.cti.drain_seconds") * 1000,
        .separate_contexts = access_is_separate(cfg),
        .lines_per_s = (uint32_t)config_int(cfg, "ctibus.budget.lines_per_second"),
        .lines_burst = (uint32_t)config_int(cfg, "ctibus.budget.lines_burst"),
    };
}

/* "https://HOST" or "https://HOST:PORT", as browsers say it; "null" for pages without one. */
static bool is_origin(struct view v)
{
    ptrdiff_t scheme = view_find(v, VIEW("://"));
    size_t start = (size_t)scheme + 3;

    if (view_eq(v, VIEW("null")))
        return true;
    return scheme > 0 && v.len > start && !memchr(v.ptr + start, '/', v.len - start);
}

/* One that no browser would say lets nobody in, and nobody would see why. */
static bool check_origins(const struct config *cfg, struct buf *why)
{
    struct json_object *list = config_get(cfg, "ctibus.cti.origins");
    size_t n = list ? json_object_array_length(list) : 0;
    bool good = true;

    for (size_t i = 0; i < n; i++) {
        struct view origin = json_view(json_object_array_get_idx(list, i));
        if (is_origin(origin))
            continue;
        good = false;
        svc_next_fault(why);
        buf_printf(why,
                   "ctibus.cti.origins: \"%.*s\" is no origin: it is a scheme, a host and, "
                   "unless it is the default, a port, without a path: https://cti.example.com",
                   VIEW_ARG(origin));
    }
    return good;
}

/* What the configuration's own checks do not look into. */
static bool check(const struct svc *svc, struct buf *why)
{
    struct tls_ctx *tls = NULL;
    int rc = certificate_needed(svc->cfg) ? certificate_load(svc->cfg, &tls, why) : 0;
    bool good = check_origins(svc->cfg, why) && rc == 0;

    tls_destroy(&tls);
    svc_next_fault(why);
    return guessable_check(svc->cfg, why) && good;
}

/* A certificate that the listener for browsers has use for does not keep the gateway from starting;
 * without it all is in clear there. (Configurations of XiVO name files that need not be here.) */
static enum svc_files check_files(const struct svc *svc, config_error_fn *tell, void *arg)
{
    struct tls_ctx *tls = NULL;
    enum svc_files files = SVC_FILES_GOOD;
    struct buf why;

    buf_init(&why, 65536);
    if (!certificate_needed(svc->cfg) && config_str(svc->cfg, "ctibus.cti.websocket") &&
        certificate_load(svc->cfg, &tls, &why) < 0) {
        files = SVC_FILES_FAULTY;
        buf_append_cstr(&why, ": there is no TLS without it");
        tell(arg, &(struct config_error){(char *)"certificate of clients", (char *)"",
                                         (char *)buf_cstr(&why)});
    }
    tls_destroy(&tls);
    buf_free(&why);
    return files;
}

/* Again as in the check, since the files may have changed; what is no good leaves the certificate
 * that there is. 0 or a negative errno. */
static int load_certificate(struct ctx *c)
{
    struct tls_ctx *tls;
    struct buf why;
    int rc;

    buf_init(&why, 65536);
    rc = certificate_load(c->svc->cfg, &tls, &why);
    if (rc == 0)
        gateway_set_tls(c->gateway, &tls);
    else
        log_error(c->svc->log, "no certificate for clients (one that was read before stays): %s",
                  buf_cstr(&why) ? buf_cstr(&why) : "out of memory");
    buf_free(&why);
    /* on the clear-text port it is an offer, without which the rest goes on */
    return certificate_needed(c->svc->cfg) ? rc : 0;
}

/* Without memory for them, they stay as they were. 0 or -ENOMEM. */
static int set_networks(struct ctx *c)
{
    struct netlist balancers = {NULL, 0};
    struct netlist proxies = {NULL, 0};
    struct netlist greeted = {NULL, 0};
    int rc = config_networks(c->svc->cfg, "ctibus.cti.proxy_from", &balancers);

    if (rc == 0)
        rc = config_networks(c->svc->cfg, "ctibus.auth.remote_user_from", &proxies);
    if (rc == 0)
        rc = config_networks(c->svc->cfg, "ctibus.cti.banner_to", &greeted);
    if (rc == 0) {
        gateway_set_banner_to(c->gateway, &greeted);
        gateway_set_proxy_from(c->gateway, &balancers);
        gateway_set_remote_user_from(c->gateway, &proxies);
    }
    netlist_clear(&balancers);
    netlist_clear(&proxies);
    netlist_clear(&greeted);
    return rc;
}

/* Where to listen. False when there is nothing. */
static bool find_listeners(struct ctx *c)
{
    const char *websocket = config_str(c->svc->cfg, "ctibus.cti.websocket");
    char *at = c->listen[LISTENER_CLEAR];

    if (!config_listen(c->svc->cfg, "main.incoming_tcp.CTI", at, sizeof(c->listen[0])))
        *at = '\0';
    at = c->listen[LISTENER_TLS];
    if (!config_listen(c->svc->cfg, "main.incoming_tcp.CTIS", at, sizeof(c->listen[0])))
        *at = '\0';
    snprintf(c->listen[LISTENER_WS], sizeof(c->listen[0]), "%s", websocket ? websocket : "");
    return *c->listen[LISTENER_CLEAR] || *c->listen[LISTENER_TLS] || *c->listen[LISTENER_WS];
}

/* Whose pages may connect: a copy, since a reload brings another configuration. 0 or -ENOMEM. */
static int copy_origins(struct ctx *c)
{
    struct json_object *list = config_get(c->svc->cfg, "ctibus.cti.origins");
    size_t n = list ? json_object_array_length(list) : 0;

    c->origins = calloc(n + 1, sizeof(*c->origins));
    for (size_t i = 0; c->origins && i < n; i++) {
        c->origins[i] = view_dup(json_view(json_object_array_get_idx(list, i)));
        if (!c->origins[i])
            return -ENOMEM;
    }
    return c->origins ? 0 : -ENOMEM;
}

static void free_origins(struct ctx *c)
{
    for (char **o = c->origins; o && *o; o++)
        free(*o);
    free(c->origins);
}

/* Copies, for the same reason. 0 or -ENOMEM. */
static int copy_fax(struct ctx *c)
{
    const struct config *cfg = c->svc->cfg;

    c->spool = config_path(cfg, view_cstr(config_str(cfg, "ctibus.fax.spool")));
    c->ghostscript = view_dup(view_cstr(config_str(cfg, "ctibus.fax.ghostscript")));
    return c->spool && c->ghostscript ? 0 : -ENOMEM;
}

static void name_sites(struct ctx *c)
{
    struct json_object *ipbxes = config_section(c->svc->cfg, "ipbxes");
    size_t n = 0;

    if (!ipbxes)
        return;
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        if (n < MAX_IPBXES && ipbx)
            c->ipbxes[n++] = name;
    }
}

static int open_gateway(struct ctx *c)
{
    const struct config *cfg = c->svc->cfg;
    struct gateway_options opt = {
        .messages = &cti_messages,
        .ipbxes = c->ipbxes,
        .subscribe = c->bus_setup.subscribe,
        .request = c->bus_setup.request,
        .publish = c->bus_setup.publish,
        .origins = (const char *const *)c->origins,
        .ws_ping_ms = (uint32_t)config_int(cfg, "ctibus.cti.websocket_ping_seconds") * 1000,
        .proxy_protocol = config_bool(cfg, "ctibus.cti.proxy_protocol"),
        .tls_at_balancer = config_bool(cfg, "ctibus.auth.tls_at_balancer"),
        .max_line = (size_t)config_int(cfg, "ctibus.cti.max_line"),
        .max_output = (size_t)config_int(cfg, "ctibus.cti.max_output"),
        .max_clients = (size_t)config_int(cfg, "ctibus.cti.max_clients"),
        .max_logins = (size_t)config_int(cfg, "ctibus.cti.max_logins"),
        .max_logins_per_address = (size_t)config_int(cfg, "ctibus.cti.max_logins_per_address"),
        .limits = limits_of(cfg),
        .fax = {.spool = c->spool,
                .ghostscript = c->ghostscript,
                .max_bytes = (size_t)config_int(cfg, "ctibus.fax.max_bytes")},
    };
    int err;

    for (int i = 0; i < LISTENERS; i++)
        opt.listen[i] = *c->listen[i] ? c->listen[i] : NULL;
    c->gateway =
        gateway_new(c->svc->loop, c->bus_setup.bus, &opt, c->svc->metrics, c->svc->log, &err);
    if (!c->gateway)
        log_error(c->svc->log, "cannot start: %s", strerror(-err));
    if (c->gateway)
        err = set_networks(c);
    return err == 0 ? load_certificate(c) : err;
}

static void log_listeners(struct ctx *c)
{
    static const char *const names[LISTENERS] = {"CTI", "CTIS", "websocket"};

    for (int i = 0; i < LISTENERS; i++)
        if (*c->listen[i])
            svc_log_listening(c->svc, names[i], c->listen[i],
                              gateway_port(c->gateway, (enum gateway_listener)i));
}

static int start(struct svc *svc, void **out)
{
    struct ctx *c = calloc(1, sizeof(*c));
    int err;

    if (!c)
        return -ENOMEM;
    *out = c;
    c->svc = svc;
    if (!pages_exist())
        log_notice(svc->log, "built without the web client (esbuild was not there)");
    if (!find_listeners(c)) {
        log_error(svc->log,
                  "main.incoming_tcp.CTI, CTIS and ctibus.cti.websocket are switched off: "
                  "nothing to do");
        return -EINVAL;
    }
    name_sites(c);
    err = bus_setup_open_instance(&c->bus_setup, svc, "");
    if (err == 0)
        err = copy_origins(c);
    if (err == 0)
        err = copy_fax(c);
    if (err == 0)
        err = open_gateway(c);
    if (err == 0)
        log_listeners(c);
    return err;
}

static void stopped(void *arg)
{
    svc_stopped(arg);
}

static void stop(void *arg)
{
    struct ctx *c = arg;

    c->svc->stop_ms += limits_of(c->svc->cfg).drain_ms;
    gateway_stop(c->gateway, stopped, c->svc);
}

static void reload(void *arg)
{
    struct ctx *c = arg;
    struct gateway_limits limits = limits_of(c->svc->cfg);

    gateway_reload(c->gateway, &limits);
    set_networks(c);
    load_certificate(c);
}

static bool ready(void *arg, struct buf *why)
{
    return gateway_is_ready(((struct ctx *)arg)->gateway, why);
}

static void destroy(void **arg)
{
    struct ctx *c = *arg;

    gateway_destroy(&c->gateway);
    bus_setup_close(&c->bus_setup);
    free(c->spool);
    free(c->ghostscript);
    free_origins(c);
    free(c);
    *arg = NULL;
}

int main(int argc, char **argv)
{
    static const struct svc_option options[] = {
        {"instance", "NAME", "the name of this instance (default: HOST-PID)"}, {NULL, NULL, NULL}};
    static const struct svc_def def = {
        .name = "cti-gw",
        .doc = "Serves CTI clients: connections, logins, lists and commands.",
        .options = options,
        .check = check,
        .check_files = check_files,
        .start = start,
        .stop = stop,
        .reload = reload,
        .ready = ready,
        .destroy = destroy,
    };

    return svc_main(argc, argv, &def);
}
