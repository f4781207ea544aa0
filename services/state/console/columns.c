#include "console/columns.h"

#include <stdarg.h>
#include <stdio.h>

#include "console/text.h"

#define GAP 2
#define WIDEST 48 /* what is longer pushes the rest of its own row aside */

void columns_begin(struct columns *c, const char *const *titles)
{
    *c = (struct columns){0};
    buf_init(&c->text, COLUMNS_MAX_BYTES);
    while (titles[c->n] && c->n < COLUMNS_MAX)
        c->n++;
    for (size_t i = 0; i < c->n; i++)
        columns_put(c, view_cstr(titles[i]));
}

void columns_put(struct columns *c, struct view text)
{
    if (c->text.failed)
        return;
    text_put(&c->text, text.len ? text : VIEW("-"));
    buf_append_char(&c->text, '\0');
    if (!c->text.failed) /* else it is there in part, and the row will not be printed */
        c->cells++;
}

void columns_printf(struct columns *c, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    columns_put(c, view_cstr(text));
}

static void put_cell(struct buf *out, struct view cell, size_t width, bool last)
{
    size_t n = text_width(cell);

    buf_append_view(out, cell);
    if (last) {
        buf_append_char(out, '\n');
        return;
    }
    do
        buf_append_char(out, ' ');
    while (++n < width + GAP);
}

static void measure(const struct columns *c, size_t cells, size_t width[COLUMNS_MAX])
{
    struct view rest = buf_view(&c->text);

    for (size_t i = 0; i < cells; i++) {
        size_t n = text_width(view_cut(&rest, '\0'));
        if (n > width[i % c->n])
            width[i % c->n] = n < WIDEST ? n : WIDEST;
    }
}

bool columns_end(struct columns *c, struct buf *out)
{
    struct view rest = buf_view(&c->text);
    size_t whole = c->cells / c->n * c->n;
    size_t width[COLUMNS_MAX] = {0};
    bool complete = !c->text.failed;

    measure(c, whole, width);
    for (size_t i = 0; i < whole && !out->failed; i++)
        put_cell(out, view_cut(&rest, '\0'), width[i % c->n], i % c->n == c->n - 1);
    buf_free(&c->text);
    return complete;
}
