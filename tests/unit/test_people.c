/* People: columns, CSV of contacts, and what clients ask of state and are answered. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define IPBX_CLASSES                                                                               \
    "[\"people_headers\",\"people_search\",\"people_favorites\",\"people_set_favorite\","          \
    "\"people_personal_contacts\",\"people_create_personal_contact\","                             \
    "\"people_personal_contact_raw\",\"people_edit_personal_contact\","                            \
    "\"people_delete_personal_contact\",\"people_purge_personal_contacts\","                       \
    "\"people_import_personal_contacts_csv\",\"people_export_personal_contacts_csv\","             \
    "\"get_switchboard_directory_headers\",\"switchboard_directory_search\"]"
#include "base/array.h"
#include "people/csv.h"
#include "support/ipbx_world.h"

#define SECTIONS                                                                                   \
    "{\"directories\":{\"internal\":{\"uri\":\"internal\"},\"book\":{\"uri\":\"file:book.csv\","   \
    "\"match_direct\":[\"name\"],\"match_reverse\":[\"tel\"],\"field_fullname\":[\"name\"],"       \
    "\"field_phone\":[\"tel\"],\"field_mobile\":[\"mob\"]}},"                                      \
    "\"displays\":{\"d\":{\"1\":[\"Who\",\"\",\"\",\"{db-fullname}\"],"                            \
    "\"2\":[\"Phone\",\"phone\",\"-\",\"{db-phone}\"]},"                                           \
    "\"people\":{\"1\":[\"Name\",\"name\",\"\",\"{db-fullname}\"],"                                \
    "\"2\":[\"Number\",\"number\",\"\",\"{db-phone}\"],\"3\":[\"*\",\"favorite\",\"\",\"\"],"      \
    "\"4\":[\"Own\",\"personal\",\"\",\"\"],\"5\":[\"Mail\",null,\"\",\"{db-mail}\"]},"            \
    "\"switchboard\":{\"1\":[\"Icon\",\"status\",\"\",\"\"],"                                      \
    "\"2\":[\"Name\",\"name\",\"\",\"{db-fullname}\"],"                                            \
    "\"3\":[\"Office\",\"number_office\",\"\",\"{db-phone}\"],"                                    \
    "\"4\":[\"Mobile\",\"number_mobile\",\"\",\"{db-mobile}\"],"                                   \
    "\"5\":[\"From\",\"\",\"\",\"{xivo-directory}\"],\"6\":[\"name\",\"\",\"\",\"x\"]}},"          \
    "\"contexts\":{\"default\":{\"directories\":[\"internal\",\"book\"],\"display\":\"d\"}}}"
#define BOOK "id,name,tel,mob\n7,Zo\303\253 Bern,01 23 45 67 89,0611\n,Bobby,555,\n,Bobby,555,\n"

/* The sections that say whom one finds, and the book, are only there now. */
static void configure(struct ipbx_world *w, const char *sections)
{
    struct json_object *more = json_tokener_parse(sections);
    struct json_object *all;
    struct config *old = w->s.cfg;

    all = json_tokener_parse(IPBX_CONFIG);
    json_object_object_foreach(more, key, value)
    {
        json_object_object_add(all, key, json_object_get(value));
    }
    state_write(&w->s, "ctibus.json", json_object_to_json_string(all));
    json_object_put(all);
    json_object_put(more);
    w->s.cfg = state_config(&w->s);
    state_reload(w->s.s, w->s.cfg);
    config_destroy(&old);
}

static int setup(void **state)
{
    struct ipbx_world *w;

    ipbx_setup(state);
    w = *state;
    state_write(&w->s, "book.csv", BOOK);
    configure(w, SECTIONS);
    assert_int_equal(peer_open(&w->p, "s2", "2", "available"), BUS_ok);
    return 0;
}

static int teardown(void **state)
{
    struct ipbx_world *w = *state;

    state_unlink(&w->s, "book.csv");
    return ipbx_teardown(state);
}

static const char *ask(struct ipbx_world *w, const char *session, const char *class,
                       const char *message)
{
    assert_int_equal(peer_command(&w->p, session, class, message), BUS_ok);
    return w->p.answer;
}

static void has(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        fail_msg("no %s in %s", part, answer);
}

static void has_not(const char *answer, const char *part)
{
    if (strstr(answer, part))
        fail_msg("%s in %s", part, answer);
}

static int times(const char *text, const char *part)
{
    int n = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

/* ---- columns ---- */

static void columns_are_those_of_a_display(void **state)
{
    struct ipbx_world *w = *state;

    assert_string_equal(ask(w, "s1", "people_headers", "{}"),
                        "{\"column_headers\":[\"Name\",\"Number\",\"*\",\"Own\",\"Mail\"],"
                        "\"column_types\":[\"name\",\"number\",\"favorite\",\"personal\",null]}");
    assert_string_equal(ask(w, "s1", "get_switchboard_directory_headers", "{}"),
                        "{\"headers\":[[\"Icon\",\"status\"],[\"Name\",\"name\"],"
                        "[\"Number\",\"number\"],[\"From\",\"\"],[\"name\",\"\"]]}");
}

static void without_one_they_are_those_of_the_context(void **state)
{
    struct ipbx_world *w = *state;

    configure(w, "{\"directories\":{\"internal\":{\"uri\":\"internal\"}},\"displays\":{\"d\":"
                 "{\"1\":[\"Who\",\"\",\"\",\"{db-fullname}\"],\"3\":[\"X\",\"\",\"\",\"\"],"
                 "\"2\":[\"Phone\",\"phone\",\"-\",\"{db-phone}\"]}},\"contexts\":{\"*\":"
                 "{\"directories\":[\"internal\"],\"display\":\"d\"}}}");
    assert_string_equal(ask(w, "s1", "people_headers", "{}"),
                        "{\"column_headers\":[\"Who\",\"Phone\",\"X\"],"
                        "\"column_types\":[\"name\",\"number\",null]}");
    assert_string_equal(ask(w, "s1", "get_switchboard_directory_headers", "{}"),
                        "{\"headers\":[[\"Who\",\"name\"],[\"Number\",\"number\"],[\"X\",\"\"]]}");
    has(ask(w, "s1", "switchboard_directory_search", "{\"pattern\":\"bob\"}"),
        "{\"number\":\"1002\",\"number_type\":\"office\",\"name\":\"Bob\",\"X\":\"\"}");
}

static void without_any_there_are_names_and_numbers(void **state)
{
    struct ipbx_world *w = *state;

    configure(w, "{}");
    assert_string_equal(ask(w, "s1", "people_headers", "{}"),
                        "{\"column_headers\":[\"Name\",\"Number\"],"
                        "\"column_types\":[\"name\",\"number\"]}");
    assert_string_equal(ask(w, "s1", "people_search", "{\"pattern\":\"\"}"),
                        "{\"term\":\"\",\"column_headers\":[\"Name\",\"Number\"],"
                        "\"column_types\":[\"name\",\"number\"],\"results\":[]}");
    assert_string_equal(ask(w, "s1", "switchboard_directory_search", "{\"pattern\":\"b\"}"),
                        "{\"pattern\":\"b\",\"results\":[]}");
}

/* ---- searches ---- */

static void who_is_found_has_relations(void **state)
{
    struct ipbx_world *w = *state;
    const char *said = ask(w, "s1", "people_search", "{\"pattern\":\"bob\"}");

    has(said, "{\"term\":\"bob\",\"column_headers\":[");
    has(said, "{\"column_values\":[\"Bob\",\"1002\",false,false,null],\"relations\":{\"xivo_id\":"
              "\"xivo\",\"agent_id\":null,\"user_id\":2,\"endpoint_id\":21,\"source_entry_id\":"
              "\"2\"},\"source\":\"internal\"}");
    has(said, "{\"column_values\":[\"Bobby\",\"555\",false,false,null],\"relations\":{\"xivo_id\":"
              "null,\"agent_id\":null,\"user_id\":null,\"endpoint_id\":null,\"source_entry_id\":");
    assert_int_equal(times(said, "Bobby"), 1);
    said = ask(w, "s1", "people_search", "{\"pattern\":\"ZOE\"}");
    has(said, "\"source_entry_id\":\"7\"},\"source\":\"book\"}");
    said = ask(w, "s1", "people_search", "{\"pattern\":\"alice\"}");
    has(said, "\"agent_id\":7,\"user_id\":1,\"endpoint_id\":11,");
    assert_int_equal(times(said, "column_values"), 1);
    has(ask(w, "s1", "people_search", "{\"pattern\":\"1011\"}"), "\"1011\",false");
    has(ask(w, "s1", "people_search", "{\"pattern\":\"0123.456789\"}"), "Bern");
}

static void who_is_hidden_is_not_found(void **state)
{
    struct ipbx_world *w = *state;

    has_not(ask(w, "s1", "people_search", "{\"pattern\":\"\"}"), "Dave");
    has_not(ask(w, "s1", "switchboard_directory_search", "{\"pattern\":\"1004\"}"), "Dave");
    ask(w, "s1", "people_set_favorite",
        "{\"source\":\"internal\",\"source_entry_id\":\"4\",\"favorite\":true}");
    has(ask(w, "s1", "people_favorites", "{}"), "\"results\":[]");
}

static void the_switchboard_finds_each_number(void **state)
{
    struct ipbx_world *w = *state;
    const char *said = ask(w, "s1", "switchboard_directory_search", "{\"pattern\":\"zoe\"}");

    has(said, "{\"pattern\":\"zoe\",\"results\":[");
    has(said, "{\"number\":\"01 23 45 67 89\",\"number_type\":\"office\",\"Icon\":\"\",\"name\":"
              "\"Zo\303\253 Bern\",\"From\":\"book\"}");
    has(said, "{\"number\":\"0611\",\"number_type\":\"mobile\",");
    has(ask(w, "s1", "switchboard_directory_search", "{\"pattern\":\"0123456789\"}"), "Bern");
    said = ask(w, "s1", "switchboard_directory_search", "{\"pattern\":\"alice\"}");
    has(said, "\"1001\"");
    has(said, "\"1011\"");
    has(ask(w, "s1", "switchboard_directory_search", "{\"pattern\":\"carol\"}"), "\"results\":[]");
}

/* ---- favorites ---- */

static void favorites_are_marked_and_listed(void **state)
{
    struct ipbx_world *w = *state;

    has(ask(w, "s1", "people_favorites", "{}"), "\"results\":[]");
    assert_string_equal(ask(w, "s1", "people_set_favorite",
                            "{\"source\":\"internal\",\"source_entry_id\":2,\"favorite\":true}"),
                        "{\"source\":\"internal\",\"source_entry_id\":\"2\",\"favorite\":true}");
    ask(w, "s1", "people_set_favorite",
        "{\"source\":\"book\",\"source_entry_id\":\"7\",\"favorite\":true}");
    has(ask(w, "s1", "people_search", "{\"pattern\":\"bob\"}"), "[\"Bob\",\"1002\",true,false");
    has(ask(w, "s2", "people_search", "{\"pattern\":\"bob\"}"), "[\"Bob\",\"1002\",false,false");
    assert_int_equal(times(ask(w, "s1", "people_favorites", "{}"), "column_values"), 2);
    ask(w, "s1", "people_set_favorite",
        "{\"source\":\"internal\",\"source_entry_id\":\"2\",\"favorite\":false}");
    has_not(ask(w, "s1", "people_favorites", "{}"), "Bob");
    has(ask(w, "s1", "people_favorites", "{}"), "Bern");
}

/* ---- contacts ---- */

static void contacts_are_ones_own(void **state)
{
    struct ipbx_world *w = *state;
    const char *said;

    assert_string_equal(ask(w, "s1", "people_create_personal_contact",
                            "{\"contact_infos\":{\"firstname\":\"\303\211mile\",\"lastname\":"
                            "\"Bobin\",\"number\":\"+33 1 22\",\"email\":\"e@x\",\"fax\":\"\"}}"),
                        "{}");
    said = ask(w, "s1", "people_personal_contacts", "{}");
    has(said, "{\"column_values\":[\"\303\211mile Bobin\",\"+33 1 22\",false,true,\"e@x\"],"
              "\"relations\":{\"xivo_id\":null,\"agent_id\":null,\"user_id\":null,\"endpoint_id\":"
              "null,\"source_entry_id\":\"1\"},\"source\":\"personal\"}");
    has_not(said, "term");
    has(ask(w, "s1", "people_search", "{\"pattern\":\"EMILE\"}"), "Bobin");
    has(ask(w, "s1", "people_search", "{\"pattern\":\"+33.122\"}"), "Bobin");
    has_not(ask(w, "s2", "people_search", "{\"pattern\":\"emile\"}"), "Bobin");
    has(ask(w, "s2", "people_personal_contact_raw",
            "{\"source\":\"personal\",\"source_entry_id\":\"1\"}"),
        "\"error_string\":\"not_found\"");
    has(ask(w, "s2", "people_edit_personal_contact",
            "{\"source\":\"personal\",\"source_entry_id\":\"1\",\"contact_infos\":{\"a\":\"b\"}}"),
        "\"error_string\":\"not_found\"");
    has(ask(w, "s2", "people_delete_personal_contact",
            "{\"source\":\"personal\",\"source_entry_id\":\"1\"}"),
        "\"error_string\":\"not_found\"");
    ask(w, "s2", "people_purge_personal_contacts", "{}");
    assert_string_equal(
        ask(w, "s1", "people_personal_contact_raw",
            "{\"source\":\"personal\",\"source_entry_id\":\"1\"}"),
        "{\"source\":\"personal\",\"source_entry_id\":\"1\",\"contact_infos\":{\"firstname\":"
        "\"\303\211mile\",\"lastname\":\"Bobin\",\"number\":\"+33 1 22\",\"email\":\"e@x\"}}");
}

static void contacts_are_changed_and_deleted(void **state)
{
    struct ipbx_world *w = *state;

    ask(w, "s1", "people_create_personal_contact", "{\"contact_infos\":{\"name\":\"Xaver\"}}");
    ask(w, "s1", "people_create_personal_contact", "{\"contact_infos\":{\"name\":\"Yves\"}}");
    ask(w, "s1", "people_set_favorite",
        "{\"source\":\"personal\",\"source_entry_id\":\"1\",\"favorite\":true}");
    assert_string_equal(ask(w, "s1", "people_edit_personal_contact",
                            "{\"source\":\"personal\",\"source_entry_id\":1,"
                            "\"contact_infos\":{\"fullname\":\"Zacharie\",\"mobile\":6}}"),
                        "{\"source\":\"personal\",\"source_entry_id\":\"1\"}");
    has(ask(w, "s1", "people_favorites", "{}"), "[\"Zacharie\",null,true,true,null]");
    state_restart(&w->s);
    UNTIL(w->s.loop, w->p.ups == 2);
    assert_int_equal(peer_open(&w->p, "s1", "1", "available"), BUS_ok);
    has(ask(w, "s1", "people_favorites", "{}"), "[\"Zacharie\",null,true,true,null]");
    assert_string_equal(ask(w, "s1", "people_delete_personal_contact",
                            "{\"source\":\"personal\",\"source_entry_id\":\"1\"}"),
                        "{\"source\":\"personal\",\"source_entry_id\":\"1\"}");
    has(ask(w, "s1", "people_favorites", "{}"), "\"results\":[]");
    has(ask(w, "s1", "people_personal_contacts", "{}"), "Yves");
    assert_string_equal(ask(w, "s1", "people_purge_personal_contacts", "{}"), "{}");
    has(ask(w, "s1", "people_personal_contacts", "{}"), "\"results\":[]");
}

static void what_is_no_contact_is_refused(void **state)
{
    static const char *const wrong[] = {
        "null",
        "[]",
        "\"x\"",
        "{}",
        "{\"a\":\"\"}",
        "{\"\":\"x\"}",
        "{\"a\":[\"x\"]}",
        "{\"a\":{\"b\":1}}",
        "{\"a\":true}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\\n\":\"x\"}",
    };
    struct ipbx_world *w = *state;
    char message[512];

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        snprintf(message, sizeof(message), "{\"contact_infos\":%s}", wrong[i]);
        assert_string_equal(ask(w, "s1", "people_create_personal_contact", message),
                            "{\"error_string\":\"contact_infos\"}");
    }
    has(ask(w, "s1", "people_personal_contacts", "{}"), "\"results\":[]");
    has(ask(w, "s1", "people_set_favorite",
            "{\"source\":\"x\",\"source_entry_id\":\"1\",\"favorite\":\"yes\"}"),
        "\"error_string\":\"favorite\"");
    has(ask(w, "s1", "people_set_favorite",
            "{\"source\":[],\"source_entry_id\":{},\"favorite\":true}"),
        "\"error_string\":\"source_entry_id\"");
    has(ask(w, "s1", "people_search", "{\"pattern\":[]}"), "\"error_string\":\"pattern\"");
    has(ask(w, "s1", "switchboard_directory_search", "{\"pattern\":{}}"),
        "\"error_string\":\"pattern\"");
    has(ask(w, "s1", "people_delete_personal_contact",
            "{\"source\":\"internal\",\"source_entry_id\":\"1\"}"),
        "\"error_string\":\"not_found\"");
}

/* ---- bounds ---- */

static void there_is_a_bound(void **state)
{
    struct ipbx_world *w = *state;
    struct db_txn *t = db_begin(w->s.s->db);

    for (int i = 0; i < CONTACTS_MAX; i++)
        contacts_add(t, VIEW("xivo"), VIEW("1"), VIEW("{\"n\":\"x\"}"));
    db_commit_take(&t, NULL, NULL);
    has(ask(w, "s2", "people_create_personal_contact", "{\"contact_infos\":{\"a\":\"b\"}}"), "{}");
    has(ask(w, "s1", "people_create_personal_contact", "{\"contact_infos\":{\"a\":\"b\"}}"),
        "\"error_string\":\"too_many\"");
    has(ask(w, "s1", "people_import_personal_contacts_csv", "{\"csv_contacts\":\"a\\nb\\n\"}"),
        "{\"created_count\":0,\"failed\":[{\"line\":2,\"errors\":[\"too many contacts\"]}]}");
}

/* ---- CSV ---- */

static void csv_comes_in_and_goes_out(void **state)
{
    struct ipbx_world *w = *state;

    assert_string_equal(
        ask(w, "s1", "people_import_personal_contacts_csv",
            "{\"csv_contacts\":\"firstname,number\\r\\n\\\"A, \\\"\\\"b\\\"\\\"\\\",+331\\r\\n"
            "one\\r\\n\\r\\na,b,c\\r\\n'=x,\\r\\n\\\"l\\n2\\\",2\\r\\n,\\r\\n\\\"no end\\r\\n\"}"),
        "{\"created_count\":3,\"failed\":[{\"line\":3,\"errors\":[\"missing fields\"]},"
        "{\"line\":5,\"errors\":[\"too many fields\"]},{\"line\":9,\"errors\":[\"empty\"]},"
        "{\"line\":10,\"errors\":[\"quote does not end\"]}]}");
    assert_string_equal(ask(w, "s1", "people_export_personal_contacts_csv", "{}"),
                        "{\"csv_contacts\":\"firstname,number\\r\\n\\\"A, \\\"\\\"b\\\"\\\"\\\","
                        "+331\\r\\n'=x,\\r\\n\\\"l\\n2\\\",2\\r\\n\"}");
    assert_string_equal(ask(w, "s2", "people_export_personal_contacts_csv", "{}"),
                        "{\"csv_contacts\":\"\"}");
    has(ask(w, "s1", "people_import_personal_contacts_csv", "{\"csv_contacts\":\"\"}"),
        "\"error_string\":\"csv_contacts\"");
    has(ask(w, "s1", "people_import_personal_contacts_csv", "{\"csv_contacts\":\"a,a\\n1,2\"}"),
        "\"error_string\":\"csv_contacts\"");
    has(ask(w, "s1", "people_import_personal_contacts_csv", "{\"csv_contacts\":[1]}"),
        "\"error_string\":\"csv_contacts\"");
}

/* Text, and the cell it is written as. */
static const struct {
    const char *text, *cell;
} cells[] = {
    {"plain", "plain"},
    {"+33 (0)1-2.3/4", "+33 (0)1-2.3/4"},
    {"-12", "-12"},
    {"+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"},
    {"=1+1", "'=1+1"},
    {"@SUM(A1)", "'@SUM(A1)"},
    {"'=1", "''=1"},
    {"'quoted'", "'quoted'"},
    {"-", "'-"},
    {"\tx", "'\tx"},
    {"\nx", "\"'\nx\""},
    {" blank ", "\" blank \""},
    {"a\"b", "\"a\"\"b\""},
};

static void cells_are_no_formulas_and_come_back(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
        struct json_object *contact = json_object_new_object();
        struct json_object *back;
        struct people_csv csv;
        const char *fault;
        struct buf out;
        char want[128];
        buf_init(&out, 0);
        assert_int_equal(contact_set(contact, VIEW("a"), view_cstr(cells[i].text)), 0);
        assert_int_equal(people_csv_put(&out, &contact, 1), 0);
        snprintf(want, sizeof(want), "a\r\n%s\r\n", cells[i].cell);
        assert_string_equal(buf_cstr(&out), want);
        assert_int_equal(people_csv_begin(&csv, buf_view(&out)), 0);
        assert_int_equal(people_csv_next(&csv, &back, &fault), 1);
        assert_true(json_object_equal(contact, back));
        json_object_put(back);
        assert_int_equal(people_csv_next(&csv, &back, &fault), 0);
        people_csv_end(&csv);
        json_object_put(contact);
        buf_free(&out);
    }
}

static void contacts_have_bounds(void **state)
{
    struct json_object *contact = json_object_new_object();
    static char text[CONTACT_MAX_VALUE + 2];
    char name[16];

    memset(text, 'x', CONTACT_MAX_VALUE + 1);
    assert_int_equal(contact_set(contact, VIEW("a"), view_cstr(text)), -E2BIG);
    assert_int_equal(contact_set(contact, view_of(text, 65), VIEW("x")), -EINVAL);
    assert_int_equal(contact_set(contact, VIEW("a"), VIEW("\xff")), -EINVAL);
    text[CONTACT_MAX_VALUE] = '\0';
    for (int i = 0; i < CONTACT_MAX_FIELDS; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        assert_int_equal(contact_set(contact, view_cstr(name), view_cstr(text)), 0);
    }
    assert_int_equal(contact_set(contact, VIEW("more"), VIEW("x")), -E2BIG);
    json_object_put(contact);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(columns_are_those_of_a_display),
        TEST(without_one_they_are_those_of_the_context),
        TEST(without_any_there_are_names_and_numbers),
        TEST(who_is_found_has_relations),
        TEST(who_is_hidden_is_not_found),
        TEST(the_switchboard_finds_each_number),
        TEST(favorites_are_marked_and_listed),
        TEST(contacts_are_ones_own),
        TEST(contacts_are_changed_and_deleted),
        TEST(what_is_no_contact_is_refused),
        TEST(there_is_a_bound),
        TEST(csv_comes_in_and_goes_out),
        cmocka_unit_test(cells_are_no_formulas_and_come_back),
        cmocka_unit_test(contacts_have_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
