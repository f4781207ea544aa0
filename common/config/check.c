/* What is wrong with a configuration: first the keys of the table, then what refers to what. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hostport.h"
#include "base/netaddr.h"
#include "base/pg_uri.h"
#include "base/uri.h"
#include "config/internal.h"
#include "json/json.h"

#define PATH_BYTES 512
#define CONSOLE_TOKEN_MIN 16 /* characters */

bool config_is_empty(struct json_object *o)
{
    return !o || (json_object_is_type(o, json_type_boolean) && !json_object_get_boolean(o)) ||
           (json_object_is_type(o, json_type_string) && json_view(o).len == 0) ||
           (json_object_is_type(o, json_type_array) && json_object_array_length(o) == 0);
}

bool config_is_object(struct config *cfg, const char *path, struct json_object *o)
{
    bool good = json_object_is_type(o, json_type_object);

    if (!good)
        config_fault(cfg, path, "must be an object");
    return good;
}

static void wrong_type(struct config *cfg, const char *path, const struct config_key *key)
{
    config_fault(cfg, path, "must be %s", config_type_name(key->type));
}

static bool is_choice(const char *choices, struct view v)
{
    struct view rest = view_cstr(choices);

    while (rest.len > 0)
        if (view_eq(view_cut(&rest, '|'), v))
            return true;
    return false;
}

static void check_int(struct config *cfg, const char *path, const struct config_key *key,
                      struct json_object *value)
{
    int64_t n;

    /* XiVO's web interface writes numbers as strings here and there */
    if (json_object_is_type(value, json_type_int))
        n = json_object_get_int64(value);
    else if (view_starts(view_cstr(path), VIEW("ctibus.")) || view_to_i64(json_view(value), &n) < 0)
        return wrong_type(cfg, path, key);
    if (n < key->min || n > key->max)
        config_fault(cfg, path, "%lld is out of range: %lld to %lld", (long long)n,
                     (long long)key->min, (long long)key->max);
}

/* An array of strings, each one of the choices, if there are some, or a network. */
static void check_strings(struct config *cfg, const char *path, const struct config_key *key,
                          struct json_object *value)
{
    size_t n;

    if (!json_object_is_type(value, json_type_array))
        return wrong_type(cfg, path, key);
    n = json_object_array_length(value);
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(value, i);
        struct network net;
        const char *why;
        if (!json_object_is_type(item, json_type_string))
            wrong_type(cfg, path, key);
        else if (key->type == KEY_NETWORKS && network_parse(json_view(item), &net, &why) < 0)
            config_fault(cfg, path, "\"%s\" %s", json_object_get_string(item), why);
        else if (key->choices && !is_choice(key->choices, json_view(item)))
            config_fault(cfg, path, "\"%s\" is none of %s", json_object_get_string(item),
                         key->choices);
    }
}

static bool good_port(struct json_object *value)
{
    int64_t n;

    if (json_object_is_type(value, json_type_int))
        n = json_object_get_int64(value);
    else if (view_to_i64(json_view(value), &n) < 0)
        return false;
    return n >= 0 && n <= 65535;
}

static bool is_switch(struct json_object *value)
{
    return json_object_is_type(value, json_type_boolean) ||
           json_object_is_type(value, json_type_int);
}

static void check_listen(struct config *cfg, const char *path, const struct config_key *key,
                         struct json_object *value)
{
    size_t n = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

    if (n < 2 || n > 3 ||
        !json_object_is_type(json_object_array_get_idx(value, 0), json_type_string) ||
        (n == 3 && !is_switch(json_object_array_get_idx(value, 2))))
        wrong_type(cfg, path, key);
    else if (!good_port(json_object_array_get_idx(value, 1)))
        config_fault(cfg, path, "the port must be 0 to 65535");
}

bool config_is_endpoint(struct view v)
{
    struct view host;
    uint16_t port;
    struct view rest;

    if (view_starts(v, VIEW("ipc://")) || view_starts(v, VIEW("inproc://")))
        return v.len > 9;
    if (!view_starts(v, VIEW("tcp://")))
        return false;
    rest = view_of(v.ptr + 6, v.len - 6);
    if (rest.len > 2 && memcmp(rest.ptr + rest.len - 2, ":*", 2) == 0)
        return true;
    return hostport_split(rest, &host, &port) == 0;
}

/* What is wrong with the address of a server is told. False: it is no database at all. */
static bool check_database(struct config *cfg, const char *path, struct view v)
{
    struct pg_uri read;
    const char *fault;

    if (!pg_uri_is(v))
        return view_starts(v, VIEW("sqlite:")) && v.len > 7;
    fault = pg_uri_read(&read, v);
    if (fault)
        config_fault(cfg, path, "%s", fault);
    explicit_bzero(&read, sizeof(read));
    return true;
}

static void check_text(struct config *cfg, const char *path, const struct config_key *key,
                       struct json_object *value)
{
    struct view v = json_view(value);
    struct view host;
    uint16_t port;
    bool good = true;

    if (!json_object_is_type(value, json_type_string))
        return wrong_type(cfg, path, key);
    if (key->type == KEY_CHOICE && !is_choice(key->choices, v))
        return config_fault(cfg, path, "\"%.*s\" is none of %s", VIEW_ARG(v), key->choices);
    if (key->flags & KEY_NEEDED && v.len == 0)
        return config_fault(cfg, path, "must not be empty");
    if (key->type == KEY_ADDRESS)
        good = v.len == 0 || hostport_split(v, &host, &port) == 0;
    else if (key->type == KEY_ENDPOINT)
        good = config_is_endpoint(v);
    else if (key->type == KEY_DATABASE)
        good = check_database(cfg, path, v);
    if (!good)
        wrong_type(cfg, path, key);
}

/* It is taken away when all is checked: not now, since the object that it is in is being read. */
static void note_faulty(struct config *cfg, const char *path)
{
    if (!cfg->faulty)
        cfg->faulty = json_object_new_array();
    if (!cfg->faulty || json_object_array_add(cfg->faulty, json_object_new_string(path)) < 0)
        cfg->out_of_memory = true;
}

void config_check_value(struct config *cfg, const char *path, const struct config_key *key,
                        struct json_object *value)
{
    size_t before = cfg->errors->count;

    if (!value) /* null: the default, or off */
        return;
    switch (key->type) {
    case KEY_INT:
        check_int(cfg, path, key, value);
        break;
    case KEY_BOOL:
        if (!is_switch(value))
            wrong_type(cfg, path, key);
        break;
    case KEY_STRINGS:
    case KEY_NETWORKS:
        check_strings(cfg, path, key, value);
        break;
    case KEY_LISTEN:
        check_listen(cfg, path, key, value);
        break;
    case KEY_ANY:
        break;
    default:
        check_text(cfg, path, key, value);
    }
    if (cfg->errors->count > before)
        note_faulty(cfg, path);
}

static void unknown_key(struct config *cfg, const char *path)
{
    char near[128];

    if (config_key_nearest(path, near, sizeof(near)))
        config_fault(cfg, path, "unknown key; did you mean %s?", near);
    else
        config_fault(cfg, path, "unknown key");
}

/* All keys under one object of the table. `strict`: it is ours, so that an unknown key is a fault,
 * not only noted. */
static void check_tree(struct config *cfg, const char *path, struct json_object *obj, bool strict)
{
    if (!config_is_object(cfg, path, obj))
        return;
    json_object_object_foreach(obj, name, value)
    {
        char below[PATH_BYTES];
        const struct config_key *key;
        snprintf(below, sizeof(below), "%s.%s", path, name);
        key = strchr(name, '.') ? NULL : config_key_find(below);
        if (key)
            config_check_value(cfg, below, key, value);
        else if (!strchr(name, '.') && config_key_is_parent(below)) {
            if (value)
                check_tree(cfg, below, value, strict);
        } else if (strict) {
            unknown_key(cfg, below);
        } else {
            config_note_unknown(cfg, below);
        }
    }
}

static void check_section(struct config *cfg, const char *name, bool strict)
{
    struct json_object *obj;

    if (json_object_object_get_ex(cfg->root, name, &obj) && obj)
        check_tree(cfg, name, obj, strict);
}

/* The members that one of an IPBX's links must have. */
static void check_link(struct config *cfg, const char *path, struct json_object *link)
{
    check_tree(cfg, path, link, false);
    if (!json_object_is_type(link, json_type_object))
        return;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        const char *name = strrchr(key->path, '.');
        char below[PATH_BYTES];
        if (!(key->flags & KEY_NEEDED) || json_get(link, name + 1))
            continue;
        snprintf(below, sizeof(below), "%s%s", path, name);
        if (config_key_find(below) == key)
            config_fault(cfg, below, "is missing");
    }
}

/* Up to the first of `ends`. */
static struct view up_to(struct view v, const char *ends)
{
    for (size_t i = 0; i < v.len; i++)
        if (strchr(ends, v.ptr[i]))
            return view_of(v.ptr, i);
    return v;
}

/* HOST, HOST:PORT or [V6], with or without USER:PASSWORD@ before it. */
static bool is_authority(struct view v)
{
    struct view host;
    uint16_t port;

    for (size_t i = v.len; i-- > 0;)
        if (v.ptr[i] == '@') {
            v = view_of(v.ptr + i + 1, v.len - i - 1);
            break;
        }
    if (v.len > 0 && v.ptr[0] == '[' && v.ptr[v.len - 1] == ']')
        return v.len > 2;
    if (view_find(v, VIEW(":")) < 0)
        return v.len > 0;
    return hostport_split(v, &host, &port) == 0 && host.len > 0 && port > 0;
}

const char *config_web_fault(struct view v)
{
    ptrdiff_t start = view_find(v, VIEW("://")) + 3;

    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.ptr[i] <= ' ' || (unsigned char)v.ptr[i] >= 0x7f)
            return "has blanks, control characters or letters outside of ASCII in it";
    if (!is_authority(up_to(view_of(v.ptr + start, v.len - (size_t)start), "/?#")))
        return "has no host, or a port that is not 1 to 65535";
    return NULL;
}

static bool has_asterisk_list(const char *path)
{
    static const char *const lists[] = {"users",  "lines",   "trunks",     "queues",
                                        "agents", "meetmes", "voicemails", "parkinglot"};
    const char *name = strrchr(path, '_');

    for (size_t i = 0; name && i < ARRAY_SIZE(lists); i++)
        if (strcmp(name + 1, lists[i]) == 0)
            return true;
    return false;
}

/* Lists that the Asterisk itself has, and people in a CSV file over those before it. */
static bool is_local_list(struct config *cfg, const char *path, struct view v)
{
    size_t n = strlen(path);
    bool users = n > 13 && strcmp(path + n - 13, "urllist_users") == 0;

    if (view_eq(v, VIEW("asterisk:"))) {
        if (!has_asterisk_list(path))
            config_fault(cfg, path,
                         "an Asterisk has no such list: asterisk: can only be in those of "
                         "users, lines, trunks, queues, agents, meetmes, voicemails and "
                         "parkinglot");
        return true;
    }
    if (view_starts(v, VIEW("file:")))
        return true;
    if (!view_starts(v, VIEW("csv:")))
        return false;
    if (!users)
        config_fault(cfg, path, "a csv: file can only be in urllist_users");
    else if (v.len == 4)
        config_fault(cfg, path, "csv: has no name of a file behind it");
    return true;
}

static void check_list_uri(struct config *cfg, const char *path, struct json_object *item)
{
    struct view v = json_view(item);
    const char *fault = uri_is_web(v) ? config_web_fault(v) : NULL;

    if (fault)
        config_fault(cfg, path, "an http: or https: URI %s", fault);
    if (uri_is_web(v) || is_local_list(cfg, path, v))
        return;
    if (view_find(v, VIEW("://")) > 0) /* what is behind it may be a password */
        config_fault(cfg, path, "%.*s: is none of file:, http:, https:, csv: and asterisk:",
                     VIEW_ARG(up_to(v, ":")));
    else
        config_fault(cfg, path, "%s is none of file:, http:, https:, csv: and asterisk:",
                     json_object_to_json_string_ext(item, JSON_C_TO_STRING_PLAIN));
}

static void check_urllist(struct config *cfg, const char *path, struct json_object *list)
{
    size_t n;

    if (!list)
        return;
    if (!json_object_is_type(list, json_type_array)) {
        config_fault(cfg, path, "must be an array of URIs");
        return;
    }
    n = json_object_array_length(list);
    for (size_t i = 0; i < n; i++)
        check_list_uri(cfg, path, json_object_array_get_idx(list, i));
}

static void check_urllists(struct config *cfg, const char *ipbx, struct json_object *lists)
{
    char path[PATH_BYTES];

    if (!lists)
        return;
    snprintf(path, sizeof(path), "%.200s.urllists", ipbx);
    if (!config_is_object(cfg, path, lists))
        return;
    json_object_object_foreach(lists, name, value)
    {
        snprintf(path, sizeof(path), "%.200s.urllists.%.100s", ipbx, name);
        check_urllist(cfg, path, value);
    }
}

static void check_ipbx(struct config *cfg, const char *id, struct json_object *ipbx)
{
    static const char *const links[] = {"ipbx_connection", "cti_connection", "peer"};
    char path[PATH_BYTES];
    char below[PATH_BYTES];
    bool linked = false;

    snprintf(path, sizeof(path), "ipbxes.%.100s", id);
    if (!config_is_object(cfg, path, ipbx))
        return;
    if (!*id || strpbrk(id, "./ "))
        config_fault(cfg, path, "an id must not be empty nor have a point, slash or blank in it");
    for (size_t i = 0; i < 3; i++) {
        struct json_object *link = json_get(ipbx, links[i]);
        if (!link)
            continue;
        linked = true;
        snprintf(below, sizeof(below), "%.200s.%s", path, links[i]);
        check_link(cfg, below, link);
    }
    if (!linked)
        config_fault(cfg, path, "has neither ipbx_connection, cti_connection nor peer");
    check_urllists(cfg, path, json_get(ipbx, "urllists"));
}

static void check_ipbxes(struct config *cfg)
{
    struct json_object *ipbxes = json_get_object(cfg->root, "ipbxes");

    if (!ipbxes)
        return;
    json_object_object_foreach(ipbxes, id, ipbx)
    {
        check_ipbx(cfg, id, ipbx);
    }
}

/* A profile's word for an entry of the section of that name. XiVO writes "" or false for none. */
static void check_reference(struct config *cfg, const char *profile, const char *section,
                            struct json_object *value)
{
    char path[PATH_BYTES];
    struct view name = json_view(value);

    if (!value ||
        (json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value)))
        return;
    snprintf(path, sizeof(path), "profiles.%.100s.%s", profile, section);
    if (!json_object_is_type(value, json_type_string))
        config_fault(cfg, path, "must be the name of an entry of %s", section);
    else if (name.len > 0 &&
             !json_object_object_get_ex(json_get_object(cfg->root, section), name.ptr, NULL))
        config_fault(cfg, path, "there is no \"%.*s\" in %s", VIEW_ARG(name), section);
}

/* Whose calls a profile may read beside the user's own. */
static void check_history(struct config *cfg, const char *profile, struct json_object *list)
{
    char path[PATH_BYTES];
    size_t n;

    if (!list)
        return;
    snprintf(path, sizeof(path), "profiles.%.100s.history", profile);
    n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    if (n == 0 && !json_object_is_type(list, json_type_array))
        config_fault(cfg, path, "must be a list of \"own\", \"group\", \"queue\"");
    for (size_t i = 0; i < n; i++) {
        struct view word = json_view(json_object_array_get_idx(list, i));
        if (!view_eq(word, VIEW("own")) && !view_eq(word, VIEW("group")) &&
            !view_eq(word, VIEW("queue")))
            config_fault(cfg, path, "must be a list of \"own\", \"group\", \"queue\"");
    }
}

static void check_word(struct config *cfg, const char *path, struct json_object *value,
                       const char *const *words, const char *list)
{
    if (!value)
        return;
    while (*words && !view_eq(json_view(value), view_cstr(*words)))
        words++;
    if (!*words)
        config_fault(cfg, path, "must be %s", list);
}

/* What a profile's users see of other people's calls. A word that is none must not open all. */
static void check_see(struct config *cfg, const char *profile, struct json_object *see)
{
    static const char *const calls[] = {"own", "group", "all", NULL};
    static const char *const numbers[] = {"full", "masked", NULL};
    char path[PATH_BYTES];

    if (!see)
        return;
    snprintf(path, sizeof(path), "profiles.%.100s.see", profile);
    if (!config_is_object(cfg, path, see))
        return;
    snprintf(path, sizeof(path), "profiles.%.100s.see.calls", profile);
    check_word(cfg, path, json_get(see, "calls"), calls, "\"own\", \"group\" or \"all\"");
    snprintf(path, sizeof(path), "profiles.%.100s.see.numbers", profile);
    check_word(cfg, path, json_get(see, "numbers"), numbers, "\"full\" or \"masked\"");
}

static void check_profiles(struct config *cfg)
{
    static const char *const sections[] = {"userstatus",   "phonestatus", "regcommands",
                                           "ipbxcommands", "services",    "preferences"};
    struct json_object *profiles = json_get_object(cfg->root, "profiles");

    if (!profiles)
        return;
    json_object_object_foreach(profiles, id, profile)
    {
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "profiles.%.100s", id);
        if (!config_is_object(cfg, path, profile))
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
            check_reference(cfg, id, sections[i], json_get(profile, sections[i]));
        check_history(cfg, id, json_get(profile, "history"));
        check_see(cfg, id, json_get(profile, "see"));
    }
}

static void check_sections(struct config *cfg)
{
    static const char *const sections[] = {
        "ipbxes",   "profiles",    "userstatus", "phonestatus", "regcommands", "ipbxcommands",
        "services", "preferences", "sheets",     "directories", "displays",    "contexts"};

    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        struct json_object *section = json_get(cfg->root, sections[i]);
        /* an empty table is written [] by PHP */
        if (section && !json_object_is_type(section, json_type_object) &&
            !(json_object_is_type(section, json_type_array) &&
              json_object_array_length(section) == 0))
            config_fault(cfg, sections[i], "must be an object");
    }
}

/* A token that is easy to guess protects nothing. */
static void check_token(struct config *cfg)
{
    static const char key[] = "ctibus.console.token";
    struct json_object *value = config_get(cfg, key);
    struct view v = json_view(value);
    bool good = v.len >= CONSOLE_TOKEN_MIN;

    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.ptr[i] <= ' ' || v.ptr[i] == '"' || v.ptr[i] == 0x7f)
            good = false;
    if (value && json_object_is_type(value, json_type_string) && !good)
        config_fault(cfg, key, "must have at least %d characters, without blanks and \"",
                     CONSOLE_TOKEN_MIN);
}

static void check_curve(struct config *cfg)
{
    if (!config_str(cfg, "ctibus.curve.server_key") != !config_str(cfg, "ctibus.curve.own_key"))
        config_fault(cfg, "ctibus.curve", "server_key and own_key are both needed");
}

void config_check(struct config *cfg)
{
    check_section(cfg, "main", false);
    check_section(cfg, "ctibus", true);
    for (size_t i = 0; i < config_key_count; i++)
        if (!strchr(config_keys[i].path, '.'))
            config_check_value(cfg, config_keys[i].path, &config_keys[i],
                               json_get(cfg->root, config_keys[i].path));
    check_token(cfg);
    check_curve(cfg);
    check_ipbxes(cfg);
    check_profiles(cfg);
    check_sections(cfg);
    config_note_sections(cfg);
    config_check_deny(cfg);
    config_check_timezone(cfg);
    config_check_directories(cfg);
    config_check_sheets(cfg);
    config_check_features(cfg);
    config_check_addresses(cfg);
    config_check_ha(cfg);
}
