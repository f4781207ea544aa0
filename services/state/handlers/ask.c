/* One message, until every program that it went to has answered or let its time go by. */
#include <stdio.h>
#include <stdlib.h>

#include "core/notify.h"
#include "handlers/internal.h"

struct asking;
struct answer {
    struct asking *asking;
    bool done, good;
    size_t n; /* pairs */
    struct buf pairs;
};

struct asking {
    struct handlers *h;
    struct deferred_reply *l; /* NULL: the client has its answer */
    struct xod_ipbx *ipbx;
    char user_id[64], session[64], class[HANDLERS_MAX_CLASS + 1];
    struct buf reply_id;    /* as it came, packed; empty: none */
    enum bus_status status; /* what is answered if nobody does */
    size_t n, told;
    struct answer answers[WORKER_MAX_ASKED]; /* by priority */
};

static void destroy(struct asking *a)
{
    for (size_t i = 0; i < a->n; i++)
        buf_free(&a->answers[i].pairs);
    buf_free(&a->reply_id);
    free(a);
}

/* The first is the answer to the message, the others follow it. */
static void tell(struct asking *a, struct answer *answer)
{
    struct notification t;

    if (a->l) {
        deferred_reply_pairs(&a->l, answer->n, &answer->pairs);
        return;
    }
    notify_begin(&t, a->class);
    if (buf_len(&a->reply_id))
        buf_append_view(notify_key(&t, "replyid"), buf_view(&a->reply_id));
    buf_append_view(&t.line, buf_view(&answer->pairs));
    t.n += answer->n;
    notify_session(a->h->s, a->ipbx, view_cstr(a->user_id), view_cstr(a->session), &t);
}

/* In order: what is there waits for those before it. */
static void tell_all(struct asking *a)
{
    while (a->told < a->n && a->answers[a->told].done) {
        struct answer *answer = &a->answers[a->told++];
        if (answer->good)
            tell(a, answer);
    }
    if (a->told < a->n)
        return;
    if (a->l) {
        metric_add(a->h->unanswered, 1);
        deferred_reply_status(&a->l, a->status);
    }
    destroy(a);
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct answer *answer = arg;
    struct asking *a = answer->asking;

    if (status == BUS_more)
        return; /* there is no such answer: the last one counts */
    answer->done = true;
    answer->good = status == BUS_ok && body;
    if (answer->good)
        answer->n = handlers_put_line(&answer->pairs, body);
    else if (status == BUS_timeout || a->status != BUS_timeout)
        a->status = status == BUS_ok ? BUS_malformed : status;
    tell_all(a);
}

static void put_question(struct buf *pairs, const struct session *se, struct view class,
                         const msgpack_object *message)
{
    const struct xod_obj *user = session_user(se);
    char scratch[32];

    msg_put_pair(pairs, "ipbx", xod_ipbx_name(se->ipbx));
    msg_put_pair(pairs, "session", view_cstr(se->id));
    msg_put_pair(pairs, "user", view_cstr(se->user_id));
    msg_put_pair(pairs, "login",
                 user ? value_text(xod_get(user, XOD(users, loginclient)), scratch)
                      : view_of(NULL, 0));
    msg_put_pair(pairs, "class", class);
    msg_put_cstr(pairs, "message");
    msg_put_object(pairs, message);
}

void handlers_ask(struct handlers *h, struct session *se, struct view class,
                  struct deferred_reply *l, const msgpack_object *message)
{
    struct asking *a = calloc(1, sizeof(*a));
    const msgpack_object *reply_id = msg_get(message, "commandid");
    struct handler *one;
    struct buf pairs;

    if (!a) {
        deferred_reply_status(&l, BUS_busy);
        return;
    }
    a->h = h;
    a->l = l;
    a->ipbx = se->ipbx;
    a->status = BUS_gone;
    snprintf(a->user_id, sizeof(a->user_id), "%s", se->user_id);
    snprintf(a->session, sizeof(a->session), "%s", se->id);
    snprintf(a->class, sizeof(a->class), "%.*s", VIEW_ARG(class));
    buf_init(&a->reply_id, 8192);
    if (reply_id)
        msg_put_object(&a->reply_id, reply_id);
    if (a->reply_id.failed)
        buf_reset(&a->reply_id);
    buf_init(&pairs, 0);
    put_question(&pairs, se, class, message);
    TAILQ_FOREACH(one, &h->all, all)
    {
        struct answer *answer = &a->answers[a->n];
        if (a->n == WORKER_MAX_ASKED || !handler_is_for(one, se->ipbx, class))
            continue;
        a->n++;
        answer->asking = a;
        buf_init(&answer->pairs, 1 << 20);
        answer->done = pairs.failed || !bus_server_ask(h->s->server, one->worker.peer,
                                                       METHOD_cti_message, 6, buf_view(&pairs),
                                                       one->worker.deadline_ms, on_answer, answer);
    }
    buf_free(&pairs);
    tell_all(a);
}
