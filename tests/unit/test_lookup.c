/* Lookups in directories of all kinds, in a whole state. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "base/array.h"
#include "directory/identity.h"
#include "directory/lookup.h"
#include "support/directory_world.h"

/* ---- searches ---- */

static void on_answer(void *arg, const struct directory_answer *a)
{
    struct world *x = arg;
    size_t at = 0;

    x->answers++;
    if (a->fault) {
        snprintf(x->said, sizeof(x->said), "%s", a->fault);
        return;
    }
    x->said[0] = '\0';
    x->rows = a->rows->n;
    for (size_t i = 0; i < a->rows->n && at < sizeof(x->said); i++) {
        assert_int_equal(times(a->rows->list[i].line, ";"), a->display->n - 1);
        at += (size_t)snprintf(x->said + at, sizeof(x->said) - at, "%s|", a->rows->list[i].line);
    }
}

static struct directory_ask ask_of(struct world *x, const char *context, const char *text)
{
    return (struct directory_ask){
        .ipbx = x->w.ipbx, .context = view_cstr(context), .text = view_cstr(text)};
}

static const char *search(struct world *x, const char *context, const char *text)
{
    struct directory_ask ask = ask_of(x, context, text);

    x->answers = 0;
    directory_search(x->w.s->directories, &ask, on_answer, x);
    UNTIL(x->w.loop, x->answers == 1);
    return x->said;
}

static void users_are_found_with_their_phones(void **state)
{
    struct world *x = *state;

    start(x, "");
    assert_string_equal(search(x, "default", "MART"), "Alice Martin;1001|Alice Martin;1002|");
    assert_string_equal(search(x, "default", "rene"), "Ren\303\251 D up;2001|");
    assert_string_equal(search(x, "default", " ZO\303\213 "), "Zo\303\253;-|");
    assert_string_equal(search(x, "default", "1002"), "Alice Martin;1002|");
    assert_string_equal(search(x, "default", "06 11"), ""); /* not looked at by itself */
    assert_string_equal(search(x, "default", ""), "Alice Martin;1001|Alice Martin;1002|"
                                                  "Ren\303\251 D up;2001|Zo\303\253;-|");
    assert_string_equal(search(x, "default", "nobody"), "");
}

static void put(struct xod_obj *o, unsigned field, const char *text)
{
    assert_int_equal(xod_set_str(o, field, view_cstr(text)), 0);
}

/* What federation tells of another site. */
static void add_site(struct world *x, const char *name, bool remote)
{
    struct xod_ipbx *site = xod_ipbx(x->w.s->xod, view_cstr(name), true);
    struct xod_obj *user = xod_add(site, LIST_users, VIEW("1"));
    struct xod_obj *phone = xod_add(site, LIST_phones, VIEW("11"));

    xod_set_bool(xod_add(site, LIST_ipbx, view_cstr(name)), XOD(ipbx, remote), remote);
    put(user, XOD(users, firstname), "Martine");
    put(user, XOD(users, lastname), "Durand");
    put(user, XOD(users, fullname), "Martine Durand");
    put(phone, XOD(phones, number), "5001");
    xod_list_add(user, XOD(users, linelist), VIEW("11"));
    xod_commit(x->w.s->xod, NULL, NULL);
}

static bool note_id(void *arg, const struct directory *dir, const struct entry *e)
{
    char id[ENTRY_ID];
    struct buf *out = arg;

    buf_append_view(out, directory_entry_id(dir, e, id));
    buf_append_char(out, ' ');
    return true;
}

static void note_end(void *arg, const char *fault)
{
    buf_append_cstr(arg, fault ? fault : "end");
}

static bool sees_all_but(void *arg, const struct xod_obj *user)
{
    return !view_eq(xod_obj_id(user), view_cstr(arg));
}

static void users_who_may_not_be_seen_are_not_found(void **state)
{
    struct world *x = *state;
    struct directory_ask ask;

    start(x, "");
    ask = ask_of(x, "default", "");
    ask.sees = sees_all_but;
    ask.sees_arg = "1";
    directory_search(x->w.s->directories, &ask, on_answer, x);
    assert_string_equal(x->said, "Ren\303\251 D up;2001|Zo\303\253;-|");
}

/* Who keeps contexts apart asks of users and of their phones. */
static bool sees_not_inside(void *arg, const struct xod_obj *o)
{
    char scratch[32];

    return xod_obj_list(o) != LIST_phones ||
           !view_eq(value_text(xod_get(o, XOD(phones, context)), scratch), VIEW("inside"));
}

static const char *search_outside(struct world *x, const char *text)
{
    struct directory_ask ask = ask_of(x, "default", text);

    ask.sees = sees_not_inside;
    directory_search(x->w.s->directories, &ask, on_answer, x);
    return x->said;
}

static void users_of_other_sites_are_found(void **state)
{
    struct world *x = *state;
    struct directory_ask ask;
    struct buf ids;

    start(x, "");
    add_site(x, "lyon", true);
    add_site(x, "other", false); /* another Asterisk of ours */
    assert_string_equal(search(x, "default", "martin"),
                        "Alice Martin;1001|Alice Martin;1002|Martine Durand;5001|");
    buf_init(&ids, 0);
    ask = ask_of(x, "default", "martin");
    directory_find(x->w.s->directories, &ask, note_id, note_end, &ids);
    assert_string_equal(buf_cstr(&ids), "1 1 lyon/1 end");
    buf_free(&ids);
    put(xod_find(xod_ipbx(x->w.s->xod, VIEW("lyon"), false), LIST_phones, VIEW("11")),
        XOD(phones, context), "inside");
    assert_string_equal(search_outside(x, "martine"), "");
}

static void phones_that_may_not_be_seen_are_not_found(void **state)
{
    struct world *x = *state;

    start(x, "");
    state_write(&x->w, "lines.json",
                "[{\"id\":\"11\",\"protocol\":\"sip\",\"name\":\"a\",\"number\":\"1001\","
                "\"context\":\"default\",\"iduserfeatures\":\"1\",\"rules_order\":1},"
                "{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"b\",\"number\":\"2002\","
                "\"context\":\"inside\",\"iduserfeatures\":\"1\",\"rules_order\":2},"
                "{\"id\":\"13\",\"protocol\":\"sip\",\"name\":\"r\",\"number\":\"2001\","
                "\"context\":\"inside\",\"iduserfeatures\":\"2\",\"rules_order\":1}]");
    reload(x);
    assert_string_equal(search(x, "default", "alice"), "Alice Martin;1001|Alice Martin;2002|");
    assert_string_equal(search_outside(x, "alice"), "Alice Martin;1001|");
    assert_string_equal(search_outside(x, "2002"), "");
    /* all of Rene's phones are hidden, Zoe has none */
    assert_string_equal(search_outside(x, ""), "Alice Martin;1001|Zo\303\253;-|");
}

static bool note_entry(void *arg, const struct entry *e)
{
    char(*out)[256] = arg;
    static const char *const names[] = {"user.firstname",
                                        "userfeatures.lastname",
                                        "extension.exten",
                                        "linefeatures.number",
                                        "linefeatures.context",
                                        "user.number",
                                        "context",
                                        "passwdclient",
                                        "linefeatures.name",
                                        "nothing"};

    (*out)[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char scratch[32];
        size_t n = strlen(*out);
        snprintf(*out + n, 256 - n, "%.*s,", VIEW_ARG(e->get(e, view_cstr(names[i]), scratch)));
    }
    return true;
}

static void columns_of_users_have_the_names_of_xivo_too(void **state)
{
    struct world *x = *state;
    struct json_object *columns = json_tokener_parse("[\"nothing\",\"linefeatures.number\"]");
    struct query q = {.text = VIEW("1002"), .key = VIEW("1002"), .reverse = true};
    char out[256] = "";

    start(x, "");
    internal_find(x->w.ipbx, columns, &q, NULL, NULL, note_entry, &out);
    assert_string_equal(out, "Alice,Martin,1002,1002,default,1002,default,,,,");
    json_object_put(columns);
}

static void the_phonebook_is_found_and_read_anew(void **state)
{
    struct world *x = *state;

    start(x, "");
    assert_string_equal(search(x, "book", "cafe"), "Lo\303\257s Caf\303\251;01 23 45|");
    assert_string_equal(search(x, "book", "ours"), "Lo\303\257s Caf\303\251;01 23 45|");
    assert_string_equal(search(x, "book", ""), "Flat;0777|Lo\303\257s Caf\303\251;01 23 45|");
    state_write(&x->w, "phonebook.json", "[{\"phonebook\":{\"fullname\":\"New\"}}]");
    reload(x);
    assert_string_equal(search(x, "book", ""), "New;-|");
    state_write(&x->w, "phonebook.json", "[");
    reload(x);
    assert_string_equal(search(x, "book", ""), "New;-|");
    state_write(&x->w, "phonebook.json", "[]");
    reload(x);
    assert_string_equal(search(x, "book", ""), "");
}

static void files_are_found_and_read_anew(void **state)
{
    struct world *x = *state;

    start(x, "");
    assert_string_equal(search(x, "csv", "duRAND"), "Durand;0198|Durand  fils;01.99|");
    state_write(&x->w, "contacts.csv", "tel;nom\n1;L\351a\n");
    reload(x);
    assert_string_equal(search(x, "csv", ""), "L\303\251a;1|");
    state_write(&x->w, "contacts.csv", "tel;\"nom\n1;L\351a\n");
    reload(x);
    reload(x);
    assert_string_equal(search(x, "csv", ""), "L\303\251a;1|");
    assert_int_equal(times(logged(x), "does not end; what is known of it stays"), 1);
    state_unlink(&x->w, "contacts.csv");
    reload(x);
    assert_string_equal(search(x, "csv", ""), "L\303\251a;1|");
    assert_non_null(strstr(logged(x), "No such file or directory; what is known of it stays"));
    assert_true(loop_timer_running(x->w.s->lists_timer)); /* it is tried again */
}

static void the_context_says_what_is_looked_at(void **state)
{
    struct world *x = *state;

    start(x, "");
    assert_string_equal(search(x, "all", "d"), "Durand;csv|Durand  fils;csv|Ren\303\251 D up;Us|");
    assert_string_equal(search(x, "unheard of", "zoe"), "Zo\303\253;-|"); /* "default" */
    assert_string_equal(search(x, "", "zoe"), "Zo\303\253;-|");
    assert_string_equal(search(x, "blind", "zoe"), "undefined_display");
    configure(x, "", ",\"*\":{\"directories\":[\"csv\"],\"display\":\"d\"}");
    reload(x);
    assert_string_equal(search(x, "unheard of", ""), "Durand;0198|Durand  fils;01.99|");
    assert_string_equal(search(x, "default", "zoe"), "Zo\303\253;-|");
}

static void what_is_not_supported_is_told_once(void **state)
{
    struct world *x = *state;

    start(x, "");
    reload(x);
    assert_string_equal(search(x, "old", "fils"), "Durand  fils;csv|");
    assert_int_equal(times(logged(x), "directory old: \"ldap\" is not supported"), 1);
}

static void a_pattern_is_bounded(void **state)
{
    struct world *x = *state;
    char text[LOOKUP_MAX_TEXT + 2];

    start(x, "");
    memset(text, 'x', sizeof(text));
    text[LOOKUP_MAX_TEXT + 1] = '\0';
    assert_string_equal(search(x, "default", text), "pattern_too_long");
    text[LOOKUP_MAX_TEXT] = '\0';
    assert_string_equal(search(x, "default", text), "");
}

static void at_most_a_thousand_rows_come(void **state)
{
    struct world *x = *state;
    struct buf text;

    start(x, "");
    buf_init(&text, 0);
    buf_append_cstr(&text, "nom\n");
    for (int i = 0; i < 1500; i++)
        buf_printf(&text, "%d\n", i);
    state_write(&x->w, "contacts.csv", buf_cstr(&text));
    buf_free(&text);
    reload(x);
    search(x, "csv", "");
    assert_int_equal(x->rows, ROWS_MAX);
    assert_non_null(strstr(x->said, "0;-|1;-|10;-|100;-|101;-|"));
}

/* ---- web servers ---- */

static void web_servers_are_asked_with_each_column(void **state)
{
    struct world *x = *state;

    start(x, "");
    assert_string_equal(search(x, "web", "d \303\251"), "Durand;0198|Webb;5551|");
    assert_string_equal(x->web.query, "name=d%20%C3%A9&city=d%20%C3%A9");
    web_page(&x->web, "/web")->body = "name,number\nA;B,1\n\n";
    assert_string_equal(search(x, "web", "fils"), "A B;1|Durand  fils;01.99|");
}

static void others_answer_while_one_fails(void **state)
{
    static const struct {
        int status;
        const char *body, *logged;
    } bad[] = {{500, "", "directory web: HTTP status 500; lookups go on without it"},
               {200, "a,\"b", "directory web: a quoted field that does not end; lookups"},
               {200, "", NULL}};
    struct world *x = *state;

    start(x, "");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        web_page(&x->web, "/web")->status = bad[i].status;
        web_page(&x->web, "/web")->body = bad[i].body;
        for (int n = 0; n < 2; n++)
            assert_string_equal(search(x, "web", "fils"), "Durand  fils;01.99|");
        if (bad[i].logged)
            assert_int_equal(times(logged(x), bad[i].logged), 1);
    }
    assert_int_equal(times(logged(x), "directory web answers again"), 1);
    web_down(&x->web);
    assert_string_equal(search(x, "web", "fils"), "Durand  fils;01.99|");
    assert_non_null(strstr(logged(x), "connect to server"));
}

static void a_late_answer_is_not_waited_for(void **state)
{
    struct world *x = *state;
    uint64_t begin = clock_mono_us();

    start(x, "\"sockettimeout\":1");
    assert_string_equal(search(x, "slow", "x"), "Durand;0198|Webb;5551|");
    assert_true(clock_mono_us() - begin >= 1000000);
    assert_non_null(strstr(logged(x), "directory slow: Timeout was reached ("));
}

static void only_so_many_wait_for_a_server(void **state)
{
    struct world *x = *state;
    struct directory_ask ask;

    start(x, "\"sockettimeout\":1");
    ask = ask_of(x, "slow", "fils");
    for (int i = 0; i < HTTP_MAX_WAITING; i++) /* each waits twice: for slow and for web */
        directory_search(x->w.s->directories, &ask, on_answer, x);
    assert_int_equal(x->answers, HTTP_MAX_WAITING / 2);
    assert_string_equal(x->said, "Durand  fils;01.99|");
    assert_non_null(strstr(logged(x), "directory slow: too many lookups wait"));
    UNTIL(x->w.loop, x->answers == HTTP_MAX_WAITING);
    web_page(&x->web, "/slow")->silent = false;
    assert_string_equal(search(x, "slow", "x"), "Durand;0198|Webb;5551|");
}

static void a_reload_meanwhile_changes_nothing(void **state)
{
    struct world *x = *state;
    struct directory_ask ask;

    start(x, "\"sockettimeout\":20");
    ask = ask_of(x, "slow", "fils");
    directory_search(x->w.s->directories, &ask, on_answer, x);
    configure(x, "", "");
    reload(x);
    reload(x);
    assert_string_equal(search(x, "csv", "fils"), "Durand  fils;01.99|");
    x->answers = 0;
    web_down(&x->web); /* which ends it */
    UNTIL(x->w.loop, x->answers == 1);
    assert_non_null(strstr(x->said, "Durand  fils;01.99|"));
}

static void who_waits_at_the_end_is_told(void **state)
{
    struct world *x = *state;
    struct directory_ask ask;

    start(x, "\"sockettimeout\":20");
    ask = ask_of(x, "slow", "x");
    directory_search(x->w.s->directories, &ask, on_answer, x);
    assert_int_equal(x->answers, 0);
    state_stop(&x->w);
    assert_int_equal(x->answers, 1);
    assert_string_equal(x->said, "stopped");
}

/* ---- reverse ---- */

static void on_reverse(void *arg, struct json_object *fields)
{
    struct world *x = arg;

    x->answers++;
    snprintf(x->said, sizeof(x->said), "%s",
             fields ? json_object_to_json_string_ext(fields, JSON_C_TO_STRING_PLAIN) : "none");
}

static const char *reverse(struct world *x, const char *context, const char *exten,
                           const char *number)
{
    struct directory_ask ask = ask_of(x, context, number);

    ask.exten = view_cstr(exten);
    x->answers = 0;
    directory_reverse(x->w.s->directories, &ask, on_reverse, x);
    UNTIL(x->w.loop, x->answers == 1);
    return x->said;
}

#define FROM_CSV "{\"xivo-directory\":\"csv\",\"fullname\":\"Durand\",\"phone\":\"0198\"}"
#define FROM_WEB "{\"xivo-directory\":\"web\",\"fullname\":\"Durand\",\"phone\":\"0198\"}"

static void numbers_lead_to_the_first_who_has_them(void **state)
{
    struct world *x = *state;

    start(x, "");
    assert_string_equal(reverse(x, "web", "", "01-98"), FROM_CSV);
    assert_int_equal(web_page(&x->web, "/web")->hits, 0); /* needless */
    assert_string_equal(reverse(x, "web", "100", "0198"), FROM_WEB);
    assert_string_equal(x->web.query, "number=0198");
    assert_string_equal(reverse(x, "web", "100", "0199"),
                        "{\"xivo-directory\":\"csv\",\"fullname\":\"Durand; fils\",\"phone\":"
                        "\"01.99\"}");
    assert_string_equal(reverse(x, "web", "101", "0198"), "none");
    assert_string_equal(reverse(x, "web", "", "555"), "none"); /* a part of a number */
    assert_string_equal(reverse(x, "web", "", ""), "none");
    assert_string_equal(reverse(x, "web", "", "anonymous"), "none");
    assert_string_equal(reverse(x, "csv", "", "0198"), "none"); /* no didextens */
    assert_string_equal(reverse(x, "slow", "1", "0611"),
                        "{\"xivo-directory\":\"Us\",\"fullname\":\"Alice Martin\",\"firstname\":"
                        "\"Alice\",\"lastname\":\"Martin\",\"phone\":\"1001\",\"mobile\":"
                        "\"06 11\"}");
    assert_string_equal(reverse(x, "slow", "1", "012345"),
                        "{\"xivo-directory\":\"xivodir\",\"fullname\":\"Lo\303\257s Caf\303\251\","
                        "\"phone\":\"01 23 45\"}");
}

static void a_number_waits_for_a_directory_that_comes_first(void **state)
{
    struct world *x = *state;

    start(x, "\"sockettimeout\":1");
    assert_string_equal(reverse(x, "slow", "", "0198"), FROM_CSV);
    assert_int_equal(web_page(&x->web, "/slow")->hits, 1);
    *web_page(&x->web, "/slow") = (struct page){.path = "/slow", .body = "number\n0198\n"};
    assert_string_equal(reverse(x, "slow", "", "0198"),
                        "{\"xivo-directory\":\"slow\",\"phone\":\"0198\"}");
}

/* The first directory has the number, and is known to before the second one's time is over. */
static void a_number_does_not_wait_for_a_directory_behind(void **state)
{
    struct world *x = *state;

    start(x, "\"sockettimeout\":1");
    assert_string_equal(reverse(x, "slow", "2", "0198"), FROM_WEB);
    assert_null(strstr(logged(x), "directory slow"));
    UNTIL(x->w.loop, strstr(logged(x), "directory slow: Timeout was reached ("));
    assert_int_equal(x->answers, 1);
}

static void who_was_answered_is_not_told_of_the_end(void **state)
{
    struct world *x = *state;

    start(x, "\"sockettimeout\":20");
    assert_string_equal(reverse(x, "slow", "2", "0198"), FROM_WEB);
    state_stop(&x->w);
    assert_int_equal(x->answers, 1);
    assert_string_equal(x->said, FROM_WEB);
}

static void a_number_of_another_site_has_a_name(void **state)
{
    struct world *x = *state;

    start(x, "");
    add_site(x, "lyon", true);
    assert_string_equal(reverse(x, "slow", "1", "5001"),
                        "{\"xivo-directory\":\"Us\",\"fullname\":\"Martine Durand\",\"firstname\":"
                        "\"Martine\",\"lastname\":\"Durand\",\"phone\":\"5001\",\"mobile\":\"\"}");
    /* of two who have a number the colleague at hand */
    put(xod_find(xod_ipbx(x->w.s->xod, VIEW("lyon"), false), LIST_phones, VIEW("11")),
        XOD(phones, number), "1001");
    assert_non_null(strstr(reverse(x, "slow", "1", "1001"), "Alice Martin"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(users_are_found_with_their_phones),
        TEST(users_who_may_not_be_seen_are_not_found),
        TEST(phones_that_may_not_be_seen_are_not_found),
        TEST(users_of_other_sites_are_found),
        TEST(a_number_of_another_site_has_a_name),
        TEST(columns_of_users_have_the_names_of_xivo_too),
        TEST(the_phonebook_is_found_and_read_anew),
        TEST(files_are_found_and_read_anew),
        TEST(the_context_says_what_is_looked_at),
        TEST(what_is_not_supported_is_told_once),
        TEST(a_pattern_is_bounded),
        TEST(at_most_a_thousand_rows_come),
        TEST(web_servers_are_asked_with_each_column),
        TEST(others_answer_while_one_fails),
        TEST(a_late_answer_is_not_waited_for),
        TEST(only_so_many_wait_for_a_server),
        TEST(a_reload_meanwhile_changes_nothing),
        TEST(who_waits_at_the_end_is_told),
        TEST(numbers_lead_to_the_first_who_has_them),
        TEST(a_number_waits_for_a_directory_that_comes_first),
        TEST(a_number_does_not_wait_for_a_directory_behind),
        TEST(who_was_answered_is_not_told_of_the_end),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
