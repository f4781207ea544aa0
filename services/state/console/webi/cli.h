/* A command of Asterisk's console, run at every Asterisk; what they say goes to a web interface. */
#ifndef CTIBUS_STATE_CONSOLE_WEBI_CLI_H
#define CTIBUS_STATE_CONSOLE_WEBI_CLI_H

#include "console/line_server.h"

#define WEBI_CLI_MS 2000                     /* that an Asterisk has to answer */
#define WEBI_CLI_MAX_BYTES ((size_t)1 << 20) /* of what one says; the rest is left out */

/* Holds the talk (owned by a console) until all have answered. */
void webi_cli_run(struct line_client *t, struct view command);
/* The talk ends: what is under way, if anything, is for nobody. */
void webi_cli_leave(struct line_client *t);

#endif
