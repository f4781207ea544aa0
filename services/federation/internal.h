/* Private to the parts of federation. */
#ifndef CTIBUS_FEDERATION_INTERNAL_H
#define CTIBUS_FEDERATION_INTERNAL_H

#include "federation.h"
#include "replica/replica.h"
#include "replica/serve.h"

#define FED_MAX_LINKS 64
/* Of what goes from site to site: another one may know more lists and fields, which the other side
 * leaves out. */
#define FED_SCHEMA 1

struct export;
struct peer_server;
struct forward;
struct native;
struct legacy;

/* The link to one other site. */
struct fed_link {
    struct fed *f;
    char *name;            /* its ipbxid */
    struct native *native; /* one of these two */
    struct legacy *legacy;
    struct forward *forward; /* its objects, to state */
    const char *state;       /* "up", "down", "refused" */
    double since;            /* seconds since 1970 */
    double lag;              /* seconds that a question and its answer took last; 0: unknown */
    uint64_t bytes;          /* of what it has told */
    struct metric *up;
};

struct fed {
    struct loop *loop;
    struct bus *bus; /* our own site's */
    struct log *log;
    const struct config *cfg;
    struct bus_pub *pub; /* for the heartbeat */
    struct bus_heartbeat *heart;
    struct bus_client *bus_client;
    struct replica *replica; /* of our own xod */
    struct export *export;
    struct peer_server *peer_server; /* NULL: no native peer */
    struct fed_link links[FED_MAX_LINKS];
    size_t n_links;
    struct metrics *metrics; /* shown to the outside; links have their own for their bus */
};

/* ---- federation.c ---- */
struct fed_link *fed_link(struct fed *f, struct view name);
/* The link is "up", "down" or "refused" now: state is told. */
void fed_link_set(struct fed_link *l, const char *state);
/* Is this the name of an Asterisk of ours? */
bool fed_is_ours(const struct fed *f, struct view ipbx);
/* Appends the names of our Asterisks as an array. */
void fed_put_sites(struct buf *out, const struct fed *f);
/* The first of them. */
const char *fed_own_name(const struct config *cfg);
/* Is an IPBX of the configuration our own? It has a connection then. */
bool fed_ipbx_is_ours(struct json_object *ipbx);
/* The configuration's entry of a site: its object `peer` or `cti_connection`. */
struct json_object *fed_peer_config(const struct config *cfg, const char *name, const char *key);

/* ---- forward.c: what a site tells, to our state ---- */
/* `xod` holds the site under `name`. NULL without memory. */
struct forward *forward_new(struct fed *f, const char *name, struct xod *xod);
void forward_destroy(struct forward **fw);
/* A change of it. */
void forward_change(struct forward *fw, const struct xod_change *c);
/* Tells state how the link is. */
void forward_link(struct forward *fw, bool up);
/* State is there (it knows nothing), or is gone. */
void forward_state_up(struct forward *fw, bool up);
void forward_state_down(struct forward *fw);
size_t forward_objects(const struct forward *fw);

/* ---- export.c: what others may see ---- */
/* Publishes on pub what changes in the replica of our xod. NULL without memory. */
struct export *export_new(struct fed *f, struct bus_pub *pub);
void export_destroy(struct export **e);
void export_change(struct export *e, const struct xod_change *c);
bool export_shows(const struct xod_obj *o); /* is it told to others? */

/* ---- peer_server.c: where other sites come in ---- */
struct peer_server *peer_server_new(struct fed *f, const struct fed_options *opt,
                                    struct metrics *metrics, int *err);
void peer_server_destroy(struct peer_server **d);
struct bus_pub *peer_server_pub(struct peer_server *d);
/* Our replica is there: snapshots can be made. */
void peer_server_ready(struct peer_server *d);
const char *peer_server_publish(const struct peer_server *d);
const char *peer_server_request(const struct peer_server *d);

/* ---- native.c: the link to a ctibus ---- */
struct native *native_new(struct fed_link *l, int *err);
void native_destroy(struct native **n);
struct xod *native_xod(const struct native *n);
/* Passes on what state asks of that site. False: it is not reached. */
bool native_ask(struct native *n, const msgpack_object *body, uint64_t id);

/* ---- legacy.c: the link to a XiVO 1.2 ---- */
/* Its time limits, in milliseconds; 0: the default. */
struct legacy_limits {
    uint32_t login_ms; /* a login that is not over by then has failed (10 s) */
    uint32_t ask_ms;   /* after so much silence a keepalive is sent (10 s) */
    uint32_t dead_ms;  /* after so much silence the connection is given up (30 s) */
    uint32_t tick_ms;  /* how often these are looked at (1 s) */
};
/* limits may be NULL: the defaults. */
struct legacy *legacy_new(struct fed_link *l, const struct legacy_limits *limits, int *err);
void legacy_destroy(struct legacy **g);
struct xod *legacy_xod(const struct legacy *g);
bool legacy_ask(struct legacy *g, const msgpack_object *body, uint64_t id);
/* Connect now: that site has just logged in here. */
void legacy_reconnect(struct legacy *g);

#endif
