/* Writing AMI the way Asterisk does, in the dialect of the capture. All append to `out`, whose
 * `failed` tells at the end whether there was room. */
#ifndef SIM_SAY_H
#define SIM_SAY_H

#include "model.h"

void say_header(struct buf *out, struct view name, struct view value);
/* The same with C strings; a NULL value is empty. */
void say(struct buf *out, const char *name, const char *value);
void say_number(struct buf *out, const char *name, int64_t value);
void say_end(struct buf *out);

/* "Response: KIND", the ActionID when there is one, and "Message: ..." unless message is NULL; the
 * caller goes on with say or say_end. */
void say_response(struct buf *out, const char *kind, struct view id, const char *message);
/* The whole of it, with its empty line. */
void say_success(struct buf *out, struct view id, const char *message);
void say_error(struct buf *out, struct view id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The 14 headers of a channel of 2.x. */
void say_channel(struct buf *out, const struct chan *c);
/* The 7 headers of a bridge of 2.x. */
void say_bridge(struct buf *out, const struct bridge *b, unsigned channels);

/* Whole events. */
void say_hangup(struct buf *out, bool old, const struct chan *c, int cause);
void say_unlink(struct buf *out, const struct chan *one, const struct chan *two);
void say_leave(struct buf *out, const struct chan *c, const struct bridge *b);
void say_bridge_destroy(struct buf *out, const struct bridge *b);

#endif
