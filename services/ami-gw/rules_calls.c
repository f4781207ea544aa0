/* Rules about calls and the names of channels; of Asterisk before 12 also who talks to whom. */
#include <stdlib.h>

#include "rules.h"

/* ---- two channels talk (before 12) ---- */

static void tell_unlink(struct translator *t, struct pair *pair)
{
    bool resync = t->resync;

    t->resync = false;
    call_links_unlink(t->pairs, view_cstr(pair->channel), view_cstr(pair->other));
    emit_pair(t, TEL_call_unlink, view_cstr(pair->channel), view_cstr(pair->uniqueid),
              view_cstr(pair->other), view_cstr(pair->other_uniqueid));
    t->resync = resync;
    pair_fini(pair);
}

void release_unlinks(struct translator *t, struct view channel)
{
    struct pair pair;

    while (call_links_release(t->pairs, channel, &pair))
        tell_unlink(t, &pair);
}

/* The end of the same call that was held back, if any: it was none. */
static bool goes_on(struct translator *t, struct view channel, struct view other)
{
    bool same = false;
    struct pair pair;

    while (!same && call_links_release(t->pairs, channel, &pair)) {
        same =
            (view_eq(view_cstr(pair.channel), channel) && view_eq(view_cstr(pair.other), other)) ||
            (view_eq(view_cstr(pair.channel), other) && view_eq(view_cstr(pair.other), channel));
        if (same)
            pair_fini(&pair);
        else
            tell_unlink(t, &pair);
    }
    return same;
}

void rule_link(struct translator *t, const struct table_row *row, const struct ami_block *b,
               struct tel_out *o)
{
    struct view channel = tel_out_str(o, TELF_channel);
    struct view other = tel_out_str(o, TELF_other);

    if (channel.len == 0 || other.len == 0 || goes_on(t, channel, other))
        return;
    release_unlinks(t, other);
    call_links_link(t->pairs, channel, other);
    translator_emit(t, o);
}

void rule_unlink(struct translator *t, const struct table_row *row, const struct ami_block *b,
                 struct tel_out *o)
{
    struct view channel = tel_out_str(o, TELF_channel);
    struct view other = tel_out_str(o, TELF_other);

    if (channel.len == 0 || other.len == 0)
        return;
    release_unlinks(t, channel);
    release_unlinks(t, other);
    if (call_links_hold_back(t->pairs, channel, tel_out_str(o, TELF_uniqueid), other,
                             tel_out_str(o, TELF_other_uniqueid)) == 0)
        return;
    call_links_unlink(t->pairs, channel, other);
    translator_emit(t, o);
}

/* ---- hold (before 12) ---- */

void rule_hold(struct translator *t, const struct table_row *row, const struct ami_block *b,
               struct tel_out *o)
{
    if (call_links_hold(t->pairs, tel_out_str(o, TELF_channel), row->tel == TEL_channel_hold))
        translator_emit(t, o);
}

/* A channel that hears music while in a call was put on hold by its peer; also where the call has
 * ended this moment, as an attended transfer does. Music in queues and parking lots is no hold.
 */
void rule_music(struct translator *t, const struct table_row *row, const struct ami_block *b,
                struct tel_out *o)
{
    struct view channel = tel_out_str(o, TELF_channel);
    char *holder = call_links_music(t->pairs, channel, row->tel == TEL_channel_hold);
    struct tel_out hold;

    release_unlinks(t, channel);
    if (holder) {
        tel_out_init(&hold, row->tel);
        tel_out_put(&hold, TELF_channel, view_cstr(holder));
        translator_emit(t, &hold);
    }
    free(holder);
}

/* ---- names ---- */

static bool ends_with(struct view v, struct view end)
{
    return v.len >= end.len && view_eq(view_of(v.ptr + v.len - end.len, end.len), end);
}

/* A masquerade is three Renames: CLONE -> CLONE<MASQ>, ORIGINAL -> CLONE, CLONE<MASQ> ->
 * ORIGINAL<ZOMBIE>. The second says it all: what the two names mean is swapped. */
void rule_rename(struct translator *t, const struct table_row *row, const struct ami_block *b,
                 struct tel_out *o)
{
    struct view old = tel_out_str(o, TELF_old);
    struct view now = tel_out_str(o, TELF_new_name);

    if (old.len == 0 || now.len == 0 || ends_with(now, VIEW("<MASQ>")) ||
        ends_with(old, VIEW("<MASQ>")))
        return;
    call_links_rename(t->pairs, old, now);
    bridges_rename(t->bridges, old, now);
    translator_emit(t, o);
}

void rule_hangup(struct translator *t, const struct table_row *row, const struct ami_block *b,
                 struct tel_out *o)
{
    struct view channel = tel_out_str(o, TELF_channel);
    struct bridge *br = bridges_of(t->bridges, channel);

    if (br) /* its BridgeLeave is late */
        bridge_leave_untold(t, br, channel);
    call_links_forget(t->pairs, channel);
    translator_emit(t, o);
}

/* A line of CoreShowChannels: the channel, and whom it talks to. */
void rule_listed_channel(struct translator *t, const struct table_row *row,
                         const struct ami_block *b, struct tel_out *o)
{
    struct view bridge = ami_get(b, "BridgeId");
    struct view peer = ami_get(b, "BridgedChannel");

    translator_emit(t, o);
    if (bridge.len) {
        struct bridge *br = bridges_get(t->bridges, bridge, view_of(NULL, 0), view_of(NULL, 0));
        struct tel_out enter = *o;
        enter.event = TEL_bridge_enter;
        tel_out_put(&enter, TELF_bridge, bridge);
        if (br)
            bridge_entered(t, br, &enter);
    } else if (!is_unknown(peer)) {
        call_links_link(t->pairs, tel_out_str(o, TELF_channel), peer);
        emit_pair(t, TEL_call_link, tel_out_str(o, TELF_channel), tel_out_str(o, TELF_uniqueid),
                  peer, ami_get(b, "BridgedUniqueID"));
    }
}
