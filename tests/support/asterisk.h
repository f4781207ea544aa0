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
    char block[4096];

    snprintf(block, sizeof(block), "%s%sActionID: %s\r\n%s\r\n", head, *head ? "\r\n" : "",
             a->action_id, headers);
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

/* An event of a list: lines that are ended by "|". */
static inline void ast_answer_lines(struct asterisk *a, const char *lines, size_t n)
{
    struct buf out;

    buf_init(&out, 0);
    for (size_t i = 0; i < n; i++)
        if (lines[i] == '|')
            buf_append_cstr(&out, "\r\n");
        else
            buf_append_char(&out, lines[i]);
    buf_append_cstr(&out, "\r\n");
    ast_answer(a, "", buf_cstr(&out));
    buf_free(&out);
}

/* How this Asterisk answers one action: the headers of the Response ("Response: Success" is put in
 * front where they do not begin with one), and the events of a list. */
struct ast_reply {
    const char *action;
    const char *response; /* NULL: does not answer */
    const char *events;   /* "|" ends a line, "||" an event; NULL: no list */
};

static inline const struct ast_reply *ast_find(const struct ast_reply *replies, const char *text)
{
    char line[128];

    for (; replies && replies->action; replies++) {
        snprintf(line, sizeof(line), "Action: %s\r\n", replies->action);
        if (strstr(text, line))
            return replies;
    }
    return NULL;
}

static inline void ast_reply(struct asterisk *a, const struct ast_reply *r)
{
    if (r->response)
        ast_answer(a, strncmp(r->response, "Response:", 9) ? "Response: Success" : "", r->response);
    for (const char *e = r->events; e && *e;) {
        const char *end = strstr(e, "||");
        size_t n = end ? (size_t)(end - e) : strlen(e);
        ast_answer_lines(a, e, n);
        e += n + (end ? 2 : 0);
    }
}

/* Answers what comes as `replies` say (ended by an empty one) and everything else as unknown, until
 * `cond` holds. What was asked is appended to `asked` ("BridgeList ..."), which may be NULL. */
#define AST_SERVE(a, replies, asked, cond)                                                         \
    do {                                                                                           \
        char text_[4096];                                                                          \
        uint64_t end_ = clock_mono_us() + until_ms() * UINT64_C(1000);                             \
        while (!(cond) && clock_mono_us() < end_)                                                  \
            if (ast_take_action(a, text_, sizeof(text_)))                                          \
                ast_serve_one(a, replies, asked, text_);                                           \
            else                                                                                   \
                loop_once((a)->loop, 5);                                                           \
        if (!(cond))                                                                               \
            fail_msg("not reached: %s", #cond);                                                    \
    } while (0)

static inline void ast_serve_one(struct asterisk *a, const struct ast_reply *replies,
                                 struct buf *asked, const char *text)
{
    static const struct ast_reply unknown = {"",
                                             "Response: Error\r\nMessage: Invalid/unknown "
                                             "command\r\n",
                                             NULL};
    const struct ast_reply *r = ast_find(replies, text);
    const char *name = strstr(text, "Action: ");

    if (asked && name)
        buf_printf(asked, "%.*s ", (int)strcspn(name + 8, "\r"), name + 8);
    ast_reply(a, r ? r : &unknown);
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
