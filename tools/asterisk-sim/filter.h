/* Which events a client gets: its mask of classes and what its Filter actions say. */
#ifndef SIM_FILTER_H
#define SIM_FILTER_H

#include "base/view.h"

struct filter_rule;

struct filter {
    uint32_t mask;
    struct filter_rule *rules;
    size_t n;
    bool has_white;
};

void filter_init(struct filter *f, uint32_t mask);
void filter_free(struct filter *f);

/* Adds a regular expression on the event's text, with a '!' in front: events that match are left
 * out. 0, -EINVAL (it does not compile) or -ENOMEM. */
int filter_add(struct filter *f, struct view rule);

/* Whether everything passes. */
static inline bool filter_is_open(const struct filter *f)
{
    return f->mask == UINT32_MAX && f->n == 0;
}

bool filter_passes(const struct filter *f, struct view event, uint32_t classes);

#endif
