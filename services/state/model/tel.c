#include "model/tel.h"

#include <errno.h>

#include "base/array.h"
#include "bus/topic.h"

/* T_ bit of a value on the bus. */
static uint8_t type_of(const msgpack_object *v)
{
    switch (v->type) {
    case MSGPACK_OBJECT_STR:
        return T_STR;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return T_INT;
    case MSGPACK_OBJECT_BOOLEAN:
        return T_BOOL;
    case MSGPACK_OBJECT_MAP:
        return T_MAP;
    default:
        return 0;
    }
}

/* Asterisk's texts end at a NUL, and so do names here. */
static struct view until_nul(struct view v)
{
    return view_cut(&v, '\0');
}

/* Gateways of before gave these numbers the names of texts; one may be there during an upgrade. */
static int field_of(struct view name, uint8_t type)
{
    static const struct {
        struct view name;
        enum tel_field field;
    } former[] = {{VIEW("reason"), TELF_reason_code},
                  {VIEW("new"), TELF_new_count},
                  {VIEW("old"), TELF_old_count}};

    for (size_t i = 0; type == T_INT && i < ARRAY_SIZE(former); i++)
        if (view_eq(name, former[i].name))
            return (int)former[i].field;
    return schema_tel_field_find(name);
}

static void read_field(struct tel *t, struct view name, const msgpack_object *v)
{
    uint8_t type = type_of(v);
    int f = field_of(name, type);

    if (f < 0 || type != schema_tel_field_type((enum tel_field)f))
        return;
    if (type == T_INT)
        t->num[f] = v->via.i64;
    else if (type == T_BOOL)
        t->num[f] = v->via.boolean;
    else if (type == T_MAP)
        t->headers = v;
    else
        t->str[f] = until_nul(msg_str(v));
    tel_set_add(&t->set, (enum tel_field)f);
}

int tel_read(struct tel *t, const struct bus_msg *m, struct msg_doc *doc, struct buf *scratch,
             struct view *ipbx)
{
    struct view rest = m->topic;
    int ev;

    buf_reset(scratch);
    if (topic_next(&rest, NULL) < 0 || topic_next(&rest, scratch) < 0)
        return -EBADMSG;
    *ipbx = buf_view(scratch);
    ev = schema_tel_find(rest);
    if (ev < 0)
        return -ENOENT;
    if (msg_parse(doc, m->body) < 0)
        return -EBADMSG;
    *t = (struct tel){.event = (enum tel_event)ev, .time = m->time};
    for (uint32_t i = 0; i < doc->root.via.map.size; i++) {
        const msgpack_object_kv *kv = &doc->root.via.map.ptr[i];
        read_field(t, msg_str(&kv->key), &kv->val);
    }
    t->resync = tel_has(t, TELF_resync) && t->num[TELF_resync];
    return 0;
}
