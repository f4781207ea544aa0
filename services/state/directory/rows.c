#include "rows.h"

#include <errno.h>
#include <stdlib.h>

#include "fold.h"

struct rows *rows_new(void)
{
    struct rows *r = calloc(1, sizeof(*r));

    if (r && !(r->seen = map_new()))
        rows_destroy(&r);
    return r;
}

void rows_destroy(struct rows **rp)
{
    struct rows *r = rp ? *rp : NULL;

    if (!r)
        return;
    map_destroy(&r->seen);
    for (size_t i = 0; i < r->n; i++) {
        free(r->list[i].line);
        free(r->list[i].first);
    }
    free(r);
    *rp = NULL;
}

static char *folded_first(struct view line)
{
    struct view first = view_cut(&line, ';');
    char *copy = NULL;
    struct buf b;

    buf_init(&b, 0);
    if (fold_text(&b, first) == 0)
        copy = view_dup(buf_view(&b));
    buf_free(&b);
    return copy;
}

int rows_add(struct rows *r, struct view line)
{
    struct row row;

    if (map_get(r->seen, line))
        return 0;
    if (r->n == ROWS_MAX || r->bytes + line.len > ROWS_MAX_BYTES)
        return -ENOBUFS;
    row = (struct row){.line = view_dup(line), .first = folded_first(line)};
    if (!row.line || !row.first || map_put(r->seen, view_of(row.line, line.len), row.line) < 0) {
        free(row.line);
        free(row.first);
        return -ENOMEM;
    }
    r->list[r->n++] = row;
    r->bytes += line.len;
    return 0;
}

static int by_first(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    int order = strcmp(x->first, y->first);

    return order ? order : strcmp(x->line, y->line);
}

void rows_sort(struct rows *r)
{
    qsort(r->list, r->n, sizeof(r->list[0]), by_first);
}
