/* What the HTTP API answers, and what webhooks are sent: bodies that the document refers to. */
#include <stdio.h>
#include <string.h>

#include "apidoc/internal.h"
#include "base/array.h"
#include "json/json.h"

static struct json_object *ref(const char *name)
{
    return apidoc_ref("", view_cstr(name));
}

/* ---- lists ---- */

static void put_object(struct json_object *defs, enum xod_list list)
{
    const struct schema_list *l = schema_list(list);
    struct json_object *object = apidoc_object(l->doc), *page = apidoc_object("");
    struct json_object *items = apidoc_type("array"), *next = json_object_new_object();
    struct json_object *types = json_object_new_array();
    uint64_t mask = schema_client_mask(list);
    char name[64];

    apidoc_property(object, VIEW("ipbx"), apidoc_type("string"), true, "the name of its IPBX");
    apidoc_property(object, VIEW("id"), apidoc_type("string"), true, "its id in the list");
    for (unsigned f = 0; f < l->n_fields; f++)
        if (mask >> f & 1)
            apidoc_property(object, l->fields[f].vname, apidoc_list_field(list, f), false,
                            l->fields[f].doc);
    snprintf(name, sizeof(name), "object.%s", l->name);
    apidoc_put_member(defs, name, object);
    apidoc_put_member(items, "items", ref(name));
    apidoc_add(types, json_object_new_string("string"));
    apidoc_add(types, json_object_new_string("null"));
    apidoc_put_member(next, "type", types);
    apidoc_property(page, VIEW("items"), items, true, "the objects");
    apidoc_property(page, VIEW("next"), next, true,
                    "`cursor` of the next page; null: there is none");
    snprintf(name, sizeof(name), "page.%s", l->name);
    apidoc_put_member(defs, name, page);
}

static struct json_object *wire(const char *const (*rows)[4], size_t n, const char *doc)
{
    struct json_object *object = apidoc_object(doc);

    for (size_t i = 0; i < n; i++)
        apidoc_property(object, view_cstr(rows[i][0]), apidoc_wire_type(rows[i][1]),
                        rows[i][3] == NULL, rows[i][2]);
    return object;
}

/* ---- answers of commands ---- */

const char *apidoc_line_of(enum api_route route)
{
    switch (route) {
    case ROUTE_features_get:
        return "featuresget";
    case ROUTE_history:
        return "history";
    case ROUTE_directory:
        return "directory";
    case ROUTE_chat_history:
        return "chat_history";
    default:
        return NULL;
    }
}

/* Of several forms of a line the last is the one of today. */
static struct json_object *line_schema(const char *line)
{
    struct json_object *schema = NULL;
    size_t n;
    const struct wire_row *rows = wire_rows(&n);

    for (size_t i = 0; i < n; i++)
        if (rows[i].kind == WIRE_LINE && strcmp(rows[i].name, line) == 0) {
            json_object_put(schema);
            schema = apidoc_object(rows[i].doc);
            apidoc_fields(schema, &rows[i]);
        }
    return schema;
}

/* ---- others ---- */

/* Bodies that are in no other table: name, type (wire.h), sentence. */
static void put_bodies(struct json_object *defs)
{
    static const char *const problem[][4] = {
        {"type", "str", "about:blank"},
        {"title", "str", "the status in words"},
        {"status", "int", "the status"},
        {"code", "str", "what is wrong, for programs"},
        {"detail", "str", "what is wrong, for people"},
    };
    static const char *const index[][4] = {
        {"product", "str", "ctibus"}, {"version", "str", "of the program"},
        {"lists", "[str]", "names"},  {"scopes", "[str]", "names"},
        {"events", "[str]", "names"},
    };
    static const char *const me[][4] = {
        {"ipbx", "str", "of the user"},      {"user", "str", "id of the user"},
        {"login", "str", "of the user"},     {"profile", "str", "that says what the token may do"},
        {"token", "str", "id of the token"}, {"scopes", "[str]", "of the token"},
    };
    static const char *const dialled[][4] = {
        {"autocall", "str", "the channels of the call have it, too"}};
    static const char *const party[][4] = {
        {"channel", "str", "id of the channel"},
        {"user", "str?", "id of the user at whose phone it is"},
        {"name", "str?", "caller id name"},
        {"number", "str?", "caller id number"},
        {"autocall", "str?", "of a call that a program or a client has made"},
    };

    apidoc_put_member(defs, "problem",
                      wire(problem, ARRAY_SIZE(problem), "what is wrong (RFC 9457)"));
    apidoc_put_member(defs, "index", wire(index, ARRAY_SIZE(index), "what there is"));
    apidoc_put_member(defs, "me", wire(me, ARRAY_SIZE(me), "whose token it is"));
    apidoc_put_member(defs, "dialled", wire(dialled, ARRAY_SIZE(dialled), "a call begins"));
    apidoc_put_member(defs, "party", wire(party, ARRAY_SIZE(party), "a participant of a call"));
    for (int r = 0; r < ROUTE_COUNT; r++)
        if (apidoc_line_of((enum api_route)r))
            apidoc_put_member(defs, apidoc_line_of((enum api_route)r),
                              line_schema(apidoc_line_of((enum api_route)r)));
}

/* ---- events ---- */

static struct json_object *event_schema(enum event_kind kind)
{
    struct json_object *event = apidoc_object(event_doc(kind));
    struct json_object *parties = apidoc_type("array");
    char name[64];

    apidoc_property(event, VIEW("id"), apidoc_type("string"), true,
                    "epoch.seq.n: the same wherever and however often it is told");
    apidoc_property(event, VIEW("event"), apidoc_const(view_cstr(event_name(kind))), true, "");
    apidoc_property(event, VIEW("time"), apidoc_type("number"), true, "seconds since 1970");
    apidoc_property(event, VIEW("ipbx"), apidoc_type("string"), true, "the name of its IPBX");
    snprintf(name, sizeof(name), "object.%s", schema_list(event_list(kind))->name);
    apidoc_property(event, view_cstr(event_word(kind)), ref(name), true, "");
    apidoc_put_member(parties, "items", ref("party"));
    if (event_list(kind) == LIST_calls) {
        apidoc_property(event, VIEW("answered"), apidoc_type("boolean"), true,
                        "somebody has answered it so far");
        apidoc_property(event, VIEW("parties"), parties, true, "who is in it");
    } else {
        json_object_put(parties);
    }
    return event;
}

/* An object of any list, with its name: of a snapshot, or of a change (op). */
static struct json_object *any_object(bool change)
{
    struct json_object *made = json_object_new_object(), *forms = json_object_new_array();
    char name[64];

    for (int l = 0; l < LIST_COUNT; l++) {
        const struct schema_list *list = schema_list((enum xod_list)l);
        struct json_object *one = apidoc_object(""), *op = json_object_new_object();
        struct json_object *ops = json_object_new_array();
        apidoc_add(ops, json_object_new_string("add"));
        apidoc_add(ops, json_object_new_string("update"));
        apidoc_add(ops, json_object_new_string("del"));
        apidoc_put_member(op, "enum", ops);
        if (change)
            apidoc_property(one, VIEW("op"), op, true, "");
        else
            json_object_put(op);
        apidoc_property(one, VIEW("list"), apidoc_const(list->vname), true, "");
        snprintf(name, sizeof(name), "object.%s", list->name);
        apidoc_property(one, VIEW("object"), ref(name), true,
                        change ? "the fields that have changed; of `del` none" : "");
        apidoc_add(forms, one);
    }
    apidoc_put_member(made, "oneOf", forms);
    return made;
}

static void add_to_stream(struct json_object *forms, const char *event)
{
    struct json_object *one = apidoc_object("");
    char name[64];

    snprintf(name, sizeof(name), "event.%s", event);
    apidoc_property(one, VIEW("id"), apidoc_type("string"), false,
                    "for Last-Event-ID; what a snapshot consists of has none");
    apidoc_property(one, VIEW("event"), apidoc_const(view_cstr(event)), true, "");
    apidoc_property(one, VIEW("data"), ref(name), true, "");
    apidoc_add(forms, one);
}

static void put_events(struct json_object *defs)
{
    static const char *const snapshot[][4] = {
        {"reason", "str", "as asked for, or why it cannot go on where it was"}};
    static const char *const others[] = {"snapshot", "object", "live", "change"};
    struct json_object *stream = apidoc_type("array"), *item = json_object_new_object();
    struct json_object *forms = json_object_new_array();
    char name[64];

    for (int e = 0; e < EVENT_KINDS; e++) {
        snprintf(name, sizeof(name), "event.%s", event_name((enum event_kind)e));
        apidoc_put_member(defs, name, event_schema((enum event_kind)e));
        add_to_stream(forms, event_name((enum event_kind)e));
    }
    apidoc_put_member(defs, "event.snapshot",
                      wire(snapshot, ARRAY_SIZE(snapshot),
                           "all objects follow, and what was known of others is to be forgotten"));
    apidoc_put_member(defs, "event.object", any_object(false));
    apidoc_put_member(defs, "event.live",
                      apidoc_object("all was told that was to be told first: from here on what "
                                    "happens"));
    apidoc_put_member(defs, "event.change", any_object(true));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        add_to_stream(forms, others[i]);
    apidoc_put_member(item, "oneOf", forms);
    apidoc_put_text(stream, "description",
                    "Lines of text (server-sent events); an event each, its data as JSON.");
    apidoc_put_member(stream, "items", item);
    apidoc_put_member(defs, "stream", stream);
}

void apidoc_api_bodies(struct json_object *defs)
{
    put_bodies(defs);
    put_events(defs);
    for (int l = 0; l < LIST_COUNT; l++)
        put_object(defs, (enum xod_list)l);
}
