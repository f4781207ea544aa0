#include "amilink/actions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"

#define MAX_WAITING 10000

struct waiting {
    char id[96];
    bool is_list;
    uint64_t deadline; /* of the next thing to come */
    uint64_t limit;    /* of all */
    uint64_t patience; /* microseconds between two things */
    action_item_fn *item;
    action_done_fn *done;
    void *arg;
    STAILQ_ENTRY(waiting) due;
};

struct actions {
    char prefix[64];
    uint64_t next;
    struct map *by_id;
    size_t lists;
    uint64_t late;
    struct waiting *text; /* the one that is answered with text alone, or NULL */
    char last_id[96];     /* of the action begun */
};

struct actions *actions_new(const char *prefix)
{
    struct actions *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    snprintf(a->prefix, sizeof(a->prefix), "%s", prefix);
    a->by_id = map_new();
    if (!a->by_id) {
        free(a);
        return NULL;
    }
    return a;
}

/* Takes it out of the table: nothing more is for it. */
static void take_out(struct actions *a, struct waiting *w)
{
    map_del(a->by_id, view_cstr(w->id));
    a->lists -= w->is_list;
    if (a->text == w)
        a->text = NULL;
}

static void end(struct waiting *w, enum action_result result, const struct ami_block *response)
{
    if (w->done)
        w->done(w->arg, result, response);
    free(w);
}

static void finish(struct actions *a, struct waiting *w, enum action_result result,
                   const struct ami_block *response)
{
    take_out(a, w);
    end(w, result, response);
}

/* All that are due at `now` are taken out before the first of them is told: what they call may
 * begin new ones, which are not for this round. */
static void finish_due(struct actions *a, uint64_t now, enum action_result result)
{
    STAILQ_HEAD(, waiting) due = STAILQ_HEAD_INITIALIZER(due);
    struct waiting *w;
    size_t pos = 0;
    void *v;

    while (map_next(a->by_id, &pos, NULL, &v)) {
        w = v;
        if (w->deadline > now)
            continue;
        take_out(a, w);
        STAILQ_INSERT_TAIL(&due, w, due);
    }
    while ((w = STAILQ_FIRST(&due))) {
        STAILQ_REMOVE_HEAD(&due, due);
        end(w, result, NULL);
    }
}

void actions_lost(struct actions *a)
{
    while (map_count(a->by_id) > 0)
        finish_due(a, UINT64_MAX, ACTION_LOST);
}

void actions_tick(struct actions *a)
{
    finish_due(a, clock_mono_us(), ACTION_TIMEOUT);
}

void actions_destroy(struct actions **a)
{
    if (!a || !*a)
        return;
    actions_lost(*a);
    map_destroy(&(*a)->by_id);
    free(*a);
    *a = NULL;
}

void actions_begin(struct actions *a, struct ami_action *aa, struct buf *out, struct view action)
{
    snprintf(a->last_id, sizeof(a->last_id), "%s-%llu", a->prefix, (unsigned long long)++a->next);
    ami_action_begin(aa, out, action);
    ami_action_header(aa, VIEW("ActionID"), view_cstr(a->last_id));
}

int actions_commit(struct actions *a, struct ami_action *aa, bool is_list, uint32_t deadline_ms,
                   action_item_fn *item, action_done_fn *done, void *arg)
{
    struct waiting *w;
    int rc;

    if (map_count(a->by_id) >= MAX_WAITING) {
        aa->err = -EBUSY;
        return ami_action_end(aa);
    }
    w = calloc(1, sizeof(*w));
    if (!w) {
        aa->err = -ENOMEM;
        return ami_action_end(aa);
    }
    rc = ami_action_end(aa);
    snprintf(w->id, sizeof(w->id), "%s", a->last_id);
    w->is_list = is_list;
    w->patience = (uint64_t)deadline_ms * 1000;
    w->deadline = clock_mono_us() + (uint64_t)deadline_ms * 1000;
    w->limit = clock_mono_us() + (uint64_t)deadline_ms * 10000;
    w->item = item;
    w->done = done;
    w->arg = arg;
    if (rc < 0 || (rc = map_put(a->by_id, view_cstr(w->id), w)) < 0) {
        free(w);
        return rc;
    }
    a->lists += is_list;
    return 0;
}

const char *actions_last_id(const struct actions *a)
{
    return a->last_id;
}

int actions_commit_text(struct actions *a, struct ami_action *aa, uint32_t deadline_ms,
                        action_item_fn *item, action_done_fn *done, void *arg)
{
    int rc;

    if (a->text) {
        aa->err = -EBUSY;
        return ami_action_end(aa);
    }
    rc = actions_commit(a, aa, false, deadline_ms, item, done, arg);
    if (rc == 0)
        a->text = map_get(a->by_id, view_cstr(a->last_id));
    return rc;
}

void actions_text_end(struct actions *a)
{
    if (a->text)
        finish(a, a->text, ACTION_OK, NULL);
}

static bool ends_list(const struct ami_block *b)
{
    static const struct view end = VIEW("Complete");
    struct view n = b->name;

    return view_ieq(ami_get(b, "EventList"), end) ||
           (n.len > end.len && view_ieq(view_of(n.ptr + n.len - end.len, end.len), end));
}

/* A part has come: the next one has its own time. */
static void more(struct waiting *w)
{
    uint64_t next = clock_mono_us() + w->patience;

    w->deadline = next < w->limit ? next : w->limit;
}

static void list_begins(struct actions *a, struct waiting *w, const struct ami_block *b)
{
    a->lists += !w->is_list;
    w->is_list = true;
    more(w);
    if (w->item)
        w->item(w->arg, b);
}

/* Who asked may not have known that events will follow. */
static bool promises_list(const struct ami_block *b)
{
    struct view message = ami_get(b, "Message");

    return view_ieq(ami_get(b, "EventList"), VIEW("start")) ||
           view_find(message, VIEW("will follow")) >= 0;
}

static void on_response(struct actions *a, struct waiting *w, const struct ami_block *b)
{
    if (view_ieq(b->name, VIEW("Error")))
        finish(a, w, ACTION_ERROR, b);
    else if (!w->is_list && !promises_list(b))
        finish(a, w, ACTION_OK, b);
    else if (view_starts(ami_get(b, "Message"), VIEW("There are no ")))
        finish(a, w, ACTION_OK, b); /* VoicemailUsersList of nobody has no end */
    else
        list_begins(a, w, b);
}

bool actions_block(struct actions *a, const struct ami_block *b)
{
    struct view id = ami_get(b, "ActionID");
    struct waiting *w = id.len ? map_get(a->by_id, id) : NULL;

    if (b->kind == AMI_OTHER) {
        if (a->text && a->text->item)
            a->text->item(a->text->arg, b);
        return true;
    }
    if (!w) {
        /* OriginateResponse carries the id of an action that was answered long ago. */
        if (b->kind == AMI_RESPONSE)
            a->late++;
        return b->kind == AMI_RESPONSE;
    }
    if (b->kind == AMI_RESPONSE) {
        on_response(a, w, b);
        return true;
    }
    if (b->kind != AMI_EVENT || !w->is_list)
        return false;
    if (ends_list(b)) {
        finish(a, w, ACTION_OK, NULL);
        return true;
    }
    more(w);
    if (w->item)
        w->item(w->arg, b);
    return true;
}

size_t actions_waiting(const struct actions *a)
{
    return map_count(a->by_id);
}

size_t actions_lists(const struct actions *a)
{
    return a->lists;
}

uint64_t actions_late_total(const struct actions *a)
{
    return a->late;
}
