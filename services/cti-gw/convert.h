/*
 * A worker process that turns a PDF into the TIFF that a fax is: Ghostscript, with bounds on its
 * time and memory. The loop never waits for it.
 */
#ifndef CTIBUS_CTI_GW_CONVERT_H
#define CTIBUS_CTI_GW_CONVERT_H

#include "loop/loop.h"

struct conversion;
/* good: `out` is there. Called once, from the loop; the conversion is freed afterwards. */
typedef void convert_fn(void *arg, bool good);
/* NULL and *err (a negative errno) when it cannot be started. */
struct conversion *convert_start(struct loop *loop, const char *ghostscript, const char *in,
                                 const char *out, convert_fn *done, void *arg, int *err);
/* Kills it; done is not called. */
void convert_cancel(struct conversion **c);

#endif
