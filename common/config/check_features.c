/* Checks `ctibus.features`: each key of Asterisk's database and each device names the user by a
 * placeholder, and no two services share one; the URI of the database with XiVO's table is valid.
 */
#include <stdio.h>

#include "base/array.h"
#include "base/pg_uri.h"
#include "config/internal.h"
#include "json/json.h"

#define MAX_TEMPLATE 200 /* bytes: a key of Asterisk's database has 255 at most */

static const char *const services[] = {"dnd",          "unc",       "busy",      "rna",
                                       "incallfilter", "voicemail", "callrecord"};

static bool is_word(struct view word)
{
    return view_eq(word, VIEW("number")) || view_eq(word, VIEW("userid")) ||
           view_eq(word, VIEW("context"));
}

/* What is wrong with the words in braces, or NULL. */
static const char *words_fault(struct view template)
{
    bool own = false;

    for (size_t i = 0; i < template.len; i++) {
        struct view rest = view_of(template.ptr + i + 1, template.len - i - 1);
        ptrdiff_t end = view_find(rest, VIEW("}"));
        struct view word;
        if (template.ptr[i] == '}')
            return "has a } without a {";
        if (template.ptr[i] != '{')
            continue;
        if (end < 0)
            return "has a { without a }";
        word = view_of(rest.ptr, (size_t)end);
        if (!is_word(word))
            return "has other words in braces than {number}, {userid} and {context}";
        own = own || !view_eq(word, VIEW("context"));
        i += (size_t)end + 1;
    }
    return own ? NULL : "is the same for all users: write {number} or {userid} into it";
}

static const char *text_fault(struct view template)
{
    if (template.len > MAX_TEMPLATE)
        return "is longer than 200 bytes";
    for (size_t i = 0; i < template.len; i++)
        if ((unsigned char)template.ptr[i] <= ' ' || strchr("(),\"", template.ptr[i]))
            return "has blanks, control characters, parentheses, commas or quotes in it";
    return NULL;
}

/* FAMILY/KEY: what is set at the phones is read by families. */
static const char *astdb_fault(struct view template)
{
    struct view key = template;
    struct view family = view_cut(&key, '/');

    if (family.len == 0 || key.len == 0)
        return "must be FAMILY/KEY, as \"DND/{number}\"";
    return view_find(family, VIEW("{")) >= 0 ? "must begin with a family that is the same for all"
                                               " users, as \"DND/{number}\""
                                             : NULL;
}

static const char *devstate_fault(struct view template)
{
    return view_starts(template, VIEW("Custom:"))
               ? NULL
               : "must begin with Custom:, as \"Custom:DND{number}\": only such devices can be set";
}

typedef const char *fault_fn(struct view template);

static void check_template(struct config *cfg, const char *path, fault_fn *fault_of)
{
    const char *text = config_str(cfg, path);
    struct view template = view_cstr(text);
    const char *fault = text_fault(template);

    if (template.len == 0)
        return;
    if (!fault)
        fault = fault_of(template);
    if (!fault)
        fault = words_fault(template);
    if (fault)
        config_fault(cfg, path, "\"%.*s\" %s", VIEW_ARG(template), fault);
}

static bool is_text(const struct config *cfg, const char *path)
{
    struct json_object *value = config_get(cfg, path);

    return !value || json_object_is_type(value, json_type_string);
}

static void check_way(struct config *cfg, const char *way, fault_fn *fault_of)
{
    char path[ARRAY_SIZE(services)][96];

    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        snprintf(path[i], sizeof(path[i]), "ctibus.features.%s.%s", way, services[i]);
        if (!is_text(cfg, path[i])) /* that is told already */
            return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        struct view mine = view_cstr(config_str(cfg, path[i]));
        check_template(cfg, path[i], fault_of);
        for (size_t j = 0; j < i && mine.len; j++)
            if (view_eq(mine, view_cstr(config_str(cfg, path[j]))))
                config_fault(cfg, path[i], "is the same as %s: each service needs its own",
                             path[j]);
    }
}

static void check_on(struct config *cfg)
{
    static const char path[] = "ctibus.features.astdb.on";
    static const char *const off[] = {"", "0", "NO", "OFF", "FALSE"};
    struct view on;

    if (!is_text(cfg, path))
        return;
    on = view_cstr(config_str(cfg, path));
    for (size_t i = 0; i < ARRAY_SIZE(off); i++)
        if (view_ieq(on, view_cstr(off[i])))
            config_fault(cfg, path, "\"%.*s\" reads as off; write YES, as FreePBX does",
                         VIEW_ARG(on));
}

/* ---- XiVO's table ---- */

static const char own_uri[] = "ctibus.features.userfeatures.db_uri";

/* IPBXes that have an Asterisk of their own; there is a section of them. */
static size_t count_asterisks(const struct config *cfg)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");
    size_t n = 0;

    json_object_object_foreach(ipbxes, name, ipbx)
    {
        (void)name;
        n += json_get(ipbx, "ipbx_connection") != NULL;
    }
    return n;
}

const char *config_userfeatures_uri(const struct config *cfg, const char *ipbx)
{
    struct json_object *section = json_get(config_section(cfg, "ipbxes"), ipbx);
    struct json_object *uri = json_get(section, "userfeatures_db_uri");
    const char *own = config_str(cfg, own_uri);

    if (!config_lists(cfg, "ctibus.features.publish", "userfeatures") ||
        !json_get(section, "ipbx_connection"))
        return NULL;
    if (own && *own)
        return own;
    return json_object_is_type(uri, json_type_string) && json_object_get_string_len(uri)
               ? json_object_get_string(uri)
               : NULL;
}

/* Whether there is one. */
static bool check_uri(struct config *cfg, const char *ipbx, struct json_object *section)
{
    struct json_object *text = json_get(section, "userfeatures_db_uri");
    const char *own = config_str(cfg, own_uri);
    const char *uri = config_userfeatures_uri(cfg, ipbx);
    const char *fault;
    struct pg_uri read;
    char path[160];

    snprintf(path, sizeof(path), "ipbxes.%.100s.userfeatures_db_uri", ipbx);
    if (!uri && text && !json_object_is_type(text, json_type_string)) {
        config_fault(cfg, path, "must be a string");
        return true;
    }
    if (!uri)
        return false;
    fault = pg_uri_read(&read, view_cstr(uri));
    if (fault)
        config_fault(cfg, uri == own ? own_uri : path, "%s", fault);
    explicit_bzero(&read, sizeof(read));
    return true;
}

static void check_userfeatures(struct config *cfg)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");
    bool any = false;

    if (!is_text(cfg, own_uri) || !ipbxes ||
        !config_lists(cfg, "ctibus.features.publish", "userfeatures"))
        return;
    if (count_asterisks(cfg) > 1 && config_str(cfg, own_uri) && *config_str(cfg, own_uri)) {
        config_fault(cfg, own_uri,
                     "is one database, but there are several IPBXes: write userfeatures_db_uri "
                     "into each of them that has one");
        return;
    }
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        any = check_uri(cfg, name, ipbx) || any;
    }
    if (!any)
        config_fault(cfg, "ctibus.features.publish",
                     "has userfeatures, but no IPBX has a userfeatures_db_uri");
}

void config_check_features(struct config *cfg)
{
    struct json_object *features = config_get(cfg, "ctibus.features");
    struct json_object *publish = config_get(cfg, "ctibus.features.publish");

    if (!features || !json_object_is_type(features, json_type_object))
        return;
    if (json_object_is_type(publish, json_type_array))
        check_userfeatures(cfg);
    check_way(cfg, "astdb", astdb_fault);
    check_way(cfg, "devstate", devstate_fault);
    check_on(cfg);
}
