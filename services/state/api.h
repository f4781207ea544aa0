/* The requests of http-gw, and those of tools about its tokens. */
#ifndef CTIBUS_STATE_API_H
#define CTIBUS_STATE_API_H

#include "core/context.h"

struct api;
struct api *api_new(struct state *s); /* NULL without memory */
void api_destroy(struct api **a);
/* The tokens of the database, before it is started. 0 or a negative error. */
int api_restore(struct api *a);
/* Ends tokens whose time is over. */
void api_expire(struct api *a, double now);

/* The requests; each answers its own. */
void api_open(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void api_command(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);
void admin_api_tokens(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
