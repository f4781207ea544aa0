/* Builds ami.action requests and sends them to the gateway of an IPBX, for clients' commands and
 * for actions of state itself. */
#ifndef CTIBUS_STATE_CORE_AMI_REQUEST_H
#define CTIBUS_STATE_CORE_AMI_REQUEST_H

#include <stdarg.h>

#include "core/context.h"

/* A body under construction: the pairs of ami.action, in the caller's buffer. */
struct ami_request {
    struct buf *out;
    size_t mark, n_headers;
};

/* Begins the body of an action; what follows adds its headers. A header may come several times. */
void ami_request_begin(struct ami_request *r, struct buf *out, struct view action);
void ami_request_header(struct ami_request *r, struct view name, struct view value);
/* Pairs of const char * and struct view, ended by NULL; empty values are left out. */
void ami_request_headers(struct ami_request *r, va_list ap);
/* Ends the headers. The body, of 2 pairs; empty when it did not fit. */
struct view ami_request_end(struct ami_request *r);

/* Sends a body of n pairs to the gateway of an IPBX whose link is up; its answer is told by
 * answer(arg, ...). False: the link is down or the body is empty (it did not
 * fit), and answer is not called. */
bool ami_request_ask(struct state *s, const struct xod_ipbx *ipbx, size_t n, struct view body,
                     uint32_t deadline_ms, bus_answer_fn *answer, void *arg);

/* An action whose answer nobody waits for: headers as of ami_request_headers. What goes wrong is
 * logged. */
void ami_request_send(struct state *s, struct xod_ipbx *ipbx, const char *action, ...);

#endif
