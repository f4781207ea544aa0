/* ctibus phones, calls, queues, agents, users: what state knows, as tables for people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "tool.h"
#include "json/json.h"

#define MAX_COLUMNS 8
#define MAX_WIDTH 40 /* characters of a column; longer texts are cut */
#define WATCH_MS 2000

/* How a field is shown. */
enum show { SHOW_TEXT, SHOW_EITHER, SHOW_USER, SHOW_NAMES, SHOW_LAMP, SHOW_AGO, SHOW_COUNT };

struct column {
    const char *title;
    const char *field;
    const char
        *other; /* shown behind it, or (SHOW_EITHER) in its place where it is empty; or NULL */
    enum show show;
};

struct table {
    const char *list;
    struct column columns[MAX_COLUMNS]; /* ended by a NULL title */
};

static const struct table tables[] = {
    {"phones",
     {{"ID", "id", NULL, SHOW_TEXT},
      {"NUMBER", "number", NULL, SHOW_TEXT},
      {"USER", "iduserfeatures", NULL, SHOW_USER},
      {"LAMP", "hintstatus", NULL, SHOW_LAMP},
      {"CHANNELS", "channels", NULL, SHOW_COUNT},
      {"DEVICE", "identity", NULL, SHOW_TEXT}}},
    {"calls",
     {{"CALLER", "caller_name", "caller_number", SHOW_TEXT},
      {"CALLED", "called_name", "called_number", SHOW_TEXT},
      {"STATE", "state", NULL, SHOW_TEXT},
      {"SINCE", "since", NULL, SHOW_AGO},
      {"QUEUE", "queue", NULL, SHOW_TEXT},
      {"CHANNELS", "participants", NULL, SHOW_NAMES}}},
    {"queues",
     {{"ID", "id", NULL, SHOW_TEXT},
      {"NUMBER", "number", NULL, SHOW_TEXT},
      {"NAME", "displayname", "name", SHOW_EITHER},
      {"WAIT", "Xivo-WaitingCalls", NULL, SHOW_TEXT},
      {"LONGEST", "Xivo-LongestWaitTime", NULL, SHOW_TEXT},
      {"FREE", "Xivo-AvailableAgents", NULL, SHOW_TEXT},
      {"TALK", "Xivo-TalkingAgents", NULL, SHOW_TEXT}}},
    {"agents",
     {{"ID", "id", NULL, SHOW_TEXT},
      {"NUMBER", "number", NULL, SHOW_TEXT},
      {"NAME", "firstname", "lastname", SHOW_TEXT},
      {"STATE", "availability", NULL, SHOW_TEXT},
      {"SINCE", "availability_since", NULL, SHOW_AGO},
      {"PHONE", "phonenumber", NULL, SHOW_TEXT}}},
    {"users",
     {{"ID", "id", NULL, SHOW_TEXT},
      {"LOGIN", "loginclient", NULL, SHOW_TEXT},
      {"NAME", "fullname", NULL, SHOW_TEXT},
      {"PRESENCE", "availstate", NULL, SHOW_TEXT},
      {"PROFILE", "profileclient", NULL, SHOW_TEXT},
      {"PHONES", "linelist", NULL, SHOW_NAMES}}},
};

/* ---- cells ---- */

/* States of hints, as Asterisk numbers them. */
static const char *lamp(struct view code)
{
    static const struct {
        const char *code, *word;
    } words[] = {
        {"-2", "gone"},    {"-1", "gone"},           {"0", "idle"},    {"1", "in use"},
        {"2", "busy"},     {"4", "offline"},         {"8", "ringing"}, {"9", "in use, ringing"},
        {"16", "on hold"}, {"17", "in use, on hold"}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (view_eq(code, view_cstr(words[i].code)))
            return words[i].word;
    return "";
}

/* Seconds, minutes and so on until now, of a time in seconds since 1970. */
static void put_ago(struct buf *out, double since)
{
    long long s = (long long)(clock_wall() - since);

    if (since <= 0 || s < 0)
        return;
    if (s < 3600)
        buf_printf(out, "%lld:%02lld", s / 60, s % 60);
    else
        buf_printf(out, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

static void put_names(struct buf *out, struct json_object *list)
{
    for (size_t i = 0;
         list && json_object_is_type(list, json_type_array) && i < json_object_array_length(list);
         i++)
        buf_printf(out, "%s%s", i ? ", " : "",
                   json_object_get_string(json_object_array_get_idx(list, i)));
}

static void put_user_key(struct buf *key, struct view ipbx, struct view id)
{
    buf_append_view(key, ipbx);
    buf_append_char(key, '/');
    buf_append_view(key, id);
}

static struct view user_name(struct json_object *o, const char *field, struct json_object *names)
{
    struct view name = view_of(NULL, 0);
    struct buf key;

    buf_init(&key, 1024);
    put_user_key(&key, json_get_view(o, "ipbx"), json_get_text(o, field));
    if (buf_cstr(&key))
        name = json_get_view(names, buf_cstr(&key));
    buf_free(&key);
    return name;
}

/* names: of users, by IPBX/ID. */
static void put_cell(struct buf *out, const struct column *c, struct json_object *o,
                     struct json_object *names)
{
    struct json_object *value = json_get(o, c->field);
    struct view other = c->other ? json_get_text(o, c->other) : view_of(NULL, 0);

    switch (c->show) {
    case SHOW_NAMES:
        put_names(out, value);
        return;
    case SHOW_COUNT:
        if (value && json_object_is_type(value, json_type_array) &&
            json_object_array_length(value) > 0)
            buf_printf(out, "%zu", json_object_array_length(value));
        return;
    case SHOW_USER:
        buf_append_view(out, user_name(o, c->field, names));
        return;
    case SHOW_EITHER:
        buf_append_view(out, json_get_text(o, c->field).len ? json_get_text(o, c->field) : other);
        return;
    case SHOW_LAMP:
        buf_append_cstr(out, lamp(json_get_text(o, c->field)));
        return;
    case SHOW_AGO:
        put_ago(out, value ? json_object_get_double(value) : 0);
        return;
    default:
        buf_append_view(out, json_get_text(o, c->field));
        if (other.len && !view_eq(other, json_get_text(o, c->field)))
            buf_printf(out, "%s%.*s", buf_len(out) ? " " : "", VIEW_ARG(other));
    }
}

/* ---- tables ---- */

struct row {
    struct row *next;
    char *cells[MAX_COLUMNS];
};

struct printing {
    const struct tool *t;
    const struct table *table;
    const char *only; /* rows that have this text in them; NULL: all */
    struct row *rows, **end;
    size_t widths[MAX_COLUMNS];
    struct json_parser parser;
    struct json_object *names; /* of users, by IPBX/ID */
    bool failed;
};

/* Characters, of which each takes a place; those that take two are rare in names of ours. */
static size_t length(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void cut(char *text, size_t most)
{
    size_t n = 0;

    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
        if (n > most) {
            *text = '\0';
            return;
        }
    }
}

static char *cell_of(const struct column *c, struct json_object *o, struct json_object *names)
{
    struct buf raw, plain;
    char *text;

    buf_init(&raw, 65536);
    buf_init(&plain, 0);
    put_cell(&raw, c, o, names);
    tool_put_plain(&plain, buf_view(&raw));
    text = raw.failed || plain.failed ? NULL : view_dup(buf_view(&plain));
    buf_free(&raw);
    buf_free(&plain);
    if (text)
        cut(text, MAX_WIDTH);
    return text;
}

static void row_free(struct row *r)
{
    for (size_t i = 0; i < MAX_COLUMNS; i++)
        free(r->cells[i]);
    free(r);
}

static bool is_wanted(const struct printing *p, const struct row *r)
{
    for (size_t i = 0; p->only && i < MAX_COLUMNS && r->cells[i]; i++)
        if (strcasestr(r->cells[i], p->only))
            return true;
    return !p->only;
}

static void add_row(struct printing *p, struct json_object *o)
{
    struct row *r = calloc(1, sizeof(*r));

    for (size_t i = 0; r && i < MAX_COLUMNS && p->table->columns[i].title; i++) {
        r->cells[i] = cell_of(&p->table->columns[i], o, p->names);
        p->failed = p->failed || !r->cells[i];
    }
    if (!r || p->failed || !is_wanted(p, r)) {
        p->failed = p->failed || !r;
        if (r)
            row_free(r);
        return;
    }
    for (size_t i = 0; i < MAX_COLUMNS && r->cells[i]; i++)
        if (length(r->cells[i]) > p->widths[i])
            p->widths[i] = length(r->cells[i]);
    *p->end = r;
    p->end = &r->next;
}

static void take_object(void *arg, struct view json)
{
    struct printing *p = arg;
    struct json_object *o = NULL;
    struct buf line;

    if (p->t->json) {
        buf_init(&line, 0);
        buf_append_view(&line, json);
        tool_print(&line);
        buf_free(&line);
    } else if (json_parse(&p->parser, json, &o) == 0) {
        add_row(p, o);
    }
    json_object_put(o);
}

static void take_user(void *arg, struct view json)
{
    struct printing *p = arg;
    struct json_object *o = NULL;
    struct buf key;

    buf_init(&key, 1024);
    if (json_parse(&p->parser, json, &o) == 0) {
        put_user_key(&key, json_get_view(o, "ipbx"), json_get_view(o, "id"));
        if (buf_cstr(&key))
            json_set_text(p->names, buf_cstr(&key), json_get_text(o, "fullname"));
    }
    buf_free(&key);
    json_object_put(o);
}

/* Does a column need the names of users? */
static bool names_users(const struct table *table)
{
    for (size_t i = 0; i < MAX_COLUMNS && table->columns[i].title; i++)
        if (table->columns[i].show == SHOW_USER)
            return true;
    return false;
}

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* Of a word that says how something is; NULL: none. */
static const char *colour_of(const struct column *column, const char *text)
{
    static const struct {
        const char *word, *colour;
    } words[] = {
        {"ringing", YELLOW},  {"in use, ringing", YELLOW},
        {"in use", RED},      {"busy", RED},
        {"on hold", YELLOW},  {"in use, on hold", YELLOW},
        {"idle", GREEN},      {"offline", DIM},
        {"gone", DIM},        {"up", GREEN},
        {"available", GREEN}, {"unavailable", YELLOW},
        {"logged_out", DIM},  {"disconnected", DIM},
    };

    if (strcmp(column->title, "WAIT") == 0)
        return strcmp(text, "0") != 0 && *text ? YELLOW : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(text, words[i].word) == 0)
            return words[i].colour;
    return strncmp(text, "on_", 3) == 0 ? RED : NULL; /* an agent: on_call_nonacd_... */
}

static void print_cells(const struct printing *p, char *const *cells)
{
    for (size_t i = 0; i < MAX_COLUMNS && p->table->columns[i].title; i++) {
        const struct column *column = &p->table->columns[i];
        const char *text = cells ? cells[i] : column->title;
        const char *colour = !p->t->colours ? NULL : cells ? colour_of(column, text) : BOLD;
        bool last = i + 1 == MAX_COLUMNS || !p->table->columns[i + 1].title;
        int pad = last ? 0 : (int)(p->widths[i] - length(text)) + 2;
        printf("%s%s%s%*s", colour ? colour : "", text, colour ? PLAIN : "", pad, "");
    }
    putchar('\n');
}

/* The rows in the order of state; false: nothing more is to be shown. */
static bool print_table(struct tool *t, const struct table *table, const char *only)
{
    struct printing p = {.t = t, .table = table, .only = only};
    struct row *r;

    p.end = &p.rows;
    if (json_parser_init(&p.parser) < 0) {
        tool_fail(t, "out of memory");
        return false;
    }
    for (size_t i = 0; i < MAX_COLUMNS && table->columns[i].title; i++)
        p.widths[i] = strlen(table->columns[i].title);
    p.names = json_object_new_object();
    if (!t->json && names_users(table))
        tool_snapshot(t, "users", NULL, take_user, &p);
    if (t->exit_code == 0 && !t->stopped)
        tool_snapshot(t, table->list, NULL, take_object, &p);
    json_object_put(p.names);
    if (!t->json && t->exit_code == 0 && !t->stopped)
        print_cells(&p, NULL);
    while ((r = p.rows)) {
        p.rows = r->next;
        if (!t->stopped)
            print_cells(&p, r->cells);
        row_free(r);
    }
    json_parser_fini(&p.parser);
    if (p.failed)
        tool_fail(t, "out of memory");
    return t->exit_code == 0 && fflush(stdout) == 0;
}

static void stop(void *arg)
{
    loop_stop(arg);
}

/* Again and again, until Ctrl-C. */
static void watch(struct tool *t, const struct table *table, const char *only)
{
    struct loop_timer *timer = loop_timer_new(t->loop, stop, t->loop);
    bool screen = isatty(STDOUT_FILENO);
    struct tool_signals signals;

    tool_signals_take(t, &signals);
    while (timer && !t->stopped) {
        if (screen)
            fputs("\033[H\033[2J", stdout);
        if (!print_table(t, table, only))
            break;
        loop_timer_start(timer, WATCH_MS, false);
        tool_run(t);
    }
    tool_signals_release(&signals);
    loop_timer_destroy(&timer);
}

static int run(struct tool *t, int argc, char **argv, const struct command *c)
{
    const struct table *table = tables;
    const char *only = NULL;
    bool watches = false;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--watch") == 0 || strcmp(argv[i], "-w") == 0)
            watches = true;
        else if (argv[i][0] == '-' || only)
            return tool_usage(t, c);
        else
            only = argv[i];
    }
    while (strcmp(table->list, c->name) != 0)
        table++;
    if (watches)
        watch(t, table, only);
    else
        print_table(t, table, only);
    return t->exit_code;
}

#define TABLE(name_, help_, examples_)                                                             \
    static int run_##name_(struct tool *t, int argc, char **argv)                                  \
    {                                                                                              \
        return run(t, argc, argv, &command_##name_);                                               \
    }                                                                                              \
    const struct command command_##name_ = {.name = #name_,                                        \
                                            .args = "[TEXT] [--watch]",                            \
                                            .help = help_,                                         \
                                            .examples = examples_,                                 \
                                            .run = run_##name_}

TABLE(phones,
      "Shows the phones with their lamps, those with TEXT in their row; --watch: again\n"
      "and again (as of the next four).",
      "$ ctibus phones ali\n"
      "ID  NUMBER  USER            LAMP     CHANNELS  DEVICE\n"
      "1   1001    Alice Martin    in use   1         PJSIP/alice\n"
      "26  1026    Yasmine Benali  ringing  1         PJSIP/yasmine");
TABLE(calls, "Shows the calls that there are: who, with whom, since when.",
      "$ ctibus calls alice\n"
      "CALLER             CALLED             STATE  SINCE  QUEUE  CHANNELS\n"
      "Alice Martin 1001  Bob Tremblay 1002  up     0:42          PJSIP/alice-00000012, ...\n"
      "$ ctibus calls alice --watch\n"
      "CALLER             CALLED             STATE  SINCE  QUEUE  CHANNELS\n"
      "Alice Martin 1001  Bob Tremblay 1002  up     0:44          PJSIP/alice-00000012, ...\n"
      "^C");
TABLE(queues, "Shows the queues: callers that wait, agents that are free and that talk.",
      "$ ctibus queues\n"
      "ID  NUMBER  NAME     WAIT  LONGEST  FREE  TALK\n"
      "1   3001    Support  2     31       0     3\n"
      "2   3002    Sales    0     0        3     1");
TABLE(agents, "Shows the agents: their state, since when, and at which phone.",
      "$ ctibus agents\n"
      "ID  NUMBER  NAME             STATE       SINCE  PHONE\n"
      "1   2001    Alice Martin     logged_out\n"
      "2   2002    Bob Tremblay     logged_out\n"
      "3   2003    Carole Lefèvre   available   1:07   1003\n"
      "...");
TABLE(users, "Shows the users: login, presence, profile and phones.",
      "$ ctibus users alice\n"
      "ID  LOGIN  NAME          PRESENCE   PROFILE        PHONES\n"
      "1   alice  Alice Martin  available  administrator  1");
