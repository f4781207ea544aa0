/* Names of callers from the directories, in a whole state. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "base/array.h"
#include "callers/callers.h"
#include "support/directory_world.h"

/* A channel with this number at its other end, as events make it. */
static struct xod_obj *channel(struct world *x, const char *name, const char *context,
                               const char *number, const char *peer)
{
    struct xod_obj *c = xod_add(x->w.ipbx, LIST_channels, view_cstr(name));

    xod_set_str(c, XOD(channels, context), view_cstr(context));
    xod_set_text(c, XOD(channels, peer_number), view_cstr(number));
    xod_set_text(c, XOD(channels, peer_name), view_cstr(peer));
    state_commit(x->w.s, false);
    callers_look(x->w.s->callers);
    return c;
}

static const char *known(const struct xod_obj *c)
{
    struct view v = xod_get_str(c, XOD(channels, peer_known));

    return v.len ? v.ptr : "";
}

static void set_number(struct world *x, struct xod_obj *c, const char *number)
{
    xod_set_text(c, XOD(channels, peer_number), view_cstr(number));
    state_commit(x->w.s, false);
    callers_look(x->w.s->callers);
}

static void a_number_without_a_name_gets_that_of_the_directories(void **state)
{
    struct world *x = *state;
    struct xod_obj *c;

    start(x, "");
    c = channel(x, "SIP/a-1", "web", "0198", "");
    assert_string_equal(known(c), "Durand");
    set_number(x, c, "01 99");
    assert_string_equal(known(c), "Durand; fils");
    set_number(x, c, "4711");
    assert_string_equal(known(c), "");
    set_number(x, c, "0198");
    assert_string_equal(known(c), "Durand");
    xod_set_str(c, XOD(channels, peer_name),
                VIEW("Mr. Durand")); /* one came with the call after all */
    state_commit(x->w.s, false);
    callers_look(x->w.s->callers);
    assert_string_equal(known(c), "");
    assert_string_equal(known(channel(x, "SIP/a-2", "web", "0198", "0198")), "Durand");
    assert_string_equal(known(channel(x, "SIP/a-4", "default", "0198", "")), ""); /* not its book */
    assert_string_equal(known(channel(x, "SIP/a-5", "nowhere", "0198", "")), "");
    assert_string_equal(known(channel(x, "SIP/trunk-1", "web", "0198", "")), ""); /* no phone */
    assert_string_equal(known(channel(x, "SIP/a-6", "web", "", "")), "");
}

static void all_that_ring_wait_for_one_answer(void **state)
{
    struct world *x = *state;
    struct xod_obj *c[3];

    start(x, "");
    c[0] = channel(x, "SIP/a-1", "web", "5551", "");
    c[1] = channel(x, "SIP/b-1", "web", "5551", "");
    c[2] = channel(x, "SIP/r-1", "web", "5551", "");
    set_number(x, c[2], "5552"); /* it has gone elsewhere */
    UNTIL(x->w.loop, *known(c[0]));
    assert_string_equal(known(c[0]), "Webb");
    assert_string_equal(known(c[1]), "Webb");
    assert_string_equal(known(c[2]), "");
    assert_string_equal(known(channel(x, "SIP/a-2", "web", "5551", "")), "Webb"); /* at once */
    assert_int_equal(web_page(&x->web, "/web")->hits, 2);
}

static void so_many_are_asked_for_in_a_second(void **state)
{
    struct world *x = *state;
    char number[16], name[32];
    unsigned n = 0;

    start(x, "");
    for (unsigned i = 0; i < 200; i++) {
        snprintf(number, sizeof(number), "0198%03u", i);
        snprintf(name, sizeof(name), "SIP/a-%u", i);
        channel(x, name, "web", number, "");
    }
    for (unsigned i = 0; i < 3; i++)
        UNTIL(x->w.loop, (n = web_page(&x->web, "/web")->hits) > i);
    assert_true(n <= 100); /* in the seconds that this took */
}

static void they_can_be_turned_off(void **state)
{
    struct world *x = *state;
    char path[128];
    struct buf text, off;
    ptrdiff_t at;

    start(x, "");
    snprintf(path, sizeof(path), "%s/ctibus.json", x->w.dir);
    buf_init(&text, 1 << 20);
    buf_init(&off, 1 << 20);
    assert_int_equal(buf_read_file(&text, path), 0);
    at = view_find(buf_view(&text), VIEW("\"ctibus\":{}"));
    assert_true(at > 0);
    buf_append(&off, buf_data(&text), (size_t)at);
    buf_append_cstr(&off, "\"ctibus\":{\"caller_names\":false}");
    buf_append_cstr(&off, buf_cstr(&text) + at + strlen("\"ctibus\":{}"));
    state_write(&x->w, "ctibus.json", buf_cstr(&off));
    buf_free(&text);
    buf_free(&off);
    reload(x);
    assert_string_equal(known(channel(x, "SIP/a-1", "web", "0198", "")), "");
}

static void phones_of_another_context_are_not_named(void **state)
{
    struct world *x = *state;

    for (int separate = 0; separate < 2; separate++) {
        const char *main = separate ? "\"parting_astid_context\":[\"context\"]" : "";
        if (separate)
            state_stop(&x->w);
        else
            start(x, main);
        configure(x, main,
                  ",\"inside\":{\"directories\":[\"internal\"],\"display\":\"d\",\"didextens\":"
                  "{\"*\":[\"internal\"]}}");
        if (separate) {
            config_destroy(&x->w.cfg);
            x->w.cfg = state_config(&x->w);
            assert_int_equal(state_start(&x->w, NULL, NULL, NULL), 0);
        } else {
            reload(x);
        }
        assert_string_equal(known(channel(x, "SIP/r-1", "inside", "2001", "")), "Ren\303\251 D;up");
        assert_string_equal(known(channel(x, "SIP/r-2", "inside", "1002", "")),
                            separate ? "" : "Alice Martin");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_number_without_a_name_gets_that_of_the_directories),
        TEST(all_that_ring_wait_for_one_answer),
        TEST(so_many_are_asked_for_in_a_second),
        TEST(they_can_be_turned_off),
        TEST(phones_of_another_context_are_not_named),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
