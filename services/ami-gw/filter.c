/*
 * What Asterisk is asked to tell while there is no subscriber of raw events: only what rows of the
 * table are made of. Dialplan steps and variables, RTCP, CDR and DTMF are three quarters of all.
 *
 * The event mask says which classes come at all; it can be changed at any time and every version
 * has it. The class dialplan holds both the AGI steps and variables that have rows and a flood that
 * has none, so it is let in only where Filter actions (11 and later) hold the flood back. Filters
 * cannot be taken back before the next login: subscribers of raw events then get them over a link
 * of their own (raw.c).
 */
#include "filter.h"
#include "base/array.h"

#include "internal.h"

#define CLASSES "system,call,agent,user,originate"

/* Regular expressions over the whole text of an event, good as basic and as extended ones. What
 * stands before Variable must not be the n of ChanVariable. */
static const char *const filters[] = {
    "!Event: VarSet.*[^n]Variable: [^XQ_]",     "!Event: VarSet.*[^n]Variable: X[^I]",
    "!Event: VarSet.*[^n]Variable: Q[^U]",      "!Event: VarSet.*[^n]Variable: QUEUE[^S]",
    "!Event: VarSet.*[^n]Variable: QUEUES[^T]", "!Event: VarSet.*[^n]Variable: QUEUEST[^A]",
    "!Event: VarSet.*[^n]Variable: _[^_X]",     "!Event: VarSet.*[^n]Variable: __[^X]",
    "!Event: Newexten.*Application: [^AED]",    "!Event: Newexten.*Application: A[^G]",
    "!Event: Newexten.*Application: E[^A]",     "!Event: Newexten.*Application: D[^e]",
};
#define N_FILTERS ARRAY_SIZE(filters)

const char *filter_pattern(size_t i)
{
    return i < N_FILTERS ? filters[i] : NULL;
}

static void set_mask(struct gateway *g, const char *mask)
{
    struct ami_action aa;

    if (g->mask && strcmp(g->mask, mask) == 0)
        return;
    g->mask = mask;
    link_action(g->link, &aa, VIEW("Events"));
    ami_action_header(&aa, VIEW("EventMask"), view_cstr(mask));
    link_commit(g->link, &aa, false, ACTION_DEADLINE_MS, NULL, NULL, NULL);
}

/* One refused filter lets the flood through: then the class stays out, as without filters. */
static void on_filter(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct gateway *g = arg;

    if (outcome != ACTION_OK) {
        if (outcome == ACTION_ERROR && !g->filter_refused)
            log_warning(g->log,
                        "Asterisk takes no filter: %.*s; AGI steps and variables are not told",
                        VIEW_ARG(ami_get(response, "Message")));
        g->filter_refused |= outcome == ACTION_ERROR;
        return;
    }
    if (++g->filters_taken == N_FILTERS && !g->raw_wanted)
        set_mask(g, CLASSES ",dialplan");
}

static void send_filters(struct gateway *g)
{
    g->filtered = true;
    for (size_t i = 0; i < N_FILTERS; i++) {
        struct ami_action aa;
        link_action(g->link, &aa, VIEW("Filter"));
        ami_action_header(&aa, VIEW("Operation"), VIEW("Add"));
        ami_action_header(&aa, VIEW("Filter"), view_cstr(filters[i]));
        link_commit(g->link, &aa, false, ACTION_DEADLINE_MS, NULL, on_filter, g);
    }
}

void filter_apply(struct gateway *g)
{
    if (!g->link || !link_is_up(g->link))
        return;
    if (g->raw_wanted && !g->filtered) {
        set_mask(g, "on");
        return;
    }
    if (g->filtered) /* they are in force, and with them the mask */
        return;
    set_mask(g, CLASSES);
    if (capabilities_has(g->capabilities, VIEW("Filter")))
        send_filters(g);
}

static void on_commands(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct gateway *g = arg;

    if (outcome == ACTION_TIMEOUT)
        filter_ask_commands(g);
    if (outcome != ACTION_OK || !response)
        return;
    capabilities_take(g->capabilities, response);
    if (!g->raw_wanted)
        filter_apply(g);
}

void filter_ask_commands(struct gateway *g)
{
    struct ami_action aa;

    link_action(g->link, &aa, VIEW("ListCommands"));
    link_commit(g->link, &aa, false, ACTION_DEADLINE_MS, NULL, on_commands, g);
}

void filter_link_up(struct gateway *g)
{
    g->mask = NULL;
    g->filtered = false;
    g->filters_taken = 0;
    g->filter_refused = false;
    capabilities_clear(g->capabilities);
    set_mask(g, g->raw_wanted ? "on" : CLASSES);
    filter_ask_commands(g);
}
