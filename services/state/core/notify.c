/* Lines that clients did not ask for, or that come later than the answer: published for the
 * gateways, which hand them to the sessions of the user. */
#include <stdlib.h>

#include "bus/topic.h"
#include "core/notify.h"

void notify_begin(struct notification *t, const char *class)
{
    buf_init(&t->line, 0);
    t->mark = msg_map_begin(&t->line);
    t->n = 0;
    notify_str(t, "class", view_cstr(class));
}

struct buf *notify_key(struct notification *t, const char *key)
{
    t->n++;
    msg_put_cstr(&t->line, key);
    return &t->line;
}

void notify_str(struct notification *t, const char *key, struct view text)
{
    msg_put_str(notify_key(t, key), text);
}

void notify_i64(struct notification *t, const char *key, int64_t number)
{
    msg_put_i64(notify_key(t, key), number);
}

void notify_reply_id(struct notification *t, const msgpack_object *message)
{
    const msgpack_object *id = msg_get(message, "commandid");

    if (id && (id->type == MSGPACK_OBJECT_STR || id->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
               id->type == MSGPACK_OBJECT_NEGATIVE_INTEGER))
        msg_put_object(notify_key(t, "replyid"), id);
}

void notify_user(struct state *s, struct xod_ipbx *ipbx, struct view user_id,
                 struct notification *t)
{
    notify_session(s, ipbx, user_id, view_of(NULL, 0), t);
}

/* ---- until the gateways have had their time to come back ---- */

#define MAX_KEPT 10000

struct kept_line {
    STAILQ_ENTRY(kept_line) all;
    struct buf topic, body;
};

/* Takes both. After a restart the gateways ask before they listen: what was published meanwhile
 * would be lost. */
static void keep(struct state *s, struct buf *topic, struct buf *body)
{
    struct kept_line *k = s->n_kept_lines < MAX_KEPT ? malloc(sizeof(*k)) : NULL;

    if (!k) {
        buf_free(topic);
        buf_free(body);
        return;
    }
    k->topic = *topic;
    k->body = *body;
    STAILQ_INSERT_TAIL(&s->kept_lines, k, all);
    s->n_kept_lines++;
}

static void drop(struct state *s, bool publish)
{
    struct kept_line *k;

    while ((k = STAILQ_FIRST(&s->kept_lines))) {
        STAILQ_REMOVE_HEAD(&s->kept_lines, all);
        if (publish)
            bus_pub_send(s->pub, buf_view(&k->topic), buf_view(&k->body));
        buf_free(&k->topic);
        buf_free(&k->body);
        free(k);
    }
    s->n_kept_lines = 0;
}

void notify_settled(struct state *s)
{
    drop(s, true);
}

void notify_forget(struct state *s)
{
    drop(s, false);
}

/* Frees what the body and the lines took. */
static void publish(struct state *s, struct xod_ipbx *ipbx, struct view user_id, struct buf *body,
                    bool failed)
{
    struct buf topic;

    buf_init(&topic, 1024);
    buf_append_cstr(&topic, "cti/");
    topic_put(&topic, xod_ipbx_name(ipbx));
    buf_append_cstr(&topic, "user/");
    topic_put(&topic, user_id);
    if (topic.failed || body->failed || failed) {
        log_error(s->log, "no memory for a line to user %.*s", VIEW_ARG(user_id));
    } else if (!s->settled) {
        keep(s, &topic, body);
        topic = *body = (struct buf){0};
    } else {
        bus_pub_send(s->pub, buf_view(&topic), buf_view(body));
    }
    buf_free(&topic);
    buf_free(body);
}

static void put_line(struct buf *body, const char *key, struct notification *t)
{
    msg_map_end(&t->line, t->mark, t->n);
    msg_put_cstr(body, key);
    buf_append_view(body, buf_view(&t->line));
}

void notify_session(struct state *s, struct xod_ipbx *ipbx, struct view user_id,
                    struct view session, struct notification *t)
{
    struct buf body;

    buf_init(&body, 0);
    msg_put_map(&body, session.len ? 2 : 1);
    if (session.len)
        msg_put_pair(&body, "session", session);
    put_line(&body, "line", t);
    publish(s, ipbx, user_id, &body, t->line.failed);
    buf_free(&t->line);
}

void notify_user_either(struct state *s, struct xod_ipbx *ipbx, struct view user_id,
                        struct notification *t, const char *accepts, struct notification *other)
{
    struct buf body;

    buf_init(&body, 0);
    msg_put_map(&body, 3);
    put_line(&body, "line", t);
    msg_put_pair(&body, "accepts", view_cstr(accepts));
    put_line(&body, "other", other);
    publish(s, ipbx, user_id, &body, t->line.failed || other->line.failed);
    buf_free(&t->line);
    buf_free(&other->line);
}
