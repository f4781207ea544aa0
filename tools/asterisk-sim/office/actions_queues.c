/* Actions on queues and agents. */
#include <stdio.h>

#include "office/actions.h"

static struct queue *queue_of(const struct ask *a, const char *no_such)
{
    struct view name = ami_get(a->b, "Queue");
    struct queue *q = queue_find(ask_office(a), name);

    if (name.len == 0)
        say_error(a->out, a->id, "'Queue' not specified.");
    else if (!q)
        say_error(a->out, a->id, "%s", no_such);
    return q;
}

static struct view interface_of(const struct ask *a)
{
    struct view v = ami_get(a->b, "Interface");

    if (v.len == 0)
        say_error(a->out, a->id, "'Interface' not specified.");
    return v;
}

static bool is_true(struct view v)
{
    return view_ieq(v, VIEW("true")) || view_ieq(v, VIEW("yes")) || view_eq(v, VIEW("1")) ||
           view_ieq(v, VIEW("on"));
}

static void queue_add_action(const struct ask *a)
{
    struct queue *q;
    struct view interface;
    uint64_t penalty = 0;
    int rc;

    q = queue_of(a, "Unable to add interface to queue: No such queue");
    interface = q ? interface_of(a) : view_of(NULL, 0);
    if (interface.len == 0)
        return;
    view_to_u64(ami_get(a->b, "Penalty"), &penalty);
    rc = queue_member(q, interface) ? -EEXIST : 0;
    if (rc < 0) {
        say_error(a->out, a->id, "Unable to add interface: Already there");
        return;
    }
    say_success(a->out, a->id, "Added interface to queue");
    queue_add(q, interface, ami_get(a->b, "StateInterface"), ami_get(a->b, "MemberName"),
              (unsigned)penalty, is_true(ami_get(a->b, "Paused")), true);
}

static void queue_remove_action(const struct ask *a)
{
    struct queue *q = queue_of(a, "Unable to remove interface from queue: No such queue");
    struct view interface = q ? interface_of(a) : view_of(NULL, 0);
    struct member *m = interface.len ? queue_member(q, interface) : NULL;

    if (interface.len == 0)
        return;
    if (!m) {
        say_error(a->out, a->id, "Unable to remove interface: Not there");
        return;
    }
    say_success(a->out, a->id, "Removed interface from queue");
    queue_remove(m);
}

/* What is done with each membership of an interface, in one queue or in all. */
typedef void each_fn(const struct ask *a, struct member *m);

static unsigned each(const struct ask *a, struct view interface, each_fn *fn)
{
    struct office *o = ask_office(a);
    struct view queue = ami_get(a->b, "Queue");
    unsigned n = 0;

    for (size_t i = 0; i < COMPANY_QUEUES; i++) {
        struct member *m = queue_member(&o->queues[i], interface);
        if (!m || (queue.len && !view_eq(queue, view_cstr(o->queues[i].is->name))))
            continue;
        if (fn)
            fn(a, m);
        n++;
    }
    return n;
}

static void pause_member(const struct ask *a, struct member *m)
{
    queue_pause(m, is_true(ami_get(a->b, "Paused")), ami_get(a->b, "Reason"));
}

static void queue_pause_action(const struct ask *a)
{
    struct view interface = interface_of(a), paused = ami_get(a->b, "Paused");

    if (interface.len == 0)
        return;
    if (paused.len == 0) {
        say_error(a->out, a->id, "Need 'Interface' and 'Paused' parameters.");
    } else if (each(a, interface, NULL) == 0) {
        say_error(a->out, a->id, "Interface not found");
    } else {
        say_success(a->out, a->id,
                    is_true(paused) ? "Interface paused successfully"
                                    : "Interface unpaused successfully");
        each(a, interface, pause_member);
    }
}

static void set_penalty(const struct ask *a, struct member *m)
{
    uint64_t penalty = 0;

    view_to_u64(ami_get(a->b, "Penalty"), &penalty);
    m->penalty = (unsigned)penalty;
    tell_member(m->office, m, "QueueMemberPenalty");
}

static void queue_penalty(const struct ask *a)
{
    struct view interface = interface_of(a);
    uint64_t penalty;

    if (interface.len == 0)
        return;
    if (view_to_u64(ami_get(a->b, "Penalty"), &penalty) < 0 || each(a, interface, NULL) == 0) {
        say_error(a->out, a->id, "Invalid interface, queuename or penalty");
        return;
    }
    say_success(a->out, a->id, "Interface penalty set successfully");
    each(a, interface, set_penalty);
}

static void queue_log(const struct ask *a)
{
    say_success(a->out, a->id, "Event added successfully");
}

static void queue_reset(const struct ask *a)
{
    struct office *o = ask_office(a);
    struct view name = ami_get(a->b, "Queue");

    say_success(a->out, a->id, "Queue stats reset successfully");
    for (size_t i = 0; i < COMPANY_QUEUES; i++) {
        struct queue *q = &o->queues[i];
        if (name.len && !view_eq(name, view_cstr(q->is->name)))
            continue;
        q->completed = q->abandoned = q->hold_s = q->talk_s = q->in_time = 0;
    }
}

static void params(const struct ask *a, const struct queue *q)
{
    double perf = q->completed ? 100.0 * q->in_time / q->completed : 0;

    ask_item(a, "QueueParams");
    buf_printf(a->out,
               "Queue: %s\r\nMax: 0\r\nStrategy: %s\r\nCalls: %u\r\nHoldtime: %u\r\n"
               "TalkTime: %u\r\nCompleted: %u\r\nAbandoned: %u\r\nServiceLevel: 20\r\n"
               "ServicelevelPerf: %.1f\r\n",
               q->is->name, q->is->strategy, q->n_callers, q->hold_s, q->talk_s, q->completed,
               q->abandoned, perf > 100 ? 100 : perf);
    if (!q->office->old)
        buf_printf(a->out, "ServicelevelPerf2: %.1f\r\n", perf > 100 ? 100 : perf);
    say(a->out, "Weight", "0");
    say_end(a->out);
}

static void member_item(const struct ask *a, const struct member *m)
{
    ask_item(a, "QueueMember");
    say(a->out, "Queue", m->queue->is->name);
    say(a->out, "Name", m->name);
    say(a->out, "Location", m->interface);
    if (!m->office->old)
        say(a->out, "StateInterface", m->state_interface);
    say(a->out, "Membership", m->dynamic ? "dynamic" : "static");
    say_number(a->out, "Penalty", m->penalty);
    say_number(a->out, "CallsTaken", m->taken);
    say_number(a->out, "LastCall", (int64_t)m->last_call_s);
    if (!m->office->old) {
        say_number(a->out, "LastPause", (int64_t)m->last_pause_s);
        say_number(a->out, "LoginTime", (int64_t)m->login_s);
        say_number(a->out, "InCall", m->busy);
    }
    say_number(a->out, "Status", m->status);
    say_number(a->out, "Paused", m->paused);
    if (!m->office->old) {
        say(a->out, "PausedReason", m->reason);
        say_number(a->out, "Wrapuptime", m->queue->is->wrapup_s);
    }
    say_end(a->out);
}

static const char *known(const char *text)
{
    return *text ? text : "unknown";
}

static void entry(const struct ask *a, const struct leg *l)
{
    ask_item(a, "QueueEntry");
    say(a->out, "Queue", l->queue->is->name);
    say_number(a->out, "Position", queue_position(l));
    say(a->out, "Channel", l->name);
    say(a->out, "Uniqueid", l->uniqueid);
    say(a->out, "CallerIDNum", known(l->num));
    say(a->out, "CallerIDName", known(l->caller));
    say(a->out, "ConnectedLineNum", known(l->conn_num));
    say(a->out, "ConnectedLineName", known(l->conn_name));
    say_number(a->out, "Wait", (int64_t)((l->office->timers.now_us - l->joined_us) / SECONDS));
    if (!l->office->old)
        say(a->out, "Priority", "0");
    say_end(a->out);
}

static unsigned queue_items(const struct ask *a, const struct queue *q, struct view only)
{
    const struct member *m;
    const struct leg *l;
    unsigned n = 1;

    params(a, q);
    LIST_FOREACH(m, &q->members, of_queue)
    if (only.len == 0 || view_eq(only, view_cstr(m->interface))) {
        member_item(a, m);
        n++;
    }
    STAILQ_FOREACH(l, &q->callers, waits)
    {
        entry(a, l);
        n++;
    }
    return n;
}

static bool asked_for(const struct ask *a, const struct queue *q)
{
    struct view name = ami_get(a->b, "Queue");

    return name.len == 0 || view_eq(name, view_cstr(q->is->name));
}

static void queue_status(const struct ask *a)
{
    const struct office *o = ask_office(a);
    unsigned n = 0;

    ask_list(a, "Queue status will follow");
    for (size_t i = 0; i < COMPANY_QUEUES; i++)
        if (asked_for(a, &o->queues[i]))
            n += queue_items(a, &o->queues[i], ami_get(a->b, "Member"));
    ask_list_end(a, "QueueStatusComplete", n, false);
}

static void summary(const struct ask *a, const struct queue *q)
{
    unsigned logged_in = 0, available = 0;
    const struct member *m;
    const struct leg *l = STAILQ_FIRST(&q->callers);

    LIST_FOREACH(m, &q->members, of_queue)
    {
        logged_in += m->status != DEVICE_UNAVAILABLE;
        available += m->status == DEVICE_IDLE && !m->paused;
    }
    ask_item(a, "QueueSummary");
    say(a->out, "Queue", q->is->name);
    say_number(a->out, "LoggedIn", logged_in);
    say_number(a->out, "Available", available);
    say_number(a->out, "Callers", q->n_callers);
    say_number(a->out, "HoldTime", q->hold_s);
    say_number(a->out, "TalkTime", q->talk_s);
    say_number(a->out, "LongestHoldTime",
               l ? (int64_t)((l->office->timers.now_us - l->joined_us) / SECONDS) : 0);
    say_end(a->out);
}

static void queue_summary(const struct ask *a)
{
    const struct office *o = ask_office(a);
    unsigned n = 0;

    ask_list(a, "Queue summary will follow");
    for (size_t i = 0; i < COMPANY_QUEUES; i++)
        if (asked_for(a, &o->queues[i])) {
            summary(a, &o->queues[i]);
            n++;
        }
    ask_list_end(a, "QueueSummaryComplete", n, false);
}

static void old_agent(const struct ask *a, const struct agent *g)
{
    const struct leg *l = g->leg, *other = l ? link_peer(l) : NULL;
    const struct office *o = ask_office(a);

    say(a->out, "Agent", g->text);
    say(a->out, "Name", g->person->full);
    say(a->out, "Status", !l ? "AGENT_LOGGEDOFF" : other ? "AGENT_ONCALL" : "AGENT_IDLE");
    say(a->out, "LoggedInChan", l ? l->name : "n/a");
    say_number(a->out, "LoggedInTime", l ? (int64_t)(o->epoch_s + g->since_us / SECONDS) : 0);
    say(a->out, "TalkingTo", other ? other->num : "n/a");
    say(a->out, "TalkingToChan", other ? other->name : "n/a");
}

static void new_agent(const struct ask *a, const struct agent *g)
{
    const struct leg *l = g->leg, *other = l ? link_peer(l) : NULL;
    const struct office *o = ask_office(a);

    say(a->out, "Agent", g->text);
    say(a->out, "Name", g->person->full);
    say(a->out, "Status", !l ? "AGENT_LOGGEDOFF" : other ? "AGENT_ONCALL" : "AGENT_IDLE");
    if (!l)
        return;
    if (other) {
        say(a->out, "TalkingToChan", other->name);
        say_number(a->out, "CallStarted", (int64_t)(o->epoch_s + other->connected_us / SECONDS));
    }
    say_number(a->out, "LoggedInTime", (int64_t)(o->epoch_s + g->since_us / SECONDS));
    tell_leg(a->out, "", l);
}

static void agents(const struct ask *a)
{
    const struct office *o = ask_office(a);

    ask_list(a, "Agents will follow");
    for (unsigned i = 0; i < o->n_agents; i++) {
        ask_item(a, "Agents");
        if (o->old)
            old_agent(a, &o->agents[i]);
        else
            new_agent(a, &o->agents[i]);
        say_end(a->out);
    }
    ask_list_end(a, "AgentsComplete", o->n_agents, false);
}

static struct agent *agent_of(const struct ask *a)
{
    struct view number = ami_get(a->b, "Agent");
    struct agent *g = office_agent(ask_office(a), number);

    if (number.len == 0)
        say_error(a->out, a->id, "No agent specified");
    else if (!g)
        say_error(a->out, a->id, "No such agent");
    return g;
}

/* An agent who is in a queue with its phone leaves it: this dialplan lets AgentLogoff do so too. */
static void agent_logoff(const struct ask *a)
{
    struct agent *g = agent_of(a);
    struct member *m;

    if (!g)
        return;
    m = g->leg ? NULL : agent_membership(g);
    if (!g->leg && !(m && m->dynamic)) {
        say_error(a->out, a->id, "No such agent");
        return;
    }
    say_success(a->out, a->id, "Agent logged out");
    if (g->leg)
        agent_log_off(g);
    else
        queue_remove(m);
}

static void agent_callback_login(const struct ask *a)
{
    struct agent *g = agent_of(a);
    struct person *p;

    if (!g)
        return;
    p = office_person(ask_office(a), ami_get(a->b, "Exten"));
    if (!p) {
        say_error(a->out, a->id, "Extension is not valid.");
        return;
    }
    say_success(a->out, a->id, "Agent logged in");
    agent_comes(ask_office(a), g);
}

const struct office_row office_queue_rows[] = {
    {{"QueueAdd", queue_add_action, false}, BOTH},
    {{"QueueRemove", queue_remove_action, false}, BOTH},
    {{"QueuePause", queue_pause_action, false}, BOTH},
    {{"QueuePenalty", queue_penalty, false}, BOTH},
    {{"QueueLog", queue_log, false}, BOTH},
    {{"QueueReset", queue_reset, false}, BOTH},
    {{"QueueStatus", queue_status, false}, BOTH},
    {{"QueueSummary", queue_summary, false}, BOTH},
    {{"Agents", agents, false}, BOTH},
    {{"AgentLogoff", agent_logoff, false}, BOTH},
    {{"AgentCallbackLogin", agent_callback_login, false}, ONLY_OLD},
};
const size_t office_n_queue_rows = ARRAY_SIZE(office_queue_rows);
