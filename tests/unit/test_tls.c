/* TLS connections: two of ours over a wire that the test holds in its hand, or one against a peer
 * that is not what it should be. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include <openssl/err.h>

#include "net/tls_impl.h"
#include "support/certs.h"

#define INPUT_LIMIT 20000
#define OUTPUT_LIMIT 100000

static struct certs certs;

/* One end: its connection and what became of it. */
struct side {
    struct conn *c;
    struct buf got;
    int ended, drained, why;
    char reason[CONN_REASON];
    bool echo;
};

/* What one end has sent and the other has not got yet; `passed` is all that ever went through. */
struct way {
    int from, to;
    struct buf waiting, passed;
    bool ended;
};

struct world {
    struct loop *loop;
    struct conn_class cls;
    struct side client, server;
    struct way up, down; /* of the client's bytes, of the server's */
    size_t step;         /* bytes that a way carries in one turn; 0: it is cut off */
    struct tls_ctx *client_ctx, *server_ctx;
};

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct side *s = owner;

    buf_append_view(&s->got, in);
    if (s->echo)
        conn_send(c, in);
    return in.len;
}

/* For its class, whose reason is there only inside `closed`. */
static struct world *the_world;

static void on_closed(void *owner, struct conn *c, int why)
{
    const char *reason = conn_class_reason(&the_world->cls);
    struct side *s = owner;

    s->ended++;
    s->why = why;
    s->c = NULL;
    snprintf(s->reason, sizeof(s->reason), "%s", reason ? reason : "");
}

static void on_drained(void *owner, struct conn *c)
{
    ((struct side *)owner)->drained++;
}

static const struct conn_handler handler = {on_data, on_closed, on_drained};

/* ---- the wire ---- */

static void carry(struct way *way, size_t step)
{
    char piece[16384];
    ssize_t n;

    if (way->from < 0 || way->to < 0)
        return;
    if (buf_len(&way->waiting) == 0 && !way->ended) {
        n = recv(way->from, piece, step < sizeof(piece) ? step : sizeof(piece), MSG_DONTWAIT);
        if (n > 0) {
            buf_append(&way->waiting, piece, (size_t)n);
            buf_append(&way->passed, piece, (size_t)n);
        } else if (n == 0 || errno != EAGAIN) {
            way->ended = true;
            shutdown(way->to, SHUT_WR);
        }
    }
    n = send(way->to, buf_data(&way->waiting), buf_len(&way->waiting), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0)
        buf_consume(&way->waiting, (size_t)n);
}

static void turn(struct world *w)
{
    assert_int_equal(loop_once(w->loop, 0), 0);
    if (w->step == 0)
        return;
    carry(&w->up, w->step);
    carry(&w->down, w->step);
}

static void turns(struct world *w, int n)
{
    for (int i = 0; i < n; i++)
        turn(w);
}

#define REACH(w, cond)                                                                             \
    do {                                                                                           \
        uint64_t end_ = clock_mono_us() + 30000000;                                                \
        while (!(cond) && clock_mono_us() < end_)                                                  \
            turn(w);                                                                               \
        if (!(cond))                                                                               \
            fail_msg("not reached: %s; client: %s; server: %s", #cond, (w)->client.reason,         \
                     (w)->server.reason);                                                          \
    } while (0)

/* ---- set-up ---- */

static struct tls_ctx *client_ctx(const char *ca)
{
    struct tls_options opt = {.ca_file = ca ? certs_path(&certs, ca) : NULL, .no_verify = !ca};
    struct tls_fault fault;
    struct tls_ctx *ctx = tls_client_new(&opt, &fault);

    if (!ctx)
        fail_msg("%s: %s", fault.file, fault.reason);
    return ctx;
}

static struct tls_ctx *server_ctx(const char *name, const char *ca)
{
    char file[64];
    struct tls_options opt = {.ca_file = ca ? certs_path(&certs, ca) : NULL};
    struct tls_fault fault;
    struct tls_ctx *ctx;

    snprintf(file, sizeof(file), "%s.pem", name);
    opt.cert_file = certs_path(&certs, file);
    snprintf(file, sizeof(file), "%s.key", name);
    opt.key_file = certs_path(&certs, file);
    ctx = tls_server_new(&opt, &fault);
    if (!ctx)
        fail_msg("%s: %s", fault.file, fault.reason);
    return ctx;
}

/* A pair of sockets with little room; the first is for a connection. */
static int socket_pair(int *far)
{
    int fds[2];
    int room = 4096;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++)
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    *far = fds[1];
    return fds[0];
}

static void connect_client(struct world *w, const char *name)
{
    int fd = socket_pair(&w->up.from);

    w->down.to = w->up.from;
    w->client.c = conn_new_tls(&w->cls, fd, &w->client, w->client_ctx, name);
    assert_non_null(w->client.c);
}

static void connect_server(struct world *w)
{
    int fd = socket_pair(&w->up.to);

    w->down.from = w->up.to;
    w->server.c = conn_new_tls(&w->cls, fd, &w->server, w->server_ctx, NULL);
    assert_non_null(w->server.c);
}

/* A client that believes `ca` and wants `name`, a server that shows `cert`. */
static void begin(struct world *w, const char *ca, const char *name, const char *cert)
{
    w->client_ctx = client_ctx(ca);
    w->server_ctx = server_ctx(cert, NULL);
    connect_client(w, name);
    connect_server(w);
}

static void only_1_2(struct world *w)
{
    assert_true(SSL_CTX_set_max_proto_version(w->server_ctx->ssl, TLS1_2_VERSION));
}

static void begin_with_1_2(struct world *w)
{
    w->client_ctx = client_ctx("ca.pem");
    w->server_ctx = server_ctx("good", NULL);
    only_1_2(w);
    connect_client(w, "pbx.example");
    connect_server(w);
}

static bool is_up(const struct side *s)
{
    char text[100];

    return s->c && conn_tls_describe(s->c, text, sizeof(text));
}

static void begin_well(struct world *w)
{
    begin(w, "ca.pem", "pbx.example", "good");
    REACH(w, is_up(&w->client) && is_up(&w->server));
}

static int setup(void **state)
{
    static struct world w;

    w = (struct world){.loop = loop_new(),
                       .up = {.from = -1, .to = -1},
                       .down = {.from = -1, .to = -1},
                       .step = 16384};
    the_world = &w;
    assert_int_equal(conn_class_init(&w.cls, w.loop, &handler, INPUT_LIMIT, OUTPUT_LIMIT), 0);
    buf_init(&w.client.got, 0);
    buf_init(&w.server.got, 0);
    for (struct way *way = &w.up; way; way = way == &w.up ? &w.down : NULL) {
        buf_init(&way->waiting, 0);
        buf_init(&way->passed, 0);
    }
    *state = &w;
    return 0;
}

static void cut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    conn_close(&w->client.c);
    conn_close(&w->server.c);
    conn_class_fini(&w->cls);
    tls_destroy(&w->client_ctx);
    tls_destroy(&w->server_ctx);
    loop_destroy(&w->loop);
    cut(&w->up.from);
    cut(&w->up.to);
    buf_free(&w->client.got);
    buf_free(&w->server.got);
    buf_free(&w->up.waiting);
    buf_free(&w->up.passed);
    buf_free(&w->down.waiting);
    buf_free(&w->down.passed);
    assert_int_equal(ERR_peek_error(), 0); /* nothing is left for others to trip over */
    return 0;
}

/* ---- good ones ---- */

static void it_talks_both_ways_and_nobody_else_can_read_it(void **state)
{
    struct world *w = *state;
    char text[100];

    begin(w, "ca.pem", "pbx.example", "good");
    assert_false(conn_tls_describe(w->client.c, text, sizeof(text)));
    w->server.echo = true;
    conn_send(w->client.c, VIEW("a secret"));
    REACH(w, buf_len(&w->client.got) == 8);
    assert_string_equal(buf_cstr(&w->server.got), "a secret");
    assert_string_equal(buf_cstr(&w->client.got), "a secret");
    assert_true(conn_tls_describe(w->client.c, text, sizeof(text)));
    assert_int_equal(strncmp(text, "TLSv1.3 ", 8), 0);
    assert_int_equal(view_find(buf_view(&w->up.passed), VIEW("secret")), -1);
    assert_int_equal(w->client.drained, 1);
    assert_int_equal(conn_output_len(w->client.c), 0);
}

static void an_address_may_be_the_name(void **state)
{
    struct world *w = *state;

    begin(w, "ca.pem", "127.0.0.1", "good");
    REACH(w, is_up(&w->client) && is_up(&w->server));
}

static void who_is_trusted_himself_needs_no_ca(void **state)
{
    struct world *w = *state;

    begin(w, "good.pem", "pbx.example", "good");
    REACH(w, is_up(&w->client));
}

static void without_verification_anybody_will_do(void **state)
{
    struct world *w = *state;

    begin(w, NULL, "elsewhere.example", "expired");
    REACH(w, is_up(&w->client) && is_up(&w->server));
}

static void contexts_may_go_before_their_connections(void **state)
{
    struct world *w = *state;

    begin(w, "ca.pem", "pbx.example", "good");
    tls_destroy(&w->client_ctx);
    tls_destroy(&w->server_ctx);
    w->server.echo = true;
    conn_send(w->client.c, VIEW("x"));
    REACH(w, buf_len(&w->client.got) == 1);
}

/* ---- refused ones ---- */

/* Nothing of what the client wanted to say has left, and it says why. */
static void refused(struct world *w, const char *reason)
{
    conn_send(w->client.c, VIEW("a secret"));
    REACH(w, w->client.ended);
    turns(w, 10);
    assert_int_equal(w->client.why, EPROTO);
    assert_int_equal(buf_len(&w->server.got), 0);
    if (!strstr(w->client.reason, reason))
        fail_msg("expected \"%s\" in \"%s\"", reason, w->client.reason);
}

static void a_foreign_ca_is_refused(void **state)
{
    begin(*state, "foreign-ca.pem", "pbx.example", "good");
    refused(*state, "TLS certificate refused, signed by ctibus test CA, whom nothing here makes "
                    "trusted (unable to get local issuer certificate)");
}

static void who_has_signed_himself_is_refused(void **state)
{
    begin(*state, "ca.pem", "pbx.example", "self");
    refused(*state, "(self-signed certificate)");
}

static void another_host_is_refused(void **state)
{
    begin(*state, "ca.pem", "pbx.example", "other");
    refused(*state, "it is for another host: other.example 10.1.2.3 (hostname mismatch)");
}

static void another_address_is_refused(void **state)
{
    begin(*state, "ca.pem", "127.0.0.1", "other");
    refused(*state, "it is for another host: other.example 10.1.2.3 (IP address mismatch)");
}

static void an_expired_one_is_refused(void **state)
{
    begin(*state, "ca.pem", "pbx.example", "expired");
    refused(*state, "TLS certificate refused, it has expired (2");
}

static void an_early_one_is_refused(void **state)
{
    begin(*state, "ca.pem", "pbx.example", "early");
    refused(*state, "it is not valid yet (2");
}

/* The one that is refused hears of it, too. */
static void the_refused_one_is_told(void **state)
{
    struct world *w = *state;

    begin(w, "foreign-ca.pem", "pbx.example", "good");
    REACH(w, w->server.ended);
    assert_string_equal(w->server.reason, "TLS refused by the other side (tlsv1 alert unknown ca)");
}

static void a_server_may_ask_for_a_certificate(void **state)
{
    struct world *w = *state;
    struct tls_options opt = {.ca_file = certs_path(&certs, "ca.pem"),
                              .cert_file = certs_path(&certs, "other.pem"),
                              .key_file = certs_path(&certs, "other.key")};
    struct tls_fault fault;

    w->client_ctx = client_ctx("ca.pem");
    w->server_ctx = server_ctx("good", "ca.pem");
    connect_client(w, "pbx.example");
    connect_server(w);
    REACH(w, w->client.ended && w->server.ended);
    assert_non_null(strstr(w->client.reason, "refused by the other side"));
    assert_non_null(strstr(w->server.reason, "peer did not return a certificate"));
    cut(&w->up.from);
    cut(&w->up.to);
    tls_destroy(&w->client_ctx);
    w->client_ctx = tls_client_new(&opt, &fault);
    w->up.ended = w->down.ended = false;
    connect_client(w, "pbx.example");
    connect_server(w);
    w->server.echo = true;
    conn_send(w->client.c, VIEW("x"));
    REACH(w, buf_len(&w->client.got) == 1);
}

/* ---- pieces ---- */

static char pattern(size_t i)
{
    return (char)('a' + i % 25 + i / 4001 % 2);
}

/* What is sent in lumps of all sizes arrives in order, whatever the wire does to it. */
static void exchange(struct world *w, size_t total)
{
    size_t sent = 0;
    char lump[5000];

    w->server.echo = true;
    while (sent < total) {
        size_t n = 1 + sent * 7 % sizeof(lump);
        n = n < total - sent ? n : total - sent;
        for (size_t i = 0; i < n; i++)
            lump[i] = pattern(sent + i);
        assert_int_equal(conn_send(w->client.c, view_of(lump, n)), 0);
        sent += n;
        REACH(w, conn_output_len(w->client.c) < OUTPUT_LIMIT / 2);
    }
    REACH(w, buf_len(&w->client.got) == total);
    for (size_t i = 0; i < total; i++)
        if (buf_data(&w->client.got)[i] != pattern(i))
            fail_msg("wrong at %zu of %zu", i, total);
}

static void large_data_in_small_pieces(void **state)
{
    begin(*state, "ca.pem", "pbx.example", "good");
    ((struct world *)*state)->step = 61;
    exchange(*state, 300000);
}

static void one_byte_at_a_time(void **state)
{
    begin(*state, "ca.pem", "pbx.example", "good");
    ((struct world *)*state)->step = 1;
    exchange(*state, 2000);
}

static void large_data_in_large_pieces(void **state)
{
    begin(*state, "ca.pem", "pbx.example", "good");
    exchange(*state, 3000000);
}

static void the_same_with_1_2(void **state)
{
    struct world *w = *state;
    char text[100];

    begin_with_1_2(w);
    w->step = 500;
    exchange(w, 300000);
    assert_true(conn_tls_describe(w->client.c, text, sizeof(text)));
    assert_int_equal(strncmp(text, "TLSv1.2 ", 8), 0);
}

/* New keys are asked for while both directions are full: reading has to wait for writing. */
static void keys_may_change_under_load(void **state)
{
    struct world *w = *state;
    char lump[20000];

    begin_well(w);
    memset(lump, 'x', sizeof(lump));
    w->step = 333;
    for (int i = 0; i < 8; i++) {
        SSL *far = ((struct tls *)w->server.c->transport_state)->ssl;
        assert_int_equal(conn_send(w->client.c, view_of(lump, sizeof(lump))), 0);
        turns(w, 20);
        assert_true(SSL_key_update(far, SSL_KEY_UPDATE_REQUESTED));
        assert_int_equal(conn_send(w->server.c, view_of(lump, sizeof(lump))), 0);
        REACH(w, conn_output_len(w->server.c) == 0);
        REACH(w, conn_output_len(w->client.c) < OUTPUT_LIMIT / 2);
    }
    REACH(w, buf_len(&w->client.got) == 160000 && buf_len(&w->server.got) == 160000);
}

static void shared_blocks_are_let_go(void **state)
{
    struct world *w = *state;
    struct shared *s = shared_new(VIEW("to all\n"));

    begin(w, "ca.pem", "pbx.example", "good");
    for (int i = 0; i < 100; i++)
        assert_int_equal(conn_send_shared(w->client.c, s), 0);
    REACH(w, buf_len(&w->server.got) == 700);
    assert_int_equal(s->refs, 1);
    shared_unref(s);
}

/* ---- limits, pauses ---- */

static void fill_until_refused(struct world *w)
{
    char lump[1000] = {0};
    int rc = 0;

    for (int i = 0; i < 1000 && rc == 0; i++) {
        rc = conn_send(w->client.c, view_of(lump, sizeof(lump)));
        assert_true(conn_output_len(w->client.c) <= OUTPUT_LIMIT);
        assert_int_equal(loop_once(w->loop, 0), 0);
    }
    assert_int_equal(rc, -ENOBUFS);
    turn(w);
    assert_int_equal(w->client.ended, 1);
    assert_int_equal(w->client.why, CONN_OUTPUT_LIMIT);
    assert_string_equal(w->client.reason, "");
}

static void output_is_bounded(void **state)
{
    struct world *w = *state;

    begin_well(w);
    w->step = 0;
    fill_until_refused(w);
}

static void output_is_bounded_in_the_handshake(void **state)
{
    struct world *w = *state;

    w->client_ctx = client_ctx("ca.pem");
    connect_client(w, "pbx.example");
    fill_until_refused(w);
}

/* What has been decrypted and not been shown must not be forgotten. */
static void pausing_holds_and_resuming_shows(void **state)
{
    struct world *w = *state;
    char lump[30000];

    begin_well(w);
    memset(lump, 'x', sizeof(lump));
    conn_pause(w->server.c);
    conn_send(w->client.c, view_of(lump, sizeof(lump)));
    turns(w, 50);
    assert_int_equal(buf_len(&w->server.got), 0);
    conn_resume(w->server.c);
    REACH(w, buf_len(&w->server.got) == sizeof(lump));
}

/* A pause is for what is shown: output goes on, and needs the handshake. */
static void a_paused_one_can_still_speak(void **state)
{
    struct world *w = *state;

    begin(w, "ca.pem", "pbx.example", "good");
    conn_pause(w->client.c);
    conn_send(w->client.c, VIEW("hello"));
    REACH(w, buf_len(&w->server.got) == 5);
}

/* While nothing can go on, nothing is tried: a turn waits for its event. */
static void waiting_costs_nothing(void **state)
{
    struct world *w = *state;
    uint64_t before;

    w->client_ctx = client_ctx("ca.pem");
    connect_client(w, "pbx.example");
    conn_send(w->client.c, VIEW("waits for the handshake"));
    turns(w, 10);
    before = clock_mono_us();
    loop_once(w->loop, 200);
    assert_true(clock_mono_us() - before > 150000);
}

/* Reading must wait for room for the handshake, as on a connection that is still being made. */
static void a_socket_without_room_delays_the_handshake(void **state)
{
    struct world *w = *state;
    char junk[500] = {0};
    size_t sent = 0;
    uint64_t before;
    ssize_t n;
    int fd = socket_pair(&w->up.from);

    w->down.to = w->up.from;
    while ((n = send(fd, junk, sizeof(junk), MSG_DONTWAIT)) > 0)
        sent += (size_t)n;
    w->client_ctx = client_ctx("ca.pem");
    w->server_ctx = server_ctx("good", NULL);
    w->client.c = conn_new_tls(&w->cls, fd, &w->client, w->client_ctx, "pbx.example");
    w->step = 0;
    turns(w, 5);
    assert_int_equal(send(w->down.to, "\x16", 1, 0), 1); /* input that must not wake it */
    before = clock_mono_us();
    loop_once(w->loop, 200);
    assert_true(clock_mono_us() - before > 150000);
    for (; sent > 0; sent -= (size_t)n)
        assert_true((n = read(w->up.from, junk, sizeof(junk))) > 0);
    connect_server(w);
    w->step = 16384;
    REACH(w, buf_len(&w->up.passed) > 100); /* its greeting */
    conn_close(&w->client.c);               /* the extra byte has spoilt the rest */
}

/* ---- ends ---- */

static void closing_softly_delivers_all(void **state)
{
    struct world *w = *state;
    char *lump = calloc(1, OUTPUT_LIMIT);

    begin(w, "ca.pem", "pbx.example", "good");
    conn_send(w->client.c, view_of(lump, OUTPUT_LIMIT)); /* not even the handshake has begun */
    conn_close_after_flush(&w->client.c);
    REACH(w, w->server.ended);
    assert_int_equal(buf_len(&w->server.got), OUTPUT_LIMIT);
    assert_int_equal(w->server.why, CONN_EOF);
    assert_string_equal(w->server.reason, "");
    assert_int_equal(w->client.ended, 0);
    free(lump);
}

/* Type of the last record that went through; TLS 1.2 does not hide it. */
static int last_record(const struct buf *b)
{
    const unsigned char *p = (const unsigned char *)buf_data(b);
    size_t at = 0;
    int type = -1;

    while (at + 5 <= buf_len(b)) {
        type = p[at];
        at += 5 + ((size_t)p[at + 3] << 8) + p[at + 4];
    }
    assert_int_equal(at, buf_len(b));
    return type;
}

static void closing_says_goodbye(void **state)
{
    struct world *w = *state;
    char *lump = calloc(1, OUTPUT_LIMIT);

    begin_with_1_2(w);
    w->step = 100;
    REACH(w, is_up(&w->client) && is_up(&w->server));
    conn_send(w->client.c, view_of(lump, OUTPUT_LIMIT / 2)); /* more than the socket takes */
    turns(w, 5);
    assert_true(conn_output_len(w->client.c) > 0);
    conn_close_after_flush(&w->client.c);
    conn_send(w->server.c, VIEW("too late")); /* and not in the way */
    REACH(w, w->server.ended);
    assert_int_equal(buf_len(&w->server.got), OUTPUT_LIMIT / 2);
    assert_int_equal(last_record(&w->up.passed), SSL3_RT_ALERT);
    free(lump);
}

static void closing_at_once_says_goodbye_too(void **state)
{
    struct world *w = *state;

    begin_with_1_2(w);
    REACH(w, is_up(&w->client) && is_up(&w->server));
    conn_close(&w->client.c);
    REACH(w, w->server.ended);
    assert_int_equal(w->server.why, CONN_EOF);
    assert_int_equal(last_record(&w->up.passed), SSL3_RT_ALERT);
}

static void an_end_without_goodbye_is_an_end(void **state)
{
    struct world *w = *state;

    begin_well(w);
    conn_send(w->server.c, VIEW("last"));
    turns(w, 10);
    shutdown(w->down.to, SHUT_WR);
    REACH(w, w->client.ended);
    assert_string_equal(buf_cstr(&w->client.got), "last");
    assert_int_equal(w->client.why, CONN_EOF);
    assert_string_equal(w->client.reason, "");
}

/* Cut after each so many bytes of the handshake. */
static void an_end_inside_the_handshake_is_told(void **state)
{
    struct world *w = *state;
    size_t sizes[] = {0, 1, 4, 5, 100, 500};

    w->client_ctx = client_ctx("ca.pem");
    w->server_ctx = server_ctx("good", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        w->client.ended = 0;
        buf_reset(&w->down.passed);
        w->up.ended = w->down.ended = false;
        connect_client(w, "pbx.example");
        connect_server(w);
        w->step = sizes[i] ? sizes[i] : 1;
        REACH(w, buf_len(&w->down.passed) >= sizes[i]);
        cut(&w->up.from);
        w->down.to = -1;
        REACH(w, w->client.ended);
        assert_int_equal(w->client.why, EPROTO);
        assert_string_equal(w->client.reason, "TLS handshake broken off by the other side");
        conn_close(&w->server.c);
        cut(&w->up.to);
        w->down.from = -1;
        buf_reset(&w->up.waiting);
        buf_reset(&w->down.waiting);
    }
}

static void expect_failure(struct side *s, struct world *w, int far, struct view said,
                           const char *reason)
{
    s->ended = 0;
    assert_int_equal(write(far, said.ptr, said.len), said.len);
    REACH(w, s->ended);
    assert_int_equal(s->why, EPROTO);
    if (!strstr(s->reason, reason))
        fail_msg("expected \"%s\" in \"%s\"", reason, s->reason);
}

static void garbage_is_no_handshake(void **state)
{
    struct world *w = *state;
    static const struct {
        struct view said;
        const char *reason;
    } cases[] = {
        {VIEW("Asterisk Call Manager/9.0.0\r\n"),
         "TLS is not what the other side speaks (wrong version number)"},
        {VIEW("HTTP/1.1 400 Bad Request\r\n\r\n"), "TLS is not what the other side speaks"},
        {VIEW("\x16\x03\x03\xff\xff garbage garbage"), "TLS"},
        {VIEW("\x16\x03\x03\x00\x04\x02\x00\x00\x00"), "TLS"},
        {VIEW("\x15\x03\x03\x00\x02\x02\x28"), "TLS refused by the other side"},
        {VIEW("\0\0\0\0\0\0\0\0"), "TLS"},
    };

    w->client_ctx = client_ctx("ca.pem");
    w->server_ctx = server_ctx("good", NULL);
    w->step = 0;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        connect_client(w, "pbx.example");
        expect_failure(&w->client, w, w->up.from, cases[i].said, cases[i].reason);
        connect_server(w);
        expect_failure(&w->server, w, w->up.to, cases[i].said, "TLS");
        cut(&w->up.from);
        cut(&w->up.to);
    }
}

static void garbage_later_ends_it(void **state)
{
    struct world *w = *state;

    begin_well(w);
    expect_failure(&w->client, w, w->down.to,
                   VIEW("\x17\x03\x03\x00\x19 no good record of anybody, "), "TLS failed (");
}

static void a_peer_that_is_gone_raises_no_signal(void **state)
{
    struct world *w = *state;
    char lump[3000] = {0};

    signal(SIGPIPE, SIG_DFL);
    begin_well(w);
    w->step = 0;
    cut(&w->up.from);
    conn_send(w->client.c, view_of(lump, sizeof(lump)));
    REACH(w, w->client.ended);
    assert_string_equal(w->client.reason, "");
}

/* ---- options ---- */

static void expect_fault(bool server, struct tls_options opt, const char *file, const char *reason)
{
    struct tls_fault fault;
    struct tls_ctx *ctx = server ? tls_server_new(&opt, &fault) : tls_client_new(&opt, &fault);

    assert_null(ctx);
    assert_ptr_equal(fault.file, file);
    if (!strstr(fault.reason, reason))
        fail_msg("expected \"%s\" in \"%s\"", reason, fault.reason);
}

static void bad_files_are_told(void **state)
{
    const char *key = certs_path(&certs, "good.key");
    const char *cert = certs_path(&certs, "good.pem");
    const char *other = certs_path(&certs, "other.key");
    const char *none = certs_path(&certs, "none.pem");

    expect_fault(false, (struct tls_options){.ca_file = none}, none, "No such file");
    expect_fault(false, (struct tls_options){.ca_file = key}, key, "no certificate");
    expect_fault(false, (struct tls_options){.ca_file = certs.dir}, certs.dir, "");
    expect_fault(true, (struct tls_options){.cert_file = none}, none, "No such file");
    expect_fault(true, (struct tls_options){.cert_file = cert}, cert, "no private key");
    expect_fault(true, (struct tls_options){.cert_file = cert, .key_file = other}, other,
                 "key values mismatch");
    expect_fault(true,
                 (struct tls_options){.cert_file = cert, .key_file = key, .min_version = "0.9"},
                 NULL, "there is no TLS 0.9");
}

static void old_protocols_can_be_shut_out(void **state)
{
    struct world *w = *state;
    struct tls_options opt = {.ca_file = certs_path(&certs, "ca.pem"), .min_version = "1.3"};
    struct tls_fault fault;

    w->client_ctx = tls_client_new(&opt, &fault);
    w->server_ctx = server_ctx("good", NULL);
    only_1_2(w);
    connect_client(w, "pbx.example");
    connect_server(w);
    REACH(w, w->client.ended && w->server.ended);
    assert_string_equal(w->server.reason,
                        "TLS of the other side is too old (unsupported protocol)");
}

static void old_protocols_can_be_let_in(void **state)
{
    struct world *w = *state;
    struct tls_options opt = {.ca_file = certs_path(&certs, "ca.pem"), .min_version = "1.0"};
    struct tls_options own = {.cert_file = certs_path(&certs, "good.pem"),
                              .key_file = certs_path(&certs, "good.key"),
                              .min_version = "1.0"};
    struct tls_fault fault;
    char text[100];

    w->client_ctx = tls_client_new(&opt, &fault);
    w->server_ctx = tls_server_new(&own, &fault);
    assert_true(SSL_CTX_set_max_proto_version(w->server_ctx->ssl, TLS1_VERSION));
    connect_client(w, "pbx.example");
    connect_server(w);
    REACH(w, is_up(&w->client));
    assert_true(conn_tls_describe(w->client.c, text, sizeof(text)));
    assert_int_equal(strncmp(text, "TLSv1 ", 6), 0);
}

static int make_certs(void **state)
{
    certs_make(&certs);
    return 0;
}

static int remove_certs(void **state)
{
    certs_remove(&certs);
    return 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(it_talks_both_ways_and_nobody_else_can_read_it),
        T(an_address_may_be_the_name),
        T(who_is_trusted_himself_needs_no_ca),
        T(without_verification_anybody_will_do),
        T(contexts_may_go_before_their_connections),
        T(a_foreign_ca_is_refused),
        T(who_has_signed_himself_is_refused),
        T(another_host_is_refused),
        T(another_address_is_refused),
        T(an_expired_one_is_refused),
        T(an_early_one_is_refused),
        T(the_refused_one_is_told),
        T(a_server_may_ask_for_a_certificate),
        T(large_data_in_small_pieces),
        T(one_byte_at_a_time),
        T(large_data_in_large_pieces),
        T(the_same_with_1_2),
        T(keys_may_change_under_load),
        T(shared_blocks_are_let_go),
        T(output_is_bounded),
        T(output_is_bounded_in_the_handshake),
        T(pausing_holds_and_resuming_shows),
        T(a_paused_one_can_still_speak),
        T(waiting_costs_nothing),
        T(a_socket_without_room_delays_the_handshake),
        T(closing_softly_delivers_all),
        T(closing_says_goodbye),
        T(closing_at_once_says_goodbye_too),
        T(an_end_without_goodbye_is_an_end),
        T(an_end_inside_the_handshake_is_told),
        T(garbage_is_no_handshake),
        T(garbage_later_ends_it),
        T(a_peer_that_is_gone_raises_no_signal),
        T(bad_files_are_told),
        T(old_protocols_can_be_shut_out),
        T(old_protocols_can_be_let_in),
    };
    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
