/*
 * Live AMI events for consoles: dumpami.
 *
 * The plane ami/ is subscribed to only while a console wants it, for it is only then that gateways
 * publish it. A console that does not read loses events, and is told how many.
 */
#ifndef CTIBUS_STATE_CONSOLE_INFO_DUMP_H
#define CTIBUS_STATE_CONSOLE_INFO_DUMP_H

#include "console/info/info.h"
#include "core/context.h"

struct dumps;
/* NULL without memory. */
struct dumps *dumps_new(struct state *s);
/* No console wants events any more. */
void dumps_destroy(struct dumps **d);

/* The console goes, or wants no more. */
void dump_end(struct info *i);
/* It has read all that there was. */
void dump_drained(struct info *i);

#endif
