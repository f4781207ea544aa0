#include "sheets/reverse.h"

#include <stdlib.h>

#include "json/json.h"

struct reverse {
    char *number, *exten, *context; /* what was asked */
    bool answered;
    bool left;                  /* by its call: it goes when it is answered */
    struct json_object *fields; /* NULL: nobody's number */
    TAILQ_HEAD(, sheet) sheets;
    size_t n;
    reverse_send_fn *send;
    void *arg;
};

static void destroy(struct reverse *l)
{
    json_object_put(l->fields);
    free(l->number);
    free(l->exten);
    free(l->context);
    free(l);
}

static void give(struct reverse *l, struct sheet *sheet)
{
    struct json_object *directory = json_get(l->fields, "xivo-directory");
    struct json_object *xivo = json_get(sheet->values, "xivo");

    if (l->fields)
        json_object_object_add(sheet->values, "db", json_object_get(l->fields));
    if (directory && xivo)
        json_object_object_add(xivo, "directory", json_object_get(directory));
    l->send(l->arg, sheet);
}

static void on_fields(void *arg, struct json_object *fields)
{
    struct reverse *l = arg;
    struct sheet *sheet;

    l->answered = true;
    if (fields && json_object_deep_copy(fields, &l->fields, NULL) < 0)
        l->fields = NULL;
    while ((sheet = TAILQ_FIRST(&l->sheets))) {
        TAILQ_REMOVE(&l->sheets, sheet, waiting);
        give(l, sheet);
    }
    if (l->left)
        destroy(l);
}

struct reverse *reverse_begin(struct directories *d, const struct directory_ask *ask,
                              reverse_send_fn *send, void *arg)
{
    struct reverse *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    TAILQ_INIT(&l->sheets);
    l->number = view_dup(ask->text);
    l->exten = view_dup(ask->exten);
    l->context = view_dup(ask->context);
    l->send = send;
    l->arg = arg;
    if (!l->number || !l->exten || !l->context) {
        destroy(l);
        return NULL;
    }
    directory_reverse(d, ask, on_fields, l);
    return l;
}

bool reverse_is_of(const struct reverse *l, const struct directory_ask *ask)
{
    return view_eq(view_cstr(l->number), ask->text) && view_eq(view_cstr(l->exten), ask->exten) &&
           view_eq(view_cstr(l->context), ask->context);
}

bool reverse_waits(const struct reverse *l)
{
    return !l->answered;
}

void reverse_add(struct reverse *l, struct sheet *sheet)
{
    if (l->answered || l->n == REVERSE_MAX_SHEETS) {
        give(l, sheet);
        return;
    }
    TAILQ_INSERT_TAIL(&l->sheets, sheet, waiting);
    l->n++;
}

void reverse_leave(struct reverse **lp)
{
    struct reverse *l = *lp;

    *lp = NULL;
    if (l && l->answered)
        destroy(l);
    else if (l)
        l->left = true;
}
