/* Profiles of the configuration: what a client of each may see and do. */
#include <json-c/json.h>

#include "access/access.h"
#include "base/array.h"
#include "core/profile.h"
#include "json/json.h"

struct json_object *profile_find(const struct config *cfg, struct view capaid)
{
    struct json_object *p = json_member(config_section(cfg, "profiles"), capaid);

    return p && json_object_is_type(p, json_type_object) ? p : NULL;
}

/* What the profile names in a section: profiles.client.services = "std" -> services.std. */
static struct json_object *named(const struct config *cfg, struct view capaid, const char *section)
{
    struct json_object *p = profile_find(cfg, capaid);

    return p ? json_member(config_section(cfg, section), json_get_view(p, section)) : NULL;
}

struct json_object *profile_userstatus(const struct config *cfg, struct view capaid)
{
    struct json_object *u = named(cfg, capaid, "userstatus");

    return u && json_object_is_type(u, json_type_object) ? u : NULL;
}

struct json_object *profile_status(const struct config *cfg, struct view capaid, struct view name)
{
    return json_member(profile_userstatus(cfg, capaid), name);
}

bool profile_presence_allowed(const struct config *cfg, struct view capaid, struct view from,
                              struct view to)
{
    struct json_object *all = profile_userstatus(cfg, capaid);
    struct json_object *now = json_member(all, from);
    struct json_object *allowed;

    if (!json_member(all, to))
        return false;
    if (!now || view_eq(from, to))
        return true;
    allowed = json_get(now, "allowed");
    return !allowed || access_names(allowed, to, NULL);
}

bool profile_permits(const struct config *cfg, struct view capaid, const char *section,
                     struct view word)
{
    return access_names(named(cfg, capaid, section), word, NULL);
}

static struct json_object *denied(const struct config *cfg, struct view capaid)
{
    return json_member(config_get(cfg, "ctibus.deny"), capaid);
}

bool profile_permits_class(const struct config *cfg, struct view capaid, struct view class)
{
    if (!config_class_is_open(class))
        return profile_permits(cfg, capaid, "regcommands", class);
    return profile_find(cfg, capaid) && !access_names(denied(cfg, capaid), class, NULL);
}

struct json_object *profile_see(const struct config *cfg, struct view capaid)
{
    struct json_object *p = profile_find(cfg, capaid);

    return p ? json_get_object(p, "see") : NULL;
}

static void put_named(struct buf *out, const struct config *cfg, struct view capaid,
                      const char *section, const char *otherwise)
{
    struct json_object *o = named(cfg, capaid, section);

    buf_printf(out, "\"%s\":", section);
    if (o)
        json_put_object(out, o);
    else
        buf_append_cstr(out, otherwise);
}

static void put_optional(struct buf *out, const char *key, struct json_object *value)
{
    if (!value)
        return;
    buf_printf(out, ",\"%s\":", key);
    json_put_object(out, value);
}

/* From where on a queue is shown in colours; where nothing is configured, clients know it. */
static void put_wall(struct buf *out, const struct config *cfg)
{
    if (!config_get(cfg, "ctibus.wall"))
        return;
    buf_printf(out,
               ",\"wall\":{\"wait_warn_s\":%lld,\"wait_bad_s\":%lld,\"level_warn\":%lld,"
               "\"level_bad\":%lld}",
               (long long)config_int(cfg, "ctibus.wall.wait_warn_s"),
               (long long)config_int(cfg, "ctibus.wall.wait_bad_s"),
               (long long)config_int(cfg, "ctibus.wall.level_warn"),
               (long long)config_int(cfg, "ctibus.wall.level_bad"));
}

void profile_put_capas(struct buf *out, const struct config *cfg, struct view capaid)
{
    static const struct {
        const char *section;
        const char *otherwise;
    } parts[] = {{"userstatus", "{}"},   {"phonestatus", "{}"}, {"regcommands", "[]"},
                 {"ipbxcommands", "[]"}, {"services", "[]"},    {"preferences", "{}"}};

    buf_append_char(out, '{');
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (i)
            buf_append_char(out, ',');
        put_named(out, cfg, capaid, parts[i].section, parts[i].otherwise);
    }
    put_optional(out, "see", profile_see(cfg, capaid));
    put_optional(out, "deny", denied(cfg, capaid));
    put_optional(out, "history", json_get(profile_find(cfg, capaid), "history"));
    put_wall(out, cfg);
    buf_append_char(out, '}');
}

void profile_put_xlets(struct buf *out, const struct config *cfg, struct view capaid)
{
    struct json_object *p = profile_find(cfg, capaid);
    struct json_object *xlets = p ? json_get(p, "xlets") : NULL;

    if (xlets && json_object_is_type(xlets, json_type_array))
        json_put_object(out, xlets);
    else
        buf_append_cstr(out, "[]");
}
