#include "office/timers.h"

#include <errno.h>
#include <stdlib.h>

void timers_free(struct timers *t)
{
    free(t->heap);
    *t = (struct timers){0};
}

static bool before(const struct timer *a, const struct timer *b)
{
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void put(struct timers *t, size_t place, struct timer *one)
{
    t->heap[place] = one;
    one->place = place;
}

static void up(struct timers *t, size_t place, struct timer *one)
{
    for (; place > 1 && before(one, t->heap[place / 2]); place /= 2)
        put(t, place, t->heap[place / 2]);
    put(t, place, one);
}

static void down(struct timers *t, size_t place, struct timer *one)
{
    for (;;) {
        size_t child = 2 * place;
        if (child < t->n && before(t->heap[child + 1], t->heap[child]))
            child++;
        if (child > t->n || !before(t->heap[child], one))
            break;
        put(t, place, t->heap[child]);
        place = child;
    }
    put(t, place, one);
}

static int grow(struct timers *t)
{
    size_t cap = t->cap ? 2 * t->cap : 64;
    struct timer **heap = realloc(t->heap, cap * sizeof(*heap));

    if (!heap)
        return -ENOMEM;
    t->heap = heap;
    t->cap = cap;
    return 0;
}

int timer_start(struct timers *t, struct timer *one, uint64_t in_us, void (*fn)(void *arg),
                void *arg)
{
    timer_stop(t, one);
    if (t->n + 1 >= t->cap && grow(t) < 0)
        return -ENOMEM;
    *one = (struct timer){.at_us = t->now_us + in_us, .order = t->order++, .fn = fn, .arg = arg};
    up(t, ++t->n, one);
    return 0;
}

void timer_stop(struct timers *t, struct timer *one)
{
    size_t place = one->place;
    struct timer *last;

    if (place == 0)
        return;
    one->place = 0;
    last = t->heap[t->n--];
    if (last == one)
        return;
    if (place > 1 && before(last, t->heap[place / 2]))
        up(t, place, last);
    else
        down(t, place, last);
}

uint64_t timers_next(const struct timers *t)
{
    return t->n ? t->heap[1]->at_us : UINT64_MAX;
}

bool timers_run_one(struct timers *t, uint64_t now_us)
{
    struct timer *one;

    if (timers_next(t) > now_us) {
        if (now_us > t->now_us)
            t->now_us = now_us;
        return false;
    }
    one = t->heap[1];
    timer_stop(t, one);
    t->now_us = one->at_us;
    one->fn(one->arg);
    return true;
}
