/* callcampaign: numbers to be called one after another; `ctibus.callcampaign` has them. */
#include "calls/ipbx_command.h"
#include "commands/commands.h"
#include "core/profile.h"
#include "sessions/sessions.h"
#include "json/json.h"

static struct view word(const msgpack_object *list, uint32_t i)
{
    return list && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size
               ? msg_str(&list->via.array.ptr[i])
               : view_of(NULL, 0);
}

static msgpack_object as_text(const char *text)
{
    msgpack_object o = {.type = MSGPACK_OBJECT_STR};

    o.via.str.ptr = text;
    o.via.str.size = (uint32_t)strlen(text);
    return o;
}

static void put_list(struct buf *out, struct json_object *numbers)
{
    struct value v;

    if (value_from_json(&v, numbers) < 0 || v.type != V_LIST) {
        value_clear(&v);
        v = (struct value){.type = V_LIST};
    }
    value_pack(out, &v);
    value_clear(&v);
}

static void fetch_list(struct state *s, struct deferred_reply *l)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_cstr(&pairs, "payload");
    msg_put_map(&pairs, 2);
    msg_put_pair(&pairs, "command", VIEW("fetchlist"));
    msg_put_cstr(&pairs, "list");
    put_list(&pairs, config_get(s->cfg, "ctibus.callcampaign"));
    deferred_reply_pairs(&l, 1, &pairs);
    buf_free(&pairs);
}

static void answer(struct deferred_reply *l, const char *command, struct view number)
{
    struct buf pairs;

    buf_init(&pairs, 1024);
    msg_put_cstr(&pairs, "payload");
    msg_put_map(&pairs, 2);
    msg_put_pair(&pairs, "command", view_cstr(command));
    msg_put_pair(&pairs, "number", number);
    deferred_reply_pairs(&l, 1, &pairs);
    buf_free(&pairs);
}

/* As if the client had asked to dial it. */
static void dial(struct state *s, struct session *se, const msgpack_object *message,
                 const char *exten)
{
    const msgpack_object *id = msg_get(message, "commandid");
    msgpack_object_kv pairs[2] = {0};
    msgpack_object dial = {.type = MSGPACK_OBJECT_MAP};

    pairs[0].key = as_text("destination");
    pairs[0].val = as_text(exten);
    pairs[1].key = as_text("commandid");
    if (id)
        pairs[1].val = *id;
    dial.via.map.ptr = pairs;
    dial.via.map.size = id ? 2 : 1;
    ipbx_command_run(s, se, NULL, &dial, "dial", ipbx_dial);
}

static void start_call(struct state *s, struct session *se, struct deferred_reply *l,
                       const msgpack_object *message, struct view number)
{
    char exten[TARGET_TEXT];

    if (!profile_permits(s->cfg, view_cstr(se->capaid), "ipbxcommands", VIEW("dial"))) {
        deferred_reply_status(&l, BUS_unallowed);
    } else if (!dialled(number, exten, TARGET_TEXT)) {
        deferred_reply_status(&l, BUS_malformed);
    } else {
        answer(l, "callstarted", view_cstr(exten));
        dial(s, se, message, exten);
    }
}

static void stop_call(struct state *s, struct session *se, struct deferred_reply *l,
                      const msgpack_object *message, struct view number)
{
    answer(l, "callstopped", number);
    ipbx_command_run(s, se, NULL, message, "hangupme", ipbx_hangupme);
}

static void callcampaign(struct state *s, struct session *se, struct deferred_reply *l,
                         const msgpack_object *message)
{
    const msgpack_object *command = msg_get(message, "command");
    struct view what = word(command, 0);

    if (view_eq(what, VIEW("fetchlist")))
        fetch_list(s, l);
    else if (view_eq(what, VIEW("startcall")) && word(command, 1).len)
        start_call(s, se, l, message, word(command, 1));
    else if (view_eq(what, VIEW("stopcall")) && word(command, 1).len)
        stop_call(s, se, l, message, word(command, 1));
    else
        deferred_reply_status(&l, BUS_malformed);
}

const struct command command_callcampaign = {"callcampaign", callcampaign, false};
