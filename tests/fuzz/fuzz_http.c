/* The head of an HTTP request, cut this way and that: what is taken does not depend on the cut,
 * lies inside of it, and has no control characters; then its path and its query, decoded, and its
 * route. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "schema/api.h"
#include "server/request.h"

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct view all, struct view part)
{
    MUST(part.len == 0 || (part.ptr >= all.ptr && part.ptr + part.len <= all.ptr + all.len));
    for (size_t i = 0; i < part.len; i++)
        MUST((unsigned char)part.ptr[i] >= ' ' || part.ptr[i] == '\t');
}

static void decode(struct view text, bool plus)
{
    struct buf out;

    buf_init(&out, 0);
    if (request_decode(&out, text, plus) == 0) {
        MUST(buf_len(&out) <= text.len && utf8_valid(buf_view(&out)));
        MUST(!utf8_has_control(buf_view(&out)));
    }
    buf_free(&out);
}

static void route(const struct request_head *h)
{
    struct api_match m;
    int rc = api_match(h->method, h->path, &m);

    MUST(rc == 0 || rc == -ENOENT || rc == -EOPNOTSUPP);
    if (rc == -ENOENT)
        return;
    MUST(m.route < ROUTE_COUNT &&
         (rc == 0) <= view_eq(h->method, view_cstr(api_route(m.route)->method)));
    for (size_t i = 0; rc == 0 && i < m.n; i++) {
        MUST(m.segments[i].len > 0 && !memchr(m.segments[i].ptr, '/', m.segments[i].len));
        check_inside(h->path, m.segments[i]);
        decode(m.segments[i], false);
    }
}

static void query(const struct request_head *h)
{
    const struct api_param *p;
    struct view value;

    for (size_t i = 0; (p = api_param(i)); i++)
        if (!p->in_body && request_param(h->query, view_cstr(p->name), &value)) {
            check_inside(h->query, value);
            decode(value, true);
        }
}

static void taken(struct view in, const struct request_head *h)
{
    const struct view all[] = {h->method,        h->path,          h->query,
                               h->authorization, h->last_event_id, h->idempotency_key,
                               h->content_type};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        check_inside(in, all[i]);
    MUST(h->method.len > 0 && h->path.len > 0 && h->path.ptr[0] == '/');
    MUST(h->query.len == 0 ||
         h->query.ptr == h->path.ptr + h->path.len + 1); /* gateway copies so */
    route(h);
    query(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = view_of(data, size);
    struct request_head whole, part;
    int n = request_parse(in, &whole);

    MUST(n <= (int)size && (n >= 0 || (n <= -400 && n >= -505)));
    if (n > 0) {
        taken(in, &whole);
        MUST(request_parse(view_of(data, (size_t)n), &part) == n);
    }
    for (size_t cut = 0; n > 0 && cut < (size_t)n; cut += 1 + cut / 8)
        MUST(request_parse(view_of(data, cut), &part) == 0); /* no early word */
    decode(in, size & 1);
    return 0;
}
