/*
 * The HTTP request that opens a WebSocket, and its answer (RFC 6455, section 4). Requests for other
 * paths are handed to the owner of the pages.
 *
 * Only what a browser sends is let in. A page of somebody else's could use the login of the one who
 * looks at it as soon as there is one, so the origin that the browser names must be ours or
 * allowed.
 */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/array.h"
#include "net/http_text.h"
#include "net/ws.h"
#include "net/ws_deflate.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_CHARS 24 /* 16 bytes in base64 */

struct request {
    struct view method, target, version;
    struct view host, origin, key, ws_version, extensions, etag, remote_user;
    bool gzip;                /* a page may be sent compressed */
    bool upgrade, connection; /* the headers of these names say what they should */
    bool body;                /* one is announced: its bytes would be taken for frames */
};

/* ---- reading ---- */

/* A header that may stand only once. */
static bool set_once(struct view *at, struct view value)
{
    if (at->ptr)
        return false;
    *at = value;
    return true;
}

static bool take_header(struct request *rq, struct view line)
{
    struct view value = line;
    struct view name = view_cut(&value, ':');

    if (!http_is_token(name) || name.len == line.len || !http_is_text(value))
        return false;
    value = view_trim(value);
    if (view_ieq(name, VIEW("Host")))
        return set_once(&rq->host, value);
    if (view_ieq(name, VIEW("Origin")))
        return set_once(&rq->origin, value);
    if (view_ieq(name, VIEW("Sec-WebSocket-Key")))
        return set_once(&rq->key, value);
    if (view_ieq(name, VIEW("Sec-WebSocket-Version")))
        return set_once(&rq->ws_version, value);
    /* one of several headers of that name is enough: each is a list of offers */
    if (view_ieq(name, VIEW("Sec-WebSocket-Extensions")) && !rq->extensions.ptr)
        rq->extensions = value;
    if (view_ieq(name, VIEW("If-None-Match")))
        return set_once(&rq->etag, value);
    if (view_ieq(name, VIEW("Remote-User")))
        return set_once(&rq->remote_user, value);
    if (view_ieq(name, VIEW("Accept-Encoding")))
        rq->gzip = rq->gzip || http_has_word(value, VIEW("gzip"));
    else if (view_ieq(name, VIEW("Upgrade")))
        rq->upgrade = rq->upgrade || http_has_word(value, VIEW("websocket"));
    else if (view_ieq(name, VIEW("Connection")))
        rq->connection = rq->connection || http_has_word(value, VIEW("upgrade"));
    else if (view_ieq(name, VIEW("Content-Length")))
        rq->body = rq->body || !view_eq(value, VIEW("0"));
    else if (view_ieq(name, VIEW("Transfer-Encoding")))
        rq->body = true;
    return true;
}

/* *rq is empty before. */
static bool parse(struct view head, struct request *rq)
{
    struct view line;

    if (!http_take_line(&head, &line) || !http_is_text(line))
        return false;
    rq->method = view_cut(&line, ' ');
    rq->target = view_cut(&line, ' ');
    rq->version = line;
    while (head.len > 0)
        if (!http_take_line(&head, &line) || !take_header(rq, line))
            return false;
    return http_is_token(rq->method) && rq->target.len > 0 &&
           (view_eq(rq->version, VIEW("HTTP/1.1")) || view_eq(rq->version, VIEW("HTTP/1.0")));
}

/* ---- judging ---- */

/* Without the port that goes without saying for the scheme. */
static struct view without_port(struct view host, struct view port)
{
    if (host.len > port.len && memcmp(host.ptr + host.len - port.len, port.ptr, port.len) == 0)
        host.len -= port.len;
    return host;
}

static bool is_same_origin(struct view origin, struct view host)
{
    static const struct {
        struct view scheme, port;
    } schemes[] = {{VIEW("https://"), VIEW(":443")}, {VIEW("http://"), VIEW(":80")}};

    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        size_t n = schemes[i].scheme.len;
        if (origin.len > n && view_ieq(view_of(origin.ptr, n), schemes[i].scheme))
            return view_ieq(without_port(view_of(origin.ptr + n, origin.len - n), schemes[i].port),
                            without_port(host, schemes[i].port));
    }
    return false;
}

static bool may_come_from(const struct ws_options *opt, const struct request *rq)
{
    if (!rq->origin.ptr || is_same_origin(rq->origin, rq->host)) /* none: no browser */
        return true;
    for (const char *const *o = opt->origins; o && *o; o++)
        if (view_ieq(rq->origin, view_cstr(*o)))
            return true;
    return false;
}

static bool is_key(struct view key)
{
    unsigned char out[KEY_CHARS];

    return key.len == KEY_CHARS && key.ptr[21] != '=' && key.ptr[22] == '=' && key.ptr[23] == '=' &&
           EVP_DecodeBlock(out, (const unsigned char *)key.ptr, KEY_CHARS) > 0;
}

/* A page, or 0: there is none at this path. */
static int send_page(const struct ws_options *opt, const struct request *rq, struct view path,
                     struct buf *answer)
{
    const struct ws_page_request page = {.method = rq->method,
                                         .path = path,
                                         .etag = rq->etag,
                                         .remote_user = rq->remote_user,
                                         .gzip = rq->gzip};

    return opt->page && !rq->body ? opt->page(&page, answer) : 0;
}

/* The status of the answer. *answered: it is in `answer` already. */
static int judge(const struct ws_options *opt, const struct request *rq, struct buf *answer,
                 bool *answered)
{
    struct view target = rq->target;
    struct view path = view_cut(&target, '?');
    int status;

    if (!view_eq(path, view_cstr(opt->path))) {
        status = send_page(opt, rq, path, answer);
        *answered = status != 0;
        return *answered ? status : 404;
    }
    if (!view_eq(rq->version, VIEW("HTTP/1.1")))
        return 400;
    if (!view_eq(rq->method, VIEW("GET")))
        return 405;
    if (rq->host.len == 0 || rq->body)
        return 400;
    if (!rq->upgrade || !rq->connection)
        return 426;
    if (!is_key(rq->key) || !rq->ws_version.ptr)
        return 400;
    if (!view_eq(rq->ws_version, VIEW("13")))
        return 426;
    return may_come_from(opt, rq) ? 101 : 403;
}

/* ---- answering ---- */

static void refuse(struct buf *out, int status)
{
    static const struct {
        int status;
        const char *name, *headers, *body;
    } all[] = {
        {400, "Bad Request", "", "this is no request for a WebSocket"},
        {403, "Forbidden", "", "pages of this origin may not connect: ctibus.cti.origins"},
        {404, "Not Found", "", "there is nothing here"},
        {405, "Method Not Allowed", "Allow: GET\r\n", "only GET"},
        {426, "Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
         "here is a WebSocket of version 13"},
        {431, "Request Header Fields Too Large", "", "the request is too long"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i].status == status)
            buf_printf(out,
                       "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: text/plain\r\n"
                       "Content-Length: %zu\r\n%s\r\n%s\n",
                       status, all[i].name, strlen(all[i].body) + 1, all[i].headers, all[i].body);
}

/* What is taken of the offered extensions; the bits of the window, 0: none. */
static int accept_extensions(struct buf *out, struct view offered)
{
    int bits = ws_deflate_offer(offered);

    if (bits > 0)
        buf_append_cstr(out, "Sec-WebSocket-Extensions: permessage-deflate; "
                             "server_no_context_takeover; client_no_context_takeover");
    if (bits > 0 && bits < 15)
        buf_printf(out, "; server_max_window_bits=%d", bits);
    if (bits > 0)
        buf_append_cstr(out, "\r\n");
    return bits;
}

static bool accept_key(struct buf *out, struct view key)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned char text[64];
    char seed[KEY_CHARS + sizeof(GUID)];
    unsigned n;

    snprintf(seed, sizeof(seed), "%.*s" GUID, VIEW_ARG(key));
    if (!EVP_Digest(seed, strlen(seed), md, &n, EVP_sha1(), NULL))
        return false;
    EVP_EncodeBlock(text, md, (int)n);
    buf_printf(out,
               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: %s\r\n",
               text);
    return true;
}

int ws_upgrade(struct view in, const struct ws_options *opt, struct buf *answer,
               struct ws_upgraded *out)
{
    struct view start = view_of(in.ptr, in.len < WS_REQUEST_MAX ? in.len : WS_REQUEST_MAX);
    ptrdiff_t end = view_find(start, VIEW("\r\n\r\n"));
    struct request rq = {.body = false};
    bool answered = false;
    int status;

    *out = (struct ws_upgraded){.used = 0};
    if (end < 0 && in.len < WS_REQUEST_MAX && (in.len == 0 || http_is_token(view_of(in.ptr, 1))))
        return 0;
    if (end < 0)
        status = in.len < WS_REQUEST_MAX ? 400 : 431;
    else
        status =
            parse(view_of(in.ptr, (size_t)end + 2), &rq) ? judge(opt, &rq, answer, &answered) : 400;
    if (status == 101 && !accept_key(answer, rq.key))
        status = 400;
    if (status == 101) {
        out->used = (size_t)end + 4;
        out->remote_user = rq.remote_user;
        out->deflate_bits = accept_extensions(answer, rq.extensions);
        buf_append_cstr(answer, "\r\n");
    } else if (!answered)
        refuse(answer, status);
    return status;
}
