/* A configuration in a folder of its own, and what loading it said. */
#ifndef CTIBUS_TESTS_CONFIG_PLACE_H
#define CTIBUS_TESTS_CONFIG_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"

struct place {
    char dir[64];
    char file[96];
    struct config_errors errors;
    struct config *cfg; /* for the test */
};

static inline int setup(void **state)
{
    static struct place p;

    p = (struct place){.dir = "/tmp/ctibus-config-XXXXXX"};
    assert_non_null(mkdtemp(p.dir));
    snprintf(p.file, sizeof(p.file), "%s/ctibus.json", p.dir);
    *state = &p;
    return 0;
}

static inline int teardown(void **state)
{
    struct place *p = *state;

    unlink(p->file);
    rmdir(p->dir);
    config_destroy(&p->cfg);
    config_errors_free(&p->errors);
    return 0;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Faults are in p->errors. */
static inline struct config *load_over(struct place *p, const char *text, char *const *env,
                                       const char *const *sets)
{
    struct config_overrides over = {.env = env, .sets = sets};

    config_errors_free(&p->errors);
    write_file(p->file, text);
    return config_load(p->file, &over, &p->errors);
}

#endif
