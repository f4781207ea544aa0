#include "hooks/template.h"

#include <string.h>

#include "base/array.h"
#include "base/uri.h"
#include "hooks/hook.h"
#include "json/json.h"

/* ---- fields ---- */

enum template_escape template_escape_of(const char *type)
{
    if (strcasestr(type, "json"))
        return ESCAPE_JSON;
    if (strcasestr(type, "xml") || strcasestr(type, "html"))
        return ESCAPE_XML;
    return strcasestr(type, "x-www-form-urlencoded") ? ESCAPE_URL : ESCAPE_NONE;
}

/* Without the quotes around it. */
static void put_json_inside(struct buf *out, struct view v)
{
    struct buf quoted;

    buf_init(&quoted, 0);
    json_put_string(&quoted, v);
    if (quoted.failed)
        out->failed = true;
    else
        buf_append(out, buf_data(&quoted) + 1, buf_len(&quoted) - 2);
    buf_free(&quoted);
}

static void put_xml(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        char c = v.ptr[i];
        if (c && strchr("&<>\"'", c))
            buf_printf(out, "&#%d;", c);
        else
            buf_append_char(out, c);
    }
}

static void put_field(struct buf *out, struct json_object *value, enum template_escape escape)
{
    struct view v = view_cstr(value ? json_object_get_string(value) : NULL);

    if (escape == ESCAPE_URL)
        uri_put_escaped(out, v);
    else if (escape == ESCAPE_JSON)
        put_json_inside(out, v);
    else if (escape == ESCAPE_XML)
        put_xml(out, v);
    else
        buf_append_view(out, v);
}

void template_put_text(struct buf *out, struct view text, struct json_object *event,
                       enum template_escape escape)
{
    while (text.len > 0) {
        ptrdiff_t open = view_find(text, VIEW("{{"));
        ptrdiff_t end =
            open < 0 ? -1
                     : view_find(view_of(text.ptr + open, text.len - (size_t)open), VIEW("}}"));
        if (end < 0) {
            buf_append_view(out, text);
            return;
        }
        buf_append(out, text.ptr, (size_t)open);
        put_field(out, hook_path(event, view_trim(view_of(text.ptr + open + 2, (size_t)end - 2))),
                  escape);
        text = view_of(text.ptr + open + end + 2, text.len - (size_t)(open + end + 2));
    }
}

const char *template_fault(struct view text)
{
    while (text.len > 0) {
        ptrdiff_t open = view_find(text, VIEW("{{"));
        if (open < 0)
            return NULL;
        text = view_of(text.ptr + open, text.len - (size_t)open);
        if (view_find(text, VIEW("}}")) < 0)
            return "a {{ has no }} behind it";
        text = view_of(text.ptr + 2, text.len - 2);
    }
    return NULL;
}

/* ---- a form ---- */

static void put_pairs(struct buf *out, struct json_object *value, const char *path)
{
    struct buf deeper;

    if (!json_object_is_type(value, json_type_object)) {
        if (!value || json_object_is_type(value, json_type_array))
            return;
        if (buf_len(out))
            buf_append_char(out, '&');
        uri_put_escaped(out, view_cstr(path));
        buf_append_char(out, '=');
        put_field(out, value, ESCAPE_URL);
        return;
    }
    json_object_object_foreach(value, key, one)
    {
        buf_init(&deeper, 4096);
        buf_printf(&deeper, "%s%s%s", path, *path ? "." : "", key);
        if (buf_cstr(&deeper))
            put_pairs(out, one, buf_cstr(&deeper));
        else
            out->failed = true;
        buf_free(&deeper);
    }
}

void template_put_form(struct buf *out, struct json_object *event)
{
    put_pairs(out, event, "");
}

/* ---- Zammad ---- */

static struct view text_at(struct json_object *event, struct view path)
{
    return json_view(hook_path(event, path));
}

static void put_pair(struct buf *out, const char *key, struct view value)
{
    buf_printf(out, "%s\"%s\":", buf_len(out) > 1 ? "," : "", key);
    json_put_string(out, value);
}

static struct view or_anonymous(struct view number)
{
    return number.len ? number : VIEW("anonymous");
}

/* The names of our own side: of the caller when the call goes out, else of the called. */
static void put_user(struct buf *out, struct json_object *event, bool goes_out)
{
    struct view name =
        text_at(event, goes_out ? VIEW("call.caller_name") : VIEW("call.called_name"));

    if (name.len == 0)
        return;
    buf_append_cstr(out, ",\"user\":[");
    json_put_string(out, name);
    buf_append_char(out, ']');
}

bool template_put_zammad(struct buf *out, struct json_object *event)
{
    static const struct {
        struct view event, zammad;
    } words[] = {{VIEW("call.ringing"), VIEW("newCall")},
                 {VIEW("call.answered"), VIEW("answer")},
                 {VIEW("call.ended"), VIEW("hangup")}};
    struct view name = json_get_view(event, "event");
    bool goes_out = view_eq(text_at(event, VIEW("call.direction")), VIEW("out"));
    struct view queue = text_at(event, VIEW("call.queue"));
    size_t i = 0;

    while (i < ARRAY_SIZE(words) && !view_eq(words[i].event, name))
        i++;
    if (i == ARRAY_SIZE(words))
        return false;
    buf_append_char(out, '{');
    put_pair(out, "event", words[i].zammad);
    put_pair(out, "from", or_anonymous(text_at(event, VIEW("call.caller_number"))));
    put_pair(out, "to", or_anonymous(text_at(event, VIEW("call.called_number"))));
    put_pair(out, "direction", goes_out ? VIEW("out") : VIEW("in"));
    put_pair(out, "callId", text_at(event, VIEW("call.id")));
    if (i < 2)
        put_user(out, event, goes_out);
    if (i == 0 && queue.len)
        put_pair(out, "queue", queue);
    if (i == 1)
        put_pair(out, "answeringNumber", or_anonymous(text_at(event, VIEW("call.called_number"))));
    if (i == 2)
        put_pair(out, "cause",
                 json_get_bool(event, "answered", false) ? VIEW("normalClearing") : VIEW("cancel"));
    buf_append_char(out, '}');
    return true;
}
