/* Private to the parts of console/. */
#ifndef CTIBUS_STATE_CONSOLE_INTERNAL_H
#define CTIBUS_STATE_CONSOLE_INTERNAL_H

#include "console/console.h"
#include "console/line_server.h"
#include "core/context.h"

struct announce;
struct dumps;

struct console {
    struct state *state;
    struct line_server *webi, *info; /* NULL: switched off */
    struct announce *announce;       /* NULL: switched off */
    struct dumps *dumps;
    struct metric *cli_refused, *cli_late, *wrong_tokens;
};

/* webi.c, info.c */
extern const struct line_server_def webi_server, info_server;

#endif
