/* Values in which the numbers of other people's calls are masked (access_masks), as JSON. */
#ifndef CTIBUS_ACCESS_MASKED_H
#define CTIBUS_ACCESS_MASKED_H

#include "xod/xod.h"

/* The value of a field as JSON. */
void masked_put_field(struct buf *out, const struct xod_obj *o, unsigned field);
/* The same of a place of a parking lot, and of a text. */
void masked_put_bay(struct buf *out, const struct value *bay);
void masked_put_text(struct buf *out, struct view text);

#endif
