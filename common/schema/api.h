/*
 * The HTTP API as tables (api.def): what http-gw answers, what tokens may have as scopes, and what
 * the reference of the API and its OpenAPI document are made from.
 */
#ifndef CTIBUS_SCHEMA_API_H
#define CTIBUS_SCHEMA_API_H

#include "schema/schema.h"

enum api_scope {
#define SCOPE(ident, name, doc) SCOPE_##ident,
#define ROUTE(ident, method, path, scope, doc)
#define QUERY(route, name, type, need, doc)
#define FIELD(route, name, type, need, doc)
#include "schema/api.def"
#undef SCOPE
#undef ROUTE
#undef QUERY
#undef FIELD
    SCOPE_COUNT,
    SCOPE_any, /* any token */
    SCOPE_none /* no token */
};

enum api_route {
#define SCOPE(ident, name, doc)
#define ROUTE(ident, method, path, scope, doc) ROUTE_##ident,
#define QUERY(route, name, type, need, doc)
#define FIELD(route, name, type, need, doc)
#include "schema/api.def"
#undef SCOPE
#undef ROUTE
#undef QUERY
#undef FIELD
    ROUTE_COUNT
};

enum api_type { API_STR, API_INT, API_BOOL, API_LIST };

struct api_scope_row {
    const char *name, *doc;
};
struct api_route_row {
    const char *ident, *method, *path, *doc;
    enum api_scope scope;
};
/* A parameter behind ? or a member of the body. */
struct api_param {
    enum api_route route;
    bool in_body, required;
    enum api_type type;
    const char *name, *doc;
};

/* Number n of each, or NULL. */
const struct api_scope_row *api_scope(size_t n);
const struct api_route_row *api_route(size_t n);
const struct api_param *api_param(size_t n);
/* The number of a scope, or -1. */
int api_scope_find(struct view name);

enum event_kind {
#define EVENT(ident, name, list, word, doc) EVENT_##ident,
#include "schema/events.def"
#undef EVENT
    EVENT_KINDS
};
const char *event_name(enum event_kind kind);
const char *event_doc(enum event_kind kind);
/* What it happens to, and the word under which it has that object. */
enum xod_list event_list(enum event_kind kind);
const char *event_word(enum event_kind kind);

/* Bytes of an Idempotency-Key; state takes a few more, for the steps of one request. */
#define API_KEY_MAX 190

/* A segment of a path that stands for {word}, still percent-encoded. */
#define API_MAX_SEGMENTS 4
struct api_match {
    enum api_route route;
    size_t n;
    struct view segments[API_MAX_SEGMENTS];
};
/* Which route a request is for; path: without the query. 0; -ENOENT: there is nothing at this path;
 * -EOPNOTSUPP: there is, but not for this method (match->route is one of those that are there). */
int api_match(struct view method, struct view path, struct api_match *match);

/* Appends the tables as Markdown, for docs/http-api.md. */
void api_markdown(struct buf *out);
void api_events_markdown(struct buf *out);

#endif
