/*
 * Who has actions under way: one who asks for very many is not to take the places of all others,
 * nor all clients together those of state and of the gateway itself.
 */
#ifndef CTIBUS_AMI_GW_ASKERS_H
#define CTIBUS_AMI_GW_ASKERS_H

#include "base/view.h"

#define ASKERS_OF_ONE 1000 /* actions under way, of the 10,000 that there may be (actions.h) */
#define ASKERS_OF_ALL 8000

struct askers;
struct asker;
struct askers *askers_new(void); /* NULL without memory */
/* None may have anything under way. */
void askers_destroy(struct askers **a);
/* One more action of whom it names. 0 and *out (NULL for the empty name, which is not counted), to
 * be given back with asker_done; -EBUSY: they have too many; -ENOMEM. */
int asker_begin(struct askers *a, struct view name, struct asker **out);
void asker_done(struct askers *a, struct asker *one);

#endif
