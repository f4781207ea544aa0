/*
 * The AMI link: one connection to one Asterisk, kept up for ever. Connects (over TLS: and verifies
 * it), logs in (MD5 challenge, plain as a fall-back), pings, and comes back after a loss with a
 * growing delay.
 */
#ifndef CTIBUS_AMILINK_LINK_H
#define CTIBUS_AMILINK_LINK_H

#include "amilink/actions.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "net/tls.h"

struct link_options {
    const char *host;
    uint16_t port;
    const char *username, *password;
    const char *instance; /* what ActionIDs begin with */
    uint32_t timeout_ms;  /* from connecting to being logged in */
    uint32_t backoff_ms;  /* from a loss to the first try; 0: 500 */
    /* After so long a silence Asterisk is asked for a sign of life, and after three times that it
     * is given up; 0: 5 s. What is below 500 ms is not noticed sooner. */
    uint32_t ping_after_ms;
    /* Connections have been refused for gone_ms, so there is no Asterisk any more: told once for
     * each time that it goes, with the arg of the handler. 0 or NULL: not told. */
    uint32_t gone_ms;
    void (*gone)(void *arg);
    struct tls_ctx *tls;  /* borrowed, outlives the link; NULL: clear text */
    const char *tls_name; /* whom its certificate must be for; NULL: host */
};

struct link_handler {
    /* Logged in: actions may be sent. banner: what Asterisk called itself. */
    void (*up)(void *arg, const char *banner);
    void (*down)(void *arg, const char *reason);
    /* An event that belongs to no action of ours. */
    void (*event)(void *arg, const struct ami_block *b);
    /* Is this event of use? The others are not even taken apart. */
    bool (*want)(void *arg, struct view event);
    /* Optional: events over the reader's bounds have come of which more than variables was left
     * out. */
    void (*incomplete)(void *arg);
    /* Optional: a try to connect or to log in has failed. */
    void (*failed)(void *arg, const char *reason);
};

struct ami_link;
/* Starts at once. NULL without memory. The options are copied. */
struct ami_link *link_new(struct loop *loop, const struct link_options *opt,
                          const struct link_handler *handler, void *arg, struct metrics *metrics,
                          struct log *log);
/* Another link to the same Asterisk, logged in as the same user. NULL without memory. */
struct ami_link *link_clone(const struct ami_link *l, const char *instance,
                            const struct link_handler *handler, void *arg, struct metrics *metrics);
void link_destroy(struct ami_link **l);
bool link_is_up(const struct ami_link *l);
/* Asterisk is said to be there (again): connects now, which cuts a back-off short; the back-off
 * begins anew. A link that is up is tried with a ping, since it may be one to an Asterisk that is
 * gone. */
void link_reconnect(struct ami_link *l);
/* Logs off and stays away: the process is about to end. */
void link_stop(struct ami_link *l);

/* Writing actions: begin, add headers with ami_action_header, commit (which sends). -ENOTCONN while
 * the link is down; else as actions_commit. */
void link_action(struct ami_link *l, struct ami_action *aa, struct view action);
int link_commit(struct ami_link *l, struct ami_action *aa, bool is_list, uint32_t deadline_ms,
                action_item_fn *item, action_done_fn *done, void *arg);
/* The same for an action that is answered with text alone: see actions_commit_text. */
int link_commit_text(struct ami_link *l, struct ami_action *aa, uint32_t deadline_ms,
                     action_item_fn *item, action_done_fn *done, void *arg);
struct actions *link_actions(struct ami_link *l);

/* How long to wait before try number n (from 0): first_ms (up to 1 min), doubling to four times
 * that, to sixty times when it was the login that was refused (from 0.5 s to 2 s and 30 s); from
 * there on with jitter of up to a quarter less, taken from `random`. In milliseconds. */
uint32_t link_backoff_ms(uint32_t first_ms, unsigned n, bool refused, uint64_t random);

#endif
