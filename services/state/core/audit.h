/* What clients did, for the operator and for subscribers. */
#ifndef CTIBUS_STATE_CORE_AUDIT_H
#define CTIBUS_STATE_CORE_AUDIT_H

#include "core/deferred_reply.h"

/* `address`: where the client is, empty: not known. */
void ctilog_session(struct state *s, struct xod_ipbx *ipbx, struct view user_id, struct view id,
                    bool opened, struct view why, struct view address);
void ctilog_command(struct state *s, struct xod_ipbx *ipbx, struct view user_id, struct view class,
                    enum bus_status outcome, uint64_t us, bool quiet);
/* A row with what a client wrote; l is answered when it is on disk. */
void ctilog_detail(struct state *s, struct xod_ipbx *ipbx, struct view user_id, struct view class,
                   struct view detail, struct deferred_reply *l);
/* Deletes what is older than `ctibus.retention.*` say, from all logs. */
void ctilog_expire(struct state *s, double now);

#endif
