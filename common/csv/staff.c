#include "csv/staff.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/crypt_text.h"
#include "csv/csv.h"
#include "json/json.h"

/* The columns, and what they are called in urllist_users. A password in clear text stands behind a
 * hash, so that it is the one that counts. */
static const struct {
    const char *title, *field;
} columns[] = {
    {"number", "number"},
    {"login", "loginclient"},
    {"firstname", "firstname"},
    {"lastname", "lastname"},
    {"mobile", "mobilephonenumber"},
    {"email", "email"},
    {"password_hash", "passwdclient"},
    {"password", "passwdclient"},
    {"profile", "profileclient"},
    {"agent", "agentid"},
    {"groups", "groups"},
    {"note", NULL},
};
#define N_COLUMNS ARRAY_SIZE(columns)
enum { NUMBER, LOGIN, HASH = 6, PASSWORD };

struct reading {
    struct csv csv;
    int at[N_COLUMNS]; /* -1: there is no such column */
    staff_fault_fn *fn;
    void *arg;
};

static void fault(const struct reading *r, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(const struct reading *r, size_t line, const char *fmt, ...)
{
    char what[512];
    va_list ap;

    if (!r->fn)
        return;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    r->fn(r->arg, line, what);
}

/* The column with nearly this title, or NULL. */
static const char *nearest(struct view title)
{
    for (size_t c = 0; c < N_COLUMNS; c++)
        if (title.len > 3 &&
            view_distance(title, view_cstr(columns[c].title)) <= (title.len < 8 ? 1U : 2U))
            return columns[c].title;
    return NULL;
}

static void know_column(struct reading *r, size_t i)
{
    struct view title = view_trim(csv_field(&r->csv, i));
    const char *near = nearest(title);

    if (title.len > 40)
        title.len = 40;
    for (size_t c = 0; c < N_COLUMNS; c++)
        if (view_ieq(title, view_cstr(columns[c].title))) {
            if (r->at[c] >= 0)
                fault(r, 1, "column %s is there twice: the last one counts", columns[c].title);
            r->at[c] = (int)i;
            return;
        }
    if (near)
        fault(r, 1, "column %.*s is not known: did you mean %s?", VIEW_ARG(title), near);
    else if (title.len)
        fault(r, 1,
              "column %.*s is not known; number, login, firstname, lastname, mobile, email, "
              "password_hash, password, profile, agent, groups, note are",
              VIEW_ARG(title));
}

static bool read_titles(struct reading *r)
{
    int rc = csv_next(&r->csv);

    for (size_t c = 0; c < N_COLUMNS; c++)
        r->at[c] = -1;
    for (size_t i = 0; rc == 1 && i < r->csv.n; i++)
        know_column(r, i);
    if (rc == 0)
        fault(r, 1, "the file is empty: its first line names the columns");
    else if (rc < 0)
        fault(r, 1, "a quoted field does not end");
    else if (r->at[NUMBER] < 0 && r->at[LOGIN] < 0)
        fault(r, 1, "no column is called number or login, which say whose row it is");
    else
        return true;
    return false;
}

/* Blanks at the ends are part of a password only. */
static struct view field(const struct reading *r, size_t c)
{
    struct view v = r->at[c] < 0 ? view_of(NULL, 0) : csv_field(&r->csv, (size_t)r->at[c]);

    return c == PASSWORD ? v : view_trim(v);
}

/* A text that is no hash would be a password in clear text. */
static bool is_usable(const struct reading *r, size_t c)
{
    if (c != HASH || crypt_text_is_hash(field(r, c)))
        return true;
    fault(
        r, r->csv.line,
        "password_hash is no hash, as `ctibus passwd` or `openssl passwd -6` makes it: a password "
        "in clear text is in the column password");
    return false;
}

/* NULL without memory. */
static struct json_object *read_row(const struct reading *r)
{
    struct json_object *o = json_object_new_object();
    bool good = o && json_set_i64(o, "line", (int64_t)r->csv.line) == 0;

    for (size_t c = 0; good && c < N_COLUMNS; c++)
        if (columns[c].field && field(r, c).len && is_usable(r, c))
            good = json_set_text(o, columns[c].field, field(r, c)) == 0;
    if (good && field(r, LOGIN).len)
        good = json_set_text(o, "enableclient", VIEW("1")) == 0;
    if (good)
        return o;
    json_object_put(o);
    return NULL;
}

static bool read_rows(struct reading *r, struct json_object *all)
{
    int rc;

    while ((rc = csv_next(&r->csv)) == 1) {
        struct json_object *o;
        if (field(r, NUMBER).len == 0 && field(r, LOGIN).len == 0)
            continue;
        o = read_row(r);
        if (!o || json_object_array_add(all, o) < 0) {
            json_object_put(o);
            fault(r, r->csv.line, "out of memory");
            return false;
        }
    }
    if (rc < 0)
        fault(r, r->csv.line, "a quoted field that begins here does not end");
    return rc == 0;
}

/* What no CSV file begins with, or has in it. */
static bool is_text(const struct reading *r, struct view file)
{
    if (view_starts(file, VIEW("\xff\xfe")) || view_starts(file, VIEW("\xfe\xff")))
        fault(r, 1, "it is UTF-16: save it as CSV UTF-8");
    else if (file.len && memchr(file.ptr, '\0', file.len))
        fault(r, 1, "there is a NUL byte in it: it is no text file");
    else
        return true;
    return false;
}

struct json_object *staff_read(struct view file, staff_fault_fn *fn, void *arg)
{
    struct json_object *all = json_object_new_array();
    struct reading r = {.fn = fn, .arg = arg};
    struct buf utf8;
    bool good;

    buf_init(&utf8, 2 * STAFF_MAX_BYTES);
    good = all && csv_text(&utf8, file) == 0;
    if (!good)
        fault(&r, 1, "out of memory");
    csv_begin(&r.csv, buf_view(&utf8), csv_delimiter(buf_view(&utf8)));
    good = good && is_text(&r, file) && read_titles(&r) && read_rows(&r, all);
    csv_end(&r.csv);
    buf_free(&utf8);
    if (good)
        return all;
    json_object_put(all);
    return NULL;
}
