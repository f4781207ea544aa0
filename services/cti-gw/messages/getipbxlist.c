/* getipbxlist: the ids of all IPBXes. */
#include "messages/messages.h"

void message_getipbxlist(struct client *c, struct request *rq)
{
    struct buf *line = &c->gw->line;
    struct xod_ipbx *ipbx;

    buf_reset(line);
    line_begin(line, rq->class, rq->reply_id);
    buf_append_cstr(line, ",\"ipbxlist\":[");
    for (size_t i = 0; (ipbx = xod_site_at(replica_xod(c->gw->replica), i)); i++) {
        if (i)
            buf_append_char(line, ',');
        json_put_string(line, xod_ipbx_name(ipbx));
    }
    buf_append_char(line, ']');
    line_end(line);
    client_send_line(c, line);
}
