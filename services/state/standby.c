#include "standby.h"

#include <errno.h>
#include <stdlib.h>

#include "lists/lists.h"
#include "sessions/list_reload.h"

struct standby {
    struct log *log;
    void (*mine)(void *arg);
    void *arg;
    struct bus_forwarder *forwarder;
    struct bus_server *server;
    struct db_claim *claim;
    struct remote_lists *remote_lists;
    struct db_claim_status status;
    struct metric *database;
};

static void note_active(struct standby *s, const struct db_claim_status *now)
{
    if (strcmp(now->owner, s->status.owner) == 0 && now->term == s->status.term)
        return;
    if (now->term > 0)
        log_notice(s->log, "on standby: %s is active (term %lld)",
                   *now->owner ? now->owner : "a state without a name", (long long)now->term);
}

static void note_database(struct standby *s, const struct db_claim_status *now)
{
    if (now->reachable)
        log_notice(s->log, "on standby: the database can be reached");
    else
        log_error(s->log,
                  "on standby: the database cannot be reached, so that this state cannot "
                  "take over: %s",
                  now->why);
}

static void on_claim(void *arg, const struct db_claim_status *now)
{
    struct standby *s = arg;

    note_active(s, now);
    if (now->reachable != s->status.reachable || strcmp(now->why, s->status.why) != 0)
        note_database(s, now);
    s->status = *now;
    metric_set(s->database, now->reachable);
    bus_server_set_standby(s->server, now->owner, now->reachable);
    if (now->won)
        s->mine(s->arg);
}

static int open_claim(struct standby *s, struct loop *loop, const struct config *cfg,
                      const struct standby_options *opt)
{
    char *where = config_database(cfg);
    int err = -ENOMEM;

    if (where)
        s->claim = db_claim_new(loop, where, opt->name, opt->silent_ms, on_claim, s, s->log, &err);
    free(where);
    return s->claim ? 0 : err;
}

struct standby *standby_new(struct loop *loop, struct bus *bus, const struct config *cfg,
                            const struct standby_options *opt, void (*mine)(void *arg), void *arg,
                            struct metrics *metrics, struct log *log, int *err)
{
    struct standby *s = calloc(1, sizeof(*s));

    *err = -ENOMEM;
    if (!s)
        return NULL;
    s->log = log;
    s->mine = mine;
    s->arg = arg;
    s->database = metrics_add(metrics, METRIC_state_standby_database_up, NULL);
    s->remote_lists = remote_lists_new(loop, cfg, LISTS_RETRY_MS, metrics, log);
    if (s->database && s->remote_lists)
        s->forwarder = bus_forwarder_new(bus, opt->publish, opt->subscribe, opt->trusted, err);
    if (s->forwarder)
        s->server = bus_server_standby(bus, opt->request, opt->trusted, opt->name, err);
    if (s->server)
        *err = open_claim(s, loop, cfg, opt);
    if (*err < 0) {
        standby_destroy(&s);
        return NULL;
    }
    standby_reload(s, cfg);
    return s;
}

void standby_destroy(struct standby **sp)
{
    struct standby *s = sp ? *sp : NULL;

    if (!s)
        return;
    *sp = NULL;
    db_claim_destroy(&s->claim);
    remote_lists_destroy(&s->remote_lists);
    bus_server_destroy(&s->server);
    bus_forwarder_destroy(&s->forwarder);
    free(s);
}

void standby_reload(struct standby *s, const struct config *cfg)
{
    lists_want(s->remote_lists, cfg);
    remote_lists_refresh(s->remote_lists);
}

void standby_take(struct standby **sp, struct standby_legacy *out)
{
    struct standby *s = *sp;

    *out = (struct standby_legacy){s->forwarder, s->server, s->claim, s->remote_lists};
    metric_set(s->database, 0);
    s->forwarder = NULL;
    s->server = NULL;
    s->claim = NULL;
    s->remote_lists = NULL;
    standby_destroy(sp);
}

bool standby_is_ready(const struct standby *s, struct buf *why)
{
    if (!s->status.reachable && why)
        buf_append_cstr(why, "on standby, and the database cannot be reached");
    return s->status.reachable;
}

const char *standby_endpoint_publish(const struct standby *s)
{
    return bus_forwarder_publish(s->forwarder);
}

const char *standby_endpoint_subscribe(const struct standby *s)
{
    return bus_forwarder_subscribe(s->forwarder);
}

const char *standby_endpoint_request(const struct standby *s)
{
    return bus_server_endpoint(s->server);
}
