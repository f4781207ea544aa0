/*
 * The messages that clients may send, each with its handler. What they are, and what they need,
 * stands in common/schema/messages.def.
 *
 * A message that state carries out has the handler `relay` or `relay_read`; any other is a file of
 * this folder with its handler, which is declared in messages.h.
 */
#include "base/array.h"
#include "messages/messages.h"

#define NEEDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define WHEN(field, value) ((const struct condition[]){{field, value}, {NULL, NULL}})
#define LOGIN .login = true
#define GATED .permission = true
#define FREE .permission = false
/* clang-format off */
#define MESSAGE(class_, handler, kind, field, value, needs, may, answer_, doc_)                    \
    {.class = (class_), .required = (needs), .conditions = WHEN(field, value), kind,               \
     .answer = (answer_), .doc = (doc_), .handle = handler},
#define CLIENT_FIELD(name, type, doc)

static const struct cti_message rows[] = {
#include "schema/messages.def"
};
/* clang-format on */

const struct registry cti_messages = {rows, ARRAY_SIZE(rows)};
