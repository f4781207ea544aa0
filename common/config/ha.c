/* The states of a site that has more than one: ctibus.ha. */
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/internal.h"
#include "json/json.h"

#define PATH_BYTES 256
#define MAX_NAME 63 /* what the database keeps of it */

static struct json_object *peers_of(const struct config *cfg)
{
    struct json_object *peers = config_get(cfg, "ctibus.ha.peers");

    return json_object_is_type(peers, json_type_object) ? peers : NULL;
}

bool config_ha(const struct config *cfg)
{
    struct json_object *peers = peers_of(cfg);

    return peers && json_object_object_length(peers) > 0;
}

const char *config_ha_name(const struct config *cfg, char host[64])
{
    const char *name = config_str(cfg, "ctibus.ha.name");

    *host = '\0';
    gethostname(host, 63);
    host[63] = '\0';
    host[strcspn(host, ".")] = '\0';
    if (!name || !*name)
        name = host;
    return config_ha(cfg) && json_get(peers_of(cfg), name) ? name : NULL;
}

const char *config_ha_peer(const struct config *cfg, size_t n, const char *what)
{
    if (!config_ha(cfg))
        return NULL;
    json_object_object_foreach(peers_of(cfg), name, peer)
    {
        if (n-- == 0)
            return what ? json_object_get_string(json_get(peer, what)) : name;
    }
    return NULL;
}

char *config_bus_endpoints(const struct config *cfg, const char *what)
{
    const char *at;
    char path[64];
    struct buf out;
    char *copy;

    snprintf(path, sizeof(path), "ctibus.bus.%s", what);
    if (!config_ha(cfg))
        return view_dup(view_cstr(config_str(cfg, path)));
    buf_init(&out, 0);
    for (size_t n = 0; (at = config_ha_peer(cfg, n, what)); n++)
        buf_printf(&out, "%s%s", n ? " " : "", at);
    copy = out.failed ? NULL : view_dup(buf_view(&out));
    buf_free(&out);
    return copy;
}

const char *config_bus_bind(const struct config *cfg, const char *what)
{
    const char *name;
    char path[64], host[64];

    snprintf(path, sizeof(path), "ctibus.bus.%s", what);
    name = config_get(cfg, path) ? NULL : config_ha_name(cfg, host);
    return name ? json_object_get_string(json_get(json_get(peers_of(cfg), name), what))
                : config_str(cfg, path);
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= MAX_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == n;
}

void config_check_ha(struct config *cfg)
{
    static const char *const needed[] = {"publish", "subscribe", "request", NULL};
    struct json_object *peers = config_get(cfg, "ctibus.ha.peers");
    char path[PATH_BYTES];
    int n;

    if (!json_object_is_type(peers, json_type_object))
        return;
    n = json_object_object_length(peers);
    if (n == 1 || n > CONFIG_HA_PEERS)
        config_fault(cfg, "ctibus.ha.peers", "names %d states: 2 to %d are possible", n,
                     CONFIG_HA_PEERS);
    json_object_object_foreach(peers, name, peer)
    {
        snprintf(path, sizeof(path), "ctibus.ha.peers.%s", name);
        if (!is_name(name))
            config_fault(cfg, path, "is no name: letters, digits, - and _, at most %d", MAX_NAME);
        for (size_t i = 0; json_object_is_type(peer, json_type_object) && needed[i]; i++)
            if (!json_get(peer, needed[i])) {
                snprintf(path, sizeof(path), "ctibus.ha.peers.%s.%s", name, needed[i]);
                config_fault(cfg, path, "is missing");
            }
    }
}
