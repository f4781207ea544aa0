/* The command getqueuesstats, and the figures of queues on the bus, of a whole state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/context.h"
#include "core/ipbx.h"
#include "model/statistics.h"
#include "support/whole_state.h"
#include "json/json.h"

#define CONFIG                                                                                     \
    "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","         \
    "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"                        \
    "\"urllist_users\":[\"file:users.json\"],\"urllist_queues\":[\"file:queues.json\"]}}},"        \
    "\"profiles\":{\"client\":{\"name\":\"Client\",\"regcommands\":\"all\"}},"                     \
    "\"regcommands\":{\"all\":[\"getqueuesstats\"]}}"
#define QUEUES                                                                                     \
    "[{\"id\":\"1\",\"name\":\"support\",\"number\":\"3001\"},"                                    \
    "{\"id\":\"2\",\"name\":\"sales\",\"number\":\"3002\"}]"

struct world {
    struct state_world s;
    struct process p;
    struct bus_client *bus_client;
    struct bus_sub *sub;
    int ups, answers, stats;
    enum bus_status status;
    char answer[4096];
    char topic[64], body[1024];
};

static void to_json(char *out, size_t size, const msgpack_object *o)
{
    struct value v;
    struct buf text;

    buf_init(&text, 0);
    assert_int_equal(value_from_msg(&v, o), 0);
    value_put_json(&text, &v);
    snprintf(out, size, "%s", buf_cstr(&text));
    value_clear(&v);
    buf_free(&text);
}

static void on_up(void *arg, const msgpack_object *body)
{
    ((struct world *)arg)->ups++;
}

static void on_down(void *arg)
{
}

static const struct bus_client_handler handler = {on_up, on_down, NULL};

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct world *w = arg;

    w->status = status;
    w->answers++;
    to_json(w->answer, sizeof(w->answer), body);
}

static void on_stats(void *arg, const struct bus_msg *m)
{
    struct world *w = arg;
    struct msg_doc doc;

    assert_int_equal(msg_doc_init(&doc), 0);
    assert_int_equal(msg_parse(&doc, m->body), 0);
    snprintf(w->topic, sizeof(w->topic), "%.*s", VIEW_ARG(m->topic));
    to_json(w->body, sizeof(w->body), &doc.root);
    msg_doc_fini(&doc);
    w->stats++;
}

static const struct bus_sub_handler sub_handler = {on_stats, NULL};

static void open_session(struct world *w)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "ipbxid", VIEW("xivo"));
    msg_put_pair(&pairs, "userid", VIEW("1"));
    msg_put_pair(&pairs, "capaid", VIEW("client"));
    msg_put_pair(&pairs, "session", VIEW("s1"));
    msg_put_pair(&pairs, "state", VIEW("available"));
    w->answers = 0;
    bus_ask(w->bus_client, METHOD_login_open, 5, buf_view(&pairs), 5000, on_answer, w);
    UNTIL(w->s.loop, w->answers == 1);
    buf_free(&pairs);
    assert_int_equal(w->status, BUS_ok);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    int err = 0;

    *state = w;
    if (state_make_folder(&w->s) < 0)
        return -1;
    state_write(&w->s, "ctibus.json", CONFIG);
    state_write(&w->s, "users.json", STATE_USERS);
    state_write(&w->s, "queues.json", QUEUES);
    w->s.loop = loop_new();
    w->s.cfg = state_config(&w->s);
    if (state_start(&w->s, NULL, NULL, NULL) < 0)
        return -1;
    w->p = process_start(w->s.loop, "gw", "gw", NULL);
    w->sub = bus_sub_new(w->p.bus, state_endpoint_subscribe(w->s.s), &sub_handler, w, &err);
    bus_sub_add(w->sub, VIEW("stats/"));
    w->bus_client =
        bus_client_new(w->p.bus, state_endpoint_request(w->s.s), "cti-gw", &handler, w, &err);
    UNTIL(w->s.loop, w->ups == 1);
    open_session(w);
    return err;
}

static int teardown(void **state)
{
    struct world *w = *state;

    bus_client_destroy(&w->bus_client);
    bus_sub_destroy(&w->sub);
    process_end(&w->p);
    state_unlink(&w->s, "queues.json");
    state_teardown(&w->s);
    free(w);
    return 0;
}

/* Asks with a client's message in JSON. */
static enum bus_status ask(struct world *w, const char *message)
{
    struct json_object *o = json_tokener_parse(message);
    struct value v;
    struct buf pairs;

    assert_non_null(o);
    assert_int_equal(value_from_json(&v, o), 0);
    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "session", VIEW("s1"));
    msg_put_pair(&pairs, "class", VIEW("getqueuesstats"));
    msg_put_cstr(&pairs, "message");
    value_pack(&pairs, &v);
    w->answers = 0;
    assert_true(bus_ask(w->bus_client, METHOD_command, 3, buf_view(&pairs), 5000, on_answer, w) >
                0);
    UNTIL(w->s.loop, w->answers == 1);
    buf_free(&pairs);
    value_clear(&v);
    json_object_put(o);
    return w->status;
}

static struct ipbx_model *domain(struct world *w)
{
    return state_ipbx(w->s.s, VIEW("xivo"))->model;
}

static void happened(struct world *w, enum queue_event_kind kind, double ago, double waited)
{
    struct queue_event e = {kind, VIEW("1"), clock_wall() - ago, waited};

    assert_int_equal(statistics_restore(domain(w), &e), 0);
}

#define NONE                                                                                       \
    "{\"Xivo-Join\":0,\"Xivo-Link\":0,\"Xivo-Lost\":0,\"Xivo-Rate\":\"\",\"Xivo-Qos\":\"\","       \
    "\"Xivo-Holdtime-max\":\"\",\"Xivo-Holdtime-avg\":\"\"}"
#define THREE                                                                                      \
    "{\"Xivo-Join\":3,\"Xivo-Link\":2,\"Xivo-Lost\":1,\"Xivo-Rate\":66.7,\"Xivo-Qos\":50.0,"       \
    "\"Xivo-Holdtime-max\":61.0,\"Xivo-Holdtime-avg\":33.0}"
#define ANSWERS(w, message, stats)                                                                 \
    do {                                                                                           \
        assert_int_equal(ask(w, message), BUS_ok);                                                 \
        assert_string_equal((w)->answer, "{\"stats\":" stats "}");                                 \
    } while (0)

static void three_calls(struct world *w)
{
    happened(w, QUEUE_JOIN, 900, 0);
    happened(w, QUEUE_LINK, 895, 5);
    happened(w, QUEUE_JOIN, 800, 0);
    happened(w, QUEUE_LINK, 739, 61);
    happened(w, QUEUE_JOIN, 700, 0);
    happened(w, QUEUE_LOST, 690, 10);
}

static void sums_are_answered_by_queue(void **state)
{
    struct world *w = *state;

    three_calls(w);
    ANSWERS(w, "{\"on\":{\"1\":{\"window\":\"3600\",\"xqos\":\"60\"}}}", "{\"1\":" THREE "}");
    ANSWERS(w, "{\"on\":{\"1\":{\"window\":3600,\"xqos\":60}}}", "{\"1\":" THREE "}");
    ANSWERS(w, "{\"on\":{\"1\":{\"window\":3600.5,\"xqos\":60.5}}}", "{\"1\":" THREE "}");
    ANSWERS(w, "{\"on\":{\"1\":{}}}", "{\"1\":" THREE "}");
    ANSWERS(w, "{\"on\":{\"2\":{\"window\":\"3600\"},\"9\":{\"window\":\"60\"}}}",
            "{\"2\":" NONE "}");
    ANSWERS(w, "{\"on\":{}}", "{}");
}

static void what_a_client_writes_is_bounded(void **state)
{
    struct world *w = *state;

    three_calls(w);
    ANSWERS(w, "{\"on\":{\"1\":{\"window\":-5}}}", "{\"1\":" NONE "}"); /* one second */
    ANSWERS(w, "{\"on\":{\"1\":{\"window\":1e300,\"xqos\":\"x\"}}}", "{\"1\":" THREE "}");
    ANSWERS(w, "{\"on\":{\"1\":{\"window\":\"99999999999999999999\",\"xqos\":[]}}}",
            "{\"1\":" THREE "}");
    ANSWERS(w, "{\"on\":{\"1\":3,\"\":{},\"2\":[]}}", "{}");
    assert_int_equal(ask(w, "{\"on\":[1]}"), BUS_malformed);
    assert_int_equal(ask(w, "{\"on\":\"1\"}"), BUS_malformed);
    assert_int_equal(ask(w, "{}"), BUS_malformed);
}

/* By its own timer, which stops when nothing is left to do. */
static void figures_are_published_when_they_change(void **state)
{
    struct world *w = *state;
    struct tel t = {.event = TEL_member_status, .time = clock_wall()};

    t.str[TELF_queue] = VIEW("support");
    t.str[TELF_interface] = VIEW("SIP/alice");
    t.str[TELF_status] = VIEW("1");
    tel_set_add(&t.set, TELF_status);
    UNTIL(w->s.loop, !loop_timer_running(w->s.s->tick_timer)); /* that of the start */
    w->stats = 0;
    ipbx_model_event(domain(w), &t);
    state_commit(w->s.s, false);
    assert_true(loop_timer_running(w->s.s->tick_timer));
    UNTIL(w->s.loop, w->stats == 1);
    assert_string_equal(w->topic, "stats/xivo/queues/1/");
    assert_string_equal(w->body, "{\"Xivo-LoggedAgents\":1,\"Xivo-AvailableAgents\":1,"
                                 "\"Xivo-TalkingAgents\":0,\"Xivo-WaitingCalls\":0,\"Xivo-EWT\":0,"
                                 "\"Xivo-LongestWaitTime\":0}");
    UNTIL(w->s.loop, !loop_timer_running(w->s.s->tick_timer));
    assert_int_equal(w->stats, 1);
}

/* What is told goes into the database, and a state that starts takes it back. */
static void sums_outlive_a_restart(void **state)
{
    struct world *w = *state;
    struct queue_window sums;
    double now = clock_wall();

    statistics_tell(domain(w), VIEW("1"), QUEUE_JOIN, now - 90, 0);
    statistics_tell(domain(w), VIEW("1"), QUEUE_LINK, now - 80, 10);
    statistics_tell(domain(w), VIEW("1"), QUEUE_JOIN, now - 90000, 0); /* older than a day */
    state_stop(&w->s);
    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    statistics_window(domain(w), VIEW("1"), now, 200000, 60, &sums);
    assert_int_equal(sums.join, 1);
    assert_int_equal(sums.link, 1);
    assert_true(sums.holdtime_max == 10);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sums_are_answered_by_queue),
        T(what_a_client_writes_is_bounded),
        T(figures_are_published_when_they_change),
        T(sums_outlive_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
