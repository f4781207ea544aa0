#include "letters.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "database/db.h"

#define MAX_LETTERS 1000 /* in one answer */

/* A list of dead letters that is being read, or what is to be done with them. */
struct letters {
    struct hooks *const *hooks; /* NULL there: the end */
    struct bus_client *client;
    uint64_t id; /* of the request */
    bool resend;
    size_t n;
    struct buf list;
    struct letter {
        struct letter *next;
        int64_t id;
        char *hook, *event, *name, *key, *body;
        double created;
    } * found;
};

static char *column(const struct db_row *row, int n)
{
    return view_dup(db_text(row, n));
}

/* On the thread of the database. */
static bool take_letter(void *arg, const struct db_row *row)
{
    struct letters *l = arg;
    struct letter *one;

    l->n++;
    if (!l->resend) {
        msg_put_map(&l->list, 7);
        msg_put_pair_u64(&l->list, "id", (uint64_t)db_int(row, 0));
        msg_put_pair(&l->list, "webhook", db_text(row, 1));
        msg_put_pair(&l->list, "event", db_text(row, 2));
        msg_put_pair(&l->list, "name", db_text(row, 3));
        msg_put_cstr(&l->list, "created");
        msg_put_double(&l->list, db_float(row, 6));
        msg_put_pair_u64(&l->list, "tries", (uint64_t)db_int(row, 7));
        msg_put_pair(&l->list, "why", db_text(row, 8));
        return true;
    }
    one = calloc(1, sizeof(*one));
    if (!one)
        return false;
    *one = (struct letter){.next = l->found,
                           .id = db_int(row, 0),
                           .hook = column(row, 1),
                           .event = column(row, 2),
                           .name = column(row, 3),
                           .key = column(row, 4),
                           .body = column(row, 5),
                           .created = db_float(row, 6)};
    l->found = one;
    return true;
}

static size_t resend(struct hooks *hooks, struct letter *one)
{
    const struct queue_item item = {.hook = view_cstr(one->hook),
                                    .event = view_cstr(one->event),
                                    .name = view_cstr(one->name),
                                    .key = view_cstr(one->key),
                                    .body = view_cstr(one->body),
                                    .now = clock_wall()};

    return one->hook && one->event && one->name && one->key && one->body &&
           hooks_revive(hooks, &item, one->id);
}

static void letter_free(struct letter *one)
{
    free(one->hook);
    free(one->event);
    free(one->name);
    free(one->key);
    free(one->body);
    free(one);
}

static void answer_letters(struct letters *l, int rc)
{
    struct buf out;

    buf_init(&out, 0);
    msg_put_map(&out, 1);
    if (l->resend)
        msg_put_pair_u64(&out, "resent", l->n);
    else
        msg_put_elements(&out, "dead", l->n, &l->list);
    if (rc < 0 || out.failed)
        bus_client_reply(l->client, l->id, BUS_failed, view_of(NULL, 0));
    else
        bus_client_reply(l->client, l->id, BUS_ok, buf_view(&out));
    buf_free(&out);
}

static void on_letters(void *arg, int rc)
{
    struct letters *l = arg;
    struct letter *one, *oldest = NULL;

    if (!*l->hooks)
        rc = -ECANCELED;
    while ((one = l->found)) { /* found from the newest to the oldest: turned round */
        l->found = one->next;
        one->next = oldest;
        oldest = one;
    }
    if (l->resend)
        l->n = 0;
    while ((one = oldest)) {
        oldest = one->next;
        l->n += rc == 0 && resend(*l->hooks, one);
        letter_free(one);
    }
    answer_letters(l, rc);
    buf_free(&l->list);
    free(l);
}

#define LETTER_COLUMNS "SELECT id, hook, event, name, key, body, created, tries, why FROM delivery"

static void ask_letters(struct hooks *const *hooks, struct bus_client *client, uint64_t id,
                        const msgpack_object *body, bool resends)
{
    struct letters *l = calloc(1, sizeof(*l));
    struct view hook = msg_get_str(body, "webhook");
    int64_t which = msg_get_i64(body, "id", -1);

    if (l) {
        *l = (struct letters){.hooks = hooks, .client = client, .id = id, .resend = resends};
        buf_init(&l->list, 0);
    }
    if (!l || db_read(hooks_db(*hooks),
                      LETTER_COLUMNS " WHERE dead = 1 AND (?1 < 0 OR id = ?1)"
                                     " AND (?2 = '' OR hook = ?2) ORDER BY id LIMIT ?3",
                      take_letter, on_letters, l, "isi", which, hook, (int64_t)MAX_LETTERS) < 0) {
        free(l);
        bus_client_reply(client, id, BUS_busy, view_of(NULL, 0));
    }
}

static void drop_letters(struct hooks *hooks, struct bus_client *client, uint64_t id,
                         const msgpack_object *body)
{
    int64_t which = msg_get_i64(body, "id", -1);
    struct view hook = msg_get_str(body, "webhook");

    db_write(hooks_db(hooks),
             "DELETE FROM delivery WHERE dead = 1 AND (?1 < 0 OR id = ?1)"
             " AND (?2 = '' OR hook = ?2)",
             "is", which, hook);
    hooks_count_dead(hooks);
    bus_client_reply(client, id, BUS_ok, view_of(NULL, 0));
}

static void list_hooks(struct hooks *hooks, struct bus_client *client, uint64_t id)
{
    struct buf out;

    buf_init(&out, 0);
    msg_put_map(&out, 1);
    msg_put_cstr(&out, "webhooks");
    hooks_put(hooks, &out);
    bus_client_reply(client, id, out.failed ? BUS_busy : BUS_ok,
                     out.failed ? view_of(NULL, 0) : buf_view(&out));
    buf_free(&out);
}

void letters_request(struct hooks *const *hooks, struct bus_client *client, uint64_t id,
                     const msgpack_object *body)
{
    struct view what = msg_get_str(body, "what");

    if (view_eq(what, VIEW("dead")))
        ask_letters(hooks, client, id, body, false);
    else if (view_eq(what, VIEW("resend")))
        ask_letters(hooks, client, id, body, true);
    else if (view_eq(what, VIEW("drop")))
        drop_letters(*hooks, client, id, body);
    else
        list_hooks(*hooks, client, id);
}
