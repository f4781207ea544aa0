/* Actions that state asks for by itself. */
#ifndef CTIBUS_STATE_CORE_AMI_REQUEST_H
#define CTIBUS_STATE_CORE_AMI_REQUEST_H

#include "core/context.h"

/* Headers as pairs of const char * and struct view, ended by NULL. What goes wrong is logged: there
 * is nobody to tell. */
void ami_request_send(struct state *s, struct xod_ipbx *ipbx, const char *action, ...);

#endif
