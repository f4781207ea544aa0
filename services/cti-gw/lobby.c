/*
 * Connections that have not completed a login. Their places are few, and nobody has said who they
 * are: so one address has but a share of them, and when there is none left, the one that has been
 * silent for longest goes in favour of the next. Who logs in says something at once.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "internal.h"

#define TELL_US 10000000u /* at most one line of the log in this time */
/* A client completes its login in less. A connection that has begun one and is older is closed for
 * the next from the same address: behind a NAT that may be another person. */
#define BEGUN_US 1000000u

TAILQ_HEAD(arrivals, client); /* in the order in which they came */

/* Those of one address. */
struct origin {
    uint64_t key;
    size_t n;
    struct arrivals silent, begun; /* nothing has come from them yet; something has */
};

struct lobby {
    struct gateway *g;
    struct map *origins;
    size_t n;
    struct arrivals silent, begun;
    uint64_t told; /* when, and how many since (monotonic us) */
    size_t untold;
};

struct lobby *lobby_new(struct gateway *g)
{
    struct lobby *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->g = g;
    TAILQ_INIT(&l->silent);
    TAILQ_INIT(&l->begun);
    l->origins = map_new();
    if (!l->origins)
        lobby_destroy(&l);
    return l;
}

void lobby_destroy(struct lobby **l)
{
    if (!*l)
        return;
    map_destroy(&(*l)->origins);
    free(*l);
    *l = NULL;
}

size_t lobby_count(const struct lobby *l)
{
    return l->n;
}

/* ---- who is there ---- */

static struct origin *origin_of(struct lobby *l, uint64_t address)
{
    struct origin *o = map_get(l->origins, view_of(&address, sizeof(address)));

    if (o)
        return o;
    o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    o->key = address;
    TAILQ_INIT(&o->silent);
    TAILQ_INIT(&o->begun);
    if (map_put(l->origins, view_of(&o->key, sizeof(o->key)), o) == 0)
        return o;
    free(o);
    return NULL;
}

int lobby_enter(struct lobby *l, struct client *c)
{
    struct origin *o = origin_of(l, c->address);

    if (!o)
        return -ENOMEM;
    c->origin = o;
    c->silent = true;
    TAILQ_INSERT_TAIL(&l->silent, c, of_lobby);
    TAILQ_INSERT_TAIL(&o->silent, c, of_origin);
    o->n++;
    l->n++;
    return 0;
}

static void take_out(struct lobby *l, struct client *c)
{
    struct origin *o = c->origin;

    TAILQ_REMOVE(c->silent ? &l->silent : &l->begun, c, of_lobby);
    TAILQ_REMOVE(c->silent ? &o->silent : &o->begun, c, of_origin);
}

void lobby_heard(struct lobby *l, struct client *c)
{
    if (!c->origin || !c->silent)
        return;
    take_out(l, c);
    c->silent = false;
    TAILQ_INSERT_TAIL(&l->begun, c, of_lobby);
    TAILQ_INSERT_TAIL(&c->origin->begun, c, of_origin);
}

void lobby_leave(struct lobby *l, struct client *c)
{
    struct origin *o = c->origin;

    if (!o)
        return;
    take_out(l, c);
    c->origin = NULL;
    l->n--;
    if (--o->n > 0)
        return;
    map_del(l->origins, view_of(&o->key, sizeof(o->key)));
    free(o);
}

/* ---- making room ---- */

void lobby_turned_away(struct lobby *l, const char *who)
{
    metric_add(l->g->crowded, 1);
    l->untold++;
    if (!clock_once_in(&l->told, TELL_US))
        return;
    log_warning(l->g->log,
                "connection from %s closed: too many are there that have not logged in "
                "(%zu closed for that since the last such line)",
                who, l->untold);
    l->untold = 0;
}

/* The first that brings no fax. */
static struct client *first(const struct arrivals *list)
{
    struct client *c;

    TAILQ_FOREACH(c, list, of_lobby)
    if (!c->fax)
        return c;
    return NULL;
}

/* The first of one address that has had time enough to log in and brings no fax. */
static struct client *stale(const struct arrivals *begun)
{
    uint64_t now = clock_mono_us();
    struct client *c;

    TAILQ_FOREACH(c, begun, of_origin)
    if (now - c->since < BEGUN_US)
        break;
    else if (!c->fax)
        return c;
    return NULL;
}

static void send_away(struct lobby *l, struct client *c)
{
    char who[64];

    lobby_turned_away(l, client_address(c, who));
    client_destroy(c);
}

static size_t places(const struct gateway *g)
{
    size_t all = g->opt.max_clients + BEYOND_LIMIT;
    size_t left = all > g->n_live ? all - g->n_live : 0;

    return left < g->opt.max_logins ? left : g->opt.max_logins;
}

bool lobby_make_room(struct lobby *l, uint64_t address, size_t coming)
{
    struct origin *o = map_get(l->origins, view_of(&address, sizeof(address)));
    struct client *c;

    /* within its share an address is not to push out those who are about to log in from there */
    if (o && o->n >= l->g->opt.max_logins_per_address) {
        c = TAILQ_FIRST(&o->silent);
        if (!c)
            c = stale(&o->begun);
        if (!c)
            return false;
        send_away(l, c);
    }
    if (l->n + coming < places(l->g))
        return true;
    c = first(&l->silent);
    if (!c)
        c = first(&l->begun);
    if (c)
        send_away(l, c);
    return c != NULL;
}
