/*
 * Topics: segments joined and ended by '/'. In a segment the bytes '/', '%' and those below 0x21
 * are percent-encoded.
 */
#ifndef CTIBUS_BUS_TOPIC_H
#define CTIBUS_BUS_TOPIC_H

#include "base/buf.h"

/* Appends one segment, encoded, and its '/'. */
void topic_put(struct buf *out, struct view segment);
/* Cuts the next segment off *rest and appends it, decoded, to out (may be NULL: skipped). 0, or
 * -EINVAL: nothing left, no '/' at the end, or a bad escape. */
int topic_next(struct view *rest, struct buf *out);

#endif
