/* What an Asterisk is to be like, with a whole state and a gateway that answers when the test says
 * so: nothing that is wanted is lost, nothing is carried out twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/context.h"
#include "support/state_peer.h"
#include "users/deferred_actions.h"

#define MAX_ASKED 256
#define AT_A_TIME 50 /* of users/deferred_actions.c */

struct world {
    struct state_world s;
    struct state_peer login; /* registers */
    /* the actions that it was asked for */
    uint64_t id[MAX_ASKED];
    char value[MAX_ASKED][16];
    int n;
};

/* Of the pairs, the value of a header. */
static struct view header(const msgpack_object *pairs, struct view name)
{
    for (uint32_t i = 0; i < pairs->via.array.size; i++) {
        const msgpack_object *pair = pairs->via.array.ptr[i].via.array.ptr;
        if (view_eq(msg_str(&pair[0]), name))
            return msg_str(&pair[1]);
    }
    return view_of(NULL, 0);
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct state_peer *x = arg;
    struct world *w = (struct world *)((char *)x - offsetof(struct world, login));

    if (method != METHOD_ami_action) {
        bus_client_reply(x->bus_client, id, BUS_ok, view_of(NULL, 0));
        return;
    }
    assert_true(w->n < MAX_ASKED);
    w->id[w->n] = id;
    snprintf(w->value[w->n++], sizeof(w->value[0]), "%.*s",
             VIEW_ARG(header(msg_get(body, "headers"), VIEW("Value"))));
}

static void start_gateway(struct world *w)
{
    static const struct bus_client_handler handler = {peer_on_up, NULL, on_request};
    int err = 0;

    w->login = (struct state_peer){.loop = w->s.loop};
    w->login.p = process_start(w->s.loop, "gw", "gw", NULL);
    w->login.bus_client = bus_client_new(w->login.p.bus, state_endpoint_request(w->s.s), "ami-gw",
                                         &handler, &w->login, &err);
    assert_int_equal(err, 0);
    UNTIL(w->s.loop, w->login.ups == 1);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    if (state_setup(&w->s) < 0)
        return -1;
    start_gateway(w);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    peer_end(&w->login);
    state_teardown(&w->s);
    free(w);
    return 0;
}

static void want(struct world *w, const char *subject, const char *value)
{
    deferred_actions_set(w->s.s, w->s.ipbx, view_cstr(subject), "Setvar", "Variable",
                         view_cstr(subject), "Value", view_cstr(value), NULL);
    state_commit(w->s.s, false);
}

static size_t waiting(const struct world *w)
{
    return deferred_actions_count(w->s.s->deferred_actions);
}

static void resync(struct world *w)
{
    deferred_actions_resynced(w->s.s, w->s.ipbx);
}

/* Action number i is answered, and the answer has come: the next one of the same connection has,
 * too. response: as Asterisk has it, or NULL: it could not be carried out. */
static void answer(struct world *w, int i, const char *response)
{
    struct buf out;

    buf_init(&out, 0);
    msg_put_map(&out, 1);
    msg_put_pair(&out, "response", view_cstr(response ? response : ""));
    bus_client_reply(w->login.bus_client, w->id[i], response ? BUS_ok : BUS_busy, buf_view(&out));
    buf_free(&out);
    peer_ask(&w->login, METHOD_admin_sessions, "{}");
}

/* Whatever is under way to the gateway has come. */
static void settle(struct world *w)
{
    peer_ask(&w->login, METHOD_admin_sessions, "{}");
}

static void restart(struct world *w)
{
    int ups = w->login.ups;

    state_restart(&w->s);
    UNTIL(w->s.loop, w->login.ups > ups);
}

/* ---- */

static void it_is_sent_once_and_over_when_it_is_answered(void **state)
{
    struct world *w = *state;

    peer_login(&w->login, 1);
    want(w, "lamp", "on");
    UNTIL(w->s.loop, w->n == 1);
    assert_string_equal(w->value[0], "on");
    resync(w);
    settle(w);
    assert_int_equal(w->n, 1); /* the answer is still due */
    assert_int_equal(waiting(w), 1);
    answer(w, 0, "Success");
    assert_int_equal(waiting(w), 0);
    restart(w);
    peer_login(&w->login, 2);
    assert_int_equal(waiting(w), 0);
    resync(w);
    settle(w);
    assert_int_equal(w->n, 1);
}

static void a_refusal_of_the_asterisk_is_an_answer(void **state)
{
    struct world *w = *state;

    peer_login(&w->login, 1);
    want(w, "lamp", "on");
    UNTIL(w->s.loop, w->n == 1);
    answer(w, 0, "Error");
    assert_int_equal(waiting(w), 0);
    restart(w);
    assert_int_equal(waiting(w), 0);
}

static void what_is_not_answered_is_sent_after_the_next_resync(void **state)
{
    struct world *w = *state;

    peer_login(&w->login, 1);
    want(w, "lamp", "on");
    UNTIL(w->s.loop, w->n == 1);
    answer(w, 0, NULL);
    assert_int_equal(waiting(w), 1);
    resync(w);
    UNTIL(w->s.loop, w->n == 2);
    assert_string_equal(w->value[1], "on");
    answer(w, 1, "Success");
    assert_int_equal(waiting(w), 0);
}

static void what_is_not_answered_outlives_state(void **state)
{
    struct world *w = *state;

    peer_login(&w->login, 1);
    want(w, "lamp", "on");
    want(w, "other", "off");
    UNTIL(w->s.loop, w->n == 2);
    answer(w, 1, "Success");
    restart(w);
    assert_int_equal(waiting(w), 1);
    peer_login(&w->login, 2);
    resync(w);
    UNTIL(w->s.loop, w->n == 3);
    assert_string_equal(w->value[2], "on");
}

static void what_is_wanted_without_a_link_waits_for_it(void **state)
{
    struct world *w = *state;

    want(w, "lamp", "off");
    want(w, "lamp", "on"); /* only the last counts */
    settle(w);
    assert_int_equal(w->n, 0);
    assert_int_equal(waiting(w), 1);
    peer_login(&w->login, 1);
    resync(w);
    UNTIL(w->s.loop, w->n == 1);
    settle(w);
    assert_int_equal(w->n, 1);
    assert_string_equal(w->value[0], "on");
}

static void the_answer_to_an_earlier_wish_says_nothing_about_the_last(void **state)
{
    struct world *w = *state;

    peer_login(&w->login, 1);
    want(w, "lamp", "on");
    UNTIL(w->s.loop, w->n == 1);
    want(w, "lamp", "off");
    UNTIL(w->s.loop, w->n == 2);
    answer(w, 0, "Success");
    assert_int_equal(waiting(w), 1);
    resync(w);
    settle(w);
    assert_int_equal(w->n, 2); /* its own answer is still due */
    restart(w);
    assert_int_equal(waiting(w), 1);
    peer_login(&w->login, 2);
    resync(w);
    UNTIL(w->s.loop, w->n == 3);
    assert_string_equal(w->value[2], "off");
    answer(w, 2, "Success");
    assert_int_equal(waiting(w), 0);
}

static void a_wish_about_something_that_is_asked_waits_for_the_link_like_any(void **state)
{
    struct world *w = *state;

    peer_login(&w->login, 1);
    want(w, "lamp", "on");
    UNTIL(w->s.loop, w->n == 1);
    peer_login(&w->login, 0);
    want(w, "lamp", "off");
    answer(w, 0, "Success"); /* late */
    assert_int_equal(w->n, 1);
    assert_int_equal(waiting(w), 1);
    peer_login(&w->login, 2);
    resync(w);
    UNTIL(w->s.loop, w->n == 2);
    assert_string_equal(w->value[1], "off");
}

static void what_is_dropped_is_over(void **state)
{
    struct world *w = *state;

    peer_login(&w->login, 1);
    want(w, "lamp", "on");
    want(w, "other", "off");
    UNTIL(w->s.loop, w->n == 2);
    deferred_actions_drop(w->s.s, w->s.ipbx, VIEW("lamp"));
    deferred_actions_drop(w->s.s, w->s.ipbx, VIEW("nothing"));
    assert_int_equal(waiting(w), 1);
    answer(w, 0, "Success"); /* of one that is not there any more */
    assert_int_equal(waiting(w), 1);
    restart(w);
    assert_int_equal(waiting(w), 1);
}

static void few_are_asked_for_at_a_time_in_their_order(void **state)
{
    struct world *w = *state;
    char subject[16], value[16];

    peer_login(&w->login, 1);
    for (int i = 0; i < 120; i++) {
        snprintf(subject, sizeof(subject), "lamp%d", i);
        snprintf(value, sizeof(value), "%d", i);
        want(w, subject, value);
    }
    settle(w);
    assert_int_equal(w->n, AT_A_TIME);
    for (int i = 0; i < 120; i++) {
        answer(w, i, "Success");
        settle(w);
        assert_int_equal(w->n, i + 1 + AT_A_TIME < 120 ? i + 1 + AT_A_TIME : 120);
        snprintf(value, sizeof(value), "%d", i);
        assert_string_equal(w->value[i], value);
    }
    assert_int_equal(waiting(w), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_is_sent_once_and_over_when_it_is_answered),
        T(a_refusal_of_the_asterisk_is_an_answer),
        T(what_is_not_answered_is_sent_after_the_next_resync),
        T(what_is_not_answered_outlives_state),
        T(what_is_wanted_without_a_link_waits_for_it),
        T(the_answer_to_an_earlier_wish_says_nothing_about_the_last),
        T(a_wish_about_something_that_is_asked_waits_for_the_link_like_any),
        T(what_is_dropped_is_over),
        T(few_are_asked_for_at_a_time_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
