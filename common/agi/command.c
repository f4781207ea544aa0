#include <errno.h>

#include "agi/agi.h"
#include "base/array.h"

#define END_OF_USAGE "520 End of proper usage."

/* Asterisk takes a command apart at blanks, with quotes and backslashes around and before what
 * holds some. */
static bool is_name(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '"' || c == '\\')
            return false;
    }
    return name.len > 0;
}

static void put_quoted(struct buf *out, struct view value)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
    }
    buf_append_char(out, '"');
}

int agi_put_set(struct buf *out, struct view name, struct view value)
{
    struct buf line;
    int rc;

    if (!is_name(name))
        return -EINVAL;
    buf_init(&line, AGI_MAX_COMMAND);
    buf_append_cstr(&line, "SET VARIABLE ");
    buf_append_view(&line, name);
    buf_append_char(&line, ' ');
    put_quoted(&line, value);
    buf_append_char(&line, '\n');
    rc = line.failed ? -EMSGSIZE : buf_append_view(out, buf_view(&line));
    buf_free(&line);
    return rc;
}

static enum agi_answer usage_read(struct agi_answers *a, struct view line)
{
    if (view_find(line, VIEW(END_OF_USAGE)) < 0)
        return AGI_PART;
    a->usage = false;
    return AGI_USAGE;
}

enum agi_answer agi_answer_read(struct agi_answers *a, struct view line)
{
    static const struct {
        struct view code;
        enum agi_answer answer;
    } codes[] = {
        {VIEW("200 "), AGI_DONE},
        {VIEW("510 "), AGI_UNKNOWN},
        {VIEW("511 "), AGI_DEAD},
        {VIEW("520 "), AGI_USAGE},
    };

    if (a->usage)
        return usage_read(a, line);
    if (view_trim(line).len == 0)
        return AGI_PART;
    if (view_eq(line, VIEW("HANGUP")))
        return AGI_HANGUP;
    if (view_starts(line, VIEW("520-"))) {
        a->usage = true;
        return usage_read(a, line);
    }
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (view_starts(line, codes[i].code))
            return codes[i].answer;
    return AGI_OTHER;
}
