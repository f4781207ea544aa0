/* The parts of directories that need no state: CSV, comparing, tables, displays, rows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/utf8.h"
#include "csv/csv.h"
#include "directory/fold.h"
#include "directory/format.h"
#include "directory/rows.h"
#include "directory/sources.h"
#include "directory/table.h"

/* ---- CSV ---- */

/* All records as text: fields in brackets, records in lines; "!" where it was refused. */
static const char *records(struct view text, char delimiter)
{
    static char out[1024];
    struct csv c;
    size_t at = 0;
    int rc;

    out[0] = '\0';
    csv_begin(&c, text, delimiter);
    while ((rc = csv_next(&c)) > 0) {
        for (size_t i = 0; i < c.n; i++)
            at +=
                (size_t)snprintf(out + at, sizeof(out) - at, "[%.*s]", VIEW_ARG(csv_field(&c, i)));
        at += (size_t)snprintf(out + at, sizeof(out) - at, "/");
        assert_true(at < sizeof(out));
    }
    if (rc < 0)
        snprintf(out + at, sizeof(out) - at, "!");
    csv_end(&c);
    return out;
}

static void csv_is_read_as_the_rfc_says(void **state)
{
    static const struct {
        const char *text;
        char delimiter;
        const char *records;
    } rows[] = {
        {"", ',', ""},
        {"\n\r\n\r\n", ',', ""},
        {"a", ',', "[a]/"},
        {"a,b\nc,d", ',', "[a][b]/[c][d]/"},
        {"a,b\r\nc,d\r\n", ',', "[a][b]/[c][d]/"},
        {"a,b\rc,d\r", ',', "[a][b]/[c][d]/"},
        {"a,,b\n\n,\n", ',', "[a][][b]/[][]/"},
        {"a,", ',', "[a][]/"},
        {"a;b,c\n", ';', "[a][b,c]/"},
        {"a\tb\n", '\t', "[a][b]/"},
        {"\"a,b\",\"c\"\n", ',', "[a,b][c]/"},
        {"\"a\"\"b\",\"\"\"\"\n", ',', "[a\"b][\"]/"},
        {"\"two\r\nlines\",x\n", ',', "[two\r\nlines][x]/"},
        {"\"\",\"\"", ',', "[][]/"},
        {"\"\"\n", ',', "[]/"},
        {"5\" pipe,b\n", ',', "[5\" pipe][b]/"},
        {"\"a\"b\"c,d\n", ',', "[ab\"c][d]/"},
        {"\"a\" ,b\n", ',', "[a ][b]/"},
        {"a,\"b\nc,d", ',', "!"},
        {"x\n\"", ',', "[x]/!"},
        {"x\n\"\"\"", ',', "[x]/!"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_string_equal(records(view_cstr(rows[i].text), rows[i].delimiter), rows[i].records);
}

static void csv_says_on_which_line_a_record_begins(void **state)
{
    static const struct {
        const char *text;
        size_t lines[4];
    } rows[] = {
        {"a\nb\nc", {1, 2, 3}},
        {"a\r\n\r\nb\rc\r\r\rd", {1, 3, 4, 7}},
        {"\n\n\"two\r\nlines\",x\nb\n\n", {3, 5}},
        {"\"\n\r\n\r\"\rb", {1, 5}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct csv c;
        size_t n = 0;
        csv_begin(&c, view_cstr(rows[i].text), ',');
        while (csv_next(&c) == 1)
            assert_int_equal(c.line, rows[i].lines[n++]);
        assert_true(n == 4 || rows[i].lines[n] == 0);
        csv_end(&c);
    }
}

static void csv_leaves_out_fields_beyond_its_bound(void **state)
{
    char text[2 * CSV_MAX_FIELDS + 64];
    struct csv c;
    size_t n = 0;

    for (int i = 0; i < CSV_MAX_FIELDS + 9; i++) {
        text[n++] = 'x';
        text[n++] = ',';
    }
    memcpy(text + n, "y\nz", 4);
    csv_begin(&c, view_cstr(text), ',');
    assert_int_equal(csv_next(&c), 1);
    assert_int_equal(c.n, CSV_MAX_FIELDS);
    assert_true(view_eq(csv_field(&c, CSV_MAX_FIELDS - 1), VIEW("x")));
    assert_int_equal(csv_field(&c, CSV_MAX_FIELDS).len, 0);
    assert_int_equal(csv_next(&c), 1);
    assert_true(view_eq(csv_field(&c, 0), VIEW("z")));
    assert_int_equal(csv_field(&c, 1).len, 0);
    assert_int_equal(csv_next(&c), 0);
    assert_int_equal(csv_next(&c), 0);
    csv_end(&c);
}

static void csv_becomes_utf8(void **state)
{
    static const struct {
        const char *file, *text;
    } rows[] = {{"\303\211mile", "\303\211mile"},
                {"\357\273\277name", "name"},
                {"\357\273\277", ""},
                {"\311mile", "\303\211mile"}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out;
        buf_init(&out, 0);
        assert_int_equal(csv_text(&out, view_cstr(rows[i].file)), 0);
        assert_string_equal(buf_cstr(&out), rows[i].text);
        buf_free(&out);
    }
}

/* ---- comparing ---- */

static void texts_fold_case_and_accents(void **state)
{
    static const struct {
        const char *text, *folded;
    } rows[] = {{"", ""},
                {"ALICE 1", "alice 1"},
                {"\303\211mile No\303\253l \303\207a", "emile noel ca"},
                {"e\314\201", "e"},
                {"Stra\303\237e", "strasse"},
                {"\316\221\316\224\316\225\316\233\316\246\316\237\316\243",
                 "\316\261\316\264\316\265\316\273\317\206\316\277\317\203"},
                {"\357\254\201n", "fin"},
                {"a\nb\tc", "a b c"},
                {"\302\205\303\251", " e"},
                {"\314\201\314\201", ""},
                {"B\377\376", "b\377\376"}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf out;
        buf_init(&out, 0);
        assert_int_equal(fold_text(&out, view_cstr(rows[i].text)), 0);
        assert_string_equal(buf_cstr(&out), rows[i].folded);
        buf_free(&out);
    }
}

static const struct number_rules at_home = {"33", "00", "0"};
static const struct number_rules nowhere = {"", "00", "0"};
static const struct number_rules without_trunk = {"34", "00", ""};
static const struct number_rules in_america = {"1", "011", "1"};

static void numbers_have_one_form(void **state)
{
    static const struct {
        const struct number_rules *rules;
        const char *written, *normal;
    } rows[] = {
        {&at_home, "+33123456789", "+33123456789"},
        {&at_home, "0033 1 23 45 67 89", "+33123456789"},
        {&at_home, "01 23 45 67 89", "+33123456789"},
        {&at_home, "+33 (0)1-23.45 67 89", "+33123456789"},
        {&at_home, "(+33) 1-23.45+6 x", "+33123456"},
        {&at_home, "1001", "1001"},
        {&at_home, "0", "0"},
        {&at_home, "00", "+330"},
        {&at_home, "+", ""},
        {&at_home, "none", ""},
        {&at_home, "(0)123", "+33123"},
        {&nowhere, "0123456789", "0123456789"},
        {&nowhere, "0033123456789", "+33123456789"},
        {&without_trunk, "612 345 678", "+34612345678"},
        {&without_trunk, "1001", "1001"},
        {&in_america, "1 (418) 555-1234", "+14185551234"},
        {&in_america, "011 33 1 23 45 67 89", "+33123456789"},
        {&in_america, "418-555-1234", "4185551234"},
    };
    char out[NUMBER_ROOM];
    char many[NUMBER_ROOM + 1];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t n = number_normal(rows[i].rules, view_cstr(rows[i].written), out);
        assert_string_equal(out, rows[i].normal);
        assert_int_equal(n, strlen(rows[i].normal));
    }
    memset(many, '7', sizeof(many));
    assert_int_equal(number_normal(&at_home, view_of(many, NUMBER_ROOM - 1), out), NUMBER_ROOM - 1);
    assert_int_equal(number_normal(&at_home, view_of(many, NUMBER_ROOM), out), 0);
    memset(many, '0', sizeof(many)); /* with a prefix it is too long */
    many[1] = '1';
    assert_int_equal(number_normal(&at_home, view_of(many, NUMBER_ROOM - 1), out), 0);
}

static void a_number_is_itself_however_it_is_written(void **state)
{
    assert_true(number_is(&nowhere, VIEW("01 23 45"), VIEW("012345")));
    assert_true(number_is(&nowhere, VIEW("tel: +33.1"), VIEW("+331")));
    assert_false(number_is(&nowhere, VIEW("01 23 45 6"), VIEW("012345")));
    assert_false(number_is(&nowhere, VIEW("01 23 4"), VIEW("012345")));
    assert_false(number_is(&nowhere, VIEW("331"), VIEW("+331")));
    assert_false(number_is(&nowhere, VIEW("none"), VIEW("")));
    assert_false(number_is(&nowhere, VIEW(""), VIEW("")));
    assert_true(number_is(&at_home, VIEW("01 23 45 67 89"), VIEW("+33123456789")));
    assert_false(number_is(&nowhere, VIEW("01 23 45 67 89"), VIEW("+33123456789")));
    assert_true(number_is_alike(VIEW("01 23 45 67 89"), VIEW("+33123456789")));
    assert_true(number_is_alike(VIEW("418-555-1234"), VIEW("+14185551234")));
    assert_false(number_is_alike(VIEW("01 23 45 67 80"), VIEW("+33123456789")));
    assert_false(number_is_alike(VIEW("23456789"), VIEW("23456789"))); /* too short to tell */
    assert_false(number_is_alike(VIEW("+23456789"), VIEW("+23456789")));
    assert_false(number_is_alike(VIEW(""), VIEW("")));
}

/* ---- tables ---- */

struct found {
    char text[512];
    size_t limit;
    const char *column;
};

static bool on_found(void *arg, const struct entry *e)
{
    struct found *f = arg;
    char scratch[32];
    size_t n = strlen(f->text);

    snprintf(f->text + n, sizeof(f->text) - n, "%.*s|",
             VIEW_ARG(e->get(e, view_cstr(f->column), scratch)));
    return f->limit == 0 || --f->limit > 0;
}

/* What of `column` is found by looking for a text in the columns (JSON), or for a number. */
static const char *look(const struct table *t, const char *columns, const char *text, bool reverse,
                        const char *column)
{
    static struct found f;
    struct json_object *names = json_tokener_parse(columns);
    struct query q = {.text = view_cstr(text), .reverse = reverse, .rules = nowhere};
    char number[NUMBER_ROOM];
    struct buf key;

    f = (struct found){.column = column};
    buf_init(&key, 0);
    assert_int_equal(fold_text(&key, q.text), 0);
    q.key = reverse ? view_of(number, number_normal(&nowhere, q.text, number)) : buf_view(&key);
    table_find(t, names, &q, on_found, &f);
    buf_free(&key);
    json_object_put(names);
    return f.text;
}

static struct table *table_of(const char *file)
{
    const char *fault = NULL;
    struct table *t = table_from_csv(view_cstr(file), ',', &fault);

    assert_non_null(t);
    return t;
}

#define PEOPLE                                                                                     \
    "\357\273\277name, number,city,name\n"                                                         \
    "\303\211mile Dubois,01 23,Lyon,ignored\n"                                                     \
    "Bob,\"+33 (0)4\"\n"                                                                           \
    ",0123,Paris,,,,\n"

static void tables_are_searched_by_their_columns(void **state)
{
    struct table *t = table_of(PEOPLE);

    assert_int_equal(table_rows(t), 3);
    assert_string_equal(look(t, "[\"name\"]", "EMILE d", false, "number"), "01 23|");
    assert_string_equal(look(t, "[\"name\",\"city\"]", "l", false, "name"), "\303\211mile Dubois|");
    assert_string_equal(look(t, "[\"city\"]", "o", false, "city"), "Lyon|");
    assert_string_equal(look(t, "[\"name\"]", "", false, "name"), "\303\211mile Dubois|Bob||");
    assert_string_equal(look(t, "[\"nothing\"]", "bob", false, "name"), "");
    assert_string_equal(look(t, "[]", "bob", false, "name"), "");
    assert_string_equal(look(t, "null", "bob", false, "name"), "");
    assert_string_equal(look(t, "[5,\"name\"]", "bob", false, "nothing"), "|");
    assert_string_equal(look(t, "[\"number\"]", "01-23", true, "city"), "Lyon|Paris|");
    assert_string_equal(look(t, "[\"number\"]", "+33 4", true, "name"), "Bob|");
    assert_string_equal(look(t, "[\"number\"]", "012", true, "name"), "");
    assert_string_equal(look(t, "[\"number\"]", "", true, "name"), "");
    table_destroy(&t);
    assert_null(t);
}

static void a_search_ends_when_enough_is_found(void **state)
{
    struct table *t = table_of("a\n1\n2\n3\n");
    struct found f = {.column = "a", .limit = 2};

    table_each(t, on_found, &f);
    assert_string_equal(f.text, "1|2|");
    table_destroy(&t);
}

static void hostile_tables_are_refused(void **state)
{
    const char *fault = NULL;
    struct table *t = table_from_csv(VIEW("a,b\n1,\"2\n"), ',', &fault);
    struct buf wide;

    assert_null(t);
    assert_string_equal(fault, "a quoted field that does not end");
    buf_init(&wide, 0);
    for (int i = 0; i < 255; i++)
        buf_printf(&wide, "%d,", i);
    for (size_t i = 0; i < TABLE_MAX_CELLS / 256 + 2; i++)
        buf_append_cstr(&wide, "x\n");
    fault = NULL;
    assert_null(table_from_csv(buf_view(&wide), ',', &fault));
    assert_string_equal(fault, "too many columns or rows, or too long");
    buf_free(&wide);
    t = table_of("");
    assert_int_equal(table_rows(t), 0);
    table_destroy(&t);
    t = table_of("a,b\n");
    assert_int_equal(table_rows(t), 0);
    table_destroy(&t);
}

static struct table *table_of_json(const char *text)
{
    struct json_object *array = json_tokener_parse(text);
    const char *fault = NULL;
    struct table *t = table_from_json(array, &fault);

    json_object_put(array);
    return t;
}

static void json_becomes_columns_with_dots(void **state)
{
    struct table *t = table_of_json(
        "[{\"phonebook\":{\"firstname\":\"L\303\251a\",\"id\":7,\"none\":null,\"no\":false},"
        "\"phonebooknumber\":{\"office\":{\"number\":\"01 02\"},\"mobile\":false},\"list\":[1]},"
        "5,{\"phonebook.firstname\":\"Bob\",\"phonebooknumber\":[]}]");
    struct buf wide;

    assert_int_equal(table_rows(t), 2);
    assert_string_equal(look(t, "[\"phonebook.firstname\"]", "", false, "phonebook.firstname"),
                        "L\303\251a|Bob|");
    assert_string_equal(
        look(t, "[\"phonebooknumber.office.number\"]", "0102", true, "phonebook.id"), "7|");
    assert_string_equal(look(t, "[\"phonebook.no\"]", "f", false, "phonebook.id"), "");
    table_destroy(&t);
    buf_init(&wide, 0);
    buf_append_cstr(&wide, "[{");
    for (int i = 0; i < TABLE_MAX_COLUMNS + 1; i++)
        buf_printf(&wide, "%s\"%d\":1", i ? "," : "", i);
    buf_append_cstr(&wide, "}]");
    assert_null(table_of_json(buf_cstr(&wide)));
    buf_free(&wide);
}

/* ---- displays ---- */

static struct view get_text(const struct entry *e, struct view column, char scratch[32])
{
    struct json_object *v = NULL;
    char key[64];

    (void)scratch;
    snprintf(key, sizeof(key), "%.*s", VIEW_ARG(column));
    json_object_object_get_ex((struct json_object *)e->of, key, &v);
    return view_cstr(v ? json_object_get_string(v) : NULL);
}

/* The line of an entry by a display and a directory, all of them JSON. */
static const char *line_of(const char *display, const char *dir, const char *entry)
{
    static char out[2048];
    struct json_object *d = json_tokener_parse(display);
    struct json_object *values = json_tokener_parse(entry);
    struct directory directory = {.name = "dir", .def = json_tokener_parse(dir)};
    struct display shown;
    struct buf line;

    buf_init(&line, 0);
    strcpy(out, "(none)");
    if (display_open(&shown, d) == 0) {
        assert_int_equal(
            display_line(&line, &shown, &directory, &(struct entry){get_text, values, NULL}), 0);
        snprintf(out, sizeof(out), "%.*s", VIEW_ARG(buf_view(&line)));
        display_close(&shown);
    }
    buf_free(&line);
    json_object_put(directory.def);
    json_object_put(values);
    json_object_put(d);
    return out;
}

#define FIELDS "{\"name\":\"Ours\",\"field_a\":[\"x\",\"y\"],\"field_b\":[\"z\"],\"field_c\":\"x\"}"
#define COLUMN(format) "{\"1\":[\"T\",\"\",\"dflt\",\"" format "\"]}"

static void formats_are_filled_in(void **state)
{
    static const struct {
        const char *display, *entry, *line;
    } rows[] = {
        {COLUMN("{db-a}"), "{\"x\":\"1\"}", "1"},
        {COLUMN("{db-a}"), "{\"x\":\"\",\"y\":\"2\"}", "2"},
        {COLUMN("{db-a}"), "{}", "dflt"},
        {COLUMN("{db-a} {db-b}"), "{}", "dflt"},
        {COLUMN("{db-a} {db-b}"), "{\"z\":\"b\"}", "b"},
        {COLUMN("<{db-a}>{"), "{\"x\":\"1\"}", "<1>{"},
        {COLUMN("{db-a"), "{}", "{db-a"},
        {COLUMN("{db-c}{db-}{}{other}"), "{\"x\":\"1\"}", "dflt"},
        {COLUMN("{xivo-directory}"), "{}", "Ours"},
        {COLUMN(""), "{}", "dflt"},
        {COLUMN("{db-a}"), "{\"x\":\"a;b\\nc\\u0085d\\u00e9\"}", "a b c d\303\251"},
        {"{\"20\":[\"\",\"\",\"\",\"2\"],\"100\":[\"\",\"\",\"\",\"3\"],\"9\":[\"\",null,null,"
         "\"1\"]}",
         "{}", "1;2;3"},
        {"{\"x\":[\"\",\"\",\"\",\"2\"],\"5\":[\"\",\"\",\"\",\"1\"],\"6\":[\"short\"]}", "{}",
         "1;2"},
        {"{\"1\":[\"\",\"\",\"\",\"{db-a}\"],\"2\":[\"\",\"\",\"\",\"{db-b}\"]}", "{}", ";"},
        {"{}", "{}", "(none)"},
        {"[]", "{}", "(none)"},
        {"{\"1\":[\"short\"]}", "{}", "(none)"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_string_equal(line_of(rows[i].display, FIELDS, rows[i].entry), rows[i].line);
}

static void values_are_cut_between_characters(void **state)
{
    char entry[1024];
    const char *line;

    strcpy(entry, "{\"x\":\"a");
    for (int i = 0; i < 300; i++)
        strcat(entry, "\303\251");
    strcat(entry, "\"}");
    line = line_of(COLUMN("{db-a}"), FIELDS, entry);
    assert_int_equal(strlen(line), DISPLAY_MAX_VALUE - 1);
    assert_true(utf8_valid(view_cstr(line)));
}

/* ---- rows ---- */

static void rows_come_once_and_sorted(void **state)
{
    struct rows *r = rows_new();

    assert_int_equal(rows_add(r, VIEW("\303\251mile;2")), 0);
    assert_int_equal(rows_add(r, VIEW("Zoe;1")), 0);
    assert_int_equal(rows_add(r, VIEW("fred;1")), 0);
    assert_int_equal(rows_add(r, VIEW("Emile;1")), 0);
    assert_int_equal(rows_add(r, VIEW("fred;1")), 0);
    rows_sort(r);
    assert_int_equal(r->n, 4);
    assert_string_equal(r->list[0].line, "Emile;1");
    assert_string_equal(r->list[1].line, "\303\251mile;2");
    assert_string_equal(r->list[2].line, "fred;1");
    assert_string_equal(r->list[3].line, "Zoe;1");
    rows_destroy(&r);
}

static void rows_are_bounded(void **state)
{
    static char big[ROWS_MAX_BYTES];
    struct rows *r = rows_new();
    char line[16];

    for (int i = 0; i < ROWS_MAX; i++) {
        snprintf(line, sizeof(line), "%d", i);
        assert_int_equal(rows_add(r, view_cstr(line)), 0);
    }
    assert_int_equal(rows_add(r, VIEW("one more")), -ENOBUFS);
    assert_int_equal(rows_add(r, VIEW("5")), 0); /* is there */
    rows_destroy(&r);
    r = rows_new();
    memset(big, 'x', sizeof(big));
    assert_int_equal(rows_add(r, VIEW("a")), 0);
    assert_int_equal(rows_add(r, view_of(big, sizeof(big))), -ENOBUFS);
    rows_destroy(&r);
}

/* ---- URIs ---- */

static const char *uri_of(const char *dir, struct view text, bool reverse)
{
    static char out[512];
    struct directory d = {.def = json_tokener_parse(dir)};
    struct buf b;

    buf_init(&b, 0);
    webdirs_put_uri(&b, &d, &(struct query){.text = text, .reverse = reverse});
    snprintf(out, sizeof(out), "%.*s", VIEW_ARG(buf_view(&b)));
    buf_free(&b);
    json_object_put(d.def);
    return out;
}

static void a_pattern_is_a_parameter_for_each_column(void **state)
{
    static const char dir[] = "{\"uri\":\"http://h/d\",\"match_direct\":[\"last name\",\"b&c\"],"
                              "\"match_reverse\":[\"tel\"]}";

    assert_string_equal(uri_of(dir, VIEW("a b\303\251&=#"), false),
                        "http://h/d?last%20name=a%20b%C3%A9%26%3D%23&b%26c=a%20b%C3%A9%26%3D%23");
    assert_string_equal(uri_of(dir, VIEW("+33"), true), "http://h/d?tel=%2B33");
    assert_string_equal(
        uri_of("{\"uri\":\"http://h/d?k=v#x\",\"match_direct\":[\"n\"]}", VIEW("a-1._~"), false),
        "http://h/d?k=v&n=a-1._~");
    assert_string_equal(uri_of("{\"uri\":\"http://h/d\"}", VIEW("a"), false), "http://h/d");
    assert_string_equal(uri_of(dir, VIEW("+\0003"), true), "http://h/d?tel=%2B%003");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_is_read_as_the_rfc_says),
        cmocka_unit_test(csv_says_on_which_line_a_record_begins),
        cmocka_unit_test(csv_leaves_out_fields_beyond_its_bound),
        cmocka_unit_test(csv_becomes_utf8),
        cmocka_unit_test(texts_fold_case_and_accents),
        cmocka_unit_test(numbers_have_one_form),
        cmocka_unit_test(a_number_is_itself_however_it_is_written),
        cmocka_unit_test(tables_are_searched_by_their_columns),
        cmocka_unit_test(a_search_ends_when_enough_is_found),
        cmocka_unit_test(hostile_tables_are_refused),
        cmocka_unit_test(json_becomes_columns_with_dots),
        cmocka_unit_test(formats_are_filled_in),
        cmocka_unit_test(values_are_cut_between_characters),
        cmocka_unit_test(rows_come_once_and_sorted),
        cmocka_unit_test(rows_are_bounded),
        cmocka_unit_test(a_pattern_is_a_parameter_for_each_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
