/* Rules about what an Asterisk does beside calls: variables, agents, conferences, parking,
 * mailboxes, user events. */
#include <stdio.h>

#include "rules.h"

/* The dialplan sets many variables; those of XiVO's dialplan and of our originates matter,
 * and how a call left a queue. A
 * variable that children inherit is set with one or two underscores in front. */
void rule_variable(struct translator *t, const struct table_row *row, const struct ami_block *b,
                   struct tel_out *o)
{
    struct view name = tel_out_str(o, TELF_name);

    while (name.len && name.ptr[0] == '_')
        name = view_of(name.ptr + 1, name.len - 1);
    if (!view_starts(name, VIEW("XIVO_")) && !view_eq(name, VIEW("QUEUESTATUS")))
        return;
    if (view_eq(tel_out_str(o, TELF_channel), VIEW("none"))) { /* a global variable */
        tel_out_drop(o, TELF_channel);
        tel_out_drop(o, TELF_uniqueid);
    }
    tel_out_put(o, TELF_name, name);
    tel_out_put(o, TELF_value, ami_get(b, "Value"));
    translator_emit(t, o);
}

/* The channel an agent logged in with has another header in each dialect; "n/a" is none. */
void rule_listed_agent(struct translator *t, const struct table_row *row, const struct ami_block *b,
                       struct tel_out *o)
{
    struct view login = ami_get(b, "LoggedInChan");

    if (login.len && !view_eq(login, VIEW("n/a")))
        tel_out_put(o, TELF_channel, login);
    if (view_eq(tel_out_str(o, TELF_other), VIEW("n/a")))
        tel_out_drop(o, TELF_other);
    translator_emit(t, o);
}

/* NoAuthed stands in XiVO's MeetmeJoin; the event MeetmeNoAuthed says it as its Status. */
void rule_meetme(struct translator *t, const struct table_row *row, const struct ami_block *b,
                 struct tel_out *o)
{
    struct view waits = ami_get(b, row->tel == TEL_conference_auth ? "Status" : "NoAuthed");

    if (waits.len)
        tel_out_put_num(o, TELF_authed, !is_true(waits));
    translator_emit(t, o);
}

/* Before 12 a pause without a reason is told without the header: it clears the reason that was. */
void rule_paused(struct translator *t, const struct table_row *row, const struct ami_block *b,
                 struct tel_out *o)
{
    if (tel_out_str(o, TELF_reason).len == 0)
        tel_out_put(o, TELF_reason, VIEW(""));
    translator_emit(t, o);
}

/* Before 12 it is told which channel parked it, later which device did: the device is told. */
void rule_parked(struct translator *t, const struct table_row *row, const struct ami_block *b,
                 struct tel_out *o)
{
    struct view parker = tel_out_str(o, TELF_parker);
    const char *dash = parker.len ? memrchr(parker.ptr, '-', parker.len) : NULL;

    if (dash && ami_get(b, "From").ptr)
        tel_out_put(o, TELF_parker, view_of(parker.ptr, (size_t)(dash - parker.ptr)));
    translator_emit(t, o);
}

/* A box without a context is one of "default", as in mailboxes that are kept elsewhere
 * (res_mwi_external). The name stands in `full` until it is told. */
static bool complete_mailbox(struct tel_out *o, char *full, size_t size)
{
    struct view box = tel_out_str(o, TELF_mailbox);
    struct view context = tel_out_str(o, TELF_context);
    int n;

    if (box.len == 0 || memchr(box.ptr, '@', box.len)) {
        tel_out_drop(o, TELF_context);
        return box.len > 0;
    }
    if (context.len == 0)
        context = VIEW("default");
    n = snprintf(full, size, "%.*s@%.*s", VIEW_ARG(box), VIEW_ARG(context));
    if (n < 0 || (size_t)n >= size)
        return false;
    tel_out_put(o, TELF_mailbox, view_of(full, (size_t)n));
    tel_out_drop(o, TELF_context);
    return true;
}

void rule_waiting(struct translator *t, const struct table_row *row, const struct ami_block *b,
                  struct tel_out *o)
{
    char full[256];

    if (complete_mailbox(o, full, sizeof(full)))
        translator_emit(t, o);
}

void rule_mailbox(struct translator *t, const struct table_row *row, const struct ami_block *b,
                  struct tel_out *o)
{
    char full[256];

    if (!tel_set_has(&o->set, TELF_new_count) || !complete_mailbox(o, full, sizeof(full)))
        return;
    tel_out_put_num(o, TELF_waiting,
                    o->num[TELF_new_count] > 0 || is_true(ami_get(b, "UrgMessages")));
    translator_emit(t, o);
}

/* What Asterisk itself puts behind the line UserEvent: 11 the Uniqueid of the channel, which stands
 * nowhere else then; the action of that name its ActionID, in 1.8 with its Action. */
static bool is_asterisks_own(const struct ami_header *h, bool has_uniqueid)
{
    return (view_eq(h->name, VIEW("Uniqueid")) && !has_uniqueid) ||
           view_eq(h->name, VIEW("ActionID")) ||
           (view_eq(h->name, VIEW("Action")) && view_ieq(h->value, VIEW("UserEvent")));
}

/* The dialplan's headers follow the line UserEvent; before it stands what Asterisk says of the
 * channel. */
void rule_user_event(struct translator *t, const struct table_row *row, const struct ami_block *b,
                     struct tel_out *o)
{
    bool has_uniqueid = false;
    unsigned i = 0;

    for (; i < b->n && !view_ieq(b->headers[i].name, VIEW("UserEvent")); i++)
        has_uniqueid = has_uniqueid || view_eq(b->headers[i].name, VIEW("Uniqueid"));
    if (i++ == b->n)
        return;
    while (i < b->n && is_asterisks_own(&b->headers[i], has_uniqueid))
        i++;
    o->first_header = i;
    tel_set_add(&o->set, TELF_headers);
    translator_emit(t, o);
}
