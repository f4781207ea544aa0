#include "csv/csv.h"

#include <errno.h>

#include "base/utf8.h"

void csv_begin(struct csv *c, struct view text, char delimiter)
{
    c->rest = text;
    c->delimiter = delimiter;
    c->n = 0;
    c->line = 1;
    c->counted = text.ptr;
    buf_init(&c->text, 0);
}

void csv_end(struct csv *c)
{
    buf_free(&c->text);
}

static void skip(struct csv *c, size_t n)
{
    c->rest = view_of(c->rest.ptr + n, c->rest.len - n);
}

static bool ends_line(char ch)
{
    return ch == '\n' || ch == '\r';
}

static size_t plain_length(const struct csv *c)
{
    size_t n = 0;

    while (n < c->rest.len && c->rest.ptr[n] != c->delimiter && !ends_line(c->rest.ptr[n]))
        n++;
    return n;
}

/* What stands in quotes, behind the first one. */
static int quoted(struct csv *c)
{
    for (;;) {
        const char *quote = c->rest.len ? memchr(c->rest.ptr, '"', c->rest.len) : NULL;
        size_t n = quote ? (size_t)(quote - c->rest.ptr) : 0;
        bool doubled = quote && n + 1 < c->rest.len && quote[1] == '"';
        if (!quote)
            return -EINVAL;
        if (buf_append(&c->text, c->rest.ptr, n + doubled) < 0)
            return -ENOMEM;
        skip(c, n + 1 + doubled);
        if (!doubled)
            return 0;
    }
}

static int field(struct csv *c)
{
    size_t before = buf_len(&c->text);
    size_t n;
    int rc = 0;

    if (c->rest.len && c->rest.ptr[0] == '"') {
        skip(c, 1);
        rc = quoted(c);
    }
    n = plain_length(c);
    if (rc == 0 && buf_append(&c->text, c->rest.ptr, n) < 0)
        rc = -ENOMEM;
    if (rc < 0)
        return rc;
    skip(c, n);
    if (c->n < CSV_MAX_FIELDS)
        c->ends[c->n++] = buf_len(&c->text);
    else
        c->text.end -= buf_len(&c->text) - before;
    return 0;
}

/* CRLF is one end. */
static void count_lines(struct csv *c)
{
    for (; c->counted != c->rest.ptr; c->counted++)
        c->line += *c->counted == '\n' || (*c->counted == '\r' && c->counted[1] != '\n');
}

int csv_next(struct csv *c)
{
    bool more = true;

    c->n = 0;
    buf_reset(&c->text);
    while (c->rest.len && ends_line(c->rest.ptr[0]))
        skip(c, 1);
    if (c->rest.len == 0)
        return 0;
    count_lines(c);
    while (more) {
        int rc = field(c);
        if (rc < 0)
            return rc;
        more = c->rest.len && c->rest.ptr[0] == c->delimiter;
        if (c->rest.len) /* the delimiter, or what ends the line */
            skip(c, 1);
    }
    return 1;
}

struct view csv_field(const struct csv *c, size_t i)
{
    size_t start = i > 0 && i < c->n ? c->ends[i - 1] : 0;

    if (i >= c->n || c->ends[i] == start)
        return view_of(NULL, 0);
    return view_of(buf_data(&c->text) + start, c->ends[i] - start);
}

char csv_delimiter(struct view text)
{
    static const char delimiters[] = ",;\t";
    struct view line = view_cut(&text, '\n');

    for (const char *d = delimiters; *d; d++)
        if (line.len && memchr(line.ptr, *d, line.len))
            return *d;
    return ',';
}

int csv_text(struct buf *out, struct view file)
{
    if (view_starts(file, VIEW("\xef\xbb\xbf")))
        file = view_of(file.ptr + 3, file.len - 3);
    return utf8_valid(file) ? buf_append_view(out, file) : utf8_from_latin1(out, file);
}
