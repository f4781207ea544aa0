/* The link to a XiVO 1.2, which is played here: its time limits, and what it is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "legacy.h"
#include "msg/msg.h"
#include "support/bus.h"

struct world {
    struct loop *loop;
    struct process state, p;
    struct bus_server *server; /* of state */
    struct bus_pub *pub;
    struct bus_forwarder *fwd;
    struct listener *listener; /* of the XiVO */
    int fd;                    /* its end of the connection; -1: there is none */
    int accepted;
    char heard[16384]; /* what it is told */
    struct fed f;
    struct fed_link *l;
    /* the answer to a command of state's */
    bool answered;
    enum bus_status status;
    char error[64];
};

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct world *w = arg;

    if (w->fd >= 0)
        close(w->fd);
    w->fd = fd;
    w->accepted++;
    w->heard[0] = '\0';
}

static struct config *load_config(uint16_t port)
{
    struct config_errors errors = {0};
    char path[] = "/tmp/ctibus-legacy-XXXXXX";
    struct config *cfg;
    FILE *out = fdopen(mkstemp(path), "w");

    assert_non_null(out);
    fprintf(out,
            "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","
            "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"}},\"far\":{\"cti_connection\":{"
            "\"ipaddress\":\"127.0.0.1\",\"ipport\":%u,\"username\":\"cs\",\"password\":\"p\"}}}}",
            (unsigned)port);
    fclose(out);
    cfg = config_load(path, NULL, &errors);
    unlink(path);
    assert_non_null(cfg);
    return cfg;
}

/* As federation.c has it. */
static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct world *w = arg;

    if (!legacy_ask(w->l->legacy, body, id))
        bus_client_reply(w->f.bus_client, id, BUS_noconn, view_of(NULL, 0));
}

static void on_state_request(void *arg, struct bus_peer *p, uint64_t id, enum bus_method method,
                             const msgpack_object *body)
{
    bus_server_reply(((struct world *)arg)->server, p, id, BUS_ok, view_of(NULL, 0));
}

static int setup(void **state)
{
    static const struct bus_server_handler server_handler = {on_state_request, NULL, NULL};
    static const struct bus_client_handler asker_handler = {NULL, NULL, on_request};
    struct world *w = calloc(1, sizeof(*w));
    int err = 0;

    *state = w;
    w->fd = -1;
    w->loop = loop_new();
    w->state = process_start(w->loop, "state@test", "state", NULL);
    w->fwd = bus_forwarder_new(w->state.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    w->pub = bus_pub_new(w->state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    w->server = bus_server_new(w->state.bus, "tcp://127.0.0.1:*", NULL, "s", &server_handler, w,
                               w->pub, &err);
    w->p = process_start(w->loop, "federation@test", "federation", NULL);
    w->listener = listener_new(w->loop, "127.0.0.1:0", on_accept, w, &err);
    w->f = (struct fed){.loop = w->loop, .bus = w->p.bus, .metrics = w->p.metrics};
    w->f.cfg = load_config(listener_port(w->listener));
    w->f.bus_client = bus_client_new(w->p.bus, bus_server_endpoint(w->server), "federation",
                                     &asker_handler, w, &err);
    assert_int_equal(err, 0);
    UNTIL(w->loop, bus_client_is_up(w->f.bus_client));
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    struct config *cfg = (struct config *)w->f.cfg;

    if (w->l) {
        legacy_destroy(&w->l->legacy);
        bus_client_destroy(&w->f.bus_client);
        forward_destroy(&w->l->forward);
    }
    bus_client_destroy(&w->f.bus_client);
    listener_destroy(&w->listener);
    if (w->fd >= 0)
        close(w->fd);
    bus_server_destroy(&w->server);
    bus_pub_destroy(&w->pub);
    bus_forwarder_destroy(&w->fwd);
    process_end(&w->p);
    process_end(&w->state);
    config_destroy(&cfg);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

static void start(struct world *w, struct legacy_limits limits)
{
    int err = 0;

    w->l = &w->f.links[0];
    *w->l = (struct fed_link){.f = &w->f, .name = (char *)"far", .state = "down"};
    w->l->up = metrics_add(w->p.metrics, METRIC_federation_up, METRIC_VALUES("far"));
    w->l->legacy = legacy_new(w->l, &limits, &err);
    assert_non_null(w->l->legacy);
    w->l->forward = forward_new(&w->f, w->l->name, legacy_xod(w->l->legacy));
    w->f.n_links = 1;
    UNTIL(w->loop, w->accepted == 1);
}

/* ---- as the XiVO ---- */

static void say(struct world *w, const char *line)
{
    assert_int_equal(write(w->fd, line, strlen(line)), (ssize_t)strlen(line));
}

/* Takes what has come; 0 at the end of the connection, -1: nothing, or more. */
static ssize_t take(struct world *w)
{
    size_t at = strlen(w->heard);
    ssize_t n = read(w->fd, w->heard + at, sizeof(w->heard) - 1 - at);

    if (n > 0)
        w->heard[at + (size_t)n] = '\0';
    return n == 0 ? 0 : -1;
}

static bool heard(struct world *w, const char *text)
{
    take(w);
    return strstr(w->heard, text) != NULL;
}

static int times(const struct world *w, const char *text)
{
    int n = 0;

    for (const char *at = w->heard; (at = strstr(at, text)); at++)
        n++;
    return n;
}

static void log_in(struct world *w)
{
    UNTIL(w->loop, heard(w, "\"login_id\""));
    say(w, "{\"class\":\"login_id\",\"sessionid\":\"x\"}\n");
    UNTIL(w->loop, heard(w, "\"login_pass\""));
    say(w, "{\"class\":\"login_pass\",\"capalist\":[1]}\n");
    UNTIL(w->loop, heard(w, "\"login_capas\""));
    say(w, "{\"class\":\"login_capas\"}\n");
    UNTIL(w->loop, strcmp(w->l->state, "up") == 0);
    UNTIL(w->loop, heard(w, "\"phones\"")); /* the last of the lists that it asks for */
}

/* ---- time limits ---- */

static void a_login_that_is_not_answered_is_given_up_and_tried_again(void **state)
{
    struct world *w = *state;
    uint64_t since = clock_mono_us();

    start(w, (struct legacy_limits){
                 .login_ms = 1500, .ask_ms = 60000, .dead_ms = 60000, .tick_ms = 10});
    UNTIL(w->loop, take(w) == 0);
    assert_true(clock_mono_us() - since >= 1500000);
    assert_string_equal(w->l->state, "down");
    UNTIL(w->loop, w->accepted == 2);
    log_in(w);
}

static void the_limit_of_the_login_ends_with_it(void **state)
{
    struct world *w = *state;

    start(w, (struct legacy_limits){
                 .login_ms = 1000, .ask_ms = 60000, .dead_ms = 60000, .tick_ms = 10});
    log_in(w);
    run_for(w->loop, 1300);
    assert_int_equal(take(w), -1);
    assert_int_equal(w->accepted, 1);
    assert_string_equal(w->l->state, "up");
    assert_false(heard(w, "keepalive"));
}

static void who_says_nothing_any_more_is_asked_once_and_given_up(void **state)
{
    struct world *w = *state;
    uint64_t since;

    start(w,
          (struct legacy_limits){.login_ms = 60000, .ask_ms = 50, .dead_ms = 1500, .tick_ms = 10});
    log_in(w);
    since = clock_mono_us();
    UNTIL(w->loop, take(w) == 0);
    assert_true(clock_mono_us() - since >= 1400000);
    assert_int_equal(times(w, "keepalive"), 1);
    assert_string_equal(w->l->state, "down");
    UNTIL(w->loop, w->accepted == 2);
}

static void who_answers_stays(void **state)
{
    struct world *w = *state;
    uint64_t since;
    int answered = 0;

    start(w,
          (struct legacy_limits){.login_ms = 60000, .ask_ms = 50, .dead_ms = 2500, .tick_ms = 10});
    log_in(w);
    since = clock_mono_us();
    while (clock_mono_us() - since < 3000000 || answered < 3) {
        loop_once(w->loop, 5);
        assert_int_equal(take(w), -1);
        if (times(w, "keepalive") > answered) {
            answered++;
            say(w, "{\"class\":\"keepalive\"}\n");
        }
    }
    assert_int_equal(w->accepted, 1);
    assert_string_equal(w->l->state, "up");
    assert_true(w->l->lag > 0);
}

/* ---- commands ---- */

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct world *w = arg;

    w->answered = true;
    w->status = status;
    snprintf(w->error, sizeof(w->error), "%.*s", VIEW_ARG(msg_get_str(body, "error_string")));
}

/* As state asks for user 1 of ours. */
static enum bus_status ask(struct world *w, const char *command)
{
    struct bus_peer *p;
    struct buf pairs;
    size_t pos = 0;

    p = bus_server_next(w->server, &pos);
    assert_non_null(p);
    w->answered = false;
    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "ipbx", VIEW("far"));
    msg_put_pair(&pairs, "command", view_cstr(command));
    msg_put_pair(&pairs, "site", VIEW("xivo"));
    msg_put_pair(&pairs, "user", VIEW("1"));
    msg_put_pair(&pairs, "to", VIEW("2"));
    msg_put_pair(&pairs, "text", VIEW("Bonjour \"x\"\n"));
    assert_true(bus_server_ask(w->server, p, METHOD_peer_command, 6, buf_view(&pairs), 60000,
                               on_answer, w));
    buf_free(&pairs);
    UNTIL(w->loop, w->answered);
    return w->status;
}

static void chat_is_passed_on_and_nothing_else(void **state)
{
    static const char *const commands[] = {"hangup", "intercept", "dial",
                                           "",       "chitcha",   "chitchat2"};
    struct world *w = *state;

    start(w, (struct legacy_limits){0});
    assert_int_equal(ask(w, "chitchat"), BUS_noconn); /* not logged in yet */
    log_in(w);
    w->heard[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        assert_int_equal(ask(w, commands[i]), BUS_ok);
        assert_string_equal(w->error, "unallowed");
    }
    assert_int_equal(ask(w, "chitchat"), BUS_ok);
    assert_string_equal(w->error, "");
    UNTIL(w->loop, heard(w, "}\n"));
    assert_int_equal(strncmp(w->heard, "{\"class\":\"chitchat\"", 19), 0); /* the first line */
    assert_non_null(strstr(w->heard, "\"to\":\"far/2\",\"from\":\"xivo/1\","
                                     "\"text\":\"Bonjour \\\"x\\\"\\n\"}\n"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_login_that_is_not_answered_is_given_up_and_tried_again),
        T(the_limit_of_the_login_ends_with_it),
        T(who_says_nothing_any_more_is_asked_once_and_given_up),
        T(who_answers_stays),
        T(chat_is_passed_on_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
