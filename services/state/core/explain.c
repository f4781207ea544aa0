#include "core/explain.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/utf8.h"
#include "core/object_name.h"
#include "json/json.h"

#define MAX_OBJECTS 50000
#define MAX_TEXT 400 /* bytes of what is kept of one event */
#define MAX_FIELD 60 /* and of each of its texts: the changes must find room behind it */

struct entry {
    double time;
    char *text; /* the event, a NUL, the changes, a NUL */
};

/* The last events of one object, in a ring. */
struct trail {
    size_t next, n;
    char *key;
    struct entry entries[];
};

struct explain {
    unsigned per_object;
    struct map *trails; /* LIST NUL IPBX NUL ID -> struct trail */
    const struct tel *cause;
    struct buf key, text;
};

/* Of which fields a change is kept, and what is shown as the present state. */
static const struct {
    enum xod_list list;
    uint64_t fields;
} kept[] = {
    {LIST_phones, XOD_BIT(phones, hintstatus) | XOD_BIT(phones, hint) | XOD_BIT(phones, reg) |
                      XOD_BIT(phones, presence) | XOD_BIT(phones, channels)},
    {LIST_trunks, XOD_BIT(trunks, hintstatus) | XOD_BIT(trunks, reg) | XOD_BIT(trunks, channels)},
    {LIST_agents,
     XOD_BIT(agents, status) | XOD_BIT(agents, availability) | XOD_BIT(agents, phonenumber) |
         XOD_BIT(agents, channel) | XOD_BIT(agents, by_membership) | XOD_BIT(agents, on_call_acd) |
         XOD_BIT(agents, on_call_nonacd) | XOD_BIT(agents, on_wrapup) | XOD_BIT(agents, queues)},
    {LIST_queuemembers, XOD_BIT(queuemembers, status) | XOD_BIT(queuemembers, paused) |
                            XOD_BIT(queuemembers, in_call) | XOD_BIT(queuemembers, reason) |
                            XOD_BIT(queuemembers, device)},
    {LIST_channels, XOD_BIT(channels, state) | XOD_BIT(channels, commstatus) |
                        XOD_BIT(channels, direction) | XOD_BIT(channels, talkingto_id) |
                        XOD_BIT(channels, peerdisplay) | XOD_BIT(channels, holded) |
                        XOD_BIT(channels, parked) | XOD_BIT(channels, monitored) |
                        XOD_BIT(channels, queue) | XOD_BIT(channels, call)},
    {LIST_queues,
     XOD_BIT(queues, incalls) | XOD_BIT(queues, agentmembers) | XOD_BIT(queues, phonemembers)},
};

static uint64_t fields_of(enum xod_list list)
{
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        if (kept[i].list == list)
            return kept[i].fields;
    return 0;
}

/* ---- making ---- */

struct explain *explain_new(unsigned per_object)
{
    struct explain *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->per_object = per_object;
    buf_init(&e->key, 4096);
    buf_init(&e->text, MAX_TEXT);
    e->trails = map_new();
    if (!e->trails)
        explain_destroy(&e);
    return e;
}

static void trail_free(struct trail *t, unsigned per_object)
{
    for (unsigned i = 0; i < per_object; i++)
        free(t->entries[i].text);
    free(t->key);
    free(t);
}

void explain_destroy(struct explain **e)
{
    size_t pos = 0;
    void *v;

    if (!e || !*e)
        return;
    while ((*e)->trails && map_next((*e)->trails, &pos, NULL, &v))
        trail_free(v, (*e)->per_object);
    map_destroy(&(*e)->trails);
    buf_free(&(*e)->key);
    buf_free(&(*e)->text);
    free(*e);
    *e = NULL;
}

static struct view key_of(struct buf *key, const struct xod_obj *o)
{
    buf_reset(key);
    buf_append_cstr(key, schema_list(xod_obj_list(o))->name);
    buf_append_char(key, '\0');
    buf_append_view(key, xod_ipbx_name(xod_obj_ipbx(o)));
    buf_append_char(key, '\0');
    buf_append_view(key, xod_obj_id(o));
    return buf_view(key);
}

static struct trail *trail_of(struct explain *e, const struct xod_obj *o)
{
    struct view key = key_of(&e->key, o);
    struct trail *t = map_get(e->trails, key);

    if (t || map_count(e->trails) >= MAX_OBJECTS || e->key.failed)
        return t;
    t = calloc(1, sizeof(*t) + e->per_object * sizeof(t->entries[0]));
    if (!t)
        return NULL;
    t->key = malloc(key.len);
    if (t->key)
        memcpy(t->key, key.ptr, key.len);
    if (!t->key || map_put(e->trails, view_of(t->key, key.len), t) < 0) {
        trail_free(t, 0);
        return NULL;
    }
    return t;
}

/* ---- keeping ---- */

static void put_field(struct buf *out, const struct tel *t, enum tel_field f)
{
    struct view name = schema_tel_field_name(f);

    buf_append_char(out, ' ');
    buf_append_view(out, name);
    buf_append_char(out, '=');
    if (schema_tel_field_type(f) == T_STR)
        buf_append_view(out, utf8_cut(t->str[f], MAX_FIELD));
    else
        json_put_i64(out, t->num[f]);
}

/* "device/hint" */
static struct view name_of(const struct tel *t)
{
    struct view name = t ? schema_tel_topic(t->event) : VIEW("ctibus");

    if (name.len && name.ptr[name.len - 1] == '/')
        name.len--;
    return name;
}

/* "device/hint exten=1001 context=default status=8" */
static void put_event(struct buf *out, const struct tel *t)
{
    buf_append_view(out, name_of(t));
    if (!t)
        return;
    if (t->resync)
        buf_append_cstr(out, " (listed)");
    for (int f = 0; f < TEL_FIELD_COUNT && buf_len(out) < MAX_TEXT / 2; f++)
        if (f != TELF_resync && tel_has(t, (enum tel_field)f))
            put_field(out, t, (enum tel_field)f);
}

static void put_value(struct buf *out, const struct value *v)
{
    char scratch[32];

    if (v->type == V_NULL)
        buf_append_cstr(out, "-");
    else if (v->type == V_LIST || v->type == V_MAP || v->type == V_BOOL)
        value_put_json(out, v);
    else if (v->type == V_STR && v->len == 0)
        buf_append_cstr(out, "\"\"");
    else
        buf_append_view(out, value_text(v, scratch));
}

static void put_fields(struct buf *out, const struct xod_obj *o, uint64_t fields)
{
    const char *sep = "";

    for (; fields; fields &= fields - 1) {
        unsigned f = (unsigned)__builtin_ctzll(fields);
        buf_append_cstr(out, sep);
        buf_append_cstr(out, schema_list(xod_obj_list(o))->fields[f].name);
        buf_append_char(out, ' ');
        put_value(out, xod_get(o, f));
        sep = ", ";
    }
}

void explain_cause(struct explain *e, const struct tel *t)
{
    e->cause = t;
}

static void keep(struct explain *e, struct trail *t, const struct xod_obj *o, uint64_t fields)
{
    struct entry *entry = &t->entries[t->next];
    size_t event;
    char *text;

    buf_reset(&e->text);
    put_event(&e->text, e->cause);
    event = buf_len(&e->text);
    buf_append_char(&e->text, '\n');
    put_fields(&e->text, o, fields);
    if (e->text.failed) { /* it is too long: what was changed counts more */
        buf_reset(&e->text);
        buf_append_view(&e->text, name_of(e->cause));
        event = buf_len(&e->text);
        buf_append_cstr(&e->text, "\n(too long to be kept)");
    }
    if (e->text.failed)
        return;
    text = view_dup(buf_view(&e->text));
    if (!text)
        return;
    text[event] = '\0';
    free(entry->text);
    *entry = (struct entry){e->cause ? e->cause->time : clock_wall(), text};
    t->next = (t->next + 1) % e->per_object;
    t->n += t->n < e->per_object;
}

static void drop(struct explain *e, const struct xod_obj *o)
{
    struct trail *t = map_del(e->trails, key_of(&e->key, o));

    if (t)
        trail_free(t, e->per_object);
}

void explain_change(void *explain, const struct xod_change *c)
{
    struct explain *e = explain;
    uint64_t fields = c->fields & fields_of(xod_obj_list(c->obj));
    struct trail *t;

    if (e->per_object == 0 || !fields)
        return;
    if (c->op == XOD_DEL) {
        drop(e, c->obj);
        return;
    }
    t = trail_of(e, c->obj);
    if (t)
        keep(e, t, c->obj, fields);
}

/* ---- telling ---- */

bool explain_event(const struct explain *e, const struct xod_obj *o, size_t n,
                   struct explained *out)
{
    const struct trail *t;
    const struct entry *entry;
    struct buf key;

    buf_init(&key, 4096);
    t = map_get(e->trails, key_of(&key, o));
    buf_free(&key);
    if (!t || n >= t->n)
        return false;
    entry = &t->entries[(t->next + e->per_object - t->n + n) % e->per_object];
    out->time = entry->time;
    out->event = view_cstr(entry->text);
    out->changes = view_cstr(entry->text + out->event.len + 1);
    return true;
}

struct xod_obj *explain_object(struct xod *x, struct view name)
{
    struct xod_obj *o = object_named(x, name);

    return o && fields_of(xod_obj_list(o)) ? o : NULL;
}

void explain_put_now(struct buf *out, const struct xod_obj *o)
{
    put_fields(out, o, fields_of(xod_obj_list(o)));
}

static const char *state_word(struct view status)
{
    static const struct {
        struct view status;
        const char *word;
    } words[] = {{VIEW("0"), "idle"},
                 {VIEW("1"), "in use"},
                 {VIEW("2"), "busy"},
                 {VIEW("4"), "unavailable"},
                 {VIEW("8"), "ringing"},
                 {VIEW("9"), "in use and ringing"},
                 {VIEW("16"), "on hold"},
                 {VIEW("-1"), "its hint was removed"},
                 {VIEW("-2"), "its hint was removed"}};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (view_eq(words[i].status, status))
            return words[i].word;
    return "unknown";
}

static void put_phone(struct buf *out, const struct xod_obj *o)
{
    struct view hint = xod_get_str(o, XOD(phones, hint));
    struct view identity = xod_get_str(o, XOD(phones, identity));

    buf_printf(out, "It is %s, ", state_word(xod_get_str(o, XOD(phones, hintstatus))));
    if (hint.len)
        buf_printf(out, "by the hint %.*s; the state of its device %.*s does not count.",
                   VIEW_ARG(hint), VIEW_ARG(identity));
    else
        buf_printf(out, "by the state of its device %.*s: no hint names it.", VIEW_ARG(identity));
    if (!hint.len && xod_get_str(o, XOD(phones, reg)).len == 0 &&
        view_eq(xod_get_str(o, XOD(phones, hintstatus)), VIEW("4")))
        buf_printf(out,
                   " Asterisk has told nothing of %.*s: protocol and name in the lists must be "
                   "those of Asterisk.",
                   VIEW_ARG(identity));
}

static bool is_paused(const struct xod_obj *agent)
{
    const struct xod_obj *member;

    for (size_t pos = 0; (member = xod_tied_next(agent, LIST_queuemembers, &pos));)
        if (!view_eq(xod_get_str(member, XOD(queuemembers, paused)), VIEW("0")))
            return true;
    return false;
}

static void put_agent(struct buf *out, const struct xod_obj *o)
{
    buf_printf(out, "It is %.*s", VIEW_ARG(xod_get_str(o, XOD(agents, availability))));
    if (view_eq(xod_get_str(o, XOD(agents, availability)), VIEW("logged_out"))) {
        buf_append_cstr(out, xod_related(o, LIST_queuemembers, 0)
                                 ? ": it is a member of queues, but Asterisk's agent is logged off."
                                 : ": it is a member of no queue, and no agent of Asterisk is "
                                   "logged in.");
        return;
    }
    buf_append_cstr(out, xod_get(o, XOD(agents, by_membership))->b
                             ? ", logged in by being a member of a queue"
                             : ", logged in as an agent of Asterisk");
    buf_append_cstr(out, is_paused(o) ? ", paused in a queue." : ".");
}

static void put_channel(struct buf *out, const struct xod_obj *o)
{
    struct view call = xod_get_str(o, XOD(channels, call));

    if (call.len)
        buf_printf(out, "It belongs to the call %.*s.", VIEW_ARG(call));
    if (!xod_related(o, LIST_phones, 0) && !xod_related(o, LIST_trunks, 0))
        buf_append_cstr(out,
                        " No phone and no trunk of the lists has a name with which it begins.");
}

/* What is told while the link is down is what was known last. */
static void put_link(struct buf *out, const struct xod_obj *o)
{
    const struct xod_obj *ipbx =
        xod_find(xod_obj_ipbx(o), LIST_ipbx, xod_ipbx_name(xod_obj_ipbx(o)));
    struct view link = ipbx ? xod_get_str(ipbx, XOD(ipbx, link)) : view_of(NULL, 0);

    if (!view_eq(link, VIEW("up")))
        buf_printf(out, " The link to its Asterisk is not up (%.*s): this is what was known last.",
                   VIEW_ARG(link.len ? link : VIEW("down")));
}

void explain_put_why(struct buf *out, const struct xod_obj *o)
{
    if (xod_obj_list(o) == LIST_phones)
        put_phone(out, o);
    else if (xod_obj_list(o) == LIST_agents)
        put_agent(out, o);
    else if (xod_obj_list(o) == LIST_channels)
        put_channel(out, o);
    put_link(out, o);
}
