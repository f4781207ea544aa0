#include "sheets/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "sheets/reverse.h"
#include "json/json.h"

struct calls {
    struct map *by_key;
    struct map *legs;
    TAILQ_HEAD(, call) all; /* the oldest first */
};

struct calls *calls_new(void)
{
    struct calls *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    TAILQ_INIT(&c->all);
    c->by_key = map_new();
    c->legs = map_new();
    if (!c->by_key || !c->legs)
        calls_destroy(&c);
    return c;
}

void calls_destroy(struct calls **cp)
{
    struct calls *c = *cp;
    struct call *call;

    if (!c)
        return;
    *cp = NULL;
    while ((call = TAILQ_FIRST(&c->all)))
        call_end(c, call);
    map_destroy(&c->by_key);
    map_destroy(&c->legs);
    free(c);
}

/* ---- keys ---- */

/* Names of IPBXes have no slash in them, Uniqueids may. */
struct view site_key(const struct xod_ipbx *ipbx, struct view name, char scratch[SITE_KEY])
{
    int n = name.len ? snprintf(scratch, SITE_KEY, "%.*s/%.*s", VIEW_ARG(xod_ipbx_name(ipbx)),
                                VIEW_ARG(name))
                     : 0;

    return n > 0 && n < SITE_KEY ? view_of(scratch, (size_t)n) : view_of(NULL, 0);
}

/* NULL without memory, or without a name. */
static char *key_of(const struct xod_ipbx *ipbx, struct view uniqueid)
{
    char scratch[SITE_KEY];
    struct view key = site_key(ipbx, uniqueid, scratch);

    return key.len ? view_dup(key) : NULL;
}

static void *find(const struct map *m, const struct xod_ipbx *ipbx, struct view uniqueid)
{
    char scratch[SITE_KEY];

    return map_count(m) ? map_get(m, site_key(ipbx, uniqueid, scratch)) : NULL;
}

/* ---- calls ---- */

struct view call_uniqueid(const struct call *call)
{
    return view_cstr(call->key + xod_ipbx_name(call->ipbx).len + 1);
}

struct call *call_find(const struct calls *c, const struct xod_ipbx *ipbx, struct view uniqueid)
{
    return find(c->by_key, ipbx, uniqueid);
}

static void call_free(struct call *call)
{
    reverse_leave(&call->reverse);
    json_object_put(call->xivo);
    json_object_put(call->dp);
    json_object_put(call->seen);
    json_object_put(call->told);
    free(call->channel);
    free(call->key);
    free(call);
}

static struct call *call_new(const struct xod_obj *channel)
{
    struct call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    LIST_INIT(&call->legs);
    call->ipbx = xod_obj_ipbx(channel);
    call->key = key_of(call->ipbx, xod_get_str(channel, XOD(channels, uniqueid)));
    call->channel = view_dup(xod_obj_id(channel));
    call->xivo = json_object_new_object();
    call->dp = json_object_new_object();
    call->seen = json_object_new_object();
    call->told = json_object_new_object();
    if (call->key && call->channel && call->xivo && call->dp && call->seen && call->told)
        return call;
    call_free(call);
    return NULL;
}

struct call *call_of(struct calls *c, const struct xod_obj *channel)
{
    struct call *call =
        call_find(c, xod_obj_ipbx(channel), xod_get_str(channel, XOD(channels, uniqueid)));

    if (call)
        return call;
    call = call_new(channel);
    if (!call)
        return NULL;
    if (map_count(c->by_key) >= CALLS_MAX)
        call_end(c, TAILQ_FIRST(&c->all));
    if (map_put(c->by_key, view_cstr(call->key), call) < 0) {
        call_free(call);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&c->all, call, all);
    return call;
}

void call_end(struct calls *c, struct call *call)
{
    struct leg *leg;

    while ((leg = LIST_FIRST(&call->legs)))
        leg_end(c, leg);
    map_del(c->by_key, view_cstr(call->key));
    TAILQ_REMOVE(&c->all, call, all);
    call_free(call);
}

void calls_sweep(struct calls *c, const struct xod_ipbx *ipbx)
{
    struct call *call, *next;

    TAILQ_FOREACH_SAFE(call, &c->all, all, next)
    if (call->ipbx == ipbx &&
        !xod_lookup(ipbx, LIST_channels, XOD(channels, uniqueid), call_uniqueid(call), 0))
        call_end(c, call);
}

/* ---- legs ---- */

struct leg *leg_find(const struct calls *c, const struct xod_ipbx *ipbx, struct view uniqueid)
{
    return find(c->legs, ipbx, uniqueid);
}

struct leg *call_leg(struct calls *c, struct call *call, struct view uniqueid,
                     const struct xod_obj *user)
{
    struct leg *leg = leg_find(c, call->ipbx, uniqueid);

    if (leg && leg->call == call)
        return leg;
    if (leg) /* a transfer: it is in another call now */
        leg_end(c, leg);
    leg = call->n_legs < CALL_MAX_LEGS ? calloc(1, sizeof(*leg)) : NULL;
    if (!leg)
        return NULL;
    leg->key = key_of(call->ipbx, uniqueid);
    if (!leg->key || map_put(c->legs, view_cstr(leg->key), leg) < 0) {
        free(leg->key);
        free(leg);
        return NULL;
    }
    leg->call = call;
    if (user)
        snprintf(leg->user_id, sizeof(leg->user_id), "%.*s", VIEW_ARG(xod_obj_id(user)));
    LIST_INSERT_HEAD(&call->legs, leg, of_call);
    call->n_legs++;
    return leg;
}

void leg_end(struct calls *c, struct leg *leg)
{
    map_del(c->legs, view_cstr(leg->key));
    LIST_REMOVE(leg, of_call);
    leg->call->n_legs--;
    free(leg->key);
    free(leg);
}

bool leg_is_last(const struct leg *leg)
{
    const struct leg *other;

    LIST_FOREACH(other, &leg->call->legs, of_call)
    {
        if (other != leg && strcmp(other->user_id, leg->user_id) == 0)
            return false;
    }
    return true;
}

/* ---- what is known ---- */

void call_set(struct json_object *family, struct view name, struct view value)
{
    char *key = name.len && name.len <= 64 && value.len <= CALL_MAX_VALUE ? view_dup(name) : NULL;

    if (!key)
        return;
    if (value.len == 0)
        json_object_object_del(family, key);
    else if (json_object_object_length(family) < CALL_MAX_VARIABLES || json_get(family, key))
        json_object_object_add(family, key, json_object_new_string_len(value.ptr, (int)value.len));
    free(key);
}

bool call_tell_once(struct call *call, const char *what)
{
    return !json_object_object_get_ex(call->told, what, NULL) &&
           json_object_object_length(call->told) < CALL_MAX_TOLD &&
           json_object_object_add(call->told, what, json_object_new_boolean(true)) == 0;
}
