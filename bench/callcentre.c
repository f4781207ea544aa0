/*
 * Canonical events of a call centre, straight into state: what its domain and store can take.
 *
 *     bench-callcentre PUBLISH SUBSCRIBE REQUEST QUEUES MEMBERS CALLS RATE
 *
 * Stands in for ami-gw: registers, lists MEMBERS members (the phones SIP/u1, SIP/u2...) over QUEUES
 * queues, then plays CALLS calls as a queue makes them, some twenty events each, many at a time.
 * Waits until the last change has come out of state and prints the rate; fails when none has come
 * out for a minute. The site needs a phone more than there are members: the changes of that one
 * tell how far state is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/bus.h"

#define UNDER_WAY 40  /* thousands of events that may be on their way to state */
#define AT_A_TIME 500 /* calls that are up */
#define SILENCE_US 60000000

struct run {
    struct loop *loop;
    struct bus_pub *pub;
    struct bus_client *bus_client;
    struct buf topic, body;
    size_t pairs;
    unsigned queues, members;
    uint64_t calls, started, ended, events, marks, seen;
    uint64_t since, heard;
    double rate;
    bool listed, applied; /* sent to state; there */
};

/* ---- events ---- */

static void begin(struct run *r, enum tel_event ev)
{
    buf_reset(&r->topic);
    buf_reset(&r->body);
    r->pairs = 0;
    buf_append_cstr(&r->topic, "tel/xivo/");
    buf_append_view(&r->topic, schema_tel_topic(ev));
}

static void text(struct run *r, enum tel_field f, const char *format, uint64_t n)
{
    char value[64];

    snprintf(value, sizeof(value), format, (unsigned long long)n);
    msg_put_str(&r->body, schema_tel_field_name(f));
    msg_put_cstr(&r->body, value);
    r->pairs++;
}

static void number(struct run *r, enum tel_field f, int64_t n)
{
    msg_put_str(&r->body, schema_tel_field_name(f));
    msg_put_i64(&r->body, n);
    r->pairs++;
}

static void flag(struct run *r, enum tel_field f, bool on)
{
    msg_put_str(&r->body, schema_tel_field_name(f));
    msg_put_bool(&r->body, on);
    r->pairs++;
}

static void end(struct run *r)
{
    struct buf whole;

    buf_init(&whole, 0);
    msg_put_map(&whole, r->pairs);
    buf_append_view(&whole, buf_view(&r->body));
    if (bus_pub_send(r->pub, buf_view(&r->topic), buf_view(&whole)) < 0) {
        fprintf(stderr, "an event was dropped\n");
        exit(1);
    }
    buf_free(&whole);
    r->events++;
}

static void channel(struct run *r, enum tel_event ev, const char *name, uint64_t n, int state)
{
    begin(r, ev);
    text(r, TELF_channel, name, n);
    text(r, TELF_uniqueid, name, n);
    text(r, TELF_callerid_num, "06%08llu", n);
    text(r, TELF_callerid_name, "Caller %llu", n);
    text(r, TELF_context, "default", 0);
    if (state >= 0)
        number(r, TELF_state, state);
    end(r);
}

static void pair(struct run *r, enum tel_event ev, const char *name, const char *other,
                 enum tel_field as, uint64_t n)
{
    begin(r, ev);
    text(r, TELF_channel, name, n);
    text(r, as, other, n);
    end(r);
}

/* A member as Asterisk tells it. */
static void member(struct run *r, uint64_t who, const char *status, bool listing)
{
    begin(r, TEL_member_status);
    text(r, TELF_queue, "queue%llu", who % r->queues + 1);
    text(r, TELF_interface, "SIP/u%llu", who + 1);
    text(r, TELF_membership, "static", 0);
    number(r, TELF_penalty, 0);
    number(r, TELF_calls_taken, (int64_t)(r->ended / r->members));
    text(r, TELF_status, status, 0);
    flag(r, TELF_paused, false);
    if (listing)
        flag(r, TELF_resync, true);
    end(r);
}

static void hint(struct run *r, uint64_t phone, const char *status, uint64_t n)
{
    begin(r, TEL_device_hint);
    text(r, TELF_hint, "SIP/u%llu", phone);
    text(r, TELF_status, status, n);
    end(r);
}

static void in_queue(struct run *r, enum tel_event ev, uint64_t n)
{
    uint64_t who = n % r->members;

    begin(r, ev);
    text(r, TELF_channel, "SIP/pstn-%08llx", n);
    text(r, TELF_queue, "queue%llu", who % r->queues + 1);
    if (ev == TEL_queue_join)
        number(r, TELF_position, 1);
    if (ev == TEL_agent_connect || ev == TEL_agent_complete) {
        text(r, TELF_member, "SIP/u%llu", who + 1);
        number(r, TELF_holdtime, 7);
    }
    end(r);
}

/* ---- a call: its first half when it comes, its second when its turn is over ---- */

static const char caller[] = "SIP/pstn-%08llx";

static void begin_call(struct run *r, uint64_t n)
{
    uint64_t who = n % r->members;
    char called[48];

    snprintf(called, sizeof(called), "SIP/u%llu-%%08llx", (unsigned long long)who + 1);
    channel(r, TEL_channel_new, caller, n, 4);
    channel(r, TEL_channel_state, caller, n, 6);
    in_queue(r, TEL_queue_join, n);
    channel(r, TEL_channel_new, called, n, 0);
    pair(r, TEL_agent_called, caller, called, TELF_destination, n);
    pair(r, TEL_dial_begin, caller, called, TELF_destination, n);
    member(r, who, "6", false);
    hint(r, who + 1, "8", 0);
    channel(r, TEL_channel_state, called, n, 5);
    channel(r, TEL_channel_state, called, n, 6);
    in_queue(r, TEL_queue_leave, n);
    in_queue(r, TEL_agent_connect, n);
    pair(r, TEL_call_link, caller, called, TELF_other, n);
    member(r, who, "2", false);
    hint(r, who + 1, "1", 0);
}

static void end_call(struct run *r, uint64_t n)
{
    uint64_t who = n % r->members;
    char called[48];

    snprintf(called, sizeof(called), "SIP/u%llu-%%08llx", (unsigned long long)who + 1);
    channel(r, TEL_channel_hold, called, n, -1);
    channel(r, TEL_channel_unhold, called, n, -1);
    pair(r, TEL_call_unlink, caller, called, TELF_other, n);
    in_queue(r, TEL_agent_complete, n);
    channel(r, TEL_channel_hangup, called, n, -1);
    channel(r, TEL_channel_hangup, caller, n, -1);
    member(r, who, "1", false);
    hint(r, who + 1, "0", 0);
    r->ended++;
}

/* Every thousand events a change that comes back tells how far state is. */
static void mark(struct run *r, bool last)
{
    if (r->events / 1000 < r->marks && !last)
        return;
    r->marks++;
    hint(r, r->members + 1, "%llu", r->marks + 1000);
}

/* Not ahead of its time. */
static bool is_due(const struct run *r)
{
    return r->rate <= 0 || (double)r->events < r->rate * (double)(clock_mono_us() - r->since) / 1e6;
}

static void pump(void *arg)
{
    struct run *r = arg;

    if (clock_mono_us() - r->heard > SILENCE_US) {
        fprintf(stderr, "no change has come out of state for a minute: %llu of %llu marks\n",
                (unsigned long long)r->seen, (unsigned long long)r->marks);
        exit(1);
    }
    while (r->applied && r->marks - r->seen < UNDER_WAY && r->ended < r->calls && is_due(r)) {
        if (r->started < r->calls && r->started - r->ended < AT_A_TIME)
            begin_call(r, r->started++);
        else
            end_call(r, r->ended);
        mark(r, r->ended == r->calls);
    }
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct run *r = arg;
    double s;

    r->seen++;
    r->heard = clock_mono_us();
    if (!r->applied) {
        r->applied = true;
        r->since = r->heard;
    }
    if (r->seen < r->marks || r->ended < r->calls) {
        pump(r);
        return;
    }
    s = (double)(clock_mono_us() - r->since) / 1e6;
    printf("events %llu  seconds %.2f  events/s %.0f\n", (unsigned long long)r->events, s,
           (double)r->events / s);
    loop_stop(r->loop);
}

/* ---- the gateway's part ---- */

/* The rate is that of calls, which begin when all members are with state: each new one makes its
 * queue tell its members anew, which takes its time when there are hundreds. */
static void list_members(struct run *r)
{
    begin(r, TEL_resync_begin);
    text(r, TELF_kind, "queues", 0);
    end(r);
    for (uint64_t i = 0; i < r->members; i++)
        member(r, i, "1", true);
    begin(r, TEL_resync_end);
    text(r, TELF_kind, "queues", 0);
    end(r);
    begin(r, TEL_resync_end);
    text(r, TELF_kind, "all", 0);
    end(r);
    r->events = 0;
    r->listed = true;
    mark(r, true);
}

static void on_up(void *arg, const msgpack_object *body)
{
    struct run *r = arg;
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "kind", VIEW("ami"));
    msg_put_pair(&pairs, "ipbx", VIEW("xivo"));
    msg_put_pair_u64(&pairs, "login", clock_mono_us()); /* another one each time */
    bus_ask(r->bus_client, METHOD_worker_register, 3, buf_view(&pairs), 5000, NULL, NULL);
    buf_free(&pairs);
}

static void on_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body)
{
    struct run *r = arg;

    bus_client_reply(r->bus_client, id, BUS_ok, view_of(NULL, 0));
    if (method == METHOD_resync && !r->listed)
        list_members(r);
}

int main(int argc, char **argv)
{
    static const struct bus_sub_handler sub_handler = {on_message, NULL};
    static const struct bus_client_handler handler = {on_up, NULL, on_request};
    struct bus_options opt = {.source = "bench@callcentre",
                              .instance = "ami-gw:bench",
                              .hwm = 1000000,
                              .heartbeat_ms = 2000};
    struct run r = {0};
    struct metrics *metrics = metrics_new();
    struct bus *bus;
    struct bus_sub *sub;
    struct loop_timer *timer;
    char topic[64];
    int err = 0;

    if (argc != 8) {
        fprintf(stderr, "usage: %s PUBLISH SUBSCRIBE REQUEST QUEUES MEMBERS CALLS RATE\n", argv[0]);
        return 2;
    }
    r.queues = (unsigned)atoi(argv[4]);
    r.members = (unsigned)atoi(argv[5]);
    r.calls = (uint64_t)atoll(argv[6]);
    r.rate = atof(argv[7]);
    r.heard = clock_mono_us();
    r.loop = loop_new();
    timer = loop_timer_new(r.loop, pump, &r);
    loop_timer_start(timer, 1, true);
    snprintf(topic, sizeof(topic), "xod/xivo/status/phones/%u/", r.members + 1);
    bus = bus_new(r.loop, &opt, metrics, NULL);
    buf_init(&r.topic, 0);
    buf_init(&r.body, 0);
    sub = bus_sub_new(bus, argv[2], &sub_handler, &r, &err);
    if (!sub || bus_sub_add(sub, view_cstr(topic)) < 0)
        return 1;
    r.pub = bus_pub_new(bus, argv[1], NULL, NULL, &err);
    r.bus_client = bus_client_new(bus, argv[3], "ami-gw", &handler, &r, &err);
    if (!r.pub || !r.bus_client)
        return 1;
    loop_run(r.loop);
    loop_timer_destroy(&timer);
    bus_client_destroy(&r.bus_client);
    bus_pub_destroy(&r.pub);
    bus_sub_destroy(&sub);
    buf_free(&r.topic);
    buf_free(&r.body);
    bus_destroy(&bus);
    metrics_destroy(&metrics);
    loop_destroy(&r.loop);
    return 0;
}
