#include "office/actions.h"

#include <stdio.h>

struct office *ask_office(const struct ask *a)
{
    return a->w->office;
}

struct leg *ask_leg(const struct ask *a, const char *header)
{
    struct view name = ami_get(a->b, header);
    struct leg *l = office_leg(ask_office(a), name);

    if (name.len == 0)
        say_error(a->out, a->id, "No channel specified");
    else if (!l)
        say_error(a->out, a->id, "No such channel");
    return l;
}

void ask_list(const struct ask *a, const char *message)
{
    say_response(a->out, "Success", a->id, NULL);
    if (!ask_office(a)->old)
        say(a->out, "EventList", "start");
    say(a->out, "Message", message);
    say_end(a->out);
}

void ask_item(const struct ask *a, const char *event)
{
    say(a->out, "Event", event);
    if (a->id.len)
        say_header(a->out, VIEW("ActionID"), a->id);
}

void ask_list_end(const struct ask *a, const char *event, unsigned items, bool old_counts)
{
    ask_item(a, event);
    if (!ask_office(a)->old || old_counts) {
        say(a->out, "EventList", "Complete");
        say_number(a->out, "ListItems", items);
    }
    say_end(a->out);
}

bool ask_text(const struct ask *a, const char *header, char *out, size_t n)
{
    struct view v = ami_get(a->b, header);

    if (v.len >= n) {
        say_error(a->out, a->id, "%s is too long", header);
        return false;
    }
    snprintf(out, n, "%.*s", VIEW_ARG(v));
    return true;
}

static const struct action *find(const struct office *o, const struct office_row *rows, size_t n,
                                 struct view name)
{
    for (size_t i = 0; i < n; i++)
        if (view_ieq(name, view_cstr(rows[i].action.name)) &&
            rows[i].dialects != (o->old ? ONLY_NEW : ONLY_OLD))
            return &rows[i].action;
    return NULL;
}

static const struct {
    const struct office_row *rows;
    const size_t *n;
} tables[] = {{office_call_rows, &office_n_call_rows},    {office_queue_rows, &office_n_queue_rows},
              {office_room_rows, &office_n_room_rows},    {office_list_rows, &office_n_list_rows},
              {office_site_rows, &office_n_site_rows},    {office_phone_rows, &office_n_phone_rows},
              {office_config_rows, &office_n_config_rows}};

/* Lists that are made from the world's model, whatever plays. */
static const struct action *general(const struct office *o, struct view name)
{
    const struct action *row = list_action(name);

    if (!row && view_ieq(name, VIEW("UserEvent")))
        row = call_action(name);
    return row && row->new_only && o->old ? NULL : row;
}

const struct action *office_action(const struct office *o, struct view name)
{
    const struct action *row = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(tables) && !row; i++)
        row = find(o, tables[i].rows, *tables[i].n, name);
    return row ? row : general(o, name);
}

/* Those that the user may use. */
static void list_command(const struct ask *a, const struct permissions *p, const char *name)
{
    if (permissions_have(p, view_cstr(name)) && permissions_allow(p, view_cstr(name)))
        buf_printf(a->out, "%s:  (Priv: %s)\r\n", name, permissions_of(view_cstr(name)));
}

void office_list_commands(const struct ask *a)
{
    static const char *const others[] = {"Challenge",
                                         "CoreShowChannels",
                                         "Events",
                                         "ExtensionState",
                                         "Login",
                                         "Logoff",
                                         "Ping",
                                         "Status",
                                         "UserEvent",
                                         "BridgeInfo",
                                         "BridgeList",
                                         "DeviceStateList",
                                         "ExtensionStateList",
                                         "Filter"};
    const struct office *o = ask_office(a);
    const struct permissions *p = &server_config(a->c->server)->permissions;
    const size_t old_ones = 9; /* of the others */

    say_response(a->out, "Success", a->id, NULL);
    for (size_t i = 0; i < (o->old ? old_ones : ARRAY_SIZE(others)); i++)
        list_command(a, p, others[i]);
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (size_t i = 0; i < *tables[t].n; i++)
            if (tables[t].rows[i].dialects != (o->old ? ONLY_NEW : ONLY_OLD))
                list_command(a, p, tables[t].rows[i].action.name);
    say_end(a->out);
}
