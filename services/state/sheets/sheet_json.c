/* Sheets as objects, for clients that would have to take XML apart. */
#include "base/utf8.h"
#include "msg/msg.h"
#include "sheets/format.h"
#include "sheets/rules.h"
#include "sheets/sheet.h"

void sheet_put_text(struct buf *out, struct view v)
{
    struct buf mended;

    if (utf8_valid(v)) {
        msg_put_str(out, v);
        return;
    }
    buf_init(&mended, 0);
    if (utf8_mend(&mended, v) < 0)
        out->failed = true;
    msg_put_str(out, buf_view(&mended));
    buf_free(&mended);
}

static void put_text(struct buf *out, const char *key, struct view v)
{
    msg_put_cstr(out, key);
    sheet_put_text(out, v);
}

static void put_row(struct buf *out, const struct sheet_row *row, struct view text)
{
    msg_put_map(out, 4);
    msg_put_cstr(out, "order");
    msg_put_i64(out, row->order);
    put_text(out, "name", row->title);
    put_text(out, "type", row->type);
    put_text(out, "value", text);
}

/* As the XML has them, but forms: those are of Qt. */
static void put_rows(struct buf *out, const struct sheet *s, const char *key, const char *part,
                     size_t begin)
{
    struct sheet_row rows[MAX_ROWS];
    size_t n = rules_rows(s->display, part, rows);
    size_t mark, written = 0;
    struct buf text;

    buf_init(&text, 0);
    msg_put_cstr(out, key);
    mark = msg_array_begin(out);
    for (size_t i = 0; i < n; i++) {
        if (view_eq(rows[i].type, VIEW("form")))
            continue;
        buf_reset(&text);
        sheet_format(&text, s->values, rows[i].format, rows[i].otherwise,
                     view_starts(rows[i].type, VIEW("url")));
        if (buf_len(out) - begin + buf_len(&text) + rows[i].title.len > SHEET_MAX_XML)
            break;
        put_row(out, &rows[i], buf_view(&text));
        written++;
    }
    msg_array_end(out, mark, written);
    buf_free(&text);
}

void sheet_put_object(struct buf *out, const struct sheet *s)
{
    size_t begin = buf_len(out);

    msg_put_map(out, 7);
    put_text(out, "ipbxid", sheet_value(s, "ipbxid"));
    put_text(out, "channel", sheet_value(s, "channel"));
    put_text(out, "where", sheet_value(s, "where"));
    msg_put_cstr(out, "focus");
    msg_put_bool(out, rules_option(s->option, "focus"));
    put_rows(out, s, "fields", "sheet_info", begin);
    put_rows(out, s, "systray", "systray_info", begin);
    put_rows(out, s, "actions", "action_info", begin);
}
