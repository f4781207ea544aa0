#include "svc/bus_setup.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Static_assert(BUS_ENDPOINTS == CONFIG_HA_PEERS, "the bus connects to all states of a site");

static int load_trusted(struct bus_setup *ob, const struct config *cfg)
{
    struct json_object *list = config_get(cfg, "ctibus.trusted");
    size_t n =
        list && json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    ob->trusted = calloc(n + 1, sizeof(*ob->trusted));
    for (size_t i = 0; ob->trusted && i < n; i++) {
        ob->trusted[i] =
            view_dup(view_cstr(json_object_get_string(json_object_array_get_idx(list, i))));
        if (!ob->trusted[i])
            return -ENOMEM;
    }
    return ob->trusted ? 0 : -ENOMEM;
}

/* *keys stays NULL where there is no CURVE. */
static int load_keys(const struct config *cfg, struct bus_keys **keys, char why[512])
{
    const char *server = config_str(cfg, "ctibus.curve.server_key");
    const char *own = config_str(cfg, "ctibus.curve.own_key");
    const char *allow = config_str(cfg, "ctibus.curve.allow");
    char *paths[3] = {NULL, NULL, NULL};

    *keys = NULL;
    if (!server || !own)
        return 0;
    paths[0] = config_path(cfg, view_cstr(server));
    paths[1] = config_path(cfg, view_cstr(own));
    paths[2] = allow ? config_path(cfg, view_cstr(allow)) : NULL;
    snprintf(why, 512, "no memory");
    if (paths[0] && paths[1])
        *keys = bus_keys_load(paths[0], paths[1], paths[2], why, 512);
    for (int i = 0; i < 3; i++)
        free(paths[i]);
    return *keys ? 0 : -EINVAL;
}

bool bus_setup_check(const struct config *cfg, struct buf *why)
{
    struct bus_keys *keys;
    char reason[512];
    bool good = load_keys(cfg, &keys, reason) == 0;

    if (!good)
        buf_printf(why, "ctibus.curve: %s", reason);
    bus_keys_destroy(&keys);
    return good;
}

int bus_setup_open(struct bus_setup *ob, struct loop *loop, const struct config *cfg,
                   const char *who, const char *instance, struct metrics *metrics, struct log *log)
{
    char host[128] = "localhost";
    char source[256];
    char why[512];
    struct bus_options opt = {.source = source, .instance = instance};
    int rc;

    *ob = (struct bus_setup){.publish = config_bus_endpoints(cfg, "publish"),
                             .subscribe = config_bus_endpoints(cfg, "subscribe"),
                             .request = config_bus_endpoints(cfg, "request")};
    gethostname(host, sizeof(host) - 1);
    snprintf(source, sizeof(source), "%.100s@%.100s", who, host);
    rc = ob->publish && ob->subscribe && ob->request ? load_trusted(ob, cfg) : -ENOMEM;
    if (rc == 0) {
        rc = load_keys(cfg, &ob->keys, why);
        if (rc < 0)
            log_error(log, "ctibus.curve: %s", why);
    }
    if (rc == 0) {
        opt.hwm = (int)config_int(cfg, "ctibus.bus.hwm");
        opt.subscriber_hwm = (int)config_int(cfg, "ctibus.bus.subscriber_hwm");
        opt.heartbeat_ms = (int)config_int(cfg, "ctibus.bus.heartbeat_ms");
        opt.keys = ob->keys;
        ob->bus = bus_new(loop, &opt, metrics, log);
        rc = ob->bus ? 0 : -ENOMEM;
    }
    if (rc < 0)
        bus_setup_close(ob);
    return rc;
}

int bus_setup_open_instance(struct bus_setup *ob, struct svc *svc, const char *prefix)
{
    char who[160];

    svc_name_instance(svc, prefix);
    snprintf(who, sizeof(who), "%s:%s", svc->name, svc->instance);
    return bus_setup_open(ob, svc->loop, svc->cfg, who, svc->instance, svc->metrics, svc->log);
}

void bus_setup_close(struct bus_setup *ob)
{
    bus_destroy(&ob->bus);
    bus_keys_destroy(&ob->keys);
    for (char **t = ob->trusted; t && *t; t++)
        free(*t);
    free(ob->trusted);
    ob->trusted = NULL;
    free(ob->publish);
    free(ob->subscribe);
    free(ob->request);
    ob->publish = ob->subscribe = ob->request = NULL;
}
