/* The Asterisk side of a load generator: one AMI listener that answers a login and every action,
 * says Error to listings, and then sends what it is told to, whatever event mask was asked for. */
#ifndef CTIBUS_BENCH_FAKEAMI_H
#define CTIBUS_BENCH_FAKEAMI_H

#include "loop/loop.h"
#include "net/conn.h"

struct fakeami;
struct fakeami *fakeami_new(struct loop *loop, const char *addr);
void fakeami_destroy(struct fakeami **f);
/* Logged in, and asked for its channels: the gateway has begun to list. */
bool fakeami_is_listed(const struct fakeami *f);
void fakeami_send(struct fakeami *f, struct view bytes);
size_t fakeami_waiting(const struct fakeami *f); /* bytes not yet taken */

#endif
