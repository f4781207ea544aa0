/*
 * The lists of a XiVO 1.2: the ids of each list are asked for, then config and status of each id, a
 * few at a time; what it tells by itself afterwards keeps that current. After a loss of the
 * connection all is asked for anew, and what is no longer named goes.
 */
#include <stdlib.h>
#include <sys/queue.h>

#include "base/array.h"
#include "base/map.h"
#include "legacy.h"

#define MAX_ASKED 64       /* questions without an answer yet */
#define MAX_WAITING 400000 /* questions that are still to be asked */

/* In this order, as a XiVO asks another. */
static const enum xod_list wanted[] = {LIST_users, LIST_groups, LIST_queues, LIST_agents,
                                       LIST_phones};
#define N_WANTED ARRAY_SIZE(wanted)

struct question {
    STAILQ_ENTRY(question) all;
    enum xod_list list;
    bool status;
    char id[];
};

struct lists {
    struct legacy *g;
    STAILQ_HEAD(, question) waiting;
    size_t n_waiting, n_asked;
    bool running;
};

struct lists *lists_new(struct legacy *g)
{
    struct lists *ls = calloc(1, sizeof(*ls));

    if (!ls)
        return NULL;
    ls->g = g;
    STAILQ_INIT(&ls->waiting);
    return ls;
}

static struct question *take_first(struct lists *ls)
{
    struct question *q = STAILQ_FIRST(&ls->waiting);

    if (q) {
        STAILQ_REMOVE_HEAD(&ls->waiting, all);
        ls->n_waiting--;
    }
    return q;
}

void lists_stop(struct lists *ls)
{
    struct question *q;

    while ((q = take_first(ls)))
        free(q);
    ls->n_asked = 0;
    ls->running = false;
}

void lists_destroy(struct lists **ls)
{
    if (!ls || !*ls)
        return;
    lists_stop(*ls);
    free(*ls);
    *ls = NULL;
}

/* ---- asking ---- */

static void send_question(struct lists *ls, const char *function, enum xod_list list,
                          struct view id)
{
    struct legacy *g = ls->g;

    legacy_begin(g, "getlist");
    legacy_put(g, "function", view_cstr(function));
    legacy_put(g, "listname", schema_list(list)->vname);
    legacy_put(g, "tipbxid", view_cstr(g->l->name));
    if (id.len)
        legacy_put(g, "tid", id);
    legacy_send(g);
    ls->n_asked++;
}

static void ask_more(struct lists *ls)
{
    struct question *q;

    while (ls->running && ls->n_asked < MAX_ASKED && (q = take_first(ls))) {
        send_question(ls, q->status ? "updatestatus" : "updateconfig", q->list, view_cstr(q->id));
        free(q);
    }
}

static void want_one(struct lists *ls, enum xod_list list, struct view id, bool status)
{
    struct question *q;

    if (ls->n_waiting >= MAX_WAITING || id.len == 0 || id.len > 256)
        return;
    q = calloc(1, sizeof(*q) + id.len + 1);
    if (!q)
        return;
    q->list = list;
    q->status = status;
    memcpy(q->id, id.ptr, id.len);
    STAILQ_INSERT_TAIL(&ls->waiting, q, all);
    ls->n_waiting++;
}

static void want(struct lists *ls, enum xod_list list, struct view id)
{
    want_one(ls, list, id, false);
    want_one(ls, list, id, true);
}

void lists_begin(struct lists *ls)
{
    ls->running = true;
    for (size_t i = 0; i < N_WANTED; i++)
        send_question(ls, "listid", wanted[i], view_of(NULL, 0));
}

/* ---- answers ---- */

static struct xod_ipbx *site_of(struct lists *ls)
{
    return xod_ipbx(ls->g->xod, view_cstr(ls->g->l->name), true);
}

static void on_change(void *arg, const struct xod_change *c)
{
    forward_change(arg, c);
}

static void commit(struct lists *ls)
{
    xod_commit(ls->g->xod, on_change, ls->g->l->forward);
}

/* An id of the list; they come as numbers or strings. */
static struct view id_at(struct json_object *list, size_t i)
{
    return view_cstr(json_object_get_string(json_object_array_get_idx(list, i)));
}

static bool is_in(struct json_object *list, struct view id)
{
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (view_eq(id_at(list, i), id))
            return true;
    return false;
}

/* What has gone while we were away. */
static void drop_others(struct lists *ls, enum xod_list list, struct json_object *ids)
{
    struct xod_ipbx *site = site_of(ls);
    struct map *there = map_new();
    struct xod_obj *o;

    for (size_t i = 0; there && i < json_object_array_length(ids); i++)
        map_put(there, id_at(ids, i), ids);
    for (size_t pos = 0; there && site && (o = xod_next(site, list, &pos));)
        if (!map_get(there, xod_obj_id(o)))
            xod_del(o);
    map_destroy(&there);
}

static void on_ids(struct lists *ls, enum xod_list list, struct json_object *ids, bool all)
{
    if (!json_object_is_type(ids, json_type_array))
        return;
    if (all)
        drop_others(ls, list, ids);
    for (size_t i = 0; i < json_object_array_length(ids); i++)
        want(ls, list, id_at(ids, i));
    commit(ls);
}

static void on_gone(struct lists *ls, enum xod_list list, struct json_object *ids)
{
    struct xod_ipbx *site = site_of(ls);
    struct xod_obj *o;

    if (!site || !json_object_is_type(ids, json_type_array))
        return;
    for (size_t pos = 0; (o = xod_next(site, list, &pos));)
        if (is_in(ids, xod_obj_id(o)))
            xod_del(o);
    commit(ls);
}

/* The fields that sites tell each other; others are not ours to have. */
static void on_fields(struct lists *ls, enum xod_list list, struct view id,
                      struct json_object *fields)
{
    struct xod_ipbx *site = site_of(ls);
    bool good = site && id.len && id.len <= 256 && json_object_is_type(fields, json_type_object);
    struct xod_obj *o = good ? xod_add(site, list, id) : NULL;

    if (!o)
        return;
    json_object_object_foreach(fields, key, item)
    {
        int field = schema_field_find(list, view_cstr(key));
        struct value v = {0};
        if (field >= 0 && (schema_peer_mask(list) >> field & 1) && value_from_json(&v, item) == 0)
            xod_set(o, (unsigned)field, &v);
    }
    commit(ls);
}

static bool is_wanted(int list)
{
    for (size_t i = 0; i < N_WANTED; i++)
        if ((int)wanted[i] == list)
            return true;
    return false;
}

static void take_line(struct lists *ls, struct json_object *line, bool answer)
{
    struct view function = json_get_view(line, "function");
    int list = schema_list_find(json_get_view(line, "listname"));
    struct json_object *tid = json_get(line, "tid");
    struct view id = tid ? view_cstr(json_object_get_string(tid)) : view_of(NULL, 0);

    if (!is_wanted(list) || !view_eq(json_get_view(line, "tipbxid"), view_cstr(ls->g->l->name)))
        return;
    if (view_eq(function, VIEW("listid")))
        on_ids(ls, (enum xod_list)list, json_get(line, "list"), answer);
    else if (view_eq(function, VIEW("addconfig")))
        on_ids(ls, (enum xod_list)list, json_get(line, "list"), false);
    else if (view_eq(function, VIEW("delconfig")))
        on_gone(ls, (enum xod_list)list, json_get(line, "list"));
    else if (view_eq(function, VIEW("updateconfig")))
        on_fields(ls, (enum xod_list)list, id, json_get(line, "config"));
    else if (view_eq(function, VIEW("updatestatus")))
        on_fields(ls, (enum xod_list)list, id, json_get(line, "status"));
}

void lists_line(struct lists *ls, struct json_object *line)
{
    bool answer = json_get(line, "replyid") != NULL;

    take_line(ls, line, answer);
    if (answer && ls->n_asked > 0)
        ls->n_asked--;
    ask_more(ls);
}
