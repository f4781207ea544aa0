/* Lists that come over HTTP: what state makes of them, and when it asks for them. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "base/array.h"
#include "base/uri.h"
#include "core/context.h"
#include "core/remote_lists.h"
#include "http/copy.h"
#include "support/tlsfront.h"
#include "support/webserver.h"
#include "support/whole_state.h"
#include "users/passwords.h"

#define ALICE "{\"id\":\"1\",\"firstname\":\"Alice\",\"passwdclient\":\"p\",\"enableclient\":1}"
#define BOB "{\"id\":\"2\",\"firstname\":\"Bob\"}"
#define ANNE "{\"id\":\"1\",\"firstname\":\"Anne\",\"passwdclient\":\"p\",\"enableclient\":1}"

struct web_world {
    struct state_world w;
    struct webserver web;
    int log[2]; /* a pipe */
    char text[16384];
    int published;
    char topics[512];
};

static int setup(void **state)
{
    struct web_world *x = calloc(1, sizeof(*x));

    *state = x;
    strcpy(x->w.dir, "/tmp/ctibus-weblists-XXXXXX");
    assert_non_null(mkdtemp(x->w.dir));
    assert_int_equal(pipe2(x->log, O_NONBLOCK | O_CLOEXEC), 0);
    x->w.log = log_new(x->log[1], "test", LOG_INFO, false);
    x->w.lists_retry_ms = 20;
    x->w.loop = loop_new();
    x->web.loop = x->w.loop;
    web_up(&x->web);
    return 0;
}

/* The copies on disk, at the one place where these tests want them. */
static void remove_copies(struct web_world *x)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", x->w.dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a folder of our own */
}

static int teardown(void **state)
{
    struct web_world *x = *state;

    state_stop(&x->w);
    config_destroy(&x->w.cfg);
    web_down(&x->web);
    loop_destroy(&x->w.loop);
    log_destroy(&x->w.log);
    close(x->log[0]);
    close(x->log[1]);
    remove_copies(x);
    free(x);
    return 0;
}

/* Everything logged so far. */
static const char *logged(struct web_world *x)
{
    size_t at = strlen(x->text);
    ssize_t n;

    assert_true(log_flush(x->w.log, 10000));
    n = read(x->log[0], x->text + at, sizeof(x->text) - 1 - at);
    if (n > 0)
        x->text[at + (size_t)n] = '\0';
    return x->text;
}

static int times(const char *text, const char *what)
{
    int n = 0;

    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/* `users` is what stands in the array of URIs, with # for the port of the server; `more` is of the
 * section ctibus. */
static void configure(struct web_world *x, const char *users, const char *main, const char *more)
{
    struct view rest = view_cstr(users);
    struct buf uris;
    char text[2048];

    buf_init(&uris, 0);
    while (view_find(rest, VIEW("#")) >= 0) {
        buf_append_view(&uris, view_cut(&rest, '#'));
        buf_printf(&uris, "%u", x->web.port);
    }
    buf_append_view(&uris, rest);
    snprintf(text, sizeof(text),
             "{\"main\":{%s},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":"
             "\"127.0.0.1\",\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"
             "\"urllist_users\":[%s],\"urllist_lines\":[\"file:lines.json\"]}}},"
             "\"ctibus\":{%s}}",
             main, buf_cstr(&uris), more);
    buf_free(&uris);
    state_write(&x->w, "ctibus.json", text);
    state_write(&x->w, "lines.json", STATE_LINES);
}

static void start(struct web_world *x)
{
    config_destroy(&x->w.cfg);
    x->w.cfg = state_config(&x->w);
    assert_int_equal(state_start(&x->w, NULL, NULL, NULL), 0);
}

static void start_with(struct web_world *x, const char *users)
{
    configure(x, users, "", "");
    start(x);
}

#define USERS "\"http://127.0.0.1:#/users\""

/* A SIGHUP. */
static void reload(struct web_world *x)
{
    struct config *old = x->w.cfg;

    x->w.cfg = state_config(&x->w);
    state_reload(x->w.s, x->w.cfg);
    config_destroy(&old);
}

static struct page *users_page(struct web_world *x)
{
    return web_page(&x->web, "/users");
}

static bool is_called(struct web_world *x, const char *id, const char *name)
{
    return strcmp(state_str(state_user(&x->w, id), XOD(users, firstname)), name) == 0;
}

static int count_of(struct web_world *x, const char *name)
{
    struct buf all;
    char line[64];
    const char *at;
    int n;

    buf_init(&all, 0);
    metrics_render(x->w.p.metrics, &all);
    snprintf(line, sizeof(line), "\nctibus_state_lists_%s ", name);
    at = strstr(buf_cstr(&all), line);
    n = at ? atoi(at + strlen(line)) : -1; /* NOLINT(cert-err34-c): our own digits */
    buf_free(&all);
    return n;
}

/* ---- */

static void users_come_soon_after_the_start(void **state)
{
    struct web_world *x = *state;

    users_page(x)->body = "[" ALICE "," BOB "]";
    start_with(x, USERS);
    assert_int_equal(xod_count(x->w.ipbx, LIST_users), 0);
    assert_int_equal(xod_count(x->w.ipbx, LIST_phones), 2); /* a file */
    assert_int_equal(count_of(x, "unread"), 1);
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 2);
    assert_string_equal(passwords_get(x->w.s->passwords, VIEW("xivo"), VIEW("1")), "p");
    assert_true(xod_is_tied(state_user(&x->w, "1"), xod_find(x->w.ipbx, LIST_phones, VIEW("12"))));
    assert_int_equal(count_of(x, "unread"), 0);
    assert_int_equal(count_of(x, "fetched_total"), 1);
    assert_int_equal(count_of(x, "failed_total"), 0);
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct web_world *x = arg;
    size_t n = strlen(x->topics);

    x->published++;
    snprintf(x->topics + n, sizeof(x->topics) - n, "%.*s ", VIEW_ARG(m->topic));
}

static void only_differences_are_published(void **state)
{
    static const struct bus_sub_handler handler = {on_message, NULL};
    struct web_world *x = *state;
    struct bus_sub *sub;
    int err = 0;

    users_page(x)->body = "[" ALICE "," BOB "]";
    start_with(x, USERS);
    UNTIL(x->w.loop, count_of(x, "fetched_total") == 1);
    sub = bus_sub_new(x->w.p.bus, BUS_INPROC_SUBSCRIBE, &handler, x, &err);
    bus_sub_add(sub, VIEW("xod/"));
    UNTIL(x->w.loop, bus_pub_wanted(x->w.s->pub, VIEW("xod/")));
    reload(x);
    UNTIL(x->w.loop, count_of(x, "fetched_total") == 2);
    users_page(x)->body = "[" ANNE "," BOB "]";
    reload(x);
    UNTIL(x->w.loop, x->published > 0);
    assert_string_equal(x->topics, "xod/xivo/config/users/1/ ");
    users_page(x)->body = "[" ANNE "]";
    reload(x);
    UNTIL(x->w.loop, !state_user(&x->w, "2"));
    bus_sub_destroy(&sub);
}

static void what_has_not_changed_is_not_sent_again(void **state)
{
    struct web_world *x = *state;
    struct page *p = users_page(x);

    p->body = "[" ALICE "]";
    p->etag = "\"1\"";
    start_with(x, USERS);
    UNTIL(x->w.loop, count_of(x, "fetched_total") == 1);
    p->body = "[]"; /* the server does not say so */
    reload(x);
    UNTIL(x->w.loop, count_of(x, "fetched_total") == 2);
    assert_int_equal(p->unchanged, 1);
    assert_int_equal(xod_count(x->w.ipbx, LIST_users), 1);
    p->etag = "\"2\"";
    reload(x);
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 0);
}

static void a_server_that_comes_up_late_is_waited_for(void **state)
{
    struct web_world *x = *state;

    users_page(x)->body = "[" ALICE "]";
    web_down(&x->web);
    start_with(x, USERS);
    UNTIL(x->w.loop, count_of(x, "failed_total") == 3);
    assert_int_equal(count_of(x, "unread"), 1);
    assert_int_equal(times(logged(x), "connect to server; its objects"), 1);
    assert_non_null(strstr(x->text, "its objects are not there yet, tried again in"));
    web_up(&x->web);
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 1);
    assert_int_equal(times(logged(x), "can be read again"), 1);
}

static void what_is_known_stays_while_the_server_fails(void **state)
{
    static const struct {
        int status;
        const char *body, *logged;
    } bad[] = {{500, "", "users: HTTP status 500; what is known of it stays"},
               {200, "[", "users: not JSON (from byte"},
               {200, "{}", "users: not a JSON array; what is known"},
               {500, "", "users: HTTP status 500; what is known of it stays"}};
    struct web_world *x = *state;

    users_page(x)->body = "[" ALICE "]";
    start_with(x, USERS);
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 1);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int failed = count_of(x, "failed_total");
        users_page(x)->status = bad[i].status;
        users_page(x)->body = bad[i].body;
        reload(x);
        UNTIL(x->w.loop, count_of(x, "failed_total") >= failed + 2);
        assert_int_equal(times(logged(x), bad[i].logged), i == 3 ? 2 : 1);
        assert_int_equal(xod_count(x->w.ipbx, LIST_users), 1);
    }
    web_down(&x->web);
    reload(x);
    UNTIL(x->w.loop, strstr(logged(x), curl_easy_strerror(CURLE_COULDNT_CONNECT)));
    assert_int_equal(xod_count(x->w.ipbx, LIST_users), 1);
    assert_int_equal(count_of(x, "unread"), 0);
}

static void a_list_of_several_is_loaded_as_a_whole(void **state)
{
    struct web_world *x = *state;

    state_write(&x->w, "users.json", "[{\"id\":\"3\"}]");
    users_page(x)->body = "[" ALICE "]";
    *web_page(&x->web, "/more") = (struct page){.path = "/more", .status = 503};
    start_with(x, USERS ",\"file:users.json\",\"http://127.0.0.1:#/more\"");
    UNTIL(x->w.loop, count_of(x, "fetched_total") == 1 && count_of(x, "failed_total") > 0);
    assert_int_equal(xod_count(x->w.ipbx, LIST_users), 0);
    web_page(&x->web, "/more")->body = "[" BOB "]";
    web_page(&x->web, "/more")->status = 200;
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 3);
    users_page(x)->status = 503; /* the last good of one, the new of the other */
    web_page(&x->web, "/more")->body = "[]";
    reload(x);
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 2);
    assert_non_null(state_user(&x->w, "1"));
}

static void copies_on_disk_serve_a_start_without_server(void **state)
{
    struct web_world *x = *state;
    struct page *p = users_page(x);

    p->body = "[" ALICE "]";
    p->etag = "\"7\"";
    configure(x, USERS, "", "\"lists_cache\":\"copies\"");
    start(x);
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 1);
    state_stop(&x->w);
    web_down(&x->web);
    start(x);
    assert_int_equal(xod_count(x->w.ipbx, LIST_users), 1); /* at once */
    UNTIL(x->w.loop, count_of(x, "failed_total") > 0);
    assert_int_equal(count_of(x, "unread"), 0);
    web_up(&x->web);
    UNTIL(x->w.loop, count_of(x, "fetched_total") == 1);
    assert_int_equal(p->unchanged, 1); /* the copy's ETag was sent */
    assert_int_equal(xod_count(x->w.ipbx, LIST_users), 1);
}

static void a_broken_copy_is_told_and_fetched_anew(void **state)
{
    struct web_world *x = *state;
    char uri[64];
    char *path;
    FILE *f;

    users_page(x)->body = "[" ALICE "]";
    configure(x, USERS, "", "\"lists_cache\":\".\"");
    snprintf(uri, sizeof(uri), "http://127.0.0.1:%u/users", x->web.port);
    path = fetch_copy_path(x->w.dir, uri);
    f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    free(path);
    start(x);
    assert_non_null(strstr(logged(x), "its last good copy"));
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 1);
}

static void https_lists_are_believed_by_lists_ca(void **state)
{
    struct web_world *x = *state;
    struct certs certs;
    struct tlsfront tls = {.to = 0};
    char users[64];
    char more[128];

    certs_make(&certs);
    tlsfront_start(&tls, x->w.loop, x->web.port, &certs, "good");
    users_page(x)->body = "[" ALICE "]";
    snprintf(users, sizeof(users), "\"https://127.0.0.1:%u/users\"", tlsfront_port(&tls));
    snprintf(more, sizeof(more), "\"lists_ca\":\"%s\"", certs_path(&certs, "foreign-ca.pem"));
    configure(x, users, "", more);
    start(x);
    UNTIL(x->w.loop, strstr(logged(x), "SSL certificate problem"));
    snprintf(more, sizeof(more), "\"lists_ca\":\"%s\"", certs_path(&certs, "ca.pem"));
    configure(x, users, "", more);
    reload(x);
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 1);
    tlsfront_end(&tls);
    certs_remove(&certs);
}

static void a_reload_meanwhile_fetches_once_more(void **state)
{
    struct web_world *x = *state;
    struct page *p = users_page(x);

    p->silent = true;
    configure(x, USERS, "\"sockettimeout\":1", "");
    start(x);
    UNTIL(x->w.loop, p->hits == 1);
    reload(x);
    reload(x);
    p->silent = false;
    p->body = "[" ALICE "]";
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 1);
    assert_int_equal(p->hits, 2);
}

static void a_list_that_is_no_longer_named_comes_to_nothing(void **state)
{
    struct web_world *x = *state;
    struct page *p = users_page(x);

    p->silent = true;
    web_page(&x->web, "/other")->body = "[" BOB "]";
    start_with(x, USERS);
    UNTIL(x->w.loop, p->hits == 1);
    configure(x, "\"http://127.0.0.1:#/other\"", "", "");
    reload(x);
    UNTIL(x->w.loop, is_called(x, "2", "Bob"));
    p->silent = false;
    p->body = "[" ALICE "]";
    configure(x, USERS, "", "");
    reload(x); /* its first fetch is still under way, and is not this one */
    UNTIL(x->w.loop, is_called(x, "1", "Alice"));
    assert_null(state_user(&x->w, "2"));
}

static void lists_are_fetched_again_by_themselves(void **state)
{
    struct web_world *x = *state;

    users_page(x)->body = "[" ALICE "]";
    configure(x, USERS, "\"updates_period\":1", "");
    start(x);
    UNTIL(x->w.loop, is_called(x, "1", "Alice"));
    users_page(x)->body = "[" ANNE "]";
    UNTIL(x->w.loop, is_called(x, "1", "Anne"));
}

static void the_end_does_not_wait_for_a_server(void **state)
{
    struct web_world *x = *state;
    uint64_t before;

    users_page(x)->silent = true;
    start_with(x, USERS);
    UNTIL(x->w.loop, users_page(x)->hits == 1);
    before = clock_mono_us();
    state_stop(&x->w);
    assert_in_range(clock_mono_us() - before, 0, 2000000);
    start(x); /* for teardown */
}

static void passwords_of_uris_are_not_logged(void **state)
{
    static const struct {
        const char *uri, *shown;
    } uris[] = {{"http://u:hush@h/a?b=c", "http://h/a?b=c"},
                {"https://h/a@b", "https://h/a@b"},
                {"https://hush@h:1", "https://h:1"},
                {"http://u:hu@sh@h/@", "http://h/@"},
                {"http://h?u@x", "http://h?u@x"}};
    struct web_world *x = *state;
    struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
        buf_reset(&b);
        uri_put_public(&b, view_cstr(uris[i].uri));
        assert_string_equal(buf_cstr(&b), uris[i].shown);
    }
    buf_free(&b);
    users_page(x)->body = "[" ALICE "]";
    start_with(x, "\"http://u:hush@127.0.0.1:#/users\"");
    UNTIL(x->w.loop, xod_count(x->w.ipbx, LIST_users) == 1);
    web_down(&x->web);
    reload(x);
    UNTIL(x->w.loop, count_of(x, "failed_total") > 0);
    assert_non_null(strstr(logged(x), curl_easy_strerror(CURLE_COULDNT_CONNECT)));
    assert_null(strstr(x->text, "hush"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(users_come_soon_after_the_start),
        T(only_differences_are_published),
        T(what_has_not_changed_is_not_sent_again),
        T(a_server_that_comes_up_late_is_waited_for),
        T(what_is_known_stays_while_the_server_fails),
        T(a_list_of_several_is_loaded_as_a_whole),
        T(copies_on_disk_serve_a_start_without_server),
        T(a_broken_copy_is_told_and_fetched_anew),
        T(https_lists_are_believed_by_lists_ca),
        T(a_reload_meanwhile_fetches_once_more),
        T(a_list_that_is_no_longer_named_comes_to_nothing),
        T(lists_are_fetched_again_by_themselves),
        T(the_end_does_not_wait_for_a_server),
        T(passwords_of_uris_are_not_logged),
    };
    int failed;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
