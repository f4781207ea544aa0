/* The parts of the documents. What is made is the caller's. Without memory a document is NULL, or
 * lacks something. */
#ifndef CTIBUS_APIDOC_INTERNAL_H
#define CTIBUS_APIDOC_INTERNAL_H

#include "apidoc/apidoc.h"
#include "schema/api.h"
#include "schema/schema.h"
#include "schema/wire.h"

/* The version of the schemas. The first number changes when readers of before would err, the second
 * when something is added (docs/schemas/README.md). */
#define APIDOC_VERSION "1.0"
#define APIDOC_SCHEMA "ctibus.schema.json"

/* ---- tree.c: putting together ---- */

/* Puts `value` under that name, and takes it. */
void apidoc_put_member(struct json_object *obj, const char *name, struct json_object *value);
void apidoc_put_text(struct json_object *obj, const char *name, const char *text);
void apidoc_add(struct json_object *array, struct json_object *value);
/* {"type": TYPE}, for the type of a JSON value. */
struct json_object *apidoc_type(const char *type);
/* {"const": TEXT} */
struct json_object *apidoc_const(struct view text);
/* {"$ref": "#/$defs/KIND.NAME"}; an empty kind: "#/$defs/NAME" */
struct json_object *apidoc_ref(const char *kind, struct view name);
/* An object that has no members yet, and no others than those of apidoc_property. */
struct json_object *apidoc_object(const char *doc);
/* A member of it. Takes the schema. */
void apidoc_property(struct json_object *object, struct view name, struct json_object *schema,
                     bool needed, const char *doc);

/* ---- types.c ---- */

/* The schema of a type as wire.h writes it; NULL: it is none. */
struct json_object *apidoc_wire_type(const char *type);
/* Of the T_ bits of a field of a list, and of a telephony event. */
struct json_object *apidoc_types(unsigned types);

/* ---- what the documents consist of ---- */

/* jsonschema.c, asyncapi.c, openapi.c */
struct json_object *apidoc_jsonschema(void);
struct json_object *apidoc_asyncapi(void);
struct json_object *apidoc_openapi(void);
/* bus.c: puts the bodies of topics, and of requests and replies, into $defs. */
void apidoc_bus(struct json_object *defs);
/* lists.c: the lists of xod, their objects, and what is published of them. */
void apidoc_lists(struct json_object *defs);
/* What a field of a list holds; and an object of the fields of this mask, each as in list.NAME. */
struct json_object *apidoc_list_field(enum xod_list list, unsigned field);
struct json_object *apidoc_list_fields(enum xod_list list, uint64_t mask);
/* clients.c: messages of clients, and the lines that they get. */
void apidoc_clients(struct json_object *defs);
/* The name in $defs of what has this topic: "topic.xod.config.users" of
 * "xod/<ipbx>/config/users/<id>/". */
void apidoc_topic_name(char out[128], const char *topic);
/* Calls fn for each topic: its pattern, and a sentence. */
typedef void apidoc_topic_fn(void *arg, const char *topic, const char *doc);
void apidoc_each_topic(apidoc_topic_fn *fn, void *arg);
/* openapi_bodies.c: what the HTTP API answers, and what webhooks are sent. */
void apidoc_api_bodies(struct json_object *defs);
/* The answer of a command that brings something: the line that clients get for it, without what
 * belongs to their protocol. NULL: it brings nothing. */
const char *apidoc_line_of(enum api_route route);
/* A body of wire.h with its fields. */
struct json_object *apidoc_body(const struct wire_row *body);
/* Adds the fields of a body to an object. */
void apidoc_fields(struct json_object *object, const struct wire_row *body);

#endif
