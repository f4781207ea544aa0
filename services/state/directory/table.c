#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "csv/csv.h"
#include "fold.h"
#include "json/json.h"

struct cell {
    uint32_t at, len, folded, folded_len; /* in the text */
};

struct table {
    struct buf text;
    struct cell *cells; /* row by row */
    size_t n_rows, room;
    char *names[TABLE_MAX_COLUMNS];
    size_t n_columns;
};

struct table *table_new(void)
{
    struct table *t = calloc(1, sizeof(*t));

    if (t)
        buf_init(&t->text, TABLE_MAX_BYTES);
    return t;
}

void table_destroy(struct table **tp)
{
    struct table *t = tp ? *tp : NULL;

    if (!t)
        return;
    for (size_t i = 0; i < t->n_columns; i++)
        free(t->names[i]);
    buf_free(&t->text);
    free(t->cells);
    free(t);
    *tp = NULL;
}

size_t table_rows(const struct table *t)
{
    return t->n_rows;
}

/* ---- making ---- */

static int find_column(const struct table *t, struct view name)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (view_eq(view_cstr(t->names[i]), name))
            return (int)i;
    return -ENOENT;
}

int table_column(struct table *t, struct view name)
{
    int i = find_column(t, name);

    if (i >= 0)
        return i;
    if (t->n_columns == TABLE_MAX_COLUMNS || t->n_rows > 0)
        return -E2BIG;
    t->names[t->n_columns] = view_dup(name);
    return t->names[t->n_columns] ? (int)t->n_columns++ : -ENOMEM;
}

int table_add_row(struct table *t)
{
    size_t n = (t->n_rows + 1) * t->n_columns;

    if (n > TABLE_MAX_CELLS)
        return -E2BIG;
    if (n > t->room) {
        size_t room = n * 2 < 64 ? 64 : n * 2;
        struct cell *more = realloc(t->cells, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        t->cells = more;
        t->room = room;
    }
    if (t->n_columns)
        memset(&t->cells[t->n_rows * t->n_columns], 0, t->n_columns * sizeof(*t->cells));
    t->n_rows++;
    return 0;
}

int table_set(struct table *t, size_t column, struct view text)
{
    struct cell *c = &t->cells[(t->n_rows - 1) * t->n_columns + column];

    if (text.len == 0)
        return 0;
    c->at = (uint32_t)buf_len(&t->text);
    c->len = (uint32_t)text.len;
    if (buf_append_view(&t->text, text) < 0)
        return -E2BIG;
    c->folded = (uint32_t)buf_len(&t->text);
    if (fold_text(&t->text, text) < 0)
        return -E2BIG;
    c->folded_len = (uint32_t)buf_len(&t->text) - c->folded;
    return 0;
}

static const char *in_words(int rc)
{
    return rc == -E2BIG    ? "too many columns or rows, or too long"
           : rc == -EINVAL ? "a quoted field that does not end"
                           : "out of memory";
}

static struct table *made(struct table *t, int rc, const char **fault)
{
    if (t && rc >= 0)
        return t;
    *fault = in_words(t ? rc : -ENOMEM);
    table_destroy(&t);
    return NULL;
}

/* ---- from CSV ---- */

/* Which column of the table each field of a record is; a name that comes twice is one column, in
 * which the first text stays. */
static int csv_header(struct table *t, struct csv *c, int columns[CSV_MAX_FIELDS])
{
    int rc = csv_next(c);

    if (rc <= 0)
        return rc;
    for (size_t i = 0; i < c->n; i++) {
        bool twice = find_column(t, view_trim(csv_field(c, i))) >= 0;
        int column = table_column(t, view_trim(csv_field(c, i)));
        if (column < 0)
            return column;
        columns[i] = twice ? -1 : column;
    }
    return (int)c->n;
}

static int csv_row(struct table *t, const struct csv *c, const int *columns, size_t n)
{
    int rc = table_add_row(t);

    for (size_t i = 0; rc == 0 && i < c->n && i < n; i++)
        if (columns[i] >= 0)
            rc = table_set(t, (size_t)columns[i], view_trim(csv_field(c, i)));
    return rc;
}

static int csv_into(struct table *t, struct view text, char delimiter)
{
    int columns[CSV_MAX_FIELDS];
    struct csv c;
    int n;
    int rc;

    csv_begin(&c, text, delimiter);
    rc = n = csv_header(t, &c, columns);
    while (rc > 0 && (rc = csv_next(&c)) > 0)
        rc = csv_row(t, &c, columns, (size_t)n) < 0 ? -E2BIG : 1;
    csv_end(&c);
    return rc;
}

struct table *table_from_csv(struct view file, char delimiter, const char **fault)
{
    struct table *t = table_new();
    struct buf text;
    int rc;

    buf_init(&text, TABLE_MAX_BYTES);
    rc = csv_text(&text, file);
    rc = rc < 0 ? -E2BIG : t ? csv_into(t, buf_view(&text), delimiter) : -ENOMEM;
    buf_free(&text);
    return made(t, rc, fault);
}

/* ---- from JSON ---- */

typedef int scalar_fn(struct table *t, struct view path, struct json_object *value);

/* Calls fn for each scalar in an object, with its path; false and null are no texts. The depth of
 * the JSON is bounded by its parser, that of a path by its length. */
static int each_scalar(struct table *t, const char *path, struct json_object *o, scalar_fn *fn)
{
    int rc = 0;

    json_object_object_foreach(o, key, value)
    {
        char below[256];
        int n = snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", key);
        if (n >= (int)sizeof(below) || !value || json_object_is_type(value, json_type_array) ||
            json_object_is_type(value, json_type_boolean))
            continue;
        if (json_object_is_type(value, json_type_object))
            rc = each_scalar(t, below, value, fn);
        else
            rc = fn(t, view_of(below, (size_t)n), value);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int name_column(struct table *t, struct view path, struct json_object *value)
{
    (void)value;
    return table_column(t, path);
}

static int set_text(struct table *t, struct view path, struct json_object *value)
{
    int column = find_column(t, path);

    return column < 0 ? column
                      : table_set(t, (size_t)column, view_cstr(json_object_get_string(value)));
}

static int json_rows(struct table *t, struct json_object *array)
{
    size_t n = json_object_array_length(array);
    int rc = 0;

    for (int rows = 0; rc >= 0 && rows < 2; rows++)
        for (size_t i = 0; rc >= 0 && i < n; i++) {
            struct json_object *item = json_object_array_get_idx(array, i);
            if (!json_object_is_type(item, json_type_object))
                continue;
            rc = rows ? table_add_row(t) : 0;
            if (rc >= 0)
                rc = each_scalar(t, "", item, rows ? set_text : name_column);
        }
    return rc;
}

struct table *table_from_json(struct json_object *array, const char **fault)
{
    struct table *t = table_new();

    return made(t, t ? json_rows(t, array) : -ENOMEM, fault);
}

/* ---- reading ---- */

static struct view text_of(const struct table *t, const struct cell *c)
{
    return c->len ? view_of(buf_data(&t->text) + c->at, c->len) : view_of(NULL, 0);
}

static struct view get(const struct entry *e, struct view column, char room[32])
{
    const struct table *t = e->of;
    int i = find_column(t, column);

    (void)room;
    return i < 0 ? view_of(NULL, 0) : text_of(t, (const struct cell *)e->with + i);
}

static bool cell_fits(const struct table *t, const struct cell *c, const struct query *q)
{
    if (q->reverse)
        return query_fits_number(q, text_of(t, c));
    return query_fits(q, c->folded_len ? view_of(buf_data(&t->text) + c->folded, c->folded_len)
                                       : view_of(NULL, 0));
}

void table_find(const struct table *t, struct json_object *columns, const struct query *q,
                found_fn *found, void *arg)
{
    size_t n =
        json_object_is_type(columns, json_type_array) ? json_object_array_length(columns) : 0;
    int which[TABLE_MAX_COLUMNS];
    size_t n_which = 0;

    for (size_t i = 0; i < n && n_which < TABLE_MAX_COLUMNS; i++) {
        int column = find_column(t, json_view(json_object_array_get_idx(columns, i)));
        if (column >= 0)
            which[n_which++] = column;
    }
    for (size_t row = 0; row < t->n_rows; row++) {
        const struct cell *cells = &t->cells[row * t->n_columns];
        bool fits = false;
        for (size_t i = 0; !fits && i < n_which; i++)
            fits = cell_fits(t, &cells[which[i]], q);
        if (fits && !found(arg, &(struct entry){get, t, cells}))
            return;
    }
}

void table_each(const struct table *t, found_fn *found, void *arg)
{
    for (size_t row = 0; row < t->n_rows; row++)
        if (!found(arg, &(struct entry){get, t, &t->cells[row * t->n_columns]}))
            return;
}

/* FNV-1a, since what comes out is kept on disk and must never become another. */
static uint64_t hash(uint64_t h, struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        h = (h ^ (unsigned char)v.ptr[i]) * 0x100000001b3u;
    return (h ^ 0xff) * 0x100000001b3u;
}

uint64_t table_entry_hash(const struct entry *e)
{
    const struct table *t = e->of;
    const struct cell *cells = e->with;
    uint64_t sum = 0;

    for (size_t i = 0; i < t->n_columns; i++)
        if (cells[i].len)
            sum += hash(hash(0xcbf29ce484222325u, view_cstr(t->names[i])), text_of(t, &cells[i]));
    return sum;
}
