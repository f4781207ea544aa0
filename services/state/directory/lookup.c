#include "lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "fold.h"
#include "internal.h"
#include "table.h"
#include "json/json.h"

/* One directory of a lookup. */
struct slot {
    struct directory *dir; /* a reference */
    bool pending;
    struct json_object *fields; /* of the first match of a reverse lookup, or NULL */
};

struct lookup {
    LIST_ENTRY(lookup) all;
    struct directories *d;
    struct query query;
    struct buf key;
    struct display display; /* of a search */
    struct rows *rows;      /* of a search */
    struct buf line;
    struct slot slots[LOOKUP_MAX_DIRECTORIES];
    size_t n_slots;
    directory_fn *fn;
    directory_reverse_fn *reverse_fn; /* not NULL: a reverse lookup */
    void *arg;
    bool answered; /* it is only here for the web servers that have still to come back */
};

/* ---- making ---- */

static void lookup_free(struct lookup *l)
{
    for (size_t i = 0; i < l->n_slots; i++) {
        directory_unref(&l->slots[i].dir);
        json_object_put(l->slots[i].fields);
    }
    if (l->display.def)
        display_close(&l->display);
    rows_destroy(&l->rows);
    buf_free(&l->key);
    buf_free(&l->line);
    LIST_REMOVE(l, all);
    free(l);
}

/* With the text as it is compared. NULL without memory. */
static struct lookup *lookup_new(struct directories *d, const struct directory_ask *ask,
                                 bool reverse)
{
    struct lookup *l = calloc(1, sizeof(*l));
    struct view text = view_trim(ask->text);
    int rc;

    if (!l)
        return NULL;
    l->d = d;
    LIST_INSERT_HEAD(&d->waiting, l, all);
    buf_init(&l->key, 0);
    buf_init(&l->line, 0);
    rc = reverse ? fold_number(&l->key, text) : fold_text(&l->key, text);
    l->query = (struct query){.text = text, .key = buf_view(&l->key), .reverse = reverse};
    l->rows = reverse ? NULL : rows_new();
    if (rc < 0 || (!reverse && !l->rows)) {
        lookup_free(l);
        return NULL;
    }
    return l;
}

/* The directories of this list of names. One that is not there was reported by --check. */
static void add_slots(struct lookup *l, struct json_object *names)
{
    size_t n = json_object_is_type(names, json_type_array) ? json_object_array_length(names) : 0;

    for (size_t i = 0; i < n && l->n_slots < LOOKUP_MAX_DIRECTORIES; i++) {
        struct directory *dir =
            catalog_find(l->d->catalog, json_view(json_object_array_get_idx(names, i)));
        if (dir)
            l->slots[l->n_slots++].dir = directory_ref(dir);
    }
}

/* ---- the end ---- */

static void answer(struct lookup *l, const char *fault)
{
    struct json_object *fields = NULL;

    l->answered = true;
    if (l->reverse_fn) {
        for (size_t i = 0; !fault && !fields && i < l->n_slots; i++)
            fields = l->slots[i].fields;
        l->reverse_fn(l->arg, fields);
    } else {
        if (l->rows)
            rows_sort(l->rows);
        l->fn(l->arg,
              &(struct directory_answer){.fault = fault, .display = &l->display, .rows = l->rows});
    }
}

static bool waits(const struct lookup *l)
{
    for (size_t i = 0; i < l->n_slots; i++)
        if (l->slots[i].pending)
            return true;
    return false;
}

/* Can nothing that is still to come change the answer? */
static bool is_known(const struct lookup *l)
{
    for (size_t i = 0; l->reverse_fn && i < l->n_slots && !l->slots[i].pending; i++)
        if (l->slots[i].fields)
            return true;
    return !waits(l);
}

/* Who asked is answered as soon as can be; a web server that was asked cannot be called back and
 * still has the lookup, so it stays until the last of them has come. */
static void end_if_known(struct lookup *l)
{
    if (!l->answered && is_known(l))
        answer(l, NULL);
    if (!waits(l))
        lookup_free(l);
}

void lookup_abort(struct lookup *l)
{
    if (!l->answered)
        answer(l, "stopped");
    lookup_free(l);
}

/* ---- what directories give ---- */

struct finding {
    struct lookup *lookup;
    struct slot *slot;
};

static bool on_found(void *arg, const struct entry *e)
{
    struct finding *f = arg;
    struct lookup *l = f->lookup;

    if (l->reverse_fn) {
        f->slot->fields = json_object_new_object();
        if (f->slot->fields && directory_fields(f->slot->dir, e, f->slot->fields) < 0) {
            json_object_put(f->slot->fields);
            f->slot->fields = NULL;
        }
        return false;
    }
    buf_reset(&l->line);
    return display_line(&l->line, &l->display, f->slot->dir, e) == 0 &&
           rows_add(l->rows, buf_view(&l->line)) == 0;
}

static void find_in_table(struct lookup *l, struct slot *s, const struct table *t)
{
    struct finding f = {l, s};

    if (t)
        table_find(t, directory_columns(s->dir, l->query.reverse), &l->query, on_found, &f);
}

static void ask_directory(struct lookup *l, struct slot *s, const struct directory_ask *ask)
{
    struct finding f = {l, s};

    switch (s->dir->kind) {
    case DIRECTORY_INTERNAL:
        internal_find(ask->site, directory_columns(s->dir, l->query.reverse), &l->query, ask->sees,
                      ask->sees_arg, on_found, &f);
        break;
    case DIRECTORY_PHONEBOOK:
        find_in_table(l, s, phonebooks_get(l->d->phonebooks, ask->site));
        break;
    case DIRECTORY_CSV:
        find_in_table(l, s, s->dir->table);
        break;
    case DIRECTORY_HTTP:
        s->pending = webdirs_ask(l->d->webdirs, s->dir, &l->query, l, (size_t)(s - l->slots));
        break;
    case DIRECTORY_NONE:
        break;
    }
}

/* A server knows by itself what fits a part of a name; a number is compared here, lest one that has
 * it as a part passes for whom it is. */
void lookup_answered(void *arg, size_t n, const struct table *table)
{
    struct lookup *l = arg;
    struct finding f = {l, &l->slots[n]};

    f.slot->pending = false;
    if (l->answered)
        table = NULL; /* nobody waits for it any more */
    if (l->reverse_fn)
        find_in_table(l, f.slot, table);
    else if (table)
        table_each(table, on_found, &f);
    end_if_known(l);
}

static void run(struct lookup *l, const struct directory_ask *ask)
{
    for (size_t i = 0; i < l->n_slots; i++) {
        ask_directory(l, &l->slots[i], ask);
        if (l->reverse_fn && l->slots[i].fields) /* those behind it cannot be the first */
            break;
    }
    l->query.text = view_of(NULL, 0); /* borrowed, and of no more use */
    end_if_known(l);
}

/* ---- searches ---- */

/* Finds out how the result looks; a word for what is missing, or NULL. */
static const char *prepare(struct lookup *l, struct json_object *context)
{
    struct view name = json_get_view(context, "display");
    struct json_object *displays = config_section(l->d->state->cfg, "displays");

    if (!context)
        return "undefined_context";
    if (name.len == 0 || display_open(&l->display, json_get(displays, name.ptr)) < 0)
        return "undefined_display";
    add_slots(l, json_get(context, "directories"));
    return NULL;
}

static void refuse(directory_fn *fn, void *arg, const char *fault)
{
    fn(arg, &(struct directory_answer){.fault = fault});
}

void directory_search(struct directories *d, const struct directory_ask *ask, directory_fn *fn,
                      void *arg)
{
    struct lookup *l;
    const char *fault;

    if (ask->text.len > LOOKUP_MAX_TEXT || !d->catalog) {
        refuse(fn, arg, d->catalog ? "pattern_too_long" : "no_memory");
        return;
    }
    l = lookup_new(d, ask, false);
    if (!l) {
        refuse(fn, arg, "no_memory");
        return;
    }
    l->fn = fn;
    l->arg = arg;
    fault = prepare(l, context_of(d->state->cfg, ask->context));
    if (fault) {
        answer(l, fault);
        lookup_free(l);
    } else {
        run(l, ask);
    }
}

void directory_reverse(struct directories *d, const struct directory_ask *ask,
                       directory_reverse_fn *fn, void *arg)
{
    struct json_object *context = context_of(d->state->cfg, ask->context);
    struct lookup *l = NULL;

    if (ask->text.len <= LOOKUP_MAX_TEXT && d->catalog)
        l = lookup_new(d, ask, true);
    if (!l) {
        fn(arg, NULL);
        return;
    }
    l->reverse_fn = fn;
    l->arg = arg;
    if (l->query.key.len)
        add_slots(l, context_reverse(context, ask->exten));
    run(l, ask);
}
