/* logout: the session ends, and with the user's last one the presence. A browser's token ends with
 * it; with `everywhere` all tokens and sessions of the user. */
#include "messages/messages.h"

void message_logout(struct client *c, struct request *rq)
{
    struct view token = json_get_view(rq->body, "token");
    bool everywhere = json_get_bool(rq->body, "everywhere", false);

    if (token.len || everywhere)
        login_direct_forget(c, token, everywhere);
    client_answer(c, rq, NULL, view_of(NULL, 0));
    client_close(c, "logout");
}
