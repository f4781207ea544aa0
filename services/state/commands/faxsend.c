/* faxsend: a file that a gateway has got from a client and made ready. The message is the gateway's
 * own: a client's is never passed on. */
#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "fax/outgoing.h"
#include "sessions/sessions.h"

static void faxsend(struct state *s, struct session *se, struct deferred_reply *l,
                    const msgpack_object *message)
{
    faxes_send(s->faxes, se, l, message);
}

const struct command command_faxsend = {"faxsend", faxsend, false};
