/*
 * libevent answers each question once, even after it was withdrawn, and until then needs its
 * resolver. So a resolver belongs to one lookup, and both live on until the last answer: a lookup
 * that is done or cancelled has no `fn` any more. One of its own also means that resolv.conf is
 * read anew each time.
 */
#include "net/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/netaddr.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define LINE_MAX_BYTES 4096
#define HOSTS_LINES 100000
/* The other family may still answer when one has. */
#define OTHER_MS 500

struct lookup {
    struct loop *loop;
    char *name;
    lookup_fn *fn; /* NULL: it was called, or the caller has cancelled */
    void *arg;
    struct loop_task *done;
    struct loop_timer *limit;
    struct evdns_base *dns;
    struct evdns_request *asked[2]; /* A and AAAA; NULL: answered */
    int errors[2];                  /* DNS_ERR_... of those that are answered */
    struct sockaddr_storage list[LOOKUP_MAX];
    size_t n;
    char why[128];
};

static void lookup_free(struct lookup *l)
{
    if (l->dns)
        evdns_base_free(l->dns, 0);
    loop_task_destroy(&l->done);
    loop_timer_destroy(&l->limit);
    free(l->name);
    free(l);
}

/* ---- addresses ---- */

static void add(struct lookup *l, int family, const void *address)
{
    struct sockaddr_storage *at = &l->list[l->n];
    struct sockaddr_in *v4 = (struct sockaddr_in *)at;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)at;

    if (l->n == LOOKUP_MAX)
        return;
    *at = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
    if (family == AF_INET)
        memcpy(&v4->sin_addr, address, sizeof(v4->sin_addr));
    else
        memcpy(&v6->sin6_addr, address, sizeof(v6->sin6_addr));
    l->n++;
}

/* "192.0.2.1" or "2001:db8::1", with or without brackets. */
static bool add_text(struct lookup *l, const char *text)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct netaddr a;

    if (netaddr_parse(view_cstr(text), &a) < 0)
        return false;
    if (memcmp(a.byte, mapped, sizeof(mapped)) == 0)
        add(l, AF_INET, a.byte + sizeof(mapped));
    else
        add(l, AF_INET6, a.byte);
    return true;
}

static bool names_it(const struct lookup *l, char *names)
{
    char *rest;

    for (char *name = strtok_r(names, " \t\r\n", &rest); name;
         name = strtok_r(NULL, " \t\r\n", &rest))
        if (strcasecmp(name, l->name) == 0)
            return true;
    return false;
}

/* "ADDRESS NAME..." a line; what is behind # is a comment. */
static void read_hosts(struct lookup *l, const char *path)
{
    char line[LINE_MAX_BYTES];
    FILE *f = fopen(path, "re");

    for (int i = 0; f && i < HOSTS_LINES && fgets(line, sizeof(line), f); i++) {
        char *names;
        line[strcspn(line, "#")] = '\0';
        names = line + strcspn(line, " \t");
        if (*names)
            *names++ = '\0';
        if (names_it(l, names))
            add_text(l, line);
    }
    if (f)
        fclose(f);
}

static bool is_localhost(const char *name)
{
    size_t n = strlen(name);

    return strcasecmp(name, "localhost") == 0 ||
           (n > 10 && strcasecmp(name + n - 10, ".localhost") == 0);
}

/* True when there is nothing to ask. */
static bool known(struct lookup *l)
{
    const struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};

    if (add_text(l, l->name))
        return true;
    read_hosts(l, loop_hosts_file(l->loop));
    if (l->n == 0 && is_localhost(l->name)) {
        add(l, AF_INET, &loopback);
        add(l, AF_INET6, &in6addr_loopback);
    }
    return l->n > 0;
}

/* ---- DNS ---- */

static const char *reason(struct lookup *l)
{
    int e = l->errors[0] == DNS_ERR_NOTEXIST || l->errors[0] == DNS_ERR_NODATA ? l->errors[1]
                                                                               : l->errors[0];
    if (e == DNS_ERR_TIMEOUT && !l->asked[0] &&
        !l->asked[1]) /* before our limit: they were errors */
        snprintf(l->why, sizeof(l->why), "DNS fails: its servers answer with an error");
    else if (l->asked[0] || l->asked[1])
        snprintf(l->why, sizeof(l->why), "no answer from DNS within %d s", LOOKUP_MS / 1000);
    else if (e == DNS_ERR_NOTEXIST || e == DNS_ERR_NODATA || e == DNS_ERR_NONE)
        snprintf(l->why, sizeof(l->why),
                 "no such name: neither DNS nor /etc/hosts has its address");
    else
        snprintf(l->why, sizeof(l->why), "DNS fails: %s", evdns_err_to_string(e));
    return l->why;
}

/* Frees it, or leaves it to the last answer. */
static void leave(struct lookup *l)
{
    l->fn = NULL;
    loop_timer_stop(l->limit);
    loop_task_destroy(&l->done);
    if (!l->asked[0] && !l->asked[1])
        lookup_free(l);
    else
        for (int i = 0; i < 2; i++)
            if (l->asked[i])
                evdns_cancel_request(l->dns, l->asked[i]);
}

static int by_family(const void *a, const void *b)
{
    const struct sockaddr_storage *x = a, *y = b;

    return (x->ss_family == AF_INET6) - (y->ss_family == AF_INET6);
}

static void tell(void *arg)
{
    struct lookup *l = arg;
    lookup_fn *fn = l->fn;

    l->fn = NULL;
    qsort(l->list, l->n, sizeof(l->list[0]), by_family);
    fn(l->arg, l->list, l->n, l->n ? NULL : *l->why ? l->why : reason(l));
    leave(l);
}

static void on_answer(struct lookup *l, int which, int result, int count, const void *addresses)
{
    const int family = which ? AF_INET6 : AF_INET;
    const size_t size = which ? sizeof(struct in6_addr) : sizeof(struct in_addr);

    l->asked[which] = NULL;
    l->errors[which] = result;
    for (int i = 0; result == DNS_ERR_NONE && l->fn && i < count; i++)
        add(l, family, (const char *)addresses + (size_t)i * size);
    if (!l->fn && !l->asked[!which])
        lookup_free(l);
    else if (l->fn && !l->asked[!which])
        loop_task_post(l->done);
    else if (l->fn && l->n)
        loop_timer_start(l->limit, OTHER_MS, false);
}

static void on_v4(int result, char type, int count, int ttl, void *addresses, void *arg)
{
    on_answer(arg, 0, result, count, addresses);
}

static void on_v6(int result, char type, int count, int ttl, void *addresses, void *arg)
{
    on_answer(arg, 1, result, count, addresses);
}

static void ask(struct lookup *l)
{
    const char *server = loop_name_server(l->loop);

    l->dns = evdns_base_new(loop_base(l->loop), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (!l->dns) {
        snprintf(l->why, sizeof(l->why), "no memory to ask DNS");
        return;
    }
    /* within LOOKUP_MS, which alone ends it */
    evdns_base_set_option(l->dns, "timeout:", "1");
    evdns_base_set_option(l->dns, "attempts:", "5");
    if (server && evdns_base_nameserver_ip_add(l->dns, server) != 0)
        snprintf(l->why, sizeof(l->why), "ctibus.dns.server: %.64s is no address", server);
    else if (!server) /* a missing file means a server on this machine */
        evdns_base_resolv_conf_parse(l->dns, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS,
                                     RESOLV_CONF);
    if (*l->why)
        return;
    l->asked[0] = evdns_base_resolve_ipv4(l->dns, l->name, 0, on_v4, l);
    l->asked[1] = evdns_base_resolve_ipv6(l->dns, l->name, 0, on_v6, l);
    if (!l->asked[0] && !l->asked[1])
        snprintf(l->why, sizeof(l->why), "it cannot be asked of DNS");
}

/* ---- lifecycle ---- */

struct lookup *lookup_start(struct loop *loop, const char *name, lookup_fn *fn, void *arg)
{
    struct lookup *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->loop = loop;
    l->fn = fn;
    l->arg = arg;
    l->name = strdup(name);
    l->done = loop_task_new(loop, tell, l);
    l->limit = loop_timer_new(loop, tell, l);
    if (!l->name || !l->done || !l->limit) {
        lookup_free(l);
        return NULL;
    }
    if (!known(l))
        ask(l);
    if (l->asked[0] || l->asked[1])
        loop_timer_start(l->limit, LOOKUP_MS, false);
    else
        loop_task_post(l->done);
    return l;
}

void lookup_cancel(struct lookup **lp)
{
    struct lookup *l = lp ? *lp : NULL;

    if (!l)
        return;
    *lp = NULL;
    leave(l);
}
