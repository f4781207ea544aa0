/*
 * What a XiVO's own configuration has that ours has not: it is written by a web interface, of which
 * there were many versions. What we do not know is no fault, and is told as a note.
 */
#include "base/array.h"
#include "config/internal.h"
#include "json/json.h"

static bool has_link(struct json_object *ipbx)
{
    return json_get(ipbx, "ipbx_connection") || json_get(ipbx, "cti_connection") ||
           json_get(ipbx, "peer");
}

/* The only IPBX without a link, or the only one that could have it: `ipbxes` is made when there is
 * none. NULL: it is not clear which one is meant. */
static struct json_object *without_link(struct config *cfg, const char **name)
{
    struct json_object *ipbxes = json_get(cfg->root, "ipbxes");
    struct json_object *found = NULL;

    *name = "xivo";
    if (!ipbxes) {
        ipbxes = json_object_new_object();
        found = json_object_new_object();
        json_object_object_add(cfg->root, "ipbxes", ipbxes);
        json_object_object_add(ipbxes, *name, found);
        return found;
    }
    if (!json_object_is_type(ipbxes, json_type_object))
        return NULL;
    json_object_object_foreach(ipbxes, id, ipbx)
    {
        if (!json_object_is_type(ipbx, json_type_object) || has_link(ipbx))
            continue;
        if (found)
            return NULL;
        found = ipbx;
        *name = id;
    }
    return found;
}

void config_adapt_xivo(struct config *cfg)
{
    struct json_object *link = json_get(cfg->root, "ipbx_connection");
    struct json_object *ipbx;
    const char *name;

    if (!json_object_is_type(link, json_type_object))
        return;
    ipbx = without_link(cfg, &name);
    if (!ipbx) {
        config_note(cfg, "ipbx_connection",
                    "is not used: there is not just one IPBX that has no link of its own");
        return;
    }
    config_note(cfg, "ipbx_connection", "is taken as ipbxes.%.100s.ipbx_connection", name);
    json_object_object_add(ipbx, "ipbx_connection", json_object_get(link));
}

/* Behind the overrides, which name the section as the file does. */
void config_name_ipbx(struct config *cfg)
{
    struct json_object *ipbxes = json_get_object(cfg->root, "ipbxes");
    struct json_object *name =
        json_get(json_get_object(json_get_object(cfg->root, "ctibus"), "ipbx"), "name");
    const char *key = NULL;
    struct json_object *ipbx = NULL;

    if (!ipbxes || !json_object_is_type(name, json_type_string) ||
        json_object_get_string_len(name) == 0)
        return;
    if (json_object_object_length(ipbxes) != 1) {
        config_fault(cfg, "ctibus.ipbx.name",
                     "is for a configuration with one ipbx; this one has %d",
                     json_object_object_length(ipbxes));
        return;
    }
    json_object_object_foreach(ipbxes, id, only)
    {
        key = id;
        ipbx = json_object_get(only);
    }
    if (strcmp(key, json_object_get_string(name)) == 0) {
        json_object_put(ipbx);
        return;
    }
    json_object_object_del(ipbxes, key);
    json_object_object_add(ipbxes, json_object_get_string(name), ipbx);
}

void config_note_unknown(struct config *cfg, const char *path)
{
    char near[128];

    if (config_key_nearest(path, near, sizeof(near)))
        config_note(cfg, path, "unknown key, not used; did you mean %s?", near);
    else
        config_note(cfg, path, "unknown key, not used");
}

/* Sections that are read by their name, beside those of which the table has keys. */
static const char *const sections[] = {
    "profiles", "userstatus", "phonestatus", "regcommands", "ipbxcommands",
    "services", "sheets",     "preferences", "directories", "displays",
    "contexts", "ipbxes",     "main",        "ctibus",      "ipbx_connection"};

/* The section of this name, or at most so far from it; NULL: none. */
static const char *section(const char *name, size_t distance)
{
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        if (view_distance(view_cstr(name), view_cstr(sections[i])) <= distance)
            return sections[i];
    return NULL;
}

void config_note_sections(struct config *cfg)
{
    json_object_object_foreach(cfg->root, name, value)
    {
        const char *near = section(name, 1);
        (void)value;
        if (section(name, 0) || config_key_find(name))
            continue;
        if (near)
            config_note(cfg, name, "unknown section, not used; did you mean %s?", near);
        else
            config_note(cfg, name, "unknown section, not used");
    }
}
