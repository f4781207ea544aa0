/*
 * What a process counts about itself, and its rendering as Prometheus text.
 *
 * What there is to count stands in one table, metrics.def: kind, name, labels, which services have
 * it, what it means. A metric is made once at the start and then touched through its pointer, which
 * costs an addition. The registry owns its metrics. All of it belongs to the loop's thread; what
 * other threads count is fetched by a callback.
 */
#ifndef CTIBUS_METRICS_METRICS_H
#define CTIBUS_METRICS_METRICS_H

#include "base/buf.h"

enum metric_id {
#define METRIC(ident, kind, name, labels, services, level, meaning, advice) METRIC_##ident,
#include "metrics/metrics.def"
#undef METRIC
    METRIC_COUNT
};

enum metric_kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };
enum metric_level { LEVEL_OPERATORS, LEVEL_DEVELOPERS };

#define METRIC_MAX_LABELS 2

/* A row of the table. */
struct metric_def {
    const char *name;
    const char *labels[METRIC_MAX_LABELS + 1]; /* ends with NULL */
    const char *meaning;
    const char *advice;   /* what to do; may be empty */
    const double *bounds; /* of a histogram: ascending upper bounds */
    size_t n_bounds;
    enum metric_kind kind;
    enum metric_level level;
    unsigned services; /* bits in the order of metric_service */
};

const struct metric_def *metric_def(enum metric_id id);
const char *metric_kind_name(enum metric_kind kind); /* as Prometheus has it */
/* The name of the service of a bit ("cti-gw"); NULL: there is no such bit. */
const char *metric_service(unsigned bit);
/* Appends the table as docs/metrics.md has it. 0 or -ENOMEM. */
int metrics_markdown(struct buf *out);

typedef double metric_fn(void *arg);

struct metric {
    double value; /* of a histogram: the sum */
    const struct metric_def *def;
    enum metric_id id;
    struct metric *next; /* of the same name */
    char *labels;        /* rendered, without braces; NULL: none */
    metric_fn *fn;
    void *fn_arg;
    uint64_t *counts; /* of a histogram, per bucket, not cumulated; the last is over all bounds */
};

struct metrics;

struct metrics *metrics_new(void);
void metrics_destroy(struct metrics **m);

/* The values for the labels of a metric, in the order of the table. */
#define METRIC_VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A metric that starts at 0. values (METRIC_VALUES, copied): as many as the table has labels for
 * it; NULL for one without. NULL without memory, or when there are more or fewer of them, or when
 * one of the same values is there. */
struct metric *metrics_add(struct metrics *m, enum metric_id id, const char *const *values);

/* The same for a counter or gauge whose value is asked of fn(arg) at each rendering. */
struct metric *metrics_callback(struct metrics *m, enum metric_id id, const char *const *values,
                                metric_fn *fn, void *arg);

/* Several counters or gauges without labels at once: each is put where its row says. 0 or
 * -ENOMEM. */
struct metrics_row {
    struct metric **at;
    enum metric_id id;
};
int metrics_add_rows(struct metrics *m, const struct metrics_row *rows, size_t n);

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
