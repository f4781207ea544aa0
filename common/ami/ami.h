/*
 * AMI messages: an incremental reader for both directions and a writer of actions.
 *
 * The reader is pure (no sockets, no clock, no memory of its own beyond the struct) and tolerant:
 * it takes what Asterisk 1.8 to 22 really send. Whatever the split of the input into
 * pieces, the same blocks come out. All views given to the callback point into the bytes just fed
 * or into the struct, and die with the call; values are raw bytes, ami_text() mends them.
 */
#ifndef CTIBUS_AMI_AMI_H
#define CTIBUS_AMI_AMI_H

#include "base/buf.h"

#define AMI_MAX_BLOCK 65536 /* bytes of a block, its last line end included */
#define AMI_MAX_HEADERS 512 /* lines of a block (raw text excepted) */
/* Of a block of headers that is over one of these bounds so much is still told: its lines up to so
 * many bytes each and together, but no variables of channels, which are what makes blocks large. */
#define AMI_TRIMMED_LINE 4096
#define AMI_TRIMMED_BLOCK 16384

enum ami_kind {
    AMI_BANNER,   /* name: what follows the '/', "9.0.0" */
    AMI_EVENT,    /* name: the event */
    AMI_RESPONSE, /* name: "Success", "Error", "Goodbye", "Follows"... */
    AMI_ACTION,   /* name: the action, trailing blanks kept as Asterisk does */
    AMI_OTHER     /* neither: raw text (n == 0), or headers that say none of the three */
};

struct ami_header {
    struct view name;
    struct view value; /* blanks in front are left out */
};

struct ami_block {
    enum ami_kind kind;
    struct view name;
    const struct ami_header *headers; /* in order of arrival; lines without a name are left out */
    unsigned n;
    struct view raw;  /* all its bytes but the empty line at its end */
    bool trimmed;     /* it was over a bound: some of its lines are left out */
    struct view text; /* raw lines: of an old Command answer without the end mark, or of raw text */
};

/* What was read since ami_parser_init. blocks = delivered ones + unwanted ones. */
struct ami_counts {
    uint64_t blocks;
    uint64_t unwanted;      /* events that `want` refused */
    uint64_t skipped;       /* blocks of raw text over AMI_MAX_BLOCK, told not at all */
    uint64_t trimmed;       /* blocks of headers over a bound, told in part */
    uint64_t lost_lines;    /* lines of such events that were left out, but for variables */
    uint64_t garbage_lines; /* lines without a name, inside delivered blocks with headers */
    uint64_t torn;          /* blocks ended by the first line of the next one */
};

/* Called for a whole block. False stops ami_parse after this block: then the parser is not touched
 * any more, so it may have been destroyed. */
typedef bool ami_block_fn(void *arg, const struct ami_block *block);

/* Asked with an event's name; false: the block is only counted. Same `arg` as the block function.
 */
typedef bool ami_want_fn(void *arg, struct view event);

/* Read its counts, leave the rest alone. About 35 KiB. */
struct ami_parser {
    ami_want_fn *want; /* set after ami_parser_init; NULL: everything is wanted */
    struct ami_counts counts;
    /* Where the reader stands. Offsets are from the first byte not yet consumed, which is the first
     * of the block that has begun: that is why they stay true when the bytes move. */
    uint8_t mode;
    uint8_t kind;
    bool greeted;   /* the first line has come: only that one can be a greeting of any name */
    bool mid_line;  /* skipping: the start of this line is already consumed */
    bool blank;     /* skipping raw text: the last line was empty */
    bool variable;  /* trimming: the line that is too long is a variable */
    bool exempt;    /* an event that may have Event or Response headers of its own */
    uint32_t scan;  /* bytes before it hold no line end after `line` */
    uint32_t line;  /* start of the unfinished line */
    uint32_t text;  /* start of the raw text */
    uint32_t n;     /* lines in `lines` */
    uint32_t ident; /* the line that told the kind */
    uint32_t lines[AMI_MAX_HEADERS + 1]; /* start of each line, and of what follows the last */
    struct ami_header headers[AMI_MAX_HEADERS];
    uint32_t kept_len;
    char kept[AMI_TRIMMED_BLOCK]; /* the lines of a block that is over a bound; `lines` are of it */
};

/* Ready for the first byte of a connection; call it again for the next connection. */
void ami_parser_init(struct ami_parser *p);

/* Reads `in`: what the last call left, followed by what came since. Returns how many bytes are done
 * with, always leaving less than AMI_MAX_BLOCK. Bytes shown again are not read again. */
size_t ami_parse(struct ami_parser *p, struct view in, ami_block_fn *fn, void *arg);

/* The value of the first header of that name, without regard to case: ptr is NULL when there is
 * none, not NULL when it is there and empty. */
struct view ami_get_view(const struct ami_block *b, struct view name);

/* The value of the nth (from 0) header of that name, as above. */
struct view ami_get_n(const struct ami_block *b, struct view name, unsigned nth);

static inline struct view ami_get(const struct ami_block *b, const char *name)
{
    return ami_get_view(b, view_of(name, strlen(name)));
}

static inline bool ami_is_event(const struct ami_block *b, const char *name)
{
    return b->kind == AMI_EVENT && view_ieq(b->name, view_of(name, strlen(name)));
}

/* How the Message of an Error begins, in all versions: there is no such action (its module is not
 * loaded), or manager.conf does not permit it to us. */
static inline bool ami_is_unknown(struct view message)
{
    return view_starts(message, VIEW("Invalid/unknown command"));
}

static inline bool ami_is_denied(struct view message)
{
    return view_starts(message, VIEW("Permission denied"));
}

/* How to read bytes that are not UTF-8. */
enum ami_charset {
    AMI_CHARSET_UTF8,  /* each maximal bad part becomes U+FFFD */
    AMI_CHARSET_LATIN1 /* the whole value is taken for Latin-1 */
};

/* Appends v as good UTF-8. 0, or what buf_append returns. */
int ami_text(struct buf *out, struct view v, enum ami_charset fallback);

/* An action being written at the end of `out` (borrowed). A wrong header makes the whole action
 * unusable: ami_action_end then takes it back and tells why. */
struct ami_action {
    struct buf *out;
    size_t start; /* buf_len before it */
    int err;
};

void ami_action_begin(struct ami_action *a, struct buf *out, struct view action);

/* 0; -EINVAL for a name that is empty or holds ':', a blank, or for CR, LF or NUL in either; or
 * what buf_append returns. */
int ami_action_header(struct ami_action *a, struct view name, struct view value);

/* 0, or the first error, with `out` as it was before ami_action_begin. */
int ami_action_end(struct ami_action *a);

#endif
