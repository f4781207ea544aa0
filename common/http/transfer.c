#include "http/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/copy.h"

#define REDIRECTS 5L
#define WHOLE_S 300L /* that one fetch may take, however much comes in between */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    int rc = buf_append(&t->body, data, size * n);

    if (rc < 0)
        t->refused = rc == -ENOBUFS ? "too large" : "out of memory";
    return rc < 0 ? 0 : size * n;
}

/* A connection is there, nothing was said on it yet. libcurl's own list of protocols for redirects
 * cannot tell the one from HTTPS to HTTP from the one the other way round. */
static int on_connected(void *arg, char *ip, char *own_ip, int port, int own_port)
{
    struct transfer *t = arg;
    const char *scheme = NULL;

    curl_easy_getinfo(t->easy, CURLINFO_SCHEME, &scheme);
    if (scheme && strcasecmp(scheme, "https") == 0)
        t->tls = true;
    else if (t->tls)
        t->refused = "redirected from https: to http:";
    return t->refused ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int add_header(struct transfer *t, const char *name, const char *value)
{
    struct curl_slist *longer;
    char line[1024];

    if (!value || !*value)
        return 0;
    if (snprintf(line, sizeof(line), "%s: %s", name, value) >= (int)sizeof(line))
        return 0; /* a validator too long to be sent: the list comes as a whole */
    longer = curl_slist_append(t->headers, line);
    if (!longer)
        return -ENOMEM;
    t->headers = longer;
    return 0;
}

#define SET(option, value) (rc = rc ? rc : curl_easy_setopt(t->easy, (option), (value)))

static CURLcode set_where(struct transfer *t)
{
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_URL, t->fetch->uri);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, REDIRECTS);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, t);
    SET(CURLOPT_PROXY, ""); /* none, also when the environment names one */
    SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_USERAGENT, "ctibus/" CTIBUS_VERSION);
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (t->fetch->ca) { /* instead of the system's store, not beside it */
        SET(CURLOPT_CAINFO, t->fetch->ca);
        SET(CURLOPT_CAPATH, NULL);
    }
    return rc;
}

/* How long it may take as a whole, in milliseconds; at least one, since 0 is no bound to libcurl.
 */
static long whole_ms(const struct fetch *f)
{
    uint64_t now = clock_mono_us();

    if (!f->deadline_us)
        return (WHOLE_S + (long)f->silence_s) * 1000;
    return f->deadline_us > now ? (long)((f->deadline_us - now) / 1000) + 1 : 1;
}

static CURLcode set_bounds(struct transfer *t)
{
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_CONNECTTIMEOUT, (long)t->fetch->silence_s);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)t->fetch->silence_s);
    SET(CURLOPT_TIMEOUT_MS, whole_ms(t->fetch));
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->fetch->max_bytes);
    SET(CURLOPT_FAILONERROR, 1L); /* what a server says beside its 404 is of no use */
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a slow name server does not hold up the end */
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_PRIVATE, t);
    return rc;
}

#undef SET

void transfer_free(struct transfer *t)
{
    if (!t)
        return;
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    buf_free(&t->body);
    free(t);
}

struct transfer *transfer_new(struct fetch *f)
{
    struct transfer *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->fetch = f;
    buf_init(&t->body, f->max_bytes);
    t->easy = curl_easy_init();
    if (!t->easy || add_header(t, "If-None-Match", f->etag) < 0 ||
        add_header(t, "If-Modified-Since", f->modified) < 0 ||
        add_header(t, "Accept", f->accept ? f->accept : "application/json") < 0 ||
        set_where(t) != CURLE_OK || set_bounds(t) != CURLE_OK) {
        transfer_free(t);
        return NULL;
    }
    return t;
}

/* A header of the last answer, as a copy; NULL: there is none. */
static char *header(struct transfer *t, const char *name)
{
    struct curl_header *h;

    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return NULL;
    return strdup(h->value);
}

static void take_list(struct transfer *t, struct json_parser *p)
{
    struct fetch *f = t->fetch;
    char where[64];

    if (json_parse(p, buf_view(&t->body), &f->list) < 0) {
        snprintf(where, sizeof(where), "from byte %zu on", p->offset);
        return fetch_fail(f, "not JSON", where);
    }
    if (!json_object_is_type(f->list, json_type_array)) {
        json_object_put(f->list);
        f->list = NULL;
        return fetch_fail(f, "not a JSON array", "");
    }
    f->end = FETCH_NEW;
    free(f->etag);
    free(f->modified);
    f->etag = header(t, "ETag");
    f->modified = header(t, "Last-Modified");
    if (f->copy)
        f->copy_error = fetch_copy_write(f->copy, f->etag, f->modified, buf_view(&t->body));
}

static void take_body(struct transfer *t, struct json_parser *p)
{
    const char *fault;

    if (!t->fetch->read) {
        take_list(t, p);
        return;
    }
    fault = t->fetch->read(t->fetch, buf_view(&t->body));
    if (fault)
        fetch_fail(t->fetch, fault, "");
    else
        t->fetch->end = FETCH_NEW;
}

/* What XiVO answers for a list in which nothing is. */
static int no_content(struct transfer *t)
{
    buf_reset(&t->body);
    return t->fetch->read ? 0 : buf_append_cstr(&t->body, "[]");
}

void transfer_judge(struct transfer *t, CURLcode rc, struct json_parser *p)
{
    struct fetch *f = t->fetch;
    char status[32];

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &f->status);
    snprintf(status, sizeof(status), "HTTP status %ld", f->status);
    if (t->refused)
        fetch_fail(f, t->refused, "");
    else if (rc == CURLE_FILESIZE_EXCEEDED)
        fetch_fail(f, "too large", "");
    else if (rc == CURLE_HTTP_RETURNED_ERROR)
        fetch_fail(f, status, "");
    else if (rc != CURLE_OK)
        fetch_fail(f, curl_easy_strerror(rc), t->error);
    else if (f->status == 304 && (f->etag || f->modified))
        f->end = FETCH_SAME;
    else if (f->status == 204 && no_content(t) < 0)
        fetch_fail(f, "out of memory", "");
    else if (f->status != 200 && f->status != 204)
        fetch_fail(f, status, "");
    else
        take_body(t, p);
}
