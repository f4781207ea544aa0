/* The bodies of topics, beside those of xod, and of requests. */
#include <stdio.h>
#include <string.h>

#include "apidoc/internal.h"
#include "json/json.h"

void apidoc_topic_name(char out[128], const char *topic)
{
    struct view rest = view_cstr(topic);
    size_t n = (size_t)snprintf(out, 128, "topic");

    while (rest.len) {
        struct view part = view_cut(&rest, '/');
        if (part.len && part.ptr[0] != '<' && n < 128)
            n += (size_t)snprintf(out + n, 128 - n, ".%.*s", VIEW_ARG(part));
    }
}

void apidoc_each_topic(apidoc_topic_fn *fn, void *arg)
{
    static const char *const planes[] = {"config", "status"};
    size_t n;
    const struct wire_row *rows = wire_rows(&n);
    char topic[128];

    for (int e = 0; e < TEL_EVENT_COUNT; e++) {
        snprintf(topic, sizeof(topic), "tel/<ipbx>/%.*s",
                 VIEW_ARG(schema_tel_topic((enum tel_event)e)));
        fn(arg, topic, schema_tel_doc((enum tel_event)e));
    }
    for (int i = 0; i < LIST_COUNT; i++) {
        const struct schema_list *l = schema_list((enum xod_list)i);
        for (int plane = 0; plane < 2; plane++) {
            if (!schema_plane_mask((enum xod_list)i, (enum xod_plane)plane))
                continue;
            snprintf(topic, sizeof(topic), "xod/<ipbx>/%s/%s/<id>/", planes[plane], l->name);
            fn(arg, topic, l->doc);
        }
        if (schema_stats_mask((enum xod_list)i)) {
            snprintf(topic, sizeof(topic), "stats/<ipbx>/%s/<id>/", l->name);
            fn(arg, topic,
               "the statistics of one, when one of them changes, at most once a second");
        }
    }
    for (size_t i = 0; i < n; i++)
        if (rows[i].kind == WIRE_TOPIC)
            fn(arg, rows[i].name, rows[i].doc);
}

/* "*" stands for all other names. */
static void put_field(struct json_object *object, const struct wire_row *f)
{
    struct json_object *type = apidoc_wire_type(f->type);

    if (strcmp(f->name, "*") != 0)
        apidoc_property(object, view_cstr(f->name), type, f->kind == WIRE_NEED, f->doc);
    else
        apidoc_put_member(object, "additionalProperties", type);
}

void apidoc_fields(struct json_object *object, const struct wire_row *body)
{
    for (size_t n = wire_fields(body), i = 1; i <= n; i++)
        put_field(object, &body[i]);
}

struct json_object *apidoc_body(const struct wire_row *body)
{
    struct json_object *object = apidoc_object(body->doc);

    apidoc_fields(object, body);
    return object;
}

static void put_events(struct json_object *defs)
{
    for (int e = 0; e < TEL_EVENT_COUNT; e++) {
        struct view topic = schema_tel_topic((enum tel_event)e);
        struct json_object *object = apidoc_object(schema_tel_doc((enum tel_event)e));
        char pattern[128], name[128];
        for (int f = 0; f < TEL_FIELD_COUNT; f++)
            if (schema_tel_may_have((enum tel_event)e, (enum tel_field)f))
                apidoc_property(object, schema_tel_field_name((enum tel_field)f),
                                apidoc_types(schema_tel_field_type((enum tel_field)f)), false,
                                schema_tel_field_doc((enum tel_field)f));
        snprintf(pattern, sizeof(pattern), "tel/<ipbx>/%.*s", VIEW_ARG(topic));
        apidoc_topic_name(name, pattern);
        apidoc_put_member(defs, name, object);
    }
}

/* A line that state publishes for clients: what they get has timenow, too. */
static void put_pushed(struct json_object *defs)
{
    struct json_object *line = apidoc_type("object");
    struct json_object *properties = json_object_new_object();
    struct json_object *required = json_object_new_array();

    apidoc_put_text(line, "description",
                    "a line for clients without timenow; class says which: client.get.CLASS");
    apidoc_put_member(properties, "class", apidoc_type("string"));
    apidoc_put_member(line, "properties", properties);
    apidoc_add(required, json_object_new_string("class"));
    apidoc_put_member(line, "required", required);
    apidoc_put_member(defs, "part.line.pushed", line);
}

static const char *prefix(enum wire_kind kind)
{
    return kind == WIRE_REQUEST ? "request" : kind == WIRE_REPLY ? "reply" : "part";
}

void apidoc_bus(struct json_object *defs)
{
    size_t n;
    const struct wire_row *rows = wire_rows(&n);

    put_events(defs);
    put_pushed(defs);
    for (size_t i = 0; i < n; i++) {
        struct json_object *body;
        char name[128];
        if (rows[i].type || rows[i].kind == WIRE_LINE)
            continue;
        body = apidoc_body(&rows[i]);
        if (rows[i].kind == WIRE_REQUEST)
            apidoc_property(body, VIEW("deadline_ms"), apidoc_type("integer"), false,
                            "milliseconds after which nobody waits for the answer any more");
        if (rows[i].kind == WIRE_TOPIC)
            apidoc_topic_name(name, rows[i].name);
        else
            snprintf(name, sizeof(name), "%s.%s", prefix(rows[i].kind), rows[i].name);
        apidoc_put_member(defs, name, body);
    }
}
