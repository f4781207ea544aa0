/*
 * How fast the AMI parser reads a capture: bench-ami_parser FILE.ami[.gz] [rounds]
 *
 * Reads it whole in 64 KiB pieces with every header split, then with VarSet and Newexten unwanted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "ami/ami.h"
#include "base/clock.h"

#define PIECE 65536

static uint64_t headers;

static bool take(void *arg, const struct ami_block *b)
{
    headers += b->n;
    return true;
}

static bool want(void *arg, struct view event)
{
    return !view_eq(event, VIEW("VarSet")) && !view_eq(event, VIEW("Newexten"));
}

static int load(const char *path, struct buf *out)
{
    gzFile f = gzopen(path, "rb");
    int n = 0;

    if (!f)
        return -1;
    for (;;) {
        char *p = buf_reserve(out, 1 << 20);
        if (!p || (n = gzread(f, p, 1 << 20)) <= 0)
            break;
        buf_commit(out, (size_t)n);
    }
    gzclose(f);
    return n;
}

static void run(const char *what, struct view all, int rounds, ami_want_fn *fn)
{
    struct ami_parser *p = malloc(sizeof(*p));
    uint64_t t0 = clock_mono_us(), us;

    if (!p)
        abort();
    ami_parser_init(p);
    p->want = fn;
    headers = 0;
    for (int i = 0; i < rounds; i++)
        for (size_t done = 0, shown = 0; shown < all.len;) {
            shown = shown + PIECE < all.len ? shown + PIECE : all.len;
            done += ami_parse(p, view_of(all.ptr + done, shown - done), take, NULL);
        }
    us = clock_mono_us() - t0;
    printf("%-24s %7.1f MB in %.3f s: %6.1f MB/s, %.0f blocks/s, %llu headers\n", what,
           (double)all.len * rounds / 1e6, (double)us / 1e6, (double)all.len * rounds / (double)us,
           (double)p->counts.blocks * 1e6 / (double)us, (unsigned long long)headers);
    free(p);
}

int main(int argc, char **argv)
{
    struct buf all;
    int rounds = argc > 2 ? atoi(argv[2]) : 3;

    buf_init(&all, 0);
    if (argc < 2 || load(argv[1], &all) < 0) {
        fprintf(stderr, "usage: bench-ami_parser FILE.ami[.gz] [rounds]\n");
        return 2;
    }
    run("all headers", buf_view(&all), rounds, NULL);
    run("no VarSet, Newexten", buf_view(&all), rounds, want);
    buf_free(&all);
    return 0;
}
