/* logout: the session ends, and with the user's last one the presence. */
#include "messages/messages.h"

void message_logout(struct client *c, struct request *rq)
{
    client_answer(c, rq, NULL, view_of(NULL, 0));
    client_close(c, "logout");
}
