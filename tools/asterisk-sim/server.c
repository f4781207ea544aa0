#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "answers.h"
#include "base/clock.h"
#include "classes.h"
#include "say.h"

#define MAX_INPUT_BYTES (2 * AMI_MAX_BLOCK)
#define MAX_OUTPUT ((size_t)64 << 20) /* a client this far behind is dropped */
#define REFUSAL_MS 1000

struct server {
    struct loop *loop;
    struct log *log;
    struct world *world;
    struct server_config config;
    struct conn_class conns;
    struct listener *listener;
    struct client *clients;
    struct buf open; /* events for all clients whose filter is open */
};

static void client_free(struct client *c)
{
    struct server *s = c->server;

    if (c->prev)
        c->prev->next = c->next;
    else
        s->clients = c->next;
    if (c->next)
        c->next->prev = c->prev;
    loop_timer_destroy(&c->late);
    filter_free(&c->filter);
    buf_free(&c->reply);
    buf_free(&c->own);
    buf_free(&c->refusal);
    free(c);
}

static void send_buf(struct client *c, struct buf *b)
{
    if (buf_len(b) > 0 && !b->failed)
        conn_send(c->conn, buf_view(b));
    buf_reset(b);
}

static bool on_block(void *arg, const struct ami_block *b)
{
    struct client *c = arg;

    answer(c, b);
    if (c->closing)
        return false;
    send_buf(c, &c->reply);
    server_flush(c->server); /* what the action caused comes after its answer */
    answer_done(c);
    return true;
}

static void on_gone(void *owner, struct conn *conn, int why)
{
    struct client *c = owner;
    const char *reason = conn_class_reason(&c->server->conns);

    log_info(c->server->log, "client left: %d %s", why, reason ? reason : "");
    client_free(c);
}

static size_t on_data(void *owner, struct conn *conn, struct view in)
{
    struct client *c = owner;
    size_t done;

    if (c->closing)
        return in.len;
    done = ami_parse(&c->parser, in, on_block, c);
    if (!c->closing)
        return done;
    if (c->late) /* a refused login stays for its second */
        return in.len;
    send_buf(c, &c->reply);
    conn_close_after_flush(&c->conn);
    client_free(c);
    return in.len;
}

static const struct conn_handler handler = {.data = on_data, .closed = on_gone};

static struct client *client_new(struct server *s)
{
    struct client *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->server = s;
    ami_parser_init(&c->parser);
    filter_init(&c->filter, 0);
    buf_init(&c->reply, 0);
    buf_init(&c->own, 0);
    buf_init(&c->refusal, 0);
    c->next = s->clients;
    if (c->next)
        c->next->prev = c;
    s->clients = c;
    return c;
}

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct server *s = arg;
    struct client *c = s->config.refuse ? NULL : client_new(s);

    if (!c) {
        close(fd);
        return;
    }
    c->conn = s->config.tls ? conn_new_tls(&s->conns, fd, c, s->config.tls, NULL)
                            : conn_new(&s->conns, fd, c);
    if (!c->conn) {
        client_free(c);
        return;
    }
    buf_printf(&c->reply, "Asterisk Call Manager/%s\r\n", s->world->capture.version);
    send_buf(c, &c->reply);
}

static bool gets_events(const struct client *c)
{
    return c->logged_in && !c->closing && c->filter.mask != 0;
}

static void on_event(void *arg, struct view event, uint32_t classes)
{
    struct server *s = arg;
    bool any_open = false;

    for (struct client *c = s->clients; c; c = c->next) {
        if (!gets_events(c))
            continue;
        if (filter_is_open(&c->filter))
            any_open = true;
        else if (filter_passes(&c->filter, event, classes))
            buf_append_view(&c->own, event);
    }
    if (any_open)
        buf_append_view(&s->open, event);
}

void server_flush(struct server *s)
{
    struct shared *open = NULL;

    if (buf_len(&s->open) > 0 && !s->open.failed)
        open = shared_new(buf_view(&s->open));
    for (struct client *c = s->clients; c; c = c->next) {
        if (open && gets_events(c) && filter_is_open(&c->filter))
            conn_send_shared(c->conn, open);
        send_buf(c, &c->own);
    }
    if (open)
        shared_unref(open);
    buf_reset(&s->open);
}

struct server *server_new(struct loop *loop, struct log *log, struct world *world,
                          const struct server_config *config, int *err)
{
    struct server *s = calloc(1, sizeof(*s));

    *err = -ENOMEM;
    if (!s)
        return NULL;
    s->loop = loop;
    s->log = log;
    s->world = world;
    s->config = *config;
    buf_init(&s->open, 0);
    *err = conn_class_init(&s->conns, loop, &handler, MAX_INPUT_BYTES, MAX_OUTPUT);
    if (*err < 0) {
        free(s);
        return NULL;
    }
    s->listener = listener_new(loop, config->listen, on_accept, s, err);
    if (!s->listener) {
        server_destroy(&s);
        return NULL;
    }
    world->sink = on_event;
    world->sink_arg = s;
    return s;
}

void server_destroy(struct server **s)
{
    if (!*s)
        return;
    listener_destroy(&(*s)->listener);
    server_drop_all(*s);
    conn_class_fini(&(*s)->conns);
    buf_free(&(*s)->open);
    (*s)->world->sink = NULL;
    free(*s);
    *s = NULL;
}

struct world *server_world(const struct server *s)
{
    return s->world;
}

const struct server_config *server_config(const struct server *s)
{
    return &s->config;
}

uint16_t server_port(const struct server *s)
{
    return listener_port(s->listener);
}

unsigned server_listeners(const struct server *s)
{
    unsigned n = 0;

    for (const struct client *c = s->clients; c; c = c->next)
        n += gets_events(c);
    return n;
}

size_t server_backlog(const struct server *s)
{
    size_t most = 0;

    for (const struct client *c = s->clients; c; c = c->next)
        if (gets_events(c) && conn_output_len(c->conn) > most)
            most = conn_output_len(c->conn);
    return most;
}

void server_drop_all(struct server *s)
{
    while (s->clients) {
        conn_close(&s->clients->conn);
        client_free(s->clients);
    }
}

void server_shutdown(struct server *s)
{
    static const char event[] = "Event: Shutdown\r\nPrivilege: system,all\r\n"
                                "Shutdown: Cleanly\r\nRestart: False\r\n\r\n";

    world_emit(s->world, VIEW(event));
    server_flush(s);
    listener_destroy(&s->listener);
}

static void fully_booted(struct client *c)
{
    const struct world *w = c->server->world;
    int64_t up = (int64_t)((clock_mono_us() - w->start_us) / 1000000);

    say(&c->reply, "Event", "FullyBooted");
    say(&c->reply, "Privilege", "system,all");
    if (!w->capture.old) {
        say_number(&c->reply, "Uptime", up);
        say_number(&c->reply, "LastReload", up);
    }
    say(&c->reply, "Status", "Fully Booted");
    say_end(&c->reply);
}

void client_logged_in(struct client *c, uint32_t mask)
{
    c->logged_in = true;
    mask &= permissions_events(&c->server->config.permissions);
    c->filter.mask = mask;
    if (mask & classes_of_event(VIEW("system")))
        fully_booted(c);
    if (mask && c->server->config.logged_in)
        c->server->config.logged_in(c->server->config.arg);
}

static void refuse_now(void *arg)
{
    struct client *c = arg;

    send_buf(c, &c->refusal);
    conn_close_after_flush(&c->conn);
    client_free(c);
}

void client_refuse(struct client *c)
{
    c->closing = true;
    buf_append_view(&c->refusal, buf_view(&c->reply));
    buf_reset(&c->reply);
    c->late = loop_timer_new(c->server->loop, refuse_now, c);
    if (c->late)
        loop_timer_start(c->late, REFUSAL_MS, false);
}
