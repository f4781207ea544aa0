/* The addresses of the services: who is there, and who should be. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hostport.h"
#include "doctor.h"
#include "json/json.h"

#define CONNECT_MS 1000

/* The first address of HOST:PORT. False: it is not known, or its port is any. */
static bool resolve(const char *addr, bool connects, struct sockaddr_storage *out, socklen_t *len)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = connects ? 0 : AI_PASSIVE};
    struct view text = view_cstr(addr);
    struct addrinfo *found = NULL;
    struct view host;
    char name[256];
    char service[8];
    uint16_t port;

    if (view_starts(text, VIEW("tcp://")))
        text = view_of(text.ptr + 6, text.len - 6);
    if (hostport_split(text, &host, &port) < 0 || port == 0 || host.len >= sizeof(name))
        return false;
    if (connects && (host.len == 0 || view_eq(host, VIEW("0.0.0.0"))))
        host = VIEW("127.0.0.1");
    if (connects && view_eq(host, VIEW("::")))
        host = VIEW("::1");
    snprintf(name, sizeof(name), "%.*s", VIEW_ARG(host));
    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(*name ? name : NULL, service, &hints, &found) != 0 || !found)
        return false;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

int doctor_connect(const char *addr)
{
    struct sockaddr_storage to;
    struct pollfd p;
    socklen_t len;
    socklen_t size = sizeof(int);
    int err = 0;

    if (!resolve(addr, true, &to, &len))
        return -1;
    p = (struct pollfd){.fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                        .events = POLLOUT};
    if (p.fd < 0)
        return -1;
    if (connect(p.fd, (struct sockaddr *)&to, len) < 0)
        err = errno;
    if (err == EINPROGRESS)
        err =
            poll(&p, 1, CONNECT_MS) == 1 && getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0
                ? err
                : ETIMEDOUT;
    if (err == 0)
        return p.fd;
    close(p.fd);
    return -1;
}

bool doctor_connects(const char *addr)
{
    int fd = doctor_connect(addr);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Why a service could not listen there: 0 or an errno. Nobody notices the attempt. */
static int cannot_bind(const char *addr)
{
    struct sockaddr_storage at;
    socklen_t len;
    int on = 1;
    int err;
    int fd;

    if (!resolve(addr, false, &at, &len))
        return 0;
    fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    err = bind(fd, (struct sockaddr *)&at, len) < 0 ? errno : 0;
    close(fd);
    return err == EADDRINUSE || err == EADDRNOTAVAIL ? err : 0;
}

static void one(struct doctor *d, const char *service, const char *key, const char *addr)
{
    bool here = json_object_object_get_ex(d->here, service, NULL);
    bool elsewhere = json_object_object_get_ex(d->heard, service, NULL);
    int err;

    if (here && !doctor_connects(addr))
        findings_add(&d->f, FINDING_fault, "port.silent",
                     "Clients that connect there get no answer.",
                     "Was the address changed since it started? Restart it; its log has the line "
                     "`listening`.",
                     "ctibus-%s runs and does not listen at %s (%s)", service, addr, key);
    if (here || elsewhere)
        return;
    err = cannot_bind(addr);
    if (err == EADDRINUSE)
        findings_add(&d->f, FINDING_fault, "port.taken", "The service cannot start.",
                     "ss -ltnp shows the program; stop it, or change the key.",
                     "ctibus-%s does not run, and another program has its address %s (%s)", service,
                     addr, key);
    else if (err)
        findings_add(&d->f, FINDING_fault, "port.address", "The service cannot start.",
                     "ip address shows those that there are.",
                     "the address %s of ctibus-%s (%s) is not one of this machine", addr, service,
                     key);
}

static const struct {
    const char *service;
    const char *key;
    bool listen; /* of XiVO's form */
} ports[] = {
    {"state", "ctibus.bus.publish", false},      {"state", "ctibus.bus.subscribe", false},
    {"state", "ctibus.bus.request", false},      {"state", "ctibus.http.state", false},
    {"state", "main.incoming_tcp.WEBI", true},   {"state", "main.incoming_tcp.INFO", true},
    {"ami-gw", "ctibus.http.ami-gw", false},     {"fagi-gw", "ctibus.http.fagi-gw", false},
    {"fagi-gw", "main.incoming_tcp.FAGI", true}, {"cti-gw", "ctibus.http.cti-gw", false},
    {"cti-gw", "main.incoming_tcp.CTI", true},   {"cti-gw", "main.incoming_tcp.CTIS", true},
    {"cti-gw", "ctibus.cti.websocket", false},   {"http-gw", "ctibus.http.http-gw", false},
    {"http-gw", "ctibus.api.listen", false},
};

/* Where a service binds for a key that is no listener; NULL: nowhere, this machine being none of
 * ctibus.ha.peers. */
static const char *bound_at(const struct doctor *d, const char *key)
{
    bool bus = strncmp(key, "ctibus.bus.", 11) == 0;
    char host[64];

    if (!bus || !config_ha(d->cfg))
        return config_str(d->cfg, key);
    if (!config_ha_name(d->cfg, host) || (d->not_active && strcmp(key, "ctibus.bus.request") != 0))
        return NULL;
    return config_bus_bind(d->cfg, key + 11);
}

void doctor_ports(struct doctor *d)
{
    char addr[300];

    doctor_progress(d, "addresses");
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        bool consoles = ports[i].listen && strcmp(ports[i].service, "state") == 0;
        const char *given = ports[i].listen ? NULL : bound_at(d, ports[i].key);
        if (consoles && d->not_active)
            continue;
        if (ports[i].listen && config_listen(d->cfg, ports[i].key, addr, sizeof(addr)))
            given = addr;
        if (given)
            one(d, ports[i].service, ports[i].key, given);
    }
}
