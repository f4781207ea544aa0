/*
 * libzmq accepts connections by itself, as many as there are descriptors: enough of them would
 * leave none for health checks, the database and the other services. So each bound socket is
 * monitored, and a connection that got one of the last descriptors is shut down; libzmq then closes
 * it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/descriptors.h"
#include "base/netaddr.h"
#include "base/rng.h"
#include "bus/internal.h"

struct accepted {
    struct bus *bus;
    void *events; /* what libzmq tells of the socket */
    struct zpoll *poll;
    char *endpoint;
    uint16_t port;
    struct loop_lack lack; /* of descriptors */
    LIST_ENTRY(accepted) link;
};

uint16_t socket_port(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);
    struct netaddr address;
    uint16_t port;

    if (getsockname(fd, (struct sockaddr *)&at, &len) < 0 ||
        netaddr_of((struct sockaddr *)&at, &address, &port) < 0)
        return 0;
    return port;
}

/* This comes after the fact: by now the number may be that of another socket. One with the port of
 * this endpoint is a connection to it that has one of the last descriptors, too. */
static void on_accepted(struct accepted *a, int fd)
{
    if (fd < descriptors_first_kept(false) || socket_port(fd) != a->port)
        return;
    if (shutdown(fd, SHUT_RDWR) < 0)
        return;
    loop_lack_closed(a->bus->loop, &a->lack);
    loop_lack_tell(a->bus->loop, &a->lack, a->endpoint);
}

/* What libzmq tells: the number of the event in 16 bits and its value in 32, as the machine has
 * them; then the address in a frame of its own (zmq_socket_monitor(3)). */
static bool step(void *arg)
{
    struct accepted *a = arg;
    struct frames f;
    struct view head;
    uint16_t event = 0;
    int32_t value = 0;

    if (!frames_recv(a->events, &f))
        return false;
    head = f.n > 0 ? frame_view(&f, 0) : view_of(NULL, 0);
    if (head.len == sizeof(event) + sizeof(value)) {
        memcpy(&event, head.ptr, sizeof(event));
        memcpy(&value, head.ptr + sizeof(event), sizeof(value));
    }
    frames_close(&f);
    if (event == ZMQ_EVENT_MONITOR_STOPPED) {
        accepted_destroy(&a);
        return false;
    }
    if (event == ZMQ_EVENT_ACCEPTED)
        on_accepted(a, value);
    return true;
}

uint16_t endpoint_port(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');

    return colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

/* The name is new each time: libzmq lets go of one some time after its socket was closed.
 * Nothing of what libzmq tells may wait for a place in the queue: its thread would wait, too. */
static int open_events(struct accepted *a, void *socket)
{
    char at[64];
    int all = 0;

    snprintf(at, sizeof(at), "inproc://accepted-%llx", (unsigned long long)rng_u64());
    if (zmq_socket_monitor(socket, at, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_MONITOR_STOPPED) < 0)
        return -zmq_errno();
    a->events = zmq_socket(a->bus->zmq, ZMQ_PAIR);
    if (!a->events || zmq_setsockopt(a->events, ZMQ_RCVHWM, &all, sizeof(all)) < 0 ||
        zmq_connect(a->events, at) < 0)
        return -zmq_errno();
    a->poll = zpoll_new(a->bus, a->events, step, a);
    return a->poll ? 0 : -ENOMEM;
}

int accepted_watch(struct bus *b, void *socket, const char *endpoint)
{
    struct accepted *a;
    int rc;

    if (!view_starts(view_cstr(endpoint), VIEW("tcp://")))
        return 0;
    a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->bus = b;
    LIST_INSERT_HEAD(&b->accepted, a, link);
    a->port = endpoint_port(endpoint);
    a->endpoint = view_dup(view_cstr(endpoint));
    rc = a->endpoint ? open_events(a, socket) : -ENOMEM;
    if (rc < 0) {
        zmq_socket_monitor(socket, NULL, 0);
        accepted_destroy(&a);
    }
    return rc;
}

void accepted_destroy(struct accepted **ap)
{
    struct accepted *a = ap ? *ap : NULL;

    if (!a)
        return;
    *ap = NULL;
    LIST_REMOVE(a, link);
    zpoll_destroy(&a->poll);
    if (a->events)
        zmq_close(a->events);
    free(a->endpoint);
    free(a);
}
