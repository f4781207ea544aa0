#include "core/observed.h"

#include <stdlib.h>

#include "bus/topic.h"

#define MAX_MESSAGE                                                                                \
    ((size_t)64 * 1024) /* bytes of a message, and of an answer; longer: left out                  \
                         */
#define PAIRS 8

struct observed {
    struct state *s;
    struct buf topic, body;
};

static void destroy(struct observed *o)
{
    buf_free(&o->topic);
    buf_free(&o->body);
    free(o);
}

/* "cti/IPBX/message/", then the class. False: nobody asked for it. */
static bool make_topic(const struct state *s, const struct observed_message *m, struct buf *topic)
{
    size_t prefix;

    buf_append_cstr(topic, "cti/");
    topic_put(topic, xod_ipbx_name(m->ipbx));
    topic_put(topic, VIEW("message"));
    prefix = buf_len(topic);
    topic_put(topic, m->class);
    return !topic->failed && m->class.len &&
           bus_pub_asked_for(s->pub, view_of(buf_view(topic).ptr, prefix), buf_view(topic));
}

static void put_message(struct buf *body, const msgpack_object *message)
{
    struct buf text;

    buf_init(&text, MAX_MESSAGE);
    if (message)
        msg_put_object(&text, message);
    msg_put_cstr(body, "message");
    if (message && !text.failed)
        buf_append_view(body, buf_view(&text));
    else
        msg_put_nil(body);
    buf_free(&text);
}

struct observed *observed_begin(struct state *s, const struct observed_message *m)
{
    struct observed *o;
    struct buf topic;

    buf_init(&topic, 1024);
    o = make_topic(s, m, &topic) ? calloc(1, sizeof(*o)) : NULL;
    if (!o) {
        buf_free(&topic);
        return NULL;
    }
    o->s = s;
    o->topic = topic;
    buf_init(&o->body, 4 * MAX_MESSAGE);
    msg_put_map(&o->body, PAIRS);
    msg_put_pair(&o->body, "session", m->session);
    msg_put_pair(&o->body, "userid", m->user_id);
    msg_put_pair(&o->body, "login", m->login);
    msg_put_pair(&o->body, "class", m->class);
    put_message(&o->body, m->message);
    return o;
}

void observed_end(struct observed **op, struct view outcome, uint64_t us, struct view answer)
{
    struct observed *o = *op;

    *op = NULL;
    if (!o)
        return;
    msg_put_pair(&o->body, "outcome", outcome);
    msg_put_pair_u64(&o->body, "us", us);
    msg_put_cstr(&o->body, "answer");
    if (answer.len && answer.len <= MAX_MESSAGE)
        buf_append_view(&o->body, answer);
    else
        msg_put_nil(&o->body);
    if (!o->body.failed && o->s->pub)
        bus_pub_send(o->s->pub, buf_view(&o->topic), buf_view(&o->body));
    destroy(o);
}
