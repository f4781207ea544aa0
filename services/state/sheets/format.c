#include "sheets/format.h"

#include "config/template.h"
#include "json/json.h"

static void put_encoded(struct buf *out, struct view v)
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

static struct view value_of(struct json_object *values, const struct template_part *part)
{
    return json_view(json_member(json_member(values, part->family), part->name));
}

/* At most SHEET_MAX_VALUE bytes, and no part of a character. */
static struct view cut(struct view v)
{
    size_t n = v.len < SHEET_MAX_VALUE ? v.len : SHEET_MAX_VALUE;

    while (n < v.len && n > 0 && ((unsigned char)v.ptr[n] & 0xc0) == 0x80)
        n--;
    return view_of(v.ptr, n);
}

void sheet_format(struct buf *out, struct json_object *values, struct view format,
                  struct view otherwise, bool url)
{
    struct template_part part;
    bool variables = false;
    bool any = false;
    struct buf text;

    buf_init(&text, (size_t)16 * SHEET_MAX_VALUE);
    while (buf_len(&text) <= SHEET_MAX_VALUE && template_next(&format, &part)) {
        struct view value = value_of(values, &part);
        buf_append_view(&text, part.text);
        variables = variables || part.family.len;
        any = any || value.len;
        if (url && buf_len(&text))
            put_encoded(&text, value);
        else
            buf_append_view(&text, value);
    }
    if ((variables && !any) || buf_len(&text) == 0)
        buf_append_view(out, cut(otherwise));
    else
        buf_append_view(out, cut(buf_view(&text)));
    buf_free(&text);
}

bool sheet_format_has(struct view format, struct view family)
{
    struct template_part part;

    while (template_next(&format, &part))
        if (part.family.len && view_eq(part.family, family))
            return true;
    return false;
}
