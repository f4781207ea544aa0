/* CURVE: key files, and what each role may do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "bus/cert.h"
#include "bus/keystore.h"
#include "support/bus.h"

/* ---- key files ---- */

struct files {
    char dir[64];
    char server[128], own[128], allow[128], store[128];
};

static int make_files(void **state)
{
    struct files *f = calloc(1, sizeof(*f));

    *state = f;
    strcpy(f->dir, "/tmp/ctibus-keys-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->server, sizeof(f->server), "%s/server", f->dir);
    snprintf(f->own, sizeof(f->own), "%s/own", f->dir);
    snprintf(f->allow, sizeof(f->allow), "%s/allow", f->dir);
    snprintf(f->store, sizeof(f->store), "%s/store", f->dir);
    return bus_keys_make(f->server, ROLE_GATEWAY, "state") == 0 &&
                   bus_keys_make(f->own, ROLE_MONITOR, NULL) == 0 && mkdir(f->store, 0700) == 0
               ? 0
               : -1;
}

static int drop_files(void **state)
{
    struct files *f = *state;
    zdir_t *dir = zdir_new(f->dir, NULL);

    zdir_remove(dir, true);
    zdir_destroy(&dir);
    free(f);
    return 0;
}

static void write_text(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static char *read_text(const char *path)
{
    static char text[CERT_MAX];
    FILE *in = fopen(path, "r");

    assert_non_null(in);
    text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
    fclose(in);
    return text;
}

static void keys_are_made_and_loaded(void **state)
{
    struct files *f = *state;
    struct bus_keys *k;
    char why[256] = "";
    char text[512];
    char own[KEY_SIZE];
    struct stat st;

    snprintf(text, sizeof(text), "%s_secret", f->own);
    assert_int_equal(stat(text, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(bus_keys_make(f->own, ROLE_NONE, NULL), -EEXIST); /* never over an old one */
    k = bus_keys_load(f->server, f->own, NULL, why, sizeof(why));
    assert_string_equal(why, "");
    assert_int_equal(strlen(k->own_secret), 40);
    assert_string_not_equal(k->own_public, k->server);
    memcpy(own, k->own_public, KEY_SIZE);
    assert_null(strstr(read_text(f->own), k->own_secret));
    snprintf(text, sizeof(text), "# who may come in\n\ngateway %s cti-gw on host2\nmonitor %s\n",
             k->own_public, k->server);
    write_text(f->allow, text);
    bus_keys_destroy(&k);
    k = bus_keys_load(f->server, f->server, f->allow, why, sizeof(why));
    assert_non_null(k);
    assert_int_equal(bus_keys_role(k, k->server), ROLE_MONITOR);
    assert_int_equal(bus_keys_role(k, own), ROLE_GATEWAY);
    assert_int_equal(bus_keys_role(k, "x"), ROLE_NONE);
    assert_int_equal(bus_keys_role(k, ""), ROLE_NONE);
    bus_keys_destroy(&k);
}

static void files_of_the_older_form_are_loaded(void **state)
{
    struct files *f = *state;
    char text[256];
    char pub[KEY_SIZE];
    char sec[KEY_SIZE];
    char why[256] = "";
    char path[160];
    struct bus_keys *k;

    zmq_curve_keypair(pub, sec);
    snprintf(path, sizeof(path), "%s.old", f->own);
    snprintf(text, sizeof(text), "# mine\n\n  public %s of host2\r\nsecret %s\n", pub, sec);
    write_text(path, text);
    k = bus_keys_load(path, path, NULL, why, sizeof(why));
    assert_string_equal(why, "");
    assert_string_equal(k->own_public, pub);
    assert_string_equal(k->own_secret, sec);
    assert_string_equal(k->server, pub);
    bus_keys_destroy(&k);
}

static void assert_refused(const char *server, const char *own, const char *allow,
                           const char *reason)
{
    char why[512] = "";

    assert_null(bus_keys_load(server, own, allow, why, sizeof(why)));
    if (!strstr(why, reason))
        fail_msg("\"%s\" is not in \"%s\"", reason, why);
}

static void bad_key_files_are_refused_with_a_reason(void **state)
{
    static const char key[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    struct files *f = *state;
    char path[160];
    char text[256];

    assert_refused("/nowhere/x", f->own, NULL, "/nowhere/x: No such file");
    assert_refused(f->server, f->own, "/nowhere/x", "/nowhere/x: No such file");
    assert_refused(f->server, f->dir, NULL, "not a file");
    snprintf(path, sizeof(path), "%s.copy", f->server);
    write_text(path, read_text(f->server));
    assert_refused(f->server, path, NULL, "a public and a secret key");
    write_text(path, "secret x\n");
    assert_refused(f->server, path, NULL, "not a key line: secret");
    snprintf(text, sizeof(text), "secret %s\n", key);
    write_text(path, text);
    assert_refused(f->server, path, NULL, "\"public KEY\" is missing");
    write_text(path, "curve\n    public-key = \"x\"\n");
    assert_refused(path, f->own, NULL, "not a key of 40 characters");
    write_text(path, "curve\n   public-key = \"x\"\n");
    assert_refused(path, f->own, NULL, "no public-key");
    write_text(f->allow, "gateway tooshort\n");
    assert_refused(f->server, f->own, f->allow, "allow:1: not a key line");
    snprintf(text, sizeof(text), "\n# x\nadmin %s\n", key);
    write_text(f->allow, text);
    assert_refused(f->server, f->own, f->allow, "allow:3: not a key line");
    snprintf(text, sizeof(text), "gateway %sx\n", key);
    write_text(f->allow, text);
    assert_refused(f->server, f->own, f->allow, "allow:1: not a key line");
}

/* ---- a store that changes ---- */

static enum bus_role role_of(struct keystore *k, const char *path)
{
    char why[256];
    zcert_t *cert = cert_read(path, why, sizeof(why));
    enum bus_role role;

    assert_non_null(cert);
    role = keystore_role(k, zcert_public_txt(cert));
    zcert_destroy(&cert);
    return role;
}

static void a_store_follows_its_directory(void **state)
{
    struct files *f = *state;
    struct keystore *k = keystore_new(f->store);
    char path[160];
    char other[160];
    char why[256];

    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1); /* it is empty */
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 0);
    assert_int_equal(role_of(k, f->own), ROLE_NONE);
    snprintf(path, sizeof(path), "%s/own.key", f->store);
    write_text(path, read_text(f->own));
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1);
    assert_int_equal(role_of(k, f->own), ROLE_MONITOR);
    snprintf(other, sizeof(other), "%s/own.key~",
             f->store); /* an editor's copy counts for nothing */
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1);
    assert_int_equal(role_of(k, f->own), ROLE_NONE);
    assert_int_equal(rename(other, path), 0);
    snprintf(other, sizeof(other), "%s/again.key", f->store); /* two files with one key */
    write_text(other, read_text(f->own));
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1);
    assert_int_equal(role_of(k, f->own), ROLE_MONITOR);
    unlink(path);
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1);
    assert_int_equal(role_of(k, f->own), ROLE_MONITOR);
    unlink(other);
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1);
    assert_int_equal(role_of(k, f->own), ROLE_NONE);
    assert_int_equal(keystore_version(k), 6);
    keystore_destroy(&k);
}

static void a_role_of_a_peer_is_not_for_files(void **state)
{
    struct files *f = *state;
    struct keystore *k = keystore_new(f->store);
    char path[160];
    char why[256];

    snprintf(path, sizeof(path), "%s/peer.key", f->store);
    assert_int_equal(bus_keys_make(path, ROLE_PEER, NULL), 0);
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1);
    assert_int_equal(role_of(k, path), ROLE_NONE);
    keystore_destroy(&k);
}

static void a_store_that_cannot_be_read_stays_as_it_was(void **state)
{
    struct files *f = *state;
    struct keystore *k = keystore_new(f->store);
    char path[160];
    char why[256] = "";

    snprintf(path, sizeof(path), "%s/own.key", f->store);
    write_text(path, read_text(f->own));
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1);
    snprintf(path, sizeof(path), "%s.away", f->store);
    assert_int_equal(rename(f->store, path), 0);
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, "No such file"));
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 0); /* told once */
    assert_int_equal(role_of(k, f->own), ROLE_MONITOR);
    assert_int_equal(rename(path, f->store), 0);
    assert_int_equal(keystore_refresh(k, false, NULL, why, sizeof(why)), 1);
    keystore_destroy(&k);
}

static void keys_of_the_program_are_added_once(void **state)
{
    struct bus_keys k = {.allowed = NULL};
    char pub[KEY_SIZE];
    char sec[KEY_SIZE];

    zmq_curve_keypair(pub, sec);
    assert_int_equal(bus_keys_role(&k, pub), ROLE_NONE);
    assert_int_equal(bus_keys_allow(&k, pub, ROLE_PEER), 0);
    assert_int_equal(bus_keys_allow(&k, pub, ROLE_GATEWAY), -EEXIST);
    assert_int_equal(bus_keys_allow(&k, "x", ROLE_PEER), -EINVAL);
    assert_int_equal(bus_keys_role(&k, pub), ROLE_PEER);
    assert_int_equal(keystore_refresh(k.allowed, true, NULL, NULL, 0), 0); /* there is no disk */
    keystore_destroy(&k.allowed);
}

/* ---- on the wire ---- */

struct member {
    struct bus_keys keys;
    struct process p;
    struct bus_sub *sub;
    struct bus_pub *pub;
    struct bus_client *bus_client;
    int got;
};

struct world {
    struct loop *loop;
    struct bus_keys keys;
    struct process state;
    struct bus_forwarder *fwd;
    struct bus_pub *pub;
    struct bus_server *server;
    struct bus_sub *sub;
    int got;
    int asked[METHOD_COUNT];
    struct member gateway, monitor, stranger;
};

static void count_state(void *arg, const struct bus_msg *m)
{
    ((struct world *)arg)->got++;
}

static void count_member(void *arg, const struct bus_msg *m)
{
    ((struct member *)arg)->got++;
}

static void no_request(void *arg, struct bus_peer *peer, uint64_t id, enum bus_method method,
                       const msgpack_object *body)
{
    struct world *w = arg;

    w->asked[method]++;
    bus_server_reply(w->server, peer, id, BUS_ok, view_of(NULL, 0));
}

struct status {
    bool there;
    enum bus_status is;
};

static void note_status(void *arg, enum bus_status status, const msgpack_object *body)
{
    *(struct status *)arg = (struct status){true, status};
}

/* What a member is answered to this request. */
static enum bus_status asks(struct world *w, struct member *m, enum bus_method method)
{
    struct status status = {false, BUS_gone};
    uint64_t id = bus_ask(m->bus_client, method, 0, view_of(NULL, 0), 5000, note_status, &status);

    for (int n = 0; id && !status.there && n < 1000; n++)
        run_for(w->loop, 10);
    return status.is;
}

static const struct bus_sub_handler state_sub = {count_state, NULL};
static const struct bus_sub_handler member_sub = {count_member, NULL};
static const struct bus_server_handler server_handler = {no_request, NULL, NULL};
static const struct bus_client_handler asker_handler = {NULL, NULL, NULL};

static void start_state(struct world *w)
{
    int err = 0;

    strcpy(w->keys.server, w->keys.own_public);
    w->state = process_start(w->loop, "state@test", "state", &w->keys);
    w->fwd = bus_forwarder_new(w->state.bus, "tcp://0.0.0.0:*", "tcp://127.0.0.1:*", NULL, &err);
    assert_int_equal(err, 0); /* with CURVE an open address is no matter */
    w->pub = bus_pub_new(w->state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    w->sub = bus_sub_new(w->state.bus, BUS_INPROC_SUBSCRIBE, &state_sub, w, &err);
    bus_sub_add(w->sub, VIEW("tel/"));
    w->server = bus_server_new(w->state.bus, "tcp://127.0.0.1:*", NULL, "s", &server_handler, w,
                               w->pub, &err);
    assert_int_equal(err, 0);
}

static void start_member(struct world *w, struct member *m, const char *name)
{
    int err = 0;
    char publish[64];

    snprintf(publish, sizeof(publish), "tcp://127.0.0.1%s",
             strrchr(bus_forwarder_publish(w->fwd), ':'));
    m->p = process_start(w->loop, name, name, &m->keys);
    m->sub = bus_sub_new(m->p.bus, bus_forwarder_subscribe(w->fwd), &member_sub, m, &err);
    bus_sub_add(m->sub, VIEW("xod/"));
    m->pub = bus_pub_new(m->p.bus, publish, NULL, NULL, &err);
    m->bus_client =
        bus_client_new(m->p.bus, bus_server_endpoint(w->server), name, &asker_handler, m, &err);
    assert_int_equal(err, 0);
}

static void stop_member(struct member *m)
{
    bus_sub_destroy(&m->sub);
    bus_pub_destroy(&m->pub);
    bus_client_destroy(&m->bus_client);
    process_end(&m->p);
}

static void stop_state(struct world *w)
{
    bus_server_destroy(&w->server);
    bus_sub_destroy(&w->sub);
    bus_pub_destroy(&w->pub);
    bus_forwarder_destroy(&w->fwd);
    process_end(&w->state);
    keystore_destroy(&w->keys.allowed);
}

static void each_key_may_do_what_its_role_permits(void **state)
{
    struct world w = {.loop = loop_new()};
    struct member *all[] = {&w.gateway, &w.monitor, &w.stranger};
    static const char *const names[] = {"gateway", "monitor", "stranger"};

    zmq_curve_keypair(w.keys.own_public, w.keys.own_secret);
    for (int i = 0; i < 3; i++) {
        zmq_curve_keypair(all[i]->keys.own_public, all[i]->keys.own_secret);
        strcpy(all[i]->keys.server, w.keys.own_public);
        if (i < 2)
            bus_keys_allow(&w.keys, all[i]->keys.own_public, i == 0 ? ROLE_GATEWAY : ROLE_MONITOR);
    }
    start_state(&w);
    for (int i = 0; i < 3; i++)
        start_member(&w, all[i], names[i]);
    for (int n = 0; n < 1000 && (w.gateway.got < 50 || w.monitor.got < 50 || w.got < 50); n++) {
        bus_pub_send(w.pub, VIEW("xod/x/config/users/5/"), VIEW("\x80"));
        bus_pub_send(w.gateway.pub, VIEW("tel/x/channel/new/"), VIEW("\x80"));
        run_for(w.loop, 10);
    }
    assert_true(w.gateway.got >= 50 && w.monitor.got >= 50 && w.got >= 50);
    assert_true(bus_client_is_up(w.gateway.bus_client));
    assert_true(bus_client_is_up(w.monitor.bus_client)); /* which asks for what is there */
    for (enum bus_method method = 0; method < METHOD_COUNT; method++) {
        bool answered_by_bus =
            method == METHOD_hello || method == METHOD_ping || method == METHOD_echo;
        if (answered_by_bus)
            continue;
        assert_int_equal(asks(&w, &w.monitor, method),
                         method == METHOD_snapshot ? BUS_ok : BUS_denied);
        assert_int_equal(asks(&w, &w.gateway, method), BUS_ok);
        assert_int_equal(w.asked[method], method == METHOD_snapshot ? 2 : 1);
    }
    assert_false(bus_pub_wanted(w.monitor.pub, VIEW("tel/")));
    assert_int_equal(w.stranger.got, 0);
    assert_false(bus_client_is_up(w.stranger.bus_client));
    assert_false(bus_pub_wanted(w.stranger.pub, VIEW("tel/")));
    for (int i = 0; i < 3; i++)
        stop_member(all[i]);
    stop_state(&w);
    loop_destroy(&w.loop);
}

/* A raw socket with the key of a member. */
static void *raw_as(const struct world *w, const struct member *m, int type, const char *endpoint)
{
    void *raw = zmq_socket(bus_zmq(m->p.bus), type);

    assert_non_null(raw);
    zmq_setsockopt(raw, ZMQ_CURVE_SERVERKEY, w->keys.own_public, KEY_SIZE);
    zmq_setsockopt(raw, ZMQ_CURVE_PUBLICKEY, m->keys.own_public, KEY_SIZE);
    zmq_setsockopt(raw, ZMQ_CURVE_SECRETKEY, m->keys.own_secret, KEY_SIZE);
    zmq_setsockopt(raw, ZMQ_LINGER, &(int){0}, sizeof(int));
    assert_int_equal(zmq_connect(raw, endpoint), 0);
    return raw;
}

/* A peer hears and asks; what is published is ours. */
static void the_key_of_a_peer_may_not_publish(void **state)
{
    struct world w = {.loop = loop_new()};
    char publish[64];
    void *raw;
    int refused;

    zmq_curve_keypair(w.keys.own_public, w.keys.own_secret);
    zmq_curve_keypair(w.gateway.keys.own_public, w.gateway.keys.own_secret);
    strcpy(w.gateway.keys.server, w.keys.own_public);
    bus_keys_allow(&w.keys, w.gateway.keys.own_public, ROLE_PEER);
    bus_keys_allow(&w.keys, w.keys.own_public, ROLE_GATEWAY);
    start_state(&w);
    start_member(&w, &w.gateway, "peer");
    for (int n = 0; n < 2000 && (w.gateway.got < 5 || !bus_client_is_up(w.gateway.bus_client));
         n++) {
        bus_pub_send(w.pub, VIEW("xod/x/config/users/5/"), VIEW("\x80"));
        run_for(w.loop, 10);
    }
    assert_true(w.gateway.got >= 5);
    assert_true(bus_client_is_up(w.gateway.bus_client));
    bus_pub_destroy(&w.gateway.pub);
    refused = counted(w.state.bus->counts.refused);
    snprintf(publish, sizeof(publish), "tcp://127.0.0.1%s",
             strrchr(bus_forwarder_publish(w.fwd), ':'));
    raw = raw_as(&w, &w.gateway, ZMQ_PUB, publish);
    for (int n = 0; n < 2000 && w.got == 0 && counted(w.state.bus->counts.refused) == refused;
         n++) {
        assert_int_equal(zmq_send(raw, "tel/x/channel/new/", 18, ZMQ_SNDMORE), 18);
        assert_int_equal(zmq_send(raw, "\x95\x01\xa1s\x01\0\xcb\0\0\0\0\0\0\0\0", 15, ZMQ_SNDMORE),
                         15);
        assert_int_equal(zmq_send(raw, "\x80", 1, 0), 1);
        run_for(w.loop, 10);
    }
    assert_int_equal(w.got, 0);
    assert_true(counted(w.state.bus->counts.refused) > refused);
    zmq_close(raw);
    stop_member(&w.gateway);
    stop_state(&w);
    loop_destroy(&w.loop);
}

/* ---- the plane cti/ ---- */

static void note_topic(void *arg, const struct bus_msg *m)
{
    struct buf *heard = arg;

    buf_printf(heard, "%.*s|", VIEW_ARG(m->topic));
}

static const struct bus_sub_handler note_sub = {note_topic, NULL};

static bool has(const struct buf *heard, const char *topic)
{
    return buf_len(heard) && memmem(buf_data(heard), buf_len(heard), topic, strlen(topic)) != NULL;
}

/* What a key of that role hears with these subscriptions, up to the end mark. */
static void listen_as(enum bus_role role, const char *const *prefixes, struct buf *heard)
{
    static const char *const topics[] = {"cti/x/user/1/", "cti/",   "ctj/x/",   "ct/x/", "c/",
                                         "cti!/",         "svc/x/", "\xc3\xa9/"};
    struct world w = {.loop = loop_new()};
    struct bus_sub *s;
    int err = 0;

    zmq_curve_keypair(w.keys.own_public, w.keys.own_secret);
    zmq_curve_keypair(w.monitor.keys.own_public, w.monitor.keys.own_secret);
    strcpy(w.monitor.keys.server, w.keys.own_public);
    bus_keys_allow(&w.keys, w.monitor.keys.own_public, role);
    start_state(&w);
    w.monitor.p = process_start(w.loop, "m", "m", &w.monitor.keys);
    s = bus_sub_new(w.monitor.p.bus, bus_forwarder_subscribe(w.fwd), &note_sub, heard, &err);
    for (; *prefixes; prefixes++)
        bus_sub_add(s, view_cstr(*prefixes));
    bus_sub_add(s, VIEW("all/"));
    for (int n = 0; n < 1000 && !has(heard, "all/|"); n++) { /* then the others are in force, too */
        bus_pub_send(w.pub, VIEW("all/"), VIEW("\x80"));
        run_for(w.loop, 10);
    }
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
        bus_pub_send(w.pub, view_cstr(topics[i]), VIEW("\x80"));
    bus_pub_send(w.pub, VIEW("all/end/"), VIEW("\x80"));
    for (int n = 0; n < 1000 && !has(heard, "all/end/|"); n++)
        run_for(w.loop, 10);
    assert_true(has(heard, "all/end/|"));
    bus_sub_destroy(&s);
    process_end(&w.monitor.p);
    stop_state(&w);
    loop_destroy(&w.loop);
}

static void a_monitor_gets_all_but_the_plane_of_clients(void **state)
{
    static const char *const wishes[][6] = {
        {"", NULL}, {"c", "", NULL}, {"cti", "ct", "c", "", NULL}, {"cti/", "cti/x/", "", NULL}};
    static const char *const only[] = {"cti/", "cti/x/user/1/", "cti", NULL};
    struct buf heard;

    buf_init(&heard, 0);
    for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
        buf_reset(&heard);
        listen_as(ROLE_MONITOR, wishes[i], &heard);
        assert_false(has(&heard, "cti/"));
        assert_true(has(&heard, "ctj/x/|") && has(&heard, "ct/x/|") && has(&heard, "c/|"));
        assert_true(has(&heard, "cti!/|") && has(&heard, "svc/x/|"));
        assert_true(has(&heard, "\xc3\xa9/|"));
    }
    buf_reset(&heard);
    listen_as(ROLE_MONITOR, only, &heard);
    assert_false(has(&heard, "cti/"));
    assert_true(has(&heard, "cti!/|"));
    buf_reset(&heard);
    listen_as(ROLE_GATEWAY, wishes[0], &heard);
    assert_true(has(&heard, "cti/x/user/1/|") && has(&heard, "cti/|") && has(&heard, "svc/x/|"));
    buf_free(&heard);
}

/* A subscription that ends, or that was none, is not the end of others'. */
static void a_monitor_cannot_end_the_subscriptions_of_others(void **state)
{
    struct world w = {.loop = loop_new()};
    struct member *all[] = {&w.gateway, &w.monitor};
    int before;

    zmq_curve_keypair(w.keys.own_public, w.keys.own_secret);
    for (int i = 0; i < 2; i++) {
        zmq_curve_keypair(all[i]->keys.own_public, all[i]->keys.own_secret);
        strcpy(all[i]->keys.server, w.keys.own_public);
        bus_keys_allow(&w.keys, all[i]->keys.own_public, i == 0 ? ROLE_GATEWAY : ROLE_MONITOR);
    }
    start_state(&w);
    start_member(&w, &w.gateway, "gateway");
    start_member(&w, &w.monitor, "monitor");
    void *raw = raw_as(&w, &w.monitor, ZMQ_XSUB, bus_forwarder_subscribe(w.fwd));
    for (int n = 0; n < 1000 && (w.gateway.got < 5 || w.monitor.got < 5); n++) {
        bus_pub_send(w.gateway.pub, VIEW("xod/x/config/users/5/"), VIEW("\x80"));
        run_for(w.loop, 10);
    }
    for (int i = 0; i < 5; i++) {
        zmq_send(raw, "\1xod/", 5, 0);
        zmq_send(raw, "\0xod/", 5, 0);
        zmq_send(raw, "\0xod/", 5, 0);
    }
    run_for(w.loop, 200);
    zmq_close(raw);
    stop_member(&w.monitor);
    before = w.gateway.got;
    for (int n = 0; n < 1000 && w.gateway.got < before + 20; n++) {
        bus_pub_send(w.gateway.pub, VIEW("xod/x/config/users/5/"), VIEW("\x80"));
        run_for(w.loop, 10);
    }
    assert_true(w.gateway.got >= before + 20);
    stop_member(&w.gateway);
    stop_state(&w);
    loop_destroy(&w.loop);
}

/* What libzmq has, it looks at when something is sent, not more than once in a millisecond. */
static void let_it_come(struct world *w)
{
    usleep(60000);
    bus_pub_send_unnumbered(w->pub, VIEW("xod/echo/x/"), VIEW("\x80"));
}

static int cti_heard(void *raw)
{
    struct frames f;
    int n = 0;

    while (frames_recv(raw, &f)) {
        n += f.n > 0 && view_starts(frame_view(&f, 0), VIEW("cti/"));
        frames_close(&f);
    }
    return n;
}

/* With XPUB_MANUAL libzmq (4.3.4) sets it on another connection when a subscriber has sent before
 * what is no subscription. */
static void a_subscription_is_never_anothers(void **state)
{
    struct world w = {.loop = loop_new()};
    struct member *all[] = {&w.gateway, &w.monitor};
    void *hostile, *gateway;
    int leaked = 0, heard = 0;

    zmq_curve_keypair(w.keys.own_public, w.keys.own_secret);
    for (int i = 0; i < 2; i++) {
        zmq_curve_keypair(all[i]->keys.own_public, all[i]->keys.own_secret);
        strcpy(all[i]->keys.server, w.keys.own_public);
        bus_keys_allow(&w.keys, all[i]->keys.own_public, i == 0 ? ROLE_GATEWAY : ROLE_MONITOR);
    }
    start_state(&w);
    start_member(&w, &w.gateway, "gateway");
    start_member(&w, &w.monitor, "monitor");
    hostile = raw_as(&w, &w.monitor, ZMQ_XSUB, bus_forwarder_subscribe(w.fwd));
    gateway = raw_as(&w, &w.gateway, ZMQ_XSUB, bus_forwarder_subscribe(w.fwd));
    for (int n = 0; n < 1000 && (w.gateway.got < 5 || w.monitor.got < 5); n++) {
        bus_pub_send(w.pub, VIEW("xod/x/config/users/5/"), VIEW("\x80"));
        run_for(w.loop, 10);
    }
    zmq_send(hostile, "\2u", 2, 0);
    zmq_send(hostile, "\2u", 2, 0);
    let_it_come(&w);
    zmq_send(gateway, "\1cti/", 5, 0);
    let_it_come(&w);
    zmq_send(hostile, "\1hhh", 4, 0);
    let_it_come(&w);
    for (int n = 0; n < 1000 && heard < 20; n++) {
        bus_pub_send(w.pub, VIEW("cti/x/user/5/"), VIEW("\x80"));
        run_for(w.loop, 10);
        leaked += cti_heard(hostile);
        heard += cti_heard(gateway);
    }
    assert_int_equal(leaked, 0);
    assert_true(heard >= 20);
    zmq_close(hostile);
    zmq_close(gateway);
    stop_member(&w.gateway);
    stop_member(&w.monitor);
    stop_state(&w);
    loop_destroy(&w.loop);
}

static void who_speaks_in_clear_gets_nothing(void **state)
{
    struct world w = {.loop = loop_new()};
    struct bus_sub *s;
    struct member clear = {.got = 0};
    int err = 0;

    zmq_curve_keypair(w.keys.own_public, w.keys.own_secret);
    bus_keys_allow(&w.keys, w.keys.own_public, ROLE_GATEWAY);
    start_state(&w);
    clear.p = process_start(w.loop, "clear", "clear", NULL);
    s = bus_sub_new(clear.p.bus, bus_forwarder_subscribe(w.fwd), &member_sub, &clear, &err);
    bus_sub_add(s, VIEW(""));
    for (int n = 0; n < 50; n++) {
        bus_pub_send(w.pub, VIEW("tel/x/channel/new/"), VIEW("\x80"));
        run_for(w.loop, 10);
    }
    assert_true(w.got > 0);
    assert_int_equal(clear.got, 0);
    bus_sub_destroy(&s);
    process_end(&clear.p);
    stop_state(&w);
    loop_destroy(&w.loop);
}

static void nothing_binds_with_curve_before_somebody_guards_it(void **state)
{
    struct world w = {.loop = loop_new()};
    int err = 0;

    zmq_curve_keypair(w.keys.own_public, w.keys.own_secret);
    w.state = process_start(w.loop, "state@test", "state", &w.keys);
    assert_null(bus_server_new(w.state.bus, "tcp://127.0.0.1:*", NULL, "s", &server_handler, &w,
                               NULL, &err));
    assert_int_equal(err, -EACCES);
    process_end(&w.state);
    loop_destroy(&w.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_are_made_and_loaded, make_files, drop_files),
        cmocka_unit_test_setup_teardown(bad_key_files_are_refused_with_a_reason, make_files,
                                        drop_files),
        cmocka_unit_test_setup_teardown(files_of_the_older_form_are_loaded, make_files, drop_files),
        cmocka_unit_test_setup_teardown(a_store_follows_its_directory, make_files, drop_files),
        cmocka_unit_test_setup_teardown(a_role_of_a_peer_is_not_for_files, make_files, drop_files),
        cmocka_unit_test_setup_teardown(a_store_that_cannot_be_read_stays_as_it_was, make_files,
                                        drop_files),
        cmocka_unit_test(keys_of_the_program_are_added_once),
        cmocka_unit_test(each_key_may_do_what_its_role_permits),
        cmocka_unit_test(the_key_of_a_peer_may_not_publish),
        cmocka_unit_test(a_monitor_gets_all_but_the_plane_of_clients),
        cmocka_unit_test(a_monitor_cannot_end_the_subscriptions_of_others),
        cmocka_unit_test(a_subscription_is_never_anothers),
        cmocka_unit_test(who_speaks_in_clear_gets_nothing),
        cmocka_unit_test(nothing_binds_with_curve_before_somebody_guards_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
