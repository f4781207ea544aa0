/* Requests both ways: deadlines, peers that come and go, restarts, and who CURVE lets in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/bus.h"

#define NO_PAIRS view_of(NULL, 0)

struct world {
    struct loop *loop;
    struct process state, gw;
    struct bus_pub *pub;
    struct bus_forwarder *fwd;
    struct bus_server *server;
    struct bus_client *bus_client;
    struct bus_peer *peer;
    int ups, downs, peer_ups, peers_gone;
    /* requests that came, to either side */
    int requests;
    uint64_t request_id;
    enum bus_method method;
    int64_t asked_number;
    bool answer_at_once, ask_again;
    /* answers that came */
    int answers;
    enum bus_status status;
    int64_t number;
};

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct world *w = arg;

    w->answers++;
    w->status = status;
    w->number = msg_get_i64(body, "number", -1);
    if (w->ask_again)
        bus_server_ask(w->server, w->peer, METHOD_resync, 0, NO_PAIRS, 100, on_answer, w);
    w->ask_again = false;
}

/* ---- the two sides ---- */

static void server_request(void *arg, struct bus_peer *peer, uint64_t id, enum bus_method method,
                           const msgpack_object *body)
{
    struct world *w = arg;

    w->requests++;
    w->request_id = id;
    w->method = method;
    w->asked_number = msg_get_i64(body, "number", -1);
    if (w->answer_at_once)
        bus_server_reply(w->server, peer, id, BUS_ok, VIEW("\x81\xa6number\x2a"));
}

static void server_up(void *arg, struct bus_peer *peer, const msgpack_object *hello)
{
    struct world *w = arg;

    w->peer_ups++;
    w->peer = peer;
    assert_true(view_eq(msg_get_str(hello, "service"), bus_peer_service(peer)));
}

static void server_gone(void *arg, struct bus_peer *peer)
{
    struct world *w = arg;

    w->peers_gone++;
    w->peer = NULL;
}

static void asker_up(void *arg, const msgpack_object *body)
{
    struct world *w = arg;

    w->ups++;
    assert_true(view_eq(msg_get_str(body, "site"), VIEW("site1")));
}

static void asker_down(void *arg)
{
    ((struct world *)arg)->downs++;
}

static void asker_request(void *arg, uint64_t id, enum bus_method method,
                          const msgpack_object *body)
{
    struct world *w = arg;

    w->requests++;
    w->request_id = id;
    w->method = method;
    w->asked_number = msg_get_i64(body, "number", -1);
    if (w->answer_at_once)
        bus_client_reply(w->bus_client, id, BUS_denied, VIEW("\x81\xa6number\x2a"));
}

static const struct bus_server_handler server_handler = {server_request, server_up, server_gone};
static const struct bus_client_handler asker_handler = {asker_up, asker_down, asker_request};

static int server_start(struct world *w, const char *endpoint)
{
    int err = 0;

    w->fwd = bus_forwarder_new(w->state.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    w->pub = bus_pub_new(w->state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    w->server =
        bus_server_new(w->state.bus, endpoint, NULL, "site1", &server_handler, w, w->pub, &err);
    return err;
}

static void server_stop(struct world *w)
{
    bus_server_destroy(&w->server);
    bus_pub_destroy(&w->pub);
    bus_forwarder_destroy(&w->fwd);
    w->peer = NULL;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    int err;

    w->loop = loop_new();
    w->state = process_start(w->loop, "state@test", "state", NULL);
    w->gw = process_start(w->loop, "gw@test", "gw1", NULL);
    err = server_start(w, "tcp://127.0.0.1:*");
    if (err == 0)
        w->bus_client = bus_client_new(w->gw.bus, bus_server_endpoint(w->server), "test-gw",
                                       &asker_handler, w, &err);
    *state = w;
    for (int i = 0; err == 0 && i < 2000 && w->ups == 0; i++)
        loop_once(w->loop, 5);
    return err == 0 && w->ups == 1 ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    bus_client_destroy(&w->bus_client);
    server_stop(w);
    process_end(&w->state);
    process_end(&w->gw);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

static uint64_t ask(struct world *w, uint32_t deadline_ms)
{
    return bus_ask(w->bus_client, METHOD_command, 1, VIEW("\xa6number\x07"), deadline_ms, on_answer,
                   w);
}

/* ---- both ways ---- */

static void a_peer_says_hello_by_itself(void **state)
{
    struct world *w = *state;

    assert_int_equal(w->peer_ups, 1);
    assert_true(view_eq(bus_peer_service(w->peer), VIEW("test-gw")));
    assert_true(view_eq(bus_peer_instance(w->peer), VIEW("gw1")));
    assert_true(bus_client_is_up(w->bus_client));
}

static void a_request_is_answered(void **state)
{
    struct world *w = *state;

    w->answer_at_once = true;
    assert_true(ask(w, 1000) > 0);
    assert_int_equal(w->answers, 0); /* never from within */
    UNTIL(w->loop, w->requests == 1);
    assert_int_equal(w->method, METHOD_command);
    assert_int_equal(w->asked_number, 7);
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->status, BUS_ok);
    assert_int_equal(w->number, 42);
}

static void state_asks_too(void **state)
{
    struct world *w = *state;

    w->answer_at_once = true;
    assert_true(bus_server_ask(w->server, w->peer, METHOD_resync, 1, VIEW("\xa6number\x07"), 1000,
                               on_answer, w) > 0);
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->method, METHOD_resync);
    assert_int_equal(w->asked_number, 7);
    assert_int_equal(w->status, BUS_denied);
    assert_int_equal(w->number, 42);
}

static void a_stream_ends_with_the_answer_that_is_not_more(void **state)
{
    struct world *w = *state;

    ask(w, 5000);
    UNTIL(w->loop, w->requests == 1);
    for (int i = 0; i < 3; i++)
        bus_server_reply(w->server, w->peer, w->request_id, i < 2 ? BUS_more : BUS_ok, NO_PAIRS);
    bus_server_reply(w->server, w->peer, w->request_id, BUS_ok, NO_PAIRS); /* one too many */
    UNTIL(w->loop, counted(w->gw.bus->counts.late) == 1);
    assert_int_equal(w->answers, 3);
}

static void a_thousand_requests_at_once_are_all_answered(void **state)
{
    struct world *w = *state;

    w->answer_at_once = true;
    for (int i = 0; i < 1000; i++)
        assert_true(ask(w, 10000) > 0);
    UNTIL(w->loop, w->answers == 1000);
}

/* ---- time ---- */

static void a_request_has_a_deadline_and_a_late_answer_is_counted(void **state)
{
    struct world *w = *state;

    ask(w, 100);
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->status, BUS_timeout);
    assert_int_equal(counted(w->gw.bus->counts.timed_out), 1);
    bus_server_reply(w->server, w->peer, w->request_id, BUS_ok, NO_PAIRS);
    UNTIL(w->loop, counted(w->gw.bus->counts.late) == 1);
    assert_int_equal(w->answers, 1);
}

static void state_gives_up_too(void **state)
{
    struct world *w = *state;

    bus_server_ask(w->server, w->peer, METHOD_resync, 0, NO_PAIRS, 100, on_answer, w);
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->status, BUS_timeout);
}

static void a_cancelled_request_is_not_answered(void **state)
{
    struct world *w = *state;
    uint64_t id;

    w->answer_at_once = true;
    id = ask(w, 1000);
    bus_ask_cancel(w->bus_client, id);
    bus_ask_cancel(w->bus_client, id);
    UNTIL(w->loop, counted(w->gw.bus->counts.late) == 1);
    assert_int_equal(w->answers, 0);
}

/* ---- coming and going ---- */

static void a_quiet_peer_stays(void **state)
{
    struct world *w = *state;

    w->state.bus->gone_ms = w->gw.bus->gone_ms = 2000;
    run_for(w->loop, 2600);
    assert_int_equal(w->peers_gone, 0);
    assert_int_equal(w->downs, 0);
}

static void a_peer_that_says_nothing_is_gone(void **state)
{
    struct world *w = *state;

    w->state.bus->gone_ms = 700;
    bus_server_ask(w->server, w->peer, METHOD_resync, 0, NO_PAIRS, 60000, on_answer, w);
    bus_client_destroy(&w->bus_client);
    UNTIL(w->loop, w->peers_gone == 1);
    assert_int_equal(w->answers, 1);
    assert_int_equal(w->status, BUS_gone);
}

static void a_peer_that_was_taken_for_gone_begins_anew(void **state)
{
    struct world *w = *state;

    w->state.bus->gone_ms = 50; /* shorter than the pings' distance */
    UNTIL(w->loop, w->peers_gone == 1);
    w->state.bus->gone_ms = 6000;
    UNTIL(w->loop, w->ups == 2 && w->peer_ups == 2); /* so that it tells its sessions again */
    assert_int_equal(w->downs, 1);
    w->answer_at_once = true;
    ask(w, 1000);
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->status, BUS_ok);
}

/* Both sides are suspended for longer than silence is allowed. */
static void a_suspended_process_does_not_drop_its_peers(void **state)
{
    struct world *w = *state;
    uint64_t start = clock_mono_us();

    w->state.bus->gone_ms = w->gw.bus->gone_ms = 2100;
    usleep(2400000); /* is what is tested */
    UNTIL(w->loop, clock_mono_us() - start > 3000000);
    assert_int_equal(w->peers_gone, 0);
    assert_int_equal(w->downs, 0);
    w->answer_at_once = true;
    ask(w, 1000);
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->status, BUS_ok);
}

static void a_restarted_state_is_noticed_soon(void **state)
{
    struct world *w = *state;
    char endpoint[128];
    uint64_t start;

    snprintf(endpoint, sizeof(endpoint), "%s", bus_server_endpoint(w->server));
    ask(w, 60000);
    server_stop(w);
    process_end(&w->state);
    w->state = process_start(w->loop, "state@test", "state", NULL);
    while (server_start(w, endpoint) == -EADDRINUSE) {
        server_stop(w);
        loop_once(w->loop, 5);
    }
    start = clock_mono_us();
    UNTIL(w->loop, w->ups == 2);
    assert_int_equal(w->downs, 1);
    assert_int_equal(w->answers, 1); /* what was under way was ended */
    assert_int_equal(w->status, BUS_gone);
    assert_true(clock_mono_us() - start < 5000000); /* silence is noticed after 6 s */
}

/* A request that the old state has not received is not refused, whatever was sent before it. */
static void what_people_ask_for_waits_for_a_restarted_state(void **state)
{
    struct world *w = *state;
    char endpoint[128];
    uint64_t start;
    int err = 0;

    snprintf(endpoint, sizeof(endpoint), "%s", bus_server_endpoint(w->server));
    server_stop(w);
    process_end(&w->state);
    start = clock_mono_us();
    UNTIL(w->loop, clock_mono_us() - start > 1000000); /* pings are on their way */
    assert_true(bus_client_is_up(w->bus_client));      /* it has not noticed */
    assert_true(ask(w, 60000) > 0);                    /* waits for nothing: it is told */
    for (int i = 0; i < 2; i++)
        assert_true(bus_ask_wait(w->bus_client, METHOD_command, false, 0, NO_PAIRS, 5000, on_answer,
                                 w) > 0);
    w->state = process_start(w->loop, "state@test", "state", NULL);
    while (server_start(w, endpoint) == -EADDRINUSE) {
        server_stop(w);
        loop_once(w->loop, 5);
    }
    w->answer_at_once = true;
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->status, BUS_gone);
    UNTIL(w->loop, w->answers == 3);
    assert_int_equal(w->status, BUS_ok);
    assert_int_equal(w->requests, 2);
    assert_int_equal(w->ups, 2);
    for (int i = 0; i < 5000; i++) /* more than may wait for one that is not there */
        assert_true(bus_ask_wait(w->bus_client, METHOD_command, true, 0, NO_PAIRS, 20000, on_answer,
                                 w) > 0);
    UNTIL(w->loop, w->answers == 5003);
    assert_int_equal(w->status, BUS_ok);
    /* one that is silent is not waited for */
    w->gw.bus->gone_ms = 100;
    server_stop(w);
    UNTIL(w->loop, w->downs == 2);
    assert_false(bus_client_takes(w->bus_client));
    assert_int_equal(
        bus_ask_wait(w->bus_client, METHOD_command, true, 0, NO_PAIRS, 5000, on_answer, w), 0);
    /* nor for long by one that starts */
    start = clock_mono_us();
    bus_client_destroy(&w->bus_client);
    w->bus_client = bus_client_new(w->gw.bus, endpoint, "test-gw", &asker_handler, w, &err);
    assert_int_equal(err, 0);
    assert_true(bus_client_takes(w->bus_client));
    UNTIL(w->loop, !bus_client_takes(w->bus_client));
    assert_true(clock_mono_us() - start > 1900000);
}

static void nothing_is_asked_of_a_state_that_is_not_there(void **state)
{
    struct world *w = *state;
    char endpoint[128];

    snprintf(endpoint, sizeof(endpoint), "%s", bus_server_endpoint(w->server));
    w->gw.bus->gone_ms = 700;
    server_stop(w);
    UNTIL(w->loop, w->downs == 1);
    assert_false(bus_client_is_up(w->bus_client));
    assert_int_equal(ask(w, 100), 0);
    while (server_start(w, endpoint) == -EADDRINUSE) {
        server_stop(w);
        loop_once(w->loop, 5);
    }
    UNTIL(w->loop, w->ups == 2);
    assert_int_equal(w->requests, 0);
}

static void who_is_told_that_a_peer_is_gone_may_ask_again(void **state)
{
    struct world *w = *state;

    w->state.bus->gone_ms = 50;
    w->ask_again = true;
    bus_server_ask(w->server, w->peer, METHOD_resync, 0, NO_PAIRS, 60000, on_answer, w);
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->status, BUS_gone);
    w->state.bus->gone_ms = 6000;
    UNTIL(w->loop, w->answers == 2);
    assert_int_equal(w->peers_gone, 1);
    assert_int_equal(w->status, BUS_timeout);
}

/* ---- echoes ---- */

static void count_echo(void *arg, const struct bus_msg *m)
{
    struct world *w = arg;

    assert_int_equal(m->seq, 0);
    assert_true(view_eq(m->topic, VIEW("xod/echo/gw1/")));
    w->number++;
}

struct crowd {
    struct request_table *pending;
    int called;
    uint64_t cancel; /* what the next one that is called cancels */
};

static void on_crowd(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct crowd *c = arg;

    c->called++;
    if (c->cancel)
        request_table_cancel(c->pending, c->cancel);
    c->cancel = 0;
}

/* 60,000 requests to one peer: an Asterisk that hangs and a client that does not stop. */
static void fill(struct crowd *c, const void *owner, uint32_t deadline_ms)
{
    for (int i = 0; i < 60000; i++)
        assert_true(request_table_add(c->pending, owner, deadline_ms, on_crowd, c) > 0);
}

static void requests_that_wait_are_bounded_and_counted(void **state)
{
    struct world *w = *state;
    const struct bus_counts *n = &w->state.bus->counts;
    struct crowd c = {.pending = request_table_new(w->state.bus)};
    int asked = counted(n->asked), answered = counted(n->answered), late = counted(n->late);
    int one, two, added = 0;
    uint64_t first, id;

    first = request_table_add(c.pending, &one, 60000, on_crowd, &c);
    for (id = first; id; added++)
        id = request_table_add(c.pending, &one, 60000, on_crowd, &c);
    assert_int_equal(added, 65536);
    assert_int_equal(counted(n->asked) - asked, 65536);
    assert_false(
        request_table_answer(c.pending, &two, first, BUS_ok, NULL)); /* not its to answer */
    assert_int_equal(counted(n->late) - late, 1);
    assert_int_equal(c.called, 0);
    assert_true(request_table_answer(c.pending, &one, first, BUS_more, NULL));
    assert_true(request_table_answer(c.pending, &one, first, BUS_ok, NULL));
    assert_int_equal(c.called, 2);
    assert_false(request_table_answer(c.pending, &one, first, BUS_ok, NULL)); /* no more */
    assert_int_equal(counted(n->answered) - answered, 2);
    assert_int_equal(counted(n->late) - late, 2);
    assert_true(request_table_add(c.pending, &two, 60000, on_crowd, &c) >
                0); /* there is a place again */
    request_table_destroy(&c.pending);
    assert_int_equal(c.called, 65538);
}

static void on_end_ask_again(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct crowd *c = arg;

    c->called++;
    assert_int_equal(status, BUS_gone);
    assert_int_equal(request_table_add(c->pending, c, 60000, on_end_ask_again, c), 0);
}

static void nothing_is_asked_while_all_is_ended(void **state)
{
    struct world *w = *state;
    struct crowd c = {.pending = request_table_new(w->state.bus)};
    int owners[100];

    for (int i = 0; i < 100; i++)
        assert_true(request_table_add(c.pending, &owners[i], 60000, on_end_ask_again, &c) > 0);
    request_table_destroy(&c.pending);
    assert_int_equal(c.called, 100);
}

static void many_that_wait_cost_the_same_each(void **state)
{
    struct world *w = *state;
    struct crowd c = {.pending = request_table_new(w->state.bus)};
    int before = counted(w->state.bus->counts.timed_out);
    uint64_t since, last;
    int one, two;

    fill(&c, &one, 1);
    since = clock_mono_us();
    UNTIL(w->loop, c.called == 60000);
    assert_in_range(clock_mono_us() - since, 0, 15000000); /* it was minutes */
    assert_int_equal(counted(w->state.bus->counts.timed_out) - before, 60000);
    fill(&c, &one, 60000);
    request_table_add(c.pending, &two, 60000, on_crowd, &c);
    last = request_table_add(c.pending, &one, 60000, on_crowd, &c);
    c.cancel = last;
    since = clock_mono_us();
    request_table_gone(c.pending, &one);
    assert_in_range(clock_mono_us() - since, 0, 15000000);
    assert_int_equal(c.called, 120000); /* not the cancelled one, not the other peer's */
    request_table_gone(c.pending, &one);
    request_table_destroy(&c.pending);
    assert_int_equal(c.called, 120001);
}

static void an_echo_is_published_for_who_asks(void **state)
{
    static const struct bus_sub_handler handler = {count_echo, NULL};
    struct world *w = *state;
    struct bus_sub *s;
    int err = 0;

    s = bus_sub_new(w->gw.bus, bus_forwarder_subscribe(w->fwd), &handler, w, &err);
    bus_sub_add(s, VIEW("xod/echo/gw1/"));
    w->number = 0;
    while (w->number == 0) {
        bus_ask(w->bus_client, METHOD_echo, 1, VIEW("\xa5plane\xa3xod"), 1000, NULL, NULL);
        run_for(w->loop, 20);
    }
    bus_ask(w->bus_client, METHOD_echo, 0, NO_PAIRS, 1000, on_answer, w);
    UNTIL(w->loop, w->answers == 1);
    assert_int_equal(w->status, BUS_malformed);
    bus_sub_destroy(&s);
}

/* ---- bad input ---- */

static void malformed_requests_are_refused_and_counted(void **state)
{
    struct world *w = *state;
    void *raw = zmq_socket(bus_zmq(w->gw.bus), ZMQ_DEALER);
    struct view one = VIEW("\x01"), body = VIEW("\x80"), method = VIEW("command");
    struct view bad[][5] = {
        {method},
        {one, one, method},
        {one, one, method, body, body},
        {VIEW("\x02"), one, method, body},
        {VIEW(""), one, method, body},
        {one, VIEW("\xff"), method, body},
        {one, VIEW("\xdd\xff\xff\xff\xff"), method, body},
        {one, one, VIEW("nonsense"), body},
        {one, one, VIEW(""), body},
        {one, one, method, VIEW("")},
        {one, one, method, VIEW("\x91\x01")},
        {one, one, method, VIEW("\xdf\xff\xff\xff\xff")},
    };
    int n = ARRAY_SIZE(bad), zero = 0;

    zmq_setsockopt(raw, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_connect(raw, bus_server_endpoint(w->server));
    for (int i = 0; i < n; i++) {
        int frames = 0;
        while (frames < 5 && bad[i][frames].ptr)
            frames++;
        assert_int_equal(frames_send(raw, bad[i], frames), 0);
    }
    UNTIL(w->loop, counted(w->state.bus->counts.malformed) == n);
    assert_int_equal(w->requests, 0);
    w->answer_at_once = true;
    ask(w, 1000);
    UNTIL(w->loop, w->answers == 1);
    zmq_close(raw);
}

static void who_did_not_say_hello_is_told_so(void **state)
{
    struct world *w = *state;
    void *raw = zmq_socket(bus_zmq(w->gw.bus), ZMQ_DEALER);
    struct view parts[] = {VIEW("\x01"), VIEW("\x05"), VIEW("command"), VIEW("\x80")};
    struct frames f = {.n = 0};
    int zero = 0;

    zmq_setsockopt(raw, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_connect(raw, bus_server_endpoint(w->server));
    frames_send(raw, parts, 4);
    UNTIL(w->loop, f.n > 0 || frames_recv(raw, &f));
    assert_int_equal(f.n, 4);
    assert_true(view_eq(frame_view(&f, 1), VIEW("\x05")));
    assert_true(view_eq(frame_view(&f, 2), VIEW("unknown_peer")));
    assert_int_equal(w->requests, 0);
    frames_close(&f);
    zmq_close(raw);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_peer_says_hello_by_itself),
        T(a_request_is_answered),
        T(state_asks_too),
        T(a_stream_ends_with_the_answer_that_is_not_more),
        T(a_thousand_requests_at_once_are_all_answered),
        T(a_request_has_a_deadline_and_a_late_answer_is_counted),
        T(state_gives_up_too),
        T(a_cancelled_request_is_not_answered),
        T(a_quiet_peer_stays),
        T(a_peer_that_says_nothing_is_gone),
        T(a_peer_that_was_taken_for_gone_begins_anew),
        T(a_suspended_process_does_not_drop_its_peers),
        T(a_restarted_state_is_noticed_soon),
        T(what_people_ask_for_waits_for_a_restarted_state),
        T(nothing_is_asked_of_a_state_that_is_not_there),
        T(who_is_told_that_a_peer_is_gone_may_ask_again),
        T(requests_that_wait_are_bounded_and_counted),
        T(nothing_is_asked_while_all_is_ended),
        T(many_that_wait_cost_the_same_each),
        T(an_echo_is_published_for_who_asks),
        T(malformed_requests_are_refused_and_counted),
        T(who_did_not_say_hello_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
