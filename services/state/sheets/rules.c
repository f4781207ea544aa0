#include "sheets/rules.h"

#include <stdlib.h>

#include "base/array.h"
#include "config/template.h"
#include "sheets/call.h"
#include "sheets/format.h"
#include "json/json.h"

static const char *const parts[] = {"sheet_info", "systray_info", "action_info"};

static struct json_object *section(const struct config *cfg, const char *name)
{
    return json_get_object(config_section(cfg, "sheets"), name);
}

bool rules_any(const struct config *cfg)
{
    struct json_object *events = section(cfg, "events");

    return events && json_object_object_length(events) > 0;
}

/* The entry of a section that a member of an event's entry names, or NULL. */
static struct json_object *named(const struct config *cfg, const char *name,
                                 struct json_object *entry, const char *key)
{
    struct json_object *o = json_member(section(cfg, name), json_get_view(entry, key));

    return json_object_is_type(o, json_type_object) ? o : NULL;
}

static bool read_rule(const struct config *cfg, struct json_object *entry, struct rule *r)
{
    r->display = named(cfg, "displays", entry, "display");
    r->option = named(cfg, "options", entry, "option");
    r->condition = named(cfg, "conditions", entry, "condition");
    return r->display != NULL;
}

size_t rules_of(const struct config *cfg, struct view event, struct rule out[MAX_RULES])
{
    struct json_object *entries = json_member(section(cfg, "events"), event);
    size_t n = 0;

    if (json_object_is_type(entries, json_type_object))
        return read_rule(cfg, entries, &out[0]);
    if (!json_object_is_type(entries, json_type_array))
        return 0;
    for (size_t i = 0; n < MAX_RULES && i < json_object_array_length(entries); i++)
        n += read_rule(cfg, json_object_array_get_idx(entries, i), &out[n]);
    return n;
}

/* XiVO writes 1, "1", true or "true". */
static bool is_on(struct json_object *value)
{
    struct view v = json_view(value);

    return json_object_get_boolean(value) && !view_eq(v, VIEW("0")) && !view_eq(v, VIEW("no")) &&
           !view_eq(v, VIEW("false"));
}

bool rules_option(struct json_object *option, const char *key)
{
    return is_on(json_get(option, key));
}

static bool read_row(struct sheet_row *r, const char *order, struct json_object *def)
{
    if (!json_object_is_type(def, json_type_array) || json_object_array_length(def) < 4 ||
        is_on(json_object_array_get_idx(def, 4)) || view_to_i64(view_cstr(order), &r->order) < 0)
        return false;
    r->title = json_view(json_object_array_get_idx(def, 0));
    r->type = json_view(json_object_array_get_idx(def, 1));
    r->otherwise = json_view(json_object_array_get_idx(def, 2));
    r->format = json_view(json_object_array_get_idx(def, 3));
    return true;
}

static int by_order(const void *a, const void *b)
{
    int64_t x = ((const struct sheet_row *)a)->order;
    int64_t y = ((const struct sheet_row *)b)->order;

    return (x > y) - (x < y);
}

size_t rules_rows(struct json_object *display, const char *part, struct sheet_row out[MAX_ROWS])
{
    struct json_object *rows = json_get_object(display, part);
    size_t n = 0;

    if (!rows)
        return 0;
    json_object_object_foreach(rows, order, def)
    {
        if (n < MAX_ROWS && read_row(&out[n], order, def))
            n++;
    }
    qsort(out, n, sizeof(*out), by_order);
    return n;
}

/* name: NULL: any of the family. */
static bool display_has(struct json_object *display, struct view family, const struct view *name)
{
    struct sheet_row rows[MAX_ROWS];

    for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
        size_t n = rules_rows(display, parts[p], rows);
        for (size_t i = 0; i < n; i++)
            if (sheet_format_has(rows[i].format, family, name))
                return true;
    }
    return false;
}

bool rules_display_has(struct json_object *display, struct view family)
{
    return display_has(display, family, NULL);
}

bool rules_display_names(struct json_object *display, struct view family, struct view name)
{
    return display_has(display, family, &name);
}

static void add_variables(struct json_object *names, struct view format, struct view family)
{
    struct template_part part;

    while (template_next(&format, &part))
        if (part.family.len && view_eq(part.family, family))
            call_set(names, part.name, family);
}

struct json_object *rules_display_variables(struct json_object *display, struct view family)
{
    struct json_object *names = json_object_new_object();
    struct sheet_row rows[MAX_ROWS];

    for (size_t p = 0; names && p < ARRAY_SIZE(parts); p++) {
        size_t n = rules_rows(display, parts[p], rows);
        for (size_t i = 0; i < n; i++)
            add_variables(names, rows[i].format, family);
    }
    return names;
}

bool rules_among(struct json_object *array, struct view text)
{
    size_t n = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

    for (size_t i = 0; i < n; i++)
        if (view_eq(view_cstr(json_object_get_string(json_object_array_get_idx(array, i))), text))
            return true;
    return n == 0;
}
