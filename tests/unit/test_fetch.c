/* Fetching lists over HTTP: what comes of which answer, and the copies on disk. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "base/array.h"
#include "http/copy.h"
#include "http/fetch.h"
#include "support/bus.h"
#include "support/tlsfront.h"
#include "support/webserver.h"

#define MAX_FETCHES 16

struct world {
    struct loop *loop;
    struct webserver web;
    struct fetcher *fetcher;
    struct fetch *got[MAX_FETCHES];
    size_t n;
    struct certs certs;
    struct tlsfront tls;
    char uri[128];
};

static void on_done(void *arg, struct fetch *f)
{
    struct world *w = arg;

    assert_true(w->n < MAX_FETCHES);
    w->got[w->n++] = f;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    int err;

    *state = w;
    w->loop = loop_new();
    w->web.loop = w->loop;
    web_up(&w->web);
    w->fetcher = fetcher_new(w->loop, on_done, w, &err);
    return w->fetcher ? 0 : -1;
}

static void drop_got(struct world *w)
{
    while (w->n > 0)
        fetch_destroy(&w->got[--w->n]);
}

static int teardown(void **state)
{
    struct world *w = *state;

    fetcher_destroy(&w->fetcher);
    drop_got(w);
    if (w->tls.listener) {
        tlsfront_end(&w->tls);
        certs_remove(&w->certs);
    }
    web_down(&w->web);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

static const char *uri_of(struct world *w, const char *path)
{
    snprintf(w->uri, sizeof(w->uri), "http://127.0.0.1:%u%s", w->web.port, path);
    return w->uri;
}

static struct fetch *prepare(const char *uri)
{
    struct fetch *f = fetch_new(uri);

    assert_non_null(f);
    f->silence_s = 20;
    f->max_bytes = 4096;
    return f;
}

/* Asks for one and waits for what comes of it, which is good until the next. */
static struct fetch *run(struct world *w, struct fetch *f)
{
    drop_got(w);
    fetcher_ask_take(w->fetcher, f);
    UNTIL(w->loop, w->n == 1);
    return w->got[0];
}

static void assert_failed(struct fetch *f, const char *reason)
{
    assert_int_equal(f->end, FETCH_FAILED);
    assert_string_equal(f->reason, reason);
    assert_null(f->list);
}

static void an_array_comes_with_its_validators(void **state)
{
    struct world *w = *state;
    struct fetch *f;

    *web_page(&w->web, "/a") =
        (struct page){.path = "/a", .body = "[1,2]", .etag = "\"x\"", .modified = "yesterday"};
    f = prepare(uri_of(w, "/a"));
    f->serial = 77;
    f = run(w, f);
    assert_int_equal(f->end, FETCH_NEW);
    assert_int_equal(f->status, 200);
    assert_int_equal(f->serial, 77);
    assert_int_equal(json_object_array_length(f->list), 2);
    assert_string_equal(f->etag, "\"x\"");
    assert_string_equal(f->modified, "yesterday");
}

static void what_is_known_already_does_not_come_again(void **state)
{
    struct world *w = *state;
    struct fetch *f;

    *web_page(&w->web, "/etag") = (struct page){.path = "/etag", .body = "[]", .etag = "\"x\""};
    *web_page(&w->web, "/date") = (struct page){.path = "/date", .body = "[]", .modified = "now"};
    f = prepare(uri_of(w, "/etag"));
    f->etag = strdup("\"x\"");
    assert_int_equal(run(w, f)->end, FETCH_SAME);
    f = prepare(uri_of(w, "/etag"));
    f->etag = strdup("\"y\"");
    assert_int_equal(run(w, f)->end, FETCH_NEW);
    f = prepare(uri_of(w, "/date"));
    f->modified = strdup("now");
    assert_int_equal(run(w, f)->end, FETCH_SAME);
}

static void answers_that_are_no_list_are_told_apart(void **state)
{
    static const struct {
        const char *body;
        const char *reason;
        int status;
    } bad[] = {
        {"", "not JSON", 0},
        {"[1,", "not JSON", 0},
        {"<html>", "not JSON", 0},
        {"[\"\xff\"]", "not JSON", 0},
        {"null", "not a JSON array", 0},
        {"{}", "not a JSON array", 0},
        {"[]", "HTTP status 500", 500},
        {"[]", "HTTP status 404", 404},
        {"", "HTTP status 304", 304}, /* nobody had asked for that */
    };
    struct world *w = *state;
    struct page *p = web_page(&w->web, "/x");

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        p->body = bad[i].body;
        p->status = bad[i].status;
        assert_failed(run(w, prepare(uri_of(w, "/x"))), bad[i].reason);
        assert_int_equal(w->got[0]->status, bad[i].status ? bad[i].status : 200);
    }
}

/* XiVO's web services answer so for each list that is empty; its copy is that, too. */
static void no_content_is_an_empty_list(void **state)
{
    struct world *w = *state;
    struct page *p = web_page(&w->web, "/x");

    p->body = "";
    p->status = 204;
    assert_int_equal(run(w, prepare(uri_of(w, "/x")))->end, FETCH_NEW);
    assert_int_equal(json_object_array_length(w->got[0]->list), 0);
    assert_int_equal(w->got[0]->status, 204);
}

static void a_body_is_bounded_with_and_without_a_length(void **state)
{
    struct world *w = *state;
    struct page *p = web_page(&w->web, "/big");
    char body[4200];

    memset(body, ' ', sizeof(body));
    body[0] = '[';
    body[4095] = ']';
    body[4096] = '\0';
    p->body = body;
    assert_int_equal(run(w, prepare(uri_of(w, "/big")))->end, FETCH_NEW);
    p->chunked = true;
    assert_int_equal(run(w, prepare(uri_of(w, "/big")))->end, FETCH_NEW);
    body[4096] = ' ';
    body[4097] = '\0';
    assert_failed(run(w, prepare(uri_of(w, "/big"))), "too large");
    p->chunked = false;
    assert_failed(run(w, prepare(uri_of(w, "/big"))), "too large");
}

static void a_silent_server_is_given_up(void **state)
{
    struct world *w = *state;
    struct fetch *f = prepare(uri_of(w, "/silent"));

    web_page(&w->web, "/silent")->silent = true;
    f->silence_s = 1;
    assert_failed(run(w, f), "Timeout was reached");
}

static void a_server_that_is_not_there_is_told(void **state)
{
    struct world *w = *state;

    web_down(&w->web);
    assert_failed(run(w, prepare(uri_of(w, "/"))), curl_easy_strerror(CURLE_COULDNT_CONNECT));
    assert_int_equal(w->got[0]->status, 0);
}

static void redirects_are_followed_a_few_times(void **state)
{
    static const char *const paths[] = {"/0", "/1", "/2", "/3", "/4", "/5"};
    struct world *w = *state;

    for (int i = 0; i < 5; i++)
        web_page(&w->web, paths[i])->location = paths[i + 1];
    *web_page(&w->web, "/5") = (struct page){.path = "/5", .body = "[5]", .etag = "\"five\""};
    assert_int_equal(run(w, prepare(uri_of(w, "/0")))->end, FETCH_NEW);
    assert_string_equal(w->got[0]->etag, "\"five\"");
    web_page(&w->web, "/5")->location = "/0";
    assert_failed(run(w, prepare(uri_of(w, "/0"))), "Number of redirects hit maximum amount");
    assert_int_equal(web_page(&w->web, "/0")->hits, 2);
}

static void other_protocols_are_refused(void **state)
{
    static const char *const to[] = {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
        web_page(&w->web, "/r")->location = to[i];
        assert_failed(run(w, prepare(uri_of(w, "/r"))), "Unsupported protocol");
        assert_failed(run(w, prepare(to[i])), "Unsupported protocol");
    }
}

static void a_user_and_password_are_sent_and_not_told(void **state)
{
    struct world *w = *state;

    web_page(&w->web, "/a")->body = "[]";
    snprintf(w->uri, sizeof(w->uri), "http://u:hush@127.0.0.1:%u/a", w->web.port);
    assert_int_equal(run(w, prepare(w->uri))->end, FETCH_NEW);
    assert_string_equal(w->web.authorization, "Basic dTpodXNo");
    web_down(&w->web);
    assert_failed(run(w, prepare(w->uri)), curl_easy_strerror(CURLE_COULDNT_CONNECT));
    assert_null(strstr(w->got[0]->detail, "hush"));
}

/* ---- TLS ---- */

static void start_tls(struct world *w, const char *cert)
{
    certs_make(&w->certs);
    tlsfront_start(&w->tls, w->loop, w->web.port, &w->certs, cert);
}

static const char *tls_uri(struct world *w, const char *path)
{
    snprintf(w->uri, sizeof(w->uri), "https://127.0.0.1:%u%s", tlsfront_port(&w->tls), path);
    return w->uri;
}

static struct fetch *with_ca(struct world *w, const char *uri, const char *ca)
{
    struct fetch *f = prepare(uri);

    f->ca = strdup(certs_path(&w->certs, ca));
    return f;
}

static void certificates_are_verified(void **state)
{
    struct world *w = *state;

    start_tls(w, "good");
    web_page(&w->web, "/a")->body = "[]";
    assert_int_equal(run(w, with_ca(w, tls_uri(w, "/a"), "ca.pem"))->end, FETCH_NEW);
    assert_failed(run(w, with_ca(w, tls_uri(w, "/a"), "foreign-ca.pem")),
                  "SSL peer certificate or SSH remote key was not OK");
    assert_failed(run(w, prepare(tls_uri(w, "/a"))), /* by the system's store */
                  "SSL peer certificate or SSH remote key was not OK");
    assert_failed(run(w, with_ca(w, tls_uri(w, "/a"), "nothing.pem")),
                  "Problem with the SSL CA cert (path? access rights?)");
    assert_int_equal(web_page(&w->web, "/a")->hits, 1);
}

static void a_certificate_of_another_host_is_refused(void **state)
{
    struct world *w = *state;

    start_tls(w, "other");
    assert_failed(run(w, with_ca(w, tls_uri(w, "/a"), "ca.pem")),
                  "SSL peer certificate or SSH remote key was not OK");
}

static void there_is_no_way_back_from_tls(void **state)
{
    struct world *w = *state;
    char plain[128];
    char secure[128];

    start_tls(w, "good");
    snprintf(plain, sizeof(plain), "%s", uri_of(w, "/plain"));
    snprintf(secure, sizeof(secure), "%s", tls_uri(w, "/secure"));
    web_page(&w->web, "/plain")->location = secure;
    web_page(&w->web, "/secure")->body = "[]";
    assert_int_equal(run(w, with_ca(w, plain, "ca.pem"))->end, FETCH_NEW);
    web_page(&w->web, "/secure")->location = plain;
    assert_failed(run(w, with_ca(w, secure, "ca.pem")), "redirected from https: to http:");
    assert_int_equal(web_page(&w->web, "/plain")->hits, 1);
    assert_failed(run(w, with_ca(w, plain, "ca.pem")), "redirected from https: to http:");
}

/* ---- many, and none any more ---- */

static void more_than_run_at_a_time_wait(void **state)
{
    struct world *w = *state;

    web_page(&w->web, "/a")->body = "[]";
    for (int i = 0; i < MAX_FETCHES; i++)
        fetcher_ask_take(w->fetcher, prepare(uri_of(w, "/a")));
    UNTIL(w->loop, w->n == MAX_FETCHES);
    for (int i = 0; i < MAX_FETCHES; i++)
        assert_int_equal(w->got[i]->end, FETCH_NEW);
}

static void a_silent_server_does_not_hold_up_another(void **state)
{
    struct world *w = *state;

    web_page(&w->web, "/silent")->silent = true;
    web_page(&w->web, "/a")->body = "[]";
    fetcher_ask_take(w->fetcher, prepare(uri_of(w, "/silent")));
    UNTIL(w->loop, web_page(&w->web, "/silent")->hits == 1);
    assert_int_equal(run(w, prepare(uri_of(w, "/a")))->end, FETCH_NEW);
}

static void the_end_does_not_wait_for_servers(void **state)
{
    struct world *w = *state;
    uint64_t before;

    web_page(&w->web, "/silent")->silent = true;
    for (int i = 0; i < FETCH_AT_ONCE + 2; i++)
        fetcher_ask_take(w->fetcher, prepare(uri_of(w, "/silent")));
    UNTIL(w->loop, web_page(&w->web, "/silent")->hits == FETCH_AT_ONCE);
    before = clock_mono_us();
    fetcher_destroy(&w->fetcher);
    assert_in_range(clock_mono_us() - before, 0, 2000000);
    assert_int_equal(w->n, 0);
}

/* ---- copies on disk ---- */

static void a_copy_is_what_came(void **state)
{
    struct world *w = *state;
    char dir[] = "/tmp/ctibus-fetch-XXXXXX";
    char folder[64];
    struct json_object *list;
    struct stat st;
    char *etag;
    char *modified;
    struct fetch *f;

    assert_non_null(mkdtemp(dir));
    snprintf(folder, sizeof(folder), "%s/copies", dir); /* is made */
    *web_page(&w->web, "/a") =
        (struct page){.path = "/a", .body = "[\"\303\251\"]\n", .etag = "\"\\\""};
    f = prepare(uri_of(w, "/a"));
    f->copy = fetch_copy_path(folder, f->uri);
    f = run(w, f);
    assert_int_equal(f->end, FETCH_NEW);
    assert_int_equal(f->copy_error, 0);
    assert_int_equal(fetch_copy_read(f->copy, 4096, &list, &etag, &modified), 0);
    assert_string_equal(json_object_to_json_string_ext(list, 0), "[\"\303\251\"]");
    assert_string_equal(etag, "\"\\\"");
    assert_null(modified);
    assert_int_equal(stat(f->copy, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    json_object_put(list);
    free(etag);
    unlink(f->copy);
    rmdir(folder);
    rmdir(dir);
}

static void a_copy_that_cannot_be_written_is_told(void **state)
{
    struct world *w = *state;
    struct fetch *f = prepare(uri_of(w, "/a"));

    web_page(&w->web, "/a")->body = "[]";
    f->copy = strdup("/proc/no/such/folder");
    f = run(w, f);
    assert_int_equal(f->end, FETCH_NEW);
    assert_int_equal(f->copy_error, -ENOENT);
}

static void what_is_no_copy_is_refused(void **state)
{
    static const char *const bad[] = {"",      "{}",       "{}\n",    "{}\n{}",  "[]\n[",
                                      "x\n[]", "{}\nnull", "{}\n[]x", "{\n}\n[]"};
    static const char forged[] = "{\"etag\":\"a\\r\\nX: y\"}\n[]";
    char path[] = "/tmp/ctibus-copy-XXXXXX";
    int fd = mkstemp(path);
    struct json_object *list;
    char *etag;
    char *modified;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad[i], strlen(bad[i]), 0), strlen(bad[i]));
        assert_int_equal(fetch_copy_read(path, 100, &list, &etag, &modified), -EINVAL);
        assert_null(list);
    }
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    assert_int_equal(fetch_copy_read(path, 100, &list, &etag, &modified), -EFBIG);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, forged, strlen(forged), 0), strlen(forged));
    assert_int_equal(fetch_copy_read(path, 100, &list, &etag, &modified), 0);
    assert_null(etag); /* would be a header of its own */
    json_object_put(list);
    close(fd);
    unlink(path);
    assert_int_equal(fetch_copy_read(path, 100, &list, &etag, &modified), -ENOENT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_array_comes_with_its_validators),
        T(what_is_known_already_does_not_come_again),
        T(no_content_is_an_empty_list),
        T(answers_that_are_no_list_are_told_apart),
        T(a_body_is_bounded_with_and_without_a_length),
        T(a_silent_server_is_given_up),
        T(a_server_that_is_not_there_is_told),
        T(redirects_are_followed_a_few_times),
        T(other_protocols_are_refused),
        T(a_user_and_password_are_sent_and_not_told),
        T(certificates_are_verified),
        T(a_certificate_of_another_host_is_refused),
        T(there_is_no_way_back_from_tls),
        T(more_than_run_at_a_time_wait),
        T(a_silent_server_does_not_hold_up_another),
        T(the_end_does_not_wait_for_servers),
        T(a_copy_is_what_came),
        T(a_copy_that_cannot_be_written_is_told),
        T(what_is_no_copy_is_refused),
    };
    int failed;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
