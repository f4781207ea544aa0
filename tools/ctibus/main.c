#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

extern char **environ;

static const char help[] =
    "Usage: ctibus [--config FILE] COMMAND\n"
    "\n"
    "  tail [PREFIX...]       print what is published on the bus (all, or what begins so:\n"
    "                         tel, xod/xivo/status/phones, ami/xivo/Hangup ...)\n"
    "  snapshot [LIST [ID]]   print the objects of xod as they are now, a line of JSON each\n"
    "  action [--ipbx ID] NAME [HEADER=VALUE...]\n"
    "                         have Asterisk do an action of AMI, print its answer as JSON\n"
    "  schema                 print the tables of lists, fields, events and requests\n"
    "  keygen FILE            make CURVE keys: FILE (secret, mode 0600) and FILE.pub\n"
    "\n"
    "  --config FILE          default: $CTIBUS_CONFIG, else config/ctibus.json\n"
    "  --version, --help\n";

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

static int on_bus(const char *path, int (*run)(struct tool *, int, char **), int argc, char **argv)
{
    struct tool t = {0};
    char instance[64];

    t.cfg = load(path);
    if (!t.cfg)
        return 2;
    snprintf(instance, sizeof(instance), "tool-%d", (int)getpid());
    t.log = log_new(STDERR_FILENO, "ctibus", LOG_WARNING, false);
    t.loop = loop_new();
    t.metrics = metrics_new();
    t.exit_code = 1;
    if (t.log && t.loop && t.metrics &&
        onbus_open(&t.onbus, t.loop, t.cfg, instance, instance, t.metrics, t.log) == 0) {
        t.exit_code = 0;
        run(&t, argc, argv);
        onbus_close(&t.onbus);
    }
    metrics_destroy(&t.metrics);
    loop_destroy(&t.loop);
    log_destroy(&t.log);
    config_destroy(&t.cfg);
    return t.exit_code;
}

int command_schema(void)
{
    struct buf out;
    int rc;

    buf_init(&out, 0);
    rc = schema_markdown(&out);
    if (rc == 0)
        fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    buf_free(&out);
    return rc < 0 ? 1 : 0;
}

int command_keygen(int argc, char **argv)
{
    int rc;

    if (argc != 1 || argv[0][0] == '-') {
        fputs("ctibus: keygen takes the name of one file to write\n", stderr);
        return 2;
    }
    rc = bus_keys_make(argv[0]);
    if (rc < 0)
        fprintf(stderr, "ctibus: %s: %s\n", argv[0], strerror(-rc));
    else
        printf("%s: keep it secret; %s.pub: give it to the others\n", argv[0], argv[0]);
    return rc < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *path = getenv("CTIBUS_CONFIG");
    const char *command;
    int c;

    while ((c = getopt_long(argc, argv, "+c:Vh", options, NULL)) != -1) {
        if (c == 'c') {
            path = optarg;
        } else if (c == 'V') {
            puts("ctibus " CTIBUS_VERSION);
            return 0;
        } else {
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    command = optind < argc ? argv[optind++] : "";
    argc -= optind;
    argv += optind;
    if (!path || !*path)
        path = "config/ctibus.json";
    if (strcmp(command, "tail") == 0)
        return on_bus(path, command_tail, argc, argv);
    if (strcmp(command, "snapshot") == 0)
        return on_bus(path, command_snapshot, argc, argv);
    if (strcmp(command, "action") == 0)
        return on_bus(path, command_action, argc, argv);
    if (strcmp(command, "schema") == 0)
        return command_schema();
    if (strcmp(command, "keygen") == 0)
        return command_keygen(argc, argv);
    fputs(help, stderr);
    return 2;
}
