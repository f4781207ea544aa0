#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "svc/svc.h"

/* --- a small service, run in a child process --- */

struct tiny {
    struct svc *svc;
    struct loop_timer *later;
    bool stop_hangs;
    bool stands_still; /* from the reload on */
    bool is_slow;      /* at a reload */
};

static void stopped(void *arg)
{
    svc_stopped(((struct tiny *)arg)->svc);
}

static int tiny_start(struct svc *svc, void **ctx)
{
    static struct tiny t;
    const char *how = svc_option(svc, "how");

    if (how && strcmp(how, "fails") == 0)
        return -EADDRINUSE;
    t = (struct tiny){.svc = svc,
                      .stop_hangs = how && strncmp(how, "hangs", 5) == 0,
                      .is_slow = how && strcmp(how, "slow") == 0,
                      .stands_still = how && strcmp(how, "stands-still") == 0};
    t.later = loop_timer_new(svc->loop, stopped, &t);
    *ctx = &t;
    log_info(svc->log, "option=%s instance=%s stop_ms=%u", how ? how : "none", svc->instance,
             (unsigned)svc->stop_ms);
    if (how && strcmp(how, "hangs-briefly") == 0)
        svc->stop_ms = 500;
    if (how && strcmp(how, "gives-up") == 0)
        svc_fail(svc);
    return 0;
}

static void tiny_stop(void *ctx)
{
    struct tiny *t = ctx;

    if (!t->stop_hangs)
        loop_timer_start(t->later, 20, false);
}

static void tiny_reload(void *ctx)
{
    struct tiny *t = ctx;

    log_info(t->svc->log, "grace=%d", (int)config_int(t->svc->cfg, "ctibus.session_grace_seconds"));
    while (t->stands_still)
        pause();
    for (uint64_t end = clock_mono_us() + 1100000; t->is_slow && clock_mono_us() < end;)
        ;
}

static bool tiny_check(const struct svc *svc, struct buf *why)
{
    const char *how = svc_option(svc, "how");

    if (!how || strcmp(how, "wrong") != 0)
        return true;
    buf_append_cstr(why, "--how must not be wrong");
    return false;
}

static void tiny_destroy(void **ctx)
{
    struct tiny *t = *ctx;

    loop_timer_destroy(&t->later);
    log_info(t->svc->log, "destroyed");
    *ctx = NULL;
}

static const struct svc_option tiny_options[] = {
    {"how", "HOW", "how it behaves"}, {"instance", "NAME", "its name"}, {NULL, NULL, NULL}};
static const struct svc_def tiny = {
    .name = "state", /* a name that has a key for its HTTP side */
    .doc = "A service for tests.",
    .options = tiny_options,
    .check = tiny_check,
    .start = tiny_start,
    .stop = tiny_stop,
    .reload = tiny_reload,
    .destroy = tiny_destroy,
};

/* --- the tests' side --- */

struct run {
    char dir[64];
    char file[96];
    pid_t pid;
    int out; /* its standard output and error */
    char text[16384];
    size_t len;
};

static void write_config(struct run *r, const char *text)
{
    FILE *f = fopen(r->file, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    static struct run r;

    r = (struct run){.dir = "/tmp/ctibus-svc-XXXXXX", .out = -1};
    assert_non_null(mkdtemp(r.dir));
    snprintf(r.file, sizeof(r.file), "%s/ctibus.json", r.dir);
    write_config(&r, "{\"ctibus\":{\"http\":{\"state\":\"127.0.0.1:0\"}}}");
    *state = &r;
    return 0;
}

static int teardown(void **state)
{
    struct run *r = *state;

    if (r->pid) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    close(r->out);
    unlink(r->file);
    rmdir(r->dir);
    return 0;
}

static void start(struct run *r, const char *const *flags)
{
    char *argv[16] = {"ctibus-state", "--config", r->file};
    int argc = 3;
    int fds[2];

    for (; *flags; flags++)
        argv[argc++] = (char *)*flags;
    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    r->len = 0;
    r->pid = fork();
    assert_true(r->pid >= 0);
    if (r->pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        exit(svc_main(argc, argv, &tiny));
    }
    close(fds[1]);
    close(r->out);
    r->out = fds[0];
}
#define START(r, ...) start((r), (const char *const[]){__VA_ARGS__, NULL})

/* Waits until it has said `part` since the start. NULL for: until it has closed its output. */
static const char *expect(struct run *r, const char *part)
{
    uint64_t until = clock_mono_us() + 10000000;
    const char *at = NULL;

    while (clock_mono_us() < until) {
        struct pollfd p = {.fd = r->out, .events = POLLIN};
        ssize_t n;
        r->text[r->len] = '\0';
        at = part ? strstr(r->text, part) : NULL;
        if (at)
            return at;
        poll(&p, 1, 100);
        if (!p.revents)
            continue;
        n = read(r->out, r->text + r->len, sizeof(r->text) - 1 - r->len);
        if (n <= 0)
            break;
        r->len += (size_t)n;
    }
    r->text[r->len] = '\0';
    if (part)
        fail_msg("\"%s\" is not in: %s", part, r->text);
    return r->text;
}

static int exit_code(struct run *r)
{
    int status;

    expect(r, NULL);
    assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
    r->pid = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_runs_and_stops(void **state)
{
    struct run *r = *state;

    START(r, "--how", "well", "--instance", "one");
    expect(r, "ctibus-state: option=well instance=one stop_ms=5000\n");
    expect(r, "listening name=metrics address=127.0.0.1 port=");
    kill(r->pid, SIGTERM);
    assert_int_equal(exit_code(r), 0);
    assert_non_null(strstr(r->text, "stopping\n"));
    assert_non_null(strstr(r->text, "destroyed\n"));
}

static void test_healthcheck(void **state)
{
    struct run *r = *state;
    char config[128];
    const char *at;
    pid_t service;

    START(r, "--how", "well");
    at = expect(r, "port="); /* lines are written whole */
    snprintf(config, sizeof(config), "{\"ctibus\":{\"http\":{\"state\":\"127.0.0.1:%d\"}}}",
             atoi(at + 5));
    write_config(r, config);
    service = r->pid;
    START(r, "--healthcheck");
    assert_int_equal(exit_code(r), 0);
    kill(service, SIGINT);
    waitpid(service, NULL, 0);
    START(r, "--healthcheck");
    assert_int_equal(exit_code(r), 1);
    assert_non_null(strstr(r->text, "Connection refused"));
    START(r, "--healthcheck", "--set", "ctibus.http.state=");
    assert_int_equal(exit_code(r), 1);
    assert_non_null(strstr(r->text, "turned off"));
}

static void test_check(void **state)
{
    struct run *r = *state;

    START(r, "--check");
    assert_int_equal(exit_code(r), 0);
    assert_string_equal(r->text, "configuration ok\n");
    START(r, "--check", "--how", "wrong");
    assert_int_equal(exit_code(r), 2);
    assert_non_null(strstr(r->text, "--how must not be wrong\n"));
    START(r, "--check", "--log-level", "loud", "--set", "ctibus.bus.hwm=1");
    assert_int_equal(exit_code(r), 2);
    assert_non_null(strstr(r->text, "--set: ctibus.log.level: \"loud\" is none of"));
    assert_non_null(strstr(r->text, "--set: ctibus.bus.hwm: 1 is out of range"));
    write_config(r, "{\"ctibus\":{\"zz\":1,\"b\":2}}");
    START(r, "--how", "well");
    assert_int_equal(exit_code(r), 2);
    assert_non_null(strstr(r->text, "/ctibus.json: ctibus.zz: unknown key\n"));
    assert_non_null(strstr(r->text, "ctibus.b"));
}

static void test_flags(void **state)
{
    struct run *r = *state;

    START(r, "--version");
    assert_int_equal(exit_code(r), 0);
    assert_string_equal(r->text, "ctibus-state " CTIBUS_VERSION "\n");
    START(r, "--help");
    assert_int_equal(exit_code(r), 0);
    assert_non_null(strstr(r->text, "--how HOW"));
    assert_non_null(strstr(r->text, "--healthcheck"));
    START(r, "--nonsense");
    assert_int_equal(exit_code(r), 2);
    START(r, "word");
    assert_int_equal(exit_code(r), 2);
    START(r, "--log-format", "json", "--how", "fails");
    assert_int_equal(exit_code(r), 1);
    assert_non_null(strstr(r->text, "{\"time\":"));
}

static void test_failures(void **state)
{
    struct run *r = *state;

    START(r, "--how", "fails");
    assert_int_equal(exit_code(r), 1);
    assert_non_null(strstr(r->text, "Address already in use"));
    START(r, "--how", "gives-up");
    assert_int_equal(exit_code(r), 1);
    assert_non_null(strstr(r->text, "destroyed\n"));
}

static void test_second_signal(void **state)
{
    struct run *r = *state;

    START(r, "--how", "hangs");
    expect(r, "listening");
    kill(r->pid, SIGTERM);
    expect(r, "stopping\n");
    kill(r->pid, SIGTERM);
    assert_int_equal(exit_code(r), 1);
    assert_non_null(strstr(r->text, "second signal: leaving at once"));
    assert_null(strstr(r->text, "not stopped"));
}

static void test_forced_stop(void **state)
{
    struct run *r = *state;
    uint64_t before;

    START(r, "--how", "hangs-briefly");
    expect(r, "listening");
    before = clock_mono_us();
    kill(r->pid, SIGTERM);
    assert_int_equal(exit_code(r), 1);
    assert_in_range(clock_mono_us() - before, 490000, 4500000); /* less than without being set */
    assert_non_null(strstr(r->text, "not stopped after 500 ms"));
}

static void test_reload(void **state)
{
    struct run *r = *state;

    START(r, "--how", "well");
    expect(r, "listening");
    write_config(r, "{\"ctibus\":{\"session_grace\":9,\"bus\":{\"hwm\":5000},"
                    "\"http\":{\"state\":\"127.0.0.1:0\"}}}");
    kill(r->pid, SIGHUP);
    expect(r, "reload: ctibus.session_grace_seconds has changed\n");
    expect(r, "reload: ctibus.bus.hwm has changed, which needs a restart\n");
    expect(r, "grace=9\n");
    write_config(r, "{\"ctibus\":{\"session_grace\":-9}}");
    kill(r->pid, SIGHUP);
    expect(r, "key=ctibus.session_grace_seconds: -9 is out of range");
    expect(r, "stays as it was\n");
    write_config(r, "{");
    kill(r->pid, SIGHUP);
    expect(r, "malformed JSON");
    kill(r->pid, SIGTERM);
    assert_int_equal(exit_code(r), 0);
}

static void test_a_loop_that_stalls_is_told(void **state)
{
    struct run *r = *state;
    const char *at;

    START(r, "--how", "slow");
    expect(r, "listening");
    kill(r->pid, SIGHUP);
    at = expect(r, "warning ctibus-state: the loop stood still for 1") +
         strlen("warning ctibus-state: the loop stood still for ");
    assert_in_range(atoi(at), 1100, 20000);
    r->len = 0;
    kill(r->pid, SIGHUP); /* once a minute is enough */
    expect(r, "configuration reloaded");
    kill(r->pid, SIGTERM);
    assert_int_equal(exit_code(r), 0);
    assert_null(strstr(r->text, "stood still"));
}

/* --- systemd --- */

struct systemd {
    int fd;
    char path[96];
};

/* One that listens; services that are started from now on tell it, with this watchdog. */
static void systemd_start(struct systemd *s, const struct run *r, const char *watchdog_us)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = 10};

    snprintf(s->path, sizeof(s->path), "%s/notify", r->dir);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", s->path);
    s->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setenv("NOTIFY_SOCKET", s->path, 1);
    setenv("WATCHDOG_USEC", watchdog_us, 1);
}

static void systemd_stop(struct systemd *s)
{
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(s->fd);
    unlink(s->path);
}

/* The next message other than WATCHDOG that begins with `begin`; those before are skipped. */
static const char *told(struct systemd *s, const char *begin)
{
    static char text[4096];
    ssize_t n;

    while ((n = recv(s->fd, text, sizeof(text) - 1, 0)) >= 0) {
        text[n] = '\0';
        if (strncmp(text, begin, strlen(begin)) == 0)
            return text;
    }
    fail_msg("not told: %s", begin);
    return NULL;
}

static void test_systemd_is_told(void **state)
{
    struct run *r = *state;
    struct systemd s = {.fd = -1};

    systemd_start(&s, r, "200000");
    START(r, "--how", "well");
    assert_string_equal(told(&s, "READY=1"), "READY=1\nSTATUS=ready");
    for (int i = 0; i < 3; i++)
        told(&s, "WATCHDOG=1");
    expect(r, "listening");
    kill(r->pid, SIGHUP);
    assert_non_null(strstr(told(&s, "RELOADING=1\nMONOTONIC_USEC="), "\nSTATUS=reading"));
    told(&s, "READY=1");
    kill(r->pid, SIGTERM);
    told(&s, "STOPPING=1");
    assert_int_equal(exit_code(r), 0);
    systemd_stop(&s);
}

static void test_a_loop_that_stands_still_is_not_said_to_turn(void **state)
{
    const struct timeval limit = {.tv_sec = 1};
    struct run *r = *state;
    struct systemd s = {.fd = -1};
    char text[256];

    systemd_start(&s, r, "200000");
    START(r, "--how", "stands-still");
    told(&s, "WATCHDOG=1");
    kill(r->pid, SIGHUP);
    expect(r, "grace=");
    setsockopt(s.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    while (recv(s.fd, text, sizeof(text), 0) >= 0)
        assert_true(strncmp(text, "READY", 5) != 0);
    kill(r->pid, SIGKILL);
    systemd_stop(&s);
}

/* Its queue is full: sd_notify waits, the service does not. */
static void test_a_systemd_that_does_not_read_holds_up_nothing(void **state)
{
    struct run *r = *state;
    struct systemd s = {.fd = -1};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int ours = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    uint64_t before;

    systemd_start(&s, r, "20000");
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", s.path);
    while (sendto(ours, "x", 1, 0, (struct sockaddr *)&at, sizeof(at)) > 0)
        ;
    START(r, "--how", "well");
    expect(r, "listening");
    for (int i = 0; i < 20; i++) { /* more than wait for systemd */
        kill(r->pid, SIGHUP);
        r->len = 0;
        expect(r, "configuration reloaded");
    }
    before = clock_mono_us();
    kill(r->pid, SIGTERM);
    assert_int_equal(exit_code(r), 0);
    assert_true(clock_mono_us() - before < 4000000);
    close(ours);
    systemd_stop(&s);
}

static void test_no_such_systemd(void **state)
{
    struct run *r = *state;

    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    START(r, "--how", "well");
    expect(r, "cannot tell systemd how it is: No such file or directory");
    unsetenv("NOTIFY_SOCKET");
    kill(r->pid, SIGTERM);
    assert_int_equal(exit_code(r), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_runs_and_stops),
        T(test_healthcheck),
        T(test_check),
        T(test_flags),
        T(test_failures),
        T(test_second_signal),
        T(test_forced_stop),
        T(test_reload),
        T(test_a_loop_that_stalls_is_told),
        T(test_systemd_is_told),
        T(test_a_loop_that_stands_still_is_not_said_to_turn),
        T(test_a_systemd_that_does_not_read_holds_up_nothing),
        T(test_no_such_systemd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
