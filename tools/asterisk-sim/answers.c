#include "answers.h"

#include <errno.h>

#include "office/office.h"
#include "say.h"

/* The limits of Asterisk itself. */
#define MAX_LINES 128
#define MAX_LINE 1024

const struct action *find_action(const struct action *table, size_t n, struct view name)
{
    for (size_t i = 0; i < n; i++)
        if (view_ieq(name, view_cstr(table[i].name)))
            return &table[i];
    return NULL;
}

static void unknown(const struct ask *a)
{
    say_error(a->out, a->id,
              "Invalid/unknown command: %.*s. Use Action: ListCommands to show available commands.",
              VIEW_ARG(a->b->name));
}

static bool has_long_line(const struct ami_block *b)
{
    for (unsigned i = 0; i < b->n; i++)
        if (b->headers[i].name.len + b->headers[i].value.len + 4 > MAX_LINE)
            return true;
    return false;
}

static bool is_well_formed(const struct ask *a)
{
    if (a->b->kind != AMI_ACTION || a->b->name.len == 0)
        say_error(a->out, view_of(NULL, 0), "Missing action in request");
    else if (a->b->n > MAX_LINES)
        say_error(a->out, a->id, "Too many lines in message or allocation failure");
    else if (has_long_line(a->b))
        say_error(a->out, a->id, "Failed to parse message: line too long");
    else
        return true;
    return false;
}

/* What was asked for is recorded with other parameters only. */
static void not_found(const struct ask *a)
{
    struct view peer = ami_get(a->b, "Peer");

    if (peer.ptr)
        say_error(a->out, a->id, "Peer %.*s not found.", VIEW_ARG(peer));
    else if (ami_get(a->b, "Filename").ptr)
        say_error(a->out, a->id, "Config file not found");
    else if (ami_get(a->b, "Family").ptr)
        say_error(a->out, a->id, "Database entry not found");
    else if (ami_get(a->b, "Module").ptr)
        say_error(a->out, a->id, "Module not loaded");
    else
        say_error(a->out, a->id, "Not found");
}

static const struct action *known_action(const struct ask *a)
{
    const struct action *row = session_action(a->b->name);

    if (!row && a->w->office)
        return office_action(a->w->office, a->b->name);
    if (!row)
        row = list_action(a->b->name);
    if (!row)
        row = call_action(a->b->name);
    if (!row || (row->new_only && a->w->capture.old) ||
        !listing_has_action(&a->w->listing, a->b->name))
        return NULL;
    return row;
}

static void answer_action(const struct ask *a)
{
    const struct permissions *p = &server_config(a->c->server)->permissions;
    const struct action *row;
    int rc;

    if (!permissions_have(p, a->b->name)) {
        unknown(a);
        return;
    }
    row = known_action(a);
    if (!permissions_allow(p, a->b->name)) {
        say_error(a->out, a->id, "Permission denied");
        return;
    }
    if (row) {
        if (a->w->turn)
            a->w->turn(a->w->turn_arg);
        row->fn(a);
        return;
    }
    rc = listing_answer(&a->w->listing, a->b, a->out);
    if (rc == -ESRCH)
        not_found(a);
    else if (rc < 0)
        unknown(a);
}

static bool is_allowed_before_login(struct view name)
{
    return view_ieq(name, VIEW("Login")) || view_ieq(name, VIEW("Challenge")) ||
           view_ieq(name, VIEW("Logoff"));
}

void answer(struct client *c, const struct ami_block *b)
{
    struct ask a = {.c = c,
                    .w = server_world(c->server),
                    .b = b,
                    .id = ami_get(b, "ActionID"),
                    .out = &c->reply};

    if (!is_well_formed(&a))
        return;
    if (!c->logged_in && !is_allowed_before_login(b->name))
        say_error(a.out, a.id, "Permission denied");
    else
        answer_action(&a);
}

void answer_done(struct client *c)
{
    const struct world *w = server_world(c->server);

    if (w->turn)
        w->turn(w->turn_arg);
}
