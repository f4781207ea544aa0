/* The command line of a service. Belongs to svc/ alone. */
#ifndef CTIBUS_SVC_OPTIONS_H
#define CTIBUS_SVC_OPTIONS_H

#include "svc/svc.h"

#define SVC_MAX_OPTIONS 16
#define SVC_MAX_SETS 64

struct options {
    uint64_t print_until; /* for log_print */
    const char *config;
    bool check, healthcheck;
    char
        *sets[SVC_MAX_SETS + 1]; /* "key=value", owned; of --set and of the flags that mean a key */
    size_t set_count;
    const char
        *values[SVC_MAX_OPTIONS]; /* of the service's own, in the order of their definition */
};

/* Reads the command line. -1: go on; else the exit code (help, version or a mistake has been
 * printed; for a mistake it waits until print_until at the latest, as log_print does). */
int options_parse(struct options *o, int argc, char **argv, const struct svc_def *def,
                  uint64_t print_until);
void options_free(struct options *o);

#endif
