/*
 * What one user may cost others. Per user, not per session: who connects again, or to another
 * gateway, goes on with what is left. docs/state.md says what counts as what.
 */
#include <stdio.h>

#include "access/access.h"
#include "base/array.h"
#include "base/budgets.h"
#include "base/clock.h"
#include "sessions/budgets.h"

#define ROW 256 /* bytes of a row, and of what is told of it, beside what the client wrote */

static const struct {
    const char *word, *rate, *burst;
} kinds[BUDGET_KINDS] = {
    [BUDGET_COMMANDS] = {"commands", "ctibus.budget.commands_per_second",
                         "ctibus.budget.commands_burst"},
    [BUDGET_ACTIONS] = {"actions", "ctibus.budget.actions_per_second",
                        "ctibus.budget.actions_burst"},
    [BUDGET_CHAT] = {"chat", "ctibus.budget.chat_bytes_per_second",
                     "ctibus.budget.chat_bytes_burst"},
    [BUDGET_DISK] = {"disk", "ctibus.budget.disk_bytes_per_second",
                     "ctibus.budget.disk_bytes_burst"},
};

/* What commands cost beside being one: a fixed part, and whether their bytes count. Actions of
 * ipbxcommands are counted where they are known (calls/ipbx_command.c). */
static const struct cost {
    const char *class;
    enum budget_kind kind;
    double fixed;
    bool bytes;
} costs[] = {
    {"actionfiche", BUDGET_DISK, ROW, true},
    {"availstate", BUDGET_ACTIONS, 5, false},
    {"availstate", BUDGET_DISK, ROW, false},
    {"call_form_result", BUDGET_DISK, ROW, true},
    {"chitchat", BUDGET_CHAT, ROW, true},
    {"featuresput", BUDGET_ACTIONS, 5, false},
    {"featuresput", BUDGET_DISK, ROW, true},
    {"people_create_personal_contact", BUDGET_DISK, ROW, true},
    {"people_delete_personal_contact", BUDGET_DISK, ROW, false},
    {"people_edit_personal_contact", BUDGET_DISK, ROW, true},
    {"people_import_personal_contacts_csv", BUDGET_DISK, ROW, true},
    {"people_purge_personal_contacts", BUDGET_DISK, ROW, false},
    {"people_set_favorite", BUDGET_DISK, ROW, true},
    {"sheet", BUDGET_CHAT, ROW, true},
};

void budget_configure(struct state *s)
{
    for (size_t i = 0; i < BUDGET_KINDS; i++)
        budgets_set(s->budgets, i, (double)config_int(s->cfg, kinds[i].rate),
                    (double)config_int(s->cfg, kinds[i].burst));
}

int budget_open(struct state *s)
{
    s->budgets = budgets_new(BUDGET_KINDS);
    if (!s->budgets)
        return -1;
    budget_configure(s);
    for (size_t i = 0; i < BUDGET_KINDS; i++) {
        s->over_budget[i] =
            metrics_add(s->metrics, METRIC_state_over_budget, METRIC_VALUES(kinds[i].word));
        if (!s->over_budget[i])
            return -1;
    }
    return 0;
}

/* The bytes of what a client wrote, in all texts of it, and a few for each thing. */
static double weight(const msgpack_object *o)
{
    double n = 8;

    if (o->type == MSGPACK_OBJECT_STR)
        n += o->via.str.size;
    for (uint32_t i = 0; o->type == MSGPACK_OBJECT_ARRAY && i < o->via.array.size; i++)
        n += weight(&o->via.array.ptr[i]);
    for (uint32_t i = 0; o->type == MSGPACK_OBJECT_MAP && i < o->via.map.size; i++)
        n += weight(&o->via.map.ptr[i].key) + weight(&o->via.map.ptr[i].val);
    return n;
}

static struct view who(struct view ipbx, struct view user_id, char scratch[BUDGET_WHO])
{
    snprintf(scratch, BUDGET_WHO, "%.*s/%.*s", VIEW_ARG(ipbx), VIEW_ARG(user_id));
    return view_cstr(scratch);
}

bool budget_take_of(struct state *s, struct view ipbx, struct view user_id, enum budget_kind kind,
                    double units)
{
    char scratch[BUDGET_WHO];
    struct view name = who(ipbx, user_id, scratch);
    uint64_t now = clock_mono_us();

    if (budgets_take(s->budgets, name, kind, units, now))
        return true;
    metric_add(s->over_budget[kind], 1);
    if (budgets_tell(s->budgets, name, now))
        log_notice(s->log,
                   "user %s: over the budget of %s (%s, %s): refused as busy; said once a minute",
                   scratch, kinds[kind].word, kinds[kind].rate, kinds[kind].burst);
    return false;
}

bool budget_take(struct state *s, const struct session *se, enum budget_kind kind, double units)
{
    if (access_is_peer(view_cstr(se->user_id))) /* a peer's: all its users speak by it */
        return true;
    return budget_take_of(s, xod_ipbx_name(se->ipbx), view_cstr(se->user_id), kind, units);
}

void budget_charge(struct state *s, struct view ipbx, struct view user_id, enum budget_kind kind,
                   double units)
{
    char scratch[BUDGET_WHO];

    budgets_charge(s->budgets, who(ipbx, user_id, scratch), kind, units, clock_mono_us());
}

bool budget_allows(struct state *s, const struct session *se, struct view class,
                   const msgpack_object *message)
{
    if (!budget_take(s, se, BUDGET_COMMANDS, 1))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(costs); i++) {
        const struct cost *c = &costs[i];
        if (view_eq(view_cstr(c->class), class) &&
            !budget_take(s, se, c->kind, c->fixed + (c->bytes ? weight(message) : 0)))
            return false;
    }
    return true;
}

void budget_close(struct state *s)
{
    for (size_t i = 0; i < BUDGET_KINDS; i++)
        if (s->over_budget[i])
            metrics_remove(s->metrics, &s->over_budget[i]);
    budgets_destroy(&s->budgets);
}
