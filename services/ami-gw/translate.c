#include "translate.h"

#include <stdlib.h>

#include "base/array.h"
#include "rules.h"

static rule_fn *const rules[RULE_COUNT] = {
    [RULE_PLAIN] = rule_plain,
    [RULE_BRIDGE_CREATE] = rule_bridge_create,
    [RULE_BRIDGE_ENTER] = rule_bridge_enter,
    [RULE_BRIDGE_LEAVE] = rule_bridge_leave,
    [RULE_BRIDGE_DESTROY] = rule_bridge_destroy,
    [RULE_LINK] = rule_link,
    [RULE_UNLINK] = rule_unlink,
    [RULE_HOLD] = rule_hold,
    [RULE_MUSIC] = rule_music,
    [RULE_RENAME] = rule_rename,
    [RULE_HANGUP] = rule_hangup,
    [RULE_LISTED_CHANNEL] = rule_listed_channel,
    [RULE_VARIABLE] = rule_variable,
    [RULE_DEVICE] = rule_device,
    [RULE_PEER] = rule_peer,
    [RULE_CONTACT] = rule_contact,
    [RULE_LISTED_PEER] = rule_listed_peer,
    [RULE_LISTED_ENDPOINT] = rule_listed_endpoint,
    [RULE_REGISTRY] = rule_registry,
    [RULE_LISTED_AGENT] = rule_listed_agent,
    [RULE_MEETME] = rule_meetme,
    [RULE_PAUSED] = rule_paused,
    [RULE_PARKED] = rule_parked,
    [RULE_WAITING] = rule_waiting,
    [RULE_MAILBOX] = rule_mailbox,
    [RULE_USER_EVENT] = rule_user_event,
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
    t->pairs = call_links_new();
    t->contacts = contacts_new();
    if (!t->rows || !t->bridges || !t->pairs || !t->contacts)
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
    call_links_destroy(&(*t)->pairs);
    contacts_destroy(&(*t)->contacts);
    free(*t);
    *t = NULL;
}

void translator_reset(struct translator *t)
{
    bridges_clear(t->bridges);
    call_links_clear(t->pairs);
    contacts_clear(t->contacts);
}

void translator_relist(struct translator *t)
{
    translator_flush(t);
    translator_reset(t);
}

void translator_flush(struct translator *t)
{
    release_unlinks(t, view_of(NULL, 0));
}

bool translator_holds_back(const struct translator *t)
{
    return call_links_held_back(t->pairs) > 0;
}

bool translator_knows(const struct translator *t, struct view event)
{
    return map_get(t->rows, event) != NULL;
}

/* ---- values ---- */

/* ---- rows ---- */

/* Events of queues say it as a bare word of a caller or a peer: no other field is read so. */
static bool is_unknown_caller(enum tel_field f, struct view v)
{
    return (f == TELF_callerid_num || f == TELF_callerid_name || f == TELF_connected_num ||
            f == TELF_connected_name) &&
           view_eq(v, VIEW("unknown"));
}

/* Where an empty value is news: the name, the connected line or the reason that was is gone. In
 * other events it may be what the event does not know. */
static bool may_clear(enum tel_event event, enum tel_field f)
{
    switch (event) {
    case TEL_channel_callerid:
        return f == TELF_callerid_num || f == TELF_callerid_name;
    case TEL_channel_connected:
        return f == TELF_connected_num || f == TELF_connected_name;
    case TEL_member_paused:
    case TEL_member_status:
        return f == TELF_reason;
    case TEL_device_custom:
        return f == TELF_subtype || f == TELF_text;
    default:
        return false;
    }
}

static void take_text(struct tel_out *o, enum tel_field f, struct view v)
{
    tel_out_put_known(o, f, v);
    if (may_clear(o->event, f) && !tel_set_has(&o->set, f))
        tel_out_put(o, f, VIEW(""));
}

static void take_field(struct tel_out *o, enum tel_field f, struct view v)
{
    int64_t n;

    if (!v.ptr || is_unknown_caller(f, v))
        return;
    if (v.len)
        v = view_cut(&v, '\0'); /* Asterisk's own texts end there */
    switch (schema_tel_field_type(f)) {
    case T_INT:
        if (view_to_i64(v, &n) == 0)
            tel_out_put_num(o, f, n);
        break;
    case T_BOOL:
        if (v.len)
            tel_out_put_num(o, f, is_true(v));
        break;
    default:
        take_text(o, f, v);
    }
}

static void take_fields(struct tel_out *o, const struct table_row *row, const struct ami_block *b)
{
    for (size_t i = 0; i < row->n_fields; i++) {
        const struct table_field *f = &row->fields[i];
        struct view v = ami_get_view(b, f->header);
        if (!v.ptr && f->other.len)
            v = ami_get_view(b, f->other);
        take_field(o, (enum tel_field)f->field, v);
    }
    if (row->fixed && row->word.len)
        tel_out_put(o, (enum tel_field)(row->fixed - 1), row->word);
    else if (row->fixed)
        tel_out_put_num(o, (enum tel_field)(row->fixed - 1), row->num);
}

void rule_plain(struct translator *t, const struct table_row *row, const struct ami_block *b,
                struct tel_out *o)
{
    translator_emit(t, o);
}

static bool row_matches(const struct table_row *row, const struct ami_block *b)
{
    struct view v;

    if (row->when.len == 0)
        return true;
    v = ami_get_view(b, row->when);
    return row->is.len ? view_ieq(v, row->is) : v.ptr != NULL;
}

/* What was held back of the channels that this event is about is no longer. */
static void release_for(struct translator *t, const struct table_row *row, const struct tel_out *o)
{
    static const enum tel_field about[] = {TELF_channel, TELF_destination, TELF_other, TELF_old,
                                           TELF_new_name};

    if (row->rule == RULE_LINK || row->rule == RULE_UNLINK || row->rule == RULE_MUSIC)
        return; /* they look themselves */
    for (size_t i = 0; i < ARRAY_SIZE(about); i++) {
        struct view channel = tel_out_str(o, about[i]);
        /* NOLINTNEXTLINE(clang-analyzer-core.*): tel_out_str looks at the set before it reads */
        if (channel.len)
            release_unlinks(t, channel); /* NOLINT(clang-analyzer-core.*): as above */
    }
}

static void apply_row(struct translator *t, const struct table_row *row, const struct ami_block *b)
{
    struct tel_out o;

    tel_out_init(&o, row->tel);
    o.block = b;
    take_fields(&o, row, b);
    if (call_links_held_back(t->pairs))
        release_for(t, row, &o);
    rules[row->rule](t, row, b, &o);
}

bool translator_event(struct translator *t, struct view name, const struct ami_block *b,
                      bool resync)
{
    const struct table_row *row = map_get(t->rows, name);
    const struct table_row *end = table + table_size;

    t->resync = resync;
    for (const struct table_row *r = row; r && r < end && view_eq(r->event, row->event); r++)
        if (row_matches(r, b)) {
            apply_row(t, r, b);
            return true;
        }
    return false;
}

void translator_bridge(struct translator *t, const struct ami_block *b)
{
    bridges_get(t->bridges, ami_get(b, "BridgeUniqueid"), ami_get(b, "BridgeType"),
                ami_get(b, "BridgeTechnology"));
}
