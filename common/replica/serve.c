#include "replica/serve.h"

#include <stdlib.h>

#include "replica/wire.h"

#define CHUNK_OBJECTS 256
#define MAX_JOBS 256

struct job {
    struct job *next;
    struct bus_peer *peer;
    uint64_t id;
    size_t ipbx;
    unsigned list;
    size_t pos;
    int only_list; /* -1: all */
    char *only_id; /* NULL: all */
    bool brief;    /* without fields that have their initial values */
};

struct snapshots {
    struct bus_server *server;
    struct xod *xod;
    const struct snapshot_source *source;
    void *arg;
    struct job *head, **tail;
    size_t n;
    bool turn;
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
    struct xod_ipbx *ipbx;
    struct xod_obj *o;

    for (; (ipbx = xod_site_at(ss->xod, j->ipbx)); j->ipbx++, j->list = 0)
        for (; j->list < LIST_COUNT; j->list++, j->pos = 0) {
            if (j->only_list >= 0 && (unsigned)j->only_list != j->list)
                continue;
            while ((o = xod_next(ipbx, (enum xod_list)j->list, &j->pos)))
                if ((!j->only_id || view_eq(xod_obj_id(o), view_cstr(j->only_id))) &&
                    (!ss->source->sees || ss->source->sees(ss->arg, o)))
                    return o;
        }
    return NULL;
}

static uint64_t fields_for(const struct snapshots *ss, const struct job *j, const struct xod_obj *o)
{
    uint64_t fields = ss->source->fields ? ss->source->fields(o) : UINT64_MAX;

    return j->brief ? fields & xod_set_fields(o) : fields;
}

/* Makes the next chunk of a job, in ss->body. False: there is no memory. *last: it is the last one.
 */
static bool make_chunk(struct snapshots *ss, struct job *j, bool *last)
{
    struct xod_obj *o = NULL;
    size_t n = 0;

    buf_reset(&ss->objects);
    while (n < CHUNK_OBJECTS && (o = next_object(ss, j))) {
        wire_object(&ss->objects, o, fields_for(ss, j, o));
        n++;
    }
    *last = !o;
    buf_reset(&ss->body);
    msg_put_map(&ss->body, 2 + j->brief);
    msg_put_pair_u64(&ss->body, "seq", ss->source->seq(ss->arg));
    if (j->brief) {
        msg_put_cstr(&ss->body, "brief");
        msg_put_bool(&ss->body, true);
    }
    msg_put_elements(&ss->body, "objects", n, &ss->objects);
    return !ss->body.failed;
}

static bool is_before(const struct job *a, const struct job *b)
{
    if (a->ipbx != b->ipbx)
        return a->ipbx < b->ipbx;
    return a->list != b->list ? a->list < b->list : a->pos < b->pos;
}

static bool is_alike(const struct job *a, const struct job *b)
{
    return a->ipbx == b->ipbx && a->list == b->list && a->pos == b->pos &&
           a->only_list == b->only_list && a->brief == b->brief && !a->only_id && !b->only_id;
}

/* Whose turn it is: the one that is furthest behind, so that it catches up with the others and goes
 * on together with them; every other time the one that waits longest, so that none waits for
 * ever. */
static struct job *whose_turn(struct snapshots *ss)
{
    struct job *found = ss->head;

    ss->turn = !ss->turn;
    for (struct job *j = ss->head; ss->turn && j; j = j->next)
        if (is_before(j, found))
            found = j;
    return found;
}

/* One chunk for all that are at the same position; they go to the end of the queue. */
static void serve(struct snapshots *ss, struct job *whose)
{
    struct job at = *whose;
    struct job then = at;
    struct job *served = NULL;
    struct job **from = &ss->head;
    bool last;
    bool made = make_chunk(ss, &then, &last);

    while (*from) {
        struct job *j = *from;
        int rc;
        if (j != whose && !is_alike(j, &at)) {
            from = &j->next;
            continue;
        }
        *from = j->next;
        rc = bus_server_reply(ss->server, j->peer, j->id,
                              !made  ? BUS_busy
                              : last ? BUS_ok
                                     : BUS_more,
                              made ? buf_view(&ss->body) : view_of(NULL, 0));
        if (!made || last || rc < 0) {
            job_free(j);
            ss->n--;
            continue;
        }
        j->ipbx = then.ipbx;
        j->list = then.list;
        j->pos = then.pos;
        j->next = served;
        served = j;
    }
    *from = served;
    while (*from)
        from = &(*from)->next;
    ss->tail = from;
}

static void run(void *arg)
{
    struct snapshots *ss = arg;

    if (!ss->head || !ss->source->ready(ss->arg))
        return;
    serve(ss, whose_turn(ss));
    if (ss->head)
        loop_task_post(ss->task);
}

struct snapshots *snapshots_new(struct loop *loop, struct bus_server *server, struct xod *xod,
                                const struct snapshot_source *source, void *arg)
{
    struct snapshots *ss = calloc(1, sizeof(*ss));

    if (!ss)
        return NULL;
    ss->server = server;
    ss->xod = xod;
    ss->source = source;
    ss->arg = arg;
    ss->tail = &ss->head;
    buf_init(&ss->objects, 0);
    buf_init(&ss->body, 0);
    ss->task = loop_task_new(loop, run, ss);
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
        bus_server_reply(ss->server, p, id, BUS_not_found, view_of(NULL, 0));
        return;
    }
    j = ss->n < MAX_JOBS ? calloc(1, sizeof(*j)) : NULL;
    if (!j) {
        bus_server_reply(ss->server, p, id, BUS_busy, view_of(NULL, 0));
        return;
    }
    j->peer = p;
    j->id = id;
    j->only_list = list_no;
    j->brief = msg_get_bool(body, "brief", false);
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
