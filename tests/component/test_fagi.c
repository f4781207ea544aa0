/* FastAGI sessions, with an Asterisk and a state that are played here: what each may do, and what
 * the call hears when one of them does not. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "internal.h"
#include "msg/msg.h"
#include "support/bus.h"

#define ENV                                                                                        \
    "agi_network: yes\nagi_network_script: presence\nagi_request: agi://h/presence\n"              \
    "agi_channel: SIP/alice-1\nagi_uniqueid: 1.7\nagi_arg_1: x\n\n"
#define FAIL "SET VARIABLE XIVO_CTI_AGI \"FAIL\"\n"
#define OK "SET VARIABLE XIVO_CTI_AGI \"OK\"\n"
#define OTHER                                                                                      \
    "agi_network: yes\nagi_network_script: presence\nagi_request: agi://h/presence\n"              \
    "agi_channel: SIP/bob-2\nagi_uniqueid: 1.8\nagi_arg_1: x\n\n"
#define MAX_SESSIONS 2
#define CALLS 4

struct world {
    struct loop *loop;
    struct process state, p;
    struct bus_forwarder *fwd;
    struct bus_pub *pub;
    struct bus_server *server;
    char request[128]; /* its endpoint */
    struct config *cfg;
    struct fagi *f;
    /* of state: the last request */
    struct bus_peer *peer;
    uint64_t id;
    int asked;
    char script[64], channel[64];
    /* of Asterisk */
    int fd[CALLS], calls;
    char text[8192]; /* what the call heard that was read last */
    size_t len;
    bool stopped;
};

static void on_request(void *arg, struct bus_peer *p, uint64_t id, enum bus_method method,
                       const msgpack_object *body)
{
    struct world *w = arg;

    if (method != METHOD_fagi_call) {
        bus_server_reply(w->server, p, id, BUS_unknown_method, view_of(NULL, 0));
        return;
    }
    w->peer = p;
    w->id = id;
    w->asked++;
    snprintf(w->script, sizeof(w->script), "%.*s", VIEW_ARG(msg_get_str(body, "script")));
    snprintf(w->channel, sizeof(w->channel), "%.*s", VIEW_ARG(msg_get_str(body, "channel")));
}

static int server_start(struct world *w, const char *endpoint)
{
    static const struct bus_server_handler handler = {on_request, NULL, NULL};
    int err = 0;

    w->server = bus_server_new(w->state.bus, endpoint, NULL, "state", &handler, w, w->pub, &err);
    return err;
}

static struct config *load_config(void)
{
    struct config_errors errors = {0};
    char path[] = "/tmp/ctibus-fagi-XXXXXX";
    struct config *cfg;
    FILE *out = fdopen(mkstemp(path), "w");

    assert_non_null(out);
    fprintf(out, "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":"
                 "\"127.0.0.1\",\"username\":\"u\",\"password\":\"p\"}}},"
                 "\"ctibus\":{\"fagi\":{\"deadline_ms\":60000}}}");
    fclose(out);
    cfg = config_load(path, NULL, &errors);
    unlink(path);
    assert_non_null(cfg);
    return cfg;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct fagi_options opt = {.listen = "127.0.0.1:0", .max_sessions = MAX_SESSIONS};
    int err = 0;

    *state = w;
    w->loop = loop_new();
    w->state = process_start(w->loop, "state@test", "state", NULL);
    w->fwd = bus_forwarder_new(w->state.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    w->pub = bus_pub_new(w->state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    assert_int_equal(server_start(w, "tcp://127.0.0.1:*"), 0);
    snprintf(w->request, sizeof(w->request), "%s", bus_server_endpoint(w->server));
    w->p = process_start(w->loop, "fagi-gw@test", "fagi-gw", NULL);
    w->cfg = load_config();
    opt.publish = bus_forwarder_publish(w->fwd);
    opt.request = w->request;
    w->f = fagi_new(w->loop, w->p.bus, &opt, w->cfg, w->p.metrics, NULL, &err);
    assert_non_null(w->f);
    UNTIL(w->loop, fagi_is_ready(w->f, NULL));
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < w->calls; i++)
        if (w->fd[i] >= 0)
            close(w->fd[i]);
    fagi_destroy(&w->f);
    bus_server_destroy(&w->server);
    bus_pub_destroy(&w->pub);
    bus_forwarder_destroy(&w->fwd);
    process_end(&w->p);
    process_end(&w->state);
    config_destroy(&w->cfg);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

/* ---- as Asterisk ---- */

static int call(struct world *w, const char *text)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(fagi_port(w->f))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    w->fd[w->calls++] = fd;
    w->len = 0;
    return fd;
}

/* Reads what is there; true at the end of what fagi-gw has to say. */
static bool heard_all(struct world *w, int fd)
{
    ssize_t n = recv(fd, w->text + w->len, sizeof(w->text) - 1 - w->len, MSG_DONTWAIT);

    if (n > 0)
        w->len += (size_t)n;
    w->text[w->len] = '\0';
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void hang_up(struct world *w, int fd)
{
    for (int i = 0; i < w->calls; i++)
        if (w->fd[i] == fd)
            w->fd[i] = -1;
    close(fd);
}

static void expect(struct world *w, int fd, const char *text)
{
    UNTIL(w->loop, heard_all(w, fd));
    assert_string_equal(w->text, text);
}

/* The call is over, and this became of it. */
static void expect_outcome(struct world *w, int fd, enum outcome outcome)
{
    hang_up(w, fd);
    UNTIL(w->loop, w->f->n_open == 0);
    for (int i = 0; i < OUTCOMES; i++)
        assert_int_equal(counted(w->f->counts.outcomes[i]), i == (int)outcome);
}

/* ---- as state ---- */

static void answer(struct world *w, enum bus_status status, int n)
{
    struct buf body;
    char name[16];

    buf_init(&body, 0);
    msg_put_map(&body, 1);
    msg_put_cstr(&body, "variables");
    msg_put_array(&body, (uint32_t)n);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "V%d", i);
        msg_put_array(&body, 2);
        msg_put_cstr(&body, name);
        msg_put_cstr(&body, "1");
    }
    bus_server_reply(w->server, w->peer, w->id, status, buf_view(&body));
    buf_free(&body);
}

/* ---- the tests ---- */

static void a_script_is_answered(void **state)
{
    struct world *w = *state;
    int fd = call(w, ENV);

    UNTIL(w->loop, w->asked == 1);
    assert_string_equal(w->script, "presence");
    assert_string_equal(w->channel, "SIP/alice-1");
    assert_false(heard_all(w, fd));
    answer(w, BUS_ok, 2);
    expect(w, fd, "SET VARIABLE V0 \"1\"\nSET VARIABLE V1 \"1\"\n");
    assert_int_equal(write(fd, "200 result=1\n510 Invalid\n", 25), 25);
    UNTIL(w->loop, counted(w->f->counts.answers[AGI_UNKNOWN]) == 1);
    assert_int_equal(counted(w->f->counts.answers[AGI_DONE]), 1);
    assert_int_equal(w->f->n_open, 1); /* until Asterisk has closed */
    expect_outcome(w, fd, OUTCOME_OK);
}

static void no_more_variables_than_fit_are_set(void **state)
{
    struct world *w = *state;
    int fd = call(w, ENV);

    UNTIL(w->loop, w->asked == 1);
    answer(w, BUS_ok, 66);
    UNTIL(w->loop, heard_all(w, fd));
    assert_non_null(strstr(w->text, "SET VARIABLE V63 "));
    assert_null(strstr(w->text, "SET VARIABLE V64 "));
    expect_outcome(w, fd, OUTCOME_OK);
}

static void what_state_refuses_fails_at_once(void **state)
{
    struct world *w = *state;
    int fd = call(w, ENV);

    UNTIL(w->loop, w->asked == 1);
    answer(w, BUS_failed, 1);
    expect(w, fd, FAIL);
    expect_outcome(w, fd, OUTCOME_FAIL);
}

static void what_is_not_answered_in_time_fails(void **state)
{
    struct world *w = *state;
    uint64_t since = clock_mono_us();
    int fd;

    w->f->deadline_us = 300000;
    fd = call(w, ENV);
    UNTIL(w->loop, w->asked == 1);
    expect(w, fd, FAIL);
    assert_true(clock_mono_us() - since >= 290000);
    answer(w, BUS_ok, 1); /* late */
    w->asked = 0;
    expect_outcome(w, fd, OUTCOME_TIMEOUT);
    fd = call(w, ENV); /* answered after the late one has come */
    UNTIL(w->loop, w->asked == 1);
    answer(w, BUS_ok, 1);
    expect(w, fd, OK "SET VARIABLE V0 \"1\"\n");
    fd = call(w, ENV); /* it is said once */
    UNTIL(w->loop, w->asked == 2);
    answer(w, BUS_ok, 0);
    expect(w, fd, "");
}

static void a_failure_is_that_of_its_own_call(void **state)
{
    struct world *w = *state;
    int fd = call(w, ENV);

    UNTIL(w->loop, w->asked == 1);
    answer(w, BUS_failed, 0);
    expect(w, fd, FAIL);
    hang_up(w, fd);
    fd = call(w, OTHER);
    UNTIL(w->loop, w->asked == 2);
    answer(w, BUS_ok, 0);
    expect(w, fd, "");
    hang_up(w, fd);
    fd = call(w, ENV);
    UNTIL(w->loop, w->asked == 3);
    answer(w, BUS_ok, 0);
    expect(w, fd, OK);
}

static void an_environment_that_does_not_end_fails(void **state)
{
    struct world *w = *state;
    int fd;

    w->f->deadline_us = 300000;
    fd = call(w, "agi_network: yes\nagi_network_script: presence\n");
    expect(w, fd, FAIL);
    assert_int_equal(w->asked, 0);
    assert_int_equal(write(fd, ENV, strlen(ENV)), (ssize_t)strlen(ENV)); /* now it comes */
    expect_outcome(w, fd, OUTCOME_TIMEOUT);
    assert_int_equal(w->asked, 0);
    for (int i = 0; i < AGI_PART; i++) /* nor was it taken for answers */
        assert_int_equal(counted(w->f->counts.answers[i]), 0);
}

static void what_is_no_fastagi_is_closed(void **state)
{
    struct world *w = *state;
    int fd = call(w, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");

    UNTIL(w->loop, heard_all(w, fd));
    assert_string_equal(w->text, "");
    expect_outcome(w, fd, OUTCOME_MALFORMED);
    assert_int_equal(w->asked, 0);
}

static void who_hangs_up_is_not_answered(void **state)
{
    struct world *w = *state;
    int fd = call(w, ENV);

    UNTIL(w->loop, w->asked == 1);
    expect_outcome(w, fd, OUTCOME_GONE);
    answer(w, BUS_ok, 1);
    fd = call(w, ENV);
    UNTIL(w->loop, w->asked == 2);
    answer(w, BUS_ok, 1);
    expect(w, fd, "SET VARIABLE V0 \"1\"\n");
}

static void who_does_not_close_is_closed(void **state)
{
    struct world *w = *state;
    uint64_t since;
    int fd = call(w, ENV);

    UNTIL(w->loop, w->asked == 1);
    answer(w, BUS_ok, 0);
    since = clock_mono_us();
    expect(w, fd, "");
    UNTIL(w->loop, w->f->n_open == 0);
    assert_true(clock_mono_us() - since >= LEAVE_US - 100000);
    assert_int_equal(counted(w->f->counts.outcomes[OUTCOME_OK]), 1);
}

static void there_are_not_too_many(void **state)
{
    struct world *w = *state;
    int fd[MAX_SESSIONS + 1];

    for (int i = 0; i < MAX_SESSIONS; i++) {
        fd[i] = call(w, ENV);
        UNTIL(w->loop, w->asked == i + 1);
    }
    fd[MAX_SESSIONS] = call(w, ENV);
    UNTIL(w->loop, heard_all(w, fd[MAX_SESSIONS]));
    assert_int_equal(counted(w->f->counts.over_limit), 1);
    assert_int_equal(w->f->n_open, MAX_SESSIONS);
    hang_up(w, fd[0]);
    UNTIL(w->loop, w->f->n_open == MAX_SESSIONS - 1);
    call(w, ENV); /* there is a place again */
    UNTIL(w->loop, w->asked == MAX_SESSIONS + 1);
}

static void what_comes_while_state_is_away_waits_for_it(void **state)
{
    struct world *w = *state;
    int fd;

    w->p.bus->gone_ms = 700;
    bus_server_destroy(&w->server);
    UNTIL(w->loop, !fagi_is_ready(w->f, NULL));
    w->p.bus->gone_ms = 6000;
    fd = call(w, ENV);
    UNTIL(w->loop, w->f->n_open == 1 && TAILQ_FIRST(&w->f->open)->phase == HOLDING);
    while (server_start(w, w->request) == -EADDRINUSE)
        loop_once(w->loop, 5);
    UNTIL(w->loop, w->asked == 1);
    answer(w, BUS_ok, 1);
    expect(w, fd, "SET VARIABLE V0 \"1\"\n");
    expect_outcome(w, fd, OUTCOME_OK);
}

/* Callers are not to wait once for each script of a dialplan. */
static void nobody_waits_for_a_state_that_has_been_away_for_long(void **state)
{
    struct world *w = *state;
    int fd;

    w->p.bus->gone_ms = 700;
    bus_server_destroy(&w->server);
    UNTIL(w->loop, !fagi_is_ready(w->f, NULL));
    w->f->state_lost -= w->f->deadline_us; /* as if that were a minute ago */
    fd = call(w, ENV);
    expect(w, fd, FAIL);
    expect_outcome(w, fd, OUTCOME_FAIL);
}

static void on_stopped(void *arg)
{
    ((struct world *)arg)->stopped = true;
}

static void a_stop_waits_for_who_is_there(void **state)
{
    struct world *w = *state;
    int fd = call(w, ENV);

    UNTIL(w->loop, w->asked == 1);
    fagi_stop(w->f, on_stopped, w);
    assert_false(fagi_is_ready(w->f, NULL));
    run_for(w->loop, 100);
    assert_false(w->stopped);
    answer(w, BUS_ok, 1);
    expect(w, fd, "SET VARIABLE V0 \"1\"\n");
    assert_false(w->stopped);
    hang_up(w, fd);
    UNTIL(w->loop, w->stopped);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_script_is_answered),
        T(no_more_variables_than_fit_are_set),
        T(what_state_refuses_fails_at_once),
        T(a_failure_is_that_of_its_own_call),
        T(what_is_not_answered_in_time_fails),
        T(an_environment_that_does_not_end_fails),
        T(what_is_no_fastagi_is_closed),
        T(who_hangs_up_is_not_answered),
        T(who_does_not_close_is_closed),
        T(there_are_not_too_many),
        T(what_comes_while_state_is_away_waits_for_it),
        T(nobody_waits_for_a_state_that_has_been_away_for_long),
        T(a_stop_waits_for_who_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
