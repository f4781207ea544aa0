#include "schema/wire.h"

#include <string.h>

#include "base/array.h"

/* The tables below are made by inclusion. */
/* clang-format off */
#define BODY(kind, name, doc) {WIRE_##kind, name, NULL, doc},
#define NEED(name, type, doc) {WIRE_NEED, name, type, doc},
#define MAY(name, type, doc) {WIRE_MAY, name, type, doc},
static const struct wire_row rows[] = {
#include "schema/topics.def"
#include "schema/request_bodies.def"
#include "schema/lines.def"
#include "schema/parts.def"
};

#define LOGIN true, true
#define GATED false, true
#define FREE false, false
#define NEEDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MAYS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MESSAGE(class, handler, kind, field, value, needs, may, answer, doc)                       \
    {class, kind, field, value, needs, may, answer, doc},
#define CLIENT_FIELD(name, type, doc)
static const struct client_message messages[] = {
#include "schema/messages.def"
};

#undef MESSAGE
#undef CLIENT_FIELD
#define MESSAGE(class, handler, kind, field, value, needs, may, answer, doc)
#define CLIENT_FIELD(name, type, doc) {WIRE_MAY, name, type, doc},
static const struct wire_row fields[] = {
#include "schema/messages.def"
};
/* clang-format on */

const struct wire_row *wire_rows(size_t *n)
{
    *n = ARRAY_SIZE(rows);
    return rows;
}

size_t wire_fields(const struct wire_row *body)
{
    const struct wire_row *end = rows + ARRAY_SIZE(rows);
    size_t n = 0;

    while (body + 1 + n < end && body[1 + n].type)
        n++;
    return n;
}

const struct client_message *client_messages(size_t *n)
{
    *n = ARRAY_SIZE(messages);
    return messages;
}

const struct wire_row *client_field(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
            return &fields[i];
    return NULL;
}
