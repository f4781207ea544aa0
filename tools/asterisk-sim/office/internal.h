/* What the parts of the office share. Nothing outside this folder includes it. */
#ifndef OFFICE_INTERNAL_H
#define OFFICE_INTERNAL_H

#include <errno.h>

#include "base/map.h"
#include "base/queue.h"
#include "office/company.h"
#include "office/office.h"
#include "office/timers.h"

#define MS UINT64_C(1000)
#define SECONDS UINT64_C(1000000)

/* ChannelState */
enum { STATE_DOWN = 0, STATE_RING = 4, STATE_RINGING = 5, STATE_UP = 6 };

/* What a leg is busy with; legs.c undoes it when the leg is taken away from it. */
enum job {
    JOB_NONE,
    JOB_DIALS,   /* in Dial(): `other` rings */
    JOB_RINGS,   /* it is dialled by `other`, or (NULL) by an Originate */
    JOB_TALKS,   /* in a bridge with another */
    JOB_CONSULT, /* it asks before an attended transfer: in a bridge with a Local half */
    JOB_QUEUE,
    JOB_ROOM,
    JOB_PARKED,
    JOB_MAILBOX, /* leaves a message, or listens to them */
    JOB_AGENT,   /* logged in by AgentLogin, waits for calls */
    JOB_APP      /* anything else that the dialplan runs */
};

struct leg;
struct person;
struct member;

struct variable {
    SLIST_ENTRY(variable) all;
    char *value;
    char name[];
};

struct link { /* a bridge */
    char uniqueid[40];
    const char *type, *technology, *creator;
    char name[16];
    unsigned n;
    struct leg *asker; /* who has left it to ask somebody else; the other waits alone */
    LIST_HEAD(, leg) legs;
};

struct leg {
    struct office *office;
    LIST_ENTRY(leg) all;
    char name[72], uniqueid[32], linkedid[32];
    int state;
    char num[48], caller[88], conn_num[48], conn_name[88]; /* empty: unknown */
    char context[40], exten[48];
    int priority;
    char app[32], data[160];
    uint64_t born_us;

    struct person *person; /* whose phone; NULL: the trunk, or half of a Local channel */
    LIST_ENTRY(leg) of_person;
    bool pbx;        /* runs the dialplan: the end of a call is not yet its end */
    bool holds;      /* has its other party on hold */
    bool music;      /* hears music on hold */
    bool originated; /* was rung by an Originate */
    bool ending;     /* what it does cannot be changed any more */
    unsigned hops;   /* forwards and transfers that led it to where it is */
    enum job job;
    struct leg *other; /* of JOB_DIALS and JOB_RINGS */
    struct leg *twin;  /* the other half of a Local channel */
    bool first_half;

    struct link *link;
    LIST_ENTRY(leg) in_link;
    uint64_t answered_us;

    struct timer step; /* what comes next by itself */
    struct timer will; /* what its person will do */

    /* JOB_QUEUE, also while it talks to a member */
    struct queue *queue;
    STAILQ_ENTRY(leg) waits;
    bool waiting;
    struct member *served; /* who rings for it, or talks with it */
    uint64_t joined_us, ringing_us, connected_us;
    unsigned hold_s;
    /* JOB_ROOM */
    bool admin, muted;
    unsigned usernum;
    LIST_ENTRY(leg) in_room;
    /* JOB_PARKED */
    unsigned space;
    char parker[48]; /* who gets it back */
    /* JOB_MAILBOX */
    struct person *mailbox; /* whose */
    bool leaves_message;
    /* an attended transfer: of who transfers */
    struct link *first_link; /* where the transferred one waits */
    struct leg *local;       /* ;1 of the Local channel of the question */
    struct leg *asker;       /* of that one: the leg that transfers */
    char exten_asked[48];
    /* an agent */
    struct agent *agent;
    struct originate *originate;
    bool monitored, mixed;
    struct leg *spied; /* whom it listens to */
    unsigned spies;    /* how many listen to it */
    SLIST_HEAD(, variable) variables;
};
LIST_HEAD(legs, leg);

struct person {
    struct office *office;
    unsigned id;
    struct company_person is;
    char full[88];
    char device[48]; /* "PJSIP/alice" */
    struct legs legs;
    unsigned n_legs;
    int told; /* state of the device as it was last told: enum device_state */
    bool guest;
    bool offline; /* its phone is switched off */
    struct timer absence;
    bool dnd;
    char unconditional[24], busy[24], no_answer[24]; /* forwards, empty: none */
    unsigned new_messages, old_messages;
    struct agent *agent;
    LIST_HEAD(, member) memberships; /* whose state is that of this phone */
    size_t free_at;                  /* place among the free ones, from 1; 0: it is not free */
};

/* As Asterisk counts them for queues. */
enum device_state {
    DEVICE_IDLE = 1,
    DEVICE_IN_USE = 2,
    DEVICE_UNAVAILABLE = 5,
    DEVICE_RINGING = 6,
    DEVICE_RINGING_IN_USE = 7,
    DEVICE_ON_HOLD = 8
};

struct agent {
    char text[12]; /* its number */
    unsigned number;
    struct person *person;
    struct leg *leg; /* the line that AgentLogin keeps open, or NULL */
    struct leg *talks_to;
    uint64_t since_us;
    LIST_HEAD(, member) memberships; /* whose state is that of Agent:NUMBER */
    int told;
    struct timer will;
};

struct member {
    struct office *office;
    struct queue *queue;
    bool removed; /* out of its queue; who rings or talks through it frees it */
    LIST_ENTRY(member) of_queue;
    LIST_ENTRY(member) of_state; /* person or agent */
    char interface[64], state_interface[64], name[88];
    struct person *person; /* who is rung */
    struct agent *agent;   /* a pool agent, or NULL */
    bool dynamic, paused, busy;
    char reason[64];
    unsigned penalty, taken;
    uint64_t last_call_s, last_pause_s, login_s; /* since the epoch */
    uint64_t free_us;                            /* wrap-up is over then */
    int status;
    struct leg *rings; /* the leg that rings */
};

struct queue {
    struct office *office;
    const struct company_queue *is;
    LIST_HEAD(, member) members;
    STAILQ_HEAD(, leg) callers;
    unsigned n_callers;
    unsigned completed, abandoned, hold_s, talk_s, in_time;
    struct timer turn;
};

struct room {
    char number[8];
    struct link *link;
    LIST_HEAD(, leg) legs;
    unsigned n, next_usernum;
    bool locked, recorded;
};

struct originate {
    char action_id[128];
    bool async;
    char exten[48], context[40], app[32], data[160];
};

struct office {
    struct world *world;
    bool old;
    const char *tech; /* "PJSIP" */
    struct timers timers;
    uint64_t random;
    uint64_t epoch_s; /* of now_us 0 */
    unsigned answer_s;
    unsigned serial, suffix, local_suffix, optimization;
    struct buf out;

    struct person *people;
    unsigned n_people;
    struct map *by_number, *by_device; /* struct person; "2001": struct agent in by_agent */
    struct map *by_agent;
    struct map *by_name;  /* struct leg, by channel name; and by unique id */
    struct map *database; /* "family/key": value behind the key in one memory */
    struct person **free_people;
    size_t n_free;
    struct person **guests;
    unsigned n_guests;
    struct agent *agents;
    unsigned n_agents;
    struct queue queues[COMPANY_QUEUES];
    struct room room;
    struct link *lot, *pool; /* NULL as long as nobody was there */
    struct leg *spaces[COMPANY_LOT_SPACES];
    struct legs legs;
    size_t n_legs;

    double per_us; /* calls that begin */
    double pace;   /* how long things take, 1 when the company has time */
    struct timer arrival, shift, visit;
    uint64_t calls;   /* begun */
    uint64_t refused; /* arrivals for which nobody was free */
};

/* office.c */
uint64_t office_random(struct office *o, uint64_t below);
/* Between from and to, microseconds, as the pace of the company has it. */
uint64_t office_span(struct office *o, uint64_t from_us, uint64_t to_us);
bool office_chance(struct office *o, unsigned percent);
uint64_t office_now_s(const struct office *o); /* since the epoch */
struct person *office_person(const struct office *o, struct view number);
struct person *office_device(const struct office *o, struct view device);
struct agent *office_agent(const struct office *o, struct view number);
struct leg *office_leg(const struct office *o, struct view name);
void office_dial_string(const struct person *p, char out[96]);

/* legs.c: a leg begins, changes its state and ends. NULL without memory. */
struct leg *leg_create(struct office *o, struct person *p, const char *device, const char *context,
                       const char *exten, const struct leg *of_call, bool first_half);
/* The same, told as Newchannel. */
struct leg *leg_new(struct office *o, struct person *p, const char *device, const char *context,
                    const char *exten, const struct leg *of_call);
/* Its number, name and channel as its caller's or its callee's other party shows them. */
void leg_connect(struct leg *of, const struct leg *to);
void leg_set_state(struct leg *l, int state);
void leg_place(struct leg *l, const char *context, const char *exten, int priority);
void leg_after(struct leg *l, uint64_t in_us, void (*fn)(void *leg));
/* Runs the application of this name: tells the step of the dialplan. */
void leg_app(struct leg *l, const char *app, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes it away from what it does; others go on or end in their turn. */
void leg_free_of_job(struct leg *l);
/* The end of a leg. `request`: its phone hung up (otherwise Asterisk does). The leg is gone. */
void leg_hang_up(struct leg *l, int cause, bool request);
/* The end of what the dialplan has for it: Asterisk hangs up. */
void leg_done(void *leg);
void leg_music(struct leg *l, bool on);
void leg_hold(struct leg *l, bool on);
const char *leg_variable(const struct leg *l, struct view name);
void leg_set_variable(struct leg *l, struct view name, struct view value);
/* Is it free to be asked for something by its person? */
bool leg_is_up(const struct leg *l);
void leg_update(const struct leg *l);
/* Tells the state of the phone when it is another one than was told. */
void person_update(struct person *p);
int person_state(const struct person *p);
void agent_update(struct office *o, struct agent *a);

/* bridges.c */
struct link *link_new(struct office *o, const char *type, const char *technology,
                      const char *creator, const char *name);
void link_enter(struct link *k, struct leg *l, const struct leg *instead_of);
/* The leg leaves; a basic bridge that keeps one only ends for that one too. */
void link_leave(struct leg *l);
/* The leg leaves and nothing else happens; an empty bridge ends. */
void link_move_out(struct leg *l);
struct leg *link_peer(const struct leg *l);
/* A call of a queue is over when its caller and its member no longer talk. */
void call_over(struct leg *left, struct leg *peer);
/* The two talk: both are up. `first` enters first. */
void link_two(struct leg *first, struct leg *second);
/* It is alone now: what it was called for is over. */
void leg_returns(void *leg);

/* dial.c */
/* Dials a person (or a number outside, p NULL) for a leg. */
void dial(struct leg *caller, struct person *p, const char *outside, unsigned seconds);
/* A leg is rung and begins to ring; the caller may be NULL (Originate). */
struct leg *dial_ring(struct office *o, struct person *p, struct leg *caller);
/* A ringing leg is answered by its person. */
void dial_answer(void *leg);
/* The called leg did not answer: DialEnd and its hangup; then the caller's dialplan goes on. */
void dial_failed(struct leg *called, const char *status, int cause);
void dial_hang_up_called(struct leg *called, const char *status, int cause);
/* A called leg that is about to end by itself: the caller goes on. */
void dial_gone(struct leg *caller, struct leg *called, const char *status);
void dial_plan_answer(struct leg *called, unsigned ring_seconds);
void dial_pick_up(struct leg *picker, struct leg *ringing);

/* originate.c */
struct leg *originate_begin(struct office *o, struct person *p, struct originate *g,
                            struct view callerid, uint64_t timeout_us);
void originate_answered(struct leg *l);
void originate_failed(struct leg *l, int reason);
/* `"Name" <number>`, or a number. */
void read_caller_id(struct view text, char num[48], char name[88]);
/* The dialplan's function CALLERID(): who is rung for the leg is shown it, too. False: `name` is
 * another variable. */
bool leg_set_caller_id(struct leg *l, struct view name, struct view value);
/* ChanSpy: the leg listens to another, or to the next call of a phone. */
void spy_begin(struct leg *l, struct view whom);
void spy_end(struct leg *l);
/* Who is listened to stops to talk. */
void spy_lost(struct leg *spied);

/* dialplan.c */
/* The leg, which is its own dialplan's, goes to an extension. */
void dialplan_go(struct leg *l, const char *context, const char *exten);
bool dialplan_knows(struct office *o, struct view context, struct view exten);
/* A new call of a phone, or of the trunk (p NULL) with that caller id. */
struct leg *dialplan_call(struct office *o, struct person *p, const char *exten, const char *num,
                          const char *name);
void dialplan_run_app(struct leg *l, const char *app, const char *data);

/* queues.c */
struct queue *queue_find(struct office *o, struct view name);
void queue_join(struct leg *l, struct queue *q);
/* A waiting caller goes. why: "" (hung up or sent on), "TIMEOUT". */
void queue_leave(struct leg *l, bool abandon);
void queue_connected(struct leg *caller, struct leg *member);
/* The call between caller and member ended, or its caller went elsewhere. */
void queue_complete(struct leg *caller, struct leg *member, const char *reason);
/* Somebody else took the waiting caller. */
void queue_taken(struct leg *caller);
void queue_unanswered(struct leg *called, const char *status, int cause);
struct member *queue_member(const struct queue *q, struct view interface);
int queue_add(struct queue *q, struct view interface, struct view state_interface, struct view name,
              unsigned penalty, bool paused, bool dynamic);
void queue_remove(struct member *m);
void queue_pause(struct member *m, bool on, struct view reason);
void member_update(struct member *m);
void queue_wake(struct queue *q);
unsigned queue_position(const struct leg *l);

/* agents.c */
void agent_log_in(struct leg *l, struct agent *a);
void agent_log_off(struct agent *a);
/* A call of a queue for a pool agent: the Local channels, and the agent after a moment. */
void agent_call(struct leg *caller, struct member *m);
void agent_talk_ends(struct leg *l);
/* The line of a logged-in agent is hung up or sent elsewhere. */
void agent_line_ends(struct leg *l);
/* Its membership, NULL: it is in no queue. */
struct member *agent_membership(const struct agent *a);
void agent_comes(struct office *o, struct agent *a);
void agent_goes(struct agent *a);

/* rooms.c */
void room_join(struct leg *l, bool admin);
void room_leave(struct leg *l, bool kicked);
void room_mute(struct leg *l, bool on);

/* parking.c */
int parking_park(struct leg *l, struct view parker_device, uint64_t timeout_us);
void parking_leave(struct leg *l, bool gives_up);
void parking_fetch(struct leg *l, unsigned space);

/* mailboxes.c */
void mailbox_speak(struct leg *l, struct person *p, const char *flags);
void mailbox_listen(struct leg *l, struct person *p);
void mailbox_end(struct leg *l);

/* database.c: Asterisk's own database, by FAMILY/KEY. What the dialplan obeys takes effect at once.
 */
const char *database_get(const struct office *o, struct view path);
bool database_put(struct office *o, struct view path, struct view value); /* false: it is full */
bool database_del(struct office *o, struct view path);                    /* false: there is none */
/* Sets the state ("BUSY", "NOT_INUSE") of Custom:NAME, and tells it if it is another one. */
void device_set(struct office *o, struct view name, struct view state);
/* Does what a feature code of the caller asks for; false: it is none. */
bool database_code(struct leg *l, struct view exten);

/* transfers.c */
void transfer_blind(struct leg *by, const char *exten, const char *context);
int transfer_ask(struct leg *by, const char *exten, const char *context);
void transfer_complete(struct leg *by);
void transfer_cancel(struct leg *by);
/* Who transfers hangs up, or is sent elsewhere. */
void transfer_abandon(struct leg *by);
/* The one who was asked is gone, or the one who waits. */
void transfer_lost(struct leg *one);
void transfer_orphaned(struct leg *by);
void local_optimisation(const struct leg *one, const struct leg *two, const struct leg *source,
                        bool begin);
/* The Local half that was called has been answered, rings, or is gone. */
void local_connects(struct leg *second, const struct leg *called);
void local_rings(struct leg *second, const struct leg *called);
void local_answered(struct leg *second);
bool local_pair(struct office *o, const char *exten, const char *context, const struct leg *for_leg,
                struct leg **one, struct leg **two);

/* phones.c: an idle phone is switched off for a while. */
void phone_goes(struct person *p);

/* traffic.c */
void traffic_start(struct office *o);
/* Two legs have begun to talk: what their people will do. */
void traffic_talk(struct leg *a, struct leg *b);

#endif
