#include "resync.h"

#include <errno.h>
#include <stdlib.h>

/* So many ExtensionState questions are under way at a time. */
#define HINTS_AT_A_TIME 100
#define LIST_DEADLINE_MS 10000

enum step { IDLE, BRIDGES, CHANNELS, HINT_LIST, HINTS_ONE_BY_ONE };

struct resync {
    struct ami_link *link;
    const struct resync_handler *handler;
    void *arg;
    struct log *log;
    enum step step;
    struct hint_place *hints;
    size_t n_hints, asked, answered;
    uint64_t run; /* which resync this is: answers to questions of another are of no use */
};

/* One question for a hint. */
struct hint_ask {
    struct resync *r;
    uint64_t run;
};

static void run_step(struct resync *r, enum step step);

static void free_hints(struct resync *r)
{
    for (size_t i = 0; i < r->n_hints; i++) {
        free(r->hints[i].exten);
        free(r->hints[i].context);
    }
    free(r->hints);
    r->hints = NULL;
    r->n_hints = 0;
}

static void finish(struct resync *r, bool complete)
{
    r->step = IDLE;
    free_hints(r);
    if (complete)
        r->handler->mark(r->arg, TEL_resync_end, "all");
    r->handler->finished(r->arg, complete);
}

/* The answer of one step: an Asterisk that lacks the listing says Error, and it is skipped; one
 * that does not answer leaves the resync incomplete. */
static bool answered(struct resync *r, enum action_outcome outcome)
{
    if (r->step == IDLE || outcome == ACTION_LOST)
        return false;
    if (outcome != ACTION_TIMEOUT)
        return true;
    log_warning(r->log, "resync: no complete answer from Asterisk in time");
    finish(r, false);
    return false;
}

static void on_item(void *arg, const struct ami_block *b)
{
    struct resync *r = arg;

    if (r->step != IDLE)
        r->handler->item(r->arg, b);
}

static void on_bridge(void *arg, const struct ami_block *b)
{
    struct resync *r = arg;

    if (r->step == BRIDGES)
        r->handler->bridge(r->arg, b);
}

static void bridges_done(void *arg, enum action_outcome outcome, const struct ami_block *response)
{
    if (answered(arg, outcome))
        run_step(arg, CHANNELS);
}

static void channels_done(void *arg, enum action_outcome outcome, const struct ami_block *response)
{
    struct resync *r = arg;

    if (!answered(r, outcome))
        return;
    if (outcome == ACTION_OK)
        r->handler->mark(r->arg, TEL_resync_end, "channels");
    run_step(r, HINT_LIST);
}

static void hint_list_done(void *arg, enum action_outcome outcome, const struct ami_block *response)
{
    struct resync *r = arg;

    if (!answered(r, outcome))
        return;
    if (outcome == ACTION_OK) {
        r->handler->mark(r->arg, TEL_resync_end, "hints");
        finish(r, true);
    } else {
        run_step(r, HINTS_ONE_BY_ONE);
    }
}

static void ask_hints(struct resync *r);

static void hint_done(void *arg, enum action_outcome outcome, const struct ami_block *response)
{
    struct hint_ask *ask = arg;
    struct resync *r = ask->r;
    bool ours = ask->run == r->run;

    free(ask);
    if (!ours || !answered(r, outcome))
        return;
    if (outcome == ACTION_OK && response)
        r->handler->item(r->arg, response);
    r->answered++;
    ask_hints(r);
}

static int ask_hint(struct resync *r, const struct hint_place *h)
{
    struct hint_ask *ask = malloc(sizeof(*ask));
    struct ami_action aa;
    int rc;

    if (!ask)
        return -ENOMEM;
    *ask = (struct hint_ask){r, r->run};
    link_action(r->link, &aa, VIEW("ExtensionState"));
    ami_action_header(&aa, VIEW("Exten"), view_cstr(h->exten));
    ami_action_header(&aa, VIEW("Context"), view_cstr(h->context));
    rc = link_commit(r->link, &aa, false, LIST_DEADLINE_MS, NULL, hint_done, ask);
    if (rc < 0)
        free(ask);
    return rc;
}

static void ask_hints(struct resync *r)
{
    while (r->step == HINTS_ONE_BY_ONE && r->asked < r->n_hints &&
           r->asked - r->answered < HINTS_AT_A_TIME) {
        if (ask_hint(r, &r->hints[r->asked++]) < 0)
            r->answered++; /* a number that cannot be written in AMI has no hint */
    }
    if (r->step == HINTS_ONE_BY_ONE && r->answered == r->n_hints) {
        r->handler->mark(r->arg, TEL_resync_end, "hints");
        finish(r, true);
    }
}

static void ask_list(struct resync *r, struct view action, action_item_fn *item,
                     action_done_fn *done)
{
    struct ami_action aa;

    link_action(r->link, &aa, action);
    if (link_commit(r->link, &aa, true, LIST_DEADLINE_MS, item, done, r) < 0)
        finish(r, false);
}

static void run_step(struct resync *r, enum step step)
{
    r->step = step;
    switch (step) {
    case BRIDGES:
        r->handler->relist(r->arg);
        r->handler->mark(r->arg, TEL_resync_begin, "channels");
        ask_list(r, VIEW("BridgeList"), on_bridge, bridges_done);
        break;
    case CHANNELS:
        ask_list(r, VIEW("CoreShowChannels"), on_item, channels_done);
        break;
    case HINT_LIST:
        r->handler->mark(r->arg, TEL_resync_begin, "hints");
        ask_list(r, VIEW("ExtensionStateList"), on_item, hint_list_done);
        break;
    case HINTS_ONE_BY_ONE:
        r->asked = r->answered = 0;
        ask_hints(r);
        break;
    default:
        break;
    }
}

struct resync *resync_new(struct ami_link *link, const struct resync_handler *handler, void *arg,
                          struct log *log)
{
    struct resync *r = calloc(1, sizeof(*r));

    if (r)
        *r = (struct resync){.link = link, .handler = handler, .arg = arg, .log = log};
    return r;
}

void resync_destroy(struct resync **r)
{
    if (!r || !*r)
        return;
    free_hints(*r);
    free(*r);
    *r = NULL;
}

/* Without memory some are left out. */
static void copy_hints(struct resync *r, const struct hint_place *hints, size_t n)
{
    free_hints(r);
    r->hints = n ? calloc(n, sizeof(*r->hints)) : NULL;
    for (size_t i = 0; r->hints && i < n; i++) {
        struct hint_place *h = &r->hints[r->n_hints++];
        h->exten = view_dup(view_cstr(hints[i].exten));
        h->context = view_dup(view_cstr(hints[i].context));
        if (!h->exten || !h->context)
            return;
    }
}

void resync_start(struct resync *r, const struct hint_place *hints, size_t n_hints)
{
    copy_hints(r, hints, n_hints);
    r->run++;
    r->handler->mark(r->arg, TEL_resync_begin, "all");
    run_step(r, BRIDGES);
}

void resync_abort(struct resync *r)
{
    if (r->step != IDLE)
        finish(r, false);
}

bool resync_running(const struct resync *r)
{
    return r->step != IDLE;
}
