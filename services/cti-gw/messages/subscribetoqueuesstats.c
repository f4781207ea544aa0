/* subscribetoqueuesstats: the figures of all queues, now and as they change. */
#include "internal.h"

static void handle(struct client *c, struct request *rq)
{
    (void)rq;
    realtime_stats_subscribe(c);
}

CTI_MESSAGE(subscribetoqueuesstats, .class = "subscribetoqueuesstats", .permission = true,
            .handle = handle,
            .doc = "`getqueuesstats` with the figures of all queues, now and as they change");
