#include "sheets/sheet.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <zlib.h>

#include "sheets/format.h"
#include "sheets/rules.h"
#include "sheets/xml.h"
#include "json/json.h"

struct sheet *sheet_new(struct xod_ipbx *ipbx, struct json_object *display,
                        struct json_object *option, struct json_object **values,
                        struct recipients *to)
{
    struct sheet *s = calloc(1, sizeof(*s));

    if (s) {
        s->ipbx = ipbx;
        s->display = json_object_get(display);
        s->option = json_object_get(option);
        s->values = *values;
        s->to = *to;
        *to = (struct recipients){0};
    } else {
        json_object_put(*values);
        recipients_clear(to);
    }
    *values = NULL;
    return s;
}

void sheet_destroy(struct sheet **sheet)
{
    if (!*sheet)
        return;
    json_object_put((*sheet)->display);
    json_object_put((*sheet)->option);
    json_object_put((*sheet)->values);
    recipients_clear(&(*sheet)->to);
    free(*sheet);
    *sheet = NULL;
}

struct view sheet_value(const struct sheet *sheet, const char *name)
{
    return json_get_view(json_get(sheet->values, "xivo"), name);
}

/* ---- XML ---- */

#define HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?><profile><user>"
#define FOOT "</user></profile>"

/* Appends an element if it is whole, and leaves room for the end. */
static void put_element(struct buf *out, const struct buf *element)
{
    if (!element->failed && buf_len(out) + buf_len(element) + strlen(FOOT) <= SHEET_MAX_XML)
        buf_append_view(out, buf_view(element));
}

static void put_internal(struct buf *out, const char *name, struct view value)
{
    struct buf e;

    buf_init(&e, SHEET_MAX_XML);
    buf_printf(&e, "<internal name=\"%s\">", name);
    xml_put_cdata(&e, value);
    buf_append_cstr(&e, "</internal>");
    put_element(out, &e);
    buf_free(&e);
}

static void put_row(struct buf *out, const char *part, const struct sheet_row *r, struct view text)
{
    struct buf e;

    buf_init(&e, SHEET_MAX_XML);
    buf_printf(&e, "<%s order=\"%04d\" name=\"", part, (int)r->order);
    xml_put_attribute(&e, r->title);
    buf_append_cstr(&e, "\" type=\"");
    xml_put_attribute(&e, r->type);
    buf_append_cstr(&e, "\">");
    xml_put_cdata(&e, text);
    buf_printf(&e, "</%s>", part);
    put_element(out, &e);
    buf_free(&e);
}

static size_t put_rows(struct buf *out, const struct sheet *s, const char *part)
{
    struct sheet_row rows[MAX_ROWS];
    size_t n = rules_rows(s->display, part, rows);
    struct buf text;

    buf_init(&text, 0);
    for (size_t i = 0; i < n; i++) {
        buf_reset(&text);
        sheet_format(&text, s->values, rows[i].format, rows[i].otherwise,
                     view_starts(rows[i].type, VIEW("url")));
        put_row(out, part, &rows[i], buf_view(&text));
    }
    buf_free(&text);
    return n;
}

static void put_forms(struct buf *out, const struct sheet *s, const struct forms *forms)
{
    struct json_object *all = json_get_object(s->display, "sheet_qtui");
    struct sheet_row r = {.type = VIEW("None")};

    if (!all)
        return;
    json_object_object_foreach(all, name, value)
    {
        struct view text = forms_text(forms, json_view(value));
        if (text.len == 0 || r.order + 10 > 9999)
            continue;
        r.title = view_cstr(name);
        r.order += 10;
        put_row(out, "sheet_qtui", &r, text);
    }
}

/* The clients want a form before the row that shows it. */
void sheet_put_xml(struct buf *out, const struct sheet *s, const struct forms *forms)
{
    buf_append_cstr(out, HEAD);
    put_internal(out, "ipbxid", sheet_value(s, "ipbxid"));
    put_internal(out, "where", sheet_value(s, "where"));
    put_internal(out, "channel", sheet_value(s, "channel"));
    put_internal(out, "focus", rules_option(s->option, "focus") ? VIEW("yes") : VIEW("no"));
    put_internal(out, "zip", rules_option(s->option, "zip") ? VIEW("1") : VIEW("0"));
    put_forms(out, s, forms);
    put_rows(out, s, "sheet_info");
    if (put_rows(out, s, "systray_info") == 0) /* it would be an empty bubble */
        put_internal(out, "nosystraypopup", VIEW("yes"));
    put_rows(out, s, "action_info");
    buf_append_cstr(out, FOOT);
}

/* ---- payload ---- */

static int put_base64(struct buf *out, struct view v)
{
    char *scratch = buf_reserve(out, 4 * ((v.len + 2) / 3) + 1);

    if (!scratch)
        return -ENOMEM;
    buf_commit(out, (size_t)EVP_EncodeBlock((unsigned char *)scratch, (const unsigned char *)v.ptr,
                                            (int)v.len));
    return 0;
}

int sheet_put_payload(struct buf *out, struct view xml, bool zip)
{
    uLongf n = compressBound(xml.len);
    struct buf packed;
    char *scratch;
    int rc = -ENOMEM;

    if (!zip)
        return put_base64(out, xml);
    buf_init(&packed, 0);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_append_char(&packed, (char)(xml.len >> shift));
    scratch = buf_reserve(&packed, n);
    if (scratch && compress((Bytef *)scratch, &n, (const Bytef *)xml.ptr, xml.len) == Z_OK) {
        buf_commit(&packed, n);
        rc = put_base64(out, buf_view(&packed));
    }
    buf_free(&packed);
    return rc;
}
