#include "net/hosts.h"

#include <errno.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/netaddr.h"

#define ADDRESSES_MAX 16 /* of one host */
/* An address that is nobody's may be the new one of a host; so often are the names looked up. */
#define AGAIN_US 5000000u

struct host {
    struct hosts *of;
    char *name;
    struct netaddr addresses[ADDRESSES_MAX];
    size_t n;
    bool asked; /* it is being looked up */
    LIST_ENTRY(host) forgotten;
};

struct hosts {
    struct loop *loop;
    struct log *log;
    struct evdns_base *dns; /* NULL: there is no resolver, only addresses are known */
    struct host *list[HOSTS_MAX];
    size_t n;
    LIST_HEAD(, host) forgotten; /* whose answers are still to come */
    uint64_t looked_up;          /* monotonic us, when last */
};

static void host_free(struct host *host)
{
    free(host->name);
    free(host);
}

static bool is_known(const struct host *host)
{
    for (size_t i = 0; i < host->of->n; i++)
        if (host->of->list[i] == host)
            return true;
    return false;
}

static void on_addresses(int result, struct evutil_addrinfo *list, void *arg)
{
    struct host *host = arg;

    host->asked = false;
    if (!is_known(host)) {
        LIST_REMOVE(host, forgotten);
        host_free(host);
    } else if (result == 0) {
        host->n = 0;
        for (struct evutil_addrinfo *a = list; a && host->n < ADDRESSES_MAX; a = a->ai_next)
            if (netaddr_of(a->ai_addr, &host->addresses[host->n], NULL) == 0)
                host->n++;
    } else { /* what was known of it stays */
        log_warning(host->of->log, "cannot look up %s: %s", host->name,
                    evutil_gai_strerror(result));
    }
    if (list)
        evutil_freeaddrinfo(list);
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
    struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

    if (host->asked || read_address(host) || !host->of->dns)
        return;
    host->asked = true; /* first: it may be answered from within the call */
    evdns_getaddrinfo(host->of->dns, host->name, NULL, &hints, on_addresses, host);
}

struct hosts *hosts_new(struct loop *loop, struct log *log)
{
    struct hosts *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    h->loop = loop;
    h->log = log;
    LIST_INIT(&h->forgotten);
    h->dns = evdns_base_new(loop_base(loop),
                            EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    return h;
}

void hosts_clear(struct hosts *h)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->list[i]->asked)
            LIST_INSERT_HEAD(&h->forgotten, h->list[i], forgotten);
        else
            host_free(h->list[i]);
    }
    h->n = 0;
}

void hosts_destroy(struct hosts **hp)
{
    struct hosts *h = hp ? *hp : NULL;
    struct host *host;

    if (!h)
        return;
    *hp = NULL;
    hosts_clear(h);
    if (h->dns)
        evdns_base_free(h->dns, 0);
    while ((host = LIST_FIRST(&h->forgotten))) {
        LIST_REMOVE(host, forgotten);
        host_free(host);
    }
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
    uint64_t now = clock_mono_us();

    if (found >= 0 || now - h->looked_up < AGAIN_US)
        return found;
    h->looked_up = now;
    for (size_t i = 0; i < h->n; i++)
        look_up(h->list[i]);
    return -ENOENT;
}
