/* A CSV file (the first byte is its delimiter, which is ASCII): whatever is in it, it becomes a
 * table of texts that can be looked up, found again by what they are, and shown, or it is refused.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "directory/fold.h"
#include "directory/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct view name;
    size_t n;
};

static bool on_row(void *arg, const struct entry *e)
{
    static const struct number_rules rules = {"33", "00", "0"};
    struct seen *s = arg;
    char number[NUMBER_ROOM];
    size_t n;
    struct view v;
    struct buf folded;
    struct query q;
    char scratch[32];

    v = e->get(e, s->name, scratch);
    if (!utf8_valid(v))
        abort();
    buf_init(&folded, 0);
    if (fold_text(&folded, v) < 0)
        abort();
    q = (struct query){.text = v, .key = buf_view(&folded)};
    if (!query_fits(&q, buf_view(&folded)))
        abort();
    n = number_normal(&rules, v, number);
    if (number_is(&rules, v, view_of(number, n)) != (n > 0))
        abort();
    buf_free(&folded);
    s->n++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *fault = NULL;
    struct seen s = {VIEW("a"), 0};
    struct table *t;

    if (size == 0)
        return 0;
    t = table_from_csv(view_of(data + 1, size - 1), (char)(data[0] & 0x7f), &fault);
    if (!t && !fault)
        abort();
    if (!t)
        return 0;
    table_each(t, on_row, &s);
    if (s.n != table_rows(t))
        abort();
    table_destroy(&t);
    return 0;
}
