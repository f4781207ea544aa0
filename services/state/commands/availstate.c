/* availstate: a user's presence. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "core/profile.h"
#include "sessions/presence.h"
#include "sessions/sessions.h"

/* A presence that is being kept; it is shown when it is on disk. */
struct pending {
    struct state *s;
    struct deferred_reply *l;
    struct xod_ipbx *ipbx;
    char session[64], user_id[64], capaid[64], from[64], to[64];
};

/* Where the next presence of this session is asked from: one that is not on disk yet counts, or two
 * in a row would lead to where the profile lets nobody go. */
static struct view from_of(const struct session *se)
{
    return se->n_wanted ? view_cstr(se->wanted)
                        : xod_get_str(session_user(se), XOD(users, availstate));
}

static void finish(void *arg, int rc)
{
    struct pending *p = arg;

    deferred_reply_status(&p->l, rc == 0 ? BUS_ok : BUS_failed);
    free(p);
}

/* What the actions write is on its way: the answer waits until that is on disk, too. */
static void finish_after_actions(struct pending *p)
{
    struct db_txn *t = db_begin(p->s->db);

    if (t)
        db_commit_take(&t, finish, p);
    else
        finish(p, -ENOBUFS);
}

/* Whatever has become of the presence meanwhile (a logout, another login) is newer. */
static bool is_still_wanted(const struct pending *p, const struct xod_obj *user)
{
    return user && xod_get(user, XOD(users, connection))->type != V_NULL &&
           view_eq(xod_get_str(user, XOD(users, availstate)), view_cstr(p->from));
}

static void on_kept(void *arg, int rc)
{
    struct pending *p = arg;
    struct session *se = session_find(p->s->sessions, view_cstr(p->session));
    struct xod_obj *user = xod_find(p->ipbx, LIST_users, view_cstr(p->user_id));

    if (se && se->n_wanted)
        se->n_wanted--;
    if (rc < 0 || !is_still_wanted(p, user)) {
        finish(p, rc);
        return;
    }
    xod_set_str(user, XOD(users, availstate), view_cstr(p->to));
    presence_actions(p->s, user, view_cstr(p->capaid), view_cstr(p->to));
    state_commit(p->s, false);
    finish_after_actions(p);
}

static void keep(struct state *s, struct session *se, struct deferred_reply *l, struct view to)
{
    struct pending *p = calloc(1, sizeof(*p));
    struct db_txn *t = p ? db_begin(s->db) : NULL;

    if (!t) {
        free(p);
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    *p = (struct pending){.s = s, .l = l, .ipbx = se->ipbx};
    memcpy(p->session, se->id, sizeof(p->session));
    memcpy(p->user_id, se->user_id, sizeof(p->user_id));
    memcpy(p->capaid, se->capaid, sizeof(p->capaid));
    snprintf(p->from, sizeof(p->from), "%.*s", VIEW_ARG(from_of(se)));
    snprintf(p->to, sizeof(p->to), "%.*s", VIEW_ARG(to));
    memcpy(se->wanted, p->to, sizeof(se->wanted));
    se->n_wanted++;
    presence_add(t, session_user(se), to);
    db_commit_take(&t, on_kept, p);
}

static void availstate(struct state *s, struct session *se, struct deferred_reply *l,
                       const msgpack_object *message)
{
    struct view to = msg_get_str(message, "availstate");

    /* Of others only oneself may be set: no permission says more. */
    if (!command_is_self(se, message, "userid") || view_eq(to, VIEW("disconnected")) ||
        to.len > 63 || !profile_presence_allowed(s->cfg, view_cstr(se->capaid), from_of(se), to)) {
        deferred_reply_status(&l, BUS_unallowed);
        return;
    }
    keep(s, se, l, to);
}

const struct command command_availstate = {"availstate", availstate, false};
