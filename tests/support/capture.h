/* Reading the captures of tests/data/ami, in pieces of any size. */
#ifndef CTIBUS_TESTS_CAPTURE_H
#define CTIBUS_TESTS_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "ami/ami.h"

/* "20/02-call-answered.ami" -> its bytes. */
static inline void capture_load(struct buf *out, const char *name)
{
    char path[512];
    char piece[8192];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/ami/%s", TEST_DATA, name);
    f = fopen(path, "rb");
    if (!f) {
        perror(path);
        abort();
    }
    buf_init(out, 0);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_append(out, piece, n);
    fclose(f);
}

/* Calls fn for each block, the bytes coming in pieces of `size` (0: all at once). */
static inline void capture_blocks(struct view bytes, size_t size, ami_block_fn *fn, void *arg)
{
    struct ami_parser *p = malloc(sizeof(*p));
    size_t done = 0, shown = 0;

    ami_parser_init(p);
    while (shown < bytes.len) {
        shown = size && size < bytes.len - shown ? shown + size : bytes.len;
        done += ami_parse(p, view_of(bytes.ptr + done, shown - done), fn, arg);
    }
    free(p);
}

/* The same of lines written down in a test: "|" for a line end, "||" for the end of an event. */
static inline void capture_lines(const char *lines, ami_block_fn *fn, void *arg)
{
    struct buf in;

    buf_init(&in, 0);
    for (; *lines; lines++)
        if (*lines == '|')
            buf_append_cstr(&in, "\r\n");
        else
            buf_append_char(&in, *lines);
    buf_append_cstr(&in, "\r\n\r\n");
    capture_blocks(buf_view(&in), 0, fn, arg);
    buf_free(&in);
}

#endif
