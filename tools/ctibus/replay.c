/*
 * ctibus replay [--pace PACE] FILE [PREFIX...]: a recording back onto a bus.
 *
 * Messages keep their source and the order of their numbers, but each source is a new process (its
 * epoch is now, its numbers begin at 1) and times are moved to now: a subscriber takes it for
 * live. Numbers that were missing in the recording are missing here, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "recording.h"
#include "tool.h"

#define WAIT_US 5000000u
#define LINGER_MS 10000 /* for what is sent and has not left, when the last is read */
#define BATCH 1000
#define RETRY_MS 1 /* a queue was full */
#define MAX_PLANES 16

enum pace_kind { PACE_TIMES, PACE_RATE, PACE_MAX };

struct replay {
    struct tool *tool;
    struct recording file;
    struct bus_pub *pub;
    struct loop_timer *timer;
    struct map *streams; /* "SOURCE PLANE" -> the first number, boxed */
    struct buf key;
    enum pace_kind pace;
    double factor;
    char **prefixes;
    int n_prefixes;
    struct view planes[MAX_PLANES]; /* "tel/" ... that are in it */
    size_t n_planes;
    struct bus_msg next;
    bool have_next;
    double first; /* time of the first message */
    double began; /* when that was sent, seconds since 1970 */
    uint64_t epoch, asked_us, sent;
};

static bool parse_pace(struct replay *r, const char *text)
{
    char *end = NULL;

    r->pace = PACE_TIMES;
    r->factor = 1;
    if (strcmp(text, "real") == 0)
        return true;
    if (strcmp(text, "max") == 0) {
        r->pace = PACE_MAX;
        return true;
    }
    r->factor = strtod(*text == 'x' ? text + 1 : text, &end);
    if (*text != 'x')
        r->pace = PACE_RATE;
    return r->factor > 0 && r->factor < 1e9 && strcmp(end, *text == 'x' ? "" : "/s") == 0;
}

static bool is_wanted(const struct replay *r, struct view topic)
{
    for (int i = 0; i < r->n_prefixes; i++)
        if (view_starts(topic, view_cstr(r->prefixes[i])))
            return true;
    return r->n_prefixes == 0;
}

/* The number within its stream, from 1; 0: it is not numbered. */
static uint64_t renumber(struct replay *r, const struct bus_msg *m)
{
    struct view rest = m->topic;
    uint64_t *first;

    if (m->seq == 0)
        return 0;
    buf_reset(&r->key);
    buf_append_view(&r->key, m->source);
    buf_printf(&r->key, " %llu ", (unsigned long long)m->epoch);
    buf_append_view(&r->key, view_cut(&rest, '/'));
    first = map_get(r->streams, buf_view(&r->key));
    if (!first) {
        struct view key = view_of(view_dup(buf_view(&r->key)), buf_len(&r->key));
        first = malloc(sizeof(*first));
        if (!first || !key.ptr || map_put(r->streams, key, first) < 0) {
            free(first);
            free((char *)key.ptr);
            return 0;
        }
        *first = m->seq - 1;
    }
    return m->seq > *first ? m->seq - *first : 0;
}

/* Reads on to the next message that is wanted. False: there is none. */
static bool read_next(struct replay *r)
{
    int rc = 0;

    while (!r->have_next && (rc = recording_next(&r->file, &r->next)) == 0)
        r->have_next = is_wanted(r, r->next.topic);
    if (rc == -EBADMSG)
        tool_fail(r->tool, "the recording was cut off, or is damaged, after %llu messages",
                  (unsigned long long)r->sent);
    return r->have_next;
}

/* When the next message is due, in seconds since 1970. */
static double due(const struct replay *r)
{
    switch (r->pace) {
    case PACE_TIMES:
        return r->began + (r->next.time - r->first) / r->factor;
    case PACE_RATE:
        return r->began + (double)r->sent / r->factor;
    default:
        return 0;
    }
}

/* False: it does not go now. */
static bool send_next(struct replay *r)
{
    struct bus_msg as = r->next;

    as.epoch = r->epoch;
    as.time = clock_wall();
    as.seq = renumber(r, &r->next);
    if (bus_pub_send_as(r->pub, &as, r->next.topic, r->next.body) < 0)
        return false;
    r->sent++;
    r->have_next = false;
    return true;
}

static void go_on(struct replay *r, uint32_t ms)
{
    loop_timer_start(r->timer, ms, false);
}

static void play(struct replay *r)
{
    for (int i = 0; i < BATCH; i++) {
        double wait;
        if (!read_next(r)) {
            loop_stop(r->tool->loop);
            return;
        }
        if (r->sent == 0) {
            r->first = r->next.time;
            r->began = clock_wall();
        }
        wait = due(r) - clock_wall();
        if (wait > 0) {
            go_on(r, wait > 60 ? 60000 : (uint32_t)(wait * 1000) + 1);
            return;
        }
        if (!send_next(r)) {
            go_on(r, RETRY_MS);
            return;
        }
    }
    go_on(r, 0);
}

/* The planes that are in it, as far as they are wanted. */
static void find_planes(struct replay *r)
{
    struct recording all = r->file;
    struct bus_msg m;

    while (r->n_planes < MAX_PLANES && recording_next(&all, &m) == 0) {
        struct view rest = m.topic;
        struct view plane = view_cut(&rest, '/');
        size_t i = 0;
        while (i < r->n_planes && !view_starts(m.topic, r->planes[i]))
            i++;
        if (i == r->n_planes && is_wanted(r, m.topic))
            r->planes[r->n_planes++] = view_of(m.topic.ptr, plane.len + 1);
    }
    r->file.doc = all.doc; /* they share it */
}

static bool is_listened_to(const struct replay *r)
{
    for (size_t i = 0; i < r->n_planes; i++)
        if (bus_pub_wanted(r->pub, r->planes[i]))
            return true;
    return false;
}

/* Nothing is sent before somebody listens to some of it: a publisher that is not connected yet
 * throws away. */
static void on_timer(void *arg)
{
    struct replay *r = arg;

    if (!read_next(r)) {
        loop_stop(r->tool->loop);
    } else if (r->sent > 0 || is_listened_to(r)) {
        play(r);
    } else if (clock_mono_us() - r->asked_us > WAIT_US) {
        tool_fail(r->tool, "nobody listens to %.*s or anything else in it at %s",
                  VIEW_ARG(r->planes[0]), r->tool->bus_setup.publish);
        loop_stop(r->tool->loop);
    } else {
        go_on(r, 20);
    }
}

static void forget_streams(struct replay *r)
{
    struct view key;
    size_t pos = 0;
    void *first;

    while (map_next(r->streams, &pos, &key, &first)) {
        free(first);
        map_del(r->streams, key);
        free((char *)key.ptr);
    }
    map_destroy(&r->streams);
}

static void replay(struct replay *r)
{
    struct tool *t = r->tool;
    int err = -ENOMEM;

    r->streams = map_new();
    r->timer = loop_timer_new(t->loop, on_timer, r);
    if (r->streams && r->timer)
        r->pub = bus_pub_new(t->bus_setup.bus, t->bus_setup.publish, NULL, NULL, &err);
    if (r->pub) {
        r->epoch = clock_wall_us();
        r->asked_us = clock_mono_us();
        find_planes(r);
        go_on(r, 0);
        tool_run(t);
        if (!r->have_next) /* it was not told to stop before */
            bus_pub_set_linger(r->pub, LINGER_MS);
        fprintf(stderr, "%llu messages sent\n", (unsigned long long)r->sent);
    } else {
        tool_fail(t, "cannot publish at %s: %s", t->bus_setup.publish, strerror(-err));
    }
    bus_pub_destroy(&r->pub);
    loop_timer_destroy(&r->timer);
    if (r->streams)
        forget_streams(r);
}

static int run(struct tool *t, int argc, char **argv)
{
    struct replay r = {.tool = t};
    const char *pace = "real";
    const char *why;

    tool_option(&argc, &argv, "pace", &pace);
    if (!parse_pace(&r, pace))
        return tool_wrong(t, &command_replay, "--pace %s: real, x10, 100/s or max", pace);
    if (argc < 1 || argv[0][0] == '-')
        return tool_usage(t, &command_replay);
    why = recording_open(&r.file, argv[0]);
    if (why) {
        tool_fail(t, "%s: %s", argv[0], why);
        return t->exit_code;
    }
    buf_init(&r.key, 1024);
    r.prefixes = argv + 1;
    r.n_prefixes = argc - 1;
    replay(&r);
    buf_free(&r.key);
    recording_close(&r.file);
    return t->exit_code;
}

const struct command command_replay = {
    .name = "replay",
    .args = "[--pace real|xN|N/s|max] FILE [PREFIX...]",
    .help = "Publishes a recording, all of it or the topics that begin with a PREFIX, as if\n"
            "it were live: at its own pace, N times faster, N messages a second, or at\n"
            "once. Use a bus of your own: state applies every tel/ message that it gets.",
    .examples = "$ ctibus --context trial replay --pace x10 bug.rec tel/\n"
                "371 messages sent",
    .run = run,
};
