/* What an administrator asks of webhooks: which there are, their dead letters, to send those again
 * or to drop them (`ctibus webhooks`). */
#ifndef CTIBUS_HTTP_GW_LETTERS_H
#define CTIBUS_HTTP_GW_LETTERS_H

#include "bus/bus.h"
#include "hooks/hooks.h"

/* Answers the request `webhooks` with this id, now or when the database has been read. *hooks is
 * NULL by then if http-gw ends; hooks itself lives until the database of *hooks is closed. */
void letters_request(struct hooks *const *hooks, struct bus_client *client, uint64_t id,
                     const msgpack_object *body);

#endif
