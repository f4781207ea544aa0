/* ctibus check: what is wrong with the configuration, as each service sees it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "tool.h"

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

/* The exit code of `PATH --config CONFIG --check`; what it says goes where our own words go. */
static int run_check(const char *path, const char *config)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        execl(path, path, "--config", config, "--check", (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int run(struct tool *t, int argc, char **argv)
{
    static const char *const services[] = {"state", "ami-gw", "fagi-gw", "cti-gw", "federation"};
    char path[4200];
    int worst = 0;
    int found = 0;

    if (argc > 0)
        return tool_usage(t, &command_check);
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        int code;
        if (!service_path(services[i], path, sizeof(path)))
            continue;
        found++;
        code = run_check(path, t->config);
        printf("%-10s %s\n", services[i], code == 0 ? "ok" : "cannot run with this configuration");
        if (code > worst)
            worst = code;
    }
    if (found == 0)
        tool_fail(t, "there are no services beside this program");
    return t->exit_code = found ? worst : 1;
}

const struct command command_check = {
    .name = "check",
    .args = "",
    .help = "Runs --check of each service: configuration, certificates, keys, files. The\n"
            "exit code is 2 when one of them could not start.",
    .run = run,
    .alone = true,
};
