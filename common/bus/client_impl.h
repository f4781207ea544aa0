/* Private to the asking side: client.c (connections) and waiting.c (requests that wait). */
#ifndef CTIBUS_BUS_CLIENT_IMPL_H
#define CTIBUS_BUS_CLIENT_IMPL_H

#include "bus/internal.h"

/* The connection to one state. */
struct lane {
    struct bus_client *client;
    void *socket;
    struct zpoll *poll;
    uint64_t last_rx;   /* when something came last */
    uint64_t asked;     /* when hello or ping was sent last */
    uint64_t hello_id;  /* a hello that waits for its answer, or 0 */
    uint64_t far_epoch; /* of the process that answered hello */
    uint64_t term;      /* of the state that answered hello; 0: it is the only one */
    bool ready;         /* it has settled, as it said last */
};

/* A request of bus_ask_wait(). */
struct waiting {
    TAILQ_ENTRY(waiting) link;
    struct bus_client *client;
    uint64_t id; /* the key of the map */
    enum bus_method method;
    bool repeat; /* when the state that was asked is lost */
    bool sent;
    bool refused;      /* by one that is not active or was restarted: it has done nothing */
    uint64_t newest;   /* the newest request when it was sent */
    uint64_t deadline; /* monotonic microseconds */
    bus_answer_fn *answer;
    void *arg;
    size_t n_pairs, len;
    char pairs[];
};

TAILQ_HEAD(waitings, waiting);

struct bus_client {
    struct bus *bus;
    struct endpoints to;
    struct lane lanes[BUS_ENDPOINTS]; /* one for each endpoint */
    struct lane *current;             /* the state that we ask; NULL: none yet */
    uint64_t term;                    /* of the one that was followed last */
    struct loop_timer *tick;
    const struct bus_client_handler *handler;
    void *arg;
    void (*not_active)(void *arg, const msgpack_object *body);
    char *service;
    struct request_table *requests;
    struct waitings waiting, sent; /* in the order in which they were asked for */
    struct map *waiting_by_id;
    size_t waiting_bytes;
    struct msg_doc doc;
    struct buf body;
    bool up;
    bool inside;      /* a callback may be running */
    char *endpoint;   /* all of them, for messages */
    uint64_t lost_at; /* when it went down, or began */
    uint64_t wait_us; /* for so long after it people's requests wait */
    struct ticks ticks;
    uint64_t down_since; /* or when the lack of an answer was last logged */
};

/* client.c */
uint64_t lane_ask(struct lane *l, enum bus_method method, size_t n_pairs, struct view pairs,
                  uint32_t deadline_ms, bus_answer_fn *answer, void *arg);
int lane_send(struct lane *l, uint64_t id, enum bus_method method, size_t n_pairs,
              struct view pairs, uint32_t deadline_ms);
/* Several states: one may take over for another. */
static inline bool client_has_several(const struct bus_client *a)
{
    return a->to.n > 1;
}
/* Is there a state that will answer, as far as is known? */
bool client_is_answered(const struct bus_client *a);

/* waiting.c */
/* Sends what waits, as soon as somebody answers. */
void waiting_flush(struct bus_client *a);
/* The state that was asked is lost: what may be asked twice waits again. */
void waiting_keep(struct bus_client *a);
/* The state that is asked said to this request that it is not active, or does not know us: what was
 * sent after it came to the same process, and is refused as well. False: no such request waits. */
bool waiting_refuse(struct bus_client *a, uint64_t id);
/* A request was cancelled. */
void waiting_forget(struct bus_client *a, uint64_t id);

#endif
