/* Two listeners on one address: the second cannot bind. */
#include <stdio.h>

#include "base/array.h"
#include "base/hostport.h"
#include "config/internal.h"
#include "json/json.h"

/* The table's keys that a service listens at, and which service that is. */
static const struct {
    const char *path, *service;
} listeners[] = {
    {"main.incoming_tcp.CTI", "cti-gw"},
    {"main.incoming_tcp.CTIS", "cti-gw"},
    {"main.incoming_tcp.FAGI", "fagi-gw"},
    {"main.incoming_tcp.WEBI", "state"},
    {"main.incoming_tcp.INFO", "state"},
    {"ctibus.bus.publish", "state"},
    {"ctibus.bus.subscribe", "state"},
    {"ctibus.bus.request", "state"},
    {"ctibus.http.state", "state"},
    {"ctibus.http.ami-gw", "ami-gw"},
    {"ctibus.http.fagi-gw", "fagi-gw"},
    {"ctibus.http.cti-gw", "cti-gw"},
    {"ctibus.http.http-gw", "http-gw"},
    {"ctibus.http.federation", "federation"},
    {"ctibus.api.listen", "http-gw"},
    {"ctibus.cti.websocket", "cti-gw"},
    {"ctibus.federation.publish", "federation"},
    {"ctibus.federation.request", "federation"},
};

struct at {
    char text[300]; /* which host points into */
    struct view host;
    uint16_t port; /* 0: it does not listen, on any port, or not in TCP */
};

/* A value of a wrong form, which is a fault of its own, is no address. */
static void find(const struct config *cfg, const char *path, struct at *at)
{
    bool listens = config_key_find(path)->type == KEY_LISTEN;
    struct json_object *value = config_get(cfg, path);
    const char *text;

    *at = (struct at){.port = 0};
    if (value && !json_object_is_type(value, listens ? json_type_array : json_type_string))
        return;
    if (listens && !config_listen(cfg, path, at->text, sizeof(at->text)))
        return;
    if (!listens) {
        text = config_str(cfg, path);
        snprintf(at->text, sizeof(at->text), "%s", text ? text : "");
    }
    text = at->text;
    if (hostport_split(view_cstr(strncmp(text, "tcp://", 6) ? text : text + 6), &at->host,
                       &at->port) < 0)
        at->port = 0;
}

static bool is_any(struct view host)
{
    return host.len == 0 || view_eq(host, VIEW("0.0.0.0")) || view_eq(host, VIEW("::"));
}

static bool clash(const struct at *a, const struct at *b)
{
    if (strncmp(a->text, "ipc://", 6) == 0)
        return strcmp(a->text, b->text) == 0;
    return a->port > 0 && a->port == b->port &&
           (is_any(a->host) || is_any(b->host) || view_ieq(a->host, b->host));
}

void config_check_addresses(struct config *cfg)
{
    struct at at[ARRAY_SIZE(listeners)];

    for (size_t i = 0; i < ARRAY_SIZE(listeners); i++) {
        find(cfg, listeners[i].path, &at[i]);
        for (size_t k = 0; k < i; k++) {
            if (!clash(&at[k], &at[i]))
                continue;
            if (strcmp(listeners[i].service, listeners[k].service) == 0)
                config_fault(cfg, listeners[i].path,
                             "%s cannot listen there: it is the address of %s, too",
                             listeners[i].service, listeners[k].path);
            else
                config_note(cfg, listeners[i].path,
                            "is the address of %s, too: only one of %s and %s can listen there, "
                            "unless each has a machine or a container of its own",
                            listeners[k].path, listeners[i].service, listeners[k].service);
        }
    }
}
