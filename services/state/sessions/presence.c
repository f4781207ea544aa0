/* Presence: how it is kept, and what is done when it changes. */
#include "sessions/presence.h"
#include "core/ami_request.h"
#include "core/profile.h"
#include "users/features.h"
#include "users/member_actions.h"
#include "users/relations.h"
#include "json/json.h"

void presence_add(struct db_txn *t, const struct xod_obj *user, struct view to)
{
    db_add(t,
           "INSERT INTO presence (site, user, availstate) VALUES (?, ?, ?)"
           " ON CONFLICT (site, user) DO UPDATE SET availstate = excluded.availstate",
           "sss", xod_ipbx_name(xod_obj_ipbx(user)), xod_obj_id(user), to);
}

void presence_set(struct state *s, struct xod_obj *user, struct view to, struct db_txn *t)
{
    struct db_txn *own = t ? NULL : db_begin(s->db);

    xod_set_str(user, XOD(users, availstate), to);
    if (t || own)
        presence_add(t ? t : own, user, to);
    if (own)
        db_commit_take(&own, NULL, NULL);
}

/* A flag: what it becomes. For a forward anything but true and false is where it goes to. */
static size_t feature_of(struct view name, struct view param, struct feature_change out[2])
{
    bool on = view_eq(param, VIEW("true")) || view_eq(param, VIEW("1"));
    bool off = param.len == 0 || view_eq(param, VIEW("false")) || view_eq(param, VIEW("0"));

    for (size_t i = 0; i < N_FORWARDS; i++) {
        const struct feature_forward *f = &feature_forwards[i];
        if (!view_eq(view_cstr(f->flag), name))
            continue;
        out[0] = (struct feature_change){.field = f->flag_field, .on = !off};
        out[1] = (struct feature_change){.field = f->destination_field, .to = param};
        return on || off ? 1 : 2;
    }
    for (unsigned f = 0; f < schema_list(LIST_users)->n_fields; f++)
        if (features_is_flag(f) && view_eq(schema_list(LIST_users)->fields[f].vname, name)) {
            out[0] = (struct feature_change){.field = f, .on = on};
            return 1;
        }
    return 0;
}

/* A forward that has no destination. */
static bool leads_nowhere(const struct xod_obj *user, unsigned flag)
{
    char scratch[32];

    for (size_t i = 0; i < N_FORWARDS; i++)
        if (feature_forwards[i].flag_field == flag)
            return value_text(xod_get(user, feature_forwards[i].destination_field), scratch).len ==
                   0;
    return false;
}

static void run_action(struct state *s, struct xod_obj *user, struct view name, struct view param)
{
    struct feature_change changes[2];
    size_t n = feature_of(name, param, changes);

    if (n == 1 && changes[0].on && leads_nowhere(user, changes[0].field)) {
        log_notice(s->log, "userstatus: %.*s of user %.*s has no destination: it stays off",
                   VIEW_ARG(name), VIEW_ARG(xod_obj_id(user)));
    } else if (n > 0) {
        n = features_differ(s->features, user, changes, n);
        if (n > 0)
            features_change(s->features, user, changes, n, NULL, NULL);
    } else if (!member_action(s, user, name, param)) {
        log_warning(s->log, "userstatus: there is no action \"%.*s\"", VIEW_ARG(name));
    }
}

static struct view param_of(struct json_object *value)
{
    return value && !json_object_is_type(value, json_type_object) &&
                   !json_object_is_type(value, json_type_array)
               ? view_cstr(json_object_get_string(value))
               : view_of(NULL, 0);
}

/* So that a call centre's reports know who was there: the queue log's own event for it. */
static void tell_queue_log(struct state *s, struct xod_obj *user, struct view to)
{
    struct xod_ipbx *ipbx = xod_obj_ipbx(user);
    char scratch[32];
    struct xod_obj *agent = relations_agent(user);
    struct buf interface;

    if (!agent)
        return;
    buf_init(&interface, 256);
    buf_append_cstr(&interface, "Agent/");
    buf_append_view(&interface, value_text(xod_get(agent, XOD(agents, number)), scratch));
    ami_request_send(s, ipbx, "QueueLog", "Queue", VIEW("NONE"), "Event", VIEW("PRESENCE"),
                     "Interface", buf_view(&interface), "Message", to, NULL);
    buf_free(&interface);
}

void presence_actions(struct state *s, struct xod_obj *user, struct view capaid, struct view to)
{
    struct json_object *status = profile_status(s->cfg, capaid, to);
    struct json_object *actions = status ? json_get_object(status, "actions") : NULL;

    tell_queue_log(s, user, to);
    member_keep_logged_in(s, user);
    if (!actions)
        return;
    json_object_object_foreach(actions, name, param)
    {
        run_action(s, user, view_cstr(name), param_of(param));
    }
}
