/* Rules about the bridges of Asterisk 12 and later: a plain call of two is told as two channels
 * that talk to each other, everything else as a bridge. */
#include <stdlib.h>

#include "rules.h"

static void emit_members(struct translator *t, enum tel_event ev, const struct bridge_member *a,
                         const struct bridge_member *b)
{
    emit_pair(t, ev, view_cstr(a->channel), view_cstr(a->uniqueid), view_cstr(b->channel),
              view_cstr(b->uniqueid));
}

static void link_two(struct translator *t, const struct bridge *br)
{
    /* The called one enters first, as a rule. */
    emit_members(t, TEL_call_link, br->member[1], br->member[0]);
}

static bool is_pair(const struct bridge *br)
{
    return br->basic && br->n == 2;
}

void bridge_left(struct translator *t, struct bridge *br, struct tel_out *o)
{
    struct view channel = tel_out_str(o, TELF_channel);
    bool more = !br->basic || br->n > 2;
    bool first = br->n > 0 && view_eq(view_cstr(br->member[0]->channel), channel);
    bool second = br->n > 1 && view_eq(view_cstr(br->member[1]->channel), channel);

    if (is_pair(br) && (first || second))
        emit_members(t, TEL_call_unlink, br->member[second], br->member[first]);
    if (!bridges_remove(t->bridges, br, channel) || !more)
        return;
    o->event = TEL_bridge_leave;
    tel_out_put_num(o, TELF_count, br->n);
    translator_emit(t, o);
    if (is_pair(br))
        link_two(t, br);
}

void bridge_leave_untold(struct translator *t, struct bridge *br, struct view channel)
{
    struct tel_out leave;

    tel_out_init(&leave, TEL_bridge_leave);
    tel_out_put(&leave, TELF_bridge, view_cstr(br->id));
    tel_out_put(&leave, TELF_channel, channel);
    bridge_left(t, br, &leave);
}

void bridge_entered(struct translator *t, struct bridge *br, struct tel_out *o)
{
    struct view channel = tel_out_str(o, TELF_channel);
    struct bridge *before = bridges_of(t->bridges, channel);

    if (before && before != br) /* a channel is in one bridge at a time */
        bridge_leave_untold(t, before, channel);
    if (!bridges_add(t->bridges, br, channel, tel_out_str(o, TELF_uniqueid)))
        return;
    if (is_pair(br)) {
        link_two(t, br);
        return;
    }
    if (br->basic && br->n == 3) /* a call of two becomes one of three */
        emit_members(t, TEL_call_unlink, br->member[1], br->member[0]);
    if (!br->basic || br->n > 2) {
        o->event = TEL_bridge_enter;
        tel_out_put_num(o, TELF_count, br->n);
        translator_emit(t, o);
    }
}

static struct bridge *bridge_in(struct translator *t, const struct ami_block *b,
                                const struct tel_out *o)
{
    return bridges_get(t->bridges, tel_out_str(o, TELF_bridge), ami_get(b, "BridgeType"),
                       ami_get(b, "BridgeTechnology"));
}

void rule_bridge_create(struct translator *t, const struct table_row *row,
                        const struct ami_block *b, struct tel_out *o)
{
    struct bridge *br = bridge_in(t, b, o);

    if (br && !br->basic)
        translator_emit(t, o);
}

void rule_bridge_enter(struct translator *t, const struct table_row *row, const struct ami_block *b,
                       struct tel_out *o)
{
    struct bridge *br = bridge_in(t, b, o);

    if (br && tel_out_str(o, TELF_channel).len)
        bridge_entered(t, br, o);
}

void rule_bridge_leave(struct translator *t, const struct table_row *row, const struct ami_block *b,
                       struct tel_out *o)
{
    struct bridge *br = bridge_in(t, b, o);

    if (br && tel_out_str(o, TELF_channel).len)
        bridge_left(t, br, o);
}

/* A bridge is gone: it has no channels. False without memory. */
static bool leave_first(struct translator *t, struct bridge *br)
{
    char *channel = view_dup(view_cstr(br->member[0]->channel));

    if (!channel)
        return false;
    bridge_leave_untold(t, br, view_cstr(channel));
    free(channel);
    return true;
}

void rule_bridge_destroy(struct translator *t, const struct table_row *row,
                         const struct ami_block *b, struct tel_out *o)
{
    struct bridge *br = bridges_find(t->bridges, tel_out_str(o, TELF_bridge));

    while (br && br->n && leave_first(t, br))
        ;
    if (br && !br->basic)
        translator_emit(t, o);
    bridges_drop(t->bridges, tel_out_str(o, TELF_bridge));
}
