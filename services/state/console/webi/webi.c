/* WEBI: the signals of a web interface, one a line, each answered, and the connection closed. */
#include <errno.h>

#include "console/internal.h"
#include "console/text.h"
#include "console/webi/cli.h"
#include "console/webi/command.h"
#include "core/resync.h"
#include "sessions/list_reload.h"

#define MAX_LINE 1024
#define MAX_SHOWN 80 /* of a command that is refused, in the log */

static void answer(struct line_client *t, const char *why)
{
    line_client_send(t, why ? VIEW("XIVO-WEBI:KO ") : VIEW("XIVO-WEBI:OK"));
    line_client_send(t, view_cstr(why));
    line_client_send(t, VIEW("\n"));
}

static void reload_list(struct line_client *t, const char *key)
{
    struct console *c = t->owner;
    int rc = list_reload(c->state, key);

    if (rc == -ENOENT)
        answer(t, "no ipbx of the configuration has a URI for this list");
    else if (rc < 0)
        answer(t, "it cannot be read (the log says why): what is known of it stays");
    else
        answer(t, NULL);
}

static void ask_members(struct line_client *t)
{
    struct state *s = ((struct console *)t->owner)->state;
    int rc = 0;

    for (size_t i = 0; i < s->n_ipbxes; i++)
        if (s->ipbxes[i].login == 0 || resync_ask(s, &s->ipbxes[i]) < 0)
            rc = -ENOTCONN;
    answer(t, rc < 0 ? "the link to an Asterisk is down: it is listed anew when it is back" : NULL);
}

static void reload_all(struct line_client *t)
{
    struct state *s = ((struct console *)t->owner)->state;

    answer(t, s->reload && s->reload(s->reload_arg) == 0
                  ? NULL
                  : "the configuration is wrong (the log says where): it stays as it was");
}

static void refuse(struct line_client *t, struct view line)
{
    struct console *c = t->owner;

    metric_add(c->cli_refused, 1);
    log_warning(c->state->log, "WEBI %s: refused: \"%.*s\"", t->peer,
                (int)(line.len < MAX_SHOWN ? line.len : MAX_SHOWN), line.ptr);
    line_client_send(t,
                     VIEW("not among the commands that may be run from here\nXIVO-CLI-WEBI:KO\n"));
}

static void on_line(struct line_client *t, struct view line)
{
    struct console *c = t->owner;
    struct webi_command command = webi_read(line);

    if (command.kind != WEBI_UNKNOWN)
        log_info(c->state->log, "WEBI %s: %.*s", t->peer, VIEW_ARG(line));
    switch (command.kind) {
    case WEBI_LIST:
        reload_list(t, command.key);
        break;
    case WEBI_MEMBERS:
        ask_members(t);
        break;
    case WEBI_RELOAD:
        reload_all(t);
        break;
    case WEBI_CLI:
        webi_cli_run(t, line);
        break;
    default:
        refuse(t, line);
    }
}

static bool whole(struct view rest)
{
    return webi_read(rest).kind != WEBI_UNKNOWN;
}

static void on_closed(struct line_client *t)
{
    webi_cli_leave(t);
}

const struct line_server_def webi_server = {
    .name = "WEBI",
    .listen_key = "main.incoming_tcp.WEBI",
    .access_key = "ctibus.access.webi",
    .refusal = "XIVO-CLI-WEBI:KO",
    .max_talks = 32,
    .max_line = MAX_LINE,
    .idle_ms = 10000,
    .whole = whole,
    .line = on_line,
    .closed = on_closed,
};
