/* The guard against guessed passwords: who waits, who is refused, and that nobody is locked out. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/array.h"
#include "internal.h"

#define S ((uint64_t)1000000)
#define NOW (1000 * S)

static int setup(void **state)
{
    *state = login_throttle_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    login_throttle_destroy((struct login_throttle **)state);
    return 0;
}

static uint64_t from(const struct login_throttle *g, const char *address)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return login_throttle_address(g, (struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return login_throttle_address(g, (struct sockaddr *)&v6);
}

static uint64_t user(const struct login_throttle *g, const char *name)
{
    return login_throttle_user(g, view_cstr(name));
}

/* n failures from this address, each for another user. */
static void fail_from(struct login_throttle *g, const char *address, int n)
{
    char name[32];

    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%s-%d", address, i);
        login_throttle_failed(g, from(g, address), user(g, name), NOW);
    }
}

/* n failures for this user, each from another address. */
static void fail_for(struct login_throttle *g, const char *name, int n)
{
    char address[32];

    for (int i = 0; i < n; i++) {
        snprintf(address, sizeof(address), "10.1.%d.%d", i / 250, i % 250);
        login_throttle_failed(g, from(g, address), user(g, name), NOW);
    }
}

static void a_few_mistakes_cost_nothing(void **state)
{
    struct login_throttle *g = *state;

    for (int i = 0; i < 4; i++)
        login_throttle_failed(g, from(g, "10.0.0.1"), user(g, "alice"), NOW);
    assert_int_equal(login_throttle_delay(g, from(g, "10.0.0.1"), user(g, "alice"), NOW), 0);
}

static void a_user_from_an_address_waits_and_is_then_refused_for_a_minute(void **state)
{
    static const int delays[] = {0, 0, 0, 0, 0, 1000, 2000, 4000, 5000, 5000};
    struct login_throttle *g = *state;
    uint64_t nat = from(g, "10.0.0.1");
    uint64_t alice = user(g, "alice");

    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(login_throttle_delay(g, nat, alice, NOW + 59 * S), delays[i < 9 ? i : 9]);
        login_throttle_failed(g, nat, alice, NOW);
    }
    assert_int_equal(login_throttle_delay(g, nat, alice, NOW + 59 * S), -1);
    /* all others who are there, and the user elsewhere */
    assert_int_equal(login_throttle_delay(g, nat, user(g, "bob"), NOW), 0);
    assert_int_equal(login_throttle_delay(g, from(g, "10.0.0.2"), alice, NOW), 5000);
    assert_int_equal(login_throttle_delay(g, nat, alice, NOW + 301 * S), 0);
}

static void an_address_that_tries_many_users_waits_and_is_then_refused(void **state)
{
    struct login_throttle *g = *state;
    uint64_t bad = from(g, "10.0.0.1");
    uint64_t alice = user(g, "alice");

    fail_from(g, "10.0.0.1", 99);
    assert_int_equal(login_throttle_delay(g, bad, alice, NOW), 0);
    fail_from(g, "10.0.0.1", 1);
    assert_int_equal(login_throttle_delay(g, bad, alice, NOW), 1000);
    fail_from(g, "10.0.0.1", 299);
    assert_int_equal(login_throttle_delay(g, bad, alice, NOW + 59 * S), 1000);
    fail_from(g, "10.0.0.1", 1);
    assert_int_equal(login_throttle_delay(g, bad, alice, NOW + 59 * S), -1);
    assert_int_equal(login_throttle_delay(g, from(g, "10.0.0.2"), alice, NOW), 0);
    assert_int_equal(login_throttle_delay(g, bad, alice, NOW + 61 * S), 0);
}

static void who_has_logged_in_from_there_does_not_pay_for_others(void **state)
{
    struct login_throttle *g = *state;
    uint64_t nat = from(g, "10.0.0.1");
    uint64_t alice = user(g, "alice");

    login_throttle_succeeded(g, nat, alice, NOW);
    fail_from(g, "10.0.0.1", 10000);
    fail_for(g, "alice", 10000);
    assert_int_equal(login_throttle_delay(g, nat, alice, NOW), 0);
    assert_int_equal(login_throttle_delay(g, nat, user(g, "bob"), NOW), -1);
    for (int i = 0; i < 40; i++)
        login_throttle_failed(g, nat, alice, NOW);
    assert_int_equal(login_throttle_delay(g, nat, alice, NOW), -1); /* its own failures count */
}

static void who_is_known_is_forgotten_for_later_ones_and_in_the_end(void **state)
{
    struct login_throttle *g = *state;
    uint64_t nat = from(g, "10.0.0.1");
    char name[32];

    login_throttle_succeeded(g, nat, user(g, "alice"), NOW);
    fail_for(g, "alice", 20);
    assert_int_equal(login_throttle_delay(g, nat, user(g, "alice"), NOW), 0);
    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof(name), "user-%d", i);
        login_throttle_succeeded(g, nat, user(g, name), NOW + 1);
    }
    assert_int_equal(login_throttle_delay(g, nat, user(g, "alice"), NOW), 5000);
    login_throttle_succeeded(g, nat, user(g, "alice"), NOW + 2);
    assert_int_equal(login_throttle_delay(g, nat, user(g, "alice"), NOW + 2), 0);
    fail_for(g, "bob", 20);
    login_throttle_succeeded(g, nat, user(g, "bob"), 1);
    assert_int_equal(login_throttle_delay(g, nat, user(g, "bob"), 8 * 86400 * S),
                     0); /* both are over */
}

static void a_user_who_is_guessed_from_everywhere_waits_but_is_never_refused(void **state)
{
    struct login_throttle *g = *state;
    uint64_t home = from(g, "192.168.0.1");
    static const int delays[] = {0, 0, 0, 0, 0, 500, 1000, 2000, 4000, 5000, 5000};

    for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
        assert_int_equal(login_throttle_delay(g, home, user(g, "alice"), NOW), delays[i]);
        fail_for(g, "alice", 1);
    }
    fail_for(g, "alice", 50000);
    assert_int_equal(login_throttle_delay(g, home, user(g, "alice"), NOW), 5000);
    assert_int_equal(login_throttle_delay(g, home, user(g, "bob"), NOW), 0);
    assert_int_equal(login_throttle_delay(g, home, user(g, "alice"), NOW + 301 * S), 0);
}

static void a_name_counts_in_whatever_case(void **state)
{
    struct login_throttle *g = *state;
    char longer[2000];

    memset(longer, 'x', sizeof(longer));
    fail_for(g, "Alice", 3);
    fail_for(g, "aLICE", 2);
    assert_int_equal(login_throttle_delay(g, 1, user(g, "alice"), NOW), 500);
    fail_for(g, " alice\t", 1);
    assert_int_equal(login_throttle_delay(g, 1, user(g, "alice "), NOW), 1000);
    assert_int_equal(login_throttle_delay(g, 1, user(g, ""), NOW), 0);
    assert_int_equal(
        login_throttle_delay(g, 1, login_throttle_user(g, view_of(longer, sizeof(longer))), NOW),
        0);
}

static void a_network_of_ipv6_is_one_address_and_mapped_ones_are_many(void **state)
{
    struct login_throttle *g = *state;

    assert_true(from(g, "2001:db8::1") == from(g, "2001:db8::ffff:1"));
    assert_true(from(g, "2001:db8::1") != from(g, "2001:db8:0:1::1"));
    assert_true(from(g, "::ffff:10.0.0.1") == from(g, "10.0.0.1"));
    assert_true(from(g, "::ffff:10.0.0.1") != from(g, "::ffff:10.0.0.2"));
}

/* However many others there are: who has failed often stays known before who has failed once. */
static void a_flood_of_others_does_not_wash_away_what_counts(void **state)
{
    struct login_throttle *g = *state;
    char name[32];

    fail_for(g, "alice", 20);
    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof(name), "nobody-%d", i);
        login_throttle_failed(g, (uint64_t)i, user(g, name), NOW);
    }
    assert_int_equal(login_throttle_delay(g, 1, user(g, "alice"), NOW), 5000);
}

/* What is over makes room. */
static void old_failures_are_forgotten_for_new_ones(void **state)
{
    struct login_throttle *g = *state;

    fail_for(g, "alice", 20);
    login_throttle_failed(g, 1, user(g, "alice"), NOW + 400 * S);
    assert_int_equal(login_throttle_delay(g, 1, user(g, "alice"), NOW + 400 * S), 0);
    for (int i = 0; i < 4; i++)
        login_throttle_failed(g, 1, user(g, "alice"), NOW + 400 * S);
    assert_int_equal(login_throttle_delay(g, 2, user(g, "alice"), NOW + 400 * S), 500);
}

static void keys_are_secret(void **state)
{
    struct login_throttle *other = login_throttle_new();

    assert_true(user(*state, "alice") != user(other, "alice"));
    login_throttle_destroy(&other);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_few_mistakes_cost_nothing),
        T(a_user_from_an_address_waits_and_is_then_refused_for_a_minute),
        T(an_address_that_tries_many_users_waits_and_is_then_refused),
        T(who_has_logged_in_from_there_does_not_pay_for_others),
        T(who_is_known_is_forgotten_for_later_ones_and_in_the_end),
        T(a_user_who_is_guessed_from_everywhere_waits_but_is_never_refused),
        T(a_name_counts_in_whatever_case),
        T(a_network_of_ipv6_is_one_address_and_mapped_ones_are_many),
        T(a_flood_of_others_does_not_wash_away_what_counts),
        T(old_failures_are_forgotten_for_new_ones),
        T(keys_are_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
