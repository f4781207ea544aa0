#include "convert.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_MS 120000
#define CPU_S 60
#define MEMORY ((rlim_t)1 << 30)
#define OUTPUT ((rlim_t)200 << 20)

struct conversion {
    pid_t pid;
    int fd; /* becomes readable when the process ends */
    struct loop_fd *watch;
    struct loop_timer *timer;
    char out[512];
    convert_fn *done;
    void *arg;
};

static void conversion_free(struct conversion *c)
{
    loop_fd_destroy(&c->watch);
    loop_timer_destroy(&c->timer);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

static bool is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size > 0;
}

static void on_end(void *arg)
{
    struct conversion *c = arg;
    siginfo_t info = {0};
    bool good;

    if (waitid(P_PIDFD, (id_t)c->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
        return;
    good = info.si_code == CLD_EXITED && info.si_status == 0 && is_there(c->out);
    c->done(c->arg, good);
    conversion_free(c);
}

static void on_time(void *arg)
{
    kill(((struct conversion *)arg)->pid, SIGKILL); /* on_end follows */
}

static void limit(pid_t pid, int what, rlim_t most)
{
    struct rlimit r = {most, most};

    prlimit(pid, (enum __rlimit_resource)what, &r, NULL);
}

/* The file is a stranger's: no access to other files (-dSAFER), no device but the one that is
 * written to, nothing of our descriptors or our environment. */
static int spawn(struct conversion *c, const char *ghostscript, const char *in, const char *out)
{
    char output[600];
    const char *const argv[] = {ghostscript,
                                "-q",
                                "-dNOPAUSE",
                                "-dBATCH",
                                "-dSAFER",
                                "-sDEVICE=tiffg3",
                                "-sPAPERSIZE=a4",
                                "-dFIXEDMEDIA",
                                "-dPDFFitPage",
                                "-r204x196",
                                output,
                                in,
                                NULL};
    /* ours may hold passwords */
    static char *const environment[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int rc;

    snprintf(output, sizeof(output), "-sOutputFile=%s", out);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    rc = posix_spawnp(&c->pid, ghostscript, &files, &attr, (char *const *)argv, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    if (rc != 0)
        return -rc;
    limit(c->pid, RLIMIT_CPU, CPU_S);
    limit(c->pid, RLIMIT_AS, MEMORY);
    limit(c->pid, RLIMIT_FSIZE, OUTPUT);
    setpriority(PRIO_PROCESS, (id_t)c->pid, 10);
    return 0;
}

struct conversion *convert_start(struct loop *loop, const char *ghostscript, const char *in,
                                 const char *out, convert_fn *done, void *arg, int *err)
{
    struct conversion *c = calloc(1, sizeof(*c));

    *err = -ENOMEM;
    if (!c)
        return NULL;
    c->fd = -1;
    c->done = done;
    c->arg = arg;
    snprintf(c->out, sizeof(c->out), "%s", out);
    c->timer = loop_timer_new(loop, on_time, c);
    if (c->timer)
        *err = spawn(c, ghostscript, in, out);
    if (*err < 0) {
        conversion_free(c);
        return NULL;
    }
    c->fd = pidfd_open(c->pid, 0);
    c->watch = c->fd >= 0 ? loop_fd_new(loop, c->fd, on_end, c) : NULL;
    if (!c->watch) {
        *err = -errno;
        convert_cancel(&c);
        return NULL;
    }
    loop_timer_start(c->timer, TIME_MS, false);
    return c;
}

void convert_cancel(struct conversion **cp)
{
    struct conversion *c = *cp;

    if (!c)
        return;
    *cp = NULL;
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    conversion_free(c);
}
