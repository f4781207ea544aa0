/* Who sees what: contexts of users, and of the objects of each list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/access.h"
#include "base/array.h"

struct world {
    struct xod *xod;
    struct xod_ipbx *site;
    struct access a;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    w->xod = xod_new();
    w->site = xod_ipbx(w->xod, VIEW("xivo"), true);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    access_fini(&w->a);
    xod_destroy(&w->xod);
    free(w);
    return 0;
}

static struct xod_obj *object(struct world *w, enum xod_list list, const char *id,
                              const char *context)
{
    struct xod_obj *o = xod_add(w->site, list, view_cstr(id));
    int field = schema_field_find(list, VIEW("context"));

    if (context)
        assert_int_equal(xod_set_str(o, (unsigned)field, view_cstr(context)), 0);
    return o;
}

/* A user with a line in each of these contexts, up to NULL; "" is a line without. */
static struct xod_obj *user(struct world *w, const char *id, ...)
{
    struct xod_obj *u = xod_add(w->site, LIST_users, view_cstr(id));
    const char *context;
    char line[32];
    va_list ap;
    int n = 0;

    va_start(ap, id);
    while ((context = va_arg(ap, const char *))) {
        snprintf(line, sizeof(line), "%s-%d", id, n++);
        object(w, LIST_phones, line, context);
        xod_list_add(u, XOD(users, linelist), view_cstr(line));
    }
    va_end(ap);
    return u;
}

static void see_as(struct world *w, const struct xod_obj *u)
{
    access_fini(&w->a);
    assert_int_equal(access_init(&w->a, u, true), 0);
}

static void assert_contexts(struct world *w, const char *bytes, size_t len)
{
    assert_non_null(w->a.contexts);
    assert_int_equal(w->a.len, len);
    assert_memory_equal(w->a.contexts, bytes, len);
}

#define CONTEXTS(w, text) assert_contexts(w, text, sizeof(text))

/* ---- */

static void without_separation_everything_is_seen(void **state)
{
    struct world *w = *state;

    assert_int_equal(access_init(&w->a, user(w, "1", "sales", NULL), false), 0);
    assert_null(w->a.contexts);
    for (enum xod_list list = 0; list < LIST_COUNT; list++)
        assert_true(access_sees(&w->a, xod_add(w->site, list, VIEW("x"))));
}

static void the_contexts_are_those_of_the_lines_sorted_and_once(void **state)
{
    struct world *w = *state;

    see_as(w, user(w, "1", "sales", "default", "sales", "", "boss", NULL));
    CONTEXTS(w, "boss\0default\0sales");
    see_as(w, user(w, "2", "default", NULL));
    CONTEXTS(w, "default");
    xod_list_add(xod_find(w->site, LIST_users, VIEW("2")), XOD(users, linelist), VIEW("gone"));
    see_as(w, xod_find(w->site, LIST_users, VIEW("2")));
    CONTEXTS(w, "default");
}

static void many_lines_in_one_context_hide_no_other(void **state)
{
    struct world *w = *state;
    struct xod_obj *u = xod_add(w->site, LIST_users, VIEW("1"));
    char line[32];

    for (int i = 0; i < 40; i++) {
        snprintf(line, sizeof(line), "%d", i);
        object(w, LIST_phones, line, i == 39 ? "last" : "first");
        xod_list_add(u, XOD(users, linelist), view_cstr(line));
    }
    see_as(w, u);
    CONTEXTS(w, "first\0last");
}

static void who_has_no_context_sees_nothing(void **state)
{
    struct world *w = *state;
    struct xod_obj *u = user(w, "1", NULL);

    for (int i = 0; i < 3; i++) {
        see_as(w, i == 0 ? u : i == 1 ? NULL : user(w, "2", "", NULL));
        assert_non_null(w->a.contexts);
        assert_int_equal(w->a.len, 0);
        assert_false(access_sees(&w->a, u));
        for (enum xod_list list = 0; list < LIST_COUNT; list++) /* how a site is, all may know */
            assert_int_equal(access_sees(&w->a, xod_add(w->site, list, VIEW("x"))),
                             list == LIST_ipbx);
        assert_false(access_sees(&w->a, object(w, LIST_queues, "7", "default")));
        assert_false(access_sees(&w->a, object(w, LIST_queues, "8", "")));
    }
}

static void users_share_a_context_of_any_of_their_lines(void **state)
{
    struct world *w = *state;

    see_as(w, user(w, "1", "default", "sales", NULL));
    assert_true(access_sees(&w->a, xod_find(w->site, LIST_users, VIEW("1"))));
    assert_true(access_sees(&w->a, user(w, "2", "boss", "sales", NULL)));
    assert_true(access_sees(&w->a, user(w, "3", "gone", "", "default", NULL)));
    assert_false(access_sees(&w->a, user(w, "4", "boss", NULL)));
    assert_false(access_sees(&w->a, user(w, "5", "sale", "sales2", "", NULL)));
    assert_false(access_sees(&w->a, user(w, "6", NULL)));
}

static void most_objects_are_seen_by_their_field(void **state)
{
    static const enum xod_list lists[] = {
        LIST_agents,     LIST_phones,  LIST_trunks,  LIST_queues,      LIST_groups,
        LIST_voicemails, LIST_meetmes, LIST_incalls, LIST_parkinglots, LIST_channels};
    struct world *w = *state;
    struct xod_obj *o;

    see_as(w, user(w, "1", "default", "200", NULL));
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        unsigned field = (unsigned)schema_field_find(lists[i], VIEW("context"));
        assert_true(access_sees(&w->a, object(w, lists[i], "in", "default")));
        assert_false(access_sees(&w->a, object(w, lists[i], "out", "other")));
        o = object(w, lists[i], "none", NULL);
        assert_false(access_sees(&w->a, o));
        if (xod_set_int(o, field, 200) == 0) /* as a list may write it */
            assert_true(access_sees(&w->a, o));
    }
}

static void a_context_is_seen_by_its_name(void **state)
{
    struct world *w = *state;

    see_as(w, user(w, "1", "default", NULL));
    assert_true(access_sees(&w->a, xod_add(w->site, LIST_contexts, VIEW("default"))));
    assert_false(access_sees(&w->a, object(w, LIST_contexts, "other", "default")));
    assert_true(access_sees(&w->a, xod_add(w->site, LIST_ipbx, VIEW("default"))));
}

static struct xod_obj *member(struct world *w, const char *id, const char *of)
{
    struct xod_obj *m = xod_add(w->site, LIST_queuemembers, view_cstr(id));

    if (of)
        xod_set_str(m, XOD(queuemembers, queue_name), view_cstr(of));
    return m;
}

static void members_are_seen_with_their_queue_or_group(void **state)
{
    struct world *w = *state;

    xod_set_str(object(w, LIST_queues, "1", "default"), XOD(queues, name), VIEW("support"));
    xod_set_str(object(w, LIST_queues, "2", "other"), XOD(queues, name), VIEW("sales"));
    xod_set_str(object(w, LIST_groups, "1", "default"), XOD(groups, name), VIEW("ring"));
    xod_set_str(object(w, LIST_groups, "2", "other"), XOD(groups, name), VIEW("bell"));
    see_as(w, user(w, "1", "default", NULL));
    assert_true(access_sees(&w->a, member(w, "a", "support")));
    assert_false(access_sees(&w->a, member(w, "b", "sales")));
    assert_true(access_sees(&w->a, member(w, "c", "ring")));
    assert_false(access_sees(&w->a, member(w, "d", "bell")));
    assert_false(access_sees(&w->a, member(w, "e", "nosuch")));
    assert_false(access_sees(&w->a, member(w, "f", NULL)));
}

static bool same_key(const struct access *a, const struct access *b)
{
    struct buf x, y;
    bool eq;

    buf_init(&x, 0);
    buf_init(&y, 0);
    access_put_key(a, &x);
    access_put_key(b, &y);
    eq = view_eq(buf_view(&x), buf_view(&y));
    buf_free(&x);
    buf_free(&y);
    return eq;
}

static bool same(const struct xod_obj *x, bool x_apart, const struct xod_obj *y, bool y_apart)
{
    struct access a, b;
    bool eq;

    assert_int_equal(access_init(&a, x, x_apart), 0);
    assert_int_equal(access_init(&b, y, y_apart), 0);
    eq = same_key(&a, &b);
    access_fini(&a);
    access_fini(&b);
    return eq;
}

static void two_are_alike_when_their_contexts_are(void **state)
{
    struct world *w = *state;
    struct xod_obj *one = user(w, "1", "default", "sales", NULL);
    struct xod_obj *nobody = user(w, "2", NULL);

    assert_true(same(one, true, user(w, "3", "sales", "default", "sales", NULL), true));
    assert_false(same(one, true, user(w, "4", "default", NULL), true));
    assert_false(same(one, true, user(w, "5", "default", "salex", NULL), true));
    assert_true(same(nobody, true, NULL, true));
    assert_false(same(nobody, true, nobody, false)); /* nothing is not everything */
    assert_false(same(one, true, nobody, true));
    assert_true(same(one, false, nobody, false));
}

/* ---- another site that logs in as a client: a user "cs:..." ---- */

static bool is_for_sites(enum xod_list list)
{
    return list == LIST_users || list == LIST_groups || list == LIST_queues ||
           list == LIST_agents || list == LIST_phones;
}

static void a_site_sees_five_lists_of_our_own_asterisks_only(void **state)
{
    struct world *w = *state;
    struct xod_ipbx *third = xod_ipbx(w->xod, VIEW("third"), true);
    struct xod_ipbx *unknown = xod_ipbx(w->xod, VIEW("unknown"), true);

    xod_set_bool(xod_add(w->site, LIST_ipbx, VIEW("xivo")), XOD(ipbx, remote), false);
    xod_set_bool(xod_add(third, LIST_ipbx, VIEW("third")), XOD(ipbx, remote), true);
    for (int separate = 0; separate < 2; separate++) {
        access_fini(&w->a);
        assert_int_equal(access_init(&w->a, user(w, "cs:paris", "default", NULL), separate), 0);
        for (enum xod_list list = 0; list < LIST_COUNT; list++) {
            assert_int_equal(access_sees(&w->a, xod_add(w->site, list, VIEW("x"))),
                             is_for_sites(list));
            assert_false(access_sees(&w->a, xod_add(third, list, VIEW("x"))));
            assert_false(access_sees(&w->a, xod_add(unknown, list, VIEW("x"))));
        }
    }
}

/* It is an account, and nobody that one could call. */
static void nobody_sees_the_user_of_a_site(void **state)
{
    struct world *w = *state;
    struct xod_obj *site = user(w, "cs:paris", "default", NULL);
    struct xod_obj *one = user(w, "1", "default", NULL);

    xod_set_bool(xod_add(w->site, LIST_ipbx, VIEW("xivo")), XOD(ipbx, remote), false);
    for (int separate = 0; separate < 2; separate++)
        for (int as_site = 0; as_site < 2; as_site++) {
            access_fini(&w->a);
            assert_int_equal(access_init(&w->a, as_site ? site : one, separate), 0);
            assert_false(access_sees(&w->a, site));
            assert_true(access_sees(&w->a, one));
        }
}

/* Clients that are alike are pushed the same lines: a site is like another site only. */
static void a_site_is_like_no_user(void **state)
{
    struct world *w = *state;
    struct xod_obj *site = user(w, "cs:paris", "default", NULL);
    struct xod_obj *one = user(w, "1", "default", NULL);

    assert_false(same(site, false, one, false)); /* who sees everything */
    assert_false(same(site, true, one, true));
    assert_false(same(site, true, NULL, true));
    assert_false(same(site, true, NULL, false));
    assert_true(same(site, true, user(w, "cs:lyon", "other", NULL), true));
    assert_true(same(site, false, user(w, "cs:nantes", NULL), true));
}

static void names_are_those_of_an_array(void **state)
{
    struct json_object *o = json_tokener_parse("[\"dial\",7,null,\"\",[\"hangup\"]]");
    struct json_object *map = json_tokener_parse("{\"dial\":1}");
    struct json_object *none = json_tokener_parse("[]");
    bool any = false;

    (void)state;
    assert_true(access_names(o, VIEW("dial"), &any));
    assert_true(any);
    assert_false(access_names(o, VIEW("hangup"), NULL));
    assert_false(access_names(o, VIEW("dia"), NULL));
    assert_false(access_names(map, VIEW("dial"), &any));
    assert_false(any);
    any = true;
    assert_false(access_names(none, VIEW("dial"), &any));
    assert_false(any);
    assert_false(access_names(NULL, VIEW("dial"), &any));
    json_object_put(o);
    json_object_put(map);
    json_object_put(none);
}

/* ---- what the profile limits ---- */

static struct xod_obj *person(struct world *w, const char *id, const char *phone,
                              const char *identity)
{
    struct xod_obj *u = xod_add(w->site, LIST_users, view_cstr(id));
    struct xod_obj *p = xod_add(w->site, LIST_phones, view_cstr(phone));

    xod_list_add(u, XOD(users, linelist), view_cstr(phone));
    xod_set_str(p, XOD(phones, identity), view_cstr(identity));
    xod_set_str(p, XOD(phones, iduserfeatures), view_cstr(id));
    xod_set_str(p, XOD(phones, number), view_cstr(phone));
    return u;
}

static void limit(struct world *w, const struct xod_obj *user, const char *see)
{
    struct json_object *o = see ? json_tokener_parse(see) : NULL;

    access_fini(&w->a);
    assert_int_equal(access_init(&w->a, user, false), 0);
    assert_int_equal(access_limit(&w->a, user, o), 0);
    json_object_put(o);
}

static bool sees_channel(struct world *w, const char *name)
{
    return access_sees(&w->a, xod_add(w->site, LIST_channels, view_cstr(name)));
}

static void a_profile_limits_whose_calls_are_seen(void **state)
{
    struct world *w = *state;
    struct xod_obj *alice = person(w, "1", "1001", "SIP/alice");
    struct xod_obj *call = xod_add(w->site, LIST_calls, VIEW("1.1"));
    struct xod_obj *agent = xod_add(w->site, LIST_agents, VIEW("7"));
    struct xod_obj *group = xod_add(w->site, LIST_groups, VIEW("1"));

    person(w, "2", "1002", "SIP/bob");
    person(w, "3", "1003", "SIP/carol");
    xod_list_add(call, XOD(calls, participants), VIEW("SIP/bob-2"));
    limit(w, alice, NULL);
    assert_true(sees_channel(w, "SIP/bob-2") && access_sees(&w->a, call));
    assert_false(access_is_limited(&w->a));
    limit(w, alice, "{\"calls\":\"own\"}");
    assert_true(sees_channel(w, "SIP/alice-1") && sees_channel(w, "sip/ALICE-00a"));
    assert_false(sees_channel(w, "SIP/bob-2") || sees_channel(w, "SIP/alicette-1"));
    assert_false(access_sees(&w->a, call));
    assert_true(access_sees(&w->a, group)); /* all else is seen as before */
    xod_list_add(call, XOD(calls, participants), VIEW("SIP/alice-1"));
    assert_true(access_sees(&w->a, call));
    /* where she is logged in as an agent */
    xod_set_str(alice, XOD(users, agentid), VIEW("7"));
    xod_set_str(agent, XOD(agents, number), VIEW("2001"));
    xod_set_str(agent, XOD(agents, phonenumber), VIEW("1003"));
    limit(w, alice, "{\"calls\":\"own\"}");
    assert_true(sees_channel(w, "SIP/carol-3") && sees_channel(w, "Agent/2001"));
    assert_false(sees_channel(w, "Agent/20011"));
    for (int i = 0; i < 2; i++) {
        static const char *const phones[] = {"1001", "1002"};
        xod_list_add(group, XOD(groups, phonemembers), view_cstr(phones[i]));
        xod_list_add(xod_find(w->site, LIST_phones, view_cstr(phones[i])), XOD(phones, groups),
                     VIEW("1"));
    }
    assert_false(sees_channel(w, "SIP/bob-2"));
    limit(w, alice, "{\"calls\":\"group\"}");
    assert_true(sees_channel(w, "SIP/bob-2") && sees_channel(w, "SIP/alice-1"));
    limit(w, NULL, "{\"calls\":\"own\"}"); /* nobody has no calls */
    assert_false(sees_channel(w, "SIP/alice-1"));
}

static void a_group_of_the_lists_is_a_group(void **state)
{
    static const struct {
        const char *hers, *his;
        bool sees;
    } cases[] = {
        {"Sales", "Support; sales", true},
        {"Sales,Support", "SUPPORT", true},
        {"Sales", "Sale", false},
        {"Sales", "", false},
        {";,", ";", false},
        {"", "", false},
        {";; Front desk ;", "x,Front desk", true},
    };
    struct world *w = *state;
    struct xod_obj *alice = person(w, "1", "1001", "SIP/alice");
    struct xod_obj *bob = person(w, "2", "1002", "SIP/bob");

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        xod_set_str(alice, XOD(users, groups), view_cstr(cases[i].hers));
        xod_set_str(bob, XOD(users, groups), view_cstr(cases[i].his));
        limit(w, alice, "{\"calls\":\"group\"}");
        assert_true(sees_channel(w, "SIP/alice-1"));
        assert_int_equal(sees_channel(w, "SIP/bob-2"), cases[i].sees);
    }
}

static void a_profile_masks_the_numbers_of_others(void **state)
{
    struct world *w = *state;
    struct xod_obj *alice = person(w, "1", "1001", "SIP/alice");
    struct xod_obj *own = xod_add(w->site, LIST_channels, VIEW("SIP/alice-1"));
    struct xod_obj *other = xod_add(w->site, LIST_channels, VIEW("SIP/bob-1"));

    limit(w, alice, "{\"numbers\":\"masked\"}");
    assert_true(access_sees(&w->a, other) && access_masks(&w->a, other));
    assert_false(access_masks(&w->a, own) || access_masks(&w->a, alice));
    limit(w, alice, "{\"numbers\":\"full\"}");
    assert_false(access_masks(&w->a, other));
}

static void masked_numbers_keep_their_beginning(void **state)
{
    static const char *const texts[][2] = {
        {"0612345678", "061234xxxx"},
        {"+33 6 12 34 56 78", "+33 6 12 34 xx xx"},
        {"Zoé (0612345678)", "Zoé (061234xxxx)"},
        {"1001", "1001"},
        {"Alice (1001)", "Alice (1001)"},
        {"123456", "123456"},
        {"1234567", "123xxxx"},
        {"a1234567b7654321", "a123xxxxb765xxxx"},
        {"", ""},
        {"---", "---"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct buf out;
        buf_init(&out, 256);
        access_mask(&out, view_cstr(texts[i][0]));
        assert_string_equal(buf_cstr(&out), texts[i][1]);
        buf_free(&out);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(without_separation_everything_is_seen),
        T(a_profile_limits_whose_calls_are_seen),
        T(a_group_of_the_lists_is_a_group),
        T(a_profile_masks_the_numbers_of_others),
        cmocka_unit_test(masked_numbers_keep_their_beginning),
        T(the_contexts_are_those_of_the_lines_sorted_and_once),
        T(many_lines_in_one_context_hide_no_other),
        T(who_has_no_context_sees_nothing),
        T(users_share_a_context_of_any_of_their_lines),
        T(most_objects_are_seen_by_their_field),
        T(a_context_is_seen_by_its_name),
        T(members_are_seen_with_their_queue_or_group),
        T(two_are_alike_when_their_contexts_are),
        T(a_site_sees_five_lists_of_our_own_asterisks_only),
        T(nobody_sees_the_user_of_a_site),
        T(a_site_is_like_no_user),
        T(names_are_those_of_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
