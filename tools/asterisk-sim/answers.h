/* What Asterisk says to each action, in the dialect of the capture. */
#ifndef SIM_ANSWERS_H
#define SIM_ANSWERS_H

#include "server.h"

/* Answers into c->reply; may set c->closing. Events that the action causes leave by the world. */
void answer(struct client *c, const struct ami_block *b);
/* After the answer has gone out: what it caused at once happens. */
void answer_done(struct client *c);

/* An action being answered. */
struct ask {
    struct client *c;
    struct world *w;
    const struct ami_block *b;
    struct view id; /* its ActionID; empty when there is none */
    struct buf *out;
};

typedef void answer_fn(const struct ask *a);

/* One row an action. */
struct action {
    const char *name;
    answer_fn *fn;
    bool new_only; /* not in 1.x */
};

/* The row, or NULL: answers_session.c, answers_lists.c and answers_calls.c have one table each. */
const struct action *session_action(struct view name);
const struct action *list_action(struct view name);
const struct action *call_action(struct view name);
/* answers_command.c: Command, the console */
answer_fn console_command;
const struct action *find_action(const struct action *table, size_t n, struct view name);

#endif
