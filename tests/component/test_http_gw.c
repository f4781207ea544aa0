/* http-gw with a state that a test plays: one that answers, late, never, or nonsense; clients that
 * go while it is asked, and listeners that do not read. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "gateway.h"
#include "msg/msg.h"
#include "replica/serve.h"
#include "replica/wire.h"
#include "support/bus.h"

#define TOKEN "ctb_good"
#define N_HELD 64

/* How state answers. */
enum how { OK, DENIED, NEVER, NONSENSE };

struct world {
    struct loop *loop;
    /* state */
    struct process state;
    struct bus_forwarder *forwarder;
    struct bus_pub *pub;
    struct bus_server *server;
    struct xod *xod;
    struct xod_ipbx *ipbx;
    struct snapshots *snapshots;
    struct buf topic, body;
    enum how opens, commands;
    bool may_read; /* the profile permits getlist */
    int opened, commanded;
    struct held {
        struct bus_peer *peer;
        uint64_t id;
    } held[N_HELD]; /* requests without an answer */
    size_t n_held;
    struct bus_peer *sends; /* who may send webhooks */
    /* http-gw */
    char dir[64];
    struct config *cfg;
    struct process p;
    struct http_gw *g;
    size_t max_output;
    uint32_t command_ms, token_ms, token_fresh_ms; /* 0: as usual */
    bool stopped;
    int width; /* of a change; 0: 1500 */
};

/* ---- state ---- */

static uint64_t seq(void *arg)
{
    return bus_pub_seq(((struct world *)arg)->pub, VIEW("xod"));
}

static bool ready(void *arg)
{
    return true;
}

static void send_plane(struct world *w, const struct xod_change *c, enum xod_plane plane)
{
    uint64_t mask = schema_plane_mask(xod_obj_list(c->obj), plane);

    if (!(c->fields & mask))
        return;
    buf_reset(&w->topic);
    buf_reset(&w->body);
    wire_topic(&w->topic, c->obj, plane);
    wire_change(&w->body, c->op, c->obj, c->fields & mask, &(struct wire_cause){0});
    assert_int_equal(bus_pub_send(w->pub, buf_view(&w->topic), buf_view(&w->body)), 0);
}

static void publish(void *arg, const struct xod_change *c)
{
    send_plane(arg, c, PLANE_CONFIG);
    send_plane(arg, c, PLANE_STATUS);
}

static void commit(struct world *w)
{
    xod_commit(w->xod, publish, w);
}

static void put_user(struct world *w, struct buf *out)
{
    msg_put_map(out, 7);
    msg_put_pair(out, "id", VIEW("abcdefabcdef"));
    msg_put_pair(out, "ipbxid", VIEW("xivo"));
    msg_put_pair(out, "userid", VIEW("1"));
    msg_put_pair(out, "login", VIEW("alice"));
    msg_put_cstr(out, "scopes");
    msg_put_array(out, 2);
    msg_put_cstr(out, "read");
    msg_put_cstr(out, "calls");
    msg_put_cstr(out, "read");
    msg_put_bool(out, w->may_read);
    msg_put_cstr(out, "capalist");
    msg_put_array(out, 1);
    msg_put_cstr(out, "client");
}

/* Each time another one. */
static void put_nonsense(struct buf *out, int n)
{
    switch (n % 5) {
    case 0:
        msg_put_array(out, 0);
        break;
    case 1:
        msg_put_map(out, 3);
        msg_put_pair_u64(out, "autocall", 7);
        msg_put_pair_u64(out, "scopes", 7);
        msg_put_pair_u64(out, "error_string", 7);
        break;
    case 2:
        msg_put_map(out, 2);
        msg_put_cstr(out, "error_string");
        msg_put_str(out,
                    VIEW("a \"b\"\r\nX-Evil: \xff\xfe\x01 and so on and so on and so on and so on "
                         "and so on and so on and so on and so on and so on and so on and so on "
                         "and so on and so on and so on and so on and so on and so on"));
        msg_put_cstr(out, "capalist");
        msg_put_array(out, 1);
        msg_put_array(out, 0);
        break;
    case 3:
        msg_put_map(out, 2);
        msg_put_array(out, 0);
        msg_put_cstr(out, "x");
        msg_put_pair(out, "userid", VIEW("999"));
        break;
    default:
        msg_put_str(out, VIEW("\r\n\r\n"));
    }
}

static void answer(struct world *w, struct bus_peer *p, uint64_t id, enum how how, bool opens)
{
    struct buf out;

    if (how == NEVER) {
        assert_true(w->n_held < N_HELD);
        w->held[w->n_held++] = (struct held){p, id};
        return;
    }
    buf_init(&out, 0);
    if (how == NONSENSE) {
        put_nonsense(&out, opens ? w->opened : w->commanded);
    } else if (opens) {
        put_user(w, &out);
    } else {
        msg_put_map(&out, 1);
        msg_put_pair(&out, "autocall", VIEW("a1"));
    }
    if (how == DENIED)
        bus_server_reply(w->server, p, id, BUS_denied, view_of(NULL, 0));
    else
        bus_server_reply(w->server, p, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

/* What has waited is answered after all. */
static void answer_held(struct world *w, bool opens)
{
    while (w->n_held > 0) {
        struct held h = w->held[--w->n_held];
        answer(w, h.peer, h.id, OK, opens);
    }
}

static void on_request(void *arg, struct bus_peer *p, uint64_t id, enum bus_method method,
                       const msgpack_object *body)
{
    struct world *w = arg;

    if (method == METHOD_snapshot) {
        snapshots_ask(w->snapshots, p, id, body);
    } else if (method == METHOD_api_open) {
        w->opened++;
        answer(w, p, id, w->opens, true);
    } else if (method == METHOD_api_command) {
        w->commanded++;
        answer(w, p, id, w->commands, false);
    } else {
        if (method == METHOD_worker_register)
            w->sends = p;
        bus_server_reply(w->server, p, id, BUS_ok, view_of(NULL, 0));
    }
}

static int open_state(struct world *w)
{
    static const struct bus_server_handler handler = {on_request, NULL, NULL};
    static const struct snapshot_source source = {seq, ready, NULL, NULL};
    int err = 0;

    w->state = process_start(w->loop, "state@test", "state", NULL);
    w->forwarder =
        bus_forwarder_new(w->state.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    w->pub = bus_pub_new(w->state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    w->server =
        bus_server_new(w->state.bus, "tcp://127.0.0.1:*", NULL, "xivo", &handler, w, w->pub, &err);
    w->xod = xod_new();
    w->ipbx = xod_ipbx(w->xod, VIEW("xivo"), true);
    w->snapshots = snapshots_new(w->loop, w->server, w->xod, &source, w);
    xod_add(w->ipbx, LIST_ipbx, VIEW("xivo"));
    xod_set_str(xod_add(w->ipbx, LIST_users, VIEW("1")), XOD(users, fullname), VIEW("Alice"));
    return err;
}

/* ---- http-gw ---- */

static struct config *config_of(struct world *w, const char *webhooks)
{
    struct config_errors errors = {0};
    struct config *cfg;
    struct buf text;

    buf_init(&text, 0);
    buf_printf(&text, "{\"ctibus\":{\"webhook_hosts\":[\"127.0.0.1\"],\"webhooks\":%s}}", webhooks);
    cfg = config_read_string("test", w->dir, buf_view(&text), NULL, &errors);
    assert_non_null(cfg);
    config_errors_free(&errors);
    buf_free(&text);
    return cfg;
}

static void open_gateway(struct world *w, const char *webhooks)
{
    const struct http_gw_limits limits = {.requests_per_s = 0};
    struct http_gw_options opt = {.listen = "127.0.0.1:0",
                                  .publish = bus_forwarder_publish(w->forwarder),
                                  .subscribe = bus_forwarder_subscribe(w->forwarder),
                                  .request = bus_server_endpoint(w->server),
                                  .max_connections = 3000,
                                  .max_output = w->max_output,
                                  .command_ms = w->command_ms,
                                  .token_ms = w->token_ms,
                                  .token_fresh_ms = w->token_fresh_ms};
    struct tls_ctx *tls = NULL;
    int err = 0;

    w->cfg = config_of(w, webhooks);
    w->p = process_start(w->loop, "http-gw:h@test", "h", NULL);
    w->g = http_gw_new(w->loop, w->p.bus, &opt, &limits, w->cfg, &tls, w->p.metrics, NULL, &err);
    assert_non_null(w->g);
    UNTIL(w->loop, http_gw_is_ready(w->g, NULL));
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    w->loop = loop_new();
    w->may_read = true;
    w->max_output = 100000;
    buf_init(&w->topic, 0);
    buf_init(&w->body, 0);
    strcpy(w->dir, "/tmp/ctibus-http-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    return open_state(w);
}

static void close_gateway(struct world *w)
{
    http_gw_destroy(&w->g);
    if (w->cfg)
        process_end(&w->p);
    config_destroy(&w->cfg);
}

static int teardown(void **state)
{
    static const char *const files[] = {"webhooks.db", "webhooks.db-wal", "webhooks.db-shm"};
    struct world *w = *state;
    char path[128];

    close_gateway(w);
    snapshots_destroy(&w->snapshots);
    bus_server_destroy(&w->server);
    bus_pub_destroy(&w->pub);
    bus_forwarder_destroy(&w->forwarder);
    process_end(&w->state);
    xod_destroy(&w->xod);
    buf_free(&w->topic);
    buf_free(&w->body);
    loop_destroy(&w->loop);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", w->dir, files[i]);
        unlink(path);
    }
    rmdir(w->dir);
    free(w);
    return 0;
}

/* ---- clients ---- */

/* buffer: bytes that its kernel keeps for it; 0: as many as it likes. */
static int client_with(struct world *w, int buffer)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_gw_port(w->g)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static int client(struct world *w)
{
    return client_with(w, 0);
}

static void ask_as(int fd, const char *method, const char *path, const char *token,
                   const char *body)
{
    char text[2048];

    snprintf(
        text, sizeof(text),
        "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
        method, path, token, strlen(body), body);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool hear(int fd, struct buf *got)
{
    char scratch[65536];
    ssize_t n = recv(fd, scratch, sizeof(scratch), 0);

    if (n > 0)
        buf_append(got, scratch, (size_t)n);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

static bool heard(int fd, struct buf *got, const char *text)
{
    hear(fd, got);
    return buf_len(got) && strstr(buf_cstr(got), text) != NULL;
}

/* The status of one request on a connection of its own; what came in *got. */
static int status_of(struct world *w, const char *method, const char *path, const char *token,
                     const char *body, struct buf *got)
{
    int fd = client(w);
    int status;

    buf_reset(got);
    ask_as(fd, method, path, token, body);
    UNTIL(w->loop, heard(fd, got, "\r\n\r\n"));
    run_for(w->loop, 10);
    hear(fd, got);
    status = atoi(buf_cstr(got) + strlen("HTTP/1.1 "));
    close(fd);
    return status;
}

#define GET(w, path, got) status_of((w), "GET", (path), TOKEN, "", (got))

static void change_user(struct world *w, int n)
{
    struct xod_obj *u = xod_find(w->ipbx, LIST_users, VIEW("1"));
    char name[20001];

    snprintf(name, sizeof(name), "%0*d", w->width ? w->width : 1500, n);
    xod_set_str(u, XOD(users, fullname), view_cstr(name));
    commit(w);
}

/* ---- tokens ---- */

static void state_says_nonsense_of_tokens(void **state)
{
    struct world *w = *state;
    struct buf got;
    char token[32];

    buf_init(&got, 0);
    w->opens = NONSENSE;
    w->token_ms = 300;
    open_gateway(w, "{}");
    for (int i = 0; i < 5; i++) {
        int status;
        snprintf(token, sizeof(token), "ctb_%d", i);
        status = status_of(w, "GET", "/v1/users", token, "", &got);
        assert_true(status == 503 || status == 403); /* not let in */
    }
    buf_free(&got);
}

static void clients_that_go_while_their_token_is_asked_for(void **state)
{
    struct world *w = *state;
    struct buf got;
    int fds[10];

    buf_init(&got, 0);
    w->opens = NEVER;
    open_gateway(w, "{}");
    for (int i = 0; i < 10; i++) {
        fds[i] = client(w);
        ask_as(fds[i], i % 2 ? "GET" : "POST", i % 2 ? "/v1/events" : "/v1/calls", TOKEN,
               i % 2 ? "" : "{\"to\":\"1\"}");
    }
    UNTIL(w->loop, w->opened == 1);
    run_for(w->loop, 20);
    assert_int_equal(w->opened, 1); /* once for all of them */
    for (int i = 0; i < 9; i++)
        close(fds[i]);
    run_for(w->loop, 50);
    answer_held(w, true);
    UNTIL(w->loop, heard(fds[9], &got, "event: live"));
    close(fds[9]);
    buf_free(&got);
}

static void state_does_not_answer(void **state)
{
    struct world *w = *state;
    struct buf got;

    buf_init(&got, 0);
    w->opens = NEVER;
    w->token_ms = 300;
    open_gateway(w, "{}");
    assert_int_equal(GET(w, "/v1/users", &got), 503);
    assert_non_null(strstr(buf_cstr(&got), "Retry-After: "));
    w->opens = OK;
    UNTIL(w->loop, GET(w, "/v1/users", &got) == 200);
    buf_free(&got);
}

static void what_is_no_token_is_not_asked_for(void **state)
{
    struct world *w = *state;
    char token[400];
    struct buf got;

    buf_init(&got, 0);
    open_gateway(w, "{}");
    memset(token, 'x', sizeof(token));
    token[300] = '\0';
    assert_int_equal(status_of(w, "GET", "/v1/users", token, "", &got), 401);
    assert_int_equal(status_of(w, "GET", "/v1/users", "", "", &got), 401);
    assert_int_equal(w->opened, 0);
    w->opens = DENIED;
    assert_int_equal(status_of(w, "GET", "/v1/users", "ctb_bad", "", &got), 401);
    assert_int_equal(status_of(w, "GET", "/v1/users", "ctb_bad", "", &got), 401);
    assert_int_equal(w->opened, 1); /* not again so soon */
    buf_free(&got);
}

/* Who tries tokens does not keep state busy: so many in a second, for those of one address. */
static void one_who_tries_tokens(void **state)
{
    struct world *w = *state;
    char token[32];
    struct buf got;
    int refused = 0;

    buf_init(&got, 0);
    open_gateway(w, "{}");
    assert_int_equal(GET(w, "/v1/users", &got), 200);
    w->opens = DENIED;
    for (int i = 0; i < 200; i++) {
        int status;
        snprintf(token, sizeof(token), "ctb_%d", i);
        status = status_of(w, "GET", "/v1/users", token, "", &got);
        assert_true(status == 401 || status == 429);
        refused += status == 429;
    }
    assert_true(refused > 0 && w->opened < 200);
    assert_int_equal(GET(w, "/v1/users", &got), 200); /* who has one that is known goes on */
    buf_free(&got);
}

/* ---- commands ---- */

static void state_says_nonsense_of_commands(void **state)
{
    struct world *w = *state;
    struct buf got;

    buf_init(&got, 0);
    w->commands = NONSENSE;
    w->command_ms = 500;
    open_gateway(w, "{}");
    for (int i = 0; i < 3; i++) { /* what is no map the bus refuses, and there is no answer */
        int status = status_of(w, "POST", "/v1/calls", TOKEN, "{\"to\":\"1\"}", &got);
        if (status != 202 && status != 409 && status != 504)
            fail_msg("%d: %s", status, buf_cstr(&got));
        assert_null(strstr(buf_cstr(&got), "\r\nX-Evil"));
        assert_non_null(strstr(buf_cstr(&got), "\r\nContent-Type: application/"));
    }
    buf_free(&got);
}

static void clients_that_go_while_a_command_is_under_way(void **state)
{
    struct world *w = *state;
    struct buf got;
    int a, b;

    buf_init(&got, 0);
    w->commands = NEVER;
    open_gateway(w, "{}");
    a = client(w);
    ask_as(a, "POST", "/v1/calls", TOKEN, "{\"to\":\"1\"}");
    b = client(w);
    ask_as(b, "POST", "/v1/calls", TOKEN, "{\"to\":\"1\"}");
    UNTIL(w->loop, w->commanded == 2);
    close(a);
    run_for(w->loop, 20);
    answer_held(w, false);
    UNTIL(w->loop, heard(b, &got, "\"autocall\":\"a1\""));
    ask_as(b, "POST", "/v1/calls", TOKEN, "{\"to\":\"1\"}");
    UNTIL(w->loop, w->commanded == 3);
    close_gateway(w); /* with one under way */
    w->n_held = 0;
    close(b);
    buf_free(&got);
}

static void bodies_that_are_hostile(void **state)
{
    struct world *w = *state;
    struct buf body, got;

    buf_init(&body, 0);
    buf_init(&got, 0);
    open_gateway(w, "{}");
    for (int i = 0; i < 900; i++)
        buf_append_cstr(&body, "[");
    assert_int_equal(status_of(w, "POST", "/v1/calls", TOKEN, buf_cstr(&body), &got), 400);
    buf_reset(&body);
    buf_append_cstr(&body, "{\"to\":");
    for (int i = 0; i < 800; i++)
        buf_append_cstr(&body, "{\"a\":");
    buf_append_cstr(&body, "1");
    for (int i = 0; i < 801; i++)
        buf_append_cstr(&body, "}");
    assert_true(status_of(w, "POST", "/v1/calls", TOKEN, "{\"to\\u0000x\":\"1\"}", &got) >= 400);
    assert_int_equal(status_of(w, "POST", "/v1/calls", TOKEN, "{\"to\":\"1\xff\"}", &got), 400);
    assert_int_equal(status_of(w, "POST", "/v1/calls", TOKEN, "{\"\\r\\nX-Evil: 1\":1}", &got),
                     422);
    assert_null(strstr(buf_cstr(&got), "\r\nX-Evil"));
    buf_free(&body);
    buf_free(&got);
}

/* ---- answers ---- */

static void an_answer_that_is_longer_than_may_wait(void **state)
{
    struct world *w = *state;
    struct buf got;
    char id[16];

    buf_init(&got, 0);
    for (int i = 2; i < 1000; i++) {
        snprintf(id, sizeof(id), "%d", i);
        xod_set_str(xod_add(w->ipbx, LIST_users, view_cstr(id)), XOD(users, fullname),
                    VIEW("Somebody"));
    }
    commit(w);
    open_gateway(w, "{}");
    assert_int_equal(GET(w, "/v1/users?limit=1000", &got), 503);
    assert_non_null(strstr(buf_cstr(&got), "\"code\":\"too_much\""));
    assert_int_equal(GET(w, "/v1/users?limit=1000&fields=fullname", &got), 200);
    buf_free(&got);
}

/* ---- streams ---- */

static void a_stream_is_not_asked_for_by_head(void **state)
{
    struct world *w = *state;
    struct buf got;
    int fd;

    buf_init(&got, 0);
    open_gateway(w, "{}");
    fd = client(w);
    ask_as(fd, "HEAD", "/v1/events", TOKEN, "");
    UNTIL(w->loop, heard(fd, &got, "\r\n\r\n"));
    run_for(w->loop, 50);
    hear(fd, &got);
    assert_string_equal(strstr(buf_cstr(&got), "\r\n\r\n"), "\r\n\r\n"); /* and nothing behind it */
    close(fd);
    buf_free(&got);
}

static int listen_with(struct world *w, int buffer, const char *query, struct buf *got)
{
    char path[256];
    int fd = client_with(w, buffer);

    snprintf(path, sizeof(path), "/v1/events?events=change&lists=users%s", query);
    buf_reset(got);
    ask_as(fd, "GET", path, TOKEN, "");
    UNTIL(w->loop, heard(fd, got, "event: "));
    return fd;
}

static int listen_to(struct world *w, const char *query, struct buf *got)
{
    return listen_with(w, 0, query, got);
}

/* Its profile does not permit to read any more, or it is revoked. */
static void a_token_that_ends_while_it_listens(void **state)
{
    struct world *w = *state;
    struct buf got;
    int fd;

    buf_init(&got, 0);
    w->token_fresh_ms = 500;
    open_gateway(w, "{}");
    fd = listen_to(w, "", &got);
    w->may_read = false;
    UNTIL(w->loop, hear(fd, &got));
    close(fd);
    assert_int_equal(GET(w, "/v1/users", &got), 403);
    buf_free(&got);
}

static void a_token_that_is_revoked_while_it_resumes(void **state)
{
    struct world *w = *state;
    char query[100], id[64];
    struct buf got;
    int keeps, fd;

    buf_init(&got, 0);
    w->token_fresh_ms = 500;
    open_gateway(w, "{}");
    w->max_output = 100000;
    keeps = listen_to(w, "", &got);
    change_user(w, 1);
    UNTIL(w->loop, heard(keeps, &got, "event: change"));
    assert_int_equal(sscanf(strstr(buf_cstr(&got), "id: "), "id: %60s", id), 1);
    close(keeps);
    for (int i = 0; i < 500; i++)
        change_user(w, i);
    run_for(w->loop, 200);
    snprintf(query, sizeof(query), "&last_event_id=%s", id);
    fd = listen_with(w, 4096, query, &got); /* it does not read on: most waits in the ring */
    w->opens = DENIED;
    /* it hears the end, at last, and nothing breaks */
    UNTIL(w->loop, hear(fd, &got));
    close(fd);
    assert_true(w->opened >= 2);
    buf_free(&got);
}

static int metric(struct world *w, const char *name)
{
    struct buf out;
    const char *at;
    char line[128];
    int n;

    buf_init(&out, 0);
    metrics_render(w->p.metrics, &out);
    snprintf(line, sizeof(line), "\n%s ", name);
    at = strstr(buf_cstr(&out), line);
    n = at ? atoi(at + strlen(line)) : -1;
    buf_free(&out);
    return n;
}

static void many_listeners_that_do_not_read(void **state)
{
    enum { N = 300 };
    struct world *w = *state;
    struct buf got;
    int fds[N], good;

    buf_init(&got, 0);
    open_gateway(w, "{}");
    for (int i = 0; i < N; i++) {
        fds[i] = client_with(w, 4096);
        ask_as(fds[i], "GET", "/v1/events?events=change&lists=users", TOKEN, "");
        if (i % 50 == 0)
            run_for(w->loop, 10);
    }
    good = listen_to(w, "", &got);
    run_for(w->loop, 200);
    w->width = 20000; /* the kernel takes some megabytes for each */
    for (int i = 0; i < 500; i++) {
        char told[32];
        snprintf(told, sizeof(told), "%010d\"", i);
        change_user(w, i);
        UNTIL(w->loop, heard(good, &got, told));
        buf_reset(&got);
    }
    UNTIL(w->loop, metric(w, "ctibus_api_listeners") == 1); /* each of them was let go */
    assert_int_equal(metric(w, "ctibus_api_slow_total"), N);
    for (int i = 0; i < N; i++)
        close(fds[i]);
    assert_int_equal(GET(w, "/v1/me", &got), 200);
    close(good);
    buf_free(&got);
}

/* A snapshot goes at its reader's pace: all of it comes, however slowly it is read. */
static void a_snapshot_for_a_slow_reader(void **state)
{
    struct world *w = *state;
    struct buf got;
    char id[16];
    size_t n = 0;
    int fd;

    buf_init(&got, 0);
    w->max_output = 600000;
    for (int i = 2; i < 5000; i++) {
        snprintf(id, sizeof(id), "%d", i);
        xod_set_str(xod_add(w->ipbx, LIST_users, view_cstr(id)), XOD(users, fullname),
                    VIEW("Somebody"));
    }
    commit(w);
    open_gateway(w, "{}");
    fd = listen_with(w, 4096, "&snapshot=1", &got);
    UNTIL(w->loop, heard(fd, &got, "event: live"));
    for (const char *at = buf_cstr(&got); (at = strstr(at, "event: object")); at++)
        n++;
    assert_int_equal(n, 4999);
    close(fd);
    buf_free(&got);
}

/* ---- stopping ---- */

static void on_stopped(void *arg)
{
    ((struct world *)arg)->stopped = true;
}

static void what_waits_for_a_token_at_a_stop(void **state)
{
    struct world *w = *state;
    struct buf got;
    uint64_t began;
    int fd;

    buf_init(&got, 0);
    w->opens = NEVER;
    open_gateway(w, "{}");
    fd = client(w);
    ask_as(fd, "GET", "/v1/events", TOKEN, "");
    UNTIL(w->loop, w->n_held == 1);
    http_gw_stop(w->g, on_stopped, w);
    began = clock_mono_us();
    answer_held(w, true);
    UNTIL(w->loop, hear(fd, &got)); /* no stream begins now */
    assert_non_null(strstr(buf_cstr(&got), "HTTP/1.1 503 "));
    close(fd);
    UNTIL(w->loop, w->stopped);
    assert_true(clock_mono_us() - began < 2000000);
    buf_free(&got);
}

/* ---- webhooks ---- */

static size_t receiver_data(void *owner, struct conn *c, struct view in)
{
    ++*(int *)owner;
    return in.len;
}

static void receiver_closed(void *owner, struct conn *c, int why)
{
}

struct receiver {
    struct loop *loop;
    struct conn_class cls;
    struct listener *listener;
    struct conn *conns[32];
    size_t n;
    int posts;
};

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct receiver *r = arg;

    assert_true(r->n < 32);
    r->conns[r->n++] = conn_new(&r->cls, fd, &r->posts);
}

static void ring(struct world *w, const char *id)
{
    xod_add(w->ipbx, LIST_calls, view_cstr(id));
    commit(w);
}

/* Posts that are under way when their webhook changes, goes, and comes again. */
static void a_reload_while_posts_are_under_way(void **state)
{
    static const struct conn_handler handler = {receiver_data, receiver_closed, NULL};
    const struct http_gw_limits limits = {.requests_per_s = 0};
    struct world *w = *state;
    struct receiver r = {.loop = w->loop};
    struct config *cfg;
    char hooks[256];
    int err;

    conn_class_init(&r.cls, w->loop, &handler, 100000, 100000);
    r.listener = listener_new(w->loop, "127.0.0.1:0", on_accept, &r, &err);
    snprintf(hooks, sizeof(hooks),
             "{\"a\":{\"url\":\"http://127.0.0.1:%u/\",\"secret\":\"s\"},"
             "\"b\":{\"url\":\"http://127.0.0.1:%u/b\"}}",
             listener_port(r.listener), listener_port(r.listener));
    open_gateway(w, hooks);
    UNTIL(w->loop, w->sends);
    {
        struct buf pairs;
        buf_init(&pairs, 0);
        msg_put_cstr(&pairs, "active");
        msg_put_bool(&pairs, true);
        bus_server_ask(w->server, w->sends, METHOD_webhooks_active, 1, buf_view(&pairs), 5000, NULL,
                       NULL);
        buf_free(&pairs);
    }
    run_for(w->loop, 100);
    ring(w, "1.1");
    ring(w, "1.2");
    UNTIL(w->loop, r.posts >= 4);
    cfg = config_of(w, "{}");
    http_gw_reload(w->g, &limits, cfg);
    config_destroy(&cfg);
    ring(w, "1.3");
    run_for(w->loop, 50);
    cfg = config_of(w, hooks);
    http_gw_reload(w->g, &limits, cfg);
    config_destroy(&cfg);
    ring(w, "1.4");
    UNTIL(w->loop, r.posts >= 6);
    for (size_t i = 0; i < 2; i++) {
        conn_send(r.conns[i], VIEW("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        conn_send(r.conns[2 + i], VIEW("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"));
    }
    run_for(w->loop, 100);
    cfg = config_of(w, "{}");
    http_gw_reload(w->g, &limits, cfg); /* and at the end some are under way */
    config_destroy(&cfg);
    run_for(w->loop, 20);
    close_gateway(w);
    listener_destroy(&r.listener);
    for (size_t i = 0; i < r.n; i++)
        conn_close(&r.conns[i]);
    conn_class_fini(&r.cls);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(state_says_nonsense_of_tokens),
        TEST(clients_that_go_while_their_token_is_asked_for),
        TEST(state_does_not_answer),
        TEST(what_is_no_token_is_not_asked_for),
        TEST(one_who_tries_tokens),
        TEST(state_says_nonsense_of_commands),
        TEST(clients_that_go_while_a_command_is_under_way),
        TEST(bodies_that_are_hostile),
        TEST(an_answer_that_is_longer_than_may_wait),
        TEST(a_stream_is_not_asked_for_by_head),
        TEST(a_token_that_ends_while_it_listens),
        TEST(a_token_that_is_revoked_while_it_resumes),
        TEST(many_listeners_that_do_not_read),
        TEST(a_snapshot_for_a_slow_reader),
        TEST(what_waits_for_a_token_at_a_stop),
        TEST(a_reload_while_posts_are_under_way),
    };
    int rc;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return rc;
}
