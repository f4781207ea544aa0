/* The events that are kept of an object: how many, how long, of which objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/explain.h"
#include "support/model_world.h"

struct world {
    struct model_world *w;
    struct explain *e;
    struct xod_obj *phone;
};

static struct world *world_of(unsigned per_object)
{
    struct world *w = calloc(1, sizeof(*w));

    w->w = world_new();
    w->e = explain_new(per_object);
    assert_non_null(w->e);
    w->phone = world_find(w->w, LIST_phones, "11");
    return w;
}

static int setup(void **state)
{
    *state = world_of(3);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    explain_destroy(&w->e);
    world_destroy(w->w);
    free(w);
    return 0;
}

static void on_change(void *arg, const struct xod_change *c)
{
    explain_change(arg, c);
}

/* An event of a hint sets the state of the phone. */
static void hint(struct world *w, const char *exten, const char *status)
{
    struct tel t = {.event = TEL_device_hint, .time = 1000};

    tel_set_add(&t.set, TELF_exten);
    tel_set_add(&t.set, TELF_status);
    t.str[TELF_exten] = view_cstr(exten);
    t.str[TELF_status] = view_cstr(status);
    explain_cause(w->e, &t);
    xod_set_str(w->phone, XOD(phones, hintstatus), view_cstr(status));
    xod_commit(w->w->x, on_change, w->e);
    explain_cause(w->e, NULL);
}

static bool shows(struct world *w, size_t n, const char *event, const char *changes)
{
    struct explained x;

    if (!explain_event(w->e, w->phone, n, &x))
        return false;
    assert_string_equal(x.event.ptr, event);
    assert_string_equal(x.changes.ptr, changes);
    return true;
}

static void the_last_events_are_kept(void **state)
{
    struct world *w = *state;

    assert_false(shows(w, 0, "", ""));
    hint(w, "1001", "1");
    assert_true(shows(w, 0, "device/hint exten=1001 status=1", "hintstatus 1"));
    assert_false(shows(w, 1, "", ""));
    hint(w, "1001", "8");
    hint(w, "1001", "0");
    hint(w, "1001", "16");
    assert_true(shows(w, 0, "device/hint exten=1001 status=8", "hintstatus 8"));
    assert_true(shows(w, 2, "device/hint exten=1001 status=16", "hintstatus 16"));
    assert_false(shows(w, 3, "", ""));
}

static void a_change_of_our_own_says_so(void **state)
{
    struct world *w = *state;

    xod_set_str(w->phone, XOD(phones, reg), VIEW("Reachable"));
    xod_commit(w->w->x, on_change, w->e);
    assert_true(shows(w, 0, "ctibus", "reg Reachable"));
}

/* The changes are what an administrator looks for: no text of the event takes their room. */
static void a_long_text_of_an_event_is_cut(void **state)
{
    struct world *w = *state;
    struct explained x;
    char exten[5001];

    memset(exten, 'x', 5000);
    exten[5000] = '\0';
    hint(w, exten, "8");
    assert_true(explain_event(w->e, w->phone, 0, &x));
    assert_int_equal(x.event.len, strlen("device/hint exten= status=8") + 60);
    assert_string_equal(x.changes.ptr, "hintstatus 8");
}

static void no_character_is_cut_in_two(void **state)
{
    struct world *w = *state;
    struct explained x;
    char exten[101] = "x";

    for (size_t i = 1; i + 1 < 100; i += 2)
        memcpy(exten + i, "\303\251", 3);
    hint(w, exten, "8"); /* byte 60 is the second one of a character */
    assert_true(explain_event(w->e, w->phone, 0, &x));
    assert_int_equal(x.event.len, strlen("device/hint exten= status=8") + 59);
}

static void changes_that_are_too_long_are_said_to_be(void **state)
{
    struct world *w = *state;
    char name[32];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "SIP/alice-%08x", i);
        xod_list_add(w->phone, XOD(phones, channels), view_cstr(name));
    }
    xod_commit(w->w->x, on_change, w->e);
    assert_true(shows(w, 0, "ctibus", "(too long to be kept)"));
}

static void what_goes_takes_its_events_along(void **state)
{
    struct world *w = *state;

    hint(w, "1001", "1");
    xod_del(w->phone);
    xod_commit(w->w->x, on_change, w->e);
    w->phone = world_add(w->w, LIST_phones, "11", XOD(phones, identity), "SIP/alice");
    xod_commit(w->w->x, NULL, NULL);
    assert_false(shows(w, 0, "", ""));
}

static void none_are_kept_where_none_are_wanted(void **state)
{
    struct world *w = world_of(0);

    (void)state;
    hint(w, "1001", "1");
    assert_false(shows(w, 0, "", ""));
    teardown((void **)&w);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_last_events_are_kept),
        T(a_change_of_our_own_says_so),
        T(a_long_text_of_an_event_is_cut),
        T(no_character_is_cut_in_two),
        T(changes_that_are_too_long_are_said_to_be),
        T(what_goes_takes_its_events_along),
        cmocka_unit_test(none_are_kept_where_none_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
