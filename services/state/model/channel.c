/* Channels: what one call leg is and does, by its Asterisk name. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "model/model.h"

/* Asterisk's states (channelstate.h, as AMI's ChannelState gives them) by their names. */
static const char *state_name(int64_t state)
{
    static const char *const names[] = {
        "Down", "Rsrvd", "OffHook",         "Dialing",  "Ring",   "Ringing",
        "Up",   "Busy",  "Dialing Offhook", "Pre-ring", "Unknown"};

    return names[state >= 0 && state < 10 ? state : 10];
}

struct xod_obj *channel_named(struct ipbx_model *d, struct view name)
{
    struct xod_obj *c = name.len ? xod_find(d->ipbx, LIST_channels, name) : NULL;

    if (c)
        listing_note(d, LISTING_CHANNELS, name, view_of(NULL, 0));
    return c;
}

struct xod_obj *channel_peer(const struct xod_obj *channel)
{
    return xod_find(xod_obj_ipbx(channel), LIST_channels,
                    xod_get_str(channel, XOD(channels, talkingto_id)));
}

bool channel_is_linked(const struct xod_obj *channel)
{
    return view_starts(xod_get_str(channel, XOD(channels, commstatus)), VIEW("linked"));
}

bool channel_is_ringing(const struct xod_obj *channel)
{
    return view_eq(xod_get_str(channel, XOD(channels, commstatus)), VIEW("ringing"));
}

void channel_commstatus(struct xod_obj *channel, const char *commstatus, double now)
{
    if (view_eq(xod_get_str(channel, XOD(channels, commstatus)), view_cstr(commstatus)))
        return;
    xod_set_str(channel, XOD(channels, commstatus), view_cstr(commstatus));
    xod_set_float(channel, XOD(channels, timestamp), now);
}

int channel_made(const struct xod_obj *channel, double *epoch, int64_t *number)
{
    struct view id = xod_get_str(channel, XOD(channels, uniqueid));
    const char *dash = id.len ? memrchr(id.ptr, '-', id.len) : NULL;
    struct view rest = dash ? view_of(dash + 1, id.len - (size_t)(dash + 1 - id.ptr)) : id;
    struct view seconds = view_cut(&rest, '.');
    int64_t n;

    if (view_to_i64(seconds, &n) < 0 || n <= 0 || view_to_i64(rest, number) < 0)
        return -ENOENT;
    *epoch = (double)n;
    return 0;
}

static void set_if(struct xod_obj *c, unsigned field, const struct tel *t, enum tel_field f)
{
    if (tel_has(t, f))
        xod_set_str(c, field, t->str[f]);
}

/* Some drivers (chan_dahdi) show the caller's channel as Ringing while the other end rings: the
 * state says who called only where nothing else has said it. */
static void take_state(struct xod_obj *c, const struct tel *t)
{
    struct view direction = xod_get_str(c, XOD(channels, direction));
    bool linked = xod_get(c, XOD(channels, talkingto_id))->type == V_STR &&
                  view_starts(xod_get_str(c, XOD(channels, commstatus)), VIEW("linked"));

    if (!tel_has(t, TELF_state))
        return;
    xod_set_str(c, XOD(channels, state), view_cstr(state_name(t->num[TELF_state])));
    if (linked)
        return;
    if (t->num[TELF_state] == 4 && !view_eq(direction, VIEW("in"))) {
        xod_set_str(c, XOD(channels, direction), VIEW("out"));
        channel_commstatus(c, "calling", t->time);
    } else if (t->num[TELF_state] == 5 && !view_eq(direction, VIEW("out"))) {
        xod_set_str(c, XOD(channels, direction), VIEW("in"));
        channel_commstatus(c, "ringing", t->time);
    }
}

/* Asterisk before 12 makes a channel of such a name only to have it masqueraded into another the
 * next moment; what is left over of a masquerade may stand in its listings for long. */
static bool is_pseudo_channel(struct view name)
{
    static const struct view zombie = VIEW("<ZOMBIE>");
    static const struct view kinds[] = {VIEW("AsyncGoto/"),  VIEW("Parked/"),  VIEW("Parking/"),
                                        VIEW("Transfered/"), VIEW("SIPPeer/"), VIEW("Surrogate/"),
                                        VIEW("Bridge/")};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (view_starts(name, kinds[i]))
            return true;
    return name.len > zombie.len &&
           view_eq(view_of(name.ptr + name.len - zombie.len, zombie.len), zombie);
}

/* A listing may tell of a channel that is there for long; a clock that is wrong by more than that
 * says nothing. */
static double made_at(const struct xod_obj *c, const struct tel *t)
{
    double epoch;
    int64_t number;

    if (!t->resync || channel_made(c, &epoch, &number) < 0 || epoch > t->time ||
        t->time - epoch > 86400)
        return t->time;
    return epoch;
}

void channel_new(struct ipbx_model *d, const struct tel *t)
{
    struct view name = t->str[TELF_channel];
    struct xod_obj *c;
    bool known;

    if (!tel_has(t, TELF_channel) || name.len == 0 || is_pseudo_channel(name))
        return;
    c = xod_find(d->ipbx, LIST_channels, name);
    /* Names are used again (after a restart of Asterisk, and by agents), uniqueids are not. */
    if (c && tel_has(t, TELF_uniqueid) && xod_get_str(c, XOD(channels, uniqueid)).len &&
        !view_eq(xod_get_str(c, XOD(channels, uniqueid)), t->str[TELF_uniqueid])) {
        channel_remove(d, c, false);
        c = NULL;
    }
    known = c != NULL;
    c = xod_add(d->ipbx, LIST_channels, name);
    if (!c)
        return;
    listing_note(d, LISTING_CHANNELS, name, view_of(NULL, 0));
    if (!known) {
        set_if(c, XOD(channels, uniqueid), t, TELF_uniqueid);
        xod_set_float(c, XOD(channels, timestamp), made_at(c, t));
        phone_link_channel(d, c);
        calllog_started(d, c, made_at(c, t), t->resync);
    }
    set_if(c, XOD(channels, uniqueid), t, TELF_uniqueid);
    set_if(c, XOD(channels, linkedid), t, TELF_linkedid);
    set_if(c, XOD(channels, exten), t, TELF_exten);
    party_take(d, c, t);
    take_state(c, t);
    if (xod_get(c, XOD(channels, context))->type == V_NULL)
        set_if(c, XOD(channels, context), t, TELF_context);
}

void channel_state(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);

    if (!c)
        return;
    party_take(d, c, t);
    take_state(c, t);
}

void channel_party(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);

    if (c)
        party_take(d, c, t);
}

static void copy_field(struct xod_obj *to, const struct xod_obj *from, unsigned field)
{
    struct value v;

    if (value_copy(&v, xod_get(from, field)) == 0)
        xod_set(to, field, &v);
}

static void copy_all(struct xod_obj *to, const struct xod_obj *from)
{
    for (unsigned f = 0; f < schema_list(LIST_channels)->n_fields; f++)
        if (f != XOD(channels, relations)) /* follows from its own ties */
            copy_field(to, from, f);
}

/* Everything that names the channel called `old` names `channel`. */
static void moved(struct ipbx_model *d, struct xod_obj *old, struct xod_obj *channel)
{
    hold_move(d, old, channel);
    call_move(d, old, channel);
    queue_channel_renamed(d, old, channel);
    conference_channel_renamed(d, old, channel);
    parking_channel_renamed(d, old, channel);
}

/*
 * A masquerade of Asterisk before 12: `old` (the original) lives on under the name `new` (the
 * clone's), with its own Uniqueid and its own place in the call, but on the clone's device and so
 * in its state; what the clone was is a zombie that only waits for its hangup. So the channel
 * called `new` takes over what `old` was doing.
 */
static void masquerade(struct ipbx_model *d, struct xod_obj *old, struct xod_obj *clone)
{
    static const unsigned taken[] = {XOD(channels, uniqueid),
                                     XOD(channels, commstatus),
                                     XOD(channels, timestamp),
                                     XOD(channels, talkingto_kind),
                                     XOD(channels, talkingto_id),
                                     XOD(channels, peerdisplay),
                                     XOD(channels, parked),
                                     XOD(channels, exten),
                                     XOD(channels, meetme_ismeetme),
                                     XOD(channels, meetme_isadmin),
                                     XOD(channels, meetme_ismuted),
                                     XOD(channels, meetme_isauthed),
                                     XOD(channels, meetme_usernum),
                                     XOD(channels, queue_call),
                                     XOD(channels, queue_of),
                                     XOD(channels, peer_name),
                                     XOD(channels, peer_number),
                                     XOD(channels, connected_name),
                                     XOD(channels, connected_num),
                                     XOD(channels, peer_gone),
                                     XOD(channels, linkedid),
                                     XOD(channels, call),
                                     XOD(channels, holds)};
    struct view direction = xod_get_str(old, XOD(channels, direction));

    calls_left(d, clone);
    call_forget(d, clone);
    queue_channel_gone(d, clone, false);
    conference_channel_gone(d, clone);
    parking_channel_gone(d, clone);
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
        copy_field(clone, old, taken[i]);
    if (direction.len)
        copy_field(clone, old, XOD(channels, direction));
    moved(d, old, clone); /* after that `old` shows no queue and no room */
    xod_set_null(old, XOD(channels, talkingto_id)); /* it is the clone's now */
    channel_remove(d, old, false);
}

/* The original of this masquerade was made for it: the clone leaves whatever it was in, and begins
 * anew where the dialplan is told to go on. */
static void begin_anew(struct ipbx_model *d, struct xod_obj *clone, const struct tel *t)
{
    call_forget(d, clone);
    call_ended(d, clone, t->time);
    queue_channel_gone(d, clone, false);
    conference_channel_gone(d, clone);
    parking_channel_gone(d, clone);
    set_if(clone, XOD(channels, uniqueid), t, TELF_uniqueid);
}

void channel_rename(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *old = xod_find(d->ipbx, LIST_channels, t->str[TELF_old]);
    struct view name = t->str[TELF_new_name];
    struct xod_obj *other;

    if (!old && is_pseudo_channel(t->str[TELF_old]) && (other = channel_named(d, name))) {
        begin_anew(d, other, t);
        listing_note_link(d, name, false);
    }
    if (!old || name.len == 0)
        return;
    calls_left(d, old);
    listing_note(d, LISTING_CHANNELS, name, view_of(NULL, 0));
    other = xod_find(d->ipbx, LIST_channels, name);
    if (other == old)
        return;
    if (other) {
        masquerade(d, old, other);
        listing_note_link(d, name, channel_is_linked(other));
        return;
    }
    other = xod_add(d->ipbx, LIST_channels, name);
    if (!other)
        return;
    copy_all(other, old);
    moved(d, old, other);
    calllog_renamed(d, old, other);
    phone_link_channel(d, other);
    xod_set_null(old, XOD(channels, talkingto_id));
    channel_remove(d, old, false);
    listing_note_link(d, name, channel_is_linked(other));
}

void channel_remove(struct ipbx_model *d, struct xod_obj *channel, bool hung_up)
{
    calllog_ended(d, channel);
    calls_left(d, channel);
    call_forget(d, channel);
    queue_channel_gone(d, channel, hung_up);
    conference_channel_gone(d, channel);
    parking_channel_gone(d, channel);
    phone_untie_channel(d, channel);
    xod_del(channel);
}

/* Agents' channels of Asterisk 1.8 (Agent/2001) have no number at their end, so the next call uses
 * the name again, maybe before the hangup of the last is told. Other names never come again. */
static bool name_is_used_again(const struct xod_obj *c, const struct tel *t)
{
    struct view name = xod_obj_id(c);
    struct view uniqueid = xod_get_str(c, XOD(channels, uniqueid));

    return !memchr(name.ptr, '-', name.len) && uniqueid.len && tel_has(t, TELF_uniqueid) &&
           !view_eq(uniqueid, t->str[TELF_uniqueid]);
}

void channel_hangup(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *c = xod_find(d->ipbx, LIST_channels, t->str[TELF_channel]);

    if (!c || name_is_used_again(c, t))
        return;
    calllog_cause(d, c, t->num[TELF_cause]);
    channel_remove(d, c, true);
}

/* Several MixMonitors may run, each is started and stopped once; that one is muted or heard again
 * says only that there is one. */
void channel_monitor(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);
    int64_t running;

    if (!c || !tel_has(t, TELF_on))
        return;
    running = xod_get(c, XOD(channels, recordings))->i;
    if (tel_has(t, TELF_muted))
        running = running > 0 ? running : 1;
    else
        running += t->num[TELF_on] ? 1 : -1;
    running = running < 0 ? 0 : running;
    xod_set_int(c, XOD(channels, recordings), running);
    xod_set_bool(c, XOD(channels, monitored), running > 0);
    if (t->num[TELF_on])
        calllog_recorded(d, c);
}

/* A ChanSpy still listens to the channel of that name. */
static void update_spied(struct ipbx_model *d, struct view spied)
{
    struct xod_obj *c = spied.len ? xod_find(d->ipbx, LIST_channels, spied) : NULL;

    if (c)
        xod_set_bool(c, XOD(channels, spy),
                     xod_lookup(d->ipbx, LIST_channels, XOD(channels, spying), spied, 0) != NULL);
}

static void stop_spying(struct ipbx_model *d, struct xod_obj *spyer)
{
    struct view spied = xod_get_str(spyer, XOD(channels, spying));
    char *name = spied.len ? view_dup(spied) : NULL;

    xod_set_null(spyer, XOD(channels, spying));
    if (name)
        update_spied(d, view_cstr(name));
    free(name);
}

/* The end of it names both channels, or (1.8) only who was listened to, or (13) only who listened.
 */
void channel_spy(struct ipbx_model *d, const struct tel *t)
{
    struct view spied = t->str[TELF_spied];
    struct xod_obj *spyer = channel_named(d, t->str[TELF_channel]);
    struct view before;

    if (tel_has(t, TELF_on) && t->num[TELF_on]) {
        if (spyer && spied.len)
            xod_set_str(spyer, XOD(channels, spying), spied);
        update_spied(d, spied);
        return;
    }
    if (!spyer && spied.len)
        spyer = xod_lookup(d->ipbx, LIST_channels, XOD(channels, spying), spied, 0);
    if (!spyer)
        return;
    before = xod_get_str(spyer, XOD(channels, spying));
    if (spied.len == 0 || view_eq(before, spied))
        stop_spying(d, spyer);
}

/* What an originate of ours is known by, and how a call left a queue. */
void channel_variable(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *c = channel_named(d, t->str[TELF_channel]);

    if (c && view_eq(t->str[TELF_name], VIEW("XIVO_ORIGACTIONID")) && tel_has(t, TELF_value))
        xod_set_str(c, XOD(channels, autocall), t->str[TELF_value]);
    else if (c && view_eq(t->str[TELF_name], VIEW("QUEUESTATUS")))
        queue_status(d, t);
}
