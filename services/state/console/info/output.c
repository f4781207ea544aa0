/* The answers of INFO: lines, tables, values, and how they end. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "console/info/info.h"
#include "console/text.h"

static void format(struct info *i, const char *fmt, va_list ap)
{
    char *text;

    if (i->out.failed || vasprintf(&text, fmt, ap) < 0)
        return;
    text_put(&i->out, view_cstr(text));
    buf_append_char(&i->out, '\n');
    free(text);
}

void info_line(struct info *i, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    format(i, fmt, ap);
    va_end(ap);
}

enum info_end info_wrong(struct info *i, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    format(i, fmt, ap);
    va_end(ap);
    return INFO_KO;
}

void info_table(struct info *i, struct columns *c)
{
    if (!columns_end(c, &i->out))
        i->cut = true;
}

const char *info_date(double seconds, char out[INFO_DATE])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (seconds <= 0 || !gmtime_r(&t, &tm) || !strftime(out, INFO_DATE, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, INFO_DATE, "-");
    return out;
}

void info_put_value(struct buf *out, const struct value *v)
{
    char scratch[32];

    if (v->type == V_LIST) {
        for (uint32_t n = 0; n < v->len; n++) {
            if (n)
                buf_append_char(out, ',');
            info_put_value(out, &v->items[n]);
        }
    } else if (v->type == V_MAP) {
        if (v->len)
            value_put_json(out, v);
    } else {
        buf_append_view(out, value_text(v, scratch));
    }
}

/* Sends what there is of the answer, and how it ended. */
void info_end_answer(struct info *i, enum info_end how)
{
    struct view text = buf_view(&i->out);

    if (i->out.failed || i->cut) {
        while (text.len && text.ptr[text.len - 1] != '\n')
            text.len--;
        line_client_send(i->line_client, text);
        line_client_send(i->line_client, VIEW("(the rest is left out: it is too long)\n"));
    } else {
        line_client_send(i->line_client, text);
    }
    line_client_send(i->line_client, how == INFO_KO || how == INFO_NO ? VIEW("XIVO-INFO:KO\n")
                                                                      : VIEW("XIVO-INFO:OK\n"));
    buf_free(&i->out);
    i->cut = false;
    if (how == INFO_BYE || how == INFO_NO)
        line_client_close(i->line_client);
}

void info_wait_begin(struct info *i, struct info_wait *w)
{
    w->info = i;
    i->wait = w;
    line_client_hold(i->line_client);
}

void info_wait_end(struct info_wait *w, enum info_end how)
{
    struct info *i = w->info;

    if (!i)
        return;
    i->wait = NULL;
    info_end_answer(i, how);
    line_client_go_on(i->line_client);
}
