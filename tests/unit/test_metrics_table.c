/* The table of metrics agrees with itself, with the conventions of Prometheus and with
 * docs/metrics.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metrics/metrics.h"
#include "support/doc_table.h"

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static void names_are_unique_and_as_prometheus_wants_them(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";

    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_def *def = metric_def((enum metric_id)i);
        assert_int_equal(strspn(def->name, letters), strlen(def->name));
        assert_int_equal(def->kind == KIND_COUNTER, ends_with(def->name, "_total"));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(def->name, metric_def((enum metric_id)j)->name);
        for (size_t l = 0; def->labels[l]; l++)
            assert_int_equal(strspn(def->labels[l], letters), strlen(def->labels[l]));
    }
}

static void each_says_what_it_means_and_who_has_it(void **state)
{
    unsigned all = 0;

    for (unsigned bit = 0; metric_service(bit); bit++)
        all |= 1u << bit;
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_def *def = metric_def((enum metric_id)i);
        assert_true(*def->meaning != '\0');
        assert_null(strpbrk(def->meaning, "|\n"));
        assert_null(strpbrk(def->advice, "|\n"));
        assert_true(def->services != 0 && (def->services & ~all) == 0);
    }
}

static void only_histograms_have_bounds_and_they_ascend(void **state)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_def *def = metric_def((enum metric_id)i);
        assert_int_equal(def->kind == KIND_HISTOGRAM, def->n_bounds > 0);
        for (size_t b = 1; b < def->n_bounds; b++)
            assert_true(def->bounds[b] > def->bounds[b - 1]);
    }
}

/* UPDATE_DOCS=1 writes the table anew. */
static void the_documented_table_is_this_one(void **state)
{
    struct buf table;

    buf_init(&table, 0);
    assert_int_equal(metrics_markdown(&table), 0);
    doc_table_check(TEST_SOURCE_DIR "/docs/metrics.md", "<!-- metrics begin -->\n",
                    "<!-- metrics end -->\n", buf_view(&table));
    buf_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_as_prometheus_wants_them),
        cmocka_unit_test(each_says_what_it_means_and_who_has_it),
        cmocka_unit_test(only_histograms_have_bounds_and_they_ascend),
        cmocka_unit_test(the_documented_table_is_this_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
