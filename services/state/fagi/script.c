/* What a script has been given, and its answer. */
#include "fagi/parts.h"

struct view fagi_env(const struct fagi_ask *a, const char *name)
{
    const msgpack_object *env = msg_get(a->body, "env");

    return env && env->type == MSGPACK_OBJECT_MAP ? msg_get_str(env, name) : view_of(NULL, 0);
}

struct view fagi_arg(const struct fagi_ask *a, uint32_t n)
{
    const msgpack_object *args = msg_get(a->body, "args");

    return args && args->type == MSGPACK_OBJECT_ARRAY && n <= args->via.array.size
               ? msg_str(&args->via.array.ptr[n - 1])
               : view_of(NULL, 0);
}

void fagi_put(struct buf *pairs, const char *name, struct view value)
{
    msg_put_array(pairs, 2);
    msg_put_cstr(pairs, name);
    msg_put_str(pairs, value);
}

void fagi_answer(struct deferred_reply **l, size_t n, const struct buf *pairs)
{
    struct buf body;

    buf_init(&body, 0);
    msg_put_elements(&body, "variables", n, pairs);
    deferred_reply_pairs(l, 1, &body);
    buf_free(&body);
}
