/* queueadd, queueremove, queuepause...: members of queues and groups. */
#include "calls/ipbx_command.h"
#include "users/member_actions.h"

/* The member that is meant: an agent or a phone; without one the user's own. NULL: wrong is said.
 */
static struct xod_obj *member_of(struct ipbx_command *o)
{
    struct target t;
    enum xod_list list;

    if (!msg_get(o->message, "member"))
        return member_who(o->user) ? member_who(o->user)
                                   : (ipbx_command_wrong(o, "member", "not_a_member"), NULL);
    t = ipbx_command_target(o, "member", LIST_agents);
    list = t.kind == TARGET_OBJECT ? xod_obj_list(t.object) : LIST_COUNT;
    if (list == LIST_users)
        return member_who(t.object);
    if (list == LIST_agents || list == LIST_phones)
        return t.object;
    ipbx_command_wrong(o, "member", "no_such_member");
    return NULL;
}

static bool is_all(const struct ipbx_command *o)
{
    struct view text = msg_get_str(o->message, "queue");

    return text.len >= 4 && view_eq(view_of(text.ptr + text.len - 4, 4), VIEW("/all"));
}

/* The name of the queue or group that is meant; empty: wrong is said. */
static struct view queue_of(struct ipbx_command *o)
{
    struct target t = ipbx_command_target(o, "queue", LIST_queues);

    if (t.kind == TARGET_OBJECT && xod_obj_list(t.object) == LIST_queues)
        return xod_get_str(t.object, XOD(queues, name));
    if (t.kind == TARGET_OBJECT && xod_obj_list(t.object) == LIST_groups)
        return xod_get_str(t.object, XOD(groups, name));
    ipbx_command_wrong(o, "queue", "no_such_queue");
    return view_of(NULL, 0);
}

static bool is_static(const struct xod_obj *membership)
{
    return view_eq(xod_get_str(membership, XOD(queuemembers, membership)), VIEW("static"));
}

/* Membership number n of a member, of which `queue` (empty: any) says which; or NULL. */
static struct xod_obj *membership(const struct xod_obj *who, size_t n, struct view queue)
{
    struct xod_obj *m;

    for (size_t i = 0; (m = xod_related(who, LIST_queuemembers, i)); i++)
        if ((queue.len == 0 || view_eq(xod_get_str(m, XOD(queuemembers, queue_name)), queue)) &&
            n-- == 0)
            return m;
    return NULL;
}

static void pause_in(struct ipbx_command *o, struct view queue, struct view interface, bool on)
{
    ipbx_command_action(o, "QueuePause", "Queue", queue, "Interface", interface, "Paused",
                        on ? VIEW("true") : VIEW("false"), "Reason",
                        on ? msg_get_str(o->message, "reason") : view_of(NULL, 0), NULL);
}

/* In one queue (the member is taken for one even if we do not know that it is), or in all. */
static void set_pause(struct ipbx_command *o, struct xod_obj *who, struct view queue, bool on)
{
    struct xod_obj *m;
    char scratch[128];
    size_t n;

    for (n = 0; (m = membership(who, n, queue)); n++)
        pause_in(o, xod_get_str(m, XOD(queuemembers, queue_name)),
                 xod_get_str(m, XOD(queuemembers, location)), on);
    if (n == 0 && queue.len)
        pause_in(o, queue, member_interface_for(who, scratch), on);
}

static void pause_or_not(struct ipbx_command *o, bool on)
{
    struct xod_obj *who = member_of(o);
    struct view queue = view_of(NULL, 0);

    if (who && !is_all(o) && (queue = queue_of(o)).len == 0)
        return;
    if (who)
        set_pause(o, who, queue, on);
}

void ipbx_queuepause(struct ipbx_command *o)
{
    const msgpack_object *paused = msg_get(o->message, "paused");
    char scratch[32];
    struct view text = msg_get_text(o->message, "paused", scratch);

    pause_or_not(o, !paused || !(view_eq(text, VIEW("0")) || view_ieq(text, VIEW("false"))));
}

void ipbx_queueunpause(struct ipbx_command *o)
{
    pause_or_not(o, false);
}

void ipbx_queuepause_all(struct ipbx_command *o)
{
    struct xod_obj *who = member_of(o);

    if (who)
        set_pause(o, who, view_of(NULL, 0), true);
}

void ipbx_queueunpause_all(struct ipbx_command *o)
{
    struct xod_obj *who = member_of(o);

    if (who)
        set_pause(o, who, view_of(NULL, 0), false);
}

void ipbx_queueadd(struct ipbx_command *o)
{
    struct xod_obj *who = member_of(o);
    struct view queue = who ? queue_of(o) : view_of(NULL, 0);
    char scratch[128], penalty[32], paused[32];
    bool on;

    if (queue.len == 0)
        return;
    paused[0] = '\0';
    on = view_eq(msg_get_text(o->message, "paused", paused), VIEW("1")) ||
         view_ieq(msg_get_text(o->message, "paused", paused), VIEW("true"));
    ipbx_command_action(o, "QueueAdd", "Queue", queue, "Interface",
                        member_interface_for(who, scratch), "Penalty",
                        msg_get_text(o->message, "penalty", penalty), "Paused",
                        on ? VIEW("true") : VIEW("false"), NULL);
}

static void remove_from(struct ipbx_command *o, struct view queue, struct view interface)
{
    ipbx_command_action(o, "QueueRemove", "Queue", queue, "Interface", interface, NULL);
}

/* A static member cannot be removed; of all queues those are left out. */
static void remove_all(struct ipbx_command *o, struct xod_obj *who)
{
    struct xod_obj *m;

    for (size_t n = 0; (m = membership(who, n, view_of(NULL, 0))); n++)
        if (!is_static(m))
            remove_from(o, xod_get_str(m, XOD(queuemembers, queue_name)),
                        xod_get_str(m, XOD(queuemembers, location)));
}

void ipbx_queueremove(struct ipbx_command *o)
{
    struct xod_obj *who = member_of(o);
    struct view queue;
    struct xod_obj *m;
    char scratch[128];

    if (who && is_all(o))
        remove_all(o, who);
    if (!who || is_all(o) || (queue = queue_of(o)).len == 0)
        return;
    m = membership(who, 0, queue);
    remove_from(o, queue,
                m ? xod_get_str(m, XOD(queuemembers, location))
                  : member_interface_for(who, scratch));
}

void ipbx_queueremove_all(struct ipbx_command *o)
{
    struct xod_obj *who = member_of(o);

    if (who)
        remove_all(o, who);
}
