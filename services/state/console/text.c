#include "console/text.h"

#include "base/utf8.h"

static int put_valid(struct buf *out, struct view v)
{
    size_t from = 0;

    for (size_t i = 0; i < v.len;) {
        size_t n = v.ptr[i] == '\t' ? 0 : utf8_control_at(v, i);
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
