#include "registry.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "config/config.h"
#include "json/json.h"

/* The value at "field" or "field.member". */
static struct json_object *at_path(struct json_object *body, const char *path)
{
    const char *dot = strchr(path, '.');
    char first[64];
    struct json_object *outer;

    if (!dot)
        return json_get(body, path);
    if ((size_t)(dot - path) >= sizeof(first))
        return NULL;
    memcpy(first, path, (size_t)(dot - path));
    first[dot - path] = '\0';
    outer = json_get_object(body, first);
    return outer ? json_get(outer, dot + 1) : NULL;
}

static bool holds(const struct condition *c, struct json_object *body)
{
    struct json_object *v = at_path(body, c->path);

    return v && strcmp(json_object_get_string(v), c->value) == 0;
}

static bool all_hold(const struct cti_message *m, struct json_object *body)
{
    for (const struct condition *c = m->conditions; c && c->path; c++)
        if (!holds(c, body))
            return false;
    return true;
}

/* Most names differ in the first letter, which spares measuring them: every message is compared
 * with all of them. */
static bool is_class(const struct cti_message *m, struct view class)
{
    return class.len && m->class[0] == class.ptr[0] && view_eq(view_cstr(m->class), class);
}

const struct cti_message *registry_match(const struct registry *r, const struct request *rq,
                                         size_t *pos)
{
    while (*pos < r->n) {
        const struct cti_message *m = &r->rows[(*pos)++];
        if (is_class(m, rq->class) && all_hold(m, rq->body))
            return m;
    }
    return NULL;
}

const char *registry_missing_condition(const struct registry *r, const struct request *rq,
                                       bool *permission)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct cti_message *m = &r->rows[i];
        if (!is_class(m, rq->class))
            continue;
        *permission = m->permission;
        for (const struct condition *c = m->conditions; c && c->path; c++)
            if (!at_path(rq->body, c->path))
                return c->path;
    }
    return NULL;
}

bool registry_knows(const struct registry *r, struct view class, bool *login)
{
    for (size_t i = 0; i < r->n; i++)
        if (is_class(&r->rows[i], class)) {
            *login = r->rows[i].login;
            return true;
        }
    return false;
}

bool registry_complete(const struct cti_message *m, struct json_object *body, struct buf *missing)
{
    bool complete = true;

    for (const char *const *r = m->required; r && *r; r++) {
        if (json_object_object_get_ex(body, *r, NULL))
            continue;
        buf_printf(missing, "%s%s", complete ? "" : ",", *r);
        complete = false;
    }
    return complete;
}

/* ---- the table for people ---- */

static int by_class(const void *a, const void *b)
{
    const struct cti_message *x = *(const struct cti_message *const *)a;
    const struct cti_message *y = *(const struct cti_message *const *)b;
    int c = strcmp(x->class, y->class);

    if (c == 0 && x->conditions && x->conditions->path && y->conditions && y->conditions->path)
        c = strcmp(x->conditions->value, y->conditions->value);
    return c;
}

static void put_row(struct buf *out, const struct cti_message *m)
{
    const char *sep = "";

    buf_printf(out, "| `%s` | ", m->class);
    for (const struct condition *c = m->conditions; c && c->path; c++, sep = ", ")
        buf_printf(out, "%s`%s` = `%s`", sep, c->path, c->value);
    buf_append_cstr(out, " | ");
    sep = "";
    for (const char *const *r = m->required; r && *r; r++, sep = ", ")
        buf_printf(out, "%s`%s`", sep, *r);
    buf_printf(out, " | %s | %s |\n",
               m->login                               ? "login"
               : strcmp(m->class, "ipbxcommand") == 0 ? "yes, and `ipbxcommands`"
               : m->permission && config_class_is_open(view_cstr(m->class)) ? "unless denied"
               : m->permission                                              ? "yes"
                                                                            : "no",
               m->doc ? m->doc : "");
}

int registry_markdown(const struct registry *r, struct buf *out)
{
    const struct cti_message **sorted = calloc(r->n, sizeof(*sorted));

    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < r->n; i++)
        sorted[i] = &r->rows[i];
    qsort(sorted, r->n, sizeof(*sorted), by_class);
    buf_append_cstr(out, "| class | where | required | permission | what comes of it |\n"
                         "|---|---|---|---|---|\n");
    for (size_t i = 0; i < r->n; i++)
        put_row(out, sorted[i]);
    free(sorted);
    return out->failed ? -ENOMEM : 0;
}
