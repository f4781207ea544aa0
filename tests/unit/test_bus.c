/* Publishing and subscribing on real sockets: numbers, gaps, confirmed subscriptions, bad frames.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/bus.h"

#define EMPTY VIEW("\x80")

struct world {
    struct loop *loop;
    struct process state;
    struct bus_forwarder *fwd;
    struct bus_pub *pub; /* of state */
    struct bus_sub *sub; /* of state, to everything */
    int got, gaps;
    void *raw; /* of raw_publisher, or NULL */
    uint64_t lost, last_seq;
    char last_topic[128];
    bool gap_first; /* the gap was told before the message that showed it */
};

static void on_message(void *arg, const struct bus_msg *m)
{
    struct world *w = arg;

    w->got++;
    w->last_seq = m->seq;
    snprintf(w->last_topic, sizeof(w->last_topic), "%.*s", VIEW_ARG(m->topic));
}

static void on_gap(void *arg, const struct bus_msg *m, uint64_t lost)
{
    struct world *w = arg;

    w->gaps++;
    w->lost += lost;
    w->gap_first = w->last_seq != m->seq;
}

static const struct bus_sub_handler handler = {on_message, on_gap};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    int err = 0;

    w->loop = loop_new();
    w->state = process_start(w->loop, "state@test", "state", NULL);
    w->fwd = bus_forwarder_new(w->state.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    w->pub = bus_pub_new(w->state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    w->sub = bus_sub_new(w->state.bus, BUS_INPROC_SUBSCRIBE, &handler, w, &err);
    bus_sub_follow(w->sub, VIEW("tel"));
    bus_sub_add(w->sub, VIEW(""));
    *state = w;
    return err;
}

static int teardown(void **state)
{
    struct world *w = *state;

    if (w->raw)
        zmq_close(w->raw);
    bus_sub_destroy(&w->sub);
    bus_pub_destroy(&w->pub);
    bus_forwarder_destroy(&w->fwd);
    process_end(&w->state);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

/* A publisher of another process, whom the subscription has reached. */
static struct bus_pub *publisher(struct world *w, struct process *p)
{
    int err = 0;
    struct bus_pub *pub = bus_pub_new(p->bus, bus_forwarder_publish(w->fwd), NULL, NULL, &err);

    assert_int_equal(err, 0);
    UNTIL(w->loop, bus_pub_wanted(pub, VIEW("tel/")));
    return pub;
}

/* Sends on plane tel, through a new publisher or the one given. */
static void send_tel(struct bus_pub *p, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(bus_pub_send(p, VIEW("tel/xivo/channel/new/"), EMPTY), 0);
}

/* A raw socket that takes what we like and is connected to the forwarder's publish side. */
static void *raw_publisher(struct world *w)
{
    void *s = zmq_socket(bus_zmq(w->state.bus), ZMQ_XPUB);
    char first[8];
    int none = 0;

    zmq_setsockopt(s, ZMQ_SNDHWM, &none, sizeof(none));
    zmq_setsockopt(s, ZMQ_LINGER, &none, sizeof(none));
    zmq_connect(s, bus_forwarder_publish(w->fwd));
    /* the subscription has come */
    UNTIL(w->loop, zmq_recv(s, first, sizeof(first), ZMQ_DONTWAIT) > 0);
    w->raw = s;
    return s;
}

/* ---- numbers ---- */

static void messages_arrive_in_order_with_their_number(void **state)
{
    struct world *w = *state;
    struct process gw = process_start(w->loop, "gw@test", "gw", NULL);
    struct bus_pub *p = publisher(w, &gw);

    send_tel(p, 1000);
    assert_int_equal(bus_pub_seq(p, VIEW("tel")), 1000);
    assert_int_equal(bus_pub_seq(p, VIEW("xod")), 0);
    UNTIL(w->loop, w->got == 1000);
    assert_int_equal(w->last_seq, 1000);
    assert_int_equal(w->gaps, 0);
    assert_int_equal(counted(gw.bus->counts.published), 1000);
    assert_int_equal(counted(w->state.bus->counts.received), 1000);
    bus_pub_destroy(&p);
    process_end(&gw);
}

static void each_plane_has_its_own_numbers(void **state)
{
    struct world *w = *state;

    UNTIL(w->loop, bus_pub_wanted(w->pub, VIEW("tel/")));
    send_tel(w->pub, 2);
    bus_pub_send(w->pub, VIEW("xod/xivo/config/users/5/"), EMPTY);
    assert_int_equal(bus_pub_seq(w->pub, VIEW("tel")), 2);
    assert_int_equal(bus_pub_seq(w->pub, VIEW("xod")), 1);
    bus_pub_send_unnumbered(w->pub, VIEW("xod/echo/x/"), EMPTY);
    UNTIL(w->loop, w->got == 4);
    assert_int_equal(w->last_seq, 0);
    assert_int_equal(w->gaps, 0);
}

/* Hands on what waits in `from`; how many messages. */
static int hand_on(void *from, void *to)
{
    zmq_msg_t m;
    int n = 0;

    zmq_msg_init(&m);
    while (zmq_msg_recv(&m, from, ZMQ_DONTWAIT) >= 0) {
        int more = zmq_msg_more(&m);
        zmq_msg_send(&m, to, more ? ZMQ_SNDMORE : 0);
        n += !more;
    }
    zmq_msg_close(&m);
    return n;
}

static void a_gap_is_as_long_as_what_the_sender_dropped(void **state)
{
    struct world *w = *state;
    void *stalled = zmq_socket(bus_zmq(w->state.bus), ZMQ_SUB);
    void *onward = raw_publisher(w);
    struct bus_pub *p;
    int small = 5, err = 0, dropped = 0;

    zmq_setsockopt(stalled, ZMQ_RCVHWM, &small, sizeof(small));
    zmq_setsockopt(stalled, ZMQ_SUBSCRIBE, "", 0);
    zmq_bind(stalled, "inproc://stalled");
    w->state.bus->hwm = 10;
    p = bus_pub_new(w->state.bus, "inproc://stalled", NULL, NULL, &err);
    hand_on(stalled, onward); /* lets it say what it subscribes to */
    UNTIL(w->loop, bus_pub_wanted(p, VIEW("tel/")));
    for (int i = 0; i < 100; i++)
        dropped += bus_pub_send(p, VIEW("tel/xivo/channel/new/"), EMPTY) == -EAGAIN;
    assert_in_range(dropped, 1, 99);
    assert_int_equal(counted(w->state.bus->counts.dropped), dropped);
    assert_int_equal(counted(w->state.bus->counts.published), 100 - dropped);
    assert_int_equal(hand_on(stalled, onward), 100 - dropped);
    while (bus_pub_send(p, VIEW("tel/xivo/channel/new/"), EMPTY) < 0) /* shows the gap */
        dropped++;
    assert_int_equal(hand_on(stalled, onward), 1);
    UNTIL(w->loop, w->gaps == 1);
    assert_int_equal(w->lost, dropped);
    assert_int_equal(bus_sub_lost(w->sub), dropped);
    assert_int_equal(counted(w->state.bus->counts.lost), dropped);
    assert_true(w->gap_first);
    bus_pub_destroy(&p);
    zmq_close(stalled);
}

/* In the order in which they began, and as when the clock was set back in between: which epoch is
 * greater says nothing. */
static void two_processes(struct world *w, struct process *first, struct process *second)
{
    struct bus_pub *a = publisher(w, first);
    struct bus_pub *b = publisher(w, second);
    int got = w->got, gaps = w->gaps;

    send_tel(a, 3);
    UNTIL(w->loop, w->got == got + 3);
    send_tel(b, 1);
    UNTIL(w->loop, w->got == got + 4);
    assert_int_equal(w->gaps, gaps + 1);
    assert_int_equal(w->lost, 0);
    send_tel(a, 2); /* each has numbers of its own */
    send_tel(b, 2);
    UNTIL(w->loop, w->got == got + 8);
    assert_int_equal(w->gaps, gaps + 1);
    bus_pub_destroy(&a);
    bus_pub_destroy(&b);
}

static void another_process_of_a_source_is_told_and_followed(void **state)
{
    struct world *w = *state;
    struct process old = process_start(w->loop, "gw@test", "gw", NULL);
    struct process new = process_start(w->loop, "gw@test", "gw", NULL);
    struct process back = process_start(w->loop, "back@test", "gw", NULL);
    struct process forth = process_start(w->loop, "back@test", "gw", NULL);

    assert_true(bus_epoch(new.bus) != bus_epoch(old.bus));
    two_processes(w, &old, &new);
    two_processes(w, &forth, &back);
    process_end(&old);
    process_end(&new);
    process_end(&back);
    process_end(&forth);
}

/* A message as a process of any epoch sends it. */
static void send_as(struct world *w, void *raw, const char *source, uint64_t epoch, uint64_t seq)
{
    struct view parts[3] = {VIEW("tel/xivo/channel/new/"), {NULL, 0}, EMPTY};
    struct buf meta;

    buf_init(&meta, 0);
    msg_put_array(&meta, 5);
    msg_put_u64(&meta, BUS_VERSION);
    msg_put_cstr(&meta, source);
    msg_put_u64(&meta, epoch);
    msg_put_u64(&meta, seq);
    msg_put_double(&meta, 1.0);
    parts[1] = buf_view(&meta);
    assert_int_equal(frames_send(raw, parts, 3), 0);
    buf_free(&meta);
}

static void numbers_seen_before_are_dropped(void **state)
{
    struct world *w = *state;
    void *raw = raw_publisher(w);
    static const uint64_t seqs[] = {5, 5, 4, 1, 6};

    for (size_t i = 0; i < ARRAY_SIZE(seqs); i++)
        send_as(w, raw, "s", 7, seqs[i]);
    UNTIL(w->loop, w->last_seq == 6);
    assert_int_equal(w->got, 2);
    assert_int_equal(w->gaps, 0);
}

static void what_has_no_number_is_never_dropped(void **state)
{
    struct world *w = *state;
    void *raw = raw_publisher(w);
    static const uint64_t seqs[] = {0, 5, 0, 0, 6};

    for (size_t i = 0; i < ARRAY_SIZE(seqs); i++)
        send_as(w, raw, "s", 7, seqs[i]);
    UNTIL(w->loop, w->last_seq == 6);
    assert_int_equal(w->got, 5);
    assert_int_equal(w->gaps, 0);
}

static void the_processes_followed_of_one_source_are_bounded(void **state)
{
    struct world *w = *state;
    void *raw = raw_publisher(w);

    for (uint64_t epoch = 1; epoch <= 10; epoch++)
        send_as(w, raw, "s", epoch, 100);
    UNTIL(w->loop, w->got == 10);
    assert_int_equal(w->gaps, 9);
    send_as(w, raw, "s", 10, 103); /* still followed */
    UNTIL(w->loop, w->got == 11);
    assert_int_equal(w->lost, 2);
    send_as(w, raw, "s", 1, 200); /* forgotten: begins anew */
    UNTIL(w->loop, w->got == 12);
    assert_int_equal(w->lost, 2);
    assert_int_equal(w->gaps, 11);
}

static void the_process_that_was_silent_longest_is_forgotten(void **state)
{
    struct world *w = *state;
    void *raw = raw_publisher(w);
    static const struct {
        uint64_t epoch, seq;
        int gaps;
        uint64_t lost;
    } said[] = {{1, 100, 0, 0}, {2, 100, 1, 0}, {3, 100, 2, 0}, {4, 100, 3, 0},
                {1, 101, 3, 0},                                 /* goes on */
                {5, 100, 4, 0},                                 /* takes the place of 2 */
                {1, 103, 5, 1}, {3, 103, 6, 3},                 /* still followed */
                {4, 103, 7, 5}, {5, 103, 8, 7}, {2, 200, 9, 7}, /* forgotten: begins anew, in the
                                                                   place of 1 */
                {1, 300, 10, 7}};

    for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
        send_as(w, raw, "s", said[i].epoch, said[i].seq);
        UNTIL(w->loop, w->got == (int)i + 1);
        run_for(w->loop, 1); /* the order is by the clock */
        assert_int_equal(w->gaps, said[i].gaps);
        assert_int_equal(w->lost, said[i].lost);
    }
}

static void the_source_that_was_silent_longest_is_forgotten(void **state)
{
    struct world *w = *state;
    void *raw = raw_publisher(w);
    char source[32];

    for (int i = 1; i <= 1024; i++) {
        snprintf(source, sizeof(source), "s%d", i);
        send_as(w, raw, source, 1, 1);
        UNTIL(w->loop, w->got == i);
    }
    run_for(w->loop, 1);
    send_as(w, raw, "s1", 1, 2); /* goes on */
    UNTIL(w->loop, w->got == 1025);
    send_as(w, raw, "new", 1, 1); /* takes the place of s2 */
    send_as(w, raw, "s1", 1, 4);
    send_as(w, raw, "s3", 1, 3);
    UNTIL(w->loop, w->got == 1028);
    assert_int_equal(w->lost, 2);
    send_as(w, raw, "s2", 1, 9);
    UNTIL(w->loop, w->got == 1029);
    assert_int_equal(w->lost, 2);
    assert_int_equal(w->gaps, 2);
}

static void new_sources_are_followed_after_any_number_of_others(void **state)
{
    struct world *w = *state;
    void *raw = raw_publisher(w);
    char source[32];

    for (int i = 1; i <= 1100; i++) {
        snprintf(source, sizeof(source), "forged-%d", i);
        send_as(w, raw, source, 1, 1);
        UNTIL(w->loop, w->got == i);
    }
    send_as(w, raw, "late", 1, 1);
    send_as(w, raw, "late", 1, 3);
    UNTIL(w->loop, w->got == 1102);
    assert_int_equal(w->lost, 1);
}

static void who_comes_late_sees_no_gap(void **state)
{
    struct world *w = *state;
    struct world late = {.loop = w->loop};
    struct bus_sub *s;
    int err = 0;

    UNTIL(w->loop, bus_pub_wanted(w->pub, VIEW("tel/")));
    send_tel(w->pub, 5);
    UNTIL(w->loop, w->got == 5);
    s = bus_sub_new(w->state.bus, bus_forwarder_subscribe(w->fwd), &handler, &late, &err);
    bus_sub_follow(s, VIEW("tel"));
    bus_sub_add(s, VIEW("tel/"));
    while (late.got == 0) {
        send_tel(w->pub, 1);
        loop_once(w->loop, 5);
    }
    assert_int_equal(late.gaps, 0);
    bus_sub_destroy(&s);
}

/* However few messages may wait on the way to the forwarder: a reload of the lists is one turn. */
static void what_is_published_in_one_turn_is_not_lost(void **state)
{
    struct world w = {.loop = ((struct world *)*state)->loop};
    int err = 0;

    w.state = process_start(w.loop, "state@few", "few", NULL);
    w.state.bus->hwm = 10;
    w.fwd = bus_forwarder_new(w.state.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    w.pub = bus_pub_new(w.state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    w.sub = bus_sub_new(w.state.bus, BUS_INPROC_SUBSCRIBE, &handler, &w, &err);
    bus_sub_follow(w.sub, VIEW("tel"));
    bus_sub_add(w.sub, VIEW("tel/"));
    UNTIL(w.loop, bus_pub_wanted(w.pub, VIEW("tel/")));
    send_tel(w.pub, 5000);
    UNTIL(w.loop, w.got == 5000);
    assert_int_equal(w.gaps, 0);
    bus_sub_destroy(&w.sub);
    bus_pub_destroy(&w.pub);
    bus_forwarder_destroy(&w.fwd);
    process_end(&w.state);
}

/* What the state's metrics say of subscribers that did not read. */
static bool was_full(struct world *w, int times)
{
    struct buf all;
    char line[64];
    bool is;

    buf_init(&all, 0);
    metrics_render(w->state.metrics, &all);
    snprintf(line, sizeof(line), "\nctibus_bus_subscriber_full_total %d\n", times);
    is = view_find(buf_view(&all), view_cstr(line)) >= 0;
    buf_free(&all);
    return is;
}

static int read_all(void *socket)
{
    struct frames f;
    int n = 0;

    for (; frames_recv(socket, &f); n++)
        frames_close(&f);
    return n;
}

/* Each time anew, and nobody else loses anything. */
static void a_subscriber_that_does_not_read_loses_its_own_messages(void **state)
{
    struct world w = {.loop = ((struct world *)*state)->loop};
    int few = 5, err = 0;
    void *stalled;

    w.state = process_start(w.loop, "state@few", "few", NULL);
    w.state.bus->subscriber_hwm = 10;
    w.fwd = bus_forwarder_new(w.state.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    w.pub = bus_pub_new(w.state.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    w.sub = bus_sub_new(w.state.bus, BUS_INPROC_SUBSCRIBE, &handler, &w, &err);
    bus_sub_follow(w.sub, VIEW("tel"));
    bus_sub_add(w.sub, VIEW("tel/"));
    stalled = zmq_socket(bus_zmq(w.state.bus), ZMQ_SUB);
    zmq_setsockopt(stalled, ZMQ_RCVHWM, &few, sizeof(few));
    zmq_setsockopt(stalled, ZMQ_SUBSCRIBE, "tel/", 4);
    zmq_connect(stalled, BUS_INPROC_SUBSCRIBE);
    UNTIL(w.loop, bus_pub_wanted(w.pub, VIEW("tel/")));
    for (int round = 1; round <= 3; round++) {
        /* it is there, and has room again */
        UNTIL(w.loop, (send_tel(w.pub, 1), read_all(stalled) > 0));
        assert_true(was_full(&w, round - 1));
        send_tel(w.pub, 100);
        assert_true(was_full(&w, round));
        assert_in_range(read_all(stalled), few, 99);
    }
    UNTIL(w.loop, (uint64_t)w.got == bus_pub_seq(w.pub, VIEW("tel")));
    assert_int_equal(w.gaps, 0);
    zmq_close(stalled);
    bus_sub_destroy(&w.sub);
    bus_pub_destroy(&w.pub);
    bus_forwarder_destroy(&w.fwd);
    process_end(&w.state);
}

/* To send makes libzmq look at what has come, which ZMQ_FD does not show afterwards. */
static void what_is_subscribed_to_while_it_publishes_is_passed_on(void **state)
{
    struct world *w = *state;
    struct process gw = process_start(w->loop, "gw@test", "gw", NULL);
    struct bus_pub *p = publisher(w, &gw);
    void *late = zmq_socket(bus_zmq(w->state.bus), ZMQ_SUB);

    bus_sub_remove(w->sub, VIEW(""));
    UNTIL(w->loop, !bus_pub_wanted(p, VIEW("ami/")));
    zmq_connect(late, BUS_INPROC_SUBSCRIBE);
    run_for(w->loop, 20);
    zmq_setsockopt(late, ZMQ_SUBSCRIBE, "ami/", 4);
    usleep(5000); /* it looks no more than once in a millisecond */
    bus_pub_send_unnumbered(w->pub, VIEW("xod/echo/x/"), EMPTY);
    UNTIL(w->loop, bus_pub_wanted(p, VIEW("ami/")));
    zmq_close(late);
    bus_pub_destroy(&p);
    process_end(&gw);
}

struct flood {
    int port;
    atomic_bool over;
};

/* A subscriber that changes its mind as fast as the network takes it: no library is as quick. */
static void *flood(void *arg)
{
    static const char greeting[64] = {'\xff', 0,      0, 0, 0,   0,   0,   0,
                                      1,      '\x7f', 3, 0, 'N', 'U', 'L', 'L'};
    static const char ready[] = "\4\x19\5READY\13Socket-Type\0\0\0\3SUB";
    struct flood *f = arg;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)},
                             .sin_port = htons((uint16_t)f->port)};
    struct timeval wait = {.tv_usec = 100000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t end = clock_mono_us() + 1500000;
    static char frames[65536];
    ssize_t n = 0;

    for (size_t i = 0; i < sizeof(frames); i += 4)
        memcpy(frames + i, i % 8 ? "\0\2\0x" : "\0\2\1x", 4);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
        send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL) == sizeof(greeting) &&
        recv(fd, frames + sizeof(frames) - 64, 64, MSG_WAITALL) == 64)
        n = send(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL);
    memcpy(frames + sizeof(frames) - 64, frames, 64);
    for (size_t done = 0; n > 0 && clock_mono_us() < end;
         done = (done + (size_t)n) % sizeof(frames))
        n = send(fd, frames + done, sizeof(frames) - done, MSG_NOSIGNAL);
    close(fd);
    f->over = true;
    return NULL;
}

/* libzmq takes in what subscribers send as long as there is more of it. */
static void a_flood_of_subscriptions_does_not_hold_the_loop(void **state)
{
    struct world *w = *state;
    struct flood f = {.port = atoi(strrchr(bus_forwarder_subscribe(w->fwd), ':') + 1)};
    uint64_t longest = 0;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, flood, &f), 0);
    while (!f.over) {
        uint64_t from = clock_mono_us();
        loop_once(w->loop, 5);
        if (clock_mono_us() - from > longest)
            longest = clock_mono_us() - from;
    }
    pthread_join(thread, NULL);
    print_message("longest turn %d ms\n", (int)(longest / 1000));
    assert_in_range(longest, 0, 500000);
}

/* ---- interest ---- */

static void count_interest(void *arg, struct view prefix, bool on)
{
    if (view_eq(prefix, VIEW("ami/xivo/")))
        *(int *)arg += on ? 1 : -1;
}

static void a_publisher_learns_who_listens(void **state)
{
    struct world *w = *state;
    int interest = 0, err = 0;
    struct bus_pub *p;

    bus_sub_remove(w->sub, VIEW(""));
    p = bus_pub_new(w->state.bus, bus_forwarder_publish(w->fwd), count_interest, &interest, &err);
    bus_sub_add(w->sub, VIEW("ami/xivo/"));
    UNTIL(w->loop, interest == 1);
    assert_true(bus_pub_wanted(p, VIEW("ami/xivo/")));
    assert_true(bus_pub_wanted(p, VIEW("ami/xivo/Hangup/")));
    assert_true(bus_pub_wanted(p, VIEW("ami/")));
    assert_false(bus_pub_wanted(p, VIEW("ami/other/")));
    bus_sub_remove(w->sub, VIEW("ami/xivo/"));
    UNTIL(w->loop, interest == 0);
    assert_false(bus_pub_wanted(p, VIEW("ami/xivo/")));
    bus_pub_destroy(&p);
}

/* ---- frames that are none ---- */

static void put_meta(struct buf *out, uint64_t version, uint64_t seq)
{
    msg_put_array(out, 5);
    msg_put_u64(out, version);
    msg_put_cstr(out, "forger");
    msg_put_u64(out, 1);
    msg_put_u64(out, seq);
    msg_put_double(out, 1.0);
}

static void malformed_frames_are_refused_and_counted(void **state)
{
    struct world *w = *state;
    void *raw = raw_publisher(w);
    struct view topic = VIEW("tel/x/channel/new/");
    struct view good, newer;
    struct buf a, b;
    int n = 0;

    buf_init(&a, 0);
    buf_init(&b, 0);
    put_meta(&a, BUS_VERSION, 0);
    put_meta(&b, BUS_VERSION + 1, 0);
    good = buf_view(&a);
    newer = buf_view(&b);
#define SEND(...)                                                                                  \
    do {                                                                                           \
        struct view parts_[] = {__VA_ARGS__};                                                      \
        assert_int_equal(frames_send(raw, parts_, ARRAY_SIZE(parts_)), 0);                         \
        n++;                                                                                       \
    } while (0)
    SEND(topic);
    SEND(topic, good);
    SEND(topic, good, EMPTY, EMPTY);
    SEND(topic, good, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY);
    SEND(topic, newer, EMPTY);
    SEND(topic, VIEW(""), EMPTY);
    SEND(topic, VIEW("\xdd\xff\xff\xff\xff"), EMPTY);                     /* 4 G of members */
    SEND(topic, VIEW("\x95\x01\xdb\xff\xff\xff\xff"), EMPTY);             /* a source of 4 GB */
    SEND(topic, VIEW("\x95\x01\x01\x01\x01\x01"), EMPTY);                 /* wrong types */
    SEND(topic, VIEW("\x94\x01\xa1s\x01\x01"), EMPTY);                    /* too few members */
    SEND(topic, VIEW("\x95\x01\xa0\x01\x01\xcb\0\0\0\0\0\0\0\0"), EMPTY); /* no source */
    SEND(VIEW("tel/x/channel/new"), good, EMPTY);                         /* no slash at the end */
    SEND(VIEW(""), good, EMPTY);
    SEND(VIEW("tel/\xff/"), good, EMPTY);
    UNTIL(w->loop, counted(w->state.bus->counts.malformed) == n);
    assert_int_equal(w->got, 0);
    SEND(topic, good, EMPTY); /* the next good one is taken */
    UNTIL(w->loop, w->got == 1);
    SEND(topic, good, VIEW("\xdf\xff\xff\xff\xff")); /* a body is looked at by who reads it */
    UNTIL(w->loop, w->got == 2);
    assert_int_equal(counted(w->state.bus->counts.malformed), n - 2);
    buf_free(&a);
    buf_free(&b);
}

static void forged_sources_cost_a_bounded_amount(void **state)
{
    struct world *w = *state;
    void *raw = raw_publisher(w);
    struct buf meta;

    buf_init(&meta, 0);
    for (unsigned i = 0; i < 5000; i++) {
        struct view parts[3] = {VIEW("tel/x/channel/new/"), {NULL, 0}, EMPTY};
        char source[32];
        snprintf(source, sizeof(source), "forger%u", i);
        buf_reset(&meta);
        msg_put_array(&meta, 5);
        msg_put_u64(&meta, BUS_VERSION);
        msg_put_cstr(&meta, source);
        msg_put_u64(&meta, 1);
        msg_put_u64(&meta, 7);
        msg_put_double(&meta, 1.0);
        parts[1] = buf_view(&meta);
        frames_send(raw, parts, 3);
    }
    UNTIL(w->loop, w->got == 5000);
    assert_int_equal(w->gaps, 0);
    buf_free(&meta);
}

/* ---- who may bind ---- */

static void an_open_address_needs_curve_or_trust(void **state)
{
    static const char *const trusted[] = {"0.0.0.0", "10.1.2.3", NULL};
    struct world *w = *state;
    struct process p = process_start(w->loop, "x@test", "x", NULL);
    struct bus_forwarder *f;
    int err = 0;

    assert_null(bus_forwarder_new(p.bus, "tcp://0.0.0.0:*", "tcp://127.0.0.1:*", NULL, &err));
    assert_int_equal(err, -EACCES);
    assert_null(bus_forwarder_new(p.bus, "tcp://127.0.0.1:*", "tcp://*:*", trusted, &err));
    assert_int_equal(err, -EACCES);
    f = bus_forwarder_new(p.bus, "tcp://0.0.0.0:*", "tcp://127.0.0.1:*", trusted, &err);
    assert_non_null(f);
    bus_forwarder_destroy(&f);
    assert_true(bus_address_allowed("tcp://[::1]:5550", NULL));
    assert_true(bus_address_allowed("tcp://localhost:5550", NULL));
    assert_true(bus_address_allowed("ipc:///run/x", NULL));
    assert_true(bus_address_allowed("tcp://10.1.2.3:5550", trusted));
    assert_false(bus_address_allowed("tcp://10.1.2.4:5550", trusted));
    assert_false(bus_address_allowed("tcp://127.evil.example:5550", NULL));
    assert_false(bus_address_allowed("tcp://eth0:5550", NULL));
    assert_null(
        bus_forwarder_new(p.bus, bus_forwarder_publish(w->fwd), "tcp://127.0.0.1:*", NULL, &err));
    assert_int_equal(err, -EADDRINUSE);
    process_end(&p);
}

/* ---- heartbeats ---- */

static size_t fill(void *arg, struct buf *pairs, bool *ready)
{
    *ready = false;
    msg_put_pair(pairs, "mood", VIEW("good"));
    return 1;
}

struct beat {
    struct msg_doc doc;
    uint64_t tel;
    bool seen, ready, mood;
};

static void heart_message(void *arg, const struct bus_msg *m)
{
    struct beat *b = arg;

    assert_int_equal(msg_parse(&b->doc, m->body), 0);
    b->tel = msg_get_u64(msg_get(&b->doc.root, "seq"), "tel", 99);
    b->ready = msg_get_bool(&b->doc.root, "ready", true);
    b->mood = view_eq(msg_get_str(&b->doc.root, "mood"), VIEW("good"));
    b->seen = view_eq(m->topic, VIEW("svc/state/state/"));
}

/* libzmq's heartbeats would abort this process here. */
static void a_sender_dies_while_nobody_reads(void **state)
{
    struct world *w = *state;
    struct process far = process_start(w->loop, "far@test", "far", NULL);
    struct process near = process_start(w->loop, "near@test", "near", NULL);
    struct bus_forwarder *f;
    struct world heard = {.loop = w->loop};
    struct bus_pub *pub;
    struct bus_sub *sub;
    int err = 0;

    near.bus->hwm = 5;
    near.bus->heartbeat_ms = 300;
    f = bus_forwarder_new(far.bus, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", NULL, &err);
    pub = bus_pub_new(far.bus, BUS_INPROC_PUBLISH, NULL, NULL, &err);
    sub = bus_sub_new(near.bus, bus_forwarder_subscribe(f), &handler, &heard, &err);
    bus_sub_add(sub, VIEW("tel/"));
    UNTIL(w->loop, bus_pub_wanted(pub, VIEW("tel/")));
    for (int i = 0; i < 50000; i++) /* more than the kernel holds: the receiver is full */
        bus_pub_send(pub, VIEW("tel/xivo/channel/new/"), EMPTY);
    usleep(300000); /* its thread has read what fits, and the loop stands still */
    bus_pub_destroy(&pub);
    bus_forwarder_destroy(&f);
    process_end(&far);
    usleep(1200000); /* as long as heartbeats took to be due */
    run_for(w->loop, 100);
    assert_true(heard.got > 0);
    bus_sub_destroy(&sub);
    process_end(&near);
}

static void a_heartbeat_tells_the_last_numbers(void **state)
{
    static const struct bus_sub_handler beats = {heart_message, NULL};
    struct world *w = *state;
    struct bus_heartbeat *h = bus_heartbeat_new(w->state.bus, w->pub, "state", fill, NULL);
    struct beat b = {.seen = false};
    struct bus_sub *s;
    int err = 0;

    msg_doc_init(&b.doc);
    s = bus_sub_new(w->state.bus, BUS_INPROC_SUBSCRIBE, &beats, &b, &err);
    bus_sub_add(s, VIEW("svc/"));
    UNTIL(w->loop, bus_pub_wanted(w->pub, VIEW("svc/")));
    send_tel(w->pub, 3);
    UNTIL(w->loop, b.seen);
    assert_int_equal(b.tel, 3);
    assert_false(b.ready);
    assert_true(b.mood);
    bus_sub_destroy(&s);
    bus_heartbeat_destroy(&h);
    msg_doc_fini(&b.doc);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(messages_arrive_in_order_with_their_number),
        T(each_plane_has_its_own_numbers),
        T(a_gap_is_as_long_as_what_the_sender_dropped),
        T(another_process_of_a_source_is_told_and_followed),
        T(numbers_seen_before_are_dropped),
        T(what_has_no_number_is_never_dropped),
        T(the_processes_followed_of_one_source_are_bounded),
        T(the_process_that_was_silent_longest_is_forgotten),
        T(the_source_that_was_silent_longest_is_forgotten),
        T(new_sources_are_followed_after_any_number_of_others),
        T(who_comes_late_sees_no_gap),
        T(what_is_published_in_one_turn_is_not_lost),
        T(a_subscriber_that_does_not_read_loses_its_own_messages),
        T(a_flood_of_subscriptions_does_not_hold_the_loop),
        T(what_is_subscribed_to_while_it_publishes_is_passed_on),
        T(a_publisher_learns_who_listens),
        T(malformed_frames_are_refused_and_counted),
        T(forged_sources_cost_a_bounded_amount),
        T(an_open_address_needs_curve_or_trust),
        T(a_sender_dies_while_nobody_reads),
        T(a_heartbeat_tells_the_last_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
