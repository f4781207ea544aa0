/* The protocol of clients: what they may send (client.send.CLASS), and what they get
 * (client.get.CLASS). */
#include <stdio.h>
#include <string.h>

#include "apidoc/internal.h"
#include "json/json.h"

/* ---- what clients send: what a message has beside this is passed over ---- */

static struct json_object *client_type(const char *field, size_t *len)
{
    const char *colon = strchr(field, ':');
    const struct wire_row *f;

    *len = colon ? (size_t)(colon - field) : strlen(field);
    f = client_field(field, *len);
    return apidoc_wire_type(colon ? colon + 1 : f ? f->type : "any");
}

static void put_names(struct json_object *object, const struct client_message *m,
                      const char *const *names, bool needed)
{
    for (; names && *names; names++) {
        size_t len;
        struct json_object *type = client_type(*names, &len);
        const struct wire_row *f = client_field(*names, len);
        if (m->field && strlen(m->field) == len && strncmp(m->field, *names, len) == 0) {
            json_object_put(type);
            type = apidoc_const(view_cstr(m->value));
        }
        apidoc_property(object, view_of(*names, len), type, needed,
                        f && !strchr(*names, ':') ? f->doc : "");
    }
}

static struct json_object *client_schema(const struct client_message *m)
{
    struct json_object *object = apidoc_object(m->doc);

    json_object_object_del(object, "additionalProperties");
    apidoc_property(object, VIEW("class"), apidoc_const(view_cstr(m->class)), true, "");
    apidoc_property(object, VIEW("commandid"), json_object_new_object(), false,
                    "comes back as replyid");
    put_names(object, m, m->needs, true);
    put_names(object, m, m->may, false);
    if (m->field && !json_get(json_get(object, "properties"), m->field))
        apidoc_property(object, view_cstr(m->field), apidoc_const(view_cstr(m->value)), true, "");
    return object;
}

static void put_messages(struct json_object *defs)
{
    size_t n;
    const struct client_message *m = client_messages(&n);
    struct json_object *all = json_object_new_object();
    struct json_object *any = json_object_new_array();

    for (size_t i = 0; i < n; i++) {
        char name[128];
        snprintf(name, sizeof(name), "client.send.%s%s%s", m[i].class, m[i].value ? "." : "",
                 m[i].value ? m[i].value : "");
        apidoc_put_member(defs, name, client_schema(&m[i]));
        apidoc_add(any, apidoc_ref("", view_cstr(name)));
    }
    apidoc_put_text(all, "description", "a message of a client");
    apidoc_put_member(all, "anyOf", any);
    apidoc_put_member(defs, "client.send", all);
}

/* ---- what clients get ---- */

static struct json_object *line_schema(struct view class, const char *doc)
{
    struct json_object *object = apidoc_object(doc);

    apidoc_property(object, VIEW("class"), class.len ? apidoc_const(class) : apidoc_type("string"),
                    true, "");
    apidoc_property(object, VIEW("replyid"), json_object_new_object(), false,
                    "commandid of the message that it answers");
    apidoc_property(object, VIEW("timenow"), apidoc_type("number"), true, "seconds since 1970");
    return object;
}

/* Names of the table in their order, each with all forms of its lines. */
static void put_def(struct json_object *defs, const char *name, struct json_object *schema)
{
    struct json_object *before = json_get(defs, name);
    struct json_object *forms = before ? json_get(before, "oneOf") : NULL;

    if (!before) {
        apidoc_put_member(defs, name, schema);
        return;
    }
    if (!forms) {
        struct json_object *both = json_object_new_object();
        forms = json_object_new_array();
        apidoc_add(forms, json_object_get(before));
        apidoc_put_member(both, "oneOf", forms);
        apidoc_put_member(defs, name, both);
    }
    apidoc_add(forms, schema);
}

static struct json_object *getlist(const char *function)
{
    struct json_object *line = line_schema(VIEW("getlist"), "");

    apidoc_property(line, VIEW("function"), apidoc_const(view_cstr(function)), true, "");
    return line;
}

static void put_place(struct json_object *line, struct view list)
{
    apidoc_property(line, VIEW("listname"), list.len ? apidoc_const(list) : apidoc_type("string"),
                    true, "");
    apidoc_property(line, VIEW("tipbxid"), apidoc_type("string"), true, "the IPBX");
}

/* What clients see of one plane of a list. A free bay is {}, and a bay is a member of its own. */
static struct json_object *seen(enum xod_list list, uint64_t mask)
{
    uint64_t bays = list == LIST_parkinglots ? XOD_BIT(parkinglots, bays) : 0;
    struct json_object *object = apidoc_list_fields(list, mask & schema_client_mask(list) & ~bays);

    if (mask & bays) {
        struct json_object *bay = json_object_new_object();
        struct json_object *both = json_object_new_array();
        struct json_object *free_bay = apidoc_type("object");
        apidoc_put_member(free_bay, "maxProperties", json_object_new_int(0));
        apidoc_add(both, apidoc_ref("part", VIEW("bay")));
        apidoc_add(both, free_bay);
        apidoc_put_member(bay, "anyOf", both);
        apidoc_put_member(object, "additionalProperties", bay);
    }
    return object;
}

/* Of members of queues the status is the configuration. */
static uint64_t plane_of(enum xod_list list, enum xod_plane plane)
{
    uint64_t mask = schema_plane_mask(list, plane);

    return list == LIST_queuemembers ? mask | schema_plane_mask(list, PLANE_CONFIG) : mask;
}

/* One def for each plane: client.list.NAME.config. Of members the status has the configuration. */
static struct json_object *seen_ref(struct json_object *defs, enum xod_list list, const char *plane,
                                    uint64_t mask)
{
    char name[128];

    snprintf(name, sizeof(name), "client.list.%s.%s", schema_list(list)->name, plane);
    if (!json_get(defs, name))
        apidoc_put_member(defs, name, seen(list, mask));
    return apidoc_ref("", view_cstr(name));
}

static void put_updates(struct json_object *defs, struct json_object *parts, enum xod_list list)
{
    static const struct {
        const char *function, *key;
        enum xod_plane plane;
    } updates[] = {{"updateconfig", "config", PLANE_CONFIG},
                   {"updatestatus", "status", PLANE_STATUS}};
    const struct schema_list *l = schema_list(list);
    struct json_object *one = apidoc_object("");
    char name[128];

    apidoc_property(one, VIEW("tid"), apidoc_type("string"), true, "its id");
    for (size_t i = 0; i < 2; i++) {
        struct json_object *line = getlist(updates[i].function);
        put_place(line, l->vname);
        apidoc_property(line, VIEW("tid"), json_object_new_object(), true,
                        "id of the object, as it was asked for");
        apidoc_property(line, view_cstr(updates[i].key),
                        seen_ref(parts, list, updates[i].key, plane_of(list, updates[i].plane)),
                        true, "");
        snprintf(name, sizeof(name), "client.get.getlist.%s.%s", updates[i].function, l->name);
        apidoc_put_member(defs, name, line);
        apidoc_property(one, view_cstr(updates[i].key),
                        seen_ref(parts, list, updates[i].key, plane_of(list, updates[i].plane)),
                        true, "");
    }
    snprintf(name, sizeof(name), "client.get.getlist.snapshot.%s", l->name);
    {
        struct json_object *line = getlist("snapshot");
        struct json_object *objects = apidoc_type("array");
        put_place(line, l->vname);
        apidoc_put_member(objects, "items", one);
        apidoc_property(line, VIEW("objects"), objects, true, "");
        apidoc_property(line, VIEW("last"), apidoc_type("boolean"), true, "no line follows");
        apidoc_put_member(defs, name, line);
    }
}

/* Of a list that is none the answer is empty: clients wait for it. */
static void put_no_list(struct json_object *defs)
{
    static const char *const keys[][2] = {{"updateconfig", "config"}, {"updatestatus", "status"}};

    for (size_t i = 0; i < 2; i++) {
        struct json_object *line = getlist(keys[i][0]);
        struct json_object *name = apidoc_type("string");
        struct json_object *names = json_object_new_array();
        struct json_object *one_of = json_object_new_object();
        char def[128];
        for (int l = 0; l < LIST_COUNT; l++)
            apidoc_add(names, json_object_new_string(schema_list((enum xod_list)l)->name));
        apidoc_put_member(one_of, "enum", names);
        apidoc_put_member(name, "not", one_of);
        apidoc_property(line, VIEW("listname"), name, true, "");
        apidoc_property(line, VIEW("tipbxid"), apidoc_type("string"), true, "the IPBX");
        apidoc_property(line, VIEW("tid"), json_object_new_object(), true, "");
        apidoc_property(line, view_cstr(keys[i][1]), apidoc_object(""), true, "nothing");
        snprintf(def, sizeof(def), "client.get.getlist.%s.other", keys[i][0]);
        apidoc_put_member(defs, def, line);
    }
}

static void put_getlist(struct json_object *defs, struct json_object *parts)
{
    static const char *const of_ids[] = {"listid", "addconfig", "delconfig"};

    for (size_t i = 0; i < 3; i++) {
        struct json_object *line = getlist(of_ids[i]);
        char name[64];
        put_place(line, view_of(NULL, 0));
        apidoc_property(line, VIEW("list"), apidoc_wire_type("[str]"), true, "ids");
        snprintf(name, sizeof(name), "client.get.getlist.%s", of_ids[i]);
        apidoc_put_member(defs, name, line);
    }
    for (int list = 0; list < LIST_COUNT; list++)
        put_updates(defs, parts, (enum xod_list)list);
    put_no_list(defs);
}

/* Any class: what went wrong stands in error_string or warning_string. */
static void put_error(struct json_object *defs)
{
    static const struct wire_row fields[] = {
        {WIRE_MAY, "error_string", "str", "what is wrong"},
        {WIRE_MAY, "warning_string", "str", "why it is not done"},
        {WIRE_MAY, "command", "str", "of ipbxcommand and calls: what was to be done"},
        {WIRE_MAY, "ipbxreply", "str", "of them: the field that is wrong, noaction, busy, noconn"},
        {WIRE_MAY, "response", "str", "of them: ko"},
        {WIRE_MAY, "status", "str", "of featuresput: KO"},
        {WIRE_MAY, "warning", "#message", "of invite_confroom: a text for people"},
    };
    struct json_object *line = line_schema(view_of(NULL, 0), "a message was not carried out");
    struct json_object *either = json_object_new_array();

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        apidoc_property(line, view_cstr(fields[i].name), apidoc_wire_type(fields[i].type), false,
                        fields[i].doc);
    for (size_t i = 0; i < 2; i++) {
        struct json_object *one = json_object_new_object();
        struct json_object *required = json_object_new_array();
        apidoc_add(required, json_object_new_string(fields[i].name));
        apidoc_put_member(one, "required", required);
        apidoc_add(either, one);
    }
    apidoc_put_member(line, "anyOf", either);
    apidoc_put_member(defs, "client.error", line);
}

/* A class of a program on the bus: what is in its lines is the program's. */
static void put_other(struct json_object *defs)
{
    struct json_object *line =
        line_schema(view_of(NULL, 0), "a line of a class of a program on the bus (docs/bus.md)");
    struct json_object *names = json_object_new_array();
    struct json_object *known = json_object_new_object();
    const char *last = "";
    size_t n;
    const struct wire_row *rows = wire_rows(&n);

    apidoc_add(names, json_object_new_string("getlist"));
    for (size_t i = 0; i < n; i++) {
        if (rows[i].kind != WIRE_LINE || strcmp(rows[i].name, last) == 0)
            continue;
        apidoc_add(names, json_object_new_string(rows[i].name));
        last = rows[i].name;
    }
    apidoc_put_member(known, "enum", names);
    apidoc_put_member(json_get(json_get(line, "properties"), "class"), "not", known);
    json_object_object_del(line, "additionalProperties");
    apidoc_put_member(defs, "client.other", line);
}

static void put_lines(struct json_object *defs)
{
    struct json_object *own = json_object_new_object();
    struct json_object *all = json_object_new_object();
    struct json_object *any = json_object_new_array();
    size_t n;
    const struct wire_row *rows = wire_rows(&n);

    put_getlist(own, defs);
    for (size_t i = 0; i < n; i++) {
        struct json_object *line;
        char name[128];
        if (rows[i].kind != WIRE_LINE)
            continue;
        line = line_schema(view_cstr(rows[i].name), rows[i].doc);
        apidoc_fields(line, &rows[i]);
        snprintf(name, sizeof(name), "client.get.%s", rows[i].name);
        put_def(own, name, line);
    }
    apidoc_add(any, apidoc_ref("", VIEW("client.error")));
    apidoc_add(any, apidoc_ref("", VIEW("client.other")));
    json_object_object_foreach(own, name, schema)
    {
        apidoc_put_member(defs, name, json_object_get(schema));
        apidoc_add(any, apidoc_ref("", view_cstr(name)));
    }
    json_object_put(own);
    apidoc_put_text(all, "description", "a line that a client gets");
    apidoc_put_member(all, "anyOf", any);
    apidoc_put_member(defs, "client.get", all);
}

void apidoc_clients(struct json_object *defs)
{
    put_messages(defs);
    put_error(defs);
    put_other(defs);
    put_lines(defs);
}
