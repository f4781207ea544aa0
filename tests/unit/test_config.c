#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/config_place.h"
#include "support/doc_table.h"

#include "base/array.h"
#include "config/config.h"

static void print(void *arg, const struct config_error *e)
{
    print_error("%s: %s: %s\n", e->file, e->key, e->reason);
}

static struct config *load_good(struct place *p, const char *text)
{
    struct config *cfg = load_over(p, text, NULL, NULL);

    config_each_error(&p->errors, print, NULL);
    assert_non_null(cfg);
    assert_int_equal(p->errors.count, 0);
    return cfg;
}

/* Whether some fault is of this key, its reason containing `part`. */
static bool has_fault(const struct place *p, const char *key, const char *part)
{
    for (size_t i = 0; i < p->errors.count; i++)
        if (strcmp(p->errors.list[i].key, key) == 0 && strstr(p->errors.list[i].reason, part))
            return true;
    return false;
}

/* Exactly one fault. */
static void assert_fault(struct place *p, const char *text, const char *key, const char *part)
{
    assert_null(load_over(p, text, NULL, NULL));
    if (p->errors.count != 1 || !has_fault(p, key, part)) {
        config_each_error(&p->errors, print, NULL);
        fail_msg("not just %s: %s in %s", key, part, text);
    }
    assert_string_equal(p->errors.list[0].file, p->file);
}

static void test_defaults(void **state)
{
    struct place *p = *state;
    struct config *cfg = load_good(p, "{}");
    char addr[64];

    assert_string_equal(config_str(cfg, "ctibus.bus.publish"), "tcp://127.0.0.1:5550");
    assert_string_equal(config_str(cfg, "ctibus.http.ami-gw"), "127.0.0.1:9102");
    assert_string_equal(config_str(cfg, "ctibus.database"), "sqlite:ctibus.db");
    assert_null(config_str(cfg, "certfile"));
    assert_null(config_str(cfg, "ctibus.curve.server_key"));
    assert_int_equal(config_int(cfg, "ctibus.bus.hwm"), 300000);
    assert_int_equal(config_int(cfg, "main.logintimeout"), 5);
    assert_int_equal(config_int(cfg, "ctibus.cti.max_clients"), 10000);
    assert_false(config_bool(cfg, "ctibus.cti.proxy_protocol"));
    assert_true(config_listen(cfg, "main.incoming_tcp.CTI", addr, sizeof(addr)));
    assert_string_equal(addr, "0.0.0.0:5003");
    assert_false(config_listen(cfg, "main.incoming_tcp.CTIS", addr, sizeof(addr)));
    assert_null(config_section(cfg, "profiles"));
    assert_string_equal(config_dir(cfg), p->dir);
    config_destroy(&cfg);
    assert_null(cfg);
}

static void test_values(void **state)
{
    struct config *cfg = load_good(
        *state, "{\"main\":{\"incoming_tcp\":{\"CTI\":[\"127.0.0.1\",\"6003\"],"
                "\"CTIS\":[\"::1\",0,true],\"WEBI\":[\"0.0.0.0\",5004,false]},"
                "\"logintimeout\":\"30\",\"updates_period\":null,"
                "\"parting_astid_context\":[\"context\"]},"
                "\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"10.0.0.1\","
                "\"username\":\"u\",\"password\":\"p\",\"tls\":true}}},"
                "\"profiles\":{\"a\":{\"name\":\"A\"}},\"anything\":[1],"
                "\"ctibus\":{\"bus\":{\"hwm\":1000,\"publish\":\"ipc:///tmp/x\",\"request\":"
                "\"tcp://*:0\",\"subscribe\":\"tcp://127.0.0.1:*\"},\"curve\":null,"
                "\"http\":{\"state\":null,\"cti-gw\":\"\"},\"cti\":{\"websocket\":\"[::]:0\"}}}");
    char addr[64];

    assert_true(config_listen(cfg, "main.incoming_tcp.CTI", addr, sizeof(addr)));
    assert_string_equal(addr, "127.0.0.1:6003");
    assert_true(config_listen(cfg, "main.incoming_tcp.CTIS", addr, sizeof(addr)));
    assert_string_equal(addr, "[::1]:0");
    assert_false(config_listen(cfg, "main.incoming_tcp.WEBI", addr, sizeof(addr)));
    assert_int_equal(config_int(cfg, "main.logintimeout"), 30);
    assert_int_equal(config_int(cfg, "main.updates_period"), 3600);
    assert_int_equal(config_int(cfg, "ctibus.bus.hwm"), 1000);
    assert_null(config_str(cfg, "ctibus.http.state"));
    assert_null(config_str(cfg, "ctibus.http.cti-gw"));
    assert_string_equal(config_str(cfg, "ctibus.cti.websocket"), "[::]:0");
    assert_string_equal(config_str(cfg, "ipbxes.xivo.ipbx_connection.ipaddress"), "10.0.0.1");
    assert_int_equal(config_int(cfg, "ipbxes.xivo.ipbx_connection.ipport"), 5038);
    assert_true(config_bool(cfg, "ipbxes.xivo.ipbx_connection.tls"));
    assert_non_null(config_section(cfg, "profiles"));
    assert_null(config_section(cfg, "anything"));
    assert_non_null(config_get(cfg, "anything"));
    assert_non_null(config_get(cfg, "profiles.a.name"));
    assert_null(config_get(cfg, "profiles.b.name"));
    config_destroy(&cfg);
}

static void test_paths(void **state)
{
    struct place *p = *state;
    struct config *cfg = load_good(p, "{}");
    char expected[128];
    char *path;

    snprintf(expected, sizeof(expected), "%s/users.json", p->dir);
    path = config_path(cfg, VIEW("file:users.json"));
    assert_string_equal(path, expected);
    free(path);
    path = config_path(cfg, VIEW("file:///etc/users.json"));
    assert_string_equal(path, "/etc/users.json");
    free(path);
    path = config_path(cfg, VIEW("/etc/users.json"));
    assert_string_equal(path, "/etc/users.json");
    free(path);
    config_destroy(&cfg);
}

/* '_' in a variable stands for what no shell takes in a name. */
static void test_variables_of_names_with_dashes(void **state)
{
    static const char text[] =
        "{\"ipbxes\":{\"xivo-test\":{\"ipbx_connection\":{\"ipaddress\":\"10.0.0.1\",\"username\":"
        "\"u\",\"password\":\"p\"}},\"a-b_c\":{\"ipbx_connection\":{\"ipaddress\":\"10.0.0.2\","
        "\"username\":\"u\",\"password\":\"p\"}}}}";
    char *const env[] = {"CTIBUS_IPBXES__XIVO_TEST__IPBX_CONNECTION__PASSWORD=one",
                         "CTIBUS_IPBXES__A_B_C__IPBX_CONNECTION__PASSWORD=two", NULL};
    struct config *cfg = load_over(*state, text, env, NULL);
    struct json_object *all;

    assert_non_null(cfg);
    all = config_section(cfg, "ipbxes");
    assert_int_equal(json_object_object_length(all), 2);
    assert_string_equal(config_str(cfg, "ipbxes.xivo-test.ipbx_connection.password"), "one");
    config_destroy(&cfg);
}

static void test_bad_files(void **state)
{
    struct place *p = *state;

    assert_fault(p, "{\n\"main\": {\n\"logintimeout\": }}", "", "malformed JSON at line 3");
    assert_fault(p, "{\"a\":1", "", "malformed JSON at line 1");
    assert_fault(p, "", "", "malformed JSON");
    assert_fault(p, "{\n\"main\\u0000\": {}}", "", "malformed JSON at line 2");
    assert_fault(p, "{\"x\": [\"a\\u0000b\"]}", "", "malformed JSON at line 1");
    assert_fault(p, "{\"x\": {\"curve\": {}, \"y\": [{\"curve\": 1}],\n \"curve\": null}}", "",
                 "\"curve\" stands twice in one object, for the second time at line 2");
    assert_fault(p, "{\"a\": 1, \"b\": {\"a\": \"a\"}, \"a\": 2}", "", "\"a\" stands twice");
    assert_fault(p, "[]", "", "must be an object");
    assert_fault(p, "null", "", "must be an object");
    assert_fault(p, "{\"a\":\"\xff\"}", "", "not UTF-8");
    unlink(p->file);
    config_errors_free(&p->errors);
    assert_null(config_load(p->file, NULL, &p->errors));
    assert_true(
        has_fault(p, "", "cannot read it: No such file or directory: `ctibus setup` makes"));
    config_errors_free(&p->errors);
    assert_null(config_load("/", NULL, &p->errors));
    assert_true(has_fault(p, "", "cannot read it: Is a directory"));
}

static void test_types_and_ranges(void **state)
{
    static const struct {
        const char *text, *key, *part;
    } bad[] = {
        {"{\"main\":[1]}", "main", "must be an object"},
        {"{\"ctibus\":{\"bus\":5}}", "ctibus.bus", "must be an object"},
        {"{\"ctibus\":{\"bus\":{\"hwm\":\"many\"}}}", "ctibus.bus.hwm", "a whole number"},
        {"{\"ctibus\":{\"bus\":{\"hwm\":\"2000\"}}}", "ctibus.bus.hwm", "a whole number"},
        {"{\"ctibus\":{\"bus\":{\"hwm\":2000.5}}}", "ctibus.bus.hwm", "a whole number"},
        {"{\"ctibus\":{\"bus\":{\"hwm\":999}}}", "ctibus.bus.hwm", "999 is out of range: 1000 to"},
        {"{\"ctibus\":{\"bus\":{\"hwm\":99999999999999999999}}}", "ctibus.bus.hwm", "range"},
        {"{\"main\":{\"logintimeout\":0}}", "main.logintimeout", "out of range"},
        {"{\"main\":{\"parting_astid_context\":\"context\"}}", "main.parting_astid_context",
         "an array of strings"},
        {"{\"main\":{\"parting_astid_context\":[\"colour\"]}}", "main.parting_astid_context",
         "\"colour\" is none of"},
        {"{\"main\":{\"incoming_tcp\":{\"CTI\":5003}}}", "main.incoming_tcp.CTI", "a listener"},
        {"{\"main\":{\"incoming_tcp\":{\"CTI\":[\"a\",70000,true]}}}", "main.incoming_tcp.CTI",
         "the port must be"},
        {"{\"main\":{\"incoming_tcp\":{\"CTI\":[\"a\",1,\"yes\"]}}}", "main.incoming_tcp.CTI",
         "a listener"},
        {"{\"ctibus\":{\"http\":{\"state\":\"9101\"}}}", "ctibus.http.state", "an address"},
        {"{\"ctibus\":{\"http\":{\"state\":9101}}}", "ctibus.http.state", "an address"},
        {"{\"ctibus\":{\"bus\":{\"publish\":\"127.0.0.1:5550\"}}}", "ctibus.bus.publish",
         "an endpoint"},
        {"{\"ctibus\":{\"database\":\"mysql:x\"}}", "ctibus.database", "a database"},
        {"{\"ctibus\":{\"database\":\"postgresql://a:b@h\"}}", "ctibus.database",
         "has no database"},
        {"{\"ctibus\":{\"database\":\"postgresql://h/d\"}}", "ctibus.database", "has no user"},
        {"{\"ctibus\":{\"cti\":{\"proxy_protocol\":\"no\"}}}", "ctibus.cti.proxy_protocol",
         "true or false"},
        {"{\"ctibus\":{\"cti\":{\"tls_min\":\"3\"}}}", "ctibus.cti.tls_min", "none of"},
        {"{\"ctibus\":{\"log\":{\"level\":\"loud\"}}}", "ctibus.log.level", "none of"},
        {"{\"ctibus\":{\"trusted\":[1]}}", "ctibus.trusted", "an array of strings"},
        {"{\"ctibus\":{\"access\":{\"webi\":\"127.0.0.1\"}}}", "ctibus.access.webi",
         "an array of addresses and networks"},
        {"{\"ctibus\":{\"access\":{\"info\":[1]}}}", "ctibus.access.info",
         "an array of addresses and networks"},
        {"{\"ctibus\":{\"access\":{\"info\":[\"::1\",\"10.0.0.1/8\"]}}}", "ctibus.access.info",
         "\"10.0.0.1/8\" has bits that its length does not count"},
        {"{\"ctibus\":{\"access\":{\"info\":[\"localhost\"]}}}", "ctibus.access.info",
         "\"localhost\" is neither an address nor a network"},
        {"{\"ipbxes\":{\"a\":{\"ipbx_connection\":{\"ipaddress\":\"h\",\"username\":\"u\","
         "\"password\":\"p\"}}},\"ctibus\":{\"features\":{\"publish\":[\"userfeatures\"]}}}",
         "ctibus.features.publish", "no IPBX has a userfeatures_db_uri"},
        {"{\"ipbxes\":{\"a\":{\"ipbx_connection\":{\"ipaddress\":\"h\",\"username\":\"u\","
         "\"password\":\"p\"},\"userfeatures_db_uri\":\"mysql://a:b@h/"
         "d\"}},\"ctibus\":{\"features\":{\"publish\":[\"userfeatures\"]}}}",
         "ipbxes.a.userfeatures_db_uri", "no address of PostgreSQL"},
        {"{\"ipbxes\":{\"a\":{\"ipbx_connection\":{\"ipaddress\":\"h\",\"username\":\"u\","
         "\"password\":\"p\"},\"userfeatures_db_uri\":\"postgresql://"
         "a:b@h\"}},\"ctibus\":{\"features\":{\"publish\":[\"userfeatures\"]}}}",
         "ipbxes.a.userfeatures_db_uri", "has no database"},
        {"{\"ipbxes\":{\"a\":{\"ipbx_connection\":{\"ipaddress\":\"h\",\"username\":\"u\","
         "\"password\":\"p\"},\"userfeatures_db_uri\":7}},\"ctibus\":{\"features\":{\"publish\":["
         "\"userfeatures\"]}}}",
         "ipbxes.a.userfeatures_db_uri", "must be a string"},
        {"{\"ipbxes\":{\"a\":{\"ipbx_connection\":{\"ipaddress\":\"h\",\"username\":\"u\","
         "\"password\":\"p\"},\"userfeatures_db_uri\":\"postgresql://a:b@h/"
         "d\"}},\"ctibus\":{\"features\":{\"publish\":[\"userfeatures\"],\"userfeatures\":{\"db_"
         "uri\":\"postgresql://a@h:x/d\"}}}}",
         "ctibus.features.userfeatures.db_uri", "has a port"},
        {"{\"ipbxes\":{\"a\":{\"ipbx_connection\":{\"ipaddress\":\"h\",\"username\":\"u\","
         "\"password\":\"p\"}},\"b\":{\"ipbx_connection\":{\"ipaddress\":\"h\",\"username\":\"u\","
         "\"password\":\"p\"}}},\"ctibus\":{\"features\":{\"publish\":[\"userfeatures\"],"
         "\"userfeatures\":{\"db_uri\":\"postgresql://a@h/d\"}}}}",
         "ctibus.features.userfeatures.db_uri", "several IPBXes"},
        {"{\"ctibus\":{\"features\":{\"publish\":[\"ami\"]}}}", "ctibus.features.publish",
         "\"ami\" is none of"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":\"DND\"}}}}", "ctibus.features.astdb.dnd",
         "must be FAMILY/KEY"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":\"DND/x\"}}}}", "ctibus.features.astdb.dnd",
         "write {number} or {userid}"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":\"DND/{context}\"}}}}",
         "ctibus.features.astdb.dnd", "write {number} or {userid}"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":\"{number}/DND\"}}}}",
         "ctibus.features.astdb.dnd", "must begin with a family"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":\"DND/{exten}\"}}}}",
         "ctibus.features.astdb.dnd", "other words in braces"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":\"DND/{number\"}}}}",
         "ctibus.features.astdb.dnd", "a { without a }"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":\"DND/number}\"}}}}",
         "ctibus.features.astdb.dnd", "a } without a {"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":\"D ND/{number}\"}}}}",
         "ctibus.features.astdb.dnd", "has blanks"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"dnd\":7}}}}", "ctibus.features.astdb.dnd",
         "must be a string"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"busy\":\"CF/{number}\"}}}}",
         "ctibus.features.astdb.busy", "the same as ctibus.features.astdb.unc"},
        {"{\"ctibus\":{\"features\":{\"astdb\":{\"on\":\"no\"}}}}", "ctibus.features.astdb.on",
         "write YES"},
        {"{\"ctibus\":{\"features\":{\"devstate\":{\"dnd\":\"SIP/{number}\"}}}}",
         "ctibus.features.devstate.dnd", "must begin with Custom:"},
        {"{\"ctibus\":{\"features\":{\"devstate\":{\"on\":\"ON\"}}}}",
         "ctibus.features.devstate.on", "none of BUSY|INUSE"},
        {"{\"ctibus\":{\"console\":{\"token\":\"short\"}}}", "ctibus.console.token",
         "at least 16 characters"},
        {"{\"ctibus\":{\"console\":{\"token\":\"sixteen and blank\"}}}", "ctibus.console.token",
         "without blanks"},
        {"{\"ctibus\":{\"curve\":{\"own_key\":\"own.key\"}}}", "ctibus.curve", "both needed"},
        {"{\"ctibus\":{\"curve\":{\"server_key\":\"x\"}}}", "ctibus.curve", "both needed"},
        {"{\"certfile\":5}", "certfile", "a string"},
        {"{\"profiles\":[1]}", "profiles", "must be an object"},
        {"{\"sheets\":\"none\"}", "sheets", "must be an object"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_fault(*state, bad[i].text, bad[i].key, bad[i].part);
}

static void test_unknown_keys(void **state)
{
    struct place *p = *state;

    assert_fault(p, "{\"ctibus\":{\"bus\":{\"publsh\":\"x\"}}}", "ctibus.bus.publsh",
                 "did you mean ctibus.bus.publish?");
    assert_fault(p, "{\"ctibus\":{\"buss\":{}}}", "ctibus.buss", "did you mean ctibus.bus?");
    assert_fault(p, "{\"ctibus\":{\"completely_else\":1}}", "ctibus.completely_else",
                 "unknown key");
    assert_null(strstr(p->errors.list[0].reason, "mean"));
    assert_fault(p, "{\"ctibus\":{\"bus.hwm\":1}}", "ctibus.bus.hwm", "unknown key");
}

struct note {
    const char *key, *part;
    int count, all;
};

static void find_note(void *arg, const struct config_error *e)
{
    struct note *n = arg;

    n->all++;
    if (strcmp(e->key, n->key) == 0 && strstr(e->reason, n->part))
        n->count++;
}

static void assert_note(const struct config *cfg, const char *key, const char *part)
{
    struct note n = {key, part, 0, 0};

    config_each_note(cfg, find_note, &n);
    if (n.count != 1)
        fail_msg("not noted once but %d times: %s: %s", n.count, key, part);
}

static int count_notes(const struct config *cfg)
{
    struct note n = {"", "", 0, 0};

    config_each_note(cfg, find_note, &n);
    return n.all;
}

/* What a XiVO has beyond is told, and no fault, with and without a section of ours. */
static void test_unknown_keys_of_a_xivo(void **state)
{
    static const char *const ours[] = {"", ",\"ctibus\":{}"};

    for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
        char text[1024];
        struct config *cfg;
        snprintf(text, sizeof(text),
                 "{\"main\":{\"loginTimeout\":1,\"asterisklist\":[\"x\"],\"new\":{\"a\":1},"
                 "\"asterisk_queuestat_db\":\"postgresql://x\",\"incoming_tcp\":{\"MORE\":[]}},"
                 "\"ipbxes\":{\"x\":{\"ipbx_connection\":{\"ipaddress\":\"a\",\"username\":\"u\","
                 "\"password\":\"p\",\"loginname\":\"l\"},\"timezone\":\"Europe/Paris\"}},"
                 "\"profiles\":[],\"bench\":0.25,\"channelstatus\":{}%s}",
                 ours[i]);
        cfg = load_good(*state, text);
        assert_note(cfg, "main.loginTimeout", "did you mean main.logintimeout?");
        assert_note(cfg, "main.new", "unknown key, not used");
        assert_note(cfg, "main.incoming_tcp.MORE", "unknown key");
        assert_note(cfg, "ipbxes.x.ipbx_connection.loginname", "unknown key");
        assert_note(cfg, "channelstatus", "unknown section");
        assert_int_equal(count_notes(cfg), 5);
        config_destroy(&cfg);
    }
}

#define AMI "\"ipbx_connection\":{\"ipaddress\":\"a\",\"username\":\"u\",\"password\":\"p\"}"

/* Early and late XiVOs write the connection to their Asterisk beside `ipbxes`. */
static void test_connection_beside_the_ipbxes(void **state)
{
    char *const env[] = {(char *)"CTIBUS_IPBXES__XIVO__IPBX_CONNECTION__PASSWORD=other", NULL};
    struct place *p = *state;
    struct config *cfg;

    cfg = load_good(p, "{" AMI ",\"ipbxes\":{\"host\":{\"urllists\":{}}}}");
    assert_string_equal(
        json_object_get_string(config_get(cfg, "ipbxes.host.ipbx_connection.username")), "u");
    assert_note(cfg, "ipbx_connection", "is taken as ipbxes.host.ipbx_connection");
    config_destroy(&cfg);
    cfg = load_over(p, "{" AMI "}", env, NULL);
    assert_non_null(cfg);
    assert_string_equal(
        json_object_get_string(config_get(cfg, "ipbxes.xivo.ipbx_connection.ipaddress")), "a");
    assert_string_equal(
        json_object_get_string(config_get(cfg, "ipbxes.xivo.ipbx_connection.password")), "other");
    config_destroy(&cfg);
    cfg = load_good(p, "{" AMI ",\"ipbxes\":{\"host\":{" AMI "}}}");
    assert_note(cfg, "ipbx_connection", "is not used");
    config_destroy(&cfg);
    assert_null(load_over(p, "{" AMI ",\"ipbxes\":{\"a\":{},\"b\":{}}}", NULL, NULL));
    assert_true(has_fault(p, "ipbxes.a", "neither"));
    assert_fault(p, "{\"ipbx_connection\":{\"ipaddress\":\"a\",\"username\":\"u\"}}",
                 "ipbxes.xivo.ipbx_connection.password", "is missing");
    assert_fault(p, "{" AMI ",\"ipbxes\":5}", "ipbxes", "must be an object");
}

/* The web interface of a XiVO generates these. */
/* Variables name the section as the file does. */
static void test_the_name_of_the_only_ipbx(void **state)
{
    struct place *p = *state;
    char *env[] = {"CTIBUS__IPBX__NAME=paris",
                   "CTIBUS_IPBXES__XIVO__IPBX_CONNECTION__IPADDRESS=pbx.example.org", NULL};
    struct config *cfg = load_over(p, "{\"ipbxes\":{\"xivo\":{" AMI "}}}", env, NULL);

    assert_non_null(cfg);
    assert_string_equal(
        json_object_get_string(config_get(cfg, "ipbxes.paris.ipbx_connection.ipaddress")),
        "pbx.example.org");
    assert_null(config_get(cfg, "ipbxes.xivo.ipbx_connection.ipaddress"));
    config_destroy(&cfg);
    env[0] = "CTIBUS__IPBX__NAME=xivo";
    cfg = load_over(p, "{\"ipbxes\":{\"xivo\":{" AMI "}}}", env, NULL);
    assert_non_null(config_get(cfg, "ipbxes.xivo.ipbx_connection.ipaddress"));
    config_destroy(&cfg);
    env[1] = NULL;
    assert_null(load_over(p, "{\"ipbxes\":{\"a\":{" AMI "},\"b\":{" AMI "}}}", env, NULL));
    assert_true(has_fault(p, "ctibus.ipbx.name", "one ipbx"));
}

static void test_empty_tables_of_a_xivo(void **state)
{
    struct config *cfg = load_good(
        *state,
        "{\"directories\":{\"internal\":{\"uri\":\"internal\"}},"
        "\"displays\":{\"n\":null,\"f\":false,\"e\":[]},"
        "\"contexts\":{\"a\":{\"directories\":[\"\"],\"display\":\"n\"},"
        "\"b\":{\"directories\":[\"internal\",\"of a removed filter\"],\"display\":\"\"}}}");

    assert_note(cfg, "displays.n", "has no columns");
    assert_note(cfg, "displays.f", "has no columns");
    assert_note(cfg, "displays.e", "has no columns");
    assert_note(cfg, "contexts.b.directories", "is left out");
    assert_int_equal(count_notes(cfg), 4);
    config_destroy(&cfg);
}

#define LINK "{\"ipaddress\":\"a\",\"username\":\"u\",\"password\":\"p\"}"
#define USERS_KEY "ipbxes.x.urllists.urllist_users"
#define USERS_FROM(uri)                                                                            \
    "{\"x\":{\"ipbx_connection\":" LINK ",\"urllists\":{\"urllist_users\":[\"" uri "\"]}}}"

static void test_ipbxes(void **state)
{
    static const struct {
        const char *ipbxes, *key, *part;
    } bad[] = {
        {"{\"x\":{}}", "ipbxes.x", "neither ipbx_connection, cti_connection nor peer"},
        {"{\"x\":{\"ipbx_connection\":null}}", "ipbxes.x", "neither"},
        {"{\"x\":5}", "ipbxes.x", "must be an object"},
        {"{\"x\":{\"ipbx_connection\":5}}", "ipbxes.x.ipbx_connection", "must be an object"},
        {"{\"x\":{\"ipbx_connection\":{\"username\":\"u\",\"password\":\"p\"}}}",
         "ipbxes.x.ipbx_connection.ipaddress", "is missing"},
        {"{\"x\":{\"ipbx_connection\":{\"ipaddress\":\"a\",\"password\":\"p\"}}}",
         "ipbxes.x.ipbx_connection.username", "is missing"},
        {"{\"x\":{\"cti_connection\":{\"ipaddress\":\"a\",\"username\":\"p\"}}}",
         "ipbxes.x.cti_connection.password", "is missing"},
        {"{\"x\":{\"ipbx_connection\":{\"ipaddress\":\"\",\"username\":\"u\",\"password\":\"p\"}}}",
         "ipbxes.x.ipbx_connection.ipaddress", "must not be empty"},
        {"{\"x\":{\"ipbx_connection\":{\"ipaddress\":\"a\",\"username\":\"u\",\"password\":\"p\","
         "\"ipport\":0}}}",
         "ipbxes.x.ipbx_connection.ipport", "out of range"},
        {"{\"x\":{\"peer\":{\"publish\":\"tcp://a:1\",\"publickey\":\"k\"}}}",
         "ipbxes.x.peer.request", "is missing"},
        {"{\"x\":{\"peer\":{\"publish\":\"a:1\",\"request\":\"tcp://a:2\",\"publickey\":\"k\"}}}",
         "ipbxes.x.peer.publish", "an endpoint"},
        {"{\"a.b\":{\"ipbx_connection\":" LINK "}}", "ipbxes.a.b", "an id must not"},
        {"{\"a/b\":{\"ipbx_connection\":" LINK "}}", "ipbxes.a/b", "an id must not"},
        {"{\"a b\":{\"ipbx_connection\":" LINK "}}", "ipbxes.a b", "an id must not"},
        {"{\"\":{\"ipbx_connection\":" LINK "}}", "ipbxes.", "an id must not"},
        {"{\"x\":{\"ipbx_connection\":" LINK ",\"urllists\":{\"urllist_users\":[\"users.json\"]}}}",
         "ipbxes.x.urllists.urllist_users", "\"users.json\" is none"},
        {"{\"x\":{\"ipbx_connection\":" LINK ",\"urllists\":{\"urllist_users\":\"file:x\"}}}",
         "ipbxes.x.urllists.urllist_users", "must be an array"},
        {"{\"x\":{\"ipbx_connection\":" LINK ",\"urllists\":{\"urllist_users\":[5]}}}",
         "ipbxes.x.urllists.urllist_users", "5 is none"},
        {USERS_FROM("ftp://u:p@h/x"), USERS_KEY, "ftp: is none"},
        {USERS_FROM("http://"), USERS_KEY, "no host"},
        {USERS_FROM("https://u:p@/users"), USERS_KEY, "no host"},
        {USERS_FROM("http://h:port/"), USERS_KEY, "a port that is not"},
        {USERS_FROM("http://h:0"), USERS_KEY, "a port that is not"},
        {USERS_FROM("http://h/a b"), USERS_KEY, "has blanks"},
        {"{\"x\":{\"ipbx_connection\":" LINK ",\"urllists\":[5]}}", "ipbxes.x.urllists",
         "must be an object"},
    };
    struct config *cfg;
    char text[512];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        snprintf(text, sizeof(text), "{\"ipbxes\":%s}", bad[i].ipbxes);
        assert_fault(*state, text, bad[i].key, bad[i].part);
    }
    cfg = load_good(*state,
                    "{\"ipbxes\":{\"a\":{\"ipbx_connection\":" LINK ",\"cdr_db_uri\":\"x\","
                    "\"urllists\":{\"urllist_users\":[\"file:u\",\"http://h/u\",\"https://h/u\","
                    "\"http://u:p@h:8080?x=@\",\"https://[::1]\",\"https://[::1]:443/a:b\"],"
                    "\"urllist_lines\":null}},\"b\":{\"cti_connection\":" LINK "},\"c\":{\"peer\":"
                    "{\"publish\":\"tcp://h:1\",\"request\":\"tcp://h:2\",\"publickey\":\"k\"}}}}");
    config_destroy(&cfg);
}

static void test_profiles(void **state)
{
    static const char *const sections[] = {"userstatus",   "phonestatus", "regcommands",
                                           "ipbxcommands", "services",    "preferences"};
    struct config *cfg;
    char text[256];
    char key[64];

    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        snprintf(key, sizeof(key), "profiles.p.%s", sections[i]);
        snprintf(text, sizeof(text), "{\"profiles\":{\"p\":{\"%s\":\"no\"}},\"%s\":{\"std\":{}}}",
                 sections[i], sections[i]);
        assert_fault(*state, text, key, "there is no \"no\" in ");
        snprintf(text, sizeof(text), "{\"profiles\":{\"p\":{\"%s\":\"no\"}}}", sections[i]);
        assert_fault(*state, text, key, "there is no \"no\" in ");
        snprintf(text, sizeof(text), "{\"profiles\":{\"p\":{\"%s\":5}}}", sections[i]);
        assert_fault(*state, text, key, "must be the name of");
        snprintf(text, sizeof(text),
                 "{\"profiles\":{\"p\":{\"%s\":\"std\"},\"q\":{\"%s\":null},\"r\":{\"%s\":\"\"}},"
                 "\"%s\":{\"std\":null}}",
                 sections[i], sections[i], sections[i], sections[i]);
        cfg = load_good(*state, text);
        config_destroy(&cfg);
    }
    assert_fault(*state, "{\"profiles\":{\"p\":{\"history\":\"group\"}}}", "profiles.p.history",
                 "must be a list of");
    assert_fault(*state, "{\"profiles\":{\"p\":{\"history\":[\"group\",\"all\"]}}}",
                 "profiles.p.history", "must be a list of");
    assert_fault(*state, "{\"profiles\":{\"p\":{\"see\":[]}}}", "profiles.p.see",
                 "must be an object");
    assert_fault(*state, "{\"profiles\":{\"p\":{\"see\":{\"calls\":\"mine\"}}}}",
                 "profiles.p.see.calls", "must be \"own\"");
    assert_fault(*state, "{\"profiles\":{\"p\":{\"see\":{\"numbers\":true}}}}",
                 "profiles.p.see.numbers", "must be \"full\"");
    cfg = load_good(*state,
                    "{\"profiles\":{\"p\":{\"see\":{\"calls\":\"group\",\"numbers\":\"masked\"}},"
                    "\"q\":{\"see\":{}}}}");
    config_destroy(&cfg);
    cfg = load_good(*state, "{\"profiles\":{\"p\":{\"history\":[\"own\",\"group\",\"queue\"]},"
                            "\"q\":{\"history\":[]}}}");
    config_destroy(&cfg);
}

static void test_userfeatures_databases(void **state)
{
    static const char a[] = "{\"ipbxes\":{\"a\":{\"ipbx_connection\":" LINK
                            ",\"userfeatures_db_uri\":\"postgresql://a:b@localhost/d\"}%s},"
                            "\"ctibus\":{\"features\":{%s}}}";
    char text[512];
    struct config *cfg;

    /* a XiVO has one, whatever it is, before anybody wants it used */
    cfg = load_good(*state, "{\"ipbxes\":{\"a\":{\"ipbx_connection\":" LINK
                            ",\"userfeatures_db_uri\":\"mysql:x?timeout_ms=1\"}}}");
    assert_null(config_userfeatures_uri(cfg, "a"));
    config_destroy(&cfg);
    snprintf(text, sizeof(text), a, ",\"b\":{\"ipbx_connection\":" LINK "}",
             "\"publish\":[\"astdb\",\"userfeatures\"]");
    cfg = load_good(*state, text);
    assert_string_equal(config_userfeatures_uri(cfg, "a"), "postgresql://a:b@localhost/d");
    assert_null(config_userfeatures_uri(cfg, "b"));
    assert_null(config_userfeatures_uri(cfg, "c"));
    config_destroy(&cfg);
    snprintf(text, sizeof(text), a, "",
             "\"publish\":[\"userfeatures\"],\"userfeatures\":{\"db_uri\":"
             "\"postgresql://a:b@xivo/d\"}");
    cfg = load_good(*state, text);
    assert_string_equal(config_userfeatures_uri(cfg, "a"), "postgresql://a:b@xivo/d");
    config_destroy(&cfg);
}

/* A word that denies nothing would be taken for one that does. */
/* UPDATE_DOCS=1 writes the table anew. */
static void test_the_documented_keys(void **state)
{
    struct buf table;

    (void)state;
    buf_init(&table, 0);
    config_put_keys(&table, view_of(NULL, 0), true);
    doc_table_check(TEST_SOURCE_DIR "/docs/keys.md", "<!-- keys begin -->\n", "<!-- keys end -->\n",
                    buf_view(&table));
    buf_free(&table);
}

static void test_deny(void **state)
{
    struct config *cfg;

    assert_fault(*state, "{\"ctibus\":{\"deny\":{\"p\":[\"parking\"]}}}", "ctibus.deny.p",
                 "there is no \"p\" in profiles");
    assert_fault(*state, "{\"profiles\":{\"p\":{}},\"ctibus\":{\"deny\":{\"p\":[\"getlist\"]}}}",
                 "ctibus.deny.p", "\"getlist\" is not permitted by itself");
    assert_fault(*state, "{\"profiles\":{\"p\":{}},\"ctibus\":{\"deny\":{\"p\":\"parking\"}}}",
                 "ctibus.deny.p", "an array of strings");
    cfg = load_good(*state, "{\"profiles\":{\"p\":{}},\"ctibus\":{\"deny\":{\"p\":[\"parking\","
                            "\"people_search\"]}}}");
    config_destroy(&cfg);
}

static void test_directories(void **state)
{
    static const struct {
        const char *text, *key, *part;
    } bad[] = {
        {"\"directories\":{\"a\":5}", "directories.a", "must be an object"},
        {"\"directories\":{\"a\":{}}", "directories.a.uri", "\"\" is neither"},
        {"\"directories\":{\"a\":{\"uri\":\"ftp://u:secret@h/x\"}}", "directories.a.uri",
         "\"ftp\" is neither"},
        {"\"directories\":{\"a\":{\"uri\":\"http://u:p@\"}}", "directories.a.uri", "no host"},
        {"\"directories\":{\"a\":{\"uri\":\"internal\",\"delimiter\":\"::\"}}",
         "directories.a.delimiter", "one character"},
        {"\"directories\":{\"a\":{\"uri\":\"internal\",\"delimiter\":5}}",
         "directories.a.delimiter", "one character"},
        {"\"directories\":{\"a\":{\"uri\":\"internal\",\"delimiter\":\"\\\"\"}}",
         "directories.a.delimiter", "no quote"},
        {"\"directories\":{\"a\":{\"uri\":\"internal\",\"match_direct\":\"x\"}}",
         "directories.a.match_direct", "array of strings"},
        {"\"directories\":{\"a\":{\"uri\":\"internal\",\"field_x\":[1]}}", "directories.a.field_x",
         "array of strings"},
        {"\"displays\":{\"d\":{}}", "displays.d", "at least one column"},
        {"\"displays\":{\"d\":[5]}", "displays.d", "at least one column"},
        {"\"displays\":{\"d\":{\"x\":[\"\",\"\",\"\",\"\"]}}", "displays.d.x", "a number"},
        {"\"displays\":{\"d\":{\"1\":[\"\",\"\",\"\"]}}", "displays.d.1", "must be ["},
        {"\"displays\":{\"d\":{\"1\":[\"\",\"\",\"\",5]}}", "displays.d.1", "must be ["},
        {"\"contexts\":{\"c\":5}", "contexts.c", "must be an object"},
        {"\"contexts\":{\"c\":{\"display\":\"d\"}}", "contexts.c.display", "there is no \"d\""},
        {"\"contexts\":{\"c\":{\"display\":5}}", "contexts.c.display", "must be the name"},
        {"\"contexts\":{\"c\":{\"directories\":[\"a\"]}}", "contexts.c.directories",
         "there is no \"a\" in directories"},
        {"\"contexts\":{\"c\":{\"directories\":\"a\"}}", "contexts.c.directories",
         "array of strings"},
        {"\"contexts\":{\"c\":{\"didextens\":5}}", "contexts.c.didextens", "must be an object"},
        {"\"contexts\":{\"c\":{\"didextens\":{\"*\":[\"a\"]}}}", "contexts.c.didextens.*",
         "there is no \"a\" in directories"},
    };
    char text[512];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        snprintf(text, sizeof(text), "{%s,\"ctibus\":{}}", bad[i].text);
        assert_fault(*state, text, bad[i].key, bad[i].part);
        assert_null(strstr(((struct place *)*state)->errors.list[0].reason, "secret"));
    }
}

static void count_note(void *arg, const struct config_error *e)
{
    *(int *)arg += strstr(e->reason, "LDAP") || strstr(e->reason, "cannot read") ||
                   strstr(e->reason, "is called");
}

/* A XiVO's own, with what it has beyond; what will find nothing is no fault. */
static void test_directories_of_xivo(void **state)
{
    struct config *cfg = load_good(
        *state, "{\"directories\":{\"xivodir\":{\"uri\":\"phonebook\",\"name\":\"Book\","
                "\"display_reverse\":\"{db-fullname}\",\"match_direct\":[\"phonebook.lastname\"],"
                "\"match_reverse\":[],\"delimiter\":null,\"field_fullname\":null},"
                "\"internal\":{\"uri\":\"internal\",\"match_direct\":\"\",\"delimiter\":\"\"},"
                "\"web\":{\"uri\":\"https://h/d?x=1\",\"delimiter\":\"|\"},"
                "\"ldap\":{\"uri\":\"ldapfilter://x\"},\"csv\":{\"uri\":\"file:///no/such\"}},"
                "\"displays\":{\"d\":{\"10\":[\"Name\",\"\",null,\"{db-fullname}\",\"more\"]}},"
                "\"contexts\":{\"*\":{\"display\":\"d\",\"directories\":[\"xivodir\",\"ldap\"],"
                "\"didextens\":{\"*\":[\"xivodir\"],\"1\":null}},\"a\":{\"display\":null,"
                "\"didextens\":[],\"directories\":[]},\"b\":[]}}");
    int notes = 0;

    config_each_note(cfg, count_note, &notes);
    assert_int_equal(notes, 2);
    config_destroy(&cfg);
}

static void test_all_at_once(void **state)
{
    struct place *p = *state;

    assert_null(load_over(
        p,
        "{\"main\":{\"logintimeout\":\"x\"},\"ctibus\":{\"bus\":{\"hwm\":1,"
        "\"publsh\":1}},\"ipbxes\":{\"x\":{}},\"profiles\":{\"p\":{\"services\":"
        "\"none\"}}}",
        NULL, (const char *const[]){"ctibus.session_grace_seconds=-1", "nonsense", NULL}));
    assert_int_equal(p->errors.count, 7);
    assert_true(has_fault(p, "main.logintimeout", "number"));
    assert_true(has_fault(p, "ctibus.bus.hwm", "range"));
    assert_true(has_fault(p, "ctibus.bus.publsh", "unknown"));
    assert_true(has_fault(p, "ipbxes.x", "neither"));
    assert_true(has_fault(p, "profiles.p.services", "none"));
    assert_true(has_fault(p, "ctibus.session_grace_seconds", "range"));
    assert_true(has_fault(p, "nonsense", "KEY=VALUE"));
}

static void test_what_is_read_of_a_faulty_one(void **state)
{
    static const char text[] =
        "{\"ctibus\":{\"bus\":{\"hwm\":1,\"publish\":5,\"subscribe\":\"tcp://127.0.0.1:1\"},"
        "\"cti\":[1],\"trusted\":[\"a\",2]},\"main\":{\"incoming_tcp\":{\"CTI\":{},\"WEBI\":[1,2]}}"
        ","
        "\"profiles\":{\"x\":{\"name\":\"X\"}}}";
    struct place *p = *state;
    struct config *cfg;
    char at[64];

    write_file(p->file, text);
    cfg = config_read(p->file, NULL, &p->errors);
    assert_non_null(cfg);
    assert_int_equal(p->errors.count, 6);
    assert_string_equal(config_str(cfg, "ctibus.bus.publish"), "tcp://127.0.0.1:5550");
    assert_string_equal(config_str(cfg, "ctibus.bus.subscribe"), "tcp://127.0.0.1:1");
    assert_int_equal(config_int(cfg, "ctibus.bus.hwm"), 300000);
    assert_true(config_listen(cfg, "main.incoming_tcp.CTI", at, sizeof(at)));
    assert_string_equal(at, "0.0.0.0:5003");
    assert_true(config_listen(cfg, "main.incoming_tcp.WEBI", at, sizeof(at)));
    assert_null(config_get(cfg, "ctibus.trusted"));
    assert_non_null(config_section(cfg, "profiles"));
    config_destroy(&cfg);
    config_errors_free(&p->errors);
    write_file(p->file, "[1]");
    assert_null(config_read(p->file, NULL, &p->errors));
    assert_int_equal(p->errors.count, 1);
}

static void test_two_listeners_at_one_address(void **state)
{
    static const struct {
        const char *text, *key, *part;
    } faults[] = {
        {"{\"ctibus\":{\"bus\":{\"publish\":\"tcp://127.0.0.1:5551\"}}}", "ctibus.bus.subscribe",
         "state cannot listen there: it is the address of ctibus.bus.publish, too"},
        {"{\"ctibus\":{\"bus\":{\"publish\":\"ipc:///tmp/a\",\"request\":\"ipc:///tmp/a\"}}}",
         "ctibus.bus.request", "address of ctibus.bus.publish"},
        {"{\"ctibus\":{\"cti\":{\"websocket\":\"127.0.0.1:5003\"}}}", "ctibus.cti.websocket",
         "cti-gw cannot listen there: it is the address of main.incoming_tcp.CTI, too"},
        {"{\"main\":{\"incoming_tcp\":{\"INFO\":[\"127.0.0.1\",\"9101\",true]}}}",
         "ctibus.http.state", "address of main.incoming_tcp.INFO"},
    };
    static const char *const good[] = {
        "{\"ctibus\":{\"bus\":{\"publish\":\"tcp://127.0.0.1:*\",\"request\":\"tcp://"
        "127.0.0.1:*\"}}}",
        "{\"ctibus\":{\"http\":{\"state\":\"127.0.0.2:9102\"}}}",
        "{\"ctibus\":{\"cti\":{\"websocket\":\"127.0.0.1:0\"},\"http\":{\"cti-gw\":\"127.0.0.1:0\"}"
        "}}",
        "{\"main\":{\"incoming_tcp\":{\"CTI\":[\"0.0.0.0\",5013,true]}}}", /* CTIS is off */
    };
    struct place *p = *state;
    struct config *cfg;

    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        assert_fault(p, faults[i].text, faults[i].key, faults[i].part);
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        cfg = load_good(p, good[i]);
        assert_int_equal(count_notes(cfg), 0);
        config_destroy(&cfg);
    }
    /* of two services, which may be in two containers */
    cfg =
        load_good(p, "{\"ctibus\":{\"http\":{\"state\":\"0.0.0.0:9100\",\"ami-gw\":\"*:9100\"}}}");
    assert_note(cfg, "ctibus.http.ami-gw", "only one of ami-gw and state can listen there");
    config_destroy(&cfg);
}

static void test_environment(void **state)
{
    struct place *p = *state;
    char secret[128];
    char variable[256];
    char *env[] = {"PATH=/bin",
                   "CTIBUS_CONFIG=/x",
                   "CTIBUS__BUS__PUBLISH=tcp://10.0.0.1:1",
                   "CTIBUS_MAIN__LOGINTIMEOUT=7",
                   "CTIBUS_MAIN__INCOMING_TCP__CTI=[\"127.0.0.1\",0,true]",
                   "CTIBUS__HTTP__AMI_GW=127.0.0.1:0",
                   "CTIBUS__HTTP__STATE=null",
                   "CTIBUS__CTI__PROXY_PROTOCOL=1",
                   "CTIBUS_CERTFILE=/etc/cert.pem",
                   "CTIBUS_IPBXES__XIVO__IPBX_CONNECTION__IPADDRESS=10.0.0.9",
                   "CTIBUS_IPBXES__XIVO__IPBX_CONNECTION__USERNAME=12345",
                   variable,
                   NULL};
    struct config *cfg;
    char addr[64];

    snprintf(secret, sizeof(secret), "%s/secret", p->dir);
    write_file(secret, "s3cret\n");
    snprintf(variable, sizeof(variable), "CTIBUS_IPBXES__XIVO__IPBX_CONNECTION__PASSWORD_FILE=%s",
             secret);
    cfg = load_over(p, "{\"ipbxes\":{\"XiVO\":{\"ipbx_connection\":" LINK "}}}", env, NULL);
    unlink(secret);
    config_each_error(&p->errors, print, NULL);
    assert_non_null(cfg);
    assert_string_equal(config_str(cfg, "ctibus.bus.publish"), "tcp://10.0.0.1:1");
    assert_int_equal(config_int(cfg, "main.logintimeout"), 7);
    assert_true(config_listen(cfg, "main.incoming_tcp.CTI", addr, sizeof(addr)));
    assert_string_equal(addr, "127.0.0.1:0");
    assert_string_equal(config_str(cfg, "ctibus.http.ami-gw"), "127.0.0.1:0");
    assert_null(config_str(cfg, "ctibus.http.state"));
    assert_true(config_bool(cfg, "ctibus.cti.proxy_protocol"));
    assert_string_equal(config_str(cfg, "certfile"), "/etc/cert.pem");
    assert_string_equal(config_str(cfg, "ipbxes.XiVO.ipbx_connection.ipaddress"), "10.0.0.9");
    assert_string_equal(config_str(cfg, "ipbxes.XiVO.ipbx_connection.username"), "12345");
    assert_string_equal(config_str(cfg, "ipbxes.XiVO.ipbx_connection.password"), "s3cret");
    config_destroy(&cfg);
}

static void test_flags_win(void **state)
{
    struct place *p = *state;
    char *env[] = {"CTIBUS__SESSION_GRACE=10", NULL};
    const char *sets[] = {"ctibus.session_grace_seconds=20", "ctibus.session_grace_seconds=30",
                          "ctibus.database=sqlite:a=b.db", "profiles.a.name=New", NULL};
    struct config *cfg = load_over(
        p, "{\"ctibus\":{\"session_grace\":1},\"profiles\":{\"a\":{\"name\":\"Old\"}}}", env, sets);

    assert_non_null(cfg);
    assert_int_equal(config_int(cfg, "ctibus.session_grace_seconds"), 30);
    assert_string_equal(config_str(cfg, "ctibus.database"), "sqlite:a=b.db");
    assert_string_equal(json_object_get_string(config_get(cfg, "profiles.a.name")), "New");
    config_destroy(&cfg);
}

static void test_former_names(void **state)
{
    struct place *p = *state;
    char *env[] = {"CTIBUS__CTI__IDLE_TIMEOUT=7", NULL};
    struct config *cfg = load_over(
        p, "{\"ctibus\":{\"session_grace\":9,\"cti\":{\"idle_timeout_seconds\":5}}}", env, NULL);
    int notes = 0;

    assert_non_null(cfg);
    assert_int_equal(config_int(cfg, "ctibus.session_grace_seconds"), 9);
    assert_int_equal(config_int(cfg, "ctibus.cti.idle_timeout_seconds"),
                     7); /* overrides the file */
    config_each_note(cfg, count_note, &notes);
    assert_int_equal(notes, 2);
    config_destroy(&cfg);
    assert_null(
        load_over(p, "{\"ctibus\":{\"session_grace\":9,\"session_grace_seconds\":5}}", NULL, NULL));
    assert_true(
        has_fault(p, "ctibus.session_grace", "former name of ctibus.session_grace_seconds"));
    assert_null(load_over(p, "{\"ctibus\":{\"session_grace\":-1}}", NULL, NULL));
    assert_true(has_fault(p, "ctibus.session_grace_seconds", "0 to 3600"));
}

static void test_origins(void **state)
{
    struct place *p = *state;
    char *env[] = {"CTIBUS__BUS__HWM=many", "CTIBUS__BUS__PUBLSH=x", "CTIBUS__DATABASE_FILE=/no",
                   "CTIBUS_MAIN____X=1", NULL};
    const char *sets[] = {"ctibus.log.level=loud", NULL};

    assert_null(load_over(p, "{\"ctibus\":{\"bus\":{\"heartbeat_ms\":1}}}", env, sets));
    assert_int_equal(p->errors.count, 6);
    assert_true(has_fault(p, "ctibus.bus.publsh", "did you mean"));
    for (size_t i = 0; i < p->errors.count; i++) {
        const struct config_error *e = &p->errors.list[i];
        if (strcmp(e->key, "ctibus.bus.hwm") == 0)
            assert_string_equal(e->file, "environment CTIBUS__BUS__HWM");
        else if (strcmp(e->key, "ctibus.log.level") == 0)
            assert_string_equal(e->file, "--set");
        else if (strstr(e->reason, "/no"))
            assert_string_equal(e->file, "environment CTIBUS__DATABASE_FILE");
        else if (strcmp(e->key, "ctibus.bus.heartbeat_ms") == 0)
            assert_string_equal(e->file, p->file);
    }
}

static void test_override_below_a_value(void **state)
{
    struct place *p = *state;
    const char *sets[] = {"ctibus.session_grace_seconds.x=1", NULL};

    assert_null(load_over(p, "{\"ctibus\":{\"session_grace_seconds\":1}}", NULL, sets));
    assert_true(has_fault(p, "ctibus.session_grace_seconds", "no object"));
}

static bool lets_in(const struct config *cfg, const char *key, const char *address)
{
    struct netlist l = {NULL, 0};
    struct netaddr a;
    bool yes;

    assert_int_equal(netaddr_parse(view_cstr(address), &a), 0);
    assert_int_equal(config_networks(cfg, key, &l), 0);
    yes = netlist_has(&l, &a);
    netlist_clear(&l);
    return yes;
}

static void test_networks(void **state)
{
    struct config *cfg = load_good(*state, "{\"ctibus\":{\"access\":{\"webi\":[\"10.0.0.0/8\"],"
                                           "\"info\":null}}}");

    assert_true(lets_in(cfg, "ctibus.access.webi", "10.1.2.3"));
    assert_false(lets_in(cfg, "ctibus.access.webi", "127.0.0.1"));
    assert_true(lets_in(cfg, "ctibus.access.info", "127.0.0.1"));
    assert_true(lets_in(cfg, "ctibus.access.info", "::1"));
    assert_false(lets_in(cfg, "ctibus.access.info", "10.1.2.3"));
    config_destroy(&cfg);
    cfg = load_good(*state, "{\"ctibus\":{\"access\":{\"info\":[]}}}");
    assert_false(lets_in(cfg, "ctibus.access.info", "127.0.0.1"));
    config_destroy(&cfg);
}

static void note(void *arg, const char *key, bool reloadable)
{
    char *text = arg;

    strcat(text, key);
    strcat(text, reloadable ? "+ " : "- ");
}

static void test_changes(void **state)
{
    struct place *p = *state;
    struct config *a = load_good(p, "{\"ctibus\":{\"session_grace_seconds\":1}}");
    struct config *b = load_good(
        p, "{\"ctibus\":{\"session_grace_seconds\":2,\"bus\":{\"hwm\":5000}},\"profiles\":{}}");
    char text[256] = "";

    config_each_change(a, b, note, text);
    assert_string_equal(text, "ctibus.bus.hwm- ctibus.session_grace_seconds+ ");
    config_destroy(&a);
    config_destroy(&b);
}

/* Every default passes its own check. */
static void set_default(void *arg, const char *key, const char *type, const char *otherwise,
                        bool reloadable, const char *doc)
{
    struct place *p = arg;
    char text[256];
    struct config *cfg;

    assert_true(strlen(doc) > 5);
    assert_int_equal(doc[strlen(doc) - 1], '.');
    if (!*otherwise || strchr(key, '*'))
        return;
    snprintf(text, sizeof(text), "%s=%s", key, otherwise);
    cfg = load_over(p, "{}", NULL, (const char *const[]){text, NULL});
    config_each_error(&p->errors, print, NULL);
    assert_non_null(cfg);
    config_destroy(&cfg);
}

static void test_table(void **state)
{
    config_each_key(set_default, *state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
/* Services that the dialplan is told: switched off by "", with words of their own. */
static void templates_of_services_are_free(void **state)
{
    struct place *p = *state;
    struct config *cfg = load_good(
        p,
        "{\"ctibus\":{\"features\":{\"publish\":[\"astdb\",\"devstate\"],\"astdb\":{\"unc\":\"\","
        "\"busy\":\"fw/{context}/{userid}/busy\",\"rna\":null},"
        "\"devstate\":{\"rna\":\"Custom:rna-{number}\"}}}}");

    assert_true(config_lists(cfg, "ctibus.features.publish", "astdb"));
    assert_false(config_lists(cfg, "ctibus.features.publish", "agi"));
    assert_string_equal(config_str(cfg, "ctibus.features.astdb.unc"), "");
    config_destroy(&cfg);
    cfg = load_good(p, "{}");
    assert_true(config_lists(cfg, "ctibus.features.publish", "agi"));
    assert_false(config_lists(cfg, "ctibus.features.publish", "astdb"));
    assert_string_equal(config_str(cfg, "ctibus.features.astdb.dnd"), "DND/{number}");
    config_destroy(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_defaults),
        T(test_values),
        T(test_paths),
        T(test_variables_of_names_with_dashes),
        T(test_bad_files),
        T(test_types_and_ranges),
        T(test_unknown_keys),
        T(test_userfeatures_databases),
        T(test_unknown_keys_of_a_xivo),
        T(test_connection_beside_the_ipbxes),
        T(test_the_name_of_the_only_ipbx),
        T(test_the_documented_keys),
        T(test_empty_tables_of_a_xivo),
        T(test_ipbxes),
        T(test_profiles),
        T(test_deny),
        T(test_directories),
        T(test_directories_of_xivo),
        T(test_all_at_once),
        T(test_what_is_read_of_a_faulty_one),
        T(test_two_listeners_at_one_address),
        T(test_environment),
        T(test_flags_win),
        T(test_former_names),
        T(test_origins),
        T(test_override_below_a_value),
        T(test_changes),
        T(test_networks),
        T(templates_of_services_are_free),
        T(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
