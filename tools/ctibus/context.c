/* ctibus context: names for the configurations of several sites. */
#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"
#include "json/json.h"

#define MAX_BYTES 65536
#define MAX_NAME 64

/* {"current": NAME, "contexts": {NAME: FILE}} */
struct contexts {
    struct tool *t;
    char path[PATH_MAX];
    struct json_object *all;
};

/* ---- the file ---- */

/* False: there is no home, or its name is too long. */
static bool find_path(struct contexts *c)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int n;

    if (base && *base == '/')
        n = snprintf(c->path, sizeof(c->path), "%s/ctibus/contexts.json", base);
    else if (home && *home == '/')
        n = snprintf(c->path, sizeof(c->path), "%s/.config/ctibus/contexts.json", home);
    else
        return false;
    return n < (int)sizeof(c->path);
}

/* False: it cannot be read (told). One that is not there has no contexts. */
static bool read_file(struct contexts *c)
{
    struct json_object *read = NULL;
    struct json_parser parser;
    struct buf text;
    int rc;

    buf_init(&text, MAX_BYTES);
    rc = buf_read_file(&text, c->path);
    if (rc == 0)
        rc = json_parser_init(&parser);
    if (rc == 0) {
        rc = json_parse(&parser, buf_view(&text), &read);
        json_parser_fini(&parser);
    }
    buf_free(&text);
    if (rc == 0 && json_object_is_type(json_get(read, "contexts"), json_type_object)) {
        c->all = read;
        return true;
    }
    json_object_put(read);
    if (rc != -ENOENT && rc != -ENOTDIR) {
        tool_fail(c->t, "%s: %s: mend it or remove it", c->path,
                  rc < 0 && rc != -EINVAL ? strerror(-rc) : "it has no contexts");
        return false;
    }
    c->all = json_object_new_object();
    return c->all && json_object_object_add(c->all, "contexts", json_object_new_object()) == 0;
}

static bool contexts_open(struct contexts *c, struct tool *t)
{
    *c = (struct contexts){.t = t};
    if (!find_path(c)) {
        tool_fail(t, "there is no home folder to keep contexts in: set HOME or XDG_CONFIG_HOME");
        return false;
    }
    return read_file(c);
}

/* The folders above the file, for the user alone. */
static void make_folders(const struct contexts *c)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", c->path);
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        (void)mkdir(path, 0700); /* what is wrong with it shows when the file is made */
        *p = '/';
    }
}

/* Whole or not at all. */
static bool contexts_write(const struct contexts *c)
{
    const char *text = json_object_to_json_string_ext(c->all, JSON_C_TO_STRING_PRETTY);
    char made[PATH_MAX + 8];
    bool good;
    int fd;

    make_folders(c);
    snprintf(made, sizeof(made), "%s.XXXXXX", c->path);
    fd = mkostemp(made, O_CLOEXEC);
    good = fd >= 0 && dprintf(fd, "%s\n", text) > 0 && fsync(fd) == 0;
    if (fd >= 0)
        good = close(fd) == 0 && good && rename(made, c->path) == 0;
    if (good)
        return true;
    tool_fail(c->t, "%s: %s", c->path, strerror(errno));
    if (fd >= 0)
        unlink(made);
    return false;
}

static struct json_object *list_of(const struct contexts *c)
{
    return json_get(c->all, "contexts");
}

static const char *current_of(const struct contexts *c)
{
    return json_get_view(c->all, "current").ptr;
}

/* Its file, or NULL, which is told. */
static const char *file_of(const struct contexts *c, const char *name)
{
    const char *file = json_get_view(list_of(c), name).ptr;

    if (!file)
        tool_fail(c->t, "there is no context %s: `ctibus context` lists them", name);
    return file;
}

char *context_file(struct tool *t, const char *name)
{
    struct contexts c = {.t = t};
    const char *used = name;
    char *file = NULL;

    if (!name && (!find_path(&c) || access(c.path, F_OK) < 0))
        return NULL; /* who has no contexts is not to hear of them */
    if (!contexts_open(&c, t))
        return NULL;
    if (!used)
        used = current_of(&c);
    if (used && file_of(&c, used))
        file = strdup(file_of(&c, used));
    json_object_put(c.all);
    return file;
}

/* ---- the command ---- */

static void list(const struct contexts *c)
{
    const char *current = current_of(c);

    if (c->t->json) {
        puts(json_object_to_json_string_ext(c->all, JSON_C_TO_STRING_PLAIN));
        return;
    }
    json_object_object_foreach(list_of(c), name, file)
    {
        tool_say(stdout, "%c %-20s %s", current && strcmp(current, name) == 0 ? '*' : ' ', name,
                 json_object_get_string(file));
    }
}

static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    return n > 0 && n <= MAX_NAME && name[n] == '\0' && *name != '-';
}

static void add(const struct contexts *c, const char *name, const char *file)
{
    char path[PATH_MAX];

    if (!is_name(name))
        tool_fail(c->t, "%s: a name has letters, digits, '.', '_' and '-', %d at most", name,
                  MAX_NAME);
    else if (!realpath(file, path))
        tool_fail(c->t, "%s: %s", file, strerror(errno));
    else if (json_object_object_add(list_of(c), name, json_object_new_string(path)) < 0)
        tool_fail(c->t, "out of memory");
    else
        contexts_write(c);
}

static void use(const struct contexts *c, const char *name)
{
    if (name && !file_of(c, name))
        return;
    json_object_object_del(c->all, "current");
    if (name)
        json_object_object_add(c->all, "current", json_object_new_string(name));
    contexts_write(c);
}

static void drop(const struct contexts *c, const char *name)
{
    const char *current = current_of(c);

    if (!file_of(c, name))
        return;
    if (current && strcmp(current, name) == 0)
        json_object_object_del(c->all, "current");
    json_object_object_del(list_of(c), name);
    contexts_write(c);
}

static int run(struct tool *t, int argc, char **argv)
{
    const char *what = argc > 0 ? argv[0] : "list";
    struct contexts c;
    bool lists = argc <= 1 && strcmp(what, "list") == 0;
    bool adds = argc == 3 && strcmp(what, "add") == 0;
    bool uses = argc <= 2 && strcmp(what, "use") == 0;
    bool removes = argc == 2 && strcmp(what, "remove") == 0;

    if (!lists && !adds && !uses && !removes)
        return tool_usage(t, &command_context);
    if (!contexts_open(&c, t))
        return t->exit_code;
    if (lists)
        list(&c);
    else if (adds)
        add(&c, argv[1], argv[2]);
    else if (uses)
        use(&c, argc > 1 ? argv[1] : NULL);
    else
        drop(&c, argv[1]);
    json_object_put(c.all);
    return t->exit_code;
}

const struct command command_context = {
    .name = "context",
    .args = "[list | add NAME FILE | use [NAME] | remove NAME]",
    .help = "Gives the configurations of several sites names. `use`: its configuration is\n"
            "that of all commands from now on, unless --config, --context NAME or\n"
            "$CTIBUS_CONFIG says otherwise; without NAME none is used. Without arguments:\n"
            "lists them, with a star before the one that is used.",
    .examples = "$ ctibus context add paris /etc/ctibus/paris.json\n"
                "$ ctibus context use paris\n"
                "$ ctibus context\n"
                "* paris                /etc/ctibus/paris.json\n"
                "$ ctibus context remove paris",
    .run = run,
    .alone = true,
};
