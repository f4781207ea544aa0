/* Searches: what a lookup finds, as lines of the display of the context. */
#include <stdlib.h>

#include "lookup.h"
#include "json/json.h"

struct search {
    struct display display;
    struct rows *rows;
    struct buf line;
    directory_fn *fn;
    void *arg;
};

static void search_free(struct search *q)
{
    if (q->display.def)
        display_close(&q->display);
    rows_destroy(&q->rows);
    buf_free(&q->line);
    free(q);
}

static bool on_found(void *arg, const struct directory *dir, const struct entry *e)
{
    struct search *q = arg;

    buf_reset(&q->line);
    return display_line(&q->line, &q->display, dir, e) == 0 &&
           rows_add(q->rows, buf_view(&q->line)) == 0;
}

static void on_end(void *arg, const char *fault)
{
    struct search *q = arg;

    rows_sort(q->rows);
    q->fn(q->arg,
          &(struct directory_answer){.fault = fault, .display = &q->display, .rows = q->rows});
    search_free(q);
}

/* How the result looks. False: the context does not say. */
static bool open_display(struct search *q, const struct config *cfg, struct json_object *context)
{
    struct view name = json_get_view(context, "display");

    return name.len > 0 &&
           display_open(&q->display, json_get(config_section(cfg, "displays"), name.ptr)) == 0;
}

void directory_search(struct directories *d, const struct directory_ask *ask, directory_fn *fn,
                      void *arg)
{
    const struct config *cfg = d->state->cfg;
    const char *fault = lookup_fault(d, ask);
    struct search *q = fault ? NULL : calloc(1, sizeof(*q));

    if (q) {
        buf_init(&q->line, 0);
        q->fn = fn;
        q->arg = arg;
        q->rows = rows_new();
        if (q->rows && open_display(q, cfg, context_of(cfg, ask->context))) {
            directory_find(d, ask, on_found, on_end, q);
            return;
        }
        fault = q->rows ? "undefined_display" : NULL;
        search_free(q);
    }
    fn(arg, &(struct directory_answer){.fault = fault ? fault : "no_memory"});
}
