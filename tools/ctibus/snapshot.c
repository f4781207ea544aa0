/* ctibus snapshot [LIST [ID]]: the objects of xod as they are now, a line of JSON each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "replica/wire.h"
#include "tool.h"
#include "json/json.h"

#define WAIT_MS 5000

struct snapshot {
    struct tool *tool;
    struct bus_asker *asker;
    struct loop_timer *timer;
    struct xod *xod;
    const char *list, *id;
    size_t printed;
};

static void fail(struct snapshot *s, const char *why)
{
    fprintf(stderr, "ctibus: %s\n", why);
    s->tool->exit_code = 1;
    loop_stop(s->tool->loop);
}

static void print_object(const struct xod_obj *o)
{
    const struct schema_list *l = schema_list(xod_obj_list(o));
    struct buf out;

    buf_init(&out, 0);
    buf_append_cstr(&out, "{\"ipbx\":");
    json_put_string(&out, xod_site_name(xod_obj_site(o)));
    buf_printf(&out, ",\"list\":\"%s\",\"id\":", l->name);
    json_put_string(&out, xod_obj_id(o));
    for (unsigned f = 0; f < l->n_fields; f++) {
        buf_printf(&out, ",\"%s\":", l->fields[f].name);
        value_put_json(&out, xod_get(o, f));
    }
    buf_append_cstr(&out, "}\n");
    fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    buf_free(&out);
}

static void on_change(void *arg, const struct xod_change *c)
{
    struct snapshot *s = arg;

    if (c->op != XOD_ADD)
        return;
    print_object(c->obj);
    s->printed++;
}

static void on_chunk(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct snapshot *s = arg;
    const msgpack_object *objects = msg_get(body, "objects");

    if (status == BUS_gone)
        return; /* said by who destroys the asker */
    if (status != BUS_ok && status != BUS_more) {
        fail(s, status == BUS_not_found ? "no such list (ctibus schema shows them)"
                                        : schema_status_name(status).ptr);
        return;
    }
    for (uint32_t i = 0;
         objects && objects->type == MSGPACK_OBJECT_ARRAY && i < objects->via.array.size; i++) {
        struct xod_obj *o;
        wire_read_object(s->xod, &objects->via.array.ptr[i], &o);
    }
    xod_commit(s->xod, on_change, s);
    if (status != BUS_ok)
        return;
    if (s->printed == 0 && s->id)
        fail(s, "no such object");
    loop_stop(s->tool->loop);
}

static void on_up(void *arg, const msgpack_object *hello)
{
    struct snapshot *s = arg;
    struct buf pairs;
    size_t n = 0;

    buf_init(&pairs, 4096);
    if (s->list) {
        msg_put_pair(&pairs, "list", view_cstr(s->list));
        n++;
    }
    if (s->id) {
        msg_put_pair(&pairs, "id", view_cstr(s->id));
        n++;
    }
    bus_ask(s->asker, METHOD_snapshot, n, buf_view(&pairs), WAIT_MS, on_chunk, s);
    buf_free(&pairs);
    loop_timer_stop(s->timer);
}

static void on_time(void *arg)
{
    struct snapshot *s = arg;
    char why[512];

    snprintf(why, sizeof(why), "state does not answer at %s (is it running? ctibus.bus.request)",
             s->tool->onbus.request);
    fail(s, why);
}

static const struct bus_asker_handler handler = {on_up, NULL, NULL};

int command_snapshot(struct tool *t, int argc, char **argv)
{
    struct snapshot s = {
        .tool = t, .list = argc > 0 ? argv[0] : NULL, .id = argc > 1 ? argv[1] : NULL};
    int err = 0;

    s.xod = xod_new();
    s.timer = loop_timer_new(t->loop, on_time, &s);
    if (s.xod && s.timer)
        s.asker = bus_asker_new(t->onbus.bus, t->onbus.request, "ctibus-tool", &handler, &s, &err);
    if (s.asker) {
        loop_timer_start(s.timer, WAIT_MS, false);
        loop_run(t->loop);
    } else {
        fprintf(stderr, "ctibus: cannot ask %s: %s\n", t->onbus.request, strerror(-err));
        t->exit_code = 1;
    }
    bus_asker_destroy(&s.asker);
    loop_timer_destroy(&s.timer);
    xod_destroy(&s.xod);
    return t->exit_code;
}
