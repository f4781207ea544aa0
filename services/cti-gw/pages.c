#include "pages.h"

#include <string.h>

#include "pages_data.h"

/* Nothing of another origin is loaded or run, and no other page may frame this one: text of callers
 * that got into the page as markup could do nothing. */
#define POLICY                                                                                     \
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; "           \
    "frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: "               \
    "no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"

static const char not_built[] =
    "<!doctype html><title>ctibus</title><p>This cti-gw was built without the web client: esbuild "
    "and React (Debian packages esbuild, node-react-dom) were not there. Desktop clients connect "
    "as usual.</p>\n";

bool pages_exist(void)
{
    return pages_data[0].path != NULL;
}

/* The addresses inside the application. */
static bool is_application(struct view path)
{
    return view_eq(path, VIEW("/")) || view_eq(path, VIEW("/wall")) ||
           view_eq(path, VIEW("/admin"));
}

static const struct page_data *page_at(struct view path)
{
    if (is_application(path))
        path = VIEW("/index.html");
    for (const struct page_data *p = pages_data; p->path; p++)
        if (view_eq(view_cstr(p->path), path))
            return p;
    return NULL;
}

/* Does If-None-Match name it? A weak one, as proxies that compress make it, counts. */
static bool has_etag(struct view list, const char *etag)
{
    while (list.len > 0) {
        struct view one = view_trim(view_cut(&list, ','));
        if (view_starts(one, VIEW("W/")))
            one = view_of(one.ptr + 2, one.len - 2);
        if (view_eq(one, view_cstr(etag)))
            return true;
    }
    return false;
}

static void put_head(struct buf *out, const char *status, const char *type, size_t len)
{
    buf_printf(out, "HTTP/1.1 %s\r\nConnection: close\r\n" POLICY "Content-Length: %zu\r\n", status,
               len);
    if (type)
        buf_printf(out, "Content-Type: %s\r\n", type);
}

static int send_not_built(struct buf *out, bool body)
{
    put_head(out, "200 OK", "text/html; charset=utf-8", strlen(not_built));
    buf_append_cstr(out, "Cache-Control: no-store\r\n\r\n");
    if (body)
        buf_append_cstr(out, not_built);
    return 200;
}

static int send_page(const struct page_data *p, const struct ws_page_request *rq, struct buf *out,
                     bool body)
{
    bool known = has_etag(rq->etag, p->etag);
    size_t len = rq->gzip ? p->gzip_len : p->len;

    put_head(out, known ? "304 Not Modified" : "200 OK", p->type, known ? 0 : len);
    /* asked for each time: a page of an older server must not speak to a newer one */
    buf_printf(out, "ETag: %s\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n", p->etag);
    if (rq->gzip && !known)
        buf_append_cstr(out, "Content-Encoding: gzip\r\n");
    buf_append_cstr(out, "\r\n");
    if (body && !known)
        buf_append(out, rq->gzip ? p->gzip : p->data, len);
    return known ? 304 : 200;
}

int pages_answer(const struct ws_page_request *rq, struct buf *answer)
{
    const struct page_data *p = page_at(rq->path);
    bool get = view_eq(rq->method, VIEW("GET"));

    if (!p && !is_application(rq->path))
        return 0;
    if (!get && !view_eq(rq->method, VIEW("HEAD"))) {
        put_head(answer, "405 Method Not Allowed", NULL, 0);
        buf_append_cstr(answer, "Allow: GET, HEAD\r\n\r\n");
        return 405;
    }
    return p ? send_page(p, rq, answer, get) : send_not_built(answer, get);
}
