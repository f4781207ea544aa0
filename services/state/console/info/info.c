/* INFO: the console. A line in, lines out, each command ended by XIVO-INFO:OK or XIVO-INFO:KO. */
#include "console/info/info.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "console/info/dump.h"

#define MAX_LINE 4096

/* ---- words ---- */

static struct view skip_blanks(struct view v)
{
    while (v.len && (*v.ptr == ' ' || *v.ptr == '\t')) {
        v.ptr++;
        v.len--;
    }
    return v;
}

/* Cuts a word off what has no blanks in front of it. */
static int take_word(struct view *rest, struct view *word)
{
    size_t n = 0;
    bool quoted = *rest->ptr == '"';

    if (quoted) {
        const char *end = memchr(rest->ptr + 1, '"', rest->len - 1);
        if (!end)
            return -EINVAL;
        *word = view_of(rest->ptr + 1, (size_t)(end - rest->ptr) - 1);
        n = word->len + 2;
    } else {
        while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != '\t')
            n++;
        *word = view_of(rest->ptr, n);
    }
    *rest = view_of(rest->ptr + n, rest->len - n);
    return 0;
}

int info_split(struct view line, struct info_words *w)
{
    struct view rest = skip_blanks(line);
    int rc;

    w->n = 0;
    while (rest.len) {
        if (w->n == INFO_MAX_WORDS)
            return -E2BIG;
        w->rest[w->n] = rest;
        rc = take_word(&rest, &w->word[w->n]);
        if (rc < 0)
            return rc;
        w->n++;
        rest = skip_blanks(rest);
    }
    return 0;
}

/* ---- commands ---- */

/* A peer over TCP is not authenticated: it may be a page in a browser, or any user's program. */
static bool may_change(const struct info *i)
{
    return i->line_client->local || i->trusted;
}

static enum info_end run(struct info *i, const struct info_words *w)
{
    const struct info_command *c = info_find(w->word[0]);

    if (!c)
        return info_wrong(i, "%.*s: there is no such command; `help` lists all",
                          VIEW_ARG(w->word[0]));
    if (w->n - 1 < c->min || w->n - 1 > c->max)
        return info_wrong(i, "usage: %s%s%s", c->name, *c->args ? " " : "", c->args);
    if (c->changes && w->n > 1 && !may_change(i))
        return info_wrong(i,
                          "%s: what changes something needs `token TOKEN` first "
                          "(ctibus.console.token), or the Unix socket (ctibus.console.socket)",
                          c->name);
    if (c->changes) /* what follows may be a secret */
        log_notice(i->state->log, "INFO %s: %s %.*s", i->line_client->peer, c->name,
                   w->n > 1 ? (int)w->word[1].len : 0, w->n > 1 ? w->word[1].ptr : "");
    return c->fn(i, w);
}

static void on_line(struct line_client *t, struct view line)
{
    struct info *i = t->data;
    struct info_words w;
    int rc = info_split(line, &w);
    enum info_end how;

    if (rc == -EINVAL)
        how = info_wrong(i, "a \" is missing");
    else if (rc < 0)
        how = info_wrong(i, "there are at most %d words in a line", INFO_MAX_WORDS);
    else if (w.n == 0)
        return;
    else
        how = run(i, &w);
    if (how != INFO_LATER)
        info_end_answer(i, how);
}

/* ---- life ---- */

static int on_opened(struct line_client *t)
{
    struct info *i = calloc(1, sizeof(*i));

    if (!i)
        return -ENOMEM;
    i->console = t->owner;
    i->state = i->console->state;
    i->line_client = t;
    buf_init(&i->out, INFO_MAX_ANSWER);
    buf_init(&i->line, 65536);
    t->data = i;
    return 0;
}

static void on_closed(struct line_client *t)
{
    struct info *i = t->data;

    if (!i)
        return;
    if (i->wait)
        i->wait->info = NULL;
    dump_end(i);
    buf_free(&i->out);
    buf_free(&i->line);
    free(i);
    t->data = NULL;
}

static void on_drained(struct line_client *t)
{
    dump_drained(t->data);
}

const struct line_server_def info_server = {
    .name = "INFO",
    .listen_key = "main.incoming_tcp.INFO",
    .access_key = "ctibus.access.info",
    .socket_key = "ctibus.console.socket",
    .refusal = "XIVO-INFO:KO",
    .max_talks = 16,
    .max_line = MAX_LINE,
    .idle_ms = 3600000,
    .opened = on_opened,
    .line = on_line,
    .closed = on_closed,
    .drained = on_drained,
};
