/* A WebSocket of a client, cut this way and that: the request alone, or the frames behind a good
 * one. What is shown is the same whatever the cut, and what is said by the rules. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/utf8.h"
#include "net/ws.h"
#include "support/wsframes.h"

#define MESSAGE_MAX 2000
#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const origins[] = {"https://o.example", NULL};
static const struct ws_options options = {
    .path = "/cti", .origins = origins, .max_message = MESSAGE_MAX, .ping_ms = 1000};

/* ---- the request ---- */

static int status_of(struct view in, struct buf *answer)
{
    struct ws_upgraded up;
    int status;

    buf_reset(answer);
    status = ws_upgrade(in, &options, answer, &up);
    MUST(up.used <= in.len && (status == 101) == (up.used > 0));
    MUST((status != 0) == (buf_len(answer) > 0));
    return status;
}

static void request(struct view in, size_t step)
{
    struct buf whole, part;
    int status = 0;

    buf_init(&whole, 0);
    buf_init(&part, 0);
    for (size_t n = 0; n < in.len && !status; n += step)
        status = status_of(view_of(in.ptr, n), &part);
    if (!status)
        status = status_of(in, &part);
    MUST(status == status_of(in, &whole));
    MUST(view_eq(buf_view(&part), buf_view(&whole)));
    buf_free(&whole);
    buf_free(&part);
}

/* ---- frames ---- */

struct peer {
    struct loop *loop;
    struct conn_class cls;
    struct conn *c;
    struct buf got, heard;
    int far;
};

/* Shown lines go back as they are. */
static size_t on_data(void *owner, struct conn *c, struct view in)
{
    struct peer *p = owner;
    const char *end = memrchr(in.ptr, '\n', in.len);
    size_t whole = end ? (size_t)(end + 1 - in.ptr) : 0;

    buf_append(&p->got, in.ptr, whole);
    conn_send(c, view_of(in.ptr, whole));
    return whole;
}

static void on_closed(void *owner, struct conn *c, int why)
{
    ((struct peer *)owner)->c = NULL;
}

static const struct conn_handler handler = {on_data, on_closed, NULL};

static void start(struct peer *p)
{
    int fds[2];

    *p = (struct peer){.loop = loop_new()};
    MUST(conn_class_init(&p->cls, p->loop, &handler, 2 * MESSAGE_MAX, 1 << 20) == 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    buf_init(&p->got, 0);
    buf_init(&p->heard, 0);
    p->far = fds[1];
    MUST((p->c = conn_new_ws(&p->cls, fds[0], p, &options)));
}

static void finish(struct peer *p)
{
    conn_close(&p->c);
    conn_class_fini(&p->cls);
    loop_destroy(&p->loop);
    close(p->far);
    buf_free(&p->got);
    buf_free(&p->heard);
}

static void turn(struct peer *p)
{
    char *scratch = buf_reserve(&p->heard, 65536);
    ssize_t n;

    MUST(loop_once(p->loop, 0) == 0);
    n = recv(p->far, scratch, 65536, MSG_DONTWAIT);
    if (n > 0)
        buf_commit(&p->heard, (size_t)n);
}

static void say(struct peer *p, struct view in, size_t step)
{
    for (size_t at = 0; at < in.len && p->c; at += step) {
        size_t n = in.len - at < step ? in.len - at : step;
        MUST(send(p->far, in.ptr + at, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n);
        turn(p);
    }
    for (int i = 0; i < 8; i++)
        turn(p);
}

static void check_said(const struct peer *p)
{
    struct wsf_said s;

    wsf_read(buf_view(&p->heard), &s);
    MUST(!s.bad && !s.unclean);
    MUST(s.closed < 0 || s.closed == 0 || (s.closed >= 1000 && s.closed < 5000));
    MUST(buf_len(&s.text) <= buf_len(&p->got) && utf8_valid(buf_view(&s.text)));
    MUST(memcmp(buf_len(&s.text) ? buf_data(&s.text) : "",
                buf_len(&p->got) ? buf_data(&p->got) : "", buf_len(&s.text)) == 0);
    buf_free(&s.text);
}

static void frames(struct view in, size_t step)
{
    struct peer whole, parts;

    start(&whole);
    start(&parts);
    say(&whole, VIEW(WSF_REQUEST), SIZE_MAX / 2);
    say(&parts, VIEW(WSF_REQUEST), SIZE_MAX / 2);
    say(&whole, in, SIZE_MAX / 2);
    say(&parts, in, step);
    MUST(view_eq(buf_view(&whole.got), buf_view(&parts.got)));
    MUST(utf8_valid(buf_view(&whole.got)));
    check_said(&whole);
    check_said(&parts);
    finish(&whole);
    finish(&parts);
}

/* The first byte says what it is, the second where it is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = view_of(data + 2, size < 2 ? 0 : size - 2);
    size_t step;

    if (size < 2 || in.len > 20000)
        return 0;
    step = 1 + data[1] % 64;
    if (data[0] == 'R')
        request(in, step);
    else
        frames(in, step);
    return 0;
}
