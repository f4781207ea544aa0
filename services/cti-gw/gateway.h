/*
 * cti-gw: the CTI clients on one side, a replica of xod and the requests of state on the other.
 * Nothing that matters lives here: sessions are leases of state.
 */
#ifndef CTIBUS_CTI_GW_GATEWAY_H
#define CTIBUS_CTI_GW_GATEWAY_H

#include "bus/bus.h"
#include "config/config.h"
#include "net/tls.h"
#include "net/ws.h"
#include "registry.h"

/* What a reload may change. */
struct gateway_limits {
    uint32_t login_timeout_ms, idle_timeout_ms; /* idle 0: never */
    uint32_t drain_ms;                          /* over which a stop sends clients away */
    bool separate_contexts;
    uint32_t lines_per_s, lines_burst; /* of a user; lines_per_s 0: no limit */
};

struct gateway_fax {
    const char *spool; /* folder of the files, also of the Asterisk */
    const char *ghostscript;
    size_t max_bytes; /* of a PDF */
};

/* Where clients come in. */
enum gateway_listener {
    LISTENER_CLEAR, /* lines in clear text */
    LISTENER_TLS,   /* the same in TLS from the first byte */
    LISTENER_WS,    /* WebSockets, a message a line */
    LISTENERS
};

struct gateway_options {
    const struct registry *messages; /* that clients may send; borrowed */
    const char *listen[LISTENERS];   /* "HOST:PORT"; NULL: not there */
    const char *const *ipbxes; /* names of the IPBXes whose users log in here, ended by NULL */
    const char *subscribe, *request;
    const char *publish;        /* for the heartbeat */
    const char *const *origins; /* of pages, for net/ws.h; lives as long as the gateway */
    uint32_t ws_ping_ms;
    bool proxy_protocol;  /* a balancer announces each client, at all listeners */
    bool tls_at_balancer; /* and has ended their TLS */
    size_t max_line, max_output, max_clients;
    size_t max_logins; /* connections that have not completed one; and of one address: */
    size_t max_logins_per_address;
    struct gateway_limits limits;
    struct gateway_fax fax; /* borrowed */
};

struct gateway;
struct gateway *gateway_new(struct loop *loop, struct bus *bus, const struct gateway_options *opt,
                            struct metrics *metrics, struct log *log, int *err);
void gateway_destroy(struct gateway **g);
/* Lets nobody in any more and ends the connections, spread over the limit drain_ms; done is called
 * when all have left, at the latest half a second after that. */
void gateway_stop(struct gateway *g, void (*done)(void *arg), void *arg);
/* The certificate for clients that come from now on, *tls may be NULL: none, so that nobody gets in
 * by TLS. Takes it: *tls becomes NULL. */
void gateway_set_tls(struct gateway *g, struct tls_ctx **tls);
/* Who may announce clients, if that is done; nobody until this is called. Takes it: *networks
 * becomes empty. */
void gateway_set_proxy_from(struct gateway *g, struct netlist *networks);
/* Reverse proxies whose header Remote-User names the user; nobody until this is called. Takes it.
 */
void gateway_set_remote_user_from(struct gateway *g, struct netlist *networks);
/* Who is greeted by a line before the login; nobody until this is called. Takes it. */
void gateway_set_banner_to(struct gateway *g, struct netlist *networks);
/* The configuration was read anew. */
void gateway_reload(struct gateway *g, const struct gateway_limits *limits);
bool gateway_is_ready(const struct gateway *g, struct buf *why);
/* The port of a listener; 0: it is not open. */
uint16_t gateway_port(const struct gateway *g, enum gateway_listener kind);

#endif
