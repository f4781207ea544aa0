/*
 * The messages that clients may send: which rows of a table match one, and what it lacks. The rows
 * are those of common/schema/messages.def, with the handlers of messages/. Several may match one
 * message: each is called, in their order.
 */
#ifndef CTIBUS_CTI_GW_REGISTRY_H
#define CTIBUS_CTI_GW_REGISTRY_H

#include <json-c/json.h>

#include "base/view.h"

struct client;
struct cti_message;

/* A message of a client. Lives until the handler returns; what is answered later keeps reply_id. */
struct request {
    struct json_object *body;
    struct view class;
    struct view reply_id;              /* the commandid as JSON text, empty: none */
    const struct cti_message *message; /* the row whose handler is called */
};

/* field = value; one level down with a dot: "value.enablebusy". Booleans compare as true and false,
 * numbers by their text. */
struct condition {
    const char *path;
    const char *value;
};

struct cti_message {
    const char *class;
    const char *const *required;        /* NULL-ended, NULL: none */
    const struct condition *conditions; /* ended by a NULL path, NULL: none */
    bool login;      /* a step of the login: handled before it is complete, and only then */
    bool permission; /* must be among the profile's regcommands */
    const char
        *answer;     /* the class of what state answers, where it is another; errors keep `class` */
    const char *doc; /* a sentence without a point: what comes of it */
    void (*handle)(struct client *c, struct request *rq);
};

struct registry {
    const struct cti_message *rows;
    size_t n;
};

/* messages/table.c */
extern const struct registry cti_messages;

/* The table in Markdown, as it stands in docs/cti-protocol.md. 0 or -ENOMEM. */
struct buf;
int registry_markdown(const struct registry *r, struct buf *out);

/* The next row (*pos starts at 0) of this class whose conditions hold, or NULL. */
const struct cti_message *registry_match(const struct registry *r, const struct request *rq,
                                         size_t *pos);
/* The field that tells the rows of this class apart, when the message has it not; NULL: it has, or
 * there is none. *permission: do they need one? */
const char *registry_missing_condition(const struct registry *r, const struct request *rq,
                                       bool *permission);
/* Is there any row of this class? */
bool registry_knows(const struct registry *r, struct view class, bool *login);
/* Appends the required fields that the message lacks, joined by commas; false when there are any.
 */
bool registry_complete(const struct cti_message *m, struct json_object *body, struct buf *missing);

#endif
