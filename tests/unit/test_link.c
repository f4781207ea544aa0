/* The AMI link against an Asterisk that is played here, line by line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "amilink/link.h"
#include "support/asterisk.h"
#include "support/certs.h"
#include "support/tlsfront.h"

static struct certs certs;

struct world {
    struct loop *loop;
    struct metrics *metrics;
    struct ami_link *link;
    struct asterisk a;
    struct tlsfront front; /* of the tests over TLS: stands before the Asterisk */
    struct tls_ctx *tls;
    struct log *log;
    int log_fd;
    /* what the link told */
    int ups, downs, incompletes, gone;
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

static void on_incomplete(void *arg)
{
    ((struct world *)arg)->incompletes++;
}

static void on_gone(void *arg)
{
    ((struct world *)arg)->gone++;
}

static const struct link_handler link_handler = {on_up, on_down,       on_event,
                                                 want,  on_incomplete, NULL};

/* ---- set-up ---- */

/* All but the link. */
static int prepare(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    w->loop = loop_new();
    w->metrics = metrics_new();
    w->log_fd = memfd_create("log", MFD_CLOEXEC);
    w->log = log_new(w->log_fd, "test", LOG_INFO, false);
    buf_init(&w->events, 0);
    return w->log && ast_start(&w->a, w->loop) ? 0 : -1;
}

/* With the times of `times`. */
static int start_link_with(struct world *w, uint16_t port, const char *tls_name,
                           const struct link_options *times)
{
    struct link_options opt = {.host = "127.0.0.1",
                               .port = port,
                               .username = "ctibus",
                               .password = "secret",
                               .instance = "t",
                               .timeout_ms = times->timeout_ms,
                               .backoff_ms = times->backoff_ms,
                               .ping_after_ms = times->ping_after_ms,
                               .gone_ms = times->gone_ms,
                               .gone = on_gone,
                               .tls = w->tls,
                               .tls_name = tls_name};

    w->link = link_new(w->loop, &opt, &link_handler, w, w->metrics, w->log);
    return w->link ? 0 : -1;
}

static int start_link(struct world *w, uint16_t port, const char *tls_name)
{
    return start_link_with(w, port, tls_name, &(struct link_options){.timeout_ms = 20000});
}

/* One that gives up soon. */
static int start_impatient(struct world *w, uint16_t port)
{
    return start_link_with(w, port, NULL, &(struct link_options){.timeout_ms = 1000});
}

static int setup(void **state)
{
    int rc = prepare(state);

    return rc < 0 ? rc : start_link(*state, ((struct world *)*state)->a.port, NULL);
}

static int setup_impatient(void **state)
{
    int rc = prepare(state);

    return rc < 0 ? rc : start_impatient(*state, ((struct world *)*state)->a.port);
}

/* One that comes back at its leisure. */
static int setup_slow(void **state)
{
    int rc = prepare(state);
    const struct link_options times = {.timeout_ms = 20000, .backoff_ms = 60000};

    return rc < 0 ? rc : start_link_with(*state, ((struct world *)*state)->a.port, NULL, &times);
}

static int setup_quick(void **state)
{
    int rc = prepare(state);
    const struct link_options times = {.timeout_ms = 20000, .backoff_ms = 20};

    return rc < 0 ? rc : start_link_with(*state, ((struct world *)*state)->a.port, NULL, &times);
}

static int setup_pinging(void **state)
{
    int rc = prepare(state);
    const struct link_options times = {.timeout_ms = 20000, .ping_after_ms = 600};

    return rc < 0 ? rc : start_link_with(*state, ((struct world *)*state)->a.port, NULL, &times);
}

static int teardown(void **state)
{
    struct world *w = *state;

    link_destroy(&w->link);
    tlsfront_end(&w->front);
    tls_destroy(&w->tls);
    ast_end(&w->a);
    log_destroy(&w->log);
    close(w->log_fd);
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
    UNTIL(w->loop, ast_closed(&w->a));
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
    UNTIL(w->loop, ast_closed(&w->a));
    assert_int_equal(w->ups, 0);
}

static bool logged(struct world *w, const char *text)
{
    char lines[8192];
    ssize_t n;

    assert_true(log_flush(w->log, 10000));
    n = pread(w->log_fd, lines, sizeof(lines) - 1, 0);
    lines[n > 0 ? n : 0] = '\0';
    return strstr(lines, text) != NULL;
}

static void a_refused_connection_is_tried_again(void **state)
{
    struct world *w = *state;

    log_in(w);
    close(w->a.listener);
    ast_hang_up(&w->a);
    UNTIL(w->loop, w->downs == 1);
    UNTIL(w->loop, logged(w, "Connection refused; next try in"));
    assert_true(ast_listen(&w->a));
    log_in(w);
}

static int setup_soon_gone(void **state)
{
    int rc = prepare(state);
    const struct link_options times = {.timeout_ms = 20000, .backoff_ms = 20, .gone_ms = 150};

    return rc < 0 ? rc : start_link_with(*state, ((struct world *)*state)->a.port, NULL, &times);
}

static void an_asterisk_that_refuses_for_long_is_gone(void **state)
{
    struct world *w = *state;
    uint64_t since;

    log_in(w);
    close(w->a.listener);
    since = clock_mono_us();
    ast_hang_up(&w->a);
    UNTIL(w->loop, w->gone == 1);
    assert_true(clock_mono_us() - since >= 150000);
    assert_true(ast_listen(&w->a));
    log_in(w);
    assert_int_equal(w->gone, 1);
    ast_hang_up(&w->a); /* it listens, and is not gone */
    log_in(w);
    assert_int_equal(w->gone, 1);
    close(w->a.listener);
    ast_hang_up(&w->a);
    UNTIL(w->loop, w->gone == 2);
}

static void hurrying_cuts_a_back_off_short(void **state)
{
    struct world *w = *state;

    log_in(w);
    close(w->a.listener);
    ast_hang_up(&w->a);
    UNTIL(w->loop, w->downs == 1);
    assert_true(ast_listen(&w->a));
    link_reconnect(w->link);
    UNTIL(w->loop, ast_accept(&w->a)); /* by itself it would come in a minute */
}

/* It may be one to an Asterisk that has been restarted without a goodbye. */
static void hurrying_tries_a_link_that_is_up(void **state)
{
    struct world *w = *state;

    log_in(w);
    link_reconnect(w->link);
    ast_expect(&w->a, "Action: Ping\r\n", NULL);
    assert_int_equal(w->downs, 0);
}

/* ---- TLS ---- */

static void trust(struct world *w, const char *ca)
{
    struct tls_options opt = {.ca_file = ca ? certs_path(&certs, ca) : NULL, .no_verify = !ca};
    struct tls_fault fault;

    w->tls = tls_client_new(&opt, &fault);
    assert_non_null(w->tls);
}

/* An Asterisk that shows this certificate, and a link that believes `ca` (NULL: anybody). */
static void start_over_tls(struct world *w, const char *ca, const char *name, const char *cert)
{
    trust(w, ca);
    tlsfront_start(&w->front, w->loop, w->a.port, &certs, cert);
    assert_int_equal(start_link(w, tlsfront_port(&w->front), name), 0);
}

static void over_tls_it_logs_in(void **state)
{
    struct world *w = *state;

    start_over_tls(w, "ca.pem", NULL, "good");
    log_in(w);
    assert_true(logged(w, "logged in to Asterisk Call Manager/9.0.0 (TLSv1.3 "));
    ast_say(&w->a, "Event: Hangup\r\nChannel: SIP/a-1\r\n\r\n");
    UNTIL(w->loop, buf_len(&w->events) > 0);
    ast_hang_up(&w->a);
    UNTIL(w->loop, w->downs == 1);
    assert_string_equal(w->reason, "closed by Asterisk");
    log_in(w);
}

static void over_tls_it_says_goodbye(void **state)
{
    struct world *w = *state;

    start_over_tls(w, "ca.pem", NULL, "good");
    log_in(w);
    link_stop(w->link);
    ast_expect(&w->a, "Action: Logoff\r\n", NULL);
    UNTIL(w->loop, ast_closed(&w->a));
}

static void any_certificate_will_do_when_not_verified(void **state)
{
    struct world *w = *state;

    start_over_tls(w, NULL, NULL, "expired");
    log_in(w);
}

/* It is told, tried again, and Asterisk has not heard a word. */
static void expect_refusal(struct world *w, const char *reason)
{
    UNTIL(w->loop, logged(w, reason));
    UNTIL(w->loop, w->front.accepted >= 2);
    run_for(w->loop, 50);
    assert_true(logged(w, "next try in 500 ms"));
    assert_int_equal(w->front.heard, 0);
    assert_int_equal(w->ups, 0);
    assert_int_equal(w->downs, 0);
}

static void a_wrong_ca_is_refused(void **state)
{
    start_over_tls(*state, "foreign-ca.pem", NULL, "good");
    expect_refusal(*state, "TLS certificate refused, signed by ctibus test CA");
}

static void a_wrong_host_is_refused(void **state)
{
    start_over_tls(*state, "ca.pem", NULL, "other");
    expect_refusal(*state, "it is for another host: other.example 10.1.2.3");
}

static void a_wrong_name_is_refused(void **state)
{
    start_over_tls(*state, "ca.pem", "elsewhere.example", "good");
    expect_refusal(*state, "it is for another host: pbx.example 127.0.0.1");
}

static void the_name_may_be_given(void **state)
{
    struct world *w = *state;

    start_over_tls(w, "ca.pem", "other.example", "other");
    log_in(w);
}

static void an_expired_certificate_is_refused(void **state)
{
    start_over_tls(*state, "ca.pem", NULL, "expired");
    expect_refusal(*state, "TLS certificate refused, it has expired");
}

static void clear_text_at_a_port_for_tls_is_told(void **state)
{
    struct world *w = *state;

    trust(w, "ca.pem");
    assert_int_equal(start_link(w, w->a.port, NULL), 0);
    ast_greet(&w->a);
    UNTIL(w->loop, logged(w, "TLS is not what the other side speaks (wrong version number); next "
                             "try in 500 ms"));
    UNTIL(w->loop, ast_accept(&w->a));
}

static void tls_at_a_port_for_clear_text_is_told(void **state)
{
    struct world *w = *state;

    tlsfront_start(&w->front, w->loop, w->a.port, &certs, "good");
    assert_int_equal(start_impatient(w, tlsfront_port(&w->front)), 0);
    UNTIL(w->loop, logged(w, "no greeting within the time limit (main.sockettimeout): a port for "
                             "TLS is silent like that"));
    UNTIL(w->loop, w->front.accepted >= 2);
}

/* One that does not wait for us to begin. */
static void an_alert_in_clear_text_is_told(void **state)
{
    struct world *w = *state;

    assert_int_equal(start_link(w, w->a.port, NULL), 0);
    UNTIL(w->loop, ast_accept(&w->a));
    ast_say(&w->a, "\x15\x03\x01");
    UNTIL(w->loop, logged(w, "it speaks TLS at this port (ipbx_connection.tls is false)"));
}

static void a_silent_handshake_is_given_up(void **state)
{
    struct world *w = *state;

    trust(w, "ca.pem");
    assert_int_equal(start_impatient(w, w->a.port), 0);
    UNTIL(w->loop, ast_accept(&w->a));
    UNTIL(w->loop, logged(w, "no TLS handshake within the time limit (main.sockettimeout)"));
    UNTIL(w->loop, ast_accept(&w->a));
}

static void a_broken_handshake_is_told(void **state)
{
    struct world *w = *state;

    trust(w, "ca.pem");
    assert_int_equal(start_link(w, w->a.port, NULL), 0);
    UNTIL(w->loop, ast_accept(&w->a));
    UNTIL(w->loop, !ast_closed(&w->a) && buf_len(&w->a.in) > 0); /* its greeting is there */
    ast_hang_up(&w->a);
    UNTIL(w->loop, logged(w, "TLS handshake broken off by the other side"));
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

static void count_outcome(void *arg, enum action_result outcome, const struct ami_block *response)
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
    UNTIL(w->loop, w->downs == 1);
    assert_string_equal(w->reason, "no answer to two pings");
}

static void stopping_says_goodbye_and_stays_away(void **state)
{
    struct world *w = *state;

    log_in(w);
    link_stop(w->link);
    ast_expect(&w->a, "Action: Logoff\r\n", NULL);
    UNTIL(w->loop, ast_closed(&w->a));
    run_for(w->loop, 300); /* it would be back after 20 ms */
    assert_false(ast_accept(&w->a));
    assert_int_equal(w->downs, 0);
}

static int make_certs(void **state)
{
    certs_make(&certs);
    return 0;
}

static int remove_certs(void **state)
{
    certs_remove(&certs);
    return 0;
}

/* ---- events over the bounds ---- */

static void say_long(struct world *w, const char *head, size_t n)
{
    struct buf b;

    buf_init(&b, 0);
    buf_append_cstr(&b, head);
    while (buf_len(&b) < n)
        buf_append_char(&b, 'v');
    buf_append_cstr(&b, "\r\nCause: 16\r\n\r\n");
    ast_say(&w->a, buf_cstr(&b));
    buf_free(&b);
}

static void what_is_left_out_of_an_event_is_told(void **state)
{
    struct world *w = *state;

    log_in(w);
    say_long(w, "Event: Hangup\r\nChannel: SIP/a-1\r\nChanVariable: x=", 70000);
    UNTIL(w->loop, strstr(buf_cstr(&w->events), "Hangup") != NULL);
    run_for(w->loop, 700);               /* it is looked at twice a second */
    assert_int_equal(w->incompletes, 0); /* a variable is of no concern */
    say_long(w, "Event: Newstate\r\nChannel: ", 70000);
    UNTIL(w->loop, w->incompletes == 1);
    assert_non_null(strstr(buf_cstr(&w->events), "Newstate"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TLS(name) cmocka_unit_test_setup_teardown(name, prepare, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_left_out_of_an_event_is_told, setup, teardown),
        T(it_logs_in_with_a_challenge),
        T(without_md5_it_logs_in_plainly),
        T(a_refused_login_is_tried_again_later),
        cmocka_unit_test_setup_teardown(a_silent_asterisk_is_given_up, setup_impatient, teardown),
        cmocka_unit_test_setup_teardown(a_slow_login_is_given_up, setup_impatient, teardown),
        cmocka_unit_test_setup_teardown(a_refused_connection_is_tried_again, setup_quick, teardown),
        cmocka_unit_test_setup_teardown(an_asterisk_that_refuses_for_long_is_gone, setup_soon_gone,
                                        teardown),
        cmocka_unit_test_setup_teardown(hurrying_cuts_a_back_off_short, setup_slow, teardown),
        T(hurrying_tries_a_link_that_is_up),
        TLS(over_tls_it_logs_in),
        TLS(over_tls_it_says_goodbye),
        TLS(any_certificate_will_do_when_not_verified),
        TLS(a_wrong_ca_is_refused),
        TLS(a_wrong_host_is_refused),
        TLS(a_wrong_name_is_refused),
        TLS(the_name_may_be_given),
        TLS(an_expired_certificate_is_refused),
        TLS(clear_text_at_a_port_for_tls_is_told),
        TLS(tls_at_a_port_for_clear_text_is_told),
        TLS(an_alert_in_clear_text_is_told),
        TLS(a_silent_handshake_is_given_up),
        TLS(a_broken_handshake_is_told),
        T(events_go_to_the_owner_once_it_is_up),
        T(a_connection_cut_inside_a_block_begins_afresh),
        T(actions_under_way_are_ended_with_the_link),
        cmocka_unit_test_setup_teardown(silence_is_broken_by_pings_and_ends_the_link, setup_pinging,
                                        teardown),
        cmocka_unit_test_setup_teardown(stopping_says_goodbye_and_stays_away, setup_quick,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
