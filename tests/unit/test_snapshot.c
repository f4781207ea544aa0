/* The snapshot that state sends: whole, in part, and while everything changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/context.h"
#include "replica/replica.h"
#include "replica/wire.h"
#include "support/whole_state.h"

struct world {
    struct state_world s;
    struct process gw;
    struct bus_client *bus_client;
    struct replica *r;
    struct xod *x; /* what was asked for by hand */
    int ups, answers, chunks, ready;
    bool brief, says_brief;
    size_t fields; /* of all objects that came */
    enum bus_status status;
};

static void on_up(void *arg, const msgpack_object *body)
{
    struct world *w = arg;

    w->ups++;
    if (w->r)
        replica_state_up(w->r);
}

static void on_change(void *arg, const struct xod_change *c)
{
}

static void on_ready(void *arg)
{
    ((struct world *)arg)->ready++;
}

static const struct bus_client_handler asker_handler = {on_up, NULL, NULL};
static const struct replica_handler replica_handler = {on_change, on_ready, NULL, NULL};

static int setup_with(void **state, uint32_t settle_ms)
{
    struct world *w = calloc(1, sizeof(*w));
    int err = 0;

    *state = w;
    w->s.settle_ms = settle_ms;
    if (state_setup(&w->s) < 0)
        return -1;
    w->x = xod_new();
    w->gw = process_start(w->s.loop, "gw", "gw", NULL);
    w->bus_client =
        bus_client_new(w->gw.bus, state_endpoint_request(w->s.s), "gw", &asker_handler, w, &err);
    for (int i = 0; i < 2000 && !w->ups; i++)
        loop_once(w->s.loop, 5);
    return w->ups ? 0 : -1;
}

static int setup(void **state)
{
    return setup_with(state, 0);
}

/* It has not settled when the test begins, however busy the machine is. */
static int setup_slow(void **state)
{
    return setup_with(state, 5000);
}

static int teardown(void **state)
{
    struct world *w = *state;

    replica_destroy(&w->r);
    bus_client_destroy(&w->bus_client);
    process_end(&w->gw);
    xod_destroy(&w->x);
    state_teardown(&w->s);
    free(w);
    return 0;
}

static void on_chunk(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct world *w = arg;
    const msgpack_object *objects = msg_get(body, "objects");
    struct xod_obj *o;

    w->status = status;
    w->answers += status != BUS_more;
    w->chunks++;
    for (uint32_t i = 0; objects && i < objects->via.array.size; i++) {
        wire_read_object(w->x, &objects->via.array.ptr[i], false, &o);
        w->fields += objects->via.array.ptr[i].via.array.ptr[3].via.map.size;
    }
    w->says_brief = msg_get_bool(body, "brief", false);
    xod_commit(w->x, NULL, NULL);
}

static void ask(struct world *w, const char *list, const char *id)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    w->fields = 0;
    if (w->brief) {
        msg_put_cstr(&pairs, "brief");
        msg_put_bool(&pairs, true);
    }
    if (list)
        msg_put_pair(&pairs, "list", view_cstr(list));
    if (id)
        msg_put_pair(&pairs, "id", view_cstr(id));
    w->answers = 0;
    bus_ask(w->bus_client, METHOD_snapshot, w->brief + (list != NULL) + (id != NULL),
            buf_view(&pairs), 10000, on_chunk, w);
    buf_free(&pairs);
    UNTIL(w->s.loop, w->answers == 1);
}

static size_t count(struct world *w, enum xod_list list)
{
    struct xod_ipbx *s = xod_ipbx(w->x, VIEW("xivo"), false);

    return s ? xod_count(s, list) : 0;
}

static void the_whole_comes_when_state_has_settled(void **state)
{
    struct world *w = *state;

    assert_false(state_is_ready(w->s.s, NULL));
    ask(w, NULL, NULL);
    assert_true(state_is_ready(w->s.s, NULL));
    assert_int_equal(w->status, BUS_ok);
    assert_int_equal(count(w, LIST_users), 5);
    assert_int_equal(count(w, LIST_phones), 2);
    assert_int_equal(count(w, LIST_ipbx), 1);
}

static void a_list_or_one_object_can_be_asked_for(void **state)
{
    struct world *w = *state;

    ask(w, "users", "1");
    assert_int_equal(count(w, LIST_users), 1);
    ask(w, "phones", NULL);
    assert_int_equal(count(w, LIST_phones), 2);
    assert_int_equal(count(w, LIST_ipbx), 0);
    ask(w, "users", "nobody");
    assert_int_equal(w->status, BUS_ok);
    ask(w, "nosuchlist", NULL);
    assert_int_equal(w->status, BUS_not_found);
}

static void a_brief_one_leaves_out_what_was_never_set(void **state)
{
    struct world *w = *state;
    const struct xod_obj *phone;

    ask(w, "phones", NULL);
    assert_false(w->says_brief);
    assert_int_equal(w->fields, 2 * schema_list(LIST_phones)->n_fields);
    w->brief = true;
    xod_destroy(&w->x);
    w->x = xod_new();
    ask(w, "phones", NULL);
    assert_true(w->says_brief);
    assert_in_range(w->fields, 2, 2 * schema_list(LIST_phones)->n_fields - 2);
    assert_int_equal(count(w, LIST_phones), 2);
    for (size_t pos = 0; (phone = xod_next(w->s.ipbx, LIST_phones, &pos));)
        for (unsigned f = 0; f < schema_list(LIST_phones)->n_fields; f++)
            assert_true(
                value_eq(xod_get(phone, f), xod_get(xod_find(xod_ipbx(w->x, VIEW("xivo"), false),
                                                             LIST_phones, xod_obj_id(phone)),
                                                    f)));
}

static void many_objects_come_in_chunks(void **state)
{
    struct world *w = *state;
    char id[16];

    for (int i = 0; i < 2000; i++) {
        snprintf(id, sizeof(id), "c%d", i);
        xod_add(w->s.ipbx, LIST_channels, view_cstr(id));
    }
    state_commit(w->s.s, false);
    ask(w, NULL, NULL);
    assert_in_range(w->chunks, 7, 20);
    assert_int_equal(count(w, LIST_channels), 2000);
}

struct taker {
    struct world *w;
    struct taker *next; /* asks when the first chunk is there */
    struct xod *x;
    int chunks, answers;
};

static void take(struct taker *t);

static void on_taken(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct taker *t = arg;
    const msgpack_object *objects = msg_get(body, "objects");
    struct xod_obj *o;

    for (uint32_t i = 0; objects && i < objects->via.array.size; i++)
        wire_read_object(t->x, &objects->via.array.ptr[i], false, &o);
    xod_commit(t->x, NULL, NULL);
    t->answers += status == BUS_ok;
    if (t->chunks++ == 0 && t->next)
        take(t->next);
}

static void take(struct taker *t)
{
    t->x = xod_new();
    assert_true(
        bus_ask(t->w->bus_client, METHOD_snapshot, 0, view_of(NULL, 0), 10000, on_taken, t));
}

/* They catch up with each other and then get the same chunks; each has all of it in the end. */
static void those_who_ask_one_after_the_other_all_get_the_whole(void **state)
{
    struct taker t[4] = {0};
    char id[16];

    for (int i = 0; i < 4; i++)
        t[i] = (struct taker){.w = *state, .next = i < 3 ? &t[i + 1] : NULL};
    for (int i = 0; i < 3000; i++) {
        snprintf(id, sizeof(id), "c%d", i);
        xod_add(t[0].w->s.ipbx, LIST_channels, view_cstr(id));
    }
    state_commit(t[0].w->s.s, false);
    take(&t[0]);
    for (int i = 0; i < 4; i++) {
        struct xod_ipbx *ipbx;
        UNTIL(t[i].w->s.loop, t[i].answers == 1);
        ipbx = xod_ipbx(t[i].x, VIEW("xivo"), false);
        assert_int_equal(xod_count(ipbx, LIST_channels), 3000);
        assert_int_equal(xod_count(ipbx, LIST_users), 5);
        assert_in_range(t[i].chunks, 12, 30);
    }
    for (int i = 0; i < 4; i++)
        xod_destroy(&t[i].x);
}

static void a_replica_follows_the_real_state(void **state)
{
    struct world *w = *state;
    struct xod_obj *c;
    char id[16];
    int err = 0;

    w->r = replica_new(w->gw.bus, w->s.loop, state_endpoint_subscribe(w->s.s), w->bus_client,
                       &replica_handler, w, NULL, &err);
    replica_state_up(w->r);
    for (int i = 0; !w->ready || i < 3000; i++) {
        snprintf(id, sizeof(id), "c%d", i % 700);
        c = xod_find(w->s.ipbx, LIST_channels, view_cstr(id));
        if (c)
            xod_del(c);
        else
            xod_add(w->s.ipbx, LIST_channels, view_cstr(id));
        state_commit(w->s.s, false);
        loop_once(w->s.loop, 0);
    }
    UNTIL(w->s.loop, replica_seq(w->r) == bus_pub_seq(w->s.s->pub, VIEW("xod")));
    for (int i = 0; i < 700; i++) {
        snprintf(id, sizeof(id), "c%d", i);
        assert_int_equal(xod_find(w->s.ipbx, LIST_channels, view_cstr(id)) != NULL,
                         xod_find(xod_ipbx(replica_xod(w->r), VIEW("xivo"), false), LIST_channels,
                                  view_cstr(id)) != NULL);
    }
    assert_int_equal(replica_healed_total(w->r), 0);
}

static void a_peer_that_goes_takes_its_snapshot_along(void **state)
{
    struct world *w = *state;

    w->s.p.bus->gone_ms = 200;
    bus_ask(w->bus_client, METHOD_snapshot, 0, view_of(NULL, 0), 10000, NULL, NULL);
    run_for(w->s.loop, 50);
    bus_client_destroy(&w->bus_client);
    UNTIL(w->s.loop, state_is_ready(w->s.s, NULL)); /* and nothing is sent to who is not there */
    run_for(w->s.loop, 50);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_whole_comes_when_state_has_settled, setup_slow,
                                        teardown),
        T(a_list_or_one_object_can_be_asked_for),
        T(a_brief_one_leaves_out_what_was_never_set),
        T(many_objects_come_in_chunks),
        T(those_who_ask_one_after_the_other_all_get_the_whole),
        T(a_replica_follows_the_real_state),
        T(a_peer_that_goes_takes_its_snapshot_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
