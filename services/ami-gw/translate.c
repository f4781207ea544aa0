#include "translate.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/utf8.h"
#include "bridges.h"
#include "msg/msg.h"
#include "table.h"

struct translator {
    translate_fn *emit;
    void *arg;
    struct map *rows; /* event -> its first row */
    struct bridges *bridges;
    bool resync;
};

struct translator *translator_new(translate_fn *emit, void *arg)
{
    struct translator *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->emit = emit;
    t->arg = arg;
    t->rows = map_new();
    t->bridges = bridges_new();
    if (!t->rows || !t->bridges)
        goto fail;
    for (size_t i = 0; i < table_size; i++)
        if (table_is_first(i) && map_put(t->rows, table[i].event, (void *)&table[i]) < 0)
            goto fail;
    return t;
fail:
    translator_destroy(&t);
    return NULL;
}

void translator_destroy(struct translator **t)
{
    if (!t || !*t)
        return;
    map_destroy(&(*t)->rows);
    bridges_destroy(&(*t)->bridges);
    free(*t);
    *t = NULL;
}

void translator_reset(struct translator *t)
{
    bridges_clear(t->bridges);
}

void translator_relist(struct translator *t)
{
    bridges_clear(t->bridges);
}

bool translator_knows(const struct translator *t, struct view event)
{
    return map_get(t->rows, event) != NULL;
}

/* ---- fields ---- */

/* The ways in which Asterisks say that they do not know. */
static bool unknown(struct view v)
{
    static const struct view words[] = {
        {"<unknown>", 9}, {"<null>", 6}, {"(null)", 6}, {"<Unknown>", 9}};

    if (v.len == 0)
        return true;
    if (v.ptr[0] != '<' && v.ptr[0] != '(')
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (view_eq(v, words[i]))
            return true;
    return false;
}

static void set_str(struct tel_out *o, enum tel_field f, struct view v)
{
    if (unknown(v))
        return;
    o->str[f] = v;
    o->present |= (uint64_t)1 << f;
}

static void set_num(struct tel_out *o, enum tel_field f, int64_t n)
{
    o->num[f] = n;
    o->present |= (uint64_t)1 << f;
}

static void take_fields(struct tel_out *o, const struct table_row *row, const struct ami_block *b)
{
    for (size_t i = 0; i < row->n_fields; i++) {
        const struct table_field *f = &row->fields[i];
        struct view v = ami_get_view(b, f->header);
        int64_t n;
        if (!v.ptr && f->other.len)
            v = ami_get_view(b, f->other);
        if (schema_tel_field_type((enum tel_field)f->field) != T_INT)
            set_str(o, (enum tel_field)f->field, v);
        else if (view_to_i64(v, &n) == 0)
            set_num(o, (enum tel_field)f->field, n);
    }
}

static void emit(struct translator *t, struct tel_out *o)
{
    if (t->resync)
        set_num(o, TELF_resync, 1);
    t->emit(t->arg, o);
}

/* ---- calls of two, from bridges ---- */

static void emit_pair(struct translator *t, enum tel_event ev, const struct bridge_member *a,
                      const struct bridge_member *b)
{
    struct tel_out o = {.event = ev};

    set_str(&o, TELF_channel, view_cstr(a->channel));
    set_str(&o, TELF_uniqueid, view_cstr(a->uniqueid));
    set_str(&o, TELF_other, view_cstr(b->channel));
    set_str(&o, TELF_other_uniqueid, view_cstr(b->uniqueid));
    emit(t, &o);
}

static void link_pair(struct translator *t, const struct bridge *br)
{
    /* The called one enters first, as a rule. */
    emit_pair(t, TEL_call_link, &br->member[1], &br->member[0]);
}

static void bridge_enter(struct translator *t, struct bridge *br, struct tel_out *o)
{
    if (!bridge_add(br, o->str[TELF_channel], o->str[TELF_uniqueid]))
        return;
    if (br->basic && br->n == 2 && br->known == 2) {
        link_pair(t, br);
        return;
    }
    if (br->basic && br->n == 3 && br->known == 3) /* a call of two becomes one of three */
        emit_pair(t, TEL_call_unlink, &br->member[1], &br->member[0]);
    if (!br->basic || br->n > 2) {
        o->event = TEL_bridge_enter;
        set_num(o, TELF_count, br->n);
        emit(t, o);
    }
}

static void bridge_leave(struct translator *t, struct bridge *br, struct tel_out *o)
{
    bool pair = br->basic && br->n == 2 && br->known == 2;
    bool more = !br->basic || br->n > 2;
    bool first = br->known > 0 && view_eq(view_cstr(br->member[0].channel), o->str[TELF_channel]);
    bool second = br->known > 1 && view_eq(view_cstr(br->member[1].channel), o->str[TELF_channel]);

    if (pair && (first || second))
        emit_pair(t, TEL_call_unlink, &br->member[second], &br->member[first]);
    if (!bridge_remove(br, o->str[TELF_channel]) || !more)
        return;
    o->event = TEL_bridge_leave;
    set_num(o, TELF_count, br->n);
    emit(t, o);
    if (br->basic && br->n == 2 && br->known == 2)
        link_pair(t, br);
}

static void bridge_event(struct translator *t, const struct table_row *row,
                         const struct ami_block *b, struct tel_out *o)
{
    struct view id = o->str[TELF_bridge];
    struct bridge *br;

    if (row->rule == RULE_BRIDGE_DESTROY) {
        br = bridges_get(t->bridges, id, view_of(NULL, 0));
        if (br && !br->basic)
            emit(t, o);
        bridges_drop(t->bridges, id);
        return;
    }
    br = bridges_get(t->bridges, id, ami_get(b, "BridgeType"));
    if (!br || o->str[TELF_channel].len == 0)
        return;
    if (row->rule == RULE_BRIDGE_ENTER)
        bridge_enter(t, br, o);
    else
        bridge_leave(t, br, o);
}

/* ---- other rules ---- */

static bool ends_with(struct view v, struct view end)
{
    return v.len >= end.len && view_eq(view_of(v.ptr + v.len - end.len, end.len), end);
}

/* A masquerade is three Renames: CLONE -> CLONE<MASQ>, ORIGINAL -> CLONE, CLONE<MASQ> ->
 * ORIGINAL<ZOMBIE>. The second says it all: what the two names mean is swapped. */
static void rename_event(struct translator *t, struct tel_out *o)
{
    if (ends_with(o->str[TELF_new_name], VIEW("<MASQ>")) ||
        ends_with(o->str[TELF_old], VIEW("<MASQ>")))
        return;
    emit(t, o);
}

/* Device states in words, as the numbers that hints have (pbx.h, AST_EXTENSION_*). */
static struct view hint_number(struct view word)
{
    static const struct {
        struct view word, number;
    } states[] = {
        {{"NOT_INUSE", 9}, {"0", 1}}, {{"INUSE", 5}, {"1", 1}},        {{"BUSY", 4}, {"2", 1}},
        {{"INVALID", 7}, {"4", 1}},   {{"UNAVAILABLE", 11}, {"4", 1}}, {{"RINGING", 7}, {"8", 1}},
        {{"RINGINUSE", 9}, {"9", 1}}, {{"ONHOLD", 6}, {"16", 2}},
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (view_eq(states[i].word, word))
            return states[i].number;
    return view_of(NULL, 0); /* UNKNOWN says nothing */
}

/* Only telephones: queues, parking lots, mailboxes and Local channels have device states, too. */
static bool is_phone_device(struct view device)
{
    static const struct view techs[] = {{"SIP/", 4},  {"PJSIP/", 6}, {"IAX2/", 5},
                                        {"SCCP/", 5}, {"DAHDI/", 6}, {"MGCP/", 5}};

    for (size_t i = 0; i < sizeof(techs) / sizeof(techs[0]); i++)
        if (view_starts(device, techs[i]))
            return true;
    return false;
}

static void device_event(struct translator *t, struct tel_out *o)
{
    struct view number = hint_number(o->str[TELF_status]);

    if (!number.len || !is_phone_device(o->str[TELF_hint]))
        return;
    o->str[TELF_status] = number;
    emit(t, o);
}

static void contact_event(struct translator *t, struct tel_out *o)
{
    char peer[256];
    struct view name = o->str[TELF_peer];

    if (name.len == 0 || name.len > sizeof(peer) - 6)
        return;
    memcpy(peer, "PJSIP/", 6);
    memcpy(peer + 6, name.ptr, name.len);
    o->str[TELF_peer] = view_of(peer, name.len + 6);
    emit(t, o);
}

/* A line of CoreShowChannels: the channel, and whom it talks to. */
static void listed_channel(struct translator *t, const struct ami_block *b, struct tel_out *o)
{
    struct view bridge = ami_get(b, "BridgeId");
    struct view peer = ami_get(b, "BridgedChannel");
    struct tel_out link = {.event = TEL_call_link};

    emit(t, o);
    if (bridge.len) {
        struct bridge *br = bridges_get(t->bridges, bridge, view_of(NULL, 0));
        struct tel_out enter = *o;
        enter.event = TEL_bridge_enter;
        set_str(&enter, TELF_bridge, bridge);
        if (br)
            bridge_enter(t, br, &enter);
    } else if (peer.len && !unknown(peer)) {
        link.str[TELF_channel] = o->str[TELF_channel];
        link.present = o->present & ((uint64_t)1 << TELF_channel);
        set_str(&link, TELF_uniqueid, o->str[TELF_uniqueid]);
        set_str(&link, TELF_other, peer);
        set_str(&link, TELF_other_uniqueid, ami_get(b, "BridgedUniqueID"));
        emit(t, &link);
    }
}

static void apply_row(struct translator *t, const struct table_row *row, const struct ami_block *b)
{
    struct tel_out o;

    o.event = row->tel;
    o.present = 0;
    memset(o.str, 0, sizeof(o.str));
    take_fields(&o, row, b);
    switch (row->rule) {
    case RULE_BRIDGE_ENTER:
    case RULE_BRIDGE_LEAVE:
    case RULE_BRIDGE_DESTROY:
        bridge_event(t, row, b, &o);
        break;
    case RULE_RENAME:
        rename_event(t, &o);
        break;
    case RULE_DEVICE:
        device_event(t, &o);
        break;
    case RULE_CONTACT:
        contact_event(t, &o);
        break;
    case RULE_LISTED_CHANNEL:
        listed_channel(t, b, &o);
        break;
    default:
        emit(t, &o);
    }
}

bool translator_event(struct translator *t, struct view name, const struct ami_block *b,
                      bool resync)
{
    const struct table_row *row = map_get(t->rows, name);
    const struct table_row *end = table + table_size;

    t->resync = resync;
    for (const struct table_row *r = row; r && r < end && view_eq(r->event, row->event); r++)
        if (r->when.len == 0 || view_ieq(ami_get_view(b, r->when), r->is)) {
            apply_row(t, r, b);
            return true;
        }
    return false;
}

void translator_bridge(struct translator *t, const struct ami_block *b)
{
    bridges_get(t->bridges, ami_get(b, "BridgeUniqueid"), ami_get(b, "BridgeType"));
}

static void put_text(struct buf *out, struct view v, enum ami_charset charset)
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

void tel_out_body(struct buf *out, const struct tel_out *t, enum ami_charset charset)
{
    msg_put_map(out, (size_t)__builtin_popcountll(t->present));
    for (uint64_t left = t->present; left; left &= left - 1) {
        enum tel_field f = (enum tel_field)__builtin_ctzll(left);
        msg_put_str(out, schema_tel_field_name(f));
        switch (schema_tel_field_type(f)) {
        case T_INT:
            msg_put_i64(out, t->num[f]);
            break;
        case T_BOOL:
            msg_put_bool(out, t->num[f] != 0);
            break;
        default:
            put_text(out, t->str[f], charset);
        }
    }
}
