/* What another site tells of itself (the request peer.apply, one body after the other, each with
 * its length in two bytes before it): it changes only that site's objects, and no more than may be.
 */
#include <stdlib.h>

#include "core/context.h"
#include "federation/peers.h"
#include "support/whole_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONFIG                                                                                     \
    "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","         \
    "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"                        \
    "\"urllist_users\":[\"file:users.json\"]}},\"far\":{\"peer\":{\"request\":\"tcp://"            \
    "127.0.0.1:1\","                                                                               \
    "\"publish\":\"tcp://127.0.0.1:2\",\"publickey\":\"x\"}}}}"

struct world {
    struct state_world s;
    struct process p;
    struct bus_client *bus_client;
    struct bus_peer *peer;
    struct xod_ipbx *far;
    struct msg_doc doc;
    size_t ours;
    int ups;
};

static void on_up(void *arg, const msgpack_object *body)
{
    ((struct world *)arg)->ups++;
}

/* As state would get it. */
static void apply(struct world *w, struct view body)
{
    if (msg_parse(&w->doc, body) == 0)
        peers_apply(w->s.s, w->peer, 1, &w->doc.root);
}

static void enlist(struct world *w)
{
    struct buf body;

    buf_init(&body, 0);
    msg_put_map(&body, 3);
    msg_put_pair(&body, "kind", VIEW("peer"));
    msg_put_pair(&body, "ipbx", VIEW("far"));
    msg_put_pair(&body, "link", VIEW("up"));
    if (msg_parse(&w->doc, buf_view(&body)) < 0)
        abort();
    peers_register(w->s.s, w->peer, 1, &w->doc.root);
    buf_free(&body);
}

static size_t count(const struct xod_ipbx *site)
{
    size_t n = 0;

    for (int list = 0; list < LIST_COUNT; list++)
        n += xod_count(site, (enum xod_list)list);
    return n;
}

static struct world *world(void)
{
    static const struct bus_client_handler handler = {on_up, NULL, NULL};
    static struct world *w;
    size_t pos = 0;
    int err = 0;

    if (w)
        return w;
    w = calloc(1, sizeof(*w));
    strcpy(w->s.dir, "/tmp/ctibus-peers-XXXXXX");
    if (!mkdtemp(w->s.dir))
        abort();
    state_write(&w->s, "ctibus.json", CONFIG);
    state_write(&w->s, "users.json", STATE_USERS);
    w->s.loop = loop_new();
    w->s.cfg = state_config(&w->s);
    if (state_start(&w->s, NULL, NULL, NULL) < 0 || msg_doc_init(&w->doc) < 0)
        abort();
    w->s.p.bus->gone_ms = 1 << 30; /* it says nothing for as long as the fuzzer runs */
    w->p = process_start(w->s.loop, "federation@test", "federation", NULL);
    w->bus_client =
        bus_client_new(w->p.bus, state_endpoint_request(w->s.s), "federation", &handler, w, &err);
    while (w->ups == 0)
        loop_once(w->s.loop, 5);
    w->peer = bus_server_next(w->s.s->server, &pos);
    w->far = xod_ipbx(state_xod(w->s.s), VIEW("far"), false);
    if (!w->peer || !w->far)
        abort();
    enlist(w);
    w->ours = count(w->s.ipbx);
    return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = world();

    while (size >= 2) {
        size_t n = (size_t)data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        if (n > size)
            n = size;
        apply(w, view_of(data, n));
        data += n;
        size -= n;
    }
    if (count(w->s.ipbx) != w->ours)
        abort();
    loop_once(w->s.loop, 0);
    return 0;
}
