/*
 * What is in the bodies of messages, beside the fields of lists and of telephony events (schema.h):
 * of topics, of requests and their replies, of the lines of the CTI protocol. The rows are in the
 * .def files; the schemas that `ctibus schema` prints are made from them (apidoc).
 *
 * BODY(kind, name, sentence) begins a body, and the rows behind it are its fields:
 * NEED(name, type, sentence) is always there, MAY(name, type, sentence) may be missing. The name
 * "*" stands for all other names. What is not there is not in the body.
 *
 * A type is a text: str, int, num (a number), bool, map (any object), list (any array), any;
 * scalar (null, true, a number or a text), id (a number or a text, as clients write ids), text (the
 * same of what people write), texts (a text, or a list of them), pairs (an object, or an array of
 * arrays of a name and a value); [TYPE] is an array, {TYPE} an object with any names, #NAME a PART.
 * With ? behind it, it may be null.
 */
#ifndef CTIBUS_SCHEMA_WIRE_H
#define CTIBUS_SCHEMA_WIRE_H

#include <stdbool.h>
#include <stddef.h>

enum wire_kind {
    WIRE_PART,    /* an object within others */
    WIRE_TOPIC,   /* of a topic; the name is its pattern */
    WIRE_REQUEST, /* of a request; the name is the method */
    WIRE_REPLY,
    WIRE_LINE, /* that a CTI client gets; the name is its class */
    WIRE_NEED, /* fields of the body above */
    WIRE_MAY,
};

struct wire_row {
    enum wire_kind kind;
    const char *name;
    const char *type; /* of a field; NULL of a body */
    const char *doc;
};

/* All rows: each body is followed by its fields. */
const struct wire_row *wire_rows(size_t *n);
/* How many fields follow this body. */
size_t wire_fields(const struct wire_row *body);

/* A message that clients may send. The lists end with NULL, and are NULL where there are none. */
struct client_message {
    const char *class;
    bool login, permission;    /* a step of the login; the profile must permit it */
    const char *field, *value; /* what tells it from others of its class; NULL: nothing */
    const char *const *needs;
    const char *const *may; /* "name", or "name:type" where the type is not that of client_field */
    const char *answer;     /* the class of the answer; NULL: its own */
    const char *doc;
};
const struct client_message *client_messages(size_t *n);
/* The row (WIRE_MAY) of a field of them, or NULL. */
const struct wire_row *client_field(const char *name, size_t len);

#endif
