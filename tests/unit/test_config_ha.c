/* The configuration of a site that has two states: ctibus.ha. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/config_place.h"

#define DATABASE "\"database\":\"postgresql://u:p@db.example.org/ctibus\""
#define PEER(name, host)                                                                           \
    "\"" name "\":{\"publish\":\"tcp://" host ":1\",\"subscribe\":\"tcp://" host                   \
    ":2\",\"request\":\"tcp://" host ":3\"}"
#define TWO PEER("cti1", "10.0.0.1") "," PEER("cti2", "10.0.0.2")
/* A configuration; `more` follows the peers in ctibus.ha. */
#define HA(peers, more) "{\"ctibus\":{\"ha\":{\"peers\":{" peers "}" more "}," DATABASE "}}"

static void load(struct place *p, const char *text, const char *const *sets)
{
    config_destroy(&p->cfg);
    p->cfg = load_over(p, text, NULL, sets);
}

static void load_good(struct place *p, const char *text)
{
    load(p, text, NULL);
    for (size_t i = 0; i < p->errors.count; i++)
        print_error("%s: %s\n", p->errors.list[i].key, p->errors.list[i].reason);
    assert_non_null(p->cfg);
    assert_int_equal(p->errors.count, 0);
}

/* Exactly one fault. */
static void assert_fault(struct place *p, const char *text, const char *key, const char *reason)
{
    load(p, text, NULL);
    assert_null(p->cfg);
    assert_int_equal(p->errors.count, 1);
    assert_string_equal(p->errors.list[0].key, key);
    if (!strstr(p->errors.list[0].reason, reason))
        fail_msg("not \"%s\": %s", reason, p->errors.list[0].reason);
}

static void assert_endpoints(const struct config *cfg, const char *what, const char *endpoints)
{
    char *text = config_bus_endpoints(cfg, what);

    assert_non_null(text);
    assert_string_equal(text, endpoints);
    free(text);
}

/* The name of this machine, up to the first dot. */
static const char *machine(void)
{
    static char name[64];

    assert_int_equal(gethostname(name, sizeof(name)), 0);
    name[strcspn(name, ".")] = '\0';
    return name;
}

static void a_site_with_one_state_has_no_peers(void **state)
{
    static const char *const texts[] = {"{}", "{\"ctibus\":{\"ha\":{\"name\":\"cti1\"}}}",
                                        "{\"ctibus\":{\"ha\":{\"peers\":{}}}}"};
    struct place *p = *state;
    char host[64];

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        load_good(p, texts[i]);
        assert_false(config_ha(p->cfg));
        assert_null(config_ha_name(p->cfg, host));
        assert_null(config_ha_peer(p->cfg, 0, NULL));
        assert_null(config_ha_peer(p->cfg, 0, "request"));
        assert_endpoints(p->cfg, "request", "tcp://127.0.0.1:5552");
        assert_string_equal(config_bus_bind(p->cfg, "request"), "tcp://127.0.0.1:5552");
    }
    load_good(p, "{\"ctibus\":{\"bus\":{\"publish\":\"tcp://10.0.0.9:7\"}}}");
    assert_endpoints(p->cfg, "publish", "tcp://10.0.0.9:7");
    assert_string_equal(config_bus_bind(p->cfg, "publish"), "tcp://10.0.0.9:7");
}

static void peers_are_where_all_connect_to(void **state)
{
    struct place *p = *state;

    load_good(p, HA(TWO, ",\"name\":\"cti2\""));
    assert_true(config_ha(p->cfg));
    assert_string_equal(config_ha_peer(p->cfg, 0, NULL), "cti1");
    assert_string_equal(config_ha_peer(p->cfg, 1, NULL), "cti2");
    assert_null(config_ha_peer(p->cfg, 2, NULL));
    assert_string_equal(config_ha_peer(p->cfg, 0, "publish"), "tcp://10.0.0.1:1");
    assert_string_equal(config_ha_peer(p->cfg, 1, "request"), "tcp://10.0.0.2:3");
    assert_null(config_ha_peer(p->cfg, 2, "request"));
    assert_endpoints(p->cfg, "publish", "tcp://10.0.0.1:1 tcp://10.0.0.2:1");
    assert_endpoints(p->cfg, "subscribe", "tcp://10.0.0.1:2 tcp://10.0.0.2:2");
    assert_endpoints(p->cfg, "request", "tcp://10.0.0.1:3 tcp://10.0.0.2:3");
    load_good(p, HA(TWO "," PEER("c", "c") "," PEER("D_-9", "d"), ""));
    assert_endpoints(p->cfg, "request", "tcp://10.0.0.1:3 tcp://10.0.0.2:3 tcp://c:3 tcp://d:3");
}

static void a_state_binds_to_its_own(void **state)
{
    static const char *const over[] = {"ctibus.bus.request=tcp://0.0.0.0:5552", NULL};
    struct place *p = *state;

    load_good(p, HA(TWO, ",\"name\":\"cti2\""));
    assert_string_equal(config_bus_bind(p->cfg, "publish"), "tcp://10.0.0.2:1");
    assert_string_equal(config_bus_bind(p->cfg, "subscribe"), "tcp://10.0.0.2:2");
    assert_string_equal(config_bus_bind(p->cfg, "request"), "tcp://10.0.0.2:3");
    load(p, HA(TWO, ",\"name\":\"cti1\""), over); /* in a container */
    assert_non_null(p->cfg);
    assert_string_equal(config_bus_bind(p->cfg, "publish"), "tcp://10.0.0.1:1");
    assert_string_equal(config_bus_bind(p->cfg, "request"), "tcp://0.0.0.0:5552");
    assert_endpoints(p->cfg, "request", "tcp://10.0.0.1:3 tcp://10.0.0.2:3");
}

static void its_name_is_given_or_that_of_its_machine(void **state)
{
    struct place *p = *state;
    char host[64], text[600];

    load_good(p, HA(TWO, ",\"name\":\"cti1\""));
    memset(host, 'x', sizeof(host));
    assert_string_equal(config_ha_name(p->cfg, host), "cti1");
    snprintf(text, sizeof(text), HA(PEER("%s", "h1") "," PEER("zz", "h2"), ""), machine());
    load_good(p, text);
    memset(host, 'x', sizeof(host));
    assert_string_equal(config_ha_name(p->cfg, host), machine());
    assert_string_equal(config_bus_bind(p->cfg, "request"), "tcp://h1:3");
    snprintf(text, sizeof(text), HA(PEER("%s", "h1") "," PEER("zz", "h2"), ",\"name\":\"zz\""),
             machine());
    load_good(p, text);
    assert_string_equal(config_ha_name(p->cfg, host), "zz");
    assert_string_equal(config_bus_bind(p->cfg, "request"), "tcp://h2:3");
}

static void one_that_is_no_peer_has_no_name(void **state)
{
    static const char *const more[] = {
        HA(PEER("zz1", "a") "," PEER("zz2", "b"), ""),
        HA(PEER("zz1", "a") "," PEER("zz2", "b"), ",\"name\":\"\""),
        HA(PEER("zz1", "a") "," PEER("zz2", "b"), ",\"name\":\"zz\"")};
    struct place *p = *state;
    char host[64];

    for (size_t i = 0; i < 3; i++) {
        load_good(p, more[i]);
        memset(host, 'x', sizeof(host));
        assert_null(config_ha_name(p->cfg, host));
        host[63] = '\0';
        assert_string_equal(host, machine()); /* to be told what it could have been */
        assert_string_equal(config_bus_bind(p->cfg, "request"), "tcp://127.0.0.1:5552");
        assert_endpoints(p->cfg, "request", "tcp://a:3 tcp://b:3");
    }
}

#define N63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"

static void each_fault_is_told(void **state)
{
    static const char two[] = "names 1 states: 2 to 4 are possible";
    struct place *p = *state;

    assert_fault(p, HA(PEER("cti1", "a"), ""), "ctibus.ha.peers", two);
    assert_fault(p, HA(TWO "," PEER("c", "c") "," PEER("d", "d") "," PEER("e", "e"), ""),
                 "ctibus.ha.peers", "names 5 states: 2 to 4 are possible");
    assert_fault(p, HA(PEER("cti 1", "a") "," PEER("b", "b"), ""), "ctibus.ha.peers.cti 1",
                 "is no name: letters, digits, - and _, at most 63");
    assert_fault(p, HA(PEER("", "a") "," PEER("b", "b"), ""), "ctibus.ha.peers.", "is no name");
    assert_fault(p, HA(PEER(N63 "4", "a") "," PEER("b", "b"), ""), "ctibus.ha.peers." N63 "4",
                 "is no name");
    load_good(p, HA(PEER(N63, "a") "," PEER("b", "b"), ""));
    assert_fault(
        p, HA(PEER("a", "a") ",\"b\":{\"publish\":\"tcp://b:1\",\"request\":\"tcp://b:3\"}", ""),
        "ctibus.ha.peers.b.subscribe", "is missing");
    assert_fault(p,
                 HA(PEER("a", "a") ",\"b\":{\"publish\":\"tcp://b:1\",\"subscribe\":\"b:2\","
                                   "\"request\":\"tcp://b:3\"}",
                    ""),
                 "ctibus.ha.peers.b.subscribe", "must be");
    assert_fault(p, HA(PEER("a", "a") ",\"b\":\"tcp://b:1\"", ""), "ctibus.ha.peers.b", "must be");
    /* only state needs a database, and says so: gateways need not know where it is */
    load_good(p, "{\"ctibus\":{\"ha\":{\"peers\":{" TWO "}}}}");
    assert_fault(p, "{\"ctibus\":{\"ha\":{\"peers\":7}," DATABASE "}}", "ctibus.ha.peers",
                 "must be");
    assert_fault(p, HA(TWO, ",\"silent_ms\":1999"), "ctibus.ha.silent_ms", "2000");
}

/* Several endpoints are told from each other by the space between them. */
static void an_endpoint_has_no_space(void **state)
{
    struct place *p = *state;

    assert_fault(p,
                 HA(PEER("a", "a") ",\"b\":{\"publish\":\"tcp://b:1\",\"subscribe\":\"tcp://b:2\","
                                   "\"request\":\"tcp://b:3 tcp://c:3\"}",
                    ""),
                 "ctibus.ha.peers.b.request", "must be");
    assert_fault(p, "{\"ctibus\":{\"bus\":{\"request\":\"tcp://b:3 tcp://c:3\"}}}",
                 "ctibus.bus.request", "must be");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_site_with_one_state_has_no_peers), T(peers_are_where_all_connect_to),
        T(a_state_binds_to_its_own),           T(its_name_is_given_or_that_of_its_machine),
        T(one_that_is_no_peer_has_no_name),    T(each_fault_is_told),
        T(an_endpoint_has_no_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
