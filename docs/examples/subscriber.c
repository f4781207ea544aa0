/*
 * A subscriber of the bus in C, with czmq and msgpack-c only: nothing of ctibus is linked in.
 *
 *     subscriber [-k OWN.key -s STATE.key] [-e ENDPOINT] PREFIX...
 *
 * It prints each message as a line: topic, source, number and body. A PREFIX that is a whole plane
 * ("xod/") is followed by its numbers: what is lost, and that a publisher was restarted, is told on
 * standard error. -k and -s are certificates of `ctibus keygen` (docs/security.md): one's own, with
 * OWN.key_secret beside it, and the public one of state.
 *
 * To build it by itself (Debian: libczmq-dev, libmsgpack-dev; where pkg-config knows no msgpack, it
 * is msgpack-c):
 *
 *     cc -o subscriber subscriber.c $(pkg-config --cflags --libs libczmq libzmq msgpack)
 */
#include <czmq.h>
#include <getopt.h>
#include <msgpack.h>

/* Publishers that are remembered: restarted ones have another epoch, so that they become more with
 * time. */
#define MAX_STREAMS 1000

struct subscriber {
    zsock_t *socket;
    char **prefixes; /* NULL-ended */
    zhashx_t *seen;  /* "SOURCE PLANE EPOCH" -> number of its last message */
    zhashx_t *alive; /* "SOURCE PLANE" -> epoch heard last */
};

/* The frame `meta` of a message: [version, source, epoch, seq, time]. */
struct meta {
    char source[256];
    uint64_t epoch;
    uint64_t seq; /* 0: it is not numbered */
};

static bool read_meta(zframe_t *frame, struct meta *out)
{
    msgpack_unpacked meta;
    const msgpack_object *item;
    bool good;

    msgpack_unpacked_init(&meta);
    good = msgpack_unpack_next(&meta, (char *)zframe_data(frame), zframe_size(frame), NULL) ==
               MSGPACK_UNPACK_SUCCESS &&
           meta.data.type == MSGPACK_OBJECT_ARRAY && meta.data.via.array.size >= 5;
    item = good ? meta.data.via.array.ptr : NULL;
    good = good && item[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER && item[0].via.u64 == 1 &&
           item[1].type == MSGPACK_OBJECT_STR && item[1].via.str.size < sizeof(out->source) &&
           item[2].type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
           item[3].type == MSGPACK_OBJECT_POSITIVE_INTEGER;
    if (good) {
        snprintf(out->source, sizeof(out->source), "%.*s", (int)item[1].via.str.size,
                 item[1].via.str.ptr);
        out->epoch = item[2].via.u64;
        out->seq = item[3].via.u64;
    }
    msgpack_unpacked_destroy(&meta);
    return good;
}

/* ---- losses ---- */

/* Only who gets all of a plane can tell a loss from what it has not subscribed to. */
static bool has_whole_plane(const struct subscriber *s, const char *plane)
{
    size_t n = strlen(plane);

    for (char **p = s->prefixes; *p; p++)
        if (**p == '\0' || (strncmp(*p, plane, n) == 0 && strcmp(*p + n, "/") == 0))
            return true;
    return false;
}

static void check_restart(struct subscriber *s, const char *stream, uint64_t epoch)
{
    uint64_t *last = zhashx_lookup(s->alive, stream);

    if (last && *last != epoch)
        fprintf(stderr, "%s: another process speaks, ask for a snapshot\n", stream);
    if (last)
        *last = epoch;
    else
        zhashx_insert(s->alive, stream, &epoch);
}

/* The numbers of a process on a plane have no gaps. Two processes may have one source for a while
 * (a restart, a reserve), each with its own epoch and numbers. */
static void check_number(struct subscriber *s, const char *plane, const struct meta *m)
{
    char stream[300];
    char process[330];
    uint64_t *last;

    if (m->seq == 0 || !has_whole_plane(s, plane))
        return;
    snprintf(stream, sizeof(stream), "%s %s", m->source, plane);
    snprintf(process, sizeof(process), "%s %llx", stream, (unsigned long long)m->epoch);
    last = zhashx_lookup(s->seen, process);
    if (!last) {
        if (zhashx_size(s->seen) >= MAX_STREAMS) {
            zhashx_purge(s->seen);
            zhashx_purge(s->alive);
        }
        check_restart(s, stream, m->epoch);
        zhashx_insert(s->seen, process, (void *)&m->seq);
        return;
    }
    if (m->seq > *last + 1)
        fprintf(stderr, "%s: %llu messages lost, ask for a snapshot\n", stream,
                (unsigned long long)(m->seq - *last - 1));
    *last = m->seq;
}

static void *copy_number(const void *number)
{
    uint64_t *copy = malloc(sizeof(*copy));

    if (copy)
        *copy = *(const uint64_t *)number;
    return copy;
}

static void drop_number(void **number)
{
    free(*number);
    *number = NULL;
}

static zhashx_t *new_numbers(void)
{
    zhashx_t *h = zhashx_new();

    zhashx_set_duplicator(h, copy_number);
    zhashx_set_destructor(h, drop_number);
    return h;
}

/* ---- messages ---- */

static void print_body(zframe_t *frame)
{
    msgpack_unpacked body;

    msgpack_unpacked_init(&body);
    if (msgpack_unpack_next(&body, (char *)zframe_data(frame), zframe_size(frame), NULL) ==
        MSGPACK_UNPACK_SUCCESS)
        msgpack_object_print(stdout, body.data);
    else
        printf("(not msgpack)");
    msgpack_unpacked_destroy(&body);
}

static void on_message(struct subscriber *s, zmsg_t *msg)
{
    zframe_t *topic = zmsg_first(msg);
    zframe_t *meta_frame = zmsg_next(msg);
    zframe_t *body = zmsg_next(msg);
    struct meta meta;
    char *text;
    char plane[32];

    if (zmsg_size(msg) != 3 || !read_meta(meta_frame, &meta)) {
        fprintf(stderr, "a message that is none of ctibus\n");
        return;
    }
    text = zframe_strdup(topic);
    snprintf(plane, sizeof(plane), "%.*s", (int)strcspn(text, "/"), text);
    check_number(s, plane, &meta);
    printf("%s %s %llu ", text, meta.source, (unsigned long long)meta.seq);
    print_body(body);
    puts("");
    fflush(stdout);
    zstr_free(&text);
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

static bool connect_to(struct subscriber *s, const char *endpoint)
{
    zsock_set_maxmsgsize(s->socket, 16 * 1024 * 1024);
    zsock_set_tcp_keepalive(s->socket, 1); /* a connection that breaks without a word */
    zsock_set_tcp_keepalive_idle(s->socket, 5);
    for (char **p = s->prefixes; *p; p++)
        zsock_set_subscribe(s->socket, *p);
    if (zsock_connect(s->socket, "%s", endpoint) == 0)
        return true;
    fprintf(stderr, "%s: %s\n", endpoint, zmq_strerror(zmq_errno()));
    return false;
}

/* Until Ctrl-C or SIGTERM, which czmq takes: a wait then ends without a message. */
static void listen_on(struct subscriber *s)
{
    zmsg_t *msg;

    s->seen = new_numbers();
    s->alive = new_numbers();
    while ((msg = zmsg_recv(s->socket))) {
        on_message(s, msg);
        zmsg_destroy(&msg);
    }
    zhashx_destroy(&s->seen);
    zhashx_destroy(&s->alive);
}

int main(int argc, char **argv)
{
    const char *endpoint = "tcp://127.0.0.1:5551";
    const char *own = NULL;
    const char *state = NULL;
    struct subscriber s = {0};
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
    if (optind == argc || !own != !state) {
        fprintf(stderr, "Usage: %s [-k OWN.key -s STATE.key] [-e ENDPOINT] PREFIX...\n", argv[0]);
        return 2;
    }
    s.prefixes = argv + optind;
    s.socket = zsock_new(ZMQ_SUB);
    good = s.socket && (!own || set_keys(s.socket, own, state)) && connect_to(&s, endpoint);
    if (good)
        listen_on(&s);
    zsock_destroy(&s.socket);
    return good ? 0 : 1;
}
