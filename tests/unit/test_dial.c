/* Looking names up and connecting, beside the loop. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/netaddr.h"
#include "net/conn.h"
#include "net/dial.h"
#include "net/lookup.h"
#include "support/bus.h"

struct world {
    struct loop *loop;
    char hosts[64];
    int server; /* a name server that does not answer */
    char server_address[32];
    unsigned called;
    size_t n;
    char list[LOOKUP_MAX * NETADDR_TEXT];
    char why[256];
    int fd;
};

static int setup(void **state)
{
    static struct world w;

    w = (struct world){.loop = loop_new(), .hosts = "/tmp/ctibus-hosts-XXXXXX", .fd = -1};
    close(mkstemp(w.hosts));
    w.server = net_bind(VIEW("127.0.0.1:0"), SOCK_DGRAM);
    assert_true(w.server >= 0);
    snprintf(w.server_address, sizeof(w.server_address), "127.0.0.1:%u",
             (unsigned)net_port(w.server));
    loop_set_names(w.loop, w.server_address, w.hosts);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    loop_destroy(&w->loop);
    close(w->server);
    unlink(w->hosts);
    return 0;
}

static void hosts_are(struct world *w, const char *text)
{
    FILE *f = fopen(w->hosts, "w");

    fputs(text, f);
    fclose(f);
}

static void on_addresses(void *arg, const struct sockaddr_storage *list, size_t n, const char *why)
{
    struct world *w = arg;

    w->called++;
    w->n = n;
    *w->list = '\0';
    for (size_t i = 0; i < n; i++) {
        char text[NETADDR_TEXT];
        struct netaddr a;
        assert_int_equal(netaddr_of((const struct sockaddr *)&list[i], &a, NULL), 0);
        netaddr_print(&a, text);
        strcat(strcat(w->list, *w->list ? " " : ""), text);
    }
    assert_int_equal(why == NULL, n > 0);
    snprintf(w->why, sizeof(w->why), "%s", why ? why : "");
}

static const char *addresses(struct world *w, const char *name)
{
    unsigned before = w->called;

    assert_non_null(lookup_start(w->loop, name, on_addresses, w));
    assert_int_equal(w->called, before); /* never from within */
    UNTIL(w->loop, w->called == before + 1);
    return w->list;
}

static void test_addresses_and_the_hosts_file(void **state)
{
    struct world *w = *state;

    hosts_are(
        w, "# 10.0.0.9 pbx\n10.0.0.1\tpbx.example  PBX # other\n\n2001:db8::1 pbx\nnonsense pbx\n"
           "10.0.0.2 pbx\n10.0.0.3\n");
    assert_string_equal(addresses(w, "192.0.2.7"), "192.0.2.7");
    assert_string_equal(addresses(w, "[2001:db8::7]"), "2001:db8::7");
    assert_string_equal(addresses(w, "pbx"), "10.0.0.1 10.0.0.2 2001:db8::1");
    assert_string_equal(addresses(w, "Pbx.Example"), "10.0.0.1");
    assert_string_equal(addresses(w, "localhost"), "127.0.0.1 ::1");
    assert_string_equal(addresses(w, "a.localhost"), "127.0.0.1 ::1");
    hosts_are(w, "127.0.0.5 localhost\n");
    assert_string_equal(addresses(w, "localhost"), "127.0.0.5");
    unlink(w->hosts);
    assert_string_equal(addresses(w, "localhost"), "127.0.0.1 ::1");
}

static void test_no_answer(void **state)
{
    struct world *w = *state;

    assert_string_equal(addresses(w, "pbx.example"), "");
    assert_string_equal(w->why, "no answer from DNS within 4 s");
    loop_set_names(w->loop, "nonsense", w->hosts);
    addresses(w, "pbx.example");
    assert_string_equal(w->why, "ctibus.dns.server: nonsense is no address");
    addresses(w, "");
    assert_int_equal(w->n, 0);
}

/* Also when the loop does not turn any more: nothing is called, and nothing is left. */
static void test_cancel(void **state)
{
    struct world *w = *state;
    struct lookup *l[3];
    struct dial *d = dial_start(w->loop, "pbx.example", 80, 1000, NULL, NULL);

    for (int i = 0; i < 3; i++) {
        l[i] = lookup_start(w->loop, i ? "pbx.example" : "127.0.0.1", on_addresses, w);
        if (i < 2)
            lookup_cancel(&l[i]);
        for (int j = 0; j < 20; j++)
            loop_once(w->loop, 1);
    }
    lookup_cancel(&l[2]);
    dial_cancel(&d);
    assert_int_equal(w->called, 0);
}

/* ---- dial ---- */

static void on_connected(void *arg, int fd, const char *why)
{
    struct world *w = arg;

    w->called++;
    w->fd = fd;
    assert_int_equal(why == NULL, fd >= 0);
    snprintf(w->why, sizeof(w->why), "%s", why ? why : "");
}

static const char *dial(struct world *w, const char *host, uint16_t port)
{
    unsigned before = w->called;

    assert_non_null(dial_start(w->loop, host, port, 300, on_connected, w));
    assert_int_equal(w->called, before);
    UNTIL(w->loop, w->called == before + 1);
    close(w->fd);
    return w->why;
}

static void test_dial(void **state)
{
    struct world *w = *state;
    int fd = net_bind(VIEW("127.0.0.3:0"), SOCK_STREAM);
    uint16_t port = net_port(fd);
    const char *why;

    assert_string_equal(dial(w, "127.0.0.3", port), "");
    assert_string_equal(dial(w, "127.0.0.2", port), "Connection refused");
    hosts_are(w, "127.0.0.2 pbx\n::1 pbx\n127.0.0.3 pbx\n127.0.0.2 none\n::1 none\n");
    assert_string_equal(dial(w, "pbx", port), "");
    why = dial(w, "none", port);
    assert_true(strncmp(why, "127.0.0.2: Connection refused, ::1: ", 36) == 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_addresses_and_the_hosts_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dial, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
