#include "svc/memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "svc/process.h"

/* The loop, and the threads of libzmq and of the database. */
#define HEAPS 3
/* Less is not worth the work. */
#define WORTH_BYTES ((size_t)16 << 20)

struct memory {
    const int *statm;
    struct loop_timer *timer;
    size_t floor; /* bytes resident that are not in use, after the last time: code, stacks, and free
                     pieces between others that cannot be given back */
};

void memory_limit_heaps(void)
{
    mallopt(M_ARENA_MAX, HEAPS);
}

/* Resident, but not handed out by malloc. What malloc calls free does not tell: it counts pages
 * that were given back already. */
static size_t idle_bytes(const int *statm)
{
    struct mallinfo2 info = mallinfo2();
    size_t used = info.uordblks + info.hblkhd;
    size_t resident = (size_t)process_resident_bytes(*statm);

    return resident > used ? resident - used : 0;
}

static void look(void *arg)
{
    struct memory *m = arg;
    size_t idle = idle_bytes(m->statm);

    if (idle >= m->floor + WORTH_BYTES) {
        malloc_trim(0);
        m->floor = idle_bytes(m->statm);
    } else if (idle < m->floor) {
        m->floor = idle;
    }
}

struct memory *memory_new(struct loop *loop, uint32_t every_ms, const int *statm)
{
    struct memory *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->statm = statm;
    m->floor = idle_bytes(m->statm);
    m->timer = loop_timer_new(loop, look, m);
    if (!m->timer) {
        free(m);
        return NULL;
    }
    loop_timer_start(m->timer, every_ms, true);
    return m;
}

void memory_destroy(struct memory **m)
{
    if (!m || !*m)
        return;
    loop_timer_destroy(&(*m)->timer);
    free(*m);
    *m = NULL;
}
