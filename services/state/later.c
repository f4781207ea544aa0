/* Requests that are answered later: who asked may be gone by then. */
#include <stdlib.h>

#include "internal.h"

#define MAX_WAITING 20000

struct later {
    struct state *s;
    struct bus_peer *peer; /* NULL: it went away */
    uint64_t id;
    LIST_ENTRY(later) all;
};

struct later *later_new(struct state *s, struct bus_peer *peer, uint64_t id)
{
    struct later *l = s->n_waiting < MAX_WAITING ? calloc(1, sizeof(*l)) : NULL;

    if (!l) {
        state_reply(s, peer, id, BUS_busy);
        return NULL;
    }
    *l = (struct later){.s = s, .peer = peer, .id = id};
    LIST_INSERT_HEAD(&s->waiting, l, all);
    s->n_waiting++;
    return l;
}

void later_reply(struct later **lp, enum bus_status status, struct view body)
{
    struct later *l = *lp;

    *lp = NULL;
    if (l->peer)
        bus_server_reply(l->s->server, l->peer, l->id, status, body);
    LIST_REMOVE(l, all);
    l->s->n_waiting--;
    free(l);
}

void later_peer_gone(struct state *s, struct bus_peer *peer)
{
    struct later *l;

    LIST_FOREACH(l, &s->waiting, all)
    {
        if (!peer || l->peer == peer)
            l->peer = NULL;
    }
}
