#include "gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "internal.h"
#include "msg/msg.h"

/* The commands of one answer may wait for Asterisk. */
#define MAX_OUTPUT ((size_t)256 * 1024)

/* What a script is told of callers and users is not for everybody who reaches the port. */
static void on_accept(void *arg, int fd, const struct sockaddr *peer, socklen_t len)
{
    struct fagi *f = arg;
    struct netaddr address;
    char text[NETADDR_TEXT] = "";

    if (ipbxes_let_in(f->sites, peer)) {
        session_new(f, fd, peer);
        return;
    }
    close(fd);
    metric_add(f->counts.refused, 1);
    if (netaddr_of(peer, &address, NULL) == 0)
        netaddr_print(&address, text);
    log_warning(f->log,
                "a script asked for from %s is refused: that is no ipbx's address (ipaddress), nor "
                "in ctibus.access.fagi; the call goes on",
                text);
}

static void janitor(void *arg)
{
    struct fagi *f = arg;

    sessions_tick(f, clock_mono_us());
    if (f->n_open > 0)
        return;
    loop_timer_stop(f->janitor);
    if (f->stopped) {
        void (*done)(void *) = f->stopped;
        f->stopped = NULL;
        done(f->stopped_arg);
    }
}

/* ---- state ---- */

static void on_state_up(void *arg, const msgpack_object *body)
{
    struct fagi *f = arg;

    log_notice(f->log, "state is there");
    f->state_lost = 0;
    sessions_state_up(f);
}

static void on_state_down(void *arg)
{
    struct fagi *f = arg;

    f->state_lost = clock_mono_us();
    log_warning(f->log, "state is gone: scripts are answered with FAIL, calls go on");
}

static const struct bus_client_handler client_handler = {on_state_up, on_state_down, NULL};

/* ---- lifecycle ---- */

static size_t beat(void *arg, struct buf *pairs, bool *ready)
{
    struct fagi *f = arg;

    *ready = fagi_is_ready(f, NULL);
    msg_put_pair_u64(pairs, "open", f->n_open);
    return 1;
}

static bool make_metrics(struct fagi *f, struct metrics *m)
{
    static const char *const answers[AGI_PART] = {"200", "hangup", "510", "511", "520", "other"};
    struct fagi_counts *c = &f->counts;
    bool good = true;

    for (int i = 0; i < OUTCOMES; i++) {
        c->outcomes[i] = metrics_add(m, METRIC_fagi_sessions, METRIC_VALUES(outcome_names[i]));
        good = good && c->outcomes[i];
    }
    for (int i = 0; i < AGI_PART; i++) {
        c->answers[i] = metrics_add(m, METRIC_fagi_answers, METRIC_VALUES(answers[i]));
        good = good && c->answers[i];
    }
    c->open = metrics_add(m, METRIC_fagi_open, NULL);
    c->over_limit = metrics_add(m, METRIC_fagi_over_limit, NULL);
    c->refused = metrics_add(m, METRIC_fagi_refused, NULL);
    c->seconds = metrics_add(m, METRIC_fagi_seconds, NULL);
    return good && c->open && c->over_limit && c->refused && c->seconds;
}

static int open_bus(struct fagi *f, const struct fagi_options *opt)
{
    int err = -ENOMEM;

    f->pub = bus_pub_new(f->bus, opt->publish, NULL, NULL, &err);
    if (f->pub)
        f->bus_client = bus_client_new(f->bus, opt->request, "fagi-gw", &client_handler, f, &err);
    if (!f->bus_client)
        return err;
    f->heart = bus_heartbeat_new(f->bus, f->pub, "fagi-gw", beat, f);
    return f->heart ? 0 : -ENOMEM;
}

static int open_all(struct fagi *f, const struct fagi_options *opt, const struct config *cfg,
                    struct metrics *metrics)
{
    int err;

    f->sites = ipbxes_new(f->loop, f->log);
    f->janitor = loop_timer_new(f->loop, janitor, f);
    if (!f->sites || !f->janitor || !make_metrics(f, metrics))
        return -ENOMEM;
    fagi_reload(f, cfg);
    err = conn_class_init(&f->conns, f->loop, &session_handler, AGI_MAX_ENV, MAX_OUTPUT);
    if (err == 0)
        err = open_bus(f, opt);
    if (err < 0)
        return err;
    f->listener = listener_new(f->loop, opt->listen, on_accept, f, &err);
    if (!f->listener)
        log_error(f->log, "cannot listen at %s: %s", opt->listen, strerror(-err));
    return f->listener ? 0 : err;
}

struct fagi *fagi_new(struct loop *loop, struct bus *bus, const struct fagi_options *opt,
                      const struct config *cfg, struct metrics *metrics, struct log *log, int *err)
{
    struct fagi *f = calloc(1, sizeof(*f));

    *err = -ENOMEM;
    if (!f)
        return NULL;
    f->loop = loop;
    f->bus = bus;
    f->log = log;
    f->max_sessions = opt->max_sessions;
    TAILQ_INIT(&f->open);
    TAILQ_INIT(&f->leaving);
    buf_init(&f->scratch, 0);
    buf_init(&f->line, 0);
    buf_init(&f->topic, 65536);
    buf_init(&f->body, 0);
    *err = open_all(f, opt, cfg, metrics);
    if (*err == 0)
        return f;
    fagi_destroy(&f);
    return NULL;
}

void fagi_reload(struct fagi *f, const struct config *cfg)
{
    f->deadline_us = (uint64_t)config_int(cfg, "ctibus.fagi.deadline_ms") * 1000;
    if (ipbxes_load(f->sites, cfg) < 0)
        log_error(f->log, "no memory for the list of ipbxes");
}

void fagi_stop(struct fagi *f, void (*done)(void *arg), void *arg)
{
    listener_destroy(&f->listener);
    f->stopped = done;
    f->stopped_arg = arg;
    loop_timer_start(f->janitor, 20, true);
}

void fagi_destroy(struct fagi **fp)
{
    struct fagi *f = fp ? *fp : NULL;

    if (!f)
        return;
    *fp = NULL;
    listener_destroy(&f->listener);
    sessions_close(f);
    conn_class_fini(&f->conns);
    bus_heartbeat_destroy(&f->heart);
    bus_client_destroy(&f->bus_client);
    bus_pub_destroy(&f->pub);
    loop_timer_destroy(&f->janitor);
    ipbxes_destroy(&f->sites);
    buf_free(&f->scratch);
    buf_free(&f->line);
    buf_free(&f->topic);
    buf_free(&f->body);
    free(f);
}

bool fagi_is_ready(const struct fagi *f, struct buf *why)
{
    return bus_client_is_ready(f->bus_client, why) && !f->stopped;
}

uint16_t fagi_port(const struct fagi *f)
{
    return listener_port(f->listener);
}
