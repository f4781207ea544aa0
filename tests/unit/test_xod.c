/* The record store: what is told of a transaction, lookups, ties, walks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "xod/xod.h"

#define ALL(list) (((uint64_t)1 << schema_list(LIST_##list)->n_fields) - 1)

struct world {
    struct xod *x;
    struct xod_ipbx *s;
    struct buf told; /* "add phones 7 all; update users 5 availstate; " ... */
};

static void tell(void *arg, const struct xod_change *c)
{
    static const char *const ops[] = {"add", "update", "del"};
    struct world *w = arg;
    const struct schema_list *l = schema_list(xod_obj_list(c->obj));
    uint64_t all = ((uint64_t)1 << l->n_fields) - 1;

    buf_printf(&w->told, "%s %s %.*s", ops[c->op], l->name, VIEW_ARG(xod_obj_id(c->obj)));
    for (uint64_t left = c->fields; left && c->fields != all; left &= left - 1)
        buf_printf(&w->told, " %s", l->fields[__builtin_ctzll(left)].name);
    if (c->fields == all)
        buf_append_cstr(&w->told, " all");
    buf_append_cstr(&w->told, "; ");
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    buf_init(&w->told, 0);
    w->x = xod_new();
    w->s = xod_ipbx(w->x, VIEW("xivo"), true);
    *state = w;
    return w->s ? 0 : -1;
}

static int teardown(void **state)
{
    struct world *w = *state;

    xod_destroy(&w->x);
    buf_free(&w->told);
    free(w);
    return 0;
}

static const char *commit(struct world *w)
{
    buf_reset(&w->told);
    xod_commit(w->x, tell, w);
    return buf_cstr(&w->told);
}

#define assert_told(w, text) assert_string_equal(commit(w), text)

static struct xod_obj *add(struct world *w, enum xod_list list, const char *id)
{
    struct xod_obj *o = xod_add(w->s, list, view_cstr(id));

    assert_non_null(o);
    return o;
}

static struct xod_obj *phone(struct world *w, const char *id, const char *identity)
{
    struct xod_obj *o = add(w, LIST_phones, id);

    assert_int_equal(xod_set_str(o, XOD(phones, identity), view_cstr(identity)), 0);
    return o;
}

static struct xod_obj *by_identity(struct world *w, const char *identity, size_t n)
{
    return xod_lookup(w->s, LIST_phones, XOD(phones, identity), view_cstr(identity), n);
}

/* ---- what is told ---- */

static void an_object_begins_with_the_initial_values_of_the_schema(void **state)
{
    struct world *w = *state;
    struct xod_obj *o = add(w, LIST_phones, "7");

    assert_string_equal(xod_get(o, XOD(phones, hintstatus))->s, "4");
    assert_int_equal(xod_get(o, XOD(phones, channels))->type, V_LIST);
    assert_int_equal(xod_get(o, XOD(phones, number))->type, V_NULL);
    assert_ptr_equal(add(w, LIST_phones, "7"), o);
    assert_int_equal(xod_count(w->s, LIST_phones), 1);
    assert_told(w, "add phones 7 all; ");
    assert_told(w, "");
}

static void an_update_tells_exactly_the_fields_that_differ(void **state)
{
    struct world *w = *state;
    struct xod_obj *o = add(w, LIST_users, "5");

    commit(w);
    xod_set_str(o, XOD(users, availstate), VIEW("away"));
    xod_set_str(o, XOD(users, availstate), VIEW("available"));
    xod_set_bool(o, XOD(users, enablednd), true);
    xod_set_null(o, XOD(users, firstname)); /* was null */
    assert_told(w, "update users 5 enablednd availstate; ");
}

static void what_changed_to_and_fro_is_not_told(void **state)
{
    struct world *w = *state;
    struct xod_obj *u = add(w, LIST_users, "5");
    struct xod_obj *p = add(w, LIST_phones, "7");

    xod_list_add(p, XOD(phones, channels), VIEW("SIP/a-1"));
    commit(w);
    xod_set_str(u, XOD(users, availstate), VIEW("away"));
    xod_set_str(u, XOD(users, availstate), VIEW("disconnected"));
    xod_list_add(p, XOD(phones, channels), VIEW("SIP/a-2"));
    xod_list_del(p, XOD(phones, channels), VIEW("SIP/a-2"));
    assert_told(w, "");
    add(w, LIST_channels, "SIP/a-1");
    xod_del(xod_find(w->s, LIST_channels, VIEW("SIP/a-1")));
    assert_told(w, "");
}

static void lists_are_told_by_rank_and_deletions_last(void **state)
{
    struct world *w = *state;
    struct xod_obj *gone = add(w, LIST_channels, "SIP/a-1");

    add(w, LIST_ipbx, "xivo");
    commit(w);
    xod_del(gone);
    add(w, LIST_ipbx, "other");
    add(w, LIST_users, "5");
    add(w, LIST_phones, "7");
    add(w, LIST_channels, "SIP/a-2");
    assert_told(w, "add channels SIP/a-2 all; add phones 7 all; add users 5 all; "
                   "add ipbx other all; del channels SIP/a-1 all; ");
}

static void every_list_has_a_rank_that_is_told(void **state)
{
    struct world *w = *state;

    for (int l = 0; l < LIST_COUNT; l++) {
        char want[64];
        add(w, (enum xod_list)l, "1");
        snprintf(want, sizeof(want), "add %s 1 all; ", schema_list((enum xod_list)l)->name);
        assert_told(w, want);
    }
}

static void a_value_of_a_wrong_type_is_refused(void **state)
{
    struct world *w = *state;
    struct xod_obj *o = add(w, LIST_channels, "SIP/a-1");
    struct value list = {.type = V_LIST};

    commit(w);
    value_list_add(&list, VIEW("x"));
    assert_int_equal(xod_set(o, XOD(channels, state), &list), -EINVAL);
    assert_int_equal(list.type, V_NULL); /* taken */
    assert_int_equal(xod_set_int(o, XOD(channels, holded), 1), -EINVAL);
    assert_int_equal(xod_set_int(o, XOD(channels, timestamp), 1), 0); /* a float may be whole */
    assert_told(w, "update channels SIP/a-1 timestamp; ");
}

static void what_is_deleted_and_added_again_is_told_as_an_update(void **state)
{
    struct world *w = *state;
    struct xod_obj *o = phone(w, "7", "SIP/alice");

    xod_set_str(o, XOD(phones, number), VIEW("1001"));
    commit(w);
    xod_del(o);
    assert_null(xod_find(w->s, LIST_phones, VIEW("7")));
    assert_null(by_identity(w, "SIP/alice", 0));
    assert_int_equal(xod_count(w->s, LIST_phones), 0);
    o = phone(w, "7", "SIP/alice");
    assert_int_equal(xod_get(o, XOD(phones, number))->type, V_NULL);
    assert_ptr_equal(by_identity(w, "SIP/alice", 0), o);
    assert_null(by_identity(w, "SIP/alice", 1));
    assert_told(w, "update phones 7 number; ");
    assert_int_equal(xod_count(w->s, LIST_phones), 1);
    xod_del(o);
    assert_told(w, "del phones 7 all; ");
}

static void what_was_added_deleted_and_added_again_is_told_as_added(void **state)
{
    struct world *w = *state;

    xod_del(phone(w, "7", "SIP/alice"));
    phone(w, "7", "SIP/bob");
    assert_told(w, "add phones 7 all; ");
    assert_null(by_identity(w, "SIP/alice", 0));
    assert_non_null(by_identity(w, "SIP/bob", 0));
}

static void a_deleted_object_can_be_read_until_the_commit_and_not_be_changed(void **state)
{
    struct world *w = *state;
    struct xod_obj *o = phone(w, "7", "SIP/alice");
    struct xod_obj *c = add(w, LIST_channels, "SIP/alice-1");

    commit(w);
    xod_del(o);
    xod_del(o);
    assert_true(view_eq(xod_get_str(o, XOD(phones, identity)), VIEW("SIP/alice")));
    xod_set_str(o, XOD(phones, identity), VIEW("SIP/ghost"));
    xod_list_add(o, XOD(phones, channels), VIEW("SIP/alice-1"));
    xod_relate(o, c);
    assert_null(by_identity(w, "SIP/ghost", 0));
    assert_told(w, "del phones 7 all; ");
    assert_null(by_identity(w, "SIP/ghost", 0));
    assert_null(xod_related(c, LIST_phones, 0));
}

static void a_field_can_be_put_back_to_its_initial_value(void **state)
{
    struct world *w = *state;
    struct xod_obj *o = add(w, LIST_phones, "7");

    xod_set_str(o, XOD(phones, hintstatus), VIEW("8"));
    commit(w);
    assert_int_equal(xod_reset(o, XOD(phones, hintstatus)), 0);
    assert_int_equal(xod_reset(o, XOD(phones, number)), 0);
    assert_string_equal(xod_get(o, XOD(phones, hintstatus))->s, "4");
    assert_told(w, "update phones 7 hintstatus; ");
}

/* ---- indexes ---- */

static void an_index_finds_all_objects_of_a_value(void **state)
{
    struct world *w = *state;
    struct xod_obj *a = phone(w, "1", "SIP/alice");
    struct xod_obj *b = phone(w, "2", "SIP/alice");

    phone(w, "3", "SIP/bob");
    assert_ptr_equal(by_identity(w, "SIP/alice", 0), a);
    assert_ptr_equal(by_identity(w, "SIP/alice", 1), b);
    assert_null(by_identity(w, "SIP/alice", 2));
    xod_set_str(a, XOD(phones, identity), VIEW("SIP/carol"));
    assert_ptr_equal(by_identity(w, "SIP/alice", 0), b);
    assert_ptr_equal(by_identity(w, "SIP/carol", 0), a);
    xod_set_null(a, XOD(phones, identity));
    assert_null(by_identity(w, "SIP/carol", 0));
    xod_del(b);
    assert_null(by_identity(w, "SIP/alice", 0));
}

static void an_index_folds_case_where_the_schema_says_so(void **state)
{
    struct world *w = *state;
    struct xod_obj *p = phone(w, "1", "SIP/Alice");
    struct xod_obj *u = add(w, LIST_users, "5");

    assert_ptr_equal(by_identity(w, "sip/aLICE", 0), p);
    xod_set_str(u, XOD(users, loginclient), VIEW("Alice"));
    assert_null(xod_lookup(w->s, LIST_users, XOD(users, loginclient), VIEW("alice"), 0));
    assert_ptr_equal(xod_lookup(w->s, LIST_users, XOD(users, loginclient), VIEW("Alice"), 0), u);
}

static void exactly_the_same_case_counts_first(void **state)
{
    struct world *w = *state;
    struct xod_obj *big = phone(w, "1", "PJSIP/Door");
    struct xod_obj *small;

    assert_ptr_equal(by_identity(w, "PJSIP/door", 0), big);
    small = phone(w, "2", "PJSIP/door");
    assert_ptr_equal(by_identity(w, "PJSIP/Door", 0), big);
    assert_null(by_identity(w, "PJSIP/Door", 1));
    assert_ptr_equal(by_identity(w, "PJSIP/door", 0), small);
    assert_null(by_identity(w, "PJSIP/door", 1));
    assert_non_null(by_identity(w, "PJSIP/DOOR", 0));
    assert_non_null(by_identity(w, "PJSIP/DOOR", 1));
    xod_del(small);
    assert_ptr_equal(by_identity(w, "PJSIP/door", 0), big);
}

static void a_number_is_found_by_its_text(void **state)
{
    struct world *w = *state;
    struct xod_obj *a = add(w, LIST_phones, "1");
    struct xod_obj *b = add(w, LIST_phones, "2");

    xod_set_int(a, XOD(phones, number), 1001);
    xod_set_str(b, XOD(phones, number), VIEW("1001"));
    assert_ptr_equal(xod_lookup(w->s, LIST_phones, XOD(phones, number), VIEW("1001"), 0), a);
    assert_ptr_equal(xod_lookup(w->s, LIST_phones, XOD(phones, number), VIEW("1001"), 1), b);
    assert_null(xod_lookup(w->s, LIST_phones, XOD(phones, hintstatus), VIEW("4"), 0));
}

static void values_that_begin_alike_for_long_are_not_taken_for_each_other(void **state)
{
    struct world *w = *state;
    struct xod_obj *a = add(w, LIST_users, "1");
    struct xod_obj *b = add(w, LIST_users, "2");
    char login[400];

    memset(login, 'x', sizeof(login));
    login[399] = 'a';
    xod_set_str(a, XOD(users, loginclient), view_of(login, 400));
    login[399] = 'b';
    xod_set_str(b, XOD(users, loginclient), view_of(login, 400));
    assert_ptr_equal(xod_lookup(w->s, LIST_users, XOD(users, loginclient), view_of(login, 400), 0),
                     b);
    assert_null(xod_lookup(w->s, LIST_users, XOD(users, loginclient), view_of(login, 399), 0));
    login[399] = 'a';
    xod_del(b);
    assert_ptr_equal(xod_lookup(w->s, LIST_users, XOD(users, loginclient), view_of(login, 400), 0),
                     a);
}

/* ---- ties ---- */

static void a_tie_stands_at_both_ends_and_goes_with_either(void **state)
{
    struct world *w = *state;
    struct xod_obj *p = add(w, LIST_phones, "7");
    struct xod_obj *c1 = add(w, LIST_channels, "SIP/a-1");
    struct xod_obj *c2 = add(w, LIST_channels, "SIP/a-2");

    assert_int_equal(xod_relate(p, c1), 0);
    assert_int_equal(xod_relate(c1, p), 0); /* again: nothing */
    assert_int_equal(xod_relate(c2, p), 0);
    assert_true(xod_is_tied(c1, p) && xod_is_tied(p, c1));
    assert_ptr_equal(xod_related(p, LIST_channels, 1), c2);
    assert_null(xod_related(p, LIST_channels, 2));
    assert_null(xod_related(p, LIST_users, 0));
    xod_del(c1);
    assert_ptr_equal(xod_related(p, LIST_channels, 0), c2);
    xod_unrelate(p, c2);
    assert_null(xod_related(c2, LIST_phones, 0));
    xod_relate(p, c2);
    xod_del(p);
    assert_null(xod_related(c2, LIST_phones, 0));
}

/* ---- walking ---- */

static void a_walk_gives_each_object_once_while_others_come_and_go(void **state)
{
    struct world *w = *state;
    unsigned seen[10] = {0};
    struct xod_obj *o;
    size_t pos = 0;
    char id[16];

    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof(id), "%d", i);
        add(w, LIST_phones, id);
    }
    commit(w);
    for (int round = 0; (o = xod_next(w->s, LIST_phones, &pos)); round++) {
        int n = atoi(xod_obj_id(o).ptr);
        if (n < 10)
            seen[n]++;
        assert_true(round < 100);
        if (round == 2) { /* one seen, one to come */
            xod_del(xod_find(w->s, LIST_phones, VIEW("1")));
            xod_del(xod_find(w->s, LIST_phones, VIEW("8")));
            commit(w);
            add(w, LIST_phones, "100");
            add(w, LIST_phones, "101");
            add(w, LIST_phones, "102");
        }
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(seen[i], i != 8);
}

static void sites_do_not_mix(void **state)
{
    struct world *w = *state;
    struct xod_ipbx *other = xod_ipbx(w->x, VIEW("other"), true);

    assert_null(xod_ipbx(w->x, VIEW("none"), false));
    assert_ptr_equal(xod_ipbx(w->x, VIEW("other"), true), other);
    assert_ptr_equal(xod_site_at(w->x, 1), other);
    assert_null(xod_site_at(w->x, 2));
    add(w, LIST_users, "5");
    assert_null(xod_find(other, LIST_users, VIEW("5")));
    assert_true(view_eq(xod_ipbx_name(other), VIEW("other")));
}

static unsigned freed;

static void count_free(void *extra)
{
    freed++;
}

static void what_hangs_on_an_object_is_freed_with_it(void **state)
{
    struct world *w = *state;
    struct xod_obj *o = add(w, LIST_users, "5");

    freed = 0;
    xod_on_free(w->x, count_free);
    xod_set_extra(o, &freed);
    assert_ptr_equal(xod_extra(o), &freed);
    xod_del(o);
    assert_int_equal(freed, 0);
    commit(w);
    assert_int_equal(freed, 1);
}

static void a_hundred_thousand_objects_in_one_transaction_take_no_time(void **state)
{
    struct world *w = *state;
    uint64_t start = clock_mono_us();
    char id[32];

    for (int round = 0; round < 2; round++) /* the second replaces them all */
        for (int i = 0; i < 100000; i++) {
            snprintf(id, sizeof(id), "SIP/p%d", i);
            if (round)
                xod_del(xod_find(w->s, LIST_phones, view_cstr(id)));
            phone(w, id, id);
        }
    assert_int_equal(xod_count(w->s, LIST_phones), 100000);
    assert_non_null(by_identity(w, "sip/P99999", 0));
    xod_commit(w->x, NULL, NULL);
    for (int i = 0; i < 100000; i += 2) {
        snprintf(id, sizeof(id), "SIP/p%d", i);
        xod_del(xod_find(w->s, LIST_phones, view_cstr(id)));
    }
    xod_commit(w->x, NULL, NULL);
    assert_int_equal(xod_count(w->s, LIST_phones), 50000);
    assert_true(clock_mono_us() - start < 20000000); /* quadratic: hours */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_object_begins_with_the_initial_values_of_the_schema),
        T(an_update_tells_exactly_the_fields_that_differ),
        T(what_changed_to_and_fro_is_not_told),
        T(lists_are_told_by_rank_and_deletions_last),
        T(every_list_has_a_rank_that_is_told),
        T(a_value_of_a_wrong_type_is_refused),
        T(what_is_deleted_and_added_again_is_told_as_an_update),
        T(what_was_added_deleted_and_added_again_is_told_as_added),
        T(a_deleted_object_can_be_read_until_the_commit_and_not_be_changed),
        T(a_field_can_be_put_back_to_its_initial_value),
        T(an_index_finds_all_objects_of_a_value),
        T(an_index_folds_case_where_the_schema_says_so),
        T(exactly_the_same_case_counts_first),
        T(a_number_is_found_by_its_text),
        T(values_that_begin_alike_for_long_are_not_taken_for_each_other),
        T(a_tie_stands_at_both_ends_and_goes_with_either),
        T(a_walk_gives_each_object_once_while_others_come_and_go),
        T(sites_do_not_mix),
        T(what_hangs_on_an_object_is_freed_with_it),
        T(a_hundred_thousand_objects_in_one_transaction_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
