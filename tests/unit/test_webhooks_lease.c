/* Which http-gw sends the webhooks: one, and the next when it is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/state_peer.h"

struct gw {
    struct process p;
    struct bus_client *bus_client;
    struct loop *loop;
    int ups, told, registered;
    bool active, yours;
    char since[64], asked[64]; /* what it was asked by tools */
};

struct world {
    struct state_world s;
    struct state_peer tool;
    struct gw a, b;
};

static void on_up(void *arg, const msgpack_object *body)
{
    ((struct gw *)arg)->ups++;
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct gw *g = arg;
    struct buf out;

    buf_init(&out, 0);
    if (method == METHOD_webhooks_active) {
        g->told++;
        g->active = msg_get_bool(body, "active", false);
        g->yours = msg_get_bool(body, "yours", false);
        snprintf(g->since, sizeof(g->since), "%.*s", VIEW_ARG(msg_get_str(body, "since")));
    } else {
        snprintf(g->asked, sizeof(g->asked), "%.*s", VIEW_ARG(msg_get_str(body, "what")));
        msg_put_map(&out, 1);
        msg_put_pair(&out, "webhooks", VIEW("some"));
    }
    bus_client_reply(g->bus_client, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

static void on_registered(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct gw *g = arg;

    assert_int_equal(status, BUS_ok);
    g->registered++;
}

static void come(struct gw *g, struct world *w, const char *name)
{
    static const struct bus_client_handler handler = {on_up, NULL, on_request};
    int err = 0;

    *g = (struct gw){.loop = w->s.loop};
    g->p = process_start(w->s.loop, name, name, NULL);
    g->bus_client =
        bus_client_new(g->p.bus, state_endpoint_request(w->s.s), "http-gw", &handler, g, &err);
    assert_non_null(g->bus_client);
    UNTIL(w->s.loop, g->ups == 1);
}

static void register_as(struct gw *g, const char *queue, bool active)
{
    int before = g->registered;
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "kind", VIEW("webhooks"));
    msg_put_pair(&pairs, "queue", view_cstr(queue));
    msg_put_cstr(&pairs, "active");
    msg_put_bool(&pairs, active);
    bus_ask(g->bus_client, METHOD_worker_register, 3, buf_view(&pairs), 5000, on_registered, g);
    buf_free(&pairs);
    UNTIL(g->loop, g->registered == before + 1);
}

static void progress(struct gw *g, const char *id)
{
    int before = g->registered;
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "id", view_cstr(id));
    bus_ask(g->bus_client, METHOD_webhooks_progress, 1, buf_view(&pairs), 5000, on_registered, g);
    buf_free(&pairs);
    UNTIL(g->loop, g->registered == before + 1);
}

static void leave(struct gw *g)
{
    if (!g->bus_client)
        return;
    bus_client_destroy(&g->bus_client);
    process_end(&g->p);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    assert_int_equal(state_setup(&w->s), 0);
    peer_start(&w->tool, &w->s, "tool@test");
    come(&w->a, w, "http-a");
    come(&w->b, w, "http-b");
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    peer_end(&w->tool);
    leave(&w->a);
    leave(&w->b);
    state_teardown(&w->s);
    free(w);
    return 0;
}

static void the_first_after_a_while(void **state)
{
    struct world *w = *state;

    assert_int_equal(peer_ask(&w->tool, METHOD_webhooks, "{}"), BUS_noconn);
    register_as(&w->a, "qa", false);
    register_as(&w->b, "qb", false);
    assert_true(w->a.told == 0 && w->b.told == 0); /* one that sends already may come yet */
    UNTIL(w->s.loop, w->a.told == 1);
    assert_true(w->a.active && w->a.yours);
    assert_string_equal(w->a.since, "");
    assert_int_equal(w->b.told, 0);
    assert_int_equal(peer_ask(&w->tool, METHOD_webhooks, "{\"what\":\"dead\"}"), BUS_ok);
    assert_string_equal(w->a.asked, "dead");
    assert_string_equal(w->tool.answer, "{\"webhooks\":\"some\"}");
}

static void one_that_sends_already(void **state)
{
    struct world *w = *state;

    register_as(&w->a, "qa", false);
    register_as(&w->b, "qb", true); /* state was started anew */
    run_for(w->s.loop, 3300);
    assert_int_equal(w->a.told, 0);
    assert_int_equal(peer_ask(&w->tool, METHOD_webhooks, "{\"what\":\"list\"}"), BUS_ok);
    assert_string_equal(w->b.asked, "list");
}

static void the_next_when_it_is_gone(void **state)
{
    struct world *w = *state;

    register_as(&w->a, "qa", true);
    register_as(&w->b, "qb", false);
    progress(&w->b, "7.7.7"); /* of one that does not send: nothing */
    progress(&w->a, "1.2.3");
    leave(&w->a);
    UNTIL(w->s.loop, w->b.told >= 1 && w->b.active);
    assert_string_equal(w->b.since, "1.2.3");
    assert_false(w->b.yours); /* what it has on its disk is not the newest */
    progress(&w->b, "1.9.0");
    come(&w->a, w, "http-a");
    register_as(&w->a, "qa", false);
    run_for(w->s.loop, 100);
    assert_int_equal(w->a.told, 0);
    leave(&w->b);
    UNTIL(w->s.loop, w->a.told >= 1 && w->a.active);
    assert_string_equal(w->a.since, "1.9.0");
    assert_false(w->a.yours);
}

static void it_comes_back_alone(void **state)
{
    struct world *w = *state;

    register_as(&w->a, "qa", true);
    progress(&w->a, "1.2.3");
    leave(&w->a);
    UNTIL(w->s.loop, peer_ask(&w->tool, METHOD_webhooks, "{}") == BUS_noconn);
    come(&w->a, w, "http-a2");
    register_as(&w->a, "qa", false);
    UNTIL(w->s.loop, w->a.told == 1);
    assert_true(w->a.active && w->a.yours);
    assert_string_equal(w->a.since, "1.2.3");
}

/* Two that both say that they send: the one that says it last does, and the other is told. */
static void two_that_send(void **state)
{
    struct world *w = *state;

    register_as(&w->a, "qa", true);
    register_as(&w->b, "qb", true);
    UNTIL(w->s.loop, w->a.told == 2 && !w->a.active);
    assert_int_equal(peer_ask(&w->tool, METHOD_webhooks, "{\"what\":\"list\"}"), BUS_ok);
    assert_string_equal(w->b.asked, "list");
}

static void nonsense(void **state)
{
    struct world *w = *state;
    char json[256];

    snprintf(json, sizeof(json), "{\"kind\":\"webhooks\",\"queue\":\"%0*d\",\"active\":\"x\"}", 200,
             1);
    assert_int_equal(peer_ask(&w->tool, METHOD_worker_register, json), BUS_ok);
    assert_int_equal(peer_ask(&w->tool, METHOD_worker_register, "{\"kind\":\"webhooks\"}"), BUS_ok);
    assert_int_equal(peer_ask(&w->tool, METHOD_webhooks_progress, "{\"id\":[1]}"), BUS_ok);
    assert_int_equal(peer_ask(&w->tool, METHOD_webhooks_progress, "{}"), BUS_ok);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_after_a_while), TEST(one_that_sends_already), TEST(the_next_when_it_is_gone),
        TEST(it_comes_back_alone),     TEST(two_that_send),          TEST(nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
