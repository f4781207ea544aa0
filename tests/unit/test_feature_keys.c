/* Services of users in Asterisk's own database: a whole state, and a gateway that is an Asterisk
 * with such a database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/context.h"
#include "core/publisher.h"
#include "support/state_peer.h"
#include "users/deferred_actions.h"
#include "users/feature_events.h"
#include "users/feature_reader.h"

#define CONFIG(features)                                                                           \
    "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","         \
    "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"                        \
    "\"urllist_users\":[\"file:users.json\"],\"urllist_lines\":[\"file:lines.json\"]}}},"          \
    "\"profiles\":{\"client\":{\"name\":\"Client\",\"regcommands\":\"all\"}},"                     \
    "\"regcommands\":{\"all\":[\"featuresget\",\"featuresput\"]},"                                 \
    "\"ctibus\":{\"features\":{" features "}}}"
#define USERS                                                                                      \
    "[{\"id\":\"1\",\"enableclient\":1,\"profileclient\":\"client\",\"destbusy\":\"1009\"},"       \
    "{\"id\":\"2\",\"enableclient\":1,\"profileclient\":\"client\"},"                              \
    "{\"id\":\"3\",\"enableclient\":1,\"profileclient\":\"client\"}]"
/* alice has two, bob one, carol none */
#define LINES                                                                                      \
    "[{\"id\":\"11\",\"protocol\":\"sip\",\"name\":\"alice\",\"number\":\"1001\","                 \
    "\"context\":\"default\",\"iduserfeatures\":\"1\",\"rules_order\":1},"                         \
    "{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"al2\",\"number\":\"1011\","                    \
    "\"context\":\"default\",\"iduserfeatures\":\"1\",\"rules_order\":2},"                         \
    "{\"id\":\"21\",\"protocol\":\"sip\",\"name\":\"bob\",\"number\":1002,"                        \
    "\"context\":\"default\",\"iduserfeatures\":2,\"rules_order\":1}]"

#define MAX_DB 32
#define MAX_HELD 32

struct world {
    struct state_world s;
    struct state_peer p;
    char db[MAX_DB][2][64]; /* FAMILY/KEY and value; an empty path: none */
    bool no_tree;           /* it has no DBGetTree, as 1.8 */
    const char *denies;     /* an action that is not permitted, or NULL */
    bool holds;             /* answers come when the test says so */
    uint64_t held[MAX_HELD];
    struct buf answers[MAX_HELD];
    int n_held;
    char seen[4096]; /* the actions, a line each */
};

/* ---- an Asterisk ---- */

static struct view header(const msgpack_object *pairs, struct view name)
{
    for (uint32_t i = 0; i < pairs->via.array.size; i++) {
        const msgpack_object *pair = pairs->via.array.ptr[i].via.array.ptr;
        if (view_eq(msg_str(&pair[0]), name))
            return msg_str(&pair[1]);
    }
    return view_of(NULL, 0);
}

static char *db_find(struct world *w, const char *path)
{
    for (int i = 0; i < MAX_DB; i++)
        if (strcmp(w->db[i][0], path) == 0)
            return w->db[i][1];
    return NULL;
}

static void db_put(struct world *w, const char *path, const char *value)
{
    char *at = db_find(w, path);

    for (int i = 0; !at && i < MAX_DB; i++)
        if (!*w->db[i][0]) {
            snprintf(w->db[i][0], 64, "%s", path);
            at = w->db[i][1];
        }
    assert_non_null(at);
    snprintf(at, 64, "%s", value);
}

static bool db_del(struct world *w, const char *path)
{
    char *at = db_find(w, path);

    if (at)
        at[-64] = '\0';
    return at != NULL;
}

static void put_event(struct buf *out, const char *key, const char *value)
{
    msg_put_array(out, 2);
    msg_put_array(out, 2);
    msg_put_cstr(out, "Key");
    msg_put_cstr(out, key);
    msg_put_array(out, 2);
    msg_put_cstr(out, "Val");
    msg_put_cstr(out, value);
}

static size_t put_tree(struct world *w, struct buf *out, struct view family)
{
    size_t n = 0;

    for (int i = 0; i < MAX_DB; i++) {
        struct view rest = view_cstr(w->db[i][0]);
        char key[80];
        if (!rest.len || !view_eq(view_cut(&rest, '/'), family))
            continue;
        snprintf(key, sizeof(key), "/%s", w->db[i][0]);
        put_event(out, key, w->db[i][1]);
        n++;
    }
    return n;
}

/* Carries it out. NULL, or what an Error says; the events of the answer in *events. */
static const char *act(struct world *w, struct view action, const msgpack_object *headers,
                       struct buf *events, size_t *n)
{
    struct view family = header(headers, VIEW("Family"));
    char path[128];

    snprintf(path, sizeof(path), "%.*s/%.*s", VIEW_ARG(family),
             VIEW_ARG(header(headers, VIEW("Key"))));
    if (w->denies && view_eq(action, view_cstr(w->denies)))
        return "Permission denied";
    if (view_eq(action, VIEW("DBGetTree"))) {
        *n = put_tree(w, events, family);
        return w->no_tree ? "Invalid/unknown command: DBGetTree." : NULL;
    }
    if (view_eq(action, VIEW("DBGet"))) {
        if (!db_find(w, path))
            return "Database entry not found";
        put_event(events, path, db_find(w, path));
        *n = 1;
    } else if (view_eq(action, VIEW("DBPut"))) {
        char value[64];
        snprintf(value, sizeof(value), "%.*s", VIEW_ARG(header(headers, VIEW("Val"))));
        db_put(w, path, value);
    } else if (view_eq(action, VIEW("DBDel"))) {
        return db_del(w, path) ? NULL : "Database entry could not be deleted";
    }
    return NULL;
}

static void write_down(struct world *w, struct view action, const msgpack_object *headers)
{
    size_t len = strlen(w->seen);

    len += (size_t)snprintf(w->seen + len, sizeof(w->seen) - len, "%.*s", VIEW_ARG(action));
    for (uint32_t i = 0; i < headers->via.array.size; i++)
        len += (size_t)snprintf(w->seen + len, sizeof(w->seen) - len, " %.*s",
                                VIEW_ARG(msg_str(&headers->via.array.ptr[i].via.array.ptr[1])));
    snprintf(w->seen + len, sizeof(w->seen) - len, "\n");
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct state_peer *x = arg;
    struct world *w = (struct world *)((char *)x - offsetof(struct world, p));
    struct view action = msg_get_str(body, "action");
    const char *error;
    struct buf out, events;
    size_t n = 0;

    if (method != METHOD_ami_action) {
        bus_client_reply(x->bus_client, id, BUS_ok, view_of(NULL, 0));
        return;
    }
    buf_init(&out, 0);
    buf_init(&events, 0);
    write_down(w, action, msg_get(body, "headers"));
    error = act(w, action, msg_get(body, "headers"), &events, &n);
    msg_put_map(&out, 3);
    msg_put_pair(&out, "response", error ? VIEW("Error") : VIEW("Success"));
    msg_put_pair(&out, "message", error ? view_cstr(error) : VIEW("fine"));
    msg_put_cstr(&out, "events");
    msg_put_array(&out, n);
    buf_append_view(&out, buf_view(&events));
    buf_free(&events);
    if (w->holds) {
        assert_true(w->n_held < MAX_HELD);
        w->held[w->n_held] = id;
        w->answers[w->n_held++] = out;
        return;
    }
    bus_client_reply(x->bus_client, id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

static void answer_held(struct world *w)
{
    w->holds = false;
    for (int i = 0; i < w->n_held; i++) {
        bus_client_reply(w->p.bus_client, w->held[i], BUS_ok, buf_view(&w->answers[i]));
        buf_free(&w->answers[i]);
    }
    w->n_held = 0;
}

/* ---- the world ---- */

static int start(void **state, const char *config)
{
    static const struct bus_client_handler handler = {peer_on_up, NULL, on_request};
    struct world *w = calloc(1, sizeof(*w));
    int err = 0;

    *state = w;
    assert_int_equal(state_make_folder(&w->s), 0);
    state_write(&w->s, "ctibus.json", config);
    state_write(&w->s, "users.json", USERS);
    state_write(&w->s, "lines.json", LINES);
    w->s.loop = loop_new();
    w->s.cfg = state_config(&w->s);
    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    w->p = (struct state_peer){.loop = w->s.loop};
    w->p.p = process_start(w->s.loop, "gw", "gw", NULL);
    w->p.bus_client =
        bus_client_new(w->p.p.bus, state_endpoint_request(w->s.s), "ami-gw", &handler, &w->p, &err);
    assert_int_equal(err, 0);
    UNTIL(w->s.loop, w->p.ups == 1);
    assert_int_equal(peer_open(&w->p, "s", "1", "available"), BUS_ok);
    UNTIL(w->s.loop, w->s.s->settled);
    return 0;
}

static int setup(void **state)
{
    return start(state, CONFIG("\"publish\":[\"astdb\"]"));
}

static int setup_both(void **state)
{
    return start(state, CONFIG("\"publish\":[\"astdb\",\"devstate\"],\"astdb\":{\"unc\":\"\","
                               "\"callrecord\":\"rec/{userid}\",\"on\":\"1\"},"
                               "\"devstate\":{\"rna\":\"Custom:RNA{number}\",\"on\":\"INUSE\"}"));
}

/* XiVO's table, in a database that does not answer. */
static int setup_table(void **state)
{
    return start(state, CONFIG("\"publish\":[\"userfeatures\",\"astdb\"],\"userfeatures\":"
                               "{\"db_uri\":\"postgresql://u:p@%2Fno%2Fsuch%2Ffolder/d\"}"));
}

static int setup_none(void **state)
{
    return start(state, CONFIG(""));
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < w->n_held; i++)
        buf_free(&w->answers[i]);
    peer_end(&w->p);
    state_teardown(&w->s);
    free(w);
    return 0;
}

/* Whatever is under way between state and the gateway has come, and what it led to is on disk. */
static void settle(struct world *w)
{
    for (int i = 0; i < 5; i++) {
        peer_ask(&w->p, METHOD_admin_sessions, "{}");
        UNTIL(w->s.loop, w->holds || deferred_actions_count(w->s.s->deferred_actions) == 0);
    }
}

static void resync(struct world *w)
{
    w->s.s->ipbxes[0].model->resynced = true;
    deferred_actions_resynced(w->s.s, w->s.ipbx);
    feature_reader_resynced(w->s.s, &w->s.s->ipbxes[0]);
}

/* The link is up and everything is listed. */
static void link_up(struct world *w)
{
    peer_login(&w->p, 3);
    resync(w);
    settle(w);
    w->seen[0] = '\0';
}

static void put(struct world *w, const char *function, const char *value)
{
    char json[512];

    snprintf(json, sizeof(json), "{\"function\":\"%s\",\"value\":%s}", function, value);
    assert_int_equal(peer_command(&w->p, "s", "featuresput", json), BUS_ok);
    assert_string_equal(w->p.answer, "{\"status\":\"OK\"}");
}

#define DND XOD(users, enablednd)
#define UNC XOD(users, enableunc)
#define DESTUNC XOD(users, destunc)

static bool on(struct world *w, const char *user, unsigned field)
{
    return value_truth(xod_get(state_user(&w->s, user), field));
}

static const char *text(struct world *w, const char *user, unsigned field)
{
    static char out[128];
    char scratch[32];

    snprintf(out, sizeof(out), "%.*s",
             VIEW_ARG(value_text(xod_get(state_user(&w->s, user), field), scratch)));
    return out;
}

/* An event says that a device of the dialplan's own is another one. */
static void device(struct world *w, enum tel_event event, const char *name)
{
    struct tel t = {.event = event};

    t.str[TELF_hint] = view_cstr(name);
    feature_reader_event(w->s.s, &w->s.s->ipbxes[0], &t);
}

static void event(struct world *w, const char *user, const char *function, const char *status,
                  const char *value_name, const char *value)
{
    struct tel t = {.event = TEL_user_event};
    struct msg_doc doc;
    struct buf body;

    assert_int_equal(msg_doc_init(&doc), 0);
    buf_init(&body, 0);
    msg_put_map(&body, 4);
    msg_put_pair(&body, "XIVO_USERID", view_cstr(user));
    msg_put_pair(&body, "Function", view_cstr(function));
    msg_put_pair(&body, "Status", view_cstr(status));
    msg_put_pair(&body, value_name, view_cstr(value));
    assert_int_equal(msg_parse(&doc, buf_view(&body)), 0);
    t.str[TELF_name] = VIEW("Feature");
    t.headers = &doc.root;
    feature_event(w->s.s, w->s.ipbx, &t);
    msg_doc_fini(&doc);
    buf_free(&body);
}

/* ---- out ---- */

static void services_are_written(void **state)
{
    struct world *w = *state;

    link_up(w);
    put(w, "enablednd", "true");
    put(w, "fwd", "{\"destunc\":\"1002\"}"); /* it is off: that does not matter to calls */
    put(w, "fwd", "{\"enableunc\":true}");
    put(w, "fwd", "{\"destunc\":\"0612\"}");
    put(w, "fwd", "{\"enablebusy\":1,\"enablerna\":1,\"destrna\":\"1003\"}");
    put(w, "incallfilter", "true"); /* it has no key */
    settle(w);
    assert_string_equal(w->seen, "DBPut DND 1001 YES\nDBPut DND 1011 YES\n"
                                 "DBPut CF 1001 1002\nDBPut CF 1011 1002\n"
                                 "DBPut CF 1001 0612\nDBPut CF 1011 0612\n"
                                 "DBPut CFB 1001 1009\nDBPut CFB 1011 1009\n"
                                 "DBPut CFU 1001 1003\nDBPut CFU 1011 1003\n");
    w->seen[0] = '\0';
    put(w, "enablednd", "false");
    put(w, "fwd", "{\"enableunc\":0,\"destunc\":\"1002\"}");
    settle(w);
    assert_string_equal(w->seen, "DBDel DND 1001\nDBDel DND 1011\nDBDel CF 1001\nDBDel CF 1011\n");
}

static void templates_and_devices_are_free(void **state)
{
    struct world *w = *state;

    link_up(w);
    put(w, "enablednd", "true");
    put(w, "fwd", "{\"enableunc\":true,\"destunc\":\"1002\"}");
    put(w, "fwd", "{\"enablerna\":true,\"destrna\":\"1003\"}");
    put(w, "callrecord", "true");
    settle(w);
#define DEVICE(name, state) "Setvar DEVICE_STATE(Custom:" name ") " state "\n"
    assert_string_equal(
        w->seen,
        "DBPut DND 1001 1\n"
        "DBPut DND 1011 1\n" DEVICE("DND1001", "INUSE") DEVICE("DND1011", "INUSE")
            DEVICE("CF1001", "INUSE")
                DEVICE("CF1011", "INUSE") "DBPut CFU 1001 1003\n"
                                          "DBPut CFU 1011 1003\n" DEVICE("RNA1001", "INUSE")
                                              DEVICE("RNA1011", "INUSE") "DBPut rec 1 1\n");
    w->seen[0] = '\0';
    put(w, "enablednd", "false");
    settle(w);
    assert_string_equal(w->seen, "DBDel DND 1001\n"
                                 "DBDel DND 1011\n" DEVICE("DND1001", "NOT_INUSE")
                                     DEVICE("DND1011", "NOT_INUSE"));
}

static void nothing_is_written_unless_it_is_asked_for(void **state)
{
    struct world *w = *state;

    link_up(w);
    put(w, "enablednd", "true");
    device(w, TEL_device_custom, "Custom:DND1001");
    settle(w);
    assert_string_equal(w->seen, "");
    assert_int_equal(deferred_actions_count(w->s.s->deferred_actions), 0);
}

static void what_was_set_while_the_link_was_down_wins(void **state)
{
    struct world *w = *state;

    db_put(w, "CF/1001", "1005");
    db_put(w, "CFB/1001", "1006");
    put(w, "enablednd", "true");
    put(w, "fwd", "{\"enableunc\":true,\"destunc\":\"1002\"}");
    put(w, "fwd", "{\"enableunc\":false}"); /* the last one counts */
    w->holds = true; /* what is read is older than the answers to what is written */
    peer_login(&w->p, 3);
    resync(w);
    UNTIL(w->s.loop, w->n_held == 8); /* four are written, four families are read */
    answer_held(w);
    settle(w);
    assert_true(on(w, "1", DND));
    assert_string_equal(db_find(w, "DND/1001"), "YES");
    assert_null(db_find(w, "CF/1001"));
    assert_false(on(w, "1", UNC));
    UNTIL(w->s.loop, on(w, "1", XOD(users, enablebusy))); /* that was set at the phone */
    assert_string_equal(text(w, "1", XOD(users, destbusy)), "1006");
}

/* ---- back ---- */

static void services_are_read_after_a_resync(void **state)
{
    struct world *w = *state;

    db_put(w, "DND/1001", "YES");
    db_put(w, "DND/1002", "NO");
    db_put(w, "CF/1002", "0612");
    db_put(w, "CF/1002/x", "7"); /* another key */
    peer_login(&w->p, 3);
    resync(w);
    UNTIL(w->s.loop, on(w, "1", DND) && on(w, "2", UNC));
    settle(w);
    assert_string_equal(text(w, "2", DESTUNC), "0612");
    assert_false(on(w, "2", DND));
    UNTIL(w->s.loop, db_find(w, "DND/1011")); /* the other phone is given it */
    assert_string_equal(w->seen, "DBGetTree DND\nDBGetTree CF\nDBGetTree CFB\nDBGetTree CFU\n"
                                 "DBPut DND 1011 YES\n"); /* only */
}

/* DBGetTree came with Asterisk 20. */
static void without_trees_keys_are_read_one_by_one(void **state)
{
    struct world *w = *state;

    w->no_tree = true;
    db_put(w, "DND/1001", "YES");
    db_put(w, "CF/1002", "0612");
    peer_login(&w->p, 3);
    resync(w);
    UNTIL(w->s.loop, on(w, "1", DND) && on(w, "2", UNC));
    assert_string_equal(text(w, "2", DESTUNC), "0612");
    settle(w);
    assert_string_equal(w->seen, "DBGetTree DND\nDBGetTree CF\nDBGetTree CFB\nDBGetTree CFU\n"
                                 "DBGet DND 1001\nDBGet DND 1011\nDBGet CF 1001\nDBGet CF 1011\n"
                                 "DBGet CFB 1001\nDBGet CFB 1011\nDBGet CFU 1001\nDBGet CFU 1011\n"
                                 "DBGet DND 1002\nDBGet CF 1002\nDBGet CFB 1002\nDBGet CFU 1002\n"
                                 "DBPut DND 1011 YES\n");
}

static void what_is_gone_is_off(void **state)
{
    struct world *w = *state;

    link_up(w);
    put(w, "enablednd", "true");
    put(w, "fwd", "{\"enableunc\":true,\"destunc\":\"1002\"}");
    settle(w);
    db_del(w, "DND/1001");
    db_del(w, "CF/1001");
    resync(w);
    UNTIL(w->s.loop, !on(w, "1", DND) && !on(w, "1", UNC));
    assert_string_equal(text(w, "1", DESTUNC), "1002"); /* it stays for the next time */
    settle(w);
    assert_non_null(strstr(w->seen, "DBGetTree DND\n"));
    assert_null(strstr(w->seen, "DBDel DND 1001"));     /* what was read is not written */
    assert_non_null(strstr(w->seen, "DBDel DND 1011")); /* but at the other phone */
    assert_non_null(strstr(w->seen, "DBDel CF 1011"));
}

/* A feature code at the phone: the dialplan changes the key and a device. */
static void a_device_makes_the_keys_be_read(void **state)
{
    struct world *w = *state;
    uint64_t seq;

    link_up(w);
    seq = publisher_seq(w->s.s->publisher);
    db_put(w, "DND/1002", "YES");
    device(w, TEL_device_custom, "Custom:DND1002");
    device(w, TEL_device_hint, "Custom:DND1002"); /* its hint */
    UNTIL(w->s.loop, on(w, "2", DND));
    settle(w);
    assert_string_equal(w->seen, "DBGet DND 1002\nDBGet CF 1002\nDBGet CFB 1002\nDBGet CFU 1002\n");
    assert_int_equal(publisher_seq(w->s.s->publisher), seq + 1); /* told once */
    db_del(w, "DND/1002");
    device(w, TEL_device_hint, "Custom:DND1002");
    UNTIL(w->s.loop, !on(w, "2", DND));
    assert_int_equal(publisher_seq(w->s.s->publisher), seq + 2);
}

static void other_devices_say_nothing(void **state)
{
    struct world *w = *state;

    device(w, TEL_device_custom, "Custom:DND1001"); /* nothing is listed yet */
    link_up(w);
    device(w, TEL_device_hint, "SIP/1001");
    device(w, TEL_device_hint, "SIP/1001&Custom:DND1001"); /* changes with each call */
    device(w, TEL_device_custom, "Custom:lamp12");
    device(w, TEL_device_custom, "Custom:lamp");
    device(w, TEL_device_custom, "");
    device(w, TEL_link_up, "Custom:DND1001");
    device(w, TEL_device_custom, "CustomPresence:1002"); /* the last one */
    UNTIL(w->s.loop, strstr(w->seen, "DBGet CFU 1002"));
    assert_null(strstr(w->seen, "1001"));
}

/* A lamp that blinks does not put off the reading of others, nor does one that waits already. */
static void one_that_changes_all_the_time_keeps_nobody_waiting(void **state)
{
    struct world *w = *state;

    link_up(w);
    db_put(w, "DND/1002", "YES");
    device(w, TEL_device_custom, "Custom:DND1002");
    for (int i = 0; !on(w, "2", DND); i++) {
        assert_true(i < 500);
        device(w, TEL_device_custom, i % 2 ? "Custom:DND1001" : "Custom:DND1002");
        loop_once(w->s.loop, 20);
    }
}

static void what_is_no_number_is_left(void **state)
{
    struct world *w = *state;

    link_up(w);
    db_put(w, "CF/1002", "10\r\n02");
    db_put(w, "DND/1002", "YES");
    device(w, TEL_device_custom, "Custom:CF1002");
    UNTIL(w->s.loop, on(w, "2", DND));
    settle(w);
    assert_false(on(w, "2", UNC));
}

/* Two at once: what the client set last is what stays, here and there. */
static void what_is_set_while_it_is_read_wins(void **state)
{
    struct world *w = *state;

    link_up(w);
    db_put(w, "DND/1001", "YES");
    db_put(w, "DND/1002", "YES");
    w->holds = true;
    resync(w);
    UNTIL(w->s.loop, w->n_held == 4); /* read, and not told yet */
    put(w, "enablednd", "true");
    put(w, "enablednd", "false");
    UNTIL(w->s.loop, w->n_held == 8);
    answer_held(w);
    settle(w);
    UNTIL(w->s.loop, on(w, "2", DND));
    assert_false(on(w, "1", DND));
    assert_null(db_find(w, "DND/1001"));
}

static void a_refused_change_shows_what_is_there(void **state)
{
    struct world *w = *state;

    link_up(w);
    w->denies = "DBPut";
    put(w, "enablednd", "true");
    UNTIL(w->s.loop, !on(w, "1", DND));
    settle(w);
    w->denies = "DBGetTree"; /* nothing is known: nothing changes */
    db_put(w, "DND/1002", "YES");
    resync(w);
    settle(w);
    assert_false(on(w, "2", DND));
}

/* ---- XiVO's table ---- */

static void what_is_for_a_database_waits_for_it(void **state)
{
    struct world *w = *state;
    const struct deferred_actions *deferred = w->s.s->deferred_actions;
    struct config *cfg;

    peer_login(&w->p, 3);
    resync(w);
    put(w, "enablednd", "true");
    put(w, "fwd", "{\"enableunc\":true,\"destunc\":\"1002\"}");
    put(w, "fwd", "{\"destunc\":\"1003\"}"); /* of each service the last one */
    assert_int_equal(deferred_actions_count(deferred), 2);
    assert_true(on(w, "1", DND));
    event(w, "1", "dnd", "0", "x", "");
    device(w, TEL_device_custom, "Custom:DND1001");
    UNTIL(w->s.loop, !on(w, "1", DND));
    resync(w);
    peer_ask(&w->p, METHOD_admin_sessions, "{}");
    assert_int_equal(deferred_actions_count(deferred), 2);
    assert_string_equal(w->seen, ""); /* Asterisk has nothing to do with it */

    /* it is configured no more: nobody will ever take what waits */
    state_write(&w->s, "ctibus.json", CONFIG(""));
    cfg = w->s.cfg;
    w->s.cfg = state_config(&w->s);
    state_reload(w->s.s, w->s.cfg);
    config_destroy(&cfg);
    resync(w);
    assert_int_equal(deferred_actions_count(deferred), 0);
    peer_ask(&w->p, METHOD_admin_sessions, "{}");
    assert_string_equal(w->seen, "");
}

/* ---- several phones of one user ---- */

static void what_changes_at_one_phone_reaches_the_others(void **state)
{
    struct world *w = *state;

    link_up(w);
    db_put(w, "DND/1011", "YES");
    db_put(w, "CF/1011", "1005");
    device(w, TEL_device_custom, "Custom:DND1011");
    UNTIL(w->s.loop, on(w, "1", DND) && on(w, "1", UNC));
    assert_string_equal(text(w, "1", DESTUNC), "1005");
    UNTIL(w->s.loop, db_find(w, "DND/1001") && db_find(w, "CF/1001"));
    assert_null(strstr(w->seen, "DBPut DND 1011")); /* what was read is not written */
    db_del(w, "DND/1011");
    db_put(w, "CF/1001", "1006");
    device(w, TEL_device_custom, "Custom:DND1011");
    UNTIL(w->s.loop, !on(w, "1", DND) && !db_find(w, "DND/1001"));
    UNTIL(w->s.loop, strcmp(db_find(w, "CF/1011"), "1006") == 0);
    assert_string_equal(text(w, "1", DESTUNC), "1006");
    settle(w);
    w->seen[0] = '\0';
    resync(w);
    settle(w);
    assert_null(strstr(w->seen, "DBPut")); /* all are the same */
    assert_null(strstr(w->seen, "DBDel"));
}

static void a_new_phone_is_given_what_the_user_has(void **state)
{
    struct world *w = *state;

    db_put(w, "DND/1001", "YES");
    db_put(w, "CFU/1011", "1005"); /* somebody else had this phone before */
    link_up(w);
    UNTIL(w->s.loop, on(w, "1", DND) && db_find(w, "DND/1011"));
    assert_false(on(w, "1", XOD(users, enablerna)));
    assert_null(db_find(w, "CFU/1011"));
    assert_null(db_find(w, "CFU/1001"));
}

static void devices_of_the_others_are_set(void **state)
{
    struct world *w = *state;

    link_up(w);
    db_put(w, "DND/1011", "1");
    device(w, TEL_device_custom, "Custom:DND1011");
    UNTIL(w->s.loop, on(w, "1", DND) && strstr(w->seen, "Setvar"));
    assert_non_null(strstr(w->seen, "Setvar DEVICE_STATE(Custom:DND1001) INUSE\n"));
    assert_null(strstr(w->seen, "Setvar DEVICE_STATE(Custom:DND1011)"));
    db_put(w, "rec/1", "1"); /* the user's, whatever phones there are */
    w->seen[0] = '\0';
    device(w, TEL_device_custom, "Custom:DND1011");
    UNTIL(w->s.loop, on(w, "1", XOD(users, callrecord)));
    settle(w);
    assert_null(strstr(w->seen, "DBPut"));
}

/* Then phones cannot be kept the same: they must not take turns in being right for ever. */
static void where_nothing_can_be_written_the_main_line_counts(void **state)
{
    struct world *w = *state;
    int n = 0;

    link_up(w);
    w->denies = "DBPut";
    db_put(w, "CF/1011", "1005");
    device(w, TEL_device_custom, "Custom:CF1011");
    UNTIL(w->s.loop, strstr(w->seen, "DBPut CF 1001"));
    UNTIL(w->s.loop, !on(w, "1", UNC));
    settle(w);
    for (const char *at = w->seen; (at = strstr(at, "DBPut")); at++)
        n++;
    assert_int_equal(n, 1);
    w->denies = NULL;
    db_put(w, "CF/1011", "1007");
    resync(w); /* what is permitted may be something else now */
    UNTIL(w->s.loop, db_find(w, "CF/1001"));
    assert_string_equal(text(w, "1", DESTUNC), "1007");
}

/* ---- UserEvent(Feature) ---- */

static void the_dialplan_says_what_was_changed(void **state)
{
    struct world *w = *state;

    link_up(w);
    event(w, "2", "dnd", "1", "x", "");
    event(w, "2", "unc", "1", " Value", "1003"); /* "Status: 1, Value: 1003" */
    event(w, "2", "rna", "1", "Value", "");      /* to nobody */
    event(w, "2", "busy", "1", "Value", "1004");
    event(w, "2", "vm", "1", "x", "");
    event(w, "2", "nosuch", "1", "x", "");
    event(w, "9", "dnd", "1", "x", "");
    event(w, "1", "dnd", "", "x", "");
    event(w, "2", "callrecord", "1", "x", "");
    UNTIL(w->s.loop, on(w, "2", XOD(users, callrecord)));
    assert_true(on(w, "2", DND));
    assert_true(on(w, "2", XOD(users, enablevoicemail)));
    assert_string_equal(text(w, "2", DESTUNC), "1003");
    assert_true(on(w, "2", UNC));
    assert_true(on(w, "2", XOD(users, enablebusy)));
    assert_false(on(w, "2", XOD(users, enablerna)));
    assert_false(on(w, "1", DND));
    settle(w);
    assert_string_equal(db_find(w, "CF/1002"), "1003"); /* a dialplan that obeys it does so, too */
    event(w, "2", "unc", "0", "x", "");
    UNTIL(w->s.loop, !on(w, "2", UNC));
    assert_string_equal(text(w, "2", DESTUNC), "1003");
    event(w, "2", "unc", "1", "x", ""); /* to where it went before */
    UNTIL(w->s.loop, on(w, "2", UNC));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(services_are_written),
        cmocka_unit_test_setup_teardown(templates_and_devices_are_free, setup_both, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_written_unless_it_is_asked_for, setup_none,
                                        teardown),
        T(what_was_set_while_the_link_was_down_wins),
        T(services_are_read_after_a_resync),
        T(without_trees_keys_are_read_one_by_one),
        T(what_is_gone_is_off),
        T(a_device_makes_the_keys_be_read),
        T(other_devices_say_nothing),
        T(one_that_changes_all_the_time_keeps_nobody_waiting),
        T(what_is_no_number_is_left),
        T(what_is_set_while_it_is_read_wins),
        T(a_refused_change_shows_what_is_there),
        cmocka_unit_test_setup_teardown(what_is_for_a_database_waits_for_it, setup_table, teardown),
        T(what_changes_at_one_phone_reaches_the_others),
        T(a_new_phone_is_given_what_the_user_has),
        cmocka_unit_test_setup_teardown(devices_of_the_others_are_set, setup_both, teardown),
        T(where_nothing_can_be_written_the_main_line_counts),
        T(the_dialplan_says_what_was_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
