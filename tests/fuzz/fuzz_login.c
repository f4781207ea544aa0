/* A client of a whole cti-gw, before the login or (first byte odd) behind it: the steps of the
 * login and the dispatch of every message. State is played here: it answers what it is asked, and
 * knows a user and a phone. */
#include <errno.h>
#include <stdlib.h>

#include "fuzz/socket.h"
#include "gateway.h"
#include "replica/serve.h"
#include "support/bus.h"
#include "xod/xod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAPAS                                                                                      \
    "{\"regcommands\":{\"0\":1},\"ipbxcommands\":{},\"preferences\":{},\"userstatus\":{},"         \
    "\"phonestatus\":{},\"services\":[]}"

struct world {
    struct loop *loop;
    struct process state, gw;
    struct bus_forwarder *forwarder;
    struct bus_pub *pub;
    struct bus_server *server;
    struct xod *xod;
    struct snapshots *snapshots;
    struct gateway *gateway;
};

/* ---- state ---- */

static uint64_t seq(void *arg)
{
    return 0;
}

static bool ready(void *arg)
{
    return true;
}

static void put_list(struct buf *out, const char *key, const char *item)
{
    msg_put_cstr(out, key);
    msg_put_array(out, 1);
    msg_put_cstr(out, item);
}

static void answer(struct world *w, struct bus_peer *p, uint64_t id, enum bus_method method)
{
    struct buf out;

    buf_init(&out, 0);
    msg_put_map(&out, 8);
    msg_put_pair(&out, "sessionid", VIEW("0123456789"));
    msg_put_pair(&out, "ipbxid", VIEW("xivo"));
    msg_put_pair(&out, "userid", VIEW("1"));
    put_list(&out, "capalist", "client");
    msg_put_pair(&out, "appliname", VIEW("Client"));
    msg_put_pair(&out, "capaxlets", VIEW("[]"));
    msg_put_pair(&out, "capas", view_cstr(CAPAS));
    msg_put_pair(&out, "presence", VIEW("available"));
    bus_server_reply(w->server, p, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

static void on_request(void *arg, struct bus_peer *p, uint64_t id, enum bus_method method,
                       const msgpack_object *body)
{
    struct world *w = arg;

    if (method == METHOD_snapshot)
        snapshots_ask(w->snapshots, p, id, body);
    else
        answer(w, p, id, method);
}

static void open_state(struct world *w)
{
    static const struct bus_server_handler handler = {on_request, NULL, NULL};
    static const struct snapshot_source source = {seq, ready, NULL, NULL};
    struct xod_ipbx *ipbx;
    int err = 0;

    w->state = process_start(w->loop, "state@test", "state", NULL);
    w->forwarder =
        bus_forwarder_new(w->state.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    w->pub = bus_pub_new(w->state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    w->server =
        bus_server_new(w->state.bus, "tcp://127.0.0.1:*", NULL, "xivo", &handler, w, w->pub, &err);
    w->xod = xod_new();
    ipbx = xod_ipbx(w->xod, VIEW("xivo"), true);
    xod_add(ipbx, LIST_ipbx, VIEW("xivo"));
    xod_set_str(xod_add(ipbx, LIST_users, VIEW("1")), XOD(users, fullname), VIEW("Alice"));
    xod_set_str(xod_add(ipbx, LIST_phones, VIEW("11")), XOD(phones, number), VIEW("1001"));
    w->snapshots = snapshots_new(w->loop, w->server, w->xod, &source, w);
    if (err < 0 || !w->snapshots)
        abort();
}

static struct world *world(void)
{
    static const char *const sites[] = {"xivo", NULL};
    static struct world *w;
    struct gateway_options opt = {.messages = &cti_messages,
                                  .listen = {"127.0.0.1:0", NULL, NULL},
                                  .ipbxes = sites,
                                  .max_line = 262144,
                                  .max_output = 4 << 20,
                                  .max_clients = 100,
                                  .max_logins = 100,
                                  .max_logins_per_address = 100,
                                  .limits = {.login_timeout_ms = 5000},
                                  .fax = {"/nonexistent", "/bin/false", 1 << 20}};
    int err = 0;

    if (w)
        return w;
    w = calloc(1, sizeof(*w));
    w->loop = loop_new();
    open_state(w);
    w->gw = process_start(w->loop, "cti-gw@test", "cti-gw", NULL);
    opt.subscribe = bus_forwarder_subscribe(w->forwarder);
    opt.publish = bus_forwarder_publish(w->forwarder);
    opt.request = bus_server_endpoint(w->server);
    w->gateway = gateway_new(w->loop, w->gw.bus, &opt, w->gw.metrics, NULL, &err);
    if (!w->gateway)
        abort();
    while (!gateway_is_ready(w->gateway, NULL))
        loop_once(w->loop, 5);
    return w;
}

/* ---- a client ---- */

static const char login[] =
    "{\"class\":\"login_id\",\"userlogin\":\"alice\",\"company\":\"xivo\",\"ident\":\"X11-LE-1\","
    "\"xivoversion\":\"1.2\",\"version\":\"9999\"}\n"
    "{\"class\":\"login_pass\",\"hashedpassword\":\"x\"}\n"
    "{\"class\":\"login_capas\",\"capaid\":\"client\",\"state\":\"available\",\"loginkind\":"
    "\"user\",\"lastconnwins\":false}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = world();
    uint8_t *all;
    size_t before;
    int fd;

    if (size == 0)
        return 0;
    before = data[0] & 1 ? sizeof(login) - 1 : 0;
    all = malloc(before + size);
    if (!all)
        abort();
    memcpy(all, login, before);
    memcpy(all + before, data + 1, size - 1);
    fd = socket_to(gateway_port(w->gateway, LISTENER_CLEAR));
    socket_talk(w->loop, fd, all, before + size - 1);
    close(fd);
    loop_once(w->loop, 0);
    free(all);
    return 0;
}
