/* INFO: this process itself. */
#include <arpa/inet.h>
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "console/info/info.h"
#include "core/publisher.h"
#include "sessions/sessions.h"

static void put_pair(struct columns *c, const char *what, const char *value)
{
    columns_put(c, view_cstr(what));
    columns_put(c, view_cstr(value));
}

/* "3 d 04:05:06" */
static void print_span(uint64_t s, char out[INFO_DATE])
{
    snprintf(out, INFO_DATE, "%llu d %02u:%02u:%02u", (unsigned long long)(s / 86400),
             (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

enum info_end info_infos(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"WHAT", "VALUE", NULL};
    struct state *s = i->state;
    uint64_t up = (clock_mono_us() - s->started) / 1000000;
    char text[INFO_DATE];
    struct columns c;

    columns_begin(&c, titles);
    put_pair(&c, "version", CTIBUS_VERSION);
    print_span(up, text);
    put_pair(&c, "uptime", text);
    put_pair(&c, "started", info_date(clock_wall() - (double)up, text));
    put_pair(&c, "source", bus_source(s->bus));
    put_pair(&c, "settled", s->settled ? "yes" : "no");
    put_pair(&c, "request", bus_server_endpoint(s->server));
    columns_put(&c, VIEW("pid"));
    columns_printf(&c, "%ld", (long)getpid());
    columns_put(&c, VIEW("ipbxes"));
    columns_printf(&c, "%zu", s->n_ipbxes);
    columns_put(&c, VIEW("sessions"));
    columns_printf(&c, "%zu", sessions_count(s->sessions));
    columns_put(&c, VIEW("changes"));
    columns_printf(&c, "%llu", (unsigned long long)publisher_seq(s->publisher));
    columns_put(&c, VIEW("events"));
    columns_printf(&c, "%.0f", metric_get(s->events));
    info_table(i, &c);
    return INFO_OK;
}

/* ---- log ---- */

static const char *const levels[] = {[LOG_ERROR] = "error",
                                     [LOG_WARNING] = "warning",
                                     [LOG_NOTICE] = "notice",
                                     [LOG_INFO] = "info",
                                     [LOG_DEBUG] = "debug"};

enum info_end info_loglevel(struct info *i, const struct info_words *w)
{
    enum log_level level;

    if (w->n > 1) {
        if (w->n != 3 || !view_eq(w->word[1], VIEW("set")) ||
            log_level_parse(w->word[2], &level) < 0)
            return info_wrong(i, "usage: loglevel set error|warning|notice|info|debug");
        if (i->state->log)
            log_set_level(i->state->log, level);
    }
    info_line(i, "%s", i->state->log ? levels[log_get_level(i->state->log)] : "none");
    return INFO_OK;
}

/* ---- descriptors ---- */

/* IP:PORT of either end of a socket; empty: it has none. */
static void print_end(int fd, int (*which)(int, struct sockaddr *, socklen_t *),
                      char out[NETADDR_TEXT])
{
    struct sockaddr_storage sa = {0};
    socklen_t n = sizeof(sa);
    struct netaddr address;
    uint16_t port;

    *out = '\0';
    if (which(fd, (struct sockaddr *)&sa, &n) == 0 &&
        netaddr_of((struct sockaddr *)&sa, &address, &port) == 0)
        netaddr_print_port(&address, port, out);
}

static int local_end(int fd, struct sockaddr *sa, socklen_t *n)
{
    return getsockname(fd, sa, n);
}

static int far_end(int fd, struct sockaddr *sa, socklen_t *n)
{
    return getpeername(fd, sa, n);
}

static void put_descriptor(struct columns *c, int dir, const char *name)
{
    char is[256];
    char local[NETADDR_TEXT];
    char peer[NETADDR_TEXT];
    ssize_t n = readlinkat(dir, name, is, sizeof(is) - 1);
    int fd = atoi(name);

    if (n < 0 || fd == dir) /* that of the listing itself */
        return;
    is[n] = '\0';
    print_end(fd, local_end, local);
    print_end(fd, far_end, peer);
    columns_put(c, view_cstr(name));
    columns_put(c, view_cstr(is));
    columns_put(c, view_cstr(local));
    columns_put(c, view_cstr(peer));
}

enum info_end info_fdlist(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"FD", "IS", "LOCAL", "PEER", NULL};
    DIR *d = opendir("/proc/self/fd");
    struct dirent *e;
    struct columns c;

    if (!d)
        return info_wrong(i, "/proc/self/fd cannot be read");
    columns_begin(&c, titles);
    while ((e = readdir(d)))
        put_descriptor(&c, dirfd(d), e->d_name);
    closedir(d);
    info_table(i, &c);
    return INFO_OK;
}

/* ---- figures ---- */

/* All that is known of the objects of a list. */
static enum info_end list_of_ipbx(struct info *i, struct view name, struct view list_name)
{
    struct xod_ipbx *ipbx = xod_ipbx(i->state->xod, name, false);
    int list = schema_list_find(list_name);
    struct xod_obj *o;

    if (!ipbx)
        return info_wrong(i, "%.*s: there is no such ipbx", VIEW_ARG(name));
    if (list < 0)
        return info_wrong(i, "%.*s: there is no such list", VIEW_ARG(list_name));
    for (size_t pos = 0; (o = xod_next(ipbx, (enum xod_list)list, &pos));) {
        const struct schema_list *l = schema_list((enum xod_list)list);
        struct buf text;
        buf_init(&text, INFO_MAX_ANSWER);
        for (unsigned f = 0; f < l->n_fields; f++) {
            buf_printf(&text, "%s%s=", f ? " " : "", l->fields[f].name);
            info_put_value(&text, xod_get(o, f));
        }
        info_line(i, "%.*s: %s", VIEW_ARG(xod_obj_id(o)), buf_cstr(&text) ? buf_cstr(&text) : "");
        buf_free(&text);
    }
    return INFO_OK;
}

enum info_end info_var(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"NAME", "VALUE", NULL};
    struct view part = w->n > 1 ? w->word[1] : view_of(NULL, 0);
    struct columns c;
    struct buf text;
    struct view rest;

    if (w->n == 3)
        return list_of_ipbx(i, w->word[1], w->word[2]);
    buf_init(&text, INFO_MAX_ANSWER);
    metrics_render(i->state->metrics, &text);
    columns_begin(&c, titles);
    for (rest = buf_view(&text); rest.len;) {
        struct view line = view_cut(&rest, '\n');
        const char *blank = line.len ? memrchr(line.ptr, ' ', line.len) : NULL;
        struct view name;
        if (!blank || *line.ptr == '#')
            continue;
        name = view_of(line.ptr, (size_t)(blank - line.ptr));
        if (part.len && view_find(name, part) < 0)
            continue;
        columns_put(&c, name);
        columns_put(&c, view_of(blank + 1, line.len - name.len - 1));
    }
    info_table(i, &c);
    buf_free(&text);
    return INFO_OK;
}

/* What a value holds beside itself. */
static size_t bytes_of(const struct value *v)
{
    size_t n = 0;

    if (v->type == V_STR)
        return v->len + 1;
    if (v->type != V_LIST && v->type != V_MAP)
        return 0;
    for (uint32_t i = 0; i < v->len * (v->type == V_MAP ? 2u : 1u); i++)
        n += sizeof(*v) + bytes_of(&v->items[i]);
    return n;
}

static void put_size(struct columns *c, const char *what, size_t count, size_t bytes)
{
    columns_put(c, view_cstr(what));
    columns_printf(c, "%zu", count);
    columns_printf(c, "%zu", bytes);
}

static void put_list_size(struct info *i, struct columns *c, enum xod_list list)
{
    const struct schema_list *l = schema_list(list);
    const struct xod_obj *o;
    size_t count = 0;
    size_t bytes = 0;

    for (size_t n = 0; n < i->state->n_ipbxes; n++)
        for (size_t pos = 0; (o = xod_next(i->state->ipbxes[n].model->ipbx, list, &pos)); count++) {
            bytes += xod_obj_id(o).len + 1 + l->n_fields * sizeof(struct value);
            for (unsigned f = 0; f < l->n_fields; f++)
                bytes += bytes_of(xod_get(o, f));
        }
    put_size(c, l->name, count, bytes);
}

static size_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (f && fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* The original named events without a method. Ours are rows of a table with their rules, in another
 * program. */
enum info_end info_devcheckevents(struct info *i, const struct info_words *w)
{
    (void)i;
    (void)w;
    return INFO_OK;
}

enum info_end info_varsizes(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"PURPOSE", "COUNT", "BYTES", NULL};
    struct state *s = i->state;
    struct mallinfo2 heap = mallinfo2();
    struct columns c;

    columns_begin(&c, titles);
    for (int l = 0; l < LIST_COUNT; l++)
        put_list_size(i, &c, (enum xod_list)l);
    put_size(&c, "sessions", sessions_count(s->sessions),
             sessions_count(s->sessions) * sizeof(struct session));
    put_size(&c, "requests that wait", s->n_waiting, 0);
    put_size(&c, "lines for clients that wait", s->n_kept_lines, 0);
    put_size(&c, "heap in use", 1, heap.uordblks + heap.hblkhd);
    put_size(&c, "heap in reserve", 1, heap.fordblks);
    put_size(&c, "resident", 1, resident_bytes());
    info_table(i, &c);
    return INFO_OK;
}
