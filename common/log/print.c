/* What is said before there is a log. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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
