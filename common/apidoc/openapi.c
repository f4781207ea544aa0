/*
 * OpenAPI 3.1: the HTTP API of http-gw. It stands alone: what it refers to of the schemas is in its
 * components. The paths of lists are written out, one for each list, so that a client that is made
 * from it knows what comes.
 */
#include <stdio.h>
#include <string.h>

#include "apidoc/internal.h"
#include "base/array.h"
#include "json/json.h"

#define DEFS "#/$defs/"
#define SCHEMAS "#/components/schemas/"
#define PROBLEMS "#/components/responses/"

static struct json_object *ref(const char *name)
{
    return apidoc_ref("", view_cstr(name));
}

static struct json_object *ref_to(const char *where, const char *name)
{
    struct json_object *made = json_object_new_object();
    char path[256];

    snprintf(path, sizeof(path), "%s%s", where, name);
    apidoc_put_text(made, "$ref", path);
    return made;
}

/* {TYPE: {"schema": SCHEMA}} */
static struct json_object *content(const char *type, struct json_object *schema)
{
    struct json_object *made = json_object_new_object();
    struct json_object *one = json_object_new_object();

    apidoc_put_member(one, "schema", schema);
    apidoc_put_member(made, type, one);
    return made;
}

/* ---- parameters and bodies ---- */

static struct json_object *parameter(const char *where, const char *name, bool required,
                                     struct json_object *schema, const char *doc)
{
    struct json_object *made = json_object_new_object();

    apidoc_put_text(made, "name", name);
    apidoc_put_text(made, "in", where);
    apidoc_put_member(made, "required", json_object_new_boolean(required));
    apidoc_put_text(made, "description", doc);
    apidoc_put_member(made, "schema", schema);
    return made;
}

/* Behind ? all is text: true and 1 are the same there. */
static struct json_object *truth(void)
{
    static const char *const words[] = {"1", "true", "0", "false"};
    struct json_object *schema = apidoc_type("string");
    struct json_object *values = json_object_new_array();

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        apidoc_add(values, json_object_new_string(words[i]));
    apidoc_put_member(schema, "enum", values);
    return schema;
}

static struct json_object *type_of(const struct api_param *p)
{
    static const char *const names[] = {
        [API_STR] = "string", [API_INT] = "integer", [API_BOOL] = "boolean", [API_LIST] = "array"};
    struct json_object *schema;

    if (p->type == API_BOOL && !p->in_body)
        return truth();
    schema = apidoc_type(names[p->type]);
    if (p->type == API_LIST)
        apidoc_put_member(schema, "items", apidoc_type("string"));
    return schema;
}

/* The {words} of a path. */
static void put_words(struct json_object *list, const char *path)
{
    static const struct {
        const char *name, *doc;
    } words[] = {{"ipbx", "The name of the IPBX in the configuration."},
                 {"id", "The id of the object, percent-encoded."},
                 {"member", "agent:IPBX/ID or phone:IPBX/ID, percent-encoded."}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        char word[32];
        snprintf(word, sizeof(word), "{%s}", words[i].name);
        if (strstr(path, word))
            apidoc_add(list,
                       parameter("path", words[i].name, true, apidoc_type("string"), words[i].doc));
    }
}

static bool is_command(enum api_route route)
{
    return route != ROUTE_index && route != ROUTE_me && route != ROUTE_list &&
           route != ROUTE_object && route != ROUTE_events;
}

static bool changes(enum api_route route)
{
    return strcmp(api_route(route)->method, "GET") != 0;
}

static struct json_object *parameters(enum api_route route, const char *path)
{
    struct json_object *list = json_object_new_array();
    const struct api_param *p;

    put_words(list, path);
    for (size_t i = 0; (p = api_param(i)); i++)
        if (p->route == route && !p->in_body)
            apidoc_add(list, parameter("query", p->name, p->required, type_of(p), p->doc));
    if (route == ROUTE_events)
        apidoc_add(list,
                   parameter("header", "Last-Event-ID", false, apidoc_type("string"),
                             "The id of the last event that has come: it goes on behind it."));
    if (changes(route))
        apidoc_add(list, ref_to("#/components/parameters/", "Idempotency-Key"));
    return list;
}

static struct json_object *key_parameter(void)
{
    struct json_object *text = apidoc_type("string");

    apidoc_put_member(text, "minLength", json_object_new_int(1));
    apidoc_put_member(text, "maxLength", json_object_new_int(API_KEY_MAX));
    return parameter("header", "Idempotency-Key", false, text,
                     "A text of the program's own. Who sends the same request again with it gets "
                     "the first answer, and nothing is done twice.");
}

/* NULL: it takes none. */
static struct json_object *request_body(enum api_route route)
{
    struct json_object *body = apidoc_object(""), *made = json_object_new_object();
    const struct api_param *p;
    bool any = false, needed = false;

    for (size_t i = 0; (p = api_param(i)); i++) {
        if (p->route != route || !p->in_body)
            continue;
        apidoc_property(body, view_cstr(p->name), type_of(p), p->required, p->doc);
        any = true;
        needed = needed || p->required;
    }
    if (route == ROUTE_features)
        apidoc_put_member(body, "minProperties", json_object_new_int(1));
    apidoc_put_member(made, "required", json_object_new_boolean(needed || route == ROUTE_features));
    apidoc_put_member(made, "content", content("application/json", body));
    if (any)
        return made;
    json_object_put(made);
    return NULL;
}

/* ---- answers ---- */

static struct json_object *answer(const char *doc, struct json_object *body)
{
    struct json_object *made = json_object_new_object();

    apidoc_put_text(made, "description", doc);
    if (body)
        apidoc_put_member(made, "content", body);
    return made;
}

/* What may come instead of what was asked for. */
static const struct problem {
    const char *status, *doc, *header, *header_doc;
} problems[] = {
    {"400", "The path, a parameter or the body is malformed, or there is no such parameter.", NULL,
     NULL},
    {"401", "There is no token, or it is unknown, revoked or expired.", "WWW-Authenticate",
     "Bearer"},
    {"403", "The token lacks the scope, or the profile of its user does not permit it.", NULL,
     NULL},
    {"404", "There is no such object, or the user may not see it.", NULL, NULL},
    {"409", "It cannot be done as things are; `code` and `detail` say why.", NULL, NULL},
    {"422", "A field of the body is missing, unknown or wrong.", NULL, NULL},
    {"429", "The token has had more requests than it may have.", "Retry-After", "seconds"},
    {"501", "This installation cannot do that.", NULL, NULL},
    {"503", "state or the Asterisk cannot be reached now: try again.", "Retry-After", "seconds"},
    {"504", "There was no answer in time; whether it was done is not known.", NULL, NULL},
};

static bool may_be(enum api_route route, const char *path, const char *status)
{
    enum api_scope scope = api_route(route)->scope;

    if (strcmp(status, "400") == 0)
        return true;
    if (strcmp(status, "401") == 0 || strcmp(status, "429") == 0 || strcmp(status, "503") == 0)
        return scope != SCOPE_none;
    if (strcmp(status, "403") == 0)
        return scope < SCOPE_COUNT;
    if (strcmp(status, "404") == 0)
        return strchr(path, '{') || is_command(route);
    return is_command(route);
}

static struct json_object *problem_answers(void)
{
    struct json_object *made = json_object_new_object();

    for (size_t i = 0; i < ARRAY_SIZE(problems); i++) {
        const struct problem *p = &problems[i];
        struct json_object *one =
            answer(p->doc, content("application/problem+json", ref("problem")));
        if (p->header) {
            struct json_object *headers = json_object_new_object();
            struct json_object *header = json_object_new_object();
            apidoc_put_text(header, "description", p->header_doc);
            apidoc_put_member(header, "schema", apidoc_type("string"));
            apidoc_put_member(headers, p->header, header);
            apidoc_put_member(one, "headers", headers);
        }
        apidoc_put_member(made, p->status, one);
    }
    return made;
}

static void put_answer(struct json_object *made, enum api_route route, enum xod_list list)
{
    char name[64];

    if (route == ROUTE_events) {
        apidoc_put_member(made, "200",
                          answer("Server-sent events, until one side ends it: `event` and the JSON "
                                 "in `data` of each.",
                                 content("text/event-stream", ref("stream"))));
        return;
    }
    if (route == ROUTE_dial) {
        apidoc_put_member(made, "202",
                          answer("It is dialled: the channels of the call have this `autocall`.",
                                 content("application/json", ref("dialled"))));
        return;
    }
    if (is_command(route) && !apidoc_line_of(route)) {
        apidoc_put_member(made, "204", answer("It is done.", NULL));
        return;
    }
    if (list != LIST_COUNT)
        snprintf(name, sizeof(name), "%s.%s", route == ROUTE_list ? "page" : "object",
                 schema_list(list)->name);
    else
        snprintf(name, sizeof(name), "%s",
                 apidoc_line_of(route) ? apidoc_line_of(route) : api_route(route)->ident);
    apidoc_put_member(made, "200", answer("It is there.", content("application/json", ref(name))));
}

/* ---- operations ---- */

static struct json_object *security(enum api_scope scope)
{
    struct json_object *list = json_object_new_array();
    struct json_object *need = json_object_new_object();
    struct json_object *scopes = json_object_new_array();

    if (scope == SCOPE_none) {
        json_object_put(need);
        json_object_put(scopes);
        return list;
    }
    if (scope < SCOPE_COUNT)
        apidoc_add(scopes, json_object_new_string(api_scope(scope)->name));
    apidoc_put_member(need, "token", scopes);
    apidoc_add(list, need);
    return list;
}

/* list: of ROUTE_list and ROUTE_object, else LIST_COUNT. */
static struct json_object *operation(enum api_route route, const char *path, enum xod_list list)
{
    const struct api_route_row *r = api_route(route);
    struct json_object *made = json_object_new_object();
    struct json_object *answers = json_object_new_object();
    struct json_object *body = request_body(route);
    char id[64], doc[512];

    snprintf(id, sizeof(id), "%s%s%s", r->ident, list == LIST_COUNT ? "" : "_",
             list == LIST_COUNT ? "" : schema_list(list)->name);
    snprintf(doc, sizeof(doc), "%s%s%s", list == LIST_COUNT ? r->doc : schema_list(list)->name,
             list == LIST_COUNT ? "" : ": ", list == LIST_COUNT ? "" : schema_list(list)->doc);
    apidoc_put_text(made, "operationId", id);
    apidoc_put_text(made, "summary", doc);
    apidoc_put_member(made, "security", security(r->scope));
    apidoc_put_member(made, "parameters", parameters(route, path));
    if (body)
        apidoc_put_member(made, "requestBody", body);
    put_answer(answers, route, list);
    for (size_t i = 0; i < ARRAY_SIZE(problems); i++)
        if (may_be(route, path, problems[i].status))
            apidoc_put_member(answers, problems[i].status, ref_to(PROBLEMS, problems[i].status));
    apidoc_put_member(made, "responses", answers);
    return made;
}

static void put_path(struct json_object *paths, enum api_route route, const char *path,
                     enum xod_list list)
{
    struct json_object *item = json_get(paths, path);
    char method[16];

    snprintf(method, sizeof(method), "%s", api_route(route)->method);
    for (char *c = method; *c; c++)
        *c = (char)(*c | 0x20); /* capitals to small letters */
    if (!item) {
        item = json_object_new_object();
        apidoc_put_member(paths, path, item);
    }
    apidoc_put_member(item, method, operation(route, path, list));
}

static struct json_object *make_paths(void)
{
    struct json_object *paths = json_object_new_object();
    char path[128];

    for (int r = 0; r < ROUTE_COUNT; r++) {
        enum api_route route = (enum api_route)r;
        if (route != ROUTE_list && route != ROUTE_object) {
            put_path(paths, route, api_route(route)->path, LIST_COUNT);
            continue;
        }
        for (int l = 0; l < LIST_COUNT; l++) {
            snprintf(path, sizeof(path), "/v1/%s%s", schema_list((enum xod_list)l)->name,
                     route == ROUTE_object ? "/{ipbx}/{id}" : "");
            put_path(paths, route, path, (enum xod_list)l);
        }
    }
    return paths;
}

/* ---- webhooks ---- */

static struct json_object *hook_headers(void)
{
    static const char *const rows[][2] = {
        {"Ctibus-Event", "The name of the event."},
        {"Ctibus-Id", "The id of the event: the same each time that it is sent."},
        {"Ctibus-Signature",
         "t=SECONDS,v1=HEX: the HMAC-SHA256 of \"SECONDS.BODY\" with the secret of the webhook."}};
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        apidoc_add(list, parameter("header", rows[i][0], i < 2, apidoc_type("string"), rows[i][1]));
    return list;
}

static struct json_object *webhooks(void)
{
    struct json_object *made = json_object_new_object();
    char name[64];

    for (int e = 0; e < EVENT_KINDS; e++) {
        struct json_object *post = json_object_new_object(), *item = json_object_new_object();
        struct json_object *body = json_object_new_object(), *answers = json_object_new_object();
        snprintf(name, sizeof(name), "event.%s", event_name((enum event_kind)e));
        apidoc_put_member(body, "required", json_object_new_boolean(true));
        apidoc_put_member(body, "content", content("application/json", ref(name)));
        snprintf(name, sizeof(name), "hook_%s", event_name((enum event_kind)e));
        for (char *c = name; *c; c++)
            *c = *c == '.' ? '_' : *c;
        apidoc_put_text(post, "operationId", name);
        apidoc_put_text(post, "summary", event_doc((enum event_kind)e));
        apidoc_put_member(post, "security", json_object_new_array());
        apidoc_put_member(post, "parameters", hook_headers());
        apidoc_put_member(post, "requestBody", body);
        apidoc_put_member(answers, "2XX", answer("The receiver has it.", NULL));
        apidoc_put_member(answers, "default", answer("It is sent again, later.", NULL));
        apidoc_put_member(post, "responses", answers);
        apidoc_put_member(item, "post", post);
        apidoc_put_member(made, event_name((enum event_kind)e), item);
    }
    return made;
}

/* ---- what is referred to ---- */

/* Moves what `value` refers to from `all` to `taken`, and what that refers to. */
static void take(struct json_object *value, struct json_object *all, struct json_object *taken)
{
    if (json_object_is_type(value, json_type_array))
        for (size_t i = 0; i < json_object_array_length(value); i++)
            take(json_object_array_get_idx(value, i), all, taken);
    if (!json_object_is_type(value, json_type_object))
        return;
    json_object_object_foreach(value, key, member)
    {
        const char *ref = strcmp(key, "$ref") == 0 ? json_object_get_string(member) : NULL;
        if (ref && strncmp(ref, DEFS, strlen(DEFS)) == 0) {
            const char *name = ref + strlen(DEFS);
            struct json_object *schema = json_get(all, name);
            char path[256];
            bool is_new = schema && !json_get(taken, name);
            if (is_new)
                apidoc_put_member(taken, name, json_object_get(schema));
            snprintf(path, sizeof(path), SCHEMAS "%s", name);
            if (is_new)
                take(schema, all, taken);
            json_object_set_string(member, path);
        } else {
            take(member, all, taken);
        }
    }
}

/* ---- the document ---- */

static struct json_object *info(void)
{
    struct json_object *made = json_object_new_object();

    apidoc_put_text(made, "title", "ctibus");
    apidoc_put_text(made, "version", APIDOC_VERSION);
    apidoc_put_text(made, "description",
                    "The HTTP API of ctibus-http-gw (docs/http-api.md). What is no request at all "
                    "is answered with 400, 408, 411, 413, 431, 501 or 505, and the connection "
                    "ends.");
    return made;
}

static struct json_object *servers(void)
{
    struct json_object *list = json_object_new_array(), *one = json_object_new_object();

    apidoc_put_text(one, "url", "http://127.0.0.1:5088");
    apidoc_put_text(one, "description", "ctibus.api.listen; https: with ctibus.api.tls");
    apidoc_add(list, one);
    return list;
}

static struct json_object *components(struct json_object *schemas)
{
    struct json_object *made = json_object_new_object(), *keys = json_object_new_object();
    struct json_object *schemes = json_object_new_object(), *token = json_object_new_object();

    apidoc_put_member(keys, "Idempotency-Key", key_parameter());
    apidoc_put_text(token, "type", "http");
    apidoc_put_text(token, "scheme", "bearer");
    apidoc_put_text(token, "description", "ctibus token create USER --scope SCOPE");
    apidoc_put_member(schemes, "token", token);
    apidoc_put_member(made, "securitySchemes", schemes);
    apidoc_put_member(made, "parameters", keys);
    apidoc_put_member(made, "responses", problem_answers());
    apidoc_put_member(made, "schemas", schemas);
    return made;
}

struct json_object *apidoc_openapi(void)
{
    struct json_object *document = json_object_new_object();
    struct json_object *all = json_object_new_object(), *schemas = json_object_new_object();

    apidoc_lists(all);
    apidoc_bus(all);
    apidoc_api_bodies(all);
    apidoc_put_text(document, "openapi", "3.1.0");
    apidoc_put_member(document, "info", info());
    apidoc_put_text(document, "jsonSchemaDialect", "https://json-schema.org/draft/2020-12/schema");
    apidoc_put_member(document, "servers", servers());
    apidoc_put_member(document, "paths", make_paths());
    apidoc_put_member(document, "webhooks", webhooks());
    apidoc_put_member(document, "components", components(schemas));
    take(document, all, schemas);
    json_object_put(all);
    return document;
}
