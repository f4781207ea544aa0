#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "tool.h"

extern char **environ;

static const struct command *const commands[] = {
    &command_tail,   &command_top,    &command_snapshot, &command_sessions,
    &command_peers,  &command_kick,   &command_action,   &command_call,
    &command_record, &command_replay, &command_tokens,   &command_check,
    &command_reload, &command_schema, &command_keygen,   &command_explain,
};
#define N_COMMANDS ARRAY_SIZE(commands)

static void print_help(FILE *to, const struct command *only)
{
    fputs("Usage: ctibus [--config FILE] [--json] COMMAND [ARGUMENT...]\n\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        const struct command *c = commands[i];
        if (only && c != only)
            continue;
        fprintf(to, "  %s%s%s\n", c->name, *c->args ? " " : "", c->args);
        for (const char *line = c->help; *line;) {
            size_t n = strcspn(line, "\n");
            fprintf(to, "      %.*s\n", (int)n, line);
            line += n + (line[n] == '\n');
        }
    }
    fputs("\n  --config FILE    default: $CTIBUS_CONFIG, else config/ctibus.json\n"
          "  --json           for programs: a line of JSON for each thing\n"
          "  --version, --help; ctibus COMMAND --help\n",
          to);
}

static void print_error(void *arg, const struct config_error *e)
{
    fprintf(stderr, "%s: %s%s%s\n", e->file, e->key, *e->key ? ": " : "", e->reason);
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

static int run_on_bus(struct tool *t, const char *path, const struct command *c, int argc,
                      char **argv)
{
    char instance[64];

    t->cfg = load(path);
    if (!t->cfg)
        return 2;
    config_apply_timezone(t->cfg);
    snprintf(instance, sizeof(instance), "tool-%d", (int)getpid());
    t->log = log_new(STDERR_FILENO, "ctibus", LOG_WARNING, false);
    t->loop = loop_new();
    t->metrics = metrics_new();
    t->exit_code = 1;
    if (t->log && t->loop && t->metrics &&
        bus_setup_open(&t->bus_setup, t->loop, t->cfg, instance, instance, t->metrics, t->log) ==
            0) {
        t->exit_code = 0;
        c->run(t, argc, argv);
        bus_setup_close(&t->bus_setup);
    }
    metrics_destroy(&t->metrics);
    loop_destroy(&t->loop);
    log_destroy(&t->log);
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

static int run(struct tool *t, const char *path, int argc, char **argv)
{
    const struct command *c = argc > 0 ? find(argv[0]) : NULL;

    if (!c) {
        if (argc > 0)
            fprintf(stderr, "ctibus: there is no command \"%s\"\n\n", argv[0]);
        print_help(stderr, NULL);
        return 2;
    }
    argc--;
    argv++;
    while (tool_option(&argc, &argv, "json", NULL))
        t->json = true;
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        print_help(stdout, c);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    return c->alone ? c->run(t, argc, argv) : run_on_bus(t, path, c, argc, argv);
}

static int work(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *path = getenv("CTIBUS_CONFIG");
    struct tool t = {0};
    int c;

    while ((c = getopt_long(argc, argv, "+c:jVh", options, NULL)) != -1) {
        if (c == 'c') {
            path = optarg;
        } else if (c == 'j') {
            t.json = true;
        } else if (c == 'V') {
            puts("ctibus " CTIBUS_VERSION);
            return 0;
        } else {
            print_help(c == 'h' ? stdout : stderr, NULL);
            return c == 'h' ? 0 : 2;
        }
    }
    t.config = path && *path ? path : "config/ctibus.json";
    return run(&t, t.config, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
    return log_end_stdout(work(argc, argv));
}
