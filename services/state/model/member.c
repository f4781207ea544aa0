/* Members of queues and groups: an object each, tied to the queue and to the agent, phone or trunk.
 */
#include <stdio.h>

#include "base/array.h"
#include "model/model.h"
#include "model/statistics.h"

struct view member_interface(const struct tel *t, enum tel_field field, char scratch[128])
{
    struct view interface = t->str[field];
    struct view state = t->str[TELF_state_interface];
    struct view name = t->str[TELF_name];

    if (view_starts(state, VIEW("Agent:"))) {
        int n = snprintf(scratch, 128, "Agent/%.*s", (int)state.len - 6, state.ptr + 6);
        return n > 0 && n < 128 ? view_of(scratch, (size_t)n) : interface;
    }
    if (view_starts(interface, VIEW("Local/")) && view_starts(name, VIEW("Agent/")))
        return name;
    return interface;
}

/* ---- ties ---- */

static void belong(struct xod_obj *queue, struct xod_obj *who, unsigned members, unsigned queues,
                   unsigned groups)
{
    xod_list_add(queue, members, xod_obj_id(who));
    xod_list_add(who, xod_obj_list(queue) == LIST_queues ? queues : groups, xod_obj_id(queue));
}

static void leave(struct xod_obj *queue, struct xod_obj *who, unsigned members, unsigned queues,
                  unsigned groups)
{
    xod_list_del(queue, members, xod_obj_id(who));
    xod_list_del(who, xod_obj_list(queue) == LIST_queues ? queues : groups, xod_obj_id(queue));
}

typedef void both_fn(struct xod_obj *queue, struct xod_obj *who, unsigned members, unsigned queues,
                     unsigned groups);

/* Writes into (or out of) the lists at both ends. Trunks are no members that clients ask for: only
 * the trunk's own lists tell. */
static void both_ends(struct xod_obj *queue, struct xod_obj *who, both_fn *fn)
{
    bool is_queue = xod_obj_list(queue) == LIST_queues;

    switch (xod_obj_list(who)) {
    case LIST_agents:
        fn(queue, who, is_queue ? XOD(queues, agentmembers) : XOD(groups, agentmembers),
           XOD(agents, queues), XOD(agents, groups));
        break;
    case LIST_phones:
        fn(queue, who, is_queue ? XOD(queues, phonemembers) : XOD(groups, phonemembers),
           XOD(phones, queues), XOD(phones, groups));
        break;
    case LIST_trunks:
        if (fn == belong)
            xod_list_add(who, is_queue ? XOD(trunks, queues) : XOD(trunks, groups),
                         xod_obj_id(queue));
        else
            xod_list_del(who, is_queue ? XOD(trunks, queues) : XOD(trunks, groups),
                         xod_obj_id(queue));
        break;
    default:
        break;
    }
}

/* The phone behind a member: its device (PJSIP/1002, hint:1001@ext-local) or, where none is told,
 * the number that its Local channel dials. */
static struct xod_obj *member_phone(struct ipbx_model *d, struct view interface, struct view device)
{
    struct xod_obj *phone = phone_of_device(d, interface);

    if (!phone && view_starts(device, VIEW("hint:")))
        phone = phone_of_exten(d, view_of(device.ptr + 5, device.len - 5), false);
    else if (!phone && device.len)
        phone = phone_of_device(d, device);
    if (!phone && view_starts(interface, VIEW("Local/")))
        phone = phone_of_exten(d, view_of(interface.ptr + 6, interface.len - 6), false);
    return phone;
}

static struct xod_obj *who_is(struct ipbx_model *d, struct view interface, struct view device)
{
    struct xod_obj *who;

    if (view_starts(interface, VIEW("Agent/")))
        return agent_numbered(d, view_of(interface.ptr + 6, interface.len - 6));
    who = member_phone(d, interface, device);
    return who ? who : trunk_of_device(d, interface);
}

struct xod_obj *member_login_phone(struct ipbx_model *d, const struct xod_obj *agent)
{
    struct xod_obj *m;

    for (size_t pos = 0; (m = xod_tied_next(agent, LIST_queuemembers, &pos));) {
        struct view location = xod_get_str(m, XOD(queuemembers, location));
        struct view device = xod_get_str(m, XOD(queuemembers, device));
        struct xod_obj *phone;
        if (view_starts(location, VIEW("Agent/")) || view_starts(device, VIEW("Agent:")))
            continue; /* an agent of the Asterisk's own: it tells the login itself */
        phone = member_phone(d, location, device);
        if (phone)
            return phone;
    }
    return NULL;
}

static struct xod_obj *tied_queue(const struct xod_obj *member)
{
    struct xod_obj *queue = xod_related(member, LIST_queues, 0);

    return queue ? queue : xod_related(member, LIST_groups, 0);
}

static struct xod_obj *tied_who(const struct xod_obj *member)
{
    static const enum xod_list lists[] = {LIST_agents, LIST_phones, LIST_trunks};

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        struct xod_obj *who = xod_related(member, lists[i], 0);
        if (who)
            return who;
    }
    return NULL;
}

static void tie(struct ipbx_model *d, struct xod_obj *member)
{
    struct xod_obj *queue = queue_named(d, xod_get_str(member, XOD(queuemembers, queue_name)));
    struct xod_obj *who = who_is(d, xod_get_str(member, XOD(queuemembers, interface)),
                                 xod_get_str(member, XOD(queuemembers, device)));

    if (queue)
        xod_relate(member, queue);
    if (who)
        xod_relate(member, who);
    if (queue && who)
        both_ends(queue, who, belong);
    if (who && xod_obj_list(who) == LIST_agents)
        agent_member_changed(d, who);
}

/* A phone can be a member twice: as SIP/alice and as Local/1001@default. */
static bool is_member_still(const struct xod_obj *queue, const struct xod_obj *who)
{
    struct xod_obj *member;

    for (size_t n = 0; (member = xod_related(queue, LIST_queuemembers, n)); n++)
        if (xod_is_tied(member, who))
            return true;
    return false;
}

static void untie(struct xod_obj *member)
{
    struct xod_obj *queue = tied_queue(member);
    struct xod_obj *who = tied_who(member);

    if (queue)
        xod_unrelate(member, queue);
    if (who)
        xod_unrelate(member, who);
    if (queue && who && !is_member_still(queue, who))
        both_ends(queue, who, leave);
}

static void forget_members(struct ipbx_model *d, enum xod_list list, unsigned one, unsigned other)
{
    struct xod_obj *o;

    for (size_t pos = 0; (o = xod_next(d->ipbx, list, &pos));) {
        xod_reset(o, one);
        xod_reset(o, other);
    }
}

/* What was tied to objects that are gone cannot be found by them: the lists are made anew. The
 * store tells only what differs in the end. */
void member_relink(struct ipbx_model *d)
{
    struct xod_obj *m;

    for (size_t pos = 0; (m = xod_next(d->ipbx, LIST_queuemembers, &pos));)
        untie(m);
    forget_members(d, LIST_queues, XOD(queues, agentmembers), XOD(queues, phonemembers));
    forget_members(d, LIST_groups, XOD(groups, agentmembers), XOD(groups, phonemembers));
    forget_members(d, LIST_agents, XOD(agents, queues), XOD(agents, groups));
    forget_members(d, LIST_phones, XOD(phones, queues), XOD(phones, groups));
    forget_members(d, LIST_trunks, XOD(trunks, queues), XOD(trunks, groups));
    for (size_t pos = 0; (m = xod_next(d->ipbx, LIST_queuemembers, &pos));)
        tie(d, m);
}

static struct xod_obj *member_at(struct ipbx_model *d, struct view queue, struct view location)
{
    struct xod_obj *q = queue_named(d, queue);
    struct xod_obj *m;

    for (size_t n = 0; q && location.len && (m = xod_related(q, LIST_queuemembers, n)); n++)
        if (view_eq(xod_get_str(m, XOD(queuemembers, location)), location))
            return m;
    return NULL;
}

struct xod_obj *member_agent_at(struct ipbx_model *d, struct view queue, struct view location)
{
    struct xod_obj *m = member_at(d, queue, location);

    return m ? xod_related(m, LIST_agents, 0) : NULL;
}

/* ---- calls of a queue ---- */

enum in_call { IN_NONE, IN_AS_TOLD, IN_ANSWERED };

void member_answered(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *m = member_at(d, t->str[TELF_queue], t->str[TELF_member]);

    if (!m)
        return;
    xod_set_int(m, XOD(queuemembers, in_call), IN_ANSWERED);
    xod_set_null(m, XOD(queuemembers, wrapup_until));
}

/* Seconds it has after the call, 0: none. */
double member_completed(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *m = member_at(d, t->str[TELF_queue], t->str[TELF_member]);
    double wrapup = m ? (double)xod_get(m, XOD(queuemembers, wrapuptime))->i : 0;

    if (!m)
        return 0;
    xod_set_int(m, XOD(queuemembers, in_call), IN_NONE);
    if (wrapup > 0) {
        xod_set_float(m, XOD(queuemembers, wrapup_until), d->now + wrapup);
        if (d->wrapup_due <= 0 || d->now + wrapup < d->wrapup_due)
            d->wrapup_due = d->now + wrapup;
    }
    return wrapup;
}

void member_tick(struct ipbx_model *d, double now)
{
    struct xod_obj *m;

    for (size_t pos = 0; (m = xod_next(d->ipbx, LIST_queuemembers, &pos));) {
        double until = xod_get(m, XOD(queuemembers, wrapup_until))->f;
        if (xod_get(m, XOD(queuemembers, wrapup_until))->type != V_FLOAT)
            continue;
        if (until <= now)
            xod_set_null(m, XOD(queuemembers, wrapup_until));
        else if (d->wrapup_due <= 0 || until < d->wrapup_due)
            d->wrapup_due = until;
    }
}

/* InCall is 0 in many an event of a call that goes on: only a listing ends what AgentConnect has
 * begun. */
static void take_in_call(struct xod_obj *m, const struct tel *t)
{
    if (t->num[TELF_in_call])
        xod_set_int(m, XOD(queuemembers, in_call), IN_AS_TOLD);
    else if (t->resync || xod_get(m, XOD(queuemembers, in_call))->i == IN_AS_TOLD)
        xod_set_int(m, XOD(queuemembers, in_call), IN_NONE);
}

/* ---- events ---- */

/* INTERFACE,QUEUE; 0 when it does not fit. */
static size_t member_id(const struct tel *t, char *out, size_t size)
{
    char scratch[128];
    struct view interface = member_interface(t, TELF_interface, scratch);
    struct view queue = t->str[TELF_queue];
    int n = snprintf(out, size, "%.*s,%.*s", VIEW_ARG(interface), VIEW_ARG(queue));

    return interface.len && queue.len && n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static void set_number(struct xod_obj *m, unsigned field, const struct tel *t, enum tel_field f)
{
    char text[32];

    if (!tel_has(t, f))
        return;
    snprintf(text, sizeof(text), "%lld", (long long)t->num[f]);
    xod_set_str(m, field, view_cstr(text));
}

static void set_text(struct xod_obj *m, unsigned field, const struct tel *t, enum tel_field f)
{
    if (tel_has(t, f))
        xod_set_str(m, field, t->str[f]);
}

/* A reason that is told empty is none; one that is not told stays. Since when: Asterisk 18 and
 * later tell it themselves; a listing of an older one does not know. */
static void take_pause(struct xod_obj *m, const struct tel *t)
{
    bool was = view_eq(xod_get_str(m, XOD(queuemembers, paused)), VIEW("1"));

    set_number(m, XOD(queuemembers, paused), t, TELF_paused);
    if (!t->num[TELF_paused]) {
        xod_set_null(m, XOD(queuemembers, reason));
        xod_set_null(m, XOD(queuemembers, paused_since));
        return;
    }
    if (tel_has(t, TELF_reason))
        xod_set_text(m, XOD(queuemembers, reason), t->str[TELF_reason]);
    if (t->num[TELF_last_pause] > 0)
        xod_set_float(m, XOD(queuemembers, paused_since), (double)t->num[TELF_last_pause]);
    else if (!was && !t->resync)
        xod_set_float(m, XOD(queuemembers, paused_since), t->time);
}

static void take_login(struct xod_obj *m, const struct tel *t)
{
    if (view_eq(xod_get_str(m, XOD(queuemembers, membership)), VIEW("static")))
        return;
    if (t->num[TELF_login_time] > 0)
        xod_set_float(m, XOD(queuemembers, login_time), (double)t->num[TELF_login_time]);
    else if (t->event == TEL_member_added)
        xod_set_float(m, XOD(queuemembers, login_time), t->time);
}

static void take(struct xod_obj *m, const struct tel *t)
{
    set_text(m, XOD(queuemembers, location), t, TELF_interface);
    set_text(m, XOD(queuemembers, device), t, TELF_state_interface);
    set_text(m, XOD(queuemembers, membership), t, TELF_membership);
    set_text(m, XOD(queuemembers, status), t, TELF_status);
    set_number(m, XOD(queuemembers, penalty), t, TELF_penalty);
    set_number(m, XOD(queuemembers, callstaken), t, TELF_calls_taken);
    set_number(m, XOD(queuemembers, lastcall), t, TELF_last_call);
    take_login(m, t);
    if (tel_has(t, TELF_in_call))
        take_in_call(m, t);
    if (tel_has(t, TELF_wrapuptime))
        xod_set_int(m, XOD(queuemembers, wrapuptime),
                    t->num[TELF_wrapuptime] > 0 && t->num[TELF_wrapuptime] <= 86400
                        ? t->num[TELF_wrapuptime]
                        : 0);
    if (tel_has(t, TELF_paused))
        take_pause(m, t);
}

void member_status(struct ipbx_model *d, const struct tel *t)
{
    char id[512];
    char scratch[128];
    size_t len = member_id(t, id, sizeof(id));
    struct xod_obj *m;
    bool known;

    if (len == 0)
        return;
    listing_note(d, LISTING_QUEUES, view_of(id, len), view_of(NULL, 0));
    known = xod_find(d->ipbx, LIST_queuemembers, view_of(id, len)) != NULL;
    m = xod_add(d->ipbx, LIST_queuemembers, view_of(id, len));
    if (!m)
        return;
    take(m, t);
    if (known) {
        struct xod_obj *agent = xod_related(m, LIST_agents, 0);
        if (agent)
            agent_member_changed(d, agent);
        return;
    }
    xod_set_str(m, XOD(queuemembers, queue_name), t->str[TELF_queue]);
    xod_set_str(m, XOD(queuemembers, interface), member_interface(t, TELF_interface, scratch));
    tie(d, m);
}

static void drop(struct ipbx_model *d, struct xod_obj *m)
{
    struct xod_obj *queue = xod_related(m, LIST_queues, 0);
    struct xod_obj *agent = xod_related(m, LIST_agents, 0);

    if (queue) /* where the member has no known object, nothing of the queue changes but this */
        realtime_stats_touch(d, queue);
    untie(m);
    xod_del(m);
    if (agent)
        agent_member_changed(d, agent);
}

void member_removed(struct ipbx_model *d, const struct tel *t)
{
    char id[512];
    size_t len = member_id(t, id, sizeof(id));
    struct xod_obj *m = len ? xod_find(d->ipbx, LIST_queuemembers, view_of(id, len)) : NULL;

    if (m)
        drop(d, m);
}

void member_sweep(struct ipbx_model *d)
{
    struct xod_obj *m;

    for (size_t pos = 0; (m = xod_next(d->ipbx, LIST_queuemembers, &pos));)
        if (!listing_named(d, xod_obj_id(m), view_of(NULL, 0)))
            drop(d, m);
}

bool member_device_in_use(struct view status)
{
    return status.len == 1 && status.ptr[0] != '\0' && strchr("23678", status.ptr[0]);
}

void member_all_idle(struct ipbx_model *d)
{
    struct xod_obj *m;

    for (size_t pos = 0; (m = xod_next(d->ipbx, LIST_queuemembers, &pos));) {
        struct view status = xod_get_str(m, XOD(queuemembers, status));
        if (member_device_in_use(status))
            xod_set_str(m, XOD(queuemembers, status), VIEW("1"));
        xod_set_int(m, XOD(queuemembers, in_call), IN_NONE);
    }
}
