/* dtmf: keys of the telephone, sent into the user's call. */
#include <stdio.h>
#include <string.h>

#include "calls/ipbx_command.h"
#include "model/model.h"

#define MAX_DIGITS 32 /* a card number, a code and # */
#define MAX_NAME 128  /* of a channel; Asterisk has 80 */
#define AMI_WITH_RECEIVE                                                                           \
    7 /* the AMI of Asterisk 18; 16.8 and 17.2 have it, too, and do not say so */

/* What is still to be sent. */
struct digits {
    char channel[MAX_NAME];
    char left[MAX_DIGITS + 1];
    bool receive; /* as if the phone of this channel had sent them; else they are sent out on it */
};

/* PlayDTMF says what a channel's own phone hears, unless it takes the header Receive. */
static bool takes_receive(const struct xod_ipbx *ipbx)
{
    const struct xod_obj *o = xod_find(ipbx, LIST_ipbx, xod_ipbx_name(ipbx));
    struct view version = o ? xod_get_str(o, XOD(ipbx, banner)) : view_of(NULL, 0);
    uint64_t major;

    view_cut(&version, '/');
    return view_to_u64(view_cut(&version, '.'), &major) == 0 && major >= AMI_WITH_RECEIVE;
}

static bool are_digits(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr("0123456789*#ABCD", text.ptr[i]))
            return false;
    return text.len > 0 && text.len <= MAX_DIGITS;
}

static void take_first(struct digits *d)
{
    memmove(d->left, d->left + 1, strlen(d->left));
}

/* One at a time: Asterisk tells nothing else on the connection while a tone lasts, and two that are
 * the same would be one action. */
static void on_sent(struct ami_batch *j, const struct outcome *out)
{
    struct digits *d = j->ctx;
    char digit[2] = {*d->left, '\0'};

    if (!out->good || !*digit) {
        ami_batch_notify_response(j, out);
        return;
    }
    take_first(d);
    if (!ami_batch_action(j, "PlayDTMF", "Channel", view_cstr(d->channel), "Digit",
                          view_cstr(digit), "Receive", d->receive ? VIEW("true") : view_of(NULL, 0),
                          NULL))
        ami_batch_notify_response(j, &(struct outcome){.reason = "noconn"});
}

static void send_first(struct ipbx_command *o, const struct xod_obj *channel, bool receive,
                       struct view text)
{
    struct digits *d = ipbx_command_ctx(o, sizeof(*d));

    if (!d)
        return;
    snprintf(d->channel, sizeof(d->channel), "%.*s", VIEW_ARG(xod_obj_id(channel)));
    snprintf(d->left, sizeof(d->left), "%.*s", VIEW_ARG(text));
    d->receive = receive;
    o->batch->done = on_sent;
    ipbx_command_action(o, "PlayDTMF", "Channel", view_cstr(d->channel), "Digit",
                        view_of(d->left, 1), "Receive", receive ? VIEW("true") : view_of(NULL, 0),
                        NULL);
    take_first(d);
}

/* To the other end of the call; without one (an application, a room) the digits come from the
 * user's own channel. */
void ipbx_dtmf(struct ipbx_command *o)
{
    bool named = msg_get(o->message, "channel");
    struct xod_obj *own = named ? ipbx_command_channel(o, "channel") : ipbx_command_current(o);
    struct xod_obj *peer = own ? channel_peer(own) : NULL;
    char scratch[32];
    struct view text = msg_get_text(o->message, "digits", scratch);

    if (!are_digits(text))
        ipbx_command_wrong(o, "digits", "no_digits");
    else if (!own || !ipbx_command_is_own(o, own))
        ipbx_command_wrong(o, "channel", named ? "no_such_channel" : "no_call");
    else if (channel_is_ringing(own))
        ipbx_command_wrong(o, "channel", "not_in_call");
    else if (!peer && !takes_receive(o->ipbx))
        ipbx_command_wrong(o, "channel", "dtmf_needs_peer");
    else if (xod_obj_id(peer ? peer : own).len >= MAX_NAME)
        ipbx_command_wrong(o, "channel", "too_long");
    else
        send_first(o, peer ? peer : own, !peer, text);
}
