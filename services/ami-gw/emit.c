/* Canonical events as rules emit them. */
#include "rules.h"

bool is_unknown(struct view v)
{
    static const struct view words[] = {VIEW("<unknown>"), VIEW("<null>"), VIEW("(null)"),
                                        VIEW("<Unknown>"), VIEW("<no name>")};

    if (v.len == 0)
        return true;
    if (v.ptr[0] != '<' && v.ptr[0] != '(')
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (view_eq(v, words[i]))
            return true;
    return false;
}

bool is_true(struct view v)
{
    int64_t n;

    if (view_to_i64(v, &n) == 0)
        return n != 0;
    return view_ieq(v, VIEW("yes")) || view_ieq(v, VIEW("on")) || view_ieq(v, VIEW("true")) ||
           view_starts(v, VIEW("By ")); /* "By admin", "By self" */
}

void tel_out_put_known(struct tel_out *o, enum tel_field f, struct view v)
{
    if (!is_unknown(v))
        tel_out_put(o, f, v);
}

void translator_emit(struct translator *t, struct tel_out *o)
{
    if (t->resync)
        tel_out_put_num(o, TELF_resync, 1);
    t->emit(t->arg, o);
}

void emit_pair(struct translator *t, enum tel_event ev, struct view channel, struct view uniqueid,
               struct view other, struct view other_uniqueid)
{
    struct tel_out o;

    tel_out_init(&o, ev);
    tel_out_put_known(&o, TELF_channel, channel);
    tel_out_put_known(&o, TELF_uniqueid, uniqueid);
    tel_out_put_known(&o, TELF_other, other);
    tel_out_put_known(&o, TELF_other_uniqueid, other_uniqueid);
    translator_emit(t, &o);
}
