/* Changes of what a user keeps of people: contacts and favorites. Each is checked against what is
 * there, written, and answered when it is on disk. */
#ifndef CTIBUS_STATE_PEOPLE_CONTACT_CHANGE_H
#define CTIBUS_STATE_PEOPLE_CONTACT_CHANGE_H

#include "core/deferred_reply.h"
#include "people/favorites.h"
#include "sessions/sessions.h"

/* What a user has. Between this being read and a change being written, another session of the same
 * user may add something: the bounds are exceeded by as much at most. */
struct kept {
    int64_t contacts, bytes, favorites;
    bool found; /* the contact of the change is there */
};

struct contact_change {
    struct state *s;
    struct deferred_reply *l;
    struct xod_ipbx *ipbx;
    char user_id[64];
    int64_t id; /* of a contact */
    char source[FAVORITES_MAX_TEXT + 1], entry[FAVORITES_MAX_TEXT + 1];
    struct buf text; /* whatever is to be written */
    struct kept now;
    /* NULL, or a word for the client: nothing is written. It may be NULL itself. */
    const char *(*check)(const struct contact_change *k);
    /* Adds what is to be written to t, and n pairs of the answer. */
    void (*fill)(struct contact_change *k, struct db_txn *t);
    struct buf pairs;
    size_t n;
};

/* For a session's user. NULL: l has been answered. */
struct contact_change *contact_change_new(struct state *s, const struct session *se,
                                          struct deferred_reply *l);
/* Reads `source` and `source_entry_id` of a message (the id may be a number) into k, and puts them
 * into its answer. False: they are missing, too long or no texts. */
bool contact_change_entry(struct contact_change *k, const msgpack_object *message);
/* Does it. Takes k, and answers its `l`. */
void contact_change_run(struct contact_change *k);
/* Answers with the pairs, without writing. Takes k. */
void contact_change_answer(struct contact_change *k);
/* Answers with what is wrong instead. Takes k. */
void contact_change_refuse(struct contact_change *k, const char *why);
struct view contact_change_site(const struct contact_change *k);
struct view contact_change_user(const struct contact_change *k);

#endif
