/* Actions: ActionIDs, answers, lists, deadlines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "amilink/actions.h"
#include "amilink/link.h"
#include "support/capture.h"

struct world {
    struct actions *a;
    struct buf out;
    int done, items, mine, others;
    enum action_result outcome;
    char message[64];
    bool again; /* done() begins another action */
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    buf_init(&w->out, 0);
    w->a = actions_new("gw1-77");
    *state = w;
    return w->a ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    actions_destroy(&w->a);
    buf_free(&w->out);
    free(w);
    return 0;
}

static void begin(struct world *w, bool is_list, uint32_t deadline_ms);

static void on_done(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct world *w = arg;

    w->done++;
    w->outcome = outcome;
    if (response)
        snprintf(w->message, sizeof(w->message), "%.*s", VIEW_ARG(ami_get(response, "Message")));
    if (w->again) {
        w->again = false;
        begin(w, false, 5000);
    }
}

static void on_item(void *arg, const struct ami_block *event)
{
    if (event->kind != AMI_RESPONSE) /* what a list begins with */
        ((struct world *)arg)->items++;
}

static void begin(struct world *w, bool is_list, uint32_t deadline_ms)
{
    struct ami_action aa;

    buf_reset(&w->out);
    actions_begin(w->a, &aa, &w->out, VIEW("Ping"));
    ami_action_header(&aa, VIEW("X"), VIEW("y"));
    assert_int_equal(actions_commit(w->a, &aa, is_list, deadline_ms, on_item, on_done, w), 0);
}

static bool offer(void *arg, const struct ami_block *b)
{
    struct world *w = arg;

    if (actions_block(w->a, b))
        w->mine++;
    else
        w->others++;
    return true;
}

static void hear(struct world *w, const char *block)
{
    w->mine = w->others = 0;
    capture_blocks(view_cstr(block), 0, offer, w);
}

#define END "\r\n\r\n"

static void each_action_has_an_id_of_its_own(void **state)
{
    struct world *w = *state;

    begin(w, false, 5000);
    assert_string_equal(buf_cstr(&w->out), "Action: Ping\r\nActionID: gw1-77-1\r\nX: y\r\n\r\n");
    begin(w, false, 5000);
    assert_non_null(strstr(buf_cstr(&w->out), "ActionID: gw1-77-2\r\n"));
    assert_int_equal(actions_waiting(w->a), 2);
}

static void an_answer_ends_its_action(void **state)
{
    struct world *w = *state;

    begin(w, false, 5000);
    begin(w, false, 5000);
    hear(w, "Response: Success\r\nActionID: gw1-77-2\r\nMessage: good" END);
    assert_int_equal(w->mine, 1);
    assert_int_equal(w->done, 1);
    assert_int_equal(w->outcome, ACTION_OK);
    assert_string_equal(w->message, "good");
    assert_int_equal(actions_waiting(w->a), 1);
    hear(w, "Response: Error\r\nActionID: gw1-77-1\r\nMessage: bad" END);
    assert_int_equal(w->outcome, ACTION_ERROR);
    assert_string_equal(w->message, "bad");
}

static void a_list_ends_with_its_complete(void **state)
{
    static const char *const ends[] = {
        "Event: CoreShowChannelsComplete\r\nActionID: gw1-77-1\r\nListItems: 2" END,
        "Event: Whatever\r\nActionID: gw1-77-2\r\nEventList: Complete" END,
        "Event: QueueStatusComplete\r\nActionID: gw1-77-3" END};
    struct world *w = *state;

    for (int i = 0; i < 3; i++) {
        char block[128];
        begin(w, true, 5000);
        assert_int_equal(actions_lists(w->a), 1);
        snprintf(block, sizeof(block), "Response: Success\r\nActionID: gw1-77-%d" END, i + 1);
        hear(w, block);
        snprintf(block, sizeof(block), "Event: Item\r\nActionID: gw1-77-%d" END, i + 1);
        hear(w, block);
        hear(w, block);
        hear(w, "Event: Hangup\r\nChannel: SIP/a-1" END); /* a live one in between */
        assert_int_equal(w->others, 1);
        assert_int_equal(w->done, i);
        hear(w, ends[i]);
        assert_int_equal(w->done, i + 1);
        assert_int_equal(w->outcome, ACTION_OK);
        assert_int_equal(w->items, 2 * (i + 1));
        assert_int_equal(actions_lists(w->a), 0);
    }
}

static void a_list_that_is_refused_ends_at_once(void **state)
{
    struct world *w = *state;

    begin(w, true, 5000);
    hear(w, "Response: Error\r\nActionID: gw1-77-1\r\nMessage: Invalid/unknown command" END);
    assert_int_equal(w->outcome, ACTION_ERROR);
    assert_int_equal(actions_lists(w->a), 0);
}

static void an_originate_response_is_an_event_though_it_has_a_response(void **state)
{
    struct world *w = *state;

    begin(w, false, 5000);
    hear(w, "Event: OriginateResponse\r\nActionID: gw1-77-1\r\nResponse: Failure" END);
    assert_int_equal(w->others, 1);
    assert_int_equal(w->done, 0);
    hear(w, "Response: Success\r\nActionID: gw1-77-1\r\nMessage: Originate queued" END);
    hear(w, "Event: OriginateResponse\r\nActionID: gw1-77-1\r\nResponse: Success" END);
    assert_int_equal(w->others, 1);
    assert_int_equal(w->done, 1);
}

static void answers_nobody_waits_for_are_counted(void **state)
{
    struct world *w = *state;

    hear(w, "Response: Success\r\nActionID: somebody-else-1" END);
    assert_int_equal(w->mine, 1); /* a response is never an event for others */
    hear(w, "Response: Success" END);
    assert_int_equal(actions_late_total(w->a), 2);
}

static void a_late_action_is_ended(void **state)
{
    struct world *w = *state;

    begin(w, false, 0);
    begin(w, true, 60000);
    w->again = true;
    actions_tick(w->a);
    assert_int_equal(w->done, 1);
    assert_int_equal(w->outcome, ACTION_TIMEOUT);
    assert_int_equal(actions_waiting(w->a), 2); /* the list, and the one begun by who was told */
    actions_lost(w->a);
    assert_int_equal(w->done, 3);
    assert_int_equal(w->outcome, ACTION_LOST);
    assert_int_equal(actions_lists(w->a), 0);
}

static void a_header_with_a_line_end_makes_the_action_unusable(void **state)
{
    struct world *w = *state;
    struct ami_action aa;

    actions_begin(w->a, &aa, &w->out, VIEW("Originate"));
    ami_action_header(&aa, VIEW("Channel"), VIEW("SIP/a\r\nAction: Command"));
    assert_int_equal(actions_commit(w->a, &aa, false, 5000, NULL, on_done, w), -EINVAL);
    assert_int_equal(buf_len(&w->out), 0);
    assert_int_equal(actions_waiting(w->a), 0);
    assert_int_equal(w->done, 0);
}

static void waiting_actions_have_a_bound(void **state)
{
    struct world *w = *state;
    struct ami_action aa;

    for (int i = 0; i < 10000; i++)
        begin(w, false, 5000);
    buf_reset(&w->out);
    actions_begin(w->a, &aa, &w->out, VIEW("Ping"));
    assert_int_equal(actions_commit(w->a, &aa, false, 5000, NULL, on_done, w), -EBUSY);
    assert_int_equal(buf_len(&w->out), 0);
}

/* ---- the delay between two tries ---- */

static void the_back_off_of_a_refused_login_is_longer(void **state)
{
    for (unsigned n = 0; n < 6; n++) {
        assert_int_equal(link_backoff_ms(500, n, false, 0), n < 2 ? 500 << n : 2000);
        assert_int_equal(link_backoff_ms(500, n, true, 0), 500 << n);
    }
    assert_int_equal(link_backoff_ms(500, 1000, false, 500), 1500);
    assert_int_equal(link_backoff_ms(500, 1000, true, 7500), 22500);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(each_action_has_an_id_of_its_own),
        T(an_answer_ends_its_action),
        T(a_list_ends_with_its_complete),
        T(a_list_that_is_refused_ends_at_once),
        T(an_originate_response_is_an_event_though_it_has_a_response),
        T(answers_nobody_waits_for_are_counted),
        T(a_late_action_is_ended),
        T(a_header_with_a_line_end_makes_the_action_unusable),
        T(waiting_actions_have_a_bound),
        cmocka_unit_test(the_back_off_of_a_refused_login_is_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
