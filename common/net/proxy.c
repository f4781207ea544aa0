/*
 * The header of the PROXY protocol. Version 1 is a line of text, version 2 begins with twelve bytes
 * that no other protocol begins with.
 *
 *   PROXY TCP4 192.0.2.7 203.0.113.1 49152 5003 CR LF
 *   signature(12) version,command(1) family,transport(1) length(2) addresses, and more
 */
#include "net/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define V1_START VIEW("PROXY ")
#define V1_MIN 15 /* "PROXY UNKNOWN" and its end */
#define V1_MAX 107
#define V2_SIGNATURE VIEW("\r\n\r\n\0\r\nQUIT\n")
#define V2_HEAD 16

/* Could `in` be the beginning of it, or begin with it? */
static bool could_be(struct view in, struct view start)
{
    size_t n = in.len < start.len ? in.len : start.len;

    return n == 0 || memcmp(in.ptr, start.ptr, n) == 0;
}

static void set_v4(struct proxy_header *h, const void *address, uint16_t port)
{
    struct sockaddr_in *to = (struct sockaddr_in *)&h->client;

    to->sin_family = AF_INET;
    to->sin_port = port;
    memcpy(&to->sin_addr, address, sizeof(to->sin_addr));
}

static void set_v6(struct proxy_header *h, const void *address, uint16_t port)
{
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)&h->client;

    to->sin6_family = AF_INET6;
    to->sin6_port = port;
    memcpy(&to->sin6_addr, address, sizeof(to->sin6_addr));
}

/* ---- version 1 ---- */

static bool take_address(struct view *rest, int family, void *address)
{
    struct view word = view_cut(rest, ' ');
    char text[INET6_ADDRSTRLEN];

    if (word.len >= sizeof(text) || memchr(word.len ? word.ptr : "", '\0', word.len))
        return false;
    memcpy(text, word.ptr, word.len);
    text[word.len] = '\0';
    return inet_pton(family, text, address) == 1;
}

static bool take_port(struct view word, uint16_t *port)
{
    uint64_t n;

    if (view_to_u64(word, &n) < 0 || n > UINT16_MAX || (word.ptr[0] == '0' && word.len > 1))
        return false;
    *port = htons((uint16_t)n);
    return true;
}

/* The line behind "PROXY ", without its end. */
static bool read_line(struct view line, struct proxy_header *h)
{
    struct view family = view_cut(&line, ' ');
    struct in6_addr client, server;
    uint16_t port, ignored;
    int af;

    if (view_eq(family, VIEW("UNKNOWN")))
        return true; /* whatever follows */
    af = view_eq(family, VIEW("TCP4")) ? AF_INET : AF_INET6;
    if (af == AF_INET6 && !view_eq(family, VIEW("TCP6")))
        return false;
    if (!take_address(&line, af, &client) || !take_address(&line, af, &server) ||
        !take_port(view_cut(&line, ' '), &port) || !take_port(line, &ignored))
        return false;
    if (af == AF_INET)
        set_v4(h, &client, port);
    else
        set_v6(h, &client, port);
    return true;
}

static int parse_v1(struct view in, struct proxy_header *h, size_t *more)
{
    struct view start = view_of(in.ptr, in.len < V1_MAX ? in.len : V1_MAX);
    const char *end = memchr(start.ptr, '\n', start.len);
    size_t skip = V1_START.len;

    if (!end && start.len == V1_MAX)
        return -EPROTO;
    if (!end) {
        *more = start.len < V1_MIN ? V1_MIN - start.len : start.ptr[start.len - 1] == '\r' ? 1 : 2;
        return 0;
    }
    start.len = (size_t)(end - start.ptr);
    if (start.len < skip + 1 || end[-1] != '\r' ||
        !read_line(view_of(start.ptr + skip, start.len - 1 - skip), h))
        return -EPROTO;
    return (int)start.len + 1;
}

/* ---- version 2 ---- */

/* The addresses: client, server, port of the client, port of the server. */
static bool read_addresses(unsigned family, struct view v, struct proxy_header *h)
{
    uint16_t port;

    switch (family) {
    case 0x00: /* not known */
        return true;
    case 0x11: /* TCP over IPv4 */
        if (v.len < 12)
            return false;
        memcpy(&port, v.ptr + 8, sizeof(port));
        set_v4(h, v.ptr, port);
        return true;
    case 0x21: /* TCP over IPv6 */
        if (v.len < 36)
            return false;
        memcpy(&port, v.ptr + 32, sizeof(port));
        set_v6(h, v.ptr, port);
        return true;
    case 0x31: /* a socket of Unix has no address that would tell us anything */
        return v.len >= 216;
    default: /* datagrams, and what there is not */
        return false;
    }
}

static int parse_v2(struct view in, struct proxy_header *h, size_t *more)
{
    const unsigned char *head = (const unsigned char *)in.ptr;
    bool local;
    size_t whole;

    if (in.len < V2_HEAD) {
        *more = V2_HEAD - in.len;
        return 0;
    }
    local = head[12] == 0x20; /* the balancer's own: what else stands there means nothing */
    whole = V2_HEAD + ((size_t)head[14] << 8 | head[15]);
    if ((!local && head[12] != 0x21) || whole > PROXY_HEADER_MAX)
        return -EPROTO;
    if (in.len < whole) {
        *more = whole - in.len;
        return 0;
    }
    if (!local && !read_addresses(head[13], view_of(in.ptr + V2_HEAD, whole - V2_HEAD), h))
        return -EPROTO;
    return (int)whole;
}

int proxy_parse(struct view in, struct proxy_header *h, size_t *more)
{
    memset(h, 0, sizeof(*h));
    *more = 0;
    if (in.len == 0) {
        *more = V1_MIN;
        return 0;
    }
    if (could_be(in, V1_START))
        return parse_v1(in, h, more);
    if (could_be(in, V2_SIGNATURE))
        return parse_v2(in, h, more);
    return -EPROTO;
}
