/*
 * The event loop: libevent behind the few words that ctibus needs. One loop, one thread.
 *
 * Callbacks run on the loop's thread. Anything made here may be destroyed inside any callback, its
 * own too.
 */
#ifndef CTIBUS_LOOP_LOOP_H
#define CTIBUS_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "log/log.h"

struct loop;
struct event_base;

typedef void loop_fn(void *arg);

/* A loop, or NULL without memory. Destroy what was made on it first. */
struct loop *loop_new(void);
void loop_destroy(struct loop **l);

/* Runs until loop_stop (also one that came before); 0, or -EIO when the kernel's polling fails. */
int loop_run(struct loop *l);
/* Runs what is ready now and waits at most wait_ms for the first event (0: not at all); for tests.
 */
int loop_once(struct loop *l, unsigned wait_ms);
void loop_stop(struct loop *l);
/* Borrowed; for events of libevent itself. */
struct event_base *loop_base(struct loop *l);

/* Everything that libevent has to say goes to this log (borrowed) from now on, with its level,
 * limits and format; NULL: to stderr again, as before. For the whole process. */
void loop_messages_to(struct log *log);

/* What is to be known of a loop, for /metrics: written by what runs on it, and read by it alone. */
struct loop_counts {
    uint64_t no_descriptor; /* connections closed since too few file descriptors were left */
};
struct loop_counts *loop_counts(struct loop *l);
/* Connections to one port that were closed, or wait, for want of descriptors. Zeroed at first. */
struct loop_lack {
    uint64_t told;   /* monotonic us; 0: never */
    uint64_t closed; /* since then */
};
/* One was closed. */
void loop_lack_closed(struct loop *l, struct loop_lack *lack);
/* Tells the log, once a minute at most; `port` is the address that they came to. */
void loop_lack_tell(struct loop *l, struct loop_lack *lack, const char *port);
/* Logs the loop's own faults (borrowed). NULL, as in
 * the beginning: nowhere. */
void loop_set_log(struct loop *l, struct log *log);
struct log *loop_log(const struct loop *l);

/* How names are looked up on this loop (net/lookup.h): the address of the name server to ask
 * ("192.0.2.1", "192.0.2.1:53"; NULL: those of /etc/resolv.conf) and the file that is read before
 * (NULL: /etc/hosts). Both are borrowed. */
void loop_set_names(struct loop *l, const char *server, const char *hosts_file);
const char *loop_name_server(const struct loop *l);
const char *loop_hosts_file(const struct loop *l);

/* Told at the end of each turn in which something was done: how long it took, in microseconds, from
 * the first callback on. Nothing else on this loop was served meanwhile. fn NULL: no callback. */
typedef void loop_turn_fn(void *arg, uint64_t us);
void loop_watch_turns(struct loop *l, loop_turn_fn *fn, void *arg);
/* A turn has work to do: for owners of libevent events on loop_base, at the beginning of each.
 * What is made here says it by itself. */
void loop_busy(struct loop *l);

/* A timer: calls fn(arg) `ms` milliseconds after start, again and again if `repeat`. A start while
 * it runs starts it anew. NULL without memory. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *l, loop_fn *fn, void *arg);
void loop_timer_start(struct loop_timer *t, uint32_t ms, bool repeat);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_running(const struct loop_timer *t);
void loop_timer_destroy(struct loop_timer **t);

/* A task: work to do once at the end of this turn of the loop, after the events that are ready now.
 * Posting a posted task does nothing. Polling goes on between turns, so a task may post itself. */
struct loop_task;
struct loop_task *loop_task_new(struct loop *l, loop_fn *fn, void *arg);
void loop_task_post(struct loop_task *t);
void loop_task_destroy(struct loop_task **t);

/* Watches a file descriptor for reading (borrowed, not closed). */
struct loop_fd;
struct loop_fd *loop_fd_new(struct loop *l, int fd, loop_fn *readable, void *arg);
void loop_fd_destroy(struct loop_fd **f);

/* Lets another thread call fn(arg) on the loop: loop_wake may be called from anywhere, also before
 * a call that is due (they become one). loop_wake_new gives NULL and *err on failure. */
struct loop_wake;
struct loop_wake *loop_wake_new(struct loop *l, loop_fn *fn, void *arg, int *err);
void loop_wake(struct loop_wake *w);
void loop_wake_destroy(struct loop_wake **w); /* when no other thread calls it any more */

/* Calls fn(arg) on the loop when the process gets this signal. */
struct loop_signal;
struct loop_signal *loop_signal_new(struct loop *l, int signo, loop_fn *fn, void *arg);
void loop_signal_destroy(struct loop_signal **s);

#endif
