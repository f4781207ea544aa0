/*
 * Rows of the table, each against a block as a real Asterisk sends it: from a capture, or as text
 * where the captures of tests/data/ami lack it (other versions, XiVO's Asterisks, telephones that
 * were not there). And a look at whether each row had one.
 */
#ifndef CTIBUS_TESTS_ROWS_H
#define CTIBUS_TESTS_ROWS_H

#include "base/array.h"
#include "support/capture.h"
#include "support/telline.h"
#include "table.h"

struct row_case {
    const char *version; /* of the Asterisk */
    const char *capture; /* NULL: text */
    const char *event;   /* the first of that name of the capture... */
    const char *with;    /* ...whose block has this in it */
    const char *text;    /* "|" ends a line, "||" an event; an answer when `event` is not NULL */
    const char *line;    /* what is told, ' for " */
};

/* From a capture. What comes before it there is known to the translator. */
#define SEEN(version, capture, event, with, line)                                                  \
    {                                                                                              \
        version, capture, event, with, NULL, line                                                  \
    }
/* Written down here. */
#define TOLD(version, text, line)                                                                  \
    {                                                                                              \
        version, NULL, NULL, NULL, text, line                                                      \
    }
/* The answer to an action, which is read as the event of that name. */
#define ANSWERED(version, action, text, line)                                                      \
    {                                                                                              \
        version, NULL, action, NULL, text, line                                                    \
    }

/* The headers of a channel in nearly every event of Asterisk 12 and later; of a second channel with
 * a word in front. */
#define SNAPSHOT_OF(p, channel, num, name, uniqueid)                                               \
    p "Channel: " channel "|" p "ChannelState: 6|" p "ChannelStateDesc: Up|" p "CallerIDNum: " num \
      "|" p "CallerIDName: " name "|" p "ConnectedLineNum: <unknown>|" p                           \
      "ConnectedLineName: <unknown>|" p "Language: en|" p "AccountCode: |" p "Context: default|" p \
      "Exten: s|" p "Priority: 3|" p "Uniqueid: " uniqueid "|" p "Linkedid: " uniqueid "|"
#define SNAPSHOT(channel, num, name, uniqueid) SNAPSHOT_OF("", channel, num, name, uniqueid)
#define ALICE SNAPSHOT("SIP/alice-00000054", "1001", "Alice Martin", "1795424698.96")
#define ALICE_TOLD                                                                                 \
    "'channel':'SIP/alice-00000054','uniqueid':'1795424698.96','linkedid':'1795424698.96',"        \
    "'callerid_num':'1001','callerid_name':'Alice Martin'"
#define BRIDGE(type, n)                                                                            \
    "BridgeUniqueid: 5bfd2bb4|BridgeType: " type                                                   \
    "|BridgeTechnology: softmix|BridgeCreator: ConfBridge|BridgeName: 4001|BridgeNumChannels: " n  \
    "|BridgeVideoSourceMode: none|"

struct rows_run {
    struct translator *t;
    const struct row_case *c;
    struct buf out;
    bool found;
    bool hit[512]; /* row of the table: it told something */
};

static void rows_emit(void *arg, const struct tel_out *t)
{
    tel_line(&((struct rows_run *)arg)->out, t);
}

/* The row that is for this block, by the words of the table. */
static size_t rows_row_of(struct view event, const struct ami_block *b)
{
    size_t i = 0;

    for (; i < table_size; i++) {
        const struct table_row *r = &table[i];
        struct view v = ami_get_view(b, r->when);
        if (view_eq(r->event, event) &&
            (r->when.len == 0 || (r->is.len ? view_ieq(v, r->is) : v.ptr != NULL)))
            break;
    }
    return i;
}

/* An event of a listing has the ActionID of who asked for it; so have these two of their own. */
static bool rows_is_listed(const struct ami_block *b)
{
    return b->kind == AMI_EVENT && ami_get(b, "ActionID").ptr &&
           !view_eq(b->name, VIEW("OriginateResponse")) && !view_eq(b->name, VIEW("UserEvent"));
}

static void rows_translate(struct rows_run *r, struct view event, const struct ami_block *b)
{
    size_t before = buf_len(&r->out);
    size_t row = rows_row_of(event, b);

    translator_event(r->t, event, b, rows_is_listed(b));
    translator_flush(r->t);
    if (row < table_size && buf_len(&r->out) > before)
        r->hit[row] = true;
}

static bool rows_of_text(void *arg, const struct ami_block *b)
{
    struct rows_run *r = arg;

    rows_translate(r, r->c->event ? view_cstr(r->c->event) : b->name, b);
    return true;
}

static bool rows_of_capture(void *arg, const struct ami_block *b)
{
    struct rows_run *r = arg;

    if (r->found || b->kind != AMI_EVENT)
        return !r->found;
    r->found =
        view_eq(b->name, view_cstr(r->c->event)) && view_find(b->raw, view_cstr(r->c->with)) >= 0;
    if (!r->found) {
        translator_event(r->t, b->name, b, rows_is_listed(b));
        return true;
    }
    translator_flush(r->t);
    buf_reset(&r->out);
    rows_translate(r, b->name, b);
    return true;
}

static void rows_bytes(struct buf *in, const struct row_case *c)
{
    char name[128];

    if (c->capture) {
        snprintf(name, sizeof(name), "%s/%s.ami", c->version, c->capture);
        capture_load(in, name);
        return;
    }
    buf_init(in, 0);
    for (const char *p = c->text; *p; p++)
        if (*p == '|')
            buf_append_cstr(in, "\r\n");
        else
            buf_append_char(in, *p);
    buf_append_cstr(in, "\r\n\r\n");
}

static bool rows_case_holds(struct rows_run *r, const struct row_case *c)
{
    char *got;
    struct buf in;
    bool same;

    r->c = c;
    r->found = c->text != NULL;
    buf_reset(&r->out);
    translator_reset(r->t);
    rows_bytes(&in, c);
    capture_blocks(buf_view(&in), 0, c->capture ? rows_of_capture : rows_of_text, r);
    buf_free(&in);
    got = strdup(buf_cstr(&r->out));
    for (char *p = got; *p; p++)
        *p = *p == '"' ? '\'' : *p;
    same = r->found && strcmp(got, c->line) == 0;
    if (!same)
        print_error("%s %s %.60s: %s\n  got  %s\n  want %s\n", c->version,
                    c->capture ? c->capture : "", c->capture ? c->event : c->text,
                    r->found ? "" : "not in the capture", got, c->line);
    free(got);
    return same;
}

/* The rows are shared out among three files by the subject of what they tell. */
enum rows_part { ROWS_CALLS, ROWS_QUEUES, ROWS_SERVICES };

static enum rows_part rows_part_of(const struct table_row *row)
{
    static const char *const calls[] = {"channel", "dial",      "call",  "bridge",
                                        "local",   "originate", "device"};
    static const char *const queues[] = {"queue", "member", "agent"};
    struct view topic = schema_tel_topic(row->tel);
    struct view subject = view_cut(&topic, '/');

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        if (view_eq(subject, view_cstr(calls[i])))
            return ROWS_CALLS;
    for (size_t i = 0; i < ARRAY_SIZE(queues); i++)
        if (view_eq(subject, view_cstr(queues[i])))
            return ROWS_QUEUES;
    return ROWS_SERVICES;
}

/* Every case holds, and every row of this part has one. */
static void rows_check(const struct row_case *cases, size_t n, enum rows_part part)
{
    struct rows_run *r = calloc(1, sizeof(*r));
    size_t wrong = 0, missing = 0;

    buf_init(&r->out, 0);
    r->t = translator_new(rows_emit, r);
    assert_true(table_size <= sizeof(r->hit));
    for (size_t i = 0; i < n; i++)
        wrong += !rows_case_holds(r, &cases[i]);
    for (size_t i = 0; i < table_size; i++)
        if (rows_part_of(&table[i]) == part && !r->hit[i]) {
            print_error("no case for %.*s %.*s %.*s\n", VIEW_ARG(table[i].event),
                        VIEW_ARG(table[i].when), VIEW_ARG(table[i].is));
            missing++;
        }
    translator_destroy(&r->t);
    buf_free(&r->out);
    free(r);
    assert_int_equal(wrong, 0);
    assert_int_equal(missing, 0);
}

#endif
