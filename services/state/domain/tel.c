#include "domain/tel.h"

#include <errno.h>

#include "bus/topic.h"

_Static_assert(TEL_FIELD_COUNT <= 64, "present is a bitset of 64");

static void read_field(struct tel *t, int f, const msgpack_object *v)
{
    switch (schema_tel_field_type((enum tel_field)f)) {
    case T_INT:
        if (v->type != MSGPACK_OBJECT_POSITIVE_INTEGER &&
            v->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
            return;
        t->num[f] = v->via.i64;
        break;
    case T_BOOL:
        if (v->type != MSGPACK_OBJECT_BOOLEAN)
            return;
        t->num[f] = v->via.boolean;
        break;
    default:
        if (v->type != MSGPACK_OBJECT_STR)
            return;
        t->str[f] = msg_str(v);
    }
    t->present |= (uint64_t)1 << f;
}

int tel_read(struct tel *t, const struct bus_msg *m, struct msg_doc *doc, struct buf *room,
             struct view *site)
{
    struct view rest = m->topic;
    int ev;

    buf_reset(room);
    if (topic_next(&rest, NULL) < 0 || topic_next(&rest, room) < 0)
        return -EBADMSG;
    *site = buf_view(room);
    ev = schema_tel_find(rest);
    if (ev < 0)
        return -ENOENT;
    if (msg_parse(doc, m->body) < 0)
        return -EBADMSG;
    *t = (struct tel){.event = (enum tel_event)ev, .time = m->time};
    for (uint32_t i = 0; i < doc->root.via.map.size; i++) {
        const msgpack_object_kv *kv = &doc->root.via.map.ptr[i];
        int f = schema_tel_field_find(msg_str(&kv->key));
        if (f >= 0)
            read_field(t, f, &kv->val);
    }
    t->resync = tel_has(t, TELF_resync) && t->num[TELF_resync];
    return 0;
}
