/* What is wrong with `sheets`. Empty tables may be written [], null, false or "": so does XiVO's
 * web interface. */
#include <stdio.h>

#include "base/array.h"
#include "base/uri.h"
#include "config/internal.h"
#include "config/template.h"
#include "json/json.h"

#define PATH_BYTES 512

/* An object that is not empty, or NULL: what is neither is noted. */
static struct json_object *object_at(struct config *cfg, const char *path, struct json_object *o)
{
    return !config_is_empty(o) && config_is_object(cfg, path, o) ? o : NULL;
}

/* ---- displays ---- */

static void check_format(struct config *cfg, const char *path, struct view format)
{
    struct template_part part;

    while (template_next(&format, &part))
        if (part.family.len && !view_eq(part.family, VIEW("xivo")) &&
            !view_eq(part.family, VIEW("dp")) && !view_eq(part.family, VIEW("db")) &&
            !view_eq(part.family, VIEW("program")))
            config_fault(cfg, path,
                         "{%.*s-%.*s}: variables are of the families xivo, dp, db and program",
                         VIEW_ARG(part.family), VIEW_ARG(part.name));
}

/* [title, type, default, format, disabled?]: texts or null, and a flag of any kind. */
static bool is_row(struct json_object *row)
{
    size_t n = json_object_is_type(row, json_type_array) ? json_object_array_length(row) : 0;

    for (size_t i = 0; i < n && i < 4; i++) {
        struct json_object *part = json_object_array_get_idx(row, i);
        if (part && !json_object_is_type(part, json_type_string))
            return false;
    }
    return n == 4 || n == 5;
}

static void check_rows(struct config *cfg, const char *path, struct json_object *rows)
{
    if (!(rows = object_at(cfg, path, rows)))
        return;
    json_object_object_foreach(rows, order, row)
    {
        char below[PATH_BYTES];
        int64_t number;
        snprintf(below, sizeof(below), "%.300s.%.100s", path, order);
        if (view_to_i64(view_cstr(order), &number) < 0 || number < 0 || number > 9999)
            config_fault(cfg, below, "the place of a row must be a number from 0 to 9999");
        if (is_row(row))
            check_format(cfg, below, json_view(json_object_array_get_idx(row, 3)));
        else
            config_fault(cfg, below,
                         "must be [\"TITLE\", \"TYPE\", \"DEFAULT\", \"FORMAT\"], and perhaps "
                         "whether it is disabled");
    }
}

static void check_forms(struct config *cfg, const char *path, struct json_object *forms)
{
    if (!(forms = object_at(cfg, path, forms)))
        return;
    json_object_object_foreach(forms, name, form)
    {
        char below[PATH_BYTES];
        snprintf(below, sizeof(below), "%.300s.%.100s", path, name);
        if (!config_is_empty(form) && !json_object_is_type(form, json_type_string))
            config_fault(cfg, below, "must be a file: URI or the text of the form");
        else if (uri_is_web(json_view(form)))
            config_note(cfg, below, "forms are not fetched from web servers: there is none");
    }
}

static void check_display(struct config *cfg, const char *path, struct json_object *display)
{
    static const char *const parts[] = {"sheet_info", "systray_info", "action_info"};

    if (!(display = object_at(cfg, path, display)))
        return;
    for (size_t i = 0; i <= ARRAY_SIZE(parts); i++) {
        bool rows = i < ARRAY_SIZE(parts);
        const char *part = rows ? parts[i] : "sheet_qtui";
        char below[PATH_BYTES];
        snprintf(below, sizeof(below), "%.200s.%s", path, part);
        if (rows)
            check_rows(cfg, below, json_get(display, part));
        else
            check_forms(cfg, below, json_get(display, part));
    }
}

/* ---- options and conditions ---- */

static bool is_flag(struct view v)
{
    return v.len == 0 || view_eq(v, VIEW("yes")) || view_eq(v, VIEW("no")) ||
           view_eq(v, VIEW("1")) || view_eq(v, VIEW("0"));
}

static void check_option(struct config *cfg, const char *path, struct json_object *option)
{
    static const char *const keys[] = {"focus", "zip"};

    if (!(option = object_at(cfg, path, option)))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct json_object *value = json_get(option, keys[i]);
        char below[PATH_BYTES];
        snprintf(below, sizeof(below), "%.300s.%s", path, keys[i]);
        if (value && !json_object_is_type(value, json_type_boolean) &&
            !is_flag(view_cstr(json_object_get_string(value))))
            config_fault(cfg, below, "must be yes, no, 1 or 0");
    }
}

static void check_names(struct config *cfg, const char *path, struct json_object *names)
{
    bool good = config_is_empty(names) || json_object_is_type(names, json_type_array);

    for (size_t i = 0; good && !config_is_empty(names) && i < json_object_array_length(names);
         i++) {
        struct json_object *name = json_object_array_get_idx(names, i);
        good =
            json_object_is_type(name, json_type_string) || json_object_is_type(name, json_type_int);
    }
    if (!good)
        config_fault(cfg, path, "must be an array of strings or numbers");
}

static void check_condition(struct config *cfg, const char *path, struct json_object *condition)
{
    static const char *const lists[] = {"contexts", "profileids", "entities"};
    struct view whom = json_get_view(condition, "whom");
    char below[PATH_BYTES];

    if (!(condition = object_at(cfg, path, condition)))
        return;
    snprintf(below, sizeof(below), "%.300s.whom", path);
    if (view_eq(whom, VIEW("subscribe")) || view_eq(whom, VIEW("reverse")))
        config_note(cfg, below, "\"%.*s\" is not supported: nobody gets these sheets",
                    VIEW_ARG(whom));
    else if (!config_is_empty(json_get(condition, "whom")) && !view_eq(whom, VIEW("dest")) &&
             !view_eq(whom, VIEW("all")))
        config_fault(cfg, below, "must be \"dest\" or \"all\"");
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        snprintf(below, sizeof(below), "%.300s.%s", path, lists[i]);
        check_names(cfg, below, json_get(condition, lists[i]));
    }
}

/* ---- events ---- */

static void check_entry(struct config *cfg, const char *path, struct json_object *entry)
{
    static const struct {
        const char *key, *section;
    } names[] = {{"display", "sheets.displays"},
                 {"option", "sheets.options"},
                 {"condition", "sheets.conditions"}};

    if (!json_object_is_type(entry, json_type_object)) {
        config_fault(cfg, path, "must be an object with display, option and condition");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct json_object *name = json_get(entry, names[i].key);
        struct json_object *all = config_get(cfg, names[i].section);
        char below[PATH_BYTES];
        snprintf(below, sizeof(below), "%.300s.%s", path, names[i].key);
        if (config_is_empty(name) && i > 0)
            continue;
        if (!json_object_is_type(name, json_type_string) || config_is_empty(name))
            config_fault(cfg, below, "must be the name of an entry of %s", names[i].section);
        else if (!json_member(all, json_view(name)))
            config_fault(cfg, below, "there is no \"%s\" in %s", json_object_get_string(name),
                         names[i].section);
    }
}

static void check_event(struct config *cfg, const char *path, struct json_object *event)
{
    static const char *const known[] = {
        "incomingdid",   "incomingqueue", "incominggroup", "outcall",     "dial",
        "link",          "unlink",        "hangup",        "agentcalled", "agentlinked",
        "agentunlinked", "faxreceived",   "custom"};
    struct view name = view_cstr(path + strlen("sheets.events."));
    bool good = view_starts(name, VIEW("custom:"));

    for (size_t i = 0; !good && i < ARRAY_SIZE(known); i++)
        good = view_eq(name, view_cstr(known[i]));
    if (!good)
        config_note(cfg, path, "there is no such event: these sheets are never sent");
    if (config_is_empty(event))
        return;
    if (!json_object_is_type(event, json_type_array)) {
        check_entry(cfg, path, event);
        return;
    }
    for (size_t i = 0; i < json_object_array_length(event); i++) {
        char below[PATH_BYTES];
        snprintf(below, sizeof(below), "%.300s.%zu", path, i);
        check_entry(cfg, below, json_object_array_get_idx(event, i));
    }
}

typedef void check_fn(struct config *cfg, const char *path, struct json_object *value);

static void each(struct config *cfg, const char *section, check_fn *fn)
{
    struct json_object *all = config_get(cfg, section);

    if (!(all = object_at(cfg, section, all)))
        return;
    json_object_object_foreach(all, name, value)
    {
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s.%.100s", section, name);
        fn(cfg, path, value);
    }
}

static void check_pictures(struct config *cfg)
{
    const char *url = config_str(cfg, "ctibus.sheets.picture_url");
    const char *fault = url && uri_is_web(view_cstr(url)) ? config_web_fault(view_cstr(url)) : NULL;

    if (fault)
        config_fault(cfg, "ctibus.sheets.picture_url", "an http: or https: URI %s", fault);
    else if (url && !uri_is_web(view_cstr(url)))
        config_fault(cfg, "ctibus.sheets.picture_url", "must be an http: or https: URI");
    if (url)
        check_format(cfg, "ctibus.sheets.picture_url", view_cstr(url));
}

void config_check_sheets(struct config *cfg)
{
    check_pictures(cfg);
    if (!json_get_object(cfg->root, "sheets")) /* what is no object has been noted */
        return;
    each(cfg, "sheets.displays", check_display);
    each(cfg, "sheets.options", check_option);
    each(cfg, "sheets.conditions", check_condition);
    each(cfg, "sheets.events", check_event);
}
