/* A whole federation in the test's process, of the IPBX paris: beside it a state of its IPBX and
 * a peer, lyon, with CURVE, both played here. Include after cmocka.h. */
#ifndef CTIBUS_TESTS_FED_WORLD_H
#define CTIBUS_TESTS_FED_WORLD_H

#include <fcntl.h>
#include <unistd.h>

#include "bus/keystore.h"
#include "federation.h"
#include "log/log.h"
#include "msg/msg.h"
#include "replica/serve.h"
#include "replica/wire.h"
#include "support/bus.h"
#include "xod/xod.h"

/* What came in last, of a side that is asked. */
struct fed_asked {
    int commands, hellos, applies;
    struct bus_peer *peer;
    uint64_t id;
    char site[32], user[32];
    int sites; /* how many members `site` it had */
};

struct fed_side {
    struct process p;
    struct bus_keys keys;
    struct bus_forwarder *fwd;
    struct bus_pub *pub;
    struct bus_server *server;
    struct fed_asked asked;
    bool silent; /* commands, and what is told to state, get no answer */
};

struct fed_world {
    struct loop *loop;
    char dir[64];
    int log_fd[2];
    struct log *log;
    char text[32768]; /* of the log */
    struct config *cfg;
    struct xod *xod; /* of state */
    struct snapshots *snapshots;
    struct fed_side state, lyon;
    char lyon_request[64];
    /* how lyon answers peer.hello */
    enum bus_status greets;
    const char *sites;
    double clock; /* so far is its clock ahead */
    uint64_t schema;
    struct process p; /* of federation */
    struct fed *f;
    struct bus_client *bus_client; /* of lyon, at the door of paris */
    void *raw;                     /* a subscriber of lyon's, or NULL */
    struct buf wire;               /* what it has received */
    int messages;
    const char *legacy;  /* a member of `ipbxes` more, with a comma before it, or "" */
    const char *options; /* members of `federation` more, likewise */
};

/* ---- state ---- */

static inline uint64_t fed_state_seq(void *arg)
{
    return bus_pub_seq(((struct fed_world *)arg)->state.pub, VIEW("xod"));
}

static inline bool fed_state_ready(void *arg)
{
    return true;
}

static inline void fed_note(struct fed_asked *a, struct bus_peer *p, uint64_t id,
                            const msgpack_object *body)
{
    a->commands++;
    a->peer = p;
    a->id = id;
    a->sites = 0;
    for (uint32_t i = 0; i < body->via.map.size; i++)
        a->sites += view_eq(msg_str(&body->via.map.ptr[i].key), VIEW("site"));
    snprintf(a->site, sizeof(a->site), "%.*s", VIEW_ARG(msg_get_str(body, "site")));
    snprintf(a->user, sizeof(a->user), "%.*s", VIEW_ARG(msg_get_str(body, "user")));
}

static inline void fed_state_request(void *arg, struct bus_peer *p, uint64_t id,
                                     enum bus_method method, const msgpack_object *body)
{
    struct fed_world *w = arg;

    if (method == METHOD_snapshot) {
        snapshots_ask(w->snapshots, p, id, body);
        return;
    }
    if (method == METHOD_peer_command)
        fed_note(&w->state.asked, p, id, body);
    w->state.asked.applies += method == METHOD_peer_apply;
    if (!w->state.silent)
        bus_server_reply(w->state.server, p, id, BUS_ok, view_of(NULL, 0));
}

static inline void fed_state_gone(void *arg, struct bus_peer *p)
{
    snapshots_peer_gone(((struct fed_world *)arg)->snapshots, p);
}

static inline void fed_state_start(struct fed_world *w, const char *request)
{
    static const struct snapshot_source source = {fed_state_seq, fed_state_ready, NULL, NULL};
    static const struct bus_server_handler handler = {fed_state_request, NULL, fed_state_gone};
    struct fed_side *s = &w->state;
    int err = 0;

    s->p = process_start(w->loop, "state@paris", "state", NULL);
    s->fwd = bus_forwarder_new(s->p.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    assert_int_equal(err, 0);
    s->pub = bus_pub_new(s->p.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    assert_int_equal(err, 0);
    /* the port of one that has just ended may be taken for a moment */
    while (
        !(s->server = bus_server_new(s->p.bus, request, NULL, "paris", &handler, w, s->pub, &err)))
        loop_once(w->loop, 5);
    w->snapshots = snapshots_new(w->loop, s->server, w->xod, &source, w);
}

static inline void fed_publish_plane(struct fed_world *w, const struct xod_change *c,
                                     enum xod_plane plane)
{
    uint64_t fields = c->fields & schema_plane_mask(xod_obj_list(c->obj), plane);
    struct buf topic;
    struct buf body;

    if (!fields)
        return;
    buf_init(&topic, 0);
    buf_init(&body, 0);
    wire_topic(&topic, c->obj, plane);
    wire_change(&body, c->op, c->obj, fields, &(struct wire_cause){0});
    assert_int_equal(bus_pub_send(w->state.pub, buf_view(&topic), buf_view(&body)), 0);
    buf_free(&topic);
    buf_free(&body);
}

static inline void fed_publish(void *arg, const struct xod_change *c)
{
    fed_publish_plane(arg, c, PLANE_CONFIG);
    fed_publish_plane(arg, c, PLANE_STATUS);
}

static inline void fed_commit(struct fed_world *w)
{
    xod_commit(w->xod, fed_publish, w);
}

/* An object of an IPBX, as state has it. */
static inline struct xod_obj *fed_object(struct fed_world *w, const char *site, enum xod_list list,
                                         const char *id)
{
    return xod_add(xod_ipbx(w->xod, view_cstr(site), true), list, view_cstr(id));
}

/* ---- lyon ---- */

static inline void fed_lyon_hello(struct fed_world *w, struct bus_peer *p, uint64_t id)
{
    struct buf body;

    buf_init(&body, 0);
    msg_put_map(&body, 4);
    msg_put_pair(&body, "why", VIEW("we do not like you"));
    msg_put_cstr(&body, "sites");
    msg_put_array(&body, 1);
    msg_put_cstr(&body, w->sites);
    msg_put_pair_u64(&body, "schema", w->schema);
    msg_put_cstr(&body, "time");
    msg_put_double(&body, clock_wall() + w->clock);
    bus_server_reply(w->lyon.server, p, id, w->greets, buf_view(&body));
    buf_free(&body);
}

static inline void fed_lyon_request(void *arg, struct bus_peer *p, uint64_t id,
                                    enum bus_method method, const msgpack_object *body)
{
    struct fed_world *w = arg;

    if (method == METHOD_peer_hello) {
        w->lyon.asked.hellos++;
        fed_lyon_hello(w, p, id);
    } else if (method == METHOD_peer_command) {
        fed_note(&w->lyon.asked, p, id, body);
        if (!w->lyon.silent)
            bus_server_reply(w->lyon.server, p, id, BUS_ok, view_of(NULL, 0));
    }
}

static inline void fed_lyon_start(struct fed_world *w)
{
    static const struct bus_server_handler handler = {fed_lyon_request, NULL, NULL};
    const char *request = *w->lyon_request ? w->lyon_request : "tcp://127.0.0.1:*";
    struct fed_side *s = &w->lyon;
    int err = 0;

    s->p = process_start(w->loop, "federation@lyon", "federation@lyon", &s->keys);
    s->fwd = bus_forwarder_new(s->p.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    assert_int_equal(err, 0);
    s->pub = bus_pub_new(s->p.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    assert_int_equal(err, 0);
    while (
        !(s->server = bus_server_new(s->p.bus, request, NULL, "lyon", &handler, w, s->pub, &err)))
        loop_once(w->loop, 5);
    snprintf(w->lyon_request, sizeof(w->lyon_request), "%s", bus_server_endpoint(s->server));
}

static inline void fed_side_stop(struct fed_side *s)
{
    bus_server_destroy(&s->server);
    bus_pub_destroy(&s->pub);
    bus_forwarder_destroy(&s->fwd);
    process_end(&s->p);
}

/* Another process in its place: what was asked of the former is not answered. */
static inline void fed_lyon_restart(struct fed_world *w)
{
    fed_side_stop(&w->lyon);
    fed_lyon_start(w);
}

static inline void fed_state_restart(struct fed_world *w)
{
    char request[64];

    snprintf(request, sizeof(request), "%s", bus_server_endpoint(w->state.server));
    bus_server_destroy(&w->state.server);
    snapshots_destroy(&w->snapshots);
    fed_side_stop(&w->state);
    fed_state_start(w, request);
}

/* ---- federation ---- */

static inline void fed_write_config(struct fed_world *w)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof(path), "%s/ctibus.json", w->dir);
    out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out,
            "{\"main\":{},\"ipbxes\":{\"paris\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","
            "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"}},"
            "\"lyon\":{\"peer\":{\"publish\":\"%s\",\"request\":\"%s\",\"publickey\":\"%s\"}}%s},"
            "\"ctibus\":{\"bus\":{\"heartbeat_ms\":100},\"federation\":{\"key\":\"paris.key\","
            "\"publish\":\"tcp://127.0.0.1:0\",\"request\":\"tcp://127.0.0.1:0\"%s}}}",
            bus_forwarder_subscribe(w->lyon.fwd), w->lyon_request, w->lyon.keys.own_public,
            w->legacy ? w->legacy : "", w->options ? w->options : "");
    fclose(out);
}

static inline void fed_load_config(struct fed_world *w)
{
    struct config_errors errors = {0};
    char path[128];

    fed_write_config(w);
    snprintf(path, sizeof(path), "%s/ctibus.json", w->dir);
    w->cfg = config_load(path, NULL, &errors);
    for (size_t i = 0; i < errors.count; i++)
        print_error("%s: %s\n", errors.list[i].key, errors.list[i].reason);
    config_errors_free(&errors);
    assert_non_null(w->cfg);
}

static inline void fed_make_keys(struct fed_world *w)
{
    char why[256] = "";
    char path[128];
    struct bus_keys *paris;

    snprintf(path, sizeof(path), "%s/paris.key", w->dir);
    assert_int_equal(bus_keys_make(path, ROLE_NONE, NULL), 0);
    paris = bus_keys_own(path, NULL, why, sizeof(why));
    assert_non_null(paris);
    zmq_curve_keypair(w->lyon.keys.own_public, w->lyon.keys.own_secret);
    strcpy(w->lyon.keys.server, paris->own_public);
    assert_int_equal(bus_keys_allow(&w->lyon.keys, paris->own_public, ROLE_PEER), 0);
    bus_keys_destroy(&paris);
}

/* Everything but federation: a test fills the xod first. */
static inline int fed_setup(void **state)
{
    struct fed_world *w = calloc(1, sizeof(*w));

    *state = w;
    strcpy(w->dir, "/tmp/ctibus-fed-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(pipe2(w->log_fd, O_NONBLOCK | O_CLOEXEC), 0);
    w->log = log_new(w->log_fd[1], "federation", LOG_INFO, false);
    w->loop = loop_new();
    w->xod = xod_new();
    w->sites = "lyon";
    w->schema = 1;
    fed_make_keys(w);
    fed_state_start(w, "tcp://127.0.0.1:*");
    fed_lyon_start(w);
    xod_set_bool(fed_object(w, "paris", LIST_ipbx, "paris"), XOD(ipbx, remote), false);
    return 0;
}

static inline void fed_start(struct fed_world *w)
{
    struct fed_options opt = {.subscribe = bus_forwarder_subscribe(w->state.fwd),
                              .publish = bus_forwarder_publish(w->state.fwd),
                              .request = bus_server_endpoint(w->state.server),
                              .instance = "federation@paris"};
    int err = 0;

    fed_commit(w);
    fed_load_config(w);
    w->p = process_start(w->loop, "federation@paris", "federation@paris", NULL);
    w->f = fed_new(w->loop, w->p.bus, &opt, w->cfg, w->p.metrics, w->log, &err);
    assert_int_equal(err, 0);
    UNTIL(w->loop, fed_is_ready(w->f, NULL));
}

/* A process of a peer connects to the door of paris, and asks nothing yet. */
static inline void fed_connect(struct fed_world *w, struct bus *as)
{
    static const struct bus_client_handler handler = {NULL, NULL, NULL};
    int err = 0;

    bus_client_destroy(&w->bus_client);
    w->bus_client = bus_client_new(as, fed_endpoint_request(w->f), "federation", &handler, w, &err);
    assert_int_equal(err, 0);
    UNTIL(w->loop, bus_client_is_up(w->bus_client));
}

static inline void fed_lyon_connect(struct fed_world *w)
{
    fed_connect(w, w->lyon.p.bus);
}

static inline int fed_teardown(void **state)
{
    struct fed_world *w = *state;
    char command[128];

    bus_client_destroy(&w->bus_client);
    if (w->raw)
        zmq_close(w->raw);
    buf_free(&w->wire);
    fed_destroy(&w->f);
    if (w->p.bus)
        process_end(&w->p);
    bus_server_destroy(&w->state.server);
    snapshots_destroy(&w->snapshots);
    fed_side_stop(&w->state);
    fed_side_stop(&w->lyon);
    keystore_destroy(&w->lyon.keys.allowed);
    xod_destroy(&w->xod);
    config_destroy(&w->cfg);
    loop_destroy(&w->loop);
    log_destroy(&w->log);
    close(w->log_fd[0]);
    close(w->log_fd[1]);
    snprintf(command, sizeof(command), "rm -rf %s", w->dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a folder of our own */
    free(w);
    return 0;
}

/* Has this been logged? */
static inline bool fed_logged(struct fed_world *w, const char *what)
{
    size_t at = strlen(w->text);
    ssize_t n;

    assert_true(log_flush(w->log, 10000));
    n = read(w->log_fd[0], w->text + at, sizeof(w->text) - 1 - at);
    if (n > 0)
        w->text[at + (size_t)n] = '\0';
    return strstr(w->text, what) != NULL;
}

/* ---- questions ---- */

struct fed_answer {
    int n; /* answers; of a snapshot one a chunk */
    bool done;
    enum bus_status status;
    struct buf bytes; /* the bodies, packed */
    char error[64];   /* error_string, or why */
};

static inline void fed_on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct fed_answer *a = arg;
    struct view error = msg_get_str(body, "error_string");

    a->n++;
    a->status = status;
    a->done = status != BUS_more;
    if (error.len == 0)
        error = msg_get_str(body, "why");
    snprintf(a->error, sizeof(a->error), "%.*s", VIEW_ARG(error));
    if (body)
        msg_put_object(&a->bytes, body);
}

#endif
