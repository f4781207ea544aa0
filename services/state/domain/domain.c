#include "domain/domain.h"

#include <stdlib.h>

#include "base/map.h"

typedef void event_fn(struct domain *d, const struct tel *t);

/* Which file understands which event. Those without a row are of no concern here yet. */
static event_fn *const handlers[TEL_EVENT_COUNT] = {
    [TEL_channel_new] = channel_new,
    [TEL_channel_state] = channel_state,
    [TEL_channel_callerid] = channel_party,
    [TEL_channel_connected] = channel_party,
    [TEL_channel_rename] = channel_rename,
    [TEL_channel_hangup] = channel_hangup,
    [TEL_channel_hold] = channel_hold,
    [TEL_channel_unhold] = channel_hold,
    [TEL_dial_begin] = call_dial,
    [TEL_dial_state] = call_dial,
    [TEL_dial_end] = call_dial,
    [TEL_call_link] = call_link,
    [TEL_call_unlink] = call_link,
    [TEL_device_hint] = phone_hint,
    [TEL_device_registration] = phone_registration,
    [TEL_link_up] = ipbx_link,
    [TEL_link_down] = ipbx_link,
    [TEL_resync_begin] = ipbx_resync,
    [TEL_resync_end] = ipbx_resync,
};

struct domain *domain_new(struct xod_site *site)
{
    struct domain *d = calloc(1, sizeof(*d));

    if (d)
        d->site = site;
    return d;
}

void domain_event(struct domain *d, const struct tel *t)
{
    d->synthetic = false;
    if (handlers[t->event])
        handlers[t->event](d, t);
}
