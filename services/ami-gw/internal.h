/* Private to the parts of the gateway. */
#ifndef CTIBUS_AMI_GW_INTERNAL_H
#define CTIBUS_AMI_GW_INTERNAL_H

#include "action_map.h"
#include "capabilities.h"
#include "discover/walk.h"
#include "filter.h"
#include "gateway.h"
#include "requesters.h"
#include "resync.h"
#include "translate.h"

struct gateway {
    struct bus *bus;
    struct log *log;
    struct bus_pub *pub;
    struct bus_client *bus_client;
    struct bus_heartbeat *heart;
    struct ami_link *link;
    struct translator *translator;
    struct resync *resync;
    char *ipbx;
    enum ami_charset charset;
    struct buf topics[TEL_EVENT_COUNT];
    struct buf raw_prefix; /* ami/<ipbx>/ */
    struct buf topic, body;
    bool raw_wanted;
    struct capabilities *capabilities;
    const char *mask;          /* the event mask asked for, or NULL */
    bool filtered;             /* filters are in force until the next login (filter.c) */
    size_t filters_taken;      /* so many were accepted */
    bool filter_refused;       /* that was logged */
    struct ami_link *raw_link; /* for raw events beside a filtered link, or NULL (raw.c) */
    struct metrics *raw_link_metrics;
    bool shutdown;                  /* Asterisk said that it goes */
    struct loop_timer *idle_flush;  /* runs while the translator holds something back */
    struct loop_timer *again_soon;  /* of a resync after a reload */
    struct loop_timer *again_later; /* of a resync after an event that was told in part */
    uint64_t incomplete; /* when a part of an event was last left out (monotonic us), or 0 */
    bool heard;          /* state subscribes to our plane tel */
    bool standby;        /* another gateway owns this Asterisk: nothing is published */
    char banner[64];
    uint64_t login;           /* when the link came up, microseconds since 1970; 0: down */
    bool booted;              /* FullyBooted has come since then */
    bool listed;              /* a resync has begun since then, */
    bool resynced;            /* and one that state asked for has ended */
    bool again;               /* another resync is asked for while one runs */
    struct loop_timer *retry; /* of a resync that was not complete */
    uint32_t list_retry_ms;
    struct requesters *requesters; /* actions under way of each requester (requesters.h) */
    struct hint_place *hints;      /* of the last resync that state asked for */
    size_t n_hints;
    uint64_t resync_request; /* the request of state to answer at the end, or 0 */
    struct discovery_walk *discovery;
    uint64_t discover_request; /* the request of state to answer when it ends, or 0 */
    struct metrics *metrics;
    struct metric *translated, *unknown, *resyncs, *late;
};

/* gateway.c: tells state that this Asterisk is ours, and whether it is there. */
void gateway_announce(struct gateway *g);

/* raw.c: the plane ami/, on demand. */
void raw_interest(struct gateway *g);
void raw_link_close(struct gateway *g);
void raw_publish(struct gateway *g, const struct ami_block *b);

/* discover.c: the request ami.discover. */
int gateway_discovery_new(struct gateway *g, uint32_t timeout_ms);
void gateway_discover(struct gateway *g, uint64_t id);

/* action_request.c: the request ami.action. */
void gateway_action(struct gateway *g, uint64_t id, const msgpack_object *body);

/* requests.c: what state asks for. */
void gateway_request(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body);
/* Starts a resync with the hints kept, or marks that one more is to follow. */
void gateway_resync(struct gateway *g);
void gateway_resynced(struct gateway *g, bool complete);
void gateway_free_hints(struct gateway *g);

#endif
