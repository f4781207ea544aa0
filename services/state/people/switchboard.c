#include "people/switchboard.h"

#include "msg/msg.h"
#include "people/columns.h"

/* What a column is to the switchboard, by its type. */
enum role {
    ROLE_NAME,
    ROLE_STATUS, /* the client finds it out by the number */
    ROLE_NUMBER,
    ROLE_OTHER,
    ROLE_NONE, /* what only the lists of people show */
};

static enum role role_of(const struct display *d, size_t i)
{
    struct view type = people_type(d, i);

    if (view_eq(type, VIEW("name")))
        return ROLE_NAME;
    if (view_eq(type, VIEW("status")))
        return ROLE_STATUS;
    if (view_eq(type, VIEW("number")) || view_starts(type, VIEW("number_")))
        return ROLE_NUMBER;
    return view_eq(type, VIEW("favorite")) || view_eq(type, VIEW("personal")) ? ROLE_NONE
                                                                              : ROLE_OTHER;
}

/* "number_mobile" is "mobile"; what is only called a number is that of the desk. */
static struct view number_type(const struct display *d, size_t i)
{
    struct view type = people_type(d, i);

    return type.len > 7 ? view_of(type.ptr + 7, type.len - 7) : VIEW("office");
}

static bool is_first_number(const struct display *d, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (role_of(d, before) == ROLE_NUMBER)
            return false;
    return true;
}

static void put_header(struct buf *out, struct view title, struct view type)
{
    msg_put_array(out, 2);
    msg_put_str(out, title);
    msg_put_str(out, type);
}

void switchboard_put_headers(struct buf *out, const struct display *d)
{
    struct buf headers;
    size_t n = 0;

    buf_init(&headers, 0);
    for (size_t i = 0; i < d->n; i++) {
        enum role role = role_of(d, i);
        if (role == ROLE_NONE || (role == ROLE_NUMBER && !is_first_number(d, i)))
            continue;
        if (role == ROLE_NUMBER)
            put_header(&headers, VIEW("Number"), VIEW("number"));
        else
            put_header(&headers, d->columns[i].title,
                       role == ROLE_NAME     ? VIEW("name")
                       : role == ROLE_STATUS ? VIEW("status")
                                             : VIEW(""));
        n++;
    }
    msg_put_elements(out, "headers", n, &headers);
    buf_free(&headers);
}

/* Titles are keys beside ours, which they must not be. */
static bool is_free(const struct display *d, size_t i)
{
    struct view title = d->columns[i].title;

    for (size_t before = 0; before < i; before++)
        if (view_eq(d->columns[before].title, title))
            return false;
    return !view_eq(title, VIEW("name")) && !view_eq(title, VIEW("number")) &&
           !view_eq(title, VIEW("number_type"));
}

static void put_titled(struct people_results *r, size_t i, const struct person *p)
{
    msg_put_str(&r->row, r->display.columns[i].title);
    msg_put_str(&r->row, people_results_value(r, i, p));
}

static bool add_number(struct people_results *r, const struct person *p, int name, size_t number)
{
    const struct display *d = &r->display;
    size_t mark;
    size_t n = 2;

    buf_reset(&r->row);
    mark = msg_map_begin(&r->row);
    msg_put_pair(&r->row, "number", people_results_value(r, number, p));
    msg_put_pair(&r->row, "number_type", number_type(d, number));
    for (size_t i = 0; i < d->n; i++) {
        enum role role = role_of(d, i);
        if ((int)i == name)
            msg_put_pair(&r->row, "name", people_results_value(r, i, p));
        else if ((role == ROLE_OTHER || role == ROLE_STATUS) && is_free(d, i))
            put_titled(r, i, p);
        else
            continue;
        n++;
    }
    msg_map_end(&r->row, mark, n);
    return !r->row.failed &&
           rows_put(r->rows, buf_view(&r->row),
                    name < 0 ? view_of(NULL, 0) : people_results_value(r, (size_t)name, p),
                    buf_view(&r->row)) == 0;
}

bool switchboard_add(struct people_results *r, const struct person *p)
{
    int name = people_name_column(&r->display);

    for (size_t i = 0; i < r->display.n; i++)
        if (role_of(&r->display, i) == ROLE_NUMBER && people_results_value(r, i, p).len &&
            !add_number(r, p, name, i))
            return false;
    return true;
}
