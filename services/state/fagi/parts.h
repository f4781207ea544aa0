/* Between the parts of fagi/. */
#ifndef CTIBUS_STATE_FAGI_PARTS_H
#define CTIBUS_STATE_FAGI_PARTS_H

#include "core/deferred_reply.h"
#include "fagi/fagi.h"
#include "model/tel.h"

/* A call of a script. All of it but l is borrowed from the request. */
struct fagi_ask {
    struct state *s;
    struct ipbx *ipbx;
    struct view script, channel;
    const msgpack_object *body; /* the whole of the request: args, env... */
    struct deferred_reply *l;   /* to be answered */
};
/* A value of the environment by its full name ("agi_callerid"), and argument n (from 1); empty when
 * there is none. */
struct view fagi_env(const struct fagi_ask *a, const char *name);
struct view fagi_arg(const struct fagi_ask *a, uint32_t n);
/* Answers with n variables, given as packed arrays of name and value. l becomes NULL. */
void fagi_answer(struct deferred_reply **l, size_t n, const struct buf *pairs);
/* Appends one. */
void fagi_put(struct buf *pairs, const char *name, struct view value);

/* ---- presence.c ---- */
struct fagi_presence;
struct fagi_presence *fagi_presence_new(void); /* NULL without memory */
void fagi_presence_destroy(struct fagi_presence **p);
/* The configuration is another one. */
void fagi_presence_forget(struct fagi_presence *p);
/* XIVO_PRESENCE. Kept until something changes. */
void fagi_presence(struct fagi_presence *p, struct fagi_ask *a);

/* ---- callerid.c ---- */
void fagi_callerid_extend(struct fagi_ask *a);
void fagi_callerid_forphones(struct fagi_ask *a);

/* ---- features.c ---- */
/* XIVO_DND, XIVO_FWD_UNC... of the user whose id is the first argument, or whose phone has the
 * number that follows the word `number`. */
void fagi_features(struct fagi_ask *a);

/* ---- handlers.c ---- */
struct fagi_handlers;
struct fagi_handlers *fagi_handlers_new(void); /* NULL without memory */
void fagi_handlers_destroy(struct fagi_handlers **h);
#define FAGI_MAX_SCRIPT 64 /* bytes of a script's name */
/* A peer answers the scripts of this list from now on, before the former ones. needs: only
 * with a channel that is known. 0; -EINVAL: it is no list of names; -ENOBUFS; -ENOMEM. */
int fagi_handlers_add(struct fagi_handlers *h, struct bus_peer *p, const msgpack_object *scripts,
                      bool needs);
void fagi_handlers_peer_gone(struct fagi_handlers *h, const struct bus_peer *p);
/* The peer that answers a script, or NULL; *needs: only with a channel. */
struct bus_peer *fagi_handlers_find(const struct fagi_handlers *h, struct view script, bool *needs);
/* Asks the handler; its answer is passed on. */
void fagi_handlers_ask(struct bus_peer *p, struct fagi_ask *a);

/* ---- await.c ---- */
struct fagi_await;
typedef void fagi_known_fn(void *arg, struct fagi_ask *a);
/* known(arg, ask) is called when the channel of an ask is known. NULL without memory. */
struct fagi_await *fagi_await_new(struct state *s, fagi_known_fn *known, void *arg);
/* Those that wait stay unanswered. */
void fagi_await_destroy(struct fagi_await **w);
/* Keeps an ask (copied) until its channel is known; after `ctibus.fagi.ami_wait_ms` it is answered
 * with not_found. Takes a->l in any case. */
void fagi_await_add(struct fagi_await *w, struct fagi_ask *a);
void fagi_await_event(struct fagi_await *w, const struct xod_ipbx *ipbx, const struct tel *t);

#endif
