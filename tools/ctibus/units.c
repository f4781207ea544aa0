#include "units.h"

#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "json/json.h"

#define MAX_FILE 262144
#define MAX_VARIABLES 512
#define MAX_DROPINS 256

/* What comes first counts before what follows. */
static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
                                      "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                      "/lib/systemd/system"};

struct reading {
    struct unit *u;
    const char *root, *instance;
    struct json_object *inline_env; /* Environment=: what files say comes on top of it */
    struct json_object *env_files;  /* array of paths, with - before those that may be missing */
};

/* ---- variables ---- */

static void set_variable(struct json_object *all, struct view name, struct view value,
                         const char *from)
{
    struct json_object *o;
    char key[256];

    if (!view_starts(name, VIEW("CTIBUS")) || name.len >= sizeof(key) ||
        memchr(value.ptr ? value.ptr : "", '\0', value.len) ||
        json_object_object_length(all) >= MAX_VARIABLES)
        return; /* others mean nothing to a service of ctibus */
    snprintf(key, sizeof(key), "%.*s", VIEW_ARG(name));
    o = json_object_new_object();
    json_set_text(o, "value", value);
    json_set_text(o, "from", view_cstr(from));
    json_object_object_add(all, key, o);
}

static void set_assignment(struct json_object *all, struct view text, const char *from)
{
    struct view value = text;
    struct view name = view_cut(&value, '=');

    if (name.len < text.len)
        set_variable(all, name, value, from);
}

/* ---- words ---- */

static void put_specifier(const struct reading *r, char c, struct buf *out)
{
    const struct {
        char c;
        const char *text;
    } rows[] = {{'%', "%"},    {'i', r->instance}, {'I', r->instance}, {'n', r->u->name},
                {'E', "/etc"}, {'S', "/var/lib"},  {'t', "/run"}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].c == c) {
            buf_append_cstr(out, rows[i].text ? rows[i].text : "");
            return;
        }
    buf_append_char(out, '%'); /* what it stands for is not known here */
    buf_append_char(out, c);
}

/* The next word of a line, without its quotes. False: there is none. */
static bool next_word(const struct reading *r, struct view *rest, struct buf *out)
{
    char quote = '\0';
    size_t i = 0;

    buf_reset(out);
    while (i < rest->len && (rest->ptr[i] == ' ' || rest->ptr[i] == '\t'))
        i++;
    if (i == rest->len)
        return false;
    for (; i < rest->len; i++) {
        char c = rest->ptr[i];
        bool more = i + 1 < rest->len;
        if (c == '\\' && more) {
            buf_append_char(out, rest->ptr[++i]);
        } else if (quote ? c == quote : c == '"' || c == '\'') {
            quote = quote ? '\0' : c;
        } else if (!quote && (c == ' ' || c == '\t')) {
            break;
        } else if (c == '%' && more) {
            put_specifier(r, rest->ptr[++i], out);
        } else {
            buf_append_char(out, c);
        }
    }
    *rest = view_of(rest->ptr + i, rest->len - i);
    return true;
}

static void add_words(const struct reading *r, struct json_object **array, struct view text)
{
    struct buf word;

    buf_init(&word, MAX_FILE);
    if (text.len == 0) { /* the list begins anew */
        json_object_put(*array);
        *array = json_object_new_array();
    }
    while (next_word(r, &text, &word))
        json_object_array_add(*array,
                              json_object_new_string_len(buf_data(&word), (int)buf_len(&word)));
    buf_free(&word);
}

static void one_word(const struct reading *r, char *out, size_t size, struct view text)
{
    struct buf word;

    buf_init(&word, 4096);
    out[0] = '\0';
    if (next_word(r, &text, &word) && buf_len(&word) < size)
        snprintf(out, size, "%.*s", (int)buf_len(&word), buf_data(&word));
    buf_free(&word);
}

/* ---- environment files ---- */

/* A value, with what follows it in *rest: it goes up to the end of the line, but quotes may hold
 * ends of lines, and a backslash before one goes on with the next. What is blank and not quoted at
 * its end does not belong to it. */
static struct view env_value(struct view *rest, struct buf *out)
{
    struct view v = *rest;
    size_t keep = 0;
    char quote = '\0';
    size_t i = 0;

    buf_reset(out);
    while (i < v.len && (v.ptr[i] == ' ' || v.ptr[i] == '\t'))
        i++;
    for (; i < v.len && (quote || v.ptr[i] != '\n'); i++) {
        char c = v.ptr[i];
        char next = i + 1 < v.len ? v.ptr[i + 1] : '\0';
        if (c == '\\' && next && quote != '\'' && (!quote || strchr("\"\\`$\n", next))) {
            i++;
            if (next == '\n')
                continue;
            c = next;
        } else if (quote ? c == quote : c == '"' || c == '\'') {
            quote = quote ? '\0' : c;
            keep = buf_len(out);
            continue;
        }
        buf_append_char(out, c);
        if (quote || !strchr(" \t\r", c))
            keep = buf_len(out);
    }
    *rest = view_of(v.ptr + i, v.len - i);
    return view_of(buf_view(out).ptr, keep);
}

static void parse_env(struct json_object *all, struct view text, const char *from)
{
    struct buf room;

    buf_init(&room, MAX_FILE);
    while (text.len) {
        struct view after = text;
        struct view line = view_cut(&after, '\n');
        struct view first = view_trim(line);
        struct view rest = line;
        struct view name = view_cut(&rest, '=');
        if (first.len == 0 || first.ptr[0] == '#' || first.ptr[0] == ';' || name.len == line.len) {
            text = after;
            continue;
        }
        text = view_of(text.ptr + name.len + 1, text.len - name.len - 1);
        rest = env_value(&text, &room);
        set_variable(all, view_trim(name), rest, from);
    }
    buf_free(&room);
}

/* ---- unit files ---- */

static void environment(struct reading *r, struct view value, const char *from)
{
    struct buf word;

    buf_init(&word, MAX_FILE);
    if (value.len == 0) {
        json_object_put(r->inline_env);
        r->inline_env = json_object_new_object();
    }
    while (next_word(r, &value, &word))
        set_assignment(r->inline_env, buf_view(&word), from);
    buf_free(&word);
}

static void environment_file(struct reading *r, struct view value)
{
    char path[PATH_MAX];

    if (value.len == 0) {
        json_object_put(r->env_files);
        r->env_files = json_object_new_array();
    }
    one_word(r, path, sizeof(path), value);
    if (*path && json_object_array_length(r->env_files) < MAX_DROPINS)
        json_object_array_add(r->env_files, json_object_new_string(path));
}

static bool is_yes(struct view v)
{
    return view_ieq(v, VIEW("yes")) || view_ieq(v, VIEW("true")) || view_ieq(v, VIEW("on")) ||
           view_eq(v, VIEW("1"));
}

static void setting(struct reading *r, struct view key, struct view value, const char *from)
{
    struct unit *u = r->u;

    if (view_eq(key, VIEW("User")))
        one_word(r, u->user, sizeof(u->user), value);
    else if (view_eq(key, VIEW("Group")))
        one_word(r, u->group, sizeof(u->group), value);
    else if (view_eq(key, VIEW("DynamicUser")))
        u->dynamic = is_yes(value);
    else if (view_eq(key, VIEW("SupplementaryGroups")))
        add_words(r, &u->groups, value);
    else if (view_eq(key, VIEW("StateDirectory")))
        add_words(r, &u->dirs, value);
    else if (view_eq(key, VIEW("Environment")))
        environment(r, value, from);
    else if (view_eq(key, VIEW("EnvironmentFile")))
        environment_file(r, value);
}

/* One line that may go on over several; *text becomes what follows it. */
static struct view logical_line(struct view *text, struct buf *out)
{
    bool goes_on = true;

    buf_reset(out);
    while (goes_on && text->len) {
        struct view line = view_cut(text, '\n');
        struct view shown = view_trim(line);
        /* a comment between does not end it */
        if (buf_len(out) && shown.len && (shown.ptr[0] == '#' || shown.ptr[0] == ';'))
            continue;
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        goes_on = line.len && line.ptr[line.len - 1] == '\\';
        buf_append_view(out, view_of(line.ptr, line.len - goes_on));
        if (goes_on)
            buf_append_char(out, ' ');
    }
    return view_trim(buf_view(out));
}

static void parse_unit(struct reading *r, struct view text, const char *from)
{
    bool of_service = false;
    struct buf room;

    buf_init(&room, MAX_FILE);
    while (text.len) {
        struct view value = logical_line(&text, &room);
        struct view key;
        if (value.len == 0 || value.ptr[0] == '#' || value.ptr[0] == ';')
            continue;
        if (value.ptr[0] == '[') {
            of_service = view_eq(value, VIEW("[Service]"));
            continue;
        }
        key = view_cut(&value, '=');
        if (of_service)
            setting(r, view_trim(key), view_trim(value), from);
    }
    buf_free(&room);
}

/* False: it is not there, cannot be read, or is empty (systemd: it is masked). */
static bool read_unit(struct reading *r, const char *path)
{
    struct buf text;
    bool good;

    buf_init(&text, MAX_FILE);
    good = buf_read_file(&text, path) == 0 && buf_len(&text) > 0;
    if (good)
        parse_unit(r, buf_view(&text), path + strlen(r->root));
    buf_free(&text);
    return good;
}

static bool read_main(struct reading *r, const char *name)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        snprintf(path, sizeof(path), "%s%s/%s", r->root, folders[i], name);
        if (access(path, F_OK) == 0)
            return read_unit(r, path);
    }
    return false;
}

/* Of files of one name the first counts. */
static void list_dropins(const struct reading *r, struct json_object *found, const char *of)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        struct dirent *e;
        DIR *dir;
        snprintf(folder, sizeof(folder), "%s%s/%s.d", r->root, folders[i], of);
        dir = opendir(folder);
        while (dir && (e = readdir(dir))) {
            size_t n = strlen(e->d_name);
            if (n < 6 || strcmp(e->d_name + n - 5, ".conf") != 0 ||
                json_object_object_get_ex(found, e->d_name, NULL) ||
                json_object_object_length(found) >= MAX_DROPINS ||
                snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >= (int)sizeof(path))
                continue;
            json_object_object_add(found, e->d_name, json_object_new_string(path));
        }
        if (dir)
            closedir(dir);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their names, from whatever folder. */
static void read_dropins(struct reading *r, struct json_object *found)
{
    const char *names[MAX_DROPINS];
    size_t n = 0;

    json_object_object_foreach(found, name, path)
    {
        (void)path;
        names[n++] = name;
    }
    qsort(names, n, sizeof(*names), by_name);
    for (size_t i = 0; i < n; i++)
        read_unit(r, json_object_get_string(json_get(found, names[i])));
}

static bool read_env_file(struct reading *r, const char *path)
{
    struct buf text;
    bool there = access(path, F_OK) == 0;

    buf_init(&text, MAX_FILE);
    if (buf_read_file(&text, path) == 0)
        parse_env(r->u->env, buf_view(&text), path + strlen(r->root));
    buf_free(&text);
    return there;
}

/* One EnvironmentFile=, whose path may be a pattern. */
static void read_env_files(struct reading *r, const char *path)
{
    bool may_lack = *path == '-';
    char pattern[PATH_MAX];
    bool there = false;
    glob_t all = {0};

    path += may_lack;
    snprintf(pattern, sizeof(pattern), "%s%s", r->root, path);
    if (glob(pattern, GLOB_NOCHECK, NULL, &all) == 0)
        for (size_t i = 0; i < all.gl_pathc; i++)
            there = read_env_file(r, all.gl_pathv[i]) || there;
    globfree(&all);
    if (!there && !may_lack)
        json_object_array_add(r->u->lost, json_object_new_string(path));
}

/* As systemd does. */
static void set_state_directory(struct unit *u)
{
    struct json_object *o = json_object_new_object();
    struct buf text;

    buf_init(&text, 65536);
    for (size_t i = 0; i < json_object_array_length(u->dirs); i++)
        buf_printf(&text, "%s/var/lib/%s", i ? ":" : "",
                   json_object_get_string(json_object_array_get_idx(u->dirs, i)));
    json_set_text(o, "value", buf_view(&text));
    json_set_text(o, "from", VIEW("StateDirectory="));
    json_object_object_add(u->env, "STATE_DIRECTORY", o);
    buf_free(&text);
}

static bool read_all(struct reading *r, const char *template)
{
    struct json_object *found = json_object_new_object();
    bool good = read_main(r, r->u->name) || (r->instance && read_main(r, template));

    if (good) {
        list_dropins(r, found, r->u->name);
        if (r->instance)
            list_dropins(r, found, template);
        list_dropins(r, found, "ctibus-.service");
        read_dropins(r, found);
    }
    json_object_put(found);
    return good;
}

bool unit_read(struct unit *u, const char *root, const char *service, const char *instance)
{
    struct reading r = {.u = u,
                        .root = root,
                        .instance = instance,
                        .inline_env = json_object_new_object(),
                        .env_files = json_object_new_array()};
    char template[160];
    bool good;

    *u = (struct unit){.groups = json_object_new_array(),
                       .dirs = json_object_new_array(),
                       .env = json_object_new_object(),
                       .lost = json_object_new_array()};
    snprintf(template, sizeof(template), "ctibus-%.40s@.service", service);
    snprintf(u->name, sizeof(u->name),
             instance ? "ctibus-%.40s@%.80s.service" : "ctibus-%.40s%s.service", service,
             instance ? instance : "");
    good = read_all(&r, template);
    json_object_object_foreach(r.inline_env, name, variable)
    {
        json_object_object_add(u->env, name, json_object_get(variable));
    }
    for (size_t i = 0; i < json_object_array_length(r.env_files); i++)
        read_env_files(&r, json_object_get_string(json_object_array_get_idx(r.env_files, i)));
    if (json_object_array_length(u->dirs) > 0)
        set_state_directory(u);
    json_object_put(r.inline_env);
    json_object_put(r.env_files);
    if (!good)
        unit_free(u);
    return good;
}

void unit_free(struct unit *u)
{
    json_object_put(u->groups);
    json_object_put(u->dirs);
    json_object_put(u->env);
    json_object_put(u->lost);
    *u = (struct unit){.groups = NULL};
}
