/* Private to bus/. */
#ifndef CTIBUS_BUS_INTERNAL_H
#define CTIBUS_BUS_INTERNAL_H

#include <sys/queue.h>
#include <zmq.h>

#include "base/map.h"
#include "base/netaddr.h"
#include "bus/bus.h"
#include "bus/keys.h"

/* What all sockets of a process count; see metrics.def. */
struct bus_counts {
    struct metric *published, *dropped, *received, *lost, *malformed;
    struct metric *asked, *answered, *late, *timed_out, *refused;
};

struct bus {
    struct loop *loop;
    void *zmq;
    char *source;
    char *instance;
    uint64_t epoch;
    uint64_t started; /* monotonic microseconds */
    int hwm;
    int subscriber_hwm;
    int heartbeat_ms;
    int gone_ms;
    const struct bus_keys *keys;
    struct bus_zap *zap;             /* NULL: nobody answers ZAP */
    struct bus_forwarder *forwarder; /* of this process; NULL: it has none */
    struct metrics *metrics;
    struct log *log;
    struct bus_counts counts;
    LIST_HEAD(, accepted) accepted; /* (accepted.c) */
    LIST_HEAD(, route) routes;      /* (endpoints.c) */
    size_t active; /* the number of the endpoint that is followed, from 1; 0: none yet */
};

/* A client that has received nothing for this long sends a ping. */
#define PING_AFTER_MS 500
#define TICK_MS 100
/* A timer that is this late shows that the process was suspended or starved. What has arrived
 * meanwhile is still unread, so silence is not judged in that turn; where every turn is late, it is
 * judged in every other one. */
#define STOOD_STILL_US 2000000
struct ticks {
    uint64_t last; /* when the timer was served last */
    bool late;     /* it was late then */
};
static inline bool has_stood_still(struct ticks *t, uint64_t now)
{
    t->late = !t->late && now - t->last > STOOD_STILL_US;
    t->last = now;
    return t->late;
}

/* A socket with all options that every socket of ctibus has. domain: what ZAP is told for a
 * server's end ("publish", "subscribe", "request"), NULL for a client's. NULL and *err on failure.
 */
void *bus_socket(struct bus *b, int type, const char *domain, int *err);
int bus_connect(void *socket, const char *endpoint);
/* Of a socket with several endpoints, before it connects. */
void bus_set_immediate(void *socket);

/* "tcp://a:1 tcp://b:1": the same thing at each state of a site, of which one is active; in the
 * same order everywhere. */
struct endpoints {
    char *at[BUS_ENDPOINTS];
    size_t n;
};
/* 0; -EINVAL: there is none; -ENOBUFS: there are too many; -ENOMEM. */
int endpoints_read(struct endpoints *e, const char *text);
void endpoints_free(struct endpoints *e);

/* A socket that publishes or subscribes: connected to all its endpoints until bus_follow() is
 * called, and to that of the active state alone from then on. */
struct route {
    LIST_ENTRY(route) link;
    bool listed;
    void *socket; /* borrowed */
    struct endpoints to;
    bool connected[BUS_ENDPOINTS];
    /* Makes the socket anew, connected to this endpoint alone, and says whether that was possible;
     * NULL: it is disconnected from the others. */
    bool (*reopen)(struct route *r, const char *endpoint);
};
int route_open(struct bus *b, struct route *r, void *socket, const char *endpoint);
/* Before the socket is closed. Does nothing to one that is not open. */
void route_close(struct route *r);
/* The one with this number is active. To be said again and again: where a socket could not be made
 * anew, it is tried again. */
void bus_follow(struct bus *b, size_t which);

/* Binds; *bound becomes the endpoint with its real port (caller frees). */
int bus_bind(struct bus *b, void *socket, const char *endpoint, const char *const *trusted,
             char **bound);

/* Watches what `socket`, bound to `endpoint` with its real port, accepts: no connection keeps one
 * of the last descriptors (base/descriptors.h). Ends with the socket, or with the bus. Nothing to
 * do where the endpoint is not of TCP. 0 or a negative errno. */
struct accepted;
int accepted_watch(struct bus *b, void *socket, const char *endpoint);
void accepted_destroy(struct accepted **a);
/* The port that a socket of TCP is bound to; 0: it is no such socket. */
uint16_t socket_port(int fd);
/* The port of "tcp://HOST:PORT". */
uint16_t endpoint_port(const char *endpoint);

/* A socket on the loop: `step` handles one message and says whether there was one. */
struct zpoll;
typedef bool zpoll_step(void *arg);
struct zpoll *zpoll_new(struct bus *b, void *socket, zpoll_step *step, void *arg);
/* Look again: after every send, since ZMQ_FD tells an edge only. */
void zpoll_wakeup(struct zpoll *z);
void zpoll_destroy(struct zpoll **z);

/* The frames of one message. */
#define MAX_FRAMES 6
struct frames {
    zmq_msg_t msg[MAX_FRAMES];
    int n;
};
/* Receives a whole message; false when there is none. More than MAX_FRAMES: n = -1, all dropped. */
bool frames_recv(void *socket, struct frames *f);
void frames_close(struct frames *f);
struct view frame_view(struct frames *f, int i);
/* Sends copies of the views as one message, without waiting. 0 or a negative errno (nothing sent).
 */
int frames_send(void *socket, const struct view *parts, int n);

/* What is subscribed to, copies: at most 4096; what is more is as if nobody wanted it. */
struct prefixes {
    struct view *items;
    size_t n;
};
void prefixes_add(struct prefixes *p, struct view prefix);
void prefixes_remove(struct prefixes *p, struct view prefix);
bool prefixes_match(const struct prefixes *p, struct view topic);
void prefixes_free(struct prefixes *p); /* empty afterwards */

/* Publishes copies of the views, at most MAX_FRAMES, as one message of this process. A subscriber
 * that has no room loses it; 0, or -ENOMEM: all have lost it. */
int bus_forwarder_send(struct bus_forwarder *f, const struct view *parts, int n);

/* Requests that wait for their answers, each until its deadline. Whatever is done with one costs
 * the same however many wait. */
struct request_table;
struct request_table *request_table_new(struct bus *b);
void request_table_destroy(struct request_table **p); /* calls what waits with BUS_gone */
uint64_t request_table_add(struct request_table *p, const void *owner, uint32_t deadline_ms,
                           bus_answer_fn *answer, void *arg);
/* The number of the newest request, or one less than the first will have. */
uint64_t request_table_newest(const struct request_table *p);
/* An answer came from `owner` (NULL: any). False when no request waits for it. */
bool request_table_answer(struct request_table *p, const void *owner, uint64_t id,
                          enum bus_status status, const msgpack_object *body);
void request_table_cancel(struct request_table *p, uint64_t id);
/* The request waits for `owner` from now on. False: there is no such request, or no memory (then it
 * waits for the one before). */
bool request_table_move(struct request_table *p, uint64_t id, const void *owner);
/* Ends all that `owner` was asked, with BUS_gone. What is asked meanwhile goes on. */
void request_table_gone(struct request_table *p, const void *owner);

/* The frames of a request or answer: version, id, method or status, body. */
struct envelope {
    uint64_t id;
    int method; /* enum bus_method, or -1: then it is an answer */
    enum bus_status status;
    struct msg_doc *doc; /* the parsed body */
};
/* Reads frames first..first+3. 0; -EBADMSG; -ENOSYS for a word that is no method nor status (the id
 * is read). */
int envelope_read(struct frames *f, int first, struct msg_doc *doc, struct envelope *e);
/* Sends one (to: the routing id before it, or empty). 0 or a negative errno. */
int envelope_send(void *socket, struct view to, uint64_t id, struct view word, struct view body);
/* A body of deadline_ms and the pairs. */
void envelope_body(struct buf *out, uint32_t deadline_ms, size_t n_pairs, struct view pairs);

/* The ZAP handler's thread: lets in only the keys that are allowed, and reads them anew when they
 * change on disk. NULL and *err on failure. */
struct bus_zap;
struct bus_zap *bus_zap_new(struct bus *b, int *err);
/* An eventfd (nonblocking) that is readable after the keys were read anew. */
int bus_zap_changed_fd(const struct bus_zap *z);
void bus_zap_destroy(struct bus_zap **z);

#endif
