/* Whose address is it? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "base/clock.h"
#include "net/hosts.h"

struct world {
    struct loop *loop;
    struct hosts *hosts;
};

static int setup(void **state)
{
    static struct world w;

    w.loop = loop_new();
    w.hosts = hosts_new(w.loop, NULL);
    assert_non_null(w.hosts);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    hosts_destroy(&w->hosts);
    loop_destroy(&w->loop);
    return 0;
}

static int find4(struct world *w, const char *address)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(40000)};

    assert_int_equal(inet_pton(AF_INET, address, &sin.sin_addr), 1);
    return hosts_find(w->hosts, (struct sockaddr *)&sin);
}

static int find6(struct world *w, const char *address)
{
    struct sockaddr_in6 sin = {.sin6_family = AF_INET6};

    assert_int_equal(inet_pton(AF_INET6, address, &sin.sin6_addr), 1);
    return hosts_find(w->hosts, (struct sockaddr *)&sin);
}

static void knows_addresses(void **state)
{
    struct world *w = *state;

    assert_int_equal(hosts_add(w->hosts, "10.0.0.1"), 0);
    assert_int_equal(hosts_add(w->hosts, "2001:db8::1"), 0);
    assert_int_equal(hosts_add(w->hosts, "10.0.0.1"), 0);
    assert_int_equal(find4(w, "10.0.0.1"), 0);
    assert_int_equal(find6(w, "::ffff:10.0.0.1"), 0);
    assert_int_equal(find6(w, "2001:db8::1"), 1);
    assert_int_equal(find4(w, "10.0.0.2"), -ENOENT);
    assert_int_equal(find6(w, "2001:db8::2"), -ENOENT);
}

static void knows_no_other_family(void **state)
{
    struct world *w = *state;
    struct sockaddr sa = {.sa_family = AF_UNIX};

    assert_int_equal(hosts_add(w->hosts, "10.0.0.1"), 0);
    assert_int_equal(hosts_find(w->hosts, &sa), -ENOENT);
}

/* From the hosts file, so without a name server. */
static void looks_names_up(void **state)
{
    struct world *w = *state;
    uint64_t end = clock_mono_us() + 10000000;

    assert_int_equal(hosts_add(w->hosts, "localhost"), 0);
    while (find4(w, "127.0.0.1") < 0 && find6(w, "::1") < 0 && clock_mono_us() < end)
        loop_once(w->loop, 10);
    assert_true(find4(w, "127.0.0.1") == 0 || find6(w, "::1") == 0);
}

static void forgets(void **state)
{
    struct world *w = *state;

    assert_int_equal(hosts_add(w->hosts, "10.0.0.1"), 0);
    hosts_clear(w->hosts);
    assert_int_equal(find4(w, "10.0.0.1"), -ENOENT);
    assert_int_equal(hosts_add(w->hosts, "10.0.0.2"), 0);
    assert_int_equal(find4(w, "10.0.0.2"), 0);
}

static void is_bounded(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < HOSTS_MAX; i++)
        assert_int_equal(hosts_add(w->hosts, "10.0.0.1"), 0);
    assert_int_equal(hosts_add(w->hosts, "10.0.0.1"), -ENOBUFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_no_other_family, setup, teardown),
        cmocka_unit_test_setup_teardown(looks_names_up, setup, teardown),
        cmocka_unit_test_setup_teardown(forgets, setup, teardown),
        cmocka_unit_test_setup_teardown(is_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
