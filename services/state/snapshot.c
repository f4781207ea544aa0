/* The whole xod, or a part of it, in chunks: one chunk a turn of the loop, so that events go on. */
#include <stdlib.h>

#include "internal.h"
#include "replica/wire.h"

#define CHUNK_OBJECTS 256
#define MAX_JOBS 256

struct job {
    struct job *next;
    struct bus_peer *peer;
    uint64_t id;
    size_t site;
    unsigned list;
    size_t pos;
    int only_list; /* -1: all */
    char *only_id; /* NULL: all */
};

struct snapshots {
    struct state *s;
    struct job *head, **tail;
    size_t n;
    struct loop_task *task;
    struct buf objects;
    struct buf body;
};

static void job_free(struct job *j)
{
    free(j->only_id);
    free(j);
}

/* The next object the job is to send, or NULL at the end. */
static struct xod_obj *next_object(struct snapshots *ss, struct job *j)
{
    struct xod_site *site;
    struct xod_obj *o;

    for (; (site = xod_site_at(ss->s->xod, j->site)); j->site++, j->list = 0)
        for (; j->list < LIST_COUNT; j->list++, j->pos = 0) {
            if (j->only_list >= 0 && (unsigned)j->only_list != j->list)
                continue;
            while ((o = xod_next(site, (enum xod_list)j->list, &j->pos)))
                if (!j->only_id || view_eq(xod_obj_id(o), view_cstr(j->only_id)))
                    return o;
        }
    return NULL;
}

/* Sends one chunk; false when it was the last one, or could not be sent. */
static bool send_chunk(struct snapshots *ss, struct job *j)
{
    struct xod_obj *o = NULL;
    size_t n = 0;
    int rc;

    buf_reset(&ss->objects);
    while (n < CHUNK_OBJECTS && (o = next_object(ss, j))) {
        wire_object(&ss->objects, o);
        n++;
    }
    buf_reset(&ss->body);
    msg_put_map(&ss->body, 2);
    msg_put_pair_u64(&ss->body, "seq", publisher_seq(ss->s->publisher));
    msg_put_cstr(&ss->body, "objects");
    msg_put_array(&ss->body, n);
    buf_append_view(&ss->body, buf_view(&ss->objects));
    if (ss->body.failed || ss->objects.failed) {
        bus_server_reply(ss->s->server, j->peer, j->id, BUS_busy, view_of(NULL, 0));
        return false;
    }
    rc =
        bus_server_reply(ss->s->server, j->peer, j->id, o ? BUS_more : BUS_ok, buf_view(&ss->body));
    return rc == 0 && o;
}

static void run(void *arg)
{
    struct snapshots *ss = arg;
    struct job *j = ss->head;

    if (!j || !ss->s->settled)
        return;
    ss->head = j->next;
    if (!ss->head)
        ss->tail = &ss->head;
    if (send_chunk(ss, j)) { /* behind the others: they take turns */
        j->next = NULL;
        *ss->tail = j;
        ss->tail = &j->next;
    } else {
        job_free(j);
        ss->n--;
    }
    if (ss->head)
        loop_task_post(ss->task);
}

struct snapshots *snapshots_new(struct state *s)
{
    struct snapshots *ss = calloc(1, sizeof(*ss));

    if (!ss)
        return NULL;
    ss->s = s;
    ss->tail = &ss->head;
    buf_init(&ss->objects, 0);
    buf_init(&ss->body, 0);
    ss->task = loop_task_new(s->loop, run, ss);
    if (!ss->task)
        snapshots_destroy(&ss);
    return ss;
}

void snapshots_destroy(struct snapshots **ss)
{
    if (!ss || !*ss)
        return;
    while ((*ss)->head) {
        struct job *j = (*ss)->head;
        (*ss)->head = j->next;
        job_free(j);
    }
    loop_task_destroy(&(*ss)->task);
    buf_free(&(*ss)->objects);
    buf_free(&(*ss)->body);
    free(*ss);
    *ss = NULL;
}

void snapshots_ask(struct snapshots *ss, struct bus_peer *p, uint64_t id,
                   const msgpack_object *body)
{
    struct view list = msg_get_str(body, "list");
    struct view only = msg_get_str(body, "id");
    int list_no = list.len ? schema_list_find(list) : -1;
    struct job *j;

    if (list.len && list_no < 0) {
        state_reply(ss->s, p, id, BUS_not_found);
        return;
    }
    j = ss->n < MAX_JOBS ? calloc(1, sizeof(*j)) : NULL;
    if (!j) {
        state_reply(ss->s, p, id, BUS_busy);
        return;
    }
    j->peer = p;
    j->id = id;
    j->only_list = list_no;
    j->only_id = only.len ? view_dup(only) : NULL;
    *ss->tail = j;
    ss->tail = &j->next;
    ss->n++;
    loop_task_post(ss->task);
}

void snapshots_peer_gone(struct snapshots *ss, struct bus_peer *p)
{
    struct job **at = &ss->head;

    while (*at) {
        struct job *j = *at;
        if (j->peer != p) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        job_free(j);
        ss->n--;
    }
    ss->tail = at;
}

void snapshots_settled(struct snapshots *ss)
{
    loop_task_post(ss->task);
}
