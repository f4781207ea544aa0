/* Which IPBX a FastAGI session belongs to: its script begins with the name of one
 * (agi://host/lyon/presence), or it comes from the address of one; where there is only one, it is
 * that one. */
#ifndef CTIBUS_FAGI_GW_IPBXES_H
#define CTIBUS_FAGI_GW_IPBXES_H

#include <sys/socket.h>

#include "ami/ami.h"
#include "config/config.h"
#include "log/log.h"
#include "loop/loop.h"

struct ipbxes;
struct ipbx {
    char *name;
    enum ami_charset charset; /* of texts that are no UTF-8 */
};

/* NULL without memory. */
struct ipbxes *ipbxes_new(struct loop *loop, struct log *log);
void ipbxes_destroy(struct ipbxes **s);
/* Takes those of the configuration. 0 or -ENOMEM. */
int ipbxes_load(struct ipbxes *s, const struct config *cfg);
/* May a script be asked for from this address? It is an IPBX's (as far as is known now: a name may
 * have to be looked up first), or in ctibus.access.fagi. */
bool ipbxes_let_in(struct ipbxes *s, const struct sockaddr *peer);
/* The IPBX, borrowed until the next ipbxes_load, or NULL: nobody's. *script loses the name in front
 * of it. */
const struct ipbx *ipbxes_find(struct ipbxes *s, const struct sockaddr *peer, struct view *script);

#endif
