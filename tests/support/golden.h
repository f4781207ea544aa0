/* What was read once and found true: tests/data/golden/. UPDATE_GOLDEN=1 writes it anew. */
#ifndef CTIBUS_TESTS_GOLDEN_H
#define CTIBUS_TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

/* A NUL in it ends what is shown of it. */
static inline struct view golden_line(struct view text, size_t start)
{
    struct view rest = view_of(text.ptr + start, text.len - start);
    ptrdiff_t end = view_find(rest, VIEW("\n"));

    return end < 0 ? rest : view_of(rest.ptr, (size_t)end);
}

/* The first line that differs, for the report. */
static inline void golden_differ(const char *path, struct view got, struct view want)
{
    unsigned line = 1;
    size_t start = 0;

    for (size_t i = 0; i < got.len && i < want.len && got.ptr[i] == want.ptr[i]; i++)
        if (got.ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    got = golden_line(got, start);
    want = golden_line(want, start);
    fail_msg("%s:%u\n  got  %.*s\n  want %.*s", path, line, VIEW_ARG(got), VIEW_ARG(want));
}

static inline void golden_compare(const char *name, struct buf *got)
{
    bool update = getenv("UPDATE_GOLDEN") != NULL;
    char path[512];
    char piece[4096];
    struct buf want;
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/golden/%s", TEST_DATA, name);
    f = fopen(path, update ? "w+" : "r");
    if (!f)
        fail_msg("%s cannot be opened", path);
    if (update) {
        fwrite(buf_data(got), 1, buf_len(got), f);
        rewind(f);
    }
    buf_init(&want, 0);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_append(&want, piece, n);
    fclose(f);
    if (!view_eq(buf_view(got), buf_view(&want)))
        golden_differ(path, buf_view(got), buf_view(&want));
    buf_free(&want);
}

#endif
