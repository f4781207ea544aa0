/*
 * The log: one line an event on standard error, text or JSON, rate limited by its place in the
 * code.
 *
 * A handle is passed to who needs it; there is no global one. Lines are written whole with one
 * write(2); control characters and bad UTF-8 of values are escaped, so that no input can forge a
 * line.
 */
#ifndef CTIBUS_LOG_LOG_H
#define CTIBUS_LOG_LOG_H

#include "base/view.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

struct log;

/* One place in the code: at most `LOG_BURST` lines a second from it, then one line that says how
 * many were left out. Made by the macros below. */
struct log_site {
    uint64_t second;
    uint32_t lines;
    uint32_t suppressed;
};
#define LOG_BURST 20

/* A log to file descriptor `fd` (borrowed) for `service`. NULL without memory. */
struct log *log_new(int fd, const char *service, enum log_level level, bool json);
void log_destroy(struct log **log);

/* "error", "warning", "notice", "info", "debug"; -EINVAL for anything else. */
int log_level_parse(struct view name, enum log_level *out);
void log_set_level(struct log *log, enum log_level level);
enum log_level log_get_level(const struct log *log);

/* Lines left out by the rate limit, and lines written, since the start (for /metrics). */
uint64_t log_suppressed_total(const struct log *log);
uint64_t log_lines_total(const struct log *log, enum log_level level);

/* Writes one line; used through the macros. The message is printf-like. */
void log_write(struct log *log, struct log_site *site, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A NULL log is allowed and silent, for tests. */
#define LOG_AT(log, level, ...)                                                                    \
    do {                                                                                           \
        static struct log_site site_;                                                              \
        if ((log) && (level) <= log_get_level(log))                                                \
            log_write((log), &site_, (level), __VA_ARGS__);                                        \
    } while (0)
#define log_error(log, ...) LOG_AT(log, LOG_ERROR, __VA_ARGS__)
#define log_warning(log, ...) LOG_AT(log, LOG_WARNING, __VA_ARGS__)
#define log_notice(log, ...) LOG_AT(log, LOG_NOTICE, __VA_ARGS__)
#define log_info(log, ...) LOG_AT(log, LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) LOG_AT(log, LOG_DEBUG, __VA_ARGS__)

#endif
