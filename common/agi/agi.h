/*
 * FastAGI lines: what an Asterisk says first (the environment), the commands it takes, and what it
 * answers to them.
 *
 * Pure: no sockets, no clock. All views point into what was given and die with it. The facts are
 * those of running Asterisks 1.8 to 22 (docs/fagi-gw.md).
 */
#ifndef CTIBUS_AGI_AGI_H
#define CTIBUS_AGI_AGI_H

#include <sys/types.h>

#include "base/buf.h"

#define AGI_MAX_ENV 65536 /* bytes of an environment, its empty line included */
#define AGI_MAX_VARS 256  /* lines of it */
#define AGI_MAX_ARGS 128  /* agi_arg_1 to agi_arg_128 */
#define AGI_MAX_COMMAND                                                                            \
    2046 /* bytes of a command with its line end: Asterisk cuts off what is longer */

struct agi_var {
    struct view name; /* "agi_channel" */
    struct view value;
};

struct agi_env {
    struct agi_var vars[AGI_MAX_VARS]; /* in order of arrival, all but the arguments */
    unsigned n;
    struct view args[AGI_MAX_ARGS]; /* agi_arg_1 is the first; one that is left out is empty */
    unsigned n_args;
};

/* How long the environment at the start of `in` is, its empty line included; 0: not all of it is
 * there yet; -EBADMSG: it is none (its first line does not begin with "agi_"), or it is longer than
 * AGI_MAX_ENV. *seen is how much was looked at before: 0 at first, then left alone; `in` only grows
 * in between. An empty line behind the caller's name and before agi_accountcode is one of that name
 * (or of what else the caller has chosen), not the end. */
ssize_t agi_env_len(struct view in, size_t *seen);
/* Reads a whole environment. 0, or -EBADMSG: a line before agi_calleridname that does not begin
 * with "agi_", too many lines or arguments. Behind it such a line belongs to the value before it: a
 * caller's name may hold line ends. Since it may also hold lines that look like others of the
 * environment, of a name that comes twice the first one counts if that stands before
 * agi_calleridname (which Asterisk writes behind the channel and the like), else the last. */
int agi_env_read(struct agi_env *env, struct view whole);
/* The value of a variable by its name without "agi_"; empty when there is none. */
struct view agi_env_get(const struct agi_env *env, const char *name);

/* Appends SET VARIABLE with its line end. Quotes and backslashes of the value are escaped, control
 * characters become blanks. 0; -EINVAL: no variable is called so (blanks, quotes, control
 * characters, or nothing); -EMSGSIZE: it would be longer than AGI_MAX_COMMAND. Nothing is appended
 * then. */
int agi_put_set(struct buf *out, struct view name, struct view value);

enum agi_answer {
    AGI_DONE,    /* 200: the command was carried out, whatever came of it */
    AGI_HANGUP,  /* HANGUP: the caller is gone; it belongs to no command */
    AGI_UNKNOWN, /* 510: no such command */
    AGI_DEAD,    /* 511: not on a channel that is hung up */
    AGI_USAGE,   /* 520: wrong use of a command */
    AGI_OTHER,   /* something else */
    AGI_PART,    /* a line within a longer answer, or an empty one: no answer of its own */
};

/* Reads answers line by line. Zeroed at first. */
struct agi_answers {
    bool usage; /* inside of a 520 of several lines */
};
/* What a line (without its line end) is. A usage of several lines ends with "520 End of proper
 * usage.", which Asterisk 1.8 writes behind its last line instead of below it. */
enum agi_answer agi_answer_read(struct agi_answers *a, struct view line);

#endif
