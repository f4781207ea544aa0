/* The values of the family xivo: those that the dialplan told, those of the channel, those of who
 * is called. */
#include <time.h>

#include "sheets/trigger.h"
#include "users/relations.h"
#include "json/json.h"

static struct view text_of(const struct xod_obj *o, unsigned field, char scratch[32])
{
    return o ? value_text(xod_get(o, field), scratch) : view_of(NULL, 0);
}

static void put(struct json_object *family, const char *name, struct view value)
{
    if (value.len)
        call_set(family, view_cstr(name), value);
}

/* Where nothing better is known. */
static void put_otherwise(struct json_object *family, const char *name, struct view value)
{
    if (!json_get(family, name))
        put(family, name, value);
}

/* What a Local channel says of itself is of whom it leads to. */
static void learn_caller(struct call *call, const struct xod_obj *channel)
{
    struct view number = xod_get_str(channel, XOD(channels, callerid_num));
    struct view name = xod_get_str(channel, XOD(channels, callerid_name));

    if (local_is_half(xod_obj_id(channel)))
        return;
    put(call->seen, "calleridnum", number);
    if (!view_eq(name, number))
        put(call->seen, "calleridname", name);
}

/* The phone that calls: its own, or the one that has the number. */
static const struct xod_obj *calling_phone(const struct call *call, const struct xod_obj *channel)
{
    const struct xod_obj *phone = xod_related(channel, LIST_phones, 0);
    struct view number = json_get_view(call->xivo, "calleridnum");

    if (number.len == 0)
        number = json_get_view(call->seen, "calleridnum");
    if (phone || call->incoming || number.len == 0 || xod_related(channel, LIST_trunks, 0))
        return phone;
    return xod_lookup(call->ipbx, LIST_phones, XOD(phones, number), number, 0);
}

void values_learn(struct call *call, const struct xod_obj *channel)
{
    struct view exten = xod_get_str(channel, XOD(channels, exten));
    const struct xod_obj *phone;
    const struct xod_obj *user;
    char scratch[32];

    learn_caller(call, channel);
    phone = calling_phone(call, channel);
    user = phone ? relations_user(phone) : NULL;
    put_otherwise(call->seen, "calleridnum", text_of(phone, XOD(phones, number), scratch));
    put_otherwise(call->seen, "calleridname", text_of(user, XOD(users, fullname), scratch));
    put(call->seen, "context", xod_get_str(channel, XOD(channels, context)));
    if (!view_eq(exten, VIEW("s"))) /* no number, but a place of the dialplan */
        put_otherwise(call->seen, "calledidnum", exten);
    if (user)
        put(call->seen, "userid", xod_obj_id(user));
}

static void put_time(struct json_object *xivo, double when)
{
    time_t seconds = (time_t)when;
    char text[32];
    struct tm tm;

    if (!localtime_r(&seconds, &tm))
        return;
    strftime(text, sizeof(text), "%Y-%m-%d", &tm);
    put(xivo, "date", view_cstr(text));
    strftime(text, sizeof(text), "%H:%M:%S", &tm);
    put(xivo, "time", view_cstr(text));
}

/* The first who is called. */
static void put_called(struct json_object *xivo, const struct xod_obj *user)
{
    const struct xod_obj *phone = relations_line(user);
    char scratch[32];

    put_otherwise(xivo, "desttype", VIEW("user"));
    if (view_eq(json_get_view(xivo, "desttype"), VIEW("user"))) {
        put_otherwise(xivo, "destid", xod_obj_id(user));
        put_otherwise(xivo, "calledidname", text_of(user, XOD(users, fullname), scratch));
        put_otherwise(xivo, "calledidnum", text_of(phone, XOD(phones, number), scratch));
    }
}

static void put_agent(struct json_object *xivo, const struct xod_obj *agent)
{
    char scratch[32];

    put(xivo, "agentid", xod_obj_id(agent));
    put(xivo, "agentnumber", text_of(agent, XOD(agents, number), scratch));
}

static void put_call(struct json_object *xivo, const struct call *call)
{
    json_object_object_foreach(call->seen, seen_name, seen)
    {
        put(xivo, seen_name, json_view(seen));
    }
    json_object_object_foreach(call->xivo, name, value)
    {
        /* a name that was looked up on the way is better than what the call came with */
        if (strcmp(name, "calleridname") != 0)
            put(xivo, name, json_view(value));
        else
            put_otherwise(xivo, name, json_view(value));
    }
    put(xivo, "uniqueid", call_uniqueid(call));
    put_otherwise(xivo, "direction", call->incoming ? VIEW("incoming") : VIEW("internal"));
    put_otherwise(xivo, "origin", call->incoming ? VIEW("extern") : VIEW("intern"));
}

static struct json_object *family_dp(const struct sheet_trigger *o)
{
    struct json_object *dp = NULL;

    if (o->call && json_object_deep_copy(o->call->dp, &dp, NULL) < 0)
        dp = NULL;
    if (!dp)
        dp = json_object_new_object();
    if (o->dp && dp) {
        json_object_object_foreach(o->dp, name, value)
        {
            call_set(dp, view_cstr(name), json_view(value));
        }
    }
    return dp;
}

static struct json_object *family_xivo(const struct sheet_trigger *o)
{
    struct json_object *xivo = json_object_new_object();
    const struct xod_obj *agent = o->agent;

    if (!xivo)
        return NULL;
    if (!agent && o->n_users)
        agent = relations_agent(o->users[0]);
    if (o->call)
        put_call(xivo, o->call);
    put(xivo, "channel", o->call ? view_cstr(o->call->channel) : o->channel);
    put(xivo, "ipbxid", xod_ipbx_name(o->d->ipbx));
    put(xivo, "astid", xod_ipbx_name(o->d->ipbx));
    put(xivo, "where", view_cstr(o->event));
    put_time(xivo, o->time);
    if (o->n_users)
        put_called(xivo, o->users[0]);
    if (agent)
        put_agent(xivo, agent);
    return xivo;
}

struct json_object *values_of(const struct sheet_trigger *o)
{
    struct json_object *values = json_object_new_object();

    if (!values)
        return NULL;
    json_object_object_add(values, "xivo", family_xivo(o));
    json_object_object_add(values, "dp", family_dp(o));
    return values;
}
