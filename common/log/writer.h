/*
 * Writes lines in a thread of its own, so that a reader who does not read (a full pipe, a terminal
 * that is stopped, a slow disk) does not stall the process. Belongs to log/ alone.
 *
 * Lines wait in a ring of bounded size. One that finds no room is dropped and counted, and so are
 * all that follow until the ring is empty; then one line tells how many were lost, so that the gap
 * has one place.
 */
#ifndef CTIBUS_LOG_WRITER_H
#define CTIBUS_LOG_WRITER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer writes to a pipe may be mixed with those of other processes. */
#define LINE_MAX_BYTES PIPE_BUF

struct writer;

/* Writes into `line` (LINE_MAX_BYTES) how many lines were lost; returns its length. Called by the
 * writer's thread. */
typedef size_t writer_lost_fn(void *arg, uint64_t lost, char *line);

/* To file descriptor `fd` (borrowed). NULL without memory or thread. */
struct writer *writer_new(int fd, size_t room, writer_lost_fn *lost, void *arg);
/* Waits at most `ms` for the lines that are left, then ends. A thread that is held up in write(2)
 * is left behind with its memory: it ends with the process, or when its reader reads. */
void writer_destroy(struct writer **w, unsigned ms);

/* Hands over one line of at most LINE_MAX_BYTES; never waits for the reader. False: dropped. */
bool writer_put(struct writer *w, const char *line, size_t n);
/* Waits at most `ms` until all lines are written; false when they are not. */
bool writer_flush(struct writer *w, unsigned ms);
/* Another size of the ring; lines that wait are kept. 0; -ENOMEM or -EBUSY (more than that wait):
 * it stays as it was. */
int writer_set_room(struct writer *w, size_t room);
/* Lines that were not written: no room, or write(2) failed. */
uint64_t writer_dropped(struct writer *w);

#endif
