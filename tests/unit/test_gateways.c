/* Several gateways of one Asterisk register with a whole state: who owns it, and who is heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/context.h"
#include "support/state_peer.h"

#define MAX_PEERS 9

/* One gateway: what it publishes, and what it was asked. */
struct ami {
    struct process p;
    struct bus_client *bus_client;
    struct bus_pub *pub;
    int ups, resyncs, standbys, hurries, answers;
    enum bus_status status;
};

struct world {
    struct state_world s;
    struct ami ami[MAX_PEERS];
    int n;
};

static void on_up(void *arg, const msgpack_object *body)
{
    ((struct ami *)arg)->ups++;
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct ami *a = arg;

    a->resyncs += method == METHOD_resync;
    a->standbys += method == METHOD_ami_standby;
    a->hurries += method == METHOD_ami_reconnect;
    bus_client_reply(a->bus_client, id, BUS_ok, view_of(NULL, 0));
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct ami *a = arg;

    a->answers++;
    a->status = status;
}

/* Two processes on one host have the same source and instance. */
static struct ami *start(struct world *w)
{
    static const struct bus_client_handler handler = {on_up, NULL, on_request};
    struct ami *a = &w->ami[w->n++];
    int err = 0;

    a->p = process_start(w->s.loop, "ami-gw:xivo@host", "ami-gw:xivo", NULL);
    a->bus_client =
        bus_client_new(a->p.bus, state_endpoint_request(w->s.s), "ami-gw", &handler, a, &err);
    a->pub = bus_pub_new(a->p.bus, state_endpoint_publish(w->s.s), NULL, NULL, &err);
    UNTIL(w->s.loop, a->ups == 1 && bus_pub_wanted(a->pub, VIEW("tel/")));
    return a;
}

static void end(struct ami *a)
{
    bus_pub_destroy(&a->pub);
    bus_client_destroy(&a->bus_client);
    process_end(&a->p);
}

static enum bus_status enlist(struct world *w, struct ami *a, uint64_t login, bool standby)
{
    struct buf pairs;
    int before = a->answers;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "kind", VIEW("ami"));
    msg_put_pair(&pairs, "ipbx", VIEW("xivo"));
    msg_put_pair_u64(&pairs, "login", login);
    msg_put_pair_u64(&pairs, "epoch", bus_epoch(a->p.bus));
    msg_put_cstr(&pairs, "standby");
    msg_put_bool(&pairs, standby);
    bus_ask(a->bus_client, METHOD_worker_register, 5, buf_view(&pairs), 5000, on_answer, a);
    buf_free(&pairs);
    UNTIL(w->s.loop, a->answers > before);
    return a->status;
}

static void say(struct ami *a, const char *topic, const char *key, const char *value)
{
    struct buf body;

    buf_init(&body, 0);
    msg_put_map(&body, 1);
    msg_put_pair(&body, key, view_cstr(value));
    assert_int_equal(bus_pub_send(a->pub, view_cstr(topic), buf_view(&body)), 0);
    buf_free(&body);
}

static void list_all(struct world *w, struct ami *a)
{
    say(a, "tel/xivo/resync/begin/", "kind", "all");
    say(a, "tel/xivo/resync/end/", "kind", "all");
}

static const char *link_of(struct world *w)
{
    return state_str(xod_find(w->s.ipbx, LIST_ipbx, VIEW("xivo")), XOD(ipbx, link));
}

static bool link_is(struct world *w, const char *link)
{
    return strcmp(link_of(w), link) == 0;
}

static bool has_channel(struct world *w, const char *name)
{
    return xod_find(w->s.ipbx, LIST_channels, view_cstr(name)) != NULL;
}

/* Is what this one says heard? Another message of the same one, which any state takes, follows. */
static bool is_heard(struct world *w, struct ami *a, const char *name)
{
    struct metrics *m = w->s.p.metrics;
    struct buf out;
    double before;

    buf_init(&out, 0);
    metrics_render(m, &out);
    before = atof(strstr(buf_cstr(&out), "\nctibus_state_events_total ") + 27);
    say(a, "tel/xivo/channel/new/", "channel", name);
    for (double now = before; now == before; loop_once(w->s.loop, 5)) {
        buf_reset(&out);
        metrics_render(m, &out);
        now = atof(strstr(buf_cstr(&out), "\nctibus_state_events_total ") + 27);
    }
    buf_free(&out);
    return has_channel(w, name);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    return state_setup(&w->s);
}

static int setup_impatient(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    w->s.resync_late_ms = 300;
    return state_setup(&w->s);
}

/* The same where it is the second Asterisk of two. */
static int setup_second(void **state)
{
    static const char head[] = "{\"main\":{},\"ipbxes\":{";
    struct world *w = calloc(1, sizeof(*w));
    char config[4096];

    *state = w;
    w->s.resync_late_ms = 300;
    assert_int_equal(strncmp(STATE_CONFIG, head, strlen(head)), 0);
    snprintf(config, sizeof(config),
             "%s\"alpha\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\",\"ipport\":5039,"
             "\"username\":\"u\",\"password\":\"p\"}},%s",
             head, &STATE_CONFIG[strlen(head)]);
    assert_int_equal(state_make_folder(&w->s), 0);
    state_write(&w->s, "ctibus.json", config);
    state_write(&w->s, "users.json", STATE_USERS);
    state_write(&w->s, "lines.json", STATE_LINES);
    w->s.loop = loop_new();
    w->s.cfg = state_config(&w->s);
    return state_start(&w->s, NULL, NULL, NULL);
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < w->n; i++)
        if (w->ami[i].bus_client)
            end(&w->ami[i]);
    state_teardown(&w->s);
    free(w);
    return 0;
}

static void one_that_is_not_logged_in_owns_nothing(void **state)
{
    struct world *w = *state;
    struct ami *owner = start(w);
    struct ami *stray = start(w);

    assert_int_equal(enlist(w, stray, 0, false), BUS_ok);
    assert_true(link_is(w, "down"));
    assert_int_equal(enlist(w, owner, 1, false), BUS_ok);
    UNTIL(w->s.loop, owner->resyncs == 1);
    list_all(w, owner);
    UNTIL(w->s.loop, link_is(w, "up"));
    assert_int_equal(enlist(w, stray, 0, false), BUS_ok);
    say(stray, "tel/xivo/link/down/", "reason", "Authentication failed");
    assert_false(is_heard(w, stray, "SIP/stray-1"));
    assert_true(is_heard(w, owner, "SIP/owner-1"));
    assert_true(link_is(w, "up"));
    assert_int_equal(owner->resyncs, 1);
    assert_int_equal(stray->resyncs + stray->standbys, 0);
}

static void the_last_login_owns_it_until_it_is_gone(void **state)
{
    struct world *w = *state;
    struct ami *first = start(w);
    struct ami *second = start(w);

    enlist(w, first, 1, false);
    enlist(w, second, 1, false); /* the same number says nothing: it is another process */
    UNTIL(w->s.loop, first->standbys == 1 && second->resyncs == 1);
    list_all(w, second);
    UNTIL(w->s.loop, link_is(w, "up"));
    assert_false(is_heard(w, first, "SIP/first-1"));
    assert_true(is_heard(w, second, "SIP/second-1"));
    enlist(w, first, 1, true); /* tells anew what is known: nothing changes */
    assert_true(is_heard(w, second, "SIP/second-2"));
    enlist(w, first, 1, false); /* the same login once more is not a new one */
    assert_true(is_heard(w, second, "SIP/second-4"));
    assert_int_equal(first->resyncs, 1);
    enlist(w, second, 0, false); /* its link is down */
    UNTIL(w->s.loop, first->resyncs == 2);
    assert_true(link_is(w, "resync"));
    list_all(w, first);
    UNTIL(w->s.loop, link_is(w, "up"));
    assert_false(is_heard(w, second, "SIP/second-3"));
    assert_true(is_heard(w, first, "SIP/first-2"));
    enlist(w, first, 0, false);
    assert_true(link_is(w, "down"));
}

static void one_that_stands_by_owns_what_nobody_else_does(void **state)
{
    struct world *w = *state;
    struct ami *reserve = start(w);
    struct ami *owner = start(w);

    enlist(w, reserve, 5, true); /* after a restart of state */
    UNTIL(w->s.loop, reserve->resyncs == 1);
    enlist(w, owner, 6, false);
    UNTIL(w->s.loop, owner->resyncs == 1 && reserve->standbys == 1);
    enlist(w, reserve, 7, true);
    assert_true(is_heard(w, owner, "SIP/owner-1"));
    assert_int_equal(owner->standbys, 0);
}

static void one_that_dies_is_followed_by_the_other(void **state)
{
    struct world *w = *state;
    struct ami *first = start(w);
    struct ami *second = start(w);
    struct ami *stray = start(w);

    enlist(w, first, 1, false);
    enlist(w, second, 2, false);
    UNTIL(w->s.loop, second->resyncs == 1);
    w->s.p.bus->gone_ms = 1500;
    end(second);
    UNTIL(w->s.loop, first->resyncs == 2);
    assert_false(is_heard(w, stray, "SIP/stray-1"));
    end(first);
    UNTIL(w->s.loop, link_is(w, "down"));
    assert_true(is_heard(w, stray, "SIP/stray-2")); /* nobody owns it */
}

static void when_the_first_of_three_goes_the_others_stay_known(void **state)
{
    struct world *w = *state;
    struct ami *ami[3];

    for (int i = 0; i < 3; i++) {
        ami[i] = start(w);
        enlist(w, ami[i], (uint64_t)i + 1, false);
        UNTIL(w->s.loop, ami[i]->resyncs == 1);
    }
    w->s.p.bus->gone_ms = 1500;
    end(ami[0]);
    UNTIL(w->s.loop, state_ipbx(w->s.s, VIEW("xivo"))->n_entries == 2);
    assert_true(is_heard(w, ami[2], "SIP/c-1"));
    end(ami[2]);
    UNTIL(w->s.loop, ami[1]->resyncs == 2);
    assert_true(is_heard(w, ami[1], "SIP/b-1"));
}

/* And what its gateways do is of no concern to the other Asterisk. */
static void the_second_asterisk_of_two_is_looked_after_too(void **state)
{
    struct world *w = *state;
    struct xod_ipbx *alpha = xod_ipbx(state_xod(w->s.s), VIEW("alpha"), false);
    struct ami *a = start(w);

    enlist(w, a, 1, false);
    UNTIL(w->s.loop, a->resyncs >= 2); /* the first has not ended */
    list_all(w, a);
    UNTIL(w->s.loop, link_is(w, "up"));
    assert_string_equal(state_str(xod_find(alpha, LIST_ipbx, VIEW("alpha")), XOD(ipbx, link)),
                        "down");
    w->s.p.bus->gone_ms = 1000;
    end(a);
    UNTIL(w->s.loop, link_is(w, "down"));
}

static void one_that_does_not_say_so_is_not_logged_in(void **state)
{
    struct world *w = *state;
    struct ami *a = start(w);
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "kind", VIEW("ami"));
    msg_put_pair(&pairs, "ipbx", VIEW("xivo"));
    bus_ask(a->bus_client, METHOD_worker_register, 2, buf_view(&pairs), 5000, on_answer, a);
    buf_free(&pairs);
    UNTIL(w->s.loop, a->answers == 1);
    assert_int_equal(a->status, BUS_ok);
    assert_true(link_is(w, "down"));
    assert_int_equal(a->resyncs, 0);
    assert_true(is_heard(w, a, "SIP/a-1")); /* without an epoch nobody is told apart */
}

static void too_many_are_refused(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < MAX_PEERS; i++)
        assert_int_equal(enlist(w, start(w), (uint64_t)i + 1, false), i < 8 ? BUS_ok : BUS_busy);
    assert_true(is_heard(w, &w->ami[7], "SIP/a-1"));
    assert_false(is_heard(w, &w->ami[8], "SIP/b-1"));
}

static void a_resync_that_does_not_end_is_asked_for_again(void **state)
{
    struct world *w = *state;
    struct ami *a = start(w);
    uint64_t since;

    enlist(w, a, 1, false);
    UNTIL(w->s.loop, a->resyncs >= 1);
    since = clock_mono_us();
    UNTIL(w->s.loop, a->resyncs >= 3);
    assert_true(clock_mono_us() - since > 400000); /* each after 300 ms */
    list_all(w, a);
    UNTIL(w->s.loop, link_is(w, "up"));
    run_for(w->s.loop, 100); /* one may have been on its way */
    int settled = a->resyncs;
    assert_int_equal(counted(w->s.s->resyncs_late), settled - 1);
    run_for(w->s.loop, 1000);
    assert_int_equal(a->resyncs, settled);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(one_that_is_not_logged_in_owns_nothing),
        T(the_last_login_owns_it_until_it_is_gone),
        T(one_that_stands_by_owns_what_nobody_else_does),
        T(one_that_dies_is_followed_by_the_other),
        cmocka_unit_test_setup_teardown(the_second_asterisk_of_two_is_looked_after_too,
                                        setup_second, teardown),
        T(when_the_first_of_three_goes_the_others_stay_known),
        T(one_that_does_not_say_so_is_not_logged_in),
        T(too_many_are_refused),
        cmocka_unit_test_setup_teardown(a_resync_that_does_not_end_is_asked_for_again,
                                        setup_impatient, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
