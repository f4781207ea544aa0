#include "console/console.h"

#include <errno.h>
#include <stdlib.h>

#include "console/announce/announce.h"
#include "console/info/dump.h"
#include "console/internal.h"

static const struct {
    const char *name, *key;
} ports[CONSOLE_PORTS] = {
    [CONSOLE_WEBI] = {"WEBI", "main.incoming_tcp.WEBI"},
    [CONSOLE_INFO] = {"INFO", "main.incoming_tcp.INFO"},
    [CONSOLE_ANNOUNCE] = {"ANNOUNCE", "main.incoming_udp.ANNOUNCE"},
};

static int make_parts(struct console *c)
{
    struct state *s = c->state;
    int err = 0;

    c->cli_refused = metrics_add(s->metrics, METRIC_state_webi_refused, NULL);
    c->cli_late = metrics_add(s->metrics, METRIC_state_webi_timeouts, NULL);
    c->wrong_tokens = metrics_add(s->metrics, METRIC_state_info_wrong_tokens, NULL);
    c->dumps = dumps_new(s);
    if (!c->cli_refused || !c->cli_late || !c->wrong_tokens || !c->dumps)
        return -ENOMEM;
    c->webi = line_server_new(s->loop, s->cfg, &webi_server, c, s->metrics, s->log, &err);
    if (err == 0)
        c->info = line_server_new(s->loop, s->cfg, &info_server, c, s->metrics, s->log, &err);
    if (err == 0)
        c->announce = announce_new(s, &err);
    return err;
}

struct console *console_new(struct state *s, int *err)
{
    struct console *c = calloc(1, sizeof(*c));

    *err = -ENOMEM;
    if (!c)
        return NULL;
    c->state = s;
    *err = make_parts(c);
    if (*err < 0)
        console_destroy(&c);
    return c;
}

void console_destroy(struct console **cp)
{
    struct console *c = cp ? *cp : NULL;

    if (!c)
        return;
    *cp = NULL;
    line_server_destroy(&c->webi);
    line_server_destroy(&c->info);
    announce_destroy(&c->announce);
    dumps_destroy(&c->dumps);
    if (c->cli_refused)
        metrics_remove(c->state->metrics, &c->cli_refused);
    if (c->cli_late)
        metrics_remove(c->state->metrics, &c->cli_late);
    if (c->wrong_tokens)
        metrics_remove(c->state->metrics, &c->wrong_tokens);
    free(c);
}

void console_reload(struct console *c)
{
    if (c->webi)
        line_server_reload(c->webi, c->state->cfg);
    if (c->info)
        line_server_reload(c->info, c->state->cfg);
    if (c->announce)
        announce_reload(c->announce);
}

uint16_t console_port(const struct console *c, enum console_port which)
{
    if (which == CONSOLE_ANNOUNCE)
        return c->announce ? announce_port(c->announce) : 0;
    if (which == CONSOLE_WEBI)
        return c->webi ? line_server_port(c->webi) : 0;
    return c->info ? line_server_port(c->info) : 0;
}

const char *console_key(enum console_port which)
{
    return ports[which].key;
}

const char *console_name(enum console_port which)
{
    return ports[which].name;
}
