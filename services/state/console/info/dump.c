#include "console/info/dump.h"

#include <errno.h>
#include <stdlib.h>

#include "bus/topic.h"

#define MAX_NAMES 32
#define MAX_NAME 64
#define MAX_BACKLOG                                                                                \
    ((size_t)256 * 1024) /* bytes that a console has not read: then it loses events */
#define MAX_EVENT ((size_t)64 * 1024)

struct names {
    size_t n;
    char name[MAX_NAMES][MAX_NAME];
};

/* What one console wants. */
struct dump {
    LIST_ENTRY(dump) all;
    struct info *info;
    struct names only; /* empty: all */
    struct names but;
    uint64_t lost; /* and not told yet */
};

struct dumps {
    struct state *state;
    struct bus_sub *sub; /* while somebody wants it */
    struct msg_doc doc;
    struct buf name, line;
    LIST_HEAD(, dump) all;
    struct metric *lost;
};

/* ---- events ---- */

static bool has(const struct names *n, struct view name)
{
    for (size_t i = 0; i < n->n; i++)
        if (view_ieq(view_cstr(n->name[i]), name))
            return true;
    return false;
}

static bool wants(const struct dump *d, struct view event)
{
    return (d->only.n == 0 || has(&d->only, event)) && !has(&d->but, event);
}

static bool is_secret(struct view header)
{
    static const struct view parts[] = {VIEW("secret"), VIEW("passw")};

    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i + parts[p].len <= header.len; i++)
            if (view_ieq(view_of(header.ptr + i, parts[p].len), parts[p]))
                return true;
    return false;
}

static void put_value(struct buf *line, const msgpack_object *v)
{
    if (v->type != MSGPACK_OBJECT_ARRAY) {
        text_put(line, msg_str(v));
        return;
    }
    for (uint32_t i = 0; i < v->via.array.size; i++) {
        if (i)
            buf_append_cstr(line, " | ");
        text_put(line, msg_str(&v->via.array.ptr[i]));
    }
}

/* "ami xivo Hangup: Channel=SIP/alice-1; Cause=16" */
static void put_event(struct dumps *d, struct view ipbx, struct view event,
                      const msgpack_object *body)
{
    const char *before = ": ";

    buf_reset(&d->line);
    buf_append_cstr(&d->line, "ami ");
    text_put(&d->line, ipbx);
    buf_append_char(&d->line, ' ');
    text_put(&d->line, event);
    for (uint32_t i = 0; i < body->via.map.size; i++) {
        struct view header = msg_str(&body->via.map.ptr[i].key);
        if (view_ieq(header, VIEW("Event")))
            continue;
        buf_append_cstr(&d->line, before);
        before = "; ";
        text_put(&d->line, header);
        buf_append_char(&d->line, '=');
        if (is_secret(header))
            buf_append_cstr(&d->line, "***");
        else
            put_value(&d->line, &body->via.map.ptr[i].val);
    }
    buf_append_char(&d->line, '\n');
}

static void tell_lost(struct dump *one)
{
    struct buf line;

    if (one->lost == 0)
        return;
    buf_init(&line, 256);
    buf_printf(&line, "(%llu events left out: they were not read in time)\n",
               (unsigned long long)one->lost);
    one->lost = 0;
    line_client_send(one->info->line_client, buf_view(&line));
    buf_free(&line);
}

/* Not between the lines of an answer that is under way: those are sent as a whole. */
static void give(struct dumps *d, struct dump *one)
{
    if (line_client_backlog(one->info->line_client) > MAX_BACKLOG || d->line.failed) {
        one->lost++;
        metric_add(d->lost, 1);
        return;
    }
    tell_lost(one);
    line_client_send(one->info->line_client, buf_view(&d->line));
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct dumps *d = arg;
    struct view rest = m->topic;
    struct view event;
    struct dump *one;
    size_t ipbx_end;
    bool made = false;

    buf_reset(&d->name);
    if (topic_next(&rest, NULL) < 0 || topic_next(&rest, &d->name) < 0)
        return;
    ipbx_end = buf_len(&d->name);
    if (topic_next(&rest, &d->name) < 0)
        return;
    event = view_of(buf_data(&d->name) + ipbx_end, buf_len(&d->name) - ipbx_end);
    LIST_FOREACH(one, &d->all, all)
    {
        if (!wants(one, event))
            continue;
        if (!made && msg_parse(&d->doc, m->body) < 0)
            return;
        if (!made)
            put_event(d, view_of(buf_data(&d->name), ipbx_end), event, &d->doc.root);
        made = true;
        give(d, one);
    }
}

static const struct bus_sub_handler handler = {on_message, NULL};

void dump_drained(struct info *i)
{
    if (i->dump)
        tell_lost(i->dump);
}

/* ---- who wants it ---- */

static int subscribe(struct dumps *d)
{
    int err = 0;

    if (d->sub)
        return 0;
    d->sub = bus_sub_new(d->state->bus, BUS_INPROC_SUBSCRIBE, &handler, d, &err);
    if (d->sub)
        err = bus_sub_add(d->sub, VIEW("ami/"));
    if (err < 0)
        bus_sub_destroy(&d->sub);
    return err;
}

static struct dump *dump_begin(struct info *i)
{
    struct dumps *d = i->console->dumps;
    struct dump *one = calloc(1, sizeof(*one));

    if (!one)
        return NULL;
    if (subscribe(d) < 0) {
        free(one);
        return NULL;
    }
    one->info = i;
    LIST_INSERT_HEAD(&d->all, one, all);
    i->dump = one;
    i->line_client->watching = true;
    return one;
}

void dump_end(struct info *i)
{
    struct dumps *d = i->console->dumps;

    if (!i->dump)
        return;
    LIST_REMOVE(i->dump, all);
    free(i->dump);
    i->dump = NULL;
    i->line_client->watching = false;
    if (LIST_EMPTY(&d->all))
        bus_sub_destroy(&d->sub);
}

/* ---- the command ---- */

static void forget(struct names *n, struct view name)
{
    for (size_t i = 0; i < n->n; i++)
        if (view_ieq(view_cstr(n->name[i]), name)) {
            memmove(n->name[i], n->name[n->n - 1], MAX_NAME);
            n->n--;
            return;
        }
}

/* Adds names that stand between commas, and takes them out of the others. 0, or -E2BIG. */
static int note(struct names *to, struct names *from, struct view list)
{
    while (list.len) {
        struct view name = view_trim(view_cut(&list, ','));
        if (name.len == 0 || has(to, name))
            continue;
        if (name.len >= MAX_NAME || to->n == MAX_NAMES)
            return -E2BIG;
        memcpy(to->name[to->n], name.ptr, name.len);
        to->name[to->n++][name.len] = '\0';
        forget(from, name);
    }
    return 0;
}

static void put_names(struct info *i, const char *what, const struct names *n)
{
    struct buf line;

    buf_init(&line, 8192);
    for (size_t k = 0; k < n->n; k++)
        buf_printf(&line, " %s", n->name[k]);
    if (n->n)
        info_line(i, "%s%.*s", what, VIEW_ARG(buf_view(&line)));
    buf_free(&line);
}

static enum info_end set(struct info *i, bool enable, struct view list)
{
    struct dump *d = i->dump;
    int rc;

    if (enable && list.len == 0) {
        d->only.n = d->but.n = 0;
        rc = 0;
    } else {
        rc = enable ? note(&d->only, &d->but, list) : note(&d->but, &d->only, list);
    }
    if (rc < 0)
        return info_wrong(i, "at most %d names of at most %d bytes", MAX_NAMES, MAX_NAME - 1);
    if (d->only.n == 0)
        info_line(i, "AMI events follow: all of them");
    put_names(i, "AMI events follow: only", &d->only);
    put_names(i, "left out:", &d->but);
    return INFO_OK;
}

enum info_end info_dumpami(struct info *i, const struct info_words *w)
{
    bool enable = w->n == 1 || view_eq(w->word[1], VIEW("enable"));
    struct view list = w->n > 2 ? w->word[2] : view_of(NULL, 0);
    bool had = i->dump != NULL;
    enum info_end how;

    if (!enable && !view_eq(w->word[1], VIEW("disable")))
        return info_wrong(i, "usage: dumpami [enable|disable [EVENT,EVENT...]]");
    if (!enable && list.len == 0) {
        dump_drained(i); /* what it has lost is told before it is forgotten */
        dump_end(i);
        info_line(i, "no AMI events follow");
        return INFO_OK;
    }
    if (!i->dump && !dump_begin(i))
        return info_wrong(i, "the bus cannot be listened to");
    /* alone, it goes on with the names that were given */
    how = set(i, enable && (w->n > 1 || !(i->dump->only.n || i->dump->but.n)), list);
    if (how == INFO_KO && !had)
        dump_end(i);
    return how;
}

/* ---- lifecycle ---- */

struct dumps *dumps_new(struct state *s)
{
    struct dumps *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->state = s;
    LIST_INIT(&d->all);
    buf_init(&d->name, 4096);
    buf_init(&d->line, MAX_EVENT);
    if (msg_doc_init(&d->doc) < 0) {
        free(d);
        return NULL;
    }
    d->lost = metrics_add(s->metrics, METRIC_state_info_events_lost, NULL);
    if (!d->lost)
        dumps_destroy(&d);
    return d;
}

void dumps_destroy(struct dumps **dp)
{
    struct dumps *d = dp ? *dp : NULL;

    if (!d)
        return;
    *dp = NULL;
    bus_sub_destroy(&d->sub);
    msg_doc_fini(&d->doc);
    buf_free(&d->name);
    buf_free(&d->line);
    if (d->lost)
        metrics_remove(d->state->metrics, &d->lost);
    free(d);
}
