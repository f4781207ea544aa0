/*
 * What is played: the events of one or more captures, one after the other, with the time of each.
 *
 * Only what Asterisk told everyone is kept: events with a class, not the answers to the capture's
 * own actions, nor what belongs to its own connection (FullyBooted, Shutdown).
 */
#ifndef SIM_CAPTURE_H
#define SIM_CAPTURE_H

#include "ami/ami.h"
#include "model.h"

struct sim_event {
    uint32_t off; /* in capture.bytes */
    uint32_t len; /* with the empty line at its end */
    uint32_t classes;
    uint8_t op;     /* enum model_op */
    uint64_t at_us; /* since the start of the first capture */
};

struct capture {
    struct buf bytes; /* the events, one after the other; rewrite.c changes the ids in them */
    struct sim_event *events;
    size_t n;
    size_t cap;
    uint64_t duration_us;
    char version[32]; /* of the protocol, from the first banner: "1.1", "9.0.0" */
    bool old;         /* protocol 1.x: the dialect up to Asterisk 11 */
};

void capture_init(struct capture *c);
void capture_free(struct capture *c);

/* Adds the file at `path` (.ami or .ami.gz) at the end. Without a timeline beside it its events are
 * spread at 1000 a second. 0, -EINVAL (neither banner nor event in it, or a bad timeline), or what
 * file_read gives.
 */
int capture_add(struct capture *c, const char *path);

static inline struct view capture_event(const struct capture *c, const struct sim_event *e)
{
    return view_of(buf_data(&c->bytes) + e->off, e->len);
}

/* True for an event that goes to every client that has its class. */
bool capture_is_public(const struct ami_block *b);

#endif
