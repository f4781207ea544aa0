/*
 * Lines for users: what state publishes on cti/IPBX/user/ID/ goes to the sessions of that user that
 * are open here.
 */
#include "bus/topic.h"
#include "internal.h"

#include <stdlib.h>

/* All sessions of one user that are open here. */
struct seat {
    char *key; /* site, a NUL, user id */
    size_t key_len;
    struct client_list clients;
};

struct inbox {
    struct gateway *g;
    struct map *seats;
    struct msg_doc doc;
    struct buf room;
};

struct inbox *inbox_new(struct gateway *g)
{
    struct inbox *in = calloc(1, sizeof(*in));

    if (!in)
        return NULL;
    in->g = g;
    in->seats = map_new();
    buf_init(&in->room, 4096);
    if (!in->seats || msg_doc_init(&in->doc) < 0) {
        map_destroy(&in->seats);
        free(in);
        return NULL;
    }
    return in;
}

void inbox_destroy(struct inbox **in)
{
    if (!in || !*in)
        return;
    map_destroy(&(*in)->seats); /* empty: each client has left */
    msg_doc_fini(&(*in)->doc);
    buf_free(&(*in)->room);
    free(*in);
    *in = NULL;
}

int inbox_listen(struct inbox *in, struct view site)
{
    struct buf topic;
    int rc;

    buf_init(&topic, 1024);
    buf_append_cstr(&topic, "cti/");
    topic_put(&topic, site);
    buf_append_cstr(&topic, "user/");
    rc = bus_sub_add(replica_sub(in->g->replica), buf_view(&topic));
    buf_free(&topic);
    return rc;
}

static struct view key_of(struct buf *room, struct view site, struct view user_id)
{
    buf_reset(room);
    buf_append_view(room, site);
    buf_append_char(room, '\0');
    buf_append_view(room, user_id);
    return buf_view(room);
}

int inbox_join(struct inbox *in, struct client *c)
{
    struct view key = key_of(&in->room, xod_site_name(c->site), view_cstr(c->user_id));
    struct seat *seat = map_get(in->seats, key);

    if (!seat) {
        seat = calloc(1, sizeof(*seat));
        if (seat)
            seat->key = view_dup(key);
        if (!seat || !seat->key || map_put(in->seats, view_of(seat->key, key.len), seat) < 0) {
            if (seat)
                free(seat->key);
            free(seat);
            return -ENOMEM;
        }
        seat->key_len = key.len;
        LIST_INIT(&seat->clients);
    }
    c->seat = seat;
    LIST_INSERT_HEAD(&seat->clients, c, of_seat);
    return 0;
}

void inbox_leave(struct inbox *in, struct client *c)
{
    struct seat *seat = c->seat;

    if (!seat)
        return;
    LIST_REMOVE(c, of_seat);
    c->seat = NULL;
    if (!LIST_EMPTY(&seat->clients))
        return;
    map_del(in->seats, view_of(seat->key, seat->key_len));
    free(seat->key);
    free(seat);
}

/* The seat that a topic names, or NULL: not one of ours. */
static struct seat *seat_of_topic(struct inbox *in, struct view topic)
{
    struct view rest = topic;

    if (map_count(in->seats) == 0 || !view_starts(topic, VIEW("cti/")) ||
        topic_next(&rest, NULL) < 0)
        return NULL;
    buf_reset(&in->room);
    if (topic_next(&rest, &in->room) < 0 || !view_starts(rest, VIEW("user/")) ||
        topic_next(&rest, NULL) < 0)
        return NULL;
    buf_append_char(&in->room, '\0');
    if (topic_next(&rest, &in->room) < 0 || rest.len)
        return NULL;
    return map_get(in->seats, buf_view(&in->room));
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

void inbox_release(struct client *c)
{
    if (!c->held)
        return;
    if (!c->held->failed)
        conn_send(c->conn, buf_view(c->held));
    inbox_forget(c);
}

void inbox_forget(struct client *c)
{
    if (!c->held)
        return;
    buf_free(c->held);
    free(c->held);
    c->held = NULL;
}

/* What becomes of a command comes over another way than the answer to it: never before. */
static void deliver_to(struct client *c, struct shared *block)
{
    if (c->asked)
        hold(c, block);
    else
        conn_send_shared(c->conn, block);
}

static void deliver(struct inbox *in, struct seat *seat, struct view session)
{
    struct client *only = session.len ? gateway_session(in->g, session) : NULL;
    struct shared *block;
    struct client *c;

    if (session.len && (!only || only->seat != seat))
        return;
    block = shared_new(buf_view(&in->g->line));
    if (!block)
        return;
    fanout_flush(in->g->fanout); /* changes that came first are told first */
    if (only)
        deliver_to(only, block);
    else
        LIST_FOREACH(c, &seat->clients, of_seat) conn_send_shared(c->conn, block);
    shared_unref(block);
}

void inbox_message(struct inbox *in, const struct bus_msg *m)
{
    struct seat *seat = seat_of_topic(in, m->topic);
    const msgpack_object *line;

    if (!seat || msg_parse(&in->doc, m->body) < 0)
        return;
    line = msg_get(&in->doc.root, "line");
    if (!line || line->type != MSGPACK_OBJECT_MAP || msg_get_str(line, "class").len == 0)
        return;
    buf_reset(&in->g->line);
    line_begin(&in->g->line, msg_get_str(line, "class"), view_of(NULL, 0));
    if (line_put_pairs(&in->g->line, line) < 0)
        return;
    line_end(&in->g->line);
    if (!in->g->line.failed)
        deliver(in, seat, msg_get_str(&in->doc.root, "session"));
}
