/*
 * Events of an Asterisk in any order: the bytes choose rows of the table, values from a small
 * alphabet (so that channels meet in bridges, queues and rooms) and bytes of their own. Whatever
 * comes, each canonical event must be well-formed by the schema, and the objects of a site to which
 * all of it is applied must agree with each other after each.
 */
#include <stdio.h>
#include <stdlib.h>

#define fail_msg(...) (fprintf(stderr, __VA_ARGS__), abort())
#define assert_int_equal(a, b)                                                                     \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            abort();                                                                               \
    } while (0)

#include "base/array.h"
#include "base/utf8.h"
#include "rules.h"
#include "support/model_world.h"

#define MAX_EVENTS 400 /* of one input */
/* What one block may tell: all that was held back, and what a channel that moves from a bridge of
 * three to another one does. */
#define MAX_TOLD (CALL_LINKS_HELD_BACK + 8)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct play {
    struct model_world *w;
    struct view in;
    struct buf block;
    unsigned told; /* since the last block */
};

/* ---- words ---- */

static const char *const channels[] = {"SIP/alice-00000001",         "SIP/bob-00000002",
                                       "SIP/carol-00000003",         "SIP/pstn-00000004",
                                       "Local/1001@default-1;1",     "Local/1001@default-1;2",
                                       "SIP/alice-00000005",         "Agent/2001",
                                       "SIP/alice-00000001<ZOMBIE>", "SIP/alice-00000001<MASQ>",
                                       "AsyncGoto/SIP/bob-00000002", "n/a"};
static const char *const devices[] = {"SIP/alice",  "SIP/bob",          "Agent/2001",
                                      "SIP/pstn",   "PJSIP/dave",       "Local/1001@default/n",
                                      "SIP/nobody", "Local/2001@agents"};
static const char *const bridges[] = {"b1", "b2", "b3"};
static const char *const numbers[] = {"0", "1", "2", "6", "-1", "x", "", "9223372036854775808"};
static const char *const truths[] = {"0", "1", "yes", "No", "on", "By admin", ""};
static const char *const queues[] = {"support", "sales", "group", "nowhere"};
static const char *const rooms[] = {"4001", "4002", "4003"};
static const char *const agents[] = {"2001", "2002", "2003"};
static const char *const spaces[] = {"701", "702", "default", "elsewhere"};
static const char *const words[] = {
    "",         "<unknown>", "1001",    "default",    "1001@default", "Alice", "XIVO_USERID",
    "__XIVO_X", "Reachable", "Removed", "AGENT_IDLE", "AGENT_ONCALL", "INUSE", "ANSWER",
    "none",     "basic"};

#define WORDS(list) list, ARRAY_SIZE(list)

struct alphabet {
    const char *const *list;
    size_t n;
};

static struct alphabet alphabet_of(enum tel_field f)
{
    switch (f) {
    case TELF_channel:
    case TELF_destination:
    case TELF_other:
    case TELF_old:
    case TELF_new_name:
    case TELF_spied:
    case TELF_transferee:
    case TELF_target:
    case TELF_one:
    case TELF_two:
    case TELF_retriever:
        return (struct alphabet){WORDS(channels)};
    case TELF_member:
    case TELF_interface:
    case TELF_state_interface:
    case TELF_peer:
    case TELF_hint:
    case TELF_parker:
        return (struct alphabet){WORDS(devices)};
    case TELF_bridge:
        return (struct alphabet){WORDS(bridges)};
    case TELF_queue:
        return (struct alphabet){WORDS(queues)};
    case TELF_room:
        return (struct alphabet){WORDS(rooms)};
    case TELF_agent:
        return (struct alphabet){WORDS(agents)};
    case TELF_lot:
    case TELF_space:
        return (struct alphabet){WORDS(spaces)};
    default:
        break;
    }
    switch (schema_tel_field_type(f)) {
    case T_INT:
        return (struct alphabet){WORDS(numbers)};
    case T_BOOL:
        return (struct alphabet){WORDS(truths)};
    default:
        return (struct alphabet){WORDS(words)};
    }
}

/* Headers that only rules look at, and the kind of their values. */
static const struct {
    const char *name;
    enum tel_field like;
} extras[] = {{"BridgeType", TELF_value},
              {"BridgeId", TELF_bridge},
              {"BridgedChannel", TELF_channel},
              {"BridgedUniqueID", TELF_uniqueid},
              {"NoAuthed", TELF_paused},
              {"LoggedInChan", TELF_channel},
              {"From", TELF_channel},
              {"Channeltype", TELF_value},
              {"IPport", TELF_count},
              {"DeviceState", TELF_status},
              {"UrgMessages", TELF_count},
              {"Status", TELF_paused},
              {"DestChannel", TELF_destination},
              {"Whatever", TELF_value}};

/* ---- reading the input ---- */

static uint8_t next(struct play *p)
{
    uint8_t b = p->in.len ? (uint8_t)p->in.ptr[0] : 0;

    if (p->in.len)
        p->in = view_of(p->in.ptr + 1, p->in.len - 1);
    return b;
}

static struct view next_bytes(struct play *p, size_t n)
{
    struct view v = view_of(p->in.ptr, n < p->in.len ? n : p->in.len);

    p->in = view_of(p->in.ptr + v.len, p->in.len - v.len);
    return v;
}

/* A header, or none: a word of the kind, a word of another, or bytes. */
static void put_header(struct play *p, struct view name, enum tel_field like)
{
    uint8_t b = next(p);
    struct alphabet a = alphabet_of(like);

    if (b >= 0xd0 && b < 0xe0)
        return;
    buf_append_view(&p->block, name);
    buf_append_cstr(&p->block, ": ");
    if (b >= 0xf0)
        buf_append_view(&p->block, next_bytes(p, b & 15));
    else if (b >= 0xe0)
        buf_append_cstr(&p->block, channels[(b & 15) % ARRAY_SIZE(channels)]);
    else
        buf_append_cstr(&p->block, a.list[b % a.n]);
    buf_append_cstr(&p->block, "\r\n");
}

static void put_line(struct play *p, struct view name, struct view value)
{
    buf_append_view(&p->block, name);
    buf_append_cstr(&p->block, ": ");
    buf_append_view(&p->block, value);
    buf_append_cstr(&p->block, "\r\n");
}

/* ---- events ---- */

static void check_value(const msgpack_object *v)
{
    if (v->type == MSGPACK_OBJECT_STR && !utf8_valid(msg_str(v)))
        abort();
    for (uint32_t i = 0; v->type == MSGPACK_OBJECT_ARRAY && i < v->via.array.size; i++)
        check_value(&v->via.array.ptr[i]);
    for (uint32_t i = 0; v->type == MSGPACK_OBJECT_MAP && i < v->via.map.size; i++) {
        check_value(&v->via.map.ptr[i].key);
        check_value(&v->via.map.ptr[i].val);
    }
}

static uint8_t type_of(const msgpack_object *v)
{
    switch (v->type) {
    case MSGPACK_OBJECT_STR:
        return T_STR;
    case MSGPACK_OBJECT_BOOLEAN:
        return T_BOOL;
    case MSGPACK_OBJECT_MAP:
        return T_MAP;
    default:
        return v->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
                       v->type == MSGPACK_OBJECT_NEGATIVE_INTEGER
                   ? T_INT
                   : 0;
    }
}

static void check_event(struct play *p, const struct tel_out *o)
{
    struct msg_doc *doc = &p->w->doc;
    struct buf body;

    buf_init(&body, 0);
    tel_out_body(&body, o, AMI_CHARSET_UTF8);
    if (msg_parse(doc, buf_view(&body)) < 0 || doc->root.type != MSGPACK_OBJECT_MAP ||
        doc->root.via.map.size != tel_set_count(&o->set) ||
        schema_tel_find(schema_tel_topic(o->event)) != (int)o->event)
        abort();
    for (uint32_t i = 0; i < doc->root.via.map.size; i++) {
        const msgpack_object_kv *kv = &doc->root.via.map.ptr[i];
        int f = schema_tel_field_find(msg_str(&kv->key));
        check_value(&kv->val);
        if (f < 0 || schema_tel_field_type((enum tel_field)f) != type_of(&kv->val))
            abort();
    }
    buf_free(&body);
}

static void emit(void *arg, const struct tel_out *o)
{
    struct play *p = arg;

    if (++p->told > MAX_TOLD)
        abort();
    check_event(p, o);
    world_apply(p->w, o);
}

static bool on_block(void *arg, const struct ami_block *b)
{
    struct play *p = arg;

    p->told = 0;
    if (b->kind == AMI_EVENT)
        translator_event(p->w->t, b->name, b, ami_get(b, "ActionID").ptr != NULL);
    if (call_links_held_back(p->w->t->pairs) > CALL_LINKS_HELD_BACK)
        abort();
    return true;
}

/* The row at a number, with what makes it match; then some headers that rules look at. */
static void play_row(struct play *p, uint8_t how)
{
    const struct table_row *row = &table[next(p) % table_size];

    buf_reset(&p->block);
    put_line(p, VIEW("Event"), row->event);
    if (how & 1)
        put_line(p, VIEW("ActionID"), VIEW("x-1")); /* from a listing */
    if (row->is.len)
        put_line(p, row->when, row->is);
    for (size_t i = 0; i < row->n_fields; i++)
        put_header(p, row->fields[i].header, (enum tel_field)row->fields[i].field);
    for (unsigned n = (how >> 1) & 3; n > 0; n--) {
        size_t i = next(p) % ARRAY_SIZE(extras);
        put_header(p, view_cstr(extras[i].name), extras[i].like);
    }
    buf_append_cstr(&p->block, "\r\n");
    capture_blocks(buf_view(&p->block), 0, on_block, p);
}

static void play_reset(struct play *p)
{
    translator_reset(p->w->t);
    ipbx_model_link_down(p->w->d, p->w->now);
    if (translator_holds_back(p->w->t))
        abort();
    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        char *holder = call_links_music(p->w->t->pairs, view_cstr(channels[i]), true);

        if (holder || bridges_of(p->w->t->bridges, view_cstr(channels[i])))
            abort();
    }
}

/* What happens beside events of Asterisk. */
static void play_other(struct play *p)
{
    static const char *const kinds[] = {"all",         "channels", "queues",
                                        "conferences", "parking",  "hints"};
    uint8_t b = next(p);
    const char *kind = kinds[(b >> 3) % ARRAY_SIZE(kinds)];

    p->told = 0;
    switch (b & 7) {
    case 0:
        play_reset(p);
        break;
    case 1:
        translator_relist(p->w->t);
        break;
    case 2:
        ipbx_model_link_up(p->w->d, VIEW("Asterisk Call Manager/9.0.0"), p->w->now);
        break;
    case 3:
        ipbx_model_relink(p->w->d);
        break;
    case 4:
    case 5:
        world_mark(p->w, TEL_resync_begin, kind);
        break;
    case 6:
        world_mark(p->w, TEL_resync_end, kind);
        break;
    default:
        translator_flush(p->w->t);
    }
    xod_commit(p->w->x, NULL, NULL);
    check_site(p->w->ipbx);
}

/* Some channels are up from the beginning: most events say nothing of a channel that is not. */
static void begin(struct play *p)
{
    for (size_t i = 0; i < 6; i++) {
        buf_reset(&p->block);
        put_line(p, VIEW("Event"), VIEW("Newchannel"));
        put_line(p, VIEW("Channel"), view_cstr(channels[i]));
        buf_append_cstr(&p->block, "\r\n");
        capture_blocks(buf_view(&p->block), 0, on_block, p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play p = {.w = world_new(), .in = view_of(data, size)};

    buf_init(&p.block, 0);
    translator_destroy(&p.w->t);
    p.w->t = translator_new(emit, &p);
    if (!p.w->t)
        abort();
    begin(&p);
    for (unsigned n = 0; p.in.len && n < MAX_EVENTS; n++) {
        uint8_t how = next(&p);
        if (how >= 0xe0)
            play_other(&p);
        else
            play_row(&p, how);
    }
    buf_free(&p.block);
    world_destroy(p.w);
    return 0;
}
