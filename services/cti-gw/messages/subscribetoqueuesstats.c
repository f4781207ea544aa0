/* subscribetoqueuesstats: the figures of all queues, now and as they change. */
#include "messages/messages.h"

void message_subscribetoqueuesstats(struct client *c, struct request *rq)
{
    realtime_stats_subscribe(c);
    client_done(c, rq);
}
