#include "status.h"

#include <errno.h>
#include <stdlib.h>

#include "net/conn.h"
#include "office/office.h"
#include "json/json.h"

struct status {
    const struct world *world;
    struct conn_class conns;
    struct listener *listener;
};

static void put_channels(struct buf *out, const struct model *m)
{
    buf_append_cstr(out, ",\"channels\":[");
    for (size_t i = 0; i < m->n; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        json_put_string(out, view_cstr(m->chans[i]->field[CH_NAME]));
    }
    buf_append_char(out, ']');
}

static void put_hints(struct buf *out, const struct model *m)
{
    const char *sep = "";
    struct view key;
    size_t pos = 0;
    void *value;

    buf_append_cstr(out, ",\"hints\":{");
    while (map_next(m->hints, &pos, &key, &value)) {
        const struct hint *h = value;
        int64_t status = -1;
        view_to_i64(view_cstr(h->field[HINT_STATUS]), &status);
        buf_append_cstr(out, sep);
        json_put_string(out, key);
        buf_printf(out, ":%lld", (long long)status);
        sep = ",";
    }
    buf_append_char(out, '}');
}

void status_write(struct buf *out, const struct world *w)
{
    buf_printf(out, "{\"events_played\":%llu,\"loops\":%llu", (unsigned long long)w->events_played,
               (unsigned long long)w->loops);
    put_channels(out, &w->model);
    put_hints(out, &w->model);
    if (w->office)
        office_status(w->office, out);
    buf_printf(out, ",\"paused\":%s,\"done\":%s}\n", w->paused ? "true" : "false",
               w->done ? "true" : "false");
}

static size_t on_data(void *owner, struct conn *conn, struct view in)
{
    return in.len;
}

static void on_closed(void *owner, struct conn *conn, int why)
{
}

static const struct conn_handler handler = {.data = on_data, .closed = on_closed};

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct status *s = arg;
    struct conn *c = conn_new(&s->conns, fd, s);
    struct buf out;

    if (!c)
        return;
    buf_init(&out, 0);
    status_write(&out, s->world);
    conn_send(c, buf_view(&out));
    buf_free(&out);
    conn_close_after_flush(&c);
}

struct status *status_new(struct loop *loop, const struct world *world, const char *addr, int *err)
{
    struct status *s = calloc(1, sizeof(*s));

    *err = -ENOMEM;
    if (!s)
        return NULL;
    s->world = world;
    *err = conn_class_init(&s->conns, loop, &handler, 4096, (size_t)64 << 20);
    if (*err < 0) {
        free(s);
        return NULL;
    }
    s->listener = listener_new(loop, addr, on_accept, s, err);
    if (!s->listener)
        status_destroy(&s);
    return s;
}

void status_destroy(struct status **s)
{
    if (!*s)
        return;
    listener_destroy(&(*s)->listener);
    conn_class_fini(&(*s)->conns);
    free(*s);
    *s = NULL;
}

uint16_t status_port(const struct status *s)
{
    return listener_port(s->listener);
}
