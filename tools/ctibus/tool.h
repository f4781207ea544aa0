/* What the commands of `ctibus` have in common. */
#ifndef CTIBUS_TOOL_TOOL_H
#define CTIBUS_TOOL_TOOL_H

#include "svc/onbus.h"

struct tool {
    struct config *cfg;
    struct log *log;
    struct loop *loop;
    struct metrics *metrics;
    struct onbus onbus;
    int exit_code;
};

/* The commands: arguments are what follows the command's name. Exit codes as of services: 0, 1
 * failed, 2 wrong use or configuration. */
int command_tail(struct tool *t, int argc, char **argv);
int command_snapshot(struct tool *t, int argc, char **argv);
int command_action(struct tool *t, int argc, char **argv);
int command_schema(void);
int command_keygen(int argc, char **argv);

/* A body of msgpack as JSON text. Not UTF-8 safe input is refused: -EBADMSG. */
int tool_put_json(struct buf *out, struct view body);
/* The same of one that was parsed. */
void tool_put_object(struct buf *out, const msgpack_object *o);

#endif
