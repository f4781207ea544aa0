/* A line of a client: whatever is in it, it is refused or read, matched, and can be written again.
 * What is read without a tree (json/flat.h) is what a tree has in it. */
#include <stdlib.h>

#include "base/utf8.h"
#include "registry.h"
#include "json/flat.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(struct json_object *body)
{
    struct request rq = {.body = body, .class = json_get_view(body, "class")};
    const struct cti_message *m;
    struct buf missing;
    size_t pos = 0;

    buf_init(&missing, 4096);
    while ((m = registry_match(&cti_messages, &rq, &pos)))
        registry_complete(m, body, &missing);
    buf_free(&missing);
}

static void same(const struct json_flat_member *m, struct json_object *body)
{
    struct json_object *v = json_member(body, m->key);
    struct view text = view_cstr(json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));

    if (m->type == JSON_FLAT_STRING &&
        (!view_eq(json_view(v), m->value) || text.len != m->value.len + 2))
        abort();
    if (m->type == JSON_FLAT_INT &&
        (!json_object_is_type(v, json_type_int) || !view_eq(text, m->value)))
        abort();
    if (m->type == JSON_FLAT_WORD && !view_eq(text, m->value))
        abort();
}

static void compare(struct view text, struct json_object *body)
{
    struct json_flat_member m[16];
    int n = json_flat(text, m, 16);

    if (n < 0)
        return;
    if (!json_object_is_type(body, json_type_object) || json_object_object_length(body) != n)
        abort();
    for (int i = 0; i < n; i++)
        same(&m[i], body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_object *body = NULL;
    struct json_parser p;
    struct buf out;

    if (json_parser_init(&p) < 0)
        abort();
    buf_init(&out, 1 << 22);
    if (json_parse(&p, view_of(data, size), &body) < 0) {
        body = NULL;
        compare(view_of(data, size), NULL);
    } else {
        compare(view_of(data, size), body);
        if (json_object_is_type(body, json_type_object))
            match(body);
        if (json_put_object(&out, body) == 0) {
            struct json_object *again = NULL;
            if (!utf8_valid(buf_view(&out)) || json_parse(&p, buf_view(&out), &again) < 0)
                abort();
            json_object_put(again);
        }
        json_object_put(body);
    }
    buf_free(&out);
    json_parser_fini(&p);
    return 0;
}
