/* logfromclient: a line for the log of the server. Lines over the rate limit are dropped;
 * the log escapes what it is given. */
#include "messages/messages.h"

#define MAX_TEXT 500

static struct view text_of(struct json_object *body, const char *key)
{
    struct view v = json_get_view(body, key);

    return v.len > MAX_TEXT ? view_of(v.ptr, MAX_TEXT) : v;
}

void message_logfromclient(struct client *c, struct request *rq)
{
    struct view level = text_of(rq->body, "level");
    struct view where = text_of(rq->body, "classmethod");
    struct view text = text_of(rq->body, "message");

    if (pace_allows_log(c))
        log_info(c->gw->log, "client of user %s says (%.*s) %.*s: %.*s", c->user_id,
                 VIEW_ARG(level), VIEW_ARG(where), VIEW_ARG(text));
    client_done(c, rq);
}
