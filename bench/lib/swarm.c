#include "swarm.h"
#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>

#define AT_ONCE 64

struct swarm {
    struct loop *loop;
    struct conn_class cls;
    struct loop_task *task;
    const char *host;
    uint16_t port;
    unsigned n, users, started, logged_in, lost, together;
    swarm_line_fn *line;
    void *arg;
    struct swarm_client *clients;
};

static void say(struct swarm_client *c, const char *text)
{
    conn_send(c->conn, view_cstr(text));
}

static void send_password(struct swarm_client *c, struct view line)
{
    ptrdiff_t at = view_find(line, VIEW("\"sessionid\":\""));
    char text[256];
    char hex[DIGEST_HEX];

    if (at < 0 || line.len < (size_t)at + 24) {
        fprintf(stderr, "login of u%u refused: %.*s\n", c->number, VIEW_ARG(line));
        exit(1);
    }
    snprintf(text, sizeof(text), "%.10s:u%u", line.ptr + at + 13, 1 + c->number % c->swarm->users);
    DIGEST_HEX_OF(EVP_sha1(), hex, view_cstr(text));
    snprintf(text, sizeof(text), "{\"class\":\"login_pass\",\"hashedpassword\":\"%s\"}\n", hex);
    say(c, text);
}

static void login_line(struct swarm_client *c, struct view line)
{
    struct swarm *s = c->swarm;

    if (view_find(line, VIEW("error_string")) >= 0) {
        fprintf(stderr, "login of u%u refused: %.*s\n", c->number, VIEW_ARG(line));
        exit(1);
    }
    if (c->step == 0)
        send_password(c, line);
    else if (c->step == 1)
        say(c, "{\"class\":\"login_capas\",\"capaid\":\"client\",\"state\":\"available\","
               "\"loginkind\":\"user\",\"lastconnwins\":false}\n");
    if (++c->step < 5)
        return;
    c->step = 6;
    s->logged_in++;
    loop_task_post(s->task);
}

static size_t on_data(void *owner, struct conn *conn, struct view in)
{
    struct swarm_client *c = owner;
    struct view rest = in;
    const char *end;

    while (rest.len && (end = memchr(rest.ptr, '\n', rest.len))) {
        struct view line = view_of(rest.ptr, (size_t)(end - rest.ptr));
        rest = view_of(end + 1, rest.len - line.len - 1);
        if (c->step < 6)
            login_line(c, line);
        else if (c->swarm->line)
            c->swarm->line(c->swarm->arg, c, line);
    }
    return in.len - rest.len;
}

static void on_closed(void *owner, struct conn *conn, int why)
{
    struct swarm_client *c = owner;

    c->conn = NULL;
    c->swarm->lost++;
    fprintf(stderr, "client %u: connection ended (%d)\n", c->number, why);
}

static const struct conn_handler handler = {on_data, on_closed, NULL};

static void start_some(void *arg)
{
    struct swarm *s = arg;

    while (s->started < s->n && s->started - s->logged_in < s->together) {
        struct swarm_client *c = &s->clients[s->started];
        char text[256];
        int fd = net_connect(s->host, s->port);
        if (fd < 0) {
            fprintf(stderr, "connect: %s\n", strerror(-fd));
            exit(1);
        }
        *c = (struct swarm_client){s, conn_new(&s->cls, fd, c), s->started, 0};
        snprintf(text, sizeof(text),
                 "{\"class\":\"login_id\",\"userlogin\":\"u%u\",\"company\":\"x\",\"ident\":"
                 "\"X11-LE-1\",\"xivoversion\":\"1.2\"}\n",
                 1 + s->started % s->users);
        s->started++;
        say(c, text);
    }
}

struct swarm *swarm_new(struct loop *loop, const char *host, uint16_t port, unsigned n,
                        unsigned users, swarm_line_fn *line, void *arg)
{
    struct swarm *s = calloc(1, sizeof(*s));

    if (!s)
        exit(1);
    s->loop = loop;
    s->host = host;
    s->port = port;
    s->n = n;
    s->users = users;
    s->line = line;
    s->arg = arg;
    s->together = AT_ONCE;
    s->clients = calloc(n, sizeof(*s->clients));
    s->task = loop_task_new(loop, start_some, s);
    if (!s->clients || !s->task || conn_class_init(&s->cls, loop, &handler, 16 << 20, 64 << 20) < 0)
        exit(1);
    loop_task_post(s->task);
    return s;
}

void swarm_start_together(struct swarm *s, unsigned n)
{
    s->together = n;
}

void swarm_destroy(struct swarm **s)
{
    for (unsigned i = 0; i < (*s)->started; i++)
        if ((*s)->clients[i].conn)
            conn_close(&(*s)->clients[i].conn);
    conn_class_fini(&(*s)->cls);
    loop_task_destroy(&(*s)->task);
    free((*s)->clients);
    free(*s);
    *s = NULL;
}

unsigned swarm_logged_in(const struct swarm *s)
{
    return s->logged_in;
}

unsigned swarm_lost(const struct swarm *s)
{
    return s->lost;
}

struct swarm_client *swarm_client_at(struct swarm *s, unsigned i)
{
    return &s->clients[i];
}
