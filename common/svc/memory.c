#include "svc/memory.h"

#include <malloc.h>
#include <stdlib.h>

#include "svc/process.h"

/* The loop, and the threads of libzmq and of the database. */
#define HEAPS 3
/* The heap grows by so much at a time, and shrinks by itself only when so much is free at its end.
 * malloc's default for both is 128 KiB: each list that is allocated and freed would then cost
 * system calls and page faults. */
#define GROW_BYTES (1 << 20)
#define SHRINK_BYTES (16 << 20)
/* Pieces of this size are mapped one by one, which costs a page fault for each 4 KiB, each time. */
#define MAPPED_BYTES (4 << 20)
/* Less is not worth the work. */
#define WORTH_BYTES ((size_t)16 << 20)

struct memory {
    const int *statm;
    struct loop_timer *timer;
    size_t floor; /* bytes resident that are not in use, after the last time: code, stacks, and free
                     pieces between others that cannot be given back */
};

void memory_configure(void)
{
    mallopt(M_ARENA_MAX, HEAPS);
    mallopt(M_TOP_PAD, GROW_BYTES);
    mallopt(M_TRIM_THRESHOLD, SHRINK_BYTES);
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
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
