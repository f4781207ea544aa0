/* The files of the web client, served on the port of the WebSocket. */
#ifndef CTIBUS_CTI_GW_PAGES_H
#define CTIBUS_CTI_GW_PAGES_H

#include "net/ws.h"

/* A ws_page_fn: "/", "/wall" and "/admin" are the application, which reads its address itself; the
 * rest are the files of web/. HTTP statuses 200, 304 and 405; 0: there is no such page. */
int pages_answer(const struct ws_page_request *rq, struct buf *answer);

/* Was the web client built in? */
bool pages_exist(void);

#endif
