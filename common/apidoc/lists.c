/* The lists of xod, and the bodies of the planes xod/ and stats/. */
#include <stdio.h>

#include "apidoc/internal.h"
#include "base/array.h"
#include "json/json.h"

/* What the members of a map are: {PART} of a field. */
static const char *members_of(enum xod_list list, unsigned field)
{
    if (list == LIST_meetmes && field == XOD(meetmes, channels))
        return "{#room.member}?";
    if (list == LIST_parkinglots && field == XOD(parkinglots, bays))
        return "{#bay}?";
    return NULL;
}

struct json_object *apidoc_list_field(enum xod_list list, unsigned field)
{
    const char *members = members_of(list, field);

    return members ? apidoc_wire_type(members)
                   : apidoc_types(schema_list(list)->fields[field].types);
}

struct json_object *apidoc_list_fields(enum xod_list list, uint64_t mask)
{
    const struct schema_list *l = schema_list(list);
    struct json_object *object = apidoc_object("");
    char path[128];

    for (unsigned i = 0; i < l->n_fields; i++) {
        if (!(mask >> i & 1))
            continue;
        snprintf(path, sizeof(path), "%s/properties/%s", l->name, l->fields[i].name);
        apidoc_property(object, l->fields[i].vname, apidoc_ref("list", view_cstr(path)), false, "");
    }
    return object;
}

/* The same, all of which must be there. */
static struct json_object *all_of(enum xod_list list, struct view ref, uint64_t mask)
{
    const struct schema_list *l = schema_list(list);
    struct json_object *schema = apidoc_ref("", ref);
    struct json_object *required = json_object_new_array();

    for (unsigned i = 0; i < l->n_fields; i++)
        if (mask >> i & 1)
            apidoc_add(required, json_object_new_string(l->fields[i].name));
    apidoc_put_member(schema, "required", required);
    return schema;
}

static struct json_object *object_of(enum xod_list list)
{
    const struct schema_list *l = schema_list(list);
    struct json_object *object = apidoc_object(l->doc);

    for (unsigned i = 0; i < l->n_fields; i++)
        apidoc_property(object, l->fields[i].vname, apidoc_list_field(list, i), false,
                        l->fields[i].doc);
    return object;
}

static struct json_object *change(const char *op, struct json_object *changed)
{
    struct json_object *object = apidoc_object("");

    apidoc_property(object, VIEW("op"), apidoc_const(view_cstr(op)), true, "");
    if (changed)
        apidoc_property(object, VIEW("fields"), changed, true, "");
    apidoc_property(object, VIEW("synthetic"), apidoc_type("boolean"), false,
                    "ctibus and not Asterisk caused the change");
    apidoc_property(object, VIEW("at"), apidoc_type("number"), false,
                    "when the gateway received the event that caused it, seconds since 1970");
    return object;
}

/* What is published of one plane of a list. */
static void put_plane(struct json_object *defs, enum xod_list list, enum xod_plane plane)
{
    uint64_t mask = schema_plane_mask(list, plane);
    struct json_object *body = json_object_new_object();
    struct json_object *ops = json_object_new_array();
    char topic[128], name[128], fields[128];

    if (!mask) {
        json_object_put(body);
        json_object_put(ops);
        return;
    }
    snprintf(topic, sizeof(topic), "xod/<ipbx>/%s/%s/<id>/",
             plane == PLANE_CONFIG ? "config" : "status", schema_list(list)->name);
    apidoc_topic_name(name, topic);
    snprintf(fields, sizeof(fields), "list.%s.%s", schema_list(list)->name,
             plane == PLANE_CONFIG ? "config" : "status");
    apidoc_put_member(defs, fields, apidoc_list_fields(list, mask));
    apidoc_add(ops, change("add", all_of(list, view_cstr(fields), mask)));
    apidoc_add(ops, change("update", apidoc_ref("", view_cstr(fields))));
    apidoc_add(ops, change("del", NULL));
    apidoc_put_text(body, "description", schema_list(list)->doc);
    apidoc_put_member(body, "oneOf", ops);
    apidoc_put_member(defs, name, body);
}

static void put_stats(struct json_object *defs, enum xod_list list)
{
    uint64_t mask = schema_stats_mask(list);
    char topic[128], name[128], fields[128];

    if (!mask)
        return;
    snprintf(topic, sizeof(topic), "stats/<ipbx>/%s/<id>/", schema_list(list)->name);
    apidoc_topic_name(name, topic);
    snprintf(fields, sizeof(fields), "list.%s.stats", schema_list(list)->name);
    apidoc_put_member(defs, fields, apidoc_list_fields(list, mask));
    apidoc_put_member(defs, name, all_of(list, view_cstr(fields), mask));
}

void apidoc_lists(struct json_object *defs)
{
    for (int i = 0; i < LIST_COUNT; i++) {
        enum xod_list list = (enum xod_list)i;
        char name[64];
        snprintf(name, sizeof(name), "list.%s", schema_list(list)->name);
        apidoc_put_member(defs, name, object_of(list));
        put_plane(defs, list, PLANE_CONFIG);
        put_plane(defs, list, PLANE_STATUS);
        put_stats(defs, list);
    }
}
