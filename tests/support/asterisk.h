/* An Asterisk that a test plays line by line on a real socket. */
#ifndef CTIBUS_TESTS_ASTERISK_H
#define CTIBUS_TESTS_ASTERISK_H

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/bus.h"

struct asterisk {
    struct loop *loop;
    int listener, conn; /* -1: none */
    uint16_t port;
    int connections;
    struct buf in;       /* what was heard and not yet looked at */
    char action_id[128]; /* of the action read last */
};

/* Listens at a->port (0: any); a->loop must be set. */
static inline bool ast_listen(struct asterisk *a)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(a->port)};
    socklen_t n = sizeof(at);
    int one = 1;

    a->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(a->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(a->listener, (struct sockaddr *)&at, n) < 0 || listen(a->listener, 5) < 0 ||
        getsockname(a->listener, (struct sockaddr *)&at, &n) < 0)
        return false;
    a->port = ntohs(at.sin_port);
    return true;
}

static inline bool ast_start(struct asterisk *a, struct loop *loop)
{
    *a = (struct asterisk){.loop = loop, .listener = -1, .conn = -1};
    buf_init(&a->in, 0);
    return ast_listen(a);
}

static inline void ast_hang_up(struct asterisk *a)
{
    if (a->conn >= 0)
        close(a->conn);
    a->conn = -1;
}

static inline void ast_end(struct asterisk *a)
{
    ast_hang_up(a);
    if (a->listener >= 0)
        close(a->listener);
    a->listener = -1;
    buf_free(&a->in);
}

static inline bool ast_accept(struct asterisk *a)
{
    int fd = accept(a->listener, NULL, NULL);

    if (fd < 0)
        return false;
    ast_hang_up(a);
    a->conn = fd;
    a->connections++;
    buf_reset(&a->in);
    return true;
}

static inline void ast_say(struct asterisk *a, const char *text)
{
    assert_int_equal(send(a->conn, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* An answer, with the ActionID of the action read last. */
static inline void ast_answer(struct asterisk *a, const char *head, const char *headers)
{
    char block[1024];

    snprintf(block, sizeof(block), "%s\r\nActionID: %s\r\n%s\r\n", head, a->action_id, headers);
    ast_say(a, block);
}

/* Reads what is there; true when the other side has closed. */
static inline bool ast_closed(struct asterisk *a)
{
    char piece[4096];
    ssize_t n = a->conn >= 0 ? recv(a->conn, piece, sizeof(piece), MSG_DONTWAIT) : -1;

    if (n > 0)
        buf_append(&a->in, piece, (size_t)n);
    return n == 0;
}

static inline bool ast_take_action(struct asterisk *a, char *text, size_t size)
{
    struct view v;
    ptrdiff_t end;
    char *id;

    ast_closed(a);
    v = buf_view(&a->in);
    end = view_find(v, VIEW("\r\n\r\n"));
    if (end < 0)
        return false;
    snprintf(text, size, "%.*s\r\n", (int)end, v.ptr);
    buf_consume(&a->in, (size_t)end + 4);
    id = strstr(text, "ActionID: ");
    assert_non_null(id);
    snprintf(a->action_id, sizeof(a->action_id), "%.*s", (int)strcspn(id + 10, "\r"), id + 10);
    return true;
}

/* Waits for the next action, which must hold these lines (other may be NULL). */
static inline void ast_expect(struct asterisk *a, const char *line, const char *other)
{
    char text[1024] = "";

    UNTIL(a->loop, *text || ast_take_action(a, text, sizeof(text)));
    if (!strstr(text, line) || (other && !strstr(text, other)))
        fail_msg("expected %s %s, read:\n%s", line, other ? other : "", text);
}

static inline void ast_greet(struct asterisk *a)
{
    UNTIL(a->loop, ast_accept(a));
    ast_say(a, "Asterisk Call Manager/9.0.0\r\n");
}

static inline void ast_log_in(struct asterisk *a)
{
    ast_greet(a);
    ast_expect(a, "Action: Challenge\r\n", "AuthType: MD5\r\n");
    ast_answer(a, "Response: Success", "Challenge: 840415273\r\n");
    ast_expect(a, "Action: Login\r\n", "AuthType: MD5\r\n");
    ast_answer(a, "Response: Success", "Message: Authentication accepted\r\n");
}

#endif
