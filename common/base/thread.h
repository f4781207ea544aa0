/* Threads beside the loop, and waiting for them. */
#ifndef CTIBUS_BASE_THREAD_H
#define CTIBUS_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>

/* Starts a thread that takes no signals: those of the process are for the loop, and SIGTTOU does
 * not stop a process whose thread writes to a terminal. 0 or a negative errno. */
int thread_start(pthread_t *thread, void *(*fn)(void *arg), void *arg);

/* A condition whose timed waits go by the monotonic clock. */
void thread_cond_init(pthread_cond_t *cond);
/* Waits, with the lock, until the condition is signalled or it is until_us (clock_mono_us). 0, or
 * ETIMEDOUT. */
int thread_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_us);

#endif
