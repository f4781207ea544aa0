/* ctibus snapshot [LIST [ID]]: the objects of xod as they are now, a line of JSON each. */
#include "replica/wire.h"
#include "tool.h"
#include "json/json.h"

#define WAIT_MS 5000

struct snapshot {
    struct xod *xod;
    tool_object_fn *add;
    void *arg;
};

static void put_object(struct buf *out, const struct xod_obj *o)
{
    const struct schema_list *l = schema_list(xod_obj_list(o));

    buf_append_cstr(out, "{\"ipbx\":");
    json_put_string(out, xod_ipbx_name(xod_obj_ipbx(o)));
    buf_printf(out, ",\"list\":\"%s\",\"id\":", l->name);
    json_put_string(out, xod_obj_id(o));
    for (unsigned f = 0; f < l->n_fields; f++) {
        buf_printf(out, ",\"%s\":", l->fields[f].name);
        value_put_json(out, xod_get(o, f));
    }
    buf_append_char(out, '}');
}

static void on_change(void *arg, const struct xod_change *c)
{
    const struct snapshot *s = arg;
    struct buf out;

    if (c->op != XOD_ADD)
        return;
    buf_init(&out, 0);
    put_object(&out, c->obj);
    if (!out.failed)
        s->add(s->arg, buf_view(&out));
    buf_free(&out);
}

static bool on_chunk(void *arg, const msgpack_object *body)
{
    struct snapshot *s = arg;
    const msgpack_object *objects = msg_get(body, "objects");

    for (uint32_t i = 0;
         objects && objects->type == MSGPACK_OBJECT_ARRAY && i < objects->via.array.size; i++) {
        struct xod_obj *o;
        wire_read_object(s->xod, &objects->via.array.ptr[i], false, &o);
    }
    xod_commit(s->xod, on_change, s);
    return true;
}

static const char *explain(enum bus_status status)
{
    return status == BUS_not_found ? "no such list (ctibus schema shows them)" : NULL;
}

void tool_snapshot(struct tool *t, const char *list, const char *id, tool_object_fn *add, void *arg)
{
    struct snapshot s = {.xod = xod_new(), .add = add, .arg = arg};
    struct tool_question q = {.method = METHOD_snapshot,
                              .deadline_ms = WAIT_MS,
                              .answer = on_chunk,
                              .explain = explain,
                              .arg = &s};
    struct buf pairs;

    buf_init(&pairs, 4096);
    if (list)
        msg_put_pair(&pairs, "list", view_cstr(list));
    if (id)
        msg_put_pair(&pairs, "id", view_cstr(id));
    q.n_pairs = (size_t)(list != NULL) + (id != NULL);
    q.pairs = buf_view(&pairs);
    if (s.xod)
        tool_ask(t, &q);
    buf_free(&pairs);
    xod_destroy(&s.xod);
}

static void print_object(void *arg, struct view json)
{
    size_t *printed = arg;
    struct buf out;

    buf_init(&out, 0);
    buf_append_view(&out, json);
    tool_print(&out);
    buf_free(&out);
    ++*printed;
}

static int run(struct tool *t, int argc, char **argv)
{
    size_t printed = 0;

    if (argc > 2 || (argc > 0 && argv[0][0] == '-'))
        return tool_usage(t, &command_snapshot);
    tool_snapshot(t, argc > 0 ? argv[0] : NULL, argc > 1 ? argv[1] : NULL, print_object, &printed);
    if (t->exit_code == 0 && argc == 2 && printed == 0)
        tool_fail(t, "no such object");
    return t->exit_code;
}

const struct command command_snapshot = {
    .name = "snapshot",
    .args = "[LIST [ID]]",
    .help = "Prints the objects of the store as they are now, one line of JSON each: all,\n"
            "those of a list, or one of them.",
    .examples = "$ ctibus snapshot users 1\n"
                "{\"ipbx\":\"xivo\",\"list\":\"users\",\"id\":\"1\",\"loginclient\":\"alice\","
                "\"firstname\":\"Alice\",...\n"
                "$ ctibus snapshot agents | jq -r 'select(.availability == \"available\").number'\n"
                "2003\n"
                "...",
    .run = run,
};
