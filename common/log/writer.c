#include "log/writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

struct writer {
    int fd;
    writer_lost_fn *lost;
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock; /* for all that follows; never held during a write */
    pthread_cond_t more;  /* something to do for the thread */
    pthread_cond_t idle;  /* all is written */
    char *ring;           /* lines, each behind its length */
    size_t room, head, used;
    uint64_t dropped;
    uint64_t untold; /* of these, since the line that told the last loss */
    bool busy;       /* the thread writes */
    bool ending;
    bool abandoned; /* it frees itself */
};

typedef uint16_t line_len;
_Static_assert(LINE_MAX_BYTES <= UINT16_MAX, "the length of a line must fit");

static void writer_free(struct writer *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->more);
    pthread_cond_destroy(&w->idle);
    free(w->ring);
    free(w);
}

/* --- the ring --- */

static void ring_put(struct writer *w, const void *from, size_t n)
{
    size_t at = (w->head + w->used) % w->room;
    size_t first = n < w->room - at ? n : w->room - at;

    memcpy(w->ring + at, from, first);
    memcpy(w->ring, (const char *)from + first, n - first);
    w->used += n;
}

static void ring_take(struct writer *w, void *to, size_t n)
{
    size_t first = n < w->room - w->head ? n : w->room - w->head;

    memcpy(to, w->ring + w->head, first);
    memcpy((char *)to + first, w->ring, n - first);
    w->used -= n;
    /* an empty one begins anew, so that a quiet log touches no more memory than it needs */
    w->head = w->used ? (w->head + n) % w->room : 0;
}

bool writer_put(struct writer *w, const char *line, size_t n)
{
    line_len len = (line_len)n;
    bool fits;

    pthread_mutex_lock(&w->lock);
    fits = w->untold == 0 && sizeof(len) + n <= w->room - w->used;
    if (fits) {
        ring_put(w, &len, sizeof(len));
        ring_put(w, line, n);
        pthread_cond_signal(&w->more);
    } else {
        w->dropped++;
        w->untold++;
    }
    pthread_mutex_unlock(&w->lock);
    return fits;
}

int writer_set_room(struct writer *w, size_t room)
{
    char *ring = malloc(room);
    int rc = ring ? 0 : -ENOMEM;

    pthread_mutex_lock(&w->lock);
    if (rc == 0 && w->used > room)
        rc = -EBUSY;
    if (rc == 0) {
        size_t used = w->used;
        char *old = w->ring;
        if (used)
            ring_take(w, ring, used);
        w->ring = ring;
        w->room = room;
        w->used = used;
        ring = old;
    }
    pthread_mutex_unlock(&w->lock);
    free(ring);
    return rc;
}

uint64_t writer_dropped(struct writer *w)
{
    uint64_t n;

    pthread_mutex_lock(&w->lock);
    n = w->dropped;
    pthread_mutex_unlock(&w->lock);
    return n;
}

/* --- the thread --- */

/* False when it cannot be written, or not whole. */
static bool write_whole(int fd, const char *p, size_t n)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN) { /* another process that shares it made it non-blocking */
            poll(&ready, 1, -1);
            continue;
        }
        if (done <= 0)
            return false; /* nobody to tell */
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* What is to be written next; 0: nothing. Called with the lock. */
static size_t next_line(struct writer *w, char *line)
{
    line_len len;
    uint64_t lost = w->untold;

    if (w->used) {
        ring_take(w, &len, sizeof(len));
        ring_take(w, line, len);
        return len;
    }
    if (lost == 0 || w->abandoned)
        return 0;
    w->untold = 0;
    return w->lost(w->arg, lost, line);
}

static void *write_lines(void *arg)
{
    struct writer *w = arg;
    char line[LINE_MAX_BYTES];
    size_t n;
    bool abandoned;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while ((n = next_line(w, line)) > 0) {
            bool written;
            w->busy = true;
            pthread_mutex_unlock(&w->lock);
            written = write_whole(w->fd, line, n);
            pthread_mutex_lock(&w->lock);
            w->busy = false;
            w->dropped += !written;
            if (w->abandoned)
                break;
        }
        pthread_cond_broadcast(&w->idle);
        if (w->ending)
            break;
        pthread_cond_wait(&w->more, &w->lock);
    }
    abandoned = w->abandoned;
    pthread_mutex_unlock(&w->lock);
    if (abandoned)
        writer_free(w);
    return NULL;
}

struct writer *writer_new(int fd, size_t room, writer_lost_fn *lost, void *arg)
{
    struct writer *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->fd = fd;
    w->room = room;
    w->lost = lost;
    w->arg = arg;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    thread_cond_init(&w->idle);
    w->ring = malloc(room);
    if (!w->ring || thread_start(&w->thread, write_lines, w) < 0) {
        writer_free(w);
        return NULL;
    }
    return w;
}

/* Called with the lock. */
static bool wait_idle(struct writer *w, unsigned ms)
{
    uint64_t until = clock_mono_us() + (uint64_t)ms * 1000;
    int rc = 0;

    while ((w->used || w->untold || w->busy) && rc == 0)
        rc = thread_cond_wait_until(&w->idle, &w->lock, until);
    return !w->used && !w->untold && !w->busy;
}

bool writer_flush(struct writer *w, unsigned ms)
{
    bool done;

    pthread_mutex_lock(&w->lock);
    pthread_cond_signal(&w->more);
    done = wait_idle(w, ms);
    pthread_mutex_unlock(&w->lock);
    return done;
}

void writer_destroy(struct writer **wp, unsigned ms)
{
    struct writer *w = wp ? *wp : NULL;
    pthread_t thread;
    bool done;

    if (!w)
        return;
    *wp = NULL;
    thread = w->thread;
    pthread_mutex_lock(&w->lock);
    pthread_cond_signal(&w->more);
    done = wait_idle(w, ms);
    w->ending = true;
    w->abandoned = !done;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    if (!done) {
        pthread_detach(thread);
        return;
    }
    pthread_join(thread, NULL);
    writer_free(w);
}
