#include "format.h"

#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "json/json.h"

/* ---- opening ---- */

static bool read_column(struct display_column *c, const char *key, struct json_object *def)
{
    if (!json_object_is_type(def, json_type_array) || json_object_array_length(def) < 4)
        return false;
    c->key = view_cstr(key);
    if (view_to_i64(c->key, &c->order) < 0)
        c->order = INT64_MAX;
    c->title = json_view(json_object_array_get_idx(def, 0));
    c->type = json_view(json_object_array_get_idx(def, 1));
    c->otherwise = json_view(json_object_array_get_idx(def, 2));
    c->format = json_view(json_object_array_get_idx(def, 3));
    return true;
}

static int by_order(const void *a, const void *b)
{
    const struct display_column *x = a;
    const struct display_column *y = b;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return view_cmp(x->key, y->key);
}

int display_open(struct display *d, struct json_object *def)
{
    *d = (struct display){0};
    if (!json_object_is_type(def, json_type_object))
        return -EINVAL;
    json_object_object_foreach(def, key, column)
    {
        if (d->n < DISPLAY_MAX_COLUMNS && read_column(&d->columns[d->n], key, column))
            d->n++;
    }
    if (d->n == 0)
        return -EINVAL;
    qsort(d->columns, d->n, sizeof(d->columns[0]), by_order);
    d->def = json_object_get(def);
    return 0;
}

void display_close(struct display *d)
{
    json_object_put(d->def);
    *d = (struct display){0};
}

/* ---- lines ---- */

/* The value of what stands in braces; empty when it is unknown. */
static struct view value_of(const struct directory *dir, const struct entry *e, struct view name,
                            char scratch[32])
{
    struct view field;

    if (view_starts(name, VIEW("db-"))) {
        field = view_of(name.ptr + 3, name.len - 3);
        return dir ? directory_field(dir, e, field, scratch) : e->get(e, field, scratch);
    }
    if (view_eq(name, VIEW("xivo-directory")))
        return dir ? directory_title(dir) : e->get(e, name, scratch);
    return view_of(NULL, 0);
}

static int fill(struct buf *out, const struct directory *dir, const struct entry *e,
                struct view format)
{
    int rc = 0;

    while (rc == 0 && format.len) {
        ptrdiff_t open = view_find(format, VIEW("{"));
        struct view rest = view_of(format.ptr + open + 1, format.len - (size_t)open - 1);
        ptrdiff_t close = open < 0 ? -1 : view_find(rest, VIEW("}"));
        char scratch[32];
        if (close < 0)
            return buf_append_view(out, format);
        rc = buf_append(out, format.ptr, (size_t)open);
        if (rc == 0)
            rc = buf_append_view(out, value_of(dir, e, view_of(rest.ptr, (size_t)close), scratch));
        format = view_of(rest.ptr + close + 1, rest.len - (size_t)close - 1);
    }
    return rc;
}

/* A line may have neither what separates values nor control characters in a value. */
static int put_clean(struct buf *out, struct view v)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < v.len;) {
        size_t n = v.ptr[i] == ';' ? 1 : utf8_control_at(v, i);
        rc = buf_append_char(out, n ? ' ' : v.ptr[i]);
        i += n ? n : 1;
    }
    return rc;
}

int display_value(struct buf *out, const struct display_column *c, const struct directory *dir,
                  const struct entry *e)
{
    struct buf raw;
    struct buf clean;
    struct view v;
    int rc;

    buf_init(&raw, 0);
    buf_init(&clean, 0);
    rc = fill(&raw, dir, e, c->format);
    if (rc == 0)
        rc = put_clean(&clean, buf_view(&raw));
    v = view_trim(buf_view(&clean));
    if (rc == 0 && v.len)
        rc = buf_append_view(out, utf8_cut(v, DISPLAY_MAX_VALUE));
    else if (rc == 0)
        rc = put_clean(out, utf8_cut(c->otherwise, DISPLAY_MAX_VALUE));
    buf_free(&raw);
    buf_free(&clean);
    return rc;
}

int display_line(struct buf *out, const struct display *d, const struct directory *dir,
                 const struct entry *e)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < d->n; i++) {
        if (i > 0)
            rc = buf_append_char(out, ';');
        if (rc == 0)
            rc = display_value(out, &d->columns[i], dir, e);
    }
    return rc;
}
