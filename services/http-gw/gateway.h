/*
 * http-gw: the HTTP API for programs. It keeps a copy of xod as cti-gw does, answers what is asked
 * of lists from it, streams what happens, and passes commands to state, which decides. A token
 * names its user (state keeps the tokens); what that user's profile does not show is not there.
 */
#ifndef CTIBUS_HTTP_GW_GATEWAY_H
#define CTIBUS_HTTP_GW_GATEWAY_H

#include "bus/bus.h"
#include "config/config.h"
#include "net/tls.h"

struct http_gw_options {
    const char *listen; /* "HOST:PORT" */
    const char *publish, *subscribe, *request;
    size_t max_connections, max_output;
    uint32_t command_ms;     /* how long an answer of state to a command is waited for; 0: 10 s */
    uint32_t token_ms;       /* the same, of what it says of a token; 0: 3 s */
    uint32_t token_fresh_ms; /* a good token is asked for again after that; 0: 10 s */
};
/* What a reload may change. */
struct http_gw_limits {
    double requests_per_s, requests_burst; /* of a token; 0: no limit */
    bool separate_contexts;
};

struct http_gw;
/* Listens, and connects to the bus; webhooks are read from cfg, which is not kept. NULL and *err
 * (negative errno) on failure (logged). */
struct http_gw *http_gw_new(struct loop *loop, struct bus *bus, const struct http_gw_options *opt,
                            const struct http_gw_limits *limits, const struct config *cfg,
                            struct tls_ctx **tls, struct metrics *metrics, struct log *log,
                            int *err);
void http_gw_destroy(struct http_gw **g);
void http_gw_reload(struct http_gw *g, const struct http_gw_limits *limits,
                    const struct config *cfg);
/* Another certificate from now on; *tls is taken and becomes NULL. */
void http_gw_set_tls(struct http_gw *g, struct tls_ctx **tls);
/* Takes no requests any more, ends the streams; done is called when those under way are answered,
 * after 3 s at the latest. */
void http_gw_stop(struct http_gw *g, void (*done)(void *arg), void *arg);
bool http_gw_is_ready(const struct http_gw *g, struct buf *why);
uint16_t http_gw_port(const struct http_gw *g);

#endif
