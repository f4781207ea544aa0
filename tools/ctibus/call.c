/* ctibus call METHOD [BODY]: a raw request to state. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "xod/value.h"
#include "json/json.h"

#define WAIT_MS 30000

static bool on_answer(void *arg, const msgpack_object *body)
{
    struct buf out;
    bool heard;

    buf_init(&out, 0);
    tool_put_object(&out, body);
    heard = tool_print(&out);
    buf_free(&out);
    return heard;
}

/* The pairs of a JSON object, packed. How many, or a negative errno. */
static int put_pairs(struct buf *pairs, struct view text)
{
    struct json_object *json = NULL;
    struct json_parser p;
    int rc = json_parser_init(&p);
    int n = 0;

    if (rc < 0)
        return rc;
    rc = json_parse(&p, text, &json);
    json_parser_fini(&p);
    if (rc < 0 || !json_object_is_type(json, json_type_object)) {
        json_object_put(json);
        return -EINVAL;
    }
    json_object_object_foreach(json, key, item)
    {
        struct value v = {0};
        if (value_from_json(&v, item) < 0)
            rc = -EINVAL;
        msg_put_cstr(pairs, key);
        value_pack(pairs, &v);
        value_clear(&v);
        n++;
    }
    json_object_put(json);
    return rc < 0 ? rc : n;
}

static int run(struct tool *t, int argc, char **argv)
{
    struct tool_question q = {.deadline_ms = WAIT_MS, .answer = on_answer, .arg = t};
    struct buf pairs;
    int method, n;

    if (argc < 1 || argc > 2)
        return tool_usage(t, &command_call);
    method = schema_method_find(view_cstr(argv[0]));
    if (method < 0) {
        tool_fail(t, "there is no request \"%s\" (ctibus schema shows them)", argv[0]);
        return t->exit_code = 2;
    }
    buf_init(&pairs, 0);
    n = put_pairs(&pairs, argc > 1 ? view_cstr(argv[1]) : VIEW("{}"));
    if (n < 0) {
        tool_fail(t, "the body must be an object in JSON: {\"list\": \"users\"}");
        t->exit_code = 2;
    } else {
        q.method = (enum bus_method)method;
        q.n_pairs = (size_t)n;
        q.pairs = buf_view(&pairs);
        tool_ask(t, &q);
    }
    buf_free(&pairs);
    return t->exit_code;
}

const struct command command_call = {
    .name = "call",
    .args = "METHOD ['{JSON}']",
    .help = "Sends a raw request to state and prints each answer as a line of JSON.",
    .examples = "$ ctibus call snapshot '{\"list\": \"users\", \"id\": \"5\"}'\n"
                "{\"seq\":495,\"objects\":[[\"xivo\",\"users\",\"5\",{\"loginclient\":\"zoe\","
                "\"firstname\":\"Zoë\",...",
    .run = run,
};
