#include "base/netaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/hostport.h"

/* What IPv6 writes in front of an address of IPv4. */
static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct netaddr *a)
{
    return memcmp(a->byte, mapped, sizeof(mapped)) == 0;
}

static void set_v4(struct netaddr *out, const void *four)
{
    memcpy(out->byte, mapped, sizeof(mapped));
    memcpy(out->byte + 12, four, 4);
}

int netaddr_parse(struct view text, struct netaddr *out)
{
    char name[INET6_ADDRSTRLEN];
    uint8_t four[4];

    if (text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
        text = view_of(text.ptr + 1, text.len - 2);
    if (text.len >= sizeof(name) || (text.len && memchr(text.ptr, '\0', text.len)))
        return -EINVAL;
    snprintf(name, sizeof(name), "%.*s", VIEW_ARG(text));
    if (inet_pton(AF_INET, name, four) == 1)
        set_v4(out, four);
    else if (inet_pton(AF_INET6, name, out->byte) != 1)
        return -EINVAL;
    return 0;
}

int netaddr_of(const struct sockaddr *sa, struct netaddr *out, uint16_t *port)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

    if (sa->sa_family == AF_INET)
        set_v4(out, &v4->sin_addr);
    else if (sa->sa_family == AF_INET6)
        memcpy(out->byte, &v6->sin6_addr, sizeof(out->byte));
    else
        return -EAFNOSUPPORT;
    if (port)
        *port = ntohs(sa->sa_family == AF_INET ? v4->sin_port : v6->sin6_port);
    return 0;
}

bool netaddr_is_loopback(struct view host)
{
    static const uint8_t v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
    static const uint8_t v6[16] = {[15] = 1};
    struct netaddr a;

    if (view_eq(host, VIEW("localhost")))
        return true;
    return netaddr_parse(host, &a) == 0 &&
           (memcmp(a.byte, v4, sizeof(v4)) == 0 || memcmp(a.byte, v6, sizeof(v6)) == 0);
}

bool netaddr_eq(const struct netaddr *a, const struct netaddr *b)
{
    return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

void netaddr_print(const struct netaddr *a, char out[NETADDR_TEXT])
{
    int family = is_v4(a) ? AF_INET : AF_INET6;

    if (!inet_ntop(family, family == AF_INET ? a->byte + 12 : a->byte, out, NETADDR_TEXT))
        *out = '\0';
}

void netaddr_print_port(const struct netaddr *a, uint16_t port, char out[NETADDR_TEXT])
{
    char text[NETADDR_TEXT];

    netaddr_print(a, text);
    snprintf(out, NETADDR_TEXT, is_v4(a) ? "%.46s:%u" : "[%.46s]:%u", text, (unsigned)port);
}

int netaddr_parse_port(struct view text, struct netaddr *out, uint16_t *port)
{
    struct view host;

    if (hostport_split(text, &host, port) < 0)
        return -EINVAL;
    return netaddr_parse(host, out);
}
