/* A gateway between an Asterisk that a test plays and a whole state. */
#ifndef CTIBUS_TESTS_GATEWAY_WORLD_H
#define CTIBUS_TESTS_GATEWAY_WORLD_H

#include "gateway.h"
#include "support/asterisk.h"
#include "support/whole_state.h"

struct world {
    const char *commands; /* what ListCommands says */
    struct buf asked;     /* what the gateway asked during the last listing */
    struct state_world s;
    struct asterisk a;
    struct process p;
    struct gateway *g;
};

/* list_timeout_ms, list_retry_ms: of struct gateway_options. */
static inline int setup_with(void **state, uint32_t list_timeout_ms, uint32_t list_retry_ms)
{
    struct world *w = calloc(1, sizeof(*w));
    struct gateway_options opt = {
        .ipbx = "xivo", .list_timeout_ms = list_timeout_ms, .list_retry_ms = list_retry_ms};
    int err = 0;

    *state = w;
    w->commands = "Ping: Keepalive.\r\n";
    buf_init(&w->asked, 0);
    if (state_setup(&w->s) < 0 || !ast_start(&w->a, w->s.loop))
        return -1;
    opt.publish = state_endpoint_publish(w->s.s);
    opt.request = state_endpoint_request(w->s.s);
    opt.link = (struct link_options){.host = "127.0.0.1",
                                     .port = w->a.port,
                                     .username = "u",
                                     .password = "secret",
                                     .instance = "g",
                                     .timeout_ms = 2000};
    w->p = process_start(w->s.loop, "ami-gw:xivo@test", "ami-gw-xivo", NULL);
    w->g = gateway_new(w->s.loop, w->p.bus, &opt, w->p.metrics, NULL, &err);
    return err;
}

static inline int setup(void **state)
{
    return setup_with(state, 0, 0);
}

static inline int teardown(void **state)
{
    struct world *w = *state;

    gateway_destroy(&w->g);
    process_end(&w->p);
    ast_end(&w->a);
    state_teardown(&w->s);
    buf_free(&w->asked);
    free(w);
    return 0;
}

static inline const char *link_of(struct world *w)
{
    return state_str(xod_find(w->s.ipbx, LIST_ipbx, VIEW("xivo")), XOD(ipbx, link));
}

static inline int metric(struct world *w, const char *name)
{
    struct buf out;
    const char *at;
    char line[128];
    int n;

    buf_init(&out, 0);
    metrics_render(w->p.metrics, &out);
    snprintf(line, sizeof(line), "\n%s ", name);
    at = strstr(buf_cstr(&out), line);
    n = at ? atoi(at + strlen(line)) : -1;
    buf_free(&out);
    return n;
}

static inline struct xod_obj *channel(struct world *w, const char *name)
{
    return xod_find(w->s.ipbx, LIST_channels, view_cstr(name));
}

static inline const char *commstatus(struct world *w, const char *name)
{
    return state_str(channel(w, name), XOD(channels, commstatus));
}

/* An Asterisk with these channels; one phone's hint is known, the rest of the listings it lacks. */
static inline void list_all(struct world *w, const char *channels)
{
    char events[1024];
    struct ast_reply replies[] = {
        {"CoreShowChannels", "EventList: start\r\n", events},
        {"Events", "Events: On\r\n", NULL},
        {"ListCommands", w->commands, NULL},
        {"Filter", "Message: Success\r\n", NULL},
        {"ExtensionState", "Exten: 1001\r\nContext: default\r\nHint: SIP/alice\r\nStatus: 1\r\n",
         NULL},
        {NULL, NULL, NULL}};

    snprintf(events, sizeof(events), "%sEvent: CoreShowChannelsComplete|EventList: Complete",
             channels);
    buf_reset(&w->asked);
    AST_SERVE(&w->a, replies, &w->asked, strcmp(link_of(w), "up") == 0);
}

#define no_channels ""

/* Logs in; raw events are not asked for. */
static inline void come_up(struct world *w, const char *channels)
{
    ast_log_in(&w->a);
    ast_expect(&w->a, "Action: Events\r\n", "EventMask: system,call,agent,user,originate\r\n");
    ast_answer(&w->a, "Response: Success", "Events: On\r\n");
    list_all(w, channels);
}

#endif
