#include "config/config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/pg_uri.h"
#include "config/internal.h"
#include "json/json.h"

void config_each_error(const struct config_errors *errors, config_error_fn *fn, void *arg)
{
    for (size_t i = 0; i < errors->count; i++)
        fn(arg, &errors->list[i]);
}

static void error_free(struct config_error *e)
{
    free(e->file);
    free(e->key);
    free(e->reason);
}

void config_errors_free(struct config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        error_free(&errors->list[i]);
    free(errors->list);
    *errors = (struct config_errors){NULL, 0};
}

/* The newest override of this path or of what it is in; else the file. */
static const char *origin_of(const struct config *cfg, const char *path)
{
    for (const struct config_origin *o = cfg->origins; o; o = o->next) {
        size_t n = o->path ? strlen(o->path) : 0;
        if (o->path && o->name && strncmp(o->path, path, n) == 0 &&
            (path[n] == '\0' || (n > 0 && path[n] == '.')))
            return o->name;
    }
    return cfg->file;
}

void config_each_note(const struct config *cfg, config_error_fn *fn, void *arg)
{
    config_each_error(&cfg->notes, fn, arg);
}

static void add(struct config *cfg, struct config_errors *errors, const char *path, const char *fmt,
                va_list ap)
{
    struct config_error e = {strdup(origin_of(cfg, path)), strdup(path), NULL};
    struct config_error *list;

    if (vasprintf(&e.reason, fmt, ap) < 0)
        e.reason = NULL;
    list = realloc(errors->list, (errors->count + 1) * sizeof(*list));
    if (list)
        errors->list = list;
    if (!list || !e.file || !e.key || !e.reason) {
        error_free(&e);
        cfg->out_of_memory = true;
        return;
    }
    list[errors->count++] = e;
}

void config_fault(struct config *cfg, const char *path, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(cfg, cfg->errors, path, fmt, ap);
    va_end(ap);
}

void config_note(struct config *cfg, const char *path, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(cfg, &cfg->notes, path, fmt, ap);
    va_end(ap);
}

static char *dir_of(const char *file)
{
    const char *slash = strrchr(file, '/');

    if (!slash)
        return strdup(".");
    return view_dup(view_of(file, slash == file ? 1 : (size_t)(slash - file)));
}

/* Takes `dir` over. */
static struct config *config_new(const char *name, char *dir, struct config_errors *errors)
{
    struct config *cfg = calloc(1, sizeof(*cfg));

    if (!cfg) {
        free(dir);
        return NULL;
    }
    cfg->errors = errors;
    cfg->file = strdup(name);
    cfg->dir = dir;
    if (!cfg->file || !cfg->dir)
        config_destroy(&cfg);
    return cfg;
}

static void delete_value(struct config *cfg, const char *path)
{
    struct view rest = view_cstr(path);
    struct json_object *obj = cfg->root;
    char name[128];

    while (rest.len > 0 && json_object_is_type(obj, json_type_object)) {
        struct view part = view_cut(&rest, '.');
        snprintf(name, sizeof(name), "%.*s", VIEW_ARG(part));
        if (rest.len == 0)
            json_object_object_del(obj, name);
        else
            obj = json_get(obj, name);
    }
}

/* What is asked for has the type of its key in any case. */
static void delete_faulty(struct config *cfg)
{
    size_t n = cfg->faulty ? json_object_array_length(cfg->faulty) : 0;

    for (size_t i = 0; i < n; i++)
        delete_value(cfg, json_object_get_string(json_object_array_get_idx(cfg->faulty, i)));
}

static struct config *complete(struct config *cfg, const struct config_overrides *overrides)
{
    bool is_object = json_object_is_type(cfg->root, json_type_object);

    if (is_object) {
        config_adapt_xivo(cfg);
        config_apply(cfg, overrides);
        config_rename(cfg);
        config_name_ipbx(cfg);
        config_check(cfg);
        delete_faulty(cfg);
    }
    cfg->errors = NULL;
    if (!is_object || cfg->out_of_memory)
        config_destroy(&cfg);
    return cfg;
}

struct config *config_read(const char *path, const struct config_overrides *overrides,
                           struct config_errors *errors)
{
    struct config *cfg = config_new(path, dir_of(path), errors);

    if (!cfg)
        return NULL;
    config_read_file(cfg);
    return complete(cfg, overrides);
}

struct config *config_read_string(const char *name, const char *dir, struct view text,
                                  const struct config_overrides *overrides,
                                  struct config_errors *errors)
{
    struct config *cfg = config_new(name, strdup(dir), errors);

    if (!cfg)
        return NULL;
    config_read_text(cfg, text);
    return complete(cfg, overrides);
}

struct config *config_load(const char *path, const struct config_overrides *overrides,
                           struct config_errors *errors)
{
    size_t before = errors->count;
    struct config *cfg = config_read(path, overrides, errors);

    if (errors->count > before)
        config_destroy(&cfg);
    return cfg;
}

struct config *config_of_overrides(const struct config_overrides *overrides)
{
    struct config_errors errors = {NULL, 0};
    struct config *cfg = config_new("", strdup("."), &errors);

    if (!cfg)
        return NULL;
    cfg->root = json_object_new_object();
    if (cfg->root)
        config_apply(cfg, overrides);
    cfg->errors = NULL;
    config_errors_free(&errors);
    if (!cfg->root || cfg->out_of_memory)
        config_destroy(&cfg);
    return cfg;
}

void config_destroy(struct config **cp)
{
    struct config *cfg = cp ? *cp : NULL;
    struct config_origin *o;

    if (!cfg)
        return;
    *cp = NULL;
    while ((o = cfg->origins)) {
        cfg->origins = o->next;
        free(o->path);
        free(o->name);
        free(o);
    }
    config_errors_free(&cfg->notes);
    json_object_put(cfg->faulty);
    json_object_put(cfg->root);
    free(cfg->file);
    free(cfg->dir);
    free(cfg);
}

/* False when there is no such key; *out is NULL for a null. */
static bool lookup(const struct config *cfg, const char *path, struct json_object **out)
{
    struct json_object *obj = cfg->root;
    struct view rest = view_cstr(path);

    while (rest.len > 0) {
        struct view part = view_cut(&rest, '.');
        char name[128];
        if (!json_object_is_type(obj, json_type_object) || part.len >= sizeof(name))
            return false;
        snprintf(name, sizeof(name), "%.*s", VIEW_ARG(part));
        if (!json_object_object_get_ex(obj, name, &obj))
            return false;
    }
    *out = obj;
    return true;
}

struct json_object *config_get(const struct config *cfg, const char *path)
{
    struct json_object *value;

    return lookup(cfg, path, &value) ? value : NULL;
}

struct json_object *config_section(const struct config *cfg, const char *name)
{
    return json_get_object(cfg->root, name);
}

static const struct config_key *row_of(const char *path)
{
    const struct config_key *key = config_key_find(path);

    assert(key); /* what is asked for is in the table */
    return key;
}

const char *config_str(const struct config *cfg, const char *path)
{
    const struct config_key *key = row_of(path);
    struct json_object *value = NULL;
    bool there = lookup(cfg, path, &value);

    assert(config_type_is_text(key->type));
    if (there && key->type == KEY_ADDRESS && json_view(value).len == 0)
        return NULL;
    return value ? json_object_get_string(value) : key->default_value;
}

int64_t config_int(const struct config *cfg, const char *path)
{
    const struct config_key *key = row_of(path);
    struct json_object *value = config_get(cfg, path);
    int64_t n = 0;

    assert(key->type == KEY_INT);
    if (json_object_is_type(value, json_type_int))
        return json_object_get_int64(value);
    if (view_to_i64(json_view(value), &n) < 0)
        view_to_i64(view_cstr(key->default_value), &n);
    return n;
}

bool config_bool(const struct config *cfg, const char *path)
{
    const struct config_key *key = row_of(path);
    struct json_object *value = config_get(cfg, path);

    assert(key->type == KEY_BOOL);
    return value ? json_object_get_boolean(value) : strcmp(key->default_value, "true") == 0;
}

static bool listen_address(struct json_object *value, char *addr, size_t n)
{
    struct json_object *on = json_object_array_get_idx(value, 2);
    struct json_object *port = json_object_array_get_idx(value, 1);
    struct view host = json_view(json_object_array_get_idx(value, 0));
    bool v6 = host.len && memchr(host.ptr, ':', host.len);

    snprintf(addr, n, v6 ? "[%.*s]:%d" : "%.*s:%d", VIEW_ARG(host), json_object_get_int(port));
    return !on || json_object_get_boolean(on);
}

bool config_listen(const struct config *cfg, const char *path, char *addr, size_t n)
{
    const struct config_key *key = row_of(path);
    struct json_object *value = config_get(cfg, path);
    struct json_object *default_value;
    bool on;

    assert(key->type == KEY_LISTEN);
    if (value)
        return listen_address(value, addr, n);
    default_value = json_tokener_parse(key->default_value);
    on = default_value && listen_address(default_value, addr, n);
    json_object_put(default_value);
    return on;
}

static int add_networks(struct json_object *array, struct netlist *out)
{
    size_t n = array ? json_object_array_length(array) : 0;
    struct network net;
    const char *why;
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++)
        if (network_parse(json_view(json_object_array_get_idx(array, i)), &net, &why) == 0)
            rc = netlist_add(out, &net);
    return rc;
}

int config_networks(const struct config *cfg, const char *path, struct netlist *out)
{
    const struct config_key *key = row_of(path);
    struct json_object *value = config_get(cfg, path);
    struct json_object *default_value;
    int rc;

    assert(key->type == KEY_NETWORKS);
    if (value)
        return add_networks(value, out);
    default_value = json_tokener_parse(key->default_value);
    rc = default_value ? add_networks(default_value, out) : -ENOMEM;
    json_object_put(default_value);
    return rc;
}

static bool lists(struct json_object *array, const char *word)
{
    size_t n = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

    for (size_t i = 0; i < n; i++)
        if (view_eq(json_view(json_object_array_get_idx(array, i)), view_cstr(word)))
            return true;
    return false;
}

bool config_lists(const struct config *cfg, const char *path, const char *word)
{
    const struct config_key *key = row_of(path);
    struct json_object *value = config_get(cfg, path);
    struct json_object *default_value;
    bool found;

    assert(key->type == KEY_STRINGS);
    if (value)
        return lists(value, word);
    default_value = key->default_value ? json_tokener_parse(key->default_value) : NULL;
    found = lists(default_value, word);
    json_object_put(default_value);
    return found;
}

const char *config_default_file(void)
{
    const char *env = getenv("CTIBUS_CONFIG");

    if (env && *env)
        return env;
    /* who may not look into the folder is to be told so, and not that there is none */
    return access(CONFIG_FILE_HERE, F_OK) < 0 &&
                   (access(CONFIG_FILE_INSTALLED, F_OK) == 0 || errno == EACCES)
               ? CONFIG_FILE_INSTALLED
               : CONFIG_FILE_HERE;
}

const char *config_dir(const struct config *cfg)
{
    return cfg->dir;
}

char *config_path(const struct config *cfg, struct view name)
{
    char *path;

    if (view_starts(name, VIEW("file:")))
        name = view_of(name.ptr + 5, name.len - 5);
    if (view_starts(name, VIEW("///")))
        name = view_of(name.ptr + 2, name.len - 2);
    if (view_starts(name, VIEW("/")))
        return view_dup(name);
    return asprintf(&path, "%s/%.*s", cfg->dir, VIEW_ARG(name)) < 0 ? NULL : path;
}

char *config_database(const struct config *cfg)
{
    struct view uri = view_cstr(config_str(cfg, "ctibus.database"));
    size_t scheme = strlen("sqlite:");

    if (pg_uri_is(uri))
        return view_dup(uri);
    return config_path(cfg, view_of(uri.ptr + scheme, uri.len - scheme));
}

void config_each_change(const struct config *from, const struct config *to, config_change_fn *fn,
                        void *arg)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (key->type == KEY_ANY || strchr(key->path, '*'))
            continue;
        if (!json_object_equal(config_get(from, key->path), config_get(to, key->path)))
            fn(arg, key->path, key->flags & KEY_RELOADABLE);
    }
}
