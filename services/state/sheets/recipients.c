#include "sheets/recipients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/access.h"
#include "sheets/rules.h"
#include "json/json.h"

int recipients_add(struct recipients *r, struct view user_id)
{
    if (user_id.len >= sizeof(r->ids[0]))
        return 0; /* no session can have it */
    if (r->n == r->room) {
        size_t scratch = r->room ? 2 * r->room : 4;
        void *ids = reallocarray(r->ids, scratch, sizeof(r->ids[0]));
        if (!ids)
            return -ENOMEM;
        r->ids = ids;
        r->room = scratch;
    }
    snprintf(r->ids[r->n++], sizeof(r->ids[0]), "%.*s", VIEW_ARG(user_id));
    return 0;
}

void recipients_clear(struct recipients *r)
{
    free(r->ids);
    *r = (struct recipients){0};
}

bool recipients_are_all(struct json_object *condition)
{
    return view_eq(json_get_view(condition, "whom"), VIEW("all"));
}

/* ---- what narrows it ---- */

static bool has_context(const struct xod_obj *user, struct json_object *contexts)
{
    const struct xod_obj *phone;
    char scratch[32];

    for (size_t pos = 0; (phone = xod_tied_next(user, LIST_phones, &pos));)
        if (rules_among(contexts, value_text(xod_get(phone, XOD(phones, context)), scratch)))
            return true;
    return rules_among(contexts, view_of(NULL, 0));
}

static bool fits(const struct xod_obj *user, struct json_object *condition)
{
    char profile[32];
    char entity[32];

    return xod_get(user, XOD(users, connection))->type != V_NULL &&
           rules_among(json_get(condition, "profileids"),
                       value_text(xod_get(user, XOD(users, profileclient)), profile)) &&
           rules_among(json_get(condition, "entities"),
                       value_text(xod_get(user, XOD(users, entityid)), entity)) &&
           has_context(user, json_get(condition, "contexts"));
}

/* ---- whom ---- */

static bool sees(const struct xod_obj *user, const struct xod_obj *seen, bool separate)
{
    struct access a;
    bool yes;

    if (!separate)
        return true;
    if (!seen || access_init(&a, user, true) < 0)
        return false;
    yes = access_sees(&a, seen);
    access_fini(&a);
    return yes;
}

static int find_all(struct recipients *r, const struct config *cfg, struct json_object *condition,
                    const struct concerned *c)
{
    bool separate = access_is_separate(cfg);
    const struct xod_obj *user;
    int rc = 0;

    for (size_t pos = 0; rc == 0 && (user = xod_next(c->ipbx, LIST_users, &pos));)
        if (fits(user, condition) && sees(user, c->seen, separate))
            rc = recipients_add(r, xod_obj_id(user));
    return rc;
}

int recipients_find(struct recipients *r, const struct config *cfg, struct json_object *condition,
                    const struct concerned *c)
{
    struct view whom = json_get_view(condition, "whom");
    int rc = 0;

    if (recipients_are_all(condition))
        return find_all(r, cfg, condition, c);
    if (whom.len && !view_eq(whom, VIEW("dest")))
        return 0;
    for (size_t i = 0; rc == 0 && i < c->n_users; i++)
        if (fits(c->users[i], condition))
            rc = recipients_add(r, xod_obj_id(c->users[i]));
    return rc;
}
