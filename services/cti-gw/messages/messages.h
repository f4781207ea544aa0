/* The handlers of the messages that this gateway answers itself. */
#ifndef CTIBUS_CTI_GW_MESSAGES_MESSAGES_H
#define CTIBUS_CTI_GW_MESSAGES_MESSAGES_H

#include "internal.h"

typedef void message_fn(struct client *c, struct request *rq);

message_fn message_login_id, message_starttls, message_login_pass, message_login_capas,
    message_login_password, message_login_token, message_login_proxy, message_logout,
    message_keepalive, message_getlist_listid, message_getlist_snapshot,
    message_getlist_updateconfig, message_getlist_updatestatus, message_getipbxlist,
    message_get_relations, message_parking, message_faxsend, message_put_announce,
    message_get_announce, message_subscribetoqueuesstats, message_subscribe_rooms,
    message_subscribe_calls, message_subscribe_queue, message_register_agent,
    message_unregister_agent, message_register_endpoint, message_unregister_endpoint,
    message_register_user, message_unregister_user, message_logfromclient;

#endif
