/* The findings of `ctibus doctor`: several of one kind become one, and the worst are printed first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "findings.h"
#include "json/json.h"

static int setup(void **state)
{
    struct findings *f = calloc(1, sizeof(*f));

    findings_init(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct findings *f = *state;

    findings_free(f);
    free(f);
    return 0;
}

static void add(struct findings *f, enum finding_level level, const char *ipbx, const char *class)
{
    char id[64];

    snprintf(id, sizeof(id), "ami.write.%s", class);
    findings_add(f, level, id, "It matters.", "Do it.", "%s: no `%s` in write", ipbx, class);
}

static void assert_finding(const struct findings *f, size_t i, const char *id, const char *level,
                           const char *what, const char *why)
{
    struct json_object *o = json_object_array_get_idx(f->list, i);

    assert_string_equal(json_get_view(o, "id").ptr, id);
    assert_string_equal(json_get_view(o, "level").ptr, level);
    assert_string_equal(json_get_view(o, "what").ptr, what);
    assert_string_equal(json_get_view(o, "why").ptr, why);
    assert_true(json_get_view(o, "remedy").len > 0);
}

static void test_alike_become_one(void **state)
{
    struct findings *f = *state;

    add(f, FINDING_warning, "a", "user");
    findings_add(f, FINDING_warning, "ami.writes.user", "x", "y", "a: no `user` in write");
    add(f, FINDING_fault, "a", "call");
    add(f, FINDING_fault, "b", "call");
    add(f, FINDING_fault, "a", "system");
    findings_join(f, "ami.write");
    assert_int_equal(json_object_array_length(f->list), 3);
    assert_finding(f, 0, "ami.write", "fault", "a: no `user`, `call`, `system` in write",
                   "user: It matters.\ncall: It matters.\nsystem: It matters.");
    assert_finding(f, 1, "ami.writes.user", "warning", "a: no `user` in write", "x");
    assert_finding(f, 2, "ami.write.call", "fault", "b: no `call` in write", "It matters.");
    assert_int_equal(f->count[FINDING_fault], 2);
    assert_int_equal(f->count[FINDING_warning], 1);
    findings_join(f, "ami.write");
    assert_int_equal(json_object_array_length(f->list), 3);
}

/* A name that is not in the text, and one that is empty. */
static void test_others_stay(void **state)
{
    struct findings *f = *state;

    findings_join(f, "ami.write");
    findings_add(f, FINDING_note, "ami.write.x", "", "", "a: no `y`");
    findings_add(f, FINDING_note, "ami.write.y", "", "", "a: no y");
    findings_add(f, FINDING_note, "ami.write.", "", "", "a: no ``");
    findings_add(f, FINDING_note, "ami.write", "", "", "a: no ``");
    findings_join(f, "ami.write");
    assert_int_equal(json_object_array_length(f->list), 4);
    assert_int_equal(f->count[FINDING_note], 4);
}

static void test_the_worst_are_printed_first(void **state)
{
    struct findings *f = *state;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    findings_add(f, FINDING_note, "n", "", "", "a note");
    findings_add(f, FINDING_warning, "w1", "so", "do", "one");
    findings_add(f, FINDING_fault, "f", "so", "do\nthis", "a fault");
    findings_add(f, FINDING_warning, "w2", "so", "do", "two");
    findings_print(f, to, FINDING_warning);
    fclose(to);
    assert_string_equal(text, "fault: a fault\n    why: so\n    do: do\n    this\n"
                              "warning: one\n    why: so\n    do: do\n"
                              "warning: two\n    why: so\n    do: do\n");
    free(text);
    to = open_memstream(&text, &size);
    findings_print_json(f, to);
    fclose(to);
    assert_true(strncmp(text, "{\"id\":\"f\"", 9) == 0);
    assert_non_null(strstr(text, "\n{\"id\":\"w1\""));
    assert_non_null(strstr(strstr(text, "\"w2\""), "\n{\"id\":\"n\""));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alike_become_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_others_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_worst_are_printed_first, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
