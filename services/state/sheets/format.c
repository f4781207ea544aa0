#include "sheets/format.h"

#include "base/uri.h"
#include "base/utf8.h"
#include "config/template.h"
#include "json/json.h"

static struct view value_of(struct json_object *values, const struct template_part *part)
{
    return json_view(json_member(json_member(values, part->family), part->name));
}

void sheet_format(struct buf *out, struct json_object *values, struct view format,
                  struct view otherwise, bool url)
{
    struct template_part part;
    bool variables = false;
    bool any = false;
    struct buf text;

    if (view_eq(view_trim(format), VIEW("{xivo-callerpicture}"))) { /* has a limit of its own */
        struct view picture =
            json_view(json_member(json_get(values, "xivo"), VIEW("callerpicture")));
        buf_append_view(out, picture.len ? picture : utf8_cut(otherwise, SHEET_MAX_VALUE));
        return;
    }
    buf_init(&text, (size_t)16 * SHEET_MAX_VALUE);
    while (buf_len(&text) <= SHEET_MAX_VALUE && template_next(&format, &part)) {
        struct view value = value_of(values, &part);
        buf_append_view(&text, part.text);
        variables = variables || part.family.len;
        any = any || value.len;
        if (url && buf_len(&text))
            uri_put_escaped(&text, value);
        else
            buf_append_view(&text, value);
    }
    if ((variables && !any) || buf_len(&text) == 0)
        buf_append_view(out, utf8_cut(otherwise, SHEET_MAX_VALUE));
    else
        buf_append_view(out, utf8_cut(buf_view(&text), SHEET_MAX_VALUE));
    buf_free(&text);
}

bool sheet_format_has(struct view format, struct view family, const struct view *name)
{
    struct template_part part;

    while (template_next(&format, &part))
        if (part.family.len && view_eq(part.family, family) && (!name || view_eq(part.name, *name)))
            return true;
    return false;
}
