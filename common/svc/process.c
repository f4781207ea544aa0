#include "svc/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"

/* Of a descriptor that is open all the time: there may be none when it is asked. */
double process_resident_bytes(int statm)
{
    char text[128];
    ssize_t n = pread(statm, text, sizeof(text) - 1, 0);
    long pages = 0;

    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%*d %ld", &pages) != 1)
        return 0;
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double resident_bytes(void *arg)
{
    return process_resident_bytes(*(const int *)arg);
}

static double most_descriptors(void *arg)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    return limit.rlim_cur == RLIM_INFINITY ? INFINITY : (double)limit.rlim_cur;
}

static double open_descriptors(void *arg)
{
    DIR *dir = opendir("/proc/self/fd");
    double n = -1; /* the one that looks */

    if (!dir)
        return errno == EMFILE ? most_descriptors(NULL) : 0;
    for (const struct dirent *e; (e = readdir(dir));)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static double seconds_of(struct timeval tv)
{
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static double cpu_seconds(void *arg)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) < 0)
        return 0;
    return seconds_of(u.ru_utime) + seconds_of(u.ru_stime);
}

static double without_descriptor(void *loop)
{
    return (double)loop_counts(loop)->no_descriptor;
}

static double uptime(void *arg)
{
    const struct svc *svc = arg;

    return (double)(clock_mono_us() - svc->started) / 1e6;
}

static double error_lines(void *log)
{
    return (double)log_lines_total(log, LOG_ERROR);
}

static double warning_lines(void *log)
{
    return (double)log_lines_total(log, LOG_WARNING);
}

static double notice_lines(void *log)
{
    return (double)log_lines_total(log, LOG_NOTICE);
}

static double info_lines(void *log)
{
    return (double)log_lines_total(log, LOG_INFO);
}

static double debug_lines(void *log)
{
    return (double)log_lines_total(log, LOG_DEBUG);
}

static double suppressed_lines(void *log)
{
    return (double)log_suppressed_total(log);
}

static double dropped_lines(void *log)
{
    return (double)log_dropped_total(log);
}

static bool log_metrics(struct svc *svc)
{
    static const struct {
        const char *level;
        metric_fn *fn;
    } levels[] = {{"error", error_lines},
                  {"warning", warning_lines},
                  {"notice", notice_lines},
                  {"info", info_lines},
                  {"debug", debug_lines}};
    bool ok = true;

    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        ok = ok && metrics_callback(svc->metrics, METRIC_log_lines, METRIC_VALUES(levels[i].level),
                                    levels[i].fn, svc->log);
    }
    return ok &&
           metrics_callback(svc->metrics, METRIC_log_suppressed, NULL, suppressed_lines,
                            svc->log) &&
           metrics_callback(svc->metrics, METRIC_log_dropped, NULL, dropped_lines, svc->log);
}

int process_metrics(struct svc *svc, int *statm)
{
    struct metrics *m = svc->metrics;
    struct metric *info =
        metrics_add(m, METRIC_build_info, METRIC_VALUES(CTIBUS_VERSION, svc->name));
    struct metric *started = metrics_add(m, METRIC_start_time, NULL);

    *statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (!info || !started)
        return -ENOMEM;
    metric_set(info, 1);
    metric_set(started, clock_wall());
    svc->started = clock_mono_us();
    if (!metrics_callback(m, METRIC_uptime, NULL, uptime, svc) ||
        !metrics_callback(m, METRIC_resident_memory, NULL, resident_bytes, statm) ||
        !metrics_callback(m, METRIC_cpu, NULL, cpu_seconds, NULL) ||
        !metrics_callback(m, METRIC_open_fds, NULL, open_descriptors, NULL) ||
        !metrics_callback(m, METRIC_max_fds, NULL, most_descriptors, NULL) ||
        !metrics_callback(m, METRIC_no_descriptor, NULL, without_descriptor, svc->loop))
        return -ENOMEM;
    return log_metrics(svc) ? 0 : -ENOMEM;
}

/* ---- the loop ---- */

#define STALL_US 1000000u
#define TELL_US 60000000u

/* Told at most once a minute. */
static void turned(void *arg, uint64_t us)
{
    struct process_loop *p = arg;

    metric_observe(p->stall, (double)us / 1e6);
    if (us < STALL_US || !clock_once_in(&p->told, TELL_US))
        return;
    log_warning(p->log, "the loop stood still for %llu ms: nobody was served meanwhile",
                (unsigned long long)us / 1000);
}

int process_watch_loop(struct svc *svc, struct process_loop *p)
{
    *p = (struct process_loop){.log = svc->log,
                               .stall = metrics_add(svc->metrics, METRIC_loop_stall, NULL)};
    if (!p->stall)
        return -ENOMEM;
    loop_watch_turns(svc->loop, turned, p);
    return 0;
}

void process_raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}
