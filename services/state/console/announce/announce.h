/*
 * ANNOUNCE: an Asterisk that has started says so by a datagram that begins with "asterisk"; its
 * gateway then connects at once. What comes from elsewhere, or begins otherwise, is counted and
 * ignored.
 */
#ifndef CTIBUS_STATE_CONSOLE_ANNOUNCE_ANNOUNCE_H
#define CTIBUS_STATE_CONSOLE_ANNOUNCE_ANNOUNCE_H

#include "core/context.h"

struct announce;
/* Listens where the configuration of `s` says. NULL and *err on failure (logged); NULL and *err ==
 * 0: switched off. */
struct announce *announce_new(struct state *s, int *err);
void announce_destroy(struct announce **a);
/* The configuration of `s` is another one: where the Asterisks are. */
void announce_reload(struct announce *a);
uint16_t announce_port(const struct announce *a);

#endif
