/* ctibus snapshot [LIST [ID]]: the objects of xod as they are now, a line of JSON each. */
#include "replica/wire.h"
#include "tool.h"
#include "json/json.h"

#define WAIT_MS 5000

struct snapshot {
    struct xod *xod;
    size_t printed;
};

static void print_object(const struct xod_obj *o)
{
    const struct schema_list *l = schema_list(xod_obj_list(o));
    struct buf out;

    buf_init(&out, 0);
    buf_append_cstr(&out, "{\"ipbx\":");
    json_put_string(&out, xod_ipbx_name(xod_obj_ipbx(o)));
    buf_printf(&out, ",\"list\":\"%s\",\"id\":", l->name);
    json_put_string(&out, xod_obj_id(o));
    for (unsigned f = 0; f < l->n_fields; f++) {
        buf_printf(&out, ",\"%s\":", l->fields[f].name);
        value_put_json(&out, xod_get(o, f));
    }
    buf_append_char(&out, '}');
    tool_print(&out);
    buf_free(&out);
}

static void on_change(void *arg, const struct xod_change *c)
{
    struct snapshot *s = arg;

    if (c->op != XOD_ADD)
        return;
    print_object(c->obj);
    s->printed++;
}

static bool on_chunk(void *arg, const msgpack_object *body)
{
    struct snapshot *s = arg;
    const msgpack_object *objects = msg_get(body, "objects");

    for (uint32_t i = 0;
         objects && objects->type == MSGPACK_OBJECT_ARRAY && i < objects->via.array.size; i++) {
        struct xod_obj *o;
        wire_read_object(s->xod, &objects->via.array.ptr[i], &o);
    }
    xod_commit(s->xod, on_change, s);
    return true;
}

static const char *explain(enum bus_status status)
{
    return status == BUS_not_found ? "no such list (ctibus schema shows them)" : NULL;
}

static int run(struct tool *t, int argc, char **argv)
{
    static const char *const keys[] = {"list", "id"};
    struct snapshot s = {.xod = xod_new()};
    struct tool_question q = {.method = METHOD_snapshot,
                              .deadline_ms = WAIT_MS,
                              .answer = on_chunk,
                              .explain = explain,
                              .arg = &s};
    struct buf pairs;

    if (argc > 2 || (argc > 0 && argv[0][0] == '-')) {
        xod_destroy(&s.xod);
        return tool_usage(t, &command_snapshot);
    }
    buf_init(&pairs, 4096);
    for (int i = 0; i < argc; i++)
        msg_put_pair(&pairs, keys[i], view_cstr(argv[i]));
    q.n_pairs = (size_t)argc;
    q.pairs = buf_view(&pairs);
    if (s.xod)
        tool_ask(t, &q);
    if (t->exit_code == 0 && argc == 2 && s.printed == 0)
        tool_fail(t, "no such object");
    buf_free(&pairs);
    xod_destroy(&s.xod);
    return t->exit_code;
}

const struct command command_snapshot = {
    .name = "snapshot",
    .args = "[LIST [ID]]",
    .help = "Prints the objects of the store as they are now, one line of JSON each:\n"
            "snapshot phones, snapshot users 5",
    .run = run,
};
