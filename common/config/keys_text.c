/* The table of keys for people: the reference docs/keys.md, and `ctibus keys`. */
#include "config/config.h"

struct text {
    struct buf *out;
    struct view part;
    bool markdown;
};

/* A table's cells are ended by '|'. */
static void put_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_append_char(out, '\\');
        buf_append_char(out, *text);
    }
}

static void put_row(struct buf *out, const char *key, const char *type, const char *otherwise,
                    bool reloadable, const char *doc)
{
    buf_printf(out, "| `%s` | %s | ", key, type);
    if (*otherwise) {
        buf_append_char(out, '`');
        put_cell(out, otherwise);
        buf_append_char(out, '`');
    }
    buf_append_cstr(out, reloadable ? " | yes | " : " | | ");
    put_cell(out, doc);
    buf_append_cstr(out, " |\n");
}

static void put_lines(struct buf *out, const char *key, const char *type, const char *otherwise,
                      bool reloadable, const char *doc)
{
    buf_printf(out, "%s\n    %s%s%s%s\n    %s\n", key, type, *otherwise ? ", default " : "",
               otherwise, reloadable ? ", taken by a reload" : "", doc);
}

static void on_key(void *arg, const char *key, const char *type, const char *otherwise,
                   bool reloadable, const char *doc)
{
    struct text *t = arg;

    if (t->part.len && view_find(view_cstr(key), t->part) < 0 &&
        view_find(view_cstr(doc), t->part) < 0)
        return;
    (t->markdown ? put_row : put_lines)(t->out, key, type, otherwise, reloadable, doc);
}

void config_put_keys(struct buf *out, struct view part, bool markdown)
{
    struct text t = {out, part, markdown};

    if (markdown)
        buf_append_cstr(out, "| key | type | default | reload | |\n|---|---|---|---|---|\n");
    config_each_key(on_key, &t);
}
