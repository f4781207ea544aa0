/* What a webhook sends: a text with fields, an event and a filter as JSON, with a line end between
 * them. Whatever they are, what is written is as its Content-Type needs it. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "hooks/hook.h"
#include "hooks/template.h"
#include "json/json.h"

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json_parser *parser(void)
{
    static struct json_parser p;
    static bool ready;

    MUST(ready || json_parser_init(&p) == 0);
    ready = true;
    return &p;
}

static struct json_object *parse(struct view text)
{
    struct json_object *o = NULL;

    return json_parse(parser(), text, &o) == 0 ? o : NULL;
}

/* A field between quotes is a string, whatever is in it. */
static void in_json(struct view path, struct json_object *event)
{
    struct json_object *back;
    struct buf text, out;

    buf_init(&text, 0);
    buf_init(&out, 0);
    buf_append_cstr(&text, "[\"{{");
    buf_append_view(&text, path);
    buf_append_cstr(&text, "}}\"]");
    template_put_text(&out, buf_view(&text), event, ESCAPE_JSON);
    back = parse(buf_view(&out));
    MUST(json_object_is_type(back, json_type_array) && json_object_array_length(back) == 1);
    json_object_put(back);
    buf_free(&text);
    buf_free(&out);
}

static void in_others(struct view path, struct json_object *event, enum template_escape escape,
                      const char *never)
{
    struct buf text, out;

    buf_init(&text, 0);
    buf_init(&out, 0);
    buf_append_cstr(&text, "{{");
    buf_append_view(&text, path);
    buf_append_cstr(&text, "}}");
    template_put_text(&out, buf_view(&text), event, escape);
    for (size_t i = 0; i < buf_len(&out); i++)
        MUST(buf_data(&out)[i] == '\0' || !strchr(never, buf_data(&out)[i]));
    buf_free(&text);
    buf_free(&out);
}

static void bodies(struct view text, struct json_object *event, struct json_object *filter)
{
    char *copy = view_dup(text);
    struct hook h = {
        .events = (char *)"*", .text = copy, .type = (char *)"application/json", .filter = filter};

    for (int body = HOOK_JSON; body <= HOOK_TEXT; body++) {
        struct json_object *back;
        struct buf out;
        bool sent;
        buf_init(&out, 0);
        h.body = (enum hook_body)body;
        sent = hook_put_body(&h, event, &out);
        MUST(!out.failed);
        back = sent && (body == HOOK_JSON || body == HOOK_ZAMMAD) ? parse(buf_view(&out)) : NULL;
        MUST(!sent || back || body == HOOK_FORM || body == HOOK_TEXT);
        json_object_put(back);
        buf_free(&out);
    }
    hook_wants(&h, VIEW("call.ended"), VIEW("xivo"), event);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = view_of(data, size);
    struct view text = view_cut(&rest, '\n');
    struct view first = view_cut(&rest, '\n');
    struct json_object *event = parse(first);
    struct json_object *filter = parse(rest);
    struct view path = text;
    bool simple;

    if (!json_object_is_type(filter, json_type_object)) {
        json_object_put(filter);
        filter = NULL;
    }
    template_fault(text);
    simple = view_find(text, VIEW("}")) < 0 && view_find(text, VIEW("{")) < 0;
    if (json_object_is_type(event, json_type_object)) {
        bodies(text, event, filter);
        hook_path(event, path);
        if (simple) {
            in_json(path, event);
            in_others(path, event, ESCAPE_XML, "<>\"'");
            in_others(path, event, ESCAPE_URL, "&=+ \n");
        }
    }
    json_object_put(event);
    json_object_put(filter);
    return 0;
}
