/*
 * What state offers beside the bus: WEBI for web interfaces, INFO for people at a console, ANNOUNCE
 * for an Asterisk that has started. docs/console.md says how they look from outside.
 *
 *   line_server.c                who may connect, lines of text in and out, and their bounds
 *   text.c, columns.c     lines and tables that nothing in them can break
 *   webi.c, webi_*.c      the web interface's signals
 *   info.c, info_*.c      the console: a table of commands, a file for what belongs together
 *   announce.c            datagrams
 *   console.c             all of it
 */
#ifndef CTIBUS_STATE_CONSOLE_CONSOLE_H
#define CTIBUS_STATE_CONSOLE_CONSOLE_H

#include "core/context.h"

enum console_port { CONSOLE_WEBI, CONSOLE_INFO, CONSOLE_ANNOUNCE, CONSOLE_PORTS };

struct console;
/* Binds what the configuration of `s` has switched on. `s` outlives it. NULL and *err on failure
 * (logged). */
struct console *console_new(struct state *s, int *err);
void console_destroy(struct console **c);
/* The configuration of `s` is another one: who may connect, and where the Asterisks are. */
void console_reload(struct console *c);
/* The port that is bound, or 0; and the key of the configuration that says where. */
uint16_t console_port(const struct console *c, enum console_port which);
const char *console_key(enum console_port which);
const char *console_name(enum console_port which);

#endif
