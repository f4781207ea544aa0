/* The PROXY protocol: what is a header, who is announced, and that nothing behind it is touched. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "net/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4                                                                                       \
    "\x11\x00\x0c"                                                                                 \
    "\xc0\x00\x02\x07"                                                                             \
    "\xcb\x00\x71\x01"                                                                             \
    "\xc0\x00"                                                                                     \
    "\x13\x8b"
#define TCP6                                                                                       \
    "\x21\x00\x24"                                                                                 \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"                                                   \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"                                                   \
    "\xc0\x00"                                                                                     \
    "\x13\x8b"

static const char *text_of(const struct sockaddr_storage *a)
{
    static char text[80];
    char host[INET6_ADDRSTRLEN] = "nobody";
    unsigned port = 0;

    if (a->ss_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, host, sizeof(host));
        port = ntohs(((const struct sockaddr_in *)a)->sin_port);
    } else if (a->ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, host, sizeof(host));
        port = ntohs(((const struct sockaddr_in6 *)a)->sin6_port);
    }
    snprintf(text, sizeof(text), "%s %u", host, port);
    return text;
}

/* ---- the parser ---- */

/* What it says, however it is cut; and that `more` never reaches past its end. */
static int parse(struct view in, struct proxy_header *h)
{
    size_t more;
    int rc = proxy_parse(in, h, &more);

    for (size_t n = 0; rc > 0 && n < (size_t)rc; n++) {
        struct proxy_header part;
        assert_int_equal(proxy_parse(view_of(in.ptr, n), &part, &more), 0);
        assert_in_range(more, 1, (size_t)rc - n);
    }
    return rc;
}

static void check(struct view header, const char *says)
{
    struct proxy_header h;
    char scratch[PROXY_HEADER_MAX + 8];
    size_t more;

    assert_int_equal(parse(header, &h), header.len);
    assert_string_equal(text_of(&h.client), says);
    memcpy(scratch, header.ptr, header.len);
    memcpy(scratch + header.len, "{\"class", 7);
    assert_int_equal(proxy_parse(view_of(scratch, header.len + 7), &h, &more), header.len);
}

static void good_headers_say_who(void **state)
{
    check(VIEW("PROXY TCP4 192.0.2.7 203.0.113.1 49152 5003\r\n"), "192.0.2.7 49152");
    check(VIEW("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n"), "255.255.255.255 65535");
    check(VIEW("PROXY TCP6 2001:db8::7 2001:db8::1 49152 5003\r\n"), "2001:db8::7 49152");
    check(VIEW("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "::ffff:192.0.2.7 1");
    check(VIEW("PROXY UNKNOWN\r\n"), "nobody 0");
    check(VIEW("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), "nobody 0");
    check(VIEW(SIGNATURE "\x21" TCP4), "192.0.2.7 49152");
    check(VIEW(SIGNATURE "\x21" TCP6), "2001:db8::7 49152");
    check(VIEW(SIGNATURE "\x21\x00\x00\x00"), "nobody 0"); /* not known */
    check(VIEW(SIGNATURE "\x20\x00\x00\x00"), "nobody 0"); /* LOCAL: a check */
    check(VIEW(SIGNATURE "\x20" TCP4), "nobody 0");
    /* with something behind the addresses */
    check(VIEW(SIGNATURE
               "\x21\x11\x00\x10\xc0\x00\x02\x07\xcb\x00\x71\x01\xc0\x00\x13\x8b\x04\x00\x01x"),
          "192.0.2.7 49152");
}

static void a_unix_socket_announces_nobody(void **state)
{
    char in[16 + 216] = SIGNATURE "\x21\x31\x00\xd8";

    check(view_of(in, sizeof(in)), "nobody 0");
    in[15] = '\xd7';
    assert_int_equal(parse(view_of(in, sizeof(in) - 1), &(struct proxy_header){0}), -EPROTO);
}

static void what_is_no_header_is_refused(void **state)
{
    static const struct view bad[] = {
        {"{\"class\":\"login_id\"}\n", 21},
        {"\x16\x03\x01\x02\x00", 5},
        {"GET /cti HTTP/1.1\r\n", 19},
        {"proxy ", 6},
        {"PROXY\r\n", 7},
        {"PROXY \r\n", 8},
        {"PROXY\n", 6},
        {"PROXY UNKNOWN\n", 14},
        {"PROXY TCP4\r\n", 12},
        {"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n", 32},
        {"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", 30},
        {"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", 34},
        {"PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n", 33},
        {"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", 33},
        {"PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n", 36},
        {"PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n", 33},
        {"PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n", 33},
        {"PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n", 34},
        {"PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n", 30},
        {"PROXY TCP4 ::1 ::1 1 2\r\n", 24},
        {"PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", 32},
        {"PROXY TCP4 1.1.1.1\0x 2.2.2.2 1 2\r\n", 34},
        {SIGNATURE "\x11" TCP4, 28}, /* version 1 has no such form */
        {SIGNATURE "\x31" TCP4, 28},
        {SIGNATURE "\x22" TCP4, 28},                    /* no such command */
        {SIGNATURE "\x21\x12\x00\x0c............", 28}, /* datagrams */
        {SIGNATURE "\x21\x41\x00\x0c............", 28},
        {SIGNATURE "\x21\x11\x00\x0b...........", 27}, /* shorter than its addresses */
        {SIGNATURE "\x21\x21\x00\x0c............", 28},
        {SIGNATURE "\x21\x11\xff\xff", 16}, /* longer than anybody needs: refused before it comes */
        {"\r\n\r\n\0\r\nQUIX", 11},
    };
    struct proxy_header h;
    char line[200];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse(bad[i], &h) != -EPROTO)
            fail_msg("taken for a header: %.*s", VIEW_ARG(bad[i]));
    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_int_equal(parse(view_of(line, 106), &h), 0);
    assert_int_equal(parse(view_of(line, 107), &h), -EPROTO); /* whatever follows */
}

/* ---- the gate ---- */

struct world {
    struct loop *loop;
    struct proxy_gate *gate;
    int accepted, refused, silent;
    int fd; /* the last one that was passed on */
    char peer[80], why[80];
};

static void on_accepted(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct world *w = arg;
    struct sockaddr_storage a = {0};

    memcpy(&a, peer, len < sizeof(a) ? len : sizeof(a));
    snprintf(w->peer, sizeof(w->peer), "%s", text_of(&a));
    w->accepted++;
    if (w->fd >= 0)
        close(w->fd);
    w->fd = fd;
}

static void on_refused(void *arg, const struct sockaddr *peer, const char *why)
{
    struct world *w = arg;

    assert_int_equal(peer->sa_family, AF_INET);
    w->refused += why != NULL;
    w->silent += why == NULL;
    snprintf(w->why, sizeof(w->why), "%s", why ? why : "");
}

static const struct proxy_handler handler = {on_accepted, on_refused};

static int setup(void **state)
{
    static struct world w;

    w = (struct world){.loop = loop_new(), .fd = -1};
    w.gate = proxy_gate_new(w.loop, &handler, &w, 300);
    assert_non_null(w.gate);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    proxy_gate_destroy(&w->gate);
    loop_destroy(&w->loop);
    if (w->fd >= 0)
        close(w->fd);
    return 0;
}

/* The far end of a connection that stands in the gate; it comes from 10.0.0.9:999. */
static int arrive(struct world *w)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(999)};
    int fds[2];

    assert_int_equal(inet_pton(AF_INET, "10.0.0.9", &from.sin_addr), 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    proxy_gate_take(w->gate, fds[0], (struct sockaddr *)&from, sizeof(from));
    return fds[1];
}

static void say(struct world *w, int fd, struct view v)
{
    assert_int_equal(send(fd, v.ptr, v.len, MSG_NOSIGNAL), v.len);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_once(w->loop, 0), 0);
}

static void what_is_behind_the_header_stays_in_the_socket(void **state)
{
    static const struct view headers[] = {
        {"PROXY TCP4 192.0.2.7 203.0.113.1 49152 5003\r\n", 45},
        {SIGNATURE "\x21" TCP4, 28},
    };
    struct world *w = *state;
    char got[32];

    for (size_t i = 0; i < 2; i++) {
        int far = arrive(w);
        char all[80];
        size_t n = headers[i].len;
        memcpy(all, headers[i].ptr, n);
        memcpy(all + n, "\r\nhello", 7);
        say(w, far, view_of(all, n + 7));
        assert_int_equal(w->accepted, i + 1);
        assert_string_equal(w->peer, "192.0.2.7 49152");
        assert_int_equal(recv(w->fd, got, sizeof(got), 0), 7);
        assert_memory_equal(got, "\r\nhello", 7);
        close(far);
    }
    assert_int_equal(proxy_gate_count(w->gate), 0);
}

static void a_header_may_come_byte_by_byte(void **state)
{
    struct world *w = *state;
    struct view header = VIEW(SIGNATURE "\x21" TCP6);
    int far = arrive(w);

    for (size_t i = 0; i < header.len; i++) {
        assert_int_equal(w->accepted, 0);
        say(w, far, view_of(header.ptr + i, 1));
    }
    assert_int_equal(w->accepted, 1);
    assert_string_equal(w->peer, "2001:db8::7 49152");
    close(far);
}

static void who_is_not_announced_keeps_the_own_address(void **state)
{
    struct world *w = *state;
    int far = arrive(w);

    say(w, far, VIEW(SIGNATURE "\x20\x00\x00\x00"));
    assert_int_equal(w->accepted, 1);
    assert_string_equal(w->peer, "10.0.0.9 999");
    close(far);
}

static void without_a_header_it_is_closed(void **state)
{
    struct world *w = *state;
    char byte;
    int far = arrive(w);

    say(w, far, VIEW("{\"class\":\"login_id\"}\n"));
    assert_int_equal(w->refused, 1);
    assert_string_equal(w->why, "it does not begin with a PROXY header");
    assert_true(recv(far, &byte, 1, 0) <= 0);
    close(far);

    far = arrive(w);
    say(w, far, VIEW("PROXY TC"));
    close(far);
    say(w, arrive(w), VIEW("P"));
    assert_int_equal(w->refused, 2);
    assert_string_equal(w->why, "it ended within its PROXY header");
    assert_int_equal(proxy_gate_count(w->gate), 1);
}

static void a_connection_without_a_byte_is_no_news(void **state)
{
    struct world *w = *state;

    close(arrive(w));
    assert_int_equal(loop_once(w->loop, 100), 0);
    assert_int_equal(w->silent, 1);
    assert_int_equal(w->refused, 0);
    assert_int_equal(proxy_gate_count(w->gate), 0);
}

static void who_is_slow_is_closed_in_time(void **state)
{
    struct world *w = *state;
    uint64_t since = clock_mono_us();
    int slow = arrive(w);

    for (int i = 0; w->refused == 0; i++) {
        struct view header = VIEW("PROXY TCP4 192.0.2.7");
        if ((size_t)i < header.len) /* a byte now and then is no reason to wait longer */
            send(slow, header.ptr + i, 1, MSG_NOSIGNAL);
        assert_int_equal(loop_once(w->loop, 20), 0);
        assert_true(clock_mono_us() - since < 10000000);
    }
    assert_true(clock_mono_us() - since >= 300000);
    assert_string_equal(w->why, "no PROXY header in time");
    close(slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_headers_say_who),
        cmocka_unit_test(a_unix_socket_announces_nobody),
        cmocka_unit_test(what_is_no_header_is_refused),
        cmocka_unit_test_setup_teardown(what_is_behind_the_header_stays_in_the_socket, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_header_may_come_byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_not_announced_keeps_the_own_address, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_a_header_it_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_connection_without_a_byte_is_no_news, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_slow_is_closed_in_time, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
