/*
 * A byte buffer that grows up to a bound.
 *
 * Bytes are appended at the end and consumed at the front. A failed append (bound reached or no
 * memory) changes nothing and sets `failed`, which stays set until buf_reset: a writer of many
 * small pieces may check once at the end. The memory is owned by the buffer; views of it die with
 * the next append, consume or free.
 */
#ifndef CTIBUS_BASE_BUF_H
#define CTIBUS_BASE_BUF_H

#include "base/view.h"

struct buf {
    char *mem;
    size_t start; /* first byte that is still to be consumed */
    size_t end;   /* one past the last byte; start <= end <= cap */
    size_t cap;
    size_t max; /* bound on end - start, in bytes */
    bool failed;
};

/* An empty buffer, no memory attached yet. max in bytes, 0 = 1 GiB. */
void buf_init(struct buf *b, size_t max);

/* Frees the memory; the buffer is empty and usable again. */
void buf_free(struct buf *b);

/* Empties it, keeps the memory, clears `failed`. */
static inline void buf_reset(struct buf *b)
{
    b->start = b->end = 0;
    b->failed = false;
}

static inline size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}

static inline const char *buf_data(const struct buf *b)
{
    return b->mem + b->start;
}

static inline struct view buf_view(const struct buf *b)
{
    return view_of(b->mem ? b->mem + b->start : NULL, b->end - b->start);
}

/* Room for `n` more bytes at the end: a pointer to write at, then call buf_commit; NULL when the
 * bound (-ENOBUFS) or the memory (-ENOMEM) is reached. */
char *buf_reserve(struct buf *b, size_t n);

static inline void buf_commit(struct buf *b, size_t n)
{
    b->end += n;
}

/* 0, or -ENOBUFS (bound) or -ENOMEM. */
int buf_append_slow(struct buf *b, const void *p, size_t n);

static inline int buf_append(struct buf *b, const void *p, size_t n)
{
    if (n <= b->cap - b->end && b->end - b->start + n <= b->max) {
        if (n)
            memcpy(b->mem + b->end, p, n);
        b->end += n;
        return 0;
    }
    return buf_append_slow(b, p, n);
}

static inline int buf_append_view(struct buf *b, struct view v)
{
    return buf_append(b, v.ptr, v.len);
}

static inline int buf_append_cstr(struct buf *b, const char *s)
{
    return buf_append(b, s, strlen(s));
}

static inline int buf_append_char(struct buf *b, char c)
{
    return buf_append(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends a whole file. 0, -errno, or -EFBIG: it is larger than the bound (what fits is there). */
int buf_read_file(struct buf *b, const char *path);

/* Forgets the first n bytes (n <= buf_len). */
void buf_consume(struct buf *b, size_t n);

/* A NUL after the last byte (not counted) so that buf_data can be used as a C string; NULL without
 * memory. */
const char *buf_cstr(struct buf *b);

#endif
