#include <errno.h>

#include "base/utf8.h"
#include "msg/msg.h"

/* A bounded walk over msgpack bytes: `left` counts the values still due at each depth. */
struct cursor {
    const unsigned char *p;
    size_t n;
    uint32_t items;
};

static bool take(struct cursor *c, size_t n, const unsigned char **at)
{
    if (c->n < n)
        return false;
    *at = c->p;
    c->p += n;
    c->n -= n;
    return true;
}

/* A big-endian number of `width` bytes. */
static bool number(struct cursor *c, size_t width, uint32_t *out)
{
    const unsigned char *at;

    if (!take(c, width, &at))
        return false;
    *out = 0;
    for (size_t i = 0; i < width; i++)
        *out = *out << 8 | at[i];
    return true;
}

static bool string(struct cursor *c, uint32_t len, bool text)
{
    const unsigned char *at;

    return take(c, len, &at) && (!text || utf8_valid(view_of(at, len)));
}

/* Reads one head (and the bytes of a scalar); *children becomes how many values must follow. */
static bool value(struct cursor *c, uint32_t *children)
{
    static const unsigned char fixed[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8}; /* 0xca ... 0xd3 */
    const unsigned char *at;
    uint32_t n;
    unsigned char head;

    *children = 0;
    if (!take(c, 1, &at))
        return false;
    head = *at;
    if (head < 0x80 || head >= 0xe0 || head == 0xc0 || head == 0xc2 || head == 0xc3)
        return true;
    if (head < 0xa0) {
        *children = head < 0x90 ? (head & 0x0fu) * 2 : head & 0x0fu;
        return true;
    }
    if (head < 0xc0)
        return string(c, head & 0x1f, true);
    if (head >= 0xca && head <= 0xd3)
        return take(c, fixed[head - 0xca], &at);
    if (head >= 0xd9 && head <= 0xdb)
        return number(c, (size_t)1 << (head - 0xd9), &n) && string(c, n, true);
    if (head >= 0xc4 && head <= 0xc6)
        return number(c, (size_t)1 << (head - 0xc4), &n) && string(c, n, false);
    if (head >= 0xdc) {
        if (!number(c, head & 1 ? 4 : 2, &n) || n > MSG_MAX_ITEMS)
            return false;
        *children = head >= 0xde ? n * 2 : n;
        return true;
    }
    return false; /* 0xc1 is unused; extensions are not ours */
}

/* Walks over one value. */
static bool walk(struct cursor *c)
{
    uint32_t due[MSG_MAX_DEPTH + 1] = {1};
    int depth = 0;

    while (depth >= 0) {
        uint32_t children;
        if (due[depth] == 0) {
            depth--;
            continue;
        }
        due[depth]--;
        if (!value(c, &children) || ++c->items > MSG_MAX_ITEMS)
            return false;
        if (children > c->n) /* each value takes at least a byte */
            return false;
        if (children) {
            if (depth == MSG_MAX_DEPTH)
                return false;
            due[++depth] = children;
        }
    }
    return true;
}

int msg_check(struct view v)
{
    struct cursor c = {(const unsigned char *)v.ptr, v.len, 0};

    return walk(&c) && c.n == 0 ? 0 : -EBADMSG;
}

size_t msg_length(struct view v)
{
    struct cursor c = {(const unsigned char *)v.ptr, v.len, 0};

    return walk(&c) ? v.len - c.n : 0;
}
