/* keepalive: any line does for an answer. */
#include "internal.h"

static void keepalive(struct client *c, struct request *rq)
{
    client_answer(c, rq, NULL, view_of(NULL, 0));
}

CTI_MESSAGE(keepalive, .class = "keepalive", .handle = keepalive, .doc = "a line back");
