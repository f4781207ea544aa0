/* dial, originate: calls that begin at a phone and go on to a destination. */
#include "calls/originates.h"
#include "calls/parties.h"
#include "core/notify.h"
#include "users/relations.h"

#include <stdio.h>

/* Of a batch: the name of the call, as its channel variable has it, and the number called. */
struct dial {
    char name[TARGET_TEXT], exten[TARGET_TEXT];
};

static void forget_it(struct ami_batch *j)
{
    const struct dial *d = j->ctx;

    if (j->s->originates)
        originates_refused(j->s->originates, view_cstr(d->name));
}

static void on_answered(struct ami_batch *j, const struct outcome *out)
{
    const struct dial *d = j->ctx;
    bool dialled = strcmp(j->command, "dial") == 0;
    struct outcome shown = *out;
    char unreachable[TARGET_TEXT + 32];
    struct notification t;

    if (out->good)
        originates_accepted(j->s->originates, view_cstr(d->name), out->actionid);
    /* What Asterisk says of a number that its dialplan lacks, in the words that clients know. */
    if (!out->good && view_find(view_cstr(out->reason), VIEW("xtension does not exist")) >= 0) {
        snprintf(unreachable, sizeof(unreachable), "unreachable_extension:%s", d->exten);
        shown.reason = unreachable;
    }
    ami_batch_notify_response(j, &shown);
    if (!dialled || !out->good)
        return;
    notify_begin(&t, "dial_success");
    notify_str(&t, "exten", view_cstr(d->exten));
    ami_batch_notify(j, &t);
}

static void originate(struct ipbx_command *o, const struct xod_obj *phone,
                      const struct destination *to)
{
    struct view channel = xod_get_str(phone, XOD(phones, identity));
    struct parties shown;
    char tag[TARGET_TEXT + 32];
    char who[96];
    char ring_ms[32]; /* how long the first phone rings */
    struct ami_batch *j = o->batch;
    struct dial *d = ipbx_command_ctx(o, sizeof(*d));

    if (!d)
        return;
    originates_name(o->s->originates, d->name);
    snprintf(j->autocall, sizeof(j->autocall), "%s", d->name);
    snprintf(d->exten, sizeof(d->exten), "%s", to->exten);
    snprintf(tag, sizeof(tag), "XIVO_ORIGACTIONID=%s", d->name);
    snprintf(who, sizeof(who), "XIVO_USERID=%s", o->se->user_id);
    snprintf(ring_ms, sizeof(ring_ms), "%lld",
             (long long)config_int(o->s->cfg, "ctibus.dial_seconds") * 1000);
    j->done = on_answered;
    j->abandon = forget_it;
    originates_expect(o->s->originates, j, view_cstr(d->name), channel);
    parties_set(&shown, o->user, channel, view_cstr(to->name), view_cstr(to->exten));
    ipbx_command_action(o, "Originate", "Channel", channel, "Exten", view_cstr(to->exten),
                        "Context", view_cstr(to->context), "Priority", VIEW("1"), "Timeout",
                        view_cstr(ring_ms), "CallerID", view_cstr(shown.callerid), "Variable",
                        view_cstr(shown.name), "Variable", view_cstr(shown.number), "Variable",
                        VIEW("XIVO_ORIGAPPLI=OrigDial"), "Variable", view_cstr(tag), "Variable",
                        view_cstr(who), NULL);
}

/* "user:xivo/4": an object, not a number. */
static bool names_object(struct view text)
{
    struct view rest = text;
    struct view kind = view_cut(&rest, ':');

    for (size_t i = 0; i < kind.len; i++)
        if ((kind.ptr[i] < 'a' || kind.ptr[i] > 'z') && kind.ptr[i] != '_')
            return false;
    return kind.len && kind.len < text.len;
}

/* What could not be dialled, in the words of the client. */
static void put_unreachable(struct view text, char out[TARGET_TEXT])
{
    size_t n = 0;

    if (!names_object(text)) {
        dialled(text, out, TARGET_TEXT);
        return;
    }
    for (size_t i = 0; i < text.len && n + 1 < TARGET_TEXT; i++)
        if ((unsigned char)text.ptr[i] > ' ' && (unsigned char)text.ptr[i] < 0x7f)
            out[n++] = text.ptr[i];
    out[n] = '\0';
}

static bool find_destination(struct ipbx_command *o, struct destination *to)
{
    struct target t = ipbx_command_target(o, "destination", LIST_COUNT);
    char why[TARGET_TEXT + 32];
    char wanted[TARGET_TEXT];
    char scratch[32];

    if (target_destination(o->s, o->user, &t, false, to))
        return true;
    put_unreachable(msg_get_text(o->message, "destination", scratch), wanted);
    snprintf(why, sizeof(why), "unreachable_extension:%s", wanted);
    ipbx_command_wrong(o, "destination", why);
    return false;
}

void ipbx_dial(struct ipbx_command *o)
{
    struct xod_obj *line = relations_line(o->user);
    struct destination to;

    if (!line)
        ipbx_command_wrong(o, "source", "no_line");
    else if (find_destination(o, &to))
        originate(o, line, &to);
}

void ipbx_originate(struct ipbx_command *o)
{
    struct target from = ipbx_command_target(o, "source", LIST_COUNT);
    struct xod_obj *phone = target_phone(o->s, o->se, &from);
    struct destination to;

    if (!phone)
        ipbx_command_wrong(o, "source", "no_line");
    else if (find_destination(o, &to))
        originate(o, phone, &to);
}
