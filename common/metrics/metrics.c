#include "metrics/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* All metrics of one name, which Prometheus wants together. */
struct metric_family {
    struct metric_family *next;
    enum metric_kind kind;
    char *name;
    char *help;
    struct metric *first;
    struct metric **last;
    double *bounds;
    size_t bound_count;
};

struct metrics {
    struct metric_family *first;
    struct metric_family **last;
};

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

struct metrics *metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof(*m));

    if (m)
        m->last = &m->first;
    return m;
}

static void metric_free(struct metric *metric)
{
    free(metric->labels);
    free(metric->counts);
    free(metric);
}

static void family_free(struct metric_family *f)
{
    struct metric *metric;

    while ((metric = f->first)) {
        f->first = metric->next;
        metric_free(metric);
    }
    free(f->name);
    free(f->help);
    free(f->bounds);
    free(f);
}

void metrics_destroy(struct metrics **m)
{
    struct metric_family *f;

    if (!m || !*m)
        return;
    while ((f = (*m)->first)) {
        (*m)->first = f->next;
        family_free(f);
    }
    free(*m);
    *m = NULL;
}

/* The family of this name, made when there is none. */
static struct metric_family *family_of(struct metrics *m, enum metric_kind kind, const char *name,
                                       const char *help)
{
    struct metric_family *f;

    for (f = m->first; f; f = f->next)
        if (strcmp(f->name, name) == 0)
            return f->kind == kind ? f : NULL;
    f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->kind = kind;
    f->last = &f->first;
    f->name = strdup(name);
    f->help = strdup(help);
    if (!f->name || !f->help) {
        family_free(f);
        return NULL;
    }
    *m->last = f;
    m->last = &f->next;
    return f;
}

static void put_escaped(struct buf *out, const char *s, bool quotes)
{
    for (; *s; s++) {
        if (*s == '\\' || (quotes && *s == '"'))
            buf_append_char(out, '\\');
        if (*s == '\n')
            buf_append(out, "\\n", 2);
        else
            buf_append_char(out, *s);
    }
}

/* *out becomes the labels as they are shown, NULL without any. */
static int render_labels(const struct metric_label *labels, char **out)
{
    struct buf b;

    *out = NULL;
    if (!labels || !labels->name)
        return 0;
    buf_init(&b, 0);
    for (const struct metric_label *l = labels; l->name; l++) {
        buf_printf(&b, "%s%s=\"", l == labels ? "" : ",", l->name);
        put_escaped(&b, l->value ? l->value : "", true);
        buf_append_char(&b, '"');
    }
    if (!b.failed)
        *out = view_dup(buf_view(&b));
    buf_free(&b);
    return *out ? 0 : -ENOMEM;
}

static bool has_labels(const struct metric_family *f, const char *labels)
{
    for (const struct metric *metric = f->first; metric; metric = metric->next)
        if (labels ? metric->labels && strcmp(metric->labels, labels) == 0 : !metric->labels)
            return true;
    return false;
}

static struct metric *add(struct metrics *m, enum metric_kind kind, const char *name,
                          const struct metric_label *labels, const char *help)
{
    struct metric_family *f = family_of(m, kind, name, help);
    struct metric *metric = f ? calloc(1, sizeof(*metric)) : NULL;

    if (!metric)
        return NULL;
    metric->family = f;
    if (render_labels(labels, &metric->labels) < 0 || has_labels(f, metric->labels)) {
        metric_free(metric);
        return NULL;
    }
    *f->last = metric;
    f->last = &metric->next;
    return metric;
}

struct metric *metrics_add(struct metrics *m, enum metric_kind kind, const char *name,
                           const struct metric_label *labels, const char *help)
{
    return kind == METRIC_HISTOGRAM ? NULL : add(m, kind, name, labels, help);
}

struct metric *metrics_callback(struct metrics *m, enum metric_kind kind, const char *name,
                                const struct metric_label *labels, const char *help, metric_fn *fn,
                                void *arg)
{
    struct metric *metric = metrics_add(m, kind, name, labels, help);

    if (metric) {
        metric->fn = fn;
        metric->fn_arg = arg;
    }
    return metric;
}

static int set_bounds(struct metric_family *f, const double *bounds, size_t n)
{
    if (f->bounds)
        return 0;
    f->bounds = malloc((n ? n : 1) * sizeof(*bounds));
    if (!f->bounds)
        return -ENOMEM;
    memcpy(f->bounds, bounds, n * sizeof(*bounds));
    f->bound_count = n;
    return 0;
}

struct metric *metrics_histogram(struct metrics *m, const char *name,
                                 const struct metric_label *labels, const char *help,
                                 const double *bounds, size_t n)
{
    struct metric *metric = add(m, METRIC_HISTOGRAM, name, labels, help);

    if (!metric)
        return NULL;
    if (set_bounds(metric->family, bounds, n) == 0)
        metric->counts = calloc(metric->family->bound_count + 1, sizeof(*metric->counts));
    if (!metric->counts)
        metrics_remove(m, &metric);
    return metric;
}

void metrics_remove(struct metrics *m, struct metric **metric)
{
    struct metric_family *f;
    struct metric **at;

    if (!metric || !*metric)
        return;
    f = (*metric)->family;
    for (at = &f->first; *at != *metric; at = &(*at)->next)
        ;
    *at = (*metric)->next;
    if (!*at)
        f->last = at;
    metric_free(*metric);
    *metric = NULL;
}

void metric_observe(struct metric *m, double value)
{
    const struct metric_family *f = m->family;
    size_t i = 0;

    while (i < f->bound_count && value > f->bounds[i])
        i++;
    m->counts[i]++;
    m->value += value;
}

static void put_number(struct buf *out, double d)
{
    if (isnan(d))
        buf_append_cstr(out, "NaN");
    else if (isinf(d))
        buf_append_cstr(out, d > 0 ? "+Inf" : "-Inf");
    else if (d == floor(d) && fabs(d) < 9e15)
        buf_printf(out, "%.0f", d);
    else
        buf_printf(out, "%.15g", d);
}

static void put_sample(struct buf *out, const struct metric *m, const char *suffix, double value)
{
    buf_printf(out, "%s%s", m->family->name, suffix);
    if (m->labels)
        buf_printf(out, "{%s}", m->labels);
    buf_append_char(out, ' ');
    put_number(out, value);
    buf_append_char(out, '\n');
}

static void put_histogram(struct buf *out, const struct metric *m)
{
    const struct metric_family *f = m->family;
    uint64_t total = 0;

    for (size_t i = 0; i <= f->bound_count; i++) {
        total += m->counts[i];
        buf_printf(out, "%s_bucket{%s%sle=\"", f->name, m->labels ? m->labels : "",
                   m->labels ? "," : "");
        put_number(out, i < f->bound_count ? f->bounds[i] : INFINITY);
        buf_printf(out, "\"} %llu\n", (unsigned long long)total);
    }
    put_sample(out, m, "_sum", m->value);
    put_sample(out, m, "_count", (double)total);
}

int metrics_render(struct metrics *m, struct buf *out)
{
    for (const struct metric_family *f = m->first; f; f = f->next) {
        if (!f->first)
            continue;
        buf_printf(out, "# HELP %s ", f->name);
        put_escaped(out, f->help, false);
        buf_printf(out, "\n# TYPE %s %s\n", f->name, kind_names[f->kind]);
        for (const struct metric *metric = f->first; metric; metric = metric->next) {
            if (f->kind == METRIC_HISTOGRAM)
                put_histogram(out, metric);
            else
                put_sample(out, metric, "", metric_get(metric));
        }
    }
    return out->failed ? -ENOMEM : 0;
}
