/* A state on standby, and how it becomes the active one. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <errno.h>

#include "base/array.h"
#include "core/context.h"
#include "standby.h"
#include "support/state_peer.h"
#include "support/webserver.h"

#define ANY_PORT "tcp://127.0.0.1:*"
#define SILENT_MS 2000
#define UP "ctibus_state_standby_database_up"

/* The process of one state. */
struct machine {
    struct world *w;
    const char *name;
    struct process p;
    struct standby *standby;
    struct standby_legacy legacy;
    struct state *s;
    char publish[64]; /* where it is to bind to, or empty */
    int mine, left, err;
    bool waits; /* it does not take over by itself */
};

struct world {
    struct state_world s; /* the files, and the configuration of both */
    struct webserver web;
    PGconn *shell;
    struct machine a, b;
    struct state_peer gw;
    char active[32]; /* who is active, as b says */
};

static void configure(struct world *w, const char *path)
{
    static const char old[] = "file:users.json";
    const char *at = strstr(STATE_CONFIG, old);
    char text[sizeof(STATE_CONFIG) + 64];

    snprintf(text, sizeof(text), "%.*shttp://127.0.0.1:%u%s%s", (int)(at - STATE_CONFIG),
             STATE_CONFIG, w->web.port, path, at + strlen(old));
    state_write(&w->s, "ctibus.json", text);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    assert_int_equal(state_make_folder(&w->s), 0);
    w->s.loop = w->web.loop = loop_new();
    web_up(&w->web);
    web_page(&w->web, "/users")->body = "[{\"id\":\"9\",\"firstname\":\"Nina\"}]";
    web_page(&w->web, "/others")->body = "[{\"id\":\"8\",\"firstname\":\"Otto\"}]";
    configure(w, "/users");
    state_write(&w->s, "lines.json", STATE_LINES);
    w->s.cfg = state_config(&w->s);
    w->shell = postgres_shell(state_uri, &state_server);
    w->a = (struct machine){.w = w, .name = "a"};
    w->b = (struct machine){.w = w, .name = "b"};
    return 0;
}

/* It is killed. */
static void end(struct machine *m)
{
    standby_destroy(&m->standby);
    state_destroy(&m->s);
    db_claim_destroy(&m->legacy.claim);
    remote_lists_destroy(&m->legacy.remote_lists);
    bus_server_destroy(&m->legacy.server);
    bus_forwarder_destroy(&m->legacy.forwarder);
    process_end(&m->p);
}

static int teardown(void **state)
{
    struct world *w = *state;

    peer_end(&w->gw);
    PQfinish(w->shell);
    if (state_server.pid == 0)
        postgres_start(&state_server);
    end(&w->a);
    end(&w->b);
    web_down(&w->web);
    state_teardown(&w->s);
    free(w);
    return 0;
}

static void leave(void *arg)
{
    ((struct machine *)arg)->left++;
}

static void activate(struct machine *m)
{
    const struct state_options opt = {
        .legacy = &m->legacy, .session_grace_ms = 1500, .settle_min_ms = 400, .settle_max_ms = 400};

    if (m->standby)
        standby_take(&m->standby, &m->legacy);
    assert_null(m->standby);
    m->s = state_new(m->w->s.loop, m->p.bus, m->w->s.cfg, &opt, m->p.metrics, m->w->s.log, &m->err);
    if (m->s)
        state_on_leave(m->s, leave, m);
}

static void on_mine(void *arg)
{
    struct machine *m = arg;

    m->mine++;
    if (!m->waits)
        activate(m);
}

static struct standby *standby_at(struct machine *m, const char *request, int *err)
{
    const struct standby_options opt = {.name = m->name,
                                        .publish = *m->publish ? m->publish : ANY_PORT,
                                        .subscribe = ANY_PORT,
                                        .request = request,
                                        .silent_ms = SILENT_MS};

    return standby_new(m->w->s.loop, m->p.bus, m->w->s.cfg, &opt, on_mine, m, m->p.metrics,
                       m->w->s.log, err);
}

static void begin(struct machine *m)
{
    char source[32];
    int err = 0;

    snprintf(source, sizeof(source), "state@%s", m->name);
    m->p = process_start(m->w->s.loop, source, m->name, NULL);
    m->standby = standby_at(m, ANY_PORT, &err);
    assert_non_null(m->standby);
    assert_int_equal(err, 0);
}

/* a is active, and b stands by. */
static void begin_both(struct world *w)
{
    begin(&w->a);
    UNTIL(w->s.loop, w->a.s);
    begin(&w->b);
    UNTIL(w->s.loop, standby_is_ready(w->b.standby, NULL));
}

/* ---- a gateway ---- */

static void on_not_active(void *arg, const msgpack_object *body)
{
    struct state_peer *x = arg;
    struct world *w = (struct world *)((char *)x - offsetof(struct world, gw));

    if (view_eq(msg_get_str(body, "name"), VIEW("b")))
        snprintf(w->active, sizeof(w->active), "%.*s%s", VIEW_ARG(msg_get_str(body, "active")),
                 msg_get_bool(body, "ready", true) ? "" : ", not ready");
}

static void gateway(struct world *w)
{
    static const struct bus_client_handler handler = {peer_on_up, NULL, peer_on_request};
    char endpoints[160];
    int err = 0;

    snprintf(endpoints, sizeof(endpoints), "%s %s",
             w->a.s ? state_endpoint_request(w->a.s) : standby_endpoint_request(w->a.standby),
             standby_endpoint_request(w->b.standby));
    w->gw = (struct state_peer){.loop = w->s.loop, .response = "Success"};
    w->gw.p = process_start(w->s.loop, "gw@test", "gw", NULL);
    w->gw.bus_client = bus_client_new(w->gw.p.bus, endpoints, "cti-gw", &handler, &w->gw, &err);
    assert_non_null(w->gw.bus_client);
    bus_client_on_not_active(w->gw.bus_client, on_not_active);
}

static bool asks(const struct world *w, const struct machine *m)
{
    return bus_client_is_up(w->gw.bus_client) &&
           bus_client_epoch(w->gw.bus_client) == bus_epoch(m->p.bus);
}

static bool is_called(const struct machine *m, const char *id, const char *name)
{
    struct xod_ipbx *ipbx = xod_ipbx(state_xod(m->s), VIEW("xivo"), false);

    return strcmp(state_str(xod_find(ipbx, LIST_users, view_cstr(id)), XOD(users, firstname)),
                  name) == 0;
}

static bool shows(const struct machine *m, const char *name, int n)
{
    char line[64];
    struct buf out;
    bool has;

    snprintf(line, sizeof(line), "\n%s %d\n", name, n);
    buf_init(&out, 0);
    assert_int_equal(metrics_render(m->p.metrics, &out), 0);
    has = strstr(buf_cstr(&out), line) != NULL;
    buf_free(&out);
    return has;
}

/* ---- on standby ---- */

/* A tool that asks b for the command, without hello, into status. */
static void ask_raw(struct world *w, const char *endpoint, const char *method, char status[32])
{
    struct view parts[] = {VIEW("\x01"), VIEW("\x05"), view_cstr(method), VIEW("\x80")};
    void *raw = zmq_socket(bus_zmq(w->b.p.bus), ZMQ_DEALER);
    struct frames f = {.n = 0};
    int zero = 0;

    zmq_setsockopt(raw, ZMQ_LINGER, &zero, sizeof(zero));
    zmq_connect(raw, endpoint);
    frames_send(raw, parts, 4);
    UNTIL(w->s.loop, f.n > 0 || frames_recv(raw, &f));
    snprintf(status, 32, "%.*s", VIEW_ARG(frame_view(&f, 2)));
    frames_close(&f);
    zmq_close(raw);
}

static void it_answers_that_it_is_not_active(void **state)
{
    static const char *const methods[] = {"hello", "ping", "command", "snapshot", "ha.switch"};
    struct world *w = *state;
    char endpoint[64], status[32];

    begin_both(w);
    snprintf(endpoint, sizeof(endpoint), "%s", standby_endpoint_request(w->b.standby));
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        ask_raw(w, endpoint, methods[i], status);
        assert_string_equal(status, "not_active");
    }
    gateway(w);
    UNTIL(w->s.loop, asks(w, &w->a) && strcmp(w->active, "a") == 0);
    assert_int_equal(peer_ask(&w->gw, METHOD_admin_sessions, "{}"), BUS_ok);
    end(&w->a);
    UNTIL(w->s.loop, w->b.s && asks(w, &w->b));
    assert_int_equal(w->b.mine, 1);
    assert_string_equal(state_endpoint_request(w->b.s), endpoint);
    assert_int_equal(state_term(w->b.s), 2);
    assert_int_equal(peer_ask(&w->gw, METHOD_admin_sessions, "{}"), BUS_ok);
    ask_raw(w, endpoint, "command", status);
    assert_string_equal(status, "unknown_peer"); /* as of any state */
    assert_int_equal(w->b.left, 0);
}

static void assert_not_ready(const struct standby *s)
{
    struct buf why;

    buf_init(&why, 0);
    assert_false(standby_is_ready(s, &why));
    assert_string_equal(buf_cstr(&why), "on standby, and the database cannot be reached");
    buf_free(&why);
}

static void it_is_ready_while_it_could_take_over(void **state)
{
    struct world *w = *state;
    struct buf why;

    begin(&w->a);
    UNTIL(w->s.loop, w->a.s);
    buf_init(&why, 0);
    assert_false(state_is_ready(w->a.s, &why)); /* at first */
    assert_string_equal(buf_cstr(&why), "waiting for the gateways to come back");
    UNTIL(w->s.loop, state_is_ready(w->a.s, NULL));
    begin(&w->b);
    assert_not_ready(w->b.standby);
    gateway(w);
    UNTIL(w->s.loop, standby_is_ready(w->b.standby, NULL));
    buf_reset(&why);
    assert_true(standby_is_ready(w->b.standby, &why));
    assert_int_equal(buf_len(&why), 0);
    assert_true(shows(&w->b, UP, 1));
    UNTIL(w->s.loop, strcmp(w->active, "a") == 0);
    PQfinish(w->shell);
    w->shell = NULL;
    postgres_kill(&state_server);
    UNTIL(w->s.loop, !standby_is_ready(w->b.standby, NULL));
    assert_not_ready(w->b.standby);
    assert_true(shows(&w->b, UP, 0));
    UNTIL(w->s.loop, strcmp(w->active, "a, not ready") == 0);
    postgres_start(&state_server);
    UNTIL(w->s.loop, standby_is_ready(w->b.standby, NULL));
    UNTIL(w->s.loop, strcmp(w->active, "a") == 0);
    assert_int_equal(w->b.mine, 0);
    assert_int_equal(w->a.left, 0);
    buf_free(&why);
}

/* What comes over HTTP is there when it takes over, though its server is away by then. */
static void it_keeps_the_lists_from_the_web(void **state)
{
    struct world *w = *state;
    struct config *old;
    char uri[64];

    begin_both(w);
    /* a has asked when it stood by and when it took over, and b */
    UNTIL(w->s.loop, is_called(&w->a, "9", "Nina") && web_page(&w->web, "/users")->hits >= 3);
    configure(w, "/others");
    snprintf(uri, sizeof(uri), "http://127.0.0.1:%u/others", w->web.port);
    old = w->s.cfg;
    w->s.cfg = state_config(&w->s);
    standby_reload(w->b.standby, w->s.cfg);
    end(&w->a); /* it has the former configuration */
    config_destroy(&old);
    w->b.waits = true;
    UNTIL(w->s.loop, w->b.mine == 1);
    standby_take(&w->b.standby, &w->b.legacy);
    UNTIL(w->s.loop, remote_lists_get(w->b.legacy.remote_lists, uri));
    web_down(&w->web);
    activate(&w->b);
    assert_non_null(w->b.s);
    assert_true(is_called(&w->b, "8", "Otto"));
    assert_true(is_called(&w->b, "9", "(none)"));
}

static int fails_to_begin(struct machine *m, const char *request)
{
    int err = 0;

    m->p = process_start(m->w->s.loop, "state@x", "x", NULL);
    assert_null(standby_at(m, request, &err));
    end(m);
    return err;
}

static void what_cannot_stand_by_is_refused(void **state)
{
    struct world *w = *state;
    char taken[64], uri[sizeof(state_uri)];
    struct config *old = w->s.cfg;

    begin(&w->a);
    snprintf(taken, sizeof(taken), "%s", standby_endpoint_request(w->a.standby));
    assert_int_equal(fails_to_begin(&w->b, taken), -EADDRINUSE);
    /* others reach that, without keys */
    assert_int_equal(fails_to_begin(&w->b, "tcp://0.0.0.0:*"), -EACCES);
    snprintf(uri, sizeof(uri), "%s", state_uri);
    *state_uri = '\0'; /* then it is a file */
    w->s.cfg = state_config(&w->s);
    assert_int_equal(fails_to_begin(&w->b, ANY_PORT), -EINVAL);
    config_destroy(&w->s.cfg);
    w->s.cfg = old;
    strcpy(state_uri, uri);
}

/* ---- becoming active ---- */

/* When it starts, and not when it takes over. */
static void a_port_that_is_taken_is_found_when_it_starts(void **state)
{
    struct world *w = *state;
    int err = 0;

    begin(&w->b);
    snprintf(w->a.publish, sizeof(w->a.publish), "%s", standby_endpoint_publish(w->b.standby));
    w->a.p = process_start(w->s.loop, "state@a", "a", NULL);
    assert_null(standby_at(&w->a, ANY_PORT, &err));
    assert_int_equal(err, -EADDRINUSE);
    UNTIL(w->s.loop, w->b.s);
}

/* The claim is won, and the server is gone before the state is made. */
static void one_that_loses_the_database_again_is_not_made(void **state)
{
    struct world *w = *state;

    w->b.waits = true;
    begin(&w->b);
    UNTIL(w->s.loop, w->b.mine == 1);
    PQfinish(w->shell);
    w->shell = NULL;
    postgres_kill(&state_server);
    activate(&w->b);
    assert_null(w->b.s);
    assert_true(w->b.err < 0);
    assert_true(!w->b.legacy.server && !w->b.legacy.claim && !w->b.legacy.remote_lists);
}

static void clients_wait_until_it_has_settled(void **state)
{
    struct world *w = *state;

    begin_both(w);
    gateway(w);
    UNTIL(w->s.loop, asks(w, &w->a));
    end(&w->a);
    assert_true(bus_ask_wait(w->gw.bus_client, METHOD_admin_sessions, false, 0, view_of(NULL, 0),
                             15000, peer_on_answer, &w->gw) > 0);
    UNTIL(w->s.loop, w->b.s && asks(w, &w->b) && w->gw.answers == 1);
    assert_int_equal(w->gw.status, BUS_ok);
    assert_true(state_is_ready(w->b.s, NULL));
}

/* ---- leaving ---- */

static void a_switch_lets_it_leave(void **state)
{
    struct world *w = *state;

    begin_both(w);
    gateway(w);
    UNTIL(w->s.loop, asks(w, &w->a));
    assert_int_equal(peer_ask(&w->gw, METHOD_ha_switch, "{}"), BUS_ok);
    assert_int_equal(w->a.left, 1);
    state_on_leave(w->a.s, NULL, NULL);
    assert_int_equal(peer_ask(&w->gw, METHOD_ha_switch, "{}"), BUS_not_found);
    assert_int_equal(w->a.left, 1);
    end(&w->a);
    UNTIL(w->s.loop, w->b.s && asks(w, &w->b));
}

static void a_state_that_is_alone_does_not_leave(void **state)
{
    struct world *w = *state;
    struct machine alone = {.w = w, .name = "alone"};

    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    state_on_leave(w->s.s, leave, &alone);
    peer_start(&w->gw, &w->s, "tool");
    assert_int_equal(peer_ask(&w->gw, METHOD_ha_switch, "{}"), BUS_not_found);
    assert_int_equal(alone.left, 0);
}

static void one_that_was_taken_over_leaves(void **state)
{
    struct world *w = *state;

    begin_both(w);
    postgres_do(w->shell, "UPDATE ctibus_owner SET epoch = epoch + 1"); /* as the other one does */
    UNTIL(w->s.loop, w->a.left == 1);
    run_for(w->s.loop, 1500); /* told once */
    assert_int_equal(w->a.left, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_answers_that_it_is_not_active),
        T(it_is_ready_while_it_could_take_over),
        T(it_keeps_the_lists_from_the_web),
        T(what_cannot_stand_by_is_refused),
        T(a_port_that_is_taken_is_found_when_it_starts),
        T(one_that_loses_the_database_again_is_not_made),
        T(clients_wait_until_it_has_settled),
        T(a_switch_lets_it_leave),
        T(a_state_that_is_alone_does_not_leave),
        T(one_that_was_taken_over_leaves),
    };
    int rc;

    setenv("CTIBUS_TEST_DATABASE", "postgresql", 1); /* there is no standby without it */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return rc;
}
