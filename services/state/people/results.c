#include "people/results.h"

#include <errno.h>

#include "msg/msg.h"
#include "people/columns.h"
#include "people/favorites.h"

int people_results_init(struct people_results *r)
{
    buf_init(&r->values, 0);
    buf_init(&r->row, 0);
    r->rows = rows_new();
    return r->rows ? 0 : -ENOMEM;
}

void people_results_fini(struct people_results *r)
{
    display_close(&r->display);
    rows_destroy(&r->rows);
    buf_free(&r->values);
    buf_free(&r->row);
}

/* ---- one row ---- */

struct view people_results_value(struct people_results *r, size_t column, const struct person *p)
{
    buf_reset(&r->values);
    display_value(&r->values, &r->display.columns[column], p->dir, p->entry);
    return buf_view(&r->values);
}

static void put_value(struct people_results *r, size_t i, const struct person *p)
{
    struct view type = people_type(&r->display, i);
    struct view value;

    if (view_eq(type, VIEW("favorite"))) {
        msg_put_bool(&r->row, p->favorite);
    } else if (view_eq(type, VIEW("personal"))) {
        msg_put_bool(&r->row, view_eq(p->source, VIEW(PEOPLE_PERSONAL)));
    } else {
        value = people_results_value(r, i, p);
        if (value.len)
            msg_put_str(&r->row, value);
        else
            msg_put_nil(&r->row);
    }
}

/* As get_relations writes them: a number where it is one. */
static void put_id(struct buf *out, const char *key, const struct xod_obj *o)
{
    int64_t n;

    msg_put_cstr(out, key);
    if (!o)
        msg_put_nil(out);
    else if (view_to_i64(xod_obj_id(o), &n) == 0)
        msg_put_i64(out, n);
    else
        msg_put_str(out, xod_obj_id(o));
}

static void put_relations(struct buf *out, const struct person *p)
{
    msg_put_map(out, 5);
    msg_put_cstr(out, "xivo_id");
    if (p->user)
        msg_put_str(out, xod_ipbx_name(xod_obj_ipbx(p->user)));
    else
        msg_put_nil(out);
    put_id(out, "agent_id", p->agent);
    put_id(out, "user_id", p->user);
    put_id(out, "endpoint_id", p->line);
    msg_put_pair(out, "source_entry_id", p->id);
}

static void put_row(struct people_results *r, const struct person *p)
{
    buf_reset(&r->row);
    msg_put_map(&r->row, 3);
    msg_put_cstr(&r->row, "column_values");
    msg_put_array(&r->row, r->display.n);
    for (size_t i = 0; i < r->display.n; i++)
        put_value(r, i, p);
    msg_put_cstr(&r->row, "relations");
    put_relations(&r->row, p);
    msg_put_pair(&r->row, "source", p->source);
}

/* ---- all ---- */

bool people_results_add(struct people_results *r, const struct person *p)
{
    char scratch[FAVORITE_KEY];
    int name = people_name_column(&r->display);

    put_row(r, p);
    return !r->row.failed &&
           rows_put(r->rows, favorite_key(p->source, p->id, scratch),
                    name < 0 ? view_of(NULL, 0) : people_results_value(r, (size_t)name, p),
                    buf_view(&r->row)) == 0;
}

void people_results_put_rows(struct buf *out, struct people_results *r)
{
    rows_sort(r->rows);
    msg_put_cstr(out, "results");
    msg_put_array(out, r->rows->n);
    for (size_t i = 0; i < r->rows->n; i++)
        buf_append(out, r->rows->list[i].line, r->rows->list[i].len);
}

void people_results_put(struct buf *out, struct people_results *r)
{
    people_put_headers(out, &r->display);
    people_results_put_rows(out, r);
}
