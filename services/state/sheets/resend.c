/* Sheets that somebody at a console asks for. */
#include <errno.h>

#include "sheets/rules.h"
#include "sheets/trigger.h"

/* The call that the channel has made, or that it was called in. */
static struct call *call_with(struct sheets *sh, struct ipbx_model *d,
                              const struct xod_obj *channel)
{
    const struct leg *leg =
        leg_find(sh->calls, d->ipbx, xod_get_str(channel, XOD(channels, uniqueid)));

    return leg ? leg->call : event_call(sh, d, channel);
}

static const struct xod_obj *user_named(const struct ipbx_model *d, const char *id)
{
    return xod_find(d->ipbx, LIST_users, view_cstr(id));
}

static void add_viewers(struct sheet_trigger *o, const struct recipients *viewers)
{
    for (size_t i = 0; viewers && i < viewers->n; i++)
        sheet_trigger_add(o, user_named(o->d, viewers->ids[i]));
}

static void add_called(struct sheet_trigger *o)
{
    const struct leg *leg;

    LIST_FOREACH(leg, &o->call->legs, of_call)
    sheet_trigger_add(o, user_named(o->d, leg->user_id));
}

int sheets_resend(struct sheets *sh, struct ipbx_model *d, const char *event, struct view channel,
                  double now)
{
    const struct xod_obj *of = xod_find(d->ipbx, LIST_channels, channel);
    struct rule rules[MAX_RULES];
    struct sheet_trigger o = {.d = d, .event = event, .time = now, .often = EACH_TIME};

    o.call = of ? call_with(sh, d, of) : NULL;
    if (!o.call)
        return -ENOENT;
    if (rules_of(sh->state->cfg, view_cstr(event), rules) == 0)
        return -ESRCH;
    add_viewers(&o, viewers_of(sh->viewers, d->ipbx, view_cstr(o.call->channel)));
    if (o.n_users == 0)
        add_called(&o);
    sheets_happened(sh, &o);
    return (int)o.n_users;
}
