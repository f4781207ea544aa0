/* A gateway of a site that has two states: which one it asks, what waits meanwhile, and what
 * becomes of that. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/two_states.h"

static int setup(void **state)
{
    struct two_states *w = two_states_open();

    client_open(w);
    *state = w;
    return 0;
}

/* Without a client. */
static int setup_alone(void **state)
{
    *state = two_states_open();
    return 0;
}

static int teardown(void **state)
{
    two_states_close(*state);
    return 0;
}

/* ---- which state it asks ---- */

static void the_one_that_is_active_is_asked(void **state)
{
    struct two_states *w = *state;
    struct answer an = {0};

    bus_server_set_standby(w->a.server, "b", true);
    take_over(&w->b, 7);
    UNTIL(w->loop, asks(w, &w->b) && strcmp(w->active, "a of b") == 0);
    assert_true(is_told(w, "u"));
    assert_true(ask(w, 1, &an) > 0);
    UNTIL(w->loop, an.calls == 1);
    assert_int_equal(an.status, BUS_ok);
    assert_string_equal(w->b.got, "1 ");
    bus_server_set_standby(w->a.server, "b", false);
    UNTIL(w->loop, strcmp(w->active, "a of b, not ready") == 0);
    assert_true(is_told(w, "u"));
}

static void nobody_is_asked_while_none_is_active(void **state)
{
    struct two_states *w = *state;
    struct answer an = {0};

    UNTIL(w->loop, *w->active);
    assert_false(bus_client_is_up(w->client));
    assert_int_equal(bus_client_epoch(w->client), 0);
    assert_int_equal(ask(w, 1, &an), 0);
    assert_int_equal(bus_client_reply(w->client, 1, BUS_ok, NO_PAIRS), -ENOTCONN);
    take_over(&w->a, 1);
    UNTIL(w->loop, ask(w, 2, &an) > 0);
    UNTIL(w->loop, an.calls == 1);
    assert_string_equal(w->a.got, "2 ");
}

static void one_that_was_replaced_is_not_followed(void **state)
{
    struct two_states *w = *state;

    take_over(&w->b, 4);
    UNTIL(w->loop, asks(w, &w->b));
    take_over(&w->a, 3); /* it stood still, and goes on */
    restart_server(&w->b);
    UNTIL(w->loop, !bus_client_is_up(w->client));
    run_for(w->loop, 500);
    assert_string_equal(w->told, "ud");
    w->client->lost_at -= 15000000; /* nobody has come for long: the terms began anew */
    UNTIL(w->loop, asks(w, &w->a));
}

static void a_higher_term_counts_while_the_old_one_answers(void **state)
{
    struct two_states *w = *state;
    struct answer old = {0}, new = {0}, lost = {0};
    int err = 0;

    take_over(&w->a, 3);
    UNTIL(w->loop, asks(w, &w->a) && w->a.peer);
    w->a.answers = false;
    ask(w, 1, &lost);
    UNTIL(w->loop, has_got(&w->a, "1 "));
    take_over(&w->b, 4);
    UNTIL(w->loop, asks(w, &w->b));
    assert_true(is_told(w, "udu"));
    assert_int_equal(lost.calls, 1);
    assert_int_equal(lost.status, BUS_gone);
    /* the old one does not know, and decides nothing */
    assert_true(bus_server_ask(w->a.server, w->a.peer, METHOD_resync, 0, NO_PAIRS, 20000, on_answer,
                               &old) > 0);
    UNTIL(w->loop, old.calls == 1);
    assert_int_equal(old.status, BUS_not_active);
    assert_int_equal(w->requests, 0);
    assert_true(bus_server_ask(w->b.server, w->b.peer, METHOD_resync, 0, NO_PAIRS, 20000, on_answer,
                               &new) > 0);
    UNTIL(w->loop, w->requests == 1);
    err = bus_client_reply(w->client, w->request_id, BUS_ok, NO_PAIRS);
    assert_int_equal(err, 0);
    UNTIL(w->loop, new.calls == 1);
    assert_int_equal(new.status, BUS_ok);
    assert_true(is_told(w, "udu"));
}

static void a_lower_term_does_not_count(void **state)
{
    struct two_states *w = *state;
    struct answer an = {0};

    take_over(&w->b, 9);
    UNTIL(w->loop, asks(w, &w->b));
    take_over(&w->a, 8);
    UNTIL(w->loop, w->a.hellos == 2); /* the answer to the first one was heard */
    assert_true(asks(w, &w->b));
    assert_true(is_told(w, "u"));
    ask(w, 1, &an);
    UNTIL(w->loop, an.calls == 1);
    assert_string_equal(w->b.got, "1 ");
}

static void one_that_is_on_standby_again_is_left(void **state)
{
    struct two_states *w = *state;

    take_over(&w->a, 1);
    UNTIL(w->loop, asks(w, &w->a));
    restart_server(&w->a);
    UNTIL(w->loop, !bus_client_is_up(w->client));
    assert_true(is_told(w, "ud"));
    take_over(&w->b, 2);
    UNTIL(w->loop, asks(w, &w->b));
    assert_true(is_told(w, "udu"));
}

/* ---- what waits ---- */

static void requests_wait_until_one_is_ready(void **state)
{
    struct two_states *w = *state;
    struct answer an[4] = {{0}}, sooner = {0};

    for (int i = 0; i < 3; i++)
        assert_true(ask_wait(w, METHOD_command, i + 1, &an[i]) > 0);
    take_over(&w->b, 1);
    bus_server_set_ready(w->b.server, false);
    UNTIL(w->loop, asks(w, &w->b));
    assert_true(ask_wait(w, METHOD_command, 4, &an[3]) > 0);
    ask(w, 9, &sooner); /* does not wait, and is the first by that */
    UNTIL(w->loop, sooner.calls == 1);
    assert_string_equal(w->b.got, "9 ");
    bus_server_set_ready(w->b.server, true);
    UNTIL(w->loop, an[3].calls == 1);
    assert_string_equal(w->b.got, "9 1 2 3 4 ");
    for (int i = 0; i < 4; i++)
        assert_true(an[i].calls == 1 && an[i].status == BUS_ok);
}

static void what_waits_has_a_deadline(void **state)
{
    struct two_states *w = *state;
    struct answer late = {0}, an = {0};

    assert_true(ask_wait_for(w, METHOD_login_begin, 1, 100, &late) > 0);
    UNTIL(w->loop, late.calls == 1);
    assert_int_equal(late.status, BUS_timeout);
    take_over(&w->a, 1);
    assert_true(ask_wait(w, METHOD_login_begin, 2, &an) > 0);
    UNTIL(w->loop, an.calls == 1);
    assert_string_equal(w->a.got, "2 ");
    assert_int_equal(late.calls, 1);
}

static void what_waits_is_bounded(void **state)
{
    struct two_states *w = *state;
    static char text[1024 * 1024];
    struct answer an = {0};
    uint64_t id = 0;

    for (int i = 0; i < 4096; i++)
        assert_true(ask_wait(w, METHOD_command, 1, &an) > 0);
    assert_int_equal(ask_wait(w, METHOD_command, 1, &an), 0);
    bus_client_destroy(&w->client);
    assert_int_equal(an.calls, 4096);
    client_open(w);
    for (int i = 0; i < 8; i++)
        assert_true((id = bus_ask_wait(w->client, METHOD_command, false, 1,
                                       view_of(text, sizeof(text)), 20000, on_answer, &an)) > 0);
    assert_int_equal(ask_wait(w, METHOD_command, 1, &an), 0);
    bus_ask_cancel(w->client, id);
    assert_true(ask_wait(w, METHOD_command, 1, &an) > 0); /* there is room again */
    bus_client_destroy(&w->client);
    assert_int_equal(an.calls, 4096 + 8);
}

static void none_waits_for_a_site_that_is_down(void **state)
{
    struct two_states *w = *state;
    struct answer an = {0};

    assert_true(bus_client_takes(w->client));
    w->client->lost_at -= 15000000; /* as if that had been long ago */
    assert_false(bus_client_takes(w->client));
    assert_int_equal(ask_wait(w, METHOD_login_begin, 1, &an), 0);
    take_over(&w->a, 1);
    UNTIL(w->loop, asks(w, &w->a));
    assert_true(bus_client_takes(w->client));
}

static void of_what_was_sent_only_logins_are_asked_again(void **state)
{
    struct two_states *w = *state;
    struct answer login = {0}, command = {0};

    take_over(&w->a, 1);
    w->a.answers = false;
    UNTIL(w->loop, asks(w, &w->a));
    ask_wait(w, METHOD_login_begin, 1, &login);
    ask_wait(w, METHOD_command, 2, &command);
    UNTIL(w->loop, has_got(&w->a, "1 2 "));
    take_over(&w->b, 2);
    UNTIL(w->loop, login.calls == 1);
    assert_int_equal(login.status, BUS_ok);
    assert_string_equal(w->b.got, "1 ");
    assert_int_equal(command.calls, 1);
    assert_int_equal(command.status, BUS_gone); /* it may have been carried out */
    bus_server_reply(w->a.server, w->a.peer, w->a.last, BUS_ok, NO_PAIRS);
    UNTIL(w->loop, counted(w->gw.bus->counts.late) == 1);
    assert_true(login.calls == 1 && command.calls == 1);
}

/* The first one was lost, and is on its way to the second one when that is lost, too. */
static void a_login_outlives_two_states(void **state)
{
    struct two_states *w = *state;
    struct answer login = {0};

    w->a.answers = w->b.answers = false;
    take_over(&w->a, 1);
    ask_wait(w, METHOD_login_check, 1, &login);
    UNTIL(w->loop, has_got(&w->a, "1 "));
    take_over(&w->b, 2);
    UNTIL(w->loop, has_got(&w->b, "1 "));
    restart_server(&w->a);
    w->a.answers = true;
    take_over(&w->a, 3);
    UNTIL(w->loop, login.calls == 1);
    assert_int_equal(login.status, BUS_ok);
    assert_string_equal(w->a.got, "1 1 ");
}

static void what_was_cancelled_is_neither_sent_nor_answered(void **state)
{
    struct two_states *w = *state;
    struct answer waits = {0}, sent = {0}, last = {0};
    uint64_t id = ask_wait(w, METHOD_login_begin, 1, &waits);

    bus_ask_cancel(w->client, id);
    bus_ask_cancel(w->client, id);
    take_over(&w->a, 1);
    w->a.answers = false;
    id = ask_wait(w, METHOD_login_begin, 2, &sent);
    UNTIL(w->loop, has_got(&w->a, "2 "));
    bus_ask_cancel(w->client, id);
    bus_server_reply(w->a.server, w->a.peer, w->a.last, BUS_ok, NO_PAIRS);
    UNTIL(w->loop, counted(w->gw.bus->counts.late) == 1);
    take_over(&w->b, 2);
    ask_wait(w, METHOD_login_begin, 3, &last);
    UNTIL(w->loop, last.calls == 1);
    assert_true(waits.calls == 0 && sent.calls == 0);
    assert_true(has_got(&w->a, "2 ") || has_got(&w->a, "2 3 "));
    assert_string_equal(w->b.got, "3 ");
}

/* One whose end asks for more, and cancels another one. */
struct chain {
    struct bus_client *client;
    struct answer an;
    uint64_t cancel;
};

static void on_end(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct chain *c = arg;

    on_answer(&c->an, status, body);
    bus_ask_cancel(c->client, c->cancel);
    assert_int_equal(bus_ask_wait(c->client, METHOD_login_begin, true, 0, NO_PAIRS, 9, on_end, c),
                     0);
}

static void who_waits_is_told_the_end_once(void **state)
{
    struct two_states *w = *state;
    struct answer waits = {0}, sent = {0}, plain = {0}, cancelled = {0};
    struct chain first = {.client = w->client};

    take_over(&w->a, 1);
    w->a.answers = false;
    UNTIL(w->loop, asks(w, &w->a));
    ask(w, 1, &plain);
    ask_wait(w, METHOD_login_begin, 2, &sent);
    UNTIL(w->loop, has_got(&w->a, "1 2 "));
    restart_server(&w->a);
    UNTIL(w->loop, !bus_client_is_up(w->client));
    assert_true(plain.calls == 1 && plain.status == BUS_gone && sent.calls == 0);
    bus_ask_wait(w->client, METHOD_command, false, 0, NO_PAIRS, 20000, on_end, &first);
    first.cancel = ask_wait(w, METHOD_command, 3, &cancelled);
    ask_wait(w, METHOD_command, 4, &waits);
    bus_client_destroy(&w->client);
    assert_true(sent.calls == 1 && sent.status == BUS_gone);
    assert_true(first.an.calls == 1 && first.an.status == BUS_gone);
    assert_true(waits.calls == 1 && waits.status == BUS_gone);
    assert_true(plain.calls == 1 && cancelled.calls == 0);
}

static struct answer of_down, of_up;

static void ask_on_down(struct two_states *w)
{
    assert_int_equal(ask(w, 7, &of_down), 0);
    assert_true(ask_wait(w, METHOD_command, 8, &of_down) > 0);
}

static void ask_on_up(struct two_states *w)
{
    assert_true(ask(w, 9, &of_up) > 0);
}

static void who_is_told_may_ask(void **state)
{
    struct two_states *w = *state;

    of_down = of_up = (struct answer){0};
    take_over(&w->a, 1);
    UNTIL(w->loop, asks(w, &w->a));
    w->on_down = ask_on_down;
    w->on_up = ask_on_up;
    take_over(&w->b, 2);
    UNTIL(w->loop, of_down.calls == 1 && of_up.calls == 1);
    assert_string_equal(w->b.got, "9 8 "); /* what a new state must know comes before the rest */
    assert_true(of_down.status == BUS_ok && of_up.status == BUS_ok);
}

/* ---- connections ---- */

static bool can_send(const struct lane *l)
{
    int events = 0;
    size_t n = sizeof(events);

    zmq_getsockopt(l->socket, ZMQ_EVENTS, &events, &n);
    return events & ZMQ_POLLOUT;
}

/* The network was away for less than the time in which it is noticed. */
static void what_had_no_connection_is_sent_when_there_is_one(void **state)
{
    struct two_states *w = *state;
    struct lane *l = &w->client->lanes[0];
    struct answer first = {0}, second = {0};

    take_over(&w->a, 1);
    UNTIL(w->loop, asks(w, &w->a));
    assert_int_equal(zmq_disconnect(l->socket, w->client->to.at[0]), 0);
    while (can_send(l))
        ;
    assert_int_equal(ask(w, 8, &first), 0);
    assert_true(ask_wait(w, METHOD_command, 1, &first) > 0);
    assert_int_equal(bus_connect(l->socket, w->client->to.at[0]), 0);
    while (!can_send(l))
        ;
    assert_true(ask_wait(w, METHOD_command, 2, &second) > 0);
    UNTIL_MS(w->loop, first.calls == 1 && second.calls == 1, 5000);
    assert_true(first.status == BUS_ok && second.status == BUS_ok);
    assert_string_equal(w->a.got, "1 2 ");
    assert_true(is_told(w, "u"));
}

/* A state that was active when it answered hello, and is not when it is asked: its process was
 * restarted. */
struct left {
    void *socket; /* the world's */
    struct msg_doc doc;
    int asked;
};

static void left_step(struct left *f)
{
    struct view here = VIEW("\x82\xa5"
                            "epoch\x07\xa4term\x01");
    struct envelope e;
    struct frames in;

    while (frames_recv(f->socket, &in)) {
        assert_int_equal(envelope_read(&in, 1, &f->doc, &e), 0);
        if (e.method == METHOD_command)
            f->asked++;
        if (e.method >= 0)
            envelope_send(f->socket, frame_view(&in, 0), e.id,
                          schema_status_name(f->asked ? BUS_not_active : BUS_ok), here);
        frames_close(&in);
    }
}

static void who_is_told_that_it_is_not_active_asks_the_other(void **state)
{
    struct two_states *w = *state;
    struct left f = {.socket = w->raw = zmq_socket(bus_zmq(w->a.p.bus), ZMQ_ROUTER)};
    struct answer an = {0};
    char at[300] = "";
    size_t n = sizeof(at);
    int zero = 0, err = 0;

    zmq_setsockopt(f.socket, ZMQ_LINGER, &zero, sizeof(zero));
    assert_int_equal(msg_doc_init(&f.doc), 0);
    assert_int_equal(zmq_bind(f.socket, ANY_PORT), 0);
    zmq_getsockopt(f.socket, ZMQ_LAST_ENDPOINT, at, &n);
    note(at, sizeof(at), " ");
    note(at, sizeof(at), bus_server_endpoint(w->b.server));
    w->client = client_at(w, at, &err);
    UNTIL(w->loop, (left_step(&f), bus_client_is_up(w->client)));
    assert_true(ask_wait(w, METHOD_command, 1, &an) > 0);
    UNTIL(w->loop, (left_step(&f), !bus_client_is_up(w->client)));
    assert_int_equal(an.calls, 0);
    take_over(&w->b, 2);
    UNTIL(w->loop, (left_step(&f), an.calls == 1));
    assert_int_equal(an.status, BUS_ok); /* it was not carried out before, as is known */
    assert_int_equal(f.asked, 1);
    assert_string_equal(w->b.got, "1 ");
    msg_doc_fini(&f.doc);
}

static void the_answer_to_the_process_before_is_none(void **state)
{
    struct two_states *w = *state;
    struct answer before = {0}, an = {0};
    uint64_t old;

    take_over(&w->a, 1);
    UNTIL(w->loop, w->a.peer);
    bus_server_ask(w->a.server, w->a.peer, METHOD_resync, 0, NO_PAIRS, 20000, on_answer, &before);
    UNTIL(w->loop, w->requests == 1);
    old = w->request_id;
    restart_server(&w->a);
    assert_true(before.calls == 1 && before.status == BUS_gone);
    take_over(&w->a, 2);
    UNTIL(w->loop, w->a.peer && asks(w, &w->a));
    bus_server_ask(w->a.server, w->a.peer, METHOD_resync, 0, NO_PAIRS, 20000, on_answer, &an);
    UNTIL(w->loop, w->requests == 2);
    assert_int_equal(bus_client_reply(w->client, old, BUS_ok, NO_PAIRS), 0);
    UNTIL(w->loop, counted(w->a.p.bus->counts.late) == 1);
    assert_int_equal(an.calls, 0);
    bus_client_reply(w->client, w->request_id, BUS_denied, NO_PAIRS);
    UNTIL(w->loop, an.calls == 1);
    assert_int_equal(an.status, BUS_denied);
}

static void a_list_of_endpoints_that_is_none_is_refused(void **state)
{
    static const char five[] = "tcp://127.0.0.1:1 tcp://127.0.0.1:2 tcp://127.0.0.1:3 "
                               "tcp://127.0.0.1:4 tcp://127.0.0.1:5";
    static const struct bus_sub_handler handler = {side_heard, NULL};
    const struct {
        const char *text;
        int err;
    } rows[] = {{"", -EINVAL}, {"  ", -EINVAL}, {five, -ENOBUFS}, {"tcp://127.0.0.1:1 x", -EINVAL}};
    struct two_states *w = *state;
    int err;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        err = 0;
        assert_null(client_at(w, rows[i].text, &err));
        assert_int_equal(err, rows[i].err);
        err = 0;
        assert_null(bus_pub_new(w->gw.bus, rows[i].text, NULL, NULL, &err));
        assert_int_equal(err, rows[i].err);
        err = 0;
        assert_null(bus_sub_new(w->gw.bus, rows[i].text, &handler, NULL, &err));
        assert_int_equal(err, rows[i].err);
    }
    assert_true(LIST_EMPTY(&w->gw.bus->routes));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define ALONE(name) cmocka_unit_test_setup_teardown(name, setup_alone, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_one_that_is_active_is_asked),
        T(nobody_is_asked_while_none_is_active),
        T(one_that_was_replaced_is_not_followed),
        T(a_higher_term_counts_while_the_old_one_answers),
        T(a_lower_term_does_not_count),
        T(one_that_is_on_standby_again_is_left),
        T(requests_wait_until_one_is_ready),
        T(what_waits_has_a_deadline),
        T(what_waits_is_bounded),
        T(none_waits_for_a_site_that_is_down),
        T(of_what_was_sent_only_logins_are_asked_again),
        T(a_login_outlives_two_states),
        T(what_was_cancelled_is_neither_sent_nor_answered),
        T(who_waits_is_told_the_end_once),
        T(who_is_told_may_ask),
        T(what_had_no_connection_is_sent_when_there_is_one),
        ALONE(who_is_told_that_it_is_not_active_asks_the_other),
        T(the_answer_to_the_process_before_is_none),
        ALONE(a_list_of_endpoints_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
