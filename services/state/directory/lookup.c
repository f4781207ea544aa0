#include "lookup.h"

#include <errno.h>
#include <stdlib.h>

#include "fold.h"
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
    struct slot slots[LOOKUP_MAX_DIRECTORIES];
    size_t n_slots;
    directory_found_fn *found;
    directory_end_fn *end;
    directory_reverse_fn *reverse_fn; /* not NULL: only the first match is wanted */
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
    buf_free(&l->key);
    LIST_REMOVE(l, all);
    free(l);
}

static int put_number(struct buf *out, const struct directories *d, struct view text)
{
    struct number_rules rules = number_rules(d->state->cfg);
    char number[NUMBER_ROOM];

    return buf_append(out, number, number_normal(&rules, text, number));
}

/* With the text as it is compared. NULL without memory. */
static struct lookup *lookup_new(struct directories *d, const struct directory_ask *ask,
                                 bool reverse, void *arg)
{
    struct lookup *l = calloc(1, sizeof(*l));
    struct view text = view_trim(ask->text);
    int rc;

    if (!l)
        return NULL;
    l->d = d;
    LIST_INSERT_HEAD(&d->waiting, l, all);
    buf_init(&l->key, 0);
    l->arg = arg;
    rc = reverse ? put_number(&l->key, d, text) : fold_text(&l->key, text);
    l->query = (struct query){.text = text, .key = buf_view(&l->key), .reverse = reverse};
    if (rc < 0) {
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
        l->end(l->arg, fault);
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
    bool any; /* an entry was found */
};

static bool on_found(void *arg, const struct entry *e)
{
    struct finding *f = arg;
    struct lookup *l = f->lookup;

    f->any = true;
    if (l->reverse_fn) {
        f->slot->fields = json_object_new_object();
        if (f->slot->fields && directory_fields(f->slot->dir, e, f->slot->fields) < 0) {
            json_object_put(f->slot->fields);
            f->slot->fields = NULL;
        }
        return false;
    }
    return l->found(l->arg, f->slot->dir, e);
}

/* One pass over what a directory has. */
typedef void pass_fn(const void *of, struct finding *f, const struct query *q);

/* Of a number first the entries that have it by the rules, then those that have one alike: another
 * way to write the prefixes is likelier than two numbers with the same last digits. */
static void find_in(struct lookup *l, struct slot *s, pass_fn *pass, const void *of)
{
    struct finding f = {l, s, false};
    struct query q = l->query;

    q.rules = number_rules(l->d->state->cfg);
    pass(of, &f, &q);
    q.alike = true;
    if (q.reverse && !f.any)
        pass(of, &f, &q);
}

static void pass_table(const void *of, struct finding *f, const struct query *q)
{
    if (of)
        table_find(of, directory_columns(f->slot->dir, q->reverse), q, on_found, f);
}

/* The colleagues of the own IPBX, then those of other sites. */
static void pass_colleagues(const void *of, struct finding *f, const struct query *q)
{
    const struct directory_ask *ask = of;
    struct json_object *columns = directory_columns(f->slot->dir, q->reverse);
    const struct xod_ipbx *site;

    internal_find(ask->ipbx, columns, q, ask->sees, ask->sees_arg, on_found, f);
    for (size_t i = 0; (site = xod_site_at(f->lookup->d->state->xod, i)); i++)
        if (internal_is_remote(site) && !(f->any && f->lookup->reverse_fn))
            internal_find(site, columns, q, ask->sees, ask->sees_arg, on_found, f);
}

static void ask_directory(struct lookup *l, struct slot *s, const struct directory_ask *ask)
{
    switch (s->dir->kind) {
    case DIRECTORY_INTERNAL:
        find_in(l, s, pass_colleagues, ask);
        break;
    case DIRECTORY_PHONEBOOK:
        find_in(l, s, pass_table, phonebooks_get(l->d->phonebooks, ask->ipbx));
        break;
    case DIRECTORY_CSV:
        find_in(l, s, pass_table, s->dir->table);
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
    struct finding f = {l, &l->slots[n], false};

    f.slot->pending = false;
    if (l->answered)
        table = NULL; /* nobody waits for it any more */
    if (l->query.reverse)
        find_in(l, f.slot, pass_table, table);
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

/* ---- lookups ---- */

const char *lookup_fault(const struct directories *d, const struct directory_ask *ask)
{
    if (ask->text.len > LOOKUP_MAX_TEXT)
        return "pattern_too_long";
    if (!d->catalog)
        return "no_memory";
    return context_of(d->state->cfg, ask->context) ? NULL : "undefined_context";
}

void directory_find(struct directories *d, const struct directory_ask *ask,
                    directory_found_fn *found, directory_end_fn *end, void *arg)
{
    const char *fault = lookup_fault(d, ask);
    struct lookup *l = fault ? NULL : lookup_new(d, ask, ask->by_number, arg);

    if (!l) {
        end(arg, fault ? fault : "no_memory");
        return;
    }
    l->found = found;
    l->end = end;
    if (!ask->by_number || l->query.key.len)
        add_slots(l, json_get(context_of(d->state->cfg, ask->context), "directories"));
    run(l, ask);
}

/* NULL: it cannot be looked up, and fn was told so. */
static struct lookup *reverse_new(struct directories *d, const struct directory_ask *ask,
                                  directory_reverse_fn *fn, void *arg)
{
    struct lookup *l = NULL;

    if (ask->text.len <= LOOKUP_MAX_TEXT && d->catalog)
        l = lookup_new(d, ask, true, arg);
    if (l)
        l->reverse_fn = fn;
    else
        fn(arg, NULL);
    return l;
}

int directory_reverse_in(struct directories *d, struct view name, const struct directory_ask *ask,
                         directory_reverse_fn *fn, void *arg)
{
    struct directory *dir = d->catalog ? catalog_find(d->catalog, name) : NULL;
    struct lookup *l = dir ? reverse_new(d, ask, fn, arg) : NULL;

    if (!dir)
        return -ENOENT;
    if (l && l->query.key.len)
        l->slots[l->n_slots++].dir = directory_ref(dir);
    if (l)
        run(l, ask);
    return 0;
}

void directory_reverse(struct directories *d, const struct directory_ask *ask,
                       directory_reverse_fn *fn, void *arg)
{
    struct json_object *context = context_of(d->state->cfg, ask->context);
    struct lookup *l = reverse_new(d, ask, fn, arg);

    if (!l)
        return;
    if (l->query.key.len)
        add_slots(l, context_reverse(context, ask->exten));
    run(l, ask);
}
