#include "timeline.h"

#include <errno.h>
#include <stdlib.h>

#include "file.h"
#include "json/json.h"

static int add(struct timeline *t, uint64_t end, double at_s)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 256;
        struct timeline_read *more = realloc(t->reads, cap * sizeof(*more));
        if (!more)
            return -ENOMEM;
        t->reads = more;
        t->cap = cap;
    }
    t->reads[t->n++] = (struct timeline_read){.end = end, .at_us = (uint64_t)(at_s * 1e6)};
    return 0;
}

static int add_line(struct timeline *t, struct json_object *line)
{
    int64_t off = json_get_i64(line, "off", -1), len = json_get_i64(line, "len", -1);
    struct json_object *at = json_get(line, "t");

    if (off < 0 || len < 0 || !at)
        return -EINVAL;
    if (!view_eq(json_get_view(line, "dir"), VIEW("recv")))
        return 0;
    return add(t, (uint64_t)(off + len), json_object_get_double(at));
}

static int add_lines(struct timeline *t, struct json_parser *p, struct view rest)
{
    while (rest.len) {
        struct view text = view_trim(view_cut(&rest, '\n'));
        struct json_object *line = NULL;
        int rc;
        if (text.len == 0)
            continue;
        rc = json_parse(p, text, &line);
        if (rc == 0)
            rc = add_line(t, line);
        json_object_put(line);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int timeline_load(struct timeline *t, const char *path)
{
    struct json_parser p;
    struct buf text;
    int rc;

    *t = (struct timeline){0};
    if (json_parser_init(&p) < 0)
        return -ENOMEM;
    buf_init(&text, 0);
    rc = file_read(path, &text);
    if (rc == 0)
        rc = add_lines(t, &p, buf_view(&text));
    if (rc < 0)
        timeline_free(t);
    buf_free(&text);
    json_parser_fini(&p);
    return rc;
}

void timeline_free(struct timeline *t)
{
    free(t->reads);
    *t = (struct timeline){0};
}

uint64_t timeline_at(const struct timeline *t, size_t *at, uint64_t last)
{
    while (*at + 1 < t->n && t->reads[*at].end <= last)
        (*at)++;
    return t->reads[*at].at_us;
}
