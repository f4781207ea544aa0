/*
 * The reader. It goes line by line: each LF ends a line, one CR before it belongs to the line end.
 * Every decision is taken on whole lines and on offsets inside the block, never on how many bytes
 * happen to be there: that is what makes the result independent of the split.
 *
 * The loop keeps the invariant: everything before `base` is consumed, and p's offsets count from
 * there. A block begins at offset 0.
 */
#include <assert.h>

#include "ami/ami.h"

enum mode {
    START,        /* between blocks */
    HEADERS,      /* in a block of headers */
    RAW,          /* in raw text, up to an empty line */
    FOLLOWS,      /* after "Response: Follows": its few headers, then raw text up to the end mark */
    SKIP,         /* dropping lines up to an empty one */
    SKIP_FOLLOWS, /* dropping the raw text of a Command */
    TRIM /* in a block of headers that is over a bound: its lines go to `kept`, or nowhere */
};

/* What to do after a line. */
enum step {
    GO_ON,     /* it belongs to the block */
    DROP,      /* it belongs to none: consume it */
    DONE,      /* it ends the block and is consumed with it */
    DONE_WITH, /* it is the last one of the block */
    CUT,       /* the block ends at p->line, where another begins: read that line again */
    OVER,      /* it is one line too many: trim the block, and read that line again */
    TRIMMED,   /* it ends the block in `kept` and is consumed */
    CUT_KEPT   /* it begins another block than that in `kept`: read it again */
};

static const struct view end_mark = VIEW("--END COMMAND--");

void ami_parser_init(struct ami_parser *p)
{
    memset(p, 0, offsetof(struct ami_parser, lines)); /* the arrays need none: they are large */
    p->kind = AMI_OTHER;
}

static void next_block(struct ami_parser *p)
{
    p->mode = START;
    p->kind = AMI_OTHER;
    p->exempt = false;
    p->mid_line = p->blank = false;
    p->scan = p->line = p->text = p->n = p->ident = p->kept_len = 0;
}

static bool starts_block(struct view line)
{
    return view_starts(line, VIEW("Event: ")) || view_starts(line, VIEW("Response: "));
}

/* Where the name of a header line ends, or NULL when it has none. */
static const char *name_end(struct view line)
{
    const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
    ptrdiff_t at;

    /* ChanVariable(SIP/[2001:db8::1]-00000001): a channel's name may hold colons. */
    if (colon && line.len > 14 && line.ptr[12] == '(' && view_starts(line, VIEW("ChanVariable("))) {
        at = view_find(line, VIEW("):"));
        if (at > 0)
            return line.ptr + at + 1;
    }
    return colon == line.ptr ? NULL : colon;
}

static bool is_header(struct view line)
{
    const char *end = name_end(line);

    return end && !memchr(line.ptr, ' ', (size_t)(end - line.ptr)) &&
           !memchr(line.ptr, '\t', (size_t)(end - line.ptr));
}

static struct view value_after(struct view line, const char *colon)
{
    const char *end = line.ptr + line.len;

    for (colon++; colon < end && (*colon == ' ' || *colon == '\t'); colon++)
        ;
    return view_of(colon, (size_t)(end - colon));
}

static bool named(struct view line, struct view name)
{
    return line.len > name.len && line.ptr[name.len] == ':' &&
           view_ieq(view_of(line.ptr, name.len), name);
}

/* The first of Event, Response and Action tells what the block is; later ones are plain headers:
 * OriginateResponse has a Response, the action QueueLog has an Event. */
static void identify(struct ami_parser *p, struct view line)
{
    struct view value;

    if (named(line, VIEW("Event")))
        p->kind = AMI_EVENT;
    else if (named(line, VIEW("Response")))
        p->kind = AMI_RESPONSE;
    else if (named(line, VIEW("Action")))
        p->kind = AMI_ACTION;
    else
        return;
    p->ident = p->n;
    value = value_after(line, name_end(line));
    if (p->kind == AMI_EVENT)
        p->exempt = view_eq(value, VIEW("OriginateResponse")) || view_eq(value, VIEW("UserEvent"));
    if (p->kind == AMI_RESPONSE && view_eq(value, VIEW("Follows")))
        p->mode = FOLLOWS;
}

/* The line from `start` to `end`, without its end. */
static struct view line_of(const char *block, uint32_t start, uint32_t end)
{
    size_t len = end - start - 1;

    if (len && block[start + len - 1] == '\r')
        len--;
    return view_of(block + start, len);
}

static enum step keep_line(struct ami_parser *p, size_t end)
{
    if (p->n == AMI_MAX_HEADERS)
        return OVER;
    p->lines[p->n++] = p->line;
    p->lines[p->n] = (uint32_t)end;
    return GO_ON;
}

/* "PBX Call Manager/9.0.0", whatever it calls itself. */
static bool is_greeting(struct view line)
{
    const char *slash = line.len ? memrchr(line.ptr, '/', line.len) : NULL;
    const char *end = line.ptr + line.len;

    if (view_starts(line, VIEW("Asterisk Call Manager")))
        return true;
    if (!slash || slash + 1 == end || slash[1] < '0' || slash[1] > '9' || is_header(line))
        return false;
    for (const char *c = slash + 1; c < end; c++)
        if ((unsigned char)*c <= ' ' || *c == ':')
            return false;
    return true;
}

static enum step first_line(struct ami_parser *p, struct view line, size_t end)
{
    if (line.len == 0)
        return DROP;
    if (p->greeted ? view_starts(line, VIEW("Asterisk Call Manager")) : is_greeting(line)) {
        p->greeted = true;
        p->kind = AMI_BANNER;
        return DONE_WITH;
    }
    p->greeted = true;
    if (!is_header(line)) {
        p->mode = RAW;
        return GO_ON;
    }
    p->mode = HEADERS;
    identify(p, line);
    return keep_line(p, end);
}

/* Two events torn into one another: a second Event or Response line begins another block. A user
 * event may have a header called so; there the Privilege line that follows in a real one tells. */
static enum step torn_line(struct ami_parser *p, struct view line, const char *block)
{
    uint32_t before = p->n ? p->lines[p->n - 1] : 0;

    if (p->kind == AMI_ACTION)
        return GO_ON;
    if (line.ptr[0] == 'P') {
        if (!p->exempt || p->n < 2 || p->ident == p->n - 1 ||
            !view_starts(view_of(block + before, p->line - before), VIEW("Event: ")))
            return GO_ON;
        p->line = before;
        p->n--;
        return CUT;
    }
    return starts_block(line) && !p->exempt ? CUT : GO_ON;
}

static enum step header_line(struct ami_parser *p, struct view line, const char *block, size_t end)
{
    if (line.len == 0)
        return DONE;
    switch (line.ptr[0]) {
    case 'E':
    case 'e':
    case 'R':
    case 'r':
    case 'A':
    case 'a':
        if (p->kind == AMI_OTHER)
            identify(p, line);
        else if (torn_line(p, line, block) == CUT)
            return CUT;
        break;
    case 'P':
        if (p->exempt && view_starts(line, VIEW("Privilege: ")) && torn_line(p, line, block) == CUT)
            return CUT;
        break;
    default:
        break;
    }
    return keep_line(p, end);
}

static enum step raw_line(struct view line)
{
    if (line.len == 0)
        return DONE;
    return starts_block(line) || view_starts(line, VIEW("Action: ")) ? CUT : GO_ON;
}

/* The mark stands at the end of the last line when the output did not end in a line end. */
static bool has_end_mark(struct view line)
{
    return line.len >= end_mark.len &&
           view_eq(view_of(line.ptr + line.len - end_mark.len, end_mark.len), end_mark);
}

static enum step follows_line(struct ami_parser *p, struct view line, size_t end)
{
    if (has_end_mark(line)) {
        if (p->text == 0)
            p->text = p->line;
        return DONE_WITH;
    }
    if (p->text == 0 && (named(line, VIEW("Privilege")) || named(line, VIEW("ActionID"))))
        return keep_line(p, end);
    if (p->text == 0)
        p->text = p->line;
    return GO_ON;
}

/* `line` is empty-but-not-null for a line too long to look at. */
static enum step skipped_line(struct ami_parser *p, struct view line, bool whole)
{
    bool blank = whole && line.len == 0;

    if (p->mode == SKIP) {
        if (blank)
            next_block(p);
        return DROP;
    }
    if (whole && p->blank && starts_block(line)) {
        next_block(p);
        return CUT;
    }
    p->blank = blank;
    if (whole && has_end_mark(line))
        next_block(p);
    return DROP;
}

/* ---- blocks over a bound ---- */

static bool is_variable(struct view line)
{
    return line.len > 12 && view_ieq(view_of(line.ptr, 12), VIEW("ChanVariable"));
}

static bool fits_kept(const struct ami_parser *p, struct view line)
{
    return line.len <= AMI_TRIMMED_LINE && p->kept_len + line.len + 1 <= sizeof(p->kept) &&
           p->n < AMI_MAX_HEADERS;
}

static void keep_trimmed(struct ami_parser *p, struct view line)
{
    if (is_variable(line))
        return;
    if (!fits_kept(p, line)) {
        p->counts.lost_lines += p->kind != AMI_RESPONSE;
        return;
    }
    if (p->kind == AMI_OTHER && line.len)
        identify(p, line);
    p->mode = TRIM; /* whatever it was identified as */
    p->lines[p->n++] = p->kept_len;
    memcpy(p->kept + p->kept_len, line.ptr, line.len);
    p->kept_len += (uint32_t)line.len;
    p->kept[p->kept_len++] = '\n';
    p->lines[p->n] = p->kept_len;
}

/* Of a line that is not whole `line` is some of it. */
static enum step trimmed_line(struct ami_parser *p, struct view line, bool whole)
{
    if (!whole) {
        bool variable = p->mid_line ? p->variable : is_variable(line);
        p->counts.lost_lines += !variable && p->kind != AMI_RESPONSE;
        return DROP;
    }
    if (line.len == 0)
        return TRIMMED;
    if (starts_block(line) && !p->exempt && p->kind != AMI_OTHER && p->kind != AMI_ACTION)
        return CUT_KEPT;
    keep_trimmed(p, line);
    return DROP;
}

static enum step take_line(struct ami_parser *p, const char *block, size_t end)
{
    size_t len = end - p->line - 1;
    struct view line;

    if (len && block[end - 2] == '\r')
        len--;
    line = view_of(block + p->line, len);
    if (p->mode == TRIM)
        return trimmed_line(p, line, !p->mid_line && end - p->line <= AMI_MAX_BLOCK);
    if (p->mode >= SKIP)
        return skipped_line(p, line, !p->mid_line && end - p->line <= AMI_MAX_BLOCK);
    switch (p->mode) {
    case HEADERS:
        return header_line(p, line, block, end);
    case START:
        return first_line(p, line, end);
    case RAW:
        return raw_line(line);
    default:
        return follows_line(p, line, end);
    }
}

static struct view header_at(const struct ami_parser *p, const char *block, unsigned i)
{
    return line_of(block, p->lines[i], p->lines[i + 1]);
}

/* A line of what a Command said keeps its indentation: only the one blank of the protocol goes. */
static struct view output_after(struct view line, const char *colon)
{
    const char *end = line.ptr + line.len;

    colon++;
    if (colon < end && *colon == ' ')
        colon++;
    return view_of(colon, (size_t)(end - colon));
}

static unsigned split_headers(struct ami_parser *p, const char *block)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->n; i++) {
        struct view line = header_at(p, block, i);
        const char *colon = name_end(line);
        if (!colon) {
            p->counts.garbage_lines++;
            continue;
        }
        p->headers[n].name = view_of(line.ptr, (size_t)(colon - line.ptr));
        p->headers[n].value = view_ieq(p->headers[n].name, VIEW("Output"))
                                  ? output_after(line, colon)
                                  : value_after(line, colon);
        n++;
    }
    return n;
}

static struct view banner_version(struct view raw)
{
    const char *end = memchr(raw.ptr, '\n', raw.len);
    struct view line = view_of(raw.ptr, end ? (size_t)(end - raw.ptr) : raw.len);
    const char *slash = memrchr(line.ptr, '/', line.len);
    struct view rest =
        slash ? view_of(slash + 1, line.len - (size_t)(slash + 1 - line.ptr)) : view_of(NULL, 0);

    while (rest.len && (rest.ptr[rest.len - 1] == '\n' || rest.ptr[rest.len - 1] == '\r'))
        rest.len--;
    return rest;
}

static struct view raw_text(const struct ami_parser *p, struct view raw)
{
    struct view text = view_of(raw.ptr + p->text, raw.len - p->text);

    if (p->mode == RAW)
        return raw;
    if (p->mode != FOLLOWS)
        return view_of(NULL, 0);
    while (text.len && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    text.len -= end_mark.len;
    return text;
}

/* Hands over the block in [block, block + len); the reader is at the next block before fn runs. */
static bool deliver(struct ami_parser *p, const char *block, size_t len, ami_block_fn *fn,
                    void *arg)
{
    struct ami_block b = {.kind = (enum ami_kind)p->kind, .raw = view_of(block, len)};

    p->counts.blocks++;
    if (b.kind == AMI_BANNER) {
        b.name = banner_version(b.raw);
    } else if (b.kind != AMI_OTHER) {
        struct view line = header_at(p, block, p->ident);
        b.name = value_after(line, name_end(line));
    }
    if (b.kind == AMI_EVENT && p->want && !p->want(arg, b.name)) {
        p->counts.unwanted++;
        next_block(p);
        return true;
    }
    b.text = raw_text(p, b.raw);
    b.n = split_headers(p, block);
    b.headers = p->headers;
    b.trimmed = p->mode == TRIM;
    next_block(p);
    return fn(arg, &b);
}

/* Moves the lines read so far to `kept`. */
static void enter_trim(struct ami_parser *p, const char *block)
{
    uint32_t at[AMI_MAX_HEADERS + 1];
    unsigned n = p->n;

    memcpy(at, p->lines, (n + 1) * sizeof(at[0]));
    p->counts.trimmed++;
    p->n = p->ident = p->kept_len = 0;
    p->kind = AMI_OTHER; /* identified again, by the line that is kept */
    p->mode = TRIM;
    for (unsigned i = 0; i < n; i++)
        keep_trimmed(p, line_of(block, at[i], at[i + 1]));
}

/* The block has grown past its bound: what is left of it, from this line on, is trimmed or dropped.
 */
static void go_over(struct ami_parser *p, const char *block)
{
    if (p->mode == HEADERS) {
        enter_trim(p, block);
    } else {
        p->counts.skipped++;
        p->mode = p->mode == FOLLOWS ? SKIP_FOLLOWS : SKIP;
        p->blank = false;
    }
    p->line = p->scan = 0;
}

/* No line end in the rest: remembers how far it looked. Returns the new base. */
static size_t partial_line(struct ami_parser *p, struct view in, size_t base)
{
    if (p->mode < SKIP && in.len - base >= AMI_MAX_BLOCK) {
        const char *block = in.ptr + base;
        base += p->line;
        go_over(p, block);
    }
    p->scan = (uint32_t)(in.len - base);
    if (p->mode >= SKIP && (p->mid_line || p->scan >= AMI_MAX_BLOCK)) {
        if (!p->mid_line)
            p->variable = is_variable(view_of(in.ptr + base, in.len - base));
        p->mid_line = true;
        p->line = p->scan = 0;
        return in.len;
    }
    return base;
}

/* Moves on past the line that ends at `end` (an offset in the block). Returns the new base. */
static size_t after_line(struct ami_parser *p, enum step step, size_t base, size_t end)
{
    if (step == GO_ON) {
        p->line = p->scan = (uint32_t)end;
        return base;
    }
    assert(step == DROP);
    p->mid_line = false;
    p->line = p->scan = 0;
    return base + end;
}

size_t ami_parse(struct ami_parser *p, struct view in, ami_block_fn *fn, void *arg)
{
    size_t base = 0;

    for (;;) {
        const char *block = in.ptr + base;
        size_t avail = in.len - base;
        const char *lf = avail > p->scan ? memchr(block + p->scan, '\n', avail - p->scan) : NULL;
        size_t end, len;
        enum step step;

        if (!lf)
            return partial_line(p, in, base);
        end = (size_t)(lf - block) + 1;
        step = p->mode < SKIP && end > AMI_MAX_BLOCK ? OVER : take_line(p, block, end);
        if (step == OVER) {
            base += p->line;
            go_over(p, block);
            continue;
        }
        if (step == GO_ON || step == DROP) {
            base = after_line(p, step, base, end);
            continue;
        }
        if (step == CUT && p->line == 0) /* a fresh block after skipped text: read the line again */
            continue;
        len = step == DONE_WITH ? end : p->line;
        if (step == CUT || step == CUT_KEPT) {
            p->counts.torn++;
            end = p->line;
        }
        base += end;
        if (step == TRIMMED || step == CUT_KEPT) {
            block = p->kept;
            len = p->kept_len;
        }
        if (!deliver(p, block, len, fn, arg))
            return base;
    }
}
