#include "tel_encode.h"
#include "base/array.h"

#include "base/utf8.h"
#include "msg/msg.h"

void tel_put_text(struct buf *out, struct view v, enum ami_charset charset)
{
    struct buf mended;

    if (utf8_valid(v)) {
        msg_put_str(out, v);
        return;
    }
    buf_init(&mended, 4 * AMI_MAX_BLOCK);
    ami_text(&mended, v, charset);
    msg_put_str(out, buf_view(&mended));
    buf_free(&mended);
}

/* A dialplan that writes UserEvent(X,Status: 1, Value: 2) makes a header " Value". */
static struct view name_of(const struct ami_block *b, unsigned i)
{
    return view_trim(b->headers[i].name);
}

/* Names are told apart by case here: the dialplan's CHANNEL is not Asterisk's Channel. */
static unsigned count_same(const struct ami_block *b, unsigned from, unsigned to, struct view name)
{
    unsigned n = 0;

    for (unsigned i = from; i < to; i++)
        n += view_eq(name_of(b, i), name);
    return n;
}

static void put_header(struct buf *out, const struct ami_block *b, unsigned i, unsigned times,
                       enum ami_charset charset)
{
    struct view name = name_of(b, i);

    tel_put_text(out, name, charset);
    if (times > 1)
        msg_put_array(out, times);
    for (; i < b->n; i++)
        if (view_eq(name_of(b, i), name))
            tel_put_text(out, b->headers[i].value, charset);
}

static void put_headers(struct buf *out, const struct tel_out *t, enum ami_charset charset)
{
    const struct ami_block *b = t->block;
    size_t mark = msg_map_begin(out);
    size_t names = 0;

    for (unsigned i = t->first_header; i < b->n; i++) {
        if (count_same(b, t->first_header, i, name_of(b, i)))
            continue;
        put_header(out, b, i, count_same(b, i, b->n, name_of(b, i)), charset);
        names++;
    }
    msg_map_end(out, mark, names);
}

/* ---- Asterisk's backslashes ---- */

/* What \x stands for; -1: nothing. A name has no use for control characters. */
static int unescaped(char x)
{
    if (x == '\\' || x == '"' || x == '\'' || x == '?')
        return x;
    return x && strchr("abfnrtv", x) ? ' ' : -1;
}

/* False where it cannot be the work of Asterisk, which leaves no quote and no backslash alone. */
static bool unescape(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        int c = (unsigned char)v.ptr[i];

        if (c == '"' || c == '\'')
            return false;
        if (c == '\\') {
            c = ++i < v.len ? unescaped(v.ptr[i]) : -1;
            if (c < 0)
                return false;
        }
        buf_append_char(out, (char)c);
    }
    return true;
}

/* Only what is said with a whole channel is escaped, and not of an old Asterisk (seen of 20), which
 * names no Linkedid there; a 1.8 may mean its DOMAIN\bob. */
static bool may_be_escaped(const struct tel_out *t, enum tel_field f, struct view v)
{
    static const char *const marks[] = {"Linkedid", "DestLinkedid", "ParkeeLinkedid"};

    if (f != TELF_callerid_name && f != TELF_connected_name && f != TELF_dest_callerid_name &&
        f != TELF_value)
        return false;
    if (!t->block || v.len == 0 || !memchr(v.ptr, '\\', v.len))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (ami_get(t->block, marks[i]).ptr)
            return true;
    return false;
}

static void put_field_text(struct buf *out, const struct tel_out *t, enum tel_field f,
                           enum ami_charset charset)
{
    struct view v = t->str[f];
    struct buf plain;

    if (!may_be_escaped(t, f, v)) {
        tel_put_text(out, v, charset);
        return;
    }
    buf_init(&plain, AMI_MAX_BLOCK);
    tel_put_text(out, unescape(&plain, v) ? buf_view(&plain) : v, charset);
    buf_free(&plain);
}

void tel_out_body(struct buf *out, const struct tel_out *t, enum ami_charset charset)
{
    msg_put_map(out, tel_set_count(&t->set));
    for (unsigned f = tel_set_next(&t->set, 0); f < TEL_FIELD_COUNT;
         f = tel_set_next(&t->set, f + 1)) {
        msg_put_str(out, schema_tel_field_name((enum tel_field)f));
        switch (schema_tel_field_type((enum tel_field)f)) {
        case T_INT:
            msg_put_i64(out, t->num[f]);
            break;
        case T_BOOL:
            msg_put_bool(out, t->num[f] != 0);
            break;
        case T_MAP:
            put_headers(out, t, charset);
            break;
        default:
            put_field_text(out, t, (enum tel_field)f, charset);
        }
    }
}
