/* get_switchboard_directory_headers, switchboard_directory_search. */
#include <stdio.h>
#include <stdlib.h>

#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "people/columns.h"
#include "people/switchboard.h"
#include "sessions/sessions.h"
#include "users/relations.h"

/* The columns of a switchboard for which nothing is configured are those of people. */
static int open_display(struct display *d, const struct state *s, const struct xod_obj *user)
{
    char context[32];

    return people_display_open(d, s->cfg, "switchboard", relations_context(user, context));
}

static void headers(struct state *s, struct session *se, struct deferred_reply *l,
                    const msgpack_object *message)
{
    struct display d;
    struct buf pairs;

    if (open_display(&d, s, session_user(se)) < 0) {
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    buf_init(&pairs, 0);
    switchboard_put_headers(&pairs, &d);
    display_close(&d);
    deferred_reply_pairs(&l, 1, &pairs);
    buf_free(&pairs);
}

struct looking {
    struct deferred_reply *l;
    struct people_results results;
    char pattern[257];
};

static bool on_person(void *arg, const struct person *p)
{
    struct looking *k = arg;

    return switchboard_add(&k->results, p);
}

static void on_end(void *arg, const char *fault)
{
    struct looking *k = arg;
    struct buf pairs;

    buf_init(&pairs, 0);
    if (fault) {
        deferred_reply_error(&k->l, fault);
    } else {
        msg_put_pair(&pairs, "pattern", view_cstr(k->pattern));
        people_results_put_rows(&pairs, &k->results);
        deferred_reply_pairs(&k->l, 2, &pairs);
    }
    buf_free(&pairs);
    people_results_fini(&k->results);
    free(k);
}

static void search(struct state *s, struct session *se, struct deferred_reply *l,
                   const msgpack_object *message)
{
    struct looking *k;
    struct view text;
    char scratch[32];

    if (!command_pattern(message, scratch, &text) || text.len >= sizeof(k->pattern)) {
        deferred_reply_error(&l, text.len >= sizeof(k->pattern) ? "pattern_too_long" : "pattern");
        return;
    }
    k = calloc(1, sizeof(*k));
    if (!k || open_display(&k->results.display, s, session_user(se)) < 0 ||
        people_results_init(&k->results) < 0) {
        if (k)
            people_results_fini(&k->results);
        free(k);
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    k->l = l;
    snprintf(k->pattern, sizeof(k->pattern), "%.*s", VIEW_ARG(text));
    people_find(s, session_user(se), view_cstr(k->pattern), on_person, on_end, k);
}

const struct command command_get_switchboard_directory_headers = {
    "get_switchboard_directory_headers", headers, true};
const struct command command_switchboard_directory_search = {"switchboard_directory_search", search,
                                                             true};
