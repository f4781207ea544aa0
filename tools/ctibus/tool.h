/* What the commands of `ctibus` have in common. */
#ifndef CTIBUS_TOOL_TOOL_H
#define CTIBUS_TOOL_TOOL_H

#include "svc/bus_setup.h"

struct tool {
    const char *config; /* file */
    struct config *cfg; /* what follows is there unless the command is `alone` */
    struct log *log;
    struct loop *loop;
    struct metrics *metrics;
    struct bus_setup bus_setup;
    bool json; /* --json: for programs */
    int exit_code;
};

/* A command. Its arguments are what follows its name. Exit codes as of services: 0, 1 failed, 2
 * wrong use or configuration. */
struct command {
    const char *name;
    const char *args; /* as --help shows them */
    const char *help; /* sentences, lines of at most 76 */
    int (*run)(struct tool *t, int argc, char **argv);
    bool alone; /* it needs neither configuration nor bus */
};
extern const struct command command_tail, command_top, command_snapshot, command_call,
    command_action, command_sessions, command_kick, command_tokens, command_reload, command_record,
    command_replay, command_peers, command_check, command_schema, command_keygen, command_explain;

/* Says how the command is used, on standard error; returns the exit code 2. */
int tool_usage(struct tool *t, const struct command *c);
/* Prints "ctibus: ..." on standard error and sets the exit code to 1. */
void tool_fail(struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Runs the loop until SIGINT or SIGTERM, or until loop_stop. */
void tool_run(struct tool *t);

/* ask.c: one request to state. */
struct tool_question {
    enum bus_method method;
    size_t n_pairs;
    struct view pairs;
    uint32_t deadline_ms;
    /* For each answer that is more or ok; false ends it. */
    bool (*answer)(void *arg, const msgpack_object *body);
    /* What another outcome means, in words; NULL: its name says it. */
    const char *(*explain)(enum bus_status status);
    void *arg;
};
/* Asks and waits for the last answer; what goes wrong is told with tool_fail. */
void tool_ask(struct tool *t, const struct tool_question *q);

/* json_text.c: a body of msgpack as JSON text. What is no UTF-8 is refused: -EBADMSG. */
int tool_put_json(struct buf *out, struct view body);
/* The same of one that was parsed. */
void tool_put_object(struct buf *out, const msgpack_object *o);
/* Prints it as a line. False: nobody reads any more. */
bool tool_print(struct buf *line);

/* Subscribes to what begins so; "xod" and "xod/" are the whole plane, whose numbers then show
 * losses. 0 or a negative errno. */
int tool_subscribe(struct bus_sub *sub, const char *prefix);

/* watchbus.c: says on standard error that nothing comes from the bus, after 6 s, and when something
 * does again; `quiet`: only watchbus_silent knows. NULL without memory. */
struct watchbus;
struct watchbus *watchbus_new(struct tool *t, bool quiet);
bool watchbus_silent(const struct watchbus *w);
void watchbus_destroy(struct watchbus **w);

/* An option --NAME VALUE (or --NAME=VALUE) or a flag --NAME (value NULL) at the front of the
 * arguments is taken off; false: there is none. */
bool tool_option(int *argc, char ***argv, const char *name, const char **value);

/* Seconds since 1970 as "HH:MM:SS.mmm" of this machine's time zone. */
void tool_put_time(struct buf *out, double when);

#endif
