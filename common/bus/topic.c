#include "bus/topic.h"

#include <errno.h>

static bool plain(unsigned char c)
{
    return c > 0x20 && c != '/' && c != '%';
}

void topic_put(struct buf *out, struct view segment)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t done = 0;

    for (size_t i = 0; i < segment.len; i++) {
        unsigned char c = (unsigned char)segment.ptr[i];
        char esc[3];
        if (plain(c))
            continue;
        esc[0] = '%';
        esc[1] = hex[c >> 4];
        esc[2] = hex[c & 15];
        buf_append(out, segment.ptr + done, i - done);
        buf_append(out, esc, 3);
        done = i + 1;
    }
    buf_append(out, segment.len ? segment.ptr + done : NULL, segment.len - done);
    buf_append_char(out, '/');
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int topic_next(struct view *rest, struct buf *out)
{
    const char *end = rest->len ? memchr(rest->ptr, '/', rest->len) : NULL;
    struct view seg;

    if (!end)
        return -EINVAL;
    seg = view_of(rest->ptr, (size_t)(end - rest->ptr));
    *rest = view_of(end + 1, rest->len - seg.len - 1);
    if (!out)
        return 0;
    for (size_t i = 0; i < seg.len; i++) {
        int hi;
        int lo;
        if (seg.ptr[i] != '%') {
            buf_append_char(out, seg.ptr[i]);
            continue;
        }
        if (i + 2 >= seg.len || (hi = nibble(seg.ptr[i + 1])) < 0 ||
            (lo = nibble(seg.ptr[i + 2])) < 0)
            return -EINVAL;
        buf_append_char(out, (char)(hi << 4 | lo));
        i += 2;
    }
    return out->failed ? -ENOBUFS : 0;
}
