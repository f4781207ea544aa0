/* The lists of the configuration: what becomes of them, at the start and at a reload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "core/context.h"
#include "lists/lists.h"
#include "support/whole_state.h"
#include "users/passwords.h"

static int setup(void **state)
{
    struct state_world *w = calloc(1, sizeof(*w));

    *state = w;
    return state_setup(w);
}

static int teardown(void **state)
{
    state_teardown(*state);
    free(*state);
    return 0;
}

static struct xod_obj *phone(struct state_world *w, const char *id)
{
    return xod_find(w->ipbx, LIST_phones, view_cstr(id));
}

static void reload(struct state_world *w, const char *users, const char *lines)
{
    if (users)
        state_write(w, "users.json", users);
    if (lines)
        state_write(w, "lines.json", lines);
    state_reload(w->s, w->cfg);
}

static void assert_linelist(struct state_world *w, const char *user, const char *want)
{
    const struct value *v = xod_get(state_user(w, user), XOD(users, linelist));
    struct buf got;

    buf_init(&got, 0);
    value_put_json(&got, v);
    assert_string_equal(buf_cstr(&got), want);
    buf_free(&got);
}

static const char *password(struct state_world *w, const char *user)
{
    return passwords_get(w->s->passwords, VIEW("xivo"), view_cstr(user));
}

static void users_and_phones_are_loaded(void **state)
{
    struct state_world *w = *state;

    assert_int_equal(xod_count(w->ipbx, LIST_users), 5);
    assert_string_equal(state_str(state_user(w, "1"), XOD(users, fullname)), "Alice Martin");
    assert_string_equal(state_str(state_user(w, "2"), XOD(users, fullname)), "Bob");
    assert_string_equal(state_str(phone(w, "12"), XOD(phones, identity)), "SIP/alice");
    assert_string_equal(state_str(phone(w, "11"), XOD(phones, identity)), "SIP/al2");
    assert_int_equal(xod_get(phone(w, "11"), XOD(phones, number))->i, 1011); /* as it was written */
    assert_linelist(w, "1", "[\"11\",\"12\"]");                              /* by rules_order */
    assert_true(xod_is_tied(state_user(w, "1"), phone(w, "12")));
    assert_linelist(w, "2", "[]");
}

/* In place of xod_add, by the linker: memory runs out at call number `fails_at`. */
static int fails_at;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker makes these names */
struct xod_obj *__real_xod_add(struct xod_ipbx *ipbx, enum xod_list list, struct view id);
struct xod_obj *__wrap_xod_add(struct xod_ipbx *ipbx, enum xod_list list, struct view id);
struct xod_obj *__wrap_xod_add(struct xod_ipbx *ipbx, enum xod_list list, struct view id)
{
    if (fails_at > 0 && --fails_at == 0)
        return NULL;
    return __real_xod_add(ipbx, list, id);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void a_list_without_memory_deletes_nothing(void **state)
{
    struct state_world *w = *state;

    fails_at = 2;
    assert_int_equal(lists_load_key(w->s, w->cfg, "urllist_users"), -ENOMEM);
    assert_int_equal(xod_count(w->ipbx, LIST_users), 5);
    assert_string_equal(password(w, "2"), "secret");
    assert_int_equal(lists_load_key(w->s, w->cfg, "urllist_users"), 0);
    assert_int_equal(xod_count(w->ipbx, LIST_users), 5);
}

static void passwords_stay_out_of_the_store(void **state)
{
    struct state_world *w = *state;

    assert_string_equal(password(w, "2"), "secret");
    assert_null(password(w, "4")); /* has none */
    assert_null(password(w, "77"));
}

static void identities_follow_the_protocol(void **state)
{
    struct state_world *w = *state;

    reload(w, NULL,
           "[{\"id\":1,\"protocol\":\"pjsip\",\"name\":\"bob\"},"
           "{\"id\":2,\"protocol\":\"custom\",\"name\":\"Local/5@x\"},"
           "{\"id\":3,\"protocol\":\"sip\"},"
           "{\"id\":5,\"protocol\":\"iax\",\"name\":\"frank\"},"
           "{\"id\":4,\"protocol\":\"sip\",\"name\":\"x\",\"identity\":\"IAX2/own\"}]");
    assert_string_equal(state_str(phone(w, "1"), XOD(phones, identity)), "PJSIP/bob");
    assert_string_equal(state_str(phone(w, "2"), XOD(phones, identity)), "Local/5@x");
    assert_string_equal(state_str(phone(w, "3"), XOD(phones, identity)), "(none)");
    assert_string_equal(state_str(phone(w, "4"), XOD(phones, identity)), "IAX2/own");
    assert_string_equal(state_str(phone(w, "5"), XOD(phones, identity)), "IAX2/frank");
}

/* The sample IPBX has every list. Its state is made beside the test's own. */
static void every_list_of_the_sample_site_is_loaded(void **state)
{
    static const struct {
        enum xod_list list;
        size_t n;
    } lists[] = {{LIST_users, 5},    {LIST_phones, 5},  {LIST_agents, 2},     {LIST_queues, 4},
                 {LIST_groups, 1},   {LIST_meetmes, 2}, {LIST_voicemails, 5}, {LIST_incalls, 2},
                 {LIST_contexts, 2}, {LIST_trunks, 1},  {LIST_parkinglots, 1}};
    struct state_world *w = *state;
    struct config_errors errors = {0};
    struct config *sample = config_load(TEST_SOURCE_DIR "/config/demo/ctibus.json", NULL, &errors);

    assert_non_null(sample);
    config_errors_free(&errors);
    assert_int_equal(lists_load(w->s, sample), 0);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        assert_int_equal(xod_count(w->ipbx, lists[i].list), lists[i].n);
    assert_string_equal(
        state_str(xod_find(w->ipbx, LIST_voicemails, VIEW("3")), XOD(voicemails, fullmailbox)),
        "1003@default");
    assert_string_equal(state_str(xod_find(w->ipbx, LIST_trunks, VIEW("1")), XOD(trunks, identity)),
                        "SIP/pstn");
    assert_true(xod_is_tied(state_user(w, "1"), xod_find(w->ipbx, LIST_agents, VIEW("1"))));
    assert_true(xod_is_tied(state_user(w, "3"), xod_find(w->ipbx, LIST_voicemails, VIEW("3"))));
    assert_null(xod_related(state_user(w, "3"), LIST_agents, 0));
    assert_non_null(xod_find(w->ipbx, LIST_contexts, VIEW("from-extern")));
    assert_int_equal(lists_load(w->s, w->cfg), 0); /* one that has none of them */
    assert_int_equal(xod_count(w->ipbx, LIST_queues), 0);
    config_destroy(&sample);
}

static void what_is_commented_or_no_object_is_left_out(void **state)
{
    struct state_world *w = *state;

    reload(w,
           "[{\"id\":\"1\",\"commented\":\"1\"},{\"id\":\"2\",\"commented\":\"0\"},"
           "{\"id\":\"3\",\"commented\":false},{\"id\":\"4\",\"commented\":true},"
           "{\"noid\":1},{\"id\":null},{\"id\":[]},{\"id\":\"\"},7,null,\"x\",[]]",
           NULL);
    assert_int_equal(xod_count(w->ipbx, LIST_users), 2);
    assert_non_null(state_user(w, "2"));
    assert_non_null(state_user(w, "3"));
}

static void values_of_a_wrong_type_are_left_out(void **state)
{
    struct state_world *w = *state;

    reload(w,
           "[{\"id\":\"1\",\"firstname\":[1],\"lastname\":{},\"loginclient\":7,"
           "\"availstate\":\"x\",\"linelist\":\"y\",\"nosuchfield\":1}]",
           NULL);
    assert_int_equal(xod_get(state_user(w, "1"), XOD(users, firstname))->type, V_NULL);
    assert_int_equal(xod_get(state_user(w, "1"), XOD(users, loginclient))->i, 7);
    assert_string_equal(state_str(state_user(w, "1"), XOD(users, availstate)), "disconnected");
}

/* ---- reload ---- */

struct seen {
    struct xod *x;
    int got;
    char topics[1024];
};

static void on_message(void *arg, const struct bus_msg *m)
{
    struct seen *s = arg;
    size_t n = strlen(s->topics);

    s->got++;
    snprintf(s->topics + n, sizeof(s->topics) - n, "%.*s ", VIEW_ARG(m->topic));
}

static void a_reload_publishes_only_what_differs(void **state)
{
    static const struct bus_sub_handler handler = {on_message, NULL};
    struct state_world *w = *state;
    struct seen seen = {.got = 0};
    struct bus_sub *sub;
    int err = 0;

    sub = bus_sub_new(w->p.bus, BUS_INPROC_SUBSCRIBE, &handler, &seen, &err);
    bus_sub_add(sub, VIEW("xod/"));
    UNTIL(w->loop, bus_pub_wanted(w->s->pub, VIEW("xod/")));
    reload(w, NULL, NULL);
    reload(w, NULL,
           "[{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"alice\",\"number\":\"1001\","
           "\"context\":\"default\",\"iduserfeatures\":\"1\",\"rules_order\":\"2\"}]");
    UNTIL(w->loop, seen.got == 4);
    assert_string_equal(seen.topics, "xod/xivo/config/users/1/ xod/xivo/status/users/1/ "
                                     "xod/xivo/config/phones/11/ xod/xivo/status/phones/11/ ");
    bus_sub_destroy(&sub);
}

static void a_reload_adds_changes_and_removes(void **state)
{
    struct state_world *w = *state;

    xod_set_str(state_user(w, "1"), XOD(users, availstate), VIEW("away"));
    reload(w,
           "[{\"id\":\"1\",\"firstname\":\"Alicia\",\"loginclient\":\"alice\"},"
           "{\"id\":\"9\",\"firstname\":\"New\",\"passwdclient\":\"n\"}]",
           NULL);
    assert_int_equal(xod_count(w->ipbx, LIST_users), 2);
    assert_string_equal(state_str(state_user(w, "1"), XOD(users, firstname)), "Alicia");
    assert_string_equal(state_str(state_user(w, "1"), XOD(users, fullname)), "Alicia");
    assert_int_equal(xod_get(state_user(w, "1"), XOD(users, lastname))->type, V_NULL); /* gone */
    assert_int_equal(xod_get(state_user(w, "1"), XOD(users, enableclient))->type, V_NULL);
    assert_string_equal(state_str(state_user(w, "1"), XOD(users, availstate)), "away"); /* stays */
    assert_null(password(w, "1")); /* its password was taken away */
    assert_null(password(w, "2")); /* the user was */
    assert_string_equal(password(w, "9"), "n");
    assert_linelist(w, "1", "[\"11\",\"12\"]");
}

static void a_line_that_changes_its_user_moves(void **state)
{
    struct state_world *w = *state;

    reload(w, NULL,
           "[{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"alice\",\"iduserfeatures\":2}]");
    assert_linelist(w, "1", "[]");
    assert_linelist(w, "2", "[\"12\"]");
    assert_false(xod_is_tied(state_user(w, "1"), phone(w, "12")));
    assert_true(xod_is_tied(state_user(w, "2"), phone(w, "12")));
}

static void calls_of_a_line_that_is_added_are_its_own(void **state)
{
    struct state_world *w = *state;
    struct xod_obj *c = xod_add(w->ipbx, LIST_channels, VIEW("SIP/late-0001"));

    state_commit(w->s, false);
    reload(w, NULL,
           "[{\"id\":\"5\",\"protocol\":\"sip\",\"name\":\"late\"},"
           "{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"alice\"}]");
    assert_true(xod_is_tied(phone(w, "5"), c));
    assert_true(
        value_list_has(xod_get(phone(w, "5"), XOD(phones, channels)), VIEW("SIP/late-0001")));
    reload(w, NULL,
           "[{\"id\":\"5\",\"protocol\":\"sip\",\"name\":\"other\"},"
           "{\"id\":\"6\",\"protocol\":\"sip\",\"name\":\"late\"}]");
    assert_false(xod_is_tied(phone(w, "5"), c));
    assert_int_equal(xod_get(phone(w, "5"), XOD(phones, channels))->len, 0);
    assert_true(xod_is_tied(phone(w, "6"), c));
}

static void a_list_that_cannot_be_read_keeps_its_objects(void **state)
{
    static const char *const broken[] = {"", "{", "[1,", "{}", "null", "\"x\""};
    struct state_world *w = *state;

    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        reload(w, broken[i], NULL);
        assert_int_equal(xod_count(w->ipbx, LIST_users), 5);
    }
    state_unlink(w, "users.json");
    reload(w, NULL, NULL);
    assert_int_equal(xod_count(w->ipbx, LIST_users), 5);
    assert_string_equal(password(w, "2"), "secret");
    reload(w, "[]", NULL);
    assert_int_equal(xod_count(w->ipbx, LIST_users), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(users_and_phones_are_loaded),
        T(a_list_without_memory_deletes_nothing),
        T(passwords_stay_out_of_the_store),
        T(identities_follow_the_protocol),
        T(every_list_of_the_sample_site_is_loaded),
        T(what_is_commented_or_no_object_is_left_out),
        T(values_of_a_wrong_type_are_left_out),
        T(a_reload_publishes_only_what_differs),
        T(a_reload_adds_changes_and_removes),
        T(a_line_that_changes_its_user_moves),
        T(calls_of_a_line_that_is_added_are_its_own),
        T(a_list_that_cannot_be_read_keeps_its_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
