#include "fakeami.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ami/ami.h"

struct fakeami {
    struct conn_class cls;
    struct listener *listener;
    struct conn *conn;
    struct ami_parser parser;
    bool listed;
};

static bool on_action(void *arg, const struct ami_block *b)
{
    struct fakeami *f = arg;
    struct view id = ami_get(b, "ActionID");
    bool list =
        view_eq(b->name, VIEW("CoreShowChannels")) || view_eq(b->name, VIEW("BridgeList")) ||
        view_eq(b->name, VIEW("ExtensionStateList")) || view_eq(b->name, VIEW("ExtensionState"));
    char text[512];

    snprintf(text, sizeof(text),
             "Response: %s\r\nActionID: %.*s\r\nChallenge: 123456789\r\nMessage: %s\r\n\r\n",
             list ? "Error" : "Success", VIEW_ARG(id), list ? "Invalid/unknown command" : "fine");
    f->listed |= list;
    conn_send(f->conn, view_cstr(text));
    return true;
}

static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct fakeami *f = owner;

    return ami_parse(&f->parser, in, on_action, f);
}

static void on_closed(void *owner, struct conn *c, int why)
{
    struct fakeami *f = owner;

    f->conn = NULL;
    f->listed = false;
}

static const struct conn_handler handler = {on_data, on_closed, NULL};

static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct fakeami *f = arg;

    if (f->conn) {
        close(fd);
        return;
    }
    ami_parser_init(&f->parser);
    f->conn = conn_new(&f->cls, fd, f);
    conn_send(f->conn, VIEW("Asterisk Call Manager/9.0.0\r\n"));
}

struct fakeami *fakeami_new(struct loop *loop, const char *addr)
{
    struct fakeami *f = calloc(1, sizeof(*f));
    int err = 0;

    if (!f || conn_class_init(&f->cls, loop, &handler, 1 << 20, (size_t)1 << 30) < 0)
        exit(1);
    f->listener = listener_new(loop, addr, on_accept, f, &err);
    if (!f->listener) {
        fprintf(stderr, "%s: %s\n", addr, strerror(-err));
        exit(1);
    }
    return f;
}

void fakeami_destroy(struct fakeami **f)
{
    listener_destroy(&(*f)->listener);
    if ((*f)->conn)
        conn_close(&(*f)->conn);
    conn_class_fini(&(*f)->cls);
    free(*f);
    *f = NULL;
}

bool fakeami_is_listed(const struct fakeami *f)
{
    return f->listed;
}

void fakeami_send(struct fakeami *f, struct view bytes)
{
    if (f->conn)
        conn_send(f->conn, bytes);
}

size_t fakeami_waiting(const struct fakeami *f)
{
    return f->conn ? conn_output_len(f->conn) : 0;
}
