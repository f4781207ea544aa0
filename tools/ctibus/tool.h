/* What the commands of `ctibus` have in common. */
#ifndef CTIBUS_TOOL_TOOL_H
#define CTIBUS_TOOL_TOOL_H

#include <stdarg.h>
#include <stdio.h>

#include "svc/bus_setup.h"

struct tool {
    const char *config;  /* file */
    const char *context; /* that was named, or NULL */
    char *of_context;    /* the file of one, owned */
    struct config *cfg;  /* what follows is there unless the command is `alone` */
    struct log *log;
    struct loop *loop;
    struct metrics *metrics;
    struct bus_setup bus_setup;
    bool json;    /* --json: for programs */
    bool colours; /* standard output is a terminal, and NO_COLOR (no-color.org) is not set */
    int argc;     /* the arguments of the command, as they were given */
    char **argv;
    int exit_code;
    bool stopped; /* by SIGINT or SIGTERM, in tool_run */
};

/* A command. Its arguments are what follows its name. Exit codes as of services: 0, 1 failed, 2
 * wrong use or configuration. */
struct command {
    const char *name;
    const char *args; /* as --help shows them */
    const char *help; /* sentences, lines of at most 76 */
    /* Of use, with what is printed, as on a terminal: "$ ctibus ...", then its output, in which
     * "..." is what was left out, and "^C" where Ctrl-C is typed. Lines of at most 92. */
    const char *examples;
    int (*run)(struct tool *t, int argc, char **argv);
    bool alone; /* it needs neither configuration nor bus */
};
extern const struct command command_tail, command_top, command_snapshot, command_call,
    command_action, command_token, command_webhooks, command_phones, command_calls, command_queues,
    command_agents, command_users, command_sessions, command_kick, command_tokens, command_reload,
    command_record, command_replay, command_peers, command_check, command_schema, command_keygen,
    command_explain, command_discover, command_setup, command_passwd, command_keys, command_doctor,
    command_migrate, command_context, command_ha;

/* usage.c: says on standard error what is wrong with the arguments, as far as the command's `args`
 * and `help` tell, and how it is used; returns the exit code 2. */
int tool_usage(struct tool *t, const struct command *c);
/* The same where only the command knows what is wrong, in words. */
int tool_wrong(struct tool *t, const struct command *c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends what is wrong; nothing where that cannot be told. */
void tool_put_fault(const struct command *c, int argc, char **argv, struct buf *out);
/* plain.c: prints "ctibus: ..." on standard error and sets the exit code to 1. */
void tool_fail(struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* plain.c: prints a line; control characters in it, and what is no UTF-8, as U+FFFD. For all that
 * has names from elsewhere. */
void tool_say(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tool_say_args(FILE *to, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* The same into a buffer, without an end of the line. */
void tool_put_plain(struct buf *out, struct view text);
/* A word of a command that is printed, in quotes where the shell needs them. */
void tool_put_word(struct buf *out, const char *text);

/* main.c: the configuration, for a command that is `alone`; NULL: it is wrong (told). The caller
 * destroys it. */
struct config *tool_config(struct tool *t);

/* The bus of t->cfg, for a command that is `alone`: t->loop and t->bus_setup are there afterwards.
 * False: it cannot be opened (logged). tool_bus_close in either case. */
bool tool_bus_open(struct tool *t);
void tool_bus_close(struct tool *t);

/* The services, in the order in which they are told. */
#define TOOL_SERVICES                                                                              \
    {                                                                                              \
        "state", "ami-gw", "fagi-gw", "cti-gw", "http-gw", "federation"                            \
    }

/* check.c: what a service's --check says, appended to `out`. `env`: variables that it has beside
 * ours, as objects with `value`, or NULL. Its exit code; -ENOENT: the service is
 * not beside this program; -ETIMEDOUT: it was ended after 30 s. */
int tool_check(const char *service, const char *config, struct json_object *env, struct buf *out);

/* snapshot.c: the objects of state, all or those of a list or one; `add` is given a line of JSON of
 * each. */
typedef void tool_object_fn(void *arg, struct view json);
void tool_snapshot(struct tool *t, const char *list, const char *id, tool_object_fn *add,
                   void *arg);

/* phones.c: true: state runs, knows phones, and none has this number (NUMBER or NUMBER@CONTEXT).
 * For a command that is `alone`; waits at most some seconds. */
bool tool_lacks_phone(struct tool *t, struct config *cfg, const char *number);

/* setup.c: asks a person on the terminal; `otherwise` (or NULL) is what an empty answer means. The
 * answer of a secret is not shown. False: there is none. */
bool tool_prompt(const char *what, const char *otherwise, bool secret, char *out, size_t size);
/* discover.c: one field of a CSV file, and the people of discovery_lists as such a file. */
void tool_put_csv(struct buf *out, struct view text);
void tool_put_people(struct buf *out, struct json_object *lists);

/* Runs the loop until SIGINT or SIGTERM, or until loop_stop. */
void tool_run(struct tool *t);
/* The same, which a terminal is told once Ctrl-C is handled. `what` is done with the bus:
 * "listening at". */
void tool_run_until_ctrl_c(struct tool *t, const char *what);
/* For a command that does so several times: what arrives in between ends the next. */
struct tool_signals {
    struct loop_signal *sigint, *sigterm;
};
void tool_signals_take(struct tool *t, struct tool_signals *s);
void tool_signals_release(struct tool_signals *s);

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

/* ha.c: what each of several states says of itself, in the order of ctibus.ha.peers. */
#define TOOL_STATES CONFIG_HA_PEERS
struct tool_state {
    const char *name, *endpoint; /* borrowed from the configuration */
    bool told;                   /* it has answered */
    bool active, ready;          /* ready: it has settled, or can take over */
    uint64_t term;
    char version[32];
};
/* Asks all of them, for 2 s at most. False: that is not possible (told). */
bool tool_states(struct tool *t, struct tool_state states[TOOL_STATES], size_t *n);
/* The one that is active, and one that could take over; NULL: there is none. */
const struct tool_state *tool_active_state(const struct tool_state *states, size_t n);
const struct tool_state *tool_standby_state(const struct tool_state *states, size_t n);

/* json_text.c: a body of msgpack as JSON text. What is no UTF-8 is refused: -EBADMSG. */
int tool_put_json(struct buf *out, struct view body);
/* The same of one that was parsed. */
void tool_put_object(struct buf *out, const msgpack_object *o);
/* Prints it as a line. False: nobody reads any more. */
bool tool_print(struct buf *line);
/* Prints each element of the array `key` of an answer: as a line of JSON with --json, else by
 * `put`. */
void tool_print_list(const struct tool *t, const msgpack_object *body, const char *key,
                     void (*put)(const msgpack_object *one));

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
 * arguments is taken off; false: there is none. A VALUE that begins with -- needs the second form.
 */
bool tool_option(int *argc, char ***argv, const char *name, const char **value);

/* Seconds since 1970 as "HH:MM:SS.mmm" of this machine's time zone. */
void tool_put_time(struct buf *out, double when);
/* The same with its day, for what may be long ago. */
void tool_put_date(struct buf *out, double when);

#endif
