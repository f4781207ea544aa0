/*
 * A recording of the bus: a file of msgpack values, one after the other, so that any language reads
 * it. The first is a map (format: "ctibus-recording", version: 1, started: seconds since 1970),
 * each other one a message: [topic, source, epoch, seq, time, body].
 */
#ifndef CTIBUS_TOOL_RECORDING_H
#define CTIBUS_TOOL_RECORDING_H

#include "bus/bus.h"

#define RECORDING_FORMAT "ctibus-recording"
#define RECORDING_VERSION 1

/* Appends the head, and a message. */
void recording_put_head(struct buf *out, double started);
void recording_put(struct buf *out, const struct bus_msg *m);

struct recording {
    struct view rest; /* what is not read yet */
    double started;   /* seconds since 1970 */
    struct msg_doc doc;
    void *map; /* the file */
    size_t size;
};
/* Opens a file; NULL `why` when it is good, else what is wrong, in words. */
const char *recording_open(struct recording *r, const char *path);
void recording_close(struct recording *r);
/* The next message; its views live as long as the recording. 0; -ENODATA: that was the last;
 * -EBADMSG: the rest is no recording, or was cut off. */
int recording_next(struct recording *r, struct bus_msg *m);

#endif
