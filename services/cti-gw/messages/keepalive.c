/* keepalive: any line does for an answer. */
#include "messages/messages.h"

void message_keepalive(struct client *c, struct request *rq)
{
    client_answer(c, rq, NULL, view_of(NULL, 0));
}
