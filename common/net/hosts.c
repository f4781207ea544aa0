#include "net/hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/netaddr.h"
#include "net/lookup.h"

/* An unknown address may be the new one of a host; the names are looked up at most so often. */
#define AGAIN_US 5000000u

struct host {
    struct hosts *of;
    char *name;
    struct netaddr addresses[LOOKUP_MAX];
    size_t n;
    struct lookup *lookup; /* while it is being looked up */
};

struct hosts {
    struct loop *loop;
    struct log *log;
    struct host *list[HOSTS_MAX];
    size_t n;
    uint64_t looked_up; /* monotonic us, when last */
};

static void host_free(struct host *host)
{
    lookup_cancel(&host->lookup);
    free(host->name);
    free(host);
}

static void on_addresses(void *arg, const struct sockaddr_storage *list, size_t n, const char *why)
{
    struct host *host = arg;

    host->lookup = NULL; /* it frees itself */
    if (n == 0) {        /* what was known of it stays */
        log_warning(host->of->log, "cannot look up %s: %s", host->name, why);
        return;
    }
    host->n = 0;
    for (size_t i = 0; i < n; i++)
        if (netaddr_of((const struct sockaddr *)&list[i], &host->addresses[host->n], NULL) == 0)
            host->n++;
}

/* An address needs no looking up. */
static bool read_address(struct host *host)
{
    if (netaddr_parse(view_cstr(host->name), &host->addresses[0]) < 0)
        return false;
    host->n = 1;
    return true;
}

static void look_up(struct host *host)
{
    if (!host->lookup && !read_address(host))
        host->lookup = lookup_start(host->of->loop, host->name, on_addresses, host);
}

struct hosts *hosts_new(struct loop *loop, struct log *log)
{
    struct hosts *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    h->loop = loop;
    h->log = log;
    return h;
}

void hosts_clear(struct hosts *h)
{
    for (size_t i = 0; i < h->n; i++)
        host_free(h->list[i]);
    h->n = 0;
}

void hosts_destroy(struct hosts **hp)
{
    struct hosts *h = hp ? *hp : NULL;

    if (!h)
        return;
    *hp = NULL;
    hosts_clear(h);
    free(h);
}

int hosts_add(struct hosts *h, const char *name)
{
    struct host *host;

    if (h->n == HOSTS_MAX)
        return -ENOBUFS;
    host = calloc(1, sizeof(*host));
    if (host)
        host->name = strdup(name);
    if (!host || !host->name) {
        free(host);
        return -ENOMEM;
    }
    host->of = h;
    h->list[h->n++] = host;
    h->looked_up = clock_mono_us();
    look_up(host);
    return 0;
}

static bool has(const struct host *host, const struct netaddr *address)
{
    for (size_t i = 0; i < host->n; i++)
        if (netaddr_eq(&host->addresses[i], address))
            return true;
    return false;
}

bool hosts_has(const struct hosts *h, size_t n, const struct sockaddr *peer)
{
    struct netaddr address;

    return n < h->n && netaddr_of(peer, &address, NULL) == 0 && has(h->list[n], &address);
}

static int find(const struct hosts *h, const struct netaddr *address)
{
    for (size_t i = 0; i < h->n; i++)
        if (has(h->list[i], address))
            return (int)i;
    return -ENOENT;
}

int hosts_find(struct hosts *h, const struct sockaddr *peer)
{
    struct netaddr address;
    int found = netaddr_of(peer, &address, NULL) == 0 ? find(h, &address) : -ENOENT;

    if (found >= 0 || !clock_once_in(&h->looked_up, AGAIN_US))
        return found;
    for (size_t i = 0; i < h->n; i++)
        look_up(h->list[i]);
    return -ENOENT;
}
