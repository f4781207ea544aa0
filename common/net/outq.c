#include "net/outq.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define INLINE_CAP 2
#define MAX_SHARED ((size_t)1 << 30)
#define PRIVATE_MIN 512
#define PRIVATE_MAX 16384

static struct shared *new_block(size_t room)
{
    struct shared *s = malloc(sizeof(*s) + room);

    if (s) {
        s->refs = 1;
        s->len = 0;
    }
    return s;
}

struct shared *shared_new(struct view v)
{
    struct shared *s = v.len > MAX_SHARED ? NULL : new_block(v.len);

    if (!s)
        return NULL;
    if (v.len)
        memcpy(s->data, v.ptr, v.len);
    s->len = (uint32_t)v.len;
    return s;
}

void shared_unref(struct shared *s)
{
    if (s && --s->refs == 0)
        free(s);
}

static struct shared **blocks(struct outq *q)
{
    return q->ring ? q->ring : q->slots;
}

static struct shared *block(const struct outq *q, uint32_t i)
{
    uint32_t at = (q->head + i) & (q->cap - 1);

    return q->ring ? q->ring[at] : q->slots[at];
}

void outq_init(struct outq *q)
{
    *q = (struct outq){.cap = INLINE_CAP};
}

void outq_clear(struct outq *q)
{
    for (uint32_t i = 0; i < q->count; i++)
        shared_unref(block(q, i));
    free(q->ring);
    outq_init(q);
}

static int grow(struct outq *q)
{
    uint32_t cap = q->cap * 4;
    struct shared **ring;

    assert(cap > 0); /* outq_init begins with INLINE_CAP */
    ring = malloc(cap * sizeof(struct shared *));
    if (!ring)
        return -ENOMEM;
    for (uint32_t i = 0; i < q->count; i++)
        ring[i] = block(q, i);
    free(q->ring);
    q->ring = ring;
    q->cap = cap;
    q->head = 0;
    return 0;
}

/* Takes the reference of the caller. */
static int push_take(struct outq *q, struct shared *s)
{
    if (q->count == q->cap && grow(q) < 0) {
        shared_unref(s);
        return -ENOMEM;
    }
    blocks(q)[(q->head + q->count++) & (q->cap - 1)] = s;
    q->tail_room = 0;
    q->len += s->len;
    return 0;
}

/* Only the first block may be partly consumed, so behind other blocks the rest is copied. */
static int push_part(struct outq *q, struct shared *s, size_t from)
{
    int rc;

    if (q->count > 0)
        return outq_append(q, view_of(s->data + from, s->len - from));
    s->refs++;
    rc = push_take(q, s);
    if (rc == 0) {
        q->head_done = (uint32_t)from;
        q->len -= from;
    }
    return rc;
}

int outq_push(struct outq *q, struct shared *s, size_t from)
{
    assert(from <= s->len);
    if (from == s->len)
        return 0;
    if (from > 0)
        return push_part(q, s, from);
    s->refs++;
    return push_take(q, s);
}

/* The room for the next private block: each twice the last, so that one reply costs little and a
 * long list few blocks. */
static size_t private_size(const struct outq *q, size_t need)
{
    size_t room = PRIVATE_MIN;

    if (q->count > 0)
        room = 2 * (size_t)block(q, q->count - 1)->len;
    if (room < PRIVATE_MIN)
        room = PRIVATE_MIN;
    if (room > PRIVATE_MAX)
        room = PRIVATE_MAX;
    return need > room ? need : room;
}

int outq_append(struct outq *q, struct view v)
{
    struct shared *s;
    size_t room;

    if (v.len == 0)
        return 0;
    if (v.len > MAX_SHARED)
        return -ENOMEM;
    if (v.len <= q->tail_room) {
        s = block(q, q->count - 1);
        memcpy(s->data + s->len, v.ptr, v.len);
        s->len += (uint32_t)v.len;
        q->len += v.len;
        q->tail_room -= (uint32_t)v.len;
        return 0;
    }
    room = private_size(q, v.len);
    s = new_block(room);
    if (!s)
        return -ENOMEM;
    memcpy(s->data, v.ptr, v.len);
    s->len = (uint32_t)v.len;
    if (push_take(q, s) < 0)
        return -ENOMEM;
    q->tail_room = (uint32_t)(room - v.len);
    return 0;
}

int outq_iov(const struct outq *q, struct iovec *iov, int max)
{
    int n = 0;

    for (; n < max && (uint32_t)n < q->count; n++) {
        struct shared *s = block(q, (uint32_t)n);
        size_t skip = n == 0 ? q->head_done : 0;
        iov[n] = (struct iovec){s->data + skip, s->len - skip};
    }
    return n;
}

void outq_consume(struct outq *q, size_t n)
{
    assert(n <= q->len);
    if (n == q->len) {
        outq_clear(q);
        return;
    }
    q->len -= n;
    while (n > 0) {
        struct shared *s = block(q, 0);
        size_t left = s->len - q->head_done;
        if (n < left) {
            q->head_done += (uint32_t)n;
            return;
        }
        n -= left;
        shared_unref(s);
        q->head = (q->head + 1) & (q->cap - 1);
        q->count--;
        q->head_done = 0;
    }
}
