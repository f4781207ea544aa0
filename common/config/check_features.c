/* Checks the keys of Asterisk's database and the devices of `ctibus.features`: they are the same
 * for all users but for what stands for the user, and each service has one of its own. */
#include <stdio.h>

#include "base/array.h"
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

void config_check_features(struct config *cfg)
{
    struct json_object *features = config_get(cfg, "ctibus.features");

    if (!features || !json_object_is_type(features, json_type_object))
        return;
    check_way(cfg, "astdb", astdb_fault);
    check_way(cfg, "devstate", devstate_fault);
    check_on(cfg);
}
