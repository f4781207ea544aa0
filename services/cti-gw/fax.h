/*
 * Faxes: a PDF comes from a client, in base64, in its message or over a second, silent connection;
 * a worker makes a TIFF of it (convert.h); state lets the Asterisk send that. The files are ours,
 * and are removed when it is over, whichever way.
 */
#ifndef CTIBUS_CTI_GW_FAX_H
#define CTIBUS_CTI_GW_FAX_H

#include "internal.h"

struct faxes;
/* The options are borrowed. NULL without memory. */
struct faxes *faxes_new(struct gateway *g, const struct gateway_fax *opt);
void faxes_destroy(struct faxes **f);
/* About five times a second: what takes too long is given up, and files that an earlier process has
 * left are removed. */
void faxes_tick(struct faxes *f, uint64_t now_us);

/* How many come in or are being converted: what a stop would cut off. */
size_t faxes_unsent(const struct faxes *f);

/* A client wants to send one. Its id, to be told to the client, or NULL and *why. */
struct fax *fax_announce(struct faxes *f, struct client *c, struct view destination,
                         struct view hide, const char **why);
const char *fax_id(const struct fax *x);
/* The whole of it is here. False: it is no base64, or too large; it is given up and said. */
bool fax_take(struct fax *x, struct view base64);
/* Fax `id` of this client comes over another connection, from this port if that is known (0). */
enum fax_place {
    FAX_NOWHERE, /* there is no such fax */
    FAX_HERE,    /* that connection is here */
    FAX_TO_COME  /* it is to come, or is with another gateway: state must be told */
};
enum fax_place fax_expect(struct faxes *f, struct client *c, struct view id, uint16_t port);

/* Is this connection, which has not begun a login, the one over which a fax is to come? */
enum fax_claim {
    FAX_NOT,
    FAX_CLAIMED, /* what arrives is for fax_data */
    FAX_ASKED    /* state is asked; it is paused until then, and asks again */
};
enum fax_claim fax_claims(struct faxes *f, struct client *c, struct view in);
/* Bytes of it; true: it is complete, the connection is to be closed. */
bool fax_data(struct client *c, struct view in);
/* The connection has ended. */
void fax_source_gone(struct client *c);

/* State tells: the bytes of this fax come to another gateway; they are in the spool, or (reason not
 * empty) will not be. False: it is not expected here. */
bool fax_is_elsewhere(struct faxes *f, struct view id);
bool fax_arrived(struct faxes *f, struct view id, struct view reason);

/* Bytes of the longest line with a fax in it. */
size_t fax_max_line(const struct gateway *g);

#endif
