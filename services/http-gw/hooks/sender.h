/*
 * Sends what webhooks send: POST requests by libcurl, many at a time, on the loop.
 *
 * Certificates are verified; no redirect is followed; nothing of the environment is used. Addresses
 * of private networks and of this machine are not connected to unless the host may be private
 * (ctibus.webhook_hosts): a person who names the URL, or answers for its name in the DNS, could
 * otherwise reach what only this machine reaches.
 */
#ifndef CTIBUS_HTTP_GW_SENDER_H
#define CTIBUS_HTTP_GW_SENDER_H

#include "base/view.h"
#include "loop/loop.h"

struct sender;
struct sending;

struct sending_request {
    const char *url; /* borrowed until it is done, as is `body` */
    struct view body;
    const char *const *headers; /* lines without their ends, ended by NULL; copied */
    bool may_be_private;
};
/* status: of HTTP, 0: there was no answer; why: in words, "" when there was one. */
typedef void sending_fn(void *arg, long status, const char *why);

/* ca: file (PEM) to believe, or NULL: the system's store; copied. NULL without memory. */
struct sender *sender_new(struct loop *loop, const char *ca);
/* What is under way ends without a callback. */
void sender_destroy(struct sender **s);
/* Calls done once, later. NULL without memory. */
struct sending *sender_send(struct sender *s, const struct sending_request *rq, sending_fn *done,
                            void *arg);

#endif
