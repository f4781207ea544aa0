/* What the profile limits: whose calls are seen, and whether numbers are. */
#include <errno.h>
#include <stdlib.h>

#include "access/access.h"
#include "json/json.h"

/* Channels of a phone begin with its identity and a dash; those of an agent (before 12) are called
 * like the agent. Names of both, each ended by a NUL. */
static void put_phone(struct buf *out, const struct xod_obj *phone)
{
    struct view identity = phone ? xod_get_str(phone, XOD(phones, identity)) : VIEW("");

    if (identity.len)
        buf_printf(out, "%.*s%c", VIEW_ARG(identity), '\0');
}

/* Wherever the agent is logged in from. */
static void put_agent(struct buf *out, const struct xod_obj *agent)
{
    char scratch[32];
    struct view number = value_text(xod_get(agent, XOD(agents, number)), scratch);
    struct view exten = xod_get_str(agent, XOD(agents, phonenumber));

    buf_printf(out, "Agent/%.*s%c", VIEW_ARG(number), '\0');
    if (exten.len)
        put_phone(out, xod_lookup(xod_obj_ipbx(agent), LIST_phones, XOD(phones, number), exten, 0));
}

static void put_devices(struct buf *out, const struct xod_obj *user)
{
    const struct value *lines = xod_get(user, XOD(users, linelist));
    struct xod_ipbx *ipbx = xod_obj_ipbx(user);
    const struct xod_obj *agent;
    char scratch[32];

    for (uint32_t i = 0; lines->type == V_LIST && i < lines->len; i++)
        put_phone(out, xod_find(ipbx, LIST_phones, value_view(&lines->items[i])));
    agent = xod_find(ipbx, LIST_agents, value_text(xod_get(user, XOD(users, agentid)), scratch));
    if (agent)
        put_agent(out, agent);
}

static void put_member(void *arg, const struct xod_obj *user)
{
    put_devices(arg, user);
}

static int take(struct buf *from, char **to, size_t *len)
{
    buf_reserve(from, 1); /* an empty set is a set, too */
    if (from->failed) {
        buf_free(from);
        return -ENOMEM;
    }
    *to = from->mem;
    *len = buf_len(from);
    return 0;
}

int access_limit(struct access *a, const struct xod_obj *user, struct json_object *see)
{
    struct view calls = json_get_view(see, "calls");
    struct buf own, seen;

    a->masked = view_eq(json_get_view(see, "numbers"), VIEW("masked"));
    if (!a->masked && !view_eq(calls, VIEW("own")) && !view_eq(calls, VIEW("group")))
        return 0;
    buf_init(&own, 1 << 20);
    buf_init(&seen, 1 << 24);
    if (user) {
        put_devices(&own, user);
        put_devices(&seen, user);
    }
    if (user && view_eq(calls, VIEW("group")))
        access_group(user, put_member, &seen);
    if (take(&own, &a->own, &a->own_len) < 0) {
        buf_free(&seen);
        return -ENOMEM;
    }
    if (view_eq(calls, VIEW("own")) || view_eq(calls, VIEW("group")))
        return take(&seen, &a->seen, &a->seen_len);
    buf_free(&seen);
    return 0;
}

static bool is_of(const char *devices, size_t len, struct view channel)
{
    for (size_t at = 0; at < len; at += strlen(devices + at) + 1) {
        struct view device = view_cstr(devices + at);
        if (channel.len >= device.len && view_ieq(view_of(channel.ptr, device.len), device) &&
            (channel.len == device.len || channel.ptr[device.len] == '-'))
            return true;
    }
    return false;
}

/* Is it a channel of these devices, or a call that one takes part in? */
static bool concerns(const char *devices, size_t len, const struct xod_obj *o)
{
    const struct value *names;

    if (xod_obj_list(o) == LIST_channels)
        return is_of(devices, len, xod_obj_id(o));
    names = xod_get(o, XOD(calls, participants));
    for (uint32_t i = 0; names->type == V_LIST && i < names->len; i++)
        if (is_of(devices, len, value_view(&names->items[i])))
            return true;
    return false;
}

bool access_is_limited(const struct access *a)
{
    return a->own != NULL;
}

bool access_within_limit(const struct access *a, const struct xod_obj *o)
{
    enum xod_list list = xod_obj_list(o);

    return !a->seen || (list != LIST_channels && list != LIST_calls) ||
           concerns(a->seen, a->seen_len, o);
}

bool access_masks(const struct access *a, const struct xod_obj *o)
{
    switch (xod_obj_list(o)) {
    case LIST_parkinglots:
        return a->masked;
    case LIST_channels:
    case LIST_calls:
        return a->masked && !concerns(a->own, a->own_len, o);
    default:
        return false;
    }
}

/* ---- numbers ---- */

#define SHORT 6  /* digits: an extension hides nobody */
#define HIDDEN 4 /* digits at the end of a longer one */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool may_be_within(char c)
{
    return is_digit(c) || strchr(" .-()/", c);
}

void access_mask(struct buf *out, struct view text)
{
    for (size_t i = 0; i < text.len;) {
        size_t end = i;
        size_t digits = 0, seen = 0;
        while (end < text.len && text.ptr[end] && may_be_within(text.ptr[end]))
            digits += is_digit(text.ptr[end++]);
        if (end == i) {
            buf_append_char(out, text.ptr[i++]);
            continue;
        }
        for (; i < end; i++) {
            seen += is_digit(text.ptr[i]);
            buf_append_char(out, digits > SHORT && is_digit(text.ptr[i]) && seen + HIDDEN > digits
                                     ? 'x'
                                     : text.ptr[i]);
        }
    }
}
