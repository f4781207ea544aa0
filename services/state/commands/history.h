/* history in its later form: pages, with a cursor. */
#ifndef CTIBUS_STATE_COMMANDS_HISTORY_H
#define CTIBUS_STATE_COMMANDS_HISTORY_H

#include "base/array.h"
#include "commands/commands.h"

/* Is the message of that form: does it have a field that the first one has not? (Some clients of
 * that have a `direction`, in words of their own.) */
bool history_is_page(const msgpack_object *message);
/* Answers it: `calls`, and `next`, the cursor of the next page or null. */
void history_page(struct state *s, struct session *se, struct deferred_reply *l,
                  const msgpack_object *message);

#endif
