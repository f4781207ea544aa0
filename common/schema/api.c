#include "schema/api.h"

#include <errno.h>

static const struct api_scope_row scopes[] = {
#define SCOPE(ident, name, doc) {name, doc},
#define ROUTE(ident, method, path, scope, doc)
#define QUERY(route, name, type, need, doc)
#define FIELD(route, name, type, need, doc)
#include "schema/api.def"
#undef SCOPE
#undef ROUTE
#undef QUERY
#undef FIELD
};

static const struct api_route_row routes[] = {
#define SCOPE(ident, name, doc)
#define ROUTE(ident, method, path, scope, doc) {#ident, method, path, doc, SCOPE_##scope},
#define QUERY(route, name, type, need, doc)
#define FIELD(route, name, type, need, doc)
#include "schema/api.def"
#undef SCOPE
#undef ROUTE
#undef QUERY
#undef FIELD
};

#define REQUIRED true
#define OPTIONAL false
static const struct api_param params[] = {
#define SCOPE(ident, name, doc)
#define ROUTE(ident, method, path, scope, doc)
#define QUERY(route, name, type, need, doc) {ROUTE_##route, false, need, API_##type, name, doc},
#define FIELD(route, name, type, need, doc) {ROUTE_##route, true, need, API_##type, name, doc},
#include "schema/api.def"
#undef SCOPE
#undef ROUTE
#undef QUERY
#undef FIELD
};

static const struct {
    const char *name, *word, *doc;
    enum xod_list list;
} events[] = {
#define EVENT(ident, name, list, word, doc) {name, word, doc, LIST_##list},
#include "schema/events.def"
#undef EVENT
};

const struct api_scope_row *api_scope(size_t n)
{
    return n < ARRAY_SIZE(scopes) ? &scopes[n] : NULL;
}

const struct api_route_row *api_route(size_t n)
{
    return n < ARRAY_SIZE(routes) ? &routes[n] : NULL;
}

const struct api_param *api_param(size_t n)
{
    return n < ARRAY_SIZE(params) ? &params[n] : NULL;
}

int api_scope_find(struct view name)
{
    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
        if (view_eq(view_cstr(scopes[i].name), name))
            return (int)i;
    return -1;
}

const char *event_name(enum event_kind kind)
{
    return events[kind].name;
}

const char *event_doc(enum event_kind kind)
{
    return events[kind].doc;
}

enum xod_list event_list(enum event_kind kind)
{
    return events[kind].list;
}

const char *event_word(enum event_kind kind)
{
    return events[kind].word;
}

/* "/v1/{list}" against "/v1/users": what the words match is noted. */
static bool fits(struct view pattern, struct view path, struct api_match *match)
{
    match->n = 0;
    while (pattern.len > 0 && path.len > 0) {
        struct view want = view_cut(&pattern, '/');
        struct view have = view_cut(&path, '/');
        bool word = want.len > 0 && want.ptr[0] == '{';
        if (word && have.len > 0 && match->n < API_MAX_SEGMENTS)
            match->segments[match->n++] = have;
        else if (word || !view_eq(want, have))
            return false;
    }
    return pattern.len == 0 && path.len == 0;
}

int api_match(struct view method, struct view path, struct api_match *match)
{
    struct api_match best = {.route = ROUTE_COUNT};
    struct api_match one;
    bool there = false;

    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (!fits(view_cstr(routes[i].path), path, &one))
            continue;
        one.route = (enum api_route)i;
        match->route = one.route;
        there = true;
        /* a path that is written out goes before one with words in its place */
        if (view_eq(view_cstr(routes[i].method), method) &&
            (best.route == ROUTE_COUNT || one.n < best.n))
            best = one;
    }
    if (best.route == ROUTE_COUNT)
        return there ? -EOPNOTSUPP : -ENOENT;
    *match = best;
    return 0;
}

static const char *type_name(enum api_type type)
{
    static const char *const names[] = {"string", "integer", "boolean", "array of strings"};

    return names[type];
}

static void put_params(struct buf *out, enum api_route route)
{
    for (size_t i = 0; i < ARRAY_SIZE(params); i++)
        if (params[i].route == route)
            buf_printf(out, "| | `%s` | %s%s%s | %s |\n", params[i].name, type_name(params[i].type),
                       !params[i].in_body ? ", query" : "", params[i].required ? ", required" : "",
                       params[i].doc);
}

void api_markdown(struct buf *out)
{
    buf_append_cstr(out, "| scope | what a token with it may do |\n|---|---|\n");
    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
        buf_printf(out, "| `%s` | %s |\n", scopes[i].name, scopes[i].doc);
    buf_append_cstr(out, "\n| request | parameter | scope or type | |\n|---|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        buf_printf(out, "| `%s %s` | | %s | %s |\n", routes[i].method, routes[i].path,
                   routes[i].scope == SCOPE_any    ? "any token"
                   : routes[i].scope == SCOPE_none ? "no token"
                                                   : scopes[routes[i].scope].name,
                   routes[i].doc);
        put_params(out, (enum api_route)i);
    }
}

void api_events_markdown(struct buf *out)
{
    buf_append_cstr(
        out, "| event | what happens | member with the object | list |\n|---|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        buf_printf(out, "| `%s` | %s | `%s` | %s |\n", events[i].name, events[i].doc,
                   events[i].word, schema_list(events[i].list)->name);
}
