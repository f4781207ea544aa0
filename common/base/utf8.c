#include "base/utf8.h"

/* Length of the well-formed sequence at p, or 0; *bad becomes the length of the maximal bad part
 * (always at least 1). */
static size_t sequence(const unsigned char *p, size_t n, size_t *bad)
{
    unsigned char lo = 0x80;
    unsigned char hi = 0xbf;
    size_t need;

    *bad = 1;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    need = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        lo = 0xa0;
    else if (p[0] == 0xed)
        hi = 0x9f;
    else if (p[0] == 0xf0)
        lo = 0x90;
    else if (p[0] == 0xf4)
        hi = 0x8f;
    for (size_t i = 1; i < need; i++) {
        if (i >= n || p[i] < lo || p[i] > hi) {
            *bad = i;
            return 0;
        }
        lo = 0x80;
        hi = 0xbf;
    }
    return need;
}

/* How many bytes from p on are plain ASCII, eight at a time. */
static size_t ascii_run(const unsigned char *p, size_t n)
{
    size_t i = 0;
    uint64_t w;

    for (; i + 8 <= n; i += 8) {
        memcpy(&w, p + i, 8);
        if (w & 0x8080808080808080u)
            break;
    }
    while (i < n && p[i] < 0x80)
        i++;
    return i;
}

bool utf8_valid(struct view v)
{
    const unsigned char *p = (const unsigned char *)v.ptr;
    size_t bad;

    for (size_t i = 0; i < v.len;) {
        size_t n = ascii_run(p + i, v.len - i);
        i += n;
        if (i == v.len)
            break;
        n = sequence(p + i, v.len - i, &bad);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

struct view utf8_cut(struct view v, size_t max)
{
    size_t n = v.len < max ? v.len : max;

    while (n < v.len && n > 0 && ((unsigned char)v.ptr[n] & 0xc0) == 0x80)
        n--;
    return view_of(v.ptr, n);
}

int utf8_mend(struct buf *out, struct view v)
{
    const unsigned char *p = (const unsigned char *)v.ptr;
    size_t done = 0;
    size_t i = 0;

    while (i < v.len) {
        size_t bad;
        size_t n = sequence(p + i, v.len - i, &bad);
        if (n) {
            i += n;
            continue;
        }
        buf_append(out, p + done, i - done);
        buf_append(out, "\xef\xbf\xbd", 3);
        i += bad;
        done = i;
    }
    return buf_append(out, v.len ? p + done : NULL, v.len - done) < 0 || out->failed ? -1 : 0;
}

int utf8_from_latin1(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.ptr[i];
        if (c < 0x80) {
            buf_append(out, &c, 1);
        } else {
            char two[2] = {(char)(0xc0 | (c >> 6)), (char)(0x80 | (c & 0x3f))};
            buf_append(out, two, 2);
        }
    }
    return out->failed ? -1 : 0;
}

size_t utf8_length(struct view v)
{
    size_t bad;

    return v.len ? sequence((const unsigned char *)v.ptr, v.len, &bad) : 0;
}

size_t utf8_control_at(struct view v, size_t i)
{
    const unsigned char *p = (const unsigned char *)v.ptr + i;

    if (*p < 0x20 || *p == 0x7f)
        return 1;
    return *p == 0xc2 && i + 1 < v.len && p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
}

bool utf8_has_control(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (utf8_control_at(v, i))
            return true;
    return false;
}
