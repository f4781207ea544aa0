#include "svc/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "config/config.h"

enum { CONFIG = 256, CHECK, LOG_LEVEL, LOG_FORMAT, SET, HEALTHCHECK, VERSION, HELP, OWN };

static const struct {
    const char *name;
    const char *arg;
    int value;
    const char *doc;
} common[] = {
    {"config", "FILE", CONFIG, "the configuration (default: " CONFIG_DEFAULT_DOC ")"},
    {"set", "KEY=VALUE", SET, "overrides a key of it, e.g. ctibus.bus.hwm=100000"},
    {"check", NULL, CHECK, "checks it and prints the faults (exit code 2) or that there are none"},
    {"log-level", "LEVEL", LOG_LEVEL, "error, warning, notice, info or debug"},
    {"log-format", "FORMAT", LOG_FORMAT, "text or json"},
    {"healthcheck", NULL, HEALTHCHECK,
     "exits with 0 when the running service is ready, else with 1"},
    {"version", NULL, VERSION, "prints the version"},
    {"help", NULL, HELP, "prints this help"},
};
#define COMMON ARRAY_SIZE(common)

static void print_option(const char *name, const char *arg, const char *doc)
{
    char text[64];

    snprintf(text, sizeof(text), "--%s%s%s", name, arg ? " " : "", arg ? arg : "");
    printf("  %-24s %s\n", text, doc);
}

static void print_help(const struct svc_def *def)
{
    printf("Usage: ctibus-%s [OPTION]...\n%s\n\n", def->name, def->doc);
    for (const struct svc_option *o = def->options; o && o->name; o++)
        print_option(o->name, o->arg, o->doc);
    for (size_t i = 0; i < COMMON; i++)
        print_option(common[i].name, common[i].arg, common[i].doc);
    printf("\nEnvironment: CTIBUS__BUS__PUBLISH overrides ctibus.bus.publish, "
           "CTIBUS_MAIN__LOGINTIMEOUT\nmain.logintimeout, and so on; with _FILE behind, the value "
           "is in that file.\n");
}

static size_t own_count(const struct svc_def *def)
{
    size_t n = 0;

    while (def->options && def->options[n].name && n < SVC_MAX_OPTIONS)
        n++;
    return n;
}

static void fill_table(struct option *table, const struct svc_def *def)
{
    size_t own = own_count(def);

    for (size_t i = 0; i < COMMON; i++)
        table[i] = (struct option){common[i].name, common[i].arg ? required_argument : no_argument,
                                   NULL, common[i].value};
    for (size_t i = 0; i < own; i++)
        table[COMMON + i] =
            (struct option){def->options[i].name, required_argument, NULL, OWN + (int)i};
    table[COMMON + own] = (struct option){NULL, 0, NULL, 0};
}

/* prefix + value as one more override; false when there is no room. */
static bool add_set(struct options *o, const char *prefix, const char *value)
{
    char *text;

    if (o->set_count == SVC_MAX_SETS || asprintf(&text, "%s%s", prefix, value) < 0) {
        log_print(STDERR_FILENO, o->print_until, "too many --set\n");
        return false;
    }
    o->sets[o->set_count++] = text;
    return true;
}

/* -1, or the exit code. */
static int take(struct options *o, int which, const struct svc_def *def)
{
    switch (which) {
    case CONFIG:
        o->config = optarg;
        return -1;
    case CHECK:
        o->check = true;
        return -1;
    case HEALTHCHECK:
        o->healthcheck = true;
        return -1;
    case SET:
        return add_set(o, "", optarg) ? -1 : 2;
    case LOG_LEVEL:
        return add_set(o, "ctibus.log.level=", optarg) ? -1 : 2;
    case LOG_FORMAT:
        return add_set(o, "ctibus.log.format=", optarg) ? -1 : 2;
    case VERSION:
        printf("ctibus-%s " CTIBUS_VERSION "\n", def->name);
        return 0;
    case HELP:
        print_help(def);
        return 0;
    default:
        if (which < OWN)
            return 2; /* unknown, or its value is missing */
        o->values[which - OWN] = optarg;
        return -1;
    }
}

int options_parse(struct options *o, int argc, char **argv, const struct svc_def *def,
                  uint64_t print_until)
{
    struct option table[COMMON + SVC_MAX_OPTIONS + 1];
    int which;
    int rc = -1;

    *o = (struct options){.print_until = print_until, .config = config_default_file()};
    fill_table(table, def);
    optind = 0; /* several times in one process, in tests */
    opterr = 0; /* its messages would wait for the reader of stderr */
    while (rc < 0 && (which = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        rc = take(o, which, def);
        if (which == '?')
            log_print(STDERR_FILENO, print_until, "%s: there is no \"%s\". See --help.\n", argv[0],
                      argv[optind - 1]);
        else if (which == ':')
            log_print(STDERR_FILENO, print_until, "%s: \"%s\" needs a value. See --help.\n",
                      argv[0], argv[optind - 1]);
    }
    if (rc < 0 && optind < argc) {
        log_print(STDERR_FILENO, print_until, "%s: what is \"%s\"? See --help.\n", argv[0],
                  argv[optind]);
        rc = 2;
    }
    return rc;
}

void options_free(struct options *o)
{
    for (size_t i = 0; i < o->set_count; i++)
        free(o->sets[i]);
    o->set_count = 0;
}
