#include "calls/originates.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/ami_request.h"
#include "core/notify.h"

#define MAX_PENDING 4096
#define KEEP_US 180000000u /* beside the time that the phone may ring */
#define RECENT 64

struct pending {
    LIST_ENTRY(pending) all;
    char name[TARGET_TEXT], actionid[96], channel[TARGET_TEXT];
    struct ami_batch about; /* only what ami_batch_begin_line and ami_batch_notify look at */
    uint64_t since;
    bool named; /* its channel was told */
};

/* A response that came before the answer to its action. */
struct early {
    char actionid[96];
    int64_t reason;
};

struct originates {
    struct state *s;
    LIST_HEAD(, pending) pending;
    size_t n;
    uint64_t next;
    struct early early[RECENT];
    size_t next_early;
};

struct originates *originates_new(struct state *s)
{
    struct originates *o = calloc(1, sizeof(*o));

    if (o)
        o->s = s;
    return o;
}

static void forget(struct originates *o, struct pending *p)
{
    LIST_REMOVE(p, all);
    o->n--;
    value_clear(&p->about.reply_id);
    free(p);
}

void originates_destroy(struct originates **op)
{
    struct pending *p;

    if (!op || !*op)
        return;
    while ((p = LIST_FIRST(&(*op)->pending)))
        forget(*op, p);
    free(*op);
    *op = NULL;
}

void originates_name(struct originates *o, char out[TARGET_TEXT])
{
    snprintf(out, TARGET_TEXT, "ctibus-%llx-%llu", (unsigned long long)bus_epoch(o->s->bus),
             (unsigned long long)++o->next);
}

static void forget_old(struct originates *o, uint64_t now)
{
    struct pending *p, *next;
    uint64_t keep_us =
        KEEP_US + (uint64_t)config_int(o->s->cfg, "ctibus.dial_seconds") * UINT64_C(1000000);

    LIST_FOREACH_SAFE(p, &o->pending, all, next)
    if (now - p->since > keep_us)
        forget(o, p);
}

void originates_expect(struct originates *o, const struct ami_batch *j, struct view name,
                       struct view channel)
{
    struct pending *p;

    forget_old(o, clock_mono_us());
    p = o->n < MAX_PENDING ? calloc(1, sizeof(*p)) : NULL;
    if (!p)
        return; /* the call is made all the same, only its end is not told */
    snprintf(p->name, sizeof(p->name), "%.*s", VIEW_ARG(name));
    snprintf(p->channel, sizeof(p->channel), "%.*s-", VIEW_ARG(channel));
    p->about = *j;
    p->about.pairs = (struct buf){0};
    p->about.reply_id = (struct value){.type = V_NULL};
    if (value_copy(&p->about.reply_id, &j->reply_id) < 0)
        p->about.reply_id = (struct value){.type = V_NULL};
    p->since = clock_mono_us();
    LIST_INSERT_HEAD(&o->pending, p, all);
    o->n++;
}

static struct pending *find(struct originates *o, struct view name)
{
    struct pending *p;

    LIST_FOREACH(p, &o->pending, all)
    if (view_eq(view_cstr(p->name), name))
        return p;
    return NULL;
}

static void tell_reason(struct originates *o, struct pending *p, int64_t reason)
{
    struct notification t;

    ami_batch_begin_line(&t, &p->about);
    notify_i64(&t, "originatereason", reason);
    ami_batch_notify(&p->about, &t);
    forget(o, p);
}

void originates_accepted(struct originates *o, struct view name, struct view actionid)
{
    struct pending *p = find(o, name);

    if (!p)
        return;
    snprintf(p->actionid, sizeof(p->actionid), "%.*s", VIEW_ARG(actionid));
    for (size_t i = 0; i < RECENT; i++)
        if (actionid.len && view_eq(view_cstr(o->early[i].actionid), actionid)) {
            tell_reason(o, p, o->early[i].reason);
            return;
        }
}

void originates_refused(struct originates *o, struct view name)
{
    struct pending *p = find(o, name);

    if (p)
        forget(o, p);
}

/* No Asterisk tells the variables of a channel by itself as we have it configured: it is asked. */
static void on_new_channel(struct originates *o, struct xod_ipbx *ipbx, struct view channel)
{
    struct pending *p;

    LIST_FOREACH(p, &o->pending, all)
    {
        struct view begin = view_cstr(p->channel);
        if (p->about.ipbx != ipbx || channel.len < begin.len ||
            !view_ieq(view_of(channel.ptr, begin.len), begin))
            continue;
        ami_request_send(o->s, ipbx, "Getvar", "Channel", channel, "Variable",
                         VIEW("XIVO_ORIGACTIONID"), NULL);
        return;
    }
}

static void on_variable(struct originates *o, const struct tel *t)
{
    struct pending *p = find(o, t->str[TELF_value]);
    struct notification line;

    /* it is set on the channel, and answered when it is asked for */
    if (!p || p->named || !view_eq(t->str[TELF_name], VIEW("XIVO_ORIGACTIONID")))
        return;
    p->named = true;
    ami_batch_begin_line(&line, &p->about);
    notify_str(&line, "autocall_channel", t->str[TELF_channel]);
    ami_batch_notify(&p->about, &line);
}

static void on_response(struct originates *o, const struct tel *t)
{
    struct view actionid = t->str[TELF_actionid];
    struct pending *p;
    struct early *e;

    LIST_FOREACH(p, &o->pending, all)
    if (actionid.len && view_eq(view_cstr(p->actionid), actionid)) {
        tell_reason(o, p, t->num[TELF_reason_code]);
        return;
    }
    e = &o->early[o->next_early++ % RECENT];
    snprintf(e->actionid, sizeof(e->actionid), "%.*s", VIEW_ARG(actionid));
    e->reason = t->num[TELF_reason_code];
}

void originates_event(struct originates *o, struct xod_ipbx *ipbx, const struct tel *t)
{
    if (LIST_EMPTY(&o->pending))
        return;
    if (t->event == TEL_channel_new && !t->resync)
        on_new_channel(o, ipbx, t->str[TELF_channel]);
    else if (t->event == TEL_channel_variable)
        on_variable(o, t);
    else if (t->event == TEL_originate_response)
        on_response(o, t);
}
