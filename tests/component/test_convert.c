/* The worker process that turns a PDF into a fax, with scripts in the place of Ghostscript. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "convert.h"
#include "support/bus.h"

/* $out: the file that is asked for. */
#define OUT "for a in \"$@\"; do case $a in -sOutputFile=*) out=${a#*=};; esac; done\n"

struct world {
    struct loop *loop;
    char dir[64], program[96], in[96], out[96];
    struct conversion *c;
    int ends;
    bool good;
    char text[8192]; /* of the file that was made */
};

static void on_end(void *arg, bool good)
{
    struct world *w = arg;

    w->ends++;
    w->good = good;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    w->loop = loop_new();
    strcpy(w->dir, "/tmp/ctibus-convert-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->program, sizeof(w->program), "%s/gs", w->dir);
    snprintf(w->in, sizeof(w->in), "%s/in.pdf", w->dir);
    snprintf(w->out, sizeof(w->out), "%s/out.tif", w->dir);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    unlink(w->program);
    unlink(w->out);
    rmdir(w->dir);
    loop_destroy(&w->loop);
    free(w);
    return 0;
}

static void start(struct world *w, const char *script)
{
    int fd = open(w->program, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    int err = 0;

    assert_true(dprintf(fd, "#!/bin/sh\n%s", script) > 0);
    close(fd);
    w->ends = 0;
    w->c = convert_start(w->loop, w->program, w->in, w->out, on_end, w, &err);
    assert_non_null(w->c);
}

static bool converts(struct world *w, const char *script)
{
    start(w, script);
    UNTIL(w->loop, w->ends == 1);
    return w->good;
}

static const char *made(struct world *w)
{
    int fd = open(w->out, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, w->text, sizeof(w->text) - 1);

    close(fd);
    w->text[n > 0 ? n : 0] = '\0';
    return w->text;
}

static void a_file_that_is_there_is_good(void **state)
{
    struct world *w = *state;

    assert_true(converts(w, OUT "echo \"$@\" >$out"));
    assert_non_null(strstr(made(w), " -dSAFER "));
    assert_non_null(strstr(w->text, "/in.pdf\n")); /* last */
}

static void anything_else_is_not(void **state)
{
    struct world *w = *state;

    assert_false(converts(w, "exit 0"));
    assert_false(converts(w, OUT ": >$out")); /* empty */
    assert_false(converts(w, OUT "echo x >$out; exit 1"));
    assert_false(converts(w, OUT "echo x >$out; kill -9 $$"));
}

static void a_program_that_is_not_there_is_told(void **state)
{
    struct world *w = *state;
    int err = 0;

    assert_null(convert_start(w->loop, w->program, w->in, w->out, on_end, w, &err));
    assert_int_equal(err, -ENOENT);
    assert_int_equal(w->ends, 0);
}

/* What the file of a stranger may use of ours. */
static void it_has_nothing_of_ours(void **state)
{
    struct world *w = *state;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = fcntl(null, F_DUPFD, 200); /* one that would be passed on */

    assert_int_equal(fd, 200);
    setenv("CTIBUS_TEST_PASSWORD", "secret", 1);
    assert_true(converts(w, OUT "{ cat /proc/$$/environ; echo; ls /proc/$$/fd; } >$out"));
    assert_null(strstr(made(w), "secret"));
    assert_non_null(strstr(w->text, "\n0\n"));
    assert_null(strstr(w->text, "\n200\n"));
    unsetenv("CTIBUS_TEST_PASSWORD");
    close(fd);
    close(null);
}

/* They are set while it runs already. */
static void its_time_and_memory_are_bounded(void **state)
{
    struct world *w = *state;

    assert_true(converts(w, OUT "while [ $(ulimit -t) != 60 ] || [ $(ulimit -v) != 1048576 ] ||\n"
                                "[ $(ulimit -f) != 409600 ] || [ $(nice) != 10 ]; do :; done\n"
                                "echo x >$out"));
}

static void one_that_is_cancelled_is_killed(void **state)
{
    struct world *w = *state;
    pid_t pid;

    start(w, OUT "echo $$ >$out; while :; do sleep 1000; done");
    UNTIL(w->loop, access(w->out, R_OK) == 0 && *made(w));
    pid = (pid_t)atoi(w->text);
    assert_int_equal(kill(pid, 0), 0);
    convert_cancel(&w->c);
    assert_null(w->c);
    UNTIL(w->loop, kill(pid, 0) < 0 && errno == ESRCH);
    assert_int_equal(w->ends, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_file_that_is_there_is_good),        T(anything_else_is_not),
        T(a_program_that_is_not_there_is_told), T(it_has_nothing_of_ours),
        T(its_time_and_memory_are_bounded),     T(one_that_is_cancelled_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
