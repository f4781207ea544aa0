/*
 * What other sites may see of ours: our own objects (never what came from a third site, so no loop
 * can form), of the lists and contexts that `ctibus.federation` names, with the fields that the
 * schema marks for peers.
 */
#include <stdlib.h>

#include "access/access.h"
#include "internal.h"
#include "replica/wire.h"
#include "json/json.h"

struct export
{
    struct fed *f;
    struct bus_pub *pub;
    bool lists[LIST_COUNT];
    bool all_contexts;
    struct buf topic, body;
};

struct export *export_new(struct fed *f, struct bus_pub *pub)
{
    struct json_object *contexts = config_get(f->cfg, "ctibus.federation.contexts");
    struct export *e = calloc(1, sizeof(*e));
    bool any;

    if (!e)
        return NULL;
    e->f = f;
    e->pub = pub;
    for (int i = 0; i < LIST_COUNT; i++)
        e->lists[i] =
            config_lists(f->cfg, "ctibus.federation.lists", schema_list((enum xod_list)i)->name);
    e->lists[LIST_ipbx] = e->lists[LIST_calls] = false; /* neither has a field for sites */
    access_names(contexts, VIEW(""), &any);
    e->all_contexts = !any;
    buf_init(&e->topic, 4096);
    buf_init(&e->body, 0);
    return e;
}

void export_destroy(struct export **e)
{
    if (!e || !*e)
        return;
    buf_free(&(*e)->topic);
    buf_free(&(*e)->body);
    free(*e);
    *e = NULL;
}

/* ---- visible objects ---- */

static bool in_contexts(const struct export *e, const struct xod_obj *o)
{
    int field = schema_field_find(xod_obj_list(o), VIEW("context"));
    char scratch[32];

    return field >= 0 && access_names(config_get(e->f->cfg, "ctibus.federation.contexts"),
                                      value_text(xod_get(o, (unsigned)field), scratch), NULL);
}

/* A user with a phone in one of the contexts. */
static bool user_in_contexts(const struct export *e, const struct xod_obj *user)
{
    const struct value *lines = xod_get(user, XOD(users, linelist));

    for (uint32_t i = 0; lines->type == V_LIST && i < lines->len; i++) {
        const struct xod_obj *phone =
            xod_find(xod_obj_ipbx(user), LIST_phones, value_view(&lines->items[i]));
        if (phone && in_contexts(e, phone))
            return true;
    }
    return false;
}

static bool may_be_shown(const struct export *e, const struct xod_obj *o)
{
    if (!e->lists[xod_obj_list(o)] || !fed_is_ours(e->f, xod_ipbx_name(xod_obj_ipbx(o))))
        return false;
    if (e->all_contexts)
        return true;
    return xod_obj_list(o) == LIST_users ? user_in_contexts(e, o) : in_contexts(e, o);
}

/* Whether it has been told hangs on the object. */
bool export_shows(const struct xod_obj *o)
{
    return xod_extra(o) != NULL;
}

/* ---- telling ---- */

static void send_plane(struct export *e, enum xod_op op, const struct xod_obj *o, uint64_t fields,
                       enum xod_plane plane)
{
    static const struct wire_cause none = {0};

    fields &= schema_plane_mask(xod_obj_list(o), plane) & schema_peer_mask(xod_obj_list(o));
    if (!fields)
        return;
    buf_reset(&e->topic);
    buf_reset(&e->body);
    wire_topic(&e->topic, o, plane);
    wire_change(&e->body, op, o, fields, &none);
    if (!e->topic.failed && !e->body.failed)
        bus_pub_send(e->pub, buf_view(&e->topic), buf_view(&e->body));
}

static void tell(struct export *e, enum xod_op op, struct xod_obj *o, uint64_t fields)
{
    xod_set_extra(o, op == XOD_DEL ? NULL : (void *)e);
    send_plane(e, op, o, fields, PLANE_CONFIG);
    send_plane(e, op, o, fields, PLANE_STATUS);
}

static void look_at(struct export *e, struct xod_obj *o, bool gone, uint64_t fields)
{
    bool shown = export_shows(o);
    bool show = !gone && may_be_shown(e, o);

    if (shown && !show)
        tell(e, XOD_DEL, o, UINT64_MAX);
    else if (show && !shown)
        tell(e, XOD_ADD, o, UINT64_MAX);
    else if (show)
        tell(e, XOD_UPDATE, o, fields);
}

void export_change(struct export *e, const struct xod_change *c)
{
    struct xod_obj *user = NULL;
    char scratch[32];

    look_at(e, c->obj, c->op == XOD_DEL, c->fields);
    if (e->all_contexts || xod_obj_list(c->obj) != LIST_phones)
        return;
    user = xod_find(xod_obj_ipbx(c->obj), LIST_users,
                    value_text(xod_get(c->obj, XOD(phones, iduserfeatures)), scratch));
    if (user) /* its phone may be in another context now */
        look_at(e, user, false, 0);
}
