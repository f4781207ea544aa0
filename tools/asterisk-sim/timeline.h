/* When the bytes of a capture were read: NAME.timeline.jsonl beside NAME.ami. */
#ifndef SIM_TIMELINE_H
#define SIM_TIMELINE_H

#include "base/view.h"

struct timeline_read {
    uint64_t end;   /* offset of the first byte after this read */
    uint64_t at_us; /* since the connection */
};

struct timeline {
    struct timeline_read *reads;
    size_t n;
    size_t cap;
};

/* Loads the file at `path`. 0, -ENOENT, -EINVAL (a line that is not understood) or -ENOMEM. */
int timeline_load(struct timeline *t, const char *path);
void timeline_free(struct timeline *t);

/* When the byte at offset `last` was read: looks on from *at, which only grows. */
uint64_t timeline_at(const struct timeline *t, size_t *at, uint64_t last);

#endif
