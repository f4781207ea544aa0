/* What was read once and found true: tests/data/golden/. UPDATE_GOLDEN=1 writes it anew. */
#ifndef CTIBUS_TESTS_GOLDEN_H
#define CTIBUS_TESTS_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

/* The first line that differs, for the report. */
static inline void golden_differ(const char *path, const char *got, const char *want)
{
    unsigned line = 1;
    size_t start = 0;

    for (size_t i = 0; got[i] && got[i] == want[i]; i++)
        if (got[i] == '\n') {
            line++;
            start = i + 1;
        }
    fail_msg("%s:%u\n  got  %.*s\n  want %.*s", path, line, (int)strcspn(got + start, "\n"),
             got + start, (int)strcspn(want + start, "\n"), want + start);
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
    if (strcmp(buf_cstr(got), buf_cstr(&want)) != 0)
        golden_differ(path, buf_cstr(got), buf_cstr(&want));
    buf_free(&want);
}

#endif
