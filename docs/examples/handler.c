/*
 * A program that answers one class of clients' messages, in C, with czmq and msgpack-c only:
 * nothing of ctibus is linked in.
 *
 *     handler [-k OWN.key -s STATE.key] [-e ENDPOINT]
 *
 * A client sends {"class": "crm_contract", "number": "0123456789"} and is told whose contract that
 * is. -k and -s are certificates of `ctibus keygen --role gateway` (docs/security.md): one's own,
 * with OWN.key_secret beside it, and the public one of state.
 *
 * It says hello to state, registers for the class, and answers each cti.message. Who says nothing
 * for 6 s is taken for gone, so it pings; when state was restarted it says hello anew.
 *
 * To build it by itself (Debian: libczmq-dev, libmsgpack-dev; where pkg-config knows no msgpack, it
 * is msgpack-c):
 *
 *     cc -o handler handler.c $(pkg-config --cflags --libs libczmq libzmq msgpack)
 */
#include <czmq.h>
#include <getopt.h>
#include <msgpack.h>

#define CLASS "crm_contract"
#define PING_MS 1000

struct program {
    zsock_t *state;
    uint64_t last_id, hello; /* of our requests; that of the last hello */
    uint64_t epoch;          /* of state, 0: not told yet */
};

/* ---- msgpack ---- */

static void put_text(msgpack_packer *pk, const char *text)
{
    msgpack_pack_str_with_body(pk, text, strlen(text));
}

static void put_pair(msgpack_packer *pk, const char *key, const char *text)
{
    put_text(pk, key);
    put_text(pk, text);
}

static bool is_text(const msgpack_object *o, const char *text)
{
    return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(text) &&
           memcmp(o->via.str.ptr, text, o->via.str.size) == 0;
}

/* The value under a key of a map, or NULL. */
static const msgpack_object *get(const msgpack_object *map, const char *key)
{
    if (!map || map->type != MSGPACK_OBJECT_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (is_text(&map->via.map.ptr[i].key, key))
            return &map->via.map.ptr[i].val;
    return NULL;
}

/* A whole number of a frame, or of a map; 0: it is none. */
static uint64_t number_of(const msgpack_object *o)
{
    return o && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? o->via.u64 : 0;
}

static bool unpack(zframe_t *frame, msgpack_unpacked *out)
{
    msgpack_unpacked_init(out);
    return msgpack_unpack_next(out, (char *)zframe_data(frame), zframe_size(frame), NULL) ==
           MSGPACK_UNPACK_SUCCESS;
}

/* ---- frames: 1, number, method or status, body ---- */

static void add_number(zmsg_t *msg, uint64_t number)
{
    msgpack_sbuffer bytes;
    msgpack_packer pk;

    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&pk, &bytes, msgpack_sbuffer_write);
    msgpack_pack_uint64(&pk, number);
    zmsg_addmem(msg, bytes.data, bytes.size);
    msgpack_sbuffer_destroy(&bytes);
}

/* A request with a number of our own (0), or the answer to that of a number. Frees the body. */
static uint64_t send_frames(struct program *p, uint64_t number, const char *word,
                            msgpack_sbuffer *body)
{
    zmsg_t *msg = zmsg_new();

    if (number == 0)
        number = ++p->last_id;
    add_number(msg, 1);
    add_number(msg, number);
    zmsg_addstr(msg, word);
    zmsg_addmem(msg, body->data, body->size);
    zmsg_send(&msg, p->state);
    msgpack_sbuffer_destroy(body);
    return number;
}

static void begin(msgpack_sbuffer *body, msgpack_packer *pk, size_t pairs)
{
    msgpack_sbuffer_init(body);
    msgpack_packer_init(pk, body, msgpack_sbuffer_write);
    msgpack_pack_map(pk, pairs);
}

static void send_empty(struct program *p, uint64_t number, const char *word)
{
    msgpack_sbuffer body;
    msgpack_packer pk;

    begin(&body, &pk, 0);
    send_frames(p, number, word, &body);
}

/* ---- what it says to state ---- */

static void say_hello(struct program *p)
{
    msgpack_sbuffer body;
    msgpack_packer pk;
    char instance[32];

    snprintf(instance, sizeof(instance), "contracts-%ld", (long)getpid());
    begin(&body, &pk, 3);
    put_pair(&pk, "service", "contracts");
    put_pair(&pk, "instance", instance);
    put_pair(&pk, "version", "1");
    p->epoch = 0;
    p->hello = send_frames(p, 0, "hello", &body);

    begin(&body, &pk, 3);
    put_pair(&pk, "kind", "cti");
    put_text(&pk, "classes");
    msgpack_pack_array(&pk, 1);
    put_text(&pk, CLASS);
    put_text(&pk, "required");
    msgpack_pack_array(&pk, 1);
    put_text(&pk, "number");
    send_frames(p, 0, "worker.register", &body);
}

/* {number: "0123456789"} -> {number: "0123456789", contract: "..."}: what is in the map becomes the
 * line that the client gets. */
static void answer(struct program *p, uint64_t id, const msgpack_object *request)
{
    const msgpack_object *number = get(get(request, "message"), "number");
    msgpack_sbuffer body;
    msgpack_packer pk;

    if (!number || number->type != MSGPACK_OBJECT_STR) {
        begin(&body, &pk, 1);
        put_pair(&pk, "error_string", "number");
    } else {
        begin(&body, &pk, 2);
        put_text(&pk, "number");
        msgpack_pack_object(&pk, *number);
        put_pair(&pk, "contract", is_text(number, "0123456789") ? "Dupont SA, gold" : "none");
    }
    send_frames(p, id, "ok", &body);
}

static void handle(struct program *p, uint64_t id, const char *word, const msgpack_object *body)
{
    uint64_t epoch = number_of(get(body, "epoch"));

    if (streq(word, "cti.message")) {
        answer(p, id, body);
    } else if (streq(word, "ping")) {
        send_empty(p, id, "ok");
    } else if (streq(word, "unknown_peer") || (p->epoch && epoch && epoch != p->epoch)) {
        say_hello(p); /* state was restarted */
    } else if (id == p->hello && streq(word, "ok")) {
        p->epoch = epoch;
        puts("registered");
        fflush(stdout);
    } else if (!streq(word, "ok")) {
        fprintf(stderr, "state refuses: %s\n", word);
    }
}

static void on_message(struct program *p, zmsg_t *msg)
{
    zframe_t *frames[4];
    msgpack_unpacked id, body;
    char *word;

    if (zmsg_size(msg) != 4)
        return;
    frames[0] = zmsg_first(msg);
    for (int i = 1; i < 4; i++)
        frames[i] = zmsg_next(msg);
    word = zframe_strdup(frames[2]);
    if (unpack(frames[1], &id)) {
        if (unpack(frames[3], &body))
            handle(p, number_of(&id.data), word, &body.data);
        msgpack_unpacked_destroy(&body);
    }
    msgpack_unpacked_destroy(&id);
    zstr_free(&word);
}

/* ---- the connection ---- */

static bool set_keys(zsock_t *socket, const char *own_file, const char *state_file)
{
    zcert_t *own = zcert_load(own_file); /* with the secret key, from OWN.key_secret */
    zcert_t *state = zcert_load(state_file);
    bool good = own && state;

    if (good) {
        zcert_apply(own, socket);
        zsock_set_curve_serverkey(socket, zcert_public_txt(state));
    } else {
        fprintf(stderr, "%s: no certificate\n", own ? state_file : own_file);
    }
    zcert_destroy(&own);
    zcert_destroy(&state);
    return good;
}

static bool connect_to(zsock_t *socket, const char *endpoint)
{
    zsock_set_maxmsgsize(socket, 16 * 1024 * 1024);
    zsock_set_rcvtimeo(socket, PING_MS);
    zsock_set_linger(socket, 0);
    if (zsock_connect(socket, "%s", endpoint) == 0)
        return true;
    fprintf(stderr, "%s: %s\n", endpoint, zmq_strerror(zmq_errno()));
    return false;
}

/* Until Ctrl-C or SIGTERM, which czmq takes. */
static void serve(struct program *p)
{
    say_hello(p);
    while (!zsys_interrupted) {
        zmsg_t *msg = zmsg_recv(p->state);
        if (msg)
            on_message(p, msg);
        else
            send_empty(p, 0, "ping");
        zmsg_destroy(&msg);
    }
}

int main(int argc, char **argv)
{
    const char *endpoint = "tcp://127.0.0.1:5552";
    const char *own = NULL;
    const char *state = NULL;
    struct program p = {0};
    bool good;
    int c;

    while ((c = getopt(argc, argv, "k:s:e:")) != -1) {
        if (c == 'k')
            own = optarg;
        else if (c == 's')
            state = optarg;
        else if (c == 'e')
            endpoint = optarg;
        else
            return 2;
    }
    if (optind != argc || !own != !state) {
        fprintf(stderr, "Usage: %s [-k OWN.key -s STATE.key] [-e ENDPOINT]\n", argv[0]);
        return 2;
    }
    p.state = zsock_new(ZMQ_DEALER);
    good = p.state && (!own || set_keys(p.state, own, state)) && connect_to(p.state, endpoint);
    if (good)
        serve(&p);
    zsock_destroy(&p.state);
    return good ? 0 : 1;
}
