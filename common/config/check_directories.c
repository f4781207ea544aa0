/* What is wrong with `directories`, `displays` and `contexts`. Members that we do not know are let
 * be, and empty tables may be written [], null, false or "": so does XiVO's web interface. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/uri.h"
#include "config/internal.h"
#include "json/json.h"

#define PATH_BYTES 512

/* An array of strings, or an empty one of any kind. False: noted. */
static bool check_names(struct config *cfg, const char *path, struct json_object *list)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    bool good = n > 0 || config_is_empty(list);

    for (size_t i = 0; good && i < n; i++)
        good = json_object_is_type(json_object_array_get_idx(list, i), json_type_string);
    if (!good)
        config_fault(cfg, path, "must be an array of strings");
    return good;
}

/* ---- directories ---- */

static void check_file(struct config *cfg, const char *path, struct view uri)
{
    char *file = config_path(cfg, uri);

    if (!file)
        cfg->out_of_memory = true;
    else if (access(file, R_OK) < 0)
        config_note(cfg, path, "cannot read %s: the directory is empty until it can be read", file);
    free(file);
}

static struct view scheme_of(struct view uri)
{
    return view_cut(&uri, ':');
}

static bool is_ldap(struct view uri)
{
    struct view scheme = scheme_of(uri);

    return view_eq(scheme, VIEW("ldap")) || view_eq(scheme, VIEW("ldaps")) ||
           view_eq(scheme, VIEW("ldapfilter"));
}

static void check_uri(struct config *cfg, const char *path, struct json_object *value)
{
    struct view uri = json_view(value);
    const char *fault = uri_is_web(uri) ? config_web_fault(uri) : NULL;

    if (fault)
        config_fault(cfg, path, "an http: or https: URI %s", fault);
    else if (is_ldap(uri))
        config_note(cfg, path, "LDAP is not supported: nothing is found in this directory");
    else if (view_starts(uri, VIEW("file:")))
        check_file(cfg, path, uri);
    else if (!uri_is_web(uri) && !view_eq(uri, VIEW("internal")) &&
             !view_eq(uri, VIEW("phonebook")))
        config_fault(cfg, path,
                     "\"%.*s\" is neither internal, phonebook nor a file:, http: or https: URI",
                     VIEW_ARG(scheme_of(uri)));
}

static void check_delimiter(struct config *cfg, const char *path, struct json_object *value)
{
    struct view v = json_view(value);

    if (config_is_empty(value))
        return;
    if (v.len != 1 || strchr("\"\r\n", v.ptr[0]))
        config_fault(cfg, path, "must be one character of ASCII, no quote and no end of a line");
}

static bool is_list_of_columns(const char *key)
{
    struct view v = view_cstr(key);

    return view_starts(v, VIEW("field_")) || view_eq(v, VIEW("match_direct")) ||
           view_eq(v, VIEW("match_reverse"));
}

static void check_directory(struct config *cfg, const char *name, struct json_object *dir)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "directories.%.100s", name);
    if (!config_is_object(cfg, path, dir))
        return;
    snprintf(path, sizeof(path), "directories.%.100s.uri", name);
    check_uri(cfg, path, json_get(dir, "uri"));
    snprintf(path, sizeof(path), "directories.%.100s.delimiter", name);
    check_delimiter(cfg, path, json_get(dir, "delimiter"));
    json_object_object_foreach(dir, key, value)
    {
        snprintf(path, sizeof(path), "directories.%.100s.%.100s", name, key);
        if (is_list_of_columns(key))
            check_names(cfg, path, value);
    }
}

/* ---- displays ---- */

/* [title, type, default, format], each a string or null. */
static bool is_column(struct json_object *value)
{
    size_t n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

    for (size_t i = 0; i < n && i < 4; i++) {
        struct json_object *part = json_object_array_get_idx(value, i);
        if (part && !json_object_is_type(part, json_type_string))
            return false;
    }
    return n >= 4;
}

static void check_display(struct config *cfg, const char *name, struct json_object *display)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "displays.%.100s", name);
    if (config_is_empty(display)) {
        config_note(cfg, path, "has no columns: what is found with it is not shown");
        return;
    }
    if (!json_object_is_type(display, json_type_object) ||
        json_object_object_length(display) == 0) {
        config_fault(cfg, path, "must be an object with at least one column");
        return;
    }
    json_object_object_foreach(display, order, column)
    {
        int64_t number;
        snprintf(path, sizeof(path), "displays.%.100s.%.100s", name, order);
        if (view_to_i64(view_cstr(order), &number) < 0)
            config_fault(cfg, path, "the place of a column must be a number");
        if (!is_column(column))
            config_fault(cfg, path, "must be [\"TITLE\", \"TYPE\", \"DEFAULT\", \"FORMAT\"]");
    }
}

/* ---- contexts ---- */

static bool has(struct config *cfg, const char *section, const char *name)
{
    return json_object_object_get_ex(json_get_object(cfg->root, section), name, NULL);
}

static void check_references(struct config *cfg, const char *path, struct json_object *names)
{
    if (!check_names(cfg, path, names) || !json_object_is_type(names, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(names); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(names, i));
        if (!*name || has(cfg, "directories", name)) /* XiVO writes [""] for none */
            continue;
        if (cfg->ours)
            config_fault(cfg, path, "there is no \"%s\" in directories", name);
        else /* a XiVO leaves out directories whose LDAP filter is gone */
            config_note(cfg, path, "there is no \"%s\" in directories: it is left out", name);
    }
}

static void check_didextens(struct config *cfg, const char *context, struct json_object *didextens)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "contexts.%.100s.didextens", context);
    if (config_is_empty(didextens) || !config_is_object(cfg, path, didextens))
        return;
    json_object_object_foreach(didextens, exten, names)
    {
        snprintf(path, sizeof(path), "contexts.%.100s.didextens.%.100s", context, exten);
        check_references(cfg, path, names);
    }
}

static void check_context(struct config *cfg, const char *name, struct json_object *context)
{
    struct json_object *display;
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "contexts.%.100s", name);
    if (config_is_empty(context) || !config_is_object(cfg, path, context))
        return;
    snprintf(path, sizeof(path), "contexts.%.100s.directories", name);
    check_references(cfg, path, json_get(context, "directories"));
    check_didextens(cfg, name, json_get(context, "didextens"));
    display = json_get(context, "display");
    snprintf(path, sizeof(path), "contexts.%.100s.display", name);
    if (config_is_empty(display))
        return;
    if (!json_object_is_type(display, json_type_string))
        config_fault(cfg, path, "must be the name of an entry of displays");
    else if (!has(cfg, "displays", json_object_get_string(display)))
        config_fault(cfg, path, "there is no \"%s\" in displays", json_object_get_string(display));
}

typedef void check_fn(struct config *cfg, const char *name, struct json_object *value);

static void each(struct config *cfg, const char *section, check_fn *fn)
{
    struct json_object *all = json_get_object(cfg->root, section);

    if (!all)
        return;
    json_object_object_foreach(all, name, value)
    {
        fn(cfg, name, value);
    }
}

void config_check_directories(struct config *cfg)
{
    each(cfg, "directories", check_directory);
    each(cfg, "displays", check_display);
    each(cfg, "contexts", check_context);
}
