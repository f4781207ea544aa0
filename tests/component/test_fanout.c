/* What clients are told without asking: of changes (fanout.c), and lines for a user (user_push.c).
 * Who is, when, and in how many blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "internal.h"
#include "support/bus.h"

#define N 3 /* clients */

struct world {
    struct gateway g;
    struct process p;
    struct xod *x;
    struct xod_ipbx *ipbx;
    struct client c[N];
    int fd[N]; /* their ends of the connections */
    char text[N][4096];
};

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    return in.len;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    ((struct client *)owner)->conn = NULL;
}

static void on_change(void *arg, const struct xod_change *c)
{
    fanout_change(((struct world *)arg)->g.fanout, c);
}

static void commit(struct world *w)
{
    xod_commit(w->x, on_change, w);
}

/* A user with a phone of that context, and a client of that user's. */
static void add_person(struct world *w, int i, const char *context)
{
    char id[] = {(char)('1' + i), '\0'}, phone[] = {'p', (char)('1' + i), '\0'};
    struct xod_obj *u = xod_add(w->ipbx, LIST_users, view_cstr(id));
    struct xod_obj *p = xod_add(w->ipbx, LIST_phones, view_cstr(phone));
    struct client *c = &w->c[i];
    int fds[2];

    xod_set_str(p, XOD(phones, context), view_cstr(context));
    xod_set_str(p, XOD(phones, iduserfeatures), view_cstr(id));
    xod_list_add(u, XOD(users, linelist), view_cstr(phone));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    w->fd[i] = fds[1];
    c->gw = &w->g;
    c->ipbx = w->ipbx;
    c->user_id = view_dup(view_cstr(id));
    c->conn = conn_new(&w->g.conns, fds[0], c);
    c->session = (uint64_t)i + 1;
    map_put(w->g.by_session, view_of(&c->session, sizeof(c->session)), c);
    LIST_INSERT_HEAD(&w->g.clients, c, all);
}

static int setup(void **state)
{
    static const struct conn_handler handler = {.data = on_data, .closed = on_closed};
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    w->g.loop = loop_new();
    w->g.opt.limits.separate_contexts = true;
    w->p = process_start(w->g.loop, "cti-gw@test", "cti-gw", NULL);
    w->g.bus = w->p.bus;
    w->g.fanned_lines = metrics_add(w->p.metrics, METRIC_cti_changes, NULL);
    w->g.latency = latency_new(w->p.metrics);
    w->g.by_session = map_new();
    w->g.user_push = user_push_new(&w->g);
    w->g.opt.max_output = 1 << 16;
    buf_init(&w->g.line, 0);
    assert_int_equal(conn_class_init(&w->g.conns, w->g.loop, &handler, 4096, 1 << 20), 0);
    w->g.fanout = fanout_new(&w->g);
    w->x = xod_new();
    w->ipbx = xod_ipbx(w->x, VIEW("xivo"), true);
    for (int i = 0; i < N; i++)
        add_person(w, i, i < 2 ? "office" : "shop");
    xod_commit(w->x, NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < N; i++) {
        fanout_leave(w->g.fanout, &w->c[i]);
        user_push_leave(w->g.user_push, &w->c[i]);
        user_push_forget(&w->c[i]);
        if (w->c[i].conn)
            conn_close(&w->c[i].conn);
        free(w->c[i].user_id);
        close(w->fd[i]);
    }
    fanout_destroy(&w->g.fanout);
    user_push_destroy(&w->g.user_push);
    latency_destroy(&w->g.latency);
    conn_class_fini(&w->g.conns);
    map_destroy(&w->g.by_session);
    buf_free(&w->g.line);
    process_end(&w->p);
    xod_destroy(&w->x);
    loop_destroy(&w->g.loop);
    free(w);
    return 0;
}

static void join(struct world *w, int i)
{
    assert_int_equal(fanout_join(w->g.fanout, &w->c[i]), 0);
    if (!w->c[i].user_sessions)
        assert_int_equal(user_push_join(w->g.user_push, &w->c[i]), 0);
}

/* The user's or phone's field of clients, and what it then is. */
static void change(struct world *w, enum xod_list list, const char *id, unsigned field,
                   const char *value)
{
    xod_set_str(xod_find(w->ipbx, list, view_cstr(id)), field, view_cstr(value));
    commit(w);
}

/* What client i has been told since the last time; one read is one block. */
static const char *told(struct world *w, int i)
{
    ssize_t n;

    for (int turn = 0; turn < 3; turn++)
        loop_once(w->g.loop, 0);
    n = read(w->fd[i], w->text[i], sizeof(w->text[i]) - 1);
    w->text[i][n > 0 ? n : 0] = '\0';
    return w->text[i];
}

static bool says(struct world *w, int i, const char *a, const char *b)
{
    const char *text = told(w, i);
    const char *at = strstr(text, a);

    return at && strstr(at, b);
}

static void a_change_is_told_to_those_who_may_see_it(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < N; i++)
        join(w, i);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    assert_true(says(w, 0, "\"tid\":\"p1\"", "\"hintstatus\":\"8\""));
    assert_string_equal(told(w, 2), "");
    told(w, 1);
    assert_true(strstr(w->text[1], "\"tid\":\"p1\"") != NULL);
    assert_int_equal(counted(w->g.fanned_lines), 2);
    change(w, LIST_phones, "p3", XOD(phones, hintstatus), "2");
    assert_true(says(w, 2, "\"tid\":\"p3\"", "\"hintstatus\":\"2\""));
    assert_string_equal(told(w, 0), "");
    assert_int_equal(counted(w->g.fanned_lines), 3);
}

static void without_separate_contexts_all_see_all(void **state)
{
    struct world *w = *state;

    w->g.opt.limits.separate_contexts = false;
    for (int i = 0; i < N; i++)
        join(w, i);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    for (int i = 0; i < N; i++)
        assert_true(says(w, i, "\"tid\":\"p1\"", "\"hintstatus\":\"8\""));
    assert_int_equal(counted(w->g.fanned_lines), N);
}

/* In their order, when the loop turns and not before. */
static void take_bay(struct xod_obj *lot, const char *bay)
{
    struct value call = {.type = V_MAP};
    struct value parked = {.type = V_NULL};

    value_set_str(&parked, VIEW("SIP/x-1"));
    value_map_put(&call, VIEW("parked"), &parked);
    xod_map_put(lot, XOD(parkinglots, bays), view_cstr(bay), &call);
}

/* Each is a member of the status; one that is free again is told as such, also when it was taken
 * before anybody was there. */
static void bays_are_told_one_by_one(void **state)
{
    struct world *w = *state;
    struct xod_obj *lot = xod_add(w->ipbx, LIST_parkinglots, VIEW("1"));

    w->g.opt.limits.separate_contexts = false;
    take_bay(lot, "701");
    take_bay(lot, "702");
    commit(w);
    join(w, 0);
    xod_map_del(lot, XOD(parkinglots, bays), VIEW("701"));
    xod_map_del(lot, XOD(parkinglots, bays), VIEW("702"));
    take_bay(lot, "703");
    commit(w);
    assert_true(
        says(w, 0, "\"status\":{", "{\"703\":{\"parked\":\"SIP/x-1\"},\"701\":{},\"702\":{}}"));
    xod_map_del(lot, XOD(parkinglots, bays), VIEW("703"));
    commit(w);
    assert_true(says(w, 0, "\"tid\":\"1\"", "\"status\":{\"703\":{}}"));
    xod_del(lot);
    commit(w);
    assert_true(says(w, 0, "delconfig", "\"parkinglots\""));
    lot = xod_add(w->ipbx, LIST_parkinglots, VIEW("1")); /* another of that name */
    commit(w);
    told(w, 0);
    take_bay(lot, "704");
    commit(w);
    assert_true(says(w, 0, "\"tid\":\"1\"", "\"status\":{\"704\":{\"parked\":\"SIP/x-1\"}}"));
}

static void what_happens_in_a_turn_is_told_together(void **state)
{
    struct world *w = *state;

    join(w, 0);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    change(w, LIST_phones, "p2", XOD(phones, hintstatus), "1");
    assert_int_equal(read(w->fd[0], w->text[0], 1), -1);
    assert_true(says(w, 0, "\"tid\":\"p1\"", "\"tid\":\"p2\""));
    assert_string_equal(told(w, 0), "");
}

static void who_joins_is_not_told_what_was_before(void **state)
{
    struct world *w = *state;

    join(w, 0);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    join(w, 1);
    assert_true(says(w, 0, "\"tid\":\"p1\"", "\"hintstatus\":\"8\""));
    assert_string_equal(told(w, 1), "");
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "0");
    assert_true(says(w, 0, "\"tid\":\"p1\"", "\"hintstatus\":\"0\""));
    assert_true(says(w, 1, "\"tid\":\"p1\"", "\"hintstatus\":\"0\""));
}

/* Each is told once, and in order, what came after it joined; before a line of its own, at once. */
static void another_line_comes_behind_the_changes_before_it(void **state)
{
    struct world *w = *state;

    join(w, 0);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    join(w, 1);
    change(w, LIST_phones, "p2", XOD(phones, hintstatus), "1");
    fanout_catch_up(w->g.fanout, &w->c[0]);
    conn_send(w->c[0].conn, VIEW("{answer}"));
    change(w, LIST_phones, "p2", XOD(phones, hintstatus), "4");
    conn_send(w->c[1].conn, VIEW("{answer}")); /* which makes the rest a copy */
    assert_true(says(w, 0, "\"hintstatus\":\"8\"", "\"hintstatus\":\"1\""));
    assert_true(strstr(strstr(w->text[0], "\"hintstatus\":\"1\""), "{answer}") != NULL);
    assert_true(strstr(strstr(w->text[0], "{answer}"), "\"hintstatus\":\"4\"") != NULL);
    assert_null(strstr(strstr(w->text[0], "{answer}"), "\"hintstatus\":\"1\""));
    assert_true(says(w, 1, "{answer}", "\"hintstatus\":\"4\""));
    assert_null(strstr(w->text[1], "\"hintstatus\":\"8\""));
    assert_true(strstr(w->text[1], "\"hintstatus\":\"1\"") != NULL);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "0");
    assert_true(says(w, 0, "\"tid\":\"p1\"", "\"hintstatus\":\"0\""));
    assert_true(says(w, 1, "\"tid\":\"p1\"", "\"hintstatus\":\"0\""));
    assert_null(strstr(w->text[1], "p2"));
}

/* One that joins in between has its part of the block itself, not a copy. */
static void the_end_of_a_block_is_told(void **state)
{
    struct world *w = *state;

    join(w, 0);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    join(w, 1);
    change(w, LIST_phones, "p2", XOD(phones, hintstatus), "1");
    assert_true(says(w, 0, "\"hintstatus\":\"8\"", "\"hintstatus\":\"1\""));
    assert_true(says(w, 1, "{\"class\":\"getlist\"", "\"hintstatus\":\"1\""));
    assert_null(strstr(w->text[1], "p1"));
    assert_int_equal(w->text[1][0], '{');
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "0");
    assert_true(says(w, 1, "\"tid\":\"p1\"", "\"hintstatus\":\"0\""));
}

/* While many join, the next round waits, but not for ever; what is answered meanwhile has the
 * changes before it. */
static void rounds_rest_while_many_join(void **state)
{
    struct world *w = *state;

    join(w, 0);
    w->g.n_live = 40000; /* for a second, the most there is */
    for (int i = 0; i < 20; i++) {
        join(w, 1);
        fanout_leave(w->g.fanout, &w->c[1]);
    }
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    assert_true(says(w, 0, "\"tid\":\"p1\"", "\"hintstatus\":\"8\""));
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "1");
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "0");
    assert_string_equal(told(w, 0), "");
    fanout_catch_up(w->g.fanout, &w->c[0]);
    assert_true(says(w, 0, "\"hintstatus\":\"1\"", "\"hintstatus\":\"0\""));
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "4");
    for (int i = 0; i < 5000 && !says(w, 0, "\"tid\":\"p1\"", "\"hintstatus\":\"4\""); i++)
        loop_once(w->g.loop, 1);
    assert_non_null(strstr(w->text[0], "\"hintstatus\":\"4\""));
}

static void who_leaves_is_told_nothing_more(void **state)
{
    struct world *w = *state;

    join(w, 0);
    join(w, 1);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    fanout_leave(w->g.fanout, &w->c[0]);
    assert_null(w->c[0].audience);
    assert_string_equal(told(w, 0), "");
    assert_true(says(w, 1, "\"tid\":\"p1\"", "\"hintstatus\":\"8\""));
    fanout_leave(w->g.fanout, &w->c[1]);
    fanout_leave(w->g.fanout, &w->c[1]);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "0"); /* to nobody */
    assert_string_equal(told(w, 1), "");
    assert_int_equal(counted(w->g.fanned_lines), 2);
}

/* The others of the old context forget the phone and its user, those of the new one learn of them,
 * and the user sees the new context instead of the old one. */
static void who_moves_sees_another_context(void **state)
{
    struct world *w = *state;
    struct audience *office;

    for (int i = 0; i < N; i++)
        join(w, i);
    office = w->c[1].audience;
    change(w, LIST_phones, "p1", XOD(phones, context), "shop");
    assert_true(says(w, 0, "\"delconfig\"", "\"list\":[\"p2\"]"));
    assert_true(strstr(w->text[0], "\"addconfig\",\"listname\":\"phones\",\"tipbxid\":\"xivo\","
                                   "\"list\":[\"p3\"]") != NULL);
    assert_true(says(w, 1, "\"delconfig\",\"listname\":\"phones\"", "\"list\":[\"p1\"]"));
    assert_true(strstr(w->text[1], "\"delconfig\",\"listname\":\"users\",\"tipbxid\":\"xivo\","
                                   "\"list\":[\"1\"]") != NULL);
    assert_null(strstr(w->text[1], "addconfig"));
    assert_true(says(w, 2, "\"addconfig\",\"listname\":\"phones\"", "\"list\":[\"p1\"]"));
    assert_null(strstr(w->text[2], "delconfig"));
    assert_ptr_equal(w->c[0].audience, w->c[2].audience);
    assert_ptr_equal(w->c[1].audience, office); /* that of another user stays */
    change(w, LIST_phones, "p2", XOD(phones, hintstatus), "8");
    assert_string_equal(told(w, 0), "");
    assert_true(says(w, 1, "\"tid\":\"p2\"", "\"hintstatus\":\"8\""));
}

static void what_comes_and_goes_is_told_by_list(void **state)
{
    struct world *w = *state;
    struct xod_obj *o;

    join(w, 0);
    o = xod_add(w->ipbx, LIST_queues, VIEW("9"));
    xod_set_str(o, XOD(queues, context), VIEW("office"));
    commit(w);
    assert_true(says(w, 0, "\"addconfig\",\"listname\":\"queues\"", "\"list\":[\"9\"]"));
    xod_del(o);
    commit(w);
    assert_true(says(w, 0, "\"delconfig\",\"listname\":\"queues\"", "\"list\":[\"9\"]"));
    xod_add(w->ipbx, LIST_ipbx, VIEW("xivo")); /* a list that clients of XiVO do not know */
    commit(w);
    assert_string_equal(told(w, 0), "");
}

/* Who does not say that it knows the list of calls is told nothing of it; the others are told of
 * those that they see, also of the end, when the channels are gone already. */
static void calls_are_told_to_those_who_know_them(void **state)
{
    struct world *w = *state;
    struct value contexts = {.type = V_LIST};
    struct value moved = {.type = V_LIST};
    struct xod_obj *call;

    w->c[0].accepts = w->c[2].accepts = ACCEPTS_CALLS;
    for (int i = 0; i < N; i++)
        join(w, i);
    call = xod_add(w->ipbx, LIST_calls, VIEW("1.1"));
    value_list_add(&contexts, VIEW("office"));
    xod_set(call, XOD(calls, contexts), &contexts);
    commit(w);
    assert_true(
        says(w, 0, "\"function\":\"addconfig\",\"listname\":\"calls\"", "\"state\":\"ringing\""));
    assert_null(strstr(w->text[0], "contexts"));
    assert_string_equal(told(w, 1), "");
    assert_string_equal(told(w, 2), "");
    value_list_add(&moved, VIEW("shop")); /* to a participant that c[2] sees */
    xod_set(call, XOD(calls, contexts), &moved);
    commit(w);
    assert_true(says(w, 0, "\"delconfig\",\"listname\":\"calls\"", "1.1"));
    assert_true(says(w, 2, "\"addconfig\",\"listname\":\"calls\"", "1.1"));
    xod_del(call);
    commit(w);
    assert_string_equal(told(w, 0), "");
    assert_string_equal(told(w, 1), "");
    assert_true(says(w, 2, "\"delconfig\",\"listname\":\"calls\"", "1.1"));
}

/* A profile that shows its users their own calls only, and masks the numbers of others. */
static void what_the_profile_limits(void **state)
{
    struct world *w = *state;
    struct profile own = {.capas = json_tokener_parse("{\"see\":{\"calls\":\"own\"}}")};
    struct profile masked = {.capas = json_tokener_parse("{\"see\":{\"numbers\":\"masked\"}}")};
    struct xod_obj *c;
    struct xod_obj *call;
    struct value names = {.type = V_LIST};
    struct value both = {.type = V_LIST};

    xod_set_str(xod_find(w->ipbx, LIST_phones, VIEW("p1")), XOD(phones, identity), VIEW("SIP/a"));
    w->g.opt.limits.separate_contexts = false;
    w->c[0].profile = &own;
    w->c[1].profile = &masked;
    w->c[0].accepts = ACCEPTS_CALLS;
    for (int i = 0; i < N; i++)
        join(w, i);
    commit(w);
    for (int i = 0; i < N; i++)
        told(w, i);
    c = xod_add(w->ipbx, LIST_channels, VIEW("SIP/b-2"));
    xod_set_str(c, XOD(channels, peer_number), VIEW("0612345678"));
    call = xod_add(w->ipbx, LIST_calls, VIEW("1.1"));
    value_list_add(&names, VIEW("SIP/b-2"));
    xod_set(call, XOD(calls, participants), &names);
    commit(w);
    assert_string_equal(told(w, 0), "");
    assert_true(says(w, 1, "SIP/b-2", "\"peer_number\":\"061234xxxx\""));
    assert_true(says(w, 2, "SIP/b-2", "\"peer_number\":\"0612345678\""));
    value_list_add(&both, VIEW("SIP/b-2"));
    value_list_add(&both, VIEW("SIP/a-1"));
    xod_set(call, XOD(calls, participants), &both);
    commit(w);
    assert_true(says(w, 0, "\"addconfig\",\"listname\":\"calls\"", "\"state\":\"ringing\""));
    xod_list_del(call, XOD(calls, participants), VIEW("SIP/a-1"));
    commit(w);
    assert_true(says(w, 0, "\"delconfig\",\"listname\":\"calls\"", "1.1"));
    xod_del(call);
    xod_del(c);
    commit(w);
    assert_string_equal(told(w, 0), "");
    /* another phone is hers now */
    xod_list_add(xod_find(w->ipbx, LIST_users, VIEW("1")), XOD(users, linelist), VIEW("p2"));
    xod_set_str(xod_find(w->ipbx, LIST_phones, VIEW("p2")), XOD(phones, identity), VIEW("SIP/b"));
    commit(w);
    told(w, 0);
    xod_add(w->ipbx, LIST_channels, VIEW("SIP/b-3"));
    commit(w);
    assert_true(says(w, 0, "SIP/b-3", "commstatus"));
    for (int i = 0; i < N; i++)
        fanout_leave(w->g.fanout, &w->c[i]);
    w->c[0].profile = w->c[1].profile = NULL;
    json_object_put(own.capas);
    json_object_put(masked.capas);
}

static void before_and_after_the_login_nothing_is_visible(void **state)
{
    struct world *w = *state;
    struct xod_obj *mine = xod_find(w->ipbx, LIST_phones, VIEW("p1"));
    struct xod_obj *theirs = xod_find(w->ipbx, LIST_phones, VIEW("p3"));

    assert_false(fanout_visible(w->g.fanout, &w->c[0], mine));
    join(w, 0);
    assert_true(fanout_visible(w->g.fanout, &w->c[0], mine));
    assert_false(fanout_visible(w->g.fanout, &w->c[0], theirs));
    fanout_leave(w->g.fanout, &w->c[0]);
    w->g.opt.limits.separate_contexts = false;
    assert_true(fanout_visible(w->g.fanout, &w->c[0], theirs));
}

/* ---- lines for a user ---- */

/* Two sessions of user 1, and one of user 3. */
static void sit_down(struct world *w)
{
    w->c[1].user_id[0] = '1';
    for (int i = 0; i < N; i++)
        assert_int_equal(user_push_join(w->g.user_push, &w->c[i]), 0);
}

/* As state publishes it; session -1: for all of the user. */
static void publish(struct world *w, const char *topic, int session, const char *class)
{
    struct bus_msg m = {.topic = view_cstr(topic)};
    char name[64] = "";
    struct buf body;

    if (session >= 0)
        client_session_name(&w->c[session], name);
    buf_init(&body, 0);
    msg_put_map(&body, 2);
    msg_put_pair(&body, "session", view_cstr(name));
    msg_put_cstr(&body, "line");
    msg_put_map(&body, 2);
    msg_put_pair(&body, "class", view_cstr(class));
    msg_put_pair(&body, "text", VIEW("hello"));
    m.body = buf_view(&body);
    user_push_message(w->g.user_push, &m);
    buf_free(&body);
}

static void a_line_goes_to_all_sessions_of_its_user(void **state)
{
    struct world *w = *state;

    sit_down(w);
    publish(w, "cti/xivo/user/1/", -1, "chitchat");
    for (int i = 0; i < 2; i++)
        assert_true(says(w, i, "{\"class\":\"chitchat\"", "\"text\":\"hello\""));
    assert_string_equal(told(w, 2), "");
    user_push_leave(w->g.user_push, &w->c[0]);
    user_push_leave(w->g.user_push, &w->c[0]);
    publish(w, "cti/xivo/user/1/", -1, "chitchat");
    assert_string_equal(told(w, 0), "");
    assert_true(says(w, 1, "{\"class\":\"chitchat\"", "\"text\":\"hello\""));
}

/* A sheet: an object to whom it was said of that it takes one, XML to the other. */
static void a_line_may_have_two_forms(void **state)
{
    struct world *w = *state;
    struct bus_msg m = {.topic = VIEW("cti/xivo/user/1/")};
    struct buf body;

    sit_down(w);
    w->c[1].accepts = ACCEPTS_SHEET_JSON;
    buf_init(&body, 0);
    msg_put_map(&body, 3);
    msg_put_cstr(&body, "line");
    msg_put_map(&body, 2);
    msg_put_pair(&body, "class", VIEW("sheet"));
    msg_put_pair(&body, "serial", VIEW("xml"));
    msg_put_pair(&body, "accepts", VIEW("sheet_json"));
    msg_put_cstr(&body, "other");
    msg_put_map(&body, 2);
    msg_put_pair(&body, "class", VIEW("sheet"));
    msg_put_pair(&body, "serial", VIEW("json"));
    m.body = buf_view(&body);
    user_push_message(w->g.user_push, &m);
    buf_free(&body);
    assert_true(says(w, 0, "{\"class\":\"sheet\"", "\"serial\":\"xml\""));
    assert_null(strstr(w->text[0], "json"));
    assert_true(says(w, 1, "{\"class\":\"sheet\"", "\"serial\":\"json\""));
    assert_null(strstr(w->text[1], "xml"));
}

static void a_line_may_be_for_one_session(void **state)
{
    struct world *w = *state;

    sit_down(w);
    publish(w, "cti/xivo/user/1/", 1, "ipbxcommand");
    assert_string_equal(told(w, 0), "");
    assert_true(says(w, 1, "{\"class\":\"ipbxcommand\"", "\"text\":\"hello\""));
    publish(w, "cti/xivo/user/1/", 2, "ipbxcommand"); /* that is another user's */
    w->c[1].session = 77;                             /* and that is not there */
    publish(w, "cti/xivo/user/1/", 1, "ipbxcommand");
    w->c[1].session = 2;
    for (int i = 0; i < N; i++)
        assert_string_equal(told(w, i), "");
}

static void what_is_for_nobody_here_is_left(void **state)
{
    static const char *const topics[] = {"cti/xivo/user/12/",  "cti/lyon/user/1/",
                                         "cti/xivo/user/1/x/", "cti/xivo/users/1/",
                                         "cti/xivo/user/",     "xod/xivo/user/1/"};
    struct world *w = *state;
    struct bus_msg bad = {.topic = VIEW("cti/xivo/user/1/"), .body = VIEW("\xc1")};

    sit_down(w);
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
        publish(w, topics[i], -1, "chitchat");
    publish(w, "cti/xivo/user/1/", -1, "");
    user_push_message(w->g.user_push, &bad);
    for (int i = 0; i < N; i++)
        assert_string_equal(told(w, i), "");
}

static void changes_that_came_first_are_told_first(void **state)
{
    struct world *w = *state;

    sit_down(w);
    join(w, 0);
    change(w, LIST_phones, "p1", XOD(phones, hintstatus), "8");
    publish(w, "cti/xivo/user/1/", -1, "sheet");
    assert_true(says(w, 0, "\"hintstatus\":\"8\"", "{\"class\":\"sheet\""));
}

/* What becomes of a command does not come before the answer to it. */
static void a_line_for_a_session_waits_for_the_answer(void **state)
{
    struct world *w = *state;

    sit_down(w);
    w->c[0].asked = 5;
    publish(w, "cti/xivo/user/1/", 0, "first");
    publish(w, "cti/xivo/user/1/", 0, "second");
    assert_string_equal(told(w, 0), "");
    w->c[0].asked = 0;
    user_push_release(&w->c[0]);
    assert_true(says(w, 0, "{\"class\":\"first\"", "{\"class\":\"second\""));
    user_push_release(&w->c[0]); /* nothing is left */
    assert_string_equal(told(w, 0), "");
    w->c[0].asked = 6;
    publish(w, "cti/xivo/user/1/", 0, "third");
    user_push_forget(&w->c[0]);
    user_push_release(&w->c[0]);
    assert_string_equal(told(w, 0), "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_change_is_told_to_those_who_may_see_it),
        T(without_separate_contexts_all_see_all),
        T(bays_are_told_one_by_one),
        T(what_happens_in_a_turn_is_told_together),
        T(who_joins_is_not_told_what_was_before),
        T(another_line_comes_behind_the_changes_before_it),
        T(the_end_of_a_block_is_told),
        T(rounds_rest_while_many_join),
        T(who_leaves_is_told_nothing_more),
        T(who_moves_sees_another_context),
        T(what_comes_and_goes_is_told_by_list),
        T(calls_are_told_to_those_who_know_them),
        T(what_the_profile_limits),
        T(before_and_after_the_login_nothing_is_visible),
        T(a_line_goes_to_all_sessions_of_its_user),
        T(a_line_may_have_two_forms),
        T(a_line_may_be_for_one_session),
        T(what_is_for_nobody_here_is_left),
        T(changes_that_came_first_are_told_first),
        T(a_line_for_a_session_waits_for_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
