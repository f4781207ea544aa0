#include "sheets/programs.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "sheets/rules.h"

#define MAX_PROGRAMS 100
#define MAX_WORDS 100 /* events, contexts of one */
#define MAX_WORD 100  /* bytes */
#define DEADLINE_MS 1000

struct programs *programs_new(struct state *s, programs_send_fn *send, void *arg)
{
    struct programs *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->s = s;
    p->send = send;
    p->arg = arg;
    TAILQ_INIT(&p->all);
    p->lines = map_new();
    p->unanswered = metrics_add(s->metrics, METRIC_state_sheets_unanswered, NULL);
    if (!p->lines || !p->unanswered)
        programs_destroy(&p);
    return p;
}

static void program_free(struct program *one)
{
    json_object_put(one->events);
    json_object_put(one->contexts);
    free(one);
}

static void drop(struct programs *p, struct program *one)
{
    TAILQ_REMOVE(&p->all, one, all);
    p->n--;
    program_free(one);
}

void programs_destroy(struct programs **pp)
{
    struct programs *p = pp ? *pp : NULL;

    if (!p)
        return;
    *pp = NULL;
    while (!TAILQ_EMPTY(&p->all))
        drop(p, TAILQ_FIRST(&p->all));
    map_destroy(&p->lines);
    free(p);
}

bool program_is_for(const struct program *one, const struct sheet *sheet)
{
    return (!one->worker.ipbx || one->worker.ipbx == sheet->ipbx) &&
           rules_among(one->events, sheet_value(sheet, "where")) &&
           rules_among(one->contexts, view_cstr(sheet->context));
}

/* ---- registering ---- */

/* 0; -EINVAL: there is a `key` that is no array of names; -ENOMEM. */
static int read_words(struct json_object **out, const msgpack_object *body, const char *key)
{
    const msgpack_object *list = msg_get(body, key);

    *out = json_object_new_array();
    if (!*out)
        return -ENOMEM;
    if (!list)
        return 0;
    if (!worker_are_words(list, MAX_WORDS, MAX_WORD))
        return -EINVAL;
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        struct view word = msg_str(&list->via.array.ptr[i]);
        json_object_array_add(*out, json_object_new_string_len(word.ptr, (int)word.len));
    }
    return 0;
}

static void insert(struct programs *p, struct program *one)
{
    struct program *before;

    TAILQ_FOREACH(before, &p->all, all)
    if (before->worker.priority < one->worker.priority)
        break;
    if (before)
        TAILQ_INSERT_BEFORE(before, one, all);
    else
        TAILQ_INSERT_TAIL(&p->all, one, all);
    p->n++;
}

void programs_register(struct programs *p, struct bus_peer *peer, uint64_t id,
                       const msgpack_object *body)
{
    struct program *one = calloc(1, sizeof(*one));
    int rc = one ? worker_read(&one->worker, p->s, peer, body, DEADLINE_MS) : -ENOMEM;

    if (rc == 0)
        rc = read_words(&one->events, body, "events");
    if (rc == 0)
        rc = read_words(&one->contexts, body, "contexts");
    if (rc == 0 && !one->worker.more)
        programs_peer_gone(p, peer);
    if (rc == 0 && p->n == MAX_PROGRAMS)
        rc = -ENOBUFS;
    if (rc == 0) {
        insert(p, one);
        log_notice(p->s->log, "%.*s %.*s answers questions of sheets",
                   VIEW_ARG(bus_peer_service(peer)), VIEW_ARG(bus_peer_instance(peer)));
    } else if (one) {
        program_free(one);
    }
    worker_reply(p->s, peer, id, rc);
}

void programs_peer_gone(struct programs *p, const struct bus_peer *peer)
{
    struct program *one, *next;

    TAILQ_FOREACH_SAFE(one, &p->all, all, next)
    if (one->worker.peer == peer)
        drop(p, one);
}
