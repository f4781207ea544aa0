/*
 * Lines for users: what state publishes on cti/IPBX/user/ID/ goes to the sessions of that user that
 * are open here.
 */
#include "bus/topic.h"
#include "internal.h"

#include <stdlib.h>

/* All sessions of one user that are open here. */
struct user_sessions {
    char *key; /* IPBX, a NUL, user id */
    size_t key_len;
    struct client_list clients;
};

struct user_push {
    struct gateway *g;
    struct map *by_user;
    struct msg_doc doc;
    struct buf scratch;
};

struct user_push *user_push_new(struct gateway *g)
{
    struct user_push *in = calloc(1, sizeof(*in));

    if (!in)
        return NULL;
    in->g = g;
    in->by_user = map_new();
    buf_init(&in->scratch, 4096);
    if (!in->by_user || msg_doc_init(&in->doc) < 0) {
        map_destroy(&in->by_user);
        free(in);
        return NULL;
    }
    return in;
}

void user_push_destroy(struct user_push **in)
{
    if (!in || !*in)
        return;
    map_destroy(&(*in)->by_user); /* empty: each client has left */
    msg_doc_fini(&(*in)->doc);
    buf_free(&(*in)->scratch);
    free(*in);
    *in = NULL;
}

int user_push_listen(struct user_push *in, struct view ipbx)
{
    struct buf topic;
    int rc;

    buf_init(&topic, 1024);
    buf_append_cstr(&topic, "cti/");
    topic_put(&topic, ipbx);
    buf_append_cstr(&topic, "user/");
    rc = bus_sub_add(replica_sub(in->g->replica), buf_view(&topic));
    buf_free(&topic);
    return rc;
}

static struct view key_of(struct buf *scratch, struct view ipbx, struct view user_id)
{
    buf_reset(scratch);
    buf_append_view(scratch, ipbx);
    buf_append_char(scratch, '\0');
    buf_append_view(scratch, user_id);
    return buf_view(scratch);
}

int user_push_join(struct user_push *in, struct client *c)
{
    struct view key = key_of(&in->scratch, xod_ipbx_name(c->ipbx), view_cstr(c->user_id));
    struct user_sessions *user_sessions = map_get(in->by_user, key);

    if (!user_sessions) {
        user_sessions = calloc(1, sizeof(*user_sessions));
        if (user_sessions)
            user_sessions->key = view_dup(key);
        if (!user_sessions || !user_sessions->key ||
            map_put(in->by_user, view_of(user_sessions->key, key.len), user_sessions) < 0) {
            if (user_sessions)
                free(user_sessions->key);
            free(user_sessions);
            return -ENOMEM;
        }
        user_sessions->key_len = key.len;
        LIST_INIT(&user_sessions->clients);
    }
    c->user_sessions = user_sessions;
    LIST_INSERT_HEAD(&user_sessions->clients, c, of_user);
    return 0;
}

void user_push_leave(struct user_push *in, struct client *c)
{
    struct user_sessions *user_sessions = c->user_sessions;

    if (!user_sessions)
        return;
    LIST_REMOVE(c, of_user);
    c->user_sessions = NULL;
    if (!LIST_EMPTY(&user_sessions->clients))
        return;
    map_del(in->by_user, view_of(user_sessions->key, user_sessions->key_len));
    free(user_sessions->key);
    free(user_sessions);
}

struct view user_push_key(const struct client *c)
{
    return view_of(c->user_sessions->key, c->user_sessions->key_len);
}

struct client_list *user_push_sessions(struct user_push *in, struct view ipbx, struct view user_id)
{
    struct user_sessions *sessions = map_get(in->by_user, key_of(&in->scratch, ipbx, user_id));

    return sessions ? &sessions->clients : NULL;
}

/* The sessions of the user that a topic names, or NULL: none here. */
static struct user_sessions *user_sessions_of_topic(struct user_push *in, struct view topic)
{
    struct view rest = topic;

    if (map_count(in->by_user) == 0 || !view_starts(topic, VIEW("cti/")) ||
        topic_next(&rest, NULL) < 0)
        return NULL;
    buf_reset(&in->scratch);
    if (topic_next(&rest, &in->scratch) < 0 || !view_starts(rest, VIEW("user/")) ||
        topic_next(&rest, NULL) < 0)
        return NULL;
    buf_append_char(&in->scratch, '\0');
    if (topic_next(&rest, &in->scratch) < 0 || rest.len)
        return NULL;
    return map_get(in->by_user, buf_view(&in->scratch));
}

static void hold(struct client *c, const struct shared *block)
{
    if (!c->held) {
        c->held = malloc(sizeof(*c->held));
        if (!c->held)
            return;
        buf_init(c->held, c->gw->opt.max_output);
    }
    buf_append(c->held, block->data, block->len);
}

void user_push_release(struct client *c)
{
    if (!c->held)
        return;
    fanout_catch_up(c->gw->fanout, c);
    if (!c->held->failed)
        conn_send(c->conn, buf_view(c->held));
    user_push_forget(c);
}

void user_push_forget(struct client *c)
{
    if (!c->held)
        return;
    buf_free(c->held);
    free(c->held);
    c->held = NULL;
}

/* After the changes that came first. */
static void send_block(struct client *c, struct shared *block)
{
    fanout_catch_up(c->gw->fanout, c);
    conn_send_shared(c->conn, block);
}

/* What becomes of a command comes over another way than the answer to it: never before. */
static void deliver_to(struct client *c, struct shared *block)
{
    if (c->asked)
        hold(c, block);
    else
        send_block(c, block);
}

/* To one session, or (only NULL) to all that accept (mask, whose bits they have) or do not. */
static void deliver(struct user_push *in, struct user_sessions *user_sessions, struct client *only,
                    uint32_t mask, bool have)
{
    struct shared *block = shared_new(buf_view(&in->g->line));
    struct client *c;

    if (!block)
        return;
    if (only)
        deliver_to(only, block);
    else
        LIST_FOREACH(c, &user_sessions->clients, of_user)
    if (((c->accepts & mask) != 0) == have)
        send_block(c, block);
    shared_unref(block);
}

/* The line in the gateway's scratch; false: it is none. */
static bool write_line(struct user_push *in, const msgpack_object *line)
{
    if (!line || line->type != MSGPACK_OBJECT_MAP || msg_get_str(line, "class").len == 0)
        return false;
    buf_reset(&in->g->line);
    line_begin(&in->g->line, msg_get_str(line, "class"), view_of(NULL, 0));
    if (line_put_pairs(&in->g->line, line) < 0)
        return false;
    line_end(&in->g->line);
    return !in->g->line.failed;
}

void user_push_message(struct user_push *in, const struct bus_msg *m)
{
    struct user_sessions *user_sessions = user_sessions_of_topic(in, m->topic);
    struct view session;
    struct client *only;
    uint32_t mask;

    if (!user_sessions || msg_parse(&in->doc, m->body) < 0)
        return;
    session = msg_get_str(&in->doc.root, "session");
    only = session.len ? client_of_session(in->g, session) : NULL;
    if (session.len && (!only || only->user_sessions != user_sessions))
        return;
    mask = client_accepts_bit(msg_get_str(&in->doc.root, "accepts"));
    if (write_line(in, msg_get(&in->doc.root, "line")))
        deliver(in, user_sessions, only, mask, false);
    if (mask && write_line(in, msg_get(&in->doc.root, "other")))
        deliver(in, user_sessions, only, mask, true);
}
