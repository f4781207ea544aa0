#include "call_links.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"

#define MAX_ENDS 131072

enum hold { HOLD_UNKNOWN, HOLD_OFF, HOLD_ON };

/* One end of a call. */
struct end {
    char *channel;
    char *peer;
    enum hold held; /* its peer has it on hold */
    bool over;      /* the call is, but for the hold */
};

struct call_links {
    struct map *ends; /* channel -> struct end */
    struct pair back[CALL_LINKS_HELD_BACK];
    size_t n_back;
};

static void end_free(struct end *e)
{
    if (!e)
        return;
    free(e->channel);
    free(e->peer);
    free(e);
}

void pair_fini(struct pair *pair)
{
    free(pair->channel);
    free(pair->uniqueid);
    free(pair->other);
    free(pair->other_uniqueid);
    *pair = (struct pair){NULL, NULL, NULL, NULL};
}

struct call_links *call_links_new(void)
{
    struct call_links *p = calloc(1, sizeof(*p));

    if (p)
        p->ends = map_new();
    if (p && !p->ends) {
        free(p);
        return NULL;
    }
    return p;
}

void call_links_clear(struct call_links *p)
{
    size_t pos = 0;
    struct view key;
    void *v;

    while (map_next(p->ends, &pos, &key, &v)) {
        map_del(p->ends, key);
        end_free(v);
    }
    while (p->n_back)
        pair_fini(&p->back[--p->n_back]);
}

void call_links_destroy(struct call_links **p)
{
    if (!p || !*p)
        return;
    call_links_clear(*p);
    map_destroy(&(*p)->ends);
    free(*p);
    *p = NULL;
}

/* ---- ends ---- */

static struct end *end_new(struct view channel, struct view peer, enum hold held)
{
    struct end *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->channel = view_dup(channel);
    e->peer = view_dup(peer);
    e->held = held;
    if (!e->channel || !e->peer) {
        end_free(e);
        return NULL;
    }
    return e;
}

/* What cannot be remembered is only not known of holds. */
static void put_end(struct call_links *p, struct view channel, struct view peer, enum hold held)
{
    struct end *e;

    end_free(map_del(p->ends, channel));
    if (map_count(p->ends) >= MAX_ENDS)
        return;
    e = end_new(channel, peer, held);
    if (e && map_put(p->ends, view_cstr(e->channel), e) < 0)
        end_free(e);
}

static struct end *find(const struct call_links *p, struct view channel)
{
    return map_get(p->ends, channel);
}

static void link_one(struct call_links *p, struct view channel, struct view peer)
{
    struct end *e = find(p, channel);

    if (!e || !view_eq(view_cstr(e->peer), peer))
        put_end(p, channel, peer, HOLD_UNKNOWN);
    else
        e->over = false;
}

void call_links_link(struct call_links *p, struct view channel, struct view other)
{
    if (channel.len == 0 || other.len == 0)
        return;
    link_one(p, channel, other);
    link_one(p, other, channel);
}

void call_links_forget(struct call_links *p, struct view channel)
{
    end_free(map_del(p->ends, channel));
}

/* The other end, if it, too, is of this call. */
static struct end *other_end(const struct call_links *p, const struct end *e)
{
    struct end *other = e ? find(p, view_cstr(e->peer)) : NULL;

    return other && strcmp(other->peer, e->channel) == 0 ? other : NULL;
}

void call_links_unlink(struct call_links *p, struct view channel, struct view other)
{
    struct end *e = find(p, channel);
    struct end *peer = other_end(p, e);

    if (!peer || !view_eq(view_cstr(peer->channel), other))
        return;
    e->over = peer->over = true;
    if (e->held == HOLD_ON || peer->held == HOLD_ON)
        return;
    call_links_forget(p, other);
    call_links_forget(p, channel);
}

/* False when that was known already. */
static bool set_held(struct end *e, bool on)
{
    enum hold hold = on ? HOLD_ON : HOLD_OFF;
    bool news = e->held != hold;

    e->held = hold;
    return news;
}

bool call_links_hold(struct call_links *p, struct view holder, bool on)
{
    struct end *heard = other_end(p, find(p, holder));

    return !heard || set_held(heard, on);
}

char *call_links_music(struct call_links *p, struct view channel, bool on)
{
    struct end *e = find(p, channel);
    bool of_this_call = other_end(p, e) != NULL;
    char *holder;

    /* it ends also when the holder is in no call any more, as after a third party that was asked */
    if (!e || (!of_this_call && (on || e->held != HOLD_ON)) || !set_held(e, on))
        return NULL;
    holder = view_dup(view_cstr(e->peer));
    if (!on && e->over)
        call_links_forget(p, channel);
    return holder;
}

void call_links_rename(struct call_links *p, struct view channel, struct view now)
{
    struct end *e = map_del(p->ends, channel);
    struct end *peer;

    if (!e || view_eq(view_cstr(e->peer), now)) { /* it takes its peer's place: they are one */
        call_links_forget(p, now);
        end_free(e);
        return;
    }
    peer = find(p, view_cstr(e->peer));
    put_end(p, now, view_cstr(e->peer), e->held);
    if (peer && view_eq(view_cstr(peer->peer), channel))
        put_end(p, view_cstr(e->peer), now, peer->held);
    end_free(e);
}

/* ---- held back ---- */

int call_links_hold_back(struct call_links *p, struct view channel, struct view uniqueid,
                         struct view other, struct view other_uniqueid)
{
    struct pair *pair = &p->back[p->n_back];

    if (p->n_back == CALL_LINKS_HELD_BACK)
        return -ENOBUFS;
    *pair = (struct pair){view_dup(channel), view_dup(uniqueid), view_dup(other),
                          view_dup(other_uniqueid)};
    if (!pair->channel || !pair->uniqueid || !pair->other || !pair->other_uniqueid) {
        pair_fini(pair);
        return -ENOMEM;
    }
    p->n_back++;
    return 0;
}

size_t call_links_held_back(const struct call_links *p)
{
    return p->n_back;
}

bool call_links_release(struct call_links *p, struct view channel, struct pair *out)
{
    for (size_t i = 0; i < p->n_back; i++) {
        struct pair *pair = &p->back[i];
        if (channel.len && !view_eq(view_cstr(pair->channel), channel) &&
            !view_eq(view_cstr(pair->other), channel))
            continue;
        *out = *pair;
        p->n_back--;
        memmove(pair, pair + 1, (p->n_back - i) * sizeof(*pair));
        return true;
    }
    return false;
}
