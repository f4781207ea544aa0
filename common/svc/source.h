/* Where a service has its configuration from: a file, or a web server (web_config.h). Belongs to
 * svc/ alone. */
#ifndef CTIBUS_SVC_SOURCE_H
#define CTIBUS_SVC_SOURCE_H

#include "svc/options.h"
#include "svc/web_config.h"

struct source {
    const struct options *options;
    struct web_config *web; /* NULL: it is a file */
    struct buf text;        /* what was fetched last, if it was good */
    char why_copy[384];     /* why the start had to use the copy; empty: it had not */
};

/* Does the service find the configuration good? Else it has told why. With --check it is asked,
 * too, after the configuration's own checks have found faults: of what config_read leaves. */
typedef bool source_check_fn(void *arg, const struct config *cfg);

/* The configuration of a start; what is wrong is printed to stderr. NULL with *retry (it may be
 * there at the next start) when there is none. `check` is NULL when nothing but the configuration's
 * own checks is wanted, and a copy will do. */
struct config *source_first(struct source *src, source_check_fn *check, void *arg, bool *retry);
/* The configuration as the file is now, or of this text; what is wrong is told. */
struct config *source_load(const struct source *src, struct view text, config_error_fn *tell,
                           void *arg);
/* Where it is from, as it may be told. */
const char *source_name(const struct source *src);
/* Prints to stderr; `arg` is the struct options. */
void source_print(void *arg, const struct config_error *e);
void source_close(struct source *src);

#endif
