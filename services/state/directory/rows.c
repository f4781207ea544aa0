#include "rows.h"

#include <errno.h>
#include <stdlib.h>

#include "fold.h"

static void row_free(struct row *row)
{
    free(row->line);
    free(row->first);
    free(row->id);
}

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
    for (size_t i = 0; i < r->n; i++)
        row_free(&r->list[i]);
    free(r);
    *rp = NULL;
}

static char *folded(struct view first)
{
    char *copy = NULL;
    struct buf b;

    buf_init(&b, 0);
    if (fold_text(&b, first) == 0)
        copy = view_dup(buf_view(&b));
    buf_free(&b);
    return copy;
}

static int take(struct rows *r, const struct view *id, struct view first, struct view line)
{
    struct view key = id ? *id : line;
    struct row row;

    if (map_get(r->seen, key))
        return 0;
    if (r->n == ROWS_MAX || r->bytes + line.len > ROWS_MAX_BYTES)
        return -ENOBUFS;
    row = (struct row){.line = view_dup(line),
                       .len = line.len,
                       .first = folded(first),
                       .id = id ? view_dup(*id) : NULL};
    if (!row.line || !row.first || (id && !row.id) ||
        map_put(r->seen, view_of(id ? row.id : row.line, key.len), row.line) < 0) {
        row_free(&row);
        return -ENOMEM;
    }
    r->list[r->n++] = row;
    r->bytes += line.len;
    return 0;
}

int rows_add(struct rows *r, struct view line)
{
    struct view rest = line;

    return take(r, NULL, view_cut(&rest, ';'), line);
}

int rows_put(struct rows *r, struct view id, struct view first, struct view line)
{
    return take(r, &id, first, line);
}

static int by_first(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    int order = strcmp(x->first, y->first);

    return order ? order : view_cmp(view_of(x->line, x->len), view_of(y->line, y->len));
}

void rows_sort(struct rows *r)
{
    qsort(r->list, r->n, sizeof(r->list[0]), by_first);
}
