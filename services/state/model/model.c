#include "model/model.h"

#include <stdlib.h>

#include "base/map.h"
#include "model/statistics.h"

typedef void event_fn(struct ipbx_model *d, const struct tel *t);

/* Two nouns have to do with it: the queue's caller, and the agent who answered. */
static void on_connect(struct ipbx_model *d, const struct tel *t)
{
    queue_answered(d, t);
    agent_connect(d, t);
}

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
    [TEL_channel_monitor] = channel_monitor,
    [TEL_channel_spy] = channel_spy,
    [TEL_channel_variable] = channel_variable,
    [TEL_dial_begin] = call_dial,
    [TEL_dial_state] = call_dial,
    [TEL_dial_end] = call_dial,
    [TEL_originate_response] = call_originated,
    [TEL_call_link] = call_link,
    [TEL_call_unlink] = call_link,
    [TEL_device_hint] = phone_hint,
    [TEL_device_custom] = phone_presence,
    [TEL_trunk_registration] = trunk_registration,
    [TEL_device_registration] = phone_registration,
    [TEL_queue_join] = queue_join,
    [TEL_queue_entry] = queue_join,
    [TEL_queue_leave] = queue_leave,
    [TEL_queue_abandon] = queue_abandoned,
    [TEL_member_status] = member_status,
    [TEL_member_added] = member_status,
    [TEL_member_paused] = member_status,
    [TEL_member_removed] = member_removed,
    [TEL_agent_login] = agent_login,
    [TEL_agent_logoff] = agent_logoff,
    [TEL_agent_called] = call_dial, /* 1.8 does not tell the dialling of queues otherwise */
    [TEL_agent_connect] = on_connect,
    [TEL_agent_complete] = agent_complete,
    [TEL_conference_join] = conference_join,
    [TEL_conference_leave] = conference_leave,
    [TEL_conference_mute] = conference_change,
    [TEL_conference_auth] = conference_change,
    [TEL_conference_pause] = conference_pause,
    [TEL_conference_end] = conference_end,
    [TEL_parking_parked] = parking_parked,
    [TEL_parking_swap] = parking_parked,
    [TEL_parking_unparked] = parking_over,
    [TEL_parking_timeout] = parking_over,
    [TEL_parking_giveup] = parking_over,
    [TEL_voicemail_waiting] = voicemail_waiting,
    [TEL_link_up] = ipbx_link,
    [TEL_link_down] = ipbx_link,
    [TEL_link_gone] = ipbx_gone,
    [TEL_resync_begin] = ipbx_resync,
    [TEL_resync_end] = ipbx_resync,
};

struct ipbx_model *ipbx_model_new(struct xod_ipbx *ipbx)
{
    struct ipbx_model *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->ipbx = ipbx;
    d->stats = statistics_new();
    if (!d->stats)
        ipbx_model_destroy(&d);
    return d;
}

void ipbx_model_destroy(struct ipbx_model **d)
{
    if (!d || !*d)
        return;
    listing_drop(*d);
    calllog_destroy(*d);
    statistics_destroy(&(*d)->stats);
    free(*d);
    *d = NULL;
}

void ipbx_model_relink(struct ipbx_model *d)
{
    phone_relink(d);
    member_relink(d);
    agent_relink(d);
    derived_update(d);
}

/* It becomes that of an older call when the two are put together, and any event may tell it first.
 */
static void take_linkedid(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *c = tel_has(t, TELF_linkedid) && tel_has(t, TELF_channel)
                            ? xod_find(d->ipbx, LIST_channels, t->str[TELF_channel])
                            : NULL;

    if (c && !calls_linkedid_is_a_logins(d, c, t->str[TELF_linkedid]))
        xod_set_str(c, XOD(channels, linkedid), t->str[TELF_linkedid]);
}

void ipbx_model_event(struct ipbx_model *d, const struct tel *t)
{
    d->synthetic = false;
    d->now = t->time;
    take_linkedid(d, t);
    if (handlers[t->event])
        handlers[t->event](d, t);
    derived_update(d);
}

bool ipbx_model_wants_tick(const struct ipbx_model *d)
{
    return d->wrapup_due > 0 || statistics_wants_tick(d);
}

void ipbx_model_tick(struct ipbx_model *d, double now)
{
    d->synthetic = true;
    d->now = now;
    agent_tick(d, now);
    queue_call_tick(d, now);
    derived_update(d);
    realtime_stats_tick(d, now);
}
