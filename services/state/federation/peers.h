/*
 * Other sites: what federation knows of them becomes objects of xod under their names, and what our
 * users ask of them goes there.
 *
 *   peers.c     their objects, and how the link to each is
 *   ask.c       what our users ask of theirs
 *   carryout.c  what theirs ask of ours
 */
#ifndef CTIBUS_STATE_FEDERATION_PEERS_H
#define CTIBUS_STATE_FEDERATION_PEERS_H

#include "core/deferred_reply.h"
#include "sessions/sessions.h"

struct peers;
/* NULL without memory. */
struct peers *peers_new(struct state *s);
void peers_destroy(struct peers **p);
/* Takes the sites of the configuration: those that are no longer there go, with their objects. 0 or
 * -ENOMEM. */
int peers_load(struct peers *p);
/* worker.register with kind peer, and peer.apply: answered. */
void peers_register(struct state *s, struct bus_peer *from, uint64_t id,
                    const msgpack_object *body);
void peers_apply(struct state *s, struct bus_peer *from, uint64_t id, const msgpack_object *body);
void peers_gone(struct peers *p, const struct bus_peer *from);
/* Is everything known of each other site of the configuration that can be, its federation being
 * there? */
bool peers_all_there(const struct peers *p);
/* The site of another of that name, or NULL. */
struct xod_ipbx *peers_site(const struct peers *p, struct view name);
/* Its federation while the link to it is up, or NULL. */
struct bus_peer *peers_gateway(const struct peers *p, const struct xod_ipbx *site);

/* ---- ask.c ---- */
/* Cuts "SITE/" off an id that names another site: that site, else NULL. */
struct xod_ipbx *peers_cut(const struct peers *p, struct view *id);
/* Does this message ask for something of another site? Then it is sent there, and l is answered by
 * what comes of it: true. */
bool peers_take(struct state *s, struct session *se, struct deferred_reply *l,
                const msgpack_object *message);
/* A line of chat to a user of another site. False: it cannot be sent; l is not touched. */
bool peers_chat(struct state *s, const struct session *se, struct deferred_reply *l,
                const struct xod_obj *to, struct view text);

/* ---- carryout.c ---- */
/* A line of chat from a site that is logged in as a client: `from` and `to` are SITE/USER. */
void peers_chat_from(struct state *s, const struct session *se, struct deferred_reply *l,
                     const msgpack_object *message, struct view text);
/* The request peer.command: answered now or later. */
void peers_carry_out(struct state *s, struct bus_peer *from, uint64_t id,
                     const msgpack_object *body);

#endif
