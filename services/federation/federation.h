/*
 * federation: this site and others. What of our xod others may see is published for them; what they
 * let us see is told to state; what users ask of other sites, and theirs of ours, is passed on.
 */
#ifndef CTIBUS_FEDERATION_FEDERATION_H
#define CTIBUS_FEDERATION_FEDERATION_H

#include "bus/bus.h"
#include "bus/keys.h"
#include "config/config.h"

struct fed_options {
    const char *subscribe, *request, *publish; /* of our own state */
    const char *const *trusted;
    const char *instance;
};

struct fed;
/* Starts. cfg is borrowed for its life. NULL and *err on failure (logged). */
struct fed *fed_new(struct loop *loop, struct bus *bus, const struct fed_options *opt,
                    const struct config *cfg, struct metrics *metrics, struct log *log, int *err);
void fed_destroy(struct fed **f);
bool fed_is_ready(const struct fed *f, struct buf *why);
/* Where it listens for other sites; NULL: there is no native peer. */
const char *fed_endpoint_publish(const struct fed *f);
const char *fed_endpoint_request(const struct fed *f);
/* What is wrong with the configuration, a line for each fault; true: nothing. */
bool fed_check(const struct config *cfg, struct buf *why);

#endif
