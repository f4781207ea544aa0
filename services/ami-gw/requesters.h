/*
 * Actions under way of each requester: one with very many must not take the places of all others,
 * nor all clients together those of state and of the gateway itself.
 */
#ifndef CTIBUS_AMI_GW_REQUESTERS_H
#define CTIBUS_AMI_GW_REQUESTERS_H

#include "base/view.h"

#define REQUESTERS_OF_ONE                                                                          \
    1000 /* actions under way, of the 10,000 that there may be (actions.h)                         \
          */
#define REQUESTERS_OF_ALL 8000

struct requesters;
struct requester;
struct requesters *requesters_new(void); /* NULL without memory */
/* None may have anything under way. */
void requesters_destroy(struct requesters **a);
/* Counts one more action of the requester `name`. 0 and *out (NULL for the empty name, which is not
 * counted), to be given back with requester_done; -EBUSY: they have too many; -ENOMEM. */
int requester_begin(struct requesters *a, struct view name, struct requester **out);
void requester_done(struct requesters *a, struct requester *one);

#endif
