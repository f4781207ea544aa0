#include "sites.h"

#include <errno.h>
#include <stdlib.h>

#include "net/hosts.h"
#include "json/json.h"

struct sites {
    struct hosts *hosts; /* number n is that of site n */
    struct site list[HOSTS_MAX];
    size_t n;
    struct netlist others; /* who may ask beside them */
};

struct sites *sites_new(struct loop *loop, struct log *log)
{
    struct sites *s = calloc(1, sizeof(*s));

    if (s)
        s->hosts = hosts_new(loop, log);
    if (s && s->hosts)
        return s;
    free(s);
    return NULL;
}

static void clear(struct sites *s)
{
    netlist_clear(&s->others);
    hosts_clear(s->hosts);
    while (s->n > 0)
        free(s->list[--s->n].name);
}

void sites_destroy(struct sites **sp)
{
    struct sites *s = sp ? *sp : NULL;

    if (!s)
        return;
    *sp = NULL;
    clear(s);
    hosts_destroy(&s->hosts);
    free(s);
}

static int add(struct sites *s, const char *name, struct json_object *connection)
{
    struct view host = json_get_view(connection, "ipaddress");
    struct site *site = &s->list[s->n];

    if (s->n == HOSTS_MAX || hosts_add(s->hosts, host.len ? host.ptr : "") < 0)
        return -ENOMEM;
    site->name = view_dup(view_cstr(name));
    site->charset = view_ieq(json_get_view(connection, "charset"), VIEW("latin1"))
                        ? AMI_CHARSET_LATIN1
                        : AMI_CHARSET_UTF8;
    s->n++;
    return site->name ? 0 : -ENOMEM;
}

int sites_load(struct sites *s, const struct config *cfg)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");
    int rc;

    clear(s);
    rc = config_networks(cfg, "ctibus.access.fagi", &s->others);
    if (!ipbxes)
        return rc;
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        struct json_object *connection = json_get(ipbx, "ipbx_connection");
        if (connection && rc == 0)
            rc = add(s, name, connection);
    }
    return rc;
}

bool sites_let_in(struct sites *s, const struct sockaddr *peer)
{
    struct netaddr address;

    return (netaddr_of(peer, &address, NULL) == 0 && netlist_has(&s->others, &address)) ||
           hosts_find(s->hosts, peer) >= 0;
}

static const struct site *named(const struct sites *s, struct view *script)
{
    struct view rest = *script;
    struct view name = view_cut(&rest, '/');

    if (name.len == script->len)
        return NULL;
    for (size_t i = 0; i < s->n; i++)
        if (view_eq(view_cstr(s->list[i].name), name)) {
            *script = rest;
            return &s->list[i];
        }
    return NULL;
}

const struct site *sites_find(struct sites *s, const struct sockaddr *peer, struct view *script)
{
    const struct site *site = named(s, script);
    int n;

    if (site)
        return site;
    if (s->n == 1)
        return &s->list[0];
    n = hosts_find(s->hosts, peer);
    return n >= 0 ? &s->list[n] : NULL;
}
