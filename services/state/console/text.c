#include "console/text.h"

#include "base/utf8.h"

/* How many bytes at p are a control character: 0, 1, or 2 (U+0080 to U+009F). */
static size_t control_at(const unsigned char *p, size_t left)
{
    if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
        return 1;
    return *p == 0xc2 && left > 1 && p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
}

static int put_valid(struct buf *out, struct view v)
{
    const unsigned char *p = (const unsigned char *)v.ptr;
    size_t from = 0;

    for (size_t i = 0; i < v.len;) {
        size_t n = control_at(p + i, v.len - i);
        if (n) {
            buf_append(out, v.ptr + from, i - from);
            buf_append_char(out, '?');
            from = i + n;
        }
        i += n ? n : 1;
    }
    return buf_append(out, v.ptr + from, v.len - from);
}

int text_put(struct buf *out, struct view v)
{
    struct buf mended;
    int rc;

    if (v.len == 0)
        return 0;
    if (utf8_valid(v))
        return put_valid(out, v);
    buf_init(&mended, 0);
    rc = utf8_mend(&mended, v);
    if (rc == 0)
        rc = put_valid(out, buf_view(&mended));
    buf_free(&mended);
    return rc;
}

size_t text_width(struct view v)
{
    size_t n = 0;

    for (size_t i = 0; i < v.len; i++)
        n += ((unsigned char)v.ptr[i] & 0xc0) != 0x80;
    return n;
}

static struct view trim(struct view v)
{
    if (v.len && v.ptr[v.len - 1] == '\r')
        v.len--;
    return view_trim(v);
}

bool text_cut_line(struct view *in, bool spelled, struct view *line)
{
    for (size_t i = 0; i < in->len; i++) {
        bool two = spelled && in->ptr[i] == '\\' && i + 1 < in->len && in->ptr[i + 1] == 'n';
        if (!two && in->ptr[i] != '\n')
            continue;
        *line = trim(view_of(in->ptr, i));
        in->ptr += i + 1 + two;
        in->len -= i + 1 + two;
        return true;
    }
    return false;
}
