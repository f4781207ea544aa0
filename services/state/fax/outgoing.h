/* Faxes that an Asterisk sends, until it has told how it went. */
#ifndef CTIBUS_STATE_FAX_OUTGOING_H
#define CTIBUS_STATE_FAX_OUTGOING_H

#include "calls/ipbx_command.h"
#include "model/tel.h"

struct faxes;
struct faxes *faxes_new(struct state *s);
void faxes_destroy(struct faxes **f);
/* The file of this path is to be sent for the session; l is answered when that is over. */
void faxes_send(struct faxes *f, struct session *se, struct deferred_reply *l,
                const msgpack_object *message);
/* An event of an IPBX. */
void faxes_event(struct faxes *f, struct xod_ipbx *ipbx, const struct tel *t);

#endif
