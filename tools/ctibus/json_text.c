#include <errno.h>

#include "tool.h"
#include "json/json.h"

void tool_put_object(struct buf *out, const msgpack_object *o)
{
    switch (o->type) {
    case MSGPACK_OBJECT_NIL:
        buf_append_cstr(out, "null");
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        json_put_bool(out, o->via.boolean);
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        buf_printf(out, "%llu", (unsigned long long)o->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        json_put_i64(out, o->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        json_put_double(out, o->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        json_put_string(out, msg_str(o));
        break;
    case MSGPACK_OBJECT_ARRAY:
        buf_append_char(out, '[');
        for (uint32_t i = 0; i < o->via.array.size; i++) {
            if (i)
                buf_append_char(out, ',');
            tool_put_object(out, &o->via.array.ptr[i]);
        }
        buf_append_char(out, ']');
        break;
    case MSGPACK_OBJECT_MAP:
        buf_append_char(out, '{');
        for (uint32_t i = 0; i < o->via.map.size; i++) {
            if (i)
                buf_append_char(out, ',');
            tool_put_object(out, &o->via.map.ptr[i].key);
            buf_append_char(out, ':');
            tool_put_object(out, &o->via.map.ptr[i].val);
        }
        buf_append_char(out, '}');
        break;
    default:
        buf_append_cstr(out, "null");
    }
}

int tool_put_json(struct buf *out, struct view body)
{
    struct msg_doc doc;
    int rc = msg_doc_init(&doc);

    if (rc < 0)
        return rc;
    rc = msg_parse(&doc, body);
    if (rc == 0)
        tool_put_object(out, &doc.root);
    msg_doc_fini(&doc);
    return rc < 0 ? -EBADMSG : 0;
}

static void print_json(const msgpack_object *one)
{
    struct buf out;

    buf_init(&out, 0);
    tool_put_object(&out, one);
    tool_print(&out);
    buf_free(&out);
}

void tool_print_list(const struct tool *t, const msgpack_object *body, const char *key,
                     void (*put)(const msgpack_object *one))
{
    const msgpack_object *list = msg_get(body, key);
    uint32_t n = list && list->type == MSGPACK_OBJECT_ARRAY ? list->via.array.size : 0;

    for (uint32_t i = 0; i < n; i++)
        (t->json ? print_json : put)(&list->via.array.ptr[i]);
}
