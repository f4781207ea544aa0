/* The table of metrics.def, and the one of docs/metrics.md that is made from it. */
#include <errno.h>

#include "base/array.h"
#include "metrics/metrics.h"

enum {
    STATE = 1 << 0,
    AMI_GW = 1 << 1,
    FAGI_GW = 1 << 2,
    CTI_GW = 1 << 3,
    HTTP_GW = 1 << 4,
    FEDERATION = 1 << 5,
    ALL = STATE | AMI_GW | FAGI_GW | CTI_GW | HTTP_GW | FEDERATION
};

static const char *const services[] = {"state",  "ami-gw",  "fagi-gw",
                                       "cti-gw", "http-gw", "federation"};
#define N_SERVICES ARRAY_SIZE(services)

/* clang-format off */
#define COUNTER .kind = KIND_COUNTER
#define GAUGE .kind = KIND_GAUGE
#define HISTOGRAM(...)                                                                             \
    .kind = KIND_HISTOGRAM, .bounds = (const double[]){__VA_ARGS__},                               \
    .n_bounds = sizeof((const double[]){__VA_ARGS__}) / sizeof(double)
#define NO_LABELS {NULL}
#define LABELS(...) {__VA_ARGS__}
static const struct metric_def defs[] = {
#define METRIC(ident_, kind_, name_, labels_, services_, level_, meaning_, advice_)                \
    {.name = name_, kind_, .labels = labels_, .services = services_, .level = LEVEL_##level_,      \
     .meaning = meaning_, .advice = advice_},
#include "metrics/metrics.def"
#undef METRIC
};
/* clang-format on */

const struct metric_def *metric_def(enum metric_id id)
{
    return &defs[id];
}

const char *metric_kind_name(enum metric_kind kind)
{
    static const char *const names[] = {"counter", "gauge", "histogram"};

    return names[kind];
}

const char *metric_service(unsigned bit)
{
    return bit < N_SERVICES ? services[bit] : NULL;
}

static void put_name(struct buf *out, const struct metric_def *def)
{
    buf_printf(out, "| `%s", def->name);
    for (size_t i = 0; def->labels[i]; i++)
        buf_printf(out, "%s%s", i ? "," : "{", def->labels[i]);
    buf_printf(out, "%s`", def->labels[0] ? "}" : "");
}

static void put_row(struct buf *out, const struct metric_def *def)
{
    put_name(out, def);
    buf_printf(out, " | %s | %s | %s | %s |\n", metric_kind_name(def->kind),
               def->level == LEVEL_OPERATORS ? "operators" : "developers", def->meaning,
               def->advice);
}

/* Those that every service has, or those that only some have and this one is among them. */
static void put_section(struct buf *out, const char *title, unsigned wanted)
{
    buf_printf(out, "\n## %s\n\n| metric | kind | for | what it is | what to do |\n", title);
    buf_append_cstr(out, "|---|---|---|---|---|\n");
    for (int i = 0; i < METRIC_COUNT; i++)
        if (wanted == ALL ? defs[i].services == ALL
                          : defs[i].services != ALL && (defs[i].services & wanted))
            put_row(out, &defs[i]);
}

int metrics_markdown(struct buf *out)
{
    put_section(out, "Every service", ALL);
    for (unsigned i = 0; i < N_SERVICES; i++)
        put_section(out, services[i], 1u << i);
    return out->failed ? -ENOMEM : 0;
}
