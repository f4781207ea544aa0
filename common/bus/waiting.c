/*
 * Requests that wait for a state: where a site has two, one that is lost is replaced within
 * seconds; the only one is back within a second when it is restarted. What people ask for meanwhile
 * is to be answered, not refused.
 *
 * What was sent to the one that is lost, and not answered, may have been carried out. It is refused
 * unless it does the same when it is done twice, or was answered by a process that had taken the
 * place of the one that was asked, and does not know us yet, or is not active.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "bus/client_impl.h"

#define MAX_WAITING 4096
#define MAX_WAITING_BYTES ((size_t)8 * 1024 * 1024)

static struct view id_key(const uint64_t *id)
{
    return view_of(id, sizeof(*id));
}

static void waiting_free(struct waiting *w)
{
    struct bus_client *a = w->client;

    TAILQ_REMOVE(w->sent ? &a->sent : &a->waiting, w, link);
    map_del(a->waiting_by_id, id_key(&w->id));
    a->waiting_bytes -= w->len;
    free(w);
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct waiting *w = arg;
    bus_answer_fn *answer = w->answer;
    void *its = w->arg;

    if (status != BUS_more)
        waiting_free(w);
    if (answer)
        answer(its, status, body);
}

void waiting_forget(struct bus_client *a, uint64_t id)
{
    struct waiting *w = map_get(a->waiting_by_id, id_key(&id));

    if (w)
        waiting_free(w);
}

/* False: nothing can be sent now. */
static bool send_one(struct waiting *w)
{
    struct bus_client *a = w->client;
    uint64_t now = clock_mono_us();

    if (now >= w->deadline || !request_table_move(a->requests, w->id, a->current))
        return true; /* its time is over, which it is told */
    if (lane_send(a->current, w->id, w->method, w->n_pairs, view_of(w->pairs, w->len),
                  (uint32_t)((w->deadline - now) / 1000) + 1) < 0) {
        request_table_move(a->requests, w->id, &a->waiting);
        return false;
    }
    TAILQ_REMOVE(&a->waiting, w, link);
    TAILQ_INSERT_TAIL(&a->sent, w, link);
    w->sent = true;
    w->newest = request_table_newest(a->requests);
    return true;
}

void waiting_flush(struct bus_client *a)
{
    struct waiting *w = client_is_answered(a) ? TAILQ_FIRST(&a->waiting) : NULL;

    while (w) {
        struct waiting *next = TAILQ_NEXT(w, link);
        w = send_one(w) ? next : NULL;
    }
}

void waiting_keep(struct bus_client *a)
{
    struct waiting *w = TAILQ_LAST(&a->sent, waitings);

    while (w) { /* from the last one on, so that they come before what was asked for later */
        struct waiting *before = TAILQ_PREV(w, waitings, link);
        if ((w->repeat || w->refused) && request_table_move(a->requests, w->id, &a->waiting)) {
            TAILQ_REMOVE(&a->sent, w, link);
            TAILQ_INSERT_HEAD(&a->waiting, w, link);
            w->sent = w->refused = false;
        }
        w = before;
    }
}

bool waiting_refuse(struct bus_client *a, uint64_t id)
{
    struct waiting *w = map_get(a->waiting_by_id, id_key(&id));

    bool waits = w && w->sent;

    for (w = waits ? w : TAILQ_FIRST(&a->sent); w; w = TAILQ_NEXT(w, link))
        if (waits || w->newest >= id)
            w->refused = true;
    return waits;
}

static bool is_full(const struct bus_client *a, size_t len)
{
    return map_count(a->waiting_by_id) >= MAX_WAITING || a->waiting_bytes + len > MAX_WAITING_BYTES;
}

bool bus_client_takes(const struct bus_client *a)
{
    return a->up || clock_mono_us() - a->lost_at < a->wait_us;
}

static uint64_t waiting_add(struct bus_client *a, enum bus_method method, bool repeat,
                            size_t n_pairs, struct view pairs, uint32_t deadline_ms,
                            bus_answer_fn *answer, void *arg)
{
    /* those that state has are as many as clients at most: each waits for its answer */
    bool full = !client_is_answered(a) && is_full(a, pairs.len);
    struct waiting *w = full ? NULL : calloc(1, sizeof(*w) + pairs.len);

    if (!w)
        return 0;
    *w = (struct waiting){.client = a,
                          .method = method,
                          .repeat = repeat,
                          .deadline = clock_mono_us() + (uint64_t)deadline_ms * 1000,
                          .answer = answer,
                          .arg = arg,
                          .n_pairs = n_pairs,
                          .len = pairs.len};
    if (pairs.len)
        memcpy(w->pairs, pairs.ptr, pairs.len);
    w->id = request_table_add(a->requests, &a->waiting, deadline_ms, on_answer, w);
    if (w->id == 0 || map_put(a->waiting_by_id, id_key(&w->id), w) < 0) {
        request_table_cancel(a->requests, w->id);
        free(w);
        return 0;
    }
    TAILQ_INSERT_TAIL(&a->waiting, w, link);
    a->waiting_bytes += w->len;
    waiting_flush(a);
    return w->id;
}

uint64_t bus_ask_wait(struct bus_client *a, enum bus_method method, bool repeat, size_t n_pairs,
                      struct view pairs, uint32_t deadline_ms, bus_answer_fn *answer, void *arg)
{
    return bus_client_takes(a)
               ? waiting_add(a, method, repeat, n_pairs, pairs, deadline_ms, answer, arg)
               : 0;
}
