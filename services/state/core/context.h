/* What all parts of state share. Each part's own struct is opaque here: only its file looks inside.
 */
#ifndef CTIBUS_STATE_CORE_CONTEXT_H
#define CTIBUS_STATE_CORE_CONTEXT_H

#include "base/buf.h"
#include "base/queue.h"
#include "config/config.h"
#include "core/ipbx.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "msg/msg.h"
#include "xod/xod.h"

/* What is counted of each user (sessions/budgets.c): commands; actions that reach Asterisk; bytes
 * that reach other users; bytes that reach the disk. */
enum budget_kind { BUDGET_COMMANDS, BUDGET_ACTIONS, BUDGET_CHAT, BUDGET_DISK, BUDGET_KINDS };

struct state {
    struct loop *loop;
    struct bus *bus;
    const struct config *cfg;
    struct log *log;
    struct xod *xod;
    struct bus_forwarder *forwarder;
    struct bus_pub *pub;
    struct bus_sub *sub;
    struct bus_server *server;
    struct bus_heartbeat *heart;
    struct publisher *publisher;
    struct explain *explain;
    struct sessions *sessions;
    struct direct_login *direct_login;
    struct api *api;
    struct webhooks *webhooks;
    struct snapshots *snapshots;
    struct passwords *passwords;
    struct remote_lists *remote_lists;
    struct asterisk_lists *asterisk_lists;
    struct db *db;
    struct features *features;
    struct feature_reader *feature_reader;
    struct feature_tables *feature_tables;
    struct deferred_actions *deferred_actions;
    struct directories *directories;
    struct extensions *extensions;
    struct originates *originates;
    struct transfers *transfers;
    struct faxes *faxes;
    struct fax_handoffs *fax_handoffs;
    struct sheets *sheets;
    struct callers *callers;
    struct handlers *handlers;
    struct fagi *fagi;
    struct peers *peers;
    struct gauges *gauges;
    struct budgets *budgets;
    struct ipbx ipbxes[MAX_IPBXES];
    size_t n_ipbxes;
    struct loop_timer *settle_timer;
    struct loop_timer *expire_timer;
    struct loop_timer *lists_timer; /* runs while a list could not be read */
    struct loop_timer *tick_timer;  /* runs while an IPBX wants ticks */
    struct loop_timer *watch_timer; /* looks at the resyncs that are under way */
    int (*reload)(void *arg);       /* as SIGHUP does; NULL: nobody can */
    void *reload_arg;
    void (*leave)(void *arg); /* another state is active, or is to be; NULL: there is no other */
    void *leave_arg;
    bool took_over; /* it was on standby: its gateways were in touch with it before */
    uint64_t started;
    bool settle_late; /* as of struct state_options */
    uint64_t settle_min_ms, settle_max_ms, resync_late_us;
    uint32_t action_timeout_ms; /* an action of an ipbxcommand waits so long for its answer */
    double heard_at; /* of the event that is being applied: when its gateway heard it; 0: none is */
    bool settled;
    LIST_HEAD(, deferred_reply) waiting; /* answered later (core/deferred_reply.c) */
    size_t n_waiting;
    STAILQ_HEAD(, kept_line) kept_lines; /* for clients, until it is settled (core/notify.c) */
    size_t n_kept_lines;
    struct msg_doc doc;
    struct buf scratch;
    struct metrics *metrics;
    struct metric *events, *events_unknown, *events_foreign, *resyncs_late, *sessions_open;
    struct metric *over_budget[BUDGET_KINDS];
};

/* Commits the store, publishes what has changed, and gives the number of the last change.
 * synthetic: no event of an Asterisk led to it. */
uint64_t state_commit(struct state *s, bool synthetic);
/* The models that want it are told that time goes by: a loop_fn of tick_timer. */
void state_tick(void *state);
/* Answers a request with a status and no body. */
void state_reply(struct state *s, struct bus_peer *p, uint64_t id, enum bus_status status);

#endif
