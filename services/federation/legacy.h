/* Between legacy.c (the connection and its login) and legacy_lists.c (what is asked and told over
 * it). */
#ifndef CTIBUS_FEDERATION_LEGACY_H
#define CTIBUS_FEDERATION_LEGACY_H

#include "internal.h"
#include "net/conn.h"
#include "net/tls.h"
#include "json/json.h"

enum legacy_phase { LEGACY_AWAY, LEGACY_LOGIN, LEGACY_UP };

struct legacy {
    struct fed_link *l;
    struct conn_class cls;
    struct dial *dial; /* while it is being connected */
    struct conn *conn; /* NULL: there is none */
    struct tls_ctx *tls;
    struct loop_timer *retry, *tick;
    struct xod *xod; /* what it has told */
    struct json_parser parser;
    struct buf line;
    enum legacy_phase phase;
    struct legacy_limits limits; /* none is 0 */
    unsigned tries;
    uint64_t last_rx, asked; /* monotonic us */
    int64_t command_id;
    bool parser_made;
    struct lists *lists;
};

/* ---- legacy.c ---- */
/* Begins a message of a class in g->line, with the next commandid; legacy_send closes and sends it.
 */
void legacy_begin(struct legacy *g, const char *class);
void legacy_put(struct legacy *g, const char *key, struct view value);
void legacy_send(struct legacy *g);

/* ---- legacy_lists.c ---- */
/* NULL without memory. */
struct lists *lists_new(struct legacy *g);
void lists_destroy(struct lists **ls);
/* Logged in: everything is asked for. */
void lists_begin(struct lists *ls);
/* The connection is gone: what was asked will not be answered. */
void lists_stop(struct lists *ls);
/* A line of class getlist. */
void lists_line(struct lists *ls, struct json_object *line);

#endif
