/* Private to the parts of http-gw. */
#ifndef CTIBUS_HTTP_GW_INTERNAL_H
#define CTIBUS_HTTP_GW_INTERNAL_H

#include "access/access.h"
#include "base/budgets.h"
#include "base/queue.h"
#include "events/events.h"
#include "gateway.h"
#include "replica/replica.h"
#include "schema/api.h"
#include "server/server.h"
#include "json/json.h"

struct tokens;
struct streams;
struct webhooks;

/* Kinds of g->budgets: requests of a token; tokens that are not known, of an address. */
enum { BUDGET_REQUESTS, BUDGET_UNKNOWN, BUDGET_COUNT };

struct http_gw {
    struct loop *loop;
    struct bus *bus;
    struct log *log;
    struct http_gw_options opt;
    struct http_gw_limits limits;
    struct tls_ctx *tls; /* NULL: clear text */
    struct bus_pub *pub;
    struct bus_heartbeat *heart;
    struct bus_client *bus_client;
    struct replica *replica;
    struct server *server;
    struct tokens *tokens;
    struct streams *streams;
    struct webhooks *webhooks;
    struct events *events;
    struct budgets *budgets; /* enum budget */
    struct json_parser parser;
    struct buf out; /* of the answer that is being written */
    struct loop_timer *stopping;
    uint64_t stop_until; /* monotonic us */
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct metric *requests[5]; /* by the first digit of the status, 1 to 5 */
    struct metric *throttled, *commands, *events_sent;
};

/* ---- tokens.c: the tokens of programs ---- */

/* What state has said of a token; kept for http_gw_options.token_fresh_ms. */
struct token {
    char *text;
    char id[16], ipbx[64], user_id[64], login[64], profile[64];
    struct json_object *see; /* of the profile, or NULL */
    uint32_t scopes;
    bool read;
    enum token_state { TOKEN_ASKED, TOKEN_GOOD, TOKEN_BAD, TOKEN_UNKNOWN } state;
    struct access access; /* what its user sees */
    bool has_access;
    uint64_t told;  /* monotonic us: when state said so */
    uint64_t asked; /* id of the request to state; 0: none */
    size_t refs;    /* requests and streams */
    /* what streams.c remembers of the object that it is at */
    uint64_t looked_at;
    bool sees;
    struct tokens *of;
    TAILQ_HEAD(, token_wait) waits;
    TAILQ_ENTRY(token) all; /* the one used last at the end */
};

struct tokens *tokens_new(struct http_gw *g);
void tokens_destroy(struct tokens **t);
/* The copy of xod is complete: what users see is made out anew. */
void tokens_ready(struct tokens *t);
/* Calls fn with the token of this text, now or later: NULL and the status (401, 429, 503) when
 * there is none that is good. from: who presents it; one that presents many that are not known is
 * held back. *wait: set while the answer is still to come, for token_wait_cancel. */
typedef void token_fn(struct http_gw *g, void *arg, struct token *k, int status);
struct token_wait;
void token_find(struct tokens *t, struct view text, const struct netaddr *from, token_fn *fn,
                void *arg, struct token_wait **wait);
void token_wait_cancel(struct token_wait **wait);
/* Streams use it: state is asked again while they do, and streams_token_ended called when it is not
 * good any more. */
void token_hold(struct token *k);
void token_release(struct token *k);
/* Does its user see the object, and are its numbers masked? */
bool token_sees(const struct token *k, const struct xod_obj *o);
/* Who sees all there is, so that what is gone need not be looked at. */
bool token_sees_all(const struct token *k);

/* ---- gateway.c ---- */

/* A request that is being answered. */
struct request {
    struct http_gw *g;
    struct exchange *x;
    struct api_match match;
    char *target; /* the path and the query */
    struct view query;
    struct json_object *body;  /* NULL: none */
    char *text;                /* of the token */
    char *last_event_id, *key; /* or NULL */
    struct token_wait *wait;
    struct token *token;
    uint64_t asked;      /* id of the request to state; 0: none */
    struct buf segments; /* decoded, each with a NUL behind it */
    const char *segment[API_MAX_SEGMENTS];
    size_t step; /* of a request that is several commands */
};
void request_begin(void *arg, struct exchange *x, const struct server_request *from);
void request_free(struct request *rq);
/* Answers with the JSON in g->out (or nothing, for 204). */
void request_answer(struct request *rq, int status);
/* Answers with a problem document (RFC 9457): code is a word for programs, detail for people. */
void request_fail(struct request *rq, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A parameter of the query, decoded into `out`; NULL: it is not there. False: malformed, and
 * answered. */
bool request_query(struct request *rq, const char *name, struct buf *out, const char **text);

/* ---- read.c: lists and objects ---- */
void read_index(struct request *rq);
void read_me(struct request *rq);
void read_list(struct request *rq);
void read_object(struct request *rq);
/* The object of a path /v1/{list}/{ipbx}/{id}, if the token's user sees it; NULL: answered. */
struct xod_obj *read_find(struct request *rq, enum xod_list list, size_t ipbx_segment);
/* Appends an object as JSON. */
void read_put_object(struct buf *out, const struct xod_obj *o, uint64_t fields, bool masked);

/* ---- participants.c: who is in a call ---- */
/* Participant number n, or NULL: there are no more (n >= participants_count), or it is gone. */
struct xod_obj *participant(const struct xod_obj *call, size_t n);
size_t participants_count(const struct xod_obj *call);
/* The id of the user at whose phone the channel is; empty: at none's. */
struct view participant_user(const struct xod_obj *channel, char scratch[32]);
/* Appends who is in a call, as a JSON array: channel, user, name, number, autocall. masked: numbers
 * are. */
void participants_put(struct buf *out, const struct xod_obj *call, bool masked);

/* ---- command.c: what state is asked to do ---- */
void command_answer(struct request *rq);

/* ---- streams.c: server-sent events ---- */
struct streams *streams_new(struct http_gw *g);
void streams_destroy(struct streams **s);
void streams_open(struct request *rq);
/* Every stream ends: the service stops. */
void streams_end(struct streams *s);
void streams_token_ended(struct streams *s, const struct token *k);
size_t streams_count(const struct streams *s);
/* Something happened: for the streams, and for those that resume. */
void streams_change(struct streams *s, const struct xod_change *c);
void streams_event(struct streams *s, const struct event *e);
/* Appends an event as JSON: id, event, time, ipbx, the object under its name, and of a call its
 * parties. */
void event_put_json(struct buf *out, const struct event *e, bool masked);
/* The copy of xod is complete: those who wait for a snapshot get it. */
void streams_ready(struct streams *s);

/* ---- webhooks.c: one http-gw of several sends them ---- */
struct webhooks *webhooks_new(struct http_gw *g, const struct config *cfg, struct metrics *metrics,
                              int *err);
void webhooks_destroy(struct webhooks **w);
void webhooks_reload(struct webhooks *w, const struct config *cfg);
/* State is there (again): it decides which http-gw sends. */
void webhooks_state_up(struct webhooks *w);
/* A request of state. False: it is none for webhooks. */
bool webhooks_request(struct webhooks *w, uint64_t id, enum bus_method method,
                      const msgpack_object *body);
void webhooks_event(struct webhooks *w, const struct event *e);
/* An object that the first snapshot brings: what was noted of it in the last run is put in. True:
 * what is different since then is to be told. */
bool webhooks_recall(struct webhooks *w, struct xod_change *c);
/* The first snapshot is in: calls that are not in it have ended meanwhile. */
void webhooks_ready(struct webhooks *w);
/* What is noted of an object is another (events_watch). */
void webhooks_note(void *webhooks, const struct xod_obj *o, bool gone);

#endif
