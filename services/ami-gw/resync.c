#include "resync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"

/* So many single questions are under way at a time. */
#define ASKED_AT_A_TIME 100
#define LIST_TIMEOUT_MS 10000

/* What the events of a listing are for. */
enum use {
    TELL,    /* they are told */
    BRIDGES, /* they say what kind each bridge is */
    ROOMS,   /* each names a conference, which is then listed */
    BOXES    /* they are told; a mailbox whose old messages are not counted is asked about */
};

/* The listings in their order; those of one kind stand together. The channels come first, since the
 * others name them. `counts`: with its answer the kind is known completely. `may_say_error`: an
 * Asterisk with nothing to list answers with an Error. */
static const struct step {
    const char *kind;
    struct view action;
    enum use use;
    bool counts;
    bool may_say_error;
} steps[] = {
    {"channels", VIEW("BridgeList"), BRIDGES, false, false},
    {"channels", VIEW("CoreShowChannels"), TELL, true, false},
    {"hints", VIEW("ExtensionStateList"), TELL, true, false},
    {"hints", VIEW("DeviceStateList"), TELL, false, false},
    /* After the hints: these name the phone that a presence is of. */
    {"presences", VIEW("PresenceStateList"), TELL, true, false},
    {"peers", VIEW("SIPpeers"), TELL, true, false},
    {"peers", VIEW("IAXpeers"), TELL, true, false},
    {"peers", VIEW("PJSIPShowEndpoints"), TELL, true, false},
    {"registrations", VIEW("SIPshowregistry"), TELL, true, false},
    {"registrations", VIEW("IAXregistry"), TELL, true, false},
    {"registrations", VIEW("PJSIPShowRegistrationsOutbound"), TELL, true, false},
    {"queues", VIEW("QueueStatus"), TELL, true, false},
    {"agents", VIEW("Agents"), TELL, true, false},
    {"parking", VIEW("ParkedCalls"), TELL, true, false},
    {"conferences", VIEW("MeetmeList"), TELL, true, true},
    {"conferences", VIEW("ConfbridgeListRooms"), ROOMS, true, true},
    {"voicemails", VIEW("VoicemailUsersList"), BOXES, true, false},
};
#define N_STEPS ARRAY_SIZE(steps)

/* A single question: its headers, and how its answer reads. */
struct question {
    struct question *next;
    const char *action;
    const char *name[2];
    char *value[2];
    const char *reads_as; /* NULL: its list is told */
};

struct resync {
    struct ami_link *link;
    uint32_t timeout_ms;
    const struct resync_handler *handler;
    void *arg;
    struct log *log;
    bool running;
    size_t step;
    bool counted; /* a listing of this kind was answered */
    struct hint_place *hints;
    size_t n_hints;
    struct question *first, **last; /* to be asked */
    size_t asked;                   /* under way */
    uint64_t run; /* which resync this is: answers to questions of another are of no use */
};

/* One question under way. */
struct asked {
    struct resync *r;
    uint64_t run;
    const char *reads_as;
};

static void run_step(struct resync *r);

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

static void question_free(struct question *q)
{
    free(q->value[0]);
    free(q->value[1]);
    free(q);
}

static void free_questions(struct resync *r)
{
    while (r->first) {
        struct question *q = r->first;
        r->first = q->next;
        question_free(q);
    }
    r->last = &r->first;
}

static void finish(struct resync *r, bool complete)
{
    r->running = false;
    r->run++;
    r->asked = 0;
    free_hints(r);
    free_questions(r);
    if (complete)
        r->handler->mark(r->arg, TEL_resync_end, "all");
    r->handler->finished(r->arg, complete);
}

bool response_is_missing(const struct ami_block *response)
{
    struct view message = response ? ami_get(response, "Message") : view_of(NULL, 0);

    return ami_is_unknown(message) || ami_is_denied(message);
}

/* ---- single questions ---- */

/* Queues one; without memory it is left out. */
static void add_question(struct resync *r, const struct question *form, struct view one,
                         struct view two)
{
    struct question *q = malloc(sizeof(*q));

    if (!q)
        return;
    *q = *form;
    q->next = NULL;
    q->value[0] = view_dup(one);
    q->value[1] = view_dup(two);
    if (!q->value[0] || !q->value[1]) {
        question_free(q);
        return;
    }
    *r->last = q;
    r->last = &q->next;
}

static void next_step(struct resync *r)
{
    bool last = r->step + 1 == N_STEPS || steps[r->step + 1].kind != steps[r->step].kind;

    if (last && r->counted)
        r->handler->mark(r->arg, TEL_resync_end, steps[r->step].kind);
    if (last)
        r->counted = false;
    if (++r->step == N_STEPS)
        finish(r, true);
    else
        run_step(r);
}

/* An Asterisk that does not answer leaves the resync incomplete. */
static bool answered(struct resync *r, enum action_result outcome)
{
    if (outcome == ACTION_LOST)
        return false;
    if (outcome != ACTION_TIMEOUT)
        return true;
    log_warning(r->log, "resync: no complete answer from Asterisk to its listing of %s in time",
                steps[r->step].kind);
    finish(r, false);
    return false;
}

static void ask_more(struct resync *r);

static void question_done(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct asked *a = arg;
    struct resync *r = a->r;
    bool ours = a->run == r->run && r->running;
    const char *reads_as = a->reads_as;

    free(a);
    if (!ours || !answered(r, outcome))
        return;
    if (outcome == ACTION_OK && response && reads_as)
        r->handler->item(r->arg, view_cstr(reads_as), response);
    r->asked--;
    ask_more(r);
}

static void on_item(void *arg, const struct ami_block *b);

static int ask(struct resync *r, const struct question *q)
{
    struct asked *a = malloc(sizeof(*a));
    struct ami_action aa;
    int rc;

    if (!a)
        return -ENOMEM;
    *a = (struct asked){r, r->run, q->reads_as};
    link_action(r->link, &aa, view_cstr(q->action));
    for (int i = 0; i < 2; i++)
        if (q->name[i])
            ami_action_header(&aa, view_cstr(q->name[i]), view_cstr(q->value[i]));
    rc = link_commit(r->link, &aa, !q->reads_as, r->timeout_ms, q->reads_as ? NULL : on_item,
                     question_done, a);
    if (rc < 0)
        free(a);
    return rc;
}

/* Goes on to the next listing when all is answered. What cannot be written in AMI is not asked. */
static void ask_more(struct resync *r)
{
    uint64_t run = r->run;

    while (r->run == run && r->first && r->asked < ASKED_AT_A_TIME) {
        struct question *q = r->first;
        r->first = q->next;
        if (!r->first)
            r->last = &r->first;
        r->asked++;
        if (ask(r, q) < 0)
            r->asked--;
        question_free(q);
    }
    if (r->run == run && !r->first && r->asked == 0)
        next_step(r);
}

/* ---- listings ---- */

/* Its Hint is empty where an extension has none: that says nothing. */
static void ask_hints(struct resync *r)
{
    static const struct question form = {
        .action = "ExtensionState", .name = {"Exten", "Context"}, .reads_as = "ExtensionStatus"};

    for (size_t i = 0; i < r->n_hints; i++)
        add_question(r, &form, view_cstr(r->hints[i].exten), view_cstr(r->hints[i].context));
    r->counted = true;
}

static void ask_room(struct resync *r, const struct ami_block *b)
{
    static const struct question form = {.action = "ConfbridgeList", .name = {"Conference"}};

    add_question(r, &form, ami_get(b, "Conference"), VIEW(""));
}

static void ask_box(struct resync *r, const struct ami_block *b)
{
    static const struct question form = {
        .action = "MailboxCount", .name = {"Mailbox"}, .reads_as = "MailboxCount"};
    struct view box = ami_get(b, "VoiceMailbox");
    struct view context = ami_get(b, "VMContext");
    char full[256];

    if (ami_get(b, "OldMessageCount").len)
        return;
    snprintf(full, sizeof(full), "%.*s@%.*s", VIEW_ARG(box), VIEW_ARG(context));
    add_question(r, &form, view_cstr(full), VIEW(""));
}

static void on_item(void *arg, const struct ami_block *b)
{
    const struct asked *a = arg;
    struct resync *r = a->r;

    if (!r->running || a->run != r->run || b->kind != AMI_EVENT)
        return;
    if (steps[r->step].use == ROOMS && ami_is_event(b, "ConfbridgeListRooms")) {
        ask_room(r, b);
        return;
    }
    if (steps[r->step].use == BRIDGES) {
        r->handler->bridge(r->arg, b);
        return;
    }
    r->handler->item(r->arg, b->name, b);
    if (steps[r->step].use == BOXES && ami_is_event(b, "VoicemailUserEntry"))
        ask_box(r, b);
}

static bool is_hint_list(const struct step *s)
{
    return view_eq(s->action, VIEW("ExtensionStateList"));
}

static void listed(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct asked *a = arg;
    struct resync *r = a->r;
    const struct step *s = &steps[r->step];
    bool ours = a->run == r->run && r->running;

    free(a);
    if (!ours || !answered(r, outcome))
        return;
    if (outcome == ACTION_OK || (s->may_say_error && !response_is_missing(response)))
        r->counted = r->counted || s->counts;
    else if (is_hint_list(s))
        ask_hints(r);
    ask_more(r);
}

static void run_step(struct resync *r)
{
    const struct step *s = &steps[r->step];
    struct asked *a;
    struct ami_action aa;

    if (r->step == 0)
        r->handler->relist(r->arg);
    if (r->step == 0 || steps[r->step - 1].kind != s->kind)
        r->handler->mark(r->arg, TEL_resync_begin, s->kind);
    a = malloc(sizeof(*a));
    if (a)
        *a = (struct asked){r, r->run, NULL};
    link_action(r->link, &aa, s->action);
    if (!a || link_commit(r->link, &aa, true, r->timeout_ms, on_item, listed, a) < 0) {
        free(a);
        finish(r, false);
    }
}

/* ---- lifecycle ---- */

struct resync *resync_new(struct ami_link *link, uint32_t timeout_ms,
                          const struct resync_handler *handler, void *arg, struct log *log)
{
    struct resync *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    *r = (struct resync){.link = link,
                         .timeout_ms = timeout_ms ? timeout_ms : LIST_TIMEOUT_MS,
                         .handler = handler,
                         .arg = arg,
                         .log = log};
    r->last = &r->first;
    return r;
}

void resync_destroy(struct resync **r)
{
    if (!r || !*r)
        return;
    free_hints(*r);
    free_questions(*r);
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
    free_questions(r);
    r->run++;
    r->asked = 0;
    r->step = 0;
    r->counted = false;
    r->running = true;
    r->handler->mark(r->arg, TEL_resync_begin, "all");
    run_step(r);
}

void resync_abort(struct resync *r)
{
    if (r->running)
        finish(r, false);
}

bool resync_running(const struct resync *r)
{
    return r->running;
}
