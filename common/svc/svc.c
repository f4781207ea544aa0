#include "svc/svc.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/hostport.h"
#include "metrics/health.h"
#include "svc/bus_setup.h"
#include "svc/memory.h"
#include "svc/notify.h"
#include "svc/options.h"
#include "svc/process.h"
#include "svc/source.h"

#define STOP_MS 5000
#define MEMORY_MS 5000 /* from one look at what a peak has left behind to the next */
/* For the reader of what is said before there is a log. */
#define PRINT_US 2000000u

/* From one attempt to fetch the configuration to the next, doubled each time. */
#define RETRY_MIN_MS 10000u
#define RETRY_MAX_MS 300000u

struct svc_state {
    struct svc svc;
    const struct svc_def *def;
    char instance[128]; /* of svc_name_instance */
    struct options options;
    uint64_t print_until; /* monotonic us */
    struct config *cfg;
    struct source source;
    struct loop_timer *retry; /* of a fetch of the configuration */
    unsigned tries;           /* since it was fetched last */
    struct process_loop turns;
    int statm; /* for process_metrics; -1: none */
    struct health *health;
    struct notifier *notifier; /* NULL: not under systemd */
    struct loop_signal *term, *interrupt, *hangup;
    struct loop_timer *deadline;
    struct memory *memory;
    void *ctx;
    bool stopping;
    enum svc_files files; /* of --check */
    int exit_code;
};

/* --- configuration --- */

static void log_config_error(void *arg, const struct config_error *e)
{
    log_error((struct log *)arg, "configuration file=%s key=%s: %s", e->file, e->key, e->reason);
}

static void log_config_note(void *arg, const struct config_error *e)
{
    log_notice((struct log *)arg, "configuration file=%s key=%s: %s", e->file, e->key, e->reason);
}

/* A fault of each line. */
static void tell_lines(const struct svc_state *s, struct view why, config_error_fn *tell, void *arg)
{
    do {
        char *line = view_dup(view_cut(&why, '\n'));
        tell(arg, &(struct config_error){(char *)source_name(&s->source), (char *)"",
                                         line && *line ? line : (char *)"is wrong"});
        free(line);
    } while (why.len);
}

void svc_next_fault(struct buf *why)
{
    struct view said = buf_view(why);

    if (said.len && said.ptr[said.len - 1] != '\n')
        buf_append_char(why, '\n');
}

/* What the service itself has to say about the configuration. */
static bool check(struct svc_state *s, config_error_fn *tell, void *arg)
{
    const char *tz = config_str(s->svc.cfg, "ctibus.timezone") ? NULL : getenv("TZ");
    bool good = !tz || config_environment_zone_is_known(tz);
    struct buf why;

    if (!good)
        tell(arg, &(struct config_error){"environment", "TZ", "there is no such time zone"});
    buf_init(&why, 65536);
    if (s->def->check && !s->def->check(&s->svc, &why)) {
        good = false;
        tell_lines(s, buf_view(&why), tell, arg);
    }
    buf_free(&why);
    return good;
}

const char *svc_option(const struct svc *svc, const char *name)
{
    const struct svc_def *def = svc->state->def;

    for (size_t i = 0; def->options && def->options[i].name; i++)
        if (strcmp(def->options[i].name, name) == 0)
            return svc->state->options.values[i];
    assert(!"a flag that the service has");
    return NULL;
}

static bool has_option(const struct svc_def *def, const char *name)
{
    for (const struct svc_option *o = def->options; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return true;
    return false;
}

/* Where its HTTP side listens; NULL: nowhere. */
static const char *http_address(const struct svc_state *s)
{
    char key[64];

    snprintf(key, sizeof(key), "ctibus.http.%s", s->def->name);
    return config_str(s->cfg, key);
}

/* --- stop and reload --- */

static void leave(struct svc_state *s, int code)
{
    s->exit_code = code;
    loop_stop(s->svc.loop);
}

void svc_stopped(struct svc *svc)
{
    loop_stop(svc->loop);
}

void svc_fail(struct svc *svc)
{
    leave(svc->state, SVC_EXIT_FAILED);
}

static void deadline_passed(void *arg)
{
    struct svc_state *s = arg;

    log_warning(s->svc.log, "not stopped after %u ms: leaving", (unsigned)s->svc.stop_ms);
    leave(s, SVC_EXIT_FAILED);
}

static void stop_asked(void *arg)
{
    struct svc_state *s = arg;

    if (s->stopping) {
        log_warning(s->svc.log, "second signal: leaving at once");
        leave(s, SVC_EXIT_FAILED);
        return;
    }
    s->stopping = true;
    log_notice(s->svc.log, "stopping");
    notify_stopping(s->notifier);
    if (s->def->stop)
        s->def->stop(s->ctx);
    else
        svc_stopped(&s->svc);
    loop_timer_start(s->deadline, s->svc.stop_ms, false);
}

void svc_leave(struct svc *svc)
{
    if (svc->state->stopping)
        return;
    svc->state->exit_code = SVC_EXIT_AGAIN;
    stop_asked(svc->state);
}

static void apply_log_level(struct svc_state *s)
{
    enum log_level level;

    if (log_level_parse(view_cstr(config_str(s->cfg, "ctibus.log.level")), &level) == 0)
        log_set_level(s->svc.log, level);
}

static void apply_names(struct svc_state *s)
{
    loop_set_names(s->svc.loop, config_str(s->cfg, "ctibus.dns.server"), NULL);
}

static void note_change(void *arg, const char *key, bool reloadable)
{
    struct svc_state *s = arg;

    if (reloadable)
        log_notice(s->svc.log, "reload: %s has changed", key);
    else
        log_warning(s->svc.log, "reload: %s has changed, which needs a restart", key);
}

static int reload(struct svc_state *s, struct view text)
{
    struct config *old = s->cfg;
    struct config *cfg;

    cfg = source_load(&s->source, text, log_config_error, s->svc.log);
    s->svc.cfg = cfg ? cfg : old;
    if (!cfg || !check(s, log_config_error, s->svc.log)) {
        log_error(s->svc.log, "the configuration stays as it was");
        s->svc.cfg = old;
        config_destroy(&cfg);
        return -EINVAL;
    }
    s->cfg = cfg;
    config_each_change(old, cfg, note_change, s);
    apply_log_level(s);
    apply_names(s);
    s->def->reload(s->ctx);
    config_destroy(&old);
    log_notice(s->svc.log, "configuration reloaded");
    return 0;
}

static void keep_copy(struct svc_state *s)
{
    int rc = web_config_keep(s->source.web, buf_view(&s->source.text));

    if (rc < 0)
        log_error(s->svc.log,
                  "the copy of the configuration %s cannot be written: %s; a start without its web "
                  "server is not possible",
                  web_config_copy(s->source.web), strerror(-rc));
}

static void fetch_again(struct svc_state *s)
{
    loop_timer_start(s->retry, backoff_ms(RETRY_MIN_MS, RETRY_MAX_MS, s->tries++, 0), false);
}

/* The configuration is here again, or cannot be fetched (then `reason` says why). */
static void on_config(void *arg, struct view text, const char *reason)
{
    struct svc_state *s = arg;

    if (s->stopping)
        return;
    if (reason) {
        log_error(s->svc.log,
                  "the configuration %s cannot be fetched: %s; it stays as it was, tried again in "
                  "%u s at the latest",
                  source_name(&s->source), reason, RETRY_MAX_MS / 1000);
        fetch_again(s);
    } else if (reload(s, text) == 0) {
        s->tries = 0;
        loop_timer_stop(s->retry);
        buf_reset(&s->source.text);
        buf_append_view(&s->source.text, text);
        keep_copy(s);
    }
    notify_ready(s->notifier);
}

static int fetch_config(struct svc_state *s)
{
    int rc = web_config_ask(s->source.web, s->svc.loop, on_config, s);

    if (rc < 0)
        log_error(s->svc.log, "the configuration cannot be fetched: %s", strerror(-rc));
    return rc;
}

static void retry_fetch(void *arg)
{
    struct svc_state *s = arg;

    if (fetch_config(s) < 0)
        fetch_again(s);
}

int svc_reload(struct svc *svc)
{
    struct svc_state *s = svc->state;
    int rc = -ENOTSUP;

    if (s->stopping) {
        log_notice(svc->log, "nothing to reload");
        return -EBUSY;
    }
    notify_reloading(s->notifier);
    if (s->def->reload && s->source.web) {
        rc = fetch_config(s);
        if (rc == 0)
            return 0; /* the rest in on_config */
    } else if (s->def->reload) {
        rc = reload(s, view_of(NULL, 0));
    }
    if (rc == -ENOTSUP)
        log_notice(svc->log, "nothing to reload");
    notify_ready(s->notifier);
    return rc;
}

static void reload_asked(void *arg)
{
    svc_reload(&((struct svc_state *)arg)->svc);
}

/* --- start --- */

static void log_listening(struct svc *svc, const char *name, struct view host, uint16_t port)
{
    log_notice(svc->log, "listening name=%s address=%.*s port=%u", name, VIEW_ARG(host),
               (unsigned)port);
}

void svc_log_listening(struct svc *svc, const char *name, const char *asked, uint16_t port)
{
    log_listening(svc, name, view_of(asked, (size_t)(strrchr(asked, ':') - asked)), port);
}

void svc_log_endpoint(struct svc *svc, const char *name, const char *endpoint)
{
    const char *host = endpoint && strncmp(endpoint, "tcp://", 6) == 0 ? endpoint + 6 : NULL;
    const char *colon = host ? strrchr(host, ':') : NULL;

    if (colon)
        svc_log_listening(svc, name, host, (uint16_t)atoi(colon + 1));
}

void svc_name_instance(struct svc *svc, const char *prefix)
{
    char *name = svc->state->instance;
    bool may = has_option(svc->state->def, "instance");
    const char *given = may ? svc_option(svc, "instance") : NULL;
    char host[64] = "localhost";

    gethostname(host, sizeof(host) - 1);
    if (given)
        snprintf(name, sizeof(svc->state->instance), "%.60s", given);
    else
        snprintf(name, sizeof(svc->state->instance), "%.32s%.40s-%d", prefix, host, (int)getpid());
    svc->instance = name;
}

static bool is_ready(void *arg, struct buf *why)
{
    struct svc_state *s = arg;

    if (s->stopping) {
        if (why)
            buf_append_cstr(why, "the service is stopping");
        return false;
    }
    return !s->def->ready || s->def->ready(s->ctx, why);
}

static double ready_now(void *arg)
{
    return is_ready(arg, NULL);
}

static double http_closed(void *health)
{
    return (double)health_closed(health);
}

static int start_health(struct svc_state *s)
{
    const char *addr = http_address(s);
    struct view host;
    uint16_t port;
    int err;

    if (!addr)
        return 0;
    if (!metrics_callback(s->svc.metrics, METRIC_ready, NULL, ready_now, s))
        return -ENOMEM;
    s->health = health_new(s->svc.loop, addr, s->svc.metrics, is_ready, s, &err);
    if (!s->health) {
        log_error(s->svc.log, "cannot listen at %s for metrics: %s", addr, strerror(-err));
        return err;
    }
    if (!metrics_callback(s->svc.metrics, METRIC_http_closed, NULL, http_closed, s->health))
        return -ENOMEM;
    hostport_split(view_cstr(addr), &host, &port);
    log_listening(&s->svc, "metrics", host.len ? host : VIEW("0.0.0.0"), health_port(s->health));
    return 0;
}

/* For systemctl status. */
static void tell_status(void *arg, struct buf *out)
{
    struct buf why;

    buf_init(&why, 4096);
    if (is_ready(arg, &why))
        buf_append_cstr(out, "ready");
    else
        buf_printf(out, "not ready: %.*s", VIEW_ARG(buf_view(&why)));
    buf_free(&why);
}

static int make_parts(struct svc_state *s)
{
    struct svc *svc = &s->svc;
    bool json = strcmp(config_str(s->cfg, "ctibus.log.format"), "json") == 0;
    char name[64];

    snprintf(name, sizeof(name), "ctibus-%s", s->def->name);
    svc->log = log_new(STDERR_FILENO, name, LOG_INFO, json);
    if (!svc->log)
        return -ENOMEM;
    apply_log_level(s);
    if (log_set_room(svc->log, (size_t)config_int(s->cfg, "ctibus.log.buffer")) < 0)
        return -ENOMEM;
    loop_messages_to(svc->log);
    svc->loop = loop_new();
    svc->metrics = metrics_new();
    if (svc->loop)
        loop_set_log(svc->loop, svc->log);
    if (!svc->loop || !svc->metrics || process_metrics(svc, &s->statm) < 0 ||
        process_watch_loop(svc, &s->turns) < 0)
        return -ENOMEM;
    apply_names(s);
    s->term = loop_signal_new(svc->loop, SIGTERM, stop_asked, s);
    s->interrupt = loop_signal_new(svc->loop, SIGINT, stop_asked, s);
    s->hangup = loop_signal_new(svc->loop, SIGHUP, reload_asked, s);
    s->deadline = loop_timer_new(svc->loop, deadline_passed, s);
    s->memory = memory_new(svc->loop, MEMORY_MS, &s->statm);
    s->retry = loop_timer_new(svc->loop, retry_fetch, s);
    if (!s->retry || !s->term || !s->interrupt || !s->hangup || !s->deadline || !s->memory)
        return -ENOMEM;
    return notifier_new(svc->loop, tell_status, s, svc->log, &s->notifier);
}

static void free_parts(struct svc_state *s)
{
    health_destroy(&s->health);
    notifier_destroy(&s->notifier);
    if (s->ctx && s->def->destroy)
        s->def->destroy(&s->ctx);
    loop_signal_destroy(&s->term);
    loop_signal_destroy(&s->interrupt);
    loop_signal_destroy(&s->hangup);
    loop_timer_destroy(&s->deadline);
    loop_timer_destroy(&s->retry);
    source_close(&s->source); /* its thread wakes the loop */
    memory_destroy(&s->memory);
    metrics_destroy(&s->svc.metrics);
    if (s->statm >= 0)
        close(s->statm);
    loop_destroy(&s->svc.loop);
    loop_messages_to(NULL);
    log_destroy(&s->svc.log);
}

/* What is to be said of the configuration now that there is a log. */
static void tell_config(struct svc_state *s)
{
    config_each_note(s->cfg, log_config_note, s->svc.log);
    if (!s->source.web)
        return;
    if (!*s->source.why_copy) {
        keep_copy(s);
        return;
    }
    log_warning(s->svc.log,
                "the configuration %s cannot be fetched: %s; its last good copy %s is used until "
                "it can",
                source_name(&s->source), s->source.why_copy, web_config_copy(s->source.web));
    fetch_again(s);
}

static int run(struct svc_state *s)
{
    int rc;

    memory_configure();
    config_apply_timezone(s->cfg);
    rc = make_parts(s);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of the write */
    process_raise_limits();
    if (rc == 0)
        log_notice(s->svc.log, "starting version=%s instance=%s", CTIBUS_VERSION, s->svc.instance);
    if (rc == 0) {
        tell_config(s);
        rc = s->def->start(&s->svc, &s->ctx);
    }
    if (rc == 0)
        rc = start_health(s);
    if (rc == 0)
        notify_ready(s->notifier);
    if (rc == 0)
        rc = loop_run(s->svc.loop);
    if (rc < 0) {
        log_error(s->svc.log, "failed: %s", strerror(-rc));
        s->exit_code = SVC_EXIT_FAILED;
    }
    if (s->svc.log)
        log_notice(s->svc.log, "stopped");
    free_parts(s);
    return s->exit_code;
}

static int healthcheck(const struct svc_state *s)
{
    const char *addr = http_address(s);
    struct buf body;
    int rc;

    if (!addr) {
        log_print(STDERR_FILENO, s->print_until, "ctibus.http.%s is turned off\n", s->def->name);
        return SVC_EXIT_FAILED;
    }
    buf_init(&body, 65536);
    rc = health_probe(addr, &body);
    if (rc == -EAGAIN)
        log_print(STDERR_FILENO, clock_mono_us() + PRINT_US, "not ready: %.*s\n",
                  VIEW_ARG(buf_view(&body)));
    else if (rc < 0)
        log_print(STDERR_FILENO, clock_mono_us() + PRINT_US, "%s: %s\n", addr, strerror(-rc));
    buf_free(&body);
    return rc == 0 ? SVC_EXIT_STOPPED : SVC_EXIT_FAILED;
}

/* Of --check: the files that the configuration names. */
static enum svc_files check_files(struct svc_state *s)
{
    enum svc_files files = SVC_FILES_GOOD;
    struct buf why;

    if (s->def->check_files)
        files = s->def->check_files(&s->svc, source_print, &s->options);
    buf_init(&why, 4096);
    if (!bus_setup_check(s->svc.cfg, &why)) {
        files = SVC_FILES_BAD;
        tell_lines(s, buf_view(&why), source_print, &s->options);
    }
    buf_free(&why);
    return files;
}

/* Of a start: faults are printed; with --check those of files, too, in one run. */
static bool check_first(void *arg, const struct config *cfg)
{
    struct svc_state *s = arg;
    bool good;

    s->svc.cfg = cfg;
    good = check(s, source_print, &s->options);
    if (s->options.check)
        s->files = check_files(s);
    return good;
}

/* Of --check: the exit code. */
static int told(const struct svc_state *s)
{
    config_each_note(s->cfg, source_print, (void *)&s->options);
    if (s->files == SVC_FILES_GOOD)
        printf("configuration ok\n");
    return s->files == SVC_FILES_GOOD     ? SVC_EXIT_STOPPED
           : s->files == SVC_FILES_FAULTY ? SVC_EXIT_BAD_FILES
                                          : SVC_EXIT_BAD_CONFIG;
}

static int work(struct svc_state *s)
{
    bool retry;

    s->source.options = &s->options;
    s->cfg = source_first(&s->source, s->options.healthcheck ? NULL : check_first, s, &retry);
    s->svc.cfg = s->cfg;
    if (!s->cfg)
        return retry ? SVC_EXIT_FAILED : SVC_EXIT_BAD_CONFIG;
    if (s->options.check)
        return told(s);
    return s->options.healthcheck ? healthcheck(s) : run(s);
}

int svc_main(int argc, char **argv, const struct svc_def *def)
{
    struct svc_state s = {.def = def, .print_until = clock_mono_us() + PRINT_US, .statm = -1};
    int rc;

    /* Until the loop handles it: what a reload would read is not read yet. */
    signal(SIGHUP, SIG_IGN);
    rc = options_parse(&s.options, argc, argv, def, s.print_until);
    s.svc = (struct svc){.name = def->name, .instance = def->name, .stop_ms = STOP_MS, .state = &s};
    if (rc < 0 && has_option(def, "instance") && svc_option(&s.svc, "instance"))
        s.svc.instance = svc_option(&s.svc, "instance");
    if (rc < 0)
        rc = work(&s);
    config_destroy(&s.cfg);
    source_close(&s.source);
    options_free(&s.options);
    return log_end_stdout(rc);
}
