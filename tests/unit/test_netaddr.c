/* Addresses, networks, and lists of networks. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/netaddr.h"

static struct netaddr address(const char *text)
{
    struct netaddr a;

    if (netaddr_parse(view_cstr(text), &a) < 0)
        fail_msg("no address: %s", text);
    return a;
}

static void addresses_are_read_and_written(void **state)
{
    static const char *const good[][2] = {{"127.0.0.1", "127.0.0.1"},
                                          {"::1", "::1"},
                                          {"[::1]", "::1"},
                                          {"2001:DB8:0::7", "2001:db8::7"},
                                          {"::ffff:10.1.2.3", "10.1.2.3"},
                                          {"255.255.255.255", "255.255.255.255"}};
    static const char *const bad[] = {"",
                                      "localhost",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.1.1.1",
                                      "[::1",
                                      ":::",
                                      "[]",
                                      " 1.2.3.4",
                                      "1.2.3.4/8",
                                      "2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999"};
    struct netaddr a;
    char text[NETADDR_TEXT];

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        a = address(good[i][0]);
        netaddr_print(&a, text);
        assert_string_equal(text, good[i][1]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (netaddr_parse(view_cstr(bad[i]), &a) != -EINVAL)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(netaddr_parse(view_of("1.2.3.4\0", 8), &a), -EINVAL);
    assert_int_equal(netaddr_parse(view_of(NULL, 0), &a), -EINVAL);
}

static void this_machine_alone_is_the_loopback(void **state)
{
    static const char *const is[] = {"localhost", "127.0.0.1", "127.255.0.9",
                                     "::1",       "[::1]",     "::ffff:127.0.0.1"};
    static const char *const is_not[] = {
        "",        "0.0.0.0",  "128.0.0.1",        "126.0.0.1",        "::",
        "::1.2.3", "localhos", "::ffff:128.0.0.1", "LOCALHOST.example"};

    for (size_t i = 0; i < ARRAY_SIZE(is); i++)
        if (!netaddr_is_loopback(view_cstr(is[i])))
            fail_msg("is: %s", is[i]);
    for (size_t i = 0; i < ARRAY_SIZE(is_not); i++)
        if (netaddr_is_loopback(view_cstr(is_not[i])))
            fail_msg("is not: %s", is_not[i]);
}

static void an_address_and_its_port_are_one_text(void **state)
{
    struct netaddr a = address("10.0.0.1");
    struct netaddr b = address("2001:db8::1");
    struct netaddr back;
    char text[NETADDR_TEXT];
    uint16_t port;

    netaddr_print_port(&a, 65535, text);
    assert_string_equal(text, "10.0.0.1:65535");
    assert_int_equal(netaddr_parse_port(view_cstr(text), &back, &port), 0);
    assert_true(netaddr_eq(&a, &back));
    assert_int_equal(port, 65535);
    netaddr_print_port(&b, 1, text);
    assert_string_equal(text, "[2001:db8::1]:1");
    assert_int_equal(netaddr_parse_port(view_cstr(text), &back, &port), 0);
    assert_true(netaddr_eq(&b, &back));
    assert_int_equal(netaddr_parse_port(VIEW("10.0.0.1"), &back, &port), -EINVAL);
    assert_int_equal(netaddr_parse_port(VIEW("10.0.0.1:70000"), &back, &port), -EINVAL);
    assert_int_equal(netaddr_parse_port(VIEW("host:1"), &back, &port), -EINVAL);
    assert_int_equal(netaddr_parse_port(view_of(NULL, 0), &back, &port), -EINVAL);
}

static void a_peer_is_the_same_whichever_family_tells_it(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(99)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(98)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct netaddr a;
    struct netaddr b;
    uint16_t port;

    inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr);
    assert_int_equal(netaddr_of((struct sockaddr *)&v4, &a, &port), 0);
    assert_int_equal(port, 99);
    assert_int_equal(netaddr_of((struct sockaddr *)&v6, &b, &port), 0);
    assert_int_equal(port, 98);
    assert_true(netaddr_eq(&a, &b));
    assert_int_equal(netaddr_of((struct sockaddr *)&v4, &a, NULL), 0);
    assert_int_equal(netaddr_of((struct sockaddr *)&un, &a, &port), -EAFNOSUPPORT);
}

static void what_is_no_network_is_refused_with_a_reason(void **state)
{
    static const char *const bad[][2] = {{"", "neither"},
                                         {"loopback", "names are not looked up"},
                                         {"/8", "neither"},
                                         {"10.0.0.0/", "0 to 32"},
                                         {"10.0.0.0/33", "0 to 32"},
                                         {"10.0.0.0/-1", "0 to 32"},
                                         {"10.0.0.0/8/8", "0 to 32"},
                                         {"10.0.0.0/255.0.0.0", "0 to 32"},
                                         {"2001:db8::/129", "0 to 128"},
                                         {"2001:db8::/x", "0 to 128"},
                                         {"10.1.0.0/8", "bits that its length does not count"},
                                         {"0.0.0.1/0", "bits that its length does not count"},
                                         {"10.0.0.1/31", "bits that its length does not count"},
                                         {"2001:db8::1/64", "bits that its length does not count"}};
    struct network net;
    const char *why;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        why = "";
        if (network_parse(view_cstr(bad[i][0]), &net, &why) != -EINVAL || !strstr(why, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], why);
    }
}

static bool is_in(const char *network, const char *of)
{
    struct netaddr a = address(of);
    struct netlist l = {NULL, 0};
    struct network net;
    const char *why;
    bool yes;

    assert_int_equal(network_parse(view_cstr(network), &net, &why), 0);
    assert_int_equal(netlist_add(&l, &net), 0);
    yes = netlist_has(&l, &a);
    netlist_clear(&l);
    return yes;
}

static void a_network_has_what_begins_as_it_does(void **state)
{
    assert_true(is_in("127.0.0.0/8", "127.255.1.2"));
    assert_false(is_in("127.0.0.0/8", "128.0.0.1"));
    assert_true(is_in("10.20.30.0/23", "10.20.31.255"));
    assert_false(is_in("10.20.30.0/23", "10.20.32.0"));
    assert_true(is_in("10.20.30.40", "10.20.30.40"));
    assert_false(is_in("10.20.30.40", "10.20.30.41"));
    assert_true(is_in("0.0.0.0/0", "203.0.113.9"));
    assert_false(is_in("0.0.0.0/0", "2001:db8::1"));
    assert_true(is_in("::/0", "203.0.113.9"));
    assert_true(is_in("::1", "::1"));
    assert_false(is_in("::1", "::2"));
    assert_true(is_in("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(is_in("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(is_in("::ffff:10.0.0.0/104", "10.9.9.9"));
    assert_false(is_in("127.0.0.0/8", "::1"));
}

static void a_list_lets_in_what_is_in_any_of_it(void **state)
{
    struct netlist l = {NULL, 0};
    struct netaddr a = address("192.0.2.7");
    struct network net;
    const char *why;

    assert_false(netlist_has(&l, &a));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(network_parse(VIEW("10.0.0.0/8"), &net, &why), 0);
        assert_int_equal(netlist_add(&l, &net), 0);
    }
    assert_false(netlist_has(&l, &a));
    assert_int_equal(network_parse(VIEW("192.0.2.0/24"), &net, &why), 0);
    assert_int_equal(netlist_add(&l, &net), 0);
    assert_true(netlist_has(&l, &a));
    netlist_clear(&l);
    assert_false(netlist_has(&l, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(this_machine_alone_is_the_loopback),
        cmocka_unit_test(an_address_and_its_port_are_one_text),
        cmocka_unit_test(a_peer_is_the_same_whichever_family_tells_it),
        cmocka_unit_test(what_is_no_network_is_refused_with_a_reason),
        cmocka_unit_test(a_network_has_what_begins_as_it_does),
        cmocka_unit_test(a_list_lets_in_what_is_in_any_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
