#include "console/announce/announce.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/resync.h"
#include "net/conn.h"
#include "net/hosts.h"
#include "json/json.h"

#define KEY "main.incoming_udp.ANNOUNCE"
#define READS_PER_TURN 64
#define BETWEEN_US 1000000u /* one that says it more often is heard once in that time */
#define MAX_DATAGRAM 64     /* what is behind that is of no interest */

struct announce {
    struct state *state;
    int fd;
    struct loop_fd *readable;
    struct hosts *hosts;          /* number n is where IPBX n is */
    uint64_t last_rx[MAX_IPBXES]; /* when it last announced itself; monotonic us, 0: never */
    struct metric *taken, *ignored;
};

/* ---- where they are ---- */

static struct view address_of(const struct announce *a, const struct ipbx *ipbx)
{
    struct json_object *section =
        json_member(config_section(a->state->cfg, "ipbxes"), xod_ipbx_name(ipbx->model->ipbx));

    return json_get_view(json_get(section, "ipbx_connection"), "ipaddress");
}

static int find_hosts(struct announce *a)
{
    int rc = 0;

    hosts_clear(a->hosts);
    for (size_t i = 0; rc == 0 && i < a->state->n_ipbxes; i++) {
        struct view host = address_of(a, &a->state->ipbxes[i]); /* none: it is no more */
        rc = hosts_add(a->hosts, host.len ? host.ptr : "0.0.0.0");
    }
    return rc;
}

void announce_reload(struct announce *a)
{
    if (find_hosts(a) < 0)
        log_error(a->state->log, "ANNOUNCE: out of memory: not every Asterisk is heard");
}

/* ---- datagrams ---- */

static void hurry(struct announce *a, size_t n)
{
    struct ipbx *ipbx = &a->state->ipbxes[n];
    struct view name = xod_ipbx_name(ipbx->model->ipbx);
    uint64_t now = clock_mono_us();

    if (a->last_rx[n] && now - a->last_rx[n] < BETWEEN_US)
        return;
    a->last_rx[n] = now;
    if (resync_reconnect(a->state, ipbx) < 0)
        log_notice(a->state->log, "ANNOUNCE: %.*s is there, but no ami-gw of it", VIEW_ARG(name));
    else
        log_info(a->state->log, "ANNOUNCE: %.*s is there", VIEW_ARG(name));
}

static void on_datagram(struct announce *a, struct view text, const struct sockaddr *from)
{
    if (!view_starts(text, VIEW("asterisk")) || hosts_find(a->hosts, from) < 0) {
        metric_add(a->ignored, 1);
        return;
    }
    metric_add(a->taken, 1);
    for (size_t i = 0; i < a->state->n_ipbxes; i++)
        if (hosts_has(a->hosts, i, from))
            hurry(a, i);
}

static void on_readable(void *arg)
{
    struct announce *a = arg;
    char text[MAX_DATAGRAM];

    for (int i = 0; i < READS_PER_TURN; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof(from);
        ssize_t n = recvfrom(a->fd, text, sizeof(text), 0, (struct sockaddr *)&from, &len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) /* EAGAIN; others are of a peer, and say nothing about the next datagram */
            return;
        on_datagram(a, view_of(text, (size_t)n), (struct sockaddr *)&from);
    }
}

/* ---- lifecycle ---- */

static int open_socket(struct announce *a, const char *at)
{
    struct metrics *m = a->state->metrics;

    a->taken = metrics_add(m, METRIC_state_announced, NULL);
    a->ignored = metrics_add(m, METRIC_state_announced_ignored, NULL);
    a->hosts = hosts_new(a->state->loop, a->state->log);
    if (!a->taken || !a->ignored || !a->hosts)
        return -ENOMEM;
    a->fd = net_bind(view_cstr(at), SOCK_DGRAM);
    if (a->fd < 0)
        return a->fd;
    a->readable = loop_fd_new(a->state->loop, a->fd, on_readable, a);
    return a->readable ? find_hosts(a) : -ENOMEM;
}

struct announce *announce_new(struct state *s, int *err)
{
    struct announce *a;
    char at[256];

    *err = 0;
    if (!config_listen(s->cfg, KEY, at, sizeof(at)))
        return NULL;
    a = calloc(1, sizeof(*a));
    *err = -ENOMEM;
    if (!a)
        return NULL;
    a->state = s;
    a->fd = -1;
    *err = open_socket(a, at);
    if (*err < 0) {
        log_error(s->log, "cannot listen at %s for ANNOUNCE (" KEY "): %s", at, strerror(-*err));
        announce_destroy(&a);
        return NULL;
    }
    return a;
}

void announce_destroy(struct announce **ap)
{
    struct announce *a = ap ? *ap : NULL;

    if (!a)
        return;
    *ap = NULL;
    loop_fd_destroy(&a->readable);
    hosts_destroy(&a->hosts);
    if (a->fd >= 0)
        close(a->fd);
    if (a->taken)
        metrics_remove(a->state->metrics, &a->taken);
    if (a->ignored)
        metrics_remove(a->state->metrics, &a->ignored);
    free(a);
}

uint16_t announce_port(const struct announce *a)
{
    return net_port(a->fd);
}
