#include "ipbxes.h"

#include <errno.h>
#include <stdlib.h>

#include "net/hosts.h"
#include "json/json.h"

struct ipbxes {
    struct hosts *hosts; /* number n is that of IPBX n */
    struct ipbx list[HOSTS_MAX];
    size_t n;
    struct netlist others; /* who may ask beside them */
};

struct ipbxes *ipbxes_new(struct loop *loop, struct log *log)
{
    struct ipbxes *s = calloc(1, sizeof(*s));

    if (s)
        s->hosts = hosts_new(loop, log);
    if (s && s->hosts)
        return s;
    free(s);
    return NULL;
}

static void clear(struct ipbxes *s)
{
    netlist_clear(&s->others);
    hosts_clear(s->hosts);
    while (s->n > 0)
        free(s->list[--s->n].name);
}

void ipbxes_destroy(struct ipbxes **sp)
{
    struct ipbxes *s = sp ? *sp : NULL;

    if (!s)
        return;
    *sp = NULL;
    clear(s);
    hosts_destroy(&s->hosts);
    free(s);
}

static int add(struct ipbxes *s, const char *name, struct json_object *connection)
{
    struct view host = json_get_view(connection, "ipaddress");
    struct ipbx *ipbx = &s->list[s->n];

    if (s->n == HOSTS_MAX || hosts_add(s->hosts, host.len ? host.ptr : "") < 0)
        return -ENOMEM;
    ipbx->name = view_dup(view_cstr(name));
    ipbx->charset = view_ieq(json_get_view(connection, "charset"), VIEW("latin1"))
                        ? AMI_CHARSET_LATIN1
                        : AMI_CHARSET_UTF8;
    s->n++;
    return ipbx->name ? 0 : -ENOMEM;
}

int ipbxes_load(struct ipbxes *s, const struct config *cfg)
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

bool ipbxes_let_in(struct ipbxes *s, const struct sockaddr *peer)
{
    struct netaddr address;

    return (netaddr_of(peer, &address, NULL) == 0 && netlist_has(&s->others, &address)) ||
           hosts_find(s->hosts, peer) >= 0;
}

static const struct ipbx *named(const struct ipbxes *s, struct view *script)
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

const struct ipbx *ipbxes_find(struct ipbxes *s, const struct sockaddr *peer, struct view *script)
{
    const struct ipbx *ipbx = named(s, script);
    int n;

    if (ipbx)
        return ipbx;
    if (s->n == 1)
        return &s->list[0];
    n = hosts_find(s->hosts, peer);
    return n >= 0 ? &s->list[n] : NULL;
}
