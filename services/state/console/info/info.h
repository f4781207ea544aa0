/* Private to the files of INFO: what a command gets and how it answers. */
#ifndef CTIBUS_STATE_CONSOLE_INFO_INFO_H
#define CTIBUS_STATE_CONSOLE_INFO_INFO_H

#include "console/columns.h"
#include "console/internal.h"
#include "console/text.h"
#include "core/context.h"

#define INFO_MAX_WORDS 64
#define INFO_MAX_ANSWER                                                                            \
    ((size_t)4 << 20) /* bytes of an answer; the lines behind that are left out */

struct info_wait;

/* One console. */
struct info {
    struct console *console;
    struct state *state;
    struct line_client *line_client;
    struct buf out;         /* the answer so far */
    struct buf line;        /* scratch */
    bool cut;               /* a table was left out in part */
    bool trusted;           /* it has shown the token */
    struct info_wait *wait; /* an answer that comes later is under way, or NULL */
    struct dump *dump;      /* events that it wants to see (info_dump.c), or NULL */
};

/* A line taken apart: words with blanks between them; "" around a word keeps blanks. Views of the
 * line. */
struct info_words {
    size_t n;
    struct view word[INFO_MAX_WORDS];
    struct view rest[INFO_MAX_WORDS]; /* from word i to the end of the line */
};
/* 0; -E2BIG: there are too many; -EINVAL: a " without another. */
int info_split(struct view line, struct info_words *w);

enum info_end {
    INFO_OK,
    INFO_KO,
    INFO_LATER, /* info_wait_begin was called */
    INFO_BYE,   /* the connection ends */
    INFO_NO,    /* the same, and it was wrong */
};

/* word[0] is the command. The number of words has been checked. */
typedef enum info_end info_fn(struct info *i, const struct info_words *w);

struct info_command {
    const char *name, *args, *doc;
    unsigned min, max; /* words behind the name */
    info_fn *fn;
    bool changes; /* with words behind it, it does something: that is logged, and not for all */
};
/* Command number n of the table, or NULL. */
const struct info_command *info_command(size_t n);
const struct info_command *info_find(struct view name);

/* Adds a line to the answer; whatever it is made of, it is one. */
void info_line(struct info *i, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds a table, and frees it. */
void info_table(struct info *i, struct columns *c);
/* A line that says what is wrong, and INFO_KO. */
enum info_end info_wrong(struct info *i, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* An answer that comes later. `info` becomes NULL when the console goes: the one who waits frees
 * his own, and calls nothing of it. */
struct info_wait {
    struct info *info;
};
/* Sends what there is of the answer, and how it ended. */
void info_end_answer(struct info *i, enum info_end how);
/* No further line is read until info_wait_end. */
void info_wait_begin(struct info *i, struct info_wait *w);
/* The answer is complete. w is over. */
void info_wait_end(struct info_wait *w, enum info_end how);

/* Seconds since 1970 as a date in UTC; "-" for 0. */
#define INFO_DATE 32
const char *info_date(double seconds, char out[INFO_DATE]);
/* A value as a cell: lists with commas, maps as JSON. Appended to out. */
void info_put_value(struct buf *out, const struct value *v);

/* ---- the commands, by file ---- */
info_fn info_help, info_exit;                                    /* info_table.c */
info_fn info_list, info_showlist, info_outcalls, info_phonebook; /* info_lists.c */
info_fn info_currentstatus;                                      /* info_status.c */
info_fn info_infos, info_loglevel, info_fdlist, info_var, info_varsizes,
    info_devcheckevents;                                   /* info_process.c */
info_fn info_token;                                        /* info_token.c */
info_fn info_logged, info_logged_ip, info_kick, info_disc; /* info_sessions.c */
info_fn info_xivos, info_show_ami, info_ami;               /* info_ami.c */
info_fn info_explain;                                      /* info_explain.c */
info_fn info_dumpami;                                      /* info_dump.c */
info_fn info_reverse, info_sheet, info_webs;               /* info_lookup.c */

/* The fields of a list that a table shows of it (ended by -1), or NULL. */
const int *info_fields_of(enum xod_list list);

#endif
