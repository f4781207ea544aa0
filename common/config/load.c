/* Reading the file, and putting the environment and the flags on top of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/internal.h"
#include "json/json.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)
#define PATH_BYTES 256
#define PART_BYTES 64

/* The whole file into b. 0 or a negative errno. */
static int read_all(const char *path, struct buf *b)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;

    if (fd < 0)
        return -errno;
    while (n > 0) {
        char *scratch = buf_reserve(b, 65536);
        if (!scratch) {
            close(fd);
            return -EFBIG;
        }
        n = read(fd, scratch, 65536);
        if (n > 0)
            buf_commit(b, (size_t)n);
        if (n < 0 && errno == EINTR)
            n = 1;
    }
    n = n < 0 ? -errno : 0;
    close(fd);
    return (int)n;
}

static unsigned line_of(struct view text, size_t offset)
{
    unsigned line = 1;

    for (size_t i = 0; i < offset && i < text.len; i++)
        line += text.ptr[i] == '\n';
    return line;
}

/* The parser would drop the first of two sections of one name without a word. */
static void find_duplicate(struct config *cfg, struct view text)
{
    struct view key;

    if (json_find_duplicate(text, &key) == 1)
        config_fault(cfg, "", "\"%.*s\" stands twice in one object, for the second time at line %u",
                     key.len > 100 ? 100 : (int)key.len, key.ptr,
                     line_of(text, (size_t)(key.ptr - text.ptr)));
}

void config_read_text(struct config *cfg, struct view text)
{
    struct json_parser p;
    int rc = json_parser_init(&p);

    if (rc == 0)
        rc = json_parse(&p, text, &cfg->root);
    if (rc == -EINVAL && view_starts(text, VIEW("\357\273\277")))
        config_fault(cfg, "", "begins with a byte order mark: save it as UTF-8 without one");
    else if (rc == -EINVAL)
        config_fault(cfg, "", "malformed JSON at line %u", line_of(text, p.offset));
    else if (rc == -EILSEQ)
        config_fault(cfg, "", "not UTF-8");
    else if (rc == -E2BIG)
        config_fault(cfg, "", "nested too deep at line %u", line_of(text, p.offset));
    else if (rc < 0)
        config_fault(cfg, "", "out of memory");
    else if (!json_object_is_type(cfg->root, json_type_object))
        config_fault(cfg, "", "must be an object");
    else
        find_duplicate(cfg, text);
    json_parser_fini(&p);
    cfg->ours = json_get(cfg->root, "ctibus") != NULL;
}

/* What an administrator can do about it is said, too. */
static void cannot_read(struct config *cfg, int error)
{
    if (error == ENOENT && strcmp(cfg->file, CONFIG_FILE_HERE) == 0 &&
        access(CONFIG_FILE_INSTALLED, F_OK) < 0 && errno == ENOENT)
        config_fault(cfg, "",
                     "neither this file nor " CONFIG_FILE_INSTALLED
                     " exists: `ctibus setup` makes one");
    else
        config_fault(cfg, "", "cannot read it: %s%s", strerror(error),
                     error == ENOENT   ? ": `ctibus setup` makes one"
                     : error == EACCES ? ": run this as root or as the user of the services"
                                       : "");
}

void config_read_file(struct config *cfg)
{
    struct buf b;
    int rc;

    buf_init(&b, FILE_MAX_BYTES);
    rc = read_all(cfg->file, &b);
    if (rc < 0)
        cannot_read(cfg, -rc);
    else
        config_read_text(cfg, buf_view(&b));
    buf_free(&b);
}

/* The value of an override: its row says what the text means; without one, what stands there now.
 */
static struct json_object *value_of(const struct config_key *key, struct json_object *now,
                                    struct view text)
{
    struct json_object *value = NULL;
    struct json_parser p;
    bool plain = key && config_type_is_text(key->type);
    bool parsed = false;

    if (!key && json_object_is_type(now, json_type_string))
        plain = true;
    if (key && key->type == KEY_ADDRESS && view_eq(text, VIEW("null")))
        plain = false;
    if (!plain && json_parser_init(&p) == 0) {
        parsed = json_parse(&p, text, &value) == 0;
        json_parser_fini(&p);
    }
    if (key && key->type == KEY_BOOL && json_object_is_type(value, json_type_int)) {
        bool on = json_object_get_int(value) != 0;
        json_object_put(value);
        return json_object_new_boolean(on);
    }
    return parsed ? value : json_object_new_string_len(text.len ? text.ptr : "", (int)text.len);
}

/* Is this what a variable calls `key`? Shells know no names with '-' or '.': '_' stands for them.
 */
static bool is_variable_of(const char *key, struct view part)
{
    if (strlen(key) != part.len)
        return false;
    for (size_t i = 0; i < part.len; i++)
        if (!view_ieq(view_of(key + i, 1), view_of(part.ptr + i, 1)) &&
            (part.ptr[i] != '_' || !strchr("-.", key[i])))
            return false;
    return true;
}

/* The name by which `obj` has this part, as a variable may write it if `loose`. */
static bool find_name(struct json_object *obj, struct view part, bool loose, char *out)
{
    if (!json_object_is_type(obj, json_type_object))
        return false;
    if (json_object_object_get_ex(obj, out, NULL))
        return true;
    json_object_object_foreach(obj, key, value)
    {
        (void)value;
        if (strlen(key) < PART_BYTES &&
            (loose ? is_variable_of(key, part) : view_ieq(view_cstr(key), part))) {
            snprintf(out, PART_BYTES, "%s", key);
            return true;
        }
    }
    return false;
}

/* The name by which `obj` has this part, or its spelling in the table, or the part itself; of a
 * variable in lower case. */
static bool spell(struct json_object *obj, const char *parent, struct view part, bool variable,
                  char *out)
{
    char spelled[PART_BYTES];

    if (part.len == 0 || part.len >= PART_BYTES)
        return false;
    snprintf(out, PART_BYTES, "%.*s", VIEW_ARG(part));
    if (find_name(obj, part, false, out) || (variable && find_name(obj, part, true, out)))
        return true;
    if (config_key_spelling(parent, part, spelled, sizeof(spelled)))
        snprintf(out, PART_BYTES, "%s", spelled);
    else if (variable)
        for (char *p = out; *p; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p |= 0x20;
    return true;
}

/* Cuts the next part off a path: at "." or at "__". */
static struct view next_part(struct view *rest, struct view sep)
{
    ptrdiff_t at = view_find(*rest, sep);
    struct view part = *rest;

    if (at < 0) {
        *rest = view_of(NULL, 0);
        return part;
    }
    part.len = (size_t)at;
    *rest = view_of(rest->ptr + at + sep.len, rest->len - (size_t)at - sep.len);
    return part;
}

static void note_origin(struct config *cfg, const char *path, const char *name)
{
    struct config_origin *o = calloc(1, sizeof(*o));

    if (o) {
        o->path = strdup(path);
        o->name = strdup(name);
        o->next = cfg->origins;
        cfg->origins = o;
    }
    if (!o || !o->path || !o->name)
        cfg->out_of_memory = true;
}

/* Puts one value into the tree, making the objects above it. */
static void put(struct config *cfg, struct view key, struct view sep, struct view text,
                const char *origin)
{
    struct json_object *obj = cfg->root;
    struct view rest = key;
    char path[PATH_BYTES] = "";
    char name[PART_BYTES];
    struct json_object *now;

    for (;;) {
        struct view part = next_part(&rest, sep);
        size_t len = strlen(path);
        if (!spell(obj, path, part, sep.len == 2, name) || len + strlen(name) + 2 > PATH_BYTES) {
            note_origin(cfg, path, origin);
            config_fault(cfg, path, "no key can be named so");
            return;
        }
        snprintf(path + len, PATH_BYTES - len, "%s%s", len ? "." : "", name);
        now = NULL;
        json_object_object_get_ex(obj, name, &now);
        if (rest.len == 0)
            break;
        if (!now) {
            now = json_object_new_object();
            json_object_object_add(obj, name, now);
        }
        if (!json_object_is_type(now, json_type_object)) {
            note_origin(cfg, path, origin);
            config_fault(cfg, path, "is no object, so nothing in it can be set");
            return;
        }
        obj = now;
    }
    note_origin(cfg, path, origin);
    json_object_object_add(obj, name, value_of(config_key_find(path), now, text));
}

/* A secret from a file, without the line's end. */
static void put_from_file(struct config *cfg, struct view key, struct view file, const char *origin)
{
    char *path = view_dup(file);
    struct view text;
    struct buf b;
    int rc;

    buf_init(&b, 65536 * 2);
    rc = path ? read_all(path, &b) : -ENOMEM;
    text = buf_view(&b);
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    if (rc == 0) {
        put(cfg, key, VIEW("__"), text, origin);
    } else {
        note_origin(cfg, "", origin);
        config_fault(cfg, "", "cannot read %s: %s", path ? path : "it", strerror(-rc));
    }
    buf_free(&b);
    free(path);
}

/* CTIBUS__A__B names ctibus.a.b, CTIBUS_A__B names a.b; other variables are not for us. */
static bool variable_key(struct view name, struct view *key)
{
    char spelled[PART_BYTES];

    if (!view_starts(name, VIEW("CTIBUS_")))
        return false;
    if (view_starts(name, VIEW("CTIBUS__"))) {
        *key = name;
        return name.len > 8;
    }
    *key = view_of(name.ptr + 7, name.len - 7);
    if (view_find(*key, VIEW("__")) > 0)
        return true;
    return config_key_spelling("", *key, spelled, sizeof(spelled)) && config_key_find(spelled);
}

/* Those that name a file with the value are applied after all others: a unit or a container that
 * sets a value does not hide the secret that its administrator adds. */
static void apply_variable(struct config *cfg, const char *assignment, bool files)
{
    struct view text = view_cstr(assignment);
    struct view name = view_cut(&text, '=');
    char origin[PATH_BYTES];
    struct view key;

    bool file = name.len > 5 && memcmp(name.ptr + name.len - 5, "_FILE", 5) == 0;

    if (file != files || !variable_key(name, &key))
        return;
    snprintf(origin, sizeof(origin), "environment %.*s", VIEW_ARG(name));
    if (file)
        put_from_file(cfg, view_of(key.ptr, key.len - 5), text, origin);
    else
        put(cfg, key, VIEW("__"), text, origin);
}

static void apply_set(struct config *cfg, const char *assignment)
{
    struct view text = view_cstr(assignment);
    struct view key = view_cut(&text, '=');

    if (strchr(assignment, '=')) {
        put(cfg, key, VIEW("."), text, "--set");
        return;
    }
    note_origin(cfg, assignment, "--set");
    config_fault(cfg, assignment, "must be KEY=VALUE");
}

void config_apply(struct config *cfg, const struct config_overrides *overrides)
{
    if (!overrides)
        return;
    for (int files = 0; files < 2; files++)
        for (size_t i = 0; overrides->env && overrides->env[i]; i++)
            apply_variable(cfg, overrides->env[i], files);
    for (size_t i = 0; overrides->sets && overrides->sets[i]; i++)
        apply_set(cfg, overrides->sets[i]);
}

/* The object that a path of the table is in, and its name there; NULL: it is not there. */
static struct json_object *parent_of(const struct config *cfg, const char *path, const char **name)
{
    char parent[PATH_BYTES];

    *name = strrchr(path, '.') + 1;
    snprintf(parent, sizeof(parent), "%.*s", (int)(*name - 1 - path), path);
    return config_get(cfg, parent);
}

/* Which of two paths was overridden last; NULL: neither was. */
static const char *overridden_last(const struct config *cfg, const char *a, const char *b)
{
    for (const struct config_origin *o = cfg->origins; o; o = o->next) {
        if (strcmp(o->path, a) == 0)
            return a;
        if (strcmp(o->path, b) == 0)
            return b;
    }
    return NULL;
}

static void rename_one(struct config *cfg, const char *from, const char *to)
{
    struct json_object *value = config_get(cfg, from);
    const char *last = overridden_last(cfg, from, to);
    struct json_object *obj;
    const char *name, *new_name;

    if (!value)
        return;
    obj = parent_of(cfg, from, &name);
    parent_of(cfg, to, &new_name);
    config_note(cfg, from, "is called %s now", to);
    if (!config_get(cfg, to) || last == from)
        json_object_object_add(obj, new_name, json_object_get(value));
    else if (!last)
        config_fault(cfg, from, "is the former name of %s, which is there, too: leave it out", to);
    json_object_object_del(obj, name);
}

void config_rename(struct config *cfg)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].flags & KEY_RENAMED)
            rename_one(cfg, config_keys[i].path, config_keys[i].choices);
}
