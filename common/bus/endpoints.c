/* The endpoints of a bus that more than one state may serve, and the sockets that follow the one
 * that does. */
#include <errno.h>
#include <stdlib.h>

#include "bus/internal.h"

int endpoints_read(struct endpoints *e, const char *text)
{
    struct view rest = view_cstr(text);

    *e = (struct endpoints){.n = 0};
    while (rest.len) {
        struct view one = view_cut(&rest, ' ');
        if (one.len == 0)
            continue;
        if (e->n == BUS_ENDPOINTS) {
            endpoints_free(e);
            return -ENOBUFS;
        }
        e->at[e->n] = view_dup(one);
        if (!e->at[e->n]) {
            endpoints_free(e);
            return -ENOMEM;
        }
        e->n++;
    }
    return e->n ? 0 : -EINVAL;
}

void endpoints_free(struct endpoints *e)
{
    while (e->n > 0)
        free(e->at[--e->n]);
}

/* Of several endpoints most lead nowhere at most times: nothing is queued for a connection that is
 * not there, so that nothing old comes out of it later. */
void bus_set_immediate(void *socket)
{
    int on = 1;

    zmq_setsockopt(socket, ZMQ_IMMEDIATE, &on, sizeof(on));
}

/* Is this one of its endpoints left out, since another one is followed? */
static bool is_left(const struct bus *b, const struct route *r, size_t i)
{
    return b->active > 0 && b->active <= r->to.n && i != b->active - 1;
}

int route_open(struct bus *b, struct route *r, void *socket, const char *endpoint)
{
    int rc = endpoints_read(&r->to, endpoint);

    r->socket = socket;
    if (rc < 0)
        return rc;
    if (r->to.n > 1)
        bus_set_immediate(socket);
    for (size_t i = 0; rc == 0 && i < r->to.n; i++) {
        if (is_left(b, r, i))
            continue;
        rc = bus_connect(socket, r->to.at[i]);
        r->connected[i] = rc == 0;
    }
    if (rc == 0) {
        LIST_INSERT_HEAD(&b->routes, r, link);
        r->listed = true;
    } else {
        endpoints_free(&r->to);
    }
    return rc;
}

void route_close(struct route *r)
{
    if (r->listed)
        LIST_REMOVE(r, link);
    r->listed = false;
    endpoints_free(&r->to);
}

/* The connections that are there and should not be, or the other way round. */
static bool is_as_wanted(const struct route *r, size_t which)
{
    for (size_t i = 0; i < r->to.n; i++)
        if (r->connected[i] != (i == which))
            return false;
    return true;
}

static void follow(struct route *r, size_t which)
{
    if (r->reopen && !r->reopen(r, r->to.at[which]))
        return;
    for (size_t i = 0; i < r->to.n; i++) {
        bool wanted = i == which;
        if (r->reopen)
            r->connected[i] = wanted;
        else if (wanted && !r->connected[i])
            r->connected[i] = bus_connect(r->socket, r->to.at[i]) == 0;
        else if (!wanted && r->connected[i])
            r->connected[i] = zmq_disconnect(r->socket, r->to.at[i]) < 0;
    }
}

void bus_follow(struct bus *b, size_t which)
{
    struct route *r;

    b->active = which + 1;
    LIST_FOREACH(r, &b->routes, link)
    if (which < r->to.n && !is_as_wanted(r, which))
        follow(r, which);
}
