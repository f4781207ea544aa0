/*
 * The log: one line an event on standard error, text or JSON, rate limited by its place in the
 * code.
 *
 * Callers pass a handle; there is no global one. Control characters and bad UTF-8 of
 * values are escaped, so that no input can forge a line.
 *
 * The caller never waits for the reader of the log: lines wait in a ring of bounded size and a
 * thread writes them, in their order, each whole with one write(2). While the ring is full they are
 * dropped and counted; when it flows again, a line at that place says how many are lost.
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

/* Bytes of lines that may wait for the reader, and the fewest that log_set_room takes. */
#define LOG_ROOM ((size_t)256 * 1024)
#define LOG_ROOM_MIN ((size_t)8192)

/* A log to file descriptor `fd` (borrowed) for `service`. NULL without memory or thread. */
struct log *log_new(int fd, const char *service, enum log_level level, bool json);
/* Waits at most 1 s for the reader of the lines that are left. */
void log_destroy(struct log **log);
/* Waits at most `ms` until all lines are written; false when they are not. Nothing is to be written
 * of a NULL log. */
bool log_flush(struct log *log, unsigned ms);
/* Another size of the ring than LOG_ROOM. 0; -ENOMEM, or -EBUSY when more than that waits now: it
 * stays as it was. */
int log_set_room(struct log *log, size_t bytes);

/* "error", "warning", "notice", "info", "debug"; -EINVAL for anything else. */
int log_level_parse(struct view name, enum log_level *out);
void log_set_level(struct log *log, enum log_level level);
enum log_level log_get_level(const struct log *log);

/* Since the start, for /metrics: lines left out by the rate limit; lines dropped since nobody read,
 * or they could not be written; lines of a level, these included. */
uint64_t log_suppressed_total(const struct log *log);
uint64_t log_dropped_total(const struct log *log);
uint64_t log_lines_total(const struct log *log, enum log_level level);

/* Writes one line; used through the macros. The message is printf-like. */
void log_write(struct log *log, struct log_site *site, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* For what is to be said before there is a log: prints on fd and waits for its reader until
 * `until_us` (clock_mono_us) at the latest; what cannot be written by then is dropped. */
void log_print(int fd, uint64_t until_us, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The end of a program that prints on standard output: what it returns instead of `code`. 1 when
 * not all could be written (told on standard error), as on a full disk. The reader of a pipe may
 * leave early: that is no fault. */
int log_end_stdout(int code);

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
