#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_MAX ((size_t)1 << 30)
#define FIRST_CAP 256

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max ? max : DEFAULT_MAX};
}

void buf_free(struct buf *b)
{
    free(b->mem);
    buf_init(b, b->max);
}

/* Makes room for n more bytes behind `end` (one spare byte for buf_cstr), sliding before growing.
 */
static int make_room(struct buf *b, size_t n)
{
    size_t len = buf_len(b);
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    char *mem;

    if (n > b->max || len > b->max - n) {
        b->failed = true;
        return -ENOBUFS;
    }
    if (n < b->cap - b->end)
        return 0;
    if (b->start > 0 && b->start >= b->cap / 2 && n < b->cap - len) {
        memmove(b->mem, b->mem + b->start, len);
        b->start = 0;
        b->end = len;
        return 0;
    }
    while (cap <= b->end + n)
        cap *= 2;
    mem = realloc(b->mem, cap);
    if (!mem) {
        b->failed = true;
        return -ENOMEM;
    }
    b->mem = mem;
    b->cap = cap;
    return 0;
}

char *buf_reserve(struct buf *b, size_t n)
{
    return make_room(b, n) < 0 ? NULL : b->mem + b->end;
}

int buf_append_slow(struct buf *b, const void *p, size_t n)
{
    int rc = make_room(b, n);

    if (rc < 0)
        return rc;
    if (n)
        memcpy(b->mem + b->end, p, n);
    b->end += n;
    return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    char small[512];
    va_list ap;
    va_list again;
    char *scratch;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    if (n < 0) {
        va_end(again);
        b->failed = true;
        return -EINVAL;
    }
    if ((size_t)n < sizeof(small)) {
        va_end(again);
        return buf_append(b, small, (size_t)n);
    }
    scratch = buf_reserve(b, (size_t)n + 1);
    if (scratch) {
        vsnprintf(scratch, (size_t)n + 1, fmt, again);
        b->end += (size_t)n;
    }
    va_end(again);
    return scratch ? 0 : -ENOBUFS;
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= buf_len(b));
    b->start += n;
    if (b->start == b->end)
        b->start = b->end = 0;
}

const char *buf_cstr(struct buf *b)
{
    if (make_room(b, 0) < 0 || !b->mem)
        return NULL;
    b->mem[b->end] = '\0';
    return buf_data(b);
}

int buf_read_file(struct buf *b, const char *path)
{
    FILE *f = fopen(path, "rbe");
    size_t n = 0;
    int rc = 0;

    if (!f)
        return -errno;
    for (char *scratch; (scratch = buf_reserve(b, 65536)) && (n = fread(scratch, 1, 65536, f)) > 0;)
        buf_commit(b, n);
    if (ferror(f))
        rc = errno ? -errno : -EIO;
    else if (!feof(f))
        rc = -EFBIG;
    fclose(f);
    return rc;
}
