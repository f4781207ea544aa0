/*
 * The domain: what an event of an Asterisk means for the objects of its IPBX.
 *
 * Pure: event and store in, changes of the store out; no sockets, no clocks (the time comes with
 * the event). One file a noun. The caller commits the store after each event.
 */
#ifndef CTIBUS_STATE_MODEL_MODEL_H
#define CTIBUS_STATE_MODEL_MODEL_H

#include "model/tel.h"
#include "xod/xod.h"

struct ipbx_model;
struct statistics;

/* Which listing is under way: they come one after another. */
enum listing {
    LISTING_NONE,
    LISTING_CHANNELS,
    LISTING_QUEUES,
    LISTING_CONFERENCES,
    LISTING_PARKING,
    LISTING_HINTS,
    LISTING_PRESENCES,
    LISTING_PEERS, /* the phones of the lists are compared with it */
    LISTING_REGISTRATIONS,
    LISTING_OTHER /* one after which nothing is taken for gone */
};

/* What a call that is over was for a user, for the call log: one entry for each call and user. The
 * views live as long as the call of `call`. */
enum call_mode {
    CALL_SENT,
    CALL_ANSWERED,
    CALL_MISSED,   /* so far as the protocol's history numbers them */
    CALL_ELSEWHERE /* it rang, and somebody else answered */
};
struct call_entry {
    enum call_mode mode;
    struct view user_id;      /* empty: what the call was for its queue, answered or missed */
    double start;             /* seconds since 1970 */
    double duration;          /* seconds it was talked; 0: not answered */
    struct view name, number; /* of the other end, as far as they are known */
    struct view call;         /* id of the call, of the list calls */
    struct view queue;        /* name of the queue whose call it was, or empty */
    struct view answered_by;  /* name (or number) of who answered first, or empty */
    bool recorded;
};

/* Something that happened in a queue, for its log: what statistics are made from, also after a
 * restart. */
enum queue_event_kind { QUEUE_JOIN, QUEUE_LINK, QUEUE_LOST, QUEUE_LEFT };
struct queue_event {
    enum queue_event_kind kind; /* came, was answered, hung up, left otherwise */
    struct view queue_id;       /* in xod, of the list queues */
    double time;                /* seconds since 1970 */
    double waited;              /* seconds, of all but QUEUE_JOIN */
};

/* What is to be kept of what happens: the domain itself has no disk. Either may be NULL. */
struct ipbx_model_effects {
    void (*call)(void *arg, struct ipbx_model *d, const struct call_entry *e);
    void (*queue)(void *arg, struct ipbx_model *d, const struct queue_event *e);
};

/* The phones of the lists that the last complete listing of peers did not name. */
struct unknown_phones {
    size_t n;
    size_t n_pjsip;    /* of them SIP/NAME for which there is PJSIP/NAME */
    char example[128]; /* identity of the first one */
};

#define UNLISTED_NAMES 20

/* Peers that the Asterisk named in its last listing and that are in no list, as it writes them. */
struct unlisted_peers {
    size_t n; /* of all; the first UNLISTED_NAMES have names */
    char names[UNLISTED_NAMES][128];
};

/* What the domain remembers of an IPBX beside its objects. */
struct ipbx_model {
    struct xod_ipbx *ipbx;
    enum listing listing;
    struct map *named; /* what was named since the listing began (listing.c), or NULL */
    double now;        /* time of the event being applied, seconds since 1970 */
    bool synthetic;    /* the changes of this event were made by ctibus, not by Asterisk */
    bool resynced;     /* an end of the listing of channels has been seen since the link came up */
    struct unknown_phones unknown;
    struct unlisted_peers unlisted;
    double lost_at;      /* when the link went down; 0: it is up and all is listed */
    struct map *legs;    /* of channels, for the call log (calllog.c), or NULL */
    struct map *records; /* of calls, what their legs were (call_record.c), or NULL */
    double wrapup_due;   /* when the first wrap-up of an agent ends; 0: there is none */
    struct statistics *stats;
    const struct ipbx_model_effects *effects; /* NULL: none are wanted */
    void *effects_arg;
};

/* NULL without memory. */
struct ipbx_model *ipbx_model_new(struct xod_ipbx *ipbx);
void ipbx_model_destroy(struct ipbx_model **d);

/* Applies one event. Unknown channels and phones are no error. */
void ipbx_model_event(struct ipbx_model *d, const struct tel *t);
/* The gateway of this IPBX is logged in: all is to be listed anew. It is gone, or its link is. */
void ipbx_model_link_up(struct ipbx_model *d, struct view banner, double now);
void ipbx_model_link_down(struct ipbx_model *d, double now);

/* What comes with time alone: the end of wrap-ups, calls that left a queue and were not answered,
 * the figures of queues. To be called about once a second while it is wanted; the caller commits
 * the store afterwards. */
bool ipbx_model_wants_tick(const struct ipbx_model *d);
void ipbx_model_tick(struct ipbx_model *d, double now);

/* The lists of the configuration were read anew: puts everything where it belongs. */
void ipbx_model_relink(struct ipbx_model *d);

/* listing.c: what is named while a listing is under way, by the listing or by a live event, is
 * there; the rest is gone. a and b name a thing together, b may be empty. */
void listing_begin(struct ipbx_model *d, struct view kind);
void listing_end(struct ipbx_model *d, struct view kind, double now);
void listing_drop(struct ipbx_model *d);
void listing_note(struct ipbx_model *d, enum listing listing, struct view a, struct view b);
bool listing_named(const struct ipbx_model *d, struct view a, struct view b);
void listing_note_link(struct ipbx_model *d, struct view channel,
                       bool linked); /* in a call, or not */

/* channel.c */
void channel_new(struct ipbx_model *d, const struct tel *t);
void channel_state(struct ipbx_model *d, const struct tel *t);
void channel_party(struct ipbx_model *d, const struct tel *t); /* callerid, connected */
void channel_rename(struct ipbx_model *d, const struct tel *t);
void channel_hangup(struct ipbx_model *d, const struct tel *t);
void channel_monitor(struct ipbx_model *d, const struct tel *t);
void channel_spy(struct ipbx_model *d, const struct tel *t);
void channel_variable(struct ipbx_model *d, const struct tel *t);
/* The channel of that name, or NULL; noted as named in a resync. */
struct xod_obj *channel_named(struct ipbx_model *d, struct view name);
void channel_remove(struct ipbx_model *d, struct xod_obj *channel, bool hung_up);
bool channel_is_linked(const struct xod_obj *channel);  /* talks to another */
bool channel_is_ringing(const struct xod_obj *channel); /* a phone that rings */
/* The channel that this one talks to, rings or is rung by; or NULL. */
struct xod_obj *channel_peer(const struct xod_obj *channel);
/* When a channel was made by Asterisk's clock (seconds since 1970) and as which, by its Uniqueid.
 * 0, or -ENOENT. */
int channel_made(const struct xod_obj *channel, double *epoch, int64_t *number);
void channel_commstatus(struct xod_obj *channel, const char *commstatus, double now);

/* party.c: who is shown at a leg and at its other end */
/* What any event says of the channel's caller id and connected line. */
void party_take(struct ipbx_model *d, struct xod_obj *channel, const struct tel *t);
/* It rings the peer or is rung by it; talks to it; was in a call and is not any more. */
void party_met(struct xod_obj *channel, const struct xod_obj *peer);
void party_linked(struct xod_obj *channel, const struct xod_obj *peer);
void party_lost(struct xod_obj *channel);
/* It waits in this bay of a parking lot: shown as "Parking (701)" until it is in a call again. */
void party_parked(struct xod_obj *channel, struct view space);
/* Both ends of a chain of Local channels are shown each other; `channel` is any in it. */
void party_chain(struct ipbx_model *d, struct xod_obj *channel);

/* call.c */
void call_dial(struct ipbx_model *d,
               const struct tel *t); /* dial/begin, state, end; agent/called */
void call_link(struct ipbx_model *d, const struct tel *t);       /* call/link, unlink */
void call_originated(struct ipbx_model *d, const struct tel *t); /* originate/response */
void channel_hold(struct ipbx_model *d, const struct tel *t);    /* hold, unhold */
/* The two are about to be linked: a third channel that one of them holds goes on waiting. */
void hold_linked(struct ipbx_model *d, struct xod_obj *a, struct xod_obj *b);
/* `to` takes the place of `from`, at either end of a hold. */
void hold_move(struct ipbx_model *d, struct xod_obj *from, struct xod_obj *to);
/* The channel goes, or begins anew: a channel that it held is on hold no longer. */
void hold_forget(struct ipbx_model *d, struct xod_obj *channel);
/* A channel that is up and has no other end, not even one that rings for it, is in an application
 * (a mailbox, a conference, music): it is ready, it neither rings nor calls. */
void call_settle(struct ipbx_model *d, struct xod_obj *channel);
/* A linked channel is in no call any more, nor is its peer. */
void call_ended(struct ipbx_model *d, struct xod_obj *channel, double now);
/* It waits in a queue or group: it is not shown the members that ring until one answers. */
bool call_waits_in_queue(const struct xod_obj *channel);
/* Unlinks the channel from its peer. */
void call_forget(struct ipbx_model *d, struct xod_obj *channel);
/* The peer of `from` becomes the peer of `to`. */
void call_move(struct ipbx_model *d, const struct xod_obj *from, const struct xod_obj *to);

/* calls.c: channels that belong together */
/* Finds the call of a channel that something happened to. */
void calls_place(struct ipbx_model *d, struct xod_obj *channel);
/* Is it the Linkedid that the login channel of an agent began with? Asterisk gives it to every
 * caller whom the agent serves; they are calls of their own nevertheless. */
bool calls_linkedid_is_a_logins(struct ipbx_model *d, const struct xod_obj *channel,
                                struct view linkedid);
/* Two channels that talk to each other are of one call from now on, where Linkedids tell that. */
void calls_merge(struct xod_obj *a, struct xod_obj *b);
/* A channel is about to leave its call: to another, or for good. */
void calls_left(struct ipbx_model *d, const struct xod_obj *channel);
/* Computes a call from its channels; one without channels is over. */
void calls_update(struct ipbx_model *d, struct view id);

/* calllog.c: told by the others what happens to a channel */
/* listed: it was there before we were; when it began to talk is not known then. */
void calllog_started(struct ipbx_model *d, const struct xod_obj *channel, double since,
                     bool listed);
void calllog_renamed(struct ipbx_model *d, const struct xod_obj *old,
                     const struct xod_obj *channel);
/* The other end, as far as it is known before the channels are linked. */
void calllog_party(struct ipbx_model *d, const struct xod_obj *channel, struct view number,
                   struct view name);
void calllog_met(struct ipbx_model *d, const struct xod_obj *channel, const struct xod_obj *peer);
void calllog_linked(struct ipbx_model *d, const struct xod_obj *channel,
                    const struct xod_obj *peer);
void calllog_recorded(struct ipbx_model *d, const struct xod_obj *channel); /* from now on */
void calllog_cause(struct ipbx_model *d, const struct xod_obj *channel, int64_t cause);
/* The login channel of an agent has served a caller, and waits for the next. */
void calllog_served(struct ipbx_model *d, const struct xod_obj *channel);
/* It is about to be removed, with its ties still there. */
void calllog_ended(struct ipbx_model *d, const struct xod_obj *channel);
void calllog_destroy(struct ipbx_model *d);

/* call_record.c: the legs of a call that have ended, until the call is over */
/* A leg that has ended. The views are copied. */
struct call_leg {
    double start, end;
    double talked;  /* since when; 0: never */
    bool called;    /* it was called, else it calls */
    bool rung;      /* by a caller */
    bool asked_for; /* it calls, though it rang first: a click to dial */
    bool elsewhere; /* it ended because another one answered */
    bool recorded;
    struct view number, name; /* of the other end */
    struct view own_number, own_name;
    struct view queue; /* whose call it was */
    bool queue_caller; /* who was in the queue, not who was rung by it */
    struct view users; /* ids, each ended by a NUL */
};
void call_record_add(struct ipbx_model *d, struct view call, const struct call_leg *leg);
/* The call is over: tells what it was for each user. */
void call_record_close(struct ipbx_model *d, struct view call);
void call_record_destroy(struct ipbx_model *d);

/* hint.c: the hints of phones and trunks, and presences */
void phone_hint(struct ipbx_model *d, const struct tel *t);
/* Of a presence, or of a device of the dialplan's own, which is none. */
void phone_presence(struct ipbx_model *d, const struct tel *t);
/* The hints are about to be listed: which phones have one is told anew. */
void phone_hints_begin(struct ipbx_model *d);
/* After a complete listing: a phone whose hint was not listed goes by the state of its device, or
 * is unavailable; a presence that was not listed is not set. */
void phone_hints_end(struct ipbx_model *d);
void phone_presences_end(struct ipbx_model *d);

/* phone.c: phones and trunks */
/* Its Asterisk has ended: nobody is on the phone, no member, no agent in a call. */
void phone_all_idle(struct ipbx_model *d);
void member_all_idle(struct ipbx_model *d);
void agent_all_idle(struct ipbx_model *d);
void phone_registration(struct ipbx_model *d, const struct tel *t);
void trunk_registration(struct ipbx_model *d, const struct tel *t);
/* After a complete listing: what was not listed is not registered. Phones of the lists that are no
 * peers of this Asterisk are counted in d->unknown. */
void phone_peers_end(struct ipbx_model *d);
/* Is this device of no list? */
bool phone_is_unlisted(struct ipbx_model *d, struct view device);
void trunk_registrations_end(struct ipbx_model *d);
/* Its identity is this device; in other case only where no phone is called exactly so. */
bool phone_is_called(const struct xod_obj *phone, struct view identity);
/* A field, a number or a text, reads as `text`. */
bool phone_text_is(const struct xod_obj *phone, unsigned field, struct view text);
/* Relates a channel to the phones and trunks whose identity its name begins with. */
void phone_link_channel(struct ipbx_model *d, struct xod_obj *channel);
void phone_untie_channel(struct ipbx_model *d, struct xod_obj *channel);
/* The channels of phones and trunks, anew. */
void phone_relink(struct ipbx_model *d);
/* The phone of EXTEN@CONTEXT (behind it an option, as /n): of that context or, same_context false,
 * the only one of this number, as the contexts of Local channels and hints are often the
 * dialplan's own. Or NULL. */
struct xod_obj *phone_of_exten(struct ipbx_model *d, struct view exten, bool same_context);
/* The phone of a device (SIP/bob), of a channel of it, or of Local/NUMBER@CONTEXT; or NULL. */
struct xod_obj *phone_of_device(struct ipbx_model *d, struct view device);
struct xod_obj *phone_of_channel(struct ipbx_model *d, struct view channel);
struct xod_obj *trunk_of_device(struct ipbx_model *d, struct view device);

/* local.c: the two halves of a Local channel */
bool local_is_half(struct view channel);
/* The other half, or NULL: it is gone, or this is no half. */
struct xod_obj *local_other_half(struct ipbx_model *d, const struct xod_obj *channel);

/* queue.c: queues and groups, and their callers */
void queue_join(struct ipbx_model *d, const struct tel *t); /* also queue/entry */
void queue_leave(struct ipbx_model *d, const struct tel *t);
void queue_answered(struct ipbx_model *d, const struct tel *t);  /* agent/connect */
void queue_abandoned(struct ipbx_model *d, const struct tel *t); /* queue/abandon */
/* The queue or, where there is none, the group of that name; or NULL. */
struct xod_obj *queue_named(struct ipbx_model *d, struct view name);
/* hung_up: the caller did, as an event told. */
void queue_status(struct ipbx_model *d, const struct tel *t); /* the variable QUEUESTATUS */
void queue_channel_gone(struct ipbx_model *d, struct xod_obj *channel, bool hung_up);
void queue_channel_renamed(struct ipbx_model *d, struct xod_obj *old, struct xod_obj *channel);
void queue_sweep(struct ipbx_model *d);

/* member.c: members of queues and groups */
void member_status(struct ipbx_model *d, const struct tel *t); /* also added, paused */
void member_removed(struct ipbx_model *d, const struct tel *t);
/* What clients call a member: its interface, but Agent/2001 for what an Asterisk 12 or later rings
 * for an agent. A view of the event, or of scratch. */
struct view member_interface(const struct tel *t, enum tel_field field, char scratch[128]);
void member_sweep(struct ipbx_model *d);
/* Is the device of a member with this status in a call? 2 in use, 3 busy, 6 ringing, 7 in use and
 * ringing, 8 on hold. */
bool member_device_in_use(struct view status);
/* The phone that is a member of a queue in the name of this agent, or NULL. */
struct xod_obj *member_login_phone(struct ipbx_model *d, const struct xod_obj *agent);
/* The agent of the member that is at this location of the queue, or NULL. */
/* It answered a call of its queue, or that is over: then the seconds that it has afterwards (0:
 * none) are returned. */
void member_answered(struct ipbx_model *d, const struct tel *t);
double member_completed(struct ipbx_model *d, const struct tel *t);
/* Ends the times after calls that are over. */
void member_tick(struct ipbx_model *d, double now);
struct xod_obj *member_agent_at(struct ipbx_model *d, struct view queue, struct view location);
void member_relink(struct ipbx_model *d);

/* agent.c */
void agent_login(struct ipbx_model *d, const struct tel *t);
void agent_logoff(struct ipbx_model *d, const struct tel *t);
void agent_connect(struct ipbx_model *d, const struct tel *t);
void agent_complete(struct ipbx_model *d, const struct tel *t);
struct xod_obj *agent_numbered(struct ipbx_model *d, struct view number);
void agent_tick(struct ipbx_model *d, double now); /* ends the wrap-ups that are due */
/* Its memberships have changed: where a phone is a member in its name it is logged in there, unless
 * the Asterisk has told a login of its own. */
void agent_member_changed(struct ipbx_model *d, struct xod_obj *agent);
void agent_relink(struct ipbx_model *d); /* to the phones they are logged in from, anew */

/* availability.c: computes an agent's on_call_nonacd and availability from all else */
void agent_update(struct ipbx_model *d, struct xod_obj *agent);

/* derived.c: what follows from what the event has touched so far */
void derived_update(struct ipbx_model *d);

/* conference.c */
void conference_join(struct ipbx_model *d, const struct tel *t);
void conference_leave(struct ipbx_model *d, const struct tel *t);
void conference_change(struct ipbx_model *d, const struct tel *t); /* mute, auth */
void conference_pause(struct ipbx_model *d, const struct tel *t);
void conference_end(struct ipbx_model *d, const struct tel *t);
void conference_channel_gone(struct ipbx_model *d, struct xod_obj *channel);
void conference_channel_renamed(struct ipbx_model *d, struct xod_obj *old, struct xod_obj *channel);
void conference_sweep(struct ipbx_model *d);

/* parking.c */
void parking_parked(struct ipbx_model *d, const struct tel *t); /* also swap */
void parking_over(struct ipbx_model *d, const struct tel *t);   /* unparked, timeout, giveup */
void parking_channel_gone(struct ipbx_model *d, struct xod_obj *channel);
void parking_channel_renamed(struct ipbx_model *d, struct xod_obj *old, struct xod_obj *channel);
void parking_sweep(struct ipbx_model *d);

/* voicemail.c */
void voicemail_waiting(struct ipbx_model *d, const struct tel *t);

/* ipbx.c */
void ipbx_link(struct ipbx_model *d, const struct tel *t);
void ipbx_gone(struct ipbx_model *d, const struct tel *t);
void ipbx_resync(struct ipbx_model *d, const struct tel *t);

#endif
