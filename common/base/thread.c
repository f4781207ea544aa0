#include "base/thread.h"

#include <signal.h>
#include <time.h>

int thread_start(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
    sigset_t all;
    sigset_t old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(thread, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -rc;
}

void thread_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int thread_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_us)
{
    const struct timespec at = {.tv_sec = (time_t)(until_us / 1000000),
                                .tv_nsec = (long)(until_us % 1000000) * 1000};

    return pthread_cond_timedwait(cond, lock, &at);
}
