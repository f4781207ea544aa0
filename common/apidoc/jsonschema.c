/* JSON Schema, draft 2020-12: one document, whose $defs are all there is. */
#include <errno.h>

#include "apidoc/internal.h"
#include "base/array.h"
#include "config/config.h"

static const struct apidoc_format formats[] = {
    {"jsonschema", APIDOC_SCHEMA,
     "JSON Schema (2020-12) of the configuration, the lists, and all that is said on the bus and "
     "to "
     "clients.",
     apidoc_jsonschema},
    {"asyncapi", "asyncapi.json",
     "AsyncAPI (3.0) of the topics and requests of the bus, and of the protocol of clients.",
     apidoc_asyncapi},
    {"openapi", "openapi.json", "OpenAPI (3.1) of the HTTP API, with its events and webhooks.",
     apidoc_openapi},
};

const struct apidoc_format *apidoc_formats(size_t *n)
{
    *n = ARRAY_SIZE(formats);
    return formats;
}

const struct apidoc_format *apidoc_format(struct view name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (view_eq(view_cstr(formats[i].name), name))
            return &formats[i];
    return NULL;
}

/* json-c before 0.18 breaks the line in an empty array or object. No string has a line feed in it.
 */
static void put_layout(struct buf *out, struct view text)
{
    size_t begin = 0;

    for (size_t i = 0; i + 1 < text.len; i++) {
        size_t end = i + 1;
        if ((text.ptr[i] != '[' && text.ptr[i] != '{') || text.ptr[end] != '\n')
            continue;
        while (end < text.len && (text.ptr[end] == '\n' || text.ptr[end] == '\t'))
            end++;
        if (end < text.len && (text.ptr[end] == ']' || text.ptr[end] == '}')) {
            buf_append(out, text.ptr + begin, i + 1 - begin);
            begin = end;
        }
    }
    buf_append(out, text.ptr + begin, text.len - begin);
}

int apidoc_put(struct buf *out, const struct apidoc_format *format)
{
    struct json_object *document = format->make();
    const char *text =
        document ? json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
                                                                JSON_C_TO_STRING_PRETTY_TAB |
                                                                JSON_C_TO_STRING_NOSLASHESCAPE)
                 : NULL;

    if (text) {
        put_layout(out, view_cstr(text));
        buf_append_char(out, '\n');
    }
    json_object_put(document);
    return text && !out->failed ? 0 : -ENOMEM;
}

struct json_object *apidoc_jsonschema(void)
{
    struct json_object *document = json_object_new_object();
    struct json_object *defs = json_object_new_object();

    apidoc_put_text(document, "$schema", "https://json-schema.org/draft/2020-12/schema");
    apidoc_put_text(document, "$id", "urn:ctibus:schema:" APIDOC_VERSION);
    apidoc_put_text(document, "title", "ctibus");
    apidoc_put_text(document, "description",
                    "The configuration, the lists, and what is said on the bus and to clients: a "
                    "body is described by one of $defs, as docs/schemas/README.md says.");
    apidoc_put_member(defs, "configuration", config_schema());
    apidoc_lists(defs);
    apidoc_bus(defs);
    apidoc_clients(defs);
    apidoc_put_member(document, "$defs", defs);
    return document;
}
