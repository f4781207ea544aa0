/*
 * Documents for programs about what ctibus says and takes, made from the tables of schema/ and
 * config/: a JSON Schema of every body, an AsyncAPI document of the bus and of the protocol of
 * clients, and an OpenAPI document of the HTTP API. docs/schemas/ has them; a test compares.
 */
#ifndef CTIBUS_APIDOC_APIDOC_H
#define CTIBUS_APIDOC_APIDOC_H

#include <json-c/json.h>

#include "base/buf.h"

struct apidoc_format {
    const char *name; /* of --format */
    const char *file; /* in docs/schemas/ */
    const char *doc;  /* a sentence */
    /* The document; the caller releases it. NULL without memory. */
    struct json_object *(*make)(void);
};

/* The formats that there are; *n becomes how many. */
const struct apidoc_format *apidoc_formats(size_t *n);
/* The one of that name, or NULL. */
const struct apidoc_format *apidoc_format(struct view name);
/* Appends the document as text, with a line's end behind it. 0 or -ENOMEM. */
int apidoc_put(struct buf *out, const struct apidoc_format *format);

#endif
