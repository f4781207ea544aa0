/* Lines of JSON under construction. */
#include "base/clock.h"
#include "client.h"
#include "internal.h"

void line_begin(struct buf *out, struct view class, struct view reply_id)
{
    buf_append_cstr(out, "{\"class\":");
    json_put_string(out, class);
    if (reply_id.len) {
        buf_append_cstr(out, ",\"replyid\":");
        buf_append_view(out, reply_id);
    }
}

int line_put_pairs(struct buf *out, const msgpack_object *map)
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        struct value v;
        int rc;
        if (view_eq(msg_str(&pair->key), VIEW("class")))
            continue;
        rc = value_from_msg(&v, &pair->val);
        if (rc < 0)
            return rc;
        buf_append_char(out, ',');
        json_put_string(out, msg_str(&pair->key));
        buf_append_char(out, ':');
        value_put_json(out, &v);
        value_clear(&v);
    }
    return 0;
}

void line_end(struct buf *out)
{
    buf_append_cstr(out, ",\"timenow\":");
    json_put_time(out, clock_wall());
    buf_append(out, "}\n", 2);
}
