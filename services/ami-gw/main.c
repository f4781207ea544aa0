#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "svc/bus_setup.h"
#include "svc/svc.h"
#include "json/json.h"

struct ctx {
    struct svc *svc;
    struct bus_setup bus_setup;
    struct tls_ctx *tls; /* NULL: clear text */
    struct gateway *gateway;
};

#define AMI_PORT 5038
#define AMI_TLS_PORT 5039

/* The ipbx of --ipbx, or the first that has a connection. Its name in *name. */
static struct json_object *find_ipbx(const struct svc *svc, const char **name)
{
    struct json_object *all = config_section(svc->cfg, "ipbxes");
    const char *wanted = svc_option(svc, "ipbx");

    if (!all)
        return NULL;
    json_object_object_foreach(all, key, ipbx)
    {
        struct json_object *connection = json_get(ipbx, "ipbx_connection");
        if (!connection || (wanted && strcmp(wanted, key) != 0))
            continue;
        *name = key;
        return connection;
    }
    return NULL;
}

/* What the connection's keys about TLS ask for; false when a file is no good, appended to `why`. */
static bool make_tls(const struct svc *svc, const char *ipbx, struct json_object *connection,
                     struct tls_ctx **out, struct buf *why)
{
    struct view ca = json_get_view(connection, "tls_ca");
    struct tls_options opt = {.no_verify = !json_get_bool(connection, "tls_verify", true)};
    char *path = ca.len ? config_path(svc->cfg, ca) : NULL;
    struct tls_fault fault = {NULL, "out of memory"};

    opt.ca_file = path;
    *out = ca.len && !path ? NULL : tls_client_new(&opt, &fault);
    if (!*out)
        buf_printf(why, "ipbxes.%s.ipbx_connection.%s: %s%s%s", ipbx, fault.file ? "tls_ca" : "tls",
                   fault.file ? fault.file : "", fault.file ? ": " : "", fault.reason);
    free(path);
    return *out != NULL;
}

static bool check_tls(const struct svc *svc, const char *ipbx, struct json_object *connection,
                      struct buf *why)
{
    struct tls_ctx *tls;
    bool good = make_tls(svc, ipbx, connection, &tls, why);

    tls_destroy(&tls);
    return good;
}

static bool check(const struct svc *svc, struct buf *why)
{
    const char *name;
    struct json_object *connection = find_ipbx(svc, &name);
    const char *wanted = svc_option(svc, "ipbx");

    if (!connection && wanted)
        buf_printf(why, "ipbxes.%s: no such ipbx with an ipbx_connection (asked for by --ipbx)",
                   wanted);
    else if (!connection)
        buf_append_cstr(why, "ipbxes: none has an ipbx_connection");
    else
        return !json_get_bool(connection, "tls", false) || check_tls(svc, name, connection, why);
    return false;
}

/* Again as in the check, since the files may have changed. */
static int start_tls(struct ctx *c, const char *ipbx, struct json_object *connection)
{
    struct buf why;

    buf_init(&why, 65536);
    if (!make_tls(c->svc, ipbx, connection, &c->tls, &why))
        log_error(c->svc->log, "%s", buf_cstr(&why) ? buf_cstr(&why) : "out of memory");
    else if (!json_get_bool(connection, "tls_verify", true))
        log_warning(c->svc->log,
                    "ipbxes.%s.ipbx_connection.tls_verify is false: anybody on the way can pose "
                    "as this Asterisk, read and change everything",
                    ipbx);
    buf_free(&why);
    return c->tls ? 0 : -EINVAL;
}

static struct link_options link_options(const struct ctx *c, const char *ipbx,
                                        struct json_object *con)
{
    struct view name = json_get_view(con, "tls_name");

    return (struct link_options){
        .host = json_get_view(con, "ipaddress").ptr,
        .port = (uint16_t)json_get_i64(con, "ipport", c->tls ? AMI_TLS_PORT : AMI_PORT),
        .username = json_get_view(con, "username").ptr,
        .password = json_get_view(con, "password").ptr,
        .instance = ipbx,
        .timeout_ms = (uint32_t)config_int(c->svc->cfg, "main.sockettimeout") * 1000,
        .gone_ms = (uint32_t)config_int(c->svc->cfg, "ctibus.ami.gone_seconds") * 1000,
        .tls = c->tls,
        .tls_name = name.len ? name.ptr : NULL,
    };
}

static int start(struct svc *svc, void **out)
{
    struct ctx *c = calloc(1, sizeof(*c));
    struct gateway_options opt = {0};
    struct json_object *con = find_ipbx(svc, &opt.ipbx);
    char who[128];
    int err = 0;

    if (!c)
        return -ENOMEM;
    *out = c;
    c->svc = svc;
    if (json_get_bool(con, "tls", false))
        err = start_tls(c, opt.ipbx, con);
    if (err < 0)
        return err;
    snprintf(who, sizeof(who), "ami-gw:%.64s", opt.ipbx);
    err = bus_setup_open(&c->bus_setup, svc->loop, svc->cfg, who, who, svc->metrics, svc->log);
    if (err < 0)
        return err;
    opt.publish = c->bus_setup.publish;
    opt.request = c->bus_setup.request;
    opt.charset = view_ieq(json_get_view(con, "charset"), VIEW("latin1")) ? AMI_CHARSET_LATIN1
                                                                          : AMI_CHARSET_UTF8;
    opt.link = link_options(c, opt.ipbx, con);
    c->gateway = gateway_new(svc->loop, c->bus_setup.bus, &opt, svc->metrics, svc->log, &err);
    if (!c->gateway)
        log_error(svc->log, "cannot start: %s", strerror(-err));
    return c->gateway ? 0 : err;
}

static void stop(void *arg)
{
    struct ctx *c = arg;

    gateway_stop(c->gateway);
    svc_stopped(c->svc);
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
    tls_destroy(&c->tls);
    free(c);
    *arg = NULL;
}

int main(int argc, char **argv)
{
    static const struct svc_option options[] = {
        {"ipbx", "ID",
         "the IPBX of the configuration to connect to (default: the first that has "
         "an ipbx_connection)"},
        {NULL, NULL, NULL}};
    static const struct svc_def def = {
        .name = "ami-gw",
        .doc = "Connects one Asterisk to the bus through its manager interface (AMI).",
        .options = options,
        .check = check,
        .start = start,
        .stop = stop,
        .ready = ready,
        .destroy = destroy,
    };

    return svc_main(argc, argv, &def);
}
