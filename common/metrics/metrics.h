/*
 * What a process counts about itself, and its rendering as Prometheus text.
 *
 * A metric is made once at the start and then touched through its pointer, which costs an addition.
 * The registry owns its metrics. All of it belongs to the loop's thread; what other threads count
 * is fetched by a callback.
 */
#ifndef CTIBUS_METRICS_METRICS_H
#define CTIBUS_METRICS_METRICS_H

#include "base/buf.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* Labels are an array that ends with a NULL name. */
struct metric_label {
    const char *name;
    const char *value;
};

typedef double metric_fn(void *arg);

struct metric {
    double value; /* of a histogram: the sum */
    struct metric_family *family;
    struct metric *next;
    char *labels; /* rendered, without braces; NULL: none */
    metric_fn *fn;
    void *fn_arg;
    uint64_t *counts; /* of a histogram, per bucket, not cumulated; the last is over all bounds */
};

struct metrics;

struct metrics *metrics_new(void);
void metrics_destroy(struct metrics **m);

/* A counter or gauge that starts at 0. Names and labels are copied. The help of a name is that of
 * its first metric. NULL without memory, or when the name is in use for another kind or the same
 * labels. */
struct metric *metrics_add(struct metrics *m, enum metric_kind kind, const char *name,
                           const struct metric_label *labels, const char *help);

/* The same, whose value is asked of fn(arg) at each rendering. */
struct metric *metrics_callback(struct metrics *m, enum metric_kind kind, const char *name,
                                const struct metric_label *labels, const char *help, metric_fn *fn,
                                void *arg);

/* A histogram over n ascending upper bounds (copied; the bucket without a bound comes by itself).
 * All of one name share the bounds of the first. */
struct metric *metrics_histogram(struct metrics *m, const char *name,
                                 const struct metric_label *labels, const char *help,
                                 const double *bounds, size_t n);

/* Takes one out and frees it: for what ends before its process. *metric becomes NULL. */
void metrics_remove(struct metrics *m, struct metric **metric);

static inline void metric_add(struct metric *m, double n)
{
    m->value += n;
}

static inline void metric_set(struct metric *m, double value)
{
    m->value = value;
}

static inline double metric_get(const struct metric *m)
{
    return m->fn ? m->fn(m->fn_arg) : m->value;
}

/* Counts one value in a histogram. */
void metric_observe(struct metric *m, double value);

/* Appends all of it in Prometheus's text format, version 0.0.4. 0, or what buf_append gives. */
int metrics_render(struct metrics *m, struct buf *out);

#endif
