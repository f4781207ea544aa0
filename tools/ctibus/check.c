/* ctibus check: what is wrong with the configuration, as each service sees it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "svc/svc.h"
#include "tool.h"
#include "json/json.h"

/* The services stand where this program stands. */
static bool service_path(const char *name, char *out, size_t size)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    if (n <= 0)
        return false;
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return snprintf(out, size, "%s/ctibus-%s", self, name) < (int)size && access(out, X_OK) == 0;
}

#define CHECK_MS 30000

/* Until its end, or that of its time. */
static int collect(pid_t pid, int from, struct buf *out)
{
    uint64_t end = clock_mono_us() + CHECK_MS * UINT64_C(1000);
    struct pollfd p = {.fd = from, .events = POLLIN};
    char part[4096];
    ssize_t n = 1;
    int status;

    while (n > 0 && clock_mono_us() < end) {
        if (poll(&p, 1, 100) <= 0)
            continue;
        n = read(from, part, sizeof(part));
        if (n > 0)
            buf_append(out, part, (size_t)n);
    }
    if (n > 0)
        kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    return n > 0 ? -ETIMEDOUT : WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Our own come first: they were given for this run. */
static void set_variables(struct json_object *env)
{
    if (!env)
        return;
    json_object_object_foreach(env, name, variable)
    {
        setenv(name, json_object_get_string(json_get(variable, "value")), 0);
    }
}

int tool_check(const char *service, const char *config, struct json_object *env, struct buf *out)
{
    char path[4200];
    int ends[2];
    pid_t pid;
    int rc;

    if (!service_path(service, path, sizeof(path)))
        return -ENOENT;
    if (pipe(ends) < 0)
        return -errno;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        set_variables(env);
        execl(path, path, "--config", config, "--check", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    rc = pid < 0 ? -errno : collect(pid, ends[0], out);
    close(ends[0]);
    return rc;
}

/* The lines that no service before has printed: a fault of what all of them read is one. */
static void print_new(struct view said, struct json_object *before)
{
    while (said.len) {
        char *line = view_dup(view_cut(&said, '\n'));
        if (line && *line && strcmp(line, "configuration ok") != 0 &&
            !json_object_object_get_ex(before, line, NULL)) {
            json_object_object_add(before, line, NULL);
            fprintf(stderr, "%s\n", line);
        }
        free(line);
    }
}

static const char *verdict(int code)
{
    return code == SVC_EXIT_STOPPED     ? "ok"
           : code == SVC_EXIT_BAD_FILES ? "runs, but not as the lists are meant"
           : code < 0                   ? strerror(-code)
                                        : "cannot run with this configuration";
}

static int run(struct tool *t, int argc, char **argv)
{
    static const char *const services[] = TOOL_SERVICES;
    int codes[ARRAY_SIZE(services)];
    struct json_object *before = json_object_new_object();
    int worst = SVC_EXIT_STOPPED;
    int found = 0;
    struct buf said;

    (void)argv;
    if (argc > 0 || !before) {
        json_object_put(before);
        return argc > 0 ? tool_usage(t, &command_check) : (t->exit_code = SVC_EXIT_FAILED);
    }
    buf_init(&said, 1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        buf_reset(&said);
        codes[i] = tool_check(services[i], t->config, NULL, &said);
        print_new(buf_view(&said), before);
        found += codes[i] != -ENOENT;
        if (codes[i] == SVC_EXIT_BAD_FILES ? worst == SVC_EXIT_STOPPED
                                           : worst != SVC_EXIT_BAD_CONFIG && codes[i] != -ENOENT)
            worst = codes[i] < 0                   ? SVC_EXIT_FAILED
                    : codes[i] == SVC_EXIT_STOPPED ? worst
                                                   : codes[i];
    }
    buf_free(&said);
    json_object_put(before);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        if (codes[i] != -ENOENT)
            printf("%-10s %s\n", services[i], verdict(codes[i]));
    if (found == 0)
        tool_fail(t, "there are no services beside this program");
    return t->exit_code = found ? worst : SVC_EXIT_FAILED;
}

const struct command command_check = {
    .name = "check",
    .args = "",
    .help = "Runs --check of each service: configuration, certificates, keys, files. The\n"
            "exit code is 2 when one of them could not start, 3 when they start, but a\n"
            "list that the configuration names has faults.",
    .examples = "$ ctibus check\n"
                "state      ok\n"
                "ami-gw     ok\n"
                "fagi-gw    ok\n"
                "cti-gw     ok\n"
                "http-gw    ok\n"
                "federation ok",
    .run = run,
    .alone = true,
};
