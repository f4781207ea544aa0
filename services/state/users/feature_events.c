/* UserEvent(Feature,XIVO_USERID: 1,Function: unc,Status: 1,Value: 1003): the dialplan of XiVO says
 * so when somebody dials a feature code. */
#include "users/feature_events.h"
#include "users/feature_keys.h"
#include "users/feature_reader.h"
#include "users/features.h"

#define MAX_NUMBER 80

static const struct feature_key *named(struct view function)
{
    for (size_t i = 0; i < N_FEATURE_KEYS; i++)
        for (size_t j = 0; j < 2; j++)
            if (function.len && view_eq(view_cstr(feature_keys[i].functions[j]), function))
                return &feature_keys[i];
    return NULL;
}

/* "Status: 1, Value: 1003" in the dialplan makes a header " Value". */
static struct view value_of(const struct tel *t)
{
    struct view value = msg_get_str(t->headers, "Value");

    return view_trim(value.len ? value : msg_get_str(t->headers, " Value"));
}

/* Is a forward without a number to have the one that it had? There may be none. */
static bool leads_somewhere(const struct xod_obj *user, const struct feature_key *k,
                            struct view value)
{
    char scratch[32];

    return value.len <= MAX_NUMBER &&
           (value.len || value_text(xod_get(user, k->destination), scratch).len);
}

static void change(struct state *s, struct xod_obj *user, const struct feature_key *k, bool on,
                   struct view value)
{
    bool forward = k->destination != k->flag;
    struct feature_change changes[2] = {{.field = k->flag, .on = on},
                                        {.field = k->destination, .to = value}};
    size_t n = forward && value.len && value.len <= MAX_NUMBER ? 2 : 1;

    if (forward && on && !leads_somewhere(user, k, value)) {
        log_notice(s->log, "UserEvent Feature of user %.*s: %s without a Value is left out",
                   VIEW_ARG(xod_obj_id(user)), k->functions[0]);
        return;
    }
    n = features_differ(s->features, user, changes, n);
    if (n && features_change(s->features, user, changes, n, NULL, NULL) < 0)
        log_warning(s->log, "UserEvent Feature of user %.*s: %s cannot be kept: it is left out",
                    VIEW_ARG(xod_obj_id(user)), k->functions[0]);
}

void feature_event(struct state *s, const struct xod_ipbx *ipbx, const struct tel *t)
{
    const struct feature_key *k;
    struct xod_obj *user;
    struct view status;

    if (t->event != TEL_user_event || !t->headers || !view_eq(t->str[TELF_name], VIEW("Feature")))
        return;
    user = xod_find(ipbx, LIST_users, msg_get_str(t->headers, "XIVO_USERID"));
    k = named(msg_get_str(t->headers, "Function"));
    status = view_trim(msg_get_str(t->headers, "Status"));
    if (user && k && status.len)
        change(s, user, k, view_eq(status, VIEW("1")), value_of(t));
    if (user && feature_way(s, ipbx, "userfeatures")) /* the code has changed the row before */
        feature_reader_user(s, user);
}
