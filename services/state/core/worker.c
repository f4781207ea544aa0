#include "core/worker.h"

#include <errno.h>

#define MAX_PRIORITY 1000000
#define MIN_DEADLINE_MS 10
#define MAX_DEADLINE_MS 4000 /* gateways wait 5 s for the answer to a command */

static int64_t between(int64_t n, int64_t least, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

int worker_read(struct worker *w, struct state *s, struct bus_peer *p, const msgpack_object *body,
                uint32_t deadline_ms)
{
    struct view name = msg_get_str(body, "ipbx");
    const struct ipbx *ipbx = name.len ? state_ipbx(s, name) : NULL;

    w->peer = p;
    w->ipbx = ipbx ? ipbx->model->ipbx : NULL;
    w->priority = (int)between(msg_get_i64(body, "priority", 0), -MAX_PRIORITY, MAX_PRIORITY);
    w->deadline_ms = (uint32_t)between(msg_get_i64(body, "deadline_ms", deadline_ms),
                                       MIN_DEADLINE_MS, MAX_DEADLINE_MS);
    w->more = msg_get_bool(body, "more", false);
    return name.len && !ipbx ? -ENOENT : 0;
}

void worker_reply(struct state *s, struct bus_peer *p, uint64_t id, int rc)
{
    state_reply(s, p, id,
                rc == 0         ? BUS_ok
                : rc == -EPERM  ? BUS_denied
                : rc == -ENOENT ? BUS_not_found
                : rc == -EINVAL ? BUS_malformed
                                : BUS_busy);
}

bool worker_is_word(struct view v, size_t most)
{
    if (v.len == 0 || v.len > most)
        return false;
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.ptr[i] <= ' ' || (unsigned char)v.ptr[i] > '~')
            return false;
    return true;
}

bool worker_are_words(const msgpack_object *list, uint32_t n, size_t most)
{
    if (list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size > n)
        return false;
    for (uint32_t i = 0; i < list->via.array.size; i++)
        if (!worker_is_word(msg_str(&list->via.array.ptr[i]), most))
            return false;
    return true;
}
