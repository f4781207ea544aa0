/* A web server on the test's own loop, with a few pages. Include after cmocka.h. */
#ifndef CTIBUS_TESTS_WEBSERVER_H
#define CTIBUS_TESTS_WEBSERVER_H

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <string.h>

#include "loop/loop.h"

#define WEB_PAGES 8

struct page {
    const char *path;
    const char *body;
    const char *etag, *modified; /* given, and answered with 304 when the client has them */
    const char *location;        /* not NULL: redirects there */
    int status;                  /* 0: 200 */
    bool silent;                 /* takes the request and never answers */
    bool chunked;                /* without Content-Length */
    int hits, unchanged;         /* requests, and answers with 304 */
};

struct webserver {
    struct loop *loop;
    struct evhttp *http;
    uint16_t port;
    char authorization[64]; /* of the last request */
    char query[512];        /* what stood behind its ? */
    struct page pages[WEB_PAGES];
};

/* The page of that path; made when there is none. */
static inline struct page *web_page(struct webserver *s, const char *path)
{
    for (int i = 0; i < WEB_PAGES; i++) {
        if (!s->pages[i].path)
            s->pages[i].path = path;
        if (strcmp(s->pages[i].path, path) == 0)
            return &s->pages[i];
    }
    fail_msg("too many pages");
    return NULL;
}

static inline void web_header(struct evhttp_request *r, const char *name, const char *value)
{
    if (value)
        evhttp_add_header(evhttp_request_get_output_headers(r), name, value);
}

static inline bool web_client_has(struct evhttp_request *r, const char *name, const char *value)
{
    const char *given = evhttp_find_header(evhttp_request_get_input_headers(r), name);

    return value && given && strcmp(given, value) == 0;
}

static inline void web_send(struct evhttp_request *r, const struct page *p)
{
    struct evbuffer *body = evbuffer_new();

    evbuffer_add(body, p->body ? p->body : "", p->body ? strlen(p->body) : 0);
    if (p->chunked) {
        evhttp_send_reply_start(r, 200, NULL);
        evhttp_send_reply_chunk(r, body);
        evhttp_send_reply_end(r);
    } else {
        evhttp_send_reply(r, p->status ? p->status : 200, NULL, body);
    }
    evbuffer_free(body);
}

static inline void web_answer(struct evhttp_request *r, void *arg)
{
    struct webserver *s = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(r);
    struct page *p = web_page(s, evhttp_uri_get_path(uri));
    const char *query = evhttp_uri_get_query(uri);
    const char *given = evhttp_find_header(evhttp_request_get_input_headers(r), "Authorization");

    p->hits++;
    snprintf(s->query, sizeof(s->query), "%s", query ? query : "");
    snprintf(s->authorization, sizeof(s->authorization), "%s", given ? given : "");
    if (p->silent)
        return;
    web_header(r, "ETag", p->etag);
    web_header(r, "Last-Modified", p->modified);
    web_header(r, "Location", p->location);
    if (p->location) {
        evhttp_send_reply(r, 302, NULL, NULL);
    } else if (web_client_has(r, "If-None-Match", p->etag) ||
               web_client_has(r, "If-Modified-Since", p->modified)) {
        p->unchanged++;
        evhttp_send_reply(r, 304, NULL, NULL);
    } else {
        web_send(r, p);
    }
}

/* At any port, or again at the one it had. */
static inline void web_up(struct webserver *s)
{
    struct evhttp_bound_socket *socket;
    struct sockaddr_in addr = {.sin_port = 0};
    socklen_t n = sizeof(addr);

    s->http = evhttp_new(loop_base(s->loop));
    assert_non_null(s->http);
    evhttp_set_gencb(s->http, web_answer, s);
    socket = evhttp_bind_socket_with_handle(s->http, "127.0.0.1", s->port);
    assert_non_null(socket);
    getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)&addr, &n);
    s->port = ntohs(addr.sin_port);
}

/* Nothing answers any more; the pages stay. */
static inline void web_down(struct webserver *s)
{
    if (s->http)
        evhttp_free(s->http);
    s->http = NULL;
}

#endif
