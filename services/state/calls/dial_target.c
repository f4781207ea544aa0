#include "calls/dial_target.h"

#include <stdio.h>

#include "access/access.h"
#include "base/array.h"
#include "core/profile.h"
#include "federation/peers.h"
#include "model/model.h"
#include "users/extensions.h"
#include "users/relations.h"

/* ---- names ---- */

static const struct {
    const char *kind;
    enum xod_list list;
} kinds[] = {
    {"user", LIST_users},       {"phone", LIST_phones},         {"agent", LIST_agents},
    {"queue", LIST_queues},     {"group", LIST_groups},         {"meetme", LIST_meetmes},
    {"chan", LIST_channels},    {"voicemail", LIST_voicemails}, {"trunk", LIST_trunks},
    {"channel", LIST_channels}, {"parking", LIST_parkinglots},
};

static bool other_end_is_seen(const struct access *a, const struct xod_obj *channel)
{
    const struct xod_obj *peer = channel_peer(channel);
    struct access contexts = {.contexts = a->contexts, .len = a->len, .is_site = a->is_site};

    return peer && access_within_limit(a, peer) && access_sees(&contexts, channel);
}

static bool sees(struct state *s, const struct session *se, const struct xod_obj *o)
{
    struct access a;
    bool yes;

    if (access_init(&a, session_user(se), access_is_separate(s->cfg)) < 0)
        return false;
    if (access_limit(&a, session_user(se), profile_see(s->cfg, view_cstr(se->capaid))) < 0) {
        access_fini(&a);
        return false;
    }
    yes = access_sees(&a, o);
    if (!yes && xod_obj_list(o) == LIST_channels) /* the other end of a call that is seen */
        yes = other_end_is_seen(&a, o);
    access_fini(&a);
    return yes;
}

/* Cuts "SITE/" off *id when it names the session's own IPBX: ids of channels have slashes, too.
 * False: it names a peer. */
static bool cut_site(struct state *s, const struct session *se, struct view *id)
{
    struct view own = xod_ipbx_name(se->ipbx);

    if (id->len > own.len && view_starts(*id, own) && id->ptr[own.len] == '/') {
        *id = view_of(id->ptr + own.len + 1, id->len - own.len - 1);
        return true;
    }
    for (size_t i = 0; i < s->n_ipbxes; i++) {
        struct view other = xod_ipbx_name(s->ipbxes[i].model->ipbx);
        if (id->len > other.len && view_starts(*id, other) && id->ptr[other.len] == '/')
            return false;
    }
    return true;
}

struct view target_channel_name(struct view id)
{
    struct view rest = id;
    struct view user = view_cut(&rest, ':');

    return user.len && rest.len && !memchr(user.ptr, '/', user.len) ? rest : id;
}

static struct xod_obj *find(struct state *s, const struct session *se, enum xod_list list,
                            struct view id)
{
    struct xod_ipbx *ipbx = peers_cut(s->peers, &id);
    struct xod_obj *o;

    if (!ipbx && !cut_site(s, se, &id))
        return NULL;
    o = xod_find(ipbx ? ipbx : se->ipbx, list, id);
    if (!o && list == LIST_channels)
        o = xod_find(ipbx ? ipbx : se->ipbx, list, target_channel_name(id));
    return o && sees(s, se, o) ? o : NULL;
}

/* special:me, special:myvoicemail */
static struct target special(const struct session *se, struct view kind, struct view id)
{
    struct xod_obj *user = session_user(se);
    struct target t = {.kind = TARGET_OBJECT};

    if (view_eq(id, VIEW("special:myvoicemail"))) {
        t.kind = TARGET_VM_CONSULT;
        t.object = user ? xod_related(user, LIST_voicemails, 0) : NULL;
    } else if (view_eq(id, VIEW("special:me")) && user) {
        t.object = view_eq(kind, VIEW("agent")) ? relations_agent(user) : user;
        if (view_eq(kind, VIEW("phone")))
            t.object = relations_line(user);
    }
    if (!t.object)
        t.kind = TARGET_NONE;
    return t;
}

/* tel:+33123456789, sip:1002@example.net: of a web page or an address book. */
static bool is_uri(struct view kind)
{
    return view_ieq(kind, VIEW("tel")) || view_ieq(kind, VIEW("sip")) ||
           view_ieq(kind, VIEW("sips")) || view_ieq(kind, VIEW("callto"));
}

static struct target number(struct state *s, const struct session *se, struct view text)
{
    struct target t = {.kind = TARGET_NUMBER};

    if (!cut_site(s, se, &text) || !dialled(text, t.number, TARGET_TEXT))
        t.kind = TARGET_NONE;
    return t;
}

static struct target object(struct state *s, struct xod_obj *o)
{
    if (!o)
        return (struct target){.kind = TARGET_NONE};
    return (struct target){.kind = peers_site(s->peers, xod_ipbx_name(xod_obj_ipbx(o)))
                                       ? TARGET_REMOTE
                                       : TARGET_OBJECT,
                           .object = o};
}

struct target target_read(struct state *s, const struct session *se, struct view text, int bare)
{
    struct view id = text;
    struct view kind = view_cut(&id, ':');
    struct target t;

    if (kind.len == text.len) /* no colon */
        return bare == LIST_COUNT ? number(s, se, text)
                                  : object(s, find(s, se, (enum xod_list)bare, text));
    if (view_starts(id, VIEW("special:")))
        return special(se, kind, id);
    if (view_eq(kind, VIEW("exten")))
        return number(s, se, id);
    if (is_uri(kind))
        return number(s, se, text);
    if (view_eq(kind, VIEW("vm_consult"))) {
        t = object(s, find(s, se, LIST_voicemails, id));
        if (t.kind == TARGET_OBJECT)
            t.kind = TARGET_VM_CONSULT;
        return t;
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (view_eq(kind, view_cstr(kinds[i].kind)))
            return object(s, find(s, se, kinds[i].list, id));
    if (bare == LIST_COUNT)
        return (struct target){.kind = TARGET_NONE};
    return object(s,
                  find(s, se, (enum xod_list)bare, text)); /* names of channels may have a colon */
}

struct xod_obj *target_find(struct state *s, const struct session *se, enum xod_list list,
                            struct view text)
{
    struct target t = target_read(s, se, text, (int)list);

    return t.kind == TARGET_OBJECT && xod_obj_list(t.object) == list ? t.object : NULL;
}

/* ---- where calls go ---- */

static void copy_text(char out[TARGET_TEXT], const struct xod_obj *o, unsigned field)
{
    char scratch[32];

    snprintf(out, TARGET_TEXT, "%.*s", VIEW_ARG(value_text(xod_get(o, field), scratch)));
}

/* The fields of a list that say where a call to one of its objects goes. */
static const struct {
    enum xod_list list;
    unsigned number, context, name;
} ways[] = {
    {LIST_phones, XOD(phones, number), XOD(phones, context), XOD(phones, number)},
    {LIST_queues, XOD(queues, number), XOD(queues, context), XOD(queues, displayname)},
    {LIST_groups, XOD(groups, number), XOD(groups, context), XOD(groups, name)},
    {LIST_meetmes, XOD(meetmes, confno), XOD(meetmes, context), XOD(meetmes, name)},
    {LIST_parkinglots, XOD(parkinglots, extension), XOD(parkinglots, context),
     XOD(parkinglots, name)},
};

static bool by_number(const struct xod_obj *o, struct destination *out)
{
    char number[TARGET_TEXT];

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        if (xod_obj_list(o) != ways[i].list)
            continue;
        copy_text(number, o, ways[i].number);
        copy_text(out->context, o, ways[i].context);
        copy_text(out->name, o, ways[i].name);
        if (ways[i].list == LIST_phones && relations_user(o))
            copy_text(out->name, relations_user(o), XOD(users, fullname));
        return dialled(view_cstr(number), out->exten, TARGET_TEXT);
    }
    return false;
}

static bool to_user(const struct xod_obj *user, struct destination *out)
{
    struct xod_obj *line = relations_line(user);

    return line && by_number(line, out);
}

static bool to_agent(const struct xod_obj *agent, struct destination *out)
{
    struct view phone = xod_get_str(agent, XOD(agents, phonenumber));

    copy_text(out->context, agent, XOD(agents, context));
    copy_text(out->name, agent, XOD(agents, lastname));
    return dialled(phone, out->exten, TARGET_TEXT);
}

/* A mailbox: listened to (one's own asks for no number), or spoken to. */
static bool to_mailbox(struct state *s, const struct xod_obj *user, const struct xod_obj *box,
                       bool consult, struct destination *out)
{
    struct xod_ipbx *ipbx = xod_obj_ipbx(box);
    bool own = user && xod_is_tied(user, box);
    char number[TARGET_TEXT];
    char text[2 * TARGET_TEXT];

    copy_text(number, box, XOD(voicemails, mailbox));
    copy_text(out->context, box, XOD(voicemails, context));
    copy_text(out->name, box, XOD(voicemails, fullname));
    if (consult && own)
        snprintf(text, sizeof(text), "%s", extension_of(s, ipbx, EXTEN_OWN_MAILBOX));
    else
        snprintf(text, sizeof(text), "%s%s",
                 extension_of(s, ipbx, consult ? EXTEN_MAILBOX : EXTEN_LEAVE_MESSAGE), number);
    return dialled(view_cstr(text), out->exten, TARGET_TEXT);
}

static bool to_object(struct state *s, const struct xod_obj *user, const struct xod_obj *o,
                      bool leave, struct destination *out)
{
    switch (xod_obj_list(o)) {
    case LIST_users:
        return to_user(o, out);
    case LIST_agents:
        return to_agent(o, out);
    case LIST_voicemails:
        return to_mailbox(s, user, o, !leave && user && xod_is_tied(user, o), out);
    default:
        return by_number(o, out);
    }
}

/* ctibus.dialplan.rules: "+49=0", "+=00". Of those that fit the one with the longest beginning is
 * applied. False: what comes of it is too long. */
static bool apply_rules(struct state *s, char number[TARGET_TEXT])
{
    struct json_object *rules = config_get(s->cfg, "ctibus.dialplan.rules");
    struct view text = view_cstr(number);
    struct view from = {NULL, 0};
    struct view to = {NULL, 0};
    char out[TARGET_TEXT];
    int n;

    for (size_t i = 0; rules && json_object_is_type(rules, json_type_array) &&
                       i < json_object_array_length(rules);
         i++) {
        struct view whole = view_cstr(json_object_get_string(json_object_array_get_idx(rules, i)));
        struct view rest = whole;
        struct view begin = view_cut(&rest, '=');
        if (begin.len < whole.len && begin.len > from.len && view_starts(text, begin)) {
            from = begin;
            to = rest;
        }
    }
    if (from.len == 0)
        return true;
    n = snprintf(out, sizeof(out), "%.*s%s", VIEW_ARG(to), number + from.len);
    if (n < 0 || (size_t)n >= sizeof(out))
        return false;
    memcpy(number, out, (size_t)n + 1);
    return true;
}

bool target_destination(struct state *s, const struct xod_obj *user, const struct target *t,
                        bool leave, struct destination *out)
{
    struct xod_obj *line = user ? relations_line(user) : NULL;
    bool reachable = false;

    *out = (struct destination){0};
    if (t->kind == TARGET_NUMBER) {
        reachable = dialled(view_cstr(t->number), out->exten, TARGET_TEXT) &&
                    apply_rules(s, out->exten) && *out->exten;
    } else if (t->kind == TARGET_VM_CONSULT) {
        reachable = to_mailbox(s, user, t->object, true, out);
    } else if (t->kind == TARGET_OBJECT) {
        reachable = to_object(s, user, t->object, leave, out);
    } else if (t->kind == TARGET_REMOTE) { /* our dialplan knows the way there */
        reachable = to_object(s, user, t->object, leave, out);
        *out->context = '\0';
    }
    if (reachable && !*out->context && line)
        copy_text(out->context, line, XOD(phones, context));
    return reachable && *out->context;
}

/* The first phone of that number that may be seen: contexts may share numbers. */
static struct xod_obj *phone_numbered(struct state *s, const struct session *se, struct view number)
{
    struct xod_obj *phone;

    for (size_t n = 0;
         number.len && (phone = xod_lookup(se->ipbx, LIST_phones, XOD(phones, number), number, n));
         n++)
        if (sees(s, se, phone))
            return phone;
    return NULL;
}

struct xod_obj *target_phone(struct state *s, const struct session *se, const struct target *t)
{
    struct view number = view_of(NULL, 0);

    if (t->kind == TARGET_NUMBER)
        number = view_cstr(t->number);
    if (t->kind == TARGET_OBJECT)
        switch (xod_obj_list(t->object)) {
        case LIST_phones:
            return t->object;
        case LIST_users:
            return relations_line(t->object);
        case LIST_agents:
            number = xod_get_str(t->object, XOD(agents, phonenumber));
            break;
        default:
            return NULL;
        }
    return phone_numbered(s, se, number);
}

void target_put_callerid(struct buf *out, struct view name, struct view number)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] >= 0x20 && !strchr("\"<>\\", name.ptr[i]))
            buf_append_char(out, name.ptr[i]);
    buf_append_cstr(out, "\" <");
    buf_append_view(out, number);
    buf_append_char(out, '>');
}
