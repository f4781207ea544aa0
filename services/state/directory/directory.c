#include "directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/context.h"
#include "lookup.h"
#include "table.h"

struct directories *directories_new(struct state *s)
{
    struct directories *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->state = s;
    LIST_INIT(&d->waiting);
    d->phonebooks = phonebooks_new();
    d->webdirs = webdirs_new(s, lookup_answered);
    if (!d->phonebooks || !d->webdirs)
        directories_destroy(&d);
    return d;
}

void directories_destroy(struct directories **dp)
{
    struct directories *d = dp ? *dp : NULL;
    struct lookup *l;

    if (!d)
        return;
    webdirs_destroy(&d->webdirs);
    while ((l = LIST_FIRST(&d->waiting)))
        lookup_abort(l);
    phonebooks_destroy(&d->phonebooks);
    catalog_destroy(&d->catalog);
    free(d);
    *dp = NULL;
}

/* ---- loading ---- */

/* What is known of the file under another reading of the configuration. */
static void inherit(struct directory *dir, struct directory *old)
{
    if (!old || old->kind != dir->kind || !view_eq(directory_uri(old), directory_uri(dir)))
        return;
    memcpy(dir->reason, old->reason, sizeof(dir->reason));
    if (directory_delimiter(old) == directory_delimiter(dir)) {
        dir->table = old->table;
        old->table = NULL;
    }
}

static void tell_failure(struct directories *d, struct directory *dir, const char *fault)
{
    if (strcmp(dir->reason, fault) == 0)
        return;
    snprintf(dir->reason, sizeof(dir->reason), "%s", fault);
    log_error(d->state->log, "directory %s: %.*s: %s; %s", dir->name, VIEW_ARG(directory_uri(dir)),
              fault, dir->table ? "what is known of it stays" : "it is empty until it can be read");
}

static int load_file(struct directories *d, struct directory *dir)
{
    const char *fault = "";

    if (csv_load(dir, d->state->cfg, &fault) < 0) {
        tell_failure(d, dir, fault);
        return -EINVAL;
    }
    dir->reason[0] = '\0';
    log_info(d->state->log, "directory %s: %zu entries", dir->name, table_rows(dir->table));
    return 0;
}

/* Told once for a configuration, whatever it is that is not supported (ldap:, as XiVO has it). */
static void tell_unsupported(struct directories *d, struct directory *dir,
                             const struct directory *old)
{
    struct view uri = directory_uri(dir);
    struct view scheme = view_cut(&uri, ':');

    if (!old || old->kind != DIRECTORY_NONE)
        log_warning(d->state->log,
                    "directory %s: \"%.*s\" is not supported: nothing is found there", dir->name,
                    VIEW_ARG(scheme));
}

int directories_load(struct directories *d)
{
    struct catalog *old = d->catalog;
    struct directory *dir;
    int rc = 0;

    d->catalog = catalog_new(d->state->cfg);
    if (!d->catalog) {
        log_error(d->state->log, "out of memory for directories: those known stay");
        d->catalog = old;
        return -EINVAL;
    }
    for (size_t i = 0; (dir = catalog_at(d->catalog, i)); i++) {
        struct directory *before = old ? catalog_find(old, view_cstr(dir->name)) : NULL;
        inherit(dir, before);
        if (dir->kind == DIRECTORY_CSV && load_file(d, dir) < 0)
            rc = -EINVAL;
        else if (dir->kind == DIRECTORY_NONE)
            tell_unsupported(d, dir, before);
    }
    catalog_destroy(&old);
    return rc;
}

const struct table *directories_phonebook_of(const struct directories *d,
                                             const struct xod_ipbx *ipbx)
{
    return phonebooks_get(d->phonebooks, ipbx);
}

int directories_phonebook(struct directories *d, const struct xod_ipbx *ipbx,
                          struct json_object *list)
{
    const char *fault = "";

    if (phonebooks_set(d->phonebooks, ipbx, list, &fault) == 0)
        return 0;
    log_error(d->state->log, "phonebook of %.*s: %s: what is known of it stays",
              VIEW_ARG(xod_ipbx_name(ipbx)), fault);
    return -EINVAL;
}
