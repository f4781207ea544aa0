/* Users whose password is their login name, as those of demos: not for other machines. */
#ifndef CTIBUS_CTI_GW_GUESSABLE_H
#define CTIBUS_CTI_GW_GUESSABLE_H

#include "base/buf.h"
#include "config/config.h"

/* False: clients may come from other machines (a port for them is not on the loopback alone), a
 * list of users in a file has some whose password is the login name, and
 * ctibus.cti.guessable_passwords does not permit it; `why` says who. What cannot be read is state's
 * to tell; so is what comes over HTTP, which state warns of. */
bool guessable_check(const struct config *cfg, struct buf *why);

#endif
