/* The AMI reader: the whole input at once and in the pieces that its first bytes tell (0: all that
 * is left) must give the same blocks. */
#include <stdlib.h>

#include "ami/ami.h"
#include "base/map.h"

#define SIZES 4
#define MAX_PIECES                                                                                 \
    1024 /* each is a copy of all that is left over: a bound on what one input costs */

struct sum {
    struct ami_parser p;
    uint64_t hash;
    struct view fed; /* what views may point into */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_in(struct view v, const char *ptr, size_t len)
{
    return v.ptr >= ptr && v.ptr + v.len <= ptr + len;
}

static void mix(struct sum *s, struct view v)
{
    if (v.ptr && !is_in(v, s->fed.ptr, s->fed.len) && !is_in(v, s->p.kept, sizeof(s->p.kept)))
        abort();
    s->hash = map_hash(s->hash + v.len, v);
}

static bool add(void *arg, const struct ami_block *b)
{
    struct sum *s = arg;

    s->hash += b->kind;
    mix(s, b->name);
    mix(s, b->raw);
    mix(s, b->text);
    for (unsigned i = 0; i < b->n; i++) {
        mix(s, b->headers[i].name);
        mix(s, b->headers[i].value);
    }
    return true;
}

/* Shows it a fresh copy each time, so that a sanitizer sees any byte read beside it. */
static size_t show(struct sum *s, const uint8_t *data, size_t len)
{
    char *copy = malloc(len ? len : 1);
    size_t done;

    if (!copy)
        abort();
    memcpy(copy, data, len);
    s->fed = view_of(copy, len);
    done = ami_parse(&s->p, s->fed, add, s);
    if (done > len || len - done >= AMI_MAX_BLOCK)
        abort();
    free(copy);
    return done;
}

static struct sum *run(const uint8_t *data, size_t size, const uint8_t *sizes)
{
    struct sum *s = calloc(1, sizeof(*s));
    size_t done = 0, shown = 0;

    if (!s)
        abort();
    ami_parser_init(&s->p);
    for (unsigned i = 0; shown < size; i++) {
        size_t n = sizes ? sizes[i % SIZES] : 0;
        if (n && n < size / MAX_PIECES)
            n = size / MAX_PIECES;
        shown = n && n < size - shown ? shown + n : size;
        done += show(s, data + done, shown - done);
    }
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum *whole, *pieces;

    if (size < SIZES)
        return 0;
    whole = run(data + SIZES, size - SIZES, NULL);
    pieces = run(data + SIZES, size - SIZES, data);
    if (whole->hash != pieces->hash ||
        memcmp(&whole->p.counts, &pieces->p.counts, sizeof(whole->p.counts)) != 0)
        abort();
    free(whole);
    free(pieces);
    return 0;
}
