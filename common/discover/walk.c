#include "discover/walk.h"

#include <errno.h>
#include <stdlib.h>

#define AT_A_TIME 100
#define TIMEOUT_MS 10000

struct discovery_walk {
    struct ami_link *link;
    enum ami_charset charset;
    uint32_t timeout_ms;
    discovery_walk_fn *done;
    void *arg;
    struct discovery *d; /* NULL: none runs */
    size_t under_way;    /* actions: each has an `asked` */
    bool complete;
    bool destroyed; /* it goes with the last answer */
};

/* One action under way. */
struct asked {
    struct discovery_walk *w;
    size_t step;
};

static void go_on(struct discovery_walk *w);

static void on_item(void *arg, const struct ami_block *b)
{
    const struct asked *a = arg;

    if (a->w->d)
        discovery_take(a->w->d, b);
}

static void finish(struct discovery_walk *w)
{
    struct discovery *d = w->d;

    w->d = NULL;
    w->done(w->arg, d, w->complete);
    discovery_destroy(&d);
}

static void on_answer(void *arg, enum action_result outcome, const struct ami_block *response)
{
    struct asked *a = arg;
    struct discovery_walk *w = a->w;
    size_t step = a->step;

    free(a);
    w->under_way--;
    if (w->destroyed) {
        if (w->under_way == 0)
            free(w);
        return;
    }
    if (outcome == ACTION_OK && response)
        discovery_take(w->d, response);
    w->complete = w->complete && outcome != ACTION_LOST;
    discovery_answered(w->d, step, outcome == ACTION_OK,
                       response ? ami_get(response, "Message") : view_of(NULL, 0));
    go_on(w);
}

static int send_ask(struct discovery_walk *w, const struct discovery_ask *ask)
{
    struct asked *a = malloc(sizeof(*a));
    struct ami_action aa;
    int rc;

    if (!a)
        return -ENOMEM;
    *a = (struct asked){w, ask->step};
    link_action(w->link, &aa, ask->action);
    if (ask->header)
        ami_action_header(&aa, view_cstr(ask->header), ask->value);
    rc = link_commit(w->link, &aa, ask->is_list, w->timeout_ms, on_item, on_answer, a);
    if (rc < 0)
        free(a);
    else
        w->under_way++;
    return rc;
}

/* An action that cannot be written (a name with a line end in it) counts as answered; with the link
 * down the whole ends. */
static void go_on(struct discovery_walk *w)
{
    struct discovery_ask ask;

    while (w->under_way < AT_A_TIME && discovery_next(w->d, &ask)) {
        int rc = send_ask(w, &ask);
        if (rc == 0)
            continue;
        w->complete = w->complete && rc == -EINVAL;
        discovery_answered(w->d, ask.step, false, view_of(NULL, 0));
        if (rc != -EINVAL)
            break;
    }
    if (w->under_way == 0)
        finish(w);
}

struct discovery_walk *discovery_walk_new(struct ami_link *link, enum ami_charset charset,
                                          uint32_t timeout_ms, discovery_walk_fn *done, void *arg)
{
    struct discovery_walk *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->link = link;
    w->charset = charset;
    w->timeout_ms = timeout_ms ? timeout_ms : TIMEOUT_MS;
    w->done = done;
    w->arg = arg;
    return w;
}

void discovery_walk_destroy(struct discovery_walk **wp)
{
    struct discovery_walk *w = wp ? *wp : NULL;

    if (!w)
        return;
    *wp = NULL;
    discovery_destroy(&w->d);
    w->destroyed = true;
    if (w->under_way == 0)
        free(w);
}

int discovery_walk_start(struct discovery_walk *w)
{
    if (w->d)
        return 0;
    if (!link_is_up(w->link))
        return -ENOTCONN;
    w->d = discovery_new(w->charset);
    if (!w->d)
        return -ENOMEM;
    w->complete = true;
    go_on(w);
    return 0;
}

const struct discovery *discovery_walk_of(const struct discovery_walk *w)
{
    return w->d;
}
