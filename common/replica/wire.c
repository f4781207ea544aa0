#include "replica/wire.h"

#include <errno.h>

#include "bus/topic.h"

#define MAX_ID 256

void wire_topic(struct buf *out, const struct xod_obj *o, enum xod_plane plane)
{
    buf_append_cstr(out, "xod/");
    topic_put(out, xod_ipbx_name(xod_obj_ipbx(o)));
    buf_append_cstr(out, plane == PLANE_CONFIG ? "config/" : "status/");
    buf_append_view(out, schema_list(xod_obj_list(o))->vname);
    buf_append_char(out, '/');
    topic_put(out, xod_obj_id(o));
}

static void put_fields(struct buf *out, const struct xod_obj *o, uint64_t fields)
{
    const struct schema_list *l = schema_list(xod_obj_list(o));

    msg_put_map(out, (size_t)__builtin_popcountll(fields));
    for (; fields; fields &= fields - 1) {
        unsigned f = (unsigned)__builtin_ctzll(fields);
        msg_put_str(out, l->fields[f].vname);
        value_pack(out, xod_get(o, f));
    }
}

void wire_change(struct buf *out, enum xod_op op, const struct xod_obj *o, uint64_t fields,
                 const struct wire_cause *cause)
{
    static const char *const names[] = {"add", "update", "del"};

    msg_put_map(out, 1 + (op != XOD_DEL) + cause->synthetic + (cause->at > 0));
    msg_put_pair(out, "op", view_cstr(names[op]));
    if (op != XOD_DEL) {
        msg_put_cstr(out, "fields");
        put_fields(out, o, fields);
    }
    if (cause->synthetic) {
        msg_put_cstr(out, "synthetic");
        msg_put_bool(out, true);
    }
    if (cause->at > 0) {
        msg_put_cstr(out, "at");
        msg_put_double(out, cause->at);
    }
}

int wire_read_topic(struct buf *scratch, struct view topic, struct wire_change *c)
{
    size_t ends[4];
    const char *base;
    struct view plane;
    int list;

    if (!view_starts(topic, VIEW("xod/")))
        return -EINVAL;
    topic = view_of(topic.ptr + 4, topic.len - 4);
    buf_reset(scratch);
    for (int i = 0; i < 4; i++) {
        if (topic_next(&topic, scratch) < 0)
            return -EINVAL;
        ends[i] = buf_len(scratch);
    }
    if (topic.len || buf_len(scratch) > 4 * MAX_ID || ends[0] == 0 || ends[3] == ends[2])
        return -EINVAL;
    base = buf_data(scratch);
    c->ipbx = view_of(base, ends[0]);
    plane = view_of(base + ends[0], ends[1] - ends[0]);
    c->list = view_of(base + ends[1], ends[2] - ends[1]);
    c->id = view_of(base + ends[2], ends[3] - ends[2]);
    if (!view_eq(plane, VIEW("config")) && !view_eq(plane, VIEW("status")))
        return -EINVAL;
    c->plane = plane.ptr[0] == 'c' ? PLANE_CONFIG : PLANE_STATUS;
    list = schema_list_find(c->list);
    c->list_no = (enum xod_list)list;
    return list < 0 ? -ENOENT : 0;
}

/* Adds the bits of those that it names to *named. */
static int set_fields(struct xod_obj *o, const msgpack_object *fields, uint64_t *named)
{
    if (!fields || fields->type != MSGPACK_OBJECT_MAP)
        return -EBADMSG;
    for (uint32_t i = 0; i < fields->via.map.size; i++) {
        const msgpack_object_kv *kv = &fields->via.map.ptr[i];
        int f = schema_field_find(xod_obj_list(o), msg_str(&kv->key));
        struct value v;
        int rc;
        if (f < 0)
            continue;
        *named |= (uint64_t)1 << f;
        rc = value_from_msg(&v, &kv->val);
        if (rc == 0)
            rc = xod_set(o, (unsigned)f, &v);
        if (rc == -ENOMEM)
            return rc;
    }
    return 0;
}

int wire_apply(struct xod *x, const struct wire_change *c, const msgpack_object *body)
{
    struct view op = msg_get_str(body, "op");
    bool add = view_eq(op, VIEW("add"));
    struct xod_ipbx *s = xod_ipbx(x, c->ipbx, add);
    struct xod_obj *o = s ? xod_find(s, c->list_no, c->id) : NULL;
    uint64_t named = 0;

    if (view_eq(op, VIEW("del"))) {
        if (o)
            xod_del(o);
        return 0;
    }
    if (add && !o) {
        o = s ? xod_add(s, c->list_no, c->id) : NULL;
        if (!o)
            return -ENOMEM;
    } else if (!add && !view_eq(op, VIEW("update"))) {
        return -EBADMSG;
    }
    return o ? set_fields(o, msg_get(body, "fields"), &named) : 0;
}

void wire_object(struct buf *out, const struct xod_obj *o, uint64_t fields)
{
    const struct schema_list *l = schema_list(xod_obj_list(o));

    msg_put_array(out, 4);
    msg_put_str(out, xod_ipbx_name(xod_obj_ipbx(o)));
    msg_put_str(out, l->vname);
    msg_put_str(out, xod_obj_id(o));
    put_fields(out, o, fields & (((uint64_t)1 << l->n_fields) - 1));
}

static int reset_fields(struct xod_obj *o, uint64_t fields)
{
    int rc = 0;

    for (; rc == 0 && fields; fields &= fields - 1)
        rc = xod_reset(o, (unsigned)__builtin_ctzll(fields));
    return rc;
}

int wire_read_object(struct xod *x, const msgpack_object *item, bool brief, struct xod_obj **made)
{
    uint64_t named = 0;
    int rc;
    const msgpack_object *a;
    struct xod_ipbx *s;
    int list;

    if (item->type != MSGPACK_OBJECT_ARRAY || item->via.array.size < 4)
        return -EBADMSG;
    a = item->via.array.ptr;
    list = schema_list_find(msg_str(&a[1]));
    if (msg_str(&a[0]).len == 0 || msg_str(&a[2]).len == 0)
        return -EBADMSG;
    *made = NULL;
    if (list < 0)
        return 0;
    s = xod_ipbx(x, msg_str(&a[0]), true);
    *made = s ? xod_add(s, (enum xod_list)list, msg_str(&a[2])) : NULL;
    if (!*made)
        return -ENOMEM;
    rc = set_fields(*made, &a[3], &named);
    return rc < 0 || !brief ? rc : reset_fields(*made, xod_set_fields(*made) & ~named);
}
