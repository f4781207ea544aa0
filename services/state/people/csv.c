#include "people/csv.h"

#include <errno.h>
#include <stdio.h>

#include "json/json.h"

/* ---- formulas ---- */

static bool is_number(struct view v)
{
    bool digit = false;

    for (size_t i = 1; i < v.len; i++) {
        if (v.ptr[i] >= '0' && v.ptr[i] <= '9')
            digit = true;
        else if (!memchr(" .-()/", v.ptr[i], 6))
            return false;
    }
    return digit;
}

/* Apostrophes before it do not count. */
static bool is_formula(struct view v)
{
    while (v.len && v.ptr[0] == '\'')
        v = view_of(v.ptr + 1, v.len - 1);
    if (v.len == 0)
        return false;
    if (v.ptr[0] == '+' || v.ptr[0] == '-')
        return !is_number(v);
    return memchr("=@\t\r\n", v.ptr[0], 5) != NULL;
}

/* ---- reading ---- */

static struct view without_mark(struct view v)
{
    return v.len && v.ptr[0] == '\'' && is_formula(v) ? view_of(v.ptr + 1, v.len - 1) : v;
}

static bool is_name(const struct people_csv *p, struct view name)
{
    for (size_t i = 0; i < p->n; i++)
        if (view_eq(view_cstr(p->names[i]), name))
            return true;
    return false;
}

static int read_names(struct people_csv *p)
{
    int rc = csv_next(&p->csv);

    if (rc <= 0)
        return rc < 0 ? rc : -EINVAL;
    if (p->csv.n > CONTACT_MAX_FIELDS)
        return -EINVAL;
    for (size_t i = 0; i < p->csv.n; i++) {
        struct view name = without_mark(view_trim(csv_field(&p->csv, i)));
        if (!contact_name_fits(name) || is_name(p, name))
            return -EINVAL;
        snprintf(p->names[p->n++], sizeof(p->names[0]), "%.*s", VIEW_ARG(name));
    }
    return 0;
}

int people_csv_begin(struct people_csv *p, struct view text)
{
    int rc;

    p->n = 0;
    p->line = 1;
    buf_init(&p->text, 0);
    rc = csv_text(&p->text, text);
    csv_begin(&p->csv, buf_view(&p->text), ',');
    p->seen = p->csv.rest.ptr;
    return rc < 0 ? -ENOMEM : read_names(p);
}

void people_csv_end(struct people_csv *p)
{
    csv_end(&p->csv);
    buf_free(&p->text);
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* Counts the lines up to where the next record begins; CR and LF together end one. */
static void count_lines(struct people_csv *p)
{
    const char *end = p->csv.rest.ptr + p->csv.rest.len;
    const char *at = p->csv.rest.ptr;

    if (p->csv.rest.len == 0)
        return;
    while (at < end && ends_line(*at))
        at++;
    for (; p->seen < at; p->seen++)
        if (*p->seen == '\n' || (*p->seen == '\r' && (p->seen + 1 == end || p->seen[1] != '\n')))
            p->line++;
}

static const char *in_words(int rc)
{
    return rc == -E2BIG ? "too long" : rc == -EINVAL ? "not a text" : "no memory";
}

static const char *read_record(const struct people_csv *p, struct json_object *contact)
{
    int rc = 0;

    if (p->csv.n != p->n)
        return p->csv.n < p->n ? "missing fields" : "too many fields";
    for (size_t i = 0; rc == 0 && i < p->n; i++)
        rc = contact_set(contact, view_cstr(p->names[i]), without_mark(csv_field(&p->csv, i)));
    if (rc < 0)
        return in_words(rc);
    return json_object_object_length(contact) == 0 ? "empty" : NULL;
}

int people_csv_next(struct people_csv *p, struct json_object **contact, const char **fault)
{
    int rc;

    *contact = NULL;
    *fault = NULL;
    count_lines(p);
    rc = csv_next(&p->csv);
    if (rc == 0)
        return 0;
    if (rc < 0) {
        *fault = rc == -EINVAL ? "quote does not end" : "no memory";
        p->csv.rest = view_of(NULL, 0);
        return 1;
    }
    *contact = json_object_new_object();
    *fault = *contact ? read_record(p, *contact) : "no memory";
    if (*fault) {
        json_object_put(*contact);
        *contact = NULL;
    }
    return 1;
}

/* ---- writing ---- */

static bool needs_quotes(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (memchr(",\"\r\n", v.ptr[i], 4))
            return true;
    return v.len && (v.ptr[0] == ' ' || v.ptr[v.len - 1] == ' ');
}

static int put_cell(struct buf *out, struct view v)
{
    bool quotes = needs_quotes(v);

    if (quotes)
        buf_append_char(out, '"');
    if (is_formula(v))
        buf_append_char(out, '\'');
    for (size_t i = 0; i < v.len; i++) {
        if (v.ptr[i] == '"')
            buf_append_char(out, '"');
        buf_append_char(out, v.ptr[i]);
    }
    if (quotes)
        buf_append_char(out, '"');
    return out->failed ? -ENOBUFS : 0;
}

struct names {
    const char *list[CSV_MAX_FIELDS];
    size_t n;
};

static int add_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->list[i], name) == 0)
            return 0;
    if (names->n == CSV_MAX_FIELDS)
        return -E2BIG;
    names->list[names->n++] = name;
    return 0;
}

static int put_line(struct buf *out, const struct names *names, struct json_object *contact)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < names->n; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        rc = put_cell(out,
                      contact ? json_get_view(contact, names->list[i]) : view_cstr(names->list[i]));
    }
    return rc == 0 && names->n ? buf_append_cstr(out, "\r\n") : rc;
}

int people_csv_put(struct buf *out, struct json_object *const *contacts, size_t n)
{
    struct names names = {.n = 0};
    int rc = 0;

    for (size_t i = 0; i < n; i++) {
        json_object_object_foreach(contacts[i], name, value)
        {
            (void)value;
            if (add_name(&names, name) < 0)
                return -E2BIG;
        }
    }
    rc = put_line(out, &names, NULL);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = put_line(out, &names, contacts[i]);
    return rc;
}
