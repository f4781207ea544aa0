#include "metrics/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* All metrics of one name, which Prometheus wants together. */
struct family {
    struct metric *first;
    struct metric **last;
};

struct metrics {
    struct family families[METRIC_COUNT];
};

struct metrics *metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof(*m));

    for (int i = 0; m && i < METRIC_COUNT; i++)
        m->families[i].last = &m->families[i].first;
    return m;
}

static void metric_free(struct metric *metric)
{
    free(metric->labels);
    free(metric->counts);
    free(metric);
}

void metrics_destroy(struct metrics **m)
{
    struct metric *metric;

    if (!m || !*m)
        return;
    for (int i = 0; i < METRIC_COUNT; i++)
        while ((metric = (*m)->families[i].first)) {
            (*m)->families[i].first = metric->next;
            metric_free(metric);
        }
    free(*m);
    *m = NULL;
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
static int render_labels(const struct metric_def *def, const char *const *values, char **out)
{
    struct buf b;
    size_t n = 0;

    *out = NULL;
    buf_init(&b, 0);
    for (; def->labels[n] && values && values[n]; n++) {
        buf_printf(&b, "%s%s=\"", n ? "," : "", def->labels[n]);
        put_escaped(&b, values[n], true);
        buf_append_char(&b, '"');
    }
    if (n && !b.failed)
        *out = view_dup(buf_view(&b));
    buf_free(&b);
    if (def->labels[n] || (values && values[n]))
        return -EINVAL;
    return n && !*out ? -ENOMEM : 0;
}

static bool has_labels(const struct family *f, const char *labels)
{
    for (const struct metric *metric = f->first; metric; metric = metric->next)
        if (labels ? metric->labels && strcmp(metric->labels, labels) == 0 : !metric->labels)
            return true;
    return false;
}

struct metric *metrics_add(struct metrics *m, enum metric_id id, const char *const *values)
{
    struct family *f = &m->families[id];
    struct metric *metric = calloc(1, sizeof(*metric));
    int rc;

    if (!metric)
        return NULL;
    metric->id = id;
    metric->def = metric_def(id);
    rc = render_labels(metric->def, values, &metric->labels);
    if (rc == 0 && metric->def->kind == KIND_HISTOGRAM) {
        metric->counts = calloc(metric->def->n_bounds + 1, sizeof(*metric->counts));
        rc = metric->counts ? 0 : -ENOMEM;
    }
    if (rc < 0 || has_labels(f, metric->labels)) {
        metric_free(metric);
        return NULL;
    }
    *f->last = metric;
    f->last = &metric->next;
    return metric;
}

struct metric *metrics_callback(struct metrics *m, enum metric_id id, const char *const *values,
                                metric_fn *fn, void *arg)
{
    struct metric *metric =
        metric_def(id)->kind == KIND_HISTOGRAM ? NULL : metrics_add(m, id, values);

    if (metric) {
        metric->fn = fn;
        metric->fn_arg = arg;
    }
    return metric;
}

int metrics_add_rows(struct metrics *m, const struct metrics_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *rows[i].at = metrics_add(m, rows[i].id, NULL);
        if (!*rows[i].at)
            return -ENOMEM;
    }
    return 0;
}

void metrics_remove(struct metrics *m, struct metric **metric)
{
    struct family *f;
    struct metric **at;

    if (!metric || !*metric)
        return;
    f = &m->families[(*metric)->id];
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
    const struct metric_def *def = m->def;
    size_t i = 0;

    while (i < def->n_bounds && value > def->bounds[i])
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
    buf_printf(out, "%s%s", m->def->name, suffix);
    if (m->labels)
        buf_printf(out, "{%s}", m->labels);
    buf_append_char(out, ' ');
    put_number(out, value);
    buf_append_char(out, '\n');
}

static void put_histogram(struct buf *out, const struct metric *m)
{
    const struct metric_def *def = m->def;
    uint64_t total = 0;

    for (size_t i = 0; i <= def->n_bounds; i++) {
        total += m->counts[i];
        buf_printf(out, "%s_bucket{%s%sle=\"", def->name, m->labels ? m->labels : "",
                   m->labels ? "," : "");
        put_number(out, i < def->n_bounds ? def->bounds[i] : INFINITY);
        buf_printf(out, "\"} %llu\n", (unsigned long long)total);
    }
    put_sample(out, m, "_sum", m->value);
    put_sample(out, m, "_count", (double)total);
}

int metrics_render(struct metrics *m, struct buf *out)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_def *def = metric_def((enum metric_id)i);
        if (!m->families[i].first)
            continue;
        buf_printf(out, "# HELP %s ", def->name);
        put_escaped(out, def->meaning, false);
        buf_printf(out, "\n# TYPE %s %s\n", def->name, metric_kind_name(def->kind));
        for (const struct metric *metric = m->families[i].first; metric; metric = metric->next) {
            if (def->kind == KIND_HISTOGRAM)
                put_histogram(out, metric);
            else
                put_sample(out, metric, "", metric_get(metric));
        }
    }
    return out->failed ? -ENOMEM : 0;
}
