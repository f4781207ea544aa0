/* The links to peers, and which IPBXes of the configuration are our own. */
#include <json-c/json.h>

#include "base/clock.h"
#include "internal.h"
#include "msg/msg.h"
#include "json/json.h"

struct json_object *fed_peer_config(const struct config *cfg, const char *name, const char *key)
{
    return json_get(json_get(config_section(cfg, "ipbxes"), name), key);
}

bool fed_ipbx_is_ours(struct json_object *ipbx)
{
    return json_get(ipbx, "ipbx_connection") != NULL;
}

bool fed_is_ours(const struct fed *f, struct view ipbx)
{
    return fed_ipbx_is_ours(json_member(config_section(f->cfg, "ipbxes"), ipbx));
}

void fed_put_sites(struct buf *out, const struct fed *f)
{
    struct buf names;
    size_t n = 0;

    buf_init(&names, 65536);
    json_object_object_foreach(config_section(f->cfg, "ipbxes"), name, ipbx)
    {
        if (!fed_ipbx_is_ours(ipbx))
            continue;
        msg_put_cstr(&names, name);
        n++;
    }
    msg_put_array(out, n);
    buf_append_view(out, buf_view(&names));
    buf_free(&names);
}

const char *fed_own_name(const struct config *cfg)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");

    if (!ipbxes)
        return NULL;
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        if (fed_ipbx_is_ours(ipbx))
            return name;
    }
    return NULL;
}

struct fed_link *fed_link(struct fed *f, struct view name)
{
    for (size_t i = 0; i < f->n_links; i++)
        if (view_eq(view_cstr(f->links[i].name), name))
            return &f->links[i];
    return NULL;
}

void fed_link_set(struct fed_link *l, const char *state)
{
    if (strcmp(l->state, state) == 0)
        return;
    log_notice(l->f->log, "site %s: %s", l->name, state);
    l->state = state;
    l->since = clock_wall();
    if (strcmp(state, "up") != 0)
        l->lag = 0;
    forward_link(l->forward, strcmp(state, "up") == 0);
    metric_set(l->up, strcmp(state, "up") == 0);
}
