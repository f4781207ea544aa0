/* What the tool prints of texts from elsewhere: a name of an Asterisk may contain control
 * characters, which a terminal would obey. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tool.h"

#define INSTEAD VIEW("\xef\xbf\xbd") /* U+FFFD */

void tool_put_plain(struct buf *out, struct view text)
{
    struct buf mended;
    struct view v;

    buf_init(&mended, 0);
    utf8_mend(&mended, text);
    v = buf_view(&mended);
    for (size_t i = 0; i < v.len;) {
        size_t control = utf8_control_at(v, i);
        if (control)
            buf_append_view(out, INSTEAD);
        else
            buf_append_char(out, v.ptr[i]);
        i += control ? control : 1;
    }
    buf_free(&mended);
}

void tool_say_args(FILE *to, const char *fmt, va_list ap)
{
    struct buf out;
    char *text;

    if (vasprintf(&text, fmt, ap) < 0)
        return;
    buf_init(&out, 0);
    tool_put_plain(&out, view_cstr(text));
    buf_append_char(&out, '\n');
    fwrite(buf_data(&out), 1, buf_len(&out), to);
    buf_free(&out);
    free(text);
}

void tool_say(FILE *to, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tool_say_args(to, fmt, ap);
    va_end(ap);
}

void tool_fail(struct tool *t, const char *fmt, ...)
{
    va_list ap;

    fputs("ctibus: ", stderr);
    va_start(ap, fmt);
    tool_say_args(stderr, fmt, ap);
    va_end(ap);
    t->exit_code = 1;
}

void tool_put_word(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:@%+=,";

    if (*text && strspn(text, plain) == strlen(text)) {
        buf_append_cstr(out, text);
        return;
    }
    buf_append_char(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            buf_append_cstr(out, "'\\''");
        else
            buf_append_char(out, *text);
    buf_append_char(out, '\'');
}
