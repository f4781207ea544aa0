#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "context.h"
#include "tool.h"

extern char **environ;

static const struct command *const commands[] = {
    &command_phones, &command_calls,    &command_queues,   &command_agents,   &command_users,
    &command_tail,   &command_top,      &command_snapshot, &command_sessions, &command_peers,
    &command_kick,   &command_action,   &command_call,     &command_record,   &command_replay,
    &command_token,  &command_webhooks, &command_tokens,   &command_check,    &command_reload,
    &command_schema, &command_keygen,   &command_explain,  &command_setup,    &command_discover,
    &command_passwd, &command_keys,     &command_doctor,   &command_migrate,  &command_context,
    &command_ha,
};
#define N_COMMANDS ARRAY_SIZE(commands)
#define USAGE "Usage: ctibus [--config FILE | --context NAME] [--json] COMMAND [ARGUMENT...]\n"

static void print_indented(FILE *to, const char *lines, int columns)
{
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        fprintf(to, "%*s%.*s\n", columns, "", (int)n, lines);
        lines += n + (lines[n] == '\n');
    }
}

/* All commands in short, or one with its examples. */
static void print_help(FILE *to, const struct command *only)
{
    fputs(USAGE "\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        const struct command *c = commands[i];
        if (only && c != only)
            continue;
        fprintf(to, "  %s%s%s\n", c->name, *c->args ? " " : "", c->args);
        print_indented(to, c->help, 6);
        if (only) {
            fputs("\n      Examples:\n", to);
            print_indented(to, c->examples, 8);
        }
    }
    fputs("\n  --config FILE    default: " CONFIG_DEFAULT_DOC "\n"
          "  --json           for programs: a line of JSON for each thing\n"
          "  --version, --help; ctibus help COMMAND: with examples\n",
          to);
}

static void print_error(void *arg, const struct config_error *e)
{
    tool_say(stderr, "%s: %s%s%s", e->file, e->key, *e->key ? ": " : "", e->reason);
}

static struct config *load(const char *path)
{
    struct config_overrides overrides = {.env = environ};
    struct config_errors errors = {0};
    struct config *cfg = config_load(path, &overrides, &errors);

    config_each_error(&errors, print_error, NULL);
    config_errors_free(&errors);
    return cfg;
}

struct config *tool_config(struct tool *t)
{
    struct config *cfg = load(t->config);

    t->exit_code = cfg ? t->exit_code : 2;
    return cfg;
}

bool tool_bus_open(struct tool *t)
{
    char instance[64];

    snprintf(instance, sizeof(instance), "tool-%d", (int)getpid());
    t->log = log_new(STDERR_FILENO, "ctibus", LOG_WARNING, false);
    t->loop = loop_new();
    t->metrics = metrics_new();
    return t->log && t->loop && t->metrics &&
           bus_setup_open(&t->bus_setup, t->loop, t->cfg, instance, instance, t->metrics, t->log) ==
               0;
}

void tool_bus_close(struct tool *t)
{
    bus_setup_close(&t->bus_setup);
    metrics_destroy(&t->metrics);
    loop_destroy(&t->loop);
    log_destroy(&t->log);
}

static int run_on_bus(struct tool *t, const struct command *c, int argc, char **argv)
{
    t->cfg = load(t->config);
    if (!t->cfg)
        return 2;
    config_apply_timezone(t->cfg);
    if (tool_bus_open(t))
        c->run(t, argc, argv);
    else
        t->exit_code = 1;
    tool_bus_close(t);
    config_destroy(&t->cfg);
    return t->exit_code;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* Those of the tool may also stand behind the command; the others close up. False: --config without
 * a file, or --context without a name, which is told. */
static bool take_own(struct tool *t, int *argc, char **argv, bool *help)
{
    char **rest = argv;
    int left = *argc;

    *argc = 0;
    while (left > 0) {
        if (strcmp(rest[0], "--help") == 0) {
            *help = true;
        } else if (tool_option(&left, &rest, "config", &t->config) ||
                   tool_option(&left, &rest, "context", &t->context)) {
            continue;
        } else if (tool_option(&left, &rest, "json", NULL)) {
            t->json = true;
            continue;
        } else if (strcmp(rest[0], "--config") == 0 || strcmp(rest[0], "--context") == 0) {
            tool_fail(t, "%s needs a %s", rest[0],
                      strcmp(rest[0], "--config") == 0 ? "file" : "name");
            return false;
        } else {
            argv[(*argc)++] = rest[0];
        }
        left--;
        rest++;
    }
    return true;
}

/* What is wrong would not be seen above the whole help. */
static int misused(void)
{
    fputs(USAGE "`ctibus --help` shows the commands\n", stderr);
    return 2;
}

/* The command whose name is most like this, if it may be meant; or NULL. */
static const struct command *similar(const char *name)
{
    const struct command *best = NULL;
    unsigned least = 3;

    for (size_t i = 0; i < N_COMMANDS; i++) {
        unsigned n = view_distance(view_cstr(commands[i]->name), view_cstr(name));
        if (n < least) {
            least = n;
            best = commands[i];
        }
    }
    return best;
}

static int unknown(struct tool *t, const char *name)
{
    const struct command *meant = similar(name);

    if (meant)
        tool_fail(t, "there is no command \"%s\"; did you mean %s? `ctibus --help` shows them all",
                  name, meant->name);
    else
        tool_fail(t, "there is no command \"%s\": `ctibus --help` shows them", name);
    return 2;
}

/* ctibus help [COMMAND] */
static int help_on(struct tool *t, int argc, char **argv)
{
    const struct command *c = argc > 0 ? find(argv[0]) : NULL;

    if (argc > 0 && !c)
        return unknown(t, argv[0]);
    print_help(stdout, c);
    return 0;
}

/* --config, --context, $CTIBUS_CONFIG, the context that is used, the usual files. False: told. */
static bool choose_config(struct tool *t)
{
    const char *env = getenv("CTIBUS_CONFIG");

    if (t->config)
        return true;
    if (t->context || !env || !*env)
        t->config = t->of_context = context_file(t, t->context);
    if (!t->config && t->exit_code == 0)
        t->config = config_default_file();
    return t->config != NULL;
}

static int run(struct tool *t, int argc, char **argv)
{
    const struct command *c = argc > 0 ? find(argv[0]) : NULL;
    bool help = false;

    if (argc == 0) {
        print_help(stderr, NULL);
        return 2;
    }
    if (!c && strcmp(argv[0], "help") == 0)
        return help_on(t, argc - 1, argv + 1);
    if (!c)
        return unknown(t, argv[0]);
    argc--;
    argv++;
    if (!take_own(t, &argc, argv, &help))
        return misused();
    if (help || (argc > 0 && strcmp(argv[0], "-h") == 0)) {
        print_help(stdout, c);
        return 0;
    }
    if (!choose_config(t))
        return 2;
    t->argc = argc;
    t->argv = argv;
    signal(SIGPIPE, SIG_IGN);
    return c->alone ? c->run(t, argc, argv) : run_on_bus(t, c, argc, argv);
}

static bool is_colourful(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return (!no || !*no) && term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}

static int work(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"context", required_argument, NULL, 'x'},
        {"json", no_argument, NULL, 'j'},         {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    struct tool t = {.colours = is_colourful()};
    int code;
    int c;

    while ((c = getopt_long(argc, argv, "+c:x:jVh", options, NULL)) != -1) {
        if (c == 'c') {
            t.config = optarg;
        } else if (c == 'x') {
            t.context = optarg;
        } else if (c == 'j') {
            t.json = true;
        } else if (c == 'V') {
            puts("ctibus " CTIBUS_VERSION);
            return 0;
        } else {
            if (c != 'h')
                return misused();
            print_help(stdout, NULL);
            return 0;
        }
    }
    code = run(&t, argc - optind, argv + optind);
    free(t.of_context);
    return code;
}

int main(int argc, char **argv)
{
    /* what of libevent's is worth knowing, such as a failure of DNS, the commands tell */
    struct log *messages = log_new(STDERR_FILENO, "ctibus", LOG_ERROR, false);
    int code;

    loop_messages_to(messages);
    code = work(argc, argv);
    loop_messages_to(NULL);
    log_destroy(&messages);
    return log_end_stdout(code);
}
