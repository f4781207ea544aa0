/*
 * What another site tells, to our state: changes in batches, and all of it whenever state may know
 * less than we do (it was restarted, or a batch was lost). A state that does not keep up is told
 * all of it later instead of everything that happened.
 */
#include <stdlib.h>

#include "internal.h"
#include "msg/msg.h"

#define BATCH 500
#define MAX_IN_FLIGHT 16
#define MAX_GATHERED 20000
#define DEADLINE_MS 10000
#define RETRY_MS 5000 /* after state has refused something */

struct forward {
    struct fed *f;
    const char *name;
    struct xod *xod;
    struct loop_task *task;
    struct loop_timer *retry; /* runs while state is left alone */
    struct buf gathered;      /* [list, id, {op, fields}] each */
    size_t n, in_flight;
    bool up; /* state is there and has been told of the link */
    bool link_up;
    bool behind;   /* state may know less than we do */
    bool walking;  /* it is being told all */
    unsigned list; /* where that is */
    size_t pos;
    bool first;
};

static void run(void *arg);

static void post(void *arg)
{
    loop_task_post(((struct forward *)arg)->task);
}

struct forward *forward_new(struct fed *f, const char *name, struct xod *xod)
{
    struct forward *fw = calloc(1, sizeof(*fw));

    if (!fw)
        return NULL;
    fw->f = f;
    fw->name = name;
    fw->xod = xod;
    buf_init(&fw->gathered, 0);
    fw->task = loop_task_new(f->loop, run, fw);
    fw->retry = loop_timer_new(f->loop, post, fw);
    if (!fw->task || !fw->retry)
        forward_destroy(&fw);
    return fw;
}

void forward_destroy(struct forward **fw)
{
    if (!fw || !*fw)
        return;
    loop_task_destroy(&(*fw)->task);
    loop_timer_destroy(&(*fw)->retry);
    buf_free(&(*fw)->gathered);
    free(*fw);
    *fw = NULL;
}

size_t forward_objects(const struct forward *fw)
{
    struct xod_ipbx *site = xod_ipbx(fw->xod, view_cstr(fw->name), false);
    size_t n = 0;

    for (int list = 0; site && list < LIST_COUNT; list++)
        n += list == LIST_ipbx ? 0 : xod_count(site, (enum xod_list)list);
    return n;
}

/* ---- gathering ---- */

/* Only what sites tell each other, whatever this one has told. */
static void put_change(struct buf *out, enum xod_op op, const struct xod_obj *o, uint64_t fields)
{
    static const char *const names[] = {"add", "update", "del"};
    const struct schema_list *list = schema_list(xod_obj_list(o));

    fields &= schema_peer_mask(xod_obj_list(o));
    msg_put_array(out, 3);
    msg_put_str(out, list->vname);
    msg_put_str(out, xod_obj_id(o));
    msg_put_map(out, 2);
    msg_put_pair(out, "op", view_cstr(names[op]));
    msg_put_cstr(out, "fields");
    msg_put_map(out, (size_t)__builtin_popcountll(fields));
    for (; fields; fields &= fields - 1) {
        unsigned field = (unsigned)__builtin_ctzll(fields);
        msg_put_str(out, list->fields[field].vname);
        value_pack(out, xod_get(o, field));
    }
}

static void forget_gathered(struct forward *fw)
{
    buf_reset(&fw->gathered);
    fw->n = 0;
}

static void fall_behind(struct forward *fw)
{
    forget_gathered(fw);
    fw->behind = true;
    fw->walking = false;
}

void forward_change(struct forward *fw, const struct xod_change *c)
{
    if (!fw->up || fw->behind || xod_obj_list(c->obj) == LIST_ipbx ||
        !view_eq(xod_ipbx_name(xod_obj_ipbx(c->obj)), view_cstr(fw->name)))
        return;
    if (fw->n >= MAX_GATHERED) {
        fall_behind(fw);
        return;
    }
    put_change(&fw->gathered, c->op, c->obj, c->fields);
    fw->n++;
    if (fw->gathered.failed)
        fall_behind(fw);
    loop_task_post(fw->task);
}

/* ---- sending ---- */

static void on_applied(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct forward *fw = arg;

    fw->in_flight--;
    if (status == BUS_ok || !fw->up) {
        loop_task_post(fw->task);
    } else if (!loop_timer_running(fw->retry)) {
        log_warning(
            fw->f->log,
            "%s: state does not take what that site tells (%.*s)%s; all of it again in %d s",
            fw->name, VIEW_ARG(schema_status_name(status)),
            status == BUS_not_found ? ": does it read the same configuration?" : "",
            RETRY_MS / 1000);
        fall_behind(fw);
        forward_link(fw, fw->link_up);
        loop_timer_start(fw->retry, RETRY_MS, false);
    }
}

/* Sends what is gathered. whole: NULL, "first", "middle" or "last". */
static void send_gathered(struct forward *fw, const char *whole)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "ipbx", view_cstr(fw->name));
    if (whole)
        msg_put_pair(&pairs, "whole", view_cstr(whole));
    msg_put_elements(&pairs, "changes", fw->n, &fw->gathered);
    if (!pairs.failed && bus_ask(fw->f->bus_client, METHOD_peer_apply, whole ? 3 : 2,
                                 buf_view(&pairs), DEADLINE_MS, on_applied, fw)) {
        fw->in_flight++;
        forget_gathered(fw);
    } else {
        fall_behind(fw);
    }
    buf_free(&pairs);
}

/* The next objects of all there are. */
static void walk(struct forward *fw)
{
    struct xod_ipbx *site = xod_ipbx(fw->xod, view_cstr(fw->name), false);
    bool first = fw->first;
    struct xod_obj *o;

    for (; site && fw->list < LIST_COUNT; fw->list++, fw->pos = 0) {
        if (fw->list == LIST_ipbx)
            continue;
        while (fw->n < BATCH && (o = xod_next(site, (enum xod_list)fw->list, &fw->pos))) {
            put_change(&fw->gathered, XOD_ADD, o, UINT64_MAX);
            fw->n++;
        }
        if (fw->n >= BATCH)
            break;
    }
    fw->first = false;
    if (!site || fw->list >= LIST_COUNT) {
        if (first) { /* all in one: it must have a beginning and an end */
            send_gathered(fw, "first");
            if (fw->behind)
                return;
        }
        fw->walking = false;
        send_gathered(fw, "last");
    } else {
        send_gathered(fw, first ? "first" : "middle");
    }
}

static void run(void *arg)
{
    struct forward *fw = arg;

    if (!fw->up || fw->in_flight >= MAX_IN_FLIGHT || loop_timer_running(fw->retry))
        return;
    if (fw->behind) {
        fw->behind = false;
        fw->walking = fw->first = true;
        fw->list = 0;
        fw->pos = 0;
    }
    if (fw->walking)
        walk(fw);
    else if (fw->n)
        send_gathered(fw, NULL);
    if (fw->walking || fw->n)
        loop_task_post(fw->task);
}

/* ---- state ---- */

void forward_link(struct forward *fw, bool up)
{
    struct buf pairs;

    fw->link_up = up;
    buf_init(&pairs, 1024);
    msg_put_pair(&pairs, "kind", VIEW("peer"));
    msg_put_pair(&pairs, "ipbx", view_cstr(fw->name));
    msg_put_pair(&pairs, "link", up ? VIEW("up") : VIEW("down"));
    bus_ask(fw->f->bus_client, METHOD_worker_register, 3, buf_view(&pairs), DEADLINE_MS, NULL,
            NULL);
    buf_free(&pairs);
}

void forward_state_up(struct forward *fw, bool up)
{
    fw->up = true;
    loop_timer_stop(fw->retry);
    forward_link(fw, up);
    fall_behind(fw);
    loop_task_post(fw->task);
}

void forward_state_down(struct forward *fw)
{
    fw->up = false;
    fall_behind(fw);
}
