#include "server/request.h"

#include <errno.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "net/http_text.h"

/* ---- headers ---- */

struct reading {
    struct request_head *head;
    bool http_1_0, host, length, closes, stays;
    size_t n;
};

static int take_length(struct reading *r, struct view value)
{
    uint64_t n;

    if (view_to_u64(value, &n) < 0 || value.ptr[0] == '+' || value.ptr[0] == '-' ||
        (r->length && n != r->head->content_length))
        return -400;
    r->length = true;
    r->head->content_length = n;
    return 0;
}

static int set_once(struct view *at, struct view value)
{
    if (at->ptr)
        return -400;
    *at = value;
    return 0;
}

static int take_header(struct reading *r, struct view line)
{
    struct request_head *h = r->head;
    struct view value = line;
    struct view name = view_cut(&value, ':');

    if (!http_is_token(name) || name.len == line.len || !http_is_text(value))
        return -400;
    if (++r->n > REQUEST_MAX_HEADERS)
        return -431;
    value = view_trim(value);
    if (view_ieq(name, VIEW("Host"))) {
        if (r->host)
            return -400;
        r->host = true;
    } else if (view_ieq(name, VIEW("Content-Length"))) {
        return take_length(r, value);
    } else if (view_ieq(name, VIEW("Transfer-Encoding"))) {
        return -411; /* a body must say how long it is */
    } else if (view_ieq(name, VIEW("Connection"))) {
        r->closes = r->closes || http_has_word(value, VIEW("close"));
        r->stays = r->stays || http_has_word(value, VIEW("keep-alive"));
    } else if (view_ieq(name, VIEW("Expect"))) {
        h->expects_go_ahead = view_ieq(value, VIEW("100-continue"));
    } else if (view_ieq(name, VIEW("Authorization"))) {
        return set_once(&h->authorization, value);
    } else if (view_ieq(name, VIEW("Last-Event-ID"))) {
        return set_once(&h->last_event_id, value);
    } else if (view_ieq(name, VIEW("Idempotency-Key"))) {
        return set_once(&h->idempotency_key, value);
    } else if (view_ieq(name, VIEW("Content-Type"))) {
        return set_once(&h->content_type, value);
    }
    return 0;
}

static int take_request_line(struct reading *r, struct view line)
{
    struct view target;

    r->head->method = view_cut(&line, ' ');
    target = view_cut(&line, ' ');
    if (!http_is_token(r->head->method) || target.len == 0 || target.ptr[0] != '/' ||
        !http_is_text(target) || memchr(target.ptr, '\t', target.len))
        return -400;
    r->head->path = view_cut(&target, '?');
    r->head->query = target;
    if (memchr(r->head->path.ptr, '#', r->head->path.len) ||
        (target.len && memchr(target.ptr, '#', target.len)))
        return -400;
    r->http_1_0 = view_eq(line, VIEW("HTTP/1.0"));
    if (r->http_1_0 || view_eq(line, VIEW("HTTP/1.1")))
        return 0;
    return view_starts(line, VIEW("HTTP/")) ? -505 : -400;
}

/* The lines of a whole head. */
static int take_lines(struct reading *r, struct view head)
{
    struct view line;
    int rc;

    if (!http_take_line(&head, &line))
        return -400;
    rc = take_request_line(r, line);
    while (rc == 0 && head.len > 0)
        rc = http_take_line(&head, &line) ? take_header(r, line) : -400;
    if (rc == 0 && !r->host && !r->http_1_0)
        rc = -400;
    return rc;
}

int request_parse(struct view in, struct request_head *head)
{
    struct reading r = {.head = head};
    size_t blank = 0; /* an empty line in front, as old clients send behind a body */
    ptrdiff_t end;
    int rc;

    *head = (struct request_head){.content_length = 0};
    while (blank < 4 && view_starts(view_of(in.ptr + blank, in.len - blank), VIEW("\r\n")))
        blank += 2;
    in = view_of(in.ptr + blank, in.len - blank);
    end = view_find(in, VIEW("\r\n\r\n"));
    if (end < 0)
        return in.len > REQUEST_MAX_HEAD ? -431 : 0;
    if ((size_t)end > REQUEST_MAX_HEAD)
        return -431;
    rc = take_lines(&r, view_of(in.ptr, (size_t)end + 2));
    if (rc < 0)
        return rc;
    head->keep_alive = r.http_1_0 ? r.stays && !r.closes : !r.closes;
    head->expects_go_ahead = head->expects_go_ahead && !r.http_1_0;
    return (int)(blank + (size_t)end + 4);
}

/* ---- targets ---- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int request_decode(struct buf *out, struct view text, bool plus)
{
    size_t start = buf_len(out);

    if (text.len == 0)
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -EINVAL;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        buf_append_char(out, c);
    }
    if (out->failed)
        return -ENOMEM;
    text = view_of(buf_data(out) + start, buf_len(out) - start);
    return utf8_valid(text) && !utf8_has_control(text) ? 0 : -EINVAL;
}

bool request_param(struct view query, struct view name, struct view *value)
{
    while (query.len > 0) {
        struct view rest = view_cut(&query, '&');
        if (!view_eq(view_cut(&rest, '='), name))
            continue;
        *value = rest;
        return true;
    }
    return false;
}
