#include <errno.h>

#include "bus/internal.h"

static bool has_more(void *socket)
{
    int more = 0;
    size_t n = sizeof(more);

    return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &n) == 0 && more;
}

/* The rest of a message that has too many frames. */
static void drop_rest(void *socket)
{
    zmq_msg_t m;

    while (has_more(socket)) {
        zmq_msg_init(&m);
        if (zmq_msg_recv(&m, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&m);
            return;
        }
        zmq_msg_close(&m);
    }
}

bool frames_recv(void *socket, struct frames *f)
{
    f->n = 0;
    do {
        if (f->n == MAX_FRAMES) {
            drop_rest(socket);
            frames_close(f);
            f->n = -1;
            return true;
        }
        zmq_msg_init(&f->msg[f->n]);
        if (zmq_msg_recv(&f->msg[f->n], socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&f->msg[f->n]);
            frames_close(f);
            return false;
        }
    } while (zmq_msg_more(&f->msg[f->n++]));
    return true;
}

void frames_close(struct frames *f)
{
    for (int i = 0; i < f->n; i++)
        zmq_msg_close(&f->msg[i]);
    f->n = 0;
}

struct view frame_view(struct frames *f, int i)
{
    return view_of(zmq_msg_data(&f->msg[i]), zmq_msg_size(&f->msg[i]));
}

int frames_send(void *socket, const struct view *parts, int n)
{
    for (int i = 0; i < n; i++) {
        int flags = ZMQ_DONTWAIT | (i + 1 < n ? ZMQ_SNDMORE : 0);
        /* libzmq accepts or refuses a message at its first frame. */
        if (zmq_send(socket, parts[i].ptr, parts[i].len, flags) < 0)
            return -zmq_errno();
    }
    return 0;
}
