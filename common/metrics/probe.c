/* The other side of /readyz, for containers: a whole request without a loop. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hostport.h"
#include "metrics/health.h"

#define LIMIT_US 2000000u
#define MAX_ANSWER 65536

/* A service that listens on all addresses is probed on the loopback. */
static struct view asked_host(struct view host)
{
    if (host.len == 0 || view_eq(host, VIEW("0.0.0.0")))
        return VIEW("127.0.0.1");
    return view_eq(host, VIEW("::")) ? VIEW("::1") : host;
}

/* Lets the next call on fd last no longer than what is left. False when nothing is. */
static bool limit(int fd, uint64_t until)
{
    uint64_t now = clock_mono_us();
    uint64_t left = now < until ? until - now : 0;
    struct timeval tv = {(time_t)(left / 1000000u), (suseconds_t)(left % 1000000u)};

    if (left == 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    return true;
}

static int open_socket(const struct addrinfo *ai, uint64_t until)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc;

    if (fd < 0)
        return -errno;
    if (limit(fd, until) && connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
        return fd;
    rc = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
    close(fd);
    return rc;
}

static int dial(const char *addr, uint64_t until)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    struct view host;
    uint16_t port;
    char name[256];
    char service[8];
    int rc = -EHOSTUNREACH;

    if (hostport_split(view_cstr(addr), &host, &port) < 0)
        return -EINVAL;
    snprintf(name, sizeof(name), "%.*s", VIEW_ARG(asked_host(host)));
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    if (getaddrinfo(name, service, &hints, &list) != 0)
        return rc;
    for (const struct addrinfo *ai = list; ai && rc < 0; ai = ai->ai_next)
        rc = open_socket(ai, until);
    freeaddrinfo(list);
    return rc;
}

/* The whole answer, up to the peer's close. */
static int read_answer(int fd, uint64_t until, struct buf *answer)
{
    for (;;) {
        char *scratch = buf_reserve(answer, 4096);
        ssize_t n;
        if (!scratch)
            return -EMSGSIZE;
        if (!limit(fd, until))
            return -ETIMEDOUT;
        n = recv(fd, scratch, 4096, 0);
        if (n == 0)
            return 0;
        if (n < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        buf_commit(answer, (size_t)n);
    }
}

static int understand(struct view answer, struct buf *body)
{
    struct view rest = answer;
    struct view version = view_cut(&rest, ' ');
    struct view code = view_of(rest.ptr, rest.len < 3 ? rest.len : 3);
    ptrdiff_t at = view_find(answer, VIEW("\r\n\r\n"));

    if (!view_starts(version, VIEW("HTTP/1.")) || at < 0)
        return -EPROTO;
    buf_append(body, answer.ptr + at + 4, answer.len - (size_t)at - 4);
    return view_eq(code, VIEW("200")) ? 0 : -EAGAIN;
}

int health_probe(const char *addr, struct buf *body)
{
    static const char request[] = "GET /readyz HTTP/1.0\r\nConnection: close\r\n\r\n";
    uint64_t until = clock_mono_us() + LIMIT_US;
    int fd = dial(addr, until);
    struct buf answer;
    int rc;

    if (fd < 0)
        return fd;
    buf_init(&answer, MAX_ANSWER);
    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
        rc = -errno;
    else
        rc = read_answer(fd, until, &answer);
    if (rc == 0)
        rc = understand(buf_view(&answer), body);
    buf_free(&answer);
    close(fd);
    return rc;
}
