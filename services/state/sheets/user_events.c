/* What XiVO's dialplan says by UserEvents: of a call, who it is from and whom it is for. */
#include <stdio.h>

#include "base/array.h"
#include "model/tel.h"
#include "sheets/trigger.h"
#include "users/relations.h"
#include "json/json.h"

/* Which header becomes which value, of any UserEvent that names a call. */
static const struct {
    const char *header, *value;
} told[] = {
    {"XIVO_SRCNUM", "calleridnum"}, {"XIVO_SRCNAME", "calleridname"},
    {"XIVO_SRCTON", "calleridton"}, {"XIVO_SRCRDNIS", "calleridrdnis"},
    {"XIVO_EXTENPATTERN", "did"},   {"XIVO_DSTNUM", "calledidnum"},
    {"XIVO_USERID", "userid"},      {"XIVO_LINEID", "lineid"},
    {"XIVO_CALLORIGIN", "origin"},  {"XIVO_CONTEXT", "context"},
};

static void take_headers(struct call *call, const struct tel *t)
{
    for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
        struct view value = msg_get_str(t->headers, told[i].header);
        if (value.len)
            call_set(call->xivo, view_cstr(told[i].value), value);
    }
}

static struct xod_obj *named(struct ipbx_model *d, const struct tel *t, enum xod_list list,
                             const char *header)
{
    return xod_find(d->ipbx, list, msg_get_str(t->headers, header));
}

static void set_destination(struct call *call, const char *type, const struct tel *t,
                            const struct xod_obj *dest, unsigned field)
{
    char scratch[32];

    call_set(call->xivo, VIEW("desttype"), view_cstr(type));
    call_set(call->xivo, VIEW("destid"), msg_get_str(t->headers, "XIVO_DSTID"));
    call_set(call->xivo, VIEW("calledidname"),
             dest ? value_text(xod_get(dest, field), scratch) : view_of(NULL, 0));
}

/* ---- queues and groups ---- */

static void add_members(struct sheet_trigger *o, const struct value *ids, enum xod_list list)
{
    for (uint32_t i = 0; ids->type == V_LIST && i < ids->len; i++) {
        const struct xod_obj *m = xod_find(o->d->ipbx, list, value_view(&ids->items[i]));
        sheet_trigger_add(o, m ? relations_user(m) : NULL);
    }
}

static void on_queue(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    const struct xod_obj *queue = named(o->d, t, LIST_queues, "XIVO_DSTID");
    char scratch[32];

    set_destination(o->call, "queue", t, queue, XOD(queues, displayname));
    if (queue) {
        call_set(o->call->xivo, VIEW("queuename"),
                 value_text(xod_get(queue, XOD(queues, name)), scratch));
        add_members(o, xod_get(queue, XOD(queues, agentmembers)), LIST_agents);
        add_members(o, xod_get(queue, XOD(queues, phonemembers)), LIST_phones);
    }
    o->event = "incomingqueue";
    sheets_happened(sh, o);
}

static void on_group(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    const struct xod_obj *group = named(o->d, t, LIST_groups, "XIVO_DSTID");

    set_destination(o->call, "group", t, group, XOD(groups, name));
    if (group) {
        add_members(o, xod_get(group, XOD(groups, agentmembers)), LIST_agents);
        add_members(o, xod_get(group, XOD(groups, phonemembers)), LIST_phones);
    }
    o->event = "incominggroup";
    sheets_happened(sh, o);
}

/* ---- the others ---- */

static void on_user(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    const struct xod_obj *user = named(o->d, t, LIST_users, "XIVO_DSTID");

    set_destination(o->call, "user", t, user, XOD(users, fullname));
    event_incoming(sh, o->d, o->call, user, t->time);
}

static void on_meetme(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    const struct xod_obj *scratch = named(o->d, t, LIST_meetmes, "XIVO_DSTID");

    set_destination(o->call, "meetme", t, scratch, XOD(meetmes, name));
}

static void on_did(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    o->call->incoming = true;
    event_incoming(sh, o->d, o->call, NULL, t->time);
}

static void on_outcall(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    call_set(o->call->xivo, VIEW("desttype"), VIEW("outcall"));
    call_set(o->call->xivo, VIEW("destid"), msg_get_str(t->headers, "XIVO_DSTID"));
    call_set(o->call->xivo, VIEW("direction"), VIEW("outgoing"));
    sheet_trigger_add(o, xod_find(o->d->ipbx, LIST_users, json_get_view(o->call->xivo, "userid")));
    if (o->n_users == 0)
        sheet_trigger_add(o,
                          xod_find(o->d->ipbx, LIST_users, json_get_view(o->call->seen, "userid")));
    o->event = "outcall";
    sheets_happened(sh, o);
}

/* A call between two lines, whatever trunk it may come through. */
static void on_local(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    (void)sh;
    (void)t;
    call_set(o->call->xivo, VIEW("direction"), VIEW("internal"));
}

/* A variable of the dialplan's own. */
static void on_dialplan2cti(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    (void)sh;
    call_set(o->call->dp, msg_get_str(t->headers, "VARIABLE"), msg_get_str(t->headers, "VALUE"));
}

/* What comes with it is for this sheet alone. It need not be about a call. */
static void on_custom(struct sheets *sh, struct sheet_trigger *o, const struct tel *t)
{
    struct view name = msg_get_str(t->headers, "NAME");
    char event[80];

    o->dp = json_object_new_object();
    for (uint32_t i = 0; o->dp && i < t->headers->via.map.size; i++)
        call_set(o->dp, msg_str(&t->headers->via.map.ptr[i].key),
                 msg_str(&t->headers->via.map.ptr[i].val));
    sheet_trigger_add(o, named(o->d, t, LIST_users, "XIVO_DSTID"));
    if (o->n_users == 0)
        sheet_trigger_add(o, named(o->d, t, LIST_users, "XIVO_USERID"));
    if (name.len && name.len <= 64)
        snprintf(event, sizeof(event), "custom:%.*s", VIEW_ARG(name));
    else
        snprintf(event, sizeof(event), "custom");
    o->event = event;
    o->often = EACH_TIME;
    sheets_happened(sh, o);
    json_object_put(o->dp);
    o->dp = NULL;
}

typedef void user_event_fn(struct sheets *sh, struct sheet_trigger *o, const struct tel *t);

static const struct {
    const char *name;
    user_event_fn *fn;
    bool any; /* also without a call */
} kinds[] = {
    {"Did", on_did, false},         {"User", on_user, false},
    {"Queue", on_queue, false},     {"Group", on_group, false},
    {"Meetme", on_meetme, false},   {"OutCall", on_outcall, false},
    {"Custom", on_custom, true},    {"dialplan2cti", on_dialplan2cti, false},
    {"LocalCall", on_local, false}, {"LookupDirectory", NULL, false},
};

void user_event(struct sheets *sh, struct ipbx_model *d, const struct tel *t)
{
    struct view name = msg_get_str(t->headers, "CHANNEL");
    struct view uniqueid = msg_get_str(t->headers, "UNIQUEID");
    struct sheet_trigger o = {
        .d = d, .time = t->time, .channel = name.len ? name : msg_get_str(t->headers, "Channel")};

    for (size_t i = 0; t->headers && i < ARRAY_SIZE(kinds); i++) {
        if (!view_eq(t->str[TELF_name], view_cstr(kinds[i].name)))
            continue;
        o.call = event_call_named(sh, d, uniqueid.len ? uniqueid : t->str[TELF_uniqueid],
                                  o.channel.len ? o.channel : t->str[TELF_channel]);
        if (o.call)
            take_headers(o.call, t);
        if (kinds[i].fn && (o.call || kinds[i].any))
            kinds[i].fn(sh, &o, t);
        return;
    }
}
