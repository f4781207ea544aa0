/*
 * Clients of 2015 that all log in at once: each asks for its lists, for the config of each object,
 * and, when that is there, for its status; it is done when it has the status of everything.
 *
 *     bench-storm CTI_PORT CLIENTS USERS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "lib/swarm.h"

static const char *const lists[] = {"users",  "phones",     "agents",
                                    "queues", "voicemails", "queuemembers"};
#define N_LISTS ARRAY_SIZE(lists)

struct storm {
    struct loop *loop;
    struct swarm *swarm;
    unsigned n, done;
    unsigned *left;  /* objects whose status a client waits for */
    unsigned *asked; /* lists that it waits for */
    uint64_t start, lines, bytes;
};

static void ask(struct buf *out, const char *function, struct view list, struct view tid)
{
    buf_printf(out,
               "{\"class\":\"getlist\",\"commandid\":1,\"function\":\"%s\",\"listname\":\"%.*s\","
               "\"tipbxid\":\"xivo\"",
               function, VIEW_ARG(list));
    if (tid.len)
        buf_printf(out, ",\"tid\":\"%.*s\"", VIEW_ARG(tid));
    buf_append_cstr(out, "}\n");
}

/* The string behind "key":" */
static struct view member(struct view line, const char *key)
{
    char pattern[32];
    ptrdiff_t at;
    struct view rest;

    snprintf(pattern, sizeof(pattern), "\"%s\":\"", key);
    at = view_find(line, view_cstr(pattern));
    if (at < 0)
        return view_of(NULL, 0);
    rest = view_of(line.ptr + at + strlen(pattern), line.len - (size_t)at - strlen(pattern));
    return view_cut(&rest, '"');
}

static void begin(struct swarm_client *c)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    buf_append_cstr(&out, "{\"class\":\"getipbxlist\",\"commandid\":1}\n");
    for (size_t i = 0; i < N_LISTS; i++)
        ask(&out, "listid", view_cstr(lists[i]), view_of(NULL, 0));
    conn_send(c->conn, buf_view(&out));
    buf_free(&out);
}

static void on_list(struct storm *s, struct swarm_client *c, struct view line)
{
    ptrdiff_t at = view_find(line, VIEW("\"list\":["));
    struct view name = member(line, "listname");
    struct view ids = view_of(line.ptr + at + 8, line.len - (size_t)at - 8);
    struct view rest = view_cut(&ids, ']');
    struct buf out;

    buf_init(&out, 1 << 24);
    while (rest.len) {
        struct view id = view_cut(&rest, ',');
        ask(&out, "updateconfig", name, view_of(id.ptr + 1, id.len - 2));
        s->left[c->number]++;
    }
    s->asked[c->number]--;
    if (buf_len(&out))
        conn_send(c->conn, buf_view(&out));
    buf_free(&out);
}

static void on_config(struct swarm_client *c, struct view line)
{
    struct buf out;

    buf_init(&out, 4096);
    ask(&out, "updatestatus", member(line, "listname"), member(line, "tid"));
    conn_send(c->conn, buf_view(&out));
    buf_free(&out);
}

static void on_line(void *arg, struct swarm_client *c, struct view line)
{
    struct storm *s = arg;
    struct view function;

    s->lines++;
    s->bytes += line.len;
    if (c->step == 6) { /* its two lines are read: this is a presence of somebody */
        c->step = 7;
        s->asked[c->number] = N_LISTS;
        begin(c);
    }
    if (view_find(line, VIEW("\"replyid\":1,")) < 0)
        return;
    function = member(line, "function");
    if (view_eq(function, VIEW("listid")))
        on_list(s, c, line);
    else if (view_eq(function, VIEW("updateconfig")))
        on_config(c, line);
    else if (view_eq(function, VIEW("updatestatus")))
        s->left[c->number]--;
    if (function.len && s->left[c->number] == 0 && s->asked[c->number] == 0 && ++s->done == s->n) {
        printf("clients %u  all done after %.1f s  lines %llu  megabytes %llu  lost %u\n", s->n,
               (double)(clock_mono_us() - s->start) / 1e6, (unsigned long long)s->lines,
               (unsigned long long)(s->bytes >> 20), swarm_lost(s->swarm));
        loop_stop(s->loop);
    }
}

/* The last one hears of nobody's login any more: it is woken here. */
static void tick(void *arg)
{
    struct storm *s = arg;

    for (unsigned i = 0; i < s->n; i++) {
        struct swarm_client *c = swarm_client_at(s->swarm, i);
        if (c && c->step == 6) {
            c->step = 7;
            s->asked[c->number] = N_LISTS;
            begin(c);
        }
    }
    if (swarm_lost(s->swarm)) {
        printf("%u connections were lost\n", swarm_lost(s->swarm));
        loop_stop(s->loop);
    }
}

int main(int argc, char **argv)
{
    struct storm s = {0};
    struct loop_timer *timer;

    if (argc != 4) {
        fprintf(stderr, "usage: %s CTI_PORT CLIENTS USERS\n", argv[0]);
        return 2;
    }
    s.n = (unsigned)atoi(argv[2]);
    s.left = calloc(s.n + 1, sizeof(*s.left));
    s.asked = calloc(s.n + 1, sizeof(*s.asked));
    s.loop = loop_new();
    s.start = clock_mono_us();
    s.swarm = swarm_new(s.loop, "127.0.0.1", (uint16_t)atoi(argv[1]), s.n, (unsigned)atoi(argv[3]),
                        on_line, &s);
    timer = loop_timer_new(s.loop, tick, &s);
    loop_timer_start(timer, 20, true);
    loop_run(s.loop);
    loop_timer_destroy(&timer);
    swarm_destroy(&s.swarm);
    loop_destroy(&s.loop);
    free(s.left);
    free(s.asked);
    return 0;
}
