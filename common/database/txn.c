/* Statements with their parameters, on their way to the thread. */
#include <errno.h>
#include <stdlib.h>

#include "database/internal.h"

#define MAX_TEXT ((size_t)4 << 20) /* the contacts of a user, imported at once */

struct db_txn *txn_new(struct db *d)
{
    struct db_txn *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->d = d;
    buf_init(&t->texts, MAX_TEXT);
    return t;
}

void txn_free(struct db_txn *t)
{
    buf_free(&t->texts);
    free(t->statements);
    free(t);
}

static struct db_statement *room_for_one(struct db_txn *t)
{
    size_t cap = t->cap ? t->cap * 2 : 2;
    struct db_statement *more;

    if (t->n < t->cap)
        return &t->statements[t->n++];
    more = realloc(t->statements, cap * sizeof(*more));
    if (!more) {
        t->unfit = -ENOMEM;
        return NULL;
    }
    t->statements = more;
    t->cap = cap;
    return &t->statements[t->n++];
}

static void take_text(struct db_txn *t, struct db_param *p, struct view v)
{
    p->at = buf_len(&t->texts);
    p->len = v.len;
    if (buf_append_view(&t->texts, v) < 0)
        t->unfit = -E2BIG;
}

void txn_add(struct db_txn *t, const char *sql, const char *types, va_list ap)
{
    struct db_statement *st = room_for_one(t);

    if (!st)
        return;
    *st = (struct db_statement){.sql = sql};
    for (; *types && st->n < DB_MAX_PARAMS; types++) {
        struct db_param *p = &st->params[st->n++];
        *p = (struct db_param){.type = *types};
        if (*types == 's')
            take_text(t, p, va_arg(ap, struct view));
        else if (*types == 'i')
            p->i = va_arg(ap, int64_t);
        else
            p->f = va_arg(ap, double);
    }
}

void txn_add_row(struct db_txn *t, const char *sql, const char *types, const struct db_row *row)
{
    struct db_statement *st = room_for_one(t);

    if (!st)
        return;
    *st = (struct db_statement){.sql = sql};
    for (int i = 0; types[i] && st->n < DB_MAX_PARAMS; i++) {
        struct db_param *p = &st->params[st->n++];
        *p = (struct db_param){.type = types[i]};
        if (types[i] == 's')
            take_text(t, p, db_text(row, i));
        else if (types[i] == 'i')
            p->i = db_int(row, i);
        else
            p->f = db_float(row, i);
    }
}
