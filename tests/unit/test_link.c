/* The AMI link against an Asterisk that is played here, line by line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "link.h"
#include "support/asterisk.h"

struct world {
    struct loop *loop;
    struct metrics *metrics;
    struct ami_link *link;
    struct asterisk a;
    /* what the link told */
    int ups, downs;
    char banner[64], reason[128];
    struct buf events; /* names */
};

static void log_in(struct world *w)
{
    ast_log_in(&w->a);
    UNTIL(w->loop, link_is_up(w->link));
}

/* ---- the link's owner ---- */

static void on_up(void *arg, const char *banner)
{
    struct world *w = arg;

    w->ups++;
    snprintf(w->banner, sizeof(w->banner), "%s", banner);
}

static void on_down(void *arg, const char *reason)
{
    struct world *w = arg;

    w->downs++;
    snprintf(w->reason, sizeof(w->reason), "%s", reason);
}

static void on_event(void *arg, const struct ami_block *b)
{
    buf_printf(&((struct world *)arg)->events, "%.*s ", VIEW_ARG(b->name));
}

static bool want(void *arg, struct view event)
{
    return !view_eq(event, VIEW("VarSet"));
}

static const struct link_handler link_handler = {on_up, on_down, on_event, want};

/* ---- set-up ---- */

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct link_options opt = {.host = "127.0.0.1",
                               .username = "ctibus",
                               .password = "secret",
                               .instance = "t",
                               .timeout_ms = 2000};

    *state = w;
    w->loop = loop_new();
    w->metrics = metrics_new();
    buf_init(&w->events, 0);
    if (!ast_start(&w->a, w->loop))
        return -1;
    opt.port = w->a.port;
    w->link = link_new(w->loop, &opt, &link_handler, w, w->metrics, NULL);
    return w->link ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    link_destroy(&w->link);
    ast_end(&w->a);
    metrics_destroy(&w->metrics);
    buf_free(&w->events);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

/* ---- logging in ---- */

static void it_logs_in_with_a_challenge(void **state)
{
    struct world *w = *state;

    ast_greet(&w->a);
    ast_expect(&w->a, "Action: Challenge\r\n", "AuthType: MD5\r\n");
    ast_answer(&w->a, "Response: Success", "Challenge: 840415273\r\n");
    /* md5("840415273secret") */
    ast_expect(&w->a, "Key: 81c3ab5534a432bec402f6d988ee45b4\r\n", "Username: ctibus\r\n");
    assert_int_equal(w->ups, 0);
    ast_answer(&w->a, "Response: Success", "Message: Authentication accepted\r\n");
    UNTIL(w->loop, w->ups == 1);
    assert_string_equal(w->banner, "Asterisk Call Manager/9.0.0");
}

static void without_md5_it_logs_in_plainly(void **state)
{
    struct world *w = *state;

    ast_greet(&w->a);
    ast_expect(&w->a, "Action: Challenge\r\n", NULL);
    ast_answer(&w->a, "Response: Error", "Message: Must specify AuthType\r\n");
    ast_expect(&w->a, "Secret: secret\r\n", "Username: ctibus\r\n");
    ast_answer(&w->a, "Response: Success", "Message: Authentication accepted\r\n");
    UNTIL(w->loop, w->ups == 1);
}

static void a_refused_login_is_tried_again_later(void **state)
{
    struct world *w = *state;
    uint64_t start;

    for (int i = 0; i < 2; i++) {
        ast_greet(&w->a);
        ast_expect(&w->a, "Action: Challenge\r\n", NULL);
        ast_answer(&w->a, "Response: Success", "Challenge: 1\r\n");
        ast_expect(&w->a, "Action: Login\r\n", NULL);
        ast_answer(&w->a, "Response: Error", "Message: Authentication failed\r\n");
        start = clock_mono_us();
    }
    UNTIL(w->loop, ast_accept(&w->a));
    assert_true(clock_mono_us() - start > 900000); /* the second delay */
    assert_int_equal(w->ups, 0);
    assert_int_equal(w->downs, 0); /* it was never up */
}

static void a_silent_asterisk_is_given_up(void **state)
{
    struct world *w = *state;

    UNTIL(w->loop, ast_accept(&w->a)); /* no banner */
    UNTIL_MS(w->loop, ast_closed(&w->a), 5000);
    UNTIL(w->loop, ast_accept(&w->a));
    assert_int_equal(w->ups, 0);
}

static void a_slow_login_is_given_up(void **state)
{
    struct world *w = *state;

    ast_greet(&w->a);
    ast_expect(&w->a, "Action: Challenge\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "Challenge: 1\r\n");
    ast_expect(&w->a, "Action: Login\r\n", NULL);
    UNTIL_MS(w->loop, ast_closed(&w->a), 5000);
    assert_int_equal(w->ups, 0);
}

static void a_refused_connection_is_tried_again_and_hurrying_helps(void **state)
{
    struct world *w = *state;

    log_in(w);
    close(w->a.listener);
    ast_hang_up(&w->a);
    UNTIL(w->loop, w->downs == 1);
    run_for(w->loop, 1700); /* two tries in vain: the third is a second and more away */
    assert_true(ast_listen(&w->a));
    link_hurry(w->link);
    UNTIL_MS(w->loop, ast_accept(&w->a), 500);
}

/* ---- life ---- */

static void events_go_to_the_owner_once_it_is_up(void **state)
{
    struct world *w = *state;

    ast_greet(&w->a);
    ast_say(&w->a, "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n");
    ast_expect(&w->a, "Action: Challenge\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "Challenge: 1\r\n");
    ast_expect(&w->a, "Action: Login\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "");
    ast_say(&w->a, "Event: Hangup\r\nChannel: SIP/a-1\r\n\r\nEvent: VarSet\r\nVariable: x\r\n\r\n"
                   "Response: Success\r\nActionID: unknown\r\n\r\nEvent: Newsta");
    UNTIL(w->loop, buf_len(&w->events) > 0);
    assert_string_equal(buf_cstr(&w->events), "Hangup ");
    ast_say(&w->a, "te\r\nChannel: SIP/b-2\r\n\r\n");
    UNTIL(w->loop, strcmp(buf_cstr(&w->events), "Hangup Newstate ") == 0);
    assert_int_equal(actions_late_total(link_actions(w->link)), 1);
}

static void a_connection_cut_inside_a_block_begins_afresh(void **state)
{
    struct world *w = *state;

    log_in(w);
    ast_say(&w->a, "Event: Hangup\r\nChannel: SIP/a-1\r\nCau");
    run_for(w->loop, 20);
    ast_hang_up(&w->a);
    UNTIL(w->loop, w->downs == 1);
    assert_string_equal(w->reason, "closed by Asterisk");
    assert_false(link_is_up(w->link));
    log_in(w);
    ast_say(&w->a, "Event: Newstate\r\nChannel: SIP/b-2\r\n\r\n");
    UNTIL(w->loop, buf_len(&w->events) > 0);
    assert_string_equal(buf_cstr(&w->events), "Newstate ");
    assert_int_equal(w->ups, 2);
}

static int outcomes[4];

static void count_outcome(void *arg, enum action_outcome outcome, const struct ami_block *response)
{
    outcomes[outcome]++;
}

static void actions_under_way_are_ended_with_the_link(void **state)
{
    struct world *w = *state;
    struct ami_action aa;

    memset(outcomes, 0, sizeof(outcomes));
    log_in(w);
    for (int i = 0; i < 2; i++) {
        link_action(w->link, &aa, VIEW("Ping"));
        assert_int_equal(link_commit(w->link, &aa, false, 5000, NULL, count_outcome, w), 0);
    }
    ast_expect(&w->a, "Action: Ping\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "");
    UNTIL(w->loop, outcomes[ACTION_OK] == 1);
    ast_hang_up(&w->a);
    UNTIL(w->loop, outcomes[ACTION_LOST] == 1);
    link_action(w->link, &aa, VIEW("Ping"));
    assert_int_equal(link_commit(w->link, &aa, false, 5000, NULL, count_outcome, w), -ENOTCONN);
}

static void silence_is_broken_by_pings_and_ends_the_link(void **state)
{
    struct world *w = *state;

    log_in(w);
    ast_expect(&w->a, "Action: Ping\r\n", NULL);
    ast_answer(&w->a, "Response: Success", "Ping: Pong\r\n");
    ast_expect(&w->a, "Action: Ping\r\n", NULL);
    UNTIL_MS(w->loop, w->downs == 1, 20000);
    assert_string_equal(w->reason, "no answer to two pings");
}

static void stopping_says_goodbye_and_stays_away(void **state)
{
    struct world *w = *state;

    log_in(w);
    link_stop(w->link);
    ast_expect(&w->a, "Action: Logoff\r\n", NULL);
    UNTIL(w->loop, ast_closed(&w->a));
    run_for(w->loop, 1000);
    assert_false(ast_accept(&w->a));
    assert_int_equal(w->downs, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_logs_in_with_a_challenge),
        T(without_md5_it_logs_in_plainly),
        T(a_refused_login_is_tried_again_later),
        T(a_silent_asterisk_is_given_up),
        T(a_slow_login_is_given_up),
        T(a_refused_connection_is_tried_again_and_hurrying_helps),
        T(events_go_to_the_owner_once_it_is_up),
        T(a_connection_cut_inside_a_block_begins_afresh),
        T(actions_under_way_are_ended_with_the_link),
        T(silence_is_broken_by_pings_and_ends_the_link),
        T(stopping_says_goodbye_and_stays_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
