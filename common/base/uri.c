#include "base/uri.h"

bool uri_is_web(struct view uri)
{
    return view_starts(uri, VIEW("http://")) || view_starts(uri, VIEW("https://"));
}

void uri_put_public(struct buf *out, struct view uri)
{
    ptrdiff_t at = view_find(uri, VIEW("://"));
    size_t start = at < 0 ? 0 : (size_t)at + 3;
    size_t end = start;
    size_t host = start;

    while (end < uri.len && !strchr("/?#", uri.ptr[end]))
        if (uri.ptr[end++] == '@')
            host = end;
    buf_append(out, uri.ptr, start);
    buf_append(out, uri.ptr + host, uri.len - host);
}

char *uri_public(const char *uri)
{
    struct buf b;
    char *copy;

    buf_init(&b, 0);
    uri_put_public(&b, view_cstr(uri));
    copy = b.failed ? NULL : view_dup(buf_view(&b));
    buf_free(&b);
    return copy;
}

void uri_put_escaped(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            buf_append_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}
