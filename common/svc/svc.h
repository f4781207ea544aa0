/*
 * What every service is inside: flags, configuration, log, loop, metrics, health, signals, a clean
 * stop.
 *
 * A service describes itself in a struct svc_def and its main is one call of svc_main. The order
 * is: flags, configuration, start(), the loop, stop() at SIGTERM or SIGINT, the loop until
 * svc_stopped() (5 s at most, if it does not say otherwise; a second signal ends it at once),
 * destroy(). Exit codes: 0 stopped, 1 failed, 2 bad configuration or flags; of --check, 3: it
 * starts, but a file that the configuration names has faults; 75: svc_leave().
 */
#ifndef CTIBUS_SVC_SVC_H
#define CTIBUS_SVC_SVC_H

#include "base/buf.h"
#include "config/config.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"

struct svc_state;

/* Handed to the service; everything in it is borrowed. */
struct svc {
    const struct config *cfg; /* another one from each reload on */
    struct log *log;
    struct loop *loop;
    struct metrics *metrics;
    const char *name;     /* as in the definition: "cti-gw" */
    const char *instance; /* --instance when the service has it, else the name: svc_name_instance */
    uint64_t started;     /* monotonic microseconds */
    uint32_t stop_ms;     /* a clean stop may take so long: 5 s, unless stop() sets it */
    struct svc_state *state;
};

/* A flag of the service's own: --name ARG. */
struct svc_option {
    const char *name;
    const char *arg; /* what --help calls its value */
    const char *doc;
};

/* What a service ends with. */
enum svc_exit {
    SVC_EXIT_STOPPED,
    SVC_EXIT_FAILED,
    SVC_EXIT_BAD_CONFIG,
    SVC_EXIT_BAD_FILES, /* of --check: it starts */
    SVC_EXIT_AGAIN = 75 /* it has left its work to another one, and is to be started again */
};

enum svc_files {
    SVC_FILES_GOOD,
    SVC_FILES_FAULTY, /* the service starts with them */
    SVC_FILES_BAD     /* it does not */
};

struct svc_def {
    const char *name; /* the program is ctibus-NAME, its HTTP side ctibus.http.NAME */
    const char *doc;  /* a sentence for --help */
    const struct svc_option *options; /* ends with a NULL name; NULL: none */

    /* Optional: what the configuration's own checks cannot know, e.g. that the IPBX of a flag is in
     * it. False after appending a sentence for each fault to `why`, with svc_next_fault between
     * them. Only name, instance, cfg and options are there. */
    bool (*check)(const struct svc *svc, struct buf *why);
    /* Optional, of --check only: the files that the configuration names, whose faults are all told.
     */
    enum svc_files (*check_files)(const struct svc *svc, config_error_fn *tell, void *arg);
    /* Sets all up; *ctx goes to the others. 0, or a negative errno: then it has logged why, and
     * destroy is called when *ctx is set. */
    int (*start)(struct svc *svc, void **ctx);
    /* Stops taking work, finishes what is under way, then calls svc_stopped. NULL: nothing to do.
     */
    void (*stop)(void *ctx);
    /* Optional, at SIGHUP: svc->cfg is the new configuration, already checked. What was borrowed
     * from the old one dies when this returns. Without it a SIGHUP is only noted. */
    void (*reload)(void *ctx);
    /* Optional, for /readyz; see metrics/health.h. NULL: ready once started. */
    bool (*ready)(void *ctx, struct buf *why);
    /* Frees all; the loop does not run any more. */
    void (*destroy)(void **ctx);
};

/* Runs the service; returns the exit code. */
int svc_main(int argc, char **argv, const struct svc_def *def);

/* Ends a fault in the `why` of svc_def.check, if there is one; the next may follow. */
void svc_next_fault(struct buf *why);

/* The value of one of the service's own flags; NULL when it was not given. */
const char *svc_option(const struct svc *svc, const char *name);

/* Does what SIGHUP does: reads the configuration, checks it, and has the service take it. 0;
 * -EINVAL: it is wrong (logged) and stays as it was; -EBUSY: the service stops; -ENOTSUP: it has no
 * reload. One behind HTTP is only fetched here: 0, and what comes of it is logged. */
int svc_reload(struct svc *svc);

/* The clean stop is done: the loop ends. */
void svc_stopped(struct svc *svc);
/* The service cannot go on (it has logged why): the loop ends and the exit code is 1. */
void svc_fail(struct svc *svc);
/* A clean stop, as SIGTERM leads to, with SVC_EXIT_AGAIN as the exit code (or 1 if it does not end
 * in time): a service manager starts the service again. */
void svc_leave(struct svc *svc);

/* Logs, in the form that tools and tests look for, that a socket is bound: to what was asked for
 * ("HOST:PORT"), and the port that it got. */
void svc_log_listening(struct svc *svc, const char *name, const char *asked, uint16_t port);
/* The same of a bus's endpoint, when it is a tcp:// one; NULL: nothing. */
void svc_log_endpoint(struct svc *svc, const char *name, const char *endpoint);

/* Sets svc->instance, what this process of several is called: what --instance says where `def` has
 * that option, else prefix (may be ""), host and process number. */
void svc_name_instance(struct svc *svc, const char *prefix);

#endif
