#include "sheets/xml.h"

#include "base/utf8.h"

/* Whether XML has no place for the character at v.ptr[i]; *n becomes its length. v is UTF-8. */
static bool is_forbidden(struct view v, size_t i, size_t *n)
{
    unsigned char c = (unsigned char)v.ptr[i];

    *n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    return *n == 3 && memcmp(v.ptr + i, "\xef\xbf", 2) == 0 && (unsigned char)v.ptr[i + 2] >= 0xbe;
}

typedef void put_fn(struct buf *out, const char *character, size_t n);

/* Calls put for each character that may stand in XML. */
static void each(struct buf *out, struct view v, put_fn *put)
{
    struct buf mended;

    buf_init(&mended, 0);
    if (!utf8_valid(v)) {
        if (utf8_mend(&mended, v) < 0)
            out->failed = true;
        v = buf_view(&mended);
    }
    for (size_t i = 0, n; i < v.len; i += n)
        if (!is_forbidden(v, i, &n))
            put(out, v.ptr + i, n);
    buf_free(&mended);
}

/* Blanks but the space would be read back as spaces. */
static void put_attribute(struct buf *out, const char *character, size_t n)
{
    switch (*character) {
    case '&':
        buf_append_cstr(out, "&amp;");
        break;
    case '<':
        buf_append_cstr(out, "&lt;");
        break;
    case '>':
        buf_append_cstr(out, "&gt;");
        break;
    case '"':
        buf_append_cstr(out, "&quot;");
        break;
    case '\t':
    case '\n':
    case '\r':
        buf_printf(out, "&#%d;", *character);
        break;
    default:
        buf_append(out, character, n);
    }
}

void xml_put_attribute(struct buf *out, struct view v)
{
    each(out, v, put_attribute);
}

/* What has been written is looked at, so that nothing that was left out can hide a "]]>". */
static void put_cdata(struct buf *out, const char *character, size_t n)
{
    if (*character == '>' && buf_len(out) >= 2 &&
        memcmp(buf_data(out) + buf_len(out) - 2, "]]", 2) == 0)
        buf_append_cstr(out, "]]><![CDATA[");
    buf_append(out, character, n);
}

void xml_put_cdata(struct buf *out, struct view v)
{
    buf_append_cstr(out, "<![CDATA[");
    each(out, v, put_cdata);
    buf_append_cstr(out, "]]>");
}
