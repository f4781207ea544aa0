/* What is said before there is a log. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"
#include "log/writer.h"

/* True when fd takes LINE_MAX_BYTES now. */
static bool is_writable(int fd, uint64_t until_us)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    uint64_t now = clock_mono_us();
    int rc = poll(&p, 1, now < until_us ? (int)((until_us - now) / 1000) : 0);

    return rc > 0;
}

void log_print(int fd, uint64_t until_us, const char *fmt, ...)
{
    char *text;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        return;
    for (size_t at = 0; at < (size_t)len && is_writable(fd, until_us);) {
        size_t left = (size_t)len - at;
        ssize_t n = write(fd, text + at, left < LINE_MAX_BYTES ? left : LINE_MAX_BYTES);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    free(text);
}

/* The other end of a pipe is closed. */
static bool reader_is_gone(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&p, 1, 0) > 0 && p.revents & POLLERR;
}

int log_end_stdout(int code)
{
    bool failed = ferror(stdout) != 0;
    bool gone = reader_is_gone();

    errno = failed ? EIO : 0; /* the reason of an earlier failure is not known any more */
    failed = fflush(stdout) != 0 || failed;
    if (!failed && !gone && close(STDOUT_FILENO) != 0) /* tells of some file systems' errors */
        failed = errno != EBADF;
    if (!failed || gone)
        return code;
    fprintf(stderr, "cannot write the output: %s\n", strerror(errno));
    return code ? code : 1;
}
