/* The request ami.action. */
#ifndef CTIBUS_STATE_CALLS_AMI_FORWARD_H
#define CTIBUS_STATE_CALLS_AMI_FORWARD_H

#include "core/context.h"

void action_pass(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body);

#endif
