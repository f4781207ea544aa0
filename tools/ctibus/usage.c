/* Options of commands, and what is wrong where one is not used as its usage says. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

/* ---- taking options ---- */

static void drop(int *argc, char ***argv, int n)
{
    *argc -= n;
    *argv += n;
}

static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] != '\0';
}

bool tool_option(int *argc, char ***argv, const char *name, const char **value)
{
    const char *arg = *argc > 0 ? (*argv)[0] : "";
    size_t len = strlen(name);

    if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, name, len) != 0)
        return false;
    if (value && arg[2 + len] == '=') {
        *value = arg + 3 + len;
        drop(argc, argv, 1);
        return true;
    }
    if (arg[2 + len] != '\0' || (value && (*argc < 2 || strncmp((*argv)[1], "--", 2) == 0)))
        return false;
    if (value)
        *value = (*argv)[1];
    drop(argc, argv, value ? 2 : 1);
    return true;
}

/* ---- what a command takes, by its usage ---- */

/* Is the option in this text, and has it a value there? In sentences a value is of capitals. */
static bool has_option(const char *text, bool sentences, struct view option, bool *value)
{
    for (const char *p = strstr(text, "--"); p; p = strstr(p + 2, "--")) {
        const char *end = p + option.len;
        if (strncmp(p, option.ptr, option.len) != 0 || isalnum((unsigned char)*end) || *end == '-')
            continue;
        *value = sentences ? (*end == ' ' || *end == '\n') && isupper((unsigned char)end[1]) &&
                                 !islower((unsigned char)end[2])
                           : *end == ' ' && isalpha((unsigned char)end[1]);
        return true;
    }
    return false;
}

struct words {
    size_t least, most;
    struct view names[8]; /* of the first `least` */
};

static void count_word(struct words *w, struct view token, unsigned depth)
{
    if (view_find(token, VIEW("...")) >= 0)
        w->most = SIZE_MAX;
    else if (w->most < SIZE_MAX)
        w->most++;
    if (depth == 0 && w->least < sizeof(w->names) / sizeof(w->names[0]))
        w->names[w->least++] = token;
}

/* The arguments beside the options, of the first form where there are several. */
static struct words words_of(const char *args)
{
    struct view rest = view_cstr(args);
    struct words w = {0};
    unsigned depth = 0;
    bool value = false;

    while (rest.len) {
        struct view token = view_cut(&rest, ' ');
        struct view bare = token;
        if (view_eq(token, VIEW("|")))
            break;
        for (size_t i = 0; i < token.len; i++)
            depth += token.ptr[i] == '[';
        while (bare.len && bare.ptr[0] == '[')
            bare = view_of(bare.ptr + 1, bare.len - 1);
        if (view_starts(bare, VIEW("--")))
            value = token.ptr[token.len - 1] != ']';
        else if (value)
            value = false;
        else
            count_word(&w, bare, depth);
        for (size_t i = 0; i < token.len; i++)
            depth -= token.ptr[i] == ']';
    }
    return w;
}

/* ---- what is wrong ---- */

/* How many arguments it takes; 0: it is wrong, and told. */
static int read_option(const struct command *c, int argc, char **argv, struct buf *out)
{
    const char *equals = strchr(argv[0], '=');
    struct view name = equals ? view_of(argv[0], (size_t)(equals - argv[0])) : view_cstr(argv[0]);
    bool value = false;

    if (!has_option(c->args, false, name, &value) && !has_option(c->help, true, name, &value))
        buf_printf(out, "there is no option %.*s", VIEW_ARG(name));
    else if (equals && !value)
        buf_printf(out, "%.*s takes no value", VIEW_ARG(name));
    else if (value && !equals && (argc < 2 || strncmp(argv[1], "--", 2) == 0))
        buf_printf(out, "%.*s needs a value", VIEW_ARG(name));
    else
        return value && !equals ? 2 : 1;
    return 0;
}

void tool_put_fault(const struct command *c, int argc, char **argv, struct buf *out)
{
    struct words w = words_of(c->args);
    size_t n = 0;

    while (argc > 0) {
        int taken = 1;
        if (is_option(argv[0]))
            taken = read_option(c, argc, argv, out);
        else if (++n > w.most)
            buf_printf(out, "\"%s\" is too much", argv[0]);
        if (buf_len(out))
            return;
        drop(&argc, &argv, taken);
    }
    if (n < w.least)
        buf_printf(out, "%.*s is missing", VIEW_ARG(w.names[n]));
}

static int print_usage(struct tool *t, const struct command *c)
{
    fprintf(stderr, "Usage: ctibus %s%s%s\n", c->name, *c->args ? " " : "", c->args);
    return t->exit_code = 2;
}

int tool_usage(struct tool *t, const struct command *c)
{
    struct buf why;

    buf_init(&why, 4096);
    tool_put_fault(c, t->argc, t->argv, &why);
    if (buf_len(&why))
        tool_fail(t, "%s", buf_cstr(&why));
    buf_free(&why);
    return print_usage(t, c);
}

int tool_wrong(struct tool *t, const struct command *c, const char *fmt, ...)
{
    va_list ap;

    fputs("ctibus: ", stderr);
    va_start(ap, fmt);
    tool_say_args(stderr, fmt, ap);
    va_end(ap);
    return print_usage(t, c);
}
