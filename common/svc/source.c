#include "svc/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *source_name(const struct source *src)
{
    return src->web ? web_config_name(src->web) : src->options->config;
}

void source_print(void *arg, const struct config_error *e)
{
    const struct options *o = arg;

    log_print(STDERR_FILENO, o->print_until, "%s: %s%s%s\n", e->file, e->key, *e->key ? ": " : "",
              e->reason);
}

static struct config_overrides overrides_of(const struct source *src)
{
    return (struct config_overrides){.env = environ,
                                     .sets = (const char *const *)src->options->sets};
}

static struct config *source_read(const struct source *src, struct view text, config_error_fn *tell,
                                  void *arg, bool *faulty)
{
    struct config_overrides over = overrides_of(src);
    struct config_errors errors = {NULL, 0};
    struct config *cfg;

    if (src->web)
        cfg = config_read_string(web_config_name(src->web), web_config_dir(src->web), text, &over,
                                 &errors);
    else
        cfg = config_read(src->options->config, &over, &errors);
    if (!cfg && errors.count == 0)
        tell(arg, &(struct config_error){(char *)source_name(src), "", "out of memory"});
    config_each_error(&errors, tell, arg);
    *faulty = errors.count > 0;
    config_errors_free(&errors);
    return cfg;
}

struct config *source_load(const struct source *src, struct view text, config_error_fn *tell,
                           void *arg)
{
    bool faulty;
    struct config *cfg = source_read(src, text, tell, arg, &faulty);

    if (faulty)
        config_destroy(&cfg);
    return cfg;
}

static struct config *load_checked(struct source *src, struct view text, source_check_fn *check,
                                   void *arg)
{
    bool faulty;
    struct config *cfg = source_read(src, text, source_print, (void *)src->options, &faulty);

    bool good = !faulty;

    if (cfg && check && (good || src->options->check))
        good = check(arg, cfg) && good;
    if (!good)
        config_destroy(&cfg);
    return cfg;
}

static struct config *load_web(struct source *src, source_check_fn *check, void *arg)
{
    struct config *cfg = NULL;

    if (web_config_fetch(src->web, &src->text, src->why_copy) < 0)
        return NULL;
    cfg = load_checked(src, buf_view(&src->text), check, arg);
    if (!cfg)
        snprintf(src->why_copy, sizeof(src->why_copy), "what came is wrong");
    return cfg;
}

static struct config *load_copy(struct source *src, source_check_fn *check, void *arg)
{
    struct config *cfg = NULL;
    int rc;

    buf_reset(&src->text);
    rc = web_config_kept(src->web, &src->text);
    if (rc == 0)
        cfg = load_checked(src, buf_view(&src->text), check, arg);
    else
        log_print(STDERR_FILENO, src->options->print_until, "%s: its copy %s cannot be read: %s\n",
                  source_name(src), web_config_copy(src->web), strerror(-rc));
    return cfg;
}

struct config *source_first(struct source *src, source_check_fn *check, void *arg, bool *retry)
{
    struct config_overrides over = overrides_of(src);
    struct config *cfg;

    *retry = web_config_is_uri(src->options->config);
    if (!*retry)
        return load_checked(src, view_of(NULL, 0), check, arg);
    buf_init(&src->text, 0);
    src->web = web_config_new(src->options->config, &over);
    if (!src->web)
        return NULL;
    if (!check)
        return load_copy(src, NULL, NULL);
    cfg = load_web(src, check, arg);
    if (cfg)
        return cfg;
    log_print(STDERR_FILENO, src->options->print_until, "%s cannot be fetched: %s\n",
              source_name(src), src->why_copy);
    return src->options->check ? NULL : load_copy(src, check, arg);
}

void source_close(struct source *src)
{
    web_config_destroy(&src->web);
    buf_free(&src->text);
}
