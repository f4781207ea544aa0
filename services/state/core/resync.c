/* What state asks of the gateway of an Asterisk as a whole: to list everything anew, and to connect
 * now. */
#include <errno.h>

#include "base/clock.h"
#include "core/resync.h"

#define RESYNC_MS 30000
#define RECONNECT_MS 2000

/* The numbers of the phones go along: an Asterisk 1.8 cannot list its hints, they have to be asked
 * for one by one. */
int resync_ask(struct state *s, struct ipbx *ipbx)
{
    struct xod_ipbx *x = ipbx->model->ipbx;
    struct xod_obj *phone;
    struct buf pairs;
    size_t pos = 0;
    bool sent;

    if (!ipbx->gateway)
        return -ENOTCONN;
    ipbx->asked_at = clock_mono_us();
    buf_init(&pairs, 0);
    msg_put_cstr(&pairs, "hints");
    msg_put_array(&pairs, xod_count(x, LIST_phones));
    while ((phone = xod_next(x, LIST_phones, &pos))) {
        char scratch[32];
        msg_put_array(&pairs, 2);
        msg_put_str(&pairs, value_text(xod_get(phone, XOD(phones, number)), scratch));
        msg_put_str(&pairs, value_text(xod_get(phone, XOD(phones, context)), scratch));
    }
    sent = !pairs.failed && bus_server_ask(s->server, ipbx->gateway, METHOD_resync, 1,
                                           buf_view(&pairs), RESYNC_MS, NULL, NULL);
    buf_free(&pairs);
    return sent ? 0 : -EAGAIN;
}

/* All of them: which one is to own it shows when they are connected. */
int resync_reconnect(struct state *s, struct ipbx *ipbx)
{
    size_t sent = 0;

    for (size_t i = 0; i < ipbx->n_entries; i++)
        if (bus_server_ask(s->server, ipbx->entries[i].peer, METHOD_ami_reconnect, 0,
                           view_of(NULL, 0), RECONNECT_MS, NULL, NULL))
            sent++;
    if (ipbx->n_entries == 0)
        return -ENOTCONN;
    return sent ? 0 : -EAGAIN;
}
