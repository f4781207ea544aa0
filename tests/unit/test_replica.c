/* A replica against a state that is played here: whatever happens on the way, its store becomes
 * that of the source, and only what differs is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "replica/replica.h"
#include "replica/wire.h"
#include "support/bus.h"

#define HINT XOD(phones, hintstatus)
#define ORDER XOD(phones, rules_order)

struct world {
    struct loop *loop;
    /* state */
    struct process state;
    struct bus_forwarder *fwd;
    struct bus_pub *pub;
    struct bus_server *server;
    struct bus_heartbeat *heart;
    struct loop_task *task;
    struct xod *x;
    struct xod_ipbx *ipbx;
    struct bus_peer *peer;
    uint64_t request;
    enum xod_list list; /* where the snapshot stands */
    size_t pos, chunk;
    struct buf topic, body, objects;
    int snapshots;
    bool older; /* it knows nothing of brief snapshots */
    bool brief;
    bool lose; /* numbers are used up, nothing arrives */
    uint64_t random;
    int changes_before, changes_per_chunk; /* made before a snapshot, and between its chunks */
    /* the replica */
    struct process gw;
    struct bus_client *bus_client;
    struct replica *r;
    int told, ready;
    char last[128];
    uint64_t reached;
    int64_t clock; /* the highest value of phone "clock" that was told */
};

/* ---- the source ---- */

static void send_plane(struct world *w, const struct xod_change *c, enum xod_plane plane)
{
    uint64_t mask = schema_plane_mask(xod_obj_list(c->obj), plane);

    if (!(c->fields & mask))
        return;
    buf_reset(&w->topic);
    buf_reset(&w->body);
    wire_topic(&w->topic, c->obj, plane);
    wire_change(&w->body, c->op, c->obj, c->fields & mask, &(struct wire_cause){0});
    if (w->lose) { /* a topic that every reader refuses */
        buf_reset(&w->topic);
        buf_printf(&w->topic, "xod/%02000d/", 0);
    }
    assert_int_equal(bus_pub_send(w->pub, buf_view(&w->topic), buf_view(&w->body)), 0);
}

static void publish(void *arg, const struct xod_change *c)
{
    send_plane(arg, c, PLANE_CONFIG);
    send_plane(arg, c, PLANE_STATUS);
}

static uint64_t dice(struct world *w, uint64_t sides)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (w->random >> 33) % sides;
}

static void change_something(struct world *w)
{
    char id[16];
    char hint[16];
    struct xod_obj *o;

    snprintf(id, sizeof(id), "%u", (unsigned)dice(w, 300));
    snprintf(hint, sizeof(hint), "%u", (unsigned)dice(w, 9));
    o = xod_find(w->ipbx, LIST_phones, view_cstr(id));
    if (!o)
        xod_set_str(xod_add(w->ipbx, LIST_phones, view_cstr(id)), HINT, view_cstr(hint));
    else if (dice(w, 10) == 0)
        xod_del(o);
    else
        xod_set_str(o, HINT, view_cstr(hint));
    o = xod_add(w->ipbx, LIST_phones, VIEW("clock"));
    xod_set_int(o, ORDER, value_truth(xod_get(o, ORDER)) ? xod_get(o, ORDER)->i + 1 : 1);
    xod_commit(w->x, publish, w);
}

static void set_hint(struct world *w, const char *id, const char *hint)
{
    xod_set_str(xod_add(w->ipbx, LIST_phones, view_cstr(id)), HINT, view_cstr(hint));
    xod_commit(w->x, publish, w);
}

/* One chunk a turn, with changes in between. */
static void send_chunk(void *arg)
{
    struct world *w = arg;
    struct xod_obj *o = NULL;
    size_t n = 0;

    if (!w->peer)
        return;
    buf_reset(&w->objects);
    while (n < w->chunk && w->list < LIST_COUNT) {
        o = xod_next(w->ipbx, w->list, &w->pos);
        if (!o) {
            w->list++;
            w->pos = 0;
            continue;
        }
        wire_object(&w->objects, o, w->brief ? xod_set_fields(o) : UINT64_MAX);
        n++;
    }
    buf_reset(&w->body);
    msg_put_map(&w->body, 2 + w->brief);
    msg_put_pair_u64(&w->body, "seq", bus_pub_seq(w->pub, VIEW("xod")));
    if (w->brief) {
        msg_put_cstr(&w->body, "brief");
        msg_put_bool(&w->body, true);
    }
    msg_put_cstr(&w->body, "objects");
    msg_put_array(&w->body, n);
    buf_append_view(&w->body, buf_view(&w->objects));
    bus_server_reply(w->server, w->peer, w->request, w->list < LIST_COUNT ? BUS_more : BUS_ok,
                     buf_view(&w->body));
    for (int i = 0; i < w->changes_per_chunk; i++)
        change_something(w);
    if (w->list < LIST_COUNT)
        loop_task_post(w->task);
}

static void on_request(void *arg, struct bus_peer *peer, uint64_t id, enum bus_method method,
                       const msgpack_object *body)
{
    struct world *w = arg;

    assert_int_equal(method, METHOD_snapshot);
    w->snapshots++;
    w->brief = !w->older && msg_get_bool(body, "brief", false);
    for (int i = 0; i < w->changes_before; i++)
        change_something(w);
    w->peer = peer;
    w->request = id;
    w->list = 0;
    w->pos = 0;
    loop_task_post(w->task);
}

static const struct bus_server_handler server_handler = {on_request, NULL, NULL};

static int start_state(struct world *w, const char *publish_at, const char *subscribe,
                       const char *request)
{
    int err = 0;

    w->state = process_start(w->loop, "state@test", "state", NULL);
    w->fwd = bus_forwarder_new(w->state.bus, publish_at, subscribe, NULL, &err);
    if (w->fwd)
        w->pub = bus_pub_new(w->state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    if (w->pub)
        w->server =
            bus_server_new(w->state.bus, request, NULL, "s", &server_handler, w, w->pub, &err);
    return err;
}

static void stop_state(struct world *w)
{
    bus_heartbeat_destroy(&w->heart);
    bus_server_destroy(&w->server);
    bus_pub_destroy(&w->pub);
    bus_forwarder_destroy(&w->fwd);
    process_end(&w->state);
    w->peer = NULL;
}

/* ---- the replica ---- */

static void on_change(void *arg, const struct xod_change *c)
{
    struct world *w = arg;

    w->told++;
    snprintf(w->last, sizeof(w->last), "%d %.*s", c->op, VIEW_ARG(xod_obj_id(c->obj)));
    if (c->op != XOD_DEL && view_eq(xod_obj_id(c->obj), VIEW("clock"))) {
        int64_t now = xod_get(c->obj, ORDER)->type == V_INT ? xod_get(c->obj, ORDER)->i : 0;
        assert_true(now >= w->clock); /* never back in time */
        w->clock = now;
    }
}

static void on_ready(void *arg)
{
    ((struct world *)arg)->ready++;
}

static void on_reached(void *arg, uint64_t seq)
{
    ((struct world *)arg)->reached = seq;
}

static void on_up(void *arg, const msgpack_object *body)
{
    struct world *w = arg;

    if (w->r)
        replica_state_up(w->r);
}

static const struct replica_handler replica_handler = {on_change, on_ready, on_reached, NULL};
static const struct bus_client_handler asker_handler = {on_up, NULL, NULL};

static void start_replica(struct world *w)
{
    int err = 0;

    w->gw = process_start(w->loop, "gw@test", "gw", NULL);
    w->bus_client =
        bus_client_new(w->gw.bus, bus_server_endpoint(w->server), "gw", &asker_handler, w, &err);
    w->r = replica_new(w->gw.bus, w->loop, bus_forwarder_subscribe(w->fwd), w->bus_client,
                       &replica_handler, w, NULL, &err);
    assert_int_equal(err, 0);
}

static bool current(struct world *w)
{
    return w->ready && replica_seq(w->r) == bus_pub_seq(w->pub, VIEW("xod"));
}

static void assert_same(struct world *w)
{
    struct xod_ipbx *copy = xod_ipbx(replica_xod(w->r), VIEW("xivo"), false);

    assert_non_null(copy);
    for (int l = 0; l < LIST_COUNT; l++) {
        enum xod_list list = (enum xod_list)l;
        struct xod_obj *o;
        size_t pos = 0;
        assert_int_equal(xod_count(copy, list), xod_count(w->ipbx, list));
        while ((o = xod_next(w->ipbx, list, &pos))) {
            struct xod_obj *c = xod_find(copy, list, xod_obj_id(o));
            assert_non_null(c);
            for (unsigned f = 0; f < schema_list(list)->n_fields; f++)
                assert_true(value_eq(xod_get(o, f), xod_get(c, f)));
        }
    }
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    w->loop = loop_new();
    w->task = loop_task_new(w->loop, send_chunk, w);
    w->x = xod_new();
    w->ipbx = xod_ipbx(w->x, VIEW("xivo"), true);
    w->chunk = 20;
    buf_init(&w->topic, 0);
    buf_init(&w->body, 0);
    buf_init(&w->objects, 0);
    *state = w;
    if (start_state(w, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "tcp://127.0.0.1:*") < 0)
        return -1;
    for (int i = 0; i < 500; i++)
        change_something(w);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    replica_destroy(&w->r);
    bus_client_destroy(&w->bus_client);
    process_end(&w->gw);
    stop_state(w);
    loop_task_destroy(&w->task);
    xod_destroy(&w->x);
    buf_free(&w->topic);
    buf_free(&w->body);
    buf_free(&w->objects);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

/* ---- joining ---- */

static void a_replica_becomes_a_copy_and_stays_one(void **state)
{
    struct world *w = *state;

    start_replica(w);
    UNTIL(w->loop, current(w));
    assert_same(w);
    assert_int_equal(w->told, xod_count(w->ipbx, LIST_phones)); /* each added once */
    w->told = 0;
    set_hint(w, "5", "77");
    UNTIL(w->loop, current(w));
    assert_int_equal(w->told, 1);
    assert_int_equal(w->reached, replica_seq(w->r));
    assert_same(w);
    assert_int_equal(w->snapshots, 1);
    assert_int_equal(replica_healed_total(w->r), 0);
}

static void an_empty_source_is_copied_too(void **state)
{
    struct world *w = *state;
    struct xod_obj *o;

    for (size_t pos = 0; (o = xod_next(w->ipbx, LIST_phones, &pos));)
        xod_del(o);
    xod_commit(w->x, publish, w);
    start_replica(w);
    UNTIL(w->loop, current(w));
    assert_int_equal(w->told, 0);
}

static void count_message(void *arg, const struct bus_msg *m)
{
    ++*(int *)arg;
}

static void joining_in_a_burst_loses_nothing(void **state)
{
    static const struct bus_sub_handler counter = {count_message, NULL};
    struct world *w = *state;
    int seen = 0, err = 0;
    struct bus_sub *all = bus_sub_new(w->state.bus, BUS_INPROC_SUBSCRIBE, &counter, &seen, &err);
    uint64_t first;

    bus_sub_follow(all, VIEW("xod"));
    bus_sub_add(all, VIEW("xod/"));
    UNTIL(w->loop, bus_pub_wanted(w->pub, VIEW("xod/")));
    first = bus_pub_seq(w->pub, VIEW("xod"));
    while (bus_pub_seq(w->pub, VIEW("xod")) - first < 500000) {
        if (!w->r && bus_pub_seq(w->pub, VIEW("xod")) - first > 50000)
            start_replica(w);
        for (int i = 0; i < 200; i++)
            change_something(w);
        loop_once(w->loop, 0);
    }
    assert_non_null(w->r);
    UNTIL_MS(w->loop, current(w), 60000);
    UNTIL(w->loop, counted(w->state.bus->counts.received) ==
                       counted(w->state.bus->counts.published) - (int)first);
    assert_same(w);
    assert_int_equal(counted(w->state.bus->counts.dropped), 0);
    assert_int_equal(bus_sub_lost(all), 0);
    assert_int_equal(bus_sub_lost(replica_sub(w->r)), 0);
    assert_int_equal(w->snapshots, 1);
    bus_sub_destroy(&all);
}

static void changes_between_the_chunks_are_not_lost(void **state)
{
    struct world *w = *state;

    for (int round = 1; round <= 20; round++) {
        w->random += 7919;
        w->chunk = (size_t)round;
        w->changes_per_chunk = 13;
        start_replica(w);
        for (int i = 0; i < 300; i++)
            change_something(w); /* on their way while it joins */
        UNTIL(w->loop, w->ready);
        w->changes_per_chunk = 0;
        UNTIL(w->loop, current(w));
        assert_same(w);
        replica_destroy(&w->r);
        bus_client_destroy(&w->bus_client);
        process_end(&w->gw);
        w->ready = 0;
        w->clock = 0;
    }
    start_replica(w);
}

static void what_is_older_than_the_snapshot_is_not_told(void **state)
{
    struct world *w = *state;

    w->chunk = 10000;
    w->changes_before = 5000; /* still on their way when the snapshot is there */
    start_replica(w);
    UNTIL(w->loop, w->ready);
    assert_true(w->clock > 5000);
    UNTIL(w->loop, current(w));
    assert_int_equal(w->told, xod_count(w->ipbx, LIST_phones));
    assert_same(w);
}

/* ---- healing ---- */

static void a_gap_heals_and_only_the_difference_is_told(void **state)
{
    struct world *w = *state;

    set_hint(w, "5", "1");
    set_hint(w, "6", "1");
    start_replica(w);
    UNTIL(w->loop, current(w));
    for (int round = 1; round <= 2; round++) { /* the first: right behind the snapshot */
        w->told = 0;
        w->lose = true;
        set_hint(w, "5", round == 1 ? "8" : "9");
        w->lose = false;
        set_hint(w, "6", round == 1 ? "8" : "9"); /* shows the gap */
        UNTIL(w->loop, w->ready == 1 + round);
        assert_int_equal(w->told, 2);
        assert_same(w);
        assert_int_equal(replica_healed_total(w->r), round);
        set_hint(w, "7", round == 1 ? "8" : "9");
        UNTIL(w->loop, current(w));
    }
    assert_int_equal(w->snapshots, 3);
    assert_int_equal(bus_sub_lost(replica_sub(w->r)), 1);
}

/* A brief snapshot does not name it; that of an older state names all. */
static void what_was_cleared_in_a_gap_is_cleared(void **state)
{
    struct world *w = *state;

    for (int older = 0; older < 2; older++) {
        w->older = older;
        set_hint(w, "5", "1");
        if (!older)
            start_replica(w);
        UNTIL(w->loop, current(w));
        w->lose = true;
        xod_reset(xod_find(w->ipbx, LIST_phones, VIEW("5")), HINT);
        xod_commit(w->x, publish, w);
        w->lose = false;
        set_hint(w, "6", older ? "7" : "8");
        UNTIL(w->loop, w->ready == 2 + older);
        assert_true(w->brief == !older);
        assert_same(w);
        UNTIL(w->loop, current(w));
    }
}

static void what_was_deleted_in_a_gap_is_deleted(void **state)
{
    struct world *w = *state;

    set_hint(w, "5", "1");
    start_replica(w);
    UNTIL(w->loop, current(w));
    w->told = 0;
    w->lose = true;
    xod_del(xod_find(w->ipbx, LIST_phones, VIEW("5")));
    xod_commit(w->x, publish, w);
    w->lose = false;
    set_hint(w, "6", "77");
    UNTIL(w->loop, w->ready == 2);
    assert_same(w);
    assert_string_equal(w->last, "2 5");
    assert_int_equal(w->told, 2);
}

static void a_gap_while_the_snapshot_comes_starts_it_over(void **state)
{
    struct world *w = *state;

    w->chunk = 1;
    start_replica(w);
    UNTIL(w->loop, w->snapshots == 1);
    w->lose = true;
    set_hint(w, "5", "8");
    w->lose = false;
    set_hint(w, "6", "8");
    UNTIL(w->loop, w->ready == 1 && w->snapshots == 2);
    assert_same(w);
}

static void a_lost_end_is_noticed_by_the_heartbeat(void **state)
{
    struct world *w = *state;

    w->heart = bus_heartbeat_new(w->state.bus, w->pub, "state", NULL, NULL);
    start_replica(w);
    UNTIL(w->loop, current(w));
    w->lose = true;
    set_hint(w, "5", "77");
    w->lose = false;
    UNTIL(w->loop, w->ready == 2);
    assert_same(w);
}

static void a_restarted_state_is_copied_anew(void **state)
{
    struct world *w = *state;
    char publish_at[64], subscribe[64], request[64];

    start_replica(w);
    UNTIL(w->loop, current(w));
    w->told = 0;
    snprintf(publish_at, sizeof(publish_at), "%s", bus_forwarder_publish(w->fwd));
    snprintf(subscribe, sizeof(subscribe), "%s", bus_forwarder_subscribe(w->fwd));
    snprintf(request, sizeof(request), "%s", bus_server_endpoint(w->server));
    stop_state(w);
    xod_set_str(xod_add(w->ipbx, LIST_phones, VIEW("1000")), HINT, VIEW("1"));
    xod_commit(w->x, NULL, NULL);
    while (start_state(w, publish_at, subscribe, request) < 0) {
        stop_state(w);
        loop_once(w->loop, 5);
    }
    UNTIL(w->loop, w->ready == 2);
    assert_int_equal(w->told, 1);
    assert_string_equal(w->last, "0 1000");
    set_hint(w, "5", "77");
    UNTIL(w->loop, current(w));
    assert_same(w);
}

/* ---- bad input ---- */

static void garbage_changes_nothing(void **state)
{
    static const struct {
        const char *topic;
        struct view body;
    } junk[] = {
        {"xod/xivo/config/phones/5/", VIEW("\xdf\xff\xff\xff\xff")},
        {"xod/xivo/config/phones/5/", VIEW("\x81\xa2op\xa3"
                                           "foo")},
        {"xod/xivo/config/phones/5/", VIEW("\x80")},
        {"xod/xivo/config/phones/5/", VIEW("\x81\xa2op\xa6update")},
        {"xod/xivo/config/phones/5/", VIEW("\x82\xa2op\xa6update\xa6"
                                           "fields\x91\x01")},
        {"xod/xivo/config/phones/5/", VIEW("\x82\xa2op\xa6update\xa6"
                                           "fields\x81\xa6nofeld\x01")},
        {"xod/xivo/status/phones/5/", VIEW("\x82\xa2op\xa6update\xa6"
                                           "fields\x81\xa8"
                                           "channels\x01")},
        {"xod/xivo/config/phones/nobody/", VIEW("\x82\xa2op\xa6update\xa6"
                                                "fields\x80")},
        {"xod/other/config/phones/5/", VIEW("\x81\xa2op\xa3"
                                            "del")},
        {"xod/xivo/config/nolist/5/", VIEW("\x82\xa2op\xa3"
                                           "add\xa6"
                                           "fields\x80")},
        {"xod/xivo/noplane/phones/5/", VIEW("\x82\xa2op\xa3"
                                            "add\xa6"
                                            "fields\x80")},
        {"xod/xivo/config/phones//", VIEW("\x82\xa2op\xa3"
                                          "add\xa6"
                                          "fields\x80")},
        {"xod//config/phones/5/", VIEW("\x82\xa2op\xa3"
                                       "add\xa6"
                                       "fields\x80")},
        {"xod/xivo/config/phones/%zz/", VIEW("\x82\xa2op\xa3"
                                             "add\xa6"
                                             "fields\x80")},
        {"xod/xivo/config/phones/5/6/", VIEW("\x81\xa2op\xa3"
                                             "del")},
        {"xod/xivo/config/", VIEW("\x81\xa2op\xa3"
                                  "del")},
        {"xod/", VIEW("\x81\xa2op\xa3"
                      "del")},
    };
    struct world *w = *state;

    set_hint(w, "5", "1");
    start_replica(w);
    UNTIL(w->loop, current(w));
    w->told = 0;
    for (size_t i = 0; i < ARRAY_SIZE(junk); i++)
        bus_pub_send(w->pub, view_cstr(junk[i].topic), junk[i].body);
    UNTIL(w->loop, current(w));
    assert_int_equal(w->told, 0);
    assert_same(w);
    assert_null(xod_ipbx(replica_xod(w->r), VIEW("other"), false));
    assert_int_equal(w->snapshots, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_replica_becomes_a_copy_and_stays_one),
        T(an_empty_source_is_copied_too),
        T(joining_in_a_burst_loses_nothing),
        T(changes_between_the_chunks_are_not_lost),
        T(what_is_older_than_the_snapshot_is_not_told),
        T(a_gap_heals_and_only_the_difference_is_told),
        T(what_was_cleared_in_a_gap_is_cleared),
        T(what_was_deleted_in_a_gap_is_deleted),
        T(a_gap_while_the_snapshot_comes_starts_it_over),
        T(a_lost_end_is_noticed_by_the_heartbeat),
        T(a_restarted_state_is_copied_anew),
        T(garbage_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
