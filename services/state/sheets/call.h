/*
 * Calls: what is known of a call that sheets may show, and whom it has reached.
 *
 * A call is known by the Uniqueid of the channel that called. It ends with that channel.
 */
#ifndef CTIBUS_STATE_SHEETS_CALL_H
#define CTIBUS_STATE_SHEETS_CALL_H

#include <json-c/json.h>

#include "base/queue.h"
#include "core/context.h"

#define CALLS_MAX 8192        /* at a time: the oldest goes */
#define CALL_MAX_LEGS 64      /* of a call: the others get no sheets */
#define CALL_MAX_VARIABLES 64 /* of a family: the others are left out */
#define CALL_MAX_VALUE 4096   /* bytes of a value: what is longer is left out */
#define CALL_MAX_TOLD 1024    /* sheets of a call that are sent once: the others are not sent */

struct reverse;
struct call;

/* A channel that was called. */
struct leg {
    LIST_ENTRY(leg) of_call;
    struct call *call;
    char *key; /* site/Uniqueid */
    char user_id[64];
    bool local; /* half of a Local channel: it may go while the call goes on */
    bool linked;
    bool rung, queue_rung; /* dial, agentcalled has been told */
};

struct call {
    TAILQ_ENTRY(call) all;
    struct xod_ipbx *ipbx;
    char *key;      /* site/Uniqueid */
    char *channel;  /* as it was called at first: clients know the sheet by it */
    bool incoming;  /* it came from outside */
    char agent[64]; /* user of the member of a queue that talks to it, empty: none does */
    /* name -> text: what the dialplan said of the call; its own variables; what the channel said */
    struct json_object *xivo, *dp, *seen;
    struct json_object *told; /* what has been sent, as keys */
    LIST_HEAD(, leg) legs;
    size_t n_legs;
    struct reverse *reverse; /* whose number it is (reverse.h), or NULL */
};

struct calls;
/* What something of an IPBX is kept under: SITE/NAME in scratch, which lasts for the names of
 * Asterisk. Empty: it does not fit, or there is no name. */
#define SITE_KEY 384
struct view site_key(const struct xod_ipbx *ipbx, struct view name, char scratch[SITE_KEY]);

/* NULL without memory. */
struct calls *calls_new(void);
void calls_destroy(struct calls **c);

/* The call that this channel has made, or NULL; call_of makes it (NULL: no memory, or the channel
 * has no Uniqueid). */
struct call *call_find(const struct calls *c, const struct xod_ipbx *ipbx, struct view uniqueid);
struct call *call_of(struct calls *c, const struct xod_obj *channel);
void call_end(struct calls *c, struct call *call);
/* Ends the calls of an IPBX whose channels are no longer there. */
void calls_sweep(struct calls *c, const struct xod_ipbx *ipbx);
/* Of which Uniqueid it is. */
struct view call_uniqueid(const struct call *call);

/* The channel that was called for a user (NULL: user not known, nobody is told), as leg of a call:
 * the one that is there, or a new one. NULL: too many, or no memory. */
struct leg *call_leg(struct calls *c, struct call *call, struct view uniqueid,
                     const struct xod_obj *user);
struct leg *leg_find(const struct calls *c, const struct xod_ipbx *ipbx, struct view uniqueid);
void leg_end(struct calls *c, struct leg *leg);
/* Has its user no other in the call? */
bool leg_is_last(const struct leg *leg);

/* Keeps a variable in a family of the call (xivo, dp); an empty value takes it away. */
void call_set(struct json_object *family, struct view name, struct view value);
/* Notes that something has been told. False: it had been, or too much has been. */
bool call_tell_once(struct call *call, const char *what);

#endif
