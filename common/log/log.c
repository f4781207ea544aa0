#include "log/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "log/writer.h"

#define LEVELS 5
#define MESSAGE_MAX 2048
/* At the end, for the lines that are left. */
#define LAST_LINES_MS 1000

struct log {
    struct writer *writer;
    _Atomic int level;
    bool json;
    char *service;
    atomic_uint_fast64_t lines[LEVELS];
    atomic_uint_fast64_t suppressed;
};

static const char *const level_names[LEVELS] = {"error", "warning", "notice", "info", "debug"};

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
    size_t room; /* what the message may fill; the end of the line needs the rest */
};

static size_t tell_lost(void *arg, uint64_t lost, char *line);

struct log *log_new(int fd, const char *service, enum log_level level, bool json)
{
    struct log *log = calloc(1, sizeof(*log));

    if (!log)
        return NULL;
    log->service = strdup(service);
    log->level = (int)level;
    log->json = json;
    if (log->service)
        log->writer = writer_new(fd, LOG_ROOM, tell_lost, log);
    if (!log->writer) {
        free(log->service);
        free(log);
        return NULL;
    }
    return log;
}

void log_destroy(struct log **log)
{
    if (!log || !*log)
        return;
    writer_destroy(&(*log)->writer, LAST_LINES_MS);
    free((*log)->service);
    free(*log);
    *log = NULL;
}

int log_level_parse(struct view name, enum log_level *out)
{
    for (int i = 0; i < LEVELS; i++) {
        if (view_eq(name, view_cstr(level_names[i]))) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

void log_set_level(struct log *log, enum log_level level)
{
    atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(const struct log *log)
{
    return (enum log_level)atomic_load_explicit(&log->level, memory_order_relaxed);
}

uint64_t log_suppressed_total(const struct log *log)
{
    return atomic_load_explicit(&log->suppressed, memory_order_relaxed);
}

uint64_t log_lines_total(const struct log *log, enum log_level level)
{
    return atomic_load_explicit(&log->lines[level], memory_order_relaxed);
}

uint64_t log_dropped_total(const struct log *log)
{
    return writer_dropped(log->writer);
}

bool log_flush(struct log *log, unsigned ms)
{
    return !log || writer_flush(log->writer, ms);
}

int log_set_room(struct log *log, size_t bytes)
{
    return writer_set_room(log->writer, bytes < LOG_ROOM_MIN ? LOG_ROOM_MIN : bytes);
}

/* False when there is no room left. */
static bool put(struct line *l, const char *s, size_t n)
{
    if (n > l->room - l->len)
        return false;
    memcpy(l->text + l->len, s, n);
    l->len += n;
    return true;
}

/* Length of the UTF-8 sequence at p that may be shown as it is, 0 when its first byte must be
 * escaped: bad UTF-8, but also the C1 controls, which terminals obey, and U+2028 and U+2029, which
 * end lines. */
static size_t shown(const unsigned char *p, size_t n)
{
    struct view v = view_of((const char *)p, n);
    size_t length = utf8_control_at(v, 0) ? 0 : utf8_length(v);

    return length == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] | 1) == 0xa9 ? 0 : length;
}

static bool put_escaped(struct line *l, const char *s, size_t n, bool json)
{
    const unsigned char *p = (const unsigned char *)s;
    char hex[8];

    for (size_t i = 0; i < n;) {
        size_t k = shown(p + i, n - i);
        bool ok;
        if (json && (p[i] == '"' || p[i] == '\\')) {
            char two[2] = {'\\', (char)p[i]};
            ok = put(l, two, 2);
            k = 1;
        } else if (k) {
            ok = put(l, s + i, k);
        } else {
            snprintf(hex, sizeof(hex), json ? "\\u%04x" : "\\x%02x",
                     json && p[i] >= 0x80 ? 0xfffdu : p[i]);
            ok = put(l, hex, strlen(hex));
            k = 1;
        }
        if (!ok)
            return false;
        i += k;
    }
    return true;
}

static void put_head(struct line *l, const struct log *log, enum log_level level)
{
    uint64_t now = clock_wall_us();
    time_t seconds = (time_t)(now / 1000000u);
    struct tm tm;
    char date[32];
    char head[160];
    int n;

    gmtime_r(&seconds, &tm);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
    n = snprintf(head, sizeof(head),
                 log->json ? "{\"time\":\"%s.%06uZ\",\"level\":\"%s\",\"service\":\"%.64s\","
                             "\"message\":\""
                           : "%s.%06uZ %-7s %.64s: ",
                 date, (unsigned)(now % 1000000u), level_names[level], log->service);
    put(l, head, (size_t)n);
}

static void make_line(struct line *l, const struct log *log, enum log_level level,
                      const char *message, size_t n)
{
    const char *tail = log->json ? "\"}\n" : "\n";

    l->len = 0;
    l->room = LINE_MAX_BYTES - 8;
    put_head(l, log, level);
    if (!put_escaped(l, message, n, log->json)) {
        l->room += 4;
        put(l, "...", 3);
    }
    l->room = LINE_MAX_BYTES;
    put(l, tail, strlen(tail));
}

static void write_line(struct log *log, enum log_level level, const char *message, size_t n)
{
    struct line l;

    make_line(&l, log, level, message, n);
    atomic_fetch_add_explicit(&log->lines[level], 1, memory_order_relaxed);
    writer_put(log->writer, l.text, l.len);
}

/* On the writer's thread. */
static size_t tell_lost(void *arg, uint64_t lost, char *line)
{
    const struct log *log = arg;
    char message[128];
    struct line l;
    int n = snprintf(message, sizeof(message),
                     "%llu lines of the log are lost here: nobody read it, or not fast enough",
                     (unsigned long long)lost);

    make_line(&l, log, LOG_WARNING, message, (size_t)n);
    memcpy(line, l.text, l.len);
    return l.len;
}

/* True when this line may be written; *left_out: how many of an earlier second were not. Worker
 * threads log too, hence the atomics; to be off by a line does no harm. */
static bool site_allows(struct log_site *site, uint32_t *left_out)
{
    uint64_t second = clock_mono_us() / 1000000u + 1;

    *left_out = 0;
    if (__atomic_exchange_n(&site->second, second, __ATOMIC_RELAXED) != second) {
        __atomic_store_n(&site->lines, 0, __ATOMIC_RELAXED);
        *left_out = __atomic_exchange_n(&site->suppressed, 0, __ATOMIC_RELAXED);
    }
    if (__atomic_fetch_add(&site->lines, 1, __ATOMIC_RELAXED) < LOG_BURST)
        return true;
    __atomic_fetch_add(&site->suppressed, 1, __ATOMIC_RELAXED);
    return false;
}

void log_write(struct log *log, struct log_site *site, enum log_level level, const char *fmt, ...)
{
    char message[MESSAGE_MAX];
    int saved = errno; /* for %m, and for a caller that looks at it afterwards */
    uint32_t left_out;
    va_list ap;
    int n;

    if (!site_allows(site, &left_out)) {
        atomic_fetch_add_explicit(&log->suppressed, 1, memory_order_relaxed);
        errno = saved;
        return;
    }
    if (left_out) {
        n = snprintf(message, sizeof(message), "left out %u lines like the next", left_out);
        write_line(log, level, message, (size_t)n);
    }
    errno = saved;
    va_start(ap, fmt);
    n = vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof(message)) {
        memcpy(message + sizeof(message) - 4, "...", 3);
        n = sizeof(message) - 1;
    }
    write_line(log, level, message, n < 0 ? 0 : (size_t)n);
    errno = saved;
}
