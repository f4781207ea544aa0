/*
 * Recorded answers: what Asterisk said to the listing actions of a capture, given again to any
 * client that asks the same. NAME.sent beside NAME.ami tells which answer belongs to which action.
 */
#ifndef SIM_LISTING_H
#define SIM_LISTING_H

#include "model.h"

struct recorded {
    struct buf asked;  /* the action as sent */
    struct buf answer; /* its blocks, each with its empty line */
};

struct listing {
    struct recorded *items;
    size_t n;
    size_t cap;
};

/* Loads NAME.ami and NAME.sent. 0, or what file_read gives. */
int listing_load(struct listing *l, const char *path);
void listing_free(struct listing *l);

/* Appends the recorded answer to `ask`, with its ActionID. A recorded action without parameters
 * serves one with: then only the items that have those values are given. 0, -ENOENT when nothing
 * like it was recorded, -ESRCH when only other parameters were. */
int listing_answer(const struct listing *l, const struct ami_block *ask, struct buf *out);

/* Whether the recorded ListCommands names the action; true when there is none. */
bool listing_has_action(const struct listing *l, struct view action);

/* Hints and device states as they were recorded. 0 or -ENOMEM. */
int listing_seed(const struct listing *l, struct model *m);

#endif
