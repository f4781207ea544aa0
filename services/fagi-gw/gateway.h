/*
 * fagi-gw: FastAGI on one side, the requests of state on the other. It decides nothing: what a
 * script answers is state's, or a registered handler's. What it promises is that a call goes on
 * within the deadline, whatever is down.
 */
#ifndef CTIBUS_FAGI_GW_GATEWAY_H
#define CTIBUS_FAGI_GW_GATEWAY_H

#include "bus/bus.h"
#include "config/config.h"

struct fagi_options {
    const char *listen; /* "HOST:PORT" */
    const char *publish, *request;
    size_t max_sessions;
};

struct fagi;
/* Listens. Reads of cfg (borrowed until fagi_reload) which IPBXes there are. NULL and *err on
 * failure (logged). */
struct fagi *fagi_new(struct loop *loop, struct bus *bus, const struct fagi_options *opt,
                      const struct config *cfg, struct metrics *metrics, struct log *log, int *err);
void fagi_destroy(struct fagi **f);
/* The configuration was read anew. */
void fagi_reload(struct fagi *f, const struct config *cfg);
/* Takes no more sessions; done is called when those that are open have ended, which takes as long
 * as their deadline and two seconds at most. */
void fagi_stop(struct fagi *f, void (*done)(void *arg), void *arg);
bool fagi_is_ready(const struct fagi *f, struct buf *why);
uint16_t fagi_port(const struct fagi *f);

#endif
