/*
 * The output queue of a connection: shared blocks in the order in which they leave.
 *
 * It belongs to net/ alone. Two blocks fit without memory of its own, since most turns of the loop
 * queue one or two; small pieces that follow each other are collected in one private block.
 */
#ifndef CTIBUS_NET_OUTQ_H
#define CTIBUS_NET_OUTQ_H

#include "net/conn.h"

struct outq {
    struct shared **ring; /* NULL: `slots` */
    struct shared *slots[2];
    uint32_t cap;       /* of the ring, a power of two */
    uint32_t head;      /* index of the first block */
    uint32_t count;     /* blocks */
    uint32_t head_done; /* bytes of the first block that have left */
    uint32_t tail_room; /* free bytes in the last block when it is private, else 0 */
    size_t len;         /* bytes that wait */
};

void outq_init(struct outq *q);
/* Drops all that waits and frees the memory; the queue is usable again. */
void outq_clear(struct outq *q);

/* Queues s without its first `from` bytes (at most s->len): a reference of its own, but a copy
 * where from is not 0 and another block waits. 0 or -ENOMEM. */
int outq_push(struct outq *q, struct shared *s, size_t from);
/* Queues a copy of v. 0 or -ENOMEM. */
int outq_append(struct outq *q, struct view v);

/* Fills at most max entries with what leaves first; how many. */
int outq_iov(const struct outq *q, struct iovec *iov, int max);
/* The first n bytes have left (n <= len). */
void outq_consume(struct outq *q, size_t n);

#endif
