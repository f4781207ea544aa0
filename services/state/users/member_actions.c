/* What a user is a member of, changed by the actions of a presence: queueadd, queuepause_all... The
 * member is the user's agent, or the main line where there is none. */
#include <stdio.h>

#include "core/ipbx.h"
#include "users/deferred_actions.h"
#include "users/member_actions.h"
#include "users/relations.h"

struct xod_obj *member_who(const struct xod_obj *user)
{
    struct xod_obj *agent = relations_agent(user);

    return agent ? agent : relations_line(user);
}

/* Number n of the memberships. */
static struct xod_obj *membership(const struct xod_obj *who, size_t n)
{
    return xod_related(who, LIST_queuemembers, n);
}

struct view member_interface_for(const struct xod_obj *who, char scratch[128])
{
    struct xod_obj *m = membership(who, 0);
    struct view location = m ? xod_get_str(m, XOD(queuemembers, location)) : view_of(NULL, 0);
    char number[32];
    int n;

    if (location.len)
        return location;
    if (xod_obj_list(who) == LIST_phones)
        return xod_get_str(who, XOD(phones, identity));
    n = snprintf(scratch, 128, "Agent/%.*s",
                 VIEW_ARG(value_text(xod_get(who, XOD(agents, number)), number)));
    return n > 0 && n < 128 ? view_of(scratch, (size_t)n) : view_of(NULL, 0);
}

/* What a wish is about: "pause QUEUE INTERFACE". */
static void put_subject(struct buf *out, const char *what, struct view queue, struct view interface)
{
    buf_init(out, 1024);
    buf_printf(out, "%s %.*s %.*s", what, VIEW_ARG(queue), VIEW_ARG(interface));
}

static void pause_one(struct state *s, struct xod_obj *m, bool pause)
{
    struct view queue = xod_get_str(m, XOD(queuemembers, queue_name));
    struct view interface = xod_get_str(m, XOD(queuemembers, location));
    struct buf subject;

    put_subject(&subject, "pause", queue, interface);
    deferred_actions_set(s, xod_obj_ipbx(m), buf_view(&subject), "QueuePause", "Queue", queue,
                         "Interface", interface, "Paused", pause ? VIEW("true") : VIEW("false"),
                         NULL);
    buf_free(&subject);
}

static void set_member(struct state *s, const struct xod_obj *who, struct view queue, bool add)
{
    char scratch[128];
    struct view interface = member_interface_for(who, scratch);
    struct buf subject;

    put_subject(&subject, "member", queue, interface);
    deferred_actions_set(s, xod_obj_ipbx(who), buf_view(&subject), add ? "QueueAdd" : "QueueRemove",
                         "Queue", queue, "Interface", interface, NULL);
    buf_free(&subject);
}

static void pause_all(struct state *s, const struct xod_obj *who, bool pause)
{
    struct xod_obj *m;

    for (size_t n = 0; (m = membership(who, n)); n++)
        pause_one(s, m, pause);
}

static void pause_queue(struct state *s, struct xod_obj *who, struct view queue, bool pause)
{
    struct xod_obj *m;

    for (size_t n = 0; (m = membership(who, n)); n++)
        if (view_eq(xod_get_str(m, XOD(queuemembers, queue_name)), queue))
            pause_one(s, m, pause);
}

static void put_agent(struct buf *subject, const struct xod_obj *agent)
{
    char scratch[32];

    put_subject(subject, "agent", value_text(xod_get(agent, XOD(agents, number)), scratch),
                VIEW("logoff"));
}

static void put_later(struct buf *subject, const struct xod_obj *user, const char *what,
                      struct view queue)
{
    buf_init(subject, 1024);
    buf_printf(subject, "later %s %.*s %.*s", what, VIEW_ARG(xod_obj_id(user)), VIEW_ARG(queue));
}

/* Before the first listing it is unknown of which queues a user is a member, or whether the agent
 * is logged on: true, and it is done when that is known. */
static bool put_off(struct state *s, const struct xod_obj *user, const char *what,
                    struct view queue, struct view name)
{
    struct xod_ipbx *ipbx = xod_obj_ipbx(user);
    const struct ipbx *of = state_ipbx(s, xod_ipbx_name(ipbx));
    struct buf subject;

    if (of->model->resynced)
        return false;
    put_later(&subject, user, what, queue);
    deferred_actions_later(s, ipbx, buf_view(&subject), xod_obj_id(user), name, queue);
    buf_free(&subject);
    return true;
}

void member_keep_logged_in(struct state *s, const struct xod_obj *user)
{
    struct xod_obj *agent = relations_agent(user);
    struct buf subject;

    if (!agent)
        return;
    put_later(&subject, user, "logoff", VIEW(""));
    deferred_actions_drop(s, xod_obj_ipbx(agent), buf_view(&subject));
    buf_free(&subject);
    put_agent(&subject, agent);
    deferred_actions_drop(s, xod_obj_ipbx(agent), buf_view(&subject));
    buf_free(&subject);
}

static void log_off(struct state *s, const struct xod_obj *user)
{
    struct xod_obj *agent = relations_agent(user);
    struct buf subject;
    char scratch[32];

    if (!agent || view_eq(xod_get_str(agent, XOD(agents, status)), VIEW("AGENT_LOGGEDOFF")))
        return;
    if (view_eq(xod_get_str(agent, XOD(agents, status)), VIEW("undefined"))) {
        put_off(s, user, "logoff", VIEW(""), VIEW("agentlogoff"));
        return;
    }
    put_agent(&subject, agent);
    deferred_actions_set(s, xod_obj_ipbx(agent), buf_view(&subject), "agent.logoff", "agent",
                         value_text(xod_get(agent, XOD(agents, number)), scratch), NULL);
    buf_free(&subject);
}

bool member_action(struct state *s, struct xod_obj *user, struct view name, struct view param)
{
    struct xod_obj *who = member_who(user);

    if (view_eq(name, VIEW("agentlogoff")))
        log_off(s, user);
    else if (view_eq(name, VIEW("queuepause_all")) || view_eq(name, VIEW("queueunpause_all"))) {
        if (who && (membership(who, 0) || !put_off(s, user, "pauseall", VIEW(""), name)))
            pause_all(s, who, view_eq(name, VIEW("queuepause_all")));
    } else if (view_eq(name, VIEW("queuepause")) || view_eq(name, VIEW("queueunpause"))) {
        if (who && (membership(who, 0) || !put_off(s, user, "pause", param, name)))
            pause_queue(s, who, param, view_eq(name, VIEW("queuepause")));
    } else if (view_eq(name, VIEW("queueadd")) || view_eq(name, VIEW("queueremove"))) {
        if (who && param.len)
            set_member(s, who, param, view_eq(name, VIEW("queueadd")));
    } else {
        return false;
    }
    return true;
}
