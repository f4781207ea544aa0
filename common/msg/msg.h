/*
 * msgpack bodies: writing into a buffer, and reading what came over a socket.
 *
 * Reading checks first: msgpack-c believes the sizes on the wire (a body of 5 bytes can ask for
 * gigabytes), so msg_check walks the bytes with a bounded cursor before anything is allocated.
 */
#ifndef CTIBUS_MSG_MSG_H
#define CTIBUS_MSG_MSG_H

#include <msgpack.h>

#include "base/buf.h"

/* Bounds of a body from the wire. */
#define MSG_MAX_DEPTH 12
#define MSG_MAX_ITEMS 2000000u

/* Writers. A failed write sets out->failed (see buf.h). */
void msg_put_map(struct buf *out, size_t pairs);
void msg_put_array(struct buf *out, size_t items);
void msg_put_nil(struct buf *out);
void msg_put_bool(struct buf *out, bool b);
void msg_put_i64(struct buf *out, int64_t i);
void msg_put_u64(struct buf *out, uint64_t u);
void msg_put_double(struct buf *out, double d);
void msg_put_str(struct buf *out, struct view v);
static inline void msg_put_cstr(struct buf *out, const char *s)
{
    msg_put_str(out, view_cstr(s));
}
/* Whatever was read. */
void msg_put_object(struct buf *out, const msgpack_object *o);
/* The members of a map, but those whose keys stand in `but` (ended by NULL), as pairs; how many. */
size_t msg_put_members(struct buf *out, const msgpack_object *map, const char *const *but);
/* key, value */
void msg_put_pair(struct buf *out, const char *key, struct view value);
void msg_put_pair_u64(struct buf *out, const char *key, uint64_t value);
/* key, and an array of the n values that were written to `elements`. If that has failed, so has
 * out. */
void msg_put_elements(struct buf *out, const char *key, size_t n, const struct buf *elements);

/* A map whose number of pairs is known only at its end (at most 65,535): begin gives a mark, end
 * writes the number there. */
size_t msg_map_begin(struct buf *out);
void msg_map_end(struct buf *out, size_t mark, size_t pairs);
/* The same for an array of at most 65,535 elements. */
size_t msg_array_begin(struct buf *out);
void msg_array_end(struct buf *out, size_t mark, size_t n);

/* 0 when v holds exactly one well-formed value within the bounds, whose strings are UTF-8; else
 * -EBADMSG. */
int msg_check(struct view v);

/* How many bytes the first value of v takes, by the same bounds (what follows is not looked at); 0:
 * not all of it is there, or it is malformed. */
size_t msg_length(struct view v);

/* A parsed body. Strings point into the bytes that were parsed. */
struct msg_doc {
    msgpack_zone zone;
    msgpack_object root;
};
int msg_doc_init(struct msg_doc *d); /* 0 or -ENOMEM */
void msg_doc_fini(struct msg_doc *d);
/* Checks and parses; what was parsed before dies. 0, -EBADMSG (also when it is not a map) or
 * -ENOMEM. */
int msg_parse(struct msg_doc *d, struct view v);

/* Reading a map: the value under a key, or NULL; typed readers give the default for another type.
 */
const msgpack_object *msg_get(const msgpack_object *map, const char *key);
struct view msg_str(const msgpack_object *o); /* empty when NULL or no string */
struct view msg_get_str(const msgpack_object *map, const char *key);
/* A string, or a number or a bool (1, 0) as text in scratch: clients write ids either way. */
struct view msg_get_text(const msgpack_object *map, const char *key, char scratch[32]);
int64_t msg_get_i64(const msgpack_object *map, const char *key, int64_t dflt);
uint64_t msg_get_u64(const msgpack_object *map, const char *key, uint64_t dflt);
double msg_get_double(const msgpack_object *map, const char *key, double dflt);
bool msg_get_bool(const msgpack_object *map, const char *key, bool dflt);

#endif
