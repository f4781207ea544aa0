#include "calls/transfers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/notify.h"
#include "model/model.h"

#define MAX_PENDING 1024
#define KEEP_US 3600000000u

struct pending {
    LIST_ENTRY(pending) all;
    struct xod_ipbx *ipbx;
    char user_id[64], session[64];
    char channel[256], peer[256];
    /* "Local/EXTEN@CONTEXT-": how the consulted channel's name begins before Asterisk 12 */
    char half[2 * TARGET_TEXT + 16];
    uint64_t since;
    bool left; /* the call that is transferred waits */
    bool told; /* the destination has answered */
};

struct transfers {
    struct state *s;
    LIST_HEAD(, pending) pending;
    size_t n;
};

struct transfers *transfers_new(struct state *s)
{
    struct transfers *t = calloc(1, sizeof(*t));

    if (t)
        t->s = s;
    return t;
}

static void forget(struct transfers *t, struct pending *p)
{
    LIST_REMOVE(p, all);
    t->n--;
    free(p);
}

void transfers_destroy(struct transfers **tp)
{
    struct pending *p;

    if (!tp || !*tp)
        return;
    while ((p = LIST_FIRST(&(*tp)->pending)))
        forget(*tp, p);
    free(*tp);
    *tp = NULL;
}

static struct pending *find(const struct transfers *t, const struct xod_obj *channel)
{
    struct pending *p;

    LIST_FOREACH(p, &t->pending, all)
    if (p->ipbx == xod_obj_ipbx(channel) && view_eq(view_cstr(p->channel), xod_obj_id(channel)))
        return p;
    return NULL;
}

void transfers_forget(struct transfers *t, const struct xod_obj *channel)
{
    struct pending *p = find(t, channel);

    if (p)
        forget(t, p);
}

/* Before 12 nothing but its name tells which channel asks as long as nobody has answered: the
 * youngest that is in no call. */
static struct xod_obj *ringing_half(const struct pending *p)
{
    struct xod_obj *c;
    struct xod_obj *youngest = NULL;
    double made = 0;
    int64_t number = 0;

    for (size_t pos = 0; (c = xod_next(p->ipbx, LIST_channels, &pos));) {
        struct view id = xod_obj_id(c);
        double since = 0;
        int64_t nth = 0;
        if (!view_starts(id, view_cstr(p->half)) || id.ptr[id.len - 1] != '1' ||
            xod_get_str(c, XOD(channels, talkingto_id)).len)
            continue;
        channel_made(c, &since, &nth);
        if (youngest && (since < made || (since == made && nth < number)))
            continue;
        youngest = c;
        made = since;
        number = nth;
    }
    return youngest;
}

bool transfers_is_one(const struct transfers *t, const struct xod_obj *channel)
{
    return find(t, channel) || xod_get_str(channel, XOD(channels, holds)).len > 0;
}

struct xod_obj *transfers_asked(const struct transfers *t, const struct xod_obj *channel)
{
    const struct pending *p = find(t, channel);
    struct view peer = xod_get_str(channel, XOD(channels, talkingto_id));
    struct view before = p ? view_cstr(p->peer) : xod_get_str(channel, XOD(channels, holds));

    if (before.len && peer.len && !view_eq(peer, before))
        return xod_find(xod_obj_ipbx(channel), LIST_channels, peer);
    return p ? ringing_half(p) : NULL;
}

void transfers_expect(struct transfers *t, const struct ami_batch *j, const struct xod_obj *channel,
                      const struct destination *to)
{
    struct pending *p = t->n < MAX_PENDING ? calloc(1, sizeof(*p)) : NULL;

    if (!p)
        return; /* it is transferred all the same */
    transfers_forget(t, channel);
    p->ipbx = j->ipbx;
    snprintf(p->user_id, sizeof(p->user_id), "%s", j->user_id);
    snprintf(p->session, sizeof(p->session), "%s", j->session);
    snprintf(p->channel, sizeof(p->channel), "%.*s", VIEW_ARG(xod_obj_id(channel)));
    snprintf(p->peer, sizeof(p->peer), "%.*s",
             VIEW_ARG(xod_get_str(channel, XOD(channels, talkingto_id))));
    snprintf(p->half, sizeof(p->half), "Local/%s@%s-", to->exten, to->context);
    p->since = clock_mono_us();
    LIST_INSERT_HEAD(&t->pending, p, all);
    t->n++;
}

static void tell(struct transfers *t, const struct pending *p, const struct xod_obj *c,
                 const char *class)
{
    struct xod_obj *phone = xod_related(c, LIST_phones, 0);
    struct notification line;

    notify_begin(&line, class);
    notify_str(&line, "line", phone ? xod_get_str(phone, XOD(phones, identity)) : xod_obj_id(c));
    notify_session(t->s, p->ipbx, view_cstr(p->user_id), view_cstr(p->session), &line);
}

/* Is it over? */
static bool look(struct transfers *t, struct pending *p, uint64_t now)
{
    const struct xod_obj *c = xod_find(p->ipbx, LIST_channels, view_cstr(p->channel));
    struct view peer = c ? xod_get_str(c, XOD(channels, talkingto_id)) : view_of(NULL, 0);
    bool linked = c && view_starts(xod_get_str(c, XOD(channels, commstatus)), VIEW("linked"));

    if (!c || now - p->since > KEEP_US)
        return true;
    if (!view_eq(peer, view_cstr(p->peer))) {
        p->left = true;
    } else if (p->left && linked) { /* back in the call that was to be transferred */
        tell(t, p, c, "current_call_attended_transfer_cancelled");
        return true;
    }
    if (p->told || !linked || peer.len == 0 || view_eq(peer, view_cstr(p->peer)))
        return false;
    tell(t, p, c, "current_call_attended_transfer_answered");
    p->told = true;
    return false;
}

void transfers_event(struct transfers *t, const struct tel *e)
{
    struct pending *p, *next;
    uint64_t now;

    if (LIST_EMPTY(&t->pending) || (e->event != TEL_call_link && e->event != TEL_call_unlink &&
                                    e->event != TEL_channel_hangup))
        return;
    now = clock_mono_us();
    LIST_FOREACH_SAFE(p, &t->pending, all, next)
    if (look(t, p, now))
        forget(t, p);
}
