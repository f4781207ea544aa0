/*
 * The bus: published messages, and requests both ways, over ZeroMQ. design: docs/bus.md.
 *
 * Nothing here blocks. What cannot be sent is counted. Everything runs on the loop's thread, but
 * for the ZAP handler and libzmq itself.
 */
#ifndef CTIBUS_BUS_BUS_H
#define CTIBUS_BUS_BUS_H

#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "msg/msg.h"
#include "schema/schema.h"

#define BUS_VERSION 1

struct bus_keys; /* CURVE keys: keys.h */

struct bus_options {
    const char *source;   /* "ami-gw:xivo@host": unique per running process; copied */
    const char *instance; /* short name, no '/', of this process; copied */
    int hwm;              /* messages waiting per connection and direction */
    int subscriber_hwm;   /* the same for each subscriber of the forwarder; 0: as hwm */
    int heartbeat_ms;     /* a connection that is silent for so long is tried by the kernel */
    int gone_ms;          /* a peer silent for so long is gone; 0: 6000 */
    const struct bus_keys *keys; /* NULL: no CURVE; borrowed for the life of the bus */
};

struct bus;
/* A bus for one process. NULL without memory. Everything made on it is destroyed first. */
struct bus *bus_new(struct loop *loop, const struct bus_options *opt, struct metrics *metrics,
                    struct log *log);
void bus_destroy(struct bus **b);
const char *bus_source(const struct bus *b);
const char *bus_instance(const struct bus *b);
/* Which process of its source this is: about its start in microseconds since 1970, the lowest 12
 * bits random. Compared for equality only, since clocks are set back. */
uint64_t bus_epoch(const struct bus *b);
/* Begins to say who may come in, where there are keys: before anything is bound. The forwarder does
 * it by itself. 0 or a negative errno. */
int bus_guard(struct bus *b);
void *bus_zmq(const struct bus *b); /* the ZeroMQ context, for monitors of sockets */

/* ---- publishing ---- */

struct bus_pub;
struct bus_msg;
/* Called when the first subscriber of a prefix appears (on) or the last one leaves. */
typedef void bus_interest_fn(void *arg, struct view prefix, bool on);
/* Connects to the forwarder, or to those of several states (see bus_client_new). interest may be
 * NULL. NULL and *err on failure. */
struct bus_pub *bus_pub_new(struct bus *b, const char *endpoint, bus_interest_fn *interest,
                            void *arg, int *err);
void bus_pub_destroy(struct bus_pub **p);
/* What was sent may still leave for this many ms after bus_pub_destroy(), 0 at first: the end of
 * the bus waits for it, no longer than that. */
void bus_pub_set_linger(struct bus_pub *p, int ms);
/* Publishes body (one msgpack map) on topic ("plane/.../"). 0, or -EAGAIN when it was dropped,
 * which is counted; its number is then missing, so that readers notice. In the process of the
 * forwarder it is dropped (-ENOMEM) only without memory; what single subscribers lose is not told.
 */
int bus_pub_send(struct bus_pub *p, struct view topic, struct view body);
/* The same as if it were the message `as` (its topic and body are the arguments' to say): for what
 * was recorded. */
int bus_pub_send_as(struct bus_pub *p, const struct bus_msg *as, struct view topic,
                    struct view body);
/* The same without a number (echoes). */
int bus_pub_send_unnumbered(struct bus_pub *p, struct view topic, struct view body);
/* The number of the last message of a plane, 0: none yet. */
uint64_t bus_pub_seq(const struct bus_pub *p, struct view plane);
/* Does anybody listen to something that begins with `prefix` or that `prefix` begins with? */
bool bus_pub_wanted(const struct bus_pub *p, struct view prefix);
/* Does somebody listen to this topic who asked for no more than what begins with `prefix`? Who
 * subscribed to a whole plane, or to all, did not. */
bool bus_pub_asked_for(const struct bus_pub *p, struct view prefix, struct view topic);

/* ---- subscribing ---- */

struct bus_msg {
    struct view topic;
    struct view source;
    uint64_t epoch;
    uint64_t seq; /* 0: not numbered */
    double time;
    struct view body; /* not yet checked: msg_parse does */
};

struct bus_sub_handler {
    void (*message)(void *arg, const struct bus_msg *m);
    /* Numbers are missing, or (lost = 0) another process of a source begins to speak, on a plane
     * that is followed. Called before the message that showed it. May be NULL. What the earlier
     * process still has under way goes on to come, and so does what a second one with the same
     * source says: a subscriber that must follow one process compares the epoch. */
    void (*gap)(void *arg, const struct bus_msg *m, uint64_t lost);
};

struct bus_sub;
struct bus_sub *bus_sub_new(struct bus *b, const char *endpoint,
                            const struct bus_sub_handler *handler, void *arg, int *err);
void bus_sub_destroy(struct bus_sub **s);
int bus_sub_add(struct bus_sub *s, struct view prefix); /* 0 or a negative errno */
int bus_sub_remove(struct bus_sub *s, struct view prefix);
/* Follows the numbers of a plane ("tel"): only for subscribers of the whole plane. */
int bus_sub_follow(struct bus_sub *s, struct view plane);
/* Messages lost as seen from the numbers, since the start. */
uint64_t bus_sub_lost(const struct bus_sub *s);

/* ---- requests: the asking side (DEALER) ---- */

#define BUS_ENDPOINTS 4
struct bus_client;
/* An answer. status BUS_more: more of them follow; any other is the last. body is checked: a map.
 * For BUS_timeout and BUS_gone body is NULL. */
typedef void bus_answer_fn(void *arg, enum bus_status status, const msgpack_object *body);

struct bus_client_handler {
    /* The far side answered `hello`: at the start and whenever it was restarted (other epoch). Its
     * body. May be NULL. */
    void (*up)(void *arg, const msgpack_object *body);
    /* Nothing heard for 6 s, it was restarted, or it has forgotten us. Called once until `up`. May
     * be NULL. */
    void (*down)(void *arg);
    /* A request from the far side. Answer it with bus_client_reply. May be NULL. */
    void (*request)(void *arg, uint64_t id, enum bus_method method, const msgpack_object *body);
};
/* Connects; says hello by itself (service, instance, version). `endpoint` may be several (at most
 * BUS_ENDPOINTS) with spaces between them, those of all states of a site: the one that is active is
 * asked, and when another one has taken over (its term is higher) that counts as down and up; the
 * publishers and subscribers of this bus follow it. */
struct bus_client *bus_client_new(struct bus *b, const char *endpoint, const char *service,
                                  const struct bus_client_handler *handler, void *arg, int *err);
/* Pending answers are called with BUS_gone. Not from a callback of its own: up, down, request, an
 * answer. */
void bus_client_destroy(struct bus_client **a);
/* Asks. `pairs` are n_pairs packed key-value pairs (no map head: the deadline is put in front).
 * answer may be NULL. Each call leads to at least one call of answer, not from here. Returns the id
 * of the request, or 0 when it cannot be sent, as long as the far side is not up in any case (then
 * answer is not called). */
uint64_t bus_ask(struct bus_client *a, enum bus_method method, size_t n_pairs, struct view pairs,
                 uint32_t deadline_ms, bus_answer_fn *answer, void *arg);
/* The same for what people wait for. It is accepted while bus_client_takes(); where no state
 * answers, it waits until its deadline for one that does; also when it was asked of one that turns
 * out not to be active, or to have been restarted. repeat: it does the same when it is done twice,
 * so that it is asked again when the state that was asked is lost; what else that one had not
 * answered gets BUS_gone. 0 when bus_client_takes() is false, too much waits, or without memory. */
uint64_t bus_ask_wait(struct bus_client *a, enum bus_method method, bool repeat, size_t n_pairs,
                      struct view pairs, uint32_t deadline_ms, bus_answer_fn *answer, void *arg);
/* It is up, or one is expected soon: for 15 s where there are several; where there is one, for 2 s
 * after the start of this client and after a restart of that state was noticed. */
bool bus_client_takes(const struct bus_client *a);
/* fn is told, with the client's arg, what a state says of itself that is on standby. */
void bus_client_on_not_active(struct bus_client *a,
                              void (*fn)(void *arg, const msgpack_object *body));
/* Forgets a request: its answer is not called any more. */
void bus_ask_cancel(struct bus_client *a, uint64_t id);
/* Answers a request of the far side; body is a whole map (empty view: an empty map). */
int bus_client_reply(struct bus_client *a, uint64_t id, enum bus_status status, struct view body);
/* Answers it with what another connection answered (relay.c): its body, which may be NULL; BUS_gone
 * becomes BUS_noconn. */
int bus_client_relay(struct bus_client *a, uint64_t id, enum bus_status status,
                     const msgpack_object *body);
bool bus_client_is_up(const struct bus_client *a);
/* The same for /readyz: otherwise `why` (may be NULL) is told. */
bool bus_client_is_ready(const struct bus_client *a, struct buf *why);
/* The epoch of the far side that answered hello last; 0: none has. */
uint64_t bus_client_epoch(const struct bus_client *a);

/* ---- requests: the answering side (ROUTER), in state ---- */

struct bus_server;
struct bus_peer; /* one asker that said hello */

struct bus_server_handler {
    /* A request of a peer. Answer it with bus_server_reply, now or later (look the peer up again
     * then: it may be gone). hello, ping and echo are answered by the bus itself. */
    void (*request)(void *arg, struct bus_peer *peer, uint64_t id, enum bus_method method,
                    const msgpack_object *body);
    /* A peer said hello (also anew, after a restart of either side). May be NULL. */
    void (*peer_up)(void *arg, struct bus_peer *peer, const msgpack_object *hello);
    /* A peer said nothing for 6 s. It is freed afterwards. May be NULL. */
    void (*peer_gone)(void *arg, struct bus_peer *peer);
};
/* Binds (-EACCES as bus_forwarder_new says; with CURVE also before bus_guard(), which the
 * forwarder calls). `site` goes out with the answer to hello; echoes
 * are published on `echo`. */
struct bus_server *bus_server_new(struct bus *b, const char *endpoint, const char *const *trusted,
                                  const char *site, const struct bus_server_handler *handler,
                                  void *arg, struct bus_pub *echo, int *err);
/* One of several states, on standby: it answers every request with BUS_not_active. Calls
 * bus_guard() itself. */
struct bus_server *bus_server_standby(struct bus *b, const char *endpoint,
                                      const char *const *trusted, const char *name, int *err);
/* On standby: which one is active, as far as is known (""), and can this one take over? */
void bus_server_set_standby(struct bus_server *s, const char *active, bool ready);
/* From now on it answers as one that bus_server_new() made. term grows with each take-over. 0 or
 * -ENOMEM. */
int bus_server_activate(struct bus_server *s, uint64_t term, const char *site,
                        const struct bus_server_handler *handler, void *arg, struct bus_pub *echo);
/* Whether clients may ask what people wait for (bus_ask_wait): true unless set. */
void bus_server_set_ready(struct bus_server *s, bool ready);
void bus_server_destroy(struct bus_server **s);
const char *bus_server_endpoint(const struct bus_server *s); /* as bound */
/* body: a whole map; the empty view: an empty map. 0, or -EAGAIN (dropped, counted) or
 * -EHOSTUNREACH. */
int bus_server_reply(struct bus_server *s, struct bus_peer *peer, uint64_t id,
                     enum bus_status status, struct view body);
/* The same as bus_client_relay, for a peer's request. */
int bus_server_relay(struct bus_server *s, struct bus_peer *peer, uint64_t id,
                     enum bus_status status, const msgpack_object *body);
/* How long a request that is passed on may take: as its deadline_ms says, `most` at most. */
uint32_t bus_relay_deadline(const msgpack_object *body, uint32_t most);
/* Asks a peer, as bus_ask does. */
uint64_t bus_server_ask(struct bus_server *s, struct bus_peer *peer, enum bus_method method,
                        size_t n_pairs, struct view pairs, uint32_t deadline_ms,
                        bus_answer_fn *answer, void *arg);
struct view bus_peer_service(const struct bus_peer *p);
struct view bus_peer_instance(const struct bus_peer *p);
struct view bus_peer_key(const struct bus_peer *p); /* its CURVE key (Z85); empty without CURVE */
/* One pointer of the owner's on a peer. */
void bus_peer_set_data(struct bus_peer *p, void *data);
void *bus_peer_data(const struct bus_peer *p);
/* Walks the peers; *pos starts at 0. */
struct bus_peer *bus_server_next(struct bus_server *s, size_t *pos);

/* ---- the forwarder (XSUB/XPUB), in state ---- */

struct bus_forwarder;
/* Binds both ends (for publishers, for subscribers); a bus has one forwarder at most. Also bound:
 * the inproc endpoints below, for the process it lives in. Fails with -EACCES when an address is
 * neither loopback nor in `trusted` (NULL-ended list, may be NULL) and there is no CURVE. What
 * others than this process publish on the plane cti/ is dropped; with CURVE only gateways get that
 * plane. */
struct bus_forwarder *bus_forwarder_new(struct bus *b, const char *publish, const char *subscribe,
                                        const char *const *trusted, int *err);
void bus_forwarder_destroy(struct bus_forwarder **f);
#define BUS_INPROC_PUBLISH "inproc://publish"
#define BUS_INPROC_SUBSCRIBE "inproc://subscribe"
/* A subscriber that does not read loses the messages beyond subscriber_hwm until it reads again;
 * this is counted and logged. Other subscribers lose nothing. */
const char *bus_forwarder_publish(const struct bus_forwarder *f); /* endpoints as bound */
const char *bus_forwarder_subscribe(const struct bus_forwarder *f);

/* May this address be bound to without CURVE? */
bool bus_address_allowed(const char *endpoint, const char *const *trusted);

/* ---- heartbeats ---- */

struct bus_heartbeat;
/* Publishes svc/<service>/<instance>/ every 2 s: version, uptime, ready, seq of each plane, and the
 * pairs that `fill` adds (returns how many). */
typedef size_t bus_heartbeat_fill_fn(void *arg, struct buf *pairs, bool *ready);
struct bus_heartbeat *bus_heartbeat_new(struct bus *b, struct bus_pub *pub, const char *service,
                                        bus_heartbeat_fill_fn *fill, void *arg);
void bus_heartbeat_destroy(struct bus_heartbeat **h);

#endif
