/* A sheet with one row (TITLE NUL TYPE NUL DEFAULT NUL FORMAT NUL VALUE): whatever is in them, what
 * comes out is XML with just that row, of characters that XML allows. */
#include <stdlib.h>

#include "base/utf8.h"
#include "sheets/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Skips what must stand there. */
static void skip(struct view *at, const char *what)
{
    must(view_starts(*at, view_cstr(what)));
    *at = view_of(at->ptr + strlen(what), at->len - strlen(what));
}

/* Skips to `end`, in which `never` must not stand. */
static void skip_to(struct view *at, const char *end, const char *never)
{
    ptrdiff_t n = view_find(*at, view_cstr(end));

    must(n >= 0);
    must(!strpbrk(never, "<") || !memchr(at->ptr, '<', (size_t)n));
    *at = view_of(at->ptr + n, at->len - (size_t)n);
    skip(at, end);
}

/* CDATA sections one behind the other. */
static void skip_cdata(struct view *at)
{
    do {
        skip(at, "<![CDATA[");
        skip_to(at, "]]>", "");
    } while (view_starts(*at, VIEW("<![CDATA[")));
}

static void check_xml(struct view xml)
{
    struct view at = xml;

    must(utf8_valid(xml) && xml.len <= SHEET_MAX_XML);
    for (size_t i = 0; i < xml.len; i++)
        must((unsigned char)xml.ptr[i] >= ' ' || strchr("\t\r\n", xml.ptr[i]));
    must(view_find(xml, VIEW("\xef\xbf\xbe")) < 0 && view_find(xml, VIEW("\xef\xbf\xbf")) < 0);
    skip(&at, "<?xml version=\"1.0\" encoding=\"utf-8\"?><profile><user>");
    while (view_starts(at, VIEW("<internal name=\""))) {
        skip_to(&at, ">", "");
        skip_cdata(&at);
        skip(&at, "</internal>");
    }
    if (view_starts(at, VIEW("<sheet_info"))) { /* it may have been too large */
        skip(&at, "<sheet_info order=\"0010\" name=\"");
        skip_to(&at, "\"", "<");
        skip(&at, " type=\"");
        skip_to(&at, "\"", "<");
        skip(&at, ">");
        skip_cdata(&at);
        skip(&at, "</sheet_info>");
    }
    skip(&at, "<internal name=\"nosystraypopup\"><![CDATA[yes]]></internal></user></profile>");
    must(at.len == 0);
}

static struct json_object *text(struct view v)
{
    return json_object_new_string_len(v.ptr ? v.ptr : "", (int)v.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = view_of(data, size);
    struct json_object *display = json_object_new_object();
    struct json_object *rows = json_object_new_object();
    struct json_object *row = json_object_new_array();
    struct json_object *values = json_object_new_object();
    struct json_object *xivo = json_object_new_object();
    struct recipients to = {0};
    struct forms *forms = forms_new();
    struct sheet *sheet;
    struct buf xml;

    for (int i = 0; i < 4; i++)
        json_object_array_add(row, text(view_cut(&rest, '\0')));
    json_object_object_add(rows, "10", row);
    json_object_object_add(display, "sheet_info", rows);
    json_object_object_add(xivo, "x", text(rest));
    json_object_object_add(xivo, "channel", text(rest));
    json_object_object_add(values, "xivo", xivo);
    sheet = sheet_new(NULL, display, NULL, &values, &to);
    buf_init(&xml, SHEET_MAX_XML);
    sheet_put_xml(&xml, sheet, forms);
    must(!xml.failed);
    check_xml(buf_view(&xml));
    buf_free(&xml);
    sheet_destroy(&sheet);
    forms_destroy(&forms);
    json_object_put(display);
    return 0;
}
