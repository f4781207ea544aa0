#include "capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "classes.h"
#include "file.h"
#include "timeline.h"

#define SPREAD_US 1000 /* between two events when no timeline tells */

/* One file being added. */
struct adding {
    struct capture *c;
    struct timeline times;
    size_t at;          /* where timeline_at is */
    const char *first;  /* byte of the file */
    uint64_t start_us;  /* when this capture starts in the whole */
    uint64_t spread_us; /* the next event's time without a timeline */
    int rc;
};

void capture_init(struct capture *c)
{
    *c = (struct capture){0};
    buf_init(&c->bytes, 0);
}

void capture_free(struct capture *c)
{
    buf_free(&c->bytes);
    free(c->events);
    capture_init(c);
}

bool capture_is_public(const struct ami_block *b)
{
    if (b->kind != AMI_EVENT || !ami_get(b, "Privilege").ptr)
        return false;
    if (ami_is_event(b, "FullyBooted") || ami_is_event(b, "Shutdown"))
        return false;
    return !ami_get(b, "ActionID").ptr || ami_is_event(b, "OriginateResponse") ||
           ami_is_event(b, "UserEvent");
}

static struct sim_event *new_event(struct capture *c)
{
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 1024;
        struct sim_event *more = realloc(c->events, cap * sizeof(*more));
        if (!more)
            return NULL;
        c->events = more;
        c->cap = cap;
    }
    return &c->events[c->n];
}

static uint64_t time_of(struct adding *a, struct view raw)
{
    uint64_t last = (uint64_t)(raw.ptr + raw.len - a->first); /* of its empty line */

    if (a->times.n > 0)
        return a->start_us + timeline_at(&a->times, &a->at, last);
    a->spread_us += SPREAD_US;
    return a->start_us + a->spread_us;
}

static int add_event(struct adding *a, const struct ami_block *b)
{
    struct capture *c = a->c;
    struct sim_event *e = new_event(c);
    size_t off = buf_len(&c->bytes);

    if (!e || buf_append_view(&c->bytes, b->raw) < 0 || buf_append_cstr(&c->bytes, "\r\n") < 0)
        return -ENOMEM;
    *e = (struct sim_event){.off = (uint32_t)off,
                            .len = (uint32_t)(buf_len(&c->bytes) - off),
                            .classes = classes_of_event(ami_get(b, "Privilege")),
                            .op = (uint8_t)model_op_of(b->name),
                            .at_us = time_of(a, b->raw)};
    c->n++;
    return 0;
}

static void set_version(struct capture *c, struct view version)
{
    snprintf(c->version, sizeof(c->version), "%.*s", VIEW_ARG(version));
    c->old = strtol(c->version, NULL, 10) < 2;
}

static bool on_block(void *arg, const struct ami_block *b)
{
    struct adding *a = arg;

    if (b->kind == AMI_BANNER && a->c->version[0] == '\0')
        set_version(a->c, b->name);
    if (capture_is_public(b))
        a->rc = add_event(a, b);
    return a->rc == 0;
}

static void set_duration(struct adding *a)
{
    struct capture *c = a->c;

    if (c->n > 0 && c->events[c->n - 1].at_us > c->duration_us)
        c->duration_us = c->events[c->n - 1].at_us;
    if (a->times.n > 0 && a->start_us + a->times.reads[a->times.n - 1].at_us > c->duration_us)
        c->duration_us = a->start_us + a->times.reads[a->times.n - 1].at_us;
}

static int add_text(struct adding *a, struct view text)
{
    struct ami_parser *p = malloc(sizeof(*p));
    size_t before = a->c->n;

    if (!p)
        return -ENOMEM;
    ami_parser_init(p);
    a->first = text.ptr;
    ami_parse(p, text, on_block, a);
    free(p);
    if (a->rc == 0 && a->c->n == before && a->c->version[0] == '\0')
        a->rc = -EINVAL;
    return a->rc;
}

int capture_add(struct capture *c, const char *path)
{
    struct adding a = {.c = c, .start_us = c->duration_us};
    struct buf text;
    char beside[4096];
    int rc = 0;

    if (file_beside(path, ".timeline.jsonl", beside, sizeof(beside)))
        rc = timeline_load(&a.times, beside);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    buf_init(&text, 0);
    rc = file_read(path, &text);
    if (rc == 0)
        rc = add_text(&a, buf_view(&text));
    if (rc == 0)
        set_duration(&a);
    timeline_free(&a.times);
    buf_free(&text);
    return rc;
}
