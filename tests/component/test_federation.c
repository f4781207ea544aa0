/* federation as another site meets it: what it may ask, what it is told on the wire, and what
 * becomes of questions to it. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/fed_world.h"

/* A raw socket with lyon's key; a subscriber is one to everything. */
static void open_raw(struct fed_world *w, int type)
{
    w->raw = zmq_socket(bus_zmq(w->lyon.p.bus), type);
    assert_non_null(w->raw);
    zmq_setsockopt(w->raw, ZMQ_LINGER, &(int){0}, sizeof(int));
    zmq_setsockopt(w->raw, ZMQ_CURVE_SERVERKEY, w->lyon.keys.server, KEY_SIZE);
    zmq_setsockopt(w->raw, ZMQ_CURVE_PUBLICKEY, w->lyon.keys.own_public, KEY_SIZE);
    zmq_setsockopt(w->raw, ZMQ_CURVE_SECRETKEY, w->lyon.keys.own_secret, KEY_SIZE);
    if (type == ZMQ_SUB)
        zmq_setsockopt(w->raw, ZMQ_SUBSCRIBE, "", 0);
}

/* ---- asking at the door ---- */

/* As lyon asks paris. */
static enum bus_status ask(struct fed_world *w, enum bus_method method, size_t n_pairs,
                           struct view pairs, struct fed_answer *a)
{
    *a = (struct fed_answer){0};
    buf_init(&a->bytes, 0);
    assert_true(bus_ask(w->bus_client, method, n_pairs, pairs, 10000, fed_on_answer, a));
    UNTIL(w->loop, a->done);
    return a->status;
}

/* With a second ipbx, or NULL. */
static enum bus_status hello_of_two(struct fed_world *w, const char *site, const char *other,
                                    const char *us)
{
    struct fed_answer a;
    struct buf pairs;
    enum bus_status status;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "site", view_cstr(site));
    msg_put_cstr(&pairs, "sites");
    msg_put_array(&pairs, other ? 2 : 1);
    msg_put_cstr(&pairs, site);
    if (other)
        msg_put_cstr(&pairs, other);
    msg_put_pair(&pairs, "peer", view_cstr(us));
    status = ask(w, METHOD_peer_hello, 3, buf_view(&pairs), &a);
    buf_free(&pairs);
    buf_free(&a.bytes);
    return status;
}

static enum bus_status hello(struct fed_world *w, const char *site, const char *us)
{
    return hello_of_two(w, site, NULL, us);
}

static enum bus_status snapshot(struct fed_world *w)
{
    struct fed_answer a;
    enum bus_status status = ask(w, METHOD_snapshot, 0, view_of(NULL, 0), &a);

    if (status != BUS_ok) {
        assert_int_equal(a.n, 1);
        assert_int_equal(buf_len(&a.bytes), 1); /* an empty map */
    }
    buf_free(&a.bytes);
    return status;
}

static enum bus_status command(struct fed_world *w)
{
    struct fed_answer a;
    struct buf pairs;
    enum bus_status status;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "site", VIEW("nantes")); /* it is not */
    msg_put_pair(&pairs, "command", VIEW("hangup"));
    msg_put_pair(&pairs, "user", VIEW("7"));
    status = ask(w, METHOD_peer_command, 3, buf_view(&pairs), &a);
    buf_free(&pairs);
    buf_free(&a.bytes);
    return status;
}

static void nothing_is_answered_before_the_hello_of_a_site(void **state)
{
    struct fed_world *w = *state;

    xod_set_str(fed_object(w, "paris", LIST_users, "1"), XOD(users, firstname), VIEW("Alice"));
    fed_start(w);
    fed_lyon_connect(w);
    assert_int_equal(snapshot(w), BUS_denied);
    assert_int_equal(command(w), BUS_denied);
    assert_int_equal(w->state.asked.commands, 0);
    assert_int_equal(hello_of_two(w, "lyon", "paris", "paris"), BUS_denied); /* two of a name */
    assert_int_equal(hello(w, "nantes", "paris"), BUS_denied);
    assert_int_equal(hello(w, "lyon", "nantes"), BUS_denied);
    assert_int_equal(snapshot(w), BUS_denied);
    assert_int_equal(command(w), BUS_denied);
    assert_int_equal(w->state.asked.commands, 0);

    assert_int_equal(hello(w, "lyon", "paris"), BUS_ok);
    assert_int_equal(snapshot(w), BUS_ok);
    assert_int_equal(command(w), BUS_ok);
    assert_int_equal(w->state.asked.commands, 1);
    assert_string_equal(w->state.asked.site, "lyon"); /* as its key says */
    assert_int_equal(w->state.asked.sites, 1);
    assert_string_equal(w->state.asked.user, "7");

    assert_int_equal(hello(w, "nantes", "paris"), BUS_denied); /* it was renamed since */
    assert_int_equal(snapshot(w), BUS_denied);
    assert_int_equal(command(w), BUS_denied);
    assert_int_equal(w->state.asked.commands, 1);
}

static void a_site_is_who_its_key_says(void **state)
{
    struct fed_world *w = *state;
    struct bus_keys keys = w->lyon.keys;
    struct process p;
    char entry[512];

    zmq_curve_keypair(keys.own_public, keys.own_secret);
    snprintf(entry, sizeof(entry),
             ",\"nantes\":{\"peer\":{\"publish\":\"tcp://127.0.0.1:1\",\"request\":"
             "\"tcp://127.0.0.1:1\",\"publickey\":\"%s\"}}",
             keys.own_public);
    w->legacy = entry;
    fed_start(w);
    p = process_start(w->loop, "federation@nantes", "federation@nantes", &keys);
    fed_connect(w, p.bus);
    assert_int_equal(hello(w, "lyon", "paris"), BUS_denied);
    assert_int_equal(command(w), BUS_denied);
    assert_int_equal(hello(w, "nantes", "paris"), BUS_ok);
    assert_int_equal(command(w), BUS_ok);
    assert_string_equal(w->state.asked.site, "nantes");
    fed_lyon_connect(w);
    assert_int_equal(hello(w, "nantes", "paris"), BUS_denied);
    assert_int_equal(hello(w, "lyon", "paris"), BUS_ok);
    process_end(&p);
}

/* The port of a socket of this process that listens; 0: it is none. */
static uint16_t listens_at(int fd)
{
    struct sockaddr_in at = {0};
    socklen_t len = sizeof(at);
    int listens = 0;
    socklen_t size = sizeof(listens);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0 || at.sin_family != AF_INET)
        return 0;
    return ntohs(at.sin_port);
}

/* The address where federation itself publishes for its peers is nobody else's: its key gets
 * nobody in there. */
static void a_site_cannot_publish_at_the_door(void **state)
{
    struct fed_world *w = *state;
    char endpoint[64];

    fed_start(w);
    open_raw(w, ZMQ_PUB);
    for (int fd = 3; fd < 1024; fd++) {
        uint16_t port = listens_at(fd);
        snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u", (unsigned)port);
        if (port)
            zmq_connect(w->raw, endpoint);
    }
    UNTIL(w->loop, fed_logged(w, "is refused at publish: key"));
    assert_true(fed_logged(w, w->lyon.keys.own_public));
}

static void a_site_may_ask_for_nothing_else(void **state)
{
    static const enum bus_method methods[] = {METHOD_worker_register, METHOD_ami_action,
                                              METHOD_command,         METHOD_peer_apply,
                                              METHOD_admin_kick,      METHOD_admin_reload};
    struct fed_world *w = *state;
    struct fed_answer a;

    fed_start(w);
    fed_lyon_connect(w);
    assert_int_equal(hello(w, "lyon", "paris"), BUS_ok);
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        assert_int_equal(ask(w, methods[i], 0, view_of(NULL, 0), &a), BUS_unknown_method);
        buf_free(&a.bytes);
    }
}

static void a_command_that_state_does_not_live_to_answer_is_answered(void **state)
{
    struct fed_world *w = *state;
    struct fed_answer a = {0};

    fed_start(w);
    fed_lyon_connect(w);
    assert_int_equal(hello(w, "lyon", "paris"), BUS_ok);
    w->state.silent = true;
    buf_init(&a.bytes, 0);
    assert_true(
        bus_ask(w->bus_client, METHOD_peer_command, 0, view_of(NULL, 0), 60000, fed_on_answer, &a));
    UNTIL(w->loop, w->state.asked.commands == 1);
    fed_state_restart(w);
    UNTIL(w->loop, a.done);
    assert_int_equal(a.status, BUS_noconn);
    buf_free(&a.bytes);
}

/* ---- what it is told ---- */

/* Fills all fields that may hold a text: those that sites tell each other begin with "told", the
 * others with "secret". */
static void fill(struct xod_obj *o, const char *what)
{
    const struct schema_list *list = schema_list(xod_obj_list(o));
    uint64_t peer = schema_peer_mask(xod_obj_list(o));
    char text[64];

    for (unsigned i = 0; i < list->n_fields; i++) {
        snprintf(text, sizeof(text), "%s-%s", peer >> i & 1 ? "told" : "secret", what);
        xod_set_str(o, i, view_cstr(text));
    }
}

static bool has(const struct buf *bytes, const char *text)
{
    return buf_len(bytes) && memmem(buf_data(bytes), buf_len(bytes), text, strlen(text)) != NULL;
}

static void listen_raw(struct fed_world *w)
{
    buf_init(&w->wire, 0);
    open_raw(w, ZMQ_SUB);
    assert_int_equal(zmq_connect(w->raw, fed_endpoint_publish(w->f)), 0);
}

/* Takes what it has received. Is this among it? */
static bool heard(struct fed_world *w, const char *text)
{
    zmq_msg_t m;

    zmq_msg_init(&m);
    while (zmq_msg_recv(&m, w->raw, ZMQ_DONTWAIT) >= 0) {
        buf_append(&w->wire, zmq_msg_data(&m), zmq_msg_size(&m));
        w->messages += !zmq_msg_more(&m);
    }
    zmq_msg_close(&m);
    return has(&w->wire, text);
}

/* Makes a change that is told, and waits for it: all that came before it is there, too. */
static void wait_mark(struct fed_world *w, const char *mark)
{
    char text[32];

    for (int n = 0; n < 2000 && !heard(w, mark); n++) {
        snprintf(text, sizeof(text), "%s %d", mark, n); /* the first may be too early to be heard */
        xod_set_str(fed_object(w, "paris", LIST_users, "end"), XOD(users, firstname),
                    view_cstr(text));
        fed_commit(w);
        run_for(w->loop, 10);
    }
    assert_true(heard(w, mark));
}

static const enum xod_list shown[] = {LIST_users,  LIST_phones, LIST_agents,
                                      LIST_queues, LIST_groups, LIST_channels};
#define N_SHOWN ARRAY_SIZE(shown)

static bool is_shown(enum xod_list list)
{
    for (size_t i = 0; i < N_SHOWN; i++)
        if (shown[i] == list)
            return true;
    return false;
}

static void what_is_not_for_sites_is_not_on_the_wire(void **state)
{
    struct fed_world *w = *state;
    struct fed_answer a;
    int before;

    for (size_t i = 0; i < N_SHOWN; i++)
        fill(fed_object(w, "paris", shown[i], "old"), "first");
    fed_start(w);
    listen_raw(w);
    wait_mark(w, "begin");
    for (size_t i = 0; i < N_SHOWN; i++) { /* changes, and objects that are new */
        fill(fed_object(w, "paris", shown[i], "old"), "changed");
        fill(fed_object(w, "paris", shown[i], "new"), "added");
    }
    fed_commit(w);
    wait_mark(w, "changes");
    assert_true(has(&w->wire, "told-changed") && has(&w->wire, "told-added"));
    assert_false(has(&w->wire, "secret"));
    assert_false(has(&w->wire, "loginclient") || has(&w->wire, "mobilephonenumber"));

    wait_mark(w, "quiet");
    run_for(w->loop, 50);
    heard(w, "");
    before = w->messages;
    xod_set_str(fed_object(w, "paris", LIST_users, "old"), XOD(users, loginclient), VIEW("x"));
    xod_set_str(fed_object(w, "paris", LIST_users, "end"), XOD(users, firstname), VIEW("once"));
    fed_commit(w);
    UNTIL(w->loop, heard(w, "once"));
    assert_int_equal(w->messages, before + 1); /* of the secret one there is nothing to tell */

    fed_lyon_connect(w);
    assert_int_equal(hello(w, "lyon", "paris"), BUS_ok);
    assert_int_equal(ask(w, METHOD_snapshot, 0, view_of(NULL, 0), &a), BUS_ok);
    assert_true(has(&a.bytes, "told-changed"));
    assert_false(has(&a.bytes, "secret") || has(&a.bytes, "loginclient"));
    buf_free(&a.bytes);
}

static void only_the_lists_for_sites_and_only_our_own_are_on_the_wire(void **state)
{
    struct fed_world *w = *state;
    struct fed_answer a;

    xod_set_bool(fed_object(w, "nantes", LIST_ipbx, "nantes"), XOD(ipbx, remote), true);
    fed_start(w);
    listen_raw(w);
    wait_mark(w, "begin");
    for (enum xod_list list = 0; list < LIST_COUNT; list++) {
        fill(fed_object(w, "nantes", list, "of-a-third"), "third");
        fill(fed_object(w, "paris", list, is_shown(list) ? "for-sites" : "for-nobody"), "added");
    }
    fed_commit(w);
    wait_mark(w, "changes");
    fed_lyon_connect(w);
    assert_int_equal(hello(w, "lyon", "paris"), BUS_ok);
    assert_int_equal(ask(w, METHOD_snapshot, 0, view_of(NULL, 0), &a), BUS_ok);
    for (int i = 0; i < 2; i++) {
        const struct buf *bytes = i ? &a.bytes : &w->wire;
        assert_true(has(bytes, "for-sites"));
        assert_false(has(bytes, "for-nobody"));
        assert_false(has(bytes, "of-a-third") || has(bytes, "nantes"));
    }
    buf_free(&a.bytes);
}

static int setup_lists(void **state)
{
    int rc = fed_setup(state);

    ((struct fed_world *)*state)->options = ",\"lists\":[\"channels\",\"users\"]";
    return rc;
}

static void lists_may_be_named(void **state)
{
    struct fed_world *w = *state;

    fed_start(w);
    listen_raw(w);
    wait_mark(w, "begin");
    for (enum xod_list list = 0; list < LIST_COUNT; list++)
        fill(fed_object(w, "paris", list,
                        list == LIST_users || list == LIST_channels ? "for-sites" : "for-nobody"),
             "added");
    fed_commit(w);
    wait_mark(w, "changes");
    assert_true(heard(w, "/users/for-sites/") && heard(w, "/channels/for-sites/"));
    assert_false(heard(w, "for-nobody") || heard(w, "/phones/"));
}

static int setup_contexts(void **state)
{
    int rc = fed_setup(state);

    ((struct fed_world *)*state)->options = ",\"contexts\":[\"sales\"]";
    return rc;
}

static struct xod_obj *phone(struct fed_world *w, const char *id, const char *user,
                             const char *context)
{
    struct xod_obj *o = fed_object(w, "paris", LIST_phones, id);

    xod_set_str(o, XOD(phones, context), view_cstr(context));
    xod_set_str(o, XOD(phones, iduserfeatures), view_cstr(user));
    xod_list_add(fed_object(w, "paris", LIST_users, user), XOD(users, linelist), view_cstr(id));
    return o;
}

static void other_contexts_are_not_on_the_wire_and_who_leaves_one_is_forgotten(void **state)
{
    struct fed_world *w = *state;
    struct xod_obj *moving;

    phone(w, "end-phone", "end", "sales");
    moving = phone(w, "moving-phone", "moving-user", "sales");
    phone(w, "hidden-phone", "hidden-user", "boss");
    xod_set_str(fed_object(w, "paris", LIST_queues, "hidden-queue"), XOD(queues, context),
                VIEW("boss"));
    fed_start(w);
    listen_raw(w);
    wait_mark(w, "begin");
    buf_reset(&w->wire);
    fill(fed_object(w, "paris", LIST_queues, "hidden-queue"), "changed");
    xod_set_str(fed_object(w, "paris", LIST_queues, "hidden-queue"), XOD(queues, context),
                VIEW("boss"));
    xod_set_str(fed_object(w, "paris", LIST_users, "hidden-user"), XOD(users, firstname),
                VIEW("x"));
    xod_set_str(moving, XOD(phones, context), VIEW("boss"));
    fed_commit(w);
    wait_mark(w, "changes");
    assert_true(has(&w->wire, "moving-phone") && has(&w->wire, "moving-user"));
    assert_true(has(&w->wire, "\xa3"
                              "del"));
    assert_false(has(&w->wire, "hidden") || has(&w->wire, "boss"));
    buf_reset(&w->wire);
    xod_set_str(fed_object(w, "paris", LIST_users, "moving-user"), XOD(users, firstname),
                VIEW("y"));
    fed_commit(w);
    wait_mark(w, "gone");
    assert_false(has(&w->wire, "moving"));
}

/* ---- the link to the other site ---- */

static bool link_is(struct fed_world *w, const char *state)
{
    struct buf out;
    const char *at;
    bool is;

    buf_init(&out, 0);
    metrics_render(w->p.metrics, &out);
    at = strstr(buf_cstr(&out), "\nctibus_federation_up{");
    is = at && strncmp(strchr(at, '}'), strcmp(state, "up") == 0 ? "} 1" : "} 0", 3) == 0;
    buf_free(&out);
    return is;
}

static void a_site_that_answers_hello_is_up(void **state)
{
    struct fed_world *w = *state;

    w->clock = 2; /* near enough */
    fed_start(w);
    UNTIL(w->loop, link_is(w, "up"));
    assert_true(fed_logged(w, "site lyon: up"));
    assert_false(fed_logged(w, "the clock of site"));
    assert_false(fed_logged(w, "later version"));
    assert_int_equal(w->lyon.asked.hellos, 1);
}

static void a_site_that_is_not_who_it_should_be_is_no_peer(void **state)
{
    struct fed_world *w = *state;

    w->sites = "nantes";
    fed_start(w);
    UNTIL(w->loop, fed_logged(w, "site lyon cannot be a peer: it has no ipbx of that name"));
    assert_true(fed_logged(w, "site lyon: refused"));
    assert_true(link_is(w, "down"));
    assert_int_equal(w->lyon.asked.hellos, 1);
}

static void a_site_that_refuses_us_says_why(void **state)
{
    struct fed_world *w = *state;

    w->greets = BUS_denied;
    fed_start(w);
    UNTIL(w->loop, fed_logged(w, "site lyon cannot be a peer: we do not like you"));
    assert_true(link_is(w, "down"));
}

static void a_site_that_is_busy_is_greeted_again(void **state)
{
    struct fed_world *w = *state;

    w->greets = BUS_busy;
    fed_start(w);
    UNTIL(w->loop, w->lyon.asked.hellos == 1);
    run_for(w->loop, 50);
    assert_true(link_is(w, "down"));
    w->greets = BUS_ok;
    UNTIL(w->loop, link_is(w, "up"));
    assert_int_equal(w->lyon.asked.hellos, 2);
}

static void a_clock_that_is_wrong_and_a_later_version_are_told(void **state)
{
    struct fed_world *w = *state;

    w->clock = 100;
    w->schema = 1000;
    fed_start(w);
    UNTIL(w->loop, link_is(w, "up"));
    assert_true(fed_logged(w, "the clock of site lyon is 100 s ahead of ours"));
    assert_true(fed_logged(w, "site lyon is of a later version"));
    w->clock = -100;
    fed_lyon_restart(w);
    UNTIL(w->loop, fed_logged(w, "the clock of site lyon is 100 s behind ours"));
}

/* As state asks for a user of paris. */
static void ask_site(struct fed_world *w, const char *ipbx, const char *what, struct fed_answer *a)
{
    struct bus_peer *p;
    struct buf pairs;
    size_t pos = 0;

    *a = (struct fed_answer){0};
    buf_init(&a->bytes, 0);
    p = bus_server_next(w->state.server, &pos);
    assert_non_null(p);
    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "ipbx", view_cstr(ipbx));
    msg_put_pair(&pairs, "command", view_cstr(what));
    msg_put_pair(&pairs, "site", VIEW("paris"));
    msg_put_pair(&pairs, "user", VIEW("1"));
    msg_put_pair(&pairs, "to", VIEW("2"));
    msg_put_pair(&pairs, "text", VIEW("Bonjour"));
    assert_true(bus_server_ask(w->state.server, p, METHOD_peer_command, 6, buf_view(&pairs), 60000,
                               fed_on_answer, a));
    buf_free(&pairs);
}

static void a_command_goes_to_the_site_and_its_answer_back(void **state)
{
    struct fed_world *w = *state;
    struct fed_answer a;

    w->greets = BUS_denied;
    fed_start(w);
    UNTIL(w->loop, w->lyon.asked.hellos == 1);
    ask_site(w, "lyon", "hangup", &a); /* who is not up is not asked */
    UNTIL(w->loop, a.done);
    assert_int_equal(a.status, BUS_noconn);
    assert_int_equal(w->lyon.asked.commands, 0);
    buf_free(&a.bytes);
    w->greets = BUS_ok;
    fed_lyon_restart(w);
    UNTIL(w->loop, link_is(w, "up"));
    ask_site(w, "lyon", "hangup", &a);
    UNTIL(w->loop, a.done);
    assert_int_equal(a.status, BUS_ok);
    assert_int_equal(w->lyon.asked.commands, 1);
    assert_string_equal(w->lyon.asked.user, "1");
    buf_free(&a.bytes);
    w->greets = BUS_denied;
    fed_lyon_restart(w);
    UNTIL(w->loop, w->lyon.asked.hellos == 3);
    UNTIL(w->loop, fed_logged(w, "site lyon: refused"));
    ask_site(w, "lyon", "hangup", &a); /* no longer */
    UNTIL(w->loop, a.done);
    assert_int_equal(a.status, BUS_noconn);
    assert_int_equal(w->lyon.asked.commands, 1);
    buf_free(&a.bytes);
    ask_site(w, "nantes", "hangup", &a); /* there is no such site */
    UNTIL(w->loop, a.done);
    assert_int_equal(a.status, BUS_noconn);
    buf_free(&a.bytes);
}

static void a_command_that_the_site_does_not_live_to_answer_is_answered(void **state)
{
    struct fed_world *w = *state;
    struct fed_answer a;

    fed_start(w);
    UNTIL(w->loop, link_is(w, "up"));
    w->lyon.silent = true;
    ask_site(w, "lyon", "hangup", &a);
    UNTIL(w->loop, w->lyon.asked.commands == 1);
    fed_lyon_restart(w);
    UNTIL(w->loop, a.done);
    assert_int_equal(a.status, BUS_noconn);
    buf_free(&a.bytes);
}

/* What is under way to state then is not asked again. */
static void it_ends_while_state_has_not_answered(void **state)
{
    struct fed_world *w = *state;

    w->state.silent = true;
    fed_start(w);
    UNTIL(w->loop, w->state.asked.applies > 0);
    fed_destroy(&w->f);
    assert_null(w->f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fed_setup, fed_teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_is_answered_before_the_hello_of_a_site),
        T(a_site_is_who_its_key_says),
        T(a_site_cannot_publish_at_the_door),
        T(a_site_may_ask_for_nothing_else),
        T(a_command_that_state_does_not_live_to_answer_is_answered),
        T(what_is_not_for_sites_is_not_on_the_wire),
        T(only_the_lists_for_sites_and_only_our_own_are_on_the_wire),
        cmocka_unit_test_setup_teardown(lists_may_be_named, setup_lists, fed_teardown),
        cmocka_unit_test_setup_teardown(
            other_contexts_are_not_on_the_wire_and_who_leaves_one_is_forgotten, setup_contexts,
            fed_teardown),
        T(a_site_that_answers_hello_is_up),
        T(a_site_that_is_not_who_it_should_be_is_no_peer),
        T(a_site_that_refuses_us_says_why),
        T(a_site_that_is_busy_is_greeted_again),
        T(a_clock_that_is_wrong_and_a_later_version_are_told),
        T(a_command_goes_to_the_site_and_its_answer_back),
        T(a_command_that_the_site_does_not_live_to_answer_is_answered),
        T(it_ends_while_state_has_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
