#include "rewrite.h"

#include <errno.h>
#include <stdlib.h>

enum id_kind { EPOCH, SUFFIX, UUID };

#define EPOCH_DIGITS 10
#define HEX_DIGITS 8
#define UUID_TAIL 12
#define MONTH (30u * 86400)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How many lower-case hexadecimal digits stand at text[at], and the value of the last eight. */
static size_t read_hex(struct view text, size_t at, uint32_t *value)
{
    size_t n = 0;

    for (*value = 0; at + n < text.len && hex_value(text.ptr[at + n]) >= 0; n++)
        *value = (*value << 4) | (uint32_t)hex_value(text.ptr[at + n]);
    return at + n < text.len && is_word(text.ptr[at + n]) ? 0 : n;
}

/* The number that ends before the point at `dot`, when it is of ten digits and a counter follows.
 */
static bool read_epoch(struct view text, size_t dot, uint32_t *value)
{
    size_t at = dot - EPOCH_DIGITS;
    uint64_t n = 0;

    if (dot < EPOCH_DIGITS || dot + 1 >= text.len || !is_digit(text.ptr[dot + 1]))
        return false;
    if (at > 0 && (is_word(text.ptr[at - 1]) || text.ptr[at - 1] == '.'))
        return false;
    for (; at < dot; at++) {
        if (!is_digit(text.ptr[at]))
            return false;
        n = n * 10 + (uint64_t)(text.ptr[at] - '0');
    }
    *value = (uint32_t)n;
    return n <= UINT32_MAX;
}

/* A channel's name is a technology in letters, a '/', and no blank up to its suffix. */
static bool after_channel_name(struct view text, size_t dash)
{
    size_t at = dash, letters;

    while (at > 0 && !strchr(" \t\r\n:,(\"=&|", text.ptr[at - 1]))
        at--;
    for (letters = 0; at + letters < dash && is_word(text.ptr[at + letters]); letters++)
        ;
    return letters > 0 && at + letters < dash && text.ptr[at + letters] == '/' &&
           !is_digit(text.ptr[at]);
}

static bool is_uuid_tail(struct view text, size_t dash)
{
    return dash >= 23 && text.ptr[dash - 5] == '-' && text.ptr[dash - 10] == '-' &&
           text.ptr[dash - 15] == '-' && hex_value(text.ptr[dash - 23]) >= 0;
}

static int add(struct rewrite *r, enum id_kind kind, size_t off, uint32_t value)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 4096;
        struct id_place *more = realloc(r->places, cap * sizeof(*more));
        if (!more)
            return -ENOMEM;
        r->places = more;
        r->cap = cap;
    }
    r->places[r->n++] =
        (struct id_place){.off = (uint32_t)off, .value = value, .kind = (uint8_t)kind};
    return 0;
}

static void widen(uint32_t value, uint32_t *min, uint32_t *max)
{
    if (value < *min)
        *min = value;
    if (value > *max)
        *max = value;
}

/* Numbers like an epoch that are far from the first unique id are something else. */
static bool near(const struct rewrite *r, uint32_t value)
{
    uint32_t first = r->max_epoch;

    return first == 0 || (value < first + MONTH && value + MONTH > first);
}

static int at_dot(struct rewrite *r, struct view text, size_t dot)
{
    uint32_t value;

    if (!read_epoch(text, dot, &value) || !near(r, value))
        return 0;
    widen(value, &r->min_epoch, &r->max_epoch);
    return add(r, EPOCH, dot - EPOCH_DIGITS, value);
}

/* Those of bridges stand in headers such as BridgeUniqueid; users have some, too, in the names of
 * extensions and members (Wazo), which are the same in each loop. */
static bool is_of_a_bridge(struct view text, size_t at)
{
    const char *line = memrchr(text.ptr, '\n', at);
    struct view rest = view_of(line ? line + 1 : text.ptr, 0);

    rest.len = (size_t)(text.ptr + at - rest.ptr);
    return view_find(view_cut(&rest, ':'), VIEW("ridge")) >= 0;
}

static int at_dash(struct rewrite *r, struct view text, size_t dash)
{
    uint32_t value;
    size_t n = read_hex(text, dash + 1, &value);

    if (n == UUID_TAIL && is_uuid_tail(text, dash) && !is_of_a_bridge(text, dash))
        return 0;
    if (n == UUID_TAIL && is_uuid_tail(text, dash))
        return add(r, UUID, dash + 1 + UUID_TAIL - HEX_DIGITS, value);
    if (n != HEX_DIGITS || !after_channel_name(text, dash))
        return 0;
    widen(value, &r->min_suffix, &r->max_suffix);
    return add(r, SUFFIX, dash + 1, value);
}

int rewrite_init(struct rewrite *r, const struct capture *c)
{
    struct view text = buf_view(&c->bytes);
    int rc = 0;

    *r = (struct rewrite){.min_epoch = UINT32_MAX, .min_suffix = UINT32_MAX};
    for (size_t i = 0; i < text.len && rc == 0; i++) {
        if (text.ptr[i] == '.')
            rc = at_dot(r, text, i);
        else if (text.ptr[i] == '-')
            rc = at_dash(r, text, i);
    }
    if (rc < 0)
        rewrite_free(r);
    if (r->max_epoch == 0)
        r->min_epoch = 0;
    if (r->min_suffix > r->max_suffix)
        r->min_suffix = r->max_suffix = 0;
    return rc;
}

void rewrite_free(struct rewrite *r)
{
    free(r->places);
    r->places = NULL;
    r->n = r->cap = 0;
}

void rewrite_next_loop(struct rewrite *r, uint64_t now)
{
    uint32_t epoch_add = (uint32_t)now - r->min_epoch;

    if (r->loop > 0) {
        uint32_t least = r->epoch_add + (r->max_epoch - r->min_epoch) + 1;
        if ((int32_t)(least - epoch_add) > 0)
            epoch_add = least;
        r->suffix_add += r->max_suffix - r->min_suffix + 1;
        r->uuid_flip++;
    }
    r->epoch_add = epoch_add;
    r->next = 0;
    r->loop++;
}

static void write_decimal(char *p, uint32_t value)
{
    for (int i = EPOCH_DIGITS - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void write_hex(char *p, uint32_t value)
{
    for (int i = HEX_DIGITS - 1; i >= 0; i--) {
        p[i] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

void rewrite_event(struct rewrite *r, struct capture *c, const struct sim_event *e)
{
    char *bytes = c->bytes.mem + c->bytes.start;

    for (; r->next < r->n && r->places[r->next].off < e->off + e->len; r->next++) {
        const struct id_place *p = &r->places[r->next];
        if (p->kind == EPOCH)
            write_decimal(bytes + p->off, p->value + r->epoch_add);
        else if (p->kind == SUFFIX)
            write_hex(bytes + p->off, p->value + r->suffix_add);
        else
            write_hex(bytes + p->off, p->value ^ r->uuid_flip);
    }
}
